"""Claims about modules, each with a verdict and the measurements that it rests on.

One definition is what the tests check, what the page for readers shows and what the report
prints. A check measures; each measurement says itself what it has to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...core.errors import UsageError
from ...core.modes import default_dtype
from ...core.tensor import Tensor
from ...ops.random import default_generator

Verdict = Literal["holds", "holds if", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("wrong", "holds if", "holds")

ROUNDING = 1e-9
"""What counts as 0 in float64, for numbers of order 1."""


# ---- measurements ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """One measurement: what it is of, how it is shown, and whether it came out as it has to.

    Attributes
    ----------
    what : str
        What was measured.
    value : Any
        What came out.
    shown : str
        The same as text, rounded.
    ok : bool
        Whether it is what the verdict says.
    """

    what: str
    value: Any
    shown: str
    ok: bool


def gap(a: Any, b: Any) -> float:
    """Return the largest difference of two arrays or tensors."""
    return float(np.max(np.abs(raw(a) - raw(b))))


def raw(x: Any) -> Any:
    """Return the array of a tensor."""
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def zero(what: str, value: Any, below: float = ROUNDING) -> Fact:
    """Measure what has to be 0 but for rounding."""
    return Fact(what, value, "0, up to rounding", bool(abs(value) < below))


def exactly(what: str, value: Any, wanted: Any) -> Fact:
    """Measure a count, a shape, a truth or a text."""
    return Fact(what, value, _text(value), bool(value == wanted))


def about(what: str, value: Any, wanted: Any, digits: int = 3, within: float = 0.02) -> Fact:
    """Measure a number that is known up to a share of itself."""
    near = abs(value - wanted) <= within * abs(wanted)
    return Fact(what, float(value), _number(value, digits), bool(near))


def more(what: str, value: Any, than: float, digits: int = 2) -> Fact:
    """Measure a number that has to be large enough to matter."""
    return Fact(what, float(value), _number(value, digits), bool(value > than))


def less(what: str, value: Any, than: float, digits: int = 2) -> Fact:
    """Measure a number that has to be small enough."""
    return Fact(what, float(value), _number(value, digits), bool(value < than))


def _number(value: Any, digits: int) -> str:
    """Return a number with so many digits, and with powers of ten where there are many zeros."""
    mantissa, _, power = f"{float(value):.{digits}g}".replace("-", "−").partition("e")
    exponent = str(int(power.replace("−", "-"))) if power else ""
    return f"{mantissa} · 10^{exponent.replace('-', '−')}" if power else mantissa


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:g}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def draw(*shape: int, seed: int = 0) -> Any:
    """Draw standard normal numbers, the same ones for equal seeds."""
    return np.random.default_rng(seed).normal(size=shape)


# ---- claims ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A statement that is often made, what is true of it, and how that is measured.

    Attributes
    ----------
    name : str
        Its name in :data:`CLAIMS`.
    topic : str
        What it is about.
    statement : str
        What is said.
    verdict : {"holds", "holds if", "wrong"}
    truth : str
        What is true: for "holds if" the condition comes first.
    check : callable
        Returns the facts.
    """

    name: str
    topic: str
    statement: str
    verdict: Verdict
    truth: str
    check: Callable[[], list[Fact]]

    def measure(self) -> list[Fact]:
        """Run the check in float64, with its own random numbers; nothing outside changes."""
        with default_dtype(np.float64), _own_random_numbers(), np.errstate(all="ignore"):
            return self.check()


CLAIMS: dict[str, Claim] = {}
"""All claims by name, in the order in which they are told."""


def claim(topic: str, statement: str, verdict: Verdict, truth: str) -> Callable[..., Any]:
    """Register the check of a claim: its name is that of the function."""

    def register(check: Callable[[], list[Fact]]) -> Callable[[], list[Fact]]:
        name = check.__name__.replace("_", "-")
        if name in CLAIMS or verdict not in VERDICTS:
            raise UsageError(f"claim {name!r}: the name is taken, or {verdict!r} is no verdict.")
        CLAIMS[name] = Claim(name, topic, statement, verdict, truth, check)
        return check

    return register


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Start tinygraph's generator anew, and put it back afterwards."""
    state = default_generator.get_state()
    default_generator.manual_seed(0)
    try:
        yield
    finally:
        default_generator.set_state(state)
