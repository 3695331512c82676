"""Arrays of numbers in MATLAB's files of versions 4 to 7, read here: of a damaged file SciPy's reader is not safe.

Version 7.3 is HDF5. The format: MathWorks, "MAT-File Format" (R2024a).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brnn.base.memory import refuse_above
from brnn.errors import FileError

__all__ = ["read_matlab"]

_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX, _NUMBERS = 0x0800, range(6, 16)  # a flag, and the classes double to uint64
_OLD_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")  # of version 4


class _Damaged(Exception):
    """Something is not as it must be."""


def read_matlab(path: Path) -> dict[str, np.ndarray]:
    """Return the real arrays of numbers in a file by their names; what else is in it is passed over.

    Raises
    ------
    FileError
        If it is no such file, or damaged.
    """
    content = path.read_bytes()
    try:
        return dict(_arrays(content) if content[124:128] in (b"\0\1IM", b"\1\0MI") else _old_arrays(content))
    except (_Damaged, struct.error, zlib.error, UnicodeError, ValueError) as error:
        raise FileError(f"{path}: cannot be read (no file of MATLAB, or damaged: {error})") from None


def _arrays(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    order = "<" if content[126:128] == b"IM" else ">"
    for kind, data in _elements(content[128:], order):
        if kind == _COMPRESSED:
            reader = zlib.decompressobj()
            whole = reader.decompress(data, 1032 * len(data) + 64)  # more than that zlib cannot pack
            kind, data = next(_elements(whole, order), (0, b""))
        if kind == _MATRIX:
            yield from _matrix(data, order)


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield type and data of each element; small ones have their data in the tag."""
    at = 0
    while len(data) - at >= 8:
        (word,) = struct.unpack_from(order + "I", data, at)
        if word >> 16:
            kind, size, begin, at = word & 0xFFFF, word >> 16, at + 4, at + 8
            if size > 4:
                raise _Damaged(f"an element of {size} bytes in 4")
        else:
            kind, size = struct.unpack_from(order + "2I", data, at)
            begin = at + 8
            at = begin + size + (0 if kind == _COMPRESSED else -size % 8)
        if begin + size > len(data):
            raise _Damaged("there is less in it than there should be")
        yield kind, data[begin : begin + size]


def _matrix(data: bytes, order: str) -> Iterator[tuple[str, np.ndarray]]:
    parts = _elements(data, order)
    found = [next(parts, (0, b"")) for _ in range(4)]
    (_, flags), (_, sizes), (_, name), (kind, values) = found
    (word,) = struct.unpack_from(order + "I", flags)
    if word & 0xFF not in _NUMBERS or word & _COMPLEX or kind not in _TYPES:
        return
    yield name.decode("ascii"), _shaped(values, order + _TYPES[kind], np.frombuffer(sizes, order + "i4").tolist())


def _old_arrays(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    at = 0
    while at < len(content):
        order = "<" if struct.unpack_from("<I", content, at)[0] < 10_000 else ">"
        kind, rows, columns, imaginary, length = struct.unpack_from(order + "5I", content, at)
        number = kind // 10 % 10
        if kind >= 10_000 or number >= len(_OLD_TYPES) or length > 64:
            raise _Damaged("it begins otherwise")
        dtype = np.dtype(order + _OLD_TYPES[number])
        begin, size = at + 20 + length, rows * columns * dtype.itemsize
        if begin + size * (1 + (imaginary != 0)) > len(content):
            raise _Damaged("there is less in it than there should be")
        if kind % 10 == 0 and not imaginary:  # neither text nor sparse
            name = content[at + 20 : begin].rstrip(b"\0").decode("ascii")
            yield name, _shaped(content[begin : begin + size], dtype.str, [rows, columns])
        at = begin + size * (1 + (imaginary != 0))


def _shaped(values: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    refuse_above(8.0 * len(values), "an array of the file")
    if min(shape, default=0) < 0 or math.prod(shape) * np.dtype(dtype).itemsize != len(values):
        raise _Damaged(f"an array of shape {tuple(shape)} has {len(values)} bytes")
    return np.frombuffer(values, dtype).reshape(shape, order="F")
