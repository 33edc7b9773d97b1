"""A million nodes on a thread with a small stack: ``python -m benchmarks.million [NODES]``.

Builds a chain and a random graph, differentiates and frees them with a recursion limit of
200 and a stack of 1 MiB (256 KiB with --small-stack), and reports bytes per node.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import random
import resource
import sys
import threading
import time

import numpy as np


def chain(one, nodes: int):
    """Return a chain of adds."""
    y = one
    for _ in range(nodes):
        y = y + one
    return y


def random_graph(one, nodes: int):
    """Return a graph that alternates adding a random recent node and shrinking."""
    rng = random.Random(0)
    made = [one]
    for i in range(nodes):
        recent = made[rng.randrange(max(0, i - 1000), i + 1)]
        made.append(made[-1] * 0.4 if i % 2 else made[-1] + recent)
    return made[-1]


def resident() -> int:
    """Return the resident memory in bytes (Linux; elsewhere the peak)."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(title: str, build, leaf, upstream, nodes: int) -> None:
    """Print times and memory of one graph."""
    gc.collect()
    before = resident()
    start = time.perf_counter()
    y = build(leaf, nodes)
    built = time.perf_counter()
    grown = resident() - before
    y.backward(upstream)
    differentiated = time.perf_counter()
    del y
    freed = time.perf_counter()
    print(
        f"{title:<26} build {built - start:5.2f} s  backward {differentiated - built:5.2f} s  "
        f"free {freed - differentiated:5.2f} s  total {freed - start:5.2f} s  "
        f"{grown / nodes:6.0f} bytes a node"
    )
    leaf.grad = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--small-stack", action="store_true")
    parser.add_argument("--peer", action="store_true", help="measure PyTorch instead")
    options = parser.parse_args()

    def work() -> None:
        sys.setrecursionlimit(200)
        leaf, upstream = leaves
        measure("chain", chain, leaf, upstream, options.nodes)
        measure("random graph", random_graph, leaf, upstream, options.nodes)

    leaves = _torch_leaves() if options.peer else _tinygraph_leaves()
    threading.stack_size((256 if options.small_stack else 1024) * 1024)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _tinygraph_leaves():
    import tinygraph as tg

    return tg.ones(4, requires_grad=True), np.ones(4, np.float32)


def _torch_leaves():
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed.")
    import torch

    return torch.ones(4, requires_grad=True), torch.ones(4)


if __name__ == "__main__":
    main()
