"""ViSTARS: where one is heading, read off the optic flow in the frames of a movie.

    da/dt = -0.001 a + (1 - a) 2 I - (0.25 + a) F * I                 contrast; I: a frame, and 1 - the frame
    dx/dt = 10 (-x + (2 - x) b),   b = [a - 0.1]+^2/(0.001 + [a - 0.1]+^2)        transient cells
    dz/dt = H (1 - z) - L x z,   y = [x z]+                                       their habituative gates (10)
    dc_k/dt = -c_k + y - v [c_k+4 at the next pixel of direction k]+              direction k = 0 ... 7: interneurons
    de_k/dt = 10 (-e_k + y - v [c_k+4 at the next pixel of direction k]+)         and cells
    df_k/dt = -0.1 f_k + (1 - f_k) S_k - (0.01 + f_k) sum_(j != k) S_j            S_k: sum of [e_k]+ over the polarities
    dq_k/dt = -0.5 q_k + (1 - q_k) (L_k * m_k (1 + (g/N) sum_h R_h w_hk) + 0.5 Q_k) - q_k D_k         MT
    dr_h/dt = -0.5 r_h + (1 - r_h) ((4/W) sum_k w_hk . Q_k + 0.25 R_h) - r_h i sum_(j != h) R_j       MSTd

The first six lines exist at three resolutions: frames averaged over blocks of 1, 2 and 4 pixels. m_k is the sum of
[f_k]+ over the blocks of a coarse pixel, divided by the side of a block, of all three; D_k weighs the Q of other
directions. Q = [q - 0.2]+^2, R = [r - 0.2]+^2/(0.01 + [r - 0.2]+^2); w_h, h = 1 ... N, are templates of what streams
away from one place each, W the smallest sum of one of them. The heading is the place whose R is largest. Time is
counted in frames; rows count downward, so that direction 2 is down.

Source: Browning, Grossberg and Mingolla (2009), A neural model of how the brain computes heading from optic flow in
realistic scenes, Cognitive Psychology 59, 320-356, with the equations and numbers of its public code. There the
template stands one coarse row below the heading that it reports; here it stands at the heading. Filters, templates and
movies with a known heading are in `brnn.theory.optic_flow`.

What is known:

- in a still movie the first levels have closed forms: a goes to (2 I - 0.25 F*I)/(0.001 + 2 I + F*I), x to 2 b/(1 + b),
  z to H/(H + L x), so that what does not move fades.
- headings are the templates nearest to the focus of expansion across the picture, within 2.5 coarse columns; up and
  down the upper neighbour often wins.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import run
from brnn.signals import Expression, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.layers.modulated import ModulatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules.frames import Frames
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.across_channels import AcrossChannels
from brnn.spec.topologies.block_sums import BlockSums
from brnn.spec.topologies.channels import ChannelKernels
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.successive import Successive
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory import optic_flow as theory

__all__ = ["build", "headings", "outputs"]

_COARSEST = 4  # pixels of a frame along a pixel of MT
_BYTES_PER_PIXEL = 8 * 62 * 20
_CONTRAST = Expression("max(w - low, 0)**2/(half**2 + max(w - low, 0)**2)", low=0.1, half=0.031623)
_MT = Expression("max(w - low, 0)**2", low=0.2)
_HEADING = Expression("max(w - low, 0)**2/(half**2 + max(w - low, 0)**2)", low=0.2, half=0.1)


@takes_dotted_names
def build(
    frames: ArrayLike | None = None,
    interval: float = 1.0,
    scales: int = 3,
    H: float = 0.01,
    L: float = 0.2,
    veto: float = 2.0,
    opponents: ArrayLike = (0.5, 1.0, 1.0, 10.0),
    feedback: float = 0.5,
    inhibition: float = 0.25,
) -> Network:
    """Return the levels from contrast to heading, which see a movie.

    Parameters
    ----------
    frames : array, shape (frames, rows, columns)
        Luminances from 0 to 1, or of type uint8; rows and columns are multiples of 4, at least 12 and 16. By default
        twelve frames of 16 x 40 pixels, in which dots stream away from a focus on the right.
    interval : float, > 0
        How long each frame is shown (frames).
    scales : int, 1 to 3
        At how many resolutions motion is seen: blocks of 1, 2 and 4 pixels.
    H : float, > 0
        Rate at which the gates of transient cells recover (1/frames).
    L : float, >= 0
        Rate at which they are depleted by a unit of signal (1/frames).
    veto : float, >= 0
        v: inhibition by the interneuron of the opposite direction at the next pixel.
    opponents : array, shape (4,), >= 0
        Inhibition in MT between directions that lie 45, 90, 135 and 180 degrees apart.
    feedback : float, >= 0
        g: how much MSTd enhances in MT what fits its heading.
    inhibition : float, >= 0
        i: inhibition between headings.

    Returns
    -------
    Network
        Layers "contrast_1", "transient_1", "interneurons_1", "directions_1" and "competition_1", with maps of two
        polarities, of two polarities times eight directions, or of eight directions; the same with "_2" and "_4" for
        blocks of 2 and 4 pixels; "mt", of eight directions, and "mstd", one cell for each heading.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "vistars"
    movie: Any = _usual_movie() if frames is None else frames
    shown = Frames(movie, number(interval, f"{at}: interval", above=0.0))
    rows, columns = shown.frames.shape[1:]
    if rows % _COARSEST or columns % _COARSEST or rows < 12 or columns < 16:
        raise SpecError(f"{at}: frames: {rows} x {columns} pixels: must be multiples of {_COARSEST}, at least 12 x 16")
    refuse_above(_BYTES_PER_PIXEL * rows * columns, f"{at}: frames: {rows} x {columns} pixels")
    count = whole(scales, f"{at}: scales", minimum=1)
    if count > 3:
        raise SpecError(f"{at}: scales = {count}: must be 1, 2 or 3")
    gate = HabituativeGate(number(H, f"{at}: H", above=0.0), 1.0, number(L, f"{at}: L", minimum=0.0))
    off = number(veto, f"{at}: veto", minimum=0.0)
    coarse = (rows // _COARSEST, columns // _COARSEST)
    layers: list[Any] = []
    links: list[Projection] = []
    stimuli: list[Stimulus] = []
    filters = ChannelKernels(theory.flow_filters())
    for block in (1, 2, 4)[:count]:
        _add_motion(block, shown, gate, off, layers, links, stimuli)
        blurred = Successive((BlockSums(_COARSEST // block, block / _COARSEST, 1), filters), ((8, *coarse),))
        links.append(Projection(f"competition_{block}", "mt", "excitatory", ThresholdLinear(), blurred))
    _add_heading(
        coarse,
        array(opponents, f"{at}: opponents", minimum=0.0, shape=(4,)),
        number(feedback, f"{at}: feedback", minimum=0.0),
        number(inhibition, f"{at}: inhibition", minimum=0.0),
        layers,
        links,
    )
    return Network(
        at,
        layers,
        links,
        stimuli,
        duration=shown.last(),
        time_units="frames",
        reference="Browning, Grossberg and Mingolla (2009), Cognitive Psychology 59, 320-356",
    )


def _add_motion(
    block: int, shown: Frames, gate: HabituativeGate, veto: float, layers: list[Any], links: list[Projection],
    stimuli: list[Stimulus],
) -> None:  # fmt: skip
    """Add contrast, transients and directions at one resolution."""
    size = tuple(int(length) // block for length in shown.frames.shape[1:])
    names = {part: f"{part}_{block}" for part in ("contrast", "transient", "interneurons", "directions", "competition")}
    seen = shown.replace(block=block, opponent=True)
    layers += [
        Layer.shunting(names["contrast"], (2, *size), A=0.001, B=1.0, D=0.25),
        Layer.shunting(names["transient"], (2, *size), A=10.0, B=2.0),
        Layer.additive(names["interneurons"], (16, *size), A=1.0),
        Layer.additive(names["directions"], (16, *size), A=10.0),
        Layer.shunting(names["competition"], (8, *size), A=0.1, B=1.0, D=0.01),
    ]
    stimuli += [
        Stimulus(names["contrast"], "excitatory", 2.0, seen),
        Stimulus(names["contrast"], "inhibitory", 1.0, seen.replace(filter=theory.surround_kernel())),
    ]
    # Maps of directions: those of the first polarity, then those of the second.
    to_each = np.repeat(np.eye(2), 8, axis=0)
    opposite = np.array([8 * (k // 8) + (k + 4) % 8 for k in range(16)])
    next_pixel = np.zeros((16, 3, 3))
    for k in range(16):
        down, right = theory.STEPS[k % 8]
        next_pixel[k, 1 - down, 1 - right] = 1.0  # what lies one step on sends one step back
    both = np.tile(np.eye(8), 2)
    signal = ThresholdLinear()
    links.append(Projection(names["contrast"], names["transient"], "excitatory", _CONTRAST, OneToOne(10.0)))
    for part, rate in (("interneurons", 1.0), ("directions", 10.0)):
        seen_by = AcrossChannels(rate * to_each)
        vetoed = ChannelKernels(rate * veto * next_pixel, opposite)
        links += [
            Projection(
                names["transient"], names[part], "excitatory", signal, seen_by, gate, name=f"gates_{part}_{block}"
            ),
            Projection(names["interneurons"], names[part], "inhibitory", signal, vetoed),
        ]
    links += [
        Projection(names["directions"], names["competition"], "excitatory", signal, AcrossChannels(both)),
        Projection(names["directions"], names["competition"], "inhibitory", signal, AcrossChannels(1.0 - both)),
    ]


def _add_heading(
    coarse: tuple[int, int], opponents: np.ndarray, feedback: float, inhibition: float, layers: list[Any],
    links: list[Projection],
) -> None:  # fmt: skip
    """Add MT and MSTd."""
    templates = theory.heading_templates(*coarse)
    flat = templates.reshape(len(templates), -1)
    apart = np.abs((np.arange(8)[:, None] - np.arange(8) + 4) % 8 - 4)
    layers += [
        ModulatedLayer("mt", (8, *coarse), A=0.5, B=1.0, gain=feedback / len(flat), recurrent=_half(_MT)),
        Layer.shunting("mstd", len(flat), A=0.5, B=1.0),
    ]
    links += [
        Projection("mt", "mt", "inhibitory", _MT, AcrossChannels(np.array([0.0, *opponents])[apart])),
        Projection("mstd", "mt", "modulatory", _HEADING, Dense(flat.T)),
        Projection("mt", "mstd", "excitatory", _MT, Dense(4.0 / flat.sum(axis=1).min() * flat)),
        Projection("mstd", "mstd", "excitatory", _HEADING, OneToOne(0.25)),
        Projection("mstd", "mstd", "inhibitory", _HEADING, AllButSelf(inhibition)),
    ]


_FOCUS = (6.0, 28.0)  # of the usual movie: row and column


def _usual_movie() -> np.ndarray:
    return theory.moving_dots(_FOCUS, 12, (16, 40), dots=40)


def _half(signal: Expression) -> Expression:
    return Expression(f"0.5*({signal.text})", signal.parameters)


def headings(rows: int, columns: int) -> np.ndarray:
    """Return the heading of each cell of "mstd" for frames of this size: rows and columns of a frame (pixels)."""
    return _COARSEST * theory.heading_places(rows // _COARSEST, columns // _COARSEST)


def outputs(mstd: ArrayLike) -> np.ndarray:
    """Return R, what the cells of "mstd" send, of their activities."""
    return np.asarray(_HEADING(mstd))


# Claims --------------------------------------------------------------------------------------------------------

_CODE = "Browning, Grossberg and Mingolla (2009), equations of the public code"
_ROUGH: dict[str, Any] = {"solver": "RK23", "rtol": 1e-2, "atol": 1e-3, "norm": "rms"}  # 10 times as exact as its step


@claim("18 headings in frames of 96 x 128 pixels; a template weighs what its cells are, and 7", source=_CODE)
def templates_and_filters() -> list[Comparison]:
    """Sums in closed form: interpolation gives every place the weight 1, and the heading itself 8."""
    places, templates = headings(96, 128), theory.heading_templates(24, 32)
    columns, rows = (8, 28, 48, 68, 88, 108), (24, 32, 36)
    return [
        Comparison.exact([(row, column) for row in rows for column in columns], places, "headings (pixels)"),
        Comparison([24 * 32 + 7] * 18, templates.sum(axis=(1, 2, 3)), 1e-9, "sum of each template"),
        Comparison(
            10.225 / (2.0 * np.pi) * (1.0 + 2.0 * np.exp([-1.0, -4.0, -9.0]).sum()) ** 2,
            theory.surround_kernel().sum(),
            1e-12,
            "sum of the surround",
        ),
    ]


@claim("A still movie has its closed form: contrast, transient cells, and gates that close", source="Equations, solved")
def still_movies_fade() -> list[Comparison]:
    """White dots for 400 frames: contrast over time, and the rest of transient cells and gates."""
    frame = np.zeros((12, 16))
    frame[2::5, 2::5] = 1.0
    network = build(frame[None], interval=400.0, scales=1, H=0.05, L=1.0)
    times = np.array([0.0, 0.1, 0.3, 1.0, 400.0])
    names = ["contrast_1.x", "transient_1.x", "gates_directions_1.y"]
    result = run(network, times=times, record=names, rtol=1e-6, atol=1e-9)
    I = np.stack([frame, 1.0 - frame])
    d = np.arange(-3.0, 4.0)
    line = np.exp(-(d**2))
    around = np.zeros_like(I)
    for i in range(12):
        for j in range(16):
            for k in range(max(0, i - 3), min(12, i + 4)):
                for m in range(max(0, j - 3), min(16, j + 4)):
                    around[:, i, j] += 10.225 / (2.0 * np.pi) * line[k - i + 3] * line[m - j + 3] * I[:, k, m]
    rate = 0.001 + 2.0 * I + around
    a = (2.0 * I - 0.25 * around) / rate
    above = np.maximum(a - 0.1, 0.0) ** 2
    b = above / (0.031623**2 + above)
    x = 2.0 * b / (1.0 + b)
    course = [a * (1.0 - np.exp(-rate * t)) for t in times]
    return [
        Comparison(course, result["contrast_1.x"], 1e-5, "contrast a over time"),
        Comparison(x, result["transient_1.x"].values[-1], 1e-5, "transient cells at rest, 2 b/(1 + b)"),
        Comparison(
            (0.05 / (0.05 + x)).ravel(), result["gates_directions_1.y"].values[-1], 1e-5, "gates at rest, H/(H + L x)"
        ),
    ]


@claim("Its equations, written out by hand", source=f"{_CODE}; integrated by SciPy from random states")
def equations() -> list[Comparison]:
    """Two frames of 12 x 36 pixels, which two headings fit, at two resolutions; every parameter off its default."""
    parameters = {
        "frames": np.random.default_rng(2009).uniform(size=(2, 12, 36)), "interval": 0.05, "scales": 2, "H": 0.3,
        "L": 1.5, "veto": 1.5, "opponents": np.array([0.3, 0.7, 1.2, 6.0]), "feedback": 1.3, "inhibition": 0.4,
    }  # fmt: skip
    times = np.array([0.0, 0.03, 0.08])
    start = _start(SimpleNamespace(**parameters))
    return equations_by_hand(
        build, parameters, _by_hand, times, apart=(), tolerance=1e-5, initial=start, rtol=1e-7, atol=1e-9
    )


def _start(p: Any) -> dict[str, np.ndarray]:
    """Return states at time 0 with which every term takes part, in the order of the equations."""
    rng, (_, rows, columns) = np.random.default_rng(1981), p.frames.shape
    shapes: dict[str, tuple[int, ...]] = {"mstd.x": (2,), "mt.x": (8, rows // 4, columns // 4)}
    for block in (1, 2, 4)[: p.scales]:
        size = rows // block, columns // block
        maps = {"contrast": 2, "transient": 2, "interneurons": 16, "directions": 16, "competition": 8}
        shapes |= {f"{name}_{block}.x": (count, *size) for name, count in maps.items()}
        shapes |= {f"gates_{name}_{block}.y": (2 * size[0] * size[1],) for name in ("interneurons", "directions")}
    return {name: rng.uniform(0.3 if name.startswith("m") else -0.3, 1.0, shape) for name, shape in shapes.items()}


def _by_hand(p: Any, times: np.ndarray) -> dict[str, Any]:
    """Return the course of all states."""
    from scipy.signal import convolve2d

    start, (count, rows, columns) = _start(p), p.frames.shape
    ends = np.cumsum([part.size for part in start.values()])
    h, w = rows // 4, columns // 4
    W = theory.heading_templates(h, w)
    down, right = (np.arange(size)[:, None] - np.arange(size) + 12 for size in (h, w))
    blur = theory.flow_filters()[:, down[:, None, :, None], right[None, :, None, :]]
    inner = np.zeros((h, w))
    inner[1:-1, 1:-1] = 1.0
    kernel = 10.225 / (2.0 * np.pi) * np.exp(-np.add.outer(np.arange(-3, 4) ** 2, np.arange(-3, 4) ** 2))
    steps = [(round(np.sin(k * np.pi / 4)), round(np.cos(k * np.pi / 4))) for k in range(8)]
    lights: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for block in (1, 2, 4)[: p.scales]:
        for k, frame in enumerate(p.frames):
            mean = frame.reshape(rows // block, block, columns // block, block).mean(axis=(1, 3))
            lights[block, k] = (
                np.array([mean, 1.0 - mean]),
                np.array([convolve2d(light, kernel, mode="same") for light in (mean, 1.0 - mean)]),
            )

    def vetoed(c: np.ndarray) -> np.ndarray:
        """Return for direction k what the interneuron of the opposite one sends at the next pixel, 0 beyond the rim."""
        _, _, height, width = c.shape
        around = np.pad(np.maximum(c, 0.0), ((0, 0), (0, 0), (1, 1), (1, 1)))
        return np.stack([around[:, (k + 4) % 8, 1 + i : 1 + i + height, 1 + j : 1 + j + width]
                         for k, (i, j) in enumerate(steps)], axis=1)  # fmt: skip

    def velocity(_: float, state: np.ndarray, when: float) -> np.ndarray:
        u = {
            name: part.reshape(start[name].shape) for name, part in zip(start, np.split(state, ends[:-1]), strict=True)
        }
        du: dict[str, np.ndarray] = {}
        m = np.zeros((8, h, w))
        for block in (1, 2, 4)[: p.scales]:
            I, around = lights[block, int(when // p.interval)]
            a, x, c, e, f = (
                u[f"{name}_{block}.x"]
                for name in ("contrast", "transient", "interneurons", "directions", "competition")
            )
            height, width = I.shape[1:]
            du[f"contrast_{block}.x"] = -0.001 * a + (1.0 - a) * 2.0 * I - (0.25 + a) * around
            over = np.maximum(a - 0.1, 0.0) ** 2
            du[f"transient_{block}.x"] = 10.0 * (-x + (2.0 - x) * over / (0.031623**2 + over))
            off = vetoed(c.reshape(2, 8, height, width))
            for name, own, rate in (("interneurons", c, 1.0), ("directions", e, 10.0)):
                z, sent = u[f"gates_{name}_{block}.y"].reshape(x.shape), np.maximum(x, 0.0)
                du[f"gates_{name}_{block}.y"] = p.H * (1.0 - z) - p.L * sent * z
                du[f"{name}_{block}.x"] = rate * (-own + (((sent * z)[:, None] - p.veto * off).reshape(own.shape)))
            S = np.maximum(e[:8], 0.0) + np.maximum(e[8:], 0.0)
            du[f"competition_{block}.x"] = -0.1 * f + (1.0 - f) * S - (0.01 + f) * (S.sum(axis=0) - S)
            side = 4 // block
            m += np.maximum(f, 0.0).reshape(8, h, side, w, side).sum(axis=(2, 4)) / side * inner
        q, r = u["mt.x"], u["mstd.x"]
        Q = np.maximum(q - 0.2, 0.0) ** 2
        over = np.maximum(r - 0.2, 0.0) ** 2
        R = over / (0.01 + over)
        D = p.opponents[3] * np.roll(Q, 4, axis=0)
        for n in (1, 2, 3):
            D = D + p.opponents[n - 1] * (np.roll(Q, n, axis=0) + np.roll(Q, -n, axis=0))
        back = np.einsum("h,hkij->kij", R, W)
        seen = np.einsum("kijab,kab->kij", blur, m)
        du["mt.x"] = -0.5 * q + (1.0 - q) * (seen * (1.0 + p.feedback / len(W) * back) + 0.5 * Q) - q * D
        total = np.einsum("hkij,kij->h", W, Q) * 4.0 / (h * w + 7.0)
        du["mstd.x"] = -0.5 * r + (1.0 - r) * (total + 0.25 * R) - p.inhibition * r * (R.sum() - R)
        return np.concatenate([du[name].ravel() for name in start])

    begin = np.concatenate([part.ravel() for part in start.values()])
    found = integrated(velocity, begin, times, p.interval * np.arange(1, count), "RK45", "RK45", 1e-7)
    parts = zip(start, np.split(found, ends[:-1], axis=1), strict=True)
    return {**{name: part.reshape(-1, *start[name].shape) for name, part in parts}, "duration": count * p.interval}


@claim("What moves is seen to move in its direction", source="Equations; patterns that move by a pixel a frame")
def directions() -> list[Comparison]:
    """Dots that drift in each of the eight directions: the map with the largest activity after competition."""
    rng = np.random.default_rng(5)
    field = (rng.uniform(size=(40, 40)) < 0.06).astype(float)
    found = []
    for down, right in theory.STEPS:
        movie = np.array([np.roll(field, (t * down, t * right), axis=(0, 1))[8:32, 8:32] for t in range(5)])
        result = run(build(movie, scales=1), times=[0.0, 5.0], record=["competition_1.x"], **_ROUGH)
        found.append(int(np.maximum(result.final("competition_1").values, 0.0).sum(axis=(1, 2)).argmax()))
    return [Comparison.order(range(8), found, "direction with the largest sum")]


@claim(
    "The heading is the template nearest to the focus of expansion", source=f"{_CODE}; the code's own test reports it"
)
def headings_are_found() -> list[Comparison]:
    """Dots that stream away from one of four places, in 24 x 80 pixels: the column of the winner."""
    found = []
    columns = (8.0, 28.0, 48.0, 68.0)
    for column in columns:
        movie = theory.moving_dots((10.0, column), 14, (24, 80), dots=60, seed=3)
        result = run(build(movie), times=[0.0, 14.0], record=["mstd.x"], **_ROUGH)
        found.append(float(headings(24, 80)[np.asarray(result.final("mstd")).argmax()][1]))
    return [Comparison.exact(columns, found, "column of the heading (pixels)")]


# Figure -------------------------------------------------------------------------------------------------------


@figure("mt.x", "mstd.x")
def heading_from_flow(run: Run) -> FigureDescription | None:
    """Show the movie, what moves where in MT, and the headings."""
    light = run.network.stimuli[0].schedule
    if not isinstance(light, Frames) or run.end <= 0.0:
        return None
    last = min(int((run.end - light.start) / light.interval - 1e-9), len(light.frames) - 1)
    rows, columns = light.frames.shape[1:]
    across, down = (-0.5, columns - 0.5), (-0.5, rows - 0.5)
    frame = np.asarray(light.frames[last], dtype=float)
    places, mstd = headings(rows, columns), run.values("mstd")
    R = outputs(mstd)
    winner = int(R[-1].argmax())
    at = Curve([places[winner, 1]], [places[winner, 0]], "heading", marker="o", color=1)
    found: tuple[Mark, ...] = (at,) if R[-1].max() > 0.0 else ()
    usual, named = _usual_movie(), f"Frame {last + 1}" + (", and the heading ●" if found else "")
    if light.frames.shape == usual.shape and np.array_equal(light.frames, usual):  # whose focus is known
        found += (Curve([_FOCUS[1]], [_FOCUS[0]], "focus of expansion", "predicted", marker="x"),)
        named += " (focus of expansion ×)"
    mt = run.last("mt")
    activity = np.maximum(mt, 0.0)
    step = np.array(theory.STEPS, dtype=float)
    flow = np.einsum("kij,kd->dij", activity, step / np.hypot(*step.T)[:, None])

    def image(values: np.ndarray, title: str, colors: Any, label: str, *marks: Mark) -> Panel:
        edges = tuple(
            np.linspace(*ends, size + 1) for ends, size in zip((across, down), values.shape[::-1], strict=True)
        )
        limit = float(np.abs(values).max()) or 1.0
        shown = Picture(values, label, colors, (-limit, limit) if colors == "signed" else (0.0, limit), *edges)
        return Panel(title, (shown, *marks), "column", "row", legend="none", square=True,
                     x_limits=across, y_limits=down[::-1])  # fmt: skip

    order = np.argsort(R[-1])[::-1]
    lines = [
        Curve(run.times("mstd"), R[:, h], f"({places[h, 0]:g}, {places[h, 1]:g})", color=k)
        for k, h in enumerate(order[:5])
    ]
    title = f"The heading is row {places[winner, 0]:g}, column {places[winner, 1]:g}"
    grid = (
        (
            image(frame, named, "gray", "", *found),
            image(flow[1], "MT: right minus left", "signed", "activity", *found),
        ),
        (
            image(flow[0], "MT: down minus up", "signed", "activity", *found),
            time_panel(run, "MSTd: headings (row, column)", lines, y="R", spans=()),
        ),
    )
    return FigureDescription(title if found else "No heading yet", run.below, grid)
