"""Settings of every test: no windows, one cache of generated code per run, and how hypothesis searches."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports matplotlib, and inherited by the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"

# No deadline: the first example of a network's structure compiles it. CI draws the same examples every
# time, so that it fails only for what has changed; elsewhere each run looks at new ones.
_common = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _common)
settings.register_profile("ci", _common, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

_made_cache = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run one new cache for generated code, unless BRNN_CACHE_DIR names one to keep.

    A new one shows that everything compiles from nothing, and keeps the user's own cache out of the tests.
    """
    os.environ.setdefault("BRNN_KILL_SEED", str(secrets.randbelow(2**32)))  # one for all workers (see killing.py)
    if "BRNN_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="brnn-tests-")
        os.environ["BRNN_CACHE_DIR"] = folder
        config.stash[_made_cache] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the cache that `pytest_configure` made."""
    folder = config.stash.get(_made_cache, None)
    if folder is not None:
        del os.environ["BRNN_CACHE_DIR"]
        shutil.rmtree(folder, ignore_errors=True)
