"""The figure that a model declares for its runs, beside its claims."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from brnn import models
from brnn.errors import InputError
from brnn.figures.description import FigureDescription
from brnn.figures.run import Run
from brnn.spec.network import Network

__all__ = [
    "MemberNumbers",
    "ModelFigure",
    "figure",
    "figure_of",
    "figure_of_model",
    "member_numbers",
    "numbers_of_model",
]


@dataclass(frozen=True)
class ModelFigure:
    """A model's own figure: what it needs, and the function that describes it.

    Attributes
    ----------
    needs : tuple of str
        The variables that it shows; a run that did not record all of them gets the figure for its kind of network.
    function : callable
        Takes the `Run`, and returns a FigureDescription, or None if it has nothing to say of this one.
    """

    needs: tuple[str, ...]
    function: Callable[[Run], FigureDescription | None]

    def __call__(self, result: Any) -> FigureDescription | None:
        """Return the description for a result; None if the model's own figure does not fit it."""
        return self.of(Run(result))

    def of(self, run: Run) -> FigureDescription | None:
        """Return the description for a run that is read already."""
        return None if set(self.needs) - set(run.saved) else self.function(run)


@dataclass(frozen=True)
class MemberNumbers:
    """What the figure of a model's sweeps shows of each member.

    Attributes
    ----------
    needs : tuple of str
        The final states from which it is computed; a sweep that did not keep all of them is drawn by its design.
    function : callable
        Takes the member's network and these states by name, and returns numbers by what they are.
    """

    needs: tuple[str, ...]
    function: Callable[[Network, Mapping[str, np.ndarray]], dict[str, float]]


def member_numbers(*needs: str) -> Callable[[Callable[..., dict[str, float]]], MemberNumbers]:
    """Declare the decorated function to give what is drawn of each member of the model's sweeps, ``NUMBERS``."""

    def register(function: Callable[..., dict[str, float]]) -> MemberNumbers:
        made = MemberNumbers(needs, function)
        function.__globals__["NUMBERS"] = made
        return made

    return register


def numbers_of_model(name: str) -> MemberNumbers | None:
    """Return what the published model of this name shows of the members of its sweeps; None if nothing of its own."""
    found = getattr(models.load(name), "NUMBERS", None) if name in models.names() else None
    return found if isinstance(found, MemberNumbers) else None


def figure(*needs: str) -> Callable[[Callable[[Run], FigureDescription | None]], ModelFigure]:
    """Declare the decorated function to be the figure of its module, ``FIGURE``.

    For example::

        @figure("F1.x")
        def stored(run):
            return FigureDescription("A pattern is stored", run.below, [[layer_panel(run, "F1")]])

    Parameters
    ----------
    *needs : str
        The variables that it shows.
    """
    if not needs or not all(isinstance(name, str) and name[-2:] in (".x", ".y", ".z") for name in needs):
        raise InputError(f"figure{needs!r}: must name the variables that it needs, for example 'F1.x'")

    def register(function: Callable[[Run], FigureDescription | None]) -> ModelFigure:
        if not inspect.isfunction(function):
            raise InputError("figure: must decorate a function of the run")
        made = ModelFigure(needs, function)
        function.__globals__["FIGURE"] = made  # the namespace of its module, also of a user's file
        return made

    return register


def figure_of(module: ModuleType | None) -> ModelFigure | None:
    """Return the figure that a model's module declares; None without one."""
    found = getattr(module, "FIGURE", None)
    return found if isinstance(found, ModelFigure) else None


def figure_of_model(name: str) -> ModelFigure | None:
    """Return the figure of the published model of this name; None if there is none.

    Only what comes with brnn is looked up: a name that stands in a file never leads to other code.
    """
    return figure_of(models.load(name)) if name in models.names() else None
