#!/usr/bin/env bash
# numba 0.68.1: the functions of a module made at run time are never collected once they were compiled.
#
# Expected: when nothing refers to a module made with importlib.util.module_from_spec, its @njit functions and their
# machine code are collected with it, as plain functions are. Seen: what was compiled in this process stays for ever (about
# 1.8 MB for a small function with a helper); a plain function of the same module is collected. If the module's dictionary
# is emptied first, all of it is collected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check numba==0.68.1 numpy==2.3.5
cat > made.py <<'END'
from numba import njit


@njit
def compiled(x):
    return 2.0 * x


def plain(x):
    return 2.0 * x
END
cat > check.py <<'END'
import gc
import importlib.util
import weakref

from numba import __version__


def collected(name, *, empty):
    """Say whether a function of a module that was dropped is gone."""
    spec = importlib.util.spec_from_file_location("made", "made.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert getattr(module, name)(1.5) == 3.0
    alive = weakref.ref(getattr(module, name))
    if empty:
        vars(module).clear()
    del module
    gc.collect()
    return alive() is None


# The plain function is asked of a module whose compiled function was never called.
seen = {
    "plain": collected("plain", empty=False),
    "compiled": collected("compiled", empty=False),
    "compiled, module emptied": collected("compiled", empty=True),
}
print(f"numba {__version__}: collected: {seen}")
assert seen == {"plain": True, "compiled": False, "compiled, module emptied": True}
END
env/bin/python check.py
