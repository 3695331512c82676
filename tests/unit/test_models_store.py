"""Working memories: what they take, what they refuse and with which words, their warnings, and the published data."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.data import murdock_1962
from brnn.errors import InputError, SpecError
from brnn.models import item_and_order_readout as readout
from brnn.models import store, store_rank
from brnn.models.parts.store import ItemList, ends_of, pulses_of

NAMES = ["item_and_order_readout", "store", "store_rank"]

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    return models.load(name).build(**arguments)  # in one line: warnings name the caller


@every_model
def test_the_default_run_presents_and_stores_the_whole_list(name: str) -> None:
    network = build(name)
    assert network.name == name
    result = brnn.simulate(network, rtol=1e-8, atol=1e-11)
    items = len(pulses_of(network))
    total = 0.0
    for _ in range(items):
        total = ({"store": 0.1, "store_rank": 0.03, "item_and_order_readout": 0.1}[name] + total) ** 0.5
    assert float(result.total("trace")[-1]) == pytest.approx(total, abs=1e-7)
    assert int((np.asarray(result.final("trace")) > 0).sum()) == items


def test_seven_items_as_the_readme_would_write_it() -> None:
    y = brnn.simulate(store.build(n=7, A=0.3), rtol=1e-8, atol=1e-11).final("trace")
    S = [0.3**0.5]
    for _ in range(6):
        S.append((0.3 + S[-1]) ** 0.5)
    expected = [0.3 / np.prod(S[j:]) for j in range(7)]
    np.testing.assert_allclose(y, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("store", {"n": 0}, "store: n = 0"),
        ("store", {"n": 2.5}, "store: n = 2.5: must be a whole number"),
        ("store", {"n": 10**7}, "of memory"),
        ("store", {"A": 0.0}, "store: A = 0: must be a number > 0"),
        ("store", {"A": "x"}, "store: A = 'x'"),
        ("store", {"strengths": [1.0, -1.0]}, "element 1 is -1"),
        ("store", {"strengths": [1.0, 0.0]}, "strengths = 0: must be > 0"),
        ("store", {"strengths": [1.0, np.inf]}, "inf"),
        ("store", {"strengths": np.ones((2, 2))}, "must be one number for each item"),
        (
            "store",
            {"n": 3, "strengths": [1.0, 2.0]},
            "strengths: has 2 elements, must have one for each of 3 items (n)",
        ),
        ("store", {"items": [0, 0.5]}, "store: items: must be whole numbers"),
        ("store", {"items": [0, -1]}, "element 1 is -1"),
        ("store", {"items": []}, "store: items: the array is empty"),
        ("store", {"items": [0, 10**9]}, "of memory"),
        ("store", {"duration": 0.0}, "duration = 0: must be > 0"),
        ("store", {"gap": -0.5}, "gap = -0.5: must be > 0: items must not overlap or touch"),
        ("store", {"gap": 0.0}, "items must not overlap or touch"),
        ("store", {"gap": [9.0] * 6 + [-1.0]}, "gap = -1: must be > 0: items must not overlap"),
        ("store_rank", {"items": ""}, "must be letters or digits"),
        ("store_rank", {"items": "AB CD"}, "must be letters or digits"),
        ("store_rank", {"items": [0, -1]}, "element 1 is -1"),
        ("store_rank", {"code": "place"}, "must be one of occurrence, position"),
        ("store_rank", {"ranks": 1}, "store_rank: ranks = 1: the list needs 2"),
        ("store_rank", {"code": "position", "ranks": 6}, "ranks = 6: the list needs 7"),
        ("store_rank", {"v": 0}, "store_rank: v = 0"),
        ("store_rank", {"h": 0}, "store_rank: h = 0"),
        ("store_rank", {"h": 0.02}, "which must be above 2 h"),
        ("store_rank", {"gap": 0}, "items must not overlap or touch"),
        ("item_and_order_readout", {"noise": -1}, "item_and_order_readout: noise = -1"),
        ("item_and_order_readout", {"threshold": 0}, "item_and_order_readout: threshold = 0: must be a number > 0"),
        ("item_and_order_readout", {"threshold": -1, "noise": 0.1}, "threshold = -1"),
        ("item_and_order_readout", {"wave": 0}, "item_and_order_readout: wave = 0"),
        ("item_and_order_readout", {"lists": 0}, "item_and_order_readout: lists = 0"),
        ("item_and_order_readout", {"lists": 10**10}, "of memory"),
        ("item_and_order_readout", {"rehearsal": 0}, "item_and_order_readout: rehearsal = 0"),
        ("item_and_order_readout", {"noise": 0.1, "seed": -1}, "seed = -1"),
        ("item_and_order_readout", {"gap": -1}, "items must not overlap or touch"),
    ],
)
def test_bad_input_is_one_line(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as caught:
        build(name, **arguments)
    assert "\n" not in str(caught.value)
    assert words in str(caught.value)


@every_model
def test_short_gaps_and_pulses_are_warned_of_with_the_needed_length(name: str) -> None:
    with pytest.warns(UserWarning, match=f"{name}: gap = 2 is too short to equilibrate, [0-9.]+ is needed") as caught:
        build(name, gap=2.0)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # it points at the line that called build
    needed = float(re.findall(r"([0-9.]+) is needed", str(caught[0].message))[0])
    with pytest.warns(UserWarning, match="duration = 1 is too short") as both:
        build(name, duration=1.0, gap=1.0)
    assert "; gap = 1 is too short" in str(both[0].message)
    on = float(re.findall(r"([0-9.]+) is needed", str(both[0].message))[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(name, gap=1.01 * needed)
        build(name, duration=1.01 * on)
        build(name, duration=1.01 * on, gap=1.01 * needed)


def test_items_that_were_warned_of_are_off_by_what_the_warning_says() -> None:
    with pytest.warns(UserWarning, match="differ by up to") as caught:
        network = store.build(5, 0.2, gap=2.0)
    said = float(re.findall(r"up to ([0-9.e-]+) times", str(caught[0].message))[0])
    y = np.asarray(brnn.simulate(network, times=ends_of(network), rtol=1e-9, atol=1e-12)["trace.x"])
    exact = np.zeros((5, 5))
    state = np.zeros(5)
    for j in range(5):
        state[j] += 0.2
        state /= state.sum() ** 0.5
        exact[j] = state
    seen = exact > 0
    assert np.abs(y[seen] / exact[seen] - 1).max() == pytest.approx(said, rel=0.1)


def test_presentations_follow_the_given_times() -> None:
    network = store.build(duration=[50.0, 60.0, 70.0], gap=[30.0, 40.0, 25.0])
    np.testing.assert_allclose(pulses_of(network), [[0, 50], [80, 140], [180, 250]])
    np.testing.assert_allclose(ends_of(network), [80, 180, 275])
    assert network.duration == 275.0


def test_item_lists_count_by_whatever_is_given() -> None:
    assert len(ItemList.checked("m", None, 0.1).places) == 7
    assert len(ItemList.checked("m", None, 0.1, default=4).places) == 4
    assert len(ItemList.checked("m", None, 0.1, strengths=[1, 2]).places) == 2
    assert ItemList.checked("m", None, 0.1, items=[2, 0]).places.tolist() == [2, 0]
    np.testing.assert_allclose(ItemList.checked("m", 2, 0.1, strengths=3.0).rows(3), [[0.3, 0, 0], [0, 0.3, 0]])


def test_places_count_occurrences_or_positions() -> None:
    assert store_rank.places("ABACBDE").tolist() == [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [3, 0], [4, 0]]
    assert store_rank.places("ABA", "position").tolist() == [[0, 0], [1, 1], [0, 2]]
    assert store_rank.places([3, 3, 0]).tolist() == [[3, 0], [3, 1], [0, 0]]


def test_more_ranks_than_needed_stay_empty() -> None:
    result = brnn.simulate(store_rank.build("ABA", ranks=4))
    y = np.asarray(result.final("trace"))
    assert y.shape == (2, 4)
    assert (y > 0).tolist() == [[True, True, False, False], [True, False, False, False]]


def test_many_lists_without_noise_are_all_the_same_list() -> None:
    single = brnn.simulate(readout.build(4, 0.1), rtol=1e-7, atol=1e-10)
    network = readout.build(4, 0.1, lists=3)
    side_by_side = brnn.simulate(network, times=readout.wave_times(network, 60), rtol=1e-7, atol=1e-10)
    expected = readout.performed(single)
    assert expected.shape == (4,)
    np.testing.assert_allclose(readout.performed(side_by_side), np.tile(expected, (3, 1)), atol=2e-3)


def test_noise_is_that_of_the_seed() -> None:
    times = []
    for seed in (1, 1, 2):
        network = readout.build(4, 0.1, noise=0.05, threshold=0.0, lists=5, seed=seed)
        result = brnn.simulate(network, times=readout.wave_times(network, 20), rtol=1e-5, atol=1e-7)
        times.append(readout.performed(result))
    assert (times[0] == times[1]).all()
    assert (times[0] != times[2]).any()


def test_orders_do_not_hang_on_the_tolerance_that_the_claims_use() -> None:
    network = readout.build(7, 0.2, noise=0.05, threshold=0.1, lists=60, seed=4)
    times = [
        readout.performed(brnn.simulate(network, times=readout.wave_times(network), rtol=rtol, atol=atol))
        for rtol, atol in ((1e-3, 1e-5), (1e-7, 1e-9))
    ]
    assert (np.isfinite(times[0]) == np.isfinite(times[1])).all()
    assert (np.argsort(times[0], axis=1, kind="stable") == np.argsort(times[1], axis=1, kind="stable")).all()


def test_performances_are_events_of_the_result() -> None:
    result = brnn.simulate(readout.build(3, 2.0))
    assert set(np.asarray(result.events["name"]).tolist()) == {"performed"}
    assert result.events["cell"].to_numpy().tolist() == [2, 1, 0]


def test_items_below_the_threshold_are_not_performed() -> None:
    # S_1 = 1, S_2 = sqrt 2, S_3 = sqrt(1 + sqrt 2): stored 0.45, 0.45, 0.64 and so on; A = 1.1 avoids the tie
    S = [1.1**0.5]
    for _ in range(2):
        S.append((1.1 + S[-1]) ** 0.5)
    y = np.array([1.1 / np.prod(S[j:]) for j in range(3)])
    between = 0.5 * (np.sort(y)[0] + np.sort(y)[1])
    times = readout.performed(brnn.simulate(readout.build(3, 1.1, threshold=between, rehearsal=60.0)))
    assert np.isfinite(times).tolist() == (y > between).tolist()


def test_rising_interpolates_between_samples() -> None:
    x = np.array([[0.0, 0.7, 0.0], [0.4, 0.8, 0.1], [0.6, 0.9, 0.2]])
    found = readout.rising(x, np.array([0.0, 1.0, 2.0]), 0.5)
    np.testing.assert_allclose(found, [1.5, 0.0, np.inf])


def test_the_published_curves_are_whole() -> None:
    groups = murdock_1962()
    assert [group.name for group in groups] == ["10-2", "15-2", "20-2", "20-1", "30-1", "40-1"]
    for group in groups:
        length, seconds = (int(part) for part in group.name.split("-"))
        assert (len(group.proportions), group.seconds) == (length, seconds)
        assert ((group.proportions > 0) & (group.proportions < 1)).all()
        # the area of the curve is the mean number of words recalled, which Table 1 gives by itself
        assert group.proportions.sum() == pytest.approx(group.mean, rel=0.05)
    assert sum(group.subjects for group in groups) == 103


def test_times_are_counted_from_the_wave_on_however_long_it_takes() -> None:
    with pytest.warns(UserWarning, match="equilibrate"):
        network = readout.build(2, 2.0, wave=0.02, duration=1.5, gap=1.0)
    result = brnn.simulate(network)
    start, events = readout.wave_times(network)[0], result.events
    assert float(events["time"][-1]) > 2.0 * start
    np.testing.assert_allclose(readout.performed(result)[events["cell"].to_numpy()], events["time"] - start)
