"""Hand-written gradients: right ones pass, and each planted bug is reported with the place and the pattern."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygraph.engine.op import Op
from tinygraph.testing import assert_gradient, assert_jvp, assert_same_gradient, assert_value_and_grad, assert_vjp


def points(shapes, seed):
    """Return random inputs of the given shapes."""
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 4), m=st.integers(1, 4), seed=st.integers(0, 1000))
def test_right_gradients_of_all_shapes_pass(n, m, seed):
    def f(w, X, p):
        z = np.tanh(X @ w) + p["b"]
        dz = 2.0 * z
        da = dz * (1.0 - np.tanh(X @ w) ** 2)
        return (z**2).sum(), (X.T @ da, np.outer(da, w), {"b": dz.sum()})

    random = np.random.default_rng(seed)
    assert_value_and_grad(f, random.normal(size=m), random.normal(size=(n, m)), {"b": 0.3})


def test_a_kink_excuses_only_what_lies_between_the_sides():
    x = np.array([0.0, 1.0])
    relu = lambda at_0: lambda x: (np.maximum(x, 0.0).sum(), np.where(x == 0.0, at_0, x > 0.0))  # noqa: E731
    for choice in (0.0, 0.5, 1.0):
        assert_value_and_grad(relu(choice), x)
    for choice in (-0.1, 1.1, np.nan, np.inf):
        with pytest.raises(AssertionError, match=r"x\[0\] = 0"):
            assert_value_and_grad(relu(choice), x)


def test_a_kink_of_one_input_excuses_no_wrong_gradient_of_another_one():
    def h(factor):
        return lambda w, x: (abs(w) + x * x, (np.sign(w), 2.0 * x * (factor if w == 0.0 else 1.0)))

    assert_value_and_grad(h(1.0), 0.0, 3.0)
    for factor in (0.0, 0.5, 0.99, 1.001, -1.0):
        with pytest.raises(AssertionError, match="the gradient of x is wrong"):
            assert_value_and_grad(h(factor), 0.0, 3.0)


def test_nan_agrees_with_nan_outside_the_domain():
    def f(x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(x).sum(), 1.0 / np.where(x < 0.0, np.nan, x)

    assert_value_and_grad(f, np.array([-1.0]))


OF_ONE_SIDE = {
    "1/x": (lambda x: 1.0 / x, lambda x: -1.0 / x**2),
    "log": (np.log, lambda x: 1.0 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cbrt": (np.cbrt, lambda x: 1.0 / (3.0 * np.cbrt(x) ** 2)),
    "0/0": (lambda x: 1234.48 * x * x / x, lambda x: 1234.48 * x / x),
}


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("name", OF_ONE_SIDE)
def test_an_infinite_gradient_agrees_with_the_limit_of_the_derivative_only(name, zero):
    f, partial = OF_ONE_SIDE[name]
    with np.errstate(all="ignore"):
        assert_value_and_grad(lambda x: (f(x).sum(), partial(x)), np.array([zero]))
        for wrong in (5.0, 1376256.0, 1234.48) + (-partial(np.zeros(1))[0],) * (name != "0/0"):
            if np.isfinite(f(np.array([zero]))).all():
                message = r"x\[0\] = -?0: the gradient is .* right"
            else:
                message = r"f is (nan|-?inf) here: the point is outside its domain, so the gradient cannot be checked"
            with pytest.raises(AssertionError, match="(?s)" + message):
                assert_value_and_grad(lambda x, wrong=wrong: (f(x).sum(), np.full(1, wrong)), np.array([zero]))


def test_a_domain_that_ends_where_a_product_is_minus_zero():
    def root(sign):
        return lambda x: (np.sqrt(-1.0 * x).sum(), -0.5 * sign / np.sqrt(-1.0 * x))  # divides by -0.0

    with np.errstate(all="ignore"):
        assert root(1.0)(np.zeros(1))[1] == np.inf
        assert_value_and_grad(root(1.0), np.zeros(1))
        with pytest.raises(AssertionError, match=r"every element has the wrong sign"):
            assert_value_and_grad(root(-1.0), np.zeros(1))


def test_elements_beside_a_pole_are_not_checked_silently():
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=r"f is inf here.*\n +x\[1\] = 2: .* -0.25"):
        assert_value_and_grad(lambda x: ((1.0 / x).sum(), -1.0 / x**2), np.array([0.0, 2.0]))


@pytest.mark.parametrize("size", [65, 400])
def test_one_wrong_element_among_many_is_found(size):
    def f(x):
        g = 2.0 * x
        g[size // 2] += 1e-3
        return (x * x).sum(), g

    with pytest.raises(AssertionError, match=rf"wrong in 1 of {size} elements\n +x\[{size // 2}\]"):
        assert_value_and_grad(f, np.linspace(-1.0, 1.0, size))


def test_what_a_function_must_return():
    x = np.ones(2)
    with pytest.raises(TypeError, match=r"must return \(value, gradients\), not 2"):
        assert_value_and_grad(lambda x: 2.0, x)
    with pytest.raises(TypeError, match=r"scalar value, but it has shape \(2,\)"):
        assert_value_and_grad(lambda x: (x, x), x)
    with pytest.raises(AssertionError, match=r"1 gradient for 2 inputs \(x, y\)"):
        assert_value_and_grad(lambda x, y: (1.0, x), x, x)
    with pytest.raises(AssertionError, match="the gradient of x is not a real number or array: None"):
        assert_value_and_grad(lambda x: (1.0, None), x)


def test_pullbacks_and_tangents():
    x, y = points([(2, 3), (3,)], 0)
    f = lambda x, y: np.sin(x) * y  # noqa: E731
    assert_vjp(f, lambda g, x, y: (g * np.cos(x) * y, (g * np.sin(x)).sum(0)), x, y)
    assert_jvp(f, lambda at, v: np.cos(at[0]) * v[0] * at[1] + np.sin(at[0]) * v[1], x, y)
    with pytest.raises(AssertionError, match="the gradient of y has shape"):
        assert_vjp(f, lambda g, x, y: (g * np.cos(x) * y, g * np.sin(x)), x, y)
    with pytest.raises(AssertionError, match="the gradient of x is wrong"):  # it ignores the cotangent
        assert_vjp(f, lambda g, x, y: (np.cos(x) * y, (g * np.sin(x)).sum(0)), x, y)
    with pytest.raises(AssertionError, match=r"element \[0, 0\] of the JVP"):
        assert_jvp(f, lambda at, v: np.cos(at[0]) * v[0] * at[1], x, y)
    with pytest.raises(AssertionError, match="the JVP has shape"):
        assert_jvp(f, lambda at, v: 0.0, x, y)


@pytest.mark.parametrize(
    ("jvp", "message"),
    [
        (lambda at, v: np.multiply(2.0 * at[0], v[0], out=at[0]), "changes its inputs"),
        (lambda at, v: (2.0 * at[0] * v[0]).astype(np.float32), "the JVP has dtype float32"),
        (lambda at, v: 2.0 * at[0] * v[0] * np.random.default_rng().uniform(), "a second call .* another JVP"),
        (lambda at, v: 2.0 * at[0] * v[0] * np.nan, r"element \[0\] of the JVP .* is nan"),
    ],
)
def test_a_jvp_that_is_more_than_wrong(jvp, message):
    with pytest.raises(AssertionError, match=message):
        assert_jvp(lambda x: x * x, jvp, np.array([1.0, 2.0]))


def test_a_jvp_outside_the_domain():
    with pytest.raises(AssertionError, match=r"the JVP is 1\.1.*, but f is nan here: this is outside its domain"):
        assert_jvp(lambda x: x * np.nan, lambda at, v: v[0], 1.0)
    assert_jvp(lambda x: x * np.nan, lambda at, v: v[0] * np.nan, 1.0)
    with np.errstate(all="ignore"):
        for zero in (0.0, -0.0):
            for f, partial in OF_ONE_SIDE.values():
                assert_jvp(f, lambda at, v, partial=partial: v[0] * partial(at[0]), np.array([zero, 2.0]))
            with pytest.raises(AssertionError, match=r"element \[0\] of the JVP is 5, but f is -?inf here"):
                assert_jvp(lambda x: 1.0 / x, lambda at, v: np.full(1, 5.0), np.array([zero]))


def test_a_pullback_that_is_more_than_wrong():
    x = np.array([1.0, 2.0])
    with pytest.raises(AssertionError, match="vjp changes the cotangent"):
        assert_vjp(lambda x: x * x, lambda g, x: np.multiply(g, 2.0 * x, out=g), x)
    with pytest.raises(AssertionError, match="the result has dtype float32"):
        assert_vjp(lambda x: np.float32(x), lambda g, x: g, x)
    with pytest.raises(TypeError, match="must return a number or one array, not"):
        assert_vjp(lambda x: (x, x), lambda g, x: g, x)


WRONG = Op("wrong", lambda x: x * x, partials=(lambda out, x: x,), analytic=lambda m, x: x * x)
FAILURES = {
    "value and gradients": lambda: assert_value_and_grad(lambda x: (x * x, x), 1.0),
    "vjp": lambda: assert_vjp(lambda x: x * x, lambda g, x: x, 1.0),
    "jvp": lambda: assert_jvp(lambda x: x * x, lambda at, v: at[0], 1.0),
    "scalars": lambda: assert_gradient(lambda x: WRONG(x), 3.0),
    "a cut": lambda: assert_gradient(lambda x: x * x.detach(), 3.0),
    "a separate gradient": lambda: assert_gradient(lambda x: x * x, 3.0, grad=lambda x: x),
    "two implementations": lambda: assert_same_gradient(lambda x: WRONG(x), lambda x: x * x, 3.0),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_points_to_the_line_of_the_user(name):
    with pytest.raises(AssertionError) as caught:
        FAILURES[name]()
    inside = [entry for entry in caught.traceback if "tinygraph/testing/" in str(entry.path).replace("\\", "/")]
    inside = [entry for entry in inside if "tests" not in entry.path.parts]
    assert inside
    assert all(entry.ishidden(caught) for entry in inside)
