"""The pair of Dormand and Prince (1980), J. Comput. Appl. Math. 6, 19-26, as arrays.

Its interpolant of order 4 is Shampine's (1986), Math. Comp. 46, 135. Row k of ROWS makes stage k, the last of them the
new state; column j of INSIDE are the coefficients of the power j + 1 of the part of a step.
"""

from __future__ import annotations

import numpy as np

__all__ = ["EARLIER", "ERROR", "INSIDE", "NODES", "ROWS", "STAGES"]

STAGES = 7
NODES = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1])
ROWS = [
    np.array([0, 0, 0, 0, 0]),
    np.array([1 / 5, 0, 0, 0, 0]),
    np.array([3 / 40, 9 / 40, 0, 0, 0]),
    np.array([44 / 45, -56 / 15, 32 / 9, 0, 0]),
    np.array([19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0]),
    np.array([9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656]),
    np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]),
]
# Which slopes count in each row from ROWS[2] on beside the last one: four, where there are fewer the first one again.
EARLIER = ((0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 2, 0), (0, 1, 2, 3), (0, 2, 3, 4))
ERROR = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
INSIDE = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)
