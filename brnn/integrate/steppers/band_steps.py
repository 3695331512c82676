"""Steps in bands of rows (brnn.compiler.bands), compiled as they stand: threads share the bands of all phases.

One of them makes the steps (`advance`), the others help (`help_out`): each takes the next task, a phase of a band, that
nobody has, and begins it when the bands that it needs are over. These were begun before. If a helper does not get a
processor, the others do its tasks; nothing waits for it but what needs a task that it has begun.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import bits_of, call_band, call_yield, fetch_add, number_of, place_of, set_shared

__all__ = ["advance", "help_out"]

# What all threads see: which task of which step is the next, how many are done, whether there will be more steps, how
# many steps were begun, how often others were waited for; addresses of the function, the state, its slopes, and the
# table of everything else; the bits of the time; how many bands there are.
TICKET, DONE, CLOSED, SERIES, LATE = 0, 8, 16, 24, 32  # in cache lines of their own
# If others are waited for more often than so, and OFTEN a step, the processors have other work: one thread is quicker.
TOO_OFTEN, OFTEN = 20, 2
FUNCTION, U, SLOPES, TABLE, TIME, BANDS = range(40, 46)
WHOLE = 48
LINE = 8  # whole numbers in a line of the cache, for which each task has one that says in which step it was done
_MASK = 0xFFFFFFFF
_SPINS = 50_000  # looks before others may have the processor: longer than a task of another one takes

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_HELPER)
def _do_tasks(whole: np.ndarray, tasks: np.ndarray, over: np.ndarray, room: np.ndarray, give_way: int) -> bool:
    """Do tasks of the step that nobody else does, in some room; return whether there was one."""
    any_done, bands = False, whole[BANDS]
    while True:
        ticket = fetch_add(whole, TICKET, 1)
        if ticket & _MASK >= tasks.shape[0]:
            return any_done
        step, task = ticket >> 32, tasks[ticket & _MASK]
        phase, band = task[0], task[1]
        if phase > 0:
            for b in range(task[2], task[3]):
                spins = 0
                while fetch_add(over, LINE * ((phase - 1) * bands + b), 0) < step:
                    spins += 1
                    if spins > _SPINS:
                        if spins == _SPINS + 1:
                            fetch_add(whole, LATE, 1)
                        call_yield(give_way)
        call_band(
            whole[FUNCTION], number_of(whole[TIME]), whole[U], whole[SLOPES], whole[TABLE], phase, band, place_of(room)
        )
        set_shared(over, LINE * (phase * bands + band), step)
        fetch_add(whole, DONE, 1)
        any_done = True


@njit(cache=True, nogil=True, error_model="numpy")
def help_out(whole: np.ndarray, tasks: np.ndarray, over: np.ndarray, room: np.ndarray, give_way: int) -> None:
    """Do tasks of every step, until there will be no more."""
    spins = 0
    while fetch_add(whole, CLOSED, 0) == 0:
        spins += 1
        if fetch_add(whole, TICKET, 0) & _MASK < tasks.shape[0]:
            if _do_tasks(whole, tasks, over, room, give_way):
                spins = 0
        elif spins > _SPINS:
            call_yield(give_way)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    whole: np.ndarray, tasks: np.ndarray, over: np.ndarray, room: np.ndarray, times: np.ndarray, steps: np.ndarray,
    length: np.ndarray, helpers: int, give_way: int,
) -> None:  # fmt: skip
    """Make steps that end at `times`; `length` is where the function looks for the length of a step."""
    for k in range(steps.size):
        length[0] = steps[k]
        whole[TIME] = bits_of(times[k])
        whole[SERIES] += 1
        set_shared(whole, DONE, 0)
        set_shared(whole, TICKET, whole[SERIES] << 32)
        _do_tasks(whole, tasks, over, room, give_way)
        spins = 0
        while helpers and fetch_add(whole, DONE, 0) < tasks.shape[0]:
            spins += 1
            if spins > _SPINS:
                if spins == _SPINS + 1:
                    fetch_add(whole, LATE, 1)
                call_yield(give_way)
    set_shared(whole, CLOSED, 1)
