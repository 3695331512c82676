"""A full disk for every command that writes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cases import Case, Running, call, faults_of
from inputs import Inputs

import brnn

OUTPUTS = {  # a command with an output, and its name
    "run rcf --set n=40 --duration 5 -o OUT/new.h5": "new.h5",
    "run rcf --duration 0.5 --plot OUT/new.png": "new.png",
    "sweep rcf --grid A=0.5:1.5:300 --duration 0.5 --measure final -o OUT/new.h5": "new.h5",
    "plot IN/run.h5 -o OUT/new.png": "new.png",
    "plot IN/sweep.h5 -o OUT/new.svg": "new.svg",
    "export IN/run.h5 --csv OUT/tables": "tables",
    "export IN/sweep.h5 --csv OUT/tables": "tables",
    "export IN/sweep.h5 --parquet OUT/new.parquet": "new.parquet",
    "merge IN/part1.h5 IN/part2.h5 -o OUT/new.h5": "new.h5",
}


def full_disks(inputs: Inputs, tell: Callable[[str, list[str]], None]) -> None:
    """Let the disk be full for every command that writes: a small file system if we may mount one, else a limit."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    for part in ("1", "2"):
        shard = "sweep rcf --grid A=0.5,1,2 --duration 0.5 --shard"
        assert call([*shard.split(), f"{part}/2", "-o", f"OUT/part{part}.h5"], folder).code == 0
    files = dict(inputs.valid) | {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    for words, name in OUTPUTS.items():
        for size in (4096, 16_384, 65_536, 131_072, 262_144):
            for old in (b"", files["run.h5"] if name.endswith(".h5") else b"precious"):
                found = _on_a_full_disk(words, name, size, old, files)
                where = f"{words} ({size}, {'old' if old else 'new'})"
                tell("full disk", [f"{fault}: {where}" for fault in found])
    shutil.rmtree(folder, ignore_errors=True)


def _on_a_full_disk(words: str, name: str, size: int, old: bytes, files: dict[str, bytes]) -> list[str]:
    place = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    out = place / "out"
    out.mkdir()
    with _small(out, size + (len(old) + 8191 if old else 0)) as mounted:
        target = out / name
        if name == "tables":
            target.mkdir()
            target = target / "members.csv"
        if old:
            target.write_bytes(old)
        limit = None if mounted else size
        process = Running(Case([*words.split(), *(["--force"] if old else [])], files), place, limit)
        while (ended := process.ended()) is None:
            time.sleep(0.005)
        found = faults_of(ended)
        if ended.code == 0 and not (target.exists() or name == "tables"):
            found.append("ended with 0, and wrote nothing")
        # Where the run is whole, and there is no room for its compact file only, it stays as it is.
        whole = "what was saved until t = 5 is kept" in ended.err and len(brnn.open(target).times) == 201
        if ended.code != 0 and name != "tables" and not whole:
            left = [path.name for path in out.rglob("*") if path.is_file()]
            if old and (not target.exists() or target.read_bytes() != old):
                found.append("lost: the old file")
            if left != ([name] if old else []):
                found.append(f"left {left}")
        found = [f"{fault}: {ended.err[-200:]}" for fault in found]
    shutil.rmtree(place, ignore_errors=True)
    return found


@contextlib.contextmanager
def _small(folder: Path, size: int) -> Iterator[bool]:
    """Make a folder a small file system of its own if we may; yield whether it is one."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "brnn", str(folder)]
    mounted = subprocess.run(words, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
