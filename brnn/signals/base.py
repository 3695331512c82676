"""What every signal function has in common, and the helpers that their formulas share."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import choice, number
from brnn.base.codetext import Code, code_of
from brnn.base.data import Spec
from brnn.base.text import shortened
from brnn.base.tracer import Varying
from brnn.errors import InputError, SpecError
from brnn.signals.jumping import found_jumps, may_jump_by_its_text
from brnn.signals.shapes import classify

__all__ = ["PARTS", "PRODUCT_EXPONENTS", "Signal", "power", "power_growth", "power_slope"]

PRODUCT_EXPONENTS = (1.0, 2.0, 3.0, 4.0)  # for which `power` multiplies
_UNARY = ("exp", "log", "sqrt", "tanh", "sin", "cos", "abs")  # functions that formulas know, too
PARTS = ("kernel", "slope", "quotient")  # f(w), f'(w), f(w)/w


def power(w: Any, n: float) -> Any:
    """Return w**n for w >= 0 and a scalar n; small whole n are products, which is faster than pow."""
    if n == 1.0:
        return w
    if n == 2.0:
        return w * w
    if n == 3.0:
        return w * w * w
    if n == 4.0:
        v = w * w
        return v * v
    return np.power(w, n)


def power_slope(w: Any, n: float) -> Any:
    """Return the derivative of `power` by w."""
    return n * power(w, n - 1.0)


def power_growth(w: Any, n: float) -> Any:
    """Return the derivative of `power` by n."""
    return np.power(w, n) * np.log(w) if w > 0.0 else 0.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Signal(Spec):
    r"""Base of the signal functions f, which turn the activity of a cell into the signal that it sends.

    Unless its docstring says otherwise a signal is a rate: nonnegative, and 0 for w < 0. At a corner or a
    jump, `derivative` is the derivative from the right.

    A subclass is a frozen dataclass whose fields are numbers, validated in ``__post_init__``, and has three
    static methods ``_kernel`` (f), ``_slope`` (f') and ``_quotient`` (h(w) = f(w)/w with its limit at 0), each
    called with w and then the fields in order, or what `arguments` makes of them. They are written with
    arithmetic, comparisons, NumPy functions of one or two arguments and the helpers of this module only, because
    the same text runs in NumPy on arrays and, compiled, on scalars. ``np.where`` is not among them: compiled, it
    makes an array of a scalar. A condition is a factor instead, ``(w >= 0.0) * ...``, whose other factor must
    then be finite.
    """

    _formula: ClassVar[str] = ""
    nonnegative: ClassVar[bool] = True  # whether f(w) >= 0 for every w
    _kernel: ClassVar[Callable[..., Any]]
    _slope: ClassVar[Callable[..., Any]]
    _quotient: ClassVar[Callable[..., Any]]

    @classmethod
    def meant(cls, value: Any) -> str:
        """Return what was probably meant: a formula for its text or for a function of NumPy, a gain for a number."""
        name = getattr(value, "__name__", "")
        if callable(value) and not isinstance(value, type):
            return f"brnn.Function('{name}(w)')" if name in _UNARY else "brnn.Function('...') with its formula in w"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"brnn.Linear(gain={value:g})"
        known = super().meant(value)
        if not known and isinstance(value, str) and re.search(r"\bw\b", value):
            return f"brnn.Expression({shortened(value)!r})"
        return known

    @property
    def formula(self) -> str:
        """f(w) as text, for w where it is not 0 anyway."""
        return self._formula

    @property
    def arguments(self) -> tuple[float, ...]:
        """Values of the parameters, in the order in which the formulas take them."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return tuple(value if isinstance(value, Varying) else float(value) for value in values)  # type: ignore[misc]

    @functools.cached_property
    def jumps(self) -> tuple[float, ...]:
        """The activities at which f jumps, rising: each the smallest that has the value above the jump.

        Runs step to the moments at which a cell reaches one of them. They are found from values of f if the text of
        ``_kernel`` compares or rounds; a class that knows them overrides `_jumps`.
        """
        return tuple(sorted(float(place) for place in self._jumps()))

    @property
    def may_jump(self) -> bool:
        """Whether f can jump by the text of its formula, whatever its numbers are."""
        return may_jump_by_its_text(self.code().source)

    def _jumps(self) -> tuple[float, ...]:
        if not self.may_jump:
            return ()
        return found_jumps(lambda w: self._evaluate("kernel", w), self.code().source, self.arguments)

    def __call__(self, w: Any) -> Any:
        """Return f(w), with the shape of `w`; a float for a scalar."""
        return self._evaluate("kernel", w)

    def derivative(self, w: Any) -> Any:
        """Return f'(w), with the shape of `w`; from the right where f has a corner or a jump."""
        return self._evaluate("slope", w)

    def hill(self, w: Any) -> Any:
        """Return the hill function h(w) = f(w)/w, at w = 0 its limit from the right (which may be inf)."""
        return self._evaluate("quotient", w)

    def shape(self, w_max: float) -> str:
        """Say what kind of signal this is on 0 <= w <= w_max, by its hill function h(w) = f(w)/w.

        Parameters
        ----------
        w_max : float
            The largest activity that matters, usually B of the layer; > 0.

        Returns
        -------
        str
            ``"linear"`` if h is constant, ``"faster-than-linear"`` if h rises (and nowhere falls),
            ``"slower-than-linear"`` if h falls (and nowhere rises), ``"sigmoid"`` if h rises and is then
            flat or falls, ``"mixed"`` otherwise. On the shape depends what a recurrent competitive field
            stores (Grossberg 1973).
        """
        return self._shape(number(w_max, f"{type(self).__name__}: w_max", above=0))

    def code(self, part: str = "kernel") -> Code:
        """Return the text of one part, ``"kernel"``, ``"slope"`` or ``"quotient"``, for generated code.

        Two signals of one class have the same text; the values of the parameters are its arguments.
        """
        function = self._part(choice(part, f"{type(self).__name__}: part", PARTS))
        # Always with an ending: the helper `power` and the signal Power are two functions.
        name = f"{type(self).__name__.lower()}_{'signal' if part == 'kernel' else part}"
        return dataclasses.replace(code_of(function, name), parameters=self.arguments)

    @classmethod
    def _part(cls, part: str) -> Callable[..., Any]:
        found: Callable[..., Any] | None = getattr(cls, f"_{part}", None)
        if found is None:
            raise SpecError(f"{cls.__name__}: has no static method _{part}; a signal has _kernel, _slope and _quotient")
        return found

    def _compute(self, part: str, w: np.ndarray) -> Any:
        return self._part(part)(w, *self.arguments)

    def _evaluate(self, part: str, w: Any) -> Any:
        try:
            given = np.asarray(w, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{type(self).__name__}: w must be a number or an array of numbers") from None
        # An overflow to inf and a limit at 0 are results here, not accidents.
        with np.errstate(all="ignore"):
            result = np.asarray(self._compute(part, given), dtype=np.float64)
        return float(result) if given.ndim == 0 else result

    def _shape(self, w_max: float) -> str:
        return classify(self, self.hill, w_max)
