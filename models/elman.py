"""Elman's simple recurrent network, the vanilla RNN of machine learning.

    h(t + 1) = phi(W x(t) + U h(t) + b)
    y(t + 1) = V h(t + 1) + c

x(t) is what is shown during the step from t to t + 1, and h(t + 1) what the cells make of it: in the usual numbering
h_t and x_t are h(t + 1) and x(t) here. phi is tanh or another function. PyTorch and ONNX have two biases, of which b is
the sum (Keras has one). With U = 1 and phi = relu it is the IRNN of Le, Jaitly and Hinton (2015).

Source: Elman (1990), Finding structure in time, Cognitive Science 14, 179-211.

What is known: the gradient of h(T) by h(0) is a product of T step Jacobians diag(phi') U, of norm at most
(max|phi'| |U|)^T: it vanishes if the largest singular value of U is below 1 and phi is tanh, and can explode above
(Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013). In the same case the network forgets its initial
state at least that fast. With phi linear and U orthogonal lengths are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Panel, Run, figure, theory_curve, time_panel
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.cells import (
    PHI,
    Blocks,
    Parts,
    bias_of,
    sequence_figure,
    sequence_of,
    shown_in,
    vector,
    weights_of,
)
from brnn.models.parts.runs import run
from brnn.sequences.initial import orthogonal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.activations import ACTIVATIONS
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.network import Network

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    W: ArrayLike | None = None,
    U: ArrayLike | None = None,
    b: ArrayLike = 0.0,
    V: ArrayLike | None = None,
    c: ArrayLike = 0.0,
    activation: str = "tanh",
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return an Elman network; by default eight cells that see two pulses.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default that of W or U, else 8.
    W : matrix [cell, input], or None
        Input weights (1); None draws them (Glorot, fixed seed).
    U : matrix [target, source], or None
        Recurrent weights (1); None draws an orthogonal matrix (fixed seed).
    b : float or array
        Biases (1).
    V : matrix [output, cell], or None
        Weights of what is read out (1); None reads nothing.
    c : float or array
        Biases of what is read out (1).
    activation : {"tanh", "relu", "linear", "sigmoid"}
        phi.
    pattern : array, shape (steps, inputs) or (steps,)
        What is shown in each step (1); by default two pulses, then silence.
    initial : float or array
        h before the first step (1).

    Returns
    -------
    Network
        Layers "x", "h" and, with V, "y"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite, or the network is too large.
    """
    shown = sequence_of("elman", pattern)
    blocks = Blocks("elman", "h", "h", n, shown.shape[1], W, U, b)
    phi = choice(activation, "elman: activation", ACTIVATIONS)
    parts = Parts("elman", shown)
    parts.layers.append(UnitLayer("h", (blocks.size,), phi, vector(initial, "elman: initial", blocks.size)))
    parts.gate(blocks, "h", "h", "excitatory")
    parts.read_out(blocks.size, V, c)
    return Network("elman", **parts.network("Elman (1990), Cognitive Science 14, 179-211"))


# Claims --------------------------------------------------------------------------------------------------------


@claim("Linear cells: h is the sum of U^k W x over all that was shown", source="derived")
def linear_cells_are_solved() -> Comparison:
    """Random weights and ten random inputs: powers of U, not steps."""
    rng = np.random.default_rng(1990)
    W, U, b, x = rng.normal(size=(4, 3)), 0.4 * rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(10, 3))
    start = rng.normal(size=4)
    powers = [np.linalg.matrix_power(U, k) for k in range(11)]
    predicted = [
        powers[t] @ start + sum((powers[t - 1 - k] @ (W @ x[k] + b) for k in range(t)), np.zeros(4)) for t in range(11)
    ]
    found = run(build(W=W, U=U, b=b, activation="linear", pattern=x, initial=start))["h.x"]
    return Comparison(predicted, found, 1e-12)


@claim(
    "tanh, |U| < 1: two initial states approach each other by |U| in each step at least", source="Bengio et al. (1994)"
)
def the_initial_state_is_forgotten() -> list[Comparison]:
    """Under the same random inputs, from far apart: distances beside |U|^t times the first one."""
    rows = []
    rng = np.random.default_rng(1994)
    for factor in (0.5, 0.9, 0.99):
        U, x = factor * orthogonal(6, 6, 1), rng.normal(size=(40, 2))
        ends = [run(build(U=U, pattern=x, initial=start))["h.x"].values for start in rng.normal(size=(2, 6))]
        apart = np.linalg.norm(ends[0] - ends[1], axis=1)
        rows.append(Comparison.at_most(factor ** np.arange(41) * apart[0], apart, 1e-12, f"|U| = {factor:g}"))
    return rows


@claim("Linear cells with an orthogonal U keep what they were shown at its length", source="Saxe et al. (2014)")
def orthogonal_weights_keep_lengths() -> Comparison:
    """One pulse, then 500 steps of silence."""
    W, pulse = np.eye(5), np.zeros((500, 5))
    pulse[0] = (0.3, -0.2, 0.9, 0.1, 0.4)
    h = run(build(W=W, U=orthogonal(5, 5, 3), activation="linear", pattern=pulse), times=np.arange(501.0))["h.x"].values
    return Comparison(np.full(500, np.linalg.norm(pulse[0])), np.linalg.norm(h[1:], axis=1), 1e-12)


@figure("x.x", "h.x")
def echo(run: Run) -> FigureDescription | None:
    """Show what is shown, what the cells make of it, and how long h is, beside its bound."""
    title = "Each step mixes what is shown with what the cells were"
    return sequence_figure(run, title, below=_lengths(run), h="Cells h")


def _lengths(run: Run) -> Panel:
    """Return |h| over time, and what it is at most, |U| |h| + |W x + b| in each step, since |phi(w)| is at most |w|."""
    network, h = run.network, run.values("h")
    marks = [Curve(run.times("h"), np.linalg.norm(h, axis=1), "|h|")]
    if run.part("h").activation != "sigmoid" and not run.start:
        driven = shown_in(network) @ weights_of(network, "W_h").T + bias_of(network, "b_h")
        most, factor = [float(np.linalg.norm(h[0]))], float(np.linalg.norm(weights_of(network, "U_h"), 2))
        for given in driven[: int(run.end)]:
            most.append(factor * most[-1] + float(np.linalg.norm(given)))
        if most[-1] < _SEEN * max(float(mark.y.max()) for mark in marks):  # beyond that it says nothing
            marks.append(theory_curve(np.arange(len(most) + 0.0), most, "at most |U| |h| + |W x + b|"))
    return time_panel(run, "Length of h", marks, y="length")


_SEEN = 20.0


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    h, hs, ys = p.initial, [p.initial], [np.zeros(2)]
    for x in p.pattern[: len(times) - 1]:
        h = PHI[p.activation](p.W @ x + p.U @ h + p.b)
        hs.append(h)
        ys.append(p.V @ h + p.c)
    return {"h.x": np.array(hs), "y.x": np.array(ys)}


@claim("Its equations, written out by hand", source="Elman (1990), iterated")
def equations() -> list[Comparison]:
    """Three cells, two inputs, two outputs, every parameter off its default."""
    rng = np.random.default_rng(3)
    rows = []
    for activation, other in (("relu", "sigmoid"), ("sigmoid", "linear"), ("linear", "tanh")):
        parameters = {
            "W": rng.normal(size=(3, 2)),
            "U": rng.normal(size=(3, 3)),
            "b": rng.normal(size=3),
            "V": rng.normal(size=(2, 3)),
            "c": rng.normal(size=2),
            "activation": activation,
            "pattern": rng.normal(size=(6, 2)),
            "initial": rng.normal(size=3),
        }
        rows += equations_by_hand(
            build, parameters, _by_hand, np.arange(7.0), changed={"activation": other}, tolerance=1e-11
        )
    return rows
