"""Mutation testing: small errors are planted one at a time, and the tests and claims of the place must notice them.

Cosmic Ray makes the errors (``pip install -e '.[mutants]'``): another operator, another comparison, a number that is
one larger, a decorator or a `not` that is gone. Mutants are drawn with a seed from models/ (what stands before their
claims), brnn/compiler, brnn/integrate, brnn/ensemble and brnn/theory, each place in the text with the same chance. For
each, the tests that concern the changed line (`.ci/which_tests.py`) run in a copy of the repository, the most specific
first, until one fails; nothing here is changed.

Not drawn is what cannot change anything that a program does: annotations and code for type checkers only, docstrings,
the wording of errors and warnings, `functools.cache` (pure speed), the `strict` of `zip` (which holds wherever the
program is right), and ``is None`` written as ``== None``.

What was found is kept in a file as it is found, so that a run can be stopped and go on. A survivor is either a gap in
the tests, or the same program by another text: those are listed in `.ci/equivalent_mutants.toml` with the reason.

    python .ci/mutants.py --count 300 --seed 1 --minutes 30
"""

from __future__ import annotations

import argparse
import ast
import compileall
import importlib
import json
import os
import random
import shutil
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from which_tests import PLACES, ROOT, Mutant, Reach, chosen, noticed, reach, sources

EQUIVALENT = ROOT / ".ci" / "equivalent_mutants.toml"
LARGE = ("pytest", "hypothesis", "numba", "scipy.integrate", "scipy.optimize", "scipy.sparse", "xarray", "h5py")
# With what parts of models end with which no network is built.
CLAIMS_ONLY = ("by_hand", "liapunov", "reference", "runs")


def candidates() -> dict[tuple[str, int, int], list[Mutant]]:
    """Return the mutants of each place in the text: (file, line, column)."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    kinds = ((name, get_operator(name)) for name in operator_names() if not name.endswith("/NoOp"))
    operators = [(name, kind()) for name, kind in kinds if not kind.arguments()]
    found: dict[tuple[str, int, int], list[Mutant]] = {}
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            text = path.read_text()
            nodes, idle, same = list(ast_nodes(get_ast(text))), _idle(text), _same_by_identity(text)
            end = (
                text[: text.find("# Claims ---")].count("\n") if place == "models" and "# Claims ---" in text else 10**9
            )
            if path.name == "__init__.py" or (place == "models" and path.stem.endswith(CLAIMS_ONLY)):
                continue
            for name, operator in operators:
                positions = (at for node in nodes for at in operator.mutation_positions(node))
                for occurrence, (start, _) in enumerate(positions):
                    if start[0] > end or any(first <= start < last for first, last in idle):
                        continue
                    if name.endswith(("Is_Eq", "IsNot_NotEq")) and any(a <= start < b for a, b in same):
                        continue
                    file = str(path.relative_to(ROOT))
                    mutant = {"file": file, "line": start[0], "operator": name, "occurrence": occurrence}
                    found.setdefault((file, *start), []).append(mutant)
    return found


def _idle(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the stretches of a file that cannot change what a program does; see the module."""
    idle: list[Any] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            idle.append(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            idle.append(node.returns)
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            idle.append(node)  # the wording of a message, too
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn":
            idle.append(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
            idle += [one.value for one in node.keywords]  # strict=True holds wherever the program is right
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            idle += [one for one in node.decorator_list if ast.unparse(one).startswith("functools.cache")]
    # A decorator begins with its @, which is the column before.
    return [((n.lineno, max(n.col_offset - 1, 0)), (n.end_lineno, n.end_col_offset)) for n in idle]


def _same_by_identity(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the stretches in which something is compared with None, True or False."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
    single = (n for n in nodes if any(isinstance(c, ast.Constant) and not c.value for c in n.comparators))
    return [((n.lineno, n.col_offset), (n.end_lineno or 0, n.end_col_offset or 0)) for n in single]


def mutated(mutant: Mutant) -> tuple[str, str | None]:
    """Return the text of the file and that of the mutant."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    text = (ROOT / mutant["file"]).read_text()
    return text, mutate_code(text, get_operator(mutant["operator"])(), mutant["occurrence"])


def copy_of(folder: Path) -> None:
    """Make a copy of what tests need; brnn.models is reached through a link, so that the copy's own is imported."""
    for name in ("brnn", "models", "tests", "docs", "simulations", "pyproject.toml", "README.md", "CONTRIBUTING.md"):
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(
                source, target, ignore=shutil.ignore_patterns("__pycache__", "models" if name == "brnn" else "")
            )
        elif source.exists():
            shutil.copy(source, target)
    (folder / "brnn" / "models").symlink_to("../models")
    compileall.compile_dir(folder / "brnn", quiet=1)
    compileall.compile_dir(folder / "models", quiet=1)


def verdict(mutant: Mutant, copy: Path, cache: Path, clean: set[str], found: Reach) -> str:
    """Return "killed by ...", "survived" or "no mutant"; `clean` are the tests that pass without a mutant."""
    text, other = mutated(mutant)
    try:
        if other is None or ast.dump(ast.parse(text)) == ast.dump(ast.parse(other)):
            return "no mutant"
    except SyntaxError:  # Python itself notices it
        return "no mutant"
    target, tests = copy / mutant["file"], chosen(mutant, found)
    times = (target.stat().st_atime, target.stat().st_mtime)
    target.write_text(other)
    os.utime(target, (times[0], times[1] + 10.0))  # else Python takes what it has compiled of a text of equal length
    try:
        by = noticed(tests, copy, cache)
    finally:
        target.write_text(text)
        os.utime(target, times)
    if not by:
        return "survived"
    if "::" in by and by not in clean:
        file, _, name = by.partition("::")
        if noticed([(file, (name,), ())], copy, cache):
            sys.exit(f"without any mutant a test fails already: {by}\n{(copy / 'output.txt').read_text()[-3000:]}")
        clean.add(by)
    return f"killed by {by}"


def difference(mutant: Mutant) -> list[str]:
    """Return the lines that a mutant changes, before and after."""
    text, other = mutated(mutant)
    before, after = text.splitlines(), (other or text).splitlines()
    for old, new in zip(before, after, strict=False):
        if old != new:
            return [old.strip(), new.strip()]
    return ["", ""]


def main() -> int:
    """Draw mutants, try those that no earlier run of the same draw has tried, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="how many mutants are drawn")
    parser.add_argument("--seed", type=int, default=None, help="of the draw; a new one by default")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long; the next run goes on")
    parser.add_argument("--only", default="", help="try those whose path begins so, or so (commas between)")
    parser.add_argument("--again", action="store_true", help="try survivors of the draw once more")
    parser.add_argument("--work", type=Path, default=ROOT / ".venvs" / "mutants", help="copy, cache and record")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    stop = time.monotonic() + 60.0 * options.minutes
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    drawn = draw(seed, options.count, options.work)
    print(f"seed {seed}: {len(drawn)} mutants", flush=True)
    for name in LARGE:
        importlib.import_module(name)
    record = options.work / f"{seed}-{options.count}.json"
    known: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    copy, clean = options.work / "copy", set(known.pop("clean", []))
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    copy_of(copy)
    seen = reach(options.work, copy, options.work / "cache")
    tried = []
    for number, mutant in enumerate(drawn):
        before, after = difference(mutant)
        key = f"{mutant['file']}:{mutant['line']}: {mutant['operator']} {mutant['occurrence']}"
        done = key in known and not (options.again and known[key]["verdict"] == "survived" and key not in tried)
        if done or not mutant["file"].startswith(tuple(options.only.split(","))):
            continue
        if time.monotonic() > stop:
            break
        began = time.monotonic()
        found = verdict(mutant, copy, options.work / "cache", clean, seen)
        known[key] = {**mutant, "before": before, "after": after, "verdict": found}
        tried.append(key)
        record.write_text(json.dumps({**known, "clean": sorted(clean)}, indent=1))
        took = time.monotonic() - began
        print(f"{number + 1}/{len(drawn)} ({took:.0f} s) {found}: {key}: {before} -> {after}", flush=True)
    shutil.rmtree(copy, ignore_errors=True)
    return _summary(known, len(drawn))


def draw(seed: int, count: int, work: Path) -> list[Mutant]:
    """Return mutants in random order: each place has the same chance. To find all places takes half a minute."""
    kept = work / f"drawn-{seed}-{count}-{sources()}.json"
    if not kept.exists():
        places, rng = candidates(), random.Random(seed)
        drawn = [rng.choice(places[at]) for at in rng.sample(sorted(places), min(count, len(places)))]
        kept.write_text(json.dumps(drawn))
    found: list[Mutant] = json.loads(kept.read_text())
    return found


def _summary(known: dict[str, Any], drawn: int) -> int:
    listed = tomllib.loads(EQUIVALENT.read_text()).get("mutant", []) if EQUIVALENT.exists() else []
    reasons = {(row["file"], row["operator"], row["line"], row["becomes"]): row["reason"] for row in listed}
    killed = [row for row in known.values() if row["verdict"].startswith("killed")]
    survived = [row for row in known.values() if row["verdict"] == "survived"]
    same = 0
    for row in survived:
        # As it is listed, so that it can be copied there.
        mark = (row["file"], row["operator"], row["before"], row["after"])
        same += mark in reasons
        print("\n[[mutant]]")
        for name, value in zip(("file", "operator", "line", "becomes"), mark, strict=True):
            print(f"{name} = {json.dumps(value)}")
        print(f"reason = {json.dumps(reasons.get(mark, ''))}  # line {row['line']}")
    tried = len(killed) + len(survived)
    share = 100.0 * len(killed) / max(1, tried - same)
    print(
        f"\n{tried} of {drawn} tried: {len(killed)} killed, {len(survived)} survived, {same} of them the same program"
    )
    print(f"killed of those that are other programs: {share:.1f} %")
    return int(share < 95.0)


if __name__ == "__main__":
    sys.exit(main())
