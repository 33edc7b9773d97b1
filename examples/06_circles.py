"""Example 6: circles, and models made of exchangeable parts. Which part matters?

Two noisy rings, 700 points to train and 300 to test. The best that any classifier can do is a
circle between the rings. Run ``python examples/06_circles.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots


def radius(x: tg.Tensor) -> tg.Tensor:
    """Return the distance from the centre, (N, 1): a function is a module, too."""
    return tg.norm(x, axis=1, keepdims=True)


MODELS = {
    "a line": lambda: nn.Linear(2, 1),
    "simple MLP": lambda: nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 1),
    "another σ": lambda: nn.Linear(2, 16) >> nn.Tanh() >> nn.Linear(16, 1),
    "deep MLP": lambda: nn.MLP([2, 16, 16, 16, 1]),
    "residual": lambda: nn.Linear(2, 16) >> nn.ResNetS(16, depth=3, out=1),
    "two branches": lambda: (nn.Linear(2, 8) | nn.Linear(2, 8)) >> nn.ReLU() >> nn.Linear(16, 1),
    "the radius": lambda: radius >> nn.Linear(1, 1),
}


def train(name: str, seed: int, data: tuple, epochs: int) -> nn.Module:
    tg.manual_seed(seed)
    model = MODELS[name]()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    schedule = tg.optim.CosineAnnealingLR(optimizer, T_max=epochs)
    tg.fit(
        model, data, loss="binary_cross_entropy_with_logits", optimizer=optimizer,
        schedule=schedule, epochs=epochs, batch_size=50, progress=False, compile=True,
    )  # fmt: skip
    return model


def main(folder: Path, seeds: int = 3, epochs: int = 60) -> None:
    x, y = tg.data.circles(1000, noise=0.1, factor=0.8, seed=42)
    y = y[:, None].astype(np.float32)
    order = tg.permutation(1000, generator=tg.Generator(0)).numpy()
    train_set, (x_test, y_test) = (x[order[:700]], y[order[:700]]), (x[order[700:]], y[order[700:]])

    best = np.mean((np.linalg.norm(x_test, axis=1) < 0.91) == (y_test[:, 0] > 0))
    print(f"a circle of radius 0.91, the best rule: {best:.1%} of the test points")
    axes = plots.panels(len(MODELS) + 1, columns=4, size=(2.6, 2.9))
    plots.decision_boundary(
        lambda p: 0.91 - np.linalg.norm(p, axis=1), x_test, y_test[:, 0].astype(int), axes[0],
        title=f"the best rule\n{best:.1%}", linestyle="--",
    )  # fmt: skip
    for name, ax in zip(MODELS, axes[1:], strict=True):
        models = [train(name, seed, train_set, epochs) for seed in range(seeds)]
        scores = [tg.evaluate(m, (x_test, y_test), ["accuracy"])["accuracy"] for m in models]
        size = sum(p.size for p in models[0].parameters())
        print(f"  {name:>12}, {size:3} parameters: {np.mean(scores):.1%} (mean of {seeds} seeds)")
        plots.decision_boundary(
            models[0], x_test, y_test[:, 0].astype(int), ax,
            title=f"{name}, {size} parameters\n{np.mean(scores):.1%}",
        )  # fmt: skip
    print("any σ bends the border; one part that fits the data, with two parameters, is as good")
    print(plots.save(axes, folder / "circles.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, seeds=1, epochs=5) if quick else main(folder)
