"""Each op works with every part of the library: drawing, stepping, saving, copying, code, and forward mode.

The graphs are those of the list of NumPy expressions. Ops of Values are vectorized and compiled too.
"""

import copy
import itertools
import pickle
import warnings

import numpy as np
import pytest

import tinygraph
from tests.oracles.derivatives import assert_close, weights_of
from tests.saving.examples import described
from tests.tensor.numpy_expressions import EXPRESSIONS, lifted, pieces
from tests.tensor.pending_expressions import PENDING
from tinygraph import Tensor, Value
from tinygraph.engine.graph import order
from tinygraph.engine.op import TABLE
from tinygraph.explaining.code import call_code

READY = [
    e for e in EXPRESSIONS
    if e.kind == "differentiable" and e.text not in PENDING and e.group not in ("Values", "pandas")
]  # fmt: skip


def recorded(expression, point):
    """Return the weighted sum of the result, and the leaves by name."""
    leaves = {name: lifted(name, value)[0] for name, value in point.items()}
    parts = [part for part in pieces(expression.evaluate(leaves)) if isinstance(part, Tensor)]
    terms = [(part * weights_of(part.shape, i)).sum() for i, part in enumerate(parts)]
    root = terms[0]
    for term in terms[1:]:
        root = root + term
    used = set(order(root))
    return root, {name: leaf for name, leaf in leaves.items() if leaf in used}  # without those that are only compared


def drawn(root, leaves, expression):
    for detail in ("full", "plain"):
        text = tinygraph.draw(root, detail=detail).source
        assert all(name in text for name in leaves)
        assert text == tinygraph.draw(root, detail=detail).source
    assert all(f"op={node.op.name!r}" in repr(node) for node in order(root) if node.op is not None)


def explained(root, leaves, expression):
    assert str(tinygraph.tree(root)).count("\n") + 1 >= len(order(root)) - len(leaves)
    assert str(tinygraph.diagnose(root))
    for name, leaf in leaves.items():
        explanation = tinygraph.explain(root, leaf)
        assert name in str(explanation)
        assert name in explanation.latex()
        assert np.array_equal(explanation.total, leaf.grad)


def stepped_through(root, leaves, expression):
    stepper = tinygraph.Stepper(root, phase="both")
    texts = [str(step) for step in stepper]
    assert all(texts)
    assert len(texts) == len(stepper)
    stepper.end()
    for leaf in leaves.values():
        assert np.array_equal(stepper.grad(leaf), leaf.grad)
    stepper.start()
    assert stepper.index == 0


def saved(root, leaves, expression, folder):
    loaded = tinygraph.load(tinygraph.save(root, folder / "graph.json"), verify=True)
    assert described(loaded) == described(root)
    loaded.backward()
    assert described(loaded) == described(root)


def copied(root, leaves, expression):
    for other in (copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        assert described(other) == described(root)
        other.backward()
        assert described(other) == described(root)


def written_as_code(root, leaves, expression):
    """The code of each node computes the value of the node from the values of its operands."""
    for node in order(root):
        if node.op is not None:
            names = {f"v{i}": x.data if isinstance(x, Tensor) else x for i, x in enumerate(node.args)}
            code = call_code(node.op, *names)
            modules = {"np": np, "tinygraph": tinygraph}
            with np.errstate(all="ignore"):
                found = eval(compile(code, "<code>", "eval"), {**modules, **names})
            np.testing.assert_allclose(found, node.data, rtol=1e-14, atol=1e-14, err_msg=code)


def recomputed(root, leaves, expression):
    """After an edit of the leaves, `forward` gives what the expression gives for the new values."""
    point = {name: value * 1.001 for name, value in expression.variables.items()}
    for name, leaf in leaves.items():
        leaf.data = point[name]
    fresh, others = recorded(expression, point)
    root.forward()
    assert np.array_equal(root.data, fresh.data)
    root.backward()
    fresh.backward()
    for name, leaf in leaves.items():
        assert np.array_equal(leaf.grad, others[name].grad)


def differentiated_forward(root, leaves, expression):
    """Forward mode gives the derivative along a direction that the gradient gives."""
    directions = {leaf: np.sin(1.0 + np.arange(leaf.size)).reshape(leaf.shape) for leaf in leaves.values()}
    expected = sum(np.sum(leaf.grad * direction) for leaf, direction in directions.items())
    assert_close(tinygraph.jvp(root, directions), expected, "the derivative along a direction", rel=1e-11)


USES = {
    use.__name__: use
    for use in (drawn, explained, stepped_through, saved, copied, written_as_code, recomputed, differentiated_forward)
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("expression", READY, ids=str)
def test_a_graph_of_tensors_can_be(expression, use, tmp_path):
    root, leaves = recorded(expression, expression.variables)
    root.backward()
    USES[use](root, leaves, expression, *([tmp_path] if use == "saved" else []))


# --- ops of Values ----------------------------------------------------------------------------------

NUMBERS = (0.62, 1.7, -0.43, 2.36, -1.87, 0.31, 3.0, 0.0)
VALUE_OPS = [op for op in TABLE.values() if op.public and not op.variadic]


def points_of(op):
    """Return points at which an op is differentiable."""
    inside = [point for point in itertools.product(NUMBERS, repeat=op.arity) if op.domain.contains(*point)]
    return inside[:: max(1, len(inside) // 7)][:7]


def costs(op):
    """Return a cost of the op at several points, in a loop, and its leaves."""
    leaves = [
        [Value(x, f"{name}{i}") for name, x in zip("xyz", point, strict=False)] for i, point in enumerate(points_of(op))
    ]
    return tinygraph.sum([op(*xs) * (1.5 + 0.25 * i) for i, xs in enumerate(leaves)]), leaves


@pytest.mark.parametrize("op", VALUE_OPS, ids=lambda op: op.name)
def test_an_op_of_values_is_vectorized_compiled_and_written_as_source(op):
    J, leaves = costs(op)
    assert len(leaves) > 1
    J.backward()
    flat = [leaf for xs in leaves for leaf in xs]
    expected = [leaf.grad for leaf in flat]
    found = tinygraph.vectorize(J)
    assert found.root.item() == pytest.approx(J.data, rel=1e-13)
    found.root.backward()
    gradients = {}
    for name, leaf in found.leaves.items():
        gradients.update(zip(found.nodes_of(name), np.ravel(leaf.grad).tolist(), strict=True))
    assert [gradients[leaf] for leaf in flat] == pytest.approx(expected, rel=1e-12, abs=1e-13)
    value, compiled = tinygraph.compile(J, flat)(*[leaf.data for leaf in flat])
    assert value == pytest.approx(J.data, rel=1e-13)
    assert list(compiled) == pytest.approx(expected, rel=1e-12, abs=1e-13)
    names = tinygraph.source(J).run()
    assert names["J"] == pytest.approx(J.data, rel=1e-13)
    numbers = sorted(itertools.chain(*[np.ravel(names[f"d{name}"]) for name in found.leaves if f"d{name}" in names]))
    assert numbers == pytest.approx(sorted(expected), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("op", VALUE_OPS, ids=lambda op: op.name)
def test_a_graph_of_values_can_be_drawn_saved_and_copied(op, tmp_path):
    J, leaves = costs(op)
    J.backward()
    assert all(leaf.name in tinygraph.draw(J).source for xs in leaves for leaf in xs)
    assert all(str(step) for step in tinygraph.Stepper(J, phase="both"))
    assert all(leaf.name in str(tinygraph.explain(J, leaf)) for xs in leaves for leaf in xs)
    loaded = tinygraph.load(tinygraph.save(J, tmp_path / "graph.json"), verify=True)
    for other in (loaded, copy.deepcopy(J), pickle.loads(pickle.dumps(J))):
        assert described(other) == described(J)


def test_the_ops_that_are_tested():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {node.op.name for e in READY for node in order(recorded(e, e.variables)[0]) if node.op is not None}
    assert names >= {"sum", "mean", "max", "matmul", "index", "reshape", "transpose", "expand", "concatenate", "exp"}
    assert {op.name for op in VALUE_OPS} >= {"add", "exp", "sigmoid", "floor"}
