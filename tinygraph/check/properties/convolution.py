"""Claims about convolutions: shifts, borders, sizes, and the matrix behind them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ... import nn
from ...core.functional import jacobian
from ...core.grad import grad
from ...core.tensor import Tensor
from ...nn import functional as F
from ...nn.summary import summary
from .claim import Fact, claim, draw, exactly, gap, more, raw, zero

TOPIC = "Convolutions"
W5 = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def conv(z: Any, w: Any, **options: Any) -> Any:
    """Convolve one signal with one kernel, zeros around it."""
    return raw(F.conv1d(z[None], w[None, None], padding="same", **options))[0]


def moved(z: Any, places: int) -> Any:
    """Shift a signal to the right; what leaves at the end comes in at the start."""
    return np.roll(z, places, axis=-1)


@claim(
    TOPIC,
    "Convolution is translation invariant.",
    "wrong",
    "It is equivariant: a shifted input gives the shifted output. With zeros around the input "
    "even that holds only where no window reaches over the border, and with stride s only for "
    "shifts by multiples of s. A maximum or mean over all positions after it is invariant.",
)
def convolution_is_equivariant() -> list[Fact]:
    z, w = draw(20), draw(5, seed=1)
    ring = nn.Conv1d(1, 1, 5, padding="same", padding_mode="circular", bias=False)
    strided = nn.Conv1d(1, 1, 5, 2, 2, padding_mode="circular", bias=False)
    y, later = conv(z, w), conv(moved(z, 3), w)
    inside = slice(5, -2)
    on_ring, ring_later = ring(z[None]), ring(moved(z, 3)[None])
    halves = {k: raw(strided(moved(z, k)[None])) for k in (0, 1, 2)}
    nearest = min(gap(halves[1], moved(halves[0], k)) for k in range(10))
    whole = [raw(F.adaptive_avg_pool1d(ring(moved(z, k)[None]), 1)) for k in (0, 3)]
    return [
        more("conv(shifted z) − conv(z): not invariant", gap(later, y), 0.5),
        zero(
            "conv(shifted z) − shifted conv(z), on a ring", gap(ring_later, moved(raw(on_ring), 3))
        ),
        zero("the same with zeros around, inside", gap(later[inside], moved(y, 3)[inside])),
        more("at the border", gap(later, moved(y, 3)), 0.1),
        zero("stride 2, on a ring: shift by 2", gap(halves[2], moved(halves[0], 1))),
        more("shift by 1, difference from the nearest shift", nearest, 0.1),
        zero("mean over the ring: conv(shifted z) − conv(z)", gap(*whole)),
    ]


@claim(
    TOPIC,
    "The convolution of neural networks is the convolution of mathematics.",
    "wrong",
    "It does not flip the kernel, it is a cross-correlation: Σ_k w_k z_{i+k}, not Σ_k w_k z_{i−k}. "
    "np.convolve gives the same with the kernel reversed. For learned kernels it does not matter.",
)
def convolution_is_cross_correlation() -> list[Fact]:
    z, w = draw(12), draw(5, seed=1)
    y = conv(z, w)
    return [
        zero("conv1d − np.convolve with w reversed", gap(y, np.convolve(z, w[::-1], "same"))),
        more("conv1d − np.convolve with w", gap(y, np.convolve(z, w, "same")), 0.5),
    ]


@claim(
    TOPIC,
    "Conv1d of m inputs, zeros around, is multiplication with the m × m matrix whose rows are "
    "(w₁ … w_k 0 … 0), (0 w₁ … w_k 0 …) and so on.",
    "wrong",
    "The first m − k + 1 of those rows are the convolution without zeros around. With zeros on "
    "both sides, ℓ = (k − 1)/2 of them, the first row starts in the middle of the kernel, with "
    "w_{ℓ+1}, and the first and the last ℓ rows are cut.",
)
def rows_of_the_matrix() -> list[Fact]:
    m, z = 9, draw(9)
    stated = np.stack([np.append(np.zeros(i), np.append(W5, np.zeros(m)))[:m] for i in range(m)])
    q, without = (raw(F.conv1d_matrix(W5, m, padding=p)) for p in ("same", "valid"))
    right = [3, 4, 5, 0, 0, 0, 0, 0, 0]
    return [
        more("product with the stated matrix − conv1d", gap(stated @ z, conv(z, W5)), 1),
        exactly("first row of the right one, w = (1 2 3 4 5)", q[0].astype(int).tolist(), right),
        zero("its product − conv1d", gap(q @ z, conv(z, W5))),
        exactly("rows of the convolution without zeros, m − k + 1", len(without), 5),
        zero("they − the first rows of the stated one", gap(stated[:5], without)),
    ]  # fmt: skip


@claim(
    TOPIC,
    "The matrix Q of a convolution is sparse and repeats the same numbers.",
    "holds",
    "It is banded, with the same number along each diagonal (a Toeplitz matrix). The transposed "
    "matrix is the gradient by the input.",
)
def structure_of_the_matrix() -> list[Fact]:
    m, k, g = 12, 5, draw(12, seed=3)
    q = raw(F.conv1d_matrix(W5, m, padding="same"))
    spread = max(np.ptp(np.diag(q, d)) for d in range(1 - m, m))
    x = Tensor(draw(1, m), requires_grad=True)
    F.conv1d(x, W5[None, None], padding="same").backward(g[None])
    width = int(np.ptp(np.nonzero(q), axis=0).max())
    return [
        exactly("largest difference along a diagonal", float(spread), 0.0),
        exactly("largest distance of a nonzero entry from the diagonal", width, k // 2),
        exactly("different nonzero numbers in m² = 144 entries", len(np.unique(q[q != 0])), k),
        zero("gradient by the input − Qᵀg", gap(x.grad, q.T @ g)),
    ]


@claim(
    TOPIC,
    "A convolution of m inputs costs O(km) operations, a full matrix O(m²).",
    "holds",
    "Exactly: km − ℓ(ℓ + 1) products that are not with a zero of the border, ℓ = (k − 1)/2, "
    "against m².",
)
def operations_of_a_convolution() -> list[Fact]:
    m, k = 100, 5
    q = raw(F.conv1d_matrix(W5, m, padding="same"))
    counted = summary(nn.Conv1d(1, 1, k, padding="same"), (1, 1, m)).multiply_adds
    return [
        exactly("nonzero entries of Q, m = 100, k = 5", int(np.count_nonzero(q)), k * m - 2 * 3),
        exactly("products, with those of the border", counted, k * m),
        exactly("all entries", q.size, m * m),
    ]


@claim(
    TOPIC,
    "A 1-D convolution from C to C′ channels has kCC′ parameters, a full matrix m²CC′.",
    "holds if",
    "there is no bias, which adds C′ parameters.",
)
def parameters_in_one_dimension() -> list[Fact]:
    layers = [nn.Conv1d(3, 4, 5, bias=b) for b in (False, True)]
    counts = [sum(p.size for p in f.parameters()) for f in layers]
    full = raw(F.conv1d_matrix(layers[0].weight, 8, padding="same"))
    return [
        exactly("without bias, k = 5, C = 3, C′ = 4", counts[0], 5 * 3 * 4),
        exactly("with bias", counts[1], 5 * 3 * 4 + 4),
        exactly("entries of the full matrix, m = 8", full.size, 8**2 * 3 * 4),
    ]


@claim(
    TOPIC,
    "A 2-D convolution has k²CC′ parameters, a full matrix m²CC′.",
    "wrong",
    "The first is right, without bias. The full matrix maps m²C numbers to m²C′: it has m⁴CC′ "
    "entries.",
)
def parameters_in_two_dimensions() -> list[Fact]:
    f = nn.Conv2d(3, 4, 5, bias=False)
    full = raw(F.conv2d_matrix(f.weight, 6, padding="same"))
    return [
        exactly("parameters, k = 5, C = 3, C′ = 4", f.weight.size, 25 * 3 * 4),
        exactly("entries of the full matrix, m = 6", full.size, 6**4 * 3 * 4),
        exactly("m²CC′", 6**2 * 3 * 4, 432),
    ]


@claim(
    TOPIC,
    "Conv2d(z)_{i,j} = Σ_{p,q=1…k} w_{p,q} z_{i+p−ℓ, j+q−ℓ} with ℓ = (k − 1)/2 is centred.",
    "wrong",
    "With p and q from 1 it is off by one: centred is z_{i+p−ℓ−1, j+q−ℓ−1}. A kernel that is 1 in "
    "its middle and 0 elsewhere shows it: it must give back its input.",
)
def index_of_a_convolution() -> list[Fact]:
    z, k, ell = draw(6, 6), 3, 1
    w = np.zeros((k, k))
    w[ell, ell] = 1
    padded = np.pad(z, k)

    def by_formula(offset: int) -> Any:
        y = np.zeros_like(z)
        for i, j, p, q in product(range(1, 7), range(1, 7), range(1, k + 1), range(1, k + 1)):
            row, column = i + p - offset, j + q - offset  # from 1, as in the formula
            y[i - 1, j - 1] += w[p - 1, q - 1] * padded[row + k - 1, column + k - 1]
        return y

    line, w5 = draw(9, seed=1), draw(5, seed=2)
    zeros = np.pad(line, 2)
    summed = [
        sum(w5[j - 1] * zeros[i - 2 + (j - 1) + 1] for j in range(1, 6)) for i in range(1, 10)
    ]

    return [
        more("the formula − z", gap(by_formula(ell), z), 0.5),
        zero("the formula − z moved up and left by one", gap(by_formula(ell)[:-1, :-1], z[1:, 1:])),
        zero("with ℓ + 1 in place of ℓ", gap(by_formula(ell + 1), z)),
        zero("in one dimension, Σ_j w_j z_{i−ℓ+(j−1)} − conv1d", gap(summed, conv(line, w5))),
        zero("conv2d − z", gap(F.conv2d(z[None], w[None, None], padding="same")[0], z)),
    ]


@claim(
    TOPIC,
    "Each output depends on a local window of the input only.",
    "holds",
    "k inputs for one layer; with L layers of k = 3 the window is 2L + 1 wide.",
)
def windows_are_local() -> list[Fact]:
    z, widths = Tensor(draw(1, 25)), []
    for depth in (1, 2, 5):
        stack = nn.Sequential(*[nn.Conv1d(1, 1, 3, padding="same") for _ in range(depth)])
        rows = np.abs(raw(jacobian(lambda x, f=stack: f(x), z)).reshape(25, 25)) > 0
        widths.append(int(rows.sum(1).max()))
    return [exactly("width of the window after 1, 2 and 5 layers", widths, [3, 5, 11])]


@claim(
    TOPIC,
    "The same filter is applied at all positions.",
    "holds",
    "So its gradient is the sum over all positions, of the gradient there times the window there.",
)
def filters_are_shared() -> list[Fact]:
    z, g = draw(10), draw(8, seed=2)
    w = Tensor(draw(3, seed=1), requires_grad=True)
    (whole,) = grad((F.conv1d(z[None], w.reshape(1, 1, 3))[0] * g).sum(), [w])
    return [zero("gradient − the sum", gap(whole, sum(g[i] * z[i : i + 3] for i in range(8))))]


@claim(
    TOPIC,
    "Output channel i is the sum over the input channels j of the convolutions with kernels "
    "w_{ij}.",
    "holds",
    "",
)
def channels_add_up() -> list[Fact]:
    z, w = draw(3, 10), draw(4, 3, 5, seed=1)
    summed = np.stack([sum(conv(z[j], w[i, j]) for j in range(3)) for i in range(4)])
    return [zero("difference of both", gap(F.conv1d(z, w, padding="same"), summed))]
