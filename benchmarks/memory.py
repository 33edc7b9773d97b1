"""Is memory flat over a long training? ``python -m benchmarks.memory [STEPS]``.

Trains with the garbage collector off, prints resident memory along the way, and then
counts what the collector finds.
"""

from __future__ import annotations

import gc
import sys

import numpy as np

import tinygraph as tg
from tinygraph import nn

from .million import resident


def main(steps: int = 10_000) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 8)).astype(np.float32)
    labels = rng.integers(0, 3, 64)
    model = nn.Linear(8, 32) >> nn.GELU() >> nn.Linear(32, 3)
    optimizer = tg.optim.Adam(model.parameters())
    gc.collect()
    gc.disable()
    for step in range(steps):
        loss = nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % (steps // 10) == steps // 10 - 1:
            print(f"step {step + 1:6d}  resident {resident() / 2**20:7.2f} MiB  loss {loss:.4f}")
    del loss
    print(f"the collector finds {gc.collect()} objects")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
