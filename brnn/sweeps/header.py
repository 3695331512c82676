"""What the file of a sweep says of it before it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from brnn.compiler.system import equations_hash
from brnn.ensemble.arrays import pack, unfit
from brnn.ensemble.cells import CellSteps
from brnn.files.sweep.header import SweepHeader
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.designs import Design
from brnn.sweeps.measures import Measure
from brnn.sweeps.options import MemberOptions
from brnn.sweeps.seeds import member_seeds

__all__ = ["sweep_header"]


def sweep_header(
    builder: NetworkBuilder,
    design: Design,
    columns: Mapping[str, Any],
    measures: tuple[Measure, ...],
    options: MemberOptions,
    root: int,
    sample: Network | None,
    chosen: np.ndarray | None,
    shard: tuple[int, int] | None,
    command: str | None,
) -> SweepHeader:
    """Return what the file says of a sweep.

    Parameters
    ----------
    builder, design, measures, options
        What is run.
    columns : mapping of str to array or list
        The values of each parameter, `design.columns()`.
    root : int
        Root of the members' seeds.
    sample : Network or None
        The network of one member, where one could be built.
    chosen : ndarray or None
        The members of this file, if it is a shard.
    shard : (int, int) or None
        Which one of how many.
    command : str or None
        The command line.
    """
    attributes: dict[str, Any] = {
        "root_seed": str(root),
        "rtol": options.rtol,
        "atol": options.atol,
        "duration": "own" if options.duration is None else options.duration,
        "until": options.until,
        "solver": options.solver,
        "time_units": "1" if sample is None else sample.time_units,
    }
    if sample is not None and not sample.noisy and options.solver == "auto" and unfit(sample) is None:
        attributes["stiff_steps"] = CellSteps(pack(sample, options.length(sample)).layout).words
    if shard is not None:
        attributes["shard"] = f"{shard[0]}/{shard[1]}"
    if command is not None:
        attributes["command"] = command
    return SweepHeader(
        members=design.size,
        parameters=columns,
        design=design.to_json(),
        axes=design.axes,
        reference=json.dumps(builder.reference if builder.reference is not None else {"name": builder.name}),
        network="" if sample is None else sample.to_json(),
        equations="" if sample is None else equations_hash(sample, explicit=unfit(sample) is None),
        measures=tuple(measure.name for measure in measures),
        seeds=member_seeds(root, np.arange(design.size)),
        times=np.array(options.times) if options.times else None,
        attributes=attributes,
        selected=chosen,
    )
