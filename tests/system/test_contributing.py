"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PYTHON = r"```python\n(.*?)```"

RECIPES = {
    title: re.findall(PYTHON, text, flags=re.DOTALL)
    for title, text in re.findall(r"^### (.+?)\n(.*?)(?=^##)", PAGE, re.M | re.S)
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, models and simulations, with every recipe's file in its place."""
    folder = tmp_path_factory.mktemp("checkout")
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    for source, target in (("brnn", "brnn"), ("models", "brnn/models"), ("simulations", "simulations")):
        shutil.copytree(ROOT / source, folder / target, ignore=leave_out)
    for code, _ in RECIPES.values():
        header, _, text = code.partition("\n")
        path = header.rpartition(" ")[2]
        path = path.replace("models/", "brnn/models/", 1) if path.startswith("models/") else path
        if "at the end of" in header:
            with (folder / path).open("a", encoding="utf-8") as file:
                file.write("\n\n" + text)
        else:
            assert not (folder / path).exists(), f"{path} is there already"
            (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_there_is_a_recipe_for_everything_that_can_be_added() -> None:
    assert set(RECIPES) == {
        "A law",
        "A topology",
        "A signal",
        "A solver",
        "A model",
        "A simulation",
        "A measure of sweeps",
    }


@pytest.fixture(scope="module")
def tried(checkout: Path) -> dict[str, str]:
    """The trials of all recipes in one new process, one after the other: title -> "" or the traceback."""
    for k, (_, trial) in enumerate(RECIPES.values()):
        (checkout / f"trial{k}.py").write_text(f"import numpy as np\nimport brnn\n{trial}", encoding="utf-8")
    code = f"""
import json, runpy, traceback
import brnn
assert brnn.__file__.startswith({str(checkout)!r})
said = []
for k in range({len(RECIPES)}):
    try:
        runpy.run_path(f"trial{{k}}.py")
        said.append("")
    except BaseException:
        said.append(traceback.format_exc())
print("\\n" + json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(RECIPES, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_works(title: str, tried: dict[str, str]) -> None:
    assert not tried[title], tried[title]
