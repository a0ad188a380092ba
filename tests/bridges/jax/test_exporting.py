"""Graphs as functions of JAX: values and gradients over the op table and over random graphs."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, to_jax
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.testing import graphs, tensor_programs
from tinygraph.testing.strategies import points, public_ops
from tinygraph.vectorizing.source import array_graph

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install --group oracles")
jnp = jax.numpy


UNSHRUNK = (Phase.explicit, Phase.generate)  # JAX compiles each op for each shape, so shrinking takes minutes


@pytest.fixture(autouse=True)
def float64():
    """Compute with float64 in each test of this file."""
    with jax.enable_x64(True):
        yield


def compare(root, rtol=1e-9):
    """Compare the value and the gradients of a scalar graph with those of its function."""
    f = to_jax(root)
    value, gradients = jax.value_and_grad(f)(f.leaves)
    assert value.dtype == jnp.float64
    root.backward()
    assert float(value) == pytest.approx(float(root.data), rel=rtol, nan_ok=True)
    leaves = array_graph(root)
    for name, leaf in leaves.leaves.items():
        if isinstance(root, Tensor):
            wanted = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
        else:
            nodes = [node.grad or 0.0 for node in leaves.nodes_of(name)]
            wanted = np.reshape(nodes, leaf.shape)
        size = np.abs(wanted).max(initial=1.0)
        if not leaf.constant:
            np.testing.assert_allclose(gradients[name], wanted, rtol=rtol, atol=rtol * size)
    return f


def moderate(point):
    """Return a point with the same signs, far from overflow and from underflow, where JAX rounds numbers to 0."""
    return tuple(math.copysign(min(max(abs(x), 1e-3), 20.0), x) for x in point)


@pytest.mark.parametrize("op", [op for op in public_ops() if not op.variadic], ids=lambda op: op.name)
@settings(max_examples=3, deadline=None, phases=UNSHRUNK, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_each_op_of_the_table(op, data):
    """JAX and tinygraph have the same value and gradients inside the op's domain."""
    numbers = [moderate(data.draw(points(op))) for _ in range(3)]
    if op.name == "pow":  # JAX has no derivative by the exponent of a negative base
        numbers = [(abs(x), y) for x, y in numbers]
    operands = [Tensor(np.array(x), name) for x, name in zip(zip(*numbers, strict=True), "xy", strict=False)]
    compare(op(*operands).sum())


PRIVATE = sorted({op.name for op in TABLE.values() if not op.variadic} - {op.name for op in public_ops()})


@pytest.mark.parametrize("name", PRIVATE)
def test_the_private_ops_of_derivatives_come_from_their_formulas(name):
    op = TABLE[name]
    start = 1.2 if "acosh" in name else 0.2
    operands = [Tensor(np.linspace(start, start + 0.6, 4) + 0.1 * i, "xy"[i]) for i in range(op.arity)]
    compare(op(*operands).sum())


def test_a_graph_of_derivatives_is_exported():
    x = Tensor([0.3, 0.7, -1.2], "x")
    y = (tinygraph.gelu(x) * x.tanh() + np.cumsum(x).sigmoid()).sum()
    compare((tinygraph.grad(y, x, create_graph=True) ** 2).sum())


@settings(max_examples=25, deadline=None, phases=UNSHRUNK)
@given(tensor_programs(moves="all", max_steps=5))
def test_random_programs_of_tensors(program):
    leaves = [Tensor(x, f"x{i}") for i, x in enumerate(program.at)]
    root = program(*leaves)
    if isinstance(root, Tensor) and root.op is not None:
        compare(root, rtol=1e-7 if {"eigvalsh", "svdvals"} & {str(x.op) for x in leaves} else 1e-9)


@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
@given(graphs())
def test_random_graphs_of_values(program):
    root = program(*[Value(x, f"x{i}") for i, x in enumerate(program.at)])
    if isinstance(root, Value) and root.op is not None:
        compare(root)


def test_ties_and_points_without_a_derivative():
    """The convention at a kink is the same: ties share equally, and the derivatives of relu and abs at 0 are 0."""
    x = Tensor([0.0, 1.0, 1.0], "x")
    y = x.relu() + abs(x) + tinygraph.maximum(x, [0.0, 1.0, 0.0]) + tinygraph.fmin(x, 1.0) + tinygraph.leaky_relu(x)
    compare((y * [1.0, 2.0, 3.0]).sum() + x.max() + (x * 2.0).min() + np.sort(x)[1] + np.linalg.norm(x * 0.0))


def test_elements_that_are_written_twice():
    x, y = Tensor([1.0, 2.0, 3.0], "x"), Tensor([4.0, 5.0, 6.0], "y")
    compare((tinygraph.set_at(x, np.array([0, 2, 0]), y) * [1.0, 10.0, 100.0]).sum() + x[[1, 1]].prod())


def test_the_transformations_of_jax():
    rng = np.random.default_rng(0)
    X, y = Tensor(rng.normal(size=(8, 2)), "X", constant=True), (rng.normal(size=8) > 0) * 1.0
    w = Tensor([0.1, -0.2], "w")
    root = tinygraph.binary_cross_entropy_with_logits(X @ w, y).mean()
    f = compare(root)
    assert list(f.leaves) == ["X", "w"]
    step = jax.jit(jax.grad(lambda w: f({"w": w})))
    v = f.leaves["w"]
    for _ in range(5):
        v = v - 0.5 * step(v)
    assert f({"w": v}) < f()
    many = jax.vmap(lambda w: f({"w": w}))(jnp.stack([f.leaves["w"], v]))
    np.testing.assert_allclose(many, [f(), f({"w": v})], rtol=1e-14)
    hessian = jax.hessian(lambda w: f({"w": w}))(f.leaves["w"])
    np.testing.assert_allclose(hessian, tinygraph.hessian(root, w), rtol=1e-12)


def test_without_x64_jax_computes_with_float32():
    x = Tensor([1.0, 2.0], "x")
    with jax.enable_x64(False):
        f = to_jax((x / 3.0).exp().sum())
        assert f.leaves["x"].dtype == f().dtype == jnp.float32
        assert float(f()) == pytest.approx(np.exp([1 / 3, 2 / 3]).sum(), rel=1e-6)


def test_the_branch_of_the_recording_is_computed():
    x = Value(2.0, "x")
    f = to_jax(x * 3.0 if x > 0.0 else -x)
    assert float(f({"x": -1.0})) == -3.0


def test_errors():
    x = Tensor([1.0, 2.0], "x")
    with pytest.raises(TypeError, match="root must be the root of a graph, not 3"):
        to_jax(3)
    with pytest.raises(KeyError, match="the graph has no leaf 'y': its leaves are x"):
        to_jax(x.sum())({"y": jnp.ones(2)})
    cube = tinygraph.op("cube", lambda x: x**3, partials=(lambda out, x: 3.0 * x * x,))
    with pytest.raises(NotImplementedError, match=r"the op cube\(x0\) has no counterpart in JAX"):
        to_jax(cube(x).sum())
