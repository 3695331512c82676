"""What an address asks for: a model, its settings as on the command line, and how long it runs."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from brnn.base.text import closest, shortened
from brnn.errors import InputError
from brnn.explore.catalogue import Catalogue, Explorable
from brnn.signals import Expression, Signal
from brnn.spec.dotted.texts import number_in, parameters_of
from brnn.spec.network import Network

__all__ = ["MOST_UNKNOWNS", "Asked", "asked_of", "fields_of"]

MOST_UNKNOWNS = 50_000
_SETTINGS = 1000
_KEYS = ("model", "set", "duration", "seed")


@dataclass(frozen=True)
class Asked:
    """A run that a page asks for.

    Attributes
    ----------
    model : Model
        Which model.
    settings : tuple of str
        ``KEY=VALUE``, each as after ``--set``.
    duration : float or None
        How long; None for the network's own duration.
    seed : int or None
        Seed of what is drawn.
    """

    model: Explorable
    settings: tuple[str, ...] = ()
    duration: float | None = None
    seed: int | None = None

    def network(self) -> Network:
        """Return the network; InputError if it is too large for a page, or a setting is wrong."""
        self._refuse_sizes()
        network = self.model.build(self.settings)
        unknowns = sum(network.states.values())
        if unknowns > MOST_UNKNOWNS:
            raise InputError(
                f"{network.name}: has {unknowns:,} unknowns, and a page shows at most {MOST_UNKNOWNS:,}; `brnn run` "
                "has no such limit"
            )
        return network

    def _refuse_sizes(self) -> None:
        """Refuse what cannot be small enough before anything of that size is made."""
        build = getattr(self.model.module, "build", None)
        known = {} if build is None else parameters_of(build)
        for name, value in self.model.values(self.settings).items():
            if "whole" not in known[name].kinds or "n" != name:
                continue
            cells = math.prod(int(k) for k in np.ravel(value)) if value is not None else 0
            if cells > MOST_UNKNOWNS:
                raise InputError(f"--set {name}: {cells:,} cells, and a page shows at most {MOST_UNKNOWNS:,} unknowns")

    @property
    def label(self) -> str:
        """How the command line names the model."""
        return str(self.model.path) if self.model.path is not None else self.model.name

    def command(self) -> str:
        """Return the command line that runs the same."""
        words = ["brnn", "run", self.label]
        for setting in self.settings:
            words += ["--set", setting]
        if self.duration is not None:
            words += ["--duration", f"{self.duration!r}"]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        return shlex.join([*words, "-o", f"{self.model.name.removesuffix('.json')}.h5"])

    def script(self) -> str:
        """Return the Python script that runs the same."""
        options = [f"duration={self.duration!r}"] if self.duration is not None else []
        options += [f"seed={self.seed}"] if self.seed is not None else []
        run = f"result = brnn.simulate({', '.join(['network', *options])})"
        return "\n".join(["import brnn", *self._imports(), "", *self._made(), run, "print(result.summary())", ""])

    def _imports(self) -> list[str]:
        path = self.model.path
        if path is None:
            return []
        if self.model.module is None:
            return ["from pathlib import Path"]
        # By its path: a module of the same name may be installed, and a file's name need not be a name in Python.
        return [
            "import importlib.util",
            "import sys",
            "",
            f"spec = importlib.util.spec_from_file_location('own_model', {str(path.resolve())!r})",
            "own_model = importlib.util.module_from_spec(spec)",
            "sys.modules['own_model'] = own_model",
            "spec.loader.exec_module(own_model)",
        ]

    def _made(self) -> list[str]:
        if self.model.module is None:
            made = f"brnn.Network.from_json(Path({str(self.model.path)!r}).read_text())"
            pairs = dict(setting.split("=", 1) for setting in self.settings)
            changed = "".join(f"    {key.strip()!r}: {value.strip()!r},\n" for key, value in pairs.items())
            return [f"network = {made}" + (f".with_({{\n{changed}}})" if changed else "")]
        build = f"brnn.models.{self.model.name}.build" if self.model.path is None else "own_model.build"
        values = self.model.values(self.settings)
        lines = [f"    {name}={_as_python(value)}," for name, value in values.items()]
        return [f"network = {build}(", *lines, ")"] if lines else [f"network = {build}()"]


def _as_python(value: Any) -> str:
    """Return a value as Python text that makes it again."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if isinstance(value, Signal):
        if isinstance(value, Expression):
            parts = [repr(value.text), *(f"{name}={_as_python(number)}" for name, number in value.parameters)]
        else:
            parts = [f"{field.name}={_as_python(getattr(value, field.name))}" for field in dataclasses.fields(value)]
        return f"brnn.{type(value).__name__}({', '.join(parts)})"
    return repr(value)


def fields_of(query: str) -> list[tuple[str, str]]:
    """Return the keys and values of the part of an address after the question mark."""
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=_SETTINGS)
    except ValueError as error:
        raise InputError(f"the address: {error}") from None


def asked_of(fields: Sequence[tuple[str, str]], catalogue: Catalogue) -> Asked:
    """Return what an address asks for.

    Parameters
    ----------
    fields : sequence of (str, str)
        The keys and values of the address.
    catalogue : Catalogue
        The models that may be asked for.

    Raises
    ------
    InputError
        One line that names the part of the address that is wrong.
    """
    single: dict[str, str] = {}
    settings = []
    for key, value in fields:
        if key not in _KEYS:
            raise InputError(f"the address: '{shortened(key)}' is none of {', '.join(_KEYS)}{closest(key, _KEYS)}")
        if key == "set":
            settings.append(value)
        elif key in single:
            raise InputError(f"the address: {key} is given twice")
        else:
            single[key] = value
    model = catalogue.model(single.get("model", catalogue.first))
    duration, seed = single.get("duration"), single.get("seed")
    return Asked(
        model,
        tuple(settings),
        None if duration is None else _duration(duration),
        None if seed is None else _seed(seed),
    )


def _duration(text: str) -> float:
    value = number_in(text)
    if value is None or not 0.0 < value < math.inf:
        raise InputError(f"duration={shortened(text)}: must be a number > 0")
    return value


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InputError(f"seed={shortened(text)}: must be a whole number, >= 0")
    return int(text)
