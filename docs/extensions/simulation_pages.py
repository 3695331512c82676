"""The scripts of simulations/ as a gallery: sphinx-gallery runs them with --plot and shows their figures.

They are ordinary commands, so they are copied first, with a rule below the first line of their docstring: that makes it
the title of the page.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx_gallery.scrapers import figure_rst

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "docs" / "generated" / "simulation_scripts"
_HEADER = """The simulations
===============

Each script of ``simulations/`` reproduces a published result: it prints what is predicted beside what is measured, and
draws the figure. They are commands: ``python simulations/gated_dipole.py -o dipole.h5 --plot dipole.png``.
"""


def setup(app: Sphinx) -> dict[str, Any]:
    """Copy the scripts before sphinx-gallery looks for them."""
    app.connect("config-inited", lambda *_: copy_scripts(), priority=1)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def copy_scripts() -> None:
    """Write docs/generated/simulation_scripts/, each script with a title."""
    shutil.rmtree(SCRIPTS, ignore_errors=True)
    SCRIPTS.mkdir(parents=True)
    (SCRIPTS / "GALLERY_HEADER.rst").write_text(_HEADER, encoding="utf-8")
    for script in sorted((ROOT / "simulations").glob("[a-z]*.py")):
        text = script.read_text(encoding="utf-8")
        first, _, rest = text.partition("\n")
        title = first.removeprefix('"""').rstrip(".")
        rule = "=" * len(title)
        # A script that exits would end Sphinx, without a word and with exit code 0.
        rest = rest.replace("    sys.exit(main())\n", "    assert main() == 0\n")
        (SCRIPTS / script.name).write_text(f'"""{title}\n{rule}\n{rest}', encoding="utf-8")


def arguments_of_script(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """Return the arguments that a script is run with."""
    figure = _figure_path(script_vars["src_file"])
    return ["--plot", str(figure), "--force"]


def figure_of_script(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Move the figure that the script drew to where the page shows it."""
    made = _figure_path(block_vars["src_file"])
    if not made.exists():
        return ""
    shown = next(iter(block_vars["image_path_iterator"]))
    shutil.move(made, shown)
    return figure_rst([shown], gallery_conf["src_dir"])


def _figure_path(script: str) -> Path:
    return Path(script).with_suffix(".drawn.png")
