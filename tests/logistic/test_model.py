"""The model learns the real table, and follows scikit-learn's conventions."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.interrupts import interrupted
from tests.logistic.problems import close, losses, table_of
from tinygraph import Tensor, Value
from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.logistic import (
    ConvergenceWarning,
    DataConversionWarning,
    LogisticRegression,
    NotFittedError,
    SoftmaxRegression,
)

X4, Y4 = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


@losses
def test_the_real_table_is_learned(loss):
    train, test = load_breast_cancer().split(1)
    scaler = Scaler.fit(train.X)
    model = LogisticRegression(loss=loss, learning_rate=2.0, iterations=12, tol=None).fit(
        scaler.transform(train.X), train.y
    )
    assert model.score(scaler.transform(test.X), test.y) >= 0.93
    assert model.costs_ == sorted(model.costs_, reverse=True)
    assert len(model.costs_) == 12


def test_the_fitted_attributes():
    seen = []
    model = LogisticRegression(learning_rate=1.0, iterations=40, tol=None)
    assert model.fit(X4, Y4, on_iteration=lambda iteration, J: seen.append((iteration, J))) is model
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
    model = LogisticRegression(learning_rate=1.0, iterations=50, tol=None).fit([[1.0], [-1.0], [-2.0], [2.0]], labels)
    assert model.predict([[5.0], [-5.0]]).tolist() == labels[:2]
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert LogisticRegression().fit(np.array(X4), np.array([[0], [0], [1], [1]])).classes_.tolist() == [0, 1]


@given(factor=st.floats(1e-3, 1e6))
def test_data_need_not_be_scaled_for_the_default_loss_to_stay_finite(factor):
    assume(factor)
    model = LogisticRegression(learning_rate=0.5, iterations=5, tol=None).fit([[x[0] * factor] for x in X4], Y4)
    assert all(math.isfinite(J) for J in model.costs_)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [math.nan]], [0, 1], "NaN in row 1, column 0"),
        ([[1.0], [math.inf]], [0, 1], "inf in row 1"),
        ([1.0, 2.0], [0, 1], "one row per example"),
        ([[1.0], ["a"]], [0, 1], "table of numbers"),
        ([[1.0, 2.0], [3.0]], [0, 1], "table of numbers"),
        ([[1.0], [2.0]], [0], "one label for each of 2"),
        ([[1.0], [2.0]], [1, 1], r"got 1 class: \[1\]"),
        ([[1.0], [2.0], [3.0]], [1, 2, 3], "got 3"),
        ([[], []], [0, 1], "shape"),
    ],
)
def test_bad_tables_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(X, y)


MASKED = np.ma.array([[0.0], [1.0], [2.0], [3.0]], mask=[[True], [False], [False], [False]])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (MASKED, "X is a masked array"),
        (list(MASKED), "X is a masked array"),
        (np.array(X4) + 1j, "Complex data not supported"),
        ([[1j], [2.0], [3.0], [4.0]], "Complex data not supported"),
        ([["1"], ["2"], ["3"], ["4"]], "X must be a table of numbers"),
        (np.array([["2026-01-01"]] * 4, dtype="datetime64[D]"), "X must be a table of numbers"),
        (np.array(X4, dtype=object) + 1j, "X must be a table of numbers"),
        ([[None], [1.0], [2.0], [3.0]], "X contains NaN in row 0"),
        (np.array([[np.longdouble("1e400")], [1], [2], [3]]), "X contains inf in row 0"),
        (Tensor(X4), "pass the node's .data"),
        ([[Value(1.0)]] * 4, "X must be a table of numbers"),
    ],
)
def test_tables_that_numpy_would_convert_with_a_loss_are_refused(X, message):
    good = LogisticRegression(C=1.0).fit(X4, Y4)
    for call in (lambda: LogisticRegression().fit(X, Y4), lambda: good.predict(X), lambda: good.score(X, Y4)):
        with pytest.raises((TypeError, ValueError), match=message):
            call()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 0, 1, math.nan], "y contains NaN in row 3"),
        ([0.0, 0.0, 0.0, math.nan], "y contains NaN in row 3"),
        ([0, 0, 1, math.inf], "y contains inf in row 3"),
        (["a", "b", "a", math.nan], "y contains NaN in row 3"),
        (["a", "b", "a", None], "y contains None in row 3"),
        (np.array(["a", "b", "a", math.nan], dtype=object), "y contains NaN in row 3"),
        ([0, 1, None, 1], "y contains None in row 2"),
        (np.array(["2026", "2027", "2026", "NaT"], dtype="datetime64[Y]"), "y contains NaT in row 3"),
        (["0", "1", 0, 1], "y contains text and numbers"),
        (np.array(["0", "1", 0, 1], dtype=object), "cannot be compared"),
        (np.ma.array(Y4, mask=[True, False, False, False]), "y is a masked array"),
        (np.array(Y4) * 1j, "Complex data not supported"),
        ([[0, 1], [0, 1], [1, 0], [1, 0]], "one label for each example"),
        (0, "one label for each example"),
        (None, "the target y is None"),
        ([0.5, 1.5, 2.5, 3.5], "Unknown label type: continuous"),
        ([0, 0, 1], "one label for each of 4 examples"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LogisticRegression().fit(X4, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0], "one label for each of 4 examples"),
        ([[0, 0, 1, 1]], "one label for each example"),
        ([0, 0, 1, math.nan], "y contains NaN"),
        (["0", "0", "1", "1"], r"y contains the label '0', but the model was fitted with \[0, 1\]"),
        ([0, 0, 1, 2], r"y contains the label 2, but the model was fitted with \[0, 1\]"),
        (None, "the target y is None"),
        (np.ma.array(Y4, mask=[1, 0, 0, 0]), "y is a masked array"),
    ],
)
def test_score_checks_its_labels(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LogisticRegression(C=1.0).fit(X4, Y4).score(X4, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, 1], "one weight for each of 4 examples"),
        ([[1, 1, 1, 1]], "must have the shape"),
        ([1, 1, 1, -1], "-1.0 in row 3"),
        ([1, 1, 1, math.nan], "nan in row 3"),
        ([0, 0, 0, 0], "only zeros"),
        ([1, 1, 1, 1j], "Complex data not supported"),
        (["a", 1, 1, 1], "real numbers"),
        (print, "real numbers"),
        (np.ma.array([1.0] * 4), "sample_weight is a masked array"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    model = LogisticRegression(C=1.0).fit(X4, Y4)
    for call in (model.fit, model.score):
        with pytest.raises((TypeError, ValueError), match=message):
            call(X4, Y4, weights)


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
@pytest.mark.parametrize("learning_rate", ["auto", 0.5])
@pytest.mark.parametrize("C", [0.5, math.inf])
def test_a_weight_has_the_effect_of_equal_rows(backend, learning_rate, C):
    counts = [2, 0, 1, 3, 1, 2]
    X, y = (
        np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, -1.0], [1.5, 0.5], [0.5, 0.0]]),
        np.array([0, 1, 1, 0, 1, 1]),
    )
    settings = {"backend": backend, "learning_rate": learning_rate, "C": C, "iterations": 6, "tol": None}
    weighted = LogisticRegression(**settings).fit(X, y, counts)
    repeated = LogisticRegression(**settings).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
    np.testing.assert_allclose(weighted.costs_, repeated.costs_, rtol=1e-9)
    assert weighted.score(X, y, counts) == pytest.approx(
        repeated.score(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    )


def test_training_stops_at_the_tolerance():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    few, many = (LogisticRegression(tol=tol).fit(X, y) for tol in (1e-2, 1e-9))
    assert few.n_iter_.shape == (1,)
    assert few.n_iter_[0] == len(few.costs_) < many.n_iter_[0]
    fixed = LogisticRegression(learning_rate=0.5, tol=1e-6).fit(X, y)
    assert 10 < fixed.n_iter_[0] < 10_000
    assert fixed.coef_.item() == pytest.approx(many.coef_.item(), rel=1e-4)
    with pytest.warns(ConvergenceWarning, match="did not reach tol=1e-05 in 3 iterations"):
        LogisticRegression(learning_rate=0.5, iterations=3).fit(X, y)
    assert LogisticRegression(learning_rate=0.5, iterations=3, tol=None).fit(X, y).n_iter_[0] == 3


def test_log_probabilities_stay_finite():
    model = LogisticRegression(C=1.0).fit(X4, Y4)
    np.testing.assert_allclose(model.predict_log_proba(X4), np.log(model.predict_proba(X4)), rtol=1e-14)
    far = model.predict_log_proba([[1e6], [-1e6]])
    assert np.isfinite(far).all()
    assert model.predict_proba([[1e6]])[0, 0] == 0.0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backend": "gpu"}, "backend must be one of 'scalar'"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"learning_rate": 0.0}, "positive number"),
        ({"learning_rate": math.nan}, "positive number"),
        ({"iterations": 0}, "positive integer"),
        ({"iterations": 2.5}, "positive integer"),
        ({"iterations": True}, "positive integer"),
        ({"learning_rate": "fast"}, "learning_rate must be one of 'auto'"),
        ({"learning_rate": None}, "learning_rate must be a positive number"),
        ({"C": 0.0}, "C must be a positive number"),
        ({"C": "1"}, "C must be a positive number"),
        ({"tol": -1.0}, "tol must be a number of at least 0"),
        ({"tol": math.nan}, "tol must be a number of at least 0"),
    ],
)
def test_bad_parameters_are_refused_at_fit(params, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LogisticRegression(**params).fit(X4, Y4)


def test_parameters_in_and_out():
    model = LogisticRegression(loss="squared_error", iterations=7)
    given = {"backend": "tensor", "loss": "squared_error", "learning_rate": "auto", "iterations": 7}
    assert model.get_params() == {**given, "warm_start": False, "C": math.inf, "tol": 1e-5}
    assert model.set_params(iterations=3) is model
    assert model.iterations == 3
    with pytest.raises(ValueError, match="no parameter 'alpha'; it has backend"):
        model.set_params(alpha=1)
    assert "iterations=3" in repr(model)


def test_predicting_before_fitting_is_said():
    with pytest.raises(NotFittedError, match="call fit"):
        LogisticRegression().predict(X4)
    with pytest.raises(ValueError, match="2 features, but LogisticRegression is expecting 1 features"):
        LogisticRegression(learning_rate=0.5, iterations=1, tol=None).fit(X4, Y4).predict([[1.0, 2.0]])


def test_scikit_learn_takes_it_as_its_own():
    selection = pytest.importorskip("sklearn.model_selection", reason="needs the dependency group oracles")
    from sklearn.base import clone, is_classifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = load_breast_cancer()
    X, y = np.array(table.X), np.array(table.y)
    model = LogisticRegression(learning_rate=1.0, iterations=8, tol=None)
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
    ours = LogisticRegression(learning_rate=4.0, iterations=400, tol=None).fit(X, y)
    theirs = Theirs(C=1e12, tol=1e-10, max_iter=1000).fit(X, y)
    assert ours.coef_[0].tolist() == pytest.approx(theirs.coef_[0].tolist(), rel=1e-3)


@losses
def test_both_backends_learn_the_same_model(loss):
    _, _, X, Y = table_of(60)
    both = [
        LogisticRegression(backend=name, loss=loss, learning_rate=0.5, iterations=10, tol=None)
        for name in ("scalar", "tensor")
    ]
    scalar, tensor = (model.fit(X.T, Y.ravel()) for model in both)
    assert close(scalar.coef_, tensor.coef_, 100.0)
    assert close(scalar.intercept_, tensor.intercept_, 100.0)
    assert close(scalar.costs_, tensor.costs_, 100.0)
    assert all(type(cost) is float for cost in tensor.costs_)
    assert scalar.predict(X.T).tolist() == tensor.predict(X.T).tolist()


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_ctrl_c_keeps_the_parameters_of_the_last_complete_iteration(backend):
    whole = LogisticRegression(backend=backend, learning_rate=0.5, iterations=3, tol=None).fit(X4, Y4)

    def stop(iteration, cost):
        if iteration == 3:
            raise KeyboardInterrupt

    model = LogisticRegression(backend=backend, learning_rate=0.5, iterations=100, tol=None)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X4, Y4, on_iteration=stop)
    assert model.coef_.tolist() == whole.coef_.tolist()
    assert model.intercept_.tolist() == whole.intercept_.tolist()
    assert model.costs_ == whole.costs_
    assert model.predict(X4).tolist() == whole.predict(X4).tolist()


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_real_ctrl_c_leaves_whole_iterations(backend):
    """Ctrl-C can come at any moment, even in the middle of a pass or of an update."""
    reference = LogisticRegression(backend=backend, learning_rate=0.5, iterations=20_000, tol=None)
    path = []
    model = LogisticRegression(backend=backend, learning_rate=0.5, iterations=10**9, tol=None)
    assert interrupted(lambda: model.fit(X4, Y4), 0.05, again=10.0)
    reference.iterations = len(model.costs_)
    reference.fit(X4, Y4, on_iteration=lambda iteration, cost: path.append(cost))
    assert model.costs_ == path
    last = [reference.coef_.tolist()]
    reference.iterations += 1
    last.append(reference.fit(X4, Y4).coef_.tolist())
    assert model.coef_.tolist() in last


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_a_warm_start_goes_on_where_it_ended(backend):
    whole = LogisticRegression(backend=backend, learning_rate=0.5, iterations=7, tol=None).fit(X4, Y4)
    model = LogisticRegression(backend=backend, learning_rate=0.5, iterations=3, tol=None, warm_start=True).fit(X4, Y4)
    model.iterations = 4
    model.fit(X4, Y4)
    assert model.coef_.tolist() == whole.coef_.tolist()
    with pytest.raises(ValueError, match="is expecting 1 features"):
        model.fit([[1.0] * 5, [2.0] * 5], [0, 1])


# --- softmax regression

X6 = np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [5.0, 0.0], [2.0, 4.0], [3.0, 4.0]])
Y6 = np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_softmax_regression_follows_scikit_learns_shapes(backend):
    model = SoftmaxRegression(backend=backend, C=1.0).fit(X6, ["left", "left", "right", "right", "top", "top"])
    assert (model.coef_.shape, model.intercept_.shape, model.n_iter_.shape) == ((3, 2), (3,), (1,))
    assert model.classes_.tolist() == ["left", "right", "top"]
    assert model.predict(X6).tolist() == ["left", "left", "right", "right", "top", "top"]
    assert model.score(X6, model.predict(X6)) == 1.0
    z = model.decision_function(X6)
    np.testing.assert_allclose(z, X6 @ model.coef_.T + model.intercept_, rtol=1e-14)
    P = model.predict_proba(X6)
    np.testing.assert_allclose(P, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(model.predict_log_proba(X6), np.log(P), rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba([[1e6, 0.0]]).sum(), 1.0)
    assert np.isfinite(model.predict_log_proba([[1e6, -1e6]])).all()
    assert model.costs_[0] == pytest.approx(math.log(3.0), rel=1e-15)


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
@pytest.mark.parametrize("C", [0.5, 4.0])
def test_with_two_classes_softmax_regression_is_logistic_regression(backend, C):
    softmax = SoftmaxRegression(backend=backend, C=C, tol=1e-10).fit(X6, Y6 % 2)
    logistic = LogisticRegression(C=2.0 * C, tol=1e-10).fit(X6, Y6 % 2)
    assert softmax.coef_.shape == (2, 2)
    np.testing.assert_allclose(softmax.decision_function(X6), logistic.decision_function(X6), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(softmax.predict_proba(X6), logistic.predict_proba(X6), rtol=1e-6)
    assert softmax.predict(X6).tolist() == logistic.predict(X6).tolist()


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1}])
def test_both_backends_learn_the_same_softmax(settings):
    both = [SoftmaxRegression(backend=name, iterations=8, tol=None, **settings) for name in ("scalar", "tensor")]
    scalar, tensor = (model.fit(X6, Y6, [1, 2, 1, 0, 1, 3]) for model in both)
    np.testing.assert_allclose(scalar.coef_, tensor.coef_, rtol=1e-9)
    np.testing.assert_allclose(scalar.costs_, tensor.costs_, rtol=1e-9)


def test_the_update_of_softmax_regression_is_that_of_the_lecture():
    model = SoftmaxRegression(learning_rate=0.3, iterations=1, tol=None).fit(X6, Y6)
    dZ = (np.full((6, 3), 1 / 3) - np.eye(3)[Y6]) / 6
    np.testing.assert_allclose(model.coef_, -0.3 * dZ.T @ X6, atol=1e-15)
    np.testing.assert_allclose(model.intercept_, -0.3 * dZ.sum(axis=0), atol=1e-15)


def test_a_warm_start_of_softmax_regression():
    whole = SoftmaxRegression(learning_rate=0.1, iterations=7, tol=None).fit(X6, Y6)
    model = SoftmaxRegression(learning_rate=0.1, iterations=3, tol=None, warm_start=True).fit(X6, Y6)
    model.iterations = 4
    model.fit(X6, Y6)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-14)
    with pytest.raises(ValueError, match=r"y has 2 classes, but the model was fitted with 3: .* pass warm_start=False"):
        model.fit(X6, Y6 % 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0] * 6, r"y must contain at least two classes, .* got 1 class: \[0\]"),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], "Unknown label type: continuous. y must contain at least two classes"),
        ([0, 1, 2], "one label for each of 6 examples"),
        ([0, 1, 2, 0, 1, None], "y contains None in row 5"),
    ],
)
def test_labels_that_the_softmax_cannot_learn_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxRegression().fit(X6, y)


def test_the_parameters_of_softmax_regression():
    model = SoftmaxRegression(C=2.0)
    assert repr(model).startswith("SoftmaxRegression(backend='tensor', learning_rate='auto', iterations=10000,")
    with pytest.raises(ValueError, match="SoftmaxRegression has no parameter 'loss'; it has backend, learning_rate"):
        model.set_params(loss="squared_error")
    with pytest.raises(NotFittedError, match="this SoftmaxRegression is not fitted yet"):
        model.predict(X6)
    with pytest.raises(ValueError, match="X has 1 features, but SoftmaxRegression is expecting 2 features"):
        model.fit(X6, Y6).predict([[1.0]])
    for backend in ("tensor", "scalar"):
        with pytest.raises(FloatingPointError, match="at iteration"):
            SoftmaxRegression(backend=backend, learning_rate=1e308, iterations=9).fit(X6 * 1e8, Y6)
