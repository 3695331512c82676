"""Build the wheel and try it where the checkout cannot help: a new environment in a temporary folder.

What the editable install cannot show, this does: that every module and the type marker are in the wheel,
that `models/` arrives as `brnn.models` and nowhere else, and that the installed command runs the first
model. Run it with the Python of an environment that has `build`: `make wheel` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Where each folder of the checkout is installed.
SOURCES = {"brnn": "brnn", "models": "brnn/models"}

# Run by the new environment's Python in an empty folder. `models` must not exist at the top level.
PROBE = """
import importlib.metadata, importlib.util, pathlib, sys
import brnn, brnn.models.rcf
prefix = pathlib.Path(sys.prefix).resolve()
for module in (brnn, brnn.models.rcf):
    place = pathlib.Path(module.__file__).resolve()
    assert place.is_relative_to(prefix), f"{module.__name__} was imported from {place}, not from the wheel"
assert importlib.util.find_spec("models") is None, "the wheel installs a top-level package called models"
assert pathlib.Path(brnn.__file__).with_name("py.typed").is_file(), "py.typed is missing"
assert (pathlib.Path(brnn.__file__).parent / "explore" / "page" / "index.html").is_file(), "the explorer has no page"
assert importlib.metadata.version("brnn") == brnn.__version__, "two versions"
"""


def run(*command: str | Path, folder: Path, environment: dict[str, str] | None = None, quiet: bool = False) -> str:
    """Run a command in `folder`, show it, and return what it printed; stop the check if it fails.

    What a quiet command prints is shown only if it fails.
    """
    print("+", *(str(word) for word in command), flush=True)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not quiet:
        print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        sys.exit(f"check_wheel: the command above ended with exit code {done.returncode}")
    return done.stdout


def missing_modules(wheel: Path) -> list[str]:
    """Names of the modules that stand in the checkout and not in the wheel, or the other way round."""
    expected = {
        f"{target}/{file.relative_to(ROOT / source).as_posix()}"
        for source, target in SOURCES.items()
        for file in (ROOT / source).rglob("*.py*")
        if file.suffix in (".py", ".pyi")
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if name.endswith((".py", ".pyi"))}
    return sorted(expected ^ found)


def main() -> None:
    """Build, compare, install elsewhere, run."""
    with tempfile.TemporaryDirectory(prefix="brnn-wheel-") as name:
        folder = Path(name)
        dist, outside, target = folder / "dist", folder / "outside", folder / "venv"
        outside.mkdir()

        # By way of the source distribution, so that nothing from an earlier build in the checkout slips in.
        run(sys.executable, "-m", "build", "--outdir", dist, ROOT, folder=folder, quiet=True)
        (wheel,) = dist.glob("*.whl")
        if different := missing_modules(wheel):
            sys.exit(f"check_wheel: wheel and checkout differ (packages in pyproject.toml?): {different}")

        venv.create(target)  # the pip of this Python fills it: one more of its own takes seconds
        scripts = target / ("Scripts" if os.name == "nt" else "bin")
        run(sys.executable, "-m", "pip", "--python", scripts / "python", "install", wheel, folder=outside, quiet=True)

        # Nothing of the checkout or of the user's own set-up reaches the commands below.
        environment = {key: text for key, text in os.environ.items() if not key.startswith(("PYTHON", "BRNN_"))}
        environment |= {"BRNN_CACHE_DIR": str(folder / "cache"), "MPLBACKEND": "Agg"}
        python, brnn = scripts / "python", scripts / "brnn"
        run(python, "-c", PROBE, folder=outside, environment=environment)
        run(brnn, "--version", folder=outside, environment=environment)
        models = run(brnn, "models", folder=outside, environment=environment)
        if "rcf" not in models:
            sys.exit("check_wheel: `brnn models` does not list rcf")
        run(brnn, "run", "rcf", "-o", "run.h5", "--plot", "run.png", folder=outside, environment=environment)
        for result in ("run.h5", "run.png"):
            if not (outside / result).stat().st_size:
                sys.exit(f"check_wheel: {result} is empty")
        run(brnn, "info", "run.h5", folder=outside, environment=environment)
    print("check_wheel: passed")


if __name__ == "__main__":
    main()
