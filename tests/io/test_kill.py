"""Saving that is interrupted, at any moment and in any way, leaves the old or the new file."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from stat import S_ISDIR

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.io import checkpoint, files

pytest.importorskip("safetensors")

KILLS = 200 if os.environ.get("TINYGRAPH_FULL") == "1" else 20

SAVING = """
import sys
import numpy as np
import tinygraph as tg
path, start = sys.argv[1], int(sys.argv[2])
for i in range(start, start + 10**9):
    state = {"a": np.full(400_000, float(i)), "b": np.full(7, i)}
    tg.save(state, path, epoch=i, extra=[i] * 9)
    print(i, flush=True)
"""


def whole(path):
    """Return the number of the save that this file is, after a check of all of it."""
    back = tg.load(path)
    number = back.epoch
    assert (back["a"] == number).all() and (back["b"] == number).all()
    assert back["a"].size == 400_000 and back.extra == [number] * 9 and set(back) == {"a", "b"}
    return number


def test_kill_at_a_random_moment(tmp_path):
    path, last, torn = tmp_path / "m", -1, 0
    for kill in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING, str(path), str(last + 1)], stdout=subprocess.PIPE
        )
        with process:
            process.stdout.readline()  # it is at work: the first save is done
            time.sleep(random.Random(kill).uniform(0, 0.04))
            process.kill()
            printed = process.stdout.read().split()
        done = int(printed[-1]) if printed else last + 1
        number = whole(path)
        assert done <= number <= done + 1  # the new one, or the one before
        last = number
        leftovers = [p for p in tmp_path.iterdir() if p != path]
        torn += bool(leftovers)
        for leftover in leftovers:
            leftover.unlink()
    assert torn > KILLS // 4, "most kills should come while a file is written"


class PowerCutError(BaseException):
    """As a KeyboardInterrupt: not an Exception."""


STEPS = {
    "making the file": (files.os, "open"),
    "writing": ("safetensors.numpy", "save_file"),
    "the checksum": (checkpoint, "seal"),
    "reading back": ("tinygraph.io.checksum", "read_header"),
    "flushing": (files.os, "fsync"),
    "permissions": (files.os, "chmod"),
    "moving": (files.os, "replace"),
}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PowerCutError()])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_an_error_at_any_step(tmp_path, monkeypatch, step, when, error):
    owner, name = STEPS[step]
    owner = pytest.importorskip(owner) if isinstance(owner, str) else owner
    work = getattr(owner, name)

    def broken(*args, **kwargs):
        if when == "after":
            work(*args, **kwargs)
        raise error

    path = tmp_path / "m"
    tg.save({"w": np.ones(2)}, path)
    with monkeypatch.context() as m:
        m.setattr(owner, name, broken)
        kind = tg.CheckpointError if isinstance(error, OSError) else PowerCutError
        with pytest.raises(kind) as caught:
            tg.save({"w": np.full(2, 2.0)}, path)
    if kind is tg.CheckpointError:
        assert "No space left" in str(caught.value) and repr(str(path)) in str(caught.value)
    moved = step == "moving" and when == "after"
    assert tg.load(path)["w"].tolist() == ([2, 2] if moved else [1, 1])
    if not (step == "making the file" and when == "after"):
        assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_content_is_on_the_disk_before_the_move_and_the_move_after(tmp_path, monkeypatch):
    calls = []
    kinds = {"fsync": lambda handle: "folder" if S_ISDIR(os.fstat(handle).st_mode) else "file"}
    for name in ("fsync", "replace"):
        work, kind = getattr(os, name), kinds.get(name, lambda *args: "")

        def noted(*args, name=name, work=work, kind=kind):
            calls.append(f"{name} {kind(*args)}".strip())
            return work(*args)

        monkeypatch.setattr(os, name, noted)
    tg.save({"w": np.ones(2)}, tmp_path / "m")
    assert [c for c in calls if c != "fsync folder"] == ["fsync file", "replace"]
    assert os.name != "posix" or calls[-1] == "fsync folder"


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path, monkeypatch):
    """Windows opens no folders; some network file systems flush none."""
    work = os.open

    def on_files_only(path, *args):
        if os.path.isdir(path):
            raise PermissionError("a folder")
        return work(path, *args)

    monkeypatch.setattr(os, "open", on_files_only)
    tg.save({"w": np.ones(2)}, tmp_path / "m")
    assert (tg.load(tmp_path / "m")["w"] == 1).all()


def test_a_full_disk(tmp_path):
    resource = pytest.importorskip("resource")
    code = """
import resource, sys
import numpy as np
import tinygraph as tg
tg.save({"w": np.ones(10)}, sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    tg.save({"w": np.zeros(100_000)}, sys.argv[1])
except tg.CheckpointError as error:
    print(error)
"""
    assert resource
    command = [sys.executable, "-c", code, str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "What was there before is unchanged" in done.stdout
    assert tg.load(tmp_path / "m")["w"].sum() == 10 and len(list(tmp_path.iterdir())) == 1


def test_two_threads_save_to_one_path(tmp_path):
    import threading

    def work(number):
        for _ in range(20):
            tg.save({"a": np.full(1000, number)}, tmp_path / "m", epoch=number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if (tmp_path / "m").exists():
            back = tg.load(tmp_path / "m")
            assert (back["a"] == back.epoch).all()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.iterdir())) == 1
