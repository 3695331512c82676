"""The equations of a network: one for each layer, gate and weight, with everything that arrives at it.

They are taken from the texts that the compiler takes over: the laws of layers, gates and learning, and the kernels of
topologies, with the numbers of the network in them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from brnn.base.codetext import Code, code_of
from brnn.base.plain import plain_spec
from brnn.base.words import exact_in_words
from brnn.equations.printing import Latex, Text
from brnn.equations.syntax import call, constant, element, inlined, joined, name, sum_over, value_of
from brnn.errors import SpecError
from brnn.signals import Expression, Linear, Signal
from brnn.spec.events.protocol import PhaseStimulus
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant, Pulse, Schedule

__all__ = ["Definition", "Equation", "NetworkEquations", "equations_of"]

_I, _K = "i", "k"  # the target cell, and the source cell
_INPUTS = {"excitatory": "I", "inhibitory": "J", "modulatory": "M"}
_SUMS = {"excitatory": "exc", "inhibitory": "inh", "modulatory": "mod"}
_TERMS = 3  # of an input, up to which it stands in the law itself
_LETTERS = "fghpqrsuv"

Formula = ast.expr


@dataclass(frozen=True)
class Equation:
    """One equation.

    Attributes
    ----------
    state : ast.expr
        What changes: the activity of a cell, a gate, a weight.
    right : ast.expr or None
        Its rate of change, or its next value; None if the law is more than a formula.
    step : float or None
        The step of discrete time; None if time is continuous.
    note : str
        What the equation is of.
    """

    state: Formula
    right: Formula | None
    step: float | None
    note: str


@dataclass(frozen=True)
class Definition:
    """What a name in the equations stands for: a formula, or words.

    Attributes
    ----------
    left : ast.expr
        The name.
    right : ast.expr or str
        What it stands for.
    words : str
        What a formula leaves to say.
    """

    left: Formula
    right: Formula | str
    words: str = ""


@dataclass(frozen=True)
class NetworkEquations:
    """The equations of a network, and what the names in them stand for.

    Attributes
    ----------
    title : str
        Name of the network.
    equations : tuple of Equation
        One for each layer, each set of gates and each set of weights.
    definitions : tuple of Definition
        Signals, inputs, strengths of connections, parameters that differ from cell to cell.
    events : tuple of (str, str)
        The name of each event; when it is and what it does.
    set_by_events : tuple of Equation
        Those of states that have no rate of change and are set by events.
    """

    title: str
    equations: tuple[Equation, ...]
    definitions: tuple[Definition, ...]
    events: tuple[tuple[str, str], ...] = ()
    set_by_events: tuple[Equation, ...] = ()

    def _split(self, write: Text) -> tuple[list[Equation], str]:
        """Return the equations that say something, and in words the states of those that do not."""
        names = ", ".join(write(equation.state) for equation in self.set_by_events)
        return [equation for equation in self.equations if equation not in self.set_by_events], names

    def text(self) -> str:
        """Return them as text: ``x[i]`` is cell i (in C order), ``W[i,k]`` the strength from cell k to cell i."""
        write = Text()
        lines = [f"Equations of {self.title}", ""]
        moving, still = self._split(write)
        for equation in moving:
            right = "what the law says (--code shows it)" if equation.right is None else write(equation.right)
            left = write(equation.state)
            left = (
                f"d{' ' if '.' in left else ''}{left}/dt"
                if equation.step is None
                else f"{left}(t + {write(constant(equation.step))})"
            )
            lines.append(f"  {left} = {right}    ({equation.note})")
        lines += [f"  {still}: set by events alone"] if still else []
        if self.events:
            lines += ["", "events", *(f"  {name}, {said}" for name, said in self.events)]
        if self.definitions:
            lines += ["", "where"]
        for part in self.definitions:
            right = part.right if isinstance(part.right, str) else write(part.right)
            lines.append(f"  {write(part.left)} = {right}{part.words}")
        return "\n".join(lines)

    def latex(self) -> str:
        """Return them as LaTeX, for the environment align of amsmath."""
        write = Latex()
        lines = []
        moving, still = self._split(write)
        for equation in moving:
            state = write(equation.state)
            left = rf"\frac{{d {state}}}{{dt}}"
            if equation.step is not None:
                left = rf"{state}(t + {write(constant(equation.step))})"
            right = r"\text{(no formula)}" if equation.right is None else write(equation.right)
            lines.append(f"{left} &= {right}")
        lines += [f"&{still}{_words(': set by events alone')}"] if still else []
        lines += [f"&{_words(f'{name}, {said}')}" for name, said in self.events]
        for part in self.definitions:
            right = _words(part.right) if isinstance(part.right, str) else write(part.right)
            lines.append(f"{write(part.left)} &= {right}{_words(part.words) if part.words else ''}")
        inside = " \\\\\n".join(f"  {line}" for line in lines)
        return f"% {self.title}\n\\begin{{align}}\n{inside}\n\\end{{align}}"


def _words(text: str) -> str:
    for sign in "\\{}_#&%$":
        text = text.replace(sign, {"\\": r"\backslash "}.get(sign, "\\" + sign))
    text = text.replace("≤", r"$\le$").replace("≥", r"$\ge$").replace("·", r"$\cdot$")
    return rf"\text{{{text}}}"


def equations_of(network: Network) -> NetworkEquations:
    """Return the equations of a network as it was built."""
    return _NetworkWriter(network).all()


@dataclass
class _NetworkWriter:
    """Goes through a network and collects equations and definitions."""

    network: Network
    definitions: list[Definition] = field(default_factory=list)
    signals: dict[Signal, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def all(self) -> NetworkEquations:
        network = self.network
        named = [(f"{layer.name}.x", self.layer(layer)) for layer in network.layers]
        named += [(f"{link.name}.y", self.gate(link)) for link in network.projections if link.gate is not None]
        named += [(f"{link.name}.z", self.weight(link)) for link in network.projections if link.learning is not None]
        done = {state for event in network.events for action in event.actions for state in action.sets}
        still = [e for state, e in named if state in done and e.step is None and e.right and value_of(e.right) == 0.0]
        inputs = [part for layer in network.layers for kind in layer.kinds for part in self.inputs(layer, kind)]
        events = tuple((event.name, event.words) for event in network.events)
        equations = tuple(equation for _, equation in named)
        return NetworkEquations(network.name, equations, (*self.definitions, *inputs), events, tuple(still))

    def owned(self, owner: str, own: str) -> str:
        """Return the name of what belongs to a layer; in a network of one layer that goes without saying."""
        return own if len(self.network.layers) == 1 else f"{owner}.{own}"

    def index(self, layer: LayerLaw, letter: str) -> Formula | None:
        return None if layer.cells == 1 else name(letter)

    def activity(self, layer: LayerLaw, letter: str, delay: float = 0.0) -> Formula:
        x = element(self.owned(layer.name, "x"), self.index(layer, letter))
        return x if delay == 0.0 else call(x, joined(name("t"), "-" if delay > 0.0 else "+", constant(abs(delay))))

    def applied(self, signal: Signal, w: Formula, wanted: str = "") -> Formula:
        """Return a signal of a formula: a product if it is linear, else the name under which it is defined."""
        if type(signal) is Linear:
            return joined(constant(signal.gain), "*", w)
        if signal not in self.signals:
            letters = [*([wanted] if wanted else []), *_LETTERS, *(f"f{k}" for k in range(1, 1000))]
            letter = next(letter for letter in letters if letter not in self.taken)
            self.taken.add(letter)
            self.signals[signal] = letter
            self.definitions.append(_signal_definition(letter, signal))
        return call(self.signals[signal], w)

    def layer(self, layer: LayerLaw) -> Equation:
        x = self.activity(layer, _I)
        arguments = [x]
        for kind in layer.kinds:
            terms = self.terms(layer, kind)
            total = functools.reduce(lambda a, b: joined(a, "+", b), terms, constant(0.0))
            if len(terms) > _TERMS:
                symbol = element(self.owned(layer.name, _SUMS[kind]), self.index(layer, _I))
                self.definitions.append(Definition(symbol, total))
                total = symbol
            arguments.append(total)
        for parameter in layer.parameters:
            value = getattr(layer, parameter)
            if isinstance(value, np.ndarray):
                symbol = element(self.owned(layer.name, parameter), self.index(layer, _I))
                self.definitions.append(Definition(symbol, exact_in_words(value)))
                arguments.append(symbol)
            else:
                arguments.append(constant(value))
        arguments += [self.applied(signal, x, wanted) for wanted, signal in layer.inner().items()]
        right = _value(type(layer).law, arguments)
        return Equation(x, right, layer.step if layer.discrete else None, f"layer {layer.name}, {type(layer).__name__}")

    def terms(self, layer: LayerLaw, kind: str) -> list[Formula]:
        """Return what arrives at a cell: its stimuli, and the sum of each projection."""
        terms = []
        for owner in layer.receives:
            if any(stimulus.target == owner and stimulus.kind == kind for stimulus in self.network.stimuli):
                terms.append(element(self.owned(owner, _INPUTS[kind]), self.index(layer, _I)))
            for link in self.network.projections:
                if link.target == owner and link.kind == kind:
                    terms.append(self.arriving(link))
        return [term for term in terms if value_of(term) != 0.0]

    def ends(self, link: Projection) -> tuple[LayerLaw, LayerLaw]:
        return self.network.layer(link.source), self.network.layer(link.target)

    def sent(self, link: Projection, letter: str, gated: bool = True) -> Formula:
        """Return the signal of a source cell, times its gate."""
        source, _ = self.ends(link)
        signal = self.applied(link.signal, self.activity(source, letter, link.lag(self.network.step)))
        if gated and link.gate is not None and link.gate.per == "source":
            signal = joined(signal, "*", element(f"{link.name}.y", self.index(source, letter)))
        if gated and link.modulation is not None and link.modulation.at == "source":
            signal = joined(signal, "*", self.factor(link, letter))
        return signal

    def factor(self, link: Projection, letter: str) -> Formula:
        """Return the factor that a third layer sets."""
        modulation = link.modulation
        assert modulation is not None
        layer, total = self.network.layer(modulation.layer), modulation.at == "total"
        lag = link.delay if modulation.at == "source" else 0.0
        h = self.applied(modulation.signal, self.activity(layer, "m" if total else letter, lag))
        h = sum_over("m", h) if total and layer.cells > 1 else h
        return joined(constant(modulation.base), "+", joined(constant(modulation.gain), "*", h))

    def connection(self, link: Projection, quantity: str) -> Formula:
        """Return the gate ("y"), weight ("z") or strength ("W") of the connection from cell k to cell i."""
        source, target = self.ends(link)
        if link.topology.storage == "single" and quantity != "W":
            return element(f"{link.name}.{quantity}", self.index(target, _I))
        return element(f"{link.name}.{quantity}", self.index(target, _I), self.index(source, _K))

    def arriving(self, link: Projection) -> Formula:
        term = self.summed(link)
        if link.modulation is None or link.modulation.at == "source":
            return term
        return joined(term, "*", self.factor(link, _I))

    def summed(self, link: Projection) -> Formula:
        """Return the sum of what a projection sends to a cell, without a factor of this cell."""
        source, target = self.ends(link)
        topology = link.topology
        plastic = link.learning is not None or (link.gate is not None and link.gate.per == "connection")
        letter = _I if topology.storage == "single" and plastic else _K
        if topology.local and not plastic:
            own, each = self.sent(link, _I), self.sent(link, _K)
            total = each if source.cells == 1 else sum_over(_K, each)
            values = topology.arguments(source.shape, target.shape)
            kernel = topology.chosen_kernel(source.shape, target.shape)[1]
            found = _value(kernel, [own, total, *map(_number, values)])
            if found is not None:
                return found
        factor = self.strength(link, plastic)
        if plastic and link.gate is not None and link.gate.per == "connection":
            factor = joined(factor, "*", self.connection(link, "y"))
        if link.learning is not None:
            factor = joined(factor, "*", self.connection(link, "z"))
        term = joined(factor, "*", self.sent(link, letter))
        return term if source.cells == 1 or letter == _I else sum_over(_K, term)

    def strength(self, link: Projection, plastic: bool) -> Formula:
        """Return the constant strength of the connection from cell k to cell i."""
        source, target = self.ends(link)
        topology = link.topology
        if plastic and topology.storage == "single":
            (weight,) = topology.arguments(source.shape, target.shape)
            return _number(weight)
        values = topology.weights(source.shape, target.shape) if plastic and topology.storage == "dense" else ()
        if values and not any(isinstance(value, np.ndarray) for value in values):
            i, k = (self.index(layer, letter) for layer, letter in ((target, _I), (source, _K)))
            cells = [i or constant(0.0), k or constant(0.0)]
            found = _value(type(topology).strength, [*cells, *map(_number, values)])
            if found is not None:
                return found
        symbol = self.connection(link, "W")
        self.definitions.append(Definition(symbol, exact_in_words(plain_spec(topology))))
        return symbol

    def gate(self, link: Projection) -> Equation:
        gate = link.gate
        assert gate is not None
        source, _ = self.ends(link)
        per_source = gate.per == "source"
        y = element(f"{link.name}.y", self.index(source, _K)) if per_source else self.connection(link, "y")
        letter = _I if link.topology.storage == "single" and not per_source else _K
        values = [y, self.sent(link, letter, gated=False), *map(constant, gate.arguments)]
        return Equation(y, _value(type(gate).law, values), None, f"gates of {link.name}, {type(gate).__name__}")

    def weight(self, link: Projection) -> Equation:
        learning = link.learning
        assert learning is not None
        source, target = self.ends(link)
        single = link.topology.storage == "single"
        values = [z := self.connection(link, "z")]
        for signal, place in learning.reads(link.signal):
            at = self.network.layer(learning.layer_at(place, source.name, target.name))
            if place == "target":
                values.append(self.applied(signal, self.activity(at, _I)))
                continue
            letter = "m" if place == "source total" else _I if single else _K
            read = self.applied(signal, self.activity(at, letter, link.delay))
            values.append(sum_over("m", read) if place == "source total" and source.cells > 1 else read)
        if learning.sums_weights:
            own = element(f"{link.name}.z", self.index(target, _I), self.index(source, "m"))
            values.append(z if single or source.cells == 1 else sum_over("m", own))
        rate = constant(learning.rate)
        if learning.schedule is not None:
            factor = _course(learning.schedule, f"{link.name}.window")
            rate = joined(rate, "*", factor)
            if isinstance(factor, ast.Call):
                self.definitions.append(Definition(factor, exact_in_words(plain_spec(learning.schedule))))
        values += [rate, *map(constant, learning.others)]
        law = type(learning).__name__
        return Equation(z, _value(type(learning).law, values), None, f"weights of {link.name}, {law}")

    def inputs(self, layer: LayerLaw, kind: str) -> list[Definition]:
        """Return what the inputs of a layer are: a definition for each stimulus, the later ones added to the first."""
        result: list[Definition] = []
        for stimulus in self.network.stimuli:
            if stimulus.target != layer.name or stimulus.kind != kind:
                continue
            symbol = element(self.owned(layer.name, _INPUTS[kind]), self.index(layer, _I))
            if isinstance(stimulus, PhaseStimulus):
                text = "the inputs of the protocol's phases"
            else:
                schedule = stimulus.schedule
                course = _course(schedule, exact_in_words(plain_spec(schedule)))
                text = exact_in_words(stimulus.pattern)
                if value_of(course) != 1.0:
                    text += f"·{'ξ[i](t)' if schedule.white else Text()(course)}"
                if schedule.white:
                    text += " (white noise, independent in each cell; Itô)"
                if not stimulus.on:
                    text += f" (off until an event switches '{stimulus.name}' on)"
            result.append(Definition(symbol, f"... + {text}" if result else text))
        return result


def _number(value: object) -> Formula:
    return constant(float(value))  # type: ignore[arg-type]


def _value(function: Callable[..., object], arguments: list[Formula]) -> Formula | None:
    """Return what a law returns, or None if it is more than a formula or its text is not there."""
    try:
        code: Code = code_of(function)
    except (OSError, TypeError):
        return None
    return inlined(code, arguments)


def _course(schedule: Schedule, called: str) -> Formula:
    """Return the factor that a schedule makes, at time t."""
    if isinstance(schedule, Constant):
        return constant(1.0)
    if isinstance(schedule, Pulse):
        if np.isinf(schedule.off):
            return ast.Compare(name("t"), [ast.GtE()], [constant(schedule.on)])
        return ast.Compare(constant(schedule.on), [ast.LtE(), ast.Lt()], [name("t"), constant(schedule.off)])
    return call(called, name("t"))


def _signal_definition(letter: str, signal: Signal) -> Definition:
    """Return the definition of a signal by its formula, with its numbers in it."""
    w = name("w")
    values = dict(signal.parameters) if isinstance(signal, Expression) else vars(signal)
    numbers = {key: value for key, value in values.items() if isinstance(value, float)}
    code = Code(letter, ("w", *numbers), f"    return {signal.formula or 'unknown'}\n")
    try:
        formula = inlined(code, [w, *map(constant, numbers.values())])
    except (SyntaxError, SpecError):
        formula = None
    if formula is None:
        return Definition(call(letter, w), exact_in_words(plain_spec(signal)))
    with np.errstate(all="ignore"):
        cut = not np.any(signal(np.array([-1e-9, -1e-3, -1.0, -1e3])))
    return Definition(call(letter, w), formula, " for w ≥ 0, 0 for w < 0" if cut else "")
