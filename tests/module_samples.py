"""One or more samples for every module class: how to build it, and inputs for a call.

A test fails for a public module class without a sample, so a new module is entered here.
Abstract bases and containers without a forward are listed in ``WITHOUT_FORWARD``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

import tinygraph as tg
from tinygraph import nn

WITHOUT_FORWARD = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}


class ModuleSample(NamedTuple):
    """How to build a module, and the shapes of its floating inputs (or whole arrays)."""

    build: Callable[[], nn.Module]
    inputs: tuple[tuple[int, ...] | np.ndarray, ...]


def draw(*inputs: tuple[int, ...] | np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Return float64 values for shapes, away from kinks; given arrays stay as they are."""
    rng = np.random.default_rng(seed)
    arrays = []
    for given in inputs:
        if isinstance(given, tuple):
            signs = rng.choice([-1.0, 1.0], given)
            arrays.append(signs * rng.uniform(0.1, 1.5, given))
        else:
            arrays.append(given)
    return arrays


BATCH = (4, 3)
LABELS = np.array([0, 2, 1, 1])
TARGETS = np.array([[0.1, 0.9, 0.5]] * 4)

MODULE_SAMPLES: dict[str, list[ModuleSample]] = {
    "Identity": [ModuleSample(nn.Identity, (BATCH,))],
    "Lambda": [ModuleSample(lambda: nn.Lambda(tg.sin), (BATCH,))],
    "Linear": [
        ModuleSample(lambda: nn.Linear(3, 2), (BATCH,)),
        ModuleSample(lambda: nn.Linear(3, 2, bias=False), ((2, 4, 3),)),
    ],
    "Sequential": [ModuleSample(lambda: nn.Linear(3, 2) >> nn.Tanh() >> nn.Linear(2, 1), (BATCH,))],
    "ReLU": [ModuleSample(nn.ReLU, (BATCH,))],
    "Sigmoid": [ModuleSample(nn.Sigmoid, (BATCH,))],
    "Tanh": [ModuleSample(nn.Tanh, (BATCH,))],
    "GELU": [
        ModuleSample(nn.GELU, (BATCH,)),
        ModuleSample(lambda: nn.GELU(approximate="tanh"), (BATCH,)),
    ],
    "Softplus": [ModuleSample(nn.Softplus, (BATCH,))],
    "Softmax": [ModuleSample(nn.Softmax, (BATCH,)), ModuleSample(lambda: nn.Softmax(0), (BATCH,))],
    "LogSoftmax": [ModuleSample(nn.LogSoftmax, (BATCH,))],
    **{
        name: [ModuleSample(getattr(nn, name), (BATCH,))]
        for name in ("LogSigmoid", "Softsign", "SiLU", "Mish", "ReLU6", "Hardswish", "SELU")
    },
    "GLU": [ModuleSample(nn.GLU, ((3, 4),)), ModuleSample(lambda: nn.GLU(0), (BATCH,))],
    "Hardtanh": [
        ModuleSample(nn.Hardtanh, (BATCH,)),
        ModuleSample(lambda: nn.Hardtanh(-0.5, 2), (BATCH,)),
    ],
    "LeakyReLU": [
        ModuleSample(nn.LeakyReLU, (BATCH,)),
        ModuleSample(lambda: nn.LeakyReLU(0.2), (BATCH,)),
    ],
    "PReLU": [ModuleSample(nn.PReLU, (BATCH,)), ModuleSample(lambda: nn.PReLU(3), ((2, 3, 2),))],
    "ELU": [ModuleSample(nn.ELU, (BATCH,)), ModuleSample(lambda: nn.ELU(0.5), (BATCH,))],
    "Dropout": [ModuleSample(nn.Dropout, (BATCH,)), ModuleSample(lambda: nn.Dropout(0), (BATCH,))],
    "Flatten": [
        ModuleSample(nn.Flatten, ((2, 3, 2),)),
        ModuleSample(lambda: nn.Flatten(0), (BATCH,)),
    ],
    "Unflatten": [ModuleSample(lambda: nn.Unflatten(-1, (3, 1)), (BATCH,))],
    "Parallel": [
        ModuleSample(lambda: nn.Linear(3, 2) + nn.Linear(3, 2), (BATCH,)),
        ModuleSample(lambda: nn.Linear(3, 2) | nn.Tanh(), (BATCH,)),
        ModuleSample(lambda: nn.Parallel(nn.Tanh(), nn.Sigmoid(), combine="mean"), (BATCH,)),
        ModuleSample(lambda: nn.Parallel(tg.sin, tg.cos, combine=tg.mul), (BATCH,)),
    ],
    "Residual": [ModuleSample(lambda: nn.Residual(nn.Linear(3, 3)), (BATCH,))],
    "Skip": [ModuleSample(lambda: nn.Skip(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 3)), (BATCH,))],
    "MLP": [
        ModuleSample(lambda: nn.MLP([3, 4, 2], activation=nn.Tanh), (BATCH,)),
        ModuleSample(lambda: nn.MLP([3, 2], bias=False), (BATCH,)),
    ],
    "ResidualMLP": [ModuleSample(lambda: nn.ResidualMLP(3, 4, nn.Tanh), (BATCH,))],
    "ResNetS": [ModuleSample(lambda: nn.ResNetS(3, 2, 1, activation=tg.sin), (BATCH,))],
    **{
        name: [ModuleSample(getattr(nn, name), (BATCH, TARGETS))]
        for name in ("MSELoss", "L1Loss", "HuberLoss", "KLDivLoss")
    },
    "SmoothL1Loss": [
        ModuleSample(lambda: nn.SmoothL1Loss(beta=0.3), (BATCH, TARGETS)),
        ModuleSample(lambda: nn.SmoothL1Loss("sum", 0), (BATCH, TARGETS)),
    ],
    "BCELoss": [
        ModuleSample(
            lambda: nn.Sigmoid() >> (lambda p: nn.BCELoss()(p, TARGETS.astype(p.dtype))), (BATCH,)
        ),
    ],
    "BCEWithLogitsLoss": [
        ModuleSample(nn.BCEWithLogitsLoss, (BATCH, TARGETS)),
        ModuleSample(lambda: nn.BCEWithLogitsLoss([1, 2, 3], "sum", [0.5]), (BATCH, TARGETS)),
    ],
    "HingeLoss": [ModuleSample(nn.HingeLoss, (BATCH, np.where(TARGETS > 0.3, 1, -1)))],
    "CrossEntropyLoss": [
        ModuleSample(nn.CrossEntropyLoss, (BATCH, LABELS)),
        ModuleSample(lambda: nn.CrossEntropyLoss([1, 2, 3], 1, "sum", 0.2), (BATCH, LABELS)),
        ModuleSample(nn.CrossEntropyLoss, (BATCH, TARGETS)),
        ModuleSample(nn.CrossEntropyLoss, ((4, 3, 2), LABELS[:, None] % [[1, 3]])),
    ],
    "NLLLoss": [ModuleSample(lambda: nn.NLLLoss([1, 2, 3], 0), (BATCH, LABELS))],
    "MultiMarginLoss": [
        ModuleSample(nn.MultiMarginLoss, (BATCH, LABELS)),
        ModuleSample(lambda: nn.MultiMarginLoss(2, 0.4, [1, 2, 3]), (BATCH, LABELS)),
    ],
    "LayerNorm": [
        ModuleSample(lambda: nn.LayerNorm(3), (BATCH,)),
        ModuleSample(lambda: nn.LayerNorm((2, 3), bias=False), ((2, 2, 3),)),
    ],
    "RMSNorm": [ModuleSample(lambda: nn.RMSNorm(3, eps=0.01), (BATCH,))],
    "GroupNorm": [ModuleSample(lambda: nn.GroupNorm(2, 4), ((2, 4, 3),))],
    "BatchNorm1d": [
        ModuleSample(lambda: nn.BatchNorm1d(3), (BATCH,)),
        ModuleSample(lambda: nn.BatchNorm1d(3, track_running_stats=False), (BATCH,)),
    ],
    "BatchNorm2d": [ModuleSample(lambda: nn.BatchNorm2d(2), ((2, 2, 2, 2),))],
    "InstanceNorm2d": [ModuleSample(lambda: nn.InstanceNorm2d(2, affine=True), ((2, 2, 2, 3),))],
    "Conv1d": [
        ModuleSample(lambda: nn.Conv1d(2, 4, 3, 2, 1, 1, 2), ((2, 2, 6),)),
        ModuleSample(lambda: nn.Conv1d(2, 1, 4, padding="same", bias=False), ((2, 5),)),
        ModuleSample(lambda: nn.Conv1d(1, 1, 3, padding=2, padding_mode="reflect"), ((2, 1, 4),)),
    ],
    "Conv2d": [
        ModuleSample(lambda: nn.Conv2d(2, 2, (2, 1), (1, 2), (1, 0)), ((2, 2, 3, 3),)),
        ModuleSample(
            lambda: nn.Conv2d(1, 1, 2, padding="same", padding_mode="circular"), ((1, 3, 3),)
        ),
    ],
    "ConvTranspose1d": [
        ModuleSample(lambda: nn.ConvTranspose1d(2, 2, 3, 2, 1, 1, 2), ((2, 2, 3),)),
        ModuleSample(lambda: nn.ConvTranspose1d(1, 2, 2, bias=False, dilation=2), ((1, 4),)),
    ],
    "ConvTranspose2d": [
        ModuleSample(lambda: nn.ConvTranspose2d(2, 1, (2, 1), (2, 1)), ((2, 2, 2, 3),)),
    ],
    "ResBlock": [
        ModuleSample(lambda: nn.ResBlock(1, activation=nn.Tanh), ((2, 1, 3, 2),)),
        ModuleSample(
            lambda: nn.ResBlock(1, 2, 2, "conv-bn-relu", activation=nn.Tanh), ((2, 1, 3, 2),)
        ),
        ModuleSample(
            lambda: nn.ResBlock(1, 2, order="bn-relu-conv", activation=nn.Tanh), ((2, 1, 2, 2),)
        ),
    ],
    "DenseBlock": [ModuleSample(lambda: nn.DenseBlock(1, 2, 2, 2, nn.Tanh), ((2, 1, 2, 2),))],
    **{
        name: [
            ModuleSample(partial(getattr(nn, name), 2), ((2, 1, 5),)),
            ModuleSample(partial(getattr(nn, name), 3, 2, 1, ceil_mode=True), ((2, 6),)),
        ]
        for name in ("MaxPool1d", "AvgPool1d")
    },
    **{
        name: [
            ModuleSample(partial(getattr(nn, name), 2), ((2, 1, 4, 5),)),
            ModuleSample(partial(getattr(nn, name), (3, 2), 1, 1), ((1, 3, 3),)),
        ]
        for name in ("MaxPool2d", "AvgPool2d")
    },
    **{
        name: [ModuleSample(partial(getattr(nn, name), 3), ((2, 1, 5),))]
        for name in ("AdaptiveAvgPool1d", "AdaptiveMaxPool1d")
    },
    **{
        name: [ModuleSample(partial(getattr(nn, name), (2, None)), ((2, 1, 3, 4),))]
        for name in ("AdaptiveAvgPool2d", "AdaptiveMaxPool2d")
    },
    "Upsample": [
        ModuleSample(lambda: nn.Upsample(scale_factor=2), ((2, 1, 3),)),
        ModuleSample(lambda: nn.Upsample((3, 5), mode="bilinear"), ((1, 2, 2, 3),)),
    ],
    "CNN": [
        ModuleSample(
            lambda: nn.CNN([1, 2, 1], (4, 2), 2, pool=[1, 2], activation=nn.Tanh), ((2, 1, 4, 2),)
        ),
    ],
    "Embedding": [ModuleSample(lambda: nn.Embedding(4, 2), (LABELS,))],
    "SinusoidalEncoding": [ModuleSample(lambda: nn.SinusoidalEncoding(3, 5), (BATCH,))],
    "LearnedEncoding": [ModuleSample(lambda: nn.LearnedEncoding(3, 5), (BATCH,))],
    "MultiheadAttention": [
        ModuleSample(lambda: nn.MultiheadAttention(4, 2), ((2, 3, 4),)),
        ModuleSample(
            lambda: nn.MultiheadAttention(4, 2, kdim=3), ((1, 2, 4), (1, 3, 3), (1, 3, 4))
        ),
    ],
    "TransformerBlock": [
        ModuleSample(lambda: nn.TransformerBlock(4, 2, 3, activation="gelu"), ((2, 3, 4),)),
        ModuleSample(lambda: nn.TransformerBlock(4, 2, 3, "pre", activation="gelu"), ((2, 3, 4),)),
    ],
    **{
        name: [
            ModuleSample(partial(getattr(nn, name), 2, 3), ((2, 4, 2),)),
            ModuleSample(partial(getattr(nn, name), 2, 2, 2, bidirectional=True), ((2, 2),)),
        ]
        for name in ("RNN", "GRU", "LSTM")
    },
    **{
        name: [ModuleSample(partial(getattr(nn, name), 2, 3), ((4, 2),))]
        for name in ("RNNCell", "GRUCell", "LSTMCell")
    },
}
