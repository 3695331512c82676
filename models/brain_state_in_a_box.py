"""Brain-state-in-a-box: linear feedback inside of a box, whose corners are memories.

    x(t + 1) = S(gamma x(t) + alpha W x(t)),       S(w) = min(max(w, -1), 1) for each cell

By default W is what Hebb's rule makes of patterns p of +1 and -1, W = sum_k p_k p_k'/n.

The same in continuous time, dx/dt = -x + S(y) with y = gamma x + alpha W x, is an additive network in y,

    dy_i/dt = -y_i + sum_j (gamma 1 + alpha W)_ij S(y_j),

and so one of the networks (32) of Cohen and Grossberg. With `continuous` the layer holds y; x is S(y) at rest.

Source: Anderson, Silverstein, Ritz and Jones (1977), Distinctive features, categorical perception, and probability
learning, Psych. Rev. 84, 413-451; Golden (1986), J. Math. Psych. 30, 73-80; Grossberg (1988), Nonlinear neural
networks, Neural Networks 1, 17-61; review, (32)-(34).

What is known (W symmetric with the smallest eigenvalue m, gamma = 1):

- E = -x'W x/2 never rises if W is positive semidefinite, or else if alpha <= 2/|m|: with d = x(t + 1) - x(t),
  E(t + 1) - E(t) <= -|d|^2 (1/alpha + m/2). Beyond that it can rise, and the state can jump to and fro.
- A corner is a fixed point if and only if x_i (W x)_i >= 0 for every i. Orthogonal patterns that are stored are such
  corners, and so are their opposites.
- If all W_ii > 0 no state but a corner withstands small disturbances.
- Inside of the box each eigenvector of W grows by the factor 1 + alpha * eigenvalue in each step.
- V of (33) for the continuous network is alpha E at x = S(y).
"""

from __future__ import annotations

import functools
import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.base.memory import refuse_above
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import activities
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Function, Linear, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.base import LayerLaw
from brnn.spec.layers.box import BoxLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.matrix import Dense
from brnn.theory.liapunov_functions.value import liapunov

__all__ = ["build"]

_LETTERS = (
    (".###.", "#...#", "#....", "#....", "#....", "#...#", ".###."),
    ("#...#", "#..#.", "#.#..", "##...", "#.#..", "#..#.", "#...#"),
    ("#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."),
    ("#...#", "#...#", ".#.#.", "..#..", ".#.#.", "#...#", "#...#"),
)
_WRONG = 11  # cells of 35 that are wrong in what is shown


@takes_dotted_names
def build(
    patterns: ArrayLike | None = None,
    W: ArrayLike | None = None,
    alpha: float = 0.25,
    gamma: float = 1.0,
    initial: ArrayLike | None = None,
    continuous: bool = False,
) -> Network:
    """Return a brain-state-in-a-box.

    By default four letters of 7 by 5 cells are stored, and the third one, a faint T of which a third of the cells are
    wrong, is completed.

    Parameters
    ----------
    patterns : array, shape (patterns, cells) or (patterns, rows, columns)
        What is stored, every element -1 or 1 (1); the four letters if W is not given either.
    W : symmetric matrix [target, source]
        Feedback in place of that of the patterns (1).
    alpha : float, > 0
        Strength of the feedback (1).
    gamma : float, >= 0
        How much of its activity a cell keeps from one step to the next (1).
    initial : float or array
        Activities at time 0, from -1 to 1 (1); by default the faint T, or a tenth of the first pattern.
    continuous : bool
        Whether time is continuous.

    Returns
    -------
    Network
        One layer, "cells".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or range, W is not symmetric, or the network is too large.
    """
    where = "brain_state_in_a_box"
    if not isinstance(continuous, bool):
        raise SpecError(f"{where}: continuous = {continuous!r}: must be true or false")
    if W is None:
        stored = _letters() if patterns is None else _stored(patterns)
        cells = stored.shape[1:]
        feedback = _hebb(stored.reshape(len(stored), -1))
        default = _faint(stored[2]) if patterns is None else 0.1 * stored[0]
    elif patterns is not None:
        raise SpecError(f"{where}: patterns: W already says what is fed back")
    else:
        feedback = _symmetric(W)
        cells = (len(feedback),)
        default = np.where(np.arange(cells[0]) % 2, -0.1, 0.1)
    x = activities(default if initial is None else initial, f"{where}: initial", cells)
    if np.max(np.abs(x)) > 1.0:
        raise SpecError(f"{where}: initial: has the element {np.ravel(x)[np.argmax(np.abs(x))]:g}, outside of -1 ... 1")
    strength, kept = number(alpha, f"{where}: alpha", above=0.0), number(gamma, f"{where}: gamma", minimum=0.0)
    layer: LayerLaw = BoxLayer("cells", cells, decay=kept, initial=x)
    topology, signal = Dense(strength * feedback), _LINEAR
    if continuous:
        whole = kept * np.eye(len(feedback)) + strength * feedback
        y = (whole @ np.broadcast_to(x, cells).ravel()).reshape(cells)
        layer = Layer.additive("cells", cells, A=1.0, initial=y)
        topology, signal = Dense(whole), _BOX
    return Network(
        where,
        layers=(layer,),
        projections=(Projection("cells", "cells", "excitatory", signal, topology),),
        duration=30.0,
        reference="Anderson, Silverstein, Ritz and Jones (1977), Psych. Rev. 84, 413-451",
    )


_LINEAR: Signal = Linear()
_BOX: Signal = Function("min(max(w, -1), 1)")


def _letters() -> np.ndarray:
    """Return C, K, T and X, shape (4, 7, 5)."""
    return np.array([[[1.0 if cell == "#" else -1.0 for cell in row] for row in letter] for letter in _LETTERS])


def _faint(letter: np.ndarray) -> np.ndarray:
    """Return a fifth of the letter, with some cells wrong."""
    wrong = np.random.default_rng(1977).permutation(letter.size) < _WRONG
    return 0.2 * letter * np.where(wrong, -1.0, 1.0).reshape(letter.shape)


def _stored(patterns: ArrayLike) -> np.ndarray:
    given = array(patterns, "brain_state_in_a_box: patterns")
    if given.ndim < 2:
        raise SpecError(
            f"brain_state_in_a_box: patterns: has shape {given.shape}, must be (patterns, cells) or more dimensions"
        )
    if not np.isin(given, (-1.0, 1.0)).all():
        raise SpecError("brain_state_in_a_box: patterns: every element must be -1 or 1")
    return given


def _hebb(patterns: np.ndarray) -> np.ndarray:
    """Return the mean over the cells of the products, sum_k p_k p_k'/n."""
    n = patterns.shape[1]
    refuse_above(16 * n * n, f"brain_state_in_a_box: patterns: a matrix of {n} x {n} connections")
    return np.asarray(patterns.T @ patterns / n)


def _symmetric(W: ArrayLike) -> np.ndarray:
    matrix = array(W, "brain_state_in_a_box: W", ndim=2)
    if matrix.shape[0] != matrix.shape[1]:
        raise SpecError(f"brain_state_in_a_box: W: has shape {matrix.shape}, must be square (target, source)")
    difference = np.abs(matrix - matrix.T)
    if difference.max() > 1e-12 * np.abs(matrix).max():
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(difference)), matrix.shape))
        raise SpecError(
            f"brain_state_in_a_box: W: must be symmetric; W[{i}, {j}] and W[{j}, {i}] differ by "
            f"{difference[i, j]:g}, the most of all"
        )
    return matrix


# Claims --------------------------------------------------------------------------------------------------------

_GOLDEN = "Golden (1986)"


def _states(network: Network, steps: int) -> np.ndarray:
    """Return the states at steps 0, 1, ..., shape (steps + 1, cells)."""
    return np.asarray(run(network, float(steps))["cells.x"]).reshape(steps + 1, -1)


def _energy(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return -x'W x/2 for each row of x."""
    return np.asarray(-0.5 * np.einsum("ti,ij,tj->t", x, W, x))


def _random(n: int, lowest: float, seed: int) -> np.ndarray:
    """Return a symmetric matrix with eigenvalues from `lowest` to 2."""
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    W = Q @ np.diag(np.linspace(lowest, 2.0, n)) @ Q.T
    return np.asarray(0.5 * (W + W.T))


def _walsh(n: int) -> np.ndarray:
    """Return n orthogonal patterns of n cells, n a power of 2."""
    H = np.ones((1, 1))
    while len(H) < n:
        H = np.block([[H, H], [H, -H]])
    return H


@claim("Energy never rises, if W is positive semidefinite or alpha <= 2/|m|", source=_GOLDEN)
def energy_never_rises() -> list[Comparison]:
    """Random symmetric W and starts, at small and large alpha; and how much E falls at least in each step."""
    rows = []
    rng = np.random.default_rng(1986)
    for lowest, alphas in ((0.0, (0.1, 3.0)), (-1.0, (0.1, 1.0, 2.0))):
        W = _random(12, lowest, 1986)
        for alpha in alphas:
            changes, bounds = [], []
            for _ in range(8):
                x = _states(build(W=W, alpha=alpha, initial=rng.uniform(-1.0, 1.0, size=12)), 60)
                changes.append(np.diff(_energy(x, W)))
                bounds.append(-(np.diff(x, axis=0) ** 2).sum(axis=1) * (1.0 / alpha + 0.5 * lowest))
            label = f"m = {lowest:g}, alpha = {alpha:g}"
            rows += [
                Comparison.at_most(0.0, np.concatenate(changes), 1e-13, f"{label}: changes of E"),
                Comparison.at_most(np.concatenate(bounds), np.concatenate(changes), 1e-13, f"{label}: their bound"),
            ]
    return rows


@claim("Beyond alpha = 2/|m| energy can rise, and the state can jump to and fro", source="derived; after Golden (1986)")
def energy_rises_beyond() -> list[Comparison]:
    """W has one eigenvalue -1, and the start lies along it: at 2.2/|m| it grows by the factor -1.2 up to a corner."""
    rows = []
    direction = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])
    W = -np.outer(direction, direction) / 6.0
    for alpha, rises in ((1.9, False), (2.2, True)):
        x = _states(build(W=W, alpha=alpha, initial=0.1 * direction), 60)
        amplitude = np.minimum(0.1 * np.abs(1.0 - alpha) ** np.arange(61), 1.0)
        expected = (amplitude * (-1.0) ** np.arange(61))[:, None] * direction
        order = "rising" if rises else "falling"
        rows += [
            Comparison(expected, x, 1e-12, f"alpha = {alpha:g}: states"),
            Comparison.monotone(order, _energy(x, W), 1e-13, f"alpha = {alpha:g}: energy"),
        ]
    return rows


@claim("Inside of the box every eigenvector grows by 1 + alpha * eigenvalue in each step", source="derived; Anderson")
def eigenvectors_grow() -> list[Comparison]:
    """The course of faint random states until the first cell saturates, with gamma = 1 and below."""
    rows = []
    for gamma in (1.0, 0.9):
        W = _random(10, -0.5, 1977)
        start = 0.01 * np.random.default_rng(1977).normal(size=10)
        x = _states(build(W=W, alpha=0.2, gamma=gamma, initial=start), 40)
        values, vectors = np.linalg.eigh(W)
        free = ((gamma + 0.2 * values) ** np.arange(41)[:, None] * (start @ vectors)) @ vectors.T
        inside = np.abs(free).max(axis=1) <= 1.0
        steps = int(np.argmin(inside)) if not inside.all() else len(inside)
        rows += [
            Comparison.at_least(8, steps, label=f"gamma = {gamma:g}: steps inside of the box"),
            Comparison(free[:steps], x[:steps], 1e-12, f"gamma = {gamma:g}: states until then"),
        ]
    return rows


@claim("A corner is a fixed point if and only if x_i (W x)_i >= 0 for every i", source="derived; after Golden (1986)")
def fixed_corners_are_known() -> list[Comparison]:
    """All 256 corners of eight cells, for feedback of stored patterns and for random feedback."""
    rows = []
    rng = np.random.default_rng(8)
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=8)))
    stored = rng.choice([-1.0, 1.0], size=(3, 8))
    for label, W in (("three random patterns", stored.T @ stored / 8.0), ("random W", _random(8, -0.3, 8))):
        expected = np.all(corners * (corners @ W) >= -1e-14, axis=1)
        stay = np.all(slope(build(W=W), corners) == corners, axis=1)  # in discrete time: the state one step later
        rows.append(Comparison.order(np.flatnonzero(expected), np.flatnonzero(stay), f"{label}: fixed corners"))
    return rows


@claim("Orthogonal patterns and their opposites are fixed points, and are completed", source="Anderson et al. (1977)")
def orthogonal_patterns_are_stored() -> list[Comparison]:
    """Four patterns of 32 cells, themselves and from faint versions in which every fifth cell is wrong."""
    stored = _walsh(32)[[3, 9, 20, 30]]
    both = np.concatenate([stored, -stored])
    wrong = np.where(np.arange(32) % 5 == 0, -1.0, 1.0)
    ends = np.array([final(build(patterns=stored, initial=0.1 * p * wrong)) for p in both])
    return [
        Comparison.exact(both, slope(build(patterns=stored), both), "the corners one step later"),
        Comparison(both, ends, 0.0, "where the faint versions end"),
    ]


@claim("If all W_ii > 0 the state ends in a corner that is a fixed point", source="derived; after Golden (1986)")
def states_end_in_corners() -> list[Comparison]:
    """Random W and starts: all activities are -1 or 1, with the sign of what is fed back."""
    ends, agree = [], []
    rng = np.random.default_rng(1993)
    for seed in range(10):
        W = _random(15, 0.0, seed)
        x = final(build(W=W, alpha=0.3, initial=rng.uniform(-0.5, 0.5, size=15)))
        ends.append(np.abs(x))
        agree.append(x * (W @ x))
    return [
        Comparison(np.ones((10, 15)), np.array(ends), 0.0, "sizes of all activities"),
        Comparison.at_least(0.0, np.array(agree), label="x_i (W x)_i"),
    ]


@claim("In continuous time it is a network (32), and V of (33) is alpha E at x = S(y)", source="Grossberg (1988)")
def continuous_form_is_cohen_grossberg() -> list[Comparison]:
    """V at random y inside and outside of the box; its course; and rest at fixed points of the discrete network."""
    rng = np.random.default_rng(1988)
    W, alpha = _random(9, 0.0, 1988), 0.4
    network = build(W=W, alpha=alpha, continuous=True)
    y = rng.uniform(-2.0, 2.0, size=(50, 9))
    V = liapunov(network).V(y)
    rows = [Comparison(alpha * _energy(np.clip(y, -1.0, 1.0), W), V, 1e-12, "V of 50 states, inside and outside")]
    rows += falls_along_runs(network, 0.3 * y[:4], "four runs", 12.0, rtol=1e-9, atol=1e-12)
    x = np.array([np.clip(final(build(W=W, alpha=alpha, initial=0.4 * s, continuous=True)), -1.0, 1.0) for s in y[:8]])
    after = np.clip(x + alpha * x @ W, -1.0, 1.0)
    return [*rows, Comparison(after, x, 1e-7, "S(y) at rest, and one step later in discrete time")]


@claim("A faint letter with wrong cells is completed", source="Anderson et al. (1977)")
def letters_are_completed() -> list[Comparison]:
    """The default run, in discrete and in continuous time."""
    rows = []
    letter = np.array([[1.0 if cell == "#" else -1.0 for cell in row] for row in _LETTERS[2]])
    for continuous in (False, True):
        network = build(continuous=continuous)
        shown = np.sign(np.asarray(build().layers[0].initial))  # type: ignore[attr-defined]
        ends = np.asarray(run(network).final("cells"))
        label = "continuous" if continuous else "discrete"
        rows.append(Comparison.count(letter, np.round(np.clip(ends, -1.0, 1.0), 6), f"{label} time: the letter T"))
        rows.append(Comparison.at_least(10, int((shown != letter).sum()), label=f"{label} time: wrong at the start"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    x, rows = p.initial, []
    for _ in times:
        rows.append(x)
        x = np.minimum(np.maximum(p.gamma * x + p.alpha * p.W @ x, -1.0), 1.0)
    return {"cells.x": np.array(rows)}


def _stored_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course with W = sum p p'/n, from a tenth of the first p if no other start is given."""
    W = sum(np.outer(stored, stored) for stored in p.patterns) / len(p.patterns[0])
    start = getattr(p, "initial", 0.1 * p.patterns[0])
    return _by_hand(SimpleNamespace(W=W, alpha=p.alpha, gamma=p.gamma, initial=start), times)


def _continuous_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    whole = p.gamma * np.eye(len(p.initial)) + p.alpha * p.W
    y = integrated(lambda t, y, when: -y + whole @ np.clip(y, -1.0, 1.0), whole @ p.initial, times)
    return {"cells.x": y}


@claim("Its equations, written out by hand", source="Anderson et al. (1977), iterated; in continuous time: SciPy")
def equations() -> list[Comparison]:
    """Three cells with a W and four with patterns, every parameter off its default."""
    parameters: dict[str, Any] = {
        "W": np.array([[0.3, 0.5, -0.2], [0.5, 0.1, 0.4], [-0.2, 0.4, 0.6]]),
        "alpha": 0.4,
        "gamma": 0.9,
        "initial": np.array([0.5, -0.3, 0.2]),
    }
    W = parameters["W"]
    other = {"W": W * (1.0 + 0.1 * np.abs(W))}
    apart = ("patterns", "continuous")
    times = np.arange(7.0)
    stored = {
        "patterns": np.array([[1.0, -1.0, 1.0, 1.0], [1.0, 1.0, -1.0, 1.0]]),
        "alpha": 0.35,
        "gamma": 0.8,
    }
    start = {"initial": np.array([0.3, -0.2, -0.1, 0.4])}
    another = {"patterns": np.array([[1.0, -1.0, -1.0, 1.0], [1.0, 1.0, -1.0, 1.0]])}
    return [
        *equations_by_hand(build, parameters, _by_hand, times, apart=apart, changed=other),
        *equations_by_hand(
            functools.partial(build, continuous=True),
            parameters,
            _continuous_by_hand,
            np.linspace(0.0, 6.0, 7),
            apart=apart,
            changed=other,
            tolerance=1e-6,
        ),
        *equations_by_hand(
            build, stored | start, _stored_by_hand, times, apart=("W", "continuous"), changed=another, tolerance=1e-12
        ),
        *equations_by_hand(
            build,
            stored,
            _stored_by_hand,
            times,
            apart=("W", "continuous", "initial"),
            changed=another,
            tolerance=1e-12,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("cells.x")
def recall_of_a_corner(run: Run) -> FigureDescription | None:
    """Show the state as an image on its way into a corner of the box, and the energy on the way."""
    view = run.view("cells")
    if len(view.shape) != 2 or run.network.step is None:
        return None
    x, times = run.values("cells"), run.times("cells")
    links = run.network.projections
    W = sum(
        (1.0 if link.kind == "excitatory" else -1.0) * link.topology.strengths(view.shape, view.shape) for link in links
    )
    still = np.flatnonzero(np.abs(x - x[-1]).max(axis=1) > 1e-9)
    arrived = int(still[-1]) + 1 if still.size else 0
    steps = np.unique(np.linspace(0, arrived, 4).round().astype(int))
    limit = float(np.abs(x).max())
    frames = tuple(
        Panel(
            f"step {times[k]:g}",
            (Picture(x[k].reshape(view.shape), "", "signed", (-limit, limit)),),
            "",
            "",
            width=0.5,
            legend="none",
        )
        for k in steps
    )
    feedback: list[Mark] = [Curve(times, -0.5 * np.einsum("ti,ij,tj->t", x, np.asarray(W), x), "-x'Wx/2")]
    energy = time_panel(run, "Energy: it falls until a corner is reached", feedback, y="-x'Wx/2", legend="none")
    title = f"A wrong pattern goes to the corner that is its memory, in {counted(arrived, 'step')}"
    return FigureDescription(title, run.below, (frames, (energy,)), (0.95, 0.75))
