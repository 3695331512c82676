"""Jordan's network: what is fed back is not the cells but the output.

    h(t + 1) = phi(W x(t) + U y(t) + b)
    y(t + 1) = psi(V h(t + 1) + c)

x(t) is what is shown during the step from t to t + 1; U has a column for each output. Jordan's state units, which also
keep a trace of outputs before the last one, are not part of it (the form that is called a Jordan network today).

Source: Jordan (1986), Serial order: a parallel distributed processing approach, Institute for Cognitive Science report
8604, University of California, San Diego.

What is known: everything that it remembers goes through the output, so that its memory has as many dimensions as the
output, however many cells there are: it is an Elman network whose recurrent weights U V have at most that rank (psi
linear). As a generator of sequences it repeats one with a period once an output comes again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.cells import PHI, Blocks, Parts, bias_of, fading, sequence_figure, sequence_of, weights_of
from brnn.models.parts.runs import run
from brnn.sequences.initial import glorot
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.activations import ACTIVATIONS
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.network import Network

__all__ = ["build"]

_OUTPUTS = 2
_SEED = 1986


@takes_dotted_names
def build(
    n: int | None = None,
    W: ArrayLike | None = None,
    U: ArrayLike | None = None,
    b: ArrayLike = 0.0,
    V: ArrayLike | None = None,
    c: ArrayLike = 0.0,
    activation: str = "tanh",
    output: str = "linear",
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a Jordan network; by default eight cells with two outputs, which see two pulses.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default that of W or U, or of columns of V, else 8.
    W : matrix [cell, input], or None
        Input weights (1); None draws them (Glorot, fixed seed).
    U : matrix [cell, output], or None
        Weights of what is fed back (1); None draws them (orthonormal, fixed seed).
    b : float or array
        Biases (1).
    V : matrix [output, cell], or None
        Output weights (1); None draws two outputs (Glorot, fixed seed).
    c : float or array
        Biases of the output (1).
    activation : {"tanh", "relu", "linear", "sigmoid"}
        phi.
    output : {"tanh", "relu", "linear", "sigmoid"}
        psi.
    pattern : array, shape (steps, inputs) or (steps,)
        What is shown in each step (1); by default two pulses, then silence.
    initial : float or array
        y before the first step (1).

    Returns
    -------
    Network
        Layers "x", "h" and "y"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite, or the network is too large.
    """
    shown = sequence_of("jordan", pattern)
    read = None if V is None else array(V, "jordan: V", ndim=2)
    fed = None if U is None else array(U, "jordan: U", ndim=2)
    outputs = len(read) if read is not None else fed.shape[1] if fed is not None else _OUTPUTS
    cells = read.shape[1] if read is not None and n is W is U is None else n
    blocks = Blocks("jordan", "h", "h", cells, shown.shape[1], W, U, b, sources=outputs)
    phi = choice(activation, "jordan: activation", ACTIVATIONS)
    psi = choice(output, "jordan: output", ACTIVATIONS)
    parts = Parts("jordan", shown)
    parts.layers.append(UnitLayer("h", (blocks.size,), phi))
    parts.gate(blocks, "h", "h", "excitatory", recurrent="y")
    parts.read_out(blocks.size, glorot(outputs, blocks.size, _SEED) if read is None else read, c, psi, initial)
    return Network("jordan", **parts.network("Jordan (1986), ICS report 8604"))


# Claims --------------------------------------------------------------------------------------------------------


@claim("With a linear output it is an Elman network with U V for recurrent weights", source="derived")
def is_an_elman_network_of_low_rank() -> list[Comparison]:
    """Random weights: the states of both, and the rank of those of the Elman network."""
    from brnn.models import elman

    rng = np.random.default_rng(1986)
    W, U, V = rng.normal(size=(7, 3)), rng.normal(size=(7, 2)), rng.normal(size=(2, 7))
    b, c, x = rng.normal(size=7), rng.normal(size=2), rng.normal(size=(12, 3))
    h = run(build(W=W, U=U, V=V, b=b, c=c, pattern=x, initial=c))["h.x"].values
    other = run(elman.build(W=W, U=U @ V, b=b + U @ c, pattern=x, initial=0.0))["h.x"].values
    rank = int(np.linalg.matrix_rank(U @ V))
    return [Comparison(other[1:], h[1:], 1e-12, "cells"), Comparison.count(2, rank, "rank of U V, two outputs")]


@claim("As a generator it goes around a cycle of any length", source="Jordan (1986)")
def generates_a_cycle() -> Comparison:
    """Five outputs, of which one is on: each turns on the next; one pulse starts it, nothing is shown after that."""
    start = np.zeros((23, 5))
    start[0, 0] = 1.0
    network = build(
        W=np.eye(5), U=np.roll(np.eye(5), 1, axis=0), V=np.eye(5), activation="relu", pattern=start
    )  # fmt: skip
    y = run(network, times=np.arange(24.0))["y.x"].values
    return Comparison.exact(np.eye(5)[np.arange(23) % 5], y[1:], "which output is on")


@figure("x.x", "h.x", "y.x")
def output_fed_back(run: Run) -> FigureDescription | None:
    """Show what is shown, the cells, and the output, which is all that is remembered; linear in silence."""
    network, theory = run.network, {}
    smooth = {run.part(layer).activation for layer in ("h", "y")} <= {"tanh", "linear"}
    if smooth and not (bias_of(network, "b_h").any() or bias_of(network, "b_y").any()):
        theory["y"] = fading(run, "y", weights_of(network, "V") @ weights_of(network, "U_h"))
    return sequence_figure(run, "Only the output is remembered", theory, h="Cells h", y="Output y, fed back")


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    y, hs, ys = p.initial, [np.zeros(len(p.b))], [p.initial]
    for x in p.pattern[: len(times) - 1]:
        h = PHI[p.activation](p.W @ x + p.U @ y + p.b)
        y = PHI[p.output](p.V @ h + p.c)
        hs.append(h)
        ys.append(y)
    return {"h.x": np.array(hs), "y.x": np.array(ys)}


@claim("Its equations, written out by hand", source="Jordan (1986), iterated")
def equations() -> list[Comparison]:
    """Three cells, two inputs, two outputs, every parameter off its default."""
    rng = np.random.default_rng(4)
    parameters = {
        "W": rng.normal(size=(3, 2)),
        "U": rng.normal(size=(3, 2)),
        "b": rng.normal(size=3),
        "V": rng.normal(size=(2, 3)),
        "c": rng.normal(size=2),
        "activation": "sigmoid",
        "output": "tanh",
        "pattern": rng.normal(size=(6, 2)),
        "initial": rng.normal(size=2),
    }
    changed = {"activation": "relu", "output": "sigmoid"}
    return equations_by_hand(build, parameters, _by_hand, np.arange(7.0), changed=changed, tolerance=1e-11)
