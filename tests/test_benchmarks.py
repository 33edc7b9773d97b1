"""The benchmarks measure what they say: the same step in every form, and honest tables."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from benchmarks.suite import measure, report
from benchmarks.suite.contestants import Tinygraph, TinygraphCompiled, TinygraphWorkers
from benchmarks.suite.families import FAMILIES, find
from benchmarks.suite.workloads import WORKLOADS, make_arrays

SMALL = ["tiny-mlp", "digits-mlp", "cnn-1d", "depth@4", "length@4"]


def weights_after(contestant, name, steps=3):
    workload = find(name)
    runner = contestant(workload, make_arrays(workload))
    for _ in range(steps):
        runner.step()
    return {n: p.data.copy() for n, p in runner.model.named_parameters()}


@pytest.mark.parametrize("name", SMALL)
def test_every_form_takes_the_same_steps(name):
    eager = weights_after(Tinygraph, name)
    compiled = weights_after(TinygraphCompiled, name)
    shared = weights_after(TinygraphWorkers, name)
    for key, value in eager.items():
        np.testing.assert_array_equal(compiled[key], value)
        np.testing.assert_allclose(shared[key], value, rtol=1e-3, atol=2e-4)


def test_what_is_not_split_is_not_an_argument():
    workload = WORKLOADS["character-gpt"]
    runner = TinygraphWorkers(workload, make_arrays(workload))
    assert runner.names == ["x", "labels"]


def test_families_hold_the_sizes_they_name():
    for name, family in FAMILIES.items():
        members = family.workloads()
        assert [w.name for w in members] == [f"{name}@{size}" for size in family.sizes]
        assert len({w.products for w in members}) == len(members)
        assert find(members[1].name).title == members[1].title
    assert find("batch@16").data(np.random.default_rng(0))["x"].shape == (16, 64)


def test_a_measurement_prints_a_line_for_each_workload(tmp_path, capsys):
    for name in ("depth@1", "depth@2"):
        np.savez(tmp_path / f"{name}.npz", **make_arrays(find(name)))
    measure.main("depth@1,depth@2", "tinygraph", str(tmp_path), "0.01")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 2
    for row in rows:
        assert 0 < row["least"] <= row["median"] and row["first"] > 0 and row["peak"] > 10


def test_peak_memory_is_that_of_the_process_alone():
    held = np.ones(50_000_000)  # 400 MB, here
    code = "from benchmarks.suite.measure import peak_memory; print(peak_memory())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 5 < float(printed.stdout) < held.nbytes / 2**21


def table():
    def row(median):
        return {"median": median, "least": median / 2, "first": 1.0, "peak": 100.0}

    results = {"torch": row(0.004), "tinygraph": row(0.001)}
    return {"name": "small", "title": "A step", "bound": 0.0005, "results": results}


def test_tables_and_pictures_hold_the_numbers(tmp_path):
    other = {**table(), "name": "without", "results": {"tinygraph": table()["results"]["torch"]}}
    report.write([table(), other], tmp_path)
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| **small**: A step | 4 | 1 (0.25 ×) | 0.5 |" in text
    assert "| **without**: A step | – | 4 | 0.5 |" in text
    assert json.loads((tmp_path / "benchmarks.json").read_text())["tables"][0] == table()
    ET.parse(tmp_path / "benchmarks.svg")
    curves = {"title": "t", "axis": "rows", "sizes": [1, 8], "bounds": [1e-6, 2e-6],
              "times": {"torch": [2e-3, 3e-3], "tinygraph": [1e-3, 2e-3]}}  # fmt: skip
    assert report.curve_as_text(curves).splitlines()[-1].split() == ["tinygraph", "1", "2"]
    report.write_curves({"batch": curves}, tmp_path)
    ET.parse(tmp_path / "scaling.svg")
