"""Wrong calls of modules, optimizers and functions: the error says what was meant."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.errors import UsageError
from tinygraph.core.grad import backward

X = np.ones((4, 2), np.float32)
CASES = {
    "in place": (lambda: nn.ReLU(inplace=True), "ReLU() inplace drop the argument"),
    "too many": (lambda: nn.ReLU(X), "ReLU() too many positional 1 of them"),
    "a private base": (lambda: nn.Conv2d(3, 8), "Conv2d(in_channels, missing kernel_size"),
    "a word of PyTorch": (lambda: nn.Softmax(dim=1), "Softmax(axis=-1) 'dim' 'axis'"),
    "another one": (lambda: nn.Flatten(start_dim=1), "Flatten 'start_dim' 'start_axis'"),
    "a device": (lambda: nn.Linear(2, 1, device="cuda"), "Linear 'device' CPU drop"),
    "a dtype": (lambda: nn.Linear(2, 1, dtype=float), "Linear 'dtype' astype default_dtype"),
    "misspelt": (lambda: nn.Linear(2, out_feature=3), "'out_feature' 'out_features'"),
    "half a kernel": (lambda: nn.Conv1d(1, 2, kernel=3), "Conv1d 'kernel' 'kernel_size'"),
    "twice": (lambda: nn.Linear(2, 1, in_features=2), "Linear too many in_features twice"),
    "a loss of old": (lambda: nn.MSELoss(size_average=True), "MSELoss 'reduction'"),
    "no parameters": (lambda: tg.optim.Adam(), "Adam(params, lr=0.001 missing params"),
    "a long word": (lambda: tg.optim.Adam([], learning_rate=1), "Adam 'learning_rate' 'lr'"),
    "no step size": (lambda: tg.optim.StepLR(3), "StepLR(optimizer, step_size missing"),
    "workers": (lambda: tg.data.DataLoader(X, num_workers=2), "DataLoader 'num_workers' drop"),
    "a batch": (lambda: tg.data.DataLoader(X, batchsize=2), "'batchsize' 'batch_size'"),
    "early": (lambda: tg.train.EarlyStopping(pacience=3), "EarlyStopping 'pacience' 'patience'"),
    "three positions": (
        lambda: tg.fit(nn.Linear(2, 1), X, X), 'too many 3 of them tg.fit(model, (x, y), loss'
    ),
    "no loss": (lambda: tg.fit(nn.Linear(2, 1), (X, X)), "*, loss missing argument loss tg.fit("),
    "nothing to fit": (lambda: tg.fit(), "missing model, train, loss"),
    "many epochs": (lambda: tg.fit(1, 2, loss="mse", n_epochs=3), "'n_epochs' 'epochs'"),
    "no path": (lambda: tg.save(nn.ReLU()), 'missing path tg.save(model, "model.safetensors")'),
    "no file": (lambda: tg.load(), "missing path tg.load("),
    "no data": (lambda: tg.predict(nn.ReLU()), "predict missing data"),
    "no model": (lambda: tg.summary(), "summary missing model"),
    "no bound": (lambda: tg.clip_grad_norm([]), "clip_grad_norm missing max_norm"),
    "an axis of an op": (lambda: tg.sum(X, axes=0), "sum 'axes' 'axis'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_wrong_calls_are_explained(case):
    action, words = CASES[case]
    with pytest.raises(tg.UsageError) as caught:
        action()
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    message = str(caught.value)
    missing = [word for word in words.split(" ") if word not in message]
    assert not missing, (missing, message)


def test_the_class_at_fault_is_named():
    class Wrong(nn.Linear):
        def __init__(self):
            super().__init__(2)

    with pytest.raises(tg.UsageError, match=r"^Linear\(in_features, out_features, bias=True\)"):
        Wrong()


def test_errors_from_inside_and_classes_of_others_stay_as_they_are():
    class Own(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.layer = nn.Linear(size, abs("text"))

    with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required"):
        Own()
    with pytest.raises(TypeError, match="bad operand type for abs"):
        Own(2)

    with pytest.raises(TypeError, match="has no len"):
        tg.optim.SGD(len(3) for _ in range(2))


def test_signatures_copies_and_pickles_are_untouched():
    assert list(inspect.signature(nn.Linear).parameters) == ["in_features", "out_features", "bias"]
    assert not inspect.signature(nn.ReLU).parameters
    assert list(inspect.signature(tg.fit).parameters)[:3] == ["model", "train", "loss"]
    layer = nn.Linear(2, 1)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin.weight.data, layer.weight.data)


@pytest.mark.parametrize(
    "call", [lambda t: t.tanh(1), lambda t: t.sum(0, axis=1), lambda t: t.exp(out=t)]
)
def test_methods_of_one_operand_explain_wrong_calls(call):
    with pytest.raises(
        UsageError, match=r"(tanh|sum|exp)\(x.*(too many positional|takes no argument)"
    ):
        call(tg.ones(2, 2))


def test_methods_show_the_signature_of_what_they_call():
    assert tg.Tensor.backward is backward
    assert str(inspect.signature(tg.Tensor.sum)) == str(inspect.signature(tg.REGISTRY["sum"]))
