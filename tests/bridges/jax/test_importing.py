"""JAX programs as graphs: values, gradients, names, places, errors, and what works on an imported graph."""

from typing import NamedTuple

import numpy as np
import pytest

import tinygraph
from tinygraph import Stepper, diagnose, draw, explain, from_jax
from tinygraph.bridges import DisagreementError, PrecisionWarning, named_leaves
from tinygraph.bridges.jax.ops.entries import TABLE
from tinygraph.bridges.jax.reference import stacked
from tinygraph.engine.graph import order

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install --group oracles")
from tests.bridges.jax.programs import PROGRAMS, inner, random  # noqa: E402

jnp = jax.numpy
HERE = __file__


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def line_of(text):
    """Return where this file contains a text, as "file:line"."""
    with open(HERE, encoding="utf-8") as file:
        (number,) = [i for i, line in enumerate(file, 1) if line.strip().endswith(f"# {text}")]
    return f"{HERE}:{number}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_all_gradients_are_those_of_jax_and_the_tools_work(name, tmp_path):
    f, args = PROGRAMS[name]()
    proofs = []
    root = from_jax(f, *args, report=proofs.append)
    (proof,) = proofs
    assert proof.float64
    assert proof.value < 1e-9
    assert max(proof.gradients.values()) < 1e-9
    assert proof.gradients
    assert proof.nodes == len(order(root))
    np.testing.assert_allclose(root.data, f(*jax.tree_util.tree_map(jnp.asarray, args)), rtol=1e-9)
    tools_work(root if not root.shape else root.sum(), tmp_path / "graph.json")


def tools_work(root, path):
    """Check that an imported graph is an ordinary graph."""
    leaf = next(leaf for leaf in named_leaves(root).values() if not leaf.constant)
    root.backward()
    gradient = np.array(leaf.grad)
    assert draw(root).source.startswith("digraph")
    assert draw(root, detail="scopes").source.startswith("digraph")
    assert str(explain(root, leaf))
    assert Stepper(root).step() is not None
    diagnose(root)
    tinygraph.save(root, path)
    loaded = tinygraph.load(path, verify=True)
    assert loaded.data == root.data
    np.testing.assert_allclose(tinygraph.source(root).run()[root.name or "J"], root.data, rtol=1e-9)
    assert root.forward().data == loaded.data
    (slope,) = tinygraph.grad(root, [leaf], create_graph=True)
    slope.forward()
    np.testing.assert_allclose(slope.data, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["logistic_regression", "mlp", "attention", "rnn", "cnn"])
def test_gradients_are_those_of_jax_grad(name):
    # Unlike the test above, this one does not use the proof.
    f, args = PROGRAMS[name]()
    root = from_jax(f, *args, check=False)
    root.backward(seed=np.ones(root.shape)) if root.shape else root.backward()
    wanted = jax.grad(lambda *args: f(*args).sum(), argnums=tuple(range(len(args))))(*args)
    names = {name: leaf for name, leaf in named_leaves(root).items() if not leaf.constant}
    found = jax.tree_util.tree_flatten_with_path(wanted)[0]
    assert len(found) == len(names)
    by_name = {"".join([str(getattr(k, "key", getattr(k, "name", ""))) for k in path[1:]]): x for path, x in found}
    if name == "mlp":
        np.testing.assert_allclose(names["params.hidden.w"].grad, by_name["hiddenw"], rtol=1e-9, atol=1e-12)
    for leaf, (_, x) in zip(names.values(), found, strict=True):
        others = [y for _, y in found if y.shape == leaf.shape]
        assert any(np.allclose(leaf.grad, y, rtol=1e-9, atol=1e-12) for y in others), x


@pytest.mark.parametrize("name", ["logistic_regression", "second_derivative_of_tanh", "softmax_cross_entropy"])
def test_second_derivatives_are_those_of_jax(name):
    f, args = PROGRAMS[name]()
    root = from_jax(f, *args)
    leaf = next(leaf for leaf in named_leaves(root).values() if not leaf.constant)
    wanted = jax.hessian(f)(*args)
    if name == "logistic_regression":
        leaf = named_leaves(root)["W"]
    np.testing.assert_allclose(tinygraph.hessian(root, leaf), np.reshape(wanted, tinygraph.hessian(root, leaf).shape))


@pytest.mark.parametrize(
    "f",
    [
        jnp.abs, jax.nn.relu, jnp.sign, lambda x: jnp.maximum(x, 0.0), lambda x: jnp.clip(x, 0.0, 1.0),
        lambda x: jax.lax.clamp(0.0, x, 1.0), lambda x: jnp.max(jnp.stack([x, x, -x])), lambda x: jnp.logaddexp(x, x),
        jax.nn.relu6, jax.nn.hard_tanh, jax.nn.softplus, jax.nn.elu, jax.nn.leaky_relu, jax.nn.silu, jnp.round,
    ],
)  # fmt: skip
@pytest.mark.parametrize("x", [0.0, 1.0, -1.0, 800.0, -800.0])
def test_derivatives_at_special_points_are_those_of_jax(f, x):
    from_jax(f, x)  # raises an error if the derivative differs


def test_the_table_has_at_least_60_primitives():
    assert len(TABLE) > 90
    names = {getattr(jax.lax, name).name for name in dir(jax.lax) if name.endswith("_p")}
    assert len(names & TABLE.keys()) > 80


# --- names, scopes and lines


class Pair(NamedTuple):
    w: np.ndarray
    b: np.ndarray


def test_leaves_have_the_names_of_their_paths():
    def f(batch, pairs, *rest):
        return (batch["x"] * pairs[0].w + pairs[0].b).sum() * rest[0] + batch["deep"]["y"]["z"]

    root = from_jax(f, {"x": random(2), "deep": {"y": {"z": 2.0}}}, [Pair(random(2), random(2))], 3.0)
    assert set(named_leaves(root)) == {"batch.x", "batch.deep.y.z", "pairs.0.w", "pairs.0.b", "rest[0]"}


def layer(w, x):
    return jnp.tanh(w * x)  # in a layer


def test_functions_are_scopes_and_nodes_have_lines():
    def f(w, x):
        return inner(layer(w, x)).sum()  # in f

    root = from_jax(f, random(2), random(2, seed=1))
    assert {node.scope for node in order(root)} == {(), ("layer",), ("inner",)}
    lines = {node.line for node in order(root) if node.op is not None and node.scope == ("layer",)}
    assert lines == {line_of("in a layer")}
    assert root.line == line_of("in f")


def test_named_scopes_and_calls_of_the_same_function_are_scopes():
    f, args = PROGRAMS["named_scopes"]()
    assert {node.scope for node in order(from_jax(f, *args))} == {(), ("encoder",), ("decoder",)}
    f, args = PROGRAMS["nested_jit"]()
    assert {node.scope for node in order(from_jax(f, *args))} >= {("outer", "inner"), ("outer", "inner[1]")}
    f, args = PROGRAMS["rnn"]()
    assert {("step[0]",), ("step[1]",), ("step[2]",)} < {node.scope for node in order(from_jax(f, *args))}


def test_argnums_selects_the_leaves_that_get_a_gradient():
    leaves = named_leaves(from_jax(lambda w, x: w @ x, random(2), random(2, seed=1), argnums=0))
    assert (leaves["w"].constant, leaves["x"].constant) == (False, True)


def test_arrays_outside_of_the_arguments_are_constants_with_a_name():
    data, other = jnp.array([1.0, 2.0]), np.array([3.0, 4.0])
    root = from_jax(lambda w: (w * data + other * other).sum(), random(2))
    leaves = named_leaves(root)
    assert leaves["data"].constant
    assert set(leaves) == {"w", "data"}  # JAX computes the square, because it depends on constants only


# --- loops, branches and recomputation


def test_a_branch_that_was_taken_is_a_guard():
    root = from_jax(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x), 1.0)
    leaf = named_leaves(root)["x"]
    leaf.data = 2.0
    assert root.forward().data == pytest.approx(np.sin(2.0), rel=1e-14)
    leaf.data = -1.0
    with pytest.raises(tinygraph.FrozenBranchError):
        root.forward()


def test_a_number_of_iterations_is_a_guard():
    f, args = PROGRAMS["fixed_point_by_while"]()
    root = from_jax(f, *args)
    leaf = named_leaves(root)["a"]
    leaf.data = 300.0
    with pytest.raises(tinygraph.FrozenBranchError):
        root.forward()


def test_a_loop_that_is_too_long_is_refused():
    def f(x):
        return jax.lax.while_loop(lambda s: s < 100.0, lambda s: s + 1.0, x)

    assert from_jax(f, 0.5).data == 100.5
    with pytest.raises(ValueError, match=rf"^the while_loop at {HERE}:\d+ has more than 10 iterations"):
        from_jax(f, 0.5, max_iterations=10)
    with pytest.raises(ValueError, match=r"^the scan at .* has more than 2 iterations"):
        from_jax(lambda x: jax.lax.scan(lambda c, y: (c + y, y), 0.0, x)[0], random(3), max_iterations=2)


# --- diagnosis


def masked(p):
    logs = jnp.log(p)  # log of 0
    return jnp.where(p > 0, logs, 0.0).sum()


def overflow(x):
    e = jnp.exp(x)  # overflow
    return (e / e.sum()).sum()


def norm(x):
    return jnp.sqrt((x * x).sum())  # sqrt at 0


@pytest.mark.parametrize(
    ("function", "x", "line", "op"),
    [
        (masked, [0.0, 0.5], "log of 0", "log"),
        (overflow, [1000.0, 0.0], "overflow", "exp"),
        (norm, [0.0, 0.0], "sqrt at 0", "sqrt"),
    ],
)
def test_diagnose_finds_where_a_nan_comes_from(function, x, line, op):
    def model(x):
        return function(x)

    assert np.isnan(jax.grad(model)(np.array(x))).any()
    (finding, *_) = diagnose(from_jax(model, np.array(x))).findings
    assert finding.node.op.name == op
    assert finding.node.scope == (function.__name__,)
    assert finding.node.line == line_of(line)


# --- proof


@jax.custom_vjp
def tripled(x):
    return x * x


tripled.defvjp(lambda x: (x * x, None), lambda _, g: (3.0 * g,))


@jax.custom_jvp
def wrong(x):
    return jnp.sin(x)


wrong.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), 2.0 * tangents[0]))


@pytest.mark.parametrize("function", [tripled, wrong])
def test_a_wrong_custom_derivative_is_an_error_that_names_the_function(function):
    name = function.__name__
    with pytest.raises(
        DisagreementError, match=rf"^the gradient of x differs, because the custom derivative of {name} \({HERE}:\d+\)"
    ):
        from_jax(lambda x: function(x).sum(), random(3))
    root = from_jax(lambda x: tripled(x).sum(), random(3), check=False)
    root.backward()
    np.testing.assert_allclose(named_leaves(root)["x"].grad, 2 * random(3))


def test_a_wrong_entry_is_an_error_that_names_the_first_primitive():
    mapping = {jax.lax.tanh_p: tinygraph.sigmoid}
    with pytest.raises(DisagreementError, match=r"^the value of tanh at .* differs: tinygraph has"):
        from_jax(lambda x: jnp.exp(jnp.tanh(x)), random(2), mapping=mapping)


def test_a_wrong_derivative_of_an_entry_is_an_error_that_names_the_first_primitive():
    mapping = {jax.lax.tanh_p: lambda x: tinygraph.tanh(x.detach()) + 0.0 * x}
    with pytest.raises(DisagreementError, match=r"the backward pass first differs at .* comes from tanh at "):
        from_jax(lambda x: jnp.exp(jnp.tanh(2 * x)), random(2), mapping=mapping)


def test_a_function_with_state_is_refused():
    calls = []

    def f(x):
        calls.append(x)
        return x * len(calls)

    with pytest.raises(DisagreementError, match="another value when it is called again"):
        from_jax(f, random(2))


def test_float32_is_recomputed_in_float64():
    w, x = random(3, 2).astype(np.float32), random(2).astype(np.float32)
    proofs = []
    with jax.enable_x64(False):
        root = from_jax(lambda w, x: jnp.tanh(w @ x).sum(), w, x, report=proofs.append)
    assert root.data == pytest.approx(np.tanh(w.astype(float) @ x.astype(float)).sum(), rel=1e-14)
    assert proofs[0].dtype == "float32"
    assert 0 < max(proofs[0].gradients.values()) < 1e-5
    assert "JAX's float32 differs by up to" in str(proofs[0])


@pytest.mark.parametrize("name", ["mlp", "layer_norm", "rnn", "activations", "cond", "fixed_point_by_fori"])
def test_programs_in_float32(name):
    f, args = PROGRAMS[name]()
    wanted = np.asarray(f(*args))
    proofs = []
    with jax.enable_x64(False):
        root = from_jax(f, *args, report=proofs.append)
    assert proofs[0].dtype == "float32"
    np.testing.assert_allclose(root.data, wanted, rtol=1e-6)


def test_a_result_that_float32_loses_is_reported_with_the_first_primitive():
    with (
        jax.enable_x64(False),
        pytest.warns(PrecisionWarning, match=r"the first primitive that differs is exp at .* with float32 has inf"),
    ):
        from_jax(lambda x: jnp.log(jnp.exp(x)).sum(), np.array([100.0, 1.0]))


# --- errors


def test_a_primitive_that_is_not_in_the_table_and_one_that_is_added():
    def f(x):
        return jax.scipy.special.erfinv(x).sum()

    with pytest.raises(
        NotImplementedError,
        match=rf"^the primitive erf_inv at {HERE}:\d+ is not in the table of from_jax: pass",
    ):
        from_jax(f, random(3))
    inverse = tinygraph.op(
        "erfinv",
        lambda x: float(jax.scipy.special.erfinv(x)),
        partials=(lambda out, x: 0.886226925452758 * tinygraph.exp(out**2),),
    )
    assert from_jax(f, random(3), mapping={jax.lax.erf_inv_p: inverse}).data == pytest.approx(f(random(3)))


def python_branch(x):
    return x if x[0] > 0 else -x


@pytest.mark.parametrize(
    ("f", "args", "error", "match"),
    [
        (3, (), TypeError, "f must be a function"),
        (lambda x: (x, x), (random(2),), TypeError, "f must return one array, not"),
        (lambda x: x > 0, (random(2),), TypeError, "f must return an array of floats, not of bool"),
        (lambda x: x, (), TypeError, r"f cannot be called with 0 arguments .*tinygraph.testing.from_jax\(f\)"),
        (abs, (random(2) * 1j,), TypeError, "the argument .* is complex"),
        (lambda x: jnp.ones(2), (random(2),), ValueError, "does not depend on the arrays"),
        (python_branch, (random(2),), TypeError, r"while JAX traces it, for example in an `if`: use jax.lax.cond"),
    ],
)
def test_errors(f, args, error, match):
    with pytest.raises(error, match=match):
        from_jax(f, *args)


@pytest.mark.parametrize("argnums", [2, -3, True, (), (0, "x"), 1.0])
def test_wrong_argnums(argnums):
    with pytest.raises(ValueError, match="argnums must be the position of an argument, or several of them, below 2"):
        from_jax(lambda x, y: x * y, 1.0, 2.0, argnums=argnums)


def test_other_keys_are_refused_in_the_mapping():
    with pytest.raises(TypeError, match=r"each key of mapping must be a primitive such as jax.lax.erf_inv_p, not"):
        from_jax(lambda x: x, random(2), mapping={"exp": tinygraph.exp})


# --- large programs


@pytest.mark.parametrize("count", [1, 2, 64, 65, 500])
def test_many_arrays_are_stacked_by_small_concatenations(count):
    """The time in which JAX compiles a concatenation grows faster than the number of its operands."""
    arrays = [jnp.array([i, i + 0.5]) for i in range(count)]
    assert np.array_equal(stacked(arrays), np.stack([np.asarray(x) for x in arrays]))
    equations = jax.make_jaxpr(stacked)(arrays).jaxpr.eqns
    joined = [len(equation.invars) for equation in equations if equation.primitive.name == "concatenate"]
    assert max(joined, default=1) <= 64


def test_a_long_scan_gives_the_values_and_gradients_of_jax():
    def f(w, x):
        h, hs = jax.lax.scan(lambda h, t: (jnp.tanh(h * w + t),) * 2, x, jnp.linspace(0.0, 1.0, 150))
        return h.sum() + (hs * hs).sum()

    w, x = jnp.array([0.5, 0.3]), jnp.array([0.1, 0.2])
    root = from_jax(f, w, x)
    root.backward()
    assert root.data == pytest.approx(float(f(w, x)), rel=1e-9)
    assert len(order(root)) > 450
    for leaf, gradient in zip(("w", "x"), jax.grad(f, (0, 1))(w, x), strict=True):
        assert named_leaves(root)[leaf].grad == pytest.approx(np.asarray(gradient), rel=1e-9)
