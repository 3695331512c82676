"""Designs that sample ranges of the parameters: at random, by a Sobol sequence, by a Latin hypercube."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import number, whole
from brnn.base.memory import refuse_above
from brnn.base.text import closest
from brnn.errors import SpecError
from brnn.spec.dotted.texts import short_value
from brnn.sweeps.columns import Column
from brnn.sweeps.designs.base import Design, exact_whole, named

__all__ = ["LatinHypercube", "Random", "Range", "Sampled", "Sobol", "check_range", "spread_over"]

Range = tuple[float, float] | tuple[float, float, str]

_SCALES = ("linear", "log", "whole")
_DRAWN_AT_ONCE = 4096  # random numbers, at most
_EXACT = 2**53  # whole numbers up to here are floats without rounding
_SOBOL_BITS = 30  # of a coordinate in SciPy: the sequence ends after 2**30 points


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Sampled(Design):
    """Base of the designs that sample ranges of parameters.

    Parameters
    ----------
    n : int, >= 1
        Number of points.
    seed : int, >= 0
        What is random comes from it. The default is 0, so that the same call gives the same design.
    ranges : mapping of str to range, optional
        Ranges by name; a way to write names with dots: ``{"signal.half": (0.1, 1.0)}``.
    **named : range
        Ranges by name, each ``(low, high)`` with low < high: uniform in between; ``(low, high, "log")``: uniform in
        the logarithm, low > 0; or ``(low, high, "whole")``: whole numbers, both ends included. A parameter that is
        itself called n or seed is told from these two by its being a range.

    Raises
    ------
    SpecError
        If n or the seed is no such number, there are no parameters, or a range is none.
    """

    n: int
    seed: int
    ranges: Mapping[str, Range]

    _most: ClassVar[int | None] = None  # of points

    def __init__(
        self,
        n: int | None = None,
        seed: int | None = None,
        ranges: Mapping[str, Range] | None = None,
        /,
        **ranges_named: Any,
    ) -> None:
        what = type(self).__name__
        counts: dict[str, Any] = {"n": n, "seed": seed}
        for name in counts:
            if counts[name] is None and isinstance(ranges_named.get(name), (int, float, np.number)):
                counts[name] = ranges_named.pop(name)
        if counts["n"] is None:
            raise SpecError(f"{what}: n, the number of points, is missing, as in {what}(1000, seed=1, A=(0.5, 1.5))")
        given = named(what, ranges, ranges_named, "ranges")
        number(counts["n"], f"{what}: n", maximum=self._most)
        self._set(
            n=exact_whole(counts["n"], f"{what}: n", minimum=1),
            seed=exact_whole(0 if counts["seed"] is None else counts["seed"], f"{what}: seed", minimum=0),
            ranges={name: check_range(value, f"{what}: {name}") for name, value in given.items()},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(self.ranges)

    @property
    def size(self) -> int:
        """Number of members."""
        return self.n

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        # Each member's number is made from its own point alone, in contiguous arrays, so that it has the same bits
        # in every selection.
        points = self._points
        return {name: spread_over(range_, points[k][members]) for k, (name, range_) in enumerate(self.ranges.items())}

    @functools.cached_property
    def _points(self) -> np.ndarray:
        """All points in the unit cube, shape (parameters, members)."""
        refuse_above(16.0 * len(self.ranges) * self.size, f"{type(self).__name__}: a design of {self.size} members")
        return np.ascontiguousarray(self._draw().T)

    def _draw(self) -> np.ndarray:
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in self.ranges.items())
        return f"{type(self).__name__}({self.n}, seed={self.seed}{shown})"


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Random(Sampled):
    """Members with independent random values of each parameter.

    The values of a parameter depend on the seed and its name only: a further parameter does not change them. They
    come from NumPy's PCG64, which can start at any member, so that a selection costs no more than its own size.

    Parameters, ranges and errors are those of Sampled.

    Examples
    --------
    >>> Random(1000, seed=1, A=(0.5, 1.5), n=(5, 20, "whole")).size
    1000
    """

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        run = members.size > 0 and bool((np.diff(members) == 1).all())
        wanted, back = (members, slice(None)) if run else np.unique(members, return_inverse=True)
        return {name: spread_over(range_, self._drawn(name, wanted)[back]) for name, range_ in self.ranges.items()}

    def _drawn(self, name: str, members: np.ndarray) -> np.ndarray:
        """Return random numbers in [0, 1) for members in rising order."""
        key = np.frombuffer(name.encode() + b"\0" * (-len(name.encode()) % 4), dtype="<u4")
        sequence = np.random.SeedSequence(self.seed, spawn_key=tuple(key.tolist()))
        result = np.empty(members.size)
        # The members in one block are drawn at once, with those between them that are not wanted.
        blocks = members // _DRAWN_AT_ONCE
        edges = np.append(np.flatnonzero(np.diff(blocks, prepend=blocks[:1] - 1)), members.size)
        for start, end in itertools.pairwise(edges.tolist()):
            first = int(members[start])
            generator = np.random.Generator(np.random.PCG64(sequence).advance(first))
            result[start:end] = generator.random(int(members[end - 1]) - first + 1)[members[start:end] - first]
        return result


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Sobol(Sampled):
    """Members at the points of a scrambled Sobol sequence, which cover the ranges more evenly than random ones.

    Any n is allowed; the points are balanced (each half, quarter, ... of a range has equally many) if n is a power of
    two. At most 2**30 points. Of scipy.stats.qmc.

    Parameters, ranges and errors are those of Sampled.
    """

    _most: ClassVar[int | None] = 2**_SOBOL_BITS

    def _draw(self) -> np.ndarray:
        from scipy.stats import qmc

        # The power of two above n, because SciPy warns of any other number, which is allowed here.
        points = qmc.Sobol(len(self.ranges), **_generator(qmc.Sobol, self.seed)).random_base2((self.n - 1).bit_length())
        return points[: self.n]


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class LatinHypercube(Sampled):
    """Members of which exactly one lies in each n-th part of each range. Of scipy.stats.qmc.

    Parameters, ranges and errors are those of Sampled.
    """

    def _draw(self) -> np.ndarray:
        from scipy.stats import qmc

        return qmc.LatinHypercube(len(self.ranges), **_generator(qmc.LatinHypercube, self.seed)).random(self.n)


def _generator(engine: Callable[..., Any], seed: int) -> dict[str, Any]:
    """Return the argument by which an engine of SciPy takes its generator: rng, which was seed before SciPy 1.15."""
    name = "rng" if "rng" in inspect.signature(engine).parameters else "seed"
    return {name: np.random.default_rng(np.random.SeedSequence(seed))}


def check_range(value: Any, where: str) -> Range:
    """Return a range in its plain form, or raise SpecError."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) not in (2, 3):
        raise SpecError(
            f"{where} = {short_value(value)}: must be a range (low, high), (low, high, 'log') or (low, high, 'whole')"
        )
    scale = value[2] if len(value) == 3 else "linear"
    if scale not in _SCALES:
        hint = closest(scale, _SCALES) if isinstance(scale, str) else ""
        raise SpecError(f"{where}: {short_value(scale)}: a range is {', '.join(_SCALES)}{hint}")
    ends = ((value[0], f"{where}: low"), (value[1], f"{where}: high"))
    low, high = (_end(end, scale, at) for end, at in ends)
    if not low < high:
        raise SpecError(f"{where} = ({low:g}, {high:g}): low must be less than high")
    if math.isinf(high - low):
        raise SpecError(f"{where} = ({low:g}, {high:g}): the range is too wide for a number")
    return (low, high) if scale == "linear" else (low, high, scale)


def _end(value: Any, scale: str, where: str) -> float:
    if scale == "whole":
        number(value, where, maximum=_EXACT)
        return whole(value, where, minimum=-_EXACT)
    return number(value, where, above=0.0 if scale == "log" else None)


def spread_over(range_: Range, unit: np.ndarray) -> np.ndarray:
    """Return the values in a range for points in [0, 1]."""
    low, high, scale = (*range_, "linear")[:3]
    if scale == "whole":
        return np.minimum(int(low) + np.floor(unit * (high - low + 1)).astype(np.int64), int(high))
    if scale == "log":
        return np.clip(np.exp(math.log(low) + unit * (math.log(high) - math.log(low))), low, high)
    return np.clip(low + unit * (high - low), low, high)
