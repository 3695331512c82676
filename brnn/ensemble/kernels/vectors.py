"""Arithmetic on the vectors of all lanes at once: number l of row i is that of unknown i, of `size`, in lane l.

Vectors are addresses; arrays, of which each function would get seven numbers, take the compiler more than twice as
long. No two vectors that one function reads and writes share memory.
"""

from __future__ import annotations

from numba import njit

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import NoAlias

from .control import INNER


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stage1(size, t, u, h, k1, c, a1, stage_t, out):
    """Write t + c h and u + h a1 k1."""
    for l in range(LANES):
        stage_t[l] = t[l] + c * h[l]
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            out[k] = u[k] + h[l] * (a1 * k1[k])


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stage2(size, t, u, h, k1, k2, c, a1, a2, stage_t, out):
    """Write t + c h and u + h (a1 k1 + a2 k2)."""
    for l in range(LANES):
        stage_t[l] = t[l] + c * h[l]
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            out[k] = u[k] + h[l] * (a1 * k1[k] + a2 * k2[k])


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stage3(size, t, u, h, k1, k2, k3, c, a1, a2, a3, stage_t, out):
    """Write t + c h and u + h (a1 k1 + ... + a3 k3)."""
    for l in range(LANES):
        stage_t[l] = t[l] + c * h[l]
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            out[k] = u[k] + h[l] * (a1 * k1[k] + a2 * k2[k] + a3 * k3[k])


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stage4(size, t, u, h, k1, k2, k3, k4, c, a1, a2, a3, a4, stage_t, out):
    """Write t + c h and u + h (a1 k1 + ... + a4 k4)."""
    for l in range(LANES):
        stage_t[l] = t[l] + c * h[l]
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            out[k] = u[k] + h[l] * (a1 * k1[k] + a2 * k2[k] + a3 * k3[k] + a4 * k4[k])


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stage5(size, t, u, h, k1, k2, k3, k4, k5, c, a1, a2, a3, a4, a5, stage_t, out):
    """Write t + c h and u + h (a1 k1 + ... + a5 k5)."""
    for l in range(LANES):
        stage_t[l] = t[l] + c * h[l]
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            out[k] = u[k] + h[l] * (a1 * k1[k] + a2 * k2[k] + a3 * k3[k] + a4 * k4[k] + a5 * k5[k])


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def errors(size, u, new, h, k1, k3, k4, k5, k6, k7, rtol, atol, norm, bad):
    """Write the largest error of each lane, in tolerances, and 0 or, if anything is not finite, NaN into `bad`."""
    for l in range(LANES):
        norm[l] = 0.0
        bad[l] = 0.0
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            e = h[l] * (
                71 / 57600 * k1[k]
                - 71 / 16695 * k3[k]
                + 71 / 1920 * k4[k]
                - 17253 / 339200 * k5[k]
                + 22 / 525 * k6[k]
                - 1 / 40 * k7[k]
            )
            a, b = abs(u[k]), abs(new[k])
            e = abs(e) / (atol + rtol * (a if a > b else b))
            norm[l] = e if e > norm[l] else norm[l]
            bad[l] += 0.0 * e


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def stretch(size, new, v, k6, k7, rise, run):
    """Write |f(new) - f(v)|^2 and |new - v|^2, whose quotient estimates the fastest rate of each lane, squared."""
    for l in range(LANES):
        rise[l] = 0.0
        run[l] = 0.0
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            a, b = k7[k] - k6[k], new[k] - v[k]
            rise[l] += a * a
            run[l] += b * b


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def take(size, pick, new, k7, u, k1):
    """Copy state and slope of the lanes whose `pick` is positive."""
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            u[k] = new[k] if pick[l] > 0.0 else u[k]
            k1[k] = k7[k] if pick[l] > 0.0 else k1[k]


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def sizes(size, u, f, g, rtol, atol, d0, d1, d2):
    """Write the largest of |u|, |f| and |f - g| of each lane, in tolerances."""
    for l in range(LANES):
        d0[l] = 0.0
        d1[l] = 0.0
        d2[l] = 0.0
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            x = abs(u[k])
            scale = atol + rtol * x
            a, b, c = x / scale, abs(f[k]) / scale, abs(f[k] - g[k]) / scale
            d0[l] = a if a > d0[l] else d0[l]
            d1[l] = b if b > d1[l] else d1[l]
            d2[l] = c if c > d2[l] else d2[l]


@njit(pipeline_class=NoAlias, forceinline=True, **INNER)
def changes(size, u, new, k1, k7, rtol, atol, speed, moved, turned):
    """Write the largest of |k7|, |new - u| and |k7 - k1| of each lane, in tolerances."""
    for l in range(LANES):
        speed[l] = 0.0
        moved[l] = 0.0
        turned[l] = 0.0
    for i in range(size):
        for l in range(LANES):
            k = i * LANES + l
            scale = atol + rtol * abs(new[k])
            a, b, c = abs(k7[k]) / scale, abs(new[k] - u[k]) / scale, abs(k7[k] - k1[k]) / scale
            speed[l] = a if a > speed[l] else speed[l]
            moved[l] = b if b > moved[l] else moved[l]
            turned[l] = c if c > turned[l] else turned[l]


@njit(forceinline=True, **INNER)
def _weights_within(s):
    """Return what the slopes 1 and 3 to 7 count in the state at a fraction s of a step."""
    s2 = s * s
    s3 = s2 * s
    s4 = s3 * s
    return (
        s - 8048581381 / 2820520608 * s2 + 8663915743 / 2820520608 * s3 - 12715105075 / 11282082432 * s4,
        131558114200 / 32700410799 * s2 - 68118460800 / 10900136933 * s3 + 87487479700 / 32700410799 * s4,
        -1754552775 / 470086768 * s2 + 14199869525 / 1410260304 * s3 - 10690763975 / 1880347072 * s4,
        127303824393 / 49829197408 * s2 - 318862633887 / 49829197408 * s3 + 701980252875 / 199316789632 * s4,
        -282668133 / 205662961 * s2 + 2019193451 / 616988883 * s3 - 1453857185 / 822651844 * s4,
        40617522 / 29380423 * s2 - 110615467 / 29380423 * s3 + 69997945 / 29380423 * s4,
    )


@njit(**INNER)
def interpolate(size, l, s, h, u, k1, k3, k4, k5, k6, k7, out):
    """Write the state at a fraction s of the step of lane l."""
    b1, b3, b4, b5, b6, b7 = _weights_within(s)
    for i in range(size):
        k = i * LANES + l
        out[i] = u[k] + h * (b1 * k1[k] + b3 * k3[k] + b4 * k4[k] + b5 * k5[k] + b6 * k6[k] + b7 * k7[k])


@njit(**INNER)
def value_within(k, s, h, u, k1, k3, k4, k5, k6, k7):
    """Return number k of the states at a fraction s of a step."""
    b1, b3, b4, b5, b6, b7 = _weights_within(s)
    return u[k] + h * (b1 * k1[k] + b3 * k3[k] + b4 * k4[k] + b5 * k5[k] + b6 * k6[k] + b7 * k7[k])
