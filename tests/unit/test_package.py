"""The package's front: every public name is there, typed, and importing it is quick."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import brnn


def test_every_name_can_be_imported() -> None:
    for name in brnn.__all__:
        assert getattr(brnn, name) is not None
    for name in brnn.theory.__all__:
        assert getattr(brnn.theory, name) is not None
    assert "Sigmoid" in dir(brnn)


@pytest.mark.parametrize("package", [brnn, brnn.theory])
def test_type_checkers_see_the_names_that_python_sees(package: ModuleType) -> None:
    stub = Path(package.__path__[0], "__init__.pyi").read_text(encoding="utf-8")
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(f".{node.module}" if node.module else package.__name__, package.__name__)
            for alias in node.names:
                assert alias.asname == alias.name, "type checkers take the names of `import X as X` to be public"
                assert module is package or alias.name in module.__all__, node.module


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, brnn, brnn.models; brnn.models.names(); print([m for m in sys.modules if m in {names}])"
    names = {"numba", "scipy", "xarray", "h5py", "matplotlib", "sympy", "typer", "pandas"}
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{names}", repr(names))], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sigmoidd'; did you mean 'Sigmoid'"):
        brnn.Sigmoidd  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'simulat'; did you mean 'simulate'"):
        brnn.simulat  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'gated_diploe'; did you mean 'gated_dipole'"):
        brnn.models.gated_diploe  # noqa: B018
