"""The checksum of a checkpoint: a flipped bit in a weight would load without a word otherwise.

It is the SHA-256 of the whole file, header and data, in the header's metadata; for the
computation its own digits are taken as zeros.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping

import numpy as np

from ..core.errors import CheckpointError
from ..core.storage import Array
from .header import PREFIX, Header, read_header

CHECKSUM = "tinygraph.sha256"
"""Its key in the metadata."""

NO_CHECKSUM = "0" * 64
FIELD = re.compile(rb'"tinygraph\.sha256":"([0-9a-f]{64})"')


def is_ours(header: Header) -> bool:
    """Tell whether tinygraph wrote the file, by every trace of it, so that none can get lost."""
    texts = [text for item in header.metadata.items() for text in item]
    return any("tinygraph" in t for t in texts) or any(
        entry.name.startswith(PREFIX) for entry in header.entries
    )


def verify(header: Header, arrays: Iterable[Array]) -> None:
    """Raise unless the checksum is there and right."""
    found = FIELD.findall(header.head)
    stored = header.metadata.get(CHECKSUM, "")
    if found != [stored.encode()]:
        raise CheckpointError("it is a file of tinygraph without its checksum")
    if _checksum(header.head, arrays) != stored:
        raise CheckpointError("its checksum is wrong: it was changed after tinygraph wrote it")


def _checksum(head: bytes, arrays: Iterable[Array]) -> str:
    """Return the SHA-256 of the file, its own field taken as zeros."""
    field = f'"{CHECKSUM}":"{NO_CHECKSUM}"'.encode()
    digest = hashlib.sha256(FIELD.sub(field, head))
    for array in arrays:
        digest.update(bytes_of(array))
    return digest.hexdigest()


def bytes_of(array: Array) -> memoryview:
    """Return the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def seal(temporary: str, tensors: Mapping[str, Array]) -> None:
    """Write the checksum of what the file should hold, by our own arrays, and flush it."""
    with open(temporary, "r+b") as file:
        header = read_header(file, os.fstat(file.fileno()).st_size)
        in_order = (tensors[entry.name] for entry in header.entries)
        (field,) = FIELD.finditer(header.head)
        file.seek(field.start(1))
        file.write(_checksum(header.head, in_order).encode())
        file.flush()
        os.fsync(file.fileno())
