"""Measurements on results: curves whose period, range, phase and arrival are known by construction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brnn.analysis import Oscillation, arrival_times, measure_oscillation, phase_lag
from brnn.errors import InputError

T = np.linspace(0.0, 40.0, 1601)


def wave(period: float, lag: float = 0.0, time: np.ndarray = T) -> np.ndarray:
    """A cycle that is not a sine: sharp at the top, flat at the bottom, from 1 to 1 + e."""
    return 1.0 + np.exp(np.cos(2.0 * np.pi * (time - lag) / period)) - np.exp(-1.0)


@pytest.mark.parametrize("period", [1.7, 3.0, 9.1])
def test_period_and_range(period: float) -> None:
    found = measure_oscillation(T, wave(period, lag=0.3))
    assert found.cycles == pytest.approx(40.0 / period, abs=2.0)
    assert found.period == pytest.approx(period, rel=1e-6)
    assert found.high == pytest.approx(1.0 + np.e - 1.0 / np.e, abs=1e-6)
    assert found.low == pytest.approx(1.0, abs=1e-6)
    assert found.amplitude == pytest.approx(0.5 * (np.e - 1.0 / np.e), abs=1e-6)
    assert found.irregularity < 1e-5


def test_error_falls_with_the_fourth_power_of_the_spacing() -> None:
    period = np.sqrt(7.0)  # samples fall on other phases in each cycle
    errors = []
    for samples in (201, 401, 801, 1601):
        time = np.linspace(0.0, 20.0, samples)
        found = measure_oscillation(time, wave(period, 0.2, time), level=1.7)
        errors.append(np.abs(found.periods - period).max())
    assert (np.array(errors[:-1]) > 8.0 * np.array(errors[1:])).all()


def test_times_need_not_be_even() -> None:
    time = np.sort(np.random.default_rng(1).uniform(0.0, 30.0, 4000))
    found = measure_oscillation(time, wave(2.5, 0.0, time))
    assert found.period == pytest.approx(2.5, rel=1e-6)
    assert found.high == pytest.approx(1.0 + np.e - 1.0 / np.e, abs=1e-6)


def test_scale_and_offset_of_time_do_not_matter() -> None:
    for factor, shift in ((1e-6, 0.0), (1e6, 3e6), (1.0, -50.0)):
        found = measure_oscillation(factor * T + shift, wave(3.0))
        assert found.period == pytest.approx(3.0 * factor, rel=1e-6)


def test_ripples_are_no_cycles() -> None:
    ripples = wave(4.0) + 0.05 * np.sin(60.0 * T)
    found = measure_oscillation(T, ripples)
    assert found.cycles == measure_oscillation(T, wave(4.0)).cycles
    assert found.period == pytest.approx(4.0, rel=0.02)


def test_a_transient_is_left_out() -> None:
    x = np.where(T < 10.0, 50.0 - T, wave(3.0))
    assert measure_oscillation(T, x).cycles == 0
    assert measure_oscillation(T, x, start=10.0).period == pytest.approx(3.0, rel=1e-6)


def test_level_says_where_cycles_begin() -> None:
    x = np.sin(2.0 * np.pi * T / 8.0)
    np.testing.assert_allclose(measure_oscillation(T, x, level=0.5).crossings[:2], [8.0 / 12.0, 8.0 + 8.0 / 12.0])
    assert measure_oscillation(T, x, level=2.0).cycles == 0


@pytest.mark.parametrize("x", [np.ones(1601), np.exp(-T), T, np.where(T < 20.0, 0.0, 1.0)])
def test_what_does_not_oscillate_has_no_cycles(x: np.ndarray) -> None:
    found = measure_oscillation(T, x)
    assert found.cycles == 0
    assert np.isnan([found.period, found.low, found.high, found.amplitude, found.irregularity]).all()
    assert "no whole cycle" in repr(found)


def test_irregular_cycles() -> None:
    x = np.sin(T + 0.02 * T**2)
    found = measure_oscillation(T, x)
    assert found.irregularity > 0.3
    assert (np.diff(found.periods) < 0).all()


@pytest.mark.parametrize("lag", [0.0, 0.1, 0.5, 0.93])
def test_phase_lag(lag: float) -> None:
    measured = phase_lag(T, wave(3.3), wave(3.3, lag * 3.3))
    assert 0.0 <= measured < 1.0
    assert (measured - lag + 0.5) % 1.0 - 0.5 == pytest.approx(0.0, abs=1e-6)


def test_phase_lag_needs_two_oscillations() -> None:
    with pytest.raises(InputError, match="at least one whole cycle"):
        phase_lag(T, wave(3.3), np.ones(T.size))


def test_arrival_times_of_a_wave() -> None:
    places = np.arange(12.0).reshape(3, 4)
    values = np.tanh(T[:, None, None] - 1.5 * places - 2.0)
    arrivals = arrival_times(T, values, 0.25)
    np.testing.assert_allclose(arrivals, 1.5 * places + 2.0 + np.arctanh(0.25), atol=1e-6)


def test_arrival_of_what_is_there_already_and_of_what_never_comes() -> None:
    values = np.stack([np.ones(T.size), np.zeros(T.size), T], axis=1)
    np.testing.assert_allclose(arrival_times(T, values, 1.0), [0.0, np.nan, 1.0], atol=1e-12)


@pytest.mark.parametrize(
    ("time", "values", "words"),
    [
        (T, np.ones(3), "must begin with one row for each time"),
        (T[::-1], np.ones(T.size), "time: must rise"),
        (np.zeros(10), np.ones(10), "time: must rise"),
        (T[:4], np.ones(4), "4 samples are too few"),
        (T, np.full(T.size, np.nan), "must be finite"),
        (np.full(9, np.inf), np.ones(9), "must be finite"),
        (T, "abc", "arrays of numbers"),
        (T, np.ones((T.size, 2)), "must be one quantity"),
    ],
)
def test_bad_series(time: Any, values: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        measure_oscillation(time, values)
    assert "\n" not in str(caught.value)


def test_bad_level() -> None:
    with pytest.raises(InputError, match="level = nan"):
        measure_oscillation(T, wave(3.0), level=float("nan"))
    with pytest.raises(InputError, match="level = inf"):
        arrival_times(T, wave(3.0), float("inf"))
    with pytest.raises(InputError, match="0 samples are too few"):
        measure_oscillation(T, wave(3.0), start=100.0)


def test_what_an_oscillation_says_of_its_cycles() -> None:
    found = Oscillation(0.5, np.array([1.0, 3.0, 4.0, 7.0]), np.array([1.0, 1.5, 2.0]), np.array([0.0, -1.0, -2.0]))
    assert found.cycles == 3
    assert found.periods.tolist() == [2.0, 1.0, 3.0]
    assert (found.period, found.low, found.high, found.amplitude) == (2.0, -1.0, 1.5, 1.25)
    assert found.irregularity == 0.5  # 1 and 3 beside 2
    assert repr(found) == "Oscillation(3 cycles, period 2, from -1 to 1.5)"


@pytest.mark.parametrize("crossings", [[], [2.0]])
def test_an_oscillation_without_a_whole_cycle(crossings: list[float]) -> None:
    found = Oscillation(0.25, np.array(crossings), np.array([]), np.array([]))
    assert found.cycles == 0
    assert np.isnan([found.period, found.low, found.high, found.amplitude, found.irregularity]).all()
    assert repr(found) == "Oscillation(no whole cycle about 0.25)"
