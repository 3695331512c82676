"""The exponential method: rates of every law, accuracy beside a tight reference, and its choice for large networks."""

from __future__ import annotations

import decimal
from decimal import Decimal

import numpy as np
import pytest
from numba import njit
from reference import in_python
from scipy.integrate import quad, solve_ivp

import brnn
from brnn.compiler import compile_network
from brnn.compiler.cache import load_copy
from brnn.integrate.steppers import exponential, exponential_passes, exponential_steps
from brnn.integrate.steppers.base import Piece


def of_every_law(seed: int, bright: float = 100.0) -> brnn.Network:
    """Return a network of one structure with every law, gate and learning law, no layer of which feeds itself."""
    rng = np.random.default_rng(seed)
    f, n = brnn.Sigmoid(1.0, 0.5), 4

    def weights() -> np.ndarray:
        return rng.uniform(0.0, 1.0, (n, n))

    def gate(per: str) -> brnn.HabituativeGate:
        return brnn.HabituativeGate(0.3, 1.0, rng.uniform(0.5, 5.0), per=per)

    def projection(source: str, target: str, kind: str, **more: object) -> brnn.Projection:
        return brnn.Projection(source, target, kind, f, brnn.Dense(weights()), name=f"{source}{target}", **more)

    return brnn.Network(
        "laws",
        [
            brnn.Layer.shunting("a", n, A=1.0, B=2.0, D=0.3, initial=rng.uniform(0, 1, n)),
            brnn.MembraneLayer("b", n, C=0.5, V_plus=1.0, V_minus=-0.5, V_p=0.0, g_p=0.7),
            brnn.WilsonCowanLayer("c", n, a=1.3, theta=0.5, initial=rng.uniform(0, 0.4, n)),
            brnn.CohenGrossbergLayer(
                "d", n, a=brnn.Function("1 + w**2"), b=brnn.Function("0.5 - 2*w - w**3"), initial=rng.uniform(0, 1, n)
            ),
            brnn.GatedLayer("e", n, A=0.5, B=1.0, C=1.0, E=0.0, F=1.0, rest=0.1, gain=1.0),
        ],
        [
            projection("a", "b", "excitatory", learning=brnn.Outstar(0.5, initial=weights()), gate=gate("connection")),
            projection("b", "c", "excitatory", learning=brnn.Instar(0.5, initial=weights()), gate=gate("source")),
            projection("c", "d", "inhibitory", learning=brnn.PassiveDecay(0.4, initial=weights())),
            projection("d", "e", "inhibitory", learning=brnn.SelfNormalizing(0.5, initial=weights())),
            projection("e", "a", "inhibitory", learning=brnn.DoublyGated(0.5, initial=weights())),
            brnn.Projection("a", "e", "modulatory", f, brnn.AllToAll(0.5)),
        ],
        [
            brnn.Stimulus("a", "excitatory", bright * rng.random(n), brnn.Pulse(0.0, 1.0)),
            brnn.Stimulus("e", "excitatory", rng.random(n), brnn.Sine(0.5, 0.5, 1.0)),
            brnn.Stimulus("b", "inhibitory", bright * rng.random(n)),
        ],
    )


def test_rates_are_the_diagonal_of_the_jacobian() -> None:
    system = compile_network(of_every_law(0))
    u = np.random.default_rng(1).uniform(0.1, 0.9, system.size)
    both = np.empty(2 * system.size)
    system.rhs(0.4).with_rates(0.4, u, both)
    rhs = in_python(system, 0.4)
    np.testing.assert_allclose(both[: u.size], rhs(0.4, u), rtol=1e-12, atol=1e-13)
    h = 1e-6
    J = [(rhs(0.4, u + h * e) - rhs(0.4, u - h * e)) / (2.0 * h) for e in np.eye(u.size)]
    np.testing.assert_allclose(both[u.size :], np.minimum(np.diag(J), 0.0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_error_stays_within_ten_tolerances(rtol: float) -> None:
    """Of every unknown and its largest size, in the transient and beside a break point; the reference is LSODA's.

    Of twelve such networks the worst errors were 0.3 to 1.2 (median 0.6), 0.3 to 3.5 (1.8) and 1.3 to 4.7 (2.7).
    """
    times = np.array([0.003, 0.03, 0.3, 0.97, 1.003, 1.3, 2.0, 3.0])
    worst = []
    for seed in range(6):
        network = of_every_law(seed)
        system, result = compile_network(network), brnn.simulate(network, 3.0, times=times, solver="ETD4", rtol=rtol)
        state, at = system.initial_state(), []
        for start, stop in ((0.0, 1.0), (1.0, 3.0)):
            some = times[(times > start) & (times <= stop)]
            fun = system.rhs(0.5 * (start + stop))
            done = solve_ivp(fun, (start, stop), state, "LSODA", dense_output=True, rtol=1e-11, atol=1e-13)
            state = done.y[:, -1]
            at.append(done.sol(some).T)
        expected = np.concatenate(at)
        found = np.concatenate([result[v.name].values.reshape(times.size, -1) for v in system.variables], axis=1)
        worst.append(np.max(np.abs(found - expected) / (1e-9 + rtol * np.abs(expected).max(axis=0))))
    assert max(worst) <= 10.0


def test_saved_times_within_the_first_step_after_a_jump_keep_the_tolerance() -> None:
    """Radau judges. Where the first step had no third difference of D, they were off by 44 to 650 tolerances."""
    f = brnn.Sigmoid(4.4, 0.77, 2.44)
    lights = brnn.Stimulus("rcf", "excitatory", [0.49, 0.22, 0.43, 0.6, 0.45], brnn.Pulse(0.0, 1.0))
    layer = brnn.Layer.shunting("rcf", 5, A=1.2, B=0.6, D=0.7, initial=[0.07, 0.06, 0.09, 0.02, 0.09])
    links = [
        brnn.Projection("rcf", "rcf", "excitatory", f),
        brnn.Projection("rcf", "rcf", "inhibitory", f, brnn.AllButSelf(1.3)),
    ]
    network = brnn.Network("field", [layer], links, [lights])
    system, rtol = compile_network(network), 1e-9
    times = np.array([0.001, 0.003, 1.0, 1.001, 1.003, 1.006])
    found = brnn.simulate(network, 2.0, times=times, solver="ETD4", rtol=rtol, atol=1e-12)["rcf.x"].values
    state, start = system.initial_state(), 0.0
    for stop, x in zip(times, found, strict=True):
        slope = system.rhs(0.5 * (start + stop))
        state = solve_ivp(slope, (start, stop), state, "Radau", rtol=1e-12, atol=1e-14).y[:, -1]
        assert np.max(np.abs(x - state) / (1e-12 + rtol * np.abs(state))) <= 10.0
        start = stop


def test_a_cell_with_constant_inputs_is_exact_however_bright_they_are() -> None:
    """dx/dt = -A x + (B - x) I has the solution B I/(A + I) (1 - exp(-(A + I) t))."""
    I = np.array([1e-3, 1.0, 1e3, 1e6])
    network = brnn.Network(
        "bright", [brnn.Layer.shunting("F", 4, A=1.0, B=2.0)], [], [brnn.Stimulus("F", "excitatory", I)]
    )
    times = np.array([1e-7, 1e-4, 0.1, 10.0])
    result = brnn.simulate(network, 10.0, times=times, solver="ETD4")
    exact = 2.0 * I / (1.0 + I) * -np.expm1(-(1.0 + I) * times[:, None])
    np.testing.assert_allclose(result["F.x"].values, exact, rtol=1e-11)
    assert result.solver.evaluations < 100


def large(bright: float) -> brnn.Network:
    """Return 2,100 cells in two groups of equal ones, which excite themselves and inhibit each other."""
    pattern = np.repeat([0.3, bright], 1050)
    signal = brnn.Sigmoid(1.0, 0.5)
    return brnn.Network(
        "large",
        [brnn.Layer.shunting("F", 2100, A=1.0, B=2.0, D=0.2)],
        [
            brnn.Projection("F", "F", "excitatory", signal, brnn.OneToOne()),
            brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf(0.01)),
        ],
        [brnn.Stimulus("F", "excitatory", pattern)],
    )


def test_auto_takes_it_for_large_stiff_networks_alone() -> None:
    """Two equations, of one cell of each group, are the reference."""

    def pair(t: float, x: np.ndarray, bright: float) -> np.ndarray:
        s = np.maximum(x, 0.0) ** 2 / (0.25 + np.maximum(x, 0.0) ** 2)
        exc, inh = np.array([0.3, bright]) + s, 0.01 * (1050 * s.sum() - s)
        return -x + (2.0 - x) * exc - (0.2 + x) * inh

    times = np.array([0.001, 0.1, 10.0])
    for bright, method in ((300.0, "ETD4"), (1.0, "Tsit5")):
        result = brnn.simulate(large(bright), 10.0, times=times)
        assert result.solver.method == method
        exact = solve_ivp(pair, (0, 10), [0, 0], "LSODA", t_eval=times, args=(bright,), rtol=1e-11, atol=1e-13).y.T
        np.testing.assert_allclose(result["F.x"].values[:, [0, -1]], exact, rtol=1e-5, atol=1e-8)
        assert ("stiff" in result.solver.details["reason"]) == (method == "ETD4")
        assert result.solver.evaluations < 600


def test_the_functions_phi_are_right_to_their_last_digits() -> None:
    """(exp(w) - 1)/w and (phi_k - 1/k!)/w with ninety digits, where the series takes over, too."""
    w = [0.0, -1e-12, -1e-3, -0.3, -0.6999, -0.7, -0.7001, -1.5, -20.0, -300.0, -699.0, -720.0, -1e9]
    phi = np.empty((3, len(w)))

    @njit  # what is called is there for compiled code alone
    def find(w: np.ndarray, phi: np.ndarray) -> None:
        for i in range(w.size):
            phi[0, i], phi[1, i], phi[2, i] = exponential_steps._phi(w[i])

    find(np.array(w), phi)
    with decimal.localcontext(prec=90):
        for k, number in enumerate(w):
            exact = [Decimal(1), Decimal(1) / 2, Decimal(1) / 6]
            if number:
                d = Decimal(number)
                exact[0] = (d.exp() - 1) / d
                exact[1] = (exact[0] - 1) / d
                exact[2] = (exact[1] - Decimal(1) / 2) / d
            np.testing.assert_allclose(phi[:, k], [float(number) for number in exact], rtol=6e-15)


def test_each_step_looks_back_to_where_the_one_before_began() -> None:
    """D of that state, F(s) - F(u) - L (s - u), is what the error and the states within the step rest on."""
    system = compile_network(of_every_law(0))
    state = system.initial_state()
    stepper = exponential.Exponential(Piece(system.rhs(0.5), 0.0, state.copy(), 1.0, 1e-6, 1e-9, system))
    for _ in range(3):
        before, slope = stepper.y, stepper.f.copy()
        stepper.step()
        here, f, L = stepper.y, stepper.f.copy(), stepper.rates.copy()
        stepper.step()
        D = slope - f - L * (before - here)
        np.testing.assert_allclose(stepper._rooms["D_BEFORE"], D, rtol=1e-9, atol=1e-12 * np.abs(D).max())


@pytest.mark.parametrize("r", [0.3, 0.8, 2.0])
def test_the_third_divided_difference_of_a_cubic_is_its_coefficient(r: float) -> None:
    """Of 5 t^3 - 2 t^2 + 3 t, whose values at -r, 1/2 and 1 have these weights: 5 (and 0 at 0)."""
    numbers = np.zeros(exponential_passes.COUNT)
    exponential_passes._weigh.py_func(r, numbers)
    values = [5.0 * t**3 - 2.0 * t**2 + 3.0 * t for t in (-r, 0.5, 1.0)]
    assert numbers[exponential_passes.WEIGHTS :] @ values == pytest.approx(5.0, rel=1e-13)


def test_the_state_within_a_step_is_exact_where_D_is_a_cubic() -> None:
    """u' = f + L u + 3 t - 2 t^2 + 5 t^3 from u(0) = 0: quadrature of exp((s - r) L) (f + ...) judges."""
    L, f = -np.array([1e-9, 1e-3, 0.2, 0.69, 0.71, 3.0, 80.0]), 0.7

    def D(t: float) -> float:
        return 3.0 * t - 2.0 * t * t + 5.0 * t**3

    def exact(s: float) -> np.ndarray:
        return np.array([quad(lambda r, z: np.exp((s - r) * z) * (f + D(r)), 0.0, s, (z,), epsabs=1e-14)[0] for z in L])

    places = np.array([-0.8, 0.5, 1.0])  # and 0, where D is 0
    weights = np.array([1.0 / (a * np.prod([a - b for b in places if b != a])) for a in places])
    new, each = exact(1.0), np.ones(L.size)
    for s in (0.1, 0.5, 0.9):
        out = np.empty(L.size)
        load_copy(exponential._FILE, *exponential._OTHERS).state_within(
            s, 1.0, 0.0 * each, f * each, L, D(-0.8) * each, D(0.5) * each, new, f + L * new + D(1.0), weights, out
        )
        np.testing.assert_allclose(out, exact(s), rtol=1e-11)
