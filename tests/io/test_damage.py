"""Damaged files: a CheckpointError, or exactly what was saved; nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

safetensors = pytest.importorskip("safetensors.numpy")

COUNT = 20_000 if os.environ.get("TINYGRAPH_FULL") == "1" else 2_000


def sources(folder: Path) -> list[bytes]:
    """Files of several kinds: ours, large and small, and of other programs."""
    model = nn.Linear(2, 3) >> nn.Linear(3, 1)
    optimizer = tg.optim.Adam(model.parameters())
    model(tg.ones(2, 2)).sum().backward()
    optimizer.step()
    extra = {"a": (1, 2.5, None), "b": np.arange(3)}
    mixed = {"half": np.ones(3, np.float16), "flag": np.array([True, False]), "n": np.array(7)}
    tg.save(model, folder / "0", optimizer, epoch=1, generator=tg.Generator(0), extra=extra)
    tg.save(model, folder / "1")
    tg.save({"x": np.arange(200.0), **mixed}, folder / "2")
    safetensors.save_file({"y": np.arange(50, dtype=np.int32), **mixed}, folder / "3")
    return [(folder / str(i)).read_bytes() for i in range(4)]


def mutated(files: list[bytes], r: np.random.Generator) -> bytes:
    """Return a file with one kind of damage."""
    data = bytearray(files[r.integers(len(files))])
    other = files[r.integers(len(files))]
    header = 8 + int.from_bytes(data[:8], "little")
    end = len(data) if r.random() < 0.5 else header
    at = int(r.integers(end))
    match r.integers(9):
        case 0 | 1:  # flipped bits
            for i in r.integers(end, size=r.integers(1, 9)):
                data[i] ^= 1 << int(r.integers(8))
        case 2:  # other bytes
            data[at : at + 8] = r.bytes(len(data[at : at + 8]))
        case 3:  # cut off
            del data[at:]
        case 4:  # a piece is missing
            del data[at : at + int(r.integers(1, 100))]
        case 5:  # a piece stands twice
            data[at:at] = data[at : at + int(r.integers(1, 100))]
        case 6:  # the header of another file
            data[:header] = other[: 8 + int.from_bytes(other[:8], "little")]
        case 7:  # a number of the header changed, or a lie about its length
            digits = [i for i in range(8, header) if chr(data[i]).isdigit()]
            data[digits[r.integers(len(digits))]] = ord(str(r.integers(10)))
            if r.random() < 0.2:
                data[:8] = int(r.integers(2**63)).to_bytes(8, "little")
        case 8:  # a piece of another file
            piece = other[at : at + int(r.integers(1, 300))]
            data[at : at + len(piece)] = piece
    return bytes(data)


def content(checkpoint: tg.Checkpoint) -> str:
    arrays = {k: (a.dtype.str, a.shape, a.tobytes()) for k, a in sorted(checkpoint.items())}
    rest = [getattr(checkpoint, p) for p in ("optimizer", "epoch", "generator", "extra")]
    return repr((arrays, rest))


def test_random_damage(tmp_path):
    """A load is that of an undamaged file of ours, or of a file that is another program's."""
    r = np.random.default_rng(0)
    files = sources(tmp_path)
    exact = {content(tg.load(tmp_path / str(i))) for i in range(4)}
    path, outcomes = tmp_path / "mutated", {"error": 0, "exact": 0, "of another": 0}
    target = nn.Linear(2, 3) >> nn.Linear(3, 1)
    optimizer = tg.optim.Adam(target.parameters())
    before = repr(target.state_dict())
    for _ in range(COUNT):
        data = mutated(files, r)
        path.write_bytes(data)
        try:
            checkpoint = tg.load(path)
        except tg.CheckpointError:
            outcomes["error"] += 1
            with pytest.raises(tg.CheckpointError):
                tg.load(path, target, optimizer)
            continue
        if content(checkpoint) in exact:
            outcomes["exact"] += 1
            continue
        header = data[: 8 + int.from_bytes(data[:8], "little")]
        assert b"tinygraph" not in header
        theirs = safetensors.load(data)
        assert {k: v.tobytes() for k, v in theirs.items()} == {
            k: v.tobytes() for k, v in checkpoint.items()
        }
        outcomes["of another"] += 1
    assert repr(target.state_dict()) == before and not optimizer.state_dict()["state"]
    assert outcomes["error"] > 0.7 * COUNT and min(outcomes.values()) > 0, outcomes


def test_every_single_bit_of_a_small_file_counts(tmp_path):
    """Also in the length, the checksum and the padding."""
    tg.save({"w": np.ones(2, np.float32)}, tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    for i in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[i // 8] ^= 1 << i % 8
        (tmp_path / "m").write_bytes(flipped)
        with pytest.raises(tg.CheckpointError):
            tg.load(tmp_path / "m")


def test_every_truncation_of_a_small_file(tmp_path):
    for save in (tg.save, safetensors.save_file):
        save({"w": np.ones(2, np.float32), "n": np.array(3)}, tmp_path / "m")
        data = (tmp_path / "m").read_bytes()
        for piece in [*(data[:i] for i in range(len(data))), data + b"\0", data + data]:
            (tmp_path / "m").write_bytes(piece)
            with pytest.raises(tg.CheckpointError):
                tg.load(tmp_path / "m")
