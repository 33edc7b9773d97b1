"""The losses as modules: each holds the options of its function in nn.functional."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import as_array
from ..core.errors import UsageError, compose_message
from ..core.tensor import Tensor
from ..ops.class_loss import checked_smoothing
from ..ops.loss import REDUCTIONS, checked_limit, checked_reduction
from . import functional as F
from .module import Module
from .parameter import Buffer


class _Loss(Module):
    """A loss with a reduction; ``_options`` has the defaults of a subclass's other options."""

    _options: tuple[tuple[str, Any], ...] = ()
    _reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = checked_reduction(type(self).__name__, reduction, self._reductions)

    def extra_repr(self) -> str:
        """Show the options that differ from their defaults, and the reduction."""
        options = [(name, getattr(self, name), usual) for name, usual in self._options]
        parts = [f"{name}={value!r}" for name, value, usual in options if value != usual]
        return ", ".join([*parts, f"reduction={self.reduction!r}"])


class _WeightedLoss(_Loss):
    """A loss with weights, a buffer of the state (None without them)."""

    weight: Buffer | None

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = _as_buffer(type(self).__name__, "weight", weight)


def _as_buffer(who: str, name: str, value: Any) -> Buffer | None:
    if isinstance(value, str):
        raise UsageError(
            compose_message(
                f"{who}: {name} is an array; the reduction goes by name",
                repr(value),
                f"nn.{who}(reduction='mean')",
            )
        )
    if value is None:
        return None
    return Buffer(value if isinstance(value, Tensor) else as_array(value))


# ---- between values of one shape -----------------------------------------------------------------


class MSELoss(_Loss):
    """Mean squared error; see :func:`tinygraph.nn.functional.mse_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.MSELoss()(tg.ones(2), tg.zeros(2)))
    1.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class L1Loss(_Loss):
    """Mean absolute error; see :func:`tinygraph.nn.functional.l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.L1Loss()(tg.ones(2), tg.zeros(2)))
    1.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.l1_loss(input, target, self.reduction)


class SmoothL1Loss(_Loss):
    """Absolute error with a rounded corner; see :func:`tinygraph.nn.functional.smooth_l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    beta : float
        The width of the corner; 0 is L1Loss.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.SmoothL1Loss()(tg.ones(2), tg.zeros(2)))
    0.5
    """

    _options = (("beta", 1.0),)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        checked_limit("SmoothL1Loss", "beta", beta, zero=True)
        self.beta = float(beta)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(_Loss):
    """A square near 0, a line beyond; see :func:`tinygraph.nn.functional.huber_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float
        Where the square becomes a line.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.HuberLoss(delta=0.5)(tg.ones(2), tg.zeros(2)))
    0.375
    """

    _options = (("delta", 1.0),)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        checked_limit("HuberLoss", "delta", delta)
        self.delta = float(delta)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence; see :func:`tinygraph.nn.functional.kl_div`.

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" is the divergence as mathematics has it.
    log_target : bool
        Whether targets are log-probabilities.

    Examples
    --------
    >>> import tinygraph as tg
    >>> p = tg.tensor([[0.5, 0.5]])
    >>> float(tg.nn.KLDivLoss("batchmean")(tg.log(p), p))
    0.0
    """

    _options = (("log_target", False),)
    _reductions = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = bool(log_target)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.kl_div(input, target, self.reduction, self.log_target)


# ---- yes or no -----------------------------------------------------------------------------------


class BCELoss(_WeightedLoss):
    """Binary cross-entropy of probabilities; BCEWithLogitsLoss is more accurate.

    See :func:`tinygraph.nn.functional.binary_cross_entropy`.

    Parameters
    ----------
    weight : array-like, optional
        Multiplies the loss of each element.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> round(float(tg.nn.BCELoss()(tg.full((1,), 0.5), tg.ones(1))), 4)
    0.6931
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Binary cross-entropy from logits.

    See :func:`tinygraph.nn.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    weight : array-like, optional
        Multiplies the loss of each element.
    reduction : {"mean", "sum", "none"}
    pos_weight : array-like, optional
        Multiplies the part of the positive answers.

    Examples
    --------
    >>> import tinygraph as tg
    >>> round(float(tg.nn.BCEWithLogitsLoss()(tg.zeros(1), tg.ones(1))), 4)
    0.6931
    """

    pos_weight: Buffer | None

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, reduction)
        self.pos_weight = _as_buffer("BCEWithLogitsLoss", "pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class HingeLoss(_Loss):
    """Hinge loss of support vector machines; see :func:`tinygraph.nn.functional.hinge_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.HingeLoss()(tg.tensor([0.5]), tg.tensor([-1.0])))
    1.5
    """

    _options = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        checked_limit("HingeLoss", "margin", margin, zero=True)
        self.margin = float(margin)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.hinge_loss(input, target, self.margin, self.reduction)


# ---- over classes --------------------------------------------------------------------------------


class CrossEntropyLoss(_WeightedLoss):
    """Cross-entropy from logits; see :func:`tinygraph.nn.functional.cross_entropy`.

    Parameters
    ----------
    weight : array-like, shape (C,), optional
        A weight for each class; a buffer, as in PyTorch.
    ignore_index : int
        A label that costs nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        The share of the target that is spread evenly over the classes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> round(float(tg.nn.CrossEntropyLoss()(tg.zeros(1, 2), tg.tensor([1]))), 4)
    0.6931
    """

    _options = (("ignore_index", -100), ("label_smoothing", 0.0))

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = checked_smoothing("CrossEntropyLoss", label_smoothing)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(_WeightedLoss):
    """Negative log-likelihood; see :func:`tinygraph.nn.functional.nll_loss`.

    Parameters
    ----------
    weight : array-like, shape (C,), optional
        A weight for each class; a buffer, as in PyTorch.
    ignore_index : int
        A label that costs nothing.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.NLLLoss()(tg.tensor([[-0.5, -1.0]]), tg.tensor([1])))
    1.0
    """

    _options = (("ignore_index", -100),)

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """Hinge loss over classes; see :func:`tinygraph.nn.functional.multi_margin_loss`.

    Parameters
    ----------
    p : {1, 2}
    margin : float
    weight : array-like, shape (C,), optional
        A weight for each class; a buffer, as in PyTorch.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.MultiMarginLoss()(tg.tensor([[0.5, 1.0]]), tg.tensor([0])))
    0.75
    """

    _options = (("p", 1), ("margin", 1.0))

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction)
        if p not in (1, 2):
            raise UsageError(f"MultiMarginLoss: p is 1 or 2. Received {p!r}.")
        checked_limit("MultiMarginLoss", "margin", margin, zero=True)
        self.p = p
        self.margin = float(margin)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)
