"""Result files whose network has classes of the user's own, read where these are not known."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import brnn
from brnn.base.data import Spec
from brnn.cli import main
from brnn.cli.app import app

MODULE = """
import dataclasses
import brnn

@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HomeMade(brnn.Signal):
    gain: float = 2.0

    @staticmethod
    def _kernel(w, gain):
        return gain * w

def build() -> brnn.Network:
    cell = brnn.Layer.additive("F", 2, A=1.0, initial=1.0)
    return brnn.Network("mine", [cell], [brnn.Projection("F", "F", "inhibitory", HomeMade())], duration=1.0)
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
