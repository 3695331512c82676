"""Bad input: exit code 2, one line on standard error that names the value and what is allowed, nothing written."""

from __future__ import annotations

import json
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from brnn.cli.app import app

RUN = ("run", "rcf")

# Arguments, and words that the line must hold.
ARGUMENTS: list[tuple[tuple[object, ...], tuple[str, ...]]] = [
    # Typer's own errors are one line as well.
    (("rum",), ("rum", "run", "brnn --help")),
    (("run",), ("MODEL", "brnn run --help")),
    (("run", "rcf", "more"), ("more", "brnn run --help")),
    (("run", "rcf", "--foce"), ("--foce", "--force", "brnn run --help")),
    (("run", "rcf", "--set"), ("--set", "argument")),
    (("plot", "run.h5"), ("-o", "brnn plot --help")),
    (("export", "run.h5"), ("--csv",)),
    (("--nonsense",), ("--nonsense",)),
    # The model.
    (("run", "rfc"), ("model 'rfc'", "did you mean 'rcf'?")),
    (("show", "nothing"), ("model 'nothing'", "`brnn models` lists all")),
    (("show", ""), ("model",)),
    (("show", "rcf", "--equations", "--latex"), ("--equations and --latex", "only one")),
    (("show", "rcf", "--json", "--code"), ("--code and --json", "only one")),
    # What needs another option.
    (("continue", "rcf", "--along", "B=4:1", "--which", "1"), ("--which 1", "--along is given once")),
    (("continue", "rcf", "--along", "B=4:1", "--kind", "fold"), ("--kind fold", "--along is given once")),
    (("continue", "rcf", "--along", "B=4:1", "--along", "A=1:2", "--no-cycles"), ("--no-cycles", "given twice")),
    # Axes and ranges.
    (("sweep", "rcf", "--grid", "A=1:1:3", "-o", "new.h5"), ("--grid A=1:1:3", "the ends are equal")),
    (("sweep", "rcf", "--random", "A=2:1", "-n", "2", "-o", "new.h5"), ("--random A=2:1", "less than")),
    (("sweep", "rcf", "--grid", "A=1,2", "--draw", "sobol", "-o", "new.h5"), ("--draw sobol", "--random")),
    (("plot", "run.h5", "--animate", "new.gif", "--kind", "time"), ("--kind time", "-o FILE")),
    (("plot", "run.h5", "--animate", "new.gif", "--measure", "total"), ("--measure total", "-o FILE")),
    # Inputs that are no files.
    ((*RUN, "-o", ""), ("-o ''", "not the name of a file")),
    (("plot", "run.h5", "--out", ""), ("--out ''", "not the name of a file")),
    ((*RUN, "--input", ""), ("--input ''", "not the name of a file")),
    ((*RUN, "--input", "http://example.org/a.png"), ("http://example.org/a.png: there is no such file",)),
    (("show", "../models/rcf"), ("model",)),
    (("verify", "--model", "nothing"), ("model 'nothing'",)),
    (("theory", "nothing"), ("model 'nothing'",)),
    (("run", "none.py"), ("none.py", "no such file")),
    (("run", "none.json"), ("none.json", "no such file")),
    (("run", "run.h5"), ("run.h5", "brnn rerun")),
    # The large architectures.
    (("run", "listelos", "--set", "site=82"), ("listelos: site = 82", "1 to 81")),
    (("run", "listelos", "--set", "task=antisaccade"), ("task = 'antisaccade'", "saccade, gap")),
    (
        ("run", "listelos", "--set", "cues=41,99", "--set", "onsets=0,5", "--set", "offsets=5,9"),
        ("cues[1] = 99", "site from 1 to 81"),
    ),
    (
        ("run", "listelos", "--set", "cues=41,14", "--set", "onsets=0,4", "--set", "offsets=5,9"),
        ("cues 0 and 1", "fixation and target overlap", "task='overlap'"),
    ),
    (
        ("run", "gridsmap", "--input", "gap.csv"),
        ("gap.csv", "gap of 30", "t = 2 to t = 32", "trajectory.bridge=30"),
    ),
    (("run", "gridsmap", "--input", "gap.csv", "--set", "trajectory.brige=1"), ("did you mean 'trajectory.bridge'?",)),
    (("run", "gridsmap", "--input", "gap.csv", "--set", "trajectory.bridge=x"), ("bridge=x: bridge must be a number",)),
    (("run", "gridsmap", "--set", "trajectory=gap.csv"), ("trajectory=gap.csv: a trajectory", "--input FILE")),
    (("run", "gridsmap", "--set", "trajectory.bridge=3"), ("trajectory.bridge=3", "--input FILE", "not given")),
    ((*RUN, "--input", "nan.h5:/inside/n"), ("nan.h5:/inside/n: element 1 is nan",)),
    (("run", "gridsmap", "--input", "walk.csv", "--dataset", "/t"), ("--dataset /t", "takes a trajectory")),
    (("run", "vistars", "--input", "two.csv"), ("vistars takes no input pattern",)),
    # Settings.
    ((*RUN, "--set", "A=abc"), ("--set A=abc: A must be a number",)),
    ((*RUN, "--set", "AA=1"), ("rcf has no parameter 'AA'", "inhibition")),
    ((*RUN, "--set", "patern=1"), ("did you mean 'pattern'?",)),
    ((*RUN, "--set", "A"), ("KEY=VALUE",)),
    ((*RUN, "--set", "A=-1"), ("A", "-1", ">= 0")),
    ((*RUN, "--set", "B=0"), ("B", "0", "> 0")),
    ((*RUN, "--set", "B=-3"), ("B", "-3", "> 0")),
    ((*RUN, "--set", "B=inf"), ("B", "finite")),
    ((*RUN, "--set", "n=0"), ("n", "0", ">= 1")),
    ((*RUN, "--set", "n=-5"), ("n", "-5", ">= 1")),
    ((*RUN, "--set", "n=2.5"), ("n=2.5", "whole number")),
    ((*RUN, "--set", "n=1e12"), ("n", "memory", "TB")),
    ((*RUN, "--set", "n=1e30"), ("n",)),
    ((*RUN, "--set", "n=1000000,1000000"), ("memory", "TB")),
    ((*RUN, "--set", "n=3", "--set", "pattern=1,2"), ("shape", "(2,)", "(3,)")),
    ((*RUN, "--set", "pattern=1,-2"), ("pattern", "-2", ">= 0")),
    ((*RUN, "--set", "pattern=1,nan"), ("pattern",)),
    ((*RUN, "--set", "initial=-1"), ("initial", "-1", ">= 0")),
    ((*RUN, "--set", "signal=sigmiod"), ("sigmiod", "did you mean 'sigmoid'?")),
    ((*RUN, "--set", "signal.half=-1"), ("half", "-1", "> 0")),
    ((*RUN, "--set", "signal.hlaf=1"), ("hlaf", "did you mean 'half'?")),
    ((*RUN, "--set", "signal=w +"), ("signal=w +",)),
    ((*RUN, "--set", "signal=__import__('os').remove('x')"), ("__import__",)),
    ((*RUN, "--set", "signal=1/w"), ("w = 0",)),
    # Options of the run.
    ((*RUN, "--solver", "RK54"), ("RK54", "RK45")),
    ((*RUN, "--duration", "0"), ("duration", "> 0")),
    ((*RUN, "--duration", "-1"), ("duration", "-1", "> 0")),
    ((*RUN, "--duration", "nan"), ("duration", "nan", "finite")),
    ((*RUN, "--duration", "inf"), ("duration", "inf", "finite")),
    ((*RUN, "--duration", "long"), ("--duration long: must be a number",)),
    ((*RUN, "--rtol", "0"), ("rtol",)),
    ((*RUN, "--rtol", "2"), ("rtol", "2", "<= 1")),
    ((*RUN, "--atol", "-1"), ("atol", "-1", "> 0")),
    ((*RUN, "--atol", "x"), ("--atol x: must be a number",)),
    ((*RUN, "--seed", "1.5"), ("--seed 1.5: must be a whole number",)),
    ((*RUN, "--seed", "-1"), ("seed", "-1", ">= 0")),
    ((*RUN, "--times", "0"), ("--times 0",)),
    ((*RUN, "--times", "5", "--until-steady"), ("--times 5", "--duration")),
    ((*RUN, "--times", "1,x"), ("--times x: must be a number",)),
    ((*RUN, "--times", "2,1"), ("times", "1 follows 2")),
    ((*RUN, "--times", ","), ("--times '': must be a number",)),
    ((*RUN, "--times", "nan,1"), ("times: nan is among them; every time must be finite",)),
    # Digits that int() does not read, and numbers that Python reads and brnn does not.
    ((*RUN, "--times", "\u00b2"), ("--times \u00b2: must be a number",)),
    ((*RUN, "--times", "1_0"), ("--times 1_0: must be a number",)),
    ((*RUN, "--seed", "1_0"), ("--seed 1_0: must be a whole number",)),
    ((*RUN, "--seed", "9" * 5000), (f"--seed {'9' * 57}...: must be a whole number",)),
    ((*RUN, "--set", "pattern.\u00b2=1"), ("--set pattern.\u00b2=1", "no part '\u00b2'")),
    ((*RUN, "--set", f"pattern.{'9' * 5000}=1"), ("pattern", "no part")),
    (
        ("sweep", "rcf", "--grid", "A=1,2", "--shard", f"1/{'9' * 5000}", "-o", "new.h5"),
        ("--shard 1/999", "must be I/N"),
    ),
    (("fit", "rcf", "--data", "run.h5", "--free", "A,A=2"), ("--free: A is given twice",)),
    (
        ("fit", "rcf", "--data", "run.h5", "--free", "A", "--bounds", "A=0:1", "--bounds", "A=0:2"),
        ("--bounds: A is given twice",),
    ),
    (("fit", "rcf", "--data", "run.h5", "--free", "A=nan"), ("A", "nan: must be finite")),
    ((*RUN, "--times", "0,1e9"), ("times", "1e+09")),
    ((*RUN, "--times", "1e12"), ("times",)),
    ((*RUN, "--times", "1000000000000"), ("--times 1000000000000", "memory", "TB")),
    ((*RUN, "--record", "rcf.y", "-o", "new.h5"), ("rcf.y", "rcf.x")),
    ((*RUN, "--record", ",", "-o", "new.h5"), ("--record",)),
    ((*RUN, "--dataset", "/x"), ("--dataset /x", "--input")),
    # Inputs.
    ((*RUN, "--input", "none.png"), ("none.png", "no such file")),
    ((*RUN, "--input", "fake.png"), ("fake.png", "image")),
    ((*RUN, "--input", "nan.csv"), ("nan.csv", "line 1, column 2")),
    ((*RUN, "--input", "nan.npy"), ("nan.npy", "element 1 is nan")),
    ((*RUN, "--input", "negative.csv"), ("negative.csv", "-2", ">= 0")),
    ((*RUN, "--input", "ragged.csv"), ("ragged.csv", "line 2")),
    ((*RUN, "--input", "objects.npy"), ("objects.npy", "Python objects")),
    ((*RUN, "--input", "two.csv", "--set", "n=5"), ("two.csv", "shape")),
    ((*RUN, "--input", "two.csv", "--set", "pattern=1,2"), ("two.csv", "--set pattern")),
    ((*RUN, "--input", "store.h5"), ("store.h5", "--dataset", "/a", "/b")),
    ((*RUN, "--input", "store.h5", "--dataset", "/c"), ("/c", "/a")),
    (("run", "saved.json", "--set", "A=1"), ("--set A=1", "has no 'A' (it has rcf, ")),
    (("run", "saved.json", "--input", "two.csv"), ("two.csv", "saved network")),
    # Outputs, looked at before the run.
    ((*RUN, "-o", "missing/run.h5"), ("missing", "does not exist")),
    ((*RUN, "-o", "existing.h5"), ("existing.h5", "exists", "--force")),
    ((*RUN, "-o", "folder.h5"), ("folder.h5", "is a folder")),
    ((*RUN, "-o", "run.png"), ("run.png", ".h5")),
    ((*RUN, "-o", "run"), ("run", ".h5")),
    ((*RUN, "--plot", "missing/run.png"), ("missing", "does not exist")),
    ((*RUN, "--plot", "existing.png"), ("existing.png", "exists", "--force")),
    ((*RUN, "--plot", "run.gif"), ("run.gif", ".png")),
    ((*RUN, "--plot", "run"), ("run", ".png")),
    ((*RUN, "--input", "store.h5:/a", "-o", "store.h5", "--force"), ("store.h5", "is read")),
    ((*RUN, "--input", "photo.png", "--plot", "photo.png", "--force"), ("photo.png", "is read")),
    # Result files.
    (("info", "none.h5"), ("none.h5",)),
    (("info", "fake.h5"), ("fake.h5",)),
    (("info", "store.h5"), ("store.h5",)),
    (("rerun", "fake.h5"), ("fake.h5",)),
    (("plot", "fake.h5", "-o", "new.png"), ("fake.h5",)),
    (("plot", "existing.h5", "-o", "existing.png"), ("existing.png", "--force")),
    (("plot", "existing.h5", "-o", "existing.h5", "--force"), ("existing.h5",)),
    (("export", "fake.h5", "--csv", "new"), ("fake.h5",)),
    (("export", "fake.h5", "--csv", "missing/new"), ("missing", "does not exist")),
    (("export", "fake.h5", "--csv", "two.csv"), ("two.csv", "is a file")),
    (("verify", "--json", "missing/claims.json"), ("missing", "does not exist")),
    (("verify", "--json", "claims.txt"), ("claims.txt", ".json")),
    # Networks and Python files of the user's.
    (("run", "broken.json"), ("broken.json", "JSON")),
    (("run", "list.json"), ("list.json",)),
    (("run", "kind.json"), ("kind.json", "Netwrk", "did you mean 'Network'?")),
    (("run", "syntax.py"), ("syntax.py", "line 2")),
    (("run", "imports.py"), ("imports.py", "not_installed", "line 1")),
    (("run", "empty.py"), ("empty.py", "build")),
    (("run", "raises.py"), ("raises.py", "ZeroDivisionError", "line 3")),
    (("run", "returns.py"), ("returns.py", "int", "Network")),
    (("run", "exits.py"), ("exits.py",)),
    (("run", "needs.py"), ("needs", "--set size=VALUE")),
    (("run", "needs.py", "--input", "two.csv", "--set", "size=2"), ("takes no input pattern",)),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Fill the test's folder with files that are not what they should be."""
    (tmp_path / "folder.h5").mkdir()
    for name in ("existing.h5", "existing.png", "fake.png", "fake.h5"):
        (tmp_path / name).write_bytes(b"something precious")
    (tmp_path / "walk.csv").write_text("t,x,y\n0,0,0\n1,1,0\n2,2,1\n")
    (tmp_path / "gap.csv").write_text("t,x,y\n0,0,0\n1,1,0\n2,2,1\n32,3,1\n33,3,2\n")
    (tmp_path / "nan.csv").write_text("1,nan,3\n")
    (tmp_path / "negative.csv").write_text("1,-2,3\n")
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    (tmp_path / "two.csv").write_text("1,2\n")
    np.save(tmp_path / "nan.npy", np.array([1.0, np.nan]))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    Image.new("L", (4, 3), 100).save(tmp_path / "photo.png")
    with h5py.File(tmp_path / "store.h5", "w") as file:
        file["a"] = [1.0, 2.0]
        file["b"] = [1.0, 2.0]
    with h5py.File(tmp_path / "nan.h5", "w") as file:
        file["inside/n"] = [1.0, np.nan]
    from brnn.models import rcf

    (tmp_path / "saved.json").write_text(rcf.build(n=2).to_json())
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "kind.json").write_text(json.dumps({"type": "Netwrk"}))
    (tmp_path / "syntax.py").write_text("x = 1\ndef build(:\n")
    (tmp_path / "imports.py").write_text("import not_installed\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "raises.py").write_text("def build():\n    x = 0\n    return 1 / x\n")
    (tmp_path / "returns.py").write_text("def build():\n    return 3\n")
    (tmp_path / "exits.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "needs.py").write_text("def build(size):\n    return size\n")
    return tmp_path


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return the files of a folder with their times and contents."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
        if "__pycache__" not in path.parts
    }


def assert_refused(said: Any, words: tuple[str, ...]) -> None:
    code = said.code if hasattr(said, "code") else said.returncode
    out, err = (said.out, said.err) if hasattr(said, "out") else (said.stdout, said.stderr)
    assert code == 2, err
    assert out == ""
    assert err.startswith("brnn: error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert len(err) < 700
    for word in words:
        assert word in err


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS, ids=lambda value: " ".join(map(str, value))[:60])
def test_bad_input(
    files: Path, call: Callable[..., Any], arguments: tuple[object, ...], words: tuple[str, ...]
) -> None:
    before = contents(files)
    assert_refused(call(*arguments), words)
    assert contents(files) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "rcf", "--foce"),
        ("run", "rcf", "--set", "A=abc"),
        ("run", "rcf", "--set", "B=0", "-o", "new.h5"),
        ("run", "rcf", "--set", "n=1e12", "-o", "new.h5"),
        ("run", "rcf", "--input", "fake.png", "-o", "new.h5"),
        ("run", "rcf", "-o", "existing.h5"),
        ("run", "raises.py"),
        ("info", "fake.h5"),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_bad_input_of_a_process(files: Path, brnn_process: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    before = contents(files)
    assert_refused(brnn_process(*arguments), ())
    assert contents(files) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(files: Path, call: Callable[..., Any]) -> None:
    locked = files / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert_refused(call("run", "rcf", "-o", locked / "run.h5"), ("locked",))


def test_a_full_disk(brnn_process: Callable[..., Any], tmp_path: Path) -> None:
    """A limit on the size of files stands for the end of the disk: HDF5 meets it as it would meet that."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    brnn_process("run", "rcf", "--set", "n=2000", "--duration", "1")  # compiled before the limit holds
    said = brnn_process("run", "rcf", "--set", "n=2000", "--times", "500", "-o", "run.h5", preexec_fn=limit)
    assert_refused(said, ("run.h5", "cannot be written"))
    if (tmp_path / "run.h5").exists():
        shown = brnn_process("info", "run.h5")
        assert shown.returncode == 0, shown.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != "run.h5"] == []


def test_every_command_has_examples(call: Callable[..., Any]) -> None:
    for command in app.registered_commands:
        said = call(command.name, "--help")
        assert said.code == 0
        assert said.err == ""
        assert f"  brnn {command.name}" in said.out.split("Examples:")[1]
