#!/usr/bin/env bash
# kerchunk 0.2.10 with zarr 3.1.6 and xarray 2026.9.0: a number 0 in an HDF5 file arrives as NaN.
#
# Expected: the numbers of the file. Seen: [nan 1. 2.], where h5netcdf reads [0. 1. 2.]. HDF5 says 0 where nobody chose a
# fill value; that becomes the fill value of Zarr, and xarray takes it for "missing".
# Who writes files for such readers: choose a fill value that no number has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check kerchunk==0.2.10 zarr==3.1.6 xarray==2026.9.0 h5py==3.16.0 \
    h5netcdf==1.8.1
cat > script.py <<'END'
import h5py
import numpy as np
import xarray
from kerchunk.hdf import SingleHdf5ToZarr

for name, fill in (("zero.h5", None), ("chosen.h5", np.nan)):
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=np.array([0.0, 1.0, 2.0]), fillvalue=fill).make_scale("x")
    references = SingleHdf5ToZarr(name).translate()
    print(name, "kerchunk", xarray.open_dataset(references, engine="kerchunk")["x"].values)
    print(name, "h5netcdf", xarray.open_dataset(name, engine="h5netcdf")["x"].values)
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
zero.h5 kerchunk [nan  1.  2.]
zero.h5 h5netcdf [0. 1. 2.]
chosen.h5 kerchunk [0. 1. 2.]
chosen.h5 h5netcdf [0. 1. 2.]
END
