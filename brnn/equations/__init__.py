"""The equations of a network as it was built, made of the texts of its laws, for people to read."""

from brnn.equations.network import Definition, Equation, NetworkEquations, equations_of

__all__ = ["Definition", "Equation", "NetworkEquations", "equations_of"]
