"""brnn: a simulator for biologically inspired recurrent neural networks.

Networks of short-term memory (STM), medium-term memory (MTM, habituative gates) and long-term memory (LTM, adaptive
weights) after Grossberg, as data that is compiled, integrated, recorded and compared with theory:

    >>> import brnn
    >>> network = brnn.models.rcf.build(n=10)
    >>> result = brnn.simulate(network, duration=20)
    >>> result.final("rcf")

Names are loaded when they are first used, so that importing brnn is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from brnn._version import __version__

if TYPE_CHECKING:  # the same to type checkers and editors, which cannot see through `__getattr__`
    from brnn import analysis as analysis
    from brnn import claims as claims
    from brnn import models as models
    from brnn import plot as plot
    from brnn import signals as signals
    from brnn import spec as spec
    from brnn import theory as theory
    from brnn.claims import *
    from brnn.compiler import *
    from brnn.errors import *
    from brnn.files.open import open_file
    from brnn.files.run.save import recover as recover
    from brnn.files.sweep.merge import *
    from brnn.files.sweep.reader import *
    from brnn.integrate import *
    from brnn.reproduce import *
    from brnn.result.options import *
    from brnn.result.result import *
    from brnn.signals import *
    from brnn.spec.events.actions import *
    from brnn.spec.events.protocol import *
    from brnn.spec.events.triggers import *
    from brnn.spec.gates import *
    from brnn.spec.layers import *
    from brnn.spec.layers.binary import *
    from brnn.spec.layers.box import *
    from brnn.spec.layers.cohen_grossberg import *
    from brnn.spec.layers.gated import *
    from brnn.spec.layers.membrane import *
    from brnn.spec.layers.wilson_cowan import *
    from brnn.spec.learning import *
    from brnn.spec.network import *
    from brnn.spec.projection import *
    from brnn.spec.schedules import *
    from brnn.spec.stimulus import *
    from brnn.spec.topologies import *
    from brnn.spec.topologies.distance import *
    from brnn.spec.topologies.matrix import *
    from brnn.spec.topologies.uniform import *
    from brnn.sweeps.designs import *
    from brnn.sweeps.run import *

    open = open_file

_PLACES = {
    "brnn.claims": ["Comparison", "claim"],
    "brnn.compiler": ["System", "compile_network"],
    "brnn.errors": ["BrnnError", "FileError", "InputError", "IntegrationError", "SpecError"],
    "brnn.integrate": ["Equilibrium", "simulate", "steady_state"],
    "brnn.files.sweep.merge": ["merge_shards"],
    "brnn.files.sweep.reader": ["unstack"],
    "brnn.result.options": ["Record"],
    "brnn.result.result": ["Result"],
    "brnn.reproduce": ["rerun"],
    "brnn.signals": [
        "Expression",
        "Function",
        "Linear",
        "Logistic",
        "Power",
        "Saturating",
        "Sigmoid",
        "Signal",
        "Step",
        "ThresholdLinear",
    ],
    "brnn.spec.layers": ["Layer", "LayerLaw"],
    "brnn.spec.layers.binary": ["BinaryLayer"],
    "brnn.spec.layers.box": ["BoxLayer"],
    "brnn.spec.layers.cohen_grossberg": ["CohenGrossbergLayer"],
    "brnn.spec.layers.gated": ["GatedLayer"],
    "brnn.spec.layers.membrane": ["MembraneLayer"],
    "brnn.spec.layers.wilson_cowan": ["WilsonCowanLayer"],
    "brnn.spec.learning": ["DoublyGated", "Instar", "Learning", "Outstar", "PassiveDecay", "SelfNormalizing"],
    "brnn.spec.network": ["Network"],
    "brnn.spec.events.actions": [
        "Action",
        "NextPhase",
        "SampleWinner",
        "SetState",
        "StartStimulus",
        "StopRun",
        "SwitchStimulus",
    ],
    "brnn.spec.events.triggers": ["AtTimes", "Crossing", "Event", "PhaseBegins"],
    "brnn.spec.gates": ["Gate", "HabituativeGate"],
    "brnn.spec.projection": ["Projection"],
    "brnn.spec.events.protocol": ["Phase", "Protocol"],
    "brnn.spec.schedules": [
        "Constant",
        "InPhase",
        "Noise",
        "Pulse",
        "Pulses",
        "Ramp",
        "Samples",
        "Schedule",
        "Sequence",
        "Sine",
        "WhiteNoise",
    ],
    "brnn.spec.stimulus": ["Stimulus"],
    "brnn.spec.topologies": ["Topology"],
    "brnn.spec.topologies.distance": ["Chain", "DifferenceOfGaussians", "GaussianKernel", "Kernel", "Shift"],
    "brnn.spec.topologies.matrix": ["Dense", "Sparse"],
    "brnn.spec.topologies.uniform": ["AllButSelf", "AllToAll", "OneToOne"],
    "brnn.sweeps.designs": ["Design", "Grid", "LatinHypercube", "Random", "Saltelli", "Sobol", "Table"],
    "brnn.sweeps.run": ["sweep"],
}
_RENAMED = {"open": ("brnn.files.open", "open_file"), "recover": ("brnn.files.run.save", "recover")}
_WHERE = {name: (module, name) for module, names in _PLACES.items() for name in names} | _RENAMED
_MODULES = ("analysis", "claims", "models", "plot", "signals", "spec", "theory")

__all__ = ["__version__", *sorted(_WHERE), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        module, attribute = _WHERE[name]
        value = getattr(importlib.import_module(module), attribute)
    elif name in _MODULES:
        value = importlib.import_module(f"brnn.{name}")
    else:
        raise AttributeError(f"module 'brnn' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
