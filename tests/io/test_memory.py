"""A hostile file takes no more memory than twice its size, whatever it promises."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

pytest.importorskip("safetensors")

MIB = 2**20
ENTRY = b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
HUNGRY = {
    "tensors without content": b",".join(ENTRY % i for i in range(60_000)),
    "empty lists": b'"a":[' + b",".join([b"[]"] * 1_000_000) + b"]",
    "empty objects": b'"a":[' + b",".join([b"{}"] * 1_000_000) + b"]",
    "one text": b'"__metadata__":{"a":"' + b"x" * 3_000_000 + b'"}',
    "one text with a balloon": '"__metadata__":{{"🎈":"{}"}}'.format("x" * 3_000_000).encode(),
}


@pytest.mark.parametrize("times", [0, 12, 41])
@pytest.mark.parametrize("case", HUNGRY)
def test_memory_stays_below_twice_the_file(tmp_path, case, times):
    """A header of 3 MiB with 41 times as much data behind is parsed; others are not."""
    text = b"{" + HUNGRY[case][: 3 * MIB if times else None] + b"}"
    size = max(8 + len(text), times * len(text))
    assert peak_of(written(tmp_path / "m", text, size)) < 2 * size + MIB


@pytest.mark.parametrize("case", HUNGRY)
def test_memory_of_small_files_is_bounded(tmp_path, case):
    """Python objects are larger than their JSON; a header of 1 MiB is always parsed."""
    text = b"{" + HUNGRY[case][: MIB - 2] + b"}"
    assert peak_of(written(tmp_path / "m", text, 8 + len(text))) < 40 * MIB


def written(path, text, size):
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(size)
    return path


def peak_of(path, **targets):
    tracemalloc.start()
    try:
        tg.load(path, **targets)
    except tg.CheckpointError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def test_memory_of_whole_files(tmp_path):
    model = nn.Linear(1000, 500)
    optimizer = tg.optim.Adam(model.parameters())
    model(tg.ones(1, 1000)).sum().backward()
    optimizer.step()
    for targets in ({"model": model}, {"model": model, "optimizer": optimizer}):
        tg.save(path=tmp_path / "m", **targets)
        size = (tmp_path / "m").stat().st_size
        assert peak_of(tmp_path / "m") < 1.1 * size
        assert peak_of(tmp_path / "m", **targets) < 2.1 * size
    tg.save({"flags": np.ones(2 * MIB, bool)}, tmp_path / "m")
    assert peak_of(tmp_path / "m") < 2.1 * (tmp_path / "m").stat().st_size


def test_headers_of_ten_thousand_tensors_are_read(tmp_path):
    state = {f"blocks.{i}.weight": np.zeros(1, np.float32) for i in range(10_000)}
    tg.save(state, tmp_path / "m")
    assert len(tg.load(tmp_path / "m")) == 10_000
