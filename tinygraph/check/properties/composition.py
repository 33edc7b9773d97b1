"""Claims about modules in sequence and side by side."""

from __future__ import annotations

import numpy as np

from ... import nn
from ...core.errors import ShapeError
from ...core.grad import grad
from ...core.tensor import Tensor
from .claim import Fact, claim, draw, exactly, gap, more, raw, zero
from .linear import STACKS


@claim(
    STACKS,
    "f ∘ g ∘ h can be bracketed as one likes.",
    "holds",
    "(f ∘ g) ∘ h = f ∘ (g ∘ h). The order matters all the same: f ∘ g is not g ∘ f.",
)
def composition_is_associative() -> list[Fact]:
    f, g, h, z = nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), draw(5, 4)
    left, right = nn.Sequential(nn.Sequential(h, g), f), nn.Sequential(h, nn.Sequential(g, f))
    return [
        exactly("difference of the two ways", gap(left(z), right(z)), 0.0),
        more("f(g(z)) − g(f(z))", gap(f(g(z)), g(f(z))), 0.1),
    ]


@claim(
    STACKS,
    "Modules can be applied in parallel and their outputs combined.",
    "holds if",
    "the outputs fit: a sum or a mean wants one shape, joining wants equal lengths but for the "
    "joined axis. The input gets the sum of the gradients of all branches.",
)
def parallel_branches_have_to_fit() -> list[Fact]:
    three, two, z = nn.Linear(4, 3), nn.Linear(4, 2), Tensor(draw(5, 4), requires_grad=True)
    try:
        nn.Parallel(three, two)(z)
        message = "no error"
    except ShapeError as error:
        message = str(error).split(".", maxsplit=1)[0]
    joined = nn.Parallel(three, two, combine="concat")
    whole = raw(grad(joined(z).sum(), [z])[0])
    parts = [raw(grad(f(z).sum(), [z])[0]) for f in (three, two)]
    return [
        exactly(
            "error of a sum of 3 and 2 features", message,
            "Parallel: combine='sum' wants outputs of one shape",
        ),
        exactly("shape of 3 and 2 features joined", joined(z).shape, (5, 5)),
        zero("gradient of both − the sum of the two", gap(whole, np.add(*parts))),
    ]  # fmt: skip
