"""Draw a neuron with its parameters and scopes, before and after the backward pass.

    python examples/draw_a_neuron.py [FOLDER]

The script prints both graphs as text. It writes neuron-before-light.svg and neuron-after-light.svg for light pages, and
the same two files with "dark" in their names for dark pages.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import tinygraph
from tinygraph import Value, draw, name_from, scope, tree
from tinygraph.drawing import EngineNotFoundError


def neuron():
    """Return the output and the parameters of a neuron with two inputs and the activation function tanh."""
    x1, x2 = Value(2.0), Value(0.0)
    w1, w2, b = Value(-3.0), Value(1.0), Value(6.8813735870195432)
    with scope("weighted sum"):
        n = w1 * x1 + w2 * x2 + b
    with scope("activation"):
        o = tinygraph.tanh(n)
    name_from(locals())
    return o, [w1, w2, b]


def main(folder: Path) -> None:
    """Print and draw the graph, before and after the backward pass."""
    folder.mkdir(parents=True, exist_ok=True)
    o, parameters = neuron()
    for moment in ("before", "after"):
        if moment == "after":
            o.backward()
        print(f"{moment} the backward pass:", tree(o), sep="\n")
        for theme in ("light", "dark"):
            picture = draw(o, parameters=parameters, theme=theme, title=f"a neuron, {moment} the backward pass")
            try:
                path = picture.save(folder / f"neuron-{moment}-{theme}.svg")
            except EngineNotFoundError:
                path = picture.save(folder / f"neuron-{moment}-{theme}.dot")
            print(f"wrote {path.name}: {picture}")
        print()


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
