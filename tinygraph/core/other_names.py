"""What PyTorch's users write, and what it is here: for error messages and a page of the guide.

Each pair is two expressions of the same value, and a test evaluates both: ``t``, ``u`` and ``i``
are tensors.
"""

from __future__ import annotations

import re
from typing import Any

PAIRS = (
    ("t.size(0)", "t.shape[0]"),
    ("t.dim()", "t.ndim"),
    ("t.numel()", "t.size"),
    ("t.nelement()", "t.size"),
    ("t.view(3, 2)", "t.reshape(3, 2)"),
    ("t.view_as(u)", "t.reshape(u.shape)"),
    ("t.reshape_as(u)", "t.reshape(u.shape)"),
    ("t.unsqueeze(0)", "t.expand_dims(0)"),
    ("t.t()", "t.T"),
    ("t.expand(4, 2, 3)", "t.broadcast_to((4, 2, 3))"),
    ("t.expand_as(u)", "t.broadcast_to(u.shape)"),
    ("t.repeat(2, 1)", "t.tile((2, 1))"),
    ("t.repeat_interleave(2, dim=0)", "t.repeat(2, axis=0)"),
    ("t.movedim(0, 1)", "t.moveaxis(0, 1)"),
    ("t.swapdims(0, 1)", "t.swapaxes(0, 1)"),
    ("t.contiguous()", "t"),
    ("t.sum(dim=1, keepdim=True)", "t.sum(axis=1, keepdims=True)"),
    ("t.max(dim=1).values", "t.max(axis=1)"),
    ("t.amax(dim=1)", "t.max(axis=1)"),
    ("t.amin(dim=1)", "t.min(axis=1)"),
    ("t.var()", "t.var(ddof=1)"),
    ("t.std()", "t.std(ddof=1)"),
    ("t.clamp(0, 1)", "t.clip(0, 1)"),
    ("t.mul(u)", "t * u"),
    ("t.div(u)", "t / u"),
    ("t.add(u)", "t + u"),
    ("t.sub(u)", "t - u"),
    ("t.pow(2)", "t**2"),
    ("t.neg()", "-t"),
    ("t.eq(u)", "t == u"),
    ("t.ne(u)", "t != u"),
    ("t.lt(u)", "t < u"),
    ("t.le(u)", "t <= u"),
    ("t.gt(u)", "t > u"),
    ("t.ge(u)", "t >= u"),
    ("t.mm(u.t())", "t @ u.T"),
    ("t.bmm(u)", "t @ u"),
    ("t.index_select(1, i)", "t.take(i, axis=1)"),
    ("t.nonzero()", "np.argwhere(t.numpy())"),
    ("t.unique()", "np.unique(t.numpy())"),
    ("t.tolist()", "t.numpy().tolist()"),
    ("t.double()", "t.astype(np.float64)"),
    ("t.float()", "t.astype(np.float32)"),
    ("t.half()", "t.astype(np.float16)"),
    ("t.long()", "t.astype(np.int64)"),
    ("t.int()", "t.astype(np.int32)"),
    ("t.bool()", "t.astype(bool)"),
    ("t.to(torch.float64)", "t.astype(np.float64)"),
    ("t.type(torch.float64)", "t.astype(np.float64)"),
    ("t.type_as(u)", "t.astype(u.dtype)"),
    ("t.cpu()", "t"),
    ("torch.cat([t, u], dim=0)", "tg.concatenate([t, u], axis=0)"),
    ("torch.unsqueeze(t, 0)", "tg.expand_dims(t, 0)"),
    ("torch.clamp(t, 0, 1)", "tg.clip(t, 0, 1)"),
    ("torch.mm(t, u.t())", "t @ u.T"),
    ("torch.bmm(t, u)", "t @ u"),
    ("torch.mul(t, u)", "t * u"),
    ("torch.div(t, u)", "t / u"),
    ("torch.pow(t, 2)", "t**2"),
    ("torch.is_tensor(t)", "isinstance(t, tg.Tensor)"),
    ("torch.autograd.grad((t * t).sum(), t)[0]", "tg.grad((t * t).sum(), t)"),
    ("torch.float64", "np.float64"),
    ("torch.double", "np.float64"),
    ("torch.float32", "np.float32"),
    ("torch.float", "np.float32"),
    ("torch.float16", "np.float16"),
    ("torch.half", "np.float16"),
    ("torch.int64", "np.int64"),
    ("torch.long", "np.int64"),
    ("torch.int32", "np.int32"),
    ("torch.int", "np.int32"),
    ("torch.bool", "np.bool_"),
)

NAMES = {
    "t.cuda": "everything runs on the CPU; drop the call",
    "t.device": "everything runs on the CPU",
    "t.is_cuda": "everything runs on the CPU",
    "t.grad_fn": "t.op is what made it, t.inputs are what it was made of",
    "t.register_hook": "tg.retain_grads() keeps gradients of results; modules have hooks",
    "torch.cuda": "everything runs on the CPU",
    "torch.device": "everything runs on the CPU",
    "torch.set_grad_enabled": "tg.no_grad() or tg.enable_grad()",
    "torch.inference_mode": "tg.no_grad()",
    "torch.seed": "tg.manual_seed(0)",
    "torch.utils": "tg.data has Dataset, TensorDataset, DataLoader and random_split",
}
"""What has no counterpart of the same form."""


NOT_IN_PLACE = "tensors are not changed in place; assign a new one, t = t + 1"
IN_PLACE = ("add", "sub", "mul", "div", "clip", "clamp", "copy", "fill", "zero")


def missing_attribute(owner: str, name: str, obj: Any) -> AttributeError:
    """Return the error for an attribute that a tensor or the package does not have.

    Parameters
    ----------
    owner : str
        ``"t"`` for a tensor, ``"torch"`` for the package.
    name : str
    obj : object
        What was asked; Python itself suggests its names that look alike.
    """
    what = f"{type(obj).__name__!r} object" if owner == "t" else "module 'tinygraph'"
    fix = HINTS.get(f"{owner}.{name}", "")
    fix = f". Fix: {fix}." if fix else ""
    return AttributeError(f"{what} has no attribute {name!r}{fix}", name=name, obj=obj)


class MissingMethod:
    """Stands where PyTorch's tensors have a method: whoever asks for it is told what to write.

    A ``__getattr__`` of the class would do that too, but it slows down every look at an attribute,
    of those that are there as well.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, owner: type) -> Any:
        raise missing_attribute("t", self.name, owner if tensor is None else tensor)


def missing_methods() -> dict[str, MissingMethod]:
    """Return one for each name of a method that the tables have."""
    names = [written.removeprefix("t.") for written in HINTS if written.startswith("t.")]
    return {name: MissingMethod(name) for name in names}


def _hints() -> dict[str, str]:
    hints = dict(NAMES)
    hints |= {f"t.{name}_": NOT_IN_PLACE for name in IN_PLACE}
    for theirs, ours in PAIRS:
        if found := re.match(r"\w+\.\w+", theirs):
            hints.setdefault(found[0], ours)
    return hints


HINTS = _hints()
"""What to write instead, by what was written, such as ``t.view`` or ``torch.cat``."""
