"""Liapunov functions (33), (34) of networks of the form (32)."""
