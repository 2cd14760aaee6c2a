from __future__ import annotations

import warnings

from dltrain.inference.unusual import Unusual, UnusualRows, beyond
from dltrain.record.signature import Column, Signature

NUMBER = Column("n", "numeric", "n", minimum=0.0, maximum=9.0)
SIGNATURE = Signature((NUMBER, Column("w", "category", "w", words=("a",))), ("y",), "regression")


def test_a_number_is_beyond_if_the_train_rows_end_before_it() -> None:
    assert beyond(NUMBER, [0.0, 9.0, None, float("nan"), -1.0, 9.5]) == 2
    assert beyond(Column("n", "numeric", "n"), [1e9]) == 0


def test_each_call_warns_once_of_all_that_is_unusual() -> None:
    def call() -> None:
        unusual = Unusual(SIGNATURE)
        unusual.ignored = ("Y", "id")
        unusual.count_words(SIGNATURE.columns[1], {"b": 2})
        unusual.count_beyond(NUMBER, 1)
        unusual.warn()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UnusualRows)
        call()
        call()
    assert [str(each.message).splitlines() for each in told] == 2 * [
        [
            "ignored: Y, id (the model does not take them); Y is the target, which dltrain evaluate compares with.",
            "w: 2 values the model does not know ('b'); the train rows had them never or seldom.",
            "n: 1 value lies beyond those of the train rows (0 to 9).",
        ]
    ]


def test_nothing_unusual_is_nothing_to_warn_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Unusual(SIGNATURE).warn()
    assert Unusual(SIGNATURE).notes() == []
