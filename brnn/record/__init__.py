"""Recording: what a run leaves, in memory or in an HDF5 file. The names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brnn.record.columns import estimate_bytes
    from brnn.record.memory import MemoryRecorder
    from brnn.record.options import Record
    from brnn.record.reader import open_file, open_result
    from brnn.record.recorder import Recorder
    from brnn.record.result import Result, Solver, UnknownVariable
    from brnn.record.save import recover
    from brnn.record.sweep_export import to_csv, to_parquet
    from brnn.record.sweep_merge import merge_shards
    from brnn.record.sweep_reader import describe, open_sweep, unstack
    from brnn.record.sweep_schema import SweepHeader
    from brnn.record.sweep_writer import SweepWriter
    from brnn.record.writer import FileRecorder

_PLACES = {
    "FileRecorder": "writer",
    "MemoryRecorder": "memory",
    "Record": "options",
    "Recorder": "recorder",
    "Result": "result",
    "Solver": "result",
    "SweepHeader": "sweep_schema",
    "SweepWriter": "sweep_writer",
    "UnknownVariable": "result",
    "describe": "sweep_reader",
    "estimate_bytes": "columns",
    "merge_shards": "sweep_merge",
    "open_file": "reader",
    "open_result": "reader",
    "open_sweep": "sweep_reader",
    "recover": "save",
    "to_csv": "sweep_export",
    "to_parquet": "sweep_export",
    "unstack": "sweep_reader",
}

__all__ = [
    "FileRecorder",
    "MemoryRecorder",
    "Record",
    "Recorder",
    "Result",
    "Solver",
    "SweepHeader",
    "SweepWriter",
    "UnknownVariable",
    "describe",
    "estimate_bytes",
    "merge_shards",
    "open_file",
    "open_result",
    "open_sweep",
    "recover",
    "to_csv",
    "to_parquet",
    "unstack",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'brnn.record' has no attribute '{name}'")
    return getattr(importlib.import_module(f"brnn.record.{_PLACES[name]}"), name)
