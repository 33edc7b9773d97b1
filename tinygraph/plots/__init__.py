"""tg.plots: curves, boundaries, weights and gradients, on matplotlib.

Every function draws into the axes it is given, or into a figure of its own, and returns the
axes. A figure of its own opens no window and changes nothing of ``matplotlib.pyplot``:
``plots.save(ax, "loss.png")`` writes it, and in a notebook ``ax.figure`` shows it.
Colours are those of the pictures of graphs; every difference of colour is also one of line,
mark, place or word. ``tidy``, ``legend`` and ``series`` give plots of one's own the same look.
"""

from .attention import attention
from .canvas import legend, panels, save, series, tidy
from .curves import loss_curves
from .filters import filters
from .flow import gradient_flow
from .functions import activation_curves
from .images import images
from .plane import decision_boundary
from .ranges import activation_ranges
from .weights import weights

__all__ = [
    "activation_curves", "activation_ranges", "attention", "decision_boundary", "filters",
    "gradient_flow", "images", "legend", "loss_curves", "panels", "save", "series", "tidy",
    "weights",
]  # fmt: skip
