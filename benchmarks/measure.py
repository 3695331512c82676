"""What the benchmarks share: fair timing, a note of the machine, and the report."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Timing", "answers", "interleaved", "machine", "repeated", "verdict", "write"]

PACKAGES = ("brnn", "numpy", "scipy", "numba", "llvmlite", "h5py", "xarray")


@dataclass(frozen=True)
class Timing:
    """Repeated timings of one contender, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median of the repetitions."""
        return statistics.median(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary that goes into the JSON file."""
        ordered = sorted(self.seconds)
        return {
            "median": self.median,
            "lowest": ordered[0],
            "highest": ordered[-1],
            "repetitions": len(ordered),
        }


T = TypeVar("T")


def answers(contenders: Mapping[str, Callable[[], T]]) -> tuple[dict[str, T], dict[str, Timing]]:
    """Call each once: return what each answers, and how long that took with all that was compiled for it."""
    found: dict[str, T] = {}
    timings = {}
    for name, call in contenders.items():
        before = time.perf_counter()
        found[name] = call()
        timings[name] = Timing((time.perf_counter() - before,))
    return found, timings


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    *,
    budget: float,
    least: int = 3,
    most: int = 101,
    warm: bool = False,
) -> dict[str, Timing]:
    """Time several callables in turn, so that a slow moment of the machine meets all of them.

    Parameters
    ----------
    contenders : mapping of str to callable
        What to time.
    budget : float
        Seconds for all rounds together; a round that has begun is finished.
    least, most : int
        Bounds on the number of rounds.
    warm : bool
        Each has been called before; otherwise each is called once, untimed.

    Returns
    -------
    dict of str to Timing
        Under the names given.
    """
    if not warm:
        for call in contenders.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    started = time.perf_counter()
    for k in range(most):
        if k >= least and time.perf_counter() - started > budget:
            break
        for name, call in contenders.items():
            before = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - before)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def repeated(calls: int, call: Callable[[], object]) -> Callable[[], None]:
    """Return a function that makes so many calls: what takes microseconds is seen beside the clock only in numbers."""

    def repeat() -> None:
        for _ in range(calls):
            call()

    return repeat


def verdict(reached: float, target: float) -> str:
    """Return whether a target is reached, or what part of it is missing."""
    return "pass" if reached >= target else f"short by {1.0 - reached / target:.0%}"


def machine() -> dict[str, Any]:
    """Return what the numbers depend on: processor, cores, Python and the versions of the packages."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "blas_threads": os.environ["OPENBLAS_NUM_THREADS"],
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _processor() -> str:
    """Return the processor's name; Linux does not tell it through `platform`."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as JSON."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {path}")
