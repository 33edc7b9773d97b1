"""CNN: convolutions, activations and pooling, then one affine map."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..ops.window import window_sizes
from .activation import ReLU
from .checks import checked_size
from .container import Sequential
from .conv import Conv2d
from .flatten import Flatten
from .linear import Linear
from .mlp import Activation, new_activation
from .module import Module
from .pool import MaxPool2d


class CNN(Sequential):
    """Convolutional network: ``MM(Flatten(σ(Conv2D(… σ(Conv2D(x))))))``.

    The formula often given has no σ after the last convolution, so that it and MM are one
    linear map, and no Flatten.

    Parameters
    ----------
    channels : sequence of int
        Of the input and after each convolution, at least two: ``[1, 8, 16]`` has two.
    image_size : int or pair of int
        Height and width of the input.
    out : int
        Length of the result, such as the number of classes.
    kernel_size : int or pair of int
        Of each convolution; the padding keeps the size of the image.
    pool : int or sequence of int
        Window of the max pooling after each convolution and its σ, or one for each; 1 is none.
    activation : Module class, function or Module
        Makes σ at each place.

    Raises
    ------
    UsageError
        If the sizes do not fit together, or nothing of the image would be left.

    Notes
    -----
    Source: Y. LeCun et al. 1989. The keys of its state are those of the equal
    ``nn.Sequential(nn.Conv2d(…), nn.ReLU(), …)``.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.CNN([1, 8, 16], image_size=28, out=10, pool=[1, 2])
    CNN(
      (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding='same')
      (1): ReLU()
      (2): Conv2d(8, 16, kernel_size=(3, 3), stride=(1, 1), padding='same')
      (3): ReLU()
      (4): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
      (5): Flatten(start_axis=1, end_axis=-1)
      (6): Linear(in_features=3136, out_features=10, bias=True)
    )
    """

    def __init__(
        self, channels: Sequence[int], image_size: Any, out: int, kernel_size: Any = 3,
        pool: int | Sequence[int] = 1, activation: Activation = ReLU,
    ) -> None:  # fmt: skip
        if isinstance(channels, int | np.integer | str) or len(channels) < 2:
            raise UsageError(
                compose_message(
                    "CNN: channels go from the input's to those after the last convolution",
                    describe(channels),
                    "nn.CNN([1, 8, 16], image_size=28, out=10)",
                )
            )
        widths = [checked_size("CNN", f"channels[{i}]", n) for i, n in enumerate(channels)]
        windows = window_sizes("CNN", "pool", pool, len(widths) - 1)
        size = window_sizes("CNN", "image_size", image_size, 2)
        layers: list[Module] = []
        for (before, after), window in zip(itertools.pairwise(widths), windows, strict=True):
            layers.append(Conv2d(before, after, kernel_size, padding="same"))
            layers.append(new_activation("CNN", activation))
            if window > 1:
                layers.append(MaxPool2d(window))
                size = tuple(n // window for n in size)
        if min(size) < 1:
            raise UsageError(
                f"CNN: nothing is left of an image of {image_size!r} after poolings by "
                f"{windows}. Fix: fewer or smaller poolings."
            )
        features = widths[-1] * math.prod(size)
        super().__init__(*layers, Flatten(), Linear(features, checked_size("CNN", "out", out)))
