"""Example 9: thirty layers deep, plain and residual, and why the last weights should start small.

Res(z) = z + σ(MM(σ(MM(z)))) has the Jacobian I + ∂σ(…)/∂z. The I keeps gradients from vanishing,
but it does not keep them from exploding. Run ``python examples/09_residual.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.nn import functional as F

WIDTH, BLOCKS = 32, 15


def plain() -> nn.Sequential:
    """64 → 32, thirty times Linear and ReLU, 32 → 10."""
    return nn.Linear(64, WIDTH) >> nn.MLP([WIDTH] * 31) >> nn.ReLU() >> nn.Linear(WIDTH, 10)


def residual() -> nn.Sequential:
    """64 → 32, fifteen residual blocks of two layers each, 32 → 10."""
    return nn.Linear(64, WIDTH) >> nn.ResNetS(WIDTH, BLOCKS, out=10)


def he(model: nn.Sequential) -> nn.Sequential:
    """Start every weight with variance 2/inputs: it keeps the signal's size through plain ReLUs."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return model


def last_times(scale: float) -> nn.Sequential:
    """He, and then the last weight of each branch scaled: every block starts near the identity."""
    model = he(residual())
    for block in model[1][:-1]:
        block.f[2].weight.data = block.f[2].weight.data * scale
    return model


STACKS = {
    "plain, PyTorch's default": plain,
    "plain, He": lambda: he(plain()),
    "residual, He": lambda: he(residual()),
    "residual, last × 0.1": lambda: last_times(0.1),
    "residual, last × 0": lambda: last_times(0.0),
}

PICTURED = ("plain, PyTorch's default", "residual, He", "residual, last × 0.1")


def main(folder: Path, seeds: int = 3, epochs: int = 20) -> None:
    x_train, x_test, y_train, y_test = digits()
    x_train, x_test = x_train.reshape(-1, 64), x_test.reshape(-1, 64)
    axes = plots.panels(3, size=(5.2, 3.4))
    curves = {}
    print("                            gradient of the first layer   accuracy after")
    print("                            in units of the last one's    training")
    for name, build in STACKS.items():
        scores, ratios = [], []
        for seed in range(seeds):
            tg.manual_seed(seed)
            model = build()
            loss = F.cross_entropy(model(x_train[:256]), y_train[:256])
            flow = tg.gradient_flow(model, loss)
            ratios.append(flow.activations[0].rms / flow.activations[-1].rms)
            if seed == 0 and name in PICTURED:
                ax = plots.gradient_flow(flow, axes[PICTURED.index(name)], title=name)
                ax.set_ylim(1e-16, 1e6)
            history = tg.fit(
                model, (x_train, y_train), loss="cross_entropy", lr=1e-3, epochs=epochs,
                batch_size=64, progress=False, compile=True,
            )  # fmt: skip
            scores.append(tg.evaluate(model, (x_test, y_test), ["accuracy"])["accuracy"])
        curves[name] = history["loss"]
        print(f"  {name:>24}  {np.median(ratios):20.0e}          {np.mean(scores):12.1%}")
    print("With nothing to add, × 0, the branch also learns nothing: behind relu(0) no gradient.")
    print(plots.save(axes, folder / "residual_gradients.png"))
    ax = plots.loss_curves(curves, log=True, title="30 layers deep, digits")
    print(plots.save(ax, folder / "residual_losses.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, seeds=1, epochs=2) if quick else main(folder)
