"""Compiled graphs of Tensors: the bits of forward() and backward(), and the same errors as for graphs of Values."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value
from tinygraph.testing import tensor_programs


@given(tensor_programs(moves="all"), st.integers(0, 2**32 - 1))
def test_a_compiled_graph_returns_the_bits_of_forward_and_backward(program, seed):
    """The oracle is the recorded graph, whose leaves are edited. The compiled function keeps a copy."""
    leaves = [Tensor(x) for x in program.at]
    root = program(*leaves)
    if not isinstance(root, Tensor) or root.op is None:
        return
    f = tinygraph.compile(root, leaves)
    rng = np.random.default_rng(seed)
    for size in (0.0, 1e-3, 1e-3):
        moved = [x + size * rng.normal(size=np.shape(x)) for x in program.at]
        for leaf, x in zip(leaves, moved, strict=True):
            leaf.data = x
        try:
            root.forward().backward()
        except FrozenBranchError:
            with pytest.raises(FrozenBranchError):
                f(*moved)
            continue
        value, gradients = f(*moved)
        assert np.float64(value).tobytes() == np.asarray(root.data).tobytes()
        for leaf, gradient in zip(leaves, gradients, strict=True):
            wanted = np.zeros(leaf.shape) if leaf.grad is None else np.asarray(leaf.grad)
            assert np.shape(gradient) == leaf.shape
            assert np.asarray(gradient).tobytes() == wanted.tobytes()


def test_inputs_can_be_nested_and_constants_have_the_gradient_zero():
    X, w, b = Tensor([[1.0, 2.0], [3.0, 4.0]], constant=True), Tensor([1.0, -1.0]), Tensor(0.5)
    f = tinygraph.compile((X @ w + b).sum(), {"layer": [w, b]}.values())
    value, ((dw, db),) = f([[2.0, 1.0], 0.0])
    assert (value, dw.tolist(), db) == (14.0, [4.0, 6.0], 2.0)
    value, (dX, dw) = tinygraph.compile((X @ w + b).sum(), [X, w])(np.ones((2, 2)), [2.0, 2.0])
    assert (value, dX.tolist(), dw.tolist()) == (9.0, [[0.0, 0.0], [0.0, 0.0]], [2.0, 2.0])


def test_the_compiled_function_and_the_graph_do_not_share_arrays():
    w, given = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    y = (w * w).sum()
    f = tinygraph.compile(y, w)
    value, gradient = f(given)
    gradient[:] = 0.0
    given[:] = 0.0
    assert (value, f([3.0, 4.0])[1].tolist(), w.data.tolist(), w.grad) == (25.0, [6.0, 8.0], [1.0, 2.0], None)
    w.data = [9.0, 9.0]  # leaves that are not inputs keep their values, and inputs are given
    assert f([3.0, 4.0])[0] == 25.0


def test_a_comparison_with_another_outcome_is_an_error_and_the_function_stays_usable():
    x = Tensor([1.0, -2.0])
    f = tinygraph.compile((x * tinygraph.where(x > 0.0, 1.0, 2.0)).sum(), x)
    with pytest.raises(FrozenBranchError, match="now has another outcome"):
        f([-1.0, -2.0])
    assert f([3.0, -2.0])[0] == -1.0


def test_threads_can_share_a_compiled_function():
    w = Tensor(np.ones(50))
    f, wrong = tinygraph.compile((w * w).sum(), w), []

    def check(k):
        wrong.extend(1 for _ in range(100) if f(np.full(50, k))[0] != 50 * k * k)

    threads = [threading.Thread(target=check, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_errors():
    w, v = Tensor([1.0, 2.0]), Value(1.0)
    y = (w * w).sum()
    for root, inputs, error, text in [
        (w * 2.0, w, ValueError, r"root must be a scalar, but it has shape \(2,\)"),
        (y, [v], TypeError, r"inputs\[0\] must be a Tensor, or a sequence or dict of Tensors"),
        (v * v, [w], TypeError, r"inputs\[0\] must be a Value, or a sequence or dict of Values"),
        (y, [y], ValueError, "is a computed node"),
        (y, [w, [w]], ValueError, "an input twice"),
        (y, [[]], ValueError, "contains no nodes"),
        (y, 3, TypeError, "inputs must be a leaf of the graph, or a sequence of leaves, not 3"),
    ]:
        with pytest.raises(error, match=text):
            tinygraph.compile(root, inputs)
    f = tinygraph.compile(y, [w])
    with pytest.raises(ValueError, match=r"shape \(3,\), but its nodes have shape \(2,\)"):
        f([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="takes 1 input, got 2"):
        f([1.0, 2.0], 3.0)
    w.data = [3.0, 4.0]
    with pytest.raises(StaleGraphError):
        tinygraph.compile(y, w)
