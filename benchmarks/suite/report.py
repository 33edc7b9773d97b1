"""Tables and the picture of what the suite measured."""

from __future__ import annotations

import json
import platform
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from . import drawing
from .drawing import REFERENCE


def summarize(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of medians, the least time, the first call and the peak memory."""
    return {
        "median": statistics.median(row["median"] for row in rows),
        "least": min(row["least"] for row in rows),
        "first": statistics.median(row["first"] for row in rows),
        "peak": statistics.median(row["peak"] for row in rows),
    }


def ratio(table: dict[str, Any], contestant: str) -> float:
    """Return the median time as a multiple of PyTorch's, nan without PyTorch."""
    results = table["results"]
    if REFERENCE not in results or contestant not in results:
        return float("nan")
    return float(results[contestant]["median"] / results[REFERENCE]["median"])


def ratios(table: dict[str, Any]) -> dict[str, float]:
    """Return every contestant's time as a multiple of PyTorch's."""
    return {contestant: ratio(table, contestant) for contestant in table["results"]}


def milliseconds(seconds: float) -> str:
    """Return three significant digits."""
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def as_text(table: dict[str, Any]) -> str:
    """Return a workload's lines for the terminal."""
    lines = [f"{table['name']}: {table['title']}"]
    if table["bound"]:
        lines.append(f"  {'matrix products alone':<20} {milliseconds(table['bound']):>9} ms")
    for contestant, row in table["results"].items():
        lines.append(
            f"  {contestant:<20} {milliseconds(row['median']):>9} ms "
            f"(least {milliseconds(row['least']):>6}) {ratio(table, contestant):7.2f} × torch"
            f"   first {row['first']:6.2f} s   peak {row['peak']:5.0f} MiB"
        )
    return "\n".join(lines)


def as_markdown(tables: list[dict[str, Any]]) -> str:
    """Return one table: milliseconds and multiples of PyTorch, a row for each workload."""
    contestants = list(dict.fromkeys(c for t in tables for c in t["results"]))
    head = ["Step", *contestants, "products alone"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for table in tables:
        cells = [f"**{table['name']}**: {table['title']}"]
        for contestant in contestants:
            row = table["results"].get(contestant)
            times = ratio(table, contestant)
            multiple = "" if contestant == REFERENCE or times != times else f" ({times:.2f} ×)"
            cells.append(f"{milliseconds(row['median'])}{multiple}" if row else "–")
        cells.append(milliseconds(table["bound"]) if table["bound"] else "–")
        lines.append("| " + " | ".join(cells) + " |")
    memory = ["", "Peak memory of the process, MiB:", ""]
    memory += ["| Step | " + " | ".join(contestants) + " |", "|---" * (len(contestants) + 1) + "|"]
    for table in tables:
        rows = [table["results"].get(c) for c in contestants]
        cells = [f"{row['peak']:.0f}" if row else "–" for row in rows]
        memory.append("| " + " | ".join([table["name"], *cells]) + " |")
    return "\n".join(lines + memory) + "\n"


def curve_as_text(curves: dict[str, Any]) -> str:
    """Return a family's lines for the terminal: milliseconds, a column for each size."""
    rows = {"products alone": curves["bounds"]} | curves["times"]
    lines = [f"{curves['title']}; {curves['axis']}:", " " * 22]
    lines[1] += "".join(f"{size:>9}" for size in curves["sizes"])
    for name, times in rows.items():
        lines.append(f"  {name:<20}" + "".join(f"{milliseconds(t):>9}" for t in times))
    return "\n".join(lines)


def about() -> str:
    """Return what the numbers were measured with."""
    return f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"


def write(tables: list[dict[str, Any]], folder: Path) -> None:
    """Write ``benchmarks.json``, ``benchmarks.md`` and ``benchmarks.svg``."""
    save({"about": about(), "tables": tables}, folder / "benchmarks.json")
    (folder / "benchmarks.md").write_text(as_markdown(tables), encoding="utf-8")
    drawing.draw_table({t["name"]: ratios(t) for t in tables}, folder / "benchmarks.svg")


def write_curves(curves: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write ``scaling.json`` and ``scaling.svg``."""
    save({"about": about(), "curves": curves}, folder / "scaling.json")
    drawing.draw_curves(curves, folder / "scaling.svg")


def save(found: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
