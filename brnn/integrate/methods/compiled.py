"""Go through time with the compiled ensemble's own integrator, with this one network as its member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brnn.ensemble.arrays import pack
from brnn.ensemble.load import integrators, lane_function
from brnn.ensemble.run import batch, rooms
from brnn.integrate.driver import Driver

__all__ = ["Compiled"]

_BLOCK = 16_000_000  # bytes of saved states that are held at once
_STEPS = 20_000  # between looks at the progress bar and at signals


@dataclass
class Compiled(Driver):
    """A run in compiled code from its beginning to its end: for small networks that must be fast.

    Parameters
    ----------
    rtol, atol : float
        Tolerances of every unknown.
    until_steady : bool
        Whether to stop at rest.
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    until_steady: bool = False

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Let the integrator run until its room for saved states is full, save them, and let it go on."""
        work = batch([pack(self.system.network, self.duration, state, lanes=1)])
        kernels, function = integrators(1), lane_function(work.layout.text.source)
        room, marks = rooms(work, 1)
        times = self.times[self.saved :]  # the first state is saved already
        rows = max(1, min(times.size, _BLOCK // (8 * state.size)))
        trajectory = np.empty((1, rows, state.size))
        final, reached = np.empty((1, state.size)), np.zeros(1)
        status, counts = np.zeros(1, np.int64), np.zeros((1, 3), np.int64)
        base, before, resume = 0, 0.0, False
        running = 1
        while running:
            running = kernels.run_members(
                function, *work.fixed, 0, 1, resume, _STEPS, *work.given,
                times, base, self.rtol, self.atol, self.until_steady, work.layout.varying,
                final, reached, status, counts, trajectory, room, marks,
            )  # fmt: skip
            resume = True
            done = int(marks[2])  # how many times the lane has saved
            if done > base:
                self.save(times[base:done], trajectory[0, : done - base])
                base = done
            self.steps, self.evaluations, self.jacobians = (int(count) for count in counts[0])
            now = float(reached[0] if not running else room[0])
            self.progressed(now - before)
            before = now
        time = float(reached[0])
        if status[0] not in (kernels.COMPLETE, kernels.STEADY):
            slope = self.system.rhs(np.nextafter(time, self.duration))(time, final[0])
            raise self.failure(time, final[0], slope, self.atol + self.rtol * np.abs(final[0]))
        if status[0] == kernels.STEADY:
            if self.saved == 0 or self.times[self.saved - 1] < time:
                self.save(np.array([time]), final)
            return "steady", f"steady at t = {time:.6g}"
        if self.until_steady:
            return "complete", f"not steady after t = {self.duration:g}"
        return "complete", f"reached t = {self.duration:g}"
