"""What happens during a run: triggers, actions and the protocol of phases."""

from brnn.base.data import Spec
from brnn.base.publish import publish

__all__: list[str] = []
__all__ += publish(__name__, Spec)
