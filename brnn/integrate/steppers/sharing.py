"""Passes over memory whose parts threads share, compiled as they stand.

One thread makes the steps, and does parts of each pass from the front (`share`); the others help (`help_out`) and take
them from the back: so nearly all parts stay with the processor whose cache holds them. What the parts are does not
depend on who does them, so that no bit depends on the number of threads. If a helper does not get a processor, the
others do its parts; nothing waits for it but those that it has begun.

A part is done by a function at an address, ``do(place, room, part)``: where what it needs is found, where its thread
may work, and which part.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import call_share, call_yield, fetch_add, set_shared

__all__ = ["ALONE", "CLOSED", "DO", "FREE", "LATE", "PARTS", "PLACE", "TAKEN", "asked_on", "help_out", "share"]

# What all threads see of a pass: how many shares of it are taken from the front and (times _BACK) from the back, how
# many are done, whether there will be more passes, how often others were waited for; the function, its first argument,
# how many parts there are, and whether others were waited for too often. What stands behind belongs to those who make
# the steps.
TAKEN, DONE, CLOSED, LATE = 0, 8, 16, 24  # in cache lines of their own
DO, PLACE, PARTS, ALONE = 32, 33, 34, 35
FREE = 40
_BACK = 2**32
_SHARES = 64  # of a pass, at most about: none waits long for the last one of another
# If helpers are waited for more often than so and in one of eight steps, the processors have other work: one thread is
# quicker from then on. Each wait may take milliseconds, and one that is 16 times as long counts once more; to let
# others run takes a part of a microsecond if nobody wants to, and milliseconds if somebody does.
_TOO_OFTEN = 3
_SPINS = 3_000  # looks at whether there is work, before others may have the processor
_PATIENCE = 15_000  # and at whether a share is done: with 3,000 a field of 256 squared counted its own shares as late

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_HELPER)
def _per_share(parts: int) -> int:
    """Return how many parts are taken at once."""
    return max(1, parts // _SHARES)


@njit(**_HELPER)
def _left(taken: int, parts: int) -> bool:
    """Tell whether there is a share that nobody has taken."""
    return (taken % _BACK + taken // _BACK) * _per_share(parts) < parts


@njit(**_HELPER)
def _do_shares(whole: np.ndarray, room: int, back: bool) -> bool:
    """Do parts of the pass that nobody else does; return whether there was one."""
    any_done, parts = False, whole[PARTS]
    each = _per_share(parts)
    shares = (parts + each - 1) // each
    while True:
        taken = fetch_add(whole, TAKEN, _BACK if back else 1)
        if not _left(taken, parts):
            return any_done
        mine = shares - 1 - taken // _BACK if back else taken % _BACK
        for part in range(mine * each, min((mine + 1) * each, parts)):
            call_share(whole[DO], whole[PLACE], room, part)
        fetch_add(whole, DONE, 1)
        any_done = True


@njit(cache=True, nogil=True, error_model="numpy")
def help_out(whole: np.ndarray, room: int, give_way: int) -> None:
    """Do parts of every pass, until there will be no more."""
    spins = 0
    while fetch_add(whole, CLOSED, 0) == 0:
        spins += 1
        if _left(whole[TAKEN], whole[PARTS]):
            if _do_shares(whole, room, True):
                spins = 0
        elif spins > _SPINS:
            call_yield(give_way)


@njit(**_HELPER)
def share(whole: np.ndarray, room: int, helpers: int, give_way: int) -> None:
    """Make a pass, all of whose parts are done when this returns."""
    parts = whole[PARTS]
    if helpers == 0:
        for part in range(parts):
            call_share(whole[DO], whole[PLACE], room, part)
        return
    set_shared(whole, DONE, 0)
    set_shared(whole, TAKEN, 0)
    _do_shares(whole, room, False)
    spins, each = 0, _per_share(parts)
    patience = _PATIENCE * each  # longer than another one's last share takes
    next_count = patience + 1
    while fetch_add(whole, DONE, 0) * each < parts:
        spins += 1
        if spins > patience:
            if spins == next_count:
                whole[LATE] += 1
                next_count = patience + 16 * (spins - patience)
            call_yield(give_way)


@njit(**_HELPER)
def asked_on(whole: np.ndarray, steps: int, helpers: int) -> int:
    """Return how many helpers share the passes of a step: none if they came late in too many of so many steps."""
    if helpers > 0 and whole[LATE] > _TOO_OFTEN + steps // 8:
        whole[ALONE] = 1
        return np.int64(0)
    return helpers
