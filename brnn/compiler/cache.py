"""Where generated code is kept, so that the next process finds it compiled.

A generated module is a file named by the hash of its text; Numba keeps the machine code beside it. The folder is
the user's cache folder, or BRNN_CACHE_DIR.

A process keeps the modules that it used last. Numba and LLVM take about 2 MB to compile the equations of a small
network, and 0.2 MB to load them compiled. A module that makes room for another one is emptied: Numba keeps functions
for ever whose module holds them. Then that is given back, but for what somebody still holds, and for about 1 MB that
Numba and LLVM keep of each module that was compiled here (0.07 MB where it was loaded compiled). Little of it could be
had: with each module taken out of LLVM's engine once it was finished, 0.79 MB of 0.97 MB stayed (70 networks one after
the other, Numba 0.68), and Numba has that switched off itself because it ended processes. So whoever uses the address
of a compiled function has to hold the function.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import importlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import platformdirs

from brnn.base.paths import replacing
from brnn.errors import FileError

__all__ = ["cache_directory", "load_copy", "load_module", "load_package", "load_plain", "text_hash"]

_INTERNALS = Path(__file__).parent / "numba_internals.py"  # read, not imported: that would load Numba
_KEPT = 64  # generated modules that a process keeps; those that it used before are loaded again from the folder
_loaded: dict[str, ModuleType] = {}  # they, by their texts: what was used last stands last
_alone = threading.RLock()
_packages: dict[str, ModuleType] = {}  # by their texts


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


def _written(folder: Path, files: Mapping[str, str]) -> Path:
    """Return a folder with these files: `folder`, or a temporary one if there is no room for them."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            if not path.exists() or path.read_bytes() != text.encode():
                # A rename is atomic: another process that compiles the same network never sees half a file.
                with replacing(path, force=True) as temporary:
                    temporary.write_text(text, encoding="utf-8")
        return folder
    except OSError as error:
        reason = error.strerror
    try:
        other = Path(tempfile.mkdtemp(prefix="brnn-"))
        for name, text in files.items():
            (other / name).write_text(text, encoding="utf-8")
    except OSError:
        raise FileError(
            f"{folder}: generated code cannot be written ({reason}); make room there, or let BRNN_CACHE_DIR name "
            "another folder"
        ) from None
    return other


def load_module(source: str) -> ModuleType:
    """Return the module with this text, from this process, from the cache folder, or newly written there.

    Damaged machine code in the folder is compiled anew, and what cannot be kept there is compiled in each process.
    Its functions have to be compiled when it has been loaded (`numba.cfunc`), and cannot be imported by their names.
    """
    with _alone:
        module = _loaded.pop(source, None)
        if module is None:
            module = _from_text(source)
            del sys.modules[module.__name__]
        _loaded[source] = module  # the last of them
        while len(_loaded) > _KEPT:
            oldest = _loaded.pop(next(iter(_loaded)))
            vars(oldest).clear()
    return module


def _from_text(source: str) -> ModuleType:
    name = f"brnn_generated_{text_hash(source)}"
    return _imported(name, _written(cache_directory(), {f"{name}.py": source}) / f"{name}.py")


@functools.lru_cache(maxsize=_KEPT)
def load_plain(source: str) -> ModuleType:
    """Return the module with this text, in which nothing is compiled: Numba is not loaded for it."""
    name = f"brnn_generated_{text_hash(source)}"
    module = _new_module(name, _written(cache_directory(), {f"{name}.py": source}) / f"{name}.py")
    assert module.__spec__ is not None
    assert module.__spec__.loader is not None
    module.__spec__.loader.exec_module(module)
    return module


def load_package(files: Mapping[str, str], main: str, also: str = "") -> ModuleType:
    """Return one module of a package that consists of these files, as `load_module` does.

    Parameters
    ----------
    files : mapping of str to str
        Texts by the names of their files, ``__init__.py`` among them; they import each other relatively.
    main : str
        Which module.
    also : str
        What else their machine code depends on.
    """
    key = "\0".join([also, *(part for item in sorted(files.items()) for part in item)])
    name = f"brnn_generated_{text_hash(key)}"
    from brnn.compiler.numba_internals import forgiving_caches

    # One thread at a time: two would compile it twice, and what is changed in Numba meanwhile would stay so.
    with _alone, forgiving_caches():
        if key not in _packages:
            folder = _written(cache_directory() / name, files)
            _packages[key] = _imported(name, folder / "__init__.py")
        return importlib.import_module(f"{name}.{main}")


def _imported(name: str, path: Path) -> ModuleType:
    """Return the module in a file, or the package of an ``__init__.py``, under this name."""
    from brnn.compiler.numba_internals import forgiving_caches

    module = _new_module(name, path)
    assert module.__spec__ is not None
    assert module.__spec__.loader is not None
    sys.modules[name] = module
    with forgiving_caches(), _no_collection():
        module.__spec__.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage meanwhile: Numba makes so many objects that a tenth of its time goes into that."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _new_module(name: str, path: Path) -> ModuleType:
    """Return the module of a file, whose text has not been run yet."""
    parts = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=parts)
    assert spec is not None
    return importlib.util.module_from_spec(spec)


@functools.cache
def load_copy(path: Path, *others: Path) -> ModuleType:
    """Return a file of compiled functions as a module: it is compiled as it stands, from a copy in the cache folder.

    Compiled code contains that of the functions it calls, and Numba only looks whether the file of a function itself is
    still the same. Therefore the copy's name also depends on `brnn.compiler.numba_internals`, which such files use, and
    on the `others` from which they import functions.
    """
    text = path.read_text(encoding="utf-8")
    for other in (_INTERNALS, *others):
        text += f"\n# with {other.stem} {text_hash(other.read_text(encoding='utf-8'))}\n"
    return _from_text(text)
