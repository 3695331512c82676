"""How much memory there is, and what claims more than that: refused before it is taken."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.base import memory


def test_the_limits_of_control_groups(tmp_path: Path) -> None:
    """A container of 1 GB on a machine of 64 GB: of what it uses, what is kept of files is given up when needed."""
    (tmp_path / "membership").write_text("0::/batch/job\n")
    for folder, limit in (("batch", "1000000000"), ("batch/job", "max")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "memory.max").write_text(f"{limit}\n")
        (tmp_path / folder / "memory.current").write_text("700000000\n")
        (tmp_path / folder / "memory.stat").write_text("anon 500000000\ninactive_file 200000000\n")
    assert memory._group_leaves(tmp_path, tmp_path / "membership") == 500_000_000
    assert memory._group_leaves(tmp_path / "batch", tmp_path / "none") > 2**60
    (tmp_path / "membership").write_text("4:memory:/old\n")
    assert memory._group_leaves(tmp_path, tmp_path / "membership") > 2**60


def test_the_limit_of_the_process() -> None:
    code = (
        "import resource; from brnn.base.memory import available_memory; before = available_memory(); "
        "resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, -1)); print(before, available_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < 2_000_000_000
    assert after < before


@pytest.mark.parametrize("how", ["packed", "values"])
def test_an_array_in_json_that_does_not_fit(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of 40 kB whose pattern unpacks to 32 MB, where 50 MB are free: it is not unpacked."""
    pattern = {"type": "array", "dtype": "<f8", "shape": [4_000_000]}
    packed = base64.b64encode(zlib.compress(bytes(32_000_000), 9)).decode()
    pattern |= {"packed": packed} if how == "packed" else {"values": [0.0]}
    network = brnn.Network("n", [brnn.Layer.additive("F", 2, A=1.0)], [], [brnn.Stimulus("F")]).to_dict()
    network["stimuli"][0]["pattern"] = pattern
    monkeypatch.setattr(memory, "available_memory", lambda: 50_000_000)
    monkeypatch.setattr(zlib, "decompressobj", None)
    with pytest.raises(
        brnn.BrnnError, match=r"shape \(4000000,\) needs about 64 MB of memory; .* 50 MB free"
    ) as caught:
        brnn.Network.from_json(json.dumps(network))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", ["[1e400]", "[-1, 2]", "[10000000000000000000000, 5]", '["x"]', "[null]", "3"])
def test_impossible_shapes_in_json(shape: str) -> None:
    text = f'{{"type": "Network", "name": {{"type": "array", "dtype": "<f8", "shape": {shape}, "packed": ""}}}}'
    with pytest.raises(brnn.BrnnError) as caught:
        brnn.Network.from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("shape", [[10**19], [2**32, 2**32], [10**30] * 12, [10] * 400])
def test_layers_of_impossible_sizes(shape: list[int]) -> None:
    with pytest.raises(brnn.SpecError, match="are more cells than can be counted"):
        brnn.Layer.additive("F", shape, A=1.0)
    with pytest.raises(brnn.SpecError, match="are more cells than can be counted"):
        brnn.models.rcf.build(n=shape)


def test_a_png_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    Image.fromarray(np.zeros((3000, 3000), np.uint8)).save(tmp_path / "dark.png")
    monkeypatch.setattr(memory, "available_memory", lambda: 100_000_000)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(brnn.BrnnError, match="3000 x 3000 pixels, needs about 216 MB of memory"):
        brnn.read_pattern(tmp_path / "dark.png")
