"""Sweeps: many networks of one family, which differ in their parameters.

``brnn.sweep`` is this package and the function `brnn.sweep.run.sweep` in one: ``brnn.sweep(build, design, ...)``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Sweep(ModuleType):
    """The package, which runs a sweep when it is called: the import of a part of it must not hide the function."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return importlib.import_module("brnn.sweep.run").sweep(*arguments, **options)


sys.modules[__name__].__class__ = _Sweep
