"""`brnn.sensitivity` beside complex steps through equations written out by hand here, integrated by SciPy."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.sensitivities import adjoint
from brnn.sensitivities.adjoint import AdjointRun
from brnn.sensitivities.arguments import Arguments
from brnn.sensitivities.forward import ForwardRun
from brnn.sensitivities.parameters import Parameters

STEP = 1e-20  # of the complex step
TIMES = np.array([0.0, 0.7, 1.3, 2.9, 4.0])  # none of them is a time at which an input jumps
LAWS = ("outstar", "instar", "decay", "doubly", "shared")
POINT = {
    "a.A": 1.0, "a.B.1": 1.5, "a.E": 0.3, "b.C": 2.0, "b.g_p": 0.5, "a.initial.0": 0.4,
    "outstar.signal.slope": 3.0, "outstar.signal.midpoint": 0.2, "outstar.learning.rate": 0.7,
    "outstar.learning.sampled.half": 0.4, "outstar.learning.initial": 0.1, "instar.learning.rate": 0.6,
    "decay.learning.decay": 0.2, "doubly.learning.rate": 0.4, "shared.learning.L": 1.7,
    "off.signal.gain": 1.5, "on.signal.half": 0.4, "on.signal.exponent": 2.5, "on.topology.weight": 2.0,
    "on.gate.H": 0.2, "on.gate.K": 1.0, "on.gate.L": 2.0, "back.topology.matrix.1": 0.2, "back.gate.L": 1.0,
    "input.pattern.1": 0.5, "input.schedule.on": 0.5, "input.schedule.off": 2.3,
}  # fmt: skip


def hill(w, gain, half, n):
    return gain * w**n / (half**n + w**n)


@pytest.fixture(scope="module")
def network():
    """A network with each learning law, gates of both kinds, and an input that goes on and off."""
    a, b = (
        brnn.Layer("a", 2, A=1.0, B=[2.0, 1.5], E=0.3, initial=0.4),
        brnn.MembraneLayer("b", 3, 2.0, 1.1, -0.2, 0.1, 0.5),
    )
    sigmoid, logistic = brnn.Sigmoid(gain=1.5, half=0.4, exponent=2.5), brnn.Logistic(gain=2.0, slope=3.0, midpoint=0.2)
    laws = [
        brnn.Outstar(rate=0.7, sampled=sigmoid, initial=0.1), brnn.Instar(rate=0.6, initial=0.2),
        brnn.PassiveDecay(rate=0.5, decay=0.2), brnn.DoublyGated(rate=0.4), brnn.SelfNormalizing(rate=0.3, L=1.7),
    ]  # fmt: skip
    links = [
        brnn.Projection("a", "b", kind, logistic, brnn.AllToAll(weight=0.3), learning=law, name=name)
        for name, law, kind in zip(LAWS, laws, ("excitatory", "inhibitory") * 3, strict=False)
    ]
    links += [
        brnn.Projection("a", "a", "inhibitory", sigmoid, brnn.AllButSelf(), name="off"),
        brnn.Projection(
            "a", "a", "excitatory", sigmoid, brnn.OneToOne(weight=2.0), gate=brnn.HabituativeGate(H=0.2, K=1.0, L=2.0),
            name="on",
        ),
        brnn.Projection(
            "b", "a", "excitatory", brnn.Power(gain=0.5, exponent=1.5), brnn.Dense([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
            gate=brnn.HabituativeGate(H=0.1, K=2.0, L=1.0, per="connection"), name="back",
        ),
    ]  # fmt: skip
    stimulus = brnn.Stimulus("a", "excitatory", [1.0, 0.5], brnn.Pulse(on=0.5, off=2.3), name="input")
    steady = brnn.Stimulus("b", "excitatory", 0.3, brnn.Constant())
    return brnn.Network("all", [a, b], links, [stimulus, steady], duration=4.0)


def by_hand(p):
    """Return the states at TIMES, of parameters that may be complex."""

    def f(t, u, on):
        xa, xb, y, Y = u[:2], u[2:5], u[5:7], u[7:13].reshape(2, 3)
        z = dict(zip(LAWS, u[13:].reshape(5, 3, 2), strict=True))
        D = np.array([[0.1, p["back.topology.matrix.1"], 0.3], [0.4, 0.5, 0.6]])

        def sent(w, slope=3.0, midpoint=0.2):
            return 2.0 / (1.0 + np.exp(-slope * (w - midpoint)))

        own = sent(xa, p["outstar.signal.slope"], p["outstar.signal.midpoint"])
        fa, fb = sent(xa), sent(xb)
        through = hill(xa, 1.5, p["on.signal.half"], p["on.signal.exponent"])
        off, back = hill(xa, p["off.signal.gain"], 0.4, 2.5), 0.5 * xb**1.5
        exc = through * y * p["on.topology.weight"] + (D * Y) @ back
        exc = exc + (np.array([1.0, p["input.pattern.1"]]) if on else 0.0)
        net = {name: 0.3 * weights @ (own if name == "outstar" else fa) for name, weights in z.items()}
        plus, minus = 0.3 + net["outstar"] + net["decay"] + net["shared"], net["instar"] + net["doubly"]
        learned = hill(xb, 1.5, p["outstar.learning.sampled.half"], 2.5)
        slopes = [
            -p["a.A"] * xa + (np.array([2.0, p["a.B.1"]]) - xa) * exc - (p["a.E"] + xa) * (off.sum() - off),
            ((1.1 - xb) * plus + (-0.2 - xb) * minus + (0.1 - xb) * p["b.g_p"]) / p["b.C"],
            p["on.gate.H"] * (p["on.gate.K"] - y) - p["on.gate.L"] * through * y,
            0.1 * (2.0 - Y) - p["back.gate.L"] * back * Y,
            p["outstar.learning.rate"] * own * (learned[:, None] - z["outstar"]),
            p["instar.learning.rate"] * fb[:, None] * (xa - z["instar"]),
            0.5 * fa * fb[:, None] - p["decay.learning.decay"] * z["decay"],
            p["doubly.learning.rate"] * fa * fb[:, None] * (xb[:, None] - z["doubly"]),
            0.3 * fb[:, None] * ((1.0 - z["shared"]) * p["shared.learning.L"] * xa - z["shared"] * (xa.sum() - xa)),
        ]
        return np.concatenate([np.ravel(part) for part in slopes])

    initial = network_start(p)
    edges = [0.0, p["input.schedule.on"], p["input.schedule.off"], 4.0]
    u, rows = initial, [initial]
    for k, (start, stop) in enumerate(itertools.pairwise(edges)):
        # In units of the piece, whose ends may be complex: ds/dt = 1 / length.
        length = stop - start
        inside = TIMES[(np.real(start) < TIMES) & (np.real(stop) >= TIMES)]
        at = [(t - start) / length for t in inside]
        run = solve_ivp(
            lambda s, v, k=k, start=start, length=length: length * f(start + s * length, v, k == 1),
            (0.0, 1.0), u, "DOP853", dense_output=True, rtol=1e-12, atol=1e-13,
        )  # fmt: skip
        for s in at:
            state = run.sol(np.real(s))
            # A saved time stands still while the ends of its piece move.
            rows.append(state + 1j * np.imag(s) * np.real(length * f(0.0, state, k == 1)))
        u = run.y[:, -1]
    return np.array(rows)


def network_start(p):
    xa = np.array([p["a.initial.0"], 0.4], dtype=complex)
    z = np.repeat([p["outstar.learning.initial"], 0.2, 0.0, 0.0, 0.0], 6)
    return np.concatenate([xa, np.full(3, 0.1), np.full(2, p["on.gate.K"]), np.full(6, 2.0), z])


@pytest.fixture(scope="module")
def expected():
    """The states, and their derivatives by each parameter."""
    columns = [by_hand({**POINT, name: value + 1j * STEP}).imag / STEP for name, value in POINT.items()]
    return by_hand(POINT).real, np.stack(columns, axis=2)


def loss(states):
    return (states["a.x"][-1] ** 2).sum() + states["outstar.z"][2].sum() * states["b.x"][1, 0]


def vectors(dataset, first):
    return np.concatenate([array.values.reshape(*array.shape[:first], -1) for array in dataset.values()], axis=-1)


def test_forward_in_time(network, expected):
    found = brnn.sensitivity(network, list(POINT), loss, times=TIMES, mode="forward", rtol=1e-10, atol=1e-12)
    assert found.parameters == tuple(POINT)
    np.testing.assert_allclose(found.values, list(POINT.values()), rtol=1e-15)
    states, slopes = expected
    np.testing.assert_allclose(vectors(found.states, 1), states, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(np.moveaxis(vectors(found.derivatives, 2), 0, 2), slopes, rtol=1e-6, atol=1e-8)
    assert found["a.x"].dims == ("parameter", "time", "a")
    assert found["back.y"].dims == ("parameter", "time", "back_target", "back_source")


def test_backward_in_time(network, expected, monkeypatch):
    monkeypatch.setattr(adjoint, "_ROOM", 800)  # so few states are kept that steps are made again
    found = brnn.sensitivity(network, list(POINT), loss, times=TIMES, mode="adjoint", rtol=1e-10, atol=1e-12)
    states, slopes = expected
    wanted = 2.0 * np.einsum("n,np->p", states[-1, :2], slopes[-1, :2])
    wanted += slopes[2, 13:19].sum(axis=0) * states[1, 2] + states[2, 13:19].sum() * slopes[1, 2]
    np.testing.assert_allclose(found.gradient, wanted, rtol=1e-6, atol=1e-9)
    assert found.value == pytest.approx((states[-1, :2] ** 2).sum() + states[2, 13:19].sum() * states[1, 2], rel=1e-9)
    with pytest.raises(brnn.InputError, match="gradient of the loss alone"):
        found["a.x"]


def test_every_element_of_an_array_and_a_loss_with_its_derivatives():
    # dx/dt = -A x + W x, so that x = expm(t (W - A)) x0: d(sum x)/dx0 are the sums of its columns
    from scipy.linalg import expm

    W = np.array([[0.1, 0.4], [-0.3, 0.2]])
    layer = brnn.Layer.additive("a", 2, A=0.5, initial=[0.3, 0.6])
    link = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.Dense(W), name="w")
    network = brnn.Network("linear", [layer], [link])

    def total(states):
        return states["a.x"][-1].sum(), {"a.x": np.array([[0.0, 0.0], [1.0, 1.0]])}

    both = [
        brnn.sensitivity(network, ["a.initial", "w.topology.matrix"], total, 2.0, times=[0.0, 2.0], mode=mode)
        for mode in ("forward", "adjoint")
    ]
    found = both[0].gradient
    assert list(found.parameter.values) == ["a.initial.0", "a.initial.1", *(f"w.topology.matrix.{k}" for k in range(4))]
    np.testing.assert_allclose(found[:2], expm(2.0 * (W - 0.5 * np.eye(2))).sum(axis=0), rtol=1e-7)
    for k in range(4):
        E = np.zeros((2, 2))
        E.flat[k] = 1.0
        block = expm(2.0 * np.block([[W - 0.5 * np.eye(2), E], [np.zeros((2, 2)), W - 0.5 * np.eye(2)]]))
        assert found[2 + k] == pytest.approx((block[:2, 2:] @ [0.3, 0.6]).sum(), rel=1e-7)
    np.testing.assert_allclose(both[1].gradient, found, rtol=1e-6)


def test_backward_through_an_input_that_changes_all_the_time():
    # x' = -A x + a + b sin(w t): x(T) and dx/dA by quadrature of exp(-A (T - t)) (a + b sin(w t)), in closed form
    A, a, b, w, T = 0.7, 1.0, 2.0, 3.0, 2.5
    sine = brnn.Sine(frequency=w / (2 * np.pi), mean=a, amplitude=b)
    network = brnn.Network("sine", [brnn.Layer.additive("x", 1, A=A)], [], [brnn.Stimulus("x", schedule=sine)])

    def state(A):
        z = A + 1j * w
        return a * (1 - np.exp(-A * T)) / A + b * ((np.exp(1j * w * T) - np.exp(-A * T)) / z).imag

    arguments = Arguments(Parameters(network, ["x.A"]), T)
    here, slopes = arguments.at(np.array([A])), arguments.slopes(np.array([A]))
    found = AdjointRun(arguments).run(
        here, slopes, np.array([T]), lambda x: (x[0, 0], np.array([[1.0]])), rtol=1e-10, atol=1e-12
    )
    assert found[0][0, 0] == pytest.approx(state(A), rel=1e-8)
    assert found[2][0] == pytest.approx((state(A + 1e-6) - state(A - 1e-6)) / 2e-6, rel=1e-7)


def test_the_same_run_at_other_arrays_and_back():
    # x = expm(t W) x0; dx/dW_ij is the upper right block of the exponential of [[W, E_ij], [0, W]]
    from scipy.linalg import expm

    first = np.array([[-0.4, 0.4], [-0.3, -0.3]])
    layer = brnn.Layer.additive("a", 2, A=0.0, initial=[0.3, 0.6])
    link = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.Dense(first), name="w")
    arguments = Arguments(Parameters(brnn.Network("linear", [layer], [link]), ["w.topology.matrix"]), 2.0)
    forward, backward, times = ForwardRun(arguments), AdjointRun(arguments), np.array([2.0])
    for W in (first, np.array([[-0.1, 0.7], [-0.9, 0.2]]), first):
        here, slopes = arguments.at(W.ravel()), arguments.slopes(W.ravel())
        states, tangents = forward.run(here, slopes, np.ones(4), times, rtol=1e-10, atol=1e-12)
        wanted = np.empty((2, 4))
        for k in range(4):
            E = np.zeros(4)
            E[k] = 1.0
            wanted[:, k] = expm(2.0 * np.block([[W, E.reshape(2, 2)], [np.zeros((2, 2)), W]]))[:2, 2:] @ [0.3, 0.6]
        np.testing.assert_allclose(states[0], expm(2.0 * W) @ [0.3, 0.6], rtol=1e-8)
        np.testing.assert_allclose(tangents[0], wanted, rtol=1e-7)
        found = backward.run(
            here, slopes, times, lambda states: (states[0, 0], np.array([[1.0, 0.0]])), rtol=1e-10, atol=1e-12
        )
        np.testing.assert_allclose(found[0], states, rtol=1e-8)
        np.testing.assert_allclose(found[2], wanted[0], rtol=1e-7)


def test_the_same_run_where_the_arguments_bend():
    # a cell that stands still at u sends u^2/(h^2 + u^2) to one that sums: x = t u^2/(h^2 + u^2)
    layers = [brnn.Layer.additive("a", 1, A=0.0, initial=0.6), brnn.Layer.additive("b", 1, A=0.0)]
    link = brnn.Projection("a", "b", "excitatory", brnn.Sigmoid(half=0.5, exponent=2.0), brnn.OneToOne(), name="w")
    arguments = Arguments(Parameters(brnn.Network("sum", layers, [link]), ["w.signal.half"]), 2.0)
    forward, scale = ForwardRun(arguments), np.ones(1)
    for h in (0.5, 0.8):
        at = np.array([h])
        states, tangents = forward.run(
            arguments.at(at), arguments.slopes(at), scale, np.array([2.0]), rtol=1e-10, atol=1e-12
        )
        assert states[0, 1] == pytest.approx(2.0 * 0.36 / (h**2 + 0.36), rel=1e-9)
        assert tangents[0, 1, 0] == pytest.approx(-4.0 * h * 0.36 / (h**2 + 0.36) ** 2, rel=1e-9)


BAD = [
    ("rcf", ["n"], {}, "n: is a whole number"),
    ("rcf", ["AA"], {}, "rcf has no parameter 'AA'"),
    ("rcf", ["signal"], {}, r"signal: is Sigmoid\(...\), not a number; name a number of it: signal.gain"),
    ("rcf", ["initial"], {}, "initial: is not set; give its value"),
    ("rcf", {"A": float("nan")}, {}, "A = nan: must be finite"),
    ("rcf", [], {}, "wrt: must name at least one parameter"),
    ("rcf", ["duration"], {}, "duration is how long the run is"),
    ("rcf", ["A"], {"mode": "adjoint"}, "needs a loss"),
    ("rcf", ["A"], {"loss": lambda states: np.abs(states["rcf.x"]).sum()}, "no derivative by complex steps"),
    ("rcf", ["A"], {"loss": lambda states: states["rcf.x"]}, "loss: must return a number"),
    ("mcculloch_pitts", {"B": np.zeros(4)}, {}, "jumps|no derivative"),
]


@pytest.mark.parametrize(("build", "wrt", "options", "says"), BAD)
def test_what_has_no_derivative(build, wrt, options, says):
    with pytest.raises((brnn.InputError, brnn.SpecError), match=says) as caught:
        brnn.sensitivity(build, wrt, duration=1.0, **options)
    assert "\n" not in str(caught.value)


def test_cells_that_fire_are_refused():
    layer = brnn.SpikingLayer("a", 2, 1.0, 0.1, 1.0, 1.0, -70.0, 0.0, -80.0, -50.0, -65.0)
    with pytest.raises(brnn.InputError, match="has cells that fire"):
        brnn.sensitivity(brnn.Network("n", [layer]), ["a.C"], duration=1.0)


def test_white_noise_is_refused():
    noise = brnn.Stimulus("a", "excitatory", 0.1, brnn.WhiteNoise())
    with pytest.raises(brnn.InputError, match="has white noise"):
        brnn.sensitivity(brnn.Network("n", [brnn.Layer("a", 2, A=1.0, B=1.0)], stimuli=[noise]), ["a.A"])


def test_stiff_networks_go_on_with_another_method():
    # the input of 1e4 makes the cells fast: x follows B I / (A + I), whose derivative by B is I / (A + I)
    layer = brnn.Layer.shunting("a", 2, A=1.0, B=2.0)
    network = brnn.Network("stiff", [layer], stimuli=[brnn.Stimulus("a", "excitatory", [1e4, 2e4], brnn.Constant())])
    found = brnn.sensitivity(network, ["a.B"], duration=40.0)
    np.testing.assert_allclose(found["a.x"][0, -1], [1e4 / (1.0 + 1e4), 2e4 / (1.0 + 2e4)], rtol=1e-7)
    assert found.steps < 20_000


@pytest.mark.parametrize("solver", ["auto", "LSODA", "BDF", "Radau", "DOP853"])
def test_derivatives_that_grow_without_bound_are_said(solver: str) -> None:
    """At x = 1/2, which x reaches with a finite slope, the derivative of -log(1/2 - x) has no bound."""

    def build(I: float = 1.0) -> brnn.Network:
        signal = brnn.Expression("1 - 0.1*log(0.5 - w)")
        link = brnn.Projection("a", "a", "excitatory", signal)
        return brnn.Network("ends", [brnn.Layer.additive("a", 1, A=1.0)], [link], [brnn.Stimulus("a", "excitatory", I)])

    with pytest.raises(brnn.IntegrationError):
        brnn.sensitivity(build, ["I"], duration=5.0, times=[5.0], mode="forward", solver=solver)
