"""When tests stop and kill processes: at moments that are random, but drawn from a seed that is printed.

The seed is new in each run of the tests, or what the environment variable BRNN_KILL_SEED says. A test waits for what it
needs (a file, a member that is finished), not for a time, as machines are faster and slower than the one where it was
written; what is finished on a fast machine before it can be stopped is tried again with more to do.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from typing import Any

SEED = os.environ["BRNN_KILL_SEED"]  # conftest.py draws one


def moments(test: str) -> random.Random:
    """Return where a test draws from, and print (pytest shows it where the test fails) how to draw the same again."""
    print(f"{test}: the moments of the kills are those of BRNN_KILL_SEED={SEED}")
    return random.Random(f"{SEED} {test}")


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[Any] | None = None, every: float = 0.05) -> None:
    """Wait until a condition holds, while a process runs; for how long, the test's own timeout says."""
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(every)
