"""Layer laws. A new law is one new file here: it is found and registered by itself."""

from brnn.base.publish import publish
from brnn.spec.layers.base import LayerLaw as LayerLaw
from brnn.spec.layers.generalized import Layer as Layer

__all__: list[str] = []
__all__ += publish(__name__, LayerLaw)
