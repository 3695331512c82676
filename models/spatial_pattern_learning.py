"""Spatial pattern learning by many sampling cells at once, in recurrent and in non-recurrent networks.

    dx_i/dt = -A x_i + sum_k p_k f(x_k) z_ki + theta_i C(t)                                             (35)
    dz_ji/dt = M f(x_j) [x_i - z_ji]            or, with passive decay,  dz_ji/dt = -z_ji + M f(x_j) x_i           (36)

The cells j sample the activities of the cells i and send to all of them with the positive strength p_j. In the
non-recurrent network the sampling cells have inputs of their own; in the completely recurrent one every cell samples
all the others and itself, so that what a cell sends is mixed with what all the others send. The review writes (35), (36)
with arbitrary functionals A, B_k, D_j, E_j of the past; here B_k = p_k f(x_k(t - delay)), E_j = M f(x_j(t - delay)).

Source: Grossberg (1971), Pavlovian pattern learning by nonlinear neural networks, Proc. Natl. Acad. Sci. USA 68,
828-831; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equations (35), (36).

What is known (x = sum x_i, z_j = sum_i z_ji, X_i = x_i/x, Z_ji = z_ji/z_j):

- dX_i/dt = sum_j (B_j z_j/x) (Z_ji - X_i) + (C/x) (theta_i - X_i),  dZ_ji/dt = (E_j x/z_j) (X_i - Z_ji): the pattern moves
  only toward itself. So for each i the largest of theta_i, X_i, Z_1i, Z_2i, ... never rises and the smallest never falls.
- every X_i and Z_ji goes to theta_i, however many cells sample at once, whatever the strengths p_j, the delay, and the
  fluctuations of C(t), if each cell samples for long enough: learning has no bias. Each sampling cell then reads
  theta_i out alone.
- the strength of a cell may not differ between the cells that it sends to: that distorts the pattern.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.models._claims import run, slope
from brnn.models._patterns import activities, default_pattern, field_shape, signal_of
from brnn.models._presentations import refuse_weights
from brnn.signals import Saturating, Signal
from brnn.spec.layers import Layer
from brnn.spec.learning import Learning, Outstar, PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulses, Samples
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.spec.validate import array, choice, number, one_of, whole

__all__ = ["build"]

_LAWS: dict[str, Callable[..., Learning]] = {"outstar": Outstar, "passive_decay": PassiveDecay}
_LAG, _ON, _PERIOD = 3.0, 5.0, 12.0  # one sampling cell begins 3 after the other, for 5 units of time, every 12
_RECALL = 6.0  # time for each recall at the end


def build(
    n: int | tuple[int, ...] | None = None,
    sources: int = 4,
    recurrent: bool = False,
    A: float = 1.0,
    M: float = 1.0,
    signal: Signal = Saturating(gain=1.0, half=0.5),
    law: Literal["outstar", "passive_decay"] = "outstar",
    pattern: ArrayLike | None = None,
    strengths: ArrayLike | None = None,
    delay: float = 0.0,
    cycles: int = 8,
    seed: int = 0,
) -> Network:
    """Return a network that learns one pattern, whose intensity fluctuates, with several sampling cells.

    The non-recurrent network's sampling cells are on one after the other and overlap; at the end the pattern is off,
    and each of them recalls it alone. The activities and weights at time 0 are random.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells that receive the pattern, along each axis (1); by default that of `pattern`, else 10.
    sources : int, >= 1
        Number of sampling cells of the non-recurrent network (1).
    recurrent : bool
        Whether the cells that receive the pattern are themselves the sampling cells.
    A : float, > 0
        Passive decay rate of all cells (1/time).
    M : float, >= 0
        Learning rate (1/time).
    signal : Signal
        f, what a sampling cell sends, and by which it samples (1); it must be positive while the cell is to learn.
    law : str
        Learning law: outstar or passive_decay.
    pattern : float or array, >= 0
        What is taught (1); it is scaled to the reflectances theta_i, whose sum is 1.
    strengths : array, > 0
        p_j, one for each sampling cell (1/time); by default random, with a sum of 0.8 A. The activities stay bounded if
        the sum of the p_j, times the largest f, is less than A.
    delay : float, >= 0
        Lag of the signals of the sampling cells (time).
    cycles : int, >= 1
        How long the training lasts, in cycles of 12 units of time (1).
    seed : int, >= 0
        Seed of the random strengths, of the beginning, and of the fluctuations (1).

    Returns
    -------
    Network
        Layer "field" (and "source"), and the projection "paths" with the weights "paths.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "spatial_pattern_learning"
    one_of(recurrent, f"{model}: recurrent", bool, "true or false")
    cells = field_shape(model, n, 10, (("pattern", pattern),))
    size = math.prod(cells)
    count = size if recurrent else whole(sources, f"{model}: sources", minimum=1)
    refuse_weights(model, size * count)
    shown = default_pattern(cells) if pattern is None else pattern
    shown = np.broadcast_to(activities(shown, f"{model}: pattern", cells, minimum=0.0), cells)
    if shown.sum() <= 0:
        raise SpecError(f"{model}: pattern: is 0 everywhere; it has no reflectances")
    decay = number(A, f"{model}: A", above=0.0)
    rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
    p = _strengths(strengths, count, decay, rng)
    trained = _PERIOD * whole(cycles, f"{model}: cycles", minimum=1)
    knots = np.linspace(0.0, trained, int(trained) + 1)
    course = np.append(np.exp(rng.standard_normal(knots.size - 1)), 0.0)  # ends at 0
    initial = rng.uniform(0.1, 1.0, size=cells)
    weights = rng.uniform(0.1, 1.0, size=(size, count))
    rule = _LAWS[choice(law, f"{model}: law", tuple(_LAWS))]
    field = Layer.additive("field", cells, A=decay, initial=initial)
    paths = Projection(
        "field" if recurrent else "source",
        "field",
        "excitatory",
        signal_of(signal, f"{model}: signal"),
        Dense(np.tile(p, (size, 1))),
        learning=rule(rate=M, initial=weights) if rule is Outstar else rule(rate=M, initial=weights, sampled=_IDENTITY),
        delay=delay,
        name="paths",
    )
    return Network(
        model,
        layers=(field,) if recurrent else (Layer.additive("source", count, A=decay), field),
        projections=(paths,),
        stimuli=(
            Stimulus("field", "excitatory", shown / shown.sum(), Samples(knots, course)),
            *([] if recurrent else [_cue(k, count, trained) for k in range(count)]),
        ),
        duration=trained + (_PERIOD if recurrent else 2.0 * _RECALL * count),
        reference="Grossberg (1971), Proc. Natl. Acad. Sci. USA 68, 828-831",
    )
