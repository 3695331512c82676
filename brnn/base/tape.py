"""A number whose way through code is written down, so that the same code need not run again for another value.

What a network's equations are made of passes through many checks and little arithmetic. A `Traced` number stands in
the place of a value while that happens once; a `Tape` remembers each operation and each answer to a question (is it
positive?). For another value the operations are repeated, to the last bit those of Python, and the questions asked
again: where one is answered differently the code might have done something else, and has to run itself. As with
`brnn.base.tracer.Varying`, whatever else is asked of the number (a truth value, an array) raises Diverges.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from brnn.base.tracer import Diverges, Varying, divided

__all__ = ["Tape", "Traced"]

Operation = Callable[[Any, Any], Any]


class Tape:
    """What code does with some numbers.

    Parameters
    ----------
    values : sequence of float
        The numbers.

    Attributes
    ----------
    inputs : tuple of Traced
        What stands for them.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self._start: list[float] = []
        self._steps: list[tuple[int, Operation, int, int]] = []
        self._answers: list[tuple[Operation, int, int, bool]] = []
        self.inputs = tuple(Traced(self, float(value)) for value in values)

    def replay(self, values: Sequence[float]) -> list[float] | None:
        """Return what every Traced number is for other values, by its `place`; None if the code must run itself."""
        numbers = self._start.copy()
        numbers[: len(values)] = values
        try:
            for place, operation, left, right in self._steps:
                numbers[place] = operation(numbers[left], numbers[right])
            for compare, left, right, answer in self._answers:
                if compare(numbers[left], numbers[right]) is not answer:
                    return None
        except (ArithmeticError, ValueError):
            return None
        return numbers

    @property
    def record(
        self,
    ) -> tuple[list[float], list[tuple[int, Operation, int, int]], list[tuple[Operation, int, int, bool]]]:
        """Copies of the numbers by their places, of the operations in order, and of the questions with their answers.

        The first places are those of the inputs. An operation is (place of the result, operation, left, right), a
        question (comparison, left, right, answer).
        """
        return self._start.copy(), self._steps.copy(), self._answers.copy()

    def kept(self, value: float) -> int:
        """Return the place of a new number."""
        self._start.append(value)
        return len(self._start) - 1

    def place_of(self, other: Any) -> int:
        """Return the place of an operand, a new one for what is no Traced number."""
        if type(other) is Traced:
            return other.place
        if isinstance(other, (float, np.float64)) or (type(other) is int and abs(other) < 2**53):
            return self.kept(float(other))
        raise Diverges

    def combined(self, operation: Operation, left: Any, right: Any) -> Traced:
        """Return the result of an operation."""
        places = self.place_of(left), self.place_of(right)
        try:
            result = Traced(self, operation(*(self._start[place] for place in places)))
        except ArithmeticError:
            raise Diverges from None
        self._steps.append((result.place, operation, *places))
        return result

    def agreed(self, compare: Operation, left: Any, right: Any) -> bool:
        """Return the answer to a question."""
        places = self.place_of(left), self.place_of(right)
        answer = bool(compare(*(self._start[place] for place in places)))
        self._answers.append((compare, *places, answer))
        return answer


class Traced(Varying):
    """A number whose way is written down.

    Attributes
    ----------
    place : int
        Where its value stands in what `Tape.replay` returns.
    """

    __slots__ = ("place", "tape")

    def __init__(self, tape: Tape, value: float) -> None:
        self.whole = False
        self.values = np.array([value])
        self.tape = tape
        self.place = tape.kept(value)

    @property
    def digest(self) -> str:
        """A text that is the same only for the same number."""
        return f"traced {self.place}"

    def within(self, minimum: float | None, above: float | None, maximum: float | None) -> Traced:
        """Return it if it is finite and within the bounds; else raise Diverges."""
        asked = self.tape.agreed
        fits = asked(operator.lt, abs(self), float("inf"))
        fits = fits and (minimum is None or asked(operator.ge, self, minimum))
        fits = fits and (above is None or asked(operator.gt, self, above))
        if not (fits and (maximum is None or asked(operator.le, self, maximum))):
            raise Diverges
        return self

    def _agreed(self, compare: Operation, other: Any) -> bool:
        return self.tape.agreed(compare, self, other)

    def _combined(self, operation: Operation, other: Any, swapped: bool = False) -> Traced:
        left, right = (other, self) if swapped else (self, other)
        return self.tape.combined(operator.truediv if operation is divided else operation, left, right)

    def __neg__(self) -> Traced:
        return self.tape.combined(operator.mul, self, -1.0)

    def __abs__(self) -> Traced:
        return self.tape.combined(_size, self, 0.0)


def _size(value: float, _: float) -> float:
    return abs(value)
