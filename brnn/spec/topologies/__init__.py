"""Topologies: the constant strengths D_ki of a projection. A new one is one new file here, found by itself."""

from brnn.base.publish import publish
from brnn.spec.topologies.base import Topology as Topology

__all__: list[str] = []
__all__ += publish(__name__, Topology)
