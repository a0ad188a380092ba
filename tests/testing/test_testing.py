"""The kit: what it draws, that it finds what is wrong, and that it says so."""

import math
import pickle
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine import domain, ops
from tinygraph.engine.domain import Domain
from tinygraph.engine.graph import order
from tinygraph.engine.op import Op
from tinygraph.testing import (
    Program,
    arrays,
    assert_gradient,
    assert_same_gradient,
    assertions,
    expressions,
    graphs,
    op_test,
    points,
    public_rows,
    shapes,
    tensor_programs,
    tensors,
)

# --- strategies


@pytest.mark.parametrize("row", public_rows(), ids=lambda row: row.name)
@given(data=st.data())
def test_points_are_inside_and_clear_of_kinks(row, data):
    point = data.draw(points(row, limit=50.0, clear=0.02))
    assert row.domain.contains(*point)
    assert all(abs(x) <= 50.0 for x in point)
    if row.domain.kink is not None:
        assert abs(row.domain.kink(*point)) > 0.02


def test_points_reach_the_tails_and_the_extremes():
    assert abs(find(points(ops.exp), lambda p: abs(p[0]) > 500)[0]) > 500
    assert find(points(ops.log, limit=math.inf), lambda p: p[0] > 1e300)
    assert find(points(ops.log), lambda p: p[0] < 1e-300)
    assert find(points(ops.pow), lambda p: p[0] < 0)


def _uses(program):
    return [x for _, operands in program.steps for x in operands if isinstance(x, int)]


FEATURES = {
    "sharing": lambda p: max(map(_uses(p).count, _uses(p))) > 2,
    "a constant": lambda p: any(isinstance(x, float) for _, operands in p.steps for x in operands),
    "an unused input": lambda p: len(p.at) > 1 and 0 not in _uses(p),
    "a repeated operand": lambda p: any(len(set(operands)) < len(operands) for _, operands in p.steps),
    "an n-ary node": lambda p: any(op.variadic and len(operands) > 2 for op, operands in p.steps),
    "depth": lambda p: len(p.steps) > 5,
    "a kinked op": lambda p: any(op.domain.kink is not None for op, _ in p.steps),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_programs_have_every_feature(feature):
    assert find(graphs(), FEATURES[feature], settings=settings(max_examples=2000, phases=[Phase.generate]))


@given(program=graphs())
def test_programs_are_tame_where_they_are_drawn(program):
    root, leaves = program.record()
    assert math.isfinite(root.data)
    assert all(math.isfinite(local) for local in tinygraph.grad(root, leaves))
    for node in order(root):
        if node.op is not None and node.op.domain.kink is not None:
            at = [x.data if isinstance(x, Value) else x for x in node.args]
            assert node.op.domain.contains(*at)


@given(program=expressions())
def test_expressions_share_nothing(program):
    uses = _uses(program)
    assert len(set(uses)) == len(uses)


@given(program=graphs())
def test_a_program_prints_as_the_code_that_it_is(program):
    scope = {"tinygraph": tinygraph, "inf": math.inf, "nan": math.nan}
    exec(repr(program), scope)  # what a user would paste
    assert scope["at"] == program.at
    assert scope["f"](*program.at) == program(*program.at)
    assert scope["f"](*map(Value, program.at)).data == program.record()[0].data


def test_a_failing_example_shrinks_to_a_small_program():
    program = find(graphs(), lambda program: any(op.name == "mul" for op, _ in program.steps))
    assert str(program).splitlines()[:2] in (["def f(a):", "    return a * a"], ["def f(a):", "    return a * 0.0"])


def test_a_failing_example_is_printed_as_code(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        from hypothesis import Phase, given, settings
        from tinygraph.testing import graphs

        @settings(max_examples=50, database=None, phases=[Phase.generate])
        @given(program=graphs())
        def test_no_program_has_a_step(program):
            assert not program.steps
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stdout
    assert re.search(r"program=\.\.\.\nE +def f\(a.*\):\nE +(t1 =|return) ", out), out


# --- strategies of arrays


@given(drawn=shapes(3))
def test_shapes_broadcast_with_each_other(drawn):
    assert len(np.broadcast_shapes(*drawn)) == max(map(len, drawn))


ARRAYS = {
    "one number": lambda x: x.shape == (),
    "nothing": lambda x: x.size == 0 and x.ndim == 2,
    "a read-only one": lambda x: not x.flags.writeable,
    "Fortran's order": lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
    "a negative stride": lambda x: min(x.strides, default=0) < 0,
    "gaps": lambda x: not x.flags.f_contiguous and not x.flags.c_contiguous and min(x.strides, default=0) > 0,
}


@pytest.mark.parametrize("feature", ARRAYS)
def test_arrays_have_every_layout(feature):
    drawn = arrays() if feature in ("one number", "nothing") else arrays((2, 3))
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
    exec(repr(program), scope)  # what a user would paste
    assert [x.tolist() for x in scope["at"]] == [x.tolist() for x in program.at]
    again, (root, _) = scope["f"](*map(Tensor, scope["at"])), program.record()
    assert again.data.tobytes() == root.data.tobytes()
    assert [repr(node.op) for node in order(again)] == [repr(node.op) for node in order(root)]


# --- wrong rows are found


def row(name, number, analytic, domain=None, **partials):
    options = {"domain": domain} if domain else {}
    return Op(name, number, analytic=analytic, **options, **partials)


def softplus_with_threshold(x):
    return x if x > 20.0 else math.log1p(math.exp(x))


WRONG = {
    "sign": row("square", lambda x: x * x, lambda m, x: x * x, partials=(lambda out, x: -2.0 * x,)),
    "missing factor": row("square", lambda x: x * x, lambda m, x: x * x, partials=(lambda out, x: x,)),
    "swapped operands": row(
        "quotient",
        ops.div.floats,
        lambda m, x, y: x / y,
        domain.NONZERO_DIVISOR,
        partials=(lambda out, x, y: -out / y,
        lambda out, x, y: 1.0 / y),
    ),
    "a threshold in softplus": row(
        "softplus", softplus_with_threshold, ops.softplus.analytic, partials=(lambda out, x: tinygraph.sigmoid(x),)
    ),
    "tanh' as 1 - t²": row("tanh", math.tanh, lambda m, x: m.tanh(x), partials=(lambda out, x: 1.0 - out * out,)),
    "sigmoid' as a(1 - a)": row(
        "sigmoid", ops.sigmoid.floats, ops.sigmoid.analytic, partials=(lambda out, x: out * (1.0 - out),)
    ),
    "|x| in a slope": row(
        "cube",
        lambda x: x * x * x,
        lambda m, x: x * x * x,
        partials=(lambda out, x: 3.0 * tinygraph.abs(x) * tinygraph.abs(x),),
    ),
    "a slope that is right to a millionth": row(
        "square", lambda x: x * x, None, partials=(lambda out, x: 2.000001 * x,)
    ),
    "a value that is off": row(
        "square", lambda x: x * x * (1 + 1e-14), lambda m, x: x * x, partials=(lambda out, x: 2.0 * x,)
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("seed", range(2))
def test_wrong_rows_are_reported_with_op_point_and_error(what, seed):
    from hypothesis import seed as seeded

    test = seeded(seed)(op_test(WRONG[what]))
    with pytest.raises((AssertionError, ExceptionGroup)) as caught:
        test()
    errors = caught.value.exceptions if isinstance(caught.value, ExceptionGroup) else [caught.value]
    for error in errors:
        assert f"<op {WRONG[what].symbol}(" in str(error)
        assert "at (" in str(error)
        assert "relative error" in str(error)


@pytest.mark.parametrize("what", ["sign", "missing factor", "swapped operands", "a slope that is right to a millionth"])
def test_a_wrong_row_inside_a_program_is_found(what):
    wrong = WRONG[what]
    f = (lambda x, y: wrong(x + y) * y) if wrong.arity == 1 else (lambda x, y: wrong(x, y) + x)
    with pytest.raises(AssertionError, match=r"the derivative by x\n  backpropagation .*\n  (mpmath|six-point)"):
        assert_gradient(f, 1.5, 0.5)


# --- assertions


@settings(max_examples=20)
@given(program=graphs(max_steps=5, max_inputs=2))
def test_right_programs_pass(program):
    assert_gradient(program, *program.at)
    assert_gradient(program, *program.at, order=2)


def test_the_oracle_is_the_best_there_is():
    from tinygraph.checking.comparison import Program as Flat
    from tinygraph.testing.assertions import _Oracle

    def oracle(f, *at):
        program = Flat(f, at, values=True)
        return _Oracle(program, *program.record(program.numbers))

    linear = oracle(lambda x, y: tinygraph.total([x, y, x]) - (-y + 3.0), 1e300, 0.1)
    assert (linear.name, linear.derivative(0), linear.derivative(1)) == ("exact arithmetic", (2.0, 0.0), (2.0, 0.0))
    smooth = oracle(lambda x: tinygraph.tanh(x), 300.0)
    assert smooth.name == "mpmath"
    assert smooth.derivative(0)[0] == pytest.approx(4 * math.exp(-600), rel=1e-12)
    assert smooth.second(0, 0)[0] == pytest.approx(-8 * math.exp(-600), rel=1e-12)
    assert smooth.third(0) == pytest.approx(16 * math.exp(-600), rel=1e-12)
    kinked = oracle(lambda x: tinygraph.relu(x) * x, 3.0)
    assert kinked.name == "six-point difference"
    local, blur = kinked.derivative(0)
    assert abs(local - 6.0) <= blur < 1e-8
    assert kinked.second(0, 0)[0] == pytest.approx(2.0, rel=1e-9)
    assert kinked.third(0) is None


def test_messages_say_everything():
    wrong = Op("wrong", lambda x: x * x, partials=(lambda out, x: 3.0 * x,), domain=domain.KINK_AT_0)
    with pytest.raises(AssertionError) as caught:
        assert_gradient(lambda w, x: wrong(w[0]) * x, [2.0], 5.0)
    text = str(caught.value)
    assert "lambda" in text
    assert "at (w[0] = 2.0, x = 5.0)" in text
    assert "the derivative by w[0]" in text
    assert "backpropagation      30.0" in text
    assert "six-point difference 20.0" in text
    assert "its own error" in text
    assert "relative error 5.0e-01" in text
    with pytest.raises(AssertionError, match=r"the point is at a kink: relu\(x\) stands on its kink, at 0"):
        assert_gradient(lambda x: x.relu(), 0.0)
    with pytest.raises(ValueError, match="order is 1 or 2"):
        assert_gradient(lambda x: x, 1.0, order=3)


def test_a_pass_that_touches_data_is_caught():
    class Meddling(float):
        """A slope that edits the leaf it flows to."""

        def __rmul__(self, other):
            leaf.raw += 1.0
            return other * float(self)

    def f(x):
        nonlocal leaf
        leaf = x
        y = x * 2.0
        y.x_partial = Meddling(2.0)
        return y

    leaf = None
    with pytest.raises(AssertionError, match=r"changed x|two passes differ"):
        assert_gradient(f, 1.0)


def test_two_implementations():
    assert_same_gradient(lambda x, y: (x * y).log(), lambda x, y: x.log() + y.log(), 2.0, 3.0)
    assert_same_gradient(lambda x: tinygraph.relu(x), lambda x: tinygraph.maximum(x, 0.0), -1.0)
    with pytest.raises(AssertionError, match=r"differ at \(2.0,\)\n  the derivative by x: 12.0 and 4.0"):
        assert_same_gradient(lambda x: x * x * x, lambda x: x.detach() * x * 2.0, 2.0)
    with pytest.raises(AssertionError, match=r"the value: 4\.0 and 5\.0"):
        assert_same_gradient(lambda x: x * x, lambda x: x * x + 1.0, 2.0)


# --- a user's own op


swish = tinygraph.op(
    "swish",
    lambda x: x * ops.sigmoid.floats(x),
    partials=(lambda out, x: tinygraph.sigmoid(x) + out * tinygraph.sigmoid(-x),),
    analytic=lambda m, x: x / (1.0 + m.exp(-x)),
)
test_swish = op_test(swish, limit=600.0, terms=lambda x: tinygraph.sigmoid(x) * max(abs(x), 1.0))
hypotenuse = tinygraph.op(
    "hypotenuse",
    math.hypot,
    partials=(lambda out, x, y: x / out, lambda out, x, y: y / out),
    domain=Domain("x, y > 0", ((0.001, 1e6), (0.001, 1e6))),
)
test_hypotenuse = op_test(hypotenuse)


def test_an_own_op_is_an_op():
    x = Value(0.5, name="x")
    y = swish(x) * hypotenuse(x, 2.0)
    assert_gradient(lambda x: swish(x) * hypotenuse(x, 2.0), 0.5, order=2)
    assert [node.op.name for node in order(y) if node.op] == ["mul", "hypotenuse", "swish"]
    assert swish(0.5) == y.args[0].data
    assert repr(swish) == "<op swish(x): all reals>"
    twin = pickle.loads(pickle.dumps(y))
    assert twin.args[0].op is swish
    x.data = 1.0
    assert y.forward().data == swish(1.0) * hypotenuse(1.0, 2.0)
    assert isinstance(find(graphs(rows=[swish, ops.mul]), lambda p: any(op is swish for op, _ in p.steps)), Program)


def test_a_bad_registration_is_refused():
    def register(name, floats=math.exp, partials=(lambda out, x: out,)):
        return tinygraph.op(name, floats, partials=partials)

    with pytest.raises(ValueError, match="there is an op 'exp'"):
        register("exp")
    with pytest.raises(ValueError, match="identifier"):
        register("my op")
    with pytest.raises(TypeError, match="a partial of op 'mine' must be a function"):
        register("mine", partials=(1.0,))
    with pytest.raises(TypeError, match="a tuple of one or two functions"):
        register("mine", partials=math.exp)
    with pytest.raises(TypeError, match="floats of op 'mine' must be a function"):
        register("mine", floats="exp")
    with pytest.raises(LookupError, match="import the module that registers it"):
        tinygraph.engine.op.op_named("unheard_of")


def test_mpmath_has_digits_enough_where_its_own_functions_lose_some():
    """Its complex atan keeps three quarters of them near 1."""
    assert_gradient(lambda x: tinygraph.atan(x + 1.0), 0.0, order=2)


def test_a_difference_that_overflows_is_no_oracle():
    """Near the range of floats the six-point difference is not finite; that says nothing against the row."""
    assertions._check_row(ops.pow_dy, (0.5, -1000.0), 8.0, None)


def test_the_difference_knows_that_subnormals_have_few_bits():
    assert ops.div_dy(5e-324, 0.5) == -2e-323
    assert_gradient(ops.div_dy, 5e-324, 0.5)
