"""What docs/scaling.md says one can type: what this machine can run runs, and the rest has no mistakes of form."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import brnn
from brnn.cli import main
from brnn.cli.app import app
from brnn.sweeps.run import sweep

TEXT = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them in one folder, one after the other."""
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("sh")
    for line in block.splitlines():
        command, *words = shlex.split(line)
        assert (command, main(words), capsys.readouterr().err) == ("brnn", 0, ""), line
    with brnn.open(tmp_path / "sweep.h5") as data:
        assert data.attrs["complete"] == 101 * 50


def test_the_script_for_one_machine(tmp_path: Path) -> None:
    (script,) = [block for block in blocks("python") if "dask" not in block]
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with brnn.open(tmp_path / "mine.h5") as data:
        assert data.attrs["complete"] == 300
        x = data["spread"].values
        assert (x >= 0).all()
        assert x.max() > 0.1


@pytest.mark.parametrize("script", [block for block in blocks("python") if "dask" in block])
def test_scripts_for_clusters_are_python(script: str) -> None:
    """Their calls of brnn are those that there are."""
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "brnn.sweep":
            names = {keyword.arg for keyword in node.keywords}
            assert names <= set(inspect.signature(sweep).parameters)


def commands() -> list[list[str]]:
    """Return the commands of brnn in scripts of the shell, in the image and in the Job."""
    text = "\n".join(blocks("bash") + blocks("dockerfile")).replace("\\\n", " ").replace("$(hostname)", "host")
    lines = re.findall(r"(?:^|srun |RUN )(brnn [^&\n]+)", text, flags=re.MULTILINE)
    (job,) = blocks("yaml")
    lines += [" ".join(re.search(r"brnn sweep.*?--resume", job, flags=re.DOTALL)[0].split())]  # type: ignore[index]
    return [shlex.split(re.sub(r"\$\(\(.*?\)\)", "1", line)) for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_have_the_options_that_there_are(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    name, *rest = words[1:]
    command.commands[name].make_context(name, rest)


def test_there_are_commands() -> None:
    assert len(commands()) == 5


@pytest.mark.parametrize("script", blocks("bash"))
def test_scripts_of_the_shell(script: str, tmp_path: Path) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
