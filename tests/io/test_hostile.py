"""Files made to harm: a CheckpointError that says what is wrong, and nothing changed."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from work import calls

import tinygraph as tg
from tinygraph import nn
from tinygraph.io.checksum import CHECKSUM, FIELD, _checksum
from tinygraph.io.header import read_header

safetensors = pytest.importorskip("safetensors.numpy")

# ---- headers -----------------------------------------------------------------------------------


def raw(header, data=b"", length=None):
    """Return a file of another program with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def one(shape=(2,), dtype="F32", offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    return file.getvalue()


F8 = bytes(8)
HOSTILE = {
    "an empty file": (b"", "length of the header"),
    "zeros": (bytes(100), "begin with"),
    "a text": (b"x,y\n0.1,0.2\n" * 9, "no safetensors file"),
    "what torch.save writes": (zipped(), r"zip archive.*safetensors\.torch\.save_file"),
    "a header as large as memory": (raw({}, length=2**63), "said to be"),
    "a header as large as can be": (raw({}, length=2**64 - 1), "said to be"),
    "one byte too long": (raw({}, length=3), "said to be"),
    "a list": (raw(b"[]"), "begin with"),
    "a space first": (raw(b" {}"), "begin with"),
    "a byte order mark": (raw(b"\xef\xbb\xbf{}"), "begin with"),
    "UTF-16": (raw("{}".encode("utf-16-le")), "header is damaged"),
    "not UTF-8": (raw(b'{"\xff": 1}'), "header is damaged"),
    "two objects": (raw(b"{}{}"), "header is damaged"),
    "NUL bytes behind": (raw(b"{}\0\0"), "header is damaged"),
    "a pickle": (raw(b"\x80\x04\x95"), "header is damaged"),
    "deep lists": (raw(b'{"a":' + b"[" * 100_000), "too deeply"),
    "deep objects": (raw(b'{"a":' * 100_000), "too deeply"),
    "a key twice": (raw(b'{"a":%s,"a":%s}' % ((json.dumps(one()).encode(),) * 2), F8), "twice"),
    "dtype twice": (raw(b'{"a":{"dtype":"F32","dtype":"F32"}}', F8), "twice"),
    "NaN": (raw(b'{"a":NaN}'), "NaN is not JSON"),
    "a huge number": (raw(b'{"a":' + b"9" * 100_000 + b"}"), "header is damaged"),
    "a tensor that is null": (raw({"a": None}), "needs dtype, shape"),
    "no offsets": (raw({"a": {"dtype": "F32", "shape": []}}), "needs dtype, shape"),
    "one field more": (raw({"a": one(evil=1)}, F8), "nothing else"),
    "half a character": (raw(b'{"\\ud800":%s}' % json.dumps(one()).encode(), F8), "half a char"),
    "a dtype of others": (raw({"a": one((4,), "BF16")}, F8), r"BF16.*to\(torch.float32\)"),
    "complex numbers": (raw({"a": one((1,), "C64")}, F8), "C64.*tinygraph holds BOOL"),
    "tiny floats": (raw({"a": one((8,), "F8_E4M3")}, F8), "F8_E4M3"),
    "a dtype of NumPy": (raw({"a": one(dtype="<f4")}, F8), "<f4"),
    "deep lists as dtype": (raw({"a": one(dtype=json.loads("[" * 800 + "]" * 800))}, F8), "list"),
    "a list as dtype": (raw({"a": one(dtype=["F32"])}, F8), "has the dtype"),
    "an object dtype": (raw({"a": one((1,), "O")}, F8), "'O'"),
    "a negative size": (raw({"a": one((-2,))}, F8), "whole numbers from 0"),
    "two negative sizes": (raw({"a": one((-2, -1))}, F8), "whole numbers from 0"),
    "a float as size": (raw({"a": one((2.0,))}, F8), "whole numbers from 0"),
    "a truth value as size": (raw({"a": one((True, 2))}, F8), "whole numbers from 0"),
    "sizes beyond 64 bits": (raw({"a": one((2**64 + 2,))}, F8), "whole numbers from 0"),
    "sizes that wrap around": (raw({"a": one((2**62, 2**62, 2))}, F8), "do not fit"),
    "no elements, and too many": (raw({"a": one((0, 2**62, 2**62), offsets=(0, 0))}), "not fit"),
    "too many axes": (raw({"a": one((1,) * 65, offsets=(0, 4))}, F8), "do not fit"),
    "a million axes": (raw({"a": one((7,) * 10**5)}, F8), "do not fit"),
    "three offsets": (raw({"a": one(offsets=(0, 8, 8))}, F8), "offsets"),
    "negative offsets": (raw({"a": one(offsets=(-8, 0))}, F8), "offsets"),
    "offsets backwards": (raw({"a": one(offsets=(8, 0))}, F8), "do not fit"),
    "offsets beyond the end": (raw({"a": one(offsets=(8, 16))}, F8), "hole"),
    "too small for its shape": (raw({"a": one(offsets=(0, 4))}, F8), "do not fit"),
    "data that is not there": (raw({"a": one((2**40,), offsets=(0, 2**42))}, F8), "take 4398046"),
    "data for nobody": (raw({"a": one()}, F8 + b"!"), "has 9 for them"),
    "a hole": (raw({"a": one(), "b": one(offsets=(9, 17))}, F8 * 2 + b"!"), "hole"),
    "the same memory": (raw({"a": one(), "b": one()}, F8), "overlaps"),
    "overlap": (raw({"a": one(), "b": one(offsets=(4, 12))}, bytes(12)), "overlaps"),
    "a truth value of 2": (raw({"a": one((8,), "BOOL")}, b"\2" * 8), "neither 0 nor 1"),
    "metadata of numbers": (raw({"__metadata__": {"a": 1}}), "made of texts"),
    "metadata in a list": (raw({"__metadata__": ["a"]}), "made of texts"),
    "metadata of halves": (raw(b'{"__metadata__":{"a":"\\udc00"}}'), "made of texts"),
    "our key without checksum": (raw({"__metadata__": {"tinygraph": "{}"}}), "without its check"),
    "our tensors, no checksum": (raw({"__tinygraph__/a": one()}, F8), "without its checksum"),
    "a checksum of no kind": (raw({"__metadata__": {CHECKSUM: "0"}}), "without its checksum"),
    "a wrong checksum": (
        raw(b'{"__metadata__":{"tinygraph.sha256":"%s"}}' % (b"0" * 64)), "checksum is wrong"
    ),
}  # fmt: skip


MOST_CALLS = 500_000


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files(tmp_path, case):
    data, words = HOSTILE[case]
    (tmp_path / "m").write_bytes(data)
    told = []

    def load():
        with pytest.raises(tg.CheckpointError, match=words) as caught:
            tg.load(tmp_path / "m")
        told.append(str(caught.value))

    assert calls(load) < MOST_CALLS
    assert len(told[0]) < 1000 and repr(str(tmp_path / "m")) in told[0]


# ---- states with a right checksum --------------------------------------------------------------


def sealed(path, state, tensors=None, version=1):
    """Write a file with a right checksum around any state: only an attacker can."""
    about = {"version": version, "state": state}
    text = about if isinstance(about, str) else json.dumps(about)
    metadata = {"tinygraph": state if isinstance(state, str) else text, CHECKSUM: "0" * 64}
    safetensors.save_file(tensors or {}, path, metadata)
    data = bytearray(path.read_bytes())
    with open(path, "rb") as file:
        header = read_header(file, len(data))
    arrays = [tensors[entry.name] for entry in header.entries]
    at = FIELD.search(header.head).start(1)
    data[at : at + 64] = _checksum(header.head, arrays).encode()
    path.write_bytes(data)


def nested(depth):
    return json.loads("[" * depth + "]" * depth)


X = "__tinygraph__/x"
SEALED = {
    "no JSON": ("no", "its state is damaged"),
    "deep": ("{" + '"a":{' * 100_000, "too deeply"),
    "no version": ('{"state": {}}', "newer"),
    "a part of the future": ({"soul": 1}, "does not know"),
    "a list as state": ([], "does not know"),
    "an unknown word for deep lists": ({"extra": {"$eval": nested(800)}}, "of something"),
    "an unknown word": ({"extra": {"$eval": "import os"}}, "of something that has none"),
    "two words": ({"extra": {"$array": X, "$tuple": []}}, "of something that has none"),
    "a tuple of a text": ({"extra": {"$tuple": "ab"}}, "of something that has none"),
    "a dict of a text": ({"extra": {"$dict": "ab"}}, "of something that has none"),
    "keys that are lists": ({"extra": {"$dict": [[[1], 2]]}}, "of something that has none"),
    "pairs of three": ({"extra": {"$dict": [[1, 2, 3]]}}, "of something that has none"),
    "a float of words": ({"extra": {"$float": "1e5"}}, "of something that has none"),
    "a tensor that is not there": ({"extra": {"$array": "y"}}, "of something that has none"),
    "a tensor of the model": ({"extra": {"$array": "w"}}, "of something that has none"),
    "a tensor twice": ({"extra": [{"$array": X}, {"$array": X}]}, "of something that has none"),
    "a tensor for nothing": ({"extra": 1}, "does not use"),
    "too deep": ({"extra": nested(190)}, None),
    "much too deep": ({"extra": nested(250)}, "too deeply"),
    "an epoch of words": ({"epoch": "soon"}, "epoch"),
    "generators in a dict": ({"generator": {}}, "generators"),
}  # fmt: skip


@pytest.mark.parametrize("case", SEALED)
def test_hostile_states_with_a_right_checksum(tmp_path, case):
    state, words = SEALED[case]
    tensors = {"w": np.ones(2), X: np.ones(3)}
    if words != "does not use" and "$array" not in repr(state):
        del tensors[X]
    sealed(tmp_path / "m", state, tensors)
    if words is None:
        tg.load(tmp_path / "m")
        return
    with pytest.raises(tg.CheckpointError, match=words):
        tg.load(tmp_path / "m")


def test_a_file_of_a_newer_version(tmp_path):
    sealed(tmp_path / "m", {}, {"w": np.ones(1)}, version=1)
    assert list(tg.load(tmp_path / "m")) == ["w"]
    sealed(tmp_path / "m", {}, {"w": np.ones(1)}, version=2)
    with pytest.raises(tg.CheckpointError, match="newer tinygraph"):
        tg.load(tmp_path / "m")


OPTIMIZER = {
    "nothing": None, "a number": 3, "an empty dict": {},
    "no groups": {"state": {}, "param_groups": []},
    "a text as group": {"state": {}, "param_groups": ["abc"]},
    "a text as lr": {"state": {}, "param_groups": [{"params": [0, 1], "lr": "fast"}]},
    "parameters without end": {"state": {}, "param_groups": [{"params": [0] * 1000}]},
    "an infinite step": {
        "state": {"0": {"step": {"$float": "inf"}}}, "param_groups": [{"params": [0, 1]}]
    },
    "params missing": {"state": {}, "param_groups": [{}]},
    "a state in a list": {"state": [1], "param_groups": [{"params": [0, 1]}]},
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIMIZER)
def test_hostile_states_of_an_optimizer(tmp_path, case):
    model = nn.Linear(2, 3)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.5)
    before = repr([model.state_dict(), optimizer.state_dict()])
    twin = {k: v + 1 for k, v in model.state_dict().items()}
    sealed(tmp_path / "m", {"optimizer": OPTIMIZER[case]}, twin)
    with pytest.raises(tg.CheckpointError, match="optimizer"):
        tg.load(tmp_path / "m", model, optimizer)
    assert repr([model.state_dict(), optimizer.state_dict()]) == before


PCG = np.random.PCG64(0).state
GENERATOR = {
    "a number": 1, "another kind": {**PCG, "bit_generator": "MT19937"}, "no state": {},
    "too large": {**PCG, "state": {"state": 2**200, "inc": 1}},
    "texts": {**PCG, "state": {"state": "a", "inc": "b"}},
    "half of it": {**PCG, "state": {"state": 5}},
}  # fmt: skip


@pytest.mark.parametrize("case", GENERATOR)
def test_hostile_states_of_a_generator(tmp_path, case):
    generator = tg.Generator(0)
    before = repr(generator.get_state())
    sealed(tmp_path / "m", {"generator": [GENERATOR[case]]}, {"w": np.ones(1)})
    with pytest.raises(tg.CheckpointError, match="generator 0"):
        tg.load(tmp_path / "m", generator=generator)
    assert repr(generator.get_state()) == before
