"""Reading a whole checkpoint; nothing in the file is trusted, and nothing is executed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from ..core.errors import CheckpointError, shorten
from ..core.storage import Array
from .checksum import CHECKSUM, bytes_of, is_ours, verify
from .header import PREFIX, Entry, parse_object, read_header
from .packing import unpack

STATE = "tinygraph"
"""Our other key in the metadata: what is not the model's, as JSON."""

VERSION = 1
PARTS = ("optimizer", "schedule", "loader", "generator", "epoch", "extra")


class Checkpoint(dict[str, Array]):
    """What a file holds: the model's arrays by name, and the rest as attributes.

    Attributes
    ----------
    optimizer, schedule, loader : dict or None
        Their ``state_dict()``.
    generator : list of dict, or None
        The states of the generators.
    epoch : int or None
    extra : Any
        What was saved as ``extra``.
    metadata : dict of str
        Texts that another program left in the file.
    """

    def __init__(self, weights: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
        super().__init__(weights)
        self.metadata = dict(metadata)
        self.optimizer: dict[str, Any] | None = None
        self.schedule: dict[str, Any] | None = None
        self.loader: dict[str, Any] | None = None
        self.generator: list[dict[str, Any]] | None = None
        self.epoch: int | None = None
        self.extra: Any = None

    def __repr__(self) -> str:
        size = sum(array.nbytes for array in self.values())
        rest = "".join(f", {part}" for part in PARTS if getattr(self, part) is not None)
        return f"Checkpoint({len(self)} tensors, {size} bytes{rest})"


def read(name: str) -> Checkpoint:
    """Read and check a whole file."""
    if not stat.S_ISREG(os.stat(name).st_mode):  # a pipe would block, a device never end
        raise CheckpointError("it is not a file")
    with open(name, "rb") as file:
        header = read_header(file, os.fstat(file.fileno()).st_size)
        tensors = {entry.name: _read_tensor(file, entry) for entry in header.entries}
    metadata = dict(header.metadata)
    if not is_ours(header):
        _check_bools(tensors)
        return Checkpoint(tensors, metadata)
    verify(header, tensors.values())
    _check_bools(tensors)
    rest = {n: tensors.pop(n) for n in list(tensors) if n.startswith(PREFIX)}
    about = parse_object(metadata.pop(STATE, "").encode(), "its state")
    del metadata[CHECKSUM]
    checkpoint = Checkpoint(tensors, metadata)
    _set_state(checkpoint, about, rest)
    return checkpoint


def _read_tensor(file: BinaryIO, entry: Entry) -> Array:
    array = np.empty(entry.shape, entry.dtype)
    if file.readinto(bytes_of(array)) != entry.end - entry.begin:  # type: ignore[attr-defined]
        raise CheckpointError("it became shorter while it was read")
    return array


def _check_bools(tensors: Mapping[str, Array]) -> None:
    """NumPy takes any byte for a bool, and what a 2 means then is undefined."""
    for name, array in tensors.items():
        if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
            raise CheckpointError(
                f"tensor {shorten(ascii(name))} has values that are neither 0 nor 1"
            )


def _set_state(checkpoint: Checkpoint, about: dict[str, Any], rest: dict[str, Array]) -> None:
    """Set the attributes from our metadata and the tensors it refers to."""
    if type(about.get("version")) is not int or about["version"] > VERSION:
        raise CheckpointError("a newer tinygraph wrote it. Fix: update tinygraph")
    state = about.get("state")
    if type(state) is not dict or not set(state) <= set(PARTS):
        raise CheckpointError("its state has parts that this version does not know")
    for part, packed in state.items():
        setattr(checkpoint, part, unpack(packed, rest))
    if rest:
        raise CheckpointError(f"its state does not use {shorten(', '.join(map(ascii, rest)))}")
    if type(checkpoint.epoch) not in (int, type(None)):
        raise CheckpointError("its epoch is not a whole number")
    if type(checkpoint.generator) not in (list, type(None)):
        raise CheckpointError("its generators are not a list")
