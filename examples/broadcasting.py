"""Compute the lecture's calories table: the percentage of calories from carbohydrates, protein and fat.

The table A has the shape (3, 4), and the row of column sums has the shape (1, 4). The division broadcasts the row. This
broadcast is an op in the graph.

    python examples/broadcasting.py [FOLDER]

The script prints the percentages. It writes broadcasting.svg, where the broadcast row is a separate node.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Tensor, draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.engine.graph import order

FOODS = ["Apples", "Beef", "Eggs", "Potatoes"]
SOURCES = ["Carb", "Protein", "Fat"]
CALORIES = [[56.0, 0.0, 4.4, 68.0], [1.2, 104.0, 52.0, 8.0], [1.8, 135.0, 99.0, 0.9]]  # in 100 g


def shares():
    """Return the table A and the percentages, as Tensors."""
    A = Tensor(CALORIES, "A")
    cal = A.sum(axis=0, keepdims=True)
    cal.name = "cal"
    percentage = 100.0 * A / cal
    percentage.name = "percentage"
    return A, percentage


def main(folder: Path) -> None:
    """Print the percentages, the ops, a gradient, and the errors for shapes that do not match."""
    folder.mkdir(parents=True, exist_ok=True)
    A, percentage = shares()
    print("Percentage of the calories in 100 g that come from carbohydrates, protein and fat:")
    print(f"{'':<8}" + "".join(f"{food:>10}" for food in FOODS))
    for source, row in zip(SOURCES, percentage.data, strict=True):
        print(f"{source:<8}" + "".join(f"{share:>10.1f}" for share in row))

    print("\nThe graph, from the table to the percentages:")
    for node in reversed(order(percentage)):
        if node.op is not None:
            operands = [f"{x.name or x.op.name} {x.shape}" if isinstance(x, Tensor) else f"{x:g}" for x in node.args]
            print(f"  {node.name or node.op.name:<10} = {node.op.text(*operands)}, of shape {node.data.shape}")

    percentage[0, 0].backward()
    print("\nThe backward pass sums the gradient of the repeated row back to the shape (1, 4). These are the")
    print("derivatives of the first percentage (carbohydrates in apples) with respect to the elements of A:")
    print(np.array_str(A.grad, precision=3, suppress_small=True))

    print("\nShapes that do not match raise an error:")
    try:
        A / Tensor([1.0, 2.0, 3.0], "total")
    except ValueError as error:
        print(f"  ValueError: {error}")
    print("Inside strict(), shapes that match only by accident raise an error, too:")
    y, y_hat = Tensor(np.ones(4), "y"), Tensor(np.ones((4, 1)), "y_hat")
    print(f"  y {y.shape} - y_hat {y_hat.shape} has the shape {(y - y_hat).shape}")
    try:
        with tinygraph.strict():
            y - y_hat
    except ValueError as error:
        print(f"  ValueError: {error}")

    picture = draw(percentage, title="where the calories of a food come from, in percent")
    try:
        path = picture.save(folder / "broadcasting.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "broadcasting.dot")
    print(f"\nwrote {path.name}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
