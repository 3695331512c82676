"""Steps in bands of rows (brnn.compiler.bands), compiled as they stand: threads share the bands of each phase.

One of them makes the steps (`advance`), the others help (`help_out`): each takes the next band that nobody has. If a
helper does not get a processor, the others do its bands; nothing waits for it but a band that it has begun.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import bits_of, call_block, call_yield, fetch_add, number_of, place_of, set_shared

__all__ = ["advance", "help_out"]

# What all threads see: which band is the next, how many are done, whether there will be more phases, and which one
# this is; how many bands there are; addresses of the function, the state, its slopes, and the table of everything
# else; the bits of the time; how often to look for work before others may have the processor.
TICKET, DONE, CLOSED, SERIES = 0, 8, 16, 24  # in cache lines of their own
PHASE, BANDS, FUNCTION, U, SLOPES, TABLE, TIME = range(32, 39)
WHOLE = 40
_MASK = 0xFFFFFFFF
_SPINS = 3_000

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_HELPER)
def _do_bands(whole: np.ndarray, room: np.ndarray) -> bool:
    """Do bands of the phase that nobody else does, in some room; return whether there was one."""
    any_done = False
    while True:
        band = fetch_add(whole, TICKET, 1) & _MASK
        if band >= whole[BANDS]:
            return any_done
        call_block(
            whole[FUNCTION], number_of(whole[TIME]), whole[U], whole[SLOPES], whole[TABLE], whole[PHASE], band,
            place_of(room),
        )  # fmt: skip
        fetch_add(whole, DONE, 1)
        any_done = True


@njit(cache=True, nogil=True, error_model="numpy")
def help_out(whole: np.ndarray, room: np.ndarray, give_way: int) -> None:
    """Do bands of every phase, until there will be no more."""
    spins = 0
    while fetch_add(whole, CLOSED, 0) == 0:
        spins += 1
        if fetch_add(whole, TICKET, 0) & _MASK < whole[BANDS]:
            if _do_bands(whole, room):
                spins = 0
        elif spins > _SPINS:
            call_yield(give_way)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    whole: np.ndarray, room: np.ndarray, times: np.ndarray, steps: np.ndarray, length: np.ndarray, phases: int,
    helpers: int, give_way: int,
) -> None:  # fmt: skip
    """Make steps that end at `times`; `length` is where the function looks for the length of a step."""
    for k in range(steps.size):
        length[0] = steps[k]
        whole[TIME] = bits_of(times[k])
        for phase in range(phases):
            whole[PHASE] = phase
            set_shared(whole, DONE, 0)
            whole[SERIES] += 1
            set_shared(whole, TICKET, whole[SERIES] << 32)
            _do_bands(whole, room)
            spins = 0
            while helpers and fetch_add(whole, DONE, 0) < whole[BANDS]:
                spins += 1
                if spins > _SPINS:
                    call_yield(give_way)
    set_shared(whole, CLOSED, 1)
