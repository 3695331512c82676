"""Descent along the Liapunov function of Cohen and Grossberg, from many starts in four kinds of networks.

Every network of the form dx_i/dt = a_i(x_i) [b_i(x_i) - sum_j c_ij d_j(x_j)] with symmetric c, a >= 0 and d' >= 0 has

    V = -sum_i int_0^{x_i} b_i(s) d_i'(s) ds + (1/2) sum_{jk} c_jk d_j(x_j) d_k(x_k)                         (33)

    dV/dt = -sum_i a_i d_i' [b_i - sum_j c_ij d_j]^2 <= 0                                                    (34)

along every trajectory: a landscape in which every path leads down and ends at an equilibrium. Here are the additive
network of Hopfield (two cells, four attractors), a recurrent competitive field with inputs, the competing species of
Lotka and Volterra, and a bidirectional associative memory whose weights learn meanwhile (V then has terms of the
weights, too). `brnn.theory.liapunov(network)` gives V; dV/dt is compared with differences of V between recorded
times.

A cycle of three species whose c is not symmetric (voting_paradox.py) shows what symmetry is for: V of the symmetric
part of c rises and falls again and again.

Reproduces: M. A. Cohen and S. Grossberg, Absolute stability of global pattern formation and parallel memory storage by
competitive neural networks, IEEE Transactions on Systems, Man, and Cybernetics 13, 815-826 (1983); equations (32)-(34)
and (37)-(39) of S. Grossberg, Recurrent neural networks, Scholarpedia 8(2):1888 (2013).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.models import bam, cohen_grossberg, may_leonard, rcf
from brnn.theory import competition, liapunov

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STARTS = {"hopfield": 16, "field": 8, "species": 8, "bam": 6}
TITLES = {
    "hopfield": "Hopfield network, 2 cells",
    "field": "Recurrent competitive field with inputs, 8 cells",
    "species": "Lotka and Volterra, 6 species",
    "bam": "Adaptive BAM: 6 + 4 cells, 24 weights",
}
CYCLE = "species_in_a_cycle"
GAIN, SAME, OTHER = 2.0, 1.0, 0.2  # of the Hopfield network: gain, T_ii and T_ij
DURATION, SHOWN = 150.0, 20.0
PROBES = np.array([0.02, 0.1, 0.3, 0.6, 1.0, 1.7, 2.5, 4.0, 6.0])
STEP = 2e-3  # between the times from which dV/dt is taken


@dataclass
class Part:
    """One kind of network: a single copy, and the states of all copies over time, shape (times, copies, unknowns)."""

    network: brnn.Network
    states: np.ndarray

    @property
    def V(self) -> np.ndarray:
        """V over time, shape (times, copies)."""
        return np.asarray(liapunov(self.network).V(self.states))


def networks() -> dict[str, brnn.Network]:
    """Return one copy of each kind."""
    random = np.random.default_rng(1983)
    T = np.array([[SAME, OTHER], [OTHER, SAME]])
    signal = brnn.Function("tanh(gain*w)", gain=GAIN)
    I, J = random.uniform(0.0, 0.5, 8), random.uniform(0.0, 0.3, 8)
    return {
        "hopfield": cohen_grossberg.build(kind="hopfield", d=signal, c=-T, I=0.0),
        "field": rcf.build(pattern=I, J=J, on=math.inf),
        "species": cohen_grossberg.build(6, "lotka_volterra"),
        "bam": bam.build(on=math.inf),
    }


def build(parts: dict[str, brnn.Network]) -> brnn.Network:
    """Return one network with all copies of all kinds, and the cycle of three species.

    The copies of a kind are one layer (or two); their coefficients are blocks of a sparse matrix.
    """
    random = np.random.default_rng(34)
    angle = 2.0 * np.pi * (np.arange(16) + 0.37) / 16
    starts = {
        "hopfield": 2.2 * np.stack([np.cos(angle), np.sin(angle)], axis=1),
        "field": random.uniform(0.05, 2.9, (STARTS["field"], 8)),
        "species": random.uniform(0.01, 2.0, (STARTS["species"], 6)),
        "bam_F1": random.normal(size=(STARTS["bam"], 6)),
        "bam_F2": random.normal(size=(STARTS["bam"], 4)),
    }
    z = random.normal(size=(STARTS["bam"], 4, 6))
    weights = {"F1": z, "F2": z.transpose(0, 2, 1)}  # by the layer that sends
    layers: list[brnn.LayerLaw] = []
    links, inputs = [], []
    for kind, part in parts.items():
        copies = STARTS[kind]
        names = {layer.name: f"bam_{layer.name}" if kind == "bam" else kind for layer in part.layers}
        for layer in part.layers:
            name = names[layer.name]
            layers.append(layer.replace(name=name, shape=copies * layer.cells, initial=starts[name].ravel()))
        for link in part.projections:
            shapes = part.layer(link.source).shape, part.layer(link.target).shape
            blocks = brnn.Sparse(sparse.kron(sparse.eye(copies), link.topology.strengths(*shapes), format="csr"))
            learning = link.learning
            if learning is not None:
                learning = learning.replace(initial=weights[link.source].ravel())
            ends = {"source": names[link.source], "target": names[link.target]}
            links.append(link.replace(**ends, name=None, topology=blocks, learning=learning))
        for stimulus in part.stimuli:
            pattern = np.broadcast_to(stimulus.pattern, part.layer(stimulus.target).shape)
            inputs.append(stimulus.replace(target=names[stimulus.target], pattern=np.tile(pattern, copies)))
    cycle = may_leonard.build()
    ends = {"source": CYCLE, "target": CYCLE}
    layers.append(cycle.layers[0].replace(name=CYCLE))
    links += [link.replace(**ends, name=None) for link in cycle.projections]
    inputs += [stimulus.replace(target=CYCLE) for stimulus in cycle.stimuli]
    return brnn.Network(
        "liapunov_descent",
        layers,
        links,
        inputs,
        duration=DURATION,
        reference="Cohen and Grossberg (1983), IEEE Trans. SMC 13, 815-826",
    )


def read(result: Any, parts: dict[str, brnn.Network]) -> dict[str, Part]:
    """Return the states of each copy over time."""
    read_: dict[str, Part] = {}
    for kind, network in parts.items():
        names = [f"{kind}.x"]
        if kind == "bam":
            names = ["bam_F1.x", "bam_F2.x", "bam_F1_bam_F2_exc.z", "bam_F2_bam_F1_exc.z"]
        arrays = [np.asarray(result[name]) for name in names]
        copies = [array.reshape(len(array), STARTS[kind], -1) for array in arrays]
        read_[kind] = Part(network, np.concatenate(copies, axis=2))
    return read_


def saved_times() -> np.ndarray:
    """Return times that are dense at first, with four near each time at which dV/dt is compared."""
    every = np.concatenate([np.geomspace(0.004, SHOWN, 400), np.linspace(SHOWN, DURATION, 261)[1:]])
    near = (PROBES[:, None] + STEP * np.arange(-2, 3)).ravel()
    return np.unique(np.concatenate([[0.0], every, near]))


def rates(times: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return dV/dt by (34) and from five recorded values of V each, shapes (probes, copies)."""
    V = part.V
    at = [np.searchsorted(times, PROBES + k * STEP - 1e-9) for k in range(-2, 3)]
    measured = (V[at[0]] - 8.0 * V[at[1]] + 8.0 * V[at[3]] - V[at[4]]) / (12.0 * STEP)
    return np.asarray(liapunov(part.network).derivative(part.states[at[2]])), measured


def hopfield_level(T: float) -> float:
    """Return the positive root of x = T tanh(GAIN x)."""
    x = T
    for _ in range(500):
        x = T * math.tanh(GAIN * x)
    return x


def compare(times: np.ndarray, parts: dict[str, Part]) -> list[Comparison]:
    """Set (33), (34) and the equilibria in closed form beside the simulation."""
    rows = []
    for kind, part in parts.items():
        V = part.V
        scale = np.ptp(V, axis=0)
        rows.append(Comparison.at_most(0.0, np.diff(V, axis=0) / scale, 1e-8, f"{kind}: changes of V, relative"))
        predicted, measured = rates(times, part)
        rows.append(Comparison(predicted, measured, 1e-6, f"{kind}: dV/dt by (34)", relative=True))
    ends = parts["hopfield"].states[-1]
    same = np.sign(ends[:, :1]) == np.sign(ends[:, 1:])
    level = np.where(same, hopfield_level(SAME + OTHER), hopfield_level(SAME - OTHER))
    rows.append(Comparison(level * np.sign(ends), ends, 1e-8, "hopfield: ends, x = (T_ii +- T_ij) tanh(gain x)"))
    c = parts["species"].network.projections[0].topology.strengths((6,), (6,))
    rest = np.linalg.solve(np.eye(6) + c, np.ones(6))
    ends = parts["species"].states[-1]
    rows.append(Comparison(np.tile(rest, (len(ends), 1)), ends, 1e-8, "species: ends, (1 + c) x = 1"))
    x, z = parts["bam"].states[-1][:, :10], parts["bam"].states[-1][:, 10:34]
    f = np.tanh(GAIN * x)
    learned = np.einsum("cj,ci->cji", f[:, 6:], f[:, :6]).reshape(z.shape)
    rows.append(Comparison(learned, z, 1e-7, "bam: weights in the end, z = f(x) f(y)"))
    return rows


def symmetric_part(result: Any) -> np.ndarray:
    """Return V of the species that compete in a cycle, as if their c were its symmetric part."""
    c = competition.community_matrix(0.8, 1.3)
    network = may_leonard.build()
    (link,) = network.projections
    even = network.replace(projections=[link.replace(topology=brnn.Dense(0.5 * (c + c.T)))])
    return np.asarray(liapunov(even).V(np.asarray(result[f"{CYCLE}.x"])))


def refusal() -> str:
    """Return what `liapunov` says about the cycle."""
    try:
        liapunov(may_leonard.build())
    except brnn.InputError as error:
        return str(error)
    return "no refusal"


def draw(result: Any, parts: dict[str, Part]) -> Figure:
    """Draw the landscape of two cells, V over time, (34) beside its measurement, and a V that is none."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        8.4,
        "Every path leads down: the Liapunov function of Cohen and Grossberg",
        "V = −Σ ∫ b$_i$ d$_i$′ + ½ Σ c$_{jk}$ d$_j$ d$_k$   ·   every line is one start"
        "   ·   after Cohen and Grossberg (1983)",
    )
    axes = figure.subplots(2, 3)
    times = np.asarray(result.times)
    _draw_landscape(axes[0, 0], parts["hopfield"])
    for ax, kind in ((axes[0, 1], "field"), (axes[0, 2], "species"), (axes[1, 0], "bam")):
        _draw_descent(ax, times, parts[kind], TITLES[kind])
    ax = axes[1, 1]
    for k, (kind, part) in enumerate(parts.items()):
        predicted, measured = rates(times, part)
        style = {"markersize": 4.5, "color": plot.PALETTE[k], "markeredgecolor": "white", "markeredgewidth": 0.4}
        ax.loglog(-predicted.ravel(), -measured.ravel(), "o", label=TITLES[kind].split(",")[0].split(":")[0], **style)
    low, high = 1e-6, 1e4
    ax.plot([low, high], [low, high], color="#222222", linewidth=0.9, zorder=1)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    plot.polish(ax, "How fast V falls", "predicted by (34)", "−dV/dt, from V between recorded times")
    plot.key(ax, loc="upper left", handlelength=0.8)
    axes[1, 2].plot(times, symmetric_part(result), color=plot.PALETTE[1], linewidth=1.8)
    axes[1, 2].set_xlim(0.0, DURATION)
    plot.polish(axes[1, 2], "Without symmetry: a cycle of three species", "time t", "V of the symmetric part of c")
    return figure


def _draw_landscape(ax: Any, part: Part) -> None:
    plot = brnn.plot
    reach = np.linspace(-2.3, 2.3, 151)
    grid = np.stack(np.meshgrid(reach, reach), axis=-1)
    V = np.asarray(liapunov(part.network).V(grid))
    levels = np.quantile(V, np.linspace(0.0, 1.0, 25))
    ax.contourf(reach, reach, V, levels=levels, cmap="Blues_r", alpha=0.75)
    ax.contour(reach, reach, V, levels=levels, colors="white", linewidths=0.6, linestyles="solid")
    for copy in range(part.states.shape[1]):
        path = part.states[:, copy]
        ax.plot(path[:, 0], path[:, 1], color=plot.PALETTE[1], linewidth=1.3)
        ax.plot(*path[0], "o", markersize=3.5, color="white", markeredgecolor=plot.PALETTE[1])
        ax.plot(*path[-1], "o", markersize=6, color="#222222", zorder=4)
    ax.set_aspect("equal")
    plot.polish(ax, f"{TITLES['hopfield']}: the landscape V", "x$_1$", "x$_2$", grid=False)


def _draw_descent(ax: Any, times: np.ndarray, part: Part, title: str) -> None:
    V = part.V
    shown = (times >= 0.004) & (times <= SHOWN)
    colors = brnn.plot.ordered_colors()(brnn.plot.ranked(V[0]))
    for copy in np.argsort(V[0]):
        ax.semilogx(times[shown], V[shown, copy], color=colors[copy], linewidth=1.6)
    ax.set_xlim(0.004, SHOWN)
    brnn.plot.polish(ax, title, "time t", "V(t)")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all copies of all networks together and compare."""
    single = networks()
    result = simulate(build(single), options, times=saved_times(), solver="DOP853")
    parts = read(result, single)
    rows = compare(np.asarray(result.times), parts)
    notes = ("", "The cycle of three species has no such V:", f"  {refusal()}")
    return Outcome(rows, lambda: draw(result, parts), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
