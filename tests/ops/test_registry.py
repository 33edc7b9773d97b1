"""The battery of `tinygraph.check`, run on every record in the registry.

Each test is one check of one record on all its samples; `tests/op_samples.py` has those.
"""

from __future__ import annotations

import pytest
from op_samples import REFERENCES, SAMPLES

from tinygraph.check import CHECKS
from tinygraph.check.battery import failures_of
from tinygraph.core.registry import REGISTRY, is_builtin

RECORDS = {name: record for name, record in REGISTRY.items() if is_builtin(record)}
FUNCTIONS = [n for n, record in RECORDS.items() if record.kind != "state" and n in SAMPLES]
"""What has a value; the updates of optimizers write to memory: tests/ops/test_state.py."""


def test_every_record_has_samples():
    assert sorted(RECORDS) == sorted(SAMPLES)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_record(name, check):
    record = RECORDS[name]
    failures = failures_of(check, record, SAMPLES[name], REFERENCES.get(name))
    assert not failures, "\n" + "\n".join(failures)
