"""What families of networks are made of, and how another process finds them."""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import brnn
from brnn.errors import BrnnError
from brnn.models import rcf
from brnn.sweeps.building.builder import Family

NETWORK = rcf.build(n=4)


def build(A: float = 1.0) -> brnn.Network:
    return rcf.build(A=A)


def refusal(what: Any, act: Any) -> str:
    with pytest.raises(BrnnError) as caught:
        act(what)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_a_family_can_be_made_of() -> None:
    for model in ("rcf", rcf, rcf.build):
        family = Family.of(model)
        assert family.name == "rcf"
        assert family.reference == {"model": "rcf"}
        assert Family.of(family) is family
    assert Family.of("adaptation-level").reference == {"model": "adaptation_level"}
    assert "there is no such model" in refusal("rfc", Family.of)
    assert "must be a function that returns a brnn.Network" in refusal(3, Family.of)
    assert "must be a function" in refusal(math, Family.of)


def test_references_are_plain_data_that_lead_back() -> None:
    for given_family in (Family.of("rcf"), Family.of(NETWORK)):
        data = json.loads(json.dumps(given_family.reference))
        again = Family.from_reference(data)
        assert again.build({}) == given_family.build({})
        assert again.reference == given_family.reference


def test_a_function_is_found_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import brnn\n\n\ndef make(A=1.0):\n    return brnn.models.rcf.build(A=A)\n"
    (tmp_path / "brnn_family_of_a_user.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import brnn_family_of_a_user as module  # type: ignore[import-not-found]

    family = Family.of(module.make)
    assert family.reference == {"module": "brnn_family_of_a_user", "function": "make"}
    code = (
        "import json, sys; from brnn.sweeps.building.builder import Family\n"
        "print(Family.from_reference(json.loads(sys.argv[1])).build({'A': 0.25}).to_json())"
    )
    command = [sys.executable, "-c", code, json.dumps(family.reference)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert brnn.Network.from_json(done.stdout) == rcf.build(A=0.25)


def test_what_only_this_process_knows_has_no_reference() -> None:
    def inner(A: float = 1.0) -> brnn.Network:
        return NETWORK

    loaded = ModuleType("loaded_by_path")
    by_path = FunctionType(build.__code__, build.__globals__, "build", build.__defaults__)
    by_path.__module__ = "loaded_by_path"
    loaded.build = by_path  # type: ignore[attr-defined]
    sys.modules["loaded_by_path"] = loaded
    try:
        for function in (inner, lambda: NETWORK, functools.partial(build), by_path):
            assert Family.of(function).reference is None
    finally:
        del sys.modules["loaded_by_path"]
    code = (
        "import brnn\nfrom brnn.sweeps.building.builder import Family\n"
        "def build():\n    return brnn.models.rcf.build()\nprint(Family.of(build).reference)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        {},
        {"module": "os"},
        {"model": "rfc"},
        {"network": {}},
        {"network": None},
        {"module": "brnn_no_such_module", "function": "build"},
        {"module": "brnn.models.rcf", "function": "no_such_function"},
        {"module": "brnn.models.rcf", "function": "_1973"},
        {"module": "", "function": ""},
        {"model": "rcf", "function": "build"},
    ],
)
def test_references_that_lead_nowhere(data: Any) -> None:
    refusal(data, Family.from_reference)
