"""The contestants: each turns a workload into a step to time, and a loss and gradients to check.

Nothing is imported before the contestant is asked for: each runs in a process of its own.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from .workloads import LEARNING_RATE, Arrays, Workload

Checked = tuple[float, dict[str, np.ndarray]]


class Contestant:
    """A workload in one library: ``step()`` and ``loss_and_gradients()``."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        self.workload = workload
        self.weights = {
            k.removeprefix("weights/"): v for k, v in arrays.items() if k.startswith("weights/")
        }
        self.batch = {k: v for k, v in arrays.items() if not k.startswith("weights/")}

    def step(self) -> Any:
        raise NotImplementedError

    def loss_and_gradients(self) -> Checked:
        raise NotImplementedError


class Tinygraph(Contestant):
    """tinygraph as it runs without further ado."""

    compiled = False

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        import tinygraph as tg

        self.tg, F = tg, tg.nn.functional
        self.model = self.optimizer = None
        batch = {k: tg.tensor(v) for k, v in self.batch.items()}
        shared = {k: batch.pop(k) for k in workload.shared}
        if "mask" in shared:
            shared["mask"] = None  # is_causal says it
        if workload.build is None:
            batch["x"].requires_grad_()
            self.leaf = batch["x"]
        else:
            self.model = workload.build(tg.nn)
            self.model.load_state_dict(self.weights)
            kinds = {"sgd": tg.optim.SGD, "adam": tg.optim.Adam}
            self.optimizer = kinds[workload.optimizer](
                self.model.parameters(), lr=LEARNING_RATE[workload.optimizer]
            )
        self.names, self.values = list(batch), list(batch.values())

        def loss(*values: Any) -> Any:
            named = dict(zip(self.names, values, strict=True))
            return workload.loss(F, self.model, **named, **shared)

        self.loss = loss
        self.train_once = self.as_step()

    def as_step(self) -> Callable[..., Any]:
        def step(*values: Any) -> Any:
            if self.optimizer is None:
                values[self.names.index("x")].grad = None
                result = self.loss(*values)
                result.backward()
                return result
            self.optimizer.zero_grad()
            result = self.loss(*values)
            result.backward()
            self.optimizer.step()
            return result

        return step

    def step(self) -> Any:
        self.train_once(*self.values)

    def loss_and_gradients(self) -> Checked:
        loss = self.loss(*self.values)
        loss.backward()
        if self.model is None:
            return float(loss), {"x": self.leaf.grad.copy()}
        return float(loss), {n: p.grad.copy() for n, p in self.model.named_parameters()}


class TinygraphCompiled(Tinygraph):
    """tinygraph with the step compiled to a plan."""

    def as_step(self) -> Callable[..., Any]:
        return self.tg.compile(super().as_step())


class TinygraphWorkers(Tinygraph):
    """tinygraph with two threads, half the batch each, compiled."""

    def as_step(self) -> Callable[..., Any]:
        return self.tg.parallel(self.loss, self.optimizer, workers=2, compile=True)


class Torch(Contestant):
    """PyTorch, eager."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        import torch

        self.torch, F = torch, torch.nn.functional
        self.batch = {k: torch.tensor(v) for k, v in self.batch.items()}
        self.model = self.optimizer = None
        if workload.build is None:
            self.batch["x"].requires_grad_()
        else:
            self.model = workload.build(torch.nn)
            self.model.load_state_dict({k: torch.tensor(v) for k, v in self.weights.items()})
            kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
            self.optimizer = kinds[workload.optimizer](
                self.model.parameters(), lr=LEARNING_RATE[workload.optimizer]
            )
        self.loss = self.prepare(lambda: workload.loss(F, self.model, **self.batch))

    def prepare(self, loss: Callable[[], Any]) -> Callable[[], Any]:
        return loss

    def step(self) -> Any:
        if self.optimizer is None:
            self.batch["x"].grad = None
            self.loss().backward()
            return
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def loss_and_gradients(self) -> Checked:
        loss = self.loss()
        loss.backward()
        if self.model is None:
            return loss.item(), {"x": self.batch["x"].grad.numpy()}
        return loss.item(), {n: p.grad.numpy() for n, p in self.model.named_parameters()}


class TorchCompiled(Torch):
    """PyTorch with torch.compile on the forward pass and loss (it compiles the backward too)."""

    def prepare(self, loss: Callable[[], Any]) -> Callable[[], Any]:
        return self.torch.compile(loss)


class Functional(Contestant):
    """A library without modules: gradients of a function of a dict of arrays."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        if "labels" in self.batch:
            labels = self.batch.pop("labels").reshape(-1)
            classes = self.weights[list(self.weights)[-1]].shape[0]
            self.batch["chosen"] = np.eye(classes, dtype=np.float32)[labels]
        floating = {k: v for k, v in self.weights.items() if v.dtype.kind == "f"}
        self.params = {k: v for k, v in floating.items() if "running_" not in k}
        if workload.build is None:
            self.params = {"x": self.batch.pop("x")}
        self.moments = {k: (np.zeros_like(v), np.zeros_like(v)) for k, v in self.params.items()}
        self.count = 0

    def update(self, gradients: dict[str, Any]) -> None:
        """One step of the optimizer, in place, in NumPy."""
        kind = self.workload.optimizer
        lr = LEARNING_RATE[kind]
        self.count += 1
        for name, g in gradients.items():
            p = self.params[name]
            if kind == "sgd":
                p -= lr * g
            elif kind == "adam":
                m, v = self.moments[name]
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                scale = lr / (1 - 0.9**self.count)
                p -= scale * m / (np.sqrt(v / (1 - 0.999**self.count)) + 1e-8)


class Autograd(Functional):
    """HIPS autograd."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        import autograd.numpy as lib
        from autograd import value_and_grad

        self.value_and_grad = value_and_grad(lambda p: workload.function(lib, p, **self.batch))

    def step(self) -> Any:
        self.update(self.value_and_grad(self.params)[1])

    def loss_and_gradients(self) -> Checked:
        loss, gradients = self.value_and_grad(self.params)
        return float(loss), gradients


class Mygrad(Functional):
    """MyGrad."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        import sys

        import mygrad

        sys.setrecursionlimit(10**6)  # MyGrad goes through the graph by recursion
        self.mg = mygrad

    def loss_and_gradients(self) -> Checked:
        tensors = {k: self.mg.tensor(v) for k, v in self.params.items()}
        loss = self.workload.function(self.mg, tensors, **self.batch)
        loss.backward()
        return float(loss), {k: t.grad for k, t in tensors.items()}

    def step(self) -> Any:
        self.update(self.loss_and_gradients()[1])


class Micrograd(Contestant):
    """micrograd's published package, number by number: the tiny MLP only."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        from micrograd.nn import MLP

        self.model = MLP(2, [16, 16, 1])
        weights = list(self.weights.values())
        for layer, w, b in zip(self.model.layers, weights[::2], weights[1::2], strict=True):
            for neuron, row, bias in zip(layer.neurons, w, b, strict=True):
                for value, number in zip(neuron.w, row, strict=True):
                    value.data = float(number)
                neuron.b.data = float(bias)

    def loss(self) -> Any:
        self.model.zero_grad()
        scores = [self.model(row) for row in self.batch["x"].tolist()]
        signs = self.batch["signs"][:, 0].tolist()
        losses = [(1 - sign * s).relu() for sign, s in zip(signs, scores, strict=True)]
        return sum(losses) * (1 / len(losses))

    def step(self) -> Any:
        self.loss().backward()
        for p in self.model.parameters():
            p.data -= LEARNING_RATE["sgd"] * p.grad

    def loss_and_gradients(self) -> Checked:
        loss = self.loss()
        loss.backward()
        gradients: dict[str, np.ndarray] = {}
        for i, layer in enumerate(self.model.layers):
            rows = [[w.grad for w in neuron.w] for neuron in layer.neurons]
            gradients[f"{2 * i}.weight"] = np.array(rows)
            gradients[f"{2 * i}.bias"] = np.array([neuron.b.grad for neuron in layer.neurons])
        return loss.data, gradients


def _jax(workload: Workload, arrays: Arrays) -> Contestant:
    from .with_jax import Jax

    return Jax(workload, arrays)


CONTESTANTS: dict[str, tuple[str, Callable[[Workload, Arrays], Contestant]]] = {
    "torch": ("torch", Torch),
    "tinygraph": ("tinygraph", Tinygraph),
    "tinygraph compile": ("tinygraph", TinygraphCompiled),
    "tinygraph 2 workers": ("tinygraph", TinygraphWorkers),
    "torch compile": ("torch", TorchCompiled),
    "jax": ("jax", _jax),
    "autograd": ("autograd", Autograd),
    "mygrad": ("mygrad", Mygrad),
    "micrograd": ("micrograd", Micrograd),
}
"""Name to the package that must be installed, and what makes the contestant."""


def installed() -> list[str]:
    """Return the contestants whose packages are there."""
    return [name for name, (package, _) in CONTESTANTS.items() if importlib.util.find_spec(package)]
