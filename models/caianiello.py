"""Caianiello's neuronic equation: all-or-none cells that remember the signals of several steps.

    x_i(t + tau) = 1[ sum_j sum_{k < l} A_ij^(k) x_j(t - k tau) - B_i ],     1[w] = 1 if w >= 0, else 0      (2)

Each of the l delays is a projection with its own matrix. What the recursion needs to begin with is the state at l
steps: `initial` gives it for steps 0, 1, ..., by inputs that overrule the cells; before step 0 it was as at step 0.

Source: Caianiello (1961), Outline of a theory of thought-processes and thinking machines, J. Theor. Biol. 1, 204-235;
Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (2).

What is known:

- A cell with B larger than the sum of its positive A is at 0 after one step, whatever there was before.
- A cell that hears itself of l steps ago, A = (0, ..., 0, 1) and B = 1, repeats any word of l signals for ever.
- n cells with l delays have 2^(n l) states: every orbit becomes periodic before that many steps are over.
- Negative A^(k) of a cell to itself are refractory periods. On a ring of such cells excitation travels as waves, one
  cell in each step: waves in one direction go round for ever, waves that meet annihilate each other.
"""

from __future__ import annotations

import functools
import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, spread, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Raster, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.runs import run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Samples
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]

_ENOUGH = 24  # steps, or three turns of a wave around a larger ring


@takes_dotted_names
def build(
    n: int | None = None,
    A: ArrayLike | None = None,
    B: ArrayLike = 1.0,
    refractory: int = 2,
    initial: ArrayLike | None = None,
    tau: float = 1.0,
) -> Network:
    """Return a network of Caianiello's cells.

    By default a wave travels around a ring of 12 cells: a cell fires if one of its neighbours did, and if it did not
    fire itself in the last two steps.

    Parameters
    ----------
    n : int, >= 3
        Cells of the ring (1), if A is not given; 12 by default.
    A : array, shape (delays, target, source) or (delays,)
        Connections A^(0), A^(1), ... of a network of your own, or those of one cell to itself (1).
    B : float or array
        Thresholds (1).
    refractory : int, >= 1
        For how many steps a cell of the ring cannot fire again (1).
    initial : array, shape (cells,) or (steps, cells)
        States at steps 0, 1, ..., each 0 or 1 (1); by default a wave in the ring, 1 in a network of your own.
    tau : float, > 0
        Duration of a step (time).

    Returns
    -------
    Network
        One layer, "cells", and a projection "delay_k" for each A^(k) that is not 0.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or range, or the network is too large.
    """
    step = number(tau, "caianiello: tau", above=0.0)
    if A is None:
        matrices = _ring(n, refractory)
    elif n is not None:
        raise SpecError(f"caianiello: n = {n!r}: A says how many cells there are")
    else:
        matrices = _matrices(A)
    cells = matrices.shape[1]
    thresholds = spread(B, "caianiello: B", (cells,))
    if initial is None:
        first = np.arange(cells) == 0
        given = np.array([first, np.roll(first, 1)]) if A is None else np.ones((1, cells))
    else:
        given = _history(initial, cells)
    stimuli: tuple[Stimulus, ...] = ()
    if len(given) > 1:
        # The input of step t, which leads to t + 1, is larger than anything that the cells themselves can add up to.
        strength = 1.0 + np.abs(matrices).sum(axis=(0, 2)) + np.abs(thresholds)
        forced = np.append((2.0 * given[1:] - 1.0) * strength, np.zeros((1, cells)), axis=0)
        times = step * np.arange(len(given))
        stimuli = (Stimulus("cells", "excitatory", 1.0, Samples(times, forced, interpolation="previous")),)
    return Network(
        "caianiello",
        layers=(BinaryLayer("cells", cells, threshold=thresholds, levels="unipolar", initial=given[0], step=step),),
        projections=tuple(
            Projection("cells", "cells", "excitatory", Linear(), Dense(matrix), delay=k * step, name=f"delay_{k}")
            for k, matrix in enumerate(matrices)
            if matrix.any()
        ),
        stimuli=stimuli,
        duration=step * max(_ENOUGH, 3 * cells),
        reference="Caianiello (1961), J. Theor. Biol. 1, 204-235",
    )


def _ring(n: Any, refractory: Any) -> np.ndarray:
    """Return A of a ring: both neighbours excite a cell, and it inhibits itself for as long as it is refractory."""
    cells = 12 if n is None else whole(n, "caianiello: n", minimum=3)
    delays = whole(refractory, "caianiello: refractory", minimum=1)
    refuse_above(8 * delays * cells * cells, f"caianiello: n = {cells}, refractory = {delays}: matrices of connections")
    matrices = np.zeros((delays, cells, cells))
    matrices[:] = -3.0 * np.eye(cells)  # two neighbours do not suffice
    matrices[0] += np.roll(np.eye(cells), 1, axis=0) + np.roll(np.eye(cells), -1, axis=0)
    return matrices


def _matrices(A: ArrayLike) -> np.ndarray:
    """Return A as an array of shape (delays, cells, cells)."""
    given = array(A, "caianiello: A")
    if given.ndim == 1:
        return np.asarray(given[:, None, None])
    if given.ndim != 3 or given.shape[1] != given.shape[2]:
        raise SpecError(f"caianiello: A: has shape {given.shape}, must be (delays, target, source) or (delays,)")
    return given


def _history(initial: ArrayLike, cells: int) -> np.ndarray:
    """Return the given states as an array of shape (steps, cells)."""
    given = array(initial, "caianiello: initial")
    if cells == 1 and given.ndim == 1:
        given = given[:, None]
    given = np.atleast_2d(given)
    if given.ndim != 2 or given.shape[1] not in (1, cells):
        raise SpecError(f"caianiello: initial: has shape {np.shape(initial)}, must be ({cells},) or (steps, {cells})")
    if not np.isin(given, (0.0, 1.0)).all():
        raise SpecError("caianiello: initial: every state must be 0 or 1")
    return np.array(np.broadcast_to(given, (len(given), cells)))


# Claims --------------------------------------------------------------------------------------------------------

_SOURCE = "Caianiello (1961); review, (2)"


def _states(network: Network, steps: int) -> np.ndarray:
    """Return the states of all cells at steps 0, 1, ..., shape (steps + 1, cells)."""
    return np.asarray(run(network, float(steps))["cells.x"])


def _words(length: int) -> np.ndarray:
    """Return every word of zeros and ones, shape (length, 2^length): one for each cell of a network."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=length))).T


def _uncoupled(A: list[float], cells: int) -> np.ndarray:
    """Return the connections of `cells` cells that hear themselves only."""
    return np.multiply.outer(np.array(A), np.eye(cells))


@claim("One cell that hears itself two steps ago has orbits of period 2", source=_SOURCE)
def two_delays_have_period_two() -> list[Comparison]:
    """A^(0) = 0, A^(1) = 1, B = 1: from 01 and 10 the cell alternates, from 00 and 11 it stays."""
    rows = []
    for first, second in itertools.product((0, 1), repeat=2):
        found = _states(build(A=[0.0, 1.0], initial=[first, second]), 19)
        rows.append(Comparison.count(np.tile([first, second], 10), found[:, 0], f"from {first}{second}: twenty states"))
    return rows


@claim("A cell that hears itself l steps ago repeats any word of l signals", source=_SOURCE)
def words_are_repeated() -> list[Comparison]:
    """All words of one to five signals, each in a cell of its own."""
    rows = []
    for length in range(1, 6):
        words = _words(length)
        A = _uncoupled([0.0] * (length - 1) + [1.0], words.shape[1])
        found = _states(build(A=A, initial=words), 8 * length - 1)
        rows.append(Comparison.count(np.tile(words, (8, 1)), found, f"{words.shape[1]} words of {length} signals"))
    return rows


@claim("If B is larger than the sum of its positive A a cell is quiet after one step", source=_SOURCE)
def high_thresholds_are_quiet() -> list[Comparison]:
    """All states before, for three weights of either sign; B just above the largest possible sum, and equal to it."""
    rows = []
    words = _words(3)
    for A in ([0.5, 0.25, 0.5], [1.0, -2.0, 0.5], [-1.0, -0.5, -0.25]):
        largest = sum(a for a in A if a > 0)
        # After the three states that are given no cell fires any more.
        found = _states(build(A=_uncoupled(A, 8), B=largest + 0.125, initial=words), 30)
        rows.append(Comparison.count(np.zeros((28, 8)), found[3:], f"A = {A}: B above the sum"))
        best = np.array([float(a > 0) for a in A])[::-1]  # the state that gives the largest sum
        found = _states(build(A=A, B=largest, initial=best), 3)
        rows.append(Comparison.count(1, found[3, 0], f"A = {A}: B equal to the sum, next state"))
    return rows


@claim("Any connections: the states are those of (2), written out, and become periodic", source=_SOURCE)
def states_obey_equation_2() -> list[Comparison]:
    """Random whole numbers A and B, so that 1[0] = 1 matters, beside loops in plain Python."""
    rng = np.random.default_rng(1961)
    rows = []
    for n, l, steps in ((2, 2, 20), (3, 3, 40), (6, 4, 60)):
        A, B = rng.integers(-2, 3, size=(l, n, n)), rng.integers(-1, 2, size=n)
        first = rng.integers(0, 2, size=(l, n))
        states = first.tolist()
        for t in range(l - 1, steps):
            net = [
                sum(int(A[k, i, j]) * states[t - k][j] for k in range(l) for j in range(n)) - int(B[i])
                for i in range(n)
            ]
            states.append([int(w >= 0) for w in net])
        found = _states(build(A=A, B=B, initial=first), steps)
        rows.append(Comparison.count(states, found, f"{n} cells, {l} delays: states of {steps} steps"))
        if n * l <= 9:
            found = _states(build(A=A, B=B, initial=first), 2 ** (n * l) + l)
            seen: dict[bytes, int] = {}
            for t in range(l - 1, len(found)):
                if seen.setdefault(found[t - l + 1 : t + 1].tobytes(), t) != t:
                    break
            rows.append(Comparison.at_most(2 ** (n * l), t - l + 1, label=f"{n} cells, {l} delays: first repetition"))
    return rows


@claim("On a ring of refractory cells waves travel for ever, one cell in each step", source="derived from (2)")
def waves_go_round() -> list[Comparison]:
    """One wave, and several of which each follows the next at more than the refractory period."""
    rows = []
    for n, refractory, places in ((12, 2, (0,)), (13, 3, (0,)), (21, 2, (0, 3, 9, 13)), (20, 4, (0, 5, 11))):
        first = np.isin(np.arange(n), places).astype(float)
        past = np.array([np.roll(first, t) for t in range(refractory + 1)])
        found = _states(build(n=n, refractory=refractory, initial=past), 3 * n)
        expected = np.array([np.roll(first, t) for t in range(3 * n + 1)])
        label = f"{n} cells, refractory for {refractory}, {len(places)} wave{'s' if len(places) > 1 else ''}"
        rows.append(Comparison.count(expected, found, f"{label}: states"))
        again = [t for t in range(1, 3 * n + 1) if np.array_equal(found[t], first)]
        rows.append(Comparison.count(n, again[0], f"{label}: period"))
    return rows


@claim("Waves that meet annihilate each other", source="derived from (2)")
def waves_annihilate() -> list[Comparison]:
    """One cell of a quiet ring fires: two waves leave it, meet opposite of it, and are gone."""
    rows = []
    for n in (12, 15):
        place = np.minimum(np.arange(n), n - np.arange(n))  # distance along the ring
        expected = [place == t for t in range(2 * n + 1)]
        found = _states(build(n=n, initial=np.arange(n) == 0), 2 * n)
        rows.append(Comparison.count(np.array(expected, dtype=float), found, f"{n} cells: states"))
        last = int(np.flatnonzero(found.any(axis=1))[-1])
        rows.append(Comparison.count(n // 2, last, f"{n} cells: step of the last signal"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    states = list(p.initial)
    while len(states) * p.tau <= times[-1] + p.tau:
        now = len(states) - 1
        net = sum(matrix @ states[max(now - k, 0)] for k, matrix in enumerate(p.A))
        states.append((net - p.B >= 0.0).astype(float))
    return {"cells.x": np.array([states[round(t / p.tau)] for t in times])}


def _ring_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return who fires on a ring: a cell hears both neighbours, and its own last `refractory` states with weight -3."""
    states = [list(state) for state in p.initial]
    while len(states) * p.tau <= times[-1] + p.tau:
        last, past = states[-1], states[-p.refractory :]
        states.append([
            float(last[i - 1] + last[(i + 1) % p.n] - 3.0 * sum(state[i] for state in past) >= p.B) for i in range(p.n)
        ])  # fmt: skip
    return {"cells.x": np.array([states[round(t / p.tau)] for t in times])}


@claim("Its equation, written out by hand", source="(2), iterated")
def equations() -> list[Comparison]:
    """Four cells with a memory of three steps, and a ring of nine; given states to begin with."""
    rng = np.random.default_rng(6)
    parameters: dict[str, Any] = {
        "A": rng.integers(-3, 4, size=(3, 4, 4)).astype(float),
        "B": np.array([1.0, -1.0, 2.0, 0.0]),
        "initial": rng.integers(0, 2, size=(3, 4)).astype(float),
    }
    other = {
        "A": parameters["A"][::-1],
        "B": 2.0 - parameters["B"],
        "initial": 1.0 - parameters["initial"],
    }
    # From here waves go on, and other ones if cells were refractory for two or four steps, or less strictly.
    first = (np.random.default_rng(20).random((4, 9)) < 0.4).astype(float)
    ring: dict[str, Any] = {"n": 9, "refractory": 3, "B": 0.5, "initial": first}
    rows = []
    for given, course, apart, changed in (
        (parameters, _by_hand, ("n", "refractory"), other),
        (ring, _ring_by_hand, ("A",), {"n": {"n": 8, "initial": first[:, :8]}, "B": 1.5, "initial": first[::-1]}),
    ):
        rows += equations_by_hand(
            functools.partial(build, tau=0.5),
            given,
            lambda p, times, course=course: course(SimpleNamespace(tau=0.5, **vars(p)), times),
            0.5 * np.arange(16.0),
            apart=("tau", *apart),
            changed=changed,
            tolerance=1e-12,
        )
    return rows


# Figure -------------------------------------------------------------------------------------------------------


def _wave(run: Run) -> list[Mark]:
    """Return where waves on a ring of refractory cells are, one cell further in each step; nothing elsewhere."""
    (layer,), delays = run.network.layers, run.network.projections
    found = run.values("cells") > 0.5
    step = float(np.max(layer.step))
    times = run.times("cells") / step
    ring = _ring(layer.cells, len(delays)) if layer.cells >= 3 and delays else np.empty(0)
    matrices = [link.topology.matrix for link in delays]  # type: ignore[attr-defined]
    if not np.array_equal(matrices, ring) or not np.array_equal(times, np.arange(len(times))) or run.start:
        return []
    # The given past must be that of waves in one direction, which then never meet.
    past = found[: len(delays)]
    places = np.flatnonzero(past[0])
    apart = np.diff(places, append=places[:1] + layer.cells)
    travels = all(np.array_equal(row, np.roll(past[0], k)) for k, row in enumerate(past))
    if len(past) < 2 or not travels or (apart <= len(delays)).any():
        return []
    when, which = np.meshgrid(times, places, indexing="ij")
    return [Curve((step * when).ravel(), ((which + when) % layer.cells).ravel(), "theory", "predicted", 1, marker="o")]


@figure("cells.x")
def waves(run: Run) -> FigureDescription | None:
    """Show who fires in each step, and where a wave is by theory."""
    view = run.view("cells")
    if view.cells > 400 or len(view.shape) > 1:
        return None
    when, which = np.nonzero(run.values("cells") > 0.5)
    ticks = tuple((float(k), str(k)) for k in range(view.cells)) if view.cells <= 16 else None
    wave = _wave(run)
    panel = Panel(
        "Who fires",
        (Raster(run.times("cells")[when], which, "simulated" if wave else ""), *wave),
        "step",
        "cell on the ring",
        width=1.6,
        y_limits=(-0.7, view.cells + (0.8 if wave else -0.3)),  # room for the names over the ticks
        x_limits=(-0.7, run.end + 0.7),
        y_ticks=ticks,
        legend="top",
    )
    return FigureDescription("Excitation travels: one cell in each step", run.below, ((panel,),), (1.3,))
