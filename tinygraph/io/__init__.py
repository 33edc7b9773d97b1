"""Checkpoints: models and all that training needs to go on, in one safetensors file."""

from .checkpoint import load, save
from .reading import Checkpoint

__all__ = ["Checkpoint", "load", "save"]
