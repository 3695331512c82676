"""The exceptions of brnn: what a user can do wrong, and what a computation can."""

from __future__ import annotations

__all__ = ["BrnnError", "FileError", "InputError", "IntegrationError", "SpecError"]


class BrnnError(Exception):
    """Root of every exception that brnn raises on purpose."""


class SpecError(BrnnError, ValueError):
    """A network, a layer, a signal or another part of a specification is not valid."""


class InputError(BrnnError, ValueError):
    """A value given to a function or to the command line is not usable."""


class FileError(InputError):
    """A file cannot be read, is not what it should be, or would be overwritten."""


class IntegrationError(BrnnError, RuntimeError):
    """The integration could not go on.

    Parameters
    ----------
    message : str
        One line that says what happened.
    time : float
        The last time that was reached with a good state.
    variable : str or None
        The state (``"<layer>.x"``) and cell where it broke, if one can be named.
    state : ndarray or None
        The last good state vector.
    """

    def __init__(
        self,
        message: str,
        time: float = float("nan"),
        variable: str | None = None,
        state: object = None,
    ) -> None:
        super().__init__(message)
        self.time = time
        self.variable = variable
        self.state = state
