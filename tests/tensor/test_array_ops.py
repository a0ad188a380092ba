"""Each array op is a linear map, exactly or nearly, and its pullback is the transpose of this map."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor
from tinygraph.engine.autodiff import grad
from tinygraph.functional import jvp
from tinygraph.tensor.array_ops import LinearOp
from tinygraph.tensor.functions.creating import copy_elements
from tinygraph.tensor.functions.parts import diagonal_of, on_diagonal, triangle_of
from tinygraph.tensor.functions.rearranging import pad_by, repeat_by, roll_by, tile_by, unpad_by
from tinygraph.tensor.indexing import concatenate, index, scatter_add, set_elements, stack
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops.accumulations import cumprod_over, cumsum_over, prod_over
from tinygraph.tensor.more_ops.contractions import einsum
from tinygraph.tensor.more_ops.firsts import at_first_max, first_max, first_max_like
from tinygraph.tensor.more_ops.masks import fill_nan, masked, not_nan
from tinygraph.tensor.more_ops.orders import sort_over, sorted_back, sorted_like
from tinygraph.tensor.more_ops.roots import root
from tinygraph.tensor.more_ops.softmax import (
    cross_entropy_over,
    deviation_over,
    log_softmax_over,
    logsumexp_over,
    softmax_minus,
    softmax_over,
)
from tinygraph.tensor.reductions import extremum, mean_over, sum_over
from tinygraph.tensor.shapes import expand, reshape, sum_to, transpose
from tinygraph.testing import arrays, shapes

whole = st.integers(-4, 4).map(float)  # products and sums of these are exact, in any order


@st.composite
def axes(draw, ndim):
    several = [found for k in range(ndim + 1) for found in itertools.combinations(range(ndim), k)]
    return draw(st.sampled_from([None, *range(-ndim, ndim), *several]))


@st.composite
def keys(draw, shape):
    key = []
    for side in shape[: draw(st.integers(0, len(shape)))]:
        ends = st.none() | st.integers(-side - 1, side + 1)
        slices = st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, -1, -2]))
        key.append(draw(slices | st.integers(-side, side - 1) if side else slices))
    if draw(st.booleans()):
        covered = len(key) == len(shape)  # otherwise an ellipsis before the end would move later entries to other axes
        place = draw(st.integers(0, len(key)))
        key.insert(place, draw(st.sampled_from([None, ...] if covered or place == len(key) else [None])))
    if shape and shape[0] and draw(st.booleans()):
        several = draw(st.lists(st.integers(-shape[0], shape[0] - 1), max_size=4))
        mask = draw(arrays((shape[0],), elements=whole)) > 0
        return draw(st.sampled_from([np.array(several, dtype=int), mask]))
    return tuple(key)


def of_one(make):
    @st.composite
    def draw_case(draw):
        (shape,) = draw(shapes(1))
        x = draw(arrays(shape, elements=whole))
        return make(draw, x), (x,)

    return draw_case()


@st.composite
def expansions(draw):
    small, large = draw(shapes(2))
    shape = np.broadcast_shapes(small, large)
    return expand(shape), (draw(arrays(small, elements=whole)),)


@st.composite
def collapses(draw):
    small, large = draw(shapes(2))
    shape = np.broadcast_shapes(small, large)
    return sum_to(small), (draw(arrays(shape, elements=whole)),)


@st.composite
def products(draw):
    k, n, m = (draw(st.integers(0, 3)) for _ in range(3))
    stacks = draw(shapes(2, max_dims=2))
    x = draw(st.sampled_from([(k,), (*stacks[0], n, k)]))
    y = draw(st.sampled_from([(k,), (*stacks[1], k, m)]))
    return matmul, (draw(arrays(x, elements=whole)), draw(arrays(y, elements=whole)))


@st.composite
def joined(draw):
    (shape,) = draw(shapes(1))
    count = draw(st.integers(1, 3))
    if not shape or draw(st.booleans()):
        op = stack(draw(st.integers(-len(shape) - 1, len(shape))))
        return op, tuple(draw(arrays(shape, elements=whole)) for _ in range(count))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for _ in range(count):
        part = list(shape)
        part[axis] = draw(st.integers(0, 3))
        parts.append(draw(arrays(tuple(part), elements=whole)))
    return concatenate(axis), tuple(parts)


@st.composite
def extremes(draw, *names):
    (shape,) = draw(shapes(1, min_side=1))
    x = draw(arrays(shape, elements=whole))
    return extremum(draw(st.sampled_from(names)), draw(axes(x.ndim)), draw(st.booleans())), (x,)


@st.composite
def puts(draw):
    (shape,) = draw(shapes(1))
    key = draw(keys(shape))
    picked = np.zeros(shape)[key]
    return scatter_add(key, shape), (draw(arrays(picked.shape, elements=whole)),)


@st.composite
def along(draw, make, *parameters, pair=False):
    (shape,) = draw(shapes(1).filter(lambda found: len(found[0])))
    operands = tuple(draw(arrays(shape, elements=whole)) for _ in range(1 + pair))
    return make(draw(st.integers(0, len(shape) - 1)), *map(draw, parameters)), operands


def of_two(make):
    @st.composite
    def draw_case(draw):
        (shape,) = draw(shapes(1))
        x, y = (draw(arrays(shape, elements=whole)) for _ in range(2))
        return make(draw, x), (x, y)

    return draw_case()


@st.composite
def contractions(draw):
    subscripts = draw(st.sampled_from(["ij,jk->ik", "ii->i", "ij->", "i,j->ij", "iij,j->", "ij,kj,k->i"]))
    sides = {letter: draw(st.integers(0, 3)) for letter in "ijk"}
    terms = subscripts.partition("->")[0].split(",")
    return einsum(subscripts), tuple(draw(arrays(tuple(sides[x] for x in term), elements=whole)) for term in terms)


@st.composite
def replacements(draw):
    (shape,) = draw(shapes(1))
    key = draw(keys(shape))
    new = np.zeros(shape)[key].shape
    return set_elements(key), (draw(arrays(shape, elements=whole)), draw(arrays(new, elements=whole)))


def repetitions(draw, x):
    if not x.ndim or draw(st.booleans()):
        return tile_by(tuple(draw(st.integers(0, 2)) for _ in x.shape))
    axis = draw(st.integers(0, x.ndim - 1))
    counts = [draw(st.integers(0, 2)) for _ in range(x.shape[axis])]
    return repeat_by(draw(st.sampled_from([2, tuple(counts)])), axis)


def rolls(draw, x):
    along = draw(st.permutations(range(x.ndim)))[: draw(st.integers(0, x.ndim))]
    return roll_by(tuple(draw(st.integers(-5, 5)) for _ in along), tuple(along))


def widths(draw, x):
    return tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in x.shape)


def copying_modes(x):
    return ["edge", "reflect", "symmetric", "wrap"] if x.size else ["constant"]


@st.composite
def unpads(draw):
    (shape,) = draw(shapes(1, min_side=1))
    around = widths(draw, np.zeros(shape))
    mode = draw(st.sampled_from(["edge", "reflect", "symmetric", "wrap"]))
    return unpad_by(around, mode, shape), (draw(arrays(pad_by(around, mode)(np.zeros(shape)).shape, elements=whole)),)


@st.composite
def diagonals(draw):
    shape = tuple(draw(st.integers(0, 3)) for _ in range(draw(st.integers(2, 3))))
    rows, columns, *_ = draw(st.permutations(range(len(shape))))
    offset = draw(st.integers(-4, 4))
    select = diagonal_of(offset, rows, columns)
    if draw(st.booleans()):
        return select, (draw(arrays(shape, elements=whole)),)
    place = on_diagonal(shape, offset, rows, columns)
    return place, (draw(arrays(select(np.zeros(shape)).shape, elements=whole)),)


@st.composite
def triangles(draw):
    shape = tuple(draw(st.integers(0, 3)) for _ in range(draw(st.integers(2, 3))))
    op = triangle_of(draw(st.sampled_from(["tril", "triu"])), draw(st.integers(-3, 3)))
    return op, (draw(arrays(shape, elements=whole)),)


@st.composite
def first_maxima(draw, make, reduced=0):
    """Draw an op, and operands of the same shape. The first `reduced` operands have no axis for the maximum."""
    (shape,) = draw(shapes(1, min_side=1).filter(lambda found: len(found[0])))
    axis = draw(st.integers(0, len(shape) - 1))
    shapes_of = [shape if i >= reduced else shape[:axis] + shape[axis + 1 :] for i in range(make(axis).arity)]
    return make(axis), tuple(draw(arrays(wanted, elements=whole)) for wanted in shapes_of)


CASES = {
    "expand": expansions(),
    "sum_to": collapses(),
    "reshape": of_one(lambda draw, x: reshape(draw(st.sampled_from([(x.size,), (1, x.size), x.shape[::-1]])))),
    "transpose": of_one(lambda draw, x: transpose(tuple(draw(st.permutations(range(x.ndim)))))),
    "index": of_one(lambda draw, x: index(draw(keys(x.shape)))),
    "scatter_add": puts(),
    "sum": of_one(lambda draw, x: sum_over(draw(axes(x.ndim)), draw(st.booleans()))),
    "mean": of_one(lambda draw, x: mean_over(draw(axes(x.ndim)), draw(st.booleans()))),
    "matmul": products(),
    "concatenate and stack": joined(),
    "max and min": extremes("max", "min"),
    "nanmax and nanmin": extremes("nanmax", "nanmin"),
    "prod": of_one(lambda draw, x: prod_over(draw(axes(x.ndim)), draw(st.booleans()))),
    "cumsum": along(cumsum_over, st.booleans()),
    "cumprod": along(cumprod_over),
    "sort": along(sort_over),
    "sorted_like": along(sorted_like, pair=True),
    "sorted_back": along(sorted_back, pair=True),
    "first_max": first_maxima(first_max),
    "first_max_like": first_maxima(first_max_like),
    "at_first_max": first_maxima(at_first_max, 1),
    "masked": of_one(lambda draw, x: masked(draw(arrays(x.shape, elements=whole)) > 0, draw(whole))),
    "fill_nan": of_one(lambda draw, x: fill_nan(draw(whole))),
    "not_nan": of_one(lambda draw, x: not_nan()),
    "root": of_one(lambda draw, x: root(2.0)),
    "softmax": of_one(lambda draw, x: softmax_over(draw(axes(x.ndim)))),
    "log_softmax": of_one(lambda draw, x: log_softmax_over(draw(axes(x.ndim)))),
    "logsumexp": of_one(lambda draw, x: logsumexp_over(draw(axes(x.ndim)), draw(st.booleans()))),
    "cross_entropy": of_two(lambda draw, x: cross_entropy_over(draw(axes(x.ndim)))),
    "softmax_minus": of_two(lambda draw, x: softmax_minus(draw(axes(x.ndim)))),
    "deviation": of_two(lambda draw, x: deviation_over(draw(axes(x.ndim)))),
    "einsum": contractions(),
    "set_at": replacements(),
    "repeat and tile": of_one(repetitions),
    "roll": of_one(rolls),
    "pad with zeros": of_one(lambda draw, x: pad_by(widths(draw, x), "constant", ((0.0, 0.0),) * x.ndim)),
    "pad": of_one(lambda draw, x: pad_by(widths(draw, x), draw(st.sampled_from(copying_modes(x))))),
    "unpad": unpads(),
    "diagonal and diag": diagonals(),
    "tril and triu": triangles(),
    "copy": of_one(lambda draw, x: copy_elements),
}
SOFTMAX = ("softmax", "log_softmax", "logsumexp", "cross_entropy", "softmax_minus", "deviation")
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def applied(x, y):
    """Return the product of a Jacobian and an array; the mean of no elements is NaN, without a warning."""
    return np.asarray(x * y)


def inner(x, y):
    return float(np.sum(x * y))


@cases
@given(data=st.data())
def test_the_adjoint_is_the_transpose(case, data):
    """<A x', y> equals <x', A^T y>, exactly if all numbers are small integers."""
    op, operands = data.draw(case)
    out = np.asarray(op(*operands))
    up = data.draw(arrays(out.shape, elements=whole))
    for slot, (adjoint, x) in enumerate(
        zip(op.partials_at(out, operands, [True] * len(operands)), operands, strict=True)
    ):
        tangent = data.draw(arrays(x.shape, elements=whole))
        pushed, pulled = applied(adjoint, tangent), applied(up, adjoint)
        assert pushed.shape == out.shape
        assert pulled.shape == x.shape
        if not np.isfinite(out).all():
            assert np.size(x) == 0  # the mean or the log-sum-exp of no elements
            continue
        size = np.sum(np.abs(pushed * up)) + np.sum(np.abs(tangent * pulled))
        assert abs(inner(pushed, up) - inner(tangent, pulled)) <= (1e-14 * size if op.name in ROUNDED else 0.0), slot
        assert adjoint.text()
        assert adjoint.text("X", "Y", "Z")
        assert op.name in repr(adjoint)


ROUNDED = ("mean", "max", "min", "nanmax", "nanmin", *SOFTMAX)  # these divide


@cases
@given(data=st.data())
def test_the_op_is_linear_in_each_operand_without_a_jvp(case, data):
    op, operands = data.draw(case)
    assert op.linear == (op.jvps == (None,))
    for slot, x in enumerate(operands):
        if not op.variadic and op.jvps[slot]:
            continue
        y = data.draw(arrays(x.shape, elements=whole))
        adjoint = op.partials_at(None, operands, [True] * len(operands))[slot]
        at_x = applied(adjoint, x)
        both = applied(adjoint, x + 2.0 * y)
        assert np.allclose(both, at_x + 2.0 * applied(adjoint, y), rtol=1e-14, atol=1e-14, equal_nan=True)
        if not isinstance(op, LinearOp):  # whose Jacobian fills the other operands with zeros
            assert np.array_equal(at_x, op(*operands), equal_nan=True)


@cases
@given(data=st.data())
def test_wiring_on_tensors_is_that_on_arrays_and_mutates_nothing(case, data):
    op, operands = data.draw(case)
    before = copy.deepcopy(operands)
    leaves = [Tensor(x) for x in operands]
    node = op(*leaves)
    assert node.op is op
    assert np.array_equal(node.data, np.asarray(op(*operands)), equal_nan=True)
    up = data.draw(arrays(node.shape, elements=whole))
    node.backward(seed=up)
    for slot, leaf in enumerate(leaves):
        expected = applied(up, op.partials_at(node.data, operands, [True] * len(operands))[slot])
        assert np.array_equal(leaf.grad, expected, equal_nan=True)
        assert leaf.grad.flags.writeable
        assert leaf.grad.shape == leaf.shape
        assert not any(np.may_share_memory(leaf.grad, x) for x in (up, *operands, node.grad, leaf.data, node.data))
    assert all(np.array_equal(x, y) for x, y in zip(operands, before, strict=True))
    partials = grad(node, leaves, seed=up, create_graph=True)
    assert all(np.array_equal(s.data, leaf.grad, equal_nan=True) for s, leaf in zip(partials, leaves, strict=True))


@cases
@given(data=st.data())
def test_forward_mode_is_reverse_mode_turned_round(case, data):
    op, operands = data.draw(case)
    leaves = [Tensor(x) for x in operands]
    node = op(*leaves)
    up = data.draw(arrays(node.shape, elements=whole))
    tangents = [data.draw(arrays(x.shape, elements=whole)) for x in operands]
    moved = jvp(node, dict(zip(leaves, tangents, strict=True)))
    assert moved.shape == node.shape
    back = sum(inner(t, g) for t, g in zip(tangents, grad(node, leaves, seed=up), strict=True))
    if np.isfinite(node.data).all():
        assert inner(moved, up) == pytest.approx(back, rel=1e-13, abs=1e-12)


@cases
@given(data=st.data())
def test_wiring_survives_a_pickle_and_says_what_it_is(case, data):
    op, operands = data.draw(case)
    again = pickle.loads(pickle.dumps(op))
    assert np.array_equal(np.asarray(again(*operands)), np.asarray(op(*operands)), equal_nan=True)
    assert repr(op).startswith("<array op ")
    assert op.text("X", "Y").count("X")


@pytest.mark.parametrize("name", ["max", "min"])
@given(data=st.data())
def test_the_slope_of_an_extreme_is_shared_by_those_that_tie(name, data):
    (shape,) = data.draw(shapes(1, min_side=1))
    x = data.draw(arrays(shape, elements=st.sampled_from([0.0, 1.0, 2.0])))
    axis = data.draw(axes(x.ndim))
    t = Tensor(x)
    y = getattr(t, name)(axis=axis, keepdims=True)
    y.backward(seed=np.ones(y.shape))
    ties = x == getattr(np, name)(x, axis=axis, keepdims=True)
    assert np.array_equal(t.grad, ties / ties.sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("name", ["max", "min"])
def test_an_extreme_of_nan_is_nan_and_so_is_its_partial(name):
    t = Tensor([1.0, np.nan, 3.0])
    y = getattr(t, name)()
    y.backward()
    assert np.isnan(y.data)
    assert np.isnan(t.grad).any()


@given(data=st.data())
def test_a_gradient_through_an_index_counts_each_time_it_is_named(data):
    x = data.draw(arrays((4,)))
    places = data.draw(st.lists(st.integers(-4, 3), max_size=6))
    t = Tensor(x)
    t[np.array(places, dtype=int)].sum().backward()
    assert t.grad.tolist() == [float(sum(p % 4 == i for p in places)) for i in range(4)]


def test_the_texts_are_the_lectures_numpy():
    X, w = np.ones((3, 4)), Tensor(np.ones((3, 1)), "w")
    product = w.T @ X
    assert product.partials[0].text("w.T", "X") == "upstream · Xᵀ"
    assert (X.T @ w).partials[1].text("X.T", "w") == "X.Tᵀ · upstream"
    assert (product + Tensor(0.0, "b")).args[1].partials[0].text("b") == "upstream, summed to ()"
    assert tinygraph.stack([w, w]).partials[1].text("w", "w") == "upstream, part 1"
