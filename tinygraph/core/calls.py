"""Wrong calls: unknown, missing and surplus arguments, with the word that was meant."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import UsageError, compose_message

F = TypeVar("F", bound=Callable[..., Any])

BETTER_WORDS = {
    "dim": "the word is 'axis'",
    "dims": "the word is 'axes'",
    "keepdim": "the word is 'keepdims'",
    "unbiased": "ddof=1 gives the unbiased variance",
    "correction": "the word is 'ddof'",
    "out": "results of tinygraph are new tensors; drop the argument",
    "where": "results of tinygraph are new tensors; drop the argument",
    "casting": "results of tinygraph are new tensors; drop the argument",
}


def reject_keyword(signature: str, key: str) -> UsageError:
    """Return the error for an argument that does not exist."""
    fix = BETTER_WORDS.get(key, "")
    return UsageError(compose_message(f"{signature} takes no argument '{key}'", fix=fix))


class Call:
    """The parameters of a function, to check a call against before it is made."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        parameters = inspect.signature(function).parameters.values()
        placed = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.names = frozenset(p.name for p in parameters)
        self.required = tuple(p.name for p in placed if p.default is p.empty)
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.most = 1_000_000 if variadic else len(placed)
        self.signature = f"{name}({', '.join(str(p).split(':')[0] for p in parameters)})"
        for p in parameters:
            if p.default is not p.empty:
                self.signature = self.signature.replace(f" {p.name}", f" {p.name}={p.default!r}", 1)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise UsageError unless the function can be called so."""
        for key in kwargs:
            if key not in self.names:
                raise reject_keyword(self.signature, key)
        if len(args) > self.most:
            raise UsageError(
                compose_message(
                    f"{self.signature}: too many positional arguments", f"{len(args)} of them"
                )
            )
        missing = [n for n in self.required[len(args) :] if n not in kwargs]
        if missing:
            raise UsageError(f"{self.signature}: missing argument {', '.join(missing)}.")


def checked_call(function: F) -> F:
    """Decorate a public function so that a wrong call raises our error."""
    call = Call(function.__name__, function)

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(call.required):
            call.check(args, kwargs)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]
