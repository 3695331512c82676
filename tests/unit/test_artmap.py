"""Distributed ARTMAP: artlib's search as a judge, what is refused, and what happens where nodes run out."""

from __future__ import annotations

from typing import Any

import artlib
import numpy as np
import pytest

import brnn
from brnn.models import distributed_artmap as model
from brnn.theory import artmap


class ByDifference(artlib.FuzzyART):  # type: ignore[misc]
    """Artlib's fuzzy ART with the choice by difference of 1997; its own is the Weber law of 1991."""

    def category_choice(self, i: np.ndarray, w: np.ndarray, params: dict[str, Any]) -> tuple[float, None]:
        """Return T."""
        M = i.size / 2
        return round(float(np.minimum(i, w).sum() + (1.0 - params["alpha"]) * (M - w.sum())), 12), None


def trained(**arguments: Any) -> Any:
    network = model.build(**arguments)
    assert network.duration is not None
    return brnn.simulate(network, times=np.arange(0.5, network.duration), solver="RK45")


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.85])
def test_fuzzy_artmap_searches_tracks_and_learns_as_artlib_does(rho: float) -> None:
    """Vigilance, match tracking (MT-), search, weights are artlib's; patterns keep off the corners, so all may code."""
    rng = np.random.default_rng(round(100 * rho))
    for features in (2, 3):
        shown, classes = rng.uniform(0.1, 0.9, size=(40, features)), rng.integers(3, size=40)
        asked = rng.uniform(0.1, 0.9, size=(20, features))
        judge = artlib.SimpleARTMAP(ByDifference(rho=rho, alpha=0.01, beta=1.0))
        coded = [np.hstack([rows, 1.0 - rows]) for rows in (shown, asked)]
        judge.fit(coded[0], classes, match_tracking="MT-", epsilon=0.001)
        result = trained(pattern=shown, classes=classes, test=asked, variant="fuzzy", rho=rho, m=40)
        nodes = np.asarray(result["category.x"])[:40].argmax(axis=1)
        assert nodes.tolist() == judge.module_a.labels_.tolist()
        tau = np.asarray(result.final("instar"))[: len(judge.module_a.W)]
        np.testing.assert_allclose(1.0 - tau, np.array(judge.module_a.W), rtol=0, atol=1e-12)
        told = np.asarray(result["prediction.x"])[40:].argmax(axis=1)
        assert told.tolist() == judge.predict(coded[1]).tolist()


@pytest.mark.parametrize("variant", list(model.VARIANTS))
def test_answers_are_those_of_the_test_passes(variant: str) -> None:
    rng = np.random.default_rng(3)
    shown, classes, asked = rng.uniform(size=(25, 2)), rng.integers(3, size=25), rng.uniform(size=(12, 2))
    result = trained(pattern=shown, classes=classes, test=asked, variant=variant, m=25, alpha=0.3, p=2.0)
    _, code, counting = model.VARIANTS[variant]
    weights = [np.asarray(result.final(name)) for name in ("instar", "count", "labels")]
    found = artmap.answers(asked, *weights, code=code, counting=counting, alpha=0.3, p=2.0)
    np.testing.assert_allclose(found, np.asarray(result["prediction.x"])[25:], rtol=0, atol=1e-12)


def test_a_test_pattern_that_no_node_may_code_gets_the_class_of_the_largest_choice() -> None:
    """T_j = 2 - d for points at the distance d: 0 and 0.4 are below alpha M = 1, and the second node is nearer."""
    result = trained(pattern=[[0, 0], [0.4, 0]], classes=[0, 1], test=[[1, 1]], alpha=0.5)
    assert np.asarray(result["category.x"])[-1, :2].tolist() == [0.0, 1.0]
    assert np.asarray(result["prediction.x"])[-1].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("variant", ["fuzzy", "distributed"])
def test_what_no_node_may_code_is_learned_by_a_new_one(variant: str) -> None:
    """T = 2 - d with d = 2, below alpha M = 1, and with d = 0.5, above it: two nodes, one of which learns twice."""
    result = trained(pattern=[[0, 0], [1, 1], [0.5, 0]], classes=[0, 0, 0], variant=variant, alpha=0.5)
    y = np.asarray(result["category.x"])[:3, :3]
    assert y[:2].tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert float(result.final("count").sum()) == 3.0
    assert np.asarray(result.final("labels")).sum() == 2.0
    assert y[2, 0] > y[2, 1]


def test_what_no_node_can_learn_is_not_learned() -> None:
    result = trained(pattern=[[0.1], [0.9], [0.1]], classes=[0, 1, 0], m=1)
    y = np.asarray(result["category.x"])[:3, 0]
    assert y.tolist() == [1.0, 0.0, 1.0]
    assert float(result.final("count")[0]) == 2.0
    assert np.asarray(result["tried.x"])[1].tolist() == [1.0, 1.0]  # the code, and then the node
    names = [str(name) for name in result.events["name"].values]
    assert names.count("reset") == 2
    assert all(row.passed for row in result.compare())


def test_a_mismatch_resets_without_raising_the_vigilance() -> None:
    """The match of 0.9 with the box of 0.1 is 1 - 0.8 = 0.2, below rho: a new node of the same class."""
    result = trained(pattern=[[0.1], [0.9]], classes=[0, 0], rho=0.5, m=2)
    assert np.asarray(result["vigilance.x"])[1].tolist() == [0.5]
    assert np.asarray(result.final("labels")).any(axis=1).sum() == 2


def test_a_table_with_classes_in_its_last_column_and_tests_without() -> None:
    table = np.column_stack([[0.1, 0.9, 0.2], [0, 1, 0]])
    result = trained(pattern=table, test=[[0.15], [0.8]])
    assert np.asarray(result["prediction.x"])[3:].argmax(axis=1).tolist() == [0, 1]
    assert not np.asarray(result["target.x"])[3:].any()
    asked = model.build(table)
    assert asked.protocol is not None
    assert len(asked.protocol.intervals("test")) == 3


def test_classes_of_the_default_patterns_take_the_place_of_their_own() -> None:
    """The column of the classes is not a feature; what was learned is asked."""
    network = model.build(classes=[0, 1, 2, 0, 1, 2, 0, 1])
    assert network.layer("input").cells == 4
    assert network.layer("target").cells == 3
    result = trained(classes=[0, 1, 2, 0, 1, 1, 0, 1], rho=1.0)
    assert np.asarray(result["prediction.x"])[8:].argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 1, 0, 1]


def test_theory_says_less_where_nodes_may_run_out() -> None:
    few = brnn.theory.predict(model.build(m=2))
    assert few.of("patterns learned")[0].value == (0.0, 8.0)
    assert few.of("nodes")[0].value == (2.0, 2.0)
    early = brnn.simulate(model.build(), 3.0)
    assert "patterns learned" not in [row.label for row in early.compare()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": [[0.5]]}, "pattern: has one column, must have features and, in the last column, the class"),
        ({"pattern": [[0.5, 0.5]]}, "the last column: row 0 has the class 0.5; classes are whole numbers from 0 on"),
        ({"pattern": [[1.5, 1]]}, r"pattern: row 0 has the feature 1.5; all must be in [0, 1]: scale them"),
        ({"pattern": [[0.5], [0.2]], "classes": [1]}, "classes: there are 1 classes for 2 patterns"),
        ({"pattern": [[0.5]], "classes": [-1]}, "classes: row 0 has the class -1"),
        ({"test": [[0.5]]}, "test: has 1 columns, must have the 2 features of what is learned, and may have the class"),
        ({"test": [[0.5, 2.0]]}, "test: row 0 has the feature 2"),
        ({"variant": "art"}, "variant"),
        ({"alpha": 1.0}, "alpha = 1: must be a number > 0 and < 1"),
        ({"pattern": [[0.5], [0.2]], "classes": [0, 10**12]}, "20 nodes of 1 features and 1000000000001 classes"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((brnn.InputError, brnn.SpecError)) as caught:
        model.build(**arguments)
    assert str(caught.value).startswith("distributed_artmap: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tried": "category"}, "ArtmapPass: tried: 'category' has the shape (20,), must have (21,)"),
        ({"input": "vigilance"}, "ArtmapPass: input: 'vigilance' has 1 cells, must have two for each feature"),
        ({"count": "counts"}, "ArtmapPass: count = 'counts.x': no such state"),
        ({"alpha": 1.0}, "ArtmapPass: alpha = 1: must be a number > 0 and < 1"),
        ({"begins": "learn"}, "ArtmapPass: begins"),
    ],
)
def test_a_pass_that_does_not_fit_its_network_is_refused(changes: dict[str, Any], words: str) -> None:
    network = model.build()
    with pytest.raises(brnn.SpecError) as caught:
        event = network.events[1]
        action = brnn.ArtmapPass(**{"begins": "train", **changes})
        network.replace(events=[event.replace(then=[action])])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0.5]], np.zeros((2, 4)), [1, 1], np.eye(2)), "patterns: has 1 features, the weights are of 2"),
        (([[0.5]], np.zeros((2, 2)), [1, 1], np.eye(3)), "labels: has 3 rows for 2 nodes"),
    ],
)
def test_answers_refuse_what_does_not_fit(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(brnn.InputError, match=words):
        artmap.answers(*arguments)


def test_nobody_answers_before_anything_is_learned() -> None:
    assert artmap.answers([[0.5]], np.zeros((2, 2)), [0, 0], np.zeros((2, 3))).tolist() == [[0.0, 0.0, 0.0]]


def test_an_action_reads_what_stimuli_give_to_a_layer_from_now_on() -> None:
    """Two stimuli that are on add up, one that is off does not count; a layer without any gets nothing."""
    seen: list[list[float]] = []

    class Look(brnn.Action):
        def apply(self, moment: Any) -> None:
            seen.append([*moment.input("F"), *moment.input("F", "inhibitory"), *moment.input("G")])

    layers = [brnn.Layer.additive(name, 2, A=1.0) for name in "FG"]
    stimuli = [
        brnn.Stimulus("F", "excitatory", [1.0, 2.0], brnn.Pulse(1.0, 3.0)),
        brnn.Stimulus("F", "excitatory", 0.5),
        brnn.Stimulus("F", "excitatory", 9.0, name="off", on=False),
    ]
    events = [brnn.Event("look", brnn.AtTimes([0.5, 1.0, 3.0]), Look())]
    brnn.simulate(brnn.Network("looked_at", layers, stimuli=stimuli, events=events), 4.0)
    assert seen == [[0.5, 0.5, 0, 0, 0, 0], [1.5, 2.5, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0]]
