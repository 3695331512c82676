"""``--set KEY=VALUE``: values for the parameters of a model's `build`, read by what `build` declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brnn.base.data import Spec
from brnn.base.text import closest, shortened
from brnn.errors import BrnnError, InputError
from brnn.signals.base import Signal
from brnn.sweeps.building.texts import Parameter, number_in, parameters_of, value_in

__all__ = ["Parameter", "parameters_of", "parse_settings"]

_LONGEST = 1_000_000  # characters of one value


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
            raise InputError(f"--set {shortened(text)}: must be KEY=VALUE, for example --set A=0.5")
        if len(value) > _LONGEST:
            raise InputError(f"--set {key}: the value has {len(value)} characters, at most {_LONGEST} are read")
        name, dot, field = key.partition(".")
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
        result[name] = _with_fields(known[name], result.get(name, known[name].default), values, name in whole)
    return result


def _with_fields(parameter: Parameter, base: Any, fields: Mapping[str, str], given: bool) -> Any:
    """Return `base`, a signal or another specification, with some of its numbers changed."""
    first, value = next(iter(fields.items()))
    at = f"--set {parameter.name}.{first}={shortened(value)}: "
    if not isinstance(base, Spec):
        if "signal" in parameter.kinds:
            raise InputError(
                f"{at}{parameter.name} is not set; name the signal too, as in --set {parameter.name}=sigmoid"
            )
        raise InputError(f"{at}{parameter.name} is not a signal, it has no part '{first}'")
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
