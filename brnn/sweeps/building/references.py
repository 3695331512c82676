"""How another process finds a build function: plain data that name a model, or a module and a function in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["function_at", "reference_of"]

_MODELS = "brnn.models"


def reference_of(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Return how another process finds a function, or None if it cannot."""
    if not isinstance(function, FunctionType):
        return None
    module, path = function.__module__, function.__qualname__
    if module == "__main__" or "<" in path or function_at(module, path) is not function:
        return None
    package, _, model = module.rpartition(".")
    if package == _MODELS and path == "build":
        return {"model": model}
    return {"module": module, "function": path}


def function_at(module: str, path: str) -> Any:
    """Return what `path` leads to in a module that any process can import, or None."""
    try:
        found: Any = importlib.import_module(module) if _findable(module) else None
    except (ImportError, ValueError):
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _findable(module: str) -> bool:
    """Tell whether Python finds a module by itself: some are in sys.modules only, because they were loaded by path."""
    parts = module.split(".")
    inside = None
    for depth in range(len(parts)):
        name = ".".join(parts[: depth + 1])
        specs = (finder.find_spec(name, inside) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or (spec.submodule_search_locations is None and depth < len(parts) - 1):
            return False
        inside = spec.submodule_search_locations
    return True
