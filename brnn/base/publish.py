"""Packages whose files are found, so that what a new file defines needs to be listed nowhere."""

from __future__ import annotations

import importlib
import pkgutil
import sys

__all__ = ["publish"]


def publish(package: str, kind: type) -> list[str]:
    """Import every module of a package and make the classes of a kind that they define names of the package.

    Parameters
    ----------
    package : str
        Its name. It is being imported, and calls this at the end of its ``__init__``.
    kind : type
        Base of the classes. Of a module without ``__all__`` its own public ones are taken.

    Returns
    -------
    list of str
        The names, sorted.
    """
    home = sys.modules[package]
    found: dict[str, type] = {}
    for entry in pkgutil.iter_modules(home.__path__):
        module = importlib.import_module(f"{package}.{entry.name}")
        listed = getattr(module, "__all__", None)
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, kind):
                own = value.__module__ == module.__name__ and not name.startswith("_")
                if own if listed is None else name in listed:
                    found[name] = value
    for name, value in found.items():
        setattr(home, name, value)
    return sorted(found)
