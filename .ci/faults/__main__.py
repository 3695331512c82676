"""Faults on purpose: kills, hostile inputs, full disks, damaged caches. Nothing may be lost, and all is said in a line.

    python .ci/faults --seed 1 --inputs 3000 --kills 200

What is drawn comes from the seed, which is printed. Each case is a fork of one process that has loaded brnn, so that it
takes a fraction of a second; it works in a folder of its own. What is counted as a fault:

- an exit code other than 0, 1 and 2 (130 where the case is stopped by Ctrl-C after `LONGEST` seconds), or a signal;
- a traceback, "a mistake of brnn's own", or more than one line beside warnings where the exit code is not 0;
- a file that was changed, or made where no output was named; more than `MEMORY` bytes of memory;
- after a kill: a file that does not open, a row that was there and is gone, a number that is not that of a whole run;
- after a full disk: an old result that is gone or changed, or a part of a new one that is left.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # threads do not survive a fork

sys.path.append(str(Path(__file__).parents[2]))  # for tests.parts

from caches import damaged_caches  # noqa: E402
from cases import Case, Ended, run_all  # noqa: E402
from disks import full_disks  # noqa: E402
from inputs import Inputs  # noqa: E402
from kills import kills  # noqa: E402


def main() -> int:
    """Run it all, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--inputs", type=int, default=3000)
    parser.add_argument("--after", type=int, default=0, help="so many of these inputs were run before")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no other input after so long")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--caches", type=int, default=20)
    parser.add_argument("--disks", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    done: Counter[str] = Counter()
    faults: Counter[str] = Counter()

    def some(cases: Iterable[Case]) -> Iterator[Case]:
        stop = time.monotonic() + 60.0 * given.minutes
        for number, case in enumerate(cases):
            if time.monotonic() > stop:
                print(f"stopped before input {number}: --seed {given.seed} --after {number} goes on", flush=True)
                return
            if number >= given.after:
                yield case

    def tell(kind: str, found: list[str]) -> None:
        done[kind] += 1
        for fault in found:
            faults[fault.partition(":")[0]] += 1
            print(f"{kind}: {fault}", flush=True)

    def report(ended: Ended, found: list[str]) -> None:
        tell(ended.case.kind, [])
        done["ended with " + str(ended.code)] += 1
        for fault in found:
            faults[fault] += 1
            print(
                f"{ended.case.kind}: {fault}: brnn {ended.case.words!r}\n    {ended.err.strip()[-700:]!r}", flush=True
            )

    with tempfile.TemporaryDirectory(prefix="brnn-faults-") as name:
        inputs = Inputs(Path(name))
        if given.inputs:
            inputs.warm()
            run_all(some(inputs.cases(random.Random(given.seed), given.inputs)), given.jobs, report)
        if given.kills:
            kills(random.Random(given.seed + 1), given.kills, tell)
        if given.disks:
            full_disks(inputs, tell)
        if given.caches:
            damaged_caches(random.Random(given.seed + 2), given.caches, tell)
    print("done:", ", ".join(f"{kind} {count}" for kind, count in sorted(done.items())))
    print(
        "faults:",
        ", ".join(f"{count} {fault}" for fault, count in faults.most_common()) or "none",
        f"(seed {given.seed})",
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
