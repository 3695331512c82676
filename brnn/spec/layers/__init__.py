"""Layer laws. A new law is one new file here: it is found and registered by itself."""

from __future__ import annotations

import importlib
import pkgutil

from brnn.spec.layers.base import LayerLaw
from brnn.spec.layers.generalized import Layer

__all__ = ["Layer", "LayerLaw"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
