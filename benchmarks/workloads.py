"""What is measured: each workload for each contestant, as a function that returns seconds.

``python -m benchmarks.workloads WORKLOAD CONTESTANT`` measures once and prints JSON; the
runner starts one such process for each contestant and round.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable

import numpy as np

Measurement = dict[str, float]
WORKLOADS: dict[tuple[str, str], Callable[[], Measurement]] = {}
ADDS = 100_000


def workload(name: str, contestant: str):
    """Register a measurement."""

    def register(function):
        WORKLOADS[name, contestant] = function
        return function

    return register


def best_of(function: Callable[[], float], rounds: int) -> float:
    """Return the median over rounds in this process, after one to warm up."""
    function()
    return float(np.median([function() for _ in range(rounds)]))


# ---- a long chain of tiny adds -------------------------------------------------------------


def time_adds(leaf, constant, backward) -> float:
    start = time.perf_counter()
    y = leaf
    for _ in range(ADDS):
        y = y + constant
    backward(y)
    del y
    return time.perf_counter() - start


def _adds_tinygraph() -> float:
    import tinygraph as tg

    x, c = tg.ones(4, requires_grad=True), tg.ones(4)
    return best_of(lambda: time_adds(x, c, lambda y: y.backward(np.ones(4, np.float32))), 3)


def _adds_torch() -> float:
    import torch

    x, c = torch.ones(4, requires_grad=True), torch.ones(4)
    return best_of(lambda: time_adds(x, c, lambda y: y.backward(torch.ones(4))), 3)


def _adds_autograd() -> float:
    from autograd import elementwise_grad

    c = np.ones(4, np.float32)

    def chain(x):
        for _ in range(ADDS):
            x = x + c
        return x

    def once() -> float:
        start = time.perf_counter()
        elementwise_grad(chain)(c)
        return time.perf_counter() - start

    return best_of(once, 3)


def _adds_mygrad() -> float:
    import mygrad as mg

    sys.setrecursionlimit(10 * ADDS)
    x, c = mg.tensor(np.ones(4, np.float32)), np.ones(4, np.float32)
    return best_of(lambda: time_adds(x, c, lambda y: y.backward(np.ones(4, np.float32))), 3)


CHAINS = {
    "tinygraph": _adds_tinygraph,
    "torch": _adds_torch,
    "autograd": _adds_autograd,
    "mygrad": _adds_mygrad,
}

for _name, _function in CHAINS.items():

    @workload("100,000 adds, collector on", _name)
    def _on(function=_function) -> Measurement:
        return {"seconds": function()}

    @workload("100,000 adds, collector off", _name)
    def _off(function=_function) -> Measurement:
        gc.disable()
        return {"seconds": function()}


# ---- one op at a time on small arrays ---------------------------------------------------------

BINARY = {"add": lambda a, b: a + b, "mul": lambda a, b: a * b, "matmul": lambda a, b: a @ b}


def time_chain(step, start_value, upstream, constant_work: int = 2000) -> Measurement:
    """Time a chain of one op: what a node costs inside a longer graph."""
    gc.disable()
    forward, backward = [], []
    for _ in range(7):
        start = time.perf_counter()
        y = start_value
        for _ in range(constant_work):
            y = step(y)
        middle = time.perf_counter()
        y.backward(upstream)
        end = time.perf_counter()
        forward.append((middle - start) / constant_work)
        backward.append((end - middle) / constant_work)
        start_value.grad = None
    return {"forward": float(np.median(forward)), "backward": float(np.median(backward))}


def _chains(tensor, upstream, functions) -> dict[str, Callable[[], Measurement]]:
    x = tensor(np.full((4, 4), 0.1, np.float32), True)
    w = tensor(np.full((4, 4), 0.25, np.float32), True)
    steps = {name: (lambda y, f=f: f(y, w)) for name, f in BINARY.items()}
    steps |= functions
    return {name: (lambda s=s: time_chain(s, x, upstream)) for name, s in steps.items()}


def _per_op_tinygraph(name: str) -> Measurement:
    import tinygraph as tg

    functions = {
        "exp": lambda y: tg.exp(y),
        "tanh": lambda y: tg.tanh(y),
        "relu": lambda y: tg.relu(y),
    }
    return _chains(
        lambda a, g: tg.tensor(a, requires_grad=g), np.ones((4, 4), np.float32), functions
    )[name]()


def _per_op_torch(name: str) -> Measurement:
    import torch

    functions = {"exp": torch.exp, "tanh": torch.tanh, "relu": torch.relu}
    return _chains(lambda a, g: torch.tensor(a, requires_grad=g), torch.ones(4, 4), functions)[
        name
    ]()


for _op in (*BINARY, "tanh", "relu"):
    workload(f"op {_op}, 4×4", "tinygraph")(lambda n=_op: _per_op_tinygraph(n))
    workload(f"op {_op}, 4×4", "torch")(lambda n=_op: _per_op_torch(n))


# ---- a training step of a tiny MLP ---------------------------------------------------------------


def _step_data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 2)).astype(np.float32)
    return x, np.sign(x[:, :1] * x[:, 1:]).astype(np.float32)


def time_steps(step: Callable[[], None], count: int = 300, warm_up: int = 50) -> float:
    for _ in range(warm_up):
        step()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


@workload("MLP 2-16-16-1 step, 100 points", "tinygraph")
def _mlp_tinygraph() -> Measurement:
    import tinygraph as tg
    from tinygraph import nn

    x, y = map(tg.tensor, _step_data())
    model = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 16) >> nn.ReLU() >> nn.Linear(16, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05)

    def step() -> None:
        optimizer.zero_grad()
        loss = tg.relu(1 - y * model(x)).mean()
        loss.backward()
        optimizer.step()

    return {"seconds": time_steps(step)}


@workload("MLP 2-16-16-1 step, 100 points", "torch")
def _mlp_torch() -> Measurement:
    import torch

    nn = torch.nn
    x, y = map(torch.tensor, _step_data())
    model = nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def step() -> None:
        optimizer.zero_grad()
        loss = torch.relu(1 - y * model(x)).mean()
        loss.backward()
        optimizer.step()

    return {"seconds": time_steps(step)}


@workload("MLP 2-16-16-1 step, 100 points", "autograd")
def _mlp_autograd() -> Measurement:
    import autograd.numpy as anp
    from autograd import grad

    x, y = _step_data()
    weights = _initial_weights()

    def loss(weights):
        h = x
        for i, (w, b) in enumerate(weights):
            h = anp.dot(h, w.T) + b
            h = anp.maximum(h, 0) if i < 2 else h
        return anp.mean(anp.maximum(1 - y * h, 0))

    gradient = grad(loss)

    def step() -> None:
        for (w, b), (gw, gb) in zip(weights, gradient(weights), strict=True):
            w -= 0.05 * gw
            b -= 0.05 * gb

    return {"seconds": time_steps(step)}


@workload("MLP 2-16-16-1 step, 100 points", "mygrad")
def _mlp_mygrad() -> Measurement:
    import mygrad as mg

    x, y = _step_data()
    weights = [(mg.tensor(w), mg.tensor(b)) for w, b in _initial_weights()]

    def step() -> None:
        h = x
        for i, (w, b) in enumerate(weights):
            h = mg.matmul(h, w.T) + b
            h = mg.maximum(h, 0) if i < 2 else h
        mg.mean(mg.maximum(1 - y * h, 0)).backward()
        for w, b in weights:
            w.data -= 0.05 * w.grad
            b.data -= 0.05 * b.grad
            w.null_grad()
            b.null_grad()

    return {"seconds": time_steps(step)}


@workload("MLP 2-16-16-1 step, 100 points", "micrograd")
def _mlp_micrograd() -> Measurement:
    from micrograd.nn import MLP

    x, y = _step_data()
    model = MLP(2, [16, 16, 1])

    def step() -> None:
        scores = [model(row) for row in x.tolist()]
        losses = [(1 - label * s).relu() for label, s in zip(y[:, 0].tolist(), scores, strict=True)]
        loss = sum(losses) * (1 / len(losses))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad

    return {"seconds": time_steps(step, count=3, warm_up=1)}


def _initial_weights() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(1)
    sizes = [(16, 2), (16, 16), (1, 16)]
    return [
        (rng.uniform(-0.3, 0.3, s).astype(np.float32), np.zeros(s[0], np.float32)) for s in sizes
    ]


def main() -> None:
    name, contestant = sys.argv[1:]
    print(json.dumps(WORKLOADS[name, contestant]()))


if __name__ == "__main__":
    main()
