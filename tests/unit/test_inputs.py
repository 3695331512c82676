"""``--input FILE``: every format, and files that are not what they should be."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from brnn.errors import InputError
from brnn.files.patterns import read_pattern


def refusal(path: Path | str, dataset: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_pattern(path, dataset)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Images ---------------------------------------------------------------------------------------------------------


HEADER = "looks like a header; a pattern has numbers alone, so remove that line, or begin it with #"


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg"])
def test_grey_image(tmp_path: Path, suffix: str) -> None:
    levels = np.full((16, 24), 51, dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / f"grey{suffix}")
    found = read_pattern(tmp_path / f"grey{suffix}")
    assert found.shape == (16, 24)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, 0.2, atol=1e-12)


def test_colours_become_luminance(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colours.png")
    # ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B, to the nearest of 256 levels.
    np.testing.assert_allclose(read_pattern(tmp_path / "colours.png"), [[0.299, 0.587, 0.114, 1.0]], atol=1 / 255)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    levels = np.array([[0, 1, 65535, 32768]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_pattern(tmp_path / "deep.png"), levels / 65535.0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes_of_png(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (3, 2), 0) if mode in ("1", "L", "P", "I;16") else Image.new("RGBA", (3, 2)).convert(mode)
    image.save(tmp_path / "image.png")
    found = read_pattern(tmp_path / "image.png")
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found, 0.0)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8)).save(tmp_path / "print.jpg")
    np.testing.assert_allclose(read_pattern(tmp_path / "print.jpg"), 1.0, atol=0.02)


def test_a_transparent_value_of_sixteen_bits_is_dark(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.fromarray(np.array([[65535, 1000], [30000, 0]], dtype=np.uint16)).save(path, transparency=65535)
    np.testing.assert_allclose(read_pattern(path), np.array([[0.0, 1000.0], [30000.0, 0.0]]) / 65535.0)


def test_transparent_pixels_are_dark(tmp_path: Path) -> None:
    pixels = np.array([[[255, 255, 255, 0], [255, 255, 255, 51], [255, 255, 255, 255]]], dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    np.testing.assert_allclose(read_pattern(tmp_path / "clear.png"), [[0.0, 0.2, 1.0]], atol=1e-12)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    levels = np.zeros((16, 32), dtype=np.uint8)
    levels[:, 16:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: the first row of the file is the right side
    Image.fromarray(levels).save(tmp_path / "turned.jpg", exif=exif)
    found = read_pattern(tmp_path / "turned.jpg")
    assert found.shape == (32, 16)
    assert found[0].mean() < 0.1
    assert found[-1].mean() > 0.9


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(20), bytes(1000)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_image_that_is_not_one(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    path.write_bytes(content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert "image" in message or "damaged" in message


def test_an_image_that_is_cut_off(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cut.png", "cut.jpg"):
        path = tmp_path / name
        Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:700])
        assert "damaged" in refusal(path)


def test_an_image_of_another_kind_is_not_opened(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "image.png", format="BMP")
    assert refusal(tmp_path / "image.png") == f"{tmp_path / 'image.png'}: not a PNG or JPEG image"


def _png_of_claimed_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(9000, 9000), (4097, 4096), (2**31 - 1, 2**31 - 1), (100_000_000, 1)])
def test_a_decompression_bomb(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_of_claimed_size(*size))
    said = refusal(path)
    assert "more than 16,777,216 pixels (4096 x 4096)" in said
    assert size[0] > 2**30 or f"of {size[0]} x {size[1]} pixels" in said


# Tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3\n", [1.0, 2.0, 3.0]),
        ("1\n2\n3\n", [1.0, 2.0, 3.0]),
        ("1,2\n3,4\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("1;2\n3;4\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("1\t2\r\n3\t4\r\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("1 2\n 3  4\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("# a pattern\n\n1, 2,\n3, 4, # second\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("\ufeff0.5,1e-3\n", [0.5, 0.001]),
        ('"1","2"\n', [1.0, 2.0]),
        ("-1,2\n", [-1.0, 2.0]),
        ("7\n", [7.0]),
    ],
)
def test_table(tmp_path: Path, text: str, expected: Any) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    found = read_pattern(path)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no numbers"),
        ("\n\n# nothing\n", "holds no numbers"),
        ("1,2\n3\n", "line 2 has 1 numbers, line 1 has 2"),
        ("# x\n1,2\n\n3,4,5\n", "line 4 has 3 numbers, line 2 has 2"),
        ("1,two\n", "line 1, column 2: 'two' is not a finite number"),
        ("a,b\n1,2\n", f"line 1: 'a,b' {HEADER}"),
        ("# x\nx1\n1\n", f"line 2: 'x1' {HEADER}"),
        ("1,2\na,b\n", "line 2, column 1: 'a' is not a finite number"),
        ("1,\n2,3\n", "line 2 has 2 numbers, line 1 has 1"),
        ("1,,3\n", "line 1, column 2: '' is not a finite number"),
        ("1,nan\n", "line 1, column 2: 'nan' is not a finite number"),
        ("inf\n", "line 1, column 1: 'inf' is not a finite number"),
        ("1,-Infinity\n", "line 1, column 2: '-Infinity' is not a finite number"),
        ("1e999\n", "line 1, column 1: '1e999' is not a finite number"),
        ("1_0\n", "line 1, column 1: '1_0' is not a finite number"),
        ("0,5;0,7\n", "line 1: '0,5;0,7' has decimal commas; write 0.5 for 0,5"),
        ("1;2\n0,5; -0,7;\n", "line 2: '0,5; -0,7;' has decimal commas; write 0.5 for 0,5"),
        ("0,5\t0,7\n", "line 1: '0,5\t0,7' has decimal commas; write 0.5 for 0,5"),
        ("0,5 0,7\n", "line 1: '0,5 0,7' has decimal commas; write 0.5 for 0,5"),
        ("x" * 100 + "\n", f"line 1, column 1: '{'x' * 37}...' is not a finite number"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    assert refusal(path) == f"{path}: {message}"


@pytest.mark.parametrize(("text", "one"), [("0,5\n0,7\n0,1\n", "0.5"), ("1,25\n3,05\n", "1.25"), ("1,2\n3,4\n", "")])
def test_one_column_of_decimal_commas_is_told_from_two(tmp_path: Path, text: str, one: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    rows = text.count("\n")
    told = pytest.warns(UserWarning, match=f"read as {rows} rows of 2 numbers; if .* is one number, write {one}")
    with told if one else contextlib.nullcontext():
        assert read_pattern(path).shape == (rows, 2)


def test_a_table_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert refusal(path) == f"{path}: not a text of numbers"
    path.write_bytes(b"1,2\x00,3\n")
    assert refusal(path).startswith(f"{path}: line 1")


# NumPy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint8", "bool", ">f8"])
def test_npy(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0, 1], [1, 1]], dtype=dtype)
    np.save(tmp_path / "array.npy", values)
    found = read_pattern(tmp_path / "array.npy")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


def test_npy_in_fortran_order(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "array.npy", np.asfortranarray(values))
    found = read_pattern(tmp_path / "array.npy")
    np.testing.assert_array_equal(found, values)
    assert found.flags.c_contiguous


class _Witness:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_npy_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    values = np.empty(1, dtype=object)
    values[0] = _Witness(tmp_path / "pickle-ran")
    np.save(tmp_path / "array.npy", values, allow_pickle=True)
    assert "Python objects" in refusal(tmp_path / "array.npy")
    assert not (tmp_path / "pickle-ran").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1 + 2j]), "holds complex128, must hold real numbers"),
        (np.array(["a"]), "must hold real numbers"),
        (np.array([(1.0, 2)], dtype=[("a", "f8"), ("b", "i4")]), "must hold real numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "must hold real numbers"),
        (np.float64(3.0), "holds one number, must hold an array"),
        (np.zeros((0, 3)), "empty"),
        (np.array([1.0, np.nan]), "element 1 is nan; every element must be finite"),
        (np.array([[1.0, np.inf]]), "element (0, 1) is inf; every element must be finite"),
    ],
)
def test_npy_that_is_refused(tmp_path: Path, values: Any, message: str) -> None:
    np.save(tmp_path / "array.npy", values)
    assert message in refusal(tmp_path / "array.npy")


def test_npy_that_promises_more_than_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        file.write(bytes(80))
    assert refusal(path).startswith(f"{path}: ")
    path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': __import__('os').system('false')}")
    assert refusal(path).startswith(f"{path}: not a NumPy array")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1,2,3\n",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00\x10\x00" + bytes(16),
        b"PK\x03\x04",
        b"\x93NUMPY\x01\x00\x10\x00{nonsense)(      ",
        b"\x93NUMPY\x01\x00\x10\x00\x00\x01\x02{{{{{{{{{{{{{",
    ],
)
def test_npy_that_is_not_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "array.npy"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: not a NumPy array")


# HDF5 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.h5"
    with h5py.File(path, "w") as file:
        file["one"] = np.arange(3.0)
        file["group/two"] = np.ones((2, 2), dtype="f4")
        file["text"] = "words"
        file["number"] = 3.0
        file["empty"] = h5py.Empty("f8")
        file.create_dataset("huge", shape=(10**6, 10**6), chunks=(1000, 1000), dtype="f8")
    return path


def test_hdf5(store: Path) -> None:
    np.testing.assert_array_equal(read_pattern(store, "/one"), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(read_pattern(store, "group/two"), np.ones((2, 2)))
    np.testing.assert_array_equal(read_pattern(f"{store}:/group/two"), np.ones((2, 2)))


def test_hdf5_with_one_dataset_needs_no_name(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["a/b"] = [1, 2]
    np.testing.assert_array_equal(read_pattern(tmp_path / "one.h5"), [1.0, 2.0])


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (None, "name one with --dataset"),
        ("/tow", "has no dataset '/tow'"),
        ("/group/tow", "did you mean '/group/two'?"),
        ("/group", "is a group, not a dataset"),
        ("", "has no dataset ''"),
        ("/text", "must hold real numbers"),
        ("/number", "holds one number"),
        ("/empty", "empty"),
        ("/huge", "TB of memory"),
    ],
)
def test_hdf5_that_is_refused(store: Path, dataset: str | None, message: str) -> None:
    found = refusal(store, dataset)
    assert str(store) in found
    assert message in found


def outer_link(file: h5py.File) -> None:
    file["away"] = h5py.ExternalLink("other.h5", "/x")


def outer_storage(file: h5py.File) -> None:
    file.create_dataset("away", shape=(4,), dtype="f8", external=[("other.raw", 0, 32)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("away", layout)


@pytest.mark.parametrize("reach", [outer_link, outer_storage, virtual])
@pytest.mark.parametrize("dataset", ["/mine", "/away", None])
def test_hdf5_with_data_of_another_file(tmp_path: Path, reach: Any, dataset: str | None) -> None:
    """A file that somebody else made must not show what stands elsewhere, as with files of results."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(4.0)
    np.arange(4.0).tofile(tmp_path / "other.raw")
    with h5py.File(tmp_path / "store.h5", "w") as file:
        file["mine"] = np.ones(3)
        reach(file)
    assert "/away stands in another file" in refusal(tmp_path / "store.h5", dataset)


def test_hdf5_that_claims_more_than_is_stored(tmp_path: Path) -> None:
    """16 MB would fit, but there are none."""
    with h5py.File(tmp_path / "store.h5", "w") as file:
        file.create_dataset("x", shape=(2_000_000,), chunks=(1000,), dtype="f8")
        file.create_dataset("few", shape=(20,), chunks=(10,), dtype="f8", fillvalue=0.5)
    assert "fewer values than there should be" in refusal(tmp_path / "store.h5", "/x")
    np.testing.assert_array_equal(read_pattern(tmp_path / "store.h5", "/few"), np.full(20, 0.5))


def test_hdf5_that_is_not_one(tmp_path: Path) -> None:
    path = tmp_path / "store.h5"
    path.write_bytes(b"1,2,3\n")
    assert refusal(path) == f"{path}: not an HDF5 file"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert refusal(path).startswith(f"{path}: ")


def test_hdf5_with_nan(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "store.h5", "w") as file:
        file["x"] = [0.0, np.nan]
    assert "element 1 is nan" in refusal(tmp_path / "store.h5")


# Files ----------------------------------------------------------------------------------------------------------


def test_no_such_file(tmp_path: Path) -> None:
    for name in ("none.png", "none.csv", "none.npy", "none.h5", "none.h5:/x"):
        assert refusal(tmp_path / name).endswith("there is no such file")


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert refusal(tmp_path / "folder.png").endswith("is a folder")


def test_a_suffix_that_is_not_read(tmp_path: Path) -> None:
    for name in ("movie.gif", "table.xlsx", "arrays.npz", "plain"):
        (tmp_path / name).write_bytes(b"x")
        assert "must be one of" in refusal(tmp_path / name)


def test_a_dataset_of_a_file_that_has_none(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1,2\n")
    assert "HDF5 files only" in refusal(tmp_path / "table.csv", "/x")
