"""tg.fit trains to the weights of PyTorch's loop: schedules, clipping, weights, accumulation."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(50, 3)), RNG.integers(0, 4, 50)
WEIGHTS = np.array([0.2, 1.0, 3.0, 0.5])
EPOCHS, SIZE = 4, 8


def order():
    generator = tg.Generator(1)
    dataset = tg.data.TensorDataset(np.arange(50))
    loader = tg.data.DataLoader(dataset, SIZE, True, generator=generator)
    return [[rows for (rows,) in loader] for _ in range(EPOCHS)]


def torch_loop(model, accumulate, norm):
    """Train with large batches: what accumulation has to equal."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    loss_of = torch.nn.CrossEntropyLoss(
        weight=torch.tensor(WEIGHTS), ignore_index=2, label_smoothing=0.1
    )
    norms = []
    for batches in order():
        for at in range(0, len(batches), accumulate):
            rows = np.concatenate(batches[at : at + accumulate])
            optimizer.zero_grad()
            loss_of(model(torch.tensor(X[rows])), torch.tensor(LABELS[rows])).backward()
            norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), norm)))
            optimizer.step()
        schedule.step()
    return norms


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_fit_is_the_loop_of_torch(accumulate, compile, workers):
    tg.manual_seed(0)
    with tg.default_dtype(np.float64):
        model = nn.Linear(3, 16) >> nn.GELU() >> nn.LayerNorm(16) >> nn.Linear(16, 4)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 16), torch.nn.GELU(), torch.nn.LayerNorm(16), torch.nn.Linear(16, 4)
    ).double()
    theirs.load_state_dict({n: torch.tensor(a) for n, a in model.state_dict().items()})
    norms = torch_loop(theirs, accumulate, norm=1.5)
    assert min(norms) < 1.5 < max(norms)  # some are clipped, some not
    loader = tg.data.DataLoader(
        tg.data.TensorDataset(X, LABELS), SIZE, True, generator=tg.Generator(1)
    )
    tg.fit(
        model, loader, epochs=EPOCHS, accumulate=accumulate, compile=compile, workers=workers,
        loss=nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=2, label_smoothing=0.1),
        optimizer=lambda p: tg.optim.AdamW(p, lr=0.02, weight_decay=0.1), clip=1.5,
        schedule=lambda o: tg.optim.CosineAnnealingLR(o, EPOCHS),
    )  # fmt: skip
    for name, tensor in theirs.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], tensor.numpy(), rtol=1e-7, atol=1e-9)
