"""Softmax, log-sum-exp and cross-entropy: values, derivatives of every order, tails, and special values."""

import itertools
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.torch_orders import assert_three_orders
from tests.tensor.test_array_ops import axes
from tinygraph import Tensor, Value
from tinygraph.engine.autodiff import grad
from tinygraph.testing import arrays, shapes

EPS = 2.0**-53
FUNCTIONS = ("softmax", "log_softmax", "logsumexp")
rng = np.random.default_rng(1)


def exact(name, x):
    """Return the elements of the result as mpmath numbers, computed from the definition."""
    x = list(map(mpmath.mpf, x))
    if name == "logsumexp":
        return [mpmath.log(mpmath.fsum(map(mpmath.exp, x)))]
    rests = [mpmath.fsum(mpmath.exp(z - x[i]) for j, z in enumerate(x) if j != i) for i in range(len(x))]
    return [1 / (1 + rest) if name == "softmax" else -mpmath.log1p(rest) for rest in rests]


def worst(found, expected, scale=0.0):
    """Return the largest error relative to the expected numbers, or to a scale that is larger, in units of EPS."""
    pairs = zip(np.ravel(found), expected, strict=True)
    return max(
        float(abs(mpmath.mpf(f) - e) / max(abs(e), scale)) / EPS if e or scale else float(f != 0) for f, e in pairs
    )


confident = [
    [0.0, 40.0],
    [0.0, 600.0, -100.0],
    [-36.7, 0.0, -36.8],
    [5.0, 5.0, 5.0, -700.0],
    [1000.0, 999.0],
    [-1000.0, -1001.5, -1040.0],
    [0.3],
]


def width(x):
    """Return the largest difference d of two elements: a rounded d changes exp(d) by a relative error of d ULP."""
    return max(abs(a - b) for a, b in itertools.product(x, x))


logits = st.lists(st.floats(-300.0, 300.0), min_size=1, max_size=5)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(x=logits | st.sampled_from(confident))
def test_values_are_those_of_the_definition(name, x):
    with mpmath.workdps(400):  # the softmax of 600 is 1 minus 1e-260
        expected = exact(name, x)
        scale = max(map(abs, x)) if name == "logsumexp" else 0.0  # a sum of max(x) and a logarithm can cancel
        found = getattr(tinygraph, name)(np.array(x))
        assert worst(found, expected, scale) <= (4.0 if scale else 6.0 + 2.0 * width(x))


@given(x=logits | st.sampled_from(confident), data=st.data())
def test_the_gradient_of_the_cross_entropy_keeps_its_digits(x, data):
    """A correct label gives softmax(z) - 1, which a subtraction would round to 0 from z = 37 on."""
    label = data.draw(st.integers(0, len(x) - 1))
    z = Tensor(x)
    L = tinygraph.cross_entropy(z, label)
    L.backward()
    with mpmath.workdps(400):
        p = exact("softmax", x)
        expected = [p[i] if i != label else -mpmath.fsum(p[:i] + p[i + 1 :]) for i in range(len(x))]
        assert worst(L.data, [-exact("log_softmax", x)[label]]) <= 6.0 + 2.0 * width(x)
        assert worst(z.grad, expected) <= 16.0 + 2.0 * width(x)


@given(x=st.sampled_from([[0.0, 40.0], [0.0, 300.0, -20.0], [-36.7, 0.0, -36.8]]), data=st.data())
def test_the_gradient_of_one_probability_keeps_its_digits(x, data):
    """The derivative p (1 - p) of the largest probability would round to 0, because p rounds to 1."""
    i = data.draw(st.integers(0, len(x) - 1))
    z = Tensor(x)
    tinygraph.softmax(z)[i].backward()
    with mpmath.workdps(400):
        p = exact("softmax", x)
        expected = [p[i] * (mpmath.fsum(p[:i] + p[i + 1 :]) if i == j else -p[j]) for j in range(len(x))]
        assert worst(z.grad, expected) <= 16.0 + 2.0 * width(x)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_shapes_and_axes_are_numpys(name, data):
    (shape,) = data.draw(shapes(1))
    x = data.draw(arrays(shape))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    with np.errstate(all="ignore"):
        total = np.sum(np.exp(x), axis=axis, keepdims=True)
        plain = {"softmax": np.exp(x) / total, "log_softmax": x - np.log(total)}.get(name)
        plain = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)) if plain is None else plain
    out = getattr(tinygraph, name)(Tensor(x), axis, **({"keepdims": keepdims} if name == "logsumexp" else {}))
    assert out.shape == np.shape(plain)
    assert np.allclose(out.data, plain, rtol=1e-12, atol=1e-12)
    method = getattr(Tensor(x), name)(axis)
    assert np.array_equal(method.data.ravel(), out.data.ravel())


def torch_double(x):
    torch = pytest.importorskip("torch", reason="no torch: pip install --group oracles")
    return torch, torch.tensor(x, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_three_orders_are_those_of_torch(name, axis):
    x = rng.normal(size=(3, 4))
    assert_three_orders(
        lambda a: getattr(tinygraph, name)(a, axis=axis), lambda torch, b: getattr(torch, name)(b, axis), x
    )


@pytest.mark.parametrize("kind", ["classes", "one-hot", "soft"])
@pytest.mark.parametrize("axis", [1, 0, -1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_cross_entropy_is_that_of_torch(kind, axis, reduction):
    x, direction = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    classes = np.array([2, 0, 1, 1, 2] if axis == 0 else [4, 0, 1])
    y = np.moveaxis(np.eye(x.shape[axis])[classes], -1, axis)
    y = y if kind != "soft" else np.abs(rng.normal(size=y.shape))
    torch, b = torch_double(x)
    transposed = (b.T, y.T) if axis == 0 else (b, y)
    other = torch.nn.functional.cross_entropy(transposed[0], torch.tensor(transposed[1].copy()), reduction=reduction)
    z = Tensor(x)
    loss = tinygraph.cross_entropy(z, classes if kind == "classes" else y, axis, reduction)
    assert np.allclose(loss.data, other.detach().numpy(), rtol=1e-13)
    first, second = (loss**2).sum(), (other**2).sum()
    for _ in range(3):
        (g,) = torch.autograd.grad(second, b, create_graph=True)
        h = grad(first, z, create_graph=True)
        assert np.allclose(h.data, g.detach().numpy(), rtol=1e-10, atol=1e-12)
        first, second = (h * direction).sum(), (g * torch.tensor(direction)).sum()


def test_labels_can_be_nodes():
    """Distillation learns from the probabilities of another model. Their gradient is -log_softmax."""
    x, p = rng.normal(size=(2, 3)), np.abs(rng.normal(size=(2, 3)))
    z, y = Tensor(x, "z"), Tensor(p, "y")
    L = tinygraph.cross_entropy(z, y)
    torch, b = torch_double(x)
    _, c = torch_double(p)
    other = torch.nn.functional.cross_entropy(b, c)
    first, second = grad(L, [z, y], create_graph=True), torch.autograd.grad(other, [b, c], create_graph=True)
    assert np.allclose(first[1].data, -tinygraph.log_softmax(x) / 2, rtol=1e-14)
    mixed = grad((first[0] ** 2).sum() + (first[1] ** 3).sum(), [z, y])
    expected = torch.autograd.grad((second[0] ** 2).sum() + (second[1] ** 3).sum(), [b, c])
    for found, wanted in zip(mixed, expected, strict=True):
        assert np.allclose(found, wanted.numpy(), rtol=1e-10, atol=1e-13)
    assert tinygraph.cross_entropy(x, y).op is not None


def test_two_classes_are_the_binary_cross_entropy():
    z, y = np.array([-800.0, -3.0, 0.0, 0.5, 40.0, 800.0]), np.array([0.0, 1.0, 1.0, 0.25, 1.0, 0.0])
    a, b = Tensor(z), Tensor(z)
    pairs = tinygraph.stack([np.zeros(6), a])
    loss = tinygraph.cross_entropy(pairs, np.stack([1.0 - y, y]), axis=0, reduction="none")
    other = tinygraph.binary_cross_entropy_with_logits(b, y)
    loss.sum().backward()
    other.sum().backward()
    assert np.allclose(loss.data, other.data, rtol=1e-15, atol=0.0)
    assert np.allclose(a.grad, b.grad, rtol=1e-15, atol=0.0)


inf, nan = np.inf, np.nan


@pytest.mark.parametrize(
    ("x", "p", "log_p", "total"),
    [
        ([-inf, 1.0, 1.0], [0.0, 0.5, 0.5], [-inf, -np.log(2.0), -np.log(2.0)], 1.0 + np.log(2.0)),
        ([inf, 3.0], [1.0, 0.0], [0.0, -inf], inf),
        ([inf, inf, 0.0], [nan, nan, nan], [nan, nan, nan], inf),
        ([-inf, -inf], [nan, nan], [nan, nan], -inf),
        ([-inf], [1.0], [0.0], -inf),
        ([nan, 1.0], [nan, nan], [nan, nan], nan),
        ([1.7e308, -1.7e308], [1.0, 0.0], [0.0, -inf], 1.7e308),
        ([], [], [], -inf),
    ],
)
def test_special_values_are_limits(x, p, log_p, total):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        t = Tensor(x)
        for name, expected in zip(FUNCTIONS, (p, log_p, total), strict=True):
            assert np.allclose(getattr(t, name)().data, expected, rtol=1e-15, atol=0.0, equal_nan=True)
            assert np.allclose(getattr(tinygraph, name)(np.array(x)), expected, rtol=1e-15, atol=0.0, equal_nan=True)
        y = t.logsumexp()
        y.backward()
        assert np.allclose(t.grad, p, equal_nan=True)


def test_a_masked_logit_takes_no_part_in_the_cross_entropy():
    z = Tensor([[-inf, 1.0, 2.0], [0.5, 1.0, -inf]])
    L = tinygraph.cross_entropy(z, [2, 0])
    L.backward()
    small = Tensor([[1.0, 2.0], [1.0, 0.5]])
    other = tinygraph.cross_entropy(small, [1, 1])
    other.backward()
    assert L.item() == other.item()
    assert z.grad[0].tolist() == [0.0, *small.grad[0].tolist()]
    assert z.grad[1].tolist() == [*small.grad[1, ::-1].tolist(), 0.0]
    assert tinygraph.cross_entropy(z.data, [0, 0], reduction="none")[0] == inf


def test_the_derivatives_are_computed_again_after_an_edit():
    z = Tensor([[1.0, 2.0, 0.0]])
    L = tinygraph.cross_entropy(z, [1])
    z.data[0, 2] = 5.0
    assert L.forward().item() == pytest.approx(tinygraph.cross_entropy(z.data, [1]), rel=1e-15)
    L.backward()
    fresh = Tensor(z.data)
    tinygraph.cross_entropy(fresh, [1]).backward()
    assert np.array_equal(z.grad, fresh.grad)


def test_labels_are_copied():
    labels = np.array([0, 1])
    z = Tensor([[1.0, 2.0], [3.0, 5.0]])
    L = tinygraph.cross_entropy(z, labels)
    before = L.item()
    labels[0] = 1
    assert L.forward().item() == before


WRONG = {
    "a class that does not exist": ([0, 4, 1], {}, ValueError, r"integers from 0 to 3, not 4"),
    "a negative class": ([0, -1, 1], {}, ValueError, r"integers from 0 to 3, not -1"),
    "floats": ([0.0, 1.0, 2.0], {}, TypeError, r"array of integers.*astype\(int\)"),
    "NaN": ([0.0, np.nan, 2.0], {}, TypeError, r"the class of each example, not nan; for probabilities, the shape"),
    "an infinity": ([0.0, np.inf, 2.0], {}, TypeError, r"the class of each example, not inf; for probabilities"),
    "a half": ([0.0, 1.0, 0.5], {}, TypeError, r"the class of each example, not 0\.5; for probabilities"),
    "a Tensor": (Tensor([0.0, 1.0, 2.0]), {}, TypeError, r"array of integers.*astype\(int\)"),
    "a Tensor of classes": (Tensor([0.0, 1.0, 2.0]), {}, TypeError, r"array of integers"),
    "too few": ([0, 1], {}, ValueError, r"shape \(2,\), but logits of shape \(3, 4\) with axis=-1 need integers of"),
    "a column": (np.ones((3, 1)), {}, ValueError, r"integers of shape \(3,\), or probabilities of shape \(3, 4\)"),
    "text": ("cat", {}, TypeError, r"labels: 'cat' \(str\)"),
    "a masked array": (np.ma.array([0, 1, 2], mask=[1, 0, 0]), {}, TypeError, "masked"),
    "rows of different lengths": ([[1], [1, 0]], {}, TypeError, "different lengths"),
    "no axis": ([0, 1, 2], {"axis": 2}, np.exceptions.AxisError, r"shape \(3, 4\) have no axis 2"),
    "several axes": ([0, 1, 2], {"axis": (0, 1)}, TypeError, "axis must be an integer"),
    "a reduction": ([0, 1, 2], {"reduction": "average"}, ValueError, "reduction must be one of 'mean', 'sum', 'none'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_labels_are_refused(case):
    labels, options, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        tinygraph.cross_entropy(Tensor(np.zeros((3, 4))), labels, **options)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_wrong_operands_are_refused(name):
    function = getattr(tinygraph, name)
    for wrong in ([Value(1.0), Value(2.0)], Value(1.0), "text", None, [1j], np.ma.array([1.0])):
        with pytest.raises(TypeError, match=name):
            function(wrong)
    with pytest.raises(np.exceptions.AxisError, match=rf"{name} of an array of shape \(2,\): axis 1 is out of bounds"):
        function(Tensor([1.0, 2.0]), axis=1)
    with pytest.raises(TypeError, match=r"axis must be an integer"):
        function(Tensor([1.0, 2.0]), axis=0.5)
