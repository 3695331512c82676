"""Specifications without their classes: what JSON says of them, for those who only show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.codec import JsonCodec
from brnn.base.data import Spec, UnknownKind
from brnn.errors import SpecError

__all__ = ["PlainSpec", "made_spec", "plain_spec"]


@dataclass(frozen=True)
class PlainSpec:
    """A specification as its JSON has it, whether or not its class is there.

    Attributes
    ----------
    kind : str
        Name of its class.
    fields : dict
        Its fields by name, in order; specifications in them are PlainSpecs.
    """

    kind: str
    fields: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Return a field, or None if there is none."""
        return self.fields.get(name)

    def parts(self, name: str) -> tuple[PlainSpec, ...]:
        """Return the specifications in a field that is a list of them."""
        found = self.fields.get(name)
        items = found if isinstance(found, tuple) else (found,)
        return tuple(item for item in items if isinstance(item, PlainSpec))


class _PlainCodec(JsonCodec):
    def decode_other(self, kind: str, content: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> Any:
        fields = {key: self.decode(item, arrays, f"{where}.{key}") for key, item in content.items() if key != "type"}
        return PlainSpec(kind, fields)


_CODEC = _PlainCodec()


def plain_spec(source: Any, arrays: Mapping[str, Any] | None = None) -> PlainSpec:
    """Return what a specification, or its JSON data, says.

    Parameters
    ----------
    source : Spec or dict
        A specification, or what its `to_dict` returned.
    arrays : mapping of str to array, optional
        The arrays to which the data refer by name.

    Raises
    ------
    SpecError
        If the data are damaged.
    """
    if isinstance(source, Spec):
        own: dict[str, np.ndarray] = {}
        source, arrays = source.to_dict(own), own
    result = _CODEC.decode(source, arrays or {}, str(source.get("type")) if isinstance(source, dict) else "data")
    if not isinstance(result, PlainSpec):
        raise SpecError(f"expected the data of a specification, found {type(result).__name__}")
    return result


def made_spec(value: Any) -> Any:
    """Return what a PlainSpec, or a tuple or a map of them, describes; raise UnknownKind if its class is not there."""
    if isinstance(value, PlainSpec):
        if value.kind not in Spec.registry:
            raise UnknownKind(f"unknown kind '{value.kind}'", value.kind)
        return Spec.registry[value.kind](**{name: made_spec(field) for name, field in value.fields.items()})
    if isinstance(value, tuple):
        return tuple(made_spec(item) for item in value)
    if isinstance(value, Mapping):
        return {name: made_spec(item) for name, item in value.items()}
    return value
