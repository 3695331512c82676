"""Repeated runs with white noise, side by side in compiled code: their moments, their order, and whose they are."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.ensemble.arrays import pack
from brnn.ensemble.noise import NoiseRules, default_step, run_noisy
from brnn.ensemble.run import Ensemble
from brnn.ensemble.status import FAILED
from brnn.integrate.methods.stochastic import check_step
from brnn.sweeps.seeds import member_seeds


def noise(strength: float = 1.0) -> brnn.Stimulus:
    return brnn.Stimulus("F1", "excitatory", strength, brnn.WhiteNoise())


def ornstein_uhlenbeck(A: float = 1.0) -> brnn.Network:
    """x' = -A x + noise, in two cells; two noises, of 0.6 and 0.8, are together one of 1."""
    layer = brnn.Layer.additive("F1", 2, A=A, initial=[2.0, -1.0])
    return brnn.Network("ou", [layer], [], [noise(0.6), noise(0.8)], duration=1.0)


def repeated(network: brnn.Network, steps: float, seeds: np.ndarray, scheme: str = "SRIW1", **options: Any) -> Any:
    members = [pack(network, 1.0)] * seeds.size
    return run_noisy(Ensemble.of(members), NoiseRules(scheme, np.full(seeds.size, steps), seeds), **options)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("repeats") / "sweep.h5"
    design = brnn.Grid(A=[0.5, 2.0]) * brnn.Repeats(1000)
    brnn.sweep(ornstein_uhlenbeck, design, times=[0.25], seed=11, out=path, progress=False).close()
    return path


def test_moments_of_the_ornstein_uhlenbeck_process(swept: Path) -> None:
    """Mean x_0 exp(-A t), variance (1 - exp(-2 A t))/(2 A): each within four standard errors; cells independent."""
    with brnn.open(swept) as data:
        grid = brnn.unstack(data.load())
    assert grid["F1.x"].dims == ("A", "repeat", "F1")
    count = grid.sizes["repeat"]
    for k, A in enumerate([0.5, 2.0]):
        for t, x in ((0.25, grid["F1.x.t"].values[k, :, 0]), (1.0, grid["F1.x"].values[k])):
            variance = (1.0 - np.exp(-2.0 * A * t)) / (2.0 * A)
            np.testing.assert_array_less(
                np.abs(x.mean(axis=0) - np.exp(-A * t) * np.array([2.0, -1.0])), 4.0 * np.sqrt(variance / count)
            )
            np.testing.assert_array_less(np.abs(x.var(axis=0, ddof=1) / variance - 1.0), 4.0 * np.sqrt(2.0 / count))
            assert abs(np.corrcoef(x.T)[0, 1]) < 4.0 / np.sqrt(count)


def test_each_member_has_a_seed_of_its_own_in_the_file(swept: Path) -> None:
    with brnn.open(swept) as data:
        seeds = data["seed"].values
        np.testing.assert_array_equal(seeds, member_seeds(11, np.arange(2000)))
        assert np.unique(seeds).size == np.unique(data["F1.x"].values[:, 0]).size == 2000
        np.testing.assert_array_equal(data["repeat"], np.tile(np.arange(1000), 2))
        one = brnn.member(data, 1234, ornstein_uhlenbeck)
        assert one.parameters == {"A": 2.0, "repeat": 234}
        assert one.arguments == {"A": 2.0}
        assert one.seed == int(seeds[1234])
        result = one.run()
        np.testing.assert_array_equal(result.final("F1").values, data["F1.x"].values[1234])
        np.testing.assert_array_equal(result["F1.x"].values[0], data["F1.x.t"].values[1234, 0])


def test_what_comes_of_a_member_depends_on_its_seed_alone(tmp_path: Path) -> None:
    network = ornstein_uhlenbeck()
    seeds = member_seeds(0, np.arange(70))
    whole = repeated(network, 1e-2, seeds, threads=2)
    np.testing.assert_array_equal(repeated(network, 1e-2, seeds, threads=1).final, whole.final)
    some = np.array([69, 3, 40])
    np.testing.assert_array_equal(repeated(network, 1e-2, seeds[some]).final, whole.final[some])
    design = brnn.Repeats(40)
    data = brnn.sweep(network, design, progress=False)
    with ThreadPoolExecutor(2) as threads:
        other = brnn.sweep(network, design, executor=threads, progress=False)
    np.testing.assert_array_equal(other["F1.x"], data["F1.x"])
    part = brnn.sweep(network, design, shard=(2, 3), out=tmp_path / "part.h5", progress=False)
    np.testing.assert_array_equal(part["F1.x"].values[1::3], data["F1.x"].values[1::3])
    part.close()


def test_rerun_has_the_same_noise(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    brnn.sweep(ornstein_uhlenbeck(), brnn.Repeats(5), times=[0.5], out=path, progress=False).close()
    again = brnn.rerun(path)
    assert again.passed
    assert (again.largest_difference, again.members) == (0.0, 5)


@pytest.mark.parametrize(("scheme", "order"), [("SRIW1", 1.5), ("EulerMaruyama", 0.5)])
def test_strong_order_beside_the_exact_solution_for_the_same_noise(scheme: str, order: float) -> None:
    """x' = s (1 - x) noise: 1 - x = exp(-s^2 t/2 - s W)."""
    s, seeds = 0.7, np.arange(1000)
    layer = brnn.Layer.shunting("F1", 1, A=0.0, B=1.0)
    network = brnn.Network("multiplicative", [layer], [], [noise(s)], duration=1.0)
    errors = []
    for steps in (16, 64, 256):
        draws = (steps, 2, 1) if scheme == "SRIW1" else (steps, 1, 1)
        W = np.array([np.random.default_rng(seed).standard_normal(draws)[:, 0, 0].sum() for seed in seeds])
        exact = 1.0 - np.exp(-0.5 * s**2 - s * W / np.sqrt(steps))
        found = repeated(network, 1.0 / steps, seeds, scheme)
        assert (found.counts[:, 0] == steps).all()
        errors.append(np.abs(found.final[:, 0] - exact).mean())
    found_order = 0.25 * np.log2(errors[0] / errors[2])
    assert abs(found_order - order) < 0.1, (errors, found_order)


def test_beside_another_scheme_of_order_one_and_a_half_for_the_same_noise() -> None:
    """The Taylor scheme of Kloeden and Platen (section 10.4), with derivatives by hand: x' = I - A x + s (1 - x) noise.

    The input I comes on at 0.5, so that there are two pieces.
    """
    A, s, level, seeds = 1.5, 0.5, 0.8, np.arange(100)
    layer = brnn.Layer("F1", 1, A=A, B=1.0, C=1.0, E=0.0, F=1.0, initial=0.3)
    shunted = brnn.Stimulus("F1", "excitatory", level, brnn.Pulse(on=0.5, off=2.0))
    network = brnn.Network("drifting", [layer], [], [noise(s), shunted], duration=1.0)
    differences = []
    for steps in (16, 32, 64):
        h = 1.0 / steps
        x = np.full(seeds.size, 0.3)
        draws = np.array([np.random.default_rng(seed).standard_normal((steps, 2, 1)) for seed in seeds])[..., 0]
        for k in range(steps):
            w, v = np.sqrt(h) * draws[:, k, 0], np.sqrt(h) * draws[:, k, 1]
            z = 0.5 * h * (w + v / np.sqrt(3.0))
            I = level if k >= steps // 2 else 0.0
            a, da = -A * x + (1.0 - x) * I, -A - I
            b, db = s * (1.0 - x), -s
            x = (
                x + a * h + b * w + 0.5 * b * db * (w**2 - h) + da * b * z + 0.5 * a * da * h**2
                + a * db * (w * h - z) + 0.5 * b * db**2 * (w**2 / 3.0 - h) * w
            )  # fmt: skip
        found = repeated(network, h, seeds).final[:, 0]
        differences.append(np.sqrt(np.mean((found - x) ** 2)))
    assert differences[2] < 1e-4
    assert 0.5 * np.log2(differences[0] / differences[2]) > 1.3, differences


def test_a_step_that_is_too_long_is_said() -> None:
    network = brnn.Network("stiff", [brnn.Layer.additive("F1", 1, A=1e6)], [], [noise()], duration=1.0)
    found = repeated(network, 0.01, np.arange(3))
    assert (found.status == FAILED).all()
    assert "the step is too long" in found.failure(0)
    assert np.isfinite(found.final).all()
    assert (found.reached < 1.0).all()
    with pytest.warns(UserWarning, match="is too long"), pytest.raises(brnn.IntegrationError):
        brnn.simulate(network, 1.0, seed=0, step=0.01, solver="compiled")


def test_many_steps_that_nobody_asked_for_are_said() -> None:
    """A cell of rate 1e6 for two units of time: 2e7 steps of 1e-7."""
    with pytest.warns(UserWarning, match=r"makes 2e\+07 steps of 1e-07, .* is about 1e\+06; .* \(step=, --step\)"):
        check_step(default_step(2.0, 1e6), 2.0, 1e6, asked=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_step(1e-7, 2.0, 1e6, asked=True)
        check_step(default_step(2.0, 10.0), 2.0, 10.0, asked=False)


def test_saved_times_and_what_they_are_in_one_run() -> None:
    """The compiled steps of one run are those that NumPy makes, to rounding: at break points and saved times, too."""
    pulse = brnn.Stimulus("F1", "inhibitory", 0.4, brnn.Pulse(on=0.21, off=0.53))
    wave = brnn.Stimulus("F1", "excitatory", [0.1, 0.0, 0.2], brnn.Sine(frequency=2.0))
    f = brnn.Sigmoid(half=0.3)
    layer = brnn.Layer.shunting("F1", 3, A=1.0, B=1.0, D=0.5, initial=[0.1, 0.2, 0.3])
    links = [
        brnn.Projection("F1", "F1", "excitatory", f),
        brnn.Projection("F1", "F1", "inhibitory", f, brnn.AllButSelf()),
    ]
    network = brnn.Network("field", [layer], links, [noise(0.3), pulse, wave], duration=1.0)
    times = [0.0, 0.1, 1.0 / 3.0, 0.53, 1.0]
    slow = brnn.simulate(network, times=times, seed=5, step=1e-3, solver="SRIW1")
    fast = brnn.simulate(network, times=times, seed=5, step=1e-3, solver="compiled")
    np.testing.assert_array_equal(fast.times, slow.times)
    np.testing.assert_allclose(fast["F1.x"], slow["F1.x"], rtol=0, atol=1e-13)
    assert (fast.solver.steps, fast.solver.evaluations) == (slow.solver.steps, slow.solver.evaluations)


def test_the_design() -> None:
    design = brnn.Grid(A=[0.5, 1.0]) * brnn.Repeats(3)
    assert (design.size, design.names, design.taken, design.counted) == (6, ("A", "repeat"), ("A",), ("repeat",))
    assert design.member(4) == {"A": 1.0, "repeat": 1}
    assert design.settings(4) == {"A": 1.0}
    assert brnn.Design.from_json(design.to_json()).to_json() == design.to_json()
    assert repr(brnn.Repeats(3)) == "Repeats(3)"
    assert repr(brnn.Repeats(3, "trial")) == "Repeats(3, 'trial')"
    for wrong in (0, 2.5, "x", None):
        with pytest.raises(brnn.SpecError, match="Repeats: n = "):
            brnn.Repeats(wrong)  # type: ignore[arg-type]
    for name in ("a.b", "", "1"):
        with pytest.raises(brnn.SpecError, match="Repeats: "):
            brnn.Repeats(2, name)
    with pytest.raises(brnn.SpecError, match="'repeat' is in two designs"):
        brnn.Repeats(2) * brnn.Repeats(3)


def test_repeats_without_noise_are_pointed_out() -> None:
    with pytest.warns(UserWarning, match="rcf has no white noise and no events of chance"):
        brnn.sweep("rcf", brnn.Repeats(2), duration=0.1, progress=False)


# Steps that the network allows -------------------------------------------------------------------------------------


def decay(A: float = 1.0, cells: int = 1, later: float = 0.0) -> brnn.Network:
    """x' = -(A + I) x + noise with I = `later` from t = 0.5 on."""
    layer = brnn.Layer.shunting("F1", cells, A=A, B=1.0, D=1.0)
    stimuli = [brnn.Stimulus("F1", "inhibitory", later, brnn.Pulse(on=0.5, off=np.inf))] if later else []
    return brnn.Network("decay", [layer], [], [*stimuli, brnn.Stimulus("F1", "inhibitory", 1.0, brnn.WhiteNoise())])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_default_step_follows_the_rates_whatever_the_unit_of_time(scale: float) -> None:
    """x' = -A x + sqrt(A) noise has the variance 1/2 after many time constants, here 20,000 of them."""
    network = brnn.Network(
        "ou", [brnn.Layer.additive("F1", 8, A=scale)], [], [noise(float(np.sqrt(scale)))], duration=2e4 / scale
    )
    data = brnn.sweep(network, brnn.Repeats(32), seed=1, progress=False)
    x = data["F1.x"].values.ravel()
    assert abs(x.var() / 0.5 - 1.0) < 4.0 * np.sqrt(2.0 / x.size)
    np.testing.assert_allclose(data["steps"], 200_000, rtol=0.01)


@pytest.mark.parametrize("solver", ["SRIW1", "compiled"])
def test_the_step_of_one_run_follows_the_rates_of_every_part_of_it(solver: str) -> None:
    fast = brnn.simulate(decay(A=1000.0), 1.0, seed=0, times=[1.0], solver=solver)
    assert fast.solver.steps == 10_000  # a ten thousandth of the run is short enough
    slow = brnn.simulate(decay(A=1.0, later=2000.0), 1.0, seed=0, times=[1.0], solver=solver)
    np.testing.assert_allclose(slow.solver.steps, 20_010, rtol=1e-3)


@pytest.mark.parametrize("solver", ["SRIW1", "compiled"])
def test_steps_that_no_network_allows(solver: str) -> None:
    network = brnn.Network("stiff", [brnn.Layer.additive("F1", 1, A=25.0)], [], [noise()])
    with pytest.warns(
        UserWarning, match=r"step = 0.1: is too long .* about 25: .* above 0.04, .* above 0.08; try 0.004"
    ):
        brnn.simulate(network, 1.0, seed=0, step=0.1, solver=solver)
    with pytest.raises(brnn.InputError, match=r"step = 1e-300: the run would take 1e\+300 steps"):
        brnn.simulate(network, 1.0, seed=0, step=1e-300, solver=solver)
