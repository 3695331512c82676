"""The result of a run: labelled arrays over time, how the solver fared, and the network that was run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from brnn.base.data import UnknownKind
from brnn.base.plain import PlainSpec, plain_spec
from brnn.base.text import closest
from brnn.errors import FileError, InputError, SpecError
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import EventTable
from brnn.result.metadata import (
    NETWORK_ARRAYS,
    OPTION_ARRAYS,
    LateMetadata,
    Metadata,
    network_from_file,
    options_from_file,
    solver_text,
)
from brnn.result.phases import phase_dataset, phase_slice, spans_of
from brnn.result.recorded import Recorded
from brnn.result.solver import Solver
from brnn.result.start import Start, joined
from brnn.result.summary import described, summary
from brnn.spec.begun import as_begun

if TYPE_CHECKING:
    import xarray as xr

    from brnn.comparison import Comparisons
    from brnn.spec.events.protocol import PhaseSpan
    from brnn.spec.network import Network

__all__ = ["Result", "UnknownClass", "UnknownVariable"]


class UnknownVariable(InputError, KeyError):
    """A result has no variable of this name."""

    __str__ = Exception.__str__  # that of KeyError puts the message into quotes


class UnknownClass(FileError):
    """The network of a file has a class of the user's own, which is not there."""


class Result(Mapping[str, "xr.DataArray"]):
    """What a run recorded, as a mapping from the names of its variables to arrays.

    ``result["F1.x"]`` is an xarray.DataArray with the axis `time` first; of a file it reads only what is used.
    `brnn.simulate` and `brnn.open` return it.

    Attributes
    ----------
    status : str
        "complete"; "steady" (it came to rest and was stopped); "failed" or "interrupted" (it ended early); or
        "incomplete" (it was killed, or is still running).
    solver : Solver
        How the integration went.
    path : Path or None
        The file, if the result is in one.
    event_table : EventTable or None
        The events as plain arrays; None if the network has none.
    """

    def __init__(
        self,
        recorded: Sequence[Recorded],
        metadata: Metadata | Callable[[], Metadata],
        status: str,
        solver: Mapping[str, Any],
        path: Path | None = None,
        close: Callable[[], None] | None = None,
        events: EventTable | None = None,
        kept: Checkpoint | Callable[[], Checkpoint | None] | None = None,
        keeps: bool = False,
        reopen: Callable[[], Result] | None = None,
    ) -> None:
        self._recorded = {entry.column.name: entry for entry in recorded}
        self._said = metadata
        self._close = close
        self._kept = kept
        self._keeps = keeps
        self._reopen = reopen
        self.event_table = events
        self.status = status
        self.solver = Solver.from_mapping(status, solver)
        self.path = path

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return a variable by its full name, e.g. ``"F1.x"``, with the dimensions ``(time, *cells)``."""
        return self._find(name).array(self.time_units)

    def __contains__(self, name: object) -> bool:
        return name in self._recorded

    def __iter__(self) -> Iterator[str]:
        return iter(self._recorded)

    def __len__(self) -> int:
        return len(self._recorded)

    def _ipython_key_completions_(self) -> list[str]:
        """Return what IPython and Jupyter complete after ``result["``."""
        return list(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process: as values if it is in memory, else as the name of its file, which is opened there."""
        if self._reopen is not None:
            return self._reopen, ()
        state = {"_said": self._metadata, "_close": None, "_kept": self.checkpoint()}
        return object.__new__, (type(self),), {**self.__dict__, **state}

    # Two results are the same only if they are one object: comparing arrays needs a tolerance.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def final(self, layer: str) -> xr.DataArray:
        """Return the last recorded values of a layer (``"F1"``) or variable (``"F1.x"``), without time."""
        return self._find(layer, short=True).final(layer)

    def total(self, layer: str) -> xr.DataArray:
        """Return the sum over all cells of a layer (or of any variable) at every time."""
        return self._find(layer, short=True).total(self.time_units)

    def relative(self, layer: str) -> xr.DataArray:
        """Return the relative activities x_i / sum_k x_k of a layer at every time; NaN where the sum is 0."""
        return self._find(layer, short=True).relative(self.time_units)

    @property
    def times(self) -> np.ndarray:
        """The saved times (of the weights, if only these were recorded)."""
        entries = sorted(self._recorded.values(), key=lambda entry: entry.column.axis != "time")
        return entries[0].times.copy()

    @property
    def reached(self) -> float:
        """The last saved time; NaN if there is none."""
        return max((float(entry.times[-1]) for entry in self._recorded.values() if len(entry.times)), default=math.nan)

    @property
    def start_time(self) -> float:
        """The time at which the run began: 0, or that of the state from which it went on."""
        return float(self._metadata.attributes.get("start_time", 0.0))

    def checkpoint(self) -> Checkpoint | None:
        """Return what the run kept for one that goes on from its end, beside its states; None if these are all."""
        return self._kept() if callable(self._kept) else self._kept

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether its file has room for what a run that is resumed needs: those of earlier versions have not."""
        return self._keeps

    @property
    def duration(self) -> float:
        """The planned duration, from `start_time` on; NaN if it is not known."""
        return float(self._metadata.attributes.get("duration", math.nan))

    @property
    def recorded(self) -> list[Recorded]:
        """The variables, in the order of the state vector."""
        return list(self._recorded.values())

    @property
    def attributes(self) -> dict[str, Any]:
        """The root attributes of the file: versions, seed, command line, date and more, as text and numbers."""
        return dict(self._metadata.attributes)

    @property
    def seed(self) -> int | None:
        """The seed of the run's randomness; None if it had none."""
        seed = self._metadata.attributes.get("seed", "none")
        return None if seed == "none" else int(seed)

    @property
    def events(self) -> xr.Dataset:
        """What happened: `time`, `name`, `cell`, `value` and `chosen` along the dimension `event`, in order of time.

        Each cell that crossed a threshold has a row. `cell` is its index in C order, -1 if there was none; `value` is
        what crossed, before the event's actions (NaN for events at given times); `chosen` is the cell that was drawn.
        """
        return (self.event_table or EventTable.of((), ())).dataset(self.time_units)

    def events_in_words(self) -> str:
        """Return in one line how many events there were."""
        return (self.event_table or EventTable.of((), ())).in_words()

    @property
    def phases(self) -> xr.Dataset:
        """The phases of the network's protocol as they were: `name`, `trial`, `start` and `stop` along `phase`.

        Phases that the run did not reach are left out. `trial` counts the phases of one name from 0.
        """
        return phase_dataset(self._spans, self.time_units)

    def during(self, name: str, trial: int = -1) -> slice:
        """Return the time of a phase as a slice: ``result["F1.x"].sel(time=result.during("test"))``.

        Parameters
        ----------
        name : str
            Name of the phase.
        trial : int
            Which phase of this name, counted from 0; -1 is the last one that the run reached.

        Raises
        ------
        InputError
            If there is none.
        """
        return phase_slice(self._spans, name, trial)

    @cached_property
    def _metadata(self) -> Metadata:
        """What the run says of itself: made when it is first asked for, as most runs in memory never are."""
        return self._said() if callable(self._said) else self._said

    @cached_property
    def _spans(self) -> tuple[PhaseSpan, ...]:
        events = self.event_table
        if "start" in self.options:
            events = joined(Start.from_options(self.options["start"]).events, events)
        return spans_of(self.network, events, self.reached if math.isfinite(self.reached) else self.duration)

    @cached_property
    def network(self) -> Network:
        """The network that was run. FileError if the file holds it damaged; UnknownClass if it needs the user's own."""
        text = str(self._metadata.attributes["network"])
        try:
            network: Network = network_from_file(text, self._metadata.arrays.get(NETWORK_ARRAYS, {}))
        except UnknownKind as error:
            raise UnknownClass(
                f"{self._label}: its network has a {error.kind}, which is no class of brnn but one defined in the "
                "user's module: import that first (on the command line give it with --model FILE)"
            ) from None
        except SpecError as error:
            raise FileError(f"{self._label}: its network is damaged: {error}") from None
        return network

    @property
    def plain_network(self) -> PlainSpec:
        """What the file says of the network, whether or not the classes of its parts are there."""
        text = str(self._metadata.attributes["network"])
        try:
            return plain_spec(json.loads(text), self._metadata.arrays.get(NETWORK_ARRAYS, {}))
        except (SpecError, ValueError, RecursionError) as error:
            raise FileError(f"{self._label}: its network is damaged: {error}") from None

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options with which the network was run."""
        text = str(self._metadata.attributes.get("options", "{}"))
        try:
            return options_from_file(text, self._metadata.arrays.get(OPTION_ARRAYS, {}))
        except InputError as error:
            raise FileError(f"{self._label}: {error}") from None

    @property
    def tree(self) -> xr.DataTree:
        """All variables as an xarray.DataTree, one node per layer and projection, as they stand in the file."""
        import xarray as xr

        nodes: dict[str, dict[str, Any]] = {}
        for entry in self._recorded.values():
            axis = entry.column.axis
            array = entry.array(self.time_units)
            node = nodes.setdefault(f"/{entry.column.group}", {})
            node[entry.column.quantity] = array if axis == "time" else array.rename(time=axis)
        datasets = {name: xr.Dataset(node) for name, node in nodes.items()}
        if self.event_table is not None:
            datasets["/events"] = self.events
        tree = xr.DataTree.from_dict(datasets)
        tree.attrs.update(self.attributes, status=self.status, solver=solver_text(self.solver.details))
        return tree

    def compare(self) -> Comparisons:
        """Return what mathematics predicts for the network beside what this run gives.

        Of everything that `brnn.theory.predict` says of the network and that the run shows: a state of rest only if
        the run came to rest.

        Returns
        -------
        list of Comparison
            A notebook shows it as a table.
        """
        from brnn.theory.predictions.predict import predict

        return predict(as_begun(self.network, self.options.get("initial"))).compare(self)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write everything to an HDF5 file, which appears under its name when it is whole.

        Raises
        ------
        FileError
            If the file exists (and not `force`), or cannot be written.
        """
        from brnn.files.run.save import write_file

        write_file(
            path,
            self.recorded,
            self._metadata,
            self.status,
            self.solver.details,
            force,
            self.event_table,
            kept=self.checkpoint(),
        )

    def close(self) -> None:
        """Close the file; what was read from it stays usable."""
        if self._close is not None:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return described(self)

    def _repr_html_(self) -> str:
        """Show it in a notebook: its summary, and its figure."""
        from brnn.plot.notebook import result_html

        return result_html(self)

    def summary(self) -> str:
        """Return in one line how the run ended and how far it got."""
        return summary(self)

    @property
    def time_units(self) -> str:
        """The unit of time; "1" if there is none."""
        if isinstance(self._said, LateMetadata):
            return self._said.time_units
        return str(self._metadata.attributes.get("time_units", "1"))

    @property
    def _label(self) -> str:
        return str(self.path) if self.path is not None else "result"

    def _find(self, name: str, short: bool = False) -> Recorded:
        if name in self._recorded:
            return self._recorded[name]
        if short and f"{name}.x" in self._recorded:
            return self._recorded[f"{name}.x"]
        names = list(self._recorded)
        inside = [known for known in names if known.split(".")[0] == name]
        hint = f"; did you mean '{inside[0]}'?" if inside else closest(str(name), names)
        raise UnknownVariable(f"result['{name}']: no such variable (there is {', '.join(names)}){hint}")
