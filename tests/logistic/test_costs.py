"""The lecture's costs: their formulas, their gradients in closed form, and three implementations that agree."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tests.logistic.problems import close, examples, features, losses, table_of
from tinygraph import Tensor, Value, testing
from tinygraph.engine.graph import order
from tinygraph.logistic import no_loop, one_loop, two_loops


@losses
@given(drawn=examples())
def test_cost_and_gradient_are_those_of_the_closed_form(loss, drawn):
    X, Y, w, b = drawn
    assume(np.abs(np.array(X) @ w + b).max() < 12)  # beyond 12, 1 - a has few correct digits in either computation
    ws, bv = [Value(x) for x in w], Value(b)
    J = two_loops(ws, bv, X, Y, loss)
    partials = tinygraph.grad(J, [*ws, bv])
    Xn, Yn = np.array(X), np.array(Y)
    A = 1 / (1 + np.exp(-(Xn @ w + b)))
    if loss == "squared_error":
        expected, dZ = 0.5 * (A - Yn) ** 2, (A - Yn) * A * (1 - A)
    else:
        expected, dZ = -(Yn * np.log(A) + (1 - Yn) * np.log1p(-A)), A - Yn
    assert J.data == pytest.approx(expected.mean(), rel=1e-9)
    assert partials[:-1] == pytest.approx(((Xn.T @ dZ) / len(Y)).tolist(), rel=1e-9, abs=1e-12)
    assert partials[-1] == pytest.approx(dZ.mean(), rel=1e-9, abs=1e-12)


@losses
def test_the_graph_has_the_lectures_names(loss):
    w, b = [Value(0.1, "w1"), Value(0.2, "w2")], Value(0.3, "b")
    J = two_loops(w, b, [[1.0, 2.0]], [1], loss)
    names = [node.name for node in order(J) if node.name]
    a = [] if loss.endswith("logits") else ["a"]
    assert sorted(names) == sorted(["J", "loss", *a, "z", "w1", "w2", "b"])


def test_dz_comes_out_as_a_minus_y():
    w, b = [Value(0.5)], Value(-0.25)
    J = two_loops(w, b, [[2.0]], [1])
    J.backward()
    nodes = {node.name: node for node in order(J) if node.name}
    assert nodes["z"].grad == pytest.approx(nodes["a"].data - 1.0, rel=1e-15)


def test_bad_examples_are_refused():
    w, b = [Value(0.0)], Value(0.0)
    with pytest.raises(ValueError, match="at least one example"):
        two_loops(w, b, [], [])
    with pytest.raises(ValueError, match="2 examples and Y has 1 label:"):
        two_loops(w, b, [[1.0], [2.0]], [1])
    with pytest.raises(ValueError, match="loss must be one of"):
        two_loops(w, b, [[1.0]], [1], "hinge")


# --- three implementations of one model


@st.composite
def vectorized(draw):
    """Draw parameters, X (n, m) and Y (1, m) of a model whose activations stay away from 0 and 1."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    X = draw(testing.arrays((n, m), elements=features))
    Y = draw(testing.arrays((1, m), elements=st.sampled_from([0.0, 1.0])))
    w, b = draw(testing.arrays((n, 1), elements=features)), draw(features)
    assume(np.abs(w.T @ X + b).max() < 12)
    return w, b, X, Y


def implementations(w, b, X, Y, loss):
    """Yield the cost and its parameters, with two loops, with one, and without loops."""
    ws, bv = [Value(x, f"w{j + 1}") for j, x in enumerate(w.ravel())], Value(b, "b")
    yield two_loops(ws, bv, X.T.tolist(), Y.ravel().tolist(), loss), ws, bv
    for cost in (one_loop, no_loop):
        wt, bt = Tensor(w, "w"), Tensor(b, "b")
        yield cost(wt, bt, X, Y, loss), wt, bt


def named(J):
    """Return the nodes of each name, in the order of the examples."""
    found = {}
    for node in reversed(order(J)):
        if node.name:
            found.setdefault(node.name, []).append(node)
    return found


def check_implementations(loss, w, b, X, Y):
    m = X.shape[1]
    (J2, ws, bv), (J1, w1, b1), (J0, w0, b0) = implementations(w, b, X, Y, loss)
    nodes = [named(J) for J in (J2, J1, J0)]
    names = {"J", "loss", "z"} if loss.endswith("logits") else {"J", "loss", "a", "z"}
    assert all(names <= found.keys() for found in nodes)
    for J in (J2, J1, J0):
        J.backward()
    for name in names:
        loops, one, none = (found[name] for found in nodes)
        count = 1 if name == "J" else m
        assert (len(loops), len(one), len(none)) == (count, count, 1)
        assert {node.op for node in (*loops, *one)} == {none[0].op}
        assert none[0].shape == (() if name == "J" else (1, m))
        by_example = sorted_by_example(J2, name, X, Y) if name != "J" else loops
        size = np.max(np.abs(X)) if name == "z" else 1.0
        assert close([node.data for node in by_example], none[0].data.ravel(), size)
        local = none[0].grad.ravel()
        assert close([node.grad for node in by_example], local, np.max(np.abs(local), initial=1e-3))
    size = np.max(np.abs(X), initial=1.0)
    assert close([x.grad for x in ws], w0.grad.ravel(), size)
    assert close(w1.grad, w0.grad, size)
    assert close([bv.grad, b1.grad], [b0.grad] * 2)
    assert (w0.grad.shape, b0.grad.shape) == (w0.shape, ())


def sorted_by_example(J, name, X, Y):
    """Return the nodes of each example; the sum J = L1 + L2 + ... is read from the last loss to the first."""
    m = X.shape[1]
    total, found = J.args[0], []
    for _ in range(m - 1):
        total, L = total.args
        found.append(L)
    node_of = {"loss": lambda L: L, "a": lambda L: L.args[0]}
    node_of["z"] = lambda L: L.args[0].args[0] if L.args[0].name == "a" else L.args[0]
    return [node_of[name](L) for L in [*found, total][::-1]]


@losses
@given(drawn=vectorized())
def test_implementations_of_one_model_have_the_same_nodes_numbers_and_gradients(loss, drawn):
    check_implementations(loss, *drawn)


@losses
def test_implementations_agree_on_the_real_table(loss):
    check_implementations(loss, *table_of(40))


def test_shapes_that_are_not_the_lectures_are_refused():
    w, b = Tensor([[0.0], [0.0]], "w"), Tensor(0.0, "b")
    for cost in (one_loop, no_loop):
        with pytest.raises(ValueError, match=r"\(n, 1\) and \(n, m\), not \(2, 1\) and \(3, 2\)"):
            cost(w, b, np.ones((3, 2)), np.ones((1, 2)))
        with pytest.raises(ValueError, match=r"Y has shape \(2,\), but for 2 examples its shape must be \(1, 2\)"):
            cost(w, b, np.ones((2, 2)), np.ones(2))
        with pytest.raises(ValueError, match="at least one example"):
            cost(w, b, np.ones((2, 0)), np.ones((1, 0)))


@losses
@given(drawn=examples(), data=st.data())
def test_weights_and_regularization_have_one_definition(loss, drawn, data):
    X, Y, w, b = drawn
    assume(np.abs(np.array(X) @ w + b).max() < 12)
    weights = data.draw(st.lists(st.floats(0.1, 5.0), min_size=len(Y), max_size=len(Y)))
    C = data.draw(st.floats(0.1, 10.0))
    losses_of = np.array(
        [two_loops([Value(x) for x in w], Value(b), [x], [y], loss).data for x, y in zip(X, Y, strict=True)]
    )
    expected = (np.dot(weights, losses_of) + np.dot(w, w) / (2.0 * C)) / np.sum(weights)
    ws, bv = [Value(x) for x in w], Value(b)
    J = two_loops(ws, bv, X, Y, loss, sample_weight=weights, C=C)
    J.backward()
    assert J.name == "J"
    assert J.data == pytest.approx(expected, rel=1e-12)
    for cost in (one_loop, no_loop):
        column, bias = Tensor(np.reshape(w, (-1, 1))), Tensor(b)
        again = cost(column, bias, np.transpose(X), [Y], loss, sample_weight=[weights], C=C)
        again.backward()
        assert close(again.data, J.data)
        assert close(column.grad.ravel(), [w_j.grad for w_j in ws])
        assert close(bias.grad, bv.grad)


def test_bad_weights_and_strengths_are_refused():
    w, b, X, Y = Tensor([[1.0]]), Tensor(0.0), [[1.0, 2.0]], [[0, 1]]
    with pytest.raises(ValueError, match=r"sample_weight has shape \(2,\), but the shape of Y is \(1, 2\)"):
        no_loop(w, b, X, Y, sample_weight=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"C must be a positive number, not 0\.0"):
        no_loop(w, b, X, Y, C=0.0)
