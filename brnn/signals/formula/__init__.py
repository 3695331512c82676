"""Formulas in w that a user wrote: read by a grammar, differentiated by SymPy, and never executed."""
