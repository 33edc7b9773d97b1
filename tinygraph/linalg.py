"""The functions of linear algebra under the names of ``np.linalg``."""

from .core.errors import LinAlgError
from .ops.chain import multi_dot
from .ops.cholesky import cholesky
from .ops.determinant import det, slogdet
from .ops.inverse import inv, solve
from .ops.linalg import matmul
from .ops.norm import norm
from .ops.products import outer, tensordot, trace

__all__ = [
    "LinAlgError", "cholesky", "det", "inv", "matmul", "multi_dot", "norm", "outer", "slogdet",
    "solve", "tensordot", "trace",
]  # fmt: skip
