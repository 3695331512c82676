"""Integrate a compiled network in time: one run with SciPy's solvers."""

from brnn.integrate.run import simulate

__all__ = ["simulate"]
