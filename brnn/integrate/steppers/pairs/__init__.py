"""Pairs of explicit methods of orders 5 and 4, as numbers: a new pair is one new file here."""
