"""Figures of sweeps: which one a design gets, and that it shows the numbers of the file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection, QuadMesh

import brnn
from brnn.plot import SWEEP_KINDS, sweep_figure


def made(design: brnn.Design, measures: tuple[str, ...] = ("total",), name: str = "rcf") -> xr.Dataset:
    """Run a small sweep."""
    return brnn.sweep(name, design, duration=5.0, measures=list(measures), progress=False)


A = np.linspace(0.5, 1.5, 5)
HALF = np.geomspace(0.1, 1.0, 4)


@pytest.fixture(scope="module")
def grid() -> xr.Dataset:
    return made(brnn.Grid({"A": A, "signal.half": HALF}), ("total", "regime", "final"))


def test_a_map_shows_each_member_at_its_place(grid: xr.Dataset) -> None:
    figure = sweep_figure(grid, measure="total")
    mesh = next(c for c in figure.axes[0].collections if isinstance(c, QuadMesh))
    shown = np.asarray(mesh.get_array()).reshape(HALF.size, A.size)
    assert np.array_equal(shown, grid["total"].values.reshape(A.size, HALF.size).T)
    assert figure.axes[0].get_xlabel() == "A"
    assert figure.axes[0].get_ylabel() == "signal.half"
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_xscale() == "linear"


def test_fields_on_a_log_axis_end_at_geometric_means() -> None:
    places = {"A": [0.01, 0.1, 1.0], "I": [1.0, 2.0, 4.0]}
    sweep = xr.Dataset(
        {"total": ("member", np.arange(9.0))},
        {"member": np.arange(9), "A": ("member", np.repeat(places["A"], 3)), "I": ("member", np.tile(places["I"], 3))},
        {"axes": json.dumps({"A": 3, "I": 3})},
    )
    ax = sweep_figure(sweep, "map", measure="total").axes[0]
    assert ax.get_xlim() == pytest.approx((10**-2.5, 10**0.5))
    assert ax.get_ylim() == pytest.approx((2**-0.5, 2**2.5))
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    assert np.asarray(mesh.get_coordinates())[0, :, 0].tolist() == pytest.approx(
        [10**-2.5, 10**-1.5, 10**-0.5, 10**0.5]
    )


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.full((3, 2), np.nan)], ids=["number", "cells"])
def test_a_log_axis_of_members_that_all_failed_has_their_places(values: np.ndarray) -> None:
    sweep = xr.Dataset(
        {"F.x": (("member", "F")[: values.ndim], values)},
        {"member": np.arange(3), "A": ("member", np.array([0.5, 1.0, 2.0]))},
        {"axes": json.dumps({"A": 3})},
    )
    figure = sweep_figure(sweep, "line", measure="F.x")
    figure.canvas.draw()
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_xlim() == (0.5, 2.0)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")  # of Matplotlib's own axis
def test_a_map_of_the_widest_ratios_ends_at_numbers() -> None:
    sweep = xr.Dataset(
        {"total": ("member", np.arange(6.0))},
        {"member": np.arange(6), "A": ("member", np.repeat([1e-300, 1.0, 1e300], 2)), "I": ("member", [1, 2] * 3)},
        {"axes": json.dumps({"A": 3, "I": 2})},
    )
    low, high = sweep_figure(sweep, "map", measure="total").axes[0].get_xlim()
    assert 0.0 < low <= 1e-300
    assert 1e300 <= high < np.inf


def test_what_differs_is_drawn_and_first_what_the_model_shows() -> None:
    sweep = made(brnn.Grid(rho=[0.0, 0.5, 1.0]), ("final",), "distributed_artmap")
    assert sweep_figure(sweep, "line").axes[0].get_ylabel() == "STM activity of layer category"
    same = sweep.copy()
    for name in ("category.x", "prediction.x", "target.x"):
        same[name] = sweep[name].copy(data=np.repeat(sweep[name].values[:1], 3, axis=0))
    assert sweep_figure(same, "line").axes[0].get_ylabel() == "STM activity of layer instar"


def test_a_model_shows_its_own_numbers_of_each_member() -> None:
    """Nodes and right answers are those that runs themselves give, test by test."""
    design = brnn.Grid(rho=[0.0, 0.9], variant=["emap", "distributed"])
    sweep = brnn.sweep("distributed_artmap", design, measures=["final"], progress=False)
    nodes, right = sweep_figure(sweep).axes
    assert [text.get_text() for text in nodes.get_legend().get_texts()] == ["emap", "distributed"]
    classes = np.array(brnn.models.distributed_artmap.TESTS)[:, 2]
    for variant, line, learned in zip(("emap", "distributed"), right.get_lines(), nodes.get_lines(), strict=True):
        for rho, percent, count in zip((0.0, 0.9), line.get_ydata(), learned.get_ydata(), strict=True):
            network = brnn.models.distributed_artmap.build(rho=rho, variant=variant)
            run = brnn.simulate(network, times=np.arange(0.5, 16.0))
            said = run["prediction.x"].values[8:].argmax(axis=1)
            assert percent == pytest.approx(100.0 * np.mean(said == classes))
            assert count == run.final("labels").values.any(axis=1).sum()
    alone = sweep.isel(member=[0, 1]).assign_attrs(axes="")
    assert [bar.get_width() for bar in sweep_figure(alone).axes[1].patches] == [25.0, 50.0]


def test_signals_alone_get_bars() -> None:
    sweep = made(brnn.Grid(signal=["linear", "w**2"]), ("total", "regime"))
    ax = sweep_figure(sweep, measure="total").axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["linear", "w**2"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(sweep["total"].values)
    figure = sweep_figure(sweep)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(sweep["regime"].values)


def test_a_category_gets_a_regime_map_with_its_names(grid: xr.Dataset) -> None:
    figure = sweep_figure(grid)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == sorted(set(grid["regime"].values))


def test_one_parameter_gets_a_line_with_bands_over_the_cells() -> None:
    sweep = made(brnn.Grid(A=A), ("final", "total"))
    line = sweep_figure(sweep, measure="total").axes[0].get_lines()[0]
    assert np.allclose(line.get_xydata(), np.column_stack([A, sweep["total"].values]))
    ax = sweep_figure(sweep, measure="rcf.x").axes[0]
    assert np.allclose(ax.get_lines()[0].get_ydata(), np.median(sweep["rcf.x"].values, axis=1))
    assert len(ax.collections) == 2


def test_three_parameters_get_a_map_for_each_value_of_the_one_with_fewest() -> None:
    sweep = made(brnn.Grid({"A": A, "B": [2.0, 3.0], "signal.half": HALF}))
    figure = sweep_figure(sweep)
    panels = [ax for ax in figure.axes if ax.get_title(loc="left").startswith("B = ")]
    assert len(panels) == 2
    values = sweep["total"].values.reshape(A.size, 2, HALF.size)
    for k, ax in enumerate(panels):
        mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
        assert np.array_equal(np.asarray(mesh.get_array()).reshape(HALF.size, A.size), values[:, k].T)


def test_drawn_parameters_get_pairs_and_many_get_coordinates() -> None:
    ranges = {"A": (0.5, 1.5), "B": (2.0, 4.0), "signal.half": (0.1, 1.0)}
    sweep = made(brnn.Random(12, 1, ranges))
    assert len([ax for ax in sweep_figure(sweep).axes if ax.get_visible() and ax.collections]) >= 6
    more = ranges | {f"initial.{k}": (0.0, 1.0) for k in range(4)}
    drawn = sweep_figure(made(brnn.Random(7, 1, more))).axes[0].collections
    lines = [collection for collection in drawn if isinstance(collection, LineCollection)]
    assert len(lines[0].get_segments()) == 7


def test_what_cannot_be_drawn_is_refused_in_one_line(grid: xr.Dataset) -> None:
    for arguments, words in (
        (("circle",), "must be one of"),
        (("multiples",), "needs a grid over 3 parameters"),
        (("line",), "needs one parameter"),
    ):
        with pytest.raises(brnn.InputError, match=words) as raised:
            sweep_figure(grid, *arguments)
        assert "\n" not in str(raised.value)
    with pytest.raises(brnn.InputError, match="did you mean 'total'"):
        sweep_figure(grid, measure="totl")
    assert "auto" in SWEEP_KINDS
