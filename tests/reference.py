"""What compiled networks are compared with: equation (9) written with full matrices in NumPy, and their own text."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import math
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest

from brnn import Layer, Linear, Network, Projection, Topology
from brnn.compiler import compile_network, numba_internals
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import System


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


def applied(
    topology: Topology, shape: tuple[int, ...], s: np.ndarray, target: tuple[int, ...] | None = None
) -> np.ndarray:
    """Return W s as the compiled network computes it: the input of an additive layer without decay."""
    if target is None:
        network = Network(
            "topology",
            [Layer.additive("a", shape, A=0.0)],
            [Projection("a", "a", "excitatory", Linear(), topology)],
        )
        return compile_network(network).rhs(0.0)(0.0, s)
    network = Network(
        "topology",
        [Layer.additive("a", shape, A=0.0), Layer.additive("b", target, A=0.0)],
        [Projection("a", "b", "excitatory", Linear(), topology)],
    )
    u = np.concatenate([s, np.zeros(np.prod(target))])
    return compile_network(network).rhs(0.0)(0.0, u)[s.size :]


def _at(place: int, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Return the array that lies at an address."""
    kind = np.dtype(dtype)
    count = math.prod(shape)
    data = (ctypes.c_char * (count * kind.itemsize)).from_address(int(place))
    return np.frombuffer(data, kind, count).reshape(shape)


def _entry(table: int, place: int) -> int:
    return int(_at(table + 8 * place, (1,), np.int64)[0])


def array_in(table: int, place: int, sizes: tuple[int, ...], dtype: type) -> np.ndarray:
    """What brnn.compiler.numba_internals.array_in is in compiled code."""
    return _at(_entry(table, place), tuple(_entry(table, size) for size in sizes), dtype)


def block_in(place: int, table: int, bounds: int, k: int) -> np.ndarray:
    """What brnn.compiler.numba_internals.block_in is in compiled code."""
    first, last = _at(_entry(table, bounds), (k + 2,), np.int64)[k:]
    return _at(place + 8 * int(first), (int(last - first),), np.float64)


def numbers_in(table: int, place: int, count: int) -> tuple[float, ...]:
    """What brnn.compiler.numba_internals.numbers_in is in compiled code."""
    return tuple(_at(_entry(table, place), (count,), np.float64).tolist())


def compiled_once(**_: object) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """What takes the place of brnn.compiler.numba_internals.compiled_once where nothing is compiled."""
    return lambda function: function


class InPython(RightHandSide):
    """A right-hand side whose generated text Python runs, signals and topologies in it as well: nothing is compiled."""

    @functools.cached_property
    def function(self) -> Callable[[float, int, int, int], None]:
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(numba.config, "DISABLE_JIT", True)
            patch.setattr(numba, "cfunc", lambda *_, **__: lambda function: function)
            for function in (array_in, block_in, compiled_once, numbers_in):
                patch.setattr(numba_internals, function.__name__, function)
            path = Path(folder) / "generated.py"
            path.write_text(self.source, encoding="utf-8")
            return runpy.run_path(str(path))["rhs"]  # type: ignore[no-any-return]

    def into(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        for array, variable, delay in self.lags:
            assert self.history is not None
            array[:] = self.history(t - delay)[variable.start : variable.stop]
        u = np.ascontiguousarray(u, np.float64)
        with np.errstate(all="ignore"):
            self.function(t + self.shift, u.ctypes.data, du.ctypes.data, self.table.ctypes.data)


def in_python(system: System, t: float, history: Callable[[float], np.ndarray] | None = None) -> RightHandSide:
    """Return the right-hand side that holds around `t`, run by Python."""
    compiled = system.rhs(t, history)
    return InPython(**{field.name: getattr(compiled, field.name) for field in dataclasses.fields(compiled)})
