"""How long the step after another one is: as its error allows, and longer where errors go on becoming smaller."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.compiler import compile_network
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.interpreted import NumPySteps, slope_of
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.pairs.tsitouras import TSITOURAS
from brnn.integrate.steppers.step_lengths import FIFTH, following

SIZES = st.floats(1e-6, 1e6)


def after(allowed: list[float]) -> float:
    """Return the step after steps whose errors, of order 5, would have allowed these lengths."""
    h, before = 1.0, (0.0, 0.0)
    for length in allowed:
        h, *before = following(h, (h / length) ** 5, FIFTH, False, *before)
    return h


def test_a_step_is_longer_where_errors_became_smaller_twice() -> None:
    assert after([1.2]) == pytest.approx(0.9 * 1.2)
    assert after([1.2, 1.5]) == pytest.approx(0.9 * 1.5)  # once
    assert after([1.2, 1.26, 1.3104]) == pytest.approx(0.9 * 1.3104 * 1.04)  # as it grew the less
    assert after([1.2, 1.248, 1.3104]) == pytest.approx(0.9 * 1.3104 * 1.04)
    assert after([1.0, 1.5, 2.25]) == pytest.approx(0.9 * 2.25 * 1.1)  # not without limit
    for turned in ([1.2, 1.3, 1.2], [1.3, 1.2, 1.3], [1.4, 1.3, 1.2]):
        assert after(turned) == pytest.approx(0.9 * turned[-1])


@given(SIZES, st.floats(0.0, 1.0, exclude_max=True), SIZES, st.floats(0.0, 10.0), st.booleans())
def test_a_wrong_prediction_costs_no_step(h: float, error: float, allowed: float, trend: float, rejected: bool) -> None:
    """Where the law of errors does not change at all, the error of the next step is below 0.96 tolerances."""
    longer, now, _ = following(h, error, FIFTH, rejected, allowed, trend)
    longest = h if rejected else 10.0 * h
    if error == 0.0:
        assert longer == longest
        return
    assert now == pytest.approx(h * error**-0.2)
    assert (longer / now) ** 5 < 0.96
    assert min(longest, 0.9 * now) * (1.0 - 1e-12) <= longer <= longest
    if rejected:
        assert longer == pytest.approx(min(longest, 0.9 * now))


@pytest.mark.parametrize("compiled", [True, False])
def test_a_network_that_comes_to_rest_takes_steps_of_the_error_that_is_meant(compiled: bool) -> None:
    """dx/dt = -x: the error of a step is c h^5 x, so that it allows e^(h/5) times as long a step the next time.

    With that prediction each error is nearly the one that is meant, 0.9^5 = 0.59; without, 0.59 e^-h.
    """
    network = brnn.Network("decay", [brnn.Layer.additive("x", 1, A=1.0)])
    system = compile_network(network)
    piece = Piece(system.rhs(0.5), 0.0, np.ones(1), 6.0, 1e-12, 1e-7, system)
    stepper = PairStepper(piece, TSITOURAS) if compiled else NumPySteps(piece, slope_of(system), TSITOURAS)
    errors = []
    while stepper.t < 4.0:
        stepper.step()
        errors.append((stepper.step_size / stepper.remembered[1]) ** 5)
        np.testing.assert_allclose(stepper.y, np.exp(-stepper.t), atol=1e-6)
    assert 12 <= len(errors) < 25
    assert all(0.56 < error < 0.592 for error in errors[4:])
