"""Claims about layer normalization: LN(z) = β + γ · (z − mean) / √(variance + ε)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn
from ...core.grad import grad
from ...core.tensor import Tensor
from ...nn import functional as F
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Layer normalization"


def plain(z: Any, eps: float = 0.0) -> Any:
    """Return LN with β = 0, γ = 1, and ε = 0 unless asked for."""
    return F.layer_norm(z, z.shape[-1], eps=eps)


@claim(
    TOPIC,
    "LN(z + c) = LN(z) + c for a constant c.",
    "wrong",
    "LN(z + c) = LN(z): the mean takes the constant away.",
)
def layer_norm_takes_a_shift_away() -> list[Fact]:
    z, c = draw(4, 6), 3.0
    return [
        zero("LN(z + 3) − LN(z)", gap(plain(z + c), plain(z))),
        about("LN(z) + 3 − LN(z + 3)", gap(raw(plain(z)) + c, plain(z + c)), c, within=1e-9),
    ]


@claim(
    TOPIC,
    "LN(αz) = LN(z) for every α ≠ 0.",
    "holds if",
    "α > 0 and ε = 0. For α < 0 the sign of z − mean flips. With ε > 0 it holds as far as the "
    "variance is large against ε.",
)
def layer_norm_keeps_the_sign() -> list[Fact]:
    z = draw(4, 6)
    return [
        zero("LN(5z) − LN(z), ε = 0", gap(plain(5 * z), plain(z))),
        zero("LN(−5z) + LN(z), ε = 0", gap(plain(-5 * z), -raw(plain(z)))),
        more("LN(−5z) − LN(z), ε = 0", gap(plain(-5 * z), plain(z)), 0.1),
        less("LN(5z) − LN(z), ε = 10⁻⁵", gap(plain(5 * z, 1e-5), plain(z, 1e-5)), 1e-4, 1),
        more("LN(z/1000) − LN(z), ε = 10⁻⁵", gap(plain(z / 1000, 1e-5), plain(z, 1e-5)), 0.1),
    ]


@claim(
    TOPIC,
    "Scaling the weights of a linear layer before LN changes nothing: "
    "LN((aW)z + ab) = LN(Wz + b) for every a ≠ 0.",
    "holds if",
    "a > 0, ε = 0, and W and b are scaled together.",
)
def layer_norm_after_a_scaled_layer() -> list[Fact]:
    z, w, b = draw(4, 3), draw(6, 3, seed=1), draw(6, seed=2)
    base = raw(plain(z @ w.T + b))
    return [
        zero("a = 7", gap(plain(z @ (7 * w).T + 7 * b), base)),
        zero("a = −7: the sum of both sides", gap(plain(z @ (-7 * w).T - 7 * b), -base)),
        more("W scaled by 7 and b not", gap(plain(z @ (7 * w).T + b), base), 0.1),
    ]


@claim(
    TOPIC,
    "Because LN does not see the scale of the weights before it, any learning rate does.",
    "wrong",
    "What is true: with weights a times as large the gradient is 1/a times as large, so that a "
    "step turns them by 1/a² of the angle; and it stands at right angles to them, "
    "⟨W, ∂W⟩ + ⟨b, ∂b⟩ = 0, so every step of plain gradient descent makes them larger and the "
    "next turns less. The learning rate counts relative to the squared size of the weights.",
)
def layer_norm_and_learning_rates() -> list[Fact]:
    z, g = Tensor(draw(5, 3)), draw(5, 6, seed=5)

    def gradients(a: float) -> tuple[Any, Any, Any, Any]:
        w = Tensor(a * draw(6, 3, seed=1), requires_grad=True)
        b = Tensor(a * draw(6, seed=2), requires_grad=True)
        dw, db = grad(plain(F.linear(z, w, b)), [w, b], g)
        return raw(w), raw(b), raw(dw), raw(db)

    def turn(a: float, rate: float = 1e-3) -> float:
        """Return the angle between the weights before and after a step."""
        w, b, dw, db = gradients(a)
        before, step = np.append(w, b), -rate * np.append(dw, db)
        return float(np.arctan2(np.linalg.norm(step), np.linalg.norm(before)))

    w, b, dw, db = gradients(1.0)
    larger = gradients(4.0)
    grown = np.linalg.norm(np.append(w - dw, b - db)) - np.linalg.norm(np.append(w, b))
    return [
        zero("4 · gradient at 4W, 4b − gradient at W, b", gap(4 * larger[2], dw)),
        zero("⟨W, ∂W⟩ + ⟨b, ∂b⟩", (w * dw).sum() + (b * db).sum()),
        about("angle of a step at W over that at 4W", turn(1.0) / turn(4.0), 16, 3, within=0.01),
        more("growth of ‖(W, b)‖ by a step", grown, 0.01),
    ]


@claim(
    TOPIC,
    "(z − mean) / standard deviation is defined for every z.",
    "wrong",
    "For equal components it is 0/0. That is what ε is for: with it the result is β.",
)
def layer_norm_of_equal_components() -> list[Fact]:
    z = np.full((1, 4), 0.7)
    return [
        exactly("all nan with ε = 0", bool(np.isnan(raw(plain(z))).all()), True),
        exactly("with ε = 10⁻⁵", raw(plain(z, 1e-5)).tolist(), [[0.0, 0.0, 0.0, 0.0]]),
    ]


@claim(
    TOPIC,
    "LN keeps the information in z, but for its mean and its scale.",
    "holds",
    "Of m = 2 components only their order is left: they become ±1, whatever they were.",
)
def layer_norm_of_two_components() -> list[Fact]:
    y, z = raw(plain(draw(1000, 2))), draw(50, 5)
    mean, deviation = z.mean(-1, keepdims=True), z.std(-1, keepdims=True)
    return [
        zero("mean + deviation · LN(z) − z", gap(mean + deviation * raw(plain(z)), z)),
        zero("|LN(z)| − 1 for m = 2, 1000 inputs", np.abs(np.abs(y) - 1).max()),
    ]


@claim(
    TOPIC,
    "LN keeps activations and gradients from exploding or vanishing.",
    "holds if",
    "the forward pass is meant: ‖LN(z)‖ = √m, however large z is. The gradient by z is divided by "
    "the standard deviation of z: small activations give large gradients and the reverse.",
)
def layer_norm_and_the_size_of_gradients() -> list[Fact]:
    z, g = draw(1, 64), draw(1, 64, seed=1)

    def size(scale: float) -> tuple[float, float]:
        x = Tensor(scale * z, requires_grad=True)
        y = plain(x)
        return float(np.linalg.norm(raw(y))), float(np.linalg.norm(raw(grad(y, [x], g)[0])))

    (forward, backward), (large, small) = size(1.0), size(1000.0)
    return [
        about("‖LN(z)‖ for m = 64", forward, 8.0, within=1e-9),
        about("‖LN(1000z)‖", large, 8.0, within=1e-9),
        about("gradient at z over gradient at 1000z", backward / small, 1000, 4, within=1e-9),
    ]


@claim(
    TOPIC,
    "LN(z) has mean 0 and variance 1.",
    "holds if",
    "β = 0, γ = 1 and ε = 0: with ε the variance is v/(v + ε). γ and β are vectors, one number "
    "for each component; they may undo all of it.",
)
def layer_norm_has_mean_zero() -> list[Fact]:
    z = 0.01 * draw(3, 8)
    y, v = raw(plain(z, 1e-5)), z.var(-1)
    shapes = [p.shape for p in nn.LayerNorm(8).parameters()]
    return [
        zero("largest mean", np.abs(y.mean(-1)).max()),
        zero("variance − v/(v + ε), ε = 10⁻⁵", gap(y.var(-1), v / (v + 1e-5))),
        less("smallest variance, z of size 0.01", y.var(-1).min(), 0.95, 2),
        exactly("shapes of γ and β for m = 8", shapes, [(8,), (8,)]),
    ]
