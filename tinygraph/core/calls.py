"""Wrong calls: unknown, missing and surplus arguments, with the word that was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
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
    "inplace": "results of tinygraph are new tensors; drop the argument",
    "start_dim": "the word is 'start_axis'",
    "end_dim": "the word is 'end_axis'",
    "device": "everything runs on the CPU; drop the argument",
    "dtype": "astype(np.float64) converts; tg.default_dtype(np.float64) is for what is made anew",
    "size_average": "the word is 'reduction'",
    "reduce": "the word is 'reduction'",
    "learning_rate": "the word is 'lr'",
    "num_epochs": "the word is 'epochs'",
    "n_epochs": "the word is 'epochs'",
    "validation_data": "the word is 'validation'",
    "verbose": "the word is 'progress'",
    "seed": "tg.manual_seed(0) before, or generator=tg.Generator(0)",
    "num_workers": "batches are read in the thread that trains; drop the argument",
    "pin_memory": "everything runs on the CPU; drop the argument",
}
"""What is meant by words that other libraries use."""


def reject_keyword(signature: str, key: str, known: Iterable[str] = ()) -> UsageError:
    """Return the error for an argument that does not exist, with the word that was meant."""
    fix = BETTER_WORDS.get(key, "")
    if not fix and (close := difflib.get_close_matches(key, sorted(known), 1, 0.7)):
        fix = f"the word is '{close[0]}'"
    return UsageError(compose_message(f"{signature} takes no argument '{key}'", fix=fix))


class Call:
    """The parameters of a function, to check a call against.

    Parameters
    ----------
    name : str
        What is called, as the error says it.
    function : callable
    example : str
        A right call, for the errors.
    skip : int
        Parameters that the caller does not give: 1 for ``self``.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], example: str = "", skip: int = 0
    ) -> None:
        self.name = name
        self.example = example
        parameters = list(inspect.signature(function).parameters.values())[skip:]
        placed = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.names = frozenset(p.name for p in parameters)
        self.required = tuple(p.name for p in placed if p.default is p.empty)
        self.required_words = tuple(
            p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        )
        self.order = tuple(p.name for p in placed)
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.most = 1_000_000 if variadic else len(placed)
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.signature = f"{name}{_as_text(parameters)}"

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise UsageError unless the function can be called so."""
        for key in kwargs:
            if key not in self.names and not self.open:
                raise reject_keyword(self.signature, key, self.names)
        twice = [name for name in self.order[: len(args)] if name in kwargs]
        if len(args) > self.most or twice:
            raise UsageError(
                compose_message(
                    f"{self.signature}: too many positional arguments",
                    f"{twice[0]} twice" if twice else f"{len(args)} of them",
                    self.example,
                )
            )
        missing = [n for n in self.required[len(args) :] if n not in kwargs]
        missing += [n for n in self.required_words if n not in kwargs]
        if missing:
            fix = f" Fix: {self.example}." if self.example else ""
            raise UsageError(f"{self.signature}: missing argument {', '.join(missing)}.{fix}")


def _as_text(parameters: list[inspect.Parameter]) -> str:
    """Return the parameters as Python writes them, without types."""
    return str(inspect.Signature([p.replace(annotation=p.empty) for p in parameters]))


def checked_call(function: F) -> F:
    """Decorate a public function so that a wrong call raises our error."""
    return checked_call_like("")(function)


def checked_call_like(example: str) -> Callable[[F], F]:
    """Decorate as :func:`checked_call`, with a right call for the error to show."""

    def decorate(function: F) -> F:
        call = Call(function.__name__, function, example)

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != len(call.required) or call.required_words:
                call.check(args, kwargs)
            return function(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate


def explain_calls(cls: type) -> None:
    """Explain wrong calls of one of our own classes; those of others stay as Python has them."""
    if cls.__module__.startswith("tinygraph.") and "__init__" in vars(cls):
        cls.__init__ = checked_init(cls.__init__)  # type: ignore[misc]


def _init_of(cls: type) -> Any:
    return cls.__init__  # type: ignore[misc]


def checked_init(init: F) -> F:
    """Decorate an ``__init__`` so that a wrong call raises our error, and names the class."""

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            return init(self, *args, **kwargs)  # type: ignore[no-any-return]
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from inside: the call itself was right
            owner = next(c for c in type(self).__mro__ if _init_of(c) is checked)
            wrong = error
        Call(owner.__name__, init, skip=1).check(args, kwargs)
        raise wrong

    return checked  # type: ignore[return-value]
