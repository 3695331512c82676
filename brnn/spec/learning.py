"""Learning laws: long-term memory (LTM) of a projection, a weight z for each connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from brnn.base.checks import array, identifier, number, one_of
from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.signals import Linear, Signal
from brnn.spec.schedules import Schedule
from brnn.spec.topologies.base import Topology

__all__ = [
    "CompetitiveInstar",
    "DoublyGated",
    "Instar",
    "Learning",
    "LimitedSites",
    "Outstar",
    "PassiveDecay",
    "SelfNormalizing",
    "Taught",
]

Shape = tuple[int, ...]
Read = tuple[Signal, str]


@dataclass(frozen=True, eq=False, repr=False)
class Learning(Spec):
    """Base of the learning laws. To write a new one, subclass it.

    1. ``reads(own)`` lists the signals that the law reads, each with the place where: "source" or "target" (the cell
       at that end of the connection) or "source total" (summed over all source cells). `own` is the signal of the
       projection itself.
    2. ``law(z, *reads, rate, *others)`` is a static function of scalars that returns dz/dt; `others` are the fields
       named in ``parameters``. With every read signal 0 it must return exactly 0 if the law has stimulus sampling.
       With ``sums_weights = True`` the sum of z over all connections of the target cell stands before `rate`.
    3. ``rate`` is multiplied by the factor of ``schedule`` (a window of a Pulse, a Ramp, ...) if there is one.
    4. If dz/dt is gain(one end) driver(other end) - decay(one end) z, ``end`` may name that end ("source" or "target"),
       and ``parts(*reads, rate, *others)``, a static function of scalars, too, returns decay, gain and driver: explicit
       methods are then several times faster with many weights.

    Parameters
    ----------
    rate : float, >= 0
        Learning rate M (1/time).
    sampling : Signal, optional
        Signal f that gates learning; the projection's own signal by default.
    sampled : Signal
        Signal h that is learned; Linear() by default.
    initial : float or array
        z at time 0: one number, or a matrix [target, source] (for Sparse: one per stored element; for OneToOne: one per
        cell).
    schedule : Schedule, optional
        Factor of the rate in time.
    """

    rate: float = 1.0
    sampling: Signal | None = None
    sampled: Signal = Linear()  # noqa: RUF009  (frozen)
    initial: float | np.ndarray = 0.0
    schedule: Schedule | None = None

    needs: ClassVar[tuple[str, ...]] = ("law", "reads")
    parameters: ClassVar[tuple[str, ...]] = ()
    law: ClassVar[Callable[..., Any]]
    sums_weights: ClassVar[bool] = False
    end: ClassVar[Literal["source", "target"] | None] = None
    parts: ClassVar[Callable[..., tuple[Any, Any, Any]]]

    def __post_init__(self) -> None:
        at = type(self).__name__
        given = array(self.initial, f"{at}: initial")
        self._set(
            rate=number(self.rate, f"{at}: rate", minimum=0.0),
            initial=float(given) if given.ndim == 0 else given,
        )
        if self.sampling is not None:
            one_of(self.sampling, f"{at}: sampling", Signal, "a signal, or None for the projection's own")
        one_of(self.sampled, f"{at}: sampled", Signal, "a signal, e.g. Linear()")
        if self.schedule is not None:
            one_of(self.schedule, f"{at}: schedule", Schedule, "a schedule, e.g. Pulse(on=0, off=1), or None")
            self.schedule.check((), (), f"{at}: schedule")
            if self.schedule.lowest() < 0:
                raise SpecError(f"{at}: schedule: its factor falls to {self.schedule.lowest():g}; a rate must be >= 0")

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return the signals that `law` reads."""
        raise NotImplementedError

    def layer_at(self, place: str, source: str, target: str) -> str:
        """Return the layer that is read at a place: an end of the projection, or one whose cells stand for its."""
        return target if place == "target" else source

    @property
    def others(self) -> tuple[float, ...]:
        """Values of the parameters beyond the rate."""
        return tuple(float(getattr(self, name)) for name in self.parameters)

    def check(self, source: Shape, target: Shape, topology: Topology, where: str) -> None:
        """Raise SpecError if the law does not fit the projection."""
        at = f"{where}: learning"
        if topology.storage is None:
            raise SpecError(
                f"{at}: {type(self).__name__} needs single connections, which {type(topology).__name__} does not have; "
                f"use OneToOne, AllToAll, AllButSelf, Dense or Sparse"
            )
        topology.fits(self.initial, source, target, f"{at}: initial")

    def start(self, size: int) -> np.ndarray:
        """Return z at time 0."""
        return np.array(np.broadcast_to(np.ravel(self.initial), size), dtype=float)


@dataclass(frozen=True, eq=False, repr=False)
class Outstar(Learning):
    """Outstar (11): while the source cell i samples, z_ij tracks the signal of the target cell j.

    dz_ij/dt = M f_i(x_i) [h_j(x_j) - z_ij]                                                    (11)

    Parameters: see Learning; `sampling` is f, read at the source, and `sampled` is h, read at the target.
    """

    end: ClassVar[Literal["source", "target"] | None] = "source"

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the source and h at the target."""
        return (self.sampling or own, "source"), (self.sampled, "target")

    @staticmethod
    def law(z: Any, f: Any, h: Any, rate: Any) -> Any:
        """Return dz/dt of equation (11)."""
        return rate * f * (h - z)

    @staticmethod
    def parts(f: Any, h: Any, rate: Any) -> tuple[Any, Any, Any]:
        """Return M f twice, and h."""
        return rate * f, rate * f, h


@dataclass(frozen=True, eq=False, repr=False)
class Instar(Learning):
    """Instar (12): while the target cell j samples, z_ij tracks the signal of the source cell i.

    dz_ij/dt = M f_j(x_j) [h_i(x_i) - z_ij]                                                    (12)

    Parameters: see Learning; `sampling` is f, read at the target, and `sampled` is h, read at the source.
    """

    end: ClassVar[Literal["source", "target"] | None] = "target"

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the target and h at the source."""
        return (self.sampling or own, "target"), (self.sampled, "source")

    @staticmethod
    def law(z: Any, f: Any, h: Any, rate: Any) -> Any:
        """Return dz/dt of equation (12)."""
        return rate * f * (h - z)

    @staticmethod
    def parts(f: Any, h: Any, rate: Any) -> tuple[Any, Any, Any]:
        """Return M f twice, and h."""
        return rate * f, rate * f, h


@dataclass(frozen=True, eq=False, repr=False)
class PassiveDecay(Learning):
    """Passive decay with correlation learning (39), also called signal Hebb: it forgets without input.

    dz_ij/dt = -decay z_ij + M f(x_i) h(x_j)                                                   (39)

    Parameters: see Learning; `sampling` is f, read at the source, and `sampled` is h, read at the target (the
    projection's own signal by default). ``decay`` is a rate (1/time), 1 by default.
    """

    sampled: Signal | None = None  # type: ignore[assignment]
    decay: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("decay",)
    end: ClassVar[Literal["source", "target"] | None] = "source"

    def __post_init__(self) -> None:
        sampled = self.sampled
        if sampled is None:
            self._set(sampled=Linear())
        super().__post_init__()
        self._set(sampled=sampled, decay=number(self.decay, "PassiveDecay: decay", minimum=0.0))

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the source and h at the target."""
        return (self.sampling or own, "source"), (self.sampled or own, "target")

    @staticmethod
    def law(z: Any, f: Any, h: Any, rate: Any, decay: Any) -> Any:
        """Return dz/dt of equation (39)."""
        return rate * f * h - decay * z

    @staticmethod
    def parts(f: Any, h: Any, rate: Any, decay: Any) -> tuple[Any, Any, Any]:
        """Return the decay for each source cell, M f, and h."""
        return decay + 0.0 * f, rate * f, h


@dataclass(frozen=True, eq=False, repr=False)
class DoublyGated(Learning):
    """Doubly gated learning: only while both ends signal, z_ij tracks the signal of the target cell.

    dz_ij/dt = M f(x_i) g(x_j) [h(x_j) - z_ij]

    Parameters: see Learning; `sampling` is f, read at the source, `gating` is g, read at the target (the projection's
    own signal by default), and `sampled` is h, read at the target.
    """

    gating: Signal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gating is not None:
            one_of(self.gating, "DoublyGated: gating", Signal, "a signal, or None for the projection's own")

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the source, g and h at the target."""
        return (self.sampling or own, "source"), (self.gating or own, "target"), (self.sampled, "target")

    @staticmethod
    def law(z: Any, f: Any, g: Any, h: Any, rate: Any) -> Any:
        """Return dz/dt."""
        return rate * f * g * (h - z)


@dataclass(frozen=True, eq=False, repr=False)
class SelfNormalizing(Learning):
    """Competition for synaptic strength at the target cell: the weights of one target cell share a fixed amount.

    dz_ij/dt = M f_j(x_j) [(1 - z_ij) L h_i(x_i) - z_ij sum_{k != i} h_k(x_k)]

    At rest z_ij = L h_i / (L h_i + sum_{k != i} h_k); with L = 1 this is h_i / sum_k h_k, so that sum_i z_ij = 1. With
    L > 1 a target cell that learned few source cells is favored less beside one that learned more: signals h of 0 and 1
    give z_ij = L / (L - 1 + n) for the n cells that signal (Carpenter and Grossberg 1987).

    Parameters: see Learning; `sampling` is f, read at the target, and `sampled` is h, read at the source. ``L``, > 0,
    is the weight of a connection's own signal, 1 by default.
    """

    L: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("L",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(L=number(self.L, "SelfNormalizing: L", above=0.0))

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the target, h at the source, and its sum over all source cells."""
        return (self.sampling or own, "target"), (self.sampled, "source"), (self.sampled, "source total")

    @staticmethod
    def law(z: Any, f: Any, h: Any, total: Any, rate: Any, L: Any) -> Any:
        """Return dz/dt."""
        return rate * f * ((1.0 - z) * L * h - z * (total - h))


@dataclass(frozen=True, eq=False, repr=False)
class LimitedSites(Learning):
    """Competition for the sites of the target cell: a source cell takes free ones, and loses its own to others.

    dz_ij/dt = M f_j(x_j) [h_i(x_i) (total - sum_k z_kj) - z_ij sum_{k != i} h_k(x_k)]

    At rest, with signals that take turns, sum_k z_kj is near total/2: what is taken, h (total - sum z), and what is
    lost, about h sum z, are then equal.

    Parameters: see Learning; `sampling` is f, read at the target, and `sampled` is h, read at the source. ``total``,
    > 0, is how many sites a target cell has.
    """

    total: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("total",)
    sums_weights: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(total=number(self.total, "LimitedSites: total", above=0.0))

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the target, h at the source, and its sum over all source cells."""
        return (self.sampling or own, "target"), (self.sampled, "source"), (self.sampled, "source total")

    @staticmethod
    def law(z: Any, f: Any, h: Any, sent: Any, taken: Any, rate: Any, total: Any) -> Any:
        """Return dz/dt."""
        return rate * f * (h * (total - taken) - z * (sent - h))


@dataclass(frozen=True, eq=False, repr=False)
class CompetitiveInstar(Learning):
    """Competitive instar, which may read traces of spikes in the place of the cells at both ends.

    dz_ij/dt = M f_j [h_i - z_ij sum_k h_k]

    Parameters: see Learning; `sampling` is f, read at the target, and `sampled` is h, read at the source; both are
    Linear() by default. ``source_trace`` and ``target_trace`` name layers that are read instead, such as a TraceLayer,
    with a cell for each cell of that end. At rest z_ij = <f_j h_i>/<f_j sum_k h_k>, so that sum_i z_ij = 1.
    """

    source_trace: str | None = None
    target_trace: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("source_trace", "target_trace"):
            if getattr(self, name) is not None:
                identifier(getattr(self, name), f"CompetitiveInstar: {name}")

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the target, h at the source, and its sum over all source cells."""
        return (self.sampling or Linear(), "target"), (self.sampled, "source"), (self.sampled, "source total")

    def layer_at(self, place: str, source: str, target: str) -> str:
        """Return the traces, where they are named."""
        if place == "target":
            return self.target_trace or target
        return self.source_trace or source

    @staticmethod
    def law(z: Any, f: Any, h: Any, total: Any, rate: Any) -> Any:
        """Return dz/dt."""
        return rate * f * (h - z * total)


@dataclass(frozen=True, eq=False, repr=False)
class Taught(Learning):
    """Learning that a teacher turns up or down: weights between 0 and 1 move while the source cell signals.

    dz_ij/dt = M f_i(x_i) [(1 - z_ij)(recovery + potentiation h_j) - z_ij (forgetting + depression h_j)]

    Parameters: see Learning; `sampling` is f, read at the source, and `sampled` is h, read at the target, or in the
    layer that ``target_trace`` names, with a cell for each target cell: climbing fibres, each of which teaches one.
    ``recovery``, ``potentiation``, ``forgetting`` and ``depression`` are >= 0, 0 by default. With constant h z goes to
    up/(up + down) at the rate M f (up + down), up and down being the two brackets with h. The long-term depression of
    parallel fibres has recovery = 1 and depression > 0 (Fiala, Grossberg and Bullock 1996).
    """

    recovery: float = 0.0
    potentiation: float = 0.0
    forgetting: float = 0.0
    depression: float = 0.0
    target_trace: str | None = None

    parameters: ClassVar[tuple[str, ...]] = ("recovery", "potentiation", "forgetting", "depression")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(**{name: number(getattr(self, name), f"Taught: {name}", minimum=0.0) for name in self.parameters})
        if self.target_trace is not None:
            identifier(self.target_trace, "Taught: target_trace")

    def reads(self, own: Signal) -> tuple[Read, ...]:
        """Return f at the source and h at the target."""
        return (self.sampling or own, "source"), (self.sampled, "target")

    def layer_at(self, place: str, source: str, target: str) -> str:
        """Return the teacher in the place of the target, where it is named."""
        return self.target_trace or target if place == "target" else source

    @staticmethod
    def law(
        z: Any, f: Any, h: Any, rate: Any, recovery: Any, potentiation: Any, forgetting: Any, depression: Any
    ) -> Any:
        """Return dz/dt."""
        return rate * f * ((1.0 - z) * (recovery + potentiation * h) - z * (forgetting + depression * h))
