"""Recording: what a run leaves, in memory or in an HDF5 file. The names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brnn.record.columns import estimate_bytes
    from brnn.record.memory import MemoryRecorder
    from brnn.record.options import Record
    from brnn.record.reader import open_result
    from brnn.record.recorder import Recorder
    from brnn.record.result import Result, Solver, UnknownVariable
    from brnn.record.save import recover
    from brnn.record.writer import FileRecorder

_PLACES = {
    "FileRecorder": "writer",
    "MemoryRecorder": "memory",
    "Record": "options",
    "Recorder": "recorder",
    "Result": "result",
    "Solver": "result",
    "UnknownVariable": "result",
    "estimate_bytes": "columns",
    "open_result": "reader",
    "recover": "save",
}

__all__ = [
    "FileRecorder",
    "MemoryRecorder",
    "Record",
    "Recorder",
    "Result",
    "Solver",
    "UnknownVariable",
    "estimate_bytes",
    "open_result",
    "recover",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'brnn.record' has no attribute '{name}'")
    return getattr(importlib.import_module(f"brnn.record.{_PLACES[name]}"), name)
