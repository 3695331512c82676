"""ART 2 in the limit of fast cells: its match in closed form, when it resets, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn.errors import InputError
from brnn.theory import art2


def test_the_match_is_the_length_of_the_vector_that_it_is_made_of() -> None:
    """(20) written out, for random u of length 1 and templates z."""
    rng = np.random.default_rng(2)
    c, d = 0.1, 0.9
    for _ in range(20):
        u, z = rng.uniform(size=(2, 7))
        u /= np.linalg.norm(u)
        p = u + d * z
        expected = np.linalg.norm(u + c * p) / (1.0 + c * np.linalg.norm(p))
        size = np.linalg.norm(z)
        assert art2.match_length(u @ z / size, size, c, d) == pytest.approx(expected, rel=1e-12)


def test_a_second_pattern_is_reset_from_the_closed_form_on() -> None:
    """Without threshold F1 holds the pattern itself, and what was learned is 1/(1 - d) long: (25) is known."""
    one, other = np.array([4.0, 2.0, 1.0, 0.5]), np.array([0.5, 1.0, 2.0, 4.0])
    cosine = one @ other / (one @ one)
    edge = float(art2.match_length(cosine, 10.0, 0.1, 0.9))
    for rho, tried in ((edge - 1e-3, [[0], [0]]), (edge + 1e-3, [[0], [0, 1]])):
        learned = art2.art2([one, other], rho, categories=2, theta=0.0)
        assert learned.tried == tried
        np.testing.assert_allclose(learned.templates[0, 0], 10.0 * one / np.linalg.norm(one), rtol=1e-6, atol=0)


def test_a_pattern_that_all_categories_refuse_has_none() -> None:
    learned = art2.art2(np.eye(3), 0.99, categories=2)
    assert learned.labels.tolist() == [0, 1, -1]
    assert sorted(learned.tried[2]) == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patterns": [[1.0, 0.0], [0.0, 0.0]]}, "art2: patterns: pattern 1 is 0 everywhere; it has no direction"),
        ({"patterns": [[1.0, -1.0]]}, "art2: patterns: element (0, 1) is -1"),
        ({"patterns": [1.0, 1.0]}, "art2: patterns"),
        ({"rho": 1.5}, "art2: rho = 1.5"),
        ({"order": [0, 4]}, "art2: order: has 4, must be indices of the 4 patterns, from 0 on"),
        ({"order": [0.5]}, "art2: order: has 0.5, must be indices"),
        ({"categories": 0}, "art2: categories = 0"),
        ({"a": float("nan")}, "art2: a"),
        ({"c": 0.2}, "art2: c d/(1 - d) = 1.8: must be at most 1 (27)"),
        ({"d": 1.0}, "art2: d = 1: must be below 1"),
        ({"step": 0.0}, "art2: step = 0"),
    ],
)
def test_wrong_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    settings = {"patterns": art2.PATTERNS, "rho": 0.9, **arguments}
    with pytest.raises((InputError, brnn.SpecError)) as caught:
        art2.art2(settings.pop("patterns"), settings.pop("rho"), **settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
