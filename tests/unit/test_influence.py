"""What is left of the past: singular values of d u(t)/d u(t0) against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.dynamics.influence import influence
from brnn.models.parts.store import ends_of


def test_a_linear_field_keeps_differences_for_ever() -> None:
    """f(w) = w: x_i(t) = X_i x(t) with the logistic total; ratios stay, the total forgets where it began."""
    A, B, x0 = 0.5, 2.0, np.array([0.1, 0.3, 0.2])
    net = models.rcf.build(A=A, B=B, signal=brnn.Linear(), initial=x0)
    times = np.array([0.5, 2.0, 10.0])
    found = influence(net, times)
    r, S, K = B - A, x0.sum(), B - A  # dx/dt = x (r - x)
    for t, values in zip(times, found, strict=True):
        grown = np.exp(r * t)
        total = K * S * grown / (K + S * (grown - 1.0))
        by_total = K * K * grown / (K + S * (grown - 1.0)) ** 2
        X = x0 / S
        expected = (np.eye(3) - X[:, None]) * (total / S) + X[:, None] * by_total
        np.testing.assert_allclose(values, np.linalg.svd(expected, compute_uv=False), rtol=0.0, atol=1e-6)
    assert found[-1, 1] == pytest.approx(K / S, rel=1e-6)  # it does not vanish


def test_a_passive_layer_forgets_exponentially_through_every_change_of_input() -> None:
    layer = brnn.Layer.additive("x", 2, A=0.7)
    net = brnn.Network("p", [layer], stimuli=[brnn.Stimulus("x", "excitatory", 1.0, brnn.Pulse(0.1, 1.0))], duration=4)
    found = influence(net, [1.0, 4.0], since=0.25)
    np.testing.assert_allclose(found, np.exp(-0.7 * np.array([[0.75], [3.75]])) * np.ones(2), rtol=1e-8)


def test_store_divides_what_it_holds_and_keeps_its_ratios() -> None:
    """By the recursion: y_i -> y_i/sqrt(A + S), S = sum of y; its derivative between the ends of two gaps."""
    net = models.store.build(n=4, A=0.3)
    ends = ends_of(net)
    y = np.asarray(brnn.simulate(net, times=ends)["trace.x"])
    found = influence(net, ends[1:], since=ends[0], layers=("trace",))

    def after(values: np.ndarray, steps: int) -> np.ndarray:
        for j in range(1, steps + 1):
            total = np.sqrt(0.3 + values.sum())
            values = values / total
            values[j] = values[j] + 0.3 / total
        return values

    for steps in (1, 2, 3):
        columns = [after(y[0] + 1e-30j * unit, steps).imag * 1e30 for unit in np.eye(4)]
        expected = np.linalg.svd(np.array(columns).T, compute_uv=False)
        np.testing.assert_allclose(found[steps - 1], expected, rtol=2e-5, atol=2e-6)


def test_what_has_no_influence_in_this_sense_is_said() -> None:
    field = models.rcf.build(n=3)
    for call, said in (
        (lambda: influence(models.elman.build(), [1.0]), "continuous time"),
        (lambda: influence(field, [1.0, 0.5]), "must rise"),
        (lambda: influence(field, [1.0], since=2.0), "after since = 2"),
        (lambda: influence(models.rcf.build(n=101), [1.0]), "at most 100"),
        (lambda: influence(field, [1.0], layers=("F9",)), "F9"),
    ):
        with pytest.raises((brnn.InputError, brnn.SpecError), match=said):
            call()
