"""The same models as functions of a dict of arrays, for libraries without modules.

``lib`` has NumPy's names (``jax.numpy``, ``autograd.numpy``, ``mygrad``), and ``relu``,
``conv``, ``max_pool`` where the library has them. Weights keep the names of the modules.
"""

from __future__ import annotations

import math
from typing import Any

Params = dict[str, Any]


def affine(lib: Any, p: Params, name: str, x: Any) -> Any:
    return lib.matmul(x, lib.transpose(p[f"{name}.weight"])) + p[f"{name}.bias"]


def mlp(lib: Any, p: Params, x: Any) -> Any:
    numbers = sorted(int(name.removesuffix(".weight")) for name in p if name.endswith(".weight"))
    names = [str(n) for n in numbers]  # JAX hands over dicts sorted by text
    for name in names:
        x = affine(lib, p, name, x if name == names[0] else lib.maximum(x, 0))
    return x


def cross_entropy(lib: Any, scores: Any, chosen: Any) -> Any:
    """``chosen`` has a 1 at each row's class."""
    scores = scores - lib.max(scores, axis=1, keepdims=True)
    log_sum = lib.log(lib.sum(lib.exp(scores), axis=1))
    return lib.mean(log_sum - lib.sum(scores * chosen, axis=1))


def hinge(lib: Any, scores: Any, signs: Any) -> Any:
    return lib.mean(lib.maximum(1 - signs * scores, 0))


def mean_square(lib: Any, y: Any) -> Any:
    return lib.mean(y * y)


def cnn(lib: Any, p: Params, x: Any) -> Any:
    x = lib.maximum(lib.conv(x, p["0.weight"], p["0.bias"], 1, 1), 0)
    x = lib.maximum(lib.conv(x, p["2.weight"], p["2.bias"], 1, 1), 0)
    x = lib.max_pool(x)
    return affine(lib, p, "6", lib.reshape(x, (x.shape[0], -1)))


def cnn_1d(lib: Any, p: Params, x: Any) -> Any:
    for name in ("0", "2", "4"):
        x = lib.maximum(lib.conv(x, p[f"{name}.weight"], p[f"{name}.bias"], 2, 2), 0)
    return affine(lib, p, "7", lib.reshape(x, (x.shape[0], -1)))


def batch_norm(lib: Any, p: Params, name: str, x: Any) -> Any:
    mean = lib.mean(x, axis=(0, 2, 3), keepdims=True)
    centred = x - mean
    variance = lib.mean(centred * centred, axis=(0, 2, 3), keepdims=True)
    scale, shift = (lib.reshape(p[f"{name}.{k}"], (1, -1, 1, 1)) for k in ("weight", "bias"))
    return centred / lib.sqrt(variance + 1e-5) * scale + shift


def residual_blocks(lib: Any, p: Params, x: Any, count: int = 4) -> Any:
    for i in range(count):
        h = x
        for conv, norm in (("0", "2"), ("3", "5")):
            name = f"{i}.branch.{conv}"
            h = lib.maximum(lib.conv(h, p[f"{name}.weight"], p[f"{name}.bias"], 1, 1), 0)
            h = batch_norm(lib, p, f"{i}.branch.{norm}", h)
        x = h + x
    return x


def layer_norm(lib: Any, p: Params, name: str, x: Any) -> Any:
    centred = x - lib.mean(x, axis=-1, keepdims=True)
    variance = lib.mean(centred * centred, axis=-1, keepdims=True)
    return centred / lib.sqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def gelu(lib: Any, x: Any) -> Any:
    return 0.5 * x * (1 + lib.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def exact_gelu(lib: Any, x: Any) -> Any:
    return 0.5 * x * (1 + lib.erf(math.sqrt(0.5) * x))


def attention(lib: Any, p: Params, name: str, x: Any, mask: Any, heads: int = 4) -> Any:
    n, length, width = x.shape
    all_three = lib.matmul(x, lib.transpose(p[f"{name}.in_proj_weight"]))
    all_three = all_three + p[f"{name}.in_proj_bias"]
    split = lib.reshape(all_three, (n, length, 3, heads, width // heads))
    q, k, v = (lib.transpose(split[:, :, i], (0, 2, 1, 3)) for i in range(3))
    scores = lib.matmul(q, lib.transpose(k, (0, 1, 3, 2))) / math.sqrt(width // heads)
    scores = scores if mask is None else scores + mask
    weights = lib.exp(scores - lib.max(scores, axis=-1, keepdims=True))
    weights = weights / lib.sum(weights, axis=-1, keepdims=True)
    mixed = lib.reshape(lib.transpose(lib.matmul(weights, v), (0, 2, 1, 3)), (n, length, width))
    return affine(lib, p, f"{name}.out_proj", mixed)


def transformer_block(
    lib: Any, p: Params, name: str, x: Any, mask: Any = None, activation: Any = gelu
) -> Any:
    a = x + attention(lib, p, f"{name}.self_attn", layer_norm(lib, p, f"{name}.norm1", x), mask)
    h = affine(lib, p, f"{name}.linear1", layer_norm(lib, p, f"{name}.norm2", a))
    return a + affine(lib, p, f"{name}.linear2", activation(lib, h))


def transformer(
    lib: Any, p: Params, x: Any, count: int = 2, mask: Any = None, activation: Any = gelu
) -> Any:
    for i in range(count):
        x = transformer_block(lib, p, str(i), x, mask, activation)
    return x


def character_model(lib: Any, p: Params, x: Any, positions: Any, mask: Any) -> Any:
    h = p["characters.weight"][x] + p["positions.weight"][positions]
    for i in range(4):
        h = transformer_block(lib, p, f"blocks.{i}", h, mask)
    scores = affine(lib, p, "head", layer_norm(lib, p, "norm", h))
    return lib.reshape(scores, (-1, scores.shape[-1]))


def elementwise(lib: Any, x: Any) -> Any:
    sigmoid = 1 / (1 + lib.exp(-(1.5 * x + 0.3)))
    return lib.sum(sigmoid * lib.tanh(x) + gelu(lib, x))
