#!/usr/bin/env bash
# xpplab 0.1.2 (XPPAUT 8.0 with AUTO): of a field of equal cells AUTO lists no branch point where an even number of
# eigenvalues passes 0, however short its steps, though its own stability changes there.
#
# Expected: wherever the stability of a branch changes, a labelled point says why.
# Seen: x_k' = -x_k + 3 f(x_k) - x_k sum f, f = w^2/(h^2 + w^2), n cells: the branch of equal cells loses its stability
# at h = 3/(2 + n), where n - 1 eigenvalues pass 0. Listed for n = 2 (one eigenvalue), never for n = 3 and n = 5 (two,
# four): the determinant that AUTO watches keeps its sign. Follow groups of equal cells, or watch eigenvalues.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check xpplab==0.1.2
cat > script.py <<'END'
import itertools

import xpplab


def field(n):
    cells = range(1, n + 1)
    level = (3 + (9 - 4 * (1 + n) * 0.01) ** 0.5) / (2 * (1 + n))
    lines = ["par h=0.1"]
    lines += [f"s{k}=x{k}^2/(h^2+x{k}^2)" for k in cells]
    lines += ["total=" + "+".join(f"s{k}" for k in cells)]
    lines += [f"x{k}'=-x{k}+3*s{k}-x{k}*total" for k in cells]
    lines += [f"init x{k}={level!r}" for k in cells]
    return "\n".join([*lines, "done", ""])


for n in (2, 3, 5):
    with open("field.ode", "w") as file:
        file.write(field(n))
    for longest in (0.01, 0.002):
        points = xpplab.load("field.ode").auto.equilibria(
            "h", ds=0.001, dsmax=longest, dsmin=1e-7, nmax=4000, parmin=0.1, parmax=2.0
        )
        first = [point for point in points if point.branch == 1 and point.value > 0.2]
        changes = any(
            one.stable != two.stable and one.value - 0.001 <= 3 / (2 + n) <= two.value + 0.001
            for one, two in itertools.pairwise(first)
        )
        listed = any(point.type == "BP" for point in points.special())
        print(f"{n} cells, steps up to {longest}: stability changes at 3/(2 + n): {changes}, a branch point: {listed}")
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
2 cells, steps up to 0.01: stability changes at 3/(2 + n): True, a branch point: True
2 cells, steps up to 0.002: stability changes at 3/(2 + n): True, a branch point: True
3 cells, steps up to 0.01: stability changes at 3/(2 + n): True, a branch point: False
3 cells, steps up to 0.002: stability changes at 3/(2 + n): True, a branch point: False
5 cells, steps up to 0.01: stability changes at 3/(2 + n): True, a branch point: False
5 cells, steps up to 0.002: stability changes at 3/(2 + n): True, a branch point: False
END
