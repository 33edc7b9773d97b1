"""Example 7: batch, layer, group and instance norm: which numbers share a mean, and what follows.

Run ``python examples/07_normalizations.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments, digits
from matplotlib.colors import ListedColormap

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.check import properties
from tinygraph.nn import functional as F

MAPS = {
    "batch norm": lambda x: F.batch_norm(x, None, None, training=True),
    "layer norm": lambda x: F.layer_norm(x, x.shape[1:]),
    "group norm, 2 groups": lambda x: F.group_norm(x, 2),
    "instance norm": F.instance_norm,
}
BATCHES = (2, 4, 8, 16, 32, 64)
WIDTH = 64
LAYERS = {
    "batch norm": lambda: nn.BatchNorm1d(WIDTH),
    "layer norm": lambda: nn.LayerNorm(WIDTH),
    "group norm": lambda: nn.GroupNorm(8, WIDTH),
    "no norm": nn.Identity,
}


def dependence(norm) -> np.ndarray:
    """Return which inputs (N, C, L) the very first result depends on: where its gradient is."""
    x = tg.tensor(np.random.default_rng(0).normal(size=(4, 4, 5)), requires_grad=True)
    norm(x)[0, 0, 0].backward()
    return x.grad != 0


def noise(norm, sizes: tuple[int, ...], draws: int = 300) -> list[float]:
    """Return how much the result for one element varies with the rest of its batch."""
    rng = np.random.default_rng(1)
    first, found = rng.normal(size=(1, 8, 1)), []
    for size in sizes:
        rest = rng.normal(size=(draws, size - 1, 8, 1))
        results = [norm(np.concatenate([first, other]))[0] for other in rest]
        found.append(float(np.std(results, axis=0).mean()))
    return found


def accuracy(layer, size: int, epochs: int, seed: int) -> float:
    """Train on digits with a norm before each ReLU; return the share of right answers."""
    x_train, x_test, y_train, y_test = digits()
    tg.manual_seed(seed)
    hidden = [nn.Linear(WIDTH, WIDTH) >> layer() >> nn.ReLU() for _ in range(3)]
    model = nn.Flatten() >> nn.Sequential(*hidden) >> nn.Linear(WIDTH, 10)
    data = tg.data.TensorDataset(x_train, y_train)
    batches = tg.data.DataLoader(data, size, shuffle=True, drop_last=True)  # one is too few for BN
    tg.fit(
        model, batches, loss="cross_entropy", lr=1e-3, epochs=epochs, progress=False, compile=True
    )
    return tg.evaluate(model, (x_test, y_test), ["accuracy"])["accuracy"]


def draw_dependence(folder: Path) -> None:
    axes = plots.panels(4, columns=2, size=(4.4, 1.7))
    for (name, norm), ax in zip(MAPS.items(), axes, strict=True):
        shared = dependence(norm)
        print(f"  {name:>20}: on {shared.sum():2d} of {shared.size}")
        colors = ["white", plots.series(0)["color"]]
        ax.pcolormesh(shared.reshape(4, 20), cmap=ListedColormap(colors), edgecolors="#C4CAD0")
        ax.vlines(range(0, 21, 5), 0, 4, colors="#5F6B76", linewidth=1.5)
        ax.invert_yaxis()
        ax.set_xticks([2.5, 7.5, 12.5, 17.5], [f"channel {c}" for c in range(4)])
        ax.set_yticks([0.5, 1.5, 2.5, 3.5], range(4))
        ax.plot(0.5, 0.5, marker="o", **plots.series(1))
        plots.tidy(ax, f"{name}: what ● depends on", ylabel="element")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    print(plots.save(axes, folder / "norm_axes.png"))


def draw_layer_norm(folder: Path) -> None:
    z = tg.tensor([[1.0, 3.0, 8.0]], requires_grad=True, name="z")
    first = nn.LayerNorm(3)(z)[0, 0]
    first.backward()
    print(f"The gradient of LN(z)₀ by z adds up to {z.grad.sum():.0e}: no shift has an effect")
    print(tg.draw(first).render(folder / "layer_norm.svg"))


def draw_batches(folder: Path, scores: dict[str, list[float]], sizes: tuple[int, ...]) -> None:
    left, right = axes = plots.panels(2, size=(4.6, 3.2))
    for i, name in enumerate(("batch norm", "layer norm")):
        line = noise(MAPS[name], BATCHES)
        left.plot(BATCHES, line, marker="o", label=name, **plots.series(i))
    for i, (name, line) in enumerate(scores.items()):
        right.plot(sizes, line, marker="o", label=name, **plots.series(i))
    for ax in axes:
        ax.set_xscale("log", base=2)
        ax.set_xticks(BATCHES, map(str, BATCHES))
        plots.legend(ax)
    plots.tidy(left, "Noise by the rest of the batch", "batch size", "deviation of a result")
    plots.tidy(right, "Digits, right on held-out images", "batch size in training")
    print(plots.save(axes, folder / "norm_batches.png"))


def main(folder: Path, sizes: tuple[int, ...], epochs: int, seeds: int) -> None:
    print(properties.report("layer-norm-takes", "layer-norm-keeps", "layer-norm-and-learning"))
    print(properties.report("norms-as-the-batch", "group-norm-between"))
    print("\nOf 4 elements × 4 channels × 5 positions the first result depends")
    draw_dependence(folder)
    draw_layer_norm(folder)
    print(f"Digits, held-out accuracy, {epochs} epochs, mean of {seeds} seeds; batches of")
    print(" " * 10 + "".join(f"{size:>8}" for size in sizes))
    scores = {}
    for name, layer in LAYERS.items():
        found = [[accuracy(layer, size, epochs, k) for k in range(seeds)] for size in sizes]
        scores[name] = np.mean(found, axis=1)
        print(f"{name:>10}" + "".join(f"{score:8.1%}" for score in scores[name]))
    draw_batches(folder, scores, sizes)


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, (64, 16), 1, 1) if quick else main(folder, (64, 16, 4, 2), 4, 2)
