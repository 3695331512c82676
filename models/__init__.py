"""The published networks, one file each: ``brnn.models.rcf.build(n=10)``. A new model is one new file here."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType
from typing import Any

__all__ = ["load", "names"]


def names() -> list[str]:
    """Return the names of all models."""
    return list(_found())


@functools.cache
def _found() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def load(name: str) -> ModuleType:
    """Return the module of the model `name`, with `build` and `CLAIMS`."""
    from brnn.base.text import closest
    from brnn.errors import InputError

    if name not in names():
        raise InputError(
            f"model '{name}': there is no such model (`brnn models` lists all {len(names())}){closest(name, names())}"
        )
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    """Return what can be completed: the models are loaded when they are used."""
    return sorted([*names(), *__all__])


def __getattr__(name: str) -> Any:
    if name in names():
        return importlib.import_module(f"{__name__}.{name}")
    from brnn.base.text import closest

    hint = closest(name, names())
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'{hint}")
