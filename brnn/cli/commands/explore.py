"""``brnn explore``: a page on this machine with sliders for the parameters of a network."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from brnn import models as package
from brnn.base.docstrings import docstring_of, reference_of
from brnn.cli.commands.options import AsJson, Force, OwnClasses, Settings, complete_model, whole_option
from brnn.cli.outputs import print_written
from brnn.errors import FileError, InputError

if TYPE_CHECKING:
    from brnn.explore.catalogue import Catalogue

__all__ = ["EXAMPLES", "explore"]

EXAMPLES = (
    "brnn explore",
    "brnn explore gated_dipole --set H=0.1",
    "brnn explore my_network.py --port 8080 --no-browser",
    "brnn explore wilson_cowan --html wilson_cowan.html",
)

_FIRST = "rcf"


def explore(
    model: Annotated[
        str,
        typer.Argument(
            metavar="[MODEL]",
            help="With which model the page begins: a name, a .py file with build(), or a saved network .json.",
            autocompletion=complete_model,
            show_default=False,
        ),
    ] = _FIRST,
    settings: Settings = None,
    own: OwnClasses = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="N", help="The port; by default any that is free.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where the page may save results, and nowhere else.")
    ] = Path("."),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open no browser.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Serve nothing: write one file with this model in it, which integrates in the browser by itself.",
        ),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Explore a model: a local page with sliders for its parameters.

    The page is served to this machine alone, under an address that nobody can guess and that is printed on one line;
    it needs no internet. Ctrl-C ends it. With --html the page is one file that needs no server, for lectures: of models
    of up to 200 unknowns whose run neither events nor chance decide.
    """
    if html is not None:
        if port is not None:
            raise InputError(f"--port {port}: is for a server, and --html needs none")
        _write_alone(model, settings or [], own, html, force)
        print_written([html], as_json)
        return
    from brnn.cli.as_json import print_json
    from brnn.explore.answers import Answers
    from brnn.explore.server import ExploreServer

    number = 0 if port is None else whole_option(port, "--port")
    if not folder.is_dir():
        raise FileError(f"--folder {folder}: there is no such folder")
    known, name = catalogue(model, own)
    if settings:
        known.model(name).build(settings)
    query = urlencode([("model", name), *(("set", setting) for setting in settings or ())])
    with ExploreServer(Answers(known, folder.resolve()), number) as server:
        address = f"{server.address}?{query}"
        if as_json:
            print_json({"address": address})
            sys.stdout.flush()
        else:
            print(address, flush=True)
        if not no_browser:
            webbrowser.open(address)
        server.serve_forever()


def _write_alone(model: str, settings: list[str], own: str | None, path: Path, force: bool) -> None:
    from brnn.base.paths import check_target, new_text_file
    from brnn.explore.alone.page import page_of
    from brnn.explore.asked import Asked

    check_target(path, force, option="--html", suffixes=(".html", ".htm"))
    known, name = catalogue(model, own)
    text = page_of(Asked(known.model(name), tuple(settings)))
    with new_text_file(path, force) as file:
        file.write(text)


def catalogue(model: str, own: str | None = None) -> tuple[Catalogue, str]:
    """Return the models that a page shows, the one of the command line among them, and what that one is called.

    The file `own` (--model) is imported here, once; no address of the page imports one.
    """
    from brnn.cli.model import find_model
    from brnn.explore.catalogue import Catalogue, Entry

    if model == "-":
        raise InputError("-: the page asks for its model again and again, and standard input is read once; name a file")
    entries = []
    for name in package.names():
        docstring = docstring_of(Path(package.__path__[0]) / f"{name}.py")
        entries.append(Entry(name, docstring.partition("\n")[0].rstrip("."), reference_of(docstring)))
    given = find_model(model, own)
    if given.path is None:
        return Catalogue(tuple(entries), find_model, given.name), given.name
    entry = Entry(str(given.path), f"the network of {given.path.name}", "")
    found = {entry.name: given}
    return Catalogue((entry, *entries), lambda text: found.get(text) or find_model(text), entry.name), entry.name
