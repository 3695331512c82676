"""Figures: what they show is what was run, and they leave nothing behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure
from PIL import Image

import brnn
from brnn import plot
from brnn.errors import FileError, InputError

PATTERN = np.array([0.2, 0.6, 0.9, 0.4, 0.1])


def field(initial: Any, *, name: str = "field", signal: brnn.Signal = brnn.Linear(), **options: Any) -> brnn.Network:
    """Return a recurrent competitive field."""
    shape = np.shape(initial)
    return brnn.Network(
        name,
        [brnn.Layer.shunting("F", shape, A=1.0, B=3.0, initial=initial)],
        [
            brnn.Projection("F", "F", "excitatory", signal, brnn.OneToOne()),
            brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf()),
        ],
        **options,
    )


def two_layers() -> brnn.Network:
    """Return a layer with a pulse of input, and a field that stores what it sends."""
    return brnn.Network(
        "two",
        [brnn.Layer.shunting("F1", 5, 1.0, 1.0), brnn.Layer.shunting("F2", 5, 1.0, 3.0)],
        [
            brnn.Projection("F1", "F2"),
            brnn.Projection("F1", "F2", "inhibitory", topology=brnn.AllButSelf()),
            brnn.Projection("F2", "F2"),
            brnn.Projection("F2", "F2", "inhibitory", topology=brnn.AllButSelf()),
        ],
        [brnn.Stimulus("F1", "excitatory", PATTERN, brnn.Pulse(1.0, 3.0))],
    )


def titles(figure: Figure) -> list[str]:
    """Return the titles of all panels."""
    return [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]


def words(figure: Figure) -> str:
    """Return the text over the panels."""
    return "\n".join(text.get_text() for text in figure.texts)


@pytest.fixture(scope="module")
def small() -> Any:
    """Return a run of five cells."""
    return brnn.simulate(field(PATTERN, reference="Somewhere (1973)"), duration=4.0)


# What is drawn ---------------------------------------------------------------------------------------------


def test_lines_are_the_activities_and_carry_labels_with_shares(small: Any) -> None:
    figure = plot.run_figure(small, "time")
    activities, total = figure.axes
    share = PATTERN / PATTERN.sum()
    drawn = {line.get_label(): line for line in activities.lines}
    assert set(drawn) == {f"{k}   {share[k]:.3f}" for k in range(5)}
    for k in range(5):
        line = drawn[f"{k}   {share[k]:.3f}"]
        np.testing.assert_array_equal(line.get_xdata(), small.times)
        np.testing.assert_array_equal(line.get_ydata(), small["F.x"][:, k])
    np.testing.assert_allclose(total.lines[0].get_ydata(), small.total("F"), rtol=1e-14)
    assert [ax.get_xlabel() for ax in figure.axes] == ["time", "time"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["activity", "total activity"]
    legend = activities.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text().startswith("2 ")  # the largest share comes first


def test_heading_names_network_reference_and_size(small: Any) -> None:
    assert words(plot.run_figure(small)) == "field\n5 cells   ·   Somewhere (1973)"


def test_auto_draws_activities_totals_and_patterns(small: Any) -> None:
    figure = plot.run_figure(small)
    assert titles(figure) == ["Activities", "Pattern", "Total activity"]
    bars = np.array([bar.get_height() for bar in figure.axes[1].patches])
    np.testing.assert_allclose(bars[:5], PATTERN / PATTERN.sum(), rtol=1e-12)
    np.testing.assert_allclose(bars[5:], small.relative("F")[-1], rtol=1e-12)


def test_many_cells_are_colored_by_share_without_a_legend() -> None:
    initial = np.linspace(0.01, 0.05, 60)
    result = brnn.simulate(field(initial), duration=1.0)
    figure = plot.run_figure(result, "time")
    (lines,) = [part for part in figure.axes[0].collections if isinstance(part, LineCollection)]
    assert len(lines.get_segments()) == 60
    assert figure.axes[0].get_legend() is None
    bar = figure.axes[-1]
    assert bar.get_ylabel() == "relative activity at the beginning"
    luminance = lines.get_colors()[:, :3] @ [0.21, 0.72, 0.07]
    assert (np.diff(luminance) < 1e-3).all()  # sorted by share, from light to dark


def test_very_many_cells_are_a_heat_map() -> None:
    initial = np.linspace(0.001, 0.005, 300)
    result = brnn.simulate(field(initial), duration=1.0)
    (mesh,) = [part for part in plot.run_figure(result, "time").axes[0].collections if isinstance(part, QuadMesh)]
    np.testing.assert_array_equal(np.asarray(mesh.get_array()), result["F.x"].values.T)


def test_of_huge_layers_the_spread_is_drawn() -> None:
    initial = np.linspace(1e-5, 5e-5, 4001)
    result = brnn.simulate(field(initial), duration=1.0, times=[0.0, 0.5, 1.0])
    figure = plot.run_figure(result)
    (median,) = figure.axes[0].lines
    np.testing.assert_allclose(median.get_ydata(), np.median(result["F.x"], axis=1), rtol=1e-12)
    share = figure.axes[1].lines[1]
    np.testing.assert_allclose(share.get_ydata(), share.get_xdata(), rtol=1e-9)  # linear: shares are kept


def test_two_dimensions_are_images_of_beginning_half_way_and_end() -> None:
    initial = np.linspace(0.0, 0.02, 48).reshape(6, 8)
    result = brnn.simulate(field(initial), duration=2.0)
    figure = plot.run_figure(result)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    first, half, last = titles(figure)
    assert (first, last) == ("t = 0", "t = 2")
    assert 0.0 < float(half.removeprefix("t = ")) < 2.0
    np.testing.assert_array_equal(images[0].get_array(), initial)
    np.testing.assert_array_equal(images[2].get_array(), result.final("F"))
    assert images[0].get_clim() == (0.0, initial.max())


def test_what_has_faded_is_drawn_black_and_signed_activities_in_two_colors() -> None:
    pattern = np.linspace(0.0, 1.0, 20).reshape(4, 5)
    layers = [brnn.Layer.additive("F", (4, 5), A=1.0), brnn.Layer.additive("G", (4, 5), A=1.0, initial=pattern - 0.5)]
    network = brnn.Network("fading", layers, [], [brnn.Stimulus("F", "excitatory", pattern, brnn.Pulse(0.0, 1.0))])
    figure = plot.run_figure(brnn.simulate(network, duration=15.0, times=np.arange(16.0)))
    images = {ax.get_title(loc="left"): ax.images[0] for ax in figure.axes if ax.images}
    ends = ["t = 1, input ends", "t = 15"]
    assert list(images) == [f"F: {title}" for title in ("input", *ends)] + [f"G: {title}" for title in ("t = 0", *ends)]
    assert images["F: t = 15"].get_clim()[1] > 1e4 * float(np.max(images["F: t = 15"].get_array()))
    low, high = images["G: t = 0"].get_clim()
    assert low == -high == -0.5


def test_inputs_are_marked_and_stored_patterns_compared_with_what_was_given() -> None:
    result = brnn.simulate(two_layers(), duration=12.0)
    figure = plot.run_figure(result)
    # No cell inhibits those of F1: shares of it would say no more than its activities.
    assert titles(figure) == ["F1: activities", "F2: activities", "F2: pattern", "Total activity"]
    spans = [[patch.get_x(), patch.get_x() + patch.get_width()] for patch in figure.axes[0].patches]
    assert spans == [[1.0, 3.0]]
    labels = [
        [text.get_text() for text in ax.get_legend().get_texts()]
        for ax in figure.axes
        if "pattern" in ax.get_title(loc="left")
    ]
    assert labels == [["at input offset", "at t = 12"]]  # F2 had no input of its own
    faded = [bar.get_height() for bar in plot.run_figure(result, "pattern", names="F1").axes[0].patches]
    # F1 is shown as it was at input offset: I (1 - exp(-2 (1 + I)))/(1 + I), two units of time after the onset.
    held = PATTERN * (1.0 - np.exp(-2.0 * (1.0 + PATTERN))) / (1.0 + PATTERN)
    np.testing.assert_allclose(faded[5:], held / held.sum(), rtol=2e-2)  # the last saved time may be before 3


def test_totals_of_all_layers_in_one_panel() -> None:
    result = brnn.simulate(two_layers(), duration=5.0)
    (ax,) = plot.run_figure(result, "total").axes
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(drawn["F1"], result.total("F1"), rtol=1e-12)
    np.testing.assert_allclose(drawn["F2"], result.total("F2"), rtol=1e-12)


def test_potentials_have_units_and_a_mean_instead_of_a_total() -> None:
    layer = brnn.MembraneLayer("V", 3, C=1.0, V_plus=50.0, V_minus=-80.0, V_p=-60.0, g_p=1.0)
    network = brnn.Network("cells", [layer], [], [brnn.Stimulus("V", "excitatory", [0.0, 1.0, 2.0])], time_units="s")
    result = brnn.simulate(network, duration=2.0)
    assert [ax.get_ylabel() for ax in plot.run_figure(result).axes] == ["potential (mV)"]
    figure = plot.run_figure(result, names="V")
    assert [ax.get_ylabel() for ax in figure.axes] == ["potential (mV)", "mean potential (mV)", "potential (mV)"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["time (s)", "time (s)", "cell"]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), result["V.x"].mean("V"), rtol=1e-12)
    with pytest.raises(InputError, match="'total'"):
        plot.run_figure(result, "total")


def test_gates_and_weights_are_drawn_after_the_layers() -> None:
    projection = brnn.Projection(
        "S",
        "P",
        topology=brnn.AllToAll(),
        gate=brnn.HabituativeGate(H=0.1, K=1.0, L=1.0),
        learning=brnn.Outstar(rate=1.0, initial=0.5),
    )
    layers = [brnn.Layer.shunting("S", 1, 1.0, 1.0), brnn.Layer.shunting("P", 3, 1.0, 1.0)]
    network = brnn.Network("outstar", layers, [projection], [brnn.Stimulus("S", "excitatory", 1.0)])
    result = brnn.simulate(network, duration=2.0)
    figure = plot.run_figure(result, "time")
    own = [title for title in titles(figure) if "total" not in title and "mean" not in title]
    assert own == ["S: activities", "P: activities", "S_P_exc: gates", "S_P_exc: weights"]
    # The total of one cell or one gate is its activity again.
    assert set(titles(figure)) - set(own) == {"P: total activity", "S_P_exc: mean weight"}
    (ax, _) = plot.run_figure(result, "time", names="S_P_exc.z").axes
    np.testing.assert_array_equal(ax.lines[2].get_ydata(), result["S_P_exc.z"][:, 2, 0])
    assert [line.get_label() for line in ax.lines] == ["0 to 0", "0 to 1", "0 to 2"]


def test_times_whose_spacing_doubles_get_an_axis_that_shows_the_beginning() -> None:
    ax, other = plot.new_figure(6, 3).subplots(1, 2)
    doubling = np.concatenate(
        [np.linspace(0.0, 1.0, 201), *(np.linspace(1.0, 2.0, 101)[1:] * 2.0**k for k in range(8))]
    )
    plot.draw_total(ax, doubling, {"F": doubling})
    plot.draw_total(other, np.linspace(0.0, 100.0, 201), {"F": np.ones(201)})
    assert (ax.get_xscale(), other.get_xscale()) == ("symlog", "linear")
    assert ax.get_xlim() == (0.0, 256.0)
    middle = ax.transData.transform((1.0, 0.0))[0] - ax.transData.transform((0.0, 0.0))[0]
    whole = ax.transData.transform((256.0, 0.0))[0] - ax.transData.transform((0.0, 0.0))[0]
    assert 0.2 < middle / whole < 0.8


def test_a_run_to_rest_says_so() -> None:
    result = brnn.simulate(field(PATTERN, signal=brnn.Sigmoid(half=0.5)), until="steady")
    assert f"at rest at t = {result.times[-1]:.4g}" in words(plot.run_figure(result))


def test_an_incomplete_run_says_so(small: Any) -> None:
    class Cut(dict[str, Any]):
        network = small.network
        status = "incomplete"

    assert "incomplete: reached t = 4" in words(plot.run_figure(Cut(small)))


def test_long_runs_are_thinned_and_read_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", 8 * 5 * 7)  # seven times of five cells
    result = brnn.simulate(field(PATTERN), duration=4.0, times=np.linspace(0.0, 4.0, 5001))
    line = plot.run_figure(result, "total").axes[0].lines[0]
    times = np.asarray(line.get_xdata())
    assert times.size == 600
    assert (times[0], times[-1]) == (0.0, 4.0)
    np.testing.assert_allclose(line.get_ydata(), result.total("F").sel(time=times), rtol=1e-12)


def test_an_endless_fast_input_does_not_fill_the_memory() -> None:
    layer = brnn.Layer.shunting("F", 2, 1.0, 1.0)
    noise = brnn.Stimulus("F", "excitatory", [1.0, 2.0], brnn.Noise(seed=1, interval=1e-3))
    result = brnn.simulate(brnn.Network("noisy", [layer], [], [noise], duration=0.1))
    assert titles(plot.run_figure(result)) == ["Activities"]


@pytest.mark.parametrize("signal", [brnn.Linear(2.0), brnn.Power(1.0, 2.0), brnn.Saturating(1.0, 0.3), brnn.Sigmoid()])
def test_signals_and_hill_functions_are_drawn_as_they_are(signal: brnn.Signal) -> None:
    first, second = plot.new_figure(6, 3).subplots(1, 2)
    plot.draw_signal(first, signal, 3.0)
    plot.draw_hill(second, signal, 3.0)
    w = np.asarray(first.lines[0].get_xdata())
    np.testing.assert_array_equal(first.lines[0].get_ydata(), signal(w))
    w = np.asarray(second.lines[0].get_xdata())
    np.testing.assert_array_equal(second.lines[0].get_ydata(), signal.hill(w))
    assert (w[0] > 0, w[-1]) == (True, 3.0)


def test_shares_sum_to_one_and_nothing_has_none() -> None:
    np.testing.assert_allclose(plot.shares([1.0, 3.0]), [0.25, 0.75])
    np.testing.assert_array_equal(plot.shares(np.zeros((2, 2))), np.zeros(4))


@pytest.mark.parametrize("kind", ["graph", "Time", "", None, 3])
def test_unknown_kinds_are_refused_in_one_line(small: Any, kind: Any) -> None:
    with pytest.raises(InputError, match="must be one of auto, time, image, pattern, total") as caught:
        plot.run_figure(small, kind)
    assert "\n" not in str(caught.value)


def test_unknown_layers_and_images_of_rows_are_refused(small: Any) -> None:
    with pytest.raises(InputError, match="'F9' was not recorded"):
        plot.run_figure(small, names="F9")
    with pytest.raises(InputError, match="two dimensions"):
        plot.run_figure(small, "image")


# No global state -------------------------------------------------------------------------------------------


def test_a_figure_needs_no_display_and_no_pyplot() -> None:
    code = (
        "import sys, io, numpy as np, brnn\n"
        "layer = brnn.Layer.shunting('F', (3, 4), 1.0, 1.0, initial=0.5)\n"
        "result = brnn.simulate(brnn.Network('n', [layer]), 1.0)\n"
        "for kind in brnn.plot.KINDS:\n"
        "    brnn.plot.run_figure(result, kind).savefig(io.BytesIO())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=_without_display())


def _without_display() -> dict[str, str]:
    import os

    return {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    }


def test_a_figure_leaves_nothing_behind(small: Any) -> None:
    before = dict(matplotlib.rcParams)
    figure = plot.run_figure(small)
    alive = weakref.ref(figure)
    del figure
    gc.collect()
    assert alive() is None
    assert dict(matplotlib.rcParams) == before


# Files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("jpg", b"\xff\xd8")]
)
def test_the_suffix_says_the_format(small: Any, tmp_path: Path, suffix: str, begins: bytes) -> None:
    target = plot.save(plot.run_figure(small), tmp_path / f"run.{suffix}")
    assert target.read_bytes().startswith(begins)
    assert [entry.name for entry in tmp_path.iterdir()] == [target.name]


def test_a_png_has_the_size_of_the_figure_and_more_than_white(small: Any, tmp_path: Path) -> None:
    figure = plot.run_figure(small)
    plot.save(figure, str(tmp_path / "run.PNG"))
    with Image.open(tmp_path / "run.PNG") as image:
        width, height = figure.get_size_inches()
        assert image.size == (round(120 * width), int(120 * height))
        assert len(image.convert("RGB").getcolors(2**24)) > 100


def test_an_existing_file_is_kept_unless_forced(small: Any, tmp_path: Path) -> None:
    target = tmp_path / "run.png"
    target.write_text("mine")
    with pytest.raises(FileError, match=r"exists; use force=True \(--force on the command line\)"):
        plot.save(plot.run_figure(small), target)
    assert target.read_text() == "mine"
    plot.save(plot.run_figure(small), target, force=True)
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["run.gif", "run", "run.png.txt", "run.pgn"])
def test_unknown_formats_are_refused(small: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="must end in one of .png") as caught:
        plot.save(plot.run_figure(small), tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_folders_that_do_not_exist_and_folders_are_refused(small: Any, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        plot.save(plot.run_figure(small), tmp_path / "no" / "run.png")
    (tmp_path / "run.png").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        plot.save(plot.run_figure(small), tmp_path / "run.png", force=True)


def test_a_figure_that_cannot_be_written_leaves_the_old_file(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run.png"
    target.write_text("mine")
    figure = plot.run_figure(small)

    def full(path: Path, **options: Any) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(FileError, match="No space left on device"):
        plot.save(figure, target, force=True)
    assert target.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.png"]
