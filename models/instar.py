"""Instar: a category cell tunes its incoming weights to the patterns that are there while it is active.

    dx_i/dt = -A x_i + (B - x_i) I_i - x_i sum_{k != i} I_k         input cells: x_i goes to theta_i B I/(A + I)    (13)
    dx_j/dt = -A x_j + D sum_i x_i z_ij + T_j(t)                    category cell, T_j: a teaching input            (7)
    dz_ij/dt = M f(x_j) [h(x_i) - z_ij]                                                                           (12)

Learning is gated by the receiving cell: while it is active, f(x_j) > 0, its weights move toward the pattern of the
input cells; while it is not they keep what they have. D sum_i x_i z_ij then filters inputs: it tells how similar each is.

Source: Grossberg (1976), Adaptive pattern classification and universal recoding I, Biol. Cybern. 23, 121-134;
Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (12).

What is known (h(w) = w):

- one pattern: z(t) = h + (z(0) - h) exp(-M f t).
- several patterns: the weights go to their mean over the time for which the cell is active; with the rate
  M(t) = 1/(t + t0) this is the mean of all that was seen, with a constant rate the recent past counts more.
- patterns that come while f = 0 leave no trace, not in the last bit.
- of patterns of equal length the one that was learned excites the cell most (Cauchy and Schwarz).
- self-normalizing, dz_ij/dt = M f(x_j) [(1 - z_ij) h_i - z_ij sum_{k != i} h_k]: z_ij goes to h_i/sum_k h_k, so that the
  weights share an amount of 1 whatever the intensity of the input (Carpenter and Grossberg 1987).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.models._claims import run
from brnn.models._patterns import PATTERN_A, PATTERN_B, signal_of
from brnn.models._presentations import Presentations, order_of, pattern_rows, refuse_weights
from brnn.signals import Linear, Signal, ThresholdLinear
from brnn.spec.layers import Layer
from brnn.spec.learning import Instar, Learning, SelfNormalizing
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Samples
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll
from brnn.spec.validate import choice, number, whole

__all__ = ["build"]

_SILENT = 0.4  # part of each presentation without input


def build(
    pattern: ArrayLike | None = None,
    taught: ArrayLike = (0,),
    cycles: int = 6,
    A: float = 1.0,
    B: float = 1.0,
    M: float = 0.3,
    D: float = 1.0,
    signal: Signal = ThresholdLinear(gain=1.0, threshold=0.5),
    total: float = 10.0,
    teacher: float = 2.0,
    each: float = 5.0,
    law: Literal["instar", "self_normalizing"] = "instar",
    weights: ArrayLike | None = None,
) -> Network:
    """Return an instar that is taught some patterns out of several, and is then tested with all of them.

    The patterns are shown in turn, `cycles` times; the category cell is driven together with those that are `taught`.
    Then learning ends, and each pattern is shown once more: the category cell's activity tells how similar it is.

    Parameters
    ----------
    pattern : array, >= 0
        One pattern, or several as rows (1); each is scaled to reflectances theta_i, whose sum is 1.
    taught : array
        Indices of the patterns that are shown together with the teaching input (1).
    cycles : int, >= 1
        How often all patterns are shown in training (1).
    A : float, > 0
        Passive decay rate of all cells (1/time).
    B : float, > 0
        Upper bound of the input cells' activity (1).
    M : float, >= 0
        Learning rate (1/time).
    D : float, >= 0
        Strength of the connections (1/time).
    signal : Signal
        f, by which the category cell samples (1).
    total : float, > 0
        I, the total input of each pattern (1/time).
    teacher : float, >= 0
        T_j, input of the category cell while a taught pattern is shown (1/time).
    each : float, > 0
        How long each presentation takes (time); its last two fifths are silent.
    law : str
        Learning law: instar or self_normalizing.
    weights : float or array
        z at time 0: one number, or one for each input cell (1); 0.05 by default.

    Returns
    -------
    Network
        Layers "input" and "category", and the projection "instar" with the weights "instar.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    rows = pattern_rows((PATTERN_A, PATTERN_B) if pattern is None else pattern, "instar: pattern", minimum=0.0)
    if (rows.sum(axis=1) <= 0).any():
        raise SpecError(f"instar: pattern: row {int(rows.sum(axis=1).argmin())} is 0 everywhere; it has no reflectances")
    refuse_weights("instar", rows.shape[1])
    theta = rows / rows.sum(axis=1, keepdims=True)
    inputs = number(total, "instar: total", above=0.0) * theta
    chosen = np.unique(order_of(taught, "instar: taught", len(rows)))
    training = Presentations.cycles(len(rows), cycles, each, "instar")
    shown = training.then(np.arange(len(rows)))
    both = Presentations(np.concatenate([training.order, shown.order]), training.each)
    laws: dict[str, type[Learning]] = {"instar": Instar, "self_normalizing": SelfNormalizing}
    rule = laws[choice(law, "instar: law", tuple(laws))]
    on = number(teacher, "instar: teacher", minimum=0.0) * np.isin(np.arange(len(rows)), chosen)
    return Network(
        "instar",
        layers=(
            Layer.shunting("input", rows.shape[1], A=number(A, "instar: A", above=0.0), B=B),
            Layer.additive("category", 1, A=A),
        ),
        projections=(
            Projection(
                "input",
                "category",
                "excitatory",
                Linear(),
                AllToAll(weight=number(D, "instar: D", minimum=0.0)),
                learning=rule(
                    rate=M,
                    sampling=signal_of(signal, "instar: signal"),
                    initial=0.05 if weights is None else weights,
                    schedule=Pulse(0.0, training.stop),
                ),
                name="instar",
            ),
        ),
        stimuli=(
            Stimulus("input", "excitatory", inputs, both.shown(_SILENT)),
            Stimulus("input", "inhibitory", inputs.sum(axis=1, keepdims=True) - inputs, both.shown(_SILENT)),
            Stimulus("category", "excitatory", on[:, None], training.shown(_SILENT)),
        ),
        duration=both.stop,
        reference="Grossberg (1976), Biol. Cybern. 23, 121-134",
    )
