"""Laws of the table, each over every row."""

import ast
import cmath
import copy
import inspect
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Value, ops
from tinygraph.testing import op_test, points, public_rows

ROWS = list(ops.TABLE.values())
FIXED = [row for row in ROWS if not row.variadic]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_fixed_row = pytest.mark.parametrize("row", FIXED, ids=lambda row: row.name)
exponents = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 2.5])


def tame(row, limit, clear=0.01):
    """Points far enough from the edges of the floats for a difference to mean something."""
    return points(row, limit=limit, clear=clear).filter(lambda xs: all(x == 0 or abs(x) > 1e-4 for x in xs))


def roomy(row, xs, i, by=0.0437):
    """Whether operand i can be moved a little without leaving the domain."""
    around = [[x + s * by * (j == i) * max(1.0, abs(x)) for j, x in enumerate(xs)] for s in (-1, 1)]
    return row.domain.contains(*xs) and row.domain.holds(*around) and all(row.domain.contains(*x) for x in around)


# Where the truth is a difference that cancels, errors are measured against its terms.
TERMS = {
    "dot": lambda *xs: sum(abs(x * y) for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True)),
    "sigmoid_minus": lambda z, y: max((1 - y) * tinygraph.sigmoid(z), y * tinygraph.sigmoid(-z)),
}
TERMS["binary_cross_entropy_with_logits"] = TERMS["sigmoid_minus"]


@every_row
def test_a_row_passes_what_the_kit_asks_of_any_row(row):
    """Value, slopes and higher derivatives against mpmath or differences."""
    op_test(row, terms=TERMS.get(row.name), max_examples=30)()


@every_row
@given(data=st.data())
def test_analytic_rows_agree_with_their_complex_function(row, data):
    if row.analytic is None:
        return
    xs = data.draw(tame(row, 5.0))
    slopes = row.slopes(row.number(*xs), xs, [True] * len(xs))
    for i, slope in enumerate(slopes):
        if not roomy(row, xs, i, by=0.001):
            continue
        step = 1e-20 * (abs(xs[i]) or 1.0)
        out = row.analytic(cmath, *[complex(x, step * (j == i)) for j, x in enumerate(xs)])
        assert out.real == pytest.approx(row.number(*xs), rel=1e-12, abs=1e-13)
        assert out.imag / step == pytest.approx(slope, rel=1e-11, abs=1e-13)


@every_fixed_row
@given(data=st.data())
def test_a_row_is_a_function_of_floats_and_of_nodes(row, data):
    xs = data.draw(points(row, limit=math.inf, clear=0.0))
    node = row(*map(Value, xs))
    assert repr(node.data) == repr(row(*xs)) == repr(row.number(*xs))
    assert type(row(*xs)) is float
    assert node.op is row
    assert node.slopes == pytest.approx(row.slopes(row.number(*xs), xs, [True] * len(xs)), nan_ok=True)


@every_fixed_row
@given(data=st.data())
def test_inside_the_domain_nothing_is_nan(row, data):
    xs = data.draw(tame(row, 1000.0))
    node = row(*map(Value, xs))
    assert not math.isnan(node.data)
    for i, slope in enumerate(node.slopes):
        assert not math.isnan(slope) or not roomy(row, xs, i)


@every_row
def test_a_slope_that_is_not_wanted_is_not_computed(row):
    n = row.arity * (3 if row.variadic else 1)
    assert set(row.slopes(1.0, (0.5,) * n, [False] * n)) <= {None}


def test_the_laws_of_slopes_hold_in_the_text_of_the_table():
    """A slope uses + - * / and rows: no comparison, no abs, no **, no math."""
    tree = ast.parse(inspect.getsource(ops))
    slopes = [
        keyword.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Op", "VariadicOp")
        for keyword in call.keywords
        if keyword.arg in ("dx", "dy")
    ]
    lambdas = [node for slope in slopes for node in ast.walk(slope) if isinstance(node, ast.Lambda)]
    assert len(lambdas) >= 60
    rows = {*ops.TABLE, "power", "power_slope", "pow_slope", "div_slope", "binary_cross_entropy_slope"}
    for function in lambdas:
        names = [argument.arg for argument in function.args.args]
        assert names in (["out", "x"], ["out", "x", "y"], ["out", "xs"], ["out", "xs", "ys"]), ast.unparse(function)
        if "xs" in names:
            continue  # the rows of any number of operands pick out slopes, they do not compute
        for node in ast.walk(function.body):
            assert not isinstance(node, (ast.Compare, ast.IfExp, ast.BoolOp, ast.Attribute, ast.Pow)), ast.unparse(
                function
            )
            if isinstance(node, ast.BinOp):
                assert isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)), ast.unparse(function)
            if isinstance(node, ast.Call):
                called = node.func.func.id if isinstance(node.func, ast.Call) else node.func.id
                assert called in rows, ast.unparse(function)


def test_no_row_was_forgotten():
    methods = {name for name in dir(Value) if not name.startswith("_")}
    operators = {"add", "sub", "mul", "div", "neg", "pow"}
    for row in public_rows():
        assert row.name in tinygraph.__all__, f"{row.name} is missing in tinygraph.__all__"
        if row.arity == 1 and not row.variadic and row.name not in operators:
            assert row.name in methods, f"{row.name} has no method line in arithmetic.py"
            x = 0.5
            assert getattr(Value(x), row.name)().data == row(x)
    private = [row.name for row in ROWS if row not in public_rows()]
    called = inspect.getsource(ops)
    for name in private:
        assert f"{name}(" in called, f"no row uses the private row {name}: export it or drop it"


@every_row
def test_a_row_pickles_and_copies_as_itself(row):
    assert pickle.loads(pickle.dumps(row)) is row
    assert copy.deepcopy(row) is row


@given(c=st.floats(allow_nan=False))
def test_a_family_pickles_as_the_same_row(c):
    for family in (ops.power, ops.power_slope):
        row = family(c)
        assert pickle.loads(pickle.dumps(row)) is row
        assert family(c) is row


@given(c=exponents, x=st.floats(0.1, 5.0))
def test_power_is_pow_of_a_plain_exponent(c, x):
    node = Value(x)
    for y in (node**c, tinygraph.pow(node, c), ops.power(c)(node)):
        assert y.data == math.pow(x, c)
        assert tinygraph.grad(y, node) == pytest.approx(c * math.pow(x, c - 1), rel=1e-15)
        assert len(y.args) == 1


@pytest.mark.parametrize("order", range(7))
@pytest.mark.parametrize("exponent", range(5))
@pytest.mark.parametrize("at", [0.0, 2.0])
def test_powers_have_all_derivatives(exponent, order, at):
    x = Value(at)
    y = x**exponent
    for _ in range(order):
        y = tinygraph.grad(y, x, create_graph=True)
    factor = math.prod(range(exponent - order + 1, exponent + 1)) if order <= exponent else 0
    assert y.data == factor * at ** max(exponent - order, 0)


def test_texts():
    b, c = "b", "c"
    assert ops.add.text(b, c) == "b + c"
    assert ops.mul.text(b, c) == "b × c"
    assert ops.neg.text(b) == "-b"
    assert ops.abs.text(b) == "|b|"
    assert ops.power(2).text(b) == "b**2"
    assert ops.sigmoid.text(b) == "sigmoid(b)"
    assert ops.maximum.text(b, c) == "maximum(b, c)"
    assert ops.total.text(b, c) == "total([b, c])"
    assert ops.dot.text("w1", "w2", "x1", "x2") == "dot([w1, w2], [x1, x2])"


@every_row
@given(data=st.data())
def test_the_text_of_an_op_is_python_for_it(row, data):
    """Text and op agree: evaluated (here, never in the library), the text gives the number."""
    xs = data.draw(points(row, limit=5.0, sizes=(1, 3)))
    names = [f"x{i}" for i in range(len(xs))]
    text = row.text(*names).replace("×", "*")
    if text.startswith("|"):
        text = f"abs({text[1:-1]})"
    scope = {**ops.TABLE, **dict(zip(names, xs, strict=True)), "abs": abs}
    if row.name in ("add", "sub", "mul", "neg"):
        assert eval(text, {"__builtins__": {}}, scope) == row.number(*xs)
    elif row.name not in ("pow", "div"):
        assert eval(text, {"__builtins__": {}}, scope) == pytest.approx(row.number(*xs), nan_ok=True)


def test_sequences_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"dot needs sequences of one length, got 2 and 1"):
        tinygraph.dot([1.0, 2.0], [3.0])
    with pytest.raises(TypeError, match=r"total takes sequences of numbers and nodes, not Value\(1.0\)"):
        tinygraph.total(Value(1.0))
    with pytest.raises(TypeError, match="dot takes 2 sequence"):
        tinygraph.dot([1.0])
    with pytest.raises(TypeError, match=r"log takes 1 operand\(s\), but 2 were given"):
        tinygraph.log(1.0, 2.0)


@given(st.lists(st.floats(-1e308, 1e308), max_size=8))
def test_total_is_rounded_once(xs):
    from fractions import Fraction

    exact = sum(map(Fraction, xs))
    try:
        expected = float(exact)
    except OverflowError:
        expected = math.inf if exact > 0 else -math.inf
    assert tinygraph.total(xs) == expected


def test_empty_sums():
    assert tinygraph.total([]) == 0.0
    assert tinygraph.dot([], []) == 0.0


def test_reprs_say_what_a_row_is():
    assert repr(ops.log) == "<op log(x): x > 0>"
    assert repr(ops.dot) == "<op dot(x, y): all reals>"
    assert repr(ops.POSITIVE) == "Domain('x > 0')"
