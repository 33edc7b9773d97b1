"""The dtype rules, each a row."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

F16, F32, F64 = (np.dtype(t) for t in (np.float16, np.float32, np.float64))


@pytest.mark.parametrize(
    ("value", "more", "dtype"),
    [
        (1.5, {}, F32),
        ([1.0, 2.0], {}, F32),
        ([[1, 2.5]], {}, F32),
        (3, {}, np.int64),
        ([1, 2], {}, np.int64),
        (True, {}, np.bool_),
        ([True, False], {}, np.bool_),
        (3, {"requires_grad": True}, F32),
        ([1, 2], {"requires_grad": True}, F32),
        (np.ones(2), {}, F64),
        (np.ones(2, F32), {}, F32),
        (np.ones(2, np.int8), {}, np.int8),
        (np.float64(2), {}, F64),
        (1.5, {"dtype": F64}, F64),
        ([1, 2], {"dtype": np.float16}, F16),
        ([], {}, F32),
    ],
)
def test_dtype_of_a_new_tensor(value, more, dtype):
    assert tg.tensor(value, **more).dtype == dtype


def t(dtype, shape=(2,)):
    return tg.tensor(np.ones(shape, dtype))


WEAK = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2), np.bool_(True)]


@pytest.mark.parametrize("dtype", [F16, F32, F64], ids=str)
@pytest.mark.parametrize("weak", WEAK, ids=lambda w: f"{type(w).__name__}")
def test_scalars_never_widen_a_floating_tensor(weak, dtype):
    x = t(dtype)
    for out in (x * weak, weak * x, x + weak, weak - x, x / weak, tg.maximum(x, weak)):
        assert out.dtype == dtype


@pytest.mark.parametrize("other", [np.int8, np.int64, np.uint8, np.bool_], ids=lambda d: d.__name__)
def test_integer_and_boolean_arrays_and_tensors_never_widen(other):
    for operand in (np.ones(2, other), t(other)):
        assert (t(F32) * operand).dtype == F32 and (operand + t(F32)).dtype == F32
        assert (t(F16) @ operand).dtype == F16


@pytest.mark.parametrize(
    ("a", "b", "result"), [(F16, F32, F32), (F32, F64, F64), (F64, F16, F64)], ids=str
)
def test_mixed_floats_promote_by_numpys_rule(a, b, result):
    assert (t(a) * t(b)).dtype == result
    assert tg.concatenate([t(a), t(b)]).dtype == result


def test_0d_arrays_and_tensors_count_as_arrays():
    assert (t(F32) * np.array(2.0)).dtype == F64
    assert (t(F32) * t(F64, ())).dtype == F64


def test_integers_give_integers_or_the_default_float():
    assert (t(np.int64) * 2).dtype == np.int64
    assert (t(np.int64) * 2.5).dtype == F32
    assert (t(np.int64) / 2).dtype == F32
    assert tg.exp(t(np.int64)).dtype == F32
    assert tg.mean(t(np.int64)).dtype == F32
    assert t(np.bool_).sum().dtype == np.int64
    with tg.default_dtype(F64):
        assert (t(np.int64) / 2).dtype == F64


def test_python_numbers_in_a_stack_do_not_widen():
    assert tg.stack([tg.tensor(1.0), 2.0]).dtype == F32


@pytest.mark.parametrize("dtype", [F16, F32, F64], ids=str)
def test_a_leafs_gradient_has_the_leafs_dtype(dtype):
    x = tg.tensor(np.ones(2, dtype), requires_grad=True)
    (x * t(F64)).sum().backward()
    assert x.grad.dtype == dtype
    assert tg.grad((x * t(F64)).sum(), x, create_graph=True).dtype == dtype


def test_astype_is_differentiable_and_free_when_there_is_nothing_to_do():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert x.astype(np.float32) is x
    y = x.astype(np.float64)
    (y * y).sum().backward()
    assert y.dtype == F64 and x.grad.dtype == F32 and x.grad.tolist() == [2, 4]


def test_integers_made_from_floats_have_no_gradient():
    x = tg.tensor([1.5], requires_grad=True)
    assert not x.astype(np.int64).requires_grad


def test_foreign_byte_order_becomes_native():
    x = tg.tensor(np.ones(2, ">f4"))
    assert x.dtype == F32 and (x * 2).dtype == F32


def test_python_floats_keep_their_digits_when_a_dtype_is_given():
    assert tg.tensor(1 / 3, dtype=np.float64).item() == 1 / 3
    assert tg.tensor([1 / 3], dtype=np.float64).data.tolist() == [1 / 3]
