"""The model learns the real table, and follows scikit-learn's conventions."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.logistic.problems import close, losses, table_of
from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.logistic import LogisticRegression, NotFittedError

X4, Y4 = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


@losses
def test_the_real_table_is_learned(loss):
    train, test = load_breast_cancer().split(1)
    scaler = Scaler.fit(train.X)
    model = LogisticRegression(loss=loss, learning_rate=2.0, iterations=12).fit(scaler.transform(train.X), train.y)
    assert model.score(scaler.transform(test.X), test.y) >= 0.93
    assert model.costs_ == sorted(model.costs_, reverse=True)
    assert len(model.costs_) == 12


def test_the_fitted_attributes():
    seen = []
    model = LogisticRegression(learning_rate=1.0, iterations=40)
    assert model.fit(X4, Y4, lambda iteration, J: seen.append((iteration, J))) is model
    assert model.coef_.shape == (1, 1)
    assert model.intercept_.shape == (1,)
    assert model.classes_.tolist() == [0, 1]
    assert model.n_features_in_ == 1
    assert seen == list(enumerate(model.costs_, start=1))
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
    model = LogisticRegression(learning_rate=1.0, iterations=50).fit([[1.0], [-1.0], [-2.0], [2.0]], labels)
    assert model.predict([[5.0], [-5.0]]).tolist() == labels[:2]
    assert LogisticRegression().fit(np.array(X4), np.array([[0], [0], [1], [1]])).classes_.tolist() == [0, 1]


@given(factor=st.floats(1e-3, 1e6))
def test_data_need_not_be_scaled_for_the_default_loss_to_stay_finite(factor):
    assume(factor)
    model = LogisticRegression(iterations=5).fit([[x[0] * factor] for x in X4], Y4)
    assert all(math.isfinite(J) for J in model.costs_)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [math.nan]], [0, 1], "nan in row 1, column 0"),
        ([[1.0], [math.inf]], [0, 1], "inf in row 1"),
        ([1.0, 2.0], [0, 1], "one row per example"),
        ([[1.0], ["a"]], [0, 1], "table of numbers"),
        ([[1.0, 2.0], [3.0]], [0, 1], "table of numbers"),
        ([[1.0], [2.0]], [0], "one label for each of 2"),
        ([[1.0], [2.0]], [1, 1], r"got 1: \[1\]"),
        ([[1.0], [2.0], [3.0]], [1, 2, 3], "got 3"),
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
        ({"iterations": 0}, "positive integer"),
        ({"iterations": 2.5}, "positive integer"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**params).fit(X4, Y4)


def test_parameters_in_and_out():
    model = LogisticRegression(loss="squared_error", iterations=7)
    given = {"backend": "tensor", "loss": "squared_error", "learning_rate": 0.5, "iterations": 7, "warm_start": False}
    assert model.get_params() == given
    assert model.set_params(iterations=3) is model
    assert model.iterations == 3
    with pytest.raises(ValueError, match="no parameter 'alpha'; it has backend"):
        model.set_params(alpha=1)
    assert "iterations=3" in repr(model)


def test_predicting_before_fitting_is_said():
    with pytest.raises(NotFittedError, match="call fit"):
        LogisticRegression().predict(X4)
    with pytest.raises(ValueError, match="2 features, but the model was fitted with 1"):
        LogisticRegression(iterations=1).fit(X4, Y4).predict([[1.0, 2.0]])


def test_scikit_learn_takes_it_as_its_own():
    selection = pytest.importorskip("sklearn.model_selection", reason="needs the dependency group oracles")
    from sklearn.base import clone, is_classifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = load_breast_cancer()
    X, y = np.array(table.X), np.array(table.y)
    model = LogisticRegression(learning_rate=1.0, iterations=8)
    assert is_classifier(model)
    assert clone(model).get_params() == model.get_params()
    scores = selection.cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3)
    assert scores.min() > 0.9
    search = selection.GridSearchCV(model, {"iterations": [1, 5]}, cv=2).fit(X[:60, :3] / 100, y[:60])
    assert search.best_params_["iterations"] in (1, 5)


def test_scikit_learn_finds_the_same_minimum():
    pytest.importorskip("sklearn", reason="needs the dependency group oracles")
    from sklearn.linear_model import LogisticRegression as Theirs

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = (X @ [1.0, -2.0] + rng.normal(size=40) > 0).astype(int)
    ours = LogisticRegression(learning_rate=4.0, iterations=400).fit(X, y)
    theirs = Theirs(C=1e12, tol=1e-10, max_iter=1000).fit(X, y)
    assert ours.coef_[0].tolist() == pytest.approx(theirs.coef_[0].tolist(), rel=1e-3)


@losses
def test_both_backends_learn_the_same_model(loss):
    _, _, X, Y = table_of(60)
    both = [
        LogisticRegression(backend=name, loss=loss, learning_rate=0.5, iterations=10) for name in ("scalar", "tensor")
    ]
    scalar, tensor = (model.fit(X.T, Y.ravel()) for model in both)
    assert close(scalar.coef_, tensor.coef_, 100.0)
    assert close(scalar.intercept_, tensor.intercept_, 100.0)
    assert close(scalar.costs_, tensor.costs_, 100.0)
    assert all(type(cost) is float for cost in tensor.costs_)
    assert scalar.predict(X.T).tolist() == tensor.predict(X.T).tolist()


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_ctrl_c_keeps_the_parameters_of_the_last_complete_iteration(backend):
    whole = LogisticRegression(backend=backend, iterations=3).fit(X4, Y4)

    def stop(iteration, cost):
        if iteration == 3:
            raise KeyboardInterrupt

    model = LogisticRegression(backend=backend, iterations=100)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X4, Y4, stop)
    assert model.coef_.tolist() == whole.coef_.tolist()
    assert model.intercept_.tolist() == whole.intercept_.tolist()
    assert model.costs_ == whole.costs_
    assert model.predict(X4).tolist() == whole.predict(X4).tolist()


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_real_ctrl_c_leaves_whole_iterations(backend):
    """Ctrl-C can come at any moment, even in the middle of a pass or of an update."""
    import signal

    reference = LogisticRegression(backend=backend, iterations=20_000)
    path = []
    model = LogisticRegression(backend=backend, iterations=10**9)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 2.0)  # a second signal, in case a callback swallows the first
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X4, Y4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    reference.iterations = len(model.costs_)
    reference.fit(X4, Y4, lambda iteration, cost: path.append(cost))
    assert model.costs_ == path
    last = [reference.coef_.tolist()]
    reference.iterations += 1
    last.append(reference.fit(X4, Y4).coef_.tolist())
    assert model.coef_.tolist() in last


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_warm_start_goes_on_where_it_ended(backend):
    whole = LogisticRegression(backend=backend, iterations=7).fit(X4, Y4)
    model = LogisticRegression(backend=backend, iterations=3, warm_start=True).fit(X4, Y4)
    model.iterations = 4
    model.fit(X4, Y4)
    assert model.coef_.tolist() == whole.coef_.tolist()
    with pytest.raises(ValueError, match="was fitted with"):
        model.fit([[1.0] * 5, [2.0] * 5], [0, 1])
