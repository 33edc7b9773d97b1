"""The demonstration: every file, the table, the numbers it must show, and its errors."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg

for extra in ("sklearn", "matplotlib", "tqdm", "threadpoolctl"):
    pytest.importorskip(extra)

from tinygraph.demo import circles, digits, run, run_demo  # noqa: E402

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the quick demonstration once; its rows, folder and printed text."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("demo") / "made" / "here"
    folder.parent.mkdir()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        rows = run_demo(folder, quick=True)
    return rows, folder, printed.getvalue()


def check_png(data):
    """Check signature, checksums of all chunks, and that the pixels unpack."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, pixels, kinds = 8, b"", []
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (crc,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert zlib.crc32(kind + body) == crc
        pixels += body if kind == b"IDAT" else b""
        kinds.append(kind)
        position += 12 + length
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and len(zlib.decompress(pixels)) > 10_000


def test_every_named_file_is_there_and_valid(demo):
    _, folder, printed = demo
    assert sorted(p.name for p in folder.iterdir()) == sorted(run.FILES)
    for name in run.FILES:
        assert str(folder / name) in printed
        data = (folder / name).read_bytes()
        if name.endswith(".png"):
            check_png(data)
        elif name.endswith(".html"):
            assert data.startswith(b"<!doctype html>") and len(data) < 250_000
        else:
            assert ET.fromstring(data).tag.endswith("svg")


def test_the_page_of_the_backward_pass_comes_first(demo):
    _, folder, printed = demo
    assert str(folder / "backprop.html") in printed.splitlines()[0]
    assert "`out/backprop.html`" in (ROOT / "README.md").read_text("utf-8")
    page = (folder / "backprop.html").read_text("utf-8")
    assert "f = (x + y) · z" in page and "one training step" in page and "mse_loss" in page


def test_the_graphs_name_their_modules_and_show_gradients(demo):
    _, folder, _ = demo
    model = (folder / "graph_deep_mlp.svg").read_text("utf-8")
    assert "Linear" in model and "ReLU" in model
    step = (folder / "graph_step.svg").read_text("utf-8")
    loss = run.one_small_step()
    gradient = tg.graph(loss).find(name="weight")[0].tensor.grad
    assert f"{gradient.ravel()[0]:.2f}"[:4].lstrip("-") in step.replace("−", "")


def test_the_table_shows_models_baselines_and_the_ceiling(demo):
    rows, _, printed = demo
    by_name = {(r.task, r.model): r for r in rows}
    assert len(rows) == 8
    for row in rows:
        assert row.model in printed and f"{row.accuracy:.1%}" in printed
    ceiling = by_name["circles", "best possible (Bayes rule), these 300 points"]
    assert ceiling.accuracy == pytest.approx(0.78, abs=0.005)
    fresh = by_name["circles", "best possible, fresh points"].accuracy
    assert fresh == pytest.approx(0.84, abs=0.005)
    line = by_name["circles", "LogisticRegression (scikit-learn)"].accuracy
    assert line == pytest.approx(0.52, abs=0.01)
    assert by_name["circles", "deep MLP 2-16-16-16-1 (ours)"].accuracy > 0.7
    assert by_name["digits", "MLP 64-256-128-10 (ours)"].accuracy > 0.9


def test_it_touches_no_pyplot_state(demo):
    import sys

    if "matplotlib.pyplot" in sys.modules:
        assert not sys.modules["matplotlib.pyplot"].get_fignums()


def test_the_bayes_rule_is_the_best_threshold_on_the_radius():
    data = circles.load()
    assert data.x_train.shape == (700, 2) and data.x_test.shape == (300, 2)
    assert data.x_train.dtype == np.float32
    accuracy = circles.accuracy(circles.bayes_rule, data.x_test, data.y_test)
    assert accuracy == pytest.approx(0.78, abs=0.005)
    assert circles.bayes_in_population(50_000) == pytest.approx(0.84, abs=0.01)
    radii = np.linspace(0.5, 1.3, 400)
    labels = circles.bayes_rule(np.stack([radii, 0 * radii], 1))
    assert np.all(np.diff(labels) <= 0), "inside is 1, outside 0, with one change"
    change = radii[labels.argmin()]
    assert 0.9 < change < 0.92


def test_the_density_behind_the_bayes_rule_is_that_of_the_rings():
    """Compare with a numerical average of the Gaussian over the ring."""
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    for rho in (0.7, 0.88, 0.9, 0.92, 1.1):
        densities = []
        for r in (1.0, circles.FACTOR):
            d2 = (rho - r * np.cos(angles)) ** 2 + (r * np.sin(angles)) ** 2
            densities.append(np.exp(-d2 / (2 * circles.NOISE**2)).mean())
        rule = circles.bayes_rule(np.array([[0.0, rho]]))[0]
        assert rule == int(densities[1] > densities[0])


def test_digits_are_split_evenly_and_scaled():
    data = digits.load(0)
    assert data.x_test.shape == (360, 64) and data.x_train.shape == (1437, 64)
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    counts = np.bincount(data.y_test)
    assert len(counts) == 10 and counts.max() - counts.min() <= 2


def test_training_repeats_itself():
    class Bar:
        def update(self): ...

        def set_postfix(self, **values): ...

    data = circles.load()
    fits = [circles.train(circles.simple_mlp, data, 3, 2, Bar()) for _ in range(2)]
    assert fits[0].losses == fits[1].losses and len(fits[0].losses) == 2
    assert fits[0].losses[1] < fits[0].losses[0]


# ---- errors before any training ----------------------------------------------------------------


@pytest.fixture
def no_training(monkeypatch):
    def trained(*arguments):
        raise AssertionError("training began")

    monkeypatch.setattr(run, "run_circles", trained)
    monkeypatch.setattr(run, "run_digits", trained)


@pytest.mark.parametrize("out", ["a file", "in a file", "", "with a \0", None])
def test_an_unwritable_folder_is_an_error_before_any_training(tmp_path, no_training, out):
    (tmp_path / "file").write_text("mine")
    out = {"a file": tmp_path / "file", "in a file": tmp_path / "file" / "out"}.get(out, out)
    with pytest.raises(run.OutputFolderError, match=r"Cannot write into .*Fix: .*--out"):
        run_demo(out)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("missing", ["sklearn", "matplotlib", "tqdm", "threadpoolctl"])
def test_a_missing_extra_is_an_error_before_any_training(
    tmp_path, monkeypatch, no_training, missing
):
    import sys

    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(tg.TinygraphError) as caught:
        run_demo(tmp_path)
    assert type(caught.value).__name__ == "MissingExtraError"
    assert isinstance(caught.value, ImportError)
    assert f"needs {missing}" in str(caught.value)
    assert 'pip install "tinygraph-autodiff[examples]"' in str(caught.value)


def test_no_graphviz_is_an_error_before_any_training(tmp_path, monkeypatch, no_training):
    monkeypatch.setenv("TINYGRAPH_DOT", "no-such-program")
    with pytest.raises(tg.TinygraphError, match="TINYGRAPH_DOT"):
        run_demo(tmp_path)
