"""Adaline: a linear cell that learns from its errors (LMS, the rule of Widrow and Hoff).

    dx_i/dt = s (-x_i + input_i(t))                     input cells; the last one is always 1 (bias)
    de/dt = s (-e + d(t) - sum_i x_i w_i)               error: the target d less the output
    dw_i/dt = M x_i e                                   LMS
    output = d - e, which is sum_i x_i w_i with and without a target

Source: Widrow and Hoff (1960), Adaptive switching circuits, IRE WESCON Convention Record 4, 96-104; Grossberg (2013),
Recurrent neural networks, Scholarpedia 8(2):1888, linear models.

What is known:

- each presentation takes away a fixed part of its error, about 1 - exp(-M |x|^2 T), T being how long it is learned.
- if some weights make no error at all, LMS finds such weights, the nearest to those at the beginning.
- otherwise the weights go to a cycle around those of least squares, as near to them as M is small.
- AND of inputs +1 and -1 has the least squares weights 1/2, 1/2 and bias -1/2, and is decided without a mistake; XOR
  has the weights 0, 0, 0: no linear cell can do it.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, one_of
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Panel, Run, figure, pattern_marks, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.presentations import Presentations, pattern_rows, refuse_weights
from brnn.models.parts.runs import run
from brnn.models.parts.supervised import driven_by_errors, step_factor, taught_pairs
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.network import Network

__all__ = ["build"]

_CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
_AND = np.array([-1.0, -1.0, -1.0, 1.0])
_XOR = np.array([-1.0, 1.0, 1.0, -1.0])


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    bias: bool = True,
    M: float = 0.1,
    cycles: int = 50,
    speed: float = 60.0,
    weights: ArrayLike = 0.0,
) -> Network:
    """Return an adaline that is taught targets, and is then shown the same inputs without them.

    Each presentation takes a unit of time, and is learned in its second half, when the cells have settled.

    Parameters
    ----------
    pattern : array
        Inputs as rows (1); by default the four pairs of -1 and +1.
    targets : array
        d, one number for each row (1); by default the logical AND of the pairs.
    bias : bool
        Whether there is one more input, which is always 1.
    M : float, >= 0
        Learning rate (1/time).
    cycles : int, >= 1
        How often all inputs are shown (1).
    speed : float, > 0
        s, the rate at which cells follow their inputs (1/time), large beside M |x|^2.
    weights : float or array
        Weights at time 0: one number, or one for each input, the bias last (1).

    Returns
    -------
    Network
        Layers "input", "error", and "output", and the projection "memory" with the weights "memory.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "adaline"
    rows = pattern_rows(_CORNERS if pattern is None else pattern, f"{model}: pattern")
    if targets is None and len(rows) != len(_AND):
        raise SpecError(f"{model}: targets: are needed, one for each of the {len(rows)} rows of pattern")
    wanted = array(_AND if targets is None else targets, f"{model}: targets", shape=(len(rows),))
    if one_of(bias, f"{model}: bias", bool, "true or false"):
        rows = np.column_stack([rows, np.ones(len(rows))])
    refuse_weights(model, rows.shape[1])
    training = Presentations.cycles(len(rows), cycles, 1.0, model)
    recall = training.then(np.arange(len(rows)))
    layers, projections, stimuli = driven_by_errors(
        rows,
        wanted[:, None],
        training,
        (rows, recall.shown()),
        number(M, f"{model}: M", minimum=0.0),
        number(speed, f"{model}: speed", above=0.0),
        array(weights, f"{model}: weights"),
    )
    return Network(
        model,
        layers=layers,
        projections=projections,
        stimuli=stimuli,
        duration=recall.stop,
        reference="Widrow and Hoff (1960), IRE WESCON Convention Record 4, 96-104",
    )


# Claims --------------------------------------------------------------------------------------------------------


def _trained(network: Network, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights at the end of each presentation, and the outputs of the final ones without a target."""
    count = round(network.duration or 0.0)
    result = run(network, times=np.arange(1.0, count + 1.0))
    return np.asarray(result["memory.z"])[: count - rows, 0], np.asarray(result["output.x"])[count - rows :, 0]


def _lms(x: np.ndarray, d: np.ndarray, w: np.ndarray, M: float, cycles: int) -> np.ndarray:
    """Return the weights after each presentation of the discrete LMS rule."""
    part, course = step_factor(M, 60.0, x), []
    for k in np.tile(np.arange(len(x)), cycles):
        w = w + part[k] * (d[k] - w @ x[k]) * x[k] / (x[k] @ x[k])
        course.append(w)
    return np.array(course)


def _limit(x: np.ndarray, d: np.ndarray, M: float) -> np.ndarray:
    """Return the weights at the end of a cycle that repeats itself: the fixed point of the whole cycle's linear map."""
    n = x.shape[1]
    shift = _lms(x, d, np.zeros(n), M, 1)[-1]
    matrix = np.stack([_lms(x, d, unit, M, 1)[-1] - shift for unit in np.eye(n)], axis=1)
    return np.asarray(np.linalg.solve(np.eye(n) - matrix, shift))


def _noisy_line(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one input and a target 0.5 + 2 u with noise, which no weights can meet."""
    rng = np.random.default_rng(60)
    u = rng.uniform(-1.0, 1.0, size=(count, 1))
    return u, 0.5 + 2.0 * u[:, 0] + 0.3 * rng.standard_normal(count)


@claim("Each presentation takes away a fixed part of its error", source="Widrow and Hoff (1960); equations solved")
def each_presentation_is_a_step() -> list[Comparison]:
    """w + part (d - w.x) x/|x|^2, from random weights on, for a slow and a fast rate."""
    u, d = _noisy_line(6)
    x = np.column_stack([u, np.ones(6)])
    start, rows = np.array([0.3, -0.8]), []
    for M in (0.2, 3.0):
        w, _ = _trained(build(u, d, M=M, cycles=4, weights=start), 6)
        rows.append(Comparison(_lms(x, d, start, M, 4), w, 1e-8, f"M = {M:g}: weights after each presentation"))
    return rows


@claim(
    "AND is learned with the least squares weights 1/2, 1/2, -1/2, and XOR is not", source="Widrow and Hoff; algebra"
)
def logic_is_learned_if_it_is_separable() -> list[Comparison]:
    """Both logical functions of pairs of -1 and +1: weights near those of least squares, and the decisions."""
    rows = []
    x = np.column_stack([_CORNERS, np.ones(4)])
    for name, d, best in (("AND", _AND, [0.5, 0.5, -0.5]), ("XOR", _XOR, [0.0, 0.0, 0.0])):
        w, output = _trained(build(targets=d, M=0.1, cycles=50), 4)
        limit = _limit(x, d, 0.1)
        lean = float(np.abs(limit - best).max()) + 1e-3
        rows.append(Comparison(limit, w[-1], 1e-3, f"{name}: weights, limit cycle of the algorithm"))
        rows.append(Comparison(best, w[-1], lean, f"{name}: weights of least squares"))
        wrong = int((np.sign(output) != d).sum())
        rows.append(Comparison.count(0, wrong, "AND: mistakes") if name == "AND" else _some_are_wrong(wrong))
    return rows


def _some_are_wrong(wrong: int) -> Comparison:
    return Comparison.at_least(1, wrong, label="XOR: mistakes")


@claim("Targets that can be met are met, by the nearest such weights", source="Widrow and Hoff (1960); projection")
def consistent_targets_are_met() -> list[Comparison]:
    """Three inputs of five cells: w goes to w0 + X^+ (d - X w0), numpy.linalg.pinv."""
    rng = np.random.default_rng(61)
    x, d, w0 = rng.standard_normal((3, 5)), rng.standard_normal(3), rng.standard_normal(5)
    w, output = _trained(build(x, d, bias=False, M=1.0, cycles=40, weights=w0), 3)
    return [
        Comparison(w0 + np.linalg.pinv(x) @ (d - x @ w0), w[-1], 1e-7, "weights"),
        Comparison(d, output, 1e-7, "outputs without a target"),
    ]


@claim(
    "Otherwise the weights come as near to least squares as M is small", source="Widrow and Hoff; numpy.linalg.lstsq"
)
def small_rates_give_least_squares() -> list[Comparison]:
    """A noisy line: the limit cycle of the discrete rule, and its distance to numpy.linalg.lstsq for three rates."""
    u, d = _noisy_line(6)
    x = np.column_stack([u, np.ones(6)])
    best = np.linalg.lstsq(x, d, rcond=None)[0]
    rows, distances = [], []
    for M, cycles in ((2.0, 12), (1.0, 20), (0.5, 40)):
        w = _trained(build(u, d, M=M, cycles=cycles), 6)[0][-1]
        limit = _limit(x, d, M)
        rows.append(Comparison(limit, w, 1e-3, f"M = {M:g}: limit cycle after {cycles} cycles"))
        distances.append(float(np.abs(w - best).max()))
        rows.append(
            Comparison(np.abs(limit - best).max(), distances[-1], 1e-3, f"M = {M:g}: distance to least squares")
        )
    return [*rows, Comparison.monotone("falling", distances, label="distance to least squares as M falls")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    rows = np.column_stack([p.pattern, np.ones(len(p.pattern))]) if p.bias else p.pattern
    count, n = rows.shape
    taught = count * p.cycles

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, e, y, w = u[:n], u[n], u[n + 1], u[n + 2 :]
        k = int(when)
        d = p.targets[k % count] if k < taught else 0.0
        learned = float(k < taught and when - k > 0.5)
        return np.concatenate(
            [p.speed * (rows[k % count] - x), [p.speed * (d - e - x @ w), p.speed * (d - e - y)], learned * p.M * x * e]
        )

    u = integrated(velocity, np.concatenate([np.zeros(n + 2), p.weights]), times, 0.5 * np.arange(1, 2 * taught + 9))
    return {"input.x": u[:, :n], "error.x": u[:, n], "output.x": u[:, n + 1], "memory.z": u[:, n + 2 :]}


@claim("Its equations, written out by hand", source="Widrow and Hoff (1960), integrated by SciPy")
def equations() -> list[Comparison]:
    """Two patterns of two inputs, with a bias and without, every parameter off its default."""
    parameters = {
        "pattern": np.array([[0.8, -0.5], [0.3, 1.1]]),
        "targets": np.array([0.7, -0.4]),
        "M": 0.9,
        "cycles": 2,
        "speed": 12.0,
    }
    times = np.array([0.0, 0.3, 0.8, 1.4, 2.2, 3.7, 4.1, 4.6, 5.3, 5.9])
    rows = []
    for bias, weights in ((True, np.array([0.2, -0.1, 0.3])), (False, np.array([0.2, -0.1]))):
        rows += equations_by_hand(
            functools.partial(build, bias=bias),
            {**parameters, "weights": weights},
            lambda p, times, bias=bias: _by_hand(SimpleNamespace(bias=bias, **vars(p)), times),
            times,
            apart=("bias",),
            tolerance=1e-6,
        )
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("error.x", "memory.z")
def decisions(run: Run) -> FigureDescription | None:
    """Show the weights beside those of least squares, and the answers to all patterns beside their targets."""
    X, Y, stop = taught_pairs(run)
    n = X.shape[1]
    if run.end < stop or n > 6 or Y.shape[1] > 1:
        return None
    X, first = np.unique(X, axis=0, return_index=True)
    least = np.linalg.pinv(X) @ Y[first, 0]
    names = [f"weight {k}" for k in range(n - 1)] + ["bias"]
    weights: list[Mark] = [
        Curve(run.times("memory.z"), run.values("memory.z")[:, k], name, color=k) for k, name in enumerate(names)
    ]
    weights += [Level(float(level), "theory: least squares") for level in np.unique(least.round(9))]
    answers = X @ run.at("memory.z", stop).ravel()
    bars = pattern_marks(answers, Y[first, 0], None, ("target", "answer after learning", ""))
    words = tuple((float(k), " ".join(f"{value:+.0f}" for value in row[:-1])) for k, row in enumerate(X))
    panels = (
        time_panel(run, "Weights", weights, y="weight w", spans=()),
        Panel("Answers to the patterns", bars, "inputs", "output", x_ticks=words, legend="top", width=0.8),
    )
    right = bool(np.all(np.sign(answers) == np.sign(Y[first, 0])))
    title = "Errors teach a linear cell" if right else "No linear cell can do this: some answers stay wrong"
    return FigureDescription(title, run.below, (panels,), (1.3,))
