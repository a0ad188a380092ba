"""The page "NumPy coverage" shows each function of the tables, with an example of the list of expressions."""

import re
from pathlib import Path

import pytest

from tests.tensor.numpy_expressions import EXPRESSIONS
from tests.tensor.pending_expressions import PENDING
from tools.site import coverage, hooks

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "numpy-coverage.md"
WAITING: set[str] = set()  # functions of the tables whose expressions are all in PENDING


def test_every_function_of_the_tables_has_an_example():
    """A function of the table that only tells what to do instead has an example that is refused."""
    refused = {name for e in EXPRESSIONS if e.kind == "refused" for name in coverage.called(e)}
    assert set(coverage.entries()) - coverage.examples().keys() - refused == WAITING


def test_the_table_has_one_line_per_function():
    lines = re.findall(
        r"^\| `np\.([\w.]+)` \| `(.+?)` \| (.+?) \| (yes|no|·) \| (yes|no|·) \|$", coverage.table(), re.MULTILINE
    )
    assert sorted(line[0] for line in lines) == sorted(coverage.examples())
    shown = {name: ops for name, _, ops, *_ in lines}
    assert shown["exp"] == "`exp`"
    assert shown["dot"] == "`matmul`"
    assert shown["shape"] == "none, the result is plain"


def test_the_example_of_a_function_calls_it():
    for name, expression in coverage.examples().items():
        assert name in coverage.called(expression)
        assert expression.text not in PENDING


def test_the_ops_of_an_example_are_those_of_its_graph():
    by_text = {e.text: e for e in EXPRESSIONS}
    assert coverage.recorded(by_text["t * r"]) == ["expand", "mul"]
    assert coverage.recorded(by_text["np.shape(t)"]) == []


def test_the_totals():
    rows = dict(re.findall(r"^\| (\w+)[ .\d]* \| (\d+) of \d+ \|$", coverage.totals(), re.MULTILINE))
    assert rows.keys() == {"tinygraph", "autograd", "MyGrad"}
    assert int(rows["autograd"]) > int(rows["MyGrad"]) > 250


@pytest.mark.parametrize("which", ["table", "totals"])
def test_the_page_asks_for_both_tables(which):
    assert re.findall(hooks.COVERAGE, PAGE.read_text("utf-8")).count(which) == 1
