"""The header of a safetensors file, read as if an enemy had written it.

A file is the length of the header (8 bytes), the header as JSON, and the data. The header
names for each tensor its dtype, its shape, and where in the data it begins and ends. All of
that is checked against the size of the file before memory for any tensor is asked for.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from ..core.errors import CheckpointError, shorten

PREFIX = "__tinygraph__/"
"""Begins the names of tensors that are not the model's."""

DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
"""The dtypes that tensors can have, by the names of the format."""

MOST_AXES = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor in the file: its name, type and place in the data."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


OTHER_FORMATS = (
    (
        b"PK",
        "a zip archive, as of torch.save or np.savez",
        "safetensors.torch.save_file in PyTorch, or tg.save(dict(np.load(path)), …)",
    ),
    (b"\x80", "a pickle, which can run code", "save it again as safetensors, where it was made"),
    (b"\x93NUMPY", "one array of NumPy", "np.load(path)"),
    (b"\x89HDF", "an HDF5 file", "save it again as safetensors, where it was made"),
)
"""How files begin that are often taken for checkpoints, what they are, and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds: its first bytes as they are, the tensors in the order of the data."""

    head: bytes
    entries: tuple[Entry, ...]
    metadata: dict[str, str]


def read_header(file: BinaryIO, size: int) -> Header:
    """Read and check the header of a file of ``size`` bytes; the data comes next.

    Raises
    ------
    CheckpointError
        If the file is not exactly what the format allows.
    """
    prefix = file.read(8)
    if len(prefix) < 8:
        raise CheckpointError(f"it ends after {len(prefix)} bytes, in the length of the header")
    length = int.from_bytes(prefix, "little")
    if length > size - 8:
        raise CheckpointError(_not_safetensors(prefix, length, size))
    if length > longest_header(size):
        raise CheckpointError(
            f"its header has {length} bytes, more than the {longest_header(size)} that are read "
            f"in a file of {size} (too many small tensors, or numbers outside tensors)"
        )
    text = file.read(length)
    if len(text) < length:
        raise CheckpointError("it ends in the header")
    fields = parse_object(text, "the header")
    metadata = _checked_metadata(fields.pop("__metadata__", {}))
    entries = sorted((_entry(*item) for item in fields.items()), key=lambda e: (e.begin, e.end))
    _check_tiling(entries, size - 8 - length)
    return Header(prefix + text, tuple(entries), metadata)


def _not_safetensors(prefix: bytes, length: int, size: int) -> str:
    """Say what a file is whose first 8 bytes cannot be the length of a header."""
    for start, kind, fix in OTHER_FORMATS:
        if prefix.startswith(start):
            return f"it is {kind}, not a safetensors file. Fix: {fix}"
    return (
        "it is cut off, or no safetensors file: by its first 8 bytes its header is said to be "
        f"{length} bytes long, of {size} in all"
    )


def longest_header(size: int) -> int:
    """Return how long a header may be: JSON takes up to 30 times its length when parsed.

    With 1/40 of the file the parsed header is smaller than the file; the 1 MiB that is
    always allowed describes some 10,000 tensors.
    """
    return max(2**20, size // 40)


def parse_object(text: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object strictly: UTF-8, no key twice, no NaN."""
    try:
        if not text.startswith(b"{"):
            raise ValueError("it does not begin with {")
        parsed: dict[str, Any] = json.loads(
            text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        return parsed
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:  # also of UTF-8, and of numbers of thousands of digits
        problem = shorten(str(error), 100)
    raise CheckpointError(f"{what} is damaged ({problem})")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _checked_metadata(metadata: Any) -> dict[str, str]:
    if type(metadata) is not dict or not all(map(_is_text, [*metadata, *metadata.values()])):
        raise CheckpointError("its __metadata__ is not made of texts")
    return metadata


def _entry(name: str, fields: Any) -> Entry:
    where = f"tensor {shorten(ascii(name))}"
    if type(fields) is not dict or set(fields) != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{where} needs dtype, shape and data_offsets, and nothing else")
    if not _is_text(name):
        raise CheckpointError(f"{where} has half a character in its name")
    shape, offsets = fields["shape"], fields["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise CheckpointError(f"{where} has sizes or offsets that are not whole numbers from 0 on")
    dtype = _dtype(where, fields["dtype"])
    # NumPy cannot hold more axes, nor count more elements, even where there are none.
    too_large = len(shape) > MOST_AXES or math.prod(n or 1 for n in shape) * dtype.itemsize >= 2**63
    needed = -1 if too_large else math.prod(shape) * dtype.itemsize
    if offsets[1] - offsets[0] != needed:
        raise CheckpointError(f"{where} has offsets that do not fit its shape and dtype")
    return Entry(name, dtype, tuple(shape), *offsets)


def _is_text(value: Any) -> bool:
    """Tell whether this is a str without half characters (JSON can escape them)."""
    if type(value) is not str:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _are_sizes(numbers: Any) -> bool:
    """Tell whether this is a list of whole numbers that a file can hold (True is none)."""
    return type(numbers) is list and all(type(n) is int and 0 <= n < 2**63 for n in numbers)


def _dtype(where: str, name: Any) -> np.dtype[Any]:
    if type(name) is str and name in DTYPES:
        return np.dtype(DTYPES[name])
    given = shorten(ascii(name)) if type(name) is str else type(name).__name__
    fix = " Fix: tensor.to(torch.float32) before it is saved" if name == "BF16" else ""
    raise CheckpointError(
        f"{where} has the dtype {given}; tinygraph holds {', '.join(DTYPES)}.{fix}"
    )


def _check_tiling(entries: list[Entry], size: int) -> None:
    """Raise unless the tensors fill the data without holes and overlaps."""
    end = 0
    for entry in entries:
        if entry.begin != end:
            problem = "overlaps the one before" if entry.begin < end else "leaves a hole before it"
            raise CheckpointError(f"tensor {shorten(ascii(entry.name))} {problem}")
        end = entry.end
    if end != size:
        raise CheckpointError(f"its tensors take {end} bytes, the file has {size} for them")
