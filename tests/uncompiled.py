"""Generated right-hand sides as the Python that they are, for tests that would take longer to compile than to run."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.right_hand_side import RightHandSide

__all__ = ["run_uncompiled"]

_functions: dict[str, Any] = {}


def _undecorated(*signature: Any, **options: Any) -> Any:
    return lambda function: function


class _Places:
    """In the place of the table of addresses: each array by its place in it."""

    def __init__(self, arguments: tuple[np.ndarray, ...]) -> None:
        place = 1
        self.arrays = {}
        for array in arguments:
            self.arrays[place] = array
            place += 1 + array.ndim

    def block(self, values: np.ndarray, k: int) -> np.ndarray:
        bounds = self.arrays[1]
        return values[bounds[k] : bounds[k + 1]]


_STUBS: dict[str, Any] = {
    "cfunc": _undecorated, "compiled_once": _undecorated, "njit": _undecorated, "np": np, "RHS_SIGNATURE": None,
    "array_in": lambda places, place, sizes, dtype: places.arrays[place],
    "block_in": lambda values, places, bounds, k: places.block(values, k),
    "numbers_in": lambda places, place, count: tuple(places.arrays[place][:count].tolist()),
}  # fmt: skip


def _into(self: RightHandSide, t: float, u: np.ndarray, du: np.ndarray) -> None:
    """Write du/dt into `du`, as `RightHandSide.into`."""
    if self.source not in _functions:
        lines = [line for line in self.source.splitlines() if not line.startswith(("import ", "from "))]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "generated.py"
            path.write_text("\n".join(lines))
            _functions[self.source] = runpy.run_path(str(path), _STUBS)["rhs"]
    first, last = self.between
    for array, variable, delay in self.lags:
        assert self.history is not None
        array[:] = self.history(min(max(t, first), last) - delay)[variable.start : variable.stop]
    with np.errstate(divide="ignore", invalid="ignore"):
        _functions[self.source](t + self.shift, u, du, _Places(self.arguments))


def run_uncompiled(monkeypatch: Any) -> None:
    """Let every right-hand side that Python calls run uncompiled; compiled steps call it compiled as ever."""
    monkeypatch.setattr(RightHandSide, "into", _into)
