"""Every equilibrium of a few cells, whatever they obey, and whether one of them can hold the network.

At an equilibrium each cell (9) is at ``(B exc - E inh)/(A + C exc + F inh)``, each cell of Wilson and Cowan at
``k S/(1 + r S)``, and each gate (10) at ``H K/(H + L f)``. Signals that rise lie, over a box of activities, between
their values at its corners, and so does what they lead to: a box that does not meet it holds no equilibrium. Boxes
that are left are halved, down to 1e-5 of the whole; Newton's method finds what is in them. So none is overlooked but
one nearer to another than that. Where no equilibrium is stable, no run comes to rest; two cells without gates then
go around for ever (Poincare and Bendixson).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.signals import Linear, Logistic, Power, Saturating, Sigmoid, ThresholdLinear
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.wilson_cowan import WilsonCowanLayer
from brnn.spec.network import Network
from brnn.theory.habituation import gate_level
from brnn.theory.predictions.base import InputPhase, NotMeasured, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.bounds import variable_ranges
from brnn.theory.predictions.measuring import at_rest

__all__ = ["equilibria_of_few_cells"]

_FEW = "all equilibria of a few cells"
_SOURCE = "interval arithmetic, derived in brnn.theory.predictions.few_cells; Poincare and Bendixson"
_CELLS = 3
_BOXES = 200_000
_NARROW = 1e-5
_SAME = 1e-6
_RISING = (Linear, Logistic, Power, Saturating, Sigmoid, ThresholdLinear)


def equilibria_of_few_cells(network: Network) -> list[Prediction] | Unmet:
    """Give every equilibrium of at most three cells with the last inputs, its eigenvalues, and what follows."""
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_FEW, reason)
    cells = sum(layer.cells for layer in network.layers)
    if cells > _CELLS:
        return Unmet(_FEW, f"at most {_CELLS} cells (it has {cells})")
    reason = _unmet(network)
    if reason is not None:
        return Unmet(_FEW, reason)
    ranges = variable_ranges(network)
    low, high = (
        np.concatenate([getattr(ranges[f"{x.name}.x"], side) for x in network.layers]) for side in ("low", "high")
    )
    if not np.isfinite([low, high]).all():
        return Unmet(_FEW, "activities with known bounds")
    phase = list(constant_phases(network))[-1]
    cell = _Cells(network, phase)
    boxes = _boxes(cell, low, high)
    if boxes is None:
        return Unmet(_FEW, f"equilibria that {_BOXES} boxes tell apart")
    states = _roots(cell, boxes, low, high)
    if states is None:
        return Unmet(_FEW, "equilibria that Newton's method finds in every box that is left")
    return _told(network, cell, states, phase)


def _unmet(network: Network) -> str | None:
    for layer in network.layers:
        if type(layer) is not Layer and type(layer) is not WilsonCowanLayer:
            return f"cells that obey (9) or the equations of Wilson and Cowan ({layer.label} does not)"
    if not network.projections:
        return "projections"
    for link in network.projections:
        if link.learning is not None or link.modulation is not None:
            return f"projections without learning and modulation ({link.label})"
        if link.gate is not None and not (type(link.gate) is HabituativeGate and link.gate.per == "source"):
            return f"habituative gates, one for each source cell ({link.label})"
        if type(link.signal) not in _RISING or link.signal.gain < 0.0:  # type: ignore[attr-defined]
            return f"signals of the literature, which rise all the way ({link.label})"
        if link.gate is not None and not link.signal.nonnegative:
            return f"signals that are not negative through gates ({link.label})"
    return None


class _Cells:
    """What a network of a few cells does with constant inputs: its rates, and where its cells would settle."""

    def __init__(self, network: Network, phase: InputPhase) -> None:
        self.network = network
        starts = np.cumsum([0, *(layer.cells for layer in network.layers)])
        self.place = {x.name: slice(*starts[k : k + 2]) for k, x in enumerate(network.layers)}
        self.size = int(starts[-1])
        self.inputs = {key: value.ravel() for key, value in phase.inputs.items()}
        self.links = [
            (link, link.topology.strengths(network.layer(link.source).shape, network.layer(link.target).shape))
            for link in network.projections
        ]
        self.gates = [link for link, _ in self.links if link.gate is not None]

    def sent(self, link: Any, x: np.ndarray) -> np.ndarray:
        """Return the signals of source cells through a gate at rest, shape (..., cells)."""
        f = np.asarray(link.signal(x[..., self.place[link.source]]), dtype=float)
        return f if link.gate is None else f * gate_level(f, link.gate.H, link.gate.K, link.gate.L)

    def range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where cells settle while all stay in boxes, shape (boxes, cells)."""
        lows, highs = np.empty_like(low), np.empty_like(high)
        for layer in self.network.layers:
            arriving = {}
            for kind in ("excitatory", "inhibitory"):
                below = above = np.broadcast_to(self.inputs[layer.name, kind], (len(low), layer.cells))
                for link, W in self.links:
                    if (link.target, link.kind) == (layer.name, kind):
                        a, b = self.sent(link, low), self.sent(link, high)
                        up, down = np.maximum(W, 0.0).T, np.minimum(W, 0.0).T
                        below, above = below + a @ up + b @ down, above + b @ up + a @ down
                arriving[kind] = below, above
            exc, inh = arriving["excitatory"], arriving["inhibitory"]
            ends = np.stack([self._settles(layer, e, i) for e in exc for i in inh])
            lows[:, self.place[layer.name]], highs[:, self.place[layer.name]] = ends.min(axis=0), ends.max(axis=0)
        return lows, highs

    @staticmethod
    def _settles(layer: Any, exc: np.ndarray, inh: np.ndarray) -> np.ndarray:
        if isinstance(layer, WilsonCowanLayer):  # numbers, or one for each cell
            S = _logistic(layer.a * (exc - inh - layer.theta)) - _logistic(-layer.a * layer.theta)
            return np.asarray(layer.k * S / (1.0 + layer.r * S))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((layer.B * exc - layer.E * inh) / (layer.A + layer.C * exc + layer.F * inh))

    def rates(self, u: np.ndarray) -> np.ndarray:
        """Return dx/dt of the cells, then dy/dt of the gates."""
        x, rest = u[: self.size], u[self.size :]
        level, slopes = {}, []
        for link in self.gates:
            size = self.network.layer(link.source).cells
            level[link.name], rest = rest[:size], rest[size:]
            f = np.asarray(link.signal(x[self.place[link.source]]), dtype=float)
            gate: Any = link.gate
            slopes.append(type(gate).law(level[link.name], f, *gate.arguments))
        parts = []
        for layer in self.network.layers:
            total = {kind: self.inputs[layer.name, kind].copy() for kind in layer.kinds}
            for link, W in self.links:
                if link.target == layer.name:
                    f = np.asarray(link.signal(x[self.place[link.source]]), dtype=float)
                    total[link.kind] += W @ (f * level.get(link.name, 1.0))
            constants = [np.broadcast_to(getattr(layer, name), layer.shape).ravel() for name in layer.parameters]
            law = type(layer).law(x[self.place[layer.name]], *(total[kind] for kind in layer.kinds), *constants)
            parts.append(np.broadcast_to(law, layer.cells))
        return np.concatenate([*parts, *slopes])

    def whole(self, x: np.ndarray) -> np.ndarray:
        """Return cells, and gates at rest with them."""
        levels = [
            gate_level(np.asarray(link.signal(x[self.place[link.source]])), link.gate.H, link.gate.K, link.gate.L)
            for link in self.gates
            if isinstance(link.gate, HabituativeGate)
        ]
        return np.concatenate([x, *levels])

    def jacobian(self, u: np.ndarray) -> np.ndarray:
        """Return the derivatives of `rates`, by central differences."""
        steps = 1e-6 * np.maximum(1e-2, np.abs(u))
        return np.stack(
            [(self.rates(u + h) - self.rates(u - h)) / (2.0 * h.max()) for h in np.diag(steps)], axis=1
        )  # fmt: skip


def _logistic(w: Any) -> np.ndarray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * w)))


def _boxes(cell: _Cells, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Return the middles of the boxes that may hold an equilibrium; None if there are too many."""
    width = np.maximum(high - low, 1e-12)
    lows, highs = low[None] - 1e-9 * width, high[None] + 1e-9 * width
    done: list[np.ndarray] = []
    used = 0
    while len(lows):
        used += len(lows)
        if used > _BOXES:
            return None
        a, b = cell.range(lows, highs)
        slack = 1e-12 * (1.0 + np.abs(a) + np.abs(b))  # of rounding
        a, b = np.where(np.isnan(a), lows, a - slack), np.where(np.isnan(b), highs, b + slack)
        lows, highs = np.maximum(lows, a), np.minimum(highs, b)
        alive = (lows <= highs).all(axis=1)
        lows, highs = lows[alive], highs[alive]
        wide = (highs - lows) / width
        narrow = wide.max(axis=1, initial=0.0) < _NARROW
        done += list(0.5 * (lows + highs)[narrow])
        lows, highs, wide = lows[~narrow], highs[~narrow], wide[~narrow]
        rows, longest = np.arange(len(lows)), wide.argmax(axis=1)
        middle = 0.5 * (lows + highs)[rows, longest]
        first, second = highs.copy(), lows.copy()
        first[rows, longest] = second[rows, longest] = middle
        lows, highs = np.concatenate([lows, second]), np.concatenate([first, highs])
    return np.array(done).reshape(-1, cell.size)


def _roots(cell: _Cells, boxes: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Return the equilibria of cells and gates, one for each group of boxes; None if one has none."""
    width = float(np.max(high - low))
    found: list[np.ndarray] = []
    for x in boxes:
        if any(np.max(np.abs(root[: cell.size] - x)) < 30.0 * _NARROW * width for root in found):
            continue
        u = cell.whole(x)
        for _ in range(30):
            try:
                step = np.linalg.solve(cell.jacobian(u), cell.rates(u))
            except np.linalg.LinAlgError:
                return None
            u = u - step
            if not np.isfinite(u).all():
                return None
            if np.max(np.abs(step)) < 1e-13 * (1.0 + np.max(np.abs(u))):
                break
        # Beside the box of an equilibrium others may be left that touch none.
        if np.max(np.abs(u[: cell.size] - x)) > 1e3 * _NARROW * width or np.max(np.abs(step)) > 1e-8 * width:
            return None
        if not any(np.max(np.abs(root - u)) < _SAME * width for root in found):
            found.append(u)
    return np.array(found) if found else None


def _told(network: Network, cell: _Cells, states: np.ndarray, phase: InputPhase) -> list[Prediction]:
    eigenvalues = [np.linalg.eigvals(cell.jacobian(u)) for u in states]
    growth = np.array([float(np.max(values.real)) for values in eigenvalues])
    lines = []
    for u, values, rate in zip(states, eigenvalues, growth, strict=True):
        fastest = values[np.argmax(values.real)]
        turning = f", turns in {2.0 * np.pi / abs(fastest.imag):.6g}" if abs(fastest.imag) > 1e-9 else ""
        kind = "stable" if rate < 0.0 else "unstable"
        lines.append(f"{pattern_in_words(u[: cell.size])}: {kind}, rate {rate:.6g}{turning}")
    planar = cell.size == 2 and not cell.gates
    many = f"{len(states)}, and no others" if len(states) > 1 else "1, and no other"
    stable = states[growth < 0.0]
    ends = "it may come to rest" if len(stable) else "none is stable: no run comes to rest"
    if planar and not len(stable) and len(states) == 1:
        ends += "; every run that does not begin there goes around it for ever"
    hypothesis = (
        f"{cell.size} cells with bounds, signals that rise, inputs that stay as they are from t = {phase.start:g} on"
    )
    during = (phase.start, phase.stop)
    details = {"states": states, "eigenvalues": eigenvalues}
    given: Any = partial(Prediction, hypothesis=hypothesis, source=_SOURCE, during=during, details=details)
    sizes = {layer.name: cell.place[layer.name] for layer in network.layers}
    # Runs that begin on the stable set of an unstable equilibrium, such as equal cells, come to rest there.
    saddle = [rate >= 0.0 and bool((v.real < 0.0).any()) for rate, v in zip(growth, eigenvalues, strict=True)]
    held = states[np.array(saddle), : cell.size]
    words = "\n".join([f"{many}; {ends}", *lines])
    if len(stable):
        scale = max(1e-3, float(np.abs(stable).max()))
        measure = partial(_distance, places=sizes, states=stable[:, : cell.size], held=held, during=during)
        return [given("distance to a stable equilibrium", 0.0, words, tolerance=1e-4 * scale, _measure=measure)]
    slow = growth.min() * (phase.stop - phase.start) < 1.0  # to be seen in a run of this length
    seen = None if slow else partial(_resting, places=sizes, held=held, during=during)
    return [given("stable equilibria", 0, words, kind="count", _measure=seen)]


def _rest(result: Any, places: dict[str, slice], held: np.ndarray, during: tuple[float, float]) -> np.ndarray:
    """Return where the cells are at rest."""
    x = np.concatenate([at_rest(result, f"{name}.x", during).ravel() for name in places])
    if held.size and np.min(np.max(np.abs(held - x), axis=1)) < 1e-3 * max(1e-3, float(np.abs(held).max())):
        raise _Held("the run came to rest at an unstable equilibrium, on whose stable set it began")
    return x


class _Held(NotMeasured):
    """A run that stays at an unstable equilibrium."""


def _distance(
    result: Any, places: dict[str, slice], states: np.ndarray, held: np.ndarray, during: tuple[float, float]
) -> float:
    return float(np.min(np.max(np.abs(states - _rest(result, places, held, during)), axis=1)))


def _resting(result: Any, places: dict[str, slice], held: np.ndarray, during: tuple[float, float]) -> int:
    """Return 1 if a run is at rest at its end, else 0."""
    try:
        _rest(result, places, held, during)
    except _Held:
        raise
    except NotMeasured:
        return 0
    return 1
