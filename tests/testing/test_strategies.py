"""Points and programs of Values that the strategies draw, and their reprs."""

import itertools
import math
import re
import subprocess
import sys
import textwrap

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Value
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.testing import expressions, graphs, points, public_ops


@pytest.mark.parametrize("row", public_ops(), ids=lambda row: row.name)
@given(data=st.data())
def test_points_are_inside_and_clear_of_kinks(row, data):
    point = data.draw(points(row, limit=50.0, clear=0.02))
    assert row.domain.contains(*point)
    assert all(abs(x) <= 50.0 for x in point)
    if row.domain.kink is not None:
        assert abs(row.domain.kink(*point)) > 0.02


def test_points_reach_the_tails_and_the_extremes():
    assert abs(find(points(ops.exp), lambda p: abs(p[0]) > 500)[0]) > 500
    assert find(points(ops.log, limit=math.inf), lambda p: p[0] > 1e300)
    assert find(points(ops.log), lambda p: p[0] < 1e-300)
    assert find(points(ops.pow), lambda p: p[0] < 0)


def _uses(program):
    return [x for _, operands in program.steps for x in operands if isinstance(x, int)]


def _longest_repetition(program):
    """Return how often one op with one node as second operand is applied to its own result."""
    longest, count, n = 1, 1, len(program.at)
    for i, (before, after) in enumerate(itertools.pairwise(program.steps)):
        same = before[0] is after[0] and len(after[1]) == 2 and after[1] == (n + i, before[1][1])
        count = count + 1 if same and isinstance(after[1][1], int) else 1
        longest = max(longest, count)
    return longest


def _is_weighted_sum(program):
    """Return a function that is true for the index of a step that adds two inputs with constant weights."""
    n = len(program.at)

    def is_product(x):
        op, operands = program.steps[x - n] if isinstance(x, int) and x >= n else (None, ())
        return op is ops.mul and {type(operand) for operand in operands} == {int, float} and min(operands) < n

    return lambda i: program.steps[i][0] is ops.add and all(map(is_product, program.steps[i][1]))


FEATURES = {
    "sharing": lambda p: max(map(_uses(p).count, _uses(p))) > 2,
    "a constant": lambda p: any(isinstance(x, float) for _, operands in p.steps for x in operands),
    "an unused input": lambda p: len(p.at) > 1 and 0 not in _uses(p),
    "a repeated operand": lambda p: any(len(set(operands)) < len(operands) for _, operands in p.steps),
    "an n-ary node": lambda p: any(op.variadic and len(operands) > 2 for op, operands in p.steps),
    "depth": lambda p: len(p.steps) > 5,
    "a recurrence": lambda p: _longest_repetition(p) > 2,
    "nested sums": lambda p: sum(map(_is_weighted_sum(p), range(len(p.steps)))) > 1,
    "a kinked op": lambda p: any(op.domain.kink is not None for op, _ in p.steps),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_programs_have_every_feature(feature):
    assert find(graphs(), FEATURES[feature], settings=settings(max_examples=2000, phases=[Phase.generate]))


@given(program=graphs())
def test_programs_are_tame_where_they_are_drawn(program):
    root, leaves = program.record()
    assert math.isfinite(root.data)
    assert all(math.isfinite(local) for local in tinygraph.grad(root, leaves))
    for node in order(root):
        if node.op is not None and node.op.domain.kink is not None:
            at = [x.data if isinstance(x, Value) else x for x in node.args]
            assert node.op.domain.contains(*at)


@given(program=graphs(integers=True))
def test_programs_of_integers_have_integers_everywhere(program):
    root, leaves = program.record()
    assert all(float(node.data).is_integer() for node in order(root))
    assert all(float(local).is_integer() for local in tinygraph.grad(root, leaves))


@given(program=expressions())
def test_expressions_share_nothing(program):
    uses = _uses(program)
    assert len(set(uses)) == len(uses)


@given(program=graphs())
def test_a_program_prints_as_the_code_that_it_is(program):
    scope = {"tinygraph": tinygraph, "inf": math.inf, "nan": math.nan}
    exec(repr(program), scope)  # as if a user pasted it
    assert scope["at"] == program.at
    assert scope["f"](*program.at) == program(*program.at)
    assert scope["f"](*map(Value, program.at)).data == program.record()[0].data


def test_a_failing_example_shrinks_to_a_small_program():
    program = find(graphs(), lambda program: any(op.name == "mul" for op, _ in program.steps))
    assert len(program.steps) <= 2  # one, in nearly all runs


def test_a_failing_example_is_printed_as_code(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        from hypothesis import Phase, given, settings
        from tinygraph.testing import graphs

        @settings(max_examples=50, database=None, phases=[Phase.generate])
        @given(program=graphs())
        def test_no_program_has_a_step(program):
            assert not program.steps
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stdout
    assert re.search(r"program=\.\.\.\nE +def f\(a.*\):\nE +(t1 =|return) ", out), out
