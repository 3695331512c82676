"""What figures show: panels as data, the right ones for each kind of network, and the figures of the models' own.

    description = brnn.figures.describe(result)

Nothing here draws: `brnn.plot.draw_figure(description)` does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
