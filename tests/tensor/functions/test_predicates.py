"""Functions with plain results: NumPy's answers, which forward() and saved graphs ask again."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.tensor.test_array_ops import axes
from tinygraph import FrozenBranchError, Tensor
from tinygraph.saving.format import schema
from tinygraph.tensor.queries import QUERIES, query
from tinygraph.testing import arrays, shapes

numbers = st.sampled_from([-2.0, -0.0, 0.0, 1.0, np.inf, np.nan])
OF_AXES = ("any", "all", "count_nonzero")
OF_AN_AXIS = ("argmax", "argmin", "argsort")
OF_ALL = ("nonzero", "flatnonzero", "argwhere", "isnan", "isfinite", "isinf", "signbit")


def identical(ours, theirs):
    """Return whether two plain results have the same structure, type and elements."""
    if isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(identical, ours, theirs))
    return np.asarray(ours).dtype == np.asarray(theirs).dtype and np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", [*OF_AXES, *OF_AN_AXIS, *OF_ALL])
@given(data=st.data())
def test_the_answers_are_numpys(name, data):
    (shape,) = data.draw(shapes(1, min_side=1).filter(lambda found: len(found[0])))
    x = data.draw(arrays(shape, elements=numbers))
    options = {}
    if name in OF_AXES:
        options["axis"] = data.draw(axes(x.ndim))
    elif name in OF_AN_AXIS:
        options["axis"] = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    if name in (*OF_AXES, "argmax", "argmin"):
        options["keepdims"] = data.draw(st.booleans())
    if name in ("any", "all") and data.draw(st.booleans()):
        options["where"] = data.draw(arrays(shape, elements=st.sampled_from([0.0, 1.0]))) > 0
    kind = {"kind": "stable"} if name == "argsort" else {}
    t, expected = Tensor(x), getattr(np, name)(x, **options, **kind)
    assert identical(getattr(np, name)(t, **options, **kind), expected)
    if hasattr(Tensor, name):
        assert identical(getattr(t, name)(**options, **kind), expected)


@given(data=st.data())
def test_comparisons_of_whole_arrays_are_numpys(data):
    left, right = data.draw(shapes(2))
    x, y = data.draw(arrays(left, elements=numbers)), data.draw(arrays(right, elements=numbers))
    equal_nan = data.draw(st.booleans())
    for a, b in ((Tensor(x), y), (x, Tensor(y)), (Tensor(x), Tensor(y))):
        for name, options in (("isclose", {"atol": 0.5}), ("allclose", {}), ("array_equal", {})):
            expected = getattr(np, name)(x, y, equal_nan=equal_nan, **options)
            assert identical(getattr(np, name)(a, b, equal_nan=equal_nan, **options), expected)


X = np.array([[3.0, 1.0], [0.0, 2.0]])
# For each function: a call, data with the same answer, and data with another answer.
CALLS = {
    "argmax": (lambda t: t.argmax(1), [[3.0, 2.0], [0.0, 0.5]], [[3.0, 4.0], [0.0, 2.0]]),
    "argmin": (lambda t: np.argmin(t), [[3.0, 1.0], [-1.0, 2.0]], [[3.0, -1.0], [0.0, 2.0]]),
    "argsort": (lambda t: t.argsort(None), [[4.0, 1.0], [0.0, 3.0]], [[1.5, 1.0], [0.0, 2.0]]),
    "any": (lambda t: np.any(t, axis=1), [[0.0, 1.0], [0.0, 2.0]], [[3.0, 1.0], [0.0, 0.0]]),
    "all": (lambda t: t.all(axis=0), [[3.0, 9.0], [0.0, 2.0]], [[3.0, 1.0], [1.0, 2.0]]),
    "any of a mask": (lambda t: t.any(where=X > 0), [[3.0, 1.0], [0.0, 9.0]], [[3.0, 1.0], [0.0, 0.0]]),
    "count_nonzero": (lambda t: np.count_nonzero(t), [[9.0, 1.0], [0.0, 2.0]], [[3.0, 1.0], [1.0, 2.0]]),
    "nonzero": (lambda t: t.nonzero()[0], [[9.0, 1.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 2.0]]),
    "isnan": (np.isnan, [[9.0, 1.0], [0.0, 2.0]], [[3.0, np.nan], [0.0, 2.0]]),
    "isfinite": (np.isfinite, [[9.0, 1.0], [0.0, 2.0]], [[3.0, 1.0], [np.inf, 2.0]]),
    "isinf": (np.isinf, [[9.0, 1.0], [0.0, 2.0]], [[3.0, 1.0], [np.inf, 2.0]]),
    "signbit": (np.signbit, [[9.0, 1.0], [0.0, 2.0]], [[3.0, 1.0], [-0.0, 2.0]]),
    "isclose": (lambda t: np.isclose(X, t), X + 1e-9, [[3.0, 1.0], [0.1, 2.0]]),
    "allclose": (lambda t: np.allclose(t, X), X + 1e-9, [[3.0, 1.0], [0.1, 2.0]]),
    "array_equal": (lambda t: np.array_equal(t, X), X, [[3.0, 1.0], [0.1, 2.0]]),
}


def graph_of(call):
    """Return a leaf and a root, which depends on the answer of a call about a computed node."""
    x = Tensor(X, "x")
    z = 1.0 * x
    return x, (z * float(np.sum(call(z)))).sum()


@pytest.mark.parametrize("name", CALLS)
def test_forward_asks_again(name):
    call, same, other = CALLS[name]
    x, y = graph_of(call)
    x.data = same
    assert y.forward().item() == graph_of(lambda _: call(Tensor(same)))[1].item() / X.sum() * np.sum(same)
    x.data = other
    with pytest.raises(FrozenBranchError, match=r"a Tensor of shape \(2, 2\).* now has another outcome: record"):
        y.forward()


@pytest.mark.parametrize("way", ["save", "pickle", "deepcopy"])
@pytest.mark.parametrize("name", CALLS)
def test_copies_ask_again(name, way, tmp_path):
    call, same, other = CALLS[name]
    _, y = graph_of(call)
    if way == "save":
        tinygraph.save(y, tmp_path / "g.json")
        again = tinygraph.load(tmp_path / "g.json")
    else:
        again = pickle.loads(pickle.dumps(y)) if way == "pickle" else copy.deepcopy(y)
    leaf = next(node for node in tinygraph.engine.graph.order(again) if node.name == "x")
    leaf.data = same
    again.forward()
    leaf.data = other
    with pytest.raises(FrozenBranchError):
        again.forward()


def test_a_later_question_does_not_count():
    x = Tensor(X)
    y = x.sum()
    x.argmax()
    x.data = -X
    assert y.forward().item() == -6.0


def test_the_answer_is_the_callers():
    x = Tensor(X)
    order = x.argsort()
    y = (x * 1.0).sum()
    order[:] = 0
    x.data = X + 1.0
    assert y.forward().item() == 10.0


def test_the_schema_describes_saved_queries(tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema: pip install --group oracles")
    for name, (call, _, _) in CALLS.items():
        tinygraph.save(graph_of(call)[1], tmp_path / f"{name}.json")
        jsonschema.validate(json.loads((tmp_path / f"{name}.json").read_text("utf-8")), schema())


@pytest.mark.parametrize(
    "damage",
    [
        ["argmax"],
        ["argmax", 1],
        ["argmax", 5, False],
        ["argmax", "max", False],
        ["argmax", {"tuple": [{"list": []}]}, False],
        ["median", 1],
        [1],
        [],
        "argmax",
        ["isclose", 1.0, 1.0, 3],
    ],
    ids=str,
)
def test_damaged_queries_are_refused(damage, tmp_path):
    path = tmp_path / "g.json"
    tinygraph.save(graph_of(CALLS["argmax"][0])[1], path)
    content = json.loads(path.read_text("utf-8"))
    content["guards"][0]["comparison"] = damage
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match=r"guard 0: (the comparison must be one of|the values of|the outcome of)"):
        tinygraph.load(path)


def test_queries_are_checked():
    assert query("argmax", 1, False) is query("argmax", 1, False)
    assert not {"max", "median"} & QUERIES.keys()
    for wrong in (("max", None, False), ("argmax", True, False), ("isnan", 0), ("argmax", None)):
        with pytest.raises(ValueError, match="there is no query"):
            query(*wrong)


t = Tensor([[1.0, 2.0], [3.0, 4.0]])
WRONG = {
    "several axes": (lambda: t.argmax(axis=(0, 1)), TypeError, "axis must be an integer"),
    "an axis": (lambda: np.any(t, axis=2), np.exceptions.AxisError, r"any of an array of shape \(2, 2\): axis 2"),
    "a mask of numbers": (lambda: t.any(where=[1, 0]), TypeError, "where must be an array of bools"),
    "a Tensor as a mask": (lambda: t.all(where=t), TypeError, "not a Tensor"),
    "no elements": (lambda: Tensor([]).argmax(), ValueError, "empty"),
    "an array to write to": (lambda: t.any(out=np.zeros(())), TypeError, "does not understand out="),
    "text": (lambda: np.isclose(t, "a"), TypeError, "isclose: b"),
    "a tolerance": (lambda: np.isclose(t, t, atol="a"), TypeError, "isclose: atol"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused(case):
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()
