"""Competitive learning (self-organizing map): category cells compete for each pattern, and the winner's instar learns it.

    dx_i/dt = 2 s (-x_i + p_i)                                       input cells
    T_j = sum_i x_i z_ij                                             adaptive filter
    dx_j/dt = s (-x_j + (1 - x_j) [T_j + C x_j^2] - x_j [C sum_{k != j} x_k^2 + J])           category cells    (21)
    dz_ij/dt = M f(x_j) [x_i - z_ij]                                 instars                                    (12)

with C five times the number of categories, or, for `winner="fast"`, category cells with linear signals above 0,
dx_j/dt = s (-x_j + T_j - 3 sum_{k != j} [x_k]+ - J). Patterns p have unit length and are shown for a unit of time; J
resets the category cells around each change. The signal f is 1 for the winner and 0 for the others.

Source: Grossberg (1976), Adaptive pattern classification and universal recoding I, Biol. Cybern. 23, 121-134; von der
Malsburg (1973), Self-organization of orientation sensitive cells in the striate cortex, Kybernetik 14, 85-100.

What is known:

- the category with the largest T_j wins, and only its weights change; those of the others do not, in no bit.
- each presentation moves the winner's weights by the factor q = exp(-M int f dt) toward the pattern.
- sparse patterns, more alike within their groups than between them: learning is stable. Each group keeps its category
  for ever, and the category's weights track the group's mean.
- dense patterns that drift: categories are recoded without end, and what they held before is forgotten as q^k.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.models._claims import run
from brnn.models._competition import DECIDED, Competition, random_weights
from brnn.models._presentations import Presentations, order_of, pattern_rows, refuse_weights, unit_rows
from brnn.spec.network import Network
from brnn.spec.schedules import Schedule
from brnn.spec.validate import number, whole

__all__ = ["build"]


def build(
    pattern: ArrayLike | None = None,
    m: int = 3,
    cycles: int = 4,
    order: ArrayLike | None = None,
    M: float = 0.5,
    winner: Literal["rcf", "fast"] = "rcf",
    speed: float = 40.0,
    weights: ArrayLike | None = None,
    window: Schedule | None = None,
    seed: int = 0,
) -> Network:
    """Return a self-organizing map that sees patterns one after the other, each for a unit of time.

    Parameters
    ----------
    pattern : array, >= 0
        The patterns as rows (1), which are scaled to unit length; by default three groups of six in a plane.
    m : int, >= 1
        Number of category cells (1).
    cycles : int, >= 1
        How often every pattern is shown, each time in another order (1); not used if `order` is given.
    order : array
        Indices of the patterns in the order in which they are shown (1).
    M : float, >= 0
        Learning rate (1/time).
    winner : str
        How the winner is found: rcf, a recurrent competitive field, or fast, for many categories.
    speed : float, > 0
        s, the rate of the category cells (1/time); it must be large beside 1 for the competition to be over in time.
    weights : array
        z at time 0, [category, input] (1); by default random, of unit length.
    window : Schedule
        Factor of M in time: a learning window, or a rate that falls.
    seed : int, >= 0
        Seed of the random order and the random weights (1).

    Returns
    -------
    Network
        Layers "input" and "category", and the projection "filter" with the weights "filter.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "competitive_learning"
    rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
    given = _groups() if pattern is None else pattern_rows(pattern, f"{model}: pattern", minimum=0.0)
    patterns = unit_rows(given, f"{model}: pattern")
    categories = whole(m, f"{model}: m", minimum=1)
    refuse_weights(model, categories * patterns.shape[1])
    times = whole(cycles, f"{model}: cycles", minimum=1)
    if order is None:
        chosen = np.concatenate([rng.permutation(len(patterns)) for _ in range(times)])
    else:
        chosen = order_of(order, f"{model}: order", len(patterns))
    shown = Presentations(chosen, 1.0)
    start = random_weights(weights, f"{model}: weights", categories, patterns.shape[1], rng)
    competition = Competition.checked(patterns.shape[1], categories, shown, winner, speed, model)
    return Network(
        model,
        layers=competition.layers(),
        projections=competition.projections(number(M, f"{model}: M", minimum=0.0), start, window),
        stimuli=competition.stimuli(patterns),
        duration=shown.stop,
        reference="Grossberg (1976), Biol. Cybern. 23, 121-134",
    )


def _groups(middles: tuple[float, ...] = (12.0, 45.0, 78.0), spread: float = 6.0, each: int = 6) -> np.ndarray:
    """Return groups of unit vectors in the plane: `each` directions within `spread` degrees of each middle."""
    angles = np.deg2rad(np.add.outer(middles, np.linspace(-spread, spread, each)).ravel())
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
