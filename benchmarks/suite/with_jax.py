"""JAX: the whole step compiled by ``jax.jit``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .contestants import Checked, Functional
from .workloads import LEARNING_RATE, Arrays, Workload


class Library:
    """jax.numpy, with the error function, convolution and pooling."""

    erf = staticmethod(lax.erf)

    def __getattr__(self, name: str) -> Any:
        return getattr(jnp, name)

    @staticmethod
    def conv(x: Any, weight: Any, bias: Any, stride: int, padding: int) -> Any:
        axes = x.ndim - 2
        y = lax.conv_general_dilated(x, weight, (stride,) * axes, [(padding, padding)] * axes)
        return y + bias.reshape((1, -1) + (1,) * axes)

    @staticmethod
    def max_pool(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


class Jax(Functional):
    """JAX with jit over the whole step."""

    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__(workload, arrays)
        batch = {k: jnp.asarray(v) for k, v in self.batch.items()}
        lib, kind = Library(), workload.optimizer
        value_and_grad = jax.value_and_grad(lambda p: workload.function(lib, p, **batch))
        self.value_and_grad = jax.jit(value_and_grad)
        lr = LEARNING_RATE[kind]

        def step(state: Any) -> Any:
            params, first, second, count = state
            loss, g = value_and_grad(params)
            tree = jax.tree_util.tree_map
            if kind == "sgd":
                return (tree(lambda p, d: p - lr * d, params, g), first, second, count), loss
            if not kind:
                return (params, g, second, count), loss  # the gradient is a result
            count = count + 1
            first = tree(lambda m, d: m + 0.1 * (d - m), first, g)
            second = tree(lambda v, d: v + 0.001 * (d * d - v), second, g)
            step_size, root = lr / (1 - 0.9**count), jnp.sqrt(1 - 0.999**count)
            params = tree(
                lambda p, m, v: p - step_size * m / (jnp.sqrt(v) / root + 1e-8),
                params, first, second,
            )  # fmt: skip
            return (params, first, second, count), loss

        self.compiled = jax.jit(step)
        params = {k: jnp.asarray(v) for k, v in self.params.items()}
        zeros = {k: jnp.zeros_like(v) for k, v in params.items()}
        self.state = (params, zeros, dict(zeros), jnp.float32(0))

    def step(self) -> Any:
        self.state, loss = self.compiled(self.state)
        jax.block_until_ready((self.state, loss))

    def loss_and_gradients(self) -> Checked:
        params = {k: jnp.asarray(v) for k, v in self.params.items()}
        loss, gradients = self.value_and_grad(params)
        return float(loss), {k: np.asarray(v) for k, v in gradients.items()}
