"""The figure of every model is one that can be shown; descriptions are data; other networks get what fits them."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image

import brnn
from brnn import models, plot
from brnn.errors import FileError, InputError
from brnn.figures import Curve, FigureDescription, Level, Panel, describe, figure
from brnn.figures.description import Band, Bars, Lines, Mark, Picture, Raster
from brnn.figures.own import figure_of, figure_of_model

DATA = (Band, Bars, Curve, Lines, Picture, Raster)


@cache
def run_of(name: str) -> Any:
    """Return a run of a published model as it is by default."""
    return brnn.simulate(models.load(name).build(), rtol=1e-4, atol=1e-7)


def numbers(mark: Mark) -> np.ndarray:
    """Return what a mark shows, without the times."""
    for field in ("heights", "values", "y", "rows", "low"):
        if isinstance(mark, Lines) and field == "values":
            continue
        if hasattr(mark, field):
            return np.ravel(getattr(mark, field))
    return np.empty(0)


def shown(panel: Panel) -> list[bytes]:
    """Return the simulated data of a panel, to be compared with those of others."""
    simulated = [mark for mark in panel.marks if isinstance(mark, DATA) and getattr(mark, "role", "") != "predicted"]
    return [
        numbers(mark).tobytes()
        for mark in simulated
        if getattr(mark, "role", "simulated") == "simulated" and numbers(mark).size > 3 and np.ptp(numbers(mark)) > 0
    ]


def texts(drawn: Figure) -> list[tuple[str, Any]]:
    """Return every text that can be read, with its place in pixels."""
    found: list[Any] = list(drawn.texts)
    for ax in drawn.axes:
        found += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]  # type: ignore[attr-defined]
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            ends = sorted((low, high))
            margin = 1e-9 * (ends[1] - ends[0])
            ticks = [tick for tick in axis.get_major_ticks() if ends[0] - margin <= tick.get_loc() <= ends[1] + margin]
            found += [label for tick in ticks for label in (tick.label1, tick.label2) if label.get_visible()]
        legend = ax.get_legend()
        if legend is not None:
            found += legend.get_texts()
    readable = [part for part in found if part.get_visible() and part.get_text().strip()]
    return [(part.get_text(), part.get_window_extent()) for part in readable]


def overlapping(drawn: Figure) -> list[tuple[str, str]]:
    """Return the pairs of texts that lie over each other by more than a pixel, and those that leave the figure."""
    found = texts(drawn)
    width, height = drawn.get_size_inches() * drawn.dpi
    pairs = [
        (name, "the edge")
        for name, box in found
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    for (first, a), (second, b) in itertools.combinations(found, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1:
            pairs.append((first, second))
    return pairs


def empty(ax: Axes, panel: Panel) -> bool:
    """Tell whether nothing of a panel's data can be seen within its limits, or all of it is 0 at all times."""
    (x0, x1), (y0, y1) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    simulated = [mark for mark in panel.marks if isinstance(mark, (Curve, Lines)) and _is_simulated(mark)]
    if (
        panel.x.startswith("time")
        and simulated
        and len(simulated) == sum(isinstance(mark, DATA) for mark in panel.marks)
    ):
        y = np.concatenate([mark.y.ravel() for mark in simulated])
        if y.size and not np.nan_to_num(y).any():
            return True
    for mark in panel.marks:
        if isinstance(mark, (Bars, Picture)) and np.isfinite(numbers(mark)).any():
            return False
        if isinstance(mark, (Curve, Raster, Lines, Band)) and getattr(mark, "role", "simulated") == "simulated":
            y = mark.low if isinstance(mark, Band) else mark.rows if isinstance(mark, Raster) else mark.y
            x = np.broadcast_to(mark.x if y.ndim == 1 else mark.x[:, None], y.shape)
            if np.any((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)):
                return False
    return True


def _is_simulated(mark: Mark) -> bool:
    return getattr(mark, "role", "simulated") == "simulated"


def covered(ax: Axes) -> list[str]:
    """Return the curves, points and bars of axes over which their legend lies."""
    legend = ax.get_legend()
    if legend is None:
        return []
    box = legend.get_window_extent().padded(-2.0)
    found = []
    for line in ax.lines:
        path = line.get_transform().transform_path(line.get_path()).cleaned(remove_nans=True)
        drawn = line.get_linestyle() not in ("None", "none")
        over = path.intersects_bbox(box, filled=False) if drawn else box.count_contains(path.vertices) > 0
        if over and ax.bbox.overlaps(box):
            found.append(str(line.get_label()))
    for bar in ax.patches:
        if isinstance(bar, Rectangle) and bar.get_height() and not isinstance(bar, FancyBboxPatch):
            across = bar.get_window_extent()
            spans = across.height >= ax.bbox.height - 1.0  # the time in which an input is on
            found += ["a bar"] if not spans and across.overlaps(box) else []
    for group in ax.collections:
        for path in group.get_paths() if isinstance(group, LineCollection) else ():
            if group.get_transform().transform_path(path).intersects_bbox(box, filled=False):
                found.append("a line")
                break
    return found


# Models of which theory says something that no general predictor knows.
PREDICTED = {
    "caianiello", "elman", "grid_cells", "gru", "jordan", "listelos", "lstm", "mingru", "saccade_generator", "vistars",
}  # fmt: skip


@pytest.mark.parametrize("name", models.names())
def test_every_model_has_a_figure_that_can_be_shown(name: str) -> None:
    result = run_of(name)
    own = figure_of(models.load(name))
    assert own is not None
    description = own(result)  # here an error of the function is seen, which `describe` answers with the usual figure
    assert description is not None
    assert description.title != name.replace("_", " ")
    for first, second in itertools.combinations(description.panels, 2):
        assert not set(shown(first)) & set(shown(second)), f"'{first.title}' and '{second.title}' show the same"
    marks = [mark for panel in description.panels for mark in panel.marks]
    assert name not in PREDICTED or any(getattr(mark, "role", "") == "predicted" for mark in marks)
    drawn = plot.draw_figure(description)
    drawn.draw_without_rendering()
    panels = [ax for ax in drawn.axes if ax.get_label() != "<colorbar>"]
    assert len(panels) == len(description.panels)
    for ax, panel in zip(panels, description.panels, strict=True):
        assert not empty(ax, panel), f"'{panel.title}' is empty"
        assert covered(ax) == [], f"the legend of '{panel.title}' lies over them"
    assert overlapping(drawn) == []


def test_what_the_test_of_the_figures_looks_for_is_found() -> None:
    line = Curve([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0])
    twice = FigureDescription("twice", "", [[Panel("a", [line]), Panel("b", [line.__class__(line.x + 1.0, line.y)])]])
    assert set(shown(twice.panels[0])) & set(shown(twice.panels[1]))
    hidden = Panel("hidden", [line], x_limits=(5.0, 6.0))
    drawn = plot.draw_figure(FigureDescription("over", "", [[hidden]]))
    assert empty(drawn.axes[0], hidden)
    drawn.axes[0].text(5.5, 1.0, "one over")
    drawn.axes[0].text(5.5, 1.0, "the other")
    drawn.draw_without_rendering()
    assert ("one over", "the other") in overlapping(drawn)


# Descriptions ----------------------------------------------------------------------------------------------------


def test_a_description_is_data_that_json_takes_with_its_arrays_apart_or_within() -> None:
    description = describe(run_of("rcf"))
    text = json.dumps(description.to_dict(), allow_nan=False)
    assert json.loads(text)["title"] == description.title
    arrays: dict[str, np.ndarray] = {}
    plain = description.to_dict(arrays)
    curve = next(m for row in plain["rows"] for p in row for m in p["marks"] if m["type"] == "Curve" and m["label"])
    x = run_of("rcf")["rcf.x"].values
    assert any(np.array_equal(arrays[curve["y"]["array"]], x[:, k]) for k in range(10))
    assert '"array"' in json.dumps(plain)


def test_arrays_of_a_description_are_its_own_and_cannot_be_changed() -> None:
    given = np.array([1.0, 2.0])
    curve = Curve([0, 1], given)
    given[0] = 9.0
    assert curve.y.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        curve.y[0] = 3.0


def test_gaps_are_no_numbers_in_json() -> None:
    description = FigureDescription("gap", "", [[Panel("p", [Curve([0.0, 1.0], [np.nan, 1.0])])]])
    assert description.to_dict()["rows"][0][0]["marks"][0]["y"] == [None, 1.0]


# Which figure ----------------------------------------------------------------------------------------------------


def test_a_file_is_drawn_as_its_model_and_says_what_theory_says(tmp_path: Path) -> None:
    run_of("gated_dipole").save(tmp_path / "dipole.h5")
    with brnn.open(tmp_path / "dipole.h5") as result:
        description = describe(result)
    assert description.title == "A channel that was used rebounds when its input ends"
    points = {float(m.y[0]) for m in description.panels[0].marks if isinstance(m, Curve) and m.role == "predicted"}
    # H K L S_2 (S_1 - S_2)/(h_1 h_2) with H = 0.05, L = 0.01, I = 1, J = 10: 50/96 = 0.52083333 (Grossberg 1972).
    assert any(abs(point + 0.52083333) < 1e-8 for point in points)


@pytest.mark.parametrize(
    "settings",
    [
        ("gated_dipole", {"pattern": [10.0, 5.0]}),
        ("gated_dipole", {"on": np.inf, "burst": 6.0}),
        ("rcf", {"n": (8, 8)}),
        ("rcf", {"signal": brnn.Linear()}),
        ("wilson_cowan", {"n": 3}),
        ("may_leonard", {"logarithmic": False, "a": 0.5, "b": 0.6}),
        ("store", {"n": 3, "items": [0, 1, 0]}),
        ("bam", {"kind": "discrete"}),
        ("slow_inhibition", {"n": 4, "pattern": [0.1, 0.2, 0.1, 0.05]}),
        ("leaky_competing_accumulator", {"signal": brnn.Linear()}),
    ],
    ids=str,
)
def test_variants_of_a_model_are_drawn_too(settings: tuple[str, dict[str, Any]]) -> None:
    name, values = settings
    network = models.load(name).build(**values)
    result = brnn.simulate(network, min(network.duration, 90.0))
    plot.draw_figure(describe(result)).draw_without_rendering()


def test_another_network_with_the_name_of_a_model_gets_the_usual_figure() -> None:
    network = brnn.Network("gated_dipole", [brnn.Layer.additive("on", 3, A=1.0, initial=[1.0, 2.0, 3.0])])
    description = describe(brnn.simulate(network, 1.0))
    assert description.title == "gated dipole"
    same = brnn.Network("store", [brnn.Layer.additive(name, 3, A=1.0, initial=1.0) for name in ("store", "trace")])
    assert describe(brnn.simulate(same, 1.0)).title == "store"
    assert figure_of_model("os") is None


def test_a_users_own_figure_is_drawn_and_its_errors_are_seen() -> None:
    network = brnn.Network("mine", [brnn.Layer.additive("F", 2, A=1.0, initial=[1.0, 2.0])])
    result = brnn.simulate(network, 1.0)

    @figure("F.x")
    def decay(run: Any) -> FigureDescription:
        return FigureDescription("It decays", run.below, [[Panel("x", [Curve(run.times("F"), run.cell("F", 1))])]])

    own = globals()["FIGURE"]  # of the module in which it is declared
    assert own is decay
    assert describe(result, own).title == "It decays"
    assert describe(result).title == "mine"
    wrong = figure("F.x")(lambda run: run.nothing)
    with pytest.raises(AttributeError):
        describe(result, wrong)
    with pytest.raises(InputError, match="must name the variables"):
        figure("F")


def test_layers_of_one_cell_share_a_panel_with_a_line_each() -> None:
    layers = [brnn.Layer.additive(name, 1, A=1.0, initial=1.0) for name in ("a", "b", "c")]
    (panel,) = describe(brnn.simulate(brnn.Network("three", layers), 1.0)).panels
    assert [mark.label for mark in panel.marks] == ["a", "b", "c"]  # type: ignore[attr-defined]


def test_two_coupled_variables_have_a_phase_plane_with_their_nullclines() -> None:
    layers = [brnn.Layer.additive("u", 1, A=1.0, initial=1.0), brnn.Layer.additive("v", 1, A=1.0, initial=0.2)]
    links = [brnn.Projection("u", "v", "excitatory", brnn.Linear(2.0)), brnn.Projection("v", "u", "inhibitory")]
    network = brnn.Network("pair", layers, links, [brnn.Stimulus("u", "excitatory", 3.0)])
    plane = describe(brnn.simulate(network, 8.0)).panels[-1]
    curves = {mark.label: mark for mark in plane.marks if isinstance(mark, Curve)}
    # du/dt = -u + 3 - v and dv/dt = -v + 2 u are 0 on two straight lines.
    first, second = curves["u at rest"], curves["v at rest"]
    inside = np.isfinite(first.x)
    np.testing.assert_allclose(first.x[inside] + first.y[inside], 3.0, atol=1e-9)
    inside = np.isfinite(second.x)
    np.testing.assert_allclose(second.y[inside], 2.0 * second.x[inside], atol=1e-9)
    np.testing.assert_allclose([curves["end"].x[0], curves["end"].y[0]], [1.0, 2.0], atol=1e-2)


def test_levels_of_theory_stand_at_the_end_of_each_phase() -> None:
    pattern = np.array([1.0, 3.0])
    network = brnn.Network(
        "driven",
        [brnn.Layer.shunting("F", 2, A=1.0, B=1.0)],
        [],
        [brnn.Stimulus("F", "excitatory", pattern, brnn.Pulse(0.0, 5.0))],
        duration=12.0,
    )
    (panel,) = describe(brnn.simulate(network)).panels
    levels = [m for m in panel.marks if isinstance(m, Curve) and m.role == "predicted"]
    assert [float(m.x[0]) for m in levels] == [5.0, 12.0]
    np.testing.assert_allclose(levels[0].y, pattern / (1.0 + pattern))  # I B/(A + I)
    np.testing.assert_allclose(levels[1].y, 0.0)


def test_binary_cells_are_a_raster_long_layers_an_image_and_weights_a_matrix() -> None:
    (raster,) = describe(brnn.simulate(models.load("caianiello").build().replace(name="other"))).panels
    assert any(isinstance(mark, Raster) for mark in raster.marks)
    layer = brnn.Layer.additive("F", 100, A=1.0, initial=np.linspace(0.0, 1.0, 100))
    (image,) = describe(brnn.simulate(brnn.Network("long", [layer]), 1.0)).panels
    (picture,) = image.marks
    assert isinstance(picture, Picture)
    assert picture.values.shape[0] == 100
    learned = brnn.Projection("S", "P", topology=brnn.AllToAll(), learning=brnn.Outstar(rate=1.0, initial=0.5))
    layers = [brnn.Layer.additive("S", 4, A=1.0, initial=1.0), brnn.Layer.additive("P", 5, A=1.0)]
    matrix = describe(brnn.simulate(brnn.Network("outstars", layers, [learned]), 1.0)).panels[-1]
    assert matrix.marks[0].values.shape == (5, 4)  # type: ignore[attr-defined]


def test_images_of_a_field_show_what_changes_and_nothing_twice() -> None:
    x = np.linspace(0.1, 1.0, 48).reshape(6, 8)
    decay = brnn.Network("decay", [brnn.Layer.additive("F", (6, 8), A=1.0, initial=x)])
    titles = [panel.title for panel in describe(brnn.simulate(decay, 4.0, times=np.linspace(0.0, 4.0, 41))).panels]
    # 1 - exp(-t) is half of 1 - exp(-4) at t = 0.675: the next of the times that are saved is 0.7.
    assert titles == ["t = 0", "t = 0.7", "t = 4"]
    still = brnn.Network("still", [brnn.Layer.additive("F", (6, 8), A=0.0, initial=x)])
    assert [panel.title for panel in describe(brnn.simulate(still, 4.0)).panels] == ["t = 0"]


def test_lines_can_be_told_apart_without_colors() -> None:
    assert len({str(plot.style.DASHES[k]) for k in range(6)}) == 6
    level = Level(1.0, "predicted")
    drawn = plot.draw_figure(FigureDescription("l", "", [[Panel("p", [Curve([0, 1], [0, 1], "run"), level])]]))
    run, line = drawn.axes[0].lines
    assert (run.get_linestyle(), line.get_linestyle()) == ("-", "--")


# Animations ------------------------------------------------------------------------------------------------------


def test_a_field_and_a_row_of_cells_move(tmp_path: Path) -> None:
    x = np.linspace(0.0, 1.0, 48)
    layers = [brnn.Layer.additive("F", (6, 8), A=1.0, initial=x.reshape(6, 8)), brnn.Layer.additive("G", 9, A=0.0)]
    network = brnn.Network("both", layers, [], [brnn.Stimulus("G", "excitatory", 1.0)])
    result = brnn.simulate(network, 2.0, times=np.linspace(0.0, 2.0, 7))
    for layer in (None, "G"):
        target = plot.animate(result, tmp_path / f"{layer}.gif", layer=layer)
        with Image.open(target) as moving:
            assert moving.n_frames == 7  # type: ignore[attr-defined]
            pictures = []
            for k in (0, 6):
                moving.seek(k)
                pictures.append(np.asarray(moving.convert("L"), dtype=float))
        change = pictures[1] - pictures[0]
        if layer is None:  # cells decay: their squares get darker
            assert change.min() < -100
        assert np.abs(change).max() > 50
    with pytest.raises(FileError, match="exists"):
        plot.animate(result, tmp_path / "G.gif")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg: apt-get install ffmpeg")
def test_ffmpeg_writes_a_film(tmp_path: Path) -> None:
    layer = brnn.Layer.additive("F", (4, 4), A=1.0, initial=np.arange(16.0).reshape(4, 4))
    result = brnn.simulate(brnn.Network("fades", [layer]), 2.0, times=np.linspace(0.0, 2.0, 7))
    film = plot.animate(result, tmp_path / "film.mp4")
    raw = tmp_path / "film.gray"
    words = ["ffmpeg", "-loglevel", "error", "-i", str(film), "-f", "rawvideo", "-pix_fmt", "gray", str(raw)]
    subprocess.run(words, check=True)
    frames = np.frombuffer(raw.read_bytes(), dtype=np.uint8).reshape(7, -1).astype(float)  # each saved time is one
    assert np.abs(frames[-1] - frames[0]).max() > 50


def test_what_cannot_move_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = brnn.simulate(brnn.Network("one", [brnn.Layer.additive("F", 1, A=1.0, initial=1.0)]), 1.0)
    with pytest.raises(InputError, match="nothing to animate"):
        plot.animate(result, tmp_path / "a.gif")
    with pytest.raises(InputError, match=r"layer 'G': there is F"):
        plot.animate(result, tmp_path / "a.gif", layer="G")
    with pytest.raises(InputError, match=r"must end in one of .gif, .mp4"):
        plot.animate(result, tmp_path / "a.avi")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(FileError, match=r"a.mp4: needs the program ffmpeg, which is not installed here"):
        plot.animate(result, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
