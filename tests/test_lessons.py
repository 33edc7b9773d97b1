"""The two teaching runs measure what they say."""

from __future__ import annotations

import pytest

import tinygraph as tg
from tinygraph.lessons import Lesson, topological_order, without_zero_grad


@pytest.mark.parametrize("levels", [1, 5, 12, 16])
def test_visits(levels):
    lesson = topological_order(levels)
    assert [row[0] for row in lesson.rows] == list(range(1, levels + 1))
    for level, naive, ours, gradient in lesson.rows:
        assert (naive, ours, gradient) == (2 ** (level + 1) - 1, level + 1, 2.0**level)


def test_one_visit_in_the_wrong_order_is_wrong():
    (a,) = tg.variables(a=1)
    b = a + a
    f = b + (b + b)
    assert tg.grad(f, a).item() == 6
    assert "∂f/∂a = 2; right is 6" in str(topological_order(2))


def test_zero_grad():
    lesson = without_zero_grad(200, lr=0.1)
    w_with, w_without = [r[2] for r in lesson.rows], [r[4] for r in lesson.rows]
    assert abs(w_with[-1] - 3) < 1e-9
    assert max(w_without) > 5.9 and max(w_without[100:]) > 5 and min(w_without[100:]) < 1
    w, w2, total = 0.0, 0.0, 0.0
    for row in lesson.rows:
        gradient, total = 2 * (w - 3), total + 2 * (w2 - 3)
        w, w2 = w - 0.1 * gradient, w2 - 0.1 * total
        assert row[1:] == pytest.approx((gradient, w, total, w2))


@pytest.mark.parametrize("lesson", [topological_order(10), without_zero_grad()])
def test_lessons_print_as_tables(lesson):
    assert isinstance(lesson, Lesson) and repr(lesson) == str(lesson)
    lines = str(lesson).splitlines()
    table = lines[2 : 3 + len(lesson.rows)]
    assert len({len(line) for line in table}) == 1
    assert max(map(len, lines)) <= 96 and "-" not in "".join(table)


@pytest.mark.parametrize("levels", [0, -1, 17, 1.5, True, "3", None])
def test_wrong_levels(levels):
    with pytest.raises(tg.UsageError, match="levels is a whole number from 1 to 16"):
        topological_order(levels)


@pytest.mark.parametrize(
    "arguments", [{"steps": 0}, {"steps": 1.5}, {"steps": 10**6}, {"lr": 0}, {"lr": -1.0},
                  {"lr": float("nan")}, {"lr": float("inf")}, {"lr": "0.1"}, {"rate": 1}],
)  # fmt: skip
def test_wrong_runs(arguments):
    with pytest.raises(tg.UsageError):
        without_zero_grad(**arguments)


def test_lessons_leave_nothing_behind():
    (a,) = tg.variables(a=1)
    (a * a).backward()
    topological_order(3)
    without_zero_grad(3)
    assert float(a.grad) == 2
