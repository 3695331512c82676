"""One member of a sweep: its network, and its run by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.data import UnknownKind
from brnn.base.named import says_what_is_meant
from brnn.errors import BrnnError, InputError
from brnn.files.sweep.reader import open_sweep
from brnn.integrate import simulate
from brnn.result.result import Result
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.find import builder_from_reference, builder_of
from brnn.sweeps.checks import sample_network
from brnn.sweeps.designs import Design
from brnn.sweeps.options import MemberOptions
from brnn.sweeps.seeds import member_seeds

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SweepMember", "builder_of_sweep", "member", "needs_build"]


@dataclass(frozen=True)
class SweepMember:
    """One member of a sweep; `brnn.member` gives it.

    Attributes
    ----------
    index : int
        Its number.
    parameters : dict
        The values of the sweep's parameters, by dotted name.
    arguments : dict
        The same as arguments of the build: ``rcf.build(**one.arguments)`` is the network, a signal of which a part is
        swept being whole there. For a sweep over the numbers of a network the same as `parameters`.
    network : Network
        The network.
    seed : int or None
        The seed of its run, if chance has a part in it.
    options : dict
        The arguments of `brnn.simulate` with which its run is that of the sweep.
    """

    index: int
    parameters: Mapping[str, Any]
    arguments: Mapping[str, Any]
    network: Network
    seed: int | None
    options: Mapping[str, Any]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"<member {self.index} of a sweep: {self.network.name}, {values}>"

    def run(self, **options: Any) -> Result:
        """Run it by itself, as the sweep ran it: what the sweep measured comes out again, to the last bit.

        Parameters
        ----------
        **options
            Arguments of `brnn.simulate` that are to be others: ``record="member.h5"``, or `times`, which change
            nothing but what is saved (of a network with white noise also the path, as each saved time ends a step).
        """
        return simulate(self.network, **{**self.options, **options})


@says_what_is_meant
def member(sweep: xr.Dataset | str | Path, index: int, build: Any = None) -> SweepMember:
    """Return one member of a sweep: its network, and how it runs by itself.

    Parameters
    ----------
    sweep : Dataset or path
        What `brnn.sweep` or `brnn.open` returned, or the file.
    index : int
        The number of the member, as the dimension "member" has it.
    build : callable, str or Network, optional
        What made the networks, as `brnn.sweep` got it. Models and networks are found by themselves; a function of
        your own has to be given, as no file may call one.

    Returns
    -------
    SweepMember
        ``.network``, ``.run()`` (a Result), ``.parameters``, ``.arguments``, ``.seed`` and ``.options``.

    Raises
    ------
    InputError, SpecError
        If there is no such member, `build` is missing or makes other networks than those of the sweep, or this is no
        sweep.
    FileError
        If the file cannot be read.

    Examples
    --------
    >>> ds = brnn.sweep("rcf", brnn.Grid(A=[0.5, 1.0], **{"signal.half": [0.1, 0.2]}), measures=["total"])
    >>> one = brnn.member(ds, 3)
    >>> float(one.run().total("rcf")[-1]) == float(ds["total"][3])
    True
    """
    if isinstance(sweep, (str, Path)):
        with open_sweep(sweep) as data:
            return member(data, index, build)
    attributes = getattr(sweep, "attrs", {})
    if "design" not in attributes or "build" not in attributes:
        raise InputError("sweep: is not what brnn.sweep or brnn.open of a sweep's file returned")
    try:
        design, options = Design.from_json(str(attributes["design"])), _options(sweep)
    except (BrnnError, KeyError, ValueError) as error:
        raise InputError(f"sweep: what it says of its design makes no sense: {error}") from None
    number = whole(index, "member", minimum=0)
    if number >= design.size:
        raise InputError(f"member = {number}: the sweep has the members 0 to {design.size - 1}")
    builder = builder_of_sweep(str(attributes["build"]), build, design, str(attributes.get("network", "")))
    settings = design.settings(number)
    network = builder.build(settings)
    seed = int(member_seeds(int(attributes["root_seed"]), np.array([number]))[0]) if network.random else None
    return SweepMember(
        number, design.member(number), builder.arguments(settings), network, seed, options.alone(network, seed)
    )


def _reference(text: str) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        raise InputError("sweep: what it says of its build is not the JSON that it should be") from None


def needs_build(reference: str) -> bool:
    """Tell whether the networks of a sweep come from a function that the user has to give; else the file has them."""
    known = _reference(reference)
    return (set(known) if isinstance(known, dict) else set()) not in ({"model"}, {"network"})


def builder_of_sweep(reference: str, given: Any, design: Design, network: str, *, where: str = "") -> NetworkBuilder:
    """Return what makes the networks of a sweep.

    Parameters
    ----------
    reference : str
        What its file says of the build, as JSON.
    given : callable, str, Network or None
        The build that the user gives.
    design : Design
        Its design.
    network : str
        The network of its first member that can be built, as JSON; "" if that is not known.
    where : str
        What messages begin with: the file.

    Raises
    ------
    InputError
        If the build is a function that the user has to give, or makes other networks.
    """
    known = _reference(reference)
    if given is None:
        if needs_build(reference):
            parts = known if isinstance(known, dict) else {}
            name = ".".join(str(parts[key]) for key in ("module", "function", "name") if key in parts)
            raise InputError(
                f"{where}the networks of the sweep are made by the function {name or '?'}, which no file may call: "
                "give it with build= (--model FILE)"
            )
        try:
            return builder_from_reference(known)
        except UnknownKind as error:
            raise InputError(
                f"{where}the network of the sweep has a {error.kind}, which is no class of brnn but one defined in "
                "the user's module: import that first (on the command line give it with --model FILE)"
            ) from None
    builder = builder_of(given)
    builder.check(design.taken)
    sample = sample_network(builder, design)
    if network and sample is not None and sample != Network.from_json(network):
        raise InputError(f"{where}build: {builder.name} makes other networks than those of the sweep")
    return builder


def _options(sweep: xr.Dataset) -> MemberOptions:
    """Return how the members of a sweep ran."""
    attributes = sweep.attrs
    times = next((sweep[name].values for name in ("time_cell", "time") if name in sweep.coords), np.zeros(0))
    return MemberOptions(
        None if attributes["duration"] == "own" else float(attributes["duration"]),
        tuple(times.tolist()),
        float(attributes["rtol"]),
        float(attributes["atol"]),
        str(attributes["until"]),
        str(attributes["solver"]),
    )
