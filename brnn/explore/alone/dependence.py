"""How the numbers of a network depend on the parameters that have sliders, as formulas that a page can compute.

Where the code that builds the network can be followed (`brnn.base.tape`) the formulas are its own, and exact. Other
numbers (inputs, their times, initial states, arrays) are looked at along each slider: most are proportional to a
parameter, or a power of it; others become a polynomial through Chebyshev's points, verified between them. Numbers that
depend on several such sliders must be sums or products of what they are along each, which is verified at random places;
where they are not, a slider is left out. All sliders together are verified, too: one may have an influence only where
another does not stand at its beginning, 0 for example.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn.base.tape import Tape
from brnn.explore.alone.formulas import (
    NODES,
    POINTS,
    WITHIN,
    Along,
    Slider,
    listed_values,
    polynomial_formula,
    ratio_text,
    simple_formula,
)
from brnn.explore.alone.numbers import NetworkNumbers, numbers_of, traced_numbers, tried
from brnn.spec.network import Network

__all__ = ["Dependence", "dependence_of"]

Make = Callable[[Mapping[str, Any]], Network]

_LOOKS = 7  # places along a slider at which simple formulas are tried
_TESTS = 7  # places at which polynomials are verified
_FITTED = 2000  # different numbers that may depend on one slider
_LISTED = 40  # of them, if they are listed for each place of a slider
_PLACES = 401  # of a slider whose numbers are listed
_RATIO = 5  # sliders of which a number may be a ratio


@dataclass
class Dependence:
    """The numbers as functions of the sliders.

    Attributes
    ----------
    sliders : list of Slider
        Those that the page has, in the order of the argument `s`.
    left_out : dict of str to str
        Those that it cannot have, and why.
    fitted, listed : list of str
        Those along which some numbers are polynomials, and those that stand at certain places only.
    text : str
        The function ``constants(s)``, which returns the vector of all numbers, or null where it has none.
    numbers : Numbers
        Those of the beginning.
    """

    sliders: list[Slider]
    left_out: dict[str, str]
    fitted: list[str]
    listed: list[str]
    text: str
    numbers: NetworkNumbers


def dependence_of(make: Make, sliders: Sequence[Slider], longest: float = 1.0) -> Dependence:
    """Return how the numbers of a network depend on its parameters.

    Parameters
    ----------
    make : callable
        Returns the network of parameters by name.
    sliders : sequence of Slider
        The parameters.
    longest : float
        How long runs may be, in natural durations.
    """
    base = numbers_of(make({}), longest)
    known, left_out = [], {}
    for slider in sliders:
        ends = _allowed(make, slider, base, longest)
        if ends is None:
            left_out[slider.owner] = "other values of it make a network of another structure"
        else:
            known.append(ends)
    finder = _Finder(make, base, longest)
    follow = True
    while True:
        known = [slider for slider in known if slider.owner not in left_out]
        found = finder.all(known, follow)
        if isinstance(found, Dependence):
            found.left_out = left_out
            return found
        if found == "":
            follow = False
        else:
            left_out[found] = "what it changes is no formula of it and of the other parameters"


def _allowed(make: Make, slider: Slider, base: NetworkNumbers, longest: float) -> Slider | None:
    """Return the slider with the ends between which there is a network of this structure."""
    ends = []
    for end in (slider.low, slider.high):
        for part in (1.0, 0.98, 0.75, 0.5, 0.25):
            value = slider.value + part * (end - slider.value)
            found = tried(make, {slider.name: value}, longest)
            middle = tried(make, {slider.name: slider.value + 0.5 * part * (end - slider.value)}, longest)
            if found is not None and middle is not None and found.alike(base) and middle.alike(base):
                ends.append(value)
                break
        else:
            ends.append(slider.value)
    low, high = ends
    return replace(slider, low=low, high=high) if high > low else None


@dataclass
class _Finder:
    make: Make
    base: NetworkNumbers
    longest: float
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(13))
    known: dict[str, dict[int, Along] | None] = field(default_factory=dict)  # what changes along each slider

    def all(self, sliders: list[Slider], follow: bool) -> Dependence | str:
        """Return how all numbers depend on sliders, or the name of one to leave out ("": do not follow any)."""
        names, followed = self._followed(sliders) if follow else ([], None)
        tape, traced = followed if followed is not None else (Tape([]), {})
        first = self.base.slots.first["p"][0]
        on_tape = {first + k: place for k, place in traced.items()}
        others = [slider for slider in sliders if slider.name not in names]
        along: dict[int, dict[str, Along]] = {}
        kinds: dict[str, set[str]] = {}
        shown = []
        for slider in sliders:
            if slider not in others:
                shown.append(slider)
                continue
            if slider.name not in self.known:
                self.known[slider.name] = self._along(slider)
            found = self.known[slider.name]
            if found is None:
                return slider.owner
            if any(place in on_tape for place in found):
                return ""
            kinds[slider.name] = {one.kind for one in found.values()}
            shown.append(replace(slider, stepwise="listed" in kinds[slider.name]))
            for place, one in found.items():
                along.setdefault(place, {})[slider.name] = one
        joined = self._joined(shown, [slider for slider in shown if slider.name not in names], along)
        if isinstance(joined, str):
            return joined
        wrong = self._wrong(shown, names, tape, on_tape, along)
        if wrong is not None:
            return wrong
        index = {slider.name: k for k, slider in enumerate(shown)}
        lines = ["function constants(s) {", "  const v = initialVector.slice();"]
        lines += _tape_lines(tape, on_tape, [index[name] for name in names])
        texts: dict[str, str] = {}
        for place in along:
            text = joined[place]
            for name in sorted(index, key=len, reverse=True):
                text = text.replace(f"${{{name}}}", f"s[{index[name]}]")
            if text not in texts:
                texts[text] = f"c{len(texts)}"
                lines.append(f"  const {texts[text]} = {text};")
            lines.append(f"  v[{place}] = {texts[text]};")
        text = "\n".join([*lines, "  return v;", "}", ""])
        fitted = [name for name, kind in kinds.items() if "polynomial" in kind]
        listed = [name for name, kind in kinds.items() if "listed" in kind]
        return Dependence(shown, {}, fitted, listed, text, self.base)

    def _followed(self, sliders: list[Slider]) -> tuple[list[str], tuple[Tape, dict[int, int]] | None]:
        values = {slider.name: slider.value for slider in sliders}
        alone = [name for name in values if self._traced(values, [name]) is not None]
        for names in (alone, *([name for name in alone if name != other] for other in alone)):
            found = self._traced(values, names) if names else None
            if found is not None:
                return names, found
        return [], None

    def _traced(self, values: dict[str, float], names: list[str]) -> tuple[Tape, dict[int, int]] | None:
        return traced_numbers(self.make, {name: values[name] for name in names}, names, self.base, self.longest)

    def _vector(self, values: Mapping[str, float]) -> np.ndarray | None:
        found = tried(self.make, values, self.longest)
        return found.vector if found is not None and found.alike(self.base) else None

    def _rows(self, slider: Slider, places: np.ndarray) -> np.ndarray | None:
        """Return the vectors at places along a slider; None if there is none at one of them."""
        rows = []
        for x in places:
            vector = self._vector({slider.name: float(x)})
            if vector is None:
                return None
            rows.append(vector)
        return np.array(rows)

    def _along(self, slider: Slider) -> dict[int, Along] | None:
        """Return the numbers that change along a slider; None if they are too many, or no formula is found."""
        looks = np.concatenate([[slider.low, slider.high], self.rng.uniform(slider.low, slider.high, _LOOKS)])
        values = self._rows(slider, looks)
        if values is None:
            return None
        found, simple = self._columns(values, lambda column: simple_formula(looks, column))
        if found is not None and simple:
            return found
        middle, half = 0.5 * (slider.low + slider.high), 0.5 * (slider.high - slider.low)
        nodes = middle - half * np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
        x = np.concatenate([nodes, self.rng.uniform(slider.low, slider.high, _TESTS)])
        values = self._rows(slider, x)
        if values is None:
            return None
        found, whole = self._columns(
            values, lambda column: simple_formula(x, column) or polynomial_formula(x, column, middle, half)
        )
        if found is not None and whole:
            return found
        count = round((slider.high - slider.low) / slider.step) + 1
        if count > _PLACES or found is None or len(set(map(id, found.values()))) > _LISTED:
            return None
        x = slider.low + slider.step * np.arange(count)
        values = self._rows(slider, x)
        if values is None:
            return None
        found, _ = self._columns(values, lambda column: simple_formula(x, column) or listed_values(column, slider))
        return found

    def _columns(
        self, values: np.ndarray, formula: Callable[[np.ndarray], Along | None]
    ) -> tuple[dict[int, Along] | None, bool]:
        """Return the formulas of the numbers that change in some vectors, and whether all have one."""
        places = np.flatnonzero((values != self.base.vector).any(axis=0))
        found: dict[bytes, Along | None] = {}
        result, whole = {}, True
        for place in places:
            column = np.ascontiguousarray(values[:, place])
            key = column.tobytes()
            if key not in found:
                if len(found) > _FITTED:
                    return None, False
                found[key] = formula(column)
            one = found[key]
            whole &= one is not None
            result[int(place)] = one if one is not None else Along(float, "")
        return result, whole

    def _joined(
        self, sliders: list[Slider], others: list[Slider], along: dict[int, dict[str, Along]]
    ) -> dict[int, str] | str:
        """Return the text of each number, or a slider to leave out.

        Numbers of several sliders are sums or products of what they are along each, or ratios of polynomials that are
        of degree 1 in each.
        """
        texts = {place: next(iter(parts.values())).text for place, parts in along.items()}
        for place, parts in along.items():
            ((name, one), *_) = parts.items()
            texts[place] = one.text.replace("$", f"${{{name}}}")
        if len(others) < 2:
            return texts
        together = {place: parts for place, parts in along.items() if len(parts) > 1}
        count = POINTS if not together else 2 * 2**_RATIO + POINTS
        points, rows = [], []
        for _ in range(count):
            values = {slider.name: self._random(slider) for slider in others}
            vector = self._vector(values)
            if vector is None:
                return others[-1].owner
            points.append(values)
            rows.append(vector)
        vectors = np.array(rows)
        untouched = np.ones(self.base.vector.size, bool)
        untouched[list(along)] = False
        if not (vectors[:, untouched] == self.base.vector[untouched]).all():
            return others[-1].owner
        owners = {slider.name: slider for slider in others}
        alone: dict[int, np.ndarray] = {}
        for place, parts in along.items():
            if len(parts) == 1:
                ((name, one),) = parts.items()
                if id(one) not in alone:
                    alone[id(one)] = np.array([one.value(point[name]) for point in points])
                ends = [abs(one.value(end)) for end in (owners[name].low, owners[name].high)]
                size = max(float(np.abs(vectors[:, place]).max()), abs(float(self.base.vector[place])), *ends)
                if (np.abs(alone[id(one)] - vectors[:, place]) > 2.0 * WITHIN * size).any():
                    return owners[name].owner  # another slider changes it where this one has moved
        known: dict[tuple[Any, ...], str | None] = {}
        for place, parts in together.items():
            key = (vectors[:, place].tobytes(), tuple(parts))
            if key not in known:
                known[key] = self._of_several(place, parts, points, vectors[:, place])
            text = known[key]
            if text is None:
                return next(slider.owner for slider in reversed(others) if slider.name in parts)
            texts[place] = text
        if len(others) < len(sliders) and self._vector({s.name: self._random(s) for s in sliders}) is None:
            return others[-1].owner
        return texts

    def _wrong(
        self,
        sliders: list[Slider],
        names: list[str],
        tape: Tape,
        on_tape: dict[int, int],
        along: dict[int, dict[str, Along]],
    ) -> str | None:
        """Return a slider to leave out ("": do not follow any) if numbers are others where all sliders have moved."""
        if not names:
            return None
        others = [slider for slider in sliders if slider.name not in names]
        for _ in range(_TESTS):
            values = {slider.name: self._random(slider) for slider in sliders}
            actual, expected = self._vector(values), self._vector({one.name: values[one.name] for one in others})
            numbers = tape.replay([values[name] for name in names])
            if actual is None or expected is None or numbers is None:
                return ""
            expected = expected.copy()
            for place, on in on_tape.items():
                expected[place] = numbers[on]
            same = np.isclose(actual, expected, rtol=WITHIN, atol=0.0) | (actual == expected)
            for place in np.flatnonzero(~same).tolist():
                hidden = [slider.owner for slider in others if slider.name in along.get(place, ())]
                return hidden[-1] if hidden else ""
        return None

    def _random(self, slider: Slider) -> float:
        value = float(self.rng.uniform(slider.low, slider.high))
        return slider.low + slider.step * round((value - slider.low) / slider.step) if slider.stepwise else value

    def _of_several(
        self, place: int, parts: dict[str, Along], points: list[dict[str, float]], actual: np.ndarray
    ) -> str | None:
        """Return the text of a number that depends on several sliders."""
        start = float(self.base.vector[place])
        each = {name: np.array([one.value(point[name]) for point in points]) for name, one in parts.items()}
        size = np.maximum(np.abs(actual), max(abs(start), 1e-300))
        own = {name: "(" + one.text.replace("$", f"${{{name}}}") + ")" for name, one in parts.items()}
        total = start + sum(values - start for values in each.values())
        if (np.abs(total - actual) <= WITHIN * size).all():
            return " + ".join([repr(start), *(f"({text} - {start!r})" for text in own.values())])
        if start != 0.0:
            product = start * np.prod([values / start for values in each.values()], axis=0)
            if (np.abs(product - actual) <= WITHIN * size).all():
                return " * ".join([repr(start), *(f"({text} / {start!r})" for text in own.values())])
        if len(parts) > _RATIO:
            return None
        return ratio_text(list(parts), np.array([[point[name] for name in parts] for point in points]), actual)


_SIGNS = {
    operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "===", operator.ne: "!==",
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/",
}  # fmt: skip


def _tape_lines(tape: Tape, wanted: Mapping[int, int], inputs: Sequence[int]) -> list[str]:
    """Return what is on a tape as JavaScript: numbers, and the questions whose answers must stay the same."""
    start, steps, answers = tape.record
    made = {step[0]: step for step in steps}
    needed = {*wanted.values(), *(place for _, left, right, _ in answers for place in (left, right))}
    for place, _, left, right in reversed(steps):
        if place in needed:
            needed |= {left, right}

    def text(place: int) -> str:
        if place < len(inputs):
            return f"s[{inputs[place]}]"
        if place in made:
            return f"n{place}"
        value = start[place]
        return "Infinity" if value == np.inf else "(-Infinity)" if value == -np.inf else f"({value!r})"

    lines = []
    for place, operation, left, right in steps:
        if place in needed:
            sign = _SIGNS.get(operation)
            value = f"Math.abs({text(left)})" if sign is None else f"{text(left)} {sign} {text(right)}"
            lines.append(f"  const n{place} = {value};")
    asked = dict.fromkeys(
        f"({text(left)} {_SIGNS[compare]} {text(right)}) !== {'true' if answer else 'false'}"
        for compare, left, right, answer in answers
        if not (left not in made and right not in made and left >= len(inputs) and right >= len(inputs))
    )
    lines += [f"  if ({question}) return null;" for question in asked]
    return [*lines, *(f"  v[{place}] = {text(on)};" for place, on in wanted.items())]
