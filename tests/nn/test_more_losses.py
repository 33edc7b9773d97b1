"""The losses beyond the first three: extremes, options, and what they refuse.

Values and derivatives of all of them are proven by the battery (tests/op_samples_losses.py).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.check import gradcheck, gradgradcheck

F = nn.functional
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 3))
P, Q = RNG.uniform(0.05, 0.95, size=(2, 4, 3))
LABELS = np.array([0, 2, 1, 2])
SIGNS = np.where(A > 0, 1, -1)
DTYPES = [np.float32, np.float64]
INF = np.inf

PAIRS = {
    "L1Loss": (F.l1_loss, (A, B)),
    "SmoothL1Loss": (F.smooth_l1_loss, (A, B)),
    "HuberLoss": (F.huber_loss, (A, B)),
    "BCELoss": (F.binary_cross_entropy, (P, Q)),
    "KLDivLoss": (F.kl_div, (A, Q)),
    "HingeLoss": (F.hinge_loss, (A, SIGNS)),
    "NLLLoss": (F.nll_loss, (A, LABELS)),
    "MultiMarginLoss": (F.multi_margin_loss, (A, LABELS)),
}


def value_and_slope(f, x, dtype):
    x = tg.tensor(np.array(x, dtype), requires_grad=True)
    y = f(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype
    return y.data.tolist(), x.grad.tolist()


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_function_and_module_agree_in_every_dtype(name, reduction, dtype):
    function, (x, t) = PAIRS[name]
    exact = function(x, t, reduction=reduction)
    x, t = x.astype(dtype), t if t.dtype.kind == "i" else t.astype(dtype)
    for loss in (
        function(tg.tensor(x), t, reduction=reduction),
        getattr(nn, name)(reduction=reduction)(tg.tensor(x), tg.tensor(t)),
    ):
        assert loss.dtype == dtype
        tolerance = 1e-6 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(loss.data, exact, tolerance, tolerance)


@pytest.mark.parametrize("name", PAIRS)
def test_one_row_and_no_rows(name):
    function, (x, t) = PAIRS[name]
    np.testing.assert_allclose(
        function(tg.tensor(x[:1]), t[:1]).data, function(x[:1], t[:1], reduction="none").mean()
    )
    empty = tg.tensor(x[:0], requires_grad=True)
    assert function(empty, t[:0], reduction="sum").item() == 0
    mean = function(empty, t[:0])
    assert math.isnan(mean.item())
    mean.backward()
    assert empty.grad.shape == (0, 3)


def test_modules_print_options_that_are_not_the_default():
    assert repr(nn.HuberLoss()) == "HuberLoss(reduction='mean')"
    assert repr(nn.HuberLoss("sum", 0.5)) == "HuberLoss(delta=0.5, reduction='sum')"
    ce = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)
    assert repr(ce) == "CrossEntropyLoss(ignore_index=0, label_smoothing=0.1, reduction='mean')"
    assert repr(nn.MultiMarginLoss(p=2)) == "MultiMarginLoss(p=2, reduction='mean')"


def test_weights_are_buffers_of_the_state():
    loss = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    assert list(loss.state_dict()) == ["weight"] and not list(loss.parameters())
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    bce = nn.BCEWithLogitsLoss(weight=np.ones(3), pos_weight=2.0)
    assert list(bce.state_dict()) == ["weight", "pos_weight"]
    assert loss.astype(np.float64)(tg.tensor(A), LABELS).dtype == np.float64


def test_weights_never_widen_a_loss():
    x = tg.tensor(A.astype(np.float32))
    for weight in (np.ones(3), [1, 2, 3], tg.ones(3, dtype=np.float64)):
        assert F.cross_entropy(x, LABELS, weight).dtype == np.float32
        assert F.nll_loss(x, LABELS, weight).dtype == np.float32
        bce = F.binary_cross_entropy_with_logits(x, P.astype(np.float32), weight, "mean", weight)
        assert bce.dtype == np.float32


# ---- between values of one shape ----------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_huber_from_the_corner_to_infinity(dtype):
    x = [0.0, 0.5, -0.5, 2.0, -1e30, INF]
    y, g = value_and_slope(lambda x: F.huber_loss(x, np.zeros(6, dtype), "none", 0.5), x, dtype)
    np.testing.assert_allclose(y, [0, 0.125, 0.125, 0.875, 5e29, INF], rtol=1e-6)
    assert g == [0, 0.5, -0.5, 0.5, -0.5, 0.5]


def test_smooth_l1_is_a_scaled_huber_and_ends_in_l1():
    smooth = F.smooth_l1_loss(tg.tensor(A), B, "none", 0.3)
    np.testing.assert_allclose(smooth.data, F.huber_loss(A, B, "none", 0.3) / 0.3, rtol=1e-12)
    np.testing.assert_array_equal(F.smooth_l1_loss(A, B, "none", 0), np.abs(A - B))


@pytest.mark.parametrize("dtype", DTYPES)
def test_divergence_where_a_distribution_ends(dtype):
    """t = 0 costs nothing, whatever was predicted; an impossible prediction costs ∞."""
    t = np.array([0, 0, 1, 1], dtype)
    x = [-INF, -3.0, 0.0, -INF]
    y, g = value_and_slope(lambda x: F.kl_div(x, t, "none"), x, dtype)
    assert y == [0, 0, 0, INF] and g == [0, 0, -1, -1]
    with np.errstate(divide="ignore"):
        log_t = np.log(t)
    y, g = value_and_slope(lambda x: F.kl_div(x, log_t, "none", True), x, dtype)
    assert y == [0, 0, 0, INF] and g == [0, 0, -1, -1]


def test_batchmean_is_the_divergence_of_rows():
    p = P / P.sum(1, keepdims=True)
    x = np.log(Q / Q.sum(1, keepdims=True))
    exact = (p * (np.log(p) - x)).sum(1).mean()
    assert F.kl_div(tg.tensor(x), p, "batchmean").item() == pytest.approx(exact)
    assert F.kl_div(tg.tensor(x), np.log(p), "batchmean", True).item() == pytest.approx(exact)
    assert math.isnan(F.kl_div(tg.tensor(x[:0]), p[:0], "batchmean").item())


# ---- yes or no ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_0_and_1_are_finite(dtype):
    t = np.array([1, 0, 0, 1], dtype)
    y, g = value_and_slope(
        lambda p: F.binary_cross_entropy(p, t, None, "none"), [1, 0, 1, 0], dtype
    )
    assert y == [0, 0, 100, 100]
    np.testing.assert_allclose(g, [0, 0, 1e12, -1e12], rtol=1e-6)


def test_a_small_probability_costs_what_it_should():
    """log(1 − p) near p = 0 is −p to relative accuracy."""
    y, _ = value_and_slope(
        lambda p: F.binary_cross_entropy(p, np.zeros(2, np.float32), None, "none"),
        [1e-12, 1e-30], np.float32,
    )  # fmt: skip
    np.testing.assert_allclose(y, [1e-12, 1e-30], rtol=1e-6)


def test_pos_weight_multiplies_the_positive_answers():
    x, t = tg.tensor(A), Q
    plain = F.binary_cross_entropy_with_logits(x, t, None, "none")
    same = F.binary_cross_entropy_with_logits(x, t, None, "none", 1.0)
    np.testing.assert_allclose(same.data, plain.data, rtol=1e-12)
    twice = F.binary_cross_entropy_with_logits(x, np.ones_like(A), None, "none", 2.0)
    np.testing.assert_allclose(twice.data, 2 * np.log1p(np.exp(-A)), rtol=1e-12)


def test_pos_weight_with_whole_number_labels_keeps_the_dtype():
    x, labels = A.astype(np.float32), (Q > 0.5).astype(np.int64)
    given = F.binary_cross_entropy_with_logits(tg.tensor(x), labels * 1.0, None, "none", 2.0)
    for t in (labels, tg.tensor(labels), labels > 0):
        y = F.binary_cross_entropy_with_logits(tg.tensor(x), t, None, "none", 2.0)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.data, given.data, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_hinge_at_the_margin(dtype):
    y, g = value_and_slope(
        lambda x: F.hinge_loss(x, np.array([1, 1, -1, -1]), reduction="none"), [1, 0, 0, -3], dtype
    )
    assert y == [0, 1, 1, 0] and g == [0, -1, 1, 0]


# ---- over classes -------------------------------------------------------------------------------


def soft(x, t):
    return -(t * (x - np.log(np.exp(x).sum(-1, keepdims=True)))).sum(-1)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_probabilities_as_targets(reduction):
    t = P / P.sum(1, keepdims=True)
    found = F.cross_entropy(tg.tensor(A), t, reduction=reduction)
    finish = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction]
    np.testing.assert_allclose(found.data, finish(soft(A, t)), rtol=1e-12)
    assert gradcheck(lambda x, t: F.cross_entropy(x, t, reduction=reduction), (A, t))
    assert gradgradcheck(lambda x: F.cross_entropy(x, t, reduction=reduction), (A,))


def test_one_hot_probabilities_are_labels():
    one_hot = np.eye(3)[LABELS]
    for options in ({}, {"weight": [1.0, 2.0, 3.0], "reduction": "sum"}, {"label_smoothing": 0.2}):
        a = F.cross_entropy(tg.tensor(A), one_hot, **options).item()
        assert a == pytest.approx(F.cross_entropy(tg.tensor(A), LABELS, **options).item())
    assert F.cross_entropy(tg.tensor(A[0]), one_hot[0]).item() == pytest.approx(
        F.cross_entropy(tg.tensor(A[0]), 0).item()
    )


def test_a_class_with_probability_0_is_free_even_when_masked():
    x = [[0.0, -INF, 0.0]]
    t = np.array([[0.5, 0.0, 0.5]])
    y, g = value_and_slope(lambda x: F.cross_entropy(x, t), x, np.float64)
    assert y == pytest.approx(math.log(2)) and g == [[0, 0, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_huge_logits_with_every_option(dtype):
    x = [[1000, -1000, 0], [-1000, 1000, 0]]
    w = np.array([1, 2, 4], dtype)
    y, g = value_and_slope(lambda x: F.cross_entropy(x, [0, 0], w, reduction="none"), x, dtype)
    assert y == [0, 2000] and g == [[0, 0, 0], [-1, 1, 0]]
    y, _ = value_and_slope(
        lambda x: F.cross_entropy(x, [0, 0], w, reduction="sum", label_smoothing=0.3), x, dtype
    )
    smooth = 0.1 * (2 * 2000 + 4 * 1000) + 0.7 * 2000 + 0.1 * (1 * 2000 + 4 * 1000)
    assert y == pytest.approx(smooth)


def test_ignored_labels_cost_nothing_and_move_nothing():
    labels = np.array([0, -100, 1, -100])
    for options in ({}, {"weight": [1.0, 2.0, 3.0]}, {"label_smoothing": 0.1}):
        x = tg.tensor(A, requires_grad=True)
        loss = F.cross_entropy(x, labels, **options)
        kept = F.cross_entropy(tg.tensor(A[[0, 2]]), labels[[0, 2]], **options)
        assert loss.item() == pytest.approx(kept.item(), rel=1e-12)
        loss.backward()
        assert not x.grad[[1, 3]].any() and x.grad[[0, 2]].all()
        rows = F.cross_entropy(tg.tensor(A), labels, reduction="none", **options).data
        assert not rows[[1, 3]].any()
    by_class = F.cross_entropy(tg.tensor(A), LABELS, ignore_index=2)
    assert by_class.item() == pytest.approx(F.cross_entropy(A[[0, 2]], LABELS[[0, 2]]))


def test_nothing_but_ignored_labels():
    labels = np.full(4, -100)
    assert math.isnan(F.cross_entropy(tg.tensor(A), labels).item())
    assert F.cross_entropy(tg.tensor(A), labels, reduction="sum").item() == 0
    assert math.isnan(F.nll_loss(tg.tensor(A), labels).item())


def test_images_have_their_classes_in_axis_1():
    x, labels = RNG.normal(size=(2, 3, 4, 5)), RNG.integers(0, 3, (2, 4, 5))
    rows = F.cross_entropy(tg.tensor(x), labels, reduction="none")
    flat = np.moveaxis(x, 1, -1).reshape(-1, 3)
    exact = soft(flat, np.eye(3)[labels.ravel()]).reshape(2, 4, 5)
    np.testing.assert_allclose(rows.data, exact, rtol=1e-12)
    log_p = tg.log_softmax(tg.tensor(x), axis=1)
    np.testing.assert_allclose(F.nll_loss(log_p, labels).data, exact.mean(), rtol=1e-12)
    t = np.moveaxis(np.eye(3)[labels], -1, 1)
    np.testing.assert_allclose(F.cross_entropy(tg.tensor(x), t).data, exact.mean(), rtol=1e-12)


def test_strided_logits_get_the_right_gradient():
    """The derivative is written in place: only where the memory is in order."""
    x = tg.tensor(np.asfortranarray(A), requires_grad=True)
    plain = tg.tensor(A, requires_grad=True)
    F.cross_entropy(x, LABELS).backward()
    F.cross_entropy(plain, LABELS).backward()
    np.testing.assert_allclose(x.grad, plain.grad, rtol=1e-14)
    turned = tg.tensor(np.ascontiguousarray(A.T), requires_grad=True)
    F.cross_entropy(turned.T, LABELS).backward()
    np.testing.assert_allclose(turned.grad.T, plain.grad, rtol=1e-14)


def test_the_mean_is_accurate_over_a_million_rows():
    x = tg.tensor(np.tile(A.astype(np.float32), (250_000, 1)))
    found = F.cross_entropy(x, np.tile(LABELS, 250_000)).item()
    assert found == pytest.approx(F.cross_entropy(A, LABELS), rel=1e-6)


# ---- what they refuse ---------------------------------------------------------------------------

x, logits = tg.tensor(A), tg.tensor(A)
WRONG = {
    "L1 of (N,) and (N, 1)": (lambda: F.l1_loss(x[:, :1], B[:, 0]), "(4, 1) (4,) y[:, None]"),
    "Huber of (N,) and (N, 1)": (lambda: F.huber_loss(x[:, 0], B[:, :1]), "(4,) (4, 1)"),
    "KL of other shape": (lambda: F.kl_div(x, B[0]), "kl_div (4, 3) (3,)"),
    "hinge of other shape": (lambda: F.hinge_loss(x, B[0]), "hinge_loss (3,)"),
    "a flat corner": (lambda: F.huber_loss(x, B, delta=0), "delta above 0"),
    "a negative beta": (lambda: nn.SmoothL1Loss(beta=-1), "beta -1"),
    "an infinite delta": (lambda: nn.HuberLoss(delta=INF), "delta finite inf"),
    "batchmean of a number": (lambda: F.kl_div(tg.tensor(0.0), 1.0, "batchmean"), "batch 'sum'"),
    "batchmean elsewhere": (lambda: nn.MSELoss("batchmean"), "'none' batchmean"),
    "logits as probabilities": (lambda: F.binary_cross_entropy(x, P), "0 1 sigmoid with_logits"),
    "probabilities nan": (lambda: F.binary_cross_entropy(P * np.nan, P), "predictions nan"),
    "targets above 1": (lambda: F.binary_cross_entropy(P, 2 * P), "targets 1"),
    "weighted targets above 1": (
        lambda: F.binary_cross_entropy_with_logits(x, 2 * np.ones((4, 3)), pos_weight=2.0),
        "targets 1 2.0",
    ),
    "weights that do not broadcast": (
        lambda: F.binary_cross_entropy(P, P, weight=np.ones(5)), "broadcast (4, 3) (5,)",
    ),
    "labels 0 and 1 for a hinge": (lambda: F.hinge_loss(x, (A > 0) * 1.0), "−1 2 y"),
    "a reduction in the place of a weight": (lambda: F.nll_loss(x, LABELS, "sum"), "name 'sum'"),
    "a reduction as a class weight": (lambda: nn.NLLLoss("sum"), "name 'sum' reduction="),
    "a weight for two of three": (
        lambda: F.cross_entropy(logits, LABELS, weight=[1.0, 2.0]), "3 classes (2,) (3,)",
    ),
    "a weight that is a matrix": (
        lambda: F.nll_loss(logits, LABELS, weight=np.ones((1, 3))), "3 classes (1, 3)",
    ),
    "a smoothing above 1": (lambda: F.cross_entropy(logits, LABELS, label_smoothing=1.5), "1.5"),
    "a smoothing that is nan": (lambda: nn.CrossEntropyLoss(label_smoothing=np.nan), "nan"),
    "an ignored fraction": (lambda: F.cross_entropy(logits, LABELS, ignore_index=0.5), "0.5"),
    "scores as probabilities": (lambda: F.cross_entropy(logits, B), "between 0 and 1 softmax"),
    "classes last": (
        lambda: F.cross_entropy(tg.zeros(2, 5, 3), np.zeros((2, 5), int)),
        "(2, 5, 3) axis 1 swapaxes(1, -1)",
    ),
    "labels of other images": (
        lambda: F.cross_entropy(tg.zeros(2, 3, 5), np.zeros((2, 4), int)), "(2, 5) (2, 4)",
    ),
    "float labels": (lambda: F.nll_loss(logits, LABELS * 1.0), "dtype=int"),
    "label 3 of 3": (lambda: F.nll_loss(logits, LABELS + 1), "0 2 label 3"),
    "label -1": (lambda: F.multi_margin_loss(logits, LABELS - 1), "label -1"),
    "label -100 of a margin": (lambda: F.multi_margin_loss(logits, LABELS - 100), "-100"),
    "probabilities for a margin": (lambda: F.multi_margin_loss(logits, P), "(4, 3) argmax"),
    "the cube of a margin": (lambda: nn.MultiMarginLoss(p=3), "p 3"),
    "a negative margin": (lambda: nn.MultiMarginLoss(margin=-1), "margin -1"),
    "a second label among ignored ones": (
        lambda: F.cross_entropy(logits, np.array([-100, -100, 7, 0])), "label 7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_explained(case):
    action, words = WRONG[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    message = str(caught.value)
    assert not [w for w in words.split(" ") if w not in message], message


def test_errors_name_the_module():
    class Scored(nn.Module):
        def forward(self, x):
            return F.cross_entropy(x, np.array([7, 0, 0, 0]))

    with pytest.raises(tg.IndexRangeError, match="In module 1"):
        (nn.Identity() >> Scored())(logits)
