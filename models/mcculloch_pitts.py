"""Threshold logic of McCulloch and Pitts: cells that are true, false or undecided, once in each step of time.

    x_i(t + 1) = sgn(sum_j A_ij x_j(t) + I_i(t) - B_i),      sgn in {-1, 0, 1}                           (1)

True is 1 and false is -1. The input I, which (1) does not have, sets the cells that stand for statements about the
world; everything else follows from the connections A and the thresholds B.

Source: McCulloch and Pitts (1943), A logical calculus of the ideas immanent in nervous activity, Bull. Math. Biophys.
5, 115-133; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (1).

What is known:

- AND of n statements is A = 1, B = n - 1; OR is A = 1, B = 1 - n; NOT is A = -1, B = 0. Each takes one step.
- Every logical function is that of a network of two layers: a cell for each line of the truth table (AND), and one
  cell over those lines that are true (OR).
- A network without loops forgets; with a loop it can remember for ever: two cells that exclude each other are a latch.
- A ring of n cells repeats any pattern with a period that divides n.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, spread, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.patterns import activities
from brnn.models.parts.runs import run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]

_KINDS = ("and", "or", "not", "latch", "ring")
_MOST_STATEMENTS = 12  # of a gate that is shown its whole truth table, of 2^n lines
_ENOUGH = 24  # steps of a network without inputs


@takes_dotted_names
def build(
    kind: Literal["and", "or", "not", "latch", "ring"] = "latch",
    n: int | None = None,
    A: ArrayLike | None = None,
    B: ArrayLike | None = None,
    pattern: ArrayLike | None = None,
    hold: int = 4,
    initial: ArrayLike | None = None,
) -> Network:
    """Return a network of threshold logic.

    By default it is a latch, which is set, left alone, reset, and left alone. A gate is shown its whole truth table.

    Parameters
    ----------
    kind : {"and", "or", "not", "latch", "ring"}
        The connections, if A is not given. Cells of a gate: its statements, then the gate. Cells of the latch: set,
        reset, the memory, its opposite. A cell of the ring repeats what the one before it was.
    n : int, >= 1
        Statements of "and" and "or" (1), 2 by default, or cells of the ring, 3 by default.
    A : matrix [target, source]
        Connections of a network of your own (1).
    B : float or array
        Thresholds (1); by default those of the kind, or 0.
    pattern : float or array, shape (cells,) or (items, cells)
        Input I (1), of any sign; several items are shown one after the other.
    hold : int, >= 1
        How many steps each item is shown (1).
    initial : float or array
        States at step 0, each -1, 0 or 1 (1); by default 0, in the ring one true cell among false ones.

    Returns
    -------
    Network
        One layer, "cells"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or range, or the network is too large.
    """
    where = "mcculloch_pitts"
    thresholds: float | np.ndarray
    start: float | np.ndarray
    if A is None:
        matrix, thresholds, items, start = _kind(choice(kind, f"{where}: kind", _KINDS), n)
    elif n is not None:
        raise SpecError(f"{where}: n = {n!r}: A says how many cells there are")
    else:
        matrix, thresholds, items, start = array(A, f"{where}: A", ndim=2), 0.0, None, 0.0
        if matrix.shape[0] != matrix.shape[1]:
            raise SpecError(f"{where}: A: has shape {matrix.shape}, must be square (target, source)")
    cells = (len(matrix),)
    if B is not None:
        thresholds = spread(B, f"{where}: B", cells)
    if initial is not None:
        start = activities(initial, f"{where}: initial", cells)
        if not np.isin(start, (-1.0, 0.0, 1.0)).all():
            raise SpecError(f"{where}: initial: every state must be -1, 0 or 1")
    if pattern is not None:
        items = _items(pattern, cells)
    steps = whole(hold, f"{where}: hold", minimum=1)
    return Network(
        where,
        layers=(BinaryLayer("cells", cells, threshold=thresholds, levels="bipolar", initial=start),),
        projections=(Projection("cells", "cells", "excitatory", Linear(), Dense(matrix)),),
        stimuli=() if items is None else (Stimulus("cells", "excitatory", 1.0, Sequence(items, float(steps))),),
        duration=float(_ENOUGH if items is None else len(items) * steps),
        reference="McCulloch and Pitts (1943), Bull. Math. Biophys. 5, 115-133",
    )


def _kind(kind: str, n: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, Any]:
    """Return A, B, the inputs that are shown one after the other, and the states at step 0."""
    if n is not None and kind in ("not", "latch"):
        raise SpecError(f"mcculloch_pitts: n = {n!r}: the number of cells of '{kind}' is fixed")
    if kind == "ring":
        size = 3 if n is None else whole(n, "mcculloch_pitts: n", minimum=1)
        refuse_above(8 * size * size, f"mcculloch_pitts: n = {size}: a matrix of connections")
        return np.roll(np.eye(size), 1, axis=0), np.zeros(size), None, np.where(np.arange(size) == 0, 1.0, -1.0)
    if kind == "latch":  # NOR cells: x = true if neither the command nor the other cell is true
        A = np.zeros((4, 4))
        A[2, [1, 3]] = A[3, [0, 2]] = -1.0
        commands = np.array([[1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        return A, np.array([0.0, 0.0, 1.0, 1.0]), np.pad(commands, ((0, 0), (0, 2))), 0.0
    size = 1 if kind == "not" else 2 if n is None else whole(n, "mcculloch_pitts: n", minimum=1)
    if size > _MOST_STATEMENTS:
        raise SpecError(f"mcculloch_pitts: n = {size}: a gate has at most {_MOST_STATEMENTS} statements here")
    A, B = np.zeros((size + 1, size + 1)), np.zeros(size + 1)
    A[-1, :-1] = -1.0 if kind == "not" else 1.0
    B[-1] = {"and": size - 1.0, "or": 1.0 - size, "not": 0.0}[kind]
    return A, B, np.pad(_table(size), ((0, 0), (0, 1))), 0.0


def _items(pattern: ArrayLike, cells: tuple[int, ...]) -> np.ndarray:
    """Return inputs as an array of shape (items, cells)."""
    given = array(pattern, "mcculloch_pitts: pattern")
    if given.ndim > 2 or given.shape[-1:] not in ((), cells):
        raise SpecError(
            f"mcculloch_pitts: pattern: has shape {given.shape}, must have shape {cells} or (items, {cells[0]})"
        )
    return np.array(np.broadcast_to(given, (len(given) if given.ndim == 2 else 1, *cells)))


def _table(n: int) -> np.ndarray:
    """Return every combination of n truth values, shape (2^n, n)."""
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


# Claims --------------------------------------------------------------------------------------------------------

_SOURCE = "McCulloch and Pitts (1943); review, (1)"


def _states(network: Network, duration: float | None = None, **options: Any) -> np.ndarray:
    """Return the states of all cells at steps 0, 1, ..., shape (steps + 1, cells)."""
    return np.asarray(run(network, duration, **options)["cells.x"])


def _answers(network: Network, items: int, hold: int) -> np.ndarray:
    """Return the states at the end of each item."""
    return _states(network)[hold * np.arange(1, items + 1)]


@claim("AND, OR and NOT: one cell each has the truth table", source=_SOURCE)
def gates_have_their_truth_tables() -> list[Comparison]:
    """Every combination of up to four statements, beside Python's own logic."""
    rows = []
    for n in (2, 4):
        table = list(itertools.product((False, True), repeat=n))
        for label, network, logic in (("AND", build("and", n, hold=2), all), ("OR", build("or", n, hold=2), any)):
            truth = [logic(line) for line in table]
            found = _answers(network, len(table), 2)[:, -1]
            rows.append(Comparison.count(np.where(truth, 1, -1), found, f"{label} of {n}"))
    return [*rows, Comparison.count([1, -1], _answers(build("not", hold=2), 2, 2)[:, -1], "NOT of false and of true")]


@claim("Every logical function is that of a network of two layers", source=_SOURCE)
def every_function_is_a_network() -> list[Comparison]:
    """All 256 functions of three statements at once: a cell for each line of the table, and one for each function."""
    lines = _table(3)
    truth = np.array(list(itertools.product((False, True), repeat=8)))  # of each function in each line
    A = np.zeros((3 + 8 + 256, 3 + 8 + 256))
    A[3:11, :3] = lines  # a cell that is true in its own line only: AND with the signs of the line
    A[11:, 3:11] = truth
    # Of k lines at most one is true, so that their sum is 2 - k or -k.
    B = np.concatenate([np.zeros(3), np.full(8, 2.0), 1.0 - truth.sum(axis=1)])
    shown = np.pad(lines, ((0, 0), (0, 8 + 256)))
    found = _answers(build(A=A, B=B, pattern=shown, hold=3, initial=-1.0), 8, 3)[:, 11:]
    return [Comparison.count(np.where(truth, 1, -1).T, found, "256 functions of three statements")]


@claim("Two cells that exclude each other are a latch: they remember the last command", source=_SOURCE)
def latch_remembers() -> list[Comparison]:
    """Forty random commands set, reset and neither, beside a variable that is set and reset."""
    rng = np.random.default_rng(1943)
    commands = np.concatenate([[0], rng.integers(0, 3, size=40)])
    memory, expected = False, []
    for command in commands:
        memory = {0: True, 1: False, 2: memory}[int(command)]
        expected.append(memory)
    signals = np.array([[1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])[commands]
    found = _answers(build(pattern=np.pad(signals, ((0, 0), (0, 2)))), commands.size, 4)
    waits = np.asarray(
        run(build(pattern=np.array([[1, -1, 0, 0], [-1, -1, 0, 0]]), hold=500), times=[999.0])["cells.x"]
    )
    return [
        Comparison.count(np.where(expected, 1, -1), found[:, 2], "the memory after each command"),
        Comparison.count(np.where(expected, -1, 1), found[:, 3], "its opposite"),
        Comparison.count([1, -1], waits[0, 2:], "set, and left alone for 500 steps"),
    ]


@claim("A ring of n cells has period n: every pattern goes round", source=_SOURCE)
def ring_goes_round() -> list[Comparison]:
    """Three cells with one true cell have period 3; a random pattern on seven cells is shifted by one in each step."""
    rows = []
    rng = np.random.default_rng(3)
    for n, initial in ((3, None), (7, rng.choice([-1.0, 0.0, 1.0], size=7))):
        found = _states(build(kind="ring", n=n, initial=initial))
        first = np.array([1.0, -1.0, -1.0]) if initial is None else initial
        rows.append(
            Comparison.count(np.array([np.roll(first, t) for t in range(len(found))]), found, f"{n} cells: states")
        )
        repeats = [t for t in range(1, len(found)) if np.array_equal(found[t], found[0])]
        rows.append(Comparison.count(n, repeats[0], f"{n} cells: period"))
    return rows


@claim("Any connections: the states are those of (1), written out", source="review, (1)")
def states_obey_equation_1() -> list[Comparison]:
    """Random whole numbers A, B and I, so that sgn(0) = 0 occurs, beside loops in plain Python."""
    rng = np.random.default_rng(1)
    found, expected = [], []
    for n in (2, 5, 9):
        A, B = rng.integers(-2, 3, size=(n, n)), rng.integers(-1, 2, size=n)
        I, x = rng.integers(-1, 2, size=(10, n)), rng.integers(-1, 2, size=n)
        found.append(_states(build(A=A, B=B, pattern=I, hold=2, initial=x), 20.0).ravel())
        states = [x.tolist()]
        for t in range(20):
            old = states[-1]
            net = [sum(int(A[i, j]) * old[j] for j in range(n)) + int(I[t // 2, i]) - int(B[i]) for i in range(n)]
            states.append([(w > 0) - (w < 0) for w in net])
        expected.append(np.ravel(states))
    undecided = int(sum((states == 0).sum() for states in expected))
    return [
        Comparison.count(np.concatenate(expected), np.concatenate(found), "states of three networks over 20 steps"),
        Comparison.at_least(10, undecided, label="how many of them are 0"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    x, rows = p.initial, []
    for k in range(len(times)):
        rows.append(x)
        shown = p.pattern[min(k // p.hold, len(p.pattern) - 1)]
        x = np.sign(p.A @ x + shown - p.B)
    return {"cells.x": np.array(rows)}


def _kind_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the cells of a kind are, a gate with each line of its truth table for some steps."""
    hold, rows = getattr(p, "hold", 4), []
    lines = list(itertools.product((-1.0, 1.0), repeat=p.n))
    for k in range(len(times)):
        if p.kind == "ring":
            rows.append([1.0 if i == k % p.n else -1.0 for i in range(p.n)])
        elif k == 0:
            rows.append([0.0] * (p.n + 1))
        else:  # the gate sees what its statements were a step ago; at first they are neither, and sum to 0
            line, before = lines[min((k - 1) // hold, len(lines) - 1)], rows[-1][: p.n]
            true = max(before) > 0.0 if p.kind == "or" else min(before) > 0.0
            if k == 1:
                true = p.kind == "or"
            rows.append([*line, 1.0 if true else -1.0])
    return {"cells.x": np.array(rows)}


@claim("Its equation, written out by hand", source="(1), iterated")
def equations() -> list[Comparison]:
    """Four cells with other connections, thresholds and inputs than those of any kind."""
    parameters: dict[str, Any] = {
        "A": np.array([[0.0, 1.0, -2.0, 1.0], [1.0, 0.0, 1.0, -1.0], [2.0, -1.0, 0.0, 1.0], [-1.0, 1.0, 1.0, 0.0]]),
        "B": np.array([1.0, -1.0, 0.0, 2.0]),
        "pattern": np.array([[1.0, 0.0, -1.0, 0.0], [0.0, 2.0, 0.0, 1.0], [-1.0, 0.0, 0.0, 3.0]]),
        "hold": 3,
        "initial": np.array([1.0, -1.0, 0.0, 1.0]),
    }
    other = {
        "A": parameters["A"].T,
        "B": 2.0 - parameters["B"],
        "pattern": parameters["pattern"][::-1],
        "initial": np.array([-1.0, -1.0, 0.0, 1.0]),
    }
    rows = equations_by_hand(
        build, parameters, _by_hand, np.arange(10.0), apart=("kind", "n"), changed=other, tolerance=1e-12
    )
    kinds: tuple[tuple[dict[str, Any], str], ...] = (
        ({"kind": "or", "n": 3, "hold": 2}, "and"),
        ({"kind": "and", "n": 4, "hold": 1}, "or"),
        ({"kind": "ring", "n": 5}, "and"),
    )
    for given, another in kinds:
        rows += equations_by_hand(
            build,
            given,
            _kind_by_hand,
            np.arange(17.0),
            apart=sorted({"A", "B", "pattern", "initial", "hold"} - set(given)),
            changed={"kind": another},
            tolerance=1e-12,
        )
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("cells.x")
def truth(run: Run) -> FigureDescription | None:
    """Show in each step who is true, false or undecided."""
    view = run.view("cells")
    if view.cells > 200:
        return None
    times, x = run.times("cells"), run.values("cells")
    steps = np.append(times, times[-1] + 1.0) - 0.5
    rows = np.arange(view.cells + 1) - 0.5
    picture = Picture(x.T, "false -1 ... true 1", "signed", (-1.0, 1.0), steps, rows)
    ticks = tuple((float(k), str(k)) for k in range(view.cells)) if view.cells <= 12 else None
    marks: list[Mark] = [picture]
    below = run.below
    if len(times) > 1 and len(times) * view.cells <= 400:
        # sgn of what arrives at each state that was reached, a step later
        by_equation = _decided(run, times[:-1], x[:-1])
        step, cell = np.nonzero(by_equation > 0)
        marks.append(Curve(times[1:][step], cell.astype(float), "true by (1)", "predicted", marker="o"))
        below = f"circles: true by sgn(A x + I - B), written out   ·   {below}"
    panel = Panel("Cells in each step", marks, "step", "cell", y_ticks=ticks, legend="none", width=1.6)
    return FigureDescription("Cells are true or false, once in each step", below, ((panel,),), (1.1,))


def _decided(run: Run, times: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return sgn(A x + I - B) of states at whole steps, from the network's own numbers."""
    layer = run.part("cells")
    A = np.zeros((layer.cells, layer.cells))
    for link in run.network.projections:
        sign = 1.0 if link.kind == "excitatory" else -1.0
        A += sign * link.topology.strengths(layer.shape, layer.shape)
    given = [np.ravel(run.inputs_to("cells", time=float(t) + 1e-6)) for t in times]
    return np.sign(x @ A.T + np.array(given) - np.ravel(layer.threshold))
