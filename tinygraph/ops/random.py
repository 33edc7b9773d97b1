"""Random draws: the only ops that are not functions of their inputs.

All draw from a :class:`Generator`, tinygraph's own by default; `manual_seed` makes a
program repeat its draws.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..core.dtypes import as_array, checked_dtype
from ..core.errors import ShapeError, UsageError
from ..core.leaves import as_index
from ..core.modes import get_default_dtype
from ..core.op import Op, op
from ..core.recording import run_check
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .axes import as_shape
from .creation import check_finite


class Generator:
    """A stream of random numbers (PCG64) with a state that can be saved.

    Parameters
    ----------
    seed : int or None
        Equal seeds give equal streams; None takes entropy from the system.

    Examples
    --------
    >>> import tinygraph as tg
    >>> a = tg.rand(3, generator=tg.Generator(0))
    >>> b = tg.rand(3, generator=tg.Generator(0))
    >>> bool((a == b).numpy().all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self._source = np.random.default_rng(_checked_seed(seed))

    @property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator behind."""
        return self._source

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of ``seed`` and return self."""
        self._source = np.random.default_rng(_checked_seed(seed))
        return self

    def get_state(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return dict(self._source.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state of :meth:`get_state`."""
        try:
            self._source.bit_generator.state = state
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"Generator.set_state: not a state of get_state: {error}") from error

    def spawn(self, count: int) -> list[Generator]:
        """Return independent generators, the same ones for the same seed."""
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
            raise UsageError(f"Generator.spawn: count is a whole number from 0 on, not {count!r}.")
        children = []
        for source in self._source.spawn(count):
            child = Generator(0)
            child._source = source
            children.append(child)
        return children

    def __repr__(self) -> str:
        return "Generator(PCG64)"


def _checked_seed(seed: int | None) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"A seed is a whole number from 0 on, or None. Received {seed!r}.")
    return int(seed)


default_generator = Generator()

stand_in: ContextVar[Callable[[Generator], Generator] | None] = ContextVar(
    "tinygraph_generators", default=None
)
"""What ops draw from in the place of a generator: workers that share one each have their own."""


def manual_seed(seed: int) -> Generator:
    """Seed tinygraph's own generator, which all draws use by default; return it.

    Raises
    ------
    UsageError
        If ``seed`` is not a whole number from 0 on.

    Examples
    --------
    >>> import tinygraph as tg
    >>> _ = tg.manual_seed(0); a = tg.rand(2)
    >>> _ = tg.manual_seed(0); b = tg.rand(2)
    >>> bool((a == b).numpy().all())
    True
    """
    return default_generator.manual_seed(seed)


# ---- the ops ------------------------------------------------------------------------------


def _uniform(*, shape: Any, low: float, high: float, dtype: Any, generator: Generator) -> Array:
    if dtype in (np.float32, np.float64):
        unit = generator.numpy.random(shape, dtype=dtype)
    else:
        unit = generator.numpy.random(shape).astype(dtype)
    return np.asarray(unit * dtype.type(high - low) + dtype.type(low), dtype=dtype)


def _normal(*, shape: Any, mean: float, std: float, dtype: Any, generator: Generator) -> Array:
    if dtype in (np.float32, np.float64):
        unit = generator.numpy.standard_normal(shape, dtype=dtype)
    else:
        unit = generator.numpy.standard_normal(shape).astype(dtype)
    return np.asarray(unit * dtype.type(std) + dtype.type(mean), dtype=dtype)


def _integers(*, shape: Any, low: int, high: int, generator: Generator) -> Array:
    return np.asarray(generator.numpy.integers(low, high, shape))


def _bernoulli(p: Any, *, generator: Generator) -> Array:
    p = np.asarray(p)
    dtype = p.dtype if p.dtype.kind == "f" else np.dtype(np.float64)
    return np.asarray(generator.numpy.random(p.shape) < p, dtype=dtype)


def _shuffled(*, count: int, generator: Generator) -> Array:
    return generator.numpy.permutation(count)


def _random(name: str, forward: Any, formula: str, doc: str) -> Op:
    return op(name, forward, kind="random", label="~", formula=formula, doc=doc)


uniform_op = _random("uniform", _uniform, "x ~ U(low, high)", "Draw uniformly from [low, high).")
normal_op = _random("normal", _normal, "x ~ N(mean, std²)", "Draw from a normal distribution.")
randint_op = _random("randint", _integers, "x ~ U{low … high − 1}", "Draw whole numbers.")
permutation_op = _random(
    "permutation", _shuffled, "0 … n − 1 in random order", "Shuffle 0 … n − 1."
)
bernoulli_op = _random(
    "bernoulli", _bernoulli, "1 with probability p, else 0", "Draw 0 or 1 for each probability."
)

# ---- the functions --------------------------------------------------------------------------


def _shape(who: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    result = as_shape(who, tuple(lengths))
    if any(n < 0 for n in result):
        raise ShapeError(f"{who}: lengths are whole numbers from 0 on. Received {result}.")
    return result


def chosen_generator(generator: Generator | None) -> Generator:
    """Return the generator to draw from: tinygraph's own for None."""
    if generator is None:
        generator = default_generator
    elif not isinstance(generator, Generator):
        raise UsageError(
            f"generator is a tg.Generator, received {type(generator).__name__}. "
            "Fix: tg.Generator(seed)."
        )
    replace = stand_in.get()
    return generator if replace is None else replace(generator)


def _float_dtype(dtype: Any) -> np.dtype[Any]:
    result = get_default_dtype() if dtype is None else checked_dtype(dtype)
    if result.kind != "f":
        raise UsageError(f"Random floats need a floating dtype, received {result}.")
    return result


def uniform(
    *shape: Any, low: float = 0.0, high: float = 1.0, dtype: Any = None,
    generator: Generator | None = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Draw uniformly from [low, high).

    Parameters
    ----------
    *shape : int, or one tuple
    low, high : float
        The interval.
    dtype : dtype, optional
        A floating dtype; the default one by default.
    generator : Generator, optional
        Where to draw from; tinygraph's own by default.
    requires_grad : bool
        Whether the result is a leaf that requires grad.

    Raises
    ------
    ShapeError, UsageError
        For negative lengths, or high < low.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.uniform(2, 3, low=-1, high=1).shape
    (2, 3)
    """
    check_finite("uniform", low=low, high=high)
    if not low <= high:
        raise UsageError(f"uniform: low must not exceed high. Received low={low}, high={high}.")
    value = uniform_op(
        shape=_shape("uniform", shape), low=float(low), high=float(high),
        dtype=_float_dtype(dtype), generator=chosen_generator(generator),
    )  # fmt: skip
    return Tensor(np.asarray(value), requires_grad)


def normal(
    *shape: Any, mean: float = 0.0, std: float = 1.0, dtype: Any = None,
    generator: Generator | None = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Draw from the normal distribution with this mean and standard deviation.

    Parameters are those of :func:`uniform`; ``std`` must not be negative.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.normal(2, std=0.1).shape
    (2,)
    """
    check_finite("normal", mean=mean, std=std)
    if not std >= 0:
        raise UsageError(f"normal: std must not be negative. Received {std}.")
    value = normal_op(
        shape=_shape("normal", shape), mean=float(mean), std=float(std),
        dtype=_float_dtype(dtype), generator=chosen_generator(generator),
    )  # fmt: skip
    return Tensor(np.asarray(value), requires_grad)


def rand(*shape: Any, dtype: Any = None, generator: Generator | None = None,
         requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Draw uniformly from [0, 1): :func:`uniform` with its default interval.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.rand(2, 3).shape
    (2, 3)
    """
    return uniform(*shape, dtype=dtype, generator=generator, requires_grad=requires_grad)


def randn(*shape: Any, dtype: Any = None, generator: Generator | None = None,
          requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Draw from the standard normal distribution.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.randn(2, 3).shape
    (2, 3)
    """
    return normal(*shape, dtype=dtype, generator=generator, requires_grad=requires_grad)


def randint(low: int, high: int | None = None, shape: Any = (),
            generator: Generator | None = None) -> Tensor:  # fmt: skip
    """Draw whole numbers (int64) from low to high − 1; with one number, from 0.

    Raises
    ------
    UsageError
        If the range is empty.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.randint(10, shape=(2, 2)).dtype
    dtype('int64')
    """
    start, stop = (0, as_index(low)) if high is None else (as_index(low), as_index(high))
    if start >= stop:
        raise UsageError(f"randint: low must be below high. Received low={start}, high={stop}.")
    value = randint_op(
        shape=_shape("randint", (shape,)),
        low=start, high=stop, generator=chosen_generator(generator),
    )  # fmt: skip
    return Tensor(np.asarray(value))


def permutation(count: int, generator: Generator | None = None) -> Tensor:
    """Return 0 … count − 1 in random order (int64).

    Examples
    --------
    >>> import tinygraph as tg
    >>> sorted(tg.permutation(3).numpy().tolist())
    [0, 1, 2]
    """
    number = as_index(count)
    if number < 0:
        raise UsageError(f"permutation: count must not be negative. Received {number}.")
    return Tensor(np.asarray(permutation_op(count=number, generator=chosen_generator(generator))))


def _check_probabilities(values: Array) -> None:
    if not ((values >= 0) & (values <= 1)).all():
        raise UsageError("bernoulli: probabilities lie between 0 and 1.")


def bernoulli(p: Any, generator: Generator | None = None) -> Tensor:
    """Draw 1 with probability ``p``, else 0, for each element of ``p``; no gradient.

    Raises
    ------
    UsageError
        If a probability lies outside [0, 1].

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.bernoulli(tg.ones(3))
    tensor([1., 1., 1.])
    """
    p = p if isinstance(p, Tensor) else Tensor(as_array(p))
    run_check(_check_probabilities, p)
    source = p if p.dtype.kind == "f" else cast(p, dtype=get_default_dtype())
    return bernoulli_op(source, generator=chosen_generator(generator))
