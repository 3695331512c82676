"""From stage to stage in one loop: SciPy's steps of equations written by hand, and equal bits wherever a run is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import RK45

import brnn
from brnn.compiler import compile_network
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.onward import NO_STAGES, Stages
from brnn.integrate.steppers.pair_stepper import PairStepper

CELLS = 37
RATES = np.linspace(0.5, 1.5, CELLS)
STATE = np.random.default_rng(5).uniform(0.0, 0.6, CELLS)


def network(n: float = 2.0) -> brnn.Network:
    """Return a field with an input that swings and rates of its own."""
    swings = brnn.Stimulus("a", "excitatory", np.linspace(0.0, 0.4, CELLS), brnn.Sine(1 / 3))
    layer = brnn.Layer.shunting("a", CELLS, A=RATES, B=2.0, D=0.1, initial=STATE)
    links = [
        brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), name="own"),
        brnn.Projection("a", "a", "inhibitory", brnn.Power(1.0, n), brnn.AllButSelf(0.3), name="others"),
    ]
    return brnn.Network("onward", [layer], links, [swings])


def by_hand(t: float, x: np.ndarray) -> np.ndarray:
    """Return dx/dt of the network with squares."""
    w = np.maximum(x, 0.0)
    s = w**2
    I = np.linspace(0.0, 0.4, CELLS) * (1.0 + np.sin(2.0 * np.pi * t / 3.0))
    return -RATES * x + (2.0 - x) * (w + I) - (x + 0.1) * 0.3 * (s.sum() - s)


def stepper() -> PairStepper:
    system = compile_network(network())
    return PairStepper(Piece(system.rhs(0.25), 0.0, STATE, 4.0, 1e-5, 1e-8, system))


def test_its_steps_are_those_of_scipy_for_equations_written_by_hand() -> None:
    ours = stepper()
    assert ours._stages.of(ours._piece.fun.arguments[1]).size
    np.testing.assert_allclose(ours.f, by_hand(0.0, STATE), rtol=1e-13, atol=1e-15)
    for _ in range(12):
        t, x = ours.t, ours.y
        ours.step()
        theirs = RK45(by_hand, t, x, 4.0, first_step=ours.step_size, rtol=1e-2, atol=1.0)
        theirs.step()
        np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(ours.f, by_hand(ours.t, ours.y), rtol=1e-12, atol=1e-14)
        inside = t + 0.3 * (ours.t - t)
        np.testing.assert_allclose(ours.dense_output()(inside), theirs.dense_output()(inside), rtol=1e-12, atol=1e-15)
    assert ours.t > 0.5


def test_a_run_that_is_cut_goes_on_with_the_same_bits() -> None:
    """Wherever that is: loops that begin totals, and those that go on, add up some of them in another order."""
    whole, single, p = stepper(), stepper(), stepper()._piece
    whole.advance(np.empty(0), 0, 1000)
    resumed = []
    while single.status == "running":
        single.step()
        begun = PairStepper(Piece(p.fun, single.t, single.y, p.stop, p.rtol, p.atol, p.system))
        np.testing.assert_array_equal(begun.f, single.f)
        begun.h_abs, begun.remembered = single.h_abs, single.remembered
        resumed.append(begun)
    assert len(resumed) == whole.steps > 25
    for begun in resumed[5:25:5]:
        begun.advance(np.empty(0), 0, 1000)
        np.testing.assert_array_equal(begun.y, whole.y)


def test_prepared_runs_ask_again_when_an_exponent_changes() -> None:
    """The bits are those of the network with that number, whole or not, and of one that a driver runs."""
    prepared = brnn.prepare(network())
    for n in (2.0, 2.5, 2.0):
        found = prepared.final({"others.signal.exponent": n}, 2.0)
        driven = brnn.simulate(network(n), 2.0, times=[2.0], progress=lambda time: None)
        np.testing.assert_array_equal(found, driven.final("a.x").to_numpy())
    (course,) = prepared._courses.values()
    assert course is not None
    assert course._stages._table.size


def written(cells: int, *links: brnn.Projection, layers: int = 1) -> str | None:
    """Return the text for a network of a layer "a", and perhaps another one."""
    kinds = [brnn.Layer.shunting(name, cells, A=1.0, B=1.0) for name in "ab"[:layers]]
    system = compile_network(brnn.Network("other", kinds, links))
    return system.onward(np.array(system.program.numbers))


def link(kind: str, topology: brnn.Topology, signal: brnn.Signal | None = None, **more: Any) -> brnn.Projection:
    return brnn.Projection("a", "a", kind, signal or brnn.Linear(), topology, **more)


def test_it_is_made_for_eight_unknowns_of_one_kind_and_more_that_meet_in_totals() -> None:
    total = link("inhibitory", brnn.AllButSelf(0.1))
    assert written(8, total) is not None
    assert written(8) is not None  # whose cells do not meet
    assert written(7, total) is None
    for sums, there in ((32, True), (33, False)):
        links = [link("inhibitory", brnn.AllButSelf(0.1), brnn.Linear(1.0 + k), name=f"p{k}") for k in range(sums)]
        assert (written(8, *links) is not None) == there
    assert written(8, total, layers=2) is None
    assert written(8, link("inhibitory", brnn.Dense(np.ones((8, 8))))) is None
    assert written(8, link("inhibitory", brnn.AllButSelf(0.1), delay=0.5)) is None
    assert written(8, link("inhibitory", brnn.AllButSelf(0.1), gate=brnn.HabituativeGate(0.3, 1.0, 2.0))) is None


def test_another_right_hand_side_than_the_networks_own_has_no_table() -> None:
    """Where signals jump it is one that keeps them on their sides."""
    system = compile_network(network())
    K, numbers = np.empty((7, CELLS)), np.array(system.program.numbers)
    assert Stages(system, "another text", K, K[0]).of(numbers) is NO_STAGES
    assert Stages(system, system.source, K, K[0]).of(numbers) is not NO_STAGES
