"""Running a model without training it: its loss and metrics on data, and its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np

from ..core.calls import checked_call, checked_call_like
from ..core.errors import UsageError, compose_message, describe, describe_all
from ..core.evaluation import evaluation, floating_dtype
from ..core.modes import no_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..data import DataLoader, Dataset, TensorDataset
from ..nn import Module
from .data import Batch, arrays_of, as_loader, as_tensors, batches, plain
from .losses import LossFunction, as_loss, checked_loss, prediction_of, weight_of
from .metrics import Metric
from .named import as_metrics
from .step import Outcome
from .totals import Totals

EVALUATION_BATCH = 256


@checked_call_like('tg.evaluate(model, (x, y), ["accuracy"])')
def evaluate(
    model: Module, data: Any, metrics: Any = (), *, loss: Any = None,
    batch_size: int | None = None,
) -> dict[str, float]:  # fmt: skip
    """Return the loss and the metrics of a model on data, as means over all samples.

    The model runs in evaluation mode, without recording; its modes are restored.

    Parameters
    ----------
    model : Module
    data : DataLoader, Dataset or tuple of arrays
        The last part of a batch is the target.
    metrics : list of names, metrics and functions
        ``"accuracy"``, ``"top_5"``, ``"mae"``, ``"mse"``, ``"r2"``, ``"perplexity"``,
        ``"bits_per_character"``; objects such as ``tg.train.Accuracy(threshold=0.5)``; or
        functions of prediction and target (arrays) that return a mean over them.
    loss : name, module or function, optional
        As for :func:`fit`.
    batch_size : int, optional
        256 by default; a DataLoader has its own.

    Returns
    -------
    dict of str to float
        ``"loss"`` if one is given, and the metrics by name.

    Raises
    ------
    UsageError
        For unknown names, and data of another kind.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> tg.evaluate(tg.nn.Identity(), (x, np.array([0, 1, 0])), ["accuracy", "top_2"])
    {'accuracy': 0.6666666666666666, 'top_2': 1.0}
    """
    check_model("evaluate", model)
    function = None if loss is None else as_loss(loss)
    found = as_metrics(metrics, function)
    if function is None and not found:
        raise UsageError('evaluate: nothing is asked for. Fix: metrics=["accuracy"], or loss=….')
    size = EVALUATION_BATCH if batch_size is None and not _is_loader(data) else batch_size
    loader = as_loader("evaluate: data", data, size)
    with evaluating(model):
        totals = total_of(model, function, loader, found)
    row = totals.row()
    return row if function is not None else {n: v for n, v in row.items() if n != "loss"}


@checked_call
def predict(model: Module, data: Any, batch_size: int | None = None) -> Any:
    """Return the outputs of a model for all samples, in their order, as arrays.

    The model runs in evaluation mode, without recording; its modes are restored.

    Parameters
    ----------
    model : Module
    data : array, Tensor, tuple of arrays, DataLoader or Dataset
        An array is the input, a tuple has several inputs. Of loaders and datasets, whose
        batches end with the target, the target is left out.
    batch_size : int, optional
        256 by default; a DataLoader has its own.

    Returns
    -------
    ndarray, or tuple of them if the model returns a tuple

    Raises
    ------
    UsageError
        For a DataLoader that shuffles or leaves samples out, and for data of another kind.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> tg.predict(tg.nn.ReLU(), np.array([[-1.0], [2.0]]))
    array([[0.],
           [2.]], dtype=float32)
    """
    check_model("predict", model)
    loader, with_target = _inputs(data, batch_size)
    dtype = floating_dtype(model)
    outputs: list[Any] = []
    with evaluating(model):
        for part in arrays_of(loader, dtype) if len(loader.dataset) else [_no_rows(loader)]:
            parts = tuple(part) if isinstance(part, tuple | list) else (part,)
            inputs = as_tensors(parts[:-1] if with_target and len(parts) > 1 else parts, dtype)
            if not outputs:
                _check_inputs(model, inputs)
            outputs.append(plain(model(*inputs)))
    return _joined(outputs)


def _is_loader(data: Any) -> bool:
    return isinstance(data, DataLoader)


def _inputs(data: Any, batch_size: int | None) -> tuple[DataLoader, bool]:
    """Return a loader in order, and whether its batches end with a target."""
    if isinstance(data, DataLoader):
        if data.shuffle or data.drop_last:
            raise UsageError(
                "predict: outputs come in the order of the samples, one for each. "
                f"Received {data!r}. Fix: shuffle=False, drop_last=False."
            )
        if batch_size is not None:
            raise UsageError("predict: a DataLoader has its own batch_size. Fix: leave it out.")
        return data, True
    arrays = isinstance(data, Tensor | np.ndarray | tuple)
    if not arrays and (isinstance(data, dict | str) or not isinstance(data, Dataset)):
        raise UsageError(
            compose_message(
                "predict takes an array, a tuple of inputs, a DataLoader or a Dataset",
                describe(data),
            )
        )
    dataset = TensorDataset(*(data if isinstance(data, tuple) else (data,))) if arrays else data
    return DataLoader(dataset, EVALUATION_BATCH if batch_size is None else batch_size), not arrays


def _check_inputs(model: Module, inputs: tuple[Any, ...]) -> None:
    """Raise if the model takes another number of inputs: (x, y) was given, most often."""
    try:
        signature(model.forward).bind(*inputs)
    except TypeError:
        raise UsageError(
            compose_message(
                f"predict: {type(model).__name__} cannot be called with the inputs given",
                f"{len(inputs)} of them, {describe_all(inputs)}",
                "tg.predict(model, x), without the target",
            )
        ) from None


def _no_rows(loader: DataLoader) -> Any:
    """Return the batch of a dataset without samples, to learn the shape of the output."""
    if isinstance(loader.dataset, TensorDataset):
        return loader.dataset.batch(np.arange(0))
    raise UsageError("predict: the dataset has no samples.")


def _joined(outputs: list[Any]) -> Any:
    first = outputs[0]
    if isinstance(first, tuple):
        return tuple(_joined([o[i] for o in outputs]) for i in range(len(first)))
    if not isinstance(first, np.ndarray):
        raise UsageError(
            compose_message(
                "predict: the model returns a tensor or a tuple of tensors", describe(first)
            )
        )
    joined: Array = np.concatenate(outputs)
    return joined


# ---- also used by fit ----------------------------------------------------------------------------


def check_model(who: str, model: Any) -> None:
    """Raise unless this is a module (an object, not a class)."""
    if not isinstance(model, Module):
        fix = "nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 1), or nn.Lambda(f) for a function"
        if isinstance(model, type) and issubclass(model, Module):
            fix = f"{model.__name__}(…), an object and not the class"
        raise UsageError(compose_message(f"{who}: model is a Module", describe(model), fix))


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Set evaluation mode and record nothing; afterwards every module has its mode again."""
    with evaluation(model), no_grad():
        yield


def total_of(
    model: Module, loss: LossFunction | None, loader: DataLoader, metrics: Sequence[Metric]
) -> Totals:
    """Run the model over all batches and gather loss and metrics."""
    totals = Totals(metrics)
    for batch in batches("the data", loader, floating_dtype(model)):
        totals.add(outcome_of(model, loss, batch))
    return totals


def outcome_of(model: Module, loss: LossFunction | None, batch: Batch) -> Outcome:
    """Run the model on a batch, without a backward pass."""
    prediction = prediction_of(model, batch.inputs)
    value = weight = 0.0
    if loss is not None:
        tensor, given = checked_loss(loss(prediction, batch.target))
        value = float(tensor.item())
        weight = weight_of(loss, given, batch.target, batch.rows)
    return Outcome(value, weight, plain(prediction), plain(batch.target))
