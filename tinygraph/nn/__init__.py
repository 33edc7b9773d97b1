"""Modules: graph compositions with parameters, named as the field names them."""

from . import functional, init
from .activation import (
    GELU,
    GLU,
    Identity,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .adaptive_pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
)
from .attention import MultiheadAttention
from .batch_norm import BatchNorm1d, BatchNorm2d, InstanceNorm2d
from .cell import GRUCell, LSTMCell, RNNCell
from .cnn import CNN
from .compose import Parallel, Residual, Skip
from .container import ModuleDict, ModuleList, Sequential
from .conv import Conv1d, Conv2d
from .conv_blocks import DenseBlock, ResBlock
from .conv_transpose import ConvTranspose1d, ConvTranspose2d
from .dropout import Dropout
from .embedding import Embedding, LearnedEncoding, SinusoidalEncoding
from .flatten import Flatten, Unflatten
from .linear import Linear
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
    SmoothL1Loss,
)
from .mlp import MLP, ResidualMLP, ResNetS
from .module import Module
from .norm import GroupNorm, LayerNorm, RMSNorm
from .parameter import Buffer, Parameter
from .parameter_list import ParameterDict, ParameterList
from .pool import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .rectifier import ELU, SELU, Hardswish, Hardtanh, LeakyReLU, PReLU, ReLU6
from .recurrent import GRU, LSTM, RNN
from .transformer import TransformerBlock
from .upsample import Upsample
from .wrapping import Lambda

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d",
    "Buffer", "CNN", "Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d",
    "CrossEntropyLoss", "DenseBlock", "Dropout", "ELU", "Embedding", "Flatten", "GELU", "GLU",
    "GRU", "GRUCell", "GroupNorm", "Hardswish", "Hardtanh", "HingeLoss", "HuberLoss",
    "Identity", "InstanceNorm2d", "KLDivLoss", "L1Loss", "LSTM", "LSTMCell", "Lambda",
    "LayerNorm", "LeakyReLU", "LearnedEncoding", "Linear", "LogSigmoid", "LogSoftmax", "MLP",
    "MSELoss", "MaxPool1d", "MaxPool2d", "Mish", "Module", "ModuleDict", "ModuleList",
    "MultiMarginLoss", "MultiheadAttention", "NLLLoss", "PReLU", "Parallel", "Parameter",
    "ParameterDict", "ParameterList", "RMSNorm", "RNN", "RNNCell", "ReLU", "ReLU6", "ResBlock",
    "ResNetS", "Residual", "ResidualMLP", "SELU", "Sequential", "SiLU", "Sigmoid",
    "SinusoidalEncoding", "Skip", "SmoothL1Loss", "Softmax", "Softplus", "Softsign", "Tanh",
    "TransformerBlock", "Unflatten", "Upsample", "functional", "init",
]  # fmt: skip
