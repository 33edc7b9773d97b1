"""ParameterList and ParameterDict: parameters by number or by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import IndexRangeError, UsageError, compose_message, describe
from .module import Module
from .parameter import Parameter
from .stack import as_position


def _as_parameter(value: Any) -> Parameter:
    """Return a parameter as it is, and arrays and tensors as the value of a new one."""
    return value if isinstance(value, Parameter) else Parameter(value)


class ParameterList(Module):
    """A list of parameters that are seen by training and saving.

    Parameters
    ----------
    values : iterable of Parameter or array-like

    Examples
    --------
    >>> from tinygraph import nn
    >>> scales = nn.ParameterList([nn.Parameter([1.0]), nn.Parameter([2.0])])
    >>> [name for name, _ in scales.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
            raise UsageError(
                compose_message(
                    "ParameterList takes a list of parameters",
                    describe(values),
                    "nn.ParameterList([parameter])",
                )
            )
        self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end and return self."""
        setattr(self, str(len(self._parameters)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add several parameters and return self."""
        for value in [_as_parameter(v) for v in values]:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._parameters.values())
        if isinstance(index, slice):
            return ParameterList(found[index])
        position = as_position("ParameterList", index)
        if not -len(found) <= position < len(found):
            raise IndexRangeError(
                f"ParameterList has {len(found)} parameters, there is no number {position}."
            )
        return found[position]

    def extra_repr(self) -> str:
        return ", ".join(describe(p) for p in self)


class ParameterDict(Module):
    """A dict of parameters that are seen by training and saving.

    Parameters
    ----------
    values : mapping from name to Parameter or array-like, optional

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.ParameterDict({"scale": [2.0]})["scale"].requires_grad
    True
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if values is not None and not isinstance(values, Mapping):
            raise UsageError(
                compose_message(
                    "ParameterDict takes a dict from name to parameter",
                    describe(values),
                    'nn.ParameterDict({"scale": parameter})',
                )
            )
        for name, value in (values or {}).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(name, str):
            raise UsageError(f"ParameterDict: names are texts, received {name!r}.")
        setattr(self, name, _as_parameter(value))

    def __getitem__(self, name: str) -> Parameter:
        if name not in self._parameters:
            raise KeyError(
                f"ParameterDict has {', '.join(self._parameters) or 'no parameters'}, no {name!r}"
            )
        return self._parameters[name]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def keys(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._parameters)

    def values(self) -> Iterator[Parameter]:
        """Iterate over the parameters."""
        return iter(self._parameters.values())

    def items(self) -> Iterator[tuple[str, Parameter]]:
        """Iterate over names and parameters."""
        return iter(self._parameters.items())

    def extra_repr(self) -> str:
        return ", ".join(f"{name}: {describe(p)}" for name, p in self.items())
