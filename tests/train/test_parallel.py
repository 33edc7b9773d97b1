"""Two threads share a batch: the result is that of one, up to rounding, and the same each time."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.train.blas import Blas
from tinygraph.train.shards import cuts

pytest.importorskip("threadpoolctl")

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = RNG.integers(0, 3, 50)
WEIGHTS = np.array([0.2, 1.0, 3.0])


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    if threading.active_count() > before:
        gc.collect()  # what an exception's traceback kept alive
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def build(*extra, dtype=np.float64, seed=0):
    tg.manual_seed(seed)
    with tg.default_dtype(dtype):
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), *extra, nn.Linear(8, 3))


def plain_step(model, optimizer, loss_fn, clip=None):
    def step(*batch):
        optimizer.zero_grad()
        result = loss_fn(model, *batch)
        loss = result[0] if isinstance(result, tuple) else result
        loss.backward()
        if clip:
            tg.clip_grad_norm(optimizer, clip)
        optimizer.step()
        return loss

    return step


def weighted(model, x, y):
    rows = F.cross_entropy(model(x), y, reduction="none")
    weights = tg.take(tg.tensor(WEIGHTS), y)
    return (rows * weights).sum() / weights.sum(), weights.sum()


LOSSES = {
    "plain": lambda model, x, y: F.cross_entropy(model(x), y),
    "weighted": weighted,
}


def weights_of(model):
    return np.concatenate([a.reshape(-1) for a in model.state_dict().values()])


# ---- equal to one thread -------------------------------------------------------------------------


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_gradients_and_updates_are_those_of_one_thread(loss, workers, compile):
    """Batches of 16, 13, 5, 2 and 1: odd ones, and too small to split."""
    single, shared = build(), build()
    optimizers = [tg.optim.Adam(m.parameters(), lr=0.01) for m in (single, shared)]
    one = plain_step(single, optimizers[0], LOSSES[loss], clip=0.5)
    with tg.parallel(
        lambda *b: LOSSES[loss](shared, *b), optimizers[1], workers, clip=0.5, compile=compile
    ) as several:
        at = 0
        for size in (16, 13, 5, 2, 1, 16):
            rows = np.arange(at, at + size) % 50
            at += size
            expected = one(tg.tensor(X[rows]), tg.tensor(LABELS[rows]))
            got = several(X[rows], LABELS[rows])
            assert isinstance(got, tg.Tensor) and got.is_leaf and got.dtype == np.float64
            assert got.item() == pytest.approx(expected.item(), rel=1e-12)
            for p, q in zip(single.parameters(), shared.parameters(), strict=True):
                np.testing.assert_allclose(q.grad, p.grad, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(weights_of(shared), weights_of(single), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_parameters_that_a_part_does_not_use_and_two_dtypes(compile):
    tg.manual_seed(0)
    a, c = nn.Linear(3, 1), nn.Linear(3, 1)
    with tg.default_dtype(np.float64):
        b = nn.Linear(3, 1)
    parameters = [*a.parameters(), *b.parameters(), *c.parameters()]
    optimizer = tg.optim.SGD([{"params": parameters[:3]}, {"params": parameters[3:], "lr": 0.1}])

    def loss_fn(x, first):
        y = a(x.astype(np.float32)).mean().astype(np.float64)
        return y + b(x).mean() if first else y

    with tg.parallel(loss_fn, optimizer, compile=compile) as step:
        for first in (True, False, True):
            step(X, first)
            assert [p.grad is not None for p in parameters] == [True] * 2 + [first] * 2 + [
                False
            ] * 2
            np.testing.assert_allclose(a.weight.grad[0], X.mean(0), rtol=1e-5)
            if first:
                np.testing.assert_allclose(b.weight.grad[0], X.mean(0), rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"accumulate": 3}, {"compile": True}, {"workers": 3}])
def test_fit_with_workers(options):
    def run(**more):
        model = build()
        history = tg.fit(
            model, (X, LABELS), loss=nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=2), epochs=3,
            batch_size=7, metrics=["accuracy"], clip=1.0, validation=(X, LABELS), **more,
        )  # fmt: skip
        return model, history

    one, expected = run(**{k: v for k, v in options.items() if k == "accumulate"})
    two, history = run(**{"workers": 2, **options})
    np.testing.assert_allclose(weights_of(two), weights_of(one), rtol=1e-8, atol=1e-10)
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        assert history[name] == pytest.approx(expected[name], rel=1e-9)


def test_nested_batches_are_split_in_fit():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, parts):
            return {"out": self.linear(parts["x"]), "scale": parts["scale"]}

    class Data(tg.data.TensorDataset):
        def batch(self, rows):
            x, y = super().batch(rows)
            return {"x": x, "scale": np.ones(1)}, y

    seen = []
    with tg.default_dtype(np.float32):
        tg.manual_seed(0)
        model = Two()
    tg.fit(
        model, Data(X, LABELS), loss=lambda p, y: F.cross_entropy(p["out"], y), workers=2,
        batch_size=10, epochs=1, metrics=[lambda p, y: float(len(p["out"]) == len(y) == 10)],
        callbacks=[tg.train.LambdaCallback(on_epoch_end=lambda r: seen.append(dict(r.row)))],
    )  # fmt: skip
    assert 1.0 in seen[0].values()


# ---- the same each time --------------------------------------------------------------------------


def noisy(dtype=np.float32):
    own = nn.Dropout(0.2, generator=tg.Generator(4))
    return build(nn.BatchNorm1d(8), nn.Dropout(0.3), own, dtype=dtype)


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_runs_repeat_bit_for_bit(compile):
    """With batch norm and dropout, while threads are switched as often as can be."""

    def run():
        model = noisy()
        history = tg.fit(
            model, (X, LABELS), loss="cross_entropy", workers=3, epochs=4, batch_size=12,
            compile=compile,
        )  # fmt: skip
        return weights_of(model).tobytes(), history["loss"], tg.rand(1).item()

    interval = sys.getswitchinterval()
    first = run()
    sys.setswitchinterval(1e-6)
    try:
        assert run() == first and run() == first
    finally:
        sys.setswitchinterval(interval)


def test_eager_and_compiled_are_equal_bit_for_bit():
    results = []
    for compile in (False, True):
        model = noisy()
        tg.fit(model, (X, LABELS), loss="cross_entropy", workers=2, epochs=3, compile=compile)
        results.append(weights_of(model).tobytes())
    assert results[0] == results[1]


def test_workers_draw_different_numbers_from_the_state_of_their_generator():
    drawn = []

    def loss_fn(x):
        noise = tg.rand(3) + tg.rand(3, generator=own)
        drawn.append(noise.data.tolist())
        return (w * tg.sum(noise)).mean() + 0.0 * x.mean()

    w = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.0)
    runs = []
    for _ in range(2):
        default, own = tg.manual_seed(3), tg.Generator(5)
        with tg.parallel(loss_fn, optimizer, compile=False) as step:
            for _ in range(2):
                step(np.ones(4, np.float32))
        runs.append((sorted(drawn[:2]), sorted(drawn[2:])))
        drawn.clear()
        assert default.get_state() != tg.Generator(3).get_state()  # a checkpoint keeps it
    assert runs[0] == runs[1]
    flat = [tuple(d) for call in runs[0] for d in call]
    assert len(set(flat)) == 4


def test_batch_norm_takes_each_part_as_a_batch():
    norm = nn.BatchNorm1d(3)
    optimizer = tg.optim.SGD(norm.parameters(), lr=0.0)
    other = nn.BatchNorm1d(3)
    x = X[:20].astype(np.float32)
    for compile in (False, True):
        with tg.parallel(lambda x: norm(x).square().mean(), optimizer, compile=compile) as step:
            for _ in range(3):
                step(x)
    for _ in range(6):
        other(x[:10])
        other(x[10:])
    np.testing.assert_array_equal(norm.running_mean.data, other.running_mean.data)
    np.testing.assert_array_equal(norm.running_var.data, other.running_var.data)
    assert norm.num_batches_tracked.item() == 12


def test_resuming_with_workers_is_exact(tmp_path):
    pytest.importorskip("safetensors")
    options = {"loss": "cross_entropy", "workers": 2, "batch_size": 8}
    whole = noisy()
    tg.fit(whole, (X, LABELS), epochs=4, **options)

    def press(run):
        if (run.epoch, run.batch) == (2, 3):
            os.kill(os.getpid(), signal.SIGINT)

    hook, rest = (tg.train.LambdaCallback(on_batch_end=f) for f in (press, lambda run: None))
    path = tmp_path / "run"
    tg.fit(noisy(), (X, LABELS), epochs=4, checkpoint=path, callbacks=[hook], **options)
    model = noisy()
    tg.manual_seed(77)
    again = {"checkpoint": path, "resume": True, "callbacks": [rest], **options}
    tg.fit(model, (X, LABELS), epochs=4, **again)
    np.testing.assert_array_equal(weights_of(model), weights_of(whole))


# ---- threads -------------------------------------------------------------------------------------


def test_blas_has_one_thread_meanwhile_and_its_own_number_again():
    from threadpoolctl import threadpool_info, threadpool_limits

    def blas():
        return [i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"]

    seen = []

    def loss_fn(x):
        seen.append(blas())
        return (x * w).mean()

    w = tg.tensor([1.0], requires_grad=True)
    with threadpool_limits(2, "blas"):
        before = blas()
        step = tg.parallel(loss_fn, tg.optim.SGD([w]), compile=False)
        step(np.ones(4, np.float32))
        assert blas() == before
        step.close()
    assert seen and all(n == 1 for counts in seen for n in counts)


def test_workers_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    def loss_fn(x):
        both.wait()
        return (x * w).mean()

    w = tg.tensor([1.0], requires_grad=True)
    with tg.parallel(loss_fn, tg.optim.SGD([w]), compile=False) as step:
        step(np.ones(4, np.float32))


def test_modes_of_the_caller_hold_in_workers():
    dtypes = []

    def loss_fn(x):
        dtypes.append(tg.zeros(1).dtype)
        return (x * w).mean()

    w = tg.tensor([1.0], requires_grad=True)
    with tg.parallel(loss_fn, tg.optim.SGD([w]), compile=False) as step:
        with tg.default_dtype(np.float64):
            step(np.ones(4, np.float32))
        with pytest.raises(tg.GradientError), tg.no_grad():
            step(np.ones(4, np.float32))
    assert dtypes[:2] == [np.float64] * 2


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("bad", [[3], [15], [3, 15]], ids=["first", "second", "both"])
def test_an_error_in_a_worker_surfaces_and_all_goes_on(bad, compile):
    model = noisy()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    with tg.parallel(lambda x, y: F.cross_entropy(model(x), y), optimizer, compile=compile) as step:
        labels = LABELS[:20].copy()
        x = X[:20].astype(np.float32)
        step(x, labels)
        before = [p.data.copy() for p in model.parameters()]
        labels[bad] = 9
        with pytest.raises(tg.IndexRangeError, match="9") as caught:
            step(x, labels)
        number = 1 if bad[0] == 3 else 2
        assert caught.value.__notes__ == [f"In worker {number} of 2, with its part of the batch."]
        for p, old in zip(model.parameters(), before, strict=True):
            np.testing.assert_array_equal(p.data, old)
        step(x, LABELS[:20])


def test_ctrl_c_waits_for_the_others():
    inside, finished = threading.Event(), []

    def loss_fn(x):
        if threading.current_thread() is threading.main_thread():
            inside.wait(10)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        inside.set()
        time.sleep(0.2)
        finished.append(1)
        return (x * w).mean()

    w = tg.tensor([1.0], requires_grad=True)
    with tg.parallel(loss_fn, tg.optim.SGD([w]), compile=False) as step:
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            step(np.ones(4, np.float32))
        assert finished == [1] and time.monotonic() - start < 4


def test_threads_end_when_the_step_is_dropped():
    before = threading.active_count()
    w = tg.tensor([1.0], requires_grad=True)
    step = tg.parallel(lambda x: (x * w).mean(), tg.optim.SGD([w]))
    step(np.ones(4, np.float32))
    assert threading.active_count() == before + 1
    del step  # the fixture looks whether it ends


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_fit_ends_its_threads_after_an_error(compile):
    with pytest.raises(tg.IndexRangeError):
        tg.fit(build(), (X, LABELS + 9), loss="cross_entropy", workers=2, compile=compile)


def test_auto_falls_back_and_takes_back(capsys):
    class Curious(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.drop = nn.BatchNorm1d(3), nn.Dropout(0.2)

        def forward(self, x):
            y = self.drop(self.norm(x))
            return y if float(y.sum()) > 1e9 else y * 2.0

    results = []
    for compile in (False, "auto"):
        tg.manual_seed(0)
        model = Curious()
        tg.fit(model, (X, LABELS), loss="cross_entropy", workers=2, epochs=2, compile=compile)
        results.append((weights_of(model).tobytes(), tg.rand(1).item()))
    assert results[0] == results[1]
    assert capsys.readouterr().err.count("not compiled") == 1


# ---- splitting, and bad input --------------------------------------------------------------------


def test_cuts():
    for rows in range(1, 40):
        for workers in range(1, 6):
            sizes = [c.stop - c.start for c in cuts(rows, workers)]
            assert sum(sizes) == rows and max(sizes) - min(sizes) <= 1
            assert len(sizes) == min(workers, max(1, rows // 2))
    assert cuts(0, 2) == [slice(0, 0)]


W = tg.tensor([1.0], requires_grad=True)


@pytest.mark.parametrize(
    ("batch", "error", "text"),
    [
        ((np.ones(4), np.ones(3)), tg.ShapeError, "one length along axis 0"),
        ((np.ones(4), np.ones(())), tg.ShapeError, "one length along axis 0"),
        ((3.0,), tg.UsageError, "no tensor or array to split"),
        ((), tg.UsageError, "no tensor or array to split"),
        ((tg.ones(4, requires_grad=True),), tg.UsageError, "does not require grad"),
    ],
)
def test_bad_batches(batch, error, text):
    optimizer = tg.optim.SGD([W])
    step = tg.parallel(lambda *b: (b[0] * W).mean(), optimizer, compile=False)
    with step, pytest.raises(error, match=text):
        step(*batch)
    optimizer.close()
    with pytest.raises(tg.UsageError, match="step was closed"):
        step(np.ones(4))


def test_bad_losses_and_settings():
    optimizer = tg.optim.SGD([W])
    for loss, error, text in (
        (lambda x: x * W, tg.ShapeError, r"\.mean\(\)"),
        (lambda x: 1.0, tg.UsageError, "loss is a Tensor"),
        (lambda x: x.mean(), tg.GradientError, "does not depend on parameters"),
        (lambda x: ((x * W).mean(), -1.0), tg.UsageError, "number from 0 on"),
    ):
        with tg.parallel(loss, optimizer, compile=False) as step, pytest.raises(error, match=text):
            step(np.ones(4, np.float32))
    for options, text in (
        ({"workers": 0}, "workers is a whole number"),
        ({"workers": True}, "workers is a whole number"),
        ({"compile": "auto"}, "compile is True or False"),
        ({"clip": -1.0}, "clip is the largest norm"),
        ({"loss_fn": 3}, "loss_fn is a function"),
        ({"optimizer": 3}, "takes an open optimizer"),
    ):
        with pytest.raises(tg.UsageError, match=text):
            tg.parallel(**{"loss_fn": lambda x: x, "optimizer": optimizer, **options})
    step = tg.parallel(lambda x: (x * W).mean(), optimizer)
    optimizer.close()
    with pytest.raises(tg.UsageError, match="optimizer was closed"):
        step(np.ones(4, np.float32))


def test_two_teams_at_once_leave_blas_its_threads():
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads():
        return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        first, second = Blas().of_one_thread(), Blas().of_one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}  # the second is at work
        second.__exit__(None, None, None)
        assert threads() == {2}


def test_without_threadpoolctl(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    optimizer = tg.optim.SGD([W])
    with pytest.raises(tg.MissingExtraError, match=r"tinygraph-autodiff\[fast\]"):
        tg.parallel(lambda x: (x * W).mean(), optimizer)
    model = build()
    with pytest.raises(tg.MissingExtraError, match=r"\[fast\]"):
        tg.fit(model, (X, LABELS), loss="cross_entropy", workers=2)
    tg.fit(model, (X, LABELS), loss="cross_entropy", epochs=1)
    optimizer.close()
