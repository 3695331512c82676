"""The three avalanches: theory against independent integration, what they take, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.models.avalanche import chain_of
from brnn.models.parts.avalanche import chain_runs
from brnn.models.parts.list_learning import DECIDED, LearnedLists, ListSlots, items_and_lists, nearest, pictures
from brnn.theory.avalanche import play

NAMES = ["avalanche", "context_sensitive_avalanche", "self_organizing_avalanche"]
CHAIN = chain_of()

every_model = pytest.mark.parametrize("name", NAMES)


def refusal(name: str, **arguments: Any) -> str:
    """Return the one line with which these arguments are refused."""
    with pytest.raises((SpecError, InputError)) as caught:
        models.load(name).build(**arguments)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


@every_model
def test_the_default_run_is_finite_and_learns(name: str) -> None:
    network = models.load(name).build()
    assert network.name == name
    result = brnn.simulate(network, rtol=1e-5, atol=1e-8)
    for projection in network.projections:
        if projection.learning is not None:
            z = np.asarray(result[f"{projection.name}.z"])
            assert np.isfinite(z).all()
            assert np.abs(z[-1] - z[0]).max() > 0.05
    for layer in network.layers:
        assert np.isfinite(np.asarray(result[f"{layer.name}.x"])).all()


# Theory of the avalanche -----------------------------------------------------------------------------------------


def integrated(command: float, cells: int, stop: float, end: float) -> Any:
    """Return a fine solution of the chain's equations, written out, with small fixed steps."""
    A, P, J, R = CHAIN.A, CHAIN.P, CHAIN.J, CHAIN.rate
    go, start = 5.0, 5.0 + 1.25 * float(CHAIN.step(command))

    def slope(t: float, state: np.ndarray) -> np.ndarray:
        c, x = state[0], state[1:]
        p = (x >= CHAIN.threshold).astype(float)
        inputs = c + P * p + P * np.append(0.0, p[:-1])
        inputs[0] += P * (go <= t < start)
        return np.append(R * (command * (t < stop) - c), -A * x + inputs - J * x * np.append(p[1:], 0.0))

    return solve_ivp(slope, (0.0, end), np.zeros(cells + 1), "RK23", max_step=2e-3, rtol=1e-6, dense_output=True)


def test_firing_and_silence_are_those_of_the_equations() -> None:
    command, cells = 0.9, 5
    act = chain_runs(CHAIN, cells, [command], [1.0])[0]
    solution = integrated(command, cells, np.inf, act.end)
    t = np.linspace(0.0, act.end, 40_001)
    x = solution.sol(t)[1:]
    above = x >= CHAIN.threshold
    np.testing.assert_allclose(t[above.argmax(axis=1)], act.fired, atol=3e-3)
    last = [t[np.flatnonzero(row).max()] for row in above[:-1]]
    np.testing.assert_allclose(last, act.silent[:-1], atol=3e-3)
    assert above[-1, -1]
    assert np.isinf(act.silent[-1])


@pytest.mark.parametrize("part", [0.3, 0.7])
def test_a_stop_is_that_of_the_equations(part: float) -> None:
    command, cells = 0.9, 5
    act = chain_runs(CHAIN, cells, [command], [part])[0]
    count, quiet = CHAIN.stopped(command, act.fired, act.silent, act.start, act.off)
    x = integrated(command, cells, act.off, quiet + 2.0)
    t = np.linspace(0.0, quiet + 2.0, 20_001)
    above = x.sol(t)[1:] >= CHAIN.threshold
    assert above.any(axis=1).sum() == count
    assert t[above.any(axis=0)].max() == pytest.approx(quiet, abs=3e-3)
    assert quiet - act.off < float(CHAIN.step(command))


def test_step_and_command_are_inverse() -> None:
    commands = np.linspace(0.61, 1.99, 12)
    np.testing.assert_allclose(CHAIN.command(CHAIN.step(commands)), commands, rtol=1e-12)
    assert CHAIN.commands == pytest.approx((0.6, 2.0))
    assert (np.diff(CHAIN.step(commands)) < 0.0).all()


def test_play_is_the_solution_of_its_equations() -> None:
    rng = np.random.default_rng(1)
    frames, weights = rng.uniform(size=(3, 2)), rng.uniform(size=(3, 2))
    fired, silent = np.array([0.5, 1.5, 2.5]), np.array([1.6, 2.6, np.inf])
    changes, stop, rate, D, M = np.array([0.4, 1.4, 2.4, 3.4]), 3.2, 5.0, 2.0, 3.0
    times = np.array([0.3, 1.55, 2.0, 3.3, 3.9])

    def slope(t: float, state: np.ndarray) -> np.ndarray:
        y, z = state[:2], state[2:].reshape(3, 2)
        p = ((fired <= t) & (t < np.minimum(silent, stop))).astype(float)
        shown = np.searchsorted(changes, t, side="right") - 1
        light = frames[shown] if 0 <= shown < 3 else np.zeros(2)
        return np.concatenate([rate * (light - y) + D * p @ z, (M * p[:, None] * (y - z)).ravel()])

    start = np.concatenate([np.zeros(2), weights.ravel()])
    exact = solve_ivp(slope, (0.0, 3.9), start, "RK45", max_step=1e-3, t_eval=times).y.T
    screen, z = play(times, fired, silent, weights, rate, D, M=M, frames=frames, changes=changes, stop=stop)
    np.testing.assert_allclose(screen, exact[:, :2], atol=3e-3)
    np.testing.assert_allclose(z, exact[-1, 2:].reshape(3, 2), atol=3e-3)
    # Without light, learning, or a firing cell nothing happens.
    screen, z = play([0.0, 0.4], fired, silent, weights, rate, D)
    assert not screen.any()
    np.testing.assert_array_equal(z, weights)


def test_stops_whose_outcome_hangs_by_a_thread_are_refused() -> None:
    act = chain_runs(CHAIN, 6, [0.8], [1.0])[0]
    for stop in (act.fired[0] - 0.1, act.fired[3] - 1e-9, act.fired[3] + 1e-4):
        with pytest.raises(InputError, match="choose another time"):
            CHAIN.stopped(0.8, act.fired, act.silent, act.start, stop)


def test_the_movie_is_replayed_and_stopped() -> None:
    frames = np.random.default_rng(5).uniform(size=(8, 3, 4))
    plan = chain_runs(CHAIN, 8, [0.8, 1.0, 0.7], [1.0, 1.0, 0.4])
    network = models.avalanche.build(frames, replays=[1.0, 0.7], stops=[1.0, 0.4])
    shots = np.concatenate([act.fired + 0.9 * np.diff(act.changes) for act in plan])
    shots = shots[shots < network.duration]  # the last replay is cut short
    result = brnn.simulate(network, times=[*shots, network.duration], rtol=1e-6)
    screen, flat = np.asarray(result["screen.x"]).reshape(shots.size + 1, -1), frames.reshape(8, -1)
    replay, stopped = screen[8:16], screen[16:]
    assert np.corrcoef(replay.ravel(), frames.ravel())[0, 1] > 0.999
    np.testing.assert_array_equal(nearest(replay, flat), np.arange(8))
    np.testing.assert_array_equal(nearest(stopped[:3], flat), np.arange(3))
    assert np.abs(stopped[-1]).max() < 1e-6
    known = models.avalanche.build(frames, replays=[1.0], weights=np.asarray(result["outstars.z"])[-1])
    again = brnn.simulate(known, times=(shots - plan[1].on)[8:16], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(again["screen.x"]).reshape(8, -1), replay, atol=1e-4)


# Lists ----------------------------------------------------------------------------------------------------------------


def test_slots_of_lists() -> None:
    slots = ListSlots.checked([[0, 1], [2, 1, 0]], 2, 1, 3, "x")
    once = [0, 1, -1, -1, 2, 1, 0, -1, -1]
    assert slots.items.tolist() == [*once, *once, 0, -1, -1, -1, 2, -1, -1, -1, -1]
    assert slots.training.sum() == 18
    assert np.flatnonzero(slots.replaying).tolist() == [19, 23, 24]
    assert slots.replays.tolist() == [[18, 19, -1], [22, 23, 24]]
    assert np.flatnonzero(slots.silent)[-4:].tolist() == [20, 21, 25, 26]


def test_pictures_share_four_pixels_or_none() -> None:
    shown = pictures(12)
    overlap = shown @ shown.T
    np.testing.assert_array_equal(np.diagonal(overlap), 12.0)
    assert set(np.unique(overlap - 12.0 * np.eye(12))) == {0.0, 4.0}
    assert nearest(np.vstack([0.3 * shown[3], np.zeros(36)]), shown).tolist() == [3, -1]


def replayed(name: str, lists: Any, **arguments: Any) -> list[list[int]]:
    """Return the items of each replay."""
    cycles, cue = arguments.get("cycles", 3), arguments.get("cue", 1)
    shown, slots = items_and_lists(None, lists, cycles, cue, name)
    network = models.load(name).build(lists=lists, **arguments)
    result = brnn.simulate(network, times=np.append(np.arange(slots.count) + DECIDED, slots.count), rtol=1e-5)
    assert LearnedLists.of(result, slots.count).winners.shape == (slots.count,)
    screen = np.asarray(result["screen.x"])
    return [nearest(screen[row[row >= 0]], shown).tolist() for row in slots.replays]


def test_a_long_shared_middle_needs_the_context() -> None:
    """A B C D and E B C F: what follows C depends on what came three items before."""
    lists = [[0, 1, 2, 3], [4, 1, 2, 5]]
    assert replayed("context_sensitive_avalanche", lists, m=10) == lists
    assert replayed("self_organizing_avalanche", lists, m=10) == [[0, 1, 2, 5], [4, 1, 2, 5]]


def test_a_cue_of_two_items_does_not_help_without_context() -> None:
    lists = [[0, 1, 2], [3, 1, 4]]
    assert replayed("self_organizing_avalanche", lists, cue=2) == [[0, 1, 4], [3, 1, 4]]
    assert replayed("context_sensitive_avalanche", lists, cue=2) == lists


def test_one_list_needs_no_context() -> None:
    assert replayed("self_organizing_avalanche", [[2, 0, 3, 1]], cycles=2) == [[2, 0, 3, 1]]


# Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("avalanche", {"command": 0.6}, "avalanche: command = 0.6: must lie between A threshold - P = 0.6"),
        ("avalanche", {"replays": [0.8, 2.0]}, "command = 2: must lie between"),
        ("avalanche", {"replays": [[0.8]]}, "must be a list of commands"),
        ("avalanche", {"replays": []}, "replays: the array is empty"),
        ("avalanche", {"J": 3.0, "replays": 1.9}, "a cell takes longer to fall silent than a step lasts"),
        ("avalanche", {"stops": 0.0}, "above 0 and at most 1"),
        ("avalanche", {"stops": [0.5]}, "one for each replay"),
        ("avalanche", {"stops": float("nan")}, "must be finite"),
        ("avalanche", {"A": 0}, "avalanche: A = 0: must be a number > 0"),
        ("avalanche", {"P": 2.5}, "a cell would go on without the command"),
        ("avalanche", {"J": 2.0}, "too weak to switch a cell off"),
        ("avalanche", {"R": 1.0}, "must be faster than the chain"),
        ("avalanche", {"S": -1}, "avalanche: S = -1"),
        ("avalanche", {"M": float("nan")}, "avalanche: M = nan"),
        ("avalanche", {"threshold": "x"}, "avalanche: threshold = 'x'"),
        ("avalanche", {"frames": np.ones(5)}, "must be two frames or more"),
        ("avalanche", {"frames": np.ones((1, 5))}, "must be two frames or more"),
        ("avalanche", {"frames": [[1.0, np.inf], [0.0, 0.0]]}, "is inf"),
        ("avalanche", {"frames": "movie"}, "must be an array of numbers"),
        ("avalanche", {"weights": np.ones(3)}, "must have shape (64, 24)"),
        ("self_organizing_avalanche", {"lists": []}, "must be one list of items or more"),
        ("self_organizing_avalanche", {"lists": "abc"}, "must be one list of items or more"),
        ("self_organizing_avalanche", {"lists": 3}, "must be one list of items or more"),
        ("self_organizing_avalanche", {"lists": [[0, 12]]}, "12 is not the index of a pattern (there are 12"),
        (
            "self_organizing_avalanche",
            {"lists": [[0, 1], [2]]},
            "lists[1]: has 1 items; it must have more than the cue, 1",
        ),
        ("self_organizing_avalanche", {"cycles": 0}, "self_organizing_avalanche: cycles = 0"),
        ("self_organizing_avalanche", {"cue": 3}, "it must have more than the cue, 3"),
        ("self_organizing_avalanche", {"m": 0}, "self_organizing_avalanche: m = 0"),
        ("self_organizing_avalanche", {"m": 10**7}, "of memory"),
        ("self_organizing_avalanche", {"M": -1}, "self_organizing_avalanche: M = -1"),
        ("self_organizing_avalanche", {"L": "x"}, "self_organizing_avalanche: L = 'x'"),
        ("self_organizing_avalanche", {"speed": 0}, "self_organizing_avalanche: speed = 0"),
        ("self_organizing_avalanche", {"weights": np.ones((2, 2))}, "must have shape (8, 36)"),
        ("self_organizing_avalanche", {"items": [[0.0, 0.0]] * 5}, "pattern 0 is 0 everywhere"),
        ("self_organizing_avalanche", {"items": [[1.0, 0.0]] * 4}, "4 is not the index of a pattern (there are 4"),
        ("context_sensitive_avalanche", {"A": 0}, "context_sensitive_avalanche: A = 0"),
        ("context_sensitive_avalanche", {"items": [[-1.0]] * 5}, "must be >= 0"),
        ("context_sensitive_avalanche", {"weights": np.ones((2, 2))}, "must have shape (8, 5)"),
        ("context_sensitive_avalanche", {"seed": -1}, "context_sensitive_avalanche: seed = -1"),
        ("context_sensitive_avalanche", {"lists": [[0, 1.5]]}, "1.5 is not the index"),
    ],
)
def test_bad_parameter(name: str, arguments: dict[str, Any], words: str) -> None:
    assert words in refusal(name, **arguments)


def test_the_default_movie_is_a_spot_that_goes_round_once() -> None:
    """The center of the light, beside that of the picture, at 24 angles of a circle."""
    (screen,) = (s for s in models.avalanche.build().stimuli if s.target == "screen" and np.ndim(s.pattern) == 3)
    light = np.asarray(screen.pattern)
    light = light - light.min(axis=(1, 2), keepdims=True)
    middle = np.arange(8) - 3.5
    row, column = (light * middle[:, None]).sum(axis=(1, 2)), (light * middle).sum(axis=(1, 2))
    angles = np.unwrap(np.arctan2(row, column))
    np.testing.assert_allclose(angles, 2.0 * np.pi * np.arange(24) / 24, atol=0.03)
