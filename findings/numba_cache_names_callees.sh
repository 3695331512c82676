#!/usr/bin/env bash
# numba 0.62.1: a function cached on disk cannot be loaded where a module of its callees is not imported yet.
#
# Two modules of generated code, loaded by their paths as one does with code that a program writes; the second calls a
# function of the first, whose object it was given and does not import. The first process compiles and caches both.
# Expected in a new process that loads the second alone, which makes the function from the same text: that it is found in
# the cache, or compiled anew. Seen: ModuleNotFoundError for the module whose function was compiled.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check numba==0.62.1 numpy==2.3.5
cat > load.py <<'END'
import importlib.util
import sys


def load(name, shared):
    """Load NAME.py by its path, with the functions that other modules made already."""
    spec = importlib.util.spec_from_file_location(name, f"generated/{name}.py")
    module = importlib.util.module_from_spec(spec)
    module.shared = shared
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
END
mkdir generated
cat > generated/first_module.py <<'END'
from numba import njit


@njit
def law(x):
    return 2.0 * x


shared["law"] = law


@njit(cache=True)
def rhs(x):
    return law(x) + 1.0
END
cat > generated/second_module.py <<'END'
from numba import njit

if "law" not in shared:

    @njit
    def law(x):
        return 2.0 * x

    shared["law"] = law
law = shared["law"]


@njit(cache=True)
def rhs(x):
    return law(x) + 3.0
END
cat > both.py <<'END'
from load import load

shared = {}
print(load("first_module", shared).rhs(1.0), load("second_module", shared).rhs(1.0))
END
cat > alone.py <<'END'
from load import load

try:
    print(load("second_module", {}).rhs(1.0))
except Exception as error:
    print(type(error).__name__, error)
END
{ env/bin/python both.py; env/bin/python alone.py; } > seen 2>&1
cat seen
diff seen - <<'END'
3.0 5.0
ModuleNotFoundError No module named 'first_module'
END
