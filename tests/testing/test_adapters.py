"""Functions of PyTorch, JAX and autograd: right ones pass, and their own wrong backward passes are found."""

import numpy as np
import pytest

from tinygraph.testing import assert_value_and_grad, from_autograd, from_jax, from_torch

X = np.random.default_rng(0).normal(size=(3, 4)) + 0.05
ACTIVATIONS = [
    *("celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish"),
    *("relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink"),
    *("softmax", "log_softmax", "softmin", "normalize", "glu"),
]
LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "cosine_similarity", "poisson_nll_loss")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_activations_of_torch_pass(name):
    functional = pytest.importorskip("torch.nn.functional")
    options = {"dim": -1} if name in ("softmax", "log_softmax", "softmin", "normalize", "glu") else {}
    assert_value_and_grad(from_torch(lambda x: getattr(functional, name)(x, **options)), X)


@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_of_torch_pass(name):
    functional = pytest.importorskip("torch.nn.functional")
    assert_value_and_grad(from_torch(getattr(functional, name)), X, X[::-1].copy())


def test_a_wrong_function_of_torch_is_found():
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):
        factor = 2.0

        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x * x

        @classmethod
        def backward(cls, context, upstream):
            return Square.factor * context.saved_tensors[0] * upstream

    assert_value_and_grad(from_torch(Square.apply), X)
    Square.factor = 1.0
    with pytest.raises(AssertionError, match="is a factor 2 missing"):
        assert_value_and_grad(from_torch(Square.apply), X)
    with pytest.raises(AssertionError, match=r"every element is 0"):
        assert_value_and_grad(from_torch(lambda x: x.detach().sum()), X)
    with pytest.raises(AssertionError, match=r"gradient of p\['w'\] is wrong"):
        assert_value_and_grad(from_torch(lambda p: (p["w"] * p["w"].detach()).sum() * p["b"]), {"w": X, "b": 2.0})
    with pytest.raises(AssertionError, match="float32"):
        assert_value_and_grad(from_torch(lambda x: (x.float() ** 2).sum()), X)
    with pytest.raises(TypeError, match="must return a torch tensor, not float"):
        from_torch(lambda x: 1.0)(X)


def test_a_wrong_custom_vjp_of_jax_is_found():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", False)
        with pytest.raises(TypeError, match="jax_enable_x64"):
            from_jax(lambda x: x.sum())(X)
        jax.config.update("jax_enable_x64", True)
        assert_value_and_grad(from_jax(lambda p: jax.numpy.tanh(p["w"]) * p["b"]), {"w": X, "b": 2.0})

        @jax.custom_vjp
        def square(x):
            return x * x

        square.defvjp(lambda x: (x * x, x), lambda x, upstream: (-2.0 * x * upstream,))
        with pytest.raises(AssertionError, match="every element has the wrong sign"):
            assert_value_and_grad(from_jax(square), X)
        with pytest.raises(AssertionError, match=r"every element is 0"):
            assert_value_and_grad(from_jax(lambda x: jax.lax.stop_gradient(x).sum()), X)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_a_wrong_primitive_of_autograd_is_found():
    extend = pytest.importorskip("autograd.extend")
    import autograd.numpy as anp

    assert_value_and_grad(from_autograd(lambda p: anp.tanh(p["w"]) * p["b"]), {"w": X, "b": 2.0})
    square = extend.primitive(lambda x: x * x)
    extend.defvjp(square, lambda out, x: lambda upstream: upstream * 3.0 * x)
    with pytest.raises(AssertionError, match=r"1\.5 times the right number"):
        assert_value_and_grad(from_autograd(square), X)


@pytest.mark.parametrize("adapter", [from_torch, from_jax, from_autograd])
def test_only_functions_are_adapted(adapter):
    with pytest.raises(TypeError, match="f must be a function, not 3"):
        adapter(3)
