"""Hostile inputs: arguments, networks, patterns, tables and results that are not what they should be."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from cases import Case
from hostile import NUMBERS, OPTIONS, STARTS, TEXTS, change_hdf5, changed, damaged
from networks import latest, networks, quick_eye

import brnn

RESULTS = ("run.h5", "sweep.h5", "spikes.h5", "moves.h5")
SMALL = ("--duration", "0.5", "--times", "3")


class Inputs:
    """Makes cases from valid inputs, which are made once."""

    def __init__(self, folder: Path) -> None:
        self.networks = [network.to_dict() for network in networks()]
        for network in latest():
            if network.spiking:
                brnn.simulate(network, 0.2, times=[0.0, 0.1, 0.2], record=folder / "spikes.h5").close()
        brnn.simulate(quick_eye(), record=folder / "moves.h5").close()
        brnn.simulate(brnn.models.load("rcf").build(n=6), 2.0, record=folder / "run.h5").close()
        brnn.sweep("rcf", brnn.Grid(A=[0.5, 1.0, 2.0]), duration=1.0, out=folder / "sweep.h5").close()
        self.valid = {name: (folder / name).read_bytes() for name in RESULTS}
        self.valid |= {"table.csv": b"0.1,0.2\n0.3,0.4\n", "members.csv": b"A,B\n0.5,1\n1.5,2\n"}
        self.valid["network.json"] = json.dumps(self.networks[0]).encode()
        self.inputs = dict(self._patterns(folder))
        self.paths = dict(self._paths(folder))

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

    @staticmethod
    def _paths(folder: Path) -> Iterator[tuple[str, bytes]]:
        """Yield the path of an animal in each kind of file."""
        import scipy.io

        t = 0.02 * np.arange(60)
        columns = {"t": t, "x1": 30.0 * np.sin(t), "y1": 20.0 * np.cos(t)}
        rows = "\n".join(",".join(map(repr, row)) for row in np.transpose(list(columns.values())).tolist())
        yield "walk.csv", b"time,x,y\n" + rows.encode()
        yield "walk.txt", rows.replace(",", " ").encode()
        scipy.io.savemat(folder / "walk.mat", {name: values[:, None] for name, values in columns.items()})
        with h5py.File(folder / "walk.h5", "w") as file:
            for name, values in columns.items():
                file[name] = values
        for name in ("walk.mat", "walk.h5"):
            yield name, (folder / name).read_bytes()

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
        gc.freeze()  # else each fork copies what its collections touch

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
            self.path,
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

    def path(self, rng: random.Random) -> Case:
        """Return the path of an animal that is damaged; no command reads it, so Python does, as a command would."""
        name = rng.choice(list(self.paths))
        content = damaged(rng, self.paths[name])
        if name.endswith((".csv", ".txt")) and rng.random() < 0.5:
            content = content.replace(b"0.2", rng.choice((*NUMBERS, *TEXTS)).encode("utf-8", "surrogatepass"))
        options = rng.choice(({}, {"bridge": 0.1}, {"arena": (-30, 30, -20, 20)}))
        return Case([f"IN/{name}", repr(options)], {name: content}, "paths", run=lambda words: _path(words[0], options))

    def _read(self, rng: random.Random, name: str) -> list[str]:
        commands = {
            "run.h5": (
                "info IN/run.h5",
                "plot IN/run.h5 -o OUT/p.png",
                "export IN/run.h5 --csv OUT/t",
                "rerun IN/run.h5",
            ),
            "spikes.h5": ("info IN/spikes.h5", "plot IN/spikes.h5 -o OUT/p.png", "export IN/spikes.h5 --csv OUT/t"),
            "moves.h5": (
                "info IN/moves.h5",
                "plot IN/moves.h5 -o OUT/p.png",
                "export IN/moves.h5 --csv OUT/t",
                "rerun IN/moves.h5",
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
        name = rng.choice(RESULTS)
        return Case(self._read(rng, name), {name: damaged(rng, self.valid[name])}, "results, bytes")

    def changed_result(self, rng: random.Random) -> Case:
        """Return the same, in order as HDF5, with other contents."""
        name = rng.choice(RESULTS)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(self.valid[name])
            with h5py.File(path, "r+") as file:
                for _ in range(rng.choice((1, 1, 2))):
                    change_hdf5(rng, file)
            return Case(self._read(rng, name), {name: path.read_bytes()}, "results, contents")


def _path(file: str, options: dict[str, Any]) -> int:
    try:
        brnn.read_trajectory(file, **options)
    except brnn.BrnnError as error:
        print(f"brnn: error: {error}", file=sys.stderr)
        return 2
    return 0
