"""Functions that say which of their arguments was probably meant, where a name is given that they do not have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from brnn.base.text import closest

__all__ = ["refuse_unknown", "says_what_is_meant"]

P = ParamSpec("P")
R = TypeVar("R")

# What other functions here, and other programs, call the same thing.
_ALIKE = (
    ("record", "out", "output", "outfile", "file", "filename"),
    ("path", "file", "filename", "source"),
    ("measures", "measure", "record", "keep"),
    ("duration", "t_end", "tend", "T", "tmax", "t_max", "t_span", "tspan", "time"),
    ("times", "t_eval", "saveat", "ts", "tsave"),
    ("initial", "x0", "y0", "u0", "init", "start", "state"),
    ("solver", "method", "integrator", "algorithm"),
    ("step", "dt", "dt0", "h"),
    ("executor", "workers", "processes", "jobs", "n_jobs", "client", "scheduler"),
    ("force", "overwrite", "replace"),
    ("progress", "verbose", "quiet"),
    ("settings", "params", "parameters", "set"),
    ("tolerance", "rtol", "tol"),
    ("seed", "rng", "random_state"),
    ("member", "index"),
)


def says_what_is_meant(function: Callable[P, R], options: Iterable[str] = ()) -> Callable[P, R]:
    """Let a public function refuse names that it does not have with the one that was probably meant.

    `options` are the names that its ``**options`` may have.
    """
    parameters = inspect.signature(function).parameters.values()
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    known = frozenset(by_name.union(options))

    @functools.wraps(function)
    def named(*values: P.args, **given: P.kwargs) -> R:
        if not known.issuperset(given):
            refuse_unknown(function.__name__, known, given)
        return function(*values, **given)

    return named


def refuse_unknown(function: str, known: Iterable[str], given: Iterable[str]) -> None:
    """Raise TypeError, as Python does, for the first name that is not known."""
    names = sorted(known)
    for name in given:
        if name in names:
            continue
        alike = [other for group in _ALIKE if name in group for other in group if other in names]
        hint = f"; did you mean '{alike[0]}'?" if alike else closest(name, names)
        raise TypeError(f"{function}() got an unexpected keyword argument '{name}'{hint}")
