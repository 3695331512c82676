"""Masking field: cells that code lists of items, in which the cell of a longer list masks those of its parts.

    dx_J/dt = -A x_J + (B - x_J) [sum_{j in J} I_j p_jJ + D |J| f(x_J)]
                     - (x_J + C) E sum_K g(x_K) |K| (1 + |K n J|) / sum_K |K| (1 + |K n J|)

J is a list, here a word, |J| its length and |K n J| how many items K and J share; the sums run over all lists, J
included, and g = f. I_j is the activity of item j in an item-and-order working memory: the k-th letter of a word that
is presented has I = intensity * gradient^k, the first letter being the most active (primacy). p_jJ is the adaptive
filter between items and lists; each cell has learned the gradient of its own list, and its weights have the sum 1.

Self-similar growth: a cell of a longer list is larger. Its filter gets the same total, whatever the length of the list
(sum_j p_jJ = 1); its own feedback D |J| and the inhibition |K| that it sends grow with its length; the inhibition that
a cell receives is normalized again. So a long list needs all its items, and with all of them it wins.

Source: Cohen and Grossberg (1987), Masking fields: a massively parallel neural architecture for learning, recognizing,
and predicting multiple groupings of patterned data, Applied Optics 26, 1866-1891; Grossberg (1978), A theory of human
memory, Progress in Theoretical Biology 5, 233-374; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888.
The equation is recalled, not copied from a text at hand (whether the sums include J itself, and the factor E, are of
this kind), and so is no number taken from these publications: all parameters are chosen here.

What is known:

- The cell of the list that is presented wins, and masks those of its parts and of lists of which it is a part: MY, SELF
  and ELF are recognized alone, MYSELF masks all three.
- The winner is the root of one equation; the masked cells are at (B S - C G)/(A + S + G) <= 0, S being their input and
  G the inhibition from the winner.
- The field is a system of Cohen and Grossberg (32), whatever its lists are: it always comes to rest.
- Letter by letter MY wins at first, and MYSELF already from its third letter on, with the defaults.
- What wins depends on the numbers, too. With the defaults, lists of up to four items are told from all their parts and
  extensions in the field of all fifteen lists of four items. In the field of all 63 lists of six items most lists are
  taken for several of their extensions together; and from gradient = 0.8 on MY is taken for MYSELF.

`brnn.theory.masking_field` has the closed forms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, one_of
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, pattern_marks, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import activities, presented, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import final, run, slope, stays_within
from brnn.signals import Linear, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Schedule
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.theory import masking_field as theory

__all__ = ["build"]

_MOST_LISTS = 4096


@takes_dotted_names
def build(
    lists: str = "MY SELF ELF MYSELF",
    word: str = "MYSELF",
    gradient: float = 0.95,
    intensity: float = 0.3,
    interval: float = 0.0,
    A: float = 0.2,
    B: float = 1.0,
    C: float = 2.0,
    D: float = 2.0,
    E: float = 10.0,
    signal: Signal = Sigmoid(gain=1.0, half=0.7, exponent=3.0),
    items: ArrayLike | None = None,
    on: float = math.inf,
    item_rate: float = 100.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a masking field and the items that drive it.

    By default it knows MY, SELF, ELF and MYSELF, and is shown MYSELF.

    Parameters
    ----------
    lists : str
        The lists that have a cell, as words between spaces; the letters are the items, and no word has one twice.
    word : str
        The list that is presented, made of letters that occur in `lists`.
    gradient : float, > 0
        Activity of an item divided by that of the item before it (1): below 1 primacy, above 1 recency.
    intensity : float, >= 0
        Activity of the first item (1).
    interval : float, >= 0
        Time from one letter to the next (time); with 0 the whole word is there from the start.
    A : float, >= 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    C : float, >= 0
        Minus the lower bound of activity (1).
    D : float, >= 0
        Strength of a cell's own feedback, for each item of its list (1).
    E : float, >= 0
        Strength of all inhibition (1).
    signal : Signal
        f and g, what a cell with activity x sends (1/time).
    items : array, >= 0, optional
        Activities of all items, in the order in which letters first occur in `lists` (1); they replace `word`.
    on : float, > 0
        How long the items are on, from time 0 (time); may be infinite.
    item_rate : float, > 0
        How fast an item follows its input (1/time).
    initial : float or array
        Activities of the lists' cells at time 0 (1).

    Returns
    -------
    Network
        The layers "items" and "chunks", the second with one cell for each list, in the order in which they are given.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite; if a word repeats a letter or is given
        twice; if `word` has a letter that no list has.
    """
    at = "masking_field"
    words = _words(lists, f"{at}: lists")
    letters = "".join(dict.fromkeys("".join(words)))
    ratio, strength = number(gradient, f"{at}: gradient", above=0.0), number(E, f"{at}: E", minimum=0.0)
    f = signal_of(signal, f"{at}: signal")
    rate = number(item_rate, f"{at}: item_rate", above=0.0)
    length = np.array([len(J) for J in words], dtype=np.float64)
    own = number(D, f"{at}: D", minimum=0.0) * length
    has = np.array([[letter in J for letter in letters] for J in words], dtype=np.float64)
    masking = length * (1.0 + has @ has.T)
    learned = np.array([[ratio ** J.index(j) if j in J else 0.0 for j in letters] for J in words])
    shown = _shown_items(word, letters, ratio, intensity, interval, items, on)
    return Network(
        at,
        layers=(
            Layer.additive("items", len(letters), A=rate),
            Layer.shunting(
                "chunks",
                len(words),
                A=number(A, f"{at}: A", minimum=0.0),
                B=B,
                D=number(C, f"{at}: C", minimum=0.0),
                initial=activities(initial, f"{at}: initial", (len(words),)),
            ),
        ),
        projections=(
            Projection("items", "chunks", "excitatory", Linear(), Dense(learned / learned.sum(axis=1, keepdims=True))),
            Projection("chunks", "chunks", "excitatory", f, Dense(np.diag(own))),
            Projection(
                "chunks", "chunks", "inhibitory", f, Dense(strength * masking / masking.sum(axis=1, keepdims=True))
            ),
        ),
        stimuli=tuple(Stimulus("items", "excitatory", rate * pattern, schedule) for pattern, schedule in shown),
        duration=max(on if math.isfinite(on) else 20.0, 20.0 + interval * len(letters)),
        reference="Cohen and Grossberg (1987), Applied Optics 26, 1866-1891",
    )


def _words(lists: Any, where: str) -> tuple[str, ...]:
    """Return the words of a text; SpecError if there is none, one occurs twice, or a letter occurs twice in one."""
    words = tuple(one_of(lists, where, str, "a text of words between spaces").split())
    if not words or len(words) > _MOST_LISTS:
        raise SpecError(f"{where}: has {len(words)} words, must have from 1 to {_MOST_LISTS}")
    for word in words:
        if len(set(word)) < len(word):
            raise SpecError(f"{where}: '{word}' has a letter twice; the items of a list must differ")
        if words.count(word) > 1:
            raise SpecError(f"{where}: '{word}' is given twice")
    return words


def _shown_items(
    word: Any, letters: str, ratio: float, intensity: Any, interval: Any, items: Any, on: Any
) -> list[tuple[np.ndarray, Schedule]]:
    """Return patterns over the items, and when each of them is on."""
    at = "masking_field"
    schedule = presented(on, f"{at}: on")
    height = number(intensity, f"{at}: intensity", minimum=0.0)
    pause = number(interval, f"{at}: interval", minimum=0.0)
    if items is not None:
        given = np.broadcast_to(activities(items, f"{at}: items", (len(letters),), minimum=0.0), len(letters))
        return [(np.array(given), schedule)]
    text = one_of(word, f"{at}: word", str, "a word made of letters of the lists")
    for letter in text:
        if letter not in letters:
            raise SpecError(f"{at}: word = '{text}': no list has the letter '{letter}' (they have {letters})")
    if len(set(text)) < len(text) or not text:
        raise SpecError(f"{at}: word = '{text}': must be a word without repeated letters")
    rows = np.array([[height * ratio**k if letter == j else 0.0 for j in letters] for k, letter in enumerate(text)])
    if pause == 0.0:
        return [(rows.sum(axis=0), schedule)]
    if pause * (len(text) - 1) >= on:
        raise SpecError(f"{at}: interval = {pause:g}: the last letter would come after the items are off, at {on:g}")
    return [(row, Pulse(pause * k, on)) for k, row in enumerate(rows)]


# Claims --------------------------------------------------------------------------------------------------------

_CG = "Cohen and Grossberg (1987); "
_WORDS = ("MY", "SELF", "ELF", "MYSELF")
_PARTS = tuple("".join(part) for m in range(1, 5) for part in itertools.combinations("SELF", m))
_A, _B, _C, _D, _E, _I, _RATIO = 0.2, 1.0, 2.0, 2.0, 10.0, 0.3, 0.95


def _f(w: Any) -> Any:
    """Return the signal of the defaults, written out."""
    w = np.maximum(w, 0.0)
    return w**3 / (0.7**3 + w**3)


_NUMBERS = (_A, _B, _C, _D, _E, _f)


def _inputs(lists: Sequence[str], word: str, ratio: float = _RATIO) -> np.ndarray:
    """Return S_J, what each list gets through its filter while a word is presented."""
    letters = "".join(dict.fromkeys("".join(lists)))
    I = np.zeros(len(letters))
    for k, letter in enumerate(word):
        I[letters.index(letter)] = _I * ratio**k
    return theory.filter_weights(lists, letters, ratio) @ I


def _wins(lists: Sequence[str], words: Sequence[str], ratio: float = _RATIO) -> list[Comparison]:
    """Return comparisons: each word that is presented wins, at the choice state in closed form, alone."""
    rows = []
    for word in words:
        x = final(build(word=word, gradient=ratio, lists=" ".join(lists)))
        predicted = theory.choice(_inputs(lists, word, ratio), lists, lists.index(word), *_NUMBERS)
        at = f"{word} of {len(lists)} lists:"
        if predicted is None:
            rows.append(Comparison.failed("no state with this winner alone exists", at))
            continue
        rows.append(Comparison(predicted, x, 1e-8, f"{at} winner's root, the others (B S - C G)/(A + S + G)"))
        rows.append(
            Comparison.order(
                [word], [J for J, above in zip(lists, x > 0.0, strict=True) if above], f"{at} cells above 0"
            )
        )
    return rows


@claim("MY, SELF and ELF win alone, and are masked by MYSELF", source=_CG + "Grossberg (1978)")
def the_whole_masks_its_parts() -> list[Comparison]:
    """Each word is presented to the field of all four, and to a field that knows every letter, too."""
    return _wins(_WORDS, _WORDS) + _wins((*_WORDS, *"MYSELF"), _WORDS)


@claim("Of all lists of the same items that one wins which is presented", source=_CG + "self-similar scaling")
def every_list_of_a_field_wins_when_presented() -> list[Comparison]:
    """The fifteen lists of S, E, L and F in their order, each presented to the field that has them all."""
    return _wins(_PARTS, _PARTS)


@claim("Letter by letter: MY wins at first, MYSELF later", source=_CG + "computed by independent integration")
def letters_come_one_by_one() -> list[Comparison]:
    """A letter every 20 units of time: activities just before each next letter, and who is above the others then."""
    pause, word = 20.0, "MYSELF"
    ends = pause * np.arange(1, 7)
    result = run(build(interval=pause), 6 * pause, times=ends)
    x = np.asarray(result["chunks.x"])
    letters, rate = "MYSELF", 100.0
    p = theory.filter_weights(_WORDS, letters, _RATIO)
    state, predicted = np.zeros(10), []
    for m in range(1, 7):
        I = np.array([_I * _RATIO**k if k < m else 0.0 for k in range(6)])

        def velocity(t: float, u: np.ndarray, I: np.ndarray = I) -> np.ndarray:
            return np.append(rate * (I - u[:6]), theory.velocity(u[6:], p @ u[:6], _WORDS, *_NUMBERS))

        state = scipy_solution(velocity, np.array([0.0, pause]), state, method="LSODA")[-1]
        predicted.append(state[6:])
    first = [_WORDS[k] for k in x.argmax(axis=1)]
    return [
        Comparison(np.array(predicted), x, 1e-7, "activities before the next letter"),
        Comparison.order([_WORDS[int(np.argmax(state))] for state in predicted], first, "largest after each letter"),
        Comparison.order(["MY", "MYSELF"], [first[1], first[-1]], f"after {word[:2]}, and after {word}"),
    ]


@claim("A filter's total is the same for every length, and so is a complete list's input", source=_CG + "growth rules")
def filters_are_normalized() -> list[Comparison]:
    """Without feedback, equal items: x_J = B S/(A + S), S = I times the part of the list that is presented."""
    rows = []
    for word in ("MYSELF", "SELF", "MY", "ELS"):
        x = final(build(word=word, gradient=1.0, D=0.0, E=0.0))
        part = np.array([len(set(J) & set(word)) / len(J) for J in _WORDS])
        rows.append(Comparison(_B * _I * part / (_A + _I * part), x, 1e-8, f"{word} presented: what each list gets"))
    network = build()
    W = network.projections[2].topology.strengths((4,), (4,)) / _E
    rows.append(Comparison(np.ones(4), W.sum(axis=1), 1e-14, "sum_K c_JK, the inhibition of each list"))
    at = _WORDS.index("MYSELF")
    expected = [6 * (1 + 2) / 31.0, 6 * (1 + 4) / 64.0, 6 * (1 + 3) / 54.0]  # counted by hand
    rows.append(Comparison(expected, W[:at, at], 1e-14, "how strongly MYSELF masks MY, SELF and ELF"))
    received = [2 * (1 + 2) / 80.0, 4 * (1 + 4) / 80.0, 3 * (1 + 3) / 80.0]
    rows.append(Comparison(received, W[at, :at], 1e-14, "how strongly they mask MYSELF"))
    return rows


@claim("Order counts: of all orders of its items a list's own excites its cell most", source="rearrangement inequality")
def order_is_told_apart() -> list[Comparison]:
    """SELF in all 24 orders, without feedback: the cell SELF is at B S/(A + S), highest for SELF, lowest for FLES."""
    ratio = 0.8
    orders = ["".join(order) for order in itertools.permutations("SELF")]
    weights = ratio ** np.arange(4) / sum(ratio**k for k in range(4))
    predicted, measured = [], []
    for order in orders:
        S = _I * sum(weights["SELF".index(letter)] * ratio**k for k, letter in enumerate(order))
        predicted.append(_B * S / (_A + S))
        measured.append(float(final(build(lists="SELF", word=order, gradient=ratio, D=0.0, E=0.0))[0]))
    ranked = [orders[k] for k in (int(np.argmax(measured)), int(np.argmin(measured)))]
    return [
        Comparison(predicted, measured, 1e-8, "SELF's cell, 24 orders: B S/(A + S)"),
        Comparison.order(["SELF", "FLES"], ranked, "order with the largest, and with the smallest activity"),
    ]


@claim("The field obeys its equation, list by list", source=_CG + "as recalled, see above")
def obeys_its_equation() -> list[Comparison]:
    """Random states of three fields, some cells inhibited below 0: dx/dt against the sums over sets of letters."""
    rows = []
    rng = np.random.default_rng(1987)
    for lists in (_WORDS, _PARTS, ("AB", "BC", "CD", "ABCD", "E", "EA")):
        network = build(word=lists[0], lists=" ".join(lists))
        n, m = len(lists), network.layers[0].cells
        letters = "".join(dict.fromkeys("".join(lists)))
        u = np.hstack([rng.uniform(0.0, 1.0, (20, m)), rng.uniform(-_C, _B, (20, n))])
        p = theory.filter_weights(lists, letters, _RATIO)
        predicted = [theory.velocity(state[m:], p @ state[:m], lists, *_NUMBERS) for state in u]
        measured = slope(network, u)[:, m:]
        rows.append(Comparison(np.array(predicted), measured, 1e-12, f"{n} lists of {m} items: dx/dt at 20 states"))
    return rows


def _one_layer_each(lists: Sequence[str], word: str) -> Network:
    """Return the same field with a layer for each list, with constant input."""
    whole, n = build(word=word, lists=" ".join(lists)), len(lists)
    S = _inputs(lists, word)
    own, masking = (whole.projections[k].topology.strengths((n,), (n,)) for k in (1, 2))
    f = whole.projections[1].signal
    names = [f"chunk{J}" for J in range(n)]
    return Network(
        "masking",
        [Layer.shunting(name, 1, A=_A, B=_B, D=_C) for name in names],
        [Projection(name, name, "excitatory", f, Dense(own[J : J + 1, J : J + 1])) for J, name in enumerate(names)]
        + [
            Projection(names[K], names[J], "inhibitory", f, Dense(masking[J : J + 1, K : K + 1]))
            for J in range(n)
            for K in range(n)
        ],
        [Stimulus(name, "excitatory", float(S[J])) for J, name in enumerate(names)],
    )


@claim("A masking field is a Cohen-Grossberg system: V never rises, dV/dt is (34)", source=_CG + "review, (32)-(34)")
def liapunov_function_falls() -> list[Comparison]:
    """With |J| N_J as a factor for each list the coefficients are symmetric; three runs from random states."""
    from brnn.theory.liapunov_functions.value import liapunov

    network = _one_layer_each(_WORDS, "MYSELF")
    mass = theory.masses(_WORDS)
    c = theory.inhibition(_WORDS)
    scales = np.array(list(liapunov(network).scales.values()))
    rng = np.random.default_rng(34)
    starts = [{f"chunk{J}.x": value for J, value in enumerate(rng.uniform(-0.3, 0.9, 4))} for _ in range(3)]
    return [
        Comparison(mass[:, None] * c, (mass[:, None] * c).T, 1e-12, "|J| N_J c_JK is symmetric"),
        Comparison(mass / mass[0], scales / scales[0], 1e-12, "factors of the lists in V, |J| N_J"),
        *falls_along_runs(network, starts, "MYSELF presented", 30.0),
    ]


@claim("Every trajectory comes to rest; some starts keep two words, such as MY and ELF", source="theorem on (32)")
def every_start_comes_to_rest() -> list[Comparison]:
    """MYSELF presented, twelve random starts: the state at rest, by independent integration, and dx/dt there."""
    S = _inputs(_WORDS, "MYSELF")
    rng = np.random.default_rng(33)
    predicted, measured, speeds = [], [], []
    for _ in range(12):
        start = rng.uniform(-0.3, 0.9, 4)
        x = final(build(initial=start), initial={"items": _I * _RATIO ** np.arange(6.0)})
        measured.append(x)
        predicted.append(theory.settled(S, _WORDS, start, *_NUMBERS))
        speeds.append(theory.velocity(x, S, _WORDS, *_NUMBERS))
    groups, expected = ({"+".join(np.array(_WORDS)[x > 0.0]) for x in found} for found in (measured, predicted))
    return [
        Comparison(np.array(predicted), np.array(measured), 1e-7, "states at rest"),
        Comparison.order(sorted(expected), sorted(groups), "the groupings that occur"),
        Comparison(np.zeros((12, 4)), np.array(speeds), 1e-8, "dx/dt at them, list by list"),
    ]


@claim("Activities stay between -C and B", source="review, text after (8)")
def activities_are_bounded() -> list[Comparison]:
    """Strong inputs and random states: saved activities, what the solver left, and the velocity on the bounds."""
    return stays_within(build(intensity=5.0, C=0.4), -0.4, 1.0, "strong input", duration=10.0)


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    words = p.lists.split()
    letters = list(dict.fromkeys("".join(words)))
    size = np.array([len(J) for J in words], dtype=float)
    filtered = np.array([[p.gradient ** J.index(j) if j in J else 0.0 for j in letters] for J in words])
    filtered /= filtered.sum(axis=1, keepdims=True)
    sent = np.array([[len(K) * (1.0 + len(set(K) & set(J))) for K in words] for J in words])

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        I, x = u[: len(letters)], u[len(letters) :]
        shown = np.zeros(len(letters))
        for k, letter in enumerate(p.word):
            if k * p.interval < when < p.on:
                shown[letters.index(letter)] = p.intensity * p.gradient**k
        if p.items is not None:
            shown = p.items * (when < p.on)
        w = np.maximum(x, 0.0)
        f = p.signal.gain * w**p.signal.exponent / (p.signal.half**p.signal.exponent + w**p.signal.exponent)
        masked = p.E * (sent @ f) / sent.sum(axis=1)
        dx = -p.A * x + (p.B - x) * (filtered @ I + p.D * size * f) - (x + p.C) * masked
        return np.concatenate([p.item_rate * (shown - I), dx])

    breaks = [p.on, *(p.interval * np.arange(1, len(p.word)))]
    u = integrated(velocity, np.concatenate([np.zeros(len(letters)), p.initial]), times, breaks)
    return {"items.x": u[:, : len(letters)], "chunks.x": u[:, len(letters) :]}


@claim("Its equations, written out by hand", source=_CG + "as recalled, integrated by SciPy")
def equations() -> list[Comparison]:
    """Three other lists, letter by letter, every parameter off its default."""
    parameters: dict[str, Any] = {
        "lists": "AB BCA C",
        "word": "BCA",
        "gradient": 0.8,
        "intensity": 0.5,
        "interval": 0.7,
        "A": 0.3,
        "B": 1.2,
        "C": 0.9,
        "D": 1.5,
        "E": 4.0,
        "signal": Numbers(Sigmoid, gain=1.3, half=0.5, exponent=2.2),
        "on": 3.0,
        "item_rate": 8.0,
        "initial": np.array([0.3, 0.2, 0.1]),
    }
    times = np.array([0.0, 0.5, 1.0, 1.8, 2.6, 3.4, 4.5])
    other = {"lists": "AB BAC C", "word": "BAC"}
    for_word = ("word", "intensity", "interval")
    given = {name: value for name, value in parameters.items() if name not in for_word}
    return [
        *equations_by_hand(
            build,
            parameters,
            lambda p, times: _by_hand(SimpleNamespace(items=None, **vars(p)), times),
            times,
            apart=("items",),
            changed=other,
            tolerance=1e-6,
        ),
        *equations_by_hand(
            build,
            {**given, "items": np.array([0.4, 0.1, 0.3])},
            lambda p, times: _by_hand(SimpleNamespace(word="", interval=0.0, intensity=0.0, **vars(p)), times),
            times,
            apart=for_word,
            changed=other,
            tolerance=1e-6,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("items.x", "chunks.x")
def chunking(run: Run) -> FigureDescription | None:
    """Show the items in working memory and the cells of lists that compete for them."""
    items, chunks = run.view("items"), run.view("chunks")
    if chunks.cells > 6 or items.cells > 12:
        return None
    weights = np.asarray(run.part("items_chunks_exc").topology.matrix)
    lengths = np.count_nonzero(weights, axis=1)
    names = [f"list of {size}: items {_span(row)}" for size, row in zip(lengths, weights, strict=True)]
    marks: list[Mark] = [trace(run, "chunks", k, label=names[k], color=k) for k in range(chunks.cells)]
    end = run.last("chunks")
    won = int(np.argmax(end))
    marks += _predicted(run, weights @ run.last("items"), won)
    given = Panel("Items in working memory", tuple(pattern_marks(run.last("items"))), "item", "activity", width=0.7)
    panels = (given, time_panel(run, "Cells of lists: they mask each other", marks))
    title = f"The cell of the list of {lengths[won]} masks its parts" if end.max() > 0.0 else "No list is recognized"
    return FigureDescription(title, run.below, (panels,), (1.35,))


def _predicted(run: Run, S: np.ndarray, won: int) -> list[Mark]:
    """Return the equilibrium at which the cell `won` masks all others."""
    field, own = run.part("chunks"), np.asarray(run.part("chunks_chunks_exc").topology.matrix)
    known = np.asarray(run.part("items_chunks_exc").topology.matrix)
    lists = ["".join(chr(97 + k) for k in np.flatnonzero(row)) for row in known]
    masking = np.asarray(run.part("chunks_chunks_inh").topology.matrix)
    A, B, C = float(field.A), float(field.B), float(field.E)
    D, E = float(own[won, won]) / len(lists[won]), float(masking[won].sum())
    rest = theory.choice(S, lists, won, A, B, C, D, E, run.part("chunks_chunks_exc").signal)
    if rest is None:
        return []
    return [Curve(np.full(rest.size, run.end), rest, "theory", "predicted", 6, marker="o")]


def _span(weights: np.ndarray) -> str:
    """Return which items a list has."""
    items = np.flatnonzero(weights)
    return f"{items[0]}-{items[-1]}" if np.all(np.diff(items) == 1) else ", ".join(map(str, items))
