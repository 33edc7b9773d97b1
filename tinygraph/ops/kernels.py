"""Which kernel computes a convolution: chosen here, and here only. What is chosen can be printed.

========= ==================================================================================
kernel    for
========= ==================================================================================
winograd  float32 kernels of 3×3 with stride 1, of enough channels: a quarter of the products
depthwise as many groups as channels before and after: products element by element
slabs     along one axis, few channels, not too few elements: a product for each position
im2col    everything else: patches and a product of matrices, in blocks that stay in the cache
plain     the reference, in three lines of NumPy: when asked for, and dtypes without fast products
========= ==================================================================================

The results agree to rounding: float64 to 1e-12, float32 to 1e-5 (Winograd's transforms cost
about a digit). The choice depends on shapes and dtype only, so equal calls give equal bits.

Sums and ops on rows choose by shape, dtype and order in memory where they are computed, and
:func:`watch` lists that, too:

============ ===============================================================================
at once      sums of up to 128 numbers, and in float64: NumPy's own
each row     short rows that lie in memory: products with ones
all rows     rows of a matrix: products with ones, 128 at a time
in pieces    all numbers of an array; softmax and layer norm of rows that lie in memory
axis by axis all other long float32 sums, in blocks
plain        softmax and layer norm along other axes
============ ===============================================================================
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..core import choices
from ..core.dtypes import FLOAT32, FLOAT64
from ..core.errors import UsageError
from .sliding import REMEMBERED, Sliding
from .window import Sizes

AUTO = "auto"
PLAIN, IM2COL, WINOGRAD, DEPTHWISE, SLABS = "plain", "im2col", "winograd", "depthwise", "slabs"
KERNELS = (PLAIN, IM2COL, WINOGRAD, DEPTHWISE, SLABS)

CHANNELS, ROW = 4, 64
"""With fewer channels, or fewer numbers in a pixel of the batch, Winograd's products of matrices
are too thin."""
BATCH, WIDE = 32, 32
"""Of a smaller batch the products of slabs are too thin; of more channels, those of patches are
fast enough."""
SAVED = 0.6
"""Winograd is chosen if it needs at most this part of the products, tiles over the edge counted."""

_wanted: ContextVar[str] = ContextVar("kernel", default=AUTO)


@dataclass(frozen=True)
class Job:
    """One convolution, or one of its gradients: what a kernel is chosen for.

    Attributes
    ----------
    op : {"conv", "conv_transpose", "conv_weight"}
    size : tuple of int
        The last axes of the convolution's input.
    positions : tuple of int
        The last axes of its output.
    batch : int
    weight : tuple of int
        Shape of the weight, (C', C/groups, k, …).
    window : Sliding
    dtype : dtype
    """

    op: str
    size: Sizes
    positions: Sizes
    batch: int
    weight: Sizes
    window: Sliding
    dtype: Any

    @staticmethod
    @functools.lru_cache(REMEMBERED)
    def of(op: str, shape: Sizes, size: Sizes, weight: Sizes, window: Sliding, dtype: Any) -> Job:
        """Return the job for an operand of ``shape`` and a convolution over ``size``."""
        places = window.positions(size, weight[2:])
        return Job(op, size, places, shape[0], weight, window, dtype)

    @functools.cached_property
    def automatic(self) -> str:
        """The kernel that is chosen if nobody asks for one."""
        if self.dtype != FLOAT32 and self.dtype != FLOAT64:
            return PLAIN
        if self.winograd_fits() and self.winograd_pays():
            return WINOGRAD
        if self.slabs_fit() and self.slabs_pay():
            return SLABS
        return DEPTHWISE if self.is_depthwise() else IM2COL

    def slabs_fit(self) -> bool:
        """Tell whether what a kernel sees is one piece of memory: one axis, no gaps, no groups."""
        w = self.window
        one_axis = len(self.size) == 1 and w.dilation == (1,) and w.groups == 1
        return one_axis and min(self.batch, *self.weight, *self.size, *self.positions) > 0

    def is_depthwise(self) -> bool:
        """Tell whether each channel has a kernel of its own."""
        outputs, inner = self.weight[:2]
        return inner == 1 and outputs == self.window.groups > 1

    def winograd_fits(self) -> bool:
        """Tell whether Winograd's algorithm can compute it: 3 × 3, stride 1, float32."""
        w = self.window
        return (
            self.weight[2:] == (3, 3)
            and w.stride == w.dilation == (1, 1)
            and w.groups == 1
            and self.dtype == FLOAT32
            and min(self.batch, *self.weight, *self.size, *self.positions) > 0
        )

    def winograd_pays(self) -> bool:
        """Tell whether its products are fewer and wide enough."""
        result = self.size if self.op == "conv_transpose" else self.positions
        tiles = math.prod(-(-n // 4) for n in result)
        channels = self.weight[:2]
        return (
            36 * tiles <= SAVED * 9 * math.prod(result)
            and min(channels) >= max(CHANNELS, ROW / self.batch)
            and max(channels) <= tiles * self.batch  # else its kernels are the larger part
        )

    def slabs_pay(self) -> bool:
        """Tell whether copies of patches would cost more than thinner products do."""
        outputs, inner, length = self.weight
        thin = length == 1 or (self.op == "conv_transpose" and self.window.stride == (1,))
        return self.batch >= BATCH and max(outputs, inner) <= WIDE and not thin

    def __str__(self) -> str:
        def cross(sizes: Sizes) -> str:
            return "×".join(map(str, sizes))

        outputs, inner = self.weight[:2]
        w = self.window
        text = (
            f"{self.op}: {self.batch} × {inner * w.groups} → {outputs} channels, "
            f"{cross(self.size)} → {cross(self.positions)}, kernel {cross(self.weight[2:])}"
        )
        for name, value in (("stride", w.stride), ("dilation", w.dilation)):
            text += f", {name} {cross(value)}" if set(value) != {1} else ""
        text += f", {w.groups} groups" if w.groups > 1 else ""
        return f"{text}, {self.dtype}"


def choose(job: Job) -> str:
    """Return the name of the kernel for a job."""
    wanted = _wanted.get()
    name = job.automatic
    if wanted == PLAIN or name == PLAIN:
        name = PLAIN
    elif wanted != AUTO:
        fits = {
            WINOGRAD: job.winograd_fits, DEPTHWISE: job.is_depthwise, SLABS: job.slabs_fit,
        }  # fmt: skip
        name = wanted if wanted in fits and fits[wanted]() else IM2COL
    entries = choices.log.get()
    if entries is not None:
        entries.append((job, name))
    return name


@dataclass
class Log:
    """The jobs that ran inside :func:`watch`, and their kernels; it prints as a table.

    Attributes
    ----------
    entries : list of (Job or RowJob, str)
        RowJob is that of sums and of ops on rows.
    """

    entries: choices.Entries = field(default_factory=list)

    def __repr__(self) -> str:
        counts: dict[tuple[str, str], int] = {}
        for job, name in self.entries:
            counts[name, str(job)] = counts.get((name, str(job)), 0) + 1
        width = max((len(name) for name, _ in counts), default=0) + 2
        lines = [
            f"{name:<{width}}{text}" + (f"  ({n} times)" if n > 1 else "")
            for (name, text), n in counts.items()
        ]
        return "\n".join(lines) or "nothing ran that has several kernels"


@contextmanager
def use(kernel: str) -> Iterator[None]:
    """Force a kernel where it can be used, in this thread or task.

    Parameters
    ----------
    kernel : {"auto", "plain", "im2col", "winograd", "depthwise", "slabs"}
        "winograd" falls back to "im2col" where the kernel is not 3 × 3 with stride 1 in
        float32, "depthwise" where there are not as many groups as channels, "slabs" where there
        are two axes, groups or dilation; "auto" chooses again.

    Raises
    ------
    UsageError
        If there is no such kernel.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, w = tg.ones(1, 1, 4, 4), tg.ones(1, 1, 3, 3)
    >>> with tg.kernels.use("plain"):
    ...     tg.nn.functional.conv2d(x, w)
    tensor([[[[9., 9.],
              [9., 9.]]]])
    """
    if kernel not in (AUTO, *KERNELS):
        names = ", ".join(map(repr, (AUTO, *KERNELS)))
        raise UsageError(f"kernels.use takes {names}, received {kernel!r}.")
    token = _wanted.set(kernel)
    try:
        yield
    finally:
        _wanted.reset(token)


@contextmanager
def watch() -> Iterator[Log]:
    """Write down which kernel computes each convolution and sum, softmax and layer norm.

    That is in this thread or task. A replay of a compiled function writes down its convolutions
    only: how it adds up was chosen when it was recorded.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> model = nn.Conv2d(1, 8, 3, padding=1) >> nn.ReLU() >> nn.Conv2d(8, 16, 3, padding=1)
    >>> with tg.kernels.watch() as log:
    ...     y = model(tg.ones(16, 1, 28, 28))
    >>> print(log)
    im2col    conv: 16 × 1 → 8 channels, 28×28 → 28×28, kernel 3×3, float32
    winograd  conv: 16 × 8 → 16 channels, 28×28 → 28×28, kernel 3×3, float32
    """
    log = Log()
    token = choices.log.set(log.entries)
    try:
        yield log
    finally:
        choices.log.reset(token)
