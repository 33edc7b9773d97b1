"""Example 3: one matrix product, MM(z) = Wz + b. Is it linear? And why does one scale inputs?

Run ``python examples/03_house_prices.py [FOLDER]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.nn import functional as F

FEATURES = ("square feet", "bedrooms", "age", "location")
HOUSES = np.array([[2000, 3, 10, 8.5], [1500, 2, 5, 7.0], [3000, 4, 15, 9.0], [1200, 1, 3, 6.5]])
MODELS = ("price-focused", "balanced", "budget-focused")
W = np.array([[100, 5000, -1000, 2000], [75, 3000, -500, 1500], [50, 2000, -200, 1000]])
B = np.array([50_000, 75_000, 100_000])


def forward(folder: Path) -> None:
    """Three models at once are one MM with three rows; with a bias it is affine, not linear."""
    mm = nn.Linear(4, 3).astype(np.float64)
    mm.load_state_dict({"weight": W, "bias": B})
    prices, doubled = mm(HOUSES).numpy(), mm(2 * HOUSES).numpy()
    for i, row in enumerate(prices):
        print(f"house {i + 1}: " + ", ".join(f"{p:,.0f} $" for p in row))
    print("double the features, and the price is less than double; 2 · MM(z) − MM(2z) =")
    print(f"  {2 * prices[0] - doubled[0]}, which is b: MM is linear only without its bias")
    off = np.abs(2 * prices - doubled - B).max()
    print(f"  largest difference from b: {off:.0e}")

    left, right = plots.panels(2)
    plots.weights(W / np.abs(W).max(axis=0), left, title="W, each column by its largest")
    left.set_xticks(range(4), FEATURES)
    left.set_yticks(range(3), MODELS)
    prices, doubled = prices / 1000, doubled / 1000
    right.plot(prices.ravel(), doubled.ravel(), "o", color="#005A9C", label="MM(2z)")
    span = np.array([0, prices.max()])
    right.plot(span, 2 * span, label="if it were linear: 2 MM(z)", **plots.series(1))
    plots.tidy(right, "doubled houses", "MM(z) in 1,000 $", "in 1,000 $")
    plots.legend(right)
    print(plots.save(left, folder / "house_models.png"))


def market(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return houses of all kinds, and prices by the first model, 10,000 $ more or less."""
    draw = np.random.default_rng(0)
    low, high = [800, 1, 0, 5], [3500, 5, 40, 10]
    houses = draw.uniform(low, high, (n, 4))
    return houses, houses @ W[0] + B[0] + draw.normal(0, 10_000, n)


def descend(x: np.ndarray, y: np.ndarray, steps: int) -> tuple[nn.Linear, list[float], float]:
    """Train one MM from 0 by gradient descent, with a step as long as its curvature allows."""
    model = nn.Linear(4, 1).astype(np.float64)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    curvature = tg.hessian(lambda w: F.mse_loss(x @ w[:4] + w[4], y), np.zeros(5))
    eigenvalues = np.linalg.eigvalsh(curvature.numpy())
    optimizer = tg.optim.SGD(model.parameters(), lr=1 / eigenvalues[-1])
    losses = []
    for _ in range(steps):
        loss = F.mse_loss(model(x)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item() ** 0.5)
    return model, losses, eigenvalues[-1] / eigenvalues[0]


def main(folder: Path, steps: int = 1000) -> None:
    forward(folder)
    houses, prices = market()
    scale, money = tg.data.Standardize(houses), tg.data.Standardize(prices)
    curves = {}
    for name, x in (("as they are", houses), ("scaled", scale(houses))):
        model, errors, condition = descend(x, money(prices), steps)
        curves[f"features {name}"] = np.array(errors) * money.std / 1000
        print(f"features {name}: largest curvature {condition:.2g} times the smallest,")
        print(f"  after {steps} steps {errors[-1] * money.std:,.0f} $ off (10,000 $ are noise)")
    found = model.weight.numpy()[0] * money.std / scale.std  # back to dollars for each unit
    exact = np.linalg.lstsq(np.c_[houses, np.ones(len(houses))], prices, rcond=None)[0]
    print(f"{'dollars for each':>20}    truth  least squares  trained, scaled")
    for k, name in enumerate(FEATURES):
        print(f"{name:>20} {W[0, k]:8,.0f} {exact[k]:14,.1f} {found[k]:16,.1f}")
    ax = plots.loss_curves(
        curves, title="one MM, gradient descent", xlabel="step", ylabel="error in 1,000 $ (rms)"
    )
    ax.set_xscale("log")
    print(plots.save(ax, folder / "house_losses.png"))


if __name__ == "__main__":
    main(arguments(__doc__)[0])
