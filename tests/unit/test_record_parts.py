"""The parts of recording that touch no file: selection, thinning, chunks, memory, metadata."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import recording
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.errors import InputError, SpecError
from brnn.files.run.storage import storage
from brnn.result.columns import columns, estimate_bytes, thin
from brnn.result.metadata import (
    metadata,
    network_from_file,
    network_to_attributes,
    options_from_file,
    solver_text,
)


def test_columns_keep_the_order_of_the_state_vector() -> None:
    chosen = columns(recording.VARIABLES, ["P.z", "F1.x"])
    assert [column.name for column in chosen] == ["F1.x", "P.z"]
    assert [(column.start, column.stop) for column in chosen] == [(0, 10), (5044, 5284)]


@pytest.mark.parametrize(
    ("select", "words"),
    [
        (["F1.y"], "'F1.y' is not a state .*did you mean"),
        (["F1"], "'F1' is not a state"),
        ([], "no state"),
        ([3], "'3'"),
    ],
)
def test_unknown_selection(select: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        columns(recording.VARIABLES, select)


def test_only_weights_get_their_own_axis() -> None:
    axes = {column.name: column.axis for column in columns(recording.VARIABLES, None, ltm_every=1.0)}
    assert axes == {"F1.x": "time", "F2.x": "time", "F3.x": "time", "P.y": "time", "P.z": "ltm_time"}
    assert {column.axis for column in columns(recording.VARIABLES)} == {"time"}


def test_a_layer_may_be_called_like_something_in_its_group() -> None:
    parts = recording.variables(("time.x", (3,), ("time",), "stm"), ("x.x", (3,), ("x",), "stm"))
    assert [column.dims for column in columns(parts)] == [("time_cell",), ("x_cell",)]


def test_a_layer_cannot_be_called_like_a_group_of_the_file() -> None:
    parts = recording.variables(("network_arrays.x", (3,), ("network_arrays",), "stm"))
    with pytest.raises(InputError, match="network_arrays"):
        columns(parts)


def test_estimate() -> None:
    # 5284 numbers of 8 bytes, and the time.
    assert estimate_bytes(recording.VARIABLES, 100) == 100 * 5284 * 8 + 100 * 8
    assert estimate_bytes(recording.VARIABLES, 100, ["F1.x"], "float32") == 100 * 10 * 4 + 100 * 8
    assert estimate_bytes(recording.VARIABLES, 100, ["F1.x", "P.z"], n_ltm_times=2) == 8 * (100 * 10 + 2 * 240 + 100)


@given(
    steps=st.lists(st.floats(0.001, 5.0), min_size=1, max_size=60),
    every=st.floats(0.01, 10.0),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_thinning_does_not_depend_on_the_blocks(steps: list[float], every: float, cuts: list[int]) -> None:
    times = np.cumsum(steps)
    kept: list[float] = []
    last = -math.inf
    for part in np.split(times, sorted(min(cut, times.size) for cut in cuts)):
        indices, last = thin(part, every, last)
        kept += part[indices].tolist()
    # The rule, one time after the other.
    expected: list[float] = []
    for time in times.tolist():
        if not expected or time >= expected[-1] + every * (1.0 - 1e-9):
            expected.append(time)
    assert kept == expected


def test_thinning_keeps_multiples() -> None:
    times = np.linspace(0.0, 30.0, 301)
    indices, _ = thin(times, 0.3, -math.inf)
    np.testing.assert_array_equal(indices, np.arange(0, 301, 3))


@given(
    shape=st.lists(st.integers(1, 3000), min_size=1, max_size=3).map(tuple),
    itemsize=st.sampled_from([4, 8]),
    variables=st.integers(1, 5000),
    n_times=st.integers(1, 10**6),
)
def test_chunks(shape: tuple[int, ...], itemsize: int, variables: int, n_times: int) -> None:
    chunk, level = storage(shape, itemsize, variables, n_times)
    assert len(chunk) == len(shape) + 1
    assert all(1 <= part <= size for part, size in zip(chunk[1:], shape, strict=True))
    assert math.prod(chunk) * itemsize <= 1024 * 1024
    row = math.prod(shape) * itemsize
    if chunk[0] > 1:
        assert chunk[1:] == shape
    if 1024 * 1024 < row:
        assert math.prod(chunk) * itemsize > 300_000 or shape[-1] * itemsize > 300_000
    assert chunk[0] <= n_times
    assert (level > 0) == (row < 32 * 1024)
    # Chunks of all variables together stay small.
    assert chunk[0] == 1 or variables * math.prod(chunk) * itemsize <= max(64 * 2**20, variables * 4096)


def test_options_come_back() -> None:
    options = {
        "duration": 3.0,
        "rtol": np.float64(1e-6),
        "steps": np.int64(4),
        "times": None,
        "ceiling": math.inf,
        "names": ("a", "b"),
        "initial": {"F1": np.linspace(0.0, 1.0, 100), "F2": 0.5},
        "flag": True,
    }
    described = recording.description(**options)
    text = str(described.attributes["options"])
    back = options_from_file(text, described.arrays["option_arrays"])
    np.testing.assert_array_equal(back["initial"].pop("F1"), np.linspace(0.0, 1.0, 100))
    assert back == {**options, "names": ["a", "b"], "initial": {"F2": 0.5}}
    json.loads(text)


def test_options_that_cannot_be_recorded() -> None:
    with pytest.raises(InputError, match=r"options\['initial'\]\['F1'\]"):
        recording.description(initial={"F1": object()})


@pytest.mark.parametrize("text", ["", "[1]", '{"a": {"$array": "a7"}}', '{"a": {"$float": []}}', "[" * 100_000])
def test_damaged_options(text: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        options_from_file(text, {})


def test_metadata() -> None:
    system = SimpleNamespace(network=recording.network(reference="somebody (1973)"), time_units="s")
    attributes = metadata(system, seed=2**70, options={"duration": 5}, command="brnn run x").attributes
    assert attributes["brnn_format"] == 2
    assert attributes["seed"] == str(2**70)
    assert attributes["command"] == "brnn run x"
    assert attributes["duration"] == 5.0
    assert attributes["time_units"] == "s"
    assert attributes["title"] == "made_up"
    assert attributes["reference"] == "somebody (1973)"
    assert json.loads(str(attributes["versions"])).keys() == {"python", "numpy", "scipy", "numba", "h5py"}
    assert str(attributes["created"]).endswith("+00:00")
    assert metadata(system).attributes["seed"] == "none"


def test_network_round_trip() -> None:
    cells = 300
    network = brnn.Network(
        "large",
        [brnn.Layer.shunting("F1", cells, A=np.linspace(1.0, 2.0, cells), B=2.0)],
        [brnn.Projection("F1", "F1", topology=brnn.Dense(np.linspace(0.0, 1.0, cells**2).reshape(cells, cells)))],
    )
    text, arrays = network_to_attributes(network)
    assert len(text) < 2000
    assert {array.shape for array in arrays.values()} == {(cells,), (cells, cells)}
    assert network_from_file(text, arrays) == network
    with pytest.raises(SpecError):
        network_from_file(text, {})
    with pytest.raises(SpecError):
        network_from_file(text[:-1], arrays)


def test_solver_text_always_fits() -> None:
    assert json.loads(solver_text({"method": "RK45", "steps": 3})) == {"method": "RK45", "steps": 3}
    for count in (1, 100, 1000):
        text = solver_text({"method": "RK45"} | {f"message{k}": "x" * 5000 for k in range(count)})
        assert len(text) <= 4096
        assert json.loads(text)["method"] == "RK45"


def test_importing_is_quick() -> None:
    code = (
        "import sys, brnn.files.run.writer, brnn.result.memory; print({'h5py', 'xarray', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
