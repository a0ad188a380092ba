"""The lecture's model: its formulas, its gradient in closed form, and scikit-learn's conventions."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, testing
from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.engine.graph import order
from tinygraph.logistic import (
    LOSSES,
    LogisticRegression,
    NotFittedError,
    gradient_descent,
    no_loop,
    one_loop,
    two_loops,
)

features = st.floats(-3, 3)
losses = pytest.mark.parametrize("loss", LOSSES)


@st.composite
def examples(draw):
    n = draw(st.integers(1, 4))
    X = draw(st.lists(st.lists(features, min_size=n, max_size=n), min_size=1, max_size=6))
    Y = draw(st.lists(st.sampled_from([0, 1]), min_size=len(X), max_size=len(X)))
    w = draw(st.lists(features, min_size=n, max_size=n))
    return X, Y, w, draw(features)


@losses
@given(drawn=examples())
def test_cost_and_gradient_are_those_of_the_closed_form(loss, drawn):
    X, Y, w, b = drawn
    assume(np.abs(np.array(X) @ w + b).max() < 12)  # beyond, 1 - a has few digits left in either computation
    ws, bv = [Value(x) for x in w], Value(b)
    J = two_loops(ws, bv, X, Y, loss)
    partials = tinygraph.grad(J, [*ws, bv])
    Xn, Yn = np.array(X), np.array(Y)
    A = 1 / (1 + np.exp(-(Xn @ w + b)))
    if loss == "squared_error":
        expected, dZ = 0.5 * (A - Yn) ** 2, (A - Yn) * A * (1 - A)
    else:
        expected, dZ = -(Yn * np.log(A) + (1 - Yn) * np.log1p(-A)), A - Yn
    assert J.data == pytest.approx(expected.mean(), rel=1e-9)
    assert partials[:-1] == pytest.approx(((Xn.T @ dZ) / len(Y)).tolist(), rel=1e-9, abs=1e-12)
    assert partials[-1] == pytest.approx(dZ.mean(), rel=1e-9, abs=1e-12)


@losses
def test_the_graph_has_the_lectures_names(loss):
    w, b = [Value(0.1, "w1"), Value(0.2, "w2")], Value(0.3, "b")
    J = two_loops(w, b, [[1.0, 2.0]], [1], loss)
    names = [node.name for node in order(J) if node.name]
    a = [] if loss.endswith("logits") else ["a"]
    assert sorted(names) == sorted(["J", "loss", *a, "z", "w1", "w2", "b"])


def test_dz_comes_out_as_a_minus_y():
    w, b = [Value(0.5)], Value(-0.25)
    J = two_loops(w, b, [[2.0]], [1])
    J.backward()
    nodes = {node.name: node for node in order(J) if node.name}
    assert nodes["z"].grad == pytest.approx(nodes["a"].data - 1.0, rel=1e-15)


@given(drawn=examples(), rate=st.floats(0.001, 0.1))
def test_a_small_step_descends(drawn, rate):
    X, Y, w, b = drawn
    ws, bv = [Value(x) for x in w], Value(b)
    first, second = gradient_descent(ws, bv, X, Y, loss="cross_entropy_with_logits", learning_rate=rate, n_steps=2)
    assert second <= first + 1e-12


def test_one_step_is_w_minus_alpha_dw():
    w, b = [Value(1.0)], Value(0.0)
    J = two_loops(w, b, [[1.0]], [0])
    J.backward()
    dw, db = w[0].grad, b.grad
    list(gradient_descent(w, b, [[1.0]], [0], learning_rate=0.5, n_steps=1))
    assert (w[0].data, b.data) == (1.0 - 0.5 * dw, -0.5 * db)


def test_divergence_is_said_and_the_last_parameters_are_kept():
    w, b = [Value(40.0)], Value(0.0)
    with pytest.raises(FloatingPointError, match="cross_entropy_with_logits"):
        list(gradient_descent(w, b, [[1.0]], [0]))
    assert (w[0].data, b.data) == (40.0, 0.0)
    costs = list(gradient_descent(w, b, [[1.0]], [0], loss="cross_entropy_with_logits", n_steps=3))
    assert costs[0] == pytest.approx(40.0)


def test_bad_examples_are_refused():
    w, b = [Value(0.0)], Value(0.0)
    with pytest.raises(ValueError, match="at least one"):
        two_loops(w, b, [], [])
    with pytest.raises(ValueError, match="2 examples and Y 1 labels"):
        two_loops(w, b, [[1.0], [2.0]], [1])
    with pytest.raises(ValueError, match="loss must be one of"):
        two_loops(w, b, [[1.0]], [1], "hinge")


X4, Y4 = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


@losses
def test_the_real_table_is_learned(loss):
    train, test = load_breast_cancer().split(1)
    scaler = Scaler.of(train.X)
    model = LogisticRegression(loss=loss, learning_rate=2.0, n_steps=12).fit(scaler.scale(train.X), train.y)
    assert model.score(scaler.scale(test.X), test.y) >= 0.93
    assert model.costs_ == sorted(model.costs_, reverse=True)
    assert len(model.costs_) == 12


def test_the_fitted_attributes():
    steps = []
    model = LogisticRegression(learning_rate=1.0, n_steps=40)
    assert model.fit(X4, Y4, lambda step, J: steps.append((step, J))) is model
    assert model.coef_.shape == (1, 1)
    assert model.intercept_.shape == (1,)
    assert model.classes_.tolist() == [0, 1]
    assert model.n_features_in_ == 1
    assert steps == list(enumerate(model.costs_, start=1))
    assert model.predict(X4).tolist() == Y4
    assert model.score(X4, Y4) == 1.0
    assert model.score(X4, [1, 1, 1, 1], sample_weight=[1, 1, 0, 0]) == 0.0
    probabilities = model.predict_proba(X4)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert (probabilities[:, 1] > 0.5).tolist() == [False, False, True, True]
    z = model.decision_function(X4)
    assert z.tolist() == pytest.approx((np.array(X4) @ model.coef_[0] + model.intercept_[0]).tolist())
    again = pickle.loads(pickle.dumps(model))
    assert again.predict_proba(X4).tolist() == probabilities.tolist()


@pytest.mark.parametrize("labels", [["b", "a", "a", "b"], [True, False, False, True], [3.5, -1.0, -1.0, 3.5]])
def test_any_two_labels_serve(labels):
    model = LogisticRegression(learning_rate=1.0, n_steps=50).fit([[1.0], [-1.0], [-2.0], [2.0]], labels)
    assert model.predict([[5.0], [-5.0]]).tolist() == labels[:2]
    assert LogisticRegression().fit(np.array(X4), np.array([[0], [0], [1], [1]])).classes_.tolist() == [0, 1]


@given(factor=st.floats(1e-3, 1e6))
def test_data_need_not_be_scaled_for_the_default_loss_to_stay_finite(factor):
    assume(factor)
    model = LogisticRegression(n_steps=5).fit([[x[0] * factor] for x in X4], Y4)
    assert all(math.isfinite(J) for J in model.costs_)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [math.nan]], [0, 1], "nan in row 1, column 0"),
        ([[1.0], [math.inf]], [0, 1], "inf in row 1"),
        ([1.0, 2.0], [0, 1], "one row an example"),
        ([[1.0], ["a"]], [0, 1], "table of numbers"),
        ([[1.0, 2.0], [3.0]], [0, 1], "table of numbers"),
        ([[1.0], [2.0]], [0], "one label for each of 2"),
        ([[1.0], [2.0]], [1, 1], r"1 class\(es\): \[1\]"),
        ([[1.0], [2.0], [3.0]], [1, 2, 3], "3 class"),
        ([[], []], [0, 1], "shape"),
    ],
)
def test_bad_tables_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backend": "gpu"}, "backend must be one of 'scalar'"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"learning_rate": 0.0}, "positive number"),
        ({"learning_rate": math.nan}, "positive number"),
        ({"n_steps": 0}, "positive whole number"),
        ({"n_steps": 2.5}, "positive whole number"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**params).fit(X4, Y4)


def test_parameters_in_and_out():
    model = LogisticRegression(loss="squared_error", n_steps=7)
    given = {"backend": "scalar", "loss": "squared_error", "learning_rate": 0.1, "n_steps": 7, "warm_start": False}
    assert model.get_params() == given
    assert model.set_params(n_steps=3) is model
    assert model.n_steps == 3
    with pytest.raises(ValueError, match="no parameter 'alpha'; it has backend"):
        model.set_params(alpha=1)
    assert "n_steps=3" in repr(model)


def test_predicting_before_fitting_is_said():
    with pytest.raises(NotFittedError, match="call fit"):
        LogisticRegression().predict(X4)
    with pytest.raises(ValueError, match="2 features, but the model was fitted with 1"):
        LogisticRegression(n_steps=1).fit(X4, Y4).predict([[1.0, 2.0]])


def test_scikit_learn_takes_it_as_its_own():
    selection = pytest.importorskip("sklearn.model_selection", reason="needs the dependency group oracles")
    from sklearn.base import clone, is_classifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = load_breast_cancer()
    X, y = np.array(table.X), np.array(table.y)
    model = LogisticRegression(learning_rate=1.0, n_steps=8)
    assert is_classifier(model)
    assert clone(model).get_params() == model.get_params()
    scores = selection.cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3)
    assert scores.min() > 0.9
    search = selection.GridSearchCV(model, {"n_steps": [1, 5]}, cv=2).fit(X[:60, :3] / 100, y[:60])
    assert search.best_params_["n_steps"] in (1, 5)


def test_scikit_learn_finds_the_same_minimum():
    pytest.importorskip("sklearn", reason="needs the dependency group oracles")
    from sklearn.linear_model import LogisticRegression as Theirs

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = (X @ [1.0, -2.0] + rng.normal(size=40) > 0).astype(int)
    ours = LogisticRegression(learning_rate=4.0, n_steps=400).fit(X, y)
    theirs = Theirs(C=1e12, tol=1e-10, max_iter=1000).fit(X, y)
    assert ours.coef_[0].tolist() == pytest.approx(theirs.coef_[0].tolist(), rel=1e-3)


# --- three readings of one model


@st.composite
def vectorized(draw):
    """Parameters, X (n, m) and Y (1, m) of a model whose activations stay away from 0 and 1."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    X = draw(testing.arrays((n, m), elements=features))
    Y = draw(testing.arrays((1, m), elements=st.sampled_from([0.0, 1.0])))
    w, b = draw(testing.arrays((n, 1), elements=features)), draw(features)
    assume(np.abs(w.T @ X + b).max() < 12)
    return w, b, X, Y


def table_of(rows):
    table = load_breast_cancer()
    X = np.array(Scaler.of(table.X).scale(table.X))[:rows]
    rng = np.random.default_rng(1)
    return 0.2 * rng.normal(size=(X.shape[1], 1)), 0.125, X.T, np.array(table.y[:rows], dtype=float).reshape(1, -1)


def three_readings(w, b, X, Y, loss):
    """The cost and its parameters, by two loops, by one and by none."""
    ws, bv = [Value(x, f"w{j + 1}") for j, x in enumerate(w.ravel())], Value(b, "b")
    yield two_loops(ws, bv, X.T.tolist(), Y.ravel().tolist(), loss), ws, bv
    for reading in (one_loop, no_loop):
        wt, bt = Tensor(w, "w"), Tensor(b, "b")
        yield reading(wt, bt, X, Y, loss), wt, bt


def named(J):
    """The nodes of each name, in the order of the examples."""
    found = {}
    for node in reversed(order(J)):
        if node.name:
            found.setdefault(node.name, []).append(node)
    return found


def close(x, y, size=1.0):
    return np.max(np.abs(np.asarray(x) - np.asarray(y)), initial=0.0) <= 1e-12 * max(size, np.max(np.abs(y)))


def check_three_readings(loss, w, b, X, Y):
    m = X.shape[1]
    (J2, ws, bv), (J1, w1, b1), (J0, w0, b0) = three_readings(w, b, X, Y, loss)
    nodes = [named(J) for J in (J2, J1, J0)]
    names = {"J", "loss", "z"} if loss.endswith("logits") else {"J", "loss", "a", "z"}
    assert all(names <= found.keys() for found in nodes)
    for J in (J2, J1, J0):
        J.backward()
    for name in names:
        loops, one, none = (found[name] for found in nodes)
        count = 1 if name == "J" else m
        assert (len(loops), len(one), len(none)) == (count, count, 1)
        assert {node.op for node in (*loops, *one)} == {none[0].op}
        assert none[0].shape == (() if name == "J" else (1, m))
        by_example = sorted_by_example(J2, name, X, Y) if name != "J" else loops
        size = np.max(np.abs(X)) if name == "z" else 1.0
        assert close([node.data for node in by_example], none[0].data.ravel(), size)
        local = none[0].grad.ravel()
        assert close([node.grad for node in by_example], local, np.max(np.abs(local), initial=1e-3))
    size = np.max(np.abs(X), initial=1.0)
    assert close([x.grad for x in ws], w0.grad.ravel(), size)
    assert close(w1.grad, w0.grad, size)
    assert close([bv.grad, b1.grad], [b0.grad] * 2)
    assert (w0.grad.shape, b0.grad.shape) == (w0.shape, ())


def sorted_by_example(J, name, X, Y):
    """Along the sum J = L1 + L2 + ..., from the last example to the first, each loss with its nodes."""
    m = X.shape[1]
    total, found = J.args[0], []
    for _ in range(m - 1):
        total, L = total.args
        found.append(L)
    node_of = {"loss": lambda L: L, "a": lambda L: L.args[0]}
    node_of["z"] = lambda L: L.args[0].args[0] if L.args[0].name == "a" else L.args[0]
    return [node_of[name](L) for L in [*found, total][::-1]]


@losses
@given(drawn=vectorized())
def test_three_readings_of_one_model_have_the_same_nodes_numbers_and_gradients(loss, drawn):
    check_three_readings(loss, *drawn)


@losses
def test_three_readings_agree_on_the_real_table(loss):
    check_three_readings(loss, *table_of(40))


@losses
def test_both_backends_learn_the_same_model(loss):
    _, _, X, Y = table_of(60)
    both = [LogisticRegression(backend=name, loss=loss, learning_rate=0.5, n_steps=10) for name in ("scalar", "tensor")]
    scalar, tensor = (model.fit(X.T, Y.ravel()) for model in both)
    assert close(scalar.coef_, tensor.coef_, 100.0)
    assert close(scalar.intercept_, tensor.intercept_, 100.0)
    assert close(scalar.costs_, tensor.costs_, 100.0)
    assert all(type(cost) is float for cost in tensor.costs_)
    assert scalar.predict(X.T).tolist() == tensor.predict(X.T).tolist()


def test_shapes_that_are_not_the_lectures_are_refused():
    w, b = Tensor([[0.0], [0.0]], "w"), Tensor(0.0, "b")
    for reading in (one_loop, no_loop):
        with pytest.raises(ValueError, match=r"w has the shape \(2, 1\) and X \(3, 2\)"):
            reading(w, b, np.ones((3, 2)), np.ones((1, 2)))
        with pytest.raises(ValueError, match=r"Y has the shape \(2,\), but for 2 examples it must be \(1, 2\)"):
            reading(w, b, np.ones((2, 2)), np.ones(2))
        with pytest.raises(ValueError, match="at least one"):
            reading(w, b, np.ones((2, 0)), np.ones((1, 0)))


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_ctrl_c_keeps_the_parameters_of_the_last_complete_step(backend):
    whole = LogisticRegression(backend=backend, n_steps=3).fit(X4, Y4)

    def stop(step, cost):
        if step == 3:
            raise KeyboardInterrupt

    model = LogisticRegression(backend=backend, n_steps=100)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X4, Y4, stop)
    assert model.coef_.tolist() == whole.coef_.tolist()
    assert model.intercept_.tolist() == whole.intercept_.tolist()
    assert model.costs_ == whole.costs_
    assert model.predict(X4).tolist() == whole.predict(X4).tolist()


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_real_ctrl_c_leaves_whole_steps(backend):
    """It comes at any moment, in the middle of a pass or of an update."""
    import signal

    reference = LogisticRegression(backend=backend, n_steps=20_000)
    path = []
    model = LogisticRegression(backend=backend, n_steps=10**9)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 2.0)  # once more, should the first be lost in a callback
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X4, Y4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    reference.n_steps = len(model.costs_)
    reference.fit(X4, Y4, lambda step, cost: path.append(cost))
    assert model.costs_ == path
    last = [reference.coef_.tolist()]
    reference.n_steps += 1
    last.append(reference.fit(X4, Y4).coef_.tolist())
    assert model.coef_.tolist() in last


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_warm_start_goes_on_where_it_ended(backend):
    whole = LogisticRegression(backend=backend, n_steps=7).fit(X4, Y4)
    model = LogisticRegression(backend=backend, n_steps=3, warm_start=True).fit(X4, Y4)
    model.n_steps = 4
    model.fit(X4, Y4)
    assert model.coef_.tolist() == whole.coef_.tolist()
    with pytest.raises(ValueError, match="was fitted with"):
        model.fit([[1.0] * 5, [2.0] * 5], [0, 1])
