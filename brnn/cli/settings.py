"""``--set KEY=VALUE``: values for the parameters of a model's `build`, read by what `build` declares."""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.errors import BrnnError, InputError
from brnn.spec.validate import closest

__all__ = ["Parameter", "parameters_of", "parse_settings"]

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
_LONGEST = 1_000_000  # characters of one value


@dataclass(frozen=True)
class Parameter:
    """One parameter of a `build`.

    Attributes
    ----------
    name : str
        Its name.
    default : object
        Its default, or `inspect.Parameter.empty`.
    kinds : frozenset of str
        What it may be: some of "whole", "number", "list", "truth", "text", "none", "signal", "spec".
    choices : tuple of str
        The texts that are allowed; empty if every text is.
    """

    name: str
    default: Any
    kinds: frozenset[str]
    choices: tuple[str, ...] = ()


def parameters_of(build: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters of a `build` by name, in order, with the kinds of value that each one allows."""
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
        result[name] = Parameter(name, parameter.default, frozenset(kinds or {"number", "list", "text"}), choices)
    return result


def parse_settings(texts: Sequence[str], build: Callable[..., Any], model: str) -> dict[str, Any]:
    """Return the keyword arguments for `build` that the texts ``KEY=VALUE`` stand for.

    Parameters
    ----------
    texts : sequence of str
        Each ``KEY=VALUE``, or ``KEY.FIELD=VALUE`` for one number of a signal (or of another specification) that is
        the parameter's default or is itself given by ``KEY=VALUE``.
    build : callable
        The function whose signature says what is allowed.
    model : str
        Name of the model, for messages.

    Raises
    ------
    InputError
        One line, which begins with the setting and says what is allowed.
    """
    known = parameters_of(build)
    whole: dict[str, str] = {}
    fields: dict[str, dict[str, str]] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            raise InputError(f"--set {_short(text)}: must be KEY=VALUE, for example --set A=0.5")
        if len(value) > _LONGEST:
            raise InputError(f"--set {key}: the value has {len(value)} characters, at most {_LONGEST} are read")
        name, dot, field = key.partition(".")
        if name not in known:
            hint = closest(name, known)
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"--set {_short(text)}: {model} has no parameter '{name}' ({has}){hint}")
        into = fields.setdefault(name, {}) if dot else whole
        if (field if dot else name) in into:
            raise InputError(f"--set {_short(text)}: {key} is set twice")
        into[field if dot else name] = value
    result = {name: _value(known[name], value, fields.get(name, {})) for name, value in whole.items()}
    for name, values in fields.items():
        result[name] = _with_fields(known[name], result.get(name, known[name].default), values, name in whole)
    return result


def _kinds_of_default(default: Any) -> set[str]:
    from brnn.signals.base import Signal
    from brnn.spec.base import Spec

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


def _value(parameter: Parameter, text: str, fields: Mapping[str, str]) -> Any:
    """Return the value of one parameter."""
    at = f"--set {parameter.name}={_short(text)}: "
    kinds = parameter.kinds
    if "none" in kinds and text.lower() == "none":
        return None
    if "signal" in kinds:
        return _signal(text, fields, at)
    if kinds <= {"spec", "none"}:
        raise InputError(f"{at}cannot be given as a text; one of its numbers can: --set {parameter.name}.FIELD=VALUE")
    if "truth" in kinds and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    number = _number(text)
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


def _number(text: str) -> float | None:
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


def _signal(text: str, fields: Mapping[str, str], at: str) -> Any:
    """Return the signal that a text means; parameters of an expression may come from its fields."""
    from brnn.signals.parse import parse_signal

    values = {field: _number(value) for field, value in fields.items()}
    is_name = re.fullmatch(r"[\w-]*", text) is not None
    trials = [text]
    if values and not is_name and None not in values.values():
        trials.append(f"{text}, {', '.join(f'{field}={value!r}' for field, value in values.items())}")
    message = ""
    for trial in trials:
        try:
            return parse_signal(trial)
        except BrnnError as error:
            message = str(error).removeprefix("signal: ")
    raise InputError(f"{at}{message}")


def _with_fields(parameter: Parameter, base: Any, fields: Mapping[str, str], given: bool) -> Any:
    """Return `base`, a signal or another specification, with some of its numbers changed."""
    from brnn.signals.base import Signal
    from brnn.spec.base import Spec

    first, value = next(iter(fields.items()))
    at = f"--set {parameter.name}.{first}={_short(value)}: "
    if not isinstance(base, Spec):
        if "signal" in parameter.kinds:
            raise InputError(
                f"{at}{parameter.name} is not set; name the signal too, as in --set {parameter.name}=sigmoid"
            )
        raise InputError(f"{at}{parameter.name} is not a signal, it has no part '{first}'")
    changes = {}
    for field, text in fields.items():
        number = _number(text)
        if number is None:
            raise InputError(f"--set {parameter.name}.{field}={_short(text)}: {field} must be a number")
        changes[field] = number
    try:
        return base.replace(**changes)
    except BrnnError as error:
        hint = ""
        if isinstance(base, Signal) and not given:
            hint = f" (the {parameter.name} is {type(base).__name__} unless --set {parameter.name}=... names another)"
        raise InputError(f"{at}{error}{hint}") from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
