"""What every part of a specification has in common: it is frozen data that round-trips to JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from brnn.base.codec import JsonCodec
from brnn.base.text import closest
from brnn.errors import SpecError

__all__ = ["Spec", "UnknownKind"]


class UnknownKind(SpecError):
    """Data are of a kind whose class is not there: in a user's module, which was not imported. `kind` is its name."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type[UnknownKind], tuple[str, str]]:
        """Let a worker process send it."""
        return UnknownKind, (str(self), self.kind)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Spec:
    """Base of Network, layers, projections, topologies, signals, stimuli and schedules.

    A subclass is a frozen dataclass (``@dataclass(frozen=True, eq=False, repr=False)``) whose fields are numbers,
    strings, arrays, other Specs, or tuples of these. Defining it registers it under its class name, which
    is its ``"type"`` in JSON. ``__post_init__`` validates and normalises (with `_set`).
    """

    registry: ClassVar[dict[str, type[Spec]]] = {}
    needs: ClassVar[tuple[str, ...]] = ()  # what a class of this kind must define

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__name__.startswith("_"):
            Spec.registry[cls.__name__] = cls

    @classmethod
    def lacking(cls) -> str:
        """Return what a class of the user's own does not define and must; nothing if all is there."""
        kind = next(base for base in cls.__mro__ if "needs" in vars(base))
        return next((name for name in cls.needs if getattr(cls, name, None) is getattr(kind, name, None)), "")

    def _set(self, **values: Any) -> None:
        """Assign normalised values to fields from within ``__post_init__``."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def meant(cls, value: Any) -> str:
        """Return what was probably meant by a value that is none of this kind, as Python; nothing if that is not clear.

        It is for messages. A name stands for the class of this name, and a class for what it makes by default.
        """
        if isinstance(value, type):
            value = value.__name__
        if not isinstance(value, str):
            return ""
        kinds = {name.lower(): kind for name, kind in Spec.registry.items() if issubclass(kind, cls)}
        found = kinds.get(value.lower().replace("-", "").replace("_", ""))
        if found is None:
            return ""
        needed = [
            f"{field.name}=..."
            for field in dataclasses.fields(found)
            if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        package = "brnn." if found.__module__.startswith("brnn.") else ""
        return f"{package}{found.__name__}({', '.join(needed)})"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed (and everything validated again)."""
        names = [field.name for field in dataclasses.fields(self) if field.init]
        for key in changes:
            if key not in names:
                hint = closest(key, names)
                raise SpecError(f"{type(self).__name__} has no field '{key}' (it has {', '.join(names)}){hint}")
        return dataclasses.replace(self, **changes)

    def to_dict(self, arrays: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
        """Return plain data.

        Parameters
        ----------
        arrays : dict, optional
            If given, arrays of more than 64 elements are put into it, and the data refers to them by name;
            otherwise they stand in the data themselves, exactly (compressed, base64).
        """
        data: dict[str, Any] = {"type": type(self).__name__}
        for field in dataclasses.fields(self):
            if field.init:
                data[field.name] = _CODEC.encode(getattr(self, field.name), arrays)
        return data

    @classmethod
    def from_dict(cls, data: Any, arrays: Mapping[str, Any] | None = None) -> Self:
        """Rebuild from `to_dict`; raise SpecError if the data is not of this kind or not valid."""
        try:
            result = _CODEC.decode(data, arrays or {}, cls.__name__)
        except RecursionError:
            raise SpecError(f"a {cls.__name__}: its data are nested too deep") from None
        if not isinstance(result, cls):
            raise SpecError(f"expected a {cls.__name__}, found {type(result).__name__}")
        return result

    def to_json(self, indent: int | None = None) -> str:
        """Return the JSON text; `from_json` gives back an equal value, to the last bit of each number."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild from `to_json`."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"not a {cls.__name__} in JSON: {error}") from None
        return cls.from_dict(data)

    def __repr__(self) -> str:
        shown = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray) and value.size > 6:
                text = f"array of shape {value.shape}"
            elif isinstance(value, np.ndarray):
                text = str(value.tolist())
            else:
                text = repr(value)
            shown.append(f"{field.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the same in IPython, which would otherwise list class variables, too."""
        printer.text(repr(self))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())


class _SpecCodec(JsonCodec):
    """Specifications as objects whose `type` is their class."""

    def encode_other(self, value: Any, arrays: dict[str, np.ndarray] | None) -> Any:
        return value.to_dict(arrays) if isinstance(value, Spec) else super().encode_other(value, arrays)

    def decode_other(self, kind: str, content: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> Any:
        if kind not in Spec.registry:
            hint = closest(kind, Spec.registry)
            own = (
                " (one that is defined in the user's module is known when that was imported; on the command line give "
                "it with --model FILE)"
            )
            raise UnknownKind(f"{where}: unknown kind '{kind}'{hint}{own}", kind)
        cls = Spec.registry[kind]
        names = {field.name for field in dataclasses.fields(cls) if field.init}
        given = {key: self.decode(item, arrays, f"{where}.{key}") for key, item in content.items() if key != "type"}
        for key in given:
            if key not in names:
                raise SpecError(f"{where}: {kind} has no field '{key}'{closest(key, names)}")
        try:
            return cls(**given)
        except TypeError as error:
            raise SpecError(f"{where}: {kind}: {error}") from None


_CODEC = _SpecCodec()
