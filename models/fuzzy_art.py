"""Fuzzy ART, adaptive resonance for analog patterns, as differential equations.

    du_ji/dt = 4 s (-u_ji + w_ji - I_i)                                 difference between memory and pattern
    dw_ji/dt = -M f(x_j) [u_ji]+                                        memory, in the phase "learn"
    do_j/dt  = 4 s (-o_j + sum_i I_i - sum_i [-u_ji]+)                  overlap
    dT_j/dt  = (8 s/n) (-alpha T_j + o_j - T_j sum_i w_ji)              choice, a shunting cell (9)
    dv_j/dt  = 4 s (-v_j + rho sum_i I_i - o_j - 2 n (1 - f(x_j)))      orienting cells

I is the complement code (a, 1 - a) of a pattern of n features in [0, 1]. At rest the overlap is |I ^ w_j|, the sum of
the smaller ones of I_i and w_ji, and T_j = |I ^ w_j|/(alpha + |w_j|). F2 (j), a recurrent competitive field (21),
chooses a category by T_j; f(x_j) is 1 for the chosen one and 0 for the others. If it is chosen but overlaps too little,
v_j becomes positive, F2 is reset, and another one is tried; the equations of this search stand in
`models/_resonance.py`. A category that has not learned has w = 1. Fast learning takes w_j to I ^ w_j.

A presentation takes a unit of time: search, and then fast learning (M is large). Between presentations there is a rest.

Source: Carpenter, Grossberg and Rosen (1991), Fuzzy ART: fast stable learning and categorization of analog patterns by
an adaptive resonance system, Neural Netw. 4, 759-771, which gives the algorithm; this network form is ours.

What is known:

- the network does what the algorithm does (`brnn.theory.art.fuzzy_art`): the same categories and weights.
- with fast learning w_j is a box, the smallest that contains the patterns of its category: (their minima, one minus
  their maxima). Its sides add up to at most n (1 - rho).
- weights only fall, so that learning is stable.
- with binary patterns and no complement code, alpha = L - 1, it is ART 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.errors import InputError
from brnn.models._claims import run
from brnn.models._presentations import pattern_rows
from brnn.models._resonance import CHOSEN, LEARN, Categories, labels, presentations, refuse_size, times
from brnn.signals import Function, Linear, ThresholdLinear
from brnn.spec.layers import Layer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import InPhase
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Sparse
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.spec.validate import number, whole
from brnn.theory import art

__all__ = ["build"]

PATTERNS = ((0.1, 0.2), (0.2, 0.1), (0.8, 0.9), (0.15, 0.3), (0.9, 0.8), (0.5, 0.1), (0.1, 0.9), (0.45, 0.2))
_REMAINS = 1e-6  # what is left of the difference between memory and pattern after one presentation
_BIAS = 1e-6


def build(
    pattern: ArrayLike = PATTERNS,
    rho: float = 0.75,
    m: int = 5,
    cycles: int = 2,
    alpha: float = 1e-3,
    M: float | None = None,
    speed: float | None = None,
    events: bool = True,
) -> Network:
    """Return fuzzy ART, which sees a list of patterns one after the other.

    Parameters
    ----------
    pattern : array in [0, 1]
        The patterns as rows, one column for each feature; they are complement coded (1).
    rho : float, in [0, 1]
        Vigilance (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 1
        How often the list is presented (1).
    alpha : float, > 0
        Choice parameter (1).
    M : float, >= 0
        Learning rate (1/time); by default learning ends within a presentation. With 0 nothing is learned.
    speed : float, > 0
        s (1/time); by default so large that all categories can be tried within a presentation. At least 2 M.
    events : bool
        Whether the choices and resets of the search are recorded as events.

    Returns
    -------
    Network
        Layers "input", "memory" (the weights w), "difference", "overlap", "choice", "F2" and the cells of the search.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    import scipy.sparse as sparse

    model = "fuzzy_art"
    shown = pattern_rows(pattern, f"{model}: pattern", minimum=0.0)
    if (shown > 1.0).any():
        raise InputError(f"{model}: pattern: has an element {shown.max():g}; every element must be in [0, 1]")
    n, vigilance = shown.shape[1], number(rho, f"{model}: rho", minimum=0.0, maximum=1.0)
    count, alpha = whole(m, f"{model}: m", minimum=1), number(alpha, f"{model}: alpha", above=0.0)
    rows = np.tile(art.complement(shown), (whole(cycles, f"{model}: cycles", minimum=1), 1))
    refuse_size(model, 4 * count * n + rows.size, f"{count} categories of {n} features")
    rate = -math.log(_REMAINS) / LEARN if M is None else number(M, f"{model}: M", minimum=0.0)
    s = max(12.0 * (count + 2), 2.0 * rate) if speed is None else number(speed, f"{model}: speed", above=0.0)
    if s < 2.0 * rate:
        raise InputError(f"{model}: speed = {s:g}: must be at least 2 M = {2.0 * rate:g}, or memories overshoot")

    field = Categories(count, s, _BIAS, orienting=count)
    one, every, off = OneToOne(weight=4.0 * s), AllToAll(weight=4.0 * s * vigilance), 2.0 * n
    of_category = sparse.kron(sparse.eye(count), np.ones((1, 2 * n)))  # memory cells of each category
    of_feature = sparse.kron(np.ones((count, 1)), sparse.eye(2 * n))  # the input cell of each memory cell
    positive, missing = ThresholdLinear(), Function("max(0, -w)")
    return Network(
        model,
        [
            Layer.additive("input", 2 * n, A=4.0 * s),
            GatedLayer(
                "memory", (count, 2 * n), A=0.0, B=1.0, C=0.0, E=1.0, F=0.0, initial=1.0, rest=-rate, gain=rate
            ),
            Layer.additive("difference", (count, 2 * n), A=4.0 * s, initial=1.0),
            Layer.additive("overlap", count, A=4.0 * s),
            Layer("choice", count, A=8.0 * s * alpha / n, B=8.0 * s / n, C=0.0, E=0.0, F=8.0 * s / n),
            *field.layers(),
        ],
        [
            Projection("memory", "difference", "excitatory", Linear(), one),
            Projection("input", "difference", "inhibitory", Linear(), Sparse(4.0 * s * of_feature)),
            Projection("difference", "memory", "inhibitory", positive, OneToOne()),
            Projection("F2", "memory", "modulatory", CHOSEN, Sparse(of_category.T)),
            Projection("input", "overlap", "excitatory", Linear(), AllToAll(weight=4.0 * s)),
            Projection("difference", "overlap", "inhibitory", missing, Sparse(4.0 * s * of_category)),
            Projection("overlap", "choice", "excitatory", Linear(), OneToOne()),
            Projection("memory", "choice", "inhibitory", Linear(), Sparse(of_category)),
            Projection("choice", "F2", "excitatory", positive, OneToOne()),
            Projection("input", "orienting", "excitatory", Linear(), every),
            Projection("overlap", "orienting", "inhibitory", Linear(), one),
            Projection("F2", "orienting", "excitatory", CHOSEN, OneToOne(weight=4.0 * s * off)),
            *field.projections(),
        ],
        [
            *field.stimuli(),
            Stimulus("orienting", "inhibitory", 4.0 * s * off),
            Stimulus("memory", "modulatory", 1.0, InPhase("learn")),
        ],
        protocol=presentations(rows, 4.0 * s),
        events=field.events() if events else (),
        reference="Carpenter, Grossberg and Rosen (1991), Neural Netw. 4, 759-771",
    )
