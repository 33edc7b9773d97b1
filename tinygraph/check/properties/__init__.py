"""What is often said about the modules of neural networks, and whether it is true, measured.

``python -m tinygraph.check.properties`` prints all of it, :func:`report` some of it.
"""

from . import (  # noqa: I001  (the order in which they are told)
    linear,
    composition,
    activations,
    residual,
    layer_norm,
    batch_norm,
    convolution,
    convolution_sizes,
    attention,
    training,
)
from .claim import CLAIMS, VERDICTS, Claim, Fact
from .page import page
from .report import Report, Result, report

__all__ = ["CLAIMS", "VERDICTS", "Claim", "Fact", "Report", "Result", "page", "report"]
