"""Weights by factors: the same method as ever to rounding, whatever the number of threads, and what it is not for."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.compiler import compile_network
from brnn.integrate import weights
from brnn.integrate.steppers import affine_weights, sharing
from brnn.integrate.steppers.affine_weights import AffineWeights
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.threads import passes_shared, place


def network(seed: int = 0, **more: object) -> brnn.Network:
    """Return one with every law that fits, a window, a ramp, a gate, factors, and without connections to itself."""
    rng = np.random.default_rng(seed)
    f, shape = brnn.Sigmoid(1.0, 0.5), (6, 9)

    def learning(law: type, *shape: int, **options: object) -> brnn.Learning:
        return law(rng.uniform(0.5, 2.0), initial=rng.uniform(0.0, 1.0, shape), **options)

    return brnn.Network(
        "weights",
        [
            brnn.Layer.shunting("a", shape[1], A=1.0, B=2.0, D=0.2, initial=rng.uniform(0, 1, shape[1])),
            brnn.Layer.shunting("b", shape[0], A=1.0, B=1.0, initial=rng.uniform(0, 1, shape[0])),
        ],
        [
            brnn.Projection(
                "a", "b", "excitatory", f, brnn.AllToAll(0.4), name="up", gate=brnn.HabituativeGate(0.2, 1.0, 1.5),
                learning=learning(brnn.Instar, *shape, schedule=brnn.Pulse(0.5, 2.5)),
            ),
            brnn.Projection(
                "b", "a", "excitatory", brnn.Linear(), brnn.AllToAll(0.3), name="down",
                learning=learning(brnn.Outstar, *shape[::-1], schedule=brnn.Ramp(0.0, 3.0)),
                modulation=brnn.Modulation("a", f, 1.0, 0.5),
            ),
            brnn.Projection(
                "a", "a", "inhibitory", f, brnn.AllButSelf(0.5), name="among",
                learning=learning(brnn.PassiveDecay, shape[1], shape[1], decay=0.3),
            ),
            brnn.Projection(
                "b", "b", "inhibitory", f, brnn.AllButSelf(0.5), name="rivals",
                learning=learning(brnn.Instar, shape[0], shape[0]),
                modulation=brnn.Modulation("b", f, 1.0, -0.3, "source"),
            ),
        ],
        [
            brnn.Stimulus("a", "excitatory", rng.random(shape[1])),
            brnn.Stimulus("b", "excitatory", rng.random(shape[0]), brnn.Sine(0.5, 0.5, 1.0)),
        ],
    )  # fmt: skip


def piece(stop: float = 2.4, spec: brnn.Network | None = None) -> Piece:
    system = compile_network(spec or network())
    return Piece(system.rhs(1.0), 0.6, system.initial_state(), stop, 1e-6, 1e-9, system)


def at_the_end(stepper: AffineWeights | PairStepper) -> tuple[np.ndarray, np.ndarray]:
    """Return the states at the end and at times within the steps."""
    times, rows = np.linspace(0.61, 2.39, 9), []
    while stepper.status == "running":
        rows.append(stepper.advance(times[sum(map(len, rows)) :], 2, 3).copy())
    return stepper.y, np.concatenate(rows)


def test_it_makes_the_steps_of_the_explicit_method() -> None:
    factors, stages = AffineWeights(piece()), PairStepper(piece())
    (y, inside), (expected, expected_inside) = at_the_end(factors), at_the_end(stages)
    assert (factors.steps, factors.nfev) == (stages.steps, stages.nfev)
    assert len(inside) == len(expected_inside) == 9
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-11, atol=1e-13)


class Wearing(brnn.Learning):
    """A law of one's own, whose weights wear out with all that their sources signal."""

    end = "target"

    def reads(self, own: brnn.Signal) -> tuple[tuple[brnn.Signal, str], ...]:
        return (self.sampled, "source total"), (own, "target"), (self.sampled, "source")

    @staticmethod
    def law(z: float, total: float, f: float, h: float, rate: float) -> float:
        return rate * (1.0 - f) * h - (rate * f + 0.2 * total) * z

    @staticmethod
    def parts(total: float, f: float, h: float, rate: float) -> tuple[float, float, float]:
        return rate * f + 0.2 * total, rate * (1.0 - f), h


def test_a_law_of_ones_own_may_read_a_total() -> None:
    layers = [
        brnn.Layer.shunting(name, cells, A=1.0, B=1.0, initial=np.linspace(0.1, 0.9, cells))
        for name, cells in (("a", 3), ("b", 2))
    ]
    rule = Wearing(0.7, initial=np.linspace(0.0, 1.0, 6).reshape(2, 3))
    link = brnn.Projection("a", "b", "excitatory", brnn.Linear(), brnn.AllToAll(0.4), learning=rule)
    spec = brnn.Network("worn", layers, [link])
    (y, inside), (expected, expected_inside) = (
        at_the_end(kind(piece(spec=spec))) for kind in (AffineWeights, PairStepper)
    )
    np.testing.assert_allclose(y, expected, rtol=1e-11)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-11)


def test_single_steps_and_a_new_beginning_give_the_same_bits() -> None:
    whole, single = AffineWeights(piece()), AffineWeights(piece())
    y, _ = at_the_end(whole)
    for _ in range(4):
        single.step()
    before, middle = single.t - 0.3 * single.step_size, single.dense_output()
    again = AffineWeights(piece())
    np.testing.assert_allclose(middle(np.array([before, single.t])).T[1], single.y)
    while again.t < single.t:
        again.step()
    np.testing.assert_array_equal(again.dense_output()(before), middle(before))
    p = piece()
    resumed = AffineWeights(Piece(p.fun, single.t, single.y, p.stop, p.rtol, p.atol, p.system))
    resumed.h_abs, resumed.remembered = single.h_abs, single.remembered
    while resumed.status == "running":
        resumed.step()
    np.testing.assert_array_equal(resumed.y, y)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_bits_do_not_depend_on_the_number_of_threads(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affine_weights, "_LEAST", 0)  # pieces of two rows
    ends = []
    for processors in (1, count):
        monkeypatch.setattr(affine_weights, "processors", lambda: processors)  # noqa: B023
        stepper = AffineWeights(piece())
        assert (stepper._helpers == 0) == (processors == 1)
        ends.append(at_the_end(stepper))
    for found, expected in zip(*ends, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["_PRODUCTS", "_STEP"])
def test_a_pass_from_the_back_does_what_one_from_the_front_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is how others help; in short runs they come too late."""
    monkeypatch.setattr(affine_weights, "_LEAST", 0)
    stepper = AffineWeights(piece())
    for _ in range(3):
        stepper.step()
    code, whole = stepper._code, stepper._shared[0]
    found = []
    for back in (0, 1):
        stepper._new[stepper._K.shape[1] :] = np.nan
        for one in stepper._weights:
            one.rooms["PRODUCT"][:] = np.nan
        whole[[code.KIND, sharing.DONE]] = getattr(code, kind), 0
        assert whole[sharing.PARTS] == 16
        if back:
            with passes_shared(whole, [0]):
                whole[sharing.TAKEN] = 0
                while whole[sharing.DONE] < 16:
                    sleep(1e-4)
        else:
            for piece_of_all in range(16):
                code.do_piece.ctypes(place(stepper._arrays), 0, piece_of_all)
        found.append(np.concatenate([stepper._new, *(one.rooms["PRODUCT"] for one in stepper._weights)]))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.isnan(found[0]).any() == (kind == "_PRODUCTS")


@pytest.mark.parametrize("rtol", [1e-5, 1e-8])
def test_the_error_stays_within_ten_tolerances(rtol: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_LEAST", 0)
    times = np.array([0.2, 0.5, 1.3, 2.5, 3.0, 4.0])
    for seed in range(3):
        spec = network(seed)
        result = brnn.simulate(spec, 4.0, times=times, solver="RK45", rtol=rtol, atol=1e-9)
        assert "weights by factors" in result.solver.details["reason"]
        system = compile_network(spec)
        state, rows = system.initial_state(), []
        for start, stop in ((0.0, 0.5), (0.5, 2.5), (2.5, 3.0), (3.0, 4.0)):
            some = times[(times > start) & (times <= stop)]
            fun = system.rhs(0.5 * (start + stop))
            done = solve_ivp(fun, (start, stop), state, "DOP853", t_eval=some, rtol=1e-11, atol=1e-13)
            state = done.y[:, -1]
            rows.append(done.y.T)
        expected = np.concatenate(rows)
        found = np.concatenate([result[v.name].values.reshape(times.size, -1) for v in system.variables], axis=1)
        assert np.max(np.abs(found - expected) / (1e-9 + rtol * np.abs(expected).max(axis=0))) <= 10.0


def test_layers_keep_their_bounds_beside_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source of weights has proven bounds, onto which its saved activities are projected; dx/dt = -x, here."""
    monkeypatch.setattr(weights, "_LEAST", 0)
    layers = [brnn.Layer.shunting("a", 2, A=1.0, B=1.0, initial=0.5), brnn.Layer.shunting("b", 3, A=1.0, B=1.0)]
    link = brnn.Projection("a", "b", "excitatory", brnn.Linear(), brnn.AllToAll(), learning=brnn.Instar(0.3))
    result = brnn.simulate(brnn.Network("bounded", layers, [link]), 3.0, solver="RK45")
    np.testing.assert_allclose(result["a.x"].values[:, 0], 0.5 * np.exp(-result.times), rtol=1e-5)


class Faster(brnn.Instar):
    """A law of one's own with the parts of another: they do not belong to it."""

    @staticmethod
    def law(z: float, f: float, h: float, rate: float) -> float:
        return 2.0 * rate * f * (h - z)


@pytest.mark.parametrize(
    ("learning", "topology", "gate", "why"),
    [
        (brnn.DoublyGated(), brnn.AllToAll(), None, "DoublyGated is not one of the source"),
        (brnn.SelfNormalizing(), brnn.AllToAll(), None, "SelfNormalizing is not one of the source"),
        (Faster(), brnn.AllToAll(), None, "Faster is not one of the source"),
        (brnn.Instar(), brnn.Dense(np.ones((400, 400))), None, "topology is Dense"),
        (brnn.Instar(), brnn.AllToAll(), brnn.HabituativeGate(1.0, 1.0, 1.0, per="connection"), "a gate of its own"),
    ],
)
def test_what_does_not_fit_says_so(learning, topology, gate, why) -> None:
    link = brnn.Projection("a", "a", "excitatory", brnn.Linear(), topology, learning=learning, gate=gate, name="link")
    spec = brnn.Network("other", [brnn.Layer.shunting("a", 400, A=1.0, B=1.0)], [link])
    fits, said = weights.by_factors(spec)
    assert not fits
    assert said.startswith("; weights stage by stage, as of link ")
    assert why in said


def test_a_small_network_says_nothing() -> None:
    assert weights.by_factors(network()) == (False, "")
