"""Networks of one structure, run side by side in memory: the states of all of them at the same times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brnn.base.checks import number
from brnn.base.named import says_what_is_meant
from brnn.ensemble.arrays import pack, unfit
from brnn.ensemble.run import Ensemble, run_ensemble
from brnn.errors import InputError, IntegrationError
from brnn.integrate.times import saved_times
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network

__all__ = ["side_by_side"]


@says_what_is_meant
def side_by_side(
    networks: Sequence[Network], layer: str, times: Any, *, rtol: float = 1e-6, atol: float = 1e-9
) -> np.ndarray:
    """Return the activities of a layer of several networks that differ in numbers only, as in inputs, at given times.

    All processors are used. What is to be kept, or has too many networks for memory, is for `brnn.sweep`.

    Parameters
    ----------
    networks : sequence of Network
        Of one structure, and without what ensembles do not have (delays, events, noise ...). All run as long as the
        first one.
    layer : str
        Whose activities are returned.
    times : array
        As in `simulate`.
    rtol, atol : float
        Relative and absolute tolerance of each unknown.

    Returns
    -------
    ndarray, shape (networks, times) and that of the layer

    Raises
    ------
    InputError
        If networks do not fit together.
    IntegrationError
        If one of them cannot be integrated to the end.
    """
    if not networks:
        raise InputError("side_by_side: networks: needs one at least")
    first = networks[0]
    why = "it has white noise" if first.noisy else unfit(first)
    if why is not None:
        raise InputError(f"side_by_side: {first.name} is none for an ensemble: {why}")
    shape = first.layer(layer, "side_by_side: layer").shape
    duration = natural_duration(first)
    saved = saved_times(times, duration)
    members = [pack(network, duration) for network in networks]
    for k, member in enumerate(members):
        if member.layout.key != members[0].layout.key:
            raise InputError(f"side_by_side: network {k} has another structure than the first one")
    ensemble = Ensemble.of(members)
    finished = run_ensemble(
        ensemble, rtol=number(rtol, "rtol", above=0.0), atol=number(atol, "atol", above=0.0), times=saved
    )
    for k in range(len(networks)):
        if finished.failure(k):
            raise IntegrationError(f"side_by_side: network {k}: {finished.failure(k)}", float(finished.reached[k]))
    place = next(v for v in members[0].layout.variables if v.name == f"{layer}.x")
    return finished.trajectory[:, :, place.start : place.stop].reshape(len(networks), saved.size, *shape)
