"""What the page asks for: the list of models, one model, a run, theory, a sweep of one parameter, a pattern, a file."""

from __future__ import annotations

import functools
import json
import math
import re
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.paths import check_target
from brnn.base.text import counted, shortened
from brnn.ensemble.arrays import unfit
from brnn.equations import equations_of
from brnn.errors import InputError
from brnn.explore.asked import Asked, asked_of, fields_of
from brnn.explore.catalogue import Catalogue
from brnn.explore.controls import controls_of
from brnn.explore.running import Runner
from brnn.figures.describe import described
from brnn.figures.own import figure_of
from brnn.figures.run import Run
from brnn.figures.view import View
from brnn.files.patterns import read_pattern
from brnn.result.result import Result
from brnn.spec.dotted.texts import number_in, parameters_of
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network
from brnn.sweeps.designs import Grid
from brnn.sweeps.run import sweep
from brnn.theory import predict

__all__ = ["Answers", "packed"]

Gone = Callable[[], bool]

_PREDICTED = 1000  # unknowns up to which theory looks at a network
_EQUATIONS = 20_000  # characters of the equations that are shown
_MEMBERS = 201
_SWEEP_SECONDS = 20.0  # that a sweep of members one by one may take, by the time that a run took
_MEASURES = ("total", "winner", "survivors", "stored_contrast", "regime")
_PATTERN_SIDE = 64  # cells of a drawn pattern along each axis
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.h5")


def packed(header: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> bytes:
    """Return an answer: the length of a JSON text, that text, and after it numbers of 32 bits, little-endian."""
    text = json.dumps(header, allow_nan=False, separators=(",", ":"), default=_as_json).encode()
    text += b" " * (-len(text) % 4)
    parts = [np.ascontiguousarray(array, dtype="<f4").tobytes() for array in arrays]
    return b"".join([struct.pack("<I", len(text)), text, *parts])


def _as_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in an answer")


@dataclass
class Answers:
    """Answers what the page asks for.

    Parameters
    ----------
    catalogue : Catalogue
        The models.
    folder : Path
        The only folder into which files are written.
    runner : Runner
        What makes the runs.
    """

    catalogue: Catalogue
    folder: Path
    runner: Runner = field(default_factory=Runner)

    def models(self) -> dict[str, Any]:
        """Return the list of models."""
        entries = [{"name": e.name, "title": e.title, "reference": e.reference} for e in self.catalogue.entries]
        return {"models": entries, "first": self.catalogue.first, "folder": str(self.folder)}

    def model(self, query: str) -> dict[str, Any]:
        """Return what the page needs to show a model: its controls, its panels, its equations."""
        asked, network = self._network(query)
        build = asked.model.module
        title = (build.__doc__ or "").partition("\n")[0].rstrip(".") if build is not None else network.name
        equations = equations_of(network).text() if sum(network.states.values()) <= _PREDICTED else ""
        return {
            "name": asked.model.name,
            "title": title,
            "reference": network.reference,
            "controls": controls_of(asked, network),
            "states": {name: list(shape) for name, shape in network.state_shapes.items()},
            "duration": natural_duration(network),
            "time_units": network.time_units,
            "random": network.random,
            "discrete": network.step is not None,
            "equations": equations if len(equations) <= _EQUATIONS else "",
            "measures": _measures(network),
        }

    def run(self, query: str, gone: Gone = lambda: False) -> bytes:
        """Return a run: a header in JSON, then the times and the values of each variable as float32.

        With ``theory=later`` in the query its figure is drawn without what theory says, and the header says whether
        that `waits`: it may take longer than the run, and a slider that moves shall not wait for it.
        """
        later = ("theory", "later")
        fields = fields_of(query)
        asked = asked_of([field for field in fields if field != later], self.catalogue)
        network = asked.network()
        seed = 0 if network.random and asked.seed is None else asked.seed
        result, said = self.runner.run(network, asked.duration, seed, gone)
        arrays: list[np.ndarray] = []
        places: list[dict[str, Any]] = []
        offset = 0
        for entry in result.recorded:
            times, values = np.asarray(entry.times), np.asarray(entry.data[:])
            place = {"name": entry.column.name, "shape": list(values.shape[1:]), "times": offset, "count": times.size}
            offset += times.size
            arrays += [times, np.nan_to_num(values.reshape(-1), posinf=3e38, neginf=-3e38)]
            places.append({**place, "values": offset})
            offset += values.size
        drawn: dict[str, np.ndarray] = {}
        own = figure_of(asked.model.module) if asked.model.path is not None else None
        read = Run(result, theory=later not in fields)
        figure = described(read, own).to_dict(drawn)
        where: dict[str, dict[str, Any]] = {}
        for name, array in drawn.items():
            where[name] = {"offset": offset, "shape": list(array.shape)}
            arrays.append(array)
            offset += array.size
        views = [read.view(name) for name in result if name.endswith(".x")]
        header = {
            "status": result.status,
            "reached": float(result.reached),
            "solver": {name: getattr(result.solver, name) for name in ("method", "steps", "seconds", "message")},
            "variables": places,
            "figure": figure,
            "waits": read.waits,
            "arrays": where,
            "summary": _summary(result, views),
            "events": 0 if result.event_table is None else len(result.event_table),
            "warnings": said,
            "command": asked.command(),
        }
        return packed(header, arrays)

    def texts(self, query: str) -> dict[str, str]:
        """Return the command line and the Python script that give the same numbers."""
        asked, network = self._network(query)
        if network.random and asked.seed is None:
            asked = Asked(asked.model, asked.settings, asked.duration, 0)
        return {"command": asked.command(), "script": asked.script()}

    def theory(self, query: str) -> dict[str, Any]:
        """Return what mathematics predicts for the network, and why it predicts no more."""
        _, network = self._network(query)
        if sum(network.states.values()) > _PREDICTED:
            return {"predictions": [], "why_not": f"theory looks at networks of at most {_PREDICTED:,} unknowns here"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = predict(network)
        rows = [
            {
                "quantity": one.quantity,
                "words": one.words,
                "hypothesis": one.hypothesis,
                "source": one.source,
                "during": one.during,
                "value": _numbers(one.value),
            }
            for one in said
        ]
        return {"predictions": rows, "why_not": "" if rows else said.why_not}

    def sweep(self, query: str, gone: Gone = lambda: False) -> dict[str, Any]:
        """Return a measure along one parameter, all else as it is: what would be if it were another."""
        fields = fields_of(query)
        own = {key: value for key, value in fields if key in ("along", "low", "high", "count", "measure")}
        rest = [(key, value) for key, value in fields if key not in own]
        asked = asked_of(rest, self.catalogue)
        name, measure = own.get("along", ""), own.get("measure", "")
        low, high, count = (_number(own, key) for key in ("low", "high", "count"))
        if not (2 <= count <= _MEMBERS and float(count).is_integer()):
            raise InputError(f"count={count:g}: must be a whole number from 2 to {_MEMBERS}")
        network = asked.network()
        allowed = _measures(network)
        if measure not in allowed:
            raise InputError(f"measure={shortened(measure)}: must be one of {', '.join(allowed)}")
        build, whole = _buildable(asked, name)
        values = np.linspace(low, high, int(count))
        values = np.unique(np.round(values)) if whole else values
        with self.runner.turn(gone), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._refuse_long(network, asked, values.size)
            found = sweep(
                build,
                Grid(**{name: values.astype(int) if whole else values}),
                duration=asked.duration,
                measures=[measure.rpartition(".")[2]],
                seed=asked.seed or 0,
                progress=False,
            )
        shown = np.asarray(found[measure].values)
        texts = shown.dtype.kind not in "fiub"
        levels = list(dict.fromkeys(str(v) for v in shown)) if texts else []
        numbers = [float(levels.index(str(v))) for v in shown] if texts else [float(v) for v in shown]
        return {
            "along": name,
            "values": values.tolist(),
            "measure": measure,
            "measured": [number if math.isfinite(number) else None for number in numbers],
            "levels": levels,
            "failed": int(sum(bool(error) for error in found["error"].values)),
        }

    def pattern(self, name: str, content: bytes) -> dict[str, Any]:
        """Return the pattern in a file that the page sends, made so small that it can be drawn on."""
        suffix = Path(shortened(name, 100)).suffix.lower()
        with tempfile.TemporaryDirectory(prefix="brnn-") as folder:
            path = Path(folder) / f"pattern{suffix}"
            path.write_bytes(content)
            try:
                values = read_pattern(path)
            except InputError as error:
                raise InputError(str(error).replace(str(path), shortened(name, 100))) from None
        if values.ndim > 2:
            raise InputError(f"{shortened(name, 100)}: has {values.ndim} axes; a pattern that is drawn has one or two")
        small = _reduced(values)
        said = "" if small.shape == values.shape else f"averaged from {_size(values)} to {_size(small)}"
        return {"shape": list(small.shape), "value": [float(f"{v:.4g}") for v in small.ravel()], "said": said}

    def save(self, query: str, name: str) -> dict[str, str]:
        """Run once more, into a file of the folder that was named; return what was written."""
        if _FILE.fullmatch(name) is None:
            raise InputError(f"'{shortened(name)}': a name of letters, digits, '-', '_' and '.' that ends in .h5")
        path = self.folder / name
        if path.is_symlink():
            raise InputError(f"{path}: is a link, which may lead out of the folder")
        check_target(path, suffixes=(".h5",))
        asked, network = self._network(query)
        seed = 0 if network.random and asked.seed is None else asked.seed
        result, _ = self.runner.run(network, asked.duration, seed, record=path)
        result.close()
        return {"wrote": str(path)}

    def _network(self, query: str) -> tuple[Asked, Network]:
        asked = asked_of(fields_of(query), self.catalogue)
        return asked, asked.network()

    def _refuse_long(self, network: Network, asked: Asked, members: int) -> None:
        """Refuse a sweep whose members run one by one, if that would take long by what a run takes."""
        why = unfit(network)
        if not why:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seconds = self.runner.seconds_of(network, asked.duration, asked.seed)
        if seconds * members > _SWEEP_SECONDS:
            fewer = int(_SWEEP_SECONDS / seconds)
            raise InputError(
                f"{network.name}: its runs are made one by one ({why}) and take {seconds:.2g} s each: "
                f"{members} would take too long; " + (f"ask for {fewer}" if fewer > 1 else "use `brnn sweep`")
            )


def _measures(network: Network) -> list[str]:
    """Return what a sweep can measure, with the layer before it."""
    return [
        f"{layer.name}.{measure}"
        for layer in network.layers
        for measure in (_MEASURES if layer.cells > 1 else _MEASURES[:1])
    ]


def _buildable(asked: Asked, name: str) -> tuple[Any, bool]:
    """Return what a sweep along a parameter builds, with all other settings, and whether it takes whole numbers."""
    module = asked.model.module
    others = tuple(setting for setting in asked.settings if setting.partition("=")[0].strip() != name)
    if module is None:
        return asked.model.build(others), False
    values = asked.model.values(others)
    first, dot, _ = name.partition(".")
    whole = False
    if not dot:
        known = parameters_of(module.build)
        whole = name in known and "whole" in known[name].kinds and "number" not in known[name].kinds
    build = functools.partial(module.build, **{key: value for key, value in values.items() if dot or key != first})
    return build, whole


def _number(fields: Mapping[str, str], key: str) -> float:
    value = number_in(fields.get(key, ""))
    if value is None or not math.isfinite(value):
        raise InputError(f"{key}={shortened(fields.get(key, ''))}: must be a number")
    return value


def _numbers(value: Any) -> list[float] | None:
    """Return the numbers that a prediction says, if it says few."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number, np.ndarray)):
        return None
    numbers = np.ravel(np.asarray(value, dtype=float))
    return numbers.tolist() if numbers.size <= 4096 and np.isfinite(numbers).all() else None


def _summary(result: Result, views: Sequence[View]) -> list[str]:
    """Return in a few sentences what became of the network, for people who do not see the picture."""
    ending = {"complete": "", "steady": "came to rest"}.get(result.status, result.status)
    lines = [f"{result.network.name} {ending}" if ending else f"{result.network.name} reached t = {result.reached:.4g}"]
    for view in views[:4]:
        when, values = view.end
        values = values.ravel()
        at = f" {when}" if "offset" in when else ""
        if values.size == 1:
            lines.append(f"{view.group} {values[0]:.4g}{at}")
            continue
        alive = np.abs(values) > 1e-3 * max(float(np.abs(values).max()), 1e-12)
        winner = int(np.argmax(values))
        if not np.abs(values).max() > 1e-9:
            lines.append(f"{view.group}: nothing is active")
        elif alive.sum() == 1:
            lines.append(f"{view.group}: cell {winner} wins{at}, total {values.sum():.4g}")
        else:
            parts = f"{counted(int(alive.sum()), 'cell')} active{at}, cell {winner} most"
            total = f", total {values.sum():.4g}" if view.adds_up and values.min() >= 0.0 else ""
            lines.append(f"{view.group}: {parts}{total}")
    if len(views) > 4:
        lines.append(f"and {counted(len(views) - 4, 'more layer')}")
    return lines


def _reduced(values: np.ndarray) -> np.ndarray:
    """Return the means of blocks of cells, so that no axis is longer than can be drawn on."""
    for axis in range(values.ndim):
        length = values.shape[axis]
        if length > _PATTERN_SIDE:
            edges = np.linspace(0, length, _PATTERN_SIDE + 1).round().astype(int)
            sums = np.add.reduceat(values, edges[:-1], axis=axis)
            widths = np.diff(edges).reshape([-1 if k == axis else 1 for k in range(values.ndim)])
            values = sums / widths
    return values


def _size(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape))
