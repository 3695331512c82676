"""Contour adaptation: a shape whose outline was seen flickering fades into its ground.

    dc_o/dt = r (-c_o + z_o)                                        complex cells of orientation o
    dy_o/dt = H (K - y_o) - L w_o y_o,  w_o = tonic + min(c_o, clip)      their habituative gates (10)
    dg_o/dt = r (-g_o + w_o y_o)                                    gated signals
    dO_o/dt = r (-O_o + g_o - a g_p)                                dipole of o and the other orientation p
    dl/dt = r (-l + L)                                              luminance, from white 1 to black -1
    dS_i/dt = sum_n P_ni (S_n - S_i)                                surface; P = 0 across a boundary, O_o > 9.5

z_o is the response of complex cells to the picture that is shown: ON and OFF cells of the lateral geniculate (shunting
cells (8) at rest), simple cells of four orientations and phases, whose sizes are added (`brnn.theory.contours`, where
the numbers stand). The outline of some shapes is shown, black and white in turn; then a faint picture. The network has
all but the last equation, which levels the luminances within each region that boundaries enclose; its rest is
`brnn.theory.contours.filled_in`, which `surface` applies to a run.

Source: Francis and Kim (2012), Simulations of induced visual scene fading with boundary offset and filling-in, Vision
Res. 62, 181-191; Francis (2015), Contour adaptation: simulations with FACADE. Numbers are those of the public code
(CANNEM.py), whose adaptation of 6 s takes 59 steps of 0.1 s; its cells are algebraic, ours follow at the rate r.

What is known:

- a contour makes a boundary if z > (9.5 + a tonic y(0))/y - tonic: 0.35 unadapted, 7.8 after 59 steps of adaptation.
- an edge of 5 grey levels has z = 3.98: it is seen, and not any more when its contour was adapted. The surface then
  flows out, and a shape without contours has the luminance of its ground. One of 10 grey levels would be seen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Run, figure, theory_curve, time_panel
from brnn.models.parts import contours_by_hand
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.contour_conditions import CONDITIONS, condition, outcomes, outline
from brnn.models.parts.runs import run
from brnn.signals import Function, Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import contours as theory

__all__ = ["CONDITIONS", "THRESHOLD", "build", "condition", "crosses", "outline", "surface"]

THRESHOLD = 9.5  # of a boundary
WHITE = 127.0  # grey levels from the ground to white
_BYTES_PER_PIXEL = 8 * 8 * 20


def crosses(side: int = 28, arm: int = 7, thick: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return four filled crosses, -1 (darker) and 1 (lighter), and the outlines of two of them.

    Those of the article stand in 200 x 200 pixels, with arms of 43 x 15: ``crosses(200, 43, 15)``.

    Parameters
    ----------
    side : int
        Pixels along each side of the picture; the crosses stand a quarter and a half of it from each other.
    arm, thick : int
        Length and width of their arms, odd.
    """
    picture, adapted = np.zeros((side, side)), np.zeros((side, side))
    quarter, half, long, short = side // 4, side // 2, arm // 2, thick // 2
    places = ((half, quarter), (quarter, half), (half, 3 * quarter), (3 * quarter, half))
    for k, (row, column) in enumerate(places):
        shape = np.zeros((side, side), dtype=bool)
        for tall, wide in ((long, short), (short, long)):
            shape[row - tall : row + tall + 1, column - wide : column + wide + 1] = True
        picture[shape] = -1.0 if k < 2 else 1.0
        if k in (1, 3):
            adapted[outline(shape)] = 1.0
    return picture, adapted


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    adaptor: ArrayLike | None = None,
    contrast: float = 5.0,
    adapt: float = 5.9,
    shown: float = 2.0,
    flicker: float = 0.1,
    tonic: float = 5.0,
    clip: float = 25.0,
    H: float = 0.007,
    K: float = 20.0,
    L: float = 0.007,
    a: float = 0.5,
    rate: float = 100.0,
) -> Network:
    """Return gates and dipoles of horizontal and vertical contours, which see an adaptor and then a picture.

    By default the picture has four crosses, two darker and two lighter than the ground, and the outlines of two of them
    are the adaptor: the condition "Crosses", with smaller crosses than those of the article (`crosses`).

    Parameters
    ----------
    pattern : array, shape (rows, columns), in [-1, 1]
        The picture, relative to the ground (1); it is multiplied by `contrast`.
    adaptor : array, shape (rows, columns), in [-1, 1]
        What flickers, 1 where it is black and white in turn (1); nothing by default if a pattern is given.
    contrast : float, >= 0
        Grey levels of the pattern 1 (1), at most 127.
    adapt : float, >= 0
        How long the adaptor is shown (s).
    shown : float, > 0
        How long the picture is shown after it (s).
    flicker : float, > 0
        How long the adaptor has one color (s).
    tonic : float, >= 0
        Input of every gate without contours (1).
    clip : float, > 0
        Largest signal of a complex cell (1).
    H : float, > 0
        Rate of accumulation of the gates (1/s).
    K : float, > 0
        Level of the rested gate without tonic input (1).
    L : float, >= 0
        Rate of depletion of the gates per unit of signal (1/s).
    a : float, >= 0
        Inhibition by the other orientation (1).
    rate : float, > 0
        r: how fast the cells follow (1/s).

    Returns
    -------
    Network
        Layer "luminance"; "complex_h", "gated_h" and "dipole_h" for horizontal contours, with gates "gates_h"; the same
        with "_v" for vertical ones.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "contour_adaptation"
    own_picture, own_adaptor = crosses()
    if pattern is None:
        picture = own_picture if adaptor is None else np.zeros(_picture(adaptor, f"{at}: adaptor").shape)
    else:
        picture = _picture(pattern, f"{at}: pattern")
    if adaptor is None:
        flickering = own_adaptor if pattern is None else np.zeros(picture.shape)
    else:
        flickering = _picture(adaptor, f"{at}: adaptor")
    if flickering.shape != picture.shape:
        raise SpecError(f"{at}: adaptor: has shape {flickering.shape}, must have that of the pattern, {picture.shape}")
    refuse_above(_BYTES_PER_PIXEL * picture.size, f"{at}: pattern: {picture.size} pixels")
    size, r = number(contrast, f"{at}: contrast", minimum=0.0, maximum=WHITE), number(rate, f"{at}: rate", above=0.0)
    before, after = number(adapt, f"{at}: adapt", minimum=0.0), number(shown, f"{at}: shown", above=0.0)
    each, base = number(flicker, f"{at}: flicker", above=0.0), number(tonic, f"{at}: tonic", minimum=0.0)
    most, other = number(clip, f"{at}: clip", above=0.0), number(a, f"{at}: a", minimum=0.0)
    accumulate, depletion = number(H, f"{at}: H", above=0.0), number(L, f"{at}: L", minimum=0.0)
    rested = accumulate * number(K, f"{at}: K", above=0.0) / (accumulate + depletion * base)
    gate = HabituativeGate(accumulate, number(K, f"{at}: K"), depletion, initial=rested)
    signal = Function("tonic + min(w, clip)", tonic=base, clip=most)
    signs = (-1.0, 1.0)  # black first
    colors = [theory.complex_responses(sign * flickering) for sign in signs] if before else []
    luminance = size / WHITE * picture
    seen = theory.complex_responses(luminance)
    layers = [Layer.additive("luminance", picture.shape, A=r)]
    projections: list[Projection] = []
    stimuli: list[Stimulus] = []
    after_adaptation, flickers = Pulse(before, before + after), _flickers(before, each) if before else None

    def show(layer: str, picture: np.ndarray, adaptors: list[np.ndarray]) -> None:
        stimuli.append(Stimulus(layer, "excitatory", r * picture, after_adaptation))
        if flickers is not None:
            stimuli.append(Stimulus(layer, "excitatory", r * np.stack(adaptors), flickers))

    show("luminance", luminance, [sign * flickering for sign in signs])
    for k, o in enumerate("hv"):
        p = "vh"[k]
        layers += [
            Layer.additive(f"complex_{o}", picture.shape, A=r),
            Layer.additive(f"gated_{o}", picture.shape, A=r, initial=base * rested),
            Layer.additive(f"dipole_{o}", picture.shape, A=r, initial=(1.0 - other) * base * rested),
        ]
        projections += [
            Projection(f"complex_{o}", f"gated_{o}", "excitatory", signal, OneToOne(r), gate=gate, name=f"gates_{o}"),
            Projection(f"gated_{o}", f"dipole_{o}", "excitatory", Linear(), OneToOne(r)),
            Projection(f"gated_{p}", f"dipole_{o}", "inhibitory", Linear(), OneToOne(r * other)),
        ]
        show(f"complex_{o}", seen[k], [responses[k] for responses in colors])
    return Network(
        at,
        layers,
        projections,
        stimuli,
        duration=before + after,
        time_units="s",
        reference="Francis and Kim (2012), Vision Res. 62, 181-191",
    )


def _picture(value: Any, where: str) -> np.ndarray:
    found = array(value, where, ndim=2)
    if np.abs(found).max() > 1.0:
        raise SpecError(f"{where}: has the element {found.flat[np.abs(found).argmax()]:g}; all must be in [-1, 1]")
    return found


def _flickers(adapt: float, each: float) -> Sequence:
    """Return black and white in turn, black first."""
    count = max(1, math.ceil(adapt / each - 1e-9))
    lengths = np.full(count, each)
    lengths[-1] = adapt - each * (count - 1)
    return Sequence(np.arange(count) % 2, lengths)


def surface(luminance: ArrayLike, dipole_h: ArrayLike, dipole_v: ArrayLike) -> np.ndarray:
    """Return the surface at rest, in grey levels from the ground, of luminances and dipoles at one time."""
    return theory.filled_in(
        WHITE * np.asarray(luminance), np.asarray(dipole_h) - THRESHOLD, np.asarray(dipole_v) - THRESHOLD
    )


# Claims --------------------------------------------------------------------------------------------------------

_CODE = "Francis and Kim (2012), equations of its public code"


@claim("A gate under a flickering outline falls as 0.645 + 2.688 exp(-0.217 t), to 1.392", source=_CODE)
def gates_habituate() -> list[Comparison]:
    """The default crosses: the gates at every pixel of the outline whose response is at its ceiling."""
    result = run(build(shown=0.1), times=np.array([0.0, *np.linspace(0.3, 5.9, 15), 6.0]), rtol=1e-6)
    y, times = np.asarray(result["gates_h.y"])[:-1], result["gates_h.y"].time.values[:-1]
    deepest = y[-1] < y[-1].min() + 1e-3
    expected = 20.0 / 31.0 + (20.0 / 6.0 - 20.0 / 31.0) * np.exp(-0.217 * times)
    return [
        Comparison(1.392, y[-1].min(), 1e-3, "lowest gate after 59 steps"),
        Comparison(expected[:, None] * np.ones(deepest.sum()), y[:, deepest], 5e-3, "gates of the outline over time"),
        Comparison.exact(20.0 / 6.0, y[0].max(), "gate at rest, K/(1 + tonic)"),
    ]


def _edges(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return squares, too large for their sides to feel each other, of contrasts that rise, and their outlines."""
    picture, adapted = np.zeros((21, 21 * levels.size)), np.zeros((21, 21 * levels.size))
    for k, level in enumerate(levels):
        square = np.zeros(picture.shape, dtype=bool)
        square[3:18, 21 * k + 3 : 21 * k + 18] = True
        picture[square] = level
        adapted[outline(square)] = 1.0
    return picture, adapted


@claim("A contour makes a boundary from z = 0.35 on, and from 7.8 on when it was adapted", source=f"{_CODE}, solved")
def thresholds() -> list[Comparison]:
    """Closed forms; and squares of rising contrast, at whose straight edges z and the dipole are read."""
    rest, adapted = 20.0 / 6.0, 20.0 / 31.0 + (20.0 / 6.0 - 20.0 / 31.0) * math.exp(-0.217 * 5.9)
    low, high = (theory.contour_threshold(y, rest, THRESHOLD, 5.0, 0.5) for y in (rest, adapted))
    rows = [
        Comparison(0.35, low, 1e-12, "unadapted, closed form"),
        Comparison(7.8, high, 0.05, "adapted, closed form"),
        Comparison(107.0 / 6.0 / adapted - 5.0, high, 1e-6, "the same, 17.833/y - 5"),
    ]
    for adapt, contrasts, z in ((0.0, np.linspace(0.2, 0.8, 4), 0.35), (5.9, np.linspace(7.0, 13.0, 4), 7.8081)):
        picture, flickers = _edges(contrasts / 20.0)
        network = build(picture, flickers, contrast=20.0, adapt=adapt, shown=0.15)
        result = run(network, times=[0.0, adapt + 0.15], rtol=1e-6)
        seen, dipole = (np.asarray(result.final(f"{name}_h")) for name in ("complex", "dipole"))
        middle = np.arange(contrasts.size) * 21 + 10
        row = seen[:, middle].argmax(axis=0)  # the upper or the lower edge of each square
        crossing = np.interp(THRESHOLD, dipole[row, middle], seen[row, middle])
        rows.append(Comparison(z, crossing, 0.02, f"after {adapt:g} s: z at which the dipole is 9.5", relative=True))
    return rows


@claim("Crosses whose outlines were adapted vanish into the ground, the others stay", source="Francis and Kim (2012)")
def adapted_crosses_vanish() -> list[Comparison]:
    """Grey levels of the surface at the middle of each cross, all through the test; a strong contrast survives."""
    picture, adaptor = crosses()
    middles = ((14, 7), (7, 14), (14, 21), (21, 14))
    rows = []
    for name, options, expected in (
        ("without adaptation", {"adapt": 0.0}, [-5.0, -5.0, 5.0, 5.0]),
        ("adapted", {}, [-5.0, 0.0, 5.0, 0.0]),
        ("adapted, 20 grey levels", {"contrast": 20.0}, [-20.0, -20.0, 20.0, 20.0]),
    ):
        network = build(picture, adaptor, **options)
        start = float(network.duration or 0.0) - 2.0
        result = run(network, times=[0.0, start + 0.1, start + 1.0, start + 2.0], rtol=1e-6)
        dipoles = [np.asarray(result[f"dipole_{o}.x"]) for o in "hv"]
        light = np.asarray(result["luminance.x"])
        seen = [[surface(light[k], *(d[k] for d in dipoles))[place] for place in middles] for k in (1, 2, 3)]
        rows.append(Comparison([expected] * 3, seen, 0.02, f"{name}: grey levels of the four crosses"))
    return rows


@claim(
    "Fading follows the contours that were adapted, in eleven other conditions",
    source="Francis and Kim (2012), direction only",
)
def other_conditions() -> list[Comparison]:
    """Geometry of our own, each color shown for half of the time; all with cells that follow at once, two as runs."""
    rows, runs = [], ("pyramids", "white")
    picture, adaptor = (np.vstack([condition(name)[k] for name in runs]) for k in (0, 1))
    result = run(build(picture, adaptor, shown=0.15, flicker=2.95), times=[0.0, 6.05], rtol=1e-3, atol=1e-5)
    ends = [result.final(name) for name in ("luminance", "dipole_h", "dipole_v")]
    for name, view in zip(runs, np.split(surface(*ends), len(runs)), strict=True):
        rows += [Comparison.exact(1, int(holds), f"{name}, run: {words}") for words, holds in outcomes(name, view)]
    for name in CONDITIONS:
        picture, adaptor = condition(name)
        seen = surface(5.0 / WHITE * picture, *_dipoles_at_once(5.0 / WHITE * picture, adaptor))
        rows += [Comparison.exact(1, int(holds), f"{name}: {words}") for words, holds in outcomes(name, seen)]
    return rows


def _dipoles_at_once(luminance: np.ndarray, adaptor: np.ndarray) -> list[np.ndarray]:
    """Return the dipoles of both orientations after black and white adaptors, with the numbers of the public code."""
    colors = [theory.complex_responses(sign * adaptor) for sign in (-1.0, 1.0)]
    gated = []
    for o, z in enumerate(theory.complex_responses(luminance)):
        y = theory.adapted_gates([color[o] for color in colors], (2.95, 2.95), 0.007, 20.0, 0.007, 5.0, 25.0)
        gated.append((5.0 + np.minimum(z, 25.0)) * y)
    return [gated[0] - 0.5 * gated[1], gated[1] - 0.5 * gated[0]]


@claim("An edge of 5 grey levels has z = 3.98, and one of 10 about twice that", source=_CODE)
def size_of_an_edge() -> list[Comparison]:
    """The crosses of the article, 43 x 15 in 200 x 200 pixels."""
    picture = crosses(200, 43, 15)[0]
    z = [max(part.max() for part in theory.complex_responses(level / WHITE * picture)) for level in (5.0, 10.0)]
    return [
        Comparison(3.98, z[0], 5e-3, "largest response to 5 grey levels"),
        Comparison(2.0, z[1] / z[0], 0.03, "10 grey levels: ratio"),
    ]


@claim("Its equations, written out by hand", source=f"{_CODE}, with sums over pixels for filters; SciPy")
def equations() -> list[Comparison]:
    """A picture of 3 x 4 pixels, every parameter off its default."""
    rng = np.random.default_rng(2012)
    parameters: dict[str, Any] = {
        "pattern": rng.uniform(-1.0, 1.0, (3, 4)),
        "adaptor": 0.5 * rng.uniform(0.2, 1.0, (3, 4)),
        "contrast": 11.0,
        "adapt": 0.5,
        "shown": 0.6,
        "flicker": 0.2,
        "tonic": 3.0,
        "clip": 9.0,
        "H": 0.08,
        "K": 13.0,
        "L": 0.06,
        "a": 0.7,
        "rate": 12.0,
    }
    return equations_by_hand(
        build,
        parameters,
        contours_by_hand.course,
        np.array([0.0, 0.1, 0.3, 0.45, 0.6, 0.9, 1.2]),
        apart=(),
        tolerance=1e-5,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("luminance.x", "gates_h.y", "dipole_h.x", "dipole_v.x")
def fading(run: Run) -> FigureDescription | None:
    """Show the picture, what is seen of it after adaptation, and the gates and dipoles behind it."""
    light, cells = run.network.stimuli[0].schedule, run.view("luminance")
    if not isinstance(light, Pulse) or run.end < light.off - 1e-9 or cells.cells < 2:
        return None
    middle = 0.5 * (light.on + light.off)
    picture = WHITE * run.at("luminance", middle)
    seen = surface(run.at("luminance", middle), run.at("dipole_h", middle), run.at("dipole_v", middle))
    top = float(np.abs(picture).max()) or 1.0
    size = f"{picture.shape[0]} x {picture.shape[1]} pixels"

    def image(values: np.ndarray, title: str) -> Panel:
        marks = (Picture(values, "grey levels", "gray", (-top, top)),)
        return Panel(title, marks, "", "", legend="none", x_ticks=(), y_ticks=(), square=True)

    times, gates, dipoles = run.times("gates_h.y"), run.values("gates_h.y"), run.values("dipole_h")
    start = int(np.searchsorted(times, light.on, side="right")) - 1
    faint = run.view("complex_h").frame_at(middle)[1].ravel()
    rest = float(gates[0].max())
    fresh = gates[start] > 0.98 * rest
    chosen = [("adapted", int(np.argmin(gates[start] - 1e-3 * faint / (faint.max() or 1.0))))]
    if (faint[fresh] > 0.0).any():
        chosen.append(("not adapted", int(np.flatnonzero(fresh)[faint[fresh].argmax()])))
    gate_marks: list[Mark] = []
    dipole_marks: list[Mark] = []
    for color, (name, pixel) in enumerate(chosen):
        gate_marks.append(Curve(times, gates[:, pixel], name, color=color))
        dipole_marks.append(Curve(times, dipoles[:, pixel], name, color=color))
    g, signal = run.part("gates_h").gate, dict(run.part("gates_h").signal.parameters)
    if light.on > 0.0 and gates[start].min() < 0.9 * rest:
        t = np.linspace(0.0, light.on, 60)
        w = signal["tonic"] + signal["clip"]
        low = g.H * g.K / (g.H + g.L * w)
        gate_marks.append(theory_curve(t, low + (rest - low) * np.exp(-(g.H + g.L * w) * t), "theory, at the ceiling"))
    level = Curve([run.start, run.end], [THRESHOLD, THRESHOLD], "boundary above", "guide")
    vanishes = bool(np.abs(seen - picture).max() > 0.5 * top)
    rows = (
        (image(picture, "The picture"), image(seen, "What is seen: the surface at rest")),
        (
            time_panel(run, "Gates of two contours", gate_marks, y="gate y", spans=()),
            time_panel(run, "Dipoles", [*dipole_marks, level], y="O", spans=()),
        ),
    )
    title = "Shapes fade when their contours were adapted" if vanishes else "All shapes are seen"
    return FigureDescription(title, f"{size}   ·   {run.below}", rows, (1.3, 1.0))
