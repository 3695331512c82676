"""What a start costs: importing brnn, and `brnn run rcf` with and without compiled code in the cache.

Every number is of new processes. With ``--beside PYTHON`` the brnn of another environment takes turns, and the table
says whether ours is quick enough beside it: ``python -m benchmarks startup --beside ../before/.venv/bin/python``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Timing, machine, verdict
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

COMMAND = """
import sys
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
TARGETS = {"filled cache": 0.7, "empty cache": 0.5}  # of the other's time, at most


def process(program: str, folder: Path, python: str = sys.executable) -> float:
    """Run a program in a new process, with its cache in this folder; return its seconds."""
    environment = {**os.environ, "BRNN_CACHE_DIR": str(folder / "cache"), "MPLBACKEND": "Agg"}
    started = time.perf_counter()
    done = subprocess.run(
        [python, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"startup: a program failed; nothing is reported:\n{done.stderr}")
    return seconds


def run(*, quick: bool = False, beside: str | None = None) -> dict[str, Any]:
    """Run the benchmark.

    Parameters
    ----------
    quick : bool
        Fewest repetitions.
    beside : str, optional
        The Python of another environment, whose brnn takes turns with ours.

    Returns
    -------
    dict
        Machine; seconds of the imports; seconds of `brnn run rcf` with an empty and with a filled cache.

    Raises
    ------
    SystemExit
        If a process fails.
    """
    imports: dict[str, list[float]] = {name: [] for name in IMPORTS}
    pythons = {"brnn": sys.executable} | ({} if beside is None else {"other": os.path.abspath(beside)})
    runs: dict[str, dict[str, list[float]]] = {cache: {name: [] for name in pythons} for cache in TARGETS}
    with tempfile.TemporaryDirectory(prefix="brnn-startup-") as name:
        for program in IMPORTS.values():
            process(program, Path(name))  # fills the system's file cache
        for _ in range(2 if quick else 11):
            for label, program in IMPORTS.items():
                imports[label].append(process(program, Path(name)))
        folders = {label: Path(tempfile.mkdtemp(dir=name)) for label in pythons}
        for label, python in pythons.items():
            process(COMMAND, folders[label], python)  # fills its cache
        for _ in range(2 if quick else 7):
            for label, python in pythons.items():
                runs["filled cache"][label].append(process(COMMAND, folders[label], python))
                with tempfile.TemporaryDirectory(dir=name) as empty:
                    runs["empty cache"][label].append(process(COMMAND, Path(empty), python))
    return {
        "benchmark": "startup",
        "settings": {"quick": quick, "beside": beside},
        "machine": machine(),
        "imports": {label: Timing(tuple(seconds)).to_dict() for label, seconds in imports.items()},
        "runs": {
            cache: {label: Timing(tuple(seconds)).to_dict() for label, seconds in found.items()}
            for cache, found in runs.items()
        },
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as two tables."""
    empty = report["imports"]["an empty program"]["median"]
    imports = [
        [name, f"{found['median']:.3f} s", f"{found['median'] - empty:.3f} s"]
        for name, found in report["imports"].items()
    ]
    runs = []
    for cache, found in report["runs"].items():
        row = [cache, f"{found['brnn']['median']:.2f} s"]
        if "other" in found:
            ratio = found["brnn"]["median"] / found["other"]["median"]
            said = verdict(1.0 / ratio, 1.0 / TARGETS[cache])
            row += [f"{found['other']['median']:.2f} s", f"{ratio:.2f}", f"{TARGETS[cache]:g}", said]
        runs.append(row)
    names = ["brnn run rcf", "brnn", "other", "ratio", "at most", ""]
    return "\n".join(
        [
            "New processes, medians",
            text_table(imports, ["program", "seconds", "without Python's start"], right=True),
            "",
            text_table(runs, names[: len(runs[0])], right=True),
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the medians as bars, with the lowest and highest of each."""
    from matplotlib.figure import Figure

    bars = dict(report["imports"])
    for cache, contenders in report["runs"].items():
        for name, found in contenders.items():
            bars[f"{cache}:\nbrnn run rcf" + (", other" if name == "other" else "")] = found
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
