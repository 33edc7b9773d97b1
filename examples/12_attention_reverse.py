"""Example 12: attention. A transformer learns to reverse sequences, but not without positions.

Attention(Q, K, V) = softmax(QKᵀ/√d) V: each element looks at all, with weights that add up to 1.
Run ``python examples/12_attention_reverse.py [FOLDER] [--quick]``.
"""

from pathlib import Path

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.nn import functional as F

LENGTH, DIGITS, DIM = 10, 10, 32
draw = np.random.default_rng(0)


def why_the_root() -> None:
    """Products of random vectors grow with √d: without the root, softmax picks one and is flat."""
    print("   d   variance of q·k   largest weight of ten, without 1/√d and with")
    for d in (4, 64, 1024):
        q, k = draw.normal(size=(2, 1000, 10, d))
        products = (q[:, :1] * k).sum(axis=-1)
        largest = [
            np.mean(F.softmax(p, axis=-1).max(axis=-1)) for p in (products, products / d**0.5)
        ]
        print(f"{d:>4} {products.var():16.1f} {largest[0]:21.2f} {largest[1]:17.2f}")


def transformer(positions: bool) -> nn.Sequential:
    """Digits → vectors → (positions) → one block with one head → scores of ten digits."""
    where = nn.LearnedEncoding(DIM, LENGTH) if positions else nn.Identity()
    block = nn.TransformerBlock(DIM, heads=1)
    return nn.Embedding(DIGITS, DIM) >> where >> block >> nn.Linear(DIM, DIGITS)


def train(model: nn.Sequential, steps: int) -> list[float]:
    optimizer = tg.optim.Adam(model.parameters(), lr=5e-3)
    schedule = tg.optim.CosineAnnealingLR(optimizer, T_max=steps)

    @tg.compile  # the same numbers, in less time: one step is recorded, then replayed
    def step(x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
        scores = model(x)
        loss = F.cross_entropy(scores.reshape(-1, DIGITS), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for _ in range(steps):
        x = draw.integers(0, DIGITS, (64, LENGTH))
        losses.append(float(step(x, x[:, ::-1].copy())))
        schedule.step()
    return losses


def attention_map(model: nn.Sequential, digits: np.ndarray) -> np.ndarray:
    """Return who looks at whom in the block, (LENGTH, LENGTH)."""
    _, weights = model[2].self_attn(model[:2](digits[None]), need_weights=True)
    return weights.numpy()[0]


def main(folder: Path, steps: int = 400) -> None:
    why_the_root()
    example = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    test = draw.integers(0, DIGITS, (2000, LENGTH))
    axes = plots.panels(3, size=(4.4, 3.9))
    curves = {}
    for name, positions in (("with positions", True), ("without positions", False)):
        tg.manual_seed(0)
        model = transformer(positions)
        if positions:
            plots.attention(
                attention_map(model, example), axes[0], queries=example, title="untrained"
            )
        curves[name] = train(model, steps)
        answers = tg.predict(model, test).argmax(axis=-1)
        right = answers == test[:, ::-1]
        print(f"{name}: {right.all(axis=1).mean():.1%} of 2,000 new sequences reversed exactly,")
        print(f"  {right.mean():.1%} of their digits; 3141592653 becomes", end=" ")
        print(*tg.predict(model, example[None]).argmax(axis=-1)[0], sep="")
        title = f"trained {name}"
        plots.attention(
            attention_map(model, example), axes[1 if positions else 2], queries=example, title=title
        )
        order = draw.permutation(LENGTH)
        with tg.no_grad():
            moved, plain = model(test[:, order]), model(test)[:, order]
        print(f"  shuffled inputs, shuffled outputs? difference {abs(moved - plain).max():.0e}")
    print("without positions, what comes out is shuffled as what goes in, whatever is trained;")
    print("  but to shuffle and then reverse is not to reverse and then shuffle")
    print(plots.save(axes, folder / "attention.png"))
    ax = plots.loss_curves(curves, log=True, title="reversing ten digits", xlabel="step")
    print(plots.save(ax, folder / "attention_losses.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, steps=30) if quick else main(folder)
