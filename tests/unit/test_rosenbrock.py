"""The block Jacobian against differences of the right-hand side; the Rosenbrock-W method against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from reference import in_python

import brnn
from brnn.compiler import compile_network
from brnn.compiler.jacobian import BlockJacobian
from brnn.integrate.jacobian import jacobian_product


def plastic(learning: brnn.Learning, topology: brnn.Topology, gate: brnn.Gate | None = None) -> brnn.Network:
    f = brnn.Sigmoid(2.0, 0.5)
    return brnn.Network(
        "plastic",
        [brnn.Layer.shunting("a", 4, A=1.0, B=2.0, D=0.1), brnn.Layer.additive("b", 4, A=0.5)],
        [
            brnn.Projection("a", "a", "inhibitory", f, brnn.AllButSelf(0.7)),
            brnn.Projection("a", "b", "excitatory", f, topology, learning=learning, gate=gate),
            brnn.Projection("b", "a", "inhibitory", brnn.Saturating(1.0, 0.3), brnn.GaussianKernel(1.0, 1.0)),
        ],
        [brnn.Stimulus("a", "excitatory", [0.1, 0.5, 0.3, 0.2], brnn.Sine(0.3, 0.5, 1.0))],
    )


W = np.random.default_rng(3).random((4, 4))


SPARSE = brnn.Sparse(scipy.sparse.csr_array(W * (W > 0.4)))


@pytest.mark.parametrize(
    ("learning", "topology", "per"),
    [
        (brnn.Outstar(0.2), brnn.Dense(W), "connection"),
        (brnn.Instar(0.2), SPARSE, "source"),
        (brnn.PassiveDecay(0.1, decay=0.3), brnn.OneToOne(), None),
        (brnn.SelfNormalizing(0.2, schedule=brnn.Ramp(0, 1)), SPARSE, "connection"),
        (brnn.DoublyGated(0.2, schedule=brnn.Pulse(0, 1)), brnn.AllButSelf(0.8), "source"),
    ],
)
def test_blocks_are_those_of_the_jacobian(learning, topology, per) -> None:
    gate = None if per is None else brnn.HabituativeGate(0.3, 1.0, 2.0, per=per)
    system = compile_network(plastic(learning, topology, gate))
    u = np.random.default_rng(1).uniform(0.1, 0.9, system.size)
    rhs = in_python(system, 0.4)
    J = np.stack([jacobian_product(rhs, 0.4, u)(e) for e in np.eye(u.size)], axis=1)
    block, rest = BlockJacobian(system)(0.4, u)
    n = len(block)
    np.testing.assert_allclose(block, J[:n, :n], atol=1e-8)
    np.testing.assert_allclose(rest, np.diag(J)[n:], atol=1e-8)


def test_blocks_of_other_laws() -> None:
    c = W + W.T
    network = brnn.Network(
        "laws",
        [
            brnn.CohenGrossbergLayer("x", 4, a=brnn.Function("1 + w**2"), b=brnn.Function("-2*w")),
            brnn.WilsonCowanLayer("e", 4, a=1.3, theta=4.0),
        ],
        [
            brnn.Projection("x", "x", "inhibitory", brnn.Function("tanh(w)"), brnn.Dense(c)),
            brnn.Projection("x", "e", "excitatory", brnn.Linear(), brnn.AllToAll(0.3)),
        ],
    )
    system = compile_network(network)
    u = np.random.default_rng(2).normal(size=system.size)
    rhs = in_python(system, 0.0)
    J = np.stack([jacobian_product(rhs, 0.0, u)(e) for e in np.eye(u.size)], axis=1)
    np.testing.assert_allclose(BlockJacobian(system)(0.0, u)[0], J, atol=1e-7)


def test_order_three_also_with_an_approximate_jacobian() -> None:
    """Errors of fixed steps fall with the third power of the step, learning (whose coupling is left out) included."""
    from brnn.integrate.methods.rosenbrock import ROS34PW2
    from brnn.integrate.steppers.base import Piece

    network = plastic(brnn.Outstar(2.0, initial=W), brnn.Dense(W))
    system = compile_network(network)
    u = np.concatenate([np.full(8, 0.3), W.ravel()])
    rhs = system.rhs(0.5)
    exact = brnn.simulate(
        network, 1.0, initial={"a": 0.3, "b": 0.3}, times=[1.0], solver="DOP853", rtol=1e-12, atol=1e-13
    )
    errors = []
    for steps in (10, 20, 40):
        piece = Piece(rhs, 0.0, u, 1.0, rtol=1e9, atol=1e9, system=system)  # every step is accepted
        solver = ROS34PW2().stepper(piece)
        for _ in range(steps):
            solver.h_abs = 1.0 / steps
            solver.step()
        assert solver.t == pytest.approx(1.0)
        errors.append(np.abs(solver.y[:8] - np.concatenate([exact["a.x"].values[0], exact["b.x"].values[0]])).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders.mean() == pytest.approx(3.0, abs=0.3)


def test_slow_learning_by_fast_cells_needs_few_steps() -> None:
    """z -> h exp(-M f t) from fast cells at rest: exact to the tolerance, in few steps."""
    n, fast, M, T = 30, 1e3, 1e-2, 200.0
    network = brnn.Network(
        "slow",
        [
            brnn.Layer.additive("s", n, A=fast, initial=1.0),
            brnn.Layer.additive("t", n, A=1.0, initial=0.0),
        ],
        [
            brnn.Projection(
                "s", "t", "excitatory", brnn.Linear(), brnn.AllToAll(0.0), learning=brnn.Outstar(M, initial=1.0)
            )
        ],
        [brnn.Stimulus("s", "excitatory", fast)],
    )
    result = brnn.simulate(network, T, times=[T / 2, T], solver="ROS34PW2")
    np.testing.assert_allclose(result["s_t_exc.z"].values[1], np.exp(-M * T), rtol=1e-4)
    assert result.solver.steps < 1000  # RK45 could take no step longer than 3.3e-3: 60,000 steps
