"""Bad input of reductions, scans, sorting and linear algebra; see `tests/bad_input.py`."""

from __future__ import annotations

import pytest
from bad_input import DTYPE, SHAPE, USAGE, cases, check_all_differ, check_row

import tinygraph as tg

LINALG = tg.LinAlgError

ROWS = {
    "reductions": [
        ("x.prod(axis=2)", SHAPE, ["prod", "axis 2", "2 axes", "-2 to 1"]),
        ("x.prod(axis=(0, 0))", SHAPE, ["prod", "twice"]),
        ("x.prod(dim=0)", USAGE, ["prod", "'dim'", "'axis'"]),
        ("tg.prod('a')", DTYPE, ["prod", "'a'"]),
        ("np.prod(x, dtype=int)", USAGE, ["prod", "'dtype'"]),
        ("x.std(axis=5)", SHAPE, ["std", "axis 5", "-2 to 1"]),
        ("x.std(unbiased=True)", USAGE, ["std", "'unbiased'", "ddof=1"]),
        ("tg.std()", USAGE, ["std", "missing.*x"]),
        ("tg.std('a')", DTYPE, ["std", "real numbers", "a"]),
        ("x.nansum(axis=1.5)", USAGE, ["nansum", "integer", r"1\.5"]),
        ("tg.nansum(None)", DTYPE, ["nansum", "None"]),
        ("x.nanmean(axis=3)", SHAPE, ["nanmean", "axis 3", "2 axes"]),
        ("x.nanmean(keepdim=True)", USAGE, ["nanmean", "'keepdim'", "'keepdims'"]),
        ("x.any(axis=2)", SHAPE, ["any", "axis 2"]),
        ("x.all(axis=-3)", SHAPE, ["all", "axis -3"]),
        ("x.count_nonzero(dim=1)", USAGE, ["count_nonzero", "'dim'", "'axis'"]),
        ("x.median(axis=2)", SHAPE, ["median", "axis 2", "2 axes"]),
        ("tg.median([[1.0], [1.0, 2.0]])", DTYPE, ["median", "rows of equal length"]),
        ("np.amax(empty, axis=0)", SHAPE, ["max", "axis 0", r"\(0, 3\)"]),
    ],
    "norms": [
        ("x.norm('nuc')", USAGE, ["norm", "matrices", "'nuc'", "'fro'"]),
        ("x.norm(2)", USAGE, ["norm", "matrices", "ord=2", "'fro'"]),
        ("v.norm('fro')", USAGE, ["norm", "vectors", "'fro'", "inf"]),
        ("v.norm(float('nan'))", USAGE, ["norm", "vectors", "nan"]),
        ("v.norm(True)", USAGE, ["norm", "vectors", "True"]),
        ("x.norm(3, axis=(0, 1))", USAGE, ["norm", "matrices", "ord=3"]),
        ("tg.ones(2, 2, 2).norm(1)", SHAPE, ["norm", r"\(2, 2, 2\)", r"axis=\(-2, -1\)"]),
        ("tg.ones(2, 2, 2).norm(axis=(0, 1, 2))", SHAPE, ["norm", r"\(0, 1, 2\)", "one axis"]),
        ("x.norm(axis=(0, -2))", SHAPE, ["norm", r"axis=\(0, -2\)"]),
        ("x.norm(axis=4)", SHAPE, ["norm", "axis 4", "2 axes"]),
        ("s.norm(1)", SHAPE, ["norm", r"\(\) float32", "vectors"]),
        ("x.norm(p=2)", USAGE, ["norm", "'p'"]),
        ("empty.norm(-np.inf, axis=0)", SHAPE, ["min", "axis 0", r"\(0, 3\)"]),
    ],
    "scans": [
        ("x.cumsum(axis=2)", SHAPE, ["cumsum", "axis 2", "2 axes"]),
        ("x.cumsum(axis=(0, 1))", USAGE, ["cumsum", "an axis is an integer"]),
        ("s.cumsum(axis=1)", SHAPE, ["cumsum", "axis 1"]),
        ("x.cumprod(dim=0)", USAGE, ["cumprod", "'dim'", "'axis'"]),
        ("x.logcumsumexp(axis='a')", USAGE, ["logcumsumexp", "integer", "'a'"]),
        ("tg.logcumsumexp({})", DTYPE, ["logcumsumexp", "dict"]),
        ("x.cummax(axis=3)", SHAPE, ["cummax", "axis 3"]),
        ("s.diff()", SHAPE, ["diff", "0-d", "neighbours"]),
        ("v.diff(n=-1)", USAGE, ["diff", "n is a whole number", "-1"]),
        ("v.diff(n=1.5)", USAGE, ["diff", "n is a whole number", r"1\.5"]),
        ("x.diff(axis=2)", SHAPE, ["diff", "axis 2"]),
        ("x.diff(prepend=tg.ones(3, 1))", SHAPE, ["diff", r"\(3, 1\)", r"\(2, 3\)", "axis 1"]),
    ],
    "sorting": [
        ("x.sort(axis=2)", SHAPE, ["sort", "axis 2", "-2 to 1"]),
        ("s.sort()", SHAPE, ["sort", "axis -1"]),
        ("np.sort(x, kind='heapsort')", USAGE, ["sort", "'kind'"]),
        ("x.sort(dim=0)", USAGE, ["sort", "'dim'", "'axis'"]),
        ("x.argsort(axis=True)", USAGE, ["argsort", "integer", "True"]),
        ("x.topk(4)", SHAPE, ["topk", "k=4", "axis 1", "3", r"\(2, 3\)"]),
        ("x.topk(-1)", USAGE, ["topk", "k is a whole number", "-1"]),
        ("x.topk(1.0)", USAGE, ["topk", "k is a whole number", r"1\.0"]),
        ("x.topk(1, dim=0)", USAGE, ["topk", "'dim'", "'axis'"]),
        ("s.topk(1)", SHAPE, ["topk", "axis -1"]),
        ("x.topk()", USAGE, ["topk", "missing.*k"]),
    ],
    "products": [
        ("x.dot(w)", SHAPE, ["dot", r"\(3,\) ≠ \(4,\)", "transpose"]),
        ("x.dot(x)", SHAPE, ["dot", r"\(3,\) ≠ \(2,\)", r"\(2, 3\)"]),
        ("tg.dot(x, 'a')", DTYPE, ["dot", "a"]),
        ("x.inner(w)", SHAPE, ["inner", r"\(3,\) ≠ \(4,\)"]),
        ("tg.outer(x, None)", DTYPE, ["outer", "None"]),
        ("tg.kron(x, {})", DTYPE, ["kron", "dict"]),
        ("tg.tensordot(x, x, 1)", SHAPE, ["tensordot", r"\(3,\) ≠ \(2,\)"]),
        ("tg.tensordot(x, v, 2)", SHAPE, ["tensordot", "2 axes", r"\(3,\)"]),
        ("tg.tensordot(x, v, 'ij')", USAGE, ["tensordot", "'ij'", "pair"]),
        ("tg.tensordot(x, x, ((0, 1), (0,)))", SHAPE, ["tensordot", "one to one"]),
        ("tg.tensordot(x, x, ((0, 0), (0, 1)))", SHAPE, ["tensordot", "one to one"]),
        ("tg.tensordot(x, x, (0, 5))", SHAPE, ["tensordot", "axis 5"]),
        ("tg.multi_dot([x])", USAGE, ["multi_dot", "two", "1"]),
        ("tg.multi_dot(s)", USAGE, ["multi_dot", r"\[a, b\]"]),
        ("tg.multi_dot([x, x])", SHAPE, ["multi_dot", "0 and 1", "3 ≠ 2"]),
        ("tg.multi_dot([x, v, v])", SHAPE, ["multi_dot", "number 1", r"\(3,\)", "vectors"]),
        ("v.trace()", SHAPE, ["trace", "axis 1", "1 axes"]),
        ("x.trace(axis1=1)", SHAPE, ["trace", "axis1=1", "same"]),
        ("x.trace(offset=0.5)", USAGE, ["trace", "integer", r"0\.5"]),
    ],
    "einsum": [
        ("tg.einsum('ij,jk', x, x)", SHAPE, ["einsum", "'j'", "3", "2", r"\(2, 3\)"]),
        ("tg.einsum('ij,jk', x)", USAGE, ["einsum", "2 terms for 1", "'ij,jk'"]),
        ("tg.einsum('ijk', x)", SHAPE, ["einsum", "'ijk'", "3 axes", "has 2"]),
        ("tg.einsum('i', x)", SHAPE, ["einsum", "1 axes", r"'\.\.\.'"]),
        ("tg.einsum('ii', x)", SHAPE, ["einsum", "'i'", "lengths"]),
        ("tg.einsum('ij->k', x)", USAGE, ["einsum", "'k'", "no operand"]),
        ("tg.einsum('ij->ii', x)", USAGE, ["einsum", "'i'", "twice"]),
        ("tg.einsum('i1', x)", USAGE, ["einsum", "'i1'", "letters"]),
        ("tg.einsum('i..', x)", USAGE, ["einsum", r"'i\.\.'", "letters"]),
        ("tg.einsum('...i->i', x)", USAGE, ["einsum", r"'\.\.\.'", "result"]),
        ("tg.einsum('...i,...i', x, w)", SHAPE, ["einsum", "'i'", "lengths 3 and 4"]),
        ("tg.einsum(x, [0, 1])", USAGE, ["einsum", "text", "come first"]),
        ("tg.einsum('ij')", USAGE, ["einsum", "no operands"]),
        ("tg.einsum()", USAGE, ["einsum", "missing.*subscripts"]),
        ("tg.einsum('i,i', v, 'a')", DTYPE, ["einsum", "a"]),
        ("np.einsum('ij->ij', x, dtype=float)", USAGE, ["einsum", "'dtype'"]),
    ],
    "matrices": [
        ("tg.det(x)", SHAPE, ["det", r"\(2, 3\)", "square"]),
        ("tg.det(v)", SHAPE, ["det", r"\(3,\)", "square"]),
        ("tg.slogdet(x)", SHAPE, ["slogdet", r"\(2, 3\)"]),
        ("tg.inv(x)", SHAPE, ["inv", r"\(2, 3\)", "square"]),
        ("tg.inv(tg.ones(2, 2))", LINALG, ["inv", "2×2", "singular", r"\(2, 2\)", "slogdet"]),
        ("tg.inv(tg.zeros(3, 2, 2))", LINALG, ["inv", "matrix 0 of the batch", r"\(3, 2, 2\)"]),
        ("tg.solve(tg.ones(2, 2), np.ones(2))", LINALG, ["solve", "singular", r"\(2, 2\)"]),
        ("tg.solve(tg.eye(3), w)", SHAPE, ["solve", "vector of 3", r"\(4,\)"]),
        ("tg.solve(x, v)", SHAPE, ["solve", r"\(2, 3\)", "square"]),
        ("tg.solve(tg.eye(3), s)", SHAPE, ["solve", "vector of 3", r"\(\)"]),
        ("tg.solve(tg.eye(3), x)", SHAPE, ["solve", r"\(2, 3\)", r"b\[\.\.\., None\]"]),
        ("tg.solve(tg.ones(2, 3, 3), tg.ones(4, 3, 1))", SHAPE, ["solve", r"\(4, 3, 1\)"]),
        ("tg.solve(tg.eye(3))", USAGE, ["solve", "missing.*b"]),
        ("tg.cholesky(x)", SHAPE, ["cholesky", r"\(2, 3\)"]),
        ("tg.cholesky(-tg.eye(2))", LINALG, ["cholesky", "not positive definite", "2×2"]),
        ("tg.cholesky(tg.eye(2), lower=True)", USAGE, ["cholesky", "'lower'"]),
        ("np.linalg.svd(x)", USAGE, [r"np\.linalg.*svd", r"detach\(\)"]),
        (
            "tg.value_and_grad(lambda m: tg.slogdet(m).logabsdet)(np.ones((2, 2)))",
            LINALG,
            ["inv", "singular"],
        ),
    ],
}


@pytest.mark.parametrize(("code", "cls", "words"), cases(ROWS))
def test_bad_input(code, cls, words):
    check_row(code, cls, words)


def test_there_are_many_kinds():
    check_all_differ(ROWS, least=100)
