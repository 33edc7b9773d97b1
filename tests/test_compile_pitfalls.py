"""The pitfalls of compiled functions, each by name; docs/compile.md has a line for each."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.nn import functional as F

PAGE = Path(__file__).parent.parent / "docs" / "compile.md"


def test_every_pitfall_has_a_line_in_the_docs():
    names = [n.removeprefix("test_") for n in globals() if n.startswith("test_")]
    text = PAGE.read_text(encoding="utf-8")
    missing = [n for n in names if f"`{n}`" not in text and not n.startswith("every_pitfall")]
    assert not missing
    stale = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) - set(names)
    assert not stale


def test_outputs_are_copies():
    double = tg.compile(lambda x: x + x)
    first = double(np.ones(2))
    second = double(np.zeros(2))
    assert first.numpy().tolist() == [2, 2] and second.numpy().tolist() == [0, 0]


def test_outputs_are_reused_when_asked():
    double = tg.compile(lambda x: x + x, copy=False)
    double(np.ones(2))
    first = double(np.ones(2))
    double(np.zeros(2))
    assert first.numpy().tolist() == [0, 0]


def test_outputs_carry_no_graph():
    w = tg.tensor([2.0], requires_grad=True)
    run = tg.compile(lambda x: (w * x).sum())
    for _ in range(2):
        loss = run(np.ones(1, "f4"))
        assert not loss.requires_grad
        with pytest.raises(tg.GradientError, match="requires grad"):
            loss.backward()


def test_python_values_are_frozen():
    factor = 2.0
    table = np.ones(2)
    run = tg.compile(lambda x: x * factor + table)
    assert run(np.ones(2)).numpy().tolist() == [3, 3]
    factor, table[...] = 5.0, 7.0
    assert run(np.ones(2)).numpy().tolist() == [3, 3]


def test_python_arguments_select_the_plan():
    run = tg.compile(lambda x, power, name=None: x**power)
    x = np.full(2, 3.0)
    assert run(x, 2).numpy().tolist() == [9, 9]
    assert run(x, 3).numpy().tolist() == [27, 27]
    assert run(x, 2, name="again").numpy().tolist() == [9, 9]
    assert run(x, 2.0).numpy().tolist() == [9, 9]  # an int is not a float
    assert len(run.plans) == 4
    assert run(x, 2).numpy().tolist() == [9, 9] and len(run.plans) == 4


def test_a_branch_on_a_value_raises():
    @tg.compile
    def run(x):
        if (x.sum() > 0):  # fmt: skip
            return x
        return -x

    with pytest.raises(tg.CompileError, match=r"x\.sum\(\) > 0.*tg\.where"):
        run(np.ones(2))


def test_a_branch_on_a_python_value_is_taken_once():
    state = {"negate": False}
    run = tg.compile(lambda x: -x if state["negate"] else x + 0)
    run(np.ones(2))
    state["negate"] = True
    assert run(np.ones(2)).numpy().tolist() == [1, 1]


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.data,
        lambda x: x.numpy(),
        lambda x: x.item(),
        lambda x: float(x),
        lambda x: int(x),
        lambda x: bool(x),
        lambda x: f"{x:.3f}",
        lambda x: np.asarray(x),
        lambda x: x.grad,
        lambda x: tg.tensor(x),
        lambda x: x[x > 0],
        lambda x: range(3)[x.astype(np.int64)],
        lambda x: tg.masked_select(x, x > 0),
        lambda x: tg.repeat(x, x.astype(np.int64)),
    ],
    ids=["data", "numpy", "item", "float", "int", "bool", "format", "asarray", "grad", "tensor",
         "mask", "index", "masked_select", "repeat"],
)  # fmt: skip
def test_reading_a_value_raises_with_the_line(read):
    run = tg.compile(lambda x: read(x * 1))
    with pytest.raises(tg.CompileError, match=r"test_compile_pitfalls\.py:\d+: "):
        run(np.ones(1))
    assert not run.plans


def test_values_made_from_python_may_be_read():
    run = tg.compile(lambda x: x * float(tg.ones(3).sum()))
    for value in (1.0, 2.0):
        assert run(np.full(1, value)).numpy().tolist() == [3 * value]


def test_a_new_shape_or_layout_records_again():
    run = tg.compile(lambda x: x.sum(axis=0))
    for x in (np.ones((2, 3)), np.ones((5, 3)), np.ones((3, 5)).T, np.ones((5, 3), "f4")):
        assert run(x).numpy().tolist() == [len(x)] * 3
    assert len(run.plans) == 4


def test_an_assigned_tensor_of_a_closure_is_not_seen():
    box = {"w": tg.tensor([1.0])}
    run = tg.compile(lambda x: x * box["w"])
    run(np.ones(1, "f4"))
    box["w"] = tg.tensor([5.0])  # another object: the plan still has the first one
    assert run(np.ones(1, "f4")).item() == 1.0


def test_writes_to_a_captured_tensor_are_seen():
    w = tg.tensor([1.0])
    run = tg.compile(lambda x: x * w)
    run(np.ones(1, "f4"))
    w.data = np.array([5.0])
    assert run(np.ones(1, "f4")).item() == 5.0
    assert len(run.plans) == 1


def test_a_rebound_leaf_records_again():
    model = nn.Linear(2, 1)
    run = tg.compile(model)
    x = np.ones((1, 2), "f4")
    run(x)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)  # packs: new memory
    assert run(x).item() == model(tg.tensor(x)).item()
    model.weight.data = np.zeros((1, 2))
    assert run(x).item() == model.bias.item()
    optimizer.close()
    assert run(x).item() == model.bias.item()
    assert len(run.plans) == 3


def test_a_frozen_leaf_records_again():
    w, v = tg.variables(w=2.0, v=3.0)

    @tg.compile
    def run():
        w.grad = v.grad = None
        (w * v).backward()

    run()
    v.requires_grad_(False)
    run()
    assert w.grad == 3.0 and v.grad is None
    assert len(run.plans) == 2


def test_an_argument_given_twice_gets_its_gradient_once():
    def run(a, b):
        (a * b).sum().backward()

    compiled = tg.compile(run)
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for f in (run, compiled, compiled):
        x.grad = None
        f(x, x)
        assert x.grad.tolist() == [2, 4]
        f(x, x)
        assert x.grad.tolist() == [4, 8]
        x.grad = None
        f(x, x.detach())  # the same memory, but another tensor
        assert x.grad.tolist() == [1, 2]
        x.grad = None
        f(x.detach(), x)
        assert x.grad.tolist() == [1, 2]


def test_arguments_may_alias():
    run = tg.compile(lambda a, b: tg.grad((a * b).sum(), a))
    x = tg.tensor([3.0], requires_grad=True)
    y = tg.tensor([5.0], requires_grad=True)
    assert run(x, x).item() == 6.0
    assert run(x, y).item() == 5.0
    assert run(y, y).item() == 10.0
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=1.0)

    @tg.compile
    def step(x):
        (w * w).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        return x * 1  # what it is after the step

    for _ in range(2):
        expected = -w.data
        assert np.array_equal(step(w.detach()).numpy(), expected)


def test_an_argument_with_a_graph_raises():
    x = tg.tensor([3.0], requires_grad=True)
    with pytest.raises(tg.CompileError, match=r"result of 'mul'.*detach"):
        tg.compile(lambda x: x * 2)(x * x)


def test_a_graph_from_outside_raises():
    x = tg.tensor([3.0], requires_grad=True)
    y = x * x
    with pytest.raises(tg.CompileError, match="made outside"):
        tg.compile(lambda: (y * 2).sum().backward())()
    assert x.grad is None


def test_nested_compiled_functions_are_one_plan():
    inner = tg.compile(lambda x: tg.exp(x))
    outer = tg.compile(lambda x: inner(x) * 2)
    for value in (0.0, 1.0):
        assert outer(np.full(1, value)).item() == 2 * np.exp(value)
    assert len(outer.plans) == 1 and not inner.plans


def test_side_effects_happen_once():
    seen = []

    @tg.compile
    def run(x):
        seen.append("a print would be the same")
        return x * 2

    for _ in range(3):
        run(np.ones(1))
    assert len(seen) == 1


def test_an_error_in_the_recording_leaves_no_plan():
    run = tg.compile(lambda x: x @ np.ones((3, 3)))
    with pytest.raises(tg.ShapeError):
        run(np.ones(2))
    assert not run.plans
    assert run(np.ones(3)).numpy().tolist() == [3, 3, 3]


LOOKS = {
    "comparison": lambda x: (x < 0).any(),
    "method": lambda x: x.min() < 0,
    "ufunc": lambda x: np.signbit(x).any(),
    "function": lambda x: np.min(x) < 0,
    "array": lambda x: np.asarray(x)[0] < 0,
    "element": lambda x: x[0] < 0,
    "iteration": lambda x: any(v < 0 for v in x),
    "membership": lambda x: -1 in x,
    "operator": lambda x: bool(((abs(x) - x) // 2 % 8).sum()),
    "number": lambda x: float(x[:1].sum()) < 0,
}


@pytest.mark.parametrize("is_negative", LOOKS.values(), ids=LOOKS)
def test_checks_of_values_in_ops_of_the_user_run_at_every_replay(is_negative):
    def prepare(x):
        assert x.ndim == 1 and len(x) == x.shape[0]
        if is_negative(x):
            raise ValueError("negative numbers")
        return {}

    root = tg.op("pitfall_root", np.sqrt, [lambda g, y, x: g / (2 * y)], prepare=prepare)
    try:
        run = tg.compile(lambda x: root(x))
        for x in ([4.0, 9.0], [1.0, 0.0]):
            assert run(np.array(x, "f4")).numpy().tolist() == np.sqrt(x).tolist()
        with pytest.raises(ValueError, match="negative numbers"):
            run(np.array([-1.0, 1.0], "f4"))
        assert len(run.plans) == 1
    finally:
        tg.REGISTRY.pop("pitfall_root")


def test_labels_are_checked_at_every_replay():
    model = nn.Linear(2, 3)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)

    @tg.compile
    def step(x, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    x = np.ones((2, 2), "f4")
    for _ in range(2):
        step(x, np.array([0, 2]))
    before = model.weight.data.copy()
    with pytest.raises(tg.IndexRangeError, match="label 3"):
        step(x, np.array([0, 3]))
    assert np.array_equal(model.weight.data, before)
    step(x, np.array([0, 2]))
    assert len(step.plans) == 1


def test_a_recording_that_fails_half_way_is_taken_back():
    tg.manual_seed(0)
    model = nn.Linear(2, 1) >> nn.BatchNorm1d(1) >> nn.Dropout(0.5)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)

    @tg.compile
    def step(x):
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return float(loss)

    before, generator = model.state_dict(), tg.ops.random.default_generator.get_state()
    with pytest.raises(tg.CompileError, match="float"):
        step(np.ones((4, 2), "f4"))
    for name, value in model.state_dict().items():
        assert np.array_equal(value, before[name]), name
    assert tg.ops.random.default_generator.get_state() == generator
    assert model[0].weight.grad is None
    assert not optimizer.state_dict()["state"]


def test_training_and_evaluation_are_two_plans():
    tg.manual_seed(0)
    model = nn.Dropout(0.5)
    run = tg.compile(lambda x: model(x))
    x = np.ones(1000, "f4")
    assert 300 < (run(x).numpy() == 0).sum() < 700
    model.eval()
    assert (run(x).numpy() == 1).all()
    model.train()
    assert 300 < (run(x).numpy() == 0).sum() < 700
    assert len(run.plans) == 2


def test_random_ops_draw_anew():
    run = tg.compile(lambda: tg.rand(3))
    tg.manual_seed(0)
    found = [run().numpy().tolist() for _ in range(3)]
    tg.manual_seed(0)
    assert found == [tg.rand(3).numpy().tolist() for _ in range(3)]


def test_gradients_held_before_the_call_select_the_plan():
    w = tg.tensor([2.0], requires_grad=True)
    run = tg.compile(lambda: (w * w).sum().backward())
    for expected in (4.0, 8.0, 12.0):
        run()
        assert w.grad.item() == expected
    w.grad = None
    run()
    assert w.grad.item() == 4.0
    assert len(run.plans) == 2


def test_gradient_memory_is_reused():
    w = tg.tensor([2.0], requires_grad=True)

    @tg.compile
    def run(x):
        w.grad = None
        (w * x).sum().backward()

    run(np.full(1, 3, "f4"))
    first = w.grad
    run(np.full(1, 5, "f4"))
    assert first is w.grad and first.item() == 5.0


def test_gradient_modes_select_the_plan():
    w = tg.tensor([2.0], requires_grad=True)

    def run(x):
        y = w * x
        return tg.ones(1) if y.requires_grad else tg.zeros(1)

    compiled = tg.compile(run)
    assert compiled(np.ones(1, "f4")).item() == 1
    with tg.no_grad():
        assert compiled(np.ones(1, "f4")).item() == 0
    assert compiled(np.ones(1, "f4")).item() == 1


def test_debugging_modes_run_eagerly():
    run = tg.compile(lambda x: tg.log(x))
    run(np.ones(1))
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError):
        run(-np.ones(1))
    assert np.isnan(run(-np.ones(1)).item())


def test_disable_compile_runs_eagerly():
    seen = []
    run = tg.compile(lambda x: (seen.append(1), x * 2)[1])
    for _ in range(2):
        run(np.ones(1))
    with tg.disable_compile():
        for _ in range(2):
            assert run(tg.ones(1)).item() == 2
    assert len(seen) == 3


def test_threads_take_turns():
    run = tg.compile(lambda x: tg.exp(x).sum() + x)
    run(np.zeros(1000))
    wrong = []

    def work(value):
        x = np.full(1000, float(value))
        wanted = (np.exp(x).sum() + x).tolist()
        for _ in range(50):
            if not np.allclose(run(x).numpy(), wanted, rtol=1e-12):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(v,)) for v in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_threads_share_long_chains():
    twice = tg.op("twice", lambda x: x + x, formula="2 · x", vjps=[lambda g, y, x: 2 * g])
    x = np.linspace(-1, 1, 600_000, dtype="f4")
    before, found = tg.get_num_threads(), {}
    try:
        for threads in (1, 2):
            tg.set_num_threads(threads)
            run = tg.compile(lambda x: (tg.exp(x) * 2 + tg.tanh(x)).sum())
            alone = tg.compile(lambda x: (tg.exp(x) * 2 + twice(x)).sum())
            found[threads] = [run(x).item() for _ in range(3)]
            alone(x)
            assert ("2 threads" in str(run.plans[0].show())) == (threads == 2)
            assert "threads" not in str(alone.plans[0].show())
    finally:
        tg.set_num_threads(before)
        del tg.REGISTRY["twice"]
    assert len({*found[1], *found[2]}) == 1


def test_writing_to_a_tensor_raises():
    w = tg.tensor([1.0])

    def assign(x):
        w.data = x

    def put(x):
        w[0] = x[0]

    for write in (assign, put):
        with pytest.raises(tg.CompileError, match="write"):
            tg.compile(write)(np.ones(1, "f4"))
    assert w.item() == 1.0


def test_a_function_that_calls_itself_raises():
    class Again(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return run(x).numpy() if x[0] > 0 else x

    run = tg.compile(lambda x: Again.apply(x) * 2)
    run(np.zeros(1))
    with pytest.raises(tg.CompileError, match="calls itself"):
        run(np.ones(1))
    assert run(np.full(1, -1.0)).item() == -2.0


def test_old_plans_go_first():
    run = tg.compile(lambda x, n: x * n)
    x = np.ones(2)
    for n in range(40):
        run(x, n)
        run(x, 0)  # stays in use
    assert len(run.plans) == 32
    assert run(x, 0).numpy().tolist() == [0, 0] and run(x, 1).numpy().tolist() == [1, 1]
