"""Sums of the weights to one cell, where connections compete for them.

With z, h and f not negative, S = sum_i z_i and H = sum_i h_i:

- competitive instars dz_i/dt = M f (h_i - z_i H) have dS/dt = M f H (1 - S): S goes to 1 and never turns back. The same
  holds of dz_i/dt = M f [(1 - z_i) h_i - z_i (H - h_i)], the self-normalizing law with L = 1.
- limited sites dz_i/dt = M f [h_i (T - S) - z_i (H - h_i)] have dS/dt = M f [H (T - 2 S) + sum z_i h_i], and
  0 <= sum z_i h_i <= H S: S does not fall below T/2, nor rise above T, once it is between them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.spec.learning import CompetitiveInstar, LimitedSites, SelfNormalizing
from brnn.spec.network import Network
from brnn.theory.predictions.base import Prediction, Unmet
from brnn.theory.predictions.bounds import variable_ranges
from brnn.theory.predictions.intervals import signal_range
from brnn.theory.predictions.measuring import saved

__all__ = ["shared_weights"]

_SHARED = "connections that compete for the strength of a cell"
_SOURCE = "a linear equation for the sum of the weights; derived in brnn.theory.predictions.totals"
_ENDS = {CompetitiveInstar: (1.0, 1.0), SelfNormalizing: (1.0, 1.0), LimitedSites: (0.5, 1.0)}


def shared_weights(network: Network) -> list[Prediction] | Unmet:
    """Say between which values the weights to each cell add up."""
    links: list[Any] = [link for link in network.projections if type(link.learning) in _ENDS]
    links = [link for link in links if link.topology.storage == "dense" and getattr(link.learning, "L", 1.0) == 1.0]
    if not links:
        return Unmet(_SHARED, "a projection with a law by which all weights of a cell compete (L = 1)")
    if any(event.actions for event in network.events):
        return Unmet(_SHARED, "events that only record")
    ranges = variable_ranges(network)
    found = []
    for link in links:
        law = link.learning
        lowest = 0.0
        for signal, at in law.reads(link.signal):
            x = ranges[f"{law.layer_at(at.partition(' ')[0], link.source, link.target)}.x"]
            lowest = lowest if signal.nonnegative else min(lowest, float(signal_range(signal, x).low.min()))
        first = law.start(network.states[f"{link.name}.z"]).reshape(network.state_shapes[f"{link.name}.z"])
        if lowest < 0.0 or first.min() < 0.0:
            return Unmet(
                _SHARED, f"signals and weights that are not negative (one may be {min(lowest, first.min()):.3g})"
            )
        low, high = (end * getattr(law, "total", 1.0) for end in _ENDS[type(law)])
        sums = first.sum(axis=1)
        ends = np.minimum(sums, low), np.maximum(sums, high)
        aim = f"to {high:g}, and never away from it" if low == high else f"into {low:g} ... {high:g}, and not out of it"
        found.append(
            Prediction(
                f"sums of {link.name}.z",
                ends,
                f"each goes {aim}; at first between {sums.min():.6g} and {sums.max():.6g}",
                "signals and weights that are not negative",
                _SOURCE,
                kind="within",
                tolerance=1e-5 * max(1e-3, float(ends[1].max())),
                _measure=partial(_sums, name=f"{link.name}.z", shape=first.shape),
            )
        )
    return found


def _sums(result: Any, name: str, shape: tuple[int, int]) -> np.ndarray:
    _, values = saved(result, name, None)
    return np.asarray(values.reshape(-1, *shape).sum(axis=2))
