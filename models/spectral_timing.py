"""Spectral timing: cells of many speeds learn when the unconditioned stimulus comes, and answer at that time.

    dx_j/dt = r_j (-x_j + (1 - x_j) I_CS)                                  activation spectrum
    dy_j/dt = C (1 - y_j) - D f(x_j) y_j,  f(x) = x^n/(half^n + x^n)       habituation spectrum
    dg_j/dt = relay (-g_j + f(x_j) y_j)                                    gated spectrum, followed quickly
    dz_j/dt = M g_j (N - z_j)                                              outstar learning, sampled by the gated signal
    dR/dt = relay (-R + (1/n) sum_j g_j z_j + 2 I_US)                      timed response

The conditioned stimulus CS is on from the beginning of a trial, the unconditioned stimulus US comes one interstimulus
interval (isi) later. Trials are so far apart that each begins with resting cells and full gates. N is the now print
signal: 1 while R > 1.5, which only the US can bring about, since (1/n) sum g z stays below 1; else 0. Cells of rate r_j
are sampled at different times after the CS: those that are active when the US comes learn most. In a test trial
without US the response R is a bell around the time at which the US came.

Source: Grossberg and Schmajuk (1989), Neural dynamics of adaptive timing and temporal discrimination during associative
learning, Neural Networks 2, 79-102; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888. Gate and
signal stand in the caption of figure 15.9 of Grossberg (2021), Conscious Mind, Resonant Brain; the equation of x and
the numbers I_CS = 1, n = 8, half = 0.8, C = 0.0001, D = 0.125, r_j = 0.2/j are recalled from the article, which was not
at hand; the relay, which makes a layer of the gated signals, and the form of N are chosen here.

What is known, and what is not so:

- x_j = I/(1 + I) (1 - exp(-r_j (1 + I) t)); the gated signals of slower cells have their tops later, lower and wider.
- With slow gates (the numbers above) neither the time of the top nor the width is proportional to 1/r_j: the tops of
  r = 0.2, 0.04, 0.01 and 0.0025 are at 17.5, 68.0, 207.9 and 614.5, the widths are 262, 301, 405 and 696.
- With fast gates (D to infinity) the width of each cell's signal is proportional to the time of its top: Weber's law.
- The timed response is later, wider and, for long intervals, lower, the longer the interval was that was learned. Its
  width grows with the interval, but a constant is added; its top lies at the interval only within the spectrum's
  reach: too late for short intervals, too early for long ones.

`brnn.theory.spectral_timing` has the closed forms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, Span, figure
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import spectrum
from brnn.models.parts.runs import run
from brnn.signals import Linear, Sigmoid, Step
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import Event, PhaseBegins
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.learning import Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import spectral_timing as theory

__all__ = ["build"]

_US, _NOW = 2.0, 1.5  # what the US adds to the response, and where the now print signal begins


@takes_dotted_names
def build(
    n: int | None = None,
    rates: ArrayLike | None = None,
    isi: float = 200.0,
    us: float = 20.0,
    cs: float = 2000.0,
    trials: int = 3,
    I: float = 1.0,
    half: float = 0.8,
    exponent: float = 8.0,
    C: float = 1e-4,
    D: float = 0.125,
    M: float = 0.02,
    relay: float = 2.0,
) -> Network:
    """Return a spectral timing circuit with its protocol: trials of conditioning, then a test without US.

    Parameters
    ----------
    n : int, >= 1
        Number of cells of the spectrum (1); by default that of `rates`, else 80.
    rates : array, > 0
        r_j (1/time); 0.2/j for j = 1 ... n by default.
    isi : float, > 0
        Interstimulus interval, from the onset of the CS to that of the US (time).
    us : float, > 0
        Duration of the US (time).
    cs : float, > 0
        Duration of the CS in each trial, more than isi + us (time).
    trials : int, >= 1
        Number of trials with US.
    I : float, > 0
        Strength of the CS (1).
    half : float, > 0
        Activity at which the signal is one half (1).
    exponent : float, >= 1
        n in the equation of the signal (1).
    C : float, > 0
        Rate at which gates recover (1/time).
    D : float, >= 0
        Rate at which gates are depleted, per unit of signal (1/time).
    M : float, >= 0
        Learning rate, per unit of the gated signal (1/time).
    relay : float, > 0
        How fast gated signals and response follow (1/time).

    Returns
    -------
    Network
        Layers "spectrum" (x), "gated" (g) and "response" (R), the gates "gate.y" and the weights "timing.z"; phases
        "before", "us" and "after" of each trial, then "test".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "spectral_timing"
    r = spectrum(at, n, 80, rates, lambda n: 0.2 / np.arange(1.0, n + 1.0))
    interval, pulse, shown, strength, quick = (
        number(value, f"{at}: {name}", above=0.0)
        for name, value in (("isi", isi), ("us", us), ("cs", cs), ("I", I), ("relay", relay))
    )
    if shown <= interval + pulse:
        raise SpecError(f"{at}: cs = {shown:g}: must be more than isi + us = {interval + pulse:g}")
    stimulus = {"spectrum": strength * r}
    trial = Protocol(
        (
            Phase("before", interval, stimulus),
            Phase("us", pulse, {**stimulus, "response": quick * _US}),
            Phase("after", shown - interval - pulse, stimulus),
        ),
        whole(trials, f"{at}: trials", minimum=1),
    )
    recovered = [
        SetState(state, value, "all")
        for state, value in (("spectrum", 0.0), ("gated", 0.0), ("response", 0.0), ("gate.y", 1.0))
    ]
    return Network(
        at,
        layers=(
            Layer.shunting("spectrum", r.shape, A=r, B=1.0),
            Layer.additive("gated", r.shape, A=quick),
            Layer.additive("response", 1, A=quick),
        ),
        projections=(
            Projection(
                "spectrum",
                "gated",
                "excitatory",
                Sigmoid(1.0, number(half, f"{at}: half", above=0.0), number(exponent, f"{at}: exponent", minimum=1.0)),
                OneToOne(quick),
                gate=HabituativeGate(H=number(C, f"{at}: C", above=0.0), K=1.0, L=number(D, f"{at}: D", minimum=0.0)),
                name="gate",
            ),
            Projection(
                "gated",
                "response",
                "excitatory",
                Linear(),
                AllToAll(quick / r.size),
                learning=Outstar(rate=number(M, f"{at}: M", minimum=0.0), sampled=Step(threshold=_NOW)),
                name="timing",
            ),
        ),
        events=tuple(Event(f"{name}_rested", PhaseBegins(name), recovered) for name in ("before", "test")),
        protocol=Protocol((trial, Phase("test", shown, stimulus))),
        reference="Grossberg and Schmajuk (1989), Neural Networks 2, 79-102",
    )


# Claims --------------------------------------------------------------------------------------------------------

_GS = "Grossberg and Schmajuk (1989); "
_NUMBERS = (1.0, 0.8, 8.0, 1e-4, 0.125)  # I, half, exponent, C, D
_FOUR = np.array([0.2, 0.04, 0.01, 0.0025])


def _spectrum(times: np.ndarray, D: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x and f(x) y of four cells at times after the onset of the stimulus, before any US."""
    network = build(rates=_FOUR, isi=float(times[-1]) + 1.0, cs=float(times[-1]) + 50.0, D=D)
    result = run(network, float(times[-1]), times=times)
    x, y = np.asarray(result["spectrum.x"]), np.asarray(result["gate.y"])
    return x, x**8 / (0.8**8 + x**8) * y


@claim("Activation and gated spectrum: later means lower and wider, not in proportion to 1/r", source=_GS + "derived")
def the_spectrum() -> list[Comparison]:
    """Rates 0.2, 0.04, 0.01 and 0.0025: x(t) in closed form, f(x) y independently, tops and widths tabled."""
    times = np.concatenate([np.linspace(0.0, 100.0, 401), np.linspace(100.0, 1600.0, 1501)[1:]])
    x, g = _spectrum(times, 0.125)
    bells = [theory.bell(times, g[:, k]) for k in range(4)]
    tops, heights, widths = (np.array(part) for part in zip(*bells, strict=True))
    power = float(np.log(tops[-1] / tops[0]) / np.log(80.0))  # 1 if the time of the top were in proportion to 1/r
    return [
        Comparison(theory.activation(times, _FOUR), x, 1e-8, "x(t) = (1 - exp(-2 r t))/2"),
        Comparison(theory.gated(times, _FOUR, *_NUMBERS), g, 1e-8, "f(x) y, by independent integration"),
        Comparison([17.5, 68.0, 207.9, 614.5], tops, 0.06, "times of the tops, tabled"),
        Comparison([0.02191, 0.01993, 0.01610, 0.01056], heights, 1e-5, "heights, tabled"),
        Comparison([262.0, 301.0, 405.0, 696.0], widths, 0.6, "widths at half height, tabled"),
        Comparison.within(0.80, power, 0.82, label="exponent of the time of the top in 1/r"),
    ]


@claim("Fast gates: the width of each cell's signal tends to 0.29 times its time, Weber's law", source="derived")
def fast_gates_obey_weber() -> list[Comparison]:
    """The slowest cell as D grows from 0.125 to 12500: width/time against independent integration, and its limit."""
    ratios: list[float] = []
    predicted: list[float] = []
    for D, stop in ((0.125, 1600.0), (12.5, 600.0), (12500.0, 300.0)):
        times = np.linspace(0.0, stop, 1201)
        g = _spectrum(times, D)[1][:, -1]
        expected = theory.gated(times, _FOUR[-1:], *_NUMBERS[:-1], D)[:, 0]
        for values, into in ((g, ratios), (expected, predicted)):
            found = theory.bell(times, values)
            into.append(found.width / found.time)
    limit = theory.fast_gate_width(8.0)
    return [
        Comparison(predicted, ratios, 1e-4, "width/time, D = 0.125, 12.5, 12500"),
        Comparison.monotone("falling", ratios, label="width/time as D grows"),
        Comparison.at_least(limit, ratios, label="above the limit of fast gates"),
        Comparison(limit, ratios[-1], 0.06, "near the limit at D = 12500"),
    ]


@claim(
    "The timed response is later and wider, the longer the interval, though not in proportion",
    source=_GS + "Weber's law",
)
def timed_responses() -> list[Comparison]:
    """Intervals of 50, 100, 200 and 400, one trial each: weights, the response in the test, its time and width."""
    rates = 0.2 / np.arange(1.0, 81.0)
    relay, M, us, cs = 2.0, 0.02, 20.0, 1500.0
    rows: list[Comparison] = []
    tops: list[theory.Bell] = []
    expected: list[theory.Bell] = []
    intervals = np.array([50.0, 100.0, 200.0, 400.0])
    since = np.linspace(0.0, cs, 751)
    on, off = (np.log(ratio) / relay for ratio in (4.0, 4.0 / 3.0))  # when R passes 1.5 on its way to 2, and to 0
    for isi in intervals:
        result = run(build(isi=isi, trials=1, cs=cs), times=cs + since, rtol=1e-8, atol=1e-11)
        z, R = np.asarray(result["timing.z"])[0].ravel(), np.asarray(result["response.x"])[:, 0]
        numbers = (M, relay, rates, *_NUMBERS)
        weights = theory.learned(isi + on, isi + us + off, cs, 1, *numbers)
        course = theory.response(since, weights, *numbers)
        rows.append(Comparison(weights, z, 2e-3, f"interval {isi:g}: weights", relative=True))
        rows.append(Comparison(course, R, 2e-3, f"interval {isi:g}: response in the test", relative=True))
        for values, into in ((R, tops), (course, expected)):
            into.append(theory.bell(since, values))
    times, widths = ([found[part] for found in tops] for part in (0, 2))
    predicted = np.array([(found.time, found.width) for found in expected])
    return [
        *rows,
        Comparison(predicted, np.column_stack([times, widths]), 0.5, "times and widths of the responses"),
        Comparison.monotone("rising", times, label="time of the response as the interval grows"),
        Comparison.monotone("rising", widths, label="its width as the interval grows"),
        Comparison.monotone("falling", np.array(widths) / intervals, label="width/interval: not quite in proportion"),
    ]


@claim("Stimulus sampling: without a CS nothing is learned or forgotten", source="review, (11)")
def nothing_without_cs() -> Comparison:
    """Two hundred units of time with US alone, weights random: they stay the same to the last bit."""
    network = build(n=12, isi=50.0, trials=1, cs=400.0)
    z = np.random.default_rng(89).uniform(0.0, 1.0, (1, 12))
    alone = network.replace(protocol=Protocol((Phase("us", 200.0, {"response": 4.0}),)), events=(), duration=None)
    result = run(alone, 200.0, initial={"timing.z": z})
    measured = np.asarray(result["timing.z"])[-1].reshape(1, 12)
    return Comparison.exact(z, measured, "weights after 200 units of time")


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.rates)
    on = p.cs * np.arange(p.trials) + p.isi
    rest = np.concatenate([np.zeros(n), np.ones(n), np.zeros(n)])

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, g, z, R = *np.split(u[:-1], 4), u[-1]
        f = x**p.exponent / (p.half**p.exponent + x**p.exponent)
        us = np.any((on < when) & (when < on + p.us))
        return np.concatenate(
            [
                p.rates * (-x + (1.0 - x) * p.I),
                p.C * (1.0 - y) - p.D * f * y,
                p.relay * (-g + f * y),
                p.M * g * (float(R >= 1.5) - z),
                [p.relay * (-R + (g * z).mean() + 2.0 * us)],
            ]
        )

    rows, z = [], np.zeros(n)
    for k in range(p.trials + 1):  # each trial, and the test, begins with cells at rest and full gates
        inside = times[(times >= k * p.cs) & (times < (k + 1) * p.cs)]
        asked = np.concatenate([[k * p.cs], inside, [(k + 1) * p.cs]])
        u = integrated(velocity, np.concatenate([rest, z, [0.0]]), asked, [*on, *(on + p.us)])
        rows.append(u[1:-1])
        z = u[-1, 3 * n : -1]
    u = np.concatenate(rows)
    return {
        "spectrum.x": u[:, :n],
        "gate.y": u[:, n : 2 * n],
        "gated.x": u[:, 2 * n : 3 * n],
        "timing.z": u[:, 3 * n : -1],
        "response.x": u[:, -1],
    }


@claim("Its equations, written out by hand", source=_GS + "as recalled, integrated by SciPy")
def equations() -> list[Comparison]:
    """Four cells, two trials and the test, every parameter off its default."""
    parameters = {
        "rates": np.array([0.9, 0.5, 0.3, 0.15]),
        "isi": 4.0,
        "us": 1.5,
        "cs": 9.0,
        "trials": 2,
        "I": 1.3,
        "half": 0.35,
        "exponent": 3.0,
        "C": 0.03,
        "D": 0.2,
        "M": 0.4,
        "relay": 3.0,
    }
    times = np.array([0.0, 2.0, 5.0, 8.5, 11.0, 14.0, 17.0, 20.0, 23.0, 24.5, 26.5])
    return equations_by_hand(build, parameters, _by_hand, times, tolerance=1e-6)


# Figure -------------------------------------------------------------------------------------------------------


@figure("spectrum.x", "gated.x", "response.x", "timing.z")
def timed_response(run: Run) -> FigureDescription | None:
    """Show the gated spectrum in the test trial, what was learned of it, and the response beside theory."""
    spans = run.result.phases
    names, starts = [str(name) for name in spans["name"].values], np.asarray(spans["start"].values)
    if names[-1] != "test" or run.view("spectrum").cells < 8:
        return None
    begin, trials = float(starts[-1]), names.count("us")
    isi = float(starts[names.index("us")])
    us = float(np.asarray(spans["stop"].values)[names.index("us")]) - isi
    times = run.times("gated")
    test = times > begin
    since, g = times[test] - begin, run.values("gated")[test]
    n = run.view("gated").cells
    rates = np.broadcast_to(np.asarray(run.part("spectrum").A), n)
    picked = [k for k in (0, 2, 5, 11, 23, 47) if k < n]
    signals: list[Mark] = [
        Curve(since, g[:, k], f"rate {rates[k]:.3g}", shade=j / (len(picked) - 1)) for j, k in enumerate(picked)
    ]
    gate, sent = run.part("gate").gate, run.part("gate").signal
    I = float(np.max(run.inputs_to("spectrum", time=1e-6) / rates))
    numbers = (rates, I, sent.half, sent.exponent, gate.H, gate.L)
    M, relay = float(run.part("timing").learning.rate), float(np.max(run.part("gated").A))
    late, over = np.log(4.0) / relay, np.log(4.0 / 3.0) / relay  # when R passes 1.5 on its way to 2, and to 0
    z = theory.learned(isi + late, isi + us + over, begin / trials, trials, M, relay, *numbers)
    answer: list[Mark] = [
        Span(isi, isi + us, "when the US came"),
        Curve(since, run.cell("response")[test], "response"),
        Curve(since, theory.response(since, z, M, relay, *numbers), "theory", "predicted"),
    ]
    cells = np.arange(n)
    weights: list[Mark] = [
        Curve(cells, run.at("timing.z", begin).ravel(), "weights before the test"),
        Curve(cells, z, "theory", "predicted"),
    ]
    label = "time since the CS"
    rows = (
        (
            Panel("Gated signals in the test: a spectrum of speeds", signals, label, "f(x) y", legend="beside"),
            Panel("Learned: who was active at the US", weights, "cell, from fast to slow", "weight z", legend="top"),
        ),
        (Panel("Response in the test, without US", answer, label, "response R", legend="top"),),
    )
    title = "The response comes at the time at which the US came"
    return FigureDescription(title, f"interval {isi:g}, {counted(trials, 'trial')}   ·   {run.below}", rows, (1.0, 1.0))
