"""Backward passes and JVPs that are right for one cotangent or tangent, but not linear in it."""

import numpy as np
import pytest

from tinygraph.testing import assert_jvp, assert_value_and_grad, assert_vjp, from_torch, gradient_test
from tinygraph.testing.examining.linearity import nonlinearity

X = np.array([0.5, -1.0, 2.0])
WRONG = {  # what a pass does to the cotangent or the tangent
    "guided relu": lambda g: np.maximum(g, 0.0),
    "absolute values": np.abs,
    "clipping": lambda g: np.clip(g, -100.0, 100.0),
    "dropped small elements": lambda g: np.where(np.abs(g) < 0.1, 0.0, g),
    "nothing for negative sums": lambda g: g * (np.sum(g) > 0.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_pass_that_is_not_linear_fails(name):
    wrong, relu = WRONG[name], lambda x: np.maximum(x, 0.0)
    assert_vjp(relu, lambda g, x: g * (x > 0.0), X)
    with pytest.raises(AssertionError, match=r"times the cotangent, element \[.\] of the gradient of x .* linear"):
        assert_vjp(relu, lambda g, x: wrong(g) * (x > 0.0), X)
    with pytest.raises(AssertionError, match=r"times the cotangent, the gradient of x .* linear"):
        assert_vjp(lambda x: x * x, lambda g, x: float(wrong(g)) * 2.0 * x, 3.0)
    assert_jvp(relu, lambda at, v: v[0] * (at[0] > 0.0), X)
    with pytest.raises(AssertionError, match=r"times the tangents, element \[.\] of the JVP .* linear"):
        assert_jvp(relu, lambda at, v: wrong(v[0]) * (at[0] > 0.0), X)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e306])
def test_a_linear_pass_of_any_size_passes(scale):
    matrix = np.random.default_rng(0).normal(size=(3, 3)) * scale
    assert nonlinearity(lambda factor: [matrix @ (factor * X)], ["y"], "x") == ""
    assert "instead of" in nonlinearity(lambda factor: [np.abs(matrix @ (factor * X))], ["y"], "x")


def test_softmax_whose_gradients_cancel_is_linear():
    softmax = lambda x: np.exp(x) / np.exp(x).sum()  # noqa: E731

    def pullback(g, x):
        y = softmax(x)
        return y * (g - (g * y).sum())

    for x in (X, np.array([40.0, 0.0, -40.0]), np.zeros(4)):
        assert_vjp(softmax, pullback, x)


@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_a_torch_function_that_is_not_linear_fails(name, reduced):
    torch = pytest.importorskip("torch")

    class Scaled(torch.autograd.Function):
        wrong = staticmethod(lambda g: g)

        @staticmethod
        def forward(ctx, x):
            y = 3.0 * x
            return y.sum() if reduced else y.clone()

        @staticmethod
        def backward(ctx, g):
            return 3.0 * torch.as_tensor(Scaled.wrong(g.numpy())) * torch.ones(3, dtype=torch.float64)

    assert_value_and_grad(from_torch(Scaled.apply), X)
    gradient_test(from_torch(Scaled.apply), {"x": (3,)}, max_examples=2)()
    Scaled.wrong = staticmethod(WRONG[name])
    with pytest.raises(AssertionError, match=r"times the cotangent, .* must be linear in the cotangent"):
        assert_value_and_grad(from_torch(Scaled.apply), X)
    with pytest.raises(AssertionError, match=r"times the cotangent, .* must be linear in the cotangent"):
        gradient_test(from_torch(Scaled.apply), {"x": (3,)}, max_examples=2)()
