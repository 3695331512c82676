"""What mathematics predicts, without simulating.

Every function takes plain numbers, arrays and signals (`brnn.signals`, or anything with the same four methods;
`predict` and `liapunov` take a whole network) and uses NumPy and SciPy only, nothing of the simulator, so that its
results can be set beside what the simulator gives.

- `predict`: which of the following fits a network, and what it says of it: ``predict(network)``.
- `feedforward`: equations (13)-(19): equilibria, exact responses, normalization, shift property, Weber law,
  adaptation level, the single shunting cell.
- `membrane`: equation (20), and the change of variable to (8) and back.
- `additive`: equations (6), (7) with linear signals: equilibrium and response by the matrix exponential.
- `fields`: distance-dependent shunting networks with any kernels: equilibrium, exact response, uniform fields.
- `rcf`: equations (21)-(25) and the theorems of 1973: closed forms for each kind of signal, and all public names
  of the next three.
- `storing`: which theorem applies to a given initial state, and the final state where it is determined.
- `regime`: the same for cells that differ and inputs that stay on; how fast a state is approached.
- `survivors`: which states can be held, and their stability: levels, Jacobian, eigenvalues, most survivors.
- `every_equilibrium`: all equilibria of a field, provably, for some signals.
- `liapunov`: Liapunov functions (33), (34) of every network of the form of Cohen and Grossberg (32), and of BAM with
  adaptive weights (37)-(39): ``liapunov(network)``.
- `competition`: competitive systems (26)-(28): jump sets, the voting paradox of May and Leonard, competitive markets.
- `lateral_inhibition`: the responses (4) of Hartline and Ratliff's cells.
- `habituation`: gates (10), gated dipoles, depressing synapses; `slow_inhibition`, `pacemaker`: what is known of these
  oscillators.
- `store`: STORE working memory (40)-(42): what a list of items leaves behind, spans, and noisy read-out.
- `masking_field`: strengths of a masking field, its choice states, why it is of the form (32).
- `vite`: movements of VITE at a constant and at a growing GO signal: their course, times, speed, overshoot.
- `spectral_timing`: the spectrum of gated signals, the timed response that is learned, and its width.
- `avalanche`: when the cells of its chain fire, what it learns and replays; `serial`: what a list leaves behind in a
  network that learns all associations, and its bow.
- `art`: ART 1 with fast learning and fuzzy ART as algorithms: categories, templates and resets of a list of patterns,
  and after how many presentations of the list learning ends; `art2`: ART 2 in the limit of fast cells.
- `artmap`: what trained ARTMAP networks answer, for many patterns at once, and closed forms of what they learn.
- `contours`: oriented contours of a picture, their thresholds before and after adaptation, and surfaces filled in.
- `optic_flow`: movies with a known heading, and the filters and templates that read it.
- `quenching`: quenching threshold, arousal, and thresholds measured by bisection where there is no closed form.

Numbers of equations are those of the review, Grossberg, "Recurrent neural networks", Scholarpedia 8(2):1888 (2013).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
