"""The layers of lisTELOS and what they send to each other: eye fields, basal ganglia and colliculus, in ms.

Its equations stand in `brnn.models.listelos`; here each of their terms is a projection. Sites are counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brnn.signals import Expression, Linear, Power, Sigmoid, Signal, Step, ThresholdLinear
from brnn.spec.gates import Gate, QuadraticGate
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.modulated import ModulatedLayer
from brnn.spec.modulation import Modulation
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.index_shift import IndexShift
from brnn.spec.topologies.matrix import Sparse
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne

__all__ = ["CENTRE", "INWARD", "OUTWARD", "PER_MS", "SITES", "EyeFields", "eye_fields"]

SITES = 81
CENTRE = 40  # the site of the fovea
PER_MS = 0.01  # the article's unit of time is 100 ms

OUTWARD = ("parietal_to_memory", "attention", "suppression")  # from maps of the eye to the field
INWARD = ("retina", "plan", "rivals")  # from the field to maps of the eye

_CUT = "where(w**2 >= 0.1, w**2, 0)"  # f1
_OPEN = "where(w < 0.3, 1, 0)"  # a nigral cell lets go


@dataclass(frozen=True)
class EyeFields:
    """The parts of the network."""

    layers: tuple[LayerLaw, ...]
    projections: tuple[Projection, ...]
    stimuli: tuple[Stimulus, ...]


class _Parts:
    """Collects layers, projections and tonic inputs, whose rates are given per unit of the article."""

    def __init__(self) -> None:
        self.layers: list[LayerLaw] = []
        self.projections: list[Projection] = []
        self.stimuli: list[Stimulus] = []

    def layer(self, name: str, shape: int | tuple[int, ...], A: float, E: float = 0.0, initial: float = 0.0) -> None:
        """Add a layer of shunting cells between -E and 1."""
        self.layers.append(Layer.shunting(name, shape, A=A * PER_MS, B=1.0, D=E, initial=initial))

    def tonic(self, name: str, excitation: float, inhibition: float) -> None:
        for kind, strength in (("excitatory", excitation), ("inhibitory", inhibition)):
            if strength:
                self.stimuli.append(Stimulus(name, kind, strength * PER_MS))  # type: ignore[arg-type]

    def excite(self, source: str, target: str, signal: Signal, topology: Topology | float, **more: object) -> None:
        self._link(source, target, "excitatory", signal, topology, **more)

    def inhibit(self, source: str, target: str, signal: Signal, topology: Topology | float, **more: object) -> None:
        self._link(source, target, "inhibitory", signal, topology, **more)

    def _link(
        self, source: str, target: str, kind: str, signal: Signal, topology: Topology | float, **more: object
    ) -> None:
        if not isinstance(topology, Topology):
            topology = OneToOne(topology * PER_MS)
        self.projections.append(Projection(source, target, kind, signal, topology, **more))  # type: ignore[arg-type]


def _hill(half: float, exponent: float) -> Sigmoid:
    return Sigmoid(gain=1.0, half=half, exponent=exponent)


def _row(weight: float, site: int, rows: Sequence[int], targets: int) -> Sparse:
    """Return the strengths of one site onto some targets."""
    from scipy.sparse import csr_array

    values = np.full(len(rows), weight * PER_MS)
    return Sparse(csr_array((values, (list(rows), [site] * len(rows))), shape=(targets, SITES)))


def eye_fields(ranks: int, memory: bool, gaze: int, noisy: bool) -> EyeFields:
    """Return the network without cues, stimulation and events.

    Parameters
    ----------
    ranks : int
        How many items the working memory has places for.
    memory : bool
        Whether the task uses it (mu).
    gaze : int
        Where the eye looks at time 0.
    noisy : bool
        Whether noise multiplies what memory cells send to themselves.
    """
    parts = _Parts()
    outward, inward = gaze - CENTRE, CENTRE - gaze
    maps = (ranks, SITES)
    row = np.zeros(SITES)
    row[gaze] = 1.0
    # What events set: what is shown, where the eye looks, which rank the next item gets.
    for name, shape, initial in (("cues", SITES, 0.0), ("gaze", SITES, row), ("rank", maps, 0.0)):
        parts.layers.append(Layer.additive(name, shape, A=0.0, initial=initial))
    _parietal(parts, inward)
    _memory(parts, maps, memory, outward, noisy)
    _supplementary(parts, maps, outward)
    _frontal(parts, inward)
    _basal_ganglia(parts)
    parts.layer("colliculus", SITES, 10.0)
    parts.excite("PL", "colliculus", _hill(0.5, 4.0), 50.0)
    parts.excite("FO", "colliculus", _hill(0.5, 4.0), 40.0)
    parts.inhibit("GN", "colliculus", ThresholdLinear(threshold=0.3), 800.0)
    return EyeFields(tuple(parts.layers), tuple(parts.projections), tuple(parts.stimuli))


def _parietal(parts: _Parts, inward: int) -> None:
    for name, A in (("PX", 10.0), ("PI", 10.0), ("PY", 2.0), ("PL", 20.0)):
        parts.layer(name, SITES, A)
    parts.excite("cues", "PX", Linear(), IndexShift(inward, 10.0 * PER_MS), name="retina")
    parts.excite("PX", "PI", Expression(_CUT), 10.0)
    parts.excite("PX", "PY", Expression(_CUT), 200.0)
    parts.inhibit("PI", "PY", Power(exponent=2.0), 3000.0)
    parts.excite("PY", "PL", _hill(0.2, 2.0), 40.0)
    parts.excite("PL", "PL", _hill(0.4, 3.0), 10.0)
    parts.excite("FO", "PL", Linear(), 20.0)
    parts.inhibit("PL", "PL", Power(exponent=4.0), AllButSelf(1000.0 * PER_MS))
    parts.inhibit("FO", "PL", Linear(), AllButSelf(3.0 * PER_MS))


def _memory(parts: _Parts, maps: tuple[int, int], memory: bool, outward: int, noisy: bool) -> None:
    parts.layer("M", maps, 0.1)
    parts.layer("MQ", maps, 0.1)
    noise = None
    if noisy:
        parts.layers.append(Layer.additive("noise", maps, A=1.0))
        noise = Modulation("noise", base=1.0)
    parts.excite("M", "M", Expression("where(w >= 0.05, w, 0)"), 0.7, modulation=noise)
    entry = IndexShift(outward, 2.0 * PER_MS * memory, without=[CENTRE])
    held = Expression("where(w >= 0.4, w, 0)")
    parts.excite("PY", "M", held, entry, modulation=Modulation("rank"), name="parietal_to_memory")
    parts.inhibit("MQ", "M", Linear(), AllButSelf(0.4 * PER_MS))
    parts.inhibit("SY", "M", ThresholdLinear(threshold=0.5), 1000.0)
    parts.excite("M", "MQ", Linear(), 0.2)


def _supplementary(parts: _Parts, maps: tuple[int, int], outward: int) -> None:
    from scipy.sparse import csr_array, eye_array, hstack

    for name, A in (("SX", 2.0), ("SI", 20.0), ("SY", 20.0)):
        parts.layer(name, maps, A)
    square = Power(exponent=2.0)
    parts.excite("M", "SX", Expression("where(w >= 0.05, w, 0)"), 0.9, modulation=Modulation("R", at="total"))
    parts.excite("SY", "SX", square, 10.0, gate=_gate(0.01, 25.0), name="ZA")
    parts.inhibit("SI", "SX", _hill(0.2, 2.0), 1.0)
    parts.excite("SX", "SI", _hill(0.5, 4.0), AllButSelf(20.0 * PER_MS))
    parts.excite("SX", "SY", square, 250.0, gate=_gate(0.1, 20.0), name="ZD")
    parts.inhibit("SI", "SY", _hill(0.2, 2.0), 150.0)
    parts.layers.append(ModulatedLayer("SO", (SITES,), A=10.0 * PER_MS, B=1.0))
    over_ranks = csr_array(hstack([eye_array(SITES)] * maps[0]))
    parts.excite("SY", "SO", Step(threshold=0.5), Sparse(over_ranks * (100.0 * PER_MS)))
    attention = _hill(0.4, 3.0)
    parts.projections.append(
        Projection("FP", "SO", "modulatory", attention, IndexShift(outward, 1.5), name="attention")
    )
    parts.inhibit("FP", "SO", attention, IndexShift(outward, 6.0 * PER_MS, others=True), name="suppression")


def _gate(H: float, Q: float) -> Gate:
    return QuadraticGate(H=H * PER_MS, K=1.0, L=PER_MS, Q=Q * PER_MS)


def _frontal(parts: _Parts, inward: int) -> None:
    for name, A in (("FP", 20.0), ("FI", 1.0), ("FO", 10.0), ("FX", 2.0)):
        parts.layer(name, SITES, A)
    plan = ThresholdLinear(threshold=0.2)
    parts.excite("PL", "FP", Linear(), 10.0)
    parts.excite("SO", "FP", plan, IndexShift(inward, 200.0 * PER_MS), name="plan")
    parts.inhibit("FI", "FP", Linear(), 20.0)
    parts.inhibit("FX", "FP", Linear(), 50.0)
    parts.inhibit("SO", "FP", plan, IndexShift(inward, 10.0 * PER_MS, others=True), name="rivals")
    parts.excite("FP", "FI", _hill(0.2, 2.0), AllButSelf(10.0 * PER_MS))
    parts.excite("PL", "FI", Linear(), AllButSelf(8.0 * PER_MS))
    parts.excite("FP", "FO", Linear(), 30.0, modulation=Modulation("T"))
    parts.inhibit("FX", "FO", Linear(), 60.0)
    parts.excite("colliculus", "FX", Step(threshold=0.3), 100.0)


def _basal_ganglia(parts: _Parts) -> None:
    """Add the three loops: each has direct and indirect cells, a pallidum and a nigra, which lets go of its target."""
    rest = ThresholdLinear(threshold=0.0)
    fixation = ThresholdLinear(threshold=0.25)  # q
    for loop, cells in (("M", 1), ("B", SITES), ("G", SITES)):
        direct, indirect, pallidum, nigra = (f"{loop}{kind}" for kind in "DIGN")
        parts.layer(direct, cells, 0.0, 0.58, -0.58)
        parts.layer(indirect, cells, 0.0, 0.58, -0.58)
        parts.layer(pallidum, cells, 0.0, 1.0, 3.0 / 7.0)
        parts.layer(nigra, cells, 0.0, 1.0, 0.4894)
        parts.tonic(direct, 50.0 if loop == "M" else 0.0, 1.0)
        parts.tonic(indirect, 0.0, 1.0)
        parts.tonic(pallidum, 0.5, 0.2)
        parts.tonic(nigra, 100.0, 0.0)
        parts.inhibit(indirect, pallidum, rest, 0.8)
        parts.inhibit(direct, nigra, rest, 54.0)
        parts.inhibit(pallidum, nigra, rest, 80.0)
    parts.layer("R", 1, 2.0, initial=1.0)
    parts.excite("MN", "R", Expression(_OPEN), 400.0)
    parts.excite("PL", "MI", fixation, _row(400.0, CENTRE, [0], 1))
    parts.layer("T", SITES, 1.5)
    parts.excite("BN", "T", Expression(_OPEN), 150.0)
    parts.excite("PL", "BD", Linear(), 3.0)
    parts.excite("FP", "BD", Linear(), 20.0)
    parts.inhibit("FP", "BD", Linear(), AllToAll(9.0 * PER_MS))
    output = _hill(0.4, 10.0)
    parts.excite("PL", "GD", fixation, 50.0)
    parts.excite("FO", "GD", output, 100.0)
    parts.inhibit("PL", "GD", fixation, AllToAll(20.0 * PER_MS))
    parts.inhibit("FO", "GD", output, AllToAll(20.0 * PER_MS))
    others = [site for site in range(SITES) if site != CENTRE]
    parts.excite("PL", "GI", fixation, _row(5.0, CENTRE, others, SITES))
