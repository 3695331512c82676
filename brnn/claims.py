"""Claims: published properties as small checks that set a prediction beside a measurement.

A model file states what its network is known to do as functions with the decorator `claim`. Each returns one
`Comparison`, or several, of a value obtained without the simulator (a closed form, a theorem, a published
number) with the value that the simulator gives. ``brnn verify``, the tests and the simulation scripts all run
the same functions and print them with `table`::

    @claim("Total activity is normalized", source="Grossberg (1973); review, equation (17)")
    def normalization() -> Comparison:
        return Comparison(predicted=B * I / (A + I), measured=result.total("F1")[-1], tolerance=1e-6)

A claim is never a bare True: an ordering, a count or a bound has its own constructor, which keeps both sides.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from brnn.base.text import short_repr, shortened
from brnn.comparison import Comparison, table
from brnn.errors import InputError

__all__ = ["Claim", "Comparison", "claim", "table"]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A published property of a model, and the function that checks it.

    Attributes
    ----------
    title : str
        The property in one line.
    source : str
        Where it is published, with the number of the equation or theorem.
    function : callable
        Takes no argument; returns a `Comparison` or a sequence of them.
    module : str
        Name of the module that states the claim.
    """

    title: str
    source: str
    function: Callable[[], Comparison | Sequence[Comparison]]
    module: str

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.__name__

    @property
    def model(self) -> str:
        """Name of the model: the last part of the module's name."""
        return self.module.rpartition(".")[2]

    def check(self) -> tuple[Comparison, ...]:
        """Run the claim; an exception in it becomes a failed verdict with its text, and the line that raised it."""
        try:
            outcome: Any = self.function()
        except Exception as error:  # a claim is foreign code: whatever it raises must not stop the others
            return (Comparison.failed(f"{type(error).__name__}: {error}{self._raised_at(error)}", self.title),)
        rows = (outcome,) if isinstance(outcome, Comparison) else outcome
        if not isinstance(rows, (tuple, list)) or not all(isinstance(row, Comparison) for row in rows):
            reason = f"the claim returned {short_repr(outcome)}; it must return a Comparison or a sequence of them"
            return (Comparison.failed(reason, self.title),)
        if not rows:
            return (Comparison.failed("the claim compares nothing", self.title),)
        return tuple(row if row.label else dataclasses.replace(row, label=self.title) for row in rows)

    def _raised_at(self, error: Exception) -> str:
        """Return which line of the claim's own file an exception came through last, with its text."""
        file = self.function.__code__.co_filename
        lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        if not lines:
            return ""
        return f" ({os.path.basename(file)}, line {lines[-1].lineno}: {shortened(lines[-1].line or '', 80)})"

    def __call__(self) -> tuple[Comparison, ...]:
        """Run the claim, as `check` does: the name of a decorated function can still be called."""
        return self.check()


def claim(title: str, *, source: str) -> Callable[[Callable[[], Comparison | Sequence[Comparison]]], Claim]:
    """Register the decorated function in the list ``CLAIMS`` of its own module, which is made if it is missing.

    Parameters
    ----------
    title : str
        The property in one line.
    source : str
        Where it is published.

    Returns
    -------
    decorator
        It turns a function without arguments into a `Claim`. A function of the same name that the module
        registered before is replaced, so that reloading a module does not double its claims.

    Raises
    ------
    InputError
        If the title or the source is empty, if the function needs an argument, or if the module uses the name CLAIMS
        for something else than a list.
    """
    for name, text in (("title", title), ("source", source)):
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"claim: {name} = {text!r}: must be a text that is not empty")

    def register(function: Callable[[], Comparison | Sequence[Comparison]]) -> Claim:
        if not inspect.isfunction(function) or _required(function):
            raise InputError(f"claim '{title}': must decorate a function without arguments")
        made = Claim(title, source, function, function.__module__)
        # The function's globals are its module's namespace, also for a user's file that is not in sys.modules.
        registered = function.__globals__.setdefault("CLAIMS", [])
        if not isinstance(registered, list):
            raise InputError(f"claim '{title}': CLAIMS of module {made.module} is not a list")
        registered[:] = [other for other in registered if getattr(other, "name", None) != made.name]
        registered.append(made)
        return made

    return register


def _required(function: Callable[..., Any]) -> bool:
    empty = inspect.Parameter.empty
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return any(p.default is empty and p.kind not in variadic for p in parameters)
