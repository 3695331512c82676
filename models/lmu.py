"""Legendre memory unit (LMU): a linear additive network that remembers the last `theta` units of time of one input.

    theta dm_i/dt = sum_j A_ij m_j + B_i u(t)
    A_ij = (2 i + 1) (-1 if i < j else (-1)^(i - j + 1)),   B_i = (2 i + 1) (-1)^i,   i, j = 0 ... order - 1

so that dm_i/dt = -0 m_i + excitation - inhibition is an additive network (6), (7) without decay, with linear signals.
What the input was a time s ago, 0 <= s <= theta, is read from all cells: u(t - s) is about
sum_i P_i(2 s/theta - 1) m_i, with Legendre's polynomials P_i.

Source: Voelker, Kajic and Eliasmith (2019), Legendre memory units: continuous-time representation in recurrent neural
networks, NeurIPS 32, 15544-15553. This is its linear memory; the nonlinear cells that read it there are not part of it.

What is known: what is read at s = theta is the delay exp(-theta p) in Pade's approximation [order - 1/order], which
is the best one of its order for slow inputs: the error at the frequency f falls quickly with the order once
the order exceeds about pi f theta. Steps that a digital computer makes (zero-order hold) are exact for inputs that are
constant in between.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Mark, Run, figure, layer_panel, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape
from brnn.models.parts.runs import run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant, Schedule, Sine
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]


@takes_dotted_names
def build(
    order: int = 6,
    theta: float = 1.0,
    mean: float = 1.0,
    amplitude: float = 0.0,
    frequency: float = 0.5,
    phase: float = 0.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a Legendre memory of the input u(t) = mean + amplitude sin(2 pi frequency t + phase).

    By default it is shown a step.

    Parameters
    ----------
    order : int, >= 1
        Number of cells (1).
    theta : float, > 0
        How far back it remembers (time).
    mean : float
        Mean of the input (1).
    amplitude : float
        Amplitude of the input (1); with 0 it is constant.
    frequency : float, > 0
        Frequency of the input (1/time).
    phase : float
        Phase of the input at time 0 (radians).
    initial : float or array
        m at time 0 (1).

    Returns
    -------
    Network
        One layer, "m".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite, or the network is too large.
    """
    cells = field_shape("lmu", whole(order, "lmu: order", minimum=1), 1, ())
    window = number(theta, "lmu: theta", above=0.0)
    sine = Sine(
        number(frequency, "lmu: frequency", above=0.0),
        number(amplitude, "lmu: amplitude"),
        number(mean, "lmu: mean"),
        number(phase, "lmu: phase"),
    )
    u: Schedule
    u, size = (sine, 1.0) if sine.amplitude else (Constant(), sine.mean)
    A, B = _matrices(cells[0])
    return Network(
        "lmu",
        layers=(Layer.additive("m", cells, A=0.0, initial=activities(initial, "lmu: initial", cells)),),
        projections=(Projection("m", "m", "excitatory", Linear(), Dense(A / window)),),
        stimuli=(Stimulus("m", "excitatory", size * B / window, u),),
        duration=8.0 * window,
        reference="Voelker, Kajic and Eliasmith (2019), NeurIPS 32, 15544-15553",
    )


def _matrices(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return A and B."""
    i, j = np.arange(order)[:, None], np.arange(order)[None, :]
    A = (2.0 * i + 1.0) * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    return A, (2.0 * i[:, 0] + 1.0) * (-1.0) ** i[:, 0]


# Claims --------------------------------------------------------------------------------------------------------

_VOELKER = "Voelker, Kajic and Eliasmith (2019)"


def _read(m: np.ndarray, s: float) -> np.ndarray:
    """Return what the cells say of the input s windows ago."""
    return np.asarray(np.polynomial.legendre.legval(2.0 * s - 1.0, np.asarray(m).T))


def _pade(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numerator and denominator of the delay by one unit, lowest power first: Pade's [order - 1/order]."""
    q, whole_of = order, 2 * order - 1
    top = [math.comb(q - 1, i) * math.factorial(whole_of - i) * (-1.0) ** i for i in range(q)]
    bottom = [float(math.comb(q, i) * math.factorial(whole_of - i)) for i in range(q + 1)]
    return np.array(top) / bottom[0], np.array(bottom) / bottom[0]


def _response(order: int, p: complex) -> complex:
    """Return Pade's approximation of exp(-p)."""
    top, bottom = _pade(order)
    return complex(np.polyval(top[::-1], p) / np.polyval(bottom[::-1], p))


def _settled(order: int, theta: float, frequency: float) -> np.ndarray:
    """Return m at time 0 of the response to sin(2 pi frequency t) when everything before has died away."""
    A, B = _matrices(order)
    omega = 2.0j * math.pi * frequency
    return np.asarray(np.linalg.solve(omega * theta * np.eye(order) - A, B.astype(complex)).imag)


@claim("The delay is Pade's [order - 1/order]: amplitude and phase at every frequency", source=_VOELKER)
def sines_are_delayed_as_by_pade() -> list[Comparison]:
    """Orders 1 to 7, two windows and three frequencies: what is read at s = theta, beside |F| sin(w t + arg F)."""
    rows = []
    for order, theta in ((1, 1.0), (2, 0.5), (4, 2.0), (7, 1.0)):
        for frequency in (0.2 / theta, 0.6 / theta, 2.0 / theta):
            network = build(
                order=order,
                theta=theta,
                frequency=frequency,
                mean=0.0,
                amplitude=1.0,
                initial=_settled(order, theta, frequency),
            )
            times = np.linspace(0.0, 2.0 / frequency, 41)
            F = _response(order, 2.0j * math.pi * frequency * theta)
            predicted = np.abs(F) * np.sin(2.0 * math.pi * frequency * times + np.angle(F))
            found = _read(run(network, times[-1], times=times)["m.x"].values, 1.0)
            rows.append(Comparison(predicted, found, 1e-6, f"order {order}, frequency x theta {frequency * theta:g}"))
    return rows


@claim("A step arrives late by theta, as Pade's delay says", source=_VOELKER)
def steps_are_delayed_as_by_pade() -> list[Comparison]:
    """From m = 0, with u = 1: the inverse Laplace transform of F(p)/p, by partial fractions."""
    rows = []
    for order, theta in ((1, 1.0), (3, 0.7), (6, 1.5)):
        top, bottom = _pade(order)
        poles = np.roots(bottom[::-1])
        slope = np.polyder(np.poly1d(bottom[::-1]))
        times = np.linspace(0.0, 3.0 * theta, 31)
        terms = [np.polyval(top[::-1], p) / (p * slope(p)) * np.exp(p * times / theta) for p in poles]
        network = build(order=order, theta=theta, mean=1.0, amplitude=0.0)
        found = _read(run(network, times[-1], times=times)["m.x"].values, 1.0)
        rows.append(Comparison(1.0 + np.sum(terms, axis=0).real, found, 1e-7, f"order {order}: response to a step"))
    return rows


@claim("All of the window is remembered, the better the higher the order", source=_VOELKER)
def the_window_is_remembered() -> list[Comparison]:
    """A sine of half a period in the window: what is read at five lags, for orders 2 to 8, when m has settled."""
    lags = (0.0, 0.25, 0.5, 0.75, 1.0)
    times = np.linspace(0.0, 2.0, 33)
    errors = []
    for order in (2, 4, 6, 8):
        m = run(build(order=order, mean=0.0, amplitude=1.0, initial=_settled(order, 1.0, 0.5)), 2.0, times=times)[
            "m.x"
        ].values
        late = [np.sin(math.pi * (times - s)) for s in lags]
        errors.append(max(float(np.abs(_read(m, s) - u).max()) for s, u in zip(lags, late, strict=True)))
    return [
        Comparison.monotone("falling", errors, label="largest error, for orders 2, 4, 6, 8"),
        Comparison.at_most(1e-4, errors[-1], label="largest error of order 8"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    A = [[-1.0, -1.0, -1.0], [3.0, -3.0, -3.0], [-5.0, 5.0, -5.0]]
    if p.order == 4:
        A = [[*A[0], -1.0], [*A[1], -3.0], [*A[2], -5.0], [7.0, -7.0, 7.0, -7.0]]
    B = np.array([1.0, -3.0, 5.0, -7.0])[: p.order]
    start = np.resize(p.initial, p.order) if p.order == 4 else p.initial

    def velocity(t: float, m: np.ndarray, when: float) -> np.ndarray:
        u = p.mean + p.amplitude * np.sin(2.0 * np.pi * p.frequency * t + p.phase)
        return np.asarray((np.array(A) @ m + B * u) / p.theta)

    return {"m.x": integrated(velocity, start, times)}


@claim("Its equations, written out by hand", source=f"{_VOELKER}; integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells, every parameter off its default."""
    parameters = {
        "order": 3,
        "theta": 1.7,
        "mean": 0.4,
        "amplitude": 0.8,
        "frequency": 0.35,
        "phase": 0.6,
        "initial": np.array([0.3, -0.2, 0.5]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 4.0, 9), apart=())


# Figure -------------------------------------------------------------------------------------------------------


@figure("m.x")
def remembered(run: Run) -> FigureDescription | None:
    """Show what is read of the past beside the past, and the cells that hold it."""
    view, (stimulus,) = run.view("m"), run.network.stimuli
    if view.cells > 24:
        return None
    times, m = run.times("m"), run.values("m")
    window = 1.0 / float(np.ravel(stimulus.pattern)[0])  # B_0 = 1
    u = np.array([float(stimulus.at(float(t), view.shape)[0]) * window for t in times])
    past = np.interp(times - window, times, u, left=np.nan)
    past[times < run.start + window] = np.nan
    marks: list[Mark] = [
        Curve(times, u, "input u(t)", "given"),
        Curve(times, m.sum(axis=1), "read: u(t - theta)"),
        Curve(times, past, "the input, theta ago", "predicted"),
    ]
    panels = (
        time_panel(run, "What is read of theta ago", marks, y="input", spans=()),
        layer_panel(run, "m", "The cells that hold the past"),
    )
    title = "A few linear cells remember a window of the past"
    return FigureDescription(title, run.below, ((panels[0],), (panels[1],)))
