"""Which theorems and closed forms fit a network, and what they say of it: `brnn.theory.predict`.

The folder is not called predict, because `brnn.theory.predict` is a function, which a module of this name would hide.
"""
