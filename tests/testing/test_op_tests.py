"""`op_test` finds wrong ops, both in the package and registered by users."""

import math
import pickle

import pytest
from hypothesis import find

import tinygraph
from tests.testing.wrong_ops import WRONG
from tinygraph import Value
from tinygraph.engine import ops
from tinygraph.engine.domain import Domain
from tinygraph.engine.graph import order
from tinygraph.testing import RandomProgram, assert_gradient, graphs, op_test


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
    assert isinstance(
        find(graphs(ops=[swish, ops.mul]), lambda p: any(op is swish for op, _ in p.steps)), RandomProgram
    )


def test_a_bad_registration_is_refused():
    def register(name, floats=math.exp, partials=(lambda out, x: out,)):
        return tinygraph.op(name, floats, partials=partials)

    with pytest.raises(ValueError, match="there is already an op named 'exp'"):
        register("exp")
    with pytest.raises(ValueError, match="identifier"):
        register("my op")
    with pytest.raises(TypeError, match="each of the partials of op 'mine' must be a function"):
        register("mine", partials=(1.0,))
    with pytest.raises(TypeError, match="a tuple of one or two functions"):
        register("mine", partials=math.exp)
    with pytest.raises(TypeError, match="floats of op 'mine' must be a function"):
        register("mine", floats="exp")
    with pytest.raises(LookupError, match="import the module that registers it"):
        tinygraph.engine.op.op_named("unheard_of")
