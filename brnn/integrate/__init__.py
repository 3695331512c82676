"""Integrate a compiled network in time, and find where it comes to rest."""

from brnn.integrate.equilibrium import Equilibrium, steady_state
from brnn.integrate.prepared import Prepared, prepare
from brnn.integrate.run import simulate

__all__ = ["Equilibrium", "Prepared", "prepare", "simulate", "steady_state"]
