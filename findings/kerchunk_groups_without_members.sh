#!/usr/bin/env bash
# kerchunk 0.2.10 with zarr 3.1.6: a group of an HDF5 file lists no arrays, although they can be read by their paths.
#
# Expected: the group F1 has the members time and x. Seen: none, so that whatever asks a group what it holds (xarray's
# group= does) finds it empty; the array at F1/x is there all the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check kerchunk==0.2.10 zarr==3.1.6 h5py==3.16.0
cat > script.py <<'END'
import h5py
import numpy as np
import zarr
from fsspec.implementations.reference import ReferenceFileSystem
from kerchunk.hdf import SingleHdf5ToZarr

with h5py.File("groups.h5", "w") as file:
    group = file.create_group("F1")
    group["time"], group["x"] = np.arange(3.0), np.arange(3.0)
references = ReferenceFileSystem(SingleHdf5ToZarr("groups.h5").translate(), asynchronous=True)
root = zarr.open_group(zarr.storage.FsspecStore(references), mode="r", zarr_format=2)
print(sorted(root.keys()), sorted(root["F1"].keys()), root["F1/x"][:])
END
env/bin/python -W ignore script.py > seen
cat seen
diff seen - <<'END'
['F1'] [] [0. 1. 2.]
END
