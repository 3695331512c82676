"""brnn: a simulator for biologically inspired recurrent neural networks.

Networks of short-term memory (STM), medium-term memory (MTM, habituative gates) and long-term memory (LTM, adaptive
weights) after Grossberg, as data that is compiled, integrated, recorded and compared with theory:

    >>> import brnn
    >>> network = brnn.models.rcf.build(n=10)
    >>> result = brnn.simulate(network, duration=20)
    >>> result.final("rcf")

`__init__.pyi` lists the public names; each is loaded when it is first used, so that importing brnn is quick. What a new
file of brnn/signals/ or brnn/spec/ defines is a name of brnn as well.
"""

import importlib

import lazy_loader

from brnn._version import __version__

_listed, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return _listed(name)
    known = list(__all__)
    if name[:1].isupper():
        for package in ("brnn.signals", "brnn.spec"):
            found = importlib.import_module(package)
            if name in found.__all__:
                return getattr(found, name)
            known += found.__all__
    try:
        return _listed(name)  # a module, which is none of the names
    except AttributeError:
        hint = "" if name.startswith("_") else importlib.import_module("brnn.base.text").closest(name, known)
        raise AttributeError(f"module 'brnn' has no attribute '{name}'{hint}") from None
