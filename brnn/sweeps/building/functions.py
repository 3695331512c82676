"""Networks from a function: values become its arguments, parts of values replace those of its defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brnn.errors import InputError
from brnn.spec.dotted.arguments import BuildArguments
from brnn.spec.dotted.parts import NameNode
from brnn.spec.network import Network
from brnn.sweeps.building.builder import BuildFromValues, NetworkBuilder
from brnn.sweeps.building.references import reference_of

__all__ = ["FunctionBuilder"]


class FunctionBuilder(NetworkBuilder):
    """Makes networks by a function of keyword parameters: a user's own, or the `build` of a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        reference = reference_of(function)
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(reference["model"] if reference and "model" in reference else name, reference)
        self.function = function
        self._arguments = BuildArguments(function, self.name)

    def _check(self, tree: Mapping[str, NameNode]) -> None:
        self._arguments.check(tree)
        missing = self._arguments.missing(tree)
        if missing is not None:
            raise InputError(f"{self.name}: the parameter '{missing}' has no default; the design must give it")

    def arguments(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the function: what a part of is given is whole there."""
        return self._arguments.of(settings)

    def _prepare(self, tree: Mapping[str, NameNode]) -> BuildFromValues:
        arguments, function = self._arguments.maker(tree), self.function

        def make(values: Sequence[Any]) -> Network:
            network = function(**arguments(values))
            if not isinstance(network, Network):
                raise InputError(f"{self.name}: returned {type(network).__name__}, must return a brnn.Network")
            return network

        return make
