"""Every example runs, in its quick form, as a user would start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
QUICK = {"01_scalar_graph": ["{folder}"], "02_train_by_hand": ["2"]}
SAYS = {
    "01_scalar_graph": ["f = -12", "∂f/∂x = -4", "f = 0.7311", "∂f/∂w = 0", "product_of_a_sum.svg"],
    "02_train_by_hand": ["epoch 2", "accuracy on 360 held-out images"],
}


def test_every_example_is_listed():
    assert {p.stem for p in EXAMPLES.glob("*.py")} == set(QUICK)


@pytest.mark.parametrize("name", QUICK)
def test_example_runs(name, tmp_path):
    arguments = [a.format(folder=tmp_path) for a in QUICK[name]]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for text in SAYS[name]:
        assert text in done.stdout
