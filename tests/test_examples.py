"""Every example runs, in its quick form, as a user would start it, and its pictures are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NOT_EXAMPLES = {"common"}
SAYS = {
    "01_scalar_graph": ["f = -12", "∂f/∂x = -4", "f = 0.7311", "∂f/∂w = 0", "product_of_a_sum.svg"],
    "02_train_by_hand": ["epoch 2", "accuracy on 360 held-out images"],
    "03_house_prices": ["272,000 $", "which is b", "2.6e+08 times", "house_losses.png"],
    "04_activations": ["at most 2e-16", "-0.1700", "4.7e-04", "0.25", "activations.png"],
    "05_composition": ["Linear wants inputs of shape (…, 3)", "In module 2", "deep.svg"],
    "06_circles": ["81.7% of the test points", "the radius,   2 parameters", "circles.png"],
    "07_normalizations": [
        "on 20 of 80",
        "on 10 of 80",
        "no shift has",
        "LN(z + 3) − LN(z): 0",
        "no norm",
    ],
    "08_conv1d": ["differs by", "starts with w₃: [ 3. -2. -1.]", "in 74 of the 256", "787"],
    "09_residual": ["e-13", "residual, last × 0.1", "residual_gradients.png"],
    "10_cnn_digits": ["Total params: 26,090", "held-out fifth", "cnn_filters.png"],
    "11_resnet_densenet": ["ResNet, BN before σ", "13,922", "denseblock.svg"],
    "12_attention_reverse": ["64", "of 2,000 new sequences", "difference", "attention.png"],
    "13_characters": ["pairs counted (bigram)", "GRU, ", "characters.png"],
    "14_composition_strategies": ["combine='concat'", "long skip", "strategy_sum.svg"],
    "15_init_lr_regularization": ["PyTorch's default", "Adam: best at", "dropout ½"],
    "16_own_op": ["the rule is right", "12 of 169 derivatives differ", "f = 2.8268", "own_op.svg"],
    "17_newton": ["Newton is at [1. 1.]", "640 weights, Newton", "newton.png"],
}


def test_every_example_is_listed():
    assert {p.stem for p in EXAMPLES.glob("*.py")} - NOT_EXAMPLES == set(SAYS)
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in SAYS if f"]({name}.py)" not in page] == []


@pytest.mark.parametrize("name", SAYS)
def test_example_runs(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), str(tmp_path), "--quick"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for text in SAYS[name]:
        assert text in done.stdout
    written = {str(p) for p in tmp_path.iterdir()}
    assert written == set(re.findall(rf"{re.escape(str(tmp_path))}\S+", done.stdout))
    for path in map(Path, written):
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            assert ET.fromstring(path.read_bytes()).tag.endswith("svg")
