"""The cross-entropy of a sigmoid keeps its digits for every logit, in every backend and through every door."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp, mpf

import tinygraph
from tests.oracles.references import logit_loss, logit_loss_partial, of_logit_partial, sigmoid_partial, ulp_error
from tinygraph import StaleGraphError, Stepper, Tensor, Value, binary_cross_entropy, grad, hessian, jvp, sigmoid
from tinygraph.engine import ops
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.logits import LogitPair, logit_of

LOGITS = (0.3, -2.0, 20.0, 35.0, 36.7, 37.0, 100.0, 354.9, 708.5, 709.8, 745.2, 800.0, 1e300)
ANY_LOGIT = st.floats(-1e3, 1e3) | st.floats(-1e308, 1e308)
LABELS = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)
signed = pytest.mark.parametrize("z0", [sign * z for z in LOGITS for sign in (1.0, -1.0)])
labels = pytest.mark.parametrize("y0", [0.0, 1.0, 0.25])


def third(z):
    s = sigmoid_partial(z)
    return s * mp.tanh(-z / 2)  # sigmoid'' = sigmoid' (1 - 2 sigmoid)


def recorded(z0, y0):
    z, y = Value(z0, "z"), Value(y0, "y")
    a = sigmoid(z)
    a.name = "a"
    return z, y, a, binary_cross_entropy(a, y)


@given(z0=ANY_LOGIT, y0=LABELS)
@example(35.0, 0.0)
@example(37.0, 0.0)
@example(-800.0, 1.0)
def test_value_and_derivatives_are_those_of_mpmath(z0, y0):
    z, y, a, L = recorded(z0, y0)
    L.backward()
    Z, Y = mpf(z0), mpf(y0)
    size = max((1 - Y) * sigmoid_size(Z), Y * sigmoid_size(-Z))
    assert ulp_error(L.data, logit_loss(Z, Y)) <= 2.0
    assert ulp_error(z.grad, logit_loss_partial(Z, Y), None if y0 in (0.0, 1.0) else 2 * size) <= 4.0
    assert y.grad == -z0
    exact = of_logit_partial(Z, Y)
    assert (
        ulp_error(a.grad, exact, abs(exact) if y0 in (0.0, 1.0) else 4 * (1 + mp.exp(min(abs(Z), mpf(10**6))))) <= 6.0
    )  # dL/dz divided by a.partials[0], so it has the errors of both
    assert type(a.grad) is type(z.grad) is float


def sigmoid_size(z):
    return 1 / (1 + mp.exp(-z)) if z > -(10**6) else mpf(0)


@signed
@labels
def test_derivatives_of_order_2_and_3_keep_their_digits(z0, y0):
    z, y, _, L = recorded(z0, y0)
    first = grad(L, z, create_graph=True)
    second = grad(first, z, create_graph=True)
    assert ulp_error(first.data, logit_loss_partial(mpf(z0), mpf(y0))) <= 4.0
    assert first.data == pytest.approx(grad(L, z), rel=6e-16, abs=5e-324)
    assert ulp_error(second.data, sigmoid_partial(mpf(z0))) <= 4.0
    assert float(grad(second, z)) == pytest.approx(float(third(mpf(z0))), rel=1e-14, abs=1e-320)
    (zz, zy), (yz, yy) = hessian(L, [z, y])
    assert (zz, yy) == (second.data, 0.0)
    assert [zy, yz] == pytest.approx([-1.0, -1.0], rel=3e-16)
    assert grad(second, y) == 0.0


@signed
@labels
def test_a_tensor_has_the_same_bits(z0, y0):
    z, y, a, L = recorded(z0, y0)
    second = hessian(L, z)
    L.backward()
    Z, Y = Tensor([[z0]], "z"), Tensor([[y0]], "y")
    A = sigmoid(Z)
    J = binary_cross_entropy(A, Y).sum()
    J.backward()
    close = pytest.approx  # exp of NumPy can differ from exp of the C library by one ULP
    numbers = J.data, Z.grad, Y.grad, A.grad, hessian(J, Z)
    for number, expected in zip(numbers, (L.data, z.grad, y.grad, a.grad, second), strict=True):
        assert number.item() == close(expected, rel=1e-15, abs=5e-324)
    assert [type(A.grad), type(Z.grad)] == [np.ndarray, np.ndarray]
    assert grad(J, [Z, A, Y]) == [Z.grad, A.grad, Y.grad]


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a.reshape(3),
        lambda a: a[0, ::-1],
        lambda a: np.squeeze(a) if hasattr(tinygraph, "squeeze") else a.reshape(-1),
        lambda a: a.T.reshape(1, 3)[:, [0, 0, 2]],
    ],
)
def test_a_view_of_an_activation_knows_its_logit(view):
    Z = Tensor([[40.0, -50.0, 800.0]], "z")
    A = sigmoid(Z)
    loss = binary_cross_entropy(view(A), 0.0)
    J = (loss * np.arange(1.0, 4.0).reshape(loss.shape)).sum()
    J.backward()
    direct = Tensor(Z.data)
    other = (
        tinygraph.binary_cross_entropy_with_logits(view(direct), 0.0) * np.arange(1.0, 4.0).reshape(loss.shape)
    ).sum()
    other.backward()
    assert J.data == other.data
    assert Z.grad.tolist() == direct.grad.tolist() == grad(J, Z).tolist()
    assert grad(J, Z, create_graph=True).data.tolist() == Z.grad.tolist()
    assert type(A.grad) is np.ndarray
    assert A.grad.shape == A.shape


def test_a_broadcast_activation_knows_its_logit():
    Z = Tensor([[40.0], [-800.0]])
    J = binary_cross_entropy(sigmoid(Z), np.zeros((2, 3))).sum()
    J.backward()
    assert J.data == 120.0
    assert Z.grad.tolist() == [[3.0], [0.0]]
    J = binary_cross_entropy(sigmoid(Tensor(800.0)), Tensor([0.0, 1.0, 0.5]))
    assert J.data.tolist() == [800.0, 0.0, 400.0]


@signed
def test_other_consumers_of_the_activation_add_their_part(z0):
    z, _, a, L = recorded(z0, 0.0)
    J = 0.5 * L + a * a * 3.0 + 0.25 * binary_cross_entropy(a, 1.0)
    J.backward()
    s = sigmoid_partial(mpf(z0))
    exact = logit_loss_partial(mpf(z0), 0) / 2 + 6 * mpf(a.data) * s + logit_loss_partial(mpf(z0), 1) / 4
    assert z.grad == pytest.approx(float(exact), rel=1e-15, abs=5e-324)
    assert grad(J, z) == z.grad
    assert grad(J, z, create_graph=True).data == pytest.approx(z.grad, rel=1e-15, abs=5e-324)
    Z = Tensor(z0)
    A = sigmoid(Z)
    T = 0.5 * binary_cross_entropy(A, 0.0) + A * A * 3.0 + 0.25 * binary_cross_entropy(A, 1.0)
    T.backward()
    assert Z.grad.item() == pytest.approx(z.grad, rel=1e-15, abs=5e-324)
    assert A.grad.item() == pytest.approx(a.grad, rel=1e-15)


@signed
@labels
def test_the_graph_is_the_lecture_s(z0, y0):
    z, y, a, L = recorded(z0, y0)
    assert L.args == (a, y)
    assert L.op is ops.binary_cross_entropy
    assert [node.name for node in tinygraph.engine.graph.order(L)] == ["", "y", "a", "z"]
    da, dy = L.partials
    assert (type(da), dy) == (float, -z0)
    if abs(z0) < 30:
        assert da == pytest.approx(-y0 / a.data + (1.0 - y0) / (1.0 - a.data))
        assert grad(L, a) == da
        second = y0 / a.data**2 + (1.0 - y0) / (1.0 - a.data) ** 2
        assert hessian(L, a) == pytest.approx(second)
        assert grad(grad(L, a, create_graph=True), z) == pytest.approx(second * a.data * (1.0 - a.data))
        assert grad(grad(L, y, create_graph=True), a) == pytest.approx(-1.0 / (a.data * (1.0 - a.data)))
    assert a.partials[0] == float(grad(a, z))


@signed
@labels
def test_steps_and_edges_show_the_contribution_of_the_pass(z0, y0):
    z, _, a, L = recorded(z0, y0)
    L.backward()
    steps = [step for step in Stepper(L).steps if step.kind == "backward"]
    to_a, to_z = (next(step for step in steps if step.operand is node) for node in (a, z))
    assert (to_a.local, to_a.contribution, to_a.after) == (L.partials[0], a.grad, a.grad)
    assert (to_z.upstream, to_z.local, to_z.contribution, to_z.after) == (a.grad, a.partials[0], z.grad, z.grad)
    found = {}
    contributions = {operand.name: rest[-1] for _, _, operand, *rest in propagate(L, 1.0, found)}
    assert contributions["z"] == z.grad
    assert [found[a], found[z]] == [a.grad, z.grad]


@signed
def test_a_directional_derivative_keeps_its_digits(z0):
    z, y, a, L = recorded(z0, 0.0)
    expected = float(logit_loss_partial(mpf(z0), 0))
    assert jvp(L, {z: 1.0}) == pytest.approx(expected, rel=1e-15, abs=5e-324)
    assert jvp(L, {y: 2.0}) == -2.0 * z0
    assert jvp(L, {a: 1.0}) == L.partials[0]
    Z = Tensor([[z0, z0]])
    J = binary_cross_entropy(sigmoid(Z).T, 0.0)
    assert jvp(J, {Z: np.ones((1, 2))}).ravel().tolist() == pytest.approx([expected] * 2, rel=1e-15, abs=5e-324)


@signed
def test_copies_files_and_replay_keep_the_digits(z0, tmp_path):
    z, _, a, L = recorded(z0, 0.0)
    L.backward()
    expected = L.data, z.grad, a.grad
    tinygraph.save(L, tmp_path / "loss.json")
    loaded = tinygraph.load(tmp_path / "loss.json", verify=True)
    for twin in (copy.deepcopy(L), pickle.loads(pickle.dumps(L)), loaded):
        twin.backward()
        twin_a = twin.args[0]
        assert twin_a is not a
        assert (twin.data, twin_a.args[0].grad, twin_a.grad) == expected
    z.data = 1.0
    L.forward().backward()
    assert (L.data, z.grad) == (recorded(1.0, 0.0)[3].data, ops.sigmoid(1.0))
    z.data = z0
    L.forward().backward()
    assert (L.data, z.grad, a.grad) == expected
    T = Tensor([1.0])
    J = binary_cross_entropy(sigmoid(T), 0.0).sum()
    T.data = np.array([z0])
    J.forward().backward()
    assert T.grad.item() == pytest.approx(expected[1], rel=1e-15, abs=5e-324)


def test_a_program_made_from_the_graph_keeps_the_digits():
    numbers = [40.0, -50.0, 800.0, -800.0, 0.5]
    zs = [Value(z, "z") for z in numbers]
    J = tinygraph.sum([binary_cross_entropy(sigmoid(z), y) for z, y in zip(zs, [0.0, 1.0, 0.0, 1.0, 1.0], strict=True)])
    J.backward()
    expected = [z.grad for z in zs]
    value, (gradient,) = tinygraph.compile(J, [zs])(numbers)
    assert (value, gradient.tolist()) == (J.data, pytest.approx(expected, rel=1e-15))
    text = tinygraph.source(J)
    names = {"arrays": text.arrays, **text.functions}
    exec(str(text), names)
    assert names["dz"].ravel().tolist() == pytest.approx(expected, rel=1e-15)
    root = tinygraph.vectorize(J).root
    root.backward()
    assert float(root.data) == J.data


@pytest.mark.parametrize("z0", [40.0, -40.0, 709.0, -709.0])
def test_nothing_is_infinite_while_the_derivative_by_the_activation_is_a_float(z0):
    with tinygraph.strict():
        z, _, _, L = recorded(z0, 0.0)
        assert math.isfinite(grad(L, z, create_graph=True).data)


def test_a_pass_leaves_plain_gradients_and_stores_pairs():
    assert type(recorded(2.0, 0.0)[3].x_partial) is float
    z, _, a, L = recorded(400.0, 0.0)
    assert type(L.x_partial) is LogitPair
    assert L.x_partial.owner is a
    for _ in range(2):
        L.backward()
        assert type(a.grad) is float
    kept = a.grad
    grad(J := L * 2.0, z)
    assert a.grad == kept
    list(Stepper(J).steps)
    assert a.grad == kept


def test_an_activation_without_a_logit_is_computed_as_before():
    a = Value(0.75)
    L = binary_cross_entropy(a, 0.0)
    L.backward()
    assert (L.data, a.grad) == (ops.binary_cross_entropy(0.75, 0.0), 4.0)
    assert logit_of(a) is None
    assert binary_cross_entropy(1.0, Value(0.0)).data == math.inf
    assert binary_cross_entropy(sigmoid(Value(800.0, constant=True)), Value(0.0)).data == 800.0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_partial_derivatives_by_the_activation_are_those_of_mpmath(n):
    op = ops.binary_cross_entropy_partial_of_logit(n)

    def exact(z, y):
        return mp.factorial(n - 1) * ((1 - y) * (1 + mp.exp(z)) ** n + (-1) ** n * y * (1 + mp.exp(-z)) ** n)

    for z in (0.3, -2.0, 20.0, -40.0, 200.0):
        for y in (0.0, 1.0, 0.25):
            x, w = Value(z), Value(y)
            first = grad(op(x, w), [x, w], create_graph=True)
            assert op(z, y) == pytest.approx(float(exact(mpf(z), mpf(y))), rel=1e-14)
            assert first[0].data == pytest.approx(float(mp.diff(lambda z: exact(z, mpf(y)), mpf(z))), rel=1e-13)  # noqa: B023
            assert first[1].data == pytest.approx(float(exact(mpf(z), 1) - exact(mpf(z), 0)), rel=1e-14)
            second = float(mp.diff(lambda z: exact(z, mpf(y)), mpf(z), 2))  # noqa: B023
            assert grad(first[0], x) == pytest.approx(second, rel=1e-12)


def test_shapes_of_an_activation_and_labels_are_explained():
    A = sigmoid(Tensor(np.zeros((1, 3))))
    with pytest.raises(ValueError, match=r"\(1, 3\).*\(2, 2\)"):
        binary_cross_entropy(A, np.zeros((2, 2)))
    with tinygraph.strict(), pytest.raises(ValueError, match="treated as a row"):
        binary_cross_entropy(sigmoid(Tensor(np.zeros((3, 1)))), np.zeros(3))


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda box: pickle.loads(pickle.dumps(box)), lambda box: pickle.loads(pickle._dumps(box, 2))],
    ids=["deepcopy", "pickle", "pickle in Python"],
)
def test_a_stored_pair_belongs_to_the_copy_of_the_activation(copied):
    z = Value(800.0)
    a = sigmoid(z)
    L, a_too, z_too = copied([binary_cross_entropy(a, 0.0), a, z])
    assert L.x_partial.owner is L.x is a_too
    L.backward()
    assert (z_too.grad, a_too.grad) == (1.0, math.inf)
    assert z.grad is a.grad is None


def test_a_loss_is_as_old_as_the_moment_before_its_operands_were_read(monkeypatch):
    """An edit during recording, as another thread could make it, makes the new node stale."""
    z, y = Value(1.0), Value(0.5)
    a = sigmoid(z)
    of_logit = binary_cross_entropy.of_logit
    for label in (0.5, y):  # recorded by the fast and by the readable mode
        monkeypatch.setattr(of_logit, "floats", lambda x, y, was=of_logit.floats: (setattr(z, "data", x), was(x, y))[1])
        L = binary_cross_entropy(a, label)
        monkeypatch.undo()
        assert L.version < z.version
        with pytest.raises(StaleGraphError):
            L.backward()
        L.forward()
        L.backward()
        assert z.grad == sigmoid(1.0) - 0.5


@pytest.mark.parametrize("other", [-3.0, 3.0])
def test_a_contribution_of_another_node_is_added(other):
    for pair in (0.5 * LogitPair(4.0, 1.0) + other, other + 0.5 * LogitPair(4.0, 1.0)):
        assert (pair.activation, pair.logit, pair.others) == (2.0 + other, 0.5, other)
        assert pair * 0.25 == 0.5 + other * 0.25


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_the_start_of_a_sum_is_no_contribution(zero):
    for pair in (LogitPair(4.0, 1.0) + zero, zero + LogitPair(4.0, 1.0)):
        assert (pair.activation, pair.logit, pair.others) == (4.0, 1.0, None)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_an_op_of_an_activation_reads_the_logit_if_it_is_known(kind):
    z, y = kind(2.0), kind(1.0)
    for a, read in ((z.sigmoid(), (z,)), (kind(0.5), ())):
        L = binary_cross_entropy(a, y)
        found = L.op.read_at(L.args)
        assert len(found) == 2 + len(read)
        assert all(one is other for one, other in zip(found, (a, y, *read), strict=True))


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (ops.binary_cross_entropy, 1),
        (ops.binary_cross_entropy, 3),
        (ops.logit, 2),
        (ops.binary_cross_entropy_partial(1), 1),
    ],
)
def test_an_op_of_an_activation_counts_its_operands(function, count):
    operands = [Value(0.5).sigmoid(), Value(1.0), 1.0][:count]
    with pytest.raises(TypeError, match=f"takes . operands?, got {count}"):
        function(*operands)


@pytest.mark.parametrize("label", [1.0, Value(1.0, constant=True)])
def test_a_loss_of_a_constant_is_a_constant(label):
    a = Value(0.5, constant=True).sigmoid()
    assert a.constant
    assert binary_cross_entropy(a, label).constant
