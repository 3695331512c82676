"""The differences between a network and its recordings, with their exact derivatives by the free parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from brnn.errors import BrnnError, InputError, IntegrationError
from brnn.fitting.recordings import Recording
from brnn.sensitivities.arguments import STEP, Arguments, difference
from brnn.sensitivities.forward import ForwardRun
from brnn.sensitivities.parameters import Parameters

__all__ = ["Residuals"]

_SAME = 1e-11
_FINE = 2.0**-13  # a difference with this step is off by about 1e-8, which a search for a minimum does not notice
_FAR = 1e8  # of the largest residual: what a failed run counts


class _Run:
    """One recording and the run that belongs to it."""

    def __init__(self, parameters: Parameters, recording: Recording, length: float) -> None:
        self.parameters, self.recording, self.length = parameters, recording, length
        self.arguments = Arguments(parameters, length)
        self.forward = ForwardRun(self.arguments)
        self.affine: tuple[np.ndarray, np.ndarray, csr_array] | None = self._affine()

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process: what is compiled is compiled there."""
        return type(self), (self.parameters, self.recording, self.length), {"affine": self.affine}

    def _affine(self) -> tuple[np.ndarray, np.ndarray, csr_array] | None:
        """Return the arguments at the start and their derivatives, if they are affine in all parameters together."""
        start, here = self.parameters.start, self.arguments.first
        slopes = self.arguments.slopes(start, here, step=STEP)
        random = np.random.default_rng(0)
        for _ in range(2):
            moved = start + random.uniform(0.01, 0.2, start.size) * np.where(start == 0.0, 0.01, np.abs(start))
            try:
                there = self.arguments.at(moved)
            except BrnnError:
                return None
            if (
                np.abs(difference(there, here) - slopes @ (moved - start)) > _SAME * (np.abs(there) + np.abs(here))
            ).any():
                return None
        return start, here, slopes

    def at(self, numbers: np.ndarray, *, exactly: bool = False) -> tuple[np.ndarray, csr_array]:
        """Return all arguments and their derivatives."""
        if self.affine is not None and not exactly:
            start, here, slopes = self.affine
            return here + slopes @ (numbers - start), slopes
        here = self.arguments.at(numbers)
        return here, self.arguments.slopes(numbers, here, step=_FINE)

    def states(
        self, numbers: np.ndarray, scale: np.ndarray, options: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the measured unknowns at the measured times, and their derivatives."""
        here, slopes = self.at(numbers)
        edges = here[self.arguments.place.edges]
        if (np.diff(edges) <= 0.0).any():
            raise InputError("the order of break points has changed")
        states, tangents = self.forward.run(here, slopes, scale, self.recording.times, **options)
        return states[:, self.recording.unknowns], tangents[:, self.recording.unknowns]


class Residuals:
    """All differences, in units of the noise, as functions of the free parameters.

    Parameters
    ----------
    parameters : list of Parameters
        For each recording.
    recordings : list of Recording
        What was measured.
    lengths : list of float
        How long each run is.
    noise : float or ndarray
        Standard deviation of each value; 1 if it is not known.
    options : mapping
        Tolerances and solver.
    """

    def __init__(
        self,
        parameters: list[Parameters],
        recordings: list[Recording],
        lengths: list[float],
        noise: Any,
        options: Mapping[str, Any],
    ) -> None:
        self.runs = [_Run(*each) for each in zip(parameters, recordings, lengths, strict=True)]
        self.start = parameters[0].start
        self.scale = np.where(self.start == 0.0, 1.0, np.abs(self.start))
        self._options = dict(options)
        self._noise = noise
        self._measured = np.concatenate([recording.values.ravel() for recording in recordings])
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.evaluations = 0

    @property
    def size(self) -> int:
        """How many values were measured."""
        return self._measured.size

    @property
    def affine(self) -> bool:
        """Whether arguments were not built anew."""
        return any(run.affine is not None for run in self.runs)

    def exactly(self) -> None:
        """Build the network anew for all further values."""
        for run in self.runs:
            run.affine = None
        self._last = None

    def differs(self, numbers: np.ndarray) -> bool:
        """Tell whether the network of these values has other arguments than were taken."""
        for run in self.runs:
            if run.affine is not None:
                there, taken = run.arguments.at(numbers), run.at(numbers)[0]
                if (np.abs(difference(there, taken)) > 10.0 * _SAME * (np.abs(there) + 1e-300)).any():
                    return True
        return False

    def model(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the network says of the measured values, and its derivatives; raise what a run raises."""
        if self._last is None or not np.array_equal(self._last[0], numbers):
            found = [run.states(numbers, self.scale, self._options) for run in self.runs]
            values = np.concatenate([states.ravel() for states, _ in found])
            slopes = np.concatenate([tangents.reshape(-1, numbers.size) for _, tangents in found])
            self._last = numbers.copy(), values, slopes
            self.evaluations += 1
        return self._last[1], self._last[2]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Return the differences; large ones where there is no network, or its run fails."""
        try:
            values, _ = self.model(numbers)
        except (IntegrationError, InputError, BrnnError):
            return np.full(self.size, _FAR * (1.0 + np.abs(self._measured).max()))
        return (values - self._measured) / self._noise

    def jacobian(self, numbers: np.ndarray) -> np.ndarray:
        """Return their derivatives."""
        _, slopes = self.model(numbers)
        noise = np.broadcast_to(self._noise, self.size)
        return slopes / noise[:, None]
