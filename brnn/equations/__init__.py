"""The equations of a network as it was built, made of the texts of its laws: to be read, or run by other programs."""

from brnn.equations.network import Definition, Equation, NetworkEquations, equations_of
from brnn.equations.ode import to_ode
from brnn.equations.sbml import to_sbml
from brnn.equations.scalar import ScalarEquations, Unknown, scalar_equations

__all__ = [
    "Definition",
    "Equation",
    "NetworkEquations",
    "ScalarEquations",
    "Unknown",
    "equations_of",
    "scalar_equations",
    "to_ode",
    "to_sbml",
]
