"""Files of brnn in other programs: `make readers` runs every command of docs/readers.md with the program itself.

A program that is not installed is skipped by name. The files are those of a decay: after one unit of time the first
cell has exp(-1), and the member of the sweep whose rate is 1 has 6 exp(-1) in all; these must be among the numbers that
a command prints. Not a part of `make test`, which does not find this file by its name.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import brnn
from brnn.files.export import to_csv
from brnn.files.run.writer import FileRecorder

PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text(encoding="utf-8")
# A Python with the packages of tests/readers/requirements.txt, and where jsfive is.
PYTHON = os.path.abspath(os.environ.get("READERS_PYTHON", sys.executable))
MODULES = os.environ.get("READERS_MODULES", "node_modules")
HDF5 = os.environ.get("READERS_HDF5", "")  # where the HDF5 library 1.8 is
INTERPRETERS = {
    "python": ([PYTHON, "-W", "ignore"], ".py"),
    "sh": (["sh", "-e"], ".sh"),
    "octave": (["octave", "--no-gui", "--quiet"], ".m"),
    "r": (["Rscript"], ".R"),
    "js": (["node"], ".js"),
    "julia": (["julia"], ".jl"),
}
JULIA_VERSION = """using {0}; project = read(joinpath(dirname(dirname(pathof({0}))), "Project.toml"), String)
print(match(r"version = .(.*).\n", project)[1], " ", VERSION)"""
SHOW_VERSION = {
    "xarray (h5netcdf)": [PYTHON, "-c", "import xarray, h5netcdf as h; print(xarray.__version__, h.__version__)"],
    "xarray (netcdf4)": [PYTHON, "-c", "import xarray, netCDF4 as n; print(xarray.__version__, n.__version__)"],
    "h5py": [PYTHON, "-c", "import h5py; print(h5py.__version__, h5py.version.hdf5_version)"],
    "netCDF4": [PYTHON, "-c", "import netCDF4 as n; print(n.__version__, n.__netcdf4libversion__)"],
    "pyfive": [PYTHON, "-c", "import pyfive; print(pyfive.__version__)"],
    "kerchunk": [PYTHON, "-c", "import kerchunk, zarr; print(kerchunk.__version__, zarr.__version__)"],
    "VirtualiZarr": [PYTHON, "-c", "import virtualizarr as v; print(v.__version__)"],
    "ncdump": ["sh", "-c", "ncdump 2>&1 | grep -o 'version [0-9.]*'"],
    "NCO": ["sh", "-c", "ncks --version 2>&1 | grep -o '^ncks version [0-9.]*'"],
    "h5dump": ["sh", "-c", "h5dump --version | grep -o '[0-9.]*$'"],
    "GDAL": ["sh", "-c", "gdalinfo --version | grep -o '^GDAL [0-9.]*'"],
    "Octave load": ["octave", "--no-gui", "--quiet", "--eval", "disp(version)"],
    "octave-netcdf": ["octave", "--no-gui", "--quiet", "--eval", 'disp(pkg("list", "netcdf"){1}.version)'],
    "ncdf4": ["Rscript", "-e", 'cat(as.character(packageVersion("ncdf4")))'],
    "RNetCDF": ["Rscript", "-e", 'cat(as.character(packageVersion("RNetCDF")))'],
    "jsfive": ["node", "-p", f"require('{Path(MODULES).resolve()}/jsfive/package.json').version"],
    "HDF5.jl": ["julia", "-e", JULIA_VERSION.format("HDF5")],
    "NCDatasets.jl": ["julia", "-e", JULIA_VERSION.format("NCDatasets")],
}
ENVIRONMENT = {**os.environ, "NODE_PATH": str(Path(MODULES).resolve())}


class Block(NamedTuple):
    """One block of code of the page."""

    reader: str
    language: str
    code: str


def blocks() -> Iterator[Block]:
    for section in re.split(r"^### ", PAGE.partition("\n## Files that come back")[0], flags=re.MULTILINE)[1:]:
        found = re.search(r"```(\w+)\n(.*?)```", section, flags=re.DOTALL)
        assert found is not None
        yield Block(section.splitlines()[0], found.group(1), found.group(2))


BLOCKS = list(blocks())
REWRITES = re.findall(r"^(.* OUT.*)$", PAGE.partition("\n## Files that come back")[2], flags=re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, a sweep, and a run that was killed after its last state: the file is not made compact."""
    folder = tmp_path_factory.mktemp("readers")
    layer = brnn.Layer.additive("F1", 3, A=1.0, initial=[1.0, 2.0, 3.0])
    half = brnn.Event("half", brnn.Crossing("F1.x", 0.5, direction="falling"), [])
    network = brnn.Network("decay", [layer], events=[half], time_units="seconds", duration=1.0)
    brnn.simulate(network, times=[0.0, 0.5, 1.0], record=folder / "run.h5").close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileRecorder, "_compact", lambda *_: None)
        # Without events: these may add times, for which there would be room that is empty.
        quiet = brnn.Network("decay", [layer], time_units="seconds", duration=1.0)
        with brnn.simulate(quiet, times=[0.0, 0.5, 1.0], record=folder / "killed.h5") as result:
            assert result.status == "incomplete"
    design = brnn.Grid({"F1.A": [0.5, 1.0, 2.0]})
    with brnn.sweep(network, design, measures=["total", "regime", "final"], out=folder / "sweep.h5", progress=False):
        return folder


def output(block: Block, folder: Path) -> str:
    """Return what the commands print."""
    command, ending = INTERPRETERS[block.language]
    path = folder / f"commands{ending}"
    path.write_text(block.code)
    command = [*command, path.name]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def version(reader: str) -> str:
    """Return the version of a reader; skip the test if there is none."""
    try:
        done = subprocess.run(SHOW_VERSION[reader], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode or not done.stdout.strip():
        pytest.skip(f"{reader} is not installed")
    return " ".join(re.findall(r"[0-9]\S*", done.stdout))


def numbers(text: str) -> np.ndarray:
    return np.array([float(word) for word in re.findall(r"-?\d+\.\d+(?:e[-+]?\d+)?", text)])


def printed(text: str, value: float) -> bool:
    """Tell whether a number is there, as exactly as it is printed and the run is."""
    return bool(np.isclose(numbers(text), value, rtol=2e-4).any())


@pytest.mark.parametrize("block", BLOCKS, ids=[block.reader for block in BLOCKS])
def test_reader(block: Block, folder: Path) -> None:
    """Every command prints the right numbers of a run and of a sweep, and of a run that was killed."""
    found = version(block.reader)
    text = output(block, folder)
    assert printed(text, math.exp(-1.0)), text
    assert printed(text, 6.0 * math.exp(-1.0)), text
    killed = output(block._replace(code=block.code.replace("run.h5", "killed.h5")), folder)
    assert printed(killed, math.exp(-1.0)), killed
    print(f"| {block.reader} | {found} | yes | yes | yes |")


def test_the_hdf5_library_1_8(folder: Path) -> None:
    """It reads every dataset of all three files: that of MATLAB before R2021b."""
    if not Path(HDF5).is_dir() or not HDF5:
        pytest.skip("the HDF5 library 1.8 is not installed")
    command = [sys.executable, Path(__file__).with_name("hdf5_1_8.py"), os.path.abspath(HDF5)]
    files = ["run.h5", "sweep.h5", "killed.h5"]
    done = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    version, *lines = done.stdout.splitlines()
    read = {tuple(line.split()[:2]): numbers(" ".join(line.split()[2:])) for line in lines}
    for name in ("run.h5", "killed.h5"):
        np.testing.assert_allclose(read[name, "F1/x"][-3:], np.exp(-1.0) * np.array([1.0, 2.0, 3.0]), rtol=1e-5)
    np.testing.assert_allclose(read["sweep.h5", "F1.total"], 6.0 * np.exp([-0.5, -1.0, -2.0]), rtol=1e-5)
    print(f"| HDF5 1.8 | {version} | yes | yes | yes |")


@pytest.mark.parametrize("name", ["run", "sweep", "killed"])
@pytest.mark.parametrize("command", REWRITES)
def test_what_comes_back(command: str, name: str, folder: Path, tmp_path: Path) -> None:
    """A file that was rewritten is the same in brnn, is exported and runs again."""
    if shutil.which(command.split()[0]) is None:
        pytest.skip(f"{command.split()[0]} is not installed")
    path = tmp_path / f"{name}.h5"
    line = command.replace("IN", str(folder / path.name)).replace("OUT", path.name)
    subprocess.run(["sh", "-ec", line], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    with brnn.open(folder / path.name) as before, brnn.open(path) as after:
        if name == "sweep":
            assert after.equals(before)
            assert {key: after.attrs[key] for key in before.attrs} == before.attrs
            assert json.loads(after.attrs["measures"]) == ["total", "regime", "final"]
        else:
            assert after["F1.x"].identical(before["F1.x"])
            assert after.events.identical(before.events)
            assert (after.network, after.status) == (before.network, before.status)
    assert "units.csv" in [table.name for table in to_csv(path, tmp_path / "tables")]
    assert brnn.rerun(path).passed
    subprocess.run([Path(sys.executable).parent / "brnn", "plot", path, "-o", tmp_path / "plot.png"], check=True)
