"""How the networks of a sweep are made: what every builder does, whatever it begins with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.text import one_line
from brnn.errors import BrnnError
from brnn.spec.dotted.parts import NameNode, name_tree
from brnn.spec.network import Network

__all__ = ["BuildFromValues", "NetworkBuilder"]

BuildFromValues = Callable[[Sequence[Any]], Network]  # of one value for each name, in their order


class NetworkBuilder:
    """What makes the networks of a sweep from the values of its parameters. `builder_of` finds the one for a build.

    Attributes
    ----------
    name : str
        Name of the model, the network or the function, for messages.
    reference : dict or None
        Plain data by which another process finds the same builder (`builder_from_reference`): ``{"model": "rcf"}``,
        ``{"module": ..., "function": ...}`` or ``{"network": ...}``. None if there is none: for a lambda, for a
        function within a function, in a script or in a notebook.
    """

    name: str
    reference: dict[str, Any] | None

    def __init__(self, name: str, reference: dict[str, Any] | None) -> None:
        self.name = name
        self.reference = reference
        self._prepared: dict[tuple[str, ...], BuildFromValues] = {}

    def check(self, names: Iterable[str]) -> None:
        """Raise InputError if a name is none of a parameter (the message suggests a near one), or one is missing.

        What depends on the values of a member (the fields of a signal that is itself swept) is not known here.
        """
        self._check(name_tree(tuple(names)))

    def for_names(self, names: Iterable[str]) -> BuildFromValues:
        """Return a function that builds a network from the values of these parameters, in their order.

        It is what `build` uses, for many members: names are looked up once.

        Raises
        ------
        InputError
            As `check`.
        """
        key = tuple(names)
        if key not in self._prepared:
            tree = name_tree(key)
            self._check(tree)
            self._prepared[key] = self._prepare(tree)
        return self._prepared[key]

    def build(self, settings: Mapping[str, Any]) -> Network:
        """Return the network of a member.

        Parameters
        ----------
        settings : mapping
            Values by dotted name: ``"A"`` (a parameter of the build function), ``"signal.half"`` (a field of a
            parameter that is a signal or another specification: of its default, or of the value of ``"signal"``),
            ``"initial.3"`` (an element of an array, counted from 0 in C order). For a network
            ``"<name>.<field>"`` and further fields and elements, where the name is that of a layer, a projection, a
            stimulus or an event; ``"stimuli.<count>.<field>"`` for one without a name; and ``"duration"``.
            Texts mean what they mean on the command line, numbers of NumPy become numbers of Python.

        Raises
        ------
        InputError
            If there is no such parameter, or a text means none of its values.
        Exception
            Whatever the build function raises, SpecError for one.
        """
        from_values = self._prepared.get(tuple(settings)) or self.for_names(settings)
        return from_values(tuple(settings.values()))

    def arguments(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values as arguments of a build function; of a network, which has none, as they are."""
        return dict(settings)

    def build_each(self, columns: Mapping[str, Any], count: int, seconds: float | None = None) -> list[Network | str]:
        """Return the network of each of `count` members, or the error that building it raised.

        Parameters
        ----------
        columns : mapping of str to array or list
            For each dotted name a value for each member.
        count : int
            How many they are.
        seconds : float, optional
            No other one is begun after this time: the networks are then those of the first members, one at least.
        """
        end = None if seconds is None else time.monotonic() + seconds
        build = self.for_names(columns)
        lists = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
        result: list[Network | str] = []
        for values in zip(*lists, strict=True) if lists else [()] * count:
            try:
                result.append(build(values))
            except BrnnError as error:
                result.append(one_line(error))
            except Exception as error:  # a user's build may raise anything; the other members go on
                result.append(f"build: {type(error).__name__}: {one_line(error)}")
            if end is not None and time.monotonic() >= end:
                break
        return result

    def __repr__(self) -> str:
        return f"NetworkBuilder({self.name})"

    def _check(self, tree: Mapping[str, NameNode]) -> None:
        raise NotImplementedError

    def _prepare(self, tree: Mapping[str, NameNode]) -> BuildFromValues:
        raise NotImplementedError
