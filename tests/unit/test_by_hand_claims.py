"""Every parameter of every model is off its default in a claim whose equations are written out by hand.

Nothing is integrated: what the claims give to `build` is recorded, and they end where they would run something.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from brnn import Network, models
from brnn.claims import Claim
from brnn.models.parts.by_hand import Numbers, _same

# The number of cells: where arrays give it, it counts as set when another number is built than by default.
CELLS = "n"


class Ended(Exception):
    """A claim would run something."""


def by_hand(name: str) -> list[Claim]:
    return [claim for claim in models.load(name).CLAIMS if "written out by hand" in claim.title]


def recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], Network]]:
    """Return what the claims by hand of a model give to `build`, and what it makes of it."""
    build = models.load(name).build
    calls: list[tuple[dict[str, Any], Network]] = []

    @functools.wraps(build)
    def record(*args: Any, **given: Any) -> Network:
        network = build(*args, **given)
        calls.append((inspect.signature(build).bind(*args, **given).arguments, network))
        return network

    def compared(build: Callable[..., Network], parameters: Mapping[str, Any], *_: Any, **__: Any) -> list[Any]:
        build(**{key: value.made() if isinstance(value, Numbers) else value for key, value in parameters.items()})
        return []

    def end(*_: Any, **__: Any) -> None:
        raise Ended

    for claim in by_hand(name):
        here = claim.function.__globals__
        with monkeypatch.context() as patch, contextlib.suppress(Ended):
            for key, other in (("build", record), ("equations_by_hand", compared), ("run", end)):
                if key in here:
                    patch.setitem(here, key, other)
            claim.function()
    return calls


def sizes(network: Network) -> list[tuple[int, ...]]:
    return [layer.shape for layer in network.layers]


@pytest.mark.parametrize("name", models.names())
def test_no_parameter_is_at_its_default_in_all_claims_by_hand(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build = models.load(name).build
    calls = recorded(name, monkeypatch)
    assert calls, "no claim has its equations 'written out by hand'"
    left = {
        key
        for key, parameter in inspect.signature(build).parameters.items()
        if all(_same(given.get(key, parameter.default), parameter.default) for given, _ in calls)
    }
    if CELLS in left and any(sizes(network) != sizes(build()) for _, network in calls):
        left.remove(CELLS)
    assert not left
