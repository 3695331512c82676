"""`brnn.rerun`: run what a file holds again and compare; `brnn.member`: one member of a sweep by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brnn.base.checks import number
from brnn.base.named import says_what_is_meant
from brnn.errors import InputError
from brnn.files.opening import kind_of
from brnn.reproduce.compare import Rerun
from brnn.reproduce.member import SweepMember, member
from brnn.reproduce.run import rerun_run
from brnn.reproduce.sweep import rerun_sweep

__all__ = ["Rerun", "SweepMember", "member", "rerun"]


@says_what_is_meant
def rerun(path: str | Path, tolerance: float | None = None, build: Any = None) -> Rerun:
    """Run the network in a result file again, with the options, times and seed in it, and compare.

    Parameters
    ----------
    path : str or Path
        A result file; of a run that ended early what there is of it is compared. Of a sweep every member that is
        complete: measures that are functions of the user's, of which the file has the names only, are left out.
    tolerance : float, optional
        The largest difference that passes, >= 0. By default 100 (atol + rtol max|x|) for each variable x, with the
        tolerances of the run: on one machine the numbers are the same to the last bit, on another one roundings
        differ, and after them the steps of the solver.
    build : callable, str or Network, optional
        Of a sweep what made its networks, as `brnn.sweep` got it. Models and networks are found by themselves; a
        function of your own has to be given, as no file may call one.

    Returns
    -------
    Rerun

    Raises
    ------
    FileError
        If it is not a result file, is damaged, or holds no saved time (no finished member).
    InputError
        If the tolerance is not valid, or `build` is missing, makes other networks, or is given for a run.
    IntegrationError
        If the repeated run fails before the last saved time.
    """
    if tolerance is not None:
        tolerance = number(tolerance, "tolerance", minimum=0.0)
    if kind_of(path) == "sweep":
        return rerun_sweep(path, tolerance, build)
    if build is not None:
        raise InputError(f"build: {path} is a run, which has its network in it; only sweeps are built")
    return rerun_run(path, tolerance)
