"""Example 1: a graph of numbers, its gradients, and its picture.

The three circuits of the CS231n course. Run ``python examples/01_scalar_graph.py [FOLDER]``;
pictures are written into FOLDER (default: out).
"""

from pathlib import Path

from common import arguments

import tinygraph as tg


def product_of_a_sum() -> tg.Tensor:
    """(x + y) · z: where gradients multiply along an edge."""
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    f = (x + y) * z
    f.name = "f"
    return f


def sigmoid_neuron() -> tg.Tensor:
    """σ(w·x + b): one neuron with two inputs."""
    w0, x0, w1, x1, w2 = tg.variables(w0=2, x0=-1, w1=-3, x1=-2, w2=-3)
    f = tg.sigmoid(w0 * x0 + w1 * x1 + w2)
    f.name = "f"
    return f


def a_maximum() -> tg.Tensor:
    """2(xy + max(z, w)): the loser of a maximum gets no gradient."""
    x, y, z, w = tg.variables(x=3, y=-4, z=2, w=-1)
    f = (x * y + tg.maximum(z, w)) * 2.0
    f.name = "f"
    return f


def main(folder: Path) -> None:
    for build in (product_of_a_sum, sigmoid_neuron, a_maximum):
        f = build()
        f.backward()
        print(f"{build.__name__}: f = {f:.4g}")
        for node in tg.graph(f).leaves:
            if node.tensor.requires_grad:
                print(f"  ∂f/∂{node.tensor.name} = {node.tensor.grad:.3g}")
        path = folder / f"{build.__name__}.svg"
        tg.draw(f).render(path)
        print(f"  {path}")


if __name__ == "__main__":
    main(arguments(__doc__)[0])
