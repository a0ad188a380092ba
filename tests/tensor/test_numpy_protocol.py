"""NumPy's operators, ufuncs and functions record on Tensors, or refuse."""

import operator
import re
from fractions import Fraction

import numpy as np
import pytest

import tinygraph
from tests.tensor.agreement import OPERATORS, same
from tinygraph import Tensor, Value
from tinygraph.engine import replay
from tinygraph.engine.more_ops.table import TABLE


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("turned", [False, True], ids=["tensor, array", "array, tensor"])
def test_every_operator_between_array_and_tensor_records(name, turned):
    A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5, 1.5], [2.5, 3.5]])
    operate = OPERATORS[name]
    x, y = (A, Tensor(B)) if turned else (Tensor(A), B)
    z = operate(x, y)
    assert isinstance(z, Tensor)
    assert z.op.name == name
    assert z.args[0] is x
    assert z.args[1] is y
    assert np.allclose(z.data, operate(A, B), rtol=1e-15)
    assert operate(Tensor(A), Tensor(B)).op.name == name
    if name != "matmul":
        for number in (2.0, 2, np.float64(2.0), np.int64(2), [[1.0, 2.0], [3.0, 4.0]]):
            pair = (number, Tensor(B)) if turned else (Tensor(A), number)
            plain = (np.asarray(number), B) if turned else (A, np.asarray(number))
            assert np.allclose(operate(*pair).data, operate(*plain), rtol=1e-15)


UFUNCS = [row for row in TABLE.values() if getattr(getattr(np, str(row.array_source), None), "nin", 0) == row.arity]


@pytest.mark.parametrize("row", UFUNCS, ids=lambda row: row.name)
def test_numpys_ufunc_records_the_row(row):
    z = getattr(np, row.array_source)(*[Tensor([0.25, 0.5])] * row.arity)
    assert isinstance(z, Tensor)
    assert z.op is row


def test_numpys_functions_record():
    W, b, X = Tensor(np.ones((3, 1)), "W"), Tensor(0.5, "b"), np.arange(12.0).reshape(3, 4)
    t = Tensor([[1.0, 2.0], [3.0, 5.0]])
    cases = [
        (np.dot(W.T, X) + b, np.ones((1, 3)) @ X + 0.5),
        (X.T @ W, X.T @ np.ones((3, 1))),
        (np.matmul(X.T, W), X.T @ np.ones((3, 1))),
        (np.dot(t, t), t.data @ t.data),
        (np.dot(t, 2.0), 2.0 * t.data),
        (np.dot(t[0], t[1]), np.array(13.0)),
        (np.dot(t, t[0]), t.data @ t.data[0]),
        (np.dot([[1.0, 2.0]], t), [[1.0, 2.0]] @ t.data),
        (np.dot(t, [1.0, 2.0]), t.data @ [1.0, 2.0]),
        (np.dot(np.array(2.0), t), 2.0 * t.data),
        (np.sum(t), np.sum(t.data)),
        (np.sum(t, axis=0), np.sum(t.data, axis=0)),
        (np.sum(t, 1, keepdims=True), np.sum(t.data, 1, keepdims=True)),
        (np.mean(t, axis=(0, 1)), np.mean(t.data)),
        (np.max(t, axis=-1), np.max(t.data, axis=-1)),
        (np.amin(t), np.min(t.data)),
        (np.transpose(t), t.data.T),
        (np.transpose(t, (1, 0)), t.data.T),
        (t.transpose(np.int64(-1), np.int64(0)), t.data.T),
        (t[0].transpose(0), t.data[0]),
        (np.reshape(t, (4, 1)), t.data.reshape(4, 1)),
        (np.reshape(t, -1), t.data.reshape(-1)),
        (np.concatenate([t, np.ones((1, 2))]), np.concatenate([t.data, np.ones((1, 2))])),
        (np.concatenate([np.ones((2, 1)), t], axis=1), np.concatenate([np.ones((2, 1)), t.data], axis=1)),
        (np.stack([t[0], np.ones(2)], axis=-1), np.stack([t.data[0], np.ones(2)], axis=-1)),
        (tinygraph.concatenate([t, t], axis=-1), np.concatenate([t.data, t.data], axis=-1)),
        (tinygraph.stack([t, t]), np.stack([t.data, t.data])),
    ]
    for ours, theirs in cases:
        assert isinstance(ours, Tensor)
        assert ours.op is not None
        assert same(ours.data, np.asarray(theirs))
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((2, 2), 2, 4)


OPTIONS = {
    "out": (np.zeros(1), "out=array([0.]) (ndarray): the result is a new node, so leave it out"),
    "where": (np.array([True]), "where=array([ True]) (ndarray): use tinygraph.where(mask, result, other)"),
    "dtype": (np.float32, "dtype=<class 'numpy.float32'> (type): the elements are float64, so leave it out"),
    "casting": ("unsafe", "casting='unsafe' (str): leave it out"),
    "signature": (
        "d->d",
        "signature='d->d' (str): this argument is not supported, so pass {x}.data if you need no gradient",
    ),
}


@pytest.mark.parametrize("kind", ["Tensor", "Value"])
@pytest.mark.parametrize("option", OPTIONS)
def test_an_argument_of_a_ufunc_that_is_not_understood_is_named(option, kind):
    value, message = OPTIONS[option]
    x = {"Tensor": Tensor([[2.0, 1.0], [1.0, 3.0]]), "Value": Value(2.0)}[kind]
    for call in (lambda **o: np.exp(x, **o), lambda **o: np.add(x, 1.0, **o), lambda **o: np.maximum(1.0, x, **o)):
        with pytest.raises(TypeError) as caught:
            call(**{option: value})
        found = re.fullmatch(rf"np\.\w+ of a {kind} does not understand (.*)", str(caught.value))
        assert found[1] == message.format(x="t" if kind == "Tensor" else "x")


METHODS = {
    "add.reduce": (lambda t: np.add.reduce(t), "np.sum"),
    "multiply.reduce": (lambda t: np.multiply.reduce(t), "np.prod"),
    "maximum.reduce": (lambda t: np.maximum.reduce(t), "np.max"),
    "minimum.reduce": (lambda t: np.minimum.reduce(t), "np.min"),
    "add.accumulate": (lambda t: np.add.accumulate(t), "np.cumsum"),
    "multiply.accumulate": (lambda t: np.multiply.accumulate(t), "np.cumprod"),
    "multiply.outer": (lambda t: np.multiply.outer(t, t), "np.outer"),
    "subtract.reduce": (lambda t: np.subtract.reduce(t), "one of the functions on the page"),
    "add.at": (lambda t: np.add.at(t, [0], 1.0), "one of the functions on the page"),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_ufunc_names_the_function_that_computes_the_same(name):
    call, remedy = METHODS[name]
    t = Tensor([2.0, 3.0, 5.0])
    with pytest.raises(TypeError, match=rf"^np\.{re.escape(name)} does not work on a Tensor: use {re.escape(remedy)}"):
        call(t)
    if remedy.startswith("np."):  # the advice is right
        function, args = getattr(np, remedy[3:]), (t,) * (2 if name.endswith("outer") else 1)
        theirs = call(t.data)
        assert np.array_equal(function(*args).data, theirs)


@pytest.mark.parametrize("x", [Value(2.0), Tensor([2.0, 0.0])])
def test_where_needs_two_operands(x):
    for call in (lambda: np.where(x > 0, x), lambda: np.where(True, x), lambda: np.where(x, 1.0)):
        with pytest.raises(TypeError, match=r"^np\.where needs both x and y, or neither of them: write np\.where\("):
            call()
    with pytest.raises(TypeError, match=r"^np\.where with one argument returns the indices .* pass \.data"):
        np.where(x)


t, u, x = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), Value(2.0)
OF_NUMPY = {
    "a sum": lambda: np.sum([t, u]),
    "a mean": lambda: np.mean((t, u), axis=0),
    "an array": lambda: np.array([t, u]),
    "an array of scalars": lambda: np.array([t.sum(), u.sum()]),
    "a nested list": lambda: np.asarray([[t, 1.0], [u, 2.0]]),
    "a norm": lambda: np.linalg.norm([t, u]),
    "an operand": lambda: np.zeros(2) * [t[0], t[1]],
}
OF_TENSOR = {
    "a Tensor": lambda: Tensor([t[0], t[1]]),
    "a nested list": lambda: Tensor([[t[0], 1.0], [2.0, u[0]]]),
    "an operand": lambda: t * [u[0], u[1]],
    "softmax": lambda: tinygraph.softmax([t, u]),
    "a product": lambda: t @ [u[0], u[1]],
}


@pytest.mark.parametrize("case", OF_NUMPY)
def test_numpy_gets_a_list_of_tensors(case):
    with pytest.raises(TypeError, match=r"^a Tensor cannot be converted to an array, .* list .* np\.stack or np\.conc"):
        OF_NUMPY[case]()
    assert np.sum(np.stack([t, u])).item() == 10.0  # the advice


@pytest.mark.parametrize("case", OF_TENSOR)
def test_a_function_of_ours_gets_a_list_of_tensors(case):
    with pytest.raises(TypeError, match=r"^\w+: the elements are Tensors, .* join them with tinygraph\.stack"):
        OF_TENSOR[case]()


@pytest.mark.parametrize("call", [Tensor, tinygraph.softmax, tinygraph.logsumexp, lambda xs: t + xs])
@pytest.mark.parametrize("make", [list, tuple, lambda xs: np.array(xs, dtype=object)])
def test_values_are_refused_where_an_array_is_needed(call, make):
    with pytest.raises(TypeError, match=r"^\w+: the elements are Values, .* start from a Tensor, or use the \.data"):
        call(make([x, x]))


@pytest.mark.parametrize("function", [tinygraph.softmax, tinygraph.log_softmax, tinygraph.logsumexp])
def test_a_value_is_refused_where_an_array_is_needed(function):
    with pytest.raises(TypeError, match=rf"^{function.__name__}: use a Tensor or an array, not a Value, because"):
        function(x)


@pytest.mark.parametrize("function", [tinygraph.exp, lambda xs: tinygraph.maximum(xs, 1.0)])
@pytest.mark.parametrize("node", [t, x])
def test_an_op_refuses_a_list_of_nodes(function, node):
    with pytest.raises(TypeError, match=r"compute with each element, as in \[f\(x\) for x in elements\]$"):
        function([node, node])


def test_what_numpy_cannot_do_here_is_said():
    t = Tensor([[2.0, 1.0], [1.0, 3.0]])
    with pytest.raises(TypeError, match=r"np\.partition does not work on a Tensor: .*'NumPy coverage', .*pass t\.data"):
        np.partition(t, 1)
    with pytest.raises(TypeError, match=r"np\.linalg\.eig does not work"):
        np.linalg.eig(t)
    with pytest.raises(TypeError, match=r"np\.nextafter does not work on a Tensor: .*pass t\.data"):
        np.nextafter(t, t)
    with pytest.raises(TypeError, match=r"np\.sum of a Tensor does not understand dtype=.*float32"):
        np.sum(t, dtype=np.float32)
    with pytest.raises(TypeError, match=r"np\.sum of a Tensor does not understand dtype=.*int"):
        t.sum(dtype=int)
    with pytest.raises(TypeError, match=r"use its \.data"):
        t[Tensor(0.0)]
    assert t.sum(dtype=None, out=None).item() == 7.0  # NumPy's defaults
    array = np.ones((2, 2))
    with pytest.raises(TypeError):
        array += t


def test_wiring_for_one_number_is_refused():
    t = Tensor(1.0)
    with pytest.raises(TypeError, match="it is a scalar"):
        iter(t)
    with pytest.raises(TypeError):
        len(t)
    with pytest.raises(IndexError):
        t[0]
    with pytest.raises(ValueError, match="axis 1 is out of bounds"):
        t.sum(axis=1)
    y = t.sum(axis=0)  # NumPy accepts axis 0 for a scalar
    y.backward()
    assert (y.item(), t.grad.item()) == (1.0, 1.0)


def test_comparisons_give_arrays_of_bools():
    t = Tensor([1.0, 2.0])
    assert (t < 2.0).tolist() == [True, False]
    assert (t >= 2.0).tolist() == [False, True]
    assert (t > np.array([0.0, 3.0])).tolist() == [True, False]
    assert (np.array([0.0, 3.0]) >= t).tolist() == [False, True]
    assert (t == t, t == Tensor([1.0, 2.0])) == (True, False)
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for other in (1.0, 2, [1.0, 3.0], np.array([2.0, 1.0]), Tensor([0.0, 2.0])):
            plain = other.data if isinstance(other, Tensor) else other
            assert compare(t, other).tolist() == compare(t.data, plain).tolist()
            assert compare(other, t).tolist() == compare(plain, t.data).tolist()


def test_another_librarys_operand_has_its_say():
    class Other:
        def __radd__(self, x):
            return "added"

        def __rmatmul__(self, x):
            return "multiplied"

    t = Tensor([[1.0]])
    assert (t + Other(), t @ Other()) == ("added", "multiplied")
    for operate in (lambda: t + object(), lambda: object() + t, lambda: t @ object(), lambda: object() @ t):
        with pytest.raises(TypeError, match="unsupported operand"):
            operate()
    assert (t + Fraction(1, 2)).item() == (t * Fraction(1, 2) + 1.0).item() == 1.5


SHAPES = [(), (4,), (3, 4), (2, 3, 4), (5, 2, 3, 4)]
OTHERS = [(), (4,), (4, 3), (2, 4, 3), (5, 2, 4, 3)]


@pytest.mark.parametrize("x", SHAPES, ids=str)
@pytest.mark.parametrize("y", OTHERS, ids=str)
def test_dot_is_numpys_for_every_number_of_axes(x, y):
    """For more than two axes it is not the matrix product, which broadcasts the other axes."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=x), rng.normal(size=y)
    expected = np.dot(a, b)
    for left, right in ((Tensor(a, "a"), b), (a, Tensor(b, "b")), (Tensor(a, "a"), Tensor(b, "b"))):
        out = np.dot(left, right)
        assert out.shape == expected.shape
        assert np.allclose(out.data, expected, rtol=1e-14, atol=1e-14)
        weights = rng.normal(size=out.shape)
        (out * weights).sum().backward()
        for node, other in ((left, b), (right, a)):
            if isinstance(node, Tensor):  # the result is linear in each operand
                step = rng.normal(size=node.shape)
                moved = np.dot(step, other) if node is left else np.dot(other, step)
                assert np.allclose(np.sum(node.grad * step), np.sum(weights * moved), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize(("shape", "axis"), [((0, 3), 1), ((3, 0), 0), ((2, 0, 3), 2), ((2, 0, 3), (0, 2))])
def test_the_extremum_over_an_axis_of_no_elements_is_numpys(name, shape, axis):
    t = Tensor(np.zeros(shape))
    out = getattr(t, name)(axis=axis)
    assert out.shape == getattr(np.zeros(shape), name)(axis=axis).shape
    out.sum().backward()
    assert t.grad.shape == shape
    with pytest.raises(ValueError, match="it has no elements"):
        getattr(t, name)()


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
ONE = """array asarray sum mean exp log sqrt abs fix_invalid masked_invalid getdata filled average median compressed
ravel var std cumsum cumprod prod"""
TWO = """add subtract multiply divide power equal less greater maximum masked_greater masked_equal dot inner outer
allclose"""
MASKED_CALLS = {
    **{name: getattr(np.ma, name) for name in ONE.split()},
    **{name: lambda x, name=name: getattr(np.ma, name)(x, 2.0) for name in TWO.split()},
    **{name: lambda x, name=name: getattr(np.ma, name)([x, x]) for name in ("concatenate", "stack", "vstack")},
    "masked_where": lambda x: np.ma.masked_where([True, False, False], x),
    "where": lambda x: np.ma.where([True, False, True], x, 0.0),
    "choose": lambda x: np.ma.choose([0, 0, 0], [x, x]),
    "put": lambda x: np.ma.put(MASKED.copy(), [0], x),
    "clip": lambda x: np.ma.clip(x, 0.0, 1.0),
    "setitem": lambda x: MASKED.copy().__setitem__(slice(None), x),
    "iadd": lambda x: MASKED.copy().__iadd__(x),
}


@pytest.mark.parametrize("name", MASKED_CALLS)
def test_functions_for_masked_arrays_do_not_cut_the_graph(name):
    with pytest.raises(TypeError, match="Tensor"):
        MASKED_CALLS[name](Tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("name", [*OPERATORS, "<", "<=", ">", ">="])
def test_an_operator_does_not_accept_a_masked_array(name):
    operate = OPERATORS.get(name) or replay.COMPARISONS[name]
    t = Tensor([1.0, 2.0, 3.0])
    for pair in ((t, MASKED), (MASKED, t), (t, MASKED[:1]), (MASKED[:1], t)):
        with pytest.raises(TypeError, match=r"masked array|Tensor"):
            operate(*pair)


OF_PANDAS = {name: operate for name, operate in OPERATORS.items() if name != "matmul"}


@pytest.mark.parametrize("name", OF_PANDAS)
@pytest.mark.parametrize("kind", ["Series", "DataFrame"])
def test_operators_record_with_pandas_on_both_sides(name, kind):
    pandas = pytest.importorskip("pandas", reason="needs the extra dask")
    array = np.array([2.0, 3.0]) if kind == "Series" else np.array([[2.0, 3.0], [4.0, 5.0]])
    table, t = getattr(pandas, kind)(array), Tensor([[1.0, 2.0], [3.0, 4.0]])
    for ours, theirs in [
        (OF_PANDAS[name](t, table), OF_PANDAS[name](t.data, array)),
        (OF_PANDAS[name](table, t), OF_PANDAS[name](array, t.data)),
    ]:
        assert isinstance(ours, Tensor)
        assert same(ours.data, theirs)


def test_matrix_products_with_pandas_record_or_say_how():
    pandas = pytest.importorskip("pandas", reason="needs the extra dask")
    t, frame, series = Tensor([[1.0, 2.0], [3.0, 4.0]]), pandas.DataFrame([[1, 2], [3, 4]]), pandas.Series([1.0, 2.0])
    for table in (frame, series):
        assert same((t @ table).data, t.data @ table.to_numpy())
        assert same(np.dot(t, table).data, t.data @ table.to_numpy())
        with pytest.raises(TypeError, match=r"write df\.to_numpy\(\) @ t"):
            table @ t
    assert same(np.dot(frame, t).data, frame.to_numpy() @ t.data)


def test_comparisons_with_pandas_give_arrays_and_are_remembered():
    pandas = pytest.importorskip("pandas", reason="needs the extra dask")
    x = Tensor([1.0, 4.0], "x")
    y = (x * (pandas.Series([2.0, 3.0]) < x)).sum()
    x.data = np.array([3.0, 4.0])
    with pytest.raises(tinygraph.FrozenBranchError):
        y.forward()
