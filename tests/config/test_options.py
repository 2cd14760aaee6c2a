"""Options that a group does not have are told with the one that was meant."""

from __future__ import annotations

import pytest

from dltrain.config.compose import Composer


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("optimizer=Adam", "optimizer: there is no option 'Adam'. Did you mean optimizer=adam?"),
        ("optimizer=SGD", "optimizer: there is no option 'SGD'. Did you mean optimizer=sgd?"),
        ("callbacks=[default,convergance]", "Did you mean 'callbacks=[default,convergence]'?"),
        ("dataset=x.csv", "'x.csv' is a file. Did you mean dataset=csv dataset.path=x.csv dataset.target=COLUMN?"),
        ("optimizer=adam,sgd", "expected one option for one run, got 'adam,sgd'. Add -m to run each of them."),
        ("model.units=128,64", "or write 'model.units=[128,64]' for one list."),
        ("seed=1,2", "seed: expected one value for one run, got '1,2'. Add -m to run each of them."),
        ("model.units=5", "got 5. Did you mean 'model.units=[5]'?"),
        ("+optimizer=adam", "Write optimizer=adam to choose another."),
    ],
)
def test_option_that_was_meant(typed: str, expected: str) -> None:
    (fault,) = Composer().check([typed])[1]
    assert expected in fault
