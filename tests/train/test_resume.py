"""A run that was stopped and went on is, bit for bit, the run that never stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.train import Checkpoint, EarlyStopping, LambdaCallback, ScheduleCallback

pytest.importorskip("safetensors")

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(50, 3)), RNG.integers(0, 3, 50)
EPOCHS = 4


class Noisy(tg.data.TensorDataset):
    """Draws noise from a generator of its own, as augmentations do."""

    def __init__(self, *arrays):
        super().__init__(*arrays)
        self.noise = tg.Generator(9)

    def batch(self, rows):
        x, y = super().batch(rows)
        return x + 0.1 * self.noise.numpy.normal(size=x.shape), y


def build(seed=0):
    tg.manual_seed(seed)
    own = nn.Dropout(0.2, generator=tg.Generator(4))
    return nn.Linear(3, 8) >> nn.BatchNorm1d(8) >> nn.Tanh() >> nn.Dropout(0.3) >> own >> (
        nn.Linear(8, 3)
    )  # fmt: skip


def run(model, path=None, resume=False, callbacks=(), epochs=EPOCHS, **options):
    settings = {
        "loss": nn.CrossEntropyLoss(label_smoothing=0.1), "optimizer": "adam", "lr": 0.02,
        "batch_size": 8, "metrics": ["accuracy", "perplexity"], "clip": 1.0,
        "validation": tg.data.DataLoader(
            Noisy(X, LABELS), 16, shuffle=True, generator=tg.Generator(3)
        ),
        "schedule": lambda o: tg.optim.ReduceLROnPlateau(o, patience=0, threshold=0.2),
    }  # fmt: skip
    every_batch = ScheduleCallback(lambda o: tg.optim.ExponentialLR(o, 0.99), every="batch")
    return tg.fit(
        model, Noisy(X, LABELS), epochs=epochs, checkpoint=path, resume=resume,
        callbacks=[every_batch, EarlyStopping(patience=1, min_delta=0.02), *callbacks],
        **{**settings, **options},
    )  # fmt: skip


def everything(model, history):
    state = [(name, a.dtype, a.tobytes()) for name, a in model.state_dict().items()]
    rows = [{n: v for n, v in row.items() if n != "seconds"} for row in history]
    return state, rows, tg.rand(2).data.tolist()


def interrupt_at(epoch, batch):
    """Press Ctrl-C in the middle of a batch."""

    def press(run):
        if (run.epoch, run.batch) == (epoch, batch):
            os.kill(os.getpid(), signal.SIGINT)

    return LambdaCallback(on_batch_end=press)


@pytest.fixture(scope="module", params=[1, 3], ids=["each batch", "accumulate 3"])
def whole(request):
    """The run that never stopped."""
    model = build()
    history = run(model, accumulate=request.param, callbacks=[interrupt_at(0, 0)])
    return request.param, everything(model, history)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_stopped_after_an_epoch(whole, tmp_path, epoch):
    accumulate, expected = whole
    path = tmp_path / "run.safetensors"
    run(build(), path, epochs=epoch, accumulate=accumulate, callbacks=[LambdaCallback()])
    model = build(seed=7)
    history = run(model, path, True, accumulate=accumulate, callbacks=[LambdaCallback()])
    assert everything(model, history) == expected


@pytest.mark.parametrize(("epoch", "batch"), [(1, 1), (1, 6), (1, 7), (2, 3), (3, 4), (3, 7)])
def test_interrupted_in_an_epoch(whole, tmp_path, epoch, batch, capsys):
    """Ctrl-C between two updates; and once more on the way."""
    accumulate, expected = whole
    path = tmp_path / "run.safetensors"
    history = run(build(), path, callbacks=[interrupt_at(epoch, batch)], accumulate=accumulate)
    assert history.stopped.startswith("interrupted")
    assert f"training was {history.stopped}" in capsys.readouterr().err
    assert len(history) == epoch - (batch < 7 and not (accumulate == 3 and batch == 7))
    if epoch == 1:
        run(build(1), path, True, callbacks=[interrupt_at(2, 2)], accumulate=accumulate)
    model = build(seed=7)
    history = run(model, path, True, callbacks=[interrupt_at(0, 0)], accumulate=accumulate)
    assert everything(model, history) == expected


def test_written_every_few_batches(whole, tmp_path):
    """A process that dies leaves its last file; here one in each epoch, and at the very end."""
    accumulate, expected = whole
    for at in (3, 7):
        path = tmp_path / f"run{at}.safetensors"

        class Death(Exception):
            pass

        def die(run, at=at, death=Death):
            if (run.epoch, run.batch) == (2, at):
                raise death

        class After(Checkpoint):
            def on_batch_end(self, run, at=at):
                super().on_batch_end(run)
                if (run.epoch, run.batch) == (2, at):
                    raise Death

        with pytest.raises(Death):
            run(
                build(), After(path, batches=3), accumulate=accumulate, callbacks=[LambdaCallback()]
            )
        model = build(seed=7)
        again = After(path, batches=3)
        again.on_batch_end = lambda run: None
        history = run(model, again, True, accumulate=accumulate, callbacks=[LambdaCallback()])
        assert everything(model, history) == expected


SECOND_PROCESS = """
import sys, json
sys.path.insert(0, sys.argv[1])
from test_resume import *
model = build(seed=5)
state, rows, draw = everything(model, run(model, sys.argv[2], True, [interrupt_at(0, 0)]))
print(json.dumps([[bytes.hex(b) for _, _, b in state], rows, draw]))
"""


def test_in_another_process(tmp_path):
    path = tmp_path / "run.safetensors"
    model = build()
    state, rows, draw = everything(model, run(model, callbacks=[interrupt_at(0, 0)]))
    assert "interrupted" in run(build(), path, callbacks=[interrupt_at(2, 4)]).stopped
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", SECOND_PROCESS, here, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    import json

    assert json.loads(done.stdout) == [[b.hex() for _, _, b in state], rows, draw]


LONG_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from test_resume import *
say = LambdaCallback(on_epoch_begin=lambda r: r.epoch == 3 and print("training", flush=True))
data = (X, LABELS)
history = tg.fit(build(), data, loss="cross_entropy", epochs=10**6, checkpoint=sys.argv[2],
                 callbacks=[say])
print(history.stopped)
"""


def test_ctrl_c_from_outside_at_any_moment(tmp_path):
    """A signal of the system into a process that trains: it ends well, and goes on exactly."""
    path = tmp_path / "run.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", LONG_RUN, str(Path(__file__).parent), str(path)],
        stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    while "training" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    try:
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0 and "interrupted" in rest
    checkpoint = tg.load(path)
    assert checkpoint.epoch >= 2 and len(checkpoint.extra["history"]["loss"]) == checkpoint.epoch


STOP_AND_GO = """
import sys
sys.path.insert(0, sys.argv[1])
from test_resume import *
print("ready", flush=True)
model = build()
options = {"loss": "cross_entropy", "batch_size": 8, "epochs": 150 if FULL else 15}
options["validation"] = Noisy(X, LABELS)
path, workers = sys.argv[2], int(sys.argv[3])
h = tg.fit(model, Noisy(X, LABELS), checkpoint=path, resume=True, workers=workers, **options)
assert not h.stopped or h.stopped.startswith("interrupted")
print(len(h) if h.stopped else everything(model, h))
"""


@pytest.mark.parametrize("workers", [1, 2] if FULL else [2])
def test_ctrl_c_at_random_moments_again_and_again(tmp_path, workers):
    """However often a run is interrupted, wherever: in the end it is the run that never was."""
    if workers > 1:
        pytest.importorskip("threadpoolctl")
    here = str(Path(__file__).parent)

    def process(name):
        command = [sys.executable, "-c", STOP_AND_GO, here, str(tmp_path / name), str(workers)]
        started = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert started.stdout is not None and started.stdout.readline() == "ready\n"
        return started

    expected, _ = process("whole").communicate()
    rng, interrupted, reached = random.Random(workers), 0, 0
    while interrupted < (40 if FULL else 1):
        running = process("parts")
        time.sleep(rng.uniform(0.02, 0.1))
        running.send_signal(signal.SIGINT)
        result, _ = running.communicate(timeout=60)
        assert running.returncode in (0, -signal.SIGINT, 1), result  # 1: before fit, or at exit
        if running.returncode == 0 and result.strip().isdigit():
            assert int(result) >= reached
            interrupted, reached = interrupted + 1, int(result)
        elif running.returncode == 0:
            break
    running = process("parts")
    assert running.communicate(timeout=120)[0] == expected


# ---- what else resume says -----------------------------------------------------------------------


def test_resume_true_starts_afresh_without_a_file(tmp_path):
    path = tmp_path / "run.safetensors"
    assert len(run(build(), path, resume=True, epochs=2)) == 2
    assert len(run(build(), path, resume=True, epochs=3)) == 3
    history = run(build(), path, resume=True, epochs=3)
    assert len(history) == 3 and history.stopped == ""


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    path = tmp_path / "run.safetensors"
    model = build()
    first = run(model, path, epochs=50)
    assert "did not improve" in first.stopped and len(first) < 50
    twin = build(3)
    second = run(twin, path, resume=True, epochs=50)
    assert second.stopped == first.stopped and len(second) == len(first)
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, twin.state_dict()[name])


def test_what_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "run.safetensors"
    run(build(), path, callbacks=[interrupt_at(2, 3)])
    model = build(2)
    before = everything(model, [])
    stop = interrupt_at(0, 0)
    with pytest.raises(tg.CheckpointError, match=r"callbacks.*Fix: the same ones"):
        run(model, path, True)
    with pytest.raises(tg.CheckpointError, match=r"middle of an epoch.*Fix: the same"):
        run(model, path, True, callbacks=[stop], batch_size=16)
    with pytest.raises(tg.CheckpointError, match="4 generators, given are 3"):
        run(nn.Linear(3, 3), path, True, callbacks=[stop])
    with pytest.raises(tg.CheckpointError, match="middle of an epoch"):
        run(model, path, True, callbacks=[stop], metrics=["accuracy"])
    with pytest.raises(tg.CheckpointError, match="does not fit"):
        run(model, path, True, callbacks=[stop], optimizer="sgd")
    optimizer = tg.optim.Adam(model.parameters(), lr=0.5)
    schedule = tg.optim.StepLR(optimizer, 1)
    with pytest.raises(tg.CheckpointError, match=r"does not fit this run.*StepLR"):
        run(model, path, True, callbacks=[stop], optimizer=optimizer, lr=None, schedule=schedule)
    assert optimizer.param_groups[0]["lr"] == 0.5 and schedule.last_epoch == 0
    assert not optimizer.state_dict()["state"]
    optimizer.close()
    state = {name: a.tobytes() for name, a in model.state_dict().items()}
    assert {name: b for name, _, b in before[0]} == state
    other = tmp_path / "plain.safetensors"
    tg.save(model, other)
    with pytest.raises(tg.CheckpointError, match=r"not written by fit"):
        run(model, other, True, callbacks=[stop])
    with pytest.raises(tg.MissingCheckpointError, match="no file"):
        run(model, resume=tmp_path / "none")
    with pytest.raises(tg.UsageError, match="resume=True"):
        run(model, resume=True)
    with pytest.raises(tg.UsageError, match="resume is True, False"):
        run(model, path, resume=3)
    with pytest.raises(tg.CheckpointError, match="no folder"):
        run(model, tmp_path / "no" / "where")


def test_going_on_from_a_file_without_writing_one(tmp_path):
    path = tmp_path / "run.safetensors"
    whole = build()
    wanted = everything(whole, run(whole, epochs=4))
    run(build(), path, epochs=2)
    written = path.read_bytes()
    model = build(seed=9)
    assert everything(model, run(model, resume=path, epochs=4)) == wanted
    assert path.read_bytes() == written


def test_the_best_model_has_a_file_of_its_own(tmp_path):
    both = Checkpoint(tmp_path / "last", best=tmp_path / "best", monitor="val_accuracy", every=3)
    history = run(build(), both, epochs=5)
    best = history.best("val_accuracy")
    assert tg.load(tmp_path / "best").epoch == best["epoch"]
    assert tg.load(tmp_path / "last").epoch == len(history)
    with pytest.raises(tg.UsageError, match="needs a path"):
        Checkpoint()


def test_a_second_ctrl_c_does_not_wait(tmp_path, capsys):
    def press_twice(run):
        if run.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    path = tmp_path / "run"
    model = build()
    history = run(model, path, callbacks=[LambdaCallback(on_batch_end=press_twice)])
    assert "at once" in history.stopped and len(history) == 1
    assert tg.load(path).epoch == 1 and tg.load(path).extra["partial"] is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert model.training and "at once" in capsys.readouterr().err


def test_ctrl_c_in_other_threads_and_with_handlers_of_ones_own(capsys):
    """KeyboardInterrupt then comes at once; fit still returns what it has."""
    import threading

    results = []

    def raising(run):
        if run.epoch == 2:
            raise KeyboardInterrupt

    def target():
        results.append(run(build(), callbacks=[LambdaCallback(on_batch_end=raising)]))

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    assert len(results[0]) == 1 and "interrupted in epoch 2" in results[0].stopped
    assert "interrupted" in capsys.readouterr().err
