"""How members end: the numbers that stand in the files of sweeps, their names, and what the kernels' codes mean."""

from __future__ import annotations

__all__ = ["COMPLETE", "FAILED", "FAILURES", "MISSING", "OF_CODE", "STATUS_NAMES", "STEADY"]

MISSING, COMPLETE, STEADY, FAILED = range(4)
STATUS_NAMES = ("missing", "complete", "steady", "failed")

# By the codes of `brnn.ensemble.kernels`, in which it matters why a member failed.
OF_CODE = (MISSING, COMPLETE, STEADY, FAILED, FAILED, FAILED)
FAILURES = (
    "",
    "",
    "",
    "the step became too short",
    "too many steps were needed",
    "the state grows without bound, or the step is too long",  # white noise
)
