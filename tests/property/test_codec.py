"""JSON with arrays: what is written is read again, to the last bit, whatever is nested in what."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from recording import description

import brnn
from brnn.base.codec import JsonCodec, UnknownType
from brnn.result.metadata import NETWORK_ARRAYS, OPTION_ARRAYS, network_from_file, options_from_file

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | st.text()
KEYS = st.text().filter(lambda key: not key.startswith("$"))


def arrays(kinds: str = "fiub") -> st.SearchStrategy[Any]:
    types = [np.dtype(name) for name in ("<f8", ">f8", "<f4", "<i8", "u1", "<u8", "?") if np.dtype(name).kind in kinds]
    small = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    large = hnp.array_shapes(min_dims=1, max_dims=2, min_side=9, max_side=12)
    return st.sampled_from(types).flatmap(lambda dtype: hnp.arrays(dtype, small | large))


@st.composite
def matrices(draw: st.DrawFn) -> Any:
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    return sparse.csr_array(draw(hnp.arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 1.5, -2.0]))))


def nested(leaves: st.SearchStrategy[Any], sequence: Any) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4).map(sequence) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are of one type and the same to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
    if isinstance(a, sparse.csr_array):
        return a.shape == b.shape and all(same(getattr(a, k), getattr(b, k)) for k in ("data", "indices", "indptr"))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1.0, a) == math.copysign(1.0, b))
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def through_text(data: Any) -> Any:
    return json.loads(json.dumps(data, allow_nan=False))


@given(nested(PLAIN | arrays() | matrices(), tuple), st.booleans())
def test_everything_comes_back(value: Any, by_reference: bool) -> None:
    beside: dict[str, np.ndarray] | None = {} if by_reference else None
    data = through_text(JsonCodec().encode(value, beside))
    assert same(JsonCodec().decode(data, beside or {}, "here"), value)


@given(arrays())
def test_where_arrays_stand(array: np.ndarray) -> None:
    """Up to 64 elements in the text, as numbers that can be read; above beside it, or packed."""
    beside: dict[str, np.ndarray] = {}
    data = JsonCodec().encode([array], beside)[0]
    assert ("name" in data) == (array.size > 64) == bool(beside)
    assert all(same(kept, array) for kept in beside.values())
    if np.isfinite(array).all():
        assert ("values" in data) == (array.size <= 64)
    assert "packed" in JsonCodec().encode(array) or array.size <= 64


@given(st.dictionaries(KEYS, nested(PLAIN | arrays("fiu"), list), max_size=4))
def test_options_of_a_run_come_back(options: dict[str, Any]) -> None:
    options.pop("duration", None)
    described = description(**options)
    text = str(described.attributes["options"])
    back = options_from_file(text, described.arrays[OPTION_ARRAYS])
    assert same(back, {"duration": 100.0, **options})


def test_what_files_have_had_since_format_1() -> None:
    """Texts as they stand in files: these must be read, and the same must be written."""
    options = '{"duration": 3.0, "ceiling": {"$float": "inf"}, "names": ["a"], "initial": {"F1": {"$array": "a0"}}}'
    values = {"duration": 3.0, "ceiling": math.inf, "names": ["a"], "initial": {"F1": np.arange(3.0)}}
    assert same(options_from_file(options, {"a0": np.arange(3.0)}), values)
    described = description(**values)
    assert described.attributes["options"] == options
    assert list(described.arrays[OPTION_ARRAYS]) == ["a0"]
    layer = brnn.Layer.shunting("F1", 2, A=np.array([1.0, 2.0]), B=1.0)
    network = brnn.Network("n", [layer], [], [brnn.Stimulus("F1", "excitatory", 1.0, brnn.Pulse(1.0, math.inf))])
    text = network.to_json()
    assert '"A": {"type": "array", "dtype": "<f8", "shape": [2], "values": [1.0, 2.0]}' in text
    assert '{"type": "float", "value": "inf"}' in text
    assert network_from_file(text, {}) == network
    assert NETWORK_ARRAYS == "network_arrays"


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, 1j, np.array(["a"]), np.array([1j]), np.datetime64("2000-01-01"), np.longdouble(1.0)]
)
def test_the_place_of_what_cannot_be_written(value: object) -> None:
    with pytest.raises(UnknownType) as caught:
        JsonCodec().encode({"a": [1, (2, value)]})
    assert caught.value.place == "['a'][1][1]"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"type": "float", "value": []}, "here: damaged float"),
        ({"type": "map", "items": [1]}, "here: damaged map"),
        ({"type": "cake"}, "here: unknown kind 'cake'"),
        ({"kind": "map"}, 'needs a "type"'),
        ({"type": "array", "name": "gone"}, "the array 'gone' is missing"),
        ({"type": "array", "dtype": "<f8", "shape": [-1], "values": []}, r"an array of shape \(-1,\) is not possible"),
        ({"type": "array", "dtype": "<f8", "shape": [3], "values": [1.0]}, "here: damaged array"),
    ],
)
def test_damaged_data(data: Any, words: str) -> None:
    with pytest.raises(brnn.SpecError, match=words):
        JsonCodec().decode([data], {}, "here")
