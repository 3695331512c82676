"""Frames as inputs: what a layer gets of each, in what memory, what is refused; and the model that reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import convolve2d

import brnn
from brnn.compiler import compile_network
from brnn.models import vistars
from brnn.theory import optic_flow

MOVIE = np.random.default_rng(1).integers(0, 256, (3, 6, 8), dtype=np.uint8)


def shown(schedule: brnn.Frames, shape: tuple[int, ...], time: float) -> np.ndarray:
    return brnn.Stimulus("F", "excitatory", 2.0, schedule).at(time, shape)


def test_a_frame_is_held_until_the_next_and_after_the_last_there_is_nothing() -> None:
    frames = brnn.Frames(MOVIE, 0.5, start=1.0)
    assert not shown(frames, (6, 8), 0.9).any()
    for time, k in ((1.0, 0), (1.49, 0), (1.5, 1), (2.4, 2)):
        np.testing.assert_array_equal(shown(frames, (6, 8), time), 2.0 * (MOVIE[k] / 255.0))
    assert not shown(frames, (6, 8), 2.5).any()
    assert frames.breaks(9.0).tolist() == [1.0, 1.5, 2.0, 2.5]


@pytest.mark.parametrize("product", [True, False])
def test_what_is_made_of_a_frame(product: bool) -> None:
    """Of a filter that is a product of two lines, and of one that is none."""
    rng = np.random.default_rng(2)
    kernel = np.outer(rng.random(3) - 0.5, rng.random(5)) if product else rng.random((3, 5))
    frames = brnn.Frames(MOVIE / 255.0, block=2, opponent=True, filter=kernel)
    means = np.array(
        [[MOVIE[1, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() / 255.0 for j in range(4)] for i in range(3)]
    )
    expected = [convolve2d(light, kernel, mode="same") for light in (means, 1.0 - means)]
    np.testing.assert_allclose(shown(frames, (2, 3, 4), 1.5), 2.0 * np.array(expected), rtol=1e-12, atol=1e-15)
    assert (frames._profiles() is not None) == product


def test_a_pattern_weighs_each_cell_of_both_maps() -> None:
    pattern = np.random.default_rng(4).random((2, 6, 8))
    frames = brnn.Frames(MOVIE, opponent=True)
    expected = pattern * np.stack([MOVIE[2] / 255.0, 1.0 - MOVIE[2] / 255.0])
    found = brnn.Stimulus("F", "excitatory", pattern, frames).at(2.5, (2, 6, 8))
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_the_input_of_a_run_is_that_of_the_frame(tmp_path: Path) -> None:
    """An integrator adds the frames up; the file holds a movie that two inputs share once, in 8 bits."""
    frames = brnn.Frames(np.repeat(MOVIE, 4, axis=2), 0.5)
    half = frames.replace(block=2)
    assert half.frames.dtype == np.uint8
    layers = [brnn.Layer.additive("F", (6, 32), A=0.0), brnn.Layer.additive("G", (3, 16), A=0.0)]
    inputs = [brnn.Stimulus("F", "excitatory", 1.0, frames), brnn.Stimulus("G", "excitatory", 1.0, half)]
    network = brnn.Network("movie", layers, stimuli=inputs)
    path = tmp_path / "movie.h5"
    result = brnn.simulate(network, 2.0, record=path)
    expected = 0.5 * np.asarray(frames.frames, dtype=float).sum(axis=0) / 255.0
    np.testing.assert_allclose(result.final("F"), expected, rtol=1e-9)
    np.testing.assert_allclose(result.final("G"), expected.reshape(3, 2, 16, 2).mean(axis=(1, 3)), rtol=1e-9)
    result.close()
    again = brnn.open(path).network
    assert again == network
    assert again.stimuli[0].schedule.frames.dtype == np.uint8
    assert brnn.Network.from_json(network.to_json()) == network


def test_a_movie_on_disk_is_not_read_as_a_whole(tmp_path: Path) -> None:
    on_disk = np.memmap(tmp_path / "movie.raw", np.uint8, "w+", shape=MOVIE.shape)
    on_disk[:] = MOVIE
    frames = brnn.Frames(on_disk).frames
    assert np.shares_memory(frames, on_disk)
    assert not frames.flags.writeable
    mine = MOVIE.copy()
    kept = brnn.Frames(mine).frames
    mine[:] = 0
    np.testing.assert_array_equal(kept, MOVIE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: brnn.Frames(MOVIE, block=4), "frames of 6 x 8 pixels are not whole blocks of 4 x 4"),
        (lambda: brnn.Frames(MOVIE[0]), "has shape (6, 8), must be (frames, rows, columns)"),
        (lambda: brnn.Frames(MOVIE * 1.0), "has the luminance 2"),
        (lambda: brnn.Frames(np.full((1, 2, 2), np.nan)), "has the luminance nan"),
        (lambda: brnn.Frames([["a"]]), "must be (frames, rows, columns)"),
        (lambda: brnn.Frames(MOVIE, filter=np.ones((2, 3))), "odd number of rows and columns"),
        (lambda: brnn.Frames(MOVIE).check((), (6, 9), "S"), "S: Frames: give (6, 8), the layer has shape (6, 9)"),
        (lambda: vistars.build(np.zeros((2, 97, 128))), "vistars: frames: 97 x 128 pixels: must be multiples of 4"),
        (lambda: vistars.build(np.zeros((2, 96, 126))), "vistars: frames: 96 x 126 pixels: must be multiples of 4"),
        (lambda: vistars.build(np.zeros((96, 128))), "frames: has shape (96, 128)"),
        (lambda: vistars.build(scales=4), "scales = 4: must be 1, 2 or 3"),
    ],
)
def test_bad_frames_are_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(brnn.SpecError, match=re.escape(message)) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_modulatory_input_enhances_and_alone_does_nothing() -> None:
    """dx/dt at x = 0.3, by hand; a gain below 0 weakens, at most to nothing."""
    for gain, mod, factor in ((2.0, 0.5, 2.0), (-2.0, 0.25, 0.5), (-2.0, 3.0, 0.0)):
        layer = brnn.ModulatedLayer("F", 1, A=0.5, B=1.0, D=0.2, gain=gain, recurrent=brnn.Power(1.0, 2.0), initial=0.3)
        inputs = [brnn.Stimulus("F", kind, value) for kind, value in
                  (("excitatory", 0.7), ("inhibitory", 0.4), ("modulatory", mod))]  # fmt: skip
        slope = compile_network(brnn.Network("m", [layer], stimuli=inputs)).f(0.0, np.array([0.3]))
        assert slope == pytest.approx(-0.5 * 0.3 + 0.7 * (0.7 * factor + 0.09) - 0.5 * 0.4, rel=1e-12)
        alone = compile_network(brnn.Network("m", [layer], stimuli=inputs[2:])).f(0.0, np.array([0.3]))
        assert alone == pytest.approx(-0.5 * 0.3 + 0.7 * 0.09, rel=1e-12)
        assert layer.bounds() == (-0.2, 1.0)


def test_movies_stream_away_from_their_focus() -> None:
    """Two frames of one dot: it lies on the line from the focus, farther by Z/(Z - approach)."""
    movie = optic_flow.moving_dots((40.0, 60.0), 2, dots=1, approach=1.0, nearest=3.0, farthest=3.1, seed=6)
    before, after = (np.argwhere(frame).min(axis=0) - (40.0, 60.0) for frame in movie)
    assert np.abs(before).max() > 3.0
    np.testing.assert_allclose(after, 1.5 * before, atol=1.8)  # each is rounded to a pixel
    picture = np.add.outer(np.linspace(0.0, 0.5, 60), np.linspace(0.0, 0.5, 60))
    near = optic_flow.approached_picture(picture, (20.0, 30.0), 2, (40, 60), zoom=1.5).astype(float)
    assert near[0, 20, 30] == near[1, 20, 30]  # what lies at the focus stays there
    np.testing.assert_allclose(near[1, 20, 36] - near[1, 20, 30], (near[0, 20, 34] - near[0, 20, 30]), atol=1.0)
