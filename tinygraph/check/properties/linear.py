"""Claims about the linear layer z ↦ Wz + b and about stacks of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...core.errors import ShapeError
from ...core.grad import grad
from ...core.tensor import Tensor
from ...nn import functional as F
from ...nn.summary import summary
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "The linear layer"
STACKS = "Stacks of modules"

HOUSES = np.array([[2000, 3, 10, 8.5], [1500, 2, 5, 7], [3000, 4, 15, 9], [1200, 1, 3, 6.5]])
PRICES = np.array([[100, 5000, -1000, 2000], [75, 3000, -500, 1500], [50, 2000, -200, 1000.0]])
BASE = np.array([50_000, 75_000, 100_000.0])
"""Area, bedrooms, age and location of four houses; what three models pay for each; and for none."""


@claim(
    TOPIC,
    "The layer f(z) = Wz + b is linear: f(αz₁ + βz₂) = αf(z₁) + βf(z₂).",
    "holds if",
    "b = 0 or α + β = 1. With a bias the layer is affine: both sides differ by (α + β − 1) · b. "
    "(Where the factors are called a and b, b means two things.)",
)
def linear_layers_are_affine() -> list[Fact]:
    f, z, y = nn.Linear(4, 3), draw(4), draw(4, seed=1)
    plain = nn.Linear(4, 3, bias=False)
    sides = {}
    for name, g, a, b in [("plain", plain, 2, 3), ("one", f, -0.5, 1.5), ("any", f, 2, 3)]:
        sides[name] = raw(g(a * z + b * y)) - raw(a * g(z) + b * g(y))
    return [
        zero("difference of the sides without bias, α = 2, β = 3", gap(sides["plain"], 0)),
        zero("with bias and α + β = 1", gap(sides["one"], 0)),
        more("with bias, α = 2, β = 3", gap(sides["any"], 0), 0.1),
        zero("the same plus (α + β − 1) · b", gap(sides["any"] + 4 * raw(f.bias), 0)),
    ]


@claim(
    TOPIC,
    "Twice the input of a linear layer gives twice its output.",
    "holds if",
    "there is no bias. Otherwise 2f(z) − f(2z) = b. On a plot of f(2z) against f(z), a straight "
    "line from the origin through the largest point looks like a confirmation, but its slope is "
    "not 2. Four houses, each described by area, bedrooms, age and location, and three prices for "
    "each:",
)
def doubling() -> list[Fact]:
    once, twice = HOUSES @ PRICES.T + BASE, 2 * HOUSES @ PRICES.T + BASE
    return [
        zero("largest difference of 2f(z) − f(2z) from b", gap(2 * once - twice, BASE)),
        about("slope of the line through the largest point", twice.max() / once.max(), 1.866, 4),
        less("smallest ratio f(2z) / f(z)", (twice / once).min(), 1.6, 3),
    ]


@claim(
    TOPIC,
    "Without activations between them, stacked linear layers are one linear layer.",
    "holds",
    "W₂(W₁z + b₁) + b₂ = (W₂W₁)z + (W₂b₁ + b₂).",
)
def stacked_linear_layers_are_one() -> list[Fact]:
    f, g, z = nn.Linear(4, 6), nn.Linear(6, 2), draw(5, 4)
    w, b = raw(g.weight) @ raw(f.weight), raw(g.weight) @ raw(f.bias) + raw(g.bias)
    one = nn.Linear(4, 2)
    one.load_state_dict({"weight": w, "bias": b})
    bent = raw(g(F.relu(f(z))))
    return [
        zero("difference of the two layers from the one", gap(g(f(z)), one(z))),
        more("with a ReLU between them", gap(bent, one(z)), 0.01),
    ]


@claim(
    TOPIC,
    "A linear layer from m to n features has nm + n parameters, and multiplies nm times.",
    "holds",
    "nm without bias. Multiplications are counted for one input.",
)
def counts_of_a_linear_layer() -> list[Fact]:
    table = summary(nn.Linear(64, 10), (1, 64))
    return [
        exactly("parameters for m = 64, n = 10", table.total_parameters, 64 * 10 + 10),
        exactly("multiplications", table.multiply_adds, 64 * 10),
    ]


@claim(
    TOPIC,
    "x W^Q and W z are the same notation.",
    "wrong",
    "A layer that stores W of shape (out, in) computes Wz for a column z, and x Wᵀ for rows x: a "
    "W^Q that is written on the right is the transpose of a stored weight.",
)
def weights_on_the_right_are_transposed() -> list[Fact]:
    f, x = nn.Linear(3, 2, bias=False), draw(5, 3)
    w = raw(f.weight)
    columns = np.stack([w @ row for row in x])
    return [
        exactly("shape of the weight of a layer from 3 to 2", w.shape, (2, 3)),
        zero("difference of the layer from x Wᵀ", gap(f(x), x @ w.T)),
        zero("and from Wz for each row z", gap(f(x), columns)),
    ]


@claim(
    TOPIC,
    "All linear transformations are matrix multiplications.",
    "holds",
    "The columns of the matrix are what the unit vectors are mapped to. The matrix need not be "
    "multiplied with: a shift or a mean is cheaper by itself.",
)
def linear_maps_are_matrices() -> list[Fact]:
    z, w, facts = draw(6), draw(3, seed=1), []
    maps: dict[str, Callable[[Any], Any]] = {
        "a convolution": lambda x: raw(F.conv1d(x[None], w[None, None], padding="same"))[0],
        "the distance from the mean": lambda x: x - x.mean(),
        "sums of all before": np.cumsum,
    }
    for name, f in maps.items():
        facts.append(zero(f"{name} − its matrix times z", gap(f(z), matrix_of(f, 6) @ z)))
    bent = raw(F.relu(z)) - matrix_of(lambda x: raw(F.relu(x)), 6) @ z
    return [*facts, more("the same for ReLU, which is not linear", gap(bent, 0), 0.1)]


def matrix_of(f: Any, size: int) -> Any:
    """Return the matrix whose columns are f of the unit vectors."""
    return np.stack([f(e) for e in np.eye(size)], axis=1)


@claim(
    STACKS,
    "Modules can be combined in any order, like building blocks.",
    "holds if",
    "the shapes fit: the number of features that one returns is what the next takes. A layer from "
    "2 to 5 followed by one from 3 to 1 cannot run, whatever activation stands between them.",
)
def shapes_have_to_fit() -> list[Fact]:
    x = draw(5, 2)
    try:
        (nn.Linear(2, 5) >> nn.ReLU() >> nn.Linear(3, 1))(x)
        message = "no error"
    except ShapeError as error:
        message = str(error)
    fitting = nn.Linear(2, 5) >> nn.ReLU() >> nn.Linear(5, 3) >> nn.ReLU() >> nn.Linear(3, 1)
    return [
        exactly(
            "error of the stack 2 → 5, 3 → 1", message,
            "Linear wants inputs of shape (…, 3). Received (5, 5) float64. Fix: Linear(5, …), or "
            "check the layer before. In module 2.",
        ),
        exactly("shape of the result of 2 → 5, 5 → 3, 3 → 1", fitting(x).shape, (5, 1)),
    ]  # fmt: skip


@claim(
    STACKS,
    "A module that is used twice gets the sum of the gradients of both uses.",
    "holds",
    "Each use adds its share, as if there were two modules with equal parameters.",
)
def shared_modules_add_gradients() -> list[Fact]:
    f, copies, x = nn.Linear(3, 3), [nn.Linear(3, 3), nn.Linear(3, 3)], draw(4, 3)
    for g in copies:
        g.load_state_dict(f.state_dict())
    first, second = copies
    (shared,) = grad(F.tanh(f(F.tanh(f(x)))).sum(), [f.weight])
    apart = grad(F.tanh(second(F.tanh(first(x)))).sum(), [first.weight, second.weight])
    return [
        zero("gradient of the shared weight − both", gap(shared, raw(apart[0]) + raw(apart[1]))),
        more("share of the first use", gap(apart[0], 0), 0.01),
        more("share of the second use", gap(apart[1], 0), 0.01),
    ]


@claim(
    STACKS,
    "The initial weights decide whether a deep network can be trained.",
    "holds",
    "Through 30 ReLU layers of 256 features He's initial values roughly keep the size of a signal; "
    "half of them lose a factor of 2 in each layer; and equal values keep all units of a layer "
    "equal for ever.",
)
def initial_weights_matter() -> list[Fact]:
    sizes = {}
    for name, scale in (("He", 1.0), ("half", 0.5)):
        h = draw(64, 256, seed=99)
        start = np.linalg.norm(h)
        for k in range(30):
            h = np.maximum(h @ (draw(256, 256, seed=k) * scale * np.sqrt(2 / 256)), 0)
        sizes[name] = np.linalg.norm(h) / start
    net = nn.MLP([3, 4, 1])
    for p in net.parameters():
        p.data = np.full(p.shape, 0.3)
    x = Tensor(draw(8, 3))
    for _ in range(5):
        loss = (net(x) - x[:, :1]).square().mean()
        for p, g in zip(net.parameters(), grad(loss, list(net.parameters())), strict=True):
            p.data = raw(p) - 0.1 * raw(g)
    weights = raw(next(net.parameters()))
    return [
        about("size after 30 layers with He's values", sizes["He"], 1, 1, within=0.5),
        about("with half of them", sizes["half"], sizes["He"] * 0.5**30, 1),
        zero("difference of units that were equal, after 5 steps", np.ptp(weights, axis=0).max()),
        more("how far they have moved", gap(weights, 0.3), 1e-3),
    ]
