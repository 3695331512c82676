"""Damaged files of compiled code."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from cases import call, faults_of


def damaged_caches(rng: random.Random, count: int, tell: Callable[[str, list[str]], None]) -> None:
    """Empty, cut or zero files of compiled code: the network runs all the same, with the same numbers."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    os.environ["BRNN_CACHE_DIR"] = str(folder / "cache")
    words = ["run", "leaky_competing_accumulator", "--duration", "0.5", "--times", "3"]  # no case before has loaded it
    right = call(words, folder / "right")
    for _ in range(count):
        files = [path for path in (folder / "cache").rglob("*") if path.is_file()]
        for path in rng.sample(files, min(len(files), rng.choice((1, 2, 100)))):
            content = path.read_bytes()
            kind = rng.choice(("empty", "cut", "zero", "gone"))
            path.write_bytes(
                {"empty": b"", "cut": content[: rng.randrange(len(content) + 1)], "zero": bytes(len(content))}.get(
                    kind, b""
                )
            )
            if kind == "gone":
                path.unlink()
        ended = call(words, folder / "again")
        found = faults_of(ended)
        if ended.code != right.code or _numbers(ended.out) != _numbers(right.out):
            found.append(f"other numbers: {ended.err[-300:]}")
        tell("damaged cache", found)
    shutil.rmtree(folder, ignore_errors=True)


def _numbers(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("run ")]
