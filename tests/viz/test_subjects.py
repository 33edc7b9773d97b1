"""What can be drawn: models with an example input, functions, errors; and what cannot."""

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz import draw


def headers(drawing):
    return [card.header for card in drawing.picture.cards]


@pytest.mark.parametrize(
    "given",
    [(5, 2), np.ones((5, 2), np.float32), np.ones((5, 2)), tg.ones(5, 2), [(5, 2)]],
)
def test_a_model_and_an_example(given):
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(3, 1)
    drawing = draw(model, given)
    assert headers(drawing) == ["x", "Linear 2→3", "ReLU", "Linear 3→1"]
    assert drawing.source == draw(model, input=given).source


def test_floating_arrays_get_the_dtype_of_the_model_but_tensors_keep_theirs():
    model = nn.Linear(2, 3)
    double = np.ones((5, 2))
    assert draw(model, double).source == draw(model, double.astype(np.float32)).source
    with pytest.raises(tg.DtypeError, match="float32 parameters"):
        draw(model, tg.tensor(double))


def test_the_model_is_left_as_it_was():
    model = nn.Linear(2, 3) >> nn.BatchNorm1d(3) >> nn.Dropout(0.5)
    before = model.state_dict()
    x = tg.ones(5, 2)
    draw(model, x)
    assert model.training and all(m.training for m in model.modules())
    assert all((before[k] == v).all() for k, v in model.state_dict().items())
    assert not x.requires_grad and x.name is None and x.grad is None
    assert all(p.grad is None for p in model.parameters())


def test_constants_that_a_layer_makes_stay_inside_of_it():
    model = nn.Conv2d(1, 2, 3) >> nn.BatchNorm2d(2) >> nn.ReLU() >> nn.Flatten()
    layers = ["x", "Conv2d 1→2", "BatchNorm2d", "ReLU", "Flatten"]
    assert headers(draw(model, (1, 1, 4, 4))) == layers
    first = nn.BatchNorm1d(2) >> nn.Linear(2, 1)
    assert headers(draw(first, (4, 2), view="architecture")) == [
        "x", "BatchNorm1d", "Linear 2→1",
    ]  # fmt: skip


def test_what_does_not_depend_on_parameters_is_in_the_picture_too():
    model = nn.Flatten() >> nn.Linear(4, 1)
    assert headers(draw(model, (3, 2, 2))) == ["x", "Flatten", "Linear 4→1"]
    frozen = model.requires_grad_(False)
    with tg.no_grad():
        assert headers(draw(frozen, (3, 2, 2))) == ["x", "Flatten", "Linear 4→1"]


def test_several_inputs_and_outputs():
    class Two(nn.Module):
        def forward(self, left, right):
            return {"sum": left + right, "parts": [left * 2, right]}

    drawing = draw(Two(), [(2,), tg.ones(2)], view="architecture")
    assert [(c.header, c.role) for c in drawing.picture.cards][:2] == [
        ("left", "leaf"), ("right", "leaf"),
    ]  # fmt: skip
    assert headers(drawing)[2:] == ["+  add", "×  mul"]


def test_token_models_take_integers():
    model = nn.Embedding(10, 4) >> nn.Linear(4, 2)
    assert headers(draw(model, np.array([[1, 2, 3]]))) == ["x", "Embedding", "Linear 4→2"]


def test_a_function_is_called_too():
    drawing = draw(lambda a, b: tg.exp(a) * b, [tg.tensor(1.0), tg.tensor(2.0)])
    assert headers(drawing) == ["a", "b", "v₁ = exp(a)", "v₂ = v₁ · b"]


@pytest.mark.parametrize(
    ("subject", "given", "words"),
    [
        (nn.Linear(2, 3), None, r"draw\(model, x\) with an example input"),
        (nn.Linear, None, r"an instance: draw\(Linear"),
        (nn.Linear, (1, 2), r"an instance"),
        (tg.ones(2), (1, 2), "an input belongs to a model"),
        (3.5, None, "draw takes tensors"),
        (lambda x: 3, (2,), "no tensor in it"),
        (ValueError("x"), None, "carries no graph"),
    ],
)
def test_what_cannot_be_drawn_says_why(subject, given, words):
    with pytest.raises(tg.UsageError, match=words):
        draw(subject, given)


# ---- errors -------------------------------------------------------------------------------------


def failure(function):
    with pytest.raises(tg.TinygraphError) as caught:
        function()
    return caught.value


def test_an_error_is_drawn_up_to_the_op_that_failed():
    a = tg.tensor(np.ones((3, 4), np.float32), requires_grad=True, name="a")
    W = tg.tensor(np.ones((5, 2), np.float32), name="W")
    error = failure(lambda: tg.relu(a * 2.0) @ W)
    drawing = draw(error)
    (card,) = [c for c in drawing.picture.cards if c.role == "failed"]
    assert card.header.startswith("✕") and "matmul" in card.header
    assert card.value is None and card.gradient is None and card.note == ""
    assert card.alert[0] == "matmul: the inner sizes must agree, 4 ≠ 5."
    assert card.alert[1] == "Received (3, 4) float32 and (5, 2) float32."
    entering = [e.local for e in drawing.picture.edges if e.target == card.id]
    assert entering == [("(3, 4)",), ("(5, 2)",)]
    assert headers(drawing)[:2] == ["a", "W"] and "failed" in drawing.picture.legend
    assert drawing.source == draw(error.graph()).source
    assert "✕" in draw(error, view="numbers", show="gradients", saved=True).source
    assert drawing.pipe("svg")


def test_a_module_that_refuses_its_input_is_marked():
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(4, 1)
    error = failure(lambda: model(tg.ones(5, 2)))
    picture = draw(error).picture
    card = picture.cards[-1]
    assert (card.role, card.header, card.lines) == ("failed", "✕ Linear 4→1", ("2 · 5 params",))
    assert card.alert[0] == "Linear wants inputs of shape (…, 4)."
    assert picture.clusters[0].title == "Sequential"
    assert draw(failure(lambda: draw(model, (5, 2)))).picture.cards[-1].header == "✕ Linear 4→1"


def test_operands_that_are_plain_arrays_are_drawn():
    error = failure(lambda: tg.ones(2) + np.ones(3))
    assert headers(draw(error))[:2] == ["input", "input"]
    raw = failure(lambda: tg.add(np.ones(2), np.ones(3)))
    assert [c.note for c in draw(raw).picture.cards] == ["(2,)", "(3,)", ""]


def test_a_compiled_function_is_drawn_as_its_last_plan():
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(3, 1)

    @tg.compile
    def step(x, t):
        loss = nn.functional.mse_loss(model(x), t)
        loss.backward()
        return loss

    with pytest.raises(tg.UsageError, match="once it was called"):
        draw(step)
    step(tg.ones(5, 2), tg.zeros(5, 1))
    drawing = draw(step, view="architecture")
    found = headers(drawing)
    assert [h for h in found[: found.index("mse_loss") + 1] if h != "captured tensor"] == [
        "argument 1", "Linear 2→3", "ReLU", "Linear 3→1", "argument 2", "mse_loss",
    ]  # fmt: skip
    gradients = [h for h in found if h.startswith("gradient")]
    assert gradients == ["gradient = dot", "gradient = sum_to"] * 2
    assert drawing.picture.clusters[0].details == "13 params"
    assert drawing.source == draw(step.plans[0], view="architecture").source


def in_itself():
    given = [(1, 2)]
    given.append(given)
    return given


def deep(levels):
    found = []
    for _ in range(levels):
        found = [found]
    return found


class Wordless:
    def __repr__(self):
        raise ValueError("no words")


class Junk:
    def graph(self):
        return 7


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: draw(nn.Linear(2, 2), in_itself()), "lies in itself"),
        (lambda: draw(nn.Linear(2, 2), (-1, 2)), r"from 0 on.*Received \(-1, 2\)"),
        (lambda: draw(nn.Linear(2, 2), (10**9, 10**9)), "below 16 GiB"),
        (lambda: draw(deep(50_000)), "takes tensors. Received list"),
        (lambda: draw(Wordless()), "takes tensors. Received Wordless"),
        (lambda: draw(Junk()), "returns a Graph. Received the number 7"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(call, words):
    with pytest.raises((tg.UsageError, tg.ShapeError), match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
