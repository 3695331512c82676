"""A signal in closed form, given as text."""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from brnn.base.checks import choice, identifier, number
from brnn.base.codetext import Code, code_of, exponents
from brnn.base.text import closest, shortened
from brnn.errors import SpecError
from brnn.signals.base import PARTS, Signal, power
from brnn.signals.formula.grammar import RESERVED
from brnn.signals.formula.walk import Arrays, limit_at_zero, walk

__all__ = ["Expression"]


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Expression(Signal):
    """Signal given by an expression in w, for example ``Expression("c*w**2/(d + w**2)", c=1, d=0.25)``.

    f(w) is the expression for w >= 0, and 0 for w < 0. `derivative` and `hill` are exact: SymPy finds their
    formulas; at w = 0 they are limits from the right. The text is parsed by a whitelist and never executed.

    Parameters
    ----------
    text : str
        An expression of numbers, ``w``, the parameters, ``+ - * / **``, parentheses and the functions exp, log,
        sqrt, tanh, sin, cos, abs, min, max and ``where(condition, a, b)``, which is a where the condition
        (one comparison with <, <=, > or >=) holds and b elsewhere:
        ``where(w < 0.3, w**2/0.3, w)`` has a linear stretch. At most 1000 characters.
    parameters : mapping of str to float, optional
        Values of the parameters, as an alternative to keywords.
    **values : float
        Values of the parameters by name. Two expressions that differ only in them share compiled code.

    Attributes
    ----------
    parameters : tuple of (str, float)
        The parameters, sorted by name.

    Raises
    ------
    SpecError
        If the text contains anything else, a parameter is missing or unused, or f(0) is not finite.
    """

    text: str
    parameters: tuple[tuple[str, float], ...]

    nonnegative: ClassVar[bool] = False  # the text is not examined for this
    _rectified: ClassVar[bool] = True
    _arithmetic: ClassVar[Arrays] = Arrays()

    def __init__(
        self,
        text: str,
        parameters: Mapping[str, float] | Iterable[tuple[str, float]] = (),
        **values: float,
    ) -> None:
        if not isinstance(text, str) or not text.strip():
            raise SpecError(f"Expression: text = {text!r}: must be an expression in w, such as 'w**2/(0.1 + w**2)'")
        text = text.strip()
        try:
            given = {**dict(parameters), **values}
        except (TypeError, ValueError):
            raise SpecError("Expression: parameters must be numbers by name") from None
        where = _name_for_messages(text)
        for name in given:
            identifier(name, f"{where}: parameter")
            if name in RESERVED or name.startswith("__"):
                raise SpecError(f"{where}: a parameter cannot be called '{name}'")
        pairs = tuple((name, number(given[name], f"{where}: {name}")) for name in sorted(given))
        self._set(text=text, parameters=pairs)
        at_zero, above_zero = self([0.0, 1e-6])  # parses the text
        unused = given.keys() - set(re.findall(r"[A-Za-z_]\w*", text))
        if unused:
            raise SpecError(f"{where}: the parameter '{min(unused)}' does not occur in it")
        if not math.isfinite(at_zero):
            raise SpecError(
                f"{where}: its value at w = 0 is {at_zero}; it must be finite (where(w > 0, a, b) can set it)"
            )
        if not math.isfinite(above_zero):
            raise SpecError(f"{where}: its value just above w = 0 is {above_zero}; it must be finite")

    def __repr__(self) -> str:
        parts = [repr(self.text), *(f"{name}={value!r}" for name, value in self.parameters)]
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def formula(self) -> str:
        """The text."""
        return self.text

    @property
    def arguments(self) -> tuple[float, ...]:
        """Values of the parameters, sorted by name."""
        return tuple(value for _, value in self.parameters)

    @property
    def cut(self) -> bool:
        """Whether it is 0 for w < 0 where its text is not."""
        below = np.array([-1e-9, -1e-3, -1.0])
        with np.errstate(all="ignore"):
            text = walk(self._trees["kernel"], {**dict(self.parameters), "w": below}, self._arithmetic)
        return self._rectified and bool(np.any(np.not_equal(text, 0.0)))

    @property
    def may_jump(self) -> bool:
        """Whether its text has conditions, or it is cut at 0, where the text may not be 0."""
        return "where" in self.text or self._rectified

    def _jumps(self) -> tuple[float, ...]:
        if "where" in self.text:
            return super()._jumps()
        return (0.0,) if self._rectified and self(0.0) != 0.0 else ()

    def replace(self, **changes: Any) -> Self:
        """Return a copy with another text, or with other values of some parameters."""
        values = dict(self.parameters)
        text = changes.pop("text", self.text)
        values.update(dict(changes.pop("parameters", {})))
        for name in changes:
            if name not in values and text == self.text:
                hint = closest(name, ["text", *values])
                raise SpecError(f"{_name_for_messages(self.text)}: has no parameter '{name}'{hint}")
        return type(self)(text, {**values, **changes})

    def code(self, part: str = "kernel") -> Code:
        """Return the text of one part for generated code.

        The text depends only on the text of the expression and the names of its parameters. The parts
        ``"slope"`` and ``"quotient"`` take one argument more than ``"kernel"``: their value at w = 0.
        """
        formulas = dict(zip(PARTS, self._formulas, strict=True))
        formula = formulas[choice(part, "Expression: part", PARTS)]
        names = [name for name, _ in self.parameters]
        numbers = self.arguments
        name = (
            f"{type(self).__name__.lower()}_"
            + hashlib.sha256(" ".join([formulas["kernel"], *names]).encode()).hexdigest()[:12]
        )
        body = "    w = w + 0.0  # -0.0 becomes 0.0\n"
        if part != "kernel":
            name += f"_{part}"
            names.append("at_zero")
            numbers = (*numbers, self._limits[part])
            body += "    if w == 0.0:\n        return at_zero\n"
        value = f"0.0 if w < 0.0 else {formula}" if self._rectified else formula
        helpers = (code_of(power),) if re.search(r"(?<!np\.)power\(", formula) else ()
        found = exponents(self._trees[part], names)
        return Code(name, ("w", *names), f"{body}    return {value}\n", helpers, found, parameters=numbers)

    @functools.cached_property
    def _formulas(self) -> tuple[str, str, str]:
        from brnn.signals.formula.symbolic import formulas

        return formulas(self.text, tuple(name for name, _ in self.parameters), _name_for_messages(self.text))

    @functools.cached_property
    def _trees(self) -> dict[str, ast.expr]:
        return {part: ast.parse(formula, mode="eval").body for part, formula in zip(PARTS, self._formulas, strict=True)}

    @functools.cached_property
    def _limits(self) -> dict[str, float]:
        """Values at w = 0 of the parts whose formulas can be 0/0 there."""
        values = dict(self.parameters)
        return {part: limit_at_zero(self._trees[part], values) for part in ("slope", "quotient")}

    def _compute(self, part: str, w: np.ndarray) -> Any:
        cut = w < 0.0 if self._rectified else np.zeros(w.shape, dtype=bool)
        inside = np.where(cut if part == "kernel" else cut | (w == 0.0), 1.0, w + 0.0)  # no -0.0
        result = walk(self._trees[part], {**dict(self.parameters), "w": inside}, self._arithmetic)
        result = np.where(cut, 0.0, result)
        return result if part == "kernel" else np.where(w == 0.0, self._limits[part], result)


def _name_for_messages(text: str) -> str:
    return f"Expression {shortened(text)!r}"
