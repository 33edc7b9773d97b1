"""Learning rate schedules: each is one formula of the epoch."""

from .base import LRScheduler, Schedule
from .closed import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)
from .onecycle import OneCycleLR
from .plateau import ReduceLROnPlateau
from .sequential import SequentialLR, warmup_cosine

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "warmup_cosine",
]
