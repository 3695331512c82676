"""Exact derivatives of right-hand sides, beside Jacobians written by hand and complex steps."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.compiler.linear_rates import linear_rates

EPS = np.finfo(float).eps


def test_a_field_has_the_jacobian_written_by_hand() -> None:
    """Of 4 cells, at activities above 0 and at 0, where it is that towards activities above 0."""
    A, B, half = 0.9, 2.0, 0.4
    network = brnn.models.rcf.build(n=4, A=A, B=B, signal=brnn.Sigmoid(half=half), pattern=0.0)
    system = compile_network(network)
    for x in (np.array([0.7, 0.0, 0.2, 1.3]), np.zeros(4)):
        f, slope = x**2 / (half**2 + x**2), 2.0 * half**2 * x / (half**2 + x**2) ** 2
        J = -x[:, None] * slope[None, :]
        np.fill_diagonal(J, -A - f.sum() + (B - x) * slope)
        assert system.jacobian(0.0, x) == pytest.approx(J, rel=8.0 * EPS, abs=8.0 * EPS)


def test_gates_and_weights_are_among_the_unknowns() -> None:
    """dx1 = -A x1 + I,  dx2 = -A x2 + (B - x2) w S y z,  dy = H (K - y) - L S y,  dz = M S (x2 - z),  S = x1^2."""
    A, B, w, H, K, L, M = 0.7, 1.5, 0.8, 0.3, 1.2, 2.0, 0.4
    link = brnn.Projection(
        "a", "b", "excitatory", brnn.Power(), brnn.AllToAll(w), brnn.HabituativeGate(H, K, L), brnn.Outstar(rate=M)
    )
    network = brnn.Network(
        "gated",
        [brnn.Layer.additive("a", 1, A), brnn.Layer.shunting("b", 1, A, B)],
        [link],
        [brnn.Stimulus("a", "excitatory", 0.3)],
    )
    x1, x2, y, z = u = np.array([0.6, 0.4, 0.9, 0.25])
    S, dS = x1**2, 2.0 * x1
    assert compile_network(network).f(0.0, u)[1] == pytest.approx(-A * x2 + (B - x2) * w * S * y * z, rel=1e-14)
    J = [
        [-A, 0.0, 0.0, 0.0],
        [(B - x2) * w * dS * y * z, -A - w * S * y * z, (B - x2) * w * S * z, (B - x2) * w * S * y],
        [-L * dS * y, 0.0, -H - L * S, 0.0],
        [M * dS * (x2 - z), M * S, 0.0, -M * S],
    ]
    assert compile_network(network).jacobian(0.0, u) == pytest.approx(np.array(J), rel=8.0 * EPS, abs=4.0 * EPS)


FORMULAS = {  # analytic, so that a complex step of them in NumPy is exact
    "exp(-w) * sin(3*w) + cos(w)**2": lambda w: np.exp(-w) * np.sin(3 * w) + np.cos(w) ** 2,
    "sqrt(1 + w**2) - log(2 + w)/(1 + w**3)": lambda w: np.sqrt(1 + w**2) - np.log(2 + w) / (1 + w**3),
    "tanh(2*w - 1) + 2**w - w**1.7": lambda w: np.tanh(2 * w - 1) + 2**w - w**1.7,
}


def test_formulas_have_the_derivative_of_a_complex_step() -> None:
    formulas = list(FORMULAS)
    links = [
        brnn.Projection(f"s{k}", "x", "excitatory", brnn.Function(text), brnn.AllToAll(1.0))
        for k, text in enumerate(formulas)
    ]
    layers = [brnn.Layer.additive("x", 1, 1.0), *(brnn.Layer.additive(f"s{k}", 1, 1.0) for k in range(len(formulas)))]
    system = compile_network(brnn.Network("formulas", layers, links))
    w = 0.37
    row = system.jacobian(0.0, np.full(system.size, w))[0]
    for k, text in enumerate(formulas):
        assert row[k + 1] == pytest.approx(FORMULAS[text](w + 1e-30j).imag / 1e-30, rel=1e-14)


def test_corners_have_the_slope_towards_larger_values() -> None:
    """A threshold, a ceiling, |w| and the cut of a rate, each at its corner; an infinite slope that nothing meets."""
    signals = [
        (brnn.ThresholdLinear(gain=3.0, threshold=0.5), 0.5, 3.0),
        (brnn.ThresholdLinear(gain=3.0, threshold=0.0, ceiling=0.5), 0.5, 0.0),
        (brnn.Function("abs(w - 0.5)"), 0.5, 1.0),
        (brnn.Saturating(gain=2.0, half=0.5), 0.0, 4.0),
        (brnn.Step(threshold=0.5), 0.5, 0.0),
    ]
    layers = [brnn.Layer.additive("x", 1, 1.0), *(brnn.Layer.additive(f"s{k}", 1, 1.0) for k in range(len(signals)))]
    links = [
        brnn.Projection(f"s{k}", "x", "excitatory", signal, brnn.AllToAll(1.0))
        for k, (signal, _, _) in enumerate(signals)
    ]
    system = compile_network(brnn.Network("corners", layers, links))
    row = system.jacobian(0.0, np.array([0.0, *(w for _, w, _ in signals)]))[0]
    assert row[1:] == pytest.approx([slope for _, _, slope in signals], rel=1e-14)


def test_delayed_activities_change_by_themselves() -> None:
    """dx/dt = -A x - f(x(t - 2)): the present and the past have each their derivative; of a past like it, the sum."""
    link = brnn.Projection("x", "x", "inhibitory", brnn.Function("tanh(w)"), brnn.AllToAll(1.0), delay=2.0)
    network = brnn.Network("late", [brnn.Layer.additive("x", 1, 0.5)], [link])
    slope = -1.0 / np.cosh(0.3) ** 2
    now, past = linear_rates(network, 0.0).parts(0.0, np.array([0.3]))
    assert [now[0, 0], past[2.0][0, 0]] == pytest.approx([-0.5, slope], rel=1e-14)
    assert compile_network(network).jacobian(0.0, [0.3]) == pytest.approx(np.array([[-0.5 + slope]]), rel=1e-14)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sawtooth(brnn.Linear):
    """A signal with an operation of which no derivative is known."""

    @staticmethod
    def _kernel(w: Any, gain: float) -> Any:
        return gain * (w - w // 1.0)


def test_a_text_without_known_derivative_gets_differences() -> None:
    link = brnn.Projection("x", "x", "excitatory", Sawtooth(2.0), brnn.AllToAll(1.0))
    network = brnn.Network("saw", [brnn.Layer.additive("x", 1, 0.5)], [link, link.replace(delay=1.0, name="late")])
    rates = linear_rates(network, 0.0)
    assert not rates.exact
    assert compile_network(network).jacobian(0.0, [0.3]) == pytest.approx(np.array([[3.5]]), rel=1e-9)
    now, past = rates.parts(0.0, np.array([0.3]))
    assert [now[0, 0], past[1.0][0, 0]] == pytest.approx([1.5, 2.0], rel=1e-9)


def test_a_limit_at_0_that_a_formula_does_not_have() -> None:
    """The slope of exp(-1/w), exp(-1/w)/w**2, is 0 at w = 0."""
    link = brnn.Projection("x", "x", "excitatory", brnn.Expression("exp(-1/w)"), brnn.AllToAll(1.0))
    network = brnn.Network("late", [brnn.Layer.additive("x", 1, 0.5)], [link])
    assert compile_network(network).jacobian(0.0, [0.0]) == pytest.approx(np.array([[-0.5]]), abs=1e-12)


def test_all_laws_and_signals_of_the_models_have_derivatives() -> None:
    for module in pkgutil.iter_modules(brnn.models.__path__):
        build = getattr(importlib.import_module(f"brnn.models.{module.name}"), "build", None)
        if build is not None:
            assert linear_rates(build(), 0.0).exact, module.name


def test_each_model_has_the_jacobian_of_high_order_differences() -> None:
    """Of three with gates, weights, thresholds, matrices and kernels; the step's error is of order 6."""
    for network in (brnn.models.gated_dipole.build(), brnn.models.organics.build(), brnn.models.bam.build()):
        system = compile_network(network)
        u = system.initial_state() + np.random.default_rng(0).uniform(0.01, 0.3, system.size)
        J, D = system.jacobian(0.3, u), np.empty((system.size, system.size))
        for k, h in enumerate(2e-3 * np.maximum(np.abs(u), 0.05)):
            parts = np.zeros(system.size)
            for step, factor in ((1, 45.0), (2, -9.0), (3, 1.0)):
                v = u.copy()
                v[k] += step * h
                w = u.copy()
                w[k] -= step * h
                parts += factor * (system.f(0.3, v) - system.f(0.3, w))
            D[:, k] = parts / (60.0 * h)
        assert np.max(np.abs(J - D)) <= 1e-11 * np.max(np.abs(D))
