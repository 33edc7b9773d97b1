"""Makes the samples importable, and the modes of every test clean."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
settings.register_profile("small", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("full", max_examples=1000, deadline=None)
settings.load_profile("full" if FULL else "small")


@pytest.fixture(autouse=True)
def clean_modes():
    """A test may not leave a mode behind."""
    from tinygraph.core.modes import Modes, current_modes

    assert current_modes() == Modes()
    yield
    assert current_modes() == Modes()
