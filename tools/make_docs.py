"""Write the generated pages of the site: the table of ops, and the reference.

``docs/conf.py`` calls :func:`write_pages` at every build, so the pages cannot be stale.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import tinygraph as tg
from tinygraph.core.op import KINDS, Composite, Op
from tinygraph.core.other_names import NAMES, PAIRS
from tinygraph.core.registry import is_builtin
from tools import differentiable

OPS_INTRODUCTION = """\
# Table of ops

Every operation is one record in the registry, `tg.REGISTRY`; this table is made from the records
when the site is built. In formulas *y* is the result; {prose}

{count}
"""

PROSE = (
    "the derivative column has one entry for each input, and what it says is checked against the "
    "op's rule by a test. A derivative that is not a plain factor is told in words. Conventions "
    "are what holds at a kink, where there is no derivative."
)

Row = tuple[str, ...]


def table(header: Row, rows: list[Row]) -> str:
    """Return a Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def code(text: str) -> str:
    """Return text as code inside a table cell."""
    safe = text.replace("|", "\\|")
    return f"`{safe}`" if text else "–"


def derivatives(op: Op) -> str:
    """Return the local derivatives, one line for each input."""
    if op.vjps is None:
        return "no gradient"
    names = op.input_names if len(op.input_names) == len(op.local) > 1 else ("",) * len(op.local)
    parts = [
        (f"{name}: " if name else "") + (code(text) if text else "–")
        for name, text in zip(names, op.local, strict=True)
    ]
    return "<br>".join(parts)


def call_of(record: Op | Composite) -> str:
    """Return how the record is called, with defaults and without types."""
    if isinstance(record, Op):
        return record.signature()
    signature = inspect.signature(record.function)
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{record.name}{signature.replace(parameters=plain, return_annotation=signature.empty)}"


def row(record: Op | Composite) -> Row:
    """Return a record as a row of its table."""
    formula = code(record.formula)
    call = code(call_of(record))
    conventions = record.kinks.replace("*", "\\*") or "–"
    if isinstance(record, Composite):
        return call, formula, conventions
    return call, formula, derivatives(record), conventions


def op_table() -> str:
    """Return the page with all primitive ops, by kind, and all composites."""
    records = sorted((r for r in tg.REGISTRY.values() if is_builtin(r)), key=lambda r: r.name)
    primitive = [r for r in records if isinstance(r, Op)]
    count = (
        f"There are {len(primitive)} primitive ops and {len(records) - len(primitive)} composites; "
        "a composite is a function made of ops, and pictures fold it to one card."
    )
    parts = [OPS_INTRODUCTION.format(prose=PROSE, count=count)]
    for kind, meaning in KINDS.items():
        rows = [row(r) for r in records if r.kind == kind]
        if not rows:
            continue
        last = ("Conventions",)
        middle = () if kind == "composite" else ("Derivative by each input",)
        header = ("Call", "Formula", *middle, *last)
        parts.append(f"## {kind}\n\n{meaning[0].upper()}{meaning[1:]}.\n\n{table(header, rows)}")
    return "\n".join(parts)


def pytorch_names() -> str:
    """Return the table of the page for users of PyTorch, from what errors propose."""
    pairs = [(code(theirs), code(ours)) for theirs, ours in PAIRS]
    return table(
        ("PyTorch", "tinygraph"), pairs + [(code(name), fix) for name, fix in NAMES.items()]
    )


# ---- the reference --------------------------------------------------------------------------


def public_modules() -> list[ModuleType]:
    """Return tinygraph, the subpackages that its front door imports, and the modules in those."""
    names = [m.name for m in pkgutil.iter_modules(tg.__path__) if hasattr(tg, m.name)]
    packages = [importlib.import_module(f"tinygraph.{n}") for n in names if n != "ops"]
    found = [tg]
    for package in packages:
        listed = [getattr(package, name) for name in getattr(package, "__all__", ())]
        found += [package] * bool(listed) + [m for m in listed if isinstance(m, ModuleType)]
    return [module for module in found if any(entries(module))]


def public_names(module: ModuleType) -> list[str]:
    """Return what the module offers, in order of definition."""
    listed = getattr(module, "__all__", None)
    return list(listed) if listed else [n for n in vars(module) if not n.startswith("_")]


def at_front_door(module: ModuleType, name: str) -> bool:
    """Tell whether a name is documented as ``tinygraph.name`` already."""
    return module is not tg and getattr(tg, name, None) is getattr(module, name)


def entries(module: ModuleType) -> Iterator[tuple[str, str, Any]]:
    """Yield home module, name and object for each name that the page of a module documents."""
    for name in public_names(module):
        thing = getattr(module, name)
        if isinstance(thing, ModuleType) or not callable(thing) or at_front_door(module, name):
            continue
        home = thing.module if isinstance(thing, Op | Composite) else thing
        home = home if isinstance(home, str) else getattr(home, "__module__", module.__name__)
        yield home, name, thing


def directive(module: ModuleType, name: str, thing: Any) -> str:
    """Return the autodoc directive of one public name."""
    full = f"{module.__name__}.{name}"
    if isinstance(thing, type):
        options = "" if issubclass(thing, BaseException) else "\n   :members:"
        return f".. autoclass:: {full}{options}\n   :show-inheritance:\n"
    if isinstance(thing, Op | Composite):
        return f".. autofunction:: {full}{call_of(thing).removeprefix(thing.name)}\n"
    return f".. autofunction:: {full}\n"


def summary_of(module: str) -> str:
    """Return the first sentence of a module's documentation, without its full stop."""
    doc = importlib.import_module(module).__doc__ or module
    return inspect.cleandoc(doc).splitlines()[0].rstrip(".")


def place(module: str) -> tuple[int, str]:
    """Return where the names of a module stand on the page: what is needed first comes first."""
    order = ["core.tensor", "ops.creation", "core.grad", "core.functional", "core.modes", "ops."]
    later = ["core.graph", "viz", "check", "core.op", "core.function", "core.debug", "core.errors"]
    for position, prefix in enumerate([*order, *later]):
        if module == f"tinygraph.{prefix}" or (prefix[-1] == "." and prefix in module):
            return position, module
    return len(order), module


def reference(module: ModuleType) -> str:
    """Return the reference page of a module, by the module that each name comes from."""
    groups: dict[str, list[str]] = {}
    for home, name, thing in entries(module):
        groups.setdefault(home, []).append(directive(module, name, thing))
    title = module.__name__
    parts = [f"{title}\n{'=' * len(title)}\n", f"{summary_of(title)}.\n"]
    elsewhere = [f"``{n}``" for n in public_names(module) if at_front_door(module, n)]
    if elsewhere:
        parts.append(f"Also here, and described under ``tinygraph``: {', '.join(elsewhere)}.\n")
    for home, directives in sorted(groups.items(), key=lambda item: place(item[0])):
        heading = summary_of(home)
        heading = heading.split(": ")[0] if len(heading) > 60 else heading
        parts.append(f"{heading}\n{'-' * len(heading)}\n")
        parts += directives
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Return the generated pages by file name; what lies in ``parts`` other pages include."""
    found = {
        "ops.md": op_table(),
        "differentiable.md": differentiable.page(),
        "parts/pytorch_names.md": pytorch_names(),
    }
    for module in public_modules():
        found[f"{module.__name__}.rst"] = reference(module)
    return found


def write_pages(folder: Path) -> None:
    """Write the pages into ``folder``; an unchanged page keeps its date, folders stay."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
