"""Datasets, batches in an order that can be resumed, splits, and toy sets."""

from .collate import collate
from .dataset import Dataset, Subset, TensorDataset
from .loader import DataLoader
from .split import random_split
from .standardize import Standardize
from .toys import blobs, circles, moons, spirals

__all__ = [
    "DataLoader",
    "Dataset",
    "Standardize",
    "Subset",
    "TensorDataset",
    "blobs",
    "circles",
    "collate",
    "moons",
    "random_split",
    "spirals",
]
