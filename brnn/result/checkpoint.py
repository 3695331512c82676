"""What a run needs to go on beside the states that it saved, as one piece of bytes that a file can hold."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

__all__ = ["Checkpoint"]

_MARK = b"brnnkept"
_HEAD = struct.Struct("<8sIIQ")  # mark, checksum of what follows it, length of the JSON, length of all
_TYPES = ("<f8", "<i8")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a run stands.

    Attributes
    ----------
    time : float
        The time of the run.
    facts : dict
        Numbers and texts: how many rows are saved, the planned step, where generators of random numbers stand.
    arrays : dict of ndarray
        The state, what travels in delays, what an integrator remembers.
    """

    time: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return it as bytes with a checksum."""
        arrays = {
            name: np.ascontiguousarray(array, dtype="<f8" if array.dtype.kind == "f" else "<i8")
            for name, array in self.arrays.items()
        }
        described = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
        text = json.dumps({"time": self.time, "facts": dict(self.facts), "arrays": described}).encode()
        body = b"".join([text, *(array.tobytes() for array in arrays.values())])
        rest = struct.pack("<IQ", len(text), _HEAD.size + len(body))
        return _HEAD.pack(_MARK, zlib.crc32(body, zlib.crc32(rest)), len(text), _HEAD.size + len(body)) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` was asked for; more bytes may follow.

        Raises
        ------
        ValueError
            If it is not whole.
        """
        if len(data) < _HEAD.size:
            raise ValueError("it is too short")
        mark, checksum, length, total = _HEAD.unpack_from(data)
        if mark != _MARK or not _HEAD.size + length <= total <= len(data):
            raise ValueError("it is not whole")
        body = memoryview(data)[_HEAD.size : total]
        if zlib.crc32(body, zlib.crc32(struct.pack("<IQ", length, total))) != checksum:
            raise ValueError("its checksum is wrong")
        try:
            known = json.loads(bytes(body[:length]))
            time, facts, place = float(known["time"]), dict(known["facts"]), length
            arrays = {}
            for name, kind, shape in known["arrays"]:
                if kind not in _TYPES or not all(isinstance(size, int) and size >= 0 for size in shape):
                    raise ValueError("it has an array that brnn does not write")
                count = math.prod(shape)
                arrays[str(name)] = np.frombuffer(body, kind, count, place).reshape(shape)
                place += 8 * count
        except (KeyError, TypeError, RecursionError, OverflowError) as error:
            raise ValueError(f"it makes no sense ({error})") from None
        return cls(time, facts, arrays)
