"""Long runs and many threads: flat memory, nothing for the collector, equal results."""

from __future__ import annotations

import gc
import os
import threading
import tracemalloc

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
STEPS = 10_000 if FULL else 600
X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:] > 0).astype(np.float32)
LABELS = Y[:, 0].astype(int)


def build(seed):
    """A model from a generator of its own: threads share tinygraph's."""
    generator = tg.Generator(seed)
    model = nn.Linear(2, 8) >> nn.Tanh() >> nn.Linear(8, 2)
    for p in model.parameters():
        nn.init.uniform_(p, -0.5, 0.5, generator)
    return model


@pytest.mark.parametrize("make", [tg.optim.SGD, tg.optim.Adam])
def test_memory_stays_flat_with_the_collector_off(make):
    model = build(0)
    optimizer = make(model.parameters(), lr=0.01)

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X), LABELS)
            loss.backward()
            optimizer.step()
            with tg.no_grad():
                model(X)
        return loss.item()

    first = train(50)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        train(20)
        gc.collect()  # empties Python's free lists too, which grow for a while
        start = tracemalloc.get_traced_memory()[0]
        last = train(STEPS)
        found = collected_of_ours()
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
        gc.enable()
    assert last < first
    assert not found
    assert grown < 30_000, f"{grown} bytes more after {STEPS} steps"


def collected_of_ours():
    """Run the collector and return what it found of tinygraph's classes, or arrays."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [
            type(x).__name__
            for x in gc.garbage
            if type(x).__module__.startswith("tinygraph") or isinstance(x, np.ndarray)
        ]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def test_models_and_optimizers_leave_nothing_for_the_collector():
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model = build(0)
            optimizer = tg.optim.AdamW([{"params": model.parameters(), "lr": 0.1}])
            nn.functional.mse_loss(model(X), np.zeros((20, 2), np.float32)).backward()
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
            print(model, optimizer)
            del model, optimizer
        assert not collected_of_ours()
    finally:
        gc.enable()


def test_failed_calls_leave_nothing_for_the_collector_either():
    model = build(0)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            try:
                model(X[:, :1])
            except tg.ShapeError as error:
                text = str(error)
        assert "(20, 1)" in text
        assert not collected_of_ours()
    finally:
        gc.enable()


def job(number):
    """Train, evaluate without recording in between, and return losses, outputs and paths."""
    model = build(number)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    record = []
    for step in range(60 if FULL else 25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), LABELS)
        loss.backward()
        optimizer.step()
        if (step + number) % 3 == 0:
            with tg.no_grad():
                out = model.eval()(X)
                assert not out.requires_grad and not tg.is_grad_enabled()
                with tg.enable_grad():
                    assert model(X).scope.path == "2"
            model.train()
        assert tg.is_grad_enabled()
        record.append(loss.item())
    return record, [p.data.copy() for p in model.parameters()]


def test_eight_threads_give_the_serial_results():
    serial = [job(i) for i in range(8)]
    results = [None] * 8
    barrier = threading.Barrier(8)

    def run(i):
        barrier.wait()
        results[i] = job(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (losses, parameters), (losses_here, parameters_here) in zip(serial, results, strict=True):
        assert losses == losses_here
        for a, b in zip(parameters, parameters_here, strict=True):
            np.testing.assert_array_equal(a, b)


def test_eight_threads_evaluate_one_model_while_others_register():
    model = build(0)
    expected = model(X).data.copy()
    stop, problems = threading.Event(), []

    def register():
        while not stop.is_set():
            nn.ReLU() >> nn.Tanh()

    def evaluate(i):
        for _ in range(50):
            with tg.no_grad() if i % 2 else tg.enable_grad():
                out = model(X)
                if not np.array_equal(out.data, expected) or out.requires_grad != (i % 2 == 0):
                    problems.append(i)
                if out.requires_grad and out.scope.path != "2":
                    problems.append(out.scope.path)

    workers = [threading.Thread(target=evaluate, args=(i,)) for i in range(8)]
    noise = threading.Thread(target=register)
    for thread in (noise, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    noise.join()
    assert not problems


def test_a_small_network_learns_xor():
    tg.manual_seed(0)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0])
    model = nn.Linear(2, 8) >> nn.Tanh() >> nn.Linear(8, 2)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05 and (model(x).data.argmax(1) == y).all()
