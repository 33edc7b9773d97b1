"""Claims about residual connections, skips and dense blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import nn
from ...core.errors import ShapeError
from ...core.functional import jacobian
from ...core.tensor import Tensor
from ...nn import functional as F
from .activations import slope
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Residual and dense connections"
WIDTH, DEPTH = 16, 30


def block_weights(seed: int, last: float = 1.0) -> list[tuple[Any, Any]]:
    """Draw He's initial values for 30 branches W₁σ(W₂z), W₁ scaled by ``last``."""
    rng = np.random.default_rng(seed)
    pairs = rng.normal(size=(DEPTH, 2, WIDTH, WIDTH)) * math.sqrt(2 / WIDTH)
    return [(inner, outer * last) for inner, outer in pairs]


def jacobian_norm(weights: list[tuple[Any, Any]], skip: bool, seed: int) -> float:
    """Return the norm of the Jacobian of 30 blocks, with or without the identity."""

    def stack(z: Any) -> Any:
        for inner, outer in weights:
            branch = F.relu(F.linear(F.relu(F.linear(z, inner)), outer))
            z = z + branch if skip else branch
        return z

    return float(np.linalg.norm(raw(jacobian(stack, Tensor(draw(WIDTH, seed=seed)))), 2))


@claim(
    TOPIC,
    "The Jacobian of z + g(z) is I + ∂g/∂z.",
    "holds",
    "",
)
def residual_jacobian() -> list[Fact]:
    f, z = nn.ResidualMLP(5), Tensor(draw(5))
    whole, branch = raw(jacobian(f, z)), raw(jacobian(f.f, z))
    return [
        zero("difference of both sides", gap(whole, np.eye(5) + branch)),
        more("largest element of ∂g/∂z", gap(branch, 0), 0.01),
    ]


@claim(
    TOPIC,
    "The identity in I + ∂g/∂z ensures that gradients flow.",
    "wrong",
    "The branch can cancel it: z + σ(10 − σ(z)), with σ = ReLU, is 10 for all z in (0, 10).",
)
def residual_can_be_singular() -> list[Fact]:
    z = np.array([1.0, 5.0, 9.0])

    def f(x: Any) -> Any:
        return x + F.relu(10 - F.relu(x))

    return [
        exactly("values at 1, 5, 9", raw(f(z)).tolist(), [10.0, 10.0, 10.0]),
        exactly("slopes there", slope(f, z).tolist(), [0.0, 0.0, 0.0]),
    ]


@claim(
    TOPIC,
    "Residual connections keep gradients from vanishing and from exploding.",
    "holds if",
    "the branches are small at first. Against vanishing they help; but with He's initial values "
    "each block makes the signal about 1.7 times as large, and so the gradient. 30 blocks of 16 "
    "features, z + σ(W₁σ(W₂z)), in the geometric mean over 4 seeds:",
)
def residual_stacks_explode() -> list[Fact]:
    def typical(skip: bool, last: float = 1.0) -> float:
        norms = [jacobian_norm(block_weights(s, last), skip, s + 100) for s in range(4)]
        return float(np.exp(np.mean(np.log(norms))))

    return [
        more("norm of the Jacobian of 30 blocks, He's initial values", typical(True), 1e5, 1),
        less("without the identity", typical(False), 0.2, 1),
        about("last weights 0 at first: the identity", typical(True, 0.0), 1, within=1e-9),
        less("last weights a tenth", typical(True, 0.1), 20, 2),
    ]


@claim(
    TOPIC,
    "z + σ(W₁σ(W₂z)) learns a correction of z.",
    "holds if",
    "the correction is not negative: with σ = ReLU on the outside the block can only add. Without "
    "the outer σ it can do both.",
)
def residual_with_outer_relu_only_adds() -> list[Fact]:
    z = draw(1000, 6)
    f, open_ended = nn.ResidualMLP(6), nn.Skip(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    return [
        exactly("smallest change by the block", float((raw(f(z)) - z).min()), 0.0),
        more("largest change", (raw(f(z)) - z).max(), 0.1),
        less("smallest change without the outer σ", (raw(open_ended(z)) - z).min(), -0.1),
    ]


@claim(
    TOPIC,
    "A deeper residual network is at least as good as a shallower one.",
    "holds if",
    "what it can compute is meant: blocks whose last weights are 0 add nothing. (What training "
    "finds may still be worse.) A layer σ(Wz + b) without a skip cannot do nothing: with σ = ReLU "
    "what it returns is never negative.",
)
def deeper_can_do_the_same() -> list[Fact]:
    z, shallow = draw(20, 6), nn.ResNetS(6, 2, 1)
    deep = nn.Sequential(*shallow[:2], *[nn.ResidualMLP(6) for _ in range(10)], shallow[2])
    for block in deep[2:12]:
        for p in block.f[2].parameters():
            p.data = np.zeros(p.shape)
    plain = nn.Linear(6, 6)
    plain.load_state_dict({"weight": np.eye(6), "bias": np.zeros(6)})
    return [
        exactly("12 blocks, ten with last weights 0, − 2 blocks", gap(deep(z), shallow(z)), 0.0),
        more("σ(Iz) − z, a layer without a skip", gap(F.relu(plain(z)), z), 1),
    ]


@claim(
    TOPIC,
    "A residual connection can be put around any module.",
    "holds if",
    "the module keeps the shape. Elsewhere the skip needs a projection of its own.",
)
def residual_needs_equal_shapes() -> list[Fact]:
    z = draw(4, 3)
    try:
        nn.Residual(nn.Linear(3, 2))(z)
        message = "no error"
    except ShapeError as error:
        message = str(error).split(".", maxsplit=1)[0]
    projected = nn.Parallel(nn.Linear(3, 2), nn.Linear(3, 2, bias=False))
    return [
        exactly("error around a layer 3 → 2", message, "Residual: f(x) must have the shape of x"),
        exactly("shape with a projection on the skip", projected(z).shape, (4, 2)),
    ]


@claim(
    TOPIC,
    "A skip over several modules is a residual connection around their composition.",
    "holds",
    "f_n(… f_1(x)) + x = x + g(x) with g = f_n ∘ … ∘ f_1.",
)
def skips_are_residuals() -> list[Fact]:
    f, g, x = nn.Linear(3, 5), nn.Linear(5, 3), draw(4, 3)
    return [zero("difference", gap(nn.Skip(f, nn.Tanh(), g)(x), g(F.tanh(f(x))) + x))]


@claim(
    TOPIC,
    "DenseNet connects each layer to every other layer.",
    "wrong",
    "To every earlier layer of its block: x_l = σ(Conv([x_0, …, x_{l−1}])). L layers have "
    "L(L + 1)/2 connections, and the input of layer l has C + (l − 1) · growth channels.",
)
def dense_blocks_connect_to_earlier_layers() -> list[Fact]:
    block, z = nn.DenseBlock(3, 2, 4), draw(1, 3, 4, 4)
    before = raw(block(z))
    widths = [m.in_channels for m in block.modules() if isinstance(m, nn.Conv2d)]
    third = [m for m in block.modules() if isinstance(m, nn.Conv2d)][2]
    third.weight.data = raw(third.weight) + 1
    changed = np.abs(raw(block(z)) - before).max((0, 2, 3)) > 0
    return [
        exactly("channels into the layers, C = 3, growth 2", widths, [3, 5, 7, 9]),
        exactly(
            "layers that change with the weights of layer 3",
            [k for k in range(1, 5) if changed[1 + 2 * k : 3 + 2 * k].any()], [3, 4],
        ),
    ]  # fmt: skip
