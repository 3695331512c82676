"""Convolutions by FFT in three phases, whose parts threads can share, compiled as they stand.

    forth     each row of a field is transformed
    across    each column of that is transformed, multiplied with what each kernel is transformed to, transformed back
    back      each row of each product is transformed back

LANES columns, or rows, are transformed side by side, which stay in the cache meanwhile; two times LANES rows of real
numbers are the two parts of complex ones. Rows by which a field is continued are those of the field once more, or 0:
they are not transformed again, nor are rows that no cell reads transformed back. Of an even number of columns the first
and the last one have real numbers alone, so that the last one is the imaginary part of the first one.

Rows that lie well are transformed two at a time instead, as they lie (`brnn.compiler.fourier_rows`).

A part of a phase is part `block` of `blocks`. No bit depends on who does it; how many parts there are says which rows
are the two parts of one complex one, so that last digits depend on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc, njit, types

from brnn.compiler.fourier_rows import (
    separate_first,
    separate_rows,
    short_back,
    short_forth,
    turn_about,
    unite_first,
    unite_last,
    unite_rows,
)
from brnn.compiler.fourier_vectors import (
    LANES,
    butterfly,
    clear,
    join,
    move,
    multiply,
    part,
    scale,
    separate,
    turn_in,
    turn_out,
    unite,
)
from brnn.compiler.numba_internals import FOURIER_SIGNATURES, array_at, place_of, whole_at

__all__ = ["across", "back", "forth"]

NUMBER = 16 * LANES  # bytes of LANES complex numbers
IMAGINARY = NUMBER // 2  # where their imaginary parts begin
# What the whole numbers of a transform are: height and width of the field, those of the transform, kernels, whether
# what these are transformed to is real, whether rows are transformed as they lie, how many radices columns are
# transformed by, and rows (parts of LANES numbers, if they lie), and these. Fields are at least LANES wide.
HEIGHT, WIDTH, TALL, WIDE, KERNELS, REAL, LYING, DOWN, ALONG, FIRST_RADIX = range(10)

_CALLED = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_CALLED)
def _aligned(place: int) -> int:
    """Return the next address at which a cache line begins; all rooms have one to spare."""
    return (place + 63) // 64 * 64


@njit(**_CALLED)
def _rooms(scratch: int, sizes: np.ndarray) -> tuple[int, int, int, int]:
    """Return the addresses of rooms for LANES rows or columns and a number more, which are no powers of two apart."""
    one, each = _aligned(scratch), NUMBER * (max(sizes[TALL], sizes[WIDE]) + 1) + 128
    return one, one + each, one + 2 * each, one + 3 * each


@njit(**_CALLED)
def _groups(wide: int) -> int:
    """Return how many times LANES columns of complex numbers there are."""
    return ((wide + 1) // 2 + LANES - 1) // LANES


def _pass_by(radix: int) -> Any:
    """Return the function of one pass of a transform, of those that are multiplied with each other."""

    @njit(types.void(*[types.int64] * 8), **_CALLED)
    def run(m: int, s: int, source: int, unit: int, x_part: int, target: int, y_part: int, turns: int) -> None:
        far, near, y = unit * s * m, NUMBER * s, target
        for x in range(source, source + unit * s, unit):
            butterfly(radix, 0, 0, x, far, x_part, y, near, y_part, turns, 0)
            y += NUMBER
        for p in range(1, m):
            turns += 16 * (radix - 1)
            y = target + radix * near * p
            for x in range(source + unit * s * p, source + unit * s * (p + 1), unit):
                butterfly(radix, 1, 0, x, far, x_part, y, near, y_part, turns, 0)
                y += NUMBER

    return run


_by_two, _by_three, _by_four, _by_five, _by_eight = (_pass_by(radix) for radix in (2, 3, 4, 5, 8))


@njit(types.void(*[types.int64] * 7), **_CALLED)
def _by_eight_scaled(m: int, source: int, x_part: int, target: int, y_part: int, turns: int, factors: int) -> None:
    """Make the first pass by eight of numbers that are multiplied with the real `factors`."""
    far, y = NUMBER * m, target
    butterfly(8, 0, 1, source, far, x_part, y, NUMBER, y_part, turns, factors)
    for x in range(source + NUMBER, source + far, NUMBER):
        turns, factors, y = turns + 16 * 7, factors + NUMBER // 2, y + 8 * NUMBER
        butterfly(8, 1, 1, x, far, x_part, y, NUMBER, y_part, turns, factors)


@njit(types.int64(types.int64, types.int64[::1], *[types.int64] * 9), **_CALLED)
def _transform(
    n: int, radices: np.ndarray, turns: int, start: int, unit: int, x_part: int, one: int, other: int, end: int,
    exchanged: int, factors: int,
) -> int:  # fmt: skip
    """Transform LANES times n numbers that lie at `start`, `unit` bytes apart; return where they are.

    Passes write to `one` and `other` in turn, which may be `start`, and the last one to `end`, if that is not 0.
    At `turns` lie the factors of all passes. Imaginary parts lie `x_part` bytes behind real ones. An inverse transform
    is one of real and imaginary parts exchanged: `exchanged` is how many bytes the first one is behind the second one.
    If `factors` is not 0, numbers are multiplied first with the real ones there; the first radix is 8 then.
    """
    m, s, passes, source = n, 1, radices.size, start
    x_part, y_part = x_part - 2 * exchanged, IMAGINARY - 2 * exchanged
    for k in range(passes):
        r = radices[k]
        m //= r
        target = end if end != 0 and k == passes - 1 else one if k % 2 == 0 else other
        x, y = source + exchanged, target + exchanged
        if k == 0 and factors != 0:
            _by_eight_scaled(m, x, x_part, y, y_part, turns, factors)
        elif r == 8:
            _by_eight(m, s, x, unit, x_part, y, y_part, turns)
        elif r == 4:
            _by_four(m, s, x, unit, x_part, y, y_part, turns)
        elif r == 2:
            _by_two(m, s, x, unit, x_part, y, y_part, turns)
        elif r == 3:
            _by_three(m, s, x, unit, x_part, y, y_part, turns)
        else:
            _by_five(m, s, x, unit, x_part, y, y_part, turns)
        turns += 16 * (r - 1) * m
        s, source, unit, x_part = s * r, target, NUMBER, y_part
    return source


@njit(**_CALLED)
def _gather(source: int, rows: np.ndarray, target: int) -> None:
    for i in range(rows.size):
        if rows[i] < 0:
            clear(target + NUMBER * i)
        else:
            move(source + NUMBER * rows[i], target + NUMBER * i)


@njit(**_CALLED)
def _multiply(whole: int, transfer: int, real: int, product: int, n: int) -> None:
    end = product + NUMBER * n
    if real:
        for at in range(product, end, NUMBER):
            scale(whole, transfer, at)
            whole += NUMBER
            transfer += NUMBER // 2
    else:
        for at in range(product, end, NUMBER):
            multiply(whole, transfer, at)
            whole += NUMBER
            transfer += NUMBER


@njit(**_CALLED)
def _add_last(whole: int, last: int, product: int, n: int) -> None:
    """Add to the first column what is missing.

    It is the sum of the first one and i times the last one, z = a + i b, of real numbers before they were transformed:
    c a + i d b = (c + d)/2 z(k) + (c - d)/2 conj z(-k), of which `_multiply` made the first part.
    """
    x, y, t = array_at(whole, 2 * LANES * n), array_at(product, 2 * LANES * n), array_at(last, 2 * n)
    for i in range(n):
        a, b = 2 * LANES * i, 2 * LANES * ((n - i) % n)
        y[a] += t[2 * i] * x[b] + t[2 * i + 1] * x[b + LANES]
        y[a + LANES] += t[2 * i + 1] * x[b] - t[2 * i] * x[b + LANES]


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


@njit(**_CALLED)
def _lying_forth(s: int, sizes: np.ndarray, turns: int, spectrum: int, scratch: int, first: int, last: int) -> None:
    """Transform some rows as they lie, two as one; before other factors, those at `turns` are of numbers in lanes."""
    height, width = sizes[HEIGHT], sizes[WIDTH]
    radices = whole_at(place_of(sizes) + 8 * (FIRST_RADIX + sizes[DOWN]), sizes[ALONG])
    one, other, whole, _ = _rooms(scratch, sizes)
    vectors, below = width // LANES, NUMBER * height
    if vectors == LANES:
        for row in range(first, last, 2):
            part, a = min(row + 1, last - 1) - row, spectrum + NUMBER * row
            short_forth(s + 8 * width * row, 8 * width * part, turns, a, a + NUMBER * part, below)
        return
    for row in range(first, last, 2):
        next_row = min(row + 1, last - 1) - row
        found = _transform(
            vectors, radices, turns + NUMBER * vectors, s + 8 * width * row, NUMBER // 2, 8 * width * next_row, one,
            other, 0, 0, 0,
        )  # fmt: skip
        for k in range(0, NUMBER * vectors, NUMBER * LANES):
            turn_about(0, found + k, turns + k, whole + k // LANES, NUMBER * vectors // LANES, IMAGINARY)
        a, middle = spectrum + NUMBER * row, whole + NUMBER * (vectors // 2)
        b, x, y = a + NUMBER * next_row, whole, whole + NUMBER * (vectors - 1)
        separate_first(whole, middle, y, a, b)
        while x + NUMBER < middle:
            x, a, b = x + NUMBER, a + below, b + below
            separate_rows(x, y, a, b)
            y -= NUMBER


@njit(**_CALLED)
def _lying_back(
    net: int, sizes: np.ndarray, kernel: int, adds: int, turns: int, products: int, scratch: int, first: int, last: int
) -> None:
    """Do the opposite."""
    height, width = sizes[HEIGHT], sizes[WIDTH]
    radices = whole_at(place_of(sizes) + 8 * (FIRST_RADIX + sizes[DOWN]), sizes[ALONG])
    start, one, other, spare = _rooms(scratch, sizes)
    vectors, below, groups = width // LANES, NUMBER * height, width // (2 * LANES)
    if vectors == LANES:
        for row in range(first, last, 2):
            a, place = products + below * groups * kernel + NUMBER * row, net + 8 * width * row
            b, end = (a + NUMBER, place + 8 * width) if row + 1 < last else (a, spare)
            if adds:
                short_back(1, a, b, below, turns, place, end - place)
            else:
                short_back(0, a, b, below, turns, place, end - place)
        return
    for row in range(first, last, 2):
        a, x = products + below * groups * kernel + NUMBER * row, start
        b, y = (a + NUMBER if row + 1 < last else a), start + NUMBER * vectors
        unite_first(a, b, x)
        unite_last(a, b, below * (groups - 1), start + NUMBER * groups)
        for _ in range(1, groups):
            a, b, x, y = a + below, b + below, x + NUMBER, y - NUMBER
            unite_rows(a, b, below, x, y)
        found = _transform(vectors, radices, turns + NUMBER * vectors, start, NUMBER, IMAGINARY, one, other, 0, 0, 0)
        # Parts are exchanged, so that the transform is an inverse one: the first one is that of the second row.
        place = net + 8 * width * row
        end = place + 8 * width if row + 1 < last else spare
        for k in range(0, NUMBER * vectors, NUMBER * LANES):
            at = k // (2 * LANES)
            if adds:
                turn_about(1, found + k, turns + k, end + at, width, place - end)
            else:
                turn_about(0, found + k, turns + k, end + at, width, place - end)


@cfunc(FOURIER_SIGNATURES["forth"], cache=True, nogil=True, error_model="numpy")
def forth(
    s: int, sizes_at: int, columns: int, turns: int, spectrum: int, scratch: int, block: int, blocks: int
) -> None:
    """Transform rows of the signals at s."""
    sizes = whole_at(sizes_at, FIRST_RADIX)
    height, width, wide = sizes[HEIGHT], sizes[WIDTH], sizes[WIDE]
    radices = whole_at(sizes_at + 8 * (FIRST_RADIX + sizes[DOWN]), sizes[ALONG])
    start, one, continued, _ = _rooms(scratch, sizes)
    last, below = height * (block + 1) // blocks, NUMBER * height
    if sizes[LYING]:
        _lying_forth(s, sizes, turns, _aligned(spectrum), scratch, height * block // blocks, last)
        return
    for first in range(height * block // blocks, last, 2 * LANES):
        rows = min(2 * LANES, last - first)
        _read_rows(s + 8 * width * first, 8 * width, rows, width, start)
        source = start
        if wide != width:
            _gather(start, whole_at(columns, wide), continued)
            source = continued
        whole = _transform(wide, radices, turns, source, NUMBER, IMAGINARY, one, source, 0, 0, 0)
        end, second = whole + NUMBER * wide, min(LANES, rows - 1)
        if wide % 2 == 0:
            join(whole, whole + NUMBER * (wide // 2), whole, end)
        else:
            move(whole, end)
        a = _aligned(spectrum) + NUMBER * first
        for x in range(whole, whole + NUMBER * LANES * _groups(wide), NUMBER * LANES):
            y, b = end + whole - x, a + NUMBER * second
            separate(x, NUMBER, y, -NUMBER, a, rows - 1, b + IMAGINARY, rows - 1 - second, NUMBER)
            y, x = y + IMAGINARY, x + IMAGINARY
            separate(y, -NUMBER, x, NUMBER, b, rows - 1 - second, a + IMAGINARY, rows - 1, NUMBER)
            a += below


@cfunc(FOURIER_SIGNATURES["across"], cache=True, nogil=True, error_model="numpy")
def across(
    sizes_at: int, rows: int, turns: int, transfers: int, spectrum_at: int, products_at: int, scratch: int,
    block: int, blocks: int,
) -> None:  # fmt: skip
    """Transform columns forth, multiply them for each kernel, and transform them back."""
    sizes = whole_at(sizes_at, FIRST_RADIX)
    height, tall, wide, kernels = sizes[HEIGHT], sizes[TALL], sizes[WIDE], sizes[KERNELS]
    radices = whole_at(sizes_at + 8 * FIRST_RADIX, sizes[DOWN])
    one, other, room, continued = _rooms(scratch, sizes)
    spectrum, products = _aligned(spectrum_at), _aligned(products_at)
    groups, column = _groups(wide), NUMBER * tall // (2 if sizes[REAL] else 1)
    for group in range(groups * block // blocks, groups * (block + 1) // blocks):
        source = spectrum + NUMBER * height * group
        if tall != height:
            _gather(source, whole_at(rows, tall), continued)
            source = continued
        whole = _transform(tall, radices, turns, source, NUMBER, IMAGINARY, one, other, 0, 0, 0)
        free = one + other - whole
        for k in range(kernels):
            transfer, target = (
                transfers + column * (k * groups + group),
                products + NUMBER * height * (k * groups + group),
            )
            with_last, end = group == 0 and wide % 2 == 0, target if tall == height else continued
            if sizes[REAL] and radices[0] == 8 and not with_last:
                _transform(tall, radices, turns, whole, NUMBER, IMAGINARY, free, room, end, IMAGINARY, transfer)
            else:
                _multiply(whole, transfer, sizes[REAL], room, tall)
                if with_last:
                    _add_last(whole, transfers + column * kernels * groups + 16 * tall * k, room, tall)
                _transform(tall, radices, turns, room, NUMBER, IMAGINARY, free, room, end, IMAGINARY, 0)
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
    start, one, added, _ = _rooms(scratch, sizes)
    last, below, groups, end = height * (block + 1) // blocks, NUMBER * height, _groups(wide), start + NUMBER * wide
    if sizes[LYING]:
        _lying_back(net, sizes, kernel, adds, turns, _aligned(products), scratch, height * block // blocks, last)
        return
    for first in range(height * block // blocks, last, 2 * LANES):
        rows = min(2 * LANES, last - first)
        second = min(LANES, rows - 1)
        # Columns that are none, behind the last one, write first, as they write in places of others.
        for group in range(groups - 1, -1, -1):
            a = _aligned(products) + below * (groups * kernel + group) + NUMBER * first
            b, x = a + NUMBER * second, start + NUMBER * LANES * group
            y = end + start - x
            unite(a, rows - 1, b + IMAGINARY, rows - 1 - second, NUMBER, x, NUMBER, y, -NUMBER)
            y, x = y + IMAGINARY, x + IMAGINARY
            unite(b, rows - 1 - second, a + IMAGINARY, rows - 1, NUMBER, y, -NUMBER, x, NUMBER)
        part(start, end, start, start + NUMBER * (wide // 2) if wide % 2 == 0 else end)
        whole = _transform(wide, radices, turns, start, NUMBER, IMAGINARY, one, start, 0, IMAGINARY, 0)
        place = net + 8 * width * first
        if adds == 0:
            _write_rows(whole, place, 8 * width, rows, width)
        else:
            _write_rows(whole, added, 8 * width, rows, width)
            x, y = array_at(place, rows * width), array_at(added, rows * width)
            for i in range(x.size):
                x[i] += y[i]
