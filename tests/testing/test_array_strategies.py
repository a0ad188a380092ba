"""Arrays and programs of Tensors that the strategies draw, and their reprs."""

import math

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor
from tinygraph.checking.slopes import slope_of
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.testing import arrays, shapes, tensor_programs, tensors
from tinygraph.testing.array_moves import MORE_CHAINS, MORE_JOINS, MORE_MOVES


@given(drawn=shapes(3))
def test_shapes_broadcast_with_each_other(drawn):
    assert len(np.broadcast_shapes(*drawn)) == max(map(len, drawn))


ARRAYS = {
    "it is a scalar": lambda x: x.shape == (),
    "nothing": lambda x: x.size == 0 and x.ndim == 2,
    "a read-only one": lambda x: not x.flags.writeable,
    "Fortran's order": lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
    "a negative stride": lambda x: min(x.strides, default=0) < 0,
    "gaps": lambda x: not x.flags.f_contiguous and not x.flags.c_contiguous and min(x.strides, default=0) > 0,
}


@pytest.mark.parametrize("feature", ARRAYS)
def test_arrays_have_every_layout(feature):
    drawn = arrays() if feature in ("it is a scalar", "nothing") else arrays((2, 3))
    found = find(drawn, ARRAYS[feature], settings=settings(max_examples=2000, phases=[Phase.generate]))
    assert found.dtype == np.float64


@given(data=st.data())
def test_arrays_and_tensors_have_the_shape_that_is_asked_for(data):
    (shape,) = data.draw(shapes(1))
    assert data.draw(arrays(shape)).shape == data.draw(tensors(shape)).shape == shape
    assert data.draw(arrays(st.just((2,)), elements=st.just(1.5), layouts=["plain"])).tolist() == [1.5, 1.5]


WIRING = ["matmul", "concatenate", "stack", "sum", "mean", "max", "min", "transpose", "reshape", "index"]


@pytest.mark.parametrize("name", [*WIRING, "exp", "mul", "pow"])
def test_programs_over_tensors_have_every_move(name):
    def has_it(program):
        return any(op.name == name for op, _ in program.steps)

    assert find(tensor_programs(), has_it, settings=settings(max_examples=4000, phases=[Phase.generate]))


SIMPLE = {"neg", "add", "mul", "tanh", "mean", "sum", "expand"}


@pytest.mark.parametrize("move", [*MORE_MOVES, *MORE_JOINS, *MORE_CHAINS])
def test_the_further_moves_occur_and_their_gradients_are_right(move):
    """The derivative along a random direction agrees with the differences between values."""
    programs = tensor_programs(moves=[move], ops=[ops.mul, ops.tanh], max_steps=4, max_inputs=2)

    def check(program):
        directions = [random.uniform(0.5, 1.5, x.shape) for x in program.at]
        root, leaves = program.record()
        terms = [gradient * v for gradient, v in zip(tinygraph.grad(root, leaves), directions, strict=True)]
        right = slope_of(
            lambda t: float(program(*[x + t * v for x, v in zip(program.at, directions, strict=True)])), 0.0
        )
        size = sum(np.abs(term).sum() for term in terms)
        assert abs(sum(term.sum() for term in terms) - right.derivative) <= 1e-7 * size + right.error

    names = {move, "set_at"} if move in MORE_CHAINS else None  # the last op of a chain

    def has_it(program):
        return any(op.name in names if names else op.name not in SIMPLE for op, _ in program.steps)

    random = np.random.default_rng(0)
    check(find(programs, has_it, settings=settings(max_examples=4000, phases=[Phase.generate])))
    given(program=programs)(lambda program: check(program))()


@given(program=tensor_programs(moves="all"))
def test_a_program_of_all_moves_prints_as_the_code_that_it_is(program):
    scope = {"tinygraph": tinygraph, "np": np}
    exec(repr(program), scope)  # as if a user pasted it
    again, (root, _) = scope["f"](*map(Tensor, scope["at"])), program.record()
    assert again.data.tobytes() == root.data.tobytes()
    assert math.isfinite(root.item())
    assert all(np.isfinite(local).all() for local in tinygraph.grad(*program.record()))


def test_programs_over_tensors_broadcast():
    def broadcasts(program):
        return any(node.op and node.op.name == "expand" for node in order(program.record()[0]))

    assert find(tensor_programs(), broadcasts, settings=settings(max_examples=2000, phases=[Phase.generate]))


@given(program=tensor_programs(moves=["sum", "index"], max_size=20))
def test_programs_over_tensors_are_tame_and_give_one_number(program):
    root, leaves = program.record()
    assert root.shape == ()
    assert math.isfinite(root.item())
    assert all(np.isfinite(local).all() for local in tinygraph.grad(root, leaves))
    for node in order(root):
        assert node.op is None or node.op.name not in {*WIRING} - {"sum", "mean", "index"}


@given(program=tensor_programs())
def test_a_program_over_tensors_prints_as_the_code_that_it_is(program):
    scope = {"tinygraph": tinygraph, "np": np}
    exec(repr(program), scope)  # as if a user pasted it
    assert [x.tolist() for x in scope["at"]] == [x.tolist() for x in program.at]
    again, (root, _) = scope["f"](*map(Tensor, scope["at"])), program.record()
    assert again.data.tobytes() == root.data.tobytes()
    assert [repr(node.op) for node in order(again)] == [repr(node.op) for node in order(root)]
