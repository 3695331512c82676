"""The kind of a signal, found by sampling its hill function."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np

__all__ = ["classify"]

_SAMPLES = 4001
_LOG_SAMPLES = 801
_STEADY = 5  # so many steps in a row without change are a flat stretch; fewer are the top of a smooth hill


def classify(signal: Callable[[Any], Any], hill: Callable[[Any], Any], w_max: float) -> str:
    """Return the kind of a signal f on (0, w_max] from samples of its hill function h(w) = f(w)/w.

    The samples are dense both in w and in log w (down to ``w_max * 1e-4``). A change of h that could be rounding
    in f counts as none.
    """
    w = np.union1d(
        np.linspace(0.0, w_max, _SAMPLES)[1:], np.geomspace(1e-4 * w_max, w_max, _LOG_SAMPLES).clip(max=w_max)
    )
    f, h = np.asarray(signal(w)), np.asarray(hill(w))
    good = np.isfinite(f) & np.isfinite(h)
    w, f, h = w[good], f[good], h[good]
    if len(w) < 2:
        return "mixed"
    noise = 1e-13 * np.abs(h) + 1e-15 * np.abs(f).max() / w
    steps = np.diff(h)
    signs = np.where(np.abs(steps) <= noise[:-1] + noise[1:], 0, np.sign(steps)).astype(int)
    runs = [(sign, len(list(group))) for sign, group in groupby(signs)]
    runs = [run for run in runs if run[0] != 0 or run[1] >= _STEADY]
    pattern = [sign for sign, _ in groupby(sign for sign, _ in runs)]
    while pattern and pattern[0] == 0:  # flat from the start, then something: the something names the kind
        pattern.pop(0)
    moves = [sign for sign in pattern if sign]
    if not moves:
        return "linear"
    if set(moves) == {-1}:
        return "slower-than-linear"
    if pattern == [1]:
        return "faster-than-linear"
    if pattern in ([1, 0], [1, -1], [1, 0, -1], [1, -1, 0]):
        return "sigmoid"
    return "mixed"
