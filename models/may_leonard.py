"""Voting paradox: three competing species of May and Leonard, each of which loses against one of the others.

    dx_i/dt = x_i (1 - x_i - a_i x_{i+1} - b_i x_{i-1}),   i = 1, 2, 3 in a ring,   0 < a_i < 1 < b_i

By default it runs in the variables u_i = log x_i, du_i/dt = 1 - sum_j c_ij exp(u_j): an additive network. In a cycle
that lengthens for ever the x_i of losers fall below the absolute tolerance of a solver (1e-9; with the defaults from
t = 360 on). From then on a solver in x_i may take anything of that size for them, and the next species comes at the
wrong time (auto: 998 for 1007, 2881 for 3022) or never, or is below 0 (Radau, BDF: -5), although x_i >= 0 is
invariant, and a run in which that happens warns. u_i goes on. With
``logarithmic=False`` an explicit solver (RK45, DOP853) with ``atol=1e-300`` is right to
t = 9000, where x_i becomes smaller than any number of a computer.

Source: May and Leonard (1975), Nonlinear aspects of competition between three species, SIAM J. Appl. Math. 29, 243-253;
the asymmetric form: Chi, Hsu and Wu (1998), SIAM J. Appl. Math. 58, 211-234; as competition that cannot decide:
Grossberg (1978), J. Math. Anal. Appl. 66, 470-493; review, after (27).

What is known, for equal a and b: the interior point 1/(1 + a + b) is stable and attracts everything if a + b < 2. If
a + b = 2, x1 x2 x3/(x1 + x2 + x3)^3 is constant along every orbit, and the total goes to 1. If a + b > 2, the species
win in turn for ever (3 after 1, 2 after 3, 1 after 2), and each dwell time is longer than the one before, in the
limit (b - 1)/(1 - a) times. So no majority decides, though of any two species one wins. In general prod(1 - a_i) and
prod(b_i - 1) take the places of 1 - a and b - 1; where they are equal there is a family of neutral periodic orbits. c
is not symmetric, so that (33) is no Liapunov function. `brnn.theory.competition` holds the closed forms.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, one_of, spread
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Note, Panel, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Function, Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.theory import competition as theory

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["abundances", "build"]


@takes_dotted_names
def build(
    a: ArrayLike = 0.8,
    b: ArrayLike = 1.3,
    initial: ArrayLike = (0.5, 0.3, 0.2),
    logarithmic: bool = True,
) -> Network:
    """Return the three species; with the defaults they win in turn, each for longer than the one before.

    Parameters
    ----------
    a : float or array, shape (3,), >= 0
        a_i, how strongly species i + 1 competes with species i (1).
    b : float or array, shape (3,), >= 0
        b_i, how strongly species i - 1 competes with species i (1).
    initial : array, shape (3,)
        x_i at time 0 (1), > 0; without `logarithmic` also 0.
    logarithmic : bool
        Whether the activities of the network are log x_i (`abundances` turns them back) or x_i.

    Returns
    -------
    Network
        One layer, "species".

    Raises
    ------
    SpecError
        If a value has the wrong type, shape or sign, or is not finite.
    """
    strengths = [
        spread(np.asarray(value) if np.ndim(value) else value, f"may_leonard: {name}", (3,), minimum=0.0)
        for name, value in (("a", a), ("b", b))
    ]
    c = Dense(theory.community_matrix(*strengths))
    x = array(initial, "may_leonard: initial", shape=(3,), minimum=0.0)
    if one_of(logarithmic, "may_leonard: logarithmic", bool, "true or false"):
        if not x.all():
            raise SpecError("may_leonard: initial: has an element 0, which has no logarithm (use logarithmic=False)")
        # No x_i exceeds 1 or its initial value. The ceiling is for trial steps of a solver, which else can overflow.
        signal = Function("exp(min(w, ceiling))", ceiling=3.0 + max(0.0, float(np.log(x.max()))))
        layer: Layer | CohenGrossbergLayer = Layer.additive("species", 3, A=0.0, initial=np.log(x))
        links = [Projection("species", "species", "inhibitory", signal, c)]
        inputs = [Stimulus("species", "excitatory", 1.0)]
    else:
        layer = CohenGrossbergLayer("species", (3,), a=Function("w"), b=Function("1 + 0*w"), initial=x)
        links = [Projection("species", "species", "inhibitory", Linear(), c)]
        inputs = []
    return Network(
        "may_leonard",
        [layer],
        links,
        inputs,
        duration=400.0,
        reference="May and Leonard (1975), SIAM J. Appl. Math. 29, 243-253",
    )


def abundances(result: Result) -> np.ndarray:
    """Return x_i over time, shape (times, 3), of a run with or without logarithms."""
    values = np.asarray(result["species.x"])
    return np.exp(values) if isinstance(result.network.layers[0], Layer) else values


# Claims --------------------------------------------------------------------------------------------------------

_MAY = "May and Leonard (1975)"
_CHI = "Chi, Hsu and Wu (1998)"


def _jumps(a: ArrayLike, b: ArrayLike, initial: ArrayLike, duration: float) -> theory.Jumps:
    """Return who has the largest growth rate in a run with logarithms, and for how long."""
    network = build(a, b, initial)
    result = run(network, duration, times=np.arange(0.0, duration + 0.25, 0.5), solver="DOP853")
    c = theory.community_matrix(a, b)
    return theory.jumps(result, lambda u: theory.growth_rates(np.exp(u), c))


@claim("With and without logarithms it is the same system", source=_MAY)
def both_forms_agree() -> list[Comparison]:
    """The simulator's own derivative of both networks is x_i (1 - sum_j c_ij x_j) at random states."""
    rng = np.random.default_rng(1975)
    states = rng.uniform(0.01, 1.5, size=(20, 3))
    a, b = rng.uniform(0.1, 0.9, 3), rng.uniform(1.1, 1.9, 3)
    speed = states * np.stack(
        [1.0 - states[:, i] - a[i] * states[:, (i + 1) % 3] - b[i] * states[:, (i - 1) % 3] for i in range(3)], axis=1
    )
    plain = slope(build(a, b, logarithmic=False), states)
    logs = slope(build(a, b), np.log(states)) * states
    return [
        Comparison(speed, plain, 1e-14, "dx_i/dt of the network of x_i"),
        Comparison(speed, logs, 1e-14, "dx_i/dt of the network of log x_i"),
    ]


@claim("The interior point 1/(1 + a + b) is stable if a + b < 2, and its eigenvalues are known", source=_MAY)
def interior_point_is_known() -> list[Comparison]:
    """The Jacobian of the simulator's derivative by central differences, beside the closed form."""
    rows = []
    for a, b in ((0.8, 1.3), (0.5, 0.9), (0.6, 1.4)):
        point = np.full(3, np.log(1.0 / (1.0 + a + b)))  # eigenvalues do not depend on the coordinates
        steps = 1e-4 * np.vstack([np.eye(3), -np.eye(3)])
        velocity = slope(build(a, b), point + steps)
        found = np.linalg.eigvals((velocity[:3] - velocity[3:]).T / 2e-4)
        found = found[np.argsort(found.imag)]
        expected = theory.interior_eigenvalues(a, b)
        expected = expected[np.argsort(expected.imag)]
        at = f"a = {a:g}, b = {b:g}:"
        rows.append(Comparison(np.zeros(3), slope(build(a, b), point[None])[0], 1e-15, f"{at} velocity at the point"))
        rows.append(Comparison(expected.real, found.real, 1e-8, f"{at} real parts"))
        rows.append(Comparison(expected.imag, found.imag, 1e-8, f"{at} imaginary parts"))
        if (a, b) == (0.8, 1.3):
            rows.append(Comparison([0.01612903, 0.13968152], [found[2].real, found[2].imag], 1e-8, f"{at} tabled"))
    return rows


@claim("a + b < 2: every trajectory ends at 1/(1 + a + b)", source=_MAY)
def weak_competition_coexists() -> list[Comparison]:
    """From the middle, from near a corner and from large activities."""
    rows = []
    for a, b in ((0.5, 0.9), (0.3, 1.6)):
        for start in ([0.5, 0.3, 0.4], [1.0, 1e-3, 1e-6], [3.0, 0.2, 5.0]):
            stored = np.exp(final(build(a, b, start)))
            label = f"a = {a:g}, b = {b:g}, from {start}"
            rows.append(Comparison(theory.interior_point(a, b), stored, 1e-8, label))
    rows.append(Comparison(np.full(3, 0.41666667), np.exp(final(build(0.5, 0.9))), 1e-8, "a = 0.5, b = 0.9: tabled"))
    return rows


@claim("a + b = 2: x1 x2 x3/(x1 + x2 + x3)^3 is constant along every orbit, and the total goes to 1", source=_MAY)
def balanced_competition_conserves() -> list[Comparison]:
    """At every saved time of runs of 200 units of time, from inside and from far outside."""
    rows = []
    for a, start in ((0.6, [0.5, 0.3, 0.4]), (0.9, [0.05, 0.9, 0.3]), (0.2, [2.0, 0.5, 1.0])):
        x = abundances(run(build(a, 2.0 - a, start), 200.0))
        constant = np.prod(start) / np.sum(start) ** 3
        label = f"a = {a:g}, from {start}"
        rows.append(Comparison(np.full(len(x), constant), x.prod(axis=1) / x.sum(axis=1) ** 3, 1e-8, label))
        rows.append(Comparison(1.0, x[-1].sum(), 1e-8, f"{label}: total at the end"))
        if a == 0.6:
            rows.append(Comparison(0.0347222222, constant, 1e-10, f"{label}: tabled"))
    return rows


@claim("a + b > 2: the winner changes for ever, and dwell times grow by (b - 1)/(1 - a)", source=_MAY)
def dwell_times_grow_without_bound() -> list[Comparison]:
    """The order of the winners, the factors tabled for (0.8, 1.3) from (0.5, 0.3, 0.2), and their limit."""
    found = _jumps(0.8, 1.3, [0.5, 0.3, 0.2], 16000.0)
    factors = found.dwell[1:] / found.dwell[:-1]
    order = [2, 1, 0] * len(found.winners)
    rows = [
        Comparison.order(order[: len(found.winners)], found.winners, "winners: 3, 2, 1, 3, 2, 1 ..."),
        Comparison.monotone("rising", found.dwell, label="dwell times"),
        Comparison([1.478, 1.485, 1.490, 1.4934, 1.4956, 1.4970], factors[13:19], 6e-4, "factors 14 to 19: tabled"),
        Comparison(1.5, factors[-1], 3.5e-3, "last factor: (b - 1)/(1 - a)"),
    ]
    for a, b in ((0.5, 2.0), (0.6, 1.8)):
        dwell = _jumps(a, b, [0.5, 0.3, 0.2], 16000.0).dwell
        label = f"a = {a:g}, b = {b:g}: last factor"
        rows.append(Comparison((b - 1.0) / (1.0 - a), dwell[-1] / dwell[-2], 2e-3, label, relative=True))
    return rows


@claim("Of any two species one wins, in a ring: the voting paradox", source=_MAY + "; review, after (27)")
def each_loses_against_one() -> list[Comparison]:
    """With one species absent, i wins against i + 1 from any start; alone, each species goes to 1."""
    rows = []
    for i in range(3):
        for share in (0.01, 0.99):
            start = np.zeros(3)
            start[i], start[(i + 1) % 3] = share, 1.0 - share
            stored = final(build(initial=start, logarithmic=False))
            label = f"{i + 1} against {(i + 1) % 3 + 1}, from {share:g} and {1.0 - share:g}"
            rows.append(Comparison(np.eye(3)[i], stored, 1e-8, label))
        stored = final(build(initial=0.1 * np.eye(3)[i], logarithmic=False))
        rows.append(Comparison(np.eye(3)[i], stored, 1e-8, f"{i + 1} alone"))
    return rows


@claim("Asymmetric competition: prod(1 - a_i) against prod(b_i - 1) decides", source=_CHI)
def products_decide() -> list[Comparison]:
    """Greater: the interior point attracts. Less: cycles lengthen. Equal: every orbit is periodic in the end."""
    a = np.array([0.8, 0.7, 0.5])  # prod(1 - a_i) = 0.03
    rows = []
    for b in ([1.2, 1.2, 1.5], [1.1, 1.1, 1.1]):
        stored = np.exp(final(build(a, b, [0.1, 0.9, 0.3])))
        label = f"prod(b_i - 1) = {np.prod(np.subtract(b, 1.0)):.3g} < 0.03: interior point"
        rows.append(Comparison(theory.interior_point(a, b), stored, 1e-7, label))
    for b in ([1.5, 1.6, 1.4], [1.3, 1.9, 1.5]):
        found = _jumps(a, b, [0.4, 0.3, 0.2], 20000.0)
        last = found.winners[-4:-1]
        expected = theory.dwell_factors(a, b)[last]
        label = f"prod(b_i - 1) = {np.prod(np.subtract(b, 1.0)):.3g} > 0.03: last three factors"
        rows.append(Comparison(expected, found.dwell[-3:] / found.dwell[-4:-1], 2e-2, label, relative=True))
        cycle = found.dwell[-3:].sum() / found.dwell[-6:-3].sum()
        rows.append(Comparison(theory.cycle_factor(a, b), cycle, 5e-2, f"{label}: of a cycle", relative=True))
    for start in ([0.4, 0.3, 0.2], [0.7, 0.2, 0.05]):
        dwell = _jumps(a, [1.3, 1.2, 1.5], start, 1000.0).dwell
        periods = np.convolve(dwell, np.ones(3), mode="valid")[12:]
        label = f"prod(b_i - 1) = 0.03, from {start}: periods"
        rows.append(Comparison(np.full(periods.size, periods[-1]), periods, 1e-3, label, relative=True))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        return np.asarray(x * (1.0 - x - p.a * np.roll(x, -1) - p.b * np.roll(x, 1)))

    return {"species.x": integrated(velocity, p.initial, times)}


@claim("Its equations, written out by hand", source="May and Leonard (1975); Chi, Hsu and Wu (1998); SciPy")
def equations() -> list[Comparison]:
    """Different a and b for each species, in abundances and in their logarithms."""
    parameters = {
        "a": np.array([0.7, 0.6, 0.85]),
        "b": np.array([1.4, 1.2, 1.6]),
        "initial": np.array([0.4, 0.25, 0.6]),
    }

    def logarithms(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        return {"species.x": np.log(_by_hand(p, times)["species.x"])}

    times = np.linspace(0.0, 6.0, 7)
    plain = functools.partial(build, logarithmic=False)
    return [
        *equations_by_hand(plain, parameters, _by_hand, times, apart=("logarithmic",)),
        *equations_by_hand(build, parameters, logarithms, times, apart=("logarithmic",)),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("species.x")
def winners(run: Run) -> FigureDescription:
    """Show the three species over time, and the way of the run in the triangle of their shares."""
    times, values = run.times("species"), run.values("species")
    logarithmic = isinstance(run.network.layers[0], Layer)
    x = np.exp(values) if logarithmic else values
    c = np.asarray(run.part("species_species_inh").topology.matrix)
    a, b = c[[0, 1, 2], [1, 2, 0]], c[[0, 1, 2], [2, 0, 1]]
    names = ("species 1", "species 2", "species 3")
    marks: list[Mark] = [Curve(times, x[:, k], name, color=k) for k, name in enumerate(names)]
    inside = theory.interior_point(a, b)
    share = x / x.sum(axis=1, keepdims=True)
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.5 * np.sqrt(3.0)]])
    way, middle, edge = share @ corner, inside / inside.sum() @ corner, corner[[0, 1, 2, 0]]
    triangle: list[Mark] = [
        Curve(edge[:, 0], edge[:, 1], role="guide"),
        Curve(way[:, 0], way[:, 1], "the run"),
        Curve(way[:1, 0], way[:1, 1], "beginning", color=6, marker="s"),
        Curve(middle[:1], middle[1:], "theory: interior point", "predicted", 1, marker="o"),
    ]
    sides: tuple[Any, ...] = ("left", "right", "above")
    triangle += [Note(float(corner[k, 0]), float(corner[k, 1]), str(k + 1), side) for k, side in enumerate(sides)]
    turns = float(np.prod(b - 1.0) / np.prod(1.0 - a)) if np.all(a < 1.0) and np.all(b > 1.0) else 0.0
    title = "Each wins in turn, and each time for longer" if turns > 1.0 else "Three species share the space"
    factor = f"theory: each win lasts {turns ** (1 / 3):.3g} times as long as the one before   ·   "
    below = (factor if turns > 1.0 else "") + run.below
    panels = (
        time_panel(run, "Abundances", marks, y="abundance x"),
        Panel(
            "Shares: corners are one species alone",
            triangle,
            "",
            "",
            width=0.8,
            square=True,
            x_limits=(-0.08, 1.08),
            y_limits=(-0.3, 1.0),
            x_ticks=(),
            y_ticks=(),
        ),
    )
    return FigureDescription(title, below, (panels,), (1.3,))
