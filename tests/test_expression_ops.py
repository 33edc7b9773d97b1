"""Every op that an expression may call works in one: typed, computed, explained.

The calls are the samples of the registry, written out as a person would type them.
"""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from op_samples import SAMPLES

import tinygraph as tg
from conftest import FULL
from tinygraph.core.op import Composite, Op
from tinygraph.expression import functions, graph_of_expression
from tinygraph.viz.worked_html import HtmlWriter

NAMES = sorted(
    name for name, f in functions().items() if isinstance(f, Op | Composite) and name in SAMPLES
)
NOT_TYPED = {"bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "count_labels", "one_hot",
             "where", "masked_fill", "masked_select", "getitem_last", "index_put",
             "channel_normalize"}  # fmt: skip
"""Ops whose samples have truth values (typed as comparisons), whole numbers alone, or operands
that another op computes from theirs."""


class CannotType(Exception):
    """The sample holds something that has no place in an expression."""


class Typed:
    """Writes the arguments of a call as text."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def operand(self, value: Any) -> str:
        if isinstance(value, list | tuple):
            return f"[{', '.join(self.operand(v) for v in value)}]"
        if isinstance(value, str):
            return repr(value)
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise CannotType
        if array.size == 0 or array.size > 400 or not np.isfinite(array).all():
            raise CannotType
        if array.dtype.kind == "f" and isinstance(value, np.ndarray):
            name = f"a{len(self.values)}"
            self.values.append(f"{name}={array.tolist()}")
            return name
        if array.dtype.kind in "iuf" and (array.ndim or isinstance(value, int | float)):
            return str(array.tolist())
        raise CannotType

    def attribute(self, value: Any) -> str:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return self.operand(value)
        flat = np.asarray(value, dtype=object).reshape(-1).tolist()
        if isinstance(value, np.ndarray) or not all(
            v is None or isinstance(v, bool | int | float | str) for v in flat
        ):
            raise CannotType
        return repr(value)


def typed_samples(name: str) -> list[tuple[str, list[str], Any]]:
    found = []
    for sample in SAMPLES[name] if name not in NOT_TYPED else ():
        typed = Typed()
        try:
            parts = [typed.operand(x) for x in sample.inputs]
            parts = [f"[{', '.join(parts)}]"] if sample.listed else parts
            parts += [f"{k}={typed.attribute(v)}" for k, v in sample.attrs.items()]
        except CannotType:
            continue
        if typed.values:
            found.append((f"{name}({', '.join(parts)})", typed.values, sample))
    return found


CALLS = {name: typed_samples(name) for name in NAMES}


def same(a: Any, b: Any) -> None:
    for x, y in zip(a if isinstance(a, list | tuple) else [a], b if isinstance(b, list | tuple) else
                    [b], strict=True):  # fmt: skip
        np.testing.assert_allclose(np.asarray(getattr(x, "data", x)), y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in NAMES if CALLS[n]])
def test_it_computes_and_explains(name):
    with np.errstate(all="ignore"):
        for text, values, sample in CALLS[name][: None if FULL else 2]:
            inputs = (list(sample.inputs),) if sample.listed else sample.inputs
            wanted = functions()[name](*inputs, **sample.attrs)
            if isinstance(wanted, list | tuple):
                text, wanted = f"{text}[0]", wanted[0]
            try:
                result, variables = graph_of_expression(text, values)
            except tg.TinygraphError as error:
                assert "Nothing here has a gradient" in str(error), (text, str(error))
                continue
            same(result, wanted)
            assert len(variables) == len(values)
            solution = tg.explain(tg.sum(result))
            assert "A nudge, to check" in str(solution) and solution.latex.isascii()
            ET.fromstring(f"<body>{HtmlWriter(solution.walk, 4).write()}</body>")


def test_all_are_tried_but_those_of_truth_values():
    never = {n for n in NAMES if not CALLS[n]}
    assert never <= NOT_TYPED, never - NOT_TYPED
    assert len(NAMES) > 200


@pytest.mark.skipif(
    not (FULL and shutil.which("pdflatex")), reason="TINYGRAPH_FULL=1, with texlive-latex-base"
)
def test_the_latex_of_every_op_compiles(tmp_path):
    parts = []
    for calls in CALLS.values():
        for text, values, _ in calls[:1]:
            try:
                result, _ = graph_of_expression(f"sum({text})", values)
            except tg.TinygraphError:  # several results, or no gradient
                continue
            parts.append(tg.explain(result).latex)
    assert len(parts) > 150
    body = "\n\\clearpage\n".join(parts)
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage{amsmath}\\usepackage{textcomp}\\begin{document}\n"
        f"{body}\n\\end{{document}}\n"
    )
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "a.tex",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
