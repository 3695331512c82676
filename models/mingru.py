"""minGRU: gates and candidates that see the input only, so that a cell is a linear filter with a speed of its own.

    z = sigma(W_z x(t) + b_z),     n = W_n x(t) + b_n
    h(t + 1) = (1 - z) h(t) + z n
    y(t + 1) = V h(t + 1) + c

x(t) is what is shown during the step from t to t + 1. The variant that the paper trains in the space of logarithms
replaces n by a positive function of it; it is not part of this.

Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs all we needed?, arXiv:2410.01201.

What is known: h(T) is a sum over all that was shown, which can be computed for all times at once (a scan). A step is
feedforward shunting, (13)-(16), with conductances of sum softplus(W_z x + b_z) that are held for one unit of time,
because sigma(-a) = exp(-softplus(a)). Large z forgets, z = 0 keeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.cells import (
    Blocks,
    Parts,
    bias_of,
    held_conductances,
    predicted_course,
    sequence_figure,
    sequence_of,
    shown_in,
    sigma,
    vector,
    weights_of,
)
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.update_gate import UpdateGateLayer
from brnn.spec.network import Network

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    W: ArrayLike | None = None,
    b: ArrayLike = 0.0,
    order: str = "zn",
    V: ArrayLike | None = None,
    c: ArrayLike = 0.0,
    pattern: ArrayLike | None = None,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a minGRU; by default eight cells that see two pulses.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default half of the rows of W, else 8.
    W : matrix [gates x cells, input], or None
        Input weights of z and n (1), in the given order; None draws them (Glorot, fixed seeds).
    b : float or array
        Biases (1), in the given order.
    order : str
        The letters z, n in the order in which the rows hold them.
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
        Layers "x", "h" and, with V, "y"; time counts steps.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite, or the network is too large.
    """
    at = "mingru"
    shown = sequence_of(at, pattern)
    blocks = Blocks(at, order, "zn", n, shown.shape[1], W, None, b, recurrent=False)
    size = blocks.size
    parts = Parts(at, shown)
    parts.layers.append(
        UpdateGateLayer("h", (size,), "linear", vector(initial, f"{at}: initial", size), gate="renew")
    )  # fmt: skip
    parts.gate(blocks, "z", "h", "modulatory", recurrent="")
    parts.gate(blocks, "n", "h", "excitatory", recurrent="")
    parts.read_out(size, V, c)
    return Network(at, **parts.network("Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), arXiv:2410.01201"))


# Claims --------------------------------------------------------------------------------------------------------


_BRIDGE = "exp(-softplus(a)) = sigma(-a); (16)"


def _random(seed: int) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Return arguments for three cells and two inputs, and z and n of all steps."""
    rng = np.random.default_rng(seed)
    p = {
        "W": rng.normal(size=(6, 2)),
        "b": rng.normal(size=6),
        "pattern": rng.normal(size=(25, 2)),
        "initial": rng.normal(size=3),
    }
    net = p["pattern"] @ p["W"].T + p["b"]
    return p, net[:, :3], net[:, 3:]


@claim("All steps at once: h is a sum of candidates times the products of what is kept", source="Feng et al. (2024)")
def a_scan_gives_all_steps() -> Comparison:
    """Random weights and inputs: products and sums over the past instead of steps."""
    p, a, n = _random(2024)
    return Comparison(_scan(a, n, p["initial"]), run(build(**p))["h.x"].values[1:], 1e-9)


def _scan(a: np.ndarray, n: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return h after each step, of z = sigma(a) and the candidates n of all steps."""
    kept = np.cumprod(1.0 - sigma(a), axis=0)
    return np.asarray(kept * (start + np.cumsum(sigma(a) * n / kept, axis=0)))


@claim("It is feedforward shunting (13)-(16) with conductances held for one unit of time", source=_BRIDGE)
def is_feedforward_shunting_held() -> Comparison:
    """Random weights and inputs: cells of (8) with A = 0, B = D, whose inputs are known beforehand, in one run."""
    p, a, n = _random(7)
    network = held_conductances(a, n, p["initial"], 1.5 * float(np.abs(n).max()))
    times = np.arange(26.0)
    return Comparison(run(network, 25.0, times=times)["F1.x"], run(build(**p), times=times)["h.x"], 1e-7)


@claim("The influence of the past fades as the product of 1 - z, whatever is shown later", source="derived")
def influence_fades() -> Comparison:
    """Two initial states under the same inputs."""
    p, a, _ = _random(9)
    ends = [run(build(**{**p, "initial": start}))["h.x"].values for start in (p["initial"], p["initial"] + 1.0)]
    return Comparison(np.cumprod(1.0 - sigma(a), axis=0), (ends[1] - ends[0])[1:], 1e-13)


@figure("x.x", "h.x")
def filtered(run: Run) -> FigureDescription | None:
    """Show what is shown and the cells, which approach their candidates at a speed that the input sets; the scan."""
    network, shown = run.network, shown_in(run.network)
    theory = {}
    if not run.start and len(shown) <= _SCANNED:
        a, n = (shown @ weights_of(network, f"W_{letter}").T + bias_of(network, f"b_{letter}") for letter in "zn")
        start = np.broadcast_to(run.values("h")[0], a[0].shape)
        course = np.concatenate([start[None], _scan(a, n, start)])
        theory["h"] = predicted_course(np.arange(len(course) + 0.0), course, "all steps at once")
    return sequence_figure(run, "Filters whose speed is set by the input", theory, h="Cells h")


_SCANNED = 200  # steps, of which the products of what is kept are still numbers


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    size = len(p.initial)
    at = {letter: slice(k * size, (k + 1) * size) for k, letter in enumerate(p.order)}
    h, hs, ys = p.initial, [p.initial], [np.zeros(len(p.c))]
    for x in p.pattern[: len(times) - 1]:
        z, n = sigma(p.W[at["z"]] @ x + p.b[at["z"]]), p.W[at["n"]] @ x + p.b[at["n"]]
        h = (1.0 - z) * h + z * n
        hs.append(h)
        ys.append(p.V @ h + p.c)
    return {"h.x": np.array(hs), "y.x": np.array(ys)}


@claim("Its equations, written out by hand", source="Feng et al. (2024), iterated")
def equations() -> list[Comparison]:
    """Three cells, two inputs, two outputs, every parameter off its default."""
    rng = np.random.default_rng(8)
    parameters = {
        "W": rng.normal(size=(6, 2)),
        "b": rng.normal(size=6),
        "order": "nz",
        "V": rng.normal(size=(2, 3)),
        "c": rng.normal(size=2),
        "pattern": rng.normal(size=(6, 2)),
        "initial": rng.normal(size=3),
    }
    return equations_by_hand(build, parameters, _by_hand, np.arange(7.0), changed={"order": "zn"}, tolerance=1e-11)
