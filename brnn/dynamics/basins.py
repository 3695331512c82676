"""Basins: to which state of rest a network goes, from every point of a plane of initial states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brnn.base.checks import whole
from brnn.base.named import says_what_is_meant
from brnn.dynamics.equilibria import refuse_for_equilibria
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.sweeps.designs import Grid
from brnn.sweeps.run import sweep

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["basins"]

_SAME = 1e-3  # of the largest final activity: final states nearer than that are one


@says_what_is_meant
def basins(
    network: Network,
    x: str,
    y: str,
    limits: tuple[tuple[float, float], tuple[float, float]],
    *,
    points: int = 41,
    duration: float = 1000.0,
) -> xr.Dataset:
    """Return where a network goes from the points of a plane of initial activities, run side by side.

    Parameters
    ----------
    network : Network
        Continuous time, no noise and no events.
    x, y : str
        The initial activities along the axes, as `Network.with_` names them: ``"rcf.initial.0"``.
    limits : ((float, float), (float, float))
        From where to where along each.
    points : int, >= 2
        How many along each.
    duration : float
        How long a member may take to come to rest; one that does not has the basin -1.

    Returns
    -------
    xarray.Dataset
        ``basin`` over the two axes: the number of the final state, 0, 1, ... in the order of how many points lead
        there; and ``final``, these states, along ``basin_number``.

    Raises
    ------
    InputError
        If a name is no initial activity, or the network has no rest.
    """
    import xarray as xr

    refuse_for_equilibria(network, "basins")
    count = whole(points, "basins: points", minimum=2)
    for name in (x, y):
        if ".initial" not in str(name):
            raise InputError(
                f"basins: '{name}': must be an initial activity, such as '{network.layers[0].name}.initial.0'"
            )
    if x == y:
        raise InputError(f"basins: y = '{y}': must be another initial activity than x")
    full = _spread(network)
    sides = {name: np.linspace(float(a), float(b), count) for name, (a, b) in zip((x, y), limits, strict=True)}
    run = sweep(full, Grid(**sides), duration=duration, until="steady", measures=["final"], progress=False,
                rtol=1e-7, atol=1e-10)  # fmt: skip
    names = [f"{layer.name}.x" for layer in network.layers]
    final = np.concatenate([run[name].values.reshape(run.sizes["member"], -1) for name in names], axis=1)
    rests = np.isfinite(final).all(axis=1) & np.array([word == "steady" for word in _words(run)])
    labels, states = _clustered(final, rests)
    shape = (count, count)
    return xr.Dataset(
        {"basin": ((x, y), labels.reshape(shape)), "final": (("basin_number", "unknown"), states)},
        {x: sides[x], y: sides[y]},
        {"network": network.name},
    )


def _spread(network: Network) -> Network:
    """Return the network with an initial activity of its own for every cell."""
    layers = [
        layer.replace(initial=layer.start("x", layer.cells).reshape(layer.shape))
        if hasattr(layer, "initial")
        else layer
        for layer in network.layers
    ]
    return network.replace(layers=layers)


def _words(run: xr.Dataset) -> list[str]:
    """Return the status of each member in words."""
    meanings = str(run["status"].attrs["flag_meanings"]).split()
    values = np.asarray(run["status"].attrs["flag_values"]).tolist()
    names = dict(zip(values, meanings, strict=True))
    return [names.get(int(value), "") for value in run["status"].values]


def _clustered(final: np.ndarray, rests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the state of each row, -1 without rest, and the states, the most frequent first."""
    scale = float(np.max(np.abs(final[rests]), initial=0.0)) or 1.0
    labels = np.full(len(final), -1)
    states: list[np.ndarray] = []
    for k in np.flatnonzero(rests):
        for number, state in enumerate(states):
            if float(np.max(np.abs(final[k] - state))) <= _SAME * scale:
                labels[k] = number
                break
        else:
            labels[k] = len(states)
            states.append(final[k])
    counts = np.bincount(labels[labels >= 0], minlength=len(states))
    order = np.argsort(-counts, kind="stable")
    back = np.empty(len(states), dtype=int)
    back[order] = np.arange(len(states))
    labels[labels >= 0] = back[labels[labels >= 0]]
    return labels, np.array([states[k] for k in order]).reshape(len(states), final.shape[1])
