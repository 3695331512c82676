"""What MODEL and --set stand for, and how signals are put into words."""

from __future__ import annotations

from pathlib import Path

import pytest

import brnn
from brnn.cli.model import find_model
from brnn.cli.text import columns, signal_in_words
from brnn.models import rcf


def test_a_published_model_is_known_by_its_name() -> None:
    model = find_model("rcf")
    assert model.varied(["A=0.5", "n=3"]) == ("rcf", {"A": 0.5, "n": 3})
    assert model.build(["A=0.5", "n=3"]) == rcf.build(A=0.5, n=3)
    assert model.signals_taken(["signal=linear", "A=0.5"]) == [f"signal = {signal_in_words(brnn.Linear())}"]
    assert len(model.claims) == len(rcf.CLAIMS)


def test_a_file_of_ones_own_is_known_by_its_build(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from brnn.models.rcf import build as rcf\ndef build(size, A=1.0):\n    return rcf(A=A, B=size)\n")
    model = find_model(str(path))
    build, given = model.varied(["size=2.5"])
    assert build(**given) == rcf.build(B=2.5)
    with pytest.raises(brnn.InputError, match="--set size=VALUE is needed"):
        model.build()
    path.write_text("def build(A=1.0):\n    return A\n")
    with pytest.raises(brnn.FileError, match="build returned float, must return a brnn.Network"):
        find_model(str(path)).build()


def test_a_saved_network_is_changed_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(rcf.build().to_json())
    model = find_model(str(path))
    network, given = model.varied(["rcf.A=0.5"])
    assert (network.layer("rcf").A, given, model.claims) == (0.5, {}, [])
    with pytest.raises(brnn.InputError, match="--set A=1"):
        model.varied(["A=1"])


def test_a_formula_that_is_not_0_below_0_is_said_to_be_cut() -> None:
    assert signal_in_words(brnn.Expression("w**2")).endswith(", which is 0 for w < 0 (function(w**2) is not cut there)")
    assert signal_in_words(brnn.Expression("w**2"), short=True).endswith(", 0 for w < 0")
    assert "which is 0" not in signal_in_words(brnn.Linear())


def test_the_last_column_is_wrapped() -> None:
    words = "one two three four five six seven eight nine ten"
    lines = columns([("a", words), ("bcd", "four")], width=35).splitlines()
    assert " ".join(line[5:].strip() for line in lines) == f"{words} four"
    assert [line[:5] for line in lines] == ["a    ", "     ", "bcd  "]
    assert max(map(len, lines)) <= 35
