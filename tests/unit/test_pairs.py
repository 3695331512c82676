"""The pairs of explicit methods: conditions of order, and steps of compiled code against the published tableau.

What Tsitouras (2011) chose freely (nodes, b_2 and the last number of the error) and the conditions of order say which
pair it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.compiler import compile_network
from brnn.integrate.methods.auto import explicit_for
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.interpreted import NumPySteps, slope_of
from brnn.integrate.steppers.onward import Stages
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import CHANGE, ERROR, FIVES, INSIDE, NEW, STAGES, Pair
from brnn.integrate.steppers.pairs.tsitouras import TSITOURAS

PAIRS = pytest.mark.parametrize("pair", [DORMAND_PRINCE, TSITOURAS])


def residuals(pair: Pair, b: np.ndarray, s: float = 1.0) -> list[np.ndarray]:
    """Return by how much weights miss the conditions of orders 1 to 5 (Hairer, Nørsett and Wanner 1993, II.2)."""
    A, c = pair.rows, pair.nodes
    trees = (
        [(np.ones(STAGES), 1)],
        [(c, 2)],
        [(c**2, 3), (A @ c, 6)],
        [(c**3, 4), (c * (A @ c), 8), (A @ c**2, 12), (A @ A @ c, 24)],
        [
            (c**4, 5), (c**2 * (A @ c), 10), ((A @ c) ** 2, 20), (c * (A @ c**2), 15), (c * (A @ A @ c), 30),
            (A @ c**3, 20), (A @ (c * (A @ c)), 40), (A @ A @ c**2, 60), (A @ A @ A @ c, 120),
        ],
    )  # fmt: skip
    return [np.array([b @ tree - s**order / density for tree, density in some]) for order, some in enumerate(trees, 1)]


@PAIRS
def test_pairs_have_orders_five_and_four_and_interpolants_four(pair: Pair) -> None:
    np.testing.assert_allclose(pair.rows.sum(axis=1), pair.nodes, atol=1e-15)
    assert np.triu(pair.rows).max() == 0.0
    new = pair.rows[NEW]
    assert max(np.abs(order).max() for order in residuals(pair, new)) < 1e-14
    *four, fifth = residuals(pair, new - pair.error)
    assert max(np.abs(order).max() for order in four) < 1e-14
    assert np.abs(fifth).max() > 1e-4  # else it would not be an error
    for s in (0.1, 0.5, 0.8):
        *four, fifth = residuals(pair, pair.inside @ s ** np.arange(1, 5), s)
        assert max(np.abs(order).max() for order in four) < 1e-13
    np.testing.assert_allclose(pair.inside.sum(axis=1), new, atol=1e-14)


def test_it_is_the_pair_that_tsitouras_chose() -> None:
    np.testing.assert_array_equal(TSITOURAS.nodes[[1, 2, 3, 5, 6]], [0.161, 0.327, 0.9, 1.0, 1.0])
    assert TSITOURAS.nodes[4] == pytest.approx(0.9800255409045097, abs=1e-16)
    assert TSITOURAS.rows[NEW, 1] == 0.01
    assert abs(TSITOURAS.error[6]) == pytest.approx(1 / 66, abs=1e-17)


@PAIRS
def test_without_the_second_slope_all_is_the_same(pair: Pair) -> None:
    h, K, table = 0.1, np.random.default_rng(2).normal(size=(STAGES, 50)), pair.numbers
    before, new = h * pair.rows[NEW - 1] @ K, h * pair.rows[NEW] @ K
    assert not table[NEW:FIVES, 1].any()
    np.testing.assert_allclose(h * table[NEW, :STAGES] @ K + table[NEW, CHANGE] * before, new, atol=1e-15)
    error = h * table[ERROR, :STAGES] @ K + table[ERROR, CHANGE] * new
    np.testing.assert_allclose(error, h * pair.error @ K, atol=1e-15)
    powers = 0.3 ** np.arange(1, 5)
    inside = powers @ table[INSIDE:FIVES]
    expected = h * (pair.inside @ powers) @ K
    np.testing.assert_allclose(h * inside[:STAGES] @ K + inside[CHANGE] * new, expected, atol=1e-14)


def piece(cells: int) -> Piece:
    system = compile_network(brnn.models.rcf.build(n=cells))
    return Piece(system.rhs(0.25), 0.0, np.linspace(0.0, 0.9, cells), 0.5, 1e-4, 1e-6, system)


@PAIRS
@pytest.mark.parametrize("cells", [5, 12])  # 12 go from stage to stage in one loop
def test_a_compiled_step_is_that_of_the_published_tableau(cells: int, pair: Pair) -> None:
    one = piece(cells)
    stepper = PairStepper(one, pair)
    stages = Stages(one.system, one.fun.source, np.empty((7, cells)), np.empty(cells))
    assert (stages.of(one.fun.arguments[1]).size > 0) == (cells == 12)
    stepper.step()  # the first one is too short to show an error
    t, y = stepper.t, stepper.y
    stepper.step()
    h, K = stepper.t - t, np.empty((STAGES, cells))
    for s in range(STAGES):
        state = y + h * pair.rows[s, :s] @ K[:s]
        K[s] = one.fun(t + pair.nodes[s] * h, state)
    np.testing.assert_allclose(stepper.y, state, rtol=1e-14, atol=1e-15)
    for part in (0.2, 0.7):
        expected = y + h * (K.T @ pair.inside) @ part ** np.arange(1, 5)
        np.testing.assert_allclose(stepper.dense_output()(t + part * h), expected, rtol=1e-12, atol=1e-15)
    errors = np.abs(h * pair.error @ K) / (1e-6 + 1e-4 * np.maximum(np.abs(y), np.abs(state)))
    assert h * 0.9 * errors.max() ** -0.2 == pytest.approx(stepper.h_abs, rel=1e-9)
    slope = slope_of(one.system)
    assert slope is not None
    numpy = NumPySteps(one, slope, pair)
    numpy.step()
    numpy.step()
    np.testing.assert_allclose(numpy.y, stepper.y, rtol=1e-12, atol=1e-15)


@PAIRS
def test_errors_of_a_step_fall_with_its_sixth_power_and_within_it_with_the_fifth(pair: Pair) -> None:
    one = piece(5)
    lengths = np.array([0.2, 0.1])
    exact = solve_ivp(
        one.fun, (0.0, 0.2), one.state, "DOP853", rtol=1e-13, atol=1e-15, t_eval=[0.06, 0.1, 0.12, 0.2]
    ).y.T
    ends, inner = [], []
    for h, (inside, end) in zip(lengths, (exact[[2, 3]], exact[[0, 1]]), strict=True):
        stepper = PairStepper(Piece(one.fun, 0.0, one.state, 0.5, 1.0, 1.0, one.system), pair)
        stepper.h_abs = h
        stepper.step()
        assert stepper.t == h
        ends.append(np.abs(stepper.y - end).max())
        inner.append(np.abs(stepper.dense_output()(0.6 * h) - inside).max())
    assert 5.3 < np.log2(ends[0] / ends[1]) < 6.7
    assert 4.3 < np.log2(inner[0] / inner[1]) < 5.7
    assert ends[1] > 1e-12


def test_auto_takes_the_pair_of_fewer_steps_unless_the_other_one_alone_will_do() -> None:
    network = brnn.models.rcf.build(n=12)
    asked, auto = (brnn.simulate(network, 5.0, solver=solver) for solver in ("RK45", "auto"))
    assert auto.solver.method == "Tsit5"
    assert auto.solver.evaluations < 0.95 * asked.solver.evaluations
    prepared = brnn.prepare(network).run(None, 5.0)
    assert prepared.solver.method == "Tsit5"
    np.testing.assert_array_equal(prepared["rcf.x"], auto["rcf.x"])
    (loop, *others) = network.projections
    late = brnn.Network("late", network.layers, [replace(loop, delay=0.1), *others])
    watched = replace(network, events=(brnn.Event("half", brnn.Crossing("rcf", 0.5), once=True),))
    learning = brnn.Projection("a", "a", topology=brnn.AllToAll(), learning=brnn.Instar())
    learned = brnn.Network("learned", [brnn.Layer.additive("a", 400, A=1.0)], [learning])  # by factors
    names = [explicit_for(some).name for some in (network, late, watched, learned)]
    assert names == ["Tsit5", "RK45", "RK45", "RK45"]
    with pytest.raises(
        brnn.InputError, match=r"^solver = 'Tsit5': must be one of auto, RK45.*\(delays are for SciPy's"
    ):
        brnn.simulate(late, 0.5, solver="Tsit5")
