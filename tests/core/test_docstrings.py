"""The examples in the docstrings run: of public names, methods, and op records.

An op's docstring is an attribute of the record, which doctest's own search does not see.
Each docstring runs in a fresh namespace, so an example shows its own imports.
"""

from __future__ import annotations

import doctest
import inspect

import pytest

import tinygraph as tg
from tinygraph import check
from tinygraph.core.op import Composite, Op
from tinygraph.core.registry import REGISTRY, is_builtin

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def documented():
    """Yield (name, object) for everything public of the core, the ops and the checks."""
    for module, prefix in ((tg, "tg."), (check, "check.")):
        for name in dir(module):
            thing = getattr(module, name)
            public = not name.startswith("_") and not inspect.ismodule(thing)
            if public and callable(thing):
                yield prefix + name, thing
    for name in dir(tg.Tensor):
        thing = getattr(tg.Tensor, name, None)  # None: a name that only errors know
        if not name.startswith("_") and callable(thing):
            yield "Tensor." + name, thing
    for name, record in REGISTRY.items():
        if is_builtin(record):
            yield "op " + name, record


THINGS = dict(documented())
WITH_EXAMPLES = {n: t for n, t in THINGS.items() if ">>>" in (getattr(t, "__doc__", "") or "")}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_run(name):
    thing = WITH_EXAMPLES[name]
    namespace = dict(vars(inspect.getmodule(thing) or tg)) if _is_plain(thing) else {}
    namespace = {k: v for k, v in namespace.items() if k == getattr(thing, "__name__", "")}
    parsed = doctest.DocTestParser().get_doctest(thing.__doc__, namespace, name, None, None)
    output: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(parsed, out=output.append)
    assert not output, "".join(output)


def _is_plain(thing):
    return inspect.isfunction(thing) or inspect.isclass(thing)


PUBLIC = {
    n: t
    for n, t in THINGS.items()
    if (n.startswith("tg.") and not n.endswith("Error")) or n.startswith("op ")
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_a_numpy_style_docstring(name):
    text = PUBLIC[name].__doc__
    assert text and text.splitlines()[0].rstrip().endswith((".", ":", "…"))
    if isinstance(PUBLIC[name], Op):
        assert "Formula:" in text and "Returns\n-------" in text


def test_functions_of_the_public_door_have_examples():
    functions = {
        n
        for n, t in PUBLIC.items()
        if n.startswith("tg.") and inspect.isfunction(t) and not isinstance(t, Op | Composite)
    }
    without = {n for n in functions if n not in WITH_EXAMPLES}
    assert without <= {"tg.set_default_dtype", "tg.detect_raw_writes", "tg.composite"}
