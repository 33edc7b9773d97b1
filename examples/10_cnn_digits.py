"""Example 10: a convolutional network reads digits, and what a shift by a pixel does to it.

Run ``python examples/10_cnn_digits.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import nn, plots


def conv(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution that keeps the size → batch norm → ReLU."""
    return nn.Conv2d(inputs, outputs, 3, padding=1) >> nn.BatchNorm2d(outputs) >> nn.ReLU()


def cnn() -> nn.Sequential:
    """8×8 pixels → 4×4 → 2×2, with more channels each time → ten scores."""
    features = conv(1, 16) >> conv(16, 32) >> nn.MaxPool2d(2) >> conv(32, 64) >> nn.MaxPool2d(2)
    return features >> nn.Flatten() >> nn.Dropout(0.25) >> nn.Linear(64 * 4, 10)


def small() -> nn.Sequential:
    """12×12 pixels → 6×6 places with 32 channels each."""
    return conv(1, 16) >> conv(16, 16) >> nn.MaxPool2d(2) >> conv(16, 32)


SHIFTED = {
    "MLP": lambda: nn.Flatten() >> nn.MLP([144, 128, 128, 10]),
    "CNN, a weight for each place": lambda: (
        small() >> nn.MaxPool2d(2) >> nn.Flatten() >> nn.Linear(32 * 9, 10)
    ),
    "CNN, the maximum over all places": lambda: (
        small() >> nn.AdaptiveMaxPool2d(1) >> nn.Flatten() >> nn.Linear(32, 10)
    ),
}


def fit(model: nn.Module, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    optimizer = tg.optim.AdamW(tg.optim.decay_groups(model, 0.05), lr=3e-3)
    steps = epochs * -(-len(x) // 64)
    rate = tg.optim.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    tg.fit(
        model, (x, y), loss="cross_entropy", optimizer=optimizer, epochs=epochs, batch_size=64,
        schedule=tg.train.ScheduleCallback(rate, every="batch"), progress=False, compile=True,
    )  # fmt: skip


def accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    return tg.evaluate(model, (x, y), ["accuracy"])["accuracy"]


def draw_model(folder: Path, model: nn.Sequential, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the first filters, what they make of one digit, and digits that were read wrong."""
    axes = plots.panels(2, columns=1, size=(6.0, 2.6))
    plots.filters(model[0].weight, axes[0], title="the sixteen filters of the first layer")
    maps = model.eval()[:3](x[:1]).numpy()[0]
    plots.images(
        maps, ax=axes[1], columns=8, title=f"what they, batch norm and ReLU make of a {y[0]}"
    )
    print(plots.save(axes, folder / "cnn_filters.png"))
    guess = tg.predict(model, x).argmax(axis=1)
    order = np.argsort(guess == y, kind="stable")[:12]
    pairs = zip(guess[order], y[order], strict=True)
    captions = [f"{g}" if g == truth else f"{g} (is {truth})" for g, truth in pairs]
    ax = plots.images(x[order], captions, marked=guess[order] != y[order])
    print(plots.save(ax, folder / "cnn_mistakes.png"))


def three_splits(folder: Path, epochs: int, seeds: int) -> None:
    """Train on three splits; draw the filters and the mistakes of the first."""
    scores = []
    for seed in range(seeds):
        x_train, x_test, y_train, y_test = digits(seed)
        tg.manual_seed(seed)
        model = cnn()
        fit(model, x_train, y_train, epochs)
        scores.append(accuracy(model, x_test, y_test))
        if seed == 0:
            print(tg.summary(model, (1, 1, 8, 8)))
            draw_model(folder, model, x_test, y_test)
    print(f"accuracy on the held-out fifth, {seeds} splits: {np.mean(scores):.2%}", end=" (")
    print(*(f"{s:.2%}" for s in scores), sep=", ", end=")\n")


def shifts(folder: Path, epochs: int) -> None:
    """Train on digits in the middle of 12×12 pixels; test on digits moved by 0, 1 and 2."""
    x_train, x_test, y_train, y_test = digits()
    wide = ((0, 0), (0, 0), (2, 2), (2, 2))
    x_train, x_test = np.pad(x_train, wide), np.pad(x_test, wide)
    print("trained in the middle, tested after a shift by          0      1      2 pixels")
    (ax,) = plots.panels(1, size=(4.6, 3.2))
    for i, (name, build) in enumerate(SHIFTED.items()):
        tg.manual_seed(0)
        model = build()
        fit(model, x_train, y_train, epochs)
        means = []
        for s in (0, 1, 2):
            ways = [(a, b) for a in (-s, 0, s) for b in (-s, 0, s) if a or b or not s]
            moved = [np.roll(x_test, way, axis=(2, 3)) for way in ways]
            means.append(np.mean([accuracy(model, x, y_test) for x in moved]))
        size = sum(p.size for p in model.parameters())
        print(f"  {name:>32}, {size:6,} params", *(f"{m:6.1%}" for m in means))
        ax.plot([0, 1, 2], means, marker="o^s"[i], label=name, **plots.series(i))
    ax.set_xticks([0, 1, 2])
    ax.set_ylim(0, 1.05)
    plots.tidy(ax, "digits moved", "pixels", "accuracy")
    plots.legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    print("convolution moves with its input, and so does a pooling by 2, but only by 2 pixels:")
    print("  that is why the last model minds a shift by 1 more than one by 2")
    print(plots.save(ax, folder / "cnn_shifts.png"))


def main(folder: Path, epochs: int = 12, seeds: int = 3) -> None:
    three_splits(folder, epochs, seeds)
    shifts(folder, epochs)


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, epochs=1, seeds=1) if quick else main(folder)
