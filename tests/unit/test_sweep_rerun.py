"""`brnn.rerun` of a sweep: every finished member is run again, and any number that is not the same is found."""

from __future__ import annotations

import json
import math
from pathlib import Path

import h5py
import numpy as np
import pytest

import brnn
from brnn.models import rcf

GRID = brnn.Grid(A=[0.5, 1.0, 1.5], **{"signal.half": [0.2, 0.4]})


def swept(path: Path, build: object = "rcf", design: brnn.Design = GRID, **options: object) -> Path:
    brnn.sweep(
        build, design, out=path, **{"duration": 2.0, "measures": ["final", "regime", "winner"], **options}
    ).close()
    return path


def changed(path: Path, name: str, place: tuple[int, ...], value: object) -> None:
    with h5py.File(path, "r+") as file:
        file[name][place] = value


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rtol": 1e-3, "atol": 1e-6, "until": "steady", "duration": None},
        {"times": [0.5, 1.0, 2.0], "measures": ["total"]},
        {"solver": "LSODA"},
        {"shard": (2, 3)},
    ],
    ids=["plain", "steady", "times", "one by one", "shard"],
)
def test_the_same_numbers(tmp_path: Path, options: dict[str, object]) -> None:
    outcome = brnn.rerun(swept(tmp_path / "sweep.h5", **options))
    assert (outcome.passed, outcome.largest_difference, outcome.variable) == (True, 0.0, None)
    assert outcome.members == (2 if "shard" in options else 6)
    assert repr(outcome) == f"same: largest difference 0 in {outcome.members} members"


def test_a_network_and_seeds(tmp_path: Path) -> None:
    """Members with white noise depend on their seeds, which depend on the root."""
    layer = brnn.Layer.additive("F1", 4, A=1.0)
    noisy = brnn.Network("noisy", [layer], (), [brnn.Stimulus("F1", "excitatory", 0.3, brnn.WhiteNoise())])
    path = swept(tmp_path / "sweep.h5", noisy, brnn.Grid(**{"F1.A": [1.0, 2.0]}), seed=5, measures=["final"])
    assert brnn.rerun(path, 0.0).passed
    with h5py.File(path, "r+") as file:
        file.attrs["root_seed"] = "6"
    assert not brnn.rerun(path).passed


@pytest.mark.parametrize(
    ("name", "place", "value", "difference"),
    [("rcf.x", (3, 4), 7.0, None), ("rcf.winner", (2,), 9, None), ("rcf.x", (1, 0), math.nan, math.inf)],
)
def test_other_numbers(
    tmp_path: Path, name: str, place: tuple[int, ...], value: float, difference: float | None
) -> None:
    path = swept(tmp_path / "sweep.h5")
    with brnn.open(path) as data:
        was = float(data[name].values[place])
    changed(path, name, place, value)
    outcome = brnn.rerun(path)
    assert not outcome.passed
    assert outcome.variable == f"{name}[{', '.join(map(str, place))}]"
    assert outcome.largest_difference == pytest.approx(abs(value - was) if difference is None else difference)
    assert repr(outcome).startswith("DIFFERENT: largest difference")


def test_another_text_and_another_status(tmp_path: Path) -> None:
    path = swept(tmp_path / "sweep.h5")
    with h5py.File(path, "r+") as file:
        texts = json.loads(file["rcf.regime"].attrs["texts"])
        assert "quenched" not in texts
        file["rcf.regime"].attrs["texts"] = json.dumps([*texts, "quenched"])
        file["rcf.regime"][4] = len(texts)
    assert brnn.rerun(path).variable == "rcf.regime[4]"
    changed(path, "status", (1,), 2)
    assert brnn.rerun(path).variable == "status[1] (steady, now complete)"


def test_only_what_is_finished_is_compared(tmp_path: Path) -> None:
    path = swept(tmp_path / "sweep.h5")
    changed(path, "status", (0,), 0)
    changed(path, "rcf.x", (0, 0), 99.0)
    assert brnn.rerun(path).members == 5
    assert brnn.rerun(path).passed


def test_own_measures_are_left_out(tmp_path: Path) -> None:
    def largest(result: object) -> float:
        return float(np.max(result.final("rcf")))  # type: ignore[attr-defined]

    path = swept(tmp_path / "sweep.h5", measures=["total", largest])
    changed(path, "largest", (0,), 99.0)
    assert brnn.rerun(path).passed


def test_bad_input(tmp_path: Path) -> None:
    def own(A: float = 1.0) -> brnn.Network:
        return rcf.build(A=A)

    path = swept(tmp_path / "own.h5", own, brnn.Grid(A=[1.0, 2.0]))
    with pytest.raises(brnn.InputError, match=r"own.h5: .* the function own, which no file may call: .*--model FILE"):
        brnn.rerun(path)
    path = swept(tmp_path / "sweep.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["design"] = file.attrs["design"].replace(b"values", b"valeus")
    with pytest.raises(brnn.FileError, match="sweep.h5: what it says of its design makes no sense: .*valeus"):
        brnn.rerun(path)
    with h5py.File(path, "r+") as file:
        file["status"][:] = 0
    with pytest.raises(brnn.FileError, match="holds no finished member"):
        brnn.rerun(path)
    with pytest.raises(brnn.SpecError, match="tolerance = -1"):
        brnn.rerun(path, -1.0)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"model": "../rcf"}', '{"model": 3}', '{"network": 3}', "[]"])
def test_a_damaged_build(tmp_path: Path, text: str) -> None:
    path = swept(tmp_path / "sweep.h5", design=brnn.Grid(A=[0.5]))
    with h5py.File(path, "r+") as file:
        del file.attrs["build"]
        file.attrs["build" if len(text) < 1000 else "other"] = text
        if len(text) > 1000:
            file["build_text"] = np.frombuffer(text.encode(), "S1")
    for again in (brnn.rerun, lambda name: brnn.member(name, 0)):
        with pytest.raises(brnn.BrnnError) as caught:
            again(path)
        assert "\n" not in str(caught.value)
