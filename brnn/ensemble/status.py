"""How members end: the numbers that stand in the files of sweeps, their names, and what the kernels' codes mean."""

from __future__ import annotations

__all__ = ["COMPLETE", "FAILED", "FAILURES", "MISSING", "OF_CODE", "STATUS_NAMES", "STEADY", "TOO_MANY"]

MISSING, COMPLETE, STEADY, FAILED = range(4)
STATUS_NAMES = ("missing", "complete", "steady", "failed")

# By the codes of `brnn.ensemble.kernels`, in which it matters why a member failed.
TOO_MANY = 4
OF_CODE = (MISSING, COMPLETE, STEADY, FAILED, FAILED, FAILED)
FAILURES = (
    "",
    "",
    "",
    "no step was short enough: the solution grows without bound, jumps, or has no value there",
    "it would take too many steps: a shorter duration, or larger rtol and atol, may help",
    "the state grows without bound, or the step is too long",  # white noise
)
