"""Training examples, random ones and the real table, and the tolerance between two results."""

import numpy as np
import pytest
from hypothesis import strategies as st

from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.logistic import LOSSES

features = st.floats(-3, 3)
losses = pytest.mark.parametrize("loss", LOSSES)


@st.composite
def examples(draw):
    n = draw(st.integers(1, 4))
    X = draw(st.lists(st.lists(features, min_size=n, max_size=n), min_size=1, max_size=6))
    Y = draw(st.lists(st.sampled_from([0, 1]), min_size=len(X), max_size=len(X)))
    w = draw(st.lists(features, min_size=n, max_size=n))
    return X, Y, w, draw(features)


def table_of(rows):
    table = load_breast_cancer()
    X = np.array(Scaler.fit(table.X).transform(table.X))[:rows]
    rng = np.random.default_rng(1)
    return 0.2 * rng.normal(size=(X.shape[1], 1)), 0.125, X.T, np.array(table.y[:rows], dtype=float).reshape(1, -1)


def close(x, y, size=1.0):
    return np.max(np.abs(np.asarray(x) - np.asarray(y)), initial=0.0) <= 1e-12 * max(size, np.max(np.abs(y)))
