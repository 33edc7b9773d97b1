"""Bad input to modules and losses: an error that teaches, and nothing changed."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

F = nn.functional
NAN = float("nan")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        self.head = nn.Linear(3, 1)
        self.scale = nn.Buffer([1.0])
        self.blocks = nn.ModuleList([nn.Linear(1, 1)])
        self.named = nn.ModuleDict({"a": nn.Linear(1, 1)})

    def forward(self, x):
        return self.head(self.encoder(x)) * self.scale

    def predict(self, x):
        return self(x)


class Forgetful(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


class Silent(nn.Module):
    def __init__(self):
        pass


class Picky(nn.Module):
    def forward(self, x):
        return F.softmax(x, axis=5)


class Losing(nn.Module):
    def forward(self, x):
        return F.mse_loss(x, np.zeros(3))


class Frame:
    """As a table of pandas: a shape and no dtype."""

    shape = (4, 2)


def filled_later():
    net = Net()
    net.layers = []
    net.layers.append(nn.Linear(2, 2))
    return list(net.parameters())


def trained_tensor(net):
    twin = copy.deepcopy(net)
    twin.scales = tg.ones(2, requires_grad=True)
    return list(twin.parameters())


def arrays(net, **changes):
    return {**net.state_dict(), **changes}


x4, y4 = tg.ones(4, 2), tg.zeros(4)
logits, labels = tg.zeros(4, 3), np.array([0, 1, 2, 0])

# What is done to a net, and words that the error must contain.
CASES = {
    # ---- inputs of modules: the path, what is wanted, what came
    "too many features": (lambda n: n(tg.ones(4, 5)), "(…, 2) (4, 5) encoder.0 Linear(5"),
    "features first": (lambda n: n(tg.ones(2, 4)), "(…, 2) (2, 4) x.T encoder.0"),
    "a wrong size inside": (lambda n: (n.head >> nn.Linear(4, 1))(tg.ones(1, 3)), "(…, 4) 1"),
    "a 0-d input": (lambda n: n(tg.tensor(1.0)), "() encoder.0"),
    "a list as input": (lambda n: n([[1.0, 2.0]]), "list tg.tensor encoder.0"),
    "None as input": (lambda n: n(None), "NoneType encoder.0"),
    "a text as input": (lambda n: n("data"), "str encoder.0"),
    "a table as input": (lambda n: n(Frame()), "Frame np.asarray encoder.0"),
    "complex input": (lambda n: n(np.ones((4, 2), complex)), "complex128 encoder.0"),
    "objects as input": (lambda n: n(np.ones((4, 2), object)), "object encoder.0"),
    "float64 into float32": (lambda n: n(np.ones((4, 2))), "float64 astype(np.float32) encoder.0"),
    "float16 into float32": (lambda n: n(np.ones((4, 2), np.float16)), "float16 encoder.0"),
    "an axis that is not there": (lambda n: (nn.Identity() >> Picky())(x4), "axis 5 1"),
    "a loss in a module": (lambda n: (nn.Identity() >> Losing())(x4), "(4, 2) (3,) 1"),
    "no forward": (lambda n: nn.Module()(x4), "forward"),
    "a list that is called": (lambda n: n.blocks(x4), "ModuleList forward"),
    # ---- building modules
    "a fraction of features": (lambda n: nn.Linear(2.5, 1), "in_features 2.5"),
    "negative features": (lambda n: nn.Linear(2, -1), "out_features -1"),
    "True features": (lambda n: nn.Linear(True, 1), "in_features True"),
    "a bias that is a text": (lambda n: nn.Linear(2, 1, bias="no"), "bias 'no'"),
    "an unknown GELU": (lambda n: nn.GELU("sigmoid"), "approximate 'sigmoid'"),
    "dim for axis": (lambda n: nn.Softmax(dim=1), "dim axis"),
    "a fractional axis": (lambda n: nn.LogSoftmax(1.5), "LogSoftmax axis 1.5"),
    "tensors into a loss class": (lambda n: nn.MSELoss(x4), "reduction MSELoss"),
    "an unknown reduction": (lambda n: nn.CrossEntropyLoss("avg"), "'mean' avg"),
    "a class in Sequential": (lambda n: nn.Sequential(nn.ReLU), "ReLU call"),
    "a list in Sequential": (lambda n: nn.Sequential([nn.ReLU()]), "list Sequential(*layers)"),
    "a number in Sequential": (lambda n: nn.Sequential(nn.ReLU(), 3), "Sequential 3"),
    "a Lambda of nothing": (lambda n: nn.Lambda(3), "Lambda 3"),
    ">> a number": (lambda n: n >> 3, ">> 3"),
    ">> a class": (lambda n: n >> nn.Tanh, "Tanh(…)"),
    "data >> model": (lambda n: x4 >> n, "model(x)"),
    "array >> model": (lambda n: np.ones(3) >> n, "model(x)"),
    "one module as a list": (lambda n: nn.ModuleList(n), "ModuleList([module])"),
    "a number as a list": (lambda n: nn.ModuleList(3), "ModuleList 3"),
    "a text in a list": (lambda n: n.blocks.append("layer"), "ModuleList str"),
    "a list as a dict": (lambda n: nn.ModuleDict([n]), "ModuleDict list"),
    "a class in a dict": (lambda n: n.named.__setitem__("b", nn.ReLU), "ReLU(…)"),
    "a method's name in a dict": (lambda n: n.named.__setitem__("items", nn.ReLU()), "items name"),
    "a number as a name": (lambda n: n.named.__setitem__(1, nn.ReLU()), "name 1"),
    "there is no number 7": (lambda n: n.encoder[7], "2 7"),
    "a text as an index": (lambda n: n.blocks["0"], "ModuleList '0'"),
    "a text as a parameter": (lambda n: nn.Parameter("one"), "real numbers str"),
    "integers as a parameter": (lambda n: nn.Parameter(np.arange(3)), "int64 floating"),
    "a ragged parameter": (lambda n: nn.Parameter([[1.0], [1.0, 2.0]]), "equal length"),
    # ---- attributes of modules
    "super().__init__ forgotten": (lambda n: Forgetful(), "super().__init__()"),
    "forgotten and called": (lambda n: Silent()(x4), "super().__init__()"),
    "forgotten and asked": (lambda n: list(Silent().parameters()), "super().__init__()"),
    "forgotten and registered": (lambda n: setattr(n, "s", Silent()), "super().__init__()"),
    "a list of modules": (lambda n: setattr(n, "l", [nn.ReLU()]), "Net.l ModuleList"),
    "a dict of modules": (lambda n: setattr(n, "l", {"a": nn.ReLU()}), "Net.l ModuleDict"),
    "a tuple of parameters": (lambda n: setattr(n, "l", (nn.Parameter([1.0]),)), "Net.l tuple"),
    "a nested list of modules": (lambda n: setattr(n, "l", [1, [nn.ReLU()]]), "Net.l ModuleList"),
    "a tensor that requires grad": (lambda n: trained_tensor(n), "Net.scales nn.Parameter (2,)"),
    "a list filled later": (lambda n: filled_later(), "Net.layers ModuleList"),
    "an array for a parameter": (lambda n: setattr(n.head, "weight", np.ones(3)), ".data weight"),
    "a tensor for a parameter": (lambda n: setattr(n.head, "bias", tg.ones(1)), ".data bias"),
    "an array for a buffer": (lambda n: setattr(n, "scale", np.ones(1)), ".data scale nn.Buffer"),
    "a tensor for a buffer": (lambda n: setattr(n, "scale", tg.ones(1)), ".data scale nn.Buffer"),
    "a function for a module": (lambda n: setattr(n, "head", tg.relu), "nn.Lambda head"),
    "the name of a method": (lambda n: setattr(n, "parameters", nn.ReLU()), "parameters name"),
    "the name of one's own method": (lambda n: setattr(n, "predict", nn.ReLU()), "predict name"),
    "the name of a registry": (lambda n: setattr(n, "_modules", nn.ReLU()), "_modules name"),
    "a list over a registry": (lambda n: setattr(n, "_buffers", []), "_buffers name"),
    "a name with a dot": (lambda n: n.register_module("a.b", nn.ReLU()), "'a.b' dots"),
    "an empty name": (lambda n: n.register_buffer("", 1.0), "'' dots"),
    "a module that is none": (lambda n: n.register_module("f", tg.relu), "nn.Lambda"),
    "a module inside itself": (lambda n: setattr(n, "me", n), "itself"),
    "a loop of modules": (lambda n: setattr(n.encoder, "up", n), "itself"),
    "a text as a buffer": (lambda n: n.register_buffer("b", "one"), "real numbers"),
    # ---- methods of modules
    "train of a text": (lambda n: n.train("no"), "True False 'no'"),
    "apply of nothing": (lambda n: n.apply(None), "apply NoneType"),
    "astype to integers": (lambda n: n.astype(np.int64), "floating int64"),
    "astype to nonsense": (lambda n: n.astype("float33"), "dtype float33"),
    "a state that is a list": (lambda n: n.load_state_dict([1]), "dict list"),
    "a state without names": (lambda n: n.load_state_dict({}), "missing head.weight head.bias"),
    "a state with more": (lambda n: n.load_state_dict(arrays(n, more=1.0)), "unexpected more"),
    "a state of other shape": (
        lambda n: n.load_state_dict(arrays(n, **{"head.bias": np.ones(2), "scale": np.ones(3)})),
        "head.bias (2,) (1,) scale (3,)",
    ),
    "a state of texts": (lambda n: n.load_state_dict(arrays(n, scale=["a"])), "scale <U1 float32"),
    "a state that is ragged": (
        lambda n: n.load_state_dict(arrays(n, scale=[[1.0], [1.0, 2.0]])),
        "scale array",
    ),
    "a complex state": (lambda n: n.load_state_dict(arrays(n, scale=[1j])), "scale complex128"),
    "no state": (lambda n: n.load_state_dict(arrays(n, scale=None)), "scale object"),
    "init of an array": (lambda n: nn.init.uniform_(np.ones(2), 0, 1), "uniform_ (2,)"),
    "init the wrong way round": (lambda n: nn.init.uniform_(n.head.weight, 1, 0), "low high"),
    "init without end": (lambda n: nn.init.uniform_(n.head.weight, 0, NAN), "high finite nan"),
    "init to infinity": (lambda n: nn.init.uniform_(n.head.weight, 0, np.inf), "finite inf"),
    "images as rows": (
        lambda n: nn.Conv2d(1, 8, 3)(tg.ones(5, 64)), "(5, x.reshape(-1, 8)"
    ),
    "coloured images as rows": (
        lambda n: nn.Conv2d(3, 8, 3)(tg.ones(5, 48)), "x.reshape(-1, 3, 4)"
    ),
    "one image of one channel": (
        lambda n: nn.Conv2d(1, 8, 3)(tg.ones(8, 7)), "(8, x[None]"
    ),
    "channels last": (
        lambda n: nn.Conv2d(3, 8, 3)(tg.ones(2, 8, 8, 3)), "channels (2, np.moveaxis(x, -3)"
    ),
    "causal as a text": (
        lambda n: nn.MultiheadAttention(4, 2)(tg.ones(1, 2, 4), is_causal="yes"), "is_causal 'yes'"
    ),
    "weights as a number": (
        lambda n: nn.MultiheadAttention(4, 2)(tg.ones(1, 2, 4), need_weights=1), "need_weights 1"
    ),
    "frozen with a text": (lambda n: n.requires_grad_("no"), "requires_grad 'no'"),
    "a softplus of 0": (lambda n: nn.Softplus(0), "Softplus beta 0"),
    "a softplus of a text": (lambda n: F.softplus(x4, "sharp"), "softplus beta"),
    "a norm without a bias?": (lambda n: nn.BatchNorm1d(2, bias="no"), "BatchNorm1d bias 'no'"),
    # ---- functions
    "linear with a bias of other length": (
        lambda n: F.linear(tg.ones(1, 2), tg.ones(3, 2), tg.ones(1)),
        "linear (3, 2) (1,)",
    ),
    "linear with a bias for each row": (
        lambda n: F.linear(tg.ones(3, 2), tg.ones(3, 2), tg.ones(3, 3)),
        "linear (3, 3)",
    ),
    "linear with a vector of weights": (
        lambda n: F.linear(tg.ones(3, 2), tg.ones(2), tg.ones(2)),
        "linear (2,)",
    ),
    "linear of a number": (lambda n: F.linear(1.0, tg.ones(3, 2), tg.ones(3)), "linear 1.0"),
    # ---- losses
    "(N,) against (N, 1)": (lambda n: F.mse_loss(n(x4), y4), "(4, 1) (4,) y[:, None]"),
    "(N, 1) against (N,)": (lambda n: F.mse_loss(y4, n(x4)), "(4, 1) (4,) y[:, None]"),
    "BCE of (N,) and (N, 1)": (
        lambda n: F.binary_cross_entropy_with_logits(n(x4), y4),
        "(4, 1) (4,) y[:, None]",
    ),
    "a text as target": (lambda n: F.mse_loss(y4, "four"), "mse_loss str"),
    "nothing as prediction": (lambda n: F.mse_loss(None, y4), "mse_loss NoneType"),
    "a ragged target": (lambda n: F.mse_loss(y4, [[1.0], [1.0, 2.0]]), "mse_loss equal length"),
    "BCE targets above 1": (
        lambda n: F.binary_cross_entropy_with_logits(y4, 2 * np.ones(4)),
        "0 1 2.0",
    ),
    "BCE targets nan": (
        lambda n: F.binary_cross_entropy_with_logits(y4, NAN * np.ones(4)),
        "0 1 nan",
    ),
    "a reduction that is True": (lambda n: F.mse_loss(y4, y4, True), "reduction 'mean' True"),
    "float labels": (lambda n: F.cross_entropy(logits, labels * 1.0), "dtype=int float64"),
    "boolean labels": (lambda n: F.cross_entropy(logits, labels > 0), "dtype=int bool"),
    "label 3 of 3": (lambda n: F.cross_entropy(logits, labels + 1), "0 2 label 3"),
    "label -1": (lambda n: F.cross_entropy(logits, labels - 1), "label -1"),
    "one-hot labels": (lambda n: F.cross_entropy(logits, np.eye(3, dtype=int)[labels]), "argmax"),
    "labels (N, 1)": (lambda n: F.cross_entropy(logits, labels[:, None]), "squeeze (4, 1)"),
    "labels of another length": (lambda n: F.cross_entropy(logits, labels[:3]), "(4, 3) (3,)"),
    "labels first": (lambda n: F.cross_entropy(labels, logits), "logits come first"),
    "logits without classes": (lambda n: F.cross_entropy(tg.tensor(1.0), 0), "() logits"),
    "a class weight below 0": (
        lambda n: F.cross_entropy(logits, labels, weight=[1, -2, 1]), "cross_entropy weight -2"
    ),
    "a class weight of nll below 0": (
        lambda n: F.nll_loss(logits, labels, weight=[1, 1, -0.5]), "nll_loss weight -0.5"
    ),
    "a class weight nan": (
        lambda n: F.multi_margin_loss(logits, labels, weight=[1, 1, NAN]), "multi_margin_loss nan"
    ),
    "a positive weight below 0": (
        lambda n: F.binary_cross_entropy_with_logits(y4, labels > 0, pos_weight=-1), "pos_weight -1"
    ),
    "divergence from less than nothing": (
        lambda n: F.kl_div(logits, logits - 0.5), "kl_div softmax log_target -0.5"
    ),
    "logits that are a text": (lambda n: F.cross_entropy("cat", labels), "cross_entropy str"),
}  # fmt: skip


def everything(net):
    """What a net is made of, to be compared."""
    return (
        repr(net),
        [
            (n, p.data.tobytes(), p.dtype, p.requires_grad, p.name)
            for n, p in net.named_parameters()
        ],
        [(n, b.data.tobytes()) for n, b in net.named_buffers()],
        [(n, id(m), m.training, sorted(m.__dict__)) for n, m in net.named_modules()],
    )


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained_and_changes_nothing(case):
    action, words = CASES[case]
    tg.manual_seed(0)
    net = Net()
    before = everything(net)
    with pytest.raises(tg.TinygraphError) as caught:
        action(net)
    assert everything(net) == before
    assert tg.is_grad_enabled()
    message = str(caught.value)
    missing = [word for word in words.split(" ") if word not in message]
    assert not missing, (missing, message)
    path = words.split(" ")[-1]
    if path == "encoder.0":
        assert f"In module {path}" in message


def test_there_are_enough_kinds():
    assert len(CASES) >= 90


def test_a_failed_call_leaves_no_scope_behind():
    net = Net()
    with pytest.raises(tg.ShapeError):
        net(tg.ones(1, 7))
    assert tg.ones(1, requires_grad=True).scope is None
    assert net(tg.ones(1, 2)).scope.path == "Net"


def test_an_unknown_attribute_raises_and_known_words_of_pytorch_are_translated():
    net = Net()
    with pytest.raises(AttributeError, match="wieght"):
        net.head.wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"astype\(np.float64\)"):
        net.double()
    assert not hasattr(net, "cuda")


def test_an_unknown_key_of_a_dict_is_a_key_error_with_the_known_ones():
    with pytest.raises(KeyError, match="has a, no 'b'"):
        Net().named["b"]


def test_an_error_does_not_disturb_copies():
    net = Net()
    twin = copy.deepcopy(net)
    with pytest.raises(tg.UsageError):
        twin.load_state_dict({"head.weight": np.ones(7)})
    assert everything(twin)[1:3] == everything(net)[1:3]
