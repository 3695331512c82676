"""What a projection carries besides constant strengths: an MTM gate and a learning law."""

from __future__ import annotations

from dataclasses import dataclass

from brnn.spec.base import Spec

__all__ = ["Gate", "Learning"]


@dataclass(frozen=True, eq=False, repr=False)
class Gate(Spec):
    """Base of the gates (MTM): a state y that multiplies the signals of a projection."""


@dataclass(frozen=True, eq=False, repr=False)
class Learning(Spec):
    """Base of the learning laws (LTM): a state z that multiplies the strengths of a projection."""
