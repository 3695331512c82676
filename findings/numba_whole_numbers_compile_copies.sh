#!/usr/bin/env bash
# numba 0.68.1: a compiled function is compiled once more for every whole number that a compiled caller writes out.
#
# A function of a kind of work, a whole number, is called by another one with 1 to 6, as one calls what has several
# phases. Expected: one copy, for int64, which is what the same numbers are that come from Python, or from range().
# Seen: a copy for each number, of which LLVM makes machine code and which a cache keeps, as if numbers were types; with
# np.int64(1) it is one. A long function takes as many times as long to compile. (A function that asks a literal
# for its value needs that; this one does not.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check numba==0.68.1 numpy==2.4.6
cat > copies.py <<'END_OF_FILE'
import numpy as np
from numba import njit, version_info


def phase(kind, a):
    total = 0.0
    for x in a:
        total += kind * x
    return total


written, wrapped, looped = njit(phase), njit(phase), njit(phase)


@njit
def with_written(a):
    return written(1, a) + written(2, a) + written(3, a) + written(4, a) + written(5, a) + written(6, a)


@njit
def with_wrapped(a):
    first, second, third = np.int64(1), np.int64(2), np.int64(3)
    fourth, fifth, sixth = np.int64(4), np.int64(5), np.int64(6)
    return (
        wrapped(first, a) + wrapped(second, a) + wrapped(third, a)
        + wrapped(fourth, a) + wrapped(fifth, a) + wrapped(sixth, a)
    )


@njit
def with_loop(a):
    total = 0.0
    for kind in range(1, 7):
        total += looped(kind, a)
    return total


a = np.array([1.0, 2.0])
assert with_written(a) == with_wrapped(a) == with_loop(a) == 63.0
counts = [len(function.signatures) for function in (written, wrapped, looped)]
kinds = sorted(str(signature[0]) for signature in written.signatures)
print(f"numba {'.'.join(map(str, version_info.short))}: copies {counts}; {', '.join(kinds)}")
assert counts == [6, 1, 1], counts
assert kinds == [f"Literal[int]({k})" for k in range(1, 7)], kinds
END_OF_FILE
env/bin/python copies.py
