"""Gradients of arrays: their shapes, their memory, and all ways to compute them."""

import copy
import threading

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygraph
from tests.oracles.peers import torch_rows
from tests.tensor.agreement import absolute_masses, close, same
from tinygraph import Tensor, Value
from tinygraph.engine import ops
from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining.walk import Walk
from tinygraph.testing import arrays, tensor_programs


@given(program=tensor_programs(), seed=st.floats(0.25, 4.0))
def test_every_gradient_is_an_array_of_the_shape_of_its_data(program, seed):
    root, leaves = program.record()
    root.backward(seed=seed)
    reached = dict.fromkeys(order(root))
    for node in reached:
        assert type(node.data) is np.ndarray
        assert node.data.dtype == np.float64
        assert (node.grad is None) is node.constant or not any(node in other.args for other in reached)
        if node.grad is not None:
            assert type(node.grad) is np.ndarray
            assert node.grad.dtype == np.float64
            assert node.grad.shape == node.data.shape
    partials = tinygraph.grad(root, leaves)
    for i, (leaf, local) in enumerate(zip(leaves, partials, strict=True)):
        assert type(local) is np.ndarray
        assert local.shape == leaf.shape
        assert not any(np.may_share_memory(local, other) for other in (leaf.data, leaf.grad, *partials[:i]))


@given(program=tensor_programs(), seed=st.floats(0.25, 4.0))
def test_gradients_share_no_memory_and_nothing_is_mutated(program, seed):
    before = copy.deepcopy(program.at)
    root, _ = program.record()
    nodes = order(root)
    data = [node.data.copy() for node in nodes]
    seed = np.array(seed)
    root.backward(seed=seed)
    constants = [x for _, operands in program.steps for x in operands if isinstance(x, np.ndarray)]
    held = [seed, *program.at, *constants, *[node.data for node in nodes]]
    gradients = [node.grad for node in nodes if node.grad is not None]
    for i, gradient in enumerate(gradients):
        assert not any(np.may_share_memory(gradient, other) for other in [*held, *gradients[:i]])
        assert gradient.flags.writeable
    assert all(same(node.data, old) for node, old in zip(nodes, data, strict=True))
    assert all(x.tobytes() == y.tobytes() for x, y in zip(program.at, before, strict=True))


@given(program=tensor_programs())
def test_backward_twice_is_the_same_and_accumulate_adds(program):
    root, leaves = program.record()
    root.backward()
    once = [leaf.grad for leaf in leaves]
    root.backward()
    for leaf, old in zip(leaves, once, strict=True):
        assert old is None or (leaf.grad is not old and leaf.grad.tobytes() == old.tobytes())
    root.backward(accumulate=True)
    for leaf, old in zip(leaves, once, strict=True):
        assert old is None or same(leaf.grad, old + old)


@given(x=arrays(), data=st.data())
def test_a_seed_of_any_numbers_is_the_gradient_of_the_root(x, data):
    t = Tensor(x)
    seed = data.draw(arrays(x.shape))
    y = t + 1.0
    y.backward(seed=seed)
    assert same(t.grad, seed)
    assert same(y.grad, seed)
    assert not np.may_share_memory(y.grad, seed)
    t.backward(seed=seed)
    assert not np.may_share_memory(t.grad, seed)
    y.backward(seed=seed.tolist() if x.size else seed)
    assert same(t.grad, seed)
    assert (t.awaited, t.version, y.awaited) == (0, 0, 0)


@given(program=tensor_programs(), seed=st.floats(0.25, 4.0))
def test_the_fast_pass_gives_the_bits_of_the_clear_one(program, seed):
    root, _ = program.record()
    adjoints = {}
    root._run(exhaust, propagate(root, root._seed(seed), adjoints))
    root.backward(seed=seed)
    for node in order(root):
        if node in adjoints and node.grad is not None:
            assert same(node.grad, np.asarray(adjoints[node]))
        assert node.awaited <= 0


def matrix_program(rng):
    """Return the root and leaves of a random program over matrices, whose gradients have many layouts in memory."""
    sizes = rng.integers(1, 100, 4)
    leaves = [Tensor(rng.normal(size=(sizes[i], sizes[j]))) for i, j in rng.integers(0, 4, (4, 2))]
    leaves += [Tensor(rng.normal(size=sizes[i])) for i in range(2)]
    known = list(leaves)

    def axis(x):
        return {"axis": int(rng.integers(x.ndim)), "keepdims": bool(rng.integers(2))}

    steps = [
        lambda x, y: x @ y,
        lambda x, y: x @ y,
        lambda x, y: x @ y,
        lambda x, _: x.T,
        lambda x, _: x.sum(**axis(x)),
        lambda x, _: x.mean(**axis(x)),
        lambda x, y: x * y,
        lambda x, y: x + y * 0.3,
        lambda x, _: np.tanh(x),
        lambda x, _: x[::2] if rng.integers(2) else x[rng.integers(0, len(x), 5)],
        lambda x, y: x.reshape((x.size,)) if rng.integers(2) else tinygraph.concatenate([x, y]),
    ]
    for _ in range(int(rng.integers(3, 10))):
        recent = [-1 - min(int(rng.integers(0, 4)), len(known) - 1) for _ in range(2)]
        x, y = (known[i if rng.random() < 0.6 else rng.integers(len(known))] for i in recent)
        try:
            new = steps[rng.integers(len(steps))](x, y)
        except (ValueError, IndexError, TypeError):
            continue
        if 0 < new.size < 20_000:
            known.append(new)
    return sum(x.mean() * 1.3 if rng.random() < 0.5 else (x * 0.37).sum() for x in known[-3:]), leaves


def check_bits(root, leaves):
    """Check that all ways to compute gradients give the same bits."""
    root.backward()
    walk, stepper = Walk(root, np.array(1.0)), tinygraph.Stepper(root)
    stepper.end()
    graphs = tinygraph.grad(root, leaves, create_graph=True)
    adjoints = {}
    root._run(exhaust, propagate(root, root._seed(None), adjoints))
    for leaf, number, graph in zip(leaves, tinygraph.grad(root, leaves), graphs, strict=True):
        if leaf.grad is None:
            continue
        right = leaf.grad.tobytes()
        assert number.tobytes() == right
        assert np.asarray(adjoints[leaf]).tobytes() == right
        assert graph.data.tobytes() == right
        assert walk.gradient(leaf).tobytes() == right
        edges = walk.into(leaf)
        total = walk.edge(edges[0]).contribution if edges else walk.gradient(leaf)
        for i in edges[1:]:
            total = total + walk.edge(i).contribution
        assert np.asarray(total).tobytes() == right
        assert np.asarray(stepper.grad(leaf)).tobytes() == right


@given(program=tensor_programs(max_size=200))
def test_all_ways_to_compute_gradients_give_the_same_bits(program):
    check_bits(*program.record())


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_all_ways_give_the_same_bits_for_every_layout_in_memory(seed):
    check_bits(*matrix_program(np.random.default_rng(seed)))


def layouts():
    rng = np.random.default_rng(0)
    A, v, r = rng.normal(size=(90, 70)), rng.normal(size=70), rng.normal(size=90)
    return {
        "a sum over a repeated number": lambda: ((Tensor(v) + np.zeros((90, 70))).T.mean(axis=0) * r).sum(),
        "a sum over a transpose": lambda: ((Tensor(0.5) + A).T * v[:, None]).T.mean(axis=0).sum(),
        "a product with a repeated number": lambda: ((Tensor(A).T * 0.37) @ Tensor(r)).mean() * 1.3,
        "a product with a transpose": lambda: (Tensor(A).T @ Tensor(r)).mean() * 0.37,
    }


@pytest.mark.parametrize("name", layouts())
def test_the_layout_in_memory_does_not_change_the_bits_of_a_gradient(name):
    root = layouts()[name]()
    check_bits(root, [node for node in order(root) if node.op is None and not node.constant])


@given(program=tensor_programs())
def test_gradients_that_are_graphs_have_the_same_numbers(program):
    root, leaves = program.record()
    terms = absolute_masses(root)
    plain, graph = tinygraph.grad(root, leaves), tinygraph.grad(root, leaves, create_graph=True)
    for leaf, number, node in zip(leaves, plain, graph, strict=True):
        assert isinstance(node, Tensor)
        assert close(node.data, number, terms.get(leaf, 0.0), 1e-13)


@given(program=tensor_programs(), data=st.data())
def test_forward_mode_agrees_with_reverse_mode(program, data):
    root, leaves = program.record()
    tangents = [data.draw(arrays(leaf.shape)) for leaf in leaves]
    partials = tinygraph.grad(root, leaves)
    terms = absolute_masses(root)
    expected = sum(np.sum(local * tangent) for local, tangent in zip(partials, tangents, strict=True))
    scale = sum(np.sum(terms.get(leaf, 0.0) * np.abs(tangent)) for leaf, tangent in zip(leaves, tangents, strict=True))
    moved = tinygraph.jvp(root, dict(zip(leaves, tangents, strict=True)))
    assert type(moved) is np.ndarray
    assert moved.shape == root.shape
    assert close(moved, np.asarray(expected), scale, 1e-12)


SMOOTH = ["add", "sub", "mul", "neg", "sin", "cos", "exp", "tanh", "sigmoid", "softplus", "atan", "squared_error"]


@given(program=tensor_programs(ops=[TABLE[name] for name in SMOOTH], limit=10.0, max_steps=6), data=st.data())
def test_second_derivatives_are_the_differences_of_first_ones(program, data):
    root, leaves = program.record()
    tangents = [data.draw(arrays(leaf.shape)) for leaf in leaves]
    first = tinygraph.grad(root, leaves, create_graph=True)
    along = sum((local * tangent).sum() for local, tangent in zip(first, tangents, strict=True))
    second = tinygraph.grad(along, leaves)

    def gradient(step):
        moved = [Tensor(x + step * tangent) for x, tangent in zip(program.at, tangents, strict=True)]
        return tinygraph.grad(program(*moved), moved)

    def difference(h):
        near, middle, far = ([p - q for p, q in zip(gradient(k * h), gradient(-k * h), strict=True)] for k in (1, 2, 3))
        return [(45.0 * n - 9.0 * m + f) / (60.0 * h) for n, m, f in zip(near, middle, far, strict=True)]

    size = max([1.0, *[float(np.max(np.abs(g), initial=0.0)) for g in (*second, *[x.data for x in first])]])
    fine, coarse = difference(2.0**-10), difference(2.0**-9)
    blur = max(float(np.max(np.abs(p - q), initial=0.0)) for p, q in zip(fine, coarse, strict=True))
    assume(blur < 1e-4 * size)
    for ours, numeric in zip(second, fine, strict=True):
        assert ours.shape == numeric.shape
        assert np.all(np.abs(ours - numeric) <= 2 * blur + 1e-9 * size)


def test_backward_of_many_numbers_asks_for_one():
    y = Tensor([[1.0, 2.0]], "y")
    with pytest.raises(ValueError, match=r"y has shape \(1, 2\).*\.sum\(\) or \.mean\(\).*seed="):
        y.backward()
    for seed, shape in (([1.0, 1.0], r"\(2,\)"), (1.0, r"\(\)")):
        with pytest.raises(ValueError, match=rf"seed has shape {shape}, but y has shape \(1, 2\)"):
            y.backward(seed=seed)
    with pytest.raises(ValueError, match="has shape"):
        tinygraph.grad(y * 2.0, y)
    with pytest.raises(TypeError):
        (y * 2.0).backward(seed="one")


def torch_apply(torch):
    """Return the ops, including shape and reduction ops, as PyTorch functions."""
    table = torch_rows(torch) | {"binary_cross_entropy_with_logits": None}
    logits = torch.nn.functional.binary_cross_entropy_with_logits
    table["binary_cross_entropy_with_logits"] = lambda z, y: logits(*torch.broadcast_tensors(z, y), reduction="none")
    reductions = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin}

    def reduce(name, axis, keepdims, x):
        axes = tuple(range(x.ndim)) if axis is None else axis
        return reductions[name](x, dim=axes, keepdim=keepdims) if axes != () else x

    def pick(key, x):  # uses a table of indices, because torch does not support negative steps
        found = np.arange(x.numel()).reshape(tuple(x.shape))[key]
        return x.reshape(-1)[torch.as_tensor(np.ascontiguousarray(found).ravel())].reshape(found.shape)

    def apply(op, *args):
        xs = [torch.as_tensor(np.array(x) if isinstance(x, np.ndarray) else x, dtype=torch.float64) for x in args]
        if not isinstance(op, tinygraph.tensor.array_ops.ArrayOp):
            return table[op.name](*xs)
        parts = op.parameters
        if op.name in reductions:
            return reduce(op.name, *parts[-2:], *xs)
        if op.name in ("concatenate", "stack"):
            return {"concatenate": torch.cat, "stack": torch.stack}[op.name](xs, dim=parts[0])
        others = {
            "matmul": torch.matmul,
            "transpose": lambda x: x.permute(parts[0]),
            "reshape": lambda x: x.reshape(parts[0]),
            "index": lambda x: pick(parts[0], x),
        }
        return others[op.name](*xs)

    return apply, table


@settings(max_examples=200)
@given(data=st.data())
def test_torch_agrees_on_random_programs(data):
    torch = pytest.importorskip("torch", reason="needs the dependency group oracles")
    apply, table = torch_apply(torch)
    # Values are at most 6, because torch's derivatives of tanh and sigmoid lose their digits in the tails.
    rows = [TABLE[name] for name in table if name not in ("total", "dot")]
    program = data.draw(tensor_programs(ops=rows, limit=6.0))
    inputs = [torch.tensor(np.array(x), dtype=torch.float64, requires_grad=True) for x in program.at]
    theirs = program.run(inputs, apply)[-1]
    root, leaves = program.record()
    assert root.item() == pytest.approx(theirs.item(), rel=1e-12, abs=1e-12)
    if not theirs.requires_grad:
        return
    theirs.backward()
    terms = absolute_masses(root)
    for leaf, x, local in zip(leaves, inputs, tinygraph.grad(root, leaves), strict=True):
        expected = np.zeros(leaf.shape) if x.grad is None else x.grad.numpy()
        assert close(local, expected, terms.get(leaf, 0.0), 1e-10)


def test_a_tangent_has_the_shape_of_its_node_and_is_not_handed_back():
    t, tangent = Tensor(np.ones((1, 2)), "t"), np.ones((1, 2))
    assert tinygraph.jvp(t.sum(), {t: tangent}) == 2.0
    assert not np.shares_memory(tinygraph.jvp(t, {t: tangent}), tangent)
    with pytest.raises(ValueError, match=r"the tangent has shape \(3,\), but t has shape \(1, 2\)"):
        tinygraph.jvp(t.sum(), {t: np.ones(3)})


def test_the_hessian_of_tensors_has_the_shape_of_both():
    a, b = Tensor([[1.0, 2.0]], "a"), Tensor([3.0, 4.0, 5.0], "b")
    y = (a * a).sum() * (b * b * b).sum()
    (aa, ab), (ba, bb) = tinygraph.hessian(y, [a, b])
    assert [block.shape for block in (aa, ab, ba, bb)] == [(1, 2, 1, 2), (1, 2, 3), (3, 1, 2), (3, 3)]
    assert np.array_equal(aa.reshape(2, 2), 2.0 * 216.0 * np.eye(2))
    assert np.array_equal(ab.reshape(2, 3), np.outer([2.0, 4.0], [27.0, 48.0, 75.0]))
    assert np.array_equal(ba.reshape(3, 2), ab.reshape(2, 3).T)
    assert np.array_equal(bb, 5.0 * np.diag([18.0, 24.0, 30.0]))
    assert np.array_equal(tinygraph.hessian(y, b), bb)
    assert tinygraph.hessian(Tensor(2.0) ** 3, Tensor(2.0)) == 0.0


def test_a_slope_that_came_with_its_value_is_recomputed_with_it():
    z, y = Tensor([[-1.0, 0.5, 30.0]], "z"), np.array([[0.0, 1.0, 1.0]])
    J = tinygraph.binary_cross_entropy_with_logits(z, y).sum()
    assert type(J.args[0].x_partial) is np.ndarray, "they share an exponential"
    z.data = z.data * -2.0
    J.forward().backward()
    fresh = Tensor(z.data)
    again = tinygraph.binary_cross_entropy_with_logits(fresh, y).sum()
    again.backward()
    assert (J.item(), z.grad.tolist()) == (again.item(), fresh.grad.tolist())


def test_a_slope_that_came_with_its_value_has_the_shape_of_its_operand():
    for zs, ys in (((1, 3), (2, 3)), ((2, 1), (1, 3)), ((2, 3), (1, 3)), ((2, 3), (2, 3))):
        z, y = Tensor(np.full(zs, 0.5)), Tensor(np.full(ys, 0.25))
        logits = tinygraph.binary_cross_entropy_with_logits
        logits(z, y.data).sum().backward()
        alone = z.grad
        logits(z, y).sum().backward()
        assert z.grad.shape == alone.shape == zs
        assert np.allclose(z.grad, alone, rtol=1e-15)
        assert np.allclose(y.grad, np.full(ys, -0.5 * np.broadcast(z.data, y.data).size / y.size), rtol=1e-15)


@pytest.mark.parametrize("pair", [((3,), (2, 3)), ((2, 1), (1, 3)), ((), (2,)), ((1,), (3,)), ((2, 1, 1), (3, 1))])
def test_a_gradient_is_summed_over_whatever_its_operand_was_repeated_along(pair):
    for a, b in (pair, pair[::-1]):
        x, y = Tensor(np.full(a, 2.0)), Tensor(np.full(b, 3.0))
        z = x * y
        z.sum().backward()
        assert same(x.grad, np.full(a, 3.0 * z.size / x.size))
        assert same(y.grad, np.full(b, 2.0 * z.size / y.size))


@pytest.mark.parametrize(
    "compute", [lambda c: c, lambda c: c * 3, lambda c: 3 - c, lambda c: c * c, lambda c: c**2 + c]
)
@pytest.mark.parametrize("make", [lambda: Value(2.0, constant=True), lambda: Tensor(2.0, constant=True)])
def test_a_root_that_depends_on_constants_only_passes_no_gradient_on(make, compute):
    """Passing it on would make the count of consumers negative: a Tensor then raised AttributeError or TypeError."""
    c = make()
    y = compute(c)
    y.backward()
    assert float(y.grad) == 1.0
    assert c is y or c.grad is None
    total = Tensor([2.0, 3.0], constant=True).sum()
    total.backward()
    assert float(total.grad) == 1.0


def test_a_gradient_that_is_a_graph_is_a_constant_where_it_is_zero():
    t, other = Tensor([2.0, 3.0]), Tensor([[1.0]])
    zero = tinygraph.grad((t * t).sum(), other, create_graph=True)
    assert (zero.data.tolist(), zero.constant) == ([[0.0]], True)


@pytest.fixture
def during_a_kernel(monkeypatch):
    """Return a function that patches kernel number `slot` of an op so that a thread runs, and is waited for."""

    def patch(op, slot, run, wait=0.1):
        functions, threads = list(op.resolve()), []

        def kernel(*arrays):
            if not threads:
                threads.append(threading.Thread(target=run, daemon=True))
                threads[0].start()
                threads[0].join(wait)
            return functions[slot](*arrays)

        monkeypatch.setattr(op, "array_functions", (*functions[:slot], kernel, *functions[slot + 1 :]))
        return threads

    return patch


def assign(leaf):
    leaf.data = leaf.data + 1.0


def edit_in_place(leaf):
    leaf.data += 1.0


@pytest.mark.parametrize("differentiate", [lambda y, w: y.backward(), tinygraph.grad])
def test_an_edit_by_another_thread_waits_for_the_end_of_a_pass(during_a_kernel, differentiate):
    w = Tensor([1.0, 2.0])
    y = (ops.exp(w) * w).sum()
    threads = during_a_kernel(ops.mul, 1, lambda: assign(w))
    found = differentiate(y, w)
    threads[0].join(5.0)
    assert not threads[0].is_alive()
    assert np.allclose(w.grad if found is None else found, np.exp([1.0, 2.0]) * [2.0, 3.0], rtol=1e-15)
    assert w.data.tolist() == [2.0, 3.0]
    with pytest.raises(tinygraph.StaleGraphError):
        differentiate(y, w)


def test_an_edit_in_place_during_a_pass_is_noticed_at_its_end(during_a_kernel):
    """The array has changed before tinygraph hears of it, so the pass cannot be kept from reading it."""
    w = Tensor([1.0, 2.0])
    y = (ops.exp(w) * w).sum()
    for run in (y.backward, lambda: tinygraph.grad(y, w), lambda: tinygraph.jvp(y, {w: np.ones(2)})):
        threads = during_a_kernel(ops.mul, 1, lambda: edit_in_place(w))
        with pytest.raises(tinygraph.StaleGraphError):
            run()
        threads[0].join(5.0)
        assert w.grad is None
        y.forward()


@pytest.mark.parametrize("edit", [assign, edit_in_place])
@pytest.mark.parametrize(
    ("op", "record"),
    [
        (ops.exp, ops.exp),
        (ops.mul, lambda w: w * w),
        (ops.mul, lambda w: w * 2.0),
        (ops.add, lambda w: w + np.ones((2, 1))),
    ],
    ids=["one operand", "two operands", "a number", "broadcasting"],
)
def test_an_edit_during_the_recording_is_noticed(during_a_kernel, edit, op, record):
    w = Tensor([1.0, 2.0])
    during_a_kernel(op, 0, lambda: edit(w), wait=5.0)
    y = record(w).sum()
    with pytest.raises(tinygraph.StaleGraphError):
        y.backward()


@pytest.mark.parametrize("record", [lambda w: w.sum(), lambda w: w @ w, lambda w: tinygraph.concatenate([w, w])])
def test_an_edit_during_the_recording_of_an_array_op_is_noticed(monkeypatch, record):
    w = Tensor([1.0, 2.0])
    op = record(w).op
    compute = op.compute

    def edited(*arrays):
        thread = threading.Thread(target=lambda: assign(w), daemon=True)
        thread.start()
        thread.join(5.0)
        assert not thread.is_alive()
        return compute(*arrays)

    monkeypatch.setattr(op, "compute", edited)
    y = op(w, w) if op.arity == 2 or op.variadic else op(w)
    monkeypatch.undo()
    with pytest.raises(tinygraph.StaleGraphError):
        y.backward(seed=np.ones(y.shape))


def test_threads_edit_record_and_differentiate_at_once():
    """A gradient belongs to one value of the leaf, or the graph is known to be stale."""
    w, done, right = Tensor(np.ones(2000)), threading.Event(), []

    def edit():
        for i in range(2, 150):
            w.data = np.full(2000, float(i))
        done.set()

    def differentiate():
        while not done.is_set():
            try:
                y = (w * w * w).sum()
                gradient = tinygraph.grad(y, w)
                y.backward()
            except tinygraph.StaleGraphError:
                continue
            k = np.cbrt(y.item() / 2000.0)
            right.append(np.allclose(gradient, 3.0 * k * k, rtol=1e-12))

    threads = [threading.Thread(target=run, daemon=True) for run in (edit, differentiate, differentiate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
        assert not thread.is_alive()
    assert all(right)
