"""One member of a sweep by itself: its network, and the run that the sweep made of it, to the last bit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.models import gated_pacemaker, rcf

GRID = brnn.Grid(A=[0.5, 1.0], **{"signal.half": [0.1, 0.2, 0.3]})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("member") / "sweep.h5"
    measures = ["final", "total", "relative"]
    brnn.sweep("rcf", GRID, measures=measures, times=[0.5, 7.0], out=path, progress=False).close()
    return path


def alike(result: Any, data: Any, index: int) -> None:
    """Compare every block of the last state with what the sweep has, bit by bit."""
    assert result.solver.steps == int(data["steps"][index])
    for layer in result.network.layers:
        np.testing.assert_array_equal(result.final(layer.name).values, data[f"{layer.name}.x"].values[index])


@pytest.mark.parametrize("index", [0, 5])
def test_what_the_sweep_measured_comes_out_again(swept: Path, index: int) -> None:
    with brnn.open(swept) as data:
        one = brnn.member(data, index)
        result = one.run()
        alike(result, data, index)
        assert float(result.total("rcf")[-1]) == float(data["total"][index])
        np.testing.assert_array_equal(result.relative("rcf").values[-1], data["relative"].values[index])
        at_times = one.run(times=[0.5, 7.0, 40.0])["rcf.x"].values[:2]
        np.testing.assert_array_equal(at_times, data["rcf.x.t"].values[index])
        direct = brnn.simulate(one.network, solver="compiled")
        alike(direct, data, index)
        assert one == brnn.member(swept, index)


def test_the_network_and_its_arguments(swept: Path) -> None:
    one = brnn.member(swept, 5)
    assert one.parameters == {"A": 1.0, "signal.half": 0.3}
    assert one.arguments == {"A": 1.0, "signal": brnn.Sigmoid(half=0.3)}  # the model's own signal, but for that
    assert one.network == rcf.build(**one.arguments) == brnn.build("rcf", **GRID.member(5))
    assert one.network == brnn.build(rcf.build, GRID.member(5))
    assert one.seed is None
    assert repr(one) == "<member 5 of a sweep: rcf, A=1.0, signal.half=0.3>"


def test_stiff_members_and_those_that_rest() -> None:
    for build, design, until in (
        (gated_pacemaker, brnn.Grid(A=[1.0, 1.1]), "duration"),
        ("rcf", brnn.Grid(A=[0.5, 1.0]), "steady"),
    ):
        data = brnn.sweep(build, design, until=until, rtol=1e-7, progress=False)  # type: ignore[arg-type]
        result = brnn.member(data, 1).run()
        alike(result, data, 1)
        assert result.status == ("steady" if until == "steady" else "complete")


def test_members_that_run_one_by_one() -> None:
    """A delay, and white noise, whose seed the member has."""

    def delayed(delay: float = 0.1) -> brnn.Network:
        layer = brnn.Layer.additive("F1", 2, A=1.0, initial=1.0)
        link = brnn.Projection("F1", "F1", "inhibitory", brnn.Linear(0.5), brnn.OneToOne(), delay=delay)
        return brnn.Network("delayed", [layer], [link], duration=2.0)

    def noisy(A: float = 1.0) -> brnn.Network:
        layer = brnn.Layer.additive("F1", 2, A=A)
        return brnn.Network(
            "noisy", [layer], [], [brnn.Stimulus("F1", "excitatory", 1.0, brnn.WhiteNoise())], duration=0.5
        )

    for build, name, times in ((delayed, "delay", None), (noisy, "A", [0.1, 0.2])):
        data = brnn.sweep(build, brnn.Grid({name: [0.2, 0.3]}), times=times, seed=4, progress=False)
        one = brnn.member(data, 1, build=build)
        alike(one.run(), data, 1)
        assert one.seed == (int(data["seed"][1]) if build is noisy else None)


def test_a_build_of_ones_own_has_to_be_given(tmp_path: Path) -> None:
    def build(A: float = 1.0, signal: brnn.Signal = brnn.Sigmoid(half=0.5)) -> brnn.Network:
        return rcf.build(A=A, signal=signal)

    path = tmp_path / "own.h5"
    data = brnn.sweep(build, GRID, out=path, progress=False)
    alike(brnn.member(data, 4, build).run(), data, 4)
    assert brnn.build(build, **GRID.member(4)) == brnn.member(path, 4, build=build).network
    with pytest.raises(brnn.InputError, match=r"made by the function build, which no file may call: .* \(--model FILE"):
        brnn.member(path, 4)
    with pytest.raises(brnn.InputError, match="Linear has no field 'half'"):
        brnn.member(path, 4, build="additive")
    with pytest.raises(brnn.InputError, match="other makes other networks than those of the sweep"):

        def other(A: float = 1.0, signal: brnn.Signal = brnn.Sigmoid(half=0.5)) -> brnn.Network:
            return rcf.build(A=2.0 * A, signal=signal)

        brnn.member(path, 4, build=other)
    data.close()


@pytest.mark.parametrize(
    ("index", "words"),
    [(6, "member = 6: the sweep has the members 0 to 5"), (-1, "member = -1"), (1.5, "member = 1.5"), ("x", "member")],
)
def test_no_such_member(swept: Path, index: Any, words: str) -> None:
    with pytest.raises(brnn.BrnnError, match=words):
        brnn.member(swept, index)


def test_what_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(brnn.FileError, match="does not exist"):
        brnn.member(tmp_path / "none.h5", 0)
    for wrong in (None, np.zeros(3), 7):
        with pytest.raises(brnn.InputError, match="is not what brnn.sweep"):
            brnn.member(wrong, 0)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        brnn.simulate(brnn.Network("n", [brnn.Layer.additive("F1", 1, A=1.0)]), 1.0).save(tmp_path / "run.h5")
    with pytest.raises(brnn.FileError, match="is not the file of a sweep"):
        brnn.member(tmp_path / "run.h5", 0)
