"""What a network is, as frozen data: layers, projections, topologies, gates, learning laws, stimuli and events.

Every class of such data in this folder, wherever its file is, is a name of this package: ``brnn.spec.BinaryLayer``.
"""

from typing import TYPE_CHECKING, Any

from brnn.base.data import Spec
from brnn.base.publish import publish

__all__: list[str] = []
__all__ += publish(__name__, Spec)

if TYPE_CHECKING:  # which cannot find files; the names of `brnn` are the ones with types

    def __getattr__(name: str) -> Any: ...
