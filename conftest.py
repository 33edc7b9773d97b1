"""Examples in docstrings run as a user's code: an op that one defines is not tinygraph's own."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def _examples_are_user_code(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["__name__"] = "example"
