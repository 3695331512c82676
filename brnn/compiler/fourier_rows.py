"""Rows whose LANES neighbours are one vector, as operations of whole vectors in compiled code.

Two rows are the two parts of complex numbers. Of n = LANES v numbers, the transforms of v numbers that are LANES apart
are made side by side, as of columns; `turn_about` makes what is left. So a row is turned about once, and not twice.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic

from brnn.compiler.fourier_vectors import (
    LANES,
    VECTOR,
    Complex,
    Real,
    load,
    load_both,
    store,
    store_both,
    transformed,
    turned_about,
)

__all__ = [
    "separate_first",
    "separate_rows",
    "short_back",
    "short_forth",
    "turn_about",
    "unite_first",
    "unite_last",
    "unite_rows",
]

_BYTES = 8 * LANES
_ORDER = ir.VectorType(ir.IntType(32), LANES)
_BACKWARDS = [0, *range(2 * LANES - 1, LANES, -1)]  # the first of one vector, and the others of another one
_FIRST = [LANES, *range(1, LANES)]  # the first of the other vector


def _mixed(one: Real, other: Real, order: list[int]) -> Real:
    return Real(one.builder, one.builder.shuffle_vector(one.value, other.value, ir.Constant(_ORDER, order)))


def _both_mixed(one: Complex, other: Complex, order: list[int]) -> Complex:
    return Complex(_mixed(one.re, other.re, order), _mixed(one.im, other.im, order))


def _zero(builder: Any) -> Real:
    return Real(builder, ir.Constant(VECTOR, [0.0] * LANES))


def _turned(builder: Any, numbers: list[Complex], factors: Any) -> list[Complex]:
    """Return what the lanes of numbers are transformed to, after they are multiplied with the factors at an address."""
    numbers = [number * load_both(builder, factors, 2 * _BYTES * k) for k, number in enumerate(numbers)]
    re, im = ([getattr(number, part).value for number in numbers] for part in ("re", "im"))
    columns = zip(turned_about(builder, re), turned_about(builder, im), strict=True)
    return transformed([Complex(Real(builder, a), Real(builder, b)) for a, b in columns])


@intrinsic(prefer_literal=True)
def turn_about(typing: Any, adds: Any, x: Any, t: Any, y: Any, near: Any, y_part: Any) -> Any:
    """Transform what stands in each lane of the LANES numbers at x, after they are multiplied with those at t.

    The first part of each result is written to y, `near` bytes apart, the second one `y_part` bytes behind; they are
    added there if `adds` is 1.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x, t, y, near, y_part = arguments
        numbers = [load_both(builder, x, 2 * _BYTES * k) for k in range(LANES)]
        ends = [builder.add(y, builder.mul(near, ir.Constant(ir.IntType(64), k))) for k in range(LANES)]
        for number, end in zip(_turned(builder, numbers, t), ends, strict=True):
            for part, place in ((number.re, end), (number.im, builder.add(end, y_part))):
                store(builder, load(builder, place) + part if adds.literal_value else part, place)
        return context.get_dummy_value()

    return types.void(adds, *[types.int64] * 5), generate


@intrinsic
def short_forth(typing: Any, x: Any, x_part: Any, t: Any, a: Any, b: Any, below: Any) -> Any:
    """Transform two rows of LANES times LANES numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, x_part, t, a, b, below = arguments
        other = builder.add(x, x_part)
        rows = [Complex(*(load(builder, row, _BYTES * k) for row in (x, other))) for k in range(LANES)]
        numbers = _turned(builder, transformed(rows), t)
        half = numbers[LANES // 2]
        for k in range(LANES // 2):
            mirrored = _both_mixed(numbers[-k % LANES], numbers[LANES - 1 - k], _BACKWARDS)
            one, other = _told_apart(builder, numbers[k], mirrored)
            if k == 0:
                one = Complex(one.re, _mixed(one.im, half.re + half.re, _FIRST))
                other = Complex(other.re, _mixed(other.im, half.im + half.im, _FIRST))
            step = builder.mul(below, ir.Constant(ir.IntType(64), k))
            store_both(builder, one, builder.add(a, step))
            store_both(builder, other, builder.add(b, step))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 6), generate


@intrinsic(prefer_literal=True)
def short_back(typing: Any, adds: Any, a: Any, b: Any, below: Any, t: Any, x: Any, x_part: Any) -> Any:
    """Do the opposite."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, a, b, below, t, x, x_part = arguments
        steps = [builder.mul(below, ir.Constant(ir.IntType(64), k)) for k in range(LANES // 2)]
        rows = [[load_both(builder, builder.add(row, step)) for step in steps] for row in (a, b)]
        middle, zero = Complex(rows[1][0].im, rows[0][0].im), _zero(builder)
        for row in rows:
            row[0] = Complex(row[0].re, _mixed(row[0].im, zero, _FIRST))
        both = list(zip(*rows, strict=True))
        opposite = [_opposite(*each) for each in both]
        numbers = [_united(*each) for each in both]
        for after, before in zip([middle, *reversed(opposite[1:])], reversed(opposite), strict=True):
            numbers.append(_both_mixed(after, before, _BACKWARDS))
        ends = x, builder.add(x, x_part)
        for k, number in enumerate(_turned(builder, transformed(numbers), t)):
            for part, end in zip((number.im, number.re), ends, strict=True):
                place = builder.add(end, ir.Constant(ir.IntType(64), _BYTES * k))
                store(builder, load(builder, place) + part if adds.literal_value else part, place)
        return context.get_dummy_value()

    return types.void(adds, *[types.int64] * 6), generate


def _told_apart(builder: Any, number: Complex, mirrored: Complex) -> tuple[Complex, Complex]:
    """Return what the two rows of a number and the one opposite are, twice as large."""
    return (
        Complex(number.re + mirrored.re, number.im - mirrored.im),
        Complex(number.im + mirrored.im, mirrored.re - number.re),
    )


@intrinsic
def separate_rows(typing: Any, x: Any, after: Any, a: Any, b: Any) -> Any:
    """Write the LANES numbers of two rows to a and b, whose first one is opposite to the first one at `after`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, after, a, b = arguments
        mirrored = _both_mixed(load_both(builder, after), load_both(builder, after, -2 * _BYTES), _BACKWARDS)
        for number, place in zip(_told_apart(builder, load_both(builder, x), mirrored), (a, b), strict=True):
            store_both(builder, number, place)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def separate_first(typing: Any, x: Any, middle: Any, last: Any, a: Any, b: Any) -> Any:
    """Do that for the first ones, opposite to those at `last`; the number in the middle is written behind the first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, middle, last, a, b = arguments
        number, half = load_both(builder, x), load_both(builder, middle)
        one, other = _told_apart(builder, number, _both_mixed(number, load_both(builder, last), _BACKWARDS))
        store_both(builder, Complex(one.re, _mixed(one.im, half.re + half.re, _FIRST)), a)
        store_both(builder, Complex(other.re, _mixed(other.im, half.im + half.im, _FIRST)), b)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), generate


def _united(one: Complex, other: Complex) -> Complex:
    """Return the numbers of which two rows are the parts, the second part first."""
    return Complex(one.im + other.re, one.re - other.im)


def _opposite(one: Complex, other: Complex) -> Complex:
    return Complex(other.re - one.im, one.re + other.im)


@intrinsic
def unite_rows(typing: Any, a: Any, b: Any, back: Any, x: Any, y: Any) -> Any:
    """Write the LANES numbers of rows at a and b to x, and to y those that are opposite to the first and to others.

    These stand `back` bytes before a and b. The second part of each number is written first.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, back, x, y = arguments
        one, other = load_both(builder, a), load_both(builder, b)
        before = [load_both(builder, builder.sub(place, back)) for place in (a, b)]
        store_both(builder, _united(one, other), x)
        store_both(builder, _both_mixed(_opposite(one, other), _opposite(*before), _BACKWARDS), y)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), generate


@intrinsic
def unite_first(typing: Any, a: Any, b: Any, x: Any) -> Any:
    """Do that for the first ones, whose first one is real: the number in the middle stands behind it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, x = arguments
        zero, rows = _zero(builder), (load_both(builder, a), load_both(builder, b))
        one, other = (Complex(row.re, _mixed(row.im, zero, _FIRST)) for row in rows)
        store_both(builder, _united(one, other), x)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), generate


@intrinsic
def unite_last(typing: Any, a: Any, b: Any, far: Any, y: Any) -> Any:
    """Write to y the number in the middle and those opposite to others, which stand `far` bytes behind a and b."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, far, y = arguments
        middle = Complex(load_both(builder, b).im, load_both(builder, a).im)
        before = [load_both(builder, builder.add(place, far)) for place in (a, b)]
        store_both(builder, _both_mixed(middle, _opposite(*before), _BACKWARDS), y)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate
