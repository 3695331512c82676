"""Where generated code is kept, so that the next process finds it compiled.

A generated module is a file named by the hash of its text; Numba keeps the machine code beside it. The folder is
the user's cache folder, or BRNN_CACHE_DIR.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import platformdirs

from brnn.base.paths import replacing

__all__ = ["cache_directory", "load_module", "text_hash"]

_loaded: dict[str, ModuleType] = {}  # the compile cache of this process: modules by their text


def cache_directory() -> Path:
    """Return the folder for generated code; made if needed, private to the user."""
    chosen = os.environ.get("BRNN_CACHE_DIR")
    if chosen:
        folder = Path(chosen)
    else:
        folder = Path(platformdirs.user_cache_path("brnn"))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="brnn-"))


def text_hash(source: str) -> str:
    """Return the hash by which a generated text is known."""
    return hashlib.sha256(source.encode()).hexdigest()[:24]


def load_module(source: str) -> ModuleType:
    """Return the module with this text, from this process, from the cache folder, or newly written there."""
    if source in _loaded:
        return _loaded[source]
    name = f"brnn_generated_{text_hash(source)}"
    path = cache_directory() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        # A rename is atomic: another process that compiles the same network never sees half a file.
        with replacing(path, force=True) as temporary:
            temporary.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    _loaded[source] = module
    return module
