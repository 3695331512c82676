"""Designs of sweeps as texts: tables in files, axes and ranges as on the command line, JSON, and how they are shown."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.errors import FileError, InputError, SpecError
from brnn.sweeps.designs import Design, Grid, Random, Table, parse_axes, parse_axis, parse_range, parse_ranges


def refusal(make: Any) -> str:
    with pytest.raises((SpecError, InputError)) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


# ---------------------------------------------------------------------------------------------------------- tables


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_from_a_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        '\ufeffA, signal.half ,n,signal\n# a comment\n0.5,1,3,linear\n\n1e-3,2,4,"sigmoid(gain=2, half=0.2)"\n',
    )
    table = Table(path)
    path.unlink()
    again = Design.from_json(table.to_json())
    for found in (table, again):
        assert found.names == ("A", "signal.half", "n", "signal")
        assert found.size == 2
        assert found.axes is None
        assert [column.dtype if isinstance(column, np.ndarray) else str for column in found.columns().values()] == [
            np.float64, np.int64, np.int64, str,
        ]  # fmt: skip
        assert found.member(1) == {"A": 1e-3, "signal.half": 2, "n": 4, "signal": "sigmoid(gain=2, half=0.2)"}
    assert table == Table({"A": [0.5, 1e-3], "signal.half": [1, 2], "n": [3, 4],
                           "signal": ["linear", "sigmoid(gain=2, half=0.2)"]})  # fmt: skip


def test_other_kinds_of_tables(tmp_path: Path) -> None:
    tabs = write(tmp_path / "a.tsv", "A\tB\n1\tinf\n2\t-1\n")
    assert Table(tabs).columns()["B"].tolist() == [math.inf, -1.0]  # type: ignore[union-attr]
    assert Table(A=[1, 1], B=["x", "y"]).size == 2  # rows may be alike
    large = Table(write(tmp_path / "b.csv", f"A\n{10**30}\n1\n"))
    assert large.columns()["A"].tolist() == [1e30, 1.0]  # type: ignore[union-attr]
    assert Table({"initial": np.eye(3)}).size == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("A,B\n", "has no line after the names"),
        ("A,B\n1,2\n3\n", "line 3: has 1 values, there are 2 columns (A, B)"),
        ("A,B\n1,2\n\n3,4,5\n", "line 4: has 3 values"),
        ("A,B\n1,\n", "line 2: B is empty"),
        ("A,B\n1,nan\n", "line 2: B = nan"),
        ("A,A\n1,2\n", "line 1: the column 'A' occurs twice"),
        ("1,2\n3,4\n", "line 1: begins with the number 1"),
        ("A;B\n1;2\n", "columns are separated by commas"),
        ("A,b c\n1,2\n", "line 1: 'b c' is not the name of a parameter"),
        ('A,B\n"1\n2",3\n4\n', "line 4: has 1 values"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path / "t.csv", text)
    message = refusal(lambda: Table(path))
    assert message.startswith(str(path))
    assert words in message


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    assert "no such file" in refusal(lambda: Table(tmp_path / "missing.csv"))
    assert "is a folder" in refusal(lambda: Table(str(tmp_path)))
    (tmp_path / "b.csv").write_bytes(b"A,B\n\xff\xfe,1\n")
    assert "not a text in UTF-8" in refusal(lambda: Table(tmp_path / "b.csv"))
    (tmp_path / "long.csv").write_text("A\n" + "x" * 200_000 + "\n")
    assert "line 2" in refusal(lambda: Table(tmp_path / "long.csv"))
    with pytest.raises(FileError):
        Table(tmp_path / "missing.csv")
    assert "a file or columns" in refusal(lambda: Table("a.csv", A=[1]))
    assert "Table: B has 1 values, A has 2" in refusal(lambda: Table(A=[1, 2], B=[1]))


# ----------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("A=0.5:1.5:11", "A", np.linspace(0.5, 1.5, 11)),
        ("A = 2 : 1 : 3", "A", np.array([2.0, 1.5, 1.0])),
        ("A=1:1:1", "A", np.array([1.0])),
        ("A=log:0.01:1:3", "A", np.array([0.01, 0.1, 1.0])),
        ("n=whole:2:5", "n", np.array([2, 3, 4, 5])),
        ("A=0.1,0.2,0.5", "A", np.array([0.1, 0.2, 0.5])),
        ("n=1,2,5", "n", np.array([1, 2, 5])),
        ("on=1,inf", "on", np.array([1.0, math.inf])),
        ("A=0.5", "A", np.array([0.5])),
        ("signal.half=1e-2:1:2", "signal.half", np.array([0.01, 1.0])),
        ("signal=linear,sigmoid", "signal", ("linear", "sigmoid")),
        ("n=none,5", "n", ("none", "5")),
        ("signal=sigmoid(gain=2, half=0.2),linear", "signal", ("sigmoid(gain=2, half=0.2)", "linear")),
        ("signal=c*w/(d + w), c=1, d=2, w**2", "signal", ("c*w/(d + w), c=1, d=2", "w**2")),
        ("initial=[1,2],[3,4]", "initial", ("[1,2]", "[3,4]")),
        ("signal=where(w<=1, w, 1),step", "signal", ("where(w<=1, w, 1)", "step")),
    ],
)
def test_axes_as_texts(text: str, name: str, values: Any) -> None:
    found, axis = parse_axis(text)
    assert found == name
    assert type(axis) is type(values)
    if isinstance(values, np.ndarray):
        assert isinstance(axis, np.ndarray)
        assert axis.dtype == values.dtype
        np.testing.assert_allclose(axis, values, rtol=1e-14)
    else:
        assert axis == values
    assert Grid({found: axis}).size == len(values)


@pytest.mark.parametrize(
    "text",
    ["A", "A=", "=1", "", "A=1:2", "A=1:2:3:4", "A=lin:1:2:3", "A=log:0:1:3", "A=log:-1:1:3", "A=1:2:0", "A=1:2:1.5",
     "A=1:2:1", "A=1:1:2", "A=1:x:3", "A=1:inf:3", "A=1:2:inf", "A=1:2:1e18", "A=-1e308:1e308:3", "A=nan:1:2",
     "A=whole:1:2:3", "A=whole:1:2.5", "A=whole:2:1", "A=whole:0:1e17", "A=1,,2", "A=1,2,", "A=nan,1", "a b=1",
     "3=1:2:3", "A=:1:2", "A=::"],
)  # fmt: skip
def test_axes_that_are_refused(text: str) -> None:
    assert refusal(lambda: parse_axis(text)).startswith(f"{text}: ")


@pytest.mark.parametrize("text", ["A=0:1:50000000", "A=log:0.1:1:50000000", "A=whole:1:50000000"])
def test_an_axis_that_is_too_long_is_not_made(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("linspace", "geomspace", "arange"):
        monkeypatch.delattr(np, name)
    said = refusal(lambda: parse_axis(text, most=1e6))
    assert said == f"{text}: an axis of 50,000,000 values; if that is meant, say so (--yes)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signal.half=0.1:1", ("signal.half", (0.1, 1.0))),
        ("A=log:0.01:10", ("A", (0.01, 10.0, "log"))),
        ("n=whole:1:20", ("n", (1, 20, "whole"))),
        ("A = -1 : 1 ", ("A", (-1.0, 1.0))),
    ],
)
def test_ranges_as_texts(text: str, expected: Any) -> None:
    assert parse_range(text) == expected
    assert Random(1, 1, dict([parse_range(text)])).ranges == dict([expected])


@pytest.mark.parametrize(
    "text",
    ["A", "A=1", "A=1:2:3", "A=lo:1:2", "A=log:0:1", "A=2:1", "A=1:1", "A=whole:1:2.5", "A=1:inf", "A=nan:1", "A=:1",
     "A=1,2", "A=whole:0:1e17", "a-b=1:2"],
)  # fmt: skip
def test_ranges_that_are_refused(text: str) -> None:
    message = refusal(lambda: parse_range(text))
    assert message.startswith(f"{text}: ")
    assert len(message) > len(text) + 10


def test_several_texts() -> None:
    assert Grid(parse_axes(["A=1,2", "B=1:2:3"])).size == 6
    assert Random(5, 1, parse_ranges(["A=1:2", "B=1:2"])).names == ("A", "B")
    assert refusal(lambda: parse_axes(["A=1", "A=2"])) == "A=2: A is given twice"
    assert refusal(lambda: parse_ranges(["A=1:2", "A=1:3"])) == "A=1:3: A is given twice"


# ------------------------------------------------------------------------------------------------------------ JSON


def test_a_design_with_signals_is_read_by_a_process_that_used_none() -> None:
    design = Grid(signal=[brnn.Expression("c*w", c=2), brnn.Sigmoid()]) * Random(2, A=(0, 1))
    code = "import sys, brnn; print(brnn.Design.from_json(sys.stdin.read()).to_json())"
    done = subprocess.run(
        [sys.executable, "-c", code], input=design.to_json(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == design.to_json()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"type": "Grid"}',
        '{"type": "Grid", "values": {"type": "map", "items": []}}',
        '{"type": "Grid", "values": {"type": "map", "items": [["A", []]]}}',
        '{"type": "Grid", "values": 3}',
        '{"type": "Random", "n": 3, "seed": 1, "ranges": {"type": "map", "items": [["A", [1, 0]]]}}',
        '{"type": "Random", "n": -3, "seed": 1, "ranges": {"type": "map", "items": [["A", [0, 1]]]}}',
        '{"type": "Random", "seed": 1, "ranges": {"type": "map", "items": [["A", [0, 1]]]}}',
        '{"type": "Product", "designs": []}',
        '{"type": "Product", "designs": [{"type": "Linear", "gain": 1}]}',
        '{"type": "Table", "values": {"type": "map", "items": [["A", [1]], ["B", [1, 2]]]}}',
    ],
)
def test_damaged_json(text: str) -> None:
    refusal(lambda: Design.from_json(text))


def test_how_designs_are_shown() -> None:
    assert repr(Grid(A=[0.5, 1], s=["linear"])) == "Grid(A=[0.5, 1.0], s=['linear'])"
    assert repr(Grid(A=range(100))) == "Grid(A=[0, ..., 99])"
    assert repr(Random(10, 1, A=(0, 1)) * Grid(B=[1])) == "Random(10, seed=1, A=(0.0, 1.0)) * Grid(B=[1])"
    assert repr(Table(A=[1, 2])) == "Table(A=[1, 2])"
