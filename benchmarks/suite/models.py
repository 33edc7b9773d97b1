"""The models, written once for every library whose modules have PyTorch's names.

Each function takes the library's ``nn`` and returns a module; the same weights then load
into each by their names.
"""

from __future__ import annotations

import itertools
from typing import Any


def mlp(nn: Any, *sizes: int) -> Any:
    """Linear layers with ReLU in between."""
    layers: list[Any] = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(a, b)]
    return nn.Sequential(*layers)


def cnn(nn: Any) -> Any:
    """Two 3×3 convolutions, a pooling, a classifier of 28×28 images."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 14 * 14, 10),
    )  # fmt: skip


def cnn_1d(nn: Any) -> Any:
    """Three convolutions along signals of length 40, and a classifier."""
    layers: list[Any] = []
    for channels in (1, 25, 25):
        layers += [nn.Conv1d(channels, 25, 5, stride=2, padding=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(125, 10))


def residual_blocks(nn: Any, count: int = 4, channels: int = 32) -> Any:
    """Blocks of x + BN(relu(conv(BN(relu(conv(x))))))."""

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.branch = nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(channels),
                nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(channels),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return self.branch(x) + x

    return nn.Sequential(*[Block() for _ in range(count)])


def transformer_block(nn: Any, gelu: str = "tanh") -> Any:
    """A pre-norm block of width 128, 4 heads, hidden width 512."""
    activation = nn.GELU(approximate=gelu)
    if hasattr(nn, "TransformerBlock"):
        return nn.TransformerBlock(128, heads=4, ffn_dim=512, norm="pre", activation=activation)
    return nn.TransformerEncoderLayer(
        128, 4, 512, dropout=0.0, activation=activation, batch_first=True, norm_first=True
    )


def transformer(nn: Any, count: int = 2, gelu: str = "tanh") -> Any:
    """Transformer blocks one after the other."""
    return nn.Sequential(*[transformer_block(nn, gelu) for _ in range(count)])


def character_model(nn: Any, vocabulary: int = 65, length: int = 64, count: int = 4) -> Any:
    """A causal transformer that predicts the next character."""

    class CharacterModel(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(vocabulary, 128)
            self.positions = nn.Embedding(length, 128)
            self.blocks = nn.ModuleList([transformer_block(nn) for _ in range(count)])
            self.norm = nn.LayerNorm(128)
            self.head = nn.Linear(128, vocabulary)

        def forward(self, x: Any, positions: Any, mask: Any) -> Any:
            h = self.characters(x) + self.positions(positions)
            for block in self.blocks:
                h = block(h, mask, is_causal=True)
            return self.head(self.norm(h)).reshape(-1, vocabulary)

    return CharacterModel()
