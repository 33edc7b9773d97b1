"""Example 15: three things to get right: the first weights, the learning rate, and restraint.

Run ``python examples/15_init_lr_regularization.py [FOLDER] [--quick]``.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import nn, plots

INITS: dict[str, Callable] = {
    "zeros": nn.init.zeros_,
    "0.01 · randn": lambda w: nn.init.normal_(w, std=0.01),
    "PyTorch's default": lambda w: None,
    "Xavier": nn.init.xavier_normal_,
    "He": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "1 · randn": nn.init.normal_,
}
RATES = 10.0 ** np.arange(-4, 1.1, 0.5)
RESTRAINTS = {
    "none": {},
    "weight decay 0.1": {"weight_decay": 0.1},
    "dropout ½": {"dropout": 0.5},
    "label smoothing 0.1": {"smoothing": 0.1},
    "pixels shifted by 1": {"shift": True},
}


def deep(init: Callable) -> nn.Module:
    """Eight layers of ReLU, all weights set by ``init``."""
    model = nn.MLP([64] * 9 + [10])
    for module in model:
        if isinstance(module, nn.Linear):
            init(module.weight)
            nn.init.zeros_(module.bias)
    return model


def accuracy(model: nn.Module, data: tuple) -> float:
    return tg.evaluate(model, data, ["accuracy"])["accuracy"]


def initialization(train: tuple, test: tuple, epochs: int) -> None:
    print("initialization, nine layers:        spread of logits   accuracy")
    for name, init in INITS.items():
        tg.manual_seed(0)
        model = deep(init)
        spread = float(np.std(tg.predict(model, train[0])))
        tg.fit(
            model,
            train,
            loss="cross_entropy",
            epochs=epochs,
            batch_size=64,
            progress=False,
            compile=True,
        )
        print(f"  {name:>20} {spread:28.1e} {accuracy(model, test):12.1%}")


def learning_rates(train: tuple, epochs: int) -> dict[str, list[float]]:
    """Return the last loss of every rate, for two optimizers; nan where it diverges."""
    losses: dict[str, list[float]] = {"SGD, momentum 0.9": [], "Adam": []}
    for name, last in losses.items():
        for lr in RATES:
            tg.manual_seed(0)
            model = nn.MLP([64, 64, 10])
            if name == "Adam":
                optimizer = tg.optim.Adam(model.parameters(), lr=lr)
            else:
                optimizer = tg.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
            try:
                history = tg.fit(
                    model, train, loss="cross_entropy", optimizer=optimizer, epochs=epochs,
                    batch_size=64, progress=False, compile=True,
                )  # fmt: skip
                last.append(history["loss"][-1])
            except tg.DivergenceError:
                last.append(np.nan)
        best = RATES[np.nanargmin(last)]
        print(f"learning rate, {name}: best at {best:.1g}, of {RATES[0]:.0e} to {RATES[-1]:.0f}")
    return losses


def restrained(
    train: tuple, epochs: int, weight_decay: float = 0.0, dropout: float = 0.0,
    smoothing: float = 0.0, shift: bool = False,
) -> nn.Module:  # fmt: skip
    """Train a model that is too large for 150 images, with something to hold it back."""
    tg.manual_seed(0)
    model = nn.Linear(64, 256) >> nn.ReLU() >> nn.Dropout(dropout) >> nn.Linear(256, 10)
    x, y = train
    if shift:  # every image, and moved by one pixel to four sides
        wide = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
        corners = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
        x = np.concatenate([wide[:, i : i + 8, j : j + 8] for i, j in corners]).reshape(-1, 64)
        y = np.tile(y, 5)
        epochs //= 5
    groups = tg.optim.decay_groups(model, weight_decay)  # matrices only, no bias
    tg.fit(
        model, (x, y), loss=nn.CrossEntropyLoss(label_smoothing=smoothing), epochs=max(epochs, 1),
        optimizer=tg.optim.AdamW(groups, lr=3e-3), batch_size=50, progress=False, compile=True,
    )  # fmt: skip
    return model


def main(folder: Path, epochs: int = 15, seeds: int = 6) -> None:
    x_train, x_test, y_train, y_test = digits()
    train, test = (x_train.reshape(-1, 64), y_train), (x_test.reshape(-1, 64), y_test)
    initialization(train, test, epochs)
    losses = learning_rates(train, epochs)

    print("regularization, 150 images:    accuracy on them    on 360 others (mean of splits)")
    for name, options in RESTRAINTS.items():
        found = []
        for split in range(seeds):
            xs, xt, ys, yt = digits(split)
            few, others = (xs[:150].reshape(-1, 64), ys[:150]), (xt.reshape(-1, 64), yt)
            model = restrained(few, 10 * epochs, **options)
            found.append((accuracy(model, few), accuracy(model, others)))
        seen, unseen = np.mean(found, axis=0)
        print(f"  {name:>20} {seen:22.1%} {unseen:16.1%}")

    error = (unseen * (1 - unseen) / (360 * seeds)) ** 0.5
    print(f"  (a standard error of the last column is {error:.1%})")

    (ax,) = plots.panels(1, size=(5.0, 3.5))
    for i, (name, last) in enumerate(losses.items()):
        ax.plot(RATES, last, marker="o^"[i], label=name, **plots.series(i))
    ax.set_xscale("log")
    ax.set_ylim(0, 2.6)
    plots.legend(plots.tidy(ax, f"after {epochs} epochs", "learning rate", "training loss"))
    print(plots.save(ax, folder / "learning_rates.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, epochs=1, seeds=1) if quick else main(folder)
