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
from numba.core.extending import intrinsic

__all__ = [
    "LANES",
    "both_of",
    "butterfly",
    "clear",
    "join",
    "move",
    "multiply",
    "one_of",
    "turn_in",
    "turn_out",
]

LANES = 8
_BYTES = 8 * LANES
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FAST = ("contract", "reassoc", "nsz")


@dataclass(frozen=True)
class _Real:
    """A vector of real numbers, whose operators write code."""

    builder: Any
    value: Any

    def __add__(self, other: _Real) -> _Real:
        return _Real(self.builder, self.builder.fadd(self.value, other.value, flags=_FAST))

    def __sub__(self, other: _Real) -> _Real:
        return _Real(self.builder, self.builder.fsub(self.value, other.value, flags=_FAST))

    def __mul__(self, other: _Real | float) -> _Real:
        value = other.value if isinstance(other, _Real) else ir.Constant(_VECTOR, [other] * LANES)
        return _Real(self.builder, self.builder.fmul(self.value, value, flags=_FAST))


@dataclass(frozen=True)
class _Complex:
    """A vector of complex numbers."""

    re: _Real
    im: _Real

    def __add__(self, other: _Complex) -> _Complex:
        return _Complex(self.re + other.re, self.im + other.im)

    def __sub__(self, other: _Complex) -> _Complex:
        return _Complex(self.re - other.re, self.im - other.im)

    def __mul__(self, other: _Complex | float) -> _Complex:
        if isinstance(other, float):
            return _Complex(self.re * other, self.im * other)
        return _Complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)


def _plus_and_minus(a: _Complex, b: _Complex) -> tuple[_Complex, _Complex]:
    """Return a - i b and a + i b."""
    return _Complex(a.re + b.im, a.im - b.re), _Complex(a.re - b.im, a.im + b.re)


def _two(x: list[_Complex]) -> list[_Complex]:
    return [x[0] + x[1], x[0] - x[1]]


def _three(x: list[_Complex]) -> list[_Complex]:
    both = x[1] + x[2]
    return [x[0] + both, *_plus_and_minus(x[0] - both * 0.5, (x[1] - x[2]) * math.sin(math.pi / 3.0))]


def _four(x: list[_Complex]) -> list[_Complex]:
    even, odd = x[0] + x[2], x[1] + x[3]
    one, three = _plus_and_minus(x[0] - x[2], x[1] - x[3])
    return [even + odd, one, even - odd, three]


def _five(x: list[_Complex]) -> list[_Complex]:
    (a, b), (c, d) = ((x[1] + x[4], x[2] + x[3]), (x[1] - x[4], x[2] - x[3]))
    cosines, sines = ([f(0.4 * math.pi * k) for k in (1, 2)] for f in (math.cos, math.sin))
    one, four = _plus_and_minus(x[0] + a * cosines[0] + b * cosines[1], c * sines[0] + d * sines[1])
    two, three = _plus_and_minus(x[0] + a * cosines[1] + b * cosines[0], c * sines[1] - d * sines[0])
    return [x[0] + a + b, one, two, three, four]


def _eight(x: list[_Complex]) -> list[_Complex]:
    even, odd, root = _four(x[::2]), _four(x[1::2]), math.sqrt(0.5)
    odd[1] = _Complex(odd[1].re + odd[1].im, odd[1].im - odd[1].re) * root
    odd[3] = _Complex(odd[3].im - odd[3].re, (odd[3].re + odd[3].im) * -1.0) * root
    first, third = _plus_and_minus(even[2], odd[2])
    sums = [even[0] + odd[0], even[1] + odd[1], first, even[3] + odd[3]]
    return [*sums, even[0] - odd[0], even[1] - odd[1], third, even[3] - odd[3]]


_TRANSFORMS = {2: _two, 3: _three, 4: _four, 5: _five, 8: _eight}


def _place(builder: Any, place: Any, offset: Any = 0) -> Any:
    if not isinstance(offset, int):
        place = builder.add(place, offset)
    elif offset:
        place = builder.add(place, ir.Constant(ir.IntType(64), offset))
    return builder.inttoptr(place, _VECTOR.as_pointer())


def _load(builder: Any, place: Any, offset: Any = 0) -> _Real:
    return _Real(builder, builder.load(_place(builder, place, offset), align=8))


def _store(builder: Any, number: _Real, place: Any, offset: Any = 0) -> None:
    builder.store(number.value, _place(builder, place, offset), align=8)


def _load_both(builder: Any, place: Any) -> _Complex:
    return _Complex(_load(builder, place), _load(builder, place, _BYTES))


def _store_both(builder: Any, number: _Complex, place: Any) -> None:
    _store(builder, number.re, place)
    _store(builder, number.im, place, _BYTES)


def _everywhere(builder: Any, place: Any, offset: int) -> _Real:
    """Return a vector of the one number that lies at an address."""
    at = builder.add(place, ir.Constant(ir.IntType(64), offset))
    number = builder.load(builder.inttoptr(at, ir.DoubleType().as_pointer()), align=8)
    empty = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
    return _Real(
        builder, builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
    )


@intrinsic(prefer_literal=True)
def butterfly(typing: Any, radix: Any, x: Any, far: Any, y: Any, near: Any, turns: Any, exchanged: Any) -> Any:
    """Transform as many numbers as `radix` says, `far` bytes apart from `x` on, and turn each of them.

    They are written `near` bytes apart from `y` on; by which numbers they are turned, but for the first one, stands
    at `turns`. `exchanged` is 0, or, to exchange real and imaginary parts, the bytes of either of them.
    """
    r = radix.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x, far, y, near, turns, re = arguments
        im = builder.sub(ir.Constant(ir.IntType(64), _BYTES), re)
        numbers = []
        for k in range(r):
            at = x if k == 0 else builder.add(x, builder.mul(far, ir.Constant(ir.IntType(64), k)))
            numbers.append(_Complex(_load(builder, at, re), _load(builder, at, im)))
        for k, number in enumerate(_TRANSFORMS[r](numbers)):
            if k > 0:
                number *= _Complex(*(_everywhere(builder, turns, 16 * (k - 1) + part) for part in (0, 8)))
            at = y if k == 0 else builder.add(y, builder.mul(near, ir.Constant(ir.IntType(64), k)))
            _store(builder, number.re, at, re)
            _store(builder, number.im, at, im)
        return context.get_dummy_value()

    return types.void(radix, *[types.int64] * 6), generate


@intrinsic
def multiply(typing: Any, x: Any, t: Any, y: Any) -> Any:
    """Write the product of the numbers at x and t to y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, t, y = arguments
        _store_both(builder, _load_both(builder, x) * _load_both(builder, t), y)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def move(typing: Any, x: Any, y: Any) -> Any:
    """Write the numbers at x to y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _store_both(builder, _load_both(builder, arguments[0]), arguments[1])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def clear(typing: Any, x: Any) -> Any:
    """Write 0 to x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = _Real(builder, ir.Constant(_VECTOR, [0.0] * LANES))
        _store_both(builder, _Complex(zero, zero), arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def join(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """Write the real parts at x and those at y to z, as the parts of one number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y, z = arguments
        _store_both(builder, _Complex(_load(builder, x), _load(builder, y)), z)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), generate


@intrinsic
def both_of(typing: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
    """Write twice the numbers k of two transforms of real numbers to a and b.

    They were transformed as one, whose numbers k and -k lie at x and y.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = (_load_both(builder, place) for place in arguments[:2])
        _store_both(builder, _Complex(x.re + y.re, x.im - y.im), arguments[2])
        _store_both(builder, _Complex(x.im + y.im, y.re - x.re), arguments[3])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def one_of(typing: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """Do the opposite: write the numbers k and -k of one transform, made of two, to x and y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b = (_load_both(builder, place) for place in arguments[:2])
        _store_both(builder, _Complex(a.re - b.im, a.im + b.re), arguments[2])
        _store_both(builder, _Complex(a.re + b.im, b.re - a.im), arguments[3])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def turn_in(typing: Any, x: Any, step: Any, last: Any, y: Any) -> Any:
    """Write LANES rows of as many numbers as columns into parts of numbers that lie at y.

    The rows are `step` bytes apart; after row `last` it is taken again.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, step, last, y = arguments
        rows = [_load(builder, _row(builder, x, step, last, k)).value for k in range(LANES)]
        for k, column in enumerate(_turned(builder, rows)):
            _store(builder, _Real(builder, column), y, 2 * _BYTES * k)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def turn_out(typing: Any, x: Any, y: Any, step: Any, last: Any) -> Any:
    """Do the opposite: write parts of numbers that lie at x into rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y, step, last = arguments
        columns = [_load(builder, x, 2 * _BYTES * k).value for k in range(LANES)]
        for k, row in enumerate(_turned(builder, columns)):
            _store(builder, _Real(builder, row), _row(builder, y, step, last, k))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


def _row(builder: Any, place: Any, step: Any, last: Any, k: int) -> Any:
    number = ir.Constant(ir.IntType(64), k)
    number = builder.select(builder.icmp_signed("<", last, number), last, number)
    return builder.add(place, builder.mul(step, number))


def _turned(builder: Any, vectors: list[Any]) -> list[Any]:
    """Return rows as columns: blocks of half the size change places, then blocks within these."""
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
