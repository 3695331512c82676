"""The line under the title of a figure of a run."""

from __future__ import annotations

from collections.abc import Sequence

from brnn.spec.network import Network

__all__ = ["caption"]


def caption(network: Network, status: str, end: float, more: Sequence[str] = ()) -> str:
    """Return how many cells there are, how the run ended, and where the model is published.

    Parameters
    ----------
    network : Network
        What was run.
    status : str
        How the run ended.
    end : float
        When.
    more : sequence of str
        What is said after the number of cells.
    """
    layers = network.layers
    sizes = {" × ".join(map(str, layer.shape)) for layer in layers}
    if len(sizes) == 1:
        size = sizes.pop()
        parts = [f"{size} cell{'s' if size != '1' else ''}" + (" in each layer" if len(layers) > 1 else "")]
    else:
        parts = [f"{sum(layer.cells for layer in layers)} cells in {len(layers)} layers"]
    parts += more
    units = "" if network.time_units == "1" else f" {network.time_units}"
    if status not in ("complete", "steady"):
        parts.append(f"{status}: reached t = {end:.4g}{units}")
    elif status == "steady":
        parts.append(f"at rest at t = {end:.4g}{units}")
    if network.reference:
        parts.append(network.reference)
    return "   ·   ".join(parts)
