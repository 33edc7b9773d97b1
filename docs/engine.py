"""The whole idea of tinygraph in a hundred lines, with the names of the real core.

A Tensor remembers the op and the inputs that made it. An Op is one record: a forward function
and, for each input, a VJP: the rule that carries the gradient from the op's result back to that
input. ``backward`` walks the graph from the newest tensor to the oldest and applies the rules.
The rules are themselves made of ops, so a gradient is a graph and has gradients of its own.
"""

import itertools

import numpy as np


class Op:
    """A forward function on arrays, and one ``vjp(g, y, *inputs)`` for each input."""

    def __init__(self, name, forward, vjps):
        self.name, self.forward, self.vjps = name, forward, vjps

    def __call__(self, *inputs, **attrs):
        inputs = tuple(x if isinstance(x, Tensor) else Tensor(x) for x in inputs)
        value = self.forward(*(x.data for x in inputs), **attrs)
        return Tensor(value, self, inputs, attrs)


class Tensor:
    """An array with a place in the graph; one made by no op is a leaf."""

    next_index = itertools.count().__next__

    def __init__(self, data, op=None, inputs=(), attrs=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = None
        self.op, self.inputs, self.attrs = op, inputs, attrs
        self.index = Tensor.next_index()  # inputs are always older than results
        self.shape = self.data.shape

    def backward(self):
        """Add the gradient of this one-element tensor to ``.grad`` of every leaf below."""
        for t, g in pull_back(self).items():
            if t.op is None:
                t.grad = g.data if t.grad is None else t.grad + g.data

    def sum(self):
        return sum_to(self, shape=())


def pull_back(output):
    """Return the gradient of ``output`` by every tensor below it, as tensors."""
    gradients = {output: Tensor(np.ones(output.shape))}
    for t in below(output):  # newest first: whatever uses t has had its turn
        for x, vjp in zip(t.inputs, t.op.vjps if t.op else (), strict=True):
            gx = vjp(gradients[t], t, *t.inputs, **t.attrs)
            if gx.shape != x.shape:
                gx = sum_to(gx, shape=x.shape)  # broadcasting is undone here, once
            gradients[x] = gradients[x] + gx if x in gradients else gx  # where paths meet: a sum
    return gradients


def below(output):
    """Return all tensors that ``output`` depends on, newest first."""
    found, stack = {output}, [output]
    while stack:
        new = set(stack.pop().inputs) - found
        found |= new
        stack.extend(new)
    return sorted(found, key=lambda t: t.index, reverse=True)


def add_up(x, shape):
    """Sum ``x`` over the axes along which an array of ``shape`` would be repeated."""
    padded = (1,) * (x.ndim - len(shape)) + shape
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return x.sum(axis=axes, keepdims=True).reshape(shape)


add = Op("add", np.add, vjps=[lambda g, y, a, b: g, lambda g, y, a, b: g])
mul = Op("mul", np.multiply, vjps=[lambda g, y, a, b: g * b, lambda g, y, a, b: g * a])
sub = Op("sub", np.subtract, vjps=[lambda g, y, a, b: g, lambda g, y, a, b: -g])
div = Op("div", np.divide, vjps=[lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * y / b)])
neg = Op("neg", np.negative, vjps=[lambda g, y, x: -g])
exp = Op("exp", np.exp, vjps=[lambda g, y, x: g * y])
tanh = Op("tanh", np.tanh, vjps=[lambda g, y, x: g * (1 - y * y)])
relu = Op("relu", lambda x: np.maximum(x, 0), vjps=[lambda g, y, x: g * (x.data > 0)])
maximum = Op("maximum", np.maximum, vjps=[
    lambda g, y, a, b: g * ((a.data > b.data) + 0.5 * (a.data == b.data)),
    lambda g, y, a, b: g * ((b.data > a.data) + 0.5 * (a.data == b.data)),
])  # fmt: skip
matmul = Op("matmul", np.matmul, vjps=[lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g])
transpose = Op("transpose", np.transpose, vjps=[lambda g, y, x: g.T])
broadcast_to = Op(
    "broadcast_to", np.broadcast_to, vjps=[lambda g, y, x, shape: sum_to(g, shape=x.shape)]
)
sum_to = Op("sum_to", add_up, vjps=[lambda g, y, x, shape: broadcast_to(g, shape=x.shape)])

Tensor.__neg__ = lambda t: neg(t)
Tensor.T = property(lambda t: transpose(t))
for word, op in {"add": add, "sub": sub, "mul": mul, "truediv": div, "matmul": matmul}.items():
    setattr(Tensor, f"__{word}__", lambda a, b, op=op: op(a, b))
    setattr(Tensor, f"__r{word}__", lambda a, b, op=op: op(b, a))
