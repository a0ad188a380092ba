"""check_grad finds wrong derivatives, and names kinks."""

import math

import numpy as np
import pytest
from hypothesis import given

import tinygraph
from tinygraph import Value, check_grad
from tinygraph.engine.domain import KINK_AT_0
from tinygraph.engine.op import Op
from tinygraph.testing import graphs


@given(program=graphs(max_steps=4))
def test_a_check_says_what_it_compared(program):
    check = check_grad(program, *program.at)
    assert check.ok
    assert len(check.inputs) == len(program.at)
    for entry, x in zip(check.inputs, program.at, strict=True):
        assert entry.at == x
        for part in (f"{entry.backward:.10g}", f"{entry.numeric:.10g}", f"{entry.step:.1e}", f"{entry.error:.1e}"):
            assert part in str(entry)


WRONG = {
    "sign": (lambda x: x * x, lambda out, x: -2.0 * x),
    "missing factor": (lambda x: x * x, lambda out, x: x),
    "one in a million": (lambda x: x * x, lambda out, x: 2.000002 * x),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("analytic", [lambda m, x: x * x, None], ids=["complex step", "central"])
def test_a_wrong_slope_is_found(name, analytic):
    number, local = WRONG[name]
    row = Op("wrong", number, partials=(local,), analytic=analytic)
    check = check_grad(lambda x, y: row(x) * y, 3.0, 2.0)
    assert not check
    wrong, right = check.inputs
    assert not wrong.ok
    assert right.ok
    assert str(check).count("DIFFERS") == 1
    assert wrong.name == "x"
    assert wrong.numeric == pytest.approx(12.0, rel=1e-7)


@pytest.mark.parametrize(
    ("f", "at", "kink"),
    [
        (lambda x: x.relu(), 0.0, "relu(x) is at a kink, at 0"),
        (lambda x: tinygraph.maximum(x, 2.0), 2.0, "maximum(x, 2) is at a kink"),
        (lambda x: (x * 2.0 - 2.0).relu(), 1.0, "relu(0) is at a kink"),
        (lambda x: (x * 2.0 if x > 1.0 else x - 5.0).relu(), 1.0, "another branch"),
    ],
)
def test_a_kink_is_named_instead_of_failing(f, at, kink):
    check = check_grad(f, at)
    assert check
    assert kink in str(check)


def test_a_wrong_slope_is_found_beside_a_kink_elsewhere():
    row = Op("wrong", lambda x: x * x, partials=(lambda out, x: x,), domain=KINK_AT_0)
    assert not check_grad(lambda x: row(x) + tinygraph.relu(x), 3.0)


def test_a_branch_that_moves_nothing_is_no_kink():
    assert "kink" not in str(check_grad(lambda x, y: tinygraph.relu(x * 0.0) + y, 1.0, 1.0))


def test_steep_flat_and_cancelling_functions_are_no_false_alarm():
    assert check_grad(lambda x: tinygraph.exp(50.0 * x), 1.0)
    assert check_grad(lambda x: tinygraph.relu(tinygraph.exp(20.0 * x)), 1.0)
    assert check_grad(lambda x: tinygraph.sin(x) ** 2 + tinygraph.cos(x) ** 2, 0.7)
    assert check_grad(lambda x: abs(x - 1e6) * 1e-9, 3.0)
    assert "f is not finite here" in str(check_grad(lambda x: tinygraph.exp(x), 1000.0))
    assert check_grad(lambda x, y: tinygraph.squared_error(x, y) * x, 0.0, 0.0)
    assert check_grad(lambda x: 3.0, 1.0)
    assert check_grad(lambda x: x * 1e-310, 1e-310)


def test_names_of_inputs():
    names = lambda f, *at: [entry.name for entry in check_grad(f, *at).inputs]  # noqa: E731
    assert names(lambda w, b: w[0] * w[1] + b, [1.0, 2.0], 3.0) == ["w[0]", "w[1]", "b"]
    assert names(lambda p: p["w"] * 2.0, {"w": 1.0}) == ["p['w']"]
    assert names(lambda *xs: xs[0] * xs[1], 1.0, 2.0) == ["argument 1", "argument 2"]
    assert names(tinygraph.sigmoid, 1.0) == ["x"]
    assert names(lambda x: x * 2.0, Value(1.0, name="theta")) == ["theta"]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("analytic", [lambda m, x: x * x, None], ids=["complex step", "central"])
def test_a_number_that_is_not_finite_agrees_with_no_finite_one(value, analytic):
    wrong = Op("wrong", lambda x: x * x, partials=(lambda out, x: value,), analytic=analytic)
    check = check_grad(lambda x: wrong(x) + x, 1.5)
    assert not check
    assert str(check).endswith("DIFFERS")


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_kink_excuses_no_number_that_is_not_finite(value):
    wrong = Op("wrong", abs, partials=(lambda out, x: value,), domain=KINK_AT_0)
    check = check_grad(lambda x: wrong(x), 0.0)
    assert not check
    assert "DIFFERS kink: wrong(x) is at a kink" in str(check)


@pytest.mark.parametrize("value", [math.inf, 7.0])
def test_the_step_shrinks_near_the_end_of_the_domain(value):
    """The function is not finite within the first step, which was an excuse for every derivative."""

    def root(x):
        return math.sqrt(x) if x >= 0 else math.nan

    right = Op("right", root, partials=(lambda out, x: 0.5 / out,))
    wrong = Op("wrong", root, partials=(lambda out, x: value,))
    for x in (1e-4, 1e-9):
        check = check_grad(lambda x: right(x), x)
        assert check
        assert "not checked" not in str(check)
        assert not check_grad(lambda x: wrong(x), x)


def test_outside_the_domain_nan_agrees_with_nan():
    assert check_grad(lambda x: x.log(), -1.0)
    assert check_grad(lambda x: x.sqrt(), 0.0)


@pytest.mark.parametrize("value", [-0.1, 1.1, 7.0])
def test_a_kink_excuses_only_a_derivative_between_the_two_sides(value):
    for choice, passes in ((value, False), (0.3, True)):
        own = Op("own", lambda x: max(x, 0.0), partials=(lambda out, x, c=choice: c,), domain=KINK_AT_0)
        assert bool(check_grad(lambda x, own=own: own(x) * 2.0, 0.0)) is passes


def test_a_kink_within_the_first_step_is_no_excuse():
    """The step shrinks until it contains no kink."""
    wrong = Op("wrong", abs, partials=(lambda out, x: 0.5,), domain=KINK_AT_0)
    for x in (1e-3, 1e-5, 1e-9):
        assert check_grad(lambda x: abs(x), x)
        assert "DIFFERS" in str(check_grad(lambda x: wrong(x), x))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1), (0,)])
def test_arrays_and_tensors(shape):
    x = np.random.default_rng(0).normal(size=shape)
    for at in (x, tinygraph.Tensor(x)):
        check = check_grad(lambda x, k: tinygraph.tanh(x) * k, at, 2.0)
        assert check
        assert len(check.inputs) == x.size + 1
        assert "default_rng(0)" in str(check)
        for entry, t in zip(check.inputs, x.ravel(), strict=False):
            assert entry.at == t


def test_a_wrong_element_of_an_array_is_found():
    def f(x):
        y = (x * x).sum()
        return y + (x.detach()[1] - x[1]) * 1e-3

    check = check_grad(f, np.array([1.0, 2.0, 3.0]))
    assert [entry.ok for entry in check.inputs] == [True, False, True]
    assert "x[1] = 2: backpropagation 3.999" in str(check)


def test_a_function_that_raises_outside_its_domain():
    """The functions of `math` raise ValueError where tinygraph's ops give NaN."""
    root = Op("root", math.sqrt, partials=(lambda out, x: 0.5 / out if out else math.inf,))
    for x in (0.0, 1e-9, 2.0):
        assert check_grad(lambda x: root(x), x)
    wrong = Op("wrong", math.sqrt, partials=(lambda out, x: 7.0,))
    for x in (0.0, 1e-9, 2.0):
        assert not check_grad(lambda x: wrong(x), x)
