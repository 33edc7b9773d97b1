"""Claims about ReLU, sigmoid, tanh and GELU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...core.functional import jacobian
from ...core.grad import grad
from ...core.tensor import Tensor
from ...nn import functional as F
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Activations"
GRID = np.linspace(-8, 8, 160_001)
Functions = dict[str, Callable[..., Any]]
ALL: Functions = {"ReLU": F.relu, "sigmoid": F.sigmoid, "tanh": F.tanh, "GELU": F.gelu}


def slope(f: Any, z: Any) -> Any:
    """Return σ′ at each of the points."""
    x = Tensor(np.array(z, np.float64), requires_grad=True)
    return raw(grad(f(x).sum(), [x])[0])


def mean_of(f: Any) -> float:
    """Return the mean of σ(z) for standard normal z, as an integral."""
    density = np.exp(-GRID * GRID / 2) / math.sqrt(2 * math.pi)
    return float(np.sum(raw(f(GRID)) * density) * (GRID[1] - GRID[0]))


@claim(
    TOPIC,
    "ReLU has no vanishing gradient.",
    "holds if",
    "z > 0. For z < 0 its gradient is exactly 0, for half of all inputs if they are centred. At 0 "
    "it has a kink: the slopes from the left and from the right are 0 and 1, and by convention "
    "0 is taken.",
)
def relu_has_no_gradient_below_zero() -> list[Fact]:
    z = np.concatenate([draw(10_000), -draw(10_000)])
    around = slope(F.relu, [-1e-12, 0.0, 1e-12]).tolist()
    return [
        exactly("slope for z > 0", np.unique(slope(F.relu, z[z > 0])).tolist(), [1.0]),
        about("share of zero slopes for centred inputs", np.mean(slope(F.relu, z) == 0), 0.5, 2),
        exactly("slopes left of 0, at 0, right of 0", around, [0.0, 0.0, 1.0]),
    ]


@claim(
    TOPIC,
    "A ReLU unit can die.",
    "holds",
    "If its argument is negative for every input, its gradient is exactly 0 and no step of "
    "gradient descent changes it again. GELU and leaky ReLU keep a small gradient.",
)
def relu_units_can_die() -> list[Fact]:
    x, sizes = draw(100, 4), {}
    for name, f in (("ReLU", F.relu), ("GELU", F.gelu), ("leaky ReLU", F.leaky_relu)):
        unit = nn.Linear(4, 1)
        unit.load_state_dict({"weight": np.full((1, 4), 0.3), "bias": np.array([-4.0])})
        sizes[name] = gap(grad(f(unit(x)).sum(), [unit.weight])[0], 0)
    return [
        exactly("largest gradient of the dead unit", sizes["ReLU"], 0.0),
        more("the same with GELU", sizes["GELU"], 1e-6),
        more("with leaky ReLU", sizes["leaky ReLU"], 1e-3),
    ]


@claim(
    TOPIC,
    "The gradient of a sigmoid vanishes.",
    "holds",
    "σ′ = σ(1 − σ) is at most ¼, at 0, so 10 layers of sigmoids scale a gradient by 4⁻¹⁰ or less, "
    "apart from their weights; and far from 0 it is about e^−|z|.",
)
def sigmoid_slopes_are_at_most_a_quarter() -> list[Fact]:
    slopes = slope(F.sigmoid, GRID)
    return [
        about("largest σ′", slopes.max(), 0.25, 3, within=1e-9),
        zero("where it is", GRID[slopes.argmax()]),
        less("¼ to the tenth", 0.25**10, 1e-6),
        about("σ′(8)", slopes[-1], math.exp(-8), 2, within=0.01),
    ]


@claim(
    TOPIC,
    "The gradient of tanh vanishes too.",
    "holds if",
    "|z| is not small: tanh′ = 1 − tanh² is 1 at 0, four times the sigmoid's, and about 4e^−2|z| "
    "far from 0, less than the sigmoid's from |z| = 1.66 on.",
)
def tanh_slopes() -> list[Fact]:
    slopes, others = slope(F.tanh, GRID), slope(F.sigmoid, GRID)
    crossing = np.abs(GRID[np.abs(slopes - others).argmin()])
    return [
        about("tanh′(0)", slopes.max(), 1, 3, within=1e-9),
        about("tanh′(8)", slopes[-1], 4 * math.exp(-16), 2),
        about("|z| where both slopes are equal", crossing, 1.66, 3, within=0.01),
    ]


@claim(
    TOPIC,
    "tanh is centred at zero; sigmoid and ReLU are not.",
    "holds",
    "tanh(−z) = −tanh(z). The means for standard normal inputs are 0 and ½ for tanh and sigmoid, "
    "1/√(2π) for ReLU and 1/√(4π) for GELU.",
)
def tanh_is_centred() -> list[Fact]:
    facts = [zero("tanh(−z) + tanh(z)", gap(F.tanh(-GRID), -raw(F.tanh(GRID))))]
    wanted = {"sigmoid": 0.5, "ReLU": (2 * math.pi) ** -0.5, "GELU": (4 * math.pi) ** -0.5}
    facts += [zero("mean of tanh", mean_of(F.tanh))]
    facts += [about(f"mean of {k}", mean_of(ALL[k]), v, within=1e-4) for k, v in wanted.items()]
    return facts


@claim(
    TOPIC,
    "Sigmoid takes values in (0, 1), tanh in (−1, 1), ReLU in [0, ∞).",
    "holds if",
    "numbers are not rounded. In float32 a sigmoid is exactly 1 from z = 17 on, and tanh from 10 "
    "on: their logarithms and their gradients are then infinite or 0. That is why losses take "
    "logits.",
)
def ranges_in_floating_point() -> list[Fact]:
    z = np.linspace(0, 120, 12_001, dtype=np.float32)
    high, low, tanh = (raw(f) for f in (F.sigmoid(z), F.sigmoid(-z), F.tanh(z)))
    values = raw(F.sigmoid(GRID))
    return [
        exactly(
            "sigmoids in (0, 1), float64, |z| ≤ 8", bool((abs(values - 0.5) < 0.5).all()), True
        ),
        about("sigmoid = 1 in float32 from", z[np.argmax(high == 1)], 17, 2, within=0.03),
        about("sigmoid = 0 in float32 from −", z[np.argmax(low == 0)], 104, 3, within=0.01),
        about("tanh = 1 in float32 from", z[np.argmax(tanh == 1)], 9, 2, within=0.12),
        exactly("smallest ReLU", float(raw(F.relu(GRID)).min()), 0.0),
    ]


@claim(
    TOPIC,
    "The range of GELU is all of ℝ.",
    "wrong",
    "z · Φ(z) has a minimum of −0.1700 at z = −0.7518 and goes back to 0 on the left.",
)
def gelu_has_a_minimum() -> list[Fact]:
    values = raw(F.gelu(GRID))
    return [
        about("smallest GELU", values.min(), -0.16997, 4, within=1e-3),
        about("where it is", GRID[values.argmin()], -0.7518, 4, within=1e-3),
        less("−GELU(−8)", -values[0], 1e-12),
    ]


@claim(
    TOPIC,
    "GELU is z · Φ(z), which is ½z(1 + tanh(√(2/π)(z + 0.044715z³))).",
    "wrong",
    "The second is an approximation of the first; they differ by up to 0.00047, near |z| = 2.7. A "
    "model that was trained with the one should be run with the one.",
)
def gelu_and_its_approximation_differ() -> list[Fact]:
    difference = np.abs(raw(F.gelu(GRID)) - raw(F.gelu(GRID, approximate="tanh")))
    return [
        about("largest difference", difference.max(), 4.73e-4, within=0.01),
        about("|z| where it is", abs(GRID[difference.argmax()]), 2.7, 2, within=0.02),
    ]


@claim(
    TOPIC,
    "GELU is a smooth version of ReLU.",
    "holds",
    "Its slope is continuous, ½ at 0 where ReLU's jumps, and leaves [0, 1]: it is negative below "
    "−0.75 and at most 1.129, at √2.",
)
def gelu_is_smooth() -> list[Fact]:
    slopes, step = slope(F.gelu, GRID), GRID[1] - GRID[0]
    return [
        less("steepest GELU′, per unit of z", np.abs(np.diff(slopes)).max() / step, 1),
        exactly("jump of ReLU′ at 0", float(np.abs(np.diff(slope(F.relu, GRID))).max()), 1.0),
        about("GELU′(0)", slopes[len(slopes) // 2], 0.5, within=1e-9),
        about("largest GELU′", slopes.max(), 1.1289, 4, within=1e-3),
        about("where it is", GRID[slopes.argmax()], math.sqrt(2), 3, within=1e-3),
        about("smallest GELU′", slopes.min(), -0.1289, 3, within=1e-3),
    ]


@claim(
    TOPIC,
    "σ(z) = 1/(1 + e^−z) and tanh(z) = (e^z − e^−z)/(e^z + e^−z) can be computed as they stand.",
    "wrong",
    "e^−z overflows for large negative z, from −89 on in float32 and −710 in float64. The value "
    "1/∞ = 0 is still right, but the derivative e^−z/(1 + e^−z)² is then ∞/∞, and so is the "
    "quotient for tanh. Branches, or tanh itself, avoid both.",
)
def formulas_overflow() -> list[Fact]:
    with np.errstate(all="ignore"):
        powers = np.exp(np.arange(0, 120, dtype=np.float32))
        doubles = np.exp(np.arange(0, 800, dtype=np.float64))
        derivative = np.exp(1e3) / (1 + np.exp(1e3)) ** 2
        quotient = (np.exp(1e3) - np.exp(-1e3)) / (np.exp(1e3) + np.exp(-1e3))
    ends, small = raw(F.sigmoid(np.array([-1e3, 1e3]))), raw(F.sigmoid(np.full(1, -80, "f4")))[0]
    return [
        exactly("first whole number with e^z = ∞ in float32", int(np.argmax(np.isinf(powers))), 89),
        exactly("and in float64", int(np.argmax(np.isinf(doubles))), 710),
        exactly("e^−z/(1 + e^−z)² at −1000", str(derivative), "nan"),
        exactly("the quotient for tanh at 1000", str(quotient), "nan"),
        exactly("our σ′(−1000)", float(slope(F.sigmoid, [-1e3])[0]), 0.0),
        exactly("our tanh at 1000", float(F.tanh(np.array(1e3))), 1.0),
        exactly("our sigmoid at −1000 and 1000", ends.tolist(), [0.0, 1.0]),
        about("our sigmoid at −80 in float32", small, math.exp(-80), within=1e-4),
    ]  # fmt: skip


@claim(
    TOPIC,
    "An activation acts on each component by itself.",
    "holds",
    "Its Jacobian is diagonal. Softmax is no activation in this sense: each of its components "
    "depends on all of the inputs.",
)
def activations_are_elementwise() -> list[Fact]:
    z, off = draw(5), ~np.eye(5, dtype=bool)
    functions: Functions = {**ALL, "softmax": F.softmax}
    found = {k: raw(jacobian(f, Tensor(z))) for k, f in functions.items()}
    return [
        exactly(
            "largest element off the diagonals of all four Jacobians",
            float(max(np.abs(found[k][off]).max() for k in ALL)), 0.0,
        ),
        more("of softmax's", np.abs(found["softmax"][off]).max(), 0.01),
    ]  # fmt: skip
