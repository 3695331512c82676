"""Bifurcation diagrams against closed forms, published figures and integration by other means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

import brnn
from brnn.continuation.cycles import CycleCurve
from brnn.files.diagram import open_diagram, save_diagram

COMPETING = {"n": 4, "A": 1.0, "B": 3.0, "signal": "sigmoid"}


def specials(diagram: xr.Dataset, kind: str) -> xr.Dataset:
    return diagram.isel(point=np.flatnonzero(diagram.special.values == kind))


@pytest.fixture(scope="module")
def winner() -> xr.Dataset:
    """One cell with f = w^2 has x = (B +- sqrt(B^2 - 4 A))/2 and 0."""
    return brnn.bifurcation_diagram("rcf", {"B": (4.0, 1.0)}, settings={"n": 1, "signal": "w**2"}, initial=2.0)


def test_both_levels_and_their_fold(winner: xr.Dataset) -> None:
    B, x = winner.B.values, winner["rcf.x"].values[:, 0]
    assert np.max(np.abs(x * (B - x) - 1.0)) < 1e-9
    fold = specials(winner, "fold")
    assert fold.sizes["point"] == 1
    assert float(fold.B[0]) == pytest.approx(2.0, abs=1e-9)
    # dF/dx = -1 + 2 B x - 3 x^2 decides about stability.
    slope = -1.0 + 2.0 * B * x - 3.0 * x**2
    clear = np.abs(slope) > 1e-6
    assert np.array_equal(winner.stable.values[clear], slope[clear] < 0.0)
    assert np.max(np.abs(winner.growth_rate.values - slope)) < 1e-6
    assert winner.special.values[[0, -1]].tolist() == ["start", "end"]
    assert B[[0, -1]].tolist() == [4.0, 4.0]


@pytest.fixture(scope="module")
def competing() -> xr.Dataset:
    return brnn.bifurcation_diagram("rcf", {"signal.half": (0.1, 2.0)}, settings=COMPETING, initial=0.9)


def test_equal_cells_lose_their_equality_together(competing: xr.Dataset) -> None:
    """f = w^2/(h^2 + w^2): n equal cells rest at (A + n) u^2 - B u + A h^2 = 0, and are stable while u > h."""
    point = specials(competing, "branch point")
    assert point.sizes["point"] == 1
    assert float(point["signal.half"][0]) == pytest.approx(3.0 / (2.0 + 4.0), abs=1e-8)
    assert int(point.crossing[0]) == 3
    folds = specials(competing, "fold")
    uniform = folds.isel(point=folds.branch.values == 0)
    assert float(uniform["signal.half"][0]) == pytest.approx(3.0 / (2.0 * np.sqrt(5.0)), abs=1e-8)


def test_an_even_number_of_eigenvalues_is_not_overlooked() -> None:
    """The determinant keeps its sign where n - 1 = 2 eigenvalues pass 0: findings/auto_even_branch_points.sh."""
    with pytest.warns(UserWarning, match="branches are not followed"):
        diagram = brnn.bifurcation_diagram(
            "rcf", {"signal.half": (0.3, 2.0)}, settings={**COMPETING, "n": 3}, initial=0.9, branches=0
        )
    point = specials(diagram, "branch point")
    assert float(point["signal.half"][0]) == pytest.approx(3.0 / 5.0, abs=1e-8)
    assert int(point.crossing[0]) == 2


def test_every_split_of_the_cells_is_followed(competing: xr.Dataset) -> None:
    """k cells at a and n - k at b with f(a)/a = f(b)/b, that is a b = h^2, and A + k f(a) + (n-k) f(b) = B f(a)/a."""
    seen = set()
    for number in range(1, int(competing.branch.max()) + 1):
        branch = competing.isel(point=np.flatnonzero(competing.branch.values == number))
        for x, h in zip(branch["rcf.x"].values, branch["signal.half"].values, strict=True):
            a, b = x[0], x[-1]
            k = int(np.sum(np.isclose(x, a)))
            seen.add(k)
            f = x**2 / (h**2 + x**2)
            assert a * b == pytest.approx(h**2, rel=1e-7)
            assert 1.0 + f.sum() == pytest.approx(3.0 * f[0] / x[0], rel=1e-7)
        assert not branch.stable.values.any()  # at most one cell may stand on the rising side, and that one unstably
    assert seen == {1, 2}


def test_cells_need_not_be_grouped(competing: xr.Dataset) -> None:
    alone = brnn.bifurcation_diagram("rcf", {"signal.half": (0.1, 2.0)}, settings=COMPETING, initial=0.9, groups=False)
    one, two = (specials(d, "fold")["signal.half"].values[0] for d in (competing, alone))
    assert one == pytest.approx(two, abs=1e-8)


def test_no_unit_matters() -> None:
    """All rates times c move nothing along the parameter."""

    def build(h: float = 0.1, c: float = 1.0) -> brnn.Network:
        signal = brnn.Expression("c*w**2/(h**2 + w**2)", c=c, h=h)
        layer = brnn.Layer.shunting("F", 2, A=c, B=3.0)
        around = brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf())
        own = brnn.Projection("F", "F", "excitatory", signal, brnn.OneToOne())
        return brnn.Network("two", [layer], [own, around], duration=100.0 / c)

    for c in (1e-6, 1e6):
        with pytest.warns(UserWarning, match="2 branches are not followed"):
            diagram = brnn.bifurcation_diagram(build, {"h": (0.1, 2.0)}, settings={"c": c}, initial=1.0, branches=0)
        assert float(specials(diagram, "fold").h[0]) == pytest.approx(3.0 / (2.0 * np.sqrt(3.0)), abs=1e-7)
        assert float(specials(diagram, "branch point").h[0]) == pytest.approx(3.0 / 4.0, abs=1e-7)


def slow(x: float, G: float) -> tuple[float, float]:
    """Rate and slope of x' = -x + (1 - x)(I + f(x)) - G x y at y = x, with f = 8 x^2/(0.5 + x^2), by hand."""
    f, df = 8.0 * x**2 / (0.5 + x**2), 8.0 * x / (0.5 + x**2) ** 2
    return -x + (1.0 - x) * (0.1 + f) - G * x * x, -1.0 - (0.1 + f) + (1.0 - x) * df - G * x


@pytest.fixture(scope="module")
def cycles() -> xr.Dataset:
    return brnn.bifurcation_diagram("slow_inhibition", {"e": (0.9, 0.4)})


def test_cycles_begin_where_the_trace_is_zero(cycles: xr.Dataset) -> None:
    """The trace of the Jacobian is J_xx - e; the period there is 2 pi / sqrt(J_xx (G x - J_xx))."""
    rest = brentq(lambda x: slow(x, 8.0)[0], 0.2, 0.3, xtol=1e-15)
    slope = slow(rest, 8.0)[1]
    point = specials(cycles, "Hopf point").isel(point=0)
    assert float(point.e) == pytest.approx(slope, abs=1e-8)
    assert 2.0 * np.pi / float(point.frequency) == pytest.approx(6.54550733, abs=1e-6)
    assert float(point["cells.x"][0]) == pytest.approx(rest, abs=1e-9)
    ring = cycles.isel(point=cycles.kind.values == "cycle")
    assert float(ring.period[0]) == pytest.approx(2.0 * np.pi / np.sqrt(slope * (8.0 * rest - slope)), rel=1e-7)
    assert ring.stable.values[1:].all()


def test_a_cycle_has_the_period_and_range_that_integration_finds(cycles: xr.Dataset) -> None:
    """At e = 0.4, LSODA at rtol 1e-11: period 9.7976540, x between 0.06836807 and 0.47106518."""
    last = cycles.isel(point=-1)
    assert (str(last.kind.item()), float(last.e)) == ("cycle", 0.4)
    assert float(last.period) == pytest.approx(9.7976540, rel=2e-6)
    # The extrema are read off the mesh points.
    assert float(last["cells.x_min"][0]) == pytest.approx(0.06836807, abs=2e-4)
    assert float(last["cells.x_max"][0]) == pytest.approx(0.47106518, abs=2e-4)


def test_a_multiplier_of_every_cycle_is_1(cycles: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one says how disturbances decay: in two dimensions exp of the integral of the trace."""
    seen: list[tuple[np.ndarray, float]] = []
    known = CycleCurve.multipliers

    def multipliers(self: CycleCurve, y: np.ndarray) -> np.ndarray:
        values = known(self, y)
        orbit, period, e = self.parts(y)
        points = self.at(orbit, np.linspace(0.0, 1.0, 2001)[:-1])
        names = [v.name for v in self.family.system.variables]
        x, inhibition = points[:, names.index("cells.x")], points[:, names.index("interneurons.x")]
        f, df = 8.0 * x**2 / (0.5 + x**2), 8.0 * x / (0.5 + x**2) ** 2
        trace = -1.0 - (0.1 + f) + (1.0 - x) * df - 8.0 * inhibition - e
        seen.append((values, float(np.exp(period * trace.mean()))))
        return values

    monkeypatch.setattr(CycleCurve, "multipliers", multipliers)
    brnn.bifurcation_diagram("slow_inhibition", {"e": (0.9, 0.75)})
    assert len(seen) > 5
    for values, other in seen:
        assert np.min(np.abs(values - 1.0)) < 1e-5
        assert np.prod(values).real == pytest.approx(other, rel=1e-5)


def test_a_fold_along_two_parameters() -> None:
    """B^2 = 4 A."""
    curve = brnn.bifurcation_curve(
        "rcf", {"B": (4.0, 1.0), "A": (1.0, 3.0)}, settings={"n": 1, "signal": "w**2"}, initial=2.0
    )
    assert np.max(np.abs(curve.B.values**2 - 4.0 * curve.A.values)) < 1e-7
    assert curve.A.values.max() > 2.9


def test_a_hopf_point_along_two_parameters() -> None:
    curve = brnn.bifurcation_curve("slow_inhibition", {"e": (1.2, 0.3), "G": (8.0, 5.0)}, kind="Hopf point")
    assert curve.sizes["point"] > 5
    for e, G, x in zip(curve.e.values, curve.G.values, curve["cells.x"].values[:, 0], strict=True):
        rate, slope = slow(x, G)
        assert rate == pytest.approx(0.0, abs=1e-9)
        assert e == pytest.approx(slope, abs=1e-7)
    with pytest.raises(brnn.InputError, match="point 3 of kind fold is not met"):
        brnn.bifurcation_curve("slow_inhibition", {"e": (1.2, 0.9), "G": (8.0, 5.0)}, which=3)


@pytest.mark.parametrize(
    ("build", "along", "message"),
    [
        ("rcf", {"Q": (0.0, 1.0)}, "rcf has no parameter 'Q'"),
        ("rcf", {"A": (1.0, 1.0)}, "two different numbers"),
        ("rcf", {"A": (1.0, np.inf)}, "two different numbers"),
        ("rcf", {"A": "low"}, "must have two numbers"),
        ("rcf", {"A": (1.0, 2.0), "B": (1.0, 2.0)}, "must name one parameter"),
        ("rcf", {"n": (2, 5)}, "must be a whole number"),
        ("rcf", {"initial": (0.1, 0.5)}, "initial: no rate of the network depends on it"),
        ("caianiello", {"refractory": (1.0, 5.0)}, "continuous time"),
    ],
)
def test_what_cannot_be_followed_is_said(build: str, along: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        brnn.bifurcation_diagram(build, along)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"branches": -2}, {"points": 0}, {"branches": 1.5}])
def test_numbers_of_branches_and_points_are_checked(options: Any) -> None:
    with pytest.raises(ValueError, match=r"must be a (whole number|number >=)") as caught:
        brnn.bifurcation_diagram("rcf", {"A": (1.0, 2.0)}, **options)
    assert "\n" not in str(caught.value)


def test_a_file_gives_the_diagram_back(winner: xr.Dataset, tmp_path: Path) -> None:
    path = save_diagram(winner, tmp_path / "d.h5")
    back = brnn.open(path)
    assert list(back.data_vars) == list(winner.data_vars)
    for name in winner.data_vars:
        assert np.array_equal(back[name].values, winner[name].values, equal_nan=winner[name].dtype.kind == "f")
    plain = xr.open_dataset(path)
    assert np.array_equal(plain.B.values, winner.B.values)
    assert "fold" in plain.special.attrs["flag_meanings"]
    plain.close()
    with pytest.raises(brnn.FileError, match="is a bifurcation diagram, not a run"):
        brnn.rerun(path)
    (tmp_path / "x.h5").write_bytes(path.read_bytes()[:3000])
    with pytest.raises(brnn.FileError):
        open_diagram(tmp_path / "x.h5")
