"""Compiled functions: the values and gradients of the graph, in the shapes of the inputs."""

import math
import random
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles import families
from tests.oracles.families import FAMILIES, flat
from tests.vectorizing.agreement import absolute_terms, assert_close, flattened, numbers
from tinygraph import Value
from tinygraph.engine import backward
from tinygraph.engine.graph import order
from tinygraph.functional import numbers_of
from tinygraph.kernels import arrays


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_compiled_functions_follow_new_numbers(family):
    """A function that was compiled at one point agrees with forward() and backward() at other points."""
    J, inputs = family()
    f = tinygraph.compile(J, inputs)
    gauss = random.Random(1).gauss
    for _ in range(3):
        for leaf in flat(inputs):
            leaf.data = leaf.data + gauss(0.0, 0.05)
        J.forward().backward()
        sizes = absolute_terms(J)
        value, gradients = f(*numbers(inputs))
        assert_close(value, J.data, sum(abs(node.data) * sizes[node] for node in order(J)), "value")
        for leaf, ours in zip(flat(inputs), flattened(gradients), strict=True):
            assert_close(ours, leaf.grad or 0.0, sizes[leaf] * (1 + abs(leaf.data)), leaf)


def test_inputs_that_do_not_fit_are_refused():
    w, b = [Value(1.0), Value(2.0)], Value(3.0)
    y = w[0] * w[1] + b
    f = tinygraph.compile(y, [w, b])
    for inputs, error, text in [
        ([w, w[0]], ValueError, "an input twice"),
        ([y], ValueError, "is a computed node"),
        ([w, 3.0], TypeError, "must be a Value, or a sequence"),
        ([[]], ValueError, "contains no nodes"),
        ("w", TypeError, "inputs must be a leaf of the graph"),
        (5, TypeError, "inputs must be a leaf of the graph, or a sequence of leaves, not 5"),
    ]:
        with pytest.raises(error, match=text):
            tinygraph.compile(y, inputs)
    with pytest.raises(TypeError, match="2 input"):
        f([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(3,\), but its nodes have shape \(2,\)"):
        f([1.0, 2.0, 3.0], 1.0)
    for wrong in (["a", "b"], ["1", "2"], [None, 1.0], [w[0], w[1]]):
        with pytest.raises(TypeError, match=r"inputs\[0\]"):
            f(wrong, 1.0)


def test_one_input_gives_one_gradient():
    x = Value(3.0)
    value, local = tinygraph.compile(x * x, x)(4.0)
    assert (value, local) == (16.0, 8.0)
    assert type(local) is float


def test_inputs_of_any_nesting_come_back_in_their_shapes():
    J, inputs = families.two_moons()
    f = tinygraph.compile(J, [inputs[:2], inputs[2:]])  # two lists of matrices and vectors
    value, ((W1, b1), (W2, b2, W3, b3)) = f(numbers(inputs[:2]), numbers(inputs[2:]))
    assert [np.shape(g) for g in (W1, b1, W2, b2, W3, b3)] == [(4, 2), (4,), (3, 4), (3,), (1, 3), (1,)]
    assert value == pytest.approx(J.data, rel=1e-12)
    with pytest.raises(ValueError, match="parts of different shapes"):
        f([1.0], numbers(inputs[2:]))


def test_an_input_that_is_not_reached_has_gradient_zero():
    x, y = Value(1.0), [Value(2.0), Value(3.0)]
    value, (dx, dy) = tinygraph.compile(x.exp(), [x, y])(0.0, [1.0, 1.0])
    assert (value, dx, dy.tolist()) == (1.0, 1.0, [0.0, 0.0])


def test_other_leaves_keep_their_numbers():
    x, c = Value(1.0), Value(5.0)
    f = tinygraph.compile(x * c, x)
    c.data = 7.0
    assert f(2.0) == (10.0, 5.0)


def test_data_can_be_an_input():
    w, data = [Value(0.5), Value(-0.5)], [[Value(1.0, constant=True), Value(2.0, constant=True)] for _ in range(3)]
    J = sum((w[0] * x + w[1] * y).tanh() for x, y in data)
    f = tinygraph.compile(J, [w, data])
    rows = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    value, (dw, ddata) = f([1.0, 2.0], rows)
    assert value == pytest.approx(sum(math.tanh(x + 2.0 * y) for x, y in rows), rel=1e-14)
    assert dw == pytest.approx(np.array(rows).T @ [1 - math.tanh(x + 2.0 * y) ** 2 for x, y in rows])
    assert not ddata.any()  # constants have no gradient


def test_results_are_arrays_of_ones_own():
    x = [Value(float(i)) for i in range(4)]
    J = sum(x_i * c for x_i, c in zip(x, [1.0, 2.0, 3.0, 4.0], strict=True))
    f = tinygraph.compile(J, [x])
    given_numbers = np.zeros(4)
    _, (partials,) = f(given_numbers)
    partials[:] = 99.0
    assert f(given_numbers)[1][0].tolist() == [1.0, 2.0, 3.0, 4.0]
    y = [Value(1.0), Value(2.0)]
    _, (partials,) = tinygraph.compile(0.5 * (y[0] * y[0] + y[1] * y[1]), [y])(ours := np.array([3.0, 4.0]))
    partials[0] = 5.0
    assert ours.tolist() == [3.0, 4.0]


def test_special_values_are_those_of_the_graph():
    x, y = Value(1.0), Value(2.0)
    J = x / y + y.log()
    f = tinygraph.compile(J, [x, y])
    for at in ((1.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (math.inf, 2.0), (1e308, 1e-308), (math.nan, 1.0)):
        x.data, y.data = at
        J.forward().backward()
        value, partials = f(*at)
        for ours, exact in zip((value, *partials), (J.data, x.grad, y.grad), strict=True):
            assert ours == exact or (math.isnan(ours) and math.isnan(exact))


def test_an_op_of_the_user_is_compiled():
    cube = tinygraph.op("cube_of_mine", lambda x: x * x * x, partials=(lambda out, x: 3.0 * x * x,))
    xs = [Value(1.0), Value(2.0)]
    f = tinygraph.compile(cube(xs[0]) + cube(xs[1]) + cube(xs[0] * xs[1]), [xs])
    value, (partials,) = f([1.0, 3.0])
    assert (value, partials.tolist()) == (55.0, [3.0 + 3 * 9.0 * 3.0, 27.0 + 3 * 9.0])
    known = tinygraph.source(cube(xs[0])).run()
    assert (known["J"], known["dp1"]) == (1.0, 3.0)


@given(x=st.lists(st.floats(allow_nan=True), min_size=1, max_size=9))
def test_what_is_computed_at_once_has_the_same_bits(x):
    """sigmoid(x) and sigmoid(-x) from one exponential equal those from two."""
    x = np.array(x)
    for ours, alone in zip(arrays.sigmoid_and_rest(x), (arrays.sigmoid(x), arrays.sigmoid(-x)), strict=True):
        assert np.array_equal(ours, alone, equal_nan=True)


def test_a_compiled_function_does_not_keep_the_graph():
    x = Value(1.0)
    y = x.exp().sin()
    f = tinygraph.compile(y, x)
    references = sys.getrefcount(x)
    del y
    assert sys.getrefcount(x) == references - 1  # that of x.exp(), which is freed together with y
    assert f(0.0)[1] == math.cos(1.0)


def test_long_programs_are_replayed(monkeypatch):
    monkeypatch.setattr("tinygraph.vectorizing.compiling.LONGEST", 10)
    for family in (families.recurrence, families.no_structure):
        J, inputs = family()
        f = tinygraph.compile(J, inputs)
        assert f.text == ""
        value, gradients = f(*numbers(inputs))
        J.backward()
        assert value == J.data
        assert flattened(gradients) == [leaf.grad for leaf in flat(inputs)]


def test_a_call_in_a_pass_and_a_pass_in_a_call_do_not_wait_for_each_other(monkeypatch):
    x = Value(2.0)
    monkeypatch.setattr("tinygraph.vectorizing.compiling.LONGEST", 0)  # calls recompute the graph
    f = tinygraph.compile(x.exp() * x, [x])
    begun, called, results = threading.Event(), threading.Event(), []

    class Calling(float):
        def __rmul__(self, other):
            begun.set()
            called.wait(5.0)
            threads[0].join(0.05)
            with pytest.raises(RuntimeError, match="within a backward pass"):
                f(2.0)
            return other * float(self)

    root = x * 3.0
    root.x_partial = Calling(3.0)

    def call():
        begun.wait(5.0)
        called.set()
        results.append(f(2.0))

    runs = (call, root.backward)
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
        assert not thread.is_alive()
    assert results == [f(2.0)]
    assert x.grad == 3.0


def test_a_call_after_an_interrupted_clean_up_is_right(monkeypatch):
    """Ctrl-C can come twice: during a pass, and again while the pass is undone."""
    x = Value(2.0)
    y = x * x
    monkeypatch.setattr("tinygraph.vectorizing.compiling.LONGEST", 0)
    f = tinygraph.compile(y, [x])
    backward._unfinished.append(y)
    assert f(3.0) == (9.0, (6.0,))
    assert backward._unfinished == []


@pytest.mark.parametrize("longest", [0, 1000])
def test_threads_call_a_compiled_function_with_their_own_numbers(longest, monkeypatch):
    x = Value(2.0)
    monkeypatch.setattr("tinygraph.vectorizing.compiling.LONGEST", longest)
    f = tinygraph.compile(x * x * x, [x])
    wrong, barrier = [], threading.Barrier(3)

    def call(start):
        barrier.wait(5.0)
        for k in range(start, 300, 3):
            if f(float(k)) != (float(k**3), (3.0 * k**2,)):
                wrong.append(k)

    threads = [threading.Thread(target=call, args=(k,), daemon=True) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
        assert not thread.is_alive()
    assert wrong == []


def test_inputs_are_nested_like_those_of_value_and_grad():
    def loss(p, x):
        return (p["w"][0] * x[0] + p["w"][1] * x[1]).exp() * p["b"] + p["more"][0][0] * p["more"][1]

    numbers = {"w": [0.5, -0.25], "b": 2.0, "more": ([3.0], 4.0)}, [1.5, 1.0]
    wanted, gradient = tinygraph.value_and_grad(loss, (0, 1))(*numbers)
    p = {"w": [Value(1.0), Value(1.0)], "b": Value(1.0), "more": ([Value(1.0)], Value(1.0))}
    x = [Value(1.0), Value(1.0)]
    f = tinygraph.compile(loss(p, x), [p, x])
    value, gradients = f(*numbers)
    assert value == pytest.approx(wanted, rel=1e-15)
    assert gradients[0].keys() == p.keys()
    flat = [np.ravel(entry) for entry in numbers_of(gradients)]
    assert np.concatenate(flat) == pytest.approx([*numbers_of(gradient)], rel=1e-14)
    other_order = dict(reversed(numbers[0].items()))
    assert f(other_order, numbers[1])[0] == value
    with pytest.raises(ValueError, match=r"inputs\[0\] must be a dict with the keys 'w', 'b', 'more', got \{'w'"):
        f({"w": [1.0, 2.0]}, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"\['more'\] has parts of different .*, so it needs 2 parts, got 1.0"):
        f({**numbers[0], "more": 1.0}, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"inputs\[0\]\['w'\] has shape \(3,\), but its nodes have shape \(2,\)"):
        f({**numbers[0], "w": [1.0, 2.0, 3.0]}, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"inputs\[0\]\['w'\] must be a Value, or a sequence or dict of .*, not 1.0"):
        tinygraph.compile(loss(p, x), [{"w": 1.0}])
    with pytest.raises(ValueError, match=r"inputs\[0\] contains no nodes"):
        tinygraph.compile(loss(p, x), [{}])
