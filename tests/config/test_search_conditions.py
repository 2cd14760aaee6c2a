from __future__ import annotations

import pytest

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer
from dltrain.config.search_space import dimensions, grid

RATE = "+search.space.optimizer.learning_rate.when"
DROPOUT = "+search.space.model.dropout={low:0,high:0.4}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([RATE + "={optimzer:adam}"], "search.space.optimizer.learning_rate.when: there is no key 'optimzer'. Did you"),
        ([RATE + "={trainer.bach_size:32}"], "Did you mean 'trainer.batch_size'?"),
        ([RATE + "={optimizer:[adam,adma]}"], "optimizer has no option 'adma'. Did you mean"),
        ([RATE + "={optimizer:[]}"], "expected at least one value of 'optimizer'"),
        ([RATE + "={trainer.batch_size:33}"], "search.space.trainer.batch_size never gives 33"),
        ([DROPOUT, RATE + "={model.dropout:0.5}"], "search.space.model.dropout never gives 0.5"),
        ([DROPOUT, RATE + "={model.dropout:big}"], "search.space.model.dropout never gives big"),
        ([RATE + "={trainer.shuffle:false}"], "it can never be true: trainer.shuffle is true, and not false"),
        ([RATE + "={optimizer.learning_rate:0.1}"], "in a circle, optimizer.learning_rate -> optimizer.learning_rate."),
        (
            [RATE + "={trainer.batch_size:16}", "+search.space.trainer.batch_size.when={optimizer.learning_rate:0.1}"],
            "optimizer.learning_rate -> trainer.batch_size -> optimizer.learning_rate. Leave one",
        ),
        (["search/space=learning_rate", RATE + "={optimizer:sgd}", "optimizer=adam"], "nothing would be searched"),
    ],
)
def test_conditions_that_cannot_hold_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Composer().compose(["search=random", *words])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        [RATE + "={optimizer:[adam,sgd]}"],
        [RATE + "={trainer.shuffle:true,trainer.batch_size:[32,64]}"],
        [RATE + "={model.units:[[64,32]]}", "model.units=[64,32]", "~search.space.model"],
        ["+search.space.optimizer.choices=[adam,sgd]"],
        ["search/space=complete", "optimizer=momentum", "model=linear"],
    ],
)
def test_conditions_that_may_hold_are_not(words: list[str]) -> None:
    Composer().compose(["search=random", *words])


def test_a_condition_waits_for_what_it_asks_for() -> None:
    words = [
        "~search.space.model",
        "search.space.trainer.batch_size.choices=[16,32]",
        RATE + "={trainer.batch_size:16}",
    ]
    config = Composer().compose(["search=random", "~search.space.optimizer.momentum", *words])
    drawn = grid(dimensions(config.search.space), 2, config)
    assert [list(each.values()) for each in drawn] == [["16", "0.0001"], ["16", "0.1"], ["32"]]
