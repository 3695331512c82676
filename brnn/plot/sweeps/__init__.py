"""Figures of sweeps, by design; `brnn.plot.sweep` chooses among them."""
