"""Parameter groups of a model: options by module path, and weight decay only on matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor

Options = Mapping[str, Any]


def path_groups(model: Any, paths: Mapping[str, Options]) -> list[dict[str, Any]]:
    """Give the parameters below some module paths options of their own.

    Parameters
    ----------
    model : Module
        Anything with ``named_parameters()``.
    paths : dict
        A path (of a module or a parameter, as in ``model.named_parameters()``) and the
        options of what lies below it. The longest path that fits wins.

    Returns
    -------
    list of dict
        Groups for an optimizer; the rest, with the optimizer's own options, comes last.

    Raises
    ------
    UsageError
        If a path fits no parameter.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> model = nn.Linear(2, 8) >> nn.ReLU() >> nn.Linear(8, 1)
    >>> groups = tg.optim.path_groups(model, {"0": {"lr": 1e-4}})
    >>> [(len(g["params"]), g.get("lr")) for g in groups]
    [(2, 0.0001), (2, None)]
    >>> optimizer = tg.optim.SGD(groups, lr=0.1)
    """
    return _without_names(_grouped(_named("path_groups", model), _checked("path_groups", paths)))


def decay_groups(
    model: Any, weight_decay: float, paths: Mapping[str, Options] | None = None
) -> list[dict[str, Any]]:
    """Put weight decay on matrices (and filters) only: biases, scales and shifts get none.

    Parameters
    ----------
    model : Module
        Anything with ``named_parameters()``.
    weight_decay : float
        For parameters of two dimensions or more.
    paths : dict, optional
        Options by module path, as for :func:`path_groups`. A ``weight_decay`` there holds for
        the matrices below that path.

    Returns
    -------
    list of dict
        Groups for an optimizer.

    Raises
    ------
    UsageError
        If a path fits no parameter.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> model = nn.Linear(2, 8) >> nn.ReLU() >> nn.Linear(8, 1)
    >>> groups = tg.optim.decay_groups(model, weight_decay=0.1)
    >>> [(len(g["params"]), g["weight_decay"]) for g in groups]
    [(2, 0.1), (2, 0.0)]
    >>> optimizer = tg.optim.AdamW(groups, lr=1e-3)
    """
    found = []
    named = _named("decay_groups", model)
    for group in _grouped(named, _checked("decay_groups", paths or {})):
        matrices = [(n, p) for n, p in group["params"] if p.ndim >= 2]
        others = [(n, p) for n, p in group["params"] if p.ndim < 2]
        decay = group.pop("weight_decay", weight_decay)
        for part, own in ((matrices, decay), (others, 0.0)):
            if part:
                found.append({**group, "params": part, "weight_decay": own})
    return _without_names(found)


def _named(who: str, model: Any) -> list[tuple[str, Tensor]]:
    if not hasattr(model, "named_parameters"):
        raise UsageError(
            compose_message(f"{who} takes a module", describe(model), "the model itself")
        )
    return list(model.named_parameters())


def _checked(who: str, paths: Any) -> Mapping[str, Options]:
    if not isinstance(paths, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Mapping) and "params" not in v
        for k, v in paths.items()
    ):
        raise UsageError(
            compose_message(
                f"{who}: paths maps module paths to options",
                describe(paths),
                '{"encoder": {"lr": 1e-4}}',
            )
        )
    return paths


def _grouped(named: list[tuple[str, Tensor]], paths: Mapping[str, Options]) -> list[dict[str, Any]]:
    """Return a group for each path and one for the rest, of (name, parameter) pairs."""
    groups: dict[str, dict[str, Any]] = {p: {**paths[p], "params": []} for p in paths}
    rest: dict[str, Any] = {"params": []}
    for name, parameter in named:
        fitting = [p for p in paths if name == p or name.startswith(f"{p}.")]
        group = groups[max(fitting, key=len)] if fitting else rest
        group["params"].append((name, parameter))
    idle = [p for p in paths if not any(n == p or n.startswith(f"{p}.") for n, _ in named)]
    if idle:
        raise UsageError(
            compose_message(
                "Each path leads to parameters",
                ", ".join(map(repr, idle)),
                "one of " + ", ".join(repr(n) for n, _ in named) + ", or the module before a dot",
            )
        )
    return [g for g in (*groups.values(), rest) if g["params"]]


def _without_names(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**g, "params": [p for _, p in g["params"]]} for g in groups]
