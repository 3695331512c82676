"""Integrate a compiled network in time, and find where it comes to rest."""

from brnn.integrate.equilibrium import Equilibrium, steady_state
from brnn.integrate.run import simulate

__all__ = ["Equilibrium", "simulate", "steady_state"]
