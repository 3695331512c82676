"""Instar: a category cell tunes its incoming weights to the patterns that are there while it is active.

    dx_i/dt = -A x_i + (B - x_i) I_i - x_i sum_{k != i} I_k         input cells: x_i goes to theta_i B I/(A + I)    (13)
    dx_j/dt = -A x_j + D sum_i x_i z_ij + T_j(t)                    category cell, T_j: a teaching input            (7)
    dz_ij/dt = M f(x_j) [h(x_i) - z_ij]                                                                           (12)

Learning is gated by the receiving cell: while it is active, f(x_j) > 0, its weights move toward the pattern of the
input cells; while it is not they keep what they have. D sum_i x_i z_ij then tells how similar an input is to them.

Source: Grossberg (1976), Adaptive pattern classification and universal recoding I, Biol. Cybern. 23, 121-134;
Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (12).

What is known (h(w) = w):

- one pattern: z(t) = h + (z(0) - h) exp(-M f t).
- several patterns: the weights go to their mean over the time for which the cell is active; with the rate
  M(t) = 1/(t + t0) this is the mean of all that was seen, with a constant rate the recent past counts more.
- patterns that come while f = 0 leave no trace, not in the last bit.
- of patterns of equal length the one that was learned excites the cell most (Cauchy and Schwarz).
- self-normalizing, dz_ij/dt = M f(x_j) [(1 - z_ij) h_i - z_ij sum_{k != i} h_k]: z_ij goes to h_i/sum_k h_k, so
  that the weights share an amount of 1 whatever the intensity of the input (Carpenter and Grossberg 1987).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Panel, Run, figure, layer_panel, pattern_marks, time_panel, trace
from brnn.figures.view import shares
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, PATTERN_B, signal_of
from brnn.models.parts.presentations import Presentations, order_of, pattern_rows, refuse_weights
from brnn.models.parts.runs import run
from brnn.signals import Linear, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.learning import Instar, Learning, SelfNormalizing
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Samples
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll

__all__ = ["build"]

_SILENT = 0.4  # part of each presentation without input


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    taught: ArrayLike = (0,),
    cycles: int = 6,
    A: float = 1.0,
    B: float = 1.0,
    M: float = 0.3,
    D: float = 1.0,
    signal: Signal = ThresholdLinear(gain=1.0, threshold=0.5),
    total: float = 10.0,
    teacher: float = 2.0,
    each: float = 5.0,
    law: Literal["instar", "self_normalizing"] = "instar",
    weights: ArrayLike | None = None,
) -> Network:
    """Return an instar that is taught some patterns out of several, and is then tested with all of them.

    The patterns are shown in turn, `cycles` times; the category cell is driven together with those that are `taught`.
    Then learning ends, and each pattern is shown once more: the category cell's activity tells how similar it is.

    Parameters
    ----------
    pattern : array, >= 0
        One pattern, or several as rows (1); each is scaled to reflectances theta_i, whose sum is 1.
    taught : array
        Indices of the patterns that are shown together with the teaching input (1).
    cycles : int, >= 1
        How often all patterns are shown in training (1).
    A : float, > 0
        Passive decay rate of all cells (1/time).
    B : float, > 0
        Upper bound of the input cells' activity (1).
    M : float, >= 0
        Learning rate (1/time).
    D : float, >= 0
        Strength of the connections (1/time).
    signal : Signal
        f, by which the category cell samples (1).
    total : float, > 0
        I, the total input of each pattern (1/time).
    teacher : float, >= 0
        T_j, input of the category cell while a taught pattern is shown (1/time).
    each : float, > 0
        How long each presentation takes (time); its last two fifths are silent.
    law : str
        Learning law: instar or self_normalizing.
    weights : float or array
        z at time 0: one number, or one for each input cell (1); 0.05 by default.

    Returns
    -------
    Network
        Layers "input" and "category", and the projection "instar" with the weights "instar.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    rows = pattern_rows((PATTERN_A, PATTERN_B) if pattern is None else pattern, "instar: pattern", minimum=0.0)
    if (rows.sum(axis=1) <= 0).any():
        raise SpecError(
            f"instar: pattern: row {int(rows.sum(axis=1).argmin())} is 0 everywhere; it has no reflectances"
        )
    refuse_weights("instar", rows.shape[1])
    theta = rows / rows.sum(axis=1, keepdims=True)
    inputs = number(total, "instar: total", above=0.0) * theta
    chosen = np.unique(order_of(taught, "instar: taught", len(rows)))
    training = Presentations.cycles(len(rows), cycles, each, "instar")
    shown = training.then(np.arange(len(rows)))
    both = Presentations(np.concatenate([training.order, shown.order]), training.each)
    laws: dict[str, type[Learning]] = {"instar": Instar, "self_normalizing": SelfNormalizing}
    rule = laws[choice(law, "instar: law", tuple(laws))]
    on = number(teacher, "instar: teacher", minimum=0.0) * np.isin(np.arange(len(rows)), chosen)
    return Network(
        "instar",
        layers=(
            Layer.shunting("input", rows.shape[1], A=number(A, "instar: A", above=0.0), B=B),
            Layer.additive("category", 1, A=A),
        ),
        projections=(
            Projection(
                "input",
                "category",
                "excitatory",
                Linear(),
                AllToAll(weight=number(D, "instar: D", minimum=0.0)),
                learning=rule(
                    rate=number(M, "instar: M", minimum=0.0),
                    sampling=signal_of(signal, "instar: signal"),
                    initial=0.05 if weights is None else array(weights, "instar: weights"),
                    schedule=Pulse(0.0, training.stop),
                ),
                name="instar",
            ),
        ),
        stimuli=(
            Stimulus("input", "excitatory", inputs, both.shown(_SILENT)),
            Stimulus("input", "inhibitory", inputs.sum(axis=1, keepdims=True) - inputs, both.shown(_SILENT)),
            Stimulus("category", "excitatory", on[:, None], training.shown(_SILENT)),
        ),
        duration=both.stop,
        reference="Grossberg (1976), Biol. Cybern. 23, 121-134",
    )


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "Grossberg (2013), review, "
_SOLVERS = ("RK45", "RK23", "DOP853", "LSODA", "Radau", "BDF", "ROS34PW2")


def _sampling(learning: Learning, patterns: np.ndarray, shown: Presentations, total: float, active: float) -> Network:
    """Return input cells that see patterns without silence, and a category cell whose activity never changes."""
    inputs = total * patterns
    return Network(
        "sampling",
        (
            Layer.shunting("input", patterns.shape[1], A=1.0, B=1.0),
            Layer.additive("category", 1, A=0.0, initial=active),
        ),
        (
            Projection(
                "input", "category", "excitatory", Linear(), AllToAll(weight=0.0), learning=learning, name="instar"
            ),
        ),
        (
            Stimulus("input", "excitatory", inputs, shown.shown()),
            Stimulus("input", "inhibitory", inputs.sum(axis=1, keepdims=True) - inputs, shown.shown()),
        ),
        duration=shown.stop,
    )


def _recursion(goals: np.ndarray, z: np.ndarray, r: float, a: float, T: float) -> np.ndarray:
    """Return the weights after each presentation of length T: x' = r (goal - x) and z' = a (x - z) in closed form."""
    x, result = np.zeros(goals.shape[1]), []
    for goal in goals:
        z = goal + (z - goal) * np.exp(-a * T) + (x - goal) * a / (a - r) * (np.exp(-r * T) - np.exp(-a * T))
        x = goal + (x - goal) * np.exp(-r * T)
        result.append(z)
    return np.array(result)


@claim("Constant signals: z(t) = h + (z(0) - h) exp(-M f t)", source=_REVIEW + "(12), solved for constant f and h")
def weights_approach_exponentially() -> list[Comparison]:
    """Three category cells, each at its own level, are followed from random weights; the silent one learns nothing."""
    rng = np.random.default_rng(12)
    h, f, z0, times = rng.uniform(size=5), np.array([0.0, 0.5, 2.0]), rng.uniform(size=(3, 5)), np.linspace(0, 5, 11)
    network = Network(
        "clamped",
        (Layer.additive("input", 5, A=0.0, initial=h), Layer.additive("category", 3, A=0.0, initial=f)),
        (
            Projection(
                "input", "category", topology=AllToAll(weight=0.0), learning=Instar(0.9, initial=z0), name="instar"
            ),
        ),
    )
    rows = []
    for solver in ("RK45", "LSODA", "BDF"):
        z = np.asarray(run(network, 5.0, times=times, solver=solver)["instar.z"])
        predicted = h + (z0 - h) * np.exp(-0.9 * f[:, None] * times[:, None, None])
        rows.append(Comparison(predicted, z, 1e-8, f"closed form, {solver}"))
        rows.append(Comparison.exact(np.broadcast_to(z0[0], (11, 5)), z[:, 0], f"{solver}: the cell with f = 0"))
    return rows


@claim("Patterns that come while the category cell is silent leave no trace", source=_REVIEW + "text after (12)")
def untaught_patterns_leave_no_trace() -> list[Comparison]:
    """Only the first of two alternating patterns is taught; while the other is shown no bit of a weight changes."""
    network = build(taught=[0], cycles=3)
    other = np.array([5.0, 15.0, 25.0])  # when the second pattern comes
    times = np.sort((other[:, None] + np.linspace(0.0, 5.0, 11)).ravel())
    rows = []
    for solver in _SOLVERS:
        z = np.asarray(run(network, times=times, solver=solver, rtol=1e-6, atol=1e-9)["instar.z"]).reshape(3, 11, 10)
        rows.append(Comparison.exact(np.broadcast_to(z[:, :1], z.shape), z, f"{solver}: weights while B is shown"))
        learned = np.linalg.norm(np.diff(z[:, 0], axis=0), axis=1)
        rows.append(Comparison.at_least(1e-3, learned, label=f"{solver}: change while A is shown"))
    return rows


@claim("Several patterns: the weights go to their mean in the time of activity", source="Grossberg (1976); (12) solved")
def weights_go_to_the_mean() -> list[Comparison]:
    """Cycles of three patterns: each step by the solved (12), the limit cycle, and its nearness to the mean."""
    rng = np.random.default_rng(7)
    patterns, total, f = rng.dirichlet(np.ones(6), size=3), 4.0, 0.8
    goals, z0 = patterns * total / (1.0 + total), rng.uniform(size=6)
    rows = []
    for M, cycles in ((0.5, 20), (0.05, 100)):
        shown = Presentations(np.tile(np.arange(3), cycles), 2.0)
        learning = Instar(rate=M, sampling=Linear(), initial=z0[None, :])
        z = run(_sampling(learning, patterns, shown, total, f), times=shown.at(1.0))["instar.z"]
        predicted = _recursion(goals[shown.order], z0, 1.0 + total, M * f, 2.0)
        rows.append(Comparison(predicted, z[:, 0], 1e-8, f"M = {M:g}: every presentation"))
        # The cycle's end is the mean with weights that fall by exp(-M f T) for each step back (x follows at once).
        q = math.exp(-M * f * 2.0)
        recent = (1.0 - q) * q ** np.arange(3)[::-1] / (1.0 - q**3)
        rows.append(
            Comparison(recent @ goals, z[-1, 0], M * f / (1.0 + total), f"M = {M:g}: mean, the latest counts most")
        )
        lean = np.abs(recent - 1.0 / 3.0).max()
        rows.append(Comparison(goals.mean(axis=0), z[-1, 0], lean, f"M = {M:g}: mean of the patterns"))
    return rows


@claim("With the rate 1/(t + t0) the weights are the mean of all that was seen", source="(12) with M(t) = 1/(t + t0)")
def falling_rate_gives_the_running_mean() -> Comparison:
    """z(t) = [t0 z(0) + int x dt]/(t + t0), the rate given as samples with straight lines between them."""
    rng = np.random.default_rng(4)
    patterns, total, t0, z0 = rng.dirichlet(np.ones(5), size=12), 9.0, 1.0, rng.uniform(size=5)
    shown = Presentations(np.arange(12), 2.0)
    knots = np.geomspace(t0, t0 + shown.stop, 160) - t0
    rate = Samples(knots, 1.0 / (knots + t0))
    learning = Instar(rate=1.0, sampling=Linear(), initial=z0[None, :], schedule=rate)
    z = run(_sampling(learning, patterns, shown, total, 1.0), times=shown.at(1.0), solver="RK45")["instar.z"]
    goals, r, x, area, predicted = patterns * total / (1.0 + total), 1.0 + total, np.zeros(5), np.zeros(5), []
    for goal, t in zip(goals, shown.at(1.0), strict=True):
        area = area + 2.0 * goal + (x - goal) * (1.0 - math.exp(-2.0 * r)) / r
        x = goal + (x - goal) * math.exp(-2.0 * r)
        predicted.append((t0 * z0 + area) / (t + t0))
    return Comparison(np.array(predicted), z[:, 0], 1e-4)


@claim("Self-normalizing weights go to h_i/sum h and share an amount of 1", source="Carpenter and Grossberg (1987)")
def weights_share_a_fixed_amount() -> list[Comparison]:
    """z_i(t) = h_i/H + (z_i(0) - h_i/H) exp(-M f H t), H = sum h, over three orders of magnitude of H."""
    rng = np.random.default_rng(87)
    f, z0, theta, rows = 0.7, rng.uniform(size=6), rng.dirichlet(np.ones(6)), []
    for H in (0.1, 1.0, 100.0):
        times = np.linspace(0.0, 20.0 / H, 11)
        network = Network(
            "clamped",
            (
                Layer.additive("input", 6, A=0.0, initial=H * theta),
                Layer.additive("category", 1, A=0.0, initial=f),
            ),
            (
                Projection(
                    "input",
                    "category",
                    topology=AllToAll(weight=0.0),
                    learning=SelfNormalizing(1.3, initial=z0[None, :]),
                    name="instar",
                ),
            ),
        )
        z = np.asarray(run(network, times[-1], times=times)["instar.z"])[:, 0]
        predicted = theta + (z0 - theta) * np.exp(-1.3 * f * H * times[:, None])
        rows.append(Comparison(predicted, z, 1e-8, f"H = {H:g}: closed form"))
        rows.append(Comparison(1.0, z[-1].sum(), 1e-6, f"H = {H:g}: sum of the weights"))
    return rows


@claim(
    "The category cell responds most to what it learned", source="Grossberg (1976); inner product, Cauchy and Schwarz"
)
def learned_pattern_excites_most() -> list[Comparison]:
    """Five patterns of equal length, one taught: each test gives D z.x/A, z and x in proportion to their patterns."""
    rng = np.random.default_rng(5)
    patterns = np.array([rng.permutation(PATTERN_A) for _ in range(5)])
    network = build(pattern=patterns, taught=[2], cycles=4, each=50.0)
    trained = 50.0 * 5 * 4
    tests = trained + 50.0 * np.arange(5) + 30.0  # the ends of the inputs
    result = run(network, times=[trained - 120.0, trained, *tests])
    z, x = np.asarray(result["instar.z"])[:2, 0], np.asarray(result["category.x"])[2:, 0]
    theta = patterns / patterns.sum(axis=1, keepdims=True)
    own = z[1].sum() * theta[2]
    return [
        Comparison(theta[2] * 10.0 / 11.0, z[0], 1e-6, "weights while it is shown, theta B I/(A + I)"),
        Comparison(own, z[1], 1e-6, "weights when training ends, in proportion to theta"),
        Comparison(10.0 / 11.0 * theta @ own, x, 1e-6, "responses to the five patterns"),
        Comparison.order([2], [int(np.argmax(x))], "pattern with the largest response"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    I = p.total * p.pattern / p.pattern.sum(axis=1, keepdims=True)
    count, n = I.shape
    trained = p.cycles * count

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, z = u[:n], u[n], u[n + 1 :]
        k = int(when // p.each)  # the presentation, of which the last two fifths are silent
        shown = float(when - k * p.each < 0.6 * p.each) * I[k % count]
        T = p.teacher * (shown.any() and k < trained and k % count in p.taught)
        f = p.signal.gain * max(y - p.signal.threshold, 0.0)
        dz = (1.0 - z) * x - z * (x.sum() - x) if p.law == "self_normalizing" else x - z
        return np.concatenate(
            [
                -p.A * x + (p.B - x) * shown - x * (shown.sum() - shown),
                [-p.A * y + p.D * x @ z + T],
                float(k < trained) * p.M * f * dz,
            ]
        )

    onsets = p.each * np.arange(trained + count + 1)
    u = integrated(velocity, np.concatenate([np.zeros(n + 1), p.weights]), times, [*onsets, *(onsets + 0.6 * p.each)])
    return {"input.x": u[:, :n], "category.x": u[:, n], "instar.z": u[:, n + 1 :]}


@claim("Its equations, written out by hand", source="(7), (12), (13); integrated by SciPy")
def equations() -> list[Comparison]:
    """Two patterns of three cells, self-normalizing, every parameter off its default."""
    parameters = {
        "pattern": np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.4]]),
        "taught": (1,),
        "cycles": 2,
        "A": 0.8,
        "B": 1.3,
        "M": 0.6,
        "D": 1.4,
        "signal": Numbers(ThresholdLinear, gain=1.2, threshold=0.2),
        "total": 4.0,
        "teacher": 1.5,
        "each": 2.0,
        "law": "self_normalizing",
        "weights": np.array([0.3, 0.2, 0.1]),
    }
    times = np.array([0.0, 1.0, 2.7, 3.5, 5.0, 7.0, 8.7, 9.5, 10.9, 11.6])
    return equations_by_hand(
        build, parameters, _by_hand, times, changed={"law": "instar", "taught": (0,)}, tolerance=1e-6
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("category.x", "instar.z")
def learned_mean(run: Run) -> FigureDescription | None:
    """Show the weights on their way to the patterns that were taught, and the answers of the category."""
    if run.view("instar.z").cells > 24:
        return None
    rows, teacher = np.asarray(run.network.stimuli[0].pattern), np.ravel(run.network.stimuli[2].pattern)
    taught = rows[teacher > 0] if np.any(teacher > 0) else rows
    mean = shares(sum(shares(row) for row in taught))
    bars = pattern_marks(shares(run.last("instar.z")), mean, None, ("mean of what was taught", "weights", ""))
    first = layer_panel(run, "instar.z", "Weights", labels=[f"from {k}" for k in range(mean.size)], width=1.1)
    rows_of_panels = (
        (first, Panel("Taught and learned", bars, "cell", "share of the total", legend="top", width=0.9)),
        (time_panel(run, "Category: taught, then tested", [trace(run, "category", label="category")]),),
    )
    title = "An instar learns the mean of the patterns it is taught"
    return FigureDescription(title, run.below, rows_of_panels, (1.1, 0.8))
