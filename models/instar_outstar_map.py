"""Instar-outstar map (counterpropagation): categories of inputs recall the outputs that were taught with them.

    dx_i/dt = 2 s (-x_i + p_i)                                                input cells
    T_j = sum_i x_i z_ij                                                      adaptive filter, category cells compete
    dz_ij/dt = M f(x_j) [x_i - z_ij]                                          instars: the categories            (12)
    dy_k/dt = s (-y_k + 1/2 sum_j f(x_j) w_jk + taught_k(t))                  output cells
    dw_jk/dt = 2 M f(x_j) [y_k - w_jk]                                        outstars: what each recalls        (11)

f is 1 for the category cell that wins and 0 for all others (see competitive_learning). What a category recalls, w_jk/2,
obeys M f [taught_k - w_jk/2] in training: it goes to the mean of the outputs taught with the inputs that it won.

Source: Grossberg (1976), Adaptive pattern classification and universal recoding II, Biol. Cybern. 23, 187-202;
Hecht-Nielsen (1987), Counterpropagation networks, Appl. Opt. 26, 4979-4984.

What is known:

- each presentation moves the winner's weights by q = exp(-M int f dt) toward the input, its recall toward the output.
- the map is constant on each category: outputs are recalled as well as the categories are small. A map of finitely many
  inputs is learned perfectly with a category for each, the exclusive or for example.
- inputs that were never shown recall what was taught with inputs like them.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, matrix_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.competition import DECIDED, SETTLED, CategoryCompetition, competition_by_hand, window_of
from brnn.models.parts.presentations import Presentations, order_of, pattern_rows, refuse_weights, unit_rows
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.learning import Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Schedule
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll

__all__ = ["build"]

_RECALLED = 0.5  # of a weight; all of it would be added to what is taught, and the weights would grow without bound


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    outputs: ArrayLike | None = None,
    m: int = 8,
    cycles: int = 3,
    order: ArrayLike | None = None,
    tests: ArrayLike | None = None,
    M: float = 3.0,
    winner: Literal["rcf", "fast"] = "fast",
    speed: float = 40.0,
    weights: ArrayLike | None = None,
    window: Schedule | None = None,
    seed: int = 0,
) -> Network:
    """Return a map that is taught pairs of inputs and outputs, and then recalls the outputs of the tests.

    Every pair, and every test, is shown for a unit of time.

    Parameters
    ----------
    pattern : array, >= 0
        The inputs as rows (1), which are scaled to unit length; by default 24 directions in a quarter of a plane.
    outputs : array
        The outputs as rows, one for each input (1); by default a circle.
    m : int, >= 1
        Number of category cells (1).
    cycles : int, >= 1
        How often every pair is shown, each time in another order (1); not used if `order` is given.
    order : array
        Indices of the pairs in the order in which they are shown (1).
    tests : array, >= 0
        Inputs that are shown after the training, as rows (1), scaled to unit length; by default those of the training.
    M : float, >= 0
        Learning rate (1/time).
    winner : str
        How the winner is found: rcf, a recurrent competitive field, or fast, for many categories.
    speed : float, > 0
        s, the rate of the category and output cells (1/time), large beside 1 and M.
    weights : array
        z at time 0, [category, input] (1); by default m of the inputs, evenly spaced.
    window : Schedule
        Factor of M in time; by default learning is on during the training, from when the competition is over until the
        reset in each presentation.
    seed : int, >= 0
        Seed of the random order (1).

    Returns
    -------
    Network
        Layers "input", "category" and "output"; the weights "filter.z" (instars) and "recall.z" (outstars).

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "instar_outstar_map"
    rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
    angles = np.linspace(0.0, np.pi / 2.0, 24)
    given = _directions(angles) if pattern is None else pattern_rows(pattern, f"{model}: pattern", minimum=0.0)
    inputs = unit_rows(given, f"{model}: pattern")
    if outputs is None:
        phases = np.linspace(0.0, 2.0 * np.pi, len(inputs))
        taught = 0.5 + 0.5 * np.stack([np.cos(phases), np.sin(phases)], axis=1)
    else:
        taught = pattern_rows(outputs, f"{model}: outputs")
    if len(taught) != len(inputs):
        raise SpecError(f"{model}: outputs: there are {len(taught)} outputs for {len(inputs)} inputs")
    n, categories = inputs.shape[1], whole(m, f"{model}: m", minimum=1)
    refuse_weights(model, categories * (n + taught.shape[1]))
    if weights is None and categories > len(inputs):
        raise SpecError(f"{model}: m = {categories}: is more than the {len(inputs)} inputs; give weights to start from")
    examples = inputs[np.arange(categories) * len(inputs) // categories] if weights is None else weights
    times = whole(cycles, f"{model}: cycles", minimum=1)
    drawn = np.concatenate([rng.permutation(len(inputs)) for _ in range(times)])
    training = Presentations(drawn if order is None else order_of(order, f"{model}: order", len(inputs)), 1.0)
    probes = inputs if tests is None else pattern_rows(tests, f"{model}: tests", cells=n, minimum=0.0)
    every = np.concatenate([inputs, unit_rows(probes, f"{model}: tests")])
    shown = Presentations(np.concatenate([training.order, len(inputs) + np.arange(len(probes))]), 1.0)
    competition = CategoryCompetition.checked(n, categories, shown, winner, speed, model)
    rate, s = number(M, f"{model}: M", minimum=0.0), competition.speed
    learning = training.during(*SETTLED) if window is None else window_of(window, f"{model}: window")
    start = array(examples, f"{model}: weights", shape=(categories, n))
    recall = Projection(
        "category",
        "output",
        "excitatory",
        competition.signal,
        AllToAll(weight=_RECALLED * s),
        learning=Outstar(rate=rate / _RECALLED, schedule=learning),
        name="recall",
    )
    return Network(
        model,
        layers=(*competition.layers(), Layer.additive("output", taught.shape[1], A=s)),
        projections=(*competition.projections(rate, start, learning), recall),
        stimuli=(
            *competition.stimuli(every),
            Stimulus("output", "excitatory", s * taught, training.shown()),
        ),
        duration=shown.stop,
        reference="Grossberg (1976), Biol. Cybern. 23, 187-202; Hecht-Nielsen (1987), Appl. Opt. 26, 4979-4984",
    )


def _directions(angles: np.ndarray) -> np.ndarray:
    """Return unit vectors in the plane, as rows."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


# Claims --------------------------------------------------------------------------------------------------------


def _algorithm(
    inputs: np.ndarray, outputs: np.ndarray, order: np.ndarray, z: np.ndarray, M: float, s: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return winners, weights and recalls of the map in discrete steps; the output cells follow with the rate s."""
    from scipy.linalg import expm

    T = SETTLED[1] - SETTLED[0]
    q = np.exp(-M * T)
    # Of (y, w), both relative to where they go: dy/dt = s (w/2 - y), dw/dt = 2 M (y - w), from y = w/2 on.
    left = (expm(T * np.array([[-s, 0.5 * s], [2.0 * M, -2.0 * M]])) @ [0.5, 1.0])[1]
    z, recalls, winners = z.copy(), np.zeros((len(z), outputs.shape[1])), []
    for p, y in zip(inputs[order], outputs[order], strict=True):
        j = int(np.argmax(z @ p))
        z[j] += (1.0 - q) * (p - z[j])
        recalls[j] += (1.0 - left) * (y - recalls[j])
        winners.append(j)
    return np.array(winners), z, recalls


def _run(network: Network, trained: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the winner of each presentation, weights and recalls after training, and the outputs of the tests."""
    count = round(network.duration or 0.0)
    times = np.append(np.arange(count) + DECIDED, [trained]).astype(float)
    result = run(network, times=np.sort(times), rtol=1e-8, atol=1e-10)
    row = trained  # the state at the end of the training stands before those of the tests
    winners = np.delete(np.asarray(result["category.x"]).argmax(axis=1), row)
    recalls = _RECALLED * np.asarray(result["recall.z"])[row].T
    return winners, np.asarray(result["filter.z"])[row], recalls, np.asarray(result["output.x"])[row + 1 :]


@claim("The network is the algorithm: winners, categories, and the recall of each", source="Hecht-Nielsen (1987)")
def network_follows_the_algorithm() -> list[Comparison]:
    """Random pairs, both kinds of competition; the tests recall what the algorithm's winner recalls."""
    rng = np.random.default_rng(87)
    inputs = unit_rows(rng.uniform(size=(15, 4)) ** 2, "inputs")
    outputs, order = rng.uniform(-1.0, 1.0, size=(15, 3)), rng.integers(15, size=40)
    kinds: tuple[Literal["rcf", "fast"], ...] = ("rcf", "fast")
    rows = []
    for winner in kinds:
        network = build(inputs, outputs, 5, order=order, M=5.0, winner=winner, speed=80.0)
        winners, z, recalls, recalled = _run(network, 40)
        found, categories, table = _algorithm(inputs, outputs, order, inputs[[0, 3, 6, 9, 12]], 5.0, 80.0)
        tested = (inputs @ categories.T).argmax(axis=1)
        rows += [
            Comparison.order([*found, *tested], winners, f"{winner}: winners in training and tests"),
            Comparison(categories, z, 1e-6, f"{winner}: weights of the categories"),
            Comparison(table, recalls, 1e-5, f"{winner}: what each category recalls"),
            Comparison(table[tested], recalled, 1e-5, f"{winner}: outputs of the tests"),
        ]
    return rows


@claim(
    "The map is recalled the better, the more categories there are", source="Hecht-Nielsen (1987); discrete algorithm"
)
def more_categories_recall_better() -> list[Comparison]:
    """A circle over a quarter of the plane, tested between the inputs that were taught: the largest error."""
    angles = np.sort(np.random.default_rng(4).uniform(0.0, np.pi / 2.0, size=25))  # uneven: no two categories are level
    between = 0.5 * (angles[:-1] + angles[1:])
    inputs, tests = _directions(angles), _directions(between)
    outputs, wanted = _directions(4.0 * angles), _directions(4.0 * between)
    order = np.concatenate([np.random.default_rng(k).permutation(25) for k in range(2)])
    rows, errors = [], []
    for m in (3, 6, 12):
        recalled = _run(build(inputs, outputs, m, order=order, tests=tests, M=6.0, speed=100.0), 50)[3]
        start = inputs[np.arange(m) * 25 // m]
        _, categories, table = _algorithm(inputs, outputs, order, start, 6.0, 100.0)
        expected = table[(tests @ categories.T).argmax(axis=1)]
        errors.append(float(np.linalg.norm(recalled - wanted, axis=1).max()))
        predicted = np.linalg.norm(expected - wanted, axis=1).max()
        rows.append(Comparison(predicted, errors[-1], 1e-3, f"{m} categories: largest error"))
    return [*rows, Comparison.monotone("falling", errors, label="largest error with 3, 6 and 12 categories")]


@claim("The exclusive or is learned, which no linear network can", source="one category for each input; linear algebra")
def exclusive_or_is_learned() -> list[Comparison]:
    """Four inputs in complementary code: the map recalls 0, 1, 1, 0, the best linear map of them 1/2 everywhere."""
    bits = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    inputs, xor = np.column_stack([bits, 1.0 - bits]), np.array([[0.0], [1.0], [1.0], [0.0]])
    recalled = _run(build(inputs, xor, 4, cycles=10, M=6.0), 40)[3]
    linear = inputs @ np.linalg.lstsq(inputs, xor, rcond=None)[0]
    return [
        Comparison(xor, recalled, 1e-5, "outputs of the map"),
        Comparison(0.5, float(np.abs(linear - xor).max()), 1e-12, "largest error of least squares"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    given, asked = (rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)) for rows in (p.pattern, p.tests))
    s, n, k, m = p.speed, given.shape[1], p.outputs.shape[1], p.m
    trained = len(p.order)
    changes = np.arange(trained + len(asked) + 1.0)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, out = u[:n], u[n : n + m], u[n + m : n + m + k]
        z, w = u[n + m + k : n + m + k + m * n].reshape(m, n), u[n + m + k + m * n :].reshape(k, m)
        slot = int(when)
        shown = given[p.order[slot]] if slot < trained else asked[slot - trained]
        taught = p.outputs[p.order[slot]] if slot < trained else 0.0
        J = float((np.abs(changes - when) < 0.15).any())
        dy, f = competition_by_hand(p.winner, y, z @ x, J, m)
        open_ = p.window.on < when < p.window.off if p.window else 0.6 < when % 1.0 < 0.85 and slot < trained
        return np.concatenate([
            2.0 * s * (shown - x), s * dy, s * (taught + 0.5 * w @ f - out),
            (open_ * p.M * f[:, None] * (x - z)).ravel(), (open_ * 2.0 * p.M * (out[:, None] - w) * f).ravel(),
        ])  # fmt: skip

    windows = [p.window.on, p.window.off] if p.window else [*(changes + 0.6), *(changes + 0.85)]
    breaks = [*changes, *(changes - 0.15), *(changes + 0.15), *windows]
    start = np.concatenate([np.zeros(n + m + k), np.ravel(p.weights), np.zeros(k * m)])
    x, y, out, z, w = np.split(integrated(velocity, start, times, breaks), np.cumsum([n, m, k, m * n]), axis=1)
    return {
        "input.x": x,
        "category.x": y,
        "output.x": out,
        "filter.z": z.reshape(-1, m, n),
        "recall.z": w.reshape(-1, k, m),
    }


def _drawn_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return it of what is chosen where nothing is given: order, tests, window, weights."""
    count, rng = len(p.pattern), np.random.default_rng(p.seed)
    order = np.concatenate([rng.permutation(count) for _ in range(p.cycles)])
    unit = p.pattern / np.sqrt((p.pattern**2).sum(axis=1, keepdims=True))
    weights = np.array([unit[(j * count) // p.m] for j in range(p.m)])
    more = {"order": order, "tests": p.pattern, "weights": weights, "window": None, "winner": "fast"}
    return _by_hand(SimpleNamespace(**{**vars(p), **more}), times)


@claim("Its equations, written out by hand", source="(11), (12) and the text above, integrated by SciPy")
def equations() -> list[Comparison]:
    """Two categories, three pairs and a test, every parameter off its default; then order, tests and window drawn."""
    parameters = {
        "pattern": np.array([[0.9, 0.2, 0.4], [0.1, 0.8, 0.5], [0.5, 0.3, 0.9]]),
        "outputs": np.array([[0.8, 0.3], [0.2, 0.9], [0.6, 0.7]]),
        "M": 0.8,
        "speed": 15.0,
    }
    rows = equations_by_hand(
        functools.partial(build, m=2, winner="rcf"),
        {
            **parameters,
            "order": np.array([1, 0]),
            "tests": np.array([[0.2, 0.7, 0.3]]),
            "weights": np.array([[0.7, 0.3, 0.5], [0.2, 0.6, 0.4]]),
            "window": Numbers(Pulse, on=0.3, off=2.4),
        },
        lambda p, times: _by_hand(SimpleNamespace(m=2, winner="rcf", **vars(p)), times),
        np.array([0.0, 0.3, 0.7, 1.1, 1.8, 2.3, 2.6]),
        apart=("m", "winner", "cycles", "seed"),  # the other case is about these
        changed={"order": np.array([0, 1])},
        tolerance=1e-6,
    )
    return rows + equations_by_hand(
        build,
        {**parameters, "m": 2, "cycles": 1, "seed": 3},
        _drawn_by_hand,
        np.array([0.0, 0.7, 1.8, 2.7, 3.3]),
        apart=("winner", "order", "tests", "weights", "window"),
        tolerance=1e-6,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("filter.z", "recall.z")
def learned_map(run: Run) -> FigureDescription | None:
    """Show what each category recalls at the place of its input, beside what was taught there."""
    inputs, outputs, categories = (run.view(layer).cells for layer in ("input", "output", "category"))
    if inputs != 2 or outputs > 4:
        return None
    taught = np.asarray(run.network.stimuli[-1].pattern) / float(np.max(run.part("output").A))
    shown = np.asarray(run.network.stimuli[0].pattern)[: len(taught)]
    angle = np.degrees(np.arctan2(shown[:, 1], shown[:, 0]))
    z, w = run.last("filter.z"), _RECALLED * run.last("recall.z")
    place = np.degrees(np.arctan2(z[:, 1], z[:, 0]))
    order = np.argsort(angle, kind="stable")
    marks: list[Mark] = []
    for k in range(outputs):
        marks.append(Curve(angle[order], taught[order, k], "taught", "given"))
        marks.append(Curve(place, w[k], f"recalled by output {k}", color=k, marker="os^x"[k]))
    weights = matrix_panel(z, "Where the categories are", x="input cell", y="category", width=0.7)
    mapped = Panel("Categories recall the mean of what was taught", marks, "direction of the input", "output")
    mapped = mapped.replace(legend="top")
    title = f"A map from inputs to outputs by {counted(categories, 'category', 'categories')}"
    return FigureDescription(title, run.below, ((mapped, weights),), (1.3,))
