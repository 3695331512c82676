"""What hostile inputs are made of, and how valid ones are damaged: bytes, JSON, and the contents of HDF5 files."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

NUMBERS = (  # noqa: SIM905
    "0 -0 1 -1 2.5 1e-300 -1e300 1e308 1e400 inf -inf nan 1e9 1e18 9223372036854775808 99999999999999999999999 0x10 "
    "1_000 1e 1.2.3 -- ٣ true None 1j 1/3 1,2 1;2 1:2 1:2:3 log:1:2:3 log:-1:1:3 whole:1:5 0:1:50000000 :: ="
    " = =1 [1 (1,) 1e5"
).split()
TEXTS = [
    "",
    " ",
    "\t",
    "\n",
    "a\nb",
    "x" * 5000,
    "../../etc/passwd",
    "/dev/null",
    "/",
    ".",
    "..",
    "~",
    "-",
    "--",
    "-h",
    "%s%n",
    "{0}",
    "$(x)",
    "é",
    "\ud800",
    "🧠",
    "a b",
    "w**w**w",
    "((((w",
    "w" * 300,
    "lambda: 1",
    "__import__('os')",
    "w.x",
    "w[0]",
    "exp(exp(w))",
    "1e999*w",
    "log(-w)",
    "w**1000",
    "step",
    "sigmoid",
    "linear,sigmoid",
    "regime,total",
    "F1.x",
    "rcf.x",
]
OPTIONS = {
    "run": [
        "--set",
        "--input",
        "--dataset",
        "--duration",
        "--times",
        "--solver",
        "--rtol",
        "--atol",
        "--step",
        "--seed",
        "--record",
        "--record-ltm",
        "-o",
        "--plot",
        "--member",
        "--model",
    ],
    "sweep": [
        "--set",
        "--grid",
        "--random",
        "-n",
        "--draw",
        "--table",
        "--repeats",
        "--measure",
        "--duration",
        "--times",
        "--rtol",
        "--atol",
        "--seed",
        "--shard",
        "-o",
    ],
    "show": ["--set", "--json", "--equations", "--latex"],
    "theory": ["--set"],
    "plot": ["-o", "--kind", "--measure"],
    "export": ["--csv", "--parquet"],
    "rerun": ["--tolerance", "--model"],
    "info": [],
    "merge": ["-o"],
    "models": ["--json"],
}
STARTS = (
    "run rcf --duration 0.5 --times 3 -o OUT/run.h5",
    "run additive --duration 0.5 --plot OUT/run.png",
    "run rcf --until-steady",
    "run rcf --set A=0.5 --set n=8 --duration 0.5 --times 0,0.1,0.5",
    "run rcf --input IN/table.csv --duration 0.5",
    "run IN/sweep.h5 --member 1 --times 3",
    "run IN/network.json --duration 0.5 --times 3",
    "sweep rcf --grid A=0.5:1.5:3 --duration 0.5 -o OUT/sweep.h5",
    "sweep rcf --random B=1:2 -n 3 --seed 1 --measure total --duration 0.5 -o OUT/sweep.h5",
    "sweep rcf --table IN/members.csv --duration 0.5 -o OUT/sweep.h5",
    "show rcf --set n=5",
    "show IN/network.json --equations",
    "theory rcf --set A=0.5",
    "plot IN/run.h5 -o OUT/run.png",
    "plot IN/sweep.h5 -o OUT/sweep.png",
    "info IN/run.h5",
    "info IN/sweep.h5",
    "export IN/run.h5 --csv OUT/tables",
    "export IN/sweep.h5 --parquet OUT/table.parquet",
    "rerun IN/run.h5 --tolerance 1e-9",
    "rerun IN/sweep.h5",
    "merge IN/sweep.h5 -o OUT/all.h5",
    "models --json",
    "show rcf --json",
    "run - --duration 0.5",
    "run listelos --set task=gap --duration 0.5 --times 3",
    "run listelos --set cues=14,38 --set onsets=0,0.2 --set offsets=0.1,0.3 --duration 0.5 --times 3",
    "run saccade_generator --set pattern=0,1,0,0 --duration 0.5 --times 3",
    "run art2 --set rho=0.9 --set m=4 --duration 0.5 --times 3",
    "run grid_cells --set cells=4 --set scales=20,35 --duration 0.05 --times 3",
    "run gridsmap --set cells=2 --set directions=3 --set phases=2 --duration 0.05 --times 3",
    "run vistars --set scales=1 --set opponents=0.5,1,1,10 --duration 0.05 --times 3",
    "theory grid_cells",
    "theory art2 --set a=5",
)
LEAVES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    3,
    2.5,
    1e308,
    -1e308,
    1e-320,
    10**30,
    2**63,
    -(2**63),
    float("nan"),
    float("inf"),
    "",
    "x",
    "A" * 3000,
    "\ud800",
    "a\nb",
    "../x",
    [],
    {},
    [[]],
    [0] * 70,
    [1, [2, [3]]],
    {"type": "Network"},
    {"type": "Layer"},
    {"type": "float", "value": "x"},
    {"type": "array", "dtype": "<f8", "shape": [10**12], "values": [1]},
    {"type": "array", "dtype": "O", "shape": [1], "values": [1]},
    {"type": "array", "dtype": "<f8", "shape": [3], "packed": "eA=="},
    {"type": "array", "name": "a9"},
    {"type": "map", "items": [[1, 2]]},
    {"type": "csr", "shape": [3, 3], "data": [1.0], "indices": [7], "indptr": [0, 1, 1, 1]},
    {"type": "Sigmoid"},
    {"type": []},
]


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Return a file with bits flipped, a part cut off, left out, doubled, zeroed, or noise in it."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        if not data:
            break
        at, long = rng.randrange(len(data)), rng.choice((1, 4, 16, 200, 4096))
        kind = rng.choice(("flip", "flip", "cut", "out", "twice", "zero", "noise"))
        if kind == "flip":
            for _ in range(rng.choice((1, 1, 8, 64))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == "cut":
            del data[at:]
        elif kind == "out":
            del data[at : at + long]
        elif kind == "twice":
            data[at:at] = data[at : at + long]
        elif kind == "zero":
            data[at : at + long] = bytes(len(data[at : at + long]))
        else:
            data[at : at + long] = rng.randbytes(long)
    return bytes(data)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in JSON data: what holds it, and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(items):
        yield value, key
        yield from places(part)


def changed(rng: random.Random, data: Any) -> Any:
    """Return JSON data with parts replaced, swapped, doubled or left out."""
    data = json.loads(json.dumps(data))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        holder, key = rng.choice(list(places(data)) or [(data, None)])
        if key is None:
            return rng.choice(LEAVES)
        kind = rng.choice(("leaf", "leaf", "leaf", "swap", "out", "deep", "twice"))
        if kind == "leaf":
            holder[key] = rng.choice(LEAVES)
        elif kind == "swap":
            other, where = rng.choice(list(places(data)))
            holder[key] = json.loads(json.dumps(other[where]))
        elif kind == "out":
            del holder[key]
        elif kind == "deep":
            for _ in range(rng.choice((3, 50, 400))):
                holder[key] = [holder[key]]
        elif isinstance(holder, list):
            holder.insert(0, holder[key])
        else:
            holder[rng.choice(("type", "name", "extra", "A", "shape"))] = holder[key]
    return data


def change_hdf5(rng: random.Random, file: h5py.File) -> None:
    """Change an attribute or an object of an open HDF5 file, or take it away."""
    names: list[str] = []
    file.visit(names.append)
    if rng.random() < 0.6:
        key = rng.choice(sorted(file.attrs))
        text = file.attrs[key]
        kind = rng.choice(("leaf", "json", "out"))
        del file.attrs[key]
        if kind == "json" and isinstance(text, bytes) and text[:1] in (b"{", b"["):
            file.attrs[key] = np.bytes_(json.dumps(changed(rng, json.loads(text))).encode("utf-8", "replace")[:60_000])
        elif kind != "out":
            leaf = rng.choice(
                (
                    0,
                    -1,
                    2**40,
                    np.nan,
                    None,
                    b"\xff",
                    b"x" * 3000,
                    b"[" * 5000,
                    b"null",
                    b"[]",
                    b"{}",
                    np.zeros(3),
                    np.zeros((0,)),
                )
            )
            file.attrs[key] = h5py.Empty("S1") if leaf is None else np.bytes_(leaf) if isinstance(leaf, bytes) else leaf
        return
    if not names:  # the change before this one took them all away
        return
    name = rng.choice(names)
    item = file[name]
    if isinstance(item, h5py.Dataset) and rng.random() < 0.5 and item.size and item.dtype.kind in "fiu":
        values = item[()]
        np.asarray(values).reshape(-1)[:1] = rng.choice((0, 1, 7, 200))
        item[...] = np.nan if rng.random() < 0.3 and item.dtype.kind == "f" else values
        return
    del file[name]
    if rng.random() < 0.6:
        file[name] = rng.choice(
            (
                np.zeros(3),
                np.zeros((0, 2)),
                5,
                b"x",
                np.zeros((2, 2, 2, 2)),
                np.full(4, np.nan),
                np.arange(3, dtype="u1"),
            )
        )
