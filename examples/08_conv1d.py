"""Example 8: one convolution in three lights: a filter, a matrix Q, a layer that learns.

Run ``python examples/08_conv1d.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.nn import functional as F

LENGTH, SHAPE = 64, 16
SHAPES = {  # three pulses of 16 samples
    "bump": np.sin(np.pi * np.arange(SHAPE) / SHAPE) ** 2,
    "wave": np.sin(2 * np.pi * np.arange(SHAPE) / SHAPE),
    "ramp": 1 - np.arange(SHAPE) / SHAPE,
}


def conv(z: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Slide one kernel over one signal, with zeros around it: shape in, shape out."""
    return F.conv1d(z[None], w[None, None], padding="same")[0]


def as_a_filter(folder: Path) -> None:
    rng = np.random.default_rng(0)
    clean = np.where((np.arange(120) // 30) % 2, 1.0, 0.0)
    noisy = clean + 0.2 * rng.normal(size=120)
    kernels = {"mean of 9": np.full(9, 1 / 9), "edges": np.array([-1.0, -1, -1, 0, 1, 1, 1]) / 3}
    same = [np.convolve(noisy, w[::-1], "same") - conv(noisy, w) for w in kernels.values()]
    print(f"np.convolve with the kernel reversed differs by {np.abs(same).max():.0e}")
    shifted = conv(np.roll(noisy, 10), kernels["edges"])[20:-10]
    moved = np.roll(conv(noisy, kernels["edges"]), 10)[20:-10]
    print(f"a shifted signal gives the shifted result, but for {np.abs(shifted - moved).max():g}")
    ax = plots.panels(size=(6.4, 3.0))[0]
    ax.plot(noisy, color="#9AA0A6", linewidth=0.8, label="signal")
    for i, (name, w) in enumerate(kernels.items()):
        ax.plot(conv(noisy, w), label=name, **plots.series(i))
    plots.tidy(ax, "Two filters", "position")
    plots.legend(ax, ncols=3, loc="lower center")
    print(plots.save(ax, folder / "conv_filter.png"))


def as_a_matrix(folder: Path) -> None:
    m, w = 16, np.array([1.0, 2, 3, -2, -1])
    q, z = F.conv1d_matrix(w, m, padding="same"), np.random.default_rng(1).normal(size=m)
    gap = np.abs(q @ z - conv(z, w)).max()
    print(f"Q z − conv1d(z): {gap:.0e}; the first row of Q starts with w₃: {q[0, :3]}")
    print(f"{w.size} numbers stand in {np.count_nonzero(q)} of the {q.size} places of Q")
    ax = plots.weights(q, title="Q of w = (1 2 3 −2 −1), zeros around", xlabel="z", ylabel="Q z")
    print(plots.save(ax, folder / "conv_matrix.png"))

    z = tg.tensor([[1.0, 0.0, 2.0, -1.0]], requires_grad=True, name="z")
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="w")
    y = F.conv1d(z, w.reshape(1, 1, 3), padding="same").sum()
    y.backward()
    print(tg.draw(y, view="numbers").render(folder / "conv_graph.svg"))


def signals(count: int, first: int, last: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy signals (N, 1, 64) with a pulse that starts between two places, and its kind."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(SHAPES), count)
    x = 0.25 * rng.normal(size=(count, 1, LENGTH))
    for row, label, start in zip(x, labels, rng.integers(first, last, count), strict=True):
        row[0, start : start + SHAPE] += list(SHAPES.values())[label]
    return x.astype(np.float32), labels


MODELS = {
    "convolutions": lambda: (
        nn.Conv1d(1, 8, 9, padding=4) >> nn.ReLU() >> nn.MaxPool1d(2)
        >> nn.Conv1d(8, 16, 5, padding=2) >> nn.ReLU()
        >> nn.AdaptiveMaxPool1d(1) >> nn.Flatten() >> nn.Linear(16, 3)
    ),
    "linear layers": lambda: nn.Flatten() >> nn.MLP([LENGTH, 64, 3]),
}  # fmt: skip


def as_a_classifier(folder: Path, count: int, epochs: int) -> None:
    train = signals(count, 0, 24, seed=0)  # every pulse in the left half
    tests = {"left": signals(1000, 0, 24, seed=1), "right": signals(1000, 24, 48, seed=2)}
    print(f"Which of {', '.join(SHAPES)}? Trained on {count} pulses in the left half;")
    print("                parameters   right on the left half   on the right half")
    for name, build in MODELS.items():
        tg.manual_seed(0)
        model = build()
        tg.fit(
            model, train, loss="cross_entropy", lr=3e-3, epochs=epochs, batch_size=50,
            progress=False,
        )  # fmt: skip
        left, right = (
            tg.evaluate(model, test, ["accuracy"])["accuracy"] for test in tests.values()
        )
        size = sum(p.size for p in model.parameters())
        print(f"  {name:>13} {size:>11,} {left:>20.1%} {right:>20.1%}")
        if name == "convolutions":
            learned = model[0].weight
    ax = plots.filters(learned, title="Eight learned kernels")
    print(plots.save(ax, folder / "conv_kernels.png"))
    axes = plots.panels(3, size=(3.2, 1.8))
    x, labels = tests["right"]
    for label, (name, ax) in enumerate(zip(SHAPES, axes, strict=True)):
        ax.plot(x[np.argmax(labels == label), 0], color=plots.series(label)["color"])
        ax.set_ylim(-1.7, 1.7)
        plots.tidy(ax, f"{name}, in the right half")
    print(plots.save(axes, folder / "conv_signals.png"))


def main(folder: Path, count: int, epochs: int) -> None:
    as_a_filter(folder)
    as_a_matrix(folder)
    as_a_classifier(folder, count, epochs)


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, 300, 3) if quick else main(folder, 1000, 20)
