"""Example 5: modules composed: how far activations spread, both graphs, and a slip with its error.

Run ``python examples/05_composition.py [FOLDER]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots


def sigmoid_after(*widths: int) -> nn.Sequential:
    """Linear → ReLU → … → Linear → Sigmoid."""
    return nn.Sequential(*nn.MLP(widths), nn.Sigmoid())


def parameters() -> tuple[np.ndarray, list[np.ndarray]]:
    """Return 100 points and three small weights; biases are zero."""
    draw = np.random.RandomState(42)
    x = draw.randn(100, 2).astype(np.float32)
    return x, [(draw.randn(*shape) * 0.1).astype(np.float32) for shape in ((5, 2), (3, 5), (1, 3))]


def fill(model: nn.Sequential, weights: list[np.ndarray]) -> nn.Sequential:
    """Copy the weights in, and zeros for the biases."""
    linear = [module for module in model if isinstance(module, nn.Linear)]
    for module, weight in zip(linear, weights, strict=True):
        module.load_state_dict({"weight": weight, "bias": np.zeros(len(weight))})
    return model


def main(folder: Path) -> None:
    x, (w1, w2, w3) = parameters()

    print("Linear(2, 5) → ReLU → Linear(3, 1): the widths do not meet, and the error says where:")
    slip = nn.Linear(2, 5) >> nn.ReLU() >> nn.Linear(3, 1)
    try:
        slip(x[:5])
    except tg.ShapeError as error:
        print(f"  {error}")

    short = fill(sigmoid_after(2, 5, 1), [w1, w2[:1]])
    deep = fill(sigmoid_after(2, 5, 3, 1), [w1, w2, w3])
    axes = plots.panels(2, columns=1, size=(6.0, 2.3))
    for name, model, ax in (("short", short, axes[0]), ("deep", deep, axes[1])):
        probability = model(x)
        print(f"{name}: probabilities from {probability.min():.4f} to {probability.max():.4f}")
        plots.activation_ranges(model, x, ax, title=f"{name}: ranges of the activations")
        picture = tg.draw(model(x[:5]), title=f"{name}: five points")
        print(" ", picture.render(folder / f"composition_{name}.svg"))
    print(" ", plots.save(axes, folder / "composition_ranges.png"))

    print("weights of 0.1 let every layer shrink the signal, and the answer hardly depends on x;")
    he = sigmoid_after(2, 5, 3, 1)
    tg.manual_seed(0)
    for module in he:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    for name, model in (("0.1 · randn", deep), ("He: randn · √(2/inputs)", he)):
        print(f"  {name}: standard deviation of the answers {model(x).std():.4f}")


if __name__ == "__main__":
    main(arguments(__doc__)[0])
