"""value_and_grad, vjp, jvp, jacobian, hessian, hvp: against formulas and against each other."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

A = np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.7], [-0.2, 0.4, 1.1]])
X = np.array([0.4, -0.8, 1.2])
V = np.array([0.7, -0.2, 0.9])


def quadratic(x):
    return (x * (A @ x)).sum() * 0.5


def cubic(x):
    return (x * x * x).sum() + x[0] * x[1] * x[2]


def swirl(x):
    return tg.tanh(A @ x) * x


def close(got, wanted):
    assert isinstance(got, tg.Tensor)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-12, atol=1e-12)


# ---- formulas ----------------------------------------------------------------------------------


def test_value_and_grad():
    value, gradient = tg.value_and_grad(quadratic)(X)
    close(value, 0.5 * X @ A @ X)
    close(gradient, 0.5 * (A + A.T) @ X)
    assert not value.requires_grad and not gradient.requires_grad


def test_value_and_grad_by_several_arguments():
    value, (ga, gb) = tg.value_and_grad(lambda a, b, c: (a * b * c).sum(), argnums=(0, 2))(X, V, X)
    close(value, (X * V * X).sum())
    close(ga, V * X)
    close(gb, X * V)


def test_value_and_grad_passes_keywords_and_ignores_no_grad():
    with tg.no_grad():
        _, g = tg.value_and_grad(lambda x, k: (x * k).sum())(X, k=3.0)
    close(g, np.full(3, 3.0))


def test_jacobian_of_a_linear_map_is_its_matrix():
    close(tg.jacobian(lambda x: A @ x, X), A)


@pytest.mark.parametrize(
    ("f", "x", "shape"),
    [
        (lambda x: x * 2.0, np.array(1.5), ()),
        (lambda x: tg.stack([x, x * x]), np.array(1.5), (2,)),
        (lambda x: x.sum(), np.ones((2, 3)), (2, 3)),
        (lambda x: x.sum(axis=0), np.ones((2, 3)), (3, 2, 3)),
        (lambda x: x[:0], np.ones(3), (0, 3)),
        (lambda x: x.sum(), np.ones((0, 3)), (0, 3)),
    ],
    ids=["0-d", "0-d to vector", "matrix to 0-d", "matrix to vector", "empty out", "empty in"],
)
def test_shape_of_a_jacobian(f, x, shape):
    assert tg.jacobian(f, x).shape == shape


def test_hessian_of_a_quadratic_form():
    close(tg.hessian(quadratic, X), 0.5 * (A + A.T))


def test_hessian_of_a_cubic():
    a, b, c = X
    wanted = np.diag(6 * X) + [[0, c, b], [c, 0, a], [b, a, 0]]
    close(tg.hessian(cubic, X), wanted)


def test_functions_that_ignore_their_input_have_derivative_zero():
    constant = tg.tensor(2.0)
    close(tg.jacobian(lambda x: constant * 1.0, X), np.zeros(3))
    close(tg.hessian(lambda x: x.sum(), X), np.zeros((3, 3)))
    close(tg.hvp(lambda x: x.sum(), X, V), np.zeros(3))
    close(tg.jvp(lambda x: constant * 1.0, X, V)[1], 0.0)
    close(tg.vjp(lambda x: constant * 1.0, X)[1](1.0), np.zeros(3))


# ---- against each other ------------------------------------------------------------------------


def test_jvp_is_the_jacobian_times_the_direction():
    value, slope = tg.jvp(swirl, X, V)
    close(value, swirl(X))
    close(slope, tg.jacobian(swirl, X).numpy() @ V)


def test_vjp_is_the_direction_times_the_jacobian():
    value, pullback = tg.vjp(swirl, X)
    close(value, swirl(X))
    for _ in range(2):  # the pullback may be called again
        close(pullback(V), V @ tg.jacobian(swirl, X).numpy())


@pytest.mark.parametrize("f", [cubic, quadratic, lambda x: swirl(x).sum()])
def test_hvp_is_the_hessian_times_the_vector(f):
    close(tg.hvp(f, X, V), tg.hessian(f, X).numpy() @ V)


@pytest.mark.parametrize("f", [cubic, lambda x: swirl(x).sum()])
def test_the_hessian_is_symmetric(f):
    h = tg.hessian(f, X).numpy()
    np.testing.assert_allclose(h, h.T, rtol=1e-12, atol=1e-12)


def test_several_primals_add_up_in_jvp_and_come_apart_in_vjp():
    f = lambda a, b: a * a * b  # noqa: E731
    value, slope = tg.jvp(f, (X, V), (V, X))
    close(value, X * X * V)
    close(slope, 2 * X * V * V + X * X * X)
    _, pullback = tg.vjp(f, X, V)
    ga, gb = pullback(np.ones(3))
    close(ga, 2 * X * V)
    close(gb, X * X)


def test_jvp_inside_jvp_gives_second_derivatives():
    inner = lambda x: tg.jacobian(lambda z: (z * z * z).sum(), x, create_graph=True)  # noqa: E731
    x = tg.tensor(X, requires_grad=True)
    close(tg.grad(inner(x).sum(), x), 6 * X)


def test_jacobian_with_create_graph_is_part_of_the_graph():
    x = tg.tensor(X, requires_grad=True)
    j = tg.jacobian(lambda z: z * z, x, create_graph=True)
    assert j.shape == (3, 3) and j.requires_grad
    close(tg.grad(j.sum(), x), np.full(3, 2.0))


def test_nothing_is_left_behind_on_the_arguments():
    x = tg.tensor(X, requires_grad=True)
    tg.hvp(cubic, x, V)
    tg.jvp(cubic, x, V)
    assert x.grad is None


def test_gradients_are_taken_in_float64_if_the_input_is():
    assert tg.jacobian(swirl, X).dtype == np.float64
    assert tg.jacobian(lambda x: x * x, X.astype(np.float32)).dtype == np.float32
