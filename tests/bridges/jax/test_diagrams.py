"""Diagrams of JAX programs: readable texts, names of the program, one box per call, and no box without a purpose."""

import numpy as np
import pytest

import tinygraph
from tests.bridges.diagrams import check_diagram, ops, texts_of
from tinygraph import from_jax
from tinygraph.engine.graph import order

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install --group oracles")
from tests.bridges.jax.programs import PROGRAMS, random  # noqa: E402

jnp = jax.numpy


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_diagram_of_each_program_is_readable(name):
    f, args = PROGRAMS[name]()
    check_diagram(from_jax(f, *args, check=False))


def dense(layer, x):
    y = x @ layer
    return y + 1.0


def test_results_have_the_names_of_local_variables_and_calls_have_scopes_of_their_own():
    def f(w, v, x):
        h = jnp.tanh(dense(w, x))
        logits = dense(v, h)
        return logits.sum()

    root = from_jax(f, random(2, 2), random(2, 3, seed=1), random(4, 2, seed=2))
    named = {node.name: node for node in order(root) if node.op is not None and node.name}
    assert {name: node.op.name for name, node in named.items()} == {"h": "tanh", "logits": "add"}  # y is not unique
    assert named["logits"].scope == ("dense[1]",)
    assert named["h"].x.scope == ("dense",)
    text = texts_of(root)
    assert "h · v" in text
    assert "dense[1]" in texts_of(root, detail="scopes")


def test_a_variable_of_an_inner_trace_or_with_the_name_of_an_argument_gives_no_name():
    def f(x):
        x = x * 2.0  # the argument has this name
        inside = jax.jit(lambda z: (z + 1.0) ** 2)(x)
        both = jax.grad(lambda z: z**3)(inside[0, 0])
        return inside.sum() + both

    root = from_jax(f, random(2, 2))
    assert {node.name for node in order(root) if node.name} == {"x", "inside", "both"}


def test_while_another_profiler_is_active_nothing_gets_a_name():
    import cProfile

    def f(x):
        y = x * 2.0
        return y.sum()

    assert order(from_jax(f, random(2)))[1].name == "y"
    with cProfile.Profile():
        assert order(from_jax(f, random(2)))[1].name == ""


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda x: jax.nn.softmax(x, axis=0), ["softmax"]),
        (lambda x: jax.nn.logsumexp(x, axis=1), ["logsumexp"]),
        (lambda x: x.mean(axis=1, keepdims=True), ["mean"]),
        (lambda x: x.sum() / 6.0, ["mean"]),
        (lambda x: x.sum() / 5.0, ["sum", "div"]),
        (lambda x: x[1, 2], ["index"]),
        (lambda x: x[0] + x[1], ["index", "index", "add"]),
        (lambda x: jnp.where(x > 0, x, 0.0), ["masked"]),
        (lambda x: jnp.where(x > 0, 2.0, x), ["masked"]),
        (lambda x: x.reshape(3, 2).reshape(6), ["reshape"]),
        (lambda x: x.reshape(6).reshape(2, 3) * 2.0, ["mul"]),
        (lambda x: x.T.T + 1.0, ["add"]),
        (lambda x: jnp.transpose(x[None], (1, 2, 0)).transpose(2, 0, 1)[0] * x, ["reshape", "transpose"]),
        (lambda x: x + x[0], ["index", "expand", "add"]),
        (lambda x: jnp.exp(x - jax.lax.stop_gradient(x.max(1, keepdims=True))).sum(), None),
    ],
)
def test_what_jax_composes_is_as_short_as_what_the_user_wrote(f, wanted):
    root = from_jax(f, random(2, 3))
    np.testing.assert_allclose(root.data, f(random(2, 3)), rtol=1e-12)
    if wanted is None or wanted == ["reshape", "transpose"]:
        assert ops(root)
    else:
        assert ops(root) == wanted


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_convolution_has_no_transposition_in_either_layout(layout):
    kernel = "HWIO" if layout == "NHWC" else "OIHW"
    x, w = random(1, 4, 4, 2), random(3, 3, 2, 5, seed=1)
    if layout == "NCHW":
        x, w = np.transpose(x, (0, 3, 1, 2)), np.transpose(w, (3, 2, 0, 1))

    def f(w, x):
        return jax.lax.conv_general_dilated(
            x, w, (2, 1), [(1, 1), (0, 2)], rhs_dilation=(1, 2), dimension_numbers=(layout, kernel, layout)
        )

    root = from_jax(f, w, x)
    assert "transpose" not in ops(root)
    np.testing.assert_allclose(root.data, f(w, x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("axes", "window"), [((1, 2), (1, 2, 3, 1)), ((2, 3), (1, 1, 2, 2)), ((0, 2), (2, 1, 2, 1)), ((), (1, 1, 1, 1))]
)
@pytest.mark.parametrize("add", [True, False])
def test_windows_along_any_axes(axes, window, add):
    x = random(3, 4, 5, 2)

    def f(x):
        return jax.lax.reduce_window(
            x, 0.0 if add else -jnp.inf, jax.lax.add if add else jax.lax.max, window, (1,) * 4, "VALID"
        )

    root = from_jax(f, x)
    np.testing.assert_allclose(root.data, f(x), rtol=1e-12)
    assert {"index"} >= set(ops(root)) - {"sum", "first_max", "mean", "reshape"}


def test_a_softmax_of_your_own_with_a_gradient_of_the_maximum_stays_as_it_is():
    def f(x):
        e = jnp.exp(x - x.max())
        return e / e.sum()

    assert ops(from_jax(f, random(3))) == ["max", "expand", "sub", "exp", "sum", "expand", "div"]
    assert tinygraph.draw(from_jax(f, random(3))).source.count("softmax") == 0


@pytest.mark.parametrize("largest", [lambda x: x.max(1), lambda x: x.max(0), lambda x: x.max(1)[:, None], jnp.max])
@pytest.mark.parametrize("total", [lambda e: e.sum(1), lambda e: e.sum(1, keepdims=True), lambda e: e.sum(0), jnp.sum])
def test_only_a_softmax_becomes_a_softmax(largest, total):
    # In a square matrix, a wrong axis gives another result, but no error.
    def f(x):
        e = jnp.exp(x - jax.lax.stop_gradient(largest(x)))
        return e / total(e) + (jnp.log(total(e)) + largest(x))

    x = random(3, 3)
    root = from_jax(f, x, check=False)
    np.testing.assert_allclose(root.data, f(x), rtol=1e-12)
    root.sum().backward()
    leaf = order(root)[-1]
    wanted = jax.grad(lambda x: f(x).sum())(x)
    np.testing.assert_allclose(leaf.grad, wanted, rtol=1e-9, atol=1e-12)
