"""What is measured: each workload's model, data, loss and optimizer, for all contestants."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import functions, models

Arrays = dict[str, np.ndarray]
Loss = Callable[..., Any]


@dataclass(frozen=True)
class Workload:
    """One training step.

    Attributes
    ----------
    name, title : str
        A speaking name, and what it is.
    build : callable
        ``build(nn)`` makes the model with PyTorch's names; None: the data are what is trained.
    data : callable
        ``data(rng)`` makes the batch.
    loss : callable
        ``loss(F, model, **batch)`` for libraries with modules.
    function : callable
        ``function(lib, params, **batch)`` for libraries without.
    optimizer : str
        ``"sgd"`` or ``"adam"``; "" for forward and backward only.
    products : sequence of (rows, inner, columns, times)
        The matrix products of a step: what an ideal library spends at least.
    shared : tuple of str
        Names in the batch that have no row for each element of it: workers are given all.
    absent : frozenset of str
        Contestants that cannot run it.
    """

    name: str
    title: str
    data: Callable[[np.random.Generator], Arrays]
    loss: Loss
    function: Callable[..., Any]
    build: Callable[[Any], Any] | None = None
    optimizer: str = "sgd"
    products: tuple[tuple[int, int, int, int], ...] = ()
    shared: tuple[str, ...] = ()
    absent: frozenset[str] = field(default_factory=frozenset)


WITHOUT_CONVOLUTION = frozenset({"autograd", "mygrad", "micrograd"})
WITHOUT_SCALARS = frozenset({"micrograd"})
TRANSFORMERS = frozenset({"autograd", "mygrad", "micrograd"})


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def classified(*shape: int, classes: int = 10) -> Callable[[np.random.Generator], Arrays]:
    """Return what makes inputs of ``shape`` and a class for each."""

    def data(rng: np.random.Generator) -> Arrays:
        return {"x": normal(rng, *shape), "labels": rng.integers(0, classes, shape[0])}

    return data


def xor_points(rng: np.random.Generator, count: int = 100) -> Arrays:
    x = normal(rng, count, 2)
    return {"x": x, "signs": np.sign(x[:, :1] * x[:, 1:]).astype(np.float32)}


def regressed(*shape: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {"x": normal(rng, *shape), "target": normal(rng, *shape)}


def text(batch: int = 12, length: int = 64, vocabulary: int = 65) -> Any:
    def data(rng: np.random.Generator) -> Arrays:
        characters = rng.integers(0, vocabulary, (batch, length + 1))
        mask = np.triu(np.full((length, length), -np.inf, np.float32), 1)
        return {
            "x": characters[:, :-1].copy(),
            "positions": np.arange(length),
            "mask": mask,
            "labels": characters[:, 1:].copy(),
        }

    return data


def hinge(F: Any, model: Any, x: Any, signs: Any) -> Any:
    return F.relu(1 - signs * model(x)).mean()


def classify(F: Any, model: Any, x: Any, labels: Any) -> Any:
    return F.cross_entropy(model(x), labels)


def regress(F: Any, model: Any, x: Any, target: Any) -> Any:
    return F.mse_loss(model(x), target)


def next_character(F: Any, model: Any, x: Any, positions: Any, mask: Any, labels: Any) -> Any:
    return F.cross_entropy(model(x, positions, mask), labels.reshape(-1))


def elementwise(F: Any, model: Any, x: Any) -> Any:
    return (F.sigmoid(1.5 * x + 0.3) * F.tanh(x) + F.gelu(x, approximate="tanh")).sum()


def chain(F: Any, model: Any, x: Any, constant: Any) -> Any:
    y = x
    for _ in range(100_000):
        y = y + constant
    return y.sum()


def classifier(model: Callable[..., Any]) -> Callable[..., Any]:
    """Return the cross-entropy of a model as a function of its weights."""

    def loss(lib: Any, p: Any, x: Any, chosen: Any, **more: Any) -> Any:
        return functions.cross_entropy(lib, model(lib, p, x, **more), chosen)

    return loss


def regressor(model: Callable[..., Any]) -> Callable[..., Any]:
    """Return the mean squared error of a model as a function of its weights."""
    return lambda lib, p, x, target: functions.mean_square(lib, model(lib, p, x) - target)


def chain_function(lib: Any, p: Any, constant: Any) -> Any:
    y = p["x"]
    for _ in range(100_000):
        y = y + constant
    return lib.sum(y)


def layers(batch: int, *sizes: int) -> tuple[tuple[int, int, int, int], ...]:
    """Return the matrix products of an MLP's step: forward, and two backward but for the first."""
    pairs = itertools.pairwise(sizes)
    return tuple((batch, a, b, 3 if i else 2) for i, (a, b) in enumerate(pairs))


def block_products(batch: int, length: int, count: int) -> tuple[tuple[int, int, int, int], ...]:
    rows, heads = batch * length, batch * 4
    return (
        (rows, 128, 384, 3 * count), (rows, 128, 128, 3 * count), (rows, 128, 512, 6 * count),
        (length, 32, length, 3 * count * heads), (length, length, 32, 3 * count * heads),
    )  # fmt: skip


WORKLOADS = {
    w.name: w
    for w in [
        Workload(
            "tiny-mlp", "MLP 2-16-16-1, 100 points, hinge loss, SGD", xor_points, hinge,
            lambda lib, p, x, signs: functions.hinge(lib, functions.mlp(lib, p, x), signs),
            lambda nn: models.mlp(nn, 2, 16, 16, 1), products=layers(100, 2, 16, 16, 1),
        ),
        Workload(
            "digits-mlp", "MLP 64-128-128-10, batch 64, cross-entropy, Adam",
            classified(64, 64), classify, classifier(functions.mlp),
            lambda nn: models.mlp(nn, 64, 128, 128, 10), "adam",
            layers(64, 64, 128, 128, 10), absent=WITHOUT_SCALARS,
        ),
        Workload(
            "mnist-mlp", "MLP 784-512-512-10, batch 128, cross-entropy, Adam",
            classified(128, 784), classify, classifier(functions.mlp),
            lambda nn: models.mlp(nn, 784, 512, 512, 10), "adam",
            layers(128, 784, 512, 512, 10), absent=WITHOUT_SCALARS,
        ),
        Workload(
            "cnn", "CNN of 28×28 images: 3×3 to 32 and 64 channels, pooling, batch 64, SGD",
            classified(64, 1, 28, 28), classify, classifier(functions.cnn), models.cnn,
            products=((64 * 784, 9, 32, 2), (64 * 784, 288, 64, 3), (64, 12544, 10, 3)),
            absent=WITHOUT_CONVOLUTION,
        ),
        Workload(
            "resnet-blocks", "Four residual blocks, 32 channels of 32×32, batch 32, SGD",
            regressed(32, 32, 32, 32), regress, regressor(functions.residual_blocks),
            models.residual_blocks, products=((32 * 1024, 288, 32, 23),),
            absent=WITHOUT_CONVOLUTION,
        ),
        Workload(
            "transformer", "Two pre-norm blocks, width 128, 4 heads, 32 × 64 elements, Adam",
            regressed(32, 64, 128), regress, regressor(functions.transformer),
            models.transformer, "adam", block_products(32, 64, 2), absent=TRANSFORMERS,
        ),
        Workload(
            "transformer-erf", "The transformer with the exact GELU, z · Φ(z)",
            regressed(32, 64, 128), regress,
            regressor(functools.partial(functions.transformer, activation=functions.exact_gelu)),
            functools.partial(models.transformer, gelu="none"), "adam",
            block_products(32, 64, 2), absent=TRANSFORMERS,
        ),
        Workload(
            "character-gpt", "Four causal blocks, vocabulary 65, 12 × 64 characters, Adam",
            text(), next_character, classifier(functions.character_model),
            models.character_model, "adam",
            (*block_products(12, 64, 4), (768, 128, 65, 3)), ("positions", "mask"), TRANSFORMERS,
        ),
        Workload(
            "elementwise", "sigmoid(1.5x + 0.3) · tanh(x) + gelu(x), 10⁶ elements",
            lambda rng: {"x": normal(rng, 1_000_000)}, elementwise,
            lambda lib, p: functions.elementwise(lib, p["x"]), optimizer="",
            absent=WITHOUT_SCALARS | {"tinygraph 2 workers"},  # nothing to update
        ),
        Workload(
            "long-chain", "100,000 additions of 4 elements, one after the other",
            lambda rng: {"x": normal(rng, 4), "constant": normal(rng, 4)}, chain,
            chain_function, optimizer="",
            absent=frozenset({"jax", "micrograd", "torch compile", "tinygraph compile",
                              "tinygraph 2 workers"}),
        ),
        Workload(
            "cnn-1d", "Three Conv1d (25 channels, k = 5, stride 2), batch 100, length 40, Adam",
            classified(100, 1, 40), classify, classifier(functions.cnn_1d), models.cnn_1d,
            "adam", absent=WITHOUT_CONVOLUTION,
            products=((100 * 20, 5, 25, 2), (100 * 10, 125, 25, 3), (100 * 5, 125, 25, 3)),
        ),
    ]
}  # fmt: skip
LEARNING_RATE = {"sgd": 0.01, "adam": 1e-3, "": 0.0}


def make_arrays(workload: Workload) -> Arrays:
    """Return the batch, and the initial weights under ``weights/…``: equal for everybody."""
    arrays = workload.data(np.random.default_rng(0))
    if workload.build is not None:
        import tinygraph as tg

        tg.manual_seed(0)
        state = workload.build(tg.nn).state_dict()
        arrays |= {f"weights/{name}": value for name, value in state.items()}
    return arrays
