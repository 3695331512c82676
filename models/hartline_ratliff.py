"""Lateral inhibition in the eye of Limulus: the equations of Hartline and Ratliff, at rest and in time.

    r_i = e_i - sum_j k_ij [r_j - r_ij]+                                                                     (4)
    r_i(t) = e_i(t) - sum_j k_ij [ (1/tau) int_0^t exp(-(t - s)/tau) r_j(s) ds - r_ij ]+                     (5)

e is the response of a receptor alone, r its response among the others, k the inhibition and [w]+ = max(w, 0). The
layer "v" holds the integral of (5), the trace v of the response through which a cell inhibits:

    dv_i/dt = (r_i - v_i)/tau = (e_i - sum_j k_ij [v_j - r_ij]+ - v_i)/tau.

At rest v is r; in between `response` gives r = v + tau dv/dt. `static` solves (4) itself.

Source: Hartline and Ratliff (1957), Inhibitory interaction of receptor units in the eye of Limulus, J. Gen. Physiol.
40, 357-376; Ratliff, Hartline and Miller (1963), Spatial and temporal aspects of retinal inhibitory interaction, J.
Opt. Soc. Am. 53, 110-120; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equations (4), (5).

What is known:

- Where all responses are above threshold, (4) is linear: (1 + k) r = e + sum_j k_ij r_ij.
- Cells whose response is below threshold do not inhibit. A cell that inhibits an inhibitor disinhibits.
- In a uniform field r = (e + K r0)/(1 + K), K being the sum of the inhibition that reaches a cell.
- Beside an edge of luminance the response over- and undershoots, within the reach of the inhibition: Mach bands.
- Inhibition comes late: the response begins with e, and falls to the solution of (4).
- The response is proportional to luminance (with r0 = 0): it has no bounds, and there is no normalization.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Panel, Run, figure, heat_panel, pattern_marks
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape, presented
from brnn.models.parts.runs import final, run, slope
from brnn.signals import ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.distance import Kernel
from brnn.spec.topologies.matrix import Dense
from brnn.theory.lateral_inhibition import static

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["build", "response", "static"]

_THRESHOLDS = 16  # different ones at most: each is a projection of its own


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    k: ArrayLike = 1.0,
    width: float = 4.0,
    threshold: ArrayLike = 0.5,
    tau: float = 1.0,
    boundary: str = "nearest",
    pattern: ArrayLike | None = None,
    on: float = 10.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return an eye with lateral inhibition.

    By default 100 receptors in a row see a luminance that rises between two plateaus: Mach bands appear where the
    rise begins and ends. In a run that is longer than `on` they fade when the light is off.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of receptors, or of rows and columns (1); by default that of `pattern`, `initial` or k, else 100.
    k : float or matrix [target, source], >= 0
        Inhibition (1). One number is its sum over all other cells; it then falls off with distance as a Gaussian.
    width : float, > 0
        Standard deviation of the Gaussian, in cells (1).
    threshold : float or matrix [target, source]
        r0 or r_ij, the response above which a cell inhibits (1); a matrix needs a matrix k.
    tau : float, > 0
        Time constant of the inhibition (time).
    boundary : {"zero", "periodic", "reflect", "nearest"}
        How the field goes on beyond its edges.
    pattern : float or array, >= 0
        e, what each receptor would respond alone (1).
    on : float, > 0
        How long the light is on, from time 0 (time); may be infinite.
    initial : float or array
        v at time 0 (1).

    Returns
    -------
    Network
        One layer, "v".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    where = "hartline_ratliff"
    default = len(array(k, f"{where}: k")) if np.ndim(k) else 100
    cells = field_shape(where, n, default, (("pattern", pattern), ("initial", initial)))
    if len(cells) > 2:
        raise SpecError(f"{where}: n = {cells}: must have 1 or 2 dimensions")
    constant = number(tau, f"{where}: tau", above=0.0)
    e = _rise(cells) if pattern is None else activities(pattern, f"{where}: pattern", cells, minimum=0.0)
    topologies = _inhibition(k, width, threshold, boundary, cells)
    length = number(on, f"{where}: on", above=0.0, infinite=True)
    return Network(
        where,
        layers=(Layer.additive("v", cells, A=1.0 / constant, initial=activities(initial, f"{where}: initial", cells)),),
        projections=tuple(
            Projection("v", "v", "inhibitory", ThresholdLinear(1.0 / constant, level), topology, name=f"inhibition_{m}")
            for m, (level, topology) in enumerate(topologies)
        ),
        stimuli=(Stimulus("v", "excitatory", np.asarray(e) / constant, presented(on, f"{where}: on")),),
        duration=length if math.isfinite(length) else 10.0 * constant,
        reference="Hartline and Ratliff (1957), J. Gen. Physiol. 40, 357-376",
    )


def _rise(cells: tuple[int, ...]) -> np.ndarray:
    """Return a luminance that rises from 2 to 6 in the middle tenth of the last axis."""
    place = (np.arange(cells[-1]) + 0.5) / cells[-1]
    return np.array(np.broadcast_to(np.interp(place, [0.45, 0.55], [2.0, 6.0]), cells))


def _inhibition(
    k: Any, width: Any, threshold: Any, boundary: str, cells: tuple[int, ...]
) -> list[tuple[float, Topology]]:
    """Return the thresholds with the strengths to which each belongs."""
    where, size = "hartline_ratliff", math.prod(cells)
    if np.ndim(k) == 0:
        level = number(threshold, f"{where}: threshold")
        kernel = _kernel(number(k, f"{where}: k", minimum=0.0), number(width, f"{where}: width", above=0.0), len(cells))
        return [(level, Kernel(kernel, choice(boundary, f"{where}: boundary", _BOUNDARIES)))]
    strengths = array(k, f"{where}: k", minimum=0.0)
    if strengths.shape != (size, size):
        raise SpecError(
            f"{where}: k: has shape {strengths.shape}, must be one number or have shape {(size, size)} (target, source)"
        )
    if np.ndim(threshold) == 0:
        return [(number(threshold, f"{where}: threshold"), Dense(strengths))]
    levels = array(threshold, f"{where}: threshold", shape=(size, size))
    distinct = np.unique(levels[strengths > 0.0])
    if distinct.size > _THRESHOLDS:
        raise SpecError(f"{where}: threshold: has {distinct.size} different values, at most {_THRESHOLDS} are possible")
    return [(float(level), Dense(np.where(levels == level, strengths, 0.0))) for level in distinct]


_BOUNDARIES = ("zero", "periodic", "reflect", "nearest")
_WIDEST = 100_000.0  # cells; a wider kernel is a slip of units


def _kernel(total: float, width: float, ndim: int) -> np.ndarray:
    """Return a Gaussian up to three standard deviations, without the cell itself, with the given sum."""
    if width > _WIDEST:
        raise SpecError(f"hartline_ratliff: width = {width:g}: must be a number <= {_WIDEST:g}")
    radius = max(1, math.ceil(3.0 * width))
    refuse_above(8 * (2 * radius + 1) ** ndim, f"hartline_ratliff: width = {width:g}: a kernel of inhibition")
    profile = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2.0 * width**2))
    kernel = profile if ndim == 1 else np.multiply.outer(profile, profile)
    kernel[(radius,) * ndim] = 0.0
    rest = float(kernel.sum())
    if rest == 0.0:
        raise SpecError(f"hartline_ratliff: width = {width:g}: is too small to reach the next cell")
    return np.asarray(total * kernel / rest)


def response(result: Result) -> np.ndarray:
    """Return r_i(t) of (5) for every saved time of a run, of the shape of ``result["v.x"]``.

    r is v + tau dv/dt, from the right-hand side of the equation, not from differences. At a time at which the light
    goes on or off it is what holds after it.
    """
    from brnn.compiler import compile_network

    network = result.network
    system = compile_network(network)
    tau = 1.0 / network.layer("v").A  # type: ignore[attr-defined]
    v, times = np.asarray(result["v.x"]), np.asarray(result.times)
    edges = np.concatenate([[-np.inf], network.breaks(float(times[-1]) + tau), [np.inf]])
    r = np.empty_like(v)
    for low, high in itertools.pairwise(edges):
        rows = np.flatnonzero((times >= low) & (times < high))
        if rows.size:
            fun = system.rhs(float(times[rows[-1]]))
            for row in rows:
                r[row] = v[row] + tau * fun(float(times[row]), v[row].ravel()).reshape(v.shape[1:])
    return r


# Claims --------------------------------------------------------------------------------------------------------

_4, _5 = "Hartline and Ratliff (1957); review, (4)", "Ratliff, Hartline and Miller (1963); review, (5)"


def _rest(e: ArrayLike, k: ArrayLike, r0: ArrayLike, **parameters: Any) -> np.ndarray:
    """Return the responses at rest, in light that stays on."""
    return final(build(pattern=e, k=k, threshold=r0, on=math.inf, **parameters))


def _weights(cells: int, total: float, width: float = 4.0) -> np.ndarray:
    """Return, for cells in a row, the matrix of inhibition that falls off with distance; "nearest" at the ends."""
    reach = math.ceil(3.0 * width)
    profile = {d: math.exp(-(d**2) / (2.0 * width**2)) for d in range(-reach, reach + 1) if d != 0}
    K = np.zeros((cells, cells))
    for i in range(cells):
        for d, strength in profile.items():
            K[i, min(max(i + d, 0), cells - 1)] += total * strength / sum(profile.values())
    return K


@claim("Two cells that inhibit each other respond with (e1 - k e2 + k r0 (1 - k))/(1 - k^2)", source=_4)
def two_cells() -> list[Comparison]:
    """The closed form at several excitations, one of which is tabled."""
    rows = []
    k = 0.2
    for e1, e2, r0 in ((10.0, 8.0, 2.0), (5.0, 5.0, 1.0), (20.0, 9.0, 0.0)):
        expected = [(a - k * b + k * r0 * (1.0 - k)) / (1.0 - k**2) for a, b in ((e1, e2), (e2, e1))]
        found = _rest([e1, e2], [[0.0, k], [k, 0.0]], r0)
        rows.append(Comparison(expected, found, 3e-8, f"e = ({e1:g}, {e2:g}), r0 = {r0:g}"))
        if r0 == 2.0:
            rows.append(Comparison([9.08333333, 6.58333333], found, 3e-8, "e = (10, 8), r0 = 2: tabled numbers"))
    return rows


@claim("In a uniform field r = (e + K r0)/(1 + K), whatever the reach of the inhibition", source=_4)
def uniform_fields() -> list[Comparison]:
    """In a row of cells and in a field of two dimensions; one number is tabled."""
    rows = [Comparison(np.full(30, 7.71428571), _rest(np.full(30, 10.0), 0.4, 2.0), 1e-8, "e = 10, K = 0.4: tabled")]
    for shape, K, width, r0 in (((40,), 1.5, 4.0, 1.0), ((12, 9), 0.8, 1.3, 0.0)):
        found = _rest(np.full(shape, 6.0), K, r0, width=width)
        label = f"{len(shape)}-D, K = {K:g}, width {width:g}"
        rows.append(Comparison(np.full(shape, (6.0 + K * r0) / (1.0 + K)), found, 1e-8, label))
    return rows


@claim("Cells below their threshold do not inhibit", source=_4)
def below_threshold_no_inhibition() -> list[Comparison]:
    """Alone below it, or pushed below it; a pair of cells with a threshold of its own in each direction."""
    pair = [[0.0, 0.2], [0.2, 0.0]]
    own = [[0.0, 6.0], [1.0, 0.0]]  # the second cell inhibits the first above 6, the first the second above 1
    return [
        Comparison([10.0, 0.3], _rest([10.0, 1.9], pair, 2.0), 1e-8, "the second cell alone is below threshold"),
        Comparison([10.0, 1.4], _rest([10.0, 3.0], pair, 2.0), 1e-8, "the first cell pushes it below threshold"),
        Comparison([8.0, 5.6], _rest([8.0, 7.0], pair, own), 1e-8, "r_ij = 6 and 1: one inhibits, the other does not"),
        Comparison.exact(np.full(5, 1.5), static([1.5] * 5, 0.2 * np.ones((5, 5)), 2.0), "static: r = e"),
    ]


@claim("A cell that inhibits an inhibitor disinhibits", source="Hartline and Ratliff (1957)")
def disinhibition() -> list[Comparison]:
    """Light on a third cell, too far from the first one to inhibit it, raises the first one's response."""
    k = np.array([[0.0, 0.3, 0.0], [0.3, 0.0, 0.3], [0.0, 0.3, 0.0]])
    rows, first = [], []
    for third in (0.0, 10.0):
        e = np.array([10.0, 10.0, third])
        on = k * np.array([True, True, third > 0.0])
        expected = np.linalg.solve(np.eye(3) + on, e + on.sum(axis=1))
        found = _rest(e, k, 1.0)
        first.append(found[0])
        rows.append(Comparison(expected, found, 1e-8, f"third cell e = {third:g}: linear solution"))
    return [*rows, Comparison.monotone("rising", first, label="response of the first cell, third cell off and on")]


@claim("The equilibrium of (5) is the solution of (4)", source=_5)
def equilibrium_solves_4() -> list[Comparison]:
    """Random inhibition and excitation, some cells below threshold: the residual of (4), and Newton's solution."""
    rows = []
    rng = np.random.default_rng(1957)
    for n, r0 in ((6, 1.0), (20, 2.0), (8, rng.choice([0.5, 2.0, 4.0], size=(8, 8)))):
        k = rng.uniform(0.0, 1.0 / n, size=(n, n)) * (1.0 - np.eye(n))
        e = rng.uniform(0.0, 8.0, size=n)
        v = _rest(e, k, r0, initial=rng.uniform(0.0, 5.0, size=n))
        label = f"{n} cells, {'one threshold' if np.ndim(r0) == 0 else 'r_ij'}"
        inhibition = (k * np.maximum(v[None, :] - r0, 0.0)).sum(axis=1)
        rows += [
            Comparison(np.zeros(n), v - e + inhibition, 1e-8, f"{label}: residual of (4)"),
            Comparison(static(e, k, r0), v, 1e-8, f"{label}: solution of (4)"),
        ]
    return rows


@claim("An edge of luminance has Mach bands, and they are those of the linear equations", source=_4)
def edges_have_mach_bands() -> list[Comparison]:
    """A step from 6 to 8, all cells above threshold: over- and undershoot are equal, and lie beside the edge."""
    rows = []
    n, r0 = 100, 0.5
    e = np.where(np.arange(n) < n // 2, 6.0, 8.0)
    for K, width in ((1.0, 2.0), (2.0, 2.0), (1.0, 5.0)):
        linear = np.linalg.solve(np.eye(n) + _weights(n, K, width), e + K * r0)
        found = _rest(e, K, r0, width=width)
        dark, bright = (6.0 + K * r0) / (1.0 + K), (8.0 + K * r0) / (1.0 + K)
        shoots = [found.max() - bright, dark - found.min()]
        label = f"K = {K:g}, width {width:g}"
        reach = math.ceil(3.0 * width)
        rows += [
            Comparison(linear, found, 1e-8, f"{label}: linear solution"),
            Comparison(
                [linear.max() - bright, dark - linear.min()], shoots, 1e-8, f"{label}: overshoot and undershoot"
            ),
            Comparison(shoots[0], shoots[1], 1e-8, f"{label}: they are equal"),
            Comparison.at_least(0.1 * (bright - dark), shoots, label=f"{label}: beside the plateaus' difference"),
            Comparison.within(
                [n // 2 - reach, n // 2],
                [found.argmin(), found.argmax()],
                [n // 2 - 1, n // 2 - 1 + reach],
                label=f"{label}: where they are",
            ),
        ]
    return rows


@claim(
    "Cells that an edge pushes below threshold do not inhibit: Mach bands are smaller than the linear ones", source=_4
)
def thresholds_limit_mach_bands() -> list[Comparison]:
    """A step from 4 to 8: the solution of (4), found by damped iteration, and the bands of the linear equations."""
    n, K, r0 = 100, 2.0, 0.5
    e = np.where(np.arange(n) < n // 2, 4.0, 8.0)
    W = _weights(n, K)
    linear = np.linalg.solve(np.eye(n) + W, e + K * r0)
    r = e.copy()
    for _ in range(2000):
        r += 0.3 * (e - W @ np.maximum(r - r0, 0.0) - r)
    found = _rest(e, K, r0)
    return [
        Comparison(r, found, 1e-8, "solution of (4)"),
        Comparison.at_least(1, int((found < r0).sum()), label="cells below threshold"),
        Comparison.at_most(float(np.ptp(linear)), float(np.ptp(found)), label="largest minus smallest response"),
    ]


@claim("Inhibition comes late: the response begins with e and falls when the trace reaches r0", source=_5)
def inhibition_comes_late() -> list[Comparison]:
    """A uniform field from darkness: r = e until tau ln(e/(e - r0)), then a fall with the rate (1 + K)/tau."""
    rows = []
    for e, K, r0, tau in ((10.0, 0.4, 2.0, 1.0), (6.0, 2.0, 1.0, 0.25)):
        network = build(n=8, pattern=e, k=K, threshold=r0, tau=tau, on=math.inf)
        result = run(network, 6.0 * tau, rtol=1e-10, atol=1e-13)  # at the corner errors are 20 to 100 tolerances
        times = np.asarray(result.times)
        start = tau * math.log(e / (e - r0))
        rest = (e + K * r0) / (1.0 + K)
        falling = rest + (r0 - rest) * np.exp(-(1.0 + K) * np.maximum(times - start, 0.0) / tau)
        trace = np.where(times < start, e * (1.0 - np.exp(-times / tau)), falling)
        r = np.where(times < start, e, e - K * (falling - r0))
        label = f"e = {e:g}, K = {K:g}, r0 = {r0:g}, tau = {tau:g}"
        rows += [
            Comparison(np.repeat(trace[:, None], 8, axis=1), result["v.x"], 1e-7, f"{label}: trace v"),
            Comparison(np.repeat(r[:, None], 8, axis=1), response(result), 1e-7, f"{label}: response r"),
        ]
    return rows


@claim("The trace is the integral of (5), and r = v + tau dv/dt is its response", source=_5)
def trace_is_the_integral() -> list[Comparison]:
    """Light on and off: the integral of the recovered response by Simpson's rule, and (5) with it."""
    from scipy.integrate import cumulative_simpson

    n, K, r0, tau, off = 40, 1.5, 1.0, 0.8, 2.0
    e = _rise((n,))
    # The weights of Simpson's rule are those of smooth functions, so that it begins anew when the light goes off.
    times = np.linspace(0.0, off, 4001)
    result = run(build(pattern=e, k=K, threshold=r0, tau=tau, on=off), 2.0 * off, times=np.append(times, 2.0 * off))
    v, r = np.asarray(result["v.x"]), response(result)
    r[len(times) - 1] = e - _weights(n, K) @ np.maximum(v[len(times) - 1] - r0, 0.0)  # just before
    growth = np.exp(times / tau)[:, None]
    integral = cumulative_simpson(growth * r[:-1], x=times, axis=0, initial=0.0) / growth / tau
    inhibition = np.maximum(integral[::100] - r0, 0.0) @ _weights(n, K).T
    speed = slope(result.network, v[:-1:100], 0.5 * off)
    return [
        Comparison(v[:-1:100], integral[::100], 1e-6, "trace: the integral of r"),
        Comparison(e - inhibition, r[:-1:100], 1e-6, "r by (5), with this integral"),
        Comparison(v[:-1:100] + tau * speed, r[:-1:100], 1e-12, "v + tau dv/dt"),
    ]


@claim("Above threshold the trace follows the matrix exponential", source=_5)
def linear_course() -> list[Comparison]:
    """dv/dt = [e + K r0 - (1 + K) v]/tau from above threshold, for random inhibition and for one with distance."""
    from scipy.linalg import expm

    rows = []
    rng = np.random.default_rng(1963)
    times, tau, r0 = np.linspace(0.0, 3.0, 13), 0.7, 0.5
    random = rng.uniform(0.0, 0.1, size=(12, 12)) * (1.0 - np.eye(12))
    for label, n, K, given in (
        ("random inhibition", 12, random, random),
        ("inhibition with distance", 50, _weights(50, 1.0), 1.0),
    ):
        e, start = rng.uniform(4.0, 8.0, size=n), rng.uniform(1.5, 4.0, size=n)
        M = np.eye(n) + K
        rest = np.linalg.solve(M, e + r0 * K.sum(axis=1))
        expected = np.array([rest + expm(-M * t / tau) @ (start - rest) for t in times])
        network = build(pattern=e, k=given, threshold=r0, tau=tau, initial=start, on=math.inf)
        found = run(network, float(times[-1]), times=times)["v.x"]
        rows += [
            Comparison.at_least(r0, expected, label=f"{label}: above threshold at all times"),
            Comparison(expected, found, 1e-7, f"{label}: trace over time"),
        ]
    return rows


@claim("Without a threshold the response is proportional to luminance: there is no normalization", source=_4)
def response_is_proportional() -> Comparison:
    """The same pattern at three luminances."""
    e = _rise((60,))
    unit = np.linalg.solve(np.eye(60) + _weights(60, 1.0), e)
    scales = np.array([1.0, 10.0, 100.0])
    found = np.array([_rest(scale * e, 1.0, 0.0) for scale in scales])
    return Comparison(scales[:, None] * unit, found, 1e-9, relative=True)


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.pattern)
    radius = math.ceil(3.0 * p.width)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / p.width) ** 2)
    taps[radius] = 0.0  # no cell inhibits itself
    k = np.zeros((n, n))
    for i in range(n):
        for shift, tap in zip(range(-radius, radius + 1), p.k * taps / taps.sum(), strict=True):
            k[i, (i + shift) % n if p.boundary == "periodic" else min(max(i + shift, 0), n - 1)] += tap

    def velocity(t: float, v: np.ndarray, when: float) -> np.ndarray:
        r = (when < p.on) * p.pattern - k @ np.maximum(v - p.threshold, 0.0)
        return np.asarray((r - v) / p.tau)

    return {"v.x": integrated(velocity, p.initial, times, [p.on])}


@claim("Its equations, written out by hand", source="(5), integrated by SciPy")
def equations() -> list[Comparison]:
    """Eight cells on a ring, every parameter off its default, and a light that goes off."""
    parameters = {
        "k": 0.8,
        "width": 1.3,
        "threshold": 0.2,
        "tau": 1.4,
        "boundary": "periodic",
        "pattern": 1.0 + 0.6 * np.sin(1.0 + np.arange(8.0) ** 2),
        "on": 2.0,
        "initial": 0.4 + 0.3 * np.cos(np.arange(8.0)),
    }
    other = {"boundary": "nearest"}
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 3.0, 7), changed=other, tolerance=1e-6)


# Figure -------------------------------------------------------------------------------------------------------


@figure("v.x")
def mach_bands(run: Run) -> FigureDescription | None:
    """Show the response beside the light and the solution of (4), and how it came about."""
    view = run.view("v")
    if len(view.shape) > 1 or view.cells > 1000:
        return None
    constant = 1.0 / float(np.max(run.part("v").A))
    light = constant * run.inputs_to("v")
    links = run.network.projections
    predicted = None
    if len(links) == 1 and np.array_equal(light, constant * run.inputs_to("v", time=run.end - 1e-9)):
        strengths = links[0].topology.strengths(view.shape, view.shape)
        predicted = static(light, strengths, run.part(str(links[0].name)).signal.threshold)
    marks = pattern_marks(run.last("v"), light, predicted, ("light e", "response in the end", "theory (4)"))
    panels = (
        Panel("Light and response", tuple(marks), "cell", "light, frequency of impulses", legend="top"),
        heat_panel(run, "v", "The response over time", label="v"),
    )
    return FigureDescription("Lateral inhibition exaggerates edges: Mach bands", run.below, (panels,), (1.2,))
