"""ORGaNICs: recurrent circuits whose rest is divisive normalization.

    tau_y dy_i/dt = -sqrt(a_i) y_i + b1 z_i
    tau_a da_i/dt = -a_i + sigma^2 b0^2 + sum_j W_ij a_j y_j^2

z is the input drive, y the principal cells and a the pool of inhibitory cells, which shunts them: the rate at which y_i
decays is sqrt(a_i). Both are driven by what the pool sees of the principal cells, x_i = y_i sqrt(a_i), and this is the
state that the layer "x" holds (brnn.spec.layers.normalizing); y = x/sqrt(a). The recurrent weights of the principal
cells are the unit matrix, the case for which stability is proved.

Source: Heeger and Mackey (2019), Oscillatory recurrent gated neural integrator circuits (ORGaNICs), PNAS 116,
22783-22794; in the form of Rawat, Heeger and Martiniani (2024), Unconditional stability of a recurrent neural circuit
implementing divisive normalization, NeurIPS 37.

What is known: it rests at y_i = b1 z_i/sqrt(sigma^2 b0^2 + sum_j W_ij (b1 z_j)^2), divisive normalization, for any
W >= 0, and this rest is stable for all parameters. With W = 1 for all pairs and no sigma the length of y is 1 at every
contrast, where the feedforward shunting network (17) keeps the sum. At rest x = b1 z: the pool sees the drive itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, layer_panel, pattern_marks, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, default_pattern, field_shape
from brnn.models.parts.runs import run
from brnn.signals import Function, Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.normalizing import NormalizingLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllToAll, OneToOne

__all__ = ["build"]

_SQUARE = Function("w**2")


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    tau_y: float = 1.0,
    tau_a: float = 1.0,
    b0: float = 1.0,
    b1: float = 1.0,
    sigma: float = 0.1,
    W: ArrayLike = 1.0,
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
    pool: ArrayLike = 1.0,
) -> Network:
    """Return a normalization circuit.

    By default ten principal cells see a pattern, and every one of them is in every pool.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern`, `initial` or `pool`, or of W, else 10.
    tau_y : float, > 0
        Time constant of the principal cells (time).
    tau_a : float, > 0
        Time constant of the pool (time).
    b0 : float, > 0
        Gain of the pool's own drive (1).
    b1 : float
        Gain of the input drive (1).
    sigma : float, > 0
        Semisaturation (1): drives that are much smaller are not normalized.
    W : float or matrix [target, source], >= 0
        Normalization weights (1); a number is that of all pairs.
    pattern : float or array
        Input drive z_i, of any sign (1).
    initial : float or array
        y at time 0 (1).
    pool : float or array, > 0
        a at time 0 (1).

    Returns
    -------
    Network
        Layers "a" and "x".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite, or the network is too large.
    """
    at = "organics"
    default = len(array(W, f"{at}: W", ndim=2)) if np.ndim(W) else 10
    cells = field_shape(at, n, default, (("pattern", pattern), ("initial", initial), ("pool", pool)))
    z = default_pattern(cells) if pattern is None else activities(pattern, f"{at}: pattern", cells)
    y0 = np.asarray(activities(initial, f"{at}: initial", cells))
    a0 = np.asarray(activities(pool, f"{at}: pool", cells, minimum=0.0))
    if not a0.all():
        raise SpecError(f"{at}: pool: has the element 0; every element must be > 0")
    floor = (number(sigma, f"{at}: sigma", above=0.0) * number(b0, f"{at}: b0", above=0.0)) ** 2
    slow, fast = number(tau_a, f"{at}: tau_a", above=0.0), number(tau_y, f"{at}: tau_y", above=0.0)
    gain = number(b1, f"{at}: b1")
    seen = np.broadcast_to(y0 * np.sqrt(a0), cells)
    return Network(
        at,
        layers=(
            Layer.additive("a", cells, A=1.0 / slow, initial=np.broadcast_to(a0, cells)),
            NormalizingLayer("x", cells, tau=fast, tau_pool=slow, b=gain, floor=floor, initial=seen),
        ),
        projections=(
            Projection("x", "a", "excitatory", _SQUARE, _weights(W, 1.0 / slow, cells)),
            Projection("x", "x", "modulatory", _SQUARE, _weights(W, 1.0, cells)),
            Projection("a", "x", "inhibitory", Linear(), OneToOne()),
        ),
        stimuli=(Stimulus("x", "excitatory", z), Stimulus("a", "excitatory", floor / slow)),
        duration=40.0 * max(slow, fast),
        reference="Heeger and Mackey (2019), PNAS 116, 22783-22794",
    )


def _weights(W: Any, factor: float, cells: tuple[int, ...]) -> Topology:
    """Return the topology of the pool."""
    if np.ndim(W) == 0:
        return AllToAll(factor * number(W, "organics: W", minimum=0.0))
    size = int(np.prod(cells))
    return Dense(factor * array(W, "organics: W", minimum=0.0, shape=(size, size)))


# Claims --------------------------------------------------------------------------------------------------------

_RAWAT = "Heeger and Mackey (2019); Rawat, Heeger and Martiniani (2024)"


def _rest(**parameters: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return y and a at rest, flat."""
    result = run(build(**parameters), until="steady", duration=2000.0)
    x, a = np.ravel(result.final("x")), np.ravel(result.final("a"))
    return x / np.sqrt(a), a


@claim("It rests at y = b1 z/sqrt(sigma^2 b0^2 + W (b1 z)^2)", source=_RAWAT)
def rests_at_divisive_normalization() -> list[Comparison]:
    """Random weights, drives of both signs, gains and starts, with the pool slower or faster than the cells."""
    rows = []
    for seed, tau_a in ((1, 0.2), (2, 1.0), (3, 5.0)):
        rng = np.random.default_rng(seed)
        W, z = rng.random((6, 6)), rng.normal(size=6)
        b0, b1, sigma = rng.uniform(0.3, 2.0, 3)
        start = {"initial": rng.normal(size=6), "pool": rng.uniform(0.5, 2.0, 6)}
        y, a = _rest(W=W, pattern=z, b0=b0, b1=b1, sigma=sigma, tau_a=tau_a, **start)
        pooled = (sigma * b0) ** 2 + W @ (b1 * z) ** 2
        rows += [
            Comparison(b1 * z / np.sqrt(pooled), y, 1e-7, f"tau_a = {tau_a:g}: y"),
            Comparison(pooled, a, 1e-6, f"tau_a = {tau_a:g}: a"),
        ]
    return rows


@claim("The response is that of contrast: sums of squares saturate at 1, ratios stay", source=_RAWAT)
def contrast_is_normalized() -> list[Comparison]:
    """One pattern at contrasts over four orders of magnitude: y.y = c^2/(sigma^2 + c^2), as in (17) the sum does."""
    rows, lengths = [], []
    contrasts = np.array([0.01, 0.1, 1.0, 10.0, 100.0])
    unit = PATTERN_A / np.sqrt((PATTERN_A**2).sum())
    for c in contrasts:
        y, _ = _rest(pattern=c * unit, sigma=0.1)
        lengths.append((y**2).sum())
        rows.append(Comparison(unit, y / np.sqrt(lengths[-1]), 1e-6, f"contrast {c:g}: relative activities"))
    return [Comparison(contrasts**2 / (0.01 + contrasts**2), lengths, 1e-6, "sums of squares"), *rows]


@claim("Its rest is stable: it is reached from everywhere", source=_RAWAT)
def rest_is_stable() -> list[Comparison]:
    """Twelve random circuits of three cells with time constants two orders of magnitude apart, from far away."""
    rng = np.random.default_rng(2024)
    off = []
    for _ in range(12):
        W, z, sigma = rng.random((3, 3)) * rng.uniform(0.1, 5.0), 2.0 * rng.normal(size=3), rng.uniform(0.1, 1.0)
        tau_y, tau_a = 10.0 ** rng.uniform(-1.0, 1.0, 2)
        start = {"initial": 3.0 * rng.normal(size=3), "pool": rng.uniform(0.1, 9.0)}
        y, _ = _rest(W=W, pattern=z, sigma=sigma, tau_y=tau_y, tau_a=tau_a, **start)
        off.append(y - z / np.sqrt(sigma**2 + W @ z**2))
    return [Comparison(np.zeros((12, 3)), np.array(off), 1e-6, "distance from rest in the end")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.pattern)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        y, a = u[:n], u[n:]
        dy = (-np.sqrt(a) * y + p.b1 * p.pattern) / p.tau_y
        da = (-a + p.sigma**2 * p.b0**2 + p.W @ (y**2 * a)) / p.tau_a
        return np.concatenate([dy, da])

    u = integrated(velocity, np.concatenate([p.initial, p.pool]), times)
    return {"x.x": u[:, :n] * np.sqrt(u[:, n:]), "a.x": u[:, n:]}


@claim("Its equations, written out by hand", source=f"{_RAWAT}, in y and a; integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells, every parameter off its default; then one number for all weights."""
    parameters: dict[str, Any] = {
        "tau_y": 0.7,
        "tau_a": 1.9,
        "b0": 1.4,
        "b1": 0.8,
        "sigma": 0.5,
        "W": np.array([[0.5, 0.2, 0.7], [0.3, 0.9, 0.1], [0.6, 0.4, 0.8]]),
        "pattern": np.array([1.2, -0.5, 0.8]),
        "initial": np.array([0.3, 0.6, -0.4]),
        "pool": np.array([0.7, 1.5, 0.9]),
    }

    def uniform(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        p.W = p.W * np.ones((3, 3))
        return _by_hand(p, times)

    times = np.linspace(0.0, 5.0, 7)
    return [
        *equations_by_hand(build, parameters, _by_hand, times),
        *equations_by_hand(build, {**parameters, "W": 0.4}, uniform, times),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("a.x", "x.x")
def divided(run: Run) -> FigureDescription | None:
    """Show the principal cells y = x/sqrt(a) beside divisive normalization, and the pool that divides."""
    view = run.view("x")
    if view.cells > 12 or len(view.shape) > 1 or run.network.breaks(run.end).size:
        return None
    times, a = run.times("x"), run.values("a")
    y = run.values("x") / np.sqrt(a)
    layer, pool = run.part("x"), run.part("x_a_exc")
    z = float(np.max(layer.b)) * run.inputs_to("x").ravel()
    W = pool.topology.strengths(view.shape, view.shape) / float(np.max(run.part("a").A))
    floor = run.inputs_to("a").ravel() / float(np.max(run.part("a").A))
    rest = z / np.sqrt(floor + W @ z**2)
    shades = np.linspace(0.0, 1.0, view.cells) if view.cells > 6 else [None] * view.cells
    marks: list[Mark] = [Curve(times, y[:, k], f"cell {k}", color=k, shade=shades[k]) for k in range(view.cells)]
    marks.append(Curve(np.full(rest.size, run.end), rest, "theory", "predicted", 6, marker="o"))
    bars = pattern_marks(y[-1], z, None, ("drive b z", "response y", ""))
    shared = time_panel(run, "The pool a that divides all of them", [Curve(times, a[:, 0], "a")], y="activity")
    rows = (
        (
            time_panel(run, "Principal cells y", marks, y="y", legend="beside"),
            Panel("Drive and response", bars, "cell", "drive, response", legend="top", width=0.8),
        ),
        (layer_panel(run, "a", "The pool a that divides them") if np.ptp(a, axis=1).max() > 1e-9 else shared,),
    )
    return FigureDescription("A recurrent circuit divides by its own pool", run.below, rows, (1.1, 0.9))
