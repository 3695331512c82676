"""Write a figure to a file: never over another one, and never half of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from brnn._version import __version__
from brnn.base.checks import closest
from brnn.errors import FileError, InputError
from brnn.plot.style import DPI

__all__ = ["SUFFIXES", "check_target", "save"]

SUFFIXES = ("png", "pdf", "svg", "jpg", "tif", "webp")


def check_target(path: str | Path, force: bool = False) -> Path:
    """Return `path` as a Path if a figure could be written there, so that a long run does not end in an error.

    Raises
    ------
    InputError
        If the suffix is not one of SUFFIXES.
    FileError
        If the folder does not exist, the path is a folder, or the file exists and `force` is false.
    """
    target = Path(path)
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in SUFFIXES:
        allowed = ", ".join(f".{name}" for name in SUFFIXES)
        raise InputError(f"{target}: a figure's name must end in one of {allowed}{closest(suffix, SUFFIXES)}")
    if target.is_dir():
        raise FileError(f"{target}: is a folder; give the name of a file in it")
    if not target.parent.is_dir():
        raise FileError(f"{target}: the folder {target.parent} does not exist")
    if target.exists() and not force:
        raise FileError(f"{target}: exists already; choose another name, or force it to be replaced")
    return target


def save(figure: Figure, path: str | Path, force: bool = False) -> Path:
    """Write a figure to a file whose suffix says the format, and return the path.

    The figure is drawn into a temporary file beside the target, which is then renamed: the target either is
    complete or is what it was before.

    Parameters
    ----------
    figure : Figure
        From `run_figure`, or any other.
    path : str or Path
        Ends in .png, .pdf, .svg, .jpg, .tif or .webp.
    force : bool
        Replace an existing file.

    Raises
    ------
    InputError, FileError
        See `check_target`; also if the file cannot be written.
    """
    target = check_target(path, force)
    suffix = target.suffix.lower().removeprefix(".")
    name = {"png": "Software", "svg": "Creator", "pdf": "Creator"}.get(suffix)
    options: dict[str, Any] = {"metadata": {name: f"brnn {__version__}"}} if name else {}
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            figure.savefig(partial, format=suffix, dpi=DPI, **options)
            check_target(path, force)  # it may have been made while the figure was drawn
            os.replace(partial, target)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{target}: cannot be written ({error.strerror or error})") from None
    return target
