"""Networks from a network: some of its values, named by dotted names, are replaced."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.text import closest, count_in
from brnn.errors import InputError
from brnn.spec.dotted.parts import NameNode, check_parts, with_parts
from brnn.spec.events.protocol import PhaseStimulus

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["changed_network"]


def changed_network(network: Network, tree: Mapping[str, NameNode]) -> Callable[[Sequence[Any]], Network]:
    """Return a function that makes networks of values, one for each name of a tree of dotted names.

    Raises
    ------
    InputError
        If the network has no such part.
    """
    return functools.partial(with_parts, *_rooted(network, tree))


def _own(network: Network) -> list[Any]:
    """Return the stimuli but for those that follow from the protocol."""
    return [stimulus for stimulus in network.stimuli if not isinstance(stimulus, PhaseStimulus)]


def _roots(network: Network) -> dict[str, tuple[str, ...]]:
    """Return what the first part of a name stands for: the field of the network, and the place in it."""
    roots: dict[str, tuple[str, ...]] = {
        name: (name,) for name in ("duration", "protocol") if getattr(network, name) is not None
    }
    for field, parts in (("events", network.events), ("stimuli", _own(network))):
        names = [part.name for part in parts]
        roots.update({field: (field,)} if names else {})
        roots.update((name, (field, str(k))) for k, name in enumerate(names) if name is not None)
    for field in ("projections", "layers"):
        roots.update((str(part.name), (field, str(k))) for k, part in enumerate(getattr(network, field)))
    return roots


def _rooted(network: Network, tree: Mapping[str, NameNode]) -> tuple[Network, NameNode]:
    """Return the network and the tree of what is changed in it, checked."""
    root, roots = NameNode(""), _roots(network)
    for name, node in tree.items():
        if name not in roots:
            known = list(roots)[::-1]
            raise InputError(
                f"{node.first}: the network {network.name} has no '{name}' (it has {', '.join(known)})"
                f"{closest(name, known)}"
            )
        field, *place = roots[name]
        parts = {place[0]: node} if place else node.parts
        single = [node] if place else [*node.parts.values()] if field in ("stimuli", "events") else []
        whole = next((part for part in single if part.slot is not None), None)
        if whole is not None or (not place and field != "duration" and node.slot is not None):
            raise InputError(f"{(whole or node).name}: cannot be set as a whole; name a part of it")
        inner = root.parts.setdefault(field, NameNode(field))
        inner.slot = None if place else node.slot
        for key, part in parts.items():
            if key in inner.parts:
                raise InputError(f"{part.first}: {inner.parts[key].name} and {part.name} are the same; use one name")
            inner.parts[key] = part
    changed = _spread(network, root)
    check_parts(root, changed)
    return changed, root


def _spread(network: Network, root: NameNode) -> Network:
    """Return the network with an array where elements of a stimulus are set that is one number for all cells."""
    stimuli = _own(network)
    for place, node in root.parts["stimuli"].parts.items() if "stimuli" in root.parts else ():
        if count_in(place) is None or int(place) >= len(stimuli):
            raise InputError(f"{node.first}: the stimuli are counted from 0 to {len(stimuli) - 1}")
        stimulus = stimuli[int(place)]
        pattern = node.parts.get("pattern")
        if pattern is not None and pattern.parts and np.ndim(stimulus.pattern) == 0:
            shape = network.layer(stimulus.target).shape
            stimuli[int(place)] = stimulus.replace(pattern=np.full(shape, float(stimulus.pattern)))
    return network.replace(stimuli=stimuli)
