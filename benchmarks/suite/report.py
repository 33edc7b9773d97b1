"""Tables and the picture of what the suite measured."""

from __future__ import annotations

import json
import platform
import statistics
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE = "torch"


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
            times = f" ({ratio(table, contestant):.2f} ×)" if contestant != REFERENCE else ""
            cells.append(f"{milliseconds(row['median'])}{times}" if row else "–")
        cells.append(milliseconds(table["bound"]) if table["bound"] else "–")
        lines.append("| " + " | ".join(cells) + " |")
    memory = ["", "Peak memory of the process, MiB:", ""]
    memory += ["| Step | " + " | ".join(contestants) + " |", "|---" * (len(contestants) + 1) + "|"]
    for table in tables:
        rows = [table["results"].get(c) for c in contestants]
        cells = [f"{row['peak']:.0f}" if row else "–" for row in rows]
        memory.append("| " + " | ".join([table["name"], *cells]) + " |")
    return "\n".join(lines + memory) + "\n"


def write(tables: list[dict[str, Any]], folder: Path) -> None:
    """Write ``benchmarks.json``, ``benchmarks.md`` and ``benchmarks.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"
    (folder / "benchmarks.json").write_text(
        json.dumps({"about": about, "tables": tables}, indent=1) + "\n", encoding="utf-8"
    )
    (folder / "benchmarks.md").write_text(as_markdown(tables), encoding="utf-8")
    draw(tables, folder / "benchmarks.svg")


COLORS = {
    "tinygraph": "#005A9C", "tinygraph compile": "#3D8BC9", "tinygraph 2 workers": "#8FC1E8",
    "torch": "#5B6770", "torch compile": "#98A2A9", "jax": "#B54A00",
    "autograd": "#762A83", "mygrad": "#1B7837", "micrograd": "#000000",
}  # fmt: skip
MARKERS = dict(zip(COLORS, ["o", "D", "s", "|", "_", "^", "v", "P", "X"], strict=True))


def draw(tables: list[dict[str, Any]], path: Path) -> None:
    """Draw each contestant's time as a multiple of PyTorch's, on a log scale."""
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "tinygraph"
    fig, ax = plt.subplots(figsize=(8, 0.55 * len(tables) + 1.4))
    contestants = list(dict.fromkeys(c for t in tables for c in t["results"]))
    for contestant in contestants:
        points = [(ratio(t, contestant), i) for i, t in enumerate(tables)]
        kept = [(x, y) for x, y in points if x == x and x < 100]
        if kept and contestant != REFERENCE:
            ax.scatter(
                *zip(*kept, strict=True), label=contestant, s=46,
                color=COLORS[contestant], marker=MARKERS[contestant], zorder=3,
            )  # fmt: skip
    ax.axvline(1, color=COLORS[REFERENCE], label="PyTorch, eager")
    ax.set_xscale("log")
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 50]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(tables)), [t["name"] for t in tables])
    ax.invert_yaxis()
    ax.grid(axis="y", color="#E3E7EA")
    ax.set_xlabel("time of a training step, × PyTorch eager (left is faster)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    fig.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(fig)
