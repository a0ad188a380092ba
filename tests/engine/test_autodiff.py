"""All ways to compute a gradient agree, on random programs with shared nodes."""

import copy
import math
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value
from tinygraph.checking.comparison import absolute_terms
from tinygraph.engine import autodiff
from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.backward import gradients
from tinygraph.engine.graph import Node, order
from tinygraph.testing import graphs

seeds = st.floats(0.25, 4.0) | st.floats(-4.0, -0.25)


def agree(xs, ys, scale, rel=1e-12):
    for x, y, s in zip(xs, ys, scale, strict=True):
        assert x == pytest.approx(y, rel=rel, abs=rel * s)


# --- all ways to compute a gradient


@given(program=graphs(), seed=seeds)
def test_all_loops_give_the_bits_of_the_clear_one(program, seed):
    root, _ = program.record()
    nodes, found = order(root), {}
    exhaust(propagate(root, seed, found))
    right = [repr(found.get(node)) for node in nodes]
    assert [repr(gradient) for gradient in gradients(root, seed, nodes)] == right
    assert all(node.grad is None for node in nodes)
    root.backward(seed=seed)
    assert [repr(node.grad) for node in nodes] == right
    assert all(node.awaited <= 0 for node in nodes)


@given(program=graphs())
def test_a_gradient_flows_to_each_operand_that_is_not_constant(program):
    root, _ = program.record()
    for node in order(root):
        for operand, local in zip_longest(node.args, node.stored_partials):
            assert (local is None) == (not isinstance(operand, Node) or operand.constant)


@given(program=graphs(), seed=seeds)
def test_contributions_sum_to_gradients_and_touch_nothing(program, seed):
    root, _ = program.record()
    sums = {root: seed}
    for node, slot, operand, upstream, local, contribution in propagate(root, seed, {}):
        assert node.args[slot] is operand
        assert node.partials[slot] == local
        assert upstream == sums[node], "every node passes on only what is complete"
        assert contribution == upstream * local
        sums[operand] = sums.get(operand, 0.0) + contribution
    assert all(node.grad is None for node in order(root))
    root.backward(seed=seed)
    for node, total in sums.items():
        assert node.grad == total


@given(program=graphs())
def test_forward_mode_agrees_with_reverse(program):
    root, leaves = program.record()
    scale = [absolute_terms(root).get(leaf, 0.0) for leaf in leaves]
    agree([tinygraph.jvp(root, {leaf: 1.0}) for leaf in leaves], tinygraph.grad(root, leaves), scale)


@given(program=graphs())
def test_a_direction_is_a_sum_of_directions(program):
    root, leaves = program.record()
    tangents = {leaf: 0.5 + i for i, leaf in enumerate(leaves)}
    partials = tinygraph.grad(root, leaves)
    total = math.fsum(local * tangents[leaf] for leaf, local in zip(leaves, partials, strict=True))
    scale = sum(absolute_terms(root).get(leaf, 0.0) * tangents[leaf] for leaf in leaves)
    assert tinygraph.jvp(root, tangents) == pytest.approx(total, rel=1e-12, abs=1e-12 * scale)


@given(program=graphs())
def test_gradients_as_nodes_have_the_same_numbers(program):
    root, leaves = program.record()
    scale = [absolute_terms(root).get(leaf, 0.0) for leaf in leaves]
    nodes = tinygraph.grad(root, leaves, create_graph=True)
    assert all(isinstance(node, Value) for node in nodes)
    agree([node.data for node in nodes], tinygraph.grad(root, leaves), scale)


@given(program=graphs())
def test_gradients_agree_with_differences(program):
    check = tinygraph.check_grad(program, *program.at)
    assert check, str(check)


@given(program=graphs(max_steps=5))
def test_the_hessian_is_symmetric_and_the_slope_of_the_gradient(program):
    root, leaves = program.record()
    hessian = tinygraph.hessian(root, leaves)
    first = tinygraph.grad(root, leaves, create_graph=True)
    for i, row in enumerate(hessian):
        for j, entry in enumerate(row):
            scale = absolute_terms(first[i]).get(leaves[j], 0.0) + absolute_terms(first[j]).get(leaves[i], 0.0)
            assert entry == pytest.approx(hessian[j][i], rel=1e-9, abs=1e-9 * scale + 1e-300)


@given(program=graphs(), seed=seeds)
def test_twice_is_once(program, seed):
    root, _ = program.record()
    root.backward(seed=seed)
    first = [repr(node.grad) for node in order(root)]
    root.backward(seed=seed)
    assert [repr(node.grad) for node in order(root)] == first


@given(program=graphs(), times=st.integers(1, 4))
def test_accumulating_adds_passes_on_leaves_only(program, times):
    root, leaves = program.record()
    root.backward()
    once = {node: node.grad for node in order(root)}
    for leaf in leaves:
        leaf.grad = None
    for _ in range(times):
        root.backward(accumulate=True)
    for node in order(root):
        expected = once[node]
        if node.op is None and expected is not None:
            expected = math.fsum([expected] * times)
        assert node.grad == (None if expected is None else pytest.approx(expected, rel=1e-15))


# --- the functions


def test_grad_takes_one_or_several_and_touches_no_grad():
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    y = a * b
    assert tinygraph.grad(y, a) == 3.0
    assert tinygraph.grad(y, [a, c, b]) == [3.0, 0.0, 2.0]
    assert tinygraph.grad(y, (a,)) == [3.0]
    assert tinygraph.grad(y, y) == 1.0
    assert tinygraph.grad(y, a, seed=2.0) == 6.0
    assert a.grad is b.grad is y.grad is None
    zero = tinygraph.grad(y, c, create_graph=True)
    assert zero.data == 0.0
    assert zero.constant


@pytest.mark.parametrize("size", range(1, 7))
def test_data_in_a_dot_product_has_no_partial(size):
    weights, data = [Value(float(i)) for i in range(size)], [3.0] * size
    for node in (tinygraph.dot(weights, data), copy.copy(tinygraph.dot(weights, data))):
        assert node.partials == (*[3.0] * size, *[None] * size)
        first = tinygraph.grad(node, weights, create_graph=True)
        assert [local.data for local in first] == data


@pytest.mark.parametrize("seed", [0.5, 1.0, 2.0, -1.0])
def test_a_seed_multiplies_gradients_as_nodes_too(seed):
    x = Value(3.0)
    assert tinygraph.grad(x * x, x, seed=seed, create_graph=True).data == seed * 6.0
    assert tinygraph.grad(x + x, x, seed=seed, create_graph=True).data == seed * 2.0


def test_no_factor_of_one_clutters_a_derivative_graph():
    x, y = Value(2.0), Value(3.0)
    first = tinygraph.grad(x * y + x, x, create_graph=True)
    assert [node.op.name for node in order(first) if node.op] == ["add"]
    power = tinygraph.exp(x + y)
    assert [node.op.name for node in order(tinygraph.grad(power, x, create_graph=True)) if node.op] == ["exp", "add"]


def _as_values(values):
    return [Value(x) for x in values]


def _as_tensors(values):
    return [Tensor(np.full((2, 2), x)) for x in values]


@pytest.mark.parametrize("leaves", [_as_values, _as_tensors])
def test_a_derivative_is_a_node_of_its_own(leaves):
    """The derivative of x * y was y itself, so its name and its later edits were those of y."""
    x, y, z = leaves([2.0, 3.0, 5.0])
    c = type(y)(np.float64(4.0) if isinstance(y, Value) else np.full((2, 2), 4.0), constant=True)
    power, total = tinygraph.exp(x + y), x + z
    for root in (x * y, power, x * z, c * x, total * y, power * y, x * 2.0, total, x):
        scalar = root if isinstance(root, Value) else root.sum()
        existing = order(scalar)
        names = [node.name for node in existing]
        xs = [x, y, x, z, total, power, *existing]
        firsts = tinygraph.grad(scalar, xs, create_graph=True)
        again = [tinygraph.grad(scalar, node, create_graph=True) for node in xs]
        assert len({id(node) for node in [*existing, *firsts, *again]}) == len({*existing}) + 2 * len(xs)
        for i, (node, first, single) in enumerate(zip(xs, firsts, again, strict=True)):
            first.name = f"derivative {i}"
            expected = tinygraph.grad(scalar, node)
            assert np.array_equal(first.data, expected)
            assert np.array_equal(single.data, expected)
        assert [node.name for node in existing] == names


def test_a_separate_derivative_is_differentiated_recomputed_and_compiled():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    first, power = tinygraph.grad(x * y, x, create_graph=True), tinygraph.exp(x + y)
    assert tinygraph.grad(first, [x, y]) == [0.0, 1.0]
    assert tinygraph.hessian(x * y, [x, y]) == [[0.0, 1.0], [1.0, 0.0]]
    assert tinygraph.hessian(power, [x, y]) == [[power.data] * 2] * 2
    rate = tinygraph.grad(power, x, create_graph=True)
    compiled = tinygraph.compile(first, [x, y])
    assert compiled(5.0, 7.0) == (7.0, (0.0, 1.0))
    with tinygraph.scope("derivative"):
        inside = tinygraph.grad(power, y, create_graph=True)
    assert inside.scope == ("derivative",)
    assert rate.scope == ()
    y.data = 4.0
    with pytest.raises(StaleGraphError):
        rate.backward()
    assert first.forward().data == 4.0
    assert rate.forward().data == math.exp(6.0)
    assert y.name == "y"
    assert power.name == ""


def test_a_tangent_that_is_given_stands():
    """A tangent can also be given for a computed node; the tangents of its operands then do not matter."""
    x = Value(2.0)
    square = x * x
    assert tinygraph.jvp(square * 3.0, {x: 1.0, square: 5.0}) == 15.0
    assert tinygraph.jvp(square * x, {x: 1.0}) == 12.0


@pytest.mark.parametrize("bad", [1.0, "x", None])
def test_what_is_no_node_is_refused(bad):
    x = Value(1.0)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(bad, x)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(x, [bad])
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(x, bad)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.jvp(bad, {x: 1.0})
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.jvp(x, {bad: 1.0})


def test_derivatives_of_every_order():
    x = Value(0.5)
    y = tinygraph.exp(x) * tinygraph.sin(x)
    for k in range(1, 9):
        y = tinygraph.grad(y, x, create_graph=True)
        expected = math.exp(0.5) * math.sqrt(2) ** k * math.sin(0.5 + k * math.pi / 4)
        assert y.data == pytest.approx(expected, rel=1e-13)


@settings(max_examples=30)
@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_value_and_grad_in_the_words_of_jax(x, y):
    f = lambda a, b: a * b + a  # noqa: E731
    assert tinygraph.value_and_grad(f)(x, y) == (x * y + x, y + 1.0)
    assert tinygraph.value_and_grad(f, argnums=1)(x, y) == (x * y + x, x)
    assert tinygraph.value_and_grad(f, argnums=(0, 1))(x, y) == (x * y + x, (y + 1.0, x))
    nested = lambda p: p["w"][0] * p["w"][1] + p["b"]  # noqa: E731
    assert tinygraph.value_and_grad(nested)({"w": [x, y], "b": 1.0}) == (x * y + 1.0, {"w": [y, x], "b": 1.0})
    assert tinygraph.value_and_grad(lambda a: Value(2.0, constant=True))(x) == (2.0, 0.0)
    assert tinygraph.value_and_grad(lambda a, *, k: a * k)(x, k=3.0) == (x * 3.0, 3.0)
    with pytest.raises(ValueError, match="argnums is 1, but the function got 1 positional argument,"):
        tinygraph.value_and_grad(f, argnums=1)(x)


@pytest.mark.parametrize("x", [1.0, [1.0, 2.0], np.ones(2), Value(1.0), Tensor([1.0, 2.0])])
@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: 2.0, r"2\.0 \(float\), which is not connected to the arguments: .* not with their \.data"),
        (lambda x: 3, r"3 \(int\), which is not connected"),
        (lambda x: np.float64(2.0), r"np\.float64\(2\.0\) \(float64\), which is not connected"),
        (lambda x: np.sum((x[0] if isinstance(x, list) else x).data), r".*, which is not connected"),
        (lambda x: np.ones(2), r"array\(\[1\., 1\.\]\) \(ndarray\), which is not connected to the arguments"),
        (lambda x: None, r"None \(NoneType\): return one scalar"),
        (lambda x: (1.0, 2.0), r"\(1\.0, 2\.0\) \(tuple\): return one scalar"),
        (lambda x: "a", r"'a' \(str\): return one scalar"),
        (
            lambda x: np.array(Value(1.0), dtype=object),
            r"array\(.* \(ndarray\), an array of objects: .* result\.sum\(\)$",
        ),
        (lambda x: np.array([Value(1.0)] * 2), r"array\(.* \(ndarray\), an array of objects: .* result\.sum\(\)$"),
    ],
)
def test_the_gradient_of_a_function_that_cuts_the_graph_is_refused(f, message, x):
    kind = "Tensor" if isinstance(x, (np.ndarray, Tensor)) else "Value"
    with pytest.raises(TypeError, match=rf"^f must return a {kind}, but returned {message}"):
        tinygraph.value_and_grad(f)(x)


def test_the_sum_that_the_message_about_objects_names_is_differentiated():
    f = lambda x: np.array([x * 2, x * x], dtype=object)  # noqa: E731
    with pytest.raises(TypeError, match=r"return one of them, or their sum, result\.sum\(\)"):
        tinygraph.value_and_grad(f)(3.0)
    assert tinygraph.value_and_grad(lambda x: f(x).sum())(3.0) == (15.0, 8.0)
    assert tinygraph.value_and_grad(lambda x: f(x)[1])(3.0) == (9.0, 6.0)


def data_of(x):
    """The plain numbers of an input, as a program would get them."""
    return x.data if isinstance(x, (Value, Tensor)) else np.array([node.data for node in x])


@pytest.mark.parametrize("x", [1.5, [1.0, 2.0], np.ones(2), Value(1.0), Tensor([1.0, 2.0])])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: Value(np.sum(data_of(x))) ** 2,
        lambda x: Value(np.sum(data_of(x))),
        lambda x: Tensor(data_of(x)).sum(),
        lambda x: (Tensor(data_of(x)) * 0.0).sum(),  # a gradient of 0 in the graph of the new node too
    ],
)
def test_a_function_that_wraps_the_data_of_its_arguments_again_is_refused(f, x):
    with pytest.raises(TypeError, match=r"^f returned .*, whose graph contains none of the arguments: .*detach\(\)$"):
        tinygraph.value_and_grad(f)(x)
    value, gradient = tinygraph.value_and_grad(lambda x: f(x).detach())(x)
    assert value == f(x if isinstance(x, (Value, Tensor)) else np_nodes(x)).item()
    assert not np.any(gradient)


def np_nodes(x):
    return [Value(number) for number in x] if isinstance(x, list) else Value(x) if isinstance(x, float) else Tensor(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, c: x * 0.0 + c,
        lambda x, c: tinygraph.relu(x - 100.0) + c,
        lambda x, c: tinygraph.floor(x) * c,
        lambda x, c: x.detach() * 2.0,
        lambda x, c: c * c,  # another argument is in the graph
        lambda x, c: type(c)(1.0, constant=True) * 2.0,
    ],
)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_gradient_that_is_zero_is_not_refused(f, kind):
    x, c = kind(1.5), kind(2.0)
    value, gradient = tinygraph.value_and_grad(f)(x, c)
    assert gradient == 0.0
    assert value == f(x, c).item()
    assert tinygraph.value_and_grad(f, argnums=(1, 0))(x, c)[1][1] == 0.0


def test_grad_and_jvp_with_respect_to_a_node_outside_the_graph_give_zero():
    x, y = Value(2.0), Value(3.0)
    assert tinygraph.grad(y * y, x) == 0.0
    assert tinygraph.jvp(y * y, {x: 1.0}) == 0.0


def test_grad_of_a_function_names_value_and_grad():
    with pytest.raises(TypeError, match=r"^grad: y must be a node .*: value_and_grad\(f\) differentiates a function$"):
        tinygraph.grad(lambda x: x * x, 2.0)


def test_what_a_gradient_starts_from_is_said_by_name():
    x = Value(2.0)
    with pytest.raises(TypeError):
        tinygraph.grad(x * x, x, 3.0)
    assert tinygraph.grad(x * x, x, seed=3.0) == 12.0


@given(program=graphs())
def test_blocks_of_any_size_give_the_same_gradients(program):
    root, leaves = program.record()
    expected = repr(tinygraph.grad(root, leaves))
    with pytest.MonkeyPatch.context() as patch:
        for size in (1, 2, 5):
            patch.setattr(autodiff, "BLOCK", size)
            assert repr(tinygraph.grad(root, leaves)) == expected


def test_an_edit_between_two_contributions_is_noticed():
    x = Value(2.0)
    steps = propagate(x * x * 3.0, 1.0, {})
    next(steps)
    x.data = 5.0
    with pytest.raises(StaleGraphError, match="was edited after this graph was recorded"):
        exhaust(steps)


def test_an_edit_of_a_constant_array_between_two_contributions_is_noticed():
    c, x = np.array([1.0, 2.0]), Tensor([3.0, 4.0])
    steps = propagate((x * c).sum(), np.array(1.0), {})
    next(steps)
    c[0] = 5.0
    with pytest.raises(StaleGraphError, match="a constant array was edited in place"):
        exhaust(steps)
