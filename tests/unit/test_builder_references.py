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
from brnn.sweeps.building.find import builder_from_reference, builder_of

NETWORK = rcf.build(n=4)


def build(A: float = 1.0) -> brnn.Network:
    return rcf.build(A=A)


def refusal(what: Any, act: Any) -> str:
    with pytest.raises(BrnnError) as caught:
        act(what)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_a_builder_can_be_made_of() -> None:
    for model in ("rcf", rcf, rcf.build):
        builder = builder_of(model)
        assert builder.name == "rcf"
        assert builder.reference == {"model": "rcf"}
        assert builder_of(builder) is builder
    assert builder_of("adaptation-level").reference == {"model": "adaptation_level"}
    assert "there is no such model" in refusal("rfc", builder_of)
    assert "must be a function that returns a brnn.Network" in refusal(3, builder_of)
    assert "must be a function" in refusal(math, builder_of)


def test_references_are_plain_data_that_lead_back() -> None:
    for given_builder in (builder_of("rcf"), builder_of(NETWORK)):
        data = json.loads(json.dumps(given_builder.reference))
        again = builder_from_reference(data)
        assert again.build({}) == given_builder.build({})
        assert again.reference == given_builder.reference


def test_a_function_is_found_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import brnn\n\n\ndef make(A=1.0):\n    return brnn.models.rcf.build(A=A)\n"
    (tmp_path / "brnn_builder_of_a_user.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import brnn_builder_of_a_user as module  # type: ignore[import-not-found]

    builder = builder_of(module.make)
    assert builder.reference == {"module": "brnn_builder_of_a_user", "function": "make"}
    code = (
        "import json, sys; from brnn.sweeps.building.find import builder_from_reference\n"
        "print(builder_from_reference(json.loads(sys.argv[1])).build({'A': 0.25}).to_json())"
    )
    command = [sys.executable, "-c", code, json.dumps(builder.reference)]
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
            assert builder_of(function).reference is None
    finally:
        del sys.modules["loaded_by_path"]
    code = (
        "import brnn\nfrom brnn.sweeps.building.find import builder_of\n"
        "def build():\n    return brnn.models.rcf.build()\nprint(builder_of(build).reference)"
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
    refusal(data, builder_from_reference)
