"""Graphs that the picture tests share, and the flag that accepts new golden texts."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.modes import Scope, close_scope, current_scope, open_scope


def pytest_addoption(parser):
    parser.addoption(
        "--accept-golden",
        action="store_true",
        help="write tests/golden/*.gv anew (name tests/viz on the command line)",
    )


@contextmanager
def module_scope(path, owner):
    """Open the scope of one module call."""
    token = open_scope(Scope(path, "module", current_scope(), owner))
    try:
        yield
    finally:
        close_scope(token)


class FakeModule:
    """The least a picture knows about a module: parameters, extra_repr, a scope per call."""

    def __init__(self, path, *children, **parameters):
        self.path = path
        self.children = children
        self.own = [
            tg.tensor(value, requires_grad=True, name=name) for name, value in parameters.items()
        ]

    def parameters(self):
        yield from self.own
        for child in self.children:
            yield from child.parameters()

    def extra_repr(self):
        return f"{len(self.own)} own"

    def __call__(self, x):
        with module_scope(self.path, self):
            return self.forward(x)

    def forward(self, x):
        for child in self.children:
            x = child(x)
        return x


class Linear(FakeModule):
    def __init__(self, path, inputs, outputs):
        weight = np.arange(inputs * outputs, dtype=np.float32).reshape(inputs, outputs) - 2
        super().__init__(path, weight=weight, bias=np.ones(outputs, np.float32))

    def forward(self, x):
        weight, bias = self.own
        return x @ weight + bias


class ReLU(FakeModule):
    def forward(self, x):
        return tg.relu(x)


class MLP(FakeModule):
    """Linear, ReLU, Linear under one root."""

    def __init__(self):
        super().__init__("MLP", Linear("0", 2, 3), ReLU("1"), Linear("2", 3, 1))


class Twice(FakeModule):
    """One layer, called twice."""

    def forward(self, x):
        (layer,) = self.children
        return layer(tg.relu(layer(x)))


def data(rows=2):
    return tg.tensor(np.arange(rows * 2, dtype=np.float32).reshape(rows, 2), name="X")


def product():
    """f = (x + y) z: −12 with −4, −4, 3."""
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    f = q * z
    return f, {"x": x, "y": y, "z": z, "q": q, "f": f}


def neuron():
    """A sigmoid neuron: 0.7311."""
    w0, w1, w2, x0, x1 = tg.variables(w0=2, w1=-3, w2=-3, x0=-1, x1=-2)
    f = 1 / (1 + tg.exp(-(w0 * x0 + w1 * x1 + w2)))
    return f, {"w0": w0, "w1": w1, "w2": w2, "x0": x0, "x1": x1, "f": f}


def maximum():
    """2 (x y + max(z, w)): −20 with −8, 6, 2, 0."""
    x, y, z, w = tg.variables(x=3, y=-4, z=2, w=-1)
    f = 2 * (x * y + tg.maximum(z, w))
    return f, {"x": x, "y": y, "z": z, "w": w, "f": f}


def fork():
    """a feeds three products, b two: −6 + (−9) and a sum of more."""
    a, b = tg.variables(a=2, b=-3)
    c = tg.tensor(0.5, name="c")
    f = a * b + a * a + tg.relu(b) * c + 3 * b
    return f, {"a": a, "b": b, "c": c, "f": f}


def layer():
    """A layer and its mean square, with small matrices."""
    X = data(3)
    W = tg.tensor([[1.0, -2.0], [0.0, 3.0]], requires_grad=True, name="W")
    b = tg.tensor([0.5, -1.0], requires_grad=True, name="b")
    h = tg.relu(X @ W + b)
    L = tg.mean(h * h)
    return L, {"X": X, "W": W, "b": b, "h": h, "L": L}


def chain(length):
    t = tg.tensor(1.0, requires_grad=True, name="x")
    for i in range(length):
        t = t + 1.0 if i % 2 else t * 0.5
    return t


@pytest.fixture(scope="session")
def graphs():
    return SimpleNamespace(
        product=product, neuron=neuron, maximum=maximum, fork=fork, layer=layer, chain=chain,
        data=data, MLP=MLP, Twice=Twice, Linear=Linear, ReLU=ReLU, FakeModule=FakeModule,
        module_scope=module_scope,
    )  # fmt: skip


@pytest.fixture
def card_of():
    """Find a card by the start of its header."""

    def find(drawing, start):
        (card,) = [c for c in drawing.picture.cards if c.header.split(" = ")[0] == start]
        return card

    return find


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    """A PATH without Graphviz."""
    monkeypatch.delenv("TINYGRAPH_DOT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
