"""The moments at which tests kill processes: random, but from a seed that is printed, so that they can be had again.

The seed is new in each run of the tests, or what the environment variable BRNN_KILL_SEED says.
"""

from __future__ import annotations

import os
import random

SEED = os.environ["BRNN_KILL_SEED"]  # conftest.py draws one


def moments(test: str) -> random.Random:
    """Return where a test draws from, and print (pytest shows it where the test fails) how to draw the same again."""
    print(f"{test}: the moments of the kills are those of BRNN_KILL_SEED={SEED}")
    return random.Random(f"{SEED} {test}")
