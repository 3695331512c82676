"""Intervals in which signals and cells lie whose activities and inputs lie in intervals: the rules of one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.signals import Linear, Logistic, Power, Saturating, Sigmoid, Signal, Step, ThresholdLinear
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.layers.box import BoxLayer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.gated_unit import GatedUnitLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.layers.memory_cell import MemoryCellLayer
from brnn.spec.layers.spiking import TraceLayer
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.layers.update_gate import UpdateGateLayer
from brnn.spec.layers.wilson_cowan import WilsonCowanLayer

__all__ = ["SAMPLES", "Interval", "cell_range", "is_sampled", "signal_range"]

SAMPLES = 4001  # of a signal of the user's own
_FAR = 1e8  # a signal of the user's own that has stopped to change there has a limit


@dataclass(frozen=True)
class Interval:
    """Lowest and highest value of each element, flat."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def around(cls, values: Any, size: int) -> Interval:
        """Return the intervals of single values."""
        one = np.array(np.broadcast_to(np.ravel(values), size), dtype=np.float64)
        return cls(one, one)

    @classmethod
    def everything(cls, size: int) -> Interval:
        """Return what is known of nothing."""
        return cls(np.full(size, -np.inf), np.full(size, np.inf))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Interval) -> Interval:
        with np.errstate(invalid="ignore"):
            ends = np.stack([np.nan_to_num(a * b, nan=0.0, posinf=np.inf, neginf=-np.inf)
                             for a in (self.low, self.high) for b in (other.low, other.high)])  # fmt: skip
        return Interval(ends.min(axis=0), ends.max(axis=0))

    def joined(self, other: Interval) -> Interval:
        """Return the smallest intervals that contain both."""
        return Interval(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def within(self, other: Interval) -> Interval:
        """Return what lies in both."""
        return Interval(np.maximum(self.low, other.low), np.minimum(self.high, other.high))


_KNOWN = (Linear, Power, Saturating, Sigmoid, Logistic, ThresholdLinear, Step)


def is_sampled(signal: Signal) -> bool:
    """Tell whether `signal_range` knows a signal by samples alone."""
    return not isinstance(signal, _KNOWN)


def signal_range(signal: Signal, x: Interval) -> Interval:
    """Return between which values a signal lies if activities do."""
    low, high = x.low, x.high
    if isinstance(signal, _KNOWN):
        top = signal.gain * (signal.ceiling if isinstance(signal, ThresholdLinear) else 1.0)
        unbounded = isinstance(signal, (Linear, Power)) and signal.gain != 0.0
        ends = []
        for value in (low, high):
            finite = np.where(np.isfinite(value), value, 0.0)
            at = np.asarray(signal(finite), dtype=np.float64)
            above = np.full(at.shape, np.sign(signal.gain) * np.inf if unbounded else top)
            below = np.full(
                at.shape, -np.sign(signal.gain) * np.inf if unbounded and isinstance(signal, Linear) else 0.0
            )
            ends.append(np.where(np.isposinf(value), above, np.where(np.isneginf(value), below, at)))
        return Interval(np.minimum(*ends), np.maximum(*ends))
    return _own_signal_range(signal, x)


def _own_signal_range(signal: Signal, x: Interval) -> Interval:
    """Return the range of a signal of the user's own, where it rises or falls all the way, as far as samples tell."""
    lowest = np.full(x.low.size, 0.0 if signal.nonnegative else -np.inf)
    result = Interval(lowest, np.full(x.low.size, np.inf))
    far = np.geomspace(1.0, _FAR, 200)
    low, high = np.maximum(x.low, -_FAR), np.minimum(x.high, _FAR)
    places = np.concatenate([np.linspace(max(low.min(), -9.0), min(high.max(), 9.0), SAMPLES), -far, far, low, high])
    samples = np.asarray(signal(np.unique(places[(places >= low.min()) & (places <= high.max())])), dtype=np.float64)
    slopes = np.diff(samples)
    if not (np.isfinite(samples).all() and ((slopes >= 0.0).all() or (slopes <= 0.0).all())):
        return result
    ends = []
    for value, cut in ((x.low, low), (x.high, high)):
        at, before = np.asarray(signal(cut)), np.asarray(signal(0.01 * cut))
        growing = np.isinf(value) & (np.abs(at - before) > 1e-12 * np.abs(at))
        ends.append(np.where(growing, np.where(at > before, np.inf, -np.inf), at))
    return Interval(np.minimum(*ends), np.maximum(*ends))


def cell_range(layer: Any, arriving: dict[str, Interval]) -> Interval | None:
    """Return between which equilibria a cell lies whose inputs lie between these values; None if the law has none."""
    if isinstance(layer, WilsonCowanLayer):
        return _wilson_cowan(layer, arriving)
    if isinstance(layer, (BinaryLayer, BoxLayer)):  # cut there, whatever arrives
        limits: Any = layer.bounds()
        if limits is None:  # cells that may keep the state that they started with
            return None
        return Interval(*(np.array(np.broadcast_to(side, layer.shape)).ravel() for side in limits))
    if isinstance(layer, TraceLayer):  # it decays to 0, and each spike takes it a part of the way to 1
        cells = np.ones(layer.cells)
        return Interval(0.0 * cells, cells) if layer.saturating and 0.0 <= layer.jump <= 1.0 else None
    if isinstance(layer, (UnitLayer, GatedUnitLayer, UpdateGateLayer, MemoryCellLayer)):
        return _unit(layer, arriving)
    if not isinstance(layer, (Layer, GatedLayer, MembraneLayer)):
        return None
    exc, inh = arriving["excitatory"], arriving["inhibitory"]
    if isinstance(layer, MembraneLayer):
        C = np.broadcast_to(layer.C, layer.shape).ravel()
        A, gain, shunt = layer.g_p / C, layer.V_plus / C, 1.0 / C
        lost, constant = -np.asarray(layer.V_minus) / C, layer.g_p * np.asarray(layer.V_p) / C
        parts: tuple[Any, ...] = (A, gain, shunt, lost, shunt, constant)
    else:
        parts = (layer.A, layer.B, layer.C, layer.E, layer.F, 0.0)
    A, B, C, E, F, constant = (np.array(np.broadcast_to(p, layer.shape), dtype=float).ravel() for p in parts)
    shunted = bool(C.any() or F.any())
    if shunted and not ((exc.low >= 0.0).all() and (inh.low >= 0.0).all()):
        return None
    # An equilibrium is a mean of B/C, -E/F and the rest, weighted by what arrives: it is largest at one of the corners.
    corners = [_equilibrium(A, B, C, E, F, constant, e, i)
               for e in (exc.low, exc.high) for i in (inh.low, inh.high)]  # fmt: skip
    stacked = np.stack(corners)
    low, high = (np.where(np.isnan(stacked), end, stacked) for end in (np.inf, -np.inf))
    return Interval(low.min(axis=0), high.max(axis=0))


def _equilibrium(A: Any, B: Any, C: Any, E: Any, F: Any, constant: Any, exc: np.ndarray, inh: np.ndarray) -> np.ndarray:
    """Return (constant + B exc - E inh)/(A + C exc + F inh), infinite inputs included; nan where nothing is known."""
    big = 1e290
    e, i = np.clip(exc, -big, big), np.clip(inh, -big, big)
    with np.errstate(all="ignore"):
        numerator, rate = constant + B * e - E * i, A + C * e + F * i
        value = numerator / rate
        value = np.where(rate > 0.0, value, np.sign(numerator) * np.inf)  # nan where nothing moves
        value = np.where(np.abs(value) > 1e200, np.sign(value) * np.inf, value)
    return np.asarray(value)


def _unit(layer: Any, arriving: dict[str, Interval]) -> Interval | None:
    """Return the range of units of discrete time: of what they become, or of what they approach a part of the way."""
    net = arriving["excitatory"] + Interval(-arriving["inhibitory"].high, -arriving["inhibitory"].low)
    if isinstance(layer, MemoryCellLayer):
        return _activated(layer.activation, arriving["modulatory"]) if layer.forget == "coupled" else None
    if isinstance(layer, GatedUnitLayer):
        return _activated("sigmoid", net) * _activated(layer.activation, arriving["modulatory"])
    return _activated(layer.activation, net)


def _activated(activation: str, net: Interval) -> Interval:
    if activation == "linear":
        return net
    if activation == "relu":
        return Interval(np.maximum(net.low, 0.0), np.maximum(net.high, 0.0))
    if activation == "tanh":
        return Interval(np.tanh(net.low), np.tanh(net.high))
    return Interval(*(0.5 * (1.0 + np.tanh(0.5 * end)) for end in (net.low, net.high)))


def _wilson_cowan(layer: WilsonCowanLayer, arriving: dict[str, Interval]) -> Interval | None:
    a, theta, k, r = (np.broadcast_to(p, layer.shape).ravel() for p in (layer.a, layer.theta, layer.k, layer.r))
    net = arriving["excitatory"] + Interval(-arriving["inhibitory"].high, -arriving["inhibitory"].low)
    with np.errstate(all="ignore"):
        S = [1.0 / (1.0 + np.exp(-a * (w - theta))) - 1.0 / (1.0 + np.exp(a * theta)) for w in (net.low, net.high)]
    if np.isnan(S).any() or (1.0 + r * S[0] <= 0.0).any():
        return None
    return Interval(*(k * s / (1.0 + r * s) for s in S))
