"""The models that can be explored, as the command line knows them: what finds them is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from brnn.base.text import closest, shortened
from brnn.errors import InputError
from brnn.spec.network import Network

__all__ = ["Catalogue", "Entry", "Explorable"]


class Explorable(Protocol):
    """What MODEL stands for: a published model, a file of the user's with `build`, or a saved network."""

    @property
    def name(self) -> str:
        """Its name, for messages."""

    @property
    def module(self) -> ModuleType | None:
        """The module with `build`; None for a saved network."""

    @property
    def path(self) -> Path | None:
        """The user's file."""

    def values(self, settings: Sequence[str]) -> dict[str, Any]:
        """Return what the texts ``KEY=VALUE`` stand for, by the name of the parameter."""

    def build(self, settings: Sequence[str] = ()) -> Network:
        """Return the network."""


@dataclass(frozen=True)
class Entry:
    """One model of the list.

    Attributes
    ----------
    name : str
        By which the address names it.
    title : str
        What it is, in one line.
    reference : str
        Where it was published.
    """

    name: str
    title: str
    reference: str


@dataclass(frozen=True)
class Catalogue:
    """All models that the page may ask for, and no other: a link must not make Python load a file.

    Attributes
    ----------
    entries : tuple of Entry
        In the order of the list.
    find : callable
        Returns the model of a name.
    first : str
        The model with which the page begins.
    """

    entries: tuple[Entry, ...]
    find: Callable[[str], Explorable]
    first: str

    def model(self, name: str) -> Explorable:
        """Return a model by its name; InputError if it is not in the list."""
        names = [entry.name for entry in self.entries]
        if name not in names:
            raise InputError(
                f"model '{shortened(name)}': there is no such model (the list has {len(names)}){closest(name, names)}"
            )
        return self.find(name)
