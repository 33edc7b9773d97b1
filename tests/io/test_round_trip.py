"""What is saved comes back exactly: arrays, state, plain data; the file is a good citizen."""

from __future__ import annotations

import json
import math
import os
import stat
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygraph as tg
from tinygraph import nn
from tinygraph.io.packing import pack, unpack

safetensors = pytest.importorskip("safetensors.numpy")

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
SHAPES = [(), (1,), (3,), (2, 3), (0,), (0, 3), (3, 0, 2), (2, 1, 3, 2)]


def same(a, b):
    """Equal in type and value, bit for bit."""
    if isinstance(a, np.ndarray | np.generic):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and bits(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)  # tells -0.0 from 0.0, and knows nan


def bits(a, b):
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


# ---- the model's tensors -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape(tmp_path, dtype):
    r = np.random.default_rng(0)
    state = {str(s): np.asarray(100 * r.random(s)).astype(dtype) for s in SHAPES}
    tg.save(state, tmp_path / "m.safetensors")
    for back in (
        tg.load(tmp_path / "m.safetensors"),
        safetensors.load_file(tmp_path / "m.safetensors"),
    ):
        assert set(back) == set(state)
        assert all(same(state[k], back[k]) for k in state)


def test_the_layout_in_memory_does_not_matter(tmp_path):
    a = np.arange(24.0).reshape(2, 3, 4)
    state = {
        "transposed": a.T, "strided": a[:, ::2, ::-1], "repeated": np.broadcast_to(a[0, 0], (3, 4)),
        "fortran": np.asfortranarray(a), "swapped": a.astype(">f4"),
        "unaligned": np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float64),
    }  # fmt: skip
    tg.save(state, tmp_path / "m")
    for back in (tg.load(tmp_path / "m"), safetensors.load_file(tmp_path / "m")):
        for name, value in state.items():
            np.testing.assert_array_equal(back[name], value)
    assert all(
        array.flags.writeable and array.flags.aligned for array in tg.load(tmp_path / "m").values()
    )


def test_extreme_values(tmp_path):
    state = {
        d: np.array([np.nan, np.inf, -np.inf, -0.0, np.finfo(d).tiny / 2, np.finfo(d).max], d)
        for d in ("f2", "f4", "f8")
    }
    tg.save(state, tmp_path / "m")
    assert all(same(state[d], v) for d, v in tg.load(tmp_path / "m").items())


def test_tensors_numbers_and_any_printable_name(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    state = {"x": x * 2, "ü.λ 🎈": np.float64(3), "": 7, 'a"b\\c': True, "f": 0.5, "x" * 500: x}
    tg.save(state, tmp_path / "m")
    back = tg.load(tmp_path / "m")
    assert back["x"].tolist() == [2, 4] and back["f"].dtype == np.float32
    assert back["ü.λ 🎈"] == 3 and back[""] == 7 and back['a"b\\c'].dtype == bool
    assert set(back) == set(state)


def test_nothing_at_all(tmp_path):
    tg.save({}, tmp_path / "m")
    assert tg.load(tmp_path / "m") == {} and safetensors.load_file(tmp_path / "m") == {}
    tg.load(tmp_path / "m", model=nn.ReLU())


def test_a_model_gets_its_values_in_place(tmp_path):
    tg.manual_seed(0)
    a, b = (nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 1) for _ in range(2))
    weight, memory = b[0].weight, b[0].weight.data
    tg.save(a, tmp_path / "m")
    checkpoint = tg.load(tmp_path / "m", model=b)
    assert b[0].weight is weight and b[0].weight.data is memory
    assert all(same(v, b.state_dict()[k]) for k, v in a.state_dict().items())
    assert list(checkpoint) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    checkpoint["0.bias"][:] = 7
    assert not (b[0].bias.data == 7).any()


def test_a_loaded_dict_is_a_state_dict(tmp_path):
    a, b = nn.Linear(2, 3), nn.Linear(2, 3)
    tg.save(a.state_dict(), tmp_path / "m")
    b.load_state_dict(tg.load(tmp_path / "m"))
    assert same(a.weight.data, b.weight.data)


# ---- the rest ----------------------------------------------------------------------------------

PLAIN = {
    "none": None, "yes": True, "int": -(2**200), "float": 0.1, "nan": math.nan, "inf": math.inf,
    "minus": [-math.inf, -0.0], "text": 'λ "\\ \ud800 🎈', "tuple": (1, (2.0, [])), "empty": {},
    "ints": {1: "a", "1": "b", -5: ()}, "$tuple": [1], "nested": {"$array": "x", "b": [{}, [[]]]},
    "array": np.arange(6).reshape(2, 3).T, "scalar": np.float32(0.1), "flag": np.bool_(True),
    "f8": np.float64(0.1), "0-d": np.array(5), "none left": np.zeros((0, 2)),
    "a": {"b/c": np.ones(1)}, "a/b": {"c": np.zeros(1)}, 'k"\n\ud800': np.ones(2, np.float16),
    "same name": {0: np.zeros(1), "0": np.ones(1), "0+": np.full(1, 2.0)},
}  # fmt: skip


def test_extra_comes_back_exactly(tmp_path):
    tg.save({"w": np.ones(2)}, tmp_path / "m", extra=PLAIN)
    back = tg.load(tmp_path / "m")
    assert same(back.extra, {**PLAIN, "array": np.ascontiguousarray(PLAIN["array"])})
    assert list(back) == ["w"] and back.metadata == {}
    assert (back.optimizer, back.schedule, back.epoch, back.generator) == (None,) * 4


ARRAYS = hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ARRAYS
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.just("$list"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_plain_data_survives_json(tree):
    tensors = {}
    text = json.dumps(pack(tree, "here", tensors), allow_nan=False)
    assert same(unpack(json.loads(text), tensors), tree) and not tensors


def test_tensors_in_extra_come_back_as_arrays(tmp_path):
    tg.save({}, tmp_path / "m", extra=[tg.tensor([1.0])])
    assert same(tg.load(tmp_path / "m").extra, [np.ones(1, np.float32)])


def test_only_what_was_asked_for_is_in_the_file(tmp_path):
    model = nn.Linear(2, 1)
    optimizer = tg.optim.Adam(model.parameters())
    model(tg.ones(3, 2)).sum().backward()
    optimizer.step()
    tg.save(model, tmp_path / "small")
    tg.save(model, tmp_path / "large", optimizer, epoch=np.int64(3), generator=tg.Generator(0))
    assert set(safetensors.load_file(tmp_path / "small")) == {"weight", "bias"}
    names = {
        f"__tinygraph__/optimizer/state/{i}/{b}" for i in (0, 1) for b in ("exp_avg", "exp_avg_sq")
    }
    assert set(safetensors.load_file(tmp_path / "large")) == {"weight", "bias", *names}
    back = tg.load(tmp_path / "large")
    assert same(back.optimizer, optimizer.state_dict())
    assert type(back.epoch) is int and same(back.generator, [tg.Generator(0).get_state()])
    assert repr(back) == "Checkpoint(2 tensors, 12 bytes, optimizer, generator, epoch)"
    assert repr(tg.load(tmp_path / "small")) == "Checkpoint(2 tensors, 12 bytes)"


def test_the_header_tells_who_wrote_it(tmp_path):
    tg.save({"w": np.ones(2)}, tmp_path / "m", epoch=3)
    data = (tmp_path / "m").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert set(header["__metadata__"]) == {"tinygraph", "tinygraph.sha256"}
    about = json.loads(header["__metadata__"]["tinygraph"])
    assert about["reader"] == "tinygraph.load" and about["state"] == {"epoch": 3}


def test_files_of_other_programs(tmp_path):
    state = {"b": np.arange(3), "a": np.ones((2, 2), np.float32)}
    safetensors.save_file(state, tmp_path / "m", {"format": "pt"})
    back = tg.load(tmp_path / "m")
    assert all(same(state[k], back[k]) for k in state) and back.metadata == {"format": "pt"}
    safetensors.save_file(state, tmp_path / "m")
    assert tg.load(tmp_path / "m").metadata == {}


# ---- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [str, os.fsencode, lambda p: p], ids=["str", "bytes", "Path"])
def test_paths(tmp_path, how):
    tg.save({"w": np.ones(1)}, how(tmp_path / "ä ö.st"))
    assert tg.load(how(tmp_path / "ä ö.st"))["w"] == 1


def test_a_path_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tg.save({"w": np.ones(1)}, "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX file systems")


@posix
def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path):
    (tmp_path / "plain").touch()
    tg.save({}, tmp_path / "m")
    assert mode(tmp_path / "m") == mode(tmp_path / "plain")
    (tmp_path / "m").chmod(0o640)
    tg.save({}, tmp_path / "m")
    assert mode(tmp_path / "m") == 0o640


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "elsewhere" / "m")
    tg.save({"w": np.ones(1)}, tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink() and tg.load(tmp_path / "elsewhere" / "m")["w"] == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_loading_needs_no_package(tmp_path, monkeypatch):
    tg.save({"w": np.ones(1)}, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    assert tg.load(tmp_path / "m")["w"] == 1
    with pytest.raises(tg.MissingExtraError, match=r"safetensors.*train"):
        tg.save({"w": np.zeros(1)}, tmp_path / "m")
    assert tg.load(tmp_path / "m")["w"] == 1 and len(list(tmp_path.iterdir())) == 1
