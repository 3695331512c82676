"""Mutation testing: small errors are planted one at a time, and the tests and claims of the place must notice them.

Cosmic Ray makes the errors (``pip install -e '.[mutants]'``): another operator, another comparison, a number that is
one larger, a decorator or a `not` that is gone. Mutants are drawn with a seed from models/ (what stands before their
claims), brnn/compiler, brnn/integrate, brnn/ensemble and brnn/theory, each place in the text with the same chance. For
each, only the tests that concern its file run (`stages`), the quick ones first, until one fails. All this happens in a
copy of the repository; nothing here is changed.

What was found is kept in a file as it is found, so that a run can be stopped and go on. A survivor is either a gap in
the tests, or the same program by another text: those are listed in `.ci/equivalent_mutants.toml` with the reason.

    python .ci/mutants.py --count 300 --seed 1 --minutes 30
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("models", "brnn/compiler", "brnn/integrate", "brnn/ensemble", "brnn/theory")
EQUIVALENT = ROOT / ".ci" / "equivalent_mutants.toml"
LONGEST = 240.0  # seconds for one set of tests; what takes longer hangs, and counts as noticed
CLAIMS = "tests/claims/test_claims.py"
UNIT = "tests/unit/test_"
TESTS = {
    "brnn/compiler": [
        ["compiler", "plasticity", "equations", "layers", "topologies", "signals", "modulatory"],
        ["integrate", "ensemble", "events", "rest"],
    ],
    "brnn/integrate": [["integrate", "methods", "rosenbrock", "modulatory"], ["events", "protocol", "rest"]],
    "brnn/ensemble": [["ensemble"], ["rest", "events", "varying", "sweep"]],
    "brnn/theory": [["theory", "theory_art", "theory_rcf", "theory_store", "competition"], ["liapunov", "predict"]],
}
CLAIMS_ONLY = ("by_hand", "liapunov", "reference", "runs")  # parts of models with which no network is built
Mutant = dict[str, Any]


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
            nodes, idle = list(ast_nodes(get_ast(text))), _idle(text)
            end = (
                text[: text.find("# Claims ---")].count("\n") if place == "models" and "# Claims ---" in text else 10**9
            )
            if path.name == "__init__.py" or (place == "models" and path.stem in CLAIMS_ONLY):
                continue
            for name, operator in operators:
                positions = (at for node in nodes for at in operator.mutation_positions(node))
                for occurrence, (start, _) in enumerate(positions):
                    if start[0] > end or any(first <= start < last for first, last in idle):
                        continue
                    file = str(path.relative_to(ROOT))
                    mutant = {"file": file, "line": start[0], "operator": name, "occurrence": occurrence}
                    found.setdefault((file, *start), []).append(mutant)
    return found


def _idle(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the stretches of a file that are never run: annotations, `__all__`, what is for type checkers only."""
    idle: list[ast.AST] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            idle.append(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            idle.append(node.returns)
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            idle.append(node)  # the wording of a message, too
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in idle]  # type: ignore[attr-defined]


def mutated(mutant: Mutant) -> tuple[str, str | None]:
    """Return the text of the file and that of the mutant."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    text = (ROOT / mutant["file"]).read_text()
    return text, mutate_code(text, get_operator(mutant["operator"])(), mutant["occurrence"])


def stages(file: str) -> list[list[str]]:
    """Return the arguments of pytest for each stage of tests that concern a file."""
    path = Path(file)
    if path.parts[0] == "models":
        names = [path.stem]
        if len(path.parts) > 2:  # a part of several models
            users = (
                other for other in sorted((ROOT / "models").glob("*.py")) if f"parts.{path.stem}" in other.read_text()
            )
            names = [other.stem for other in users]
        by_hand = " or ".join(f"[{name}-equations" for name in names)
        all_of_them = " or ".join(f"[{name}-" for name in names)
        units = sorted(str(test.relative_to(ROOT)) for test in (ROOT / "tests" / "unit").glob("test_*models*.py"))
        units += [f"{UNIT}every_model.py", f"{UNIT}precursors.py"]
        chosen = " or ".join(names)
        return [[CLAIMS, "-k", by_hand], [CLAIMS, "-k", all_of_them], [*units, "-k", chosen]]
    folder = "/".join(path.parts[:2])
    found = [[f"{UNIT}{name}.py" for name in stage if (ROOT / f"{UNIT}{name}.py").exists()] for stage in TESTS[folder]]
    if folder == "brnn/theory":
        users = [
            m.stem
            for m in sorted((ROOT / "models").glob("*.py"))
            if re.search(rf"theory.*\b{path.stem}\b", m.read_text())
        ]
        found += [[CLAIMS, "-k", " or ".join(f"[{name}-" for name in users)]] if users else []
    return found


def copy_of(folder: Path) -> None:
    """Make a copy of what tests need; brnn.models is reached through a link, so that the copy's own is imported."""
    for name in ("brnn", "models", "tests", "docs", "simulations", "pyproject.toml", "README.md", "CONTRIBUTING.md"):
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    (folder / "brnn" / "models").symlink_to("../models")


def noticed(arguments: list[str], copy: Path, cache: Path) -> str:
    """Run tests in the copy; return which of them failed, "" if none did."""
    environment = {**os.environ, "BRNN_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(copy), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *arguments]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"time: {arguments[0]}"
    if done.returncode in (0, 5):  # 5: no test of that name
        return ""
    line = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - |$)", done.stdout, re.MULTILINE)
    return line[1] if line else "an error before any test"


def verdict(mutant: Mutant, copy: Path, cache: Path, clean: set[str]) -> str:
    """Return "killed by ...", "survived" or "no mutant"; `clean` are the tests that pass without a mutant."""
    text, other = mutated(mutant)
    if other is None or ast.dump(ast.parse(text)) == ast.dump(ast.parse(other)):
        return "no mutant"
    target = copy / mutant["file"]
    for arguments in stages(mutant["file"]):
        name = " ".join(arguments)
        if name not in clean and (failed := noticed(arguments, copy, cache)):
            sys.exit(f"without any mutant the tests fail already: {failed} of {name}")
        clean.add(name)
        target.write_text(other)
        try:
            if by := noticed(arguments, copy, cache):
                return f"killed by {by}"
        finally:
            target.write_text(text)
    return "survived"


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
    parser.add_argument("--only", default="", help="draw from files whose path begins so")
    parser.add_argument("--again", action="store_true", help="try survivors of the draw once more")
    parser.add_argument("--work", type=Path, default=ROOT / ".venvs" / "mutants", help="copy, cache and record")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    stop = time.monotonic() + 60.0 * options.minutes
    places = {at: found for at, found in candidates().items() if at[0].startswith(options.only)}
    rng = random.Random(seed)
    drawn = [rng.choice(places[at]) for at in rng.sample(sorted(places), min(options.count, len(places)))]
    print(f"seed {seed}: {len(drawn)} mutants of {len(places)} places in {len({at[0] for at in places})} files")
    options.work.mkdir(parents=True, exist_ok=True)
    record = options.work / f"{options.only.replace('/', '-')}{seed}-{options.count}.json"
    known: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    copy, clean = options.work / "copy", set(known.pop("clean", []))
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    copy_of(copy)
    for number, mutant in enumerate(drawn):
        before, after = difference(mutant)
        key = f"{mutant['file']}:{mutant['line']}: {mutant['operator']} {mutant['occurrence']}"
        if key in known and not (options.again and known[key]["verdict"] == "survived"):
            continue
        if time.monotonic() > stop:
            break
        known[key] = {
            **mutant,
            "before": before,
            "after": after,
            "verdict": verdict(mutant, copy, options.work / "cache", clean),
        }
        record.write_text(json.dumps({**known, "clean": sorted(clean)}, indent=1))
        print(f"{number + 1}/{len(drawn)} {known[key]['verdict']}: {key}: {before} -> {after}", flush=True)
    shutil.rmtree(copy, ignore_errors=True)
    return _summary(known, len(drawn))


def _summary(known: dict[str, Any], drawn: int) -> int:
    listed = tomllib.loads(EQUIVALENT.read_text())["mutant"] if EQUIVALENT.exists() else []
    reasons = {f"{row['file']}: {row['before']} -> {row['after']}": row["why"] for row in listed}
    killed = [key for key, row in known.items() if row["verdict"].startswith("killed")]
    survived = [key for key, row in known.items() if row["verdict"] == "survived"]
    changes = {key: f"{known[key]['file']}: {known[key]['before']} -> {known[key]['after']}" for key in survived}
    equivalent = [key for key in survived if changes[key] in reasons]
    for key in survived:
        why = reasons.get(changes[key])
        print(f"survived: {key}: {changes[key]}" + (f"\n    the same program: {why}" if why else ""))
    tried, same = len(killed) + len(survived), len(equivalent)
    share = 100.0 * len(killed) / max(1, tried - same)
    print(f"{tried} of {drawn} tried: {len(killed)} killed, {len(survived)} survived, {same} of them the same program")
    print(f"killed of those that are other programs: {share:.1f} %")
    return int(share < 95.0)


if __name__ == "__main__":
    sys.exit(main())
