"""Get the compiled integrators, and the lane function of a structure, ready to run."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from brnn.compiler.cache import load_module, load_package
from brnn.compiler.lanes import LANES

__all__ = ["integrator", "lane_function", "rule_of_rest"]

_FOLDER = Path(__file__).parent / "kernels"
# What else they contain; read, not imported: that would load Numba.
_COMPILER = Path(__file__).parents[1] / "compiler"
_USED = (Path(__file__).parent / "rest.py", _COMPILER / "numba_internals.py", _COMPILER / "jumps.py")


@functools.cache
def integrator(name: str) -> Any:
    """Return a module of `brnn.ensemble.kernels`, compiled or from the cache of compiled code.

    Compiled code contains that of the functions it calls, and Numba only looks whether the file of a function itself is
    still the same. Therefore the package that is compiled is a copy that is named by the hash of all that is in it.
    """
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.py"))}
    return load_package(files, name, "\0".join([str(LANES), *(path.read_text(encoding="utf-8") for path in _USED)]))


def rule_of_rest() -> int:
    """Return the address of the compiled rule of rest."""
    return int(integrator("rests").rests.address)


def lane_function(source: str, name: str = "lanes") -> Any:
    """Return the compiled lane function of this text, whose address holds for as long as it does."""
    return getattr(load_module(source), name)
