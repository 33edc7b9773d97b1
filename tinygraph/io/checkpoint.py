"""Saving and loading models, and all that training needs to go on, in one safetensors file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..core.calls import checked_call_like
from ..core.errors import CheckpointError, MissingCheckpointError, UsageError, describe
from ..extras import require
from .arguments import as_generators, check_holder, check_model, checked_epoch, weights_of
from .checksum import CHECKSUM, NO_CHECKSUM, seal
from .files import as_path, replacing
from .filling import fill
from .header import PREFIX
from .packing import pack
from .reading import STATE, VERSION, Checkpoint, read

ABOUT = {"format": "tinygraph", "reader": "tinygraph.load", "version": VERSION}


@checked_call_like('tg.save(model, "model.safetensors")')
def save(
    model: Any, path: Any, optimizer: Any = None, *, schedule: Any = None, loader: Any = None,
    generator: Any = None, epoch: int | None = None, extra: Any = None,
) -> None:  # fmt: skip
    """Write a model, and on request all that training needs to go on, into a file.

    The file is written beside ``path`` and moved there when all of it is on the disk: at
    every moment, also if the process is killed, ``path`` is the whole old or new file.

    Parameters
    ----------
    model : Module, or dict from name to array or Tensor
        Anything with ``state_dict()``. float16, float32, float64, integers and bool.
    path : str or path
        ``.safetensors`` is the usual ending.
    optimizer, schedule, loader : object with ``state_dict()``
    generator : Generator, or list of them
    epoch : int
    extra : Any
        None, bool, int, float, str, list, tuple, dict, arrays and numbers of NumPy, nested;
        these come back exactly, Tensors as arrays. Long lists of numbers: as arrays.

    Raises
    ------
    UsageError
        For things that cannot be saved. Nothing is written.
    CheckpointError
        If the file cannot be written. What was there before stays.
    MissingExtraError
        Without the package safetensors.

    Notes
    -----
    The model's tensors have their own names, and any reader of safetensors can load them.
    See https://github.com/huggingface/safetensors for the format.

    Examples
    --------
    >>> import os, tempfile
    >>> import tinygraph as tg
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> tg.save(tg.nn.Linear(2, 1), path, epoch=3)
    >>> tg.load(path)
    Checkpoint(2 tensors, 12 bytes, epoch)
    """
    name = as_path(path, "tg.save")
    tensors = weights_of(model)
    state: dict[str, Any] = {}
    holders = {"optimizer": optimizer, "schedule": schedule, "loader": loader}
    for part, holder in holders.items():
        if holder is not None:
            check_holder(f"tg.save, {part}", holder, "state_dict")
            state[part] = holder.state_dict()
    if generator is not None:
        state["generator"] = [g.get_state() for g in as_generators("tg.save", generator)]
    if epoch is not None:
        state["epoch"] = checked_epoch(epoch)
    if extra is not None:
        state["extra"] = extra
    packed = {part: pack(value, f"{PREFIX}{part}", tensors) for part, value in state.items()}
    try:
        about = json.dumps({**ABOUT, "state": packed}, allow_nan=False, separators=(",", ":"))
    except ValueError as error:  # a whole number of thousands of digits
        raise UsageError(f"tg.save: the state has no JSON form: {error}.") from None
    metadata = {STATE: about, CHECKSUM: NO_CHECKSUM}
    library = require("safetensors", "train")
    write = require("safetensors.numpy", "train").save_file
    try:
        with replacing(name) as temporary:
            write(tensors, temporary, metadata)
            seal(temporary, tensors)
    except (OSError, library.SafetensorError, CheckpointError) as error:
        raise CheckpointError(
            f"tg.save could not write {name!r}: {getattr(error, 'strerror', None) or error}. "
            "What was there before is unchanged."
        ) from error


@checked_call_like('tg.load("model.safetensors", model)')
def load(
    path: Any, model: Any = None, optimizer: Any = None, *, schedule: Any = None,
    loader: Any = None, generator: Any = None, strict: bool = True,
) -> Checkpoint:  # fmt: skip
    """Read a checkpoint, and fill what is given from it: all of it or nothing.

    A file of :func:`save` is read only if its checksum is right. A safetensors file of
    another program has no checksum; its structure is checked. Nothing is ever executed.

    Parameters
    ----------
    path : str or path
    model, optimizer, schedule, loader, generator
        To be filled in place, as they were given to :func:`save`.
    strict : bool
        Whether names that the model or the file lacks are errors; shapes always are.

    Returns
    -------
    Checkpoint
        A dict of the model's arrays by name, with ``optimizer``, ``schedule``, ``loader``,
        ``generator``, ``epoch`` and ``extra`` as attributes.

    Raises
    ------
    MissingCheckpointError
        If there is no file; also a FileNotFoundError.
    CheckpointError
        If the file is damaged, or does not fit: all names that are missing, unexpected or
        of another shape are listed, and nothing was changed.
    UsageError
        For arguments of the wrong type.

    Examples
    --------
    >>> import os, tempfile
    >>> import tinygraph as tg
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> model, twin = tg.nn.Linear(2, 1), tg.nn.Linear(2, 1)
    >>> tg.save(model, path, extra={"best": 0.5})
    >>> checkpoint = tg.load(path, twin)
    >>> bool((twin.weight.data == model.weight.data).all()), checkpoint.extra
    (True, {'best': 0.5})
    """
    name = as_path(path, "tg.load")
    if not isinstance(strict, bool | np.bool_):
        raise UsageError(f"tg.load: strict is True or False, received {describe(strict)}.")
    holders = {"model": model, "optimizer": optimizer, "schedule": schedule, "loader": loader}
    holders = {part: holder for part, holder in holders.items() if holder is not None}
    for part, holder in holders.items():
        check_holder(f"tg.load, {part}", holder, "state_dict", "load_state_dict")
    if "model" in holders:
        check_model("tg.load", model)
    holders.pop("model", None)
    generators = [] if generator is None else as_generators("tg.load", generator)
    try:
        checkpoint = read(name)
        for part in [*holders, *(["generator"] if generators else [])]:
            if getattr(checkpoint, part) is None:
                raise CheckpointError(f"it has no {part}. Fix: tg.save(…, {part}={part})")
        states = checkpoint.generator or []
        if generators and len(states) != len(generators):
            raise CheckpointError(f"it has {len(states)} generators, given are {len(generators)}")
        triples = [(part, holder, getattr(checkpoint, part)) for part, holder in holders.items()]
        fill(model, checkpoint, bool(strict), triples, list(zip(generators, states, strict=False)))
    except FileNotFoundError:
        raise MissingCheckpointError(f"tg.load: there is no file {name!r}.") from None
    except (OSError, CheckpointError) as error:
        problem = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise CheckpointError(f"tg.load, {name!r}: {problem}.") from error
    return checkpoint
