from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dltrain.record import state_file
from dltrain.record.state_file import is_plain, previous, read, write

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text()
    | arrays.arrays(st.sampled_from([np.float32, np.int64, np.bool_]), arrays.array_shapes(min_dims=0, min_side=0)),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=PLAIN)
def test_what_is_written_is_read(tmp_path: Path, content: Any) -> None:
    assert is_plain(content)
    write(tmp_path / "a.state", content)
    assert same(read(tmp_path / "a.state"), content)


@pytest.mark.parametrize("value", [object(), {1: 2}, {1, 2}, np.array([object()]), b"bytes", [Path()]])
def test_what_would_need_pickle_is_no_state(value: Any) -> None:
    assert not is_plain(value)


def test_scalars_of_numpy_stay_what_they_are(tmp_path: Path) -> None:
    write(tmp_path / "a.state", [np.float32(0.1), np.float64(0.1)])
    found = read(tmp_path / "a.state")
    assert [type(value) for value in found] == [np.float32, np.float64]


def test_any_flipped_byte_leads_back_to_the_generation_before(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    write(path, {"epoch": 1})
    write(path, {"epoch": 2, "weights": np.arange(3.0)})
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for place in [0, 20, len(whole) - 1, *random.integers(0, len(whole), 40)]:
        broken = bytearray(whole)
        broken[place] ^= 1 << int(random.integers(8))
        path.write_bytes(bytes(broken))
        assert read(path) == {"epoch": 1}
    for length in (0, 10, 90, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read(path) == {"epoch": 1}
    previous(path).write_bytes(b"")
    assert read(path) is None


def test_write_that_breaks_off_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.state"
    write(path, 1)
    with pytest.raises(TypeError):
        write(path, object())

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:50])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            write(path, 2)
    assert read(path) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.state"]


def test_same_arrays_are_written_once(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random(10_000)
    write(tmp_path / "one.state", [weights])
    write(tmp_path / "three.state", [weights, weights.copy(), {"best": weights}])
    sizes = [(tmp_path / f"{name}.state").stat().st_size for name in ("one", "three")]
    assert sizes[1] < 1.1 * sizes[0]
    assert state_file.read(tmp_path / "missing.state") is None
