"""What the examples share: their command line, and the handwritten digits."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def arguments(page: str | None) -> tuple[Path, bool]:
    """Read ``[FOLDER] [--quick]``; return the folder for pictures, made if missing."""
    parser = argparse.ArgumentParser(
        description=page, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", default="out", type=Path, help="default: out")
    parser.add_argument("--quick", action="store_true", help="train less, for a first look")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    return given.folder, given.quick


def digits(split: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x_train, x_test, y_train, y_test: 1,797 images (N, 1, 8, 8) from 0 to 1, and labels.

    A fifth is held out, with every digit as often as in the whole; ``split`` draws which.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images = (data.images[:, None] / 16).astype(np.float32)
    return train_test_split(
        images, data.target, test_size=0.2, stratify=data.target, random_state=split
    )
