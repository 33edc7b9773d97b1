"""The main demonstration: two trained models, their baselines and their graphs."""

from .run import run_demo

__all__ = ["run_demo"]
