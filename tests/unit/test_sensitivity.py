"""Sobol indices of a sweep: the Saltelli design, and indices beside the closed form of the Ishigami function."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

from brnn.errors import BrnnError, InputError, SpecError
from brnn.sweeps.designs import Design, Grid, Random, Saltelli
from brnn.sweeps.designs.sensitivity import sobol_indices

pytest.importorskip("SALib")

CIRCLE = dict.fromkeys(("x", "y", "z"), (-math.pi, math.pi))
a, b = 7.0, 0.1


def ishigami(x: Any, y: Any, z: Any) -> Any:
    """Ishigami and Homma (1990)."""
    return np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x)


def closed_form() -> tuple[list[float], list[float]]:
    """Return S1 and ST of x, y, z from the variances of the terms of its ANOVA decomposition."""
    v_x = 0.5 * (1 + b * math.pi**4 / 5) ** 2
    v_y = a**2 / 8
    v_xz = 8 * b**2 * math.pi**8 / 225
    total = v_x + v_y + v_xz
    return [v_x / total, v_y / total, 0.0], [(v_x + v_xz) / total, v_y / total, v_xz / total]


def dataset(design: Design, **measures: Any) -> xr.Dataset:
    return xr.Dataset(
        {name: (("member", "cell")[: np.ndim(values)], values) for name, values in measures.items()},
        {"member": np.arange(design.size)},
        {"design": design.to_json()},
    )


def refusal(act: Any) -> str:
    with pytest.raises(BrnnError) as caught:
        act()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_ishigami_function() -> None:
    design = Saltelli(4096, 1, CIRCLE)
    found = sobol_indices(dataset(design, f=ishigami(**design.columns())), "f")
    first, total = closed_form()
    assert found["parameter"].values.tolist() == ["x", "y", "z"]
    assert found["S1"].dims == ("parameter",)
    np.testing.assert_allclose(found["S1"], first, atol=0.02)
    np.testing.assert_allclose(found["ST"], total, atol=0.02)
    assert (np.abs(found["S1"] - first) < 2 * found["S1_confidence"] + 1e-3).all()
    assert (found["S1_confidence"] < 0.08).all()
    assert (found["ST_confidence"] < 0.08).all()
    assert found.attrs["measure"] == "f"


def test_a_sum_on_other_scales() -> None:
    """For f = log10(a) + k with a log-uniform over d decades and k uniform in 1 ... m: V = d^2/12, (m^2 - 1)/12."""
    design = Saltelli(2048, 2, {"signal.a": (0.01, 100, "log"), "k": (1, 5, "whole")})
    columns = design.columns()
    assert set(columns["k"].tolist()) == {1, 2, 3, 4, 5}  # type: ignore[union-attr]
    found = sobol_indices(dataset(design, f=np.log10(columns["signal.a"]) + columns["k"]), "f")
    variances = np.array([4**2 / 12, (5**2 - 1) / 12])
    np.testing.assert_allclose(found["S1"], variances / variances.sum(), atol=0.02)
    np.testing.assert_allclose(found["ST"], found["S1"], atol=0.02)


def test_the_design_has_the_blocks_of_saltelli() -> None:
    design = Saltelli(64, 3, CIRCLE)
    assert design.size == 64 * 5
    points = np.transpose(list(design.columns().values())).reshape(64, 5, 3)
    first, last = points[:, 0], points[:, -1]
    for k in range(3):
        expected = first.copy()
        expected[:, k] = last[:, k]
        np.testing.assert_array_equal(points[:, k + 1], expected)
    assert (np.abs(points) <= math.pi).all()
    # Balanced, as Sobol points are: as many of a parameter's values in each quarter of its range.
    assert np.bincount(((first[:, 0] / math.pi + 1) * 2).astype(int)).tolist() == [16] * 4


def test_the_design_is_data_like_the_others() -> None:
    design = Saltelli(8, 3, n=(1, 9, "whole"), A=(0, 1))
    again = Design.from_json(design.to_json())
    assert again == design
    for name, column in design.columns().items():
        np.testing.assert_array_equal(again.columns()[name], column)
        np.testing.assert_array_equal(design.columns([31, 3])[name], column[[31, 3]])  # type: ignore[index]
    assert design.columns()["A"].tolist() != Saltelli(8, 4, n=(1, 9, "whole"), A=(0, 1)).columns()["A"].tolist()  # type: ignore[union-attr]
    assert Saltelli(2**20, 1, A=(0, 1)).size == 3 * 2**20  # nothing is made
    assert (Grid(B=[1, 2]) * design).size == 64
    with pytest.raises(SpecError, match="n = 100: must be a power of two, such as 64 or 128"):
        Saltelli(100, 1, A=(0, 1))


def test_a_measure_of_several_cells() -> None:
    design = Saltelli(256, 1, CIRCLE)
    columns = design.columns()
    cells = np.stack([columns["x"], columns["y"], np.ones(design.size)], axis=1)
    data = dataset(design, final=cells, f=cells[:, 0]).assign_coords(cell=["p", "q", "r"])
    found = sobol_indices(data, "final")
    assert found["S1"].dims == ("parameter", "cell")
    np.testing.assert_allclose(found["S1"].sel(cell="p"), [1, 0, 0], atol=0.05)
    np.testing.assert_allclose(found["ST"].sel(cell="q"), [0, 1, 0], atol=0.05)
    assert found["S1"].sel(cell="r").isnull().all()
    xr.testing.assert_equal(found.sel(cell="p", drop=True), sobol_indices(data, "f"))


def test_members_in_another_order_and_what_a_sweep_is() -> None:
    design = Saltelli(64, 1, CIRCLE)
    data = dataset(design, f=ishigami(**design.columns()))
    expected = sobol_indices(data, "f", seed=0)
    mixed = data.isel(member=np.random.default_rng(0).permutation(design.size))
    xr.testing.assert_identical(sobol_indices(mixed, "f"), expected)

    class Sweep:
        dataset = data.drop_attrs()
        design = Saltelli(64, 1, CIRCLE)

    xr.testing.assert_identical(sobol_indices(Sweep(), "f"), expected)
    xr.testing.assert_identical(sobol_indices(Sweep.dataset, "f", design=design), expected)
    plain = data.drop_vars("member")
    xr.testing.assert_identical(sobol_indices(plain, "f"), expected)
    other = sobol_indices(data, "f", seed=1, confidence=0.5, resamples=50)
    np.testing.assert_array_equal(other["S1"], expected["S1"])
    assert (other["S1_confidence"] < expected["S1_confidence"]).all()


def test_what_is_refused() -> None:
    design = Saltelli(8, 1, CIRCLE)
    f = ishigami(**design.columns())
    data = dataset(design, f=f, regime=np.full(design.size, "stored"))
    message = refusal(lambda: sobol_indices(data, "regmie"))
    assert message == "measure = 'regmie': there is none of this name (there is f, regime); did you mean 'regime'?"
    assert "measure 'regime' is not a number" in refusal(lambda: sobol_indices(data, "regime"))
    f[[7, 9]] = np.nan
    message = refusal(lambda: sobol_indices(dataset(design, f=f), "f"))
    assert message == "measure 'f' is missing for 2 of 40 members (the first is 7); Sobol indices need all"
    short = data.isel(member=slice(1, None))
    assert "missing for 1 of 40 members (the first is 0)" in refusal(lambda: sobol_indices(short, "f"))
    assert "not those of the design" in refusal(lambda: sobol_indices(data, "f", design=Saltelli(4, 1, CIRCLE)))
    random = Random(40, 1, CIRCLE)
    assert "this one has Random" in refusal(lambda: sobol_indices(data, "f", design=random))
    assert "no design is known" in refusal(lambda: sobol_indices(data.drop_attrs(), "f"))
    assert "confidence = 1" in refusal(lambda: sobol_indices(data, "f", confidence=1.0))
    assert "resamples = 1" in refusal(lambda: sobol_indices(data, "f", resamples=1))


def test_without_salib(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name.partition(".")[0])

    design = Saltelli(8, 1, CIRCLE)
    data = dataset(design, f=np.arange(40.0))
    monkeypatch.setattr(importlib, "import_module", missing)
    for act in (design.columns, lambda: sobol_indices(data, "f")):
        with pytest.raises(InputError, match=r'^Sobol indices need SALib: pip install "brnn\[sensitivity\]"$'):
            act()
