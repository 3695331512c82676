"""Run unit tests where `make test` has not: on other Pythons, and with the oldest packages that are allowed.

pyproject.toml says which Pythons and packages brnn works with; here the ends of both ranges are tried:

- the oldest and the newest Python of the classifiers, unless one of them is the Python that runs this script:
  `make test` has run all tests on it;
- the lower bounds of the packages that every installation has, on the oldest Python that can be had.

Each runs the unit tests of what leans on Python and on packages (LEANING), which is minutes of work where all of them
would be a quarter of an hour; with --all it runs every unit test that is not slow, with --quick only those of LEANING
that compile little. --make only makes the environments, and leaves the checkout out of them: it writes nothing there
but `.venvs/`, so that other installations may go on meanwhile.

A Python is looked for on PATH and among those of pyenv; of one that is nowhere a line says so. Environments stay in
`.venvs/` and are made anew when pyproject.toml has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venvs"

# What leans on Python and on other packages: Numba (compiler, signals, sweep), SciPy (integrate, topologies), HDF5 and
# xarray (files), Matplotlib, and the command line.
LEANING = [
    "tests/unit/test_compiler.py",
    "tests/unit/test_cli_settings.py",
    "tests/unit/test_export.py",
    "tests/unit/test_inputs.py",
    "tests/unit/test_integrate.py",
    "tests/unit/test_numba_internals.py",
    "tests/unit/test_package.py",
    "tests/unit/test_plot.py",
    "tests/unit/test_record_result.py",
    "tests/unit/test_scipy_internals.py",
    "tests/unit/test_signals.py",
    "tests/unit/test_spec.py",
    "tests/unit/test_sweep.py",
    "tests/unit/test_sweep_file.py",
    "tests/unit/test_topologies.py",
]
# Those of LEANING that compile much.
SLOWER = {"test_compiler.py", "test_integrate.py", "test_signals.py", "test_sweep.py", "test_topologies.py"}
# Tools of the tests, and judges that those test files ask.
TOOLS = ["pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "netCDF4"]
PYTEST = ["-m", "pytest", "-n", "auto", "--dist", "loadfile", "-q", "-m", "not slow"]


def claimed_pythons(project: dict[str, Any]) -> list[str]:
    """Return the Pythons of the classifiers, "3.11" and so on, the oldest first."""
    pattern = r"Programming Language :: Python :: (3\.\d+)"
    found = [match[1] for text in project["classifiers"] if (match := re.fullmatch(pattern, text))]
    return sorted(found, key=lambda version: int(version.split(".")[1]))


def lower_bounds(project: dict[str, Any]) -> list[str]:
    """Return "numpy==2.0" for the dependency "numpy>=2.0", and so on."""
    pairs = [re.match(r"([\w-]+)>=([\d.]+)", text) for text in project["dependencies"]]
    return [f"{pair[1]}=={pair[2]}" for pair in pairs if pair is not None]


def version_of(python: Path) -> str:
    """Return "3.13" for a Python that runs; "" for a file of that name which does not."""
    done = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def find_python(version: str) -> Path | None:
    """Return a Python of this version; None if there is none on PATH and none of pyenv."""
    if version == "{}.{}".format(*sys.version_info):
        return Path(sys.executable)
    named = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [Path(named)] if named else []
    places += sorted(pyenv.glob(f"{version}*/bin/python"), reverse=True)
    return next((place for place in places if version_of(place) == version), None)


def run(*command: str | Path) -> None:
    """Show a command and run it in the checkout; end the check where it fails."""
    print("+", *(str(word) for word in command), flush=True)
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"check_pythons: the command above ended with exit code {done.returncode}")


def with_extras(project: dict[str, Any], *extras: str) -> list[str]:
    """Return the dependencies of the project and those of its extras, of which some name other extras."""
    found = list(project["dependencies"])
    for extra in extras:
        for text in project["optional-dependencies"][extra]:
            own = re.fullmatch(r"brnn\[(.+)\]", text)
            found += with_extras(project, *own[1].split(",")) if own else [text]
    return list(dict.fromkeys(found))


def environment(name: str, python: Path, *packages: str) -> Path:
    """Return the Python of an environment with these packages; make it unless it is there already."""
    folder = ENVIRONMENTS / name
    made, inside = folder / "made-from", folder / "bin" / "python"
    text = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + repr((str(python), packages)).encode()).hexdigest()
    if not made.is_file() or made.read_text() != text:
        # Some systems ship Python without ensurepip: the pip of this Python fills the environment.
        run(python, "-m", "venv", "--clear", "--without-pip", folder)
        install(inside, *packages)
        made.write_text(text)
    return inside


def install(inside: Path, *wanted: str) -> None:
    """Install into the environment of this Python."""
    run(sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", *wanted)


def add_checkout(inside: Path) -> None:
    """Install the checkout into an environment that has what it needs, unless it is there already."""
    added = inside.parent.parent / "checkout-added"
    if not added.is_file():
        install(inside, "--no-deps", "--editable", ".")
        added.touch()


def main() -> None:
    """Try the ends of both ranges."""
    arguments = argparse.ArgumentParser(description="Run unit tests on other Pythons and with the oldest packages.")
    extent = arguments.add_mutually_exclusive_group()
    extent.add_argument("--all", action="store_true", help="every unit test that is not slow")
    extent.add_argument("--quick", action="store_true", help="only those that lean on Python and compile little")
    extent.add_argument("--make", action="store_true", help="make the environments and run nothing")
    chosen = arguments.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = "{}.{}".format(*sys.version_info)
    claimed = claimed_pythons(project)
    found = {version: python for version in claimed if (python := find_python(version)) is not None}
    quick = [path for path in LEANING if Path(path).name not in SLOWER]
    wanted = ["tests/unit"] if chosen.all else quick if chosen.quick else LEANING
    environments = {}
    for version in dict.fromkeys((claimed[0], claimed[-1])):
        if version == own:
            print(f"Python {version}: `make test` runs all tests on it")
        elif version not in found:
            print(f"Python {version}: not on this machine, so nothing was run on it")
        else:
            parts = with_extras(project, "test") if chosen.all else [*with_extras(project), *TOOLS]
            environments[f"Python {version}"] = (environment(version, found[version], *parts), wanted)
    oldest = next(version for version in (*claimed, own) if version in found)
    pins = lower_bounds(project)
    inside = environment(f"{oldest}-lowest", found[oldest], *with_extras(project), *pins, *TOOLS)
    environments[f"Python {oldest} with {', '.join(pins)}"] = (inside, quick if chosen.quick else LEANING)
    for name, (python, tests) in environments.items() if not chosen.make else ():
        print(name)
        add_checkout(python)
        run(python, *PYTEST, *tests)


if __name__ == "__main__":
    main()
