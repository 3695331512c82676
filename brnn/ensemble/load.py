"""Get the compiled integrators, and the lane function of a structure, ready to run."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from brnn.compiler.cache import load_module
from brnn.compiler.lanes import LANES

__all__ = ["integrators", "lane_function"]

_FOLDER = Path(__file__).parent
_PARTS = ("vectors", "stiff", "kernels")  # each may use those before it


@functools.cache
def integrators(lanes: int = LANES) -> Any:
    """Return the module `kernels` for this many lanes, compiled or from the cache of compiled code.

    Compiled code contains that of the functions it calls. Therefore each part is a module that is named by the hash of
    its text, and this name stands in the text of those that use it.
    """
    modules: dict[str, Any] = {}
    for part in _PARTS:
        text = (_FOLDER / f"{part}.py").read_text(encoding="utf-8").replace(f"LANES = {LANES}\n", f"LANES = {lanes}\n")
        for other, module in modules.items():
            text = text.replace(f"from brnn.ensemble.{other} import", f"from {module.__name__} import")
            text = text.replace(f"from brnn.ensemble import {other}\n", f"import {module.__name__} as {other}\n")
        modules[part] = load_module(text)
    return modules["kernels"]


def lane_function(source: str) -> int:
    """Return the address of the compiled lane function of this text."""
    return int(load_module(source).lanes.address)
