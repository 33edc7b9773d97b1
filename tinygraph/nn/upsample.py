"""Upsample: maps made larger, without parameters."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..ops.interpolate import check_mode, check_size
from . import functional as F
from .checks import check_operand
from .module import Module


class Upsample(Module):
    """A signal or an image at more (or fewer) places.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new lengths.
    scale_factor : float or tuple of float, optional
        In place of ``size``: new lengths are ``⌊n · scale_factor⌋``.
    mode : str
        "nearest" repeats elements; "linear" (one axis), "bilinear" and "bicubic" (two) lie
        between them; "nearest-exact" and "area" as :func:`~tinygraph.nn.functional.interpolate`
        explains.
    align_corners : bool, optional
        For the smooth modes: let first and last elements keep their places.
    recompute_scale_factor : bool, optional
        Compute places from the new lengths, not from ``scale_factor``.

    Raises
    ------
    UsageError
        If an argument has another value, or both or none of size and scale_factor are given.
    ShapeError
        If an input has other axes than the mode goes with; the message names the path.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Upsample(scale_factor=2)(tg.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        check_mode("Upsample", mode, align_corners)
        check_size("Upsample", size, scale_factor)
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        return F.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners,
            self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor}, mode={self.mode!r}"
        return f"size={self.size}, mode={self.mode!r}"
