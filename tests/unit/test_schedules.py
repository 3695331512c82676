"""Schedules: the input at each time, where it breaks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import brnn


def course(schedule: brnn.Schedule, times: list[float], pattern: object = 2.0, shape: tuple[int, ...] = ()) -> list:
    stimulus = brnn.Stimulus("F1", "excitatory", pattern, schedule)
    return [stimulus.at(t, shape).tolist() for t in times]


def test_constant_and_pulse() -> None:
    assert course(brnn.Constant(), [0, 5]) == [2, 2]
    assert course(brnn.Pulse(1, 2), [0.9, 1, 1.9, 2]) == [0, 2, 2, 0]
    assert brnn.Pulse(1, 2).breaks(10).tolist() == [1, 2]
    assert brnn.Pulse(0, 2).breaks(1).tolist() == []
    assert course(brnn.Pulse(1, np.inf), [0, 1e9]) == [0, 2]


def test_pulses() -> None:
    pulses = brnn.Pulses.periodic(period=2.0, width=0.5, count=3, start=1.0)
    assert pulses.intervals.tolist() == [[1, 1.5], [3, 3.5], [5, 5.5]]
    assert course(pulses, [0, 1, 1.4, 1.5, 3.2, 5.5, 9]) == [0, 2, 2, 0, 2, 0, 0]
    assert pulses.breaks(4).tolist() == [1, 1.5, 3, 3.5]


def test_sequence_of_indices_and_of_patterns() -> None:
    rows = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    by_index = brnn.Sequence([2, 0, 2], duration=1.0, gap=0.5, start=1.0)
    shown = course(by_index, [0.5, 1, 2.2, 2.5, 4.5, 5], rows, (3,))
    assert shown == [[0, 0, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert by_index.breaks(10).tolist() == [1, 2, 2.5, 3.5, 4, 5]
    by_pattern = brnn.Sequence(rows, duration=[1.0, 2.0, 1.0])
    assert course(by_pattern, [0.5, 2.5, 3.5], 4.0, (3,)) == [[4, 0, 0], [0, 4, 0], [0, 0, 4]]


def test_ramp_and_sine() -> None:
    ramp = brnn.Ramp(1, 3, first=1.0, final=2.0)
    assert course(ramp, [0, 1, 2, 3, 9]) == [2, 2, 3, 4, 4]
    assert ramp.breaks(10).tolist() == [1, 3]
    sine = brnn.Sine(frequency=0.5, amplitude=0.5, mean=1.0, phase=0.3)
    t = np.array([0.1, 0.7, 3.3])
    np.testing.assert_allclose(course(sine, t), 2 * (1 + 0.5 * np.sin(np.pi * t + 0.3)), rtol=1e-14)


def test_samples() -> None:
    t, values = [1.0, 2.0, 4.0], [1.0, 3.0, 2.0]
    at = [0.0, 1.5, 3.0, 3.999, 7.0]
    np.testing.assert_allclose(course(brnn.Samples(t, values), at), 2 * np.interp(at, t, values))
    assert course(brnn.Samples(t, values, "previous"), [0, 1.5, 2, 3.9, 4]) == [2, 2, 6, 6, 4]
    spatial = brnn.Samples(t, np.outer(values, [1.0, 10.0]))
    np.testing.assert_allclose(course(spatial, [1.5], 1.0, (2,)), [[2.0, 20.0]])


@pytest.mark.parametrize("interval", [0.1, 0.25, 0.3, 0.7])
def test_noise_at_a_break_is_that_after_it(interval: float) -> None:
    stimulus = brnn.Stimulus("F", "excitatory", 1.0, brnn.Noise(seed=3, interval=interval))
    for t in stimulus.schedule.breaks(10.0):
        assert stimulus.at(t, (1,)) == stimulus.at(t + 0.5 * interval, (1,))
        assert stimulus.at(t, (1,)) != stimulus.at(t - 0.5 * interval, (1,))


def test_noise_depends_on_the_seed_only() -> None:
    noise = brnn.Noise(seed=3, interval=0.5, mean=5.0, deviation=0.5)
    first = course(noise, [0.1, 0.4, 0.6], 1.0, (2,))
    # The pattern has one number, so all cells share the factor; with one number per cell each has its own.
    assert first[0] == first[1] != first[2]
    per_cell = np.array(course(noise, list(np.arange(0.25, 500, 0.5)), np.ones(2), (2,)))
    assert abs(per_cell.mean() - 5.0) < 0.05
    assert abs(per_cell.std() - 0.5) < 0.05
    assert abs(np.corrcoef(per_cell.T)[0, 1]) < 0.1
    assert course(noise, [7.3], 1.0) == course(brnn.Noise(3, 0.5, 5.0, 0.5), [7.3], 1.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: brnn.Pulse(2, 1), "Pulse: off = 1: must be a number > 2"),
        (lambda: brnn.Pulse(np.nan, 1), "Pulse: on = nan: must be finite"),
        (lambda: brnn.Pulses([[0, 2], [1, 3]]), "must rise and not overlap"),
        (lambda: brnn.Pulses([1, 2]), "must have 2"),
        (lambda: brnn.Sequence([0, -1], 1), "must be >= 0"),
        (lambda: brnn.Sequence([], 1), "the array is empty"),
        (lambda: brnn.Sequence([0, 1], 0), "Sequence: duration = 0: must be > 0"),
        (lambda: brnn.Sequence([0, 1], [1, 1, 1]), "one number or one per item"),
        (lambda: brnn.Ramp(1, 1), "Ramp: stop = 1: must be a number > 1"),
        (lambda: brnn.Sine(0), "Sine: frequency = 0: must be a number > 0"),
        (lambda: brnn.Noise(seed=1.5), "must be a whole number"),
        (lambda: brnn.Samples([0, 0], [1, 2]), "Samples: t: must rise"),
        (lambda: brnn.Samples([0, 1], [1, 2, 3]), "must have one row for each of 2 times"),
        (lambda: brnn.Samples([0, 1], [1, 2], "cubic"), "must be one of linear, previous"),
    ],
)
def test_bad_schedules_are_refused_in_one_line(make, says) -> None:
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
