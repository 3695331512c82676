"""The measures of sweeps, beside single runs, plain NumPy and theory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

import brnn
from brnn.models.rcf import build as rcf
from brnn.sweeps.measures import MEASURES, chosen_measures
from brnn.sweeps.states import MemberResult

PATTERN = np.array([0.2, 0.9, 0.6, 0.3])
A = [0.5, 0.8, 1.1, 1.4]
NAMED = ["final", "total", "relative", "winner", "survivors", "stored_contrast", "end"]


def sweep(build: Any, design: Any, **options: Any) -> xr.Dataset:
    result: xr.Dataset = brnn.sweep(build, design, progress=False, **{"duration": 5.0, **options})
    return result


def one(build: Any, values: Any, **options: Any) -> brnn.Result:
    """Return a run of one member by itself, at tolerances that leave the sweep's as the only error."""
    return brnn.simulate(build(**values), rtol=1e-11, atol=1e-13, **{"duration": 5.0, **options})


def test_named_measures_are_those_of_single_runs() -> None:
    data = sweep("rcf", brnn.Grid(A=A, B=[2.0, 3.0]) * brnn.Grid(on=[1.0, 2.0]), measures=NAMED)
    assert data.sizes["member"] == 16
    assert (data["status"] == 1).all()
    for member in range(16):
        row = data.isel(member=member)
        values = {name: float(row[name]) for name in ("A", "B", "on")}
        x = one(rcf, values).final("rcf").values
        np.testing.assert_allclose(row["rcf.x"], x, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(row["total"], x.sum(), rtol=1e-5)
        np.testing.assert_allclose(row["relative"], x / x.sum(), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(row["stored_contrast"], (x.max() - x.min()) / (x.max() + x.min()), rtol=1e-5)
        assert row["winner"] == x.argmax()
        driven = min(np.max(rcf(**values).stimuli[0].pattern), values["B"])
        assert row["survivors"] == (x > 1e-3 * max(x.max(), driven)).sum()
        assert row["end"] == 5.0
        assert row["steps"] > 0
        assert row["evaluations"] > 6 * row["steps"]


@pytest.mark.parametrize(
    ("signal", "A", "regime"),
    [
        # Linear f = w: every pattern is stored for A < B (Grossberg 1973, theorem 1).
        (brnn.Linear(gain=1.0), 1.0, "pattern stored"),
        # Faster than linear f = w^2: only the largest activity survives; nothing does if it begins below E1.
        (brnn.Power(gain=1.0, exponent=2.0), 0.5, "winner-take-all"),
        (brnn.Power(gain=1.0, exponent=2.0), 20.0, "quenched"),
        # Slower than linear f = w/(1/2 + w): all become equal.
        (brnn.Saturating(gain=1.0, half=0.5), 1.0, "uniform"),
    ],
)
def test_regimes_of_theory(signal: brnn.Signal, A: float, regime: str) -> None:
    def build(A: float, size: float) -> brnn.Network:
        return rcf(A=A, B=3.0, signal=signal, initial=size * PATTERN)

    data = sweep(build, brnn.Grid(A=[A], size=[0.5, 1.0]), duration=2000.0, measures=["regime", "winner"])
    assert [str(x) for x in data["regime"].values] == [regime, regime]
    if regime == "winner-take-all":
        assert (data["winner"] == 1).all()
    if regime == "quenched":
        assert (data["winner"] == -1).all()


def test_regimes_of_a_sigmoid() -> None:
    """The survivors of a sigmoid become equal in the end; before that they are contrast-enhanced."""

    def build(start: float) -> brnn.Network:
        return rcf(initial=[0.05 * start, 1.0 * start, 0.6 * start])

    early = sweep(build, brnn.Grid(start=[1.0]), duration=1.0, measures="regime")
    late = sweep(build, brnn.Grid(start=[1.0]), duration=500.0, measures="regime")
    assert early["regime"].values.tolist() == ["contrast enhanced"]
    assert late["regime"].values.tolist() == ["several equal winners"]


def test_what_an_input_drove_is_quenched_when_it_has_died_away() -> None:
    """The field begins at 0: that it was ever active is known from its input, whose size can be any."""
    data = sweep(
        "rcf",
        brnn.Grid({"pattern": [(1e-3, 2e-3), (0.5, 1.0), (500.0, 1000.0)], "A": [0.1, 30.0]}),
        duration=40.0,
        measures=["regime", "survivors"],
    )
    for member in range(6):
        row = data.isel(member=member)
        if float(row["A"]) == 30.0:
            assert (str(row["regime"].values), int(row["survivors"])) == ("quenched", 0)
    assert str(data["regime"].values[2]) != "quenched"
    assert str(data["regime"].values[4]) != "quenched"


def test_own_measures() -> None:
    def peak(result: MemberResult) -> float:
        """Largest last activity."""
        return float(result.final("rcf").max())

    def pair(result: MemberResult) -> np.ndarray:
        return result["rcf.x"][0, :2]

    def word(result: MemberResult) -> str:
        return "large" if result.total("rcf") > 1.0 else "small"

    data = sweep("rcf", brnn.Grid(A=A), measures=["final", "total", peak, pair, word])
    np.testing.assert_array_equal(data["peak"], data["rcf.x"].max("rcf"))
    assert data["peak"].attrs["long_name"] == "Largest last activity."
    np.testing.assert_array_equal(data["pair"], data["rcf.x"][:, :2])
    assert data["word"].values.tolist() == ["large" if total > 1 else "small" for total in data["total"]]
    named = sweep("rcf", brnn.Grid(A=A), measures={"largest": peak, "who": "winner", "what": "regime"})
    np.testing.assert_array_equal(named["largest"], data["peak"])
    assert named["who"].dtype.kind == "i"
    assert set(named["what"].values) <= {"several equal winners", "contrast enhanced", "winner-take-all"}


def test_an_own_measure_that_fails_harms_no_other_member() -> None:
    def picky(result: MemberResult) -> float:
        if result.total("rcf") < 2.0:
            raise ValueError("far\ntoo small")
        return 1.0

    data = sweep("rcf", brnn.Grid(A=A), measures=[picky, "total"])
    small = data["total"].values < 2.0
    assert small.any()
    assert not small.all()
    np.testing.assert_array_equal(data["status"], np.where(small, 3, 1))
    np.testing.assert_array_equal(data["picky"], np.where(small, np.nan, 1.0))
    for text, failed in zip(data["error"].values, small, strict=True):
        assert text == ("measure 'picky': ValueError: far too small" if failed else "")


@pytest.mark.parametrize("odd", [lambda: "text", lambda: np.ones(3), lambda: None, lambda: {"a": 1}, lambda: 1j])
def test_an_own_measure_that_changes_its_mind(odd: Any) -> None:
    def moody(result: MemberResult) -> Any:
        return odd() if result.total("rcf") < 2.0 else 1.0

    data = sweep("rcf", brnn.Grid(A=A), measures=[moody, "total"])
    small = data["total"].values < 2.0
    np.testing.assert_array_equal(data["status"], np.where(small, 3, 1))
    for text, bad in zip(data["error"].values, small, strict=True):
        assert ("measure 'moody': TypeError: returned" in text) == bad


def test_an_own_measure_of_members_of_different_sizes() -> None:
    def activities(result: MemberResult) -> np.ndarray:
        return result.final("rcf")

    data = sweep("rcf", brnn.Grid(n=[2, 4, 3]), measures=[activities, "final"])
    assert data.sizes["rcf"] == 4
    np.testing.assert_array_equal(data["activities"], data["rcf.x"])
    np.testing.assert_array_equal(np.isfinite(data["rcf.x"]).sum("rcf"), [2, 4, 3])
    for n, row in zip([2, 4, 3], data["rcf.x"].values, strict=True):
        np.testing.assert_allclose(row[:n], one(rcf, {"n": n}).final("rcf"), rtol=1e-5, atol=1e-7)


def test_bad_measures() -> None:
    for bad, words in [
        ("totl", "did you mean 'total'?"),
        (["total", "total"], "occurs twice"),
        (3, "neither a name nor a function"),
        ([3], "neither a name nor a function"),
        ([lambda result: 1.0], "needs a name"),
        ({"A": "total"}, "has the name of a parameter"),
        ({"status": "total"}, "has the name of something else"),
        ({"steps": "total"}, "has the name of something else"),
        ({"x y": "total"}, "cannot be the name"),
        ({"last": "final"}, "keep their own names"),
    ]:
        with pytest.raises(brnn.InputError, match=words) as error:
            brnn.sweep("rcf", brnn.Grid(A=A), measures=bad)
        assert "\n" not in str(error.value)
    assert chosen_measures(None) == ()
    assert [measure.name for measure in chosen_measures("regime")] == ["regime"]
    assert {"final", "regime", "time"} <= set(MEASURES)


def test_the_result_of_a_member() -> None:
    seen: list[MemberResult] = []

    def keep(result: MemberResult) -> float:
        seen.append(result)
        return 0.0

    sweep("rcf", brnn.Grid(A=[1.0]), measures=[keep])
    (result,) = seen
    assert result.status == "complete"
    np.testing.assert_array_equal(result.times, [5.0])
    np.testing.assert_array_equal(result["rcf.x"], result.final("rcf")[None])
    np.testing.assert_array_equal(result["rcf"], result["rcf.x"])
    np.testing.assert_array_equal(result.initial("rcf"), np.zeros(10))
    np.testing.assert_allclose(result.relative("rcf").sum(), 1.0)
    with pytest.raises(brnn.InputError, match="there is no 'rfc'.*did you mean"):
        result.final("rfc")


def test_several_layers() -> None:
    data = sweep("gated_dipole", brnn.Grid(A=[0.5, 1.0]), measures=["final", "total", "relative"])
    layers = [name[:-2] for name in data if name.endswith(".x")]
    assert len(layers) > 1
    for layer in layers:
        np.testing.assert_allclose(data[f"{layer}.total"], data[f"{layer}.x"].sum(data[f"{layer}.x"].dims[1:]))
    gates = [name for name in data if name.endswith(".y")]
    assert gates
    assert all(data[gate].dims[1] == f"{gate[:-2]}_source" for gate in gates if data[gate].ndim > 1)


def test_measures_are_named_as_states_are(tmp_path: Path) -> None:
    """In the file, in xarray and in tables; the name of the measure alone finds it where one layer has it."""
    path = tmp_path / "sweep.h5"
    measures = {"final": "final", "who": "winner", "largest": lambda result: float(result.final("rcf").max())}
    with sweep("rcf", brnn.Grid(A=A), measures=measures, out=path) as data:
        assert {"rcf.x", "rcf.who", "largest"} < set(data.data_vars)
        assert data["who"].identical(data["rcf.who"])
        assert list(data[["who"]].data_vars) == list(brnn.unstack(data)[["who"]].data_vars) == ["rcf.who"]
        assert data.isel(member=[1])["who"].identical(data["rcf.who"][[1]])
        np.testing.assert_array_equal(data["who"], data["rcf.x"].argmax("rcf"))
        with pytest.raises(KeyError, match="whom"):
            data["whom"]
    with xr.open_dataset(path) as plain:
        assert "rcf.who" in plain
        assert "who" not in plain
    assert brnn.rerun(path).passed
    data = sweep("gated_dipole", brnn.Grid(A=[0.5]), measures=["total"])
    with pytest.raises(KeyError, match="total"):  # which of them?
        data["total"]


def test_a_file_in_which_measures_have_other_names_is_run_anew(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    sweep("rcf", brnn.Grid(A=A), measures=["total"], out=path).close()
    with h5py.File(path, "r+") as file:  # as earlier versions called it
        file.move("rcf.total", "total")
        file.attrs["variables"] = np.bytes_(file.attrs["variables"].replace(b"rcf.total", b"total"))
    with pytest.raises(brnn.FileError, match="an older brnn named its measures otherwise"):
        sweep("rcf", brnn.Grid(A=A), measures=["total"], out=path, resume=True)
    assert brnn.rerun(path).passed
