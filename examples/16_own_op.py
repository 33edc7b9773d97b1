"""Example 16: an op of your own. One record, and everything else comes with it.

Snake, x + sin²(x), keeps the trend of its input and adds a wave: good for periodic data. Run
``python examples/16_own_op.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots

snake = tg.op(
    "snake",
    lambda x: x + np.sin(x) ** 2,
    vjps=[
        lambda g, y, x: g * (1 + tg.sin(2 * x))
    ],  # in ops of tinygraph: so it has derivatives too
    saves="x",
    formula="x + sin(x) · sin(x)",
    local=["1 + sin(2 · x)"],
)


def check() -> None:
    """Compare with central differences: value, first and second derivative."""
    x = tg.tensor(np.linspace(-3, 3, 13), requires_grad=True)
    tg.gradcheck(snake, x)
    tg.gradgradcheck(snake, x)
    print("gradcheck and gradgradcheck: the rule is right, and so is the rule's own derivative")
    third = x
    for _ in range(3):
        y = snake(x) if third is x else third
        (third,) = tg.grad(y.sum(), [x], create_graph=True)
    error = np.abs(third.numpy() + 4 * np.sin(2 * x.numpy())).max()
    print(f"third derivative: −4 sin 2x to {error:.0e}")

    wrong = tg.op(
        "snake_with_a_slip", lambda x: x + np.sin(x) ** 2, saves="x",
        vjps=[lambda g, y, x: g * (1 + tg.sin(x))],
    )  # fmt: skip
    try:
        tg.gradcheck(wrong, x)
    except tg.GradcheckError as error:
        print("a slip in the rule is found:", *str(error).splitlines()[:3], sep="\n  ")


def extrapolate(epochs: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Learn a wave on a slope between −6 and 6, and go on from there to 18."""
    x = tg.linspace(-6, 18, 400)[:, None].numpy()
    y = (np.sin(2 * x) + x / 3).astype(np.float32)
    known = x[:, 0] < 6
    guesses = {}
    for name, activation in (("ReLU", nn.ReLU), ("tanh", nn.Tanh), ("snake", snake)):
        tg.manual_seed(0)
        model = nn.MLP([1, 64, 64, 1], activation=activation)
        tg.fit(
            model, (x[known], y[known]), loss="mse", lr=3e-3, epochs=epochs, batch_size=50,
            progress=False, compile=True,
        )  # fmt: skip
        guesses[name] = tg.predict(model, x)
        inside, outside = (np.mean((guesses[name] - y)[k] ** 2) ** 0.5 for k in (known, ~known))
        print(f"  {name:>5}: error {inside:.3f} where it was trained, {outside:.3f} beyond")
    return x, y, guesses


def main(folder: Path, epochs: int = 400) -> None:
    check()
    x, y = tg.variables(x=1.0, y=2.0)
    f = snake(x * y)
    f.backward()
    print(f"in a graph: f = {f:.4f}, ∂f/∂x = {x.grad:.4f}")
    print(tg.draw(f, names={"f": f}).render(folder / "own_op.svg"))

    x, y, guesses = extrapolate(epochs)
    left, right = plots.panels(2)
    plots.activation_curves(snake, left, order=2)
    right.plot(x, y, color="#AEB8C2", linewidth=4, label="truth")
    for i, (name, guess) in enumerate(guesses.items()):
        right.plot(x, guess, label=name, **plots.series(i))
    right.axvline(6, color="#AEB8C2", linewidth=1)
    right.set_ylim(-4, 10)
    plots.tidy(right, "trained on the left of the line", "x")
    plots.legend(right, loc="upper left")
    print(plots.save(left, folder / "own_op_curves.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, epochs=5) if quick else main(folder)
