"""Parameters and their gradients, in networks of Values and of Tensors."""

import numpy as np
import pytest

from tinygraph.nn import BACKENDS, MLP, Layer, Module, Neuron

backends = pytest.mark.parametrize("backend", BACKENDS)


@backends
def test_zero_grad_sets_each_gradient_to_zero(backend):
    model = MLP(2, [3, 1], backend=backend)
    assert all(p.grad is None for p in model.parameters())
    y = model([1.0, 2.0])
    y.backward()
    once = [np.copy(p.grad) for p in model.parameters()]
    assert any(np.any(grad) for grad in once)
    model.zero_grad()
    for p in model.parameters():
        assert np.shape(p.grad) == np.shape(p.data)
        assert not np.any(p.grad)
    for _ in range(2):
        y.backward(accumulate=True)
    for p, grad in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad, 2.0 * grad, rtol=1e-15)


@backends
def test_a_gradient_may_be_set_to_the_int_0(backend):
    """Programs for micrograd do this."""
    model = Neuron(2, nonlin=False, backend=backend)
    for p in model.parameters():
        p.grad = 0
    y = model([1.0, 2.0])
    y.backward(accumulate=True)
    assert np.concatenate([np.ravel(p.grad) for p in model.parameters()]).tolist() == [1.0, 2.0, 1.0]
    for p in model.parameters():
        p.grad = 0
        p.data -= 0.1 * p.grad  # an update before a backward pass changes nothing


@backends
def test_a_module_of_modules(backend):
    class Two(Module):
        def __init__(self):
            self.first, self.second = Layer(2, 2, backend=backend), Layer(2, 1, nonlin=False, backend=backend)

        def __call__(self, x):
            return self.second(self.first(x))

        def parameters(self):
            return self.first.parameters() + self.second.parameters()

    model = Two()
    model([1.0, 2.0]).backward()
    model.zero_grad()
    assert not any(np.any(p.grad) for p in model.parameters())
    assert Module().parameters() == []
    Module().zero_grad()
