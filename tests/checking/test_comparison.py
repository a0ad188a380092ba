"""Numeric derivatives: their orders of error, and a check that finds what is wrong and names kinks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Value, check_grad, numeric_grad
from tinygraph.engine.domain import KINK_AT_0
from tinygraph.engine.op import Op
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


@given(program=graphs(rows=[row for row in tinygraph.engine.ops.TABLE.values() if row.analytic]))
def test_the_complex_step_serves_whole_programs(program):
    partials = numeric_grad(program, list(program.at), method="complex")
    root, leaves = program.record()
    from tinygraph.checking.comparison import masses

    for leaf, local, ours in zip(leaves, partials, tinygraph.grad(root, leaves), strict=True):
        scale = masses(root).get(leaf, 0.0)
        assert ours == pytest.approx(local, rel=1e-9, abs=1e-9 * scale + 1e-20)


@pytest.mark.parametrize("name", ["abs", "relu", "sign", "maximum", "minimum", "heaviside"])
def test_rows_that_are_not_analytic_refuse_the_complex_step(name):
    row = getattr(tinygraph, name)
    f = row if row.arity == 1 else lambda x: row(x, 0.5)
    with pytest.raises(ValueError, match=f"{name} is not analytic"):
        numeric_grad(f, 1.0, method="complex")


def test_forms_of_arguments():
    assert numeric_grad(lambda x: 2 * x, 1.0) == pytest.approx(2.0)
    assert numeric_grad(math.exp, 0.0) == pytest.approx(1.0)
    assert numeric_grad(lambda w, b: w[0] * w[1] + b["k"], [[2.0, 3.0], {"k": 1.0}]) == [
        pytest.approx([3.0, 2.0]),
        {"k": pytest.approx(1.0)},
    ]
    assert numeric_grad(lambda x: x.relu(), Value(1.0)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="method is"):
        numeric_grad(math.exp, 0.0, method="backward")
    with pytest.raises(TypeError, match="not a real number"):
        numeric_grad(math.exp, "0")


@given(program=graphs(max_steps=4))
def test_a_check_says_what_it_compared(program):
    check = check_grad(program, *program.at)
    assert check.ok
    assert len(check.inputs) == len(program.at)
    for entry, x in zip(check.inputs, program.at, strict=True):
        assert entry.at == x
        for part in (f"{entry.backward:.10g}", f"{entry.numeric:.10g}", f"{entry.step:.1e}", f"{entry.error:.1e}"):
            assert part in str(entry)


WRONG = {
    "sign": (lambda x: x * x, lambda out, x: -2.0 * x),
    "missing factor": (lambda x: x * x, lambda out, x: x),
    "one in a million": (lambda x: x * x, lambda out, x: 2.000002 * x),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("analytic", [lambda m, x: x * x, None], ids=["complex step", "central"])
def test_a_wrong_slope_is_found(name, analytic):
    number, local = WRONG[name]
    row = Op("wrong", number, partials=(local,), analytic=analytic)
    check = check_grad(lambda x, y: row(x) * y, 3.0, 2.0)
    assert not check
    wrong, right = check.inputs
    assert not wrong.ok
    assert right.ok
    assert str(check).count("DIFFERS") == 1
    assert wrong.name == "x"
    assert wrong.numeric == pytest.approx(12.0, rel=1e-7)


@pytest.mark.parametrize(
    ("f", "at", "kink"),
    [
        (lambda x: x.relu(), 0.0, "relu(x) stands on its kink, at 0"),
        (lambda x: 1.0 / x + abs(x - 5.0), 1e-5, "1 / x leaves its domain, y ≠ 0, within the step"),
        (lambda x: abs(x), 1e-5, "|x| has a kink or a pole within the step"),
        (lambda x: tinygraph.maximum(x, 2.0), 2.0, "maximum(x, 2) stands on its kink"),
        (lambda x: (x * 2.0 - 2.0).relu(), 1.0, "relu(0) stands on its kink"),
        (lambda x: (x * 2.0 if x > 1.0 else x - 5.0).relu(), 1.0, "another branch"),
    ],
)
def test_a_kink_is_named_instead_of_failing(f, at, kink):
    check = check_grad(f, at)
    assert check
    assert kink in str(check)


def test_a_wrong_slope_is_found_beside_a_kink_elsewhere():
    row = Op("wrong", lambda x: x * x, partials=(lambda out, x: x,), domain=KINK_AT_0)
    assert not check_grad(lambda x: row(x) + tinygraph.relu(x), 3.0)


def test_a_branch_that_moves_nothing_is_no_kink():
    assert "kink" not in str(check_grad(lambda x, y: tinygraph.relu(x * 0.0) + y, 1.0, 1.0))


def test_steep_flat_and_cancelling_functions_are_no_false_alarm():
    assert check_grad(lambda x: tinygraph.exp(50.0 * x), 1.0)
    assert check_grad(lambda x: tinygraph.relu(tinygraph.exp(20.0 * x)), 1.0)
    assert check_grad(lambda x: tinygraph.sin(x) ** 2 + tinygraph.cos(x) ** 2, 0.7)
    assert check_grad(lambda x: abs(x - 1e6) * 1e-9, 3.0)
    assert "not finite within the step" in str(check_grad(lambda x: tinygraph.exp(x), 1000.0))
    assert check_grad(lambda x, y: tinygraph.squared_error(x, y) * x, 0.0, 0.0)
    assert check_grad(lambda x: 3.0, 1.0)
    assert check_grad(lambda x: x * 1e-310, 1e-310)


def test_names_of_inputs():
    names = lambda f, *at: [entry.name for entry in check_grad(f, *at).inputs]  # noqa: E731
    assert names(lambda w, b: w[0] * w[1] + b, [1.0, 2.0], 3.0) == ["w[0]", "w[1]", "b"]
    assert names(lambda p: p["w"] * 2.0, {"w": 1.0}) == ["p['w']"]
    assert names(lambda *xs: xs[0] * xs[1], 1.0, 2.0) == ["argument 1", "argument 2"]
    assert names(tinygraph.sigmoid, 1.0) == ["x"]
    assert names(lambda x: x * 2.0, Value(1.0, name="theta")) == ["theta"]
