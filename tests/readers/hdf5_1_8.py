"""Print every number of files as the HDF5 library 1.8 reads them: python hdf5_1_8.py FOLDER FILE...

FOLDER is h5py/.libs of a wheel that brought this library (h5py 2.7.1, for Python 3.6). Its Python part does not run any
more, but the library does, by ctypes.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np

DATASET, TEXT = 5, 3  # H5I_DATASET, H5T_STRING


def library(folder: str) -> ctypes.CDLL:
    """Return the library, after those that it needs."""
    found = None
    for name in ("libaec", "libsz", "libz", "libhdf5-"):
        for path in Path(folder).glob(f"{name}*.so*"):
            found = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    assert found is not None
    return found


def main(folder: str, *files: str) -> None:
    """Visit every object of each file."""
    hdf5 = library(folder)
    hdf5.H5open()
    hdf5.H5Sget_simple_extent_npoints.restype = ctypes.c_longlong
    hdf5.H5Tget_size.restype = ctypes.c_size_t
    numbers = [ctypes.c_uint() for _ in range(3)]
    hdf5.H5get_libversion(*map(ctypes.byref, numbers))
    print(*(number.value for number in numbers), sep=".")
    doubles = ctypes.c_int.in_dll(hdf5, "H5T_NATIVE_DOUBLE_g").value
    names: list[bytes] = []
    see = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)

    @see
    def visit(_file: int, name: bytes, _info: int | None, _data: int | None) -> int:
        names.append(name)
        return 0

    for path in files:
        file = hdf5.H5Fopen(path.encode(), 0, 0)
        names.clear()
        assert file >= 0, path
        assert hdf5.H5Ovisit(file, 0, 2, visit, None) >= 0, path
        for name in names:
            item = hdf5.H5Oopen(file, name, 0)
            assert item >= 0, (path, name)
            if hdf5.H5Iget_type(item) == DATASET:
                count = hdf5.H5Sget_simple_extent_npoints(hdf5.H5Dget_space(item))
                kind = hdf5.H5Dget_type(item)
                text = hdf5.H5Tget_class(kind) == TEXT
                values = np.zeros(count, f"S{hdf5.H5Tget_size(kind)}" if text else float)
                where = values.ctypes.data_as(ctypes.c_void_p)
                assert hdf5.H5Dread(item, kind if text else doubles, 0, 0, 0, where) >= 0, (path, name)
                print(path, name.decode(), *values.tolist())


if __name__ == "__main__":
    main(*sys.argv[1:])
