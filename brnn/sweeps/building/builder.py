"""A family of networks: a build function, a model or a network, and how dotted names change it."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.spec.events.protocol import PhaseStimulus
from brnn.spec.network import Network
from brnn.sweeps.building.parts import Node, check_parts, tree_of, with_parts
from brnn.sweeps.building.texts import Parameter, parameters_of, value_in

__all__ = ["Family"]

_MODELS = "brnn.models"
_ANY = frozenset({"whole", "number", "list", "text"})  # what a parameter of **options may be
_TEXTS = 4096  # how many texts are remembered with what they mean

Plan = Callable[[Sequence[Any]], Network]


class Family:
    """What makes the networks of a sweep from the values of its parameters. `Family.of` finds the one for a build.

    Attributes
    ----------
    name : str
        Name of the model, the network or the function, for messages.
    reference : dict or None
        Plain data by which another process finds the same family (`from_reference`): ``{"model": "rcf"}``,
        ``{"module": ..., "function": ...}`` or ``{"network": ...}``. None if there is none: for a lambda, for a
        function within a function, in a script or in a notebook.
    """

    name: str
    reference: dict[str, Any] | None

    def __init__(self, name: str, reference: dict[str, Any] | None) -> None:
        self.name = name
        self.reference = reference
        self._plans: dict[tuple[str, ...], Plan] = {}

    @staticmethod
    def of(build: Any) -> Family:
        """Return the family of what a user gave.

        Parameters
        ----------
        build : callable, str, module, Network or Family
            A function of keyword parameters that returns a Network; the name of a model, or its module; or a network,
            whose numbers are then changed.

        Raises
        ------
        InputError
            If it is none of these, or there is no such model.
        """
        if isinstance(build, Family):
            return build
        if isinstance(build, Network):
            return _NetworkFamily(build)
        if isinstance(build, str):
            from brnn import models

            return _BuildFamily(models.load(build.replace("-", "_")).build)
        if isinstance(build, ModuleType) and callable(getattr(build, "build", None)):
            return _BuildFamily(build.build)
        if callable(build):
            return _BuildFamily(build)
        raise InputError(
            f"build: is {type(build).__name__}, must be a function that returns a brnn.Network, the name of a model or "
            "a Network"
        )

    @staticmethod
    def from_reference(data: Any) -> Family:
        """Return the family that a reference leads to.

        A reference to a function makes Python import its module: do not follow one from a file that you do not trust.

        Raises
        ------
        InputError
            If it is no reference, or what it names is not here.
        """
        keys = set(data) if isinstance(data, Mapping) else None
        if keys == {"model"}:
            return Family.of(str(data["model"]))
        if keys == {"network"}:
            return Family.of(Network.from_dict(data["network"]))
        if keys != {"module", "function"}:
            raise InputError("not a reference to a build: it needs a model, a network, or a module and a function")
        module, path = str(data["module"]), str(data["function"])
        found = _function(module, path)
        if not callable(found):
            raise InputError(
                f"the function {path} of the module {module} is not here; it must be importable where members are run"
            )
        return Family.of(found)

    def check(self, names: Iterable[str]) -> None:
        """Raise InputError if a name is none of a parameter (the message suggests a near one), or one is missing.

        What depends on the values of a member (the fields of a signal that is itself swept) is not known here.
        """
        self._check(tree_of(tuple(names)))

    def plan(self, names: Iterable[str]) -> Plan:
        """Return a function that builds a network from the values of these parameters, in their order.

        It is what `build` uses, for many members: names are looked up once.

        Raises
        ------
        InputError
            As `check`.
        """
        key = tuple(names)
        if key not in self._plans:
            tree = tree_of(key)
            self._check(tree)
            self._plans[key] = self._plan(tree)
        return self._plans[key]

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
        plan = self._plans.get(tuple(settings)) or self.plan(settings)
        return plan(tuple(settings.values()))

    def __repr__(self) -> str:
        return f"Family({self.name})"

    def _check(self, tree: Mapping[str, Node]) -> None:
        raise NotImplementedError

    def _plan(self, tree: Mapping[str, Node]) -> Plan:
        raise NotImplementedError


class _BuildFamily(Family):
    """Networks made by a function of keyword parameters."""

    def __init__(self, function: Callable[..., Any]) -> None:
        reference = _reference(function)
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(reference["model"] if reference and "model" in reference else name, reference)
        self.function = function
        try:
            signature = inspect.signature(function)
            self.parameters = parameters_of(function)
        except (TypeError, ValueError):
            raise InputError(f"build: {name} does not say which parameters it has; wrap it in a function") from None
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        if inspect.Parameter.POSITIONAL_ONLY in kinds:
            raise InputError(f"build: {name} has a parameter without a name; all must have one")
        self.open = inspect.Parameter.VAR_KEYWORD in kinds

    def _check(self, tree: Mapping[str, Node]) -> None:
        for name, node in tree.items():
            if name not in self.parameters and not self.open:
                has = f"it has {', '.join(self.parameters)}" if self.parameters else "it has none"
                hint = closest(name, self.parameters)
                raise InputError(f"{_first(node)}: {self.name} has no parameter '{name}' ({has}){hint}")
            known = self._known(name)
            check_parts(node, _default(known), kinds=known.kinds)
        for name, parameter in self.parameters.items():
            if parameter.default is inspect.Parameter.empty and name not in tree:
                raise InputError(f"{self.name}: the parameter '{name}' has no default; the design must give it")

    def _known(self, name: str) -> Parameter:
        return self.parameters.get(name, Parameter(name, inspect.Parameter.empty, _ANY))

    def _plan(self, tree: Mapping[str, Node]) -> Plan:
        plain: list[tuple[str, int, Callable[[Any], Any]]] = []
        partial: list[tuple[str, Callable[[Sequence[Any]], Any]]] = []
        for name, node in tree.items():
            known = self._known(name)
            if node.parts:
                partial.append((name, functools.partial(_with_parts, known, _converter(known), {}, node)))
            elif node.slot is not None:
                plain.append((name, node.slot, _converter(known)))
        function = self.function

        def make(values: Sequence[Any]) -> Network:
            keywords = {name: convert(values[slot]) for name, slot, convert in plain}
            for name, change in partial:
                keywords[name] = change(values)
            network = function(**keywords)
            if not isinstance(network, Network):
                raise InputError(f"{self.name}: returned {type(network).__name__}, must return a brnn.Network")
            return network

        return make


class _NetworkFamily(Family):
    """Networks that differ from one in some values."""

    def __init__(self, network: Network) -> None:
        super().__init__(network.name, {"network": network.to_dict()})
        self.network = network
        self.own = [stimulus for stimulus in network.stimuli if not isinstance(stimulus, PhaseStimulus)]
        # What the first part of a name stands for: the field of the network, and the place in it.
        self.roots: dict[str, tuple[str, ...]] = {
            name: (name,) for name in ("duration", "protocol") if getattr(network, name) is not None
        }
        for field, parts in (("events", network.events), ("stimuli", self.own)):
            names = [part.name for part in parts]
            self.roots.update({field: (field,)} if names else {})
            self.roots.update((name, (field, str(k))) for k, name in enumerate(names) if name is not None)
        for field in ("projections", "layers"):
            self.roots.update((str(part.name), (field, str(k))) for k, part in enumerate(getattr(network, field)))

    def _check(self, tree: Mapping[str, Node]) -> None:
        self._rooted(tree)

    def _rooted(self, tree: Mapping[str, Node]) -> tuple[Network, Node]:
        """Return the network and the tree of what is changed in it, checked."""
        root = Node("")
        for name, node in tree.items():
            if name not in self.roots:
                known = list(self.roots)[::-1]
                raise InputError(
                    f"{_first(node)}: the network {self.name} has no '{name}' (it has {', '.join(known)})"
                    f"{closest(name, known)}"
                )
            field, *place = self.roots[name]
            parts = {place[0]: node} if place else node.parts
            single = [node] if place else [*node.parts.values()] if field in ("stimuli", "events") else []
            whole = next((part for part in single if part.slot is not None), None)
            if whole is not None or (not place and field != "duration" and node.slot is not None):
                raise InputError(f"{(whole or node).name}: cannot be set as a whole; name a part of it")
            inner = root.parts.setdefault(field, Node(field))
            inner.slot = None if place else node.slot
            for key, part in parts.items():
                if key in inner.parts:
                    raise InputError(
                        f"{_first(part)}: {inner.parts[key].name} and {part.name} are the same; use one name"
                    )
                inner.parts[key] = part
        network = self._spread(root)
        check_parts(root, network)
        return network, root

    def _spread(self, root: Node) -> Network:
        """Return the network with an array where elements of a stimulus are set that is one number for all cells."""
        stimuli = list(self.own)
        for place, node in root.parts["stimuli"].parts.items() if "stimuli" in root.parts else ():
            if not place.isdigit() or int(place) >= len(stimuli):
                raise InputError(f"{_first(node)}: the stimuli are counted from 0 to {len(stimuli) - 1}")
            stimulus = stimuli[int(place)]
            pattern = node.parts.get("pattern")
            if pattern is not None and pattern.parts and np.ndim(stimulus.pattern) == 0:
                shape = self.network.layer(stimulus.target).shape
                stimuli[int(place)] = stimulus.replace(pattern=np.full(shape, float(stimulus.pattern)))
        return self.network.replace(stimuli=stimuli)

    def _plan(self, tree: Mapping[str, Node]) -> Plan:
        network, root = self._rooted(tree)

        def make(values: Sequence[Any]) -> Network:
            changed: Network = with_parts(network, root, values)
            return changed

        return make


def _first(node: Node) -> str:
    """Return the first dotted name that begins with the name of a node."""
    while node.slot is None:
        node = next(iter(node.parts.values()))
    return node.name


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
    node: Node,
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
        raise InputError(f"{_first(next(iter(node.parts.values())))}: {node.name} is none, which has no parts")
    result = with_parts(base, node, values)
    return convert(result) if isinstance(result, np.ndarray) else result


def _reference(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Return how another process finds a function, or None if it cannot."""
    if not isinstance(function, FunctionType):
        return None
    module, path = function.__module__, function.__qualname__
    if module == "__main__" or "<" in path or _function(module, path) is not function:
        return None
    package, _, model = module.rpartition(".")
    if package == _MODELS and path == "build":
        return {"model": model}
    return {"module": module, "function": path}


def _function(module: str, path: str) -> Any:
    """Return what `path` leads to in a module that any process can import, or None."""
    try:
        found: Any = importlib.import_module(module) if _findable(module) else None
    except (ImportError, ValueError):
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _findable(module: str) -> bool:
    """Tell whether Python finds a module by itself: some are in sys.modules only, because they were loaded by path."""
    parts = module.split(".")
    inside = None
    for depth in range(len(parts)):
        name = ".".join(parts[: depth + 1])
        specs = (finder.find_spec(name, inside) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or (spec.submodule_search_locations is None and depth < len(parts) - 1):
            return False
        inside = spec.submodule_search_locations
    return True
