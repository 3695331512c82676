"""Leaky competing accumulator (LCA): units that integrate evidence, leak, and inhibit each other.

    dx_i/dt = rho_i - k x_i - beta sum_{j != i} f(x_j) + sigma dW_i/dt

rho_i is the evidence for alternative i, k the leak, beta the lateral inhibition, dW_i/dt white noise.

Source: Usher and McClelland (2001), The time course of perceptual choice: the leaky, competing accumulator model,
Psychol. Rev. 108, 550-592. There activities are cut off at 0; here an activity may become negative but then sends no
signal, f(x) = [x]+, which is the default (ThresholdLinear). With f(x) = x (Linear) the equations are linear.

What is known, with f(x) = x:

- the sum of two units decays at the rate k + beta, their difference at k - beta: evidence is forgotten for k > beta,
  accumulated for ever for k = beta (the difference is that of a drift-diffusion process), amplified for k < beta.
- with noise, sum and difference are independent Ornstein-Uhlenbeck processes.
- with f(x) = [x]+ and beta > k one unit wins, at rho/k, and its activity grows in proportion to the evidence: the total
  is not normalized, as it is in a recurrent competitive field, where it can never exceed B.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Level, Mark, Run, figure, phase_panel, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, field_shape, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import final, run
from brnn.signals import Linear, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import WhiteNoise
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.distance import Kernel
from brnn.spec.topologies.uniform import AllButSelf
from brnn.theory import additive as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    pattern: ArrayLike = (1.0, 0.8),
    k: float = 0.2,
    beta: float = 0.4,
    sigma: float = 0.0,
    trials: int = 1,
    signal: Signal = ThresholdLinear(),
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a leaky competing accumulator, by default of two alternatives of which the first wins.

    Parameters
    ----------
    n : int, >= 1
        Number of alternatives (1); by default that of `pattern` or `initial`.
    pattern : float or array
        Evidence rho_i, of any sign (1/time).
    k : float, >= 0
        Leak (1/time).
    beta : float, >= 0
        Lateral inhibition (1/time).
    sigma : float, >= 0
        Strength of the white noise of each unit (1/sqrt(time)); above 0 the run needs a solver for noise, which is
        chosen by itself.
    trials : int, >= 1
        How many accumulators with the same evidence run side by side, each with noise of its own.
    signal : Signal
        f, by which a unit inhibits the others (1).
    initial : float or array
        Activities at time 0 (1).

    Returns
    -------
    Network
        One layer, "lca", of shape (n,), or (trials, n) if there are several.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "leaky_competing_accumulator"
    cells = field_shape(at, n, 2, (("pattern", pattern), ("initial", initial)))
    if len(cells) != 1:
        raise SpecError(f"{at}: n = {cells}: must be one whole number, alternatives have no other order")
    copies = whole(trials, f"{at}: trials", minimum=1)
    shape = cells if copies == 1 else (copies, *cells)
    if copies > 1:
        field_shape(at, shape, 1, ())  # refuses what does not fit into memory
    rho = np.broadcast_to(activities(pattern, f"{at}: pattern", cells), shape)
    start = np.broadcast_to(activities(initial, f"{at}: initial", cells), shape)
    noise = number(sigma, f"{at}: sigma", minimum=0.0)
    inhibition = _all_but_self(number(beta, f"{at}: beta", minimum=0.0), cells[0], copies)
    stimuli = [Stimulus("lca", "excitatory", rho)]
    if noise > 0.0:
        stimuli.append(Stimulus("lca", "excitatory", noise, WhiteNoise()))
    return Network(
        at,
        layers=(Layer.additive("lca", shape, A=number(k, f"{at}: k", minimum=0.0), initial=start),),
        projections=(Projection("lca", "lca", "inhibitory", signal_of(signal, f"{at}: signal"), inhibition),),
        stimuli=stimuli,
        duration=30.0,
        reference="Usher and McClelland (2001), Psychol. Rev. 108, 550-592",
    )


def _all_but_self(beta: float, n: int, trials: int) -> Topology:
    """Return inhibition among the n units of each trial, and none between trials."""
    if trials == 1:
        return AllButSelf(beta)
    # Along the row of a trial, every other unit is at some displacement from -(n - 1) to n - 1.
    taps = np.full((1, 2 * n - 1), beta)
    taps[0, n - 1] = 0.0
    return Kernel(taps)


# Claims --------------------------------------------------------------------------------------------------------

_2001 = "Usher and McClelland (2001); "


@claim("Two units: their sum decays at k + beta, their difference at k - beta", source=_2001 + "closed form")
def sum_and_difference() -> list[Comparison]:
    """f(x) = x: leak larger than, equal to and smaller than inhibition, over time."""
    rows = []
    for k, beta in ((0.5, 0.2), (0.3, 0.3), (0.2, 0.4)):
        result = run(build(k=k, beta=beta, signal=Linear(), initial=[0.3, 0.1]), duration=10.0)
        x, t = np.asarray(result["lca.x"]), np.asarray(result.times)
        for label, value, rate, drive, start in (
            ("sum", x.sum(axis=1), k + beta, 1.8, 0.4),
            ("difference", x[:, 0] - x[:, 1], k - beta, 0.2, 0.2),
        ):
            grown = t if rate == 0.0 else -np.expm1(-rate * t) / rate
            predicted = start * np.exp(-rate * t) + drive * grown
            rows.append(Comparison(predicted, value, 1e-7, f"k = {k:g}, beta = {beta:g}: {label} over time"))
    settled = final(build(k=0.5, beta=0.2, signal=Linear()))
    rows.append(Comparison([1.61904762, 0.95238095], settled, 1e-8, "k = 0.5, beta = 0.2: at rest, tabled"))
    late = run(build(k=0.3, beta=0.3, signal=Linear()), duration=40.0, times=[10.0, 40.0])
    x = np.asarray(late["lca.x"])
    return [
        *rows,
        Comparison([2.0, 8.0], x[:, 0] - x[:, 1], 1e-7, "k = beta: the difference is 0.2 t exactly"),
        Comparison(3.0, x[1].sum(), 1e-7, "k = beta: the sum goes to 3"),
    ]


@claim("Any number of linear units follow the matrix exponential", source="linear equations")
def linear_units() -> list[Comparison]:
    """Two to ten units with evidence of both signs; the mean decays at k + (n - 1) beta, the rest at k - beta."""
    rows = []
    for n, k, beta in ((2, 0.4, 0.3), (5, 0.7, 0.2), (10, 0.2, 0.25)):
        rng = np.random.default_rng(n)
        rho, start = rng.normal(size=n), rng.normal(size=n)
        result = run(build(pattern=rho, k=k, beta=beta, signal=Linear(), initial=start), duration=8.0)
        W = -beta * (1.0 - np.eye(n))
        predicted = theory.trajectory(k, W, rho, np.asarray(result.times), start)
        rows.append(Comparison(predicted, result["lca.x"], 1e-7, f"n = {n}: x_i over time", relative=True))
    return rows


@claim("Rectified units with beta > k: the strongest wins, at rho/k", source=_2001 + "closed form")
def winner_takes_all() -> list[Comparison]:
    """f(x) = [x]+: the losers go to (rho_i - beta rho/k)/k < 0, where they send nothing."""
    rows = []
    for rho, k, beta in (([1.0, 0.8], 0.2, 0.4), ([0.5, 0.9, 0.7, 0.6], 0.3, 0.5), (list(PATTERN_A), 0.2, 0.3)):
        evidence = np.array(rho)
        settled = final(build(pattern=evidence, k=k, beta=beta))
        best = int(evidence.argmax())
        predicted = (evidence - beta * evidence[best] / k) / k
        predicted[best] = evidence[best] / k
        rows += [
            Comparison(predicted, settled, 1e-7, f"{evidence.size} units, k = {k:g}, beta = {beta:g}: at rest"),
            Comparison.order([best], np.flatnonzero(settled > 0.0), f"{evidence.size} units: who is active"),
        ]
    evidence = np.array([1.0, 0.8, 0.3])

    def velocity(t: float, x: np.ndarray) -> np.ndarray:
        sent = np.maximum(x, 0.0)
        return np.asarray(evidence - 0.2 * x - 0.35 * (sent.sum() - sent))

    times = np.linspace(0.0, 30.0, 301)
    result = run(build(pattern=evidence, k=0.2, beta=0.35), 30.0, times=times)
    predicted = scipy_solution(velocity, times, np.zeros(3))
    return [*rows, Comparison(predicted, result["lca.x"], 1e-6, "three units over time, by independent integration")]


@claim("The total is not normalized, as it is in a recurrent competitive field", source="review, on working memory")
def not_normalized() -> list[Comparison]:
    """Ten equal units at evidence from 1 to 1000: n rho/(k + (n - 1) beta), beside an RCF with the same inputs."""
    from brnn.models import rcf

    n, k, beta, A, B = 10, 0.3, 0.2, 1.0, 3.0
    levels = np.array([1.0, 10.0, 100.0, 1000.0])
    totals, fields = [], []
    for level in levels:
        I = np.full(n, level / n)
        totals.append(final(build(pattern=I, k=k, beta=beta)).sum())
        fields.append(final(rcf.build(A=A, B=B, signal=Linear(), pattern=I, J=I.sum() - I, on=math.inf)).sum())
    # Of the total of (21), with f(w) = w and J_i the other inputs: 0 = -A x + (B - x)(I + x).
    b = A + levels - B
    predicted = 0.5 * (-b + np.sqrt(b**2 + 4.0 * B * levels))
    ends = [final(build(pattern=scale * PATTERN_A, k=0.2, beta=0.3)).max() for scale in (1.0, 10.0, 100.0)]
    return [
        Comparison(
            levels / (k + (n - 1) * beta), totals, 1e-7, "LCA: total, in proportion to the evidence", relative=True
        ),
        Comparison(predicted, fields, 1e-7, "RCF: total, from its quadratic equation"),
        Comparison.at_most(B, fields, label="RCF: total stays below B"),
        Comparison(0.9 / 0.2 * np.array([1.0, 10.0, 100.0]), ends, 1e-7, "LCA, beta > k: winner, rho/k", relative=True),
    ]


@claim("Noise: mean and variance of two linear units are those of Ornstein-Uhlenbeck processes", source="closed form")
def noise_is_ornstein_uhlenbeck() -> list[Comparison]:
    """4000 trials; moments of sum and difference within four standard errors, for k >, = and < beta."""
    trials, sigma, times = 4000, 0.3, np.array([0.5, 2.0, 6.0])
    rows = []
    for seed, (k, beta) in enumerate(((0.5, 0.2), (0.3, 0.3), (0.25, 0.35)), start=1):
        x = _trials(trials, sigma, k, beta, times, seed)
        pairs = (("sum", x[..., 0] + x[..., 1], k + beta, 1.8), ("difference", x[..., 0] - x[..., 1], k - beta, 0.2))
        for label, value, rate, drive in pairs:
            mean, variance = _moments(rate, drive, sigma, times)
            at = f"k = {k:g}, beta = {beta:g}, {label}:"
            z = (value.mean(axis=1) - mean) / np.sqrt(variance / trials)
            ratio = (value.var(axis=1, ddof=1) / variance - 1.0) / math.sqrt(2.0 / (trials - 1))
            rows += [
                Comparison(np.zeros(3), z, 4.0, f"{at} mean, in standard errors"),
                Comparison(np.zeros(3), ratio, 4.0, f"{at} variance, in standard errors"),
            ]
    return rows


@claim("Noise: the probability that the better unit leads is that of a normal difference", source=_2001 + "closed form")
def choices_are_predicted() -> list[Comparison]:
    """Phi(mean/standard deviation) of the difference at three times; 4000 trials, four standard errors."""
    from scipy.special import ndtr

    trials, sigma, times = 4000, 0.5, np.array([1.0, 4.0, 10.0])
    rows = []
    for seed, (k, beta) in enumerate(((0.5, 0.2), (0.3, 0.3), (0.2, 0.4)), start=11):
        x = _trials(trials, sigma, k, beta, times, seed)
        mean, variance = _moments(k - beta, 0.2, sigma, times)
        p = ndtr(mean / np.sqrt(variance))
        leads = (x[..., 0] > x[..., 1]).mean(axis=1)
        rows += [
            Comparison(
                np.zeros(3), (leads - p) / np.sqrt(p * (1.0 - p) / trials), 4.0, f"k = {k:g}, beta = {beta:g}: z"
            ),
        ]
    return rows


def _trials(trials: int, sigma: float, k: float, beta: float, times: np.ndarray, seed: int) -> np.ndarray:
    """Return the activities at some times, shape (times, trials, 2)."""
    network = build(sigma=sigma, k=k, beta=beta, trials=trials, signal=Linear())
    return np.asarray(run(network, times[-1], times=times, step=0.02, seed=seed)["lca.x"])


def _moments(rate: float, drive: float, sigma: float, t: np.ndarray) -> tuple[Any, Any]:
    """Return mean and variance of dz = (drive - rate z) dt + sigma sqrt(2) dW, z(0) = 0."""
    if rate == 0.0:
        return drive * t, 2.0 * sigma**2 * t
    return -drive * np.expm1(-rate * t) / rate, -(sigma**2) * np.expm1(-2.0 * rate * t) / rate


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.pattern)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x = u.reshape(-1, n)
        f = p.signal.gain * np.maximum(x - p.signal.threshold, 0.0)
        return np.asarray(p.pattern - p.k * x - p.beta * (f.sum(axis=1, keepdims=True) - f)).ravel()

    u = integrated(velocity, np.tile(p.initial, p.trials), times).reshape(-1, p.trials, n)
    return {"lca.x": u}


_STEP, _SEED = 0.05, 2001  # of the noisy run


def _in_steps(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course of Euler and Maruyama: a normal number from NumPy's generator for each step and unit."""
    random = np.random.default_rng(_SEED)
    x = np.tile(p.initial, (p.trials, 1))
    rows = [x]
    for _ in range(round(times[-1] / _STEP)):
        dW = np.sqrt(_STEP) * random.standard_normal(x.size).reshape(x.shape)
        f = p.signal.gain * np.maximum(x - p.signal.threshold, 0.0)
        others = f.sum(axis=1, keepdims=True) - f
        x = x + _STEP * (p.pattern - p.k * x - p.beta * others) + p.sigma * dW
        rows.append(x)
    return {"lca.x": np.array([rows[round(time / _STEP)] for time in times])}


@claim("Its equations, written out by hand", source=_2001 + "integrated by SciPy")
def equations() -> list[Comparison]:
    """Three alternatives in two trials without noise, and with it in steps; every parameter off its default."""
    parameters = {
        "pattern": np.array([0.7, 1.2, 0.9]),
        "k": 0.3,
        "beta": 0.5,
        "trials": 2,
        "signal": Numbers(ThresholdLinear, gain=1.2, threshold=0.05),
        "initial": np.array([0.3, 0.1, 0.4]),
    }
    return [
        *equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 3.0, 7), apart=("n", "sigma")),
        *equations_by_hand(
            build,
            {**parameters, "sigma": 0.4},
            _in_steps,
            _STEP * np.arange(0, 41, 5),
            apart=("n",),
            tolerance=1e-12,
            solver="EulerMaruyama",
            step=_STEP,
            seed=_SEED,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("lca.x")
def race(run: Run) -> FigureDescription | None:
    """Show two accumulators over time and in their plane, and where the winner rests."""
    view, layer = run.view("lca"), run.part("lca")
    if view.cells != 2 or run.network.noisy or run.network.breaks(run.end).size:
        return None
    evidence = run.inputs_to("lca").ravel()
    marks: list[Mark] = [
        trace(run, "lca", k, label=f"accumulator {k}, evidence {evidence[k]:g}", color=k) for k in range(2)
    ]
    x, leak = run.last("lca").ravel(), float(np.max(layer.A))
    title = "Two accumulators of evidence"
    if isinstance(run.part("lca_lca_inh").signal, ThresholdLinear) and leak > 0.0 and x.min() <= 0.0 < x.max():
        title = "More evidence wins, and silences the other"
        marks.append(Level(float(evidence[np.argmax(x)]) / leak, "theory: the winner, evidence/leak"))
    panels = (
        time_panel(run, "Activities", marks),
        phase_panel(run, ("lca", 0), ("lca", 1), ("accumulator 0", "accumulator 1"), width=0.85),
    )
    return FigureDescription(title, run.below, (panels,), (1.3,))
