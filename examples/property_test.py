"""Property-test a function of your own: a wrong slope is found, made as small as it gets, and printed as code.

    python examples/property_test.py [FOLDER]

Registers an op with a mistake in its slope, lets the kit find it, mends it, and tests again. Then a property of whole
programs. Writes property_test.svg: the graph of the smallest failing program. Needs the extra `test`.
"""

import sys
from pathlib import Path

from hypothesis import Phase, find, given, settings

import tinygraph
from tinygraph import Value, draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.testing import assert_gradient, graphs, op_test

# cube(x) = x³ has the slope 3x². One writes 2x² when one is thinking of the exponent after the step.
CUBE = {"number": lambda x: x * x * x, "analytic": lambda _, x: x**3}
WRONG = tinygraph.op("wrong_cube", **CUBE, dx=lambda _, x: 2.0 * x * x)
RIGHT = tinygraph.op("cube", **CUBE, dx=lambda _, x: 3.0 * x * x)
phases = [phase for phase in Phase if phase is not Phase.explain]
quietly = settings(phases=phases, database=None, derandomize=True, print_blob=False, report_multiple_bugs=False)


def programs_with(row):
    """A test of whole programs in which the op is used, together with sums, products and tanh."""

    @quietly
    @given(program=graphs(rows=[tinygraph.add, tinygraph.mul, tinygraph.tanh, row], max_steps=4))
    def test(program):
        assert_gradient(program, *program.at)

    return test


def report(title, test):
    """Run a test, and say how it went."""
    print(f"{title}:")
    try:
        test()
    except AssertionError as error:
        said = [str(error), *getattr(error, "__notes__", [])]
        print(*[f"    {line}" for line in "\n".join(said).splitlines() if line.strip()], sep="\n")
    else:
        print("    passed")


def smallest_failure(row):
    """The smallest program that the test rejects, as Hypothesis finds it."""

    def fails(program):
        try:
            assert_gradient(program, *program.at)
        except AssertionError:
            return True
        return False

    return find(graphs(rows=[tinygraph.add, tinygraph.mul, tinygraph.tanh, row], max_steps=4), fails, settings=quietly)


def main(folder: Path) -> None:
    """Test the wrong op and the right one, and draw what failed."""
    report("the op with a wrong slope", op_test(WRONG))
    report("\nprograms that use it, the failing one made as small as it gets", programs_with(WRONG))
    report("\nthe mended op", op_test(RIGHT))
    report("programs that use the mended op", programs_with(RIGHT))

    program = smallest_failure(WRONG)
    root = program(*[Value(x, name) for x, name in zip(program.at, "abcd", strict=False)])
    root.backward()
    picture = draw(root, title="the smallest program that fails")
    try:
        path = picture.save(folder / "property_test.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "property_test.dot")
    print(f"\nwrote {path.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
