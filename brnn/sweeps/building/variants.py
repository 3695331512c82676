"""Networks from a network: some of its numbers, named by dotted names, are replaced."""

from __future__ import annotations

from collections.abc import Mapping

from brnn.spec.dotted.networks import changed_network
from brnn.spec.dotted.parts import NameNode
from brnn.spec.network import Network
from brnn.sweeps.building.builder import BuildFromValues, NetworkBuilder

__all__ = ["VariantBuilder"]


class VariantBuilder(NetworkBuilder):
    """Makes networks that differ from a given one in some values."""

    def __init__(self, network: Network) -> None:
        super().__init__(network.name, {"network": network.to_dict()})
        self.network = network

    def _check(self, tree: Mapping[str, NameNode]) -> None:
        changed_network(self.network, tree)

    def _prepare(self, tree: Mapping[str, NameNode]) -> BuildFromValues:
        return changed_network(self.network, tree)
