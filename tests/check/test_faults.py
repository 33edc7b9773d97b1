"""Planted faults: one mistake in a copy of a record, and the battery must notice each."""

from __future__ import annotations

import pytest
from op_samples import REFERENCES, SAMPLES

from tinygraph.check import CHECKS, planted_faults
from tinygraph.check.battery import failures_of
from tinygraph.core.op import Op
from tinygraph.core.registry import REGISTRY, is_builtin

DIFFERENTIABLE = {
    name: record
    for name, record in REGISTRY.items()
    if is_builtin(record) and isinstance(record, Op) and record.vjps and name in SAMPLES
}
ORDER = ["jacobian", "unmodified", *CHECKS]  # the likely ones first


def caught(fault: Op, name: str) -> bool:
    return any(failures_of(c, fault, SAMPLES[name], REFERENCES.get(name)) for c in ORDER)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_planted_fault_is_caught(name):
    faults = planted_faults(DIFFERENTIABLE[name], SAMPLES[name])
    survivors = [label for label, fault in faults.items() if not caught(fault, name)]
    assert not survivors


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_rule_gets_the_four_kinds_of_faults(name):
    record = DIFFERENTIABLE[name]
    labels = " ".join(planted_faults(record, SAMPLES[name]))
    for kind in ("scaled by 1.001", "dropped", "upstream gradient", "writes into its input"):
        assert kind in labels
    rules = record.vjps if isinstance(record.vjps, list) else [record.vjps]
    differentiated = [r for r in rules if r is not None]
    assert labels.count("scaled") >= len(differentiated)
    if record.kind == "elementwise" and len(differentiated) > 1:
        assert "broadcasting not undone" in labels


def test_the_battery_accepts_the_originals():
    for name, record in DIFFERENTIABLE.items():
        assert not any(failures_of(c, record, SAMPLES[name], REFERENCES.get(name)) for c in ORDER)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("tanh", "node 1 'sub' replaced by operand 1"),
        ("softmax_slope", "node 1 'sub' replaced by operand 0"),
        ("matmul", "'sum_to' replaced by operand 0"),
        ("gelu_exact", "'add' replaced by operand 0"),
        ("cos", "'neg' replaced by operand 0"),
        ("linear", "'sum_to' replaced by operand 0"),
    ],
)
def test_terms_factors_signs_and_sums_are_dropped_inside_rules(name, fault):
    faults = planted_faults(DIFFERENTIABLE[name], SAMPLES[name])
    assert any(fault in label for label in faults), list(faults)
