"""The page of public names, read from brnn/__init__.pyi and the `__all__` of the public modules."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brnn

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GENERATED = Path(__file__).parents[1] / "generated"
MODULES = ("analysis", "claims", "data", "plot", "sequences", "signals", "theory")
TOPICS_OF_THEORY = sorted(module.name for module in pkgutil.iter_modules(brnn.theory.__path__))
TOPICS = {
    "Networks": ("brnn.spec", "brnn.signals"),
    "Runs": ("brnn.integrate", "brnn.compiler", "brnn.result", "brnn.continuation"),
    "Sweeps": ("brnn.sweeps",),
    "Files": ("brnn.files", "brnn.reproduce"),
    "Claims and errors": ("brnn.claims", "brnn.comparison", "brnn.errors"),
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page before autosummary looks for it."""
    app.connect("config-inited", lambda *_: write_page(), priority=1)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def write_page() -> None:
    """Write docs/generated/api.rst."""
    GENERATED.mkdir(exist_ok=True)
    names = {name: getattr(brnn, name) for name in sorted(brnn.__all__)}  # type: ignore[attr-defined]  # lazy_loader makes it
    objects = {name: value for name, value in names.items() if hasattr(value, "__module__")}
    topics = {title: _of_packages(objects, packages) for title, packages in TOPICS.items()}
    left = sorted(set(objects) - {name for found in topics.values() for name in found})
    if left:
        topics["Others"] = left
    parts = ["API", "===", "", "What ``import brnn`` gives; the command line has its own help (``brnn --help``).", ""]
    for title, found in topics.items():
        parts += _section(title, [f"brnn.{name}" for name in found])
    for module in (*MODULES, *(f"theory.{topic}" for topic in TOPICS_OF_THEORY)):
        loaded = importlib.import_module(f"brnn.{module}")
        own = [name for name in _documented(loaded) if getattr(loaded, name) not in objects.values()]
        parts += _section(f"brnn.{module}", [f"brnn.{module}.{name}" for name in own])
    (GENERATED / "api.rst").write_text("\n".join(parts) + "\n", encoding="utf-8")


def _of_packages(objects: dict[str, Any], packages: tuple[str, ...]) -> list[str]:
    return [
        name
        for name, value in objects.items()
        if any(value.__module__ == package or value.__module__.startswith(package + ".") for package in packages)
    ]


def _documented(module: Any) -> list[str]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return sorted(name for name in names if callable(getattr(module, name)))


def _section(title: str, names: list[str]) -> list[str]:
    if not names:
        return []
    rule = "-" * len(title)
    return [title, rule, "", ".. autosummary::", "   :toctree: api", "", *(f"   {name}" for name in names), ""]
