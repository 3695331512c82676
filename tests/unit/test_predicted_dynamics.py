"""What is predicted of cycles, equilibria and sums, against numbers from elsewhere, and which condition others miss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import fsolve

import brnn
from brnn import models
from tests.predicted import only, theorem


def test_a_ring_of_binary_cells_repeats_itself() -> None:
    """Three cells that copy the one before, one of them on: 3 steps; a cell that denies itself: 2; two friends: 1."""
    ring = brnn.Network(
        "ring",
        [brnn.BinaryLayer("c", 3, threshold=0.5, levels="unipolar", initial=[1.0, 0.0, 0.0])],
        [brnn.Projection("c", "c", topology=brnn.Dense([[0, 0, 1], [1, 0, 0], [0, 1, 0]]))],
        duration=9.0,
    )
    found = only(ring, "steps of the cycle")
    assert (found.value, found.details["from"]) == (3, 0)
    assert found.compare(brnn.simulate(ring)).passed
    assert not found.compare(brnn.simulate(ring, initial=[1.0, 1.0, 1.0])).passed
    doubt = ring.replace(projections=[brnn.Projection("c", "c", "inhibitory", topology=brnn.OneToOne(2.0))],
                         layers=[ring.layers[0].replace(threshold=-1.0)])  # fmt: skip
    assert only(doubt, "steps of the cycle").value == 2
    assert all(row.passed for row in brnn.simulate(doubt).compare())
    assert only(doubt, "E of pairs of states").kind == "monotone"


def test_a_box_falls_if_no_eigenvalue_is_too_low() -> None:
    """M = [[0, m], [m, 0]] has the eigenvalues m and -m."""
    network = models.brain_state_in_a_box.build(W=[[0.0, 1.9], [1.9, 0.0]], alpha=1.0, initial=[0.2, -0.1])
    found = only(network, "energy")
    assert found.details["lowest eigenvalue"] == pytest.approx(-1.9)
    result = brnn.simulate(network)
    assert found.compare(result).passed
    assert not only(network.replace(projections=[
        p.replace(topology=brnn.Dense([[0.0, -1.9], [-1.9, 0.0]])) for p in network.projections]), "energy"
    ).compare(result).passed  # fmt: skip
    strong = models.brain_state_in_a_box.build(W=[[0.0, 2.1], [2.1, 0.0]], alpha=1.0, initial=[0.2, -0.1])
    assert "its lowest is -2.1" in theorem(strong, "a brain-state-in-a-box")


def test_every_equilibrium_of_two_cells() -> None:
    """Wilson and Cowan's E and I: SciPy's root of the published equations, and slow inhibition's closed form."""
    from brnn.theory import slow_inhibition

    network = models.wilson_cowan.build()
    found = only(network, "stable equilibria")
    assert found.value == 0

    def S(w: float, a: float, theta: float) -> float:
        return 1.0 / (1.0 + np.exp(-a * (w - theta))) - 1.0 / (1.0 + np.exp(a * theta))

    def rates(u: np.ndarray) -> list[float]:
        E, I = u
        return [-E + (1 - E) * S(16 * E - 12 * I + 1.25, 1.3, 4.0), -I + (1 - I) * S(15 * E - 3 * I, 2.0, 3.7)]

    names = [layer.name for layer in network.layers]
    expected = fsolve(rates, [0.2, 0.1], xtol=1e-13)
    (state,) = found.details["states"]
    np.testing.assert_allclose(state[[names.index("E"), names.index("I")]], expected, atol=1e-9)
    assert not found.compare(brnn.simulate(network.replace(stimuli=[]))).passed
    quiet = models.slow_inhibition.build(e=1.0).replace(duration=250.0)
    signal = next(p.signal for p in quiet.projections if p.name == "center")
    (x,) = slow_inhibition.equilibria(1.0, 1.0, 0.1, 8.0, signal)
    near = only(quiet, "distance to a stable equilibrium")
    np.testing.assert_allclose(near.details["states"][0], [x, x], rtol=1e-8)
    values = np.sort_complex(near.details["eigenvalues"][0])
    np.testing.assert_allclose(values, np.sort_complex(slow_inhibition.eigenvalues(x, 1.0, 1.0, 1.0, 0.1, 8.0, signal)))
    assert near.compare(brnn.simulate(quiet)).passed


def test_two_cells_that_exclude_each_other_have_three_equilibria() -> None:
    """x = 2 f(1 - y) ...: dx = -x + I - g(y), g = 4 w^2/(1 + w^2): (r, r) is a saddle, the other two mirror it."""
    links = [brnn.Projection("c", "c", "inhibitory", brnn.Sigmoid(gain=4.0, half=1.0), brnn.AllButSelf())]
    network = brnn.Network(
        "two", [brnn.Layer.additive("c", 2, A=1.0, initial=[0.1, 0.0])], links, [brnn.Stimulus("c", pattern=2.0)],
        duration=40.0,
    )  # fmt: skip
    found = only(network, "distance to a stable equilibrium")
    states = found.details["states"]
    assert len(states) == 3
    assert sum(np.max(values.real) < 0.0 for values in found.details["eigenvalues"]) == 2
    r = next(root.real for root in np.roots([1.0, 2.0, 1.0, -2.0]) if abs(root.imag) < 1e-12)  # r (1 + r^2) = 2 - 2 r^2
    for state in ([2.0, -1.2], [-1.2, 2.0], [r, r]):  # 2 - 4 4/(1 + 4) = -1.2
        assert np.abs(states - state).max(axis=1).min() < 1e-9
    assert found.compare(brnn.simulate(network)).passed
    even = brnn.simulate(network, initial=[0.1, 0.1]).compare()  # stays on the stable set of the saddle
    assert not [row for row in even if "equilibrium" in row.label]
    assert "it has 10" in theorem(models.rcf.build(), "all equilibria of a few cells")


def test_opposed_integrators_keep_their_sum() -> None:
    network = models.saccade_generator.build()
    found = only(network, "constant sums of tonic.x")
    np.testing.assert_allclose(np.abs(found.details["rows"]), [[1, 1, 0, 0], [0, 0, 1, 1]], atol=1e-12)
    np.testing.assert_allclose(found.value, [1.0, 1.0], rtol=1e-12)
    links = [p.replace(topology=brnn.Dense(1.01 * p.topology.matrix)) if p.target == "tonic" and p.kind == "inhibitory"
             else p for p in network.projections]  # fmt: skip
    assert not found.compare(brnn.simulate(network.replace(projections=links))).passed


def test_units_without_feedback() -> None:
    """minGRU with one cell: z = 1/(1 + e^-(w u)), h(n + 1) = (1 - z) h(n) + z v u: by hand for u = 1, 0."""
    network = models.mingru.build()
    found = only(network, "distance of h.x from its course")
    W = {p.name: p.topology.matrix for p in network.projections}
    z = 1.0 / (1.0 + np.exp(-W["W_z"][:, 0]))
    first = z * W["W_n"][:, 0]
    np.testing.assert_allclose(found.details["course"][[1, 3]], [first, first / 4.0], rtol=1e-12)
    assert found.compare(brnn.simulate(network)).passed
    other = [p.replace(topology=brnn.Dense(0.999 * p.topology.matrix)) for p in network.projections]
    assert not found.compare(brnn.simulate(network.replace(projections=other))).passed
    assert "no feedback (h -> h)" in theorem(models.elman.build(), "units of discrete time without feedback")


@pytest.mark.parametrize(("factor", "ends"), [(0.5, "come together"), (1.2, "which is not below 1")])
def test_steps_of_units_grow_no_faster_than_their_norm(factor: float, ends: str) -> None:
    """h = tanh(U h) with U a rotation times a factor, which is the radius; 1.2 U in the run breaks the bound of U."""
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    network = brnn.Network(
        "units",
        [brnn.UnitLayer("h", 2, initial=[0.01, 0.0])],
        [brnn.Projection("h", "h", topology=brnn.Dense(factor * turn))],
        duration=8.0,
    )
    found = only(network, "growth of steps beside its bound")
    assert found.details["spectral radius"] == pytest.approx(factor)
    assert ends in found.words
    assert found.compare(brnn.simulate(network)).passed
    more = [p.replace(topology=brnn.Dense(1.1 * factor * turn)) for p in network.projections]
    assert not found.compare(brnn.simulate(network.replace(projections=more))).passed


def test_units_that_stay_at_0_make_no_steps_to_compare() -> None:
    network = brnn.Network(
        "still",
        [brnn.UnitLayer("h", 2)],
        [brnn.Projection("h", "h", topology=brnn.Dense(np.array([[0.3, -0.4], [0.4, 0.3]])))],
        duration=8.0,
    )
    row = only(network, "growth of steps beside its bound").compare(brnn.simulate(network))
    assert row.passed
    assert row.measured == 0.0


def test_weights_of_instars_are_means_of_patterns() -> None:
    """One pattern x, a source of the rate 4: z stays on the triangle of z(0), 0 and x/4."""
    network = brnn.Network(
        "learns",
        [brnn.Layer.additive("source", 3, A=4.0), brnn.Layer.additive("category", 1, A=1.0)],
        [brnn.Projection("source", "category", topology=brnn.AllToAll(), name="filter",
                         learning=brnn.Instar(2.0, initial=[[0.1, 0.9, 0.2]]))],
        [brnn.Stimulus("source", pattern=[4.0, 2.0, 1.0])],
        duration=5.0,
    )  # fmt: skip
    found = only(network, "distance of filter.z from means of patterns")
    np.testing.assert_allclose(found.details["patterns"], [[0, 0, 0], [1.0, 0.5, 0.25]], atol=1e-12)
    result = brnn.simulate(network)
    z = np.ravel(result.final("filter.z"))
    (a, b), *_ = np.linalg.lstsq(np.array([[0.1, 0.9, 0.2], [1.0, 0.5, 0.25]]).T, z)
    assert np.array([[0.1, 0.9, 0.2], [1.0, 0.5, 0.25]]).T @ [a, b] == pytest.approx(z, abs=1e-6)
    assert found.compare(result).passed
    elsewhere = network.replace(stimuli=[brnn.Stimulus("source", pattern=[4.0, 2.2, 1.0])])
    assert not found.compare(brnn.simulate(elsewhere)).passed
    uneven = network.replace(layers=[network.layers[0].replace(A=[4.0, 4.0, 5.0]), network.layers[1]])
    assert "they differ by 1" in theorem(uneven, "instars that average patterns")


def test_the_course_of_cells_that_send_steps() -> None:
    """dx = 2 - x - 2 [y > 1], dy = 2 - y - 2 [x > 1], from (0, 1/2): y crosses 1 at log(3/2), when x is 2/3."""
    link = brnn.Projection("c", "c", "inhibitory", brnn.Step(threshold=1.0), brnn.AllButSelf(2.0))
    network = brnn.Network(
        "steps", [brnn.Layer.additive("c", 2, A=1.0, initial=[0.0, 0.5])], [link], [brnn.Stimulus("c", pattern=2.0)],
        duration=3.0,
    )  # fmt: skip
    found = only(network, "distance of c.x from its course")
    np.testing.assert_allclose(found.details["times"], [0.0, np.log(1.5)], rtol=1e-12)
    left = np.exp(-(3.0 - np.log(1.5)))
    np.testing.assert_allclose(found.details["end"], [2.0 / 3.0 * left, 2.0 - left], rtol=1e-12)
    assert found.compare(brnn.simulate(network, rtol=1e-9, atol=1e-12)).passed
    other = network.replace(projections=[link.replace(signal=brnn.Step(threshold=1.02))])
    assert not found.compare(brnn.simulate(other, rtol=1e-9, atol=1e-12)).passed
    chatter = network.replace(projections=[link.replace(topology=brnn.OneToOne(2.0))])
    assert "crossings that go through" in theorem(chatter, "additive cells that send steps")


@pytest.mark.parametrize(
    ("law", "low"),
    [
        (brnn.CompetitiveInstar(2.0, brnn.Power(), initial=0.1), 1.0),
        (brnn.LimitedSites(2.0, brnn.Power(), total=2.0, initial=0.1), 1.0),
    ],
)
def test_weights_that_compete_add_up(law: brnn.Learning, low: float) -> None:
    """Signals h = 1, 1/2 are fast: at rest 1, or z_i = h_i (T - S)/(H - h_i), which S solves: 10/7."""
    network = brnn.Network(
        "shares",
        [brnn.Layer.additive("source", 2, A=50.0), brnn.Layer.additive("cell", 1, A=1.0, initial=1.0)],
        [brnn.Projection("source", "cell", topology=brnn.AllToAll(), name="filter", learning=law)],
        [brnn.Stimulus("source", pattern=[50.0, 25.0])],
        duration=20.0,
    )
    found = only(network, "sums of filter.z")
    np.testing.assert_allclose(found.value[0], [0.2])
    result = brnn.simulate(network)
    S = float(np.sum(result.final("filter.z")))
    assert pytest.approx(1.0 if isinstance(law, brnn.CompetitiveInstar) else 10.0 / 7.0, abs=1e-3) == S
    assert low <= S + 1e-6
    assert found.compare(result).passed
    more = [p.replace(learning=brnn.Instar(2.0, initial=0.1)) for p in network.projections]
    unbound = brnn.simulate(network.replace(projections=more, stimuli=[brnn.Stimulus("source", pattern=200.0)]))
    assert not found.compare(unbound).passed
