"""``--set KEY=VALUE``: values for the parameters of a model's `build`, read by what `build` declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brnn.base.data import Spec
from brnn.base.text import closest, count_in, shortened
from brnn.errors import BrnnError, InputError
from brnn.signals.base import Signal
from brnn.spec.dotted.arguments import BuildArguments, any_parameter, takes_any
from brnn.spec.dotted.texts import Parameter, number_in, parameters_of, value_in
from brnn.spec.network import Network

__all__ = ["Parameter", "arguments_in", "changed_by", "parameters_of", "parse_settings", "setting_of"]

_LONGEST = 1_000_000  # characters of one value


def parse_settings(texts: Sequence[str], build: Callable[..., Any], model: str) -> dict[str, Any]:
    """Return the keyword arguments for `build` that the texts ``KEY=VALUE`` stand for.

    Parameters
    ----------
    texts : sequence of str
        Each ``KEY=VALUE``, or ``KEY.FIELD=VALUE`` for one number of a signal (or of another specification) that is
        the parameter's default or is itself given by ``KEY=VALUE``, or ``KEY.COUNT=VALUE`` for an element of an array.
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
        key, value = setting_of(text)
        name, dot, field = key.partition(".")
        if name not in known and takes_any(build):
            name, dot, field = key, "", ""  # for its **options, as it stands
            known = {**known, key: any_parameter(key)}
        if name not in known:
            hint = closest(name, known)
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"--set {shortened(text)}: {model} has no parameter '{name}' ({has}){hint}")
        into = fields.setdefault(name, {}) if dot else whole
        if (field if dot else name) in into:
            raise InputError(f"--set {shortened(text)}: {key} is set twice")
        into[field if dot else name] = value
    result = {
        name: value_in(value, known[name], fields.get(name, {}), before="--set ") for name, value in whole.items()
    }
    for name, values in fields.items():
        base = result.get(name, known[name].default)
        if (
            all(count_in(part) is not None for field in values for part in field.split("."))
            and "signal" not in known[name].kinds
        ):
            result[name] = _with_elements(build, name, result, values)
        else:
            result[name] = _with_fields(known[name], base, values, name in whole)
    return result


def changed_by(texts: Sequence[str], network: Network) -> Network:
    """Return a saved network with the changes of texts ``NAME.FIELD=VALUE`` (see `Network.with_`).

    Raises
    ------
    InputError
        One line, which says what there is.
    """
    changes: dict[str, str] = {}
    for text in texts:
        key, value = setting_of(text)
        if key in changes:
            raise InputError(f"--set {shortened(text)}: {key} is set twice")
        changes[key] = value
    try:
        return network.with_(changes)
    except InputError as error:
        key, colon, rest = str(error).partition(": ")
        at = f"{key}={shortened(changes[key])}" if key in changes else key
        raise InputError(f"--set {at}{colon}{rest}") from None


def arguments_in(texts: Mapping[str, str], function: Callable[..., Any], before: str) -> dict[str, Any]:
    """Return the keyword arguments of a function of Python that settings give, whose keys begin with `before`."""
    takes = {
        name: parameter
        for name, parameter in parameters_of(function).items()
        if inspect.signature(function).parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    }
    result: dict[str, Any] = {}
    for key, text in texts.items():
        name = key.removeprefix(before)
        if name not in takes:
            raise InputError(
                f"--set {key}={shortened(text)}: must be one of {', '.join(before + name for name in takes)}"
                f"{closest(key, [before + name for name in takes])}"
            )
        if name in result:
            raise InputError(f"--set {key}={shortened(text)}: {key} is set twice")
        result[name] = value_in(text, takes[name], before=f"--set {before}")
    return result


def setting_of(text: str) -> tuple[str, str]:
    """Return key and value of a text ``KEY=VALUE``."""
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not key:
        raise InputError(f"--set {shortened(text)}: must be KEY=VALUE, for example --set A=0.5")
    if len(value) > _LONGEST:
        raise InputError(f"--set {key}: the value has {len(value)} characters, at most {_LONGEST} are read")
    return key, value


def _with_elements(build: Callable[..., Any], name: str, given: Mapping[str, Any], elements: Mapping[str, str]) -> Any:
    """Return the array of a parameter with some of its elements changed, each by its count."""
    values: dict[str, Any] = {name: given[name]} if name in given else {}
    for element, text in elements.items():
        number = number_in(text)
        if number is None:
            raise InputError(f"--set {name}.{element}={shortened(text)}: {name}.{element} must be a number")
        values[f"{name}.{element}"] = number
    try:
        return BuildArguments(build, name).of(values)[name]
    except InputError as error:
        raise InputError(f"--set {error}") from None


def _with_fields(parameter: Parameter, base: Any, fields: Mapping[str, str], given: bool) -> Any:
    """Return `base`, a signal or another specification, with some of its numbers changed."""
    first, value = next(iter(fields.items()))
    at = f"--set {parameter.name}.{shortened(first)}={shortened(value)}: "
    if not isinstance(base, Spec):
        if "signal" in parameter.kinds:
            raise InputError(
                f"{at}{parameter.name} is not set; name the signal too, as in --set {parameter.name}=sigmoid"
            )
        raise InputError(f"{at}{parameter.name} is not a signal, it has no part '{shortened(first)}'")
    changes = {}
    for field, text in fields.items():
        number = number_in(text)
        if number is None:
            raise InputError(f"--set {parameter.name}.{field}={shortened(text)}: {field} must be a number")
        changes[field] = number
    try:
        return base.replace(**changes)
    except BrnnError as error:
        hint = ""
        if isinstance(base, Signal) and not given:
            hint = f" (the {parameter.name} is {type(base).__name__} unless --set {parameter.name}=... names another)"
        raise InputError(f"{at}{error}{hint}") from None
