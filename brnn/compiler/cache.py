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
from brnn.errors import FileError

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


def _written(path: Path, source: str) -> Path:
    """Return a file with this text: the one at `path`, or one in a temporary folder if there is no room for it."""
    try:
        if path.exists() and path.read_bytes() == source.encode():
            return path
        # A rename is atomic: another process that compiles the same network never sees half a file.
        with replacing(path, force=True) as temporary:
            temporary.write_text(source, encoding="utf-8")
        return path
    except OSError as error:
        reason = error.strerror
    try:
        other = Path(tempfile.mkdtemp(prefix="brnn-")) / path.name
        other.write_text(source, encoding="utf-8")
    except OSError:
        raise FileError(
            f"{path.parent}: generated code cannot be written ({reason}); make room there, or let BRNN_CACHE_DIR name "
            "another folder"
        ) from None
    return other


def load_module(source: str) -> ModuleType:
    """Return the module with this text, from this process, from the cache folder, or newly written there.

    Damaged machine code in the folder is compiled anew, and what cannot be kept there is compiled in each process.
    """
    if source in _loaded:
        return _loaded[source]
    from brnn.compiler.numba_internals import forgiving_caches

    name = f"brnn_generated_{text_hash(source)}"
    path = _written(cache_directory() / f"{name}.py", source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with forgiving_caches():
        spec.loader.exec_module(module)
    _loaded[source] = module
    return module
