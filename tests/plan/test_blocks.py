"""Long elementwise chains run in blocks: the same bits, and little memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.plan.block import BLOCK
from tinygraph.plan.blocks import LEAST, WORTH

SIZES = {"least": LEAST, "a rest": LEAST + 1, "odd": 3 * BLOCK + 17, "matrix": (257, 301)}


@pytest.fixture(autouse=True)
def two_threads():
    before = tg.get_num_threads()
    tg.set_num_threads(2)
    yield
    tg.set_num_threads(before)


def chain(x, scale):
    """Return a chain with a reduction in the middle, several results, and its gradient."""
    y = tg.sigmoid(1.5 * x + 0.3) * tg.tanh(x) + tg.gelu(x, approximate="tanh") * scale
    z = tg.where(y > 0, y, tg.exp(y) - 1) / 3
    total = (z * z).sum() + tg.relu(y).mean()
    return total, z, tg.softplus(x) + total, *tg.grad(total, [x, scale])


def block_of(compiled):
    (plan,) = compiled.plans
    return [step for step in plan.steps if step.inner]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_bits_are_those_of_eager_mode(size, dtype):
    compiled = tg.compile(chain)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = tg.tensor(rng.standard_normal(size).astype(dtype), requires_grad=True)
        scale = tg.tensor(rng.standard_normal().__float__(), dtype=dtype, requires_grad=True)
        for found, wanted in zip(compiled(x, scale), chain(x, scale), strict=True):
            assert found.data.tobytes() == wanted.data.tobytes()
    assert sum(len(step.inner) for step in block_of(compiled)) > 20


def test_a_chain_needs_memory_for_a_few_blocks_only():
    compiled = tg.compile(lambda x: tg.exp(tg.sin(tg.cos(x * 2) + 1) - 1).sum())
    x = np.linspace(0, 1, 40 * BLOCK)
    compiled(x)
    (plan,) = compiled.plans
    assert [len(step.inner) for step in plan.steps if step.inner] == [7]  # with the sum
    assert plan.nbytes < 8 * 8 * BLOCK < x.nbytes / 4


def test_a_write_ends_a_chain():
    w = tg.tensor(np.ones(LEAST, "f4"), requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)

    @tg.compile
    def step(x):
        before = w * x * 2 + 1
        optimizer.zero_grad()
        before.sum().backward()
        optimizer.step()
        return before * 3, w * x * 2 + 1

    value = 1.0
    for _ in range(3):
        x = np.full(LEAST, 0.25, "f4")
        before, after = step(x)
        assert (before.numpy() == 3 * (value * 0.5 + 1)).all()
        value -= 0.5 * 0.5
        assert (after.numpy() == value * 0.5 + 1).all()


def test_two_shapes_are_two_blocks():
    compiled = tg.compile(lambda x, y: (tg.exp(x) * 2 + 1, tg.exp(y) * 2 + 1))
    x, y = np.ones(LEAST), np.ones((2, LEAST))
    compiled(x, y)
    assert len(block_of(compiled)) == 2
    assert (compiled(x, y)[1].numpy() == np.exp(1.0) * 2 + 1).all()


def test_steps_behind_and_before_a_chain_keep_their_order():
    def run(x, w):
        y = tg.exp(x) * 2
        row = y.sum(axis=0)  # waits behind the chain
        z = y + w.sum() * 1  # the sum of w moves before it
        return row * 2, (z * row).sum(), z.reshape(-1)[:3]

    compiled = tg.compile(run)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, w = rng.standard_normal((300, 300)), rng.standard_normal(5)
        for found, wanted in zip(compiled(x, w), run(tg.tensor(x), tg.tensor(w)), strict=True):
            assert found.data.tobytes() == wanted.data.tobytes()


def test_chains_run_in_blocks_in_any_order_of_memory():
    """Convolutions leave the channels last in memory; a mixture of orders is no chain."""
    image = np.random.default_rng(0).standard_normal((8, 16, 30, 30)).astype("f4")
    last = np.ascontiguousarray(image.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)

    def function(x, z):
        y = tg.relu(x * 2 + 1) * tg.tanh(x)
        return y, tg.exp(z) - 1, y.sum()

    assert image.size > LEAST
    for first, second in [(last, last), (last, image), (image, last)]:
        compiled = tg.compile(function)
        for k in range(3):
            x = tg.from_numpy(first * np.float32(k + 1))
            z = tg.from_numpy(second * np.float32(k + 1))
            for found, wanted in zip(compiled(x, z), function(x, z), strict=True):
                assert found.data.tobytes() == wanted.data.tobytes()
                assert found.data.strides == wanted.data.strides
        alike = first.strides == second.strides
        assert sorted(len(step.inner) for step in block_of(compiled)) == ([8] if alike else [2, 5])


# ---- sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_sums_of_all_numbers_join_the_chain(size, dtype):
    def function(x):
        y = tg.exp(x) * 2
        z = y - x
        return y.sum(), z.mean(), (z * z).sum(axis=tuple(range(z.ndim)), keepdims=True), z

    compiled = tg.compile(function)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.standard_normal(size).astype(dtype)
        for found, wanted in zip(compiled(x), function(tg.tensor(x)), strict=True):
            assert found.data.tobytes() == wanted.data.tobytes()
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    (block,) = block_of(compiled)
    assert [step.name for step in block.inner[-3:]] == ["sum", "mean", "sum"]
    assert len(block.inner) == 7 and len(compiled.plans[0].steps) == 1


def test_one_step_and_its_sum_are_a_chain():
    compiled = tg.compile(lambda x, y: (x * y).sum())
    x = np.linspace(-1, 1, 4 * BLOCK + 5, dtype="f4")
    for k in range(3):
        assert compiled(x, x + k).data == (tg.tensor(x) * (x + k)).sum().data
    assert compiled.plans[0].nbytes < x.nbytes / 2


def test_a_sum_along_an_axis_stays_behind():
    compiled = tg.compile(lambda x: ((tg.exp(x) * 2).sum(axis=0), (tg.exp(x) * 2).sum(axis=-1)))
    compiled(np.ones((300, 300), "f4"))
    assert [len(step.inner) for step in block_of(compiled)] == [2]


def test_the_gradient_of_a_single_number_is_a_sum_in_its_place():
    x = np.random.default_rng(0).standard_normal((3, BLOCK)).astype("f4")
    scale = tg.tensor(0.5, requires_grad=True)
    optimizer = tg.optim.SGD([scale], lr=1e-6)

    def step(x):
        optimizer.zero_grad()
        (tg.tanh(x) * scale).sum().backward()
        return scale * 1

    compiled = tg.compile(step)
    for _ in range(3):
        compiled(x)
        found = scale.grad.copy()
        step(tg.tensor(x))
        assert found == scale.grad


# ---- threads -------------------------------------------------------------------------------------


def long_chain(x):
    y = tg.sigmoid(1.5 * x + 0.3) * tg.tanh(x) + tg.exp(x) - 1
    return y, (y * y).sum(), y.mean()


def with_threads(count, x, function=long_chain):
    tg.set_num_threads(count)
    compiled = tg.compile(function)
    compiled(x)
    return compiled, [out.data.tobytes() for out in compiled(x)]


def workers_of(compiled, x):
    """Return which threads take blocks, when all of a plan's own meet."""
    (step,) = block_of(compiled)
    count = min(step.call.threads, tg.get_num_threads())
    barrier, seen, own = threading.Barrier(count), {}, step.call._run

    def run(thread, number):
        if thread not in seen:
            seen[thread] = threading.current_thread()
            barrier.wait(10)
        own(thread, number)

    step.call._run = run
    compiled(x)
    step.call._run = own
    return seen


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_the_bits_are_the_same_for_any_number_of_threads(threads, dtype):
    x = np.random.default_rng(0).standard_normal(5 * BLOCK + 17).astype(dtype)
    compiled, found = with_threads(threads, x)
    assert workers_of(compiled, x).keys() == set(range(threads))
    assert found == [out.data.tobytes() for out in long_chain(tg.tensor(x))]
    assert found == with_threads(1, x)[1]
    assert f"on {threads} threads" in str(compiled.plans[0].show())


def test_each_thread_has_memory_of_its_own():
    x = np.ones(5 * BLOCK, "f4")
    one, two = (with_threads(n, x)[0].plans[0].nbytes for n in (1, 2))
    assert one + 4 * BLOCK < two < one + 8 * 4 * BLOCK
    assert "threads" not in str(with_threads(1, x)[0].plans[0].show())


def test_fewer_threads_are_respected_by_plans_that_exist():
    x = np.ones(5 * BLOCK, "f4")
    compiled, _ = with_threads(3, x)
    assert len(workers_of(compiled, x)) == 3
    tg.set_num_threads(2)
    assert len(workers_of(compiled, x)) == 2
    tg.set_num_threads(1)
    assert workers_of(compiled, x) == {0: threading.current_thread()}


def test_short_chains_and_ops_of_users_have_one_thread():
    small = np.ones(WORTH // 3 - 1, "f4")

    def function(x):
        return tg.exp(x) * 2 + 1, tg.ones(())

    assert block_of(with_threads(2, small, function)[0])[0].call.threads == 1
    assert block_of(with_threads(2, np.ones(WORTH // 3 + 1), function)[0])[0].call.threads == 2

    twice = tg.op("twice_in_a_test", lambda x: x * 2, formula="2 · x", vjps=[lambda g, y, x: 2 * g])
    try:
        compiled, _ = with_threads(2, np.ones(WORTH), lambda x: (tg.exp(x) + twice(x), x))
        assert block_of(compiled)[0].call.threads == 1
    finally:
        del tg.REGISTRY["twice_in_a_test"]


def test_the_threads_of_products_have_no_others_beside_them():
    x, w = np.ones((4, WORTH // 4), "f4"), np.ones((4, 4), "f4")
    for product in (lambda x: w @ x, lambda x: tg.nn.functional.conv1d(x[None], w[:, :, None])):
        compiled, _ = with_threads(2, x, lambda x, product=product: (tg.exp(x) * 2 + 1, product(x)))
        assert [step.call.threads for step in block_of(compiled)] == [1]


def test_workers_that_share_a_batch_do_not_share_chains():
    w = tg.tensor([1.5], requires_grad=True)
    threads = []

    def loss_fn(x):
        threads.append(tg.ops.threads.threads_now())
        return tg.tanh(tg.exp(x * w) * 2 + 1).mean()

    x = np.linspace(-1, 1, WORTH // 2, dtype="f4")
    with tg.parallel(loss_fn, tg.optim.SGD([w], lr=0.0)) as step:
        losses = {float(step(x)) for _ in range(3)}
        blocks = [b.call.threads for run in step._team._runs for b in block_of(run)]
    assert threads == [1, 1] and blocks == [1, 1] and len(losses) == 1


def test_domain_errors_in_helpers_are_as_silent_as_elsewhere():
    x = np.linspace(-1000, 1000, 10 * BLOCK, dtype="f4")
    compiled, found = with_threads(2, x, lambda x: (tg.exp(x), tg.log(x) * 2 + 1))
    assert workers_of(compiled, x).keys() == {0, 1}
    with np.errstate(all="raise"):  # the caller's own setting does not reach into a replay
        assert [out.data.tobytes() for out in compiled(x)] == found


def test_an_error_in_a_helper_surfaces_and_the_plan_goes_on():
    x = np.ones(5 * BLOCK, "f4")
    compiled, wanted = with_threads(2, x)
    block = block_of(compiled)[0].call
    barrier, own = threading.Barrier(2), block._run

    def run(thread, number):
        if number < 2:
            barrier.wait(10)
        if thread == 1:
            raise MemoryError("no more")
        own(thread, number)

    block._run = run
    with pytest.raises(MemoryError, match="no more"):
        compiled(x)
    block._run = own
    assert [out.data.tobytes() for out in compiled(x)] == wanted


# ---- products with 1 -----------------------------------------------------------------------------


def names_of(compiled):
    return [inner.name for step in compiled.plans[0].steps for inner in step.inner or (step,)]


def test_a_product_of_an_argument_with_one_is_left_out():
    def step(x):
        x.grad = None
        (x * tg.tanh(x)).sum().backward()

    compiled, x = tg.compile(step), np.linspace(-2, 2, LEAST, dtype="f4")
    for k in range(3):
        found, wanted = (tg.tensor(x * k, requires_grad=True) for _ in range(2))
        compiled(found)
        step(wanted)
        assert found.grad.tobytes() == wanted.grad.tobytes()
    assert names_of(compiled).count("mul") == 2  # y · y and x · (1 − y · y)


def test_a_product_with_one_is_a_copy_where_that_matters():
    w = tg.tensor(np.ones(LEAST, "f4"), requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)

    @tg.compile
    def step(x):
        same = tg.ones(LEAST) * w  # w is written before its last reader
        result = tg.ones(LEAST) * x
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        return same + 1, result

    for k in range(3):
        x = np.full(LEAST, 2.0, "f4")
        before, result = step(x)
        assert (before.numpy() == 2 - k).all() and (w.data == -k).all()
        x[:] = 0
        assert (result.numpy() == 2).all()
        assert (w.grad == 2).all()
