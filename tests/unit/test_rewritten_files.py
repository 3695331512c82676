"""Files as other programs know them: what every reader can read, and what comes back when another program wrote it.

`make readers` does the same with the programs themselves; here h5py, netCDF4 and xarray stand for them.
"""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest
import sweeping
import xarray as xr
from h5py import h5t

import brnn
from brnn.files.export import to_csv
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.writer import SweepWriter

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with gates, weights on an axis of their own, events and a stored matrix, in today's format."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "old.h5").write_bytes(gzip.decompress((DATA / "format1_run.h5.gz").read_bytes()))
    with brnn.open(folder / "old.h5") as result:
        result.save(folder / "run.h5")
    return folder / "run.h5"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "sweep.h5"
    with sweeping.declare(SweepWriter(path, sweeping.header())) as writer:
        members = np.arange(110)
        failed = np.where(members % 5 == 1, 3, sweeping.status(members))
        writer.write(members, sweeping.rows(members), failed, {int(k): f"why {k}" for k in members[failed == 3]})
        writer.finish().close()
    return path


# ------------------------------------------------------------------------------------ what another program leaves


def by_h5py(source: Path, target: Path) -> None:
    """As netCDF tools: compressed, numbers as arrays of one element, texts of variable length."""

    def copy(old: h5py.Group, new: h5py.Group) -> None:
        attributes(old, new)
        for name, item in old.items():
            if isinstance(item, h5py.Group):
                copy(item, new.create_group(name))
                continue
            packed = {"chunks": True, "compression": "gzip", "shuffle": True} if item.size > 1 else {}
            attributes(item, new.create_dataset(name, data=item[()], **packed))

    def attributes(old: h5py.HLObject, new: h5py.HLObject) -> None:
        for name, value in old.attrs.items():
            if name not in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"):
                if isinstance(value, (bytes, str)):
                    text = value.decode() if isinstance(value, bytes) else value
                    new.attrs.create(name, [text], dtype=h5py.string_dtype())
                else:
                    new.attrs[name] = np.atleast_1d(value)

    with h5py.File(source) as old, h5py.File(target, "w") as new:
        copy(old, new)


def by_netcdf4(source: Path, target: Path) -> None:
    """As nccopy."""

    def copy(old: netCDF4.Dataset, new: netCDF4.Dataset) -> None:
        new.setncatts({name: old.getncattr(name) for name in old.ncattrs()})
        for name, dim in old.dimensions.items():
            new.createDimension(name, None if dim.isunlimited() else dim.size)
        for name, variable in old.variables.items():
            variable.set_auto_maskandscale(False)
            variable.set_auto_chartostring(False)
            made = new.createVariable(name, variable.dtype, variable.dimensions, zlib=True)
            made.set_auto_chartostring(False)
            made.setncatts({key: variable.getncattr(key) for key in variable.ncattrs()})
            made[...] = variable[...]
        for name, group in old.groups.items():
            copy(group, new.createGroup(name))

    with netCDF4.Dataset(source) as old, netCDF4.Dataset(target, "w") as new:
        copy(old, new)


def by_xarray(source: Path, target: Path) -> None:
    with xr.open_datatree(source, engine="h5netcdf") as tree:
        tree.load().to_netcdf(target, engine="h5netcdf")


PROGRAMS = [by_h5py, by_netcdf4, by_xarray]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_rewritten_run(run: Path, tmp_path: Path, program: Callable[[Path, Path], None]) -> None:
    other = tmp_path / "other.h5"
    program(run, other)
    with brnn.open(run) as before, brnn.open(other) as after:
        assert list(after) == list(before)
        for name in before:
            assert after[name].identical(before[name])
        assert after.events.identical(before.events)
        assert (after.network, after.status, after.seed) == (before.network, before.status, before.seed)
        assert str(after.options) == str(before.options)
    assert brnn.rerun(other).passed
    assert len(to_csv(other, tmp_path / "tables")) == 6
    assert brnn.recover(other).status == "complete"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_rewritten_sweep(sweep: Path, tmp_path: Path, program: Callable[[Path, Path], None]) -> None:
    other = tmp_path / "other.h5"
    program(sweep, other)
    with brnn.open(sweep) as before, brnn.open(other) as after:
        assert after.equals(before)
        assert after.attrs == before.attrs
        assert after["error"].values[6] == "why 6"
    assert len(to_csv(other, tmp_path / "tables")) == 4


def test_an_incomplete_run_that_was_rewritten(tmp_path: Path) -> None:
    """Its room for times to come is full of NaN, which compression makes a thousand times smaller."""
    old, other = tmp_path / "killed.h5", tmp_path / "other.h5"
    old.write_bytes(gzip.decompress((DATA / "format1_killed.h5.gz").read_bytes()))
    by_h5py(old, other)
    with brnn.open(old) as before, brnn.open(other) as after:
        assert after.status == "incomplete"
        assert after["rcf.x"].identical(before["rcf.x"])


# ------------------------------------------------------------------------------------------ what every reader can read


def things(file: h5py.File) -> Iterator[h5py.HLObject]:
    found = [file]
    file.visititems(lambda _, item: found.append(item))
    yield from found


def test_attributes_are_plain(run: Path, sweep: Path) -> None:
    """Octave and old tools know no texts of variable length, and R no whole numbers of 64 bits."""
    for path in (run, sweep):
        with h5py.File(path) as file:
            for item in things(file):
                for name in item.attrs:
                    kind = item.attrs.get_id(name).get_type()
                    if isinstance(kind, h5t.TypeStringID):
                        assert not kind.is_variable_str()
                    elif isinstance(kind, h5t.TypeIntegerID):
                        assert kind.get_size() <= 4
            assert file.attrs["Conventions"] == b"CF-1.8"
            assert file.attrs["brnn_format"].dtype == np.int32


def test_every_chunk_has_its_checksum(run: Path) -> None:
    with h5py.File(run) as file:
        chunked = [item for item in things(file) if isinstance(item, h5py.Dataset) and item.chunks]
        assert {item.name for item in chunked} >= {
            "/F1/x",
            "/F1/time",
            "/down/z",
            "/events/value",
            "/network_arrays/a0",
        }
        for item in chunked:
            assert item.fletcher32
            assert item.id.get_num_chunks()
            for k in range(item.id.get_num_chunks()):
                assert item.id.get_chunk_info(k).filter_mask == 0  # no filter was passed by


def test_a_flipped_bit_is_found_out(run: Path, tmp_path: Path) -> None:
    with h5py.File(run) as file:
        place = file["network_arrays/a0"].id.get_chunk_info(0)
    data = bytearray(run.read_bytes())
    data[place.byte_offset + 100] ^= 1
    other = tmp_path / "flipped.h5"
    other.write_bytes(data)
    with brnn.open(other) as result, pytest.raises(brnn.errors.FileError, match="array a0 cannot be read"):
        _ = result.network


def test_fill_values_are_no_values(run: Path, sweep: Path) -> None:
    """Zarr readers (kerchunk, VirtualiZarr) take what is equal to the fill value for missing; zeros are there."""
    for path in (run, sweep):
        with h5py.File(path) as file:
            for item in things(file):
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
                    values = np.asarray(item[()])
                    assert np.isnan(item.fillvalue) if item.dtype.kind == "f" else item.fillvalue not in values


def test_axes_without_values_are_written(run: Path, sweep: Path) -> None:
    for path in (run, sweep):
        with h5py.File(path) as file:
            for item in things(file):
                if isinstance(item, h5py.Dataset) and b"but not a netCDF variable" in item.attrs.get("NAME", b""):
                    assert item.id.get_storage_size() == item.size * item.dtype.itemsize
                    assert not item[()].any()


def test_each_group_has_its_time(run: Path) -> None:
    with h5py.File(run) as file:
        addresses = [h5py.h5o.get_info(file[f"{group}/time"].id).addr for group in ("F1", "F2", "up")]
        assert len(set(addresses)) == 3
    with brnn.open(run) as result:  # but in memory one is enough
        first, second = (entry.times for entry in result.recorded[:2])
        assert np.shares_memory(first, second)
    for engine in ("h5netcdf", "netcdf4"):
        with xr.open_dataset(run, engine=engine, group="F2") as data:
            assert list(data.coords) == ["time", "F2_row", "F2_column"]


def called(line: str) -> xr.Dataset | xr.DataTree:
    """Do what a line of Python says that calls one function of xarray with texts."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    function = ast.unparse(call.func).removeprefix("xarray.")
    named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    return getattr(xr, function)(*map(ast.literal_eval, call.args), **named)


def test_the_root_says_how_to_open_the_groups(run: Path) -> None:
    with xr.open_dataset(run) as root:
        assert not root.variables
        assert root.attrs["comment"].startswith("There is a group for each of: F1, F2, up, down, events.")
        line = root.attrs["comment"].split("In Python: ")[1].split(", or ")
    assert line[0] == 'xarray.open_datatree("FILE")'
    with called(line[0].replace("FILE", str(run))) as found:
        assert "x" in found["F1"]
    with called(line[1].replace("FILE", str(run))) as found:
        assert found["x"].dims == ("time", "F1")


@pytest.mark.parametrize(("given", "kept"), [("s", "s"), ("seconds", "s"), ("milliseconds", "ms"), ("ticks", "ticks")])
def test_xarray_leaves_the_times_alone(tmp_path: Path, given: str, kept: str) -> None:
    """It makes dates of "seconds", rounded."""
    path = tmp_path / "sweep.h5"
    header = SweepHeader(1, {}, "{}", times=np.array([0.0, 1.0 / 3.0]), attributes={"time_units": given})
    with SweepWriter(path, header) as writer:
        writer.declare("x", ["time"])
        writer.write([0], {"x": [[1.0, 2.0]]}, 1)
        writer.finish().close()
    with xr.open_dataset(path) as data:
        assert data["time"].values.tolist() == [0.0, 1.0 / 3.0]
        assert data["time"].attrs["units"] == kept
        assert data.attrs["time_units"] == given
    with brnn.open(path) as data:
        assert data["time"].attrs["units"] == given


# ------------------------------------------------------------------------------------------------ texts of a sweep


def test_texts_have_codes_until_there_are_too_many(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    texts = [f"text {0 if k % 20 == 0 else k}" for k in range(70)]  # one comes again and again
    with SweepWriter(path, SweepHeader(70, {}, "{}")) as writer:
        for k in range(0, 60, 20):
            writer.write(np.arange(k, k + 20), {"word": texts[k : k + 20]}, 1)
            writer._commit()
            known = list(dict.fromkeys(texts[: k + 20]))
            with h5py.File(path) as file:
                assert json.loads(file["word"].attrs["texts"]) == known
                assert file["word"].attrs["flag_values"].tolist() == list(range(len(known)))
                assert file["word"].attrs["flag_meanings"].decode().split() == [t.replace(" ", "_") for t in known]
                assert file["word"][()].tolist() == [*map(known.index, texts[: k + 20]), *[-1] * (50 - k)]
        writer.write(np.arange(60, 70), {"word": [f"more {k}" for k in range(10)]}, 1)
        with writer.finish() as data:
            assert data["word"].values.tolist() == [*texts[:60], *(f"more {k}" for k in range(10))]
    with h5py.File(path) as file:
        assert file["word"].dtype == "S1"
    with pytest.raises(brnn.errors.InputError, match="number for some members"):
        SweepWriter(path, SweepHeader(70, {}, "{}"), resume=True).write([0], {"word": [1.0]}, 1)


def test_a_code_without_a_text_is_damage(sweep: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(sweep.read_bytes())
    with h5py.File(other, "r+") as file:
        file["regime"][3] = 7
    with brnn.open(other) as data, pytest.raises(brnn.errors.FileError, match="a code without a text"):
        data["regime"].load()
