"""Equilibria and cycles along a parameter: folds, branch points, Hopf points, stability."""

from brnn.continuation.diagram import bifurcation_diagram
from brnn.continuation.two_parameters import bifurcation_curve

__all__ = ["bifurcation_curve", "bifurcation_diagram"]
