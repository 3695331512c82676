"""The masking field: what `build` makes and refuses, and its theory beside brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import root

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.theory import masking_field as theory

WORDS = ("MY", "SELF", "ELF", "MYSELF")


def build(**arguments: Any) -> brnn.Network:
    return models.load("masking_field").build(**arguments)


def signal(w: Any) -> Any:
    w = np.maximum(w, 0.0)
    return w**3 / (0.7**3 + w**3)


NUMBERS = (0.2, 1.0, 2.0, 2.0, 10.0, signal)


def test_defaults_make_a_network_that_round_trips() -> None:
    network = build()
    assert [(layer.name, layer.cells) for layer in network.layers] == [("items", 6), ("chunks", 4)]
    assert network.reference
    assert network.duration is not None
    assert brnn.Network.from_json(network.to_json()) == network


def test_letters_keep_the_order_in_which_they_first_occur() -> None:
    network = build(lists="BA AC", word="AC", gradient=0.5, intensity=0.8, item_rate=10.0)
    assert network.stimuli[0].pattern == pytest.approx(10.0 * np.array([0.0, 0.8, 0.4]))  # B, A, C
    expected = [[2 / 3, 1 / 3, 0.0], [0.0, 2 / 3, 1 / 3]]
    assert network.projections[0].topology.strengths((3,), (2,)) == pytest.approx(np.array(expected))


def test_items_replace_the_word_and_letters_can_come_one_by_one() -> None:
    given = build(items=[0.1, 0.0, 0.2, 0.0, 0.0, 0.3], item_rate=1.0)
    assert given.stimuli[0].pattern == pytest.approx(np.array([0.1, 0.0, 0.2, 0.0, 0.0, 0.3]))
    slow = build(word="MY", interval=3.0)
    assert [stimulus.schedule.on for stimulus in slow.stimuli] == [0.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"lists": ""}, "has 0 words"),
        ({"lists": 3}, "masking_field: lists = 3"),
        ({"lists": "EGG"}, "'EGG' has a letter twice"),
        ({"lists": "MY MY"}, "'MY' is given twice"),
        ({"word": "ME X"}, "no list has the letter ' '"),
        ({"word": "FUN"}, "no list has the letter 'U'"),
        ({"word": "MYM"}, "without repeated letters"),
        ({"word": ""}, "without repeated letters"),
        ({"gradient": 0}, "masking_field: gradient = 0"),
        ({"intensity": -1}, "masking_field: intensity = -1"),
        ({"interval": -1}, "masking_field: interval = -1"),
        ({"interval": 5.0, "on": 20.0}, "the last letter would come after the items are off"),
        ({"A": -1}, "masking_field: A = -1"),
        ({"B": 0}, "B"),
        ({"D": float("nan")}, "masking_field: D"),
        ({"E": -2}, "masking_field: E = -2"),
        ({"items": [1.0, 2.0]}, "must have shape (6,)"),
        ({"items": -1.0}, "masking_field: items"),
        ({"item_rate": 0}, "masking_field: item_rate = 0"),
        ({"on": 0}, "masking_field: on = 0"),
        ({"signal": "sigmiod"}, "signal=sigmiod: unknown signal"),
        ({"initial": [0.0, 1.0]}, "must have shape (4,)"),
    ],
)
def test_bad_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as error:
        build(**arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_coefficients_counted_by_hand() -> None:
    c = theory.inhibition(["AB", "B"])  # weights 2 (1 + 2), 1 (1 + 1); 2 (1 + 1), 1 (1 + 1)
    assert c == pytest.approx(np.array([[6 / 8, 2 / 8], [4 / 6, 2 / 6]]))
    assert theory.masses(["AB", "B"]).tolist() == [16.0, 6.0]


@pytest.mark.parametrize("word", WORDS)
def test_a_choice_is_an_equilibrium_found_by_a_root_finder(word: str) -> None:
    I = np.array([0.3 * 0.95 ** word.index(j) if j in word else 0.0 for j in "MYSELF"])
    S = theory.filter_weights(WORDS, "MYSELF", 0.95) @ I
    state = theory.choice(S, WORDS, WORDS.index(word), *NUMBERS)
    assert state is not None
    assert np.flatnonzero(state > 0.0).tolist() == [WORDS.index(word)]
    found = root(theory.velocity, state + 1e-3, args=(S, WORDS, *NUMBERS), tol=1e-13)
    assert found.x == pytest.approx(state, abs=1e-9)


def test_there_is_no_choice_of_a_list_that_is_not_presented() -> None:
    S = theory.filter_weights(WORDS, "MYSELF") @ np.array([0.3, 0.3, 0.0, 0.0, 0.0, 0.0])
    assert theory.choice(S, WORDS, WORDS.index("ELF"), *NUMBERS) is None


def test_the_settled_state_is_that_of_the_network() -> None:
    S = theory.filter_weights(WORDS, "MYSELF", 0.95) @ (0.3 * 0.95 ** np.arange(6.0))
    assert theory.settled(S, WORDS, np.zeros(4), *NUMBERS) == pytest.approx(
        theory.choice(S, WORDS, 3, *NUMBERS), abs=1e-8
    )
