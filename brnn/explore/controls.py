"""The controls of a model: which parameters have sliders, from where to where, and what the others have."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from brnn.base.docstrings import Described, described_parameters
from brnn.explore.asked import Asked
from brnn.signals import Expression, Signal
from brnn.signals.parse import signal_names
from brnn.spec.dotted.texts import Parameter, parameters_of
from brnn.spec.network import Network

__all__ = ["controls_of", "curve_of"]

_SLIDERS = 12  # elements of an array that each have a slider
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_POINTS = 81  # of the curve of a signal
_CELLS = 64  # along an axis, up to which the slider of a size goes

Control = dict[str, Any]


def controls_of(asked: Asked, network: Network) -> list[Control]:
    """Return a control for each parameter of a model's `build`, as plain data.

    Parameters
    ----------
    asked : Asked
        The model and what is set.
    network : Network
        What they give.

    Returns
    -------
    list of dict
        ``kind`` is "number", "numbers", "choice", "truth", "signal", "pattern" or "text"; ``name`` is what ``--set``
        calls it; ``label``, ``unit`` and ``allowed`` stand beside it; ``value`` is the value that it has.
    """
    build = getattr(asked.model.module, "build", None)
    if build is None:
        return _of_network(network)
    described = described_parameters(build.__doc__)
    given = asked.model.values(asked.settings)
    result = []
    for name, parameter in parameters_of(build).items():
        entry = described.get(name, Described(name, "", "", ""))
        value = given.get(name, parameter.default)
        control = _control(parameter, entry, value, network, given)
        if control is not None:
            words = {
                "name": name,
                "label": name,
                "meaning": entry.meaning,
                "unit": entry.unit,
                "allowed": entry.allowed,
            }
            result.append({**words, "set": name in given, **control})
    return result


def _control(
    parameter: Parameter, entry: Described, value: Any, network: Network, given: Mapping[str, Any]
) -> Control | None:
    kinds, name = parameter.kinds, parameter.name
    empty = value is inspect.Parameter.empty
    if "signal" in kinds:
        return _signal(value, parameter)
    if kinds <= {"spec", "none"}:
        return None  # no text gives it
    if name == "n" and "whole" in kinds:
        return _size(value, network, entry)
    if name == "pattern" and "list" in kinds and not isinstance(value, (int, float)):
        pattern = _pattern(value, network)
        if pattern is not None:
            return pattern
    if "truth" in kinds:
        return {"kind": "truth", "value": bool(value)}
    choices = parameter.choices or (_choices(entry.allowed) if "text" in kinds else ())
    if choices:
        return {"kind": "choice", "choices": list(choices), "value": value}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        whole = "whole" in kinds and "number" not in kinds
        default = parameter.default if isinstance(parameter.default, (int, float)) else value
        return {"kind": "number", "value": _json_number(value), **_range(entry.allowed, float(default), whole)}
    if isinstance(value, (tuple, list, np.ndarray)) and "list" in kinds:
        numbers = _flat(value)
        if numbers is not None and 0 < len(numbers) <= _SLIDERS:
            largest = max((abs(number) for number in numbers if math.isfinite(number)), default=1.0)
            whole = "whole" in kinds and "number" not in kinds
            return {
                "kind": "numbers",
                "value": [_json_number(number) for number in numbers],
                "name_of_each": [f"{name}.{k}" for k in range(len(numbers))],
                **_range(entry.allowed, largest or 1.0, whole),
            }
    return {"kind": "text", "value": None if empty else _as_text(value), "needed": empty}


def _of_network(network: Network) -> list[Control]:
    """Return the numbers of a saved network, by their dotted names."""
    result: list[Control] = []
    parts: list[tuple[str, Any]] = [(layer.name, layer) for layer in network.layers]
    parts += [(str(link.name), link.signal) for link in network.projections]
    for owner, part in parts:
        signal = isinstance(part, Signal)
        for field in dataclasses.fields(part) if not isinstance(part, Expression) else ():
            value = getattr(part, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            name = f"{owner}.signal.{field.name}" if signal else f"{owner}.{field.name}"
            result.append(
                {
                    "name": name, "label": name, "meaning": "", "unit": "", "allowed": "", "set": False,
                    "kind": "number", "value": _json_number(value), **_range("", float(value), False),
                }
            )  # fmt: skip
    return result


def _range(allowed: str, default: float, whole: bool) -> Control:
    """Return from where to where a slider goes, and its step: what is allowed, as far as that is near the default."""
    low, high, above = _bounds(allowed)
    if math.isfinite(low) and math.isfinite(high):
        start, stop = low, high
    else:
        reach = 4.0 * abs(default) if default and math.isfinite(default) else 1.0
        if whole:
            reach = max(reach, 10.0)
        start = low if math.isfinite(low) else (0.0 if default > 0.0 and whole else default - reach)
        if not math.isfinite(start):
            start = 0.0
        stop = min(high, max(start + reach, reach))
    step = 1.0 if whole else _nice((stop - start) / 200.0)
    if above and start == low:
        start += step
    return {"low": start, "high": stop, "step": step, "whole": whole}


def _nice(width: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above this."""
    if not width > 0.0:
        return 0.01
    power = 10.0 ** math.floor(math.log10(width))
    factor = max(f for f in (1.0, 2.0, 5.0) if f * power <= width * (1.0 + 1e-9))
    return float(f"{factor * power:.0e}")


def _bounds(allowed: str) -> tuple[float, float, bool]:
    """Return the bounds that the words of a docstring name, and whether the lower one is not allowed itself."""
    interval = re.search(rf"in ([\[(])\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[\])]", allowed)
    if interval:
        return float(interval.group(2)), float(interval.group(3)), interval.group(1) == "("
    low, high, above = -math.inf, math.inf, False
    for sign, number in re.findall(rf"([<>]=?)\s*({_NUMBER})", allowed):
        if sign.startswith(">"):
            low, above = float(number), sign == ">"
        else:
            high = float(number)
    return low, high, above


def _choices(allowed: str) -> tuple[str, ...]:
    """Return the words that a docstring lists in braces."""
    listed = re.search(r"\{([^}]*)\}", allowed)
    return tuple(re.findall(r"['\"]([^'\"]+)['\"]", listed.group(1))) if listed else ()


def _size(value: Any, network: Network, entry: Described) -> Control:
    """Return the control of the number of cells: a slider where there is one axis."""
    shape = network.layers[-1].shape if value is None else tuple(int(k) for k in np.ravel(value))
    if len(shape) == 1:
        low = max(1.0, _bounds(entry.allowed)[0]) if math.isfinite(_bounds(entry.allowed)[0]) else 1.0
        return {
            "kind": "number", "value": shape[0], "low": low, "high": max(_CELLS, 2 * shape[0]), "step": 1.0,
            "whole": True, "structural": True,
        }  # fmt: skip
    return {"kind": "text", "value": ",".join(map(str, shape)), "needed": False}


def _pattern(value: Any, network: Network) -> Control | None:
    """Return the editor of an input pattern: its grid and the values it begins with; None if none can be drawn."""
    if value is None:
        stimulus = next((s for s in network.stimuli if s.kind == "excitatory"), None)
        if stimulus is None:
            return None
        values = np.asarray(stimulus.pattern, dtype=float)
        shape = network.layer(stimulus.target).shape
        if values.shape != shape:
            return None
    else:
        values = np.asarray(value, dtype=float)
    if values.ndim not in (1, 2) or not 1 < values.size <= 4096 or not np.isfinite(values).all():
        return None
    return {
        "kind": "pattern",
        "shape": list(values.shape),
        "value": values.ravel().tolist(),
        "top": float(max(values.max(), 1e-12)),
        "below": bool(values.min() < 0.0),
    }


def _signal(value: Any, parameter: Parameter) -> Control:
    """Return the control of a signal: its names, which one it is, and its numbers."""
    control: Control = {"kind": "signal", "choices": signal_names(), "none": "none" in parameter.kinds}
    if not isinstance(value, Signal):
        return {**control, "value": "none", "numbers": []}
    if isinstance(value, Expression):
        numbers = [(name, number) for name, number in value.parameters]
        kind = "function" if not value.cut and type(value).__name__ == "Function" else "expression"
        control |= {"value": kind, "formula": value.text}
    else:
        numbers = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
        control |= {"value": _kebab(type(value).__name__), "formula": value.formula}
    base = parameter.default if type(parameter.default) is type(value) else value
    starts = dict(base.parameters) if isinstance(base, Expression) else {n: getattr(base, n) for n, _ in numbers}
    control["numbers"] = [
        {
            "name": f"{parameter.name}.{name}",
            "label": name,
            "value": _json_number(number),
            **_range("" if float(starts.get(name, number)) < 0 else ">= 0", float(starts.get(name, number)), False),
        }
        for name, number in numbers
    ]
    control["curve"] = curve_of(value)
    return control


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def curve_of(signal: Signal) -> dict[str, list[float]]:
    """Return the curve of a signal, as far as it is of interest: from below 0 to where it bends no more."""
    half = max((abs(float(v)) for v in signal.arguments if math.isfinite(v)), default=1.0)
    top = min(max(1.0, 2.0 * half), 100.0)
    low = -top if np.any(signal(np.array([-0.1, -1.0]))) else 0.0
    w = np.linspace(low, top, _POINTS)
    f = np.nan_to_num(np.asarray(signal(w), dtype=float), posinf=1e30, neginf=-1e30)
    return {"w": w.tolist(), "f": f.tolist()}


def _flat(value: Any) -> list[float] | None:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return array.tolist() if array.ndim == 1 else None


def _as_text(value: Any) -> str | None:
    """Return a value as ``--set`` takes it; None stands for the default that is none."""
    if value is None or isinstance(value, str):
        return value
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    if array.size > 400 or array.ndim > 2:
        return None
    rows = [",".join(f"{number:g}" for number in row) for row in np.atleast_2d(array)]
    return f"[{','.join(f'[{row}]' for row in rows)}]" if array.ndim == 2 else rows[0]


def _json_number(number: float) -> float | str:
    """Return a number as JSON holds it."""
    return float(number) if math.isfinite(number) else str(float(number))
