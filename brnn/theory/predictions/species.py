"""Species that compete, dx_i/dt = x_i (r_i - sum_j c_ij x_j): the voting paradox, markets. `brnn.theory.competition`.

The network may have the abundances x_i themselves (a layer in the form (32) with a(x) = x and a linear b), or their
logarithms u_i, du_i/dt = r_i - sum_j c_ij exp(u_j) (an additive layer without decay whose signal is the exponential).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.signals import Linear, Signal
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory import competition
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest, saved

__all__ = ["competing_species"]

_SPECIES = "competing species, dx_i/dt = x_i (r_i - sum_j c_ij x_j)"
_SOURCE = "May and Leonard (1975); Grossberg (1978), J. Math. Anal. Appl. 66, 470-493; review, (26)-(28)"
_AT_MOST = 1000
_SAME = 1e-12
_JUMPS = 6  # after so many the ratio of dwell times is looked at
_SLOWLY = 0.05  # by how much the ratio may differ from its limit then
_PLACES = np.linspace(-2.0, 1.0, 61)


@dataclass(frozen=True, eq=False)
class Species:
    """The numbers of the equation, and whether the network has logarithms."""

    name: str
    rates: np.ndarray
    c: np.ndarray
    logarithmic: bool

    def abundances(self, values: np.ndarray) -> np.ndarray:
        """Return x of what a run has."""
        return np.exp(values) if self.logarithmic else values


def competing_species(network: Network) -> list[Prediction] | Unmet:
    """Give the point at which all coexist, its eigenvalues, and what the winners do."""
    species = _species(network)
    if isinstance(species, Unmet):
        return species
    found = [*_coexistence(species), *_bounded(species, network.layers[0])]
    n = species.rates.size
    if n == 3 and np.allclose(np.diag(species.c), 1.0, rtol=_SAME) and np.allclose(species.rates, 1.0, rtol=_SAME):
        found += _three(species)
    if not species.logarithmic and np.allclose(species.c, species.c.T, rtol=_SAME):
        found += _market(species)
    return found


def _species(network: Network) -> Species | Unmet:
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_SPECIES, reason)
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or type(layer) not in (Layer, CohenGrossbergLayer) or layer.cells > _AT_MOST:
        return Unmet(_SPECIES, f"one layer, of at most {_AT_MOST} species")
    logarithmic = type(layer) is Layer
    if logarithmic and (np.any(layer.A) or not layer.accepts_signed_input()):
        return Unmet(_SPECIES, "additive cells without decay (logarithms of abundances), or cells with a(x) = x")
    if not logarithmic and not _line(layer.a, 0.0, 1.0):
        return Unmet(_SPECIES, "the amplification a(x) = x")
    if not all(link.plain for link in network.projections):
        return Unmet(_SPECIES, "projections without gates, learning and delays")
    if network.breaks(network.duration or 1.0).size:
        return Unmet(_SPECIES, "constant inputs")
    c = np.zeros((layer.cells, layer.cells))
    for link in network.projections:
        if not (_exponential(link.signal) if logarithmic else isinstance(link.signal, Linear)):
            return Unmet(_SPECIES, f"{'exponential' if logarithmic else 'linear'} signals")
        gain = 1.0 if logarithmic else link.signal.gain  # type: ignore[attr-defined]
        sign = 1.0 if link.kind == "inhibitory" else -1.0
        c += sign * gain * link.topology.strengths(layer.shape, layer.shape)
    rates = np.zeros(layer.cells)
    for stimulus in network.stimuli:
        rates += (1.0 if stimulus.kind == "excitatory" else -1.0) * stimulus.at(0.0, layer.shape).ravel()
    if not logarithmic:
        constant = float(layer.b(0.0))
        slope = float(layer.b(1.0)) - constant
        if not _line(layer.b, constant, slope):
            return Unmet(_SPECIES, "a self-signal b(x) that is a straight line")
        rates, c = rates + constant, c - slope * np.eye(layer.cells)
    if not (c.any() and (c >= 0.0).all()):
        return Unmet(_SPECIES, "coefficients c_ij >= 0, not all of them 0")
    return Species(f"{layer.name}.x", rates, c, logarithmic)


def _line(signal: Signal, constant: float, slope: float) -> bool:
    places = np.linspace(0.0, 10.0, 61)  # abundances are not negative
    return bool(np.allclose(signal(places), constant + slope * places, rtol=1e-12, atol=1e-12))


def _exponential(signal: Signal) -> bool:
    """Tell whether a signal is exp(w) for abundances up to e; above it may be cut."""
    return bool(np.allclose(signal(_PLACES), np.exp(_PLACES), rtol=1e-12))


def _coexistence(species: Species) -> list[Prediction]:
    try:
        point = np.linalg.solve(species.c, species.rates)
    except np.linalg.LinAlgError:
        return [Prediction("coexistence", None, "c is singular: no single point", _SPECIES, _SOURCE)]
    if not (point > 0.0).all():
        words = f"none: c x = r has the solution {pattern_in_words(point)}, which is not positive"
        return [Prediction("coexistence", None, words, _SPECIES, _SOURCE)]
    values = np.linalg.eigvals(-point[:, None] * species.c)
    values = values[np.argsort(-values.real)]
    growth = float(values[0].real)
    size = float(np.max(np.abs(values)))
    kind = "stable" if growth < -1e-12 * size else "neutral" if growth <= 1e-12 * size else "unstable"
    words = f"all at {pattern_in_words(point)} ({kind}, largest real part of the eigenvalues {growth:.6g})"
    return [
        Prediction("coexistence", point, words, _SPECIES, _SOURCE, details={"eigenvalues": values, "stability": kind})
    ]


def _bounded(species: Species, layer: Any) -> list[Prediction]:
    """Say what no species exceeds: what it would reach alone, or where it begins."""
    own = np.diag(species.c)
    if not (own > 0.0).all():
        return []
    first = species.abundances(np.broadcast_to(layer.initial, layer.shape).ravel())
    top = np.maximum(first, np.maximum(species.rates, 0.0) / own)
    words = f"no species exceeds {pattern_in_words(top)}: what it would reach alone, or where it begins"
    return [
        Prediction(
            "bounds of abundances",
            (0.0, top),
            words,
            "c_ij >= 0, c_ii > 0, no negative abundance at first",
            _SOURCE,
            kind="within",
            tolerance=1e-5 * max(float(top.max()), 1e-3),
            _measure=lambda result: species.abundances(_rows(result, species.name)),
        )
    ]


def _rows(result: Any, name: str) -> np.ndarray:
    times, values = saved(result, name, None)
    return values.reshape(times.size, -1)


def _three(species: Species) -> list[Prediction]:
    """Say what three species of the voting paradox do."""
    c = species.c
    a, b = (np.array([c[i, (i + step) % 3] for i in range(3)]) for step in (1, -1))
    if not ((a < 1.0).all() and (a > 0.0).all() and (b > 1.0).all()):
        return []
    won, lost = float(np.prod(1.0 - a)), float(np.prod(b - 1.0))
    hypothesis, source = "three species, 0 < a_i < 1 < b_i", "Chi, Hsu and Wu (1998), SIAM J. Appl. Math. 58, 211-234"
    margin = f"prod(1 - a_i) = {won:.6g}, prod(b_i - 1) = {lost:.6g}"
    if np.isclose(won, lost, rtol=_SAME):
        return [Prediction("winners", "neutral orbits", f"neutral periodic orbits: {margin}", hypothesis, source)]
    if won > lost:
        point = np.linalg.solve(c, species.rates)
        return [
            Prediction(
                "abundances",
                point,
                f"all species coexist, from every positive start: {margin}",
                hypothesis,
                source,
                _measure=lambda result: species.abundances(at_rest(result, species.name)),
            )
        ]
    factor = competition.cycle_factor(a, b)
    return [
        Prediction(
            "dwell time of a winner in a cycle of three, divided by the one before",
            factor,
            f"the winner changes for ever, i -> i - 1 -> i - 2 ...; each cycle takes {factor:.6g} times as long, in "
            f"the limit: {margin}",
            hypothesis,
            source,
            tolerance=_SLOWLY * factor,
            _measure=lambda result: _last_factor(species, result),
        )
    ]


def _last_factor(species: Species, result: Any) -> float:
    times = saved(result, species.name, None)[0]
    x = species.abundances(_rows(result, species.name))
    if not (x > 0.0).all():
        raise NotMeasured("dwell times: an abundance has become 0; logarithms keep it")
    found = competition.jumps(times, competition.growth_rates(x, species.c, species.rates))
    if found.dwell.size < _JUMPS + 3:
        raise NotMeasured(f"dwell times: the run has {len(found.jumps) - 1} changes of the winner, too few")
    if found.dwell[-4:].min() < 20.0 * float(np.max(np.diff(times))):
        raise NotMeasured("dwell times: the saved times are too far apart")
    return float(found.dwell[-1] / found.dwell[-4])


def _market(species: Species) -> list[Prediction]:
    """Give the only state that nothing can enter and nobody leaves, if c is positive definite."""
    least = float(np.linalg.eigvalsh(species.c)[0])
    if least <= 0.0:
        return []
    alive = np.ones(species.rates.size, dtype=bool)
    x = np.zeros(species.rates.size)
    for _ in range(4 * alive.size):  # the active set of a convex problem: one at a time leaves or enters
        x = np.zeros(alive.size)
        if alive.any():
            x[alive] = np.linalg.solve(species.c[np.ix_(alive, alive)], species.rates[alive])
        growth = species.rates - species.c @ x
        if (x < 0.0).any():
            alive[int(np.argmin(x))] = False
        elif (growth[~alive] > 1e-12 * np.max(np.abs(species.rates))).any():
            alive[np.flatnonzero(~alive)[int(np.argmax(growth[~alive]))]] = True
        else:
            break
    else:
        return []
    words = f"{int(alive.sum())} of {alive.size} stay, from every positive start: {pattern_in_words(x)}"
    return [
        Prediction(
            "abundances",
            x,
            words,
            f"c symmetric and positive definite (least eigenvalue {least:.4g}); all x_i > 0 at first",
            _SOURCE,
            tolerance=1e-4 * max(float(x.max()), 1e-3),
            _measure=lambda result: at_rest(result, species.name, moved=1e-5).ravel(),
        )
    ]
