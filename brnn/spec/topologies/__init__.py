"""Topologies: the constant strengths D_ki of a projection. A new one is one new file here, found by itself."""

from __future__ import annotations

import importlib
import pkgutil

from brnn.spec.topologies.base import Topology

__all__ = ["Topology"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
