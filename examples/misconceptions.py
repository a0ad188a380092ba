"""Run five wrong backward passes, each next to the correct pass, on the smallest graph where they differ.

    python examples/misconceptions.py [FOLDER]

The script prints the comparisons. It writes misconceptions.svg: the graph for "depth first", with correct gradients.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from tinygraph import draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.misconceptions import DEPTH_FIRST, LAB


def main(folder: Path) -> None:
    """Run the lab, and draw its first graph."""
    folder.mkdir(parents=True, exist_ok=True)
    for misconception in LAB:
        print(misconception.compare(), end="\n\n")
    c = DEPTH_FIRST.smallest()
    c.backward()
    picture = draw(c, title="c = b + b, b = a + a: dc/da is 4")
    try:
        path = picture.save(folder / "misconceptions.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "misconceptions.dot")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
