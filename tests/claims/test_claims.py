"""Every published claim of every model holds."""

from __future__ import annotations

import pytest

from brnn import models
from brnn.claims import Claim, table

CLAIMS = [claim for name in models.names() for claim in models.load(name).CLAIMS]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.model}-{claim.name}")
def test_claim_holds(claim: Claim) -> None:
    rows = claim.check()
    failed = [row for row in rows if not row.passed]
    assert not failed, f"{claim.title} [{claim.source}]: {len(failed)} of {len(rows)} rows failed\n{table(rows)}"


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
