"""What brnn costs: the project beside its peers, the same work, the same tolerance, one run.

``python -m benchmarks`` runs them all. Where answers can differ, they are checked before a time is reported.
"""
