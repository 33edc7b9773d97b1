"""``tinygraph demo``: train on real data, compare with baselines, draw."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    demo = commands.add_parser(
        "demo",
        help="train on circles and digits, compare with baselines, draw the graphs",
        description="Train two MLPs on noisy circles and one on handwritten digits, compare them "
        "with scikit-learn's classifiers and the best possible accuracy, and write plots and the "
        "models' computational graphs. Takes under two minutes.",
    )
    demo.add_argument("--out", default="out", help="folder for the pictures (default: %(default)s)")
    demo.add_argument("--quick", action="store_true", help="train less: a first look in seconds")
    demo.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the demonstration."""
    from ..demo import run_demo

    run_demo(arguments.out, quick=arguments.quick)
