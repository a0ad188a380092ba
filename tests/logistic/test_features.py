"""Names of the features: only strings count, and a difference is described."""

import numpy as np
import pytest

from tinygraph.logistic.inputs import check_names, feature_names


class Frame:
    def __init__(self, columns):
        self.columns = columns


@pytest.mark.parametrize(
    ("X", "names"),
    [
        ([[1.0]], None),
        (np.ones((2, 2)), None),
        (Frame([0, 1]), None),
        (Frame([]), None),
        (Frame(["a", "b"]), ["a", "b"]),
    ],
)
def test_only_strings_are_names(X, names):
    found = feature_names(X)
    assert (found if found is None else found.tolist()) == names


def test_some_strings_are_refused():
    with pytest.raises(TypeError, match="only supported if all input features have string names"):
        feature_names(Frame(["a", 1]))


@pytest.mark.parametrize(("library", "create"), [("pandas", "DataFrame"), ("pyarrow", "table")])
def test_tables_of_several_libraries_have_names(library, create):
    module = pytest.importorskip(library, reason="needs the extra dask")
    X = getattr(module, create)({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert feature_names(X).tolist() == ["a", "b"]


def test_a_long_difference_is_shortened():
    known = np.array([f"k{i}" for i in range(8)], dtype=object)
    with pytest.raises(ValueError, match=r"yet now missing:\n- k0\n- k1\n- k2\n- k3\n- k4\n- \.\.\.\n"):
        check_names(np.array(["z"], dtype=object), known, "LogisticRegression")
