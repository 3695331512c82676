"""JSON with what JSON does not have: numbers that are not finite, arrays, sparse matrices, and maps beside objects."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.base.tracer import Varying
from brnn.errors import InputError, SpecError

__all__ = ["JsonCodec", "UnknownType", "same_packed"]

_INLINE = 64  # arrays up to this many elements stand in the JSON as readable lists
_PART = 4096  # bytes that tell whether it is worth while to compress all,
_WORTH = 0.9  # of which so many may be left
_CSR = ("data", "indices", "indptr")  # the parts of a sparse matrix


class UnknownType(SpecError):
    """A value is of a type that has no JSON; `type_name` says which, `place` where it is, as ``['a'][3]``."""

    def __init__(self, value: object) -> None:
        self.type_name = type(value).__name__
        self.place = ""
        super().__init__(f"a value of type {self.type_name} cannot be part of a specification")


class JsonCodec:
    """Makes plain data for `json`, and reads it again: ``decode(encode(x)) == x`` to the last bit of each number.

    What JSON does not have is an object with a `type`: "float", "array", "csr" or "map". Subclasses add objects of
    their own (`encode_other`, `decode_other`), or write these in another way (`mark`, `unmark`).
    """

    inline: ClassVar[int] = _INLINE  # elements of the largest array that stands in the data as a list

    def encode(self, value: Any, arrays: dict[str, np.ndarray] | None = None) -> Any:
        """Return plain data.

        Parameters
        ----------
        value : object
            Numbers, texts, None, arrays, sparse matrices, sequences and maps of these.
        arrays : dict, optional
            If given, large arrays are put into it, and the data refers to them by name; otherwise they stand in the
            data themselves (compressed, base64).

        Raises
        ------
        UnknownType
            If there is something else in it.
        """
        if isinstance(value, Varying):  # enough to compare specifications; it cannot be read back
            return self.mark("varying", digest=value.digest)
        if value is None or isinstance(value, (bool, str, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else self.mark("float", value=str(value))
        if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
            return self.encode(value.item(), arrays)
        if isinstance(value, np.ndarray):
            return self._encode_array(value, arrays)
        if isinstance(value, (tuple, list)):
            return [self._encode_part(item, arrays, k) for k, item in enumerate(value)]
        if isinstance(value, Mapping):
            items = [[str(key), self._encode_part(item, arrays, key)] for key, item in value.items()]
            return self.mark("map", items=items)
        if hasattr(value, "tocsr"):  # a sparse matrix: scipy.sparse is only imported by those who have one
            csr = value.tocsr()
            parts = {
                name: self.encode(np.asarray(getattr(csr, name)), arrays) for name in ("data", "indices", "indptr")
            }
            return self.mark("csr", shape=list(csr.shape), **parts)
        return self.encode_other(value, arrays)

    def decode(self, data: Any, arrays: Mapping[str, Any], where: str) -> Any:
        """Return what `encode` was given, with one kind of sequence for all.

        Parameters
        ----------
        data : object
            Plain data.
        arrays : mapping of name -> array
            The arrays to which it refers.
        where : str
            Where the data come from, for errors.

        Raises
        ------
        SpecError
            If the data are damaged.
        """
        if data is None or isinstance(data, (bool, str, int, float)):
            return data
        if isinstance(data, list):
            return self.sequence(self.decode(item, arrays, where) for item in data)
        kind, content = self.unmark(data, where)
        try:
            if kind == "float":
                return float(content["value"])
            if kind == "array":
                return _decode_array(content, arrays, where)
            if kind == "csr":
                import scipy.sparse as sparse

                parts = tuple(self.decode(content[key], arrays, where) for key in _CSR)
                return sparse.csr_array(parts, shape=tuple(int(k) for k in content["shape"]))
            if kind == "map":
                return {key: self.decode(item, arrays, where) for key, item in content["items"]}
        except SpecError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError, zlib.error, MemoryError) as error:
            raise SpecError(f"{where}: damaged {kind} ({error})") from None
        return self.decode_other(kind, content, arrays, where)

    def mark(self, kind: str, **content: Any) -> Any:
        """Return the object that stands for something that JSON does not have."""
        return {"type": kind, **content}

    def unmark(self, data: Any, where: str) -> tuple[str, Mapping[str, Any]]:
        """Return what kind of thing an object stands for, and what `mark` was given."""
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            raise SpecError(f'{where}: not the data of a specification (an object needs a "type")')
        return data["type"], data

    def sequence(self, items: Iterable[Any]) -> Any:
        """Return what a list is read as: here a tuple."""
        return tuple(items)

    def encode_other(self, value: Any, arrays: dict[str, np.ndarray] | None) -> Any:
        """Return plain data for a value of another type; here: raise UnknownType."""
        raise UnknownType(value)

    def decode_other(self, kind: str, content: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> Any:
        """Return the value that an object of another kind stands for; here: raise SpecError."""
        raise SpecError(f"{where}: unknown kind '{kind}'")

    def _encode_part(self, value: Any, arrays: dict[str, np.ndarray] | None, key: object) -> Any:
        try:
            return self.encode(value, arrays)
        except UnknownType as error:
            error.place = f"[{key!r}]{error.place}"
            raise

    def _encode_array(self, value: np.ndarray, arrays: dict[str, np.ndarray] | None) -> Any:
        if value.dtype.kind not in "fiub":
            raise UnknownType(value)
        if value.size <= self.inline and value.dtype.itemsize <= 8 and np.isfinite(value).all():
            plain = value.ravel().tolist()
            return self.mark("array", dtype=value.dtype.str, shape=list(value.shape), values=plain)
        if arrays is not None and value.size > self.inline:
            name = next((name for name, other in arrays.items() if other is value), f"a{len(arrays)}")
            arrays[name] = value
            return self.mark("array", name=name)
        packed = base64.b64encode(_compressed(np.ascontiguousarray(value).tobytes())).decode("ascii")
        return self.mark("array", dtype=value.dtype.str, shape=list(value.shape), packed=packed)


def same_packed(one: Any, other: Any) -> bool:
    """Tell whether two arrays that stand compressed in plain data are the same, however they were compressed."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping) and "packed" in one and "packed" in other):
        return False
    try:
        first, second = (base64.b64decode(data["packed"], validate=True) for data in (one, other))
        most = math.prod(int(k) for k in one["shape"]) * np.dtype(str(one["dtype"])).itemsize + 1  # bytes, and one more
        raw = zlib.decompressobj().decompress(first, most)  # whatever they claim
        same = len(raw) < most and zlib.decompressobj().decompress(second, most) == raw
    except (KeyError, TypeError, ValueError, zlib.error):
        return False
    return same and {**one, "packed": ""} == {**other, "packed": ""}


def _compressed(raw: bytes) -> bytes:
    """Return bytes as zlib has them; as they are where a part says that they do not become fewer, as random ones."""
    part = raw[:_PART]
    worth = len(raw) <= _PART or len(zlib.compress(part, 1)) < _WORTH * len(part)
    return zlib.compress(raw, 1 if worth else 0)


def _decode_array(content: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> np.ndarray:
    if "name" in content:
        if content["name"] not in arrays:
            raise SpecError(f"{where}: the array '{content['name']}' is missing")
        return np.asarray(arrays[content["name"]])
    dtype = np.dtype(str(content["dtype"]))
    if dtype.kind not in "fiub":
        raise SpecError(f"{where}: an array of type {dtype} cannot be part of a specification")
    sizes = tuple(int(k) for k in content["shape"])
    size = math.prod(sizes) * dtype.itemsize
    if any(k < 0 for k in sizes):
        raise SpecError(f"{where}: an array of shape {shortened(str(sizes))} is not possible")
    try:
        refuse_above(2 * size, f"{where}: an array of shape {shortened(str(sizes))}")  # a copy of it is made
    except InputError as error:
        raise SpecError(str(error)) from None
    if "values" in content:
        return np.array(content["values"], dtype=dtype).reshape(sizes)
    raw = zlib.decompressobj().decompress(base64.b64decode(content["packed"], validate=True), size + 1)
    if len(raw) != size:
        raise SpecError(f"{where}: the array holds {len(raw)} bytes, its shape {sizes} needs {size}")
    return np.frombuffer(raw, dtype=dtype).reshape(sizes).copy()
