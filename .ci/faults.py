"""Faults on purpose: kills, hostile inputs, full disks, damaged caches. Nothing may be lost, and all is said in a line.

    python .ci/faults.py --seed 1 --inputs 3000 --kills 200

What is drawn comes from the seed, which is printed. Each case is a fork of one process that has loaded brnn, so that it
takes a fraction of a second; it works in a folder of its own. What is counted as a fault:

- an exit code other than 0, 1 and 2 (130 where the case is stopped by Ctrl-C after `LONGEST` seconds), or a signal;
- a traceback, "a mistake of brnn's own", or more than one line beside warnings where the exit code is not 0;
- a file that was changed, or made where no output was named; more than `MEMORY` bytes of memory;
- after a kill: a file that does not open, a row that was there and is gone, a number that is not that of a whole run;
- after a full disk: an old result that is gone or changed, or a part of a new one that is left.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # threads do not survive a fork

import h5py  # noqa: E402
import numpy as np  # noqa: E402

import brnn  # noqa: E402

LONGEST = 20.0  # seconds, then Ctrl-C
PATIENCE = 15.0  # seconds from there to the end
MEMORY = 1.5e9  # bytes
SMALL = ("--duration", "0.5", "--times", "3")
FIT_FOR_FORKS = ("rcf", "additive", "store", "outstar", "gated_dipole", "bam", "instar", "vite", "art1", "fuzzy_art")


@dataclass
class Case:
    """One call of the command.

    Attributes
    ----------
    words : list of str
        What is typed after `brnn`; ``IN`` and ``OUT`` stand for the folders of inputs and outputs.
    files : dict
        Contents of the inputs, by name.
    kind : str
        What it belongs to.
    """

    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    kind: str = ""
    stdin: bytes = b""


@dataclass
class Ended:
    """How a case ended."""

    case: Case
    code: int  # negative: the signal that ended it
    out: str
    err: str
    memory: int
    stopped: bool
    strays: list[str]


# ------------------------------------------------------------------------------------------------ running a case


class Running:
    """A case in a process that was forked."""

    def __init__(self, case: Case, folder: Path, limit: int | None = None) -> None:
        self.case, self.folder = case, folder
        for part in ("in", "out"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, content in case.files.items():
            (folder / "in" / name).write_bytes(content)
        (folder / "canary").write_text("mine")
        self.before = self._seen()
        self.begun = time.monotonic()
        self.stopped = False
        words = [word.replace("OUT", str(folder / "out")).replace("IN", str(folder / "in")) for word in case.words]
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._child(words, limit)

    def _seen(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        kept = (path for path in found if path.relative_to(self.folder).parts[0] not in ("out", "std0", "std1", "std2"))
        return {str(path): path.read_bytes() for path in kept}

    def _child(self, words: list[str], limit: int | None) -> None:
        code = 99
        try:
            os.chdir(self.folder / "in")
            (self.folder / "std0").write_bytes(self.case.stdin)
            for number in range(3):
                mode = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
                os.dup2(os.open(self.folder / f"std{number}", mode, 0o600), number)
            sys.stdin, sys.stdout, sys.stderr = (os.fdopen(k, "rw"[k > 0]) for k in range(3))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            from brnn.cli import main

            code = main(words)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def ended(self) -> Ended | None:
        """Return how it ended, or None if it goes on."""
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid == 0:
            late = time.monotonic() - self.begun
            if late > LONGEST and not self.stopped:
                self.stopped = True
                os.kill(self.pid, signal.SIGINT)
            elif late > LONGEST + PATIENCE:
                os.kill(self.pid, signal.SIGKILL)
            return None
        texts = [(self.folder / name).read_bytes().decode("utf-8", "replace") for name in ("std1", "std2")]
        after = self._seen()
        strays = [name for name in {*self.before, *after} if self.before.get(name) != after.get(name)]
        strays += [str(path) for path in (self.folder / "out").rglob("*.tmp")]
        code = os.waitstatus_to_exitcode(status)
        return Ended(self.case, code, texts[0], texts[1], usage.ru_maxrss * 1024, self.stopped, strays)


def faults_of(ended: Ended) -> list[str]:
    """Return what is wrong with how a case ended."""
    lines = [line for line in ended.err.splitlines() if not line.startswith("brnn: warning: ")]
    found = []
    if ended.code not in ((0, 1, 2, 130) if ended.stopped else (0, 1, 2)):
        found.append(f"ended with {ended.code}")
    if "Traceback" in ended.err:
        found.append("traceback")
    if "mistake of brnn's own" in ended.err:
        found.append("a mistake of brnn's own")
    if ended.code == 2 and len(lines) != 1:
        found.append(f"{len(lines)} lines")
    if ended.code == 0 and lines:
        found.append("said something, and ended with 0")
    if ended.strays:
        found.append("files outside of the named output")
    if ended.memory > MEMORY:
        found.append(f"{ended.memory / 1e9:.1f} GB of memory")
    return found


def run_all(cases: Iterable[Case], jobs: int, report: Callable[[Ended, list[str]], None]) -> None:
    """Run cases, so many at a time, each in a folder of its own."""
    running: list[tuple[Running, Path]] = []
    source = iter(cases)
    while True:
        while len(running) < jobs and (case := next(source, None)) is not None:
            folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
            running.append((Running(case, folder), folder))
        if not running:
            return
        for one in list(running):
            ended = one[0].ended()
            if ended is not None:
                report(ended, faults_of(ended))
                shutil.rmtree(one[1], ignore_errors=True)
                running.remove(one)
        time.sleep(0.005)


def call(words: list[str], folder: Path, limit: int | None = None) -> Ended:
    """Run one case to its end in a folder that stays."""
    process = Running(Case(words), folder, limit)
    while (ended := process.ended()) is None:
        time.sleep(0.005)
    return ended


# ------------------------------------------------------------------------------------------------ hostile inputs

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


class Inputs:
    """Makes cases from valid inputs, which are made once."""

    def __init__(self, folder: Path) -> None:
        networks = (brnn.models.load(name).build() for name in FIT_FOR_FORKS)
        self.networks = [network.to_dict() for network in networks]
        brnn.simulate(brnn.models.load("rcf").build(n=6), 2.0, record=folder / "run.h5").close()
        brnn.sweep("rcf", brnn.Grid(A=[0.5, 1.0, 2.0]), duration=1.0, out=folder / "sweep.h5").close()
        self.valid = {name: (folder / name).read_bytes() for name in ("run.h5", "sweep.h5")}
        self.valid |= {"table.csv": b"0.1,0.2\n0.3,0.4\n", "members.csv": b"A,B\n0.5,1\n1.5,2\n"}
        self.valid["network.json"] = json.dumps(self.networks[0]).encode()
        self.inputs = dict(self._patterns(folder))

    @staticmethod
    def _patterns(folder: Path) -> Iterator[tuple[str, bytes]]:
        from PIL import Image

        values = np.linspace(0.0, 1.0, 48).reshape(6, 8)
        levels = (255 * values).astype(np.uint8)
        for name, picture in (
            ("grey", levels),
            ("colour", np.stack([levels] * 3, 2)),
            ("deep", levels.astype(np.uint16)),
        ):
            Image.fromarray(picture).save(folder / f"{name}.png")
        Image.fromarray(levels).save(folder / "photo.jpg")
        np.save(folder / "array.npy", values)
        with h5py.File(folder / "data.h5", "w") as file:
            file.create_dataset("x", data=values, chunks=(3, 4), compression="gzip")
        (folder / "text.txt").write_text("\n".join(" ".join(map(str, row)) for row in values))
        for name in ("grey.png", "colour.png", "deep.png", "photo.jpg", "array.npy", "data.h5", "text.txt"):
            yield name, (folder / name).read_bytes()
        yield "table.csv", b"0.1,0.2,0.3\n1e-3,-2,4\n"

    def warm(self) -> None:
        """Compile and load in this process what the cases need."""
        from brnn.cli import main

        with (
            tempfile.TemporaryDirectory() as name,
            contextlib.redirect_stdout(io.StringIO()) as said,
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            for part in ("in", "out"):
                Path(name, part).mkdir()
            for content in self.valid:
                Path(name, "in", content).write_bytes(self.valid[content])
            for start in STARTS:
                if start.split()[1] != "-":
                    main([word.replace("IN", f"{name}/in").replace("OUT", f"{name}/out") for word in start.split()])
            warnings.simplefilter("ignore")
            for data in self.networks:
                brnn.simulate(brnn.Network.from_dict(data), 0.1, times=[0.1])
        assert said.getvalue()

    def cases(self, rng: random.Random, count: int) -> Iterator[Case]:
        """Yield so many cases."""
        makers = [
            self.arguments,
            self.arguments,
            self.network,
            self.pattern,
            self.result,
            self.changed_result,
            self.table,
        ]
        for number in range(count):
            yield makers[number % len(makers)](rng)

    def arguments(self, rng: random.Random) -> Case:
        """Return arguments that are wrong."""
        words = rng.choice(STARTS).split()
        for _ in range(rng.choice((1, 1, 2, 3))):
            kind = rng.choice(("value", "value", "option", "word", "out", "twice"))
            at = rng.randrange(len(words))
            hostile = rng.choice(NUMBERS if rng.random() < 0.6 else TEXTS)
            if kind == "value" and at:
                name, equals, _ = words[at].partition("=")
                words[at] = f"{name}{equals}{hostile}" if equals else hostile
            elif kind == "option" and OPTIONS.get(words[0]):
                option = rng.choice(OPTIONS[words[0]])
                name = rng.choice(("A=", "n=", "signal=", "pattern=", "initial=", "x=", "every=", ""))
                words += [option, f"{name}{hostile}"]
            elif kind == "word":
                words[at] = hostile
            elif kind == "out":
                del words[at]
            else:
                words.insert(at, words[at])
            if not words:
                break
        # A hostile text may be the name of an output; it is to lie in the folder of outputs.
        for option in ("-o", "--plot", "--csv", "--parquet", "--out"):
            for k, word in enumerate(words[:-1]):
                if word == option and not words[k + 1].startswith("OUT"):
                    words[k + 1] = "OUT/" + words[k + 1].lstrip("./~").replace("..", "")
        return Case(
            [word.replace("\0", "") for word in words],
            self.valid,
            "arguments",
            damaged(rng, self.valid["network.json"]),
        )

    def network(self, rng: random.Random) -> Case:
        """Return a network in JSON that is not what it should be."""
        data = changed(rng, rng.choice(self.networks))
        text = json.dumps(data).encode()
        if rng.random() < 0.2:
            text = damaged(rng, text)
        words = rng.choice(
            (
                "run IN/n.json --duration 0.5 --times 3",
                "show IN/n.json",
                "theory IN/n.json",
                "show IN/n.json --equations",
                "sweep IN/n.json --repeats 2 --duration 0.5 -o OUT/s.h5",
                "show IN/n.json --json",
            )
        )
        return Case(words.split(), {"n.json": text}, "networks")

    def pattern(self, rng: random.Random) -> Case:
        """Return an input that is damaged."""
        name = rng.choice(list(self.inputs))
        content = damaged(rng, self.inputs[name])
        if name.endswith((".csv", ".txt")) and rng.random() < 0.5:
            content = content.replace(b"0.2", rng.choice((*NUMBERS, *TEXTS)).encode("utf-8", "surrogatepass"))
        return Case(["run", "rcf", "--input", f"IN/{name}", *SMALL], {name: content}, "patterns")

    def table(self, rng: random.Random) -> Case:
        """Return a table of members that is damaged."""
        content = damaged(rng, self.valid["members.csv"])
        if rng.random() < 0.5:
            content = content.replace(b"1.5", rng.choice((*NUMBERS, *TEXTS)).encode("utf-8", "surrogatepass"))
        words = "sweep rcf --table IN/members.csv --duration 0.5 -o OUT/s.h5"
        return Case(words.split(), {"members.csv": content}, "tables")

    def _read(self, rng: random.Random, name: str) -> list[str]:
        commands = {
            "run.h5": (
                "info IN/run.h5",
                "plot IN/run.h5 -o OUT/p.png",
                "export IN/run.h5 --csv OUT/t",
                "rerun IN/run.h5",
            ),
            "sweep.h5": (
                "info IN/sweep.h5",
                "plot IN/sweep.h5 -o OUT/p.png",
                "export IN/sweep.h5 --csv OUT/t",
                "rerun IN/sweep.h5",
                "run IN/sweep.h5 --member 1 --times 3",
                "merge IN/sweep.h5 -o OUT/m.h5",
            ),
        }
        return rng.choice(commands[name]).split()

    def result(self, rng: random.Random) -> Case:
        """Return the file of a run or a sweep, damaged."""
        name = rng.choice(("run.h5", "sweep.h5"))
        return Case(self._read(rng, name), {name: damaged(rng, self.valid[name])}, "results, bytes")

    def changed_result(self, rng: random.Random) -> Case:
        """Return the same, in order as HDF5, with other contents."""
        name = rng.choice(("run.h5", "sweep.h5"))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(self.valid[name])
            with h5py.File(path, "r+") as file:
                for _ in range(rng.choice((1, 1, 2))):
                    _change_hdf5(rng, file)
            return Case(self._read(rng, name), {name: path.read_bytes()}, "results, contents")


def _change_hdf5(rng: random.Random, file: h5py.File) -> None:
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


# ------------------------------------------------------------------------------------------------ kills

RUN = "run rcf --set n=20 --duration 400 --times 40001 -o OUT/run.h5"
SWEEP = "sweep rcf --grid A=0.5:1.5:30 --grid B=1:2:40 --duration 30 --measure total,final -o OUT/sweep.h5"


def kills(rng: random.Random, count: int, jobs: int, tell: Callable[[str, list[str]], None]) -> None:
    """Kill runs and sweeps; what they had is there, and what is resumed is the same as what was never killed."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    whole = {}
    for words, name in ((RUN, "run.h5"), (SWEEP, "sweep.h5")):
        begun = time.monotonic()
        ended = call(words.split(), folder / name)
        assert ended.code == 0, ended.err
        whole[name] = (time.monotonic() - begun, folder / name / "out" / name)
    for number in range(count):
        words, name = ((RUN, "run.h5"), (SWEEP, "sweep.h5"))[number % 2]
        place = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
        process = Running(Case(words.split()), place)
        time.sleep(rng.uniform(0.0, 1.1 * whole[name][0]))
        path = place / "out" / name
        seen = _rows(path)
        with_end = os.waitpid(process.pid, os.WNOHANG)[0] != 0
        if not with_end:
            os.kill(process.pid, signal.SIGKILL)
            os.waitpid(process.pid, 0)
        found = _checked(name, path, seen, whole[name][1])
        if name == "sweep.h5":
            again = call([*words.split(), "--resume"], place)
            found += [f"resume: {fault}" for fault in faults_of(again)] + ([] if again.code == 0 else ["not resumed"])
            found += _checked(name, path, 1200, whole[name][1])
        else:
            again = call([*words.split(), "--force"], place)
            found += [f"again: {fault}" for fault in faults_of(again)] + _checked(name, path, 40001, whole[name][1])
        left = sorted(entry.name for entry in path.parent.iterdir() if entry.name != name)
        tell(f"killed {name[:-3]}", found + [f"left {entry}" for entry in left])
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _rows(path: Path) -> int:
    """Return how many rows or members a file has now."""
    if not path.exists():
        return 0
    with h5py.File(path, "r") as file:
        if "status" in file:
            return int(np.count_nonzero(file["status"][()]))
        return int(np.count_nonzero(np.isfinite(file["rcf/time"][()])))


def _checked(name: str, path: Path, seen: int, whole: Path) -> list[str]:
    """Return what is lost or wrong of at least `seen` rows."""
    if not path.exists():
        return ["lost: no file"] if seen else []
    try:
        with brnn.open(path) as data, brnn.open(whole) as right:
            if name == "run.h5":
                rows = np.arange(len(data.times))
                same = np.array_equal(data["rcf.x"], right["rcf.x"][rows])
            else:
                rows = np.flatnonzero(data["status"].values)
                same = not rows.size or all(
                    np.array_equal(data[key].values[rows], right[key].values[rows]) for key in ("total", "rcf.x")
                )
    except Exception as error:
        return [f"unreadable: {error}"]
    return ([] if same else ["wrong numbers"]) + ([] if rows.size >= seen else [f"lost: {rows.size} of {seen} rows"])


# ------------------------------------------------------------------------------------------------ full disks

OUTPUTS = {  # a command with an output, and its name
    "run rcf --set n=40 --duration 5 -o OUT/new.h5": "new.h5",
    "run rcf --duration 0.5 --plot OUT/new.png": "new.png",
    "sweep rcf --grid A=0.5:1.5:300 --duration 0.5 --measure final -o OUT/new.h5": "new.h5",
    "plot IN/run.h5 -o OUT/new.png": "new.png",
    "plot IN/sweep.h5 -o OUT/new.svg": "new.svg",
    "export IN/run.h5 --csv OUT/tables": "tables",
    "export IN/sweep.h5 --csv OUT/tables": "tables",
    "export IN/sweep.h5 --parquet OUT/new.parquet": "new.parquet",
    "merge IN/part1.h5 IN/part2.h5 -o OUT/new.h5": "new.h5",
}


def full_disks(inputs: Inputs, tell: Callable[[str, list[str]], None]) -> None:
    """Let the disk be full for every command that writes: a small file system if we may mount one, else a limit."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    for part in ("1", "2"):
        shard = "sweep rcf --grid A=0.5,1,2 --duration 0.5 --shard"
        assert call([*shard.split(), f"{part}/2", "-o", f"OUT/part{part}.h5"], folder).code == 0
    files = dict(inputs.valid) | {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    for words, name in OUTPUTS.items():
        for size in (4096, 16_384, 65_536):
            for old in (False, True):
                place = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
                out = place / "out"
                out.mkdir()
                mounted = (
                    subprocess.run(
                        ["mount", "-t", "tmpfs", "-o", f"size={size + 8192 * old}", "brnn", str(out)],
                        capture_output=True,
                    ).returncode
                    == 0
                )
                target = out / name
                if name == "tables":
                    target.mkdir()
                    target = target / "members.csv"
                if old:
                    target.write_bytes(b"precious")
                process = Running(
                    Case([*words.split(), *(["--force"] if old else [])], files), place, None if mounted else size
                )
                while (ended := process.ended()) is None:
                    time.sleep(0.005)
                found = faults_of(ended)
                if ended.code == 0 and not (target.exists() or name == "tables"):
                    found.append("ended with 0, and wrote nothing")
                if ended.code != 0:
                    left = [path.name for path in out.rglob("*") if path.is_file()]
                    if old and (not target.exists() or target.read_bytes() != b"precious") and name != "tables":
                        found.append("lost: the old file")
                    if name != "tables" and left != ([name] if old else []):
                        found.append(f"left {left}")
                tell(
                    "full disk",
                    found and [f"{words} ({size}, {'old' if old else 'new'}): {'; '.join(found)}: {ended.err[-200:]}"],
                )
                if mounted:
                    subprocess.run(["umount", str(out)], check=True)
                shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------------ damaged caches


def damaged_caches(rng: random.Random, count: int, tell: Callable[[str, list[str]], None]) -> None:
    """Empty, cut or zero files of compiled code: the network runs all the same, with the same numbers."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    os.environ["BRNN_CACHE_DIR"] = str(folder / "cache")
    words = ["run", "leaky_competing_accumulator", "--duration", "0.5", "--times", "3"]  # no case before has loaded it
    right = call(words, folder / "right")
    for _ in range(count):
        files = [path for path in (folder / "cache").rglob("*") if path.is_file()]
        for path in rng.sample(files, min(len(files), rng.choice((1, 2, 100)))):
            content = path.read_bytes()
            kind = rng.choice(("empty", "cut", "zero", "gone"))
            path.write_bytes(
                {"empty": b"", "cut": content[: rng.randrange(len(content) + 1)], "zero": bytes(len(content))}.get(
                    kind, b""
                )
            )
            if kind == "gone":
                path.unlink()
        ended = call(words, folder / "again")
        found = faults_of(ended)
        if ended.code != right.code or _numbers(ended.out) != _numbers(right.out):
            found.append(f"other numbers: {ended.err[-300:]}")
        tell("damaged cache", found)
    shutil.rmtree(folder, ignore_errors=True)


def _numbers(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("run ")]


# ------------------------------------------------------------------------------------------------ all of it


def main() -> int:
    """Run it all, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--inputs", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--caches", type=int, default=20)
    parser.add_argument("--disks", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    done: Counter[str] = Counter()
    faults: Counter[str] = Counter()

    def tell(kind: str, found: list[str]) -> None:
        done[kind] += 1
        for fault in found:
            faults[fault.partition(":")[0]] += 1
            print(f"{kind}: {fault}", flush=True)

    def report(ended: Ended, found: list[str]) -> None:
        tell(ended.case.kind, [])
        done["ended with " + str(ended.code)] += 1
        for fault in found:
            faults[fault] += 1
            print(
                f"{ended.case.kind}: {fault}: brnn {ended.case.words!r}\n    {ended.err.strip()[-700:]!r}", flush=True
            )

    with tempfile.TemporaryDirectory(prefix="brnn-faults-") as name:
        inputs = Inputs(Path(name))
        if given.inputs:
            inputs.warm()
            run_all(inputs.cases(random.Random(given.seed), given.inputs), given.jobs, report)
        if given.kills:
            kills(random.Random(given.seed + 1), given.kills, given.jobs, tell)
        if given.disks:
            full_disks(inputs, tell)
        if given.caches:
            damaged_caches(random.Random(given.seed + 2), given.caches, tell)
    print("done:", ", ".join(f"{kind} {count}" for kind, count in sorted(done.items())))
    print(
        "faults:",
        ", ".join(f"{count} {fault}" for fault, count in faults.most_common()) or "none",
        f"(seed {given.seed})",
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
