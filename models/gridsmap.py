"""GRIDSmap: a self-organizing map learns hexagonal grids from stripe cells while an animal wanders about.

    dx_i/dt = s (-x_i + F_i(place))                                                   stripe cells
    E_j = sum_i z_ij x_i + alpha v_j^2
    dv_j/dt = r (-A v_j + (B - v_j) E_j y_j - (D + v_j) p sum_(k != j) v_k^2)         map cells
    dy_j/dt = r H ((1 - y_j) - beta y_j E_j^2)                                        their transmitter
    dz_ij/dt = M v_j^2 (x_i (2 - sum_k z_kj) - z_ij sum_(k != i) x_k)                 weights

F_i is 1 on the stripes of a cell and falls off as a Gaussian (`brnn.StripeTuning`): nine directions, four phases, one
spacing. Cells that code directions 60 degrees apart are active together most often at the points of a hexagonal
lattice, and a map cell that wins there keeps them.

Source: Mhatre, Gorchetchnikov and Grossberg (2010), Grid cell modules and their place in a self-organizing map,
Hippocampus 22, 320-334. Numbers are those of the public code by E. Zilli (ModelDB 144006), made with the authors'
code: the article omits units and the rate r, and misprints M. There stripe cells have their values at once; ours follow
at the rate s, 2 mm behind an animal that runs at 40 cm/s. The path there is that of a rat; ours is a random walk with
the statistics of one (`brnn.Trajectory.random_walk`) unless one is given.

What is known:

- the mean activity of a stripe cell along a path that goes everywhere is width sqrt(2 pi)/spacing.
- where an animal stands, the weights of a winning cell go to z_i = x_i (2 - S)/(X - x_i), and their sum to
  S = 2 G/(1 + G), G = sum_i x_i/(X - x_i), X = sum_i x_i; along a path S is 1 + <v^2 z x>/(2 <v^2 X>).
- three stripes of spacing s, 60 degrees apart, meet on a hexagonal lattice of spacing s/cos(30 degrees).
- how good grids become differs from path to path, and between cells: after five trials of a random walk the mean
  gridness of five cells is 0.3 on average over seeds, with a standard deviation of 0.2; 0.50 and 0.34 were found with
  the public code for two seeds (`simulations/grids_by_rates.py`).
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.analysis.spatial import grid_score, rate_map
from brnn.base.checks import array, number, one_of, whole
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Panel, Picture, Run, figure, layer_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.map_figure import input_maps, map_panel
from brnn.models.parts.runs import run
from brnn.signals import Function, Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import AtTimes, Event
from brnn.spec.layers import Layer
from brnn.spec.layers.transmitter import TransmittedLayer, TransmitterLayer
from brnn.spec.learning import LimitedSites
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import AlongTrajectory
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne
from brnn.spec.trajectory import Trajectory
from brnn.spec.tunings import StripeTuning
from brnn.theory import grids as theory

__all__ = ["build"]

_SHOWN = 5  # cells whose rate maps are drawn,
_ENOUGH = 5_000  # if so many times were saved
_SQUARED = Function("w**2")  # of negative activities, too, as in the code


@takes_dotted_names
def build(
    trajectory: Trajectory | None = None,
    trials: int = 1,
    cells: int = 5,
    directions: int = 9,
    phases: int = 4,
    spacing: float = 20.0,
    width: float = 1.768,
    s: float = 200.0,
    A: float = 3.0,
    B: float = 1.0,
    D: float = 1.5,
    alpha: float = 17.5,
    p: float = 1.5,
    r: float = 10.0,
    H: float = 0.4,
    beta: float = 0.2,
    M: float = 0.025,
    total: float = 2.0,
    weights: ArrayLike | None = None,
    seed: int = 1,
) -> Network:
    """Return stripe cells that an animal drives, and the map that learns from them.

    Parameters
    ----------
    trajectory : Trajectory
        Where the animal is (cm, s); by default a random walk of 600 s in a square of 1 m (`Trajectory.random_walk`).
    trials : int, >= 1
        How often the path is run; activities begin at 0 each time, weights are kept (1).
    cells : int, >= 1
        Map cells (1).
    directions : int, >= 1
        Directions of the stripes, evenly spaced over a half turn (1).
    phases : int, >= 1
        Stripe cells of each direction (1).
    spacing : float, > 0
        From stripe to stripe (cm).
    width : float, > 0
        Standard deviation of a stripe (cm).
    s : float, > 0
        How fast stripe cells follow (1/s).
    A : float, >= 0
        Decay of the map cells, times r (1).
    B : float, > 0
        Their largest activity (1).
    D : float, >= 0
        They cannot fall below -D (1).
    alpha : float, >= 0
        Excitation by themselves (1).
    p : float, >= 0
        Inhibition by each other cell (1).
    r : float, > 0
        Rate of the map cells and their transmitter (1/s).
    H : float, >= 0
        Accumulation of the transmitter, times r (1).
    beta : float, >= 0
        Its depletion by the squared excitation, relative to H (1).
    M : float, >= 0
        Learning rate (1/s).
    total : float, > 0
        Sites of a map cell: their weights grow in proportion to those that are free (1).
    weights : array, shape (cells, directions x phases)
        z at time 0 (1); by default random numbers between 0 and 0.1.
    seed : int, >= 0
        Seed of these, and of the random walk (1).

    Returns
    -------
    Network
        Layers "stripes", "map" and "transmitter"; the weights "filter.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "gridsmap"
    random = whole(seed, f"{at}: seed", minimum=0)
    path = Trajectory.random_walk(600.0, random) if trajectory is None else trajectory
    one_of(path, f"{at}: trajectory", Trajectory, "a Trajectory, e.g. Trajectory.random_walk(600, seed=1)")
    n, count = whole(cells, f"{at}: cells", minimum=1), whole(trials, f"{at}: trials", minimum=1)
    angles, offsets = whole(directions, f"{at}: directions", minimum=1), whole(phases, f"{at}: phases", minimum=1)
    far = number(spacing, f"{at}: spacing", above=0.0)
    rate, follow = number(r, f"{at}: r", above=0.0), number(s, f"{at}: s", above=0.0)
    tuning = stripes(angles, offsets, far, number(width, f"{at}: width", above=0.0))
    stripe_cells = angles * offsets
    if weights is None:
        start = 0.1 * np.random.default_rng(random).random((n, stripe_cells))
    else:
        start = array(weights, f"{at}: weights", shape=(n, stripe_cells))
    accumulate = rate * number(H, f"{at}: H", minimum=0.0)
    learned, sites = number(M, f"{at}: M", minimum=0.0), number(total, f"{at}: total", above=0.0)
    learning = LimitedSites(learned, _SQUARED, Linear(), start, total=sites)
    layers = [
        Layer.additive("stripes", stripe_cells, A=follow),
        TransmittedLayer(
            "map",
            (n,),
            A=rate * number(A, f"{at}: A", minimum=0.0),
            B=rate * number(B, f"{at}: B", above=0.0),
            C=rate,
            E=rate * number(D, f"{at}: D", minimum=0.0),
            F=rate,
        ),
        TransmitterLayer(
            "transmitter", (n,), H=accumulate, K=1.0, Q=accumulate * number(beta, f"{at}: beta", minimum=0.0),
            inputs_of="map",
        ),
    ]  # fmt: skip
    projections = [
        Projection("stripes", "map", "excitatory", Linear(), AllToAll(1.0), learning=learning, name="filter"),
        Projection("map", "map", "excitatory", _SQUARED, OneToOne(number(alpha, f"{at}: alpha", minimum=0.0))),
        Projection("map", "map", "inhibitory", _SQUARED, AllButSelf(number(p, f"{at}: p", minimum=0.0))),
        Projection("transmitter", "map", "modulatory", Linear(), OneToOne(1.0)),
    ]
    walk = AlongTrajectory(path, tuning, np.zeros(count))
    reset = [SetState("map.x", 0.0, where="all"), SetState("transmitter.x", 0.0, where="all")]
    return Network(
        at,
        layers,
        projections,
        [Stimulus("stripes", "excitatory", follow, walk)],
        events=[Event("trial", AtTimes(walk.begins[1:]), reset)] if count > 1 else (),
        duration=walk.last(),
        time_units="s",
        reference="Mhatre, Gorchetchnikov and Grossberg (2010), Hippocampus 22, 320-334",
    )


def stripes(directions: int, phases: int, spacing: float, width: float) -> StripeTuning:
    """Return stripe cells of evenly spaced directions, the first ones near -90 degrees, each with all phases."""
    angles = np.pi * (np.arange(directions) + 0.5) / directions - np.pi / 2.0
    offsets = spacing * np.arange(phases) / phases
    return StripeTuning(np.repeat(angles, phases), np.tile(offsets, directions), spacing, width)


# Claims --------------------------------------------------------------------------------------------------------

_CODE = "Mhatre et al. (2010), equations of the public code (ModelDB 144006)"


def _straight(first: tuple[float, float], last: tuple[float, float], duration: float) -> Trajectory:
    ends = np.array([first, last]).T
    return Trajectory(np.array([0.0, duration]), ends[0], ends[1])


@claim(
    "Where an animal stands, winning cells share out their sites: z_i = x_i (2 - S)/(X - x_i)",
    source=f"{_CODE}, solved",
)
def standing_still() -> list[Comparison]:
    """Learning made fast, at a place where many stripe cells are active a little; every cell that wins there."""
    place = _straight((7.3, -12.1), (7.3, -12.1), 1.0)
    network = build(place, cells=3, M=40.0, width=5.0)
    result = run(network, 400.0, times=[0.0, 400.0], solver="LSODA")
    x, z = np.asarray(result.final("stripes")), np.asarray(result.final("filter.z"))
    cells = np.asarray(result.final("map")) > 0.05
    _, expected = theory.sites_taken(x, 2.0)
    tuning = network.stimuli[0].at(0.0, (36,)) / 200.0
    return [
        Comparison(tuning, x, 1e-9, "stripe cells at their tuning"),
        Comparison.at_least(1, int(cells.sum()), label="cells that win"),
        Comparison(np.tile(expected, (int(cells.sum()), 1)), z[cells], 1e-6, "their weights"),
    ]


@claim("Along a path the weights of each cell sum to 1 + <v^2 z x>/(2 <v^2 X>), about 1.015", source=_CODE)
def weights_share_a_sum() -> list[Comparison]:
    """Three trials of a random walk of 600 s: averages over the last one, and the spacing of rate maps of v^2."""
    network = build(trials=3)
    times = np.concatenate([[0.0], np.arange(1200.04, 1800.0, 0.04)])
    result = run(network, times=times, rtol=1e-4, atol=1e-7)
    v, x = (np.asarray(result[name])[1:] for name in ("map.x", "stripes.x"))
    z = np.asarray(result.final("filter.z"))
    expected = 1.0 + np.einsum("tj,ji,ti->j", v**2, z, x) / (2.0 * (v**2).T @ x.sum(axis=1))
    mean = theory.mean_stripe_activity(20.0, 1.768)
    scores = [grid_score(map_) for map_ in maps(network, times[1:], v)]
    spacing = 2.5 * float(np.median([score.spacing for score in scores]))
    return [
        Comparison(expected, z.sum(axis=1), 5e-3, "sums of weights, from averages"),
        Comparison(np.full(5, 1.015), z.sum(axis=1), 5e-3, "sums of weights, as found with the public code"),
        Comparison(0.2216, mean, 1e-4, "mean activity of a stripe cell, closed form"),
        Comparison(mean, x.mean(), 0.02, "along the path", relative=True),
        Comparison(theory.grid_spacing(20.0), spacing, 1.0, "spacing of the grids (cm)"),
    ]


def _by_hand(q: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course by the equations as they stand above, on a straight line that is run again and again."""
    n, m, lasts = q.cells, q.directions * q.phases, q.trajectory.duration
    angles = [np.pi * (k + 0.5) / q.directions - np.pi / 2.0 for k in range(q.directions)]
    weights = getattr(q, "weights", None)
    if weights is None:
        weights = 0.1 * np.random.default_rng(q.seed).random((n, m))

    def velocity(t: float, u: np.ndarray, _: float) -> np.ndarray:
        x, v, y, z = u[:m], u[m : m + n], u[m + n : m + 2 * n], u[m + 2 * n :].reshape(n, m)
        here = 3.0 + q.trajectory.right * t, -4.0 + q.trajectory.up * t
        F = []
        for angle in angles:
            for k in range(q.phases):
                away = (here[0] * np.cos(angle) + here[1] * np.sin(angle) - q.spacing * k / q.phases) % q.spacing
                F.append(np.exp(-(min(away, q.spacing - away) ** 2) / (2.0 * q.width**2)))
        E = z @ x + q.alpha * v**2
        others = (v**2).sum() - v**2
        return np.concatenate([
            q.s * (-x + F),
            q.r * (-q.A * v + (q.B - v) * E * y - (q.D + v) * q.p * others),
            q.r * q.H * ((1.0 - y) - q.beta * y * E**2),
            (q.M * v[:, None] ** 2 * (x * (q.total - z.sum(axis=1)[:, None]) - z * (x.sum() - x))).ravel(),
        ])  # fmt: skip

    start, rows = np.concatenate([np.zeros(m + 2 * n), np.ravel(weights)]), []
    kept = np.concatenate([np.ones(m, bool), np.zeros(2 * n, bool), np.ones(n * m, bool)])
    for trial in range(q.trials):
        inside = times[(times >= trial * lasts) & (times < (trial + 1) * lasts)] - trial * lasts
        wanted = np.unique([0.0, *inside, lasts])
        u = integrated(velocity, start, wanted)
        rows.append(u[np.searchsorted(wanted, inside)])
        start = np.where(kept, u[-1], 0.0)
    u = np.concatenate(rows)
    parts = {"stripes.x": u[:, :m], "map.x": u[:, m : m + n], "transmitter.x": u[:, m + n : m + 2 * n]}
    return {**parts, "filter.z": u[:, m + 2 * n :].reshape(-1, n, m), "duration": q.trials * lasts}


@claim("Its equations, written out by hand", source=f"{_CODE}; SciPy")
def equations() -> list[Comparison]:
    """Two map cells and six stripe cells on a straight path that is run twice, every parameter off its default."""
    path = Numbers(
        lambda right, up, duration: _straight(
            (3.0, -4.0), (3.0 + right * duration, -4.0 + up * duration), duration
        ),
        right=8.0, up=10.0, duration=1.0,
    )  # fmt: skip
    weights = np.array([[0.5, 0.1, 0.7, 0.3, 0.2, 0.6], [0.2, 0.8, 0.1, 0.5, 0.7, 0.3]])
    parameters: dict[str, Any] = {
        "trajectory": path, "trials": 2, "cells": 2, "directions": 3, "phases": 2,
        "spacing": 15.0, "width": 2.5, "s": 90.0, "A": 2.0, "B": 1.4, "D": 0.8, "alpha": 11.0, "p": 3.0, "r": 8.0,
        "H": 0.6, "beta": 0.3, "M": 0.9, "total": 1.7, "weights": weights,
    }  # fmt: skip
    changed = {
        "cells": {"cells": 3, "weights": np.vstack([weights, weights[:1]])},
        "directions": {"directions": 2, "weights": weights[:, :4]},
        "phases": {"phases": 1, "weights": weights[:, :3]},
    }
    times = np.array([0.0, 0.25, 0.5, 0.75, 0.95, 1.25, 1.5, 1.75, 1.95])
    given = {"trajectory": path, "cells": 3, "directions": 4, "phases": 3, "M": 0.9}
    usual = {"trials": 1, "spacing": 20.0, "width": 1.768, "s": 200.0, "A": 3.0, "B": 1.0, "D": 1.5, "alpha": 17.5,
             "p": 1.5, "r": 10.0, "H": 0.4, "beta": 0.2, "total": 2.0}  # fmt: skip
    return [
        *equations_by_hand(build, parameters, _by_hand, times, apart=("seed",), changed=changed),
        *equations_by_hand(
            functools.partial(build, **{**given, "trajectory": path.made()}),
            {"seed": 7},
            lambda p, times: _by_hand(SimpleNamespace(**usual, **given, **vars(p)), times),
            np.array([0.0, 0.2]),
            apart=[*given, *usual, "weights"],
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


def maps(network: Network, times: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return rate maps of v^2 at some times, shape (cells, 40, 40), first axis x."""
    walk = network.stimuli[0].schedule
    assert isinstance(walk, AlongTrajectory)
    x, y = walk.at(times)
    return rate_map(x, y, v**2, 1.0, limits=walk.trajectory.limits)


@figure("map.x", "filter.z")
def grids(run: Run) -> FigureDescription | None:
    """Show activities, weights, what they bring in at each place, and where cells fire if enough times were saved."""
    walk = run.network.stimuli[0].schedule
    if not isinstance(walk, AlongTrajectory) or (np.diff(walk.trajectory.limits)[::2] <= 0.0).any():
        return None
    z = run.values("filter.z").reshape(-1, *run.network.state_shapes["filter.z"])
    top = float(z.max())
    weights = [
        Panel(title, (Picture(part, "weight" if k else "", "heat", (0.0, top)),), "stripe cell", "map cell")
        for k, (title, part) in enumerate((("Weights before", z[0]), ("Weights after", z[-1])))
    ]
    tuning = walk.tuning
    assert isinstance(tuning, StripeTuning)
    inputs = input_maps(tuning, z[-1][:_SHOWN], walk.trajectory.limits)
    rows: list[list[Panel]] = [
        [layer_panel(run, "map", "Map cells")],
        weights,
        [map_panel(one, f"Learned input of cell {k}") for k, one in enumerate(inputs)],
    ]
    below, heights = run.below, [1.0, 0.55, 1.0]
    measured = run.result["map.x"]
    if measured.sizes["time"] >= _ENOUGH:
        found = maps(run.network, np.asarray(measured["time"]), np.asarray(measured))
        scores = [grid_score(one) for one in found]
        bin_width = float(np.diff(walk.trajectory.limits)[0]) / 40.0
        spacing = bin_width * float(np.nanmedian([score.spacing for score in scores]))
        theirs = theory.grid_spacing(float(np.max(tuning.spacing)))
        below = f"grids: {spacing:.1f} cm from peak to peak, theory {theirs:.1f} cm   ·   {below}"
        rows.append([map_panel(one, f"Rate: gridness {score.gridness:.2f}")
                     for one, score in zip(found[:_SHOWN], scores, strict=False)])  # fmt: skip
        heights.append(1.0)
    return FigureDescription("Map cells learn grids from stripes", below, rows, heights)
