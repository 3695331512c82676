"""Steps of FFTs side by side as operations of whole vectors, in compiled code.

Numba vectorises loops, but none that is as short as a vector. So these are written in LLVM's own operations, which
become those of any processor. A number is LANES real parts and, behind them, LANES imaginary parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.extending import intrinsic

__all__ = [
    "LANES",
    "VECTOR",
    "Complex",
    "Real",
    "butterfly",
    "clear",
    "join",
    "load",
    "load_both",
    "move",
    "multiply",
    "part",
    "scale",
    "separate",
    "store",
    "store_both",
    "transformed",
    "turn_in",
    "turn_out",
    "turned_about",
    "unite",
]

LANES = 8
_BYTES = 8 * LANES
VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FAST = ("contract", "reassoc", "nsz")


@dataclass(frozen=True)
class Real:
    """A vector of real numbers, whose operators write code."""

    builder: Any
    value: Any

    def __add__(self, other: Real) -> Real:
        return Real(self.builder, self.builder.fadd(self.value, other.value, flags=_FAST))

    def __sub__(self, other: Real) -> Real:
        return Real(self.builder, self.builder.fsub(self.value, other.value, flags=_FAST))

    def __mul__(self, other: Real | float) -> Real:
        value = other.value if isinstance(other, Real) else _constant(other)
        return Real(self.builder, self.builder.fmul(self.value, value, flags=_FAST))

    def plus(self, other: Real, times: float) -> Real:
        """Return this vector and so many times the other one, in one operation where there is one."""
        kind, name = ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fmuladd.v{LANES}f64"
        operation = get_or_insert_function(self.builder.module, kind, name)
        return Real(self.builder, self.builder.call(operation, [other.value, _constant(times), self.value]))


def _constant(number: float) -> Any:
    return ir.Constant(VECTOR, [number] * LANES)


@dataclass(frozen=True)
class Complex:
    """A vector of complex numbers."""

    re: Real
    im: Real

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.re - other.re, self.im - other.im)

    def __mul__(self, other: Complex | float) -> Complex:
        if isinstance(other, float):
            return Complex(self.re * other, self.im * other)
        return Complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)


def _plus_and_minus(a: Complex, b: Complex) -> tuple[Complex, Complex]:
    """Return a - i b and a + i b."""
    return Complex(a.re + b.im, a.im - b.re), Complex(a.re - b.im, a.im + b.re)


def _two(x: list[Complex]) -> list[Complex]:
    return [x[0] + x[1], x[0] - x[1]]


def _three(x: list[Complex]) -> list[Complex]:
    both = x[1] + x[2]
    return [x[0] + both, *_plus_and_minus(x[0] - both * 0.5, (x[1] - x[2]) * math.sin(math.pi / 3.0))]


def _four(x: list[Complex]) -> list[Complex]:
    even, odd = x[0] + x[2], x[1] + x[3]
    one, three = _plus_and_minus(x[0] - x[2], x[1] - x[3])
    return [even + odd, one, even - odd, three]


def _five(x: list[Complex]) -> list[Complex]:
    (a, b), (c, d) = ((x[1] + x[4], x[2] + x[3]), (x[1] - x[4], x[2] - x[3]))
    cosines, sines = ([f(0.4 * math.pi * k) for k in (1, 2)] for f in (math.cos, math.sin))
    one, four = _plus_and_minus(x[0] + a * cosines[0] + b * cosines[1], c * sines[0] + d * sines[1])
    two, three = _plus_and_minus(x[0] + a * cosines[1] + b * cosines[0], c * sines[1] - d * sines[0])
    return [x[0] + a + b, one, two, three, four]


def _eight(x: list[Complex]) -> list[Complex]:
    even, odd, root = _four(x[::2]), _four(x[1::2]), math.sqrt(0.5)
    odd[1] = Complex(odd[1].re + odd[1].im, odd[1].im - odd[1].re)
    odd[3] = Complex(odd[3].im - odd[3].re, odd[3].re + odd[3].im)
    third, seventh = _plus_and_minus(even[2], odd[2])
    second, sixth = (
        Complex(even[1].re.plus(odd[1].re, sign), even[1].im.plus(odd[1].im, sign)) for sign in (root, -root)
    )
    fourth, eighth = (
        Complex(even[3].re.plus(odd[3].re, sign), even[3].im.plus(odd[3].im, -sign)) for sign in (root, -root)
    )
    return [even[0] + odd[0], second, third, fourth, even[0] - odd[0], sixth, seventh, eighth]


_TRANSFORMS = {2: _two, 3: _three, 4: _four, 5: _five, 8: _eight}


def transformed(numbers: list[Complex]) -> list[Complex]:
    """Return what two, three, four, five or eight numbers are transformed to."""
    return _TRANSFORMS[len(numbers)](numbers)


def _place(builder: Any, place: Any, offset: Any = 0) -> Any:
    if not isinstance(offset, int):
        place = builder.add(place, offset)
    elif offset:
        place = builder.add(place, ir.Constant(ir.IntType(64), offset))
    return builder.inttoptr(place, VECTOR.as_pointer())


def load(builder: Any, place: Any, offset: Any = 0) -> Real:
    """Return the vector that lies at an address, or so many bytes behind."""
    return Real(builder, builder.load(_place(builder, place, offset), align=8))


def store(builder: Any, number: Real, place: Any, offset: Any = 0) -> None:
    """Write a vector to an address, or so many bytes behind."""
    builder.store(number.value, _place(builder, place, offset), align=8)


def _anew(builder: Any, number: Any) -> Any:
    """Return a number of which nothing is known, in the register where it is.

    Of one that does not change LLVM makes an address for each multiple, which are too many for registers.
    """
    kind = ir.FunctionType(number.type, [number.type])
    return builder.call(ir.InlineAsm(kind, "", "=r,0"), [number])


def load_both(builder: Any, place: Any, offset: int = 0) -> Complex:
    """Return the numbers that lie at an address, or so many bytes behind."""
    return Complex(load(builder, place, offset), load(builder, place, offset + _BYTES))


def store_both(builder: Any, number: Complex, place: Any) -> None:
    """Write numbers to an address."""
    store(builder, number.re, place)
    store(builder, number.im, place, _BYTES)


def _everywhere(builder: Any, place: Any, offset: int) -> Real:
    """Return a vector of the one number that lies at an address."""
    at = builder.add(place, ir.Constant(ir.IntType(64), offset))
    number = builder.load(builder.inttoptr(at, ir.DoubleType().as_pointer()), align=8)
    empty = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
    return Real(
        builder, builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
    )


@intrinsic(prefer_literal=True)
def butterfly(
    typing: Any, radix: Any, turned: Any, scaled: Any, x: Any, far: Any, x_part: Any, y: Any, near: Any, y_part: Any,
    turns: Any, factors: Any,
) -> Any:  # fmt: skip
    """Transform as many numbers as `radix` says, `far` bytes apart from `x` on, and turn each of them if `turned` is 1.

    They are written `near` bytes apart from `y` on; by which numbers they are turned, but for the first one, stands
    at `turns`. The imaginary parts lie `x_part` and `y_part` bytes behind the real ones. If `scaled` is 1, they are
    multiplied first with real numbers, half as far apart, from `factors` on.
    """
    r, turn, scale_first = radix.literal_value, turned.literal_value, scaled.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, _, x, far, x_part, y, near, y_part, turns, factors = arguments
        far, near = _anew(builder, far), _anew(builder, near)
        numbers, parts = [], [(x, builder.add(x, x_part)), (y, builder.add(y, y_part))]
        for k in range(r):
            step = builder.mul(far, ir.Constant(ir.IntType(64), k))
            re, im = (load(builder, part, step) for part in parts[0])
            if scale_first:
                factor = load(builder, factors, builder.lshr(step, ir.Constant(ir.IntType(64), 1)))
                re, im = re * factor, im * factor
            numbers.append(Complex(re, im))
        for k, number in enumerate(transformed(numbers)):
            if turn and k > 0:
                number *= Complex(*(_everywhere(builder, turns, 16 * (k - 1) + part) for part in (0, 8)))
            step = builder.mul(near, ir.Constant(ir.IntType(64), k))
            for value, part in zip((number.re, number.im), parts[1], strict=True):
                store(builder, value, part, step)
        return context.get_dummy_value()

    return types.void(radix, turned, scaled, *[types.int64] * 8), generate


@intrinsic
def multiply(typing: Any, x: Any, t: Any, y: Any) -> Any:
    """Write the product of the numbers at x and t to y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, t, y = arguments
        store_both(builder, load_both(builder, x) * load_both(builder, t), y)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def scale(typing: Any, x: Any, t: Any, y: Any) -> Any:
    """Write the product of the numbers at x and the real ones at t to y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, t, y = arguments
        number, factor = load_both(builder, x), load(builder, t)
        store_both(builder, Complex(number.re * factor, number.im * factor), y)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def move(typing: Any, x: Any, y: Any) -> Any:
    """Write the numbers at x to y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        store_both(builder, load_both(builder, arguments[0]), arguments[1])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def clear(typing: Any, x: Any) -> Any:
    """Write 0 to x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = Real(builder, ir.Constant(VECTOR, [0.0] * LANES))
        store_both(builder, Complex(zero, zero), arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def join(typing: Any, x: Any, y: Any, more: Any, less: Any) -> Any:
    """Write x + i y and x - i y to `more` and `less`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y, more, less = arguments
        minus, plus = _plus_and_minus(load_both(builder, x), load_both(builder, y))
        store_both(builder, plus, more)
        store_both(builder, minus, less)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def part(typing: Any, more: Any, less: Any, x: Any, y: Any) -> Any:
    """Do the opposite."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        more, less = (load_both(builder, place) * 0.5 for place in arguments[:2])
        store_both(builder, more + less, arguments[2])
        store_both(builder, Complex(more.im - less.im, less.re - more.re), arguments[3])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def turn_in(typing: Any, x: Any, step: Any, last: Any, y: Any) -> Any:
    """Write LANES rows of as many numbers as columns into parts of numbers that lie at y.

    The rows are `step` bytes apart; after row `last` it is taken again.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, step, last, y = arguments
        for k, column in enumerate(_columns(builder, x, step, last)):
            store(builder, column, y, 2 * _BYTES * k)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def turn_out(typing: Any, x: Any, y: Any, step: Any, last: Any) -> Any:
    """Do the opposite: write parts of numbers that lie at x into rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y, step, last = arguments
        columns = [load(builder, x, 2 * _BYTES * k).value for k in range(LANES)]
        _store_rows(builder, columns, y, step, last)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def separate(
    typing: Any, x: Any, x_step: Any, y: Any, y_step: Any, a: Any, a_last: Any, b: Any, b_last: Any, step: Any
) -> Any:
    """Write y + x into rows at a and y - x into rows at b, of LANES parts of numbers at x and as many at y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, x_step, y, y_step, a, a_last, b, b_last, step = arguments
        one = [load(builder, _step(builder, x, x_step, k)) for k in range(LANES)]
        other = [load(builder, _step(builder, y, y_step, k)) for k in range(LANES)]
        both = list(zip(one, other, strict=True))
        _store_rows(builder, [(second + first).value for first, second in both], a, step, a_last)
        _store_rows(builder, [(second - first).value for first, second in both], b, step, b_last)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 9), generate


@intrinsic
def unite(
    typing: Any, a: Any, a_last: Any, b: Any, b_last: Any, step: Any, x: Any, x_step: Any, y: Any, y_step: Any
) -> Any:
    """Do the opposite: write a - b to x and a + b to y, the last ones first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, a_last, b, b_last, step, x, x_step, y, y_step = arguments
        one, other = _columns(builder, a, step, a_last), _columns(builder, b, step, b_last)
        for k in reversed(range(LANES)):
            store(builder, one[k] - other[k], _step(builder, x, x_step, k))
            store(builder, one[k] + other[k], _step(builder, y, y_step, k))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 9), generate


def _columns(builder: Any, place: Any, step: Any, last: Any) -> list[Real]:
    rows = [load(builder, _row(builder, place, step, last, k)).value for k in range(LANES)]
    return [Real(builder, column) for column in turned_about(builder, rows)]


def _store_rows(builder: Any, columns: list[Any], place: Any, step: Any, last: Any) -> None:
    for k, row in enumerate(turned_about(builder, columns)):
        store(builder, Real(builder, row), _row(builder, place, step, last, k))


def _step(builder: Any, place: Any, step: Any, k: int) -> Any:
    return builder.add(place, builder.mul(step, ir.Constant(ir.IntType(64), k)))


def _row(builder: Any, place: Any, step: Any, last: Any, k: int) -> Any:
    number = ir.Constant(ir.IntType(64), k)
    number = builder.select(builder.icmp_signed("<", last, number), last, number)
    return builder.add(place, builder.mul(step, number))


def turned_about(builder: Any, vectors: list[Any]) -> list[Any]:
    """Return LANES rows as columns: blocks of half the size change places, then blocks within these."""
    result = list(vectors)
    for d in (4, 2, 1):
        for i in range(LANES):
            if not i & d:
                orders = (
                    [j if not j & d else LANES + j - d for j in range(LANES)],
                    [j + d if not j & d else LANES + j for j in range(LANES)],
                )
                one, other = result[i], result[i + d]
                result[i], result[i + d] = (
                    builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(ir.IntType(32), LANES), order))
                    for order in orders
                )
    return result
