"""Plain data with arrays in it, as JSON beside tensors, so that it comes back exactly.

What JSON has no word for becomes an object with one key that begins with ``$``:
``{"$tuple": […]}``, ``{"$array": "name of a tensor"}`` and so on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import (
    CheckpointError,
    TinygraphError,
    UsageError,
    compose_message,
    describe,
    shorten,
)
from ..core.storage import Array
from ..core.tensor import Tensor

DEEPEST = 100
"""Levels of lists and dicts within each other; more are a mistake, or an attack."""

NOT_IN_JSON = ("nan", "inf", "-inf")


def as_stored(value: Any, where: str) -> Array:
    """Return ``value`` as the array that is written: little-endian, C-contiguous, any shape.

    Raises
    ------
    UsageError
        If it is not an array, Tensor or number of a dtype that a tensor can have.
    """
    if isinstance(value, Tensor):
        value = value.data
    try:
        if not isinstance(value, np.ndarray | np.generic | bool | int | float):
            raise UsageError(
                compose_message("Arrays, Tensors and numbers can be saved", describe(value))
            )
        array = as_array(value)
    except TinygraphError as error:
        raise UsageError(f"tg.save, {where}: {error}") from None
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def pack(value: Any, where: str, tensors: dict[str, Array], depth: int = 0) -> Any:
    """Return ``value`` as JSON; its arrays go into ``tensors``, under names like ``where``.

    Raises
    ------
    UsageError
        For anything but None, bool, int, float, str, list, tuple, dict (keys: texts or
        whole numbers), arrays, Tensors and NumPy numbers.
    """
    kind = type(value)
    if depth > DEEPEST:
        raise UsageError(f"tg.save, {shorten(where)}: more than {DEEPEST} levels deep.")
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if np.isfinite(value) else {"$float": str(value)}
    if kind in (list, tuple):
        items = [pack(v, f"{where}/{i}", tensors, depth + 1) for i, v in enumerate(value)]
        return items if kind is list else {"$tuple": items}
    if kind is dict and all(type(k) in (str, int) for k in value):
        pairs = [(k, pack(v, f"{where}/{k}", tensors, depth + 1)) for k, v in value.items()]
        plain = all(type(k) is str and not k.startswith("$") for k in value)
        return dict(pairs) if plain else {"$dict": [list(pair) for pair in pairs]}
    if isinstance(value, np.ndarray | np.generic | Tensor):
        where = where.encode(errors="backslashreplace").decode()  # half characters
        while where in tensors:  # {0: a, "0": b}
            where += "+"
        tensors[where] = as_stored(value, where)
        return {"$scalar" if isinstance(value, np.generic) else "$array": where}
    raise UsageError(
        compose_message(
            f"tg.save, {where}: None, bool, int, float, str, list, tuple, dict (keys: str or int), "
            "arrays and Tensors can be saved, exactly these types",
            describe(value),
            "convert it, such as dict(…), list(…), float(…) or str(…)",
        )
    )


def unpack(value: Any, tensors: dict[str, Array], depth: int = 0) -> Any:
    """Return what :func:`pack` was given; takes the arrays it needs out of ``tensors``.

    Raises
    ------
    CheckpointError
        If this is nothing that ``pack`` returns.
    """
    if depth > 2 * DEEPEST + 2:
        raise CheckpointError("its state is nested too deeply")
    if isinstance(value, list):
        return [unpack(v, tensors, depth + 1) for v in value]
    if not isinstance(value, dict):
        return value
    if not any(key.startswith("$") for key in value):
        return {k: unpack(v, tensors, depth + 1) for k, v in value.items()}
    ((kind, inner), *more) = value.items()
    if not more and kind == "$tuple" and isinstance(inner, list):
        return tuple(unpack(inner, tensors, depth + 1))
    if not more and kind == "$dict" and isinstance(inner, list) and all(map(_is_pair, inner)):
        return {k: unpack(v, tensors, depth + 1) for k, v in inner}
    if not more and type(inner) is str:
        if kind == "$float" and inner in NOT_IN_JSON:
            return float(inner)
        if kind in ("$array", "$scalar") and inner in tensors:
            array = tensors.pop(inner)  # each is meant once
            return array[()] if kind == "$scalar" else array
    raise CheckpointError(f"its state says {shorten(ascii(kind))} of something that has none")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and type(pair[0]) in (str, int)
