#!/usr/bin/env bash
# SciPy 1.17.1: with all-or-none signals RK45 is wrong by up to 100,000 times its tolerance, RK23 by 500 times at most.
#
# Three cells of Rosenblatt's that inhibit each other in a ring: dw/dt = -w + 1 - phi(w of the one before), phi = 1 from
# 0.5 on, else 0. Between two switches each w relaxes exponentially, so the course is known exactly.
# Expected: where phi switches inside of a step, the step is rejected until what is wrong is of the size of rtol; the
# method of higher order, asked for as much, is not worse than the other one.
# Seen, over 40 values of rtol from 5e-7 to 2e-6 and t up to 20: RK45 has errors above 1e-3 in most runs, and above 0.1
# in one; RK23 stays below 1e-3. Where a jump lies between the second and the third stage of a step of Dormand and
# Prince, what its error estimate sees of it is h/811 (the weights of the last five stages sum to -71/57600), while the
# step is off by up to h/5; and a remainder of the smooth part can cancel that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
cat > script.py <<'END'
import numpy as np
from scipy.integrate import solve_ivp

START, END = 1.0 - 0.9 * (np.arange(3) + 0.5) / 3, 20.0


def slope(t, w):
    return 1.0 - np.roll(w >= 0.5, 1) - w


def exact(times):
    """Relax from switch to switch."""
    now, w, on, rows = 0.0, START, START >= 0.5, []
    for time in times:
        while True:
            goal = 1.0 - np.roll(on, 1)
            turning = (goal >= 0.5) != on
            after = np.where(turning, np.log((w - goal) / (0.5 - goal), where=turning, out=np.full(3, np.inf)), np.inf)
            first = int(np.argmin(after))
            if now + after[first] > time:
                break
            now, w = now + after[first], goal + (w - goal) * np.exp(-after[first])
            on = on ^ (np.arange(3) == first)
        rows.append(goal + (w - goal) * np.exp(now - time))
    return np.array(rows).T


times = np.linspace(0.0, END, 401)
right = exact(times)
for method in ("RK45", "RK23"):
    errors = []
    for rtol in 1e-6 * np.linspace(0.5, 2.0, 40):
        found = solve_ivp(slope, (0.0, END), START, method=method, rtol=rtol, atol=1e-9, t_eval=times)
        errors.append(np.abs(found.y - right).max())
    errors = np.array(errors)
    print(method, "- above 1e-3 in most runs:", (errors > 1e-3).sum() > 20, "- above 0.1 in some:", (errors > 0.1).any(),
          "- all below 1e-3:", (errors < 1e-3).all())
END
env/bin/python script.py > seen
cat seen
diff seen - <<'END'
RK45 - above 1e-3 in most runs: True - above 0.1 in some: True - all below 1e-3: False
RK23 - above 1e-3 in most runs: False - above 0.1 in some: False - all below 1e-3: True
END
