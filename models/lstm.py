"""Long short-term memory (LSTM): memory cells with gates for what is added, what is forgotten and what is shown.

    i, f, o = sigma(W x(t) + U h(t) + b + peepholes),     g = tanh(W_g x(t) + U_g h(t) + b_g)
    c(t + 1) = f c(t) + i g
    h(t + 1) = o tanh(c(t + 1))
    y(t + 1) = V h(t + 1) + c_y

x(t) is what is shown during the step from t to t + 1, so that h(t + 1) and x(t) are h_t and x_t of the usual numbering.
The products are those of single cells. The variants, all of which are in use:

- `order`: in which order the rows of W, U and b hold the gates. PyTorch: i f g o; Keras: i f c o, c being g here; ONNX:
  i o f c. PyTorch and ONNX have two biases, of which b is the sum.
- `forget`: f as above ("gate"; Gers, Schmidhuber and Cummins 2000), 1 ("none"; 1997), or 1 - i ("coupled"; ONNX:
  input_forget).
- `peepholes` (Gers and Schmidhuber 2000): i and f see P_i c(t) and P_f c(t), o sees P_o c(t + 1). ONNX has them.

Source: Hochreiter and Schmidhuber (1997), Long short-term memory, Neural Computation 9, 1735-1780; Gers, Schmidhuber
and Cummins (2000), Learning to forget, Neural Computation 12, 2451-2471.

What is known: with f = 1 and a shut input gate the memory is kept for ever (the constant error carousel); with the
forget gate at sigma(b_f) it fades as sigma(b_f)^t. With f = 1 and constant drive it counts, which neither an Elman
network nor a GRU can do without bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.cells import (
    Blocks,
    Parts,
    bias_of,
    fading,
    sequence_figure,
    sequence_of,
    sigma,
    vector,
    weights_of,
)
from brnn.models.parts.runs import run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.gated_unit import GatedUnitLayer
from brnn.spec.layers.memory_cell import MemoryCellLayer
from brnn.spec.network import Network
from brnn.spec.projection import ImmediateProjection
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["build"]

_FORGET = ("gate", "none", "coupled")


@takes_dotted_names
def build(
    n: int | None = None,
    W: ArrayLike | None = None,
    U: ArrayLike | None = None,
    b: ArrayLike = 0.0,
    order: str = "ifgo",
    forget: str = "gate",
    peepholes: ArrayLike | None = None,
    V: ArrayLike | None = None,
    c: ArrayLike = 0.0,
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
    memory: ArrayLike = 0.0,
) -> Network:
    """Return an LSTM; by default eight cells that see two pulses.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default a fourth (third) of the rows of W or U, else 8.
    W : matrix [gates x cells, input], or None
        Input weights (1), the gates in the given order; None draws them (Glorot, fixed seeds).
    U : matrix [gates x cells, cell], or None
        Recurrent weights (1); None draws orthogonal matrices (fixed seeds).
    b : float or array
        Biases (1), the gates in the given order.
    order : str
        The letters i, f, g, o in the order in which the rows hold the gates; without f unless `forget` is "gate".
    forget : {"gate", "none", "coupled"}
        Forget gate: its own, none (f = 1), or 1 - i.
    peepholes : array, shape (3, cells), or None
        P_i, P_o, P_f, in this order (that of ONNX) (1).
    V : matrix [output, cell], or None
        Weights of what is read out (1); None reads nothing.
    c : float or array
        Biases of what is read out, c_y (1).
    pattern : array, shape (steps, inputs) or (steps,)
        What is shown in each step (1); by default two pulses, then silence.
    initial : float or array
        h before the first step (1).
    memory : float or array
        c before the first step (1).

    Returns
    -------
    Network
        Layers "x", "c", "h" and, with V, "y"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite, or the network is too large.
    """
    at = "lstm"
    shown = sequence_of(at, pattern)
    kind = choice(forget, f"{at}: forget", _FORGET)
    if kind != "gate" and order == "ifgo":
        order = "igo"  # the default, less the gate that there is not
    blocks = Blocks(at, order, "ifgo" if kind == "gate" else "igo", n, shown.shape[1], W, U, b)
    size = blocks.size
    parts = Parts(at, shown)
    parts.layers += [
        MemoryCellLayer("c", (size,), "tanh", vector(memory, f"{at}: memory", size), forget=kind),
        GatedUnitLayer("h", (size,), "tanh", vector(initial, f"{at}: initial", size)),
    ]
    parts.gate(blocks, "i", "c", "excitatory")
    if kind == "gate":
        parts.gate(blocks, "f", "c", "inhibitory")
    parts.gate(blocks, "g", "c", "modulatory")
    parts.gate(blocks, "o", "h", "excitatory")
    parts.projections.append(ImmediateProjection("c", "h", "modulatory", Linear(), OneToOne(), name="shown"))
    if peepholes is not None:
        P = array(peepholes, f"{at}: peepholes")
        if P.shape != (3, size):
            raise SpecError(f"{at}: peepholes: has shape {P.shape}, must have shape {(3, size)}: rows i, o, f")
        if kind != "gate" and P[2].any():
            raise SpecError(f"{at}: peepholes: row 2 (f) must be 0: there is no forget gate")
        parts.link("P_i", "c", "c", "excitatory", np.diag(P[0]), late=True)
        parts.link("P_o", "c", "h", "excitatory", np.diag(P[1]))
        if kind == "gate":
            parts.link("P_f", "c", "c", "inhibitory", np.diag(P[2]), late=True)
    parts.read_out(size, V, c)
    return Network(at, **parts.network("Hochreiter and Schmidhuber (1997), Neural Computation 9, 1735-1780"))


# Claims --------------------------------------------------------------------------------------------------------

_1997 = "Hochreiter and Schmidhuber (1997)"


def _biased(n: int, **biases: float) -> np.ndarray:
    """Return biases of the gates i, f, g, o."""
    return np.repeat([biases.get(letter, 0.0) for letter in "ifgo"], n)


@claim("Without forgetting a memory stays for ever; with a gate it fades as sigma(b_f)^t", source=_1997)
def memories_last_as_long_as_the_gate_says() -> list[Comparison]:
    """No input: 2,000 steps with f = 1, and 60 with three biases; g = 0, so that nothing is added."""
    start = np.array([0.5, -1.0, 2.0])
    zero: dict[str, Any] = {"W": np.zeros((9, 1)), "U": np.zeros((9, 3))}
    kept = run(build(**zero, order="igo", forget="none", memory=start, pattern=np.zeros(2000)), times=[2000.0])
    rows = [Comparison.exact(start, kept["c.x"].values[-1], "f = 1: c after 2,000 steps")]
    zero = {"W": np.zeros((12, 1)), "U": np.zeros((12, 3))}
    for b_f in (-1.0, 1.0, 4.0):
        c = run(build(**zero, b=_biased(3, f=b_f), memory=start, pattern=np.zeros(60)))["c.x"].values
        fading = (1.0 / (1.0 + np.exp(-b_f))) ** np.arange(61)[:, None]
        rows.append(Comparison(fading * start, c, 1e-13, f"b_f = {b_f:g}: c"))
    return rows


@claim(
    "Without forgetting it counts: c = t sigma(b_i) tanh(b_g), beyond any bound", source="Gers and Schmidhuber (2000)"
)
def it_counts() -> Comparison:
    """No weights, constant biases, 300 steps."""
    zero: dict[str, Any] = {"W": np.zeros((3, 1)), "U": np.zeros((3, 1)), "pattern": np.zeros(300)}
    network = build(**zero, b=[2.0, 0.7, 0.0], order="igo", forget="none")
    c = run(network, times=np.arange(301.0))["c.x"].values[:, 0]
    return Comparison(np.arange(301) * sigma(2.0) * np.tanh(0.7), c, 1e-11)


@claim("Coupled gates are a forget gate with the input gate's weights turned round", source="sigma(-w) = 1 - sigma(w)")
def coupled_gates() -> Comparison:
    """Random weights and inputs: both variants, by their states."""
    rng = np.random.default_rng(2000)
    W, U, b = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), rng.normal(size=9)
    x = rng.normal(size=(20, 2))

    def four(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[:3], -rows[:3], rows[3:]])

    one = run(build(W=W, U=U, b=b, order="igo", forget="coupled", pattern=x))
    other = run(build(W=four(W), U=four(U), b=four(b), pattern=x))
    return Comparison(other["c.x"], one["c.x"], 1e-13)


@claim(
    "The order of the gates is a name: PyTorch's, Keras's and ONNX's weights make one network", source="documentation"
)
def orders_are_names() -> list[Comparison]:
    """The same weights in three orders of rows."""
    rng = np.random.default_rng(4)
    W, U, b, x = rng.normal(size=(8, 2)), rng.normal(size=(8, 2)), rng.normal(size=8), rng.normal(size=(9, 2))
    h = run(build(W=W, U=U, b=b, pattern=x))["h.x"].values
    rows = []
    for order in ("iofg", "gofi"):
        at = np.concatenate([2 * "ifgo".index(letter) + np.arange(2) for letter in order])
        again = run(build(W=W[at], U=U[at], b=b[at], order=order, pattern=x))["h.x"].values
        rows.append(Comparison(h, again, 1e-14, f"order {order}"))
    return rows


def _step_in_silence(network: Network) -> np.ndarray | None:
    """Return by which matrix a step multiplies a small memory if nothing is shown; None if 0 is no state of rest."""
    if bias_of(network, "b_g").any():
        return None
    U = weights_of(network, "U_g")
    i, o = (np.broadcast_to(sigma(bias_of(network, f"b_{letter}")), len(U)) for letter in "io")
    forget = next(layer for layer in network.layers if layer.name == "c").forget  # type: ignore[attr-defined]
    f = np.ones(len(U)) if forget == "none" else 1.0 - i if forget == "coupled" else sigma(bias_of(network, "b_f"))
    return np.asarray(np.diag(np.broadcast_to(f, len(U))) + i[:, None] * U * o)


@claim("In silence a small memory fades by the matrix f + i U_g o", source="derived: tanh(w) of small w is w")
def small_memories_fade() -> list[Comparison]:
    """Random weights and biases of the gates, 1e-7 at first, twelve steps; three kinds of forgetting."""
    rng = np.random.default_rng(12)
    rows = []
    for forget, order in (("gate", "ifog"), ("none", "iog"), ("coupled", "iog")):
        size = 3 * len(order)
        U, b, start = rng.normal(size=(size, 3)), np.append(rng.normal(size=size - 3), np.zeros(3)), rng.normal(size=3)
        i, o = sigma(b[:3]), sigma(b[-6:-3])
        f = {"gate": sigma(b[3:6]), "none": np.ones(3), "coupled": 1.0 - i}[forget]
        step = np.diag(f) + i[:, None] * U[-3:] * o
        network = build(
            W=np.zeros((size, 1)), U=U, b=b, order=order, forget=forget, memory=1e-7 * start, initial=1e-7 * o * start,
            pattern=np.zeros(12),
        )  # fmt: skip
        c = 1e7 * run(network, times=np.arange(13.0))["c.x"].values
        expected = np.array([np.linalg.matrix_power(step, k) @ start for k in range(13)])
        rows.append(Comparison(expected, c, 1e-5 * float(np.abs(expected).max()), f"forget {forget}"))
    return rows


@figure("x.x", "c.x", "h.x")
def memory_and_output(run: Run) -> FigureDescription | None:
    """Show what is shown, the memory, beside a linear one in silence, and what the output gate lets out of it."""
    step = _step_in_silence(run.network)
    theory = {} if step is None else {"c": fading(run, "c", step)}
    return sequence_figure(run, "A memory behind gates", theory, c="Memory c", h="What the output gate shows, h")


def _by_hand(forget: str) -> Callable[[Any, np.ndarray], dict[str, np.ndarray]]:
    """Return the course with one kind of forgetting."""

    def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        n = len(p.memory)

        def rows(matrix: np.ndarray, letter: str) -> np.ndarray:
            k = p.order.index(letter)
            return matrix[k * n : (k + 1) * n]

        h, c = p.initial, p.memory
        hs, cs, ys = [h], [c], [np.zeros(len(p.c))]
        P_i, P_o, P_f = p.peepholes
        for x in p.pattern[: len(times) - 1]:
            net = {k: rows(p.W, k) @ x + rows(p.U, k) @ h + rows(p.b, k) for k in p.order}
            i = sigma(net["i"] + P_i * c)
            f = sigma(net["f"] + P_f * c) if forget == "gate" else 1.0 if forget == "none" else 1.0 - i
            c = f * c + i * np.tanh(net["g"])
            h = sigma(net["o"] + P_o * c) * np.tanh(c)
            hs.append(h)
            cs.append(c)
            ys.append(p.V @ h + p.c)
        return {"h.x": np.array(hs), "c.x": np.array(cs), "y.x": np.array(ys)}

    return course


@claim("Its equations, written out by hand", source=f"{_1997}; Gers et al. (2000), iterated")
def equations() -> list[Comparison]:
    """Three cells, two inputs, two outputs, every parameter off its default, for the three kinds of forgetting."""
    rng = np.random.default_rng(5)
    rows = []
    for forget, order, other in (("gate", "iofg", "ifog"), ("none", "ogi", "goi"), ("coupled", "gio", "oig")):
        gates = len(order)
        peepholes = rng.normal(size=(3, 3))
        peepholes[2] *= forget == "gate"
        parameters: dict[str, Any] = {
            "W": rng.normal(size=(gates * 3, 2)),
            "U": rng.normal(size=(gates * 3, 3)),
            "b": rng.normal(size=gates * 3),
            "order": order,
            "peepholes": peepholes,
            "V": rng.normal(size=(2, 3)),
            "c": rng.normal(size=2),
            "pattern": rng.normal(size=(6, 2)),
            "initial": rng.normal(size=3),
            "memory": rng.normal(size=3),
        }
        rows += equations_by_hand(
            functools.partial(build, forget=forget), parameters, _by_hand(forget), np.arange(7.0),
            apart=("n", "forget"), changed={"order": other}, tolerance=1e-11,
        )  # fmt: skip
    return rows
