"""The phases of convolutions by FFT as functions that generated modules call by name.

They are compiled once for all networks, when one needs them first (`brnn.compiler.fourier_steps`).
"""

from __future__ import annotations

from pathlib import Path

import llvmlite.binding
from numba.core import types

from brnn.compiler.cache import load_copy
from brnn.compiler.numba_internals import FOURIER_SIGNATURES, place_of

__all__ = ["across", "back", "forth", "place_of"]

_FILES = [Path(__file__).with_name(f"fourier_{name}.py") for name in ("steps", "rows", "vectors")]
_compiled = load_copy(*_FILES)  # held, as its functions are called at their addresses


def _known(name: str) -> types.ExternalFunction:
    llvmlite.binding.add_symbol(f"brnn_fourier_{name}", getattr(_compiled, name).address)
    return types.ExternalFunction(f"brnn_fourier_{name}", FOURIER_SIGNATURES[name])


forth, across, back = _known("forth"), _known("across"), _known("back")
