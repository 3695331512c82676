"""The command `brnn`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process by default) and return its exit code.

    0: done; 1: a claim or a run failed; 2: the input was wrong, which one line on standard error says;
    130, 143: stopped by Ctrl-C or SIGTERM, which takes effect from here on, while modules are loaded as well.
    """
    from brnn.cli.stops import Stopped, stops_raise

    try:
        with stops_raise():
            from brnn.cli.app import run

            return run(arguments)
    except Stopped as stopped:
        print(f"brnn: {stopped}", file=sys.stderr)
        return stopped.code
