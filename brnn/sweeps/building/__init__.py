"""Networks from parameters."""
