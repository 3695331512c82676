"""The simulation scripts: exit code, table, result file and figure.

Each runs once, inside of this process, which has the libraries and the compiled code of its networks already. One
script stands for all where a process of its own is started, as a user does.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import brnn

FOLDER = Path(__file__).parents[2] / "simulations"

# Script, options that make it quick, layers in its file, words of its table.
SCRIPTS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "art_categories": (
        ["--digits", "5", "--lists", "2", "--length", "20"],
        ["input", "F1", "F2"],
        ["ART 1: category of each", "fuzzy ART: all weights", "lists: presentations until stable"],
    ),
    "circle_in_the_square": (
        ["--points", "60", "--seeds", "1"],
        ["input", "category", "instar", "prediction"],
        ["dARTMAP: tau = largest", "fuzzy ARTMAP: boxes of its patterns", "dARTMAP: answers of the network"],
    ),
    "memory_tasks": (
        ["--seeds", "1", "--sequences", "20", "--training", "1"],
        ["rcf"],
        ["STORE: ten lists of 5, by rank", "copy: constant answer, 10 ln 8", "Elman, trained"],
    ),
    "fit_recovery": (
        ["--sets", "10"],
        ["rcf"],
        ["competitive field, A: share of", "dipole, H: spread in standard", "pair: estimated noise / true"],
    ),
    "competitive_learning": ([], ["input", "category"], ["sparse: winner of each", "dense, round 3"]),
    "liapunov_descent": (
        [],
        ["hopfield", "field", "species", "bam_F1", "bam_F2"],
        ["changes of V", "dV/dt by (34)", "z = f(x) f(y)"],
    ),
    "outstar_learning": ([], ["source", "border"], ["Z_j = theta_j", "recall with 100 times the cue"]),
    "voting_paradox": ([], ["weak", "balanced", "strong"], ["3 against 1", "last factor of dwell times"]),
    "art2_search": (
        [],
        ["w", "u", "length_r", "F2", "chosen"],
        ["a, rho = 0.95, in the limit", "d, rho = 0, in the limit", "|z_J| goes to 1/(1 - d)"],
    ),
    "fading_contours": (
        ["--side", "28"],
        ["luminance", "dipole_h", "dipole_v"],
        ["threshold of z, unadapted", "1 s into the test: grey"],
    ),
    "fading_conditions": (
        ["--flicker", "5.9", "--only", "annuli", "white"],
        ["luminance", "dipole_h", "dipole_v"],
        ["white: the patch mixes with its dark", "annuli: the ring flows into its"],
    ),
    "grip_force": (
        ["--trials", "2"],
        ["grip", "slip", "nuclear"],
        ["slip: first slip, load/(40 gain) less", "slip: mossy fibre at rest", "slip: S passes 0.1 in trial 1"],
    ),
    "grids_by_rates": (["--seeds", "1", "--minutes", "0.5"], ["map", "stripes"], ["sums of weights, as found"]),
    "grid_cells": (
        ["--trials", "2", "--minutes", "0.5", "--cells", "12", "--places", "5"],
        ["grid0", "place", "stripes0_nmda"],
        ["35 cm: sums of weights do not pass 1", "path: mean speed"],
    ),
    "saccade_tasks": (
        ["--quick"],
        ["M", "colliculus", "gaze"],
        ["a list: 38, 14, 38, 68: sites", "gap of 500 ms: latency", "the same, stimulated at 21"],
    ),
    "heading_from_flow": (
        ["--rows", "24", "--columns", "80", "--scenes", "2", "--finer", "1"],
        ["mt", "mstd"],
        ["scenes within a template's width", "photograph: column of the", "scenes with finer steps"],
    ),
    "gated_dipole": (
        ["--columns", "12"],
        ["on", "off", "on_input"],
        ["OFF rebound at the offset of J", "threshold of the burst"],
    ),
    "free_recall": (
        ["--lists", "20"],
        ["store", "trace", "choice", "done"],
        ["40-1: network, Phi((y - h)/s)", "words recalled, Table 1 of", "primacy: the first word"],
    ),
    "store_gradients": (
        [],
        [f"{name}{part}" for name in ("primacy", "bow", "recency", "attended") for part in ("", "_trace")],
        ["ratios of neighbours, for", "total after each item", "spans at 25 strengths A"],
    ),
    "lateral_inhibition": (
        [],
        [f"{kind}_{total}" for kind in ("limulus", "shunting") for total in (1, 10, 100)],
        ["Limulus, linear solution", "shunting, closed form", "over- and undershoot"],
    ),
    "oscillations": ([], ["cells", "interneurons"], ["wave: speed", "Wilson-Cowan: period, tabled"]),
    "phase_plane": ([], ["cells", "interneurons"], ["where the nullclines cross", "cycle: period"]),
    "hopf_of_slow_inhibition": ([], ["cells", "interneurons"], ["trace of the Jacobian 0", "e = 0.75: period"]),
    "bifurcation_of_storage": ([], ["rcf"], ["3 cells: fold at B = 2 sqrt(k A)", "B = 1.98: quenched"]),
    "noise_saturation": ([], ["off_surround", "no_surround"], ["total activity, B I/(A + I)", "no off-surround"]),
    "pattern_transformation": (
        [],
        [f"{name}{part}" for name in ("linear", "slower", "faster", "sigmoid") for part in ("", "_noise")],
        ["linear: stored activities", "faster: stored activities", "sigmoid: survivors"],
    ),
    "quenching_threshold": (["--quick"], ["graded", "smooth", "qt_below", "qt_above"], ["QT on X_i", "smooth, limit"]),
    "weber_law_and_shift": ([], ["J_1", "J_10", "J_100", "J_1000"], ["shift at x = B/2", "Weber law"]),
    "avalanche_replay": (
        ["--frames", "24", "--width", "8"],
        ["command", "chain", "screen"],
        ["frames in their place", "time for each frame", "the screen fades exp(-S t)"],
    ),
    "chunking": (
        [],
        [f"{part}_{name}" for part in ("items", "field") for name in ("MY", "SELF", "ELF", "MYSELF", "letters")],
        ["MYSELF presented: choice state", "winner after MY, and after"],
    ),
    "serial_position": ([], ["items"], ["threshold 0: hardest position", "pause: all positions easier"]),
    "image_normalization": (
        ["--width", "24"],
        ["photograph"] + [f"{layer}_{k}" for layer in ("F1", "F2") for k in range(1, 5)],
        ["total of F1, B I/(A + I)", "total stored by F2, B - A/C", "reflectances theta_i"],
    ),
    # Last: their networks, the largest, are those of claims, which another process compiles meanwhile.
    "choice_curves": (["--pairs", "1", "--quick"], ["M", "gaze"], ["no stimulation: what was", "never more often"]),
    "eye_movements": (
        [],
        ["colliculus", "burst", "tonic"],
        ["where lisTELOS sends the eye", "sizes (degrees), from site", "from command to movement"],
    ),
}

# Scripts whose file is that of a sweep: options, variables along `member`, words of the table.
SWEEPS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "store_span_map": (
        ["--strengths", "40", "--longest", "4"],
        ["trough", "rises"],
        ["gradients that differ from theory", "transient memory span", "A_4 = 0.1981"],
    ),
    "regime_map": (
        ["--side", "24"],
        ["rcf.regime", "rcf.total", "rcf.winner"],
        ["edge of storage", "roots of h(x)(B - x) = A"],
    ),
    "quenching_threshold_map": (["--rates", "5", "--shares", "41"], ["field.x"], ["QT over A", "one threshold each"]),
    "regime_prediction": (
        ["--fields", "40"],
        ["rcf.x"],
        ["sigmoid, cells that are alike", "saturating, cells that differ", "left open by theory"],
    ),
    "dipole_rebound_map": (["--side", "12"], ["rebound"], ["OFF rebound at the offset of J", "inverted U"]),
    "microstimulation_map": (["--every", "28"], ["first", "latency"], ["and beside it: 56 first", "second target: 20"]),
}
SCRIPTS |= SWEEPS

Process = subprocess.CompletedProcess[str]


def run(name: str, *arguments: object, cwd: Path) -> Process:
    """Run a script in a process of its own."""
    words = [sys.executable, str(FOLDER / f"{name}.py"), *(str(argument) for argument in arguments)]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


@dataclass
class Ran:
    """What a call of a script's `main` left: its exit code, what it printed, and the folder it ran in."""

    name: str
    main: Callable[[list[str]], int]
    folder: Path
    code: int = -1
    out: str = ""
    err: str = ""

    def run(self, *arguments: str) -> Ran:
        """Call `main` in the folder, with the options that make the script quick."""
        words = [*SCRIPTS[self.name][0], *arguments]
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
            pytest.MonkeyPatch.context() as patch,
        ):
            # Warnings of libraries, of a font that is missing for example, are printed if nobody handles them.
            patch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler()])
            code = self.main(words)
        return Ran(self.name, self.main, self.folder, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that imports a script, as `python` does, with its own folder on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))

        def load(name: str) -> ModuleType:
            spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, module)  # dataclasses look their module up
            spec.loader.exec_module(module)
            return module

        yield load
    sys.modules.pop("_common", None)


@pytest.fixture(scope="module", params=SCRIPTS)
def ran(
    request: pytest.FixtureRequest, script: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    """Run each script once, with a result file and a figure."""
    name = request.param
    return Ran(name, script(name).main, tmp_path_factory.mktemp(name)).run("-o", "run.h5", "--plot", "run.png")


def test_every_script_of_the_folder_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("[!_]*.py")} == set(SCRIPTS)


def test_every_prediction_holds_and_stands_in_the_table(ran: Ran) -> None:
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["claim", "predicted", "measured", "difference", "tolerance", "verdict"]
    rows = [line for line in lines if line.endswith("  ok")]
    assert f"{len(rows)} of {len(rows)} predictions hold" in lines[-1]
    assert "FAILED" not in ran.out
    for words in SCRIPTS[ran.name][2]:
        assert words in ran.out


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_the_file_opens_in_xarray(ran: Ran, engine: str) -> None:
    name, folder = ran.name, ran.folder
    if name in SWEEPS:
        with xr.open_dataset(folder / "run.h5", engine=engine) as dataset:
            assert dataset.sizes["member"] > (2 if name == "microstimulation_map" else 100)  # of 4,000 unknowns each
            assert (dataset["status"].values > 0).all()
            for variable in SWEEPS[name][1]:
                assert dataset[variable].dims[0] == "member"
        return
    with xr.open_datatree(folder / "run.h5", engine=engine) as tree:
        for layer in SCRIPTS[name][1]:
            x = tree[layer]["x"]
            assert x.dims[0] == "time"
            assert x.sizes["time"] > 40
            assert bool(np.isfinite(x.values).all())
            assert x.attrs["units"] == "1"


def test_the_file_opens_in_brnn_and_holds_the_network(ran: Ran) -> None:
    name, folder = ran.name, ran.folder
    with brnn.open(folder / "run.h5") as result:
        if name in SWEEPS:
            assert isinstance(result, xr.Dataset)
            assert int(result.attrs["failed"]) == int(result.attrs["missing"]) == 0
            assert set(brnn.Design.from_json(result.attrs["design"]).names) <= set(result.coords)
            return
        assert result.status == "complete"
        assert result.network.name == name
        assert set(SCRIPTS[name][1]) <= {layer.name for layer in result.network.layers}


def test_the_figure_is_an_image_of_sensible_size(ran: Ran) -> None:
    with Image.open(ran.folder / "run.png") as image:
        assert image.format == "PNG"
        assert 1000 <= image.width <= 2500
        assert 500 <= image.height <= 2500
        pixels = np.asarray(image.convert("RGB"), dtype=int)
    # Axes, ticks and words are grey: what has a hue was drawn for the data.
    assert (np.ptp(pixels, axis=2) > 30).mean() > 0.005


def test_nothing_else_is_written(ran: Ran) -> None:
    assert sorted(path.name for path in ran.folder.iterdir()) == ["run.h5", "run.png"]


def test_files_are_replaced_only_with_force(ran: Ran) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in ran.folder.iterdir()}
    for option, file in (("-o", "run.h5"), ("--plot", "run.png")):
        again = ran.run(option, file)
        assert (again.code, again.out) == (2, "")
        assert again.err.count("\n") == 1
        assert "exists; use force=True (--force on the command line)" in again.err
    assert {path.name: path.stat().st_mtime_ns for path in ran.folder.iterdir()} == before


def test_a_process_does_what_the_call_does(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """One script stands for all: a new process prints the same table and writes the same files."""
    called = Ran("noise_saturation", script("noise_saturation").main, tmp_path).run("-o", "a.h5", "--plot", "a.png")
    process = run("noise_saturation", "-o", "b.h5", "--plot", "b.png", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (called.code, called.err) == (0, "")
    assert process.stdout.splitlines()[:-1] == called.out.splitlines()[:-1]  # the last line says how long it took
    assert process.stdout.splitlines()[-1].endswith("; wrote b.h5, b.png")
    with brnn.open(tmp_path / "a.h5") as one, brnn.open(tmp_path / "b.h5") as other:
        assert one.network == other.network
        np.testing.assert_array_equal(one.final("off_surround"), other.final("off_surround"))
    with Image.open(tmp_path / "a.png") as image, Image.open(tmp_path / "b.png") as another:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(another))


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_what_is_reproduced(
    name: str, script: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        script(name).main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "Reproduces" in text
    assert "Grossberg" in text
    for option in ("-o", "--plot", "--force"):
        assert option in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plot", "run.gif"], "must end in one of"),
        (["--plot", "no/run.png"], "does not exist"),
        (["-o", "no/run.h5"], "does not exist"),
        (["-o", "run.txt"], "must end in one of .h5"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    script: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = script("noise_saturation").main(arguments)
    except SystemExit as left:  # of argparse
        code = left.code
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert words in said.err
    assert not list(tmp_path.iterdir())


def test_a_process_ends_with_the_exit_code(tmp_path: Path) -> None:
    process = run("noise_saturation", "-o", "run.txt", cwd=tmp_path)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1)
    process = run("noise_saturation", "--help", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    assert "Reproduces" in process.stdout


def test_a_prediction_that_fails_is_exit_code_1(
    script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("noise_saturation")
    monkeypatch.setattr(module.theory, "total_activity", lambda *_: 7.0)
    assert module.main([]) == 1
    *table, _, last = capsys.readouterr().out.splitlines()
    failed = [line for line in table if line.endswith("  FAILED")]
    passed = [line for line in table if line.endswith("  ok")]
    assert failed
    # What is compared with the total is wrong now, and nothing else.
    assert all("total activity, B I/(A + I)" in line for line in failed)
    assert not any("total activity, B I/(A + I)" in line for line in passed)
    assert last.startswith(f"{len(passed)} of {len(passed) + len(failed)} predictions hold")


def test_a_run_that_breaks_is_exit_code_1(
    script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("noise_saturation")

    def broken(*_: Any, **__: Any) -> None:
        raise brnn.IntegrationError("RK45 could not go on after t = 1")

    monkeypatch.setattr(module, "simulate", broken)
    assert module.main([]) == 1
    assert "could not go on" in capsys.readouterr().err


def test_a_sweep_that_is_interrupted_says_so_in_one_line_and_goes_on(
    script: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("microstimulation_map")
    calls: list[float] = []

    def first(result: Any) -> float:
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(float(np.asarray(result["rcf.x"])[-1, 0]))
        return calls[-1]

    def build(task: str, site: int) -> brnn.Network:
        return brnn.models.rcf.build(A=0.1 + 0.01 * site)

    real = brnn.sweep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "first", first)
        patch.setattr(
            brnn,
            "sweep",
            lambda _, *given, **more: real(build, *given, **{**more, "times": [0.0, 1.0], "measures": [first]}),
        )
        words = ["--every", "9", "-o", str(tmp_path / "part.h5")]
        assert module.main(words) == 130
        (line,) = capsys.readouterr().err.splitlines()
        assert "interrupted; " in line
        assert "of 9 members are kept in" in line
        calls.append(0.0)
        module.main([*words, "--resume"])
        kept = brnn.open(tmp_path / "part.h5")["first"].values
        calls.append(0.0)
        module.main(["--every", "9", "-o", str(tmp_path / "whole.h5")])
        assert np.array_equal(brnn.open(tmp_path / "whole.h5")["first"].values, kept)
    capsys.readouterr()
    assert module.main(["--resume"]) == 2
    assert "--resume: needs -o FILE.h5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--width", "3"], "--width 3: must be from 4 to 2000 pixels"),
        (["--surround", "0"], "--surround 0: must be above 0"),
        (["--surround", "nan"], "--surround nan: must be above 0"),
        (["--image", "no.png"], "there is no such file"),
        (["--image", "black.png"], "all black"),
        (["--image", "text.png"], "not a PNG or JPEG image"),
    ],
)
def test_the_photograph_is_checked(
    script: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("black.png")
    Path("text.png").write_text("no image")
    assert script("image_normalization").main(arguments) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.err.count("\n") == 1


def test_a_local_surround_and_another_photograph(
    script: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    gradient = np.linspace(40, 220, 20 * 16).reshape(16, 20).astype(np.uint8)
    gradient[4:9, 6:12] = 250
    Image.fromarray(gradient).save("square.png")
    arguments = ["--image", "square.png", "--width", "20", "--surround", "2.5", "--plot", "square_run.png"]
    assert script("image_normalization").main(arguments) == 0
    assert "response of F1, all cells" in capsys.readouterr().out
    assert Path("square_run.png").stat().st_size > 10_000


def test_the_photograph_is_averaged_in_light_not_in_gray_values(
    script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (8, 4))
    flat = np.full((8, 8), 255, dtype=np.uint8)
    Image.fromarray(np.hstack([stripes, flat])).save(tmp_path / "stripes.png")
    theta = script("image_normalization").reflectances(str(tmp_path / "stripes.png"), 8)
    assert theta.shape == (4, 8)
    np.testing.assert_allclose(theta[:, :4] / theta[0, 7], 0.5, rtol=1e-6)
    np.testing.assert_allclose(theta.sum(), 1.0, rtol=1e-12)
