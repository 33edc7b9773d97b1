"""Toy sets: shapes, geometry, repeatability, and scikit-learn's own points."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import data

SETS = {
    "circles": data.circles,
    "moons": data.moons,
    "spirals": data.spirals,
    "blobs": data.blobs,
}


@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("name", SETS)
def test_shapes_dtypes_and_repeatability(name, n):
    x, y = SETS[name](n, generator=tg.Generator(0))
    assert x.shape == (n, 2) and y.shape == (n,)
    assert x.dtype == np.float32 and y.dtype == np.int64
    again, _ = SETS[name](n, generator=tg.Generator(0))
    np.testing.assert_array_equal(x, again)
    other, _ = SETS[name](n, generator=tg.Generator(1))
    assert n == 0 or not np.array_equal(x, other)
    counts = np.bincount(y, minlength=2)
    assert n == 0 or counts.max() - counts.min() <= 1
    with tg.default_dtype(np.float64):
        assert SETS[name](n)[0].dtype == np.float64


@pytest.mark.parametrize("name", SETS)
def test_manual_seed_and_seed_repeat(name):
    def draw():
        tg.manual_seed(1)
        return SETS[name](50)[0]

    np.testing.assert_array_equal(draw(), draw())
    np.testing.assert_array_equal(SETS[name](50, seed=3)[0], SETS[name](50, seed=3)[0])


def test_circles_have_their_radii():
    x, y = data.circles(1000, noise=0, factor=0.5)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y, 0.5, 1.0), 1e-6)
    noisy, labels = data.circles(20_000, noise=0.1, factor=0.5, generator=tg.Generator(0))
    radii = np.linalg.norm(noisy[labels == 0], axis=1)
    assert radii.std() == pytest.approx(0.1, rel=0.05)


def test_moons_reach_into_each_other():
    x, y = data.moons(1000, noise=0)
    upper, lower = x[y == 0], x[y == 1] - [1, 0.5]
    for moon, sign in ((upper, 1), (lower, -1)):
        np.testing.assert_allclose(np.linalg.norm(moon, axis=1), 1, 1e-5)
        assert (sign * moon[:, 1] > -1e-6).all()


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_spirals_turn_with_the_radius(classes):
    x, y = data.spirals(500, classes, noise=0, turns=1.5, generator=tg.Generator(0))
    radius = np.linalg.norm(x, axis=1)
    angle = 2 * np.pi * (1.5 * radius + y / classes)
    np.testing.assert_allclose(x[:, 0], radius * np.cos(angle), atol=1e-5)
    assert set(y) == set(range(classes)) and radius.max() == pytest.approx(1)


def test_blobs_lie_around_their_centers():
    centers = np.array([[0.0, 0, 9], [5, 5, 5]])
    x, y = data.blobs(4000, centers, std=0.5, generator=tg.Generator(0))
    assert x.shape == (4000, 3)
    for label in range(2):
        np.testing.assert_allclose(x[y == label].mean(axis=0), centers[label], atol=0.05)
        np.testing.assert_allclose(x[y == label].std(axis=0), 0.5, 0.1)
    assert set(data.blobs(10, centers=5)[1]) == set(range(5))


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("n", [1, 10, 1000])
def test_a_seed_gives_the_points_of_scikit_learn(n, seed):
    theirs = pytest.importorskip("sklearn.datasets")
    pairs = [
        (data.circles(n, 0.1, 0.8, seed=seed),
         theirs.make_circles(n, noise=0.1, factor=0.8, random_state=seed)),
        (data.circles(n, 0.0, 0.3, seed=seed),
         theirs.make_circles(n, factor=0.3, random_state=seed)),
        (data.moons(n, 0.2, seed=seed), theirs.make_moons(n, noise=0.2, random_state=seed)),
        (data.blobs(n, 4, 0.7, seed=seed),
         theirs.make_blobs(n, centers=4, cluster_std=0.7, random_state=seed)),
    ]  # fmt: skip
    for (x, y), (wanted, labels) in pairs:
        np.testing.assert_array_equal(x, wanted.astype(np.float32))
        np.testing.assert_array_equal(y, labels)


CASES = {
    "n negative": (lambda: data.circles(-1), "circles n_samples 0 -1"),
    "n 1.5": (lambda: data.moons(1.5), "moons n_samples 1.5"),
    "noise negative": (lambda: data.circles(10, -0.1), "noise -0.1"),
    "noise None": (lambda: data.moons(10, None), "noise NoneType"),
    "factor nan": (lambda: data.circles(10, factor=float("nan")), "factor nan"),
    "no classes": (lambda: data.spirals(10, 0), "classes 1 0"),
    "turns infinite": (lambda: data.spirals(10, turns=float("inf")), "turns finite inf"),
    "no centers": (lambda: data.blobs(10, 0), "centers 1 0"),
    "an empty list": (lambda: data.blobs(10, []), "centers [[0, 0], [3, 3]]"),
    "ragged centers": (lambda: data.blobs(10, [[1], [1, 2]]), "centers list"),
    "a seed as generator": (lambda: data.circles(10, generator=42), "Generator seed= 42"),
    "both": (lambda: data.moons(10, generator=tg.Generator(0), seed=0), "generator or seed"),
    "a seed below 0": (lambda: data.spirals(10, seed=-1), "seed -1"),
    "a seed that is a text": (lambda: data.blobs(10, seed="a"), "seed str"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    with pytest.raises(tg.UsageError) as caught:
        action()
    missing = [word for word in words.split(" ") if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))
