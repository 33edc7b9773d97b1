"""Claims about batch, group and instance normalization."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...core.errors import ShapeError
from ...core.grad import grad
from ...nn import functional as F
from ...ops.activation import erfc
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Batch and group normalization"
SIZES = (64, 16, 4, 2)


def batch_norm(x: Any) -> Any:
    """Return batch normalization in training, without γ and β."""
    return F.batch_norm(x, None, None, training=True)


def noise(f: Callable[[Any], Any], size: int) -> float:
    """Return how much the result for one element varies with the rest of its batch."""
    x = draw(1, 8)
    found = [raw(f(np.vstack([x, draw(size - 1, 8, seed=k)])))[0] for k in range(1, 301)]
    return float(np.std(found, axis=0).mean())


@claim(
    TOPIC,
    "Batch norm is for large batches; layer and group norm do not need them.",
    "holds",
    "The result of batch norm for one element depends on the others of its batch, the more the "
    "fewer there are; in a batch of two only the order of both values is left, ±1. Layer and "
    "group norm do not see the batch. How much the result for one element varies (standard "
    "deviation over 300 random batches):",
)
def norms_as_the_batch_shrinks() -> list[Fact]:
    found = [noise(batch_norm, n) for n in SIZES]
    x = draw(1, 8)
    large = [float(np.sqrt((1 + x * x / 2) / n).mean()) for n in SIZES]  # as n → ∞
    phi = raw(erfc(-x / math.sqrt(2))) / 2  # how often the other value is smaller
    facts = [
        about("batch norm, batch of 64", found[0], large[0], 2, within=0.1),
        about("batch of 16", found[1], large[1], 2, within=0.1),
        more("batch of 4", found[2], found[1]),
        about("batch of 2", found[3], float(np.sqrt(4 * phi * (1 - phi)).mean()), 2, within=0.1),
    ]
    groups = [noise(lambda x: F.group_norm(x, 2), n) for n in SIZES]
    layers = [noise(lambda x: F.layer_norm(x, 8), n) for n in SIZES]
    pairs = np.abs(raw(F.batch_norm(draw(2, 500), None, None, training=True, eps=0)))
    return [
        *facts,
        zero("layer norm, any batch", max(layers)),
        zero("group norm, any batch", max(groups)),
        zero("|result| − 1 in batches of two, ε = 0", np.abs(pairs - 1).max()),
    ]


@claim(
    TOPIC,
    "Batch norm normalizes over the batch axis.",
    "holds if",
    "there are no other axes than (N, C). Maps (N, C, H, W) are normalized over N, H and W, "
    "each channel by itself.",
)
def batch_norm_averages_over_positions() -> list[Fact]:
    y = raw(batch_norm(3 + draw(4, 3, 5, 5)))
    return [
        zero("mean over N, H, W", np.abs(y.mean((0, 2, 3))).max()),
        more("mean over N alone", np.abs(y.mean(0)).max(), 0.1),
    ]


@claim(
    TOPIC,
    "Batch norm uses the mean and the variance of the batch.",
    "holds if",
    "it is training. In evaluation it uses running averages, which follow the batches with the "
    "given momentum; the running variance is that of a sample, divided by n − 1.",
)
def batch_norm_in_evaluation() -> list[Fact]:
    f, x = nn.BatchNorm1d(3, momentum=0.1), 5 + 2 * draw(8, 3)
    trained = raw(f(x))
    mean, var = raw(f.running_mean).copy(), raw(f.running_var).copy()
    f.eval()
    early = gap(f(x), trained)
    f.train()
    for _ in range(300):
        f(x)
    f.eval()
    late = raw(f(x))
    return [
        zero("running mean − 0.1 · mean, after one batch", gap(mean, 0.1 * x.mean(0))),
        zero("running variance − (0.9 + 0.1 · v·n/(n−1))", gap(var, 0.9 + 0.1 * x.var(0, ddof=1))),
        more("evaluation − training after one batch", early, 0.5),
        about(
            "their ratio after 300 equal batches, √((n−1)/n) for n = 8",
            np.median(late / trained), np.sqrt(7 / 8), 3, within=1e-3,
        ),
    ]  # fmt: skip


@claim(
    TOPIC,
    "Batch norm can be trained with batches of one.",
    "wrong",
    "One value has no spread: the result would be β for every input. With maps there is more than "
    "one value for each channel, and it works.",
)
def batch_norm_of_one() -> list[Fact]:
    f = nn.BatchNorm1d(3)
    try:
        f(draw(1, 3))
        message = "no error"
    except ShapeError as error:
        message = str(error).split(".", maxsplit=1)[0]
    return [
        exactly(
            "error for a batch of one", message,
            "batch_norm: a channel's own mean and variance need more than one value",
        ),
        exactly("running mean after it", raw(f.running_mean).tolist(), [0.0, 0.0, 0.0]),
        exactly("one map of 4 × 4", nn.BatchNorm2d(3)(draw(1, 3, 4, 4)).shape, (1, 3, 4, 4)),
    ]  # fmt: skip


@claim(
    TOPIC,
    "Group norm with a group for each channel is instance norm; with one group it is layer norm "
    "over C, H and W.",
    "holds",
    "But for the parameters: group norm has one γ and β for each channel, layer norm over "
    "(C, H, W) one for each element.",
)
def group_norm_between_instance_and_layer_norm() -> list[Fact]:
    x = draw(3, 4, 5, 6)
    shapes = [raw(m.weight).shape for m in (nn.GroupNorm(1, 4), nn.LayerNorm((4, 5, 6)))]
    return [
        zero("GN(C) − instance norm", gap(F.group_norm(x, 4), F.instance_norm(x))),
        zero("GN(1) − layer norm", gap(F.group_norm(x, 1), F.layer_norm(x, (4, 5, 6)))),
        exactly("shapes of γ, group and layer norm", shapes, [(4,), (4, 5, 6)]),
    ]


@claim(
    TOPIC,
    "Batch norm comes after convolutions.",
    "holds if",
    "σ(BN(Conv(x))) is meant, the usual order; BN(σ(Conv(x))) is found too. They are different "
    "functions. Directly after a convolution batch norm takes its bias away: the bias has no "
    "effect, and its gradient is 0.",
)
def batch_norm_and_the_bias_before_it() -> list[Fact]:
    x, conv = draw(4, 2, 6, 6), nn.Conv2d(2, 3, 3, padding=1)
    g = draw(4, 3, 6, 6, seed=1)
    direct, after = batch_norm(conv(x)), batch_norm(F.relu(conv(x)))
    orders = gap(F.relu(direct), after)
    _, b = conv.parameters()
    bias = [gap(grad(y, [b], g)[0], 0) for y in (direct, after)]
    return [
        zero("gradient of the bias, BN(Conv(x))", bias[0]),
        more("gradient of the bias, BN(σ(Conv(x)))", bias[1], 0.1),
        more("σ(BN(Conv(x))) − BN(σ(Conv(x)))", orders, 0.1),
    ]


@claim(
    TOPIC,
    "A ResBlock BN(σ(Conv(BN(σ(Conv(x)))))) + x starts close to the identity.",
    "wrong",
    "Its last step is a normalization, so that the branch has variance 1 whatever the weights "
    "are. It starts as the identity if the last γ is 0 at first.",
)
def res_blocks_and_the_last_scale() -> list[Fact]:
    x = draw(8, 4, 6, 6)
    block = nn.ResBlock(4, 4)
    added = raw(block(x)) - x
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    last = norms[-1]
    last.weight.data = np.zeros(4)  # type: ignore[union-attr]
    return [
        about("variance of what the block adds", added.var(), 1, 2, within=0.02),
        less("what it adds with the last γ = 0", gap(block(x), x), 1e-12, 1),
    ]
