"""Designs: which parameters the members of a sweep have, and which values."""

from __future__ import annotations

# These modules hold the other specifications that may be values of a design (signals, gates, schedules, ...): they are
# imported so that a design with such values can be read from its JSON.
import brnn.signals
import brnn.spec.network  # noqa: F401
from brnn.sweeps.designs.axes import parse_axes, parse_axis, parse_range, parse_ranges
from brnn.sweeps.designs.base import Design, Product
from brnn.sweeps.designs.grid import Grid, Table
from brnn.sweeps.designs.repeats import Repeats
from brnn.sweeps.designs.sampled import LatinHypercube, Random, Sobol
from brnn.sweeps.designs.sensitivity import Saltelli

__all__ = [
    "Design",
    "Grid",
    "LatinHypercube",
    "Product",
    "Random",
    "Repeats",
    "Saltelli",
    "Sobol",
    "Table",
    "parse_axes",
    "parse_axis",
    "parse_range",
    "parse_ranges",
]
