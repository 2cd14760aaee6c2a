from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.preprocessing import rows
from dltrain.preprocessing.rows import Resident, Streaming, gather

FEATURES = np.arange(20, dtype=np.float32).reshape(10, 2)
TARGETS = np.arange(10, dtype=np.float32)
WEIGHTS = TARGETS / 10
ORDER = np.array([7, 3, 9, 0, 1, 8, 2, 5, 6])  # of ten rows, one is left out


def seen(source: Any, order: Any, batch_size: int) -> Any:
    """Features, targets and weights of all blocks, in the order in which they are taken."""
    blocks = list(source.blocks(order, batch_size))
    taken = [
        [
            gather(block.features, block.order)["x"],
            *(np.take(part, block.order) for part in (block.targets, block.weights)),
        ]
        for block in blocks
    ]
    return [len(block.order) for block in blocks], [np.concatenate(parts) for parts in zip(*taken, strict=True)]


@pytest.mark.parametrize(
    ("most", "batch_size", "sizes"), [(100, 2, [9]), (5, 2, [4, 4, 1]), (3, 3, [3, 3, 3]), (1, 4, [4, 4, 1])]
)
def test_blocks_of_whole_batches_hold_what_memory_would(
    monkeypatch: pytest.MonkeyPatch, most: int, batch_size: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(rows, "BLOCK_ROWS", most)
    whole = seen(Resident({"x": FEATURES}, TARGETS, WEIGHTS), ORDER, batch_size)
    parts = seen(Streaming(lambda places: {"x": FEATURES[places]}, TARGETS, WEIGHTS), ORDER, batch_size)
    assert whole[0] == [9]
    assert parts[0] == sizes
    for one, other, wanted in zip(whole[1], parts[1], (FEATURES, TARGETS, WEIGHTS), strict=True):
        np.testing.assert_allclose(one, wanted[ORDER])
        np.testing.assert_array_equal(one, other)


def test_large_features_make_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_BYTES", 4 * FEATURES[0].nbytes)
    source = Streaming(lambda places: {"x": FEATURES[places]}, TARGETS)
    assert [len(block.order) for block in source.blocks(ORDER, 2)] == [4, 4, 1]
    assert list(source.blocks(ORDER[:0], 2)) == []


def test_a_fault_in_a_block_is_raised_where_the_blocks_are_read() -> None:
    def fail(places: Any) -> Any:
        raise ValueError(f"row {places[0]}")

    with pytest.raises(ValueError, match="row 7"):
        next(Streaming(fail, TARGETS).blocks(ORDER, 2))
