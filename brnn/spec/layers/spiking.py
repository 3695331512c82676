"""Cells that fire: integrate-and-fire cells, cells that fire at random, and the traces that spikes leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import choice, identifier, number, one_of, spread
from brnn.errors import SpecError
from brnn.spec.layers.base import LayerLaw

__all__ = ["RandomSpikesLayer", "SpikingLayer", "TraceLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class _Fires(LayerLaw):
    """What cells that fire have in common: the step, and whether their spikes are kept."""

    spiking: ClassVar[bool] = True

    def _check_firing(self, step: Any, spikes: Any) -> None:
        self._set(
            step=number(step, f"{self.label}: step", above=0.0),
            spikes=choice(spikes, f"{self.label}: spikes", ("events", "none")),
        )


@dataclass(frozen=True, eq=False, repr=False)
class SpikingLayer(_Fires):
    """Integrate-and-fire cells with conductances, whose excitation may depend on the voltage as NMDA channels do.

    dV/dt = (leak (rest - V) + gain exc b(V) (top - V) + inhibition inh (bottom - V))/C
    b(V) = peak/(1 + exp(-slope V))

    Where V reaches the threshold at the end of a step the cell fires, and V is set to `reset`. With peak = 2 and
    slope = 0 excitation does not depend on the voltage.

    Parameters
    ----------
    name : str
        Name of the layer; voltages are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    C : float or array, > 0
        Capacitance.
    leak, gain, inhibition : float or array, >= 0
        Conductances: of the leak, and per unit of excitatory and inhibitory input.
    rest, top, bottom : float or array
        Their reversal potentials.
    threshold, reset : float or array
        Where cells fire, and what V is set to; reset < threshold.
    peak, slope : float or array, >= 0
        How excitation depends on the voltage.
    initial : float or array, optional
        V at time 0; `rest` by default.
    step : float, > 0
        Step of time; another one can be given to `simulate`.
    spikes : {"events", "none"}
        Whether each spike is kept as an event of the run, named like the layer.
    """

    C: float | np.ndarray = 1.0
    leak: float | np.ndarray = 1.0
    gain: float | np.ndarray = 1.0
    inhibition: float | np.ndarray = 1.0
    rest: float | np.ndarray = -65.0
    top: float | np.ndarray = 0.0
    bottom: float | np.ndarray = -70.0
    threshold: float | np.ndarray = -50.0
    reset: float | np.ndarray = -60.0
    peak: float | np.ndarray = 2.0
    slope: float | np.ndarray = 0.0
    initial: float | np.ndarray | None = None
    step: float = 1e-3
    spikes: str = "events"

    parameters: ClassVar[tuple[str, ...]] = (
        "C", "leak", "gain", "inhibition", "rest", "top", "bottom", "peak", "slope"
    )  # fmt: skip

    def __post_init__(self) -> None:
        start = self.rest if self.initial is None else self.initial
        self._check_common(start)
        at = self.label
        for name in ("leak", "gain", "inhibition", "peak", "slope"):
            self._set(**{name: spread(getattr(self, name), f"{at}: {name}", self.shape, minimum=0.0)})
        for name in ("rest", "top", "bottom", "threshold", "reset"):
            self._set(**{name: spread(getattr(self, name), f"{at}: {name}", self.shape)})
        self._set(C=spread(self.C, f"{at}: C", self.shape, above=0.0))
        if np.any(np.asarray(self.reset) >= np.asarray(self.threshold)):
            raise SpecError(f"{at}: reset = {np.max(self.reset):g}: must be below the threshold")
        self._check_firing(self.step, self.spikes)

    @staticmethod
    def law(
        x: Any, exc: Any, inh: Any, C: Any, leak: Any, gain: Any, inhibition: Any, rest: Any, top: Any, bottom: Any,
        peak: Any, slope: Any,
    ) -> Any:  # fmt: skip
        """Return dV/dt."""
        opened = gain * exc * peak / (1.0 + np.exp(-slope * x))
        return (leak * (rest - x) + opened * (top - x) + inhibition * inh * (bottom - x)) / C


@dataclass(frozen=True, eq=False, repr=False)
class RandomSpikesLayer(_Fires):
    """Cells that fire at random, at the rate max(exc - inh, 0); their state is that rate.

    Whether a cell fires in a step is drawn for each step and cell by its own number, from the seed of the run, so that
    it does not depend on what else is drawn.

    Parameters
    ----------
    name : str
        Name of the layer; rates are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    process : {"bernoulli", "poisson"}
        At most one spike a step, with the probability rate times step; or the numbers of a Poisson process.
    step : float, > 0
        Step of time; another one can be given to `simulate`.
    spikes : {"events", "none"}
        Whether each spike is kept as an event of the run, named like the layer.
    """

    process: str = "bernoulli"
    step: float = 1e-3
    spikes: str = "none"

    random_spikes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(0.0)
        self._set(process=choice(self.process, f"{self.label}: process", ("bernoulli", "poisson")))
        self._check_firing(self.step, self.spikes)

    @staticmethod
    def law(x: Any, exc: Any, inh: Any) -> Any:
        """Return the rate at which a cell fires."""
        return np.maximum(exc - inh, 0.0)


@dataclass(frozen=True, eq=False, repr=False)
class TraceLayer(LayerLaw):
    """What spikes leave behind: dx/dt = -x/tau, and a jump at each spike of the cell with the same index.

    A spike arrives at the beginning of the step after that in which the cell fired: x := x + jump (1 - x) if the trace
    saturates, x + jump else. With tau infinite and without saturation it counts the spikes.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        That of the layer whose spikes it follows; of several layers as many cells as all of them have.
    of : str or sequence of str
        Name of that layer, which must be one that fires; with several, their cells follow each other.
    tau : float, > 0
        Time constant; may be infinite.
    jump : float
        Of a spike.
    saturating : bool
        Whether the trace stays below 1.
    initial : float or array
        At time 0.
    """

    of: str | Sequence[str]
    tau: float = 0.01
    jump: float = 1.0
    saturating: bool = True
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("rate",)

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(
            of=identifier(self.of, f"{at}: of") if isinstance(self.of, str) else _names(self.of, f"{at}: of"),
            tau=number(self.tau, f"{at}: tau", above=0.0, infinite=True),
            jump=number(self.jump, f"{at}: jump"),
            saturating=one_of(self.saturating, f"{at}: saturating", bool, "True or False"),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The layers whose spikes it follows."""
        return (self.of,) if isinstance(self.of, str) else tuple(self.of)

    @property
    def rate(self) -> float:
        """1/tau."""
        return 1.0 / self.tau

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, rate: Any) -> Any:
        """Return dx/dt between spikes."""
        return -rate * x


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, (tuple, list)) or not value:
        raise SpecError(f"{where} = {value!r}: must be the name of a layer that fires, or several")
    return tuple(identifier(name, where) for name in value)
