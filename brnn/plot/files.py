"""Write a figure to a file: never over another one, and never half of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from brnn._version import __version__
from brnn.base.paths import check_target, replacing
from brnn.errors import FileError
from brnn.plot.style import DPI

__all__ = ["SUFFIXES", "save"]

SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".tif", ".webp")


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
    FileError
        If the name ends in something else, or the file exists (and not `force`) or cannot be written.
    """
    target = check_target(path, force, suffixes=SUFFIXES)
    suffix = target.suffix.lower().removeprefix(".")
    author = {"png": "Software", "svg": "Creator", "pdf": "Creator"}.get(suffix)
    options: dict[str, Any] = {"metadata": {author: f"brnn {__version__}"}} if author else {}
    try:
        with replacing(target, force) as name:
            figure.savefig(name, format=suffix, dpi=DPI, **options)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    return target
