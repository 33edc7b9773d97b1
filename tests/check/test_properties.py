"""The claims about modules: every measurement agrees with its verdict, and could disagree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.check import properties
from tinygraph.check.properties import (
    attention,
    batch_norm,
    convolution,
    layer_norm,
    linear,
    training,
)
from tinygraph.check.properties.claim import Claim, about, exactly, less, more, zero
from tools import make_errata

CLAIMS = properties.CLAIMS
F = tg.nn.functional


@pytest.mark.parametrize("name", CLAIMS)
def test_claim(name):
    facts = CLAIMS[name].measure()
    assert facts
    wrong = [f"{fact.what}: {fact.value!r}" for fact in facts if not fact.ok]
    assert not wrong


@pytest.mark.parametrize("name", CLAIMS)
def test_it_is_written_out(name):
    found = CLAIMS[name]
    assert found.statement.endswith(".") and found.verdict in properties.VERDICTS
    assert found.truth or found.verdict == "holds"
    facts = [fact.what for fact in found.measure()]
    assert len(set(facts)) == len(facts)


def test_every_topic_of_the_page_is_there():
    """What the page promises: a list to check against when a claim is taken out."""
    words = (
        "linear-layers-are-affine doubling counts-of-a-linear-layer relu-has-no-gradient "
        "relu-units-can-die sigmoid-slopes tanh-is-centred ranges-in gelu-has-a-minimum "
        "gelu-and-its-approximation formulas-overflow shapes-have-to-fit shared-modules "
        "residual-jacobian residual-can-be-singular residual-stacks-explode "
        "residual-with-outer-relu residual-needs-equal dense-blocks layer-norm-takes-a-shift "
        "layer-norm-keeps-the-sign layer-norm-after-a-scaled layer-norm-and-learning "
        "layer-norm-of-equal layer-norm-of-two norms-as-the-batch group-norm-between "
        "batch-norm-and-the-bias convolution-is-equivariant convolution-is-cross "
        "rows-of-the-matrix structure-of-the-matrix operations-of parameters-in-one "
        "parameters-in-two index-of output-size padding-and last-layers softmax-over-rows "
        "scores-are-divided attention-is-permutation where-the-second-skip weights-on-the-right "
        "ffn-sees-one composition-is linear-maps parallel-branches kinks-do sigmoids-as deeper-can "
        "windows-grow filters-are scrambled-images learning-rates-differ weight-decay-before"
    )
    for word in words.split():
        assert [name for name in CLAIMS if name.startswith(word)], word


# ---- the checks can fail -------------------------------------------------------------------------


def wrong_after(monkeypatch, module, name, fault):
    """Return the claims of a module that fail once one of its functions is wrong."""
    monkeypatch.setattr(module, name, fault)
    topics = {c.topic for c in CLAIMS.values() if c.check.__module__ == module.__name__}
    chosen = [c.name for c in CLAIMS.values() if c.topic in topics]
    return {r.claim.name for r in properties.report(*chosen).results if not r.ok}


def test_a_layer_norm_without_its_mean_is_found(monkeypatch):
    def fault(z, eps=0.0):
        z = z if isinstance(z, tg.Tensor) else np.asarray(z)
        return z / (tg.sqrt(tg.mean(z * z, axis=-1, keepdims=True)) + eps)

    found = wrong_after(monkeypatch, layer_norm, "plain", fault)
    assert {"layer-norm-takes-a-shift-away", "layer-norm-of-equal-components"} <= found


def test_a_convolution_that_flips_is_found(monkeypatch):
    plain = convolution.conv
    found = wrong_after(monkeypatch, convolution, "conv", lambda z, w: plain(z, w[::-1]))
    assert {"convolution-is-cross-correlation", "rows-of-the-matrix"} <= found


def test_a_norm_that_does_not_see_the_batch_is_found(monkeypatch):
    found = wrong_after(
        monkeypatch, batch_norm, "batch_norm", lambda x: F.layer_norm(x, x.shape[1:])
    )
    assert "norms-as-the-batch-shrinks" in found


def test_an_order_that_changes_nothing_is_found(monkeypatch):
    found = wrong_after(monkeypatch, attention, "ORDER", np.arange(5))
    assert found == {"attention-is-permutation-equivariant"}


def test_other_prices_are_found(monkeypatch):
    assert wrong_after(monkeypatch, linear, "BASE", np.zeros(3)) == {"doubling"}


def test_a_flattened_step_is_found(monkeypatch):
    found = wrong_after(monkeypatch, training, "sign", lambda z: z)
    assert "kinks-do-no-harm" in found


def test_a_norm_that_sees_the_size_is_found(monkeypatch):
    monkeypatch.setattr(training.nn, "LayerNorm", lambda *_, **__: tg.nn.Identity())
    (result,) = properties.report("weight-decay-before-a-norm").results
    assert [fact.ok for fact in result.facts] == [True, False, True]


def test_curvature_that_ignores_the_inputs_is_found(monkeypatch):
    plain = training.loss_of
    found = wrong_after(monkeypatch, training, "loss_of", lambda a, b, size: plain(a, b, 1))
    assert found == {"learning-rates-differ"}


def test_measurements_decide():
    assert zero("x", 1e-12).ok and not zero("x", 1e-3).ok and not zero("x", np.nan).ok
    assert about("x", 1.01, 1, within=0.02).ok and not about("x", 1.03, 1, within=0.02).ok
    assert about("x", -1.01, -1).ok and not about("x", np.nan, 1).ok
    assert exactly("x", [1], [1]).ok and not exactly("x", True, False).ok
    assert more("x", 2, 1).ok and not more("x", 1, 1).ok and not more("x", np.nan, 1).ok
    assert less("x", 1, 2).ok and not less("x", 2, 2).ok
    assert [f("x", v, *rest).shown for f, v, *rest in [
        (zero, 1e-12), (exactly, True, True), (exactly, 12345, 0), (exactly, [1.0, 2.5], 0),
        (exactly, (2, 3), 0), (about, -1.8659, 1), (more, 8.1e6, 1, 1), (less, 3e-15, 1, 1),
    ]] == ["0, up to rounding", "yes", "12,345", "1, 2.5", "(2, 3)", "−1.87", "8 · 10^6",
           "3 · 10^−15"]  # fmt: skip


def test_a_wrong_measurement_shows():
    claim = Claim("n", "Topic", "All is well.", "holds", "So it is.", lambda: [exactly("a", 1, 2)])
    found = properties.Report([properties.Result(claim, claim.measure())])
    assert not found.ok and "✗ a: 1" in repr(found)


# ---- the report and the page ---------------------------------------------------------------------


def test_measuring_leaves_no_trace():
    tg.manual_seed(5)
    wanted = tg.rand(3).data
    tg.manual_seed(5)
    assert properties.report("norms", "shared").ok
    np.testing.assert_array_equal(tg.rand(3).data, wanted)
    assert tg.get_default_dtype() == np.float32


def test_some_and_all_claims():
    two = properties.report("shared-modules", "layer-norm-keeps", "shared")
    assert [r.claim.name for r in two.results] == [
        "shared-modules-add-gradients", "layer-norm-keeps-the-sign",
    ]  # fmt: skip
    assert len(properties.report().results) == len(CLAIMS)
    with pytest.raises(tg.UsageError, match=r"no claim 'gravity'.*doubling"):
        properties.report("gravity")
    with pytest.raises(tg.UsageError, match="name is taken"):
        properties.claim.claim("t", "s", "holds", "")(CLAIMS["doubling"].check)


def test_the_page_is_what_the_claims_say():
    assert make_errata.PAGE.read_text(encoding="utf-8") == properties.page(), (
        "run: python -m tools.make_errata"
    )


def test_the_page_does_not_speak_of_sources_that_readers_do_not_have():
    text = make_errata.PAGE.read_text(encoding="utf-8")
    assert " notes" not in text and "✗" not in text


def test_from_the_command_line():
    done = subprocess.run(
        [sys.executable, "-Werror", "-Xutf8", "-m", "tinygraph.check.properties", "softmax"],
        capture_output=True, encoding="utf-8", cwd=Path(__file__).parents[2], timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Attention and transformer blocks")
    assert "sums of rows − 1: 0, up to rounding" in done.stdout
