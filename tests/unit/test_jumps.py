"""Signals that jump: runs step to the jumps, so that errors are of the size of what was asked for."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

import brnn
from brnn.base.checks import number
from brnn.integrate.sides import AT_MOST
from brnn.signals import Signal

RTOL, ATOL = 1e-6, 1e-9
THETA = 0.5


def net(start, W, inputs, theta: float = THETA, decay: float = 1.0, **options) -> brnn.Network:
    """dx/dt = -decay x + inputs + W H(x - theta)."""
    signal = options.pop("signal", brnn.Step(1.0, theta))
    send = brnn.Projection("c", "c", "excitatory", signal, brnn.Dense(np.asarray(W, dtype=float)), **options)
    layer = brnn.Layer.additive("c", len(start), A=decay, initial=np.asarray(start, dtype=float))
    return brnn.Network("jumps", [layer], [send], [brnn.Stimulus("c", "excitatory", inputs)])


def course(x, W, inputs, times, theta: float = THETA, decay: float = 1.0) -> np.ndarray:
    """Return the exact states: between two switches each cell relaxes; it reaches theta after a logarithm."""
    x, W, inputs = (np.array(part, dtype=float) for part in (x, W, inputs))
    now, on, rows = 0.0, x >= theta, []
    for time in times:
        while True:
            goal = (inputs + W @ on) / decay
            with np.errstate(all="ignore"):
                after = np.log((x - goal) / (theta - goal)) / decay
            after = np.where((goal >= theta) != on, after, np.inf)
            first = int(np.argmin(after))
            if now + after[first] > time:
                break
            now, x = now + after[first], goal + (x - goal) * np.exp(-decay * after[first])
            x[first] = theta
            on = on ^ (np.arange(x.size) == first)
        rows.append(goal + (x - goal) * np.exp(-decay * (time - now)))
    return np.array(rows)


def off(found, right, rtol: float = RTOL) -> float:
    """Return the largest error in tolerances of the largest activity of each cell."""
    return float((np.abs(np.asarray(found) - right) / (ATOL + rtol * np.abs(right).max(axis=0))).max())


RING = (1.0 - 0.9 * (np.arange(3) + 0.5) / 3, -np.roll(np.eye(3), 1, axis=0), np.ones(3))
TIMES = np.linspace(0.0, 20.0, 41)


@pytest.mark.parametrize(
    ("solver", "tolerances"), [("auto", 10), ("compiled", 10), ("RK23", 100), ("DOP853", 10), ("LSODA", 100)]
)
def test_the_ring_of_rosenblatt_is_followed_as_closely_as_was_asked_for(solver: str, tolerances: float) -> None:
    ring, right = net(*RING), course(*RING, TIMES)
    for rtol in RTOL * np.linspace(0.5, 2.0, 12):
        run = brnn.simulate(ring, 20.0, times=TIMES, solver=solver, rtol=rtol)
        assert off(run["c.x"].values, right, rtol) < tolerances
    if solver != "compiled":
        assert "steps end where signals jump" in run.solver.details["reason"]


def drawn(seed: int) -> tuple:
    """Return numbers of a network whose cells do not inhibit themselves."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    W = rng.normal(0.0, 1.5, (n, n)) * (rng.random((n, n)) < 0.6)
    np.fill_diagonal(W, np.abs(np.diag(W)))
    return rng.uniform(-0.5, 1.5, n), W, rng.uniform(-1.0, 2.0, n), rng.uniform(0.1, 0.6), rng.uniform(0.5, 2.0)


def sensitivity(x, W, inputs, theta: float, decay: float, right: np.ndarray) -> float:
    """Return how many tolerances the exact course moves where the first state moves by one."""
    moved = [course(x + sign * (ATOL + RTOL * np.abs(x)), W, inputs, TIMES, theta, decay) for sign in (-1.0, 1.0)]
    return max(off(other, right) for other in moved)


@pytest.mark.parametrize("solver", ["auto", "compiled"])
def test_random_networks_of_steps_are_within_ten_tolerances(solver: str) -> None:
    """Where cells all but touch their thresholds, errors may grow as much as an error of the first state does."""
    errors = []
    for seed in range(30):
        x, W, inputs, theta, decay = drawn(seed)
        right = course(x, W, inputs, TIMES, theta, decay)
        run = brnn.simulate(net(x, W, inputs, theta, decay), times=TIMES, duration=20.0, solver=solver)
        errors.append(off(run["c.x"].values, right))
        assert errors[-1] < 10.0 * max(1.0, sensitivity(x, W, inputs, theta, decay, right))
    assert np.median(errors) < 1.0


def test_prepared_runs_and_members_of_a_sweep_are_right_and_the_same_as_compiled_runs() -> None:
    start, W, inputs = RING
    network, name, thetas = net(start, W, inputs), "c_c_exc.signal.threshold", [0.35, 0.45, 0.5, 0.6]
    prepared = brnn.prepare(network)
    members = brnn.sweep(network, brnn.Grid(**{name: thetas}), duration=20.0, progress=False)
    for k, theta in enumerate(thetas):
        right = course(start, W, inputs, TIMES, theta)
        allowed = 10.0 * max(1.0, sensitivity(start, W, inputs, theta, 1.0, right))
        assert off(prepared.trajectory({name: theta}, 20.0, times=TIMES), right) < allowed
        single = brnn.simulate(network.with_({name: theta}), 20.0, solver="compiled").final("c").values
        np.testing.assert_array_equal(members["c.x"].values[k], single)
        assert off(single, right[-1:]) < allowed


def filtered(theta: float, b: float = 3.0) -> tuple[brnn.Network, float]:
    """Return a cell that a Step of another one drives, which passes (t e^-t) and crosses theta twice or not at all."""
    a = brnn.Layer.additive("a", 1, A=1.0, initial=1.0)
    x = brnn.Layer.additive("x", 1, A=1.0)
    y = brnn.Layer.additive("y", 1, A=1.0)
    links = [
        brnn.Projection("a", "x", "excitatory", brnn.Linear(), brnn.OneToOne()),
        brnn.Projection("x", "y", "excitatory", brnn.Step(b, theta), brnn.OneToOne()),
    ]
    return brnn.Network("filter", [a, x, y], links), 1.0


@pytest.mark.parametrize("solver", ["auto", "compiled", "LSODA"])
@pytest.mark.parametrize("below", [1e-1, 1e-3, 1e-5])
def test_a_cell_that_rises_above_a_threshold_for_a_part_of_a_step_is_not_missed(solver: str, below: float) -> None:
    """x = t e^-t is above its greatest value 1/e less a little between two times t1 and t2, and y rises then."""
    from scipy.special import lambertw

    theta = np.exp(-1.0) * (1.0 - below)
    t1, t2 = (-float(lambertw(-theta, branch).real) for branch in (0, -1))
    network, _ = filtered(theta)
    run = brnn.simulate(network, 10.0, times=[10.0], solver=solver)
    expected = 3.0 * (np.exp(t2 - 10.0) - np.exp(t1 - 10.0))
    # By so much the moments move with a tolerance of x.
    moved = 3.0 * np.exp(1.0 - 10.0) * RTOL * theta / np.sqrt(2.0 * below * np.exp(-2.0))
    assert run.final("y").values[0] == pytest.approx(expected, rel=1e-5, abs=100 * moved + ATOL)


def test_a_signal_that_travels_jumps_when_it_arrives() -> None:
    """dx/dt = -x + 1 - H(x(t - 0.3) - 1/2): each crossing turns the input over 0.3 later."""
    delay, times = 0.3, np.linspace(0.1, 10.0, 34)
    now, x, sent, due, right = 0.0, 0.2, 0.0, [], []
    for time in times:
        while True:
            goal = 1.0 - sent
            crosses = (goal > 0.5) == (x < 0.5) and not due
            reach = now + np.log((x - goal) / (0.5 - goal)) if crosses else np.inf
            if min(reach, *due, np.inf) > time:
                break
            then = min(reach, *due, np.inf)
            x, now = goal + (x - goal) * np.exp(now - then), then
            if then == reach:
                due = [then + delay]
            else:
                due, sent = [], 1.0 - sent
        right.append(goal + (x - goal) * np.exp(now - time))
    for solver in ("auto", "RK23", "DOP853"):
        run = brnn.simulate(net([0.2], [[-1.0]], 1.0, delay=delay), 10.0, times=times, solver=solver)
        assert off(run["c.x"].values[:, 0], np.array(right)) < 30.0


@pytest.mark.parametrize("solver", ["auto", "compiled"])
def test_a_stiff_network_keeps_its_jumps(solver: str) -> None:
    """A follower of rate 3000 of a ring: dy/dt = 3000 (H(x_1 - theta) - y), the sum of what each switch leaves."""
    start, W, inputs = RING
    rate = 3000.0
    ring = brnn.Layer.additive("c", 3, A=1.0, initial=start)
    fast = brnn.Layer.additive("y", 1, A=rate)
    send = brnn.Projection("c", "c", "excitatory", brnn.Step(1.0, THETA), brnn.Dense(W))
    follow = brnn.Projection("c", "y", "excitatory", brnn.Step(1.0, THETA), brnn.Dense(rate * np.eye(3)[:1]))
    network = brnn.Network("stiff", [ring, fast], [send, follow], [brnn.Stimulus("c", "excitatory", inputs)])
    run = brnn.simulate(network, 40.0, times=2.0 * TIMES, solver=solver)
    right = course(start, W, inputs, 2.0 * TIMES)
    assert off(run["c.x"].values, right) < (200.0 if solver == "auto" else 10.0)  # auto goes on with LSODA
    settled = np.abs(right[:, 0] - THETA) > 0.02  # the last switch is long ago
    np.testing.assert_allclose(
        run["y.x"].values[1:, 0][settled[1:]], 1.0 * (right[1:, 0] >= THETA)[settled[1:]], atol=1e-5
    )
    assert run.solver.details["jacobians"] > 0
    assert run.solver.evaluations < 300_000


@pytest.mark.parametrize("solver", ["auto", "RK23"])
def test_an_event_and_a_jump_at_one_threshold(solver: str) -> None:
    """x rises to theta at log 2, sends from there, and is set back to 0 once: dx/dt = 1 + H(x - 1/2) - x."""
    network = net([0.0], [[1.0]], 1.0)
    back = brnn.Event("back", brnn.Crossing("c.x", THETA, "rising"), brnn.SetState("c.x", 0.0), once=True)
    run = brnn.simulate(network.replace(events=(back,)), 3.0, times=[1.0, 3.0], solver=solver)
    again = 2.0 * np.log(2.0)
    expected = [1.0 - np.exp(np.log(2.0) - 1.0), 2.0 - 1.5 * np.exp(again - 3.0)]
    np.testing.assert_allclose(run["c.x"].values[:, 0], expected, rtol=1e-5)
    assert run.events["time"].values == pytest.approx([np.log(2.0)], rel=1e-6)


def test_a_step_that_is_made_again_leaves_events_as_they_were() -> None:
    """x only falls, and stops sending where it passes theta: it never rises above theta.

    The exponential method refuses some of the steps that are made again up to there, since it knows less at a start; a
    shorter one ends where x is still above theta.
    """
    x, y = brnn.Layer.shunting("x", 1, A=1.0, B=1.0, initial=0.9), brnn.Layer.additive("y", 1, A=1.0)
    w = brnn.Layer.additive("w", 2, A=1.0, initial=[1.0, 0.0])
    turn = brnn.Projection("w", "w", "excitatory", brnn.Function("tanh(w)"), brnn.Dense([[8.0, -8.0], [8.0, 8.0]]))
    drive = brnn.Projection("w", "x", "excitatory", brnn.Power(1.0, 2.0), brnn.Dense([[0.8, 0.0]]))
    for theta in (0.6, 0.61, 0.74, 0.75):
        send = brnn.Projection("x", "y", "excitatory", brnn.Step(1.0, theta), brnn.OneToOne())
        risen = brnn.Event("risen", brnn.Crossing("x.x", theta, "rising"), ())
        network = brnn.Network("again", [x, y, w], [turn, drive, send], events=[risen])
        run = brnn.simulate(network, 0.5, times=np.linspace(0.0, 0.5, 11), solver="ETD4")
        assert (np.diff(run["x.x"].values[:, 0]) < 0.0).all()
        assert run["x.x"].values[-1, 0] < theta
        assert not run.events["time"].size


@pytest.mark.parametrize("solver", ["auto", "compiled"])
@pytest.mark.parametrize(("inputs", "goal"), [(0.0, 0.0), (1.0, 1.5)])
def test_a_cell_that_begins_at_its_jump_takes_the_side_to_which_it_goes(
    solver: str, inputs: float, goal: float
) -> None:
    """dx/dt = inputs - x + H(x - 1/2)/2 from 1/2: inputs of 0 keep it there, unless it takes a last bit less."""
    start = 0.5 if goal else np.nextafter(0.5, 0.0)
    run = brnn.simulate(net([start], [[0.5]], inputs), 3.0, times=[1.0, 3.0], solver=solver)
    np.testing.assert_allclose(run["c.x"].values[:, 0], goal + (0.5 - goal) * np.exp([-1.0, -3.0]), rtol=1e-5)


def test_rest_is_found_beyond_a_jump() -> None:
    """x rises to 1 at first, passes 1/2 and goes on to 3: a jump in front of a cell is no place to rest."""
    for solver in ("auto", "RK45", "compiled"):
        run = brnn.simulate(net([0.0], [[2.0]], 1.0), until="steady", solver=solver)
        assert run.status == "steady"
        assert run.final("c").values[0] == pytest.approx(3.0, rel=1e-6)


def test_a_cell_that_slides_along_its_jump_is_said_and_leaves_it() -> None:
    """dx/dt = 1 + pulse - x - H(x - 1/2) stays at 1/2 from log 1.6 on, until the pulse takes it to 2 - 1.5 e^-t."""
    pulse = brnn.Stimulus("c", "excitatory", 2.0, brnn.Pulse(on=0.6, off=1.0))
    network = net([0.2], [[-1.0]], 1.0)
    network = network.replace(stimuli=(*network.stimuli, pulse))
    run = brnn.simulate(network, 1.1, times=[0.6, 1.0, 1.1])
    left = 2.0 - 1.5 * np.exp(-0.4)
    np.testing.assert_allclose(run["c.x"].values[:, 0], [0.5, left, left * np.exp(-0.1)], atol=1e-5)
    assert "c.x[0] slides along its jump from t = 0.470" in run.solver.details["reason"]
    compiled = brnn.simulate(network, 1.1, times=[0.6, 1.0, 1.1], solver="compiled")
    np.testing.assert_allclose(compiled["c.x"].values, run["c.x"].values, atol=1e-5)


def test_more_jumps_than_can_be_looked_up_are_said() -> None:
    n = AT_MOST + 1
    layer = brnn.Layer.additive("c", n, A=1.0, initial=np.linspace(0.0, 1.0, n))
    send = brnn.Projection("c", "c", "inhibitory", brnn.Step(1.0 / n, 0.5), brnn.AllButSelf())
    network = brnn.Network("many", [layer], [send], [brnn.Stimulus("c", "excitatory", 1.0)])
    reason = brnn.simulate(network, 0.1, times=[0.1]).solver.details["reason"]
    assert f"steps go over the jumps of {n} signals" in reason


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Stairs(Signal):
    """0 below 1/4, 1/2 below 3/4, 1 from there on."""

    scale: float = 1.0
    _formula = "scale times 0, 1/2 or 1"

    def __post_init__(self):
        self._set(scale=number(self.scale, "Stairs: scale", above=0))

    @staticmethod
    def _kernel(w, scale):
        return 0.5 * scale * (1.0 * (w >= 0.25) + 1.0 * (w > 0.75))

    @staticmethod
    def _slope(w, scale):
        return 0.0 * np.abs(w)

    @staticmethod
    def _quotient(w, scale):
        return 0.5 * scale * (1.0 * (w >= 0.25) + 1.0 * (w > 0.75)) / np.maximum(w, 0.25)


def test_a_signal_of_the_users_own_with_two_jumps() -> None:
    """dx/dt = 1 + stairs(x) - x from 0: to 1, from 1/4 on to 3/2, from 3/4 on to 2."""
    assert Stairs().jumps == (0.25, np.nextafter(0.75, 1.0))
    run = brnn.simulate(net([0.0], [[1.0]], 1.0, signal=Stairs()), 3.0, times=TIMES[:7] / 2.0)
    first, second = np.log(1.0 / 0.75), np.log(1.25 / 0.75)
    right = []
    for t in TIMES[:7] / 2.0:
        early, middle = 1.0 - np.exp(-t), 1.5 - 1.25 * np.exp(first - t)
        late = 2.0 - 1.25 * np.exp(first + second - t)
        right.append(early if t < first else middle if t < first + second else late)
    assert off(run["c.x"].values[:, 0], np.array(right)) < 10.0


@pytest.mark.parametrize(
    ("signal", "jumps"),
    [
        (brnn.Step(1.0, 0.3), (0.3,)),
        (brnn.Step(0.0, 0.3), ()),
        (brnn.Expression("where(w < 0.3, w, 2*w)"), (0.3,)),
        (brnn.Expression("where(w < 0.3, w**2/0.3, w)"), ()),
        (brnn.Expression("1/(1 + exp(-w))"), (0.0,)),
        (brnn.Function("tanh(w)"), ()),
        (brnn.Function("where(a*w > b, 1, where(w < -2, -1, 0))", a=4.0, b=1.0), (-2.0, np.nextafter(0.25, 1.0))),
        (brnn.Expression("where(w < 0.3, 0, where(w < 0.301, 1, 0))"), (0.3, 0.301)),
        (brnn.ThresholdLinear(1.0, 0.2), ()),
        (brnn.Power(1.0, 0.5), ()),
    ],
)  # fmt: skip
def test_where_signals_jump(signal: Signal, jumps: tuple[float, ...]) -> None:
    assert signal.jumps == jumps


@pytest.mark.parametrize(("solver", "theta"), [("DOP853", 0.0), ("DOP853", 0.5), ("Radau", 0.0), ("Radau", 0.5)])
def test_a_cell_that_rests_at_its_threshold_may_leave_it_with_slope_0(solver: str, theta: float) -> None:
    """b rests at theta until a, which rises from 0 at t = 1, inhibits it: c, which f(b) drives, decays from then on."""
    starts = {"a": 0.0, "b": theta, "c": 0.0}
    layers = [brnn.Layer.additive(name, 1, A=1.0, initial=start) for name, start in starts.items()]
    links = [
        brnn.Projection("a", "b", "inhibitory", brnn.Linear(), brnn.OneToOne()),
        brnn.Projection("b", "c", "excitatory", brnn.Step(1.0, theta), brnn.OneToOne()),
    ]
    for onset in (0.0, 1.0):
        inputs = [
            brnn.Stimulus("a", "excitatory", 1.0, brnn.Pulse(onset, 100.0)),
            brnn.Stimulus("b", "excitatory", theta),
        ]
        run = brnn.simulate(brnn.Network("leaves", layers, links, inputs), 5.0, times=[5.0], solver=solver)
        expected = (1.0 - np.exp(-onset)) * np.exp(onset - 5.0)
        assert run.final("c").values[0] == pytest.approx(expected, rel=1e-6, abs=ATOL)
        assert run.solver.steps < 100


def spiral(times) -> np.ndarray:
    """Return a and b - theta of a' = -a + 1/2 - H(b - theta), b' = -b + theta + a from 0 and 0.3, exactly.

    b comes back to theta after s with expm1(s)/s = 1 + 2 v, where v is abs(a) when it was there last.
    """
    rows, now, a, y, goal = [], 0.0, 0.0, 0.3, -0.5

    def after(s: float) -> tuple[float, float]:
        return goal + (a - goal) * np.exp(-s), goal + ((a - goal) * s + y - goal) * np.exp(-s)

    for time in times:
        while True:
            back = brentq(lambda s: after(s)[1], 1e-3 * abs(a) + 1e-9, 8.0 * abs(a) + 2.0)
            if now + back > time:
                break
            now, a, y, goal = now + back, after(back)[0], 0.0, -goal
        rows.append(after(time - now))
    return np.array(rows)


def relay() -> brnn.Network:
    layer = brnn.Layer.additive("c", 2, A=1.0, initial=[0.0, THETA + 0.3])
    jumping = brnn.Projection("c", "c", "inhibitory", brnn.Step(1.0, THETA), brnn.Dense([[0.0, 1.0], [0.0, 0.0]]))
    smooth = brnn.Projection("c", "c", "excitatory", brnn.Function("w"), brnn.Dense([[0.0, 0.0], [1.0, 0.0]]))
    drive = brnn.Stimulus("c", "excitatory", [0.5, THETA])
    return brnn.Network("relay", [layer], [jumping, smooth], [drive])


@pytest.mark.parametrize(("solver", "error"), [("auto", 5e-6), ("BDF", 1e-4), ("Radau", 2e-5)])
def test_a_spiral_into_a_jump_is_followed(solver: str, error: float) -> None:
    """Each half turn takes 4 v and leaves v - 8/3 v^2, so that v falls as exp(-2 t/3) and the turns never end."""
    times = np.linspace(0.0, 3.0, 7)
    found = brnn.simulate(relay(), 3.0, times=times, solver=solver)["c.x"].values - [0.0, THETA]
    np.testing.assert_allclose(found, spiral(times), atol=error)


def test_a_spiral_that_has_become_too_fine_is_given_up_with_a_reason() -> None:
    """From where its turns are as wide as the tolerance, b slides along its jump, and a ends within what is left."""
    with pytest.raises(brnn.IntegrationError, match=r"c\.x\[1\] slides along its jump from t = .* a steep Sigmoid"):
        brnn.simulate(relay(), 1e6, solver="RK23", rtol=1e-2, atol=1e-7)
