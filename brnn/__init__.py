"""brnn: a simulator for biologically inspired recurrent neural networks.

Networks of short-term memory (STM), medium-term memory (MTM, habituative gates) and long-term memory (LTM, adaptive
weights) after Grossberg, as data that is compiled, integrated, recorded and compared with theory:

    >>> import brnn
    >>> network = brnn.models.rcf.build(n=10)
    >>> result = brnn.simulate(network, duration=20)
    >>> result.final("rcf")

`__init__.pyi` lists the public names; each is loaded when it is first used, so that importing brnn is quick.
"""

import lazy_loader

from brnn._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
