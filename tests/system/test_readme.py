"""Everything that README.md says one can type runs, and does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import brnn

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_python_example(tmp_path: Path) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    command = [sys.executable, "-c", example]
    for _ in range(2):  # whoever tries it types it again
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
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
def test_commands(line: str, folder: Path) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "brnn", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in (argument for argument in arguments if argument.endswith((".h5", ".png"))):
        assert (folder / name).stat().st_size > 1000
