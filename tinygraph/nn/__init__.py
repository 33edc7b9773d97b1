"""Modules: graph compositions with parameters, named as the field names them."""

from . import functional, init
from .activation import GELU, Identity, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus, Tanh
from .container import Lambda, ModuleDict, ModuleList, Sequential
from .linear import Linear
from .loss import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from .module import Module
from .parameter import Buffer, Parameter

__all__ = [
    "BCEWithLogitsLoss", "Buffer", "CrossEntropyLoss", "GELU", "Identity", "Lambda", "Linear",
    "LogSoftmax", "MSELoss", "Module", "ModuleDict", "ModuleList", "Parameter", "ReLU",
    "Sequential", "Sigmoid", "Softmax", "Softplus", "Tanh", "functional", "init",
]  # fmt: skip
