"""The commands that work with result files, and those that check and predict."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from brnn import models


def finals(path: Path, layer: str = "rcf") -> np.ndarray:
    with h5py.File(path, "r") as file:
        return np.asarray(file[layer]["x"][-1])


# result files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def result(call: Callable[..., Any], tmp_path: Path) -> Path:
    said = call("run", "rcf", "--set", "n=3", "--set", "initial=0.2,0.9,0.4", "--times", "21", "-o", "run.h5")
    assert said.code == 0, said.err
    return tmp_path / "run.h5"


def test_info(result: Path, call: Callable[..., Any]) -> None:
    said = call("info", result)
    assert said.code == 0, said.err
    for words in (
        "complete",
        "rcf.x",
        "21 time",
        "3 rcf",
        "interpreted",
        "STM activity",
        "Sigmoid",
        "Grossberg (1973)",
    ):
        assert words in said.out


def test_plot(result: Path, call: Callable[..., Any], tmp_path: Path) -> None:
    for kind in ("auto", "time", "pattern", "total"):
        said = call("plot", result, "--kind", kind, "-o", f"{kind}.png")
        assert said.code == 0, said.err
        with Image.open(tmp_path / f"{kind}.png") as image:
            assert image.format == "PNG"
    assert call("plot", result, "-o", "figure.svg").code == 0
    assert call("plot", result, "--kind", "pie", "-o", "pie.png").code == 2
    assert call("plot", result, "--kind", "image", "-o", "image.png").code == 2
    assert not (tmp_path / "pie.png").exists()


def test_animate(result: Path, call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("plot", result, "--animate", "run.gif")
    assert said.code == 0, said.err
    assert "wrote run.gif" in said.out
    with Image.open(tmp_path / "run.gif") as moving:
        assert (moving.format, moving.n_frames) == ("GIF", 21)  # type: ignore[attr-defined]
    for arguments, words in (
        (("--animate", "run.gif"), "run.gif exists"),
        (("--animate", "other.gif", "--layer", "rcg"), "layer 'rcg': there is rcf; did you mean 'rcf'?"),
        (("-o", "run.png", "--layer", "rcf"), "--layer rcf: says what --animate shows"),
        ((), "-o FILE or --animate FILE is needed"),
    ):
        said = call("plot", result, *arguments)
        assert said.code == 2
        assert words in said.err
        assert len(said.err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} >= {"run.h5", "run.gif"}
    assert not (tmp_path / "other.gif").exists()


OWN_FIGURE = """
import brnn
from brnn.figures import FigureDescription, figure, time_panel, trace

def build():
    return brnn.Network("mine", [brnn.Layer.additive("F", 2, A=1.0, initial=1.0)], duration=1.0)

@figure("F.x")
def decay(run):
    return FigureDescription("It decays", run.below, [[time_panel(run, "x", [trace(run, "F", 1)])]])
"""


def test_a_users_own_figure_is_drawn_at_the_run_and_later(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_FIGURE)
    said = call("run", "mine.py", "-o", "mine.h5", "--plot", "first.svg")
    assert said.code == 0, said.err
    assert call("plot", "mine.h5", "--model", "mine.py", "-o", "second.svg").code == 0
    assert call("plot", "mine.h5", "-o", "third.svg").code == 0
    # The words of a figure are drawn as outlines, each named in a comment.
    texts = [(tmp_path / f"{name}.svg").read_text() for name in ("first", "second", "third")]
    assert ["It decays" in text for text in texts] == [True, True, False]


def test_export(result: Path, call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("export", result, "--csv", "tables")
    assert said.code == 0, said.err
    path = tmp_path / "tables" / "rcf.x.csv"
    lines = path.read_text().splitlines()
    rows = list(csv.reader(lines))
    assert "rcf.x,rcf.x,1,STM activity of layer rcf," in (path.parent / "units.csv").read_text()
    assert rows[0] == ["time", "rcf.x[0]", "rcf.x[1]", "rcf.x[2]"]
    with h5py.File(result, "r") as file:
        values = np.column_stack([file["rcf/time"][:], file["rcf/x"][:]])
    np.testing.assert_array_equal(np.array(rows[1:], dtype=float), values)
    assert call("export", result, "--csv", "tables").code == 2
    path.write_text("old")
    assert call("export", result, "--csv", "tables", "--force").code == 0
    assert path.read_text().splitlines() == lines
    assert sorted(file.name for file in path.parent.iterdir()) == ["rcf.x.csv", "units.csv"]


def test_export_of_two_dimensions(call: Callable[..., Any], tmp_path: Path) -> None:
    assert call("run", "rcf", "--set", "n=2,3", "--duration", "1", "--times", "2", "-o", "run.h5").code == 0
    assert call("export", "run.h5", "--csv", "out").code == 0
    lines = (tmp_path / "out" / "rcf.x.csv").read_text().splitlines()
    assert lines[0] == "time," + ",".join(f"rcf.x[{i}][{j}]" for i in range(2) for j in range(3))
    np.testing.assert_array_equal([float(x) for x in lines[-1].split(",")[1:]], finals(tmp_path / "run.h5").ravel())


def test_rerun(result: Path, call: Callable[..., Any]) -> None:
    said = call("rerun", result)
    assert said.code == 0, said.err
    assert "same: largest difference 0 at 21 saved times" in said.out
    with h5py.File(result, "r+") as file:
        file["rcf/x"][10, 1] += 0.01
    said = call("rerun", result)
    assert said.code == 1
    assert said.err == ""
    assert "rcf.x" in said.out
    assert "0.01" in said.out
    assert call("rerun", result, "--tolerance", "0.1").code == 0
    assert call("rerun", result, "--tolerance", "-1").code == 2


# verify, theory --------------------------------------------------------------------------------------------------

CLAIMS = """
from brnn import Comparison, Layer, Network, claim, simulate
import math

def build(A=1.0):
    return Network('decay', [Layer.shunting('F1', 1, A=A, B=1, initial=1.0)], duration=1.0)

@claim('A cell decays by itself', source='arithmetic')
def decays():
    return Comparison(math.exp(-1), float(simulate(build()).final('F1')[0]), 1e-5, 'x(1)')
"""
WRONG = """
@claim('A cell never decays', source='nobody')
def stays():
    return Comparison(1.0, float(simulate(build()).final('F1')[0]), 1e-5)
"""


def test_verify(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "decay.py").write_text(CLAIMS)
    said = call("verify", "--model", "decay.py", "--json", "claims.json")
    assert said.code == 0, said.err
    assert "x(1)" in said.out
    assert "0.36787" in said.out
    assert said.out.splitlines()[-1] == "1 claim of 1 model, 1 comparison: all hold"
    (entry,) = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert (entry["model"], entry["passed"], entry["source"]) == ("decay", True, "arithmetic")
    assert call("verify", "--model", "decay.py", "--json", "claims.json").code == 2


def test_a_claim_that_fails(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "decay.py").write_text(CLAIMS + WRONG)
    said = call("verify", "--model", "decay.py")
    assert said.code == 1
    assert said.err == ""
    assert "A cell never decays" in said.out
    assert said.out.splitlines()[-1] == "2 claims of 1 model, 2 comparisons: 1 FAILED"


RAISES = """
def _divided(x):
    return x / 0.0

@claim('A cell divides', source='nobody')
def divides():
    return Comparison(1.0, math.sqrt(
        _divided(1.0)), 1e-5)
"""


def test_a_claim_that_raises_shows_its_line(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "decay.py").write_text(CLAIMS + RAISES)
    said = call("verify", "./decay.py")
    assert said.code == 1
    assert said.err == ""
    line = (CLAIMS + RAISES).splitlines().index("    return x / 0.0") + 1
    assert "ZeroDivisionError" in said.out
    assert f"(decay.py, line {line}: return x / 0.0)" in said.out


def test_verify_takes_models_by_name_and_by_file(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "decay.py").write_text(CLAIMS)
    said = call("verify", "./decay.py", "membrane")
    assert said.code == 0, said.out + said.err
    assert said.out.splitlines()[-1].startswith(f"{1 + len(models.membrane.CLAIMS)} claims of 2 models")
    assert "decai.py: there is no such file" in call("verify", "decai.py").err


def test_verify_a_model_of_the_package(call: Callable[..., Any]) -> None:
    said = call("verify", "--model", "membrane")
    assert said.code == 0, said.out
    assert f"{len(models.membrane.CLAIMS)} claims of 1 model" in said.out


def test_theory(call: Callable[..., Any]) -> None:
    said = call("theory", "rcf", "--set", "signal=w**2", "--set", "initial=0.2,0.9,0.4")
    assert said.code == 0, said.err
    for words in ("faster-than-linear", "2.618034 (stable)", "0.38196601 (unstable)", "0 2.618 0"):
        assert words in said.out
    said = call("theory", "feedforward_shunting", "--set", "pattern=1,2,3,4", "--set", "total=10")
    assert "0.090909 0.18182 0.27273 0.36364" in said.out
    assert call("theory", "membrane").code == 0
    assert call("theory", "additive").code == 0


def test_theory_says_what_does_not_apply_and_why(call: Callable[..., Any]) -> None:
    said = call("theory", "distance_dependent")
    assert said.code == 0
    assert "a recurrent competitive field (21): one layer of cells that obey (9)" in said.out
    # Two cells alone: 0, two levels of either cell (one line each for both cells), two levels of both together.
    said = call("theory", "rcf", "--set", "n=2", "--set", "signal=w**2", "--set", "pattern=0.1,0.2")
    assert sum(line.startswith("equilibrium ") for line in said.out.splitlines()) == 5, said.out
    assert " ".join(said.out.split()).count("(and 1 more: other cells)") == 2, said.out
    said = call("theory", "gated_pacemaker")
    assert "a network of the form of Cohen and Grossberg (32): Projection 'gates' has a gate" in said.out


def test_theory_draws_and_searches(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("theory", "may_leonard", "--set", "logarithmic=false", "--plot", "t.png")
    assert (said.code, said.err) == (0, "")
    assert (tmp_path / "t.png").stat().st_size > 10_000
    assert call("theory", "rcf", "--set", "n=2", "--plot", "t.png").code == 2  # it exists
    said = call("theory", "wilson_cowan")
    assert "1, and no other; none is stable: no run comes to rest" in said.out
    said = call("theory", "wilson_cowan", "--set", "n=2")
    assert "unstable focus" in said.out
    assert "there may be others" in said.out
    said = call("theory", "mcculloch_pitts", "--plot", "m.png")
    assert said.code == 2
    assert "there is nothing to draw" in said.err


def test_export_writes_latex(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("export", "art1_fast", "--latex", "a.tex")
    assert (said.code, said.err) == (0, "")
    text = (tmp_path / "a.tex").read_text()
    assert "\\begin{align}" in text
    assert text.endswith("\\end{align}\n")
    assert call("export", "rcf", "--latex", "a.txt").code == 2


def test_export_writes_the_equations_of_a_model(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("export", "rcf", "--set", "n=3", "--ode", "r.ode", "--sbml", "r.xml")
    assert (said.code, said.err) == (0, "")
    assert "x3'=" in (tmp_path / "r.ode").read_text()
    assert 'id="passed1"' in (tmp_path / "r.xml").read_text()
    for words, message in (
        (("rcf", "--ode", "r.ode"), "--ode r.ode exists"),
        (("rcf", "--ode", "r.txt"), "must end in .ode"),
        (("spectral_timing", "--ode", "a.ode"), "an event has 1,9"),
        (("rcf", "--ode", "a.ode", "--csv", "t"), "not both"),
        (("rcf", "--sbml", "a.xml", "--duration", "-1"), "--duration"),
        (("r.ode", "--csv", "t"), "is not a result file"),
        (("rcf", "--csv", "t", "--set", "n=3"), "--set n=3: is for a model"),
    ):
        said = call("export", *words)
        assert (said.code, said.out) == (2, "")
        assert message in said.err
        assert said.err.count("\n") == 1
    assert not (tmp_path / "a.ode").exists()
