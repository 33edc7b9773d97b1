"""Example 4: four activations, their derivatives by autodiff, and what follows from them.

Run ``python examples/04_activations.py [FOLDER]``.
"""

from math import erf, pi, sqrt
from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots

ACTIVATIONS = {"ReLU": nn.ReLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "GELU": nn.GELU()}

CLOSED = {  # the derivatives as one finds them in books, in NumPy
    "ReLU": lambda z: (z > 0).astype(float),
    "sigmoid": lambda z: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "GELU": lambda z: (
        np.vectorize(erf)(z / sqrt(2)) / 2 + 0.5 + z * np.exp(-z * z / 2) / sqrt(2 * pi)
    ),
}


def derivative(f: nn.Module, z: np.ndarray) -> np.ndarray:
    """Return f′ at every z: the gradient of the sum, for each f(zᵢ) depends on its zᵢ alone."""
    leaf = tg.tensor(z, requires_grad=True)
    f(leaf).sum().backward()
    return leaf.grad


def compare(z: np.ndarray) -> None:
    print("             values on [−5, 5]     slopes             autodiff − closed form")
    for name, f in ACTIVATIONS.items():
        y, slope = f(tg.tensor(z)).numpy(), derivative(f, z)
        off = np.abs(slope - CLOSED[name](z)).max()
        ends = f"[{y.min():6.3f}, {y.max():.3f}]    [{slope.min():6.3f}, {slope.max():.3f}]"
        print(f"  {name:>8}   {ends}    at most {off:.0e}")


def consequences() -> None:
    steep = derivative(nn.Sigmoid(), np.array([0.0]))[0]
    print(f"sigmoid′ is never above {steep}: through 20 of them a gradient shrinks to")
    print(f"  {steep**20:.0e} of its size, and that is the best case")
    lowest = -0.7517915246935645
    dip = nn.GELU()(tg.tensor(lowest, dtype=np.float64))
    print(f"GELU is not above 0 everywhere, and not unbounded below: its minimum is {dip:.4f},")
    print(f"  at {lowest:.4f}, where its slope is {derivative(nn.GELU(), np.array(lowest)):.0e}")
    z = np.linspace(-5, 5, 100_001)
    gap = np.abs(nn.GELU()(z) - nn.GELU(approximate="tanh")(z))
    print(
        f"GELU by tanh, as often coded: up to {gap.max():.1e} off, at ±{abs(z[gap.argmax()]):.1f}"
    )
    print(f"ReLU passes no gradient below 0: at −1, {derivative(nn.ReLU(), np.array([-1.0]))[0]:g}")
    with np.errstate(over="ignore", invalid="ignore"):
        naive = np.exp(1000.0) / (1 + np.exp(1000.0)) ** 2
    ours = derivative(nn.Sigmoid(), np.array([-1000.0]))[0]
    print(f"far out, at −1000, e^−z/(1 + e^−z)² overflows to {naive}; here sigmoid′ is {ours:g}")


def main(folder: Path) -> None:
    compare(np.linspace(-5, 5, 1001))
    consequences()
    axes = plots.panels(4, columns=2, size=(3.8, 2.7))
    for (name, f), ax in zip(ACTIVATIONS.items(), axes, strict=True):
        plots.activation_curves(f, ax, title=name)
    print(plots.save(axes, folder / "activations.png"))


if __name__ == "__main__":
    main(arguments(__doc__)[0])
