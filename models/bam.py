"""Bidirectional associative memory (BAM): two layers that recall each other's patterns.

    dx_i/dt = -x_i + sum_k f(y_k) z_ki + I_i                                                              (37)
    dy_j/dt = -y_j + sum_m f(x_m) z_mj + J_j                                                              (38)
    dz_ij/dt = -z_ij + f(x_i) f(y_j)                                                                      (39)

This is ``kind="adaptive"``. In brnn each of the two projections has weights of its own; they start as each other's
transpose, obey the same equation, and so stay equal. ``kind="continuous"`` keeps the weights fixed, at M = sum_pairs
p q^T of the patterns p and q of +1 and -1, divided by the number of cells of the layer that sends.
``kind="discrete"`` is the original of Kosko with activities 0 and 1: a cell becomes 1 where its net input is positive,
0 where it is negative, and keeps its state where it is exactly 0. Each layer answers to the other, in turn: a cue in F1
stays while F2, still silent, sends nothing, and every pattern of F1 stands for two steps, from an even one on, of F2
from an odd one on.

Source: Kosko (1988), Bidirectional associative memories, IEEE Trans. SMC 18, 49-60; Kosko (1987), Adaptive
bidirectional associative memories, Appl. Opt. 26, 4947-4960; review, (37)-(39).

What is known: all three forms converge, for any M or any initial weights. Discrete: the energy -A M B^T never rises.
Continuous: (32) with symmetric coefficients. Adaptive: L = -sum f_i z_ij f_j + (1/2) sum z_ij^2 + sum int s f'(s) ds
(over both layers) - sum I_i f_i - sum J_j f_j falls, dL/dt = -sum f' (dx/dt)^2 - sum f' (dy/dt)^2 - sum (dz/dt)^2:
activities and weights come to rest together (resonance). `brnn.theory.liapunov(network)` is L.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, whole
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Run, figure, layer_panel, matrix_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import activities, presented, signal_of
from brnn.models.parts.runs import run, slope
from brnn.signals import Function, Linear, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.learning import PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllToAll

__all__ = ["build", "correlation"]

_A = ((1, 0, 1, 0, 1, 0), (1, 1, 1, 0, 0, 0))
_B = ((1, 1, 0, 0), (1, 0, 1, 0))


@takes_dotted_names
def build(
    kind: str = "adaptive",
    A: ArrayLike = _A,
    B: ArrayLike = _B,
    cue: ArrayLike | None = None,
    signal: Signal = Function("tanh(gain*w)", gain=2.0),
    I: ArrayLike | None = None,
    J: ArrayLike | None = None,
    on: float = 10.0,
    seed: int = 1988,
) -> Network:
    """Return a BAM; by default it learns the pair (A1, B1) while that is shown, and goes on resonating with it.

    Parameters
    ----------
    kind : {"adaptive", "continuous", "discrete"}
        (37)-(39); (37) and (38) with fixed weights; or Kosko's original.
    A : array of 0 and 1, shape (pairs, cells of F1)
        Patterns of F1 (1).
    B : array of 0 and 1, shape (pairs, cells of F2)
        The patterns of F2 that belong to them (1).
    cue : array or None
        Activities of F1 at time 0 (1); F2 starts at 0. By default 0 if `kind` is "adaptive", else A1.
    signal : Signal
        f, not used if `kind` is "discrete" (1).
    I : float or array or None
        Input of F1 (1/time); by default A1, as +1 and -1, if `kind` is "adaptive". Not used if it is "discrete".
    J : float or array or None
        The same for F2, with B1.
    on : float, > 0
        How long the inputs are on (time); may be infinite.
    seed : int, >= 0
        Seed of the small initial weights of "adaptive".

    Returns
    -------
    Network
        Two layers, "F1" and "F2".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite.
    """
    form = choice(kind, "bam: kind", ("adaptive", "continuous", "discrete"))
    first, second = (_patterns(value, f"bam: {letter}") for letter, value in (("A", A), ("B", B)))
    if len(first) != len(second):
        raise SpecError(f"bam: B: has {len(second)} patterns, must have as many as A, {len(first)}")
    n, m = first.shape[1], second.shape[1]
    adaptive = form == "adaptive"
    start = activities((0.0 if adaptive else first[0]) if cue is None else cue, "bam: cue", (n,))
    f = signal_of(signal, "bam: signal")
    M = correlation(first, second)
    random = np.random.default_rng(whole(seed, "bam: seed", minimum=0))
    schedule = presented(on, "bam: on")
    if form == "discrete":
        layers: list[Any] = [
            BinaryLayer("F1", n, levels="unipolar", initial=start, at_threshold="keep"),
            BinaryLayer("F2", m, levels="unipolar", at_threshold="keep"),
        ]
        links = _links(Linear(), Dense(M.T), Dense(M))
        inputs: list[Stimulus] = []
    else:
        layers = [Layer.additive("F1", n, A=1.0, initial=start), Layer.additive("F2", m, A=1.0)]
        inputs = [
            Stimulus(layer, "excitatory", activities(shown, f"bam: {letter}", (size,)), schedule)
            for layer, letter, shown, size in (
                ("F1", "I", 2.0 * first[0] - 1.0 if I is None and adaptive else I, n),
                ("F2", "J", 2.0 * second[0] - 1.0 if J is None and adaptive else J, m),
            )
            if shown is not None
        ]
        z = random.normal(scale=0.1, size=(m, n))  # one weight for both directions: z[target, source], and transposed
        laws = [PassiveDecay(initial=initial) if adaptive else None for initial in (z, z.T)]
        links = _links(f, *((AllToAll(), AllToAll()) if adaptive else (Dense(M.T / n), Dense(M / m))), *laws)
    return Network(
        "bam",
        layers,
        links,
        inputs,
        duration=8.0 if form == "discrete" else 20.0,
        reference="Kosko (1988), IEEE Trans. SMC 18, 49-60",
    )


def _links(signal: Signal, there: Any, back: Any, law: Any = None, law_back: Any = None) -> list[Projection]:
    return [
        Projection("F1", "F2", "excitatory", signal, there, learning=law),
        Projection("F2", "F1", "excitatory", signal, back, learning=law_back),
    ]


def _patterns(value: Any, where: str) -> np.ndarray:
    patterns = array(value, where, ndim=2)
    if not np.isin(patterns, (0.0, 1.0)).all():
        raise SpecError(f"{where}: every element must be 0 or 1")
    return patterns


def correlation(A: ArrayLike, B: ArrayLike) -> np.ndarray:
    """Return Kosko's M, the sum over all pairs of the products of A_i and B_j as +1 and -1, shape (cells, cells)."""
    return (2.0 * np.asarray(A, dtype=float) - 1.0).T @ (2.0 * np.asarray(B, dtype=float) - 1.0)


# Claims --------------------------------------------------------------------------------------------------------

_KOSKO = "Kosko (1988)"


def _conversation(cue: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return what F1 shows at even and F2 at odd steps, from this cue."""
    result = run(build("discrete", cue=cue), 8.0)
    return np.asarray(result["F1.x"])[0:8:2], np.asarray(result["F2.x"])[1:8:2]


@claim("Discrete BAM: both pairs are recalled from either side, with energy -6", source=_KOSKO)
def pairs_are_recalled() -> list[Comparison]:
    """Kosko's two pairs, as cues in F1 and in F2, and the incomplete cue 011000."""
    M = correlation(_A, _B)
    rows = [Comparison.exact([[2.0, 0.0, 0.0, -2.0], [0.0, -2.0, 2.0, 0.0]], M[:2], "first two rows of M")]
    for k, (A, B) in enumerate(zip(np.array(_A, dtype=float), np.array(_B, dtype=float), strict=True)):
        first, second = _conversation(A)
        rows.append(Comparison.exact(np.tile(B, (4, 1)), second, f"A{k + 1} in F1: F2 answers B{k + 1}"))
        rows.append(Comparison.exact(np.tile(A, (4, 1)), first, f"A{k + 1} in F1: F1 keeps A{k + 1}"))
        rows.append(Comparison.exact(-6.0, -first[-1] @ M @ second[-1], f"A{k + 1} in F1: energy"))
        result = run(build("discrete", cue=np.zeros(6)), 8.0, initial={"F2": B})
        rows.append(Comparison.exact(A, np.asarray(result["F1.x"])[7], f"B{k + 1} in F2: F1 answers A{k + 1}"))
        rows.append(Comparison.exact(B, np.asarray(result["F2.x"])[8], f"B{k + 1} in F2: F2 keeps B{k + 1}"))
    first, second = _conversation([0, 1, 1, 0, 0, 0])
    rows.append(Comparison.exact(np.array(_B[1], dtype=float), second[0], "011000 in F1: F2 answers B2"))
    rows.append(Comparison.exact(-4.0, -first[0] @ M @ second[0], "011000 and B2: energy"))
    rows.append(Comparison.exact(np.array(_A[1], dtype=float), first[1], "011000 in F1: F1 becomes A2"))
    return rows


@claim("Discrete BAM: from every cue the energy never rises, and both layers come to rest", source=_KOSKO)
def every_cue_is_answered() -> list[Comparison]:
    """All 64 cues."""
    M = correlation(_A, _B)
    rises, settled = [], 0
    for code in range(64):
        first, second = _conversation([(code >> k) & 1 for k in range(6)])
        energy = [-first[k] @ M @ second[j] for k, j in ((0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3))]
        rises.append(np.diff(energy).max())
        settled += int(np.array_equal(first[2], first[3]) and np.array_equal(second[2], second[3]))
    return [
        Comparison.at_most(0.0, np.array(rises), label="steps of the energy"),
        Comparison.count(64, settled, "cues after which both patterns stay"),
    ]


@claim("Continuous BAM: orthogonal pairs are recalled at m p and m q, m = tanh(gain m)", source="review, (37), (38)")
def orthogonal_pairs_are_recalled() -> list[Comparison]:
    """Two pairs over eight and four cells; from a cue with one wrong cell, and from F2 alone."""
    A = np.array([[1, 0, 1, 0, 1, 0, 1, 0], [1, 1, 0, 0, 1, 1, 0, 0]])
    B = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])
    m = 1.0
    for _ in range(200):
        m = math.tanh(2.0 * m)
    rows = []
    for k in range(2):
        p, q = 2.0 * A[k] - 1.0, 2.0 * B[k] - 1.0
        wrong = 0.5 * p * np.where(np.arange(8) == 5, -1.0, 1.0)
        for label, initial in (("one cell of F1 wrong", {"F1": wrong}), ("from F2", {"F1": 0.0, "F2": 0.3 * q})):
            result = run(build("continuous", A, B), until="steady", initial=initial)
            rows.append(Comparison(m * p, result.final("F1"), 1e-7, f"pair {k + 1}, {label}: F1"))
            rows.append(Comparison(m * q, result.final("F2"), 1e-7, f"pair {k + 1}, {label}: F2"))
    return rows


@claim("Adaptive BAM obeys (37)-(39), and its two sets of weights stay equal", source="review, (37)-(39)")
def equations_hold() -> list[Comparison]:
    """The simulator's own derivative at random states, and the weights of both projections along a run."""
    rng = np.random.default_rng(37)
    network = build(on=math.inf)
    I, J = (np.asarray(stimulus.pattern) for stimulus in network.stimuli)
    x, y, z = rng.normal(size=(20, 6)), rng.normal(size=(20, 4)), rng.normal(size=(20, 4, 6))
    f, g = np.tanh(2.0 * x), np.tanh(2.0 * y)
    states = np.concatenate([x, y, z.reshape(20, -1), z.transpose(0, 2, 1).reshape(20, -1)], axis=1)
    change = -z + g[:, :, None] * f[:, None, :]
    expected = [
        -x + np.einsum("tk,tki->ti", g, z) + I,
        -y + np.einsum("tm,tjm->tj", f, z) + J,
        change.reshape(20, -1),
        change.transpose(0, 2, 1).reshape(20, -1),
    ]
    result = run(build(), 20.0)
    there, back = (np.asarray(result[f"{name}.z"]) for name in ("F1_F2_exc", "F2_F1_exc"))
    return [
        Comparison(np.concatenate(expected, axis=1), slope(network, states), 1e-13, "dx/dt, dy/dt and dz/dt"),
        Comparison(there, back.transpose(0, 2, 1), 1e-12, "weights of both directions at every time"),
    ]


@claim("L never rises, and dL/dt is -sum f' (dx/dt)^2 - sum f' (dy/dt)^2 - sum (dz/dt)^2", source=_KOSKO + "; (34)")
def value_falls() -> list[Comparison]:
    """The adaptive BAM with inputs, from random states, and the continuous one."""
    rng = np.random.default_rng(39)
    starts = []
    for _ in range(3):
        z = rng.normal(size=(4, 6))
        starts.append({"F1": rng.normal(size=6), "F2": rng.normal(size=4), "F1_F2_exc.z": z, "F2_F1_exc.z": z.T})
    rows = falls_along_runs(build(on=math.inf), starts, "adaptive, with inputs", 15.0)
    states = [{"F1": rng.normal(size=6), "F2": rng.normal(size=4)} for _ in range(2)]
    return rows + falls_along_runs(build("continuous"), states, "continuous", 15.0)


@claim("Activities and weights come to rest together: z = f(x) f(y)", source="Kosko (1987); review, text after (39)")
def resonance_is_reached() -> list[Comparison]:
    """At rest x = f(y) z + I, y = f(x) z + J, z = f(x) f(y); after the inputs, the learned pair keeps itself alive."""
    network = build(on=math.inf)
    rows = []
    for seed in range(3):
        result = run(build(on=math.inf, seed=seed), until="steady")
        x, y, z = (np.asarray(result.final(name)) for name in ("F1", "F2", "F1_F2_exc.z"))
        f, g = np.tanh(2.0 * x), np.tanh(2.0 * y)
        rows.append(Comparison(np.outer(g, f), z, 1e-7, f"weights at rest, seed {seed}"))
        inputs = [np.asarray(stimulus.pattern) for stimulus in network.stimuli]
        rows.append(Comparison(f * (g @ g) + inputs[0], x, 1e-6, f"F1 at rest, seed {seed}"))
        rows.append(Comparison(g * (f @ f) + inputs[1], y, 1e-6, f"F2 at rest, seed {seed}"))
    # Without inputs x = X p and y = Y q with X = m t(X) t(Y)^2, Y = n t(Y) t(X)^2, t = tanh(2 .), n = 6, m = 4.
    X, Y = 4.0, 6.0
    for _ in range(200):
        tx, ty = math.tanh(2.0 * X), math.tanh(2.0 * Y)
        X, Y = 4.0 * tx * ty**2, 6.0 * ty * tx**2
    result = run(build(), until="steady")
    p, q = (2.0 * np.array(patterns[0], dtype=float) - 1.0 for patterns in (_A, _B))
    rows.append(Comparison(X * p, result.final("F1"), 1e-7, "after the inputs: F1 shows A1"))
    rows.append(Comparison(Y * q, result.final("F2"), 1e-7, "after the inputs: F2 shows B1"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n, m = p.A.shape[1], p.B.shape[1]
    M = (2.0 * p.A - 1.0).T @ (2.0 * p.B - 1.0)
    z = np.random.default_rng(p.seed).normal(scale=0.1, size=(m, n)).T  # the small weights of the beginning

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, z = u[:n], u[n : n + m], u[n + m :].reshape(n, m)
        f, g = np.tanh(p.signal.gain * x), np.tanh(p.signal.gain * y)
        to_x, to_y = (z @ g, f @ z) if p.kind == "adaptive" else (M @ g / m, f @ M / n)
        shown = float(when < p.on)
        return np.concatenate(
            [-x + to_x + shown * p.I, -y + to_y + shown * p.J, (np.outer(f, g) - z).ravel() * (p.kind == "adaptive")]
        )

    u = integrated(velocity, np.concatenate([p.cue, np.zeros(m), z.ravel()]), times, [p.on])
    return {"F1.x": u[:, :n], "F2.x": u[:, n : n + m]}


@claim("Its equations, written out by hand", source="(37)-(39), integrated by SciPy")
def equations() -> list[Comparison]:
    """Both forms in continuous time, every parameter off its default."""
    numbers = {
        "signal": Numbers(lambda gain: Function("tanh(gain*w)", gain=gain), gain=1.6),
        "cue": np.array([0.3, -0.2, 0.5]),
        "I": np.array([0.8, -0.4, 0.3]),
        "J": np.array([-0.5, 0.6]),
        "on": 2.5,
    }
    A, B = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[1, 0], [1, 1]])

    def adaptive(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        return _by_hand(SimpleNamespace(kind="adaptive", A=A, B=B, **vars(p)), times)

    def continuous(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        return _by_hand(SimpleNamespace(kind="continuous", seed=0, **vars(p)), times)

    times = np.linspace(0.0, 5.0, 6)
    other = {"A": np.array([[1, 1, 1], [0, 0, 1]]), "B": np.array([[1, 0], [0, 1]])}
    fixed = {**numbers, "A": A, "B": B}
    return [
        *equations_by_hand(functools.partial(build, "adaptive", A, B), {**numbers, "seed": 12}, adaptive, times),
        *equations_by_hand(
            functools.partial(build, "continuous"), fixed, continuous, times, apart=("seed",), changed=other
        ),
    ]


@claim("The discrete BAM, step by step", source=_KOSKO + ", iterated in whole numbers")
def discrete_steps() -> list[Comparison]:
    """Three random pairs, whose M is odd, and two, whose rows cancel: both layers answer in turn, every step."""
    rng = np.random.default_rng(88)
    predicted, measured, ones, ties = [], [], 0, 0
    for pairs in (3, 2) * 8:
        A, B = rng.integers(0, 2, size=(pairs, 5)), rng.integers(0, 2, size=(pairs, 4))
        cue = rng.integers(0, 2, size=5)
        M = (2 * A - 1).T @ (2 * B - 1)
        result = run(build("discrete", A=A, B=B, cue=cue), 6.0)
        measured.append(np.concatenate([result["F1.x"].values, result["F2.x"].values], axis=1))
        layers, rows = [list(cue), [0] * 4], []
        for step in range(7):
            rows.append(layers[0] + layers[1])
            here = (step + 1) % 2  # the layer that answers now: F2 at odd steps, F1 at even ones
            for cell, net in enumerate((np.array(layers[1 - here]) @ (M if here else M.T)).tolist()):
                ones += net == 1
                ties += net == 0
                if net != 0:
                    layers[here][cell] = int(net > 0)
        predicted.append(np.array(rows, dtype=float))
    return [
        Comparison.exact(np.array(predicted), np.array(measured), "activities of both layers in steps 0 to 6"),
        Comparison.at_least(5, ones, label="net inputs of 1 among them"),
        Comparison.at_least(5, ties, label="net inputs of 0 among them"),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x", "F2.x")
def resonance(run: Run) -> FigureDescription | None:
    """Show both layers, the weights that they share, and the Liapunov function on the way into resonance."""
    first, second = run.view("F1"), run.view("F2")
    if first.cells > 40 or second.cells > 40 or len(first.shape) > 1 or run.network.step is not None:
        return None
    rows = [(layer_panel(run, "F1", "Layer F1"), layer_panel(run, "F2", "Layer F2"))]
    title = "Two layers recall each other's pattern"
    if "F1_F2_exc.z" in run.result:
        title = "Activities and weights come to rest together: resonance"
        rows.append(
            (
                matrix_panel(run.first("F1_F2_exc.z"), "Weights at the beginning", x="cell of F1", y="cell of F2"),
                matrix_panel(run.last("F1_F2_exc.z"), "Weights in the end", x="cell of F1", y="cell of F2"),
            )
        )
    return FigureDescription(title, run.below, rows)
