"""The update ops write to memory: against the formulas, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from tinygraph.core.registry import REGISTRY
from tinygraph.ops.state import CHUNK

SIZES = [0, 1, 7, CHUNK + 3]


def arrays(size, count):
    rng = np.random.default_rng(size)
    return [rng.uniform(0.1, 1.0, size) for _ in range(count)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("momentum", "dampening", "decay", "nesterov"),
    [(0, 0, 0, False), (0, 0, 0.1, False), (0.9, 0, 0, False), (0.9, 0.2, 0.1, False),
     (0.9, 0, 0.1, True)],
)  # fmt: skip
def test_sgd(size, momentum, dampening, decay, nesterov):
    p, g, v = arrays(size, 3)
    wanted_p, wanted_v, lr = p.copy(), v.copy(), np.array(0.1)
    for step in range(3):
        d = g + decay * wanted_p
        if momentum:
            wanted_v = d if step == 0 else momentum * wanted_v + (1 - dampening) * d
            d = d + momentum * wanted_v if nesterov else wanted_v
        wanted_p = wanted_p - lr * d
        kept = g.copy()
        REGISTRY["sgd_update"](
            p, g, v, lr, momentum=momentum, dampening=dampening, weight_decay=decay,
            nesterov=nesterov, first=step == 0,
        )  # fmt: skip
        np.testing.assert_array_equal(g, kept)
    np.testing.assert_allclose(p, wanted_p, rtol=1e-12)
    if momentum:
        np.testing.assert_allclose(v, wanted_v, rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("coupled", [0.0, 0.1])
@pytest.mark.parametrize("decoupled", [1.0, 0.99])
def test_adam(size, coupled, decoupled):
    p, g = arrays(size, 2)
    m, v = np.zeros(size), np.zeros(size)
    wanted, wm, wv = p.copy(), m.copy(), v.copy()
    lr, b1, b2, eps = 0.01, 0.9, 0.999, 1e-8
    for t in range(1, 4):
        wanted = wanted * decoupled
        d = g + coupled * wanted
        wm = b1 * wm + (1 - b1) * d
        wv = b2 * wv + (1 - b2) * d * d
        wanted = wanted - lr * (wm / (1 - b1**t)) / (np.sqrt(wv / (1 - b2**t)) + eps)
        step_size = np.array(lr * np.sqrt(1 - b2**t) / (1 - b1**t))
        scaled_eps = np.array(eps * np.sqrt(1 - b2**t))
        REGISTRY["adam_update"](
            p, g, m, v, step_size, scaled_eps, np.array(decoupled),
            beta1=b1, beta2=b2, weight_decay=coupled,
        )  # fmt: skip
    np.testing.assert_allclose(p, wanted, rtol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop(size, momentum, centered, decay):
    p, g = arrays(size, 2)
    v, b, a = (np.zeros(size) for _ in range(3))
    wanted, wv, wb, wa = p.copy(), v.copy(), b.copy(), a.copy()
    lr, alpha, eps = 0.01, 0.9, 1e-8
    for _ in range(3):
        d = g + decay * wanted
        wv = alpha * wv + (1 - alpha) * d * d
        wa = alpha * wa + (1 - alpha) * d
        change = d / (np.sqrt(wv - wa * wa if centered else wv) + eps)
        wb = momentum * wb + change
        wanted = wanted - lr * (wb if momentum else change)
        kept = g.copy()
        REGISTRY["rmsprop_update"](
            p, g, v, b if momentum else g, a if centered else g, np.array(lr),
            alpha=alpha, eps=eps, weight_decay=decay, momentum=momentum, centered=centered,
        )  # fmt: skip
        np.testing.assert_array_equal(g, kept)
    for got, by_hand in ((p, wanted), (v, wv), *([(b, wb)] if momentum else [])):
        np.testing.assert_allclose(got, by_hand, rtol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adagrad(size, decay):
    p, g = arrays(size, 2)
    total = np.zeros(size)
    wanted, wanted_total = p.copy(), total.copy()
    for _ in range(3):
        d = g + decay * wanted
        wanted_total = wanted_total + d * d
        wanted = wanted - 0.1 * d / (np.sqrt(wanted_total) + 1e-10)
        REGISTRY["adagrad_update"](p, g, total, np.array(0.1), eps=1e-10, weight_decay=decay)
    np.testing.assert_allclose(p, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(total, wanted_total, rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("max_norm", [0.1, 1e9])
def test_clipping(size, max_norm):
    f, g = arrays(size, 2)
    wanted = [f.copy(), g.copy()]
    length = np.sqrt((f * f).sum() + (g * g).sum())
    norm = REGISTRY["clip_norm_update"](
        f, g, max_norm=max_norm, norm_type=2.0, error_if_nonfinite=False
    )
    np.testing.assert_allclose(norm, length, rtol=1e-12)
    for got, old in zip((f, g), wanted, strict=True):
        np.testing.assert_allclose(got, old * min(1, max_norm / (length + 1e-6)), rtol=1e-12)
    REGISTRY["clip_value_update"](f, limit=1e-3)
    assert (np.abs(f) <= 1e-3).all()
