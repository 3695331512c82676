"""Liapunov functions (33), (34) of networks of the form (32).

`brnn.theory.liapunov` is the function that users call; a folder of that name would hide it.
"""
