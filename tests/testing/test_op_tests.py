"""Tests of ops, ours and a user's own: wrong ops are found."""

import math
import pickle

import pytest
from hypothesis import find

import tinygraph
from tinygraph import Value
from tinygraph.engine import domain, ops
from tinygraph.engine.domain import Domain
from tinygraph.engine.graph import order
from tinygraph.engine.op import Op
from tinygraph.testing import RandomProgram, assert_gradient, graphs, op_test


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
