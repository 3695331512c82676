"""Trajectories: where an animal is at each time, for inputs that depend on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, whole
from brnn.base.data import Spec
from brnn.errors import SpecError

__all__ = ["Trajectory"]

_MOST_SAMPLES = 20_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Spec):
    """A path in the plane, sampled in time; in between it is straight.

    Parameters
    ----------
    t : array, shape (samples,)
        Rising times, at least two.
    x, y : array, shape (samples,)
        Where the animal is.
    arena : array, shape (4,), optional
        Least x, largest x, least y, largest y: the path must not leave it.

    Raises
    ------
    SpecError
        If times do not rise, or a sample is missing or outside of the arena: the message says which.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    arena: np.ndarray | None = None

    def __post_init__(self) -> None:
        at = "Trajectory"
        t = array(self.t, f"{at}: t", ndim=1)
        if t.size < 2:
            raise SpecError(f"{at}: t: has {t.size} sample, a trajectory needs at least two")
        if (np.diff(t) <= 0.0).any():
            k = int(np.argmax(np.diff(t) <= 0.0)) + 1
            raise SpecError(f"{at}: t: must rise, but sample {k} is at {t[k]:g} and the one before at {t[k - 1]:g}")
        arena = None if self.arena is None else array(self.arena, f"{at}: arena", shape=(4,))
        if arena is not None and not (arena[0] < arena[1] and arena[2] < arena[3]):
            raise SpecError(f"{at}: arena = {arena.tolist()}: must be least x, largest x, least y, largest y")
        places = {}
        for axis, (name, value) in enumerate((("x", self.x), ("y", self.y))):
            given = (
                np.asarray(value, dtype=np.float64) if np.ndim(value) == 1 else array(value, f"{at}: {name}", ndim=1)
            )
            if given.shape != t.shape:
                raise SpecError(f"{at}: {name}: has {given.size} samples, t has {t.size}")
            self._check_places(t, name, given, None if arena is None else arena[2 * axis : 2 * axis + 2])
            places[name] = array(given, f"{at}: {name}")
        self._set(t=t, arena=arena, **places)

    @staticmethod
    def _check_places(t: np.ndarray, name: str, places: np.ndarray, limits: np.ndarray | None) -> None:
        """Refuse samples that are missing or outside, and say where the first of them are."""
        missing = ~np.isfinite(places)
        if missing.any():
            first = int(np.argmax(missing))
            rest = ~missing[first:]
            count = int(np.argmax(rest)) if rest.any() else rest.size
            raise SpecError(
                f"Trajectory: {name}: has a gap at t = {t[first]:g} (sample {first}, {count} missing of "
                f"{int(missing.sum())} in all); fill it, or read the file with bridge="
            )
        if limits is None:
            return
        outside = (places < limits[0]) | (places > limits[1])
        if outside.any():
            k = int(np.argmax(outside))
            raise SpecError(
                f"Trajectory: leaves the arena at t = {t[k]:g} (sample {k}, {int(outside.sum())} outside in all): "
                f"{name} = {places[k]:g}, must be from {limits[0]:g} to {limits[1]:g}"
            )

    @property
    def duration(self) -> float:
        """From the first sample to the last."""
        return float(self.t[-1] - self.t[0])

    @property
    def speeds(self) -> np.ndarray:
        """Speed between each sample and the next."""
        return np.asarray(np.hypot(np.diff(self.x), np.diff(self.y)) / np.diff(self.t))

    def at(self, times: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y at some times; before the first sample and after the last one the end values."""
        when = np.asarray(times, dtype=np.float64)
        return np.interp(when, self.t, self.x), np.interp(when, self.t, self.y)

    def rotated(self, angle: float) -> Self:
        """Return the path turned about the origin by an angle in radians; what leaves the arena stays at its wall."""
        c, s = math.cos(angle), math.sin(angle)
        return self.replace(**self._inside(c * self.x - s * self.y, s * self.x + c * self.y))

    def from_origin(self, speed: float) -> Self:
        """Return the path with a straight run from the origin to its first sample before it, at this speed.

        Times begin at 0.
        """
        far = math.hypot(float(self.x[0]), float(self.y[0])) / number(speed, "Trajectory: speed", above=0.0)
        if far == 0.0:
            return self.replace(t=self.t - self.t[0])
        return self.replace(
            t=np.append(0.0, self.t - self.t[0] + far), x=np.append(0.0, self.x), y=np.append(0.0, self.y)
        )

    def statistics(self) -> dict[str, float]:
        """Return what is known of the path: mean speed, its quartiles, the time constant of turning, and coverage.

        Returns
        -------
        dict
            "mean speed", "median speed" and "99 % of speeds below", weighted by time; "turning time", after which the
            correlation of the velocity has fallen to 1/e (on equal steps of the median sample); "covered", the part of
            20 x 20 equal bins of the arena, or of the range of the path, in which the animal has been.
        """
        step = float(np.median(np.diff(self.t)))
        x, y = self.at(np.arange(self.t[0], self.t[-1] + 0.5 * step, step))
        v = np.array([np.diff(x), np.diff(y)]) / step
        speeds = np.hypot(*v)
        size = 1 << int(2 * v.shape[1] - 1).bit_length()
        spectrum = (np.abs(np.fft.rfft(v, size)) ** 2).sum(axis=0)
        lags = np.fft.irfft(spectrum)[: v.shape[1]] / np.arange(v.shape[1], 0, -1)
        below = lags < lags[0] / math.e
        edges = self.limits
        counts = np.histogram2d(x, y, bins=20, range=(edges[:2].tolist(), edges[2:].tolist()))[0]
        return {
            "mean speed": float(speeds.mean()),
            "median speed": float(np.median(speeds)),
            "99 % of speeds below": float(np.quantile(speeds, 0.99)),
            "turning time": step * float(np.argmax(below)) if below.any() else math.inf,
            "covered": float((counts > 0).mean()),
        }

    @property
    def limits(self) -> np.ndarray:
        """The arena, or the range of the path if it has none."""
        if self.arena is not None:
            return self.arena
        return np.array([self.x.min(), self.x.max(), self.y.min(), self.y.max()])

    def _inside(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        if self.arena is not None:
            x, y = np.clip(x, *self.arena[:2]), np.clip(y, *self.arena[2:])
        return {"x": x, "y": y}

    @classmethod
    def random_walk(
        cls,
        duration: float,
        seed: int,
        *,
        arena: ArrayLike = (-50.0, 50.0, -50.0, 50.0),
        speed: float = 12.0,
        turning: float = 0.8,
        step: float = 0.02,
    ) -> Self:
        """Return a random walk like that of a foraging rat, in a box with walls.

        The velocity is an Ornstein-Uhlenbeck process in the plane, dv = -v/turning dt + noise: its direction and size
        are forgotten in the time `turning`, speeds have a Rayleigh distribution, and a wall reflects. So it is known
        exactly: the mean speed is `speed`, the median 0.939 of it, 99 % of speeds are below 2.42 of it, the velocity's
        correlation is exp(-t/turning) away from walls, and in the long run every place is as likely as any other.

        Parameters
        ----------
        duration : float, > 0
            How long it is.
        seed : int, >= 0
            Of its random numbers.
        arena : array, shape (4,)
            Least x, largest x, least y, largest y; centimetres by default.
        speed : float, > 0
            Mean speed; by default that of rats that look for food in a box of a square metre (cm/s).
        turning : float, > 0
            Time constant of the velocity.
        step : float, > 0
            Time between samples; by default that of video tracking (s).
        """
        at = "Trajectory.random_walk"
        h, tau = number(step, f"{at}: step", above=0.0), number(turning, f"{at}: turning", above=0.0)
        length, mean = number(duration, f"{at}: duration", minimum=h), number(speed, f"{at}: speed", above=0.0)
        if length / h > _MOST_SAMPLES:
            raise SpecError(f"{at}: duration = {length:g}: has {length / h:.3g} steps, at most {_MOST_SAMPLES:,}")
        walls = array(arena, f"{at}: arena", shape=(4,))
        if not (walls[0] < walls[1] and walls[2] < walls[3]):
            raise SpecError(f"{at}: arena = {walls.tolist()}: must be least x, largest x, least y, largest y")
        rng = np.random.default_rng(whole(seed, f"{at}: seed", minimum=0))
        count = round(length / h)
        sigma = mean * math.sqrt(2.0 / math.pi)
        keep = math.exp(-h / tau)
        drawn = sigma * math.sqrt(1.0 - keep * keep) * rng.standard_normal((count, 2))
        v = sigma * rng.standard_normal(2)
        velocities = np.empty((count + 1, 2))
        velocities[0] = v
        for k in range(count):
            v = keep * v + drawn[k]
            velocities[k + 1] = v
        # Walls that reflect are mirrors: the path in a plane without walls, folded. Reflected, the process is the same.
        free = rng.uniform(walls[::2], walls[1::2]) + np.concatenate(
            [np.zeros((1, 2)), np.cumsum(0.5 * h * (velocities[1:] + velocities[:-1]), axis=0)]
        )
        width = walls[1::2] - walls[::2]
        folded = np.abs((free - walls[::2] + width) % (2.0 * width) - width)
        x, y = (np.clip(walls[2 * k] + folded[:, k], walls[2 * k], walls[2 * k + 1]) for k in (0, 1))
        return cls(h * np.arange(count + 1), x, y, walls)
