"""Designs of sweeps: sizes, order, values, seeds, JSON, tables, and how they are written as texts."""

from __future__ import annotations

import itertools
import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brnn
from brnn.errors import InputError, SpecError
from brnn.sweeps.columns import pick
from brnn.sweeps.designs import Design, Grid, LatinHypercube, Product, Random, Sobol, Table

SAMPLED = [Random, Sobol, LatinHypercube]

names = st.sampled_from(["A", "B", "n", "seed", "values", "ranges", "signal.half", "initial.3", "self", "Größe"])
numbers = st.floats(-1e6, 1e6)
axis = st.one_of(
    st.lists(numbers, min_size=1, max_size=5, unique=True),
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from(["linear", "w**2", "none", "a,b"]), min_size=1, max_size=3, unique=True),
    st.lists(st.builds(brnn.Sigmoid, half=st.floats(0.1, 1)), min_size=1, max_size=3, unique=True),
    st.lists(st.lists(numbers, min_size=2, max_size=3).map(tuple), min_size=1, max_size=3, unique=True),
)
grids = st.dictionaries(names, axis, min_size=1, max_size=3).map(Grid)
linear = st.tuples(numbers, numbers).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: tuple(sorted(ends)))
log = st.tuples(st.floats(1e-3, 1.0), st.floats(1.5, 1e3), st.just("log"))
whole = st.tuples(st.integers(-50, 0), st.integers(1, 50), st.just("whole"))
ranges = st.dictionaries(names, st.one_of(linear, log, whole), min_size=1, max_size=3)
sampled = st.builds(
    lambda kind, n, seed, ranges: kind(n, seed, ranges),
    st.sampled_from(SAMPLED),
    st.integers(1, 40),
    st.integers(0, 2**70),
    ranges,
)


@st.composite
def products(draw: st.DrawFn) -> Design:
    """Draw a product of designs without common names."""
    found: list[Design] = []
    for design in draw(st.lists(st.one_of(grids, sampled), min_size=1, max_size=3)):
        if not set(design.names) & {name for other in found for name in other.names}:
            found.append(design)
    result = found[0]
    for design in found[1:]:
        result = result * design
    return result


def rows(columns: dict[str, Any]) -> list[list[Any]]:
    """Return columns as a list of lists that can be compared with ==, arrays by their bytes."""
    plain = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    return [[v.tobytes() if isinstance(v, np.ndarray) else v for v in column] for column in plain]


def refusal(make: Any) -> str:
    with pytest.raises((SpecError, InputError)) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


# ---------------------------------------------------------------------------------------------------- all designs


@given(design=products())
@settings(deadline=None)
def test_json_gives_the_same_design(design: Design) -> None:
    again = Design.from_json(design.to_json())
    assert again == design
    assert again.names == design.names
    assert again.size == design.size
    assert rows(again.columns()) == rows(design.columns())
    json.loads(design.to_json())


@given(design=products(), data=st.data())
@settings(deadline=None)
def test_a_member_has_the_same_values_in_every_selection(design: Design, data: st.DataObject) -> None:
    every = design.columns()
    chosen = data.draw(st.lists(st.integers(0, design.size - 1), max_size=30))
    part = design.columns(chosen)
    assert tuple(part) == tuple(every) == design.names
    assert rows(part) == [[column[k] for k in chosen] for column in rows(every)]
    for name, column in part.items():
        assert type(column) is type(every[name])
        if isinstance(column, np.ndarray):
            assert column.dtype == every[name].dtype  # type: ignore[union-attr]


@given(first=products(), second=products())
@settings(deadline=None)
def test_a_product_has_every_pair_in_c_order(first: Design, second: Design) -> None:
    if set(first.names) & set(second.names):
        assert "in two designs" in refusal(lambda: first * second)
        return
    both = first * second
    assert both.size == first.size * second.size
    a, b = list(zip(*rows(first.columns()), strict=True)), list(zip(*rows(second.columns()), strict=True))
    assert list(zip(*rows(both.columns()), strict=True)) == [x + y for x, y in itertools.product(a, b)]


@given(design=products())
@settings(deadline=None)
def test_axes_are_those_of_grids_only(design: Design) -> None:
    axes = design.axes
    factors = design.designs if isinstance(design, Product) else (design,)
    if not all(isinstance(factor, Grid) for factor in factors):
        assert axes is None
        return
    assert axes is not None
    assert tuple(axes) == design.names
    combinations = itertools.product(*rows(axes))
    assert [list(column) for column in zip(*combinations, strict=True)] == rows(design.columns())


def test_a_product_is_flat() -> None:
    design = (Grid(A=[1, 2]) * Random(2, B=(0, 1))) * (Grid(C=[1]) * Grid(D=[1]))
    assert isinstance(design, Product)
    assert [type(factor) for factor in design.designs] == [Grid, Random, Grid, Grid]
    assert design.names == ("A", "B", "C", "D")
    with pytest.raises(TypeError):
        Grid(A=[1]) * 3


def test_members_that_are_not_there() -> None:
    design = Grid(A=[1, 2, 3])
    assert "no member 3; they are numbered 0 ... 2" in refusal(lambda: design.columns([0, 3]))
    assert "no member -1" in refusal(lambda: design.columns([-1]))
    assert "whole numbers" in refusal(lambda: design.columns([0.0]))
    assert "whole numbers" in refusal(lambda: design.columns([[0]]))
    assert design.columns([])["A"].dtype == np.int64  # type: ignore[union-attr]


def test_a_member_in_plain_numbers() -> None:
    design = Grid(n=[1, 2], A=[0.5], s=["linear"]) * Random(4, 1, B=(0, 1))
    member = design.member(5)
    assert member == {"n": 2, "A": 0.5, "s": "linear", "B": design.columns()["B"][5]}
    assert [type(value) for value in member.values()] == [int, float, str, float]


@pytest.mark.parametrize("seeded", SAMPLED)
def test_enormous_designs_have_a_size_and_members_but_not_all_of_them(seeded: Any) -> None:
    grid = Grid({name: range(32) for name in "ABCDEFGHIJKL"})
    assert grid.size == 2**60
    last = grid.columns([2**60 - 1, 2**59, 33])
    assert [column.tolist() for column in last.values()] == [[31, 16, 0]] + [[31, 0, 0]] * 9 + [[31, 0, 1], [31, 0, 1]]
    beyond = grid * Grid({name: range(32) for name in "MNOPQRSTUVWX"}) * seeded(16, 3, half=(0, 1))
    assert beyond.size == 2**124
    assert beyond.columns([16, 17])["X"].tolist() == [1, 1]  # type: ignore[union-attr]
    assert beyond.columns([16, 17])["A"].tolist() == [0, 0]  # type: ignore[union-attr]
    assert "2**60" not in refusal(grid.columns)
    assert f"{2**60} members needs about" in refusal(grid.columns)


def test_enormous_random_designs_make_only_what_is_asked() -> None:
    design = Random(2**60, 7, A=(0, 1), B=(1, 100, "log"))
    assert design.size == 2**60
    far = [2**60 - 1, 5, 2**50, 2**50 + 1, 5]
    columns = design.columns(far)
    assert columns["A"][1] == columns["A"][4] == Random(10, 7, A=(0, 1)).columns()["A"][5]
    for k, member in enumerate(far):
        assert design.columns([member])["B"][0] == columns["B"][k]
    assert "needs about" in refusal(design.columns)


def test_names_of_parameters() -> None:
    for name in ("", "a b", "1", "3.half", "signal.", ".half", "a..b", "initial.03", "initial.-1", "a-b", "a/b"):
        assert "is not the name of a parameter" in refusal(lambda name=name: Grid({name: [1]}))
        assert "is not the name of a parameter" in refusal(lambda name=name: Random(1, 1, {name: (0, 1)}))
    assert "given twice" in refusal(lambda: Grid({"A": [1]}, A=[2]))
    assert "by name" in refusal(lambda: Grid([1, 2]))  # type: ignore[arg-type]
    for kind in (Grid, Table):
        assert "has no parameter" in refusal(kind)
    assert "has no parameter" in refusal(lambda: Random(10, 1))


# ----------------------------------------------------------------------------------------------------------- grids


def test_a_grid_is_in_c_order() -> None:
    grid = Grid(A=[0.5, 1.0], **{"signal.half": [1, 2, 3]})
    assert grid.size == 6
    assert grid.names == ("A", "signal.half")
    columns = grid.columns()
    assert columns["A"].tolist() == [0.5, 0.5, 0.5, 1.0, 1.0, 1.0]  # type: ignore[union-attr]
    assert columns["signal.half"].tolist() == [1, 2, 3, 1, 2, 3]  # type: ignore[union-attr]
    assert columns["A"].dtype == np.float64  # type: ignore[union-attr]
    assert columns["signal.half"].dtype == np.int64  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ([1, 2.5], np.array([1.0, 2.5])),
        (np.array([1, 2], dtype=np.uint8), np.array([1, 2])),
        (np.array([0.5, 2], dtype=np.float32), np.array([0.5, 2.0])),
        ((k for k in (1, 2)), np.array([1, 2])),
        (range(2), np.array([0, 1])),
        ([np.int32(4), np.float64(0.5)], np.array([4.0, 0.5])),
        ([math.inf, 1], np.array([math.inf, 1.0])),
        (["linear", brnn.Sigmoid()], ["linear", brnn.Sigmoid()]),
        ([None, 5], [None, 5]),
        ([True, False], [True, False]),
        (np.array([True, False]), [True, False]),
        ([(3, 4), 5], [(3, 4), 5]),
        ([[3, 4], [5, 6]], [(3, 4), (5, 6)]),
        ([2**70, 1], np.array([2.0**70, 1.0])),
    ],
)
def test_values_of_an_axis(given_values: Any, expected: Any) -> None:
    axes = Grid(A=given_values).axes
    assert axes is not None
    found = axes["A"]
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()
    else:
        assert found == expected
        assert [type(value) for value in found] == [type(value) for value in expected]


def test_arrays_are_values() -> None:
    patterns = np.arange(6.0).reshape(2, 3)
    grid = Grid(initial=patterns, A=[1, 2])
    assert grid.size == 4
    column = grid.columns()["initial"]
    np.testing.assert_array_equal(column, patterns[[0, 0, 1, 1]])
    patterns[:] = 0  # the design has its own
    assert column[1][1] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        column[0][0] = 5.0
    mixed = Grid(initial=[np.ones(2), np.ones((2, 2))])
    assert rows(mixed.columns()) == rows(Design.from_json(mixed.to_json()).columns())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "has no values"),
        (np.empty((0, 3)), "has no values"),
        (np.empty(0), "has no values"),
        (0.5, "must be a list of values"),
        (np.array(0.5), "must be a list of values"),
        ("linear", "must be a list of values"),
        (brnn.Sigmoid(), "must be a list of values"),
        ({1, 2}, "must be a list of values"),
        ([1, 2, 1], "holds 1 more than once"),
        (["a", "a"], "holds 'a' more than once"),
        ([1.0, 1, "a"], "holds 1 more than once"),
        ([brnn.Sigmoid(), brnn.Sigmoid()], "more than once"),
        ([[1.0, 2.0], [1.0, 2.0]], "more than once"),
        (np.array([0.5, math.nan]), "value 1 is nan"),
        ([0.5, math.nan], "holds nan"),
        (["a", math.nan], "holds nan"),
        ([np.array([math.nan])], "nan"),
        ([1j], "must hold numbers, texts, signals or arrays"),
        ([object()], "must hold numbers, texts, signals or arrays"),
        ([{"a": 1}], "must hold numbers, texts, signals or arrays"),
    ],
)
def test_values_that_are_refused(values: Any, words: str) -> None:
    message = refusal(lambda: Grid(A=values))
    assert message.startswith("Grid: A")
    assert words in message


# --------------------------------------------------------------------------------------------------------- sampled


@pytest.mark.parametrize("kind", SAMPLED)
@given(n=st.integers(1, 60), seed=st.integers(0, 2**64), given_ranges=ranges)
@settings(deadline=None, max_examples=30)
def test_values_are_in_their_ranges(kind: Any, n: int, seed: int, given_ranges: dict[str, Any]) -> None:
    design = kind(n, seed, given_ranges)
    for name, column in design.columns().items():
        low, high, *scale = given_ranges[name]
        assert column.shape == (n,)
        assert column.dtype == (np.int64 if scale == ["whole"] else np.float64)
        assert (column >= low).all()
        assert (column <= high).all()


@pytest.mark.parametrize("kind", SAMPLED)
def test_scales(kind: Any) -> None:
    """Means and counts are those of the distributions: uniform, uniform in the logarithm, whole numbers."""
    columns = kind(4096, 5, a=(2, 4), b=(0.01, 100, "log"), c=(1, 4, "whole")).columns()
    assert columns["a"].mean() == pytest.approx(3.0, abs=0.05)
    assert columns["a"].std() == pytest.approx(2 / math.sqrt(12), rel=0.05)
    assert np.log10(columns["b"]).mean() == pytest.approx(0.0, abs=0.1)
    assert np.log10(columns["b"]).std() == pytest.approx(4 / math.sqrt(12), rel=0.05)
    counts = np.bincount(columns["c"])
    assert counts[0] == 0
    assert counts[1:] == pytest.approx(1024, rel=0.12)
    assert abs(np.corrcoef([columns["a"], np.log(columns["b"]), columns["c"]])[np.triu_indices(3, 1)]).max() < 0.06


@pytest.mark.parametrize("kind", SAMPLED)
def test_seeds(kind: Any) -> None:
    first = kind(100, 1, A=(0, 1), B=(0, 1))
    assert rows(first.columns()) == rows(kind(100, seed=1, A=(0, 1), B=(0, 1)).columns())
    assert rows(first.columns()) == rows(kind(n=100, seed=1, A=(0, 1), B=(0, 1)).columns())
    assert rows(first.columns()) != rows(kind(100, 2, A=(0, 1), B=(0, 1)).columns())
    assert not np.array_equal(first.columns()["A"], first.columns()["B"])
    assert kind(10, A=(0, 1)) == kind(10, 0, A=(0, 1))
    assert kind(10, 2**70, A=(0, 1)) != kind(10, 2**70 + 1, A=(0, 1))
    assert first.replace(seed=2) == kind(100, 2, A=(0, 1), B=(0, 1))


def test_random_values_depend_on_the_name_only() -> None:
    alone = Random(50, 3, B=(0, 1)).columns()["B"]
    np.testing.assert_array_equal(Random(80, 3, A=(0, 1), B=(0, 1)).columns()["B"][:50], alone)


def test_random_is_numpys_generator() -> None:
    """The values of "A" are those of PCG64 with the spawn key made of the letters of the name."""
    sequence = np.random.SeedSequence(11, spawn_key=(ord("A"),))
    expected = np.random.default_rng(sequence).random(10_000)
    np.testing.assert_array_equal(Random(10_000, 11, A=(0, 1)).columns()["A"], expected)


def test_sobol_points_are_scipys_and_no_warning_is_given() -> None:
    from scipy.stats import qmc

    engine = qmc.Sobol(2, seed=np.random.default_rng(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        columns = Sobol(7, 3, a=(0, 1), b=(0, 1)).columns()
        np.testing.assert_array_equal(np.transpose(list(columns.values())), engine.random_base2(3)[:7])
    balanced = Sobol(64, 1, a=(0, 8)).columns()["a"]
    assert np.bincount(balanced.astype(int)).tolist() == [8] * 8  # type: ignore[union-attr]


def test_a_latin_hypercube_has_one_point_in_each_part() -> None:
    for column in LatinHypercube(50, 4, a=(0, 50), b=(0, 50)).columns().values():
        assert sorted(np.floor(column).tolist()) == list(range(50))  # type: ignore[arg-type]


def test_parameters_called_n_and_seed() -> None:
    design = Random(100, 1, n=(5, 20, "whole"), seed=(0, 1000, "whole"))
    assert design.n == design.size == 100
    assert design.seed == 1
    assert design.names == ("n", "seed")
    assert Random(100, n=(1, 2)).seed == 0
    assert "n, the number of points, is missing" in refusal(lambda: Random(n=(1, 2)))


@pytest.mark.parametrize("kind", SAMPLED)
@pytest.mark.parametrize(
    ("range_", "words"),
    [
        ((1, 1), "low must be less than high"),
        ((2, 1), "low must be less than high"),
        ((0, 1, "log"), "A: low = 0: must be a number > 0"),
        ((0, 1.5, "whole"), "A: high = 1.5: must be a whole number"),
        ((0, 2**60, "whole"), "A: high"),
        ((0, 1, "lgo"), "did you mean 'log'?"),
        ((0, 1, 2), "a range is linear, log, whole"),
        ((0, math.inf), "must be finite"),
        ((-1e308, 1e308), "too wide"),
        ((0,), "must be a range"),
        (0.5, "must be a range"),
        ("0:1", "must be a range"),
        (("a", 1), "must be a number"),
    ],
)
def test_ranges_that_are_refused(kind: Any, range_: Any, words: str) -> None:
    message = refusal(lambda: kind(10, 1, A=range_))
    assert message.startswith(f"{kind.__name__}: A")
    assert words in message


@pytest.mark.parametrize("kind", SAMPLED)
def test_counts_that_are_refused(kind: Any) -> None:
    assert "n = 0: must be a number >= 1" in refusal(lambda: kind(0, 1, A=(0, 1)))
    assert "n = 1.5: must be a whole number" in refusal(lambda: kind(1.5, 1, A=(0, 1)))
    assert "seed = -1" in refusal(lambda: kind(1, -1, A=(0, 1)))
    assert "n = True" in refusal(lambda: kind(True, 1, A=(0, 1)))


def test_what_does_not_fit_is_refused_when_it_is_made() -> None:
    assert "needs about" in refusal(lambda: LatinHypercube(2**50, 1, A=(0, 1)).columns([0]))
    assert "Sobol: n" in refusal(lambda: Sobol(2**31, 1, A=(0, 1)))


@pytest.mark.parametrize("places", [[], [2], [1, 2, 3], [0, 2, 3], [1, 3, 2], [2, 1, 0], [1, 1, 2], [0, 2, 1, 3]])
def test_values_are_picked_by_their_places(places: list[int]) -> None:
    for values in (["a", "b", "c", "d"], ("a", "b", "c", "d")):
        assert pick(values, np.array(places, dtype=np.int64)) == [values[k] for k in places]
    assert pick(np.arange(4.0), np.array(places, dtype=np.int64)).tolist() == places
