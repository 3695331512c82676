"""What every design of a sweep has in common, and the product of designs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.data import Spec
from brnn.base.memory import refuse_above
from brnn.errors import InputError, SpecError
from brnn.sweeps.columns import Column, pick

__all__ = ["Design", "Product", "check_name", "exact_whole", "named", "places_of"]


_INDEX = 2**63  # what an index of a member stays below


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Design(Spec):
    """Which parameters the members of a sweep have, and which values: the base of Grid, Random, Sobol and the others.

    A design is data: it round-trips to JSON (`to_json`, `from_json`), and what is random in it comes from its seed,
    so that it means the same members everywhere. ``design * design`` has every member of the first with every member
    of the second. Its size is known without making a member.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order: ``"A"``, ``"signal.half"``, ``"initial.3"``."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of members."""
        raise NotImplementedError

    @property
    def axes(self) -> dict[str, Column] | None:
        """The values of each parameter if the members are all their combinations, else None.

        The members are in C order over the axes: the later the name, the faster it varies.
        """
        return None

    @property
    def counted(self) -> tuple[str, ...]:
        """Those of the names that only count repeats, which networks do not take."""
        return ()

    @property
    def taken(self) -> tuple[str, ...]:
        """Those of the names that networks take."""
        return tuple(name for name in self.names if name not in self.counted)

    def settings(self, index: int) -> dict[str, Any]:
        """Return what the network of one member takes."""
        return {name: value for name, value in self.member(index).items() if name not in self.counted}

    def columns(self, members: Any = None) -> dict[str, Column]:
        """Return the value of each parameter for each member.

        Parameters
        ----------
        members : array of int, shape (k,), optional
            Indices of the members that are wanted, each in 0 ... size - 1, in any order; by default all. Only these
            are made (LatinHypercube draws all of its points), and a member's values do not depend on the others.

        Returns
        -------
        dict of str to array or list
            By name, in the order of `names`: a float64 or int64 array of shape (k,), or a list of k texts, arrays,
            signals or whatever the values are.

        Raises
        ------
        InputError
            If an index is not that of a member, or the values would not fit into memory.
        """
        if members is None:
            refuse_above(8.0 * (self.size * (len(self.names) + 2)), f"a design of {self.size} members")
            return self._columns(np.arange(self.size))
        chosen = np.asarray(members)
        if chosen.size == 0:
            chosen = chosen.astype(np.int64)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise InputError("members: must be a one-dimensional array of whole numbers, the indices of members")
        wrong = chosen[(chosen < 0) | (chosen > min(self.size, _INDEX) - 1)]
        if wrong.size:
            raise InputError(f"members: there is no member {wrong[0]}; they are numbered 0 ... {self.size - 1}")
        return self._columns(chosen.astype(np.int64))

    def member(self, index: int) -> dict[str, Any]:
        """Return the value of each parameter for one member, numbers as Python numbers."""
        columns = self.columns([index])
        return {
            name: column.tolist()[0] if isinstance(column, np.ndarray) else column[0]
            for name, column in columns.items()
        }

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        raise NotImplementedError

    def __mul__(self, other: object) -> Product:
        if not isinstance(other, Design):
            return NotImplemented
        return Product((self, other))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Product(Design):
    """Every member of the first design with every member of the second, and so on; ``design * design`` makes one.

    The members are in C order: those of the last design vary fastest.

    Parameters
    ----------
    designs : sequence of Design
        Their parameters have different names; a product among them counts as its factors.

    Raises
    ------
    SpecError
        If a parameter occurs in two of them, or there is none.
    """

    designs: Sequence[Design]

    def __post_init__(self) -> None:
        given = (self.designs,) if isinstance(self.designs, Design) else self.designs
        if not isinstance(given, Sequence) or not all(isinstance(design, Design) for design in given) or not given:
            raise SpecError("Product: designs: must be a list of designs, e.g. (Grid(A=[1, 2]), Random(10, B=(0, 1)))")
        flat: list[Design] = []
        for design in given:
            flat.extend(design.designs if isinstance(design, Product) else [design])
        seen: set[str] = set()
        for design in flat:
            for name in design.names:
                if name in seen:
                    raise SpecError(f"the parameter '{name}' is in two designs of a product; each must be in only one")
                seen.add(name)
        self._set(designs=tuple(flat))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, those of the first design first."""
        return tuple(name for design in self.designs for name in design.names)

    @property
    def size(self) -> int:
        """Number of members: the product of the sizes."""
        result = 1
        for design in self.designs:
            result *= design.size
        return result

    @property
    def counted(self) -> tuple[str, ...]:
        """Those that count repeats."""
        return tuple(name for design in self.designs for name in design.counted)

    @property
    def axes(self) -> dict[str, Column] | None:
        """The axes of all factors if each of them has axes, else None."""
        result: dict[str, Column] = {}
        for design in self.designs:
            axes = design.axes
            if axes is None:
                return None
            result.update(axes)
        return result

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        result: dict[str, Column] = {}
        for design, own in zip(self.designs, places_of(members, [design.size for design in self.designs]), strict=True):
            if design.size <= members.size:  # each of its members occurs more than once, on average
                every = design._columns(np.arange(design.size))
                result.update((name, pick(column, own)) for name, column in every.items())
            else:
                result.update(design._columns(own))
        return result

    def __repr__(self) -> str:
        return " * ".join(map(repr, self.designs))


def places_of(members: np.ndarray, sizes: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the index along each axis for members in C order; like np.unravel_index, but sizes have no limit."""
    stride = 1
    for size in sizes:
        stride *= size
    for size in sizes:
        stride //= size
        index = members // stride if stride < _INDEX else np.zeros_like(members)
        yield index % size if size < _INDEX else index


def named(what: str, given: Any, keywords: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return the parameters of a design from a mapping, keywords and, as JSON has it, the mapping `field`."""
    keywords = dict(keywords)
    if isinstance(keywords.get(field), Mapping):
        keywords = {**keywords.pop(field), **keywords}
    if given is not None and not isinstance(given, Mapping):
        raise SpecError(
            f"{what}: parameters must be given by name, as in {what}(A=...) or {what}({{'signal.half': ...}})"
        )
    result: dict[str, Any] = dict(given or {})
    for name in keywords:
        if name in result:
            raise SpecError(f"{what}: the parameter '{name}' is given twice")
    result.update(keywords)
    if not result:
        raise SpecError(f"{what}: has no parameter; at least one is needed")
    for name in result:
        check_name(name, what)
    return result


def check_name(name: Any, what: str) -> None:
    """Refuse what cannot be the name of a parameter: names and counts from 0, joined by dots."""
    parts = name.split(".") if isinstance(name, str) else [""]
    counts = [part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") for part in parts]
    if counts[0] or not all(count or part.isidentifier() for count, part in zip(counts, parts, strict=True)):
        raise SpecError(f"{what}: {name!r} is not the name of a parameter, such as A, signal.half or initial.3")


def exact_whole(value: Any, where: str, minimum: int) -> int:
    """Return a whole number without going through a float, which would round large ones."""
    result = whole(value, where, minimum=minimum)
    return int(value) if isinstance(value, (int, np.integer)) else result
