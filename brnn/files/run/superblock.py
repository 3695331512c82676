"""The first 48 bytes of an HDF5 file that is being written: what lets a killed file open in every program.

HDF5 marks a file that is open for writing in its superblock, and takes the mark away when the file is closed. After a
kill the mark stays, and then HDF5 opens the file only for programs that ask for ``swmr=True``. In SWMR mode (single
writer, multiple readers) the rest of the file is valid at every moment, so the mark and the end of the file, which
the superblock also holds, are all that a plain reader misses. We write both ourselves, in one `write` of 48 bytes,
before and after each time that HDF5 writes. The layout of the superblock, version 3, and of its checksum (Jenkins'
lookup3) are in the HDF5 file format specification, version 3.0, sections II.A and VIII.

Everything here is best effort: where it is not possible, and after a kill in the instant in which HDF5 closes the file,
the file still opens in `brnn.open` and, in other programs, with ``swmr=True``; `brnn.recover` takes the mark away.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None

__all__ = ["SIGNATURE", "MendedFile", "Superblock", "in_use", "marked_open"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LENGTH = 48
_MARK = 11  # offset of the file consistency flags
_END = 28  # offset of the end-of-file address
_CHECKSUM = 44
_SLACK = 4 * 1024 * 1024  # bytes; so that not every small write needs a reservation
_WORD = 0xFFFFFFFF


class Superblock:
    """The superblock of a file that this process writes in SWMR mode.

    While it is open no other program can open the file for writing: HDF5's own lock is given up in SWMR mode, and the
    mark, which would do it, is what we take away; so a shared lock on the file replaces both.

    Parameters
    ----------
    path : str or Path
        The file, already in SWMR mode.
    """

    def __init__(self, path: str | Path) -> None:
        self._descriptor = -1
        self._end = 0
        with contextlib.suppress(OSError):
            self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def reserve(self, end: int) -> None:
        """Let the file end at `end` or later, beyond everything that HDF5 is going to write.

        It is a hole in the file and takes no disk space.
        """
        if end <= self._end:
            return
        self._end = end + _SLACK
        with contextlib.suppress(OSError):
            if self._descriptor >= 0 and os.fstat(self._descriptor).st_size < self._end:
                os.truncate(self._descriptor, self._end)
                self._write(self._end)

    def settle(self, end: int | None) -> None:
        """Let the file end at `end`, which is where HDF5 has it end, or where it does end (None: after a failure)."""
        with contextlib.suppress(OSError):
            if self._descriptor >= 0:
                size = os.fstat(self._descriptor).st_size
                self._end = size if end is None else min(end, size)
                self._write(self._end)
                os.truncate(self._descriptor, self._end)

    def close(self) -> None:
        """Give up the lock. The file itself is closed by HDF5."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, end: int) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        block = _mended(os.read(self._descriptor, _LENGTH), end)
        if block is not None:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, block)


class MendedFile(io.FileIO):
    """A file to read, whose superblock looks as if its writer had closed it.

    It is for the files of runs that were killed when only HDF5 itself had written the superblock. (To open them in SWMR
    mode would do as well, but there HDF5 takes damage for something half written, and waits for ever.)
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, "rb")
        self._start = _mended(self.read(_LENGTH), os.fstat(self.fileno()).st_size) or b""
        self.seek(0)

    def readinto(self, buffer: Any) -> int | None:
        """Read bytes into the buffer."""
        place = self.tell()
        count = super().readinto(buffer)
        if count and place < len(self._start):
            piece = self._start[place : place + count]
            memoryview(buffer).cast("B")[: len(piece)] = piece
        return count


def marked_open(path: str | Path) -> bool:
    """Tell whether the file carries HDF5's mark of a file that is open for writing."""
    with open(path, "rb") as file:
        block = file.read(_LENGTH)
    return _mended(block, 0) is not None and block[_MARK] != 0


def _mended(block: bytes, end: int) -> bytes | None:
    """Return the superblock without the mark and with the file's `end`; None if it is not of the kind we write."""
    # Version 3 with 8-byte offsets and lengths, no user block: what h5py creates for SWMR.
    if len(block) != _LENGTH or block[:_MARK] != SIGNATURE + b"\x03\x08\x08" or any(block[12:20]):
        return None
    result = bytearray(block)
    result[_MARK] = 0
    struct.pack_into("<Q", result, _END, end)
    struct.pack_into("<I", result, _CHECKSUM, lookup3(bytes(result[:_CHECKSUM])))
    return bytes(result)


def in_use(path: str | Path) -> bool:
    """Tell whether a program, this one included, has the file open with a lock, as HDF5 and brnn do."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def lookup3(data: bytes) -> int:
    """Return the 32-bit hash of `data` by Jenkins' lookup3 with initial value 0, as HDF5 uses it.

    Source: B. Jenkins, lookup3.c (2006), function hashlittle.
    """
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    place = 0
    while len(data) - place > 12:
        x, y, z = struct.unpack_from("<III", data, place)
        a, b, c = _mix((a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD)
        place += 12
    rest = data[place:]
    if not rest:
        return c
    x, y, z = struct.unpack("<III", rest.ljust(12, b"\0"))
    return _final((a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD)


def _turn(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _WORD


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for first, second in ((4, 6), (16, 19)):
        a = ((a - c) & _WORD) ^ _turn(c, first)
        c = (c + b) & _WORD
        b = ((b - a) & _WORD) ^ _turn(a, second)
        a = (a + c) & _WORD
        c = ((c - b) & _WORD) ^ _turn(b, 8 if first == 4 else 4)
        b = (b + a) & _WORD
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = ((c ^ b) - _turn(b, 14)) & _WORD
    a = ((a ^ c) - _turn(c, 11)) & _WORD
    b = ((b ^ a) - _turn(a, 25)) & _WORD
    c = ((c ^ b) - _turn(b, 16)) & _WORD
    a = ((a ^ c) - _turn(c, 4)) & _WORD
    b = ((b ^ a) - _turn(a, 14)) & _WORD
    return ((c ^ b) - _turn(b, 24)) & _WORD
