"""`brnn.sensitivity` through events at given times, delays and steps of discrete time, beside closed forms."""

import numpy as np
import pytest
from uncompiled import run_uncompiled

import brnn
from brnn.compiler import compile_network
from brnn.sensitivities.pieces import pieces
from brnn.sequences import Unrolled, bptt, squared_error

STEP = 1e-20  # of the complex step


def by_complex_steps(formula, point):
    """Return a formula's value, and its derivatives by each parameter, last."""
    columns = [formula({**point, name: value + 1j * STEP}).imag / STEP for name, value in point.items()]
    return formula(point).real, np.stack(columns, axis=-1)


def both(network, point, duration, times, weights):
    """Return the states and derivatives forward, and the gradient of a weighted sum of states by the adjoint."""

    def loss(states):
        return (weights * states["a.x"]).sum(), {"a.x": weights}

    options = {"duration": duration, "times": times, "rtol": 1e-11, "atol": 1e-13}
    forward = brnn.sensitivity(network, point, loss, mode="forward", **options)
    backward = brnn.sensitivity(network, point, loss, mode="adjoint", **options)
    np.testing.assert_allclose(backward.gradient, forward.gradient, rtol=1e-8, atol=1e-11)
    return forward.states["a.x"].values, np.moveaxis(forward["a.x"].values, 0, -1), backward.gradient.values


EVENTS = {
    "a.A": 0.7, "a.initial.0": 0.8, "input.pattern": 0.6, "input.schedule.off": 0.9, "push.when.at.0": 1.1,
    "push.then.0.scale": 0.5, "push.then.0.value.0": 0.3, "slow.when.at.0": 2.2, "slow.then.0.value": 0.25,
}  # fmt: skip
TIMES = np.array([0.0, 0.5, 1.1, 1.5, 2.0, 2.3, 2.9, 4.0])


def event_network():
    """Two cells that decay; the first is pushed at 1.1, when a stimulus begins, and both decay more slowly from 2.2."""
    return brnn.Network(
        "pushed",
        [brnn.Layer.additive("a", 2, A=0.7, initial=[0.8, 0.4])],
        [],
        [brnn.Stimulus("a", "excitatory", 0.6, brnn.Pulse(0.0, 0.9), name="input", on=False)],
        events=[
            brnn.Event(
                "push", brnn.AtTimes([1.1]),
                [brnn.SetState("a", [0.3, 0.0], where=[0], scale=0.5), brnn.StartStimulus("input")],
            ),
            brnn.Event("slow", brnn.AtTimes([2.2]), brnn.SetParameter("a.A", 0.25)),
            brnn.Event("seen", brnn.Crossing("a", 0.5, direction="falling")),
        ],
    )  # fmt: skip


def pushed(p):
    """dx/dt = -A x + I(t), in pieces: (start, stop, A, I, what is made of x at the start)."""
    t1, t2 = p["push.when.at.0"], p["slow.when.at.0"]
    off = t1 + p["input.schedule.off"]
    A, slow, I = p["a.A"], p["slow.then.0.value"], p["input.pattern"]
    factor, added = np.array([p["push.then.0.scale"], 1.0]), np.array([p["push.then.0.value.0"], 0.0])
    pieces = [(0.0, t1, A, 0.0, None), (t1, off, A, I, (factor, added)), (off, t2, A, 0.0, None)]
    pieces.append((t2, 4.0, slow, 0.0, None))
    x, rows = np.array([p["a.initial.0"], 0.4], dtype=complex), {}
    for start, stop, rate, drive, change in pieces:
        x = x if change is None else change[0] * x + change[1]

        def at(t, x=x, start=start, rate=rate, drive=drive):
            return drive / rate + (x - drive / rate) * np.exp(-rate * (t - start))

        inside = (np.real(start) <= TIMES) & (np.real(stop) >= TIMES)
        found = {t: at(t) for t in TIMES[inside].tolist()}
        rows = found | rows if change is None else rows | found  # before an input jumps, after an event
        x = at(stop)
    return np.array([rows[t] for t in TIMES.tolist()])


def test_events_at_given_times():
    weights = np.random.default_rng(0).normal(size=(TIMES.size, 2))
    states, slopes, gradient = both(event_network(), list(EVENTS), 4.0, TIMES, weights)
    wanted, by_parameters = by_complex_steps(pushed, EVENTS)
    np.testing.assert_allclose(states, wanted, rtol=1e-9)
    np.testing.assert_allclose(slopes, by_parameters, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(gradient, np.einsum("tn,tnp->p", weights, by_parameters), rtol=1e-8, atol=1e-10)
    simulated = brnn.simulate(event_network(), 4.0, times=TIMES, rtol=1e-10, atol=1e-12)["a.x"]
    np.testing.assert_allclose(states, simulated, rtol=1e-8)


def test_an_event_at_the_beginning():
    # x(0) = 0.4 becomes 2 * 0.4 + v, then decays
    event = brnn.Event("push", brnn.AtTimes(0.0), brnn.SetState("a", 0.1, where="all", scale=2.0))
    network = event_network().replace(events=[event])
    times, left = np.array([0.0, 2.0]), np.exp(-1.4)
    states, slopes, _ = both(network, ["a.initial.1", "push.then.0.value"], 2.0, times, np.ones((2, 2)))
    np.testing.assert_allclose(states[:, 1], [0.9, 0.9 * left], rtol=1e-10)
    np.testing.assert_allclose(slopes[:, 1], [[2.0, 1.0], [2.0 * left, left]], rtol=1e-10)


def with_event(when, *then, **options):
    layer = brnn.Layer("a", 2, A=1.0, B=1.0, initial=0.5)
    loop = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), name="loop")
    return brnn.Network("n", [layer], [loop], events=[brnn.Event("ring", when, then)], **options)


FALLS = brnn.Crossing("a", 0.2, direction="falling")
PHASES = {"protocol": brnn.Protocol([brnn.Phase("one", 1.0), brnn.Phase("two", 1.0)])}


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (with_event(FALLS, brnn.SetState("a", 0.0)), "Event 'ring' comes when a state crosses a threshold"),
        (with_event(brnn.AtTimes([1.0]), brnn.SampleWinner("a")), "through SampleWinner derivatives are not taken"),
        (
            with_event(brnn.PhaseBegins("two"), brnn.NextPhase(), **PHASES),
            "through NextPhase derivatives are not taken",
        ),
        (with_event(brnn.AtTimes([1.0]), brnn.StopRun()), "event 'ring' ends the run at t = 1; .*duration=1$"),
        (
            with_event(brnn.AtTimes([1.0]), brnn.SetParameter("loop.signal", brnn.Saturating())),
            "an event makes another structure at t = 1",
        ),
    ],
)
def test_events_that_are_refused(network, says):
    with pytest.raises(brnn.InputError, match=says) as caught:
        brnn.sensitivity(network, ["a.A"], duration=2.0)
    assert "\n" not in str(caught.value)


def test_a_run_that_an_event_ends_at_its_end():
    assert [piece.stop for piece in pieces(compile_network(with_event(brnn.AtTimes([1.0]), brnn.StopRun())), 1.0)] == [
        1
    ]


LATE = {
    "a.A": 0.8, "loop.topology.weight": 0.5, "a.initial": 0.6, "input.pattern": 0.7, "input.schedule.on": 0.45,
    "loop.delay": 0.75, "push.when.at.0": 1.7, "push.then.0.scale": 0.5, "push.then.0.value": 0.3,
}  # fmt: skip
NODES, GAUSS = np.polynomial.legendre.leggauss(24)


def late(p):
    """x' = -A x + c x(t - tau) + I from `on` on, and x = x0 before 0, by its response X to a blow; at `push` x jumps.

    X(t) = sum_k (c (t - k tau))^k / k! exp(-A (t - k tau)) over the k with k tau <= t (the method of steps). That x
    becomes s x + v is a blow of (s - 1) x + v.
    """
    A, c, x0, I, on, tau, push, scale, value = p.values()

    def terms(t):
        k = 0
        while np.real(t) - k * np.real(tau) >= 0.0:
            yield k, t - k * tau
            k += 1

    def response(t):
        return sum((c * u) ** k / np.prod(np.arange(1, k + 1)) * np.exp(-A * u) for k, u in terms(t))

    def summed(t):
        """The integral of X from 0 to t, term by term."""
        total = 0.0
        for k, u in terms(t):
            at = 0.5 * u * (NODES + 1.0)
            total += 0.5 * u * (GAUSS * (c * at) ** k / np.prod(np.arange(1, k + 1)) * np.exp(-A * at)).sum()
        return total

    def before(t):
        x = x0 * response(t) + c * x0 * (summed(t) - summed(t - tau))
        return x + (I * summed(t - on) if np.real(t) > np.real(on) else 0.0)

    blow = (scale - 1.0) * before(push) + value
    return np.array([before(t) + blow * response(t - push) for t in TIMES], dtype=complex)


def late_network():
    loop = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(weight=0.5), delay=0.75, name="loop")
    stimulus = brnn.Stimulus("a", "excitatory", 0.7, brnn.Pulse(0.45, 9.0), name="input")
    push = brnn.Event("push", brnn.AtTimes([1.7]), brnn.SetState("a", 0.3, where="all", scale=0.5))
    layer = brnn.Layer.additive("a", 1, A=0.8, initial=0.6)
    return brnn.Network("late", [layer], [loop], [stimulus], events=[push])


def test_delays(monkeypatch):
    run_uncompiled(monkeypatch)
    weights = np.random.default_rng(2).normal(size=(TIMES.size, 1))
    states, slopes, gradient = both(late_network(), list(LATE), 4.0, TIMES, weights)
    wanted, by_parameters = by_complex_steps(late, LATE)
    np.testing.assert_allclose(states[:, 0], wanted, rtol=1e-9)
    np.testing.assert_allclose(slopes[:, 0], by_parameters, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(gradient, weights[:, 0] @ by_parameters, rtol=1e-8, atol=1e-10)


def test_two_delays_of_two_layers(monkeypatch):
    # a(t) = exp(-t), b' = -b + w a(t - r), c' = -c + b(t - s): both at first as they were at 0
    run_uncompiled(monkeypatch)
    first = {"a": 1.0, "b": 0.2, "c": 0.0}
    layers = [brnn.Layer.additive(name, 1, A=1.0, initial=value) for name, value in first.items()]
    links = [
        brnn.Projection("a", "b", "excitatory", brnn.Linear(), brnn.OneToOne(weight=0.7), delay=0.6, name="r"),
        brnn.Projection("b", "c", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=0.9, name="s"),
    ]
    stimulus = brnn.Stimulus("a", "excitatory", 0.0, brnn.Pulse(0.5, 1.1))
    point = {"a.initial": 1.0, "b.initial": 0.2, "r.topology.weight": 0.7, "r.delay": 0.6, "s.delay": 0.9}

    def formula(p):
        """c(2), of b = b0 e^-t + w a0 (1 - e^-t) up to r, and then b(r) e^(r - t) + w a0 (t - r) e^(r - t)."""
        a0, b0, w, r, s = p.values()
        at_r = b0 * np.exp(-r) + w * a0 * (1.0 - np.exp(-r))
        early = w * a0 * (np.exp(r) - 1.0) + (b0 - w * a0) * r  # of e^t b, from 0 to r
        late = (at_r * (2.0 - s - r) + w * a0 * (2.0 - s - r) ** 2 / 2.0) * np.exp(r)
        return np.atleast_1d(np.exp(-2.0) * (b0 * (np.exp(s) - 1.0) + np.exp(s) * (early + late)))

    value, by_parameters = by_complex_steps(formula, point)
    network = brnn.Network("chain", layers, links, [stimulus])
    for mode in ("forward", "adjoint"):
        options = {"times": [2.0], "mode": mode, "rtol": 1e-10, "atol": 1e-12}
        found = brnn.sensitivity(network, list(point), lambda s: s["c.x"][-1, 0], 2.0, **options)
        assert found.value == pytest.approx(value[0], rel=1e-9)
        np.testing.assert_allclose(found.gradient, by_parameters[0], rtol=1e-8)


def test_a_delay_that_others_share():
    one, two = (
        brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=0.5, name=name) for name in "rs"
    )
    network = brnn.Network("two", [brnn.Layer.additive("a", 1, A=1.0)], [one, two])
    with pytest.raises(brnn.InputError, match=r"r.delay = 0.5: another value makes another structure"):
        brnn.sensitivity(network, ["r.delay"], duration=1.0)
    with pytest.raises(brnn.InputError, match=r"Projection has no field 'dely'; did you mean 'delay'"):
        brnn.sensitivity(network, ["r.dely"], duration=1.0)


def test_inputs_that_jump_shortly_after_another(monkeypatch):
    run_uncompiled(monkeypatch)
    # x' = -A x + 1 until `off` and 2 from `on` on: differences by a sixteenth would take one beyond the other
    A, off, on = 0.9, 1.0, 1.05
    pulses = {"one": (1.0, brnn.Pulse(0.2, off)), "two": (2.0, brnn.Pulse(on, 2.0))}
    stimuli = [brnn.Stimulus("a", "excitatory", size, pulse, name=name) for name, (size, pulse) in pulses.items()]
    network = brnn.Network("n", [brnn.Layer.additive("a", 1, A=A)], [], stimuli)
    found = brnn.sensitivity(
        network, ["one.schedule.off", "two.schedule.on"], duration=3.0, times=[3.0], solver="DOP853"
    )
    wanted = [np.exp(-A * (3.0 - off)), -2.0 * np.exp(-A * (3.0 - on))]
    np.testing.assert_allclose(found["a.x"][:, 0, 0], wanted, rtol=1e-6)


def test_a_fit_of_a_network_with_delays(monkeypatch):
    run_uncompiled(monkeypatch)
    data = {"time": TIMES, "a.x": late(LATE).real[:, None]}
    start = {"a.A": 0.9, "loop.topology.weight": 0.4, "input.pattern": 0.8, "loop.delay": 0.8}
    found = brnn.fit(late_network(), data, start, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.values, [LATE[name] for name in start], rtol=1e-6)


CELLS = {
    "elman": (brnn.models.elman, 1), "lstm": (brnn.models.lstm, 4), "gru": (brnn.models.gru, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_steps_of_discrete_time(name, monkeypatch):
    run_uncompiled(monkeypatch)
    model, gates = CELLS[name]
    rng = np.random.default_rng(4)
    shown = rng.normal(size=(6, 2))
    arrays = {"W": (3 * gates, 2), "U": (3 * gates, 3), "b": 3 * gates, "V": (2, 3)}
    network = model.build(**{key: 0.5 * rng.normal(size=shape) for key, shape in arrays.items()}, pattern=shown)
    unrolled = Unrolled(network)
    wanted = rng.normal(size=(1, 6, 2))
    value, gradient = bptt(unrolled, shown, squared_error(wanted), "y")
    names = {
        key: f"{key}.topology.matrix" if key in {link.name for link in network.projections} else f"{key}.pattern"
        for key in gradient
    }

    def loss(states):
        return 0.5 * ((states["y.x"][1:] - wanted[0]) ** 2).mean()

    for mode in ("forward", "adjoint"):
        found = brnn.sensitivity(network, list(names.values()), loss, duration=6.0, mode=mode)
        assert found.value == pytest.approx(value, rel=1e-12)
        given = np.concatenate([gradient[key].ravel() for key in names])
        np.testing.assert_allclose(found.gradient, given, rtol=1e-10, atol=1e-13)


def test_discrete_time_with_delays_and_changing_inputs(monkeypatch):
    run_uncompiled(monkeypatch)
    # x(t + 1) = tanh(w x(t - 2) + b s(t)), s = 1 in steps 2 to 4
    loop = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(weight=0.9), delay=2.0, name="loop")
    stimulus = brnn.Stimulus("a", "excitatory", 0.6, brnn.Pulse(2.0, 5.0), name="b")
    network = brnn.Network("n", [brnn.UnitLayer("a", 1, "tanh", initial=0.3)], [loop], [stimulus])

    def steps(p):
        w, b, x0 = p.values()
        x = [x0]
        for k in range(12):
            x.append(np.tanh(w * x[max(k - 2, 0)] + (b if 2 <= k < 5 else 0.0)))
        return np.array(x)

    point = {"loop.topology.weight": 0.9, "b.pattern": 0.6, "a.initial": 0.3}
    found = brnn.sensitivity(network, list(point), duration=12.0)
    wanted, by_parameters = by_complex_steps(steps, point)
    np.testing.assert_allclose(found.states["a.x"][:, 0], wanted, rtol=1e-14)
    np.testing.assert_allclose(found["a.x"][:, :, 0].T, by_parameters, rtol=1e-13)
    weights = np.random.default_rng(5).normal(size=(13, 1))
    backward = brnn.sensitivity(network, list(point), lambda s: (weights * s["a.x"]).sum(), 12.0, mode="adjoint")
    np.testing.assert_allclose(backward.gradient, weights[:, 0] @ by_parameters, rtol=1e-12)
    with pytest.raises(brnn.InputError, match="nothing depends smoothly on the times of a schedule"):
        brnn.sensitivity(network, ["b.schedule.off"], duration=12.0)
