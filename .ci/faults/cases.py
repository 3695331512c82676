"""A call of the command in a process that was forked, and what is wrong with how it ended."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

LONGEST = 20.0  # seconds, then Ctrl-C
PATIENCE = 15.0  # seconds from there to the end
MEMORY = 1.5e9  # bytes


@dataclass
class Case:
    """One call of the command.

    Attributes
    ----------
    words : list of str
        What is typed after `brnn`; ``IN`` and ``OUT`` stand for the folders of inputs and outputs.
    files : dict
        Contents of the inputs, by name.
    kind : str
        What it belongs to.
    """

    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    kind: str = ""
    stdin: bytes = b""
    run: Callable[[list[str]], int] | None = None  # in place of the command


@dataclass
class Ended:
    """How a case ended."""

    case: Case
    code: int  # negative: the signal that ended it
    out: str
    err: str
    memory: int
    stopped: bool
    strays: list[str]


class Running:
    """A case in a process that was forked."""

    def __init__(self, case: Case, folder: Path, limit: int | None = None) -> None:
        self.case, self.folder = case, folder
        for part in ("in", "out"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, content in case.files.items():
            (folder / "in" / name).write_bytes(content)
        (folder / "canary").write_text("mine")
        self.before = self._seen()
        self.begun = time.monotonic()
        self.stopped = False
        words = [word.replace("OUT", str(folder / "out")).replace("IN", str(folder / "in")) for word in case.words]
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._child(words, limit)

    def _seen(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        kept = (path for path in found if path.relative_to(self.folder).parts[0] not in ("out", "std0", "std1", "std2"))
        return {str(path): path.read_bytes() for path in kept}

    def _child(self, words: list[str], limit: int | None) -> None:
        code = 99
        try:
            os.chdir(self.folder / "in")
            (self.folder / "std0").write_bytes(self.case.stdin)
            for number in range(3):
                mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
                os.dup2(os.open(self.folder / f"std{number}", mode, 0o600), number)
            sys.stdin, sys.stdout, sys.stderr = (os.fdopen(k, "rw"[k > 0]) for k in range(3))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            from brnn.cli import main

            code = (self.case.run or main)(words)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def ended(self) -> Ended | None:
        """Return how it ended, or None if it goes on."""
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid == 0:
            late = time.monotonic() - self.begun
            if late > LONGEST and not self.stopped:
                self.stopped = True
                os.kill(self.pid, signal.SIGINT)
            elif late > LONGEST + PATIENCE:
                os.kill(self.pid, signal.SIGKILL)
            return None
        texts = [(self.folder / name).read_bytes().decode("utf-8", "replace") for name in ("std1", "std2")]
        after = self._seen()
        strays = [name for name in {*self.before, *after} if self.before.get(name) != after.get(name)]
        strays += [str(path) for path in (self.folder / "out").rglob("*.tmp")]
        code = os.waitstatus_to_exitcode(status)
        return Ended(self.case, code, texts[0], texts[1], usage.ru_maxrss * 1024, self.stopped, strays)


def faults_of(ended: Ended) -> list[str]:
    """Return what is wrong with how a case ended."""
    lines = [line for line in ended.err.splitlines() if not line.startswith("brnn: warning: ")]
    found = []
    if ended.code not in ((0, 1, 2, 130) if ended.stopped else (0, 1, 2)):
        found.append(f"ended with {ended.code}")
    if "Traceback" in ended.err:
        found.append("traceback")
    if "mistake of brnn's own" in ended.err:
        found.append("a mistake of brnn's own")
    if ended.code == 2 and len(lines) != 1:
        found.append(f"{len(lines)} lines")
    if ended.code == 0 and lines:
        found.append("said something, and ended with 0")
    if ended.strays:
        found.append("files outside of the named output")
    if ended.memory > MEMORY:
        found.append(f"{ended.memory / 1e9:.1f} GB of memory")
    return found


def run_all(cases: Iterable[Case], jobs: int, report: Callable[[Ended, list[str]], None]) -> None:
    """Run cases, so many at a time, each in a folder of its own."""
    running: list[tuple[Running, Path]] = []
    source = iter(cases)
    while True:
        while len(running) < jobs and (case := next(source, None)) is not None:
            folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
            running.append((Running(case, folder), folder))
        if not running:
            return
        for one in list(running):
            ended = one[0].ended()
            if ended is not None:
                report(ended, faults_of(ended))
                shutil.rmtree(one[1], ignore_errors=True)
                running.remove(one)
        time.sleep(0.005)


def call(words: list[str], folder: Path, limit: int | None = None) -> Ended:
    """Run one case to its end in a folder that stays."""
    process = Running(Case(words), folder, limit)
    while (ended := process.ended()) is None:
        time.sleep(0.005)
    return ended
