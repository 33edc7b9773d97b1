"""Files move between tinygraph and PyTorch, in both directions, by safetensors' own readers."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("safetensors.torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]


def networks():
    ours = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
    other = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    return ours, other


def bits(state):
    return {k: (str(v.dtype), v.shape, v.tobytes()) for k, v in state.items()}


@pytest.mark.parametrize("with_optimizer", [False, True])
def test_our_file_in_theirs(tmp_path, with_optimizer):
    ours, other = networks()
    optimizer = tg.optim.Adam(ours.parameters())
    ours(tg.ones(2, 3)).sum().backward()
    optimizer.step()
    tg.save(ours, tmp_path / "m.safetensors", optimizer if with_optimizer else None, epoch=1)
    loaded = theirs.load_file(tmp_path / "m.safetensors")
    weights = {k: v for k, v in loaded.items() if not k.startswith("__tinygraph__/")}
    assert with_optimizer == (len(weights) < len(loaded))
    other.load_state_dict(weights)
    state = {k: v.numpy() for k, v in other.state_dict().items()}
    assert bits(state) == bits(ours.state_dict())
    if not with_optimizer:
        theirs.load_model(other, tmp_path / "m.safetensors")  # strict


def test_their_file_in_ours(tmp_path):
    ours, other = networks()
    theirs.save_file(other.state_dict(), tmp_path / "m.safetensors", {"format": "pt"})
    checkpoint = tg.load(tmp_path / "m.safetensors", model=ours)
    state = {k: v.numpy() for k, v in other.state_dict().items()}
    assert bits(state) == bits(ours.state_dict()) and checkpoint.metadata == {"format": "pt"}
    theirs.save_model(other, tmp_path / "m.safetensors")
    tg.load(tmp_path / "m.safetensors", model=ours)


DTYPES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)], ids=str)
def test_dtypes(tmp_path, dtype, shape):
    array = np.asarray(10 * np.random.default_rng(0).random(shape)).astype(dtype)
    tg.save({"x": array}, tmp_path / "m")
    tensor = theirs.load_file(tmp_path / "m")["x"]
    assert bits({"x": tensor.numpy()}) == bits({"x": array})
    theirs.save_file({"x": tensor}, tmp_path / "m")
    assert bits(tg.load(tmp_path / "m")) == bits({"x": array})


def test_bfloat16_is_refused_with_the_fix(tmp_path):
    theirs.save_file({"x": torch.ones(3, dtype=torch.bfloat16)}, tmp_path / "m")
    with pytest.raises(tg.CheckpointError, match=r"'BF16'.*Fix: tensor\.to\(torch\.float32\)"):
        tg.load(tmp_path / "m")


def test_metadata_is_readable_for_all(tmp_path):
    tg.save(nn.Linear(2, 1), tmp_path / "m", epoch=3)
    with pytest.importorskip("safetensors").safe_open(tmp_path / "m", "pt") as file:
        assert set(file.metadata()) == {"tinygraph", "tinygraph.sha256"}
