"""Example 2: the training loop, written out: handwritten digits, about 97 % right.

Needs scikit-learn for the data. Run ``python examples/02_train_by_hand.py [--quick]``.
"""

import numpy as np
from common import arguments, digits

import tinygraph as tg
from tinygraph import nn
from tinygraph.nn import functional as F


def main(epochs: int = 20) -> float:
    x_train, x_test, y_train, y_test = digits()
    x_train, x_test = x_train.reshape(-1, 64), x_test.reshape(-1, 64)

    tg.manual_seed(0)
    model = nn.Linear(64, 128) >> nn.ReLU() >> nn.Linear(128, 10)
    optimizer = tg.optim.Adam(model.parameters(), lr=3e-3)
    print(model)

    for epoch in range(epochs):
        order = tg.permutation(len(x_train)).numpy()
        for batch in np.array_split(order, len(order) // 64):
            loss = F.cross_entropy(model(x_train[batch]), y_train[batch])
            optimizer.zero_grad()  # gradients accumulate: without this, old ones are added
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss of the last batch {loss:.3f}")

    with tg.no_grad():
        answers = model(x_test).argmax(axis=1).numpy()
    accuracy = float(np.mean(answers == y_test))
    print(f"accuracy on {len(y_test)} held-out images: {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main(2 if arguments(__doc__)[1] else 20)
