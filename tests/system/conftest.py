"""The command `brnn` as a process, and as a function of this process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Process = subprocess.CompletedProcess[str]


@dataclass
class Said:
    """What the command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a headless Chromium; where there is none, say so and skip."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright: pip install 'brnn[test]'")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield found
        found.close()


@pytest.fixture
def brnn_process(tmp_path: Path) -> Callable[..., Process]:
    """Return a function that runs the command in a process of its own, in the test's folder."""

    def run(*arguments: object, **options: Any) -> Process:
        words = [sys.executable, "-m", "brnn", *(str(argument) for argument in arguments)]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, **options)

    return run


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs the command inside the test's process, in the test's folder: it starts at once."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Said:
        from brnn.cli import main

        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
