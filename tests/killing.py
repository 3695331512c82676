"""When tests stop and kill processes: at moments that are random, but drawn from a seed that is printed.

The seed is new in each run of the tests, or what the environment variable BRNN_KILL_SEED says. A test waits for what it
needs (a file, a member that is finished), not for a time, as machines are faster and slower than the one where it was
written; what is finished on a fast machine before it can be stopped is tried again with more to do.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

SEED = os.environ["BRNN_KILL_SEED"]  # conftest.py draws one

# What the server of `begin` loads.
LOADED = [
    "brnn.sweeps.run",
    "brnn.integrate.run",
    "brnn.files.sweep.writer",
    "brnn.files.run.writer",
    "xarray",
    "h5netcdf",
]


def moments(test: str) -> random.Random:
    """Return where a test draws from, and print (pytest shows it where the test fails) how to draw the same again."""
    print(f"{test}: the moments of the kills are those of BRNN_KILL_SEED={SEED}")
    return random.Random(f"{SEED} {test}")


def begin(function: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start a function of a helper module in a process of its own; return that, and where its messages come out.

    The process is forked from a server that has loaded the libraries and done nothing else. The function gets the other
    end of the connection as its first argument.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    messages, sender = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(sender, *arguments), daemon=True)
    process.start()
    sender.close()  # so that its end is seen here
    return process, messages


def kill(process: BaseProcess) -> None:
    """Kill a process that still runs."""
    assert process.exitcode is None
    process.kill()
    process.join()


def wait_for(
    condition: Callable[[], bool], process: subprocess.Popen[Any] | BaseProcess | None = None, every: float = 0.05
) -> None:
    """Wait until a condition holds, while a process runs; for how long, the test's own timeout says."""
    while not condition():
        if isinstance(process, subprocess.Popen):
            assert process.poll() is None, process.communicate()
        elif process is not None:
            assert process.exitcode is None
        time.sleep(every)
