"""A graph of Tensors notices when an array is edited in place after it was recorded."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Stepper, Tensor, binary_cross_entropy, grad, jvp, sigmoid
from tinygraph.logistic import gradient_descent
from tinygraph.tensor import fingerprints
from tinygraph.testing.array_strategies import RandomTensorProgram, tensor_programs


def close(x, y):
    return np.allclose(x, y, rtol=1e-12, atol=1e-12, equal_nan=True)


# --- leaves

EDITS = {
    "element": lambda w: w.data.__setitem__((0, 0), 5.0),
    "slice": lambda w: w.data.__setitem__(slice(None), 5.0),
    "-=": lambda w: setattr(w, "data", w.data.__isub__(0.5)),
    "-= without assignment": lambda w: w.data.__isub__(0.5),
    "row": lambda w: w.data[1].fill(3.0),
    "transpose": lambda w: w.data.T[1].__setitem__(0, 4.0),
    "flat": lambda w: w.data.flat.__setitem__(2, 4.0),
    "ravel": lambda w: w.data.ravel().__setitem__(3, 5.0),
    "out=": lambda w: np.add(w.data, 1.0, out=w.data),
    "copyto": lambda w: np.copyto(w.data, 2.5),
    "put": lambda w: np.put(w.data, [1], 7.0),
    "sort": lambda w: w.data.sort(axis=0),
    "swap": lambda w: w.data.__setitem__(slice(None), w.data[::-1].copy()),
    "shuffle": lambda w: np.random.default_rng(0).shuffle(w.data.reshape(-1)),
    "memoryview": lambda w: memoryview(w.data).cast("B").cast("d").__setitem__(0, 9.0),
    "asarray": lambda w: np.asarray(w.data).__setitem__((1, 1), 9.0),
    "sign of zero": lambda w: w.data.__setitem__((1, 0), -0.0),
    "NaN": lambda w: w.data.__setitem__((0, 1), np.nan),
}
STALE = {
    "backward": lambda J, w: J.backward(),
    "accumulate": lambda J, w: J.backward(accumulate=True),
    "grad": lambda J, w: grad(J, w),
    "create_graph": lambda J, w: grad(J, w, create_graph=True),
    "hessian": lambda J, w: tinygraph.hessian(J, w),
    "jvp": lambda J, w: tinygraph.jvp(J, {w: np.ones(w.shape)}),
    "stepper": lambda J, w: Stepper(J),
    "explain": lambda J, w: tinygraph.explain(J, w),
    "draw": lambda J, w: tinygraph.draw(J),
    "check_grad": lambda J, w: tinygraph.source(J),
}


def leaf_and_cost():
    w = Tensor([[2.0, 1.0], [0.0, 4.0]], "w")
    return w, (w.T * w * 2.0 + w).sum()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_a_leafs_array_is_an_edit_of_the_leaf(edit):
    w, J = leaf_and_cost()
    J.backward()
    EDITS[edit](w)
    for use in ("backward", "grad", "jvp", "stepper"):
        with pytest.raises(StaleGraphError, match="name='w'"):
            STALE[use](J, w)
    J.forward().backward()
    again = Tensor(w.data, "w")
    fresh = (again.T * again * 2.0 + again).sum()
    fresh.backward()
    assert close(J.data, fresh.data)
    assert close(w.grad, again.grad)


@pytest.mark.parametrize("use", [use for use in STALE if use != "check_grad"])
def test_every_use_of_a_stale_graph_is_refused(use):
    w, J = leaf_and_cost()
    w.data[0, 0] = 5.0
    with pytest.raises(StaleGraphError):
        STALE[use](J, w)
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    J = (w * X).sum()
    STALE[use](J, w)
    X[0, 0] = 5.0
    with pytest.raises(StaleGraphError, match="a constant array was edited in place after the operation 'mul' used it"):
        STALE[use](J, w)


def test_a_graph_that_is_recorded_after_an_edit_is_fresh():
    w = Tensor([1.0, 2.0], "w")
    held = w.data
    for step in range(1, 4):
        held[0] = step  # the same array, which is edited again and again
        old = (w * w).sum()
        w.data[1] += 1.0
        J = (w * w).sum()
        J.backward()
        assert w.grad.tolist() == (2.0 * w.data).tolist()
        with pytest.raises(StaleGraphError):
            old.backward()


def test_reading_a_leaf_makes_nothing_stale():
    w, J = leaf_and_cost()
    first = w.data
    assert w.data is first
    _ = w.data[0, 0], w.data.sum(), repr(w), w.data.copy()
    first[0, 0] = first[0, 0]  # writes the same number
    J.backward()
    del first
    J.backward()


def test_a_held_view_of_an_old_array_does_not_edit_the_new_one():
    w = Tensor([1.0, 2.0], "w")
    held = w.data
    w.data = [3.0, 4.0]
    J = (w * w).sum()
    held[0] = 9.0
    J.backward()
    assert w.grad.tolist() == [6.0, 8.0]


def test_an_edit_before_the_assignment_of_the_same_array_and_after_it_is_noticed():
    w = Tensor([1.0, 2.0], "w")
    held = w.data
    held[0] = 3.0
    w.data = held
    J = (w * w).sum()
    J.backward()
    assert w.grad.tolist() == [6.0, 4.0]
    held[1] = 5.0
    with pytest.raises(StaleGraphError):
        J.backward()


def test_the_shape_of_a_leaf_cannot_be_changed_in_place():
    w = Tensor([1.0, 2.0, 3.0, 4.0], "w")
    held = w.data
    held.shape = (2, 2)
    assert w.shape == (4,)
    with pytest.raises(ValueError, match="shape"):
        w.data = held
    with pytest.raises(ValueError, match="own"):
        w.data.resize(2)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3), (5000,)])
def test_the_array_of_a_leaf_has_its_shape(shape):
    w = Tensor(np.ones(shape))
    assert w.data.shape == shape
    assert w.data.flags.writeable
    w.data += 1.0
    assert w.data.tolist() == np.full(shape, 2.0).tolist()
    J = w.sum()
    w.data *= 2.0
    if w.size:
        with pytest.raises(StaleGraphError):
            J.backward()


@pytest.mark.parametrize("number", [None, "text", [1.0, 2.0]])
def test_a_leaf_whose_array_was_read_accepts_only_arrays_of_its_shape(number):
    b = Tensor(2.0, "b")
    _ = b.data + 1.0
    with pytest.raises((TypeError, ValueError)):
        b.data = number


def test_a_single_element_of_a_large_leaf_is_noticed():
    w = Tensor(np.ones(100_000))
    J = (w * w).sum()
    w.data[77_777] = 3.0
    with pytest.raises(StaleGraphError):
        J.backward()
    assert J.forward().item() == 100_008.0


def test_a_leaf_does_not_keep_the_content_of_an_array_that_nobody_can_edit():
    w = Tensor(np.ones(10))
    w.data -= 0.5
    J = w.sum()
    J.backward()
    assert w.watched.content is None
    held = w.data
    J.backward()
    assert w.watched.content is not None
    del held
    J.backward()
    assert w.watched.content is None


def test_copies_and_detached_views_do_not_share_the_array_of_a_leaf():
    w = Tensor([1.0, 2.0], "w")
    old, twin, deep = w.reshape(2, 1).detach(), copy.copy(w), copy.deepcopy(w)
    w.data[0] = 9.0
    assert old.data.tolist() == [[1.0], [2.0]]
    assert twin.data.tolist() == deep.data.tolist() == [1.0, 2.0]
    J = (twin * w).sum()
    twin.data[1] = 5.0
    assert w.data.tolist() == [9.0, 2.0]
    with pytest.raises(StaleGraphError):
        J.backward()


def test_a_copy_of_a_stale_graph_is_stale():
    w, J = leaf_and_cost()
    w.data[0, 0] = 5.0
    for twin in (copy.copy(J), copy.deepcopy(J), pickle.loads(pickle.dumps(J))):
        with pytest.raises(StaleGraphError):
            twin.backward()
    X = np.ones((2, 2))
    J = (w * X).sum()
    X[0, 1] = 2.0
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(StaleGraphError):
            copying(J.operands[0])


def test_local_derivatives_are_read_only():
    w, X = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    for node in (w * w, w * X):
        for local in filter(lambda local: local is not None, node.partials):
            with pytest.raises(ValueError, match="read-only"):
                local[0] = 9.0
    assert X.flags.writeable


# --- constants


def test_a_reused_buffer_is_noticed():
    buffer, w = np.array([4.0, 6.0]), Tensor([1.0, 1.0], "w")
    first = (w * buffer).sum()
    buffer[:] = [6.0, 8.0]
    second = (w * buffer).sum()
    with pytest.raises(StaleGraphError):
        first.backward()
    second.backward()
    assert w.grad.tolist() == [6.0, 8.0]
    assert first.forward().item() == 14.0
    first.backward()
    assert w.grad.tolist() == [6.0, 8.0]


USES = {
    "mul": lambda w, c: w * c,
    "rmul": lambda w, c: c * w,
    "np.add": lambda w, c: np.add(c, w),
    "power": lambda w, c: w**c,
    "rpow": lambda w, c: c**w,
    "matmul": lambda w, c: w @ c,
    "rmatmul": lambda w, c: c @ w,
    "np.dot": lambda w, c: np.dot(c.T, w),
    "maximum": lambda w, c: np.maximum(w, c),
    "label": lambda w, c: tinygraph.binary_cross_entropy(w.sigmoid(), c),
    "label of logits": lambda w, c: tinygraph.binary_cross_entropy_with_logits(w, c),
    "stack": lambda w, c: tinygraph.stack([c, w, c]) * 2.0,
    "concatenate": lambda w, c: tinygraph.concatenate([w, w * w, c]) * 2.0,
    "constant": lambda w, c: w * Tensor(c, constant=True),
    "constant alone": lambda w, c: w * tinygraph.exp(Tensor(c, constant=True)),
    "two constants": lambda w, c: w * (Tensor(c, constant=True) + c),
    "constant view": lambda w, c: w * Tensor(c, constant=True).T,
    "broadcast constant": lambda w, c: w * Tensor(c[:1], constant=True),
    "row": lambda w, c: w * c[0],
    "slice": lambda w, c: w * c[:, ::-1],
    "own op": lambda w, c: CUBE_AND_SCALE(w, c),
}
CUBE_AND_SCALE = tinygraph.op(
    "cube_and_scale",
    lambda x, y: x * x * x * y,
    partials=(lambda out, x, y: 3.0 * x * x * y, lambda out, x, y: x * x * x),
)


@pytest.mark.parametrize("name", USES)
def test_an_edit_of_a_constant_is_noticed(name):
    w, c = Tensor([[0.25, 0.5], [0.75, 0.5]], "w"), np.array([[0.5, 0.25], [0.5, 0.25]])
    J = USES[name](w, c).sum()
    J.backward()
    before = w.grad
    c[0, 0] = 0.75
    with pytest.raises(StaleGraphError):
        grad(J, w)
    try:
        J.backward()
        assert close(w.grad, before)  # right at the old numbers, like `J.data`
    except StaleGraphError:
        pass
    J.forward().backward()
    fresh = USES[name](w, c).sum()
    assert close(J.data, fresh.data)
    assert close(w.grad, grad(fresh, w))


@pytest.mark.parametrize("key", [[0, 1], np.array([1, 0]), np.array([True, False]), ([0, 1], np.array([1, 1]))])
def test_an_edited_key_does_not_move_the_gradient(key):
    w = Tensor([[1.0, 2.0], [3.0, 4.0]], "w")
    J = w[key].sum()
    expected = grad(J, w)
    for part in key if isinstance(key, tuple) else (key,):
        part[0] = part[1]
    J.backward()
    assert w.grad.tolist() == expected.tolist()


def test_an_edited_mask_or_condition_does_not_change_the_graph():
    w = Tensor([1.0, -2.0, 3.0], "w")
    mask = w > 0.0
    J = (w * mask + w[mask].sum()).sum()
    expected = grad(J, w)
    mask[:] = False
    J.backward()
    assert w.grad.tolist() == expected.tolist()


def test_converted_operands_belong_to_the_graph():
    w, counts = Tensor([1.0, 2.0]), np.array([3, 4])
    listed = [5.0, 6.0]
    J = (w * counts + w * listed).sum()
    counts[0], listed[0] = 9, 9.0
    J.backward()
    assert w.grad.tolist() == [8.0, 10.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        np.asfortranarray,
        lambda a: a.T.copy().T,
        lambda a: a[:, ::-1],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.broadcast_to(a[:1], a.shape).copy(),
    ],
)
def test_a_change_of_a_whole_large_array_is_noticed(make):
    draw = np.random.default_rng(0)
    c = make(draw.normal(size=(60, 70)))
    w = Tensor(np.ones((1, 60)), "w")
    J = (w @ c).sum()
    J.backward()
    c[:] = draw.normal(size=c.shape)
    with pytest.raises(StaleGraphError):
        J.backward()
    assert close(J.forward().data, c.sum())


@pytest.mark.parametrize("shape", [(12, 1000), (1000, 12), (2000,), (33, 32)])
def test_a_sample_contains_elements_of_every_part(shape):
    c = np.zeros(shape)
    source = fingerprints.fingerprints(c)[0][0]
    assert source.size >= fingerprints.SAMPLES
    source[:] = 1.0
    for axis, n in enumerate(shape):
        others = tuple(k for k in range(c.ndim) if k != axis)
        reached = np.flatnonzero(c.sum(axis=others))
        assert len(reached) >= min(n, fingerprints.SAMPLES) * 0.9


@given(place=st.integers(0, 5999), layout=st.sampled_from("CFK"))
def test_strict_notices_every_edit_of_a_large_array(place, layout):
    c = np.ones((2, 3000)) if layout == "K" else np.ones((2, 3000), order=layout)
    c = c[:, ::-1] if layout == "K" else c
    w = Tensor([[1.0, 2.0]], "w")
    with tinygraph.strict():
        J = (w @ c).sum()
    c.flat[place] = 2.0
    with pytest.raises(StaleGraphError):
        J.backward()
    assert J.forward().item() == 9000.0 + 1.0 + place // 3000


def test_a_large_array_is_not_copied():
    c, w = np.ones((1000, 1000)), Tensor(np.ones((1, 1000)), "w")
    for context in (tinygraph.scope("layer"), tinygraph.strict()):
        with context:
            tracemalloc.start()
            try:
                J = ((w @ c).sum() + (w @ Tensor(c, constant=True)).sum()) * 2.0
                J.backward()
                assert tracemalloc.get_traced_memory()[1] < 2_000_000
            finally:
                tracemalloc.stop()


def test_each_iteration_of_gradient_descent_uses_the_data_of_that_iteration():
    X, Y = np.array([[1.0, -1.0]]), np.array([[1.0, 0.0]])
    w, b = Tensor([[0.0]], "w"), Tensor(0.0, "b")
    costs = gradient_descent(w, b, X, Y, learning_rate=1.0, iterations=3)
    next(costs)
    X *= 2.0
    expected = np.mean(np.log1p(np.exp(-2.0 * w.data)))
    assert close(next(costs), expected)


# --- random programs


@given(f=tensor_programs(), data=st.data())
def test_no_edit_in_place_gives_a_wrong_gradient(f, data):
    constant = [data.draw(st.booleans()) for _ in f.at]
    steps = tuple(
        (op, tuple(x.copy() if isinstance(x, np.ndarray) else x for x in operands)) for op, operands in f.steps
    )
    f = RandomTensorProgram(f.at, steps)
    arrays = [np.array(x) for x in f.at]
    inputs = [Tensor(x, constant=fixed) for x, fixed in zip(arrays, constant, strict=True)]
    root = f(*inputs)
    leaves = [x for x in inputs if not x.constant]
    before = grad(root, leaves)

    editable = [array if x.constant else x.data for x, array in zip(inputs, arrays, strict=True)]
    # An operand without axes becomes a number, so an edit does not reach the graph.
    editable += [x for _, operands in steps for x in operands if isinstance(x, np.ndarray) and x.ndim]
    editable = [array for array in editable if array.size]
    assume(editable)
    array = data.draw(st.sampled_from(editable))
    array.flat[data.draw(st.integers(0, array.size - 1))] += data.draw(st.sampled_from([0.125, -1.0, np.nan]))

    def run_backward():
        root.backward()
        return [x.grad for x in leaves]

    for use in (run_backward, lambda: grad(root, leaves)):
        try:
            found = use()
        except StaleGraphError:
            continue
        for x, y in zip(found, before, strict=True):
            assert close(0.0 if x is None else x, y)
    root.forward()
    fresh_inputs = [Tensor(x.data, constant=x.constant) for x in inputs]
    fresh = f(*fresh_inputs)
    assert close(root.data, fresh.data)
    root.backward()
    for leaf, y in zip(leaves, grad(fresh, [x for x in fresh_inputs if not x.constant]), strict=True):
        assert close(0.0 if leaf.grad is None else leaf.grad, y)


def _use_of_a_constant_logit():
    """Return a loss that is computed from a constant logit, the leaf of the labels, and the array of the logit."""
    array = np.array([1.0, 2.0])
    y = Tensor([0.5, 0.25])
    return binary_cross_entropy(sigmoid(Tensor(array, constant=True)), y).sum(), y, array


@pytest.mark.parametrize(
    "use",
    [
        lambda L, y: L.backward(),
        lambda L, y: grad(L, y),
        lambda L, y: jvp(L, {y: np.ones(2)}),
        lambda L, y: copy.deepcopy(L),
        lambda L, y: pickle.dumps(L),
        lambda L, y: copy.copy(L.x),
    ],
)
def test_an_edit_of_the_logit_of_a_constant_activation_is_noticed(use):
    L, y, array = _use_of_a_constant_logit()
    use(L, y)
    array[0] = 5.0
    with pytest.raises(StaleGraphError, match="edited in place"):
        use(L, y)
    L.forward()
    L.backward()
    assert y.grad.tolist() == [-5.0, -2.0]


def test_a_copy_of_a_loss_watches_the_logit_that_it_copied():
    L, _, array = _use_of_a_constant_logit()
    loaded = pickle.loads(pickle.dumps(L))
    array[0] = 5.0
    loaded.backward()
    assert loaded.x.y.grad.tolist() == [-1.0, -2.0]
    loaded.x.x.x.raw[0] = 5.0
    with pytest.raises(StaleGraphError, match="edited in place"):
        loaded.backward()
