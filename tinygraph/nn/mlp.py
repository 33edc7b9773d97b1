"""Stacks of affine maps and activations: MLP, ResidualMLP, ResNetS."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from .activation import ReLU
from .checks import checked_size
from .compose import Residual
from .container import Sequential
from .linear import Linear
from .module import Module
from .wrapping import as_module

Activation = Callable[..., Any]
"""A class of modules, a function, or a module of which each place gets a copy."""


def new_activation(who: str, activation: Activation) -> Module:
    """Return a module of its own for one place in a stack."""
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if isinstance(activation, Module):
        return copy.deepcopy(activation)
    return as_module(activation, f"{who}(activation=…)")


class MLP(Sequential):
    """Multi-layer perceptron: ``MM_L ∘ σ ∘ … ∘ σ ∘ MM_1``; no activation after the last.

    Parameters
    ----------
    sizes : sequence of int
        Widths from input to output, at least two: ``[2, 16, 16, 1]`` has three affine maps.
    activation : Module class, function or Module
        Makes σ at each place; of a Module each place gets a copy.
    bias : bool
        Whether the affine maps have a bias.

    Raises
    ------
    UsageError
        If ``sizes`` are not at least two whole numbers.

    Notes
    -----
    Source: Rumelhart, Hinton and Williams 1986. The keys of its state are those of the equal
    ``nn.Sequential(nn.Linear(2, 16), nn.ReLU(), …)``.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.MLP([2, 16, 1], activation=nn.Tanh)
    MLP(
      (0): Linear(in_features=2, out_features=16, bias=True)
      (1): Tanh()
      (2): Linear(in_features=16, out_features=1, bias=True)
    )
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation = ReLU, bias: bool = True
    ) -> None:
        if isinstance(sizes, int | np.integer | str) or not hasattr(sizes, "__len__"):
            raise UsageError(
                compose_message("MLP takes a list of widths", describe(sizes), "nn.MLP([2, 16, 1])")
            )
        if len(sizes) < 2:
            raise UsageError(
                compose_message(
                    "MLP: sizes go from the input's width to the output's",
                    repr(list(sizes)),
                    "nn.MLP([2, 16, 1])",
                )
            )
        widths = [checked_size("MLP", f"sizes[{i}]", n, low=0) for i, n in enumerate(sizes)]
        layers: list[Module] = []
        for n, m in itertools.pairwise(widths):
            layers += [new_activation("MLP", activation)] if layers else []
            layers += [Linear(n, m, bias=bias)]
        super().__init__(*layers)


class ResidualMLP(Residual):
    """The residual block ``z + σ(MM₁(σ(MM₂(z))))``.

    With ReLU as σ the branch only adds: its output is never negative.

    Parameters
    ----------
    dim : int
        Width of z.
    hidden : int, optional
        Width between MM₂ and MM₁; ``dim`` by default.
    activation : Module class, function or Module
        Makes σ, as for MLP.

    Attributes
    ----------
    f : Sequential
        MM₂, σ, MM₁, σ.

    Notes
    -----
    Source: K. He et al. 2015, with affine maps in the place of convolutions.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ResidualMLP(4)(tg.ones(3, 4)).shape
    (3, 4)
    """

    def __init__(self, dim: int, hidden: int | None = None, activation: Activation = ReLU) -> None:
        width = checked_size("ResidualMLP", "dim", dim)
        inner = width if hidden is None else checked_size("ResidualMLP", "hidden", hidden)
        super().__init__(
            Sequential(
                Linear(width, inner),
                new_activation("ResidualMLP", activation),
                Linear(inner, width),
                new_activation("ResidualMLP", activation),
            )
        )


class ResNetS(Sequential):
    """A small residual network, ``MM(Res(Res(… Res(x))))``.

    Parameters
    ----------
    dim : int
        Width of the input and of every residual block.
    depth : int
        How many blocks, from 0 on.
    out : int
        Width of the output.
    hidden, activation
        As for ResidualMLP.

    Notes
    -----
    Source: K. He et al. 2015, Deep residual learning, with affine maps for convolutions.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ResNetS(dim=8, depth=3, out=2)(tg.ones(5, 8)).shape
    (5, 2)
    """

    def __init__(
        self, dim: int, depth: int, out: int, hidden: int | None = None,
        activation: Activation = ReLU,
    ) -> None:  # fmt: skip
        checked_size("ResNetS", "dim", dim)
        blocks = checked_size("ResNetS", "depth", depth, low=0)
        width = checked_size("ResNetS", "out", out)
        super().__init__(
            *[ResidualMLP(dim, hidden, activation) for _ in range(blocks)], Linear(dim, width)
        )
