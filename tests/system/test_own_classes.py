"""Result files whose network has classes of the user's own, read where these are not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import brnn
from brnn.base.data import Spec
from brnn.cli import main
from brnn.cli.app import app
from brnn.cli.model import find_model
from brnn.figures.view import drawn_network

MODULE = """
import dataclasses
import brnn

@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HomeMade(brnn.Signal):
    gain: float = 2.0

    @staticmethod
    def _kernel(w, gain):
        return gain * w

def build(gain: float = 2.0) -> brnn.Network:
    cell = brnn.Layer.additive("F", 2, A=1.0, initial=1.0)
    return brnn.Network("mine", [cell], [brnn.Projection("F", "F", "inhibitory", HomeMade(gain))], duration=1.0)
"""


def test_a_file_is_shown_and_exported_without_the_class_and_run_again_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MODULE, encoding="utf-8")
    try:
        assert main(["run", "mine.py", "-o", "run.h5"]) == 0
    finally:
        Spec.registry.pop("HomeMade", None)
    shown = CliRunner().invoke(app, ["info", "run.h5"]).output
    assert "f(w) = HomeMade(gain=2)" in " ".join(shown.split())
    assert main(["export", "run.h5", "--csv", "tables"]) == 0
    assert main(["plot", "run.h5", "-o", "run.png"]) == 0
    capsys.readouterr()
    assert main(["rerun", "run.h5"]) == 2
    said = capsys.readouterr().err
    assert "has a HomeMade, which is no class of brnn but one defined in the user's module" in said
    assert "--model FILE" in said
    assert "damaged" not in said
    try:
        assert main(["rerun", "run.h5", "--model", "mine.py"]) == 0
        with brnn.open("run.h5") as result:
            assert result.network.name == "mine"
    finally:
        Spec.registry.pop("HomeMade", None)


def test_a_saved_network_gets_its_classes_from_the_users_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """x' = -x - 2 x from 1, x(1) = exp(-3); the file needs no build() for that."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MODULE, encoding="utf-8")
    Path("classes.py").write_text(MODULE.partition("def build")[0], encoding="utf-8")

    def call(*words: str) -> tuple[int, str, str]:
        try:
            code = main(list(words))
        finally:
            Spec.registry.pop("HomeMade", None)
        return code, *capsys.readouterr()

    Path("net.json").write_text(call("show", "mine.py", "--json")[1], encoding="utf-8")
    own = ("--model", "classes.py")
    assert "give it with --model FILE" in call("run", "net.json")[2]
    assert call("run", "net.json", *own, "-o", "run.h5")[0] == 0
    with brnn.open("run.h5") as result:
        assert result["F.x"].values[-1] == pytest.approx(np.exp(-3.0), rel=1e-5)
    assert "f(w) = HomeMade(gain=2)" in " ".join(call("show", "net.json", *own)[1].split())
    assert call("theory", "net.json", *own)[0] == 0
    assert call("sweep", "net.json", *own, "--grid", "F.A=1:2:2", "--measure", "total", "-o", "s.h5")[0] == 0
    with brnn.open("s.h5") as data:
        assert data["total"].values == pytest.approx(2.0 * np.exp([-3.0, -4.0]), rel=1e-5)
    assert call("export", "net.json", *own, "--latex", "net.tex")[0] == 0
    assert call("plot", "run.h5", *own, "-o", "run.png")[0] == 0
    assert "must be a .py file" in call("plot", "run.h5", "--model", "net.txt", "-o", "other.png")[2]
    assert [call("rerun", file, *own)[0] for file in ("run.h5", "s.h5")] == [0, 0]
    assert "'net.txt': there is no such model" in call("rerun", "run.h5", "--model", "net.txt")[2]
    assert "give it with --model FILE" in call("explore", "net.json", "--html", "net.html")[2]
    assert call("explore", "net.json", *own, "--html", "net.html")[0] == 0
    assert "must be a .py file" in call("run", "net.json", "--model", "net.json")[2]
    assert "has no function build()" in call("run", "classes.py")[2]
    # Of published models it has signals: f(w) = 2 w keeps what the field begins with in proportion.
    assert call("run", "rcf", "--set", "signal=home-made", *own, "--set", "initial=0.1,0.3", "-o", "rcf.h5")[0] == 0
    with brnn.open("rcf.h5") as result:
        assert result.final("rcf").values[1] / result.final("rcf").values[0] == pytest.approx(3.0, rel=1e-5)
    assert "unknown signal 'home-made'" in call("run", "rcf", "--set", "signal=home-made")[2]


OWN_BUILD = """
import brnn

def build(A: float = 1.0) -> brnn.Network:
    return brnn.models.rcf.build(A=A)
"""


def test_a_sweep_needs_what_is_the_users_own_only_to_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(OWN_BUILD, encoding="utf-8")
    module = find_model("mine.py").module
    assert module is not None
    for name, build, key in (("function.h5", module.build, "A"), ("network.h5", module.build(), "rcf.A")):
        brnn.sweep(build, brnn.Grid({key: [1.0, 1.5]}), duration=2.0, measures=["final"], out=name).close()
    own = Spec.registry["Sigmoid"]  # as if it were one of the user's
    for name, words in (
        ("function.h5", "made by the function build, which no file may call: give it with build= (--model FILE)"),
        ("network.h5", "has a Sigmoid, which is no class of brnn but one defined in the user's module"),
    ):
        monkeypatch.delitem(Spec.registry, "Sigmoid")
        for arguments in (["info", name], ["plot", name, "-o", f"{name}.png"], ["export", name, "--csv", f"{name}.d"]):
            assert main(arguments) == 0
        capsys.readouterr()
        for arguments in (["rerun", name], ["run", name, "--member", "1"]):
            assert main(arguments) == 2
            said = capsys.readouterr().err
            assert words in said
            assert "damaged" not in said
        monkeypatch.setitem(Spec.registry, "Sigmoid", own)
        assert main(["rerun", name, "--model", "mine.py"]) == 0
        assert capsys.readouterr().out == "same: largest difference 0 in 2 members\n"
        assert main(["run", name, "--member", "1", "--model", "mine.py", "-o", f"{name}.member.h5"]) == 0
        with brnn.open(name) as data, brnn.open(f"{name}.member.h5") as one:
            np.testing.assert_array_equal(one.final("rcf"), data["rcf.x"][1])
    with pytest.raises(brnn.InputError, match="function.h5: build: <lambda> makes other networks"):
        brnn.rerun("function.h5", build=lambda A=1.0: brnn.models.rcf.build(A=A, B=2.0))
    with pytest.raises(brnn.InputError, match=r"build: function.h5.member.h5 is a run"):
        brnn.rerun("function.h5.member.h5", build="rcf")


def test_layers_and_inputs_whose_classes_are_not_there_are_drawn_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = brnn.Layer.additive("F", 3, A=1.0, initial=[0.1, 0.2, 0.3])
    inputs = [brnn.Stimulus("F", schedule=brnn.Pulse(0.0, 0.5)), brnn.Stimulus("F", schedule=brnn.Sine(2.0))]
    network = brnn.Network("mine", [cell], [brnn.Projection("F", "F")], inputs, time_units="s")
    brnn.simulate(network, 1.0, record=tmp_path / "run.h5")
    for missing in ("Layer", "Projection", "Sine", "Linear"):
        monkeypatch.delitem(Spec.registry, missing)
    with brnn.open(tmp_path / "run.h5") as result:
        found = drawn_network(result)
        assert (found.name, found.time_units, found.layers[0].shape) == ("mine", "s", (3,))
        assert [stimulus.schedule for stimulus in found.stimuli] == [brnn.Pulse(0.0, 0.5)]
        axes = brnn.plot.run_figure(result).axes
        assert {line.get_ydata()[0] for line in axes[0].lines if line.get_xdata()[0] == 0.0} >= {0.1, 0.2, 0.3}


DELAYED = """
import dataclasses
import brnn

@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OnlyHere(brnn.Signal):
    @staticmethod
    def _kernel(w):
        return w

def build(delay: float = 3.0) -> brnn.Network:
    cell = brnn.Layer.additive("F", 1, A=1.0, initial=1.0)
    return brnn.Network("d", [cell], [brnn.Projection("F", "F", "inhibitory", OnlyHere(), delay=delay)], duration=1.0)
"""


def test_members_whose_classes_workers_cannot_import_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks with delays go to worker processes, where a class of a script is not known."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(DELAYED, encoding="utf-8")
    try:
        assert main(["sweep", "mine.py", "--grid", "delay=2:3:2", "--measure", "total", "-o", "delayed.h5"]) == 0
    finally:
        Spec.registry.pop("OnlyHere", None)
    # Until the delay has passed the past, which is the initial state, inhibits: dx/dt = -x - 1 from 1.
    with brnn.open("delayed.h5") as data:
        assert data["total"].values == pytest.approx(2.0 * np.exp(-1.0) - 1.0, rel=1e-5)
