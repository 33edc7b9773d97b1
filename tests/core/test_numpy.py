"""NumPy's functions and operators on tensors: they stay tensors and keep the gradient."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

A = np.array([[1.0, 2.0], [3.0, 4.0]])


def leaf(values=A):
    return tg.tensor(values, requires_grad=True)


CALLS = {
    "array * t": (lambda t: A * t, A * A),
    "array - t": (lambda t: np.ones(2) - t, 1 - A),
    "array / t": (lambda t: A / t, np.ones((2, 2))),
    "array ** t": (lambda t: A**t, A**A),
    "array @ t": (lambda t: A @ t, A @ A),
    "t @ array": (lambda t: t @ A, A @ A),
    "list + t": (lambda t: [1.0, 2.0] + t, A + [1, 2]),
    "float64 * t": (lambda t: np.float64(2) * t, 2 * A),
    "int64 * t": (lambda t: np.int64(2) * t, 2 * A),
    "0-d array * t": (lambda t: np.array(2.0) * t, 2 * A),
    "number ** t": (lambda t: 2**t, 2**A),
    "np.exp": (np.exp, np.exp(A)),
    "np.add": (lambda t: np.add(t, 1), A + 1),
    "np.sum of an axis": (lambda t: np.sum(t, axis=0), A.sum(0)),
    "np.mean": (lambda t: np.mean(t, axis=1, keepdims=True), A.mean(1, keepdims=True)),
    "np.var": (lambda t: np.var(t, axis=0, ddof=1), A.var(0, ddof=1)),
    "np.max": (lambda t: np.max(t), 4.0),
    "np.clip": (lambda t: np.clip(t, 1.5, 3.5), A.clip(1.5, 3.5)),
    "np.clip by name": (lambda t: np.clip(t, a_min=1.5, a_max=None), A.clip(1.5)),
    "np.where": (lambda t: np.where(A > 2, t, 0.0), np.where(A > 2, A, 0)),
    "np.reshape": (lambda t: np.reshape(t, (4,)), A.reshape(4)),
    "np.transpose": (np.transpose, A.T),
    "np.concatenate": (lambda t: np.concatenate([t, A], axis=1), np.hstack([A, A])),
    "np.stack": (lambda t: np.stack([t, t]), np.stack([A, A])),
    "np.expand_dims": (lambda t: np.expand_dims(t, 1), A[:, None]),
    "np.squeeze": (lambda t: np.squeeze(t[None]), A),
    "np.broadcast_to": (lambda t: np.broadcast_to(t, (3, 2, 2)), np.stack([A] * 3)),
    "np.take": (lambda t: np.take(t, [1, 0], axis=1), A[:, ::-1]),
    "np.pad": (lambda t: np.pad(t, 1), np.pad(A, 1)),
    "np.matmul": (lambda t: np.matmul(t, t), A @ A),
    "np.astype": (lambda t: np.astype(t, np.float32), A),
}


@pytest.mark.parametrize(("call", "wanted"), CALLS.values(), ids=CALLS)
def test_numpy_calls_keep_the_gradient(call, wanted):
    out = call(leaf())
    assert isinstance(out, tg.Tensor) and out.requires_grad
    np.testing.assert_allclose(out.detach().numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: np.linalg.eigh(t), r"np\.linalg.*\.eigh"),
        (lambda t: np.trapezoid(t), r"np\.trapezoid"),
        (lambda t: np.heaviside(t, 0.5), r"np\.heaviside"),
        (lambda t: np.add.reduce(t), r"np\.add\.reduce"),
        (lambda t: np.multiply.outer(t, t), r"np\.multiply\.outer"),
    ],
    ids=["eigh", "trapezoid", "heaviside", "add.reduce", "outer"],
)
def test_an_unknown_function_says_how_to_detach(call, name):
    with pytest.raises(TypeError, match=rf"{name} has no.*\(2, 2\).*t\.detach\(\)\.numpy\(\)"):
        call(leaf())


def test_writing_a_tensor_into_an_array_raises():
    a = A.copy()
    with pytest.raises(TypeError, match=r"np\.add.*a = a \+ t"):
        a += leaf()
    assert a.tolist() == A.tolist()


def test_asarray_of_a_tensor_that_requires_grad_raises():
    with pytest.raises(TypeError, match=r"loses the gradient.*t\.detach\(\)\.numpy\(\)"):
        np.asarray(leaf())


def test_asarray_of_another_tensor_is_a_read_only_view():
    t = tg.tensor(A)
    a = np.asarray(t)
    assert np.shares_memory(a, t.data) and not a.flags.writeable
    assert np.array(t).flags.writeable
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(t, A)


def test_comparisons_with_arrays_are_tensors_without_gradient():
    mask = leaf() > A.mean()
    assert isinstance(mask, tg.Tensor) and mask.dtype == np.bool_ and not mask.requires_grad
    assert isinstance(np.less(A, leaf()), tg.Tensor)


def test_array_functions_inside_a_graph_are_nodes():
    x = leaf()
    assert tg.graph(np.sum(np.exp(x))).counts == {"exp": 1, "sum": 1}


@pytest.mark.parametrize("other", [A, A.astype(np.float32), A.astype(np.float16), A > 2, A[0]])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_array_on_the_right_is_what_a_tensor_of_it_is(dtype, other):
    t, twin = (leaf(A.astype(dtype)) for _ in range(2))
    product, wanted = t * other, twin * tg.from_numpy(other)
    assert product.dtype == wanted.dtype and product.numpy().tobytes() == wanted.numpy().tobytes()
    operand = product.inputs[1]
    assert isinstance(operand, tg.Tensor) and not operand.requires_grad
    product.sum().backward()
    wanted.sum().backward()
    assert t.grad.tobytes() == twin.grad.tobytes()


@pytest.mark.parametrize("number", [np.float32(0.1), np.float64(0.1), np.int8(3), np.bool_(True)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_numpy_scalar_is_what_its_python_number_is(dtype, number):
    t = leaf(A.astype(dtype))
    for call in (lambda n: t * n, lambda n: n * t, lambda n: t - n, lambda n: n - t):
        found, wanted = call(number), call(number.item())
        assert found.dtype == wanted.dtype == dtype
        assert found.numpy().tobytes() == wanted.numpy().tobytes()


def test_a_long_double_meets_a_tensor_without_end():
    assert (leaf() * np.longdouble(2)).numpy().tolist() == (2 * A).tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("other", [A, A.astype(np.float32), A.astype(">f4"), A.astype(np.int32)])
def test_an_array_on_the_left_is_what_a_tensor_of_it_is(other, dtype):
    t = leaf(A.astype(dtype))
    found, wanted = other - t, tg.tensor(other) - t
    assert found.dtype == wanted.dtype and found.numpy().tobytes() == wanted.numpy().tobytes()
    assert all(isinstance(x, tg.Tensor) for x in found.inputs)
