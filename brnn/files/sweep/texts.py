"""Texts in the file of a sweep: as codes with flags, as characters, and as lines.

Few different texts (regimes, signals that are swept) are whole numbers, whose attributes `flag_values` and
`flag_meanings` say in the way of the CF conventions what they stand for; as a flag cannot have blanks, the attribute
`texts` is a list of the very texts in JSON. Many different ones are characters, with one more axis, as netCDF-4 has
them; Octave's ``load`` ends there. Errors of members are lines of one length, filled up with blanks, in one row
of characters. In files of format 1 all texts are characters with one more axis.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.errors import FileError
from brnn.files.attributes import attribute_json
from brnn.files.placed import FilePlace, PlacedRows, SharedFile, place_of
from brnn.files.stored import Key, StoredRows, refuse_claims
from brnn.files.sweep.schema import texts_joined

if TYPE_CHECKING:
    import h5py

__all__ = [
    "CodedTexts",
    "StoredTexts",
    "TextColumn",
    "codes_of",
    "flags",
    "lines",
    "place_of_lines",
    "stored_rows",
    "with_texts",
]

_CODES_AT_MOST = 64
_TEXTS_AT_MOST = 8000  # bytes of all of them: they stand in attributes, which end at 64 KiB
_NOTHING = -1  # the code of the empty text


def with_texts(known: tuple[str, ...] | None, values: np.ndarray) -> tuple[str, ...] | None:
    """Return the texts that have codes once `values` (bytes) have, in the order of their codes; None if too many."""
    if known is None:
        return None
    rest, first = np.unique(values[codes_of(values, known) == _NOTHING], return_index=True)
    new = rest[np.argsort(first)].tolist()  # in the order in which they come
    texts = (*known, *(text.decode("utf-8", "replace") for text in new if text))
    fits = len(texts) <= _CODES_AT_MOST and len(json.dumps(texts)) <= _TEXTS_AT_MOST
    return texts if fits else None


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A text for each member, of few different ones.

    Attributes
    ----------
    codes : ndarray of int32, shape (members,)
        Which text it is; -1 for the empty one.
    texts : tuple of str
        The texts.
    """

    codes: np.ndarray
    texts: tuple[str, ...]

    @classmethod
    def of(cls, known: np.ndarray, places: np.ndarray | None = None) -> TextColumn | np.ndarray:
        """Return texts (bytes), of which the members have those at `places`; as an array if too many are different."""
        texts = with_texts((), known)
        if texts is None:
            return known if places is None else known[places]
        codes = codes_of(known, texts)
        return cls(codes if places is None else codes[places], texts)

    @property
    def nbytes(self) -> int:
        """How many bytes they have in a file, the texts aside."""
        return self.codes.nbytes

    def __len__(self) -> int:
        return len(self.codes)

    def bytes(self) -> np.ndarray:
        """Return the texts as bytes of one length."""
        return _table(self.texts)[self.codes]


def _table(texts: Sequence[str]) -> np.ndarray:
    """Return what the codes of these texts stand for."""
    return np.array([*(text.encode() for text in texts), b""], np.bytes_)


def codes_of(values: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Return texts (bytes) as codes; -1 for the empty text, and for what is not among the texts."""
    codes = np.full(values.shape, _NOTHING, "<i4")
    for code, text in enumerate(texts):
        codes[values == text.encode()] = code
    return codes


def flags(texts: Sequence[str]) -> dict[str, Any]:
    """Return the attributes of a variable of codes."""
    meanings = (re.sub(r"[^\w.+@-]+", "_", text).strip("_") or "_" for text in texts)
    values = np.arange(len(texts), dtype="<i4")
    return {"flag_values": values, "flag_meanings": " ".join(meanings), "texts": json.dumps(texts, ensure_ascii=False)}


def lines(texts: Sequence[bytes], width: int) -> np.ndarray:
    """Return texts as lines of `width` bytes, the last of which is a blank; longer ones are cut."""
    plain = (text.rstrip(b"\0 ").replace(b"\n", b" ") for text in texts)
    return np.array([text[: width - 1].ljust(width) for text in plain], f"S{width}")


def place_of_lines(dataset: h5py.Dataset, count: int) -> FilePlace | None:
    """Return where so many lines stand; None if the dataset is not in one piece."""
    place = place_of(dataset)
    if place is None or not count:
        return place
    return FilePlace(place.offset, np.dtype(f"S{dataset.size // count}"), (count,))


class StoredTexts(StoredRows):
    """The texts of rows that are bytes, as Python's."""

    def __init__(self, rows: StoredRows) -> None:
        self._rows = rows
        self.shape = rows.shape
        self.dtype = np.dtype(object)

    def __getitem__(self, key: Key) -> Any:
        return np.strings.decode(np.asarray(self._rows[key]), "utf-8", "replace").astype(object)


class CodedTexts(StoredRows):
    """The texts for which the codes of other rows stand, as bytes of one length."""

    def __init__(self, codes: StoredRows, texts: Sequence[str], label: str) -> None:
        self.codes = codes
        self.needs_hdf5 = codes.needs_hdf5
        self.texts = tuple(texts)
        self._label = label
        self._table = _table(self.texts)
        self.shape = codes.shape
        self.dtype = self._table.dtype

    def __getitem__(self, key: Key) -> Any:
        return self._table[self._checked(key)]

    def column(self) -> TextColumn:
        """Return all of them."""
        return TextColumn(self._checked(slice(None)).astype("<i4", copy=False), self.texts)

    def _checked(self, key: Key) -> np.ndarray:
        codes = np.asarray(self.codes[key])
        if codes.size and not (codes.min() >= _NOTHING and codes.max() < len(self.texts)):
            raise FileError(f"{self._label} cannot be read: the file is damaged (there is a code without a text)")
        return codes


class _Characters(StoredRows):
    """The texts of a dataset of characters (..., bytes), as bytes of one length."""

    def __init__(self, dataset: h5py.Dataset, label: str) -> None:
        super().__init__(dataset, dataset.shape[0], label)
        self.shape = self.shape[:-1]
        self.dtype = np.dtype(f"S{dataset.shape[-1]}")

    def __getitem__(self, key: Key) -> Any:
        return texts_joined(super().__getitem__(key))


class _Loaded(StoredRows):
    """Rows that were read when the file was opened: what has no rows as brnn writes them."""

    needs_hdf5 = False

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.shape = values.shape
        self.dtype = values.dtype

    def __getitem__(self, key: Key) -> Any:
        return self._values[key]


def stored_rows(file: h5py.File, name: str, source: SharedFile, label: str) -> StoredRows:
    """Return the rows of a variable of an open file; texts as bytes of one length, however the file has them."""
    dataset = file[name]
    if name == "error_text" and dataset.ndim < 2:
        return _stored_lines(dataset, file["failed"].shape[0], source, label)
    if dataset.dtype.kind == "O":  # texts of variable length, as other programs write them
        refuse_claims(dataset, label)
        texts = np.asarray(dataset.asstr("utf-8", "replace")[()], dtype=np.str_)
        return _Loaded(np.strings.encode(texts, "utf-8"))
    place = place_of(dataset)
    if place is not None:
        rows: StoredRows = PlacedRows(source, place, label)
    else:
        refuse_claims(dataset, label)
        if dataset.dtype == "S1" and dataset.ndim:
            return _Characters(dataset, label)
        rows = StoredRows(dataset, dataset.shape[0] if dataset.ndim else 1, label)
    if "texts" in dataset.attrs and rows.dtype.kind in "iu":
        texts = attribute_json(dataset.attrs["texts"], f"{name}:texts", list, label)
        return CodedTexts(rows, [str(text) for text in texts], label)
    return rows


def _stored_lines(dataset: h5py.Dataset, count: int, source: SharedFile, label: str) -> StoredRows:
    place = place_of_lines(dataset, count)
    if place is not None and place.shape == (count,) and dataset.dtype == "S1":
        return PlacedRows(source, place, label)
    refuse_claims(dataset, label)
    values = np.asarray(dataset[()])
    text = values.tobytes() if values.dtype.kind == "S" else bytes(values.item())
    width = -(-len(text) // max(1, count))
    return _Loaded(np.array([text[k * width : (k + 1) * width] for k in range(count)], f"S{max(1, width)}"))
