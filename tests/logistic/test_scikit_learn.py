"""scikit-learn's own checks pass, and programs that use its tools get what they get from its models."""

import pickle
from itertools import combinations

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="needs the dependency group oracles")

from sklearn import (  # noqa: E402  (after the skip)
    base,
    calibration,
    compose,
    datasets,
    ensemble,
    exceptions,
    feature_selection,
    inspection,
    linear_model,
    model_selection,
    multiclass,
    multioutput,
    pipeline,
    preprocessing,
    semi_supervised,
)
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, check_estimator  # noqa: E402

from tinygraph.datasets import load_breast_cancer  # noqa: E402
from tinygraph.logistic import (  # noqa: E402
    BACKENDS,
    ConvergenceWarning,
    LogisticRegression,
    NotFittedError,
    SoftmaxRegression,
)

MODELS = (LogisticRegression, SoftmaxRegression)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass(model, backend):
    slow = {"tol": 1e-2} if (model, backend) == (SoftmaxRegression, "scalar") else {}
    results = check_estimator(model(backend=backend, **slow), on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] not in ("passed", "skipped")}
    assert failed == {}
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}
    assert len(results) >= 55
    check_dataframe_column_names_consistency(model.__name__, model(backend=backend))


# --- the accuracy of scikit-learn's unregularized optimum, with default settings


def tables():
    cancer = load_breast_cancer()
    yield "breast cancer", np.array(cancer.X), np.array(cancer.y)
    for name in ("iris", "wine", "digits"):
        data = getattr(datasets, f"load_{name}")()
        for pair in list(combinations(np.unique(data.target), 2))[:20]:
            rows = np.isin(data.target, pair)
            yield f"{name} {pair[0]}{pair[1]}", data.data[rows], data.target[rows]
    data = datasets.load_diabetes()
    yield "diabetes", data.data, data.target > np.median(data.target)


TABLES = {name: table for name, *table in tables()}


@pytest.mark.parametrize("name", TABLES)
def test_the_default_reaches_the_accuracy_of_scikit_learn_within_two_rows(name):
    X, y = TABLES[name]
    assert len(TABLES) >= 24
    theirs = pipeline.make_pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression(C=np.inf, tol=1e-9, max_iter=5000)
    ).fit(X, y)
    ours = LogisticRegression().fit(X, y)
    assert abs(np.sum(ours.predict(X) == y) - np.sum(theirs.predict(X) == y)) <= 2


def noisy(m=120, n=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n)) * np.logspace(-1, 2, n) + 3.0
    return X, ((X - 3.0) @ (1.0 / np.logspace(-1, 2, n)) + rng.normal(size=m) > 0).astype(int)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3, np.inf])
def test_the_optimum_is_scikit_learns(backend, weighted, C):
    X, y = noisy(60)
    weights = np.random.default_rng(1).uniform(0.0, 3.0, len(y)) if weighted else None
    theirs = linear_model.LogisticRegression(C=C, tol=1e-10, solver="newton-cholesky").fit(X, y, weights)
    ours = LogisticRegression(backend=backend, C=C, tol=1e-9).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5, atol=1e-8)


# --- more than two classes

MULTICLASS = {name: getattr(datasets, f"load_{name}")(return_X_y=True) for name in ("iris", "wine", "digits")}


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("name", MULTICLASS)
def test_softmax_regression_predicts_like_scikit_learn_within_two_rows(name, C):
    X, y = MULTICLASS[name]
    X = preprocessing.StandardScaler().fit_transform(X)
    theirs = linear_model.LogisticRegression(C=C, tol=1e-6, max_iter=2000).fit(X, y)
    ours = SoftmaxRegression(C=C).fit(X, y)
    assert np.sum(ours.predict(X) != theirs.predict(X)) <= 2
    if np.inf != C:
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [1e-2, 1.0, 10.0])
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_the_optimum_of_the_softmax_is_scikit_learns(name, backend, weighted, C):
    X, y = (table[::3] for table in MULTICLASS[name])
    X = X[:, :4]
    weights = np.random.default_rng(1).uniform(0.0, 3.0, len(y)) if weighted else None
    theirs = linear_model.LogisticRegression(C=C, tol=1e-10, solver="newton-cg", max_iter=1000).fit(X, y, weights)
    ours = SoftmaxRegression(backend=backend, C=C, tol=1e-8).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_ - ours.intercept_.mean(), ours.intercept_, atol=1e-9)


XS, YS = MULTICLASS["iris"]
FLOWERS = np.array(["setosa", "versicolor", "virginica"])[YS]
FOR_THREE_CLASSES = {
    "decision_function": lambda m: m.fit(XS, YS).decision_function(XS),
    "predict_proba": lambda m: m.fit(XS, FLOWERS).predict_proba(XS),
    "words for labels": lambda m: m.fit(XS, FLOWERS).predict(XS) == FLOWERS,
    "score": lambda m: m.fit(XS, YS).score(XS, YS, sample_weight=XS[:, 0]),
    "GridSearchCV": lambda m: (
        model_selection.GridSearchCV(m, {"C": [0.1, 1.0]}, cv=3).fit(XS, YS).best_estimator_.predict_proba(XS)
    ),
    "cross_validate": lambda m: model_selection.cross_validate(m, XS, YS, scoring=["roc_auc_ovr", "neg_log_loss"])[
        "test_neg_log_loss"
    ],
    "CalibratedClassifierCV": lambda m: calibration.CalibratedClassifierCV(m, cv=3).fit(XS, YS).predict_proba(XS),
    "BaggingClassifier": lambda m: ensemble.BaggingClassifier(m, random_state=0).fit(XS, YS).predict_proba(XS),
    "StackingClassifier": lambda m: (
        ensemble.StackingClassifier([("m", m)], final_estimator=base.clone(m), cv=3).fit(XS, YS).predict_proba(XS)
    ),
    "RFE": lambda m: feature_selection.RFE(m, n_features_to_select=2).fit(XS, YS).support_,
    "pickle": lambda m: pickle.loads(pickle.dumps(m.fit(XS, YS))).predict_proba(XS),
    "pipeline": lambda m: (
        pipeline.make_pipeline(preprocessing.StandardScaler(), m).fit(XS, FLOWERS).predict_log_proba(XS)
    ),
}


@pytest.mark.parametrize("client", FOR_THREE_CLASSES)
def test_clients_of_scikit_learn_with_three_classes(client):
    ours = FOR_THREE_CLASSES[client](SoftmaxRegression(C=1.0, tol=1e-8))
    theirs = FOR_THREE_CLASSES[client](linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000))
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=1e-3, atol=1e-4)


# --- client programs: each returns something that depends on the model, and that scikit-learn's model gives too

X, Y = noisy()
WORDS = np.array(["no", "yes"])[Y]
WEIGHTS = np.random.default_rng(2).uniform(0.5, 2.0, len(Y))


def frame():
    pandas = pytest.importorskip("pandas", reason="needs the dependency group oracles")
    return pandas.DataFrame(X, columns=list("abcd"))


def partly_labeled():
    return np.where(np.arange(len(Y)) % 3 == 0, -1, Y)


def scaled(model):
    return pipeline.make_pipeline(preprocessing.StandardScaler(), model)


def scores(model, **options):
    return model_selection.cross_val_score(model, X, Y, cv=4, **options)


def search(model):
    found = model_selection.GridSearchCV(model, {"C": np.array([0.1, 1.0]), "tol": [1e-7]}, cv=3).fit(X, Y)
    return found.best_estimator_.predict_proba(X)


def permuted(model):
    return inspection.permutation_importance(model.fit(X, Y), X, Y, n_repeats=3, random_state=0).importances_mean


def pickled(model):
    return pickle.loads(pickle.dumps(model.fit(X, Y))).predict_proba(X)


def dumped(model):
    import io

    import joblib

    file = io.BytesIO()
    joblib.dump(model.fit(X, Y), file)
    file.seek(0)
    return joblib.load(file).predict_proba(X)


def columns(model):
    transformer = compose.ColumnTransformer([("some", preprocessing.StandardScaler(), ["a", "c"])])
    return pipeline.make_pipeline(transformer, model).fit(frame(), WORDS).predict_proba(frame())


def pandas_output(model):
    steps = pipeline.make_pipeline(preprocessing.StandardScaler().set_output(transform="pandas"), model)
    return steps.fit(frame(), Y)[-1].feature_names_in_ == list("abcd")


def several_scores(model):
    return model_selection.cross_validate(model, X, Y, scoring=["roc_auc", "neg_log_loss", "neg_brier_score"])[
        "test_neg_log_loss"
    ]


CLIENTS = {
    "predict": lambda m: m.fit(X, Y).predict(X),
    "predict_proba": lambda m: m.fit(X, Y).predict_proba(X),
    "predict_log_proba": lambda m: m.fit(X, Y).predict_log_proba(X),
    "decision_function": lambda m: m.fit(X, Y).decision_function(X),
    "score": lambda m: m.fit(X, Y).score(X, Y),
    "score with weights": lambda m: m.fit(X, Y, WEIGHTS).score(X, Y, sample_weight=WEIGHTS),
    "words for labels": lambda m: m.fit(X, WORDS).predict(X) == "yes",
    "labels of objects": lambda m: m.fit(X, WORDS.astype(object)).predict(X) == "yes",
    "clone": lambda m: base.clone(m).fit(X, Y).predict_proba(X),
    "set_params": lambda m: m.set_params(C=0.5).fit(X, Y).coef_,
    "pickle": pickled,
    "joblib": dumped,
    "pipeline": lambda m: scaled(m).fit(X, Y).predict_proba(X),
    "pipeline with weights": lambda m: (
        pipeline.Pipeline([("model", m)]).fit(X, Y, model__sample_weight=WEIGHTS).predict_proba(X)
    ),
    "cross_val_score": lambda m: scores(scaled(m)),
    "cross_val_score in parallel": lambda m: scores(m, n_jobs=2),
    "cross_val_score, roc_auc": lambda m: scores(m, scoring="roc_auc"),
    "cross_validate": several_scores,
    "cross_val_predict": lambda m: model_selection.cross_val_predict(m, X, Y, method="decision_function"),
    "GridSearchCV": search,
    "RandomizedSearchCV": lambda m: (
        model_selection.RandomizedSearchCV(m, {"C": [0.1, 1.0, 10.0]}, n_iter=2, random_state=0)
        .fit(X, Y)
        .best_params_["C"]
    ),
    "GridSearchCV of a pipeline": lambda m: model_selection.GridSearchCV(scaled(m), {}, cv=3).fit(X, Y).best_score_,
    "learning_curve": lambda m: model_selection.learning_curve(m, X, Y, cv=3, shuffle=True, random_state=0)[2],
    "validation_curve": lambda m: model_selection.validation_curve(
        m, X, Y, param_name="C", param_range=np.logspace(-2, 2, 3)
    )[1],
    "permutation_test_score": lambda m: model_selection.permutation_test_score(
        m, X, Y, n_permutations=3, random_state=0
    )[0],
    "CalibratedClassifierCV": lambda m: calibration.CalibratedClassifierCV(m, cv=3).fit(X, Y).predict_proba(X),
    "BaggingClassifier": lambda m: (
        ensemble.BaggingClassifier(m, n_estimators=4, random_state=0).fit(X, Y).predict_proba(X)
    ),
    "AdaBoostClassifier": lambda m: (
        ensemble.AdaBoostClassifier(m, n_estimators=4, random_state=0).fit(X, Y, WEIGHTS).predict_proba(X)
    ),
    "VotingClassifier": lambda m: (
        ensemble.VotingClassifier([("m", m), ("n", linear_model.Perceptron())]).fit(X, WORDS).predict(X) == "yes"
    ),
    "soft VotingClassifier": lambda m: (
        ensemble.VotingClassifier([("m", m)], voting="soft").fit(X, Y, sample_weight=WEIGHTS).predict_proba(X)
    ),
    "StackingClassifier": lambda m: (
        ensemble.StackingClassifier([("m", m)], final_estimator=base.clone(m), cv=3).fit(X, Y).predict_proba(X)
    ),
    "SelfTrainingClassifier": lambda m: (
        semi_supervised.SelfTrainingClassifier(m).fit(X, partly_labeled()).predict_proba(X)
    ),
    "RFE": lambda m: feature_selection.RFE(m, n_features_to_select=2).fit(X, Y).support_,
    "RFECV": lambda m: feature_selection.RFECV(m, cv=3).fit(X, Y).support_,
    "SelectFromModel": lambda m: feature_selection.SelectFromModel(m).fit(X, Y).get_support(),
    "SequentialFeatureSelector": lambda m: (
        feature_selection.SequentialFeatureSelector(m, n_features_to_select=1, cv=3).fit(X, Y).get_support()
    ),
    "permutation_importance": permuted,
    "partial_dependence": lambda m: inspection.partial_dependence(m.fit(X, Y), X, [0])["average"],
    "OneVsRestClassifier": lambda m: (
        multiclass.OneVsRestClassifier(m).fit(X, (X[:, 0] > 3).astype(int) + Y).predict_proba(X)
    ),
    "OneVsOneClassifier": lambda m: multiclass.OneVsOneClassifier(m).fit(X, (X[:, 3] > 3) * 1 + Y).predict(X),
    "OutputCodeClassifier": lambda m: (
        multiclass.OutputCodeClassifier(m, random_state=0).fit(X, (X[:, 3] > 3) * 1 + Y).predict(X)
    ),
    "MultiOutputClassifier": lambda m: (
        multioutput.MultiOutputClassifier(m).fit(X, np.stack([Y, (X[:, 3] > 3) ^ Y], axis=1)).predict(X)
    ),
    "ClassifierChain": lambda m: multioutput.ClassifierChain(m).fit(X, np.stack([Y, (X[:, 3] > 3) ^ Y], 1)).predict(X),
    "FixedThresholdClassifier": lambda m: (
        model_selection.FixedThresholdClassifier(m, threshold=0.3).fit(X, Y).predict(X)
    ),
    "TunedThresholdClassifierCV": lambda m: (
        model_selection.TunedThresholdClassifierCV(m, cv=3, random_state=0).fit(X, Y).best_score_
    ),
    "DataFrame": lambda m: m.fit(frame(), Y).predict_proba(frame()),
    "Series of words": lambda m: (
        m.fit(frame(), frame()["a"].gt(3).map({True: "y", False: "n"})).predict(frame()) == "y"
    ),
    "ColumnTransformer": columns,
    "set_output": pandas_output,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_of_scikit_learn(client):
    """The regularization makes the optimum unique, so that both models agree in their numbers."""
    ours = CLIENTS[client](LogisticRegression(C=1.0, tol=1e-9))
    theirs = CLIENTS[client](linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000))
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=1e-4, atol=1e-5)


def test_parameters_may_be_numpy_numbers():
    grid = {"iterations": np.array([2000, 3000]), "C": np.logspace(-1, 1, 2), "tol": np.float64([1e-4])}
    found = model_selection.GridSearchCV(LogisticRegression(), grid, cv=2).fit(X, Y)
    assert found.best_params_["iterations"] in (2000, 3000)


def test_scikit_learns_classes_are_raised_and_ours():
    with pytest.raises(exceptions.NotFittedError) as caught:
        LogisticRegression().predict(X)
    assert isinstance(caught.value, NotFittedError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, exceptions.NotFittedError)
    assert str(again) == str(caught.value)
    for kind in (ConvergenceWarning, exceptions.ConvergenceWarning):
        with pytest.warns(kind, match=r"did not reach tol=1e-05 in 2 iterations"):
            LogisticRegression(iterations=2).fit(X, Y)


def test_more_classes_are_refused_in_scikit_learns_words():
    iris = datasets.load_iris()
    with pytest.raises(ValueError, match=r"Only binary classification is supported\. .* got 3 classes"):
        LogisticRegression().fit(iris.data, iris.target)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array"])
def test_sparse_data_are_refused_by_name(kind):
    sparse = pytest.importorskip("scipy.sparse", reason="needs the dependency group oracles")
    data = getattr(sparse, kind)(X)
    model = LogisticRegression(C=1.0).fit(X, Y)
    for call in (lambda: LogisticRegression().fit(data, Y), lambda: model.predict(data), lambda: model.score(data, Y)):
        with pytest.raises(TypeError, match=r"X is sparse, .* call \.toarray\(\) first"):
            call()


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "score", "fit"]
)
def test_reordered_columns_are_refused(method):
    model = LogisticRegression(C=1.0, warm_start=True).fit(frame(), Y)
    assert model.feature_names_in_.tolist() == list("abcd")
    labels = (Y,) if method in ("score", "fit") else ()
    with pytest.raises(ValueError, match="same order as they were in fit"):
        getattr(model, method)(frame()[list("badc")], *labels)
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- z\n.*missing:\n- d"):
        getattr(model, method)(frame().rename(columns={"d": "z"}), *labels)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        getattr(model, method)(X, *labels)
