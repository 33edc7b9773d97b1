"""Datasets, their parts, random splits, joining samples, and standardization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg
from tinygraph.data import Dataset, Standardize, Subset, TensorDataset, collate, random_split

X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 0, 0, 0, 1, 1])


# ---- datasets ----------------------------------------------------------------------------------


def test_tensor_dataset():
    t = tg.tensor(Y)
    dataset = TensorDataset(X, t, [1.0] * 6)
    assert len(dataset) == 6 and isinstance(dataset, Dataset)
    row, label, weight = dataset[4]
    assert row.tolist() == [8, 9] and label == 1 and weight.dtype == np.float32
    assert dataset.arrays[0] is X and dataset.arrays[1] is t._data
    assert [a.shape for a in dataset[1:3]] == [(2, 2), (2,), (2,)]
    assert [len(a) for a in dataset.batch(np.array([5, 0]))] == [2, 2, 2]
    assert repr(dataset) == "TensorDataset((6, 2) float64, (6,) int64, (6,) float32)"
    assert list(zip(*dataset, strict=True))[1] == tuple(Y)


def test_subset():
    part = Subset(TensorDataset(X, Y), [-1, 0])
    assert len(part) == 2 and part[0][1] == 1 and repr(part) == "Subset(2 of 6 samples)"
    assert part.batch(np.array([1]))[0].tolist() == [[0, 1]]
    assert len(Subset(X, [])) == 0
    assert list(Subset("abc", np.array([2, 1]))) == ["c", "b"]


def test_a_slice_of_a_subset_is_a_batch():
    part = Subset(TensorDataset(X, Y), [4, 0, 2])
    x, y = part[:2]
    assert x.tolist() == [[8, 9], [0, 1]] and y.tolist() == [1, 0]
    assert part[np.array([2, 2])][0].tolist() == [[4, 5], [4, 5]]
    assert part[np.int64(0)][1] == 1
    assert Subset(part, [1, 0])[1:][0].tolist() == [[8, 9]]
    assert Subset([3.0, 4.0, 5.0], [2, 0])[:].tolist() == [5, 3]
    with pytest.raises(IndexError):
        part[3]


# ---- splits ------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans())
def test_parts_of_a_split_do_not_overlap_and_are_all(count, weights, stratified):
    labels = np.arange(count) % 3
    shares = [w / sum(weights) for w in weights]
    parts = random_split(
        range(count), shares, tg.Generator(0), stratify=labels if stratified else None
    )
    assert sorted(i for part in parts for i in part) == list(range(count))
    for part, share in zip(parts, shares, strict=True):
        assert abs(len(part) - share * count) <= 1
        if stratified:
            for label in range(3):
                wanted = share * (labels == label).sum()
                assert abs((labels[part.indices] == label).sum() - wanted) <= 2


def test_a_stratified_split_keeps_the_shares():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    order = tg.permutation(100, tg.Generator(1)).numpy()
    train, test = random_split(range(100), [0.8, 0.2], tg.Generator(0), stratify=labels[order])
    assert np.bincount(labels[order][train.indices]).tolist() == [40, 24, 16]
    assert np.bincount(labels[order][test.indices]).tolist() == [10, 6, 4]


def test_a_split_repeats_with_its_generator():
    def split(seed):
        return [p.indices.tolist() for p in random_split(X, [4, 2], tg.Generator(seed))]

    assert split(0) == split(0) != split(1)
    tg.manual_seed(3)
    first = random_split(X, [1, 5])[0].indices
    tg.manual_seed(3)
    assert (random_split(X, [1, 5])[0].indices == first).all()


# ---- joining -----------------------------------------------------------------------------------


def test_collate():
    a, b = collate([(np.zeros(2), 1), (np.ones(2), 2)])
    assert a.shape == (2, 2) and b.tolist() == [1, 2]
    assert collate([[1, (2.0, "a")], [3, (4.0, "b")]])[1][1] == ["a", "b"]
    assert collate([tg.ones(2), tg.zeros(2)]).shape == (2, 2)
    assert collate([True, False]).dtype == bool
    assert collate([{"a": 1}, {"a": 2}])["a"].tolist() == [1, 2]
    assert collate([]) == [] and collate([None, None]) == [None, None]


# ---- standardization ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardize(dtype):
    rng = np.random.default_rng(0)
    train = rng.normal([3, -2, 0], [1, 10, 0.1], (500, 3)).astype(dtype)
    test = rng.normal(size=(7, 3)).astype(dtype)
    scale = Standardize(train)
    out = scale(train)
    assert out.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(out.mean(axis=0, dtype=float), 0, atol=tolerance)
    np.testing.assert_allclose(out.std(axis=0, dtype=float), 1, atol=tolerance)
    wanted = (test - train.mean(axis=0, dtype=float)) / train.std(axis=0, dtype=float)
    np.testing.assert_allclose(scale(test), wanted, 1e-4 if dtype == np.float32 else 1e-10)
    np.testing.assert_allclose(scale.inverse(scale(test)), test, 10 * tolerance, 10 * tolerance)


def test_constant_features_integers_images_and_one_row():
    scale = Standardize(np.array([[0.1, 1], [0.1, 3], [0.1, 5]]))
    assert scale([[0.1, 3], [1.1, 5]]).round(3).tolist() == [[0, 0], [1, pytest.approx(1.225)]]
    whole = Standardize(np.array([[1], [3]]))
    assert whole(np.array([[2], [5]])).dtype == np.float32
    assert Standardize(np.ones((4, 8, 8)))(np.ones((2, 8, 8))).shape == (2, 8, 8)
    assert Standardize(tg.ones(1, 2))(tg.ones(3, 2)).tolist() == [[0, 0]] * 3
    assert Standardize(X)(np.ones((0, 2))).shape == (0, 2)
    assert repr(scale) == "Standardize(features of shape (2,))"


# ---- bad input ---------------------------------------------------------------------------------

CASES = {
    "no arrays": (lambda: TensorDataset(), "UsageError at least one TensorDataset(x, y)"),
    "unequal": (lambda: TensorDataset(X, Y[:3]), "ShapeError (6, 2) (3,)"),
    "a tuple of arrays": (lambda: TensorDataset((X, Y)), "UsageError without parentheses"),
    "a row too many": (lambda: TensorDataset(X, Y)[6], "IndexRangeError below 6"),
    "half a row": (lambda: TensorDataset(X)[0.5], "IndexRangeError whole number 0.5"),
    "a number": (lambda: TensorDataset(3), "ShapeError axis 0"),
    "texts": (lambda: TensorDataset(["a"]), "DtypeError numbers"),
    "an index too large": (lambda: Subset(X, [6]), "IndexRangeError below 6"),
    "an index too small": (lambda: Subset(X, [-7]), "IndexRangeError -7"),
    "a mask": (lambda: Subset(X, Y > 0), "UsageError whole numbers bool"),
    "lengths too short": (lambda: random_split(X, [3, 2]), "UsageError 6 [3, 2] 5"),
    "shares too small": (lambda: random_split(X, [0.5, 0.4]), "UsageError 1 0.9"),
    "a negative length": (lambda: random_split(X, [7, -1]), "UsageError lengths [0.8, 0.2]"),
    "no lengths": (lambda: random_split(X, []), "UsageError lengths"),
    "one length": (lambda: random_split(X, 0.8), "UsageError lengths 0.8"),
    "a text": (lambda: random_split(X, "ab"), "UsageError lengths"),
    "labels too few": (lambda: random_split(X, [3, 3], stratify=Y[:5]), "ShapeError 6 (5,)"),
    "a seed": (lambda: random_split(X, [3, 3], 0), "UsageError tg.Generator(seed)"),
    "samples of two shapes": (lambda: collate([X, Y]), "ShapeError sample 1 (6,) (6, 2) pad"),
    "tuples of two lengths": (lambda: collate([(1, 2), (1,)]), "ShapeError sample 1 collate_fn"),
    "other keys": (lambda: collate([{"a": 1}, {"b": 1}]), "ShapeError sample 1"),
    "a tuple and a number": (lambda: collate([(1,), 2]), "ShapeError sample 1"),
    "no rows": (lambda: Standardize(X[:0]), "ShapeError one row (0, 2)"),
    "no features": (lambda: Standardize(3.0), "ShapeError one row"),
    "other features": (lambda: Standardize(X)(X[:, :1]), "ShapeError (2,) (6, 1)"),
    "other features back": (lambda: Standardize(X).inverse(np.float32(1)), "ShapeError (2,)"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    kind, *parts = words.split(" ")
    with pytest.raises(getattr(tg, kind)) as caught:
        action()
    missing = [word for word in parts if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))
