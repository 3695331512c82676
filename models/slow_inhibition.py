"""Slow inhibition: an on-center off-surround shunting network whose inhibition goes through slow interneurons.

    dx_i/dt = -A x_i + (B - x_i) [I_i + sum_k C_ki f(x_k)] - x_i sum_k G_ki y_k
    dy_i/dt = e (x_i - y_i)

The interneuron y_i follows the cell x_i at the rate e, and inhibits in its stead. C_ki is a part `lateral` that every
cell shares, and a rest that falls off with distance as a Gaussian of `center_width` (0: the cell itself); G_ki is G
in all, spread evenly over all cells (`surround_width` infinite), as a Gaussian, or from y_i to x_i only (0).

Source: form of Ellias and Grossberg (1975), Pattern formation, contrast control, and oscillations in the short term
memory of shunting on-center off-surround networks, Biol. Cybern. 20, 69-98. The parameters of the paper are not known
here: the defaults are our own, and the claims compare with theory and with independent integration.

What is known (`brnn.theory.slow_inhibition` has the closed forms for one cell):

- fast inhibition: the network settles. At the rate e = p, the slope of dx/dt with respect to x, the equilibrium loses
  its stability; slower inhibition makes limit cycles, though all connections are symmetric.
- with inhibition that all cells share, cells with larger input are more active at every moment: limit cycles that
  preserve order. (Where two cells met, the one with the larger input would grow faster.)
- with distance-dependent connections, an excitable row of cells carries a traveling wave; its speed is proportional to
  the width of the connections.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.analysis import Oscillation, arrival_times, measure_oscillation
from brnn.base.checks import choice, number
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Level, Mark, Run, figure, layer_panel, phase_panel, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import run
from brnn.signals import Linear, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.convolution import BOUNDARIES
from brnn.spec.topologies.distance import GaussianKernel
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import slow_inhibition as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: float = 1.0,
    B: float = 1.0,
    G: float = 8.0,
    e: float = 0.4,
    pattern: ArrayLike = 0.1,
    signal: Signal = Sigmoid(gain=8.0, half=math.sqrt(0.5), exponent=2.0),
    lateral: float = 0.3,
    center_width: float = 0.0,
    surround_width: float = math.inf,
    boundary: str = "zero",
    initial: ArrayLike = 0.0,
    interneurons: ArrayLike = 0.0,
) -> Network:
    """Return a network with slow inhibition, which oscillates by default.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern`, `initial` or `interneurons`, else 1.
    A : float, >= 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    G : float, >= 0
        Strength of all inhibition that a cell receives (1/time).
    e : float, > 0
        Rate of the interneurons (1/time).
    pattern : float or array, >= 0
        Inputs I_i (1/time).
    signal : Signal
        f, by which cells excite (1/time).
    lateral : float, in [0, 1]
        Fraction of the excitation that comes from all cells alike (1).
    center_width : float, >= 0
        Standard deviation of the rest (cells); 0 means from the cell itself.
    surround_width : float, >= 0
        Standard deviation of the inhibition (cells); 0 means from the cell's own interneuron, inf from all alike.
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the edge, for Gaussian connections.
    initial : float or array, >= 0
        Activities x_i at time 0 (1).
    interneurons : float or array, >= 0
        Activities y_i at time 0 (1).

    Returns
    -------
    Network
        Layers "interneurons" (y) and "cells" (x).

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "slow_inhibition"
    given = (("pattern", pattern), ("initial", initial), ("interneurons", interneurons))
    cells = field_shape(at, n, 1, given)
    x, y = (activities(value, f"{at}: {name}", cells, minimum=0.0) for name, value in given[1:])
    rate = number(e, f"{at}: e", above=0.0)
    f = signal_of(signal, f"{at}: signal")
    shared = number(lateral, f"{at}: lateral", minimum=0.0, maximum=1.0)
    near = number(center_width, f"{at}: center_width", minimum=0.0)
    far = number(surround_width, f"{at}: surround_width", minimum=0.0, infinite=True)
    edge = choice(boundary, f"{at}: boundary", BOUNDARIES)
    projections = [
        Projection("cells", "interneurons", "excitatory", Linear(), OneToOne(rate)),
        Projection("interneurons", "cells", "inhibitory", Linear(), _spread(G, far, cells, edge, f"{at}: G")),
        Projection("cells", "cells", "excitatory", f, _spread(1.0 - shared, near, cells, edge, at), name="center"),
    ]
    if shared > 0.0:
        projections.append(
            Projection("cells", "cells", "excitatory", f, _spread(shared, math.inf, cells, edge, at), name="lateral")
        )
    return Network(
        at,
        layers=(
            Layer.additive("interneurons", cells, A=rate, initial=y),
            Layer.shunting("cells", cells, A=A, B=B, initial=x),
        ),
        projections=projections,
        stimuli=(Stimulus("cells", "excitatory", activities(pattern, f"{at}: pattern", cells, minimum=0.0)),),
        duration=60.0,
        reference="Ellias and Grossberg (1975), Biol. Cybern. 20, 69-98",
    )


def _spread(total: float, width: float, cells: tuple[int, ...], boundary: str, where: str) -> Topology:
    """Return connections of the strength `total` in all: to oneself (0), to all (infinite), or a Gaussian."""
    strength = number(total, where, minimum=0.0)
    if width == 0.0:
        return OneToOne(strength)
    if math.isinf(width):
        return AllToAll(strength / math.prod(cells))
    return GaussianKernel(weight=strength, width=width, boundary=boundary)


# Claims --------------------------------------------------------------------------------------------------------

_1975 = "form of Ellias and Grossberg (1975), own parameters; "
_A, _B, _I, _G = 1.0, 1.0, 0.1, 8.0
_F = Sigmoid(gain=8.0, half=math.sqrt(0.5), exponent=2.0)


def _f(x: np.ndarray) -> np.ndarray:
    """Return the same signal as plain arithmetic."""
    return np.asarray(8.0 * np.maximum(x, 0.0) ** 2 / (0.5 + np.maximum(x, 0.0) ** 2))


def _cycle(e: float, start: float = 250.0, stop: float = 350.0) -> Oscillation:
    """Return the limit cycle of one cell."""
    times = np.linspace(start, stop, 10001)
    x = np.asarray(run(build(e=e), stop, times=times)["cells.x"])
    return measure_oscillation(times, x[:, 0])


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.pattern)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y = u[:n], u[n:]
        f = p.signal.gain * x**p.signal.exponent / (p.signal.half**p.signal.exponent + x**p.signal.exponent)
        excited = p.pattern + (1.0 - p.lateral) * near @ f + p.lateral * f.mean()
        return np.concatenate([-p.A * x + (p.B - x) * excited - x * (p.G * far @ y), p.e * (x - y)])

    near, far = (_gaussian_matrix(n, width, p.boundary == "periodic") for width in (p.center_width, p.surround_width))
    u = integrated(velocity, np.concatenate([p.initial, p.interneurons]), times)
    return {"cells.x": u[:, :n], "interneurons.x": u[:, n:]}


def _gaussian_matrix(n: int, width: float, ring: bool) -> np.ndarray:
    """Return exp(-d^2/2 width^2) over the distances d up to 4 widths, on a ring of n cells or on a row."""
    weights = np.zeros((n, n))
    radius = math.ceil(4.0 * width)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / width) ** 2)
    for shift, tap in zip(range(-radius, radius + 1), taps / taps.sum(), strict=True):
        for i in range(n):
            if ring or 0 <= i + shift < n:
                weights[i, (i + shift) % n] += tap
    return weights


@claim("Its equations, written out by hand", source="Ellias and Grossberg (1975), integrated by SciPy")
def equations() -> list[Comparison]:
    """Eight cells on a ring with Gaussian connections, every parameter off its default."""
    wave = np.cos(np.arange(8.0))
    parameters = {
        "A": 0.8,
        "B": 1.3,
        "G": 5.0,
        "e": 0.6,
        "pattern": 0.2 + 0.1 * wave,
        "signal": Numbers(Sigmoid, gain=6.0, half=0.6, exponent=1.8),
        "lateral": 0.4,
        "center_width": 0.9,
        "surround_width": 1.6,
        "boundary": "periodic",
        "initial": 0.3 + 0.2 * wave[::-1],
        "interneurons": 0.2 - 0.1 * wave,
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 4.0, 5), changed={"boundary": "zero"})


@claim("One cell: equilibrium, and loss of its stability exactly at e = p", source=_1975 + "trace of the Jacobian")
def hopf_bifurcation() -> list[Comparison]:
    """The growth rate of the simulator's own equations at the equilibrium changes sign at e = 0.81988549."""
    from brnn.compiler import compile_network
    from brnn.integrate.jacobian import growth_rate
    from brnn.theory.quenching import bisect

    x = float(theory.equilibria(_A, _B, _I, _G, _F)[0])
    rate, period = theory.hopf(x, _A, _B, _I, _G, _F)
    state = np.array([x, x])

    def stable(e: float) -> bool:
        return growth_rate(compile_network(build(e=e)).rhs(0.0), 0.0, state) < 0.0

    found = bisect(stable, 0.5, 1.2, 1e-9)
    settled = np.asarray(run(build(e=0.9), until="steady").final("cells"))
    return [
        Comparison(0.24297068, x, 1e-8, "equilibrium, tabled"),
        Comparison([0.24297068], settled, 1e-8, "e = 0.9: where the cell settles"),
        Comparison([0.81988549, 6.54550733], [rate, period], 1e-8, "rate and period by theory, tabled"),
        Comparison(rate, found.value, 1e-8, "rate at which stability is lost, bisected"),
    ]


@claim("Fast inhibition: the cell settles, ringing as the eigenvalues say", source=_1975 + "eigenvalues")
def settles_above() -> list[Comparison]:
    """e = 0.9 and 1.1: frequency and decrement of the last small oscillations."""
    rows = []
    x = float(theory.equilibria(_A, _B, _I, _G, _F)[0])
    for e in (0.9, 1.1):
        value = theory.eigenvalues(x, e, _A, _B, _I, _G, _F)[0]
        stop = 12.0 / -value.real
        times = np.linspace(0.5 * stop, stop, 8001)
        small = np.asarray(run(build(e=e), stop, times=times, rtol=1e-12, atol=1e-14)["cells.x"])[:, 0] - x
        # Without its decay the ringing is a regular oscillation.
        ringing = measure_oscillation(times, small * np.exp(-value.real * times), level=0.0)
        rows += [
            Comparison(2.0 * np.pi / value.imag, ringing.period, 1e-3, f"e = {e:g}: period of ringing"),
            Comparison(1.0, ringing.maxima[-1] / ringing.maxima[0], 1e-2, f"e = {e:g}: decay exp(Re t)"),
        ]
    return rows


@claim("Slow inhibition: limit cycles", source=_1975 + "computed outside of brnn")
def limit_cycles_below() -> list[Comparison]:
    """Tabled ranges and periods at e = 0.75 and e = 0.4; close to the bifurcation the period is that of theory."""
    rows = []
    for e, low, high, period in (
        (0.75, 0.15180904, 0.33866585, 7.1460213),
        (0.4, 0.06836807, 0.47106518, 9.7976540),
    ):
        found = _cycle(e)
        rows += [
            Comparison([low, high], [found.low, found.high], 2e-7, f"e = {e:g}: range of x"),
            Comparison(period, found.period, 2e-7, f"e = {e:g}: period"),
        ]
    rate, period = theory.hopf(float(theory.equilibria(_A, _B, _I, _G, _F)[0]), _A, _B, _I, _G, _F)
    near = [_cycle(rate * (1.0 - away), 3000.0, 3100.0) for away in (0.02, 0.01, 0.005)]
    squares = np.array([found.amplitude**2 for found in near])
    return [
        *rows,
        Comparison(period, near[-1].period, 0.05, "e = 0.995 p: period"),
        Comparison(
            [2.0, 2.0],
            squares[:-1] / squares[1:],
            0.1,
            "square of the amplitude is proportional to p - e, as after Hopf",
        ),
    ]


@claim("Several cells: the larger input is more active at every moment of the cycle", source=_1975 + "theorem")
def cycles_preserve_order() -> list[Comparison]:
    """Three sets of inputs, excitation that is shared in part, and inhibition that is shared by all."""
    rows = []
    for inputs, lateral in (
        ([0.15, 0.13, 0.11, 0.09, 0.07, 0.05], 0.3),
        ([0.12, 0.11, 0.10, 0.09, 0.08], 0.2),
        ([0.19, 0.1, 0.01], 1.0),
    ):
        I, n = np.array(inputs), len(inputs)

        def velocity(t: float, u: np.ndarray, I: np.ndarray, lateral: float) -> np.ndarray:
            x, y = np.split(u, 2)
            f = (1.0 - lateral) * _f(x) + lateral * _f(x).mean()
            return np.concatenate([-x + (1.0 - x) * (I + f) - 8.0 * x * y.mean(), 0.4 * (x - y)])

        times = np.linspace(0.0, 200.0, 8001)
        x = np.asarray(run(build(pattern=I, lateral=lateral), 200.0, times=times)["cells.x"])
        predicted = scipy_solution(velocity, times, np.zeros(2 * n), args=(I, lateral))[:, :n]
        cycles = [measure_oscillation(times, x[:, cell], start=100.0) for cell in range(n)]
        at = f"{n} cells, lateral {lateral:g}:"
        rows += [
            Comparison(predicted, x, 1e-6, f"{at} x_i over time, by independent integration"),
            Comparison.at_least(0.0, -np.diff(x[1:], axis=1), label=f"{at} gaps between neighbours, at all times"),
            Comparison.at_least(0.05, [cycle.amplitude for cycle in cycles], label=f"{at} amplitudes at late times"),
            Comparison(np.full(n, cycles[0].period), [cycle.period for cycle in cycles], 1e-6, f"{at} one period"),
        ]
    return rows


@claim("A row of excitable cells carries a traveling wave", source=_1975 + "equations integrated independently")
def wave_travels() -> list[Comparison]:
    """Kick at one end, center and surround Gaussian: arrival at each cell, even speed, and speed against width."""
    rows, speeds = [], []
    for width in (2, 4, 8):
        n = 40 * width
        arrival, predicted = _wave(n, width)
        middle = slice(12 * width, 32 * width)  # away from the kick and from the end
        slope, start = np.polyfit(np.arange(n)[middle], arrival[middle], 1)
        oracle = np.polyfit(np.arange(n)[middle], predicted[middle], 1)[0]
        speeds.append(1.0 / slope)
        rows += [
            Comparison(predicted, arrival, 1e-5, f"width {width}: arrival at each of {n} cells, independently"),
            Comparison(1.0 / oracle, 1.0 / slope, 1e-4, f"width {width}: speed (cells/time), independently"),
            Comparison(
                start + slope * np.arange(n)[middle], arrival[middle], 1e-3, f"width {width}: the speed is even"
            ),
        ]
    ratios = np.array(speeds[1:]) / speeds[:-1]
    return [*rows, Comparison([2.0, 2.0], ratios, 2e-3, "twice the width, twice the speed")]


def _wave(n: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return when a wave arrives at each cell: of the simulator, and with full matrices and SciPy."""
    I, e = 0.02, 0.2
    rest = float(theory.equilibria(_A, _B, I, _G, _F)[0])
    x0 = np.where(np.arange(n) < 3 * width, 0.3, rest)
    times = np.linspace(0.0, 20.0, 801)
    network = build(
        pattern=np.full(n, I),
        e=e,
        lateral=0.0,
        center_width=float(width),
        surround_width=1.5 * width,
        initial=x0,
        interneurons=rest,
    )
    result = run(network, times[-1], times=times, solver="DOP853")
    distance = np.subtract.outer(np.arange(n), np.arange(n))
    matrices = []
    for sigma in (float(width), 1.5 * width):
        reach = math.ceil(4.0 * sigma)  # where the simulator's kernel ends
        kernel = np.exp(-(distance**2) / (2.0 * sigma**2)) * (np.abs(distance) <= reach)
        matrices.append(kernel / np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2.0 * sigma**2)).sum())
    center, surround = matrices

    def velocity(t: float, u: np.ndarray) -> np.ndarray:
        x, y = np.split(u, 2)
        return np.concatenate(
            [-x + (1.0 - x) * (I + center @ _f(x)) - x * (8.0 * surround @ y), e * (x - y)],
        )

    oracle = scipy_solution(velocity, times, np.concatenate([x0, np.full(n, rest)]))[:, :n]
    return arrival_times(times, result["cells.x"], 0.2), arrival_times(times, oracle, 0.2)


# Figure -------------------------------------------------------------------------------------------------------


@figure("cells.x", "interneurons.x")
def oscillation(run: Run) -> FigureDescription | None:
    """Show one cell and its interneuron beside equilibrium and Hopf bifurcation of theory."""
    view = run.view("cells")
    if len(view.shape) > 1:
        return None
    if view.cells > 1:
        panels = (layer_panel(run, "cells", "Cells"), layer_panel(run, "interneurons", "Interneurons, which inhibit"))
        return FigureDescription("Slow inhibition shared by many cells", run.below, (panels,), (1.2,))
    cell, (center, *_) = run.part("cells"), [p for p in run.network.projections if p.name == "center"]
    numbers = (float(cell.A), float(cell.B), float(run.inputs_to("cells").flat[0]))
    G = float(run.part("interneurons_cells_inh").topology.weight)
    e = float(run.part("interneurons").A)
    names = (("cells", "cell x"), ("interneurons", "interneuron y"))
    marks: list[Mark] = [trace(run, layer, label=name, color=k) for k, (layer, name) in enumerate(names)]
    title, below = "Inhibition that comes too late", run.below
    rests = theory.equilibria(*numbers, G, center.signal)
    if rests.size == 1:
        rate, period = theory.hopf(float(rests[0]), *numbers, G, center.signal)
        marks.append(Level(float(rests[0]), "theory: equilibrium"))
        title = "Inhibition too slow: the equilibrium is unstable" if e < rate else "Inhibition fast enough: it settles"
        below = f"e = {e:g}; theory: cycles for e < {rate:.4g}, period {period:.3g} there   ·   {below}"
    panels = (
        time_panel(run, "Cell and interneuron", marks),
        phase_panel(run, ("cells", 0), ("interneurons", 0), ("cell x", "interneuron y"), width=0.85),
    )
    return FigureDescription(title, below, (panels,), (1.3,))
