"""The precursor models, equations (1)-(5) and brain-state-in-a-box: what their builds make, and what they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.models import hartline_ratliff

NAMES = ["mcculloch_pitts", "caianiello", "rosenblatt", "hartline_ratliff", "brain_state_in_a_box"]
every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    network = models.load(name).build(**arguments)
    assert isinstance(network, brnn.Network)
    return network


def states(network: brnn.Network, duration: float | None = None, **options: Any) -> np.ndarray:
    """Return the activities of the only layer, shape (times, *cells)."""
    return np.asarray(brnn.simulate(network, duration, **options)[f"{network.layers[0].name}.x"])


@every_model
def test_the_default_run_does_something(name: str) -> None:
    network = build(name)
    assert network.name == name
    assert network.duration is not None
    x = states(network)
    assert np.isfinite(x).all()
    assert np.ptp(x, axis=0).max() > 0.5


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("mcculloch_pitts", {"kind": "xor"}, "kind = 'xor': must be one of and, or, not, latch, ring"),
    ("mcculloch_pitts", {"kind": "and", "n": 0}, "n = 0: must be a number >= 1"),
    ("mcculloch_pitts", {"kind": "and", "n": 30}, "at most 12 statements"),
    ("mcculloch_pitts", {"kind": "not", "n": 2}, "the number of cells of 'not' is fixed"),
    ("mcculloch_pitts", {"kind": "ring", "n": 10**8}, "of memory; this machine has"),
    ("mcculloch_pitts", {"A": [[1.0, 2.0]]}, "A: has shape (1, 2), must be square"),
    ("mcculloch_pitts", {"A": np.eye(2), "n": 3}, "A says how many cells there are"),
    ("mcculloch_pitts", {"A": np.eye(2), "B": [1.0]}, "B: has shape (1,), must have shape (2,)"),
    ("mcculloch_pitts", {"A": np.eye(2), "initial": 0.5}, "every state must be -1, 0 or 1"),
    ("mcculloch_pitts", {"A": np.eye(2), "pattern": [1.0, 2.0, 3.0]}, "must have shape (2,) or (items, 2)"),
    ("mcculloch_pitts", {"A": [[float("nan")]]}, "A: element (0, 0) is nan"),
    ("mcculloch_pitts", {"hold": 0}, "hold = 0: must be a number >= 1"),
    ("mcculloch_pitts", {"hold": 1.5}, "hold = 1.5: must be a whole number"),
    ("caianiello", {"n": 2}, "n = 2: must be a number >= 3"),
    ("caianiello", {"n": 10**7}, "of memory; this machine has"),
    ("caianiello", {"refractory": 0}, "refractory = 0"),
    ("caianiello", {"tau": 0}, "tau = 0: must be a number > 0"),
    ("caianiello", {"A": np.eye(2)}, "must be (delays, target, source) or (delays,)"),
    ("caianiello", {"A": np.zeros((2, 3, 4))}, "must be (delays, target, source) or (delays,)"),
    ("caianiello", {"A": [0.0, 1.0], "n": 3}, "A says how many cells there are"),
    ("caianiello", {"A": [0.0, 1.0], "initial": [0.0, 0.5]}, "every state must be 0 or 1"),
    ("caianiello", {"n": 5, "initial": [[0.0, 1.0]]}, "initial: has shape (1, 2), must be (5,) or (steps, 5)"),
    ("caianiello", {"B": "x"}, "B = 'x': must be a number"),
    ("rosenblatt", {"n": 1}, "n = 1: must be a number >= 2"),
    ("rosenblatt", {"n": 10**7}, "of memory; this machine has"),
    ("rosenblatt", {"A": 0}, "A = 0: must be a number > 0"),
    ("rosenblatt", {"C": [1.0]}, "C: has 1 dimensions, must have 2"),
    ("rosenblatt", {"C": np.ones((2, 3))}, "C: has shape (2, 3), must be square"),
    ("rosenblatt", {"C": np.eye(2), "n": 2}, "C says how many cells there are"),
    ("rosenblatt", {"C": [[-1.0]], "B": 1.0}, "cell 0 inhibits itself"),
    ("rosenblatt", {"C": [[0.0, 1.0], [0.6, -0.3]], "B": [1.0, 0.0]}, "cell 1 inhibits itself"),
    ("rosenblatt", {"B": [1.0, 2.0]}, "B: has shape (2,), must have shape (3,)"),
    ("rosenblatt", {"theta": float("inf")}, "theta = inf: must be finite"),
    ("hartline_ratliff", {"n": 0}, "n = 0"),
    ("hartline_ratliff", {"n": (2, 2, 2)}, "must have 1 or 2 dimensions"),
    ("hartline_ratliff", {"pattern": [1.0, -1.0]}, "pattern: element 1 is -1"),
    ("hartline_ratliff", {"k": -1}, "k = -1: must be a number >= 0"),
    ("hartline_ratliff", {"k": [[0.0, -1.0], [0.0, 0.0]]}, "k: element (0, 1) is -1"),
    ("hartline_ratliff", {"k": np.eye(2), "n": 3}, "k: has shape (2, 2), must be one number or have shape (3, 3)"),
    ("hartline_ratliff", {"threshold": np.eye(3), "n": 3}, "threshold"),
    ("hartline_ratliff", {"k": np.ones((5, 5)), "threshold": np.arange(25.0).reshape(5, 5)}, "at most 16"),
    ("hartline_ratliff", {"width": 0}, "width = 0: must be a number > 0"),
    ("hartline_ratliff", {"width": 0.01}, "is too small to reach the next cell"),
    ("hartline_ratliff", {"width": 1e9}, "must be a number <= 100000"),
    ("hartline_ratliff", {"tau": -1}, "tau = -1: must be a number > 0"),
    ("hartline_ratliff", {"boundary": "wrap"}, "must be one of zero, periodic, reflect, nearest"),
    ("hartline_ratliff", {"on": 0}, "on = 0: must be a number > 0"),
    ("brain_state_in_a_box", {"patterns": [1.0, -1.0]}, "patterns: has shape (2,)"),
    ("brain_state_in_a_box", {"patterns": [[1.0, 0.5]]}, "every element must be -1 or 1"),
    ("brain_state_in_a_box", {"patterns": [[1.0, -1.0]], "W": np.eye(2)}, "W already says what is fed back"),
    ("brain_state_in_a_box", {"W": [[0.0, 1.0], [0.25, 0.0]]}, "must be symmetric; W[0, 1] and W[1, 0] differ by 0.75"),
    ("brain_state_in_a_box", {"W": np.ones((2, 3))}, "must be square"),
    ("brain_state_in_a_box", {"alpha": 0}, "alpha = 0: must be a number > 0"),
    ("brain_state_in_a_box", {"gamma": -0.1}, "gamma = -0.1: must be a number >= 0"),
    ("brain_state_in_a_box", {"W": np.eye(2), "initial": [0.0, -1.5]}, "has the element -1.5, outside of -1 ... 1"),
    ("brain_state_in_a_box", {"continuous": 1}, "must be true or false"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), BAD)
def test_bad_input_is_refused_in_one_line(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as caught:
        build(name, **arguments)
    text = str(caught.value)
    assert words in text
    assert name in text
    assert "\n" not in text


def test_a_threshold_turns_and_into_or() -> None:
    conjunction, disjunction = build("mcculloch_pitts", kind="and"), build("mcculloch_pitts", kind="or")
    assert build("mcculloch_pitts", kind="and", B=[0.0, 0.0, -1.0]) == disjunction != conjunction


def test_self_inhibition_away_from_the_threshold_is_allowed() -> None:
    """A level between 2 and 1.5 never is at 0.5; one that never reaches 0.5 does not either."""
    np.testing.assert_allclose(states(build("rosenblatt", C=[[-0.5]], B=2.0), 30.0)[-1], [1.5], atol=1e-6)
    np.testing.assert_allclose(states(build("rosenblatt", C=[[-0.5]], B=0.2), 30.0)[-1], [0.2], atol=1e-6)


@pytest.mark.parametrize("tau", [0.1, 0.7, 1e-3, 3.3])
def test_the_length_of_a_step_changes_only_the_times(tau: float) -> None:
    """Steps that are no binary fractions: k * tau is rounded, and the states must not notice."""
    rng = np.random.default_rng(4)
    arguments: dict[str, Any] = {
        "A": rng.integers(-2, 3, size=(4, 5, 5)),
        "B": rng.integers(-1, 2, size=5),
        "initial": rng.integers(0, 2, size=(4, 5)),
    }
    expected = states(build("caianiello", **arguments), 50.0)
    np.testing.assert_array_equal(states(build("caianiello", tau=tau, **arguments), 50 * tau), expected)


@pytest.mark.parametrize("step", [0.1, 0.3, 0.7, 1.0])
def test_a_pulse_begins_and_ends_with_its_steps(step: float) -> None:
    """3 * 0.7 is rounded to just below 2.1: the pulse from 2.1 to 4.2 is on at steps 3, 4 and 5 all the same."""
    on, off = round(3 * step, 10), round(6 * step, 10)
    network = brnn.Network(
        "pulse",
        [brnn.BinaryLayer("a", (1,), threshold=0.5, levels="unipolar", step=step)],
        stimuli=[brnn.Stimulus("a", "excitatory", 1.0, brnn.Pulse(on, off))],
    )
    np.testing.assert_array_equal(states(network, round(10 * step, 10))[:, 0], [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0])


def test_the_response_jumps_with_the_light() -> None:
    """r = v + tau dv/dt: when the light goes off, r falls by e at once; from then on it is what inhibits, negative."""
    e = np.array([6.0, 8.0, 10.0])
    k = 0.3 * (1.0 - np.eye(3))
    network = build("hartline_ratliff", pattern=e, k=k, threshold=1.0, on=5.0)
    result = brnn.simulate(network, 10.0, times=[0.0, 4.999999, 5.0, 10.0])
    r, v = hartline_ratliff.response(result), np.asarray(result["v.x"])
    np.testing.assert_allclose(r[0], e)
    np.testing.assert_allclose(r[1] - r[2], e, atol=1e-4)
    np.testing.assert_allclose(r[2], -k @ np.maximum(v[2] - 1.0, 0.0), atol=1e-12)


def test_the_response_has_the_shape_of_the_field() -> None:
    network = build("hartline_ratliff", n=(4, 5))
    assert hartline_ratliff.response(brnn.simulate(network, times=[1.0, 10.0])).shape == (2, 4, 5)


@pytest.mark.parametrize(
    ("strength", "e"), [(1.0, [10.0, 8.0]), (2.0, [10.0, 10.0]), (2.0, [10.0, 8.0]), (5.0, [3.0, 9.0])]
)
def test_static_solves_strong_mutual_inhibition(strength: float, e: list[float]) -> None:
    """With k >= 1 the linear equations of two active cells are singular, or there are other solutions, too."""
    k = strength * (1.0 - np.eye(2))
    r = hartline_ratliff.static(e, k)
    np.testing.assert_allclose(r, e - k @ np.maximum(r, 0.0), atol=1e-10)


def test_static_finds_which_cells_are_active() -> None:
    """Against every choice of active cells: the one that is consistent."""
    rng = np.random.default_rng(40)
    for _ in range(20):
        k, e = rng.uniform(0.0, 0.4, size=(5, 5)) * (1.0 - np.eye(5)), rng.uniform(0.0, 3.0, size=5)
        found = []
        for active in itertools.product((0.0, 1.0), repeat=5):
            r = np.linalg.solve(np.eye(5) + k * active, e + (k * active).sum(axis=1))
            if np.array_equal(r > 1.0, np.array(active) > 0.0):
                found.append(r)
        assert len(found) == 1
        np.testing.assert_allclose(hartline_ratliff.static(e, k, 1.0), found[0], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0], np.eye(3)), "static: k: has shape (3, 3), must have shape (2, 2)"),
        (([1.0, 2.0], -np.eye(2)), "static: k: element (0, 0) is -1"),
        (([[1.0]], [[0.0]]), "static: e: has 2 dimensions"),
        (([1.0, 2.0], np.eye(2), [1.0]), "static: threshold: has shape (1,)"),
    ],
)
def test_static_refuses(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        hartline_ratliff.static(*arguments)
    assert words in str(caught.value)


def test_a_box_with_loss_keeps_its_state_inside() -> None:
    """gamma = 0.5 and alpha = 0.25: the largest eigenvalue is 0.75, so that every state dies out."""
    x = states(build("brain_state_in_a_box", W=np.eye(3), alpha=0.25, gamma=0.5, initial=[1.0, -0.5, 0.2]), 10.0)
    np.testing.assert_allclose(x, 0.75 ** np.arange(11)[:, None] * [1.0, -0.5, 0.2], atol=1e-15)


def test_a_box_holds_what_would_leave_it_and_decays_what_stays() -> None:
    """x <- min(max(decay x + net, lowest), highest), by hand for two steps."""
    layer = brnn.BoxLayer("F", 3, decay=[1.0, 0.5, 2.0], lowest=-1.0, highest=2.0, initial=[1.0, 1.0, -0.75])
    input_ = brnn.Stimulus("F", "excitatory", [0.75, 0.25, 0.0])
    result = brnn.simulate(brnn.Network("box", [layer], stimuli=[input_]), 2.0)
    assert result["F.x"].values.tolist() == [[1.0, 1.0, -0.75], [1.75, 0.75, -1.0], [2.0, 0.625, -1.0]]
    assert layer.bounds() == (-1.0, 2.0)
    with pytest.raises(brnn.SpecError, match="lowest = 1: must be below highest = 1"):
        brnn.BoxLayer("F", 3, lowest=1.0)
