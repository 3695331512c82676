"""Everything that README.md says one can type runs, and does what it says. It is typed in this process."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.cli import main

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_python_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    Path("example.py").write_text(example, encoding="utf-8")
    for _ in range(2):  # whoever tries it types it again
        runpy.run_path("example.py", run_name="__main__")
    result = brnn.open(tmp_path / "my_field.h5")
    assert result.status == "complete"
    assert result["F1.x"].dims == ("time", "F1")
    # The theory of the field: k equal survivors u with (A + k) u^2 - B u + A F = 0, F = half^2.
    final = result.final("F1").values
    k = int((final > 1e-3).sum())
    level = (3 + np.sqrt(9 - 4 * (1 + k) * 0.25)) / (2 * (1 + k))
    np.testing.assert_allclose(final[final > 1e-3], level, rtol=1e-4)
    assert brnn.rerun(tmp_path / "my_field.h5").passed


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("brnn ")]


def test_readme_has_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands are typed one after the other: later ones read what earlier ones wrote."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    arguments = shlex.split(line, comments=True)[1:]
    assert main(arguments) == 0, capsys.readouterr().err
    for name in (argument for argument in arguments if argument.endswith((".h5", ".png"))):
        assert (folder / name).stat().st_size > 1000
