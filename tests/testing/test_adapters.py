"""Functions of PyTorch, JAX and autograd: right ones pass, and their own wrong backward passes are found."""

import importlib

import numpy as np
import pytest

from tinygraph.testing import assert_value_and_grad, from_autograd, from_jax, from_torch, gradient_test

X = np.random.default_rng(0).normal(size=(3, 4)) + 0.05


@pytest.fixture
def table():
    """Calls of torch.nn.functional."""
    pytest.importorskip("torch")
    return importlib.import_module("tests.testing.torch_table")


@pytest.mark.parametrize("part", range(6))
def test_the_losses_and_activations_of_torch_pass(table, part):
    assert len(table.CALLS) > 60
    for name in list(table.CALLS)[part::6]:
        f, *at = table.CALLS[name]
        if name in table.NOT_TWICE:
            assert_value_and_grad(from_torch(f), *at)
            with pytest.raises(TypeError, match="PyTorch cannot differentiate f twice"):
                assert_value_and_grad(from_torch(f), *at, order=2)
        else:
            assert_value_and_grad(from_torch(f), *at, order=2)


def test_the_losses_and_activations_of_torch_pass_at_kinks(table):
    for f in table.OF_ONE.values():
        assert_value_and_grad(from_torch(f), table.KINKS)
    for f in table.OF_TWO.values():
        assert_value_and_grad(from_torch(f), table.KINKS, table.KINKS[::-1].copy())


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
    with pytest.raises(TypeError, match="must return a real torch tensor, not float"):
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


@pytest.fixture
def jax():
    """JAX with float64, which is restored after the test."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def test_second_derivatives_of_torch():
    torch = pytest.importorskip("torch")
    right = from_torch(lambda p: torch.sin(p["w"] @ p["w"]) * p["b"])
    assert_value_and_grad(right, {"w": X[:, :3], "b": 2.0}, order=2)
    assert_value_and_grad(from_torch(lambda x: 3.0 * x), X, order=2)  # the second derivative is 0

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(context, upstream):
            return upstream * 3.0 * context.saved_tensors[0].detach() ** 2

    assert_value_and_grad(from_torch(Cube.apply), X)
    with pytest.raises(AssertionError, match=r"along a random direction \(order 2\)\n(.*\n)+.*every element is 0"):
        assert_value_and_grad(from_torch(Cube.apply), X, order=2)
    distances = from_torch(torch.cdist)
    assert_value_and_grad(distances, X, X + 1.0)
    with pytest.raises(TypeError, match=r"PyTorch cannot differentiate f twice, so leave out order=2 \("):
        assert_value_and_grad(distances, X, X + 1.0, order=2)


def test_a_function_of_torch_has_the_names_of_its_forward_pass():
    torch = pytest.importorskip("torch")

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(context, weight, x):
            context.save_for_backward(weight, x)
            return weight * x

        @staticmethod
        def backward(context, upstream):
            weight, x = context.saved_tensors
            return upstream * x, upstream * weight * 2.0

    with pytest.raises(AssertionError, match=r"Scale.apply: 1 problem\n +the gradient of x is wrong(.*\n)+ +x\[2, 1\]"):
        assert_value_and_grad(from_torch(Scale.apply), X, X)

    class Late(Scale):
        @staticmethod
        def forward(weight, x):
            return weight * x

        @staticmethod
        def setup_context(context, inputs, output):
            context.save_for_backward(*inputs)

    with pytest.raises(AssertionError, match=r"Late.apply: 1 problem\n +the gradient of x is wrong(.*\n)+ +x\[2, 1\]"):
        assert_value_and_grad(from_torch(Late.apply), X, X)


def test_second_derivatives_of_jax(jax):
    assert_value_and_grad(from_jax(lambda x: jax.numpy.sin(x @ x.T)), X, order=2)
    cube = jax.custom_vjp(lambda x: x**3)
    cube.defvjp(lambda x: (x**3, x), lambda x, g: (g * 3.0 * jax.lax.stop_gradient(x) ** 2,))
    assert_value_and_grad(from_jax(cube), X)
    with pytest.raises(AssertionError, match=r"\(order 2\)\n(.*\n)+.*every element is 0"):
        assert_value_and_grad(from_jax(cube), X, order=2)
    cube.defvjp(lambda x: (x**3, x), lambda x, g: (np.asarray(g) * 3.0 * np.asarray(x) ** 2,))
    assert_value_and_grad(from_jax(cube), X)
    with pytest.raises(TypeError, match=r"JAX cannot differentiate f twice, so leave out order=2 \(Tracer"):
        assert_value_and_grad(from_jax(cube), X, order=2)


@pytest.mark.parametrize("branch", [False, True])
def test_a_large_wrong_gradient_of_jax_is_found_whether_jax_can_compile_the_function_or_not(jax, branch):
    calls = []

    def f(x):
        calls.append(x)
        y = jax.numpy.sin(x).sum()
        return -y if branch and y > 1e9 else y  # JAX cannot compile a branch that depends on a number

    own = jax.custom_vjp(f)
    own.defvjp(lambda x: (f(x), x), lambda x, upstream: (upstream * 3.0 * jax.numpy.cos(x),))
    x = np.linspace(0.0, 1.0, 100).reshape(10, 10)
    assert_value_and_grad(from_jax(f), x)
    calls.clear()
    with pytest.raises(AssertionError, match=r"wrong in 100 of 100 elements\n(.*\n)+.*3 times the right number"):
        assert_value_and_grad(from_jax(lambda x: own(x)), x)
    assert (len(calls) > 600) == branch


def test_a_forward_pass_of_jax_that_returns_another_value_is_found(jax):
    double = jax.custom_vjp(lambda x: 2.0 * x)
    double.defvjp(lambda x: (3.0 * x, None), lambda _, g: (2.0 * g,))
    with pytest.raises(AssertionError, match="without gradients, f returns another value"):
        assert_value_and_grad(from_jax(double), X)


def test_second_derivatives_of_autograd():
    extend = pytest.importorskip("autograd.extend")
    import autograd.numpy as anp

    assert_value_and_grad(from_autograd(lambda p: anp.tanh(p["w"]) * p["b"]), {"w": X, "b": 2.0}, order=2)
    cube = extend.primitive(lambda x: x**3)
    extend.defvjp(cube, lambda out, x: lambda upstream: upstream * 3.0 * getattr(x, "_value", x) ** 2)
    assert_value_and_grad(from_autograd(cube), X)
    with pytest.raises(AssertionError, match=r"\(order 2\)\n(.*\n)+.*every element is 0"):
        assert_value_and_grad(from_autograd(cube), X, order=2)
    extend.defvjp(cube, lambda out, x: lambda upstream: upstream * 3.0 * np.asarray(x, dtype=float) ** 2)
    with pytest.raises(TypeError, match=r"autograd cannot differentiate f twice, so leave out order=2 \("):
        assert_value_and_grad(from_autograd(cube), X, order=2)


def test_the_second_order_needs_a_framework():
    with pytest.raises(ValueError, match=r"order=2 needs second derivatives, which .* does not return: pass a"):
        assert_value_and_grad(lambda x: (x * x, 2.0 * x), 1.0, order=2)


def test_a_function_of_torch_that_changes_its_input_is_found():
    pytest.importorskip("torch")
    with pytest.raises(AssertionError, match=r"f changes its input: x\[0, 0\] from"):
        assert_value_and_grad(from_torch(lambda x: x.mul_(2.0).sum()), X)
    assert_value_and_grad(from_torch(lambda x: x.clone().mul_(2.0)), X)


def test_a_result_that_is_an_array_is_projected_and_the_message_shows_the_seed():
    pytest.importorskip("torch")
    with pytest.raises(AssertionError, match=r"shape \(3, 4\), so the derivatives are .*default_rng\(0\)"):
        assert_value_and_grad(from_torch(lambda x: x * x.detach()), X)


def test_gradient_test_shows_the_weights_and_the_name_of_a_function_of_torch():
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(context, upstream):
            return 3.0 * upstream * context.saved_tensors[0]

    with pytest.raises(AssertionError) as caught:
        gradient_test(from_torch(Square.apply), {"x": ("n",)})()
    text = str(caught.value)
    assert text.startswith("Square.apply with x (1,)")
    assert "the result has shape (1,), so the derivatives are those of (result * weights).sum()" in text
    assert "Square.apply is at test_adapters.py:" in text
    with pytest.raises(AssertionError, match=r"the result has shape \(1,\), so the derivatives"):
        gradient_test(lambda x: x * x.detach(), {"x": ("n",)})()


def test_a_module_with_float32_parameters_must_be_converted():
    torch = pytest.importorskip("torch")
    net, at = torch.nn.Linear(2, 3), np.ones((1, 2))
    message = "the module Linear has float32 parameters, but the check computes with float64: call .double\\(\\) on it"
    for f in (net, net.forward):
        with pytest.raises(TypeError, match=message):
            assert_value_and_grad(from_torch(f), at)
    with pytest.raises(TypeError, match=message):
        gradient_test(from_torch(net), {"input": ("n", 2)})()
    with pytest.raises(TypeError, match=r"a tensor in f has another dtype than float64: call .double\(\) on .*Double"):
        assert_value_and_grad(from_torch(lambda x: net(x)), at)
    assert_value_and_grad(from_torch(net.double()), at)
    gradient_test(from_torch(net), {"input": ("n", 2)})()
