"""Adaptive resonance: the differential equations beside the algorithm, and what `build` makes, refuses and records.

BRNN_ART_SETS sets the number of random lists of patterns for ART 1; fuzzy ART gets half as many.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.models import art1, art1_fast, fuzzy_art
from brnn.models.parts.resonance import ACCURACY, PERIOD, SEARCH, choices, labels, times
from brnn.theory import art

NAMES = ["art1", "art1_fast", "fuzzy_art"]
SETS = int(os.environ.get("BRNN_ART_SETS", "4"))

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    return models.load(name).build(**arguments)


def present(network: brnn.Network, **options: Any) -> brnn.Result:
    return brnn.simulate(network, times=times(network), **{**ACCURACY, **options})


def initial(network: brnn.Network, state: str) -> np.ndarray:
    system = brnn.compile_network(network)
    (variable,) = (variable for variable in system.variables if variable.name == state)
    return system.initial_state()[variable.start : variable.stop].reshape(variable.shape)


def disagreement(result: brnn.Result, learned: art.Learned, memory: str) -> str:
    """Return in what the run differs from the algorithm; "" if in nothing. Unused categories have memories of 1."""
    expected, found = learned.labels.ravel(), labels(result)
    if not np.array_equal(expected, found):
        return f"categories {found.tolist()}, algorithm {expected.tolist()}"
    resets = [len(tried) - int(label >= 0) for tried, label in zip(choices(result), found, strict=True)]
    if resets != learned.resets.ravel().tolist():
        return f"resets {resets}, algorithm {learned.resets.ravel().tolist()}"
    weights = np.asarray(result.final(memory))
    weights = weights.T if memory == "down.z" else weights
    difference = np.abs(weights - learned.memories(len(weights))).max()
    return f"memories differ by {difference:.1e}" if difference > 2e-6 else ""


def test_art1_does_what_the_algorithm_does_on_random_lists() -> None:
    rng = np.random.default_rng(20)
    wrong = []
    for k in range(SETS):
        shown = (rng.uniform(size=(6, 6)) < rng.uniform(0.2, 0.8)).astype(float)
        shown[~shown.any(axis=1), 0] = 1.0
        rho, L = round(float(rng.uniform()), 2), round(float(rng.uniform(1.05, 3.0)), 2)
        learned = art.art1(shown, rho, L=L, categories=4, lists=2, fresh=0.9)
        result = present(art1.build(shown, rho, 4, 2, L=L))
        if reason := disagreement(result, learned, "down.z"):
            wrong.append(f"list {k}, rho = {rho:g}, L = {L:g}: {reason}")
    print(f"ART 1: {SETS - len(wrong)} of {SETS} random lists agree with the algorithm")
    assert not wrong, "\n".join(wrong)


def test_fuzzy_art_does_what_the_algorithm_does_on_random_lists() -> None:
    rng = np.random.default_rng(21)
    wrong = []
    for k in range(SETS // 2):
        shown = rng.uniform(size=(5, rng.integers(1, 4)))
        rho, alpha = round(float(rng.uniform(0.2, 0.95)), 2), float(rng.choice([1e-3, 1e-2, 0.1, 1.0]))
        learned = art.fuzzy_art(art.complement(shown), rho, alpha=alpha, categories=3, lists=2, fresh=1.0)
        result = present(fuzzy_art.build(shown, rho, 3, 2, alpha=alpha))
        if reason := disagreement(result, learned, "memory.x"):
            wrong.append(f"list {k}, rho = {rho:g}, alpha = {alpha:g}: {reason}")
    print(f"fuzzy ART: {SETS // 2 - len(wrong)} of {SETS // 2} random lists agree with the algorithm")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["art1", "fuzzy_art"])
def test_without_a_free_category_nothing_is_learned(name: str) -> None:
    shown = [[1, 1, 0], [0, 0, 1], [0, 1, 1], [1, 1, 0]]
    result = present(build(name, pattern=shown, rho=0.9, m=1, cycles=1))
    assert labels(result).tolist() == [0, -1, -1, 0]
    assert choices(result) == [[0], [0], [0], [0]]
    memory = np.asarray(result["down.z"])[:, :, 0] if name == "art1" else np.asarray(result["memory.x"])[:, 0]
    expected = [1, 1, 0] if name == "art1" else [1, 1, 0, 0, 0, 1]
    np.testing.assert_allclose(memory[1], expected, atol=2e-6)
    np.testing.assert_array_equal(memory[3], memory[1])
    if name == "art1":
        learned = art.art1(shown, 0.9, categories=1)
    else:
        learned = art.fuzzy_art(art.complement(shown), 0.9, categories=1)
    assert disagreement(result, learned, "down.z" if name == "art1" else "memory.x") == ""


def test_choices_and_resets_are_events_of_the_result() -> None:
    templates = [[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]  # T = 4/3 and 8/7; half of the pattern and all of it match
    network = art1.build([[1, 1, 1, 1, 0, 0]], 0.7, 2, 1, templates=templates, M=0.0)
    events = brnn.simulate(network, times=times(network), **ACCURACY).events
    assert events["name"].to_numpy().tolist() == ["choice", "reset", "choice"]
    assert events["cell"].to_numpy().tolist() == [0, 0, 1]
    when = events["time"].to_numpy()
    assert 0.0 < when[0] < when[1] < when[2] < SEARCH


@pytest.mark.parametrize("name", ["art1", "fuzzy_art"])
def test_events_are_as_many_as_the_resets_and_labels_of_the_algorithm(name: str) -> None:
    shown = [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
    result = present(build(name, pattern=shown, rho=0.8, m=3, cycles=2))
    if name == "art1":
        learned = art.art1(shown, 0.8, categories=3, lists=2, fresh=0.9)
    else:
        learned = art.fuzzy_art(art.complement(shown), 0.8, categories=3, lists=2, fresh=1.0)
    resets = int(learned.resets.sum())
    assert result.event_table is not None
    assert result.event_table.counts() == {"choice": 6 + resets, "reset": resets}
    assert resets > 0


@pytest.mark.parametrize("L", [1.001, 2.0])
def test_all_categories_are_tried_in_time_even_if_none_has_a_cell_of_the_pattern(L: float) -> None:
    cells = np.eye(7)
    network = art1.build(cells[6:], 0.5, 6, 1, L=L, templates=cells[:6])
    result = present(network)
    assert choices(result) == [[0, 1, 2, 3, 4, 5]]
    assert float(result.events["time"].max()) < SEARCH
    assert labels(result).tolist() == [-1]
    np.testing.assert_array_equal(result.final("down.z"), initial(network, "down.z"))


def test_of_equal_choices_the_first_category_comes_first() -> None:
    # 0.75 is as far from 0.5 as from 1; then four bits whose choice 2/(4 + alpha) is just below 4/(8 + alpha), unused.
    result = present(fuzzy_art.build([[1.0], [0.5], [0.75]], 0.6, 3, 1, alpha=0.01))
    assert [tried[0] for tried in choices(result)] == [0, 1, 0]
    result = present(fuzzy_art.build([[1, 1, 1, 1], [1, 0, 1, 0]], 0.2, 2, 1, alpha=0.001))
    assert choices(result) == [[0], [1]]


@every_model
def test_events_can_be_left_out(name: str) -> None:
    assert build(name, events=False).events == ()
    assert [event.name for event in build(name).events] == ["choice", "reset"]


@pytest.mark.parametrize("name", ["art1", "fuzzy_art"])
def test_categories_do_not_change_compiled_code(name: str) -> None:
    texts = {brnn.compile_network(build(name, pattern=[[1, 1, 0], [0, 1, 1]], m=m)).source for m in (2, 3, 4)}
    assert len(texts) == 1


@pytest.mark.parametrize("name", ["art1", "fuzzy_art"])
def test_without_learning_weights_stay_to_the_last_bit(name: str) -> None:
    result = present(build(name, pattern=[[1, 1, 0], [0, 1, 1]], m=2, cycles=1, M=0.0))
    for state in ("up.z", "down.z") if name == "art1" else ("memory.x",):
        z = np.asarray(result[state])
        np.testing.assert_array_equal(z, np.broadcast_to(z[0], z.shape))


def test_learned_templates_are_weights_from_the_start() -> None:
    network = art1.build([[1, 0, 1, 1]], 0.5, 3, 1, templates=[[1, 0, 1, 0], [0, 1, 1, 1]], L=3.0)
    unused = 0.9 * 3.0 / (3.0 - 1.0 + 4.0)
    expected = [[0.75, 0, 0.75, 0], [0, 0.6, 0.6, 0.6], [unused] * 4]
    np.testing.assert_allclose(initial(network, "up.z"), expected, atol=1e-15)
    np.testing.assert_array_equal(initial(network, "down.z"), [[1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 1, 1]])


def test_after_fast_learning_templates_are_intersections() -> None:
    # By hand: 0110 chooses the category of 1110 (1 against 0.72) and refines it, 0011 a new one (0.72 against 0.67).
    network = art1_fast.build([[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]], 0.6, 4)
    assert network.name == "art1_fast"
    expected = [[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    np.testing.assert_array_equal(initial(network, "down.z").T, expected)
    result = present(network)
    assert choices(result) == [[0], [0], [1]]
    np.testing.assert_array_equal(result.final("down.z"), result["down.z"][0])  # nothing is learned any more


def test_shapes_and_duration_of_a_run() -> None:
    result = present(art1.build(art1.PATTERNS[:2], 0.5, 3, 1), rtol=1e-3)
    assert result["up.z"].shape == (3, 3, 6)  # times, categories, cells
    assert result["down.z"].shape == (3, 6, 3)
    assert result.network.duration == pytest.approx(2 * PERIOD)
    fuzzy = fuzzy_art.build(fuzzy_art.PATTERNS[:2], 0.5, 3, 1)
    assert fuzzy.layer("memory").shape == (3, 4)
    assert fuzzy.duration == pytest.approx(2 * PERIOD)


def test_the_orienting_cell_is_the_vigilance() -> None:
    pattern, template = [[1, 1, 1, 1, 0]], [[1, 1, 1, 0, 0]]  # three quarters match
    for rho, expected in ((0.75, [0]), (0.76, [0, 1])):
        network = art1.build(pattern, rho, 2, 1, templates=template)
        assert choices(present(network)) == [expected]


@pytest.mark.parametrize(
    ("names", "arguments", "words"),
    [
        (
            "art1 art1_fast",
            {"pattern": [[1, 0], [0, 0.5]]},
            "pattern: pattern 1 has the element 0.5; ART 1 takes 0 and",
        ),
        ("art1 art1_fast", {"pattern": [[1, 0], [0, 0]]}, "pattern: pattern 1 is empty"),
        ("art1 art1_fast", {"pattern": [[1, 0], [-1, 0]]}, "pattern 1 has the element -1"),
        ("art1 art1_fast fuzzy_art", {"pattern": []}, "pattern: the array is empty"),
        ("art1 art1_fast fuzzy_art", {"pattern": [[1, 0], [1]]}, "must be an array of numbers"),
        ("art1 art1_fast fuzzy_art", {"pattern": np.ones((2, 2, 2))}, "must be (patterns, cells)"),
        ("art1 art1_fast fuzzy_art", {"pattern": [[1, np.nan]]}, "element (0, 1) is nan"),
        ("art1 art1_fast fuzzy_art", {"rho": -0.1}, "rho = -0.1: must be a number >= 0 and <= 1"),
        ("art1 art1_fast fuzzy_art", {"rho": 1.1}, "rho = 1.1: must be a number >= 0 and <= 1"),
        ("art1 art1_fast fuzzy_art", {"m": 0}, "m = 0: must be a number >= 1"),
        ("art1 art1_fast fuzzy_art", {"m": 2.5}, "m = 2.5: must be a whole number"),
        ("art1 art1_fast fuzzy_art", {"m": 10**9}, "of memory"),
        ("art1 art1_fast fuzzy_art", {"cycles": 0}, "cycles = 0"),
        ("art1 art1_fast fuzzy_art", {"speed": 0}, "speed = 0: must be a number > 0"),
        ("art1 art1_fast fuzzy_art", {"events": 3}, "events = 3: must be True or False"),
        ("art1 art1_fast", {"L": 1.0}, "L = 1: must be a number > 1"),
        ("art1 art1_fast", {"fresh": 0.0}, "fresh = 0: must be a number > 0 and <= 1"),
        ("art1", {"B1": 1.0}, "B1 = 1: must be above max(1, D1) = 1 and below 1 + D1 = 1.9"),
        ("art1", {"B1": 1.9}, "or the 2/3 rule does not hold"),
        ("art1", {"B1": 1.5, "D1": 1.6}, "above max(1, D1) = 1.6"),
        ("art1", {"A1": -1}, "A1 = -1"),
        ("art1", {"D1": 0}, "D1 = 0"),
        ("art1 fuzzy_art", {"M": -1}, "M = -1: must be a number >= 0"),
        ("art1", {"templates": [[1, 0]]}, "templates: has shape (1, 2), must have at most 4 rows of 6 cells"),
        ("art1", {"templates": np.ones((5, 6))}, "must have at most 4 rows"),
        ("art1", {"templates": [[0.5] * 6]}, "templates: pattern 0 has the element 0.5"),
        ("fuzzy_art", {"pattern": [[0.5, 0.5], [0.5, 1.2]]}, "pattern 1 has the element 1.2; all must be in [0, 1]"),
        ("fuzzy_art", {"pattern": [[-0.2, 0.5]]}, "element (0, 0) is -0.2"),
        ("art2", {"pattern": []}, "pattern: the array is empty"),
        ("art2", {"pattern": [[1, 0], [1]]}, "must be an array of numbers"),
        ("art2", {"pattern": np.ones((2, 2, 2))}, "must be (patterns, cells)"),
        ("art2", {"pattern": [[1, -0.5]]}, "pattern: element (0, 1) is -0.5"),
        ("art2", {"pattern": [[1, 0], [0, 0]]}, "pattern: pattern 1 is 0 everywhere; it has no direction"),
        ("art2", {"rho": 1.1}, "rho = 1.1: must be a number >= 0 and <= 1"),
        ("art2", {"m": 0}, "m = 0: must be a number >= 1"),
        ("art2", {"m": 10**9}, "of memory"),
        ("art2", {"cycles": 0}, "cycles = 0"),
        ("art2", {"a": -1.0}, "a = -1: must be a number >= 0"),
        ("art2", {"d": 1.0}, "d = 1: must be a number > 0 and < 1"),
        ("art2", {"c": 0.2}, "c = 0.2: c d/(1 - d) is 1.8, must be at most 1 (27)"),
        ("art2", {"fresh": 2.1}, "fresh = 2.1: must be at most 1/((1 - d) sqrt(cells)) = 2 (29)"),
        ("art2", {"theta": -0.1}, "theta = -0.1: must be a number >= 0"),
        ("art2", {"each": 6.0}, "each = 6: must be longer than 30 eps = 6"),
        ("art2", {"eps": 0.0}, "eps = 0: must be a number > 0"),
        ("fuzzy_art", {"alpha": 0}, "alpha = 0: must be a number > 0"),
        ("fuzzy_art", {"speed": 50.0}, "speed = 50: must be at least 2 M = 92.1034, or memories overshoot"),
    ],
)
def test_bad_input_is_one_line(names: str, arguments: dict[str, Any], words: str) -> None:
    for name in names.split():
        with pytest.raises((SpecError, InputError)) as caught:
            build(name, **arguments)
        assert "\n" not in str(caught.value)
        assert words in str(caught.value)
        assert str(caught.value).startswith(f"{name}: ")
