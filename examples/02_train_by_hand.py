"""Example 2: the training loop, written out: handwritten digits, about 97 % right.

Needs scikit-learn for the data. Run ``python examples/02_train_by_hand.py [EPOCHS]``.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tinygraph as tg
from tinygraph import nn
from tinygraph.nn import functional as F


def main(epochs: int = 20) -> float:
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=0.2, stratify=labels, random_state=0
    )

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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
