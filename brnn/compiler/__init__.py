"""Compile a Network into a System: a flat state vector and one Numba right-hand side."""

from brnn.compiler.system import System, compile_network
from brnn.spec.variable import Variable

__all__ = ["System", "Variable", "compile_network"]
