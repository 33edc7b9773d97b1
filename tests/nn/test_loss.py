"""The losses against independent NumPy, from ordinary to extreme."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.check import gradcheck, gradgradcheck

F = nn.functional
REDUCE = {"mean": np.mean, "sum": np.sum, "none": np.asarray}
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 3))
TARGETS = RNG.uniform(size=(4, 3))
LABELS = np.array([0, 2, 1, 2])


def bce(x, t):
    p = 1 / (1 + np.exp(-x))
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def cross_entropy(x, labels):
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    rows = zip(p.reshape(-1, p.shape[-1]), np.ravel(labels), strict=True)
    return np.array([-math.log(row[k]) for row, k in rows]).reshape(np.shape(labels))


LOSSES = {
    "mse": (F.mse_loss, nn.MSELoss, lambda x, t: (x - t) * (x - t), (A, B)),
    "bce": (F.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss, bce, (A, TARGETS)),
    "ce": (F.cross_entropy, nn.CrossEntropyLoss, cross_entropy, (A, LABELS)),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_of_function_and_module(name, reduction, dtype):
    function, module, reference, (x, t) = LOSSES[name]
    expected = REDUCE[reduction](reference(x, t))
    x, t = x.astype(dtype), t if name == "ce" else t.astype(dtype)
    tolerance = 3e-6 if dtype == np.float32 else 1e-13
    for loss in (
        function(tg.tensor(x), t, reduction=reduction),
        module(reduction=reduction)(tg.tensor(x), tg.tensor(t)),
    ):
        assert loss.dtype == dtype and loss.shape == np.shape(expected)
        np.testing.assert_allclose(loss.data, expected, tolerance, tolerance)
    np.testing.assert_allclose(function(x, t, reduction=reduction), expected, tolerance, tolerance)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", REDUCE)
def test_derivatives_of_two_orders(name, reduction):
    function, _, _, (x, t) = LOSSES[name]
    assert gradcheck(lambda x, t: function(x, t, reduction=reduction), (x, t))
    assert gradgradcheck(
        lambda x, t: function(x, t, reduction=reduction), (x, t), atol=1e-6, rtol=1e-6
    )


@pytest.mark.parametrize("name", LOSSES)
def test_one_row_and_no_rows(name):
    function, _, reference, (x, t) = LOSSES[name]
    np.testing.assert_allclose(
        function(tg.tensor(x[:1]), t[:1]).data, reference(x[:1], t[:1]).mean()
    )
    empty = tg.tensor(x[:0], requires_grad=True)
    assert function(empty, t[:0], reduction="sum").item() == 0
    mean = function(empty, t[:0])
    assert math.isnan(mean.item())
    mean.backward()
    assert empty.grad.shape == (0, 3)


@pytest.mark.parametrize("name", LOSSES)
def test_modules_print_their_reduction(name):
    assert repr(LOSSES[name][1](reduction="sum")) == f"{LOSSES[name][1].__name__}(reduction='sum')"


def test_lists_and_numbers_are_targets_in_the_default_dtype():
    assert F.mse_loss(tg.ones(2), [1.0, 3.0]).dtype == np.float32
    assert F.mse_loss(tg.tensor(2.0), 5).item() == 9
    assert F.binary_cross_entropy_with_logits(tg.zeros(2), [0, 1]).dtype == np.float32
    assert F.binary_cross_entropy_with_logits(tg.zeros(2), np.array([True, False])).item() > 0.69
    assert F.cross_entropy(tg.zeros(2, 4), [3, 0]).item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_of_any_integer_dtype(dtype):
    expected = F.cross_entropy(tg.tensor(A), LABELS).item()
    assert F.cross_entropy(tg.tensor(A), LABELS.astype(dtype)).item() == expected


def test_cross_entropy_of_one_row_and_of_sequences():
    assert F.cross_entropy(tg.tensor(A[0]), 2).data == pytest.approx(cross_entropy(A[0], 2))
    x, labels = A.reshape(2, 2, 3), LABELS.reshape(2, 2)
    losses = F.cross_entropy(tg.tensor(x).swapaxes(1, 2), labels, reduction="none")  # (N, C, L)
    np.testing.assert_allclose(losses.data, cross_entropy(x, labels), 1e-12)


# ---- extremes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_a_thousand(dtype):
    x = tg.tensor(np.array([1000, -1000, 1000, -1000], dtype), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, np.array([1, 0, 0, 1]), reduction="none")
    assert loss.data.tolist() == [0, 0, 1000, 1000]
    loss.sum().backward()
    assert x.grad.tolist() == [0, 0, 1, -1]
    x = tg.tensor(np.array([[1000, -1000, 0], [-1000, 1000, 0]], dtype), requires_grad=True)
    loss = F.cross_entropy(x, np.array([0, 0]), reduction="none")
    assert loss.data.tolist() == [0, 2000]
    loss.sum().backward()
    assert x.grad.tolist() == [[0, 0, 0], [-1, 1, 0]]


def test_a_right_answer_costs_little_but_not_nothing():
    """Near 0 the loss is e^−|x| to relative accuracy: nothing cancels, value or gradient."""
    x = tg.tensor(np.array([20.0, -20.0, 80.0, -80.0], np.float32), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(
        x, np.array([1, 0, 1, 0], np.float32), reduction="none"
    )
    expected = np.exp(-np.array([20.0, 20.0, 80.0, 80.0]))
    np.testing.assert_allclose(loss.data, expected, 1e-6)
    loss.sum().backward()
    np.testing.assert_allclose(x.grad, expected * [-1, 1, -1, 1], 1e-6)


def test_a_common_offset_of_the_logits_does_not_matter():
    x = A.astype(np.float32)
    near, far = (
        F.cross_entropy(tg.tensor(x + c), LABELS, reduction="none").data for c in (0, 4096)
    )
    np.testing.assert_allclose(far, near, atol=1e-3)
    whole = np.array([[0, 1, 3]], np.float32)  # the offset is exact: so is the loss
    near, far = (F.cross_entropy(tg.tensor(whole + c), [1]).item() for c in (0, 1e6))
    assert near == far


def test_masked_classes_cost_nothing():
    x = tg.tensor(np.array([[0.0, -np.inf, 0.0]]), requires_grad=True)
    loss = F.cross_entropy(x, [0])
    assert loss.item() == pytest.approx(math.log(2))
    loss.backward()
    np.testing.assert_allclose(x.grad, [[-0.5, 0, 0.5]])


def test_infinite_loss_for_an_impossible_label():
    assert F.cross_entropy(tg.tensor([[0.0, -np.inf]]), [1]).item() == np.inf


# ---- one_hot -------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [2, [0, 2, 1], [[1, 0], [2, 2]], np.zeros((0, 2), int)])
def test_one_hot_is_a_row_of_the_identity(labels):
    rows = F.one_hot(np.asarray(labels), 4)
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, np.eye(4, dtype=int)[np.asarray(labels)])


def test_one_hot_finds_the_number_of_classes():
    assert F.one_hot(tg.tensor([0, 5])).shape == (2, 6)
    assert F.one_hot(np.zeros(0, int)).shape == (0, 0)
    with pytest.raises(tg.CompileError, match="num_classes"):
        tg.compile(lambda x: F.one_hot(x))(np.array([1]))


def test_one_hot_checks_labels_at_every_replay():
    run = tg.compile(lambda x: F.one_hot(x, 3))
    for label in (1, 2):
        assert run(np.array([label])).numpy().argmax() == label
    with pytest.raises(tg.IndexRangeError, match="label 3"):
        run(np.array([3]))


def test_no_rows_of_no_classes_cost_nothing():
    assert F.cross_entropy(tg.zeros(0, 0), np.zeros(0, int), reduction="sum").item() == 0


@pytest.mark.parametrize("name", ["one_hot", "cross_entropy_slope"])
def test_the_ops_behind_losses_refuse_labels_beyond_a_row(name):
    labels, options = np.array([3, 0]), {"ignore_index": None}
    record = tg.REGISTRY[name]
    with pytest.raises(tg.IndexRangeError, match="3"):
        if name == "one_hot":
            record(tg.tensor(labels), classes=3, dtype=np.dtype("f4"), **options)
        else:
            record(tg.zeros(2, 3), tg.tensor(labels), **options)
