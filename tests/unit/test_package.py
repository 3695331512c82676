"""The package's front: every public name is there, typed, and importing it is quick."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import brnn


def test_every_name_can_be_imported() -> None:
    for name in brnn.__all__:
        assert getattr(brnn, name) is not None
    assert "Sigmoid" in dir(brnn)


def test_type_checkers_see_the_places_that_python_sees() -> None:
    tree = ast.parse(Path(brnn.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    starred = {node.module for node in imports if node.names[0].name == "*"}
    assert starred == set(brnn._PLACES)
    for module, names in brnn._PLACES.items():
        assert set(names) <= set(importlib.import_module(module).__all__), module


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, brnn, brnn.models; brnn.models.names(); print([m for m in sys.modules if m in {names}])"
    names = {"numba", "scipy", "xarray", "h5py", "matplotlib", "sympy", "typer", "pandas"}
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{names}", repr(names))], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Sigmoidd"):
        brnn.Sigmoidd  # noqa: B018
