"""Shards of a sweep joined into one file, and sweeps as tables."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sweeping
from recording import one_line

import brnn
from brnn.errors import FileError, InputError
from brnn.files.export import to_csv, to_parquet
from brnn.files.sweep.describe import describe_sweep
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.merge import merge_shards
from brnn.files.sweep.writer import SweepWriter

N = 110


def shard(folder: Path, k: int, count: int, members: Any = None, **changes: Any) -> Path:
    """Write shard k of `count`: every count-th member, or the given ones of these."""
    own = np.arange(k, N, count)
    attributes = {**sweeping.header().attributes, "shard": f"{k + 1}/{count}"}
    given = sweeping.header(**{"attributes": attributes, "selected": own} | changes)
    path = folder / f"shard{k}.h5"
    sweeping.write(path, [own if members is None else np.asarray(members)], given).close()
    return path


def test_a_shard(tmp_path: Path) -> None:
    path = shard(tmp_path, 1, 4, [1, 5])
    with brnn.open(path) as data:
        assert data.sizes["member"] == N
        assert (data.attrs["complete"], data.attrs["steady"], data.attrs["missing"]) == (0, 2, 26)
        assert data.attrs["shard"] == "2/4"
    assert describe_sweep(path)[0] == "sweep of rcf: incomplete, 28 of 110 members (26 missing, 2 steady)"
    own = np.arange(1, N, 4)
    attributes = {**sweeping.header().attributes, "shard": "2/4"}
    with SweepWriter(path, sweeping.header(attributes=attributes, selected=own), resume=True) as writer:
        np.testing.assert_array_equal(writer.pending(), own[2:])
    with pytest.raises(FileError) as caught:
        SweepWriter(path, sweeping.header(), resume=True)
    one_line(caught.value, "its options differ (shard: 2/4 in the file, nothing now)")


@pytest.mark.parametrize("block", [10**9, 1000])
def test_merge(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", block)
    shards = [shard(tmp_path, k, 4) for k in (2, 0, 3, 1)]
    with sweeping.write(tmp_path / "whole.h5") as whole, merge_shards(shards, tmp_path / "out.h5") as merged:
        assert merged.equals(whole)
        assert "shard" not in merged.attrs
        assert merged.attrs["missing"] == 0
        assert [merged[name].attrs for name in merged.data_vars] == [whole[name].attrs for name in whole.data_vars]
        assert [merged[name].dtype for name in merged.data_vars] == [whole[name].dtype for name in whole.data_vars]
    given = sweeping.header()
    assert SweepWriter(tmp_path / "out.h5", given, resume=True).pending().size == 0


def test_missing_members_are_listed_and_can_be_run(tmp_path: Path) -> None:
    shards = [shard(tmp_path, 0, 2), shard(tmp_path, 1, 2, np.arange(31, N, 2))]
    out = tmp_path / "out.h5"
    with merge_shards(shards, out) as merged:
        assert merged.attrs["missing"] == 15
    assert "missing: 1, 3, 5, 7, 9, 11, 13, 15, ..." in describe_sweep(out)
    with sweeping.write(out, [np.arange(1, 31, 2)], resume=True) as data:
        sweeping.check(data, np.arange(N))


def test_members_of_several_shards(tmp_path: Path) -> None:
    one = shard(tmp_path, 0, 1, np.arange(80))
    two = shard(tmp_path, 1, 2)
    with merge_shards([one, two], tmp_path / "out.h5") as merged:
        assert merged.attrs["missing"] == 15
    with SweepWriter(two, sweeping.header(), force=True) as writer:
        sweeping.declare(writer)
        rows = sweeping.rows(np.array([17, 90]))
        rows["rcf.x"][0, 3] += 1e-12
        writer.write([17, 90], rows, 1)
    with pytest.raises(FileError) as caught:
        merge_shards([one, two], tmp_path / "other.h5")
    one_line(caught.value, "member 17 has different numbers in", "shard0.h5", "shard1.h5", "('rcf.x')")


def test_failed_in_one_and_not_in_another(tmp_path: Path) -> None:
    paths = []
    for k, failed in enumerate([[3, 4], [4, 5]]):
        members = np.arange(8)
        status = np.where(np.isin(members, failed), 3, 1)
        paths.append(tmp_path / f"{k}.h5")
        with SweepWriter(paths[-1], SweepHeader(8, {"A": members * 1.0}, "{}")) as writer:
            total = np.where(status == 3, np.nan, members * 2.0)
            writer.write(members, {"total": total}, status, dict.fromkeys(failed, f"why {k}"))
    for order, kept in (paths, "why 0"), (paths[::-1], "why 1"):
        with merge_shards(order, tmp_path / "out.h5", force=True) as merged:
            np.testing.assert_array_equal(merged["status"], [1, 1, 1, 1, 3, 1, 1, 1])
            np.testing.assert_array_equal(merged["total"], [0, 2, 4, 6, np.nan, 10, 12, 14])
            assert merged["error"].values.tolist() == [""] * 4 + [kept] + [""] * 3


def test_shards_with_different_numbers_of_cells(tmp_path: Path) -> None:
    """n is swept, and each shard knows its own largest one only."""
    given = [SweepHeader(4, {"n": np.arange(1, 5)}, "{}", selected=own) for own in (np.array([0, 1]), np.array([2, 3]))]
    for k, header in enumerate(given):
        with SweepWriter(tmp_path / f"{k}.h5", header) as writer:
            for member in (2 * k, 2 * k + 1):
                writer.write([member], {"x": np.full((1, member + 1), 1.0 + member), "name": ["x" * member]}, 1)
    with merge_shards([tmp_path / "0.h5", tmp_path / "1.h5"], tmp_path / "out.h5") as merged:
        assert merged["x"].shape == (4, 4)
        np.testing.assert_array_equal(merged["x"].notnull().sum("x_0"), [1, 2, 3, 4])
        assert merged["name"].values.tolist() == ["", "x", "xx", "xxx"]
        # The members of the shards are in the joined file, too, in longer rows; they are the same.
        with merge_shards([tmp_path / "0.h5", tmp_path / "out.h5", tmp_path / "1.h5"], tmp_path / "again.h5") as again:
            assert again.equals(merged)


def test_wrong_shards(tmp_path: Path) -> None:
    one = shard(tmp_path, 0, 2)
    other = shard(tmp_path, 1, 2, equations="fedcba9876543210")
    for paths, out, words in [
        ([one, other], "out.h5", "shard1.h5 does not belong to"),
        ([one, other], "out.h5", "version (0123456789ab in shard0.h5, fedcba987654 in shard1.h5)"),
        ([one, tmp_path / "none.h5"], "out.h5", "none.h5 does not exist"),
        ([one], "shard0.h5", "is one of the shards"),
        ([one], "shard1.h5", "exists; use force=True"),
    ]:
        with pytest.raises(FileError) as caught:
            merge_shards(paths, tmp_path / out)
        one_line(caught.value, words)
    with pytest.raises(InputError) as error:
        merge_shards([], tmp_path / "out.h5")
    one_line(error.value, "there are no shards")
    assert sorted(os.listdir(tmp_path)) == ["shard0.h5", "shard1.h5"]


# ---------------------------------------------------------------------------------------------- tables


def read(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("block", [16_000_000, 2000])
def test_csv(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", block)
    path = tmp_path / "sweep.h5"
    sweeping.write(path, [np.arange(100)]).close()
    tables = to_csv(path, tmp_path / "tables")
    assert sorted(table.name for table in tables) == ["members.csv", "rcf.x.csv", "rcf.x.t.csv", "units.csv"]
    assert sorted(os.listdir(tmp_path / "tables")) == ["members.csv", "rcf.x.csv", "rcf.x.t.csv", "units.csv"]
    expected = sweeping.rows(np.arange(100))
    names, *rows = read(tmp_path / "tables" / "members.csv")
    assert names == ["member", "A", "signal.half", "seed", "status", "error", "total", "winner", "regime", "steps"]
    assert len(rows) == N
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    np.testing.assert_array_equal(np.array(columns["total"][:100], float), expected["total"])
    assert columns["regime"][:4] == ("uniform", "winner-take-all", "größtes", "uniform")
    assert columns["status"][98:101] == ("complete", "steady", "missing")
    assert columns["seed"][1] == str(2**63 + 1)
    assert columns["total"][100] == "nan"
    names, *rows = read(tmp_path / "tables" / "rcf.x.csv")
    assert names == ["member", *(f"rcf.x[{k}]" for k in range(6))]
    np.testing.assert_array_equal(np.array(rows[:100], float)[:, 1:], expected["rcf.x"])
    names, *rows = read(tmp_path / "tables" / "rcf.x.t.csv")
    assert names[:3] == ["member", "time", "rcf.x.t[0]"]
    table = np.array(rows, float).reshape(N, 3, 8)
    np.testing.assert_array_equal(table[7, :, 1], sweeping.TIMES)
    np.testing.assert_array_equal(table[:100, :, 2:].astype(np.float32), expected["rcf.x.t"].astype(np.float32))
    with pytest.raises(FileError) as caught:
        to_csv(path, tmp_path / "tables")
    one_line(caught.value, "members.csv exists")
    to_csv(path, tmp_path / "tables", force=True)


def test_csv_places(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    sweeping.write(path).close()
    for folder, words in [("no/where", "does not exist"), ("sweep.h5", "is a file, must be a folder")]:
        with pytest.raises(FileError) as caught:
            to_csv(path, tmp_path / folder)
        one_line(caught.value, words)


@pytest.mark.parametrize("block", [16_000_000, 2000])
def test_parquet(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", block)
    path = tmp_path / "sweep.h5"
    sweeping.write(path, [np.arange(100)]).close()
    to_parquet(path, tmp_path / "sweep.parquet")
    table = parquet.read_table(tmp_path / "sweep.parquet")
    assert table.num_rows == N
    expected = sweeping.rows(np.arange(100))
    np.testing.assert_array_equal(table["total"].to_numpy()[:100], expected["total"])
    assert table["regime"].to_pylist()[:2] == ["uniform", "winner-take-all"]
    assert table["status"].to_pylist()[99:101] == ["steady", "missing"]
    np.testing.assert_array_equal(np.array(table["rcf.x"].to_pylist()[:100]), expected["rcf.x"])
    trajectories = np.array(table["rcf.x.t"].to_pylist()[:100], np.float32)
    np.testing.assert_array_equal(trajectories, expected["rcf.x.t"].astype(np.float32))
    assert json.loads(table.schema.metadata[b"brnn"])["rtol"] == 1e-6
    with pytest.raises(FileError) as caught:
        to_parquet(path, tmp_path / "sweep.parquet")
    one_line(caught.value, "sweep.parquet exists")
    assert sorted(os.listdir(tmp_path)) == ["sweep.h5", "sweep.parquet"]


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sweep.h5"
    sweeping.write(path).close()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError) as caught:
        to_parquet(path, tmp_path / "sweep.parquet")
    one_line(caught.value, "brnn[parquet]")
