"""Weights of Keras: .keras, a zip with an HDF5 file in it, and the older .h5, read by h5py alone.

A file from somewhere else may point to other files, or claim to hold more than any machine has. So every link on the
way is looked at: only hard links are followed, to datasets of numbers of bounded size whose bytes stand in this file
itself. Nothing of the model's configuration is read: it can name code.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import InputError
from brnn.files.hdf5 import READ_ERRORS, text_name

__all__ = ["read_keras"]

_LARGEST = 4_000_000_000  # bytes of all arrays
_DEEPEST, _MOST = 30, 100_000  # levels of groups, and objects
_WEIGHTS = "model.weights.h5"


def read_keras(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a .keras or .h5 file by their paths in it, as ``layers/lstm/cell/vars/0``.

    Raises
    ------
    InputError
        If the file is damaged, or an array is not plainly in it.
    """
    import h5py

    where = str(path)
    try:
        source: Any = _unzipped(Path(path)) if zipfile.is_zipfile(path) else path
        with h5py.File(source, "r") as file:
            found: dict[str, np.ndarray] = {}
            _walk(file, "", found, where, [0, 0], 0)
    except InputError:
        raise
    except (*READ_ERRORS, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{where}: is no file of Keras, or damaged ({shortened(str(error))})") from None
    return found


def _unzipped(path: Path) -> io.BytesIO:
    """Return the weights of a .keras file, read up to the size that the zip says and no further."""
    with zipfile.ZipFile(path) as archive:
        if archive.namelist().count(_WEIGHTS) != 1:
            raise InputError(f"{path}: has no single {_WEIGHTS}")
        size = archive.getinfo(_WEIGHTS).file_size
        if size > _LARGEST:
            raise InputError(f"{path}: {_WEIGHTS} would have {size:,} bytes, at most {_LARGEST:,} are read")
        refuse_above(3 * size, f"{path}: {_WEIGHTS}")
        with archive.open(_WEIGHTS) as stream:
            data = stream.read(size + 1)
    if len(data) != size:
        raise InputError(f"{path}: {_WEIGHTS} has not the size that the zip says")
    return io.BytesIO(data)


def _walk(group: Any, prefix: str, found: dict[str, np.ndarray], where: str, taken: list[int], depth: int) -> None:
    """Collect the arrays of a group; `taken` counts objects and bytes."""
    import h5py

    if depth > _DEEPEST:
        raise InputError(f"{where}: groups are nested more than {_DEEPEST} deep")
    for name in group:
        at = f"{prefix}{text_name(name)}"
        taken[0] += 1
        if taken[0] > _MOST:
            raise InputError(f"{where}: has more than {_MOST:,} objects")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise InputError(f"{where}: {shortened(at)} is a link to somewhere else, which is not followed")
        item = group[name]
        if isinstance(item, h5py.Group):
            _walk(item, f"{at}/", found, where, taken, depth + 1)
        elif isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub":
            found[at] = _array(item, f"{where}: {shortened(at)}", taken)


def _array(item: Any, where: str, taken: list[int]) -> np.ndarray:
    import h5py

    layout = item.id.get_create_plist().get_layout()
    if layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED) or item.external or item.is_virtual:
        raise InputError(f"{where}: its numbers do not stand in the file as plain blocks")
    taken[1] += item.nbytes
    if taken[1] > _LARGEST:
        raise InputError(f"{where}: the arrays would have more than {_LARGEST:,} bytes")
    refuse_above(2 * item.nbytes, where)
    if item.size and not item.id.get_storage_size():
        raise InputError(f"{where}: has shape {item.shape}, and no numbers")
    return np.asarray(item[()])
