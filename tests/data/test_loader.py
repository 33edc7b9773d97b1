"""DataLoader: batches, casts, orders that are drawn anew, saved and resumed."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg
from tinygraph.data import DataLoader, TensorDataset

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def loader(size=3, **options):
    return DataLoader(TensorDataset(X, Y), size, **options)


def labels(batches):
    return [y.tolist() for _, y in batches]


# ---- batches -----------------------------------------------------------------------------------


@given(st.integers(0, 30), st.integers(1, 12), st.booleans(), st.booleans())
def test_every_sample_once_in_batches_of_the_size(count, size, shuffle, drop_last):
    dataset = TensorDataset(np.arange(count))
    batches = [b for (b,) in DataLoader(dataset, size, shuffle, drop_last=drop_last)]
    made = DataLoader(dataset, size, shuffle, drop_last=drop_last)
    assert len(made) == len(batches) == (count // size if drop_last else -(-count // size))
    assert all(len(b) == size for b in batches[:-1])
    flat = [i for b in batches for i in b.tolist()]
    assert len(set(flat)) == len(flat) == (count // size * size if drop_last else count)
    if not shuffle:
        assert flat == list(range(len(flat)))


def test_a_batch_is_a_tuple_of_arrays_that_belong_together():
    for x, y in loader(shuffle=True):
        np.testing.assert_array_equal(x, X[y])
        assert type(x) is np.ndarray and x.flags.writeable
        x[...] = -1
    assert X.min() == 0


def test_floats_are_cast_and_integers_kept():
    (x, y), *_ = loader()
    assert x.dtype == np.float32 and y.dtype == np.int64
    with tg.default_dtype(np.float64):
        (x, _), *_ = loader()
        assert x.dtype == np.float64
    (x, _), *_ = loader(dtype=np.float16)
    assert x.dtype == np.float16
    flags = TensorDataset(np.ones(3, bool), np.ones(3, np.uint8))
    assert [a.dtype for a in next(iter(DataLoader(flags)))] == [bool, np.uint8]


def test_items_one_by_one_give_the_same_batches():
    items = [(X[i], int(Y[i])) for i in range(10)]
    for fast, slow in zip(loader(4), DataLoader(items, 4), strict=True):
        for a, b in zip(fast, slow, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype


def test_datasets_of_all_kinds():
    class Squares:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return {"x": np.full(2, i, np.float64), "name": f"n{i}", "t": tg.tensor(i)}

    first, second = DataLoader(Squares(), 2)
    assert first["x"].tolist() == [[0, 0], [1, 1]] and first["x"].dtype == np.float32
    assert second["name"] == ["n2", "n3"] and second["t"].tolist() == [2, 3]
    assert [b.tolist() for b in DataLoader(np.arange(3), 2)] == [[0, 1], [2]]
    assert [b.tolist() for b in DataLoader([0.5, 1.5], 2)] == [[0.5, 1.5]]


def test_a_collate_fn_of_ones_own():
    def padded(samples):
        longest = max(len(s) for s in samples)
        return np.array([[*s, *[0.0] * (longest - len(s))] for s in samples])

    words = [[1.0], [2.0, 3.0], [4.0, 5.0, 6.0]]
    batches = list(DataLoader(words, 2, collate_fn=padded))
    assert batches[0].tolist() == [[1, 0], [2, 3]] and batches[1].dtype == np.float32


def test_parts_of_datasets_use_the_short_way():
    class Counting(TensorDataset):
        def __getitem__(self, index):
            raise AssertionError("batches come in one go")

    part = tg.data.Subset(tg.data.Subset(Counting(X, Y), [9, 8, 7]), [2, 0])
    assert labels(DataLoader(part, 2)) == [[7, 9]]


def test_in_a_loop():
    tg.manual_seed(0)
    x, y = tg.data.blobs(100, centers=[[-2, 0], [2, 0]])
    model = tg.nn.Linear(2, 2)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.5)
    for inputs, wanted in DataLoader(TensorDataset(x, y), 20, shuffle=True):
        optimizer.zero_grad()
        tg.nn.functional.cross_entropy(model(inputs), wanted).backward()
        optimizer.step()
    assert (model(x).numpy().argmax(axis=1) == y).mean() > 0.9


# ---- orders ------------------------------------------------------------------------------------


def test_each_iteration_shuffles_anew_and_a_seed_repeats_it():
    a, b = (loader(shuffle=True, generator=tg.Generator(1)) for _ in range(2))
    first, second = labels(a), labels(a)
    assert first != second and [labels(b), labels(b)] == [first, second]


def test_without_a_generator_manual_seed_decides():
    def orders():
        tg.manual_seed(5)
        made = loader(shuffle=True)
        tg.rand(3)  # other draws do not matter
        return labels(made), labels(made)

    first = orders()
    assert first == orders() and first[0] != first[1]


def test_the_order_is_the_generators_permutation():
    order = tg.permutation(10, tg.Generator(3)).numpy().tolist()
    (batch,) = labels(loader(10, shuffle=True, generator=tg.Generator(3)))
    assert batch == order


def test_not_shuffling_draws_nothing():
    generator = tg.Generator(0)
    before = generator.get_state()
    labels(loader(generator=generator))
    assert generator.get_state() == before


# ---- resuming ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("stop", range(9))
def test_a_resumed_loader_goes_on_with_the_batches_that_would_have_come(stop, shuffle):
    def endless(made):
        while True:
            yield from made

    def build(seed):
        return loader(shuffle=shuffle, generator=tg.Generator(seed))

    first = build(0)
    stream = endless(first)
    labels(itertools.islice(stream, stop))
    state = json.loads(json.dumps(first.state_dict()))
    wanted = labels(itertools.islice(stream, 11))
    resumed = build(99)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert labels(itertools.islice(endless(resumed), 11)) == wanted


def test_after_the_last_batch_inside_the_loop_nothing_is_left_of_the_epoch():
    first = loader(shuffle=True)
    for _ in first:
        state = first.state_dict()
    resumed = loader(shuffle=True)
    resumed.load_state_dict(state)
    assert list(resumed) == []
    assert labels(resumed) == labels(first)


def test_between_epochs_and_after_a_break():
    first = loader(shuffle=True)
    labels(first)
    assert first.state_dict()["batches_done"] == 0 and first.state_dict()["order"] is None
    for _ in first:
        break
    assert first.state_dict()["batches_done"] == 1
    assert sorted(i for batch in labels(first) for i in batch) == list(
        range(10)
    )  # a new epoch, in whole


def test_a_shared_generator_is_put_back():
    generator = tg.Generator(0)
    made = loader(shuffle=True, generator=generator)
    iterator = iter(made)
    next(iterator)
    tg.rand(3, generator=generator)
    state = made.state_dict()
    rest, draws = labels(iterator), tg.rand(3, generator=generator).numpy()
    made.load_state_dict(state)
    np.testing.assert_array_equal(tg.rand(3, generator=generator).numpy(), draws)
    assert labels(made) == rest


# ---- bad input ---------------------------------------------------------------------------------


def load(**changes):
    return lambda: loader(shuffle=True).load_state_dict(
        {**loader(shuffle=True).state_dict(), **changes}
    )


CASES = {
    "a tuple": (lambda: DataLoader((X, Y)), "tuple TensorDataset(x, y)"),
    "nothing": (lambda: DataLoader(None), "NoneType __len__"),
    "an iterator": (lambda: DataLoader(iter([1])), "__getitem__"),
    "a dict": (lambda: DataLoader({"x": X}), "dict TensorDataset"),
    "size 0": (lambda: loader(0), "batch_size 1 0"),
    "size 2.0": (lambda: loader(2.0), "batch_size whole 2.0"),
    "size None": (lambda: loader(None), "batch_size NoneType"),
    "shuffle a number": (lambda: loader(shuffle=1), "shuffle True 1"),
    "drop_last a text": (lambda: loader(drop_last="no"), "drop_last 'no'"),
    "a seed": (lambda: loader(generator=0), "Generator tg.Generator(seed) 0"),
    "no function": (lambda: loader(collate_fn=3), "collate_fn function 3"),
    "an integer dtype": (lambda: loader(dtype=int), "floating int64"),
    "no state": (lambda: loader().load_state_dict(None), "batches_done order NoneType"),
    "half a state": (lambda: loader().load_state_dict({"order": None}), "batches_done generator"),
    "too many batches": (load(batches_done=9), "0 to 4 9 batch_size"),
    "half a batch": (load(batches_done=0.5), "0.5"),
    "a state without order": (load(batches_done=1), "shuffle=False"),
    "a state of one that does not shuffle": (load(generator=None), "shuffle=False"),
    "a state of one that does": (
        lambda: loader().load_state_dict(loader(shuffle=True).state_dict()),
        "shuffle=True",
    ),
    "no state of a generator": (load(generator={"a": 1}), "Generator get_state"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    missing = [word for word in words.split(" ") if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))


def test_a_state_that_does_not_fit_changes_nothing():
    made = loader(shuffle=True)
    before = made.state_dict()
    with pytest.raises(tg.UsageError):
        made.load_state_dict({**before, "batches_done": 2, "order": {"a": 1}})
    assert made.state_dict() == before


def test_repr():
    assert repr(loader()) == "DataLoader(10 samples, batch_size=3, shuffle=False, drop_last=False)"
