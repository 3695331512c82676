"""What can be measured on results: pure functions of times and values, which know nothing of networks."""

from brnn.analysis.oscillation import Oscillation, arrival_times, measure_oscillation, phase_lag

__all__ = ["Oscillation", "arrival_times", "measure_oscillation", "phase_lag"]
