"""Every published claim of every model holds."""

from __future__ import annotations

from typing import Any

import pytest

import brnn
from brnn import integrate, models
from brnn.claims import Claim, table

SMALL = 40  # unknowns of a run that is laid beside `predict`
CLAIMS = [claim for name in models.names() for claim in models.load(name).CLAIMS]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.model}-{claim.name}")
def test_claim_holds(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim holds, and what `predict` says of the network of its first small run is what this run gives, too."""
    runs: list[brnn.Result] = []
    simulate = integrate.simulate

    def kept(network: brnn.Network, *given: Any, **options: Any) -> brnn.Result:
        result = simulate(network, *given, **options)
        if not runs and sum(network.states.values()) <= SMALL:
            runs.append(result)
        return result

    monkeypatch.setattr(integrate, "simulate", kept)
    rows = claim.check()
    failed = [row for row in rows if not row.passed]
    assert not failed, f"{claim.title} [{claim.source}]: {len(failed)} of {len(rows)} rows failed\n{table(rows)}"
    said = [row for result in runs for row in result.compare()]
    assert all(row.passed for row in said), f"{claim.title}: predict says otherwise\n{table(said)}"


@pytest.mark.parametrize("name", models.names())
def test_every_model_states_claims_that_can_be_told_apart(name: str) -> None:
    claims = models.load(name).CLAIMS
    titles = [claim.title for claim in claims]
    assert titles
    assert len(set(titles)) == len(titles)
    for claim in claims:
        assert claim.model == name
        assert claim.function.__doc__, f"{claim.name} does not say in its docstring what it shows"
        assert "\n" not in claim.function.__doc__.strip()
