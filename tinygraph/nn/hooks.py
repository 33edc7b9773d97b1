"""Hooks: functions that run before or after a module's forward pass, and may change it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, compose_message, describe

if TYPE_CHECKING:
    from .module import Module

Hook = Callable[..., Any]
Registered = dict[int, tuple[Hook, bool]]

_next_key = itertools.count().__next__


class Hooks:
    """The hooks of one module, in the order they run; a module without any has no such object."""

    def __init__(self) -> None:
        self.before: Registered = {}
        self.after: Registered = {}

    def run(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the module's forward between its hooks."""
        for hook, with_kwargs in tuple(self.before.values()):
            if with_kwargs:
                changed = hook(module, args, kwargs)
                if changed is not None:
                    args, kwargs = _as_call(hook, changed)
            else:
                changed = hook(module, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        output = module.forward(*args, **kwargs)
        for hook, with_kwargs in tuple(self.after.values()):
            given = (args, kwargs, output) if with_kwargs else (args, output)
            changed = hook(module, *given)
            if changed is not None:
                output = changed
        return output

    def copy(self) -> Hooks:
        """Return hooks of their own for a copy of the module."""
        twin = Hooks()
        twin.before, twin.after = dict(self.before), dict(self.after)
        return twin


def _as_call(hook: Hook, changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[1], dict):
        return changed
    raise UsageError(
        compose_message(
            "A pre-hook registered with_kwargs returns None or (args, kwargs)",
            f"{describe(changed)} from {getattr(hook, '__name__', hook)}",
            "return (x,), kwargs",
        )
    )


class RemovableHandle:
    """What registering a hook returns: takes the hook away again, also as a context manager.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> shapes = []
    >>> layer = nn.Linear(2, 3)
    >>> with layer.register_forward_hook(lambda m, args, y: shapes.append(y.shape)):
    ...     _ = layer(tg.ones(5, 2))
    >>> _ = layer(tg.ones(7, 2))
    >>> shapes
    [(5, 3)]
    """

    def __init__(self, module: Hookable, registered: Registered, key: int) -> None:
        self._module = module
        self._registered = registered
        self._key = key

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._registered.pop(self._key, None)
        hooks = self._module._hooks
        if hooks is not None and not hooks.before and not hooks.after:
            object.__setattr__(self._module, "_hooks", None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Hookable:
    """The part of a module that registers hooks."""

    _hooks: Hooks | None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args)`` before each forward pass.

        Parameters
        ----------
        hook : callable
            Returns None, or what replaces the positional arguments (a tuple, or one value).
        prepend : bool
            Run before the hooks that are there already.
        with_kwargs : bool
            Call ``hook(module, args, kwargs)``; it returns None or ``(args, kwargs)``.

        Returns
        -------
        RemovableHandle
            ``handle.remove()`` takes the hook away; so does the end of ``with handle:``.

        Raises
        ------
        UsageError
            If ``hook`` is not callable.

        Examples
        --------
        >>> import tinygraph as tg
        >>> from tinygraph import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
        >>> layer(tg.tensor([-3.0, 1.0]))
        tensor([0., 2.])
        """
        return _register(self, "before", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args, output)`` after each forward pass.

        Parameters
        ----------
        hook : callable
            Returns None, or what replaces the output.
        prepend : bool
            Run before the hooks that are there already.
        with_kwargs : bool
            Call ``hook(module, args, kwargs, output)``.

        Returns
        -------
        RemovableHandle
            ``handle.remove()`` takes the hook away; so does the end of ``with handle:``.

        Raises
        ------
        UsageError
            If ``hook`` is not callable.

        Examples
        --------
        >>> import tinygraph as tg
        >>> from tinygraph import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output * 10)
        >>> layer(tg.tensor([-3.0, 1.0]))
        tensor([ 0., 10.])
        """
        return _register(self, "after", hook, prepend, with_kwargs)


def _register(
    module: Hookable, where: str, hook: Any, prepend: bool, with_kwargs: bool
) -> RemovableHandle:
    """Add a hook to ``"before"`` or ``"after"``, last or first."""
    if not callable(hook):
        example = "lambda module, args: None"
        if where == "after":
            example = "lambda module, args, output: None"
        raise UsageError(
            compose_message(
                f"{type(module).__name__}: a hook is a function", describe(hook), example
            )
        )
    hooks = module._hooks or Hooks()
    object.__setattr__(module, "_hooks", hooks)
    registered = hooks.before if where == "before" else hooks.after
    key = _next_key()
    later = dict(registered) if prepend else {}
    if prepend:
        registered.clear()
    registered[key] = (hook, with_kwargs)
    registered.update(later)
    return RemovableHandle(module, registered, key)
