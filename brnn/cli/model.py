"""MODEL: a name of brnn.models, a Python file with `build`, or a saved network."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from brnn import models
from brnn.base.text import shortened
from brnn.claims import Claim
from brnn.cli.settings import arguments_in, changed_by, parameters_of, parse_settings, setting_of
from brnn.cli.text import signal_in_words
from brnn.errors import BrnnError, FileError, InputError
from brnn.figures.own import ModelFigure, figure_of
from brnn.signals.base import Signal
from brnn.spec.network import Network
from brnn.spec.trajectory import Trajectory

if TYPE_CHECKING:
    from brnn.claims import Claim
    from brnn.spec.network import Network

__all__ = ["Model", "build_given", "find_model", "load_own"]

_JSON_AT_MOST = 2**31  # bytes


@dataclass(frozen=True)
class Model:
    """What MODEL stands for.

    Attributes
    ----------
    name : str
        Its name, for messages.
    module : module or None
        The module with `build`; None for a saved network.
    path : Path or None
        The user's file; None for a model of brnn.models.
    saved : Network or None
        The saved network.
    """

    name: str
    module: ModuleType | None = None
    path: Path | None = None
    saved: Network | None = None

    @property
    def claims(self) -> Sequence[Claim]:
        """The published properties that it states."""
        stated = getattr(self.module, "CLAIMS", ())
        return [claim for claim in stated if isinstance(claim, Claim)] if isinstance(stated, (list, tuple)) else []

    @property
    def figure(self) -> ModelFigure | None:
        """The figure that the user's own file declares; those of published models are found by their names."""
        return None if self.path is None else figure_of(self.module)

    def values(self, settings: Sequence[str]) -> dict[str, Any]:
        """Return what the texts ``KEY=VALUE`` stand for, by the name of the parameter; nothing of a saved network.

        What says how a trajectory is read (``trajectory.bridge=1``) is no parameter: `input_of` has that.
        """
        if self.module is None:
            return {}
        others = settings
        if self._takes_trajectory:
            others = [text for text in settings if not text.strip().startswith(_READING)]
            for text in others:
                name, _, value = (part.strip() for part in text.partition("="))
                if name == "trajectory" and value.lower() != "none":
                    raise InputError(f"--set {shortened(text)}: a trajectory is read from a file: --input FILE")
        return parse_settings(others, self.module.build, self.name)

    @property
    def _takes_trajectory(self) -> bool:
        known = {} if self.module is None else parameters_of(self.module.build)
        return "trajectory" in known and "pattern" not in known

    def varied(self, settings: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """Return what builds the networks of a sweep or a curve, and the values that stay as the settings say.

        That is a saved network with its changes; the name of a model of brnn.models, by which its networks are known
        everywhere; or the `build` of the user's own file.
        """
        if self.module is None:
            return self.build(settings), {}
        return (self.name if self.path is None else self.module.build), self.values(settings)

    def signals_taken(self, settings: Sequence[str]) -> list[str]:
        """Return what was taken for the signals among the settings, a line for each."""
        return [
            f"{name} = {signal_in_words(value)}"
            for name, value in self.values(settings).items()
            if isinstance(value, Signal)
        ]

    def input_of(self, source: str, dataset: str | None = None, settings: Sequence[str] = ()) -> Any:
        """Return what a file holds: a trajectory if that is what `build` takes and no pattern, else a pattern.

        Settings ``trajectory.NAME=VALUE`` give `read_trajectory` its arguments.
        """
        if not self._takes_trajectory:
            from brnn.files.patterns import read_pattern

            return read_pattern(source, dataset)
        from brnn.files.trajectories import read_trajectory

        if dataset is not None:
            raise InputError(f"--dataset {dataset}: {self.name} takes a trajectory, a file with t, x and y")
        reading = {key: text for key, text in map(setting_of, settings) if key.startswith(_READING)}
        given = arguments_in(reading, read_trajectory, _READING)
        try:
            return read_trajectory(source, **given)
        except BrnnError as error:
            raise InputError(f"--input {error}") from None

    def build(self, settings: Sequence[str] = (), pattern: Any = None, source: str = "") -> Network:
        """Return the network.

        Parameters
        ----------
        settings : sequence of str
            ``KEY=VALUE`` texts.
        pattern : ndarray or Trajectory, optional
            Value of the parameter `pattern` of the model's `build`, or of `trajectory`.
        source : str
            The file that the pattern comes from, for messages.
        """
        if self.saved is not None:
            if pattern is not None:
                raise InputError(f"--input {source}: {self.name} is a saved network, which has its inputs in it")
            return changed_by(settings, self.saved)
        values = self.values(settings)
        assert self.module is not None
        build = self.module.build
        known = parameters_of(build)
        reading = next((text for text in settings if text.strip().startswith(_READING)), None)
        if isinstance(pattern, Trajectory):
            values["trajectory"] = pattern
        elif reading is not None and self._takes_trajectory:
            raise InputError(f"--set {shortened(reading)}: says how --input FILE is read, which is not given")
        elif pattern is not None:
            if "pattern" not in known:
                raise InputError(f"--input {source}: {self.name} takes no input pattern (its build has no 'pattern')")
            if "pattern" in values:
                raise InputError(f"--input {source}: the pattern is also given by --set pattern=...")
            values["pattern"] = pattern
        missing = [name for name, parameter in known.items() if parameter.default is _EMPTY and name not in values]
        if missing:
            raise InputError(f"{self.name}: --set {missing[0]}=VALUE is needed: it has no default")
        try:
            network = build(**values)
        except BrnnError as error:
            # The file is named where the message is about what was read from it.
            if pattern is not None and "pattern" in str(error):
                raise InputError(f"--input {source}: {error}") from None
            raise
        except MemoryError:
            raise
        except Exception as error:
            if self.path is None:
                raise
            raise FileError(f"{self.path}: build: {_in_file(error, self.path)}") from None
        return self._checked(network)

    def _checked(self, network: Any) -> Network:
        if not isinstance(network, Network):
            raise FileError(
                f"{self.path or self.name}: build returned {type(network).__name__}, must return a brnn.Network"
            )
        return network


_EMPTY = inspect.Parameter.empty
_READING = "trajectory."


def build_given(file: str | Path, model: str) -> Any:
    """Return the build of the user's file (--model) for a result; None if it gave classes, and the result has the rest.

    Loading the user's file makes its classes known.
    """
    from brnn.files.open import open as open_result
    from brnn.reproduce.member import needs_build
    from brnn.result.result import Result

    classes = Path(model).suffix == ".py"
    found = Model(Path(model).stem, load_own(model), Path(model)) if classes else find_model(model)
    with open_result(file) as result:
        if isinstance(result, Result) or not needs_build(str(result.attrs.get("build", ""))):
            return None
    return found.saved if found.module is None else _with_build(found.module, model).build


def find_model(text: str, own: str | None = None) -> Model:
    """Return the model that `text` names; raise InputError or FileError if there is none.

    Parameters
    ----------
    text : str
        A name of brnn.models (``-`` may stand for ``_``), a path ending in .py, one ending in .json, or ``-``: a
        saved network on standard input.
    own : str, optional
        The user's file with the classes of a saved network, or with signals that settings name (--model).
    """
    if own is not None:
        load_own(own)
    if text == "-":
        try:
            return Model("standard input", saved=Network.from_json(sys.stdin.read()))
        except ValueError as error:  # as of a file
            raise InputError(f"standard input: {error}") from None
    path = Path(text)
    if path.suffix == ".py":
        return Model(path.stem, _with_build(_module_of(path), path), path)
    if path.suffix == ".json":
        return Model(path.name, None, path, _saved(path))
    if path.suffix in (".h5", ".hdf5", ".nc"):
        raise InputError(
            f"{text}: is a result, not a model; `brnn rerun {text}` runs its network again, "
            f"`brnn run {text} --member N` one member of a sweep"
        )

    name = text.replace("-", "_")
    try:
        return Model(name, models.load(name))
    except InputError as error:
        files = (Path(text + end) for end in (".py", ".json"))
        near = next((str(file) for file in files if file.is_file()), None)
        hint = f"; did you mean the file {near}?" if near else ""
        raise InputError(f"{error}{hint}") from None


def load_own(file: str) -> ModuleType:
    """Return the module of the user's file (--model FILE), whose classes are known from now on; it needs no build."""
    if Path(file).suffix != ".py":
        raise InputError(f"--model {file}: must be a .py file")
    return _module_of(Path(file))


def _with_build(module: ModuleType, path: str | Path) -> ModuleType:
    if not callable(getattr(module, "build", None)):
        raise FileError(f"{path}: has no function build() that returns a brnn.Network")
    return module


def _module_of(path: Path) -> ModuleType:
    """Import the user's file under a name of its own, with its folder importable as for a script."""
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    name = f"brnn_user.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = os.fspath(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that no file there hides a module of an installed package
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise FileError(f"{path}: line {error.lineno}: {error.msg}") from None
    except SystemExit:
        raise FileError(f"{path}: ended the program while it was imported; keep what it runs under __main__") from None
    except Exception as error:
        raise FileError(f"{path}: {_in_file(error, path)}") from None
    return module


def _in_file(error: Exception, path: Path) -> str:
    """Return what was raised and in which line of the user's file."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if Path(frame.filename).name == path.name), None)
    place = f" (line {line})" if line else ""
    return f"{type(error).__name__}: {error}{place}"


def _saved(path: Path) -> Network:
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    try:
        if path.stat().st_size > _JSON_AT_MOST:
            raise FileError(f"{path}: is too large for a network")
        return Network.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileError(f"{path}: not JSON") from None
    except ValueError as error:  # SpecError is one; another is raised by numbers of thousands of digits
        raise FileError(f"{path}: {error}") from None
