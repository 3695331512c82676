"""Runs that end early: Ctrl-C, SIGTERM, a solver that cannot go on. What was recorded stays."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from killing import wait_for

import brnn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

LONG = ("run", "rcf", "--set", "n=500", "--duration", "1e7", "--times", "1000000")

# x' = -x + x^2 from x = 2 grows without bound at t = ln 2.
EXPLODES = """
from brnn import Layer, Network, OneToOne, Power, Projection
def build():
    layer = Layer.additive('F1', 1, A=1.0, initial=2.0)
    return Network('explodes', [layer], [Projection('F1', 'F1', 'excitatory', Power(1.0, 2.0), OneToOne())])
"""


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "brnn", *arguments]
    # Where the tests themselves run in the background SIGINT is ignored, under nohup SIGHUP; a child inherits that, and
    # then rightly runs to its end.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def recorded(path: Path) -> bool:
    """Return whether the file has come to be, and has rows on the disk."""
    if not path.exists():
        return False
    with brnn.open(path) as result:
        return len(result.times) > 0


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
)
def test_a_signal_keeps_the_file(tmp_path: Path, number: int, code: int, words: str) -> None:
    process = started(tmp_path, *LONG, "-o", "run.h5", "--plot", "run.png")
    wait_for(lambda: recorded(tmp_path / "run.h5"), process)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == code
    assert out == ""
    assert err == f"brnn: {words}; what was recorded until then is in run.h5\n"
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]
    with brnn.open(tmp_path / "run.h5") as result:
        assert result.status == "interrupted"
        assert len(result.times) > 0
        assert np.isfinite(result["rcf.x"].values).all()


def test_a_signal_without_a_file(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nopen('ready', 'w').close()\ntime.sleep(60)\n")
    process = started(tmp_path, "run", "slow.py", "-o", "run.h5")
    wait_for((tmp_path / "ready").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "brnn: interrupted\n")
    assert not (tmp_path / "run.h5").exists()


def test_a_file_that_was_there_is_not_called_ours(tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_bytes(b"something precious")
    (tmp_path / "slow.py").write_text("import time\nopen('ready', 'w').close()\ntime.sleep(60)\n")
    process = started(tmp_path, "run", "slow.py", "-o", "run.h5", "--force")
    wait_for((tmp_path / "ready").exists, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert err == "brnn: stopped by SIGTERM\n"
    assert (tmp_path / "run.h5").read_bytes() == b"something precious"


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """``nohup brnn run ...`` and background jobs of a shell."""
    text = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); from brnn.cli import main;"
        "from brnn.cli.stops import stops_raise\n"
        "with stops_raise(): os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(main(['--version']))"
    )
    said = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, f"brnn {brnn.__version__}\n", "")


@pytest.mark.parametrize(
    ("module", "words", "files"),
    [
        ("typer", "", []),
        # Code is compiled when the run asks for it, and by then it has its file.
        ("numba.core.compiler", "; what was recorded until then is in run.h5", ["run.h5"]),
    ],
)
def test_ctrl_c_while_modules_are_loaded(tmp_path: Path, module: str, words: str, files: list[str]) -> None:
    text = (
        "import os, signal, sys\n"
        "from brnn.cli import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.exit(main(['run', 'rcf', '--solver', 'auto', '-o', 'run.h5']))\n"
    )
    command = [sys.executable, "-c", text]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (130, "", f"brnn: interrupted{words}\n")
    assert [path.name for path in tmp_path.iterdir()] == files


def test_a_signal_that_comes_in_a_destructor_is_not_lost(tmp_path: Path) -> None:
    text = (
        "import os, signal, sys, time\n"
        "from brnn.cli.stops import Stopped, stops_raise\n"
        "class Dying:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(0.01)\n"
        "try:\n"
        "    with stops_raise():\n"
        "        Dying()\n"
        "        time.sleep(20)\n"
        "except Stopped as stop:\n"
        "    sys.exit(stop.code)\n"
    )
    said = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (143, "", "")


def test_handlers_are_given_back(call: Callable[..., Any]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    call("--version")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_that_fails(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "explodes.py").write_text(EXPLODES)
    said = call("run", "explodes.py", "--duration", "1", "--times", "101", "-o", "run.h5", "--plot", "run.png")
    assert said.code == 1
    assert said.out == ""
    assert said.err.startswith("brnn: error: ")
    assert said.err.count("\n") == 1
    for words in ("F1.x[0]", "0.693", "what was recorded until then is in run.h5"):
        assert words in said.err
    assert not (tmp_path / "run.png").exists()
    with h5py.File(tmp_path / "run.h5", "r") as file:
        times, x = file["F1/time"][:], file["F1/x"][:, 0]
    assert 0.6 < times[-1] < math.log(2)
    # The exact solution, x = 1/(1 - exp(t)/2).
    np.testing.assert_allclose(x, 1 / (1 - np.exp(times) / 2), rtol=1e-2)
    shown = call("info", "run.h5")
    assert shown.code == 0
    assert "failed" in shown.out
    again = call("rerun", "run.h5")
    assert again.code == 0, again.err + again.out
    assert "largest difference 0 at" in again.out


def test_a_run_that_fails_without_a_file(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "explodes.py").write_text(EXPLODES)
    said = call("run", "explodes.py", "--duration", "1")
    assert (said.code, said.out) == (1, "")
    assert "recorded" not in said.err


def test_a_killed_run_can_be_looked_at(tmp_path: Path, call: Callable[..., Any]) -> None:
    process = started(tmp_path, *LONG, "-o", "run.h5")
    wait_for(lambda: recorded(tmp_path / "run.h5"), process)
    process.kill()
    process.communicate()
    said = call("info", "run.h5")
    assert said.code == 0, said.err
    assert "incomplete" in said.out
    assert call("plot", "run.h5", "-o", "run.png").code == 0
    assert call("export", "run.h5", "--csv", "tables").code == 0
    assert call("rerun", "run.h5").code == 0


def test_a_terminal_that_goes_away(tmp_path: Path) -> None:
    process = started(tmp_path, *LONG, "-o", "run.h5")
    wait_for((tmp_path / "run.h5").exists, process)
    os.kill(process.pid, signal.SIGHUP)
    _, err = process.communicate()
    assert process.returncode == 129
    assert "SIGHUP" in err
