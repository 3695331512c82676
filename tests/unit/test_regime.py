"""What becomes of fields whose cells differ and whose inputs stay on, against closed forms worked out here."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.theory import predict
from brnn.theory.regime import field_regime


def test_the_fittest_excludes_the_others() -> None:
    """f = 2 w: B_i C - A_i is 3, 5, 4: the second cell alone, at 5/2."""
    found = field_regime([1.0, 1.0, 2.0], [2.0, 3.0, 3.0], brnn.Linear(2.0), [0.9, 0.1, 0.5])
    assert found.kind == "excluded"
    np.testing.assert_allclose(found.final, [0.0, 2.5, 0.0], rtol=1e-14)
    assert found.rate == pytest.approx(-1.0, rel=1e-9)  # the third cell dies out at 5 - 4


def test_a_driven_linear_field() -> None:
    """f = w, A = 1, B = 3, I = (1, 2): B I_i/x_i = A + I_i + s - B, with s = x_1 + x_2."""
    found = field_regime(1.0, 3.0, brnn.Linear(), [0.0, 0.0], [1.0, 2.0])
    x, s = found.final, found.final.sum()
    np.testing.assert_allclose(3.0 * np.array([1.0, 2.0]) / x, np.array([1.0, 2.0]) + 1.0 + s - 3.0, rtol=1e-12)
    assert found.kind == "driven"


def test_slower_than_linear_signals_and_cells_that_differ() -> None:
    """f = w/(1/4 + w): B_i/(1/4 + x_i) - A_i = s; the third cell is too weak: B h(0) - A = 1.2 - 1 < s."""
    A, B = np.array([1.0, 0.5, 1.0]), np.array([3.0, 2.0, 0.3])
    found = field_regime(A, B, brnn.Saturating(half=0.25), [0.1, 0.1, 0.1])
    s = np.sum(found.final / (0.25 + found.final))
    np.testing.assert_allclose(B[:2] / (0.25 + found.final[:2]) - A[:2], s, rtol=1e-10)
    assert found.final[2] == 0.0


def test_marginal_states_are_said_to_be_so() -> None:
    """f = w, B = A: x' = -x^2 in one cell, x = x0/(1 + x0 t)."""
    found = field_regime(1.0, 1.0, brnn.Linear(), [0.5])
    assert found.marginal
    assert "power of 1/t" in found.words
    assert not field_regime(1.0, 3.0, brnn.Linear(), [0.5]).marginal


def test_a_weaker_cell_may_stay_beside_equal_ones() -> None:
    """f = 0 to 0.2, then w - 0.2 up to 0.8 from w = 1 on: rise and fall of h; the state solves (21) by itself."""
    signal = brnn.ThresholdLinear(2.0, 0.1, 0.5)
    found = field_regime(0.5, 3.0, signal, [0.8, 0.5, 0.2])
    for x in found.states:
        f = 2.0 * np.clip(x - 0.1, 0.0, 0.5)
        np.testing.assert_allclose(-0.5 * x + (3.0 - x) * f - x * (f.sum() - f), 0.0, atol=1e-9)
    assert len(found.states) > 1


@pytest.mark.parametrize("seed", range(3))
def test_predicted_and_simulated(seed: int) -> None:
    """Fields of the script regime_prediction.py, which runs 1,000 of them."""
    random = np.random.default_rng(seed)
    A, B, I = random.uniform(0.5, 2.0, 4), random.uniform(1.0, 4.0, 4), random.uniform(0.0, 0.5, 4)
    layer = brnn.Layer.shunting("F", 4, A=A, B=B, initial=random.uniform(0.0, 1.0, 4))
    f = brnn.Saturating(gain=random.uniform(0.5, 3.0), half=0.3)
    links = [brnn.Projection("F", "F", "excitatory", f), brnn.Projection("F", "F", "inhibitory", f, brnn.AllButSelf())]
    network = brnn.Network("field", [layer], links, [brnn.Stimulus("F", pattern=I)], duration=60.0)
    (found,) = predict(network).of("state of rest")
    assert found.compare(brnn.simulate(network, rtol=1e-9)).passed
    assert any(row.label.startswith("state of rest") for row in brnn.simulate(network).compare())


def test_a_field_that_still_creeps_towards_one_of_several_states_is_not_at_rest() -> None:
    """Two equal cells with f = 1 stay at 3/2.5; at t = 6 they still move, by less than the tolerance asks."""
    signal = brnn.ThresholdLinear(2.0, 0.1, 0.5)
    network = models.rcf.build(A=0.5, B=3.0, signal=signal, pattern=0.0, on=np.inf, initial=[0.8, 0.5, 0.2])
    (found,) = predict(network).of("distance to what can be stored")
    assert any(np.allclose(state, [1.2, 1.2, 0.0]) for state in found.details["states"])
    early, late = (brnn.simulate(network, end, times=np.linspace(0.0, end, 41), rtol=1e-9) for end in (6.0, 12.0))
    with pytest.raises(brnn.InputError, match="not at rest before t = 6"):
        found.measure(early)
    assert found.compare(late).passed


def test_near_misses_are_told_with_their_size() -> None:
    (why,) = (u.hypothesis for u in predict(models.rcf.build(inhibition=0.9)).unmet if "comes to rest" in u.theorem)
    assert "the inhibition has 0.9: -0.1" in why


def test_wrong_values() -> None:
    with pytest.raises(brnn.InputError, match="A and B must be > 0"):
        field_regime([1.0, -1.0], 2.0, brnn.Linear(), [0.1, 0.1])
    with pytest.raises(brnn.InputError, match="between 0 and B"):
        field_regime(1.0, 2.0, brnn.Linear(), [0.1, 2.1])


@pytest.mark.parametrize(
    "signal", [brnn.Step(1.0, 0.1), brnn.Expression("c*w**2/(d + w**2)", c=1.0, d=0.1), brnn.Sigmoid(1.0, 0.3, 1.6)]
)
def test_states_that_are_listed_are_at_rest(signal: brnn.Signal) -> None:
    """Pairs of levels are looked for up to the very top of the hill, and across jumps, where there is none."""
    random = np.random.default_rng(2026)
    for _ in range(12):
        A, B, start = random.uniform(0.5, 2.0), random.uniform(1.0, 4.0), random.uniform(0.0, 1.0, 5)
        f = signal.replace(**{n: random.uniform(0.5, 3.0) for n in ("gain", "c") if n in str(signal)})
        for x in field_regime(A, B, f, start).states:
            s = f(x)
            np.testing.assert_allclose(-A * x + (B - x) * s - x * (s.sum() - s), 0.0, atol=1e-7)
