"""Adaptive resonance as an algorithm: beside artlib, labels worked out by hand, theorems and closed forms."""

from __future__ import annotations

import importlib
import inspect
import itertools
from fractions import Fraction
from typing import Any

import artlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.errors import InputError
from brnn.theory import art

SEVEN = np.array(
    [[int(bit) for bit in row] for row in ("110000", "111000", "111100", "000111", "000011", "100000", "111111")]
)
BY_HAND = {0.5: [0, 0, 0, 1, 1, 0, 2], 0.7: [0, 1, 1, 2, 2, 0, 3], 0.9: [0, 1, 2, 3, 3, 0, 4]}


@st.composite
def lists(draw: st.DrawFn) -> np.ndarray:
    """Return up to 12 patterns of up to 8 cells, none of them empty."""
    cells = draw(st.integers(1, 8))
    numbers = draw(st.lists(st.integers(1, 2**cells - 1), min_size=1, max_size=12))
    return np.array([[n >> i & 1 for i in range(cells)] for n in numbers])


vigilances = st.integers(0, 20).map(lambda k: k / 20)
near_one = st.sampled_from([1.0001, 1.001])  # L


# An independent judge ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1.0, 0.5])
@pytest.mark.parametrize("rho", [0.5, 0.75, 0.9])
def test_fuzzy_art_is_that_of_artlib(rho: float, beta: float) -> None:
    rng = np.random.default_rng([round(100 * rho), round(100 * beta)])
    for _ in range(20):
        shown = art.complement(rng.uniform(size=(rng.integers(5, 40), rng.integers(1, 7))))
        passes = int(rng.integers(1, 4))
        judge = artlib.FuzzyART(rho=rho, alpha=1e-3, beta=beta)
        judge.fit(shown, max_iter=passes)
        learned = art.fuzzy_art(shown, rho, alpha=1e-3, beta=beta, lists=passes)
        assert learned.labels[-1].tolist() == judge.labels_.tolist()
        np.testing.assert_allclose(learned.templates, np.array(judge.W), rtol=0, atol=1e-12)


# ART 1 beside hand and theorems --------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", BY_HAND)
def test_seven_patterns_have_the_categories_worked_out_by_hand(rho: float) -> None:
    assert art.art1(SEVEN, rho).labels[0].tolist() == BY_HAND[rho]


def test_at_low_vigilance_it_matters_whether_new_categories_compete() -> None:
    competing, last = art.art1(SEVEN, 0.3), art.art1(SEVEN, 0.3, fresh=0.0)
    assert competing.labels[0].tolist() == [0, 0, 0, 1, 1, 0, 2]
    assert last.labels[0].tolist() == [0, 0, 0, 1, 1, 0, 1]


def test_a_list_is_shown_once_by_default() -> None:
    assert art.art1([[1, 0], [0, 1]], 0.9).labels.shape == (1, 2)
    assert art.fuzzy_art(art.complement([[0.1], [0.9]]), 0.9).labels.shape == (1, 2)


def test_resets_templates_and_changes_by_hand() -> None:
    """Choices in the second list: 1100 prefers 1000 (2/2, 4/5), which matches 1/2 only; 1111 a new one (8/5)."""
    learned = art.art1([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], 0.6, lists=3)
    assert learned.labels.tolist() == [[0, 1, 0], [1, 2, 0], [1, 2, 0]]
    assert learned.resets.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert learned.templates.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]
    assert learned.changed.tolist() == [True, True, False]
    assert (learned.stable_after, learned.categories) == (2, 3)
    assert learned.memories(4).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]


@given(lists(), vigilances, st.sampled_from([1.01, 1.5, 2.0, 4.0]), st.sampled_from([0.0, 0.5, 1.0]))
def test_templates_are_the_intersections_of_what_they_learned(
    shown: np.ndarray, rho: float, L: float, fresh: float
) -> None:
    learned = art.art1(shown, rho, L=L, lists=4, fresh=fresh)
    assert set(learned.labels.ravel().tolist()) == set(range(learned.categories))
    for j, V in enumerate(learned.templates):
        members = shown[(learned.labels == j).any(axis=0)]
        assert V.tolist() == np.bitwise_and.reduce(members, axis=0).tolist()
        if fresh > 0:
            assert V.any()  # a template that shares no cell is never chosen before a new one


@given(lists(), vigilances, near_one)
def test_learning_ends_within_as_many_lists_as_there_are_sizes(shown: np.ndarray, rho: float, L: float) -> None:
    learned = art.art1(shown, rho, L=L, lists=20, stop=True)
    assert learned.stable_after is not None
    assert learned.stable_after <= np.unique(shown.sum(axis=1)).size
    assert len(learned.labels) == learned.stable_after + 1  # stop


@given(lists(), vigilances, near_one)
def test_after_learning_access_is_direct_and_matches(shown: np.ndarray, rho: float, L: float) -> None:
    learned = art.art1(shown, rho, L=L, lists=20, stop=True)
    assert not learned.resets[-1].any()
    for pattern, j in zip(shown, learned.labels[-1], strict=True):
        V = learned.templates[j]
        assert int(j) == int(np.argmax(np.round(art.art1_choices(pattern, learned.templates, L), 12)))
        assert (V <= pattern).all()
        assert Fraction(int(V.sum()), int(pattern.sum())) >= Fraction(round(20 * rho), 20)


@given(lists(), st.sampled_from([1.0001, 2.0]))
def test_full_vigilance_gives_each_distinct_pattern_a_category(shown: np.ndarray, L: float) -> None:
    learned = art.art1(shown, 1.0, L=L, lists=20, stop=True)
    assert sorted(learned.templates.tolist()) == np.unique(shown, axis=0).tolist()


@given(lists(), vigilances)
def test_fuzzy_art_of_binary_patterns_is_art1(shown: np.ndarray, rho: float) -> None:
    binary = art.art1(shown, rho, L=1.5, lists=3, fresh=0.5)
    fuzzy = art.fuzzy_art(shown, rho, alpha=0.5, lists=3, fresh=0.5)
    for name in ("labels", "resets", "templates", "changed"):
        assert np.array_equal(getattr(binary, name), getattr(fuzzy, name))


@given(st.integers(0, 2**32 - 1), vigilances)
def test_boxes_of_fuzzy_art_hold_their_patterns_and_are_no_larger_than_allowed(seed: int, rho: float) -> None:
    given_ = np.random.default_rng(seed).uniform(size=(15, 3))
    learned = art.fuzzy_art(art.complement(given_), rho, lists=2)
    for j, w in enumerate(learned.templates):
        members = given_[(learned.labels == j).any(axis=0)]
        np.testing.assert_array_equal(w[:3], members.min(axis=0))
        np.testing.assert_allclose(1.0 - w[3:], members.max(axis=0), rtol=0, atol=1e-15)
        assert np.ptp(members, axis=0).sum() <= 3.0 * (1.0 - rho) + 1e-12


def test_without_a_free_category_nothing_is_learned() -> None:
    learned = art.art1([[1, 1, 0, 0], [0, 0, 1, 1]], 0.5, categories=1, lists=2)
    assert learned.labels.tolist() == [[0, -1], [0, -1]]
    assert learned.resets.tolist() == [[0, 1], [0, 1]]
    assert learned.templates.tolist() == [[1, 1, 0, 0]]
    assert learned.changed.tolist() == [True, False]
    assert learned.stable_after == 1


def test_stable_after_is_none_while_weights_change() -> None:
    assert art.art1(SEVEN, 0.5).stable_after is None
    assert art.fuzzy_art(art.complement([[0.1], [0.2]]), 0.5, beta=0.5, lists=9).stable_after is None


# Closed forms --------------------------------------------------------------------------------------------------


def test_complement_code_has_the_same_sum_for_every_pattern() -> None:
    code = art.complement([[0.25, 1.0], [0.0, 0.5]])
    assert code.tolist() == [[0.25, 1.0, 0.75, 0.0], [0.0, 0.5, 1.0, 0.5]]
    assert code.sum(axis=1).tolist() == [2.0, 2.0]
    assert art.complement([0.25]).tolist() == [0.25, 0.75]


def test_filter_weights_and_choices_by_hand() -> None:
    V = [[1, 1, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(art.bottom_up(V, 2.0), [[0.5, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]], rtol=1e-15)
    np.testing.assert_allclose(art.bottom_up(V, 3.0), [[0.6, 0.6, 0.6, 0.0], [0.0, 0.0, 0.0, 1.0]], rtol=1e-15)
    np.testing.assert_allclose(art.art1_choices([1, 1, 0, 1], V, 3.0), [1.2, 1.0], rtol=1e-15)


@given(lists(), st.floats(1.01, 10.0))
def test_the_filter_gives_the_choices(templates: np.ndarray, L: float) -> None:
    pattern = templates[0]
    np.testing.assert_allclose(
        art.bottom_up(templates, L) @ pattern, art.art1_choices(pattern, templates, L), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("cells", "L", "fresh"), [(1, 2, "1"), (2, 2, "0"), (4, 2, "1"), (6, 2, "9/10"), (7, 3, "1/2"), (9, 2, "0")]
)
def test_smallest_gap_in_fractions(cells: int, L: int, fresh: str) -> None:
    size = range(1, cells + 1)
    T = {Fraction(L * a, L - 1 + b) for b in size for a in range(1, b + 1)}
    T |= {Fraction(fresh) * Fraction(L * a, L - 1 + cells) for a in size}
    gaps = [b - a for a, b in itertools.pairwise(sorted(T))]
    assert art.smallest_gap(cells, L, float(Fraction(fresh))) == pytest.approx(
        float(min(gaps, default=np.inf)), rel=1e-9
    )


# Input that is wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "arguments", "settings", "words"),
    [
        ("art1", ([[0, 1], [0, 0.5]], 0.5), {}, "art1: patterns: pattern 1 has the element 0.5; ART 1 takes 0 and 1"),
        ("art1", ([[0, 1], [0, 0]], 0.5), {}, "art1: patterns: pattern 1 is empty"),
        ("art1", (np.ones((2, 2, 2)), 0.5), {}, "has shape (2, 2, 2), must be (patterns, cells)"),
        ("art1", ([[0, float("nan")]], 0.5), {}, "art1: patterns"),
        ("art1", (SEVEN, 1.1), {}, "art1: vigilance"),
        ("art1", (SEVEN, -0.1), {}, "art1: vigilance"),
        ("art1", (SEVEN, 0.5), {"L": 1.0}, "art1: L"),
        ("art1", (SEVEN, 0.5), {"fresh": 1.5}, "art1: fresh"),
        ("fuzzy_art", (SEVEN, 0.5), {"fresh": 1.5}, "fuzzy_art: fresh"),
        ("art1", (SEVEN, 0.5), {"lists": 0}, "art1: lists"),
        ("art1", (SEVEN, 0.5), {"categories": 0}, "art1: categories"),
        ("fuzzy_art", ([[0.5, 1.5]], 0.5), {}, "fuzzy_art: patterns: every element must be in [0, 1]"),
        ("fuzzy_art", ([[0.5, -0.5]], 0.5), {}, "fuzzy_art: patterns: every element must be in [0, 1]"),
        ("fuzzy_art", (np.ones((2, 2, 2)), 0.5), {}, "has shape (2, 2, 2), must be (patterns, cells)"),
        ("fuzzy_art", ([[0.5]], float("nan")), {}, "fuzzy_art: vigilance"),
        ("fuzzy_art", ([[0.5]], 0.5), {"alpha": 0.0}, "fuzzy_art: alpha"),
        ("fuzzy_art", ([[0.5]], 0.5), {"beta": 2.0}, "fuzzy_art: beta"),
        ("fuzzy_art", ([[0.5]], 0.5), {"lists": 1.5}, "fuzzy_art: lists"),
    ],
)
def test_wrong_input_is_one_line(
    function: str, arguments: tuple[Any, ...], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises((InputError, brnn.SpecError)) as caught:
        getattr(art, function)(*arguments, **settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_one_of_the_modules_of_theory() -> None:
    theory = importlib.import_module("brnn.theory")
    assert theory.art is art
    assert "`art`" in str(theory.__doc__)
    for name in art.__all__:
        assert inspect.getdoc(getattr(art, name))


def _fuzzy_art_in_fractions(rows: list[list[Fraction]], rho: Fraction) -> list[int]:
    """Return the labels of one list presentation, alpha = 1/1000, beta = 1, in exact arithmetic."""
    w: list[list[Fraction]] = []
    labels = []
    for a in rows:
        I = [*a, *(1 - value for value in a)]

        def overlap(j: int, I: list[Fraction] = I) -> Fraction:
            return sum((min(pair) for pair in zip(I, w[j], strict=True)), Fraction(0))

        order = sorted(range(len(w)), key=lambda j: (-overlap(j) / (Fraction(1, 1000) + sum(w[j])), j))
        chosen = next((j for j in order if overlap(j) >= rho * sum(I)), len(w))
        if chosen == len(w):
            w.append(I)
        else:
            w[chosen] = [min(pair) for pair in zip(I, w[chosen], strict=True)]
        labels.append(chosen)
    return labels


def test_fuzzy_art_of_decimals_is_that_of_exact_fractions() -> None:
    rng = np.random.default_rng(1991)
    wrong = []
    for _ in range(600):
        digits = rng.integers(0, 11, size=(int(rng.integers(2, 7)), int(rng.integers(1, 4))))
        rho = Fraction(int(rng.integers(10, 20)), 20)
        exact = _fuzzy_art_in_fractions([[Fraction(int(d), 10) for d in row] for row in digits], rho)
        found = art.fuzzy_art(art.complement(digits / 10), float(rho)).labels[0].tolist()
        if found != exact:
            wrong.append((digits.tolist(), rho, exact, found))
    assert not wrong, f"{len(wrong)} of 600 lists, the first: {wrong[0]}"
    # |I ^ w| = 0.3 + 0.8 - 0.2 = 0.9 of 1
    assert art.fuzzy_art(art.complement([[0.3], [0.2]]), 0.9).labels.tolist() == [[0, 0]]
