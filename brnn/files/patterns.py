"""Patterns as inputs (``--input FILE``) from images, tables of numbers, NumPy arrays and HDF5 datasets."""

from __future__ import annotations

import csv
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from brnn.base.checks import array
from brnn.base.memory import refuse_above
from brnn.base.named import says_what_is_meant
from brnn.base.text import closest, one_line, shortened
from brnn.errors import BrnnError, FileError, InputError, SpecError
from brnn.files.hdf5 import READ_ERRORS, text_name
from brnn.files.opening import data_elsewhere
from brnn.files.stored import refuse_claims

__all__ = ["read_pattern"]

_HDF5 = (".h5", ".hdf5", ".nc")
_PIXELS = 4096 * 4096  # of an image: a kilobyte may stand for billions, and each becomes a cell
_CLAIMED = 1_000_000  # numbers; smaller datasets may well be stored by their fill value alone
_TWO_WHOLE = re.compile(r"[-+]?\d+,(\d+)")
_DECIMAL_COMMAS = re.compile(r"[-+]?\d*,\d+(?:[;\t ]+[-+]?\d*,\d+)+[;\t ]*")  # 0,5;0,7


@says_what_is_meant
def read_pattern(source: str | Path, dataset: str | None = None) -> np.ndarray:
    """Return the pattern in a file as float64, every element finite.

    An image has luminances from 0 (black) to 1 (white), whatever its bits; colours are weighed by ITU-R 601-2, what is
    transparent counts as black, and a photograph is turned upright. Of all other files the numbers are as they stand
    there, in no range of ours and not scaled: whether they may be negative is for the layer that gets them to say. An
    image is (rows, columns), its first row at the top.

    Parameters
    ----------
    source : str or Path
        A file, by its suffix: PNG or JPEG; CSV, TSV or TXT (rows of numbers; comments begin with #; one row or one
        column makes a pattern of one dimension); NPY (real numbers); HDF5 or netCDF-4 (one dataset;
        ``FILE.h5:/path`` names it).
    dataset : str, optional
        Path of the dataset in an HDF5 file that holds several.

    Raises
    ------
    FileError, InputError
        If there is no such file, it is not what its suffix says, it is empty or does not fit into memory, or an
        element is not a finite number.
    """
    path = Path(source)
    if not path.exists() and dataset is None:
        name, colon, inside = str(source).rpartition(":")
        if colon and Path(name).suffix.lower() in _HDF5:
            path, dataset = Path(name), inside
    if not str(source) or not path.exists():
        raise FileError(f"{source or repr(source)}: there is no such file")
    if not path.is_file():
        raise FileError(f"{path}: is {'a folder' if path.is_dir() else 'no regular file'}")
    suffix = path.suffix.lower()
    if dataset is not None and suffix not in _HDF5:
        raise InputError(f"{path}: a dataset can be named for HDF5 files only")
    if suffix in _HDF5:
        values = _from_hdf5(path, dataset)
    elif suffix in _READERS:
        values = _READERS[suffix](path)
    else:
        known = ", ".join(sorted(["png", "jpg", "csv", "npy", "h5"]))
        raise FileError(f"{path}: an input must be one of {known}; '{suffix or path.name}' is not read")
    try:
        return array(values, str(path) if dataset is None else f"{path}:{dataset}")
    except SpecError as error:
        raise FileError(str(error)) from None


def _from_image(path: Path) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                size = f"{image.width} x {image.height} pixels"
                if image.width * image.height > _PIXELS:
                    raise _too_large(path, f"of {size} ")
                refuse_above(24 * image.width * image.height, f"{path}, an image of {size},")
                image.load()
                return _luminance(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:  # before its size can be asked for
        raise _too_large(path) from None
    except (BrnnError, MemoryError):
        raise
    except PermissionError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except Exception as error:  # Pillow raises many kinds for files that are damaged or something else
        reason = "not a PNG or JPEG image" if type(error).__name__ == "UnidentifiedImageError" else f"damaged ({error})"
        raise FileError(f"{path}: {reason}") from None


def _too_large(path: Path, size: str = "") -> FileError:
    return FileError(
        f"{path}: the image {size}has more than {_PIXELS:,} pixels (4096 x 4096), and each would be a cell; make it "
        "smaller"
    )


def _luminance(image: Any) -> np.ndarray:
    """Return the luminance of a Pillow image in [0, 1] (ITU-R 601-2 for colour)."""
    if image.mode.startswith(("I", "F")):  # 16 bits of grey
        grey = np.asarray(image, dtype=np.float64)
        return np.where(grey == image.info.get("transparency", -1), 0.0, grey / 65535.0)
    if "A" not in image.mode and "transparency" not in image.info:
        return np.divide(image.convert("L"), 255.0)
    image = image.convert("RGBA")
    grey = np.divide(image.getchannel("A"), 255.0)
    grey *= np.asarray(image.convert("L"))
    grey /= 255.0
    return grey


def _from_table(path: Path) -> np.ndarray:
    refuse_above(10 * path.stat().st_size, f"{path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{path}: not a text of numbers") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    rows: list[list[float]] = []
    first = 0
    lines = [(k, line.partition("#")[0].strip()) for k, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line]
    for number, line in lines:
        _refuse_habits(line, path, number, header=not rows and len(lines) > 1)
        row = [_cell(cell, path, number, k) for k, cell in enumerate(_cells(line, path, number), start=1)]
        if rows and len(row) != len(rows[0]):
            raise FileError(f"{path}: line {number} has {len(row)} numbers, line {first} has {len(rows[0])}")
        first = first or number
        rows.append(row)
    if not rows:
        raise FileError(f"{path}: holds no numbers")
    _warn_of_commas([line for _, line in lines], path)
    values = np.array(rows)
    return values.ravel() if 1 in values.shape else values


def _refuse_habits(line: str, path: Path, number: int, header: bool) -> None:
    """Name what tables of other programs have and these have not: decimal commas, and names of columns."""
    if _DECIMAL_COMMAS.fullmatch(line):
        raise FileError(f"{path}: line {number}: '{shortened(line, 40)}' has decimal commas; write 0.5 for 0,5")
    if header and not any(_is_number(cell) for cell in _cells(line, path, number)):
        raise FileError(
            f"{path}: line {number}: '{shortened(line, 40)}' looks like a header; a pattern has numbers alone, so "
            "remove that line, or begin it with #"
        )


def _warn_of_commas(lines: list[str], path: Path) -> None:
    """Say what two columns of whole numbers were taken for that look like one column with decimal commas."""
    found = [_TWO_WHOLE.fullmatch(line) for line in lines]
    if len(lines) > 1 and all(found):
        units = all(line.lstrip("+-").startswith("0,") for line in lines)
        if units or any(match and match[1].startswith("0") and len(match[1]) > 1 for match in found):
            warnings.warn(
                f"{path}: read as {len(lines)} rows of 2 numbers; if {lines[0]} is one number, write "
                f"{lines[0].replace(',', '.')}",
                UserWarning,
                stacklevel=5,
            )


def _is_number(text: str) -> bool:
    try:
        float(text or "0")
    except ValueError:
        return False
    return True


def _cells(line: str, path: Path, number: int) -> list[str]:
    delimiter = next((sign for sign in (",", ";", "\t") if sign in line), None)
    if delimiter is None:
        return line.split()
    try:
        cells = next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise FileError(f"{path}: line {number}: {error}") from None
    return cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells  # a delimiter may end the line


def _cell(text: str, path: Path, line: int, column: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise FileError(f"{path}: line {line}, column {column}: '{shortened(text.strip(), 40)}' is not a finite number")
    return value


def _from_npy(path: Path) -> np.ndarray:
    try:
        # Mapped: a header that promises more than the file holds is found out before anything is allocated.
        values = np.lib.format.open_memmap(path, mode="r")
    except PermissionError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except Exception as error:  # NumPy lets through what Python's own parser has to say of a damaged header
        reason = (
            "holds Python objects, which are not read"
            if "object" in str(error)
            else f"not a NumPy array ({one_line(error)})"
        )
        raise FileError(f"{path}: {reason}") from None
    return _numeric(values, str(path))


def _numeric(values: Any, where: str) -> np.ndarray:
    """Return an array or HDF5 dataset as float64, after its type and size have been looked at."""
    if getattr(values.dtype, "kind", "") not in "fiub":
        raise FileError(f"{where}: holds {values.dtype}, must hold real numbers")
    if not values.shape:
        what = "nothing" if values.shape is None else "one number"  # HDF5 has datasets without a space of data
        raise FileError(f"{where}: holds {what}, must hold an array")
    if math.prod(values.shape) == 0:
        raise FileError(f"{where}: is empty (shape {values.shape})")
    refuse_above(16 * math.prod(values.shape), f"{where}, an array of shape {values.shape},")
    if math.prod(values.shape) > _CLAIMED and not isinstance(values, np.ndarray):
        refuse_claims(values, where)
    return np.array(values[...], dtype=np.float64)


def _from_hdf5(path: Path, dataset: str | None) -> np.ndarray:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            outer = data_elsewhere(file)
            if outer:
                raise InputError(f"{path}: {outer} stands in another file, and brnn reads none but this one")
            names: list[str] = []
            file.visititems(lambda name, item: names.append("/" + text_name(name)) if _is_numeric(item) else None)
            if dataset is None:
                if len(names) != 1:
                    raise InputError(f"{path}: {_which(names)}")
                dataset = names[0]
            item = file.get(dataset)
            if item is None:
                raise InputError(f"{path}: has no dataset '{dataset}' ({_which(names)}){closest(dataset, names)}")
            if not isinstance(item, h5py.Dataset):
                raise InputError(f"{path}: '{dataset}' is a group, not a dataset ({_which(names)})")
            return _numeric(item, f"{path}:{dataset}")
    except READ_ERRORS as error:
        if isinstance(error, (InputError, RecursionError, MemoryError)):
            raise
        reason = "not an HDF5 file" if "signature not found" in str(error) else str(error)
        raise FileError(f"{path}: {reason}") from None


def _is_numeric(item: Any) -> bool:
    return getattr(getattr(item, "dtype", None), "kind", "") in tuple("fiub") and item.ndim > 0


def _which(names: list[str]) -> str:
    if not names:
        return "it holds no dataset of numbers"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"it holds {', '.join(names[:12])}{more}; name one with --dataset"


_READERS: dict[str, Callable[[Path], np.ndarray]] = {
    ".png": _from_image,
    ".jpg": _from_image,
    ".jpeg": _from_image,
    ".csv": _from_table,
    ".tsv": _from_table,
    ".txt": _from_table,
    ".npy": _from_npy,
}
