"""In what chunks a file holds a variable, and whether they are compressed."""

from __future__ import annotations

import math

__all__ = ["storage"]

_CHUNK = 512 * 1024  # bytes
_CHUNK_LARGEST = 1024 * 1024
_ROWS_AT_MOST = 1024  # in a chunk
_BUFFERS = 64 * 1024 * 1024  # bytes of one chunk of each variable
_COMPRESSED_BELOW = 32 * 1024  # bytes of a row


def storage(
    shape: tuple[int, ...], itemsize: int, variables: int = 1, n_times: int = _ROWS_AT_MOST
) -> tuple[tuple[int, ...], int]:
    """Return the chunk of a dataset (time, *shape), and the gzip level that suits it.

    Small rows are put together into chunks of about 512 KiB and compressed. A row of 32 KiB or more is not
    compressed: activities are noise to gzip below their first digits, so that it makes them 1.2 times smaller at
    50 MB/s (measured; without it 1 GB/s), which would slow a run of 100,000 cells several times. A row of more than
    1 MiB is cut along its first axes. Every chunk has a checksum (fletcher32).
    """
    row = math.prod(shape) * itemsize
    target = max(4096, min(_CHUNK, _BUFFERS // max(variables, 1)))
    level = 1 if row < _COMPRESSED_BELOW else 0
    if row <= _CHUNK_LARGEST:
        return (max(1, min(target // row, n_times, _ROWS_AT_MOST)), *shape), level
    chunk = list(shape)
    for axis in range(len(chunk)):
        rest = math.prod(chunk[axis + 1 :]) * itemsize
        chunk[axis] = max(1, min(chunk[axis], _CHUNK_LARGEST // rest))
        if rest <= _CHUNK_LARGEST:
            break
    return (1, *chunk), level
