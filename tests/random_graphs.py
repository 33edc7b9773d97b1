"""Random programs of 1–30 steps, written once for tinygraph and for its peers.

A step takes two earlier values of shape (2, 3) and gives a third; ``m`` is the library. The
functions that ``m`` must have carry NumPy's names and keywords.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

STEPS: dict[str, Any] = {
    "add": lambda m, a, b: a + b,
    "sub": lambda m, a, b: 1.5 - a - b,
    "mul": lambda m, a, b: a * b,
    "div": lambda m, a, b: a / (m.square(b) + 1.5),
    "pow": lambda m, a, b: (m.square(a) + 0.5) ** (b / 4),
    "neg": lambda m, a, b: -a,
    "tanh": lambda m, a, b: m.tanh(a),
    "sin": lambda m, a, b: m.sin(a) * m.cos(b),
    "exp": lambda m, a, b: m.exp(m.tanh(a)),
    "log": lambda m, a, b: m.log(m.square(a) + 1.0),
    "sqrt": lambda m, a, b: m.sqrt(m.square(a) + 0.1),
    "sigmoid": lambda m, a, b: m.sigmoid(a),
    "softplus": lambda m, a, b: m.softplus(a),
    "gelu": lambda m, a, b: m.gelu(a),
    "erf": lambda m, a, b: m.erf(a) + m.erf(b),
    "where": lambda m, a, b: m.where(a > 0.3, a, b),
    "clip": lambda m, a, b: m.clip(a, -0.7, 0.7) + b,
    "matmul": lambda m, a, b: m.tanh(a @ b.T) @ b,
    "softmax": lambda m, a, b: m.softmax(a, axis=0) * b,
    "log_softmax": lambda m, a, b: m.log_softmax(a, axis=1) - b,
    "logsumexp": lambda m, a, b: a + m.logsumexp(b, axis=0),
    "mean": lambda m, a, b: a - m.mean(b, axis=1, keepdims=True),
    "var": lambda m, a, b: a * m.var(b, axis=1, keepdims=True),
    "max": lambda m, a, b: a + m.max(b, axis=0),
    "turn": lambda m, a, b: m.flip(a, 0) + m.flip(b, 1),
    "pick": lambda m, a, b: a[[1, 1]] * b[0],
    "slice": lambda m, a, b: m.concatenate([a[:, 1:], b[:, :1]], axis=1),
    "stack": lambda m, a, b: m.mean(m.stack([a, b, a], axis=0), axis=0),
    "reshape": lambda m, a, b: (a.reshape(3, 2).T + b).reshape(2, 3),
    "cumsum": lambda m, a, b: m.cumsum(a, axis=1) * b,
    "prod": lambda m, a, b: a + m.prod(b, axis=1, keepdims=True),
    "norm": lambda m, a, b: a / (1.0 + m.norm(b, axis=1, keepdims=True)),
    "sort": lambda m, a, b: m.sort(a, axis=1) - b,
    "outer": lambda m, a, b: m.einsum("ij,kj->ik", a, b) @ b,
    "triangle": lambda m, a, b: m.tril(a) + m.triu(b),
    "roll": lambda m, a, b: m.roll(a, 1, axis=1) - b,
}

X = np.array([[0.83, -1.21, 0.57], [-0.39, 1.47, 0.91]])
Y = np.array([[-0.46, 0.71, 1.13], [0.65, -0.92, 0.28]])


@st.composite
def programs(draw: Any) -> list[tuple[str, int, int]]:
    """Draw 1–30 steps; each names its op and its two operands among all earlier values."""
    return [
        (
            draw(st.sampled_from(sorted(STEPS))),
            draw(st.integers(0, k + 1)),
            draw(st.integers(0, k + 1)),
        )
        for k in range(draw(st.integers(1, 30)))
    ]


def execute(m: Any, program: list[tuple[str, int, int]], *leaves: Any) -> Any:
    """Run a program; each value is squashed, so that long programs stay in range."""
    values = list(leaves)
    for name, i, j in program:
        values.append(m.tanh(STEPS[name](m, values[i], values[j])))
    return values[-1]
