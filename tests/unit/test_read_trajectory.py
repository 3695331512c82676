"""Trajectories from files: tables, MATLAB's files, HDF5; and what is said of those that are not whole."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

import brnn
from brnn.cli.model import find_model

T = 0.02 * np.arange(200)
X, Y = 30.0 * np.sin(T), 20.0 * np.cos(2.0 * T)


def written(folder: Path, kind: str, x: np.ndarray = X, t: np.ndarray = T) -> Path:
    path = folder / f"walk.{kind if kind in ('csv', 'txt', 'h5') else 'mat'}"
    if kind == "csv":
        rows = zip(t, x, Y, strict=True)
        path.write_text(
            "\ufefftime,x,y\n" + "\n".join(",".join("" if np.isnan(v) else repr(float(v)) for v in row) for row in rows)
        )
    elif kind == "txt":
        np.savetxt(path, np.transpose([t, x, Y]), fmt="%.17g", header="without names")
    elif kind in ("mat4", "mat5", "packed"):
        columns = {"t": t[:, None], "x1": x[:, None], "y1": Y[:, None], "other": np.eye(3), "text": "abc"}
        more = (
            {} if kind == "mat4" else {"c": np.array([1j, 2]), "k": np.arange(3, dtype="i2"), "b": np.array([[True]])}
        )
        version = "4" if kind == "mat4" else "5"
        scipy.io.savemat(path, columns | more, format=version, do_compression=kind == "packed")
    else:
        with h5py.File(path, "w", userblock_size=512 if kind == "mat73" else 0) as file:
            for name, values in (("t", t), ("x1", x), ("y1", Y)):
                file[name] = values[None, :] if kind == "mat73" else values
            file["other"] = np.eye(3)
    return path


@pytest.mark.parametrize("kind", ["csv", "txt", "mat4", "mat5", "packed", "mat73", "h5"])
def test_a_path_is_read_as_it_was_written(tmp_path: Path, kind: str) -> None:
    found = brnn.read_trajectory(written(tmp_path, kind), arena=(-30, 30, -20, 20))
    for values, given in ((found.t, T), (found.x, X), (found.y, Y)):
        np.testing.assert_array_equal(values, given)


@pytest.mark.parametrize("kind", ["csv", "mat5", "h5"])
def test_gaps_are_bridged_or_said_with_their_place(tmp_path: Path, kind: str) -> None:
    x = X.copy()
    x[50:60], x[100] = np.nan, np.nan
    path = written(tmp_path, kind, x)
    with pytest.raises(brnn.SpecError) as error:
        brnn.read_trajectory(path)
    assert "has a gap of 0.22 from t = 0.98 to t = 1.2 (after sample 49; 2 such gaps in all)" in str(error.value)
    with pytest.raises(brnn.SpecError, match="from t = 0.98 to t = 1.2"):
        brnn.read_trajectory(path, bridge=0.1)
    found = brnn.read_trajectory(path, bridge=0.22)
    assert found.at(1.09)[0] == pytest.approx(0.5 * (X[49] + X[60]))
    assert found.t.size == 189


@pytest.mark.parametrize("command", [False, True])
def test_what_is_advised_of_a_gap_works(tmp_path: Path, command: bool) -> None:
    """A gap whose length, rounded to four digits, would be too short to bridge it."""
    path = written(tmp_path, "csv", t=np.where(np.arange(200) < 120, T, T + 1.00341))
    model = find_model("gridsmap")
    settings: list[str] = []
    with pytest.raises(brnn.BrnnError) as error:
        model.input_of(str(path)) if command else brnn.read_trajectory(path)
    advised = re.search(r"bridge=([\d.]+) \(--set (trajectory.bridge=[\d.]+)\)", str(error.value))
    assert advised is not None
    if command:
        settings = [advised[2]]
        found = model.input_of(str(path), settings=settings)
        assert model.build(["cells=2", *settings], found, str(path)).duration == found.duration
    else:
        found = brnn.read_trajectory(path, bridge=float(advised[1]))
    assert found.t[-1] == pytest.approx(T[-1] + 1.00341)


def test_times_that_are_missing_are_a_gap(tmp_path: Path) -> None:
    late = np.where(np.arange(200) < 120, T, T + 1.0)
    with pytest.raises(brnn.SpecError, match=r"gap of 1\.02 from t = 2\.38 to t = 3\.4"):
        brnn.read_trajectory(written(tmp_path, "h5", t=late))
    with pytest.raises(brnn.SpecError, match="must rise, but sample 120 is at 1.4"):
        brnn.read_trajectory(written(tmp_path, "csv", t=np.where(np.arange(200) < 120, T, T - 1.0)))
    assert brnn.read_trajectory(written(tmp_path, "txt", t=late), t="t", bridge=2.0).duration == pytest.approx(4.98)


def test_columns_by_name_and_steps_instead_of_times(tmp_path: Path) -> None:
    path = written(tmp_path, "mat5")
    found = brnn.read_trajectory(path, x="y1", y="x1", step=0.1)
    np.testing.assert_array_equal(found.x, Y)
    assert found.duration == pytest.approx(19.9)
    for names, says in (({"x": "x2"}, "x = 'x2': there is no such column"), ({"y": "other"}, "no such column")):
        with pytest.raises(brnn.InputError, match=says):
            brnn.read_trajectory(path, **names)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("w.csv", "t,x,y\n0,1,2\n1,2\n", "row 3 has 2 columns, the first one 3"),
        ("w.csv", "t,x,y\n0,1,2\n1,two,2\n", "row 3: x = 'two': must be a number"),
        ("w.csv", "", "is empty"),
        ("w.csv", "0,1\n1,2\n", "2 columns without names"),
        ("w.csv", "time,x\n0,1\n1,2\n", "has no column 'y'"),
        ("w.csv", "t,x,y\n0,,2\n1,2,3\n2,3,3\n", "missing at its beginning"),
        ("w.mat", "no such thing", "cannot be read"),
        ("w.h5", "no such thing", "cannot be read"),
        ("w.doc", "0", "must be a file of the kind"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(brnn.BrnnError) as error:
        brnn.read_trajectory(tmp_path / name)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(brnn.FileError, match="there is no such file"):
        brnn.read_trajectory(tmp_path / "nothing.csv")


def test_a_path_that_leaves_the_arena_says_where(tmp_path: Path) -> None:
    with pytest.raises(brnn.SpecError, match=r"walk\.csv: leaves the arena at t = 0\.74 \(sample 37"):
        brnn.read_trajectory(written(tmp_path, "csv"), arena=(-20, 20, -20, 20))


@pytest.mark.parametrize("kind", ["mat4", "mat5", "packed", "mat73", "h5"])
def test_no_damage_of_a_file_is_more_than_a_line(tmp_path: Path, kind: str) -> None:
    """The file is cut, zeroed or changed at 60 places."""
    path = written(tmp_path, kind)
    content = path.read_bytes()
    for k in np.unique(np.geomspace(1, len(content), 60).astype(int) - 1).tolist():
        for other in (content[:k], content[:k] + bytes(8) + content[k + 8 :], content[:k] + b"\xff" + content[k + 1 :]):
            path.write_bytes(other)
            said = ""
            try:
                assert brnn.read_trajectory(path).t.size > 1
            except brnn.BrnnError as error:
                said = str(error)
            assert not said or (said.startswith(str(path)) and "\n" not in said)
