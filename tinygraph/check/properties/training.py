"""Claims about what training needs of modules: slopes, losses, learning rates, weight decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...core.functional import hessian
from ...core.grad import grad
from ...core.tensor import Tensor
from ...nn import functional as F
from ...ops.elementwise import sign
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Training"
Weights = tuple[Any, Any]


def loss_of(first: Any, last: Any, size: float) -> Any:
    """Return the squared error of a small network whose inputs have this size."""
    x, y = draw(64, 4) * size, draw(64, 1, seed=1)
    return F.mse_loss(F.linear(F.tanh(F.linear(x, first)), last), Tensor(y))


def stable_rates(weights: Weights, size: float) -> list[float]:
    """Return 2 / λ for each layer, λ the largest curvature: beyond it, descent climbs."""
    found = []
    for k, own in enumerate(weights):

        def f(w: Any, k: int = k) -> Any:
            return loss_of(*((w, weights[1]) if k == 0 else (weights[0], w)), size)

        curvature = raw(hessian(f, Tensor(own))).reshape(own.size, own.size)
        found.append(2 / float(np.linalg.eigvalsh(curvature).max()))
    return found


@claim(
    TOPIC,
    "Different modules may need different learning rates.",
    "holds",
    "Gradient descent is stable up to 2/λ, λ the largest curvature of the loss, and that differs "
    "from layer to layer: of the first it grows with the squared size of the inputs. Adam divides "
    "by the size of the gradient, so that its first step is as large everywhere. 4 inputs, 8 tanh, "
    "1 output:",
)
def learning_rates_differ() -> list[Fact]:
    weights = (draw(8, 4, seed=2) * 0.003, draw(1, 8, seed=3) * 0.3)
    small, large = stable_rates(weights, 1), stable_rates(weights, 10)
    tensors = [Tensor(w, requires_grad=True) for w in weights]
    gradients = [raw(g) for g in grad(loss_of(tensors[0], tensors[1], 10), tensors)]
    steps = [0.01 * g / (np.abs(g) + 1e-8) for g in gradients]
    ratio, adam = (gap(first, 0) / gap(last, 0) for first, last in (gradients, steps))
    return [
        more("2/λ of the last layer over the first's, inputs of size 10", large[1] / large[0], 3),
        about("2/λ of the first, inputs of size 1 over 10", small[0] / large[0], 100, 2, 0.05),
        more("largest gradient of the first layer over that of the last", ratio, 1.5),
        about("the same of Adam's first steps", adam, 1, 3, 1e-4),
    ]


@claim(
    TOPIC,
    "Weight decay limits what a layer can compute.",
    "holds if",
    "no normalization follows. Before layer or batch norm the size of the weights has no effect on "
    "the function; there decay only makes the steps turn the weights further.",
)
def weight_decay_before_a_norm() -> list[Fact]:
    z, full = draw(16, 4), nn.Linear(4, 6)
    tenth = nn.Linear(4, 6)
    tenth.load_state_dict({name: value / 10 for name, value in full.state_dict().items()})
    norms = {
        "layer norm": nn.LayerNorm(6, eps=0, elementwise_affine=False),
        "batch norm": nn.BatchNorm1d(6, eps=0, affine=False),
    }
    facts = [more("tanh(f(z)), all weights a tenth", gap(F.tanh(full(z)), F.tanh(tenth(z))), 0.1)]
    facts += [zero(f"{name} of f(z)", gap(f(full(z)), f(tenth(z)))) for name, f in norms.items()]
    return facts


@claim(
    TOPIC,
    "An activation must be differentiable.",
    "wrong",
    "ReLU has a kink at 0 and learns. What gradient descent needs is a slope that is not 0: a step "
    "is differentiable everywhere but at 0, and no weight before it ever gets a gradient.",
)
def kinks_do_no_harm() -> list[Fact]:
    x, found = draw(200, 1), {}
    functions: dict[str, Callable[[Any], Any]]
    functions = {"ReLU": F.relu, "a step": lambda z: 0.5 + 0.5 * sign(z)}
    for name, f in functions.items():
        first, last = nn.Linear(1, 16), nn.Linear(16, 1)
        start = raw(first.weight).copy()
        tensors = [*first.parameters(), *last.parameters()]
        for _ in range(200):
            loss = F.mse_loss(last(f(first(x))), np.abs(x))
            for p, g in zip(tensors, grad(loss, tensors), strict=True):
                p.data = raw(p) - 0.1 * raw(g)
        found[name] = gap(first.weight, start), float(loss)
    return [
        more("how far the first weights have moved, ReLU", found["ReLU"][0], 0.05),
        exactly("with a step", found["a step"][0], 0.0),
        less("squared error for |z| after 200 steps, ReLU", found["ReLU"][1], 0.01, 1),
        more("squared error with a step", found["a step"][1], 0.02, 1),
    ]


@claim(
    TOPIC,
    "The output of a sigmoid is the probability of yes.",
    "holds if",
    "the loss asks for it. With cross-entropy or the squared error the best answer, where 3 of 10 "
    "labels are yes, is 0.3; with the absolute error it is 0.",
)
def sigmoids_as_probabilities() -> list[Fact]:
    labels, facts = np.array([1.0] * 3 + [0.0] * 7), []
    answers = np.linspace(0, 1, 1001)
    pairs = np.broadcast_to(answers[:, None], (1001, 10)), np.broadcast_to(labels, (1001, 10))
    for name, loss, best in (
        ("cross-entropy", F.binary_cross_entropy, 0.3),
        ("the squared error", F.mse_loss, 0.3),
        ("the absolute error", F.l1_loss, 0.0),
    ):
        costs = raw(loss(*pairs, reduction="none")).mean(1)
        facts.append(exactly(f"best answer for {name}", float(answers[costs.argmin()]), best))
    return facts
