"""The saccade generator: what `build` makes and refuses, and how saccades are found in a run."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.errors import InputError, SpecError
from brnn.models import saccade_generator


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": [1.0, 0.0]}, "pattern: has shape (2,), must be four numbers: left, right, down, up"),
        ({"pattern": [[1.0, 0.0, 0.0, 0.0]]}, "pattern: has shape (1, 4), must be four numbers"),
        ({"pattern": [1.0, -0.1, 0.0, 0.0]}, "pattern: element 1 is -0.1"),
        ({"pattern": [1.0, float("inf"), 0.0, 0.0]}, "pattern: element 1 is inf"),
        ({"shown": 0.0}, "shown = 0: must be a number > 0"),
        ({"F": -1.0}, "F = -1: must be a number >= 0"),
        ({"release": 0.0}, "release = 0: must be a number > 0"),
        ({"J": -1.0}, "J = -1: must be a number >= 0"),
        ({"J_start": -1.0}, "J_start = -1: must be a number >= 0"),
        ({"J_length": 0.0}, "J_length = 0: must be a number > 0"),
        ({"rest": -1.0}, "rest = -1: must be a number >= 0"),
        ({"after": -1.0}, "after = -1: must be a number >= 0"),
        ({"tau": 0.0}, "tau = 0: must be a number > 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError), match=re.escape(words)) as caught:
        saccade_generator.build(**arguments)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("saccade_generator: ")


def made(v: np.ndarray, times: np.ndarray) -> Any:
    """Return a run whose eye moves to the right at these speeds, in degrees per second, by E alone."""

    class Made(dict):
        network = saccade_generator.build(rest=0.0, after=0.0)

    E = np.zeros((times.size, 4))
    E[:, 1] = v / 520.0  # 260 degrees times 0.1 in 50 ms
    T = np.full((times.size, 4), 0.5)
    T[:, 1] += np.concatenate([[0.0], np.cumsum(0.5 * (v[1:] + v[:-1]) * np.diff(times))]) / 1e3 / 260.0
    wanted = brnn.simulate(Made.network, times=times, duration=float(times[-1]))
    return Made({"excitatory_burst.x": E, "tonic.x": wanted["tonic.x"].copy(data=T)})


def test_saccades_are_found_where_the_eye_is_fast() -> None:
    """Two triangles of 300 and 150 degrees per second; then two that touch at 60, which are parted there."""
    times = np.arange(0.0, 200.1, 0.5)
    first = np.interp(times, [10.0, 30.0, 50.0, 100.0, 110.0, 120.0], [0.0, 300.0, 0.0, 0.0, 150.0, 0.0])
    one, other = saccade_generator.saccades(made(first, times))
    np.testing.assert_allclose([one.onset, one.offset, other.onset, other.offset], [12.0, 48.0, 102.0, 118.0])
    np.testing.assert_allclose([one.peak, other.peak], [300.0, 150.0])
    np.testing.assert_allclose(one.amplitude, 0.99 * 0.5 * 300.0 * 0.040, rtol=1e-3)  # what is below 30 is a hundredth
    touching = np.interp(times, [10.0, 30.0, 50.0, 70.0, 90.0], [0.0, 300.0, 60.0, 200.0, 0.0])
    parted = saccade_generator.saccades(made(touching, times))
    assert [s.peak for s in parted] == pytest.approx([300.0, 200.0])
    assert (parted[0].offset, parted[1].onset) == (50.0, 50.0)


def test_a_colliculus_that_is_not_stimulated_sends_nothing_and_inputs_mirror() -> None:
    times = np.linspace(0.0, 200.0, 21)
    left = brnn.simulate(saccade_generator.build([0.7, 0.0, 0.0, 0.0], 50.0), 200.0, times=times)
    up = brnn.simulate(saccade_generator.build([0.0, 0.0, 0.0, 0.7], 50.0), 200.0, times=times)
    assert np.all(left["colliculus.x"].values == 0.0)
    eye, other = (saccade_generator.eye_position(run["tonic.x"]) for run in (left, up))
    np.testing.assert_allclose(-eye[:, 0], other[:, 1], atol=1e-4)
    assert np.all(eye[:, 1] == 0.0)
    assert eye[-1, 0] < -5.0
