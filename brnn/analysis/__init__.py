"""What can be measured on results: pure functions of times and values, which know nothing of networks."""

from brnn.analysis.oscillation import Oscillation, arrival_times, measure_oscillation, phase_lag
from brnn.analysis.spatial import GridScore, autocorrelogram, grid_score, rate_map

__all__ = [
    "GridScore",
    "Oscillation",
    "arrival_times",
    "autocorrelogram",
    "grid_score",
    "measure_oscillation",
    "phase_lag",
    "rate_map",
]
