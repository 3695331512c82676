"""Parameters by which one differentiates: their names and values, and what a name may not be."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.text import closest, count_in
from brnn.base.tracer import Varying
from brnn.errors import InputError
from brnn.signals.expression import Expression
from brnn.spec.dotted.texts import parameters_of
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.find import builder_of
from brnn.sweeps.building.functions import FunctionBuilder

__all__ = ["Parameters"]


class Parameters:
    """Numbers of a network, or of a function that builds networks, by their dotted names.

    Parameters
    ----------
    build : callable, str, module or Network
        As in `brnn.sweep`.
    wrt : sequence of str, or mapping of str to value
        The names; or with values, in place of those that are there. A value may be an array.
    settings : mapping, optional
        Values of other parameters, by dotted name.
    where : str
        What `wrt` is called, for messages.

    Attributes
    ----------
    names : tuple of str
        One for each number: element k of an array is ``"<name>.<k>"``, counted in C order.
    start : ndarray
        Their values.
    """

    def __init__(
        self,
        build: Any,
        wrt: Sequence[str] | Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        where: str = "wrt",
    ) -> None:
        self._arguments = build, wrt, settings, where
        fixed = dict(settings or {})
        if isinstance(build, Network) and fixed:
            build, fixed = build.with_(fixed), {}
        self.builder: NetworkBuilder = builder_of(build)
        if isinstance(wrt, str):
            wrt = [wrt]
        given = dict(wrt) if isinstance(wrt, Mapping) else dict.fromkeys(wrt)
        if not given or not all(isinstance(name, str) for name in given):
            raise InputError(f"{where}: must name at least one parameter, e.g. {where}=['rcf.A']")
        if not isinstance(wrt, Mapping) and len(given) < len(wrt):
            raise InputError(f"{where}: a parameter is named twice")
        if "duration" in given:
            raise InputError(f"{where}: duration is how long the run is; derivatives are taken at fixed times")
        root: Any = build if isinstance(build, Network) else self.builder
        for name in given:
            _check_kind(self.builder, name)
        both = next((name for name in given if name in fixed), None)
        if both is not None:
            raise InputError(f"{both}: is among the settings, too; give its value as {where}={{'{both}': ...}}")
        values = {name: _value(root, name, where, fixed) if v is None else v for name, v in given.items()}
        self.builder.check([*values, *fixed])
        self._make, self._fixed = self.builder.for_names((*values, *fixed)), tuple(fixed.values())
        self._shapes: dict[str, tuple[int, ...]] = {}
        names: list[str] = []
        numbers: list[float] = []
        for name, value in values.items():
            array = _numbers(value, name, where)
            self._shapes[name] = array.shape
            names += [name] if array.ndim == 0 else [f"{name}.{k}" for k in range(array.size)]
            numbers += array.ravel().tolist()
        self.names, self.start = tuple(names), np.array(numbers)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as the arguments; a module goes as its function."""
        build, *others = self._arguments
        return type(self), (build.build if inspect.ismodule(build) else build, *others)

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """Where the numbers of each name that has an array stand."""
        sizes = [int(np.prod(shape)) for shape in self._shapes.values()]
        edges = np.cumsum([0, *sizes])
        return [
            (int(first), int(last))
            for first, last, shape in zip(edges[:-1], edges[1:], self._shapes.values(), strict=True)
            if shape
        ]

    def settings(self, numbers: np.ndarray) -> dict[str, Any]:
        """Return values by name."""
        found: dict[str, Any] = {}
        first = 0
        for name, shape in self._shapes.items():
            size = int(np.prod(shape))
            part = numbers[first : first + size]
            found[name] = part.reshape(shape).copy() if shape else float(part[0])
            first += size
        return found

    def network(self, numbers: np.ndarray) -> Network:
        """Return the network of these values."""
        return self._make((*self.settings(numbers).values(), *self._fixed))


def _value(root: Any, name: str, where: str, settings: Mapping[str, Any]) -> Any:
    """Return what a dotted name stands for."""
    first, *parts = name.split(".")
    if isinstance(root, Network):
        here: Any = _part_of(root, first, name)
    else:
        assert isinstance(root, NetworkBuilder)
        root.check([name])
        here = settings.get(first)
        if here is None or isinstance(here, str):
            here = _default(root, first, name, where)
    for part in parts:
        if isinstance(here, Expression) and part in dict(here.parameters):
            here = dict(here.parameters)[part]
        elif isinstance(here, Spec):
            here = _field(here, part, name)
        elif (place := count_in(part)) is not None:
            flat = np.ravel(np.asarray(here, dtype=object)) if isinstance(here, tuple) else np.ravel(here)
            several = np.ndim(here) > 0 or isinstance(here, tuple)
            if several and place >= flat.size:
                raise InputError(f"{name}: there are {flat.size} elements, counted from 0")
            here = flat[place] if several else here
        else:
            raise InputError(f"{name}: there is no '{part}'")
    return here


def _field(value: Spec, part: str, name: str) -> Any:
    if not hasattr(value, part):
        near = closest(part, list(parameters_of(type(value))))
        raise InputError(f"{name}: {type(value).__name__} has no field '{part}'{near}")
    if "whole" in parameters_of(type(value)).get(part, _ANY).kinds:
        raise InputError(f"{name}: is a whole number, of which there is no derivative")
    return getattr(value, part)


class _Any:
    kinds: frozenset[str] = frozenset()


_ANY: Any = _Any()


def _part_of(network: Network, first: str, name: str) -> Any:
    parts: dict[str, Any] = {str(link.name): link for link in network.projections}
    parts |= {layer.name: layer for layer in network.layers}
    parts |= {str(stimulus.name): stimulus for stimulus in network.stimuli if stimulus.name is not None}
    parts |= {event.name: event for event in network.events}
    parts |= {"stimuli": network.stimuli, "protocol": network.protocol}
    if parts.get(first) is None:
        raise InputError(
            f"{name}: the network {network.name} has no '{first}' (it has {', '.join(parts)})"
            f"{closest(first, list(parts))}"
        )
    return parts[first]


def _default(builder: NetworkBuilder, first: str, name: str, where: str) -> Any:
    assert isinstance(builder, FunctionBuilder)
    known = parameters_of(builder.function).get(first)
    value = None if known is None or known.default is inspect.Parameter.empty else known.default
    if value is None:
        raise InputError(f"{name}: is not set; give its value: {where}={{'{name}': ...}}")
    return value


def _check_kind(builder: NetworkBuilder, name: str) -> None:
    """Raise InputError if a parameter of a function is a whole number."""
    known = parameters_of(builder.function).get(name) if isinstance(builder, FunctionBuilder) else None
    if known is not None and "whole" in known.kinds and "number" not in known.kinds:
        raise InputError(f"{name}: is a whole number, of which there is no derivative")


def _numbers(value: Any, name: str, where: str) -> np.ndarray:
    """Return a value as an array of floats; raise InputError if it is none."""
    if isinstance(value, Spec):
        known = [part for part, one in vars(value).items() if isinstance(one, float)]
        hint = f"; name a number of it: {name}.{known[0]}" if known else ""
        raise InputError(f"{name}: is {type(value).__name__}(...), not a number{hint}")
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} = {value!r}: is no number, so that there is no derivative by it") from None
    if isinstance(value, (bool, str, Varying)):
        raise InputError(f"{name} = {value!r}: is no number, so that there is no derivative by it")
    if not np.isfinite(array).all():
        raise InputError(f"{name} = {array[~np.isfinite(array)][0]}: must be finite")
    return array
