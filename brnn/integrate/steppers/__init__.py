"""Steppers: what makes the single steps of a method; apart from the methods, because these load SciPy and Numba."""
