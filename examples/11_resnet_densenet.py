"""Example 11: ResNet and DenseNet on digits: two ways to let a layer see what was before.

A residual block adds to its input; a dense layer gets all earlier features of its block, joined.
Run ``python examples/11_resnet_densenet.py [FOLDER] [--quick]``.
"""

import time
from pathlib import Path

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import nn, plots


def head(channels: int) -> nn.Sequential:
    """The mean over all places → ten scores."""
    return nn.AdaptiveAvgPool2d(1) >> nn.Flatten() >> nn.Linear(channels, 10)


def plain() -> nn.Sequential:
    """Seven convolutions, one after the other."""

    def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
        return (
            nn.Conv2d(inputs, outputs, 3, stride, padding=1) >> nn.BatchNorm2d(outputs) >> nn.ReLU()
        )

    body = conv(1, 16) >> conv(16, 16) >> conv(16, 16)
    return body >> conv(16, 32, 2) >> conv(32, 32) >> conv(32, 32) >> conv(32, 32) >> head(32)


def resnet(order: str) -> nn.Sequential:
    """One convolution and three blocks of two: 8×8 places, then 4×4."""
    blocks = [nn.ResBlock(16, 16, order=order), nn.ResBlock(16, 32, stride=2, order=order)]
    last = nn.ResBlock(32, 32, order=order)
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), *blocks, last, *head(32))


def densenet() -> nn.Sequential:
    """Two dense blocks of three layers, 1×1 convolution and pooling between them."""
    first, second = nn.DenseBlock(16, growth=8, layers=3), nn.DenseBlock(24, growth=8, layers=3)
    between = nn.Conv2d(first.out_channels, 24, 1) >> nn.BatchNorm2d(24) >> nn.AvgPool2d(2)
    stem = nn.Conv2d(1, 16, 3, padding=1) >> nn.ReLU()
    return stem >> first >> between >> second >> nn.BatchNorm2d(48) >> head(48)


MODELS = {
    "plain": plain,
    "ResNet, BN after σ": lambda: resnet("conv-relu-bn"),
    "ResNet, BN before σ": lambda: resnet("conv-bn-relu"),
    "DenseNet": densenet,
}


def main(folder: Path, epochs: int = 8, seeds: int = 3) -> None:
    curves = {}
    print(
        "                         parameters   accuracy, held out (mean of splits)   seconds each"
    )
    for name, build in MODELS.items():
        scores, start = [], time.perf_counter()
        for seed in range(seeds):
            x_train, x_test, y_train, y_test = digits(seed)
            tg.manual_seed(seed)
            model = build()
            optimizer = tg.optim.AdamW(tg.optim.decay_groups(model, 0.05), lr=4e-3)
            rate = tg.optim.OneCycleLR(optimizer, 4e-3, total_steps=epochs * -(-len(x_train) // 64))
            history = tg.fit(
                model, (x_train, y_train), loss="cross_entropy", optimizer=optimizer, epochs=epochs,
                schedule=tg.train.ScheduleCallback(rate, every="batch"), batch_size=64,
                progress=False, compile=True,
            )  # fmt: skip
            scores.append(tg.evaluate(model, (x_test, y_test), ["accuracy"])["accuracy"])
        curves[name] = history["loss"]
        size = sum(p.size for p in model.parameters())
        seconds = (time.perf_counter() - start) / seeds
        print(f"  {name:>20} {size:12,} {np.mean(scores):14.2%} {seconds:35.1f}")
    print("Seven layers are not deep: every wiring will do. Example 9 has thirty.")
    ax = plots.loss_curves(curves, log=True, title="digits", ylabel="training loss")
    print(plots.save(ax, folder / "resnet_losses.png"))

    x = tg.zeros(2, 16, 8, 8, requires_grad=True)
    block, dense = nn.ResBlock(16, 32, stride=2), nn.DenseBlock(16, growth=8, layers=3)
    for name, module in (("resblock", block), ("denseblock", dense)):
        picture = tg.draw(module(x), title=name, names={"x": x}, view="architecture")
        print(picture.render(folder / f"{name}.svg"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, epochs=1, seeds=1) if quick else main(folder)
