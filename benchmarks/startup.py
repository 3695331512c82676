"""What a start costs: importing brnn, and running a model with and without compiled code in the cache.

Every number is of new processes. A first run compiles; a later one finds the compiled code in the cache.
What the user waits for is the time from the start of the process until the right-hand side has been evaluated
once: from then on the network is being integrated.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Timing, machine
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

# The command `brnn run rcf`, which also tells when the first evaluation of the right-hand side is done.
# The clock is the system's, so that it can be compared with the time at which the process was started.
COMMAND = """
import sys, time
from brnn.compiler.system import System

seen = False
original = System.rhs

def watched(self, *arguments):
    global seen
    rhs = original(self, *arguments)
    if not seen:
        seen = True
        rhs(arguments[0], self.initial_state())
        print(f"first evaluation at {time.time()}", file=sys.stderr, flush=True)
    return rhs

System.rhs = watched
from brnn.cli import main
sys.argv = ["brnn", "run", "rcf", "-o", "run.h5", "--force"]
sys.exit(main())
"""

IMPORTS = {
    "an empty program": "pass",
    "import numpy": "import numpy",
    "import brnn": "import brnn",
    "import brnn; brnn.simulate": "import brnn; brnn.simulate",
}


def process(program: str, folder: Path) -> tuple[float, float]:
    """Run a program in a new process; return its seconds in all, and until the first evaluation (or nan)."""
    environment = {**os.environ, "BRNN_CACHE_DIR": str(folder / "cache"), "MPLBACKEND": "Agg"}
    clock, started = time.time(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"startup: a program failed; nothing is reported:\n{done.stderr}")
    for line in done.stderr.splitlines():
        if line.startswith("first evaluation at "):
            return seconds, float(line.rpartition(" ")[2]) - clock
    return seconds, float("nan")


def repeated(times: int, call: Callable[[], tuple[float, float]]) -> tuple[Timing, Timing]:
    """Call several times; return the timings in all and until the first evaluation."""
    pairs = [call() for _ in range(times)]
    whole, first = zip(*pairs, strict=True)
    return Timing(whole), Timing(first)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Parameters
    ----------
    quick : bool
        Fewest repetitions.

    Returns
    -------
    dict
        Machine; seconds of the imports; seconds of `brnn run rcf` with an empty and with a filled cache.

    Raises
    ------
    SystemExit
        If a process fails.
    """
    times = 2 if quick else 11
    imports: dict[str, list[float]] = {name: [] for name in IMPORTS}
    runs: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="brnn-startup-") as name:
        folder = Path(name)
        for program in IMPORTS.values():
            process(program, folder)  # fills the system's file cache
        for _ in range(times):
            for label, program in IMPORTS.items():
                imports[label].append(process(program, folder)[0])

        def fresh() -> tuple[float, float]:
            with tempfile.TemporaryDirectory(dir=folder) as empty:
                return process(COMMAND, Path(empty))

        def later() -> tuple[float, float]:
            return process(COMMAND, folder)

        later()  # fills the cache
        for label, call in (
            ("first, empty cache", fresh),
            ("later, filled cache", later),
        ):
            whole, first = repeated(2 if quick else 5, call)
            runs[label] = {"whole": whole.to_dict(), "first_evaluation": first.to_dict()}
    return {
        "benchmark": "startup",
        "settings": {"quick": quick},
        "machine": machine(),
        "imports": {label: Timing(tuple(seconds)).to_dict() for label, seconds in imports.items()},
        "runs": runs,
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as two tables."""
    empty = report["imports"]["an empty program"]["median"]
    imports = [
        [name, f"{found['median']:.3f} s", f"{found['median'] - empty:.3f} s"]
        for name, found in report["imports"].items()
    ]
    runs = [
        [name, f"{found['first_evaluation']['median']:.2f} s", f"{found['whole']['median']:.2f} s"]
        for name, found in report["runs"].items()
    ]
    return "\n".join(
        [
            "New processes, medians",
            text_table(imports, ["program", "seconds", "without Python's start"], right=True),
            "",
            text_table(runs, ["brnn run rcf", "until the first evaluation", "in all"], right=True),
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the medians as bars, with the lowest and highest of each."""
    from matplotlib.figure import Figure

    bars = dict(report["imports"])
    for name, found in report["runs"].items():
        bars[f"{name}:\nfirst evaluation"] = found["first_evaluation"]
        bars[f"{name}:\nin all"] = found["whole"]
    medians = [found["median"] for found in bars.values()]
    spread = [
        [found["median"] - found["lowest"] for found in bars.values()],
        [found["highest"] - found["median"] for found in bars.values()],
    ]
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(bars), medians, xerr=spread)
    axes.invert_yaxis()
    axes.set(title="from the start of a new process", xlabel="seconds")
    figure.savefig(path, dpi=150)
