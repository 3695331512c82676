"""What every part of a specification has in common: it is frozen data that round-trips to JSON."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from brnn.base.text import closest
from brnn.base.tracer import Varying
from brnn.errors import SpecError

__all__ = ["Spec"]

_INLINE = 64  # arrays up to this many elements stand in the JSON as readable lists
_LARGEST = 2**40  # bytes; a hostile file must not make us allocate more than it could mean


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Spec:
    """Base of Network, layers, projections, topologies, signals, stimuli and schedules.

    A subclass is a frozen dataclass (``@dataclass(frozen=True, eq=False, repr=False)``) whose fields are numbers,
    strings, arrays, other Specs, or tuples of these. Defining it registers it under its class name, which
    is its ``"type"`` in JSON. ``__post_init__`` validates and normalises (with `_set`).
    """

    registry: ClassVar[dict[str, type[Spec]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__name__.startswith("_"):
            Spec.registry[cls.__name__] = cls

    def _set(self, **values: Any) -> None:
        """Assign normalised values to fields from within ``__post_init__``."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

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
                data[field.name] = _encode(getattr(self, field.name), arrays)
        return data

    @classmethod
    def from_dict(cls, data: Any, arrays: Mapping[str, Any] | None = None) -> Self:
        """Rebuild from `to_dict`; raise SpecError if the data is not of this kind or not valid."""
        result = _decode(data, arrays or {}, cls.__name__)
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


def _encode(value: Any, arrays: dict[str, np.ndarray] | None) -> Any:
    if isinstance(value, Spec):
        return value.to_dict(arrays)
    if type(value) is Varying:  # enough to compare specifications; it cannot be read back
        return {"type": "varying", "digest": value.digest}
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "float", "value": str(value)}
    if hasattr(value, "tocsr"):  # a sparse matrix: scipy.sparse is only imported by those who have one
        csr = value.tocsr()
        return {
            "type": "csr",
            "shape": list(csr.shape),
            "data": _encode(np.asarray(csr.data), arrays),
            "indices": _encode(np.asarray(csr.indices), arrays),
            "indptr": _encode(np.asarray(csr.indptr), arrays),
        }
    if isinstance(value, np.ndarray):
        if value.size <= _INLINE:
            return {
                "type": "array",
                "dtype": value.dtype.str,
                "shape": list(value.shape),
                "values": value.ravel().tolist(),
            }
        if arrays is not None:
            name = f"a{len(arrays)}"
            arrays[name] = value
            return {"type": "array", "name": name}
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(value).tobytes(), 1)).decode("ascii")
        return {"type": "array", "dtype": value.dtype.str, "shape": list(value.shape), "packed": packed}
    if isinstance(value, (tuple, list)):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, Mapping):
        return {"type": "map", "items": [[str(key), _encode(item, arrays)] for key, item in value.items()]}
    raise SpecError(f"a value of type {type(value).__name__} cannot be part of a specification")


def _decode(data: Any, arrays: Mapping[str, Any], where: str) -> Any:
    if data is None or isinstance(data, (bool, str, int, float)):
        return data
    if isinstance(data, list):
        return tuple(_decode(item, arrays, where) for item in data)
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise SpecError(f'{where}: not the data of a specification (an object needs a "type")')
    kind = data["type"]
    try:
        if kind == "float":
            return float(data["value"])
        if kind == "array":
            return _decode_array(data, arrays, where)
        if kind == "csr":
            import scipy.sparse as sparse

            parts = tuple(_decode(data[key], arrays, where) for key in ("data", "indices", "indptr"))
            return sparse.csr_array(parts, shape=tuple(int(k) for k in data["shape"]))
        if kind == "map":
            return {key: _decode(item, arrays, where) for key, item in data["items"]}
    except SpecError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, zlib.error, MemoryError) as error:
        raise SpecError(f"{where}: damaged {kind} ({error})") from None
    if kind not in Spec.registry:
        raise SpecError(f"{where}: unknown kind '{kind}'{closest(kind, Spec.registry)}")
    cls = Spec.registry[kind]
    names = {field.name for field in dataclasses.fields(cls) if field.init}
    given = {key: _decode(item, arrays, f"{where}.{key}") for key, item in data.items() if key != "type"}
    for key in given:
        if key not in names:
            raise SpecError(f"{where}: {kind} has no field '{key}'{closest(key, names)}")
    try:
        return cls(**given)
    except TypeError as error:
        raise SpecError(f"{where}: {kind}: {error}") from None


def _decode_array(data: dict[str, Any], arrays: Mapping[str, Any], where: str) -> np.ndarray:
    if "name" in data:
        if data["name"] not in arrays:
            raise SpecError(f"{where}: the array '{data['name']}' is missing")
        return np.asarray(arrays[data["name"]])
    dtype = np.dtype(str(data["dtype"]))
    if dtype.kind not in "fiub":
        raise SpecError(f"{where}: an array of type {dtype} cannot be part of a specification")
    sizes = tuple(int(k) for k in data["shape"])
    if any(k < 0 for k in sizes) or math.prod(sizes) * dtype.itemsize > _LARGEST:
        raise SpecError(f"{where}: an array of shape {sizes} is not possible")
    if "values" in data:
        return np.array(data["values"], dtype=dtype).reshape(sizes)
    size = math.prod(sizes) * dtype.itemsize
    raw = zlib.decompressobj().decompress(base64.b64decode(data["packed"], validate=True), size + 1)
    if len(raw) != size:
        raise SpecError(f"{where}: the array holds {len(raw)} bytes, its shape {sizes} needs {size}")
    return np.frombuffer(raw, dtype=dtype).reshape(sizes).copy()
