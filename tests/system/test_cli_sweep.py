"""``brnn sweep`` and ``brnn merge``: every option, every bad input, and sweeps that are stopped."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import driven
import numpy as np
import pytest
from killing import moments, wait_for

import brnn
import brnn.cli.commands.sweep
from brnn.models.rcf import build as rcf

GRID = ("--grid", "A=0.5:1.5:5", "--grid", "signal.half=0.2,0.4")
RCF = ("sweep", "rcf", "-o", "sweep.h5")
SHORT = ("--duration", "2")


def opened(folder: Path, name: str = "sweep.h5") -> Any:
    with brnn.open(folder / name) as data:
        return data.load()


# Good input ------------------------------------------------------------------------------------------------------


def test_a_grid(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call(*RCF, *GRID, *SHORT, "--measure", "regime,total, final")
    assert (said.code, said.err) == (0, "")
    assert "10: 10 complete" in said.out
    assert "sweep.h5" in said.out
    data = opened(tmp_path)
    np.testing.assert_allclose(data["A"], np.repeat(np.linspace(0.5, 1.5, 5), 2))
    np.testing.assert_array_equal(data["signal.half"], np.tile([0.2, 0.4], 5))
    total = data["total"].values
    assert f"from {total.min():.5g} to {total.max():.5g}" in said.out
    for name, count in zip(*np.unique(data["regime"].values.astype(str), return_counts=True), strict=True):
        assert f"{name} {count}" in said.out
    single = brnn.simulate(rcf(A=0.5, signal=brnn.Sigmoid(half=0.4)), 2.0, rtol=1e-10).final("rcf")
    np.testing.assert_allclose(data["rcf.x"][1], single, rtol=1e-5)
    assert data.attrs["command"].startswith("brnn ")


def test_a_sweep_is_run_again(call: Callable[..., Any]) -> None:
    assert call(*RCF, *GRID, *SHORT).code == 0
    said = call("rerun", "sweep.h5")
    assert (said.code, said.out) == (0, "same: largest difference 0 in 10 members\n")


def test_designs_are_multiplied(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("B,on\n2.0,0.5\n3.0,1.0\n")
    words = ("--grid", "A=0.5,1", "--random", "signal.half=0.1:1", "-n", "3", "--table", "table.csv")
    assert call(*RCF, *words, *SHORT, "--seed", "7", "--set", "inhibition=0.5").code == 0
    data = opened(tmp_path)
    assert data.sizes["member"] == 2 * 3 * 2
    drawn = brnn.Random(3, 7, {"signal.half": (0.1, 1)}).columns()["signal.half"]
    np.testing.assert_array_equal(data["signal.half"], np.tile(np.repeat(drawn, 2), 2))
    np.testing.assert_array_equal(data["on"], np.tile([0.5, 1.0], 6))
    assert set(data["inhibition"].values) == {0.5}


@pytest.mark.parametrize(
    ("how", "design"), [("random", brnn.Random), ("sobol", brnn.Sobol), ("latin", brnn.LatinHypercube)]
)
def test_ways_to_draw(call: Callable[..., Any], tmp_path: Path, how: str, design: Any) -> None:
    said = call(*RCF, "--random", "A=0.5:1.5", "--random", "B=log:2:4", "-n", "8", "--draw", how, *SHORT)
    assert said.code == 0, said.err
    data = opened(tmp_path)
    assert data.sizes["member"] == 8
    assert ((data["A"] >= 0.5) & (data["A"] <= 1.5) & (data["B"] >= 2) & (data["B"] <= 4)).all()
    if how != "random":
        np.testing.assert_array_equal(data["A"], design(8, 0, A=(0.5, 1.5), B=(2, 4)).columns()["A"])


def test_options_of_the_run(call: Callable[..., Any], tmp_path: Path) -> None:
    words = (*RCF, "--grid", "A=0.5,1")
    assert call(*words, "--until-steady", "--measure", "time", "--rtol", "1e-8", "--atol", "1e-11").code == 0
    data = opened(tmp_path)
    assert (data["status"] == 2).all()
    assert (data.attrs["rtol"], data.attrs["atol"], data.attrs["until"]) == (1e-8, 1e-11, "steady")
    said = call(*words, "--times", "0, 1,2", *SHORT)
    assert (said.code, "exists; use force=True (--force on the command line)" in said.err) == (2, True)
    assert call(*words, "--times", "0, 1,2", *SHORT, "--force").code == 0
    data = opened(tmp_path)
    np.testing.assert_array_equal(data["time"], [0, 1, 2])
    assert data["rcf.x.t"].shape == (2, 3, 10)


def test_own_files(call: Callable[..., Any], tmp_path: Path) -> None:
    """A .py file with build(), whose parameters are swept, and a saved network, whose numbers are."""
    (tmp_path / "mine.py").write_text(
        "from brnn.models.rcf import build as rcf\ndef build(A=1.0, size=1.0):\n    return rcf(A=A, B=3 * size)\n"
    )
    assert call("sweep", "mine.py", "--grid", "A=0.5,1", "--set", "size=0.5", "-o", "a.h5", *SHORT).code == 0
    (tmp_path / "mine.json").write_text(rcf(B=1.5).to_json())
    assert call("sweep", "mine.json", "--grid", "rcf.A=0.5,1", "-o", "b.h5", *SHORT).code == 0
    for jobs in ("1", "2"):
        words = ("--grid", "A=0.5,1", "--set", "size=0.5", "--jobs", jobs, *SHORT, "-o", f"{jobs}.h5")
        assert call("sweep", "mine.py", *words).code == 0
    finals = [opened(tmp_path, f"{name}.h5")["rcf.x"].values for name in ("a", "b", "1", "2")]
    assert len({final.tobytes() for final in finals}) == 1


def test_shards(call: Callable[..., Any], tmp_path: Path) -> None:
    words = ("sweep", "rcf", *GRID, *SHORT, "--measure", "final,regime")
    for k in (1, 2, 3):
        assert call(*words, "--shard", f"{k}/3", "-o", f"{k}.h5").code == 0
    assert call(*words, "-o", "whole.h5").code == 0
    said = call("merge", "1.h5", "2.h5", "3.h5", "-o", "merged.h5")
    assert (said.code, said.err) == (0, "")
    assert "10 complete" in said.out
    driven.check_same(opened(tmp_path, "merged.h5"), opened(tmp_path, "whole.h5"))
    part = opened(tmp_path, "2.h5")
    np.testing.assert_array_equal(np.flatnonzero(part["status"]), np.arange(1, 10, 3))
    for words, expected in [(("1.h5", "none.h5"), "none.h5"), (("1.h5", "other.h5"), "its design differs")]:
        call("sweep", "rcf", "--grid", "A=0.5,1,2", *SHORT, "--shard", "2/2", "-o", "other.h5", "--force")
        said = call("merge", *words, "-o", "bad.h5")
        assert said.code == 2
        assert expected in said.err
        assert said.err.count("\n") == 1
    said = call("merge", "1.h5", "2.h5", "-o", "1.h5", "--force")
    assert (said.code, "is read here" in said.err) == (2, True)


def test_a_cluster(call: Callable[..., Any], tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    assert call("sweep", "rcf", *GRID, *SHORT, "-o", "local.h5").code == 0
    with distributed.LocalCluster(processes=True, **settings) as cluster:
        said = call(*RCF, *GRID, *SHORT, "--scheduler", cluster.scheduler_address)
    assert (said.code, said.err) == (0, "")
    driven.check_same(opened(tmp_path), opened(tmp_path, "local.h5"))


def test_failed_members_are_told(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call(*RCF, "--grid", "A=0.5,-1,-2", *SHORT)
    assert said.code == 1  # as `brnn --help` says: a run failed
    assert "1 complete, 2 failed" in said.out
    assert ">= 0" in said.out
    assert "and 1 more" in said.out


# Bad input -------------------------------------------------------------------------------------------------------

BAD: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("sweep", "rcf", "--grid", "A=1,2"), ("-o FILE is needed",)),
    (("sweep", "rfc", "-o", "s.h5", "--grid", "A=1,2"), ("model 'rfc'", "did you mean 'rcf'?")),
    ((*RCF, "--grid", "AA=1,2"), ("AA", "rcf has no parameter 'AA'")),
    ((*RCF, "--grid", "patern=1,2"), ("did you mean 'pattern'?",)),
    ((*RCF, "--grid", "signal.hlaf=1,2"), ("hlaf", "did you mean", "half")),
    ((*RCF, "--random", "signl=0:1", "-n", "5"), ("did you mean 'signal'?",)),
    (RCF, ("design is empty", "--grid", "--random", "--table")),
    ((*RCF, "--grid", "A=0:1:0"), ("A=0:1:0", "count")),
    ((*RCF, "--grid", "A="), ("A=",)),
    ((*RCF, "--grid", "A"), ("A",)),
    ((*RCF, "--random", "A=0:1", "-n", "0"), ("n", "0", ">= 1")),
    ((*RCF, "--random", "A=0:1"), ("-n N is needed",)),
    ((*RCF, "-n", "5"), ("-n 5", "--random")),
    ((*RCF, "--grid", "A=1,2", "-n", "5"), ("-n 5", "--random")),
    ((*RCF, "--random", "A=0:1", "-n", "many"), ("-n many", "whole number")),
    ((*RCF, "--random", "A=0:1", "-n", "5", "--draw", "sobl"), ("--draw sobl", "did you mean 'sobol'?")),
    ((*RCF, "--random", "A=1:0", "-n", "5"), ("A=1:0",)),
    ((*RCF, "--table", "none.csv"), ("none.csv",)),
    ((*RCF, "--table", "empty.csv"), ("empty.csv",)),
    ((*RCF, "--table", "ragged.csv"), ("ragged.csv",)),
    ((*RCF, "--grid", "A=1,2", "--random", "A=0:1", "-n", "3"), ("'A' is in two designs",)),
    ((*RCF, "--grid", "A=1,2", "--set", "A=1"), ("'A' is in two designs",)),
    ((*RCF, "--grid", "A=0:1:1e12"), ("A=0:1:1e12", "1,000,000,000,000 values", "--yes")),
    ((*RCF, "--grid", "A=0:1:1e12", "--yes"), ("A=0:1:1e12", "memory", "TB")),
    ((*RCF, "--random", "A=0:1", "-n", "100000000"), ("100,000,000 members", "GB", "--yes")),
    ((*RCF, "--random", "A=0:1", "-n", "1000000000000", "--yes"), ("1000000000000 members", "memory", "TB")),
    (
        (*RCF, "--random", "A=0:1", "-n", "4000000", "--times", ",".join(map(str, range(1, 21)))),
        ("4,000,000 members", "GB", "--yes"),
    ),
    ((*RCF, *GRID, "--measure", "totl"), ("totl", "did you mean 'total'?")),
    ((*RCF, *GRID, "--measure", "total,total"), ("total", "twice")),
    ((*RCF, *GRID, "--jobs", "0"), ("--jobs 0", ">= 1")),
    ((*RCF, *GRID, "--jobs", "-2"), ("--jobs -2", ">= 1")),
    ((*RCF, *GRID, "--jobs", "two"), ("--jobs two", "whole number")),
    ((*RCF, *GRID, "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"), ("only one of them",)),
    ((*RCF, *GRID, "--scheduler", "tcp://127.0.0.1:1"), ("--scheduler tcp://127.0.0.1:1", "cannot be reached")),
    ((*RCF, *GRID, "--scheduler", "nonsense"), ("--scheduler nonsense", "cannot be reached")),
    ((*RCF, *GRID, "--scheduler", "tls://127.0.0.1:1"), ("--scheduler tls://127.0.0.1:1", "cannot be reached")),
    ((*RCF, *GRID, "--scheduler", ""), ("--scheduler", "cannot be reached")),
    ((*RCF, *GRID, "--scheduler", "tcp://127.0.0.1:port"), ("--scheduler", "cannot be reached")),
    ((*RCF, *GRID, "--shard", "3"), ("--shard 3", "3/10")),
    ((*RCF, *GRID, "--shard", "3//"), ("--shard 3//", "3/10")),
    ((*RCF, *GRID, "--shard", "0/3"), ("0/3",)),
    ((*RCF, *GRID, "--shard", "4/3"), ("4/3",)),
    ((*RCF, *GRID, "--shard", "1/100"), ("1/100", "10 members")),
    ((*RCF, *GRID, "--duration", "0"), ("duration", "> 0")),
    ((*RCF, *GRID, "--duration", "long"), ("--duration long",)),
    ((*RCF, *GRID, "--times", "1,x"), ("--times x",)),
    ((*RCF, *GRID, "--times", "2,1"), ("must rise",)),
    ((*RCF, *GRID, "--times", "99"), ("99", "outside of the run")),
    ((*RCF, *GRID, "--rtol", "x"), ("--rtol x",)),
    ((*RCF, *GRID, "--atol", "0"), ("atol", "> 0")),
    ((*RCF, *GRID, "--seed", "-1"), ("seed", "-1")),
    ((*RCF, *GRID, "--set", "AA=1"), ("AA",)),
    (("sweep", "net.json", "--grid", "A=1,2", "-o", "s.h5"), ("no 'A'", "rcf")),
    (("sweep", "net.json", "--grid", "rcf.AA=1,2", "-o", "s.h5"), ("AA",)),
    (
        ("sweep", "net.json", "--grid", "rcf.A=1,2", "--set", "A=1", "-o", "s.h5"),
        ("--set A=1", "has no 'A' (it has rcf, "),
    ),
    (("sweep", "rcf", *GRID, "-o", "s.txt"), ("s.txt", ".h5")),
    (("sweep", "rcf", *GRID, "-o", "there.h5"), ("there.h5", "exists; use force=True (--force")),
    (("sweep", "rcf", *GRID, "-o", "there.h5", "--resume"), ("there.h5", "it is not HDF5")),
    (("sweep", "rcf", *GRID, "-o", "no/s.h5"), ("no", "does not exist")),
    (("sweep", "rcf", "--grid", "A=-1,-2", "-o", "s.h5"), ("A", ">= 0")),
    (("sweep", "broken.py", "--grid", "A=1,2", "-o", "s.h5"), ("build: RuntimeError: broken",)),
    (("merge", "-o", "s.h5"), ("SHARD",)),
    (("merge", "there.h5", "-o", "s.h5"), ("there.h5",)),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda value: " ".join(map(str, value))[:60])
def test_bad_input(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any, words: Any
) -> None:
    monkeypatch.setattr(brnn.cli.commands.sweep, "_PATIENCE", 0.5)
    (tmp_path / "there.h5").write_bytes(b"something precious")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("A,B\n1,2\n3\n")
    (tmp_path / "net.json").write_text(rcf().to_json())
    (tmp_path / "broken.py").write_text("def build(A=1.0):\n    raise RuntimeError('broken\\nin two lines')\n")
    before = {path.name for path in tmp_path.iterdir()}
    said = call(*arguments)
    assert said.code == 2, said
    assert said.out == ""
    assert said.err.startswith("brnn: error: ")
    assert said.err.count("\n") == 1, said.err
    assert "mistake of brnn" not in said.err
    for word in words:
        assert word in said.err
    assert (tmp_path / "there.h5").read_bytes() == b"something precious"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == before


def test_bad_input_of_a_process(brnn_process: Callable[..., Any]) -> None:
    """As a user sees it: nothing else is on standard error, no traceback and no log of Dask.

    It waits ten seconds for the scheduler at a port.
    """
    schedulers = "tcp://127.0.0.1:1", "tls://127.0.0.1:1", "nonsense"
    for words in (("--grid", "AA=1,2"), *((*GRID, "--scheduler", address) for address in schedulers)):
        done = brnn_process(*RCF, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr


def test_a_full_disk(brnn_process: Callable[..., Any], tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: one line, and what was written before stays."""
    (tmp_path / "driven.json").write_text(driven.NETWORK.to_json())

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    # The cache of compiled code would meet the limit, too.
    assert brnn_process("sweep", "driven.json", "--grid", "F1.A=1,2", "-o", "warm.h5").returncode == 0
    words = ("sweep", "driven.json", "--grid", "F1.A=0.5:2:20000", "-o", "sweep.h5")
    done = brnn_process(*words, preexec_fn=limit)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("brnn: error: sweep.h5")
    assert not (tmp_path / "sweep.h5").exists()


# Sweeps that are stopped -----------------------------------------------------------------------------------------

# The first of these is enough, where its members are not finished before a stop can arrive.
MEMBERS = 20_000, 160_000, 1_280_000


def long(members: int) -> tuple[str, ...]:
    grid = f"F1.A=0.5:2.0:{members}"
    return ("sweep", "driven.json", "--grid", grid, "--measure", "final,total", "-o", "sweep.h5")


def started(folder: Path, *arguments: str, module: bool = True) -> subprocess.Popen[str]:
    # Where the tests themselves run in the background, SIGINT is ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            [sys.executable, *(("-m", "brnn") if module else ()), *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def finished(folder: Path) -> int:
    """Return how many members the file has; 0 while there is none."""
    if not (folder / "sweep.h5").exists():
        return 0
    with brnn.open(folder / "sweep.h5") as data:
        return int(data.attrs["complete"])


def begun(folder: Path, process: subprocess.Popen[str]) -> bool:
    """Return whether the file has members, or the process has ended."""
    return finished(folder) > 0 or process.poll() is not None


@cache
def whole(members: int) -> Any:
    data = brnn.sweep(driven.NETWORK, driven.design(members), measures=["final", "total"], progress=False)
    driven.check_exact(data)
    return data


@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")])
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
)
def test_a_stopped_sweep_is_resumed(
    tmp_path: Path, call: Callable[..., Any], jobs: tuple[str, ...], number: int, code: int, words: str
) -> None:
    (tmp_path / "driven.json").write_text(driven.NETWORK.to_json())
    for members in MEMBERS:
        (tmp_path / "sweep.h5").unlink(missing_ok=True)  # that of the last attempt would say that this one has begun
        process = started(tmp_path, *long(members), *jobs)
        wait_for(lambda: begun(tmp_path, process))  # noqa: B023 - it is called here
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(process.pid, number)  # as a terminal does: workers get it, too
        out, err = process.communicate()
        done = finished(tmp_path)
        if done < members:
            break
        # All were finished before the stop arrived: that says nothing of stops, and the next sweep is longer.
    assert (process.returncode, out) == (code, "")
    assert 0 < done < members
    kept = f"{done:,} of {members:,} members are kept in sweep.h5"
    assert err == f"brnn: {words}; {kept}; resume=True (--resume) runs the rest\n"
    data = opened(tmp_path)
    driven.check_exact(data)
    said = call(*long(members), "--resume")
    assert (said.code, said.err) == (0, "")
    assert f"{members}: {members} complete" in said.out
    driven.check_same(opened(tmp_path), whole(members))


# A build of the user's own, slow, whose members are built one by one, as it asks what tells them apart.
OWN = """
import os, sys, time
import numpy as np
import brnn
import brnn.cli.commands.sweep

def build(A=1.0):
    time.sleep(float(os.environ.get("SLOW", "0")))
    return brnn.Network("decay", [brnn.Layer.additive("F1", 1, A=float(A), initial=1.0)], duration=1.0)

if __name__ == "__main__":
    brnn.sweep(build, brnn.Grid(A=np.linspace(0.5, 2.0, 1000)), out="sweep.h5", resume="--resume" in sys.argv).close()
"""


@pytest.mark.parametrize("words", [("own.py",), ("-m", "brnn", "sweep", "own.py", "--grid", "A=0.5:2.0:1000")])
def test_a_stopped_sweep_of_ones_own_build_is_resumed(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, then two kills at random moments, then to the end: no member is lost, none is wrong."""
    (tmp_path / "own.py").write_text(OWN)
    words = words if len(words) == 1 else (*words, "-o", "sweep.h5")
    source = moments(f"sweeps of one's own build {len(words)}")
    exact = np.exp(-np.linspace(0.5, 2.0, 1000))
    monkeypatch.setenv("SLOW", "0.05")  # seconds; of the 50 that all take, three rounds take some
    done = 0
    for number in (signal.SIGINT, signal.SIGKILL, signal.SIGKILL):
        process = started(tmp_path, *words, *(["--resume"] if done else []), module=False)
        before = done
        wait_for(lambda: finished(tmp_path) > before, process)  # noqa: B023 - it is called here
        time.sleep(source.uniform(0.0, 0.5))
        process.send_signal(number)
        _, err = process.communicate()
        with brnn.open(tmp_path / "sweep.h5") as data:
            there = data["status"].values == 1
            np.testing.assert_allclose(data["F1.x"].values[there, 0], exact[there], rtol=1e-5)
            assert np.isnan(data["F1.x"].values[~there]).all()
        assert done < there.sum() < 1000
        done = int(there.sum())
        if number == signal.SIGINT:
            assert f"{done} of 1,000 members are kept in sweep.h5; resume=True (--resume) runs the rest\n" in err
    monkeypatch.setenv("SLOW", "0")
    process = started(tmp_path, *words, "--resume", module=False)
    assert process.wait() == 0, process.communicate()
    with brnn.open(tmp_path / "sweep.h5") as data:
        np.testing.assert_allclose(data["F1.x"].values[:, 0], exact, rtol=1e-5)


def test_a_sweep_that_is_stopped_before_it_has_a_file(tmp_path: Path) -> None:
    """A file that was there is not called ours, and stays."""
    (tmp_path / "sweep.h5").write_bytes(b"something precious")
    (tmp_path / "slow.py").write_text(
        "import time\nfrom brnn.models.rcf import build as rcf\n"
        "def build(A=1.0):\n    open('ready', 'w').close()\n    time.sleep(60)\n    return rcf(A=A)\n"
    )
    process = started(tmp_path, "sweep", "slow.py", "--grid", "A=1,2", "-o", "sweep.h5", "--force")
    wait_for((tmp_path / "ready").exists, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert err == "brnn: stopped by SIGTERM\n"
    assert (tmp_path / "sweep.h5").read_bytes() == b"something precious"


def test_members_that_run_alone_do_not_keep_a_stopped_sweep_waiting(tmp_path: Path) -> None:
    (tmp_path / "delayed.py").write_text(
        "import brnn\n"
        "def build(delay=0.1, A=1.0):\n"
        "    layer = brnn.Layer.additive('F1', 2, A=A, initial=1.0)\n"
        "    link = brnn.Projection('F1', 'F1', 'inhibitory', brnn.Linear(0.5), brnn.OneToOne(), delay=delay)\n"
        "    return brnn.Network('delayed', [layer], [link])\n"
    )
    words = ("--grid", "delay=0.01,0.02", "--duration", "1e6", "-o", "sweep.h5")
    process = started(tmp_path, "sweep", "delayed.py", *words)
    # Their workers have started, and have had time to begin (a worker that is still loading is stopped as well).
    wait_for(lambda: bool(driven.children(process.pid)) and (tmp_path / "sweep.h5").exists(), process)
    time.sleep(3.0)
    workers = driven.children(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)  # the runs would take days
    assert process.returncode == 130
    assert err.startswith("brnn: interrupted; 0 of 2 members are kept in sweep.h5; ")
    wait_for(lambda: not driven.running(workers))


# One member of a sweep ---------------------------------------------------------------------------------------------


def test_a_member_is_run_by_itself(tmp_path: Path, call: Callable[..., Any]) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert call("sweep", "own.py", "--grid", "A=0.5:2.0:4", "-o", "sweep.h5").code == 0
    said = call("run", "sweep.h5", "--member", "2", "--model", "own.py", "-o", "run.h5")
    assert (said.code, said.err) == (0, "")
    assert "A = 1.5" in said.out
    with brnn.open(tmp_path / "sweep.h5") as data, brnn.open(tmp_path / "run.h5") as result:
        np.testing.assert_array_equal(result.final("F1").values, data["F1.x"].values[2])
    assert call("rerun", "run.h5").out.startswith("same: largest difference 0 ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep.h5", "--member", "1"), "which no file may call: give it with build= (--model FILE)"),
        (("sweep.h5", "--member", "4", "--model", "own.py"), "member = 4: the sweep has the members 0 to 3"),
        (("sweep.h5", "--member", "x"), "--member x: must be a whole number"),
        (("sweep.h5", "--member", "1", "--set", "A=2"), "--set A=2: --member 1 has the parameters that it had"),
        (("sweep.h5",), "`brnn run sweep.h5 --member N` one member of a sweep"),
        (("rcf", "--model", "own.txt"), "--model own.txt: must be a .py file"),
        (("rcf", "--member", "1"), "rcf does not exist"),
    ],
)
def test_members_that_cannot_be_run(
    tmp_path: Path, call: Callable[..., Any], words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert call("sweep", "own.py", "--grid", "A=0.5:2.0:4", "-o", "sweep.h5").code == 0
    said = call("run", *words)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert message in said.err
