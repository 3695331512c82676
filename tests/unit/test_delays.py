"""Delays: Hopf points, folds and growth rates of networks whose signals arrive late, beside closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.base.delay_roots import characteristic_roots
from brnn.cli.commands.continuation import points_as_data, points_in_words
from brnn.compiler import compile_network
from brnn.integrate.timetable import Timetable
from brnn.theory import delays


def cells(n: int, signal: brnn.Signal, strengths: Any, delay: float, kind: str = "inhibitory", **more: Any) -> Any:
    topology = brnn.Dense(np.asarray(strengths, dtype=float))
    link = brnn.Projection("x", "x", kind, signal, topology, delay=delay)
    return brnn.Network("late", [brnn.Layer.additive("x", n, 1.0, initial=0.1)], [link], **more)


def one(delay: float = 1.0, C: float = 2.0) -> brnn.Network:
    return cells(1, brnn.Function("c*tanh(w)", c=C), [[1.0]], delay)


def ring(delay: float = 0.5, C: float = 1.8) -> brnn.Network:
    return cells(3, brnn.Function("c*tanh(w)", c=C), np.roll(np.eye(3), 1, axis=0), delay)


def test_the_hopf_point_of_one_cell_that_inhibits_itself_late() -> None:
    """x' = -x - 2 tanh(x(t - tau)): omega = sqrt 3, tau = arccos(-1/2)/sqrt 3."""
    tau = 2.0 * math.pi / 3.0 / math.sqrt(3.0)
    diagram = brnn.bifurcation_diagram(one, {"delay": (0.5, 2.0)})
    (at,) = np.flatnonzero(diagram.special == "Hopf point")
    assert float(diagram.delay[at]) == pytest.approx(tau, rel=1e-9)
    assert f"delay = {tau:.9g}: those of networks with delays are not followed" in diagram.not_followed
    assert points_in_words(diagram).endswith(f"not followed: {diagram.not_followed}")
    assert points_as_data(diagram)["not_followed"] == diagram.not_followed
    assert float(diagram.frequency[at]) == pytest.approx(math.sqrt(3.0), rel=1e-9)
    assert diagram.stable.values[:at].all()
    assert not diagram.stable.values[at + 1 :].any()
    found = delays.hopf(1.0, [[-2.0]])
    assert found is not None
    assert (found.delay, found.frequency) == pytest.approx((tau, math.sqrt(3.0)), rel=1e-14)
    assert delays.hopf(1.0, [[-0.9]]) is None


def test_a_hopf_point_along_strength_and_delay() -> None:
    """tau = arccos(-1/C)/sqrt(C^2 - 1) all along the curve."""
    curve = brnn.bifurcation_curve(one, {"delay": (0.5, 2.5), "C": (2.0, 3.0)}, kind="Hopf point", longest=0.1)
    C = curve.C.values
    assert C.max() - C.min() > 0.5
    np.testing.assert_allclose(curve.delay, np.arccos(-1.0 / C) / np.sqrt(C**2 - 1.0), rtol=1e-7)


def test_the_hopf_point_of_a_ring() -> None:
    """Each cell inhibits the next: mu = -1.8 exp(2 pi i k/3), of which 1.8 exp(i pi/3) needs the least delay."""
    omega = math.sqrt(1.8**2 - 1.0)
    tau = (math.pi / 3.0 - math.atan(omega)) / omega
    found = delays.hopf(1.0, -1.8 * np.roll(np.eye(3), 1, axis=0))
    assert found is not None
    assert (found.delay, found.frequency) == pytest.approx((tau, omega), rel=1e-12)
    diagram = brnn.bifurcation_diagram(ring, {"delay": (0.02, 0.5)}, initial=0.0)
    hopf = diagram.delay.values[diagram.special.values == "Hopf point"]
    assert hopf == pytest.approx([tau], rel=1e-9)


def test_folds_are_where_they_are_without_delays() -> None:
    """x' = -x + 2 tanh(x(t - 1)) + I: 1 = 2 (1 - tanh^2 x), I = x - 2 tanh x."""

    def build(I: float = 1.0) -> brnn.Network:
        stimulus = brnn.Stimulus("x", "excitatory", I)
        return cells(1, brnn.Function("2*tanh(w)"), [[1.0]], 1.0, "excitatory", stimuli=[stimulus])

    x = math.atanh(math.sqrt(0.5))
    diagram = brnn.bifurcation_diagram(build, {"I": (1.0, -1.0)}, initial=2.5)
    folds = diagram.I.values[diagram.special.values == "fold"]
    np.testing.assert_allclose(np.sort(folds), [x - 2 * math.tanh(x), 2 * math.tanh(x) - x], rtol=1e-9)


@pytest.mark.parametrize(("A", "mu", "delay"), [(1.0, -2.0, 1.5), (0.3, -1.0, 4.0), (2.0, 1.0, 1.0), (1.0, 3.0, 0.5)])
def test_rightmost_roots_are_those_of_lambert(A: float, mu: float, delay: float) -> None:
    roots = characteristic_roots(np.array([[-A]]), {delay: np.array([[mu]])})
    np.testing.assert_allclose(roots[:6] + A, mu * np.exp(-roots[:6] * delay), rtol=1e-10)
    assert roots[0].real == pytest.approx(delays.growth_rates(A, mu, delay)[0].real, rel=1e-11)
    assert (np.diff(roots.real) <= 1e-12).all()


def test_predictions_of_linear_networks_with_delays() -> None:
    """x' = -x - 2 x(t - tau) + 3 settles at 1 below tau = 1.2092, and does not above it."""
    for delay, settles in ((0.8, True), (1.4, False)):
        network = cells(
            1, brnn.Linear(2.0), [[1.0]], delay, stimuli=[brnn.Stimulus("x", "excitatory", 3.0)], duration=120.0
        )
        found = brnn.theory.predict(network)
        (stability,) = found.of("stability")
        assert stability.details["settles"] is settles
        assert stability.details["Hopf point"].delay == pytest.approx(1.2091995761561452, rel=1e-13)
        assert stability.value == pytest.approx(delays.growth_rates(1.0, -2.0, delay)[0].real, rel=1e-12)
        rests = found.of("x.x")
        assert bool(rests) is settles
        if rests:
            run = brnn.simulate(network)
            assert rests[0].compare(run).passed
            assert rests[0].value == pytest.approx([1.0])
    assert "no delay changes that" in str(brnn.theory.predict(cells(1, brnn.Linear(0.5), [[1.0]], 5.0)))


def test_equilibria_are_stable_with_their_delays() -> None:
    """Without the delay 0 would be a stable node of x' = -x - 2 tanh(x(t - 2))."""
    for delay, kind in ((0.5, "stable focus"), (2.0, "unstable (2 growing)")):
        found = brnn.equilibria(one(delay), starts=4)
        assert found.kinds == (kind,)
        assert found[0].growth_rate == pytest.approx(delays.growth_rates(1.0, -2.0, delay)[0].real, rel=1e-9)


def test_pieces_that_are_left_end_at_given_times_and_where_delays_bring_back_the_beginning() -> None:
    """Events at 1 and 2, the end at 5, and the jump at 0 comes back at 0.3, 0.6, ... 1.5."""
    nudge = brnn.Event("nudge", brnn.AtTimes([1.0, 2.0]), brnn.StopRun())
    timetable = Timetable(compile_network(one(0.3).replace(events=[nudge])), 5.0)
    assert timetable.pieces == 3 + 5
    timetable.reach(0.6)
    assert timetable.pieces == 3 + 3


def test_wrong_values() -> None:
    with pytest.raises(brnn.InputError, match="delay = -1"):
        delays.growth_rates(1.0, -2.0, -1.0)
