"""GridPlaceMap with spikes: grid cells learn from stripe cells that fire at random, place cells from grid cells.

    stripe cells fire at random at the rate (1000/s) F_i(place) per second, s being their spacing
    dV_j/dt = (g_L (E_L - V_j) + g_N sum_i w_ij N_i b(V_j) (0 - V_j) + g_G sum_(k != j) G_k (-70 - V_j))/C
    dN_i/dt = -N_i/0.05 + 1000 (1 - N_i) A_i           NMDA channels; A_i = 1 at a spike of i, falls off with 5 ms
    dw_ij/dt = M L_j (L_i - w_ij sum_k L_k)            L = 1 at a spike, falls off with 50 ms; G with 10 ms
    V_j >= -50: cell j fires, V_j := -60;  b(V) = 3.708/(1 + exp(-0.0174 V))

Each population of grid cells receives the stripe cells of one spacing; place cells, which obey the same equations,
receive all grid cells. Times are in s, voltages in mV. All advance in Euler steps of 2 ms; with longer or shorter ones
the NMDA channels, whose opening a step of 2 ms overshoots, are others.

Source: Pilly and Grossberg (2013), Spiking neurons in a hierarchical self-organizing map model can learn to develop
spatial and temporal properties of entorhinal grid cells and hippocampal place cells, PLoS ONE 8(4), e60599; numbers and
the order within a step are those of the public code (ModelDB 148035). There a stripe cell's spike acts in the step in
which it is drawn; here all spikes act in the step after. The path there is that of a rat; ours is a random walk with
the statistics of one (`brnn.Trajectory.random_walk`) unless one is given.

What is known:

- stripe cells fire on average at (1000/s) times width sqrt(2 pi)/s: 8.8, 5.0 and 3.5 Hz for 20, 35 and 50 cm.
- the weights of each cell go to a sum of 1, and never pass it: d(sum w)/dt = M L_j sum_k L_k (1 - sum w).
- grids have the spacing s/cos(30 degrees): 23.1, 40.4 and 57.7 cm.
- it takes about twenty trials of ten minutes until most cells have hexagonal grids.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.analysis.spatial import grid_score, rate_map
from brnn.base.checks import array, number, one_of, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Band, Curve, FigureDescription, Level, Panel, Picture, Raster, Run, figure, time_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand
from brnn.models.parts.map_figure import map_panel, path_panel
from brnn.models.parts.runs import run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.spiking import RandomSpikesLayer, SpikingLayer, TraceLayer
from brnn.spec.learning import CompetitiveInstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import AlongTrajectory
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne
from brnn.spec.trajectory import Trajectory
from brnn.spec.tunings import StripeTuning
from brnn.theory import grids as theory

__all__ = ["build"]

_STEP = 0.002  # s
_AMPA, _NMDA, _GABA, _LEARNING = 0.005, 0.05, 0.01, 0.05  # s


@takes_dotted_names
def build(
    trajectory: Trajectory | None = None,
    scales: ArrayLike = (35.0,),
    cells: int = 100,
    place_cells: int = 0,
    directions: int = 18,
    phases: int = 5,
    width: float = 0.07,
    rate: float = 1000.0,
    M: float = 0.001,
    g_N: float = 0.025,
    g_G: float = 0.0125,
    g_L: float = 0.0005,
    C: float = 0.001,
    turns: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 1,
) -> Network:
    """Return stripe cells, one population of grid cells for each of their spacings, and place cells.

    Parameters
    ----------
    trajectory : Trajectory
        Where the animal is (cm, s); by default a random walk of a minute in a square of 1 m (`Trajectory.random_walk`).
    scales : array, > 0
        Spacings of the stripes (cm); 20, 35 and 50 in the article.
    cells : int, >= 1
        Grid cells of each population (1).
    place_cells : int, >= 0
        Place cells (1); 100 in the article.
    directions : int, >= 1
        Directions of the stripes, evenly spaced over a half turn (1).
    phases : int, >= 1
        Stripe cells of each direction (1).
    width : float, > 0
        Standard deviation of a stripe, relative to the spacing (1).
    rate : float, > 0
        Largest rate of stripe cells, times their spacing (cm/s).
    M : float, >= 0
        Learning rate (1/s).
    g_N : float, >= 0
        Conductance of NMDA channels (mS/cm^2).
    g_G : float, >= 0
        Conductance of inhibition (mS/cm^2).
    g_L : float, >= 0
        Conductance of the leak (mS/cm^2).
    C : float, > 0
        Capacitance (mF/cm^2).
    turns : array
        By how much the path is turned about the origin in each trial, in radians; one trial as it is by default.
    weights : array, shape (scales, cells, stripe cells)
        Those of the grid cells at time 0 (1); by default random numbers between 0 and 0.1.
    seed : int, >= 0
        Seed of these, of those of the place cells, and of the random walk (1).

    Returns
    -------
    Network
        Layers "stripes0" (firing at random), "grid0" (firing) and their traces, and so on for each scale, "place";
        weights "learned0.z", ..., "places.z". Spikes of grid and place cells are events.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "grid_cells"
    drawn = np.random.default_rng(whole(seed, f"{at}: seed", minimum=0))
    path = Trajectory.random_walk(60.0, seed) if trajectory is None else trajectory
    one_of(path, f"{at}: trajectory", Trajectory, "a Trajectory, e.g. Trajectory.random_walk(600, seed=1)")
    spacings = np.atleast_1d(array(scales, f"{at}: scales"))
    if spacings.ndim != 1 or (spacings <= 0.0).any():
        raise SpecError(f"{at}: scales: must be spacings > 0, e.g. [20, 35, 50]")
    n, places = whole(cells, f"{at}: cells", minimum=1), whole(place_cells, f"{at}: place_cells", minimum=0)
    ways, offsets = whole(directions, f"{at}: directions", minimum=1), whole(phases, f"{at}: phases", minimum=1)
    relative, fastest = number(width, f"{at}: width", above=0.0), number(rate, f"{at}: rate", above=0.0)
    learned = number(M, f"{at}: M", minimum=0.0)
    stripe_cells = ways * offsets
    start = 0.1 * drawn.random((spacings.size, n, stripe_cells))
    if weights is not None:
        start = array(weights, f"{at}: weights", shape=(spacings.size, n, stripe_cells))
    membrane: dict[str, Any] = {
        "C": number(C, f"{at}: C", above=0.0),
        "leak": number(g_L, f"{at}: g_L", minimum=0.0),
        "gain": number(g_N, f"{at}: g_N", minimum=0.0),
        "inhibition": number(g_G, f"{at}: g_G", minimum=0.0),
        "peak": 3.708,
        "slope": 0.0174,
        "step": _STEP,
    }
    angles = np.zeros(1) if turns is None else np.atleast_1d(array(turns, f"{at}: turns"))
    layers: list[LayerLaw] = []
    projections: list[Projection] = []
    stimuli: list[Stimulus] = []

    def firing(name: str, count: int) -> None:
        """Add cells that fire, inhibit each other, and may learn."""
        layers.extend([
            SpikingLayer(name, (count,), **membrane),
            TraceLayer(f"{name}_inhibition", (count,), of=name, tau=_GABA),
            TraceLayer(f"{name}_learning", (count,), of=name, tau=_LEARNING),
        ])  # fmt: skip
        projections.append(Projection(f"{name}_inhibition", name, "inhibitory", Linear(), AllButSelf(1.0)))

    def sending(name: str, of: str | tuple[str, ...], count: int) -> None:
        """Add the channels that the spikes of cells open at others, and what is learned of them."""
        layers.extend([
            TraceLayer(f"{name}_ampa", (count,), of=of, tau=_AMPA),
            Layer.shunting(f"{name}_nmda", (count,), A=1.0 / _NMDA, B=1.0),
            TraceLayer(f"{name}_sent", (count,), of=of, tau=_LEARNING),
        ])  # fmt: skip
        opened = Projection(f"{name}_ampa", f"{name}_nmda", "excitatory", Linear(), OneToOne(1000.0))
        projections.append(opened)

    def taught(source: str, target: str, name: str, initial: np.ndarray) -> None:
        law = CompetitiveInstar(
            learned, initial=initial, source_trace=f"{source}_sent", target_trace=f"{target}_learning"
        )
        link = Projection(f"{source}_nmda", target, "excitatory", Linear(), AllToAll(1.0), learning=law, name=name)
        projections.append(link)

    for k, far in enumerate(spacings.tolist()):
        walk = AlongTrajectory(path, stripes(ways, offsets, far, relative * far), angles)
        layers.append(RandomSpikesLayer(f"stripes{k}", (stripe_cells,), step=_STEP))
        sending(f"stripes{k}", f"stripes{k}", stripe_cells)
        stimuli.append(Stimulus(f"stripes{k}", "excitatory", fastest / far, walk))
        firing(f"grid{k}", n)
        taught(f"stripes{k}", f"grid{k}", f"learned{k}", start[k])
    if places:
        every = n * spacings.size
        firing("place", places)
        sending("grid", tuple(f"grid{k}" for k in range(spacings.size)), every)
        # So that a place cell is driven as strongly as a grid cell is at first.
        share = 0.1 * stripe_cells / every
        taught("grid", "place", "places", share * drawn.random((places, every)))
    return Network(
        at,
        layers,
        projections,
        stimuli,
        duration=walk.last(),
        time_units="s",
        reference="Pilly and Grossberg (2013), PLoS ONE 8(4), e60599",
    )


def stripes(directions: int, phases: int, spacing: float, width: float) -> StripeTuning:
    """Return stripe cells of evenly spaced directions, the first ones at -90 degrees, each with all phases."""
    angles = np.pi * np.arange(directions) / directions - np.pi / 2.0
    offsets = spacing * np.arange(phases) / phases
    return StripeTuning(np.repeat(angles, phases), np.tile(offsets, directions), spacing, width)


# Claims --------------------------------------------------------------------------------------------------------

_CODE = "Pilly and Grossberg (2013), equations of the public code (ModelDB 148035)"


def _uniform(seed: int, numbers: np.ndarray) -> np.ndarray:
    """Return numbers of the sequence SplitMix64, in whole numbers of Python."""
    key, found = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]), []
    for number_ in numbers.ravel().tolist():
        z = (key + (number_ + 1) * 0x9E3779B97F4A7C15) % 2**64
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        found.append(((z ^ (z >> 31)) >> 11) / 2.0**53)
    return np.array(found).reshape(numbers.shape)


def _by_hand(q: Any, times: np.ndarray) -> dict[str, Any]:
    """Return the course in steps of 2 ms on a straight path, which is run once for each of the turns."""
    h, lasts = 0.002, q.trajectory.duration
    many, S, G, P = len(q.scales), q.directions * q.phases, q.cells, q.place_cells
    angles = np.repeat([np.pi * k / q.directions - np.pi / 2.0 for k in range(q.directions)], q.phases)
    drawn = np.random.default_rng(q.seed)
    drawn.random((many, G, S))  # the weights that were replaced
    z = 0.1 * S / (many * G) * drawn.random((P, many * G))
    w, A, N, L = np.array(q.weights), np.zeros((many, S)), np.zeros((many, S)), np.zeros((many, S))
    V, (gI, gL, gA, gN, gS) = np.full((many, G), -65.0), np.zeros((5, many, G))
    U, pI, pL = np.full(P, -65.0), np.zeros(P), np.zeros(P)
    s, g, p = np.zeros((many, S), dtype=bool), np.zeros((many, G), dtype=bool), np.zeros(P, dtype=bool)
    rows = {0: (w, z, V, U, N)}

    def membrane(v: np.ndarray, drive: np.ndarray, gaba: np.ndarray) -> np.ndarray:
        opened = q.g_N * drive * 3.708 / (1.0 + np.exp(-0.0174 * v))
        others = gaba.sum(axis=-1, keepdims=True) - gaba
        return (q.g_L * (-65.0 - v) + opened * (0.0 - v) + q.g_G * others * (-70.0 - v)) / q.C

    for n in range(round(times[-1] / h)):
        A, L = np.where(s, 1.0, A), np.where(s, 1.0, L)
        gI, gL, gA, gS = (np.where(g, 1.0, trace) for trace in (gI, gL, gA, gS))
        pI, pL = np.where(p, 1.0, pI), np.where(p, 1.0, pL)
        run_, since = divmod(n, round(lasts / h))
        x, y, turn = 3.0 + q.trajectory.right * since * h, -4.0 + q.trajectory.up * since * h, q.turns[run_]
        x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        rates = []
        for far in q.scales:
            away = (
                x * np.cos(angles) + y * np.sin(angles) - np.tile(far * np.arange(q.phases) / q.phases, q.directions)
            ) % far
            rates.append(q.rate / far * np.exp(-(np.minimum(away, far - away) ** 2) / (2.0 * (far * q.width) ** 2)))
        dV, dU = membrane(V, np.einsum("kgs,ks->kg", w, N), gI), membrane(U, z @ gN.ravel(), pI)
        w = w + h * q.M * gL[:, :, None] * (L[:, None, :] - w * L.sum(axis=1)[:, None, None])
        z = z + h * q.M * pL[:, None] * (gS.ravel() - z * gS.sum())
        N, gN = N + h * (-N / 0.05 + 1000.0 * (1.0 - N) * A), gN + h * (-gN / 0.05 + 1000.0 * (1.0 - gN) * gA)
        A, gA, gI, pI = A - h * A / 0.005, gA - h * gA / 0.005, gI - h * gI / 0.01, pI - h * pI / 0.01
        L, gL, gS, pL = (trace - h * trace / 0.05 for trace in (L, gL, gS, pL))
        V, U = V + h * dV, U + h * dU
        # Cells are numbered scale by scale: stripe cells, then grid cells; place cells are the last ones.
        numbers = n * (many * (S + G) + P) + (S + G) * np.arange(many)[:, None] + np.arange(S)
        s, g, p = _uniform(_SEED, numbers) < np.array(rates) * h, V >= -50.0, U >= -50.0
        V, U = np.where(g, -60.0, V), np.where(p, -60.0, U)
        rows[n + 1] = (w, z, V, U, N)
    w, z, V, U, N = (np.array(part) for part in zip(*(rows[round(time / h)] for time in times), strict=True))
    found: dict[str, Any] = {"places.z": z, "place.x": U, "duration": lasts * len(q.turns)}
    for k in range(many):
        found |= {f"learned{k}.z": w[:, k], f"grid{k}.x": V[:, k], f"stripes{k}_nmda.x": N[:, k]}
    return found


_SEED = 20130  # of the runs that are compared with it


@claim("Its equations and its spikes, written out by hand", source=f"{_CODE}; NumPy, whole numbers of Python")
def equations() -> list[Comparison]:
    """Two scales of six stripe cells and three grid cells, three place cells, two turns; every parameter set."""
    path = Numbers(
        lambda right, up, duration: Trajectory(
            np.array([0.0, duration]), 3.0 + np.array([0.0, right * duration]), -4.0 + np.array([0.0, up * duration])
        ),
        right=24.0, up=54.0, duration=0.2,
    )  # fmt: skip
    weights = np.random.default_rng(2013).uniform(0.1, 0.9, (2, 3, 6))
    parameters: dict[str, Any] = {
        "trajectory": path, "scales": np.array([24.0, 31.0]), "cells": 3, "place_cells": 3, "directions": 3,
        "phases": 2, "width": 0.2, "rate": 3000.0, "M": 0.3, "g_N": 0.06, "g_G": 0.02, "g_L": 0.0011, "C": 0.0013,
        "turns": np.array([0.4, 1.1]), "weights": weights, "seed": 5,
    }  # fmt: skip
    changed = {
        "cells": {"cells": 2, "weights": weights[:, :2]},
        "directions": {"directions": 2, "weights": weights[:, :, :4]},
        "phases": {"phases": 1, "weights": weights[:, :, :3]},
        "turns": np.array([0.4, 2.1]),
        "seed": 6,
    }
    return equations_by_hand(
        build, parameters, _by_hand, 0.04 * np.arange(11), apart=(), changed=changed, tolerance=1e-8, seed=_SEED
    )


@claim("Weights share a sum that goes to 1 without passing it; stripe cells fire at (1000/s) 0.175", source=_CODE)
def sums_and_rates() -> list[Comparison]:
    """Learning made thirty times as fast, a minute of a random walk, three scales and place cells."""
    network = build(scales=[20.0, 35.0, 50.0], cells=20, place_cells=10, M=0.03, seed=4)
    network = network.replace(
        layers=[
            *network.layers,
            *(TraceLayer(f"count{k}", (90,), of=f"stripes{k}", tau=np.inf, saturating=False) for k in range(3)),
        ]
    )
    result = run(network, times=np.linspace(0.0, 60.0, 7), seed=11)
    rows = []
    for k, spacing in enumerate((20.0, 35.0, 50.0)):
        total = np.asarray(result[f"learned{k}.z"]).sum(axis=-1)
        mean = 1000.0 / spacing * theory.mean_stripe_activity(spacing, 0.07 * spacing)
        found = float(np.asarray(result.final(f"count{k}")).mean()) / 60.0
        rows += [
            Comparison(mean, found, 0.07, f"spikes of a stripe cell a second, {spacing:g} cm", relative=True),
            Comparison.at_least(1.0, total, 1e-9, f"sums of weights of grid cells, {spacing:g} cm"),
            Comparison.within(1.0, total[-1], 1.25, label="at the end"),
            Comparison.at_least(0.0, -np.diff(total, axis=0), 1e-12, "they fall"),
        ]
    rows += [
        Comparison([8.8, 5.0, 3.5], [1000.0 / s * theory.mean_stripe_activity(s, 0.07 * s) for s in (20, 35, 50)], 0.03,
                   "rates of stripe cells, closed form"),
        Comparison(0.1755, theory.mean_stripe_activity(1.0, 0.07), 1e-4, "mean of F, closed form"),
        Comparison(40.4, theory.grid_spacing(35.0), 0.05, "spacing of grids from stripes of 35 cm"),
    ]  # fmt: skip
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("grid0.x", "learned0.z")
def spikes(run: Run) -> FigureDescription | None:
    """Show weights before and after, when the first grid cells fired, and where those that fire most did."""
    table = run.result.event_table
    if table is None or not len(table):
        return None
    columns, first = table.columns, table.names.index("grid0")
    cell = columns["cell"]
    kept = (columns["which"] == first) & (cell < _SHOWN)
    times, rows = columns["time"][kept], cell[kept]
    late = times > run.end - _LAST
    z = run.values("learned0.z").reshape(-1, *run.network.state_shapes["learned0.z"])
    top = float(z[0].max())
    weights = [
        Panel(title, (Picture(part, "weight" if k else "", "heat", (0.0, top)),), "stripe cell", "grid cell")
        for k, (title, part) in enumerate((("Weights before", z[0]), ("Weights after", z[-1])))
    ]
    shown = [Raster(times[late], rows[late], "spikes")]
    look: dict[str, Any] = {"y": "cell", "x_limits": (max(run.start, run.end - _LAST), run.end), "legend": "none"}
    raster = time_panel(run, f"Spikes of the first {_SHOWN} grid cells", shown, spans=(), **look)
    sums, when = z.sum(axis=2), run.times("learned0.z")
    course = [
        Band(when, sums.min(axis=1), sums.max(axis=1), "all cells"),
        Curve(when, sums.mean(axis=1), "mean"),
        Level(1.0, "goes to 1, and never below"),
    ]
    summed = time_panel(run, "Sum of the weights of a cell", course, y="sum of weights", spans=())
    own = columns["which"] == first
    count = int(own.sum())
    below = f"{counted(count, 'spike')} of grid cells   ·   {run.below}"
    places, spacing = _where_they_fire(run, columns["time"][own], cell[own])
    if spacing is not None:
        theirs = theory.grid_spacing(float(np.max(run.network.stimuli[0].schedule.tuning.spacing)))  # type: ignore[attr-defined]
        below = f"grids: {spacing:.1f} cm from peak to peak, theory {theirs:.1f} cm   ·   {below}"
    rows = [[*weights, summed], [raster], *([places] if places else [])]
    return FigureDescription("Grid cells learn from cells that fire at random", below, rows)


def _where_they_fire(run: Run, times: np.ndarray, cells: np.ndarray) -> tuple[list[Panel], float | None]:
    """Return maps of the cells that fire most, and the spacing of their grids (cm).

    They are rates, or, where the animal did not come everywhere, single spikes, whose grids are not measured.
    """
    walk = run.network.stimuli[0].schedule
    if not isinstance(walk, AlongTrajectory) or (np.diff(walk.trajectory.limits)[::2] <= 0.0).any():
        return [], None
    limits = walk.trajectory.limits
    path, step = np.linspace(run.start, run.end, 1 + int(np.ceil((run.end - run.start) / _SAMPLE)), retstep=True)
    way = np.array(walk.at(path))
    panels, spacings = [], []
    for k in np.argsort(-np.bincount(cells), kind="stable")[:_MAPPED].tolist():
        fired = np.array(walk.at(times[cells == k]))
        x, y = np.concatenate([way, fired], axis=1)
        spike = np.arange(x.size) >= path.size
        rates = rate_map(x, y, spike.astype(float), np.where(spike, 0.0, step), limits=limits)
        if np.isfinite(rates).mean() > _KNOWN:
            score = grid_score(rates)
            spacings.append(score.spacing * float(limits[1] - limits[0]) / len(rates))
            panels.append(map_panel(rates, f"Cell {k}: gridness {score.gridness:.2f}"))
        else:
            panels.append(path_panel(way, fired, limits, f"Where cell {k} fired"))
    known = np.isfinite(spacings)
    return panels, float(np.median(np.array(spacings)[known])) if known.any() else None


_SHOWN, _LAST = 20, 20.0  # cells, s
_MAPPED, _SAMPLE, _KNOWN = 5, 0.1, 0.95  # cells, s, part of the arena
