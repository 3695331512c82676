"""Tasks of memory, their constant answers, and what is read of states."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn.errors import InputError
from brnn.integrate.side_by_side import side_by_side
from brnn.sequences.gradients import cross_entropy
from brnn.sequences.readout import score
from brnn.sequences.tasks import (
    Task,
    adding_problem,
    copy_memory,
    number_words,
    serial_recall,
    store_a_pattern,
    translation,
    windows,
)

RNG = np.random.default_rng(1997)


def test_tasks_show_what_they_ask_for() -> None:
    task = copy_memory(50, 7, 1, length=4, symbols=5)
    assert task.shown.shape == (50, 15, 6)
    assert np.array_equal(task.shown[:, :4, :5].argmax(axis=2), task.targets)
    assert task.shown[:, 10, 5].all() and task.shown[:, 11:].sum() == 0.0  # noqa: PT018
    assert task.read.tolist() == [11, 12, 13, 14]
    adding = adding_problem(50, 10, 2)
    marked = adding.shown[:, :, 1] == 1.0
    assert (marked[:, :5].sum(axis=1) == 1).all()
    assert (marked.sum(axis=1) == 2).all()
    np.testing.assert_allclose((adding.shown[:, :, 0] * marked).sum(axis=1), adding.targets[:, 0, 0], rtol=1e-15)
    lists = serial_recall(50, 3, 6, 4, 3)
    assert np.array_equal(lists.shown[:, :3].argmax(axis=2), lists.targets)
    patterns = store_a_pattern(50, 4, 6, 4)
    np.testing.assert_allclose(patterns.targets[:, 0], patterns.shown[:, 0] / patterns.shown[:, 0].sum(1)[:, None])
    series = np.linspace(0.0, 1.0, 30)
    ahead = windows("line", series, 5, ahead=2)
    np.testing.assert_allclose(ahead.targets[:, 0, 0], ahead.shown[:, -1, 0] + 2.0 / 29.0, rtol=1e-12)
    assert [number_words(k) for k in (0, 13, 40, 77)] == ["zero", "thirteen", "forty", "seventy-seven"]
    assert len(translation().shown) == 100


def test_constant_answers_lose_what_is_published() -> None:
    """1/6 for adding, ln K for symbols: measured as the loss of the best constant on many sequences."""
    assert np.mean((adding_problem(40_000, 10, 5).targets - 1.0) ** 2) == pytest.approx(1.0 / 6.0, abs=3e-3)
    task = copy_memory(40_000, 1, 6, length=2)
    chances = np.bincount(task.targets.ravel()) / task.targets.size
    assert -np.sum(chances * np.log(chances)) == pytest.approx(task.baseline, abs=1e-3)


def test_what_is_in_the_states_is_read_and_nothing_else() -> None:
    """States that hold the answers gain all, states of noise nothing; a class at even odds costs ln 2."""
    task, test = (store_a_pattern(200, 4, 2, seed) for seed in (1, 2))

    seen = np.random.default_rng(0)
    mixed = np.linalg.qr(seen.normal(size=(4, 4)))[0]
    full = score(task, np.repeat(task.targets, 3, axis=1) @ mixed, test, np.repeat(test.targets, 3, axis=1) @ mixed)
    assert full.gained > 0.9999
    nothing = score(task, seen.normal(size=(200, 3, 4)), test, seen.normal(size=(200, 3, 4)))
    assert abs(nothing.gained) < 0.1
    coin = Task("coin", np.zeros((2000, 1, 1)), np.array([0]), seen.integers(0, 2, (2000, 1)), 2, np.log(2.0))
    judged = score(coin, np.ones((2000, 1, 1)), coin, np.ones((2000, 1, 1)), 0.0)
    assert judged.loss == pytest.approx(np.log(2.0), abs=2e-3)
    two = Task("two", np.zeros((400, 1, 1)), np.array([0]), (np.arange(400) % 2)[:, None], 2, np.log(2.0))
    sides = np.where(np.arange(400) % 2, 1.0, -1.0)[:, None, None] + 0.1 * seen.normal(size=(400, 1, 1))
    assert score(two, sides, two, sides).right == 1.0


def test_cross_entropy_and_its_gradient() -> None:
    targets, read = np.array([[1, 0], [2, 2]]), np.array([1, 3])
    loss = cross_entropy(targets, read)
    states = RNG.normal(size=(2, 4, 3))
    value, gradient = loss(states)
    p = np.exp(states) / np.exp(states).sum(axis=2, keepdims=True)
    assert value == pytest.approx(-np.mean(np.log([p[0, 1, 1], p[0, 3, 0], p[1, 1, 2], p[1, 3, 2]])), rel=1e-14)
    for at in ((0, 1, 0), (1, 3, 2), (0, 0, 1)):
        moved = states.copy()
        moved[at] += 1e-6
        assert (loss(moved)[0] - value) / 1e-6 == pytest.approx(gradient[at], abs=1e-6)


def test_networks_side_by_side_are_single_runs() -> None:
    fields = [brnn.models.rcf.build(pattern=RNG.uniform(0.2, 1.0, 4)) for _ in range(3)]
    found = side_by_side(fields, "rcf", [0.5, 3.0])
    for field, states in zip(fields, found, strict=True):
        alone = brnn.simulate(field, times=[0.5, 3.0], rtol=1e-9, atol=1e-12)["rcf.x"]
        np.testing.assert_allclose(states, alone, rtol=2e-5, atol=1e-8)
    for call, said in (
        (lambda: side_by_side([], "rcf", [1.0]), "needs one at least"),
        (lambda: side_by_side([brnn.models.elman.build()], "h", [1.0]), "runs in discrete time"),
        (lambda: side_by_side([fields[0], brnn.models.rcf.build(n=7)], "rcf", [1.0]), "another structure"),
    ):
        with pytest.raises(InputError, match=said):
            call()


def test_tasks_that_are_none_are_said() -> None:
    for call, said in (
        (lambda: serial_recall(5, 9, 8, 0, 1), "length = 9: must be at most items = 8"),
        (lambda: windows("short", np.zeros(5), 5), "must be at least 6"),
        (lambda: number_words(100), "must be at most 99"),
        (lambda: cross_entropy(np.zeros((2, 2)), np.array([1, 2])), "must be classes"),
    ):
        with pytest.raises(InputError, match=said):
            call()
    task = adding_problem(5, 4, 1)
    with pytest.raises(InputError, match="have shape"):
        score(task, np.zeros((5, 3, 2)), task, np.zeros((5, 4, 2)), 0.1)
    with pytest.raises(InputError, match="must be finite"):
        score(task, np.full((5, 4, 2), np.nan), task, np.zeros((5, 4, 2)), 0.1)
