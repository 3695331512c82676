"""The one comparison of `brnn.rerun`: the largest difference, where it is, and what passes, for all kinds of values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.ensemble.status import COMPLETE
from brnn.files.sweep.reader import open_sweep_contents
from brnn.files.sweep.writer import SweepWriter
from brnn.reproduce.compare import Block, difference, outcome


def blocks(recorded: np.ndarray, repeated: np.ndarray, at_once: int = 2) -> list[Block]:
    """The rows of two arrays, of which row k is called 10 k, a few at a time."""
    return [
        Block(10 * np.arange(k, min(k + at_once, len(recorded))), recorded[k : k + at_once], repeated[k : k + at_once])
        for k in range(0, len(recorded), at_once)
    ]


@given(
    place=st.tuples(st.integers(0, 4), st.integers(0, 2)),
    change=st.floats(1e-3, 1e3) | st.just(math.nan) | st.just(math.inf),
    at_once=st.integers(1, 6),
    dtype=st.sampled_from(["<f8", "<f4"]),
)
def test_the_one_number_that_changed(place: tuple[int, int], change: float, at_once: int, dtype: str) -> None:
    recorded = np.linspace(-3.0, 4.0, 15).reshape(5, 3)
    repeated = recorded.copy()
    recorded[place] += change
    found = difference(blocks(recorded.astype(dtype), repeated, at_once), None, 1e-6, 1e-9)
    assert (found.row, found.cell, found.compared) == (10 * place[0], place[1:], 5)
    assert found.distance == pytest.approx(change if math.isfinite(change) else math.inf, rel=1e-3)
    finite = np.abs(recorded[np.isfinite(recorded)]).max()
    assert found.allowed == pytest.approx(100 * (1e-9 + 1e-6 * finite))
    assert not found.passed


@pytest.mark.parametrize("tolerance", [None, 0.0])
def test_what_is_not_a_number_in_both_is_the_same(tolerance: float | None) -> None:
    values = np.array([[1.0, math.nan], [math.inf, -math.inf], [math.nan, 2.0]])
    found = difference(blocks(values, values.copy()), tolerance, 1e-6, 1e-9)
    assert (found.distance, found.passed) == (0.0, True)
    assert found.allowed < 1.0


def test_single_precision_is_compared_with_what_it_keeps() -> None:
    values = np.array([[0.1], [1 / 3]])
    assert difference(blocks(values.astype("<f4"), values), 0.0, 0.0, 0.0).passed


@pytest.mark.parametrize("dtype", ["<i8", "<u8"])
def test_whole_numbers_are_exact(dtype: str) -> None:
    """2**60 and 2**60 + 1 are one floating-point number."""
    recorded = np.array([2**60, 5, 7], dtype)
    repeated = recorded + np.array([1, 0, 0], dtype)
    found = difference(blocks(recorded, repeated), 1e9, 1.0, 1.0)
    assert (found.distance, found.row, found.cell, found.allowed) == (1.0, 0, (), 0.0)
    assert not found.passed
    assert difference(blocks(recorded, recorded), None, 1.0, 1.0).passed


def test_texts_are_exact() -> None:
    recorded, repeated = np.array(["a", "b", "c"], object), np.array(["a", "b", "d"], object)
    found = difference(blocks(recorded, repeated), 5.0, 1.0, 1.0)
    assert (found.distance, found.row, found.passed) == (1.0, 20, False)


def test_the_worst_variable_is_the_worst_by_what_would_pass() -> None:
    large = difference(blocks(np.array([1e6, 1e6]), np.array([1e6, 1e6 + 1.0])), None, 1e-6, 1e-9)
    small = difference(blocks(np.array([1.0, 1.0]), np.array([1.0, 1.01])), None, 1e-6, 1e-9)
    assert large.passed
    assert not small.passed
    found = outcome({"large": large, "small": small}, None, members=2)
    assert (found.variable, found.largest_difference, found.passed) == ("small[10]", small.distance, False)
    assert math.isnan(found.time)
    assert outcome({"large": large}, None).time == 10.0
    assert not outcome({"large": large}, None, whole=False).passed
    assert not outcome({"large": large}, None, different_event=3).passed


def test_a_sweep_that_was_cut_off_before_its_largest_members(tmp_path: Path) -> None:
    """Its file has cells for those that were run: fewer than the file of the sweep that is run again."""
    whole, path = tmp_path / "whole.h5", tmp_path / "sweep.h5"
    with brnn.sweep("rcf", brnn.Grid(n=[2, 3, 4, 9]), duration=1.0, measures=["final"], out=whole) as data:
        states = data["rcf.x"].values[:3, :4]
    contents = open_sweep_contents(whole, "whole")
    contents.close()
    with SweepWriter(path, contents.header) as writer:
        writer.declare("rcf.x", ["rcf"])
        writer.write(np.arange(3), {"rcf.x": states}, COMPLETE)
    assert brnn.open(path)["rcf.x"].shape == (4, 4)
    found = brnn.rerun(path)
    assert (found.members, found.passed, found.largest_difference) == (3, True, 0.0)
