"""Checks of derivatives and of op records, for ours and for users' own."""

from ..core.errors import GradcheckError
from .battery import CHECKS, check_op
from .faults import planted_faults
from .gradcheck import gradcheck, gradgradcheck
from .sample import Sample

__all__ = [
    "CHECKS", "GradcheckError", "Sample", "check_op", "gradcheck", "gradgradcheck",
    "planted_faults",
]  # fmt: skip
