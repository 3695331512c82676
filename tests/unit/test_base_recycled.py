"""Memory that comes back: never while somebody holds it, and never more than is said."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.base import recycled

ROWS = (200, 1000)


@pytest.fixture(autouse=True)
def nothing_idle():
    gc.collect()
    recycled._idle.clear()
    recycled._idle_huge.clear()
    yield
    recycled._idle.clear()
    recycled._idle_huge.clear()


def place(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_array_has_its_shape_and_type_and_may_be_written(dtype):
    array = recycled.empty((200, 30, 40), dtype)
    array[:] = 3.0
    assert (array.shape, array.dtype, array.sum()) == ((200, 30, 40), np.dtype(dtype), 720_000.0)
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert place(array) % 64 == 0


def test_memory_that_nobody_holds_is_used_again():
    first = recycled.empty(ROWS)
    where = place(first)
    del first
    assert place(recycled.empty(ROWS)) == where


@pytest.mark.parametrize(
    "held",
    [
        lambda array: array,
        lambda array: array[5:7, ::3],
        lambda array: array.ravel().reshape(1000, 200).T[3],
        lambda array: memoryview(array[2]),
        lambda array: np.lib.stride_tricks.sliding_window_view(array, 4, axis=1)[10],
        lambda array: array.view(np.int64)[1:],
    ],
    ids=["itself", "slice", "view of views", "buffer", "strides", "other type"],
)
def test_what_somebody_holds_is_lent_to_nobody_else(held):
    array = recycled.empty(ROWS)
    array[:] = np.arange(ROWS[1])
    rest = held(array)
    before = np.array(rest)
    del array
    for _ in range(5):
        recycled.empty(ROWS)[:] = -1.0
        later = recycled.empty(ROWS)
        later[:] = -2.0
    assert np.array_equal(np.array(rest), before)


def test_few_arrays_wait_for_their_next_use_and_no_huge_one():
    many = [recycled.empty(ROWS) for _ in range(6)]
    assert len({place(array) for array in many}) == 6
    del many
    assert len(recycled._idle) == 2
    recycled._idle.clear()
    huge = recycled.empty((recycled._HUGE // 8 + 1,)), recycled.empty((10, 10)), recycled.empty((0, 1000))
    del huge
    assert not recycled._idle
    assert not recycled._idle_huge
    large = [recycled.empty((recycled._LARGEST // 8 + 1,)) for _ in range(3)]
    where = {place(array) for array in large}
    del large
    assert not recycled._idle
    assert len(recycled._idle_huge) == (1 if recycled._madvise is not None else 0)
    assert place(recycled.empty((recycled._LARGEST // 8 + 1,))) in where or recycled._madvise is None


# In a process of its own, where nothing else comes and goes. What the system took already it could take.
_TAKEN = """
from pathlib import Path
from brnn.base import recycled

def kept():
    lines = (line.split() for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:])
    sizes = {line[0]: int(line[1]) for line in lines}
    return sizes["Rss:"] - sizes["LazyFree:"]  # kB

array = recycled.empty((5_000_000,))
array[:] = 1.0
held = kept()
del array
waiting = kept()
again = recycled.empty((5_000_000,))
again[:] = 2.0
assert (again == 2.0).all()
print(held - waiting, kept() - waiting)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells")
def test_the_system_can_take_large_memory_that_waits():
    said = subprocess.run([sys.executable, "-c", _TAKEN], capture_output=True, text=True, check=True).stdout
    released, kept_again = map(int, said.split())
    assert released > 35_000
    assert kept_again > 35_000  # what is written is nobody else's any more


def test_much_larger_memory_is_not_held_by_a_small_array():
    recycled.empty((2_000_000,))
    assert recycled._idle[-1].nbytes > 15e6
    small = recycled.empty((100_000,))
    assert place(small) - place(recycled._idle[-1]) not in range(64)


def test_threads_do_not_share():
    wrong = []

    def work(mark: float) -> None:
        for _ in range(200):
            array = recycled.empty((20_000,))
            array[:] = mark
            if not (array == mark).all():
                wrong.append(mark)
            del array

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_results_stay_what_they_are_when_others_follow():
    network = brnn.models.rcf.build(n=100)
    times, begin = np.linspace(0.0, 5.0, 200), np.linspace(0.1, 0.9, 100)
    prepared = brnn.prepare(network)
    results = [
        brnn.simulate(network, 5.0, times=times, initial={"rcf.x": begin}),
        prepared.run(None, 5.0, times=times, initial={"rcf.x": begin / 2}),
    ]
    rows = prepared.trajectory(None, 5.0, times=times, initial={"rcf.x": begin / 3})
    kept = [np.array(result["rcf.x"]) for result in results] + [rows.copy()]
    part = results[0]["rcf.x"].to_numpy()[50:60]
    for factor in np.linspace(0.5, 0.9, 5):
        prepared.trajectory(None, 5.0, times=times, initial={"rcf.x": factor * begin})
        brnn.simulate(network, 5.0, times=times, initial={"rcf.x": factor * begin})
    del results[0]
    brnn.simulate(network, 5.0, times=times, initial={"rcf.x": 0.1 * begin})
    assert np.array_equal(part, kept[0][50:60])
    assert np.array_equal(results[0]["rcf.x"].to_numpy(), kept[1])
    assert np.array_equal(rows, kept[2])


def test_memory_is_given_back_while_the_interpreter_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the module are None by then."""
    lent = recycled._Lent(np.empty(200_000, np.uint8), (1000,), np.dtype(np.float64))
    huge = recycled._Lent(np.empty(recycled._LARGEST + 1, np.uint8), (1000,), np.dtype(np.float64))
    for name in ("_LARGEST", "_idle", "_idle_huge", "_madvise", "_wait", "mmap"):
        monkeypatch.setattr(recycled, name, None)
    lent.__del__()
    huge.__del__()
    monkeypatch.undo()
    assert len(recycled._idle) == 1
    assert len(recycled._idle_huge) == (0 if recycled._madvise is None else 1)
