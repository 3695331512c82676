"""How the integration of a run went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from brnn.result.metadata import INCOMPLETE

__all__ = ["Solver"]


@dataclass(frozen=True)
class Solver:
    """How the integration went.

    Attributes
    ----------
    method : str
        Name of the method.
    evaluations, steps : int
        Evaluations of the right-hand side, and steps.
    seconds : float
        Wall time.
    message : str
        How it ended, in words.
    status : str
        "complete", "steady", "failed", "interrupted", or "incomplete".
    details : dict
        Everything that was recorded of it, tolerances for example.
    """

    method: str = ""
    evaluations: int = 0
    steps: int = 0
    seconds: float = field(default=math.nan, compare=False)  # NaN is not even equal to itself
    message: str = ""
    status: str = INCOMPLETE
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_mapping(cls, status: str, values: Mapping[str, Any]) -> Self:
        """Return the Solver of what `Recorder.finish` was given."""
        return cls(
            method=str(values.get("method", "")),
            evaluations=int(values.get("evaluations", 0)),
            steps=int(values.get("steps", 0)),
            seconds=float(values.get("seconds", math.nan)),
            message=str(values.get("message", "")),
            status=status,
            details=dict(values),
        )
