"""The page "NumPy coverage" shows each function of the tables, with an example of the list of expressions."""

import re

import numpy as np
import pytest

from tests.tensor.numpy_expressions import EXPRESSIONS
from tests.tensor.pending_expressions import PENDING
from tinygraph import Tensor
from tools.site import coverage

COMMAND = "run python -m tools.site.coverage"
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


def test_the_pages_are_current():
    """An older NumPy has fewer functions than the pages, which were generated with a newer one."""
    for path, texts in coverage.blocks().items():
        for name, text in texts.items():
            shown = coverage.block(path.read_text("utf-8"), name)[0]
            if name == "totals":
                assert shown == text, COMMAND
            elif name == "table":
                assert set(text.splitlines()) <= set(shown.splitlines()), COMMAND
            else:
                names = re.findall(r"`np\.([\w.]+)`", shown)
                here = [
                    found for found in names if hasattr(np.linalg if "." in found else np, found.rpartition(".")[2])
                ]
                assert here == re.findall(r"`np\.([\w.]+)`", text), COMMAND


def test_a_missing_function_is_refused():
    t = Tensor([[2.0, 1.0], [1.0, 3.0]])
    calls = {
        "cov": lambda: np.cov(t), "corrcoef": lambda: np.corrcoef(t), "partition": lambda: np.partition(t, 1),
        "select": lambda: np.select([t > 1.0], [t]), "searchsorted": lambda: np.searchsorted(t[0], 1.0),
        "unique": lambda: np.unique(t), "gcd": lambda: np.gcd(t, 2), "nanmedian": lambda: np.nanmedian(t),
        "linalg.eig": lambda: np.linalg.eig(t), "linalg.eigvals": lambda: np.linalg.eigvals(t),
    }  # fmt: skip
    for name, call in calls.items():
        with pytest.raises(TypeError, match=rf"^np\.{name} does not work on a Tensor"):
            call()
        assert name in coverage.missing()
