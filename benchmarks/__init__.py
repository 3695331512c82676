"""What brnn costs: the project beside its peers, the same work, the same tolerance, one run.

``python -m benchmarks`` runs them all. Where answers can differ, they are checked before a time is reported.
"""

import os

# BLAS reads these when NumPy is imported. SciPy's solvers multiply tall and very narrow matrices, where threads
# wait for each other longer than they work; one thread is the better case for all contenders.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
