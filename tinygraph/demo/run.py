"""Run the demonstration: train, compare, draw, and print a table."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import TinygraphError
from ..core.leaves import tensor, variables
from ..core.tensor import Tensor
from ..extras import require
from ..nn import Linear, Module, Tanh
from ..ops.binary_loss import binary_cross_entropy_with_logits
from ..ops.loss import mse_loss
from ..viz import draw, explore
from . import circles, digits, plots
from .training import Fitted, outputs


class OutputFolderError(TinygraphError, OSError):
    """The folder for the results cannot be written."""


@dataclass(frozen=True)
class Scale:
    """How much to train."""

    seeds: int = 5
    circle_epochs: int = 100
    digit_epochs: int = 40


QUICK = Scale(seeds=1, circle_epochs=60, digit_epochs=4)


GRAPHS = ("graph_simple_mlp", "graph_deep_mlp", "graph_step")
PAGE = "backprop.html"
FILES = (
    PAGE, "circles.png", "digits.png", "loss_curves.png",
    *(f"{name}.{suffix}" for name in GRAPHS for suffix in ("svg", "png")),
)  # fmt: skip
"""What the demonstration writes."""


@dataclass
class Row:
    """One line of the table of results."""

    task: str
    model: str
    accuracy: float
    seconds: float | None = None


def run_demo(out: str | Path, quick: bool = False) -> list[Row]:
    """Train on circles and digits, write pictures into ``out``, print and return the results.

    Parameters
    ----------
    out : path
        A folder, made if it is missing.
    quick : bool
        Train less: for tests and a first look.

    Raises
    ------
    OutputFolderError
        If ``out`` cannot be written; before any training.
    MissingExtraError
        If scikit-learn, matplotlib, threadpoolctl or tqdm is not installed.
    RenderError
        If there is no Graphviz to draw with; before any training, too.
    """
    folder = writable_folder(out)
    for module in ("sklearn", "matplotlib", "threadpoolctl", "tqdm"):
        require(module, "examples")
    start = time.perf_counter()
    scale = QUICK if quick else Scale()
    print(f"The backward pass, step by step: open {explore_steps(folder / PAGE)} in a browser.\n")
    draw_step(folder)
    one_thread = require("threadpoolctl", "examples").threadpool_limits
    with one_thread(1):  # matrices this small lose more to thread hand-over than they gain
        circle_rows, circle_fits = run_circles(folder, scale)
        digit_rows, digit_fit = run_digits(folder, scale)
    curves = {
        "Circles": {"simple MLP": circle_fits[0].losses, "deep MLP": circle_fits[1].losses},
        "Digits": {"MLP 64-256-128-10": digit_fit.losses},
    }
    plots.loss_curves(folder / "loss_curves.png", curves)
    draw_graphs(folder, circle_fits)
    rows = circle_rows + digit_rows
    print_results(rows, folder, time.perf_counter() - start)
    return rows


def writable_folder(out: str | Path) -> Path:
    """Make the folder and try to write into it."""
    try:
        if not str(out):
            raise ValueError("it has no name")
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".tinygraph-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputFolderError(
            f"Cannot write into {str(out)!r}: {reason}. Fix: another folder with --out."
        ) from error
    return folder


def run_circles(folder: Path, scale: Scale) -> tuple[list[Row], list[Fitted]]:
    """Train both MLPs over the seeds, and compare with the baselines and the Bayes rule."""
    data = circles.load()
    builders = {"simple MLP 2-16-1": circles.simple_mlp, "deep MLP 2-16-16-16-1": circles.deep_mlp}
    rows = []
    rules = {}
    first_fits = []
    for name, (score, seconds, rule) in circles.baselines(data, scale.seeds).items():
        rows.append(Row("circles", name, score, seconds))
        rules[name.split(" (")[0]] = (rule, score)
    for name, build in builders.items():
        with _bar(scale.seeds * scale.circle_epochs, f"circles, {name}") as bar:
            fits = [
                circles.train(build, data, seed, scale.circle_epochs, bar)
                for seed in range(scale.seeds)
            ]
        tests = [circles.classify(f.model) for f in fits]
        score = float(np.mean([circles.accuracy(t, data.x_test, data.y_test) for t in tests]))
        rows.append(Row("circles", f"{name} (ours)", score, _mean_seconds(fits)))
        rules[name] = (tests[0], score)
        first_fits.append(fits[0])
    ceiling = circles.accuracy(circles.bayes_rule, data.x_test, data.y_test)
    rows.append(Row("circles", "best possible (Bayes rule), these 300 points", ceiling))
    rows.append(Row("circles", "best possible, fresh points", circles.bayes_in_population()))
    path = folder / "circles.png"
    best = (circles.bayes_rule, ceiling)
    plots.decision_boundaries(path, data.x_test, data.y_test, best, rules)
    return rows, first_fits


def run_digits(folder: Path, scale: Scale) -> tuple[list[Row], Fitted]:
    """Train the MLP on each split, and compare with logistic regression."""
    score, seconds = digits.baseline(scale.seeds)
    rows = [Row("digits", "LogisticRegression (scikit-learn)", score, seconds)]
    splits = [digits.load(s) for s in range(scale.seeds)]
    with _bar(scale.seeds * scale.digit_epochs, "digits, MLP 64-256-128-10") as bar:
        fits = [
            digits.train(data, seed, scale.digit_epochs, bar) for seed, data in enumerate(splits)
        ]
    scores = [
        digits.accuracy(f.model, d.x_test, d.y_test) for f, d in zip(fits, splits, strict=True)
    ]
    rows.append(
        Row("digits", "MLP 64-256-128-10 (ours)", float(np.mean(scores)), _mean_seconds(fits))
    )
    held_out = splits[0]
    answers = outputs(fits[0].model, held_out.x_test).argmax(axis=1)
    plots.sample_digits(folder / "digits.png", held_out.x_test, held_out.y_test, answers)
    return rows, fits[0]


def draw_graphs(folder: Path, circle_fits: Sequence[Fitted]) -> None:
    """Draw both models' graphs."""
    x = tensor(np.zeros((50, 2), np.float32), name="x")
    labels = tensor(np.zeros((50, 1), np.float32), name="labels")
    for name, fitted in zip(("simple", "deep"), circle_fits, strict=True):
        loss = binary_cross_entropy_with_logits(fitted.model(x), labels)
        picture = draw(loss, view="architecture", title=f"{name} MLP with its loss")
        for suffix in ("svg", "png"):
            picture.render(folder / f"graph_{name}_mlp.{suffix}")


def explore_steps(path: Path) -> Path:
    """Write the page that steps through (x + y) · z and through one small training step."""
    x, y, z = variables(x=-2, y=5, z=-4)
    f, loss = (x + y) * z, one_small_step()
    graphs = {"f = (x + y) · z": f, "one training step": loss}
    return explore(graphs, names={"f": f, "loss": loss}).save(path)


def draw_step(folder: Path) -> None:
    """Draw one small step with its values and gradients."""
    picture = draw(one_small_step(), view="numbers", title="one training step, by hand")
    for suffix in ("svg", "png"):
        picture.render(folder / f"graph_step.{suffix}")


def one_small_step() -> Tensor:
    """Return the loss of a 2-2-1 network on one example, after its backward pass."""
    model: Module = Linear(2, 2) >> Tanh() >> Linear(2, 1)
    model.load_state_dict(
        {
            "0.weight": np.array([[0.5, -1.0], [1.0, 0.25]]),
            "0.bias": np.array([0.0, -0.5]),
            "2.weight": np.array([[1.0, -2.0]]),
            "2.bias": np.array([0.5]),
        }
    )
    loss = mse_loss(model(tensor([[1.0, 2.0]], name="x")), tensor([[1.0]], name="target"))
    loss.backward()
    return loss


def print_results(rows: Sequence[Row], folder: Path, seconds: float) -> None:
    """Print the table and the files."""
    width = max(len(row.model) for row in rows)
    task = ""
    for row in rows:
        if row.task != task:
            task = row.task
            print(f"\n{task:<{width + 2}} accuracy   training")
        took = "" if row.seconds is None else f"{row.seconds:8.2f} s"
        print(f"  {row.model:<{width}}  {row.accuracy:7.1%} {took}")
    print(f"\nWritten into {folder}:")
    for name in FILES:
        print(f"  {folder / name}")
    print(f"\nAll of it took {seconds:.0f} s.")


def _bar(total: int, title: str):  # type: ignore[no-untyped-def]
    tqdm = require("tqdm", "examples").tqdm
    return tqdm(total=total, desc=title, unit="epoch", file=sys.stderr, mininterval=0.5)


def _mean_seconds(fits: Sequence[Fitted]) -> float:
    return float(np.mean([f.seconds for f in fits]))
