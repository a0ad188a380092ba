"""Test your own op with random programs: find a wrong local derivative, and print the smallest failing program.

    python examples/property_test.py [FOLDER]

The script registers an op with a mistake in its local derivative. It finds the mistake in the op alone and inside
larger programs. Then it tests an op without the mistake. It writes property_test.svg: the graph of the smallest failing
program. The script needs the extra `test`.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from random import Random
from textwrap import indent

try:
    from hypothesis import Phase, find, given, settings
    from hypothesis.configuration import set_hypothesis_home_dir
except ModuleNotFoundError:
    sys.exit("Hypothesis is not installed: run `pip install '.[test]'` in your clone of tinygraph")

import tinygraph
from tinygraph import draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.testing import assert_gradient, graphs, op_test

# cube(x) = x³ has the derivative 3x². The wrong op has 2x², because its factor is the new exponent, not the old one.
CUBE = {"floats": lambda x: x * x * x, "analytic": lambda _, x: x**3}
WRONG = tinygraph.op("wrong_cube", **CUBE, partials=(lambda _, x: 2.0 * x * x,))
RIGHT = tinygraph.op("cube", **CUBE, partials=(lambda _, x: 3.0 * x * x,))
quietly = settings(phases=[Phase.generate, Phase.shrink], database=None, derandomize=True, deadline=None)


def programs(row):
    """Return a strategy that draws random programs with the given op, sums, products and tanh."""
    return graphs(ops=[tinygraph.add, tinygraph.mul, tinygraph.tanh, row], max_steps=4)


def programs_test(row):
    """Return a pytest-style test that checks the gradient of every such program."""

    @quietly
    @given(program=programs(row))
    def test(program):
        assert_gradient(program, *program.at)

    return test


def shrink(row):
    """Return the failing programs in the order in which Hypothesis finds them, with the smallest program last."""
    failed = []

    def fails(program):
        try:
            assert_gradient(program, *program.at)
        except AssertionError:
            failed.append(program)
            return True
        return False

    smallest = find(programs(row), fails, settings=quietly, random=Random(0))
    return [*failed, smallest]


def report(title, test, *arguments):
    """Run a test, and print its result."""
    try:
        test(*arguments)
    except AssertionError as error:
        print(f"{title}:", indent(str(error), "    "), sep="\n")
    else:
        print(f"{title}: passed")


def main(folder: Path) -> None:
    """Test the wrong op and the correct op, and draw the smallest failing program."""
    folder.mkdir(parents=True, exist_ok=True)
    set_hypothesis_home_dir(folder / ".hypothesis")  # Hypothesis stores its own files here
    report("the op with a wrong local derivative", op_test(WRONG))

    first, *others, smallest = shrink(WRONG)
    print("\nthe first program that uses this op and fails:", indent(str(first), "    "), sep="\n")
    again = f"\nHypothesis shrinks the program, and sees {len(others)} more failures on the way"
    report(f"{again}; the smallest failing program", assert_gradient, smallest, *smallest.at)

    report("\nthe corrected op", op_test(RIGHT))
    report("programs that use the corrected op", programs_test(RIGHT))

    root, leaves = smallest.record()
    leaves[0].name = "a"
    root.backward()
    picture = draw(root, title="the smallest program that fails")
    try:
        path = picture.save(folder / "property_test.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "property_test.dot")
    print(f"\nwrote {path.name}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
