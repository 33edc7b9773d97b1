"""Bad input: the class of the error, and a message that names op, operands and the fix.

A row is (code, class, words that the message must have). The code runs with the names in
`world()`; afterwards every tensor there must be as it was.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import check
from tinygraph.core.errors import TinygraphError


def world():
    """Return fresh operands; the rows refer to them by name."""
    x = tg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="x")
    used = (x * x).sum()
    used.backward()
    x.grad = None
    return {
        "tg": tg,
        "np": np,
        "check": check,
        "x": x,
        "v": tg.tensor([1.0, 2.0, 3.0]),
        "w": tg.tensor(np.ones(4)),
        "s": tg.tensor(2.0, requires_grad=True),
        "i": tg.tensor([0, 1]),
        "mask": tg.tensor([True, False]),
        "empty": tg.zeros(0, 3),
        "y": x * 2.0,
        "used": used,
        "a": np.ones(3),
    }


SHAPE, DTYPE, USAGE = tg.ShapeError, tg.DtypeError, tg.UsageError
INDEX, GRADIENT = tg.IndexRangeError, tg.GradientError

ROWS = {
    "creation": [
        ("tg.tensor('abc')", DTYPE, ["real numbers", "abc"]),
        ("tg.tensor(None)", DTYPE, ["real numbers"]),
        ("tg.tensor([[1.0], [1.0, 2.0]])", DTYPE, ["rows of equal length"]),
        ("tg.tensor(1j)", DTYPE, ["complex128"]),
        ("tg.tensor(np.array([1], object))", DTYPE, ["object"]),
        ("tg.tensor(np.ones(1, np.longdouble))", DTYPE, ["float128|longdouble|float96"]),
        ("tg.tensor(2**70)", DTYPE, ["object"]),
        ("tg.tensor([1, 2], dtype='spam')", DTYPE, ["Not a dtype", "spam", "np.float32"]),
        ("tg.tensor([1, 2], dtype=complex)", DTYPE, ["complex128"]),
        ("tg.tensor(np.array([1, 2]), requires_grad=True)", DTYPE, [r"\(2,\) int64", "astype"]),
        ("tg.tensor([True], requires_grad=True)", DTYPE, ["bool", "astype"]),
        ("tg.tensor([x, x])", DTYPE, ["lose their gradients", "tg.stack"]),
        ("tg.from_numpy([1.0, 2.0])", DTYPE, ["ndarray", "tg.tensor"]),
        ("tg.from_numpy(np.ones(2, '>f4'))", DTYPE, ["byte order", "tg.tensor"]),
        ("tg.variables(n=np.array([1, 2]))", DTYPE, ["int64", "floating"]),
        ("tg.zeros(-1)", SHAPE, ["zeros", "-1"]),
        ("tg.zeros(2.5)", USAGE, ["zeros", "integers", r"2\.5"]),
        ("tg.ones(2, dtype=int, requires_grad=True)", DTYPE, ["int64", "floating"]),
        ("tg.full((2,), [1.0, 2.0, 3.0])", SHAPE, ["full", r"\(2,\)", r"\(3,\)"]),
        ("tg.full_like(x, 'a')", DTYPE, ["real numbers", "a"]),
        ("tg.eye(-2)", SHAPE, ["eye", "-2"]),
        ("tg.arange(0, 1, 0)", USAGE, ["arange", "step"]),
        ("tg.arange(float('inf'))", USAGE, ["arange", "finite"]),
        ("tg.arange('a')", USAGE, ["arange", "numbers"]),
        ("tg.linspace(0, 1, -3)", SHAPE, ["linspace", "-3"]),
        ("tg.set_default_dtype(np.int64)", DTYPE, ["floating", "int64", "np.float32"]),
        ("tg.set_default_dtype('spam')", DTYPE, ["spam", "np.float32"]),
    ],
    "random": [
        ("tg.rand(-1)", SHAPE, ["uniform", "-1"]),
        ("tg.rand(2, dtype=int)", USAGE, ["floating dtype", "int64"]),
        ("tg.uniform(2, low=2, high=1)", USAGE, ["low=2", "high=1"]),
        ("tg.normal(2, std=-1)", USAGE, ["std", "-1"]),
        ("tg.randint(3, 3)", USAGE, ["low=3", "high=3"]),
        ("tg.randint(2.5)", DTYPE, ["integer", r"2\.5"]),
        ("tg.permutation(-1)", USAGE, ["permutation", "-1"]),
        ("tg.permutation('a')", DTYPE, ["integer", "a"]),
        ("tg.bernoulli(1.5)", USAGE, ["between 0 and 1"]),
        ("tg.manual_seed(-1)", USAGE, ["seed", "-1"]),
        ("tg.manual_seed(1.5)", USAGE, ["seed", r"1\.5"]),
        ("tg.rand(2, generator=np.random.default_rng(0))", USAGE, [r"tg\.Generator\(seed\)"]),
        ("tg.Generator(0).set_state({})", USAGE, ["set_state"]),
    ],
    "operands": [
        ("x + w", SHAPE, ["add", r"\(2, 3\) float64 and \(4,\) float64", "broadcast", "reshape"]),
        ("x * np.ones((4, 3))", SHAPE, ["mul", r"\(4, 3\)", "expand_dims"]),
        ("x + 'a'", DTYPE, ["add", "'a'", "tg.tensor"]),
        ("x + None", DTYPE, ["add", "None"]),
        ("x * {}", DTYPE, ["mul", "dict"]),
        ("x - np.array([1j])", DTYPE, ["sub", "complex"]),
        ("-mask", DTYPE, ["neg", "bool", "astype"]),
        ("mask - mask", DTYPE, ["sub", "bool", "astype"]),
        ("i ** -1", SHAPE, ["pow", "int64", "astype"]),
        ("i.astype(np.uint8) + 300", DTYPE, ["add", "300", "uint8"]),
        ("tg.exp()", USAGE, [r"exp\(x\)", "missing argument x"]),
        ("tg.exp(x, x)", USAGE, [r"exp\(x\)", "too many"]),
        ("tg.exp(x, out=a)", USAGE, ["exp", "'out'", "new tensors"]),
        ("tg.add(x)", USAGE, ["missing argument b"]),
        ("tg.sigmoid('a')", DTYPE, ["sigmoid", "'a'"]),
        ("tg.clip(x)", USAGE, ["clip", "min, max"]),
        ("tg.clip(x, min=2, max=1)", USAGE, ["clip", "min=2", "max=1"]),
        ("tg.clip(x, min=v)", USAGE, ["clip", "tg.maximum"]),
        ("tg.clip(x, min=s)", USAGE, ["clip", "gradient", "tg.maximum"]),
        ("tg.where(x > 1)", USAGE, ["where", "missing argument a, b"]),
        ("tg.gelu(x, approximate='fast')", USAGE, ["gelu", "'fast'", "'tanh'"]),
        ("a += x[0]", USAGE, [r"np\.add", r"a = a \+ t"]),
        ("np.cumsum(x)", USAGE, [r"np\.cumsum", r"t\.detach\(\)\.numpy\(\)"]),
        ("np.asarray(x)", DTYPE, [r"\(2, 3\) float64", r"t\.detach\(\)"]),
    ],
    "axes and shapes": [
        ("x.sum(axis=2)", SHAPE, ["sum", "axis 2", "2 axes", "-2 to 1"]),
        ("s.sum(axis=0)", SHAPE, ["sum", "axis 0", "drop the axis"]),
        ("x.sum(axis=(0, 0))", SHAPE, ["sum", "twice"]),
        ("x.sum(axis=1.5)", USAGE, ["sum", "integer", r"1\.5"]),
        ("x.sum(dim=0)", USAGE, ["sum", "'dim'", "'axis'"]),
        ("x.sum(keepdim=True)", USAGE, ["sum", "'keepdim'", "'keepdims'"]),
        ("x.mean(dim=0)", USAGE, ["mean", "'dim'", "'axis'"]),
        ("x.mean(spam=0)", USAGE, ["mean", "'spam'"]),
        ("x.var(unbiased=True)", USAGE, ["var", "'unbiased'", "ddof=1"]),
        ("tg.stack([x, x], dim=0)", USAGE, ["stack", "'dim'", "'axis'"]),
        ("tg.concatenate([x, x], dim=0)", USAGE, ["concatenate", "'dim'", "'axis'"]),
        ("x.mean(0, True, 3)", USAGE, ["mean", "too many"]),
        ("tg.mean()", USAGE, ["mean", "missing.*x"]),
        ("empty.max(axis=0)", SHAPE, ["max", "axis 0", r"\(0, 3\)"]),
        ("empty.max()", SHAPE, ["max", "axis 0", "empty"]),
        ("empty.argmax()", SHAPE, ["argmax", r"\(0, 3\)"]),
        ("tg.softmax(s)", SHAPE, ["softmax", "axis -1"]),
        ("x.reshape(4, 2)", SHAPE, ["reshape", "6 elements", r"\(4, 2\)", "-1"]),
        ("x.reshape(-1, -1)", SHAPE, ["reshape", r"\(-1, -1\)"]),
        ("x.reshape(2.5)", USAGE, ["reshape", "integers"]),
        ("x.transpose(0, 0)", SHAPE, ["transpose", r"\(0, 0\)", "once"]),
        ("x.swapaxes(0, 5)", SHAPE, ["swapaxes", "axis 5"]),
        ("v.mT", SHAPE, ["mT", r"\(3,\)", r"t\.T"]),
        ("x.squeeze(0)", SHAPE, ["squeeze", "length 1", r"\(2, 3\)"]),
        ("tg.expand_dims(x, axis=None)", USAGE, ["expand_dims", "axis=0"]),
        ("x.broadcast_to(4, 3)", SHAPE, ["broadcast_to", r"\(4, 3\)", r"\(2, 3\)"]),
        ("tg.concatenate([x, v])", SHAPE, ["concatenate", r"\(2, 3\).*\(3,\)"]),
        ("tg.concatenate([s, s])", SHAPE, ["concatenate", "0-d", "tg.stack"]),
        ("tg.concatenate([])", USAGE, ["concatenate", "at least one"]),
        ("tg.concatenate(s)", USAGE, ["concatenate", r"\[a, b\]"]),
        ("tg.stack([x, v])", SHAPE, ["stack", r"\(2, 3\).*\(3,\)"]),
        ("tg.pad(x, -1)", SHAPE, ["pad", "-1"]),
        ("tg.pad(x, ((1, 1), (1, 1), (1, 1)))", SHAPE, ["pad", r"\(2, 3\)"]),
        ("tg.pad(x, 1, mode='edge')", USAGE, ["pad", "'edge'"]),
        ("x @ x", SHAPE, ["matmul", "3 ≠ 2", r"\(2, 3\)", r"\.T|\.mT"]),
        ("x @ 2.0", SHAPE, ["matmul", r"2\.0|\(\)", r"a \* b"]),
        ("x @ w", SHAPE, ["matmul", "3 ≠ 4", r"\(4,\)"]),
        ("tg.matmul(tg.ones(2, 2, 3), tg.ones(3, 3, 2))", SHAPE, ["matmul", r"\(2, 2, 3\)"]),
        ("x.astype('spam')", DTYPE, ["spam", "np.float32"]),
        ("x.astype(complex)", DTYPE, ["complex128"]),
    ],
    "indexing": [
        ("x[2]", INDEX, ["getitem", "index 2", r"\(2, 3\)"]),
        ("x[0, 0, 0]", INDEX, ["getitem", "too many", r"\(2, 3\)"]),
        ("x[[0, 5]]", INDEX, ["getitem", "index 5"]),
        ("x[1.5]", DTYPE, ["getitem", r"1\.5", "integer"]),
        ("x['a']", DTYPE, ["getitem", "'a'"]),
        ("x[tg.tensor([0.5])]", DTYPE, ["getitem", "float32", "astype"]),
        ("x[[[0], [0, 1]]]", DTYPE, ["getitem|equal length"]),
        ("x[0.5:]", DTYPE, ["getitem", "slice", r"0\.5"]),
        ("x[np.ones((3, 3), bool)]", INDEX, ["getitem", r"\(3, 3\)", r"\(2, 3\)"]),
        ("x[True]", USAGE, ["getitem", "mask", "tg.where"]),
        ("tg.take(x, [7])", INDEX, ["getitem|take", "7"]),
        ("tg.take(x, [0.5])", DTYPE, ["take", "integers"]),
        ("tg.take(x, [0], axis=4)", SHAPE, ["take", "axis 4"]),
        ("tg.scatter_add(v, [0, 9], tg.ones(2))", INDEX, ["place_add|scatter_add", "9"]),
        ("tg.scatter_add(v, [[0]], tg.ones(2))", SHAPE, ["scatter_add", r"\(1, 1\)"]),
    ],
    "writing": [
        ("y[0] = 1.0", GRADIENT, ["result", "'mul'", r"tg\.where"]),
        ("x[0] = 1.0", GRADIENT, ["requires grad", "no_grad"]),
        ("v[0] = s", GRADIENT, ["lose its gradient", r"detach\(\)", r"tg\.where"]),
        ("v[7] = 1.0", INDEX, ["index 7", r"\(3,\) float32"]),
        ("v[:2] = tg.ones(3)", SHAPE, [r"\(3,\)", "write into"]),
        ("v[0] = 'a'", DTYPE, ["real numbers"]),
        ("i[0] = 1.5", DTYPE, ["integer", "astype"]),
        ("x.data = np.ones(3)", SHAPE, [r"\(2, 3\)", r"\(3,\)"]),
        ("y.data = np.ones((2, 3))", GRADIENT, ["result", "'mul'"]),
        ("x += 1.0", GRADIENT, [r"'\+='", "no_grad", r"t = t \+ x"]),
        ("x.grad = np.ones(3)", SHAPE, [r"\(2, 3\)", r"\(3,\)"]),
        ("y.requires_grad = False", GRADIENT, ["leaves only", "'mul'", r"t\.detach\(\)"]),
        ("i.requires_grad_()", DTYPE, ["int64", "astype"]),
        ("v.retain_grad()", GRADIENT, ["requires grad", r"\(3,\)"]),
    ],
    "as a Python object": [
        ("bool(x)", SHAPE, ["truth", r"\(2, 3\)", "np.any"]),
        ("float(x)", SHAPE, ["one element", r"\(2, 3\)"]),
        ("x.item()", SHAPE, ["one element", "sum"]),
        ("len(s)", USAGE, ["0-d", r"t\.item\(\)"]),
        ("list(s)", USAGE, ["0-d", r"t\.item\(\)"]),
        ("range(s)", DTYPE, ["integer", "float32"]),
        ("f'{x:.2f}'", SHAPE, ["one element"]),
    ],
    "gradients": [
        ("x.backward()", SHAPE, ["one element", r"\(2, 3\)", r"\.sum\(\)", "grad="]),
        ("y.backward(np.ones(3))", SHAPE, [r"exactly the shape \(2, 3\)", r"\(3,\)"]),
        ("y.backward(1.0)", SHAPE, [r"exactly the shape \(2, 3\)", r"1\.0|\(\)"]),
        ("y.backward('a')", SHAPE, ["exactly the shape"]),
        ("v.sum().backward()", GRADIENT, ["requires grad", "requires_grad=True"]),
        ("used.backward()", GRADIENT, ["forward pass again", "retain_graph=True"]),
        ("tg.grad(y.sum(), s)", GRADIENT, ["do not depend on input 0", "allow_unused=True"]),
        ("tg.grad(y, x)", SHAPE, ["one element", r"\(2, 3\)"]),
        ("tg.grad(y.sum(), 3.0)", USAGE, ["grad", "inputs must be tensors", r"3\.0"]),
        ("tg.grad(3.0, x)", USAGE, ["grad", "outputs must be tensors", r"3\.0"]),
        ("tg.grad([y.sum()], x, [1.0, 2.0])", USAGE, ["1 outputs but 2 grad_outputs"]),
        ("tg.grad([y.sum()], x, 1.0)", USAGE, ["grad", "grad_outputs"]),
        ("tg.value_and_grad(lambda z: z)(a)", SHAPE, ["value_and_grad", r"\(3,\)", "sum"]),
        ("tg.value_and_grad(lambda z: 1.0)(a)", USAGE, ["value_and_grad", "return one tensor"]),
        ("tg.value_and_grad(lambda z: z, argnums=3)(a)", USAGE, ["argnums=3", "1 arg"]),
        ("tg.hessian(lambda z: z * z, a)", SHAPE, ["hessian", "one element"]),
        ("tg.hvp(lambda z: z.sum(), a, np.ones(2))", SHAPE, ["hvp", r"\(3,\)", r"\(2,\)"]),
        ("tg.jvp(lambda z: z, (a,), (a, a))", USAGE, ["jvp", "1 primals but 2 tangents"]),
        ("tg.jvp(lambda z: z, a, np.ones(2))", SHAPE, ["jvp", r"\(3,\)", r"\(2,\)"]),
        ("tg.vjp(lambda z: z, a)[1](np.ones(2))", SHAPE, ["exactly the shape", r"\(2,\)"]),
        ("tg.vjp(lambda z: v * 1.0, a)[1](np.ones(2))", SHAPE, [r"shape \(3,\)", r"\(2,\)"]),
        ("tg.jacobian(lambda z: z.data, a)", USAGE, ["jacobian", "return one tensor", "ops"]),
    ],
    "graphs and records": [
        ("tg.graph(3.0)", USAGE, ["graph takes tensors", r"3\.0"]),
        ("tg.graph()", USAGE, ["at least one"]),
        ("tg.graph(y).evaluate(feed={y: a})", USAGE, ["leaves of this graph", r"\(2, 3\)"]),
        ("tg.graph(y).evaluate(feed={x: a})", SHAPE, [r"\(2, 3\)", r"\(3,\)", "again"]),
        ("tg.op(lambda x: x)", USAGE, [r"@tg\.op\(\.\.\.\)"]),
        ("tg.op('tanh', np.tanh)", USAGE, ["'tanh' exists", "another name"]),
        ("tg.op('mine', lambda x: x, kind='odd')", USAGE, ["mine", "'odd'", "elementwise"]),
        ("tg.op('mine', lambda x: x, saves='q')", USAGE, ["mine", "saves names q"]),
        (
            "tg.op('mine', lambda a, b: a, vjps=[None])",
            USAGE,
            ["mine", "1 VJPs? for 2 inputs"],
        ),
        ("check.gradcheck(lambda z: z, 3)", USAGE, ["nothing to differentiate by", "floats"]),
        ("check.gradcheck(lambda z: 1.0, a)", USAGE, ["gradcheck", "return a tensor"]),
        ("check.check_op(tg.tanh, [])", USAGE, ["check_op", "no samples"]),
    ],
}
CASES = [(group, *row) for group, rows in ROWS.items() for row in rows]


def state(names):
    """Return everything that a failed call must leave alone."""
    tensors = {k: t for k, t in names.items() if isinstance(t, tg.Tensor)}
    kept = {k: (t.data.tobytes(), t.grad, t.requires_grad, t.used) for k, t in tensors.items()}
    kept["versions"] = [t._storage.written if t._storage else 0 for t in tensors.values()]
    return kept | {"a": names["a"].tobytes(), "dtype": tg.get_default_dtype()}


@pytest.mark.parametrize(
    ("group", "code", "cls", "words"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_bad_input(group, code, cls, words):
    names = world()
    before = state(names)
    with pytest.raises(cls) as caught:
        exec(code, names)
    message = str(caught.value)
    assert isinstance(caught.value, TinygraphError)
    for word in words:
        assert re.search(word, message, re.DOTALL), f"{word!r} is not in: {message}"
    assert state(names) == before


def test_there_are_many_kinds():
    assert len({code for _, code, _, _ in CASES}) == len(CASES) >= 80


def test_every_error_is_also_the_builtin_error_that_numpy_users_expect():
    pairs = {
        tg.ShapeError: ValueError,
        tg.DtypeError: TypeError,
        tg.UsageError: TypeError,
        tg.IndexRangeError: IndexError,
        tg.GradientError: RuntimeError,
        tg.VersionError: tg.GradientError,
        tg.AnomalyError: ArithmeticError,
        check.GradcheckError: AssertionError,
    }
    for ours, theirs in pairs.items():
        assert issubclass(ours, theirs) and issubclass(ours, TinygraphError)
