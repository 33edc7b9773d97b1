"""The optimizer of a run: given, or made of a name, a class or a function."""

from __future__ import annotations

import difflib
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..nn import Module
from ..optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "sgd": SGD,
}


def as_optimizer(model: Module, optimizer: Any, lr: float | None) -> Optimizer:
    """Return an optimizer of parameters of the model.

    Raises
    ------
    UsageError
        For unknown names, optimizers that are closed or train something else, and models
        with nothing to train.
    """
    if isinstance(optimizer, Optimizer):
        return _checked(model, optimizer, lr)
    make = optimizer
    if isinstance(optimizer, str):
        make = OPTIMIZERS.get(optimizer.lower())
    if make is None or not callable(make):
        close = difflib.get_close_matches(str(optimizer).lower(), OPTIMIZERS, n=1)
        raise UsageError(
            compose_message(
                f"fit: optimizer is an Optimizer, its class, or one of {', '.join(OPTIMIZERS)}",
                describe(optimizer),
                f'optimizer="{close[0]}"' if close else "tg.optim.Adam(model.parameters(), lr=…)",
            )
        )
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise UsageError(
            f"fit: {type(model).__name__} has no parameter that requires grad. "
            "Fix: model.requires_grad_(), or a model with parameters."
        )
    made = make(parameters) if lr is None else make(parameters, lr=lr)
    if not isinstance(made, Optimizer):
        raise UsageError(
            compose_message(
                "fit: the function given as optimizer takes parameters and returns an Optimizer",
                describe(made),
                "optimizer=lambda p: tg.optim.SGD(p, lr=0.1, momentum=0.9)",
            )
        )
    return made


def _checked(model: Module, optimizer: Optimizer, lr: float | None) -> Optimizer:
    who = type(optimizer).__name__
    if lr is not None:
        raise UsageError(
            f"fit: this {who} has its learning rate already. Fix: optimizer.param_groups[0]['lr'] "
            f"= {lr!r}, or optimizer=tg.optim.{who}, lr={lr!r}."
        )
    if optimizer.closed:
        raise UsageError(f"fit: this {who} was closed. Fix: build a new one.")
    held = {p for group in optimizer.param_groups for p in group["params"]}
    if held.isdisjoint(model.parameters()):
        raise UsageError(
            f"fit: this {who} holds no parameter of the model. "
            f"Fix: tg.optim.{who}(model.parameters(), …)."
        )
    return optimizer
