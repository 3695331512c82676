"""Networks from the values of their parameters: one by one, or many at once."""
