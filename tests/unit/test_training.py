"""Gradients by BPTT, RTRL and the complex step; initial values; training; what is left of the past."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.base.dual import partial_derivatives
from brnn.errors import InputError
from brnn.models.parts.runs import run
from brnn.sequences.gradients import bptt, influence, rtrl, squared_error
from brnn.sequences.initial import chrono, glorot, identity, orthogonal
from brnn.sequences.training import adam, clipped, train
from brnn.sequences.unrolled import Unrolled

RNG = np.random.default_rng(1990)
V = RNG.normal(size=(2, 3))
PEEPHOLES = RNG.normal(size=(3, 3))
CELLS: dict[str, brnn.Network] = {
    "elman": models.elman.build(n=3, V=V, b=RNG.normal(size=3), initial=0.3),
    "relu": models.elman.build(n=3, V=V, b=RNG.normal(size=3), activation="relu", initial=0.3),
    "jordan": models.jordan.build(n=3, V=V, output="sigmoid", initial=0.2),
    "lstm": models.lstm.build(n=3, V=V, peepholes=PEEPHOLES, initial=0.1, memory=0.5),
    "coupled": models.lstm.build(n=3, V=V, forget="coupled"),
    "after": models.gru.build(n=3, V=V, d=0.4, initial=0.2),
    "before": models.gru.build(n=3, V=V, reset="before", gate="renew"),
    "none": models.gru.build(n=3, V=V, reset="none"),
    "mingru": models.mingru.build(n=3, V=V),
}
X = RNG.normal(size=(2, 5, 2))
LOSS = squared_error(RNG.normal(size=(2, 5, 2)))


@pytest.mark.parametrize("name", CELLS)
def test_bptt_rtrl_and_the_complex_step_agree(name: str) -> None:
    unrolled = Unrolled(CELLS[name])
    parameters = {key: value + 0.1 * RNG.normal(size=value.shape) for key, value in unrolled.parameters.items()}
    value, backward = bptt(unrolled, X, LOSS, "y", parameters)
    other, forward = rtrl(unrolled, X, LOSS, "y", parameters)
    assert value == other
    largest = max(np.abs(part).max() for part in backward.values())
    states = unrolled.states(X, "y", parameters)
    assert abs(LOSS(states)[0] - value) < 1e-15
    by_states = LOSS(states)[1]
    for key in parameters:
        assert np.abs(backward[key] - forward[key]).max() <= 1e-12 * largest
        for at in [tuple(RNG.integers(0, k) for k in parameters[key].shape) for _ in range(3)]:
            moved = {**parameters, key: parameters[key].astype(complex)}
            moved[key][at] += 1e-30j
            slope = (by_states * unrolled.states(X, "y", moved).imag).sum() * 1e30
            assert abs(slope - backward[key][at]) <= 1e-10 * largest, (key, at)


@pytest.mark.parametrize("name", CELLS)
def test_what_is_unrolled_is_what_runs(name: str) -> None:
    network = CELLS[name]
    shown = np.asarray(network.stimuli[0].schedule.items)
    for layer in ("h", "y"):
        found = Unrolled(network).states(shown, layer)[0]
        np.testing.assert_allclose(found, run(network)[f"{layer}.x"].values[1:], rtol=0.0, atol=1e-14)


def test_derivatives_of_scalar_functions() -> None:
    x, y = np.array([0.3, -1.2, 2.0]), np.array([0.7, 0.1, -0.4])

    def function(a: Any, b: Any) -> Any:
        return np.tanh(a) * np.exp(-b) / (1.0 + a * a) - np.sqrt(np.maximum(b, 0.5)) + 2.0 * (a > 0.0)

    values, (by_x, by_y) = partial_derivatives(function, [x, y])
    t, q = np.tanh(x), 1.0 + x * x
    np.testing.assert_allclose(values, function(x, y), rtol=1e-15)
    np.testing.assert_allclose(by_x, np.exp(-y) * ((1.0 - t * t) / q - 2.0 * x * t / q**2), rtol=1e-14)
    shut = partial_derivatives(lambda w: 3.0 * w + 0.0 / (1.0 + np.exp(-w)), [np.array([-2000.0, 2000.0])])
    assert shut[1].tolist() == [[3.0, 3.0]]
    half = np.where(y > 0.5, 0.5 / np.sqrt(np.maximum(y, 0.5)), 0.0)
    np.testing.assert_allclose(by_y, -t * np.exp(-y) / q - half, rtol=1e-14)


def test_initial_values() -> None:
    W = glorot(300, 200, 1)
    assert np.abs(W).max() <= np.sqrt(6 / 500)
    assert abs(W.var() - 2 / 500) < 1e-4
    for rows, columns in ((4, 4), (6, 3), (3, 6)):
        Q = orthogonal(rows, columns, 2)
        gram = Q.T @ Q if rows >= columns else Q @ Q.T
        np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-14)
    assert np.array_equal(identity(3, 0.5), 0.5 * np.eye(3))
    forget, into = chrono(1000, 50.0, 3)
    assert np.array_equal(into, -forget)
    assert 1.0 <= np.exp(forget).min() and np.exp(forget).max() <= 49.0  # noqa: PT018
    with pytest.raises(InputError, match="longest = 2: must be > 2"):
        chrono(3, 2.0, 1)


def test_gradients_vanish_and_explode_within_their_bound() -> None:
    """Elman: at most (max|phi'| |U|)^t; linear orthogonal cells keep all, as an LSTM without forgetting does."""
    x = 0.3 * RNG.normal(size=(30, 2))
    times = np.arange(1, 31)
    for factor in (0.7, 1.0, 1.5):
        found = influence(Unrolled(models.elman.build(U=factor * orthogonal(4, 4, 1))), x)[:, 0]
        assert np.all(found <= factor**times * (1.0 + 1e-12))
        linear = influence(Unrolled(models.elman.build(U=factor * orthogonal(4, 4, 1), activation="linear")), x)
        np.testing.assert_allclose(linear, np.repeat(factor ** times[:, None], 4, axis=1), rtol=1e-12)
    kept = models.lstm.build(W=np.zeros((6, 2)), U=np.zeros((6, 2)), order="igo", forget="none")
    np.testing.assert_allclose(influence(Unrolled(kept), x, ("c",)), 1.0, rtol=1e-14)
    faded = models.mingru.build(W=np.zeros((4, 2)), b=[1.0, 1.0, 0.0, 0.0])
    kept_each = 1.0 / (1.0 + np.e)
    np.testing.assert_allclose(influence(Unrolled(faded), x)[:, 0], kept_each**times, rtol=1e-11)


@pytest.mark.parametrize(("method", "options"), [("L-BFGS-B", {}), ("adam", {"rate": 0.02, "clip": 1.0})])
def test_a_linear_teacher_is_found(method: str, options: dict[str, Any]) -> None:
    """Sequences that a known linear network answers: the loss goes to 0 by four orders, and the run shows it."""
    teacher = models.elman.build(n=2, U=[[0.5, 0.2], [-0.3, 0.4]], V=np.eye(2), activation="linear")
    x = RNG.normal(size=(8, 6, 2))
    targets = Unrolled(teacher).states(x, "y")
    pupil = models.elman.build(n=2, U=np.zeros((2, 2)), W=0.1 * np.eye(2), V=np.eye(2), activation="linear")
    found = train(pupil, x, squared_error(targets), free=("W_h", "U_h"), method=method, steps=250, **options)
    assert found.losses[-1] < 1e-4 * found.losses[0]
    np.testing.assert_allclose(Unrolled(found.network).states(x, "y"), targets, atol=0.05)
    assert np.array_equal(found.network.projections[-1].topology.matrix, np.eye(2))  # V was not free


def test_what_cannot_be_trained_is_said() -> None:
    with pytest.raises(InputError, match="is in continuous time"):
        Unrolled(models.rcf.build())
    with pytest.raises(InputError, match=r"must be \(sequences, steps, 2 inputs\)"):
        Unrolled(CELLS["elman"]).checked(np.ones((2, 3, 4)))
    with pytest.raises(InputError, match="no parameter 'W_hh'.*did you mean 'W_h'"):
        train(CELLS["elman"], X, LOSS, free=("W_hh",))
    with pytest.raises(InputError, match="rate: only adam takes it"):
        train(CELLS["elman"], X, LOSS, rate=1.0)
    with pytest.raises(InputError, match="targets: have shape"):
        bptt(Unrolled(CELLS["elman"]), X, squared_error(np.ones((1, 5, 2))), "y")
    with pytest.raises(brnn.SpecError, match="must be finite"):
        Unrolled(CELLS["elman"]).checked(np.full((1, 3, 2), np.nan))
    with pytest.raises(InputError, match="not finite after 0 steps"):
        adam(lambda x: (np.inf, x), np.ones(2), 3)


def test_gradients_are_clipped_to_a_length() -> None:
    np.testing.assert_allclose(clipped(np.array([3.0, 4.0]), 1.0), [0.6, 0.8], rtol=1e-15)
    assert clipped(np.array([0.3, 0.4]), 1.0).tolist() == [0.3, 0.4]


def test_adam_moves_by_its_rate_against_a_constant_gradient() -> None:
    """Kingma and Ba (2015), section 2.1: with the corrections of both means each step is rate g/|g|."""
    g = np.array([3.0, -0.01])
    x, losses = adam(lambda x: (float(g @ x), g), np.zeros(2), 5, rate=0.1)
    np.testing.assert_allclose(x, [-0.5, 0.5], rtol=1e-5)
    assert len(losses) == 6
