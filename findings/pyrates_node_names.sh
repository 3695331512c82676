#!/usr/bin/env bash
# PyRates 1.2.3: of two circuits of one process, the second has other names of nodes than its file gives.
#
# Expected: two files, each with a circuit whose node is called p: the variable of each is p/OPERATOR/x, as for outputs.
# Seen: that of the second is p_num1/OPERATOR/x, although the circuits share no template, and the first keeps its name;
# its rates are right. After clear_frontend_caches() it is p again. A script that compares networks by name, as one does
# with files of `brnn export --pyrates`, has to clear these caches before each file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyrates==1.2.3 numpy==2.4.6 sympy==1.14.0
cat > script.py <<'END'
import pathlib

from pyrates import CircuitTemplate, clear_frontend_caches

TEMPLATES = """%YAML 1.2
---
{name}_operator:
  base: OperatorTemplate
  equations:
    - "x' = -{rate}*x"
  variables:
    x: output(1.0)
{name}_node:
  base: NodeTemplate
  operators:
    - {name}_operator
{name}:
  base: CircuitTemplate
  nodes:
    p: {name}_node
"""


def names(name, rate):
    folder = pathlib.Path(name).absolute()
    folder.mkdir()
    (folder / "net.yaml").write_text(TEMPLATES.format(name=name, rate=rate))
    circuit = CircuitTemplate.from_yaml(f"{folder}/net/{name}")
    function, arguments, _, places = circuit.get_run_func(
        f"rates_{name}", 1e-3, vectorize=False, verbose=False, clear=False, in_place=False, file_name=f"rates_{name}"
    )
    print(name, [key for key in places if key.endswith("/x")], "dx/dt =", float(function(0.0, *arguments[1:])[0]))


names("slow", 1.0)
names("fast", 5.0)
clear_frontend_caches()
names("last", 7.0)
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
slow ['p/slow_operator/x'] dx/dt = -1.0
fast ['p_num1/fast_operator/x'] dx/dt = -5.0
last ['p/last_operator/x'] dx/dt = -7.0
END
