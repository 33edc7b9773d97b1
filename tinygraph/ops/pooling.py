"""Where the windows of a pooling lie: PyTorch's kernel, stride, padding, dilation, ceil_mode."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from .operands import operand
from .padding import pad_op
from .window import Sizes, window_sizes

LAYOUTS = {1: "(N, C, L) or (C, L)", 2: "(N, C, H, W) or (C, H, W)"}


class Windows(NamedTuple):
    """Where the windows of a pooling lie: per axis, with the padding before and after."""

    lengths: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    after: Sizes

    def attrs(self) -> dict[str, Sizes]:
        return {"kernel_size": self.kernel, "stride": self.stride, "dilation": self.dilation}

    def pad(self, x: Any, constant: float) -> Any:
        """Surround ``x`` so that the windows lie inside."""
        if not any(self.before + self.after):
            return x
        pairs = tuple(zip(self.before, self.after, strict=True))
        widths = ((0, 0),) * (x.ndim - len(pairs)) + pairs
        return pad_op(x, pad_width=widths, constant=constant)


def check_image(who: str, x: Any, count: int) -> Any:
    """Return ``x`` as an operand; raise unless it has channels and ``count`` axes after them."""
    x = operand(who, x)
    if x.ndim not in (count + 1, count + 2):
        fix = "x[None]" if x.ndim == count else "x.reshape(…)"
        what = f"{who} wants inputs of shape {LAYOUTS[count]}"
        raise ShapeError(compose_message(what, describe(x), fix, module_path()))
    return x


def pool_sizes(
    who: str, count: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    """Return kernel, stride, padding and dilation, a number for each axis, if they make sense."""
    kernel = window_sizes(who, "kernel_size", kernel_size, count)
    strides = kernel if stride is None else window_sizes(who, "stride", stride, count)
    before = window_sizes(who, "padding", padding, count, least=0)
    dilations = window_sizes(who, "dilation", dilation, count)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    if any(p > span // 2 for p, span in zip(before, spans, strict=True)):
        raise UsageError(
            f"{who}: padding is at most half of the window, received padding={padding!r} for "
            f"kernel_size={kernel_size!r}. Fix: padding={min(spans) // 2}."
        )
    return kernel, strides, before, dilations


def lay_windows(who: str, x: Any, sizes: tuple[Sizes, ...], ceil_mode: bool) -> Windows:
    """Lay the windows over the last axes of ``x``."""
    kernel, strides, before, dilations = sizes
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    lengths = x.shape[x.ndim - len(kernel) :]
    parts = zip(lengths, before, spans, strides, strict=True)
    after = tuple(p + _surplus(n, p, span, s) * ceil_mode for n, p, span, s in parts)
    covered = zip(before, lengths, after, spans, strict=True)
    if 0 in lengths or any(p + n + q < span for p, n, q, span in covered):
        raise ShapeError(
            compose_message(
                f"{who}: a window of {tuple(spans)} does not fit into the last axes",
                describe(x) + (f" with padding {before}" if any(before) else ""),
                "a smaller kernel_size, or fewer poolings before",
                module_path(),
            )
        )
    return Windows(lengths, kernel, strides, dilations, before, after)


def _surplus(n: int, padding: int, span: int, stride: int) -> int:
    """Return what is missing for one more window; it must start left of the padding's end."""
    room = n + 2 * padding - span
    start = (room // stride + 1) * stride
    return start - room if room % stride and start < n + padding else 0
