"""Inputs along a trajectory: the path, its tunings, and what compiled code makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import brnn
from brnn.analysis import autocorrelogram, grid_score, rate_map

PATH = brnn.Trajectory(np.array([1.0, 2.0, 4.0]), np.array([0.0, 3.0, 3.0]), np.array([0.0, 4.0, -4.0]))


def test_a_path_is_straight_between_samples() -> None:
    x, y = PATH.at([0.0, 1.5, 3.0, 9.0])
    assert x.tolist() == [0.0, 1.5, 3.0, 3.0]
    assert y.tolist() == [0.0, 2.0, 0.0, -4.0]
    assert PATH.speeds.tolist() == [5.0, 4.0]
    assert PATH.duration == 3.0


def test_turns_and_a_run_from_the_origin() -> None:
    arena = brnn.Trajectory([0.0, 1.0], [5.0, 3.0], [0.0, 0.0], [-4.0, 6.0, -4.0, 4.0])  # type: ignore[arg-type]
    turned = arena.rotated(math.pi / 2)  # (5, 0) comes to (0, 5), outside of the arena
    np.testing.assert_allclose((turned.x, turned.y), [[0.0, 0.0], [4.0, 3.0]], atol=1e-15)
    first = brnn.Trajectory([7.0, 8.0], [3.0, 9.0], [4.0, 4.0]).from_origin(2.0)  # type: ignore[arg-type]
    assert (first.t.tolist(), first.x.tolist()) == ([0.0, 2.5, 3.5], [0.0, 3.0, 9.0])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (([0.0, 1.0, 2.0], [0.0, np.nan, np.nan], [0.0, 0.0, 0.0]), "x: has a gap at t = 1 (sample 1, 2 missing of 2"),
        (([0.0, 1.0], [0.0, 7.0], [0.0, 0.0], [-5, 5, -5, 5]), "leaves the arena at t = 1 (sample 1, 1 outside"),
        (([0.0, 0.0], [0.0, 1.0], [0.0, 0.0]), "must rise, but sample 1 is at 0 and the one before at 0"),
        (([0.0, 1.0, 1.0], [0.0] * 3, [0.0] * 3), "must rise, but sample 2 is at 1 and the one before at 1"),
        (([0.0], [0.0], [0.0]), "at least two"),
        (([0.0, 1.0], [0.0, 1.0, 2.0], [0.0, 0.0]), "x: has 3 samples, t has 2"),
        (([0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [5, -5, -5, 5]), "must be least x, largest x"),
    ],
)
def test_what_is_wrong_with_a_path_is_said_with_its_place(given: tuple, says: str) -> None:
    with pytest.raises(brnn.SpecError) as error:
        brnn.Trajectory(*given)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_random_walk_has_the_statistics_that_are_known() -> None:
    walk = brnn.Trajectory.random_walk(4000.0, 3, arena=(-20, 60, -50, 50), speed=14.0, turning=0.5)
    speeds = np.quantile(walk.speeds, [0.5, 0.99]) / 14.0
    assert walk.speeds.mean() == pytest.approx(14.0, rel=0.03)
    np.testing.assert_allclose(
        speeds, [math.sqrt(math.log(4.0) * 2.0 / math.pi), 2.0 * math.sqrt(math.log(100.0) / math.pi)], rtol=0.04
    )
    v = np.diff([walk.x, walk.y])[:, 1:-1] / 0.02
    inside = (np.abs(walk.x[1:-2] - 20) < 25) & (np.abs(walk.y[1:-2]) < 35)
    lag = 20  # 0.4 s, in which it seldom comes to a wall
    both = inside[:-lag] & inside[lag:]
    correlation = (v[:, :-lag] * v[:, lag:])[:, both].mean() / (v**2)[:, inside].mean()
    assert correlation == pytest.approx(math.exp(-0.4 / 0.5), abs=0.06)
    counts = np.histogram2d(walk.x, walk.y, bins=2)[0] / walk.x.size
    np.testing.assert_allclose(counts, 0.25, atol=0.06)
    assert walk.x.min() >= -20.0
    assert walk.x.max() <= 60.0
    assert walk == brnn.Trajectory.random_walk(4000.0, 3, arena=(-20, 60, -50, 50), speed=14.0, turning=0.5)
    told = walk.statistics()
    assert told["turning time"] == pytest.approx(0.5, abs=0.1)
    assert told["covered"] > 0.99


def stripe(x: float, y: float, direction: float, offset: float) -> float:
    """A stripe of spacing 10 and width 2, by the distance to each of many stripes."""
    p = x * math.cos(direction) + y * math.sin(direction)
    return max(math.exp(-((p - offset - 10.0 * k) ** 2) / 8.0) for k in range(-20, 21))


def test_an_input_along_a_path_is_integrated() -> None:
    """Two trials, the second one turned by a quarter; the integral of the input is that by hand."""
    directions, offsets = [0.3, -1.0, 0.3], [0.0, 4.0, 5.0]
    tuning = brnn.StripeTuning(np.array(directions), np.array(offsets), 10.0, 2.0)
    course = brnn.AlongTrajectory(PATH, tuning, np.array([0.0, math.pi / 2]))
    cells = brnn.Layer.additive("cells", 3, A=0.0)
    network = brnn.Network("walk", [cells], stimuli=[brnn.Stimulus("cells", "excitatory", [1.0, 2.0, 3.0], course)])
    assert brnn.Network.from_json(network.to_json()) == network
    found = brnn.simulate(network, 6.0, times=[0.0, 3.0, 6.0], rtol=1e-9, atol=1e-11)["cells.x"].values
    times = np.linspace(0.0, 3.0, 6001)
    x, y = np.interp(times + 1.0, PATH.t, PATH.x), np.interp(times + 1.0, PATH.t, PATH.y)
    for trial, (px, py) in enumerate(((x, y), (-y, x))):
        for k in range(3):
            values = [(k + 1) * stripe(*place, directions[k], offsets[k]) for place in zip(px, py, strict=True)]
            assert found[trial + 1, k] - found[trial, k] == pytest.approx(np.trapezoid(values, times), abs=2e-6)
    assert network.breaks(6.0).tolist() == [3.0]
    assert network.settled() == 6.0


def test_place_fields_and_wrong_tunings() -> None:
    tuning = brnn.PlaceTuning(np.array([0.0, 3.0]), 4.0, 2.0)
    course = brnn.AlongTrajectory(PATH, tuning)
    shown = brnn.Stimulus("cells", "excitatory", 2.0, course).at(1.0, (2,))  # at (3, 4)
    np.testing.assert_allclose(shown, [2.0 * math.exp(-9.0 / 8.0), 2.0])
    cells = brnn.Layer.additive("cells", 3, A=1.0)
    with pytest.raises(brnn.SpecError, match=r"PlaceTuning: x: has shape \(2,\), must be one number or have the"):
        brnn.Network("walk", [cells], stimuli=[brnn.Stimulus("cells", "excitatory", 1.0, course)])
    with pytest.raises(brnn.SpecError, match="must be > 0"):
        brnn.PlaceTuning(0.0, 0.0, 0.0)
    with pytest.raises(brnn.SpecError, match="of a stimulus only"):
        brnn.Instar(rate=1.0, schedule=brnn.AlongTrajectory(PATH, brnn.PlaceTuning(0.0, 0.0, 1.0)))


def test_what_cannot_follow_a_path_says_so() -> None:
    from brnn.ensemble.arrays import unfit

    network = brnn.models.gridsmap.build(PATH, cells=2)
    assert unfit(network) == "it has inputs along a trajectory"
    with pytest.raises(brnn.InputError, match="along a trajectory"):
        brnn.sensitivity(network, wrt=["map.A"], duration=1.0)


def test_layers_that_share_inputs_are_checked() -> None:
    from brnn.spec.layers.transmitter import TransmitterLayer

    cells = brnn.Layer.additive("cells", 3, A=1.0)
    for shape, name in ((2, "cells"), (3, "store")):
        with pytest.raises(brnn.SpecError, match="inputs_of = "):
            brnn.Network("n", [cells, TransmitterLayer("store", shape, H=1.0, K=1.0, inputs_of=name)])
    gate = TransmitterLayer("store", 3, H=2.0, K=1.5, L=0.5, Q=0.25, inputs_of="cells")
    given = [brnn.Stimulus("cells", "excitatory", [1.0, 2.0, 3.0]), brnn.Stimulus("store", "excitatory", 1.0)]
    rest = brnn.simulate(brnn.Network("n", [cells, gate], stimuli=given), until="steady").final("store").values
    I = np.array([2.0, 3.0, 4.0])
    np.testing.assert_allclose(rest, 3.0 / (2.0 + 0.5 * I + 0.25 * I**2), rtol=1e-6)


def test_the_jacobian_knows_what_is_shared() -> None:
    network = brnn.models.gridsmap.build(PATH, cells=2, directions=3, phases=2)
    system = brnn.compile_network(network)
    u = np.random.default_rng(5).uniform(0.1, 0.5, system.size)
    J, h = system.jacobian(0.4, u), 1e-6
    for k in range(system.size):
        step = h * (np.arange(system.size) == k)
        slope = (system.f(0.4, u + step) - system.f(0.4, u - step)) / (2.0 * h)
        np.testing.assert_allclose(J[:, k], slope, atol=1e-6 * np.abs(J).max())


def lattice(spacing: float, angles: list[float]) -> np.ndarray:
    """Waves over a square of 100 cm in bins of 2.5 cm, of one spacing and several directions."""
    x, y = np.meshgrid(*[np.arange(40) * 2.5 - 48.75] * 2, indexing="ij")
    return np.sum(
        [np.cos(2 * np.pi / spacing * (x * np.cos(a) + y * np.sin(a)) + 0.3) for a in np.deg2rad(angles)], axis=0
    )


@pytest.mark.parametrize("spacing", [20.0, 35.0, 50.0])
def test_a_hexagonal_lattice_has_the_spacing_of_its_waves(spacing: float) -> None:
    score = grid_score(lattice(spacing, [7.0, 67.0, 127.0]))
    assert score.spacing * 2.5 == pytest.approx(2.0 * spacing / math.sqrt(3.0), abs=0.7)
    assert score.gridness > 1.2
    assert grid_score(lattice(spacing, [7.0, 97.0])).gridness < -0.5


def test_correlations_of_a_map_with_itself() -> None:
    rates = lattice(35.0, [7.0, 67.0, 127.0])
    rates[3:9, 4:11] = np.nan
    found = autocorrelogram(rates)
    for i, j in ((0, 0), (3, -2), (-11, 5), (30, 30)):
        one = rates[max(i, 0) : 40 + min(i, 0), max(j, 0) : 40 + min(j, 0)]
        other = rates[max(-i, 0) : 40 + min(-i, 0), max(-j, 0) : 40 + min(-j, 0)]
        known = np.isfinite(one) & np.isfinite(other)
        assert found[39 + i, 39 + j] == pytest.approx(np.corrcoef(one[known], other[known])[0, 1], abs=1e-10)
    assert np.isnan(found[0, 0])
    assert math.isnan(grid_score(np.ones((40, 40))).gridness)


def test_a_rate_map_divides_spikes_by_time() -> None:
    x, y = np.array([-9.0, -9.0, 9.0]), np.array([-9.0, -9.0, 9.0])
    found = rate_map(x, y, np.array([1.0, 2.0, 6.0]), 0.5, limits=(-10, 10, -10, 10), bins=4, smoothing=0.0)
    assert (found[0, 0], found[3, 3]) == (3.0, 12.0)
    assert np.isnan(found[0, 3])
    smooth = rate_map(x, y, np.array([1.0, 2.0, 6.0]), 0.5, limits=(-10, 10, -10, 10), bins=4)
    assert smooth[0, 0] == pytest.approx(3.0)
    assert 3.0 < smooth[1, 1] < 12.0
