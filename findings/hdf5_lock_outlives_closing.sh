#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): a file that was just closed may be locked, if another thread starts a program meanwhile.
#
# Expected: HDF5's lock ends with `close`; no program inherits it, as Python opens nothing for those that it starts.
# Seen: between fork and exec the new process has all descriptors of the file, which the lock belongs to; until exec
# (made long here by a preexec_fn) the file opens neither for reading nor for writing: "unable to lock file, errno = 11".
# Dask's nannies, which start workers from a thread, ended a sweep so that closed and opened a file again at that moment.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check h5py==3.16.0
cat > script.py <<'END'
import subprocess
import threading
import time

import h5py


def opens(mode):
    try:
        h5py.File("lock.h5", mode).close()
    except OSError as error:
        return "errno = 11" not in str(error) and str(error)
    return True


file = h5py.File("lock.h5", "w")
start = threading.Thread(target=subprocess.run, args=(["true"],), kwargs={"preexec_fn": lambda: time.sleep(2)})
start.start()
time.sleep(0.5)
file.close()
print("closed while a program starts; opens to read:", opens("r"), "- to write:", opens("r+"))
start.join()
print("the program has run; opens to read:", opens("r"), "- to write:", opens("r+"))
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
closed while a program starts; opens to read: False - to write: False
the program has run; opens to read: True - to write: True
END
