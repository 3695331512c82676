"""lisTELOS: tasks of one's own, and what it refuses; its equations stand in its claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn.models import listelos


def ends(net: brnn.Network, **options: Any) -> list[tuple[float, int]]:
    return listelos.saccades(brnn.simulate(net, times=[0.0, net.duration], rtol=1e-4, atol=1e-6, **options))


def test_a_task_of_ones_own_is_the_task_when_it_says_the_same() -> None:
    own = listelos.build("own", cues=[41, 14], onsets=[0, 500], offsets=[500, 1000], working_memory=False, duration=700)
    expected = ends(listelos.build("saccade", duration=700))
    assert [site for _, site in expected] == [41, 14]
    np.testing.assert_allclose(ends(own), expected, rtol=1e-6)


def test_an_eye_that_looks_at_the_fixation_point_need_not_move_there() -> None:
    net = listelos.build("saccade", gaze=41, duration=700)
    (saccade,) = ends(net)
    assert saccade[1] == 14
    assert abs(saccade[0] - 637.2) < 2.0


def test_noise_keeps_the_order_and_moves_times_by_less_than_10_ms() -> None:
    arguments = {"cues": [41, 38], "onsets": [0, 100], "offsets": [300, 200], "duration": 620}
    quiet = ends(listelos.build("own", **arguments))
    noisy = ends(listelos.build("own", working_memory_noise=1.0, seed=1, **arguments))
    assert [site for _, site in quiet] == [site for _, site in noisy] == [41, 38]
    assert 1e-3 < abs(noisy[1][0] - quiet[1][0]) < 10.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "antisaccade"}, "listelos: task = 'antisaccade': must be one of saccade, gap"),
        ({"site": 82}, "listelos: site = 82: must be a site from 1 to 81"),
        ({"site": 0}, "listelos: site = 0: must be a site"),
        ({"gaze": 90}, "listelos: gaze = 90"),
        ({"stimulation": (0.0, 10.0)}, "listelos: stimulation: needs a site"),
        ({"site": 21, "stimulation": (20.0, 10.0)}, "stimulation = 20, 10: must be two times, 0 <= on < off"),
        (
            {"site": 21, "stimulation": (1700.0, 1800.0), "duration": 1700},
            "stimulation = 1700, 1800: begins when the trial",
        ),
        ({"cues": [41, 14]}, "listelos: onsets: cues of one's own need cues, onsets and offsets"),
        ({"task": "own"}, "listelos: cues: cues of one's own"),
        ({"cues": [41, 99], "onsets": [0, 1], "offsets": [1, 2]}, r"cues\[1\] = 99: must be a site from 1 to 81"),
        ({"cues": [41, 14], "onsets": [0, 1], "offsets": [1]}, "have 2, 2, 1 elements"),
        ({"cues": [41, 14], "onsets": [0, 400], "offsets": [500, 900]}, "cues 0 and 1: fixation and target overlap"),
        ({"task": "own", "cues": [5, 5], "onsets": [0, 4], "offsets": [9, 9]}, "site 5 would be shown twice at once"),
        ({"cues": [41], "onsets": [5], "offsets": [5]}, "onset 5, offset 5: must be 0 <= onset < offset"),
        ({"working_memory_noise": 1.0}, "listelos: seed: working_memory_noise = 1 needs one"),
        ({"working_memory_noise": -1.0}, "listelos: working_memory_noise = -1"),
        ({"working_memory": 1}, "listelos: working_memory = 1: must be true or false"),
        ({"eye": 5}, "listelos: eye = 5: must be true or false"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((brnn.SpecError, brnn.InputError), match=message) as caught:
        listelos.build(**arguments)
    assert "\n" not in str(caught.value)


def test_the_eye_begins_with_omnipause_cells_at_rest() -> None:
    """-0.2 P + 1.2 (1 - P) = 0."""
    network = listelos.build(eye=True)
    np.testing.assert_allclose(network.layer("omnipause").initial, 6.0 / 7.0, rtol=1e-15)
