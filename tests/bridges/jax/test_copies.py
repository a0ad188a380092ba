"""Data of a JAX program are copied at most once, and an edit in place never changes a graph silently."""

import tracemalloc

import numpy as np
import pytest

from tinygraph import StaleGraphError, from_jax
from tinygraph.bridges import named_leaves

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install --group oracles")
jnp = jax.numpy
MANY = 200_000


def first(x, c):
    return (x[:2] * c).sum()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("argnums", [(0, 1), (1,)])
def test_data_are_copied_at_most_once(dtype, argnums):
    with jax.enable_x64(True):
        x, small, c = (jnp.ones(shape, dtype) for shape in (MANY, 3, ()))
        from_jax(first, small, c, argnums=argnums, check=False)  # imports what it needs
        tracemalloc.start()
        try:
            root = from_jax(first, x, c, argnums=argnums, check=False)
            copies = round(tracemalloc.get_traced_memory()[1] / (8 * MANY))
        finally:
            tracemalloc.stop()
        assert copies == (0 if dtype == "float64" and argnums == (1,) else 1)
        leaf = named_leaves(root)["x"]
        assert leaf.raw.dtype == np.float64
        if dtype == "float64":
            assert np.shares_memory(leaf.raw, np.asarray(x)) == (argnums == (1,))


@pytest.mark.parametrize("kind", ["leaf", "constant", "index", "mask"])
def test_an_edit_of_an_array_of_numpy_never_changes_a_graph_silently(kind):
    x = np.array([1.0, 2.0, 3.0])
    k = np.array([0.5, 0.25, 2.0])
    index = np.arange(16).reshape(2, 8)[:, 0] // 8  # the places 0 and 1
    mask = np.array([True, False, True])
    functions = {
        "leaf": (lambda x, k: (x**3 * k).sum(), k, lambda: x.fill(9.0)),
        "constant": (lambda x, k: (x**3 * k).sum(), k, lambda: k.fill(9.0)),
        "index": (lambda x, k: (jnp.zeros(3).at[k].add(x[:2]) ** 2).sum(), index, lambda: index.fill(2)),
        "mask": (lambda x, k: jnp.where(k, x * x, 0.0).sum(), mask, lambda: mask.fill(False)),
    }
    f, other, edit = functions[kind]
    with jax.enable_x64(True):
        root = from_jax(f, x, other, argnums=0)
    root.backward()
    leaf = named_leaves(root)["x"]
    value, gradient = root.item(), leaf.grad.copy()
    edit()
    try:
        root.backward()
    except StaleGraphError:
        assert kind == "constant"
    else:
        assert np.array_equal(leaf.grad, gradient)
        root.forward().backward()
        assert root.item() == value
        assert np.array_equal(leaf.grad, gradient)
