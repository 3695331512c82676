"""The commands, each with the lines that its help shows as examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brnn.cli.commands.continuation as continuation
import brnn.cli.commands.explore as explore
import brnn.cli.commands.files as files
import brnn.cli.commands.fit as fit
import brnn.cli.commands.run as run
import brnn.cli.commands.show as show
import brnn.cli.commands.sweep as sweep
import brnn.cli.commands.theory as theory
import brnn.cli.commands.verify as verify

__all__ = ["COMMANDS"]

COMMANDS: tuple[tuple[str, Callable[..., Any], tuple[str, ...]], ...] = (
    ("models", show.models, show.MODELS_EXAMPLES),
    ("show", show.show, show.SHOW_EXAMPLES),
    ("run", run.run, run.EXAMPLES),
    ("sweep", sweep.sweep, sweep.SWEEP_EXAMPLES),
    ("merge", sweep.merge, sweep.MERGE_EXAMPLES),
    ("plot", files.plot, files.PLOT_EXAMPLES),
    ("info", files.info, files.INFO_EXAMPLES),
    ("rerun", files.rerun, files.RERUN_EXAMPLES),
    ("export", files.export, files.EXPORT_EXAMPLES),
    ("theory", theory.theory, theory.EXAMPLES),
    ("continue", continuation.follow, continuation.EXAMPLES),
    ("fit", fit.fit, fit.EXAMPLES),
    ("explore", explore.explore, explore.EXAMPLES),
    ("verify", verify.verify, verify.EXAMPLES),
)
