"""Example 13: a character model reads Python's own help texts, and writes some.

It predicts the next character from all before it, and is paid in bits: −log₂ of the probability
it gave to what came. Run ``python examples/13_characters.py [FOLDER] [--quick]``.
"""

import lzma
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from common import arguments

import tinygraph as tg
from tinygraph import nn, plots
from tinygraph.nn import functional as F

TEXT = "\n".join(topics[name] for name in sorted(topics))
CHARACTERS = sorted(set(TEXT))
CODES = np.array([CHARACTERS.index(c) for c in TEXT])
TRAIN, TEST = np.split(CODES, [int(0.9 * len(CODES))])
LENGTH = 64


class CharacterModel(nn.Module):
    """Character → vector → GRU, which carries what came before → scores of the next one."""

    def __init__(self, hidden: int = 160):
        super().__init__()
        self.embed = nn.Embedding(len(CHARACTERS), 32)
        self.memory = nn.GRU(32, hidden)
        self.score = nn.Linear(hidden, len(CHARACTERS))

    def forward(self, codes, state=None):
        z, state = self.memory(self.embed(codes), state)
        return self.score(z), state


def train(model: CharacterModel, steps: int) -> list[float]:
    """Show it random pieces of the text; return the bits of each step."""
    optimizer = tg.optim.AdamW(tg.optim.decay_groups(model, 0.05), lr=1e-2)
    schedule = tg.optim.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)

    @tg.compile
    def step(x, y):
        scores = model(x)[0].reshape(-1, len(CHARACTERS))
        loss = F.cross_entropy(scores, y.reshape(-1)) / np.log(2).item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    draw = np.random.default_rng(0)
    bits = []
    for _ in range(steps):
        x = draw.integers(0, len(TRAIN) - LENGTH - 1, (32, 1)) + np.arange(LENGTH)
        bits.append(float(step(TRAIN[x], TRAIN[x + 1])))
        schedule.step()
    return bits


def bits_of(model: CharacterModel, codes: np.ndarray) -> np.ndarray:
    """Return the bits of every character after the first, read in one go."""
    with tg.no_grad():
        scores = model(codes[None, :-1])[0].numpy()[0]
    return -F.log_softmax(scores, axis=-1)[np.arange(len(codes) - 1), codes[1:]] / np.log(2)


def write(model: CharacterModel, start: str, length: int, temperature: float) -> str:
    """Draw one character after the other."""
    draw = np.random.default_rng(1)
    text, state = list(start), None
    codes = np.array([[CHARACTERS.index(c) for c in start]])
    with tg.no_grad():
        for _ in range(length):
            scores, state = model(codes, state)
            chances = F.softmax(scores.numpy()[0, -1].astype(np.float64) / temperature, axis=-1)
            codes = draw.choice(len(CHARACTERS), size=(1, 1), p=chances)
            text.append(CHARACTERS[codes[0, 0]])
    return "".join(text)


def baselines() -> dict[str, float]:
    """Return bits for each held-out character, by counting pairs, and by a file compressor."""
    pairs = np.full((len(CHARACTERS), len(CHARACTERS)), 0.1)
    np.add.at(pairs, (TRAIN[:-1], TRAIN[1:]), 1)
    chances = pairs / pairs.sum(axis=1, keepdims=True)
    known, both = (len(lzma.compress(t.encode())) for t in (TEXT[: len(TRAIN)], TEXT))
    return {
        "any character, equally": np.log2(len(CHARACTERS)),
        "pairs counted (bigram)": -np.log2(chances[TEST[:-1], TEST[1:]]).mean(),
        "lzma, after the rest": 8 * (both - known) / len(TEST),
    }


def draw_surprise(ax, bits: np.ndarray, codes: np.ndarray, columns: int = 60) -> None:
    """Write a text, each character on a ground as dark as it was surprising."""
    rows = len(bits) // columns
    shown = bits[: rows * columns].reshape(rows, columns)
    image = ax.imshow(shown, cmap="Greens", vmin=0, vmax=8, aspect=1.7)
    for (row, column), value in np.ndenumerate(shown):
        letter = CHARACTERS[codes[1 + row * columns + column]].replace("\n", "↵")
        ax.text(column, row, letter, ha="center", va="center", fontsize=8, parse_math=False,
                color="white" if value > 5 else "#1F2933")  # fmt: skip
    plots.tidy(ax, "held-out text, darker where it did not see the character coming")
    ax.axis("off")
    ax.figure.colorbar(image, cax=ax.inset_axes([1.01, 0, 0.012, 1]), label="bits")


def main(folder: Path, steps: int = 1000, read: int = len(TEST)) -> None:
    tg.manual_seed(0)
    model = CharacterModel()
    print(f"{len(TEXT):,} characters, {len(CHARACTERS)} different ones, a tenth held out")
    learned = train(model, steps)
    print("bits for each held-out character:")
    counted = baselines()
    for name, bits in counted.items():
        print(f"  {name:>24} {bits:.2f}")
    surprise = bits_of(model, TEST[:read])
    size = sum(p.size for p in model.parameters())
    print(f"  {f'GRU, {size:,} parameters':>24} {surprise.mean():.2f}")
    print("(lzma finds whole sentences again: the texts repeat themselves)")
    print("it writes:\n  " + write(model, "The ", 400, temperature=0.6).replace("\n", "\n  "))

    blocks = np.mean(np.reshape(learned[: steps // 10 * 10], (-1, 10)), axis=1)
    (ax,) = plots.panels(1)
    ax.plot(np.arange(5, 10 * len(blocks), 10), blocks, label="GRU, training", **plots.series(0))
    bigram = counted["pairs counted (bigram)"]
    ax.axhline(bigram, label="bigram, held out", **plots.series(1))
    ax.axhline(surprise.mean(), label="GRU, held out", **plots.series(2))
    ax.set_ylim(0, 7)
    plots.legend(plots.tidy(ax, "Python's help texts", "step", "bits per character"))
    print(plots.save(ax, folder / "characters.png"))
    (ax,) = plots.panels(1, size=(8.5, 2.6))
    draw_surprise(ax, surprise[10_000:10_600], TEST[10_000:])
    print(plots.save(ax, folder / "characters_surprise.png"))


if __name__ == "__main__":
    folder, quick = arguments(__doc__)
    main(folder, steps=20, read=10_700) if quick else main(folder)
