"""The vectorized model builds lazy graphs on dask arrays, and its results equal those on NumPy arrays."""

import os
import signal
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor
from tinygraph.logistic import LOSSES, LogisticRegression, SoftmaxRegression, no_loop

dask = pytest.importorskip("dask", reason="needs the extra dask")
da = pytest.importorskip("dask.array", reason="needs the extra dask")


class Computed(Exception):
    """Raised if anything computes a lazy array."""


def refuse(*args, **options):
    raise Computed


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 40))
def test_cost_and_gradient_build_lazily_and_equal_numpys(loss, seed, chunk):
    draw = np.random.default_rng(seed)
    X, Y = draw.normal(size=(3, 40)), (draw.random((1, 40)) < 0.5) * 1.0
    start = draw.normal(size=(3, 1))
    w, b = Tensor(start, "w"), Tensor(0.1, "b")
    with dask.config.set(scheduler=refuse):
        J = no_loop(w, b, da.from_array(X, chunks=(3, chunk)), da.from_array(Y, chunks=(1, chunk)), loss)
        J.backward()
        assert repr(J) == "Tensor(shape=(), name='J', op='div')"
        assert (w.grad.shape, b.grad.shape) == ((3, 1), ())
        with pytest.raises(Computed):
            J.data.compute()
    lazy = dask.compute(J.data, w.grad, b.grad)
    ours, bias = Tensor(start, "w"), Tensor(0.1, "b")
    eager = no_loop(ours, bias, X, Y, loss)
    eager.backward()
    for found, expected in zip(lazy, (eager.data, ours.grad, bias.grad), strict=True):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_lazy_array_is_kept_as_it_is():
    lazy = da.ones((4, 6), chunks=2)
    assert Tensor(lazy, constant=True).data is lazy
    assert (Tensor(np.ones((4, 1))) * lazy).args[1] is lazy
    assert Tensor(da.ones(3, dtype=int, chunks=2)).data.dtype == np.float64


@pytest.mark.parametrize(
    "f",
    [
        lambda t: (t @ np.ones((6, 2))).sum(),
        lambda t: (t.T * t.T).mean(axis=0).sum(),
        lambda t: tinygraph.relu(t - 0.5).sum(),
        lambda t: tinygraph.tanh(t).reshape(24)[3:9].sum(),
        lambda t: t.max(),
        lambda t: (t / t.sum(axis=1, keepdims=True))[:, 2:].sum(),
    ],
)
def test_other_ops_build_lazily_too(f):
    array = np.arange(24.0).reshape(4, 6) / 7.0
    lazy, eager = Tensor(da.from_array(array, chunks=3), "t"), Tensor(array, "t")
    with dask.config.set(scheduler=refuse):
        y = f(lazy)
        y.backward()
    f(eager).backward()
    np.testing.assert_allclose(dask.compute(lazy.grad)[0], eager.grad, rtol=1e-12)


def test_strict_looks_at_no_lazy_number():
    with tinygraph.strict(), dask.config.set(scheduler=refuse):
        tinygraph.log(Tensor(da.zeros((2, 2), chunks=1))).sum().backward()


# --- training on chunks


def table(m=5000, n=6, seed=0):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(m, n))
    return X, (X @ draw.normal(size=n) + draw.normal(size=m) > 0).astype(int)


def with_nan(X):
    X[703, 2] = np.nan
    return X


def trained(X, y, sample_weight=None, **options):
    settings = {"learning_rate": 1.0, "iterations": 12, "tol": None, **options}
    return LogisticRegression(**settings).fit(X, y, sample_weight)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("chunks", [(700, 4), (5000, 6), (1, 6)], ids=str)
def test_training_on_chunks_equals_training_on_the_table(loss, chunks):
    X, y = table(m=40 if chunks[0] == 1 else 5000)
    whole = trained(X, y, loss=loss)
    lazy, labels = da.from_array(X, chunks=chunks), da.from_array(y, chunks=chunks[0])
    model = trained(lazy, labels, loss=loss)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.costs_, whole.costs_, rtol=1e-10)
    assert model.classes_.tolist() == [0, 1]
    assert model.score(lazy, labels) == whole.score(X, y)
    assert (model.predict(lazy).compute() == whole.predict(X)).all()


def test_training_on_a_dataframe_with_words_for_labels():
    dd = pytest.importorskip("dask.dataframe", reason="needs the extra dask")
    pandas = pytest.importorskip("pandas", reason="needs the extra dask")
    X, y = table()
    names = list("abcdef")
    frame = pandas.DataFrame(X, columns=names)
    frame["label"] = np.where(y, "yes", "no")
    frames = dd.from_pandas(frame, npartitions=4)
    model = trained(frames[names], frames["label"])
    whole = trained(X, frame["label"].to_numpy())
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-10)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.score(frames[names], frames["label"]) == whole.score(X, frame["label"].to_numpy())


def test_the_order_in_which_chunks_are_done_changes_no_bit():
    X, y = table()
    lazy, labels = da.from_array(X, chunks=(300, 6)), da.from_array(y, chunks=300)
    with dask.config.set(scheduler="synchronous"):
        one_by_one = trained(lazy, labels)
    with dask.config.set(scheduler="threads", num_workers=4):
        at_once = trained(lazy, labels)
    assert one_by_one.coef_.tolist() == at_once.coef_.tolist()


def unaligned(X):
    message = np.empty(X.nbytes + 1, np.uint8)
    copy = message[1:].view(X.dtype).reshape(X.shape)
    copy[:] = X
    assert not copy.flags.aligned
    return copy


def test_where_a_chunk_lies_in_memory_changes_no_bit():
    """A chunk from another worker arrives in the middle of a message, so it may be unaligned."""
    X, y = table(50_000, 20)
    lazy, labels = da.from_array(X, chunks=(25_000, 20)), da.from_array(y, chunks=25_000)
    models = [trained(data, labels, iterations=3) for data in (lazy, lazy.map_blocks(unaligned))]
    assert models[0].coef_.tolist() == models[1].coef_.tolist()


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "a part of a larger table": lambda X: np.concatenate([X, X], axis=1)[:, : X.shape[1]],
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "unaligned": unaligned,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_how_a_chunk_is_laid_out_in_memory_changes_no_bit(layout):
    """Chunks become contiguous when a worker sends them. BLAS adds in another order for each layout."""
    X, y = table(4000, 20)
    lazy, labels = da.from_array(X, chunks=(1000, 20)), da.from_array(y, chunks=1000)
    sent = lazy.map_blocks(LAYOUTS[layout])
    models = [trained(data, labels, iterations=3) for data in (lazy, sent)]
    assert models[0].coef_.tolist() == models[1].coef_.tolist()
    models = [trained(data, labels, iterations=5, learning_rate="auto") for data in (lazy, sent)]
    assert models[0].coef_.tolist() == models[1].coef_.tolist()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [0.1, np.inf])
def test_the_default_finds_the_same_optimum_in_chunks(weighted, C):
    X, y = table(1000)
    X = X * [1e-3, 1.0, 1e3, 1.0, 1.0, 1.0] + 10.0
    weights = np.random.default_rng(3).uniform(0.0, 2.0, 1000) if weighted else None
    chunked = None if weights is None else da.from_array(weights, chunks=300)
    lazy, labels = da.from_array(X, chunks=(300, 2)), da.from_array(y, chunks=300)
    whole = LogisticRegression(C=C, tol=1e-9).fit(X, y, weights)
    model = LogisticRegression(C=C, tol=1e-9).fit(lazy, labels, chunked)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-6, atol=1e-9)
    assert model.score(lazy, labels, chunked) == pytest.approx(whole.score(X, y, weights), rel=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_softmax_regression_finds_the_same_optimum_in_chunks(weighted, C):
    X, y = table(1000)
    words = np.array(["a", "b", "c"], dtype=object)[y + (X[:, 0] > 0.5)]
    weights = np.random.default_rng(3).uniform(0.0, 2.0, 1000) if weighted else None
    chunked = None if weights is None else da.from_array(weights, chunks=300)
    lazy, labels = da.from_array(X, chunks=(300, 2)), da.from_array(words, chunks=300)
    whole = SoftmaxRegression(C=C, tol=1e-8).fit(X, words, weights)
    model = SoftmaxRegression(C=C, tol=1e-8).fit(lazy, labels, chunked)
    assert model.coef_.shape == (3, 6)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.intercept_, whole.intercept_, rtol=1e-5, atol=1e-7)
    assert model.score(lazy, labels, chunked) == pytest.approx(whole.score(X, words, weights), rel=1e-14)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        found = getattr(model, method)(lazy)
        assert isinstance(found, da.Array)
        expected = getattr(model, method)(X)
        assert found.compute().tolist() == expected.tolist() if method == "predict" else np.allclose(found, expected)


def test_names_of_a_chunked_dataframe_are_checked():
    dd = pytest.importorskip("dask.dataframe", reason="needs the extra dask")
    pandas = pytest.importorskip("pandas", reason="needs the extra dask")
    X, y = table(100)
    frames = dd.from_pandas(pandas.DataFrame(X, columns=list("abcdef")), npartitions=2)
    labels = dd.from_pandas(pandas.Series(y), npartitions=2)
    model = trained(frames, labels)
    for call in (model.predict, lambda X: model.score(X, labels)):
        with pytest.raises(ValueError, match="same order"):
            call(frames[list("fedcba")])


def missing(y, kind):
    if kind == "nan":
        return np.where(np.arange(len(y)) == 703, np.nan, y)
    labels = np.where(y, "yes", "no").astype(object)
    labels[703] = None if kind == "None" else np.nan
    return labels


@pytest.mark.parametrize("kind", ["nan", "None", "nan among words"])
def test_a_missing_label_in_a_chunk_is_refused(kind):
    """NaN was a third class, or it was the second of two, which was then predicted for every row."""
    X, y = table()
    lazy, labels = da.from_array(X, chunks=(700, 6)), da.from_array(missing(y, kind), chunks=700)
    with pytest.raises(ValueError, match=r"chunk 1 of y contains (NaN|None) in row 3"):
        trained(lazy, labels)
    good = da.from_array(y if kind == "nan" else np.where(y, "yes", "no").astype(object), chunks=700)
    with pytest.raises(ValueError, match=r"chunk 1 of y contains (NaN|None) in row 3"):
        trained(lazy, good).score(lazy, labels)


def test_one_class_and_nan_in_chunks_are_refused():
    X, _ = table(100)
    with pytest.raises(ValueError, match="chunk 1 of y contains NaN in row 0"):
        trained(da.from_array(X, chunks=(50, 6)), da.from_array(np.repeat([1.0, np.nan], 50), chunks=50))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[:-1], "weights: use the same chunks"),
        (lambda s: -s, "must be finite and not negative"),
        (lambda s: s * np.nan, "must be finite and not negative"),
        (lambda s: s * 0.0, "only zeros"),
    ],
)
def test_bad_weights_of_chunks_are_refused(change, message):
    X, y = table(100)
    lazy, labels = da.from_array(X, chunks=(50, 6)), da.from_array(y, chunks=50)
    with pytest.raises(ValueError, match=message):
        trained(lazy, labels, da.from_array(change(np.ones(100)), chunks=50))


def test_no_chunk_is_computed_but_where_it_is_used():
    """A thread never has two chunks at once, and the chunks are never joined."""
    alive, most = [], []

    def load(block_info=None):
        X, _ = table(m=500, seed=block_info[None]["chunk-location"][0])
        alive.append(weakref.ref(X))
        most.append(sum(ref() is not None for ref in alive))
        return X

    X = da.map_blocks(load, chunks=((500,) * 20, (6,)), dtype=np.float64)
    y = (X.sum(axis=1) > 0).astype(int)
    with dask.config.set(scheduler="synchronous"):
        trained(X, y, iterations=2)
    assert max(most) <= 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda X, y: (X, da.from_array(y, chunks=700)), "both be dask arrays or dataframes, but X is a ndarray"),
        (lambda X, y: (da.from_array(X, chunks=700), y), "both be dask arrays or dataframes, but y is a ndarray"),
        (lambda X, y: (da.from_array(X, chunks=(700, 6)), da.from_array(y, chunks=500)), "give X and y the same"),
        (lambda X, y: (da.from_array(X, chunks=(700, 6)), da.from_array(y * 0, chunks=700)), "got 1"),
        (lambda X, y: (da.from_array(X[:, 0], chunks=700), da.from_array(y, chunks=700)), "must have shape"),
        (
            lambda X, y: (da.from_array(with_nan(X), chunks=(700, 6)), da.from_array(y, chunks=700)),
            "chunk 1 of X contains NaN in row 3, column 2",
        ),
        (
            lambda X, y: (da.from_array(X, chunks=(2500, 6)), da.from_array(y, chunks=(2400, 2600))),
            r"chunk \d has 2500 examples and 2[46]00 labels",
        ),
    ],
)
def test_chunks_that_cannot_be_used_get_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        trained(*make(*table()))


def test_the_loops_are_not_for_chunks():
    X, y = table()
    with pytest.raises(ValueError, match="backend='tensor'"):
        LogisticRegression(backend="scalar").fit(da.from_array(X), da.from_array(y))


# --- training on a cluster of two processes with little memory


@pytest.fixture
def client():
    """Start a cluster for one test. While it exists, every computation of dask goes to it.

    A worker that is nearly full would pause, and then wait without end if nothing makes room. Let the cluster kill and
    restart it instead.
    """
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with (
        dask.config.set({"distributed.worker.memory.pause": False}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


# The processes and sockets of a cluster warn when one of them is killed or ends; these warnings are not ours.
on_a_cluster = pytest.mark.filterwarnings("ignore")
LIMIT = 280 * 2**20  # memory of each worker in bytes; its libraries need more than half of it


def large(rows, n=20, chunk=50_000):
    """Return a table that is generated chunk by chunk, is the same each time, and is not stored."""
    X = da.random.default_rng(0).normal(size=(rows, n), chunks=(chunk, n))
    return X, (X @ np.linspace(-1.0, 1.0, n) > 0.0).astype(int)


def check_against_one_process(model, X, y):
    """Repeat the training in this process, chunk by chunk. BLAS has other threads here, so the last bits may differ."""
    with dask.config.set(scheduler="synchronous"):
        answer = trained(X, y, iterations=model.iterations)
    np.testing.assert_allclose(model.coef_, answer.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.costs_, answer.costs_, rtol=1e-10)


@on_a_cluster
def test_a_cluster_gives_the_same_answer_and_shows_its_progress(client):
    X, y = table()
    lazy, labels = da.from_array(X, chunks=(300, 6)), da.from_array(y, chunks=300)
    seen = []
    model = LogisticRegression(backend="tensor", learning_rate=1.0, iterations=5, tol=None)
    model.fit(lazy, labels, on_iteration=lambda iteration, cost: seen.append((iteration, cost)))
    check_against_one_process(model, lazy, labels)
    assert seen == list(enumerate(model.costs_, 1))


class Killer:
    """A callback that kills a worker in the middle of the next iteration."""

    def __init__(self, client, iteration):
        self.client, self.iteration, self.pid = client, iteration, None

    def __call__(self, iteration, cost):
        if iteration == self.iteration:
            pids = self.client.run(os.getpid)
            self.pid = pids[min(pids)]
            threading.Timer(0.2, os.kill, [self.pid, signal.SIGKILL]).start()


@on_a_cluster
def test_a_worker_that_is_killed_changes_nothing_but_time(client):
    X, y = large(400_000)
    undisturbed = trained(X, y, iterations=4)
    killer = Killer(client, 2)
    model = LogisticRegression(backend="tensor", learning_rate=1.0, iterations=4, tol=None).fit(
        X, y, on_iteration=killer
    )
    assert killer.pid not in client.run(os.getpid).values()
    assert model.coef_.tolist() == undisturbed.coef_.tolist()
    assert model.costs_ == undisturbed.costs_
    check_against_one_process(model, X, y)


@on_a_cluster
def test_a_table_five_times_larger_than_a_workers_memory_and_a_worker_killed(client):
    rows = 5 * LIMIT // (20 * 8) + 1
    X, y = large(rows, chunk=100_000)
    assert X.nbytes > 5 * LIMIT
    killer = Killer(client, 1)
    model = LogisticRegression(backend="tensor", learning_rate=1.0, iterations=2, tol=None).fit(
        X, y, on_iteration=killer
    )
    assert killer.pid not in client.run(os.getpid).values()
    check_against_one_process(model, X, y)
