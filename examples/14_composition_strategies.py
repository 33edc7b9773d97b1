"""Example 14: ways to put modules together: in sequence, in parallel, residual, with a long skip.

``f >> g`` is g ∘ f, ``f + g`` adds, ``f | g`` joins; the same parts, other wiring, and other
Jacobians. Run ``python examples/14_composition_strategies.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots

WIDTH, CLASSES = 16, 3


def layer(outputs: int = WIDTH) -> nn.Sequential:
    """One part: Linear → tanh."""
    return nn.Sequential(nn.Linear(WIDTH, outputs), nn.Tanh())


MIDDLES = {
    "sequence": lambda: layer() >> layer() >> layer() >> layer(),
    "sum": lambda: layer() + layer() + layer() + layer(),
    "mean": lambda: nn.Parallel(layer(), layer(), layer(), layer(), combine="mean"),
    "joined": lambda: layer(4) | layer(4) | layer(4) | layer(4),
    "gate": lambda: nn.Parallel(layer() >> layer(), layer() >> layer(), combine=lambda a, b: a * b),
    "residual": lambda: nn.Sequential(*[nn.Residual(layer()) for _ in range(4)]),
    "long skip": lambda: nn.Skip(layer(), layer(), layer(), layer()),
}


def stretch(block: nn.Module, x: np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest singular value of the block's Jacobian, over some points."""
    jacobians = [tg.jacobian(lambda z: block(z[None])[0], point).numpy() for point in x]
    values = np.linalg.svd(np.stack(jacobians), compute_uv=False)
    return float(np.median(values[:, -1])), float(np.median(values[:, 0]))


def main(folder: Path, seeds: int = 3, epochs: int = 100) -> None:
    f, g, h, k = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.SiLU()
    print("Python's precedence decides, f >> g + h | k is (f >> (g + h)) | k:")
    print(f >> g + h | k)

    data = tg.data.spirals(1000, classes=CLASSES, noise=0.04, turns=0.8, seed=0)
    train, test = [part[:600] for part in data], [part[600:] for part in data]
    axes = plots.panels(len(MIDDLES) + 1, columns=4, size=(2.6, 2.9))
    axes[-1].remove()
    print("\nthe middle of Linear(2, 16) → … → Linear(16, 3), on three spiral arms")
    print("             parameters   singular values at the start    accuracy")
    for (name, build), ax in zip(MIDDLES.items(), axes, strict=False):
        scores = []
        for seed in range(seeds):
            tg.manual_seed(seed)
            middle = build()
            model = nn.Linear(2, WIDTH) >> nn.Tanh() >> middle >> nn.Linear(WIDTH, CLASSES)
            if seed == 0:
                low, high = stretch(middle, model[:2](test[0][:20]))
            tg.fit(
                model, tuple(train), loss="cross_entropy", lr=0.01, epochs=epochs, batch_size=50,
                progress=False, compile=True,
            )  # fmt: skip
            scores.append(tg.evaluate(model, tuple(test), ["accuracy"])["accuracy"])
        size = sum(p.size for p in middle.parameters())
        print(f"  {name:>9} {size:10,}        {low:.4f} to {high:.2f} {np.mean(scores):19.1%}")
        plots.decision_boundary(model, *test, ax, title=f"{name}\n{np.mean(scores):.1%}", alpha=0.4)
    print("a sequence shrinks gradients in most directions, a residual block passes them on")
    print(plots.save(axes[0], folder / "strategies.png"))
    for name, depth in {"sum": 1, "residual": 2, "long skip": 2}.items():
        picture = tg.draw(MIDDLES[name]()(tg.zeros(5, WIDTH)), title=name, depth=depth)
        print(picture.render(folder / f"strategy_{name.replace(' ', '_')}.svg"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, seeds=1, epochs=3) if quick else main(folder)
