"""Bad input to optimizers: an error that teaches, and nothing changed."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn, optim

NAN = float("nan")


class World:
    """A free model, and one that an Adam holds and has trained for a step."""

    def __init__(self):
        tg.manual_seed(0)
        self.free = nn.Linear(2, 1)
        self.w = tg.tensor([1.0], requires_grad=True)
        self.model = nn.Linear(2, 2) >> nn.Tanh()
        self.adam = optim.Adam(self.model.parameters(), lr=0.1)
        self.model(tg.ones(1, 2)).sum().backward()
        self.adam.step()

    def everything(self):
        tensors = [*self.free.parameters(), self.w, *self.model.parameters()]
        return (
            [(t.data.tobytes(), None if t.grad is None else t.grad.tobytes()) for t in tensors],
            [t._grad_buffer is None for t in tensors],
            [id(t._data) for t in tensors],
            repr(self.adam.state_dict()),
        )

    def load(self, change):
        """Load the Adam's own state after ``change`` was done to it."""
        state = copy.deepcopy(self.adam.state_dict())
        change(state)
        self.adam.load_state_dict(state)


def sgd(**options):
    return lambda world: optim.SGD(world.free.parameters(), **options)


def adam(**options):
    return lambda world: optim.AdamW(world.free.parameters(), **options)


def group(**options):
    return lambda world: optim.SGD([{"params": world.free.parameters(), **options}])


def entry(**changes):
    return lambda world: world.load(lambda s: s["state"][1].update(changes))


def option(name, value):
    return lambda world: world.adam.param_groups[0].__setitem__(name, value)


def momentum_later(world):
    optimizer = optim.SGD([world.w])
    optimizer.param_groups[0]["momentum"] = 0.9


CASES = {
    # ---- what to train
    "a model": (lambda w: optim.SGD(w.free), "SGD(model.parameters()"),
    "a composition": (lambda w: optim.SGD(w.free >> nn.ReLU()), "SGD(model.parameters()"),
    "one tensor": (lambda w: optim.SGD(w.w), "[w] (1,)"),
    "an array": (lambda w: optim.SGD(np.ones(2)), "[w] (2,)"),
    "a state_dict": (lambda w: optim.SGD(w.free.state_dict()), "dict model.parameters()"),
    "one group alone": (lambda w: optim.SGD({"params": [w.w]}), "SGD([{'params'"),
    "a set": (lambda w: optim.SGD({w.w}), "set list order"),
    "nothing": (lambda w: optim.SGD(None), "NoneType model.parameters()"),
    "a number": (lambda w: optim.SGD(3), "3 model.parameters()"),
    "an empty list": (lambda w: optim.Adam([]), "Adam no parameters"),
    "a model without parameters": (lambda w: optim.Adam(nn.ReLU().parameters()), "no parameters"),
    "an empty group": (lambda w: optim.SGD([{"params": []}]), "no parameters"),
    "named parameters": (lambda w: optim.SGD(w.free.named_parameters()), "entry 0 tuple"),
    "arrays": (lambda w: optim.SGD([w.w, np.ones(2)]), "entry 1 (2,) float64"),
    "a result": (lambda w: optim.SGD([w.w * 2]), "'mul' detach"),
    "integers": (lambda w: optim.SGD([tg.tensor([1, 2])]), "floating int64 astype"),
    "a tensor that needs no gradient": (lambda w: optim.SGD([tg.ones(2)]), "requires_grad=True"),
    "the same twice": (lambda w: optim.SGD([w.w, w.w]), "twice entry 1"),
    "the same in two groups": (
        lambda w: optim.SGD([{"params": [w.w]}, {"params": [w.w]}]),
        "twice",
    ),
    "what another holds": (lambda w: optim.SGD([w.w, w.model[0].bias]), "'bias' close()"),
    "a group without params": (lambda w: optim.SGD([{"lr": 0.1}]), "params dict"),
    "groups and tensors": (lambda w: optim.SGD([{"params": [w.w]}, w.free.bias]), "groups kind"),
    "an unknown option": (group(learning_rate=0.1), "lr 'learning_rate'"),
    "an option of another": (group(betas=(0.9, 0.99)), "momentum 'betas'"),
    # ---- options
    "a negative lr": (sgd(lr=-0.1), "SGD lr finite -0.1"),
    "lr nan": (sgd(lr=NAN), "lr nan"),
    "lr infinite": (adam(lr=float("inf")), "AdamW lr inf"),
    "lr a text": (sgd(lr="fast"), "lr fast"),
    "lr None": (adam(lr=None), "lr NoneType"),
    "lr True": (sgd(lr=True), "lr True"),
    "lr a tensor": (sgd(lr=tg.tensor(0.1)), "lr ()"),
    "lr of a group": (group(lr=-1), "lr -1"),
    "negative momentum": (sgd(momentum=-0.9), "momentum -0.9"),
    "momentum for each": (sgd(momentum=np.array([0.9, 0.8])), "momentum (2,)"),
    "dampening a text": (sgd(momentum=0.9, dampening="half"), "dampening half"),
    "negative weight decay": (sgd(weight_decay=-1), "weight_decay -1"),
    "nesterov alone": (sgd(nesterov=True), "nesterov momentum"),
    "nesterov dampened": (sgd(nesterov=True, momentum=0.9, dampening=0.1), "dampening"),
    "nesterov a text": (sgd(nesterov="yes"), "nesterov 'yes'"),
    "one beta": (adam(betas=0.9), "betas two 0.9"),
    "three betas": (adam(betas=(0.9, 0.9, 0.9)), "betas two"),
    "beta of 1": (adam(betas=(0.9, 1.0)), "betas[1] below 1.0"),
    "betas that are texts": (adam(betas=("a", "b")), "betas[0] a"),
    "negative eps": (adam(eps=-1e-8), "eps -1e-08"),
    # ---- options changed later
    "lr None later": (option("lr", None), "lr NoneType"),
    "lr nan later": (option("lr", NAN), "lr nan"),
    "betas wrong later": (option("betas", (2, 2)), "betas[0] 2"),
    "a misspelt option later": (option("learning_rate", 0.1), "lr 'learning_rate'"),
    "other params later": (option("params", []), "new optimizer"),
    "two options at once": (
        lambda w: w.adam.param_groups[0].update(eps=1e-3, lr=-1),
        "lr -1",
    ),
    "momentum without buffers": (lambda w: momentum_later(w), "without momentum momentum=0.9"),
    # ---- a state
    "no state": (lambda w: w.adam.load_state_dict(None), "'state' 'param_groups' NoneType"),
    "half a state": (lambda w: w.adam.load_state_dict({"state": {}}), "'param_groups'"),
    "groups that are none": (
        lambda w: w.adam.load_state_dict({"state": {}, "param_groups": [1]}),
        "'param_groups'",
    ),
    "too few groups": (lambda w: w.load(lambda s: s["param_groups"].clear()), "[] [2]"),
    "other sizes": (lambda w: w.load(lambda s: s["param_groups"][0]["params"].pop()), "[1] [2]"),
    "a bad option in a state": (
        lambda w: w.load(lambda s: s["param_groups"][0].update(lr=-1)),
        "lr",
    ),
    "an option too many": (lambda w: w.load(lambda s: s["param_groups"][0].update(foo=1)), "'foo'"),
    "a parameter too many": (lambda w: w.load(lambda s: s["state"].update({7: {}})), "7 many 2"),
    "a number that is none": (lambda w: w.load(lambda s: s["state"].update(a={})), "'a' number"),
    "an entry that is none": (lambda w: w.load(lambda s: s["state"].update({1: 3})), "1 exp_avg"),
    "an entry of SGD": (
        lambda w: w.load(lambda s: s["state"].update({1: {"step": 1, "momentum_buffer": 0}})),
        "momentum_buffer exp_avg_sq",
    ),
    "a step of half": (entry(step=0.5), "step 0.5"),
    "a step of -1": (entry(step=-1), "step -1"),
    "a step that is a text": (entry(step="one"), "step 'one'"),
    "a moment of other shape": (entry(exp_avg=np.ones(3)), "exp_avg (3,) (2,)"),
    "a moment of texts": (entry(exp_avg=["a", "b"]), "exp_avg <U1"),
    "a ragged moment": (entry(exp_avg=[[1.0], [1.0, 2.0]]), "numbers"),
    "momentum from another": (
        lambda w: optim.SGD([tg.ones(1, requires_grad=True)]).load_state_dict(
            optim.SGD([w.w], momentum=0.9).state_dict()
        ),
        "without momentum",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained_and_changes_nothing(case):
    action, words = CASES[case]
    world = World()
    before = world.everything()
    with pytest.raises(tg.UsageError) as caught:
        action(world)
    message = str(caught.value)
    missing = [word for word in words.split(" ") if word not in message]
    assert not missing, (missing, message)
    after = world.everything()
    if case not in ("momentum without buffers", "momentum from another"):  # these pack w first
        assert after[1:3] == before[1:3]
    assert (after[0], after[3]) == (before[0], before[3])


def test_there_are_enough_kinds():
    assert len(CASES) >= 60


def test_all_problems_of_a_state_are_listed_at_once():
    world = World()

    def spoil(state):
        state["state"][0]["step"] = 0
        state["state"][1]["exp_avg"] = np.ones(9)
        state["param_groups"][0]["lr"] = -1

    with pytest.raises(tg.UsageError) as caught:
        world.load(spoil)
    for part in ("parameter 0 has step 0", "parameter 1 has exp_avg (9,)", "lr is a finite number"):
        assert part in str(caught.value)


def test_options_survive_when_the_optimizer_is_gone():
    group = optim.SGD([tg.ones(1, requires_grad=True)]).param_groups[0]
    group["lr"] = 0.5
    group |= {"weight_decay": 0.1}
    assert group["lr"] == 0.5 and group["weight_decay"] == 0.1
