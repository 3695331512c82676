"""What the theorems of recurrent competitive fields (21) say of a network: `brnn.theory.rcf`, on a Network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words, value_in_words
from brnn.errors import BrnnError, InputError
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory import rcf
from brnn.theory.judged import judged
from brnn.theory.predictions.base import Prediction, Unmet, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest
from brnn.theory.quenching import certain_threshold

__all__ = ["NO_INPUTS", "CompetitiveField", "competitive_field", "equal_survivors", "quenching_size", "stored"]

NO_INPUTS = "no inputs"

_FIELD = "a recurrent competitive field (21)"
_REVIEW = "review, (21)-(25)"
_DERIVED = "derived in brnn.theory.survivors"
_SURVIVORS_AT_MOST = 6  # of the states of equal survivors that are looked at
_CELLS_AT_MOST = 1000  # for the size at which a pattern is quenched, which is found by integrating
_NEUTRAL = 1e-9  # eigenvalues up to which a state counts as neutral, not as unstable


@dataclass(frozen=True, eq=False)
class CompetitiveField:
    """A network of the form (21): each cell excites itself and inhibits all others, by one signal.

    Attributes
    ----------
    cells : int
        How many.
    A, B : float
        Decay rate and upper bound.
    signal : Signal
        f.
    v : float
        Factor of the recurrent inhibition; 1 in (21).
    initial : ndarray
        Activities at time 0, in the layer's shape.
    """

    cells: int
    A: float
    B: float
    signal: Any
    v: float
    initial: np.ndarray

    @classmethod
    def of(cls, network: Network) -> CompetitiveField | Unmet:
        """Return the field that a network is, or the condition that it does not meet."""
        hypothesis = unmet_by_inputs(network)
        if hypothesis is not None:
            return Unmet(_FIELD, hypothesis)
        layer: Any = network.layers[0]
        if len(network.layers) != 1 or not isinstance(layer, Layer):
            return Unmet(_FIELD, "one layer of cells that obey (9)")
        if not np.any(layer.A):
            return Unmet(_FIELD, "decay, A > 0 (without it the total of (21) only rises, to B)")
        if np.ndim(layer.A) or np.ndim(layer.B) or not layer.A > 0:
            return Unmet(_FIELD, "one decay rate A > 0 and one upper bound B for all cells")
        if not (layer.C == 1.0 and layer.F == 1.0 and layer.E == 0.0):
            return Unmet(_FIELD, "shunting cells between 0 and B (C = F = 1, E = 0)")
        kinds = {link.kind: link for link in network.projections}
        if len(network.projections) != 2 or len(kinds) != 2:
            return Unmet(_FIELD, "one excitatory and one inhibitory projection")
        center, others = kinds["excitatory"], kinds["inhibitory"]
        if center.signal != others.signal:
            return Unmet(_FIELD, "one signal for excitation and inhibition")
        if center.signal(0.0) != 0.0:  # silent cells do not stay silent
            return Unmet(_FIELD, f"a signal that is 0 at 0 (it is {center.signal(0.0):g})")
        if not (center.plain and others.plain):
            return Unmet(_FIELD, "projections without gates, learning and delays")
        on, off = center.topology, others.topology
        if not (isinstance(on, OneToOne) and isinstance(off, AllButSelf) and on.weight == 1.0):
            return Unmet(_FIELD, "cells that excite themselves with weight 1 and inhibit all others equally")
        initial = np.broadcast_to(np.asarray(layer.initial, dtype=np.float64), layer.shape)
        return cls(layer.cells, float(layer.A), float(layer.B), center.signal, float(off.weight), initial)

    def __str__(self) -> str:
        numbers = f"A = {self.A:g}, B = {self.B:g}, inhibition v = {self.v:g}"
        return f"recurrent competitive field (21): {self.cells} cells, {numbers}"


def competitive_field(network: Network) -> list[Prediction] | Unmet:
    """Say that a network is a field (21), what its signal is, how many cells it stores, and its totals by (25)."""
    field = CompetitiveField.of(network)
    if isinstance(field, Unmet):
        return field
    A, B, signal = field.A, field.B, field.signal
    shape = signal.shape(B)
    most = rcf.most_survivors(A, B, signal, field.cells, inhibition=field.v)
    levels = rcf.equilibria(A, B, signal)
    at_zero = B * float(signal.hill(0.0)) <= A
    named = [(f"{e.level:.8g}", e.stable) for e in levels]
    said = [f"{level} ({'stable' if stable else 'unstable'})" for level, stable in [("0", at_zero), *named]]
    return [
        Prediction("network", field, str(field), _FIELD, _REVIEW),
        Prediction("signal", shape, f"{value_in_words(signal)}: {shape} on 0 ... B", _FIELD, _REVIEW),
        Prediction("stored at most", most, f"{most} cells", "equal activities of the stored cells", _DERIVED),
        Prediction(
            "total of one cell",
            levels,
            f"{', '.join(said)}: h(x) = A/(B - x)  (25)",
            "late times, when one cell remains",
            _REVIEW,
            details={"0 is stable": at_zero},
        ),
    ]


def equal_survivors(network: Network) -> list[Prediction] | Unmet:
    """Give the levels that equal survivors hold beside silent cells, with their stability."""
    field = CompetitiveField.of(network)
    if isinstance(field, Unmet):
        return field
    most = rcf.most_survivors(field.A, field.B, field.signal, field.cells, inhibition=field.v)
    counts = range(2, min(most, _SURVIVORS_AT_MOST) + 1)
    return [prediction for count in counts for prediction in _survivors(field, count)]


def _survivors(field: CompetitiveField, count: int) -> Iterator[Prediction]:
    A, B, signal, v = field.A, field.B, field.signal, field.v
    for held in rcf.equilibria(A, B, signal, survivors=count, inhibition=v):
        if held.jump or not held.stable:
            continue
        modes = rcf.modes(held.level, A, B, signal, survivors=count, n=field.cells, inhibition=v)
        kind = "stable" if modes.stable else "neutral" if modes.largest <= _NEUTRAL else "unstable"
        yield Prediction(
            f"{count} equal survivors",
            held.level,
            f"{held.level:.8g} each ({kind}, largest eigenvalue {modes.largest:.3g})",
            f"{count} cells are equal, the others 0",
            _DERIVED,
            details={"survivors": count, "stability": kind, "modes": modes},
        )


def stored(network: Network) -> list[Prediction] | Unmet:
    """Give the final state of a field without inputs, where a theorem of 1973 (or `brnn.theory.storing`) settles it."""
    field = CompetitiveField.of(network)
    if isinstance(field, Unmet):
        return field
    theorem = "a competitive field whose stored state is known"
    if network.stimuli:
        return Unmet(theorem, NO_INPUTS)
    if field.v != 1.0:
        return Unmet(theorem, "recurrent inhibition v = 1, as in (21)")
    if not field.initial.any():
        return Unmet(theorem, "an initial state other than 0")
    storage = rcf.storage(field.A, field.B, field.signal, field.initial)
    result = [Prediction("theorem", storage.theorem, f"{storage.theorem} [{storage.source}]", _FIELD, storage.source)]
    name = f"{network.layers[0].name}.x"
    for state in storage.possible:
        words = f"{pattern_in_words(state)}, total {state.sum():.8g}"
        measure = (lambda result: at_rest(result, name)) if len(storage.possible) == 1 else None
        result.append(Prediction("stored", state, words, storage.theorem, storage.source, _measure=measure))
    if not storage.possible:
        words = "not determined by the initial state alone"
        result.append(Prediction("stored", None, words, storage.theorem, storage.source))
    return result


def quenching_size(network: Network) -> list[Prediction] | Unmet:
    """Give the size below which the initial pattern is quenched, found by bisection of independent integrations."""
    field = CompetitiveField.of(network)
    if isinstance(field, Unmet):
        return field
    name = "a competitive field whose quenching size is measured"
    if not field.initial.any():
        return Unmet(name, "an initial state other than 0")
    if field.cells > _CELLS_AT_MOST:
        return Unmet(name, f"at most {_CELLS_AT_MOST} cells")
    hypothesis, source = NO_INPUTS, "independent integration, brnn.theory.quenching"
    try:
        found = rcf.noise_threshold(field.initial, field.A, field.B, field.signal, inhibition=field.v)
    except BrnnError as error:
        return [Prediction("quenching", None, str(error), hypothesis, source)]
    certified = judged(found, field.initial, field.A, field.B, field.signal, inhibition=field.v)
    found = certified or found
    largest = found.value * float(field.initial.max())
    words = f"this pattern is quenched below {found} times its size (largest activity {largest:.6g})"
    details: dict[str, Any] = {"bracket": found, "largest activity": largest, "certified": certified is not None}
    decay = field.A - field.B * float(field.signal.hill(0.0))
    words += "; measured by independent integration"
    if certified is not None:
        words += (
            f"\nnothing is left of {found.lower:.12g} times its size, something is of {found.upper:.12g}: both were "
            "run, and judged with a margin for the errors of the runs"
        )
    else:
        words += (
            "\nthat error is not certified: the two ends could not be judged with a margin for the errors of the runs"
        )
    words += f"\nwhat is quenched decays at rate {decay:.5g}: it is 0 in the limit"
    with contextlib.suppress(InputError):
        certain = certain_threshold(field.initial, field.A, field.B, field.signal, inhibition=field.v)
        details["certain"] = certain
        words += f"\nfor certain between {certain.lower:.6g} and {certain.upper:.6g}, without integration"
    return [
        Prediction(
            "quenching",
            found.value,
            words,
            hypothesis,
            source,
            details=details,
        )
    ]
