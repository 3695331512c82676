"""The commands put together, and what the process says and returns when something goes wrong."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from brnn._version import __version__
from brnn.cli.commands import COMMANDS
from brnn.cli.stops import Stopped
from brnn.errors import BrnnError, InputError, IntegrationError

__all__ = ["app", "run"]

# Typer brings its own copy of click or uses the installed one, depending on its version; either way these are
# the bases of its public BadParameter.
_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickException: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="brnn",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  brnn models
  brnn show rcf
  brnn run rcf --set n=100 --set A=0.5 -o run.h5 --plot run.png
  brnn info run.h5
  brnn verify --model rcf
\b
Exit codes: 0 done; 1 a claim or a run failed; 2 the input was wrong, which one line says.""",
)


def _print_version(value: bool) -> None:
    if value:
        print(f"brnn {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Simulate biologically inspired recurrent neural networks (Grossberg): STM, normalization, storage.

    A network is compiled once for its structure, integrated with error control and kept in an HDF5 file that any
    netCDF-4 reader opens. `brnn COMMAND --help` shows what a command takes, with examples.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


class _Command(TyperCommand):
    """A command that refuses empty names of files, and whose help lists the methods of integration.

    These are asked for only when it is shown, as they load NumPy.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; an empty path would be the folder "." in what comes after."""
        files = {name for parameter in self.params if parameter.metavar in ("FILE", "DIR") for name in parameter.opts}
        for option, value in itertools.pairwise(args):
            if option in files and option.startswith("-") and not value:
                raise InputError(f"{option} '': is not the name of a file")
        return list(super().parse_args(ctx, args))

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        for parameter in self.params:
            text = getattr(parameter, "help", None) or ""
            if "{methods}" in text:
                from brnn.integrate.methods import in_words

                parameter.help = text.replace("{methods}", in_words())  # type: ignore[attr-defined]
        return super().get_help(ctx)


for _name, _function, _examples in COMMANDS:
    app.command(_name, cls=_Command, epilog="\b\nExamples:\n" + "\n".join(f"  {line}" for line in _examples))(_function)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; whatever goes wrong is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # equations have Greek letters, not every terminal has
    with _command_line(arguments), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"scipy\.")  # what a solver has to say is in our own message
        warnings.showwarning = _warn
        try:
            code = _guarded(lambda: _invoke(arguments))
        except Stopped as stopped:
            code = _fail(str(stopped), stopped.code)
    return _flushed(code)


@contextlib.contextmanager
def _command_line(arguments: Sequence[str] | None) -> Iterator[None]:
    """Have sys.argv say what is run, also when it is run by a function call: result files record it."""
    before = sys.argv
    sys.argv = ["brnn", *(before[1:] if arguments is None else arguments)]
    try:
        yield
    finally:
        sys.argv = before


def _invoke(arguments: Sequence[str] | None) -> int:
    command = typer.main.get_command(app)
    code = command.main(arguments, prog_name="brnn", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _guarded(work: Callable[[], int]) -> int:
    try:
        return work()
    except _ClickException as error:
        return _fail(_usage(error), 2)
    except typer.Abort:
        return _fail("aborted", 1)
    except IntegrationError as error:
        return _fail(str(error), 1)
    except BrnnError as error:
        return _fail(str(error), 2)
    except MemoryError as error:
        return _fail(f"not enough memory: {error}" if str(error) else "not enough memory", 2)
    except SystemExit as error:  # Typer ends the process itself after completion, and when the reader has gone
        return error.code if isinstance(error.code, int) else 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        return _fail(f"{place}{error.strerror or error}", 2)
    except Exception as error:
        if os.environ.get("BRNN_TRACEBACK"):
            traceback.print_exc()
        text = f"{type(error).__name__}: {error}"
        return _fail(f"unexpected {text} (a mistake of brnn's own: BRNN_TRACEBACK=1 shows where)", 1)


def _usage(error: Any) -> str:
    """Return the message of one of Typer's own errors with a hint where to read on, in one line."""
    text = str(error.format_message())
    if isinstance(error, _UsageError):
        text = f"{text.rstrip('.')} (see {error.ctx.command_path if error.ctx is not None else 'brnn'} --help)"
    return text


def _fail(message: str, code: int) -> int:
    text = " ".join(message.split())
    print(f"brnn: error: {text}" if code in (1, 2) else f"brnn: {text}", file=sys.stderr)
    return code


def _warn(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show a warning as one line; those that are not meant for users are left out."""
    if issubclass(category, UserWarning):
        print(f"brnn: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _flushed(code: int) -> int:
    """Write out what is buffered; a reader that went away (``brnn models | head -1``) is no error worth a line."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter flushes it once more
        if not isinstance(error, BrokenPipeError):
            _fail(f"standard output: {error.strerror or error}", 1)
        return code or 1
    return code
