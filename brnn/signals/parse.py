"""Signals as they are written on the command line."""

from __future__ import annotations

import ast
import dataclasses
import math
import re
from typing import Any

import numpy as np

from brnn.base.text import closest, shortened
from brnn.errors import InputError
from brnn.signals.base import Signal
from brnn.signals.expression import Expression
from brnn.signals.formula.grammar import FUNCTIONS
from brnn.signals.function import Function

__all__ = ["parse_signal", "signal_names"]

_LONGEST = 2000  # characters: an expression and its parameters
_WRITTEN = {"function": Function, "expression": Expression}
_BELOW = -np.geomspace(1e-9, 1e3, 25)  # activities below 0


def parse_signal(text: str, default: Signal | None = None) -> Signal:
    """Return the signal that `text` means.

    Parameters
    ----------
    text : str
        The name of a signal (``"sigmoid"``, ``"threshold-linear"``; capitals, ``-`` and ``_`` do not matter), a
        name with parameters (``"sigmoid(gain=2, half=0.2)"``), or an expression in w (``"2*w**2/(0.1 + w**2)"``),
        which may have parameters after it (``"c*w**2/(d + w**2), c=2, d=0.1"``). ``"function(tanh(w))"`` is one for
        activities of both signs, ``"expression(tanh(w))"`` one that is 0 for w < 0.
    default : Signal, optional
        The signal in whose place it stands. A name of its kind keeps the parameters that are not given; an expression
        is cut at 0 for w < 0 only if `default` is, and without one it is.

    Raises
    ------
    InputError, SpecError
        One line that says what is wrong, and what may have been meant.
    """
    text = text.strip()
    if not text:
        raise InputError(f"signal: is empty; {_allowed()}")
    if len(text) > _LONGEST:
        raise InputError(f"signal: has {len(text)} characters, at most {_LONGEST} are allowed")
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_-]*)\s*(?:\((.*)\))?", text, re.DOTALL)
    if match is None:
        return _expression(text, _written_kind(default))
    name, inside = match.groups()
    # A product of two calls, exp(-w)*(w), also begins with a name and ends with a parenthesis.
    is_function = inside is not None and name in FUNCTIONS
    kinds = _kinds()
    for key, kind in kinds.items():
        if _without_marks(key) == _without_marks(name) and not is_function:
            return _with_parameters(kind, inside or "", text, default if type(default) is kind else None)
    if inside is not None and name.lower() in _WRITTEN:
        return _expression(inside.strip(), _WRITTEN[name.lower()])
    if name == "w" or is_function or (inside is None and "-" in name and re.search(r"(^|-)w(-|$)", name)):
        return _expression(text, _written_kind(default))
    raise InputError(f"signal: unknown signal '{name}'{closest(name.lower(), kinds) or '; ' + _allowed()}")


def _written_kind(default: Signal | None) -> type[Expression]:
    """Return whether a formula is cut at 0 for w < 0, as the signal in whose place it stands is, or not."""
    return Expression if default is None or not np.any(default(_BELOW)) else Function


def _kinds() -> dict[str, type[Signal]]:
    """Return the signals by their names, those of the user's own files too: ThresholdLinear is threshold-linear."""
    return {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower(): kind
        for name, kind in Signal.registry.items()
        if issubclass(kind, Signal) and hasattr(kind, "_kernel")  # an Expression is written, not named
    }


def signal_names() -> list[str]:
    """Return the names that `parse_signal` knows."""
    return list(_kinds())


def _without_marks(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _allowed() -> str:
    return f"it must be one of {', '.join(_kinds())} or an expression in w"


def _call(inside: str, text: str) -> ast.Call:
    """Return the syntax tree of a call with the arguments `inside`."""
    try:
        tree = ast.parse(f"f({inside})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise InputError(f"signal: '{shortened(text)}' is not complete, or not a signal with its parameters")
    return tree


def _with_parameters(kind: type[Signal], inside: str, text: str, base: Signal | None) -> Signal:
    names = [field.name for field in dataclasses.fields(kind)]
    call = _call(inside, text)
    if len(call.args) > len(names):
        raise InputError(f"signal: {kind.__name__} has only the parameters {', '.join(names)}")
    values = {name: _number_of(node, f"{kind.__name__}: {name}") for name, node in zip(names, call.args, strict=False)}
    for keyword in call.keywords:
        if keyword.arg not in names:
            hint = closest(str(keyword.arg), names)
            raise InputError(
                f"signal: {kind.__name__} has no parameter '{keyword.arg}' (it has {', '.join(names)}){hint}"
            )
        if keyword.arg in values:
            raise InputError(f"signal: {kind.__name__}: {keyword.arg} is given twice")
        values[keyword.arg] = _number_of(keyword.value, f"{kind.__name__}: {keyword.arg}")
    if base is not None:
        return base.replace(**values)
    for field in dataclasses.fields(kind):
        if field.name not in values and field.default is dataclasses.MISSING:
            raise InputError(f"signal: {kind.__name__} needs {field.name}, for example {field.name}=1")
    return kind(**values)


def _expression(text: str, kind: type[Expression]) -> Signal:
    # Only a comma can separate parameters; without one the text goes to the grammar and its own messages.
    if "," not in text or "=" not in text:
        return kind(text)
    call = _call(text, text)
    if len(call.args) != 1:
        raise InputError(f"signal: '{shortened(text)}' must be one expression, then parameters as name=value")
    body = ast.get_source_segment(f"f({text})", call.args[0]) or text
    values: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise InputError(f"signal: '{shortened(text)}' must be one expression, then parameters as name=value")
        values[keyword.arg] = _number_of(keyword.value, f"Expression: {keyword.arg}")
    return kind(body, values)


def _number_of(node: ast.expr, where: str) -> float:
    sign = 1.0
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        sign = -sign if isinstance(node.op, ast.USub) else sign
        node = node.operand
    if isinstance(node, ast.Name) and node.id == "inf":
        return sign * math.inf
    if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
        raise InputError(f"{where} = {shortened(ast.unparse(node))}: must be a number")
    try:
        return sign * float(node.value)  # type: ignore[arg-type]
    except OverflowError:
        raise InputError(f"{where}: is too large") from None
