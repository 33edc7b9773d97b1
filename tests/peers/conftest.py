"""Comparisons with other frameworks run when asked for: ``pytest tests/peers`` or ``-m peers``."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def pytest_configure(config):
    config.addinivalue_line("markers", "peers: compares with another framework, if it is installed")


def pytest_ignore_collect(collection_path, config):
    """Leave this folder out of a plain run."""
    wanted = config.option.markexpr == "peers" or any("peers" in str(a) for a in config.args)
    return None if wanted or HERE not in collection_path.parents else True
