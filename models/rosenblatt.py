"""Rosenblatt's back-coupled cells: activity that decays in continuous time, and signals that are all or none.

    dx_i/dt = -A x_i + sum_j phi(B_j + x_j) C_ij,        phi(w) = 1 if w >= theta, else 0                       (3)

The layer holds what phi reads, the level w_i = B_i + x_i:  dw_i/dt = -A (w_i - B_i) + sum_j phi(w_j) C_ij.

Source: Rosenblatt (1962), Principles of Neurodynamics; Grossberg (2013), Recurrent neural networks, Scholarpedia
8(2):1888, equation (3).

What is known: between two switches of a signal every level relaxes exponentially to B_i + sum_j phi(w_j) C_ij/A.

- Where only one cell crosses its threshold at a time, the switches follow each other at times in closed form.
- A pattern s of signals is stored if s_i = phi(B_i + sum_j C_ij s_j/A) for every i; it is then stable. With C >= 0 the
  network always ends in such a pattern.
- A chain of cells, each of which excites the next one with c > A theta, carries a signal that needs the time
  ln(c/(c - A theta))/A for each cell.
- A ring of n cells, n odd and >= 3, each of which inhibits the next one, oscillates. If B lies as far above theta as
  B - c/A lies below it, the period is -(2n/A) ln g with 2 g = 1 + g^n, 0 < g < 1, and the deviation of the level from
  theta reaches 1/g - 1 of the largest possible. For n = 3, g is the golden section (sqrt 5 - 1)/2.
- A cell that inhibits itself across its own threshold would have to switch infinitely often: (3) has no solution, and
  such connections are refused. Two cells of which one excites and one inhibits the other approach such a state.

Runs end their steps where signals jump, since error estimates see little of a jump within a step
(docs/howto/signal.md).
"""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Raster, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.patterns import activities
from brnn.models.parts.runs import final, run
from brnn.signals import Step
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    A: float = 1.0,
    B: ArrayLike | None = None,
    C: ArrayLike | None = None,
    theta: float = 0.5,
    initial: ArrayLike | None = None,
) -> Network:
    """Return a network of Rosenblatt's cells.

    By default three cells that inhibit each other in a ring oscillate, one after the other.

    Parameters
    ----------
    n : int, >= 2
        Cells of the ring (1), if C is not given; 3 by default.
    A : float, > 0
        Passive decay rate (1/time).
    B : float or array
        Input of each cell (1); by default 1 in the ring, 0 in a network of your own.
    C : matrix [target, source]
        Connections of a network of your own (1/time); in the ring -A from each cell to the next one.
    theta : float
        Threshold of the signals (1).
    initial : float or array
        Activities x at time 0 (1); by default different ones in the ring, 0 in a network of your own.

    Returns
    -------
    Network
        One layer, "cells", which holds w = B + x.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, if a cell inhibits itself across its threshold, or if the network
        is too large.
    """
    decay = number(A, "rosenblatt: A", above=0.0)
    if C is None:
        cells = 3 if n is None else whole(n, "rosenblatt: n", minimum=2)
        refuse_above(16 * cells * cells, f"rosenblatt: n = {cells}: a matrix of connections")
        matrix: np.ndarray = -decay * np.roll(np.eye(cells), 1, axis=0)
        default: tuple[Any, Any] = 1.0, -0.9 * (np.arange(cells) + 0.5) / cells
    elif n is not None:
        raise SpecError(f"rosenblatt: n = {n!r}: C says how many cells there are")
    else:
        matrix = array(C, "rosenblatt: C", ndim=2)
        if matrix.shape[0] != matrix.shape[1]:
            raise SpecError(f"rosenblatt: C: has shape {matrix.shape}, must be square (target, source)")
        cells, default = len(matrix), (0.0, 0.0)
    inputs = np.broadcast_to(activities(default[0] if B is None else B, "rosenblatt: B", (cells,)), cells)
    start = activities(default[1] if initial is None else initial, "rosenblatt: initial", (cells,))
    threshold = number(theta, "rosenblatt: theta")
    _refuse_chatter(matrix / decay, inputs, threshold)
    return Network(
        "rosenblatt",
        layers=(Layer.additive("cells", cells, A=decay, initial=inputs + start),),
        projections=(Projection("cells", "cells", "excitatory", Step(1.0, threshold), Dense(matrix)),),
        stimuli=(Stimulus("cells", "excitatory", decay * inputs),),
        duration=20.0 / decay,
        reference="Rosenblatt (1962), Principles of Neurodynamics",
    )


def _refuse_chatter(strengths: np.ndarray, inputs: np.ndarray, theta: float) -> None:
    """Refuse a cell whose level could be driven up to its threshold without its own signal, and down by it."""
    own = np.minimum(np.diag(strengths), 0.0)
    others = strengths * (1.0 - np.eye(len(strengths)))
    highest = inputs + np.maximum(others, 0.0).sum(axis=1)
    lowest = inputs + np.minimum(others, 0.0).sum(axis=1)
    bad = np.flatnonzero((own < 0.0) & (highest >= theta) & (lowest + own < theta))
    if bad.size:
        i = int(bad[0])
        raise SpecError(
            f"rosenblatt: C: cell {i} inhibits itself (element ({i}, {i}) is negative) and its level can be at its "
            f"threshold {theta:g}, where its signal would switch infinitely often: (3) has no solution there"
        )


# Claims --------------------------------------------------------------------------------------------------------

_SOURCE = "derived from (3)"


def _levels(network: Network, times: np.ndarray, **options: Any) -> np.ndarray:
    """Return w at the given times, shape (times, cells)."""
    return np.asarray(run(network, float(times[-1]), times=times, **options)["cells.x"])


def _switching(A: float, B: np.ndarray, C: np.ndarray, theta: float, w: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return w at the given times, going from switch to switch by the exponentials between them."""
    result = np.empty((times.size, w.size))
    start, signals = 0.0, w >= theta
    while True:
        goal = B + C @ signals / A
        # A level that moves to the other side of the threshold crosses it when its distance to the goal has shrunk.
        crosses = (goal >= theta) != signals
        with np.errstate(divide="ignore", invalid="ignore"):
            waits = np.where(crosses, np.log((w - goal) / (theta - goal)) / A, np.inf)
        k = int(np.argmin(waits))
        shown = (times >= start) & (times <= start + waits[k])
        result[shown] = goal + (w - goal) * np.exp(-A * (times[shown, None] - start))
        if start + waits[k] >= times[-1]:
            return result
        w = goal + (w - goal) * math.exp(-A * waits[k])
        w[k], start = theta, start + waits[k]
        signals[k] = ~signals[k]


@claim("Between switches every level is exponential, and the switches come when they must", source=_SOURCE)
def levels_are_exponential() -> list[Comparison]:
    """Random networks without self-inhibition, beside the exact course from switch to switch."""
    rows = []
    times = np.linspace(0.0, 12.0, 241)
    for seed, n, A in ((3, 4, 1.0), (62, 6, 0.7), (7, 8, 1.3)):
        rng = np.random.default_rng(seed)
        C = rng.normal(size=(n, n)) * (1.0 - np.eye(n)) + np.diag(rng.uniform(0.0, 1.0, size=n))
        B, x = rng.normal(size=n), rng.normal(size=n)
        expected = _switching(A, B, C, 0.3, B + x, times)
        found = _levels(build(A=A, B=B, C=C, theta=0.3, initial=x), times)
        switches = int((np.diff(expected >= 0.3, axis=0) != 0).sum())
        rows.append(Comparison(expected, found, 1e-6, f"{n} cells, {switches} switches: levels over time"))
    return rows


@claim("A chain carries a signal with the delay ln(c/(c - A theta))/A for each cell", source=_SOURCE)
def chains_carry_signals() -> list[Comparison]:
    """The first cell is kept on; each of the others begins to rise when the one before it reaches its threshold."""
    rows = []
    n, theta = 6, 0.4
    for A, c in ((1.0, 0.8), (0.5, 1.5)):
        delay = math.log(c / (c - A * theta)) / A
        times = np.linspace(0.0, 8.0, 161)
        C, B = c * np.diag(np.ones(n - 1), -1), np.where(np.arange(n) == 0, 1.0, 0.0)
        since = np.maximum(times[:, None] - delay * np.arange(-1.0, n - 1), 0.0)
        expected = np.where(np.arange(n) == 0, 1.0, c / A * (1.0 - np.exp(-A * since)))
        found = _levels(build(A=A, B=B, C=C, theta=theta), times)
        rows.append(Comparison(expected, found, 1e-6, f"A = {A:g}, c = {c:g}, delay {delay:.4f}: levels over time"))
    return rows


@claim("The patterns that are stored are those with s_i = phi(B_i + sum_j C_ij s_j/A)", source=_SOURCE)
def patterns_are_stored() -> list[Comparison]:
    """Six cells that excite each other: all 64 patterns are tried; each stored one stays, and no other is reached."""
    n, A, theta = 6, 0.8, 0.5
    rng = np.random.default_rng(5)
    C, B = rng.uniform(0.0, 1.0, size=(n, n)) * (rng.random((n, n)) < 0.4) + 0.2 * np.eye(n), rng.normal(0.0, 0.3, n)
    every = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
    levels = B + every @ C.T / A
    stored = np.all((levels >= theta) == every, axis=1)
    kept = np.array([final(build(A=A, B=B, C=C, theta=theta, initial=0.97 * w - B)) for w in levels[stored]])
    rows = [
        Comparison.at_least(3, int(stored.sum()), label="how many of 64 patterns are stored"),
        Comparison(levels[stored], kept, 1e-6, "levels at rest, from 3 % below each stored pattern"),
    ]
    ends = np.array([final(build(A=A, B=B, C=C, theta=theta, initial=rng.normal(size=n))) for _ in range(12)])
    nearest = np.abs(ends[:, None, :] - levels[stored]).max(axis=2).min(axis=1)
    return [*rows, Comparison(np.zeros(12), nearest, 1e-6, "12 random starts: distance to a stored pattern")]


@claim("A ring of an odd number of inhibitory cells oscillates with the period -(2n/A) ln g", source=_SOURCE)
def rings_oscillate() -> list[Comparison]:
    """2 g = 1 + g^n; for three cells g is the golden section, and the period is 6 ln((1 + sqrt 5)/2)/A."""
    from scipy.optimize import brentq

    rows = []
    for n, A in ((3, 1.0), (3, 2.5), (5, 1.0)):
        g = (math.sqrt(5.0) - 1.0) / 2.0 if n == 3 else brentq(lambda g, n=n: 2.0 * g - 1.0 - g**n, 0.0, 0.9)
        period = -2.0 * n * math.log(g) / A
        first, steps = 25.0 * period, 4000
        times = np.append(0.0, first + period * np.linspace(0.0, 3.0, 3 * steps + 1))
        w = _levels(build(n=n, A=A), times)[1:, 0] - 0.5
        up = np.flatnonzero((w[:-1] < 0.0) & (w[1:] >= 0.0))
        crossings = times[1:][up] - w[up] / (w[up + 1] - w[up]) * period / steps
        rows += [
            Comparison(period, float(crossings[1] - crossings[0]), 1e-6, f"{n} cells, A = {A:g}: period"),
            Comparison(w[: -steps // 2], -w[steps // 2 :], 1e-6, f"{n} cells, A = {A:g}: half a period later"),
            Comparison(0.5 * (1.0 / g - 1.0), float(w.max()), 1e-3, f"{n} cells, A = {A:g}: largest deviation"),
        ]
    return rows


@claim("A cell that excites itself with c > A theta is a switch", source=_SOURCE)
def one_cell_is_a_switch() -> list[Comparison]:
    """From just above the threshold its level goes to c/A, from just below it to 0."""
    A, c, theta = 2.0, 1.5, 0.5
    ends = [float(final(build(A=A, C=[[c]], theta=theta, initial=theta * s))[0]) for s in (1.0 - 1e-9, 1.0, 2.0)]
    return [Comparison([0.0, c / A, c / A], ends, 1e-8, "levels at rest, from below, at and above theta")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Solve (3) exactly: between two switches every level relaxes exponentially."""
    t, w, rows = 0.0, p.B + p.initial, []
    for until in times:
        while True:
            goal = p.B + (p.C @ (w >= p.theta)) / p.A
            with np.errstate(divide="ignore", invalid="ignore"):
                wait = np.log((goal - w) / (goal - p.theta)) / p.A
            wait = np.where((wait > 1e-12) & ((w >= p.theta) != (goal >= p.theta)), wait, np.inf)
            if t + wait.min() > until:
                break
            first = int(wait.argmin())
            w = goal + (w - goal) * np.exp(-p.A * wait.min())
            w[first] = np.nextafter(p.theta, goal[first])
            t += float(wait.min())
        w = goal + (w - goal) * np.exp(-p.A * (until - t))
        t = float(until)
        rows.append(w.copy())
    return {"cells.x": np.array(rows)}


def _ring_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course of a ring: each cell inhibits the next one and has the input 1."""
    C = np.zeros((p.n, p.n))
    for i in range(p.n):
        C[i, i - 1] = -p.A
    start = np.array([-0.9 * (i + 0.5) / p.n for i in range(p.n)])
    return _by_hand(SimpleNamespace(A=p.A, B=np.ones(p.n), C=C, theta=p.theta, initial=start), times)


@claim("Its equations, written out by hand", source="(3), solved from switch to switch")
def equations() -> list[Comparison]:
    """Three cells with connections of both signs, and a ring of five; no parameter is the default; several switches."""
    parameters = {
        "A": 1.3,
        "B": np.array([0.9, 0.5, 0.7]),
        "C": np.array([[0.0, -1.1, 0.2], [0.4, 0.0, -0.8], [-0.9, 0.3, 0.0]]),
        "theta": 0.4,
        "initial": np.array([-0.3, 0.2, 0.1]),
    }
    times = np.linspace(0.0, 4.0, 9)
    return [
        *equations_by_hand(build, parameters, _by_hand, times, tolerance=1e-6),
        *equations_by_hand(
            build, {"n": 5, "A": 1.6, "theta": 0.3}, _ring_by_hand, times, apart=("B", "C", "initial"), tolerance=1e-6
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("cells.x")
def switches(run: Run) -> FigureDescription | None:
    """Show the levels of the cells with the threshold, and when each sends."""
    view = run.view("cells")
    if view.cells > 6:
        return None
    times, w = run.times("cells"), run.values("cells")
    threshold = float(run.network.projections[0].signal.threshold)  # type: ignore[attr-defined]
    marks: list[Mark] = [Curve(times, w[:, k], f"cell {k}", color=k) for k in range(view.cells)]
    marks.append(Level(threshold, "threshold"))
    when, which = np.nonzero(w >= threshold)
    sends = Raster(times[when], which)
    ticks = tuple((float(k), str(k)) for k in range(view.cells))
    limits = (-0.7, view.cells - 0.3)
    rows = (
        (time_panel(run, "Levels: they relax between two switches", marks, y="level B + x"),),
        (time_panel(run, "Who sends", [sends], y="cell", y_limits=limits, y_ticks=ticks, legend="none"),),
    )
    title = "Signals are all or none, levels are graded"
    return FigureDescription(title, run.below, rows, (1.2, 0.6))
