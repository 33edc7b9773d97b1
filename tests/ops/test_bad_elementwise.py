"""Bad input to the further elementwise ops, the activations, logic and dropout."""

from __future__ import annotations

import numpy as np
import pytest
from bad_input import DTYPE, GRADIENT, SHAPE, USAGE, cases, check_all_differ, check_row

import tinygraph as tg

ROWS = {
    "operands": [
        ("tg.hypot(x, w)", SHAPE, ["hypot", r"\(2, 3\) float64 and \(4,\) float64", "reshape"]),
        ("tg.arctan2(x, np.ones((4, 3)))", SHAPE, ["arctan2", r"\(4, 3\)", "broadcast"]),
        ("x % w", SHAPE, ["remainder", r"\(2, 3\)", r"\(4,\)", "expand_dims"]),
        ("x // 'a'", DTYPE, ["floor_divide", "'a'", r"tg\.tensor"]),
        ("tg.fmod(x, None)", DTYPE, ["fmod", "None"]),
        ("tg.logaddexp(x, {})", DTYPE, ["logaddexp", "dict"]),
        ("tg.xlogy(x, np.array([1j]))", DTYPE, ["xlogy", "complex"]),
        ("tg.copysign(x)", USAGE, [r"copysign\(a, b\)", "missing argument b"]),
        ("tg.fmax(x, x, x)", USAGE, [r"fmax\(a, b\)", "too many"]),
        ("tg.log1p(x, out=a)", USAGE, ["log1p", "'out'", "new tensors"]),
        ("tg.arcsin()", USAGE, [r"arcsin\(x\)", "missing argument x"]),
        ("tg.tan('a')", DTYPE, ["tan", "'a'"]),
        ("x.exp2(base=2)", USAGE, ["exp2", "'base'"]),
        ("tg.floor(None)", DTYPE, ["floor", "None"]),
        ("x %= 2.0", GRADIENT, ["'%='", "no_grad", "t = t % x"]),
        ("x //= 2.0", GRADIENT, ["'//='", "no_grad"]),
        ("a %= x[0]", USAGE, [r"np\.remainder", r"a = a \+ t"]),
    ],
    "numbers": [
        ("tg.round(x, decimals=0.5)", USAGE, ["round", "decimals", r"0\.5", "decimals=2"]),
        ("tg.round(x, True)", USAGE, ["round", "decimals", "True"]),
        ("tg.nan_to_num(x, nan=None)", USAGE, ["nan_to_num", "None", r"nan=0\.0"]),
        ("tg.nan_to_num(x, posinf='big')", USAGE, ["nan_to_num", "str", r"tg\.where"]),
        ("tg.nan_to_num(x, nan=s)", USAGE, ["nan_to_num", "gradient", r"tg\.where"]),
        ("tg.nan_to_num(x, copy=False)", USAGE, ["nan_to_num", "'copy'"]),
        ("tg.leaky_relu(x, negative_slope='a')", USAGE, ["leaky_relu", "negative_slope", "'a'"]),
        ("tg.leaky_relu(x, s)", USAGE, ["leaky_relu", "negative_slope", "finite number"]),
        ("tg.leaky_relu(x, slope=0.1)", USAGE, ["leaky_relu", "'slope'", "negative_slope=0.01"]),
        ("tg.elu(x, alpha=float('nan'))", USAGE, ["elu", "alpha", "finite", "nan"]),
        ("tg.hardtanh(x, min_val=1, max_val=-1)", USAGE, ["hardtanh", "min_val=1", "max_val=-1"]),
        ("tg.hardtanh(x, max_val=None)", USAGE, ["hardtanh", "max_val", "None"]),
        ("tg.logit(x, eps=0.7)", USAGE, ["logit", "eps", r"0\.7", "½", "1e-6"]),
        ("tg.logit(x, eps='a')", USAGE, ["logit", "eps", "'a'"]),
        ("tg.relu6(x, 6)", USAGE, [r"relu6\(x\)", "too many"]),
    ],
    "shapes": [
        ("tg.prelu(x, np.ones(2))", SHAPE, ["prelu", "channel", r"\(2, 3\).*\(2,\)", r"\(3,\)"]),
        ("tg.prelu(v, np.ones(3))", SHAPE, ["prelu", "axis 1", r"\(3,\) float32"]),
        ("tg.prelu(x, 'a')", DTYPE, ["prelu", "real numbers", "a"]),
        ("tg.glu(x)", SHAPE, ["glu", "axis -1", "even", r"\(2, 3\)", "2·n"]),
        ("tg.glu(x, axis=2)", SHAPE, ["glu", "axis 2", "2 axes"]),
        ("tg.glu(s)", SHAPE, ["glu", "axis -1", "0 axes"]),
        ("tg.glu(x, axis=0.5)", USAGE, ["glu", "integer", r"0\.5"]),
        ("tg.glu(x, dim=0)", USAGE, ["glu", "'dim'", "'axis'"]),
        ("tg.lerp(x, w, 0.5)", SHAPE, ["sub", r"\(4,\)", r"\(2, 3\)"]),
        ("tg.lerp(x, x)", USAGE, ["lerp", "missing.*weight"]),
        ("tg.masked_fill(x, x, 0)", DTYPE, ["masked_fill", "boolean", "float64", "mask != 0"]),
        ("tg.masked_fill(x, mask, 0)", SHAPE, ["masked_fill", r"\(2, 3\)", r"\(2,\)", "reshape"]),
        ("tg.masked_fill(v, x > 1, 0)", SHAPE, ["masked_fill", r"\(3,\)", r"\(2, 3\)"]),
        ("tg.masked_fill(x, x > 1, v)", SHAPE, ["masked_fill", "one number", r"tg\.where"]),
        ("tg.masked_fill(i, i > 0, 0.5)", DTYPE, ["masked_fill", r"0\.5", "int64", "astype"]),
        ("x.masked_fill(x > 1, 'a')", DTYPE, ["masked_fill", "real numbers", "a"]),
    ],
    "logic": [
        ("x & x", DTYPE, ["bitwise_and", "a & b", "float64", r"tg\.logical_and", "parentheses"]),
        ("v | v", DTYPE, ["bitwise_or", "booleans and integers", r"\(3,\) float32"]),
        ("mask ^ 0.5", DTYPE, ["bitwise_xor", "bool", r"0\.5"]),
        ("~x", DTYPE, ["bitwise_not", "~x", r"\(2, 3\) float64"]),
        ("mask & tg.tensor([True, False, True])", SHAPE, ["bitwise_and", r"\(2,\).*\(3,\)"]),
        ("mask & 'a'", DTYPE, ["bitwise_and", "'a'"]),
        ("tg.logical_and(x, w)", SHAPE, ["logical_and", r"\(2, 3\)", r"\(4,\)"]),
        ("tg.logical_not(None)", DTYPE, ["logical_not", "None"]),
        ("x > 1 and x < 2", SHAPE, ["truth", r"\(2, 3\)"]),
        ("tg.isnan('a')", DTYPE, ["isnan", "'a'"]),
    ],
    "dropout": [
        ("tg.dropout(x, p=1.5)", USAGE, ["dropout", r"1\.5", "probability", r"p=0\.5"]),
        ("tg.dropout(x, p=-0.1)", USAGE, ["dropout", r"-0\.1"]),
        ("tg.dropout(x, p='a')", USAGE, ["dropout", "'a'"]),
        ("tg.dropout(x, p=float('nan'))", USAGE, ["dropout", "nan"]),
        ("tg.dropout(x, 0.5, training=1)", USAGE, ["dropout", "training", "True or False"]),
        ("tg.dropout(x, generator=3)", USAGE, ["generator", "int", r"tg\.Generator\(seed\)"]),
        ("tg.dropout('a')", DTYPE, ["dropout", "real numbers", "a"]),
        ("tg.dropout(x, inplace=True)", USAGE, ["dropout", "'inplace'"]),
    ],
    "modules": [
        ("tg.nn.PReLU(0)", USAGE, ["PReLU", "num_parameters", "0"]),
        ("tg.nn.PReLU(2.5)", USAGE, ["PReLU", "num_parameters", r"2\.5"]),
        ("tg.nn.PReLU(init=None)", USAGE, ["PReLU", "init", "None"]),
        ("tg.nn.PReLU(2)(v)", SHAPE, ["prelu", r"\(3,\)", r"\(2,\)"]),
        ("tg.nn.PReLU()(x)", DTYPE, ["PReLU", "float32", r"astype\(np\.float32\)"]),
        ("tg.nn.PReLU()('a')", DTYPE, ["PReLU", "'a'"]),
        ("tg.nn.LeakyReLU('a')", USAGE, ["LeakyReLU", "negative_slope", "'a'"]),
        ("tg.nn.ELU(float('inf'))", USAGE, ["ELU", "alpha", "inf"]),
        ("tg.nn.Hardtanh(2, 1)", USAGE, ["Hardtanh", "min_val=2", "max_val=1"]),
        ("tg.nn.GLU(dim=1)", USAGE, ["GLU", "'dim'", "'axis'"]),
        ("tg.nn.GLU(1.5)", USAGE, ["GLU", "axis", r"1\.5"]),
        ("tg.nn.GLU()(v)", SHAPE, ["glu", "even", r"\(3,\)"]),
    ],
}


@pytest.mark.parametrize(("code", "cls", "words"), cases(ROWS))
def test_bad_input(code, cls, words):
    check_row(code, cls, words)


def test_there_are_many_kinds():
    check_all_differ(ROWS, least=70)


def test_a_failed_dropout_draws_nothing():
    generator = tg.Generator(1)
    before = generator.get_state()
    with pytest.raises(USAGE):
        tg.dropout(np.ones(3), p=2, generator=generator)
    assert generator.get_state() == before
