"""Settings of every test: no windows, one cache of generated code per run, and how hypothesis searches."""

from __future__ import annotations

import gc
import itertools
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports matplotlib, and inherited by the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"
# The cores belong to the processes of the tests. Threads of BLAS that wait for a core which another process has keep
# others busy: a singular value decomposition of 256 rows took 40 times its time. NumPy reads this when it is loaded.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# The first process that they start keeps what Python made of the package's text for the others.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No deadline: the first example of a network's structure compiles it. CI draws the same examples every
# time, so that it fails only for what has changed; elsewhere each run looks at new ones.
_common = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _common)
settings.register_profile("ci", _common, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

_made_cache = pytest.StashKey[str]()
_SEEN = 8  # compilations
_WATCHED = 0.3  # seconds of a test's processor time
_coverage = pytest.StashKey[Any]()
_random = pytest.StashKey[dict[Path, Any]]()

# The files that take longest, about in this order, so that all processes of `make test` end at about the same time.
# Two processes that need the compiled ensemble at once would both compile it: of its files the first two are far apart.
_LONG = (
    "claims/test_claims.py",
    "faults/test_sweep_workers.py",
    "system/test_cli_sweep.py",
    "system/test_simulations.py",
    "unit/test_ensemble.py",
    "unit/test_figures.py",
    "unit/test_every_solver.py",
    "unit/test_models_art.py",
    "unit/test_topologies.py",
    "unit/test_record_file.py",
    "unit/test_sweep.py",
    "unit/test_integrate.py",
    "property/test_networks.py",
    "faults/test_kill.py",
    "system/test_readme.py",
    "unit/test_rest.py",
    "unit/test_low_rank.py",
    "unit/test_gauss_seidel.py",
    "unit/test_models_avalanche.py",
    "unit/test_predict.py",
    "unit/test_sweep_repeats.py",
    "property/test_ensemble.py",
    "faults/test_run_resume.py",
    "system/test_cli_stops.py",
    "system/test_contributing.py",
    "system/test_scaling.py",
    "unit/test_events.py",
    "unit/test_dynamics.py",
    "unit/test_sweep_rerun.py",
    "unit/test_plot.py",
    "unit/test_joined.py",
    "unit/test_liapunov.py",
    "unit/test_varying.py",
    "property/test_liapunov.py",
    "system/test_learned_maps.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run one new cache for generated code, unless BRNN_CACHE_DIR names one to keep.

    A new one shows that everything compiles from nothing, and keeps the user's own cache out of the tests.
    """
    os.environ.setdefault("BRNN_KILL_SEED", str(secrets.randbelow(2**32)))  # one for all workers (see killing.py)
    if "BRNN_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="brnn-tests-")
        os.environ["BRNN_CACHE_DIR"] = folder
        config.stash[_made_cache] = folder
    if sys.gettrace() is not None:
        from coverage import Coverage  # which only `make coverage` needs

        _look_away()
        config.stash[_coverage] = Coverage.current()


def _look_away() -> None:
    """Let `make coverage` see no more than a process's first compilations: Numba takes a third longer when watched."""
    from numba.core.ccallback import CFunc

    compiled, seen = CFunc.compile, itertools.count()

    def compile_it(self: Any) -> None:
        if next(seen) < _SEEN:  # what brnn adds to Numba is run in these
            compiled(self)
            return
        trace = sys.gettrace()
        sys.settrace(None)
        try:
            compiled(self)
        finally:
            sys.settrace(trace)
            _called()

    CFunc.compile = compile_it  # type: ignore[method-assign]


def _called() -> None:
    """Be called: then a tracer in C code takes over again, before it has to see how the caller returns."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let `make coverage` see the first moments of each test: after them most tests repeat what they have done.

    Python 3.11 calls the tracer at every line, of libraries as well; being watched took half as long again as the
    tests. What a test reaches late is not counted, so that the figure is one of the least.
    """
    watching = item.config.stash.get(_coverage, None)
    if watching is None:
        return (yield)
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        watching.stop()

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _WATCHED)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if stopped:
            watching.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files come first."""
    order = {name: place for place, name in enumerate(_LONG)}
    here = Path(__file__).parent
    items.sort(key=lambda item: order.get(item.path.relative_to(here).as_posix(), len(order)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give each test the same random numbers, whichever tests of its file ran before: RNG begins anew."""
    rng = getattr(getattr(item, "module", None), "RNG", None)
    if rng is not None:
        begins = item.config.stash.setdefault(_random, {})
        rng.bit_generator.state = begins.setdefault(item.path, rng.bit_generator.state)


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among the tests: a tenth of the processor time went into that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the cache that `pytest_configure` made."""
    folder = config.stash.get(_made_cache, None)
    if folder is not None:
        del os.environ["BRNN_CACHE_DIR"]
        shutil.rmtree(folder, ignore_errors=True)
