"""The arguments of a `build` from values by dotted name: wholes as they are, parts within what the default is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from brnn.base.named import refuse_unknown
from brnn.base.text import closest, count_in
from brnn.errors import InputError
from brnn.spec.dotted.parts import NameNode, check_parts, name_tree, with_parts
from brnn.spec.dotted.texts import Parameter, parameters_of, value_in

__all__ = ["BuildArguments", "any_parameter", "takes_any", "takes_dotted_names"]

P = ParamSpec("P")
R = TypeVar("R")

_ANY = frozenset({"whole", "number", "list", "text"})  # what a parameter of **options may be
_TEXTS = 4096  # how many texts are remembered with what they mean


class BuildArguments:
    """Makes the arguments of a function of keyword parameters: a user's own, or the `build` of a model.

    Parameters
    ----------
    function : callable
        The function.
    name : str
        Its name, for messages.

    Raises
    ------
    InputError
        If it does not say which parameters it has, or one has no name.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.name = name
        try:
            signature = inspect.signature(function)
            self.parameters = parameters_of(function)
        except (TypeError, ValueError):
            raise InputError(f"build: {name} does not say which parameters it has; wrap it in a function") from None
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        if inspect.Parameter.POSITIONAL_ONLY in kinds:
            raise InputError(f"build: {name} has a parameter without a name; all must have one")
        self.open = takes_any(function)

    def check(self, tree: Mapping[str, NameNode]) -> None:
        """Raise InputError if a name is none of a parameter; the message suggests a near one."""
        for name, node in tree.items():
            if name not in self.parameters and not self.open:
                has = f"it has {', '.join(self.parameters)}" if self.parameters else "it has none"
                hint = closest(name, self.parameters)
                raise InputError(f"{node.first}: {self.name} has no parameter '{name}' ({has}){hint}")
            if not self._goes_on(name, node):
                known = self._known(name)
                check_parts(node, _default(known), kinds=known.kinds)

    def missing(self, names: Iterable[str]) -> str | None:
        """Return a parameter that has no default and is not among these; None if there is none."""
        given = set(names)
        needed = (name for name, known in self.parameters.items() if known.default is inspect.Parameter.empty)
        return next((name for name in needed if name not in given), None)

    def maker(self, tree: Mapping[str, NameNode]) -> Callable[[Sequence[Any]], dict[str, Any]]:
        """Return a function that makes arguments of values, one for each name of the tree, which was checked."""
        whole: list[tuple[str, int, Callable[[Any], Any]]] = []
        partial: list[tuple[str, Callable[[Sequence[Any]], Any]]] = []
        for name, node in tree.items():
            known = self._known(name)
            if self._goes_on(name, node):
                whole += [(leaf.name, leaf.slot, _converter(known)) for leaf in node.leaves() if leaf.slot is not None]
            elif node.parts:
                partial.append((name, functools.partial(_with_parts, known, _converter(known), {}, node)))
            elif node.slot is not None:
                whole.append((name, node.slot, _converter(known)))

        def make(values: Sequence[Any]) -> dict[str, Any]:
            keywords = {name: convert(values[slot]) for name, slot, convert in whole}
            for name, change in partial:
                keywords[name] = change(values)
            return keywords

        return make

    def of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that values by dotted name stand for."""
        tree = name_tree(tuple(settings))
        self.check(tree)
        return self.maker(tree)(tuple(settings.values()))

    def _goes_on(self, name: str, node: NameNode) -> bool:
        """Tell whether dotted names are for ``**options`` of the function, such as ``network.with_(options)``."""
        elements = all(count_in(part) is not None and not child.parts for part, child in node.parts.items())
        return self.open and name not in self.parameters and node.slot is None and not elements

    def _known(self, name: str) -> Parameter:
        return self.parameters.get(name) or any_parameter(name)


def takes_any(function: Callable[..., Any]) -> bool:
    """Tell whether a function takes any keyword, as ``**options``."""
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    return inspect.Parameter.VAR_KEYWORD in kinds


def any_parameter(name: str) -> Parameter:
    """Return what is known of one that is given as one of ``**options``."""
    return Parameter(name, inspect.Parameter.empty, _ANY)


def takes_dotted_names(build: Callable[P, R]) -> Callable[P, R]:
    """Let a `build` take what a row of a design holds: ``build(**{"A": 0.5, "signal.half": 0.2})``.

    Dotted names are parts of its parameters, and texts mean what they mean on the command line as soon as there is one
    or a signal is given as a text. Any other call goes to the function as it is.
    """

    @functools.cache
    def arguments() -> tuple[BuildArguments, frozenset[str]]:
        name = f"{build.__module__.rpartition('.')[2]}.{build.__name__}"
        known = BuildArguments(build, name)
        return known, frozenset(name for name, one in known.parameters.items() if "signal" in one.kinds)

    @functools.cache
    def names() -> frozenset[str]:
        return frozenset(inspect.signature(build).parameters)

    def in_words(name: str, value: Any) -> bool:
        return "." in name or (type(value) is str and name in arguments()[1])

    @functools.wraps(build)
    def build_from_names(*values: P.args, **settings: P.kwargs) -> R:
        if any(in_words(name, value) for name, value in settings.items()):
            return build(*values, **arguments()[0].of(settings))
        if not names().issuperset(settings):
            refuse_unknown(arguments()[0].name, names(), settings)
        return build(*values, **settings)

    return build_from_names


def _default(parameter: Parameter) -> Any:
    return None if parameter.default is inspect.Parameter.empty else parameter.default


def _converter(parameter: Parameter) -> Callable[[Any], Any]:
    """Return a function that makes of a value what the build function expects for a parameter."""
    kinds = parameter.kinds
    whole = "whole" in kinds and "number" not in kinds
    meaning = functools.lru_cache(maxsize=_TEXTS)(functools.partial(_meaning, parameter=parameter))

    def convert(value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        kind = type(value)
        if kind is float:
            return int(value) if whole and value.is_integer() else value
        if kind is int:
            return value
        if kind is str:
            return meaning(value)
        if whole and kind is np.ndarray and value.ndim == 1 and (value == np.floor(value)).all():
            return tuple(value.astype(np.int64).tolist())
        return value

    return convert


def _meaning(text: str, parameter: Parameter) -> Any:
    value = value_in(text, parameter)
    if isinstance(value, np.ndarray):
        value.setflags(write=False)  # several members share it
    return value


def _with_parts(
    parameter: Parameter,
    convert: Callable[[Any], Any],
    signals: dict[str, Any],
    node: NameNode,
    values: Sequence[Any],
) -> Any:
    """Return the value of a parameter of which parts are set; `signals` remembers what texts mean."""
    base = _default(parameter)
    if node.slot is not None:
        base = values[node.slot]
        if isinstance(base, str) and "signal" in parameter.kinds:
            if base not in signals:
                # An expression takes its parameters from the parts; those of other members then replace them.
                parts = {part: str(values[child.slot]) for part, child in node.parts.items() if child.slot is not None}
                signals[base] = value_in(base, parameter, parts)
            base = signals[base]
        else:
            base = convert(base)
    if base is None and "signal" in parameter.kinds:
        raise InputError(f"{next(iter(node.parts.values())).first}: {node.name} is none, which has no parts")
    result = with_parts(base, node, values)
    return convert(result) if isinstance(result, np.ndarray) else result
