"""Bad arguments of save and load: the class of the error, its words, and no file touched."""

from __future__ import annotations

import os
import socket
import sys

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

pytest.importorskip("safetensors")

W = {"w": np.ones(2)}
MODEL = nn.Linear(2, 1)


def optimizer(closed=False):
    result = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=0.1)
    if closed:
        result.close()
    return result


def endless():
    loop = []
    loop.append(loop)
    return loop


def too_much():
    return [[0.5] * 400_000]


SAVE = {
    "path first": (lambda p: tg.save(p, MODEL), "path Linear the model comes first"),
    "an optimizer": (lambda p: tg.save(optimizer(), p), "SGD optimizer=optimizer model"),
    "a list": (lambda p: tg.save([np.ones(2)], p), "state_dict dict from name list"),
    "a Tensor": (lambda p: tg.save(tg.ones(2), p), "state_dict"),
    "None": (lambda p: tg.save(None, p), "state_dict NoneType"),
    "a class": (lambda p: tg.save(nn.Linear, p), "state_dict nn.Linear(2,"),
    "parameters": (lambda p: tg.save(MODEL.parameters(), p), "state_dict generator"),
    "a number as path": (lambda p: tg.save(W, 3), "path 3"),
    "no path": (lambda p: tg.save(W, ""), "path"),
    "None as path": (lambda p: tg.save(W, None), "path NoneType"),
    "a NUL in the path": (lambda p: tg.save(W, f"{p}\0"), "path"),
    "half a character in the path": (lambda p: tg.save(W, "\ud900"), "path"),
    "an open file": (lambda p: tg.save(W, sys.stdout), "path"),
    "a number as name": (lambda p: tg.save({1: np.ones(1)}, p), "names 1"),
    "our names": (lambda p: tg.save({"__tinygraph__/a": np.ones(1)}, p), "names __tinygraph__/"),
    "their name": (lambda p: tg.save({"__metadata__": np.ones(1)}, p), "names __metadata__"),
    "a line break in a name": (lambda p: tg.save({"a\n": W["w"]}, p), "printable"),
    "half a character": (lambda p: tg.save({"\ud800": np.ones(1)}, p), "printable"),
    "complex": (lambda p: tg.save({"w": np.ones(2, complex)}, p), "'w' complex128 float32"),
    "texts": (lambda p: tg.save({"w": np.array(["a"])}, p), "'w' real numbers"),
    "objects": (lambda p: tg.save({"w": np.array([{}])}, p), "'w' object"),
    "long doubles": (lambda p: tg.save({"w": np.ones(1, "g")}, p), "'w' real numbers"),
    "dates": (lambda p: tg.save({"w": np.array(["2020"], "M8[s]")}, p), "'w' datetime64"),
    "records": (lambda p: tg.save({"w": np.ones(1, "f4,f4")}, p), "'w'"),
    "a list as tensor": (lambda p: tg.save({"w": [1.0]}, p), "'w' Arrays list"),
    "a state in a state": (lambda p: tg.save({"w": W}, p), "'w' Arrays dict"),
    "None as tensor": (lambda p: tg.save({"w": None}, p), "'w' Arrays NoneType"),
    "a huge int": (lambda p: tg.save({"w": 2**70}, p), "'w' object"),
    "no optimizer": (lambda p: tg.save(W, p, 3), "optimizer: state_dict 3 tg.optim.SGD"),
    "an epoch as optimizer": (lambda p: tg.save(W, p, "adam"), "optimizer: state_dict adam"),
    "an optimizer class": (lambda p: tg.save(W, p, tg.optim.SGD), "optimizer: state_dict"),
    "a closed optimizer": (lambda p: tg.save(W, p, optimizer(closed=True)), "closed"),
    "no schedule": (lambda p: tg.save(W, p, schedule=0.1), "schedule: state_dict 0.1"),
    "a list as loader": (lambda p: tg.save(W, p, loader=[W]), "loader: state_dict"),
    "a float as epoch": (lambda p: tg.save(W, p, epoch=1.0), "epoch 1.0"),
    "a negative epoch": (lambda p: tg.save(W, p, epoch=-1), "epoch -1"),
    "True as epoch": (lambda p: tg.save(W, p, epoch=True), "epoch True"),
    "a seed": (lambda p: tg.save(W, p, generator=0), "generator the number 0 tg.Generator(seed)"),
    "NumPy's generator": (
        lambda p: tg.save(W, p, generator=np.random.default_rng(0)), "generator tg.Generator(seed)"
    ),
    "a set": (lambda p: tg.save(W, p, extra={1}), "extra set exactly"),
    "a function": (lambda p: tg.save(W, p, extra={"f": [len]}), "extra/f/0 builtin"),
    "a path": (lambda p: tg.save(W, p, extra=p), "extra str(…)"),
    "a subclass": (lambda p: tg.save(W, p, extra={"a": type("D", (dict,), {})()}), "extra/a D"),
    "float keys": (lambda p: tg.save(W, p, extra={0.5: 1}), "extra keys"),
    "True as key": (lambda p: tg.save(W, p, extra={True: 1}), "extra keys"),
    "complex in extra": (lambda p: tg.save(W, p, extra=[np.complex64(1)]), "extra/0 complex64"),
    "itself": (lambda p: tg.save(W, p, extra=endless()), "100 levels"),
    "digits without end": (lambda p: tg.save(W, p, extra=10**5000), "state digits"),
    "an unknown option": (lambda p: tg.save(W, p, step=1), "step"),
}  # fmt: skip

LOAD = {
    "a number": (lambda p: tg.load(3), "tg.load path 3"),
    "a model": (lambda p: tg.load(MODEL, p), "path Linear tg.load(…)"),
    "a model class": (lambda p: tg.load(p, nn.Linear), "model: load_state_dict"),
    "an optimizer as model": (lambda p: tg.load(p, optimizer()), "SGD optimizer=optimizer"),
    "a dict as model": (lambda p: tg.load(p, {}), "model: load_state_dict"),
    "an array": (lambda p: tg.load(p, np.ones(2)), "model: load_state_dict (2,) float64"),
    "no optimizer": (lambda p: tg.load(p, MODEL, 3), "optimizer: load_state_dict"),
    "no schedule": (lambda p: tg.load(p, schedule=[]), "schedule: load_state_dict"),
    "no loader": (lambda p: tg.load(p, loader=[]), "loader: load_state_dict"),
    "a generator class": (lambda p: tg.load(p, generator=tg.Generator), "generator"),
    "a seed": (lambda p: tg.load(p, generator=[0]), "generator the number 0"),
    "strict": (lambda p: tg.load(p, MODEL, strict="no"), "strict no"),
}


@pytest.mark.parametrize("case", SAVE)
def test_bad_arguments_of_save(tmp_path, case):
    run, words = SAVE[case]
    tg.save({"old": np.ones(1)}, tmp_path / "m")
    with pytest.raises(TypeError) as caught:
        run(tmp_path / "m")
    if case != "an unknown option":
        assert isinstance(caught.value, tg.UsageError)
    for word in words.split():
        assert word in str(caught.value), (word, str(caught.value))
    assert list(tg.load(tmp_path / "m")) == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("case", LOAD)
def test_bad_arguments_of_load(tmp_path, case):
    run, words = LOAD[case]
    tg.save(MODEL, tmp_path / "m", optimizer())
    with pytest.raises(tg.UsageError) as caught:
        run(tmp_path / "m")
    for word in words.split():
        assert word in str(caught.value), (word, str(caught.value))


# ---- the file system ---------------------------------------------------------------------------


def test_no_file(tmp_path):
    with pytest.raises(tg.MissingCheckpointError, match=r"no file .*model\.st") as caught:
        tg.load(tmp_path / "model.st")
    assert isinstance(caught.value, tg.CheckpointError | FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "nowhere" / "m")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda p: np.savez(p, a=np.ones(2)), "zip archive np.savez tg.save(dict(np.load(path))"),
        (lambda p: np.save(p, np.ones(2)), "NumPy np.load(path)"),
        (lambda p: p.write(b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}."), "pickle code"),
        (lambda p: p.write(b"\x89HDF\r\n\x1a\n" + bytes(100)), "HDF5 safetensors"),
    ],
)
def test_files_of_another_kind(tmp_path, write, words):
    with open(tmp_path / "m", "wb") as file:
        write(file)
    with pytest.raises(tg.CheckpointError) as caught:
        tg.load(tmp_path / "m")
    missing = [word for word in words.split(" ") if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))


def test_a_folder(tmp_path):
    with pytest.raises(tg.CheckpointError, match="it is a folder"):
        tg.save(W, tmp_path)
    with pytest.raises(tg.CheckpointError, match="it is not a file"):
        tg.load(tmp_path)
    with pytest.raises(tg.CheckpointError, match="it is a folder"):
        tg.save(W, f"{tmp_path}{os.sep}")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(tg.CheckpointError, match="No such file"):
        tg.save(W, tmp_path / "nowhere" / "m")
    (tmp_path / "file").write_text("a")
    with pytest.raises(tg.CheckpointError):
        tg.save(W, tmp_path / "file" / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(tg.CheckpointError, match="could not write"):
        tg.save(W, tmp_path / ("m" * 1000))
    with pytest.raises(tg.CheckpointError):
        tg.load(tmp_path / ("m" * 1000))
    assert not list(tmp_path.iterdir())


def test_write_protection(tmp_path, monkeypatch):
    """As the system tells it: root may write everywhere."""
    tg.save(W, tmp_path / "m")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(tg.CheckpointError, match="write-protected"):
        tg.save({}, tmp_path / "m")
    assert list(tg.load(tmp_path / "m")) == ["w"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(tg.CheckpointError, match="Permission denied"):
        tg.save(W, tmp_path / "closed" / "m")


def test_things_that_are_no_files_do_not_block(tmp_path, monkeypatch):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    server.bind("socket")
    server.close()
    for path in (tmp_path / "pipe", tmp_path / "socket", "/dev/zero", "/dev/null"):
        with pytest.raises(tg.CheckpointError, match="not a file"):
            tg.load(path)


def test_more_in_extra_than_a_header_holds(tmp_path):
    tg.save(W, tmp_path / "m")
    with pytest.raises(tg.CheckpointError, match=r"header.*unchanged"):
        tg.save(W, tmp_path / "m", extra=too_much())
    assert list(tg.load(tmp_path / "m")) == ["w"] and len(list(tmp_path.iterdir())) == 1
    tg.save(W, tmp_path / "m", extra=np.array(too_much()))
    assert tg.load(tmp_path / "m").extra.shape == (1, 400_000)
