"""Contours and filling-in: the front end of `contour_adaptation`, its surfaces, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.errors import InputError, SpecError
from brnn.models import contour_adaptation
from brnn.theory import contours


def test_a_surface_is_where_gated_diffusion_comes_to_rest() -> None:
    """The matrix of dS/dt, pixel by pixel: S(0) projected onto its kernel, which is S for t -> infinity."""
    rng = np.random.default_rng(3)
    L = rng.uniform(-1.0, 1.0, (5, 6))
    h, v = (rng.uniform(size=L.shape) < 0.5 for _ in range(2))
    pixel = np.arange(L.size).reshape(L.shape)
    D = np.zeros((L.size, L.size))
    for i in range(5):
        for j in range(6):
            joins = []
            if i and not (h[i - 1, j] or (j and h[i - 1, j - 1])):
                joins.append(pixel[i - 1, j])
            if j and not (v[i, j - 1] or (i and v[i - 1, j - 1])):
                joins.append(pixel[i, j - 1])
            for other in joins:
                for one, two in ((pixel[i, j], other), (other, pixel[i, j])):
                    P = 0.5 + ((one + two) % 3)  # any permeability
                    D[one, two] += P
                    D[one, one] -= P
    rates, modes = np.linalg.eigh(D)
    still = modes[:, np.abs(rates) < 1e-9]
    assert 1 < still.shape[1] < L.size
    np.testing.assert_allclose(contours.filled_in(L, h, v).ravel(), still @ (still.T @ L.ravel()), atol=1e-12)


def test_a_wall_all_around_keeps_the_inside() -> None:
    """A square of 1 in a ground of 0; with one piece of the wall missing it flows out, and nothing is lost."""
    L = np.zeros((6, 6))
    L[2:4, 2:4] = 1.0
    h, v = np.zeros((6, 6)), np.zeros((6, 6))
    h[(1, 3), 2] = v[2, (1, 3)] = 1.0  # a corner closes the edges on both sides of it
    np.testing.assert_array_equal(contours.filled_in(L, h, v) * (L > 0.0), L)
    h[1, 2] = 0.0
    np.testing.assert_allclose(contours.filled_in(L, h, v)[2, 2], contours.filled_in(L, h, v)[0, 2])
    assert contours.filled_in(L, h, v).sum() == pytest.approx(4.0)


def test_a_uniform_field_far_from_its_edge_has_no_contours() -> None:
    z = contours.complex_responses(np.full((60, 60), 0.3))
    assert max(float(part[28:32, 28:32].max()) for part in z) < 1e-9
    center, surround = 12.657468, 9.0653373  # sums of the kernels
    v = 150.0 * 0.3 * (center - surround) / (50.0 + 0.3 * (center + surround))
    assert contours.lateral_geniculate(np.full((60, 60), 0.3))[30, 30] == pytest.approx(v, rel=1e-7)


def test_a_small_picture_and_one_padded_with_ground_have_the_same_responses() -> None:
    small = np.random.default_rng(4).uniform(-1.0, 1.0, (4, 9))
    large = contours.complex_responses(np.pad(small, 30))
    for one, other in zip(contours.complex_responses(small), large, strict=True):
        np.testing.assert_allclose(one, other[30:-30, 30:-30], atol=1e-12)


def test_turning_a_picture_turns_its_contours() -> None:
    """Rows for columns: horizontal contours become vertical ones."""
    picture = np.random.default_rng(5).uniform(-0.2, 0.2, (7, 8))
    h, v = contours.complex_responses(picture)
    turned = contours.complex_responses(picture.T)
    np.testing.assert_allclose(turned[0], v.T, atol=1e-12)
    np.testing.assert_allclose(turned[1], h.T, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": [[0.5, 1.5]]}, "pattern: has the element 1.5; all must be in [-1, 1]"),
        ({"adaptor": [[-2.0, 1.5]]}, "adaptor: has the element -2; all must be in [-1, 1]"),
        ({"pattern": [0.5, 1.0]}, "pattern"),
        ({"pattern": [[1.0]], "adaptor": [[1.0, 0.0]]}, "adaptor: has shape (1, 2), must have that of"),
        ({"contrast": 128.0}, "contrast = 128: must be a number >= 0 and <= 127"),
        ({"adapt": -1.0}, "adapt = -1"),
        ({"flicker": 0.0}, "flicker = 0: must be a number > 0"),
        ({"H": 0.0}, "H = 0: must be a number > 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError), match=re.escape(words)) as caught:
        contour_adaptation.build(**arguments)
    assert "\n" not in str(caught.value)


def test_walls_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"vertical: has shape \(2, 3\), must have that of the luminances, \(3, 3\)"):
        contours.filled_in(np.zeros((3, 3)), np.zeros((3, 3)), np.zeros((2, 3)))


def test_without_adaptation_nothing_flickers_and_the_last_flicker_may_be_short() -> None:
    network = contour_adaptation.build(adapt=0.0)
    assert (len(network.stimuli), network.time_units) == (3, "s")
    flickers: Any = contour_adaptation.build(adapt=0.25).stimuli[1].schedule
    np.testing.assert_allclose(flickers.intervals, [[0.0, 0.1], [0.1, 0.2], [0.2, 0.25]])
    assert flickers.items.tolist() == [0, 1, 0]


def test_a_picture_of_the_users_own_is_seen_without_an_adaptor() -> None:
    shape = np.zeros((12, 12))
    shape[3:9, 3:9] = 1.0
    result = brnn.simulate(contour_adaptation.build(shape, adapt=0.0, shown=0.2), times=[0.0, 0.15, 0.2])
    seen = contour_adaptation.surface(
        *(np.asarray(result[name])[1] for name in ("luminance.x", "dipole_h.x", "dipole_v.x"))
    )
    np.testing.assert_allclose(seen, 5.0 * shape, atol=1e-3)


def test_gates_after_an_adaptor_at_the_ceiling_have_the_published_course() -> None:
    """0.645 + 2.688 exp(-0.217 t), and then back with the rate 0.042 to 3.333."""
    numbers = (0.007, 20.0, 0.007, 5.0, 25.0)
    low = 0.645 + 2.688 * np.exp(-0.217 * 5.9)
    assert contours.adapted_gates([40.0], [5.9], *numbers) == pytest.approx(low, abs=1e-3)
    back = 3.333 - (3.333 - low) * np.exp(-0.042 * 2.0)
    assert contours.adapted_gates([40.0, 0.0], [5.9, 2.0], *numbers) == pytest.approx(back, abs=1e-3)
