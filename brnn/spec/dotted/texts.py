"""The parameters of a `build` and the fields of a specification: what each may be, and the values that texts mean.

Texts come from the command line (``--set signal=sigmoid``), from the designs of sweeps and from tables.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.text import closest, short_repr, shortened
from brnn.errors import BrnnError, InputError
from brnn.signals.base import Signal
from brnn.signals.parse import parse_signal
from brnn.signals.rate import Linear

__all__ = ["Parameter", "number_in", "parameters_of", "short_value", "value_in"]

# Which kinds of value an annotation allows, by the names that occur in it.
_KINDS = {
    "int": {"whole"},
    "float": {"number"},
    "bool": {"truth"},
    "str": {"text"},
    "None": {"none"},
    "Optional": {"none"},
    "Signal": {"signal"},
    "ndarray": {"list"},
    "NDArray": {"list"},
    "ArrayLike": {"number", "list"},
    "Sequence": {"list"},
    "Iterable": {"list"},
    "tuple": {"list"},
    "list": {"list"},
    "Any": {"number", "list"},
}
_WORDS = {
    "whole": "a whole number",
    "number": "a number",
    "list": "a list of numbers such as 1,2,3",
    "truth": "true or false",
    "none": "none",
}
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a `build`, or one field of a specification.

    Attributes
    ----------
    name : str
        Its name.
    default : object
        Its default, or `inspect.Parameter.empty`.
    kinds : frozenset of str
        What it may be: some of "whole", "number", "list", "truth", "text", "none", "signal", "spec"; "uncut" where a
        formula is not cut at 0 for w < 0, as no default says that it is.
    choices : tuple of str
        The texts that are allowed; empty if every text is.
    """

    name: str
    default: Any
    kinds: frozenset[str]
    choices: tuple[str, ...] = ()


def parameters_of(build: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters of a `build` by name, in order, with the kinds of value that each one allows.

    Of a class of specifications they are its fields. ``*args`` and ``**options`` are left out.
    """
    result = {}
    for name, parameter in inspect.signature(build).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kinds = _kinds_of_default(parameter.default)
        choices: tuple[str, ...] = ()
        if parameter.annotation is not parameter.empty:
            note = parameter.annotation
            text = note if isinstance(note, str) else inspect.formatannotation(note)
            if "Literal" in text:
                choices = tuple(re.findall(r"['\"]([^'\"]*)['\"]", text))
                kinds |= {"text"}
            for word in re.findall(r"[A-Za-z_]\w*", re.sub(r"['\"][^'\"]*['\"]", "", text)):
                kinds |= _KINDS.get(word, set())
            if {"signal", "none"} <= kinds and parameter.default is None and not inspect.isclass(build):
                kinds |= {"uncut"}  # which signal stands there else, the model decides: as in cohen_grossberg
        result[name] = Parameter(name, parameter.default, frozenset(kinds or {"number", "list", "text"}), choices)
    return result


def _kinds_of_default(default: Any) -> set[str]:

    if default is inspect.Parameter.empty:
        return set()
    kinds: list[tuple[Any, str]] = [
        (type(None), "none"),
        (bool, "truth"),
        (int, "whole"),
        (float, "number"),
        (str, "text"),
        ((tuple, list, np.ndarray), "list"),
        (Signal, "signal"),
        (Spec, "spec"),
    ]
    return next(({kind} for cls, kind in kinds if isinstance(default, cls)), set())


def value_in(text: str, parameter: Parameter, fields: Mapping[str, str] | None = None, *, before: str = "") -> Any:
    """Return the value that a text means for a parameter.

    Parameters
    ----------
    text : str
        What was written.
    parameter : Parameter
        What the value is for; its name stands in messages.
    fields : mapping of str to str, optional
        Numbers as texts, which the parameters of an expression may take (``signal.c`` beside ``signal``).
    before : str
        What messages begin with: ``"--set "`` on the command line.

    Returns
    -------
    object
        None, a bool, an int, a float, a tuple of ints, a float64 array, a Signal or the text itself, as the kinds of
        the parameter allow.

    Raises
    ------
    InputError
        One line that begins with the setting and says what is allowed.
    """
    at = f"{before}{parameter.name}={shortened(text)}: "
    kinds = parameter.kinds
    if "none" in kinds and text.lower() == "none":
        return None
    if "signal" in kinds:
        unset = Linear() if "uncut" in kinds else None
        default = parameter.default if isinstance(parameter.default, Signal) else unset
        return _signal(text, fields or {}, at, default)
    if kinds <= {"spec", "none"}:
        part = f"; one of its numbers can: {before}{parameter.name}.FIELD=VALUE" * isinstance(parameter.default, Spec)
        raise InputError(f"{at}cannot be given as a text{part}")
    if "truth" in kinds and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    number = number_in(text)
    if number is not None and "number" in kinds:
        return number
    if number is not None and "whole" in kinds and number.is_integer():
        return int(text) if re.fullmatch(r"[+-]?\d{1,300}", text) else int(number)
    if "list" in kinds and (text[:1] in "[(" or "," in text):
        return _list(text, at, parameter)
    if "text" in kinds:
        if parameter.choices and text not in parameter.choices:
            allowed = ", ".join(parameter.choices)
            raise InputError(f"{at}{parameter.name} must be one of {allowed}{closest(text, parameter.choices)}")
        return text
    raise InputError(f"{at}{parameter.name} must be {_allowed(kinds)}")


def _allowed(kinds: frozenset[str]) -> str:
    if "number" in kinds:
        kinds -= {"whole"}
    elif {"whole", "list"} <= kinds:
        return _allowed(kinds - {"list"}).replace("a whole number", "a whole number, or several such as 20,30")
    if "none" in kinds and len(kinds) > 1:
        return _allowed(kinds - {"none"}) + ", or none"
    return " or ".join(word for kind, word in _WORDS.items() if kind in kinds)


def number_in(text: str) -> float | None:
    """Return the number that a text is, or None: what float() reads, but no underscores and no nan."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if "_" in text or math.isnan(value) else value


def _list(text: str, at: str, parameter: Parameter) -> Any:
    """Return a tuple of whole numbers where `build` takes whole numbers, else an array of numbers."""
    refused = InputError(f"{at}{parameter.name} must be {_allowed(parameter.kinds)}")
    try:
        tree = ast.parse(text, mode="eval").body
        values = _numbers(tree)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        raise refused from None
    if not isinstance(values, list) or not values:
        raise refused
    if "whole" in parameter.kinds and "number" not in parameter.kinds:
        if not all(isinstance(value, float) and value.is_integer() for value in values):
            raise InputError(f"{at}{parameter.name} must be {_allowed(parameter.kinds)}, all of them whole")
        return tuple(int(value) for value in values)
    try:
        return np.array(values, dtype=np.float64)
    except ValueError:
        raise InputError(f"{at}the rows of {parameter.name} must have equal lengths") from None


def _numbers(node: ast.expr) -> Any:
    """Return the floats of a syntax tree that holds nothing but numbers, lists and tuples."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_numbers(item) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _numbers(node.operand)
        if isinstance(value, list):
            raise ValueError
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    raise ValueError


def _signal(text: str, fields: Mapping[str, str], at: str, default: Signal | None) -> Any:
    """Return the signal that a text means; parameters of an expression may come from its fields."""
    values = {field: number_in(value) for field, value in fields.items()}
    is_name = re.fullmatch(r"[\w-]*", text) is not None
    trials = [text]
    if values and not is_name and None not in values.values():
        given = ", ".join(f"{field}={value!r}" for field, value in values.items())
        inside = re.fullmatch(r"(?i:(function|expression)\((.*)\))", text.strip())
        trials.append(f"{inside[1]}({inside[2]}, {given})" if inside else f"{text}, {given}")
    message = ""
    for trial in trials:
        try:
            return parse_signal(trial, default)
        except BrnnError as error:
            message = str(error).removeprefix("signal: ")
    raise InputError(f"{at}{message}")


def short_value(value: Any) -> str:
    """Return a value for a message, in one line of 60 characters at most."""
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"an array of shape {value.shape}"
    return short_repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)
