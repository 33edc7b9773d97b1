"""NumPy's BLAS at one thread, while workers compute: theirs would wait for its."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..extras import require


class Blas:
    """The threads of the BLAS libraries, which are the whole process's.

    Raises
    ------
    MissingExtraError
        Without threadpoolctl.
    """

    _lock = threading.Lock()
    _asking = 0
    _limit: Any = None

    def __init__(self) -> None:
        threadpoolctl = require("threadpoolctl", "fast")
        self._libraries = threadpoolctl.ThreadpoolController().select(user_api="blas")

    @contextmanager
    def of_one_thread(self) -> Iterator[None]:
        """Let BLAS have one thread, until the last of those who ask for it is done."""
        with Blas._lock:
            if not Blas._asking:
                Blas._limit = self._libraries.limit(limits=1)
            Blas._asking += 1
        try:
            yield
        finally:
            with Blas._lock:
                Blas._asking -= 1
                if not Blas._asking:
                    Blas._limit.restore_original_limits()
