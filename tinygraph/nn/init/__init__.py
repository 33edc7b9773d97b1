"""Initial values of parameters, written in place. PyTorch's names and arguments."""

from .fans import (
    calculate_gain,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    orthogonal_,
    xavier_normal_,
    xavier_uniform_,
)
from .plain import constant_, eye_, normal_, ones_, trunc_normal_, uniform_, zeros_

__all__ = [
    "uniform_", "normal_", "trunc_normal_", "constant_", "zeros_", "ones_", "eye_",
    "calculate_gain", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
    "lecun_normal_", "orthogonal_",
]  # fmt: skip
