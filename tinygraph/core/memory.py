"""Freed memory stays with the process, for the arrays of the next step."""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""

LIMITS = (2**30, 2**25)
"""Bytes that are kept; older versions of glibc accept 32 MB at most."""

ENVIRONMENT = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let glibc keep what arrays free, and tell whether it does.

    By default large blocks go back to the system at once. When they return, each page of 4 kB
    costs a fault and is filled with zeros: half the time of a training step on large arrays.
    The peak stays what it is. Other C libraries, and a user's own settings in the environment,
    are left alone.
    """
    if any(name in os.environ for name in ENVIRONMENT):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # Windows, macOS, musl
        return False
    kept = [any(mallopt(option, limit) for limit in LIMITS)
            for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD)]  # fmt: skip
    return all(kept)


def give_back_freed_memory() -> bool:
    """Give what was freed back to the system after all, and tell whether anything was.

    For the end of work whose arrays nobody will ask for again in these sizes.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, TypeError, AttributeError):
        return False
