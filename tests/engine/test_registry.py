"""What a user's functions return is checked, with an error that names the op."""

import math

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value, grad
from tinygraph.engine.registry import is_order

WRONG = {
    "None": None,
    "a string": "2.0",
    "a complex number": 2j,
    "a list": [2.0],
    "an array": np.ones(3),
    "a datetime": np.datetime64("2020-01-01", "ns"),
    "an object": object(),
    "a generator": (x for x in [2.0]),
    "a range": range(2),
    "a function": math.exp,
    "an exception": ValueError("2.0"),
    "NotImplemented": NotImplemented,
    "a huge int": 10**400,
    "a Value": Value(2.0),
    "a constant": Value(2.0, constant=True),
    "a Tensor": Tensor(2.0),
    "a longer Tensor": Tensor([2.0, 2.0]),
}


@pytest.mark.parametrize("result", WRONG.values(), ids=WRONG)
def test_a_wrong_result_names_the_op(result):
    wrong = tinygraph.op("of_floats", lambda x: result, partials=(lambda out, x: 1.0,))
    for use in (lambda: wrong(1.0), lambda: wrong(Value(1.0)), lambda: wrong(Tensor([1.0, 2.0]))):
        with pytest.raises((TypeError, OverflowError), match=r"floats of op 'of_floats'"):
            use()
    wrong = tinygraph.op("of_partials", lambda x: 2.0 * x, partials=(lambda out, x: result,))
    assert wrong(1.0) == 2.0
    with pytest.raises((TypeError, OverflowError), match=r"a partial of op 'of_partials'"):
        wrong(Value(1.0))
    with pytest.raises((TypeError, OverflowError), match=r"a partial of op 'of_partials'"):
        wrong(Tensor([1.0, 2.0])).sum().backward()
    wrong = tinygraph.op("of_arrays", lambda x: 2.0 * x, partials=(lambda out, x: 2.0,), arrays=lambda m, x: result)
    with pytest.raises(TypeError, match=r"arrays of op 'of_arrays'"):
        wrong(Tensor([1.0, 2.0]))


def later(result):
    """Return a function that returns 2.0 when a node is recorded, and a wrong result afterwards."""
    answers = iter([2.0])
    return lambda out, *operands: next(answers, result)


@pytest.mark.parametrize(
    "result", [None, "2.0", 2j, object(), np.ones(3), Tensor([1.0, 2.0, 3.0])], ids=lambda x: type(x).__name__
)
def test_a_wrong_result_is_refused_wherever_the_function_is_called(result):
    """The second call of the function comes from `forward`, from a derivative graph, or from generated code."""

    def recorded():
        x = Value(1.5)
        return x, tinygraph.op("of_later", lambda x: x, partials=(later(result),))(x)

    def replayed(x, y):
        x.data = 3.0
        y.forward()

    for use in (
        replayed,
        lambda x, y: grad(y, x, create_graph=True),
        lambda x, y: tinygraph.hessian(y, x),
        lambda x, y: tinygraph.source(y),
        lambda x, y: tinygraph.compile(y, [x])(2.0),
    ):
        x, y = recorded()
        with pytest.raises(TypeError, match=r"of op 'of_later'"):
            use(x, y)
    wrong = tinygraph.op("of_later_arrays", lambda x: x, partials=(lambda out, x: result,))
    A = Tensor([1.0, 2.0])
    for use in (
        lambda y: grad(y, A),
        lambda y: tinygraph.jvp(y, {A: np.ones(2)}),
        lambda y: y.args[0].partials,
    ):
        with pytest.raises(TypeError, match=r"of op 'of_later_arrays'"):
            use(wrong(A).sum())


@pytest.mark.parametrize("number", [2, 2.0, True, np.float64(2.0), np.array(2.0)], ids=lambda x: type(x).__name__)
def test_an_array_kernel_returns_an_array(number):
    """One number for two elements became a Tensor without axes, whose sum had one term."""
    one = tinygraph.op("number_of_mine", lambda x: 2.0, partials=(lambda out, x: 0.0,), arrays=lambda m, x: number)
    for use in (lambda: one(Tensor([1.0, 2.0])), lambda: one(np.ones(2))):
        with pytest.raises(TypeError, match=r"of op 'number_of_mine' must return an array of shape \(2,\)"):
            use()
    assert one(Tensor(1.0)).data == number
    assert one(Tensor(1.0)).shape == ()


@pytest.mark.parametrize("result", [None, "2.0", object(), np.ones(3), Value(2.0)], ids=lambda x: type(x).__name__)
def test_a_wrong_result_of_a_complex_function_names_the_op(result):
    wrong = tinygraph.op("of_analytic", lambda x: x, partials=(lambda out, x: 1.0,), analytic=lambda m, x: result)
    with pytest.raises(TypeError, match="analytic of op 'of_analytic' must return a number"):
        tinygraph.check_grad(wrong, 2.0)


def test_an_array_of_another_shape_is_refused():
    total = tinygraph.op(
        "total_of_mine", lambda x: x, partials=(lambda out, x: 1.0,), arrays=lambda m, x: x.sum() + x[:1]
    )
    with pytest.raises(TypeError, match=r"must return an array of shape \(3,\), but returned an array of shape \(1,\)"):
        total(Tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    "one", [1, True, np.float32(1.0), np.float64(1.0), np.array(1.0)], ids=lambda x: type(x).__name__
)
def test_numbers_of_other_types_become_floats(one):
    double = tinygraph.op("double_of_mine", lambda x: one + one, partials=(lambda out, x: one,))
    x = Value(3.0)
    y = double(x)
    y.backward()
    assert (type(y.data), y.data, type(x.grad), x.grad) == (float, 2.0, float, 1.0)
    t = Tensor([1.0, 2.0])
    double(t).sum().backward()
    assert t.grad.tolist() == [1.0, 1.0]


def test_an_op_of_two_operands_is_broadcast_and_differentiated_again():
    """A correct op works as before: on floats, Values and Tensors, of every order, and compiled."""
    norm = tinygraph.op(
        "norm_of_mine",
        math.hypot,
        partials=(lambda out, x, y: x / out, lambda out, x, y: y / out),
        arrays=lambda m, x, y: np.hypot(x, y),
    )
    x, y = Value(3.0), Value(4.0)
    assert grad(norm(x, y), [x, y]) == [0.6, 0.8]
    assert grad(grad(norm(x, y), x, create_graph=True), x) == pytest.approx(0.128)
    column, row = Tensor([[3.0], [6.0]]), Tensor([4.0, 8.0, 1.0])
    norm(column, row).sum().backward()
    assert (column.grad.shape, row.grad.shape) == ((2, 1), (3,))
    assert tinygraph.compile(norm(x, y), [x, y])(6.0, 8.0) == (10.0, (0.6, 0.8))


@pytest.mark.parametrize("wrong", [1j, np.datetime64("2020-01-01", "ns"), "a"], ids=["complex", "datetime", "text"])
def test_an_array_of_other_elements_is_refused(wrong):
    """A complex array became the value of a node."""
    twice = tinygraph.op(
        "array_of_mine", lambda x: x, partials=(lambda out, x: 1.0,), arrays=lambda m, x: np.full(x.shape, wrong)
    )
    with pytest.raises(TypeError, match=r"the result of arrays of op 'array_of_mine'"):
        twice(Tensor([1.0, 2.0]))
    wrong_partial = tinygraph.op("partial_of_mine", lambda x: x, partials=(lambda out, x: np.full(np.shape(x), wrong),))
    with pytest.raises(TypeError, match=r"a partial of op 'partial_of_mine'"):
        wrong_partial(Tensor([1.0, 2.0])).sum().backward()


def test_an_array_of_integers_becomes_floats():
    one = tinygraph.op(
        "one_of_mine", lambda x: 1.0, partials=(lambda out, x: 0.0,), arrays=lambda m, x: np.ones(x.shape, int)
    )
    assert one(Tensor([1.0, 2.0])).data.dtype == np.float64


@pytest.mark.parametrize(
    ("parameter", "accepted"),
    [(0, True), (1, True), (100, True), (-1, False), (101, False), (1.0, False), (True, False), ("1", False)],
)
def test_the_order_of_a_derivative_in_a_file_is_limited(parameter, accepted):
    assert is_order(parameter) is accepted
