"""Numerical derivatives: their orders of error, and the forms of their arguments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.references import cmath_has
from tinygraph import Value, numeric_grad
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.testing import graphs


def lecture(a, b, c):
    return 3 * (a + b * c)


def test_the_lectures_two_points():
    assert numeric_grad(lecture, [5, 3, 2], method="two-point") == pytest.approx([3, 6, 9], abs=1e-9)
    assert numeric_grad(lambda a: a**2, 5, method="two-point") == pytest.approx(10.001, abs=1e-9)
    assert numeric_grad(lambda a: a**3, 2, method="two-point", step=1e-4) == pytest.approx(12.0006, abs=1e-6)


@given(x=st.floats(-2, 2))
def test_the_error_falls_with_the_order_of_the_method(x):
    local = math.exp(x)
    for method, order in (("two-point", 1), ("central", 2)):
        errors = [abs(numeric_grad(tinygraph.exp, x, method=method, step=h) - local) for h in (0.02, 0.01)]
        assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.05)


@given(x=st.floats(-20, 20))
def test_the_complex_step_is_exact(x):
    f = lambda x: tinygraph.sigmoid(x) * tinygraph.exp(-x / 3)  # noqa: E731
    s = tinygraph.sigmoid
    exact = math.exp(-x / 3) * (s(x) * s(-x) - s(x) / 3)
    size = math.exp(-x / 3) * s(x)
    assert numeric_grad(f, x, method="complex") == pytest.approx(exact, rel=1e-13, abs=1e-13 * size)


@given(program=graphs(ops=[row for row in TABLE.values() if row.analytic and cmath_has(row)]))
def test_the_complex_step_serves_whole_programs(program):
    partials = numeric_grad(program, list(program.at), method="complex")
    root, leaves = program.record()
    from tinygraph.checking.comparison import absolute_terms

    for leaf, local, ours in zip(leaves, partials, tinygraph.grad(root, leaves), strict=True):
        scale = absolute_terms(root).get(leaf, 0.0)
        assert ours == pytest.approx(local, rel=1e-9, abs=1e-9 * scale + 1e-20)


@pytest.mark.parametrize("name", ["abs", "relu", "sign", "maximum", "minimum", "heaviside"])
def test_rows_that_are_not_analytic_refuse_the_complex_step(name):
    row = getattr(tinygraph, name)
    f = row if row.arity == 1 else lambda x: row(x, 0.5)
    with pytest.raises(ValueError, match=f"{name} is not analytic"):
        numeric_grad(f, 1.0, method="complex")


@pytest.mark.parametrize("name", ["erf", "erfc", "gelu", "lgamma", "digamma", "sinc"])
def test_an_op_that_cmath_does_not_have_is_checked_by_other_methods(name):
    row = getattr(tinygraph, name)
    with pytest.raises(ValueError, match=f"cmath has no complex {name}: use 'mpmath' or 'central'"):
        numeric_grad(row, 0.75, method="complex")
    x = tinygraph.Value(0.75)
    assert numeric_grad(row, 0.75, method="mpmath") == pytest.approx(tinygraph.grad(row(x), x), rel=1e-15)
    check = tinygraph.check_grad(row, 0.75)
    assert check
    assert check.inputs[0].method == "central difference"


def test_forms_of_arguments():
    assert numeric_grad(lambda x: 2 * x, 1.0) == pytest.approx(2.0)
    assert numeric_grad(math.exp, 0.0) == pytest.approx(1.0)
    assert numeric_grad(lambda w, b: w[0] * w[1] + b["k"], [[2.0, 3.0], {"k": 1.0}]) == [
        pytest.approx([3.0, 2.0]),
        {"k": pytest.approx(1.0)},
    ]
    assert numeric_grad(lambda x: x.relu(), Value(1.0)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="method must be"):
        numeric_grad(math.exp, 0.0, method="backward")
    with pytest.raises(TypeError, match="not a real number"):
        numeric_grad(math.exp, "0")
