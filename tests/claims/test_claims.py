"""Every published claim of every model holds, and `predict` says the same of its network.

`predicted.txt` lists, for claims of small models, what `predict` says besides bounds of the network of the claim's
first small run, and how many values of the claim it gives, too. ``python tests/claims/test_claims.py`` makes it of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import integrate, models
from brnn.claims import Claim, table
from brnn.comparison import Comparison, Comparisons

SMALL = 40  # unknowns of a run that is laid beside `predict`
SAME = 1e-5  # of the larger one: two values that claim and `predict` both state
CLAIMS = [claim for name in models.names() for claim in models.load(name).CLAIMS]
LIST = Path(__file__).with_name("predicted.txt")


def name_of(claim: Claim) -> str:
    return f"{claim.model}-{claim.name}"


@contextmanager
def first_small_run() -> Iterator[list[brnn.Result]]:
    runs: list[brnn.Result] = []
    simulate = integrate.simulate

    def kept(network: brnn.Network, *given: Any, **options: Any) -> brnn.Result:
        result = simulate(network, *given, **options)
        if not runs and sum(network.states.values()) <= SMALL:
            runs.append(result)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integrate, "simulate", kept)
        yield runs


def quantities(said: Comparisons) -> list[str]:
    """What `predict` says besides bounds, without the times."""
    return sorted({row.label.partition(", t = ")[0] for row in said if not row.label.startswith("bounds of")})


def in_common(rows: list[Comparison], said: Comparisons) -> int:
    """How many values of a claim `predict` gives, too."""
    return sum(any(_same(row.predicted, other.predicted) for other in said) for row in rows)


def _same(one: Any, two: Any) -> bool:
    if any(value is None or isinstance(value, (str, tuple, list)) for value in (one, two)):
        return False
    a, b = (np.asarray(value, dtype=float).ravel() for value in (one, two))
    return a.size == b.size and bool(np.any(a != 0.0)) and np.allclose(a, b, rtol=SAME, atol=SAME * np.abs(a).max())


def listed() -> dict[str, tuple[int, list[str]]]:
    lines = [line.split("\t") for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {name: (int(count), words.split("; ")) for name, count, words in lines}


LISTED = listed() if LIST.exists() else {}


@pytest.mark.parametrize("claim", CLAIMS, ids=name_of)
def test_claim_holds(claim: Claim) -> None:
    """A claim holds, and what `predict` says of the network of its first small run is what this run gives, too."""
    with first_small_run() as runs:
        rows = claim.check()
    failed = [row for row in rows if not row.passed]
    assert not failed, f"{claim.title} [{claim.source}]: {len(failed)} of {len(rows)} rows failed\n{table(rows)}"
    said = Comparisons(row for result in runs for row in result.compare())
    assert all(row.passed for row in said), f"{claim.title}: predict says otherwise\n{table(said)}"
    count, words = LISTED.get(name_of(claim), (0, []))
    assert set(words) <= set(quantities(said)), f"{claim.title}: {LIST.name} lists more than predict says"
    assert in_common(rows, said) >= count, f"{claim.title}: {LIST.name} lists more values in common"


def test_the_list_of_what_is_predicted_is_one_of_claims() -> None:
    assert LISTED.keys() <= {name_of(claim) for claim in CLAIMS}


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


def write() -> None:
    """Write the list."""
    lines = [
        "# claim, values that predict gives, too, and what predict says besides bounds: tests/claims/test_claims.py"
    ]
    for claim in CLAIMS:
        with first_small_run() as runs:
            rows = claim.check()
        said = Comparisons(row for result in runs for row in result.compare())
        if words := quantities(said):
            lines.append(f"{name_of(claim)}\t{in_common(rows, said)}\t{'; '.join(words)}")
            print(lines[-1], flush=True)
    LIST.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    write()
