"""Networks from a network: some of its numbers, named by dotted names, are replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.spec.events.protocol import PhaseStimulus
from brnn.spec.network import Network
from brnn.sweeps.building.builder import BuildFromValues, NetworkBuilder
from brnn.sweeps.building.parts import NameNode, check_parts, with_parts

__all__ = ["VariantBuilder"]


class VariantBuilder(NetworkBuilder):
    """Makes networks that differ from a given one in some values."""

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

    def _check(self, tree: Mapping[str, NameNode]) -> None:
        self._rooted(tree)

    def _rooted(self, tree: Mapping[str, NameNode]) -> tuple[Network, NameNode]:
        """Return the network and the tree of what is changed in it, checked."""
        root = NameNode("")
        for name, node in tree.items():
            if name not in self.roots:
                known = list(self.roots)[::-1]
                raise InputError(
                    f"{node.first}: the network {self.name} has no '{name}' (it has {', '.join(known)})"
                    f"{closest(name, known)}"
                )
            field, *place = self.roots[name]
            parts = {place[0]: node} if place else node.parts
            single = [node] if place else [*node.parts.values()] if field in ("stimuli", "events") else []
            whole = next((part for part in single if part.slot is not None), None)
            if whole is not None or (not place and field != "duration" and node.slot is not None):
                raise InputError(f"{(whole or node).name}: cannot be set as a whole; name a part of it")
            inner = root.parts.setdefault(field, NameNode(field))
            inner.slot = None if place else node.slot
            for key, part in parts.items():
                if key in inner.parts:
                    raise InputError(
                        f"{part.first}: {inner.parts[key].name} and {part.name} are the same; use one name"
                    )
                inner.parts[key] = part
        network = self._spread(root)
        check_parts(root, network)
        return network, root

    def _spread(self, root: NameNode) -> Network:
        """Return the network with an array where elements of a stimulus are set that is one number for all cells."""
        stimuli = list(self.own)
        for place, node in root.parts["stimuli"].parts.items() if "stimuli" in root.parts else ():
            if not place.isdigit() or int(place) >= len(stimuli):
                raise InputError(f"{node.first}: the stimuli are counted from 0 to {len(stimuli) - 1}")
            stimulus = stimuli[int(place)]
            pattern = node.parts.get("pattern")
            if pattern is not None and pattern.parts and np.ndim(stimulus.pattern) == 0:
                shape = self.network.layer(stimulus.target).shape
                stimuli[int(place)] = stimulus.replace(pattern=np.full(shape, float(stimulus.pattern)))
        return self.network.replace(stimuli=stimuli)

    def _prepare(self, tree: Mapping[str, NameNode]) -> BuildFromValues:
        network, root = self._rooted(tree)

        def make(values: Sequence[Any]) -> Network:
            changed: Network = with_parts(network, root, values)
            return changed

        return make
