"""Networks from a function: values become its arguments, parts of values replace those of its defaults."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.sweeps.building.builder import BuildFromValues, NetworkBuilder
from brnn.sweeps.building.parts import NameNode, check_parts, name_tree, with_parts
from brnn.sweeps.building.references import reference_of
from brnn.sweeps.building.texts import Parameter, parameters_of, value_in

__all__ = ["FunctionBuilder"]

_ANY = frozenset({"whole", "number", "list", "text"})  # what a parameter of **options may be
_TEXTS = 4096  # how many texts are remembered with what they mean


class FunctionBuilder(NetworkBuilder):
    """Makes networks by a function of keyword parameters: a user's own, or the `build` of a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        reference = reference_of(function)
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(reference["model"] if reference and "model" in reference else name, reference)
        self.function = function
        try:
            signature = inspect.signature(function)
            self.parameters = parameters_of(function)
        except (TypeError, ValueError):
            raise InputError(f"build: {name} does not say which parameters it has; wrap it in a function") from None
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        if inspect.Parameter.POSITIONAL_ONLY in kinds:
            raise InputError(f"build: {name} has a parameter without a name; all must have one")
        self.open = inspect.Parameter.VAR_KEYWORD in kinds

    def _check(self, tree: Mapping[str, NameNode]) -> None:
        for name, node in tree.items():
            if name not in self.parameters and not self.open:
                has = f"it has {', '.join(self.parameters)}" if self.parameters else "it has none"
                hint = closest(name, self.parameters)
                raise InputError(f"{node.first}: {self.name} has no parameter '{name}' ({has}){hint}")
            known = self._known(name)
            check_parts(node, _default(known), kinds=known.kinds)
        for name, parameter in self.parameters.items():
            if parameter.default is inspect.Parameter.empty and name not in tree:
                raise InputError(f"{self.name}: the parameter '{name}' has no default; the design must give it")

    def _known(self, name: str) -> Parameter:
        return self.parameters.get(name, Parameter(name, inspect.Parameter.empty, _ANY))

    def arguments(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the function: what a part of is given is whole there."""
        names = tuple(settings)
        tree = name_tree(names)
        self._check(tree)
        return self._keywords(tree)(tuple(settings.values()))

    def _prepare(self, tree: Mapping[str, NameNode]) -> BuildFromValues:
        keywords, function = self._keywords(tree), self.function

        def make(values: Sequence[Any]) -> Network:
            network = function(**keywords(values))
            if not isinstance(network, Network):
                raise InputError(f"{self.name}: returned {type(network).__name__}, must return a brnn.Network")
            return network

        return make

    def _keywords(self, tree: Mapping[str, NameNode]) -> Callable[[Sequence[Any]], dict[str, Any]]:
        """Return a function that makes arguments of values."""
        whole: list[tuple[str, int, Callable[[Any], Any]]] = []
        partial: list[tuple[str, Callable[[Sequence[Any]], Any]]] = []
        for name, node in tree.items():
            known = self._known(name)
            if node.parts:
                partial.append((name, functools.partial(_with_parts, known, _converter(known), {}, node)))
            elif node.slot is not None:
                whole.append((name, node.slot, _converter(known)))

        def make(values: Sequence[Any]) -> dict[str, Any]:
            keywords = {name: convert(values[slot]) for name, slot, convert in whole}
            for name, change in partial:
                keywords[name] = change(values)
            return keywords

        return make


def _default(parameter: Parameter) -> Any:
    return None if parameter.default is inspect.Parameter.empty else parameter.default


def _converter(parameter: Parameter) -> Callable[[Any], Any]:
    """Return a function that makes of a value what the build function expects for a parameter."""
    kinds = parameter.kinds
    whole = "whole" in kinds and "number" not in kinds
    meaning = functools.lru_cache(maxsize=_TEXTS)(functools.partial(_meaning, parameter=parameter))

    def convert(value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        kind = type(value)
        if kind is float:
            return int(value) if whole and value.is_integer() else value
        if kind is int:
            return value
        if kind is str:
            return meaning(value)
        if whole and kind is np.ndarray and value.ndim == 1 and (value == np.floor(value)).all():
            return tuple(value.astype(np.int64).tolist())
        return value

    return convert


def _meaning(text: str, parameter: Parameter) -> Any:
    value = value_in(text, parameter)
    if isinstance(value, np.ndarray):
        value.setflags(write=False)  # several members share it
    return value


def _with_parts(
    parameter: Parameter,
    convert: Callable[[Any], Any],
    signals: dict[str, Any],
    node: NameNode,
    values: Sequence[Any],
) -> Any:
    """Return the value of a parameter of which parts are set; `signals` remembers what texts mean."""
    base = _default(parameter)
    if node.slot is not None:
        base = values[node.slot]
        if isinstance(base, str) and "signal" in parameter.kinds:
            if base not in signals:
                # An expression takes its parameters from the parts; those of other members then replace them.
                parts = {part: str(values[child.slot]) for part, child in node.parts.items() if child.slot is not None}
                signals[base] = value_in(base, parameter, parts)
            base = signals[base]
        else:
            base = convert(base)
    if base is None and "signal" in parameter.kinds:
        raise InputError(f"{next(iter(node.parts.values())).first}: {node.name} is none, which has no parts")
    result = with_parts(base, node, values)
    return convert(result) if isinstance(result, np.ndarray) else result
