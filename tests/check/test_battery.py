"""check_op as users call it, and each check against a record with just that fault."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.check import CHECKS, GradcheckError, Sample, check_op
from tinygraph.core.op import Op

X = np.array([[0.5, -1.5, 2.0], [1.2, 0.3, -0.7]])


def record(**changes):
    fields = {
        "name": "cube",
        "forward": lambda x: x * x * x,
        "vjps": [lambda g, y, x: g * 3 * x * x],
        "saves": "x",
        "formula": "x³",
        "local": ["3x²"],
        "module": "tests",
    }
    return Op(**{**fields, **changes})


def pair(**changes):
    fields = {
        "name": "scaled_sum",
        "forward": lambda a, b: a + 2 * b,
        "vjps": [lambda g, y, a, b: g, lambda g, y, a, b: g * 2],
        "formula": "a + 2b",
        "local": ["1", "2"],
        "module": "tests",
    }
    return Op(**{**fields, **changes})


def test_a_right_record_passes_with_plain_tuples_as_samples():
    assert check_op(record(), [X, (X[0],), (np.array(0.5),)], reference=lambda x: x**3)
    assert check_op(pair(), [(X, X), (X, X[0]), (X[:, :1], X[0])])


WRONG = {
    "value": record(),
    "jacobian": record(vjps=[lambda g, y, x: g * 3.003 * x * x]),
    "second order": record(vjps=[lambda g, y, x: g * 3 * (x * x if type(x) is np.ndarray else
                                                         tg.Tensor(x.data * x.data))]),
    "linearity": record(vjps=[lambda g, y, x: g * g * 3 * x * x]),
    "unmodified": record(vjps=[lambda g, y, x: g.__imul__(2) * 1.5 * x * x
                               if type(g) is np.ndarray else g * 3 * x * x]),
    "saves": record(saves=""),
    "orders": record(vjps=[lambda g, y, x: g * (3 + 1e-9 * (type(g) is np.ndarray)) * x * x]),
    "texts": record(formula="x²"),
    "dtypes": record(forward=lambda x: x.astype(np.float64) ** 3),
    "record": record(formula=""),
    "complete": pair(vjps=[None, lambda g, y, a, b: g * 2]),
    "evaluate": record(forward=lambda x: np.asarray(x * x * x + next(TICKS))),
    "into": record(forward=lambda x, *, out=None: np.multiply(x, x * x, out=out)
                   if out is None else np.copyto(out, x)),
    "layouts": record(forward=lambda x: x * x * x + (x.strides[-1] != 8 if x.ndim else 0)),
}  # fmt: skip
TICKS = iter(range(10**9))


@pytest.mark.parametrize("check", WRONG)
def test_each_check_finds_its_fault(check):
    samples = [(X, X)] if check == "complete" else [X]
    reference = (lambda x: x**2) if check == "value" else None
    with pytest.raises(GradcheckError, match=rf"fails:\n  {check}"):
        check_op(WRONG[check], samples, reference=reference, checks=[check])


def test_a_local_text_that_lies_is_found():
    with pytest.raises(GradcheckError, match=r"local '2x²' of input 0"):
        check_op(record(local=["2x²"]), [X], checks=["texts"])


def test_a_saved_value_that_nothing_reads_is_found():
    with pytest.raises(GradcheckError, match="no VJP reads the value of 'y'"):
        check_op(record(saves="x y"), [X], checks=["saves"])


def test_the_report_lists_every_failed_check_and_sample():
    wrong = record(vjps=[lambda g, y, x: g * 3.003 * x * x])
    with pytest.raises(GradcheckError) as caught:
        check_op(wrong, [Sample("matrix", (X,)), Sample("row", (X[0],))])
    report = str(caught.value)
    assert report.startswith("op 'cube' fails:")
    for line in ("jacobian, sample 'matrix'", "jacobian, sample 'row'", "texts, sample 'row'"):
        assert line in report


def test_without_exceptions_the_answer_is_false():
    assert check_op(record(formula="x²"), [X], raise_exception=False) is False


def test_a_convention_at_a_kink_is_checked_by_a_sample_with_gradients():
    sample = Sample("at 0", (np.zeros(2),), gradients=(np.zeros(2),))
    assert check_op(tg.relu, [sample, X])
    other = Sample("at 0", (np.zeros(2),), gradients=(np.ones(2),))
    with pytest.raises(GradcheckError, match="at the kink"):
        check_op(tg.relu, [other])


def test_the_names_of_the_checks():
    assert list(CHECKS) == [
        "value", "layouts", "dtypes", "integers", "numpy", "into", "unmodified", "complete",
        "jacobian", "second order", "repeated", "linearity", "aliasing", "orders", "saves",
        "record", "texts", "evaluate", "node",
    ]  # fmt: skip
