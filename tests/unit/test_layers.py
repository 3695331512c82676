"""What the import contract in pyproject.toml cannot see: circles of modules with the models among them, and the front.

`make imports` reads `models/` as a package of its own, and takes `import brnn` for no import of a folder.
"""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"brnn": ROOT / "brnn", "brnn.models": ROOT / "models"}


def name_of(file: Path, folder: Path, package: str) -> str:
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join([package, *parts]).removesuffix(".__init__")


MODULES = {name_of(file, folder, package): file for package, folder in FOLDERS.items() for file in folder.rglob("*.py")}


def imported(node: ast.AST, modules: dict[str, Path] | set[str]) -> Iterator[str]:
    """Every module of the package that a piece of code imports, at once or when a function is called."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name in modules)
        elif isinstance(child, ast.ImportFrom) and child.module in modules:
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield full if full in modules else child.module
        yield from imported(child, modules)


@functools.cache
def tree_of(file: Path) -> ast.AST:
    return ast.parse(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """For each module, which others it imports."""
    return {name: set(imported(tree_of(file), MODULES)) for name, file in MODULES.items()}


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first once more at the end; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others(imports: dict[str, set[str]]) -> None:
    # result.save(path) loads what knows files when it is called: an import against the order.
    # A notebook asks a network for its equations and a result for its figure, and a user what was predicted for it.
    # A system gives its Jacobian, which is generated from another system.
    against = {
        "brnn.result.result": {"brnn.files.run.save", "brnn.plot.notebook", "brnn.theory.predictions.predict"},
        "brnn.spec.network": {"brnn.equations.network"},
        "brnn.compiler.system": {"brnn.compiler.linear_rates"},
    }
    assert circle({name: names - against.get(name, set()) for name, names in imports.items()}) == []
    assert circle(imports) != []  # without the exceptions a circle would be seen


@pytest.mark.parametrize(
    "text",
    ["import brnn.b", "from brnn import b", "from brnn.b import name", "def f():\n    from brnn.b import name"],
)
def test_a_circle_is_found_however_it_is_written(text: str) -> None:
    names = {"brnn", "brnn.a", "brnn.b"}
    imports = {"brnn.a": set(imported(ast.parse(text), names)), "brnn.b": {"brnn.a"}}
    assert set(circle(imports)) == {"brnn.a", "brnn.b"}


def test_only_commands_and_models_use_the_front_of_the_package(imports: dict[str, set[str]]) -> None:
    # `brnn` leads everywhere: a folder that imports it stands above all others.
    users = {name for name, names in imports.items() if "brnn" in names}
    assert [name for name in users if not name.startswith(("brnn.cli.", "brnn.models"))] == []


def test_only_what_finds_models_by_name_imports_them(imports: dict[str, set[str]]) -> None:
    users = {name for name, names in imports.items() if any(used.startswith("brnn.models") for used in names)}
    below = {name for name in users if not name.startswith(("brnn.cli.", "brnn.models"))}
    assert below == {"brnn.figures.own", "brnn.sweeps.building.find"}


# Imports inside functions, and why they are not at the top of the file. Whoever imports brnn, lists models or asks for
# help waits for everything that is loaded at once. Seconds are processor time beside NumPy.
LAZY = {
    "scipy": "0.1 to 0.7 s; topologies, methods and theories need different parts of it, and many none",
    "mpmath": "0.02 s; only the limits of formulas that users type need it",
    "xarray": "0.4 s with pandas; a run whose result is only plotted or measured in NumPy needs none",
    "h5py": "0.03 s and the HDF5 library; runs that stay in memory have no file",
    "tqdm": "0.03 s; `brnn --help` loads the commands, and needs no bar",
    "distributed": "an extra",
    "dask": "an extra, which comes with distributed",
    "asyncio": "0.03 s; only a Dask cluster is reached with it",
    "pyarrow": "an extra",
    "onnx": "an extra",
    "google": "protobuf, which comes with onnx",
    "numpy": "0.1 s; commands that only list and explain run without it",
    "brnn.cli": "the command that was typed loads what it needs: `brnn --help` needs nothing but Typer",
}
LAZY_MODULES = {
    ("brnn.base.words", "brnn.base.data"): "NumPy, which texts alone do not need",
    ("brnn.base.words", "brnn.base.plain"): "NumPy, which texts alone do not need",
    ("brnn.compiler.cache", "brnn.compiler.numba_internals"): "Numba",
    ("brnn.compiler.system", "brnn.compiler.linear_rates"): "it is made of systems",
    ("brnn.figures.run", "brnn.theory.predictions.predict"): "SciPy; every model has a figure, few of them ask theory",
    ("brnn.files.run.writer", "brnn.files.run.save"): "h5py",
    ("brnn.integrate.methods.explicit", "brnn.integrate.steppers.affine_weights"): "SciPy, Numba",
    ("brnn.integrate.methods.explicit", "brnn.integrate.steppers.fused"): "SciPy, Numba",
    ("brnn.integrate.methods.explicit", "brnn.integrate.steppers.large"): "SciPy, Numba",
    ("brnn.integrate.methods.explicit", "brnn.integrate.steppers.maximum_norm"): "SciPy",
    ("brnn.plot.sweeps.own_numbers", "brnn.reproduce.member"): "what simulates, which few figures of sweeps need",
    ("brnn.result.recorded", "brnn.result.lazy"): "xarray",
    ("brnn.result.result", "brnn.files.run.save"): "against the order of the folders",
    ("brnn.result.result", "brnn.plot.notebook"): "against the order of the folders",
    ("brnn.result.result", "brnn.theory.predictions.predict"): "against the order of the folders",
    ("brnn.signals.expression", "brnn.signals.formula.symbolic"): "SymPy",
    ("brnn.spec.network", "brnn.equations.network"): "against the order of the folders",
}


def lazily_imported(node: ast.AST, inside: bool = False) -> Iterator[str]:
    """Return what is imported inside functions."""
    for child in ast.iter_child_nodes(node):
        if inside and isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif inside and isinstance(child, ast.ImportFrom) and child.module is not None:
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (name if name in MODULES else child.module for name in names)
        yield from lazily_imported(child, inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_every_import_inside_a_function_has_its_reason() -> None:
    lazy = {
        (name, used)
        for name, file in MODULES.items()
        if not name.startswith("brnn.models")
        for used in lazily_imported(tree_of(file))
    }
    others = {(name, used) for name, used in lazy if used.partition(".")[0] not in LAZY}
    assert {pair for pair in others if not pair[0].startswith("brnn.cli")} == set(LAZY_MODULES)
    assert {used.partition(".")[0] for _, used in lazy} - {"brnn"} == set(LAZY) - {"brnn.cli"}


def test_every_folder_is_in_the_wheel() -> None:
    """A package that `pyproject.toml` does not list is there in a checkout alone."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {
        name_of(file, folder, package) for package, folder in FOLDERS.items() for file in folder.rglob("__init__.py")
    }
    assert set(setuptools["packages"]) == folders
