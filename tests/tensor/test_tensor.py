"""Tensor: the data that it accepts, rejects, copies and shows; edits, and constants."""

import copy
import math
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.tensor.agreement import OPERATORS, absolute_masses, same
from tinygraph import StaleGraphError, Tensor, Value, strict
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.testing import arrays, graphs, public_ops, tensor_programs


def test_grad_by_one_tensor_is_one_array():
    t = Tensor([1.0, 2.0, 3.0], "t")
    y = (t * t).sum()
    assert tinygraph.grad(y, t).tolist() == [2.0, 4.0, 6.0]
    first = tinygraph.grad(y, t, create_graph=True)
    assert first.data.tolist() == [2.0, 4.0, 6.0]
    assert [g.tolist() for g in tinygraph.grad(y, [t])] == [[2.0, 4.0, 6.0]]
    assert tinygraph.grad(first.sum(), t).tolist() == [2.0, 2.0, 2.0]


def test_a_plain_zero_divides_without_an_exception():
    for zero in (0.0, 0, -0.0, np.array(0.0), np.array([0.0, 0.0])):
        t = Tensor([1.0, -2.0])
        y = t / zero
        y.sum().backward()
        assert np.isinf(y.data).all()
        assert np.isinf(t.grad).all()
        assert np.isinf(tinygraph.grad(y.sum(), t, create_graph=True).data).all()
    x = Value(2.0)
    assert tinygraph.grad(x / 0.0, x, create_graph=True).data == math.inf


def test_an_array_to_the_power_of_an_array():
    x, y = Tensor([2.0, 3.0, 0.0]), Tensor([3.0, 2.0, 2.0])
    z = x**y
    z.sum().backward()
    assert z.data.tolist() == [8.0, 9.0, 0.0]
    assert x.grad.tolist() == [12.0, 6.0, 0.0]
    assert y.grad.tolist() == pytest.approx([8 * math.log(2), 9 * math.log(3), 0.0])
    assert (2.0**y).data.tolist() == [8.0, 4.0, 4.0]
    assert (np.array([2.0, 3.0, 1.0]) ** y).data.tolist() == [8.0, 9.0, 1.0]


@given(x=arrays())
def test_a_leaf_is_a_copy_and_a_constant_is_none(x):
    leaf, constant = Tensor(x), Tensor(x, constant=True)
    assert not x.size or not np.shares_memory(leaf.data, x)
    assert same(leaf.data, x)
    assert constant.raw is x
    assert (constant.constant, leaf.constant) == (True, False)
    assert constant.detach().raw is constant.raw
    y = (leaf * x + constant).sum()
    if x.ndim:
        product = y.args[0].args[0]
        assert product.args[1] is x
        assert product.partials[1] is None
    y.backward()
    assert constant.grad is None
    assert same(tinygraph.grad(y, constant), np.zeros(x.shape))


def test_data_in_a_matrix_product_is_the_very_array():
    X = np.arange(12.0).reshape(3, 4)
    w, b = Tensor(np.ones((3, 1)), "w"), Tensor(0.0, "b")
    Z = np.dot(w.T, X) + b
    product = Z.args[0]
    assert product.args[1] is X
    assert product.partials[1] is None
    columns = Tensor(X, constant=True)[:, 1:3]
    assert columns.constant
    assert np.shares_memory(columns.raw, X)
    assert (columns * 2.0 + 1.0).constant


@pytest.mark.parametrize(
    "data",
    [
        3,
        True,
        [1, 2],
        [[True, False]],
        np.int32(4),
        np.arange(3),
        np.float32(0.5),
        Fraction(1, 2),
        [Fraction(1, 2)],
        [],
    ],
)
def test_numbers_of_any_kind_become_float64(data):
    t = Tensor(data)
    assert t.dtype == np.float64
    assert same(t.data, np.array(np.array(data), dtype=np.float64))
    for y in (t * data, data * t):
        y.sum().backward()
        assert t.grad.dtype == np.float64
        assert t.grad.shape == t.shape
    operand = (t + np.array(data)).args[1]
    assert type(operand) is float if np.ndim(data) == 0 else operand.dtype == np.float64


def add_up(op, *operands):
    return sum(operands) if op is ops.total else op(*operands)


@given(program=graphs(ops=[row for row in public_ops() if not row.variadic]), k=st.integers(0, 3))
def test_a_tensor_is_so_many_values(program, k):
    points = [tuple(x * (1.0 - 0.001 * i) for x in program.at) for i in range(k)]
    leaves = [Tensor([point[j] for point in points]) for j in range(len(program.at))]
    root = program.run(leaves, add_up)[-1]
    assert root.shape == (k,)
    partials = tinygraph.grad(root, leaves, seed=np.ones(k))
    terms = absolute_masses(root)
    for i, point in enumerate(points):
        values = [Value(x) for x in point]
        y = program(*values)
        assert root.data[i] == pytest.approx(y.data, rel=1e-10, abs=1e-10)
        for leaf, local, x in zip(leaves, partials, tinygraph.grad(y, values), strict=True):
            scale = np.broadcast_to(terms.get(leaf, 0.0), k)[i]
            assert local[i] == pytest.approx(x, rel=1e-9, abs=1e-9 * scale, nan_ok=True)


def test_strict_names_what_is_not_finite():
    with strict():
        with pytest.raises(FloatingPointError, match=r"log\(p\) = an array \(2,\) with -inf, where p = "):
            tinygraph.log(Tensor([1.0, 0.0], "p"))
        with pytest.raises(FloatingPointError, match="local derivative of sqrt"):
            tinygraph.sqrt(Tensor([1.0, 0.0], "p"))


BINARY = [row for row in TABLE.values() if row.arity == 2 and not row.variadic]


@pytest.mark.parametrize("row", BINARY, ids=lambda row: row.name)
def test_values_and_tensors_do_not_mix(row):
    for pair in ((Value(0.5), Tensor(0.5)), (Tensor(0.5), Value(0.5)), (Tensor([0.5]), Value(0.5))):
        with pytest.raises(TypeError):
            row(*pair)


@pytest.mark.parametrize("name", OPERATORS)
def test_values_and_tensors_do_not_mix_by_operators(name):
    for pair in ((Value(0.5), Tensor([0.5])), (Tensor([0.5]), Value(0.5)), (Tensor([0.5]), [Value(0.5)])):
        with pytest.raises(TypeError):
            OPERATORS[name](*pair)


def test_a_tensor_among_values_is_refused():
    for make in (
        lambda: Tensor(Value(1.0)),
        lambda: Tensor([Value(1.0)]),
        lambda: Value(Tensor(1.0)),
        lambda: tinygraph.total([Value(1.0), Tensor(1.0)]),
        lambda: tinygraph.dot([Tensor(1.0)], [Value(1.0)]),
        lambda: tinygraph.dot([Tensor(1.0)], [Tensor(1.0)]),
        lambda: Tensor([1.0]) < Value(1.0),
        lambda: tinygraph.concatenate([Tensor([1.0]), Value(1.0)]),
    ):
        with pytest.raises(TypeError, match=r"Tensor|Value"):
            make()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("1.0", "convert text with float"),
        (None, "pass numbers, or nested lists"),
        (1j, "take its .real or .imag part"),
        ([1.0, 1j], "take its .real"),
        (np.array([1j]), "take its .real"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
        (object(), "pass numbers"),
        ([1.0, None], "pass numbers"),
        ({"a": 1.0}, "pass numbers"),
        (["a", "b"], "convert text"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "pass numbers"),
        (Tensor(1.0), "already a Tensor"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(data, message):
    with pytest.raises(TypeError, match=message):
        Tensor(data)
    with pytest.raises(TypeError):
        Tensor([1.0]).data = data


@pytest.mark.parametrize("data", ["1.0", None, 1j, np.array([1j]), [[1.0], [1.0, 2.0]], [object()]])
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_refuse_what_is_no_number(name, data):
    for pair in ((Tensor([1.0]), data), (data, Tensor([1.0]))):
        with pytest.raises(TypeError):
            OPERATORS[name](*pair)


@pytest.mark.parametrize("convert", [bool, float, int, complex, np.asarray, np.array, math.exp, math.sqrt])
def test_a_tensor_does_not_turn_into_plain_numbers_by_itself(convert):
    for data in (1.0, [1.0], [1.0, 2.0]):
        with pytest.raises(TypeError):
            convert(Tensor(data))


def test_an_edit_is_noticed_and_forward_recomputes():
    w, X = Tensor([[1.0], [2.0]], "w"), np.array([[3.0, 4.0], [5.0, 6.0]])
    y = (w.T @ X).sigmoid().sum()
    y.backward()
    w.data -= 0.5 * w.grad
    with pytest.raises(StaleGraphError, match="w"):
        y.backward()
    with pytest.raises(StaleGraphError):
        tinygraph.grad(y, w)
    with pytest.raises(StaleGraphError):
        tinygraph.jvp(y, {w: np.ones((2, 1))})
    y.forward()
    y.backward()
    again = Tensor(w.data)
    fresh = (again.T @ X).sigmoid().sum()
    fresh.backward()
    assert same(y.data, fresh.data)
    assert same(w.grad, again.grad)


@given(program=tensor_programs(), data=st.data())
def test_forward_gives_what_recording_anew_would(program, data):
    root, leaves = program.record()
    at = [data.draw(arrays(leaf.shape)) for leaf in leaves]
    for leaf, x in zip(leaves, at, strict=True):
        leaf.data = x
    root.forward()
    fresh = program(*map(Tensor, at))
    for node, other in zip(order(root), order(fresh), strict=True):
        assert same(node.data, other.data)
        assert type(node.data) is np.ndarray
        assert node.data.dtype == np.float64
    for x, y in zip(*[tinygraph.grad(y, [z for z in order(y) if z.op is None]) for y in (root, fresh)], strict=True):
        assert same(x, y)


def test_an_edit_keeps_the_shape_and_copies():
    w = Tensor([1.0, 2.0], "w")
    for data in (1.0, [1.0], [[1.0, 2.0]], [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match=r"w has shape \(2,\), but the new array .*make a new Tensor"):
            w.data = data
    mine = np.array([3.0, 4.0])
    w.data = mine
    mine[0] = 9.0
    assert w.data.tolist() == [3.0, 4.0]
    w.data *= 2.0
    assert w.data.tolist() == [6.0, 8.0]
    b = Tensor(1.0, "b")
    b.data -= 0.25
    assert (b.item(), type(b.data)) == (0.75, np.ndarray)
    with pytest.raises(TypeError):
        w.data = "ab"


def test_what_is_computed_or_constant_is_read_only():
    w, X = Tensor([1.0, 2.0]), np.array([1.0, 2.0])
    y, constant = w * X, Tensor(X, constant=True)
    for node in (y, constant):
        with pytest.raises(ValueError, match="read-only"):
            node.data[0] = 5.0
    with pytest.raises(AttributeError, match="read-only"):
        y.data = X
    assert X.flags.writeable
    for node in (w.sum(), w[0], w.T, w.reshape(2, 1)):
        assert not node.data.flags.writeable


@given(program=tensor_programs())
def test_copies_and_pickles_keep_numbers_and_structure(program):
    root, _ = program.record()
    root.backward()
    for again in (copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        pairs = list(zip(order(root), order(again), strict=True))
        index = [{node: i for i, node in enumerate(nodes)} for nodes in zip(*pairs, strict=True)]
        for node, other in pairs:
            assert other is not node
            assert (type(other), other.name, other.constant) == (type(node), node.name, node.constant)
            assert repr(other.op) == repr(node.op)
            assert same(other.data, node.data)
            assert (node.grad is None and other.grad is None) or same(node.grad, other.grad)
            for x, y in zip(node.args, other.args, strict=True):
                assert index[0][x] == index[1][y] if isinstance(x, Tensor) else np.array_equal(x, y)
        again.backward()
        for node, other in pairs:
            assert node.grad is None or same(node.grad, other.grad)


def test_value_and_grad_takes_arrays_beside_numbers():
    f = tinygraph.value_and_grad(lambda w, b: (w["k"] @ np.ones(2)).sum() * b, argnums=(0, 1))
    value, (dw, db) = f({"k": np.array([[1.0, 2.0]])}, 3.0)
    assert (value, dw["k"].tolist(), db.item()) == (9.0, [[3.0, 3.0]], 3.0)
    with pytest.raises(ValueError, match="seed="):
        tinygraph.value_and_grad(lambda w: w)(np.ones(2))


def test_a_plain_exponent_takes_the_row_of_its_power():
    t = Tensor([1.0, -2.0])
    for exponent in (3.0, 3, np.float64(3.0), Fraction(3)):
        y = t**exponent
        assert y.op is ops.power(3.0)
        assert y.data.tolist() == [1.0, -8.0]


@pytest.mark.parametrize("size", range(10))
def test_up_to_six_entries_are_written_out(size):
    t = Tensor(np.arange(float(size)))
    assert repr(t) == (f"Tensor({t.data.tolist()})" if size <= 6 else f"Tensor(shape=({size},))")


def test_constants_are_named_so():
    k = Tensor([1.0], constant=True)
    assert repr(k * 2.0) == "Tensor([2.0], op='mul', constant=True)"
    assert tinygraph.concatenate([k, k]).constant is True
    assert tinygraph.concatenate([Tensor([1.0]), k]).constant is False


def test_name_and_constant_may_be_given_as_keywords():
    t = Tensor([1.0], name="t")
    k = Tensor([1.0], name="k", constant=True)
    assert (t.name, t.constant, k.name, k.constant) == ("t", False, "k", True)
    with pytest.raises(TypeError):
        Tensor([1.0], "k", True)


@pytest.mark.parametrize("operate", [lambda t: t + 1.0, lambda t: t + t, lambda t: 1.0 + t])
def test_any_use_of_a_row_may_be_its_first(operate, monkeypatch):
    """An op creates its functions of arrays on first use."""
    monkeypatch.setattr(ops.add, "array_functions", None)
    y = operate(Tensor([1.0]))
    y.backward(seed=[1.0])
    assert y.item() == 2.0


def test_edits_of_constants_are_noticed():
    w, k = Tensor([2.0]), Tensor([3.0], "k", constant=True)
    double = k * 2.0
    k.data = [5.0]
    with pytest.raises(StaleGraphError, match="'k'"):
        w * double
    assert (w * double.forward()).item() == 20.0


def test_one_number_is_formatted_as_such():
    t = Tensor([[2.0]])
    assert (f"{t:.3f}", f"{t}") == ("2.000", "Tensor([[2.0]])")


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_an_edited_leaf_is_laid_out_like_a_new_one(layout):
    x = np.random.default_rng(0).normal(size=(2, 3, 5))
    leaf = Tensor(np.zeros((2, 3, 5)))
    mean = leaf.mean()
    leaf.data = layout(x)
    assert leaf.data.flags.c_contiguous
    assert same(mean.forward().data, Tensor(layout(x)).mean().data)


def test_a_detached_tensor_keeps_its_values_when_the_leaf_is_edited():
    w = Tensor([1.0, 2.0], "w")
    old = w.detach()
    w.data -= 0.5
    w.data[0] = 9.0
    assert old.data.tolist() == [1.0, 2.0]
    assert (w - old).data.tolist() == [8.0, -0.5]


def test_a_local_derivative_that_was_stored_with_the_value_is_read_as_it_is():
    z, Y = Tensor([[0.5, -1.0, 2.0]], "z"), np.array([[1.0, 0.0, 1.0]])
    loss = tinygraph.binary_cross_entropy_with_logits(z, Y)
    assert type(loss.stored_partials[0]) is np.ndarray
    first, second = loss.partials
    assert np.allclose(first, 1 / (1 + np.exp(-z.data)) - Y, rtol=1e-14)
    assert second is None


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
@pytest.mark.parametrize(
    "scalar",
    [2, 2.0, True, np.float64(2), np.float32(2), np.float16(2), np.int64(2), np.uint8(2), np.bool_(True), np.array(2.0),
     np.array(2), Fraction(1, 2), Decimal("0.5")],
)  # fmt: skip
def test_a_scalar_of_any_type_sets_all_elements_of_a_gradient(scalar, shape):
    t, v = Tensor(np.ones(shape)), Value(1.0)
    t.grad = v.grad = scalar
    assert t.grad.dtype == np.float64
    assert np.array_equal(t.grad, np.full(shape, float(scalar)))
    assert v.grad == float(scalar)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_number_that_is_not_a_gradient_is_refused_in_one_sentence(kind):
    x = kind(1.0)
    with pytest.raises(OverflowError, match=r"^grad: an int of 1329 bits is too large for a float$"):
        x.grad = 10**400
    for wrong, remedy in ((2j, "take its .real"), (np.complex128(2j), "take its .real"), ("a", "convert text")):
        with pytest.raises(TypeError, match=f"^grad: .*{remedy}"):
            x.grad = wrong
    with pytest.raises(TypeError, match=r"^grad must be .* use its \.data"):
        x.grad = Value(2.0)
    assert x.grad is None
