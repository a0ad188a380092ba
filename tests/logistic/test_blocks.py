"""The sums over a large table in blocks: their closed forms, their layout, and what training promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.logistic.problems import losses
from tinygraph.logistic import LogisticRegression, SoftmaxRegression, blocks
from tinygraph.logistic.blocks import Blocks, is_large
from tinygraph.logistic.objectives import Sigmoid, Softmax
from tinygraph.logistic.training import backward_on


def table(m, n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n))
    return X, (X[:, 0] + rng.normal(size=m) > 0).astype(float), 0.3 * rng.normal(size=(n, 1)), 0.125


def closed_form(loss, X, y, w, b, s):
    """Return the sums over the examples, without blocks and without a graph."""
    a = 1 / (1 + np.exp(-(X @ w.ravel() + b)))
    if loss == "squared_error":
        each, dz = 0.5 * (a - y) ** 2, (a - y) * a * (1 - a)
    else:
        each, dz = -(y * np.log(a) + (1 - y) * np.log1p(-a)), a - y
    return s.sum(), (s * each).sum(), X.T @ (s * dz), (s * dz).sum()


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "ROWS", 7)
    monkeypatch.setattr(blocks, "BYTES", 1)


@losses
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", ["C", "F", "columns of a wider table", "every second row", "backward"])
def test_the_sums_are_those_of_the_closed_form(loss, weighted, layout, small_blocks):
    X, y, w, b = table(40, 3)
    laid = {
        "C": X,
        "F": np.asfortranarray(X),
        "columns of a wider table": np.concatenate([X, X], axis=1)[:, :3],
        "every second row": np.repeat(X, 2, axis=0)[::2],
        "backward": np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    }[layout]
    s = np.arange(40.0) % 5 * (np.arange(40) >= 14)  # the first two blocks of 7 rows have no weight
    made = Blocks(Sigmoid(loss), laid, y.reshape(1, -1), s.reshape(1, -1) if weighted else None)
    for part in (w, 2.0 * w):
        found = made.sums([part, np.array(b)])
        expected = closed_form(loss, X, y, part, b, s if weighted else np.ones(40))
        np.testing.assert_allclose(found.size, expected[0], rtol=1e-15)
        np.testing.assert_allclose(found.losses, expected[1], rtol=1e-12)
        np.testing.assert_allclose(np.ravel(found.gradients[0]), expected[2], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(found.gradients[1], expected[3], rtol=1e-11, atol=1e-12)


@given(m=st.integers(1, 50), n=st.integers(1, 3), rows=st.integers(1, 60))
def test_any_number_of_rows_gives_the_same_sums(m, n, rows):
    X, y, w, b = table(m, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BYTES", 1)
        patch.setattr(blocks, "ROWS", rows)
        found = Blocks(Sigmoid("cross_entropy_with_logits"), X, y.reshape(1, -1), None).sums([w, np.array(b)])
    expected = closed_form("cross_entropy_with_logits", X, y, w, b, np.ones(m))
    assert found.size == m
    np.testing.assert_allclose(found.losses, expected[1], rtol=1e-12)
    np.testing.assert_allclose(np.ravel(found.gradients[0]), expected[2], rtol=1e-11, atol=1e-12)


def test_a_table_is_never_copied():
    for layout in "CF":
        X, y, _, _ = table(5000, 40)
        X = np.asarray(X, order=layout)
        parts = Blocks(Sigmoid("cross_entropy"), X, y.reshape(1, -1), None)._parts
        assert sum(data[0].shape[1] for _, data in parts) == 5000
        assert all(np.shares_memory(data[0], X) for _, data in parts)


@pytest.mark.parametrize("C", [math.inf, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_cost_and_the_gradients_are_those_of_the_recorded_graph(C, weighted, small_blocks):
    X, y, w, b = table(600, 30)
    objective, s = Sigmoid("cross_entropy_with_logits"), np.arange(600.0) % 3 if weighted else None
    assert is_large(objective, X)
    found = []
    for strict in (False, True):  # in a context, the graph of the whole table is recorded
        parameters = objective.leaves(w, np.array([b]), "tensor")
        run = backward_on(objective, parameters, X, y, s, C)
        if strict:
            with tinygraph.strict():
                found.append((run(), *[x.grad for x in parameters]))
        else:
            found.append((run(), *[x.grad for x in parameters]))
    assert type(found[0][0]) is float
    assert [np.shape(x) for x in found[0]] == [(), (30, 1), ()]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-14)


def test_a_large_table_is_learned_as_in_two_loops(monkeypatch):
    X, y, _, _ = table(300, 3)
    monkeypatch.setattr(blocks, "LARGE", 1)
    options = {"learning_rate": 0.5, "iterations": 5, "tol": None, "C": 2.0}
    ours, loops = (LogisticRegression(backend=name, **options).fit(X, y) for name in ("tensor", "scalar"))
    np.testing.assert_allclose(ours.coef_, loops.coef_, rtol=1e-11)
    np.testing.assert_allclose(ours.costs_, loops.costs_, rtol=1e-12)
    assert all(type(cost) is float for cost in ours.costs_)


def test_training_on_a_large_table_is_reproducible():
    X, y, _, _ = table(2000, 20)
    first, again = (LogisticRegression(iterations=6, tol=None).fit(X.copy(), y) for _ in range(2))
    longer = LogisticRegression(iterations=9, tol=None).fit(X, y)
    assert first.coef_.tolist() == again.coef_.tolist()
    assert first.costs_ == again.costs_ == longer.costs_[:6]


def test_one_chunk_gives_the_bits_of_the_table_in_memory():
    da = pytest.importorskip("dask.array", reason="needs the extra dask")
    X, y, _, _ = table(2000, 20)
    options = {"learning_rate": 0.5, "iterations": 5, "tol": None, "C": 3.0}
    lazy = LogisticRegression(**options).fit(da.from_array(X, chunks=(2000, 20)), da.from_array(y, chunks=2000))
    whole = LogisticRegression(**options).fit(X, y)
    assert lazy.coef_.tolist() == whole.coef_.tolist()
    assert lazy.costs_ == whole.costs_


def test_strict_names_the_op_that_overflows_on_a_large_table():
    X, y, _, _ = table(2000, 20)
    model = LogisticRegression(learning_rate=1e291, iterations=3, tol=None)
    with tinygraph.strict(), pytest.raises(FloatingPointError, match=r"· an array .* with nan"):
        model.fit(X * 1e10, y)
    with pytest.raises(FloatingPointError, match="standardize the features, or lower the learning rate"):
        model.fit(X * 1e10, y)


def test_small_tables_and_softmax_record_their_graph():
    assert not is_large(Sigmoid("cross_entropy"), np.zeros((100, 3)))
    assert not is_large(Softmax(), np.zeros((10_000, 30)))
    X = table(3000, 6)[0]
    y = np.argmax(X[:, :3], axis=1)
    assert SoftmaxRegression(iterations=30, tol=None).fit(X, y).score(X, y) > 0.95
