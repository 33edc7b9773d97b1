"""plan.show, plan.graph: what they tell, and that looking changes nothing."""

from __future__ import annotations

import numpy as np

import tinygraph as tg
from tinygraph import nn


def trained():
    tg.manual_seed(0)
    model = nn.Linear(3, 4) >> nn.BatchNorm1d(4) >> nn.Dropout(0.5) >> nn.Linear(4, 2)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)

    @tg.compile
    def step(x, labels):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        tg.clip_grad_norm(optimizer, 0.1)
        optimizer.step()
        return loss

    arguments = np.linspace(-1, 1, 15, dtype="f4").reshape(5, 3), np.array([0, 1, 1, 0, 1])
    step(*arguments)
    return model, optimizer, step, arguments


def test_a_table_has_times_after_the_first_replay():
    _, _, step, arguments = trained()
    (plan,) = step.plans
    assert all(row.seconds is None for row in plan.show().rows)
    assert "—" in str(plan.show())
    step(*arguments)
    table = plan.show()
    assert all(row.seconds > 0 for row in table.rows)
    assert table.seconds == sum(row.seconds for row in table.rows)
    linear = next(row for row in table.rows if row.module == "3")
    assert linear.shape == (5, 2) and linear.dtype == "float32" and linear.nbytes == 40
    assert 0 < table.nbytes < table.unshared
    text = str(table)
    assert "Adam.step" in text and "clip_norm_update" in text
    backward = [row for row in table.rows if row.module == "∂ 3"]
    assert {row.shape for row in backward} >= {(2, 4), (5, 4), (2,)}
    assert f"{len(table.rows)} steps" in text and f"{table.nbytes:,} bytes" in text


def test_looking_changes_nothing():
    model, optimizer, step, arguments = trained()
    step(*arguments)
    (plan,) = step.plans
    generator = tg.ops.random.default_generator

    def everything():
        state = {n: v.tobytes() for n, v in model.state_dict().items()}
        gradients = [p.grad.tobytes() for p in model.parameters()]
        return state, gradients, str(optimizer.state_dict()), generator.get_state()

    before = everything()
    plan.show()
    assert everything() == before
    tg.draw(plan)
    tg.draw(plan, show=("bytes", "time"))
    assert everything() == before


def test_a_plan_is_drawn_and_walked_as_a_graph():
    _, _, step, _ = trained()
    graph = tg.graph(step.plans[0])
    assert graph.counts["linear"] == 2 or graph.counts["matmul"] >= 2
    assert graph.find(op="dropout_mask")
    assert "argument 1" in tg.draw(step.plans[0]).source
    assert repr(step.plans[0]).startswith("<plan of ")


def test_the_picture_has_the_backward_pass_with_the_times_of_the_plan():
    model, _, step, arguments = trained()
    (plan,) = step.plans
    assert tg.graph(plan).timer() == {}  # nothing has run yet
    step(*arguments)
    graph = tg.graph(plan)
    drawn = [node for node in graph.nodes if node.op is not None]
    assert len(drawn) >= sum(s.op is not None and bool(s.outs) for s in plan.steps)
    gradients = {n.shape for n in drawn if n.tensor.name == "gradient"}
    assert gradients == {p.shape for p in model.parameters()}
    seconds = graph.timer()
    assert all(s > 0 for s in seconds.values())
    assert {n.tensor for n in drawn if n.op.name in ("linear", "sum_to")} <= seconds.keys()
    source = tg.draw(plan, show=("bytes", "time")).source
    assert "gradient" in source and source.count("µs") > 10


def test_a_block_has_one_time():
    run = tg.compile(lambda x: (tg.exp(x) * 2 + 1).sum())
    for _ in range(2):
        run(np.linspace(0, 1, 100_000))
    graph = tg.graph(run.plans[0])
    timed = {n.op.name for n in graph.nodes if n.tensor in graph.timer() and n.op}
    assert len(run.plans[0].steps[0].inner) == 4
    assert timed == {"sum"}
