"""Grip force that rises in time before a slip: cerebellar cells of many speeds, taught by climbing fibres.

    dG/dt = 30 (-G + [t > go] t^1.4)                                                       GO signal
    dD/dt = 30 (-D + 2 - P),  dV/dt = 300 (-V + G D),  dP/dt = V                           opening of the fingers
    dDT/dt = 30 (-DT + 5 [t > go] - PT),  dVT/dt = 300 (-VT + G [DT]+),  dPT/dt = VT       transport of the hand
    dS/dt = 40 (e + [n]+ - 3 [V]+ S)                                                       grip force
    de/dt = 50 (-e + gain [t > go] [load - S]+, a lag ago)                                 slip error
    dU/dt = 40 eT,  deT/dt = 50 (-eT + 0.25 [t > go] [4 - U]+, a lag ago)                  lift force, and its error
    dm/dt = -0.2 m + 10 (1 - m)(C + m)                                                     mossy fibre, context C
    dg_k/dt = r_k ((1 - g_k) m - inhibition (g_k + 0.1) l_k)                               granule cells
    dl_k/dt = -0.1 l_k + 5 (1 - l_k)(0.02 m + f_k)                                         Golgi cells
    dz_k/dt = f_k ((1 - z_k) - depression h z_k)                                           parallel fibres, LTD
    dB/dt = relay (-B + sum_k f_k z_k - sum_k f_k)                                         Purkinje cell
    dn/dt = 100 (-n + m w - p(B)),  p(B) = 1 + 1.5 B |B|/(1 + B^2)                         nuclear cell
    dw/dt = m (-forgetting w + potentiation (1 - w) h)                                     mossy fibre to nucleus, LTP
    dq/dt = relay (-q + de/dt),  dh/dt = relay (-h + e [q > 0])                            climbing fibre

f_k = 12 u^2/(1 + 4 u^2), u = [g_k - threshold]+. Time is in s. In each trial a context comes for 0.1 s, 0.3 s later the
hand lifts an object, and 0.05 s later it feels that it slips. In the next trial all states start anew, and only the
weights z and w go on; so does the slip so far, I, dI/dt = [t > go] [load - S]+. The climbing fibre h is the slip error
e while that grows ("slip"), or it is 0.1 while de/dt >= 0, before anything slips, too ("constant"), or 0.1 while
de/dt > 0 ("constant_while_rising").

Source: Ulloa, Bullock and Rhodes (2003), Adaptive force generation for precision-grip lifting by a spectral timing
model of the cerebellum, Neural Netw. 16, 521-528, after Bullock, Fiala and Grossberg (1994). The article was not at
hand: the equations are those of a public implementation that names misprints; "slip" is the article's h, "constant"
that of the code. There B, h and de/dt have their values at once; here they are states and follow at the rate `relay`.

What is known:

- m rests at 0.98 once the context has come, and at (sqrt(400.04) - 0.2)/20 = 0.99 while it is there; D = V = 0.
- in the first trial grip is reactive: it begins a lag after the slip, which is load/(40 gain) = 3.125 in all, unless
  gain and lag are so large that grip passes the load.
- without depression n stays below m - 1 < 0, and nothing is anticipated however large w is.
- grip begins ever earlier, from the sixth trial on before the hand lifts, and slips fall, from 3.1 to 0.8 in 60 trials
  with the article's h, and to 0.17 with the code's, which also teaches before anything slips.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice, number, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Level, Mark, Panel, Run, Span, figure, theory_curve
from brnn.models.parts import grip_circuit as circuit
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.grip_by_hand import course
from brnn.models.parts.grip_circuit import FEEL, GRIP
from brnn.models.parts.patterns import spectrum
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.protocol import Protocol
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import Crossing, Event, PhaseBegins
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus

__all__ = ["build", "onsets", "slips"]

_HELD = 0.1  # the grip force from which on grip has begun


@takes_dotted_names
def build(
    n: int | None = None,
    rates: ArrayLike | None = None,
    trials: int = 6,
    climbing: str = "slip",
    load: float = 10.0,
    gain: float = 0.08,
    lag: float = 0.05,
    go: float = 1.0,
    lead: float = 0.3,
    context: float = 0.1,
    trial: float = 3.0,
    opening: float = 2.0,
    threshold: float = 0.5,
    inhibition: float = 4.0,
    depression: float = 10.0,
    potentiation: float = 10.0,
    forgetting: float = 0.001,
    relay: float = 1000.0,
) -> Network:
    """Return the cerebellar circuit and the hand that it helps, with its protocol of trials.

    Parameters
    ----------
    n : int, >= 1
        Number of granule cells (1); by default that of `rates`, else 40.
    rates : array, > 0
        r_k (1/s); evenly spaced from 1.3 to 12 by default.
    trials : int, >= 1
        Number of trials; 60 in the article.
    climbing : str
        What the climbing fibre sends: "slip", "constant" or "constant_while_rising".
    load : float, > 0
        Grip force from which on nothing slips (1).
    gain : float, > 0
        Slip error for each unit of force that is missing (1).
    lag : float, > 0
        How late the slip is felt (s).
    go : float, > 0
        When the hand lifts, from the beginning of a trial on (s).
    lead : float, > 0
        How long before that the context comes (s); less than `go`.
    context : float, > 0
        How long it lasts (s); less than `lead`.
    trial : float, > 0
        Duration of a trial (s); more than go + lag.
    opening : float, >= 0
        P at the beginning of each trial (1); with 2 the fingers are where they are to be.
    threshold : float, >= 0
        Activity of a granule cell from which on its parallel fibre signals (1).
    inhibition : float, >= 0
        Strength of Golgi cells (1).
    depression : float, >= 0
        Long-term depression of parallel fibres for each unit of h (1).
    potentiation : float, >= 0
        Long-term potentiation of mossy fibres for each unit of h (1/s).
    forgetting : float, >= 0
        Decay of their weight w (1/s).
    relay : float, in (0, 100000]
        Rate at which B, q and h follow what they are in the code (1/s). Steps last about 3/relay, so that a trial takes
        a hundred times longer with 1e5 than by default.

    Returns
    -------
    Network
        Layers "GO"; "difference", "velocity" and "aperture", with "transport_" in front those of the hand; "grip",
        "slip" and "slipped" (I), "load_force" and "load_error"; "mossy", "granule", "golgi", "purkinje" (B),
        "nuclear", "rise" (q) and "climbing" (h); "clock", "lift" and "felt" hold the time since a trial began, and
        whether t > go, now and as felt. Weights "parallel.z" and "collateral.z". Events "grips" record when S passes
        0.1. Phases "before", "context", "wait", "lift" and "felt" of each trial.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "grip_force"
    r = spectrum(at, n, 40, rates, lambda n: np.linspace(1.3, 12.0, n))
    needed, felt, late, quick = (
        number(value, f"{at}: {name}", above=0.0, maximum=limit)
        for name, value, limit in (
            ("load", load, None), ("gain", gain, None), ("lag", lag, None), ("relay", relay, 1e5),
        )
    )  # fmt: skip
    limit, golgi, open_at, ltd, ltp, lost = (
        number(value, f"{at}: {name}", minimum=0.0)
        for name, value in (
            ("threshold", threshold), ("inhibition", inhibition), ("opening", opening), ("depression", depression),
            ("potentiation", potentiation), ("forgetting", forgetting),
        )
    )  # fmt: skip
    teaches = circuit.CLIMBING[choice(climbing, f"{at}: climbing", tuple(circuit.CLIMBING))]
    layers = circuit.layers(r.shape, open_at, quick)
    begun = [SetState(layer.name, layer.start("x", 1)[0], "all") for layer in layers if layer.name != "slipped"]
    return Network(
        at,
        layers=layers,
        projections=(*circuit.hand(needed, felt, late), *circuit.cerebellum(limit, golgi, ltd, ltp, lost, quick),
                     *circuit.teacher(needed, felt, late, quick, *teaches)),
        stimuli=[Stimulus("granule", "modulatory", r, name="speeds")],
        events=[
            Event("trial", PhaseBegins("before"), begun),
            Event("lifts", PhaseBegins("lift"), SetState("lift", 1.0, "all")),
            Event("feels", PhaseBegins("felt"), SetState("felt", 1.0, "all")),
            Event("grips", Crossing("grip", _HELD)),
        ],
        protocol=Protocol(
            circuit.phases(at, go, lead, context, late, trial), whole(trials, f"{at}: trials", minimum=1)
        ),
        time_units="s",
        reference="Ulloa, Bullock and Rhodes (2003), Neural Netw. 16, 521-528; Bullock, Fiala and Grossberg (1994)",
    )  # fmt: skip


def slips(result: Any) -> np.ndarray:
    """Return the slip of each trial of a run: the integral of what was missing of the grip force, from go on.

    The end of the run must have been saved, and in each trial a time before the hand lifts.
    """
    so_far = np.asarray(result["slipped.x"])[:, 0]
    starts = np.searchsorted(np.asarray(result["slipped.x"].time), _starts(result.phases))
    return np.diff([*so_far[starts], so_far[-1]])


def onsets(result: Any) -> np.ndarray:
    """Return when grip began in each trial, S passing 0.1, from go on (s); NaN where it did not."""
    events, spans = result.events, result.phases
    times = np.asarray(events["time"], dtype=np.float64)[np.asarray(events["name"]) == "grips"]
    starts = _starts(spans)
    trial = np.searchsorted(starts, times, side="right") - 1
    found = np.full(len(starts), np.nan)
    found[trial] = times - np.asarray(spans["start"], dtype=np.float64)[np.asarray(spans["name"]) == "lift"][trial]
    return found


def _starts(phases: Any) -> np.ndarray:
    """Return when each trial began."""
    return np.asarray(phases["start"], dtype=np.float64)[np.asarray(phases["name"]) == "before"]


# Claims --------------------------------------------------------------------------------------------------------

_CODE = "Ulloa, Bullock and Rhodes (2003), by public code"


def _made(trials: int, times: Any, **options: Any) -> Any:
    """Return a run at tolerances at which slips are right to 1e-3."""
    return run(build(trials=trials, **options), times=np.unique(np.round(times, 9)), rtol=1e-4, atol=1e-7)


@claim("The mossy fibre stays on after its context, at 0.98; while it is there at 0.99", source="closed form")
def mossy_fibre() -> list[Comparison]:
    """dm/dt is quadratic in m: its course through context and wait, and where it would rest."""
    times = np.array([0.0, 0.5, 0.7, 0.72, 0.75, 0.8, 0.85, 0.9, 1.0])
    m = np.asarray(run(build(n=1, trials=1), 1.0, times=times)["mossy.x"])[:, 0]
    long = run(build(n=1, trials=1, context=0.25), 0.95, times=[0.94, 0.95])
    during = (np.sqrt(400.04) - 0.2) / 20.0
    expected = np.concatenate([np.zeros(3), _mossy(0.0, 1.0, times[3:6] - 0.7)])
    return [
        Comparison([*expected, *_mossy(expected[-1], 0.0, times[6:] - 0.8)], m, 1e-8, "m, context from 0.7 to 0.8 s"),
        Comparison(_mossy(0.0, 1.0, np.array([0.24, 0.25])), np.asarray(long["mossy.x"])[:, 0], 1e-8, "m, it is long"),
        Comparison([0.98, during], [_mossy(0.5, C, np.array([50.0]))[0] for C in (0.0, 1.0)], 1e-12, "rest, 0 = dm/dt"),
    ]


def _mossy(start: float, C: float, since: np.ndarray) -> np.ndarray:
    """Return m from `start` on, with the roots of dm/dt = -10 m^2 + (9.8 - 10 C) m + 10 C = -10 (m - a)(m - b)."""
    half, root = (9.8 - 10.0 * C) / 20.0, np.sqrt(((9.8 - 10.0 * C) / 20.0) ** 2 + C)
    a, b = half + root, half - root
    E = (start - a) / (start - b) * np.exp(-10.0 * (a - b) * since)
    return (a - b * E) / (1.0 - E)


def _reactive(since: np.ndarray, load: float, gain: float) -> np.ndarray:
    """Return the grip force that slips alone bring about, until the lag after it began: then it is felt itself."""
    return np.asarray(GRIP * load * gain * (since - (1.0 - np.exp(-FEEL * since)) / FEEL))


def _settles(gain: float, lag: float) -> bool:
    """Return whether reactive grip goes to the load from below: s (s + 50) + 2000 gain exp(-lag s) has a real root."""
    s = np.linspace(-FEEL, 0.0, 2001)
    return bool((s * (s + FEEL) + GRIP * FEEL * gain * np.exp(-lag * s)).min() <= 0.0)


@claim("In the first trial grip is reactive: e and S in closed form, and the slip load/(40 gain)", source="derived")
def reactive() -> list[Comparison]:
    """Two loads and gains: the first lag of e and S, and the integral of a linear equation with a delay."""
    from scipy.optimize import brentq

    rows = []
    after = np.linspace(0.0, 0.05, 11)
    for load, gain in ((10.0, 0.08), (6.0, 0.05)):
        network = build(n=1, trials=1, load=load, gain=gain)
        result = run(network, times=[0.0, *(1.05 + after), 3.0], rtol=1e-7, atol=1e-10)
        S, e = (np.asarray(result[f"{name}.x"])[1:, 0] for name in ("grip", "slip"))
        passed = brentq(lambda t, k=gain, l=load: _reactive(t, l, k) - 0.1, 0.0, 0.05, xtol=1e-12)
        root = brentq(lambda s, k=gain: s * (s + 50.0) + 2000.0 * k * np.exp(-0.05 * s), -8.0, 0.0, xtol=1e-14)
        rows += [
            Comparison(load * gain * (1.0 - np.exp(-50.0 * after)), e[:-1], 1e-6, f"load {load:g}: e, felt for 50 ms"),
            Comparison(_reactive(after, load, gain), S[:-1], 1e-6, f"load {load:g}: S"),
            Comparison(0.05 + passed, onsets(result)[0], 1e-6, f"load {load:g}: S passes 0.1, after go (s)"),
            Comparison(load / (40.0 * gain), slips(result)[0] - (load - S[-1]) / root, 1e-5, f"load {load:g}: slip"),
        ]
    return rows


@claim("The fingers, which are where they are to be, do not move: D = V = 0, P = 2", source="closed form")
def fingers() -> list[Comparison]:
    """Two trials, to the last bit; from P = 1 on they open."""
    result = _made(2, np.arange(0.0, 6.01, 0.25), n=1)
    names = ("difference", "velocity", "aperture")
    found = np.stack([np.asarray(result[f"{name}.x"])[:, 0] for name in names], axis=1)
    moved = np.asarray(_made(1, [0.9, 3.0], n=1, opening=1.0)["aperture.x"])[:, 0]
    return [
        Comparison.exact(np.tile([0.0, 0.0, 2.0], (len(found), 1)), found, "D, V and P"),
        Comparison([1.0, 2.0], moved, 0.02, "P before and after, from 1 on"),
    ]


@claim("Without depression nothing is anticipated: n stays below m - 1", source="derived")
def no_depression() -> list[Comparison]:
    """Five trials: weights of parallel fibres stay 1, B = 0, p = 1, and every slip is that of the first trial."""
    times = np.arange(0.0, 15.001, 0.02)
    result = _made(5, times, depression=0.0)
    n, B, S = (np.asarray(result[f"{name}.x"])[:, 0] for name in ("nuclear", "purkinje", "grip"))
    before = (result["grip.x"].time.values % 3.0) <= 1.0
    return [
        Comparison.exact(1, int((np.asarray(result["parallel.z"]) == 1.0).all()), "all z are 1"),
        Comparison(np.zeros(B.size), B, 1e-6, "B"),
        Comparison.at_most(-0.019, n, label="n"),
        Comparison.at_least(0.5, np.asarray(result["collateral.z"]).max(), label="w, which is learned all the same"),
        Comparison(np.zeros(int(before.sum())), S[before], 1e-9, "S until go"),
        Comparison(np.full(5, slips(result)[0]), slips(result), 1e-3, "slips"),
    ]


@claim("Once the slip falls, depression recovers as the parallel fibre signals, and w is forgotten", source="derived")
def recovery() -> list[Comparison]:
    """From 0.3 s after go to the end: 1 - z_k falls by exp(-int f_k dt), w by exp(-0.001 int m dt)."""
    result = run(build(trials=1), times=[0.0, *np.linspace(1.3, 3.0, 1701)], rtol=1e-6, atol=1e-9)
    u = np.maximum(np.asarray(result["granule.x"])[1:] - 0.5, 0.0)
    z, w = (np.asarray(result[f"{name}.z"])[1:].reshape(1701, -1) for name in ("parallel", "collateral"))
    f, m = 12.0 * u**2 / (1.0 + 4.0 * u**2), np.asarray(result["mossy.x"])[1:]
    left, kept = (np.exp(-rate * np.trapezoid(x, dx=1e-3, axis=0)) for rate, x in ((1.0, f), (0.001, m)))
    return [
        Comparison(1.0 - (1.0 - z[0]) * left, z[-1], 1e-6, "z at the end"),
        Comparison(w[0] * kept, w[-1], 1e-6, "w at the end"),
        Comparison.at_least(0.05, (1.0 - z[0]).max(), label="largest depression, 0.3 s after go"),
    ]


@claim("Grip comes before the slip after ten trials, and slips fall; earlier with the code's h", source=_CODE)
def anticipation() -> list[Comparison]:
    """Trials 1 and 10 with h = e and h = 0.1, as computed in Euler steps of 1 ms; trial 3 with h only while e grows."""
    expected = {"slip": (1.405, 0.84, -0.045, 0.03), "constant": (0.941, 4.21, -0.118, 0.15)}
    rows = []
    for name, (slip, at_go, passed, near) in expected.items():
        result = _made(10, [*np.arange(0.0, 30.0, 3.0), 1.0, 28.0, 30.0], climbing=name)
        S, each = result["grip.x"][:, 0], slips(result)
        rows += [
            Comparison([3.114, slip], each[[0, -1]], 0.04, f"{name}: slips of trials 1 and 10"),
            Comparison([0.0, at_go], S.sel(time=[1.0, 28.0]), near, f"{name}: S at go"),
            Comparison([0.064, passed], onsets(result)[[0, -1]], 3e-3, f"{name}: S passes 0.1, after go (s)"),
            Comparison.monotone("falling", each[2:], label=f"{name}: slips from trial 3 on"),
        ]
    each = slips(_made(3, np.arange(0.0, 9.01, 3.0), climbing="constant_while_rising"))
    return [*rows, Comparison(np.full(3, 3.114), each, 0.02, "only while e grows: slips")]


@claim("Its equations, written out by hand", source=f"{_CODE}, the equations above, integrated by SciPy")
def equations() -> list[Comparison]:
    """Three granule cells in two short trials, no parameter is the default."""
    parameters = {
        "rates": np.array([18.0, 25.0, 40.0]), "trials": 2, "climbing": "constant", "load": 3.0, "gain": 0.2,
        "lag": 0.06, "go": 0.4, "lead": 0.32, "context": 0.08, "trial": 0.7, "opening": 1.7, "threshold": 0.3,
        "inhibition": 2.0, "depression": 8.0, "potentiation": 30.0, "forgetting": 0.5, "relay": 150.0,
    }  # fmt: skip
    times = np.array([0.05, 0.3, 0.45, 0.5, 0.6, 0.66, 0.75, 0.95, 1.05, 1.12, 1.2, 1.3, 1.39])
    return equations_by_hand(
        build, parameters, course, times, apart=("n",), changed={"climbing": "slip", "trials": 1}, tolerance=1e-5
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("grip.x", "slipped.x", "mossy.x", "purkinje.x", "nuclear.x", "parallel.z")
def grip_over_trials(run: Run) -> FigureDescription | None:
    """Show grip forces around the lift, the cells behind them, slips, when grip begins, and what is learned."""
    protocol, link = run.network.protocol, run.part("grip_slip_exc")
    if protocol is None or run.end < protocol.duration * (1.0 - 1e-12):
        return None
    try:
        began, slipped = onsets(run.result), slips(run.result)
    except (KeyError, AttributeError):
        return None
    load, lag = dict(link.signal.parameters)["load"], float(link.delay)
    gain = float(link.topology.weight) / FEEL
    count = len(slipped)
    chosen = np.unique(np.round(np.geomspace(1, count, 6)).astype(int)).tolist()
    shades = {trial: k / max(1, len(chosen) - 1) for k, trial in enumerate(chosen)}
    since = np.linspace(0.0, lag, 500)
    alone = _reactive(since, load, gain)
    trials = np.arange(1, count + 1)
    each: list[Mark] = [
        Curve(trials, slipped, "slip", marker="o"),
    ]
    if _settles(gain, lag):
        each.append(Level(load / (GRIP * gain), "reactive: load/(40 gain)"))
    when: list[Mark] = [Curve(trials, began, "S passes 0.1", marker="o"), Level(0.0, "the hand lifts", role="guide")]
    if alone[-1] > _HELD:
        when.append(Level(lag + float(np.interp(_HELD, alone, since)), "reactive, closed form"))
    rates = np.broadcast_to(np.ravel(run.network.stimuli[0].pattern), run.view("granule").cells)
    ends = protocol.duration / count * trials
    learned: list[Mark] = [
        Curve(rates, run.at("parallel.z", ends[k - 1]).ravel(), f"after trial {k}", shade=shades[k]) for k in chosen
    ]
    below = (
        Panel("How much the object slips", each, "trial", "integral of the missing force", legend="top"),
        Panel("When grip begins", when, "trial", "after the lift (s)", legend="top"),
        Panel("Parallel fibres", learned, "rate of the granule cell (1/s)", "weight z", legend="inside"),
    )
    above = _around_the_lift(run, shades, (lag + since, alone), load)
    title = "Grip comes before the hand lifts" if began[-1] < 0.0 else "Grip follows the slip"
    if np.isnan(began[-1]):
        title = f"Grip stays below {_HELD:g}"
    return FigureDescription(
        title, f"{counted(count, 'trial')}   ·   {run.below}", (above, below) if above else (below,)
    )


def _around_the_lift(run: Run, shades: dict[int, float], alone: Any, load: float) -> tuple[Panel, ...]:
    """Return panels of grip force and cells, nothing if too few times were saved."""
    spans, x = run.result.phases, run.result["grip.x"]
    names, starts = np.asarray(spans["name"]), np.asarray(spans["start"], dtype=np.float64)
    begun, lifts, shown = (starts[names == name] for name in ("before", "lift", "context"))
    times, lasts = (
        np.asarray(x.time),
        float(np.asarray(spans["stop"], dtype=np.float64)[names == "context"][0] - shown[0]),
    )
    ends = np.append(begun[1:], run.end)
    window = (float(shown[0] - lifts[0]) - 0.1, min(20.0 * float(alone[0][0]), float(ends[0] - lifts[0])))
    near = [(times > begun[k]) & (times < ends[k]) & (np.abs(times - lifts[k] - sum(window) / 2) <= np.ptp(window) / 2)
            for k in range(len(lifts))]  # fmt: skip
    if min(int(part.sum()) for part in near) < 10:
        return ()
    grips: list[Mark] = [Level(0.0, "the hand lifts", axis="x", role="guide"), Level(load, "load", role="given")]
    for k, shade in shades.items():
        S = np.asarray(x)[near[k - 1], 0]
        grips.append(Curve(times[near[k - 1]] - lifts[k - 1], S, f"trial {k}", shade=shade))
    last, t = near[-1], times[near[-1]] - lifts[-1]
    B = np.asarray(run.result["purkinje.x"])[:, 0]
    p = 1.0 + 1.5 * B * np.abs(B) / (1.0 + B**2)
    m, n = (np.asarray(run.result[f"{name}.x"])[last, 0] for name in ("mossy", "nuclear"))
    cells = [
        Span(shown[0] - lifts[0], shown[0] - lifts[0] + lasts, "context"),
        Curve(t, m, "mossy fibre", color=1),
        Curve(t, p[last], "Purkinje cell", color=2),
        Curve(t, n, "nuclear cell", color=0),
        Curve(times[near[0]] - lifts[0], p[near[0]], "Purkinje cell, trial 1", color=4),
        Level(0.98, "m at rest, exact"),
    ]
    grips.append(theory_curve(alone[0], alone[1], "reactive, closed form"))
    label = "time since the hand lifts (s)"
    return (
        Panel("Grip force, trial after trial", grips, label,
              "grip force S", x_limits=window, legend="beside"),
        Panel("Cells in the last trial", cells, label, "activity", x_limits=window, legend="beside"),
    )  # fmt: skip
