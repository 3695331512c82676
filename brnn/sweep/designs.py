"""Designs: which parameters the members of a sweep have, and which values."""

from __future__ import annotations

# These modules hold the other specifications that may be values of a design (signals, gates, schedules, ...): they are
# imported so that a design with such values can be read from its JSON.
import brnn.signals
import brnn.spec.network  # noqa: F401
from brnn.sweep.axes import parse_axes, parse_axis, parse_range, parse_ranges
from brnn.sweep.base import Design, Product
from brnn.sweep.grid import Grid, Table
from brnn.sweep.sampled import LatinHypercube, Random, Sobol
from brnn.sweep.sensitivity import Saltelli

__all__ = [
    "Design",
    "Grid",
    "LatinHypercube",
    "Product",
    "Random",
    "Saltelli",
    "Sobol",
    "Table",
    "parse_axes",
    "parse_axis",
    "parse_range",
    "parse_ranges",
]
