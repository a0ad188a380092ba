"""Invariants of the op definitions, each checked for every op."""

import ast
import cmath
import copy
import inspect
import itertools
import math
import pickle
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp

import tinygraph
from tests.oracles.references import REFERENCES, cmath_has
from tinygraph import Value
from tinygraph.engine import domain, more_ops, ops
from tinygraph.engine.more_ops import special
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.testing import op_test, points, public_ops

ROWS = list(TABLE.values())
FIXED = [row for row in ROWS if not row.variadic]
MEMBERS = [  # parametrized ops, which are not in the table
    *(ops.power(c) for c in (-2.0, -0.5, 0.0, 1.0, 1.5, 3.0)),
    *(ops.power_partial(c) for c in (-2.0, 1.5, 3.0)),
    *(ops.power_partial(c, 2) for c in (-2.0, 1.5, 3.0)),
    *(ops.pow_partial(n, k) for n, k in ((2, 0), (0, 2), (1, 1), (2, 1))),
    *(ops.div_partial(2), ops.binary_cross_entropy_partial(2), ops.cosine_power(2), ops.odds_power(2)),
    *(ops.binary_cross_entropy_partial_of_logit(n) for n in (1, 2, 3)),
    *(special.erf_partial(2), special.gelu_partial(2), special.sinc_partial(2), special.polygamma(2)),
]
MODULES = [ops, *[module for module in vars(more_ops).values() if inspect.ismodule(module)]]
SOURCE = "\n".join(map(inspect.getsource, MODULES))
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_row_and_member = pytest.mark.parametrize("row", [*ROWS, *MEMBERS], ids=lambda row: row.name)
every_fixed_row = pytest.mark.parametrize("row", FIXED, ids=lambda row: row.name)
exponents = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 2.5])


def tame(row, limit, clear=0.01, **more):
    """Draw points far enough from the limits of floats that a numerical difference is meaningful."""
    return points(row, limit=limit, clear=clear, **more).filter(lambda xs: all(x == 0 or abs(x) > 1e-4 for x in xs))


def roomy(row, xs, i, by=0.0437):
    """Return whether operand i can move a little without leaving the domain."""
    around = [[x + s * by * (j == i) * max(1.0, abs(x)) for j, x in enumerate(xs)] for s in (-1, 1)]
    return row.domain.contains(*xs) and row.domain.holds(*around) and all(row.domain.contains(*x) for x in around)


# If the reference is a difference that cancels, errors are measured relative to its terms.
TERMS = {
    "dot": lambda *xs: sum(abs(x * y) for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True)),
    "sigmoid_minus": lambda z, y: max((1 - y) * tinygraph.sigmoid(z), y * tinygraph.sigmoid(-z)),
}
TERMS["circle_ratio"] = lambda x: 1 / (1 + x * x)
TERMS["silu"] = TERMS["silu_partial"] = lambda x: tinygraph.sigmoid(x) * max(1.0, abs(x) * tinygraph.sigmoid(-x))
TERMS["sigmoid_bump"] = lambda x: tinygraph.sigmoid(x) * tinygraph.sigmoid(-x) * max(1.0, abs(x))
TERMS["binary_cross_entropy_with_logits"] = TERMS["sigmoid_minus"]
TERMS["binary_cross_entropy_da_of_logit"] = lambda z, y: max(
    1 - y + ops.odds_power(1)(z, 1 - y), y + ops.odds_power(1)(-z, y)
)


TERMS["sinc"] = lambda x: float(REFERENCES["sinc"].size((x,), 0))


# With the hundreds of digits that the kit uses, mpmath takes seconds per point for these ops. `test_accuracy` compares
# their values and derivatives of order 1 to 3 with mpmath.
SLOW = {"erf", "erfc", "gelu", "gelu_dx", "sinc_dx", "lgamma", "digamma", "trigamma"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in SLOW], ids=lambda row: row.name)
def test_a_row_passes_what_the_kit_asks_of_any_row(row):
    """The value, local derivatives and higher derivatives agree with mpmath or with differences."""
    op_test(row, terms=TERMS.get(row.name), max_examples=30)()


@every_row_and_member
@given(data=st.data())
def test_analytic_rows_agree_with_their_complex_function(row, data):
    if row.analytic is None:
        return
    xs = data.draw(tame(row, 5.0))
    partials = row.partials_at(row.floats(*xs), xs, [True] * len(xs))
    for i, local in enumerate(partials):
        if not roomy(row, xs, i, by=0.001):
            continue
        step = 1e-20 * (abs(xs[i]) or 1.0)
        with mp.workdps(60):
            module, number = (cmath, complex) if cmath_has(row) else (mp, mp.mpc)
            out = complex(row.analytic(module, *[number(x, step * (j == i)) for j, x in enumerate(xs)]))
        assert out.real == pytest.approx(row.floats(*xs), rel=1e-12, abs=1e-13)
        assert out.imag / step == pytest.approx(local, rel=1e-11, abs=1e-13)


@every_fixed_row
@given(data=st.data())
def test_a_row_is_a_function_of_floats_and_of_nodes(row, data):
    xs = data.draw(points(row, limit=math.inf, clear=0.0))
    node = row(*map(Value, xs))
    assert repr(node.data) == repr(row(*xs)) == repr(row.floats(*xs))
    assert type(row(*xs)) is float
    assert node.op is row
    assert node.partials == pytest.approx(row.partials_at(row.floats(*xs), xs, [True] * len(xs)), nan_ok=True)


@every_fixed_row
@given(data=st.data())
def test_inside_the_domain_nothing_is_nan(row, data):
    xs = data.draw(tame(row, 1000.0))
    node = row(*map(Value, xs))
    assert not math.isnan(node.data)
    for i, local in enumerate(node.partials):
        assert not math.isnan(local) or not roomy(row, xs, i)


@every_row_and_member
def test_a_slope_is_given_where_it_is_wanted(row):
    xs = (0.5, 0.25, 2.0, 3.0) if row.variadic else (0.5, 0.25)[: row.arity]
    xs = (1.5,) if row.domain is domain.ABOVE_1 else xs
    out = row.floats(*xs)
    partials = row.partials_at(out, xs, [True] * len(xs))
    assert len(partials) == len(xs)
    for wanted in itertools.product([False, True], repeat=len(xs)):
        some = row.partials_at(out, xs, list(wanted))
        last = max((i for i, want in enumerate(wanted, 1) if want), default=0) if row.variadic else len(xs)
        assert some == tuple(local if want else None for local, want in zip(partials, wanted, strict=True))[:last]


def test_the_laws_of_slopes_hold_in_the_text_of_the_table():
    """A local derivative uses only + - * / and ops: no comparison, no abs, no **, no math."""
    tree = ast.parse(SOURCE.replace("from __future__ import annotations", ""))
    partials = [
        keyword.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Op", "VariadicOp", "ActivationOp")
        for keyword in call.keywords
        if keyword.arg == "partials"
    ]
    lambdas = [node for local in partials for node in ast.walk(local) if isinstance(node, ast.Lambda)]
    assert len(lambdas) >= 60
    rows = {*TABLE, *PARAMETRIZED, "float"}
    for function in lambdas:
        names = [argument.arg for argument in function.args.args]
        assert names in (["out", "x"], ["out", "x", "y"], ["out", "xs"], ["out", "xs", "ys"]), ast.unparse(function)
        if "xs" in names:
            continue  # variadic ops select their local derivatives without computing them
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
    for row in public_ops():
        assert row.name in tinygraph.__all__, f"{row.name} is missing in tinygraph.__all__"
        if row.arity == 1 and not row.variadic and row.name not in operators:
            assert row.name in methods, f"{row.name} has no method line in arithmetic.py"
            x = 1.5 if row.domain is domain.ABOVE_1 else 0.5
            assert getattr(Value(x), row.name)().data == row(x)
    private = [row.name for row in ROWS if row not in public_ops()]
    for name in private:
        if name in {"binary_cross_entropy_da_of_logit"}:
            continue  # `binary_cross_entropy_partial` uses the parametrized op
        assert f"{name}(" in SOURCE, f"no row uses the private row {name}: export it or drop it"


@every_row_and_member
def test_a_row_pickles_and_copies_as_itself(row):
    assert pickle.loads(pickle.dumps(row)) is row
    assert copy.deepcopy(row) is row


@pytest.mark.parametrize("module", ["a_module", "zebra"])
def test_a_slope_of_a_user_sees_the_names_of_its_own_module(module):
    """A name of the user's module has priority, even if the table has an op with this name."""
    scope = {"__name__": module, "Op": ops.Op, "sigmoid": lambda x: x * 8.0}
    exec("row = Op('mine', lambda x: 4.0 * x * x, partials=(lambda out, x: sigmoid(x),))", scope)
    for node in (Value(0.5), tinygraph.Tensor(0.5)):
        assert tinygraph.grad(scope["row"](node), node) == 4.0


@given(c=st.floats(allow_nan=False))
def test_a_family_pickles_as_the_same_row(c):
    for family in (ops.power, ops.power_partial):
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


@every_row_and_member
@given(data=st.data())
def test_the_text_of_an_op_is_python_for_it(row, data):
    """The text, evaluated here (the library never evaluates it), gives the value of the op."""
    xs = data.draw(tame(row, 5.0, sizes=(1, 3)))
    names = [f"x{i}" for i in range(len(xs))]
    text = row.text(*names).replace("×", "*").replace("·", "*")
    if text.startswith("|"):
        text = f"abs({text[1:-1]})"
    scope = {name: maker for name, (maker, _) in PARAMETRIZED.items()}
    scope |= {**{row.name: row for row in (*ROWS, *MEMBERS)}, **dict(zip(names, xs, strict=True)), "abs": abs}
    if row.name in ("add", "sub", "mul", "neg"):
        assert eval(text, {"__builtins__": {}}, scope) == row.floats(*xs)
    elif row.name not in ("pow", "div"):
        assert eval(text, {"__builtins__": {}}, scope) == pytest.approx(row.floats(*xs), nan_ok=True)


@pytest.mark.parametrize("row", [*ROWS, *MEMBERS[:12]], ids=lambda row: row.name)
def test_the_name_of_a_row_is_python_for_it(row):
    assert eval(row.name, {**row.partials[0].__globals__, "__builtins__": {}}) is row


@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize("k", range(4))
def test_the_name_of_a_derivative_says_by_what_and_how_often(n, k):
    assert ops.pow_partial(n, k).name == "pow_" + "dx" * n + "dy" * k
    assert ops.div_partial(n).name == "div_" + "dy" * n
    assert ops.binary_cross_entropy_partial(n).name == "binary_cross_entropy_" + "da" * n


@pytest.mark.parametrize("size", range(7))
@pytest.mark.parametrize("row", [ops.total, ops.dot], ids=lambda row: row.name)
def test_long_lists_are_cut_short(row, size):
    lists = [[f"{letter}{i}" for i in range(size)] for letter in "xy"[: row.arity]]
    short = [names if size <= 3 else [names[0], names[1], "…", names[-1]] for names in lists]
    texts = ["[" + ", ".join(names) + "]" for names in short]
    assert row.text(*itertools.chain(*lists)) == f"{row.name}({', '.join(texts)})"


_EDGES = (0.0, 5e-324, 0.5, 1.0 - 2.0**-53, 1.0, 1.0 + 2.0**-52, 2.5, sys.float_info.max)
EDGES = [sign * x for x in _EDGES for sign in (1.0, -1.0)]
DOMAINS = {row.domain: row.arity for row in (*ROWS, ops.power(-1))}


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.text.encode("ascii", "ignore").decode())
def test_the_text_of_a_domain_is_python_for_it(domain):
    """The text and the domain agree up to the last float before a boundary."""
    text = domain.text.replace("all reals", "True").replace("≠", "!=").replace("≤", "<=")
    text = text.replace("an integer y", "x < 0 and y == y // 1").replace(", or", " or").replace(",", " and")
    text = text.replace("is not an integer", "% 1 != 0").replace("x is 0", "x == 0")
    text = text.replace("x is not a multiple of y", "remainder(x, y) != 0")
    text = text.replace("x is not halfway between two integers", "abs(remainder(x, 1)) != 0.5")
    smooth = eval(f"lambda x, y, a: {text}", {"cos": math.cos, "remainder": math.remainder})
    for xs in itertools.product(EDGES, repeat=DOMAINS[domain]):
        assert domain.contains(*xs) is smooth(xs[0], xs[-1], xs[0]), xs
    others = [0.5] * (DOMAINS[domain] - 1)
    for x in (math.inf, -math.inf, math.nan):
        assert not domain.contains(x, *others)
        assert not domain.contains(*others, x)


@given(c=st.floats() | st.integers(-3, 3).map(float))
@example(math.inf)
@example(-math.inf)
@example(math.nan)
def test_a_power_is_smooth_where_its_polynomial_or_pole_is(c):
    for row in (ops.power(c), ops.power_partial(c)):
        for x in EDGES:
            assert row.domain.contains(x) is (x > 0 or (c.is_integer() and (x < 0 or c >= 0)))


@every_row
def test_a_row_is_called_linear_just_when_it_is(row):
    xs, ys = (1.25, 3.0, -2.0, 4.0), (5.5, -2.0, 7.0, 0.5)
    if not row.variadic:
        xs, ys = xs[: row.arity], ys[: row.arity]
    of_sum = row.floats(*map(sum, zip(xs, ys, strict=True)))
    sum_of_results = row.floats(*xs) + row.floats(*ys)
    assert row.linear is (row.domain is domain.ANY and abs(of_sum - sum_of_results) <= math.ulp(of_sum))


@pytest.mark.parametrize("make", [ops.Op, tinygraph.op], ids=lambda make: make.__name__)
def test_the_columns_of_a_row_are_named(make):
    """A reader could not tell which of two positional functions is which."""
    _name, _number, *columns = inspect.signature(make).parameters.values()
    assert {column.kind for column in columns} == {inspect.Parameter.KEYWORD_ONLY}
    assert {column.name for column in columns if column.default} == {"partials", "domain"}, (
        "what is not said is not claimed"
    )


@every_row
def test_a_row_takes_as_many_operands_as_it_has(row):
    kind, operand = ("sequence", [0.5]) if row.variadic else ("operand", 0.5)
    for n in {*range(7)} - {row.arity}:
        for last in (operand, [Value(0.5)] if row.variadic else Value(0.5)):
            with pytest.raises(
                TypeError, match=rf"{row.name} takes {row.arity} {kind}{'s' * (row.arity > 1)}, got {n}"
            ):
                row(*[operand] * (n - 1), *[last] * (n > 0))


def test_an_array_is_one_operand():
    xs = np.array([1.0, 2.0])
    assert tinygraph.total(xs) == 3.0
    for row, operands in ((ops.add, "operand"), (ops.dot, "sequence")):
        with pytest.raises(TypeError, match=rf"{row.name} takes 2 {operands}s, got 1"):
            row(xs)


def test_sequences_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"dot needs sequences of the same length, got 2 and 1"):
        tinygraph.dot([1.0, 2.0], [3.0])
    with pytest.raises(ValueError, match=r"dot needs sequences of the same length, got 1 and 2"):
        tinygraph.dot([1.0], [2.0, 3.0])
    with pytest.raises(TypeError, match=r"dot takes sequences of numbers and nodes, not 3.0"):
        tinygraph.dot([1.0], 3.0)
    with pytest.raises(TypeError, match=r"total takes sequences of numbers and nodes, not Value\(1.0\)"):
        tinygraph.total(Value(1.0))
    with pytest.raises(TypeError, match="dot takes 2 sequence"):
        tinygraph.dot([1.0])
    with pytest.raises(TypeError, match="log takes 1 operand, got 2"):
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


def test_long_and_empty_sums():
    assert tinygraph.total([1.0] * 1000) == tinygraph.dot([1.0] * 1000, [1.0] * 1000) == 1000.0
    assert tinygraph.total([]) == 0.0
    assert tinygraph.dot([], []) == 0.0


def test_reprs_say_what_a_row_is():
    assert repr(ops.log) == "<op log(x): x > 0>"
    assert repr(ops.dot) == "<op dot(x, y): all reals>"
    assert repr(domain.POSITIVE) == "Domain('x > 0')"


@pytest.mark.parametrize(("exponent", "at_once"), [(2.5, True), (-3.0, True), (0.3, False), (1e-17, False)])
def test_a_slope_of_a_power_is_computed_at_once_on_arrays_where_its_exponent_is_a_float(exponent, at_once):
    row = ops.power_partial(exponent)
    assert (row.array_source is not None) == at_once
    x = np.array([0.5, 1.5])
    assert row(x).tolist() == pytest.approx([row.floats(0.5), row.floats(1.5)], rel=1e-14)


def test_first_slopes_are_computed_at_once_on_arrays_and_those_of_higher_order_float_by_float():
    assert ops.binary_cross_entropy_da.array_source == "binary_cross_entropy_da"
    assert ops.div_dy.array_source == "div_dy"
    assert ops.binary_cross_entropy_partial_of_logit(1).array_source == "binary_cross_entropy_da_of_logit"
    for make in (ops.binary_cross_entropy_partial, ops.binary_cross_entropy_partial_of_logit, ops.div_partial):
        assert [make(n).array_source for n in (0, 2, 3)] == [None] * 3


def test_an_op_knows_how_tightly_it_binds():
    """The precedence is Python's for a sum, a product and a power, and 0 for a function, which has parentheses."""
    from tinygraph.engine.more_ops.remainders import floor_divide, mod
    from tinygraph.tensor.linalg import matmul

    divisions = [ops.mul, ops.div, mod, floor_divide, matmul]
    binding = {1: [ops.add, ops.sub, ops.total], 2: divisions, 3: [ops.pow, ops.neg, ops.power(3)]}
    for precedence, group in binding.items():
        assert [op.precedence for op in group] == [precedence] * len(group)
    assert [op.precedence for op in (ops.abs, ops.exp, ops.dot, ops.logaddexp)] == [0] * 4
    unknown = Op("join", lambda x, y: x + y, partials=(lambda out, x, y: 1.0, lambda out, x, y: 1.0), symbol="⊕")
    assert unknown.precedence == 1, "an unknown symbol gets parentheses next to × and **"


@given(exponent=st.floats(-3.0, 3.0), n=st.integers(1, 3))
@example(exponent=-0.6, n=1)
@example(exponent=0.6, n=1)
def test_a_lowered_power_has_a_kernel_for_arrays_only_if_its_exponent_is_exact(exponent, n):
    row = ops.power_partial(exponent, n)
    exact = Fraction(exponent) - n == Fraction(exponent - n)
    assert (row.array_source is not None) == exact
    x = np.geomspace(1e-5, 1e5, 41)
    np.testing.assert_array_equal(row(x), [row(number) for number in x.tolist()])


@given(z=st.floats(-30.0, 30.0), y=st.sampled_from([0.0, 0.25, 1.0]), n=st.integers(1, 4))
@example(z=0.5, y=0.25, n=2)
def test_the_derivatives_of_the_cross_entropy_along_the_logit_agree_with_their_definition(z, y, n):
    def derivative(a, n):  # of the cross-entropy along the activation
        return mp.factorial(n - 1) * ((-1) ** n * y / a**n + (1 - y) / (1 - a) ** n)

    row = ops.binary_cross_entropy_partial_of_logit(n)
    with mp.workdps(60):
        a = 1 / (1 + mp.exp(-mp.mpf(z)))
        values = [derivative(a, n), derivative(a, n + 1) * a * (1 - a)]
        terms = mp.factorial(n) * (y / a**n + (1 - y) / (1 - a) ** n)  # the sizes of what is added
    out = row(z, y)
    for found, right in zip((out, row.partials[0](out, z, y)), values, strict=True):
        assert abs(found - right) <= 1e-14 * abs(terms)


def test_the_formula_of_a_derivative_of_a_power_computes_it():
    for n, k in itertools.product(range(3), repeat=2):
        row = ops.pow_partial(n, k)
        if n + k <= 1:
            assert eval(row.form, {"log": math.log, "x": 3.0, "y": 2.5}) == pytest.approx(row(3.0, 2.5), rel=1e-15)
        else:
            assert row.form == f"prime(pow, {n}, {k})(x, y)"


def test_the_name_of_a_parametrized_op_is_the_call_that_makes_it():
    named = [op for op in MEMBERS if "(" in op.name]
    assert len(named) > 10
    for op in named:
        assert op.name == f"{op.maker.__name__}({', '.join(map(repr, op.parameters))})"
    for op in MEMBERS:
        assert PARAMETRIZED[op.maker.__name__][0] is op.maker
        assert op.maker(*op.parameters) is op
    roots = [ops.cosine_power(n) for n in (1, 2, 3)]
    assert [op.name for op in roots] == ["asin_partial", "cosine_power(2)", "cosine_power(3)"]
    assert [op.array_source for op in roots] == ["asin_partial", "atanh_partial", None]
    assert [op.symbol for op in roots] == ["asin_partial", "(1 - {}**2)**-1", "(1 - {}**2)**-1.5"]


def test_the_derivatives_of_an_array_call_kernels_and_not_ops():
    names = {name for name, x in vars(ops).items() if isinstance(x, Op) and not x.variadic}
    for op in (ops.sigmoid, ops.tanh, ops.div):
        for partial, rebound in zip(op.partials, op.resolve()[1:], strict=True):
            assert rebound is not partial
            assert not any(isinstance(rebound.__globals__[name], Op) for name in names)
            assert rebound.__globals__["total"] is ops.total, "a variadic op has no kernel for arrays"

    def slope(out, x):
        return 2.0 * x

    own = Op("own", lambda x: x * x, partials=(slope,))
    assert own.resolve()[1] is slope, "a function of another module is used as it is"


def test_an_op_that_is_not_loaded_is_found_by_its_module(monkeypatch):
    from tinygraph.engine.more_ops import remainders
    from tinygraph.engine.op import op_named

    for name in remainders.__all__:
        monkeypatch.delitem(TABLE, name)
    with pytest.raises(LookupError, match="no op is named 'mod': import the module that registers it"):
        op_named("mod", "other.module")
    monkeypatch.setattr(more_ops, "remainders", remainders)  # and afterwards again
    monkeypatch.delitem(sys.modules, remainders.__name__)
    assert op_named("mod", remainders.__name__)(7.0, 4.0) == 3.0
    with monkeypatch.context() as later:
        later.delitem(sys.modules, remainders.__name__)
        op_named("mod", remainders.__name__)
        assert remainders.__name__ not in sys.modules, "a known op needs no import"


def test_the_code_of_an_op_computes_it():
    made = [ops.power(3.0), ops.power(-0.5), *[ops.power_partial(c) for c in (2.0, 3.0, 4.0, 17.0)]]
    for op in [*[op for op in TABLE.values() if op.code], *made]:
        point = (1.5, 2.5)[: op.arity]
        code = op.code.format(*map(repr, point), parameters=op.parameters)
        assert eval(code) == pytest.approx(op.floats(*point), rel=1e-15), code
    assert [ops.power_partial(c).code for c in (2.0, 3.0, 4.0)] == ["2 * {}", "3 * {} ** 2", "4 * {} ** 3"]
    assert ops.power_partial(1e15 - 1.0).code == "999999999999999 * {} ** 999999999999998"
    for exponent in (1.0, 0.0, -1.0, 0.5, 2.5, 1e15, 1e300):
        assert ops.power_partial(exponent).code == "", (
            "no integer power, or one that Python computes with huge integers"
        )
    assert ops.power_partial(3.0, 2).code == ops.power_partial(2.0, 2).code == ""


def test_the_symbol_of_a_power_shows_factor_and_exponent():
    assert [op.symbol for op in (ops.power(3.0), ops.power(-0.5))] == ["{}**3", "{}**-0.5"]
    assert [ops.power_partial(3.0, n).symbol for n in (1, 2, 3)] == ["3·{}**2", "6·{}**1", "6·{}**0"]


def test_parametrized_ops_are_made_again_from_their_parameters():
    made = {"power": (ops.power, 2.5), "power_partial": (ops.power_partial, 2.5, 3)}
    made |= {"binary_cross_entropy_partial": (ops.binary_cross_entropy_partial, 2), "div_partial": (ops.div_partial, 2)}
    made["pow_partial"] = (ops.pow_partial, 1, 2)
    for name, (maker, *parameters) in made.items():
        registered, kinds = PARAMETRIZED[name]
        assert registered is maker
        assert len(kinds) == len(parameters)
        assert all(kind(x) for kind, x in zip(kinds, parameters, strict=True))
        assert not any(kind("2") or kind(None) or kind(True) for kind in kinds)
        op = maker(*parameters)
        assert op.maker is maker
        assert maker(*op.parameters) is op


def test_ops_that_add_terms_say_so():
    """Their errors are measured against the size of the terms."""
    assert {op.name for op in TABLE.values() if op.adds_terms} == {"total", "dot"}


def test_only_ops_of_the_list_are_public():
    public = {*ops.__all__, *[name for name in more_ops.FILES if name in TABLE]}
    assert {name for name, op in TABLE.items() if op.public} == public - PARAMETRIZED.keys()
    assert not ops.power(3).public


@pytest.mark.parametrize(
    "function",
    [ops.asin, ops.acos, ops.atan, ops.tanh, lambda z: ops.binary_cross_entropy(ops.sigmoid(z), 0.25)],
)
def test_derivatives_of_order_1_to_3_are_written_and_saved(function, tmp_path):
    x = tinygraph.Value(0.3, "x")
    node = function(x)
    for _ in range(3):
        node = tinygraph.grad(node, x, create_graph=True)
        assert "x" in str(tinygraph.tree(node))
        assert "digraph" in tinygraph.draw(node).source
        tinygraph.save(node, tmp_path / "graph.json")
        loaded = tinygraph.load(tmp_path / "graph.json", verify=True)
        assert loaded.data == node.data
        (leaf,) = {leaf for leaf in tinygraph.engine.graph.order(loaded) if leaf.name == "x"}
        assert tinygraph.grad(loaded, leaf) == tinygraph.grad(node, x)


@pytest.mark.parametrize("name", ["NONZERO_REMAINDER", "NONZERO_DIVISOR"])
def test_a_divisor_of_zero_is_outside_the_domain(name):
    allowed = getattr(domain, name)
    assert not any(allowed.holds((x, y)) for x in (-1.5, 1.5) for y in (0.0, -0.0))
    assert all(allowed.holds((x, y)) for x in (-1.5, 1.5) for y in (5e-324, -5e-324, 1.7976931348623157e308, -1e308))


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_an_integer_power_has_a_pole_at_0_if_its_exponent_is_negative(exponent):
    assert domain.of_power(exponent).contains(0.0) == (exponent >= 0.0)
    assert domain.of_power(exponent).contains(-2.0)
    assert not domain.of_power(exponent + 0.5).contains(-2.0)
