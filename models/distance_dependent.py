"""Distance-dependent on-center off-surround shunting network: contrast, edges and brightness constancy.

    dx_i/dt = -A x_i + (B - x_i) sum_k I_k C_ki - (D + x_i) sum_k I_k E_ki                       (feedforward)

C_ki and E_ki, the strengths of center and surround, fall off with distance as Gaussians, the surround being wider.
In the recurrent network the cells themselves send signals through the same two kernels:

    dx_i/dt = -A x_i + (B - x_i) [I_i + sum_k f(x_k) C_ki] - (D + x_i) sum_k f(x_k) E_ki         (recurrent)

Source: Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, text on distance-dependent networks after
(19); recurrent, with slow inhibition: Ellias and Grossberg (1975), Biol. Cybern. 20, 69-98.

What is known:

- x_i = [B (C*I)_i - D (E*I)_i]/[A + (C*I)_i + (E*I)_i], approached with the rate of the denominator.
- Inside a uniform region x = (B c - D e) I/(A + (c + e) I), c and e being the sums of the kernels: it is suppressed
  exactly, at every intensity, if B c = D e. At edges the response over- and undershoots: contrast enhancement.
- Brightness constancy: for strong inputs x depends on ratios of the inputs only. Brightness contrast: the same patch
  looks brighter on a dark ground.
- Recurrent: a uniform state u solves A u = (B - u) [I + c f(u)] - (D + u) e f(u); a small wave cos(q i) on it grows at
  the rate -A - I - (c + e) f(u) + [(B - u) C(q) - (D + u) E(q)] f'(u), C(q) and E(q) being the kernels' Fourier
  transforms. Where the rate is positive a pattern of bumps grows out of the uniform state.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Panel, Run, figure, pattern_marks
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, default_pattern, field_shape, presented, signal_of
from brnn.models.parts.runs import run, slope, stays_within
from brnn.signals import Linear, Sigmoid, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.distance import GaussianKernel
from brnn.theory import fields as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: float = 1.0,
    B: float = 1.0,
    D: float = 1.0,
    center: float = 1.0,
    center_width: float = 1.0,
    surround: float = 1.0,
    surround_width: float = 4.0,
    boundary: Literal["zero", "periodic", "reflect", "nearest"] = "nearest",
    recurrent: bool = False,
    signal: Signal = Linear(),
    feedback: Signal = Sigmoid(gain=10.0, half=0.2, exponent=2.0),
    pattern: ArrayLike | None = None,
    on: float = 20.0,
    receptor_rate: float = 100.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a distance-dependent network.

    By default a row of 100 cells sees a bright bar on a dimmer ground, in the feedforward network: the uniform parts
    are suppressed, the edges remain. The recurrent network answers with bumps, which go on when the input is off.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells, or of rows and columns (1); by default that of `pattern` or `initial`, else 100.
    A : float, >= 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    D : float, >= 0
        Minus the lower bound of activity (1).
    center : float, >= 0
        c, sum of the Gaussian through which cells are excited (1).
    center_width : float, > 0
        Its standard deviation, in cells (1).
    surround : float, >= 0
        e, sum of the Gaussian through which cells are inhibited (1).
    surround_width : float, > 0
        Its standard deviation, in cells (1).
    boundary : {"zero", "periodic", "reflect", "nearest"}
        How the field goes on beyond its edges.
    recurrent : bool
        Whether the kernels carry signals of the cells themselves instead of the receptors'.
    signal : Signal
        What a receptor sends for a stimulus of strength w (1/time): I_k = signal(pattern_k).
    feedback : Signal
        f, what a cell with activity x sends in the recurrent network (1/time).
    pattern : float or array, >= 0
        Strengths of the stimulus, one for each cell (1).
    on : float, > 0
        How long the input is on, from time 0 (time); may be infinite.
    receptor_rate : float, > 0
        How fast a receptor of the feedforward network follows the stimulus (1/time); it starts at the stimulus.
    initial : float or array
        Activities at time 0 (1).

    Returns
    -------
    Network
        The layer "F1"; in the feedforward network preceded by "receptors".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    where = "distance_dependent"
    if not isinstance(recurrent, bool):
        raise SpecError(f"{where}: recurrent = {recurrent!r}: must be true or false")
    cells = field_shape(where, n, 100, (("pattern", pattern), ("initial", initial)))
    if len(cells) > 2:
        raise SpecError(f"{where}: n = {cells}: must have 1 or 2 dimensions")
    given = _bar(cells) if pattern is None else activities(pattern, f"{where}: pattern", cells, minimum=0.0)
    stimulus = np.broadcast_to(given, cells)
    receive, f = signal_of(signal, f"{where}: signal"), signal_of(feedback, f"{where}: feedback")
    kernels: tuple[tuple[Literal["excitatory", "inhibitory"], GaussianKernel], ...] = (
        ("excitatory", _gaussian(center, center_width, boundary, f"{where}: center")),
        ("inhibitory", _gaussian(surround, surround_width, boundary, f"{where}: surround")),
    )
    field = Layer.shunting("F1", cells, A=A, B=B, D=D, initial=activities(initial, f"{where}: initial", cells))
    if recurrent:
        layers: tuple[Layer, ...] = (field,)
        source, sent, drive = "F1", f, receive(stimulus)
    else:
        rate = number(receptor_rate, f"{where}: receptor_rate", above=0.0)
        layers = (Layer.additive("receptors", cells, A=rate, initial=stimulus), field)
        source, sent, drive = "receptors", receive, rate * stimulus
    schedule = presented(on, f"{where}: on")
    length = on if math.isfinite(on) else 20.0
    return Network(
        where,
        layers=layers,
        projections=tuple(Projection(source, "F1", kind, sent, kernel) for kind, kernel in kernels),
        stimuli=(Stimulus(source, "excitatory", drive, schedule),),
        duration=2.0 * length if recurrent else length,
        reference="Grossberg (2013), Scholarpedia 8(2):1888; Ellias and Grossberg (1975), Biol. Cybern. 20, 69-98",
    )


def _gaussian(weight: Any, width: Any, boundary: str, where: str) -> GaussianKernel:
    strength, spread = number(weight, where, minimum=0.0), number(width, f"{where}_width", above=0.0)
    return GaussianKernel(weight=strength, width=spread, boundary=boundary)


def _bar(cells: tuple[int, ...]) -> np.ndarray:
    """Return a bar, in two dimensions a square, of intensity 10 on a ground of 2."""
    pattern = np.full(cells, 2.0)
    pattern[tuple(slice(size // 3, size - size // 3) for size in cells)] = 10.0
    return pattern


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "review, text after (19); closed form derived there"
_BOUNDARIES = {"zero": "constant", "periodic": "wrap", "reflect": "reflect", "nearest": "nearest"}


def _kernels(
    ndim: int, center: float = 1.0, surround: float = 1.0, widths: tuple[float, float] = (1.0, 4.0)
) -> list[np.ndarray]:
    """Return both kernels as plain arrays, up to four standard deviations."""
    return [
        theory.gaussian(width, math.ceil(4.0 * width), weight, ndim, unit_sum=True)
        for weight, width in ((center, widths[0]), (surround, widths[1]))
    ]


def _settled(pattern: np.ndarray, **parameters: Any) -> np.ndarray:
    """Return the feedforward response after at least 25 times the slowest time constant of a cell."""
    T = 25.0 / (1.0 + float(pattern.min()))
    result = run(build(pattern=pattern, on=math.inf, receptor_rate=10.0, **parameters), duration=T, times=[T])
    return np.asarray(result.final("F1"))


@claim("Equilibrium: x_i = [B (C*I)_i - D (E*I)_i]/[A + (C*I)_i + (E*I)_i]", source=_REVIEW)
def equilibrium_is_the_closed_form() -> list[Comparison]:
    """Random patterns in one and two dimensions, every boundary; scipy.ndimage sums the convolutions directly."""
    rows = []
    rng = np.random.default_rng(19)
    for shape in ((60,), (24, 17)):
        center, surround = _kernels(len(shape), 1.2, 0.8, (0.8, 2.5))
        for boundary, mode in _BOUNDARIES.items():
            pattern = rng.uniform(0.0, 5.0, size=shape)
            x = _settled(
                pattern, B=1.5, D=0.7, center=1.2, surround=0.8, center_width=0.8, surround_width=2.5, boundary=boundary
            )
            predicted = theory.equilibrium(pattern, center, surround, 1.0, 1.5, 0.7, mode)
            rows.append(Comparison(predicted, x, 1e-8, f"{len(shape)}-D, boundary {boundary}"))
    return rows


@claim("Each cell relaxes with its own rate A + (C*I)_i + (E*I)_i", source=_REVIEW)
def response_is_exponential() -> list[Comparison]:
    """The whole time course from given activities: strong inputs are answered fast."""
    rows = []
    for shape in ((100,), (20, 20)):
        pattern, initial = _bar(shape), 0.5 * np.sin(np.arange(math.prod(shape))).reshape(shape)
        network = build(pattern=pattern, initial=initial, on=math.inf)
        result = run(network, duration=1.0, times=np.linspace(0.0, 1.0, 21))
        center, surround = _kernels(len(shape))
        predicted = theory.trajectory(
            pattern, center, surround, 1.0, 1.0, 1.0, np.asarray(result.times), initial, "nearest"
        )
        rows.append(Comparison(predicted, result["F1.x"], 1e-8, f"{len(shape)}-D: x_i(t)"))
    return rows


@claim("Edges are enhanced, uniform regions are flat, and suppressed exactly if B c = D e", source=_REVIEW)
def edges_are_enhanced() -> list[Comparison]:
    """A luminance step of 2 to 10: over- and undershoot beside the edge, uniform activity out of its reach."""
    step = np.where(np.arange(100) < 50, 2.0, 10.0)
    center, surround = _kernels(1)
    rows = []
    for D in (1.0, 0.5):
        x = _settled(step, D=D)
        dark, bright = (theory.uniform(I, center, surround, 1.0, 1.0, D) for I in (2.0, 10.0))
        far = np.concatenate([x[:32], x[-32:]])  # the surround reaches 16 cells
        rows.append(Comparison(np.repeat([dark, bright], 32), far, 1e-8, f"D = {D:g}: away from the edge"))
        excess = [x.max() - bright, dark - x.min()]
        rows.append(Comparison.at_least(0.05, excess, label=f"D = {D:g}: overshoot and undershoot"))
        rows.append(Comparison.within([44, 50], [x.argmin(), x.argmax()], [49, 55], label=f"D = {D:g}: where they are"))
    for I in (0.1, 10.0, 1000.0):
        x = _settled(np.full((20, 20), I))
        rows.append(Comparison(np.zeros((20, 20)), x, 1e-8, f"B c = D e, uniform field of {I:g}: suppressed"))
    return rows


@claim("Brightness constancy: strong inputs are seen by their ratios", source=_REVIEW)
def brightness_is_constant() -> list[Comparison]:
    """One pattern in lights of three orders of magnitude; what is missing to the limit is A/(A + C*I + E*I)."""
    scales = (1.0, 10.0, 100.0, 1000.0)
    center, surround = _kernels(1)
    pattern = 0.2 + default_pattern((100,))
    limit = theory.saturated(pattern, center, surround, 1.0, 0.4, "nearest")
    both = theory.convolve(pattern, center, "nearest") + theory.convolve(pattern, surround, "nearest")
    rows, missing = [], []
    for scale in scales:
        x = _settled(scale * pattern, D=0.4)
        missing.append(float(np.abs(x - limit).max()))
        predicted = limit * (1.0 - 1.0 / (1.0 + scale * both))
        rows.append(Comparison(predicted, x, 1e-8, f"illumination {scale:g}: limit times 1 - A/(A + C*I + E*I)"))
    rows.append(Comparison.monotone("falling", missing, label="distance from the limit as illumination grows"))
    return [*rows, Comparison.at_most(1e-3, missing[-1], label="distance from the limit, illumination 1000")]


@claim("Brightness contrast: the same patch looks brighter on a dark ground", source=_REVIEW)
def patches_are_contrasted() -> list[Comparison]:
    """Two patches of luminance 5, one on a ground of 1 and one on a ground of 9."""
    pattern = np.where(np.arange(120) < 60, 1.0, 9.0)
    pattern[27:33] = pattern[87:93] = 5.0
    x = _settled(pattern, D=0.5)
    center, surround = _kernels(1)
    predicted = theory.equilibrium(pattern, center, surround, 1.0, 1.0, 0.5, "nearest")
    return [
        Comparison(predicted[[30, 90]], x[[30, 90]], 1e-8, "middle of both patches"),
        Comparison.at_least(0.1, float(x[30] - x[90]), label="dark ground minus bright ground"),
    ]


@claim(
    "Recurrent: small waves on the uniform state grow as the kernels' Fourier transforms say", source="derived from (8)"
)
def waves_grow_as_predicted() -> list[Comparison]:
    """On a ring: the uniform state, and the growth of small cosine waves on it, some decaying and some growing."""
    from scipy.optimize import brentq

    A, B, D, c, e, I = 0.9, 1.1, 0.8, 1.1, 1.0, 0.2
    gain, half, n, size = 5.0, 0.3, 96, 1e-5

    def f(w: float) -> float:
        return gain * w**2 / (half**2 + w**2)

    def velocity(w: float) -> float:
        return -A * w + (B - w) * (I + c * f(w)) - (D + w) * e * f(w)

    u = float(brentq(velocity, 1e-9, B, xtol=1e-15))
    steep = gain * 2.0 * u * half**2 / (half**2 + u**2) ** 2
    network = build(
        A=A,
        B=B,
        D=D,
        center=c,
        surround=e,
        boundary="periodic",
        recurrent=True,
        feedback=Sigmoid(gain, half, 2.0),
        pattern=np.full(n, I),
        on=math.inf,
    )
    kernels = _kernels(1, c, e)
    rates, measured = [], []
    for m in (0, 2, 5, 8, 20, 40):
        q = 2.0 * math.pi * m / n
        wave = np.cos(q * np.arange(n))
        C, E = (float(np.sum(k * np.cos(q * np.arange(-(k.size // 2), k.size // 2 + 1)))) for k in kernels)
        rates.append(-A - I - (c + e) * f(u) + ((B - u) * C - (D + u) * E) * steep)
        T = 1.0 / max(1.0, abs(rates[-1]))
        # Half the difference of two opposite waves is free of terms of second order.
        up, down = (
            np.asarray(run(network, T, initial=u + a * wave, times=[T], rtol=1e-12, atol=1e-14).final("F1"))
            for a in (size, -size)
        )
        measured.append(math.log(float((up - down) @ wave) / (2.0 * size * float(wave @ wave))) / T)
    return [
        Comparison(np.zeros(n), slope(network, np.full((1, n), u))[0], 1e-12, f"uniform state {u:.6f}: dx_i/dt"),
        Comparison(rates, measured, 1e-6, "growth rates of six waves"),
    ]


@claim("Activities stay between -D and B, in the recurrent network too", source="review, (8)")
def activities_are_bounded() -> list[Comparison]:
    """Strong random inputs, from random activities within the bounds, while the input is on and after."""
    rng = np.random.default_rng(75)
    rows: list[Comparison] = []
    for shape in ((100,), (12, 12)):
        pattern, initial = 10.0 * rng.random(shape), rng.uniform(-0.5, 1.0, size=shape)
        for recurrent in (True, False):
            network = build(D=0.5, recurrent=recurrent, pattern=pattern, initial=initial)
            label = f"{len(shape)}-D, {'recurrent' if recurrent else 'feedforward'}"
            rows += stays_within(network, -0.5, 1.0, label, rtol=1e-6, atol=1e-9)
    return rows


def _weights(n: int, total: float, width: float, boundary: str) -> np.ndarray:
    """Return a Gaussian up to 4 widths; for what lies beyond stands the nearest cell, or that around the ring."""
    radius, matrix = math.ceil(4.0 * width), np.zeros((n, n))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / width) ** 2)
    for i in range(n):
        for shift, tap in zip(range(-radius, radius + 1), total * taps / taps.sum(), strict=True):
            k = i + shift
            matrix[i, min(max(k, 0), n - 1) if boundary == "nearest" else k % n] += tap
    return matrix


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.pattern)
    C = _weights(n, p.center, p.center_width, p.boundary)
    E = _weights(n, p.surround, p.surround_width, p.boundary)

    def sent(w: np.ndarray) -> np.ndarray:
        power = np.maximum(w, 0.0) ** p.signal.exponent
        return np.asarray(p.signal.gain * power / (p.signal.half**p.signal.exponent + power))

    def feedback(x: np.ndarray) -> np.ndarray:
        return np.asarray(p.feedback.gain * np.maximum(x - p.feedback.threshold, 0.0))

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, r = u[:n], u[n:]
        on = float(when < p.on)
        if p.recurrent:
            excited, inhibited = on * sent(p.pattern) + C @ feedback(x), E @ feedback(x)
            return np.asarray(-p.A * x + (p.B - x) * excited - (p.D + x) * inhibited)
        field = -p.A * x + (p.B - x) * (C @ sent(r)) - (p.D + x) * (E @ sent(r))
        return np.concatenate([field, p.receptor_rate * (on * p.pattern - r)])

    receptors = [] if p.recurrent else p.pattern
    u = integrated(velocity, np.concatenate([p.initial, receptors]), times, [p.on])
    return {"F1.x": u[:, :n]} if p.recurrent else {"F1.x": u[:, :n], "receptors.x": u[:, n:]}


@claim("Its equations, written out by hand", source="review, text after (19); integrated by SciPy")
def equations() -> list[Comparison]:
    """Seven cells on a ring, feedforward and recurrent, every parameter off its default."""
    parameters = {
        "A": 0.8,
        "B": 1.3,
        "D": 0.6,
        "center": 1.4,
        "center_width": 0.7,
        "surround": 0.9,
        "surround_width": 1.6,
        "boundary": "periodic",
        "signal": Numbers(Sigmoid, gain=2.0, half=0.6, exponent=1.8),
        "pattern": 0.6 + 0.4 * np.sin(1.0 + np.arange(7.0) ** 2),
        "on": 1.5,
        "initial": 0.2 * np.cos(np.arange(7.0)) + 0.1,
    }
    times = np.linspace(0.0, 3.0, 7)
    rate, feedback = 5.0, Numbers(ThresholdLinear, gain=1.7, threshold=0.05)
    apart, other = ("n", "recurrent"), {"boundary": "nearest"}
    return [
        *equations_by_hand(
            functools.partial(build, recurrent=False),
            {**parameters, "receptor_rate": rate},
            lambda p, times: _by_hand(SimpleNamespace(recurrent=False, **vars(p)), times),
            times,
            apart=(*apart, "feedback"),
            changed=other,
        ),
        *equations_by_hand(
            functools.partial(build, recurrent=True),
            {**parameters, "feedback": feedback},
            lambda p, times: _by_hand(SimpleNamespace(recurrent=True, **vars(p)), times),
            times,
            apart=(*apart, "receptor_rate"),
            changed=other,
            tolerance=1e-6,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def contrast(run: Run) -> FigureDescription | None:
    """Show a row of cells beside its input and the equilibrium of theory; images have the usual figure."""
    view = run.view("F1")
    if len(view.shape) > 1 or view.cells > 1000 or "receptors" not in [layer.name for layer in run.network.layers]:
        return None
    field, kernels = run.part("F1"), [run.part(f"receptors_F1_{kind}") for kind in ("exc", "inh")]
    given = run.inputs_to("receptors") / float(np.max(run.part("receptors").A))
    center, surround = (
        theory.gaussian(link.topology.width, math.ceil(4.0 * link.topology.width), link.topology.weight, unit_sum=True)
        for link in kernels
    )
    numbers = (float(field.A), float(field.B), float(field.E))
    sent = kernels[0].signal(given)
    predicted = theory.equilibrium(sent, center, surround, *numbers, kernels[0].topology.boundary)
    marks = pattern_marks(run.last("F1"), None, predicted, ("", "response", "theory"))
    panels = (
        Panel("Input", tuple(pattern_marks(given)), "cell", "intensity", width=0.7),
        Panel("Response in the end", tuple(marks), "cell", "activity", legend="top"),
    )
    title = "Uniform areas are suppressed, edges are enhanced"
    return FigureDescription(title, run.below, (panels,), (1.2,))
