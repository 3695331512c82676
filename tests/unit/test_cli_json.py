"""``--json``: one object on standard output that says the same as the words, and what it says is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.cli import main


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tmp_path)
    cell = brnn.Layer.additive("F", 2, A=1.0, initial=[1.0, 3.0])
    Path("cells.json").write_text(brnn.Network("cells", [cell], duration=2.0, time_units="s").to_json())

    def ask(*arguments: str, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*arguments, "--json"]) == code
        found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert isinstance(found, dict)
        return found

    return ask


def test_events_of_a_run(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cell = brnn.Layer.additive("F", 2, A=1.0, initial=[1.0, 3.0])
    reset = brnn.SetState("F", 0.5, where="all")
    events = [
        brnn.Event(name, brnn.AtTimes(times), reset) for name, times in (("few", [1.5]), ("many", [*range(1, 9)]))
    ]
    network = brnn.Network("told", [cell], events=events, duration=9.0, time_units="s")
    Path("told.json").write_text(network.to_json())
    found = answer("run", "told.json")
    assert (found["events"], found["first_events"]) == (9, {"few": [1.5], "many": [*range(1, 9)]})
    assert main(["run", "told.json"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "events few 1, at t = 1.5 s" in lines
    assert "many 8, at t = 1, 2, 3, 4, 5, ... s" in lines


def test_a_run(answer: Any) -> None:
    found = answer("run", "cells.json", "-o", "run.h5")
    final = found["final"]["F.x"]  # dx/dt = -x
    assert final["values"] == pytest.approx([np.exp(-2.0), 3.0 * np.exp(-2.0)], rel=1e-5)
    assert final["total"] == pytest.approx(4.0 * np.exp(-2.0), rel=1e-5)
    assert (final["largest_cell"], final["largest"]) == ([1], final["values"][1])
    assert (found["network"], found["status"], found["reached"], found["time_units"]) == ("cells", "complete", 2.0, "s")
    assert (found["seed"], found["events"]) == (None, 0)
    assert found["wrote"] == [{"file": "run.h5", "bytes": Path("run.h5").stat().st_size}]
    with brnn.open("run.h5") as result:
        assert found["solver"]["steps"] == result.solver.steps
        assert final["values"] == result.final("F").values.tolist()

    assert found["first_events"] == {}

    told = answer("info", "run.h5")
    assert (told["kind"], told["status"], told["file"], told["seed"]) == ("run", "complete", "run.h5", None)
    assert told["options"]["rtol"] == 1e-6
    assert told["command"] == "brnn run cells.json -o run.h5 --json"
    (variable,) = told["variables"]
    assert (variable["name"], variable["dims"], variable["shape"]) == ("F.x", ["time", "F"], [201, 2])
    assert brnn.Network.from_dict(told["network"]) == brnn.Network.from_json(Path("cells.json").read_text())

    again = answer("rerun", "run.h5")
    assert (again["passed"], again["largest_difference"], again["time"], again["compared"]) == (True, 0.0, None, 201)


def test_a_sweep(answer: Any) -> None:
    Path("many.py").write_text(
        "import brnn\ndef build(x=1.0):\n    if x > 2.5: raise ValueError('too large')\n"
        "    return brnn.Network('m', [brnn.Layer.additive('F', 2, A=1.0, initial=[1.0, x])], duration=1.0)\n"
    )
    found = answer("sweep", "many.py", "--grid", "x=1:3:3", "--measure", "total,regime", "-o", "s.h5", code=1)
    assert found == answer("info", "s.h5")
    assert (found["kind"], found["members"], found["axes"], found["missing"]) == ("sweep", 3, {"x": 3}, [])
    assert found["counts"] == {"missing": 0, "complete": 2, "steady": 0, "failed": 1}
    assert found["parameters"] == {"x": {"smallest": 1.0, "largest": 3.0}}
    assert list(found["failed"]) == ["2"]
    assert "too large" in found["failed"]["2"]
    total = next(entry for entry in found["variables"] if entry["name"] == "F.total")
    assert (total["smallest"], total["largest"]) == pytest.approx((2.0 * np.exp(-1.0), 3.0 * np.exp(-1.0)), rel=1e-5)
    regime = next(entry for entry in found["variables"] if entry["name"] == "F.regime")
    assert sum(regime["counts"].values()) == 3


def files_of(found: dict[str, Any]) -> list[str]:
    assert all(entry["bytes"] == Path(entry["file"]).stat().st_size > 0 for entry in found["files"])
    return [entry["file"] for entry in found["files"]]


def test_files_that_are_written(answer: Any) -> None:
    answer("run", "cells.json", "-o", "run.h5")
    assert files_of(answer("plot", "run.h5", "-o", "run.svg")) == ["run.svg"]
    assert files_of(answer("export", "run.h5", "--csv", "tables")) == ["tables/F.x.csv", "tables/units.csv"]
    equations = answer("export", "cells.json", "--ode", "cells.ode", "--latex", "cells.tex")
    assert files_of(equations) == ["cells.ode", "cells.tex"]
    assert files_of(answer("explore", "cells.json", "--html", "page.html")) == ["page.html"]


def test_shards_that_are_joined(answer: Any) -> None:
    for part in (1, 2):
        answer("sweep", "cells.json", "--grid", "F.A=1:2:3", "--shard", f"{part}/2", "-o", f"part{part}.h5")
    found = answer("merge", "part1.h5", "part2.h5", "-o", "s.h5")
    assert found == answer("info", "s.h5")
    assert (found["members"], found["counts"]["complete"]) == (3, 3)


def test_claims_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """All of the output is the object: no table before it, no verdict after it."""
    assert main(["verify", "mcculloch_pitts", "--json", "-"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert {claim["model"] for claim in claims} == {"mcculloch_pitts"}
    assert all(claim["passed"] for claim in claims)


def test_theory(answer: Any) -> None:
    found = answer("theory", "rcf", "--set", "signal=w**2", "--set", "initial=0.2,0.9,0.4")
    assert not [name for prediction in found["predictions"] for name in prediction if name.startswith("_")]
    stored = [entry for entry in found["predictions"] if entry["source"] and entry["hypothesis"]]
    assert len(stored) == len(found["predictions"]) > 2
    assert found["network"] == "rcf"
    # The largest activity wins, at the upper root of 1 = x (3 - x).
    level = (3.0 + np.sqrt(5.0)) / 2.0
    values = [entry["value"] for entry in found["predictions"] if isinstance(entry["value"], list)]
    assert any(value == pytest.approx([0.0, level, 0.0], abs=1e-9) for value in values if len(value) == 3)
