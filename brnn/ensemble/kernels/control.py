"""Options of compilation that all modules share, and how steps of the Dormand-Prince pair grow and shrink."""

__all__ = ["INNER", "LARGEST", "OPTIONS", "SAFETY", "SMALLEST"]

OPTIONS = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}
# Of functions that only compiled functions call: without what Python or C would need to call them.
INNER = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

SAFETY = 0.9  # of the step that the error estimate would allow
SMALLEST, LARGEST = 0.2, 10.0  # factors of a step, the same as SciPy's
