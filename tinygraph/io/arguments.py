"""The arguments of save and load: checked before any file is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.storage import Array
from .header import PREFIX
from .packing import as_stored


def weights_of(model: Any) -> dict[str, Array]:
    """Return the model's arrays by name, each as it is written."""
    if not isinstance(model, Mapping):
        check_holder("tg.save", model, "state_dict")
        check_model("tg.save", model)
        model = model.state_dict()
    tensors = {}
    for name, value in model.items():
        _check_name(name)
        tensors[name] = as_stored(value, f"tensor {name!r}")
    return tensors


def _check_name(name: Any) -> None:
    reserved = type(name) is str and (name == "__metadata__" or name.startswith(PREFIX))
    if type(name) is not str or reserved or not name.isprintable():
        what = f"tg.save: names are printable texts, other than __metadata__ and {PREFIX}…"
        raise UsageError(compose_message(what, repr(name), "another name"))


def check_holder(where: str, holder: Any, *methods: str) -> None:
    """Raise unless this is an object (not a class) with the methods."""
    missing = [m for m in methods if not callable(getattr(holder, m, None))]
    if missing or isinstance(holder, type):
        raise UsageError(
            compose_message(
                f"{where}: it needs the methods {', '.join(methods)}",
                describe(holder),
                "an object, such as nn.Linear(2, 1) or tg.optim.SGD(…)"
                + (", or a dict from name to array" if where == "tg.save" else ""),
            )
        )


def check_model(who: str, model: Any) -> None:
    """Raise for an optimizer or a schedule in the place of the model."""
    if callable(getattr(model, "step", None)):
        word = "optimizer" if hasattr(model, "param_groups") else "schedule"
        place = "model, path" if who == "tg.save" else "path"
        raise UsageError(
            compose_message(
                f"{who}: a model, not what trains it, comes there",
                describe(model),
                f"{who}({place}, {word}={word})",
            )
        )


def as_generators(who: str, generator: Any) -> list[Any]:
    found = list(generator) if isinstance(generator, list | tuple) else [generator]
    for g in found:
        if not hasattr(g, "get_state") or not hasattr(g, "set_state") or isinstance(g, type):
            raise UsageError(
                compose_message(
                    f"{who}: generator is a Generator or a list of them",
                    describe(g),
                    "tg.Generator(seed)",
                )
            )
    return found


def checked_epoch(epoch: Any) -> int:
    if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or epoch < 0:
        raise UsageError(f"tg.save: epoch is a whole number from 0 on, not {describe(epoch)}.")
    return int(epoch)
