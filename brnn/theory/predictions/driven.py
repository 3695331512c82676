"""Where cells settle that are driven by inputs alone, (13) and (20): `brnn.theory.feedforward`, `membrane`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.network import Network
from brnn.theory import membrane
from brnn.theory.predictions.base import InputPhase, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import approached, saved

__all__ = ["driven_cells"]

_DRIVEN = "a network driven by inputs alone (13), (20)"
_COURSE = 1e-4  # of the largest activity: what runs with the tolerances by default may be away
_CONSTANT = "the inputs stay as they are"
_SOURCE = "review, (13), (20); each cell obeys a linear equation"


def driven_cells(network: Network) -> list[Prediction] | Unmet:
    """Give the equilibrium of each layer of shunting, additive or membrane cells, with each of its inputs."""
    hypothesis = unmet_by_inputs(network)
    if hypothesis is not None:
        return Unmet(_DRIVEN, hypothesis)
    if network.projections:
        return Unmet(_DRIVEN, "no projections")
    if not all(isinstance(layer, (Layer, MembraneLayer)) for layer in network.layers):
        return Unmet(_DRIVEN, "layers of cells that obey (9) or (20)")
    words = "driven by inputs alone; while these stay constant each cell settles by itself"
    result = [Prediction("network", _DRIVEN, words, _DRIVEN, _SOURCE)]
    pieces = {layer.name: [_piece(layer, phase) for phase in constant_phases(network)] for layer in network.layers}
    for row in zip(*pieces.values(), strict=True):
        result += [_settled(layer, piece, pieces[layer.name]) for layer, piece in zip(network.layers, row, strict=True)]
    return result + [_course(layer, pieces[layer.name]) for layer in network.layers]


@dataclass(frozen=True, eq=False)
class _Piece:
    """What the cells of a layer obey while inputs stay as they are: dx/dt = current - rate x."""

    phase: InputPhase
    rate: np.ndarray
    current: np.ndarray

    def after(self, x: np.ndarray, time: Any) -> np.ndarray:
        """Return the cells at times after the beginning of the phase, at which they were at `x`."""
        t = np.asarray(time)[..., None]
        decay = -np.expm1(-self.rate * t)
        with np.errstate(divide="ignore", invalid="ignore"):
            done = np.where(self.rate > 0.0, decay / self.rate, t)  # integral of exp(-rate t)
        return np.asarray(x - decay * x + self.current * done)


def _piece(layer: Any, phase: InputPhase) -> _Piece:
    exc, inh = phase.inputs[layer.name, "excitatory"], phase.inputs[layer.name, "inhibitory"]
    if isinstance(layer, Layer):
        rate = layer.A + layer.C * exc + layer.F * inh
        current = layer.B * exc - layer.E * inh
    else:
        constants: Any = (layer.V_plus, layer.V_minus, layer.V_p, layer.g_p, layer.C)  # numbers, or one for each cell
        rate = (exc + inh + layer.g_p) / layer.C
        current = membrane.equilibrium(membrane.Membrane(*constants), exc, inh) * rate
    flat = (np.array(np.broadcast_to(part, layer.shape), dtype=float).ravel() for part in (rate, current))
    return _Piece(phase, *flat)


def _settled(layer: Any, piece: _Piece, pieces: list[_Piece]) -> Prediction:
    name, during = f"{layer.name}.x", (piece.phase.start, piece.phase.stop)
    if not np.all(piece.rate > 0):
        return Prediction(name, None, f"{piece.phase}: no equilibrium, nothing decays", _CONSTANT, _SOURCE, during)
    x = (piece.current / piece.rate).reshape(layer.shape)
    total = piece.phase.inputs[layer.name, "excitatory"].sum()
    words = (
        f"{piece.phase}: total input {total:.5g}, sum of x {x.sum():.8g}, approached at rate {piece.rate.min():.5g}\n"
        f"{pattern_in_words(x)}"
    )
    rates = piece.rate.reshape(layer.shape)
    return Prediction(
        name,
        x,
        words,
        _CONSTANT,
        _SOURCE,
        during,
        {"rate": rates},
        tolerance=1e-5 * _size(layer, pieces),
        _measure=partial(approached, name=name, during=during, rate=rates),
    )


def _size(layer: Any, pieces: list[_Piece]) -> float:
    """Return the largest activity to which the inputs of any time lead; what decays is 0 as nearly as a run shows."""
    ends = [np.abs(p.current[p.rate > 0.0] / p.rate[p.rate > 0.0]) for p in pieces]
    return max([1e-3, float(np.max(np.abs(layer.initial))), *(float(end.max(initial=0.0)) for end in ends)])


def _course(layer: Any, pieces: list[_Piece]) -> Prediction:
    """Say that the whole course is known: an exponential in each interval of constant inputs."""
    name = f"{layer.name}.x"
    ends = [np.array(np.broadcast_to(layer.initial, layer.shape), dtype=float).ravel()]
    for piece in pieces:
        ends.append(piece.after(ends[-1], piece.phase.stop - piece.phase.start))
    stop = pieces[-1].phase.stop
    return Prediction(
        f"distance of {name} from its course",
        0.0,
        f"x = e + (x' - e) exp(-r (t - t')) after each change t' of the inputs, up to t = {stop:g}; there it is at\n"
        f"{pattern_in_words(ends[-1].reshape(layer.shape))}",
        "inputs that change at known times only",
        _SOURCE,
        details={"ends": np.array(ends)},
        tolerance=_COURSE * max(_size(layer, pieces), float(np.abs(ends).max())),
        _measure=partial(_away, name=name, pieces=pieces, ends=ends),
    )


def _away(result: Any, name: str, pieces: list[_Piece], ends: list[np.ndarray]) -> float:
    """Return the largest distance of a run from a course, at the times that it saved."""
    times, values = saved(result, name, (0.0, pieces[-1].phase.stop))
    off = 0.0
    for piece, x in zip(pieces, ends, strict=False):
        inside = (times >= piece.phase.start) & (times <= piece.phase.stop)
        known = piece.after(x, times[inside] - piece.phase.start)
        off = max(off, float(np.abs(values[inside].reshape(known.shape) - known).max(initial=0.0)))
    return off
