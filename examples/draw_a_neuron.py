"""Draw a neuron: its parameters, its scopes, and both passes, for a light and for a dark page.

    python examples/draw_a_neuron.py [FOLDER]

Prints the graph as text before and after the backward pass, and writes neuron-light.svg and neuron-dark.svg.
"""

import sys
from pathlib import Path

import tinygraph
from tinygraph import Value, draw, name_from, scope, tree
from tinygraph.drawing import EngineNotFoundError


def neuron():
    """A neuron with two inputs and the activation tanh; its output and its parameters."""
    x1, x2 = Value(2.0), Value(0.0)
    w1, w2, b = Value(-3.0), Value(1.0), Value(6.8813735870195432)
    with scope("weighted sum"):
        n = w1 * x1 + w2 * x2 + b
    with scope("activation"):
        o = tinygraph.tanh(n)
    name_from(locals())
    return o, [w1, w2, b]


def main(folder: Path) -> None:
    """Print, differentiate, print again, draw."""
    o, parameters = neuron()
    print("before:", tree(o), sep="\n")
    o.backward()
    print("\nafter:", tree(o), sep="\n")
    for theme in ("light", "dark"):
        picture = draw(o, parameters=parameters, theme=theme, title="a neuron")
        try:
            path = picture.save(folder / f"neuron-{theme}.svg")
        except EngineNotFoundError:
            path = picture.save(folder / f"neuron-{theme}.dot")
        print(f"wrote {path.name}: {picture}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
