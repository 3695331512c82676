"""What a network can do, found from its equations by computation: equilibria, basins, exponents, jumps.

Where theory (`brnn.theory`) proves, this searches: each result says how it was found and what it cannot promise.
"""
