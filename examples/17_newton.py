"""Example 17: Newton's method. Gradients are graphs, so they have gradients of their own.

Near a minimum, f(x + p) ≈ f(x) + gᵀp + ½ pᵀHp, which p = −H⁻¹g makes smallest. H is never built:
conjugate gradients want products Hp only, and ``tg.hvp`` gives one for the price of two gradients.
Run ``python examples/17_newton.py [FOLDER] [--quick]``.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import plots
from tinygraph.nn import functional as F


def solve(product: Callable, g: np.ndarray, most: int) -> np.ndarray:
    """Solve Hp = −g by conjugate gradients; stop early where H curves downwards."""
    p, rest = np.zeros_like(g), -g
    direction, size = rest, rest @ rest
    for _ in range(most):
        curved = product(direction)
        curvature = direction @ curved
        if curvature <= 0:
            return p if p.any() else -g
        step = size / curvature
        p, rest = p + step * direction, rest - step * curved
        size, before = rest @ rest, size
        if size < 1e-10 * (g @ g):
            break
        direction = rest + size / before * direction
    return p


def newton(f: Callable, x: np.ndarray, steps: int, most: int = 50) -> tuple[np.ndarray, list]:
    """Minimize f from x; return every point and every |gradient|."""
    slope = tg.value_and_grad(f)
    points, sizes = [x], []
    for _ in range(steps):
        value, g = slope(x)
        sizes.append(float(tg.norm(g)))
        if sizes[-1] < 1e-12:
            break
        p = solve(lambda v, x=x: tg.hvp(f, x, v).numpy(), g.numpy(), most)
        length = 1.0
        while float(f(x + length * p)) > float(value) and length > 1e-6:
            length /= 2  # a full step may overshoot far from the minimum
        x = x + length * p
        points.append(x)
    return np.array(points), sizes


def descent(f: Callable, x: np.ndarray, steps: int, lr: float) -> tuple[np.ndarray, list]:
    """Minimize f by gradient descent."""
    slope = tg.value_and_grad(f)
    points, sizes = [x], []
    for _ in range(steps):
        g = slope(x)[1]
        sizes.append(float(tg.norm(g)))
        x = x - lr * g.numpy()
        points.append(x)
    return np.array(points), sizes


def banana(x: tg.Tensor) -> tg.Tensor:
    """Rosenbrock's curved valley, with its minimum 0 at (1, 1)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] * x[0]) ** 2


def logistic(x: np.ndarray, y: np.ndarray) -> Callable:
    """Return the loss of a linear classifier of digits by all its 640 weights."""

    def loss(w: tg.Tensor) -> tg.Tensor:
        return F.cross_entropy(x @ w.reshape(64, 10), y) + 0.001 * (w * w).sum()

    return loss


def main(folder: Path, steps: int = 2000) -> None:
    start = np.array([-1.2, 1.0])
    ours, small = newton(banana, start, 50)
    slow, _ = descent(banana, start, steps, lr=1e-3)
    print(f"banana: Newton is at {ours[-1].round(6)} after {len(ours) - 1} steps; |gradient|:")
    print("  " + ", ".join(f"{s:.0e}" for s in small[-5:]) + ": the right digits double")
    print(f"  gradient descent is at {slow[-1].round(3)} after {steps} steps")

    x, _, y, _ = digits()
    loss = logistic(x.reshape(-1, 64).astype(np.float64), y)
    w = np.zeros(640)
    sizes = {"Newton": newton(loss, w, 12)[1], "gradient descent": descent(loss, w, 40, 1.0)[1]}
    for name, found in sizes.items():
        print(
            f"digits, 640 weights, {name}: |gradient| {found[-1]:.0e} after {len(found) - 1} steps"
        )

    left, right = plots.panels(2, size=(4.6, 3.6))
    a, b = np.meshgrid(np.linspace(-1.6, 1.4, 200), np.linspace(-0.6, 1.6, 200))
    left.contour(
        a,
        b,
        np.log(banana(np.stack([a, b])) + 1e-3),
        16,
        colors="#C3CAD1",
        linewidths=0.8,
        linestyles="-",
    )
    for i, (name, path) in enumerate({"Newton": ours, "gradient descent": slow}.items()):
        marks = {"marker": "o", "markersize": 4} if i == 0 else {}
        left.plot(*path.T, label=f"{name}, {len(path) - 1} steps", **plots.series(i), **marks)
    plots.legend(plots.tidy(left, "to the minimum at (1, 1)", "x₀", "x₁"), loc="lower left")
    plots.loss_curves(
        sizes,
        right,
        log=True,
        title="digits, linear classifier",
        xlabel="step",
        ylabel="|gradient|",
    )
    print(plots.save(left, folder / "newton.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, steps=200) if quick else main(folder)
