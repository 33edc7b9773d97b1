"""tinygraph: a small, graph-based autodiff framework to understand, build, train and see."""

import sys as _sys

from . import data, lessons, linalg, nn, optim, plots, train
from .check import check_op, gradcheck, gradgradcheck
from .core import memory as _memory
from .core.debug import detect_anomaly, detect_raw_writes, record_lines
from .core.errors import (
    AnomalyError,
    CheckpointError,
    CompileError,
    DivergenceError,
    DtypeError,
    GradcheckError,
    GradientError,
    IndexRangeError,
    LinAlgError,
    MissingCheckpointError,
    ShapeError,
    TinygraphError,
    UsageError,
    VersionError,
)
from .core.function import Function
from .core.functional import hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .core.grad import grad
from .core.graph import Graph, graph
from .core.leaves import from_numpy, tensor, variables
from .core.modes import (
    default_dtype,
    enable_grad,
    get_default_dtype,
    is_grad_enabled,
    no_grad,
    retain_grads,
    set_default_dtype,
)
from .core.node import Node
from .core.op import Op, composite, op
from .core.other_names import missing_attribute as _missing_attribute
from .core.registry import REGISTRY
from .core.structure import broadcast_to
from .core.tensor import Tensor
from .extras import MissingExtraError
from .io import Checkpoint, load, save
from .nn.gradient_flow import gradient_flow
from .nn.summary import summary
from .ops import kernels
from .ops.activation import erf, erfc, gelu, relu, sigmoid, softplus
from .ops.arrange import flip, meshgrid, repeat, roll, rot90, tile
from .ops.chain import multi_dot
from .ops.choice import copysign, fmax, fmin, lerp, masked_fill
from .ops.cholesky import cholesky
from .ops.creation import (
    arange,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from .ops.determinant import det, slogdet
from .ops.diagonal import diag, diag_embed, diagonal, tril, triu
from .ops.difference import diff
from .ops.dropout import dropout
from .ops.einsum import einsum
from .ops.elementwise import (
    abs,
    add,
    clip,
    cos,
    div,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    maximum,
    minimum,
    mul,
    neg,
    not_equal,
    pow,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tanh,
    where,
)
from .ops.exponential import (
    exp2,
    expm1,
    log1p,
    log2,
    log10,
    logaddexp,
    logit,
    reciprocal,
    rsqrt,
    xlogy,
)
from .ops.gate import glu, log_sigmoid, mish, silu, softsign
from .ops.gather import gather, masked_select, take, take_along_axis
from .ops.inverse import inv, solve
from .ops.joining import atleast_1d, atleast_2d, concatenate, hstack, stack, vstack
from .ops.linalg import matmul
from .ops.logic import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
)
from .ops.norm import norm
from .ops.padding import pad
from .ops.products import dot, inner, kron, outer, tensordot, trace
from .ops.random import (
    Generator,
    bernoulli,
    manual_seed,
    normal,
    permutation,
    rand,
    randint,
    randn,
    uniform,
)
from .ops.rectifier import elu, hardswish, hardtanh, leaky_relu, prelu, relu6, selu
from .ops.reduce import (
    argmax,
    argmin,
    logsumexp,
    max,
    mean,
    min,
    sum,
    var,
)
from .ops.rounding import (
    ceil,
    floor,
    floor_divide,
    fmod,
    isfinite,
    isinf,
    isnan,
    nan_to_num,
    remainder,
    round,
    trunc,
)
from .ops.scan import cummax, cumprod, cumsum, logcumsumexp, prod
from .ops.scatter import index_add, index_put, scatter, scatter_add
from .ops.shape import (
    expand_dims,
    flatten,
    moveaxis,
    permute,
    reshape,
    squeeze,
    swapaxes,
    transpose,
    unflatten,
)
from .ops.softmax import log_softmax, softmax
from .ops.sort import argsort, median, sort, topk
from .ops.splitting import array_split, chunk, split, tensor_split, unbind
from .ops.statistics import nanmean, nansum, std
from .ops.syntax import astype
from .ops.threads import get_num_threads, set_num_threads
from .ops.trigonometry import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cosh,
    hypot,
    sinh,
    tan,
)
from .ops.truth import all, any, count_nonzero
from .ops.window import fold, unfold
from .optim.clip import clip_grad_norm, clip_grad_value
from .plan import compile, disable_compile
from .train import History, evaluate, fit, parallel, predict
from .viz import Drawing, Explanation, Explorer, RenderError, draw, explain, explore


def __getattr__(name: str) -> object:
    """Say what a name of PyTorch is called here."""
    raise _missing_attribute("torch", name, _sys.modules[__name__])


_memory.keep_freed_memory()

__version__ = "0.1.0"
