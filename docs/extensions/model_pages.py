"""A page for each model, from its docstring, its network, its figure and its claims; and the page of all claims.

The pages are written into docs/generated/ when Sphinx begins, so that no page can lag behind its model. A full build
runs every model and every claim (minutes); ``BRNN_DOCS=quick`` leaves that out and says so on the pages.
"""

from __future__ import annotations

import inspect
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docstrings import escaped, markdown, title_and_text
from docutils import nodes
from numpydoc.docscrape import NumpyDocString
from sphinx import addnodes

import brnn
from brnn.claims import Claim, Comparison
from brnn.cli.commands.explore import catalogue
from brnn.equations import equations_of
from brnn.explore.alone.page import page_of
from brnn.explore.asked import Asked

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.application import Sphinx

EXPLORED = ("rcf", "gated_dipole", "store", "wilson_cowan", "may_leonard")  # with a page that integrates by itself
GENERATED = Path(__file__).parents[1] / "generated"
_EXPLORER = (
    '<a href="{name}_explorer.html">Move its sliders</a>: a page that integrates this model in the browser '
    "(`brnn explore {name} --html {name}.html`)."
)
_NOT_RUN = "This build of the pages did not run the claims; `make docs` does, and `brnn verify` on the command line."


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages when the builder starts."""
    app.connect("builder-inited", lambda _: write_pages(quick=os.environ.get("BRNN_DOCS") == "quick"))
    app.connect("doctree-read", _link_models)
    app.connect("build-finished", _copy_explorers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _link_models(app: Sphinx, doctree: nodes.document) -> None:
    """Make every name of a model that a page writes as code lead to the model's page."""
    names = set(brnn.models.names())
    page = app.env.docname
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext()
        if name not in names or page == f"generated/models/{name}" or isinstance(literal.parent, nodes.reference):
            continue
        link = addnodes.pending_xref(
            "", refdomain="std", reftype="doc", reftarget=f"/generated/models/{name}", refexplicit=True, refwarn=True
        )
        link += literal.deepcopy()
        literal.replace_self(link)


def _copy_explorers(app: Sphinx, error: Exception | None) -> None:
    """Put the pages that integrate by themselves beside those of their models."""
    for name in EXPLORED:
        page = GENERATED / "models" / f"{name}_explorer.html"
        if error is None and page.exists():
            shutil.copy(page, app.outdir / "generated" / "models" / page.name)


def write_pages(*, quick: bool) -> None:
    """Write docs/generated/models/*.md and docs/generated/claims.md."""
    folder = GENERATED / "models"
    folder.mkdir(parents=True, exist_ok=True)
    names = brnn.models.names()
    checked: list[tuple[Claim, tuple[Comparison, ...]]] = []
    for name in names:
        module = brnn.models.load(name)
        claims = [(claim, () if quick else claim.check()) for claim in module.CLAIMS]
        checked += claims
        picture = "" if quick else _picture(name, folder)
        if name in EXPLORED and not quick:
            page = page_of(Asked(catalogue(name)[0].model(name)))
            (folder / f"{name}_explorer.html").write_text(page, encoding="utf-8")
        _write(folder / f"{name}.md", model_page(name, module, claims, picture))
    _write(folder / "index.md", _index(names))
    _write(GENERATED / "claims.md", claims_page(checked, quick=quick))


def model_page(name: str, module: ModuleType, claims: list[tuple[Claim, tuple[Comparison, ...]]], picture: str) -> str:
    """Return the page of one model as Markdown."""
    title, text = title_and_text(inspect.getdoc(module) or "")
    network = module.build()
    equations = "\n".join(equations_of(network).latex().splitlines()[1:])
    parts = [
        f"# {name}",
        f"*{escaped(title)}*",
        f"![The default run of {name}]({picture})" if picture else "",
        _EXPLORER.format(name=name) if picture and name in EXPLORED else "",
        text,
        "## Run it",
        f"```sh\nbrnn run {name} -o {name}.h5 --plot {name}.png\nbrnn verify --model {name}\n```",
        f"```python\nimport brnn\n\nresult = brnn.simulate(brnn.models.{name}.build())\n```",
        "## Equations, as the default network is built",
        f"```{{math}}\n{equations}\n```",
        "## Parameters",
        _parameters(module),
        "## Source",
        f"{{download}}`models/{name}.py <../../../models/{name}.py>`, or `brnn show {name}` and `brnn.models.{name}`.",
        "## Claims",
        "Each is a function in the model's file that sets a value obtained without the simulator beside the "
        "simulator's. " + ("" if any(rows for _, rows in claims) else _NOT_RUN),
        *(_claim(claim, rows) for claim, rows in claims),
    ]
    return "\n\n".join(part for part in parts if part)


def claims_page(checked: list[tuple[Claim, tuple[Comparison, ...]]], *, quick: bool) -> str:
    """Return the page of all claims as Markdown: one row each."""
    comparisons = [row for _, rows in checked for row in rows]
    said = (
        _NOT_RUN
        if quick
        else f"Of the {len(comparisons)} comparisons that the {len(checked)} claims make, "
        f"{sum(row.passed for row in comparisons)} hold in this build."
    )
    lines = [
        "# All claims",
        "Every published property that the models claim, with its source, and one of its comparisons (one that fails, "
        "if any does); the page of the model has all. " + said,
        "| model | claim, source | predicted | measured | comparisons | holds |\n| --- | --- | --- | --- | --- | --- |",
    ]
    rows = [
        f"| [{claim.model}](models/{claim.model}.md) | {escaped(claim.title)} ({escaped(claim.source)}) | "
        f"{_sides(claim, found)} | {len(found) or ''} | "
        f"{'' if not found else 'yes' if all(row.passed for row in found) else '**no**'} |"
        for claim, found in checked
    ]
    return "\n\n".join(lines[:2]) + "\n\n" + lines[2] + "\n" + "\n".join(rows)


def _sides(claim: Claim, rows: tuple[Comparison, ...]) -> str:
    """Return what is predicted and what was measured, as two cells of a table, of the comparison that tells most."""
    if not rows:
        return " | "
    numbers = [row for row in rows if row.kind not in ("exact", "order")]
    row = next((row for row in rows if not row.passed), [*numbers, *rows][0])
    label, predicted, measured = (escaped(" ".join(text.split())) for text in row.cells()[:3])
    return f"{label}: {predicted} | {measured}" if row.label not in ("", claim.title) else f"{predicted} | {measured}"


def _index(names: list[str]) -> str:
    rows = []
    for name in names:
        title, _ = title_and_text(inspect.getdoc(brnn.models.load(name)) or "")
        rows.append(f"| [{name}]({name}.md) | {escaped(title)} |")
    tree = "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])
    return "# The models\n\n| model | what it is |\n| --- | --- |\n" + "\n".join(rows) + f"\n\n{tree}"


def _parameters(module: ModuleType) -> str:
    parsed = NumpyDocString(inspect.getdoc(module.build) or "")
    return "\n\n".join(
        f"`{entry.name}` ({escaped(entry.type)})\n: " + markdown("\n".join(entry.desc)).replace("\n", "\n  ")
        for entry in parsed["Parameters"]
    )


def _claim(claim: Claim, rows: tuple[Comparison, ...]) -> str:
    head = f"**{escaped(claim.title)}.** {escaped(claim.source)}"
    if not rows:
        return head
    return head + "\n\n```text\n" + brnn.claims.table(list(rows)) + "\n```"


def _picture(name: str, folder: Path) -> str:
    result = brnn.simulate(brnn.models.load(name).build(), seed=1)
    brnn.plot.save(brnn.plot.run_figure(result), folder / f"{name}.png", force=True)
    return f"{name}.png"


def _write(path: Path, text: str) -> None:
    """Write a page if it differs: Sphinx then reads again only what changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != text + "\n":
        path.write_text(text + "\n", encoding="utf-8")
