"""Setting parts of a value by dotted names: ``signal.half``, ``initial.3``, ``rcf_rcf_exc.signal.half``.

The names of a sweep are made into a tree once. For each member the tree is then walked with the member's values, and
every specification on the way is replaced once, with all of its changes, so that fields that must fit together can
change together.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.text import closest, count_in
from brnn.base.tracer import Varying
from brnn.errors import InputError
from brnn.signals.base import Signal
from brnn.signals.expression import Expression
from brnn.spec.dotted.texts import Parameter, number_in, parameters_of, short_value, value_in

__all__ = ["NameNode", "check_parts", "fields_of", "name_tree", "with_parts"]

Shape = tuple[int, ...]

_AS_IS = (float, int, bool, Varying)  # what needs no change to become the value of a field
_NUMBER = Parameter("", 0.0, frozenset({"number"}))


@dataclass(slots=True)
class NameNode:
    """A place that dotted names lead to, or through: a node of the tree of all names.

    Attributes
    ----------
    name : str
        The dotted name up to here.
    slot : int or None
        Which of the member's values is set here as a whole; None if only parts are set.
    parts : dict of str to NameNode
        What is set within it.
    places : dict
        For each shape of an array in which elements are set, where they are (`_places`).
    """

    name: str
    slot: int | None = None
    parts: dict[str, NameNode] = field(default_factory=dict)
    places: dict[Shape, tuple[np.ndarray, list[int]]] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """The first dotted name that begins with this one and sets a value."""
        return next(self.leaves()).name

    def leaves(self) -> Iterator[NameNode]:
        """Yield the places that set a value, this one and those within it."""
        if self.slot is not None:
            yield self
        for part in self.parts.values():
            yield from part.leaves()


def name_tree(names: Sequence[str]) -> dict[str, NameNode]:
    """Return the trees of dotted names, by their first parts; raise InputError if a name occurs twice."""
    roots: dict[str, NameNode] = {}
    for slot, name in enumerate(names):
        parts = name.split(".")
        level = roots
        for depth, part in enumerate(parts, start=1):
            node = level.setdefault(part, NameNode(".".join(parts[:depth])))
            level = node.parts
        if node.slot is not None:
            raise InputError(f"the parameter '{name}' is given twice")
        node.slot = slot
    return roots


def fields_of(value: Spec) -> list[str]:
    """Return the names of what can be changed in a specification."""
    if isinstance(value, Expression):
        return ["text", *(name for name, _ in value.parameters)]
    return [item.name for item in dataclasses.fields(value) if item.init]


def check_parts(
    node: NameNode, base: Any, shape: Shape | None = None, *, kinds: frozenset[str] = frozenset({"list"})
) -> None:
    """Raise InputError if the parts of a node are none of `base`.

    Parameters
    ----------
    node : NameNode
        The place.
    base : object
        What is there. Nothing is said of what the member itself sets there, which may have other parts.
    shape : tuple of int, optional
        Shape of the array that a number stands for.
    kinds : frozenset of str
        What may be there (see Parameter): "signal", and "list" where an array may be instead of a number.
    """
    if not node.parts or node.slot is not None:
        return
    if isinstance(base, Spec):
        known = fields_of(base)
        for part, child in node.parts.items():
            if part not in known:
                hint = f" (unless the design gives '{node.name}', too)" if isinstance(base, Signal) else ""
                raise InputError(
                    f"{child.name}: {type(base).__name__} has no field '{part}' (it has {', '.join(known)})"
                    f"{closest(part, known)}{hint}"
                )
            inner = getattr(base, part, None)
            known_as = _field(base, part)
            check_parts(child, inner, _shape_in(base, shape), kinds=known_as.kinds if known_as else kinds)
        return
    if base is None and "signal" in kinds:
        first = next(iter(node.parts))
        raise InputError(f"{node.name}.{first}: {node.name} is not set; give the signal, too: {node.name}=sigmoid")
    _check_counts(node, base)
    if isinstance(base, (tuple, list)):
        for part, child in node.parts.items():
            check_parts(child, base[_index(part, len(base), node)])
    elif "list" not in kinds and not isinstance(base, np.ndarray):
        raise InputError(f"{next(iter(node.parts.values())).name}: {node.name} is one number, which has no elements")
    else:
        _places(node, _array(base, node, shape))


def with_parts(base: Any, node: NameNode, values: Sequence[Any], shape: Shape | None = None) -> Any:
    """Return `base` with the parts of a node changed.

    Parameters
    ----------
    base : object
        A specification, an array, a tuple or list, a number or None.
    node : NameNode
        What is changed. Elements of an array are counted from 0, in C order, or by one count along each axis; all
        elements of an array together need no array that they change.
    values : sequence
        The values of the member, one for each dotted name.
    shape : tuple of int, optional
        Shape of the array that a number stands for.

    Raises
    ------
    InputError, SpecError
        If there is no such part, or the result is not valid.
    """
    if isinstance(base, Spec):
        changes = {}
        for part, child in node.parts.items():
            if child.slot is None:
                inner = getattr(base, part, None)
            else:
                inner = values[child.slot]
                if type(inner) not in _AS_IS:
                    inner = _field_value(inner, base, part, child.name)
            changes[part] = with_parts(inner, child, values, _shape_in(base, shape)) if child.parts else inner
        return base.replace(**changes)
    _check_counts(node, base)
    if isinstance(base, (tuple, list)):
        items = list(base)
        for part, child in node.parts.items():
            k = _index(part, len(items), node)
            if child.slot is not None:
                items[k] = _like(items[k], values[child.slot])
            if child.parts:
                items[k] = with_parts(items[k], child, values, shape)
        return tuple(items)
    array = _array(base, node, shape)
    index, slots = _places(node, array)
    try:
        numbers = np.array([values[slot] for slot in slots], dtype=np.float64)
    except (TypeError, ValueError):
        numbers = None
    if numbers is None or numbers.ndim != 1:
        raise InputError(f"{node.name}: its elements must be numbers")
    array.flat[index] = numbers
    return array


def _shape_in(base: Spec, shape: Shape | None) -> Shape | None:
    """Return the shape of what a single number stands for within a specification: layers have one."""
    own = getattr(base, "shape", None)
    return own if isinstance(own, tuple) else shape


def _field_value(value: Any, base: Spec, part: str, name: str) -> Any:
    """Return the value for a field of a specification: NumPy's numbers as Python's, texts as what they mean."""
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, str) or (part == "text" and isinstance(base, Expression)):
        return value
    known = _field(base, part)
    if known is None:
        return value
    inner = getattr(base, part, None)  # what a text means depends on the signal that is there
    default = inner if isinstance(inner, Signal) else known.default
    return value_in(value, dataclasses.replace(known, name=name, default=default))


def _field(base: Spec, part: str) -> Parameter | None:
    """Return what a field of a specification may be, if that is known."""
    kind: Any = type(base)
    return _parameters(kind).get(part, _NUMBER if isinstance(base, Expression) else None)


@functools.lru_cache(maxsize=256)
def _parameters(kind: Any) -> Mapping[str, Parameter]:
    return parameters_of(kind)


def _like(old: Any, new: Any) -> Any:
    """Return the new value of an element, a whole number as an int if the old one was."""
    new = new.item() if isinstance(new, np.generic) else new
    if isinstance(new, str) and isinstance(old, (int, float)):
        number = number_in(new)
        new = new if number is None else number
    return int(new) if type(old) is int and type(new) is float and new.is_integer() else new


def _check_counts(node: NameNode, base: Any) -> None:
    """Raise InputError if a part is no count of an element, or there are no elements."""
    for part, child in node.parts.items():
        if count_in(part) is None:
            raise InputError(f"{child.name}: {node.name} is no signal or other specification, it has no field '{part}'")
        if not (base is None or isinstance(base, (int, float, np.ndarray, np.generic, tuple, list))):
            raise InputError(f"{child.name}: {node.name} is {short_value(base)}, which has no elements")


def _index(part: str, size: int, node: NameNode) -> int:
    if int(part) >= size:
        raise InputError(f"{node.name}.{part}: {node.name} has {size} elements, counted from 0")
    return int(part)


def _array(base: Any, node: NameNode, shape: Shape | None) -> np.ndarray:
    """Return a copy of the array whose elements are changed."""
    if isinstance(base, np.ndarray) and base.ndim:
        return np.array(base, dtype=np.float64)
    if shape is not None:
        return np.full(shape, 0.0 if base is None else base, dtype=np.float64)
    parts = node.parts
    if sorted(map(int, parts)) != list(range(len(parts))) or any(child.parts for child in parts.values()):
        first = next(iter(parts))
        state = "is not set" if base is None else "is one number"
        raise InputError(
            f"{node.name}.{first}: {node.name} {state}; give '{node.name}' or each of its elements, "
            f"{node.name}.0, {node.name}.1, ... without a gap"
        )
    return np.zeros(len(parts))


def _places(node: NameNode, array: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the flat indices of the elements of an array that are set, and the slots of their values."""
    if array.shape in node.places:
        return node.places[array.shape]
    found: dict[int, int] = {}
    pending: list[tuple[Shape, NameNode]] = [((int(part),), child) for part, child in node.parts.items()]
    while pending:
        counts, child = pending.pop(0)
        if child.slot is not None:
            sizes = (array.size,) if len(counts) == 1 else array.shape
            if len(counts) != len(sizes) or any(k >= size for k, size in zip(counts, sizes, strict=True)):
                raise InputError(f"{child.name}: there is no such element, the shape of {node.name} is {array.shape}")
            flat = counts[0] if len(counts) == 1 else int(np.ravel_multi_index(counts, sizes))
            if flat in found:
                raise InputError(f"{child.name}: this element is given twice")
            found[flat] = child.slot
        for part, inner in child.parts.items():
            if count_in(part) is None:
                raise InputError(f"{inner.name}: '{part}' is not the count of an element")
            pending.append(((*counts, int(part)), inner))
    result = np.array(list(found), dtype=np.intp), list(found.values())
    node.places[array.shape] = result
    return result
