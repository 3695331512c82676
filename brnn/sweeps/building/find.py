"""Which builder makes the networks of a sweep: from what a user gave, or from a reference to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from brnn import models
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.functions import FunctionBuilder
from brnn.sweeps.building.references import function_at
from brnn.sweeps.building.variants import VariantBuilder

__all__ = ["build", "builder_from_reference", "builder_of"]


def build(how: Any, settings: Mapping[str, Any] | None = None, /, **named: Any) -> Network:
    """Return the network that a sweep would build for one row of its design.

    Parameters
    ----------
    how : callable, str or Network
        As `build` of `brnn.sweep`: a function, the name of a model, or a network whose numbers are changed.
    settings : mapping, optional
        Values by dotted name, ``{"A": 0.5, "signal.half": 0.2}``.
    **named
        The same: ``brnn.build(build, **row)``.

    Raises
    ------
    InputError
        If there is no such parameter.

    Examples
    --------
    >>> row = brnn.Grid(A=[0.5, 1.0], **{"signal.half": [0.1, 0.2]}).member(3)
    >>> brnn.build("rcf", **row) == brnn.models.rcf.build(A=1.0, signal=brnn.Sigmoid(half=0.2))
    True
    """
    return builder_of(how).build({**(settings or {}), **named})


def builder_of(build: Any) -> NetworkBuilder:
    """Return what makes networks as a user says.

    Parameters
    ----------
    build : callable, str, module, Network or NetworkBuilder
        A function of keyword parameters that returns a Network; the name of a model, or its module; or a network,
        whose numbers are then changed.

    Raises
    ------
    InputError
        If it is none of these, or there is no such model.
    """
    if isinstance(build, NetworkBuilder):
        return build
    if isinstance(build, Network):
        return VariantBuilder(build)
    if isinstance(build, str):
        return FunctionBuilder(models.load(build.replace("-", "_")).build)
    if isinstance(build, ModuleType) and callable(getattr(build, "build", None)):
        return FunctionBuilder(build.build)
    if callable(build):
        return FunctionBuilder(build)
    raise InputError(
        f"build: is {type(build).__name__}, must be a function that returns a brnn.Network, the name of a model or "
        "a Network"
    )


def builder_from_reference(data: Any) -> NetworkBuilder:
    """Return the builder that a reference leads to.

    A reference to a function makes Python import its module: do not follow one from a file that you do not trust.

    Raises
    ------
    InputError
        If it is no reference, or what it names is not here.
    """
    keys = set(data) if isinstance(data, Mapping) else None
    if keys == {"model"}:
        return builder_of(str(data["model"]))
    if keys == {"network"}:
        return builder_of(Network.from_dict(data["network"]))
    if keys != {"module", "function"}:
        raise InputError("not a reference to a build: it needs a model, a network, or a module and a function")
    module, path = str(data["module"]), str(data["function"])
    found = function_at(module, path)
    if not callable(found):
        raise InputError(
            f"the function {path} of the module {module} is not here; it must be importable where members are run"
        )
    return builder_of(found)
