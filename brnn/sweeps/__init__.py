"""Sweeps: many networks of one family, which differ in their parameters."""
