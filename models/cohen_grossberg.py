"""Networks of Cohen and Grossberg: symmetric competition and cooperation, with a Liapunov function.

    dx_i/dt = a(x_i) [b(x_i) + I_i - sum_j c_ij d(x_j)],   c_ij = c_ji                                        (32)

Many networks are of this form, among them two that have names of their own (`kind`):

- "lotka_volterra", competing species:      a(x) = x, b(x) = -x, d(x) = x:   dx_i/dt = x_i (I_i - x_i - sum_j c_ij x_j)
- "hopfield", the additive network of Hopfield (1984): a = 1, b(x) = -x, d = tanh, c = -T:
                                                       dx_i/dt = -x_i + sum_j T_ij tanh(gain x_j) + I_i

and shunting networks (28)-(31), e.g. the recurrent competitive field.

Source: Cohen and Grossberg (1983), Absolute stability of global pattern formation and parallel memory storage by
competitive neural networks, IEEE Trans. SMC 13, 815-826; Hopfield (1984), PNAS 81, 3088-3092; review, (32)-(34).

What is known: V of (33) never rises, dV/dt is (34), and so every trajectory goes to equilibria, as long as a >= 0, d'
>= 0 and c is symmetric. `brnn.theory.liapunov(network)` is V. Lotka and Volterra: if the matrix 1 + c is positive
definite, and (1 + c) x = I has a positive solution, every community goes there. Hopfield: orthogonal patterns p of +1
and -1 that are stored as T = sum p p^T/n are equilibria m p, m = tanh(gain m), and a pattern with some errors goes to
the right one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number, whole
from brnn.claims import Comparison, claim
from brnn.errors import InputError, SpecError
from brnn.figures import Curve, FigureDescription, Run, figure, layer_panel, time_panel
from brnn.models import rcf
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import activities, field_shape, signal_of
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Function, Linear, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.distance import GaussianKernel
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory.liapunov_functions.value import liapunov

__all__ = ["build"]

_GAIN = 3.0
_KINDS: dict[str, tuple[Signal, Signal, Signal]] = {  # a, b, d
    "general": (Function("1 + w**2"), Function("-2*w"), Function("tanh(w)")),
    "lotka_volterra": (Function("w"), Function("-w"), Linear()),
    "hopfield": (Function("1 + 0*w"), Function("-w"), Function("tanh(gain*w)", gain=_GAIN)),
}


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    kind: str = "general",
    a: Signal | None = None,
    b: Signal | None = None,
    d: Signal | None = None,
    c: ArrayLike | None = None,
    I: ArrayLike | None = None,
    initial: ArrayLike | None = None,
    seed: int = 1983,
) -> Network:
    """Return a network of the form (32).

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of c, I or `initial`, else 8.
    kind : {"general", "lotka_volterra", "hopfield"}
        Which a, b, d, c, I and `initial` are taken where none are given.
    a : Signal or None
        Amplification; by default 1 + x^2, x or 1.
    b : Signal or None
        Self-signal; by default -2 x, -x or -x.
    d : Signal or None
        What a cell sends to the others; by default tanh x, x or tanh 3 x.
    c : float or symmetric matrix or None
        Coefficients [target, source], positive if they inhibit; one number, >= 0, is for all others. By default random
        symmetric ones of both signs, positive ones below 1/n, or minus the sum of p p^T/n over two patterns p.
    I : float or array or None
        Inputs; by default random ones, 1, or none.
    initial : float or array or None
        Activities at time 0; by default random ones, or the first stored pattern with one error in eight.
    seed : int, >= 0
        Seed of what is random.

    Returns
    -------
    Network
        One layer, "F1".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite, or c is not symmetric.
    """
    at = "cohen_grossberg"
    name = choice(kind, f"{at}: kind", tuple(_KINDS))
    size = None if c is None or np.ndim(c) == 0 else np.shape(c)[0]
    cells = field_shape(at, n, size or 8, (("I", I), ("initial", initial)))
    functions = [
        default if given is None else signal_of(given, f"{at}: {letter}")
        for letter, given, default in zip("abd", (a, b, d), _KINDS[name], strict=True)
    ]
    chosen = _defaults(name, math.prod(cells), whole(seed, f"{at}: seed", minimum=0))
    inputs, start = (
        default.reshape(cells) if given is None else activities(given, f"{at}: {letter}", cells)
        for letter, given, default in (("I", I, chosen["I"]), ("initial", initial, chosen["initial"]))
    )
    return Network(
        "cohen_grossberg",
        [CohenGrossbergLayer("F1", cells, functions[0], functions[1], start)],
        [Projection("F1", "F1", "inhibitory", functions[2], _coefficients(chosen["c"] if c is None else c, cells))],
        [Stimulus("F1", "excitatory", inputs)],
        duration=20.0,
        reference="Cohen and Grossberg (1983), IEEE Trans. SMC 13, 815-826",
    )


def _defaults(kind: str, n: int, seed: int) -> dict[str, np.ndarray]:
    """Return c, I and initial activities for n cells."""
    rng = np.random.default_rng(seed)
    if kind == "hopfield":
        patterns = rng.choice([-1.0, 1.0], size=(2, n))
        errors = np.where(np.arange(n) % 8 == 3, -1.0, 1.0)
        return {"c": -patterns.T @ patterns / n, "I": np.zeros(n), "initial": 0.5 * patterns[0] * errors}
    if kind == "lotka_volterra":
        c = np.triu(rng.uniform(0.0, 1.0 / n, size=(n, n)), 1)
        return {"c": c + c.T, "I": np.ones(n), "initial": rng.uniform(0.05, 1.0, n)}
    c = rng.normal(size=(n, n)) / math.sqrt(n)
    return {"c": c + c.T, "I": rng.normal(size=n), "initial": rng.normal(size=n)}


def _coefficients(value: Any, cells: tuple[int, ...]) -> Topology:
    """Return the topology that a number or a symmetric matrix means."""
    at = "cohen_grossberg: c"
    if np.ndim(value) == 0:
        return AllButSelf(weight=number(value, at, minimum=0.0))
    size = math.prod(cells)
    matrix = array(value, at, ndim=2)
    if matrix.shape != (size, size):
        raise SpecError(f"{at}: has shape {matrix.shape}, must be one number or have shape {(size, size)}")
    difference = np.abs(matrix - matrix.T)
    if difference.max() > 1e-12 * np.abs(matrix).max():
        i, j = (int(k) for k in np.unravel_index(int(difference.argmax()), difference.shape))
        raise SpecError(
            f"{at}: must be symmetric, but c[{i}, {j}] = {matrix[i, j]:g} and c[{j}, {i}] = {matrix[j, i]:g}: "
            f"the largest asymmetry, {difference.max():g}"
        )
    return Dense(matrix)


# Claims --------------------------------------------------------------------------------------------------------

_CG = "Cohen and Grossberg (1983); review, "
_HADAMARD = np.array([[1.0, 1, 1, 1, 1, 1, 1, 1], [1, -1, 1, -1, 1, -1, 1, -1], [1, 1, -1, -1, 1, 1, -1, -1]])


def _shunting(signal: Signal, D: float) -> Network:
    """Return twelve shunting cells with on-centers, distance-dependent inhibition, and inputs of both kinds."""
    rng = np.random.default_rng(28)
    return Network(
        "shunting",
        [Layer.shunting("F1", 12, A=rng.uniform(0.3, 1.0, 12), B=2.0, D=D)],
        [
            Projection("F1", "F1", "excitatory", Sigmoid(3.0, 0.5, 2.0), OneToOne()),
            Projection("F1", "F1", "inhibitory", signal, GaussianKernel(weight=2.0, width=2.0)),
        ],
        [
            Stimulus("F1", "excitatory", rng.uniform(0.0, 0.5, 12)),
            Stimulus("F1", "inhibitory", rng.uniform(0.0, 0.2, 12)),
        ],
    )


@claim("V never rises along a trajectory, and dV/dt is (34)", source=_CG + "(33), (34)")
def value_falls() -> list[Comparison]:
    """The general network, Lotka-Volterra, Hopfield, the RCF and shunting networks with hyperpolarization."""
    rng = np.random.default_rng(34)
    rows = []
    for seed in (1, 2, 3):
        network = build(5, seed=seed)
        rows += falls_along_runs(network, 2.0 * rng.normal(size=(2, 5)), f"general, seed {seed}", 10.0)
    species = build(6, "lotka_volterra")
    rows += falls_along_runs(species, rng.uniform(0.01, 2.0, size=(3, 6)), "Lotka-Volterra", 30.0)
    rows += falls_along_runs(build(16, "hopfield"), rng.normal(size=(3, 16)), "Hopfield", 20.0)
    field = rcf.build(pattern=rng.uniform(size=8), J=rng.uniform(size=8), on=math.inf)
    rows += falls_along_runs(field, rng.uniform(0.05, 2.9, size=(3, 8)), "RCF with inputs I and J", 30.0)
    for signal, D in ((Sigmoid(1.0, 0.3, 3.0), 0.0), (Linear(0.7), 0.5), (Function("1/(1 + exp(-4*w))"), 1.0)):
        label = f"shunting, d = {signal.formula}, D = {D:g}"
        rows += falls_along_runs(_shunting(signal, D), rng.uniform(0.05, 1.9, size=(2, 12)), label, 20.0)
    return rows


@claim("Every trajectory comes to rest where b_i = sum_j c_ij d_j", source=_CG + "text after (34)")
def trajectories_come_to_rest() -> list[Comparison]:
    """Random networks of both signs from random states: b(x_i) + I_i - sum_j c_ij d(x_j) at the end, by its formula."""
    rng = np.random.default_rng(32)
    rest = []
    for seed in range(12):
        network = build(seed=seed)
        (link,) = network.projections
        assert isinstance(link.topology, Dense)
        x = final(network, initial=3.0 * rng.normal(size=8))
        rest.append(-2.0 * x + np.asarray(network.stimuli[0].pattern) - link.topology.matrix @ np.tanh(x))
    return [Comparison(np.zeros((12, 8)), np.array(rest), 1e-7, "12 networks of 8 cells: b_i - sum_j c_ij d_j")]


@claim("Lotka-Volterra: every community goes to the solution of (1 + c) x = I", source=_CG + "text after (34)")
def communities_settle() -> list[Comparison]:
    """Where 1 + c is positive definite and the solution is positive; and two equal strong competitors exclude one."""
    rng = np.random.default_rng(1926)
    rows = []
    for n in (2, 5, 9):
        c = np.triu(rng.uniform(0.0, 0.8 / n, size=(n, n)), 1)
        c, supply = c + c.T, rng.uniform(0.9, 1.1, n)
        predicted = np.linalg.solve(np.eye(n) + c, supply)
        for start in rng.uniform(0.01, 3.0, size=(2, n)):
            stored = final(build(kind="lotka_volterra", c=c, I=supply, initial=start))
            rows.append(
                Comparison(predicted, stored, 1e-8, f"{n} species from {np.array2string(start[:2], precision=2)}")
            )
    for start, end in (([0.5, 0.4], [1.0, 0.0]), ([0.2, 0.3], [0.0, 1.0])):
        stored = final(build(kind="lotka_volterra", c=2.0, initial=start))
        rows.append(Comparison(end, stored, 1e-8, f"two species, c = 2, from {start}: the more numerous one"))
    return rows


@claim("Hopfield: stored patterns are recalled, at m p with m = tanh(gain m)", source="Hopfield (1984)")
def patterns_are_recalled() -> list[Comparison]:
    """Two orthogonal patterns over eight cells, each from a copy with one wrong cell and from its negative."""
    stored = _HADAMARD[1:]
    c = -stored.T @ stored / 8.0
    m = 1.0
    for _ in range(100):  # converges: the slope of tanh(gain m) is far below 1 there
        m = math.tanh(_GAIN * m)
    rows = []
    for k, pattern in enumerate(stored):
        for sign in (1.0, -1.0):
            cue = 0.5 * sign * pattern * np.where(np.arange(8) == 2, -1.0, 1.0)
            found = final(build(kind="hopfield", c=c, initial=cue))
            rows.append(Comparison(sign * m * pattern, found, 1e-8, f"pattern {k + 1} times {sign:g}, one cell wrong"))
    return rows


@claim("The RCF is (32) with a = x, b = B f(x)/x - A, c = 1, d = f", source=_CG + "(28)-(31)")
def field_is_an_instance() -> list[Comparison]:
    """Derivatives of both networks at random states, and what both store."""
    A, B, F = 1.0, 3.0, 0.25
    signal = Sigmoid(1.0, math.sqrt(F), 2.0)
    arguments: dict[str, Any] = {
        "a": Function("w"),
        "b": Function("B*w/(F + w**2) - A", A=A, B=B, F=F),
        "d": signal,
        "I": 0.0,
    }
    states = np.random.default_rng(31).uniform(0.0, B, size=(20, 10))
    network = build(c=np.ones((10, 10)), initial=0.3 * states[0], **arguments)
    field = rcf.build(A=A, B=B, signal=signal, initial=0.3 * states[0])
    ends = [np.asarray(run(net, 40.0).final(net.layers[0].name)) for net in (field, network)]
    return [
        Comparison(slope(field, states), slope(network, states), 1e-13, "dx_i/dt"),
        Comparison(ends[0], ends[1], 1e-7, "activities at t = 40"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        d = p.d.s * np.tanh(p.d.g * x)
        return np.asarray((p.a.s + p.a.q * x**2) * (-p.b.r * x - p.b.k * x**3 + p.I - p.c @ d))

    return {"F1.x": integrated(velocity, p.initial, times)}


@claim("Its equations, written out by hand", source="(32), integrated by SciPy")
def equations() -> list[Comparison]:
    """Four cells, every function and number off its default."""
    c = np.array([[0.3, 0.5, -0.2, 0.1], [0.5, 0.1, 0.4, -0.3], [-0.2, 0.4, 0.2, 0.6], [0.1, -0.3, 0.6, -0.4]])
    parameters = {
        "a": Numbers(lambda s, q: Function("s + q*w**2", s=s, q=q), s=0.8, q=0.5),
        "b": Numbers(lambda r, k: Function("-r*w - k*w**3", r=r, k=k), r=1.5, k=0.2),
        "d": Numbers(lambda s, g: Function("s*tanh(g*w)", s=s, g=g), s=1.2, g=0.8),
        "c": c,
        "I": np.array([0.5, -0.3, 0.2, 0.8]),
        "initial": np.array([0.4, 0.2, -0.6, 0.3]),
    }
    other = {"c": c * (1.0 + 0.1 * np.abs(c)), "initial": 1.1 * parameters["initial"]}
    return equations_by_hand(
        build, parameters, _by_hand, np.linspace(0.0, 2.0, 5), apart=("n", "kind", "seed"), changed=other
    )


@claim("What each kind stands for, written out by hand", source="(32) and its special cases; SciPy")
def kinds() -> list[Comparison]:
    """Four cells: a, b and d of each kind, and the inputs that are not random."""
    c = np.array([[0.1, 0.3, 0.2, 0.1], [0.3, 0.2, 0.1, 0.2], [0.2, 0.1, 0.1, 0.3], [0.1, 0.2, 0.3, 0.2]])
    start, I = np.array([0.4, 0.2, 0.6, 0.3]), np.array([0.5, 0.3, 0.2, 0.8])
    times = np.linspace(0.0, 2.0, 5)
    hand: dict[str, tuple[dict[str, Any], Any]] = {
        "general": ({"I": I}, lambda t, x, when: (1.0 + x**2) * (-2.0 * x + I - c @ np.tanh(x))),
        "lotka_volterra": ({}, lambda t, x, when: x * (1.0 - x - c @ x)),
        "hopfield": ({}, lambda t, x, when: -x - c @ np.tanh(3.0 * x)),
    }
    rows = []
    drawn: dict[str, Any]
    for drawn in ({}, {"kind": "lotka_volterra"}, {"kind": "hopfield"}):
        rows += equations_by_hand(
            build,
            {"n": 6, "seed": 5, **drawn},
            _as_drawn,
            np.array([0.0, 0.5]),
            apart=("a", "b", "d", "c", "I", "initial", *({"kind"} - set(drawn))),
            changed={"kind": "general"},
        )
    for kind, (given, velocity) in hand.items():
        result = run(build(kind=kind, c=c, initial=start, **given), 2.0, times=times)
        rows.append(Comparison(integrated(velocity, start, times), result["F1.x"].values, 1e-7, kind))
    return rows


def _as_drawn(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course with what is random, c, I and the start, drawn here with the same seed."""
    n, kind, rng = p.n, getattr(p, "kind", "general"), np.random.default_rng(p.seed)
    velocity: Any
    if kind == "general":
        c = rng.normal(size=(n, n)) / np.sqrt(n)
        c, I, start = c + c.T, rng.normal(size=n), rng.normal(size=n)
        velocity = lambda t, x, when: (1.0 + x**2) * (-2.0 * x + I - c @ np.tanh(x))  # noqa: E731
    elif kind == "lotka_volterra":
        c = np.where(np.tri(n, k=0) == 0.0, rng.uniform(0.0, 1.0 / n, size=(n, n)), 0.0)
        c, start = c + c.T, rng.uniform(0.05, 1.0, size=n)
        velocity = lambda t, x, when: x * (1.0 - x - c @ x)  # noqa: E731
    else:
        stored = rng.choice([-1.0, 1.0], size=(2, n))
        start = 0.5 * stored[0]
        start[3] = -start[3]  # one error in eight
        velocity = lambda t, x, when: -x + sum(p * (p @ np.tanh(3.0 * x)) for p in stored) / n  # noqa: E731
    return {"F1.x": integrated(velocity, start, times)}


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def descent(run: Run) -> FigureDescription | None:
    """Show the activities, and the Liapunov function that never rises."""
    if len(run.view("F1").shape) > 1 or run.view("F1").cells > 60:
        return None
    try:
        V = liapunov(run.network).V
    except InputError:  # coefficients that are not symmetric
        return None
    falls = Curve(run.times("F1"), V(run.values("F1")), "V")
    panels = (
        layer_panel(run, "F1", "Activities"),
        time_panel(run, "The Liapunov function (33) only falls", [falls], y="V", legend="none", width=0.8),
    )
    return FigureDescription("Symmetric competition always comes to rest", run.below, (panels,), (1.25,))
