"""Which pattern outstars learn: the weights when learning ends, exactly.

Source cells that are driven by inputs alone have known activities. Border cells and the weights from them obey

    dx_j/dt = -A x_j + sum_k p_k f_k(t) z_kj + theta_j I(t),      dz_kj/dt = M f_k(t) [x_j - z_kj]       (7), (11)

or dz_kj/dt = -u z_kj + M f_k(t) x_j: one linear system for all j, which differ only in where they begin and in
theta_j. So (x_j, z_1j, ..., z_Kj) is a matrix times its beginning, plus theta_j times a vector, whatever the number of
border cells. The matrix and the vector follow from K + 2 integrations of K + 1 equations.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from brnn.base.odes import solved
from brnn.base.words import pattern_in_words
from brnn.signals import Linear
from brnn.spec.layers.generalized import Layer
from brnn.spec.learning import Outstar, PassiveDecay
from brnn.spec.network import Network
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet
from brnn.theory.predictions.measuring import saved

__all__ = ["learned_patterns"]

_OUTSTARS = "outstars that learn one pattern (11), (35)"
_SOURCE = "Grossberg (1968), Proc. Natl. Acad. Sci. USA 59, 368-372; (1971), 68, 828-831; linear for each border cell"
_SOURCES = 12  # source cells at most
_PIECES = 400  # intervals between changes of inputs at most


def learned_patterns(network: Network) -> list[Prediction] | Unmet:
    """Give the weights of outstars when learning ends."""
    found = _parts(network)
    if isinstance(found, Unmet):
        return found
    source, border, link = found
    until = _ends(network, link)
    if isinstance(until, Unmet):
        return until
    theta = _pattern(network, border)
    if isinstance(theta, Unmet):
        return theta
    p = _even(link, source, border)
    if isinstance(p, Unmet):
        return p
    if source.cells > _SOURCES:
        return Unmet(_OUTSTARS, f"at most {_SOURCES} source cells")
    if network.breaks(until).size > _PIECES:
        return Unmet(_OUTSTARS, f"at most {_PIECES} intervals between changes of the inputs")
    weights = _integrated(network, source, border, link, p, theta, until)
    largest = float(np.max(np.abs(weights), initial=0.0))
    totals = weights.sum(axis=0)
    off = np.abs(weights / np.where(totals > 0.0, totals, 1.0) - theta[:, None]).max()
    words = f"totals {_short(totals)}; shares within {off:.3g} of the pattern that is taught\n{pattern_in_words(theta)}"
    return [
        Prediction(
            f"{link.name}.z when learning ends",
            weights,
            words,
            f"source cells driven by inputs alone, one pattern; learning ends at t = {until:g}",
            _SOURCE,
            details={"pattern": theta, "until": until},
            tolerance=1e-4 * max(largest, 1e-3),
            _measure=partial(_kept, name=f"{link.name}.z", until=until, end=network.duration),
        )
    ]


def _short(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:.5g}" for value in values[:6])
    return shown + (", ..." if values.size > 6 else "")


def _parts(network: Network) -> tuple[Any, Any, Any] | Unmet:
    taught = [p for p in network.projections if isinstance(p.learning, (Outstar, PassiveDecay))]
    if len(network.layers) != 2 or len(network.projections) != 1 or len(taught) != 1:
        return Unmet(_OUTSTARS, "source cells, border cells, and one projection that learns by (11) or forgets (39)")
    link: Any = taught[0]
    source, border = network.layer(link.source), network.layer(link.target)
    if source.name == border.name:
        return Unmet(_OUTSTARS, "source cells that are no border cells")
    for layer in (source, border):
        if type(layer) is not Layer or not layer.accepts_signed_input() or np.ptp(layer.A) or np.any(layer.B != 1.0):
            return Unmet(_OUTSTARS, "additive cells, all alike")
    if link.kind != "excitatory" or link.gate is not None or link.modulation is not None:
        return Unmet(_OUTSTARS, "excitatory connections without gates and modulation")
    sampled = link.learning.sampled or link.signal
    if sampled != Linear() or link.learning.layer_at("target", link.source, link.target) != border.name:
        return Unmet(_OUTSTARS, "weights that learn activities, h(w) = w")
    if any(event.actions for event in network.events) or any(s.schedule.white for s in network.stimuli):
        return Unmet(_OUTSTARS, "no noise, and events that only record")
    return source, border, link


def _ends(network: Network, link: Any) -> float | Unmet:
    """Return when learning ends: when its window does, or with the network's own duration."""
    end = network.duration
    schedule = link.learning.schedule
    if isinstance(link.learning, PassiveDecay) and link.learning.decay > 0.0:
        schedule = None  # weights go on falling
    if (
        schedule is not None
        and np.isfinite(schedule.last())
        and not np.any(schedule.segment(schedule.last() + 1.0, np.ones(())).base)
    ):
        return float(schedule.last()) if end is None else min(float(schedule.last()), end)
    return Unmet(_OUTSTARS, "an end of learning, or a duration") if end is None else float(end)


def _pattern(network: Network, border: Any) -> np.ndarray | Unmet:
    """Return the reflectances theta_j of the inputs of the border cells."""
    rows = [
        np.broadcast_to(s.pattern, border.shape).ravel()
        for s in network.stimuli
        if s.target == border.name and np.shape(s.pattern) in ((), border.shape)
    ]
    if not rows or len(rows) != sum(s.target == border.name for s in network.stimuli) or not rows[0].any():
        return Unmet(_OUTSTARS, "a pattern that is shown to the border cells")
    if any(s.kind != "excitatory" for s in network.stimuli):
        return Unmet(_OUTSTARS, "excitatory inputs only")
    theta = rows[0] / rows[0].sum()
    apart = max(float(np.max(np.abs(row / row.sum() - theta))) for row in rows if row.any())
    if apart > 1e-12:
        return Unmet(_OUTSTARS, f"one pattern (two differ by {apart:.3g} in the share of a cell)")
    return theta


def _even(link: Any, source: Any, border: Any) -> np.ndarray | Unmet:
    """Return the strength p_k of each source cell, the same to all border cells."""
    W = link.topology.strengths(source.shape, border.shape)
    apart = float(np.max(np.ptp(W, axis=0)))
    if apart > 0.0:
        return Unmet(
            _OUTSTARS, f"strengths p_k that are the same to all border cells (they differ by up to {apart:.3g})"
        )
    return np.array(W[0])


def _integrated(
    network: Network, source: Any, border: Any, link: Any, p: np.ndarray, theta: np.ndarray, until: float
) -> np.ndarray:
    """Return z_kj at the time `until`, shape (border cells, source cells)."""
    A, B = float(np.max(border.A)), float(np.max(source.A))
    law, K = link.learning, source.cells
    decay = float(law.decay) if isinstance(law, PassiveDecay) else None
    f, sampling = link.signal, law.sampling or link.signal
    one = np.ones(())
    lit = [s for s in network.stimuli if s.target == border.name]
    cues = [s for s in network.stimuli if s.target == source.name]
    totals = [float(np.sum(np.broadcast_to(s.pattern, border.shape))) for s in lit]

    def factor(schedule: Any, t: float) -> float:
        segment = schedule.segment(t, one)
        return float(segment.base + (schedule.factor(t, segment) * segment.varying if schedule.varying else 0.0))

    def driven(t: float) -> np.ndarray:
        return sum((s.at(t, source.shape).ravel() for s in cues), np.zeros(K))

    # The source cells are known first: their course, and that of their signals, which may come later.
    edges = np.unique(
        np.concatenate([[0.0], network.breaks(until), network.breaks(until) + link.delay, [link.delay, until]])
    )
    edges = edges[(edges >= 0.0) & (edges <= until)]
    m = K + 1  # (x_j, z_1j, ..., z_Kj) from each beginning, and from theta
    state = np.concatenate([np.eye(m).ravel(), np.zeros(m)])
    first = x = np.array(np.broadcast_to(source.initial, source.shape), dtype=float).ravel()
    courses: list[tuple[float, float, Any]] = []

    def of(t: float) -> np.ndarray:
        if t <= 0.0:
            return first
        for start, stop, course in courses:
            if start <= t <= stop:
                return np.asarray(course(t))
        return np.asarray(courses[-1][2](t))

    for start, stop in itertools.pairwise(edges):
        inside = 0.5 * (start + stop)
        found = solved(
            lambda t, u, at=inside, low=start, high=stop: driven(min(max(t, low), np.nextafter(high, at))) - B * u,
            (start, stop),
            x,
            method="DOP853",
            rtol=1e-11,
            atol=1e-13,
            dense_output=True,
        )
        courses.append((start, stop, found.sol))
        x = found.y[:, -1]

        def velocity(t: float, u: np.ndarray, low: float = start, high: float = stop, at: float = inside) -> np.ndarray:
            now = min(max(t, low), float(np.nextafter(high, at)))
            late = of(now - link.delay)
            sent = p * np.asarray(f(late), dtype=float)
            rate = law.rate * (1.0 if law.schedule is None else factor(law.schedule, now))
            gate = rate * np.asarray(sampling(late), dtype=float)
            light = sum(total * factor(s.schedule, now) for total, s in zip(totals, lit, strict=True))
            rows = u.reshape(m + 1, m)
            slopes = np.empty_like(rows)
            slopes[:, 0] = -A * rows[:, 0] + rows[:, 1:] @ sent
            slopes[:, 1:] = gate * rows[:, :1] - (gate if decay is None else decay) * rows[:, 1:]
            slopes[m, 0] += light
            return slopes.ravel()

        state = solved(velocity, (start, stop), state, rtol=1e-9, atol=1e-12).y[:, -1]
    rows = state.reshape(m + 1, m)
    start_x = np.array(np.broadcast_to(border.initial, border.shape), dtype=float).ravel()
    start_z = law.start(border.cells * K).reshape(border.cells, K)
    begin = np.concatenate([start_x[:, None], start_z], axis=1)
    return np.asarray((begin @ rows[:m] + theta[:, None] * rows[m])[:, 1:])


def _kept(result: Any, name: str, until: float, end: float | None) -> np.ndarray:
    """Return the weights when learning ends, or later, from when on they stay as they are."""
    times, values = saved(result, name, None)
    after = np.flatnonzero(times >= until * (1.0 - 1e-12))
    if not after.size:
        raise NotMeasured(f"{name}: the run ended before learning did, at t = {until:g}")
    k = int(after[0])
    if end is not None and until == end and times[k] > until * (1.0 + 1e-9):
        raise NotMeasured(f"{name}: t = {until:g} is no saved time")
    return np.asarray(values[k])
