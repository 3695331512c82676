"""What compiled networks are compared with: equation (9) written with full matrices in NumPy, and their own text."""

from __future__ import annotations

import dataclasses
import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest

from brnn import Network
from brnn.compiler.system import RightHandSide, System


def reference_rhs(network: Network) -> Callable[[float, np.ndarray], np.ndarray]:
    """Return du/dt of a network of generalized layers, from matrices W and the stimuli's values at time t."""
    starts = np.cumsum([0] + [layer.cells for layer in network.layers])
    places = {layer.name: slice(starts[k], starts[k + 1]) for k, layer in enumerate(network.layers)}
    matrices = [
        p.topology.strengths(network.layer(p.source).shape, network.layer(p.target).shape) for p in network.projections
    ]

    coefficients = {
        layer.name: [np.broadcast_to(getattr(layer, k), layer.shape).ravel() for k in "ABCEF"]
        for layer in network.layers
    }

    def rhs(t: float, u: np.ndarray) -> np.ndarray:
        du = np.empty_like(u)
        for layer in network.layers:
            x = u[places[layer.name]]
            net = {"excitatory": np.zeros(layer.cells), "inhibitory": np.zeros(layer.cells)}
            for stimulus in network.stimuli:
                if stimulus.target == layer.name:
                    net[stimulus.kind] += stimulus.at(t, layer.shape).ravel()
            for projection, W in zip(network.projections, matrices, strict=True):
                if projection.target == layer.name:
                    net[projection.kind] += W @ projection.signal(u[places[projection.source]])
            A, B, C, E, F = coefficients[layer.name]
            du[places[layer.name]] = -A * x + (B - C * x) * net["excitatory"] - (E + F * x) * net["inhibitory"]
        return du

    return rhs


def in_python(system: System, t: float) -> RightHandSide:
    """Return the right-hand side that holds around `t`, whose generated text Python runs: nothing is compiled."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        path = Path(folder) / "generated.py"
        path.write_text(system.source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("generated", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return dataclasses.replace(system.rhs(t), function=module.rhs)
