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


def main() -> None:
    name, contestant = sys.argv[1:]
    print(json.dumps(WORKLOADS[name, contestant]()))


if __name__ == "__main__":
    main()
