"""A check that HDF5 does not make: whether the heaps that hold the texts of a file are whole.

Attributes of variable length stand in "global heap collections" without checksums. HDF5 goes from object to object in
them by the sizes that it finds, and for ever where a size is 0. The layout is in the HDF5 file format specification,
version 3.0, section III.E.
"""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["heaps_are_whole"]

_SIGNATURE = b"GCOL\x01\0\0\0"
_HEADER = 16  # bytes, of a collection and of an object
_LOOK = 2 * 1024 * 1024  # bytes; our root attributes are the first thing in a file


def heaps_are_whole(path: str | Path) -> bool:
    """Tell whether every global heap collection near the beginning of the file can be walked to its end."""
    with open(path, "rb") as file:
        content = file.read(_LOOK)
    place = content.find(_SIGNATURE)
    while place >= 0:
        if not _is_whole(content, place):
            return False
        place = content.find(_SIGNATURE, place + _HEADER)
    return True


def _is_whole(content: bytes, start: int) -> bool:
    if start + _HEADER > len(content):
        return True  # the rest of it is beyond what we look at
    (size,) = struct.unpack_from("<Q", content, start + 8)
    place = start + _HEADER
    end = start + size
    while place + _HEADER <= min(end, len(content)):
        index, _, length = struct.unpack_from("<HH4xQ", content, place)
        if index == 0:  # free space, up to the end; its length counts its own header
            return bool(place + length == end)
        place += _HEADER + (length + 7) // 8 * 8
    return place <= end
