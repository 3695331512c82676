"""Sweeps: many networks that are built in one way and differ in their parameters."""
