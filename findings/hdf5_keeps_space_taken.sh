#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): a file whose disk space was taken beforehand by posix_fallocate keeps it after closing.
#
# Expected: closing cuts the file to the end that its superblock tells, as HDF5 does with space that it took itself.
# Seen: 1,000,000 bytes, of which the superblock knows fewer than 5,000, whether all was flushed before or not.
# Who takes space so that a full disk cannot end a file half-way: give the rest back yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check h5py==3.16.0
cat > script.py <<'END'
import os

import h5py
import numpy as np

for flushed in (True, False):
    with h5py.File("space.h5", "w", libver=("earliest", "v110")) as file:
        os.posix_fallocate(file.id.get_vfd_handle(), 0, 1_000_000)
        file["x"] = np.arange(10.0)
        if flushed:
            file.flush()
    with open("space.h5", "rb") as file:
        end = int.from_bytes(file.read(48)[40:48], "little")
    print("flushed before closing:", flushed, "- as long as was taken:", os.path.getsize("space.h5") == 1_000_000,
          "- its end as it says is below 5000:", end < 5000)
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
flushed before closing: True - as long as was taken: True - its end as it says is below 5000: True
flushed before closing: False - as long as was taken: True - its end as it says is below 5000: True
END
