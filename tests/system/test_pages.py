"""The pages that teach: their Python runs from top to bottom, and their commands after it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import brnn.cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["tutorial", "howto/signal", "howto/law", "howto/model", "howto/fit", "howto/sequences", "coming_from"]
FILES = {"howto/model": "leaky.py"}  # where the reader is to put the block


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_can_be_typed(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    script = tmp_path / FILES.get(page, "typed.py")
    script.write_text("".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)), encoding="utf-8")
    done = subprocess.run([sys.executable, script.name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commands = [line for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) for line in block.splitlines()]
    for line in commands:
        arguments = shlex.split(line, comments=True)
        assert arguments.pop(0) == "brnn", line
        assert brnn.cli.main(arguments) == 0, line
        for name in (argument for argument in arguments if argument.endswith((".h5", ".png"))):
            assert (tmp_path / name).stat().st_size > 1000, line
