"""Convolutions by FFT in three phases, whose parts threads can share, compiled as they stand.

    forth     each row of a field is transformed
    across    each column of that is transformed, multiplied with what each kernel is transformed to, transformed back
    back      each row of each product is transformed back

LANES columns, or rows, are transformed side by side, which stay in the cache meanwhile; two times LANES rows of real
numbers are the two parts of complex ones. Rows by which a field is continued are those of the field once more, or 0:
they are not transformed again, nor are rows that no cell reads transformed back. Of an even number of columns the first
and the last one have real numbers alone, so that the last one is the imaginary part of the first one.

A part of a phase is part `block` of `blocks`. No bit depends on how many parts there are, nor on who does them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc, njit, types

from brnn.compiler.fourier_vectors import (
    LANES,
    both_of,
    butterfly,
    clear,
    join,
    move,
    multiply,
    one_of,
    turn_in,
    turn_out,
)
from brnn.compiler.numba_internals import FOURIER_SIGNATURES, array_at, whole_at

__all__ = ["across", "back", "forth"]

NUMBER = 16 * LANES  # bytes of LANES complex numbers
# What the whole numbers of a transform are: height and width of the field, those of the transform, kernels, how many
# radices columns are transformed by, and rows, and these. Fields are at least LANES wide.
HEIGHT, WIDTH, TALL, WIDE, KERNELS, DOWN, ALONG, FIRST_RADIX = range(8)

_CALLED = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_CALLED)
def _aligned(place: int) -> int:
    """Return the next address at which a cache line begins; all rooms have one to spare."""
    return (place + 63) // 64 * 64


@njit(**_CALLED)
def _rooms(scratch: int, sizes: np.ndarray) -> tuple[int, int, int, int, int]:
    """Return the addresses of five rooms for LANES rows or columns, which are no powers of two apart."""
    one, each = _aligned(scratch), NUMBER * max(sizes[TALL], sizes[WIDE], 2 * LANES + 1) + 256
    return one, one + each, one + 2 * each, one + 3 * each, one + 4 * each


@njit(**_CALLED)
def _groups(wide: int) -> int:
    """Return how many times LANES columns of complex numbers there are."""
    return ((wide + 1) // 2 + LANES - 1) // LANES


def _pass_by(radix: int) -> Any:
    """Return the function of one pass of a transform, of those that are multiplied with each other."""

    @njit(types.void(*[types.int64] * 6), **_CALLED)
    def run(m: int, s: int, source: int, target: int, turns: int, exchanged: int) -> None:
        far, near = NUMBER * s * m, NUMBER * s
        for p in range(m):
            y = target + radix * near * p
            for x in range(source + near * p, source + near * (p + 1), NUMBER):
                butterfly(radix, x, far, y, near, turns, exchanged)
                y += NUMBER
            turns += 16 * (radix - 1)

    return run


_by_two, _by_three, _by_four, _by_five, _by_eight = (_pass_by(radix) for radix in (2, 3, 4, 5, 8))


@njit(types.void(types.int64, types.int64[::1], *[types.int64] * 6), **_CALLED)
def _transform(
    n: int, radices: np.ndarray, turns: int, start: int, end: int, one: int, other: int, exchanged: int
) -> None:
    """Transform LANES times n numbers that lie at `start` to `end`; passes between write to `one` and `other`.

    At `turns` lie the factors of all passes. An inverse transform is one of real and imaginary parts exchanged.
    """
    m, s, passes, source = n, 1, radices.size, start
    for k in range(passes):
        r = radices[k]
        m //= r
        target = end if k == passes - 1 else one if k % 2 == 0 else other
        if r == 8:
            _by_eight(m, s, source, target, turns, exchanged)
        elif r == 4:
            _by_four(m, s, source, target, turns, exchanged)
        elif r == 2:
            _by_two(m, s, source, target, turns, exchanged)
        elif r == 3:
            _by_three(m, s, source, target, turns, exchanged)
        else:
            _by_five(m, s, source, target, turns, exchanged)
        turns += 16 * (r - 1) * m
        s, source = s * r, target


@njit(**_CALLED)
def _gather(source: int, rows: np.ndarray, target: int) -> None:
    for i in range(rows.size):
        if rows[i] < 0:
            clear(target + NUMBER * i)
        else:
            move(source + NUMBER * rows[i], target + NUMBER * i)


@njit(**_CALLED)
def _multiply_two(whole: int, transfer: int, last: int, product: int, n: int) -> None:
    """Multiply the first column and the last one, of real numbers before they were transformed as one."""
    many = 2 * LANES * n
    x, t, y, z = array_at(whole, many), array_at(transfer, many), array_at(product, many), array_at(last, 2 * n)
    for i in range(n):
        a, b = 2 * LANES * i, 2 * LANES * ((n - i) % n)
        r0, i0 = 0.5 * (x[a] + x[b]), 0.5 * (x[a + LANES] - x[b + LANES])
        r1, i1 = 0.5 * (x[a + LANES] + x[b + LANES]), 0.5 * (x[b] - x[a])
        c0, d0, c1, d1 = t[a], t[a + LANES], z[2 * i], z[2 * i + 1]
        y[a] = r0 * c0 - i0 * d0 - (r1 * d1 + i1 * c1)
        y[a + LANES] = r0 * d0 + i0 * c0 + r1 * c1 - i1 * d1


@njit(**_CALLED)
def _read_rows(place: int, step: int, rows: int, width: int, target: int) -> None:
    """Write so many rows, at most two times LANES, as parts of `width` numbers."""
    other = min(LANES, rows - 1)
    for column in range(0, width, LANES):
        j = min(column, width - LANES)
        turn_in(place + 8 * j, step, rows - 1, target + NUMBER * j)
        turn_in(place + step * other + 8 * j, step, rows - 1 - other, target + NUMBER * j + 8 * LANES)


@njit(**_CALLED)
def _write_rows(source: int, place: int, step: int, rows: int, width: int) -> None:
    """Do the opposite."""
    other = min(LANES, rows - 1)
    for column in range(0, width, LANES):
        j = min(column, width - LANES)
        turn_out(source + NUMBER * j, place + 8 * j, step, rows - 1)
        turn_out(source + NUMBER * j + 8 * LANES, place + step * other + 8 * j, step, rows - 1 - other)


@njit(**_CALLED)
def _copy(source: int, target: int, numbers: int) -> None:
    for at in range(0, NUMBER * numbers, NUMBER):
        move(source + at, target + at)


@cfunc(FOURIER_SIGNATURES["forth"], cache=True, nogil=True, error_model="numpy")
def forth(
    s: int, sizes_at: int, columns: int, turns: int, spectrum: int, scratch: int, block: int, blocks: int
) -> None:
    """Transform rows of the signals at s."""
    sizes = whole_at(sizes_at, FIRST_RADIX)
    height, width, wide = sizes[HEIGHT], sizes[WIDTH], sizes[WIDE]
    radices = whole_at(sizes_at + 8 * (FIRST_RADIX + sizes[DOWN]), sizes[ALONG])
    start, continued, whole, one, other = _rooms(scratch, sizes)
    a, b, half = one, one + NUMBER * LANES, (wide + 1) // 2
    last, below = height * (block + 1) // blocks, NUMBER * height
    for first in range(height * block // blocks, last, 2 * LANES):
        rows = min(2 * LANES, last - first)
        _read_rows(s + 8 * width * first, 8 * width, rows, width, start)
        source = start
        if wide != width:
            _gather(start, whole_at(columns, wide), continued)
            source = continued
        _transform(wide, radices, turns, source, whole, one, other, 0)
        target, second = _aligned(spectrum) + NUMBER * first, min(LANES, rows - 1)
        for group in range(_groups(wide)):
            for k in range(LANES):
                j = LANES * group + k
                if j < half:
                    both_of(whole + NUMBER * j, whole + NUMBER * ((wide - j) % wide), a + NUMBER * k, b + NUMBER * k)
                else:
                    clear(a + NUMBER * k)
                    clear(b + NUMBER * k)
            if group == 0 and wide % 2 == 0:
                both_of(whole + NUMBER * half, whole + NUMBER * half, start, continued)
                join(a, start, a)
                join(b, continued, b)
            for part in range(0, 16 * LANES, 8 * LANES):
                turn_out(a + part, target + part, NUMBER, rows - 1)
                turn_out(b + part, target + NUMBER * second + part, NUMBER, rows - 1 - second)
            target += below


@cfunc(FOURIER_SIGNATURES["across"], cache=True, nogil=True, error_model="numpy")
def across(
    sizes_at: int, rows: int, turns: int, transfers: int, spectrum_at: int, products_at: int, scratch: int,
    block: int, blocks: int,
) -> None:  # fmt: skip
    """Transform columns forth, multiply them for each kernel, and transform them back."""
    sizes = whole_at(sizes_at, FIRST_RADIX)
    height, tall, wide, kernels = sizes[HEIGHT], sizes[TALL], sizes[WIDE], sizes[KERNELS]
    radices = whole_at(sizes_at + 8 * FIRST_RADIX, sizes[DOWN])
    start, continued, whole, one, other = _rooms(scratch, sizes)
    spectrum, products = _aligned(spectrum_at), _aligned(products_at)
    groups, column = _groups(wide), NUMBER * tall
    for group in range(groups * block // blocks, groups * (block + 1) // blocks):
        source = spectrum + NUMBER * height * group
        if tall != height:
            _gather(source, whole_at(rows, tall), continued)
            source = continued
        _transform(tall, radices, turns, source, whole, one, other, 0)
        for k in range(kernels):
            transfer, target = (
                transfers + column * (k * groups + group),
                products + NUMBER * height * (k * groups + group),
            )
            for at in range(0, column, NUMBER):
                multiply(whole + at, transfer + at, start + at)
            if group == 0 and wide % 2 == 0:
                _multiply_two(whole, transfer, transfers + column * kernels * groups + 16 * tall * k, start, tall)
            end = target if tall == height else continued
            _transform(tall, radices, turns, start, end, one, other, 8 * LANES)
            if tall != height:
                _copy(continued, target, height)


@cfunc(FOURIER_SIGNATURES["back"], cache=True, nogil=True, error_model="numpy")
def back(
    net: int, sizes_at: int, kernel: int, adds: int, turns: int, products: int, scratch: int, block: int, blocks: int
) -> None:
    """Transform rows of a product back; write them to the net input, or add them."""
    sizes = whole_at(sizes_at, FIRST_RADIX)
    height, width, wide = sizes[HEIGHT], sizes[WIDTH], sizes[WIDE]
    radices = whole_at(sizes_at + 8 * (FIRST_RADIX + sizes[DOWN]), sizes[ALONG])
    start, added, whole, one, other = _rooms(scratch, sizes)
    a, b, half = one, one + NUMBER * LANES, (wide + 1) // 2
    last, below = height * (block + 1) // blocks, NUMBER * height
    for first in range(height * block // blocks, last, 2 * LANES):
        rows = min(2 * LANES, last - first)
        source, second = _aligned(products) + below * _groups(wide) * kernel + NUMBER * first, min(LANES, rows - 1)
        for group in range(_groups(wide)):
            for part in range(0, 16 * LANES, 8 * LANES):
                turn_in(source + part, NUMBER, rows - 1, a + part)
                turn_in(source + NUMBER * second + part, NUMBER, rows - 1 - second, b + part)
            source += below
            if group == 0:
                if wide % 2 == 0:
                    join(a + 8 * LANES, b + 8 * LANES, start + NUMBER * half)
                clear(one + NUMBER * 2 * LANES)
                join(a, one + NUMBER * 2 * LANES, a)
                join(b, one + NUMBER * 2 * LANES, b)
            for k in range(min(LANES, half - LANES * group)):
                j = LANES * group + k
                one_of(a + NUMBER * k, b + NUMBER * k, start + NUMBER * j, start + NUMBER * ((wide - j) % wide))
        _transform(wide, radices, turns, start, whole, one, other, 8 * LANES)
        place = net + 8 * width * first
        if adds == 0:
            _write_rows(whole, place, 8 * width, rows, width)
        else:
            _write_rows(whole, added, 8 * width, rows, width)
            x, y = array_at(place, rows * width), array_at(added, rows * width)
            for i in range(x.size):
                x[i] += y[i]
