"""ART 1 after fast learning: the algorithm learns, the network recognizes.

    T_j = L |I & V_j|/(L - 1 + |V_j|)                                   choice
    |I & V_j|/|I| >= rho                                                match; else the next one is tried
    V_j becomes I & V_j,  z_ji = V_ji,  z_ij = L V_ji/(L - 1 + |V_j|)   fast learning, dz/dt = 0

When weights come to rest within each presentation, the differential equations of `art1` reduce to this algorithm,
`brnn.theory.art.art1`. It presents a list until no template changes. The network that is returned is that of `art1`
with what was learned as its weights, learning switched off (dz/dt = 0): it shows how the list is recognized.

Source: Carpenter and Grossberg (1987), A massively parallel architecture for a self-organizing neural pattern
recognition machine, Comput. Vision Graph. Image Process. 37, 54-115; Georgiopoulos, Heileman and Huang (1991),
Properties of learning related to pattern diversity in ART1, Neural Netw. 4, 751-757.

What is known:

- with small L - 1 learning ends within as many list presentations as there are sizes of patterns.
- after that every pattern has direct access: the category that it chooses first is its own.
- with rho = 1 there is a category for each distinct pattern. Between lists the number of categories rises with rho on
  the average; for a single list it may fall.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.models import art1
from brnn.models._claims import run
from brnn.models._resonance import ACCURACY, choices, labels, times
from brnn.spec.network import Network
from brnn.spec.validate import whole
from brnn.theory import art

__all__ = ["build"]


def build(
    pattern: ArrayLike = art1.PATTERNS,
    rho: float = 0.5,
    m: int = 4,
    cycles: int = 20,
    L: float = 2.0,
    fresh: float = 0.9,
    speed: float | None = None,
    events: bool = True,
) -> Network:
    """Return ART 1 with the weights that the algorithm has learned; it sees the list once.

    Parameters
    ----------
    pattern : array of 0 and 1
        The patterns as rows, none of them empty (1).
    rho : float, in [0, 1]
        Vigilance (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 0
        How often the algorithm presents the list at most (1); it stops when no template changes any more.
    L : float, > 1
        How much larger templates are preferred: the less, the nearer to 1 (1).
    fresh : float, in (0, 1]
        Weights of categories that have not learned, in units of the largest that is allowed (1).
    speed : float, > 0
        s (1/time); see `art1`.
    events : bool
        Whether the choices and resets are recorded as events.

    Returns
    -------
    Network
        As that of `art1`; "down.z" are the templates.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "art1_fast"
    shown = art.binary_patterns(pattern, f"{model}: pattern")
    lists = whole(cycles, f"{model}: cycles", minimum=0)
    known = None
    if lists:
        learned = art.art1(shown, rho, L=L, categories=m, lists=lists, fresh=fresh, stop=True)
        known = learned.templates
    network = art1.build(shown, rho, m, 1, L=L, fresh=fresh, M=0.0, speed=speed, templates=known, events=events)
    return network.replace(name=model)
