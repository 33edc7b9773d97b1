"""hypothesis: random programs against differences, replay and second derivatives."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from random_graphs import X, Y, execute, programs

import tinygraph as tg
from tinygraph.check import gradgradcheck

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
many = settings(
    max_examples=5000 if FULL else 200, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
WEIGHTS = np.cos(np.arange(6.0)).reshape(2, 3)
DIRECTION = np.sin(np.arange(1.0, 13.0)).reshape(2, 2, 3)


def slope(function, h):
    """Return the derivative at 0 by five points, exact to order h⁴."""
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


@many
@given(programs())
def test_directional_derivatives_to_1e9(program):
    """By two step sizes: where they disagree, a kink is near and the point says nothing."""

    def along(t):
        leaves = (tg.tensor(v + t * d) for v, d in zip((X, Y), DIRECTION, strict=True))
        return float((execute(tg, program, *leaves) * WEIGHTS).sum())

    fine, coarse = slope(along, 2e-4), slope(along, 4e-4)
    scale = 1 + abs(fine)
    assume(abs(fine - coarse) < 3e-10 * scale)
    x, y = (tg.tensor(v, requires_grad=True) for v in (X, Y))
    out = (execute(tg, program, x, y) * WEIGHTS).sum()
    gradients = tg.grad(out, [x, y], allow_unused=True)
    found = sum(
        float((g * d).sum()) for g, d in zip(gradients, DIRECTION, strict=True) if g is not None
    )
    assert abs(found - fine) < 1e-9 * scale


@given(programs())
def test_replay_gives_the_eager_values_and_gradients(program):
    x, y = (tg.tensor(v, requires_grad=True) for v in (X, Y))
    out = execute(tg, program, x, y)
    g = tg.grad(out, [x, y], np.ones((2, 3)), create_graph=True, allow_unused=True)
    outputs = [out, *[t for t in g if t is not None]]
    graph = tg.graph(*outputs)
    leaves = {n.tensor for n in graph.leaves}
    fresh = [tg.tensor(v, requires_grad=True) for v in (Y, X)]
    eager = execute(tg, program, *fresh)
    wanted = tg.grad(eager, fresh, np.ones((2, 3)), allow_unused=True)
    found = graph.evaluate(outputs, {t: v for t, v in ((x, Y), (y, X)) if t in leaves})
    for a, b in zip(found, [eager, *[t for t in wanted if t is not None]], strict=True):
        np.testing.assert_array_equal(a, b.numpy())


@given(programs().filter(lambda p: len(p) <= 6))
def test_second_derivatives_of_small_programs(program):
    """At kinks the second derivative is 0 by convention; differences would see a jump."""
    smooth = [s for s in program if s[0] not in {"where", "clip", "max", "sort"}]
    assume(len(smooth) == len(program))
    assert gradgradcheck(
        lambda x, y: execute(tg, program, x, y).sum(), (X, Y), atol=1e-5, rtol=1e-5
    )
