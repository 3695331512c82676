"""One run at a time, which can be given up: when it takes too long, or nobody waits for it any more."""

from __future__ import annotations

import threading
import time as clock
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.text import one_line
from brnn.compiler import compile_network
from brnn.errors import InputError
from brnn.integrate import simulate
from brnn.result.result import Result
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network

__all__ = ["Abandoned", "Runner"]

_SECONDS = 60.0  # of a processor that a run may take: vistars takes 18
_WAITING = 2.0  # times as long it may take on a machine that does other things, too
_LOOK = 0.05  # seconds between looks at whether somebody still waits
_NUMBERS = 300_000  # of a trajectory; what has more unknowns is shown at fewer times
_TIMES = 201


class Abandoned(Exception):
    """The page that asked has gone, or asks for something newer."""


@dataclass
class Runner:
    """Makes runs, one after the other, and says at which stage it is.

    Parameters
    ----------
    seconds : float
        Processor time that a run may take, compilation left out.
    """

    seconds: float = _SECONDS
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _known: set[str] = field(default_factory=set)
    _stage: tuple[str, float, float] = ("idle", 0.0, 0.0)

    @property
    def stage(self) -> dict[str, Any]:
        """What is being done, for how long, and which part of a run is over."""
        name, since, part = self._stage
        waited = 0.0 if name == "idle" else clock.perf_counter() - since
        return {"stage": name, "seconds": round(waited, 2), "part": round(part, 4)}

    @contextmanager
    def turn(self, gone: Callable[[], bool]) -> Iterator[None]:
        """Wait until nothing else runs; Abandoned if meanwhile nobody waits any more."""
        while not self._turn.acquire(timeout=_LOOK):
            if gone():
                raise Abandoned
        try:
            yield
        finally:
            self._stage = ("idle", 0.0, 0.0)
            self._turn.release()

    def run(
        self,
        network: Network,
        duration: float | None,
        seed: int | None,
        gone: Callable[[], bool] = lambda: False,
        record: Path | None = None,
    ) -> tuple[Result, list[str]]:
        """Return the result of a run, and the warnings that came with it.

        Parameters
        ----------
        network : Network
            What to run.
        duration, seed : as of `brnn.simulate`
            How long, and the seed of what is drawn.
        gone : callable
            Whether nobody waits for the result any more.
        record : Path, optional
            A file for the result, which then has all saved times.

        Raises
        ------
        Abandoned
            If nobody waits any more.
        InputError
            If it takes too long.
        """
        length = natural_duration(network) if duration is None else duration
        with self.turn(gone), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            begun = clock.perf_counter()
            system = compile_network(network)
            new = system.source not in self._known
            self._stage = ("compiling" if new else "integrating", begun, 0.0)
            if new:
                _ = system.rhs(0.0).address  # compiled here, so that the time of a run is the run's own
            began = clock.perf_counter()
            watch = _Watch(self, "compiling" if new else "integrating", began, clock.thread_time(), length, gone)
            times = None if record is not None or network.step is not None else _times(network, length)
            result = simulate(network, duration, times=times, seed=seed, progress=watch, record=record)
            self._known.add(system.source)
        words = [one_line(warning.message) for warning in said if issubclass(warning.category, UserWarning)]
        return result, list(dict.fromkeys(words))

    def seconds_of(self, network: Network, duration: float | None, seed: int | None) -> float:
        """Return how long the last part of one run takes; the caller has its turn."""
        compile_network(network)
        begun = clock.perf_counter()
        simulate(network, duration, seed=0 if network.random and seed is None else seed, record=None)
        return clock.perf_counter() - begun

    def at(self, stage: str, since: float, part: float) -> None:
        """Remember at which stage the run is."""
        self._stage = (stage, since, part)


@dataclass
class _Watch:
    """Is told how far a run has come, and stops it if it takes too long or nobody waits for it."""

    runner: Runner
    stage: str
    began: float
    used: float  # processor time of this thread when the run began
    length: float
    gone: Callable[[], bool]
    looked: float = 0.0

    def __call__(self, time: float) -> None:
        now = clock.perf_counter()
        if now - self.looked < _LOOK:
            return
        self.looked = now
        self.runner.at(self.stage, self.began, min(time / self.length, 1.0))
        if self.gone():
            raise Abandoned
        limit = self.runner.seconds
        # The same run takes longer on a machine that is busy, which says nothing about the run.
        if clock.thread_time() - self.used > limit or now - self.began > _WAITING * limit:
            raise InputError(
                f"the run was stopped after {limit:g} s, at t = {time:.4g} of {self.length:g}; a shorter "
                "duration, or `brnn run` without this limit"
            )


def _times(network: Network, length: float) -> np.ndarray | None:
    """Return the times that are shown, if they are fewer than a run saves by itself."""
    unknowns = sum(network.states.values())
    count = max(9, min(_TIMES, _NUMBERS // unknowns))
    return None if count == _TIMES else np.linspace(0.0, length, count)
