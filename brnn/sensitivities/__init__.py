"""How trajectories depend on parameters: exact derivatives, forward and backward in time."""
