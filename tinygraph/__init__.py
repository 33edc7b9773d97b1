"""tinygraph: a small, graph-based autodiff framework to understand, build, train and see."""

from . import nn, optim
from .check import check_op, gradcheck, gradgradcheck
from .core.debug import detect_anomaly, detect_raw_writes
from .core.errors import (
    AnomalyError,
    DtypeError,
    GradcheckError,
    GradientError,
    IndexRangeError,
    ShapeError,
    TinygraphError,
    UsageError,
    VersionError,
)
from .core.function import Function
from .core.functional import hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .core.grad import grad
from .core.graph import Graph, Node, graph
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
from .core.op import Op, composite, op
from .core.registry import REGISTRY
from .core.structure import broadcast_to
from .core.tensor import Tensor
from .extras import MissingExtraError
from .ops.activation import erf, erfc, gelu, relu, sigmoid, softplus
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
from .ops.index import scatter_add, take
from .ops.linalg import matmul
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
from .ops.reduce import (
    argmax,
    argmin,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    softmax,
    sum,
    var,
)
from .ops.shape import (
    concatenate,
    expand_dims,
    pad,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from .ops.syntax import astype
from .viz import Drawing, RenderError, draw

__version__ = "0.1.0"
