"""Linear associator: pairs of keys x and values y are stored in one matrix, and a key recalls its value, Y = A X.

    dx_i/dt = s (-x_i + key_i(t))                                    key cells
    dy_j/dt = s (-y_j + sum_i x_i z_ij - sum_i c_i w_ij + value_j(t))   value cells, rule "correlation"
    dz_ij/dt = M x_i y_j,   dw_ij/dt = M c_i y_j                     cross-correlation, cells c = x while it is learned

The second set of weights w learns just as the first and cancels it while a pair is shown, so that y is the value alone;
in recall the cells c are silent. With the rule "error" learning is driven by what is missing (LMS):

    de_j/dt = s (-e_j + value_j(t) - sum_i x_i z_ij),   dz_ij/dt = M x_i e_j,   output_j = value_j - e_j

Source: Anderson (1972), A simple neural network generating an interactive memory, Math. Biosci. 14, 197-220; Kohonen
and Ruohonen (1973), Representation of associated data by matrix operators, IEEE Trans. Comput. C-22, 701-702;
Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, linear models.

What is known (X: keys, Y: values, as columns):

- correlation: A = sum_k y_k x_k^T, up to a factor. Orthonormal keys recall perfectly; others with the crosstalk
  sum_{k != l} y_k (x_k . x_l).
- error: if the keys are linearly independent, A goes to Y X^+ with the Moore-Penrose inverse, and recall is perfect.
- error, more pairs than that: A goes to a cycle around Y X^+, the least squares solution, as near as M is small.
- what is orthogonal to all keys recalls nothing, with both rules.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, layer_panel, pattern_marks
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.presentations import Presentations, pattern_rows, refuse_weights
from brnn.models.parts.runs import run
from brnn.models.parts.supervised import NetworkParts, correlation, driven_by_errors, step_factor, taught_pairs
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll

__all__ = ["build"]


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    values: ArrayLike | None = None,
    rule: Literal["correlation", "error"] = "error",
    M: float = 2.0,
    cycles: int = 30,
    speed: float = 60.0,
    tests: ArrayLike | None = None,
) -> Network:
    """Return a linear associator that is taught pairs of patterns, and then recalls from keys alone.

    Each presentation takes a unit of time, and is learned in its second half, when the cells have settled.

    Parameters
    ----------
    pattern : array
        The keys as rows (1); by default four of unit length, which are not orthogonal.
    values : array
        The values as rows, one for each key (1); by default three cells each.
    rule : str
        error, or correlation, which shows every pair once.
    M : float, >= 0
        Learning rate (1/time); with M = 2 a presentation adds y x^T to the correlation.
    cycles : int, >= 1
        How often all pairs are shown (1); not used by the rule correlation.
    speed : float, > 0
        s, the rate at which cells follow their inputs (1/time), large beside M |x|^2.
    tests : array
        Keys that are shown after the training, as rows (1); by default those of the training.

    Returns
    -------
    Network
        Layers "input" and "output" and the projection "memory" with the weights "memory.z"; with the rule error the
        layer "error", with the rule correlation the layer "copy".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "linear_associator"
    keys = pattern_rows(_keys() if pattern is None else pattern, f"{model}: pattern")
    if values is None:
        taught = np.cos(np.outer(1.0 + np.arange(len(keys)), [1.0, 2.0, 4.0]))
    else:
        taught = pattern_rows(values, f"{model}: values")
    if len(taught) != len(keys):
        raise SpecError(f"{model}: values: there are {len(taught)} values for {len(keys)} keys")
    probes = keys if tests is None else pattern_rows(tests, f"{model}: tests", cells=keys.shape[1])
    refuse_weights(model, 2 * keys.shape[1] * taught.shape[1])
    s = number(speed, f"{model}: speed", above=0.0)
    rate = number(M, f"{model}: M", minimum=0.0)
    once = choice(rule, f"{model}: rule", ("correlation", "error")) == "correlation"
    training = Presentations.cycles(len(keys), 1 if once else cycles, 1.0, model)
    recall = training.then(np.arange(len(probes)))
    make = _correlating if once else driven_by_errors
    layers, projections, stimuli = make(keys, taught, training, (probes, recall.shown()), rate, s, 0.0)
    return Network(
        model,
        layers=layers,
        projections=projections,
        stimuli=stimuli,
        duration=recall.stop,
        reference="Anderson (1972), Math. Biosci. 14, 197-220; Kohonen and Ruohonen (1973)",
    )


def _keys() -> np.ndarray:
    """Return four keys of eight cells, of unit length and with products between 0.1 and 0.7."""
    waves = 1.0 + np.cos(np.outer([0.5, 1.0, 1.7, 2.6], np.arange(8)))
    return np.asarray(waves / np.linalg.norm(waves, axis=1, keepdims=True))


def _correlating(
    keys: np.ndarray,
    values: np.ndarray,
    training: Presentations,
    tests: tuple[np.ndarray, Sequence],
    rate: float,
    speed: float,
    weights: float,
) -> NetworkParts:
    """Return layers, projections and stimuli of a network that stores cross-correlations."""
    n, p, s = keys.shape[1], values.shape[1], speed
    learning = correlation(rate, weights, training)
    shown = training.shown()
    layers = tuple(Layer.additive(name, size, A=s) for name, size in (("input", n), ("copy", n), ("output", p)))
    projections = (
        Projection("input", "output", "excitatory", topology=AllToAll(weight=s), learning=learning, name="memory"),
        Projection("copy", "output", "inhibitory", topology=AllToAll(weight=s), learning=learning, name="cancel"),
    )
    stimuli = (
        Stimulus("input", pattern=s * keys, schedule=shown),
        Stimulus("input", pattern=s * tests[0], schedule=tests[1]),
        Stimulus("copy", pattern=s * keys, schedule=shown),
        Stimulus("output", pattern=s * values, schedule=shown),
    )
    return layers, projections, stimuli


# Claims --------------------------------------------------------------------------------------------------------


def _pairs(count: int, n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random keys of about unit length and random values, as rows."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, n)) / np.sqrt(n), rng.standard_normal((count, p))


def _trained(network: Network, tests: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights at the end of each presentation, the matrix A at the end, and the recalled values."""
    count = round(network.duration or 0.0)
    result = run(network, times=np.arange(1.0, count + 1.0))
    z = np.asarray(result["memory.z"])[: count - tests]
    return z, z[-1], np.asarray(result["output.x"])[count - tests :]


@claim("Correlation: A = sum_k y_k x_k^T, and recall is Y = A X", source="Anderson (1972)")
def correlation_is_the_sum_of_outer_products() -> list[Comparison]:
    """Six random pairs, beside NumPy; the recall of each key is its value and the crosstalk of the others."""
    x, y = _pairs(6, 8, 3, 1)
    _, A, recalled = _trained(build(x, y, rule="correlation"), 6)
    matrix = y.T @ x
    products = x @ x.T
    own = np.diag(products)[:, None] * y
    crosstalk = (products - np.diag(np.diag(products))) @ y
    return [
        Comparison(matrix, A, 1e-8, "A, beside the sum of outer products"),
        Comparison((matrix @ x.T).T, recalled, 1e-8, "recall, A x"),
        Comparison(crosstalk, recalled - own, 1e-8, "crosstalk, sum of y_k (x_k . x_l) over the others"),
    ]


@claim("Orthonormal keys recall perfectly, and what is orthogonal to them nothing", source="Anderson (1972)")
def orthonormal_keys_recall_perfectly() -> list[Comparison]:
    """Four of eight orthonormal vectors are keys; the tests are these, the other four, and a key with noise of them."""
    q = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))[0]
    y = _pairs(4, 8, 3, 3)[1]
    rules: tuple[Literal["correlation", "error"], ...] = ("correlation", "error")
    rows = []
    for rule in rules:
        tests = np.vstack([q, q[:1] + 0.8 * q[5:6] - 0.3 * q[7:8]])
        recalled = _trained(build(q[:4], y, rule=rule, cycles=25, tests=tests), 9)[2]
        expected = np.vstack([y, np.zeros((4, 3)), y[:1]])
        rows.append(Comparison(expected, recalled, 1e-7, f"{rule}: keys, other vectors, a key with noise"))
    return rows


@claim("Learning from errors: A goes to Y X^+ with the Moore-Penrose inverse", source="Kohonen and Ruohonen (1973)")
def errors_lead_to_the_pseudoinverse() -> list[Comparison]:
    """Independent keys, fewer than cells, beside numpy.linalg.pinv; each pair is then recalled without error."""
    rows = []
    for count, n, p, cycles in ((2, 5, 2, 30), (3, 12, 3, 30), (5, 30, 2, 40)):
        x, y = _pairs(count, n, p, 10 * count)
        _, A, recalled = _trained(build(x, y, M=8.0, cycles=cycles), count)
        rows.append(Comparison(y.T @ np.linalg.pinv(x.T), A, 1e-7, f"{count} keys of {n} cells: A"))
        rows.append(Comparison(y, recalled, 1e-7, f"{count} keys of {n} cells: recall"))
    return rows


@claim("Each presentation takes away a fixed part of its error", source="LMS; the network's equations solved")
def each_presentation_is_a_step() -> list[Comparison]:
    """A becomes A + part (y - A x) x^T/|x|^2: all presentations of two cycles, for two rates."""
    x, y = _pairs(5, 6, 2, 5)
    rows = []
    for M in (0.5, 8.0):
        part, A, predicted = step_factor(M, 60.0, x), np.zeros((2, 6)), []
        for k in np.tile(np.arange(5), 2):
            A = A + part[k] * np.outer(y[k] - A @ x[k], x[k]) / (x[k] @ x[k])
            predicted.append(A)
        rows.append(Comparison(np.array(predicted), _trained(build(x, y, M=M, cycles=2), 5)[0], 1e-8, f"M = {M:g}"))
    return rows


@claim(
    "More pairs than cells: A comes as near to least squares as M is small", source="Kohonen; LMS in the limit M -> 0"
)
def small_rates_give_least_squares() -> list[Comparison]:
    """Five pairs for two cells: the distance to Y X^+ is that of the discrete algorithm, and falls with M."""
    x, y = _pairs(5, 2, 2, 9)
    best = y.T @ np.linalg.pinv(x.T)
    rows, distances = [], []
    for M, cycles in ((2.0, 10), (0.5, 40)):
        part, A = step_factor(M, 60.0, x), np.zeros((2, 2))
        for k in np.tile(np.arange(5), cycles):
            A = A + part[k] * np.outer(y[k] - A @ x[k], x[k]) / (x[k] @ x[k])
        measured = _trained(build(x, y, M=M, cycles=cycles), 5)[1]
        rows.append(Comparison(A, measured, 1e-8, f"M = {M:g}: A after {cycles} cycles"))
        distances.append(float(np.abs(measured - best).max()))
        rows.append(Comparison(np.abs(A - best).max(), distances[-1], 1e-8, f"M = {M:g}: distance to Y X^+"))
    return [*rows, Comparison.at_most(distances[0] / 3.0, distances[1], label="distance for a quarter of the rate")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    (count, n), m = p.pattern.shape, p.values.shape[1]
    taught = count * p.cycles

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, c, e, y = u[:n], u[n : 2 * n], u[2 * n : 2 * n + m], u[2 * n + m : 2 * (n + m)]
        z, k = u[2 * (n + m) :].reshape(m, n), int(when)
        trains = k < taught
        key = p.pattern[k % count] if trains else p.tests[(k - taught) % len(p.tests)]
        d = trains * p.values[k % count]
        if p.rule == "error":  # c is not used
            dy, learns = d - e - y, e
        else:  # the weights w are those of z, as c is x while both learn; e is not used
            dy, learns = z @ (x - c) + d - y, y
        dz = p.M * float(trains and when - k > 0.5) * np.outer(learns, x)
        return np.concatenate(
            [p.speed * (key - x), p.speed * (trains * key - c), p.speed * (d - e - z @ x), p.speed * dy, dz.ravel()]
        )

    u = integrated(velocity, np.zeros(2 * (n + m) + n * m), times, 0.5 * np.arange(1, 2 * taught + 9))
    return {"input.x": u[:, :n], "output.x": u[:, 2 * n + m : 2 * (n + m)], "memory.z": u[:, 2 * (n + m) :]}


@claim("Its equations, written out by hand", source="Anderson (1972), LMS; integrated by SciPy")
def equations() -> list[Comparison]:
    """Two pairs, both rules, every parameter off its default."""
    parameters = {
        "pattern": np.array([[0.8, -0.5, 0.2], [0.3, 0.9, -0.4]]),
        "values": np.array([[0.7, -0.4], [0.2, 1.1]]),
        "M": 1.3,
        "speed": 12.0,
        "tests": np.array([[0.5, 0.5, -0.3], [0.1, -0.8, 0.6]]),
    }
    times = np.array([0.0, 0.3, 0.8, 1.4, 1.9, 2.3, 2.7, 3.3, 3.9, 4.4, 4.9, 5.6])
    return [
        *equations_by_hand(
            functools.partial(build, rule="error"),
            {**parameters, "cycles": 2},
            lambda p, times: _by_hand(SimpleNamespace(rule="error", **vars(p)), times),
            times,
            apart=("rule",),
            tolerance=1e-6,
        ),
        *equations_by_hand(
            functools.partial(build, rule="correlation"),
            parameters,
            lambda p, times: _by_hand(SimpleNamespace(rule="correlation", cycles=1, **vars(p)), times),
            times[:9],
            apart=("rule", "cycles"),
            tolerance=1e-6,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("error.x", "memory.z")
def recalled(run: Run) -> FigureDescription | None:
    """Show the errors while pairs are learned, and the memory beside the least squares solution."""
    X, Y, stop = taught_pairs(run)
    if run.end < stop or X.shape[1] > 100 or Y.shape[1] > 12:
        return None
    A = run.at("memory.z", stop)
    least = (np.linalg.pinv(X) @ Y).T
    ends = np.array([min(least.min(), A.min()), max(least.max(), A.max())])
    points: list[Mark] = [
        Curve(ends, ends, "equal", "guide"),
        Curve(least.ravel(), A.ravel(), "one weight each", marker="o"),
    ]
    compared = Panel("Weights and theory, Y X$^+$", points, "least squares", "learned", width=0.85, legend="inside")
    recall = Panel(
        "Recall of each pair, cell by cell",
        pattern_marks(X @ A.T, Y, X @ least.T, ("value", "recalled", "theory")),
        "pair and value cell",
        "value",
        legend="top",
    )
    rows = ((layer_panel(run, "error", "Errors: what is missing drives learning"),), (recall, compared))
    title = "Keys recall their values: errors go, the weights go to least squares"
    return FigureDescription(title, run.below, rows, (0.9, 1.0))
