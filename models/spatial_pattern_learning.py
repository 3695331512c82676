"""Spatial pattern learning by many sampling cells at once, in recurrent and in non-recurrent networks.

    dx_i/dt = -A x_i + sum_k p_k f(x_k) z_ki + theta_i C(t)                                             (35)
    dz_ji/dt = M f(x_j) [x_i - z_ji]            or, with passive decay,  dz_ji/dt = -z_ji + M f(x_j) x_i           (36)

The cells j sample the activities of the cells i and send to all of them with the positive strength p_j. In the
non-recurrent network the sampling cells have inputs of their own; in the completely recurrent one every cell samples
all the others and itself, so that what a cell sends is mixed with what all the others send. The review writes them with
arbitrary functionals A, B_k, D_j, E_j of the past; here B_k = p_k f(x_k(t - delay)), E_j = M f(x_j(t - delay)).

Source: Grossberg (1971), Pavlovian pattern learning by nonlinear neural networks, Proc. Natl. Acad. Sci. USA 68,
828-831; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equations (35), (36).

What is known (x = sum x_i, z_j = sum_i z_ji, X_i = x_i/x, Z_ji = z_ji/z_j):

- dX_i/dt = sum_j (B_j z_j/x) (Z_ji - X_i) + (C/x) (theta_i - X_i),  dZ_ji/dt = (E_j x/z_j) (X_i - Z_ji): they only
  approach each other. So for each i the largest of theta_i, X_i, Z_1i, ... never rises and the smallest never falls.
- every X_i and Z_ji goes to theta_i, however many cells sample at once, whatever the strengths p_j, the delay, and the
  fluctuations of C(t), if each cell samples for long enough: learning has no bias. Each sampling cell then reads
  theta_i out alone.
- the strength of a cell may not differ between the cells that it sends to: that distorts the pattern.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number, one_of, whole
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, layer_panel, pattern_marks
from brnn.figures.view import shares
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated_with_lag
from brnn.models.parts.patterns import activities, default_pattern, field_shape, signal_of
from brnn.models.parts.presentations import refuse_weights
from brnn.models.parts.runs import run, slope
from brnn.signals import Linear, Saturating, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.learning import Learning, Outstar, PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Pulses, Samples
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]

_LAWS: dict[str, Callable[..., Learning]] = {"outstar": Outstar, "passive_decay": PassiveDecay}
_LAG, _ON, _PERIOD = 3.0, 5.0, 12.0  # one sampling cell begins 3 after the other, for 5 units of time, every 12
_RECALL = 6.0  # time for each recall at the end


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    sources: int = 4,
    recurrent: bool = False,
    A: float = 1.0,
    M: float = 1.0,
    signal: Signal = Saturating(gain=1.0, half=0.5),
    law: Literal["outstar", "passive_decay"] = "outstar",
    pattern: ArrayLike | None = None,
    strengths: ArrayLike | None = None,
    delay: float = 0.0,
    cycles: int = 8,
    seed: int = 0,
) -> Network:
    """Return a network that learns one pattern, whose intensity fluctuates, with several sampling cells.

    The non-recurrent network's sampling cells are on one after the other and overlap; at the end pattern and learning
    are off, and each of them recalls it alone. The activities and weights at time 0 are random.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells that receive the pattern, along each axis (1); by default that of `pattern`, else 10.
    sources : int, >= 1
        Number of sampling cells of the non-recurrent network (1).
    recurrent : bool
        Whether the cells that receive the pattern are themselves the sampling cells.
    A : float, > 0
        Passive decay rate of all cells (1/time).
    M : float, >= 0
        Learning rate (1/time).
    signal : Signal
        f, what a sampling cell sends, and by which it samples (1); it must be positive while the cell is to learn.
    law : str
        Learning law: outstar or passive_decay.
    pattern : float or array, >= 0
        What is taught (1); it is scaled to the reflectances theta_i, whose sum is 1.
    strengths : array, > 0
        p_j, one for each sampling cell (1/time); by default random, with a sum of 0.8 A. The activities stay bounded if
        the sum of the p_j, times the largest f, is less than A.
    delay : float, >= 0
        Lag of the signals of the sampling cells (time).
    cycles : int, >= 1
        How long the training lasts, in cycles of 12 units of time (1).
    seed : int, >= 0
        Seed of the random strengths, of the beginning, and of the fluctuations (1).

    Returns
    -------
    Network
        Layer "field" (and "source"), and the projection "paths" with the weights "paths.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "spatial_pattern_learning"
    one_of(recurrent, f"{model}: recurrent", bool, "true or false")
    cells = field_shape(model, n, 10, (("pattern", pattern),))
    size = math.prod(cells)
    count = size if recurrent else whole(sources, f"{model}: sources", minimum=1)
    refuse_weights(model, size * count)
    shown = default_pattern(cells) if pattern is None else pattern
    shown = np.broadcast_to(activities(shown, f"{model}: pattern", cells, minimum=0.0), cells)
    if shown.sum() <= 0:
        raise SpecError(f"{model}: pattern: is 0 everywhere; it has no reflectances")
    decay, rate = number(A, f"{model}: A", above=0.0), number(M, f"{model}: M", minimum=0.0)
    rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
    p = _strengths(strengths, count, decay, rng)
    trained = _PERIOD * whole(cycles, f"{model}: cycles", minimum=1)
    knots = np.linspace(0.0, trained, int(trained) + 1)
    course = np.append(np.exp(rng.standard_normal(knots.size - 1)), 0.0)  # ends at 0
    initial = rng.uniform(0.1, 1.0, size=cells)
    weights = rng.uniform(0.1, 1.0, size=(size, count))
    rule = _LAWS[choice(law, f"{model}: law", tuple(_LAWS))]
    field = Layer.additive("field", cells, A=decay, initial=initial)
    paths = Projection(
        "field" if recurrent else "source",
        "field",
        "excitatory",
        signal_of(signal, f"{model}: signal"),
        Dense(np.tile(p, (size, 1))),
        learning=rule(rate=rate, sampled=Linear(), initial=weights, schedule=Pulse(0.0, trained)),
        delay=delay,
        name="paths",
    )
    return Network(
        model,
        layers=(field,) if recurrent else (Layer.additive("source", count, A=decay), field),
        projections=(paths,),
        stimuli=(
            Stimulus("field", "excitatory", shown / shown.sum(), Samples(knots, course)),
            *([] if recurrent else [_cue(k, count, trained) for k in range(count)]),
        ),
        duration=trained + (_PERIOD if recurrent else 2.0 * _RECALL * count),
        reference="Grossberg (1971), Proc. Natl. Acad. Sci. USA 68, 828-831",
    )


def _strengths(value: ArrayLike | None, count: int, A: float, rng: np.random.Generator) -> np.ndarray:
    """Return the strengths p_j of `count` sampling cells."""
    drawn = rng.uniform(
        0.2, 1.0, size=count
    )  # drawn in any case, so that the rest of the network does not depend on it
    if value is None:
        return np.asarray(0.8 * A * drawn / drawn.sum())
    given = array(value, "spatial_pattern_learning: strengths", shape=(count,))
    if (given <= 0).any():
        raise SpecError(f"spatial_pattern_learning: strengths: has an element {given.min():g}; each must be > 0")
    return given


def _cue(k: int, count: int, trained: float) -> Stimulus:
    """Return the input of sampling cell k: once in each cycle of training, and alone in its recall."""
    onsets = _PERIOD * np.arange(round(trained / _PERIOD)) + _LAG * k % _PERIOD
    recall = trained + 2.0 * _RECALL * k + _RECALL
    intervals = np.stack([np.append(onsets, recall), np.append(onsets + _ON, recall + _RECALL)], axis=1)
    return Stimulus("source", "excitatory", np.eye(count)[k], Pulses(intervals))


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "Grossberg (1971); review, (35), (36)"
_CASES: dict[str, dict[str, Any]] = {
    "non-recurrent": {"n": 6, "sources": 3, "seed": 1},
    "recurrent": {"n": 5, "recurrent": True, "M": 4.0, "seed": 2},
    "non-recurrent, passive decay": {"n": 6, "sources": 3, "law": "passive_decay", "seed": 3},
    "recurrent, passive decay": {"n": 5, "recurrent": True, "law": "passive_decay", "seed": 4},
    "non-recurrent, delayed": {"n": 6, "sources": 3, "delay": 0.7, "seed": 5},
    "recurrent, delayed": {"n": 5, "recurrent": True, "M": 4.0, "delay": 0.7, "seed": 6},
}


def _network(case: dict[str, Any], **more: Any) -> tuple[Network, np.ndarray]:
    """Return a network with a random pattern, and the pattern."""
    theta = np.random.default_rng([1971, case["seed"]]).dirichlet(np.full(case["n"], 2.0))
    return build(pattern=theta, **{**case, **more}), theta


def _drawn(n: int, count: int, trained: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is random: C(t) at each unit of time, ending at 0, and the activities and weights at time 0."""
    rng = np.random.default_rng(seed)
    rng.uniform(0.2, 1.0, size=count)  # strengths, if none are given
    course = np.append(np.exp(rng.standard_normal(trained)), 0.0)
    return course, rng.uniform(0.1, 1.0, size=n), rng.uniform(0.1, 1.0, size=(n, count))


def _patterns(result: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return X (times, cells) and Z (times, cells, sampling cells)."""
    z = np.asarray(result["paths.z"])
    return np.asarray(result.relative("field")), z / z.sum(axis=1, keepdims=True)


@claim("For each cell the span of theta_i, X_i, Z_ji only shrinks", source=_REVIEW + ", pattern equations")
def span_only_shrinks() -> list[Comparison]:
    """max(theta_i, X_i, Z_1i, ...) never rises and the min never falls, through all fluctuations and overlaps."""
    rows = []
    for name, case in _CASES.items():
        network, theta = _network(case, cycles=2)
        X, Z = _patterns(run(network, 36.0, times=np.linspace(0.0, 36.0, 361), rtol=1e-8))
        every = np.concatenate([np.broadcast_to(theta, X.shape)[:, :, None], X[:, :, None], Z], axis=2)
        rows.append(Comparison.monotone("falling", every.max(axis=2), 1e-7, f"{name}: largest"))
        rows.append(Comparison.monotone("rising", every.min(axis=2), 1e-7, f"{name}: smallest"))
    return rows


@claim("Every X_i and Z_ji goes to theta_i, whatever the strengths", source=_REVIEW + ", theorem")
def pattern_is_learned_by_all() -> list[Comparison]:
    """Random patterns, beginnings, fluctuations and positive strengths: all sampling cells learn the same pattern."""
    rows = []
    for name, case in _CASES.items():
        network, theta = _network(case, cycles=15)
        X, Z = _patterns(run(network, 180.0, times=[0.0, 179.0], rtol=1e-8))
        far = min(np.abs(X[0] - theta).max(), np.abs(Z[0] - theta[:, None]).max())
        rows += [
            Comparison(theta, X[1], 1e-6, f"{name}: X (at the beginning {far:.2g} away)"),
            Comparison(np.broadcast_to(theta[:, None], Z[1].shape), Z[1], 1e-5, f"{name}: Z of all sampling cells"),
        ]
    return rows


@claim("X and Z obey the pattern equations", source=_REVIEW + ", divided by their totals")
def pattern_equations_hold() -> list[Comparison]:
    """The simulator's derivative at random states, turned into dX_i/dt and dZ_ji/dt, beside the pattern equations."""
    rows, time = [], 4.25
    rng = np.random.default_rng(36)
    for name in ("non-recurrent", "recurrent", "recurrent, passive decay"):
        case = _CASES[name]
        recurrent, M, n = case.get("recurrent", False), case.get("M", 1.0), case["n"]
        m = n if recurrent else case["sources"]
        p = 0.8 * np.linspace(1.0, 2.0, m) / np.linspace(1.0, 2.0, m).sum()
        network, theta = _network(case, strengths=p, signal=Saturating(gain=1.0, half=0.5), cycles=1)
        first = 0 if recurrent else m
        C = np.interp(time, np.arange(13.0), _drawn(n, m, 12, case["seed"])[0])
        states = rng.uniform(0.05, 2.0, size=(10, first + n + n * m))
        errors = []
        for u, v in zip(states, slope(network, states, time), strict=True):
            x, dx = u[first : first + n], v[first : first + n]
            z, dz = u[first + n :].reshape(n, m), v[first + n :].reshape(n, m)
            f = u[:m] / (0.5 + u[:m])
            X, Z = x / x.sum(), z / z.sum(axis=0)
            dX = (dx - X * dx.sum()) / x.sum()
            dZ = (dz - Z * dz.sum(axis=0)) / z.sum(axis=0)
            dX_ = ((p * f * z.sum(axis=0)) * (Z - X[:, None])).sum(axis=1) / x.sum() + C / x.sum() * (theta - X)
            dZ_ = (M * f * x.sum() / z.sum(axis=0)) * (X[:, None] - Z)
            errors.append((dX_, dX, dZ_, dZ))
        predicted, measured, predicted_z, measured_z = (np.array(part) for part in zip(*errors, strict=True))
        rows.append(Comparison(predicted, measured, 1e-12, f"{name}: dX_i/dt"))
        rows.append(Comparison(predicted_z, measured_z, 1e-12, f"{name}: dZ_ji/dt"))
    return rows


@claim("Each sampling cell alone recalls the pattern", source=_REVIEW + ", outstar theorem")
def each_cell_recalls_alone() -> Comparison:
    """Four cells that sampled at overlapping times, with random strengths, each in a recall of its own."""
    network, theta = _network({"n": 10, "sources": 4, "seed": 9}, cycles=15)
    ends = 180.0 + 2.0 * _RECALL * np.arange(1, 5)
    X = np.asarray(run(network, times=ends).relative("field"))
    return Comparison(np.broadcast_to(theta, X.shape), X, 1e-5)


@claim("Strengths that differ between the receiving cells distort the pattern", source="(35), (36) at rest")
def uneven_strengths_distort() -> list[Comparison]:
    """With strengths p_ki and all on, x_i rests at theta_i C/(A - sum_k f_k p_ki), no more in proportion to theta_i."""
    rng = np.random.default_rng(35)
    theta, f, C, A = rng.dirichlet(np.ones(5)), np.array([0.3, 0.9]), 2.0, 1.0
    rows = []
    for name, p in (("even", np.tile([0.2, 0.4], (5, 1))), ("uneven", rng.uniform(0.1, 0.5, size=(5, 2)))):
        network = Network(
            "distorted",
            (Layer.additive("source", 2, A=0.0, initial=f), Layer.additive("field", 5, A=A)),
            (Projection("source", "field", topology=Dense(p), learning=Outstar(1.0, initial=0.5), name="paths"),),
            (Stimulus("field", pattern=C * theta),),
        )
        x = np.asarray(run(network, 120.0, times=[120.0])["field.x"])[0]
        predicted = theta * C / (A - p @ f)
        rows.append(Comparison(predicted, x, 1e-7, f"{name} strengths: x_i at rest"))
        bias = np.abs(predicted / predicted.sum() - theta).max()
        rows.append(Comparison(bias, np.abs(x / x.sum() - theta).max(), 1e-7, f"{name} strengths: largest bias of X_i"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n, trained = len(p.pattern), 12 * p.cycles
    count = n if p.recurrent else p.sources
    course, start, weights = _drawn(n, count, trained, p.seed)
    theta, sources = p.pattern / p.pattern.sum(), 0 if p.recurrent else count

    def velocity(t: float, u: np.ndarray, when: float, late: np.ndarray) -> np.ndarray:
        s, x, z = u[:sources], u[sources : sources + n], u[sources + n :].reshape(n, count)
        sampled = late[:sources] if sources else late[:n]
        f = p.signal.gain * sampled / (p.signal.half + sampled)
        C = np.interp(t, np.arange(trained + 1.0), course)
        cue = (3.0 * np.arange(sources) % 12.0 < when % 12.0) & (when % 12.0 < 3.0 * np.arange(sources) % 12.0 + 5.0)
        gone = z if p.law == "passive_decay" else p.M * f * z
        return np.concatenate(
            [-p.A * s + cue, -p.A * x + z @ (p.strengths * f) + theta * C, (p.M * np.outer(x, f) - gone).ravel()]
        )

    breaks = [*np.arange(1.0, times[-1] + 1.0)]
    u = integrated_with_lag(
        velocity, np.concatenate([np.zeros(sources), start, weights.ravel()]), times, p.delay, breaks
    )
    return {"field.x": u[:, sources : sources + n], "paths.z": u[:, sources + n :].reshape(-1, n, count)}


@claim("Its equations, written out by hand", source="(35), (36) with a lag, integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells and two sampling cells, or three that sample each other, every parameter off its default."""
    parameters = {
        "A": 1.3,
        "M": 0.7,
        "signal": Numbers(Saturating, gain=0.8, half=0.4),
        "pattern": np.array([0.5, 1.0, 0.7]),
        "delay": 0.8,
        "cycles": 1,
        "seed": 5,
    }
    return [
        *equations_by_hand(
            functools.partial(build, sources=2, recurrent=False, law="passive_decay"),
            {**parameters, "strengths": np.array([0.5, 0.7])},
            lambda p, times: _by_hand(
                SimpleNamespace(sources=2, recurrent=False, law="passive_decay", **vars(p)), times
            ),
            np.array([0.0, 1.0, 2.5, 4.5]),
            apart=("n", "sources", "recurrent", "law"),
            tolerance=1e-6,
        ),
        *equations_by_hand(
            functools.partial(build, recurrent=True, law="outstar"),
            {**parameters, "strengths": np.array([0.5, 0.3, 0.4])},
            lambda p, times: _by_hand(SimpleNamespace(recurrent=True, law="outstar", **vars(p)), times),
            np.array([0.0, 1.0, 2.5]),
            apart=("n", "recurrent", "law", "sources"),
            tolerance=1e-6,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("field.x", "paths.z")
def one_pattern(run: Run) -> FigureDescription | None:
    """Show how far the weights of each sampling cell are from the pattern, and what they are in the end."""
    field = run.view("field")
    shown = shares(run.network.stimuli[0].pattern)
    z, times = run.values("paths.z"), run.times("paths.z")
    sources = z.shape[1] // field.cells
    if field.cells > 24 or sources > 6 or len(field.shape) > 1:
        return None
    z = z.reshape(times.size, field.cells, sources)
    Z = z / np.maximum(z.sum(axis=1, keepdims=True), 1e-300)
    away = np.abs(Z - shown[None, :, None]).max(axis=1)
    marks: list[Mark] = [Curve(times, np.maximum(away[:, k], 1e-16), f"cell {k}", color=k) for k in range(sources)]
    distance = Panel(
        "Distance of each cell's weights from the pattern",
        marks,
        run.time_label,
        "largest difference of shares",
        y_scale="log",
        x_limits=(run.start, run.end),
        width=1.1,
    )
    bars = pattern_marks(Z[-1, :, 0], shown, None, ("pattern", "weights of cell 0", ""))
    names = [f"cell {k}" for k in range(field.cells)]
    rows = (
        (layer_panel(run, "field", "The field: the pattern at changing intensity", labels=names),),
        (distance, Panel("What was learned", bars, "cell", "share of the total", width=0.9, legend="top")),
    )
    return FigureDescription("All sampling cells learn one and the same pattern", run.below, rows, (0.9, 1.0))
