"""Gated recurrent unit (GRU): cells that keep a part of their activity and renew the rest.

    r, z = sigma(W x(t) + U h(t) + b)
    n = tanh(W_n x(t) + b_n + r (U_n h(t) + d))     reset after the product, or
    n = tanh(W_n x(t) + U_n (r h(t)) + b_n)         reset before it, or
    n = tanh(W_n x(t) + U_n h(t) + b_n)             no reset
    h(t + 1) = z h(t) + (1 - z) n                   an open gate keeps, or
    h(t + 1) = (1 - z) h(t) + z n                   an open gate renews
    y(t + 1) = V h(t + 1) + c

x(t) is what is shown during the step from t to t + 1, so that h(t + 1) and x(t) are h_t and x_t of the usual numbering.
The products are those of single cells. The variants, all of which are in use:

- `order`: in which order the rows of W, U and b hold the gates. PyTorch: r z n; Keras: z r h, ONNX: z r h, h being n
  here. Where there are two biases, b is the sum, but for d, the recurrent bias of n, if the reset comes after.
- `reset`: "after" (PyTorch; Keras reset_after=True, its default; ONNX linear_before_reset=1), "before" (Cho et al.;
  Keras reset_after=False; ONNX linear_before_reset=0, its default), or "none".
- `gate`: "keep" (PyTorch, Keras, ONNX) or "renew" (Chung et al. 2014).

Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder for statistical machine
translation, EMNLP, 1724-1734; Chung, Gulcehre, Cho and Bengio (2014), arXiv:1412.3555.

What is known: -1 < h < 1, if it begins there. Since sigma(-a) = exp(-softplus(a)), a step is a shunting cell (8) whose
conductances, of sum softplus(a), are held for one unit of time: h goes to n as exp(-softplus(a) t). Without reset
this is a recurrent shunting network, sampled. It has no continuous attractor (Jordan, Sokol and Park 2021): one cell
without reset rests at three levels at most, whereas a recurrent competitive field with linear signals keeps every
pattern.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.cells import (
    Blocks,
    Parts,
    bias_of,
    fading,
    held_conductances,
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
from brnn.spec.layers.update_gate import SENSES, UpdateGateLayer
from brnn.spec.network import Network
from brnn.spec.projection import ImmediateProjection, Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["build"]

_RESET = ("after", "before", "none")


@takes_dotted_names
def build(
    n: int | None = None,
    W: ArrayLike | None = None,
    U: ArrayLike | None = None,
    b: ArrayLike = 0.0,
    d: ArrayLike = 0.0,
    order: str = "rzn",
    reset: str = "after",
    gate: str = "keep",
    V: ArrayLike | None = None,
    c: ArrayLike = 0.0,
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a GRU; by default eight cells that see two pulses.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default a third (half) of the rows of W or U, else 8.
    W : matrix [gates x cells, input], or None
        Input weights (1), the gates in the given order; None draws them (Glorot, fixed seeds).
    U : matrix [gates x cells, cell], or None
        Recurrent weights (1); None draws orthogonal matrices (fixed seeds).
    b : float or array
        Biases (1), the gates in the given order.
    d : float or array
        Recurrent bias of n (1), which the reset gate multiplies; only with reset="after".
    order : str
        The letters r, z, n in the order in which the rows hold the gates; without r if there is no reset.
    reset : {"after", "before", "none"}
        Whether the reset gate multiplies U_n h, or h before the product, or is not there.
    gate : {"keep", "renew"}
        What an open update gate z does.
    V : matrix [output, cell], or None
        Weights of what is read out (1); None reads nothing.
    c : float or array
        Biases of what is read out (1).
    pattern : array, shape (steps, inputs) or (steps,)
        What is shown in each step (1); by default two pulses, then silence.
    initial : float or array
        h before the first step (1).

    Returns
    -------
    Network
        Layers "x", "q" (what the reset lets through), "h" and, with V, "y"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite, or the network is too large.
    """
    at = "gru"
    shown = sequence_of(at, pattern)
    kind = choice(reset, f"{at}: reset", _RESET)
    if kind == "none" and order == "rzn":
        order = "zn"  # the default, less the gate that there is not
    blocks = Blocks(at, order, "zn" if kind == "none" else "rzn", n, shown.shape[1], W, U, b)
    size = blocks.size
    inner = vector(d, f"{at}: d", size)
    if kind != "after" and inner.any():
        raise SpecError(f"{at}: d: must be 0 with reset='{kind}': n has a recurrent bias of its own only with 'after'")
    sense = choice(gate, f"{at}: gate", SENSES)
    parts = Parts(at, shown)
    if kind != "none":
        parts.layers.append(GatedUnitLayer("q", (size,), "linear"))
        parts.gate(blocks, "r", "q", "excitatory")
    parts.layers.append(
        UpdateGateLayer("h", (size,), "tanh", vector(initial, f"{at}: initial", size), gate=sense)
    )  # fmt: skip
    parts.gate(blocks, "z", "h", "modulatory")
    parts.gate(blocks, "n", "h", "excitatory", recurrent="h" if kind == "none" else "")
    if kind == "after":
        parts.link("U_n", "h", "q", "modulatory", blocks.of("U", "n"), late=True)
        parts.stimuli.append(Stimulus("q", "modulatory", inner, name="d"))
        parts.projections.append(ImmediateProjection("q", "h", "excitatory", Linear(), OneToOne(), name="reset"))
    if kind == "before":
        parts.projections.append(Projection("h", "q", "modulatory", Linear(), OneToOne(), name="reset"))
        parts.link("U_n", "q", "h", "excitatory", blocks.of("U", "n"))
    parts.read_out(size, V, c)
    return Network(at, **parts.network("Cho et al. (2014), EMNLP, 1724-1734"))


# Claims --------------------------------------------------------------------------------------------------------

_BRIDGE = "exp(-softplus(a)) = sigma(-a); (8), (16)"
_CONTINUUM = "derived; Jordan, Sokol and Park (2021); Grossberg (1973)"


@claim("A GRU without reset is a recurrent shunting network whose conductances are held for one unit", source=_BRIDGE)
def is_recurrent_shunting_held() -> list[Comparison]:
    """Random weights, twelve steps: cells of (8) with A = 0, B = D = 1, run for a unit of time after each step."""
    rng = np.random.default_rng(2014)
    W, U, b = rng.normal(size=(8, 2)), rng.normal(size=(8, 4)), rng.normal(size=8)
    x = rng.normal(size=(12, 2))
    h = run(build(W=W, U=U, b=b, reset="none", gate="renew", pattern=x))["h.x"].values
    net = x @ W.T + h[:-1] @ U.T + b
    shunted = np.array([
        run(held_conductances(a[None], np.tanh(n)[None], start, 1.0), 1.0).final("F1")
        for a, n, start in zip(net[:, :4], net[:, 4:], h[:-1], strict=True)
    ])  # fmt: skip
    a = np.linspace(-30.0, 30.0, 121)
    return [
        Comparison(shunted, h[1:], 1e-8, "h after each step, and the shunting cells after a unit of time"),
        Comparison(np.exp(-np.log1p(np.exp(a))), 1.0 / (1.0 + np.exp(a)), 1e-14, "exp(-softplus(a)) and sigma(-a)"),
    ]


@claim("A cell without reset rests at three levels at most; a linear RCF keeps every pattern", source=_CONTINUUM)
def it_cannot_hold_a_continuum() -> list[Comparison]:
    """41 single cells from -0.9 to 0.9 in silence, for four strengths; 41 patterns of two cells in the field."""
    from brnn.models import rcf

    rows = []
    start = np.linspace(-0.9, 0.9, 41)
    one = np.eye(41)
    for u, w in ((0.8, 0.0), (1.05, 1.0), (1.5, -2.0), (3.0, 2.0)):
        network = build(
            W=np.zeros((82, 1)), U=np.concatenate([w * one, u * one]), b=np.repeat([0.0, 0.02], 41), reset="none",
            initial=start, pattern=np.zeros(4000),
        )  # fmt: skip
        h = run(network, times=[3900.0, 4000.0])["h.x"].values
        levels = np.unique(np.round(h[-1], 6))
        rows += [
            Comparison.at_most(1e-9, np.abs(h[-1] - h[0]), label=f"u = {u:g}: what 100 steps still change"),
            Comparison(np.tanh(u * levels + 0.02), levels, 2e-5, f"u = {u:g}: levels are roots of h = tanh(u h + b)"),
            Comparison.at_most(3, len(levels), label=f"u = {u:g}: levels that 41 cells end at"),
        ]
    patterns = np.column_stack([np.linspace(0.05, 0.95, 41), 1.0 - np.linspace(0.05, 0.95, 41)])
    fields = [rcf.build(signal=Linear(2.0), initial=p) for p in patterns[::5]]
    kept = [run(field, 4000.0, times=[4000.0]).relative("rcf").values[-1] for field in fields]
    return [*rows, Comparison(patterns[::5], np.array(kept), 1e-6, "linear RCF: patterns after as long")]


@claim("Where r = 1 the three kinds of reset are one", source="derived")
def resets_agree_when_open() -> list[Comparison]:
    """Random weights with b_r = 60, so that sigma(b_r) is 1 to the last bit."""
    rng = np.random.default_rng(7)
    W, U, b, x = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), rng.normal(size=9), rng.normal(size=(15, 2))
    b[:3] += 60.0
    h = {reset: run(build(W=W, U=U, b=b, reset=reset, pattern=x))["h.x"].values for reset in ("after", "before")}
    none = run(build(W=W[3:], U=U[3:], b=b[3:], reset="none", pattern=x))["h.x"].values
    return [Comparison(none, h[reset], 1e-13, f"reset {reset}") for reset in ("after", "before")]


@claim("Keep and renew are each other with the update gate's weights turned round", source="sigma(-w) = 1 - sigma(w)")
def keep_and_renew() -> Comparison:
    """Random weights and inputs."""
    rng = np.random.default_rng(8)
    W, U, b, x = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), rng.normal(size=9), rng.normal(size=(15, 2))
    turned = [np.concatenate([part[:3], -part[3:6], part[6:]]) for part in (W, U, b)]
    keep = run(build(W=W, U=U, b=b, pattern=x))["h.x"]
    renew = run(build(W=turned[0], U=turned[1], b=turned[2], gate="renew", pattern=x))["h.x"]
    return Comparison(keep, renew, 1e-13)


@claim("Activities stay between -1 and 1", source="derived: h goes from h to n, |n| < 1")
def activities_are_bounded() -> Comparison:
    """Large random weights and inputs, two hundred steps."""
    rng = np.random.default_rng(9)
    W, U = 5.0 * rng.normal(size=(18, 2)), 5.0 * rng.normal(size=(18, 6))
    network = build(W=W, U=U, pattern=rng.normal(size=(200, 2)))
    return Comparison.within(-1.0, run(network, times=np.arange(201.0))["h.x"], 1.0)


def _step_in_silence(network: Network) -> np.ndarray | None:
    """Return by which matrix a step multiplies small activities if nothing is shown; None if 0 is no state of rest."""
    if any(s.name in ("b_n", "d") and np.any(s.pattern) for s in network.stimuli):
        return None
    layers = {layer.name: layer for layer in network.layers}
    U, z = weights_of(network, "U_n"), np.atleast_1d(sigma(bias_of(network, "b_z")))
    kept = z if layers["h"].gate == "keep" else 1.0 - z  # type: ignore[attr-defined]
    if "q" in layers:
        r = np.atleast_1d(sigma(bias_of(network, "b_r")))
        U = U * r if next(link for link in network.projections if link.name == "U_n").source == "q" else r[:, None] * U
    return np.asarray(np.diag(np.broadcast_to(kept, len(U))) + (1.0 - kept)[:, None] * U)


@claim(
    "In silence small activities fade by the matrix z + (1 - z) r U_n",
    source="derived: tanh(w) of small w is w",
)
def small_activities_fade() -> list[Comparison]:
    """Random weights and biases of the gates, 1e-7 at first, twelve steps; three kinds of reset."""
    rng = np.random.default_rng(11)
    rows = []
    for reset, gates in (("after", 3), ("before", 3), ("none", 2)):
        U, b = rng.normal(size=(3 * gates, 3)), np.append(rng.normal(size=3 * gates - 3), np.zeros(3))
        start, z, r = rng.normal(size=3), sigma(b[-6:-3]), sigma(b[:3]) if gates == 3 else np.ones(3)
        U_n = U[-3:] * r if reset == "before" else r[:, None] * U[-3:]
        step = np.diag(z) + (1.0 - z)[:, None] * U_n
        network = build(W=np.zeros((3 * gates, 1)), U=U, b=b, reset=reset, initial=1e-7 * start, pattern=np.zeros(12))
        h = 1e7 * run(network, times=np.arange(13.0))["h.x"].values
        expected = np.array([np.linalg.matrix_power(step, k) @ start for k in range(13)])
        rows.append(Comparison(expected, h, 1e-5 * float(np.abs(expected).max()), f"reset {reset}"))
    return rows


@figure("x.x", "h.x")
def kept_and_renewed(run: Run) -> FigureDescription | None:
    """Show what is shown and the cells, which keep a part and renew the rest, beside linear cells in silence."""
    step = _step_in_silence(run.network)
    theory = {} if step is None else {"h": fading(run, "h", step)}
    return sequence_figure(run, "Cells that keep a part and renew the rest", theory, h="Cells h")


def _by_hand(reset: str) -> Callable[[Any, np.ndarray], dict[str, np.ndarray]]:
    """Return the course with one kind of reset."""

    def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        n = len(p.initial)

        def rows(matrix: np.ndarray, letter: str) -> np.ndarray:
            k = p.order.index(letter)
            return matrix[k * n : (k + 1) * n]

        h, hs, ys = p.initial, [p.initial], [np.zeros(len(p.c))]
        U = rows(p.U, "n")
        for x in p.pattern[: len(times) - 1]:
            net = {k: rows(p.W, k) @ x + rows(p.b, k) for k in p.order}
            z = sigma(net["z"] + rows(p.U, "z") @ h)
            if reset == "none":
                inside = U @ h
            else:
                r = sigma(net["r"] + rows(p.U, "r") @ h)
                inside = r * (U @ h + p.d) if reset == "after" else U @ (r * h)
            new = np.tanh(net["n"] + inside)
            h = z * h + (1.0 - z) * new if p.gate == "keep" else (1.0 - z) * h + z * new
            hs.append(h)
            ys.append(p.V @ h + p.c)
        return {"h.x": np.array(hs), "y.x": np.array(ys)}

    return course


@claim("Its equations, written out by hand", source="Cho et al. (2014), iterated")
def equations() -> list[Comparison]:
    """Three cells, two inputs, two outputs, every parameter off its default, for the three kinds of reset."""
    rng = np.random.default_rng(6)
    rows = []
    for reset, order, other in (("after", "zrn", "rnz"), ("before", "nrz", "zrn"), ("none", "nz", "zn")):
        gates = len(order)
        parameters: dict[str, Any] = {
            "W": rng.normal(size=(gates * 3, 2)),
            "U": rng.normal(size=(gates * 3, 3)),
            "b": rng.normal(size=gates * 3),
            "order": order,
            "gate": "renew",
            "V": rng.normal(size=(2, 3)),
            "c": rng.normal(size=2),
            "pattern": rng.normal(size=(6, 2)),
            "initial": rng.normal(size=3),
        }
        apart = ["n", "reset", "d"]
        if reset == "after":
            apart.remove("d")
            parameters["d"] = rng.normal(size=3)
        rows += equations_by_hand(
            functools.partial(build, reset=reset), parameters, _by_hand(reset), np.arange(7.0),
            apart=apart, changed={"order": other, "gate": "keep"}, tolerance=1e-11,
        )  # fmt: skip
    return rows
