"""Compile a Network into a System: a flat state vector and one Numba right-hand side."""

from brnn.compiler.layout import Variable
from brnn.compiler.system import System, compile_network

__all__ = ["System", "Variable", "compile_network"]
