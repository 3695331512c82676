"""A projection: the signals that one layer sends to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from brnn.base.checks import choice, identifier, number, one_of
from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.signals import Linear, Signal
from brnn.spec.gates import Gate
from brnn.spec.layers.base import KINDS
from brnn.spec.learning import Learning
from brnn.spec.modulation import Modulation
from brnn.spec.topologies import Topology
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["ImmediateProjection", "Projection"]


@dataclass(frozen=True, eq=False, repr=False)
class Projection(Spec):
    """Signals f(x) of the source layer, weighted and summed into the target layer's input.

    Parameters
    ----------
    source, target : str
        Names of layers; they may be the same.
    kind : {"excitatory", "inhibitory", "modulatory"}
        Into which bracket of equation (9) the sum goes; "modulatory" is the nonspecific input of a layer whose law has
        one (GatedLayer).
    signal : Signal
        f (or g): what a cell with activity x sends.
    topology : Topology
        The constant strengths D (or G), W[target, source].
    gate : Gate, optional
        MTM: multiplies the signals by y.
    learning : Learning, optional
        LTM: multiplies the strengths by z.
    delay : float, >= 0
        Axonal lag.
    name : str, optional
        ``"<source>_<target>_exc"``, ``"_inh"`` or ``"_mod"`` by default.
    modulation : Modulation, optional
        Multiplies the signals by a factor that the activity of a third layer sets.

    Raises
    ------
    SpecError
        If a value is not valid.
    """

    source: str
    target: str
    kind: Literal["excitatory", "inhibitory", "modulatory"] = "excitatory"
    signal: Signal = Linear()  # noqa: RUF009  (frozen)
    topology: Topology = OneToOne()  # noqa: RUF009
    gate: Gate | None = None
    learning: Learning | None = None
    delay: float = 0.0
    name: str | None = None
    modulation: Modulation | None = None

    immediate: ClassVar[bool] = False  # whether signals are those of the source's next state, in the same step

    def __post_init__(self) -> None:
        source = identifier(self.source, "Projection: source")
        target = identifier(self.target, "Projection: target")
        kind = choice(self.kind, f"Projection {source} -> {target}: kind", KINDS)
        name = f"{source}_{target}_{kind[:3]}" if self.name is None else identifier(self.name, "Projection: name")
        at = f"Projection '{name}'"
        self._set(name=name)
        one_of(self.signal, f"{at}: signal", Signal, "a signal of brnn.signals, e.g. Sigmoid()")
        one_of(self.topology, f"{at}: topology", Topology, "a topology, e.g. AllButSelf()")
        if self.gate is not None:
            one_of(self.gate, f"{at}: gate", Gate, "a gate, e.g. HabituativeGate(H=1, K=1, L=1), or None")
        if self.learning is not None:
            one_of(self.learning, f"{at}: learning", Learning, "a learning law, e.g. Outstar(rate=1), or None")
        if self.modulation is not None:
            one_of(self.modulation, f"{at}: modulation", Modulation, "a Modulation, e.g. Modulation('F2'), or None")
        self._set(delay=number(self.delay, f"{at}: delay", minimum=0.0))

    def to_dict(self, arrays: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
        """Return plain data (see Spec), without a modulation that there is not: as files have it that are older."""
        data = super().to_dict(arrays)
        if self.modulation is None:
            del data["modulation"]
        return data

    @property
    def plain(self) -> bool:
        """Whether signals times strengths arrive at once: no gate, learning law, modulation and delay."""
        return self.gate is None and self.learning is None and self.modulation is None and not self.delay

    def start(self, quantity: str, size: int) -> np.ndarray:
        """Return the gates ("y") or weights ("z") at time 0, flat."""
        part = self.gate if quantity == "y" else self.learning
        assert part is not None
        return part.start(size)

    def lag(self, step: float | None) -> float:
        """Return how old signals are when they arrive; negative if they are those of the next state."""
        return self.delay

    @property
    def label(self) -> str:
        """How error messages call the projection."""
        return f"Projection '{self.name}'"


@dataclass(frozen=True, eq=False, repr=False)
class ImmediateProjection(Projection):
    """In discrete time: a projection whose signals arrive within the same step.

    x_target(t + step) = law(x_target(t), ... f(x_source(t + step)) ...)

    A step takes the layers of a network in their order, so that the source stands before the target. What takes a
    network of gates several matrix products is still one step: the input, the gates, the cells, what is read of them.

    Parameters
    ----------
    source, target, kind, signal, topology, name
        As for Projection.
    gate, learning, delay, modulation
        None, None, 0 and None: discrete time has no gates, learning laws and modulations.
    """

    immediate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delay:
            raise SpecError(f"{self.label}: delay = {self.delay:g}: signals that arrive within the same step have none")

    def lag(self, step: float | None) -> float:
        """Return minus one step."""
        assert step is not None
        return -step
