"""One table of pictures: the golden tests, the page of the docs and the eye read it.

Each entry is a function that a reader can copy; it returns a drawing. ``python tests/gallery.py
FOLDER`` renders them all to PNG, in colour and in grey.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz import Drawing


@dataclass(frozen=True)
class Entry:
    """One picture: what it shows, and how it is made."""

    name: str
    section: str
    caption: str
    make: Callable[[], Drawing]

    @property
    def code(self) -> str:
        """The body of the function, as a reader would type it."""
        lines = inspect.getsource(self.make).splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("def ")) + 1
        body = textwrap.dedent("\n".join(lines[start:]))
        return body.replace("return tg.draw", "tg.draw")


GALLERY: dict[str, Entry] = {}


def picture(section: str, caption: str) -> Callable[[Callable[[], Drawing]], None]:
    """Add a function to the gallery under its name."""

    def add(make: Callable[[], Drawing]) -> None:
        GALLERY[make.__name__] = Entry(make.__name__, section, caption, make)

    return add


# ---- values and gradients -----------------------------------------------------------------------

NUMBERS = "Numbers: values and gradients"


@picture(NUMBERS, "Values in blue; no gradient has been computed yet.")
def product_before():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    f = q * z
    return tg.draw(f, names=locals())


@picture(
    NUMBERS,
    "After `backward()`: the gradient below the value; on each edge the local derivative, and "
    "what the edge adds.",
)
def product():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    f = q * z
    f.backward()
    return tg.draw(f, names=locals())


@picture(NUMBERS, "A neuron with a sigmoid, with a title.")
def neuron():
    w0, w1, w2, x0, x1 = tg.variables(w0=2, w1=-3, w2=-3, x0=-1, x1=-2)
    f = 1 / (1 + tg.exp(-(w0 * x0 + w1 * x1 + w2)))
    f.backward()
    return tg.draw(f, names={"f": f}, title="A sigmoid neuron")


@picture(NUMBERS, "The loser of a maximum gets nothing: a dashed edge, × 0.")
def maximum():
    x, y, z, w = tg.variables(x=3, y=-4, z=2, w=-1)
    f = 2 * (x * y + tg.maximum(z, w))
    f.backward()
    return tg.draw(f, names=locals())


@picture(NUMBERS, "The same in the colours of the lecture slides.")
def maximum_cs231n():
    x, y, z, w = tg.variables(x=3, y=-4, z=2, w=-1)
    f = 2 * (x * y + tg.maximum(z, w))
    f.backward()
    return tg.draw(f, names=locals(), theme="cs231n")


@picture(
    NUMBERS,
    "Where several edges leave a card, its gradient is the sum of what they add. Data has no "
    "gradient, and says so.",
)
def fork():
    a, b = tg.variables(a=2, b=-3)
    c = tg.tensor(0.5, name="c")
    f = a * b + a * a + tg.relu(b) * c + 3 * b
    f.backward()
    return tg.draw(f, names=locals())


@picture(NUMBERS, "Top to bottom, if you prefer.")
def downwards():
    a, b = tg.variables(a=2, b=-3)
    f = a * b + tg.tanh(b)
    f.backward()
    return tg.draw(f, names=locals(), direction="TB")


@picture(
    NUMBERS,
    "Small matrices show their numbers over a tint, purple below zero and green above; edges "
    "carry the rule with its shapes.",
)
def layer():
    X = tg.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], name="X")
    W = tg.tensor([[1.0, -2.0], [0.0, 3.0]], requires_grad=True, name="W")
    b = tg.tensor([0.5, -1.0], requires_grad=True, name="b")
    h = tg.relu(X @ W + b)
    L = tg.mean(h * h)
    L.backward()
    return tg.draw(L, names=locals())


@picture(NUMBERS, "Larger matrices are heat maps, still larger ones a sketch.")
def sizes():
    x = tg.tensor(np.sin(np.arange(60.0)).reshape(6, 10), requires_grad=True, name="x")
    y = tg.outer(x.reshape(60), tg.ones(60, dtype=x.dtype))
    L = (y * y).sum()
    return tg.draw(L, names=locals(), view="numbers", gradients=True)


@picture(NUMBERS, "What is not finite cannot be overlooked.")
def not_finite():
    x = tg.tensor([[-1.0, 0.0], [1.0, 4.0]], requires_grad=True, name="x")
    y = tg.log(x)
    return tg.draw(y, names=locals(), grad=np.ones((2, 2)))


@picture(NUMBERS, "A function made of ops is one card …")
def composite():
    x = tg.tensor([1.0, 3.0], requires_grad=True, name="x")
    v = tg.var(x)
    v.backward()
    return tg.draw(v, names=locals())


@picture(NUMBERS, "… until it is opened, with `depth=`.")
def composite_opened():
    x = tg.tensor([1.0, 3.0], requires_grad=True, name="x")
    v = tg.var(x)
    v.backward()
    return tg.draw(v, names=locals(), depth=2)


@picture(NUMBERS, "A small model, with every value and every gradient.")
def model_numbers():
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(3, 1)
    for p in model.parameters():
        p.data = np.linspace(-1, 1, p.size).reshape(p.shape)
    X = tg.tensor([[1.0, 2.0], [-1.0, 0.5]], name="X")
    L = (model(X) ** 2).mean()
    L.backward()
    return tg.draw(L, names={"L": L})


@picture(NUMBERS, "An op of your own is drawn like any other.")
def own_op():
    @tg.op(vjps=[lambda g, y, x: g * 3 * x * x], saves="x", formula="x³", local=["3x²"])
    def gallery_cube(x):
        return x * x * x

    x = tg.tensor(2.0, requires_grad=True, name="x")
    f = gallery_cube(x) + x
    f.backward()
    return tg.draw(f, names=locals())


# ---- models -------------------------------------------------------------------------------------

MODELS = "Architecture: models"


@picture(MODELS, "A model and the shape of an example: layers, shapes and parameter counts.")
def model():
    model = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 2)
    return tg.draw(model, (300, 2))


@picture(MODELS, "With a loss. Data has a dashed border.")
def loss():
    model = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 2)
    x, label = tg.zeros(300, 2), tg.zeros(300, dtype=np.int64)
    loss = nn.functional.cross_entropy(model(x), label)
    return tg.draw(loss, names=locals())


@picture(MODELS, "The layers opened: parameters have a bold border.")
def model_opened():
    model = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 2)
    return tg.draw(model, (300, 2), depth=2)


@picture(MODELS, "Left to right.")
def sideways():
    model = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 2)
    return tg.draw(model, (300, 2), direction="LR")


@picture(MODELS, '`show="shapes"`: the shapes on the edges.')
def shapes():
    model = nn.Conv2d(1, 8, 3) >> nn.ReLU() >> nn.Flatten() >> nn.Linear(8 * 26 * 26, 10)
    return tg.draw(model, (1, 1, 28, 28), show="shapes")


@picture(MODELS, "A layer that is called twice is drawn twice, and says that it is the same.")
def shared():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(tg.relu(self.layer(x)))

    return tg.draw(Twice(), (8, 4), view="architecture")


@picture(MODELS, "Branches: `f + g` adds in parallel, `f | g` joins.")
def branches():
    left = nn.Linear(8, 16) >> nn.Tanh()
    right = nn.Linear(8, 16) >> nn.Sigmoid()
    return tg.draw((left | right) >> nn.Linear(32, 1), (5, 8))


@picture(MODELS, "A residual block.")
def residual():
    model = nn.Residual(nn.Linear(8, 32) >> nn.GELU() >> nn.Linear(32, 8)) >> nn.LayerNorm(8)
    return tg.draw(model, (5, 8))


@picture(MODELS, "A convolutional net.")
def convolutions():
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 14 * 14, 10),
    )  # fmt: skip
    return tg.draw(model, (1, 1, 28, 28))


@picture(MODELS, "Dense connections: every layer reads all before it.")
def dense():
    return tg.draw(nn.DenseBlock(4, growth=2, layers=3), (1, 4, 8, 8), depth=1)


@picture(MODELS, "A pattern of layers that repeats is drawn once.")
def deep():
    return tg.draw(nn.MLP([4] + [16] * 12 + [1], activation=nn.Tanh), (32, 4))


@picture(MODELS, "A recurrent cell, unrolled over twenty steps.")
def recurrent():
    cell, x, h = nn.GRUCell(4, 8), tg.zeros(3, 20, 4), tg.zeros(3, 8)
    steps = []
    for k in range(20):
        h = cell(x[:, k], h)
        steps.append(h)
    return tg.draw(tg.stack(steps), names={"h": h})


@picture(MODELS, "Attention, opened.")
def attention():
    return tg.draw(nn.MultiheadAttention(16, 4), [(2, 5, 16)] * 3, depth=1)


@picture(MODELS, "A transformer block.")
def transformer_block():
    return tg.draw(nn.TransformerBlock(16, 4, 32), (2, 5, 16))


class GPT(nn.Module):
    """A small language model, as transformers are."""

    def __init__(self, blocks: int = 12, dim: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, dim)
        self.place = nn.Parameter(tg.zeros(16, dim))
        self.blocks = nn.Sequential(
            *(nn.TransformerBlock(dim, 4, 2 * dim, norm="pre") for _ in range(blocks))
        )
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 100)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.embed(tokens) + self.place)))


@picture(MODELS, "A transformer of twelve blocks: the first is open and stands for all.")
def transformer():
    tokens = np.zeros((2, 16), np.int64)
    return tg.draw(GPT(blocks=12), tokens)


@picture(MODELS, "The same, closed.")
def transformer_closed():
    tokens = np.zeros((2, 16), np.int64)
    return tg.draw(GPT(blocks=12), tokens, depth=2)


class Bottleneck(nn.Module):
    """Three convolutions and a skip, as in ResNet-50."""

    def __init__(self, channels: int, middle: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, 4 * middle, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * middle)
        self.relu = nn.ReLU()
        same = stride == 1 and channels == 4 * middle
        self.downsample = None if same else nn.Sequential(
            nn.Conv2d(channels, 4 * middle, 1, stride, bias=False), nn.BatchNorm2d(4 * middle)
        )  # fmt: skip

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        skip = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn3(self.conv3(y)) + skip)


class ResNet50(nn.Module):
    """All layers of ResNet-50, an eighth as wide."""

    def __init__(self, width: int = 8, layers: tuple[int, ...] = (3, 4, 6, 3)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels, stages = width, []
        for i, blocks in enumerate(layers):
            middle = width * 2**i
            first = Bottleneck(channels, middle, 1 if i == 0 else 2)
            rest = [Bottleneck(4 * middle, middle) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(first, *rest))
            channels = 4 * middle
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).reshape(len(x), -1))


@picture(MODELS, "ResNet-50, collapsed until it fits on a screen.")
def resnet50():
    return tg.draw(ResNet50(), (1, 3, 64, 64))


@picture(MODELS, "ResNet-50, one level deeper: equal blocks of a stage are one card.")
def resnet50_deeper():
    return tg.draw(ResNet50(), (1, 3, 64, 64), depth=2)


@picture(MODELS, "A block of it.")
def bottleneck():
    return tg.draw(Bottleneck(64, 32, stride=2), (1, 64, 16, 16))


@picture(MODELS, "A compiled training step as its plan runs it, the backward pass included.")
def compiled():
    model = nn.MLP([2, 16, 1])
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)

    @tg.compile
    def step(x, target):
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    step(tg.zeros(8, 2), tg.zeros(8, 1))
    return tg.draw(step)


@picture(MODELS, "Six hundred ops in a row, unfolded: the middle is left out.")
def collapsed():
    t = tg.tensor(1.0, requires_grad=True, name="x")
    for i in range(300):
        t = (t * 0.5) + float(i)
    return tg.draw(t)


# ---- the backward pass --------------------------------------------------------------------------

BACKWARD = "The backward pass as a graph"


@picture(
    BACKWARD,
    "`backward=True`: each gradient below its value, the local derivatives on the way back, and "
    "dotted the values that a rule reads.",
)
def backward_product():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    f = q * z
    return tg.draw(f, names=locals(), backward=True)


@picture(BACKWARD, "Where edges met, gradients add.")
def backward_fork():
    a, b = tg.variables(a=2, b=-3)
    f = a * b + tg.exp(b)
    return tg.draw(f, names=locals(), backward=True)


@picture(BACKWARD, '`backward="ops"`: every op of the rules, ready to be differentiated again.')
def backward_ops():
    x = tg.tensor(0.5, requires_grad=True, name="x")
    f = tg.tanh(x) * x
    return tg.draw(f, names=locals(), backward="ops")


@picture(BACKWARD, "A model: what each layer's rule reads is what is kept from the forward pass.")
def backward_model():
    model = nn.Linear(4, 16) >> nn.Tanh() >> nn.Linear(16, 1)
    X, target = tg.zeros(32, 4), tg.zeros(32, 1)
    L = nn.functional.mse_loss(model(X), target)
    return tg.draw(L, names=locals(), backward=True)


# ---- looking for something ----------------------------------------------------------------------

LOOKING = "Looking for something"


@picture(
    LOOKING,
    '`heat="gradients"`: gradients of a deep net of sigmoids vanish towards its first layer.',
)
def gradient_heat():
    tg.manual_seed(0)
    model = nn.MLP([8] * 7, activation=nn.Sigmoid)
    X = tg.randn(16, 8)
    loss = (model(X) ** 2).mean()
    return tg.draw(loss, names=locals(), heat="gradients")


@picture(LOOKING, '`heat="values"`: the size of what flows forward.')
def value_heat():
    model = nn.Linear(4, 64) >> nn.ReLU() >> nn.Linear(64, 64) >> nn.ReLU() >> nn.Linear(64, 1)
    for i, p in enumerate(model.parameters()):
        p.data = np.full(p.shape, 2.0**-i)
    return tg.draw(model, tg.ones(8, 4), heat="values")


@picture(LOOKING, "`saved=True`: what is kept for the backward pass.")
def saved():
    model = nn.Linear(8, 32) >> nn.GELU() >> nn.Linear(32, 32) >> nn.ReLU() >> nn.Linear(32, 4)
    return tg.draw(model, (64, 8), saved=True, show="bytes")


@picture(LOOKING, "`show=`: just the rows you ask for.")
def shown():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    f = (x + y) * z
    return tg.draw(f, names=locals(), show="gradients", legend=False)


@picture(LOOKING, "An op that fails: the error is drawn up to there, with the shapes that met.")
def error():
    X = tg.zeros(3, 4)
    W = tg.tensor(np.zeros((5, 2)), requires_grad=True, dtype=np.float32, name="W")
    h = tg.relu(X * W.sum())
    try:
        h @ W
    except tg.ShapeError as error:
        return tg.draw(error, names=locals())


@picture(LOOKING, "A layer that does not fit.")
def error_in_model():
    model = nn.Linear(8, 32) >> nn.ReLU() >> nn.Linear(16, 4)
    try:
        model(tg.zeros(5, 8))
    except tg.ShapeError as error:
        return tg.draw(error)


def main(folder: Path) -> None:
    """Render every picture to PNG, in colour and in grey."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in GALLERY.items():
        path = entry.make().render(folder / f"{name}.png")
        with suppress(ImportError):
            from PIL import Image

            Image.open(path).convert("L").save(folder / f"{name}.grey.png")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "gallery"))
