"""Gates: medium-term memory (MTM) of a projection, a state y that multiplies its signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, choice, fitting, number
from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.spec.topologies.base import Topology

__all__ = ["Gate", "HabituativeGate", "QuadraticGate"]

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Gate(Spec):
    """Base of the gates. To write a new one, subclass it.

    1. ``per`` is "source" (one y for each source cell) or "connection" (one for each connection).
    2. ``arguments`` are the values that the static function of scalars ``law(y, f, *arguments)`` takes; it returns
       dy/dt, f being the signal of the source cell.
    """

    needs: ClassVar[tuple[str, ...]] = ("law", "arguments", "start")

    @property
    def per(self) -> str:
        """What carries a gate of its own; a field of each subclass."""
        raise NotImplementedError

    law: ClassVar[Callable[..., Any]]

    @property
    def arguments(self) -> tuple[float, ...]:
        """Values of the arguments of `law` after y and f."""
        raise NotImplementedError

    def start(self, size: int) -> np.ndarray:
        """Return y at time 0, for `size` source cells or connections."""
        raise NotImplementedError

    def check(self, source: Shape, target: Shape, topology: Topology, where: str) -> None:
        """Raise SpecError if the gate does not fit the projection."""
        if self.per == "connection" and topology.storage is None:
            raise SpecError(
                f"{where}: gate: {type(topology).__name__} has no single connections that could carry gates; "
                f"use per='source', or Dense or Sparse"
            )


@dataclass(frozen=True, eq=False, repr=False)
class _Transmitter(Gate):
    """What gates have in common that rest at a level K and that signals empty: fields H, K, L, per and initial."""

    def _check_common(self) -> None:
        own: Any = self
        at = type(self).__name__
        K = number(own.K, f"{at}: K", above=0.0)
        self._set(
            H=number(own.H, f"{at}: H", above=0.0),
            K=K,
            L=number(own.L, f"{at}: L", minimum=0.0),
            per=choice(own.per, f"{at}: per", ("source", "connection")),
        )
        if own.initial is not None:
            given = array(own.initial, f"{at}: initial", minimum=0.0)
            if (given > K).any():
                raise SpecError(f"{at}: initial: has the element {given.max():g}; every element must be <= K = {K:g}")
            self._set(initial=float(given) if given.ndim == 0 else given)

    def start(self, size: int) -> np.ndarray:
        """Return y at time 0."""
        own: Any = self
        return np.array(np.broadcast_to(np.ravel(own.K if own.initial is None else own.initial), size), dtype=float)

    def check(self, source: Shape, target: Shape, topology: Topology, where: str) -> None:
        """Require a fitting `initial`."""
        super().check(source, target, topology, where)
        own: Any = self
        at = f"{where}: gate: initial"
        if own.per == "source":
            fitting(own.initial, source, at)
        else:
            topology.fits(own.initial, source, target, at)


@dataclass(frozen=True, eq=False, repr=False)
class HabituativeGate(_Transmitter):
    """Habituative transmitter gate (10): it accumulates at rate H to K and is depleted by the signal.

    dy/dt = H (K - y) - L f(x) y                                                              (10)

    Parameters
    ----------
    H : float, > 0
        Rate of accumulation (1/time).
    K : float, > 0
        Level of the rested gate.
    L : float, >= 0
        Rate of depletion per unit of signal.
    per : {"source", "connection"}
        One y for each source cell, or one for each connection.
    initial : float or array, optional
        y at time 0, in [0, K]; K by default. An array has one element per source cell, or shape
        (target cells, source cells) with ``per="connection"`` (for Sparse: one per stored element).

    Notes
    -----
    At a constant signal f the gate goes to H K / (H + L f) at rate H + L f; 0 <= y <= K for ever.
    """

    H: float
    K: float
    L: float
    per: str = "source"
    initial: float | np.ndarray | None = None

    def __post_init__(self) -> None:
        self._check_common()

    @staticmethod
    def law(y: Any, f: Any, H: Any, K: Any, L: Any) -> Any:
        """Return dy/dt of equation (10)."""
        return H * (K - y) - L * f * y

    @property
    def arguments(self) -> tuple[float, ...]:
        """H, K and L."""
        return self.H, self.K, self.L


@dataclass(frozen=True, eq=False, repr=False)
class QuadraticGate(_Transmitter):
    """Transmitter gate that strong signals empty more than in proportion, by their square.

    dy/dt = H (K - y) - y (L f(x) + Q f(x)^2)

    Parameters
    ----------
    H : float, > 0
        Rate of accumulation (1/time).
    K : float, > 0
        Level of the rested gate.
    L : float, >= 0
        Rate of depletion per unit of signal.
    Q : float, >= 0
        Rate of depletion per unit of its square; with Q = 0 it is a HabituativeGate.
    per, initial
        As for HabituativeGate.

    Notes
    -----
    At a constant signal f the gate goes to H K / (H + L f + Q f^2), at the rate that is the denominator. So what gets
    through, f y, has its largest value at the signal f = sqrt(H/Q), whatever L is: stronger signals get less through.
    """

    H: float
    K: float
    L: float
    Q: float
    per: str = "source"
    initial: float | np.ndarray | None = None

    def __post_init__(self) -> None:
        self._check_common()
        self._set(Q=number(self.Q, "QuadraticGate: Q", minimum=0.0))

    @staticmethod
    def law(y: Any, f: Any, H: Any, K: Any, L: Any, Q: Any) -> Any:
        """Return dy/dt."""
        return H * (K - y) - y * (L * f + Q * f * f)

    @property
    def arguments(self) -> tuple[float, ...]:
        """H, K, L and Q."""
        return self.H, self.K, self.L, self.Q
