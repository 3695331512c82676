"""How steps end where signals jump: the numbers that all ways to make them share (`brnn.integrate.sides`).

They stand in compiled code, too, whose copies in the cache are named after this text.
"""

from __future__ import annotations

__all__ = ["AWAY", "BEYOND", "CLOSER", "NEAR_END", "TREMBLE"]

# States within a step are less accurate than at its end: a step in which a signal jumps before the part NEAR_END is
# made again, a little longer than to the jump.
NEAR_END, BEYOND = 0.9, 1.0625
CLOSER = 3  # times a cell that turns in a step is looked at, ever closer, where it is nearest to its jump
AWAY = 1_000.0  # tolerances from its jump where a loose signal is kept on its side again
TREMBLE = 10.0  # tolerances; a cell that came no farther since it crossed slides
