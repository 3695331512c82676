"""Comparisons never pass by accident, and claims never stop the others."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import types

import numpy as np
import pytest
import xarray

from brnn.claims import Claim, Comparison, claim, table
from brnn.errors import InputError


def test_difference_and_verdict():
    row = Comparison([1.0, 2.0], [1.0, 2.5], 0.5, "two numbers")
    assert row.difference == 0.5
    assert row.passed
    assert row.reason == ""
    worse = Comparison([1.0, 2.0], [1.0, 2.5], 0.499)
    assert not worse.passed
    assert "[1]" in worse.reason


def test_relative_difference_uses_the_largest_predicted_value():
    assert Comparison([10.0, -100.0], [10.0, -99.0], 0.01, relative=True).difference == pytest.approx(0.01)
    assert not Comparison(0.0, 0.0, 1.0, relative=True).passed


@pytest.mark.parametrize(
    ("predicted", "measured"),
    [
        (1.0, math.nan),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0], 1.0),
        ([], []),
        ("one", 1.0),
        (None, None),
        ([[1.0], [1.0, 2.0]], 1.0),
        (1 + 2j, 1 + 2j),
    ],
)
def test_what_cannot_be_compared_fails_with_a_reason(predicted, measured):
    row = Comparison(predicted, measured, 1e9)
    assert not row.passed
    assert row.reason
    assert math.isnan(row.difference)
    assert "FAILED" in str(row)
    json.dumps(row.to_dict(), allow_nan=False)


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf, "much", None])
def test_a_tolerance_is_a_finite_number(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        Comparison(1.0, 1.0, tolerance)


def test_xarray_and_integers_are_accepted():
    measured = xarray.DataArray(np.array([1, 2, 3], dtype=np.uint8), dims="F1")
    assert Comparison([3, 2, 1], measured, 2).difference == 2
    assert isinstance(Comparison([1, 2, 3], measured, 0).measured, np.ndarray)


def test_exact_sees_the_last_bit():
    x = np.linspace(0.0, 1.0, 11)
    assert Comparison.exact(x, x.copy()).passed
    assert Comparison.exact(x, np.nextafter(x, 2.0)).difference == 11
    assert not Comparison.exact(0.0, -0.0).passed
    assert not Comparison.exact(1, 1.0).passed  # not even the same type
    assert not Comparison.exact(math.nan, math.nan).passed


def test_counts():
    assert Comparison.count(3, 3.0).passed
    assert Comparison.count(3, 5).difference == 2
    assert Comparison.count(3, 3.0000001).reason == "measured is not a whole number"


def test_orders_of_indices_and_labels():
    assert Comparison.order([2, 0, 1], np.argsort([0.2, 0.3, 0.1])).passed
    row = Comparison.order(["a", "b", "c"], ["a", "c", "b"])
    assert row.difference == 2
    assert "position 1" in row.reason
    assert not Comparison.order([0, 1], [0, 1, 2]).passed
    assert not Comparison.order([], []).passed


def test_bounds_and_their_margin():
    row = Comparison.within(-1.0, [0.0, 0.5], 1.0)
    assert row.passed
    assert row.difference == 0
    assert row.margin == 0.5
    assert not Comparison.within(0.0, [0.0, 1.1], 1.0, 0.05).passed
    assert Comparison.within(0.0, [0.0, 1.1], 1.0, 0.11).passed
    assert Comparison.within([0.0, 2.0], [0.0, 1.0], 3.0).margin == -1.0
    assert Comparison.at_most(1.0, 1.0).passed
    assert Comparison.at_most(1.0, [0.9, 1.2]).difference == pytest.approx(0.2)
    assert not Comparison.at_least(1.0, 0.99).passed
    assert not Comparison.within(-math.inf, 0.0, math.inf).passed  # says nothing
    assert not Comparison.within(0.0, math.inf, math.inf).passed
    assert not Comparison.within(math.nan, 0.5, 1.0).passed
    assert not Comparison.within([0.0, 0.0, 0.0], [0.5, 0.5], 1.0).passed
    assert math.isnan(Comparison(1.0, 1.0, 0.0).margin)


def test_monotone():
    assert Comparison.monotone("falling", [3.0, 1.0, 1.0]).passed
    assert Comparison.monotone("rising", [[0.0, 1.0], [1.0, 0.5]]).difference == 0.5
    assert Comparison.monotone("rising", [1.0, 1.0 - 1e-12], 1e-9).passed
    assert not Comparison.monotone("rising", [1.0]).passed
    assert not Comparison.monotone("rising", [1.0, math.nan]).passed
    with pytest.raises(InputError, match="direction"):
        Comparison.monotone("up", [1.0, 2.0])


@pytest.mark.parametrize(
    "row",
    [
        Comparison(np.arange(100.0), np.arange(100.0), 0.0, "many"),
        Comparison.exact(1.0, 1.0),
        Comparison.count([1, 2], [1, 2]),
        Comparison.order("abc", "abc"),
        Comparison.within(-math.inf, np.zeros((9, 9)), 1.0),
        Comparison.monotone("falling", [2.0, 1.0]),
        Comparison.failed("stopped"),
    ],
)
def test_every_kind_becomes_json_and_text(row):
    data = json.loads(json.dumps(row.to_dict(), allow_nan=False))
    assert data["passed"] is row.passed
    assert data["kind"] == row.kind
    assert "\n" not in str(row)
    assert len(str(row)) < 250


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match="kind"):
        Comparison(1.0, 1.0, 0.0, kind="close")


def test_table_has_fixed_columns():
    rows = [
        Comparison(0.25, 0.25, 1e-6, "short"),
        Comparison(np.arange(5.0), np.arange(5.0) + 1, 1e-6, "a long label " * 6),
        Comparison.within(0.0, 0.5, 1.0, label="bounded"),
    ]
    lines = table(rows).splitlines()
    column = lines[0].index("measured")
    assert [line[column - 1] for line in lines[1:3]] == [" ", " "]
    assert lines[2].startswith("short")
    assert lines[2].endswith("ok")
    assert sum(line.endswith("FAILED") for line in lines) == 1
    assert "    predicted 0, measured 1 at [0]" in lines
    assert "margin 0.5" in lines[-1]
    assert table([]).startswith("claim")


SOURCE = """
from brnn.claims import Comparison, claim

@claim("One is one", source="arithmetic")
def one():
    return Comparison(1, 1, 0)

@claim("Two things", source="arithmetic")
def two():
    return [Comparison(1, 1, 0, "first"), Comparison(2, 3, 0)]

@claim("Broken", source="arithmetic")
def broken():
    return 1 / 0

@claim("Bare", source="arithmetic")
def bare():
    return True

@claim("Empty", source="arithmetic")
def empty():
    return ()
"""


@pytest.fixture
def claims(tmp_path):
    """Claims of a user's file that no one put into sys.modules."""
    path = tmp_path / "mymodel.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("some.mymodel", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "some.mymodel" not in sys.modules
    spec.loader.exec_module(module)  # a second time, as a reload does
    return module.CLAIMS


def test_claims_register_in_their_own_module_in_order(claims):
    assert [c.name for c in claims] == ["one", "two", "broken", "bare", "empty"]
    assert all(isinstance(c, Claim) for c in claims)
    assert claims[0].title == "One is one"
    assert claims[0].source == "arithmetic"
    assert claims[0].module == "some.mymodel"
    assert claims[0].model == "mymodel"
    assert "CLAIMS" not in globals()


def test_check_labels_its_rows(claims):
    (row,) = claims[0].check()
    assert row.passed
    assert row.label == "One is one"
    first, second = claims[1]()
    assert first.label == "first"
    assert second.label == "Two things"
    assert (first.passed, second.passed) == (True, False)


@pytest.mark.parametrize(("index", "words"), [(2, "ZeroDivisionError: division by zero"), (3, "True"), (4, "nothing")])
def test_a_bad_claim_is_a_failed_verdict(claims, index, words):
    (row,) = claims[index].check()
    assert not row.passed
    assert words in row.reason
    assert row.label == claims[index].title
    assert words in table([row])


def test_a_claim_is_stopped_by_the_keyboard():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Claim("stop", "none", stop, __name__).check()


def test_the_decorator_refuses_what_is_no_claim():
    with pytest.raises(InputError, match="title"):
        claim("", source="x")
    with pytest.raises(InputError, match="source"):
        claim("x", source=" ")
    with pytest.raises(InputError, match="without arguments"):
        claim("x", source="x")(lambda n: Comparison(n, n, 0))
    elsewhere = types.FunctionType((lambda: None).__code__, {"CLAIMS": (), "__name__": "m"})
    with pytest.raises(InputError, match="not a list"):
        claim("x", source="x")(elsewhere)


def test_importing_claims_is_light():
    code = "import sys, brnn.claims; print([m for m in ('scipy.integrate', 'xarray', 'numba') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
