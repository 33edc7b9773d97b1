"""Clipping of gradients: values, packed and free memory, nan and infinity, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.ops.state import CHUNK
from tinygraph.optim import clip

NORMS = [1.0, 2.0, 3.0, 0.5, math.inf]


def leaves(dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(0)
    found = []
    for shape in ((3, 4), (), (5,), (0, 2), (2, 1, 2)):
        p = tg.tensor(rng.normal(size=shape).astype(dtype), requires_grad=True)
        p.grad = scale * rng.normal(size=shape)
        found.append(p)
    return found


def vector(tensors):
    return np.concatenate([p.grad.ravel().astype(np.float64) for p in tensors])


def wanted_norm(v, p):
    return np.abs(v).max() if p == math.inf else (np.abs(v) ** p).sum() ** (1 / p)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 1e3])
def test_clip_grad_norm(max_norm, norm_type, dtype, packed):
    ps = leaves(dtype)
    optimizer = tg.optim.SGD(ps) if packed else None
    before = vector(ps)
    norm = tg.clip_grad_norm(optimizer or ps, max_norm, norm_type)
    wanted = wanted_norm(before, norm_type)
    tolerance = {np.float16: 2e-3, np.float32: 1e-6, np.float64: 1e-12}[dtype]
    assert type(norm) is float and norm == pytest.approx(wanted, rel=tolerance)
    scale = min(1.0, max_norm / (wanted + 1e-6))
    np.testing.assert_allclose(vector(ps), before * scale, tolerance, tolerance)
    if max_norm > wanted:
        np.testing.assert_array_equal(vector(ps), before)


@pytest.mark.parametrize("packed", [False, True])
def test_clip_grad_value(packed):
    ps = leaves()
    optimizer = tg.optim.SGD(ps) if packed else None
    before = vector(ps)
    assert tg.clip_grad_value(optimizer or ps, 0.3) is None
    np.testing.assert_array_equal(vector(ps), np.clip(before, -0.3, 0.3))


def test_one_vector_for_an_optimizer_and_a_cut_where_a_gradient_is_missing():
    model = nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 1)
    optimizer = tg.optim.SGD(model.parameters())
    model(tg.ones(4, 2)).sum().backward()
    (whole,) = clip._gradients("", optimizer)
    assert whole.shape == (13,) and np.shares_memory(whole, optimizer.flat[0].grad)
    (again,) = clip._gradients("", model.parameters())
    assert again.shape == (13,)
    model[0].bias.grad = None
    assert [g.size for g in clip._gradients("", optimizer)] == [6, 4]
    assert [g.size for g in clip._gradients("", model[2].parameters())] == [4]
    order = [model[2].bias, model[2].weight, model[0].weight]
    assert [g.size for g in clip._gradients("", order)] == [1, 3, 6]


def test_what_is_not_named_is_not_touched():
    model = nn.Linear(2, 3) >> nn.Linear(3, 1)
    tg.optim.SGD(model.parameters())
    model(tg.ones(4, 2)).sum().backward()
    other = model[0].weight.grad.copy()
    tg.clip_grad_norm(model[1].parameters(), 0.0)
    assert not model[1].weight.grad.any() and np.array_equal(model[0].weight.grad, other)


def test_packed_free_and_mixed_dtypes_together():
    a, b = leaves(np.float32), leaves(np.float64)
    optimizer = tg.optim.SGD(a[:3] + b[1:2])
    everything = [*b[2:], *a, b[0], b[1]]
    before = vector(everything)
    norm = tg.clip_grad_norm(iter(everything), 1.0)
    assert norm == pytest.approx(np.linalg.norm(before), rel=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vector(everything)), 1.0, 1e-5)
    optimizer.close()
    tg.clip_grad_norm(everything, 0.5)
    np.testing.assert_allclose(np.linalg.norm(vector(everything)), 0.5, 1e-5)


def test_a_parameter_that_stands_twice_counts_once():
    w = tg.tensor([3.0, 4.0], requires_grad=True)
    w.grad = w.data
    assert tg.clip_grad_norm([w, w], 1.0) == 5.0
    np.testing.assert_allclose(w.grad, [0.6, 0.8], 1e-5)
    assert tg.clip_grad_norm(w, 10.0) == pytest.approx(1.0)


def test_no_gradients_no_norm():
    w = tg.ones(3, requires_grad=True)
    assert tg.clip_grad_norm([w], 1.0) == 0.0
    assert tg.clip_grad_norm([], 1.0) == 0.0
    tg.clip_grad_value([w], 1.0)
    assert w.grad is None


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize(
    "size, dtype", [(1e-30, "f4"), (1e25, "f4"), (1e37, "f4"), (1e-200, "f8"), (1e200, "f8")]
)
def test_powers_that_leave_the_range(size, dtype, norm_type):
    w = tg.ones(3, dtype=dtype, requires_grad=True)
    w.grad = np.array([size, -size, 0.5 * size])
    values = np.array([1, 1, 0.5])
    wanted = size * wanted_norm(values, norm_type)
    assert tg.clip_grad_norm([w], math.inf, norm_type) == pytest.approx(wanted, rel=1e-6)
    tg.clip_grad_norm([w], size, norm_type)
    if size > 1:
        clipped = wanted_norm(w.grad.astype(float) / size, norm_type)
        assert clipped == pytest.approx(1.0, rel=1e-6)


def test_many_gradients_are_summed_in_float64():
    w = tg.zeros(4_000_000, requires_grad=True)
    w.grad = np.full(4_000_000, 0.1)
    wanted = float(np.float32(0.1)) * 2000
    assert tg.clip_grad_norm([w], 1e9) == pytest.approx(wanted, rel=1e-7)
    big = tg.zeros(CHUNK + 1, requires_grad=True)
    big.grad = np.arange(CHUNK + 1) == CHUNK
    assert tg.clip_grad_norm([big], 0.5) == 1.0 and big.grad[-1] == pytest.approx(0.5, 1e-5)


def test_an_infinite_or_nan_norm():
    def leaf(*values):
        w = tg.zeros(len(values), requires_grad=True)
        w.grad = np.array(values)
        return w

    w = leaf(1.0, np.inf)
    assert tg.clip_grad_norm([w], 1.0) == math.inf
    assert w.grad[0] == 0 and np.isnan(w.grad[1])
    for norm_type in (2.0, math.inf):
        w, other = leaf(1.0, np.nan), leaf(2.0)
        assert math.isnan(tg.clip_grad_norm([other, w], 1.0, norm_type))
        assert np.isnan(w.grad).all() and np.isnan(other.grad).all()
    for bad in (np.nan, -np.inf):
        w = leaf(1.0, bad)
        with pytest.raises(tg.GradientError, match=r"finite.*detect_anomaly"):
            tg.clip_grad_norm([w], 1.0, error_if_nonfinite=True)
        assert w.grad[0] == 1.0
    w = leaf(5.0, np.nan)
    tg.clip_grad_value([w], 1.0)
    assert w.grad[0] == 1.0 and np.isnan(w.grad[1])


def test_in_a_loop_the_steps_are_bounded():
    w = tg.tensor([100.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=1.0)
    for _ in range(3):
        optimizer.zero_grad()
        (w * w).sum().backward()
        tg.clip_grad_norm(optimizer, 1.0)
        optimizer.step()
    np.testing.assert_allclose(w.data, 97, 1e-5)


BAD = {
    "a module": (lambda w: tg.clip_grad_norm(nn.Linear(1, 1), 1.0), "optimizer parameters()"),
    "an array": (lambda w: tg.clip_grad_norm(np.ones(2), 1.0), "(2,) optimizer"),
    "arrays": (lambda w: tg.clip_grad_norm([w, np.ones(2)], 1.0), "(2,) optimizer"),
    "names": (lambda w: tg.clip_grad_value({"w": w}, 1.0), "clip_grad_value 'w'"),
    "nothing": (lambda w: tg.clip_grad_value(None, 1.0), "NoneType"),
    "negative": (lambda w: tg.clip_grad_norm([w], -1.0), "max_norm 0 -1.0"),
    "nan": (lambda w: tg.clip_grad_norm([w], math.nan), "max_norm nan"),
    "a text": (lambda w: tg.clip_grad_norm([w], "1"), "max_norm str"),
    "norm 0": (lambda w: tg.clip_grad_norm([w], 1.0, 0), "norm_type above math.inf"),
    "norm negative": (lambda w: tg.clip_grad_norm([w], 1.0, -2), "norm_type -2"),
    "no flag": (lambda w: tg.clip_grad_norm([w], 1.0, 2, 3), "error_if_nonfinite 3"),
    "a negative value": (lambda w: tg.clip_grad_value([w], -1), "clip_value -1"),
    "a value that is none": (lambda w: tg.clip_grad_value([w], None), "clip_value NoneType"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_explained_and_changes_nothing(case):
    action, words = BAD[case]
    w = tg.zeros(2, requires_grad=True)
    w.grad = np.array([3.0, 4.0])
    with pytest.raises(tg.UsageError) as caught:
        action(w)
    missing = [word for word in words.split(" ") if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))
    assert w.grad.tolist() == [3, 4]
