"""What is predicted of networks that learn, against numbers from elsewhere, and which condition others miss."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn import models
from tests.predicted import only, theorem


def test_art1_by_hand() -> None:
    """110 and 111, L = 1.2: the second has T = 1.09 before 1.01 of a fresh one, |I & V|/|I| = 2/3: reset with 0.9."""
    two = [[1, 1, 0], [1, 1, 1]]
    coarse, fine = (models.art1.build(two, rho, 2, 1, L=1.2) for rho in (0.5, 0.9))
    assert only(coarse, "category of each presentation").value == [0, 0]
    np.testing.assert_array_equal(only(coarse, "templates").value, [[1, 1, 0], [1, 1, 1]])
    assert only(fine, "category of each presentation").value == [0, 1]
    assert only(fine, "resets before it").value == [0, 1]
    result = brnn.simulate(fine, rtol=1e-6)
    rows = [
        only(fine, name).compare(result) for name in ("category of each presentation", "resets before it", "templates")
    ]
    assert all(row.passed for row in rows)
    assert not only(coarse, "category of each presentation").compare(result).passed  # the measure tells them apart


def test_art1_that_learns_slowly_or_breaks_its_rule() -> None:
    assert "a presentation leaves 0.22" in theorem(models.art1.build(M=5.0), "adaptive resonance")
    network = models.art1.build()
    links = [p.replace(topology=brnn.AllToAll(0.4)) if p.name == "down" else p for p in network.projections]
    assert "(D1 = 0.4, B1 = 1.5)" in theorem(network.replace(projections=links), "adaptive resonance")
    assert "the search has 0.7" in theorem(models.art1.build(speed=20.0), "adaptive resonance")


def test_fuzzy_art_by_hand() -> None:
    """Boxes of (0.1, 0.2), (0.2, 0.1) and of (0.8, 0.9): minima, and one minus maxima."""
    network = models.fuzzy_art.build([[0.1, 0.2], [0.2, 0.1], [0.8, 0.9]], 0.75, 3, 1)
    assert only(network, "category of each presentation").value == [0, 0, 1]
    boxes = [[0.1, 0.1, 0.8, 0.8], [0.8, 0.9, 0.2, 0.1], [1.0, 1.0, 1.0, 1.0]]
    np.testing.assert_allclose(only(network, "templates").value, boxes, atol=1e-12)


def test_a_chain_fires() -> None:
    """A = 2, P = 1.4, threshold 1, c = 1.2: one cell after the other each ln(1.4/0.6)/2, after c/A is there."""
    network = models.avalanche.build(np.eye(3)[:, None, :], replays=[1.2, 0.8], weights=np.zeros((3, 3)))
    found = only(network, "times at which cells of chain fire")
    np.testing.assert_allclose(np.diff(found.value)[[0, 1, 3, 4]], [0.42364893] * 2 + [0.97295507] * 2, atol=1e-4)
    assert found.value[0] == pytest.approx(5.0 + 0.42364893, abs=1e-4)
    result = brnn.simulate(network, rtol=1e-8)
    assert found.compare(result).passed
    assert only(network, "order in which cells of chain fire").compare(result).passed
    stopped = models.avalanche.build(np.eye(4)[:, None, :], replays=[1.2], stops=[0.4], weights=np.zeros((4, 4)))
    assert only(stopped, "order in which cells of chain fire").value == [0, 1]
    weak = [s.replace(pattern=0.3 * s.pattern) if s.target == "command" else s for s in network.stimuli]
    assert "between 0.6" in theorem(network.replace(stimuli=weak), "a chain")


def test_outstars_learn_a_pattern() -> None:
    """Two border cells, no feedback (D = 0): x and z by an integration of the single equations."""
    from scipy.integrate import solve_ivp

    network = models.outstar.build(
        pattern=[3.0, 1.0], D=0.0, M=0.7, cue=0.8, on=4.0, recall=[1.0], weights=[[0.5], [0.1]]
    )

    def velocity(t: float, u: np.ndarray) -> list[float]:
        s, x, z = u[0], u[1:3], u[3:]
        f, on = max(0.0, s - 0.05), float(t < 4.0)
        return [-s + 0.8 * on, *(-x + on * np.array([0.75, 0.25])), *(0.7 * f * (x - z))]

    first = solve_ivp(velocity, (0.0, 4.0), [0.0, 0.0, 0.0, 0.5, 0.1], rtol=1e-10, atol=1e-12)
    last = solve_ivp(velocity, (4.0 + 1e-12, 9.0), first.y[:, -1], rtol=1e-10, atol=1e-12)
    found = only(network, "outstar.z when learning ends")
    np.testing.assert_allclose(found.value[:, 0], last.y[3:, -1], atol=1e-8)
    assert found.compare(brnn.simulate(network)).passed
    shorter = only(network.replace(duration=6.0), "outstar.z when learning ends")  # later weights are others
    with pytest.raises(brnn.InputError, match="t = 6 is no saved time"):
        shorter.measure(brnn.simulate(network, times=[0.0, 5.0, 7.0]))
    delayed = models.spatial_pattern_learning.build(delay=0.7, cycles=1, sources=2, n=3)
    assert only(delayed, "paths.z when learning ends").compare(brnn.simulate(delayed, rtol=1e-8)).passed
    uneven = delayed.replace(
        projections=[delayed.projections[0].replace(topology=brnn.Dense([[0.3, 0.2]] * 2 + [[0.3, 0.1]]))]
    )
    assert "differ by up to 0.1" in theorem(uneven, "outstars")


def test_an_interval_is_learned() -> None:
    network = models.spectral_timing.build(n=12, isi=100.0, cs=700.0, trials=1)
    rows = [only(network, f"{what} of the response") for what in ("time of the top", "height")]
    result = brnn.simulate(network, rtol=1e-7)
    assert all(row.compare(result).passed for row in rows)
    other = brnn.simulate(models.spectral_timing.build(n=12, isi=200.0, cs=700.0, trials=1), rtol=1e-7)
    assert not rows[0].compare(other).passed
    assert "only the US" in theorem(network.replace(projections=[
        p.replace(learning=p.learning.replace(sampled=brnn.Step(threshold=0.5))) if p.learning else p
        for p in network.projections]), "an interval")  # fmt: skip


def test_repeated_items_have_ranks() -> None:
    """AAB, A = 0.5: S = 0.707, 1.099, 1.264; cells (A, 1), (A, 2), (B, 1)."""
    network = models.store_rank.build("AAB", 0.5)
    found = only(network, "trace.x after each item")
    assert found.details["cells"] == [(0, 0), (0, 1), (1, 0)]
    S, held = 0.0, np.zeros((2, 2))
    for item, rank in found.details["cells"]:
        S = np.sqrt(0.5 + S)
        held[item, rank] = 0.5
        held /= S
    np.testing.assert_allclose(found.value[-1], held.ravel(), rtol=1e-12)
    assert found.compare(brnn.simulate(network)).passed
    with pytest.warns(UserWarning, match="too short"):
        short = models.store_rank.build("AAB", 0.5, duration=1.0)
    assert "pulses that are long enough" in theorem(short, "Item-Order-Rank")


def test_associations_of_a_list() -> None:
    network = models.serial_learning.build(n=5, trials=1, D=0.0, u=0.02)
    weights, hardest = only(network, "associations.z when learning ends"), only(network, "hardest position of the list")
    result = brnn.simulate(network, rtol=1e-8, atol=1e-10)
    assert weights.compare(result).passed
    assert hardest.compare(result).passed
    assert "(it has 0.1)" in theorem(models.serial_learning.build(n=5), "serial learning")
    faint = [network.stimuli[0].replace(pattern=0.5 * network.stimuli[0].pattern), *network.stimuli[1:]]
    assert "by equal inputs" in theorem(network.replace(stimuli=faint), "serial learning")


def test_a_masking_field_chooses() -> None:
    """MYSELF alone is active: its level is the root that `brnn.theory.masking_field.choice` finds."""
    from brnn.theory import masking_field as closed

    words = ("MY", "SELF", "ELF", "MYSELF")
    network = models.masking_field.build().replace(duration=120.0)
    found = only(network, "distance to a state in which one cell is active")
    assert found.compare(brnn.simulate(network)).passed
    shown = 0.3 * 0.95 ** np.arange(6)
    S = closed.filter_weights(words, "MYSELF", 0.95) @ shown
    (link,) = (p for p in network.projections if p.kind == "excitatory" and p.source == "chunks")
    expected = closed.choice(S, words, 3, 0.2, 1.0, 2.0, 2.0, 10.0, link.signal)
    assert expected is not None
    np.testing.assert_allclose(found.details["states"][3][-1], expected, atol=1e-9)


def test_runs_that_begin_elsewhere_are_compared_with_what_follows_from_there() -> None:
    """The network begins in another order: what is stored, the bounds and the order are those of the run."""
    field = models.rcf.build(signal=brnn.Power(), n=3, A=1.0, B=3.0, initial=[0.1, 0.2, 0.3])
    result = brnn.simulate(field, initial=[0.9, 0.4, 0.2])
    rows = result.compare()
    assert rows
    assert all(row.passed for row in rows)
    stored = [row for row in rows if row.label.startswith("stored")]
    np.testing.assert_allclose(stored[0].predicted, [(3.0 + np.sqrt(5.0)) / 2.0, 0.0, 0.0], rtol=1e-12)


def test_fuzzy_art_is_seen_beside_a_gated_layer_that_rests_at_0() -> None:
    network = models.fuzzy_art.build([[0.1, 0.2], [0.8, 0.9]], 0.75, 3, 1)
    beside = brnn.GatedLayer("beside", 2, A=1.0, B=1.0, C=0.0, E=0.0, F=0.0, rest=0.0, gain=1.0)
    found = only(network.replace(layers=[*network.layers, beside]), "category of each presentation")
    assert list(found.value) == list(only(network, "category of each presentation").value)
