#!/usr/bin/env bash
# xpplab 0.1.2 (XPPAUT 8.0): delay(x, 1) is read once a step, so that every fixed-step method is of first order with
# delays, Runge-Kutta of order 4 included; with CVODE the answer is wrong, and more so for the smaller step.
#
# Expected: x' = -x(t - 1) with x = 1 up to t = 0 is a line, then a parabola with x(2) = -0.5: order 4 gives it to rounding.
# Seen: Runge-Kutta is off by half a step (-dt/2), and adaptive steps and smaller tolerances change nothing of it; CVODE
# gives -1 for a step of 0.01, as if the past had stood still, whatever its tolerances. Halve the step, and look again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check xpplab==0.1.2
cat > script.py <<'END'
import xpplab

for method in ("rungekutta", "qualrk", "cvode"):
    for step in (0.05, 0.01):
        for tolerance in (1e-6, 1e-10):
            with open("late.ode", "w") as file:
                file.write(
                    "x'=-delay(x,1)\ninit x=1\nx(0)=1\n"
                    f"@ total=2,dt={step},meth={method},tol={tolerance},atol={tolerance},delay=2\ndone\n"
                )
            run = xpplab.load("late.ode").run()
            print(f"{method}, step {step}, tolerance {tolerance:g}: off by {float(run['X'][-1]) + 0.5:.4f} at {run['T'][-1]:g}")
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
rungekutta, step 0.05, tolerance 1e-06: off by -0.0250 at 2
rungekutta, step 0.05, tolerance 1e-10: off by -0.0250 at 2
rungekutta, step 0.01, tolerance 1e-06: off by -0.0050 at 2
rungekutta, step 0.01, tolerance 1e-10: off by -0.0050 at 2
qualrk, step 0.05, tolerance 1e-06: off by -0.0250 at 2
qualrk, step 0.05, tolerance 1e-10: off by -0.0250 at 2
qualrk, step 0.01, tolerance 1e-06: off by -0.0050 at 2
qualrk, step 0.01, tolerance 1e-10: off by -0.0050 at 2
cvode, step 0.05, tolerance 1e-06: off by -0.4144 at 2
cvode, step 0.05, tolerance 1e-10: off by -0.4144 at 2
cvode, step 0.01, tolerance 1e-06: off by -0.5000 at 2
cvode, step 0.01, tolerance 1e-10: off by -0.5000 at 2
END
