"""The command `brnn` from one end to the other, on good input."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.integrate import solve_ivp

import brnn
from brnn import models

# Two equal survivors of the RCF with A = 1, B = 3, f = w^2/(1/4 + w^2): (A + 2) u^2 - B u + A/4 = 0.
SURVIVOR = (3 + math.sqrt(6)) / 6


def finals(path: Path, layer: str = "rcf") -> np.ndarray:
    with h5py.File(path, "r") as file:
        return np.asarray(file[layer]["x"][-1])


# models, show ----------------------------------------------------------------------------------------------------


def test_models(call: Callable[..., Any]) -> None:
    said = call("models")
    assert said.code == 0
    lines = said.out.splitlines()
    for name in models.names():
        assert any(line.startswith(name + " ") and "(" in line for line in lines)


def test_version(call: Callable[..., Any]) -> None:
    assert call("--version").out == f"brnn {brnn.__version__}\n"


def test_help(call: Callable[..., Any]) -> None:
    for arguments in (("--help",), ("-h",), ()):
        said = call(*arguments)
        assert said.code == 0
        assert "brnn run rcf" in said.out
        assert "verify" in said.out


@pytest.mark.parametrize("name", models.names())
def test_show(call: Callable[..., Any], name: str) -> None:
    said = call("show", name)
    module = models.load(name)
    assert said.code == 0
    assert (module.__doc__ or "").splitlines()[0] in said.out
    assert "Source:" in said.out
    for claim in module.CLAIMS:
        assert " ".join(claim.title.split())[:40] in " ".join(said.out.split())
    for key in module.build.__annotations__.keys() - {"return"}:
        assert f"\n  {key} " in said.out
    # Every parameter is documented, with what it may be.
    table = said.out.split("\nParameters")[1].split("\nNetwork")[0]
    assert "  name " in table
    assert "allowed" in table


def test_show_says_what_is_set(call: Callable[..., Any]) -> None:
    said = call("show", "rcf", "--set", "n=7", "--set", "signal=linear(gain=2)")
    assert "7 (set)" in said.out
    assert "Linear(gain=2) (set)" in said.out
    assert "rcf: Layer, 7 cells" in said.out


def test_show_code(call: Callable[..., Any]) -> None:
    said = call("show", "rcf", "--code")
    assert said.out == brnn.compile_network(models.rcf.build()).source
    compile(said.out, "generated", "exec")


def test_show_json(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("show", "rcf", "--set", "n=4", "--json")
    network = brnn.Network.from_json(said.out)
    assert network == models.rcf.build(n=4)
    (tmp_path / "saved.json").write_text(said.out)
    assert "4 cells" in call("show", "saved.json").out


def additive_beside_scipy(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the last activities of `additive` with its default numbers and another signal, by SciPy alone."""
    I = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        f = function(x)
        return -x + I + 0.5 * f - 0.1 * (f.sum() - f)

    return solve_ivp(slope, (0.0, 20.0), np.zeros(10), rtol=1e-10, atol=1e-12).y[:, -1]


@pytest.mark.parametrize(
    ("text", "function", "said"),
    [
        ("tanh(w)", np.tanh, "Function('tanh(w)')"),
        ("function(tanh(w))", np.tanh, "Function('tanh(w)')"),
        ("expression(tanh(w))", lambda x: np.tanh(np.maximum(x, 0.0)), "which is 0 for w < 0"),
    ],
)
def test_a_formula_is_cut_at_zero_only_where_the_models_own_signal_is(
    call: Callable[..., Any], tmp_path: Path, text: str, function: Any, said: str
) -> None:
    done = call("run", "additive", "--set", f"signal={text}", "-o", "run.h5")
    (took,) = [line for line in done.out.splitlines() if line.startswith("took")]
    assert said in took
    with brnn.open(tmp_path / "run.h5") as result:
        np.testing.assert_allclose(result.final("F1"), additive_beside_scipy(function), atol=1e-5)


def test_the_text_of_a_default_gives_the_default(call: Callable[..., Any]) -> None:
    last = call("run", "bam").out.splitlines()[-3:]
    assert call("run", "bam", "--set", "signal=tanh(2*w)").out.splitlines()[-3:] == last


def test_the_name_of_a_signal_keeps_the_models_own_numbers(call: Callable[..., Any]) -> None:
    lines = call("run", "rcf", "--set", "signal=sigmoid", "--duration", "1").out.splitlines()
    assert [line.split(None, 1) for line in lines if line.startswith("took")] == [
        ["took", "signal = Sigmoid(gain=1, half=0.5, exponent=2)"]
    ]


# run -------------------------------------------------------------------------------------------------------------


def test_run(brnn_process: Callable[..., Any], tmp_path: Path) -> None:
    said = brnn_process("run", "rcf", "--until-steady", "-o", "run.h5", "--plot", "run.png")
    assert said.returncode == 0, said.stderr
    assert said.stderr == ""
    assert "LSODA" in said.stdout
    assert "steady at t = " in said.stdout
    assert "run.h5 (" in said.stdout
    assert "run.png (" in said.stdout
    expected = np.zeros(10)
    expected[[2, 7]] = SURVIVOR
    np.testing.assert_allclose(finals(tmp_path / "run.h5"), expected, atol=1e-5)
    assert f"{SURVIVOR:.4f}"[:6] in said.stdout
    with h5py.File(tmp_path / "run.h5", "r") as file:
        assert file.attrs["command"] == b"brnn run rcf --until-steady -o run.h5 --plot run.png"
    with Image.open(tmp_path / "run.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 100


def test_run_without_a_file_prints_the_same(call: Callable[..., Any], tmp_path: Path) -> None:
    first = call("run", "rcf", "-o", "run.h5")
    second = call("run", "rcf")
    assert second.code == 0
    pattern = [line for line in first.out.splitlines() if line.startswith("rcf.x")]
    assert pattern == [line for line in second.out.splitlines() if line.startswith("rcf.x")]
    assert "nothing was written" in second.out
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_settings_reach_the_network(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call(
        *("run", "rcf", "--set", "initial=0.1,0.35,0.2,0.5,0.15,0.7", "--set", "A=1", "--set", "B=3"),
        *("--set", "signal=where(w < 0.3, w**2/0.3, w)", "--until-steady", "-o", "run.h5"),
    )
    assert said.code == 0, said.err
    # Grossberg (1973): above the quenching threshold the ratios are kept, the total is B - A/C = 2.
    expected = 2 * np.array([0, 0.35, 0, 0.5, 0, 0.7]) / 1.55
    np.testing.assert_allclose(finals(tmp_path / "run.h5"), expected, atol=1e-5)


def test_times_duration_and_solver(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("run", "rcf", "--duration", "5", "--times", "0,1,2.5,5", "--solver", "DOP853", "-o", "a.h5")
    assert said.code == 0, said.err
    assert "DOP853" in said.out
    with h5py.File(tmp_path / "a.h5", "r") as file:
        np.testing.assert_array_equal(file["rcf/time"], [0.0, 1.0, 2.5, 5.0])
    assert call("run", "rcf", "--duration", "5", "--times", "11", "-o", "b.h5").code == 0
    with h5py.File(tmp_path / "b.h5", "r") as file:
        np.testing.assert_allclose(file["rcf/time"], np.linspace(0, 5, 11))


def test_record_keeps_what_is_named(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(
        "from brnn import Layer, Network\n"
        "def build():\n"
        "    return Network('two', [Layer.shunting(name, 2, A=1, B=1, initial=0.5) for name in ('F1', 'F2')])\n"
    )
    said = call("run", "two.py", "--record", "F2.x", "--duration", "1", "-o", "run.h5")
    assert said.code == 0, said.err
    assert "F2.x" in said.out
    assert "F1.x" not in said.out
    np.testing.assert_allclose(finals(tmp_path / "run.h5", "F2"), 0.5 * math.exp(-1), rtol=1e-5)
    with h5py.File(tmp_path / "run.h5", "r") as file:
        assert "F1" not in file


def test_force_replaces(call: Callable[..., Any], tmp_path: Path) -> None:
    assert call("run", "rcf", "-o", "run.h5", "--plot", "run.png").code == 0
    assert call("run", "rcf", "-o", "run.h5", "--plot", "run.png").code == 2
    assert call("run", "rcf", "--set", "n=3", "-o", "run.h5", "--plot", "run.png", "--force").code == 0
    assert finals(tmp_path / "run.h5").shape == (3,)


def test_a_saved_network_runs_like_its_model(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "saved.json").write_text(call("show", "rcf", "--set", "B=2", "--json").out)
    assert call("run", "saved.json", "-o", "a.h5").code == 0
    assert call("run", "rcf", "--set", "B=2", "-o", "b.h5").code == 0
    np.testing.assert_array_equal(finals(tmp_path / "a.h5"), finals(tmp_path / "b.h5"))


# inputs ----------------------------------------------------------------------------------------------------------


def presented(path: Path) -> np.ndarray:
    """Return the excitatory input of the network in a result file."""
    with brnn.open(path) as result:
        return np.asarray(result.network.stimuli[0].pattern)


@pytest.mark.parametrize("kind", ["csv", "npy", "h5", "named"])
def test_input_of_one_dimension(call: Callable[..., Any], tmp_path: Path, kind: str) -> None:
    pattern = np.array([0.25, 0.5, 1.0])
    source: list[object] = {
        "csv": ["p.csv"],
        "npy": ["p.npy"],
        "h5": ["p.h5", "--dataset", "/inner/p"],
        "named": ["p.h5:/inner/p"],
    }[kind]
    (tmp_path / "p.csv").write_text("0.25,0.5,1\n")
    np.save(tmp_path / "p.npy", pattern)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        file["inner/p"] = pattern
        file["other"] = pattern
    said = call("run", "rcf", "--input", *source, "-o", "run.h5")
    assert said.code == 0, said.err
    np.testing.assert_array_equal(presented(tmp_path / "run.h5"), pattern)
    assert finals(tmp_path / "run.h5").shape == (3,)


@pytest.mark.parametrize("model", ["rcf", "distance_dependent"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_an_image_is_presented(call: Callable[..., Any], tmp_path: Path, model: str, suffix: str) -> None:
    levels = (np.arange(12 * 16).reshape(12, 16) % 200 + 20).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / f"image.{suffix}", quality=95)
    said = call("run", model, "--input", f"image.{suffix}", "--duration", "1", "-o", "run.h5")
    assert said.code == 0, said.err
    with h5py.File(tmp_path / "run.h5", "r") as file:
        layer = next(name for name in file if isinstance(file[name], h5py.Group) and "x" in file[name])
        assert file[layer]["x"].shape[1:] == (12, 16)
    if model == "rcf" and suffix == "png":
        np.testing.assert_array_equal(presented(tmp_path / "run.h5"), levels / 255.0)


# the process -----------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_silent(tmp_path: Path) -> None:
    command = f"{sys.executable} -m brnn models | head -1; {sys.executable} -m brnn show rcf | true"
    said = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.stdout.startswith("model ")
    assert said.stderr == ""


def test_a_terminal_without_greek_letters(brnn_process: Callable[..., Any]) -> None:
    said = brnn_process("show", "rcf", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert said.returncode == 0, said.stderr


def test_listing_models_imports_nothing_slow(tmp_path: Path) -> None:
    text = "import sys; from brnn.cli import main; main(['models']); main(['--help']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"numba", "scipy", "h5py", "xarray", "matplotlib", "sympy", "numpy"})


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_bar_is_for_terminals_only(brnn_process: Callable[..., Any], tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    assert brnn_process("run", "rcf").stderr == ""
    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    words = [sys.executable, "-m", "brnn", "run", "rcf"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            data = os.read(control, 4096)
        except OSError:  # the process has closed its end
            break
        if not data:
            break
        shown += data
    os.close(control)
    assert process.wait() == 0
    assert b"rcf:" in shown
    assert b"%" in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(brnn_process: Callable[..., Any], shell: str) -> None:
    said = brnn_process(env=os.environ | {"_BRNN_COMPLETE": f"source_{shell}"})
    assert said.returncode == 0
    assert "brnn" in said.stdout
    words = {"_BRNN_COMPLETE": "complete_bash", "COMP_WORDS": "brnn run rc", "COMP_CWORD": "2"}
    assert brnn_process(env=os.environ | words).stdout.split() == ["rcf"]


def test_continue_says_where_stability_changes(call: Callable[..., Any], tmp_path: Path) -> None:
    """f = w^2, one cell: both levels meet at B = 2 sqrt(A)."""
    words = ("continue", "rcf", "--set", "n=1", "--set", "signal=w**2", "--initial", "2")
    said = call(*words, "--along", "B=4:1", "-o", "d.h5", "--plot", "d.png")
    assert (said.code, said.err) == (0, "")
    (fold,) = [line.split() for line in said.out.splitlines() if "fold" in line]
    assert float(fold[1]) == pytest.approx(2.0, abs=1e-8)
    assert call("info", "d.h5").out.count("fold") == 1
    assert [point["special"] for point in json.loads(call("info", "d.h5", "--json").out)["special"]][1] == "fold"
    assert call("plot", "d.h5", "-o", "again.png").code == 0
    assert call("export", "d.h5", "--csv", "tables").code == 0
    header, *rows = (tmp_path / "tables" / "points.csv").read_text().splitlines()
    assert header.startswith("B,branch,kind,special,stable")
    assert len(rows) > 20
    for wrong, message in (
        (("--along", "B=4"), "--along B=4: must be NAME=LO:HI, for instance A=0.5:2"),
        (("--along", "B=4:x"), "--along B=4:x: 'x' is no number"),
        (("--along", "B=4:1", "--along", "B=2:1"), "--along: names one parameter, or two different ones"),
        (("--along", "B=4:1", "-o", "d.h5"), "-o d.h5 exists: --force replaces it"),
    ):
        said = call(*words, *wrong)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("brnn: error: ")
        assert said.err.count("\n") == 1
        assert message.split(":")[0] in said.err
