"""Value: the behavior of scalars."""

import copy
import fractions
import gc
import math
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value
from tinygraph.engine import ops, value
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.variadic import VariadicOp

numbers = st.floats(-1e3, 1e3)
any_float = st.floats()
OPERATORS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
}
every_operator = pytest.mark.parametrize("name", OPERATORS)


def same(x, y):
    return repr(x) == repr(y)


# --- the operators record their ops


@every_operator
@given(x=any_float, y=any_float)
def test_an_operator_records_what_its_row_says(name, x, y):
    """The hand-written fast paths give the value, local derivatives and operands of the op, bit for bit."""
    row, operator = TABLE[name], OPERATORS[name]
    a, b = Value(x), Value(y)
    out, clear = operator(a, b), value.record(row, (a, b))
    assert same(out.data, clear.data)
    assert same(out.data, row.floats(x, y))
    assert out.op is row
    assert out.args == (a, b)
    assert same(out.partials, clear.partials)
    for mixed, clear, args in (
        (operator(a, y), value.record(row, (a, y)), (a, y)),
        (operator(x, b), value.record(row, (x, b)), (x, b)),
    ):
        assert same(mixed.data, clear.data)
        if name != "pow" or mixed.op is row:  # a plain exponent records the op power(y)
            assert mixed.op is row
            assert same(mixed.args, args)
            assert same(mixed.partials, clear.partials)
    for node in (out, operator(a, y), operator(x, b)):
        assert (node.awaited, node.grad, node.name, node.constant) == (0, None, "", False)


@given(xs=st.lists(any_float, min_size=1, max_size=5), data=st.data())
def test_a_row_that_is_written_out_records_what_the_general_one_does(xs, data):
    """Test ops of nodes and floats, and dot(weights, data) and total(nodes), whose partial sums may overflow."""
    ys = data.draw(st.lists(any_float, min_size=len(xs), max_size=len(xs)))
    nodes = [Value(x) for x in xs]
    row = data.draw(st.sampled_from([row for row in TABLE.values() if not row.variadic]))
    pairs = [
        (tinygraph.dot(nodes, ys), value.record(ops.dot, (*nodes, *ys))),
        (tinygraph.total(nodes), value.record(ops.total, tuple(nodes))),
    ]
    if row is not ops.pow:  # a plain exponent records the op power(y)
        operands = (nodes[0],) if row.arity == 1 else (nodes[0], ys[0])
        pairs.append((row(*operands), value.record(row, operands)))
    for out, clear in pairs:
        assert same(out.data, clear.data)
        assert same(out.args, clear.args)
        assert same(out.partials, clear.partials)
        assert (out.op, out.awaited, out.grad, out.constant) == (clear.op, 0, None, False)


def test_nodes_and_floats_take_the_short_way(monkeypatch):
    """Recording through the op takes three times as long."""

    def long_way(*operands):
        raise AssertionError(operands)

    monkeypatch.setattr(value, "_evaluate", long_way)
    monkeypatch.setattr(Value, "_operator", staticmethod(long_way))
    for x in (2.0, -2.0, 0.0):
        a, b = Value(x), Value(-3.0)
        for y in (b, 3.0, -3.0):
            assert [(a + y).op, (a - y).op, (a * y).op, (a / y).op] == [ops.add, ops.sub, ops.mul, ops.div]
        for y in (3.0, 3):
            assert [(y + a).op, (y * a).op, (a + y).op, (a - y).op, (a * y).op] == [
                *(ops.add, ops.mul, ops.add, ops.sub, ops.mul)
            ]
        assert [ops.exp(a).op, ops.maximum(a, 1.0).op] == [ops.exp, ops.maximum]
    many = [Value(float(i)) for i in range(300)]
    assert [tinygraph.total(many).op, tinygraph.dot(many, [2.0] * 300).op] == [ops.total, ops.dot]


WAYS = [
    *(lambda x: x + 2.0, lambda x: x - 2.0, lambda x: x * 2.0, lambda x: x / 2.0, lambda x: 2.0 + x, lambda x: 2.0 * x),
    *(ops.neg, lambda x: ops.total([x, x])),
]


@pytest.mark.parametrize("way", WAYS, ids=["add", "sub", "mul", "div", "radd", "rmul", "row", "list"])
@pytest.mark.parametrize("collecting", [True, False])
def test_a_program_may_record_any_number_of_nodes_in_every_way(way, collecting):
    """Nodes come from blocks of at most 4096 blank nodes, and the collector stays on or off as before."""
    x, before = Value(3.0), gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        assert {way(x).data for _ in range(20_000)} == {way(Value(3.0)).data}
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()


@given(units=st.integers(1, 100), y=st.floats(1e-13, 1e-11), sign=st.sampled_from([1, -1]))
def test_a_quotient_that_lost_bits_has_a_slope_that_did_not(units, y, sign):
    x = sign * units * math.ulp(0.0)
    exact = -fractions.Fraction(x) / fractions.Fraction(y) ** 2
    assert (Value(x) / Value(y)).partials[1] == pytest.approx(float(exact), rel=1e-15, abs=0.0)


@every_operator
@given(x=numbers, y=numbers.filter(bool))
def test_constants_and_plain_numbers_have_no_partial(name, x, y):
    operator = OPERATORS[name]
    k = Value(y, constant=True)
    a = Value(abs(x) + 1.0)
    assert operator(a, k).partials[1] is None
    assert operator(k, a).partials[0] is None
    assert operator(a, k).partials[0] is not None
    both = operator(k, k)
    assert both.constant is True
    assert set(both.partials) == {None}
    assert same(both.data, TABLE[name].floats(y, y))
    operator(a, k).backward()
    assert k.grad is None
    assert a.grad is not None


NUMPY_NAMES = {"radians": "deg2rad", "degrees": "rad2deg", "arctan2": "atan2"}


def test_the_methods_are_their_rows():
    for name in dir(Value(0.5)):
        row = TABLE.get(NUMPY_NAMES.get(name, name.replace("arc", "a")))
        if row is not None and not name.startswith("_"):
            assert getattr(Value(0.5), name)(*[0.25] * (row.arity - 1)).op is row
    assert all(hasattr(Value, name) for name in NUMPY_NAMES)
    x = Value(-2.0)
    assert (-x).op is ops.neg
    assert abs(x).op is ops.abs
    assert +x is x


def test_in_place_operators_rebind():
    x = Value(2.0)
    y = x
    y += 1
    y *= 3
    y -= 1
    y /= 2
    y **= 2
    assert x.data == 2.0
    assert y.data == 16.0
    y.backward()
    assert x.grad == 2 * 4.0 * 1.5


# --- inputs


@pytest.mark.parametrize(
    "number",
    [
        *(3, True, 3.0, np.float64(3), np.float32(3), np.int8(3), np.bool_(True), np.array(3), np.array(3.0)),
        *(fractions.Fraction(3, 2), Decimal("1.5")),
    ],
    ids=lambda x: type(x).__name__,
)
def test_real_numbers_become_floats(number):
    x = Value(number)
    assert type(x.data) is float
    assert x.data == float(number)
    assert type((Value(2.0) * number).data) is float
    assert (Value(2.0) * number).data == 2.0 * float(number)
    assert (number * Value(2.0)).data == 2.0 * float(number)
    x.data = number
    assert type(x.data) is float


def tensor_of(library):
    """Return a number in another library's array; only that library knows whether it is a real number."""
    return type("Tensor", (), {"__module__": library, "shape": (), "item": lambda self: 3.0})()


@pytest.mark.parametrize(
    ("thing", "advice"),
    [
        ("3", "float"),
        (b"3", "float"),
        (None, "int or a float"),
        (1j, r"\.real"),
        (np.complex128(1j), r"\.real"),
        ([1.0], "one Value per element"),
        ((1.0,), "one Value per element"),
        (np.array([1.0]), "one Value per element"),
        (tensor_of("jax.numpy"), "one Value per element"),
        (tensor_of("torch"), "one Value per element"),
        ({"a": 1.0}, "one Value per element"),
        (Value(1.0), "already"),
        (object(), "int or a float"),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, str) else None,
)
def test_what_is_no_real_number_is_refused_with_advice(thing, advice):
    with pytest.raises(TypeError, match=advice):
        Value(thing)
    x = Value(1.0)
    with pytest.raises(TypeError):
        x.data = thing
    assert x.data == 1.0
    if not isinstance(thing, (Value, np.ndarray)):
        # An object of an unknown class might support Values, so Python decides.
        unknown = type(thing).__name__ in ("object", "Tensor")
        for word, operate in (("add", lambda: x + thing), ("add", lambda: thing + x), ("mul", lambda: thing * x)):
            with pytest.raises(TypeError, match="unsupported operand" if unknown else f"^{word}[a-z]*: .*{advice}"):
                operate()
        with pytest.raises(TypeError):
            tinygraph.maximum(x, thing)


@pytest.mark.parametrize("size", range(50))
def test_a_refusal_quotes_at_most_40_characters(size):
    with pytest.raises(TypeError) as caught:
        Value("x" * size)
    quoted = str(caught.value).removeprefix("Value: ").partition(" (str) is not a real number")[0]
    whole = repr("x" * size)
    if len(whole) <= 40:
        assert quoted == whole
    else:
        assert len(quoted) == 40
        assert whole.startswith(quoted.removesuffix("..."))


def test_values_and_tensors_do_not_mix():
    for pair in ((Value(1.0), Tensor(1.0)), (Value(1.0, constant=True), Tensor([1.0]))):
        with pytest.raises(TypeError, match="add: a Value and a Tensor cannot be mixed in one graph"):
            ops.add(*pair)


def test_an_int_too_large_is_an_overflow():
    with pytest.raises(OverflowError, match="4001 bits"):
        Value(2**4000)
    with pytest.raises(OverflowError):
        Value(1.0) + 2**4000


# --- special values: IEEE 754, without exceptions


@pytest.mark.parametrize(
    ("expression", "number", "local"),
    [
        (lambda x: 1.0 / x, math.inf, -math.inf),
        (lambda x: 1.0 / -x, -math.inf, math.inf),
        (lambda x: 0.0 / x, math.nan, math.nan),
        (lambda x: x / 0.0, math.nan, math.inf),
        (lambda x: tinygraph.log(x), -math.inf, math.inf),
        (lambda x: tinygraph.log(x - 1.0), math.nan, math.nan),
        (lambda x: tinygraph.exp(x + 1000.0), math.inf, math.inf),
        (lambda x: (x - 2.0) ** 0.5, math.nan, math.nan),
        (lambda x: x**0, 1.0, 0.0),
        (lambda x: tinygraph.sqrt(x), 0.0, math.inf),
        (lambda x: tinygraph.relu(x), 0.0, 0.0),
        (lambda x: abs(x), 0.0, 0.0),
        (lambda x: tinygraph.sign(x), 0.0, 0.0),
        (lambda x: tinygraph.heaviside(x), 0.0, 0.0),
        (lambda x: tinygraph.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: tinygraph.minimum(0.0, x), 0.0, 0.5),
        (lambda x: tinygraph.maximum(x, x), 0.0, 1.0),
        (lambda x: tinygraph.sin(x + math.inf), math.nan, math.nan),
        (lambda x: x + math.inf, math.inf, 1.0),
        (lambda x: x - math.nan, math.nan, 1.0),
        (lambda x: -x * math.inf, math.nan, -math.inf),
        (lambda x: tinygraph.relu(x + math.nan), math.nan, math.nan),
        (lambda x: tinygraph.total([x, math.inf, -math.inf]), math.nan, 1.0),
    ],
)
def test_special_values_follow_ieee(expression, number, local):
    x = Value(0.0)
    y = expression(x)
    y.backward()
    assert same(y.data, number)
    assert x.grad == pytest.approx(local, nan_ok=True)
    assert type(y.data) is type(x.grad) is float


def test_zero_to_the_zero_is_one_with_gradients_zero():
    x, y = Value(0.0), Value(0.0)
    z = x**y
    z.backward()
    assert (z.data, x.grad, y.grad) == (1.0, 0.0, 0.0)


# --- gradients


def test_no_gradient_before_backward_and_none_on_constants():
    x, k = Value(2.0), Value(3.0, constant=True)
    y = x * k
    assert x.grad is y.grad is k.grad is None
    y.backward()
    assert (x.grad, y.grad, k.grad) == (3.0, 1.0, None)
    assert "constant=True" in repr(k)


def test_a_leaf_and_a_constant_can_be_roots():
    x = Value(2.0)
    x.backward(seed=5)
    assert x.grad == 5.0
    k = Value(1.0, constant=True)
    k.backward()
    assert (k + 1.0).constant


def test_accumulate_counts_none_as_zero():
    x = Value(2.0)
    (x * 3.0).backward(accumulate=True)
    assert x.grad == 3.0
    x.grad = 0
    (x * 3.0).backward(accumulate=True)
    (x * 4.0).backward(accumulate=True)
    assert x.grad == 7.0


def test_detach_and_item():
    x = Value(3.0, name="x")
    y = x * x.detach()
    y.backward()
    assert x.grad == 3.0
    assert y.item() == 9.0
    assert x.detach().name == ""
    assert x.detach().constant is True


# --- editing


def test_only_leaves_can_be_edited():
    x = Value(2.0)
    y = x * x
    x.data -= 0.5
    assert x.data == 1.5
    with pytest.raises(AttributeError, match="read-only"):
        y.data = 1.0
    assert y.data == 4.0


def test_an_edit_elsewhere_makes_nothing_stale():
    x, other = Value(2.0), Value(1.0)
    y = x * x
    other.data = 5.0
    y.backward()
    assert x.grad == 4.0
    z = y + other
    other.data = 6.0
    y.backward()
    with pytest.raises(StaleGraphError):
        z.backward()


def test_recomputing_a_part_leaves_an_unaffected_whole_fresh():
    x, other = Value(2.0), Value(1.0)
    u = x * 3.0
    y = u + 1.0
    other.data = 2.0
    u.forward()
    y.backward()
    assert x.grad == 3.0
    x.data = 5.0
    u.forward()
    with pytest.raises(StaleGraphError):
        y.backward()
    y.forward().backward()
    assert y.data == 16.0


def test_a_graph_recorded_while_leaves_are_edited_is_stale():
    x = Value(2.0, name="x")
    u = x * 2.0
    x.data = 3.0
    v = u + x
    with pytest.raises(StaleGraphError, match="'x'"):
        v.backward()
    u.forward()
    with pytest.raises(StaleGraphError):
        v.backward()
    assert v.forward().data == 9.0


def test_edits_of_constants_are_noticed():
    w, k = Value(2.0), Value(3.0, constant=True, name="k")
    y = w * k
    k.data = 4.0
    with pytest.raises(StaleGraphError, match="'k'"):
        y.backward()
    assert y.forward().data == 8.0
    double = k * 2.0
    k.data = 5.0
    with pytest.raises(StaleGraphError, match="'k'"):
        w * double
    assert (w * double.forward()).data == 20.0


def test_a_training_loop_that_records_once():
    w = Value(5.0)
    J = (w - 2.0) ** 2
    costs = []
    for _ in range(50):
        J.forward()
        if J < 1e-8:
            break
        J.backward()
        costs.append(J.data)
        w.data -= 0.3 * w.grad
    assert w.data == pytest.approx(2.0, abs=1e-4)
    assert costs == sorted(costs, reverse=True)
    assert J < 1e-8


# --- branches


def relu_by_branch(x):
    return x * 1.0 if x > 0 else x * 0.0


def test_a_flipped_branch_is_refused():
    x = Value(2.0, name="x")
    y = relu_by_branch(x) + 1.0
    x.data = 3.0
    assert y.forward().data == 4.0
    x.data = -1.0
    with pytest.raises(FrozenBranchError, match="x > 0"):
        y.forward()
    with pytest.raises(StaleGraphError):
        y.backward()
    x.data = 1.0
    assert y.forward().data == 2.0
    y.backward()


@pytest.mark.parametrize("edit", ["left", "right", "both"])
def test_branches_between_nodes_follow_both_sides(edit):
    a, b = Value(1.0, name="a"), Value(2.0, name="b")
    u, v = a * 2.0, b * 2.0
    assert u < v
    y = u + v
    if edit == "both":
        a.data, b.data = 10.0, 20.0
        assert y.forward().data == 60.0
        a.data = 30.0
    elif edit == "left":
        a.data = 3.0
    else:
        b.data = 0.5
    with pytest.raises(FrozenBranchError, match=r"Value\(2, op='mul'\) < Value\(4, op='mul'\)"):
        y.forward()


def test_comparisons_are_bools_and_equality_is_identity():
    a, b = Value(1.0), Value(2.0)
    assert (a < b) is True
    assert (a <= 1) is True
    assert (a > np.float64(2)) is False
    assert (b <= 3) is True
    assert (np.float64(0.5) < a) is True
    assert a != Value(1.0)
    assert a == a
    assert len({a, b, a}) == 2
    assert max(a, b) is b
    with pytest.raises(TypeError):
        a < "1"  # noqa: B015
    assert not Value(math.nan) < 1.0


def test_comparisons_are_bounded():
    from tinygraph.engine import metadata

    best, others = Value(1.0), [Value(float(i)) for i in range(metadata.LIMIT + 200)]
    assert [other > best for other in others].count(False) == 2
    assert len(best.metadata.guards) == metadata.LIMIT
    for i in range(2 * metadata.LIMIT):
        assert best < 2.0 + i
    assert len(best.metadata.guards) == metadata.LIMIT


# --- conversions that would cut the graph


@pytest.mark.parametrize(
    "convert", [float, int, complex, math.exp, math.floor, np.float64, lambda x: np.array([x], float)]
)
def test_a_value_does_not_turn_into_a_number_in_silence(convert):
    with pytest.raises(TypeError):
        convert(Value(1.0))


def test_an_array_element_cannot_be_a_value():
    x, array = Value(1.0), np.zeros(3)
    for assign in (lambda: array.__setitem__(0, x), lambda: array.fill(x)):
        with pytest.raises(TypeError, match="would cut the graph"):
            assign()
    with pytest.raises(
        TypeError, match=r"^an element of an array of numbers .* a list, and call np\.array, or assign x"
    ):
        array[0] = x
    assert array.tolist() == [0.0] * 3
    assert sum(np.array([x, x])).data == 2.0


def test_the_refusal_says_what_to_do():
    with pytest.raises(TypeError, match=r"x\.data or x\.item\(\).*tinygraph\.exp"):
        float(Value(1.0))
    with pytest.raises(TypeError, match="has no truth value"):
        bool(Value(0.0))


def test_constants_of_values_convert_by_their_data():
    assert float(Value(2.0).data) == 2.0
    assert f"{Value(2.0):.3f}" == "2.000"
    assert f"{Value(2.0)}" == "Value(2.0)"


# --- NumPy


def test_numpy_functions_record():
    v = Value(0.5)
    for name, row in (("exp", ops.exp), ("arcsin", ops.asin), ("log1p", ops.log1p), ("absolute", ops.abs)):
        assert getattr(np, name)(v).op is row
    assert np.maximum(v, 1.0).op is ops.maximum
    assert np.power(v, 2).data == 0.25
    for out in (np.float64(2) * v, v * np.float64(2), np.add(2.0, v)):
        assert isinstance(out, Value)
        out.backward()
    assert (np.float64(1) / v).data == 2.0


@given(st.lists(numbers, min_size=1, max_size=4))
def test_arrays_give_arrays_of_values(xs):
    v, array = Value(2.0), np.array(xs)
    for out, expected in (
        (array * v, array * 2),
        (v * array, 2 * array),
        (v - array, 2 - array),
        (array / v, array / 2),
    ):
        assert out.dtype == object
        assert [node.data for node in out] == expected.tolist()
    assert (array < v).tolist() == (array < 2.0).tolist()


def test_matrix_products_of_object_arrays():
    w = np.array([Value(1.0), Value(2.0)])
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    z = X @ w
    assert [node.data for node in z] == [5.0, 11.0]
    z.sum().backward()
    assert [node.grad for node in w] == [4.0, 6.0]
    a = np.exp(z / 10.0)
    assert a[0].data == math.exp(0.5)


def test_what_numpy_cannot_do_is_said():
    with pytest.raises(TypeError, match=r"np\.spacing"):
        np.spacing(Value(1.0))
    with pytest.raises(TypeError, match=r"np\.add\.outer"):
        np.add.outer(Value(1.0), 2.0)
    with pytest.raises(TypeError):
        np.exp(Value(1.0), out=np.zeros(1))


@pytest.mark.parametrize("number", [-1.0, 0.0, 0.5, 1.0, 2.0, math.nan])
def test_clipping_records_a_node(number):
    calls = [
        lambda v: np.clip(v, 0, 1),
        lambda v: np.clip(v, a_min=0, a_max=1),
        lambda v: np.clip(v, min=0.0, max=np.float64(1.0)),
        lambda v: v.clip(0, 1),
        lambda v: v.clip(max=1.0).clip(min=0.0),
        lambda v: tinygraph.clip(v, 0, 1),
        lambda v: np.clip(number, Value(0.0), 1) if number < 0 else v.clip(0.0, Value(1.0)),
    ]
    slope = {-1.0: 0.0, 0.0: 0.5, 1.0: 0.5, 2.0: 0.0, 0.5: 1.0}.get(number, math.nan)
    for call in calls:
        v = Value(number)
        y = call(v)
        assert isinstance(y, Value)
        assert y.data == pytest.approx(np.clip(number, 0.0, 1.0), nan_ok=True)
        assert tinygraph.grad(y, v) == pytest.approx(slope, nan_ok=True)
    assert Value(number).clip().data == pytest.approx(number, nan_ok=True)


def test_wrong_arguments_of_clip_are_refused():
    v = Value(0.5)
    with pytest.raises(ValueError, match="a_min and min are two names of one argument"):
        v.clip(0.0, a_min=0.0)
    with pytest.raises(TypeError, match=r"clip: out=.* is not supported here"):
        np.clip(v, 0.0, 1.0, out=np.zeros(1))
    with pytest.raises(TypeError, match=r"clip: max: 'a' .* is not a real number"):
        v.clip(0.0, "a")


def test_values_are_selected_by_a_bool():
    a, b = Value(2.0), Value(3.0)
    for condition in (True, np.True_, a < b, np.array(True), 1):
        for y, chosen in ((tinygraph.where(condition, a, b), a), (tinygraph.where(not condition, a, b), b)):
            assert y is not chosen  # a separate node, so that forward() checks the choice
            assert y.data == chosen.data
            assert tinygraph.grad(y, (a, b)) == [float(chosen is a), float(chosen is b)]
    assert np.where(a < b, a, b).data == 2.0
    for y in (tinygraph.where(False, a, 4), np.where(False, a, 4)):
        assert isinstance(y, Value)
        assert y.constant
        assert y.data == 4.0
    y = tinygraph.where(a < b, a * a, b)
    a.data = 5.0
    with pytest.raises(tinygraph.FrozenBranchError):
        y.forward()


def test_wrong_conditions_are_refused():
    a = Value(2.0)
    with pytest.raises(TypeError, match="where: the condition is a Value: compare it, for example x > 0"):
        tinygraph.where(a, a, 0.0)
    with pytest.raises(TypeError, match=r"where: the condition .* must be a single bool for Values"):
        tinygraph.where([True, False], a, 0.0)
    with pytest.raises(TypeError, match=r"where: condition: 'a' \(str\) is not a real number"):
        tinygraph.where("a", a, 0.0)
    with pytest.raises(TypeError, match=r"where: 'a' \(str\) is not a real number"):
        tinygraph.where(True, a, "a")
    for x, y in ((a, tinygraph.Tensor(1.0)), (tinygraph.Tensor(1.0), a)):
        with pytest.raises(TypeError, match="cannot be mixed"):
            tinygraph.where(True, x, y)


def test_nan_to_num_replaces_what_is_not_finite():
    largest = sys.float_info.max
    cases = [(math.nan, 0.0, 0.0), (math.inf, largest, 0.0), (-math.inf, -largest, 0.0), (2.5, 2.5, 1.0)]
    for number, found, slope in cases:
        for call in (np.nan_to_num, tinygraph.nan_to_num, lambda v: v.nan_to_num()):
            v = Value(number)
            y = call(v)
            assert y.data == found == tinygraph.nan_to_num(number) == np.nan_to_num(number)
            assert tinygraph.grad(y, v) == slope
    assert np.nan_to_num(Value(math.nan), nan=2.0).data == 2.0
    with pytest.raises(TypeError, match=r"posinf: 'a' \(str\) is not a real number"):
        tinygraph.nan_to_num(Value(1.0), posinf="a")


# --- names and display


def test_names():
    x = Value(2.0, name="x")
    y = x * x
    assert (x.name, y.name) == ("x", "")
    y.name = "y"
    assert repr(y) == "Value(4.0, name='y', op='mul')"
    y.backward()
    assert repr(x) == "Value(2.0, name='x', grad=4.0)"
    with pytest.raises(TypeError, match="a name must be a str"):
        x.name = 3


def test_name_from_names_what_is_nameless():
    a, b, kept = Value(1.0), Value(2.0), Value(3.0, name="mine")
    w = [Value(4.0), [Value(5.0)]]
    _hidden = Value(6.0)
    tinygraph.name_from(locals())
    assert [a.name, b.name, kept.name, w[0].name, w[1][0].name, _hidden.name] == [
        "a",
        "b",
        "mine",
        "w[0]",
        "w[1][0]",
        "",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_looking_changes_nothing(x):
    v = Value(x)
    y = v * 2.0
    before = [(node.data, node.grad, node.version, node.metadata) for node in order(y)]
    assert repr(x) in repr(v)
    str(y), f"{y:.2f}", y.args, y.partials, y.name, y.scope, y.line, y.operands, y.constant, order(y)
    assert [(node.data, node.grad, node.version, node.metadata) for node in order(y)] == before


def test_a_repr_is_one_level():
    x = Value(1.0)
    for _ in range(1000):
        x = x + 1.0
    assert len(repr(x)) < 60


# --- variadic nodes


def test_dot_and_total_are_one_node():
    w, x = [Value(2.0), Value(3.0)], [5.0, 7.0]
    z = tinygraph.dot(w, x)
    assert z.data == 31.0
    assert len(order(z)) == 3
    assert z.partials == (5.0, 7.0, None, None)
    z.backward()
    assert [node.grad for node in w] == [5.0, 7.0]
    both = tinygraph.dot(w, w)
    both.backward()
    assert [node.grad for node in w] == [4.0, 6.0]
    assert tinygraph.grad(tinygraph.grad(both, w[0], create_graph=True), w[0]) == 2.0
    assert tinygraph.total([w[0], 1.0, w[0]]).partials == (1.0, None, 1.0)
    assert tinygraph.total(node * 2.0 for node in w).data == 10.0


def test_an_operand_listed_twice_counts_twice():
    x = Value(2.0)
    tinygraph.dot([x, x], [3.0, 5.0]).backward(seed=0.5)
    assert x.grad == 4.0
    inner = x * 2.0
    tinygraph.dot([inner, inner], [3.0, 5.0]).backward(seed=0.5)
    assert (inner.grad, x.grad) == (4.0, 8.0)


def test_a_row_of_ones_own_over_two_lists_is_no_dot_product():
    gap = VariadicOp(
        "gap",
        lambda xs, ys: math.fsum(abs(x - y) for x, y in zip(xs, ys, strict=True)),
        partials=(
            lambda out, xs, ys: [ops.sign(x - y) for x, y in zip(xs, ys, strict=True)],
            lambda out, xs, ys: [ops.sign(y - x) for x, y in zip(xs, ys, strict=True)],
        ),
    )
    node = gap([Value(3.0), Value(1.0)], [1.0, 5.0])
    assert (node.data, node.partials) == (6.0, (1.0, -1.0, None, None))


def test_a_slope_of_ones_own_may_divide_by_zero_and_call_its_row_again():
    row = Op("row", lambda x: x + 5.0, partials=(lambda out, x: (2.0 * out - row(x)) / (x + 1.0),))
    assert row(Value(-1.0)).partials == (math.inf,)
    assert row(Value(1.0)).partials == (3.0,)


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize(
    ("option", "hint"), [("label", "name="), ("requires_grad", "constant=True"), ("colour", "name= and constant=")]
)
def test_an_option_of_another_library_is_refused_with_ours(kind, option, hint):
    with pytest.raises(TypeError, match=rf"^{kind.__name__} has no option {option}=: .*{hint}"):
        kind(2.0, **{option: "a"})
    with pytest.raises(TypeError, match=rf"has no option {option}=: .*{hint}"):
        kind(2.0, constant=True, **{option: "a"})


def test_comparisons_with_nodes_that_died_are_all_kept():
    """Their ids are used again, so a key made of ids kept one comparison of ten."""
    x = Value(5.5)
    y = x * 2.0
    taken = [k for k in range(10) if x > Value(float(k))]
    J = y + float(len(taken))
    assert len(x.metadata.guards) == 10
    for number in (5.2, 5.9):
        x.data = number
        J.forward()
    for number in (0.5, 4.5, 6.5, 8.5):
        x.data = number
        with pytest.raises(tinygraph.FrozenBranchError):
            J.forward()


def test_a_shallow_copy_has_its_own_name_and_no_comparisons():
    x = Value(1.0, "x")
    assert x > 0.0
    twin = copy.copy(x)
    twin.name = "twin"
    assert (x.name, twin.name, len(x.metadata.guards), len(twin.metadata.guards)) == ("x", "twin", 1, 0)
    twin.data = -1.0
    assert (x * 2.0).forward().data == 2.0


# --- NumPy's functions on single Values


ALONE = {
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "mean": np.mean, "squeeze": np.squeeze,
    "copy": np.copy, "add.reduce": np.add.reduce, "reshape": lambda v: np.reshape(v, ()), "ravel": np.ravel,
    "a=": lambda v: np.sum(a=v), "where": lambda v: np.where(True, v, 0.0), "atleast_2d": np.atleast_2d,
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_numpys_functions_of_one_value_keep_the_graph(name):
    """NumPy gives the value itself, or an array of it for a function that adds axes."""
    x = Value(3.0)
    v = x * x
    out = ALONE[name](v)
    entry = out.item() if isinstance(out, np.ndarray) else out
    assert isinstance(entry, Value)
    assert np.shape(out) == np.shape(ALONE[name](9.0))
    assert entry.data == 9.0
    assert tinygraph.grad(entry, x) == 6.0


def test_numpys_functions_of_one_value_give_its_shape():
    v = Value(3.0)
    assert (np.shape(v), np.ndim(v), np.size(v)) == ((), 0, 1)


LISTED = {
    "var": np.var, "std": np.std, "median": np.median, "mean": np.mean, "sum": np.sum, "prod": np.prod,
    "norm": np.linalg.norm, "ddof": lambda xs: np.var(xs, ddof=1), "vdot": lambda xs: np.vdot(xs, xs),
    "sort": lambda xs: np.sort(xs)[1], "stack": lambda xs: np.stack(xs)[2], "cumsum": lambda xs: np.cumsum(xs)[-1],
    "concatenate": lambda xs: np.concatenate([xs, xs])[0], "of an array": lambda xs: np.stack(np.array(xs))[0],
    "atleast_1d": lambda xs: np.atleast_1d(*xs)[0][0], "hstack": lambda xs: np.hstack(xs)[1],
}  # fmt: skip


@pytest.mark.parametrize("name", LISTED)
def test_numpys_functions_of_a_list_of_values_compute_with_them(name):
    numbers = [3.0, 0.5, 2.0]
    xs = list(map(Value, numbers))
    out, plain = LISTED[name](xs), LISTED[name](numbers)
    assert isinstance(out, Value)
    assert out.data == pytest.approx(plain, rel=1e-15)
    for i, x in enumerate(xs):
        ends = [LISTED[name]([n + s * 1e-6 * (k == i) for k, n in enumerate(numbers)]) for s in (1.0, -1.0)]
        assert tinygraph.grad(out, x) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_an_array_without_axes_is_its_value():
    x = Value(2.0)
    for out in (np.array(x) * 3.0, np.multiply(np.array(x), x), x + np.array(x), np.exp(np.array(x))):
        assert isinstance(out, Value)
        assert tinygraph.grad(out, x) != 0.0


@pytest.mark.parametrize("function", [lambda v: np.fft.fft(v), lambda v: np.linalg.det(v)])
def test_numpys_other_functions_of_one_value_raise(function):
    with pytest.raises((TypeError, ValueError, IndexError, NotImplementedError)):
        function(Value(2.0))


# --- divmod and np.where of single nodes


@pytest.mark.parametrize(("x", "y"), [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0)])
def test_divmod_is_that_of_floats(x, y):
    for found in (divmod(Value(x), y), divmod(x, Value(y)), divmod(Value(x), Value(y))):
        assert [node.data for node in found] == list(divmod(x, y))
        assert [node.op.name for node in found] == ["floor_divide", "mod"]


def test_divmod_lets_the_other_operand_decide():
    class Other:
        def __rdivmod__(self, other):
            return "quotient and remainder"

    class Quotient:
        def __rfloordiv__(self, other):
            return "quotient"

    assert divmod(Value(1.0), Other()) == "quotient and remainder"
    assert Value(1.0) // Quotient() == "quotient"
    for other in (object(), Quotient()):
        with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for divmod"):
            divmod(Value(1.0), other)
        with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for divmod"):
            divmod(other, Value(1.0))
    for other in ("a", None):
        with pytest.raises(TypeError, match="is not a real number"):
            divmod(Value(1.0), other)


def test_where_of_a_value_needs_a_single_condition_and_both_operands():
    x, y = Value(1.0), Value(2.0)
    assert np.where(True, x, y).data == 1.0
    assert np.where(False, x, y).data == 2.0
    for condition in ([True, False], np.array([True, False])):
        assert list(map(id, np.where(condition, x, y))) == [id(x), id(y)]
    with pytest.raises(TypeError, match=r"np\.where needs both x and y"):
        np.where(True, x)
    with pytest.raises(TypeError, match=r"np\.where with one argument"):
        np.where(x)


@pytest.mark.parametrize("method", ["reduceat", "accumulate", "outer", "at"])
def test_other_methods_of_a_ufunc_are_refused_by_name(method):
    more = {"reduceat": ([0],), "outer": (2.0,), "at": ([0], 1.0), "accumulate": ()}[method]
    with pytest.raises(TypeError, match=f"np.add.{method}"):
        getattr(np.add, method)(Value(1.0), *more)


def test_an_option_of_a_ufunc_must_have_its_default():
    x = Value(1.0)
    assert np.add(x, 2.0, where=True).data == 3.0
    assert np.exp(x, casting="same_kind").data == math.e
    with pytest.raises(TypeError, match="where"):
        np.exp(x, where=False)
