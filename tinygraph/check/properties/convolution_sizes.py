"""Claims about the sizes of feature maps, and about whole convolutional networks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ... import nn
from ...core.errors import ShapeError
from ...core.functional import jacobian
from ...core.tensor import Tensor
from ...nn import functional as F
from .claim import Fact, about, claim, draw, exactly, gap, less, more, raw, zero

TOPIC = "Convolutional networks"


@claim(
    TOPIC,
    "Padding keeps the spatial size.",
    "holds if",
    "the stride is 1, the kernel is odd and the padding is (k − 1)/2, times the dilation. "
    "Elsewhere n becomes ⌊(n + 2p − d(k − 1) − 1)/s⌋ + 1.",
)
def padding_and_the_size() -> list[Fact]:
    sizes = {
        (k, s, p): nn.Conv1d(1, 1, k, s, p)(draw(1, 28)).shape[-1]
        for k, s, p in [(3, 1, 1), (5, 1, 2), (5, 1, 1), (4, 1, 2), (3, 2, 1)]
    }
    return [
        exactly(f"28 with k = {k}, stride {s}, padding {p}", size, (28 + 2 * p - k) // s + 1)
        for (k, s, p), size in sizes.items()
    ]


@claim(
    TOPIC,
    "The output has ⌊(n + 2p − d(k − 1) − 1)/s⌋ + 1 elements for kernel k, stride s, padding p "
    "and dilation d.",
    "holds",
    "For convolutions and for pooling, along each axis.",
)
def output_size() -> list[Fact]:
    tried = wrong = 0
    for n, k, s, p, d in product((7, 12), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2)):
        wanted = (n + 2 * p - d * (k - 1) - 1) // s + 1
        if wanted < 1:
            continue
        found = [F.conv1d(np.ones((1, n)), np.ones((1, 1, k)), None, s, p, d).shape[-1]]
        if 2 * p <= d * (k - 1) + 1:
            found.append(F.max_pool1d(np.ones((1, n)), k, s, p, d).shape[-1])
        tried += len(found)
        wrong += sum(size != wanted for size in found)
    return [more("sizes compared", tried, 200, 3), exactly("of them different", wrong, 0)]


@claim(
    TOPIC,
    "CNN(x) = MM(Conv2d(σ(Conv2d(… Conv2d(x))))) with a linear layer MM at the end.",
    "wrong",
    "Without σ between them the last convolution and MM are one affine map, a layer is wasted; and "
    "MM takes rows, so that the maps must be flattened first: MM(Flatten(σ(Conv2d(…)))).",
)
def last_layers_of_a_cnn() -> list[Fact]:
    conv, linear = nn.Conv2d(1, 2, 3, padding=1), nn.Linear(2 * 25, 3)
    x, y = draw(2, 1, 1, 5, 5)

    def curvature(head: nn.Module) -> float:
        """Return f(x + y) − f(x) − f(y) + f(0): 0 for affine maps."""
        return gap(raw(head(x + y)) + raw(head(0 * x)), raw(head(x)) + raw(head(y)))

    try:
        (conv >> linear)(x)
        message = "no error"
    except ShapeError as error:
        message = str(error).split(".", maxsplit=1)[0]
    return [
        zero("f(x + y) − f(x) − f(y) + f(0) without σ", curvature(conv >> nn.Flatten() >> linear)),
        more("with σ", curvature(conv >> nn.ReLU() >> nn.Flatten() >> linear), 0.01),
        exactly("without Flatten", message, "Linear wants inputs of shape (…, 50)"),
    ]


@claim(
    TOPIC,
    "A CNN does not mind where in the image something is.",
    "holds if",
    "its last step before the linear layer averages or maximizes over all positions, nothing has "
    "a stride, and no window reaches over the border. A linear layer on the flattened maps has "
    "its own weights for each place.",
)
def translation_and_cnns() -> list[Fact]:
    image = np.zeros((1, 1, 14, 14))
    image[..., 4:8, 4:8] = draw(4, 4)
    shifted = np.roll(image, (2, 1), (-2, -1))
    first, second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
    features = first >> nn.ReLU() >> second >> nn.ReLU()

    def change(head: nn.Module) -> float:
        a, b = (raw((features >> head)(v)) for v in (image, shifted))
        return float(np.linalg.norm(a - b) / np.linalg.norm(a - a.mean()))

    flat = nn.Flatten() >> nn.Linear(4 * 196, 5)
    pooled = nn.AdaptiveAvgPool2d(1) >> nn.Flatten() >> nn.Linear(4, 5)
    for head in (flat, pooled):
        head[-1].bias.data = np.zeros(5)
    ring = np.roll(image, (8, 8), (-2, -1))
    edge = gap((features >> pooled)(ring), (features >> pooled)(image))
    return [
        more("change of the output, flattened maps, shift by (2, 1)", change(flat), 0.2, 1),
        zero("averaged maps, shift by (2, 1)", change(pooled)),
        more("averaged maps, moved over the border", edge, 1e-4, 1),
    ]


@claim(
    TOPIC,
    "Deeper layers see larger parts of the input.",
    "holds",
    "With k = 3 the window grows by 2 in each layer; with a stride of 2 in each it doubles, to "
    "2^(L+1) − 1 after L layers.",
)
def windows_grow() -> list[Fact]:
    z = Tensor(draw(1, 64))
    found: dict[int, list[int]] = {1: [], 2: []}
    for stride in (1, 2):
        for depth in (1, 2, 3):
            stack = nn.Sequential(*[nn.Conv1d(1, 1, 3, stride) for _ in range(depth)])
            rows = raw(jacobian(lambda x, f=stack: f(x), z)).reshape(-1, 64) != 0
            found[stride].append(int(rows[0].sum()))
    return [
        exactly("window after 1, 2 and 3 layers, stride 1", found[1], [3, 5, 7]),
        exactly("stride 2", found[2], [3, 7, 15]),
    ]


@claim(
    TOPIC,
    "A CNN respects the spatial structure of an image.",
    "holds",
    "To a fully connected network an image is a list: with its pixels scrambled, and the weights "
    "alike, the outputs are the same, so that it learns scrambled images as well as whole ones. "
    "For a convolution of scrambled images no kernel does that.",
)
def scrambled_images() -> list[Fact]:
    images, order = draw(50, 6, 6), np.random.default_rng(1).permutation(36)
    scrambled = images.reshape(50, 36)[:, order].reshape(50, 6, 6)
    mlp, other = nn.MLP([36, 8, 2]), nn.MLP([36, 8, 2])
    weights = mlp.state_dict()
    other.load_state_dict({**weights, "0.weight": weights["0.weight"][:, order]})
    rows = [x.reshape(50, 36) for x in (images, scrambled)]

    def windows(x: Any) -> Any:
        """Return the 3 × 3 window around each pixel as a row."""
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2)).reshape(50, 36, 9)

    wanted = (windows(images) @ draw(9, seed=3))[:, order]
    table = windows(scrambled).reshape(-1, 9)
    best = np.linalg.lstsq(table, wanted.reshape(-1), rcond=None)[0]
    missed = np.linalg.norm(table @ best - wanted.reshape(-1)) / np.linalg.norm(wanted)
    return [
        zero("fully connected, scrambled alike", gap(mlp(rows[0]), other(rows[1]))),
        more("what the best kernel misses on scrambled images, of 1", missed, 0.5),
    ]


@claim(
    TOPIC,
    "A CNN has fewer parameters than a fully connected network.",
    "holds if",
    "the convolutions are meant. The linear layer after them often has most of the parameters.",
)
def parameters_of_a_cnn() -> list[Fact]:
    convolutions = nn.Conv2d(1, 32, 3) >> nn.Conv2d(32, 64, 3)
    count = sum(p.size for p in convolutions.parameters())
    last, small = (sum(p.size for p in nn.Linear(n, 10).parameters()) for n in (64 * 24 * 24, 64))
    return [
        exactly("3 × 3 convolutions 1 → 32 → 64 channels", count, 18_816),
        exactly("a linear layer from their 64 × 24 × 24 maps to 10", last, 368_650),
        about("share of the convolutions", count / (count + last), 0.0486, 2, within=0.03),
        less("share of the linear layer on averaged maps", small / (count + small), 0.04),
    ]
