"""The explicit method for very many unknowns: the same as ever, whatever the number of threads."""

from __future__ import annotations

import os

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.integrate.methods.explicit import RK45
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.large import Large
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.steppers.pairs.tsitouras import TSITOURAS

CELLS = 3 * 4096 + 100  # four blocks, the last one short


def piece() -> Piece:
    signal = brnn.Sigmoid(1.0, 0.5, 2.0)
    network = brnn.Network(
        "large",
        [brnn.Layer.shunting("rcf", CELLS, A=1.0, B=3.0)],
        [
            brnn.Projection("rcf", "rcf", "excitatory", signal, brnn.OneToOne()),
            brnn.Projection("rcf", "rcf", "inhibitory", signal, brnn.AllButSelf()),
        ],
    )
    system = compile_network(network)
    state = np.random.default_rng(1).uniform(0.0, 5.0 / CELLS, CELLS)
    state[:3] = 0.3, 0.6, 0.5
    return Piece(system.rhs(0.25), 0.0, state, 4.0, 1e-6, 1e-9, system)


def at_the_end(stepper: Large | PairStepper) -> tuple[np.ndarray, np.ndarray]:
    times, rows = np.linspace(0.2, 4.0, 20), []
    while stepper.status == "running":
        rows.append(stepper.advance(times[sum(map(len, rows)) :], 3, 2).copy())
    return stepper.y, np.concatenate(rows)


@pytest.mark.parametrize(("pair", "rounding"), [(DORMAND_PRINCE, 1e-7), (TSITOURAS, 1e-5)])
def test_it_makes_the_steps_of_the_explicit_method(pair: Pair, rounding: float) -> None:
    large, plain = Large(piece(), pair), PairStepper(piece(), pair)
    (y, inside), (expected, expected_inside) = at_the_end(large), at_the_end(plain)
    assert (large.steps, large.nfev, len(inside)) == (plain.steps, plain.nfev, 20)
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-11, atol=1e-14)
    assert large.rate == pytest.approx(plain.rate, rel=rounding)  # of differences that rounding makes uncertain


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_bits_do_not_depend_on_the_number_of_threads(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = at_the_end(Large(piece()))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(count), raising=False)
    for found, same in zip(at_the_end(Large(piece())), expected, strict=True):
        np.testing.assert_array_equal(found, same)


def test_single_steps_and_a_new_beginning_give_the_same_bits() -> None:
    whole, single, p = Large(piece()), Large(piece()), piece()
    y, _ = at_the_end(whole)
    for _ in range(6):
        single.step()
    np.testing.assert_array_equal(single.dense_output()(np.array([single.t]))[:, 0], single.y)
    resumed = Large(Piece(p.fun, single.t, single.y, p.stop, p.rtol, p.atol, p.system))
    resumed.h_abs, resumed.remembered = single.h_abs, single.remembered
    while resumed.status == "running":
        resumed.step()
    np.testing.assert_array_equal(resumed.y, y)


def test_only_very_large_networks_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from brnn.integrate.methods import explicit

    monkeypatch.setattr(explicit, "_IN_BLOCKS", 10 * CELLS)  # blocks are for networks whose cells meet in totals
    assert isinstance(RK45().stepper(piece()), PairStepper)
    monkeypatch.setattr(explicit, "_LARGE", CELLS)
    assert isinstance(RK45().stepper(piece()), Large)
