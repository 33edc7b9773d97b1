"""Normalization: the contract of its numbers, running statistics."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

F = nn.functional
FLOATS = (np.float32, np.float64)
RTOL = {np.float32: 5e-6, np.float64: 1e-12}
NORMS = {
    "LayerNorm": (lambda: nn.LayerNorm(6), (4, 6)),
    "LayerNorm, two axes": (lambda: nn.LayerNorm((3, 6)), (4, 3, 6)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 6), (4, 6, 5)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(6), (4, 6)),
    "BatchNorm1d, sequences": (lambda: nn.BatchNorm1d(6), (4, 6, 5)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(6), (4, 6, 2, 3)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(6, affine=True), (4, 6, 2, 3)),
}
AXES = {
    "LayerNorm": (1,), "LayerNorm, two axes": (1, 2), "BatchNorm1d": (0,),
    "BatchNorm1d, sequences": (0, 2), "BatchNorm2d": (0, 2, 3), "InstanceNorm2d": (2, 3),
}  # fmt: skip


def draw(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(dtype)


def build(name, dtype=np.float64):
    """Return the module with a weight and a bias that are not 1 and 0."""
    module = NORMS[name][0]().astype(dtype)
    module.weight.data = draw(module.weight.shape, dtype, 1)
    module.bias.data = draw(module.bias.shape, dtype, 2)
    return module


def per_channel(v, name, ndim):
    return v if "Layer" in name else v.reshape(-1, *(1,) * (ndim - 2))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", NORMS)
def test_values(name, dtype):
    module, x = build(name, dtype), draw(NORMS[name][1], dtype)
    y = module(tg.tensor(x))
    z = x.astype(np.float64)
    if name == "GroupNorm":
        groups = z.reshape(4, 2, 15)
        normal = (groups - groups.mean(-1)[..., None]) / np.sqrt(groups.var(-1)[..., None] + 1e-5)
        normal = normal.reshape(z.shape)
    else:
        normal = z - z.mean(AXES[name], keepdims=True)
        normal /= np.sqrt(z.var(AXES[name], keepdims=True) + 1e-5)
    w, b = (per_channel(v.data.astype(float), name, x.ndim) for v in (module.weight, module.bias))
    assert y.dtype == dtype
    np.testing.assert_allclose(y.data, normal * w + b, RTOL[dtype], RTOL[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, -1e4])
@pytest.mark.parametrize("name", NORMS)
def test_constant_input_gives_the_bias_and_a_finite_gradient(name, value, dtype):
    module = build(name, dtype)
    x = tg.tensor(np.full(NORMS[name][1], value, dtype), requires_grad=True)
    y = module(x)
    bias = np.broadcast_to(per_channel(module.bias.data, name, x.ndim), x.shape)
    np.testing.assert_array_equal(y.data, bias)
    g = draw(x.shape, dtype, 3)
    y.backward(g)
    g = g.astype(float) * per_channel(module.weight.data.astype(float), name, x.ndim)
    if name == "GroupNorm":
        g = (g.reshape(4, 2, 15) - g.reshape(4, 2, 15).mean(-1, keepdims=True)).reshape(g.shape)
    else:
        g = g - g.mean(AXES[name], keepdims=True)
    np.testing.assert_allclose(x.grad, g / np.sqrt(1e-5), RTOL[dtype] * 40, 2e-3)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, 1e4])
def test_constant_rows_without_eps_are_nan_without_a_warning(value, dtype):
    for module in (
        nn.LayerNorm(10, elementwise_affine=False, eps=0), nn.GroupNorm(1, 10, eps=0),
        nn.BatchNorm1d(10, eps=0), nn.LayerNorm(10, eps=0),
    ):  # fmt: skip
        x = tg.tensor(np.full((3, 10), value, dtype), requires_grad=True)
        y = module.astype(dtype)(x)
        assert np.isnan(y.data).all()
        y.sum().backward()
        assert np.isnan(x.grad).all()


@tg.no_grad()
@pytest.mark.parametrize("name", ["LayerNorm", "GroupNorm", "BatchNorm2d", "InstanceNorm2d"])
def test_float32_stays_accurate_over_long_axes_and_far_from_zero(name):
    shape = {"LayerNorm": (3, 100_000), "GroupNorm": (2, 4, 50_000), "BatchNorm2d": (64, 2, 50, 50)}
    shape = shape.get(name, (2, 2, 300, 300))
    x = draw(shape, np.float32) + np.float32(1000)
    axes = {"LayerNorm": (1,), "BatchNorm2d": (0, 2, 3)}.get(name, tuple(range(2, x.ndim)))
    channels = shape[1]
    module = {
        "LayerNorm": lambda: nn.LayerNorm(channels), "GroupNorm": lambda: nn.GroupNorm(4, 4),
        "BatchNorm2d": lambda: nn.BatchNorm2d(2), "InstanceNorm2d": lambda: nn.InstanceNorm2d(2),
    }[name]()  # fmt: skip
    z = x.astype(np.float64)
    z = (z - z.mean(axes, keepdims=True)) / np.sqrt(z.var(axes, keepdims=True) + 1e-5)
    np.testing.assert_allclose(module(x), z, atol=5e-6)


def test_rms_norm():
    x = draw((3, 4))
    module = nn.RMSNorm(4, eps=0.1).astype(np.float64)
    module.weight.data = draw(4)
    expected = x / np.sqrt((x * x).mean(-1, keepdims=True) + 0.1) * draw(4)
    np.testing.assert_allclose(module(x).data, expected, 1e-12)
    zero = tg.zeros(2, 4, requires_grad=True)
    y = nn.RMSNorm(4)(zero)
    y.sum().backward()
    assert not y.data.any() and np.isfinite(zero.grad).all()


# ---- running statistics --------------------------------------------------------------------------


@tg.no_grad()
@pytest.mark.parametrize("momentum", [0.1, 0.5, None])
@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm1d, sequences", "BatchNorm2d"])
def test_running_statistics_follow_the_batches(name, momentum):
    module = build(name)
    module.momentum = momentum
    mean, var = np.zeros(6), np.ones(6)
    for k in range(4):
        x = draw(NORMS[name][1], seed=k)
        weight = 1 / (k + 1) if momentum is None else momentum
        module(x)
        mean = (1 - weight) * mean + weight * x.mean(AXES[name])
        var = (1 - weight) * var + weight * x.var(AXES[name], ddof=1)
    np.testing.assert_allclose(module.running_mean.data, mean, 1e-12)
    np.testing.assert_allclose(module.running_var.data, var, 1e-12)
    assert module.num_batches_tracked.data == 4
    module.eval()
    x = draw(NORMS[name][1], seed=9)
    mean, var, w, b = (
        per_channel(v, name, x.ndim) for v in (mean, var, module.weight.data, module.bias.data)
    )
    np.testing.assert_allclose(module(x), (x - mean) / np.sqrt(var + 1e-5) * w + b, 1e-10)
    assert module.num_batches_tracked.data == 4
    one = x[:1]
    np.testing.assert_allclose(module(one), module(x)[:1], 1e-12)  # no one else counts
    module.reset_running_stats()
    assert module.running_var.data.tolist() == [1] * 6 and module.num_batches_tracked.data == 0


def test_instance_norm_averages_its_statistics_over_the_batch():
    module = nn.InstanceNorm2d(3, momentum=1.0, track_running_stats=True).astype(np.float64)
    x = draw((4, 3, 5, 2))
    module(x)
    np.testing.assert_allclose(module.running_mean.data, x.mean((0, 2, 3)), 1e-12)
    np.testing.assert_allclose(module.running_var.data, x.var((2, 3), ddof=1).mean(0), 1e-12)


def test_running_statistics_need_no_gradient_mode_and_no_graph():
    module = nn.BatchNorm1d(2)
    with tg.no_grad():
        module(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert module.running_mean.data.tolist() == pytest.approx([0.2, 0.3])
    y = module(tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True))
    assert not [n for n in tg.graph(y).nodes if n.op and n.op.kind == "state"]


def test_a_change_of_running_statistics_is_seen_by_an_older_backward_pass():
    module = nn.BatchNorm1d(2).eval()
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = module(x)
    module.train()(x)
    with pytest.raises(tg.VersionError, match="channel_affine"):
        y.sum().backward()


@pytest.mark.parametrize(
    "make, shape",
    [(lambda: nn.BatchNorm1d(3), (1, 3)), (lambda: nn.BatchNorm1d(3), (1, 3, 1)),
     (lambda: nn.BatchNorm2d(3), (1, 3, 1, 1)),
     (lambda: nn.InstanceNorm2d(3, track_running_stats=True), (5, 3, 1, 1))],
)  # fmt: skip
def test_one_value_a_channel_raises_in_training_and_changes_nothing(make, shape):
    model = nn.Sequential(nn.Identity(), make())
    before = model.state_dict()
    with pytest.raises(tg.ShapeError, match=r"more than one value.*eval.*In module 1"):
        model(tg.ones(*shape))
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    model.eval()
    assert model(tg.ones(*shape)).shape == shape


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", NORMS)
def test_an_empty_batch_changes_nothing(name, mode):
    module = getattr(build(name), mode)()
    before = module.state_dict()
    x = tg.zeros(0, *NORMS[name][1][1:], dtype=np.float64, requires_grad=True)
    y = module(x)
    y.sum().backward()
    assert y.shape == x.shape == x.grad.shape and not module.weight.grad.any()
    assert all(np.array_equal(before[k], v) for k, v in module.state_dict().items())


def test_integers_are_normalized_as_floats():
    y = nn.LayerNorm(3)(np.array([[1, 2, 3]]))
    np.testing.assert_allclose(y.data, [[-1.2247, 0, 1.2247]], atol=1e-4)


# ---- bad input -----------------------------------------------------------------------------------

WRONG = {
    "a length": (lambda: nn.LayerNorm(4), (2, 3), r"\(…, 4\).*\(2, 3\).*LayerNorm\(3\)"),
    "two lengths": (lambda: nn.LayerNorm((3, 4)), (2, 3), r"\(…, 3, 4\)"),
    "a number": (lambda: nn.RMSNorm(4), (), r"\(…, 4\)"),
    "channels": (lambda: nn.BatchNorm2d(4), (2, 3, 5, 5), r"\(N, 4, H, W\).*3 channels"),
    "no batch": (lambda: nn.BatchNorm2d(3), (3, 5, 5), r"x\[None\]"),
    "too many axes": (lambda: nn.BatchNorm1d(3), (2, 3, 5, 5), r"\(N, 3\) or \(N, 3, L\)"),
    "groups": (lambda: nn.GroupNorm(2, 4), (2, 3), r"\(N, 4, …\)"),
    "one axis": (lambda: nn.GroupNorm(2, 4), (4,), r"\(N, 4, …\)"),
    "instances": (lambda: nn.InstanceNorm2d(3), (2, 3, 4), r"\(N, 3, H, W\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_shapes_name_the_place(case):
    make, shape, words = WRONG[case]
    model = nn.Sequential(nn.Identity(), nn.Sequential(make()))
    before = model.state_dict()
    with pytest.raises(tg.ShapeError, match=words + r".*In module 1\.0"):
        model(tg.ones(shape))
    with pytest.raises(tg.DtypeError, match=r"In module 1\.0"):
        model("text")
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())


def test_another_floating_dtype_names_the_fix():
    for module, shape in [
        (nn.LayerNorm(3), (2, 3)),
        (nn.BatchNorm1d(3), (2, 3)),
        (nn.BatchNorm1d(3, affine=False), (2, 3)),
        (nn.GroupNorm(1, 3), (2, 3)),
    ]:
        with pytest.raises(tg.DtypeError, match="astype"):
            module(np.ones(shape))


@pytest.mark.parametrize(
    "build_wrong",
    [
        lambda: nn.LayerNorm(0),
        lambda: nn.LayerNorm(()),
        lambda: nn.LayerNorm("3"),
        lambda: nn.LayerNorm(2.5),
        lambda: nn.LayerNorm(3, eps=-1),
        lambda: nn.LayerNorm(3, eps=None),
        lambda: nn.LayerNorm(3, elementwise_affine="no"),
        lambda: nn.BatchNorm1d(3, momentum=2),
        lambda: nn.BatchNorm1d(3, momentum="x"),
        lambda: nn.BatchNorm2d(True),
        lambda: nn.GroupNorm(2, 3),
        lambda: nn.GroupNorm(0, 3),
        lambda: nn.BatchNorm1d(3, affine=1),
        lambda: F.batch_norm(tg.ones(2, 3), None, None),
        lambda: F.batch_norm(tg.ones(2, 3), tg.ones(2), tg.ones(2)),
        lambda: F.batch_norm(tg.ones(3), None, None, training=True),
        lambda: F.group_norm(tg.ones(2, 3), 2),
        lambda: F.group_norm(tg.ones(2, 3), True),
        lambda: F.layer_norm(tg.ones(2, 3), 4),
        lambda: F.layer_norm(tg.ones(2, 3), ()),
        lambda: F.layer_norm(tg.ones(2, 3), 3, tg.ones(4)),
        lambda: F.layer_norm("x", 3),
        lambda: F.layer_norm(tg.ones(2, 3), 3, eps=float("nan")),
    ],
)
def test_wrong_arguments(build_wrong):
    with pytest.raises(tg.TinygraphError):
        build_wrong()


def test_they_print_how_they_were_made():
    made = [
        "LayerNorm((3,), eps=1e-05, elementwise_affine=True)",
        "GroupNorm(2, 4, eps=1e-05, affine=True)",
        "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
        "RMSNorm((3,), eps=None, elementwise_affine=True)",
    ]
    for text in made:
        assert repr(eval(f"nn.{text}")) == text
