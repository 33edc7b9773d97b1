"""Every class that PyTorch has too: arguments and defaults, keys of the state, empty batches.

A public class without a row in ``ROWS`` fails, so that a new one is compared as well.
"""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest
from peers_common import both, close, compare, fill, load, move_back, tensors

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

# How each class is built, and an input for a call, with the batch first.
ROWS = {
    "Linear": ((3, 2), (4, 3)),
    "Conv1d": ((3, 4, 3), (2, 3, 7)),
    "Conv2d": ((3, 4, 3), (2, 3, 6, 7)),
    "ConvTranspose1d": ((3, 4, 3), (2, 3, 7)),
    "ConvTranspose2d": ((3, 4, 3), (2, 3, 4, 5)),
    "BatchNorm1d": ((3,), (4, 3)),
    "BatchNorm2d": ((3,), (2, 3, 4, 5)),
    "InstanceNorm2d": ((3, 1e-5, 0.1, True, True), (2, 3, 4, 5)),
    "LayerNorm": ((3,), (4, 3)),
    "RMSNorm": ((3,), (4, 3)),
    "GroupNorm": ((2, 4), (2, 4, 5)),
    "PReLU": ((3,), (4, 3)),
    "RNN": ((3, 4, 2), (2, 5, 3)),
    "GRU": ((3, 4, 2), (2, 5, 3)),
    "LSTM": ((3, 4, 2), (2, 5, 3)),
    "RNNCell": ((3, 4), (2, 3)),
    "GRUCell": ((3, 4), (2, 3)),
    "LSTMCell": ((3, 4), (2, 3)),
    "MaxPool1d": ((2,), (2, 3, 7)),
    "AvgPool1d": ((2,), (2, 3, 7)),
    "MaxPool2d": ((2,), (2, 3, 6, 7)),
    "AvgPool2d": ((2,), (2, 3, 6, 7)),
    "AdaptiveAvgPool1d": ((2,), (2, 3, 7)),
    "AdaptiveMaxPool1d": ((2,), (2, 3, 7)),
    "AdaptiveAvgPool2d": ((2,), (2, 3, 6, 7)),
    "AdaptiveMaxPool2d": ((2,), (2, 3, 6, 7)),
    "Upsample": ((None, 2), (2, 3, 4)),
    "Flatten": ((), (2, 3, 4)),
    "Unflatten": ((1, (2, 2)), (3, 4)),
    "Softmax": ((-1,), (4, 3)),
    "LogSoftmax": ((-1,), (4, 3)),
    "GLU": ((), (3, 4)),
    "Dropout": ((0.0,), (4, 3)),
    "Embedding": ((5, 3), None),
    "MultiheadAttention": ((4, 2), (2, 3, 4)),
    **dict.fromkeys((
        "Identity", "ReLU", "Sigmoid", "Tanh", "GELU", "Softplus", "LogSigmoid", "Softsign", "SiLU",
        "Mish", "ReLU6", "Hardswish", "SELU", "Hardtanh", "LeakyReLU", "ELU"), ((), (4, 3))),
    **dict.fromkeys((
        "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "KLDivLoss", "BCELoss",
        "BCEWithLogitsLoss", "CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"), ((), None)),
}  # fmt: skip
CONTAINERS = {
    "Buffer", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterDict", "ParameterList",
    "Sequential",
}  # fmt: skip
SHARED = {n for n in nn.__all__ if inspect.isclass(getattr(nn, n)) and hasattr(torch.nn, n)}

# ---- arguments and their defaults --------------------------------------------------------------

EVERYWHERE = {"device", "dtype", "inplace", "size_average", "reduce"}
"""PyTorch's alone: one device, results are new tensors, two words that PyTorch has given up."""

LEFT_OUT = {
    "Embedding": {"max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze"},
    "MultiheadAttention": {"add_bias_kv", "add_zero_attn"},
    "Softplus": {"threshold"},  # ours is accurate without
    "Hardtanh": {"min_value", "max_value"},  # PyTorch has given them up
    "LSTM": {"proj_size"},
}
OTHER_WORDS = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}
OTHER_DEFAULTS = {
    ("Softmax", "axis"): -1,  # PyTorch guesses one, with a warning
    ("LogSoftmax", "axis"): -1,
    ("MultiheadAttention", "batch_first"): True,
    **{(name, "batch_first"): True for name in ("RNN", "GRU", "LSTM")},
}
OURS_ALONE = {"Dropout": {"generator"}}
RECURRENT = {
    "input_size": inspect.Parameter.empty, "hidden_size": inspect.Parameter.empty,
    "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
}  # fmt: skip


def arguments(cls):
    """Return the arguments of a class with their defaults, in order."""
    found = inspect.signature(cls).parameters.values()
    return {p.name: p.default for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def test_every_class_has_a_row():
    assert ROWS.keys() | CONTAINERS == SHARED


@pytest.mark.parametrize("name", sorted(ROWS))
def test_arguments_and_defaults(name):
    theirs = arguments(getattr(torch.nn, name))
    if name in ("RNN", "GRU", "LSTM"):  # PyTorch's signature says (*args, **kwargs)
        theirs = dict(RECURRENT)
        if name == "RNN":
            theirs["nonlinearity"] = "tanh"
    theirs = {OTHER_WORDS.get(k, k): v for k, v in theirs.items()}
    wanted = {
        k: OTHER_DEFAULTS.get((name, k), v)
        for k, v in theirs.items()
        if k not in EVERYWHERE | LEFT_OUT.get(name, set())
    }
    ours = arguments(getattr(nn, name))
    ours = {k: v for k, v in ours.items() if k not in OURS_ALONE.get(name, set())}
    if name == "RNN":  # nonlinearity comes after num_layers in PyTorch's documentation
        assert list(ours)[3] == "nonlinearity" and ours == wanted
    else:
        assert list(ours.items()) == list(wanted.items())


# ---- states, and batches of every length -------------------------------------------------------


def pair(name):
    """Build the class in both, with one state."""
    args, _ = ROWS[name]
    options = {"batch_first": True} if "batch_first" in arguments(getattr(nn, name)) else {}
    return both(name, *args, **options)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_states_in_both_directions(name):
    ours, theirs = pair(name)  # theirs in ours, strictly
    state = theirs.state_dict()
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in state.items()
    ]
    for p in ours.parameters():
        p.data = p.data * 2 + 1
    move_back(ours, theirs)
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[key], value.numpy())
    fill(theirs)
    load(ours, theirs)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("name", sorted(n for n, (_, shape) in ROWS.items() if shape))
def test_batches_of_no_element_and_of_one(name, batch, mode):
    shape = (batch, *ROWS[name][1][1:])
    ours, theirs = pair(name)
    getattr(ours, mode)()
    getattr(theirs, mode)()
    single = name == "BatchNorm1d" and batch == 1 and mode == "train"
    if single:
        with pytest.raises(tg.ShapeError):
            ours(np.ones(shape))
        with pytest.raises(ValueError, match="more than 1 value"):
            theirs(torch.ones(shape, dtype=torch.float64))
        return
    call = {}
    if name == "MultiheadAttention":
        call = {
            "call_ours": lambda x: ours(x)[0],
            "call_theirs": lambda x: theirs(x, x, x, need_weights=False)[0],
        }
    try:
        probe = copy.deepcopy(theirs)
        probe(*[torch.ones(shape, dtype=torch.float64)] * (3 if call else 1))
    except (RuntimeError, ValueError, IndexError):
        assert batch == 0  # PyTorch refuses some empty batches; ours are as long as the input
        assert tensors(ours(np.ones(shape)))[0].shape[0] == 0
        return
    second_order = batch > 0 and name != "MultiheadAttention"  # PyTorch's fused one has none
    compare(ours, theirs, [shape], second_order, **call)
    for key, value in theirs.state_dict().items():
        counts = name == "InstanceNorm2d" and key == "num_batches_tracked"  # 0 for ever there
        if batch and not counts:  # an empty batch changes nothing here; PyTorch counts it
            close(ours.state_dict()[key], value)


def test_a_state_of_pytorch_needs_no_conversion(recwarn):
    theirs = torch.nn.Linear(3, 2)
    ours = nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())
    assert not recwarn.list


# ---- lists of modules --------------------------------------------------------------------------


def change(kind, make, wrap):
    """Change a list of modules in every way, and return the keys of its state after each."""
    stack = wrap(kind, [make(1), make(2)])
    keys = []

    def note():
        keys.append([(k, tuple(v.shape)) for k, v in stack.state_dict().items()])

    stack.append(make(3))
    note()
    stack.extend([make(4), make(5)])
    note()
    stack.insert(1, make(6))
    note()
    stack[-1] = make(7)
    note()
    del stack[0]
    note()
    del stack[1:3]
    note()
    keys.append(len(stack))
    keys.append([k for k, _ in wrap(kind, list(stack[1:])).state_dict().items()])
    return keys


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_lists_of_modules_change_alike(kind):
    def wrap(library):
        return lambda kind, parts: (
            library.Sequential(*parts) if kind == "Sequential" else library.ModuleList(parts)
        )

    ours = change(kind, lambda n: nn.Linear(n, 1), wrap(nn))
    assert ours == change(kind, lambda n: torch.nn.Linear(n, 1), wrap(torch.nn))


# ---- optimizers and schedules ------------------------------------------------------------------

TRAINING = [
    *[(n, torch.optim) for n in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")],
    *[(n, torch.optim.lr_scheduler) for n in (
        "StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "LambdaLR",
        "OneCycleLR", "ReduceLROnPlateau", "SequentialLR")],
]  # fmt: skip
ONE_FORMULA_EACH = {
    "amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused",
    "decoupled_weight_decay", "last_epoch",
}  # fmt: skip


@pytest.mark.parametrize(("name", "library"), TRAINING, ids=[n for n, _ in TRAINING])
def test_arguments_and_defaults_of_training(name, library):
    theirs = arguments(getattr(library, name))
    wanted = {k: v for k, v in theirs.items() if k not in ONE_FORMULA_EACH}
    assert list(arguments(getattr(tg.optim, name)).items()) == list(wanted.items())


def test_all_of_training_is_compared():
    bases = {"Optimizer", "Schedule", "LRScheduler"}
    public = {n for n in vars(tg.optim) if inspect.isclass(getattr(tg.optim, n))}
    assert public - bases == {n for n, _ in TRAINING}
