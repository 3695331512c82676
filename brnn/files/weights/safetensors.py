"""The safetensors format: the length of a header, the header in JSON, and the numbers, without holes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import InputError

__all__ = ["read_safetensors", "write_safetensors"]

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # bytes, as the format itself allows


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name; bfloat16 comes as float32.

    Raises
    ------
    InputError
        If the file is not what the format says, to the last byte.
    """
    file = Path(path)
    where = str(file)
    size = file.stat().st_size
    refuse_above(2 * size, f"{where}: its arrays")
    with file.open("rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(size - 8, _LONGEST_HEADER):
            raise InputError(f"{where}: is no safetensors file: its header would be longer than the file")
        text = stream.read(length)
        data = stream.read()
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: its header is no JSON of single names ({shortened(str(error))})") from None
    if not isinstance(header, dict):
        raise InputError(f"{where}: its header is no JSON object")
    header.pop("__metadata__", None)
    arrays, spans = {}, []
    for name, entry in header.items():
        dtype, shape, (begin, end) = _checked(entry, f"{where}: '{shortened(name)}'", len(data))
        kind = np.dtype(_TYPES[dtype])
        if end - begin != math.prod(shape) * kind.itemsize:
            raise InputError(
                f"{where}: '{shortened(name)}': {dtype} of shape {shape} does not fill its {end - begin} bytes"
            )
        found = np.frombuffer(data, kind, math.prod(shape), begin).reshape(shape)
        if dtype == "BF16":  # the upper half of a float32
            found = (found.astype("<u4") << 16).view("<f4")
        arrays[name] = found.copy()
        spans.append((begin, end))
    place = 0
    for begin, end in sorted(spans):
        if begin != place:
            raise InputError(f"{where}: its arrays overlap or leave a hole at byte {min(begin, place)}")
        place = end
    if place != len(data):
        raise InputError(f"{where}: {len(data) - place} bytes at its end belong to no array")
    return arrays


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _checked(entry: Any, where: str, size: int) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """Return type, shape and span of an array."""
    entry = entry if isinstance(entry, dict) else {}
    dtype, shape, span = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise InputError(f"{where}: dtype {shortened(str(dtype))} is none of {', '.join(_TYPES)}")
    for numbers in (shape, span):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
            raise InputError(f"{where}: shape and data_offsets must be lists of whole numbers >= 0")
    if len(span) != 2 or not span[0] <= span[1] <= size:
        raise InputError(f"{where}: data_offsets {shortened(str(span))}: must lie in the {size} bytes that there are")
    if len(shape) > 32 or math.prod(shape) > size:  # every element has a byte at least
        raise InputError(f"{where}: shape {shortened(str(shape))}: has more elements than the file has bytes")
    return dtype, tuple(shape), (span[0], span[1])


def write_safetensors(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name. The file must not exist yet."""
    header: dict[str, Any] = {}
    parts, place = [], 0
    names = {np.dtype(code): name for name, code in _TYPES.items() if name != "BF16"}
    for name, array in arrays.items():
        given = np.asarray(array)
        kind = given.dtype.newbyteorder("<")
        if kind not in names or name == "__metadata__":
            raise InputError(f"{path}: '{name}': an array of {given.dtype} cannot be written")
        data = np.ascontiguousarray(given, kind).tobytes()
        header[name] = {"dtype": names[kind], "shape": list(given.shape), "data_offsets": [place, place + len(data)]}
        parts.append(data)
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with Path(path).open("xb") as stream:
        for part in (len(text).to_bytes(8, "little"), text, *parts):
            stream.write(part)
