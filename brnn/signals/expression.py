"""A signal in closed form, given as text."""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from brnn.codetext import Code, helper_texts
from brnn.errors import SpecError
from brnn.signals.base import PARTS, Signal, power
from brnn.signals.grammar import RESERVED
from brnn.signals.walk import Arrays, limit_at_zero, walk
from brnn.spec.validate import choice, closest, identifier, number

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
        where = f"Expression '{text if len(text) <= 60 else text[:57] + '...'}'"
        for name in given:
            identifier(name, f"{where}: parameter")
            if name in RESERVED or name.startswith("__"):
                raise SpecError(f"{where}: a parameter cannot be called '{name}'")
        pairs = tuple((name, number(given[name], f"{where}: {name}")) for name in sorted(given))
        self._set(text=text, parameters=pairs, _where=where)
        used = {node.id for node in ast.walk(self._trees["kernel"]) if isinstance(node, ast.Name)}
        unused = [name for name, _ in pairs if name not in used and name not in _names(text)]
        if unused:
            raise SpecError(f"{where}: the parameter '{unused[0]}' does not occur in it")
        at_zero = self(0.0)
        if not math.isfinite(at_zero):
            raise SpecError(f"{where}: its value at w = 0 is {at_zero}; it must be finite there")

    def __repr__(self) -> str:
        return f"Expression({', '.join([repr(self.text), *(f'{name}={value!r}' for name, value in self.parameters)])})"

    @property
    def formula(self) -> str:
        """The text."""
        return self.text

    @property
    def arguments(self) -> tuple[float, ...]:
        """Values of the parameters, sorted by name."""
        return tuple(value for _, value in self.parameters)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with another text, or with other values of some parameters."""
        values = dict(self.parameters)
        text = changes.pop("text", self.text)
        values.update(dict(changes.pop("parameters", {})))
        for name in changes:
            if name not in values and text == self.text:
                hint = closest(name, ["text", *values])
                raise SpecError(f"{self._where}: has no parameter '{name}'{hint}")
        return type(self)(text, {**values, **changes})

    def code(self, part: str = "kernel") -> Code:
        """Return the text of one part for generated code.

        The text depends only on the text of the expression and the names of its parameters. The parts
        ``"slope"`` and ``"quotient"`` take one argument more than ``"kernel"``: their value at w = 0.
        """
        formulas = self._formulas
        names = [name for name, _ in self.parameters]
        kernel = formulas["kernel"]
        formula = formulas[choice(part, "Expression: part", PARTS)]
        name = "expression_" + hashlib.sha256(" ".join([kernel, *names]).encode()).hexdigest()[:12]
        if part == "kernel":
            body = f"    return 0.0 if w < 0.0 else {formula}\n"
            numbers = self.arguments
        else:
            name += f"_{part}"
            names.append("at_zero")
            body = f"    if w == 0.0:\n        return at_zero\n    return 0.0 if w < 0.0 else {formula}\n"
            numbers = (*self.arguments, self._limits[part])
        return Code(name, f"def {name}({', '.join(['w', *names])}):\n{body}", numbers, _helpers(formula))
