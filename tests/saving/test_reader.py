"""Files are not trusted: whatever a file contains, `load` returns a graph or raises one clear error."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.saving.examples import lecture, vectorized
from tinygraph import FrozenBranchError, Tensor, Value, draw, load, save
from tinygraph.engine.graph import order
from tinygraph.saving.format import GraphFileError, schema


def damaged():
    """Yield files that do not contain a graph, each with a word of the error message."""
    good = {"format": "tinygraph graph", "version": 1, "roots": 1}
    x = {"data": 2.0, "name": "x"}

    def with_node(**fields):
        return {**good, "nodes": [x, {"op": "neg", "args": [0], "partials": [-1.0], "data": -2.0, **fields}]}

    a = {"data": {"shape": [2, 1], "elements": [1.0, 2.0]}}
    wide = {
        "op": "matmul",
        "args": [0, {"constant": {"shape": [1, 3], "elements": [0.0] * 3}}],
        "partials": [True, None],
    }
    cases = {
        "empty": ("", "not JSON"),
        "truncated": (json.dumps(with_node())[:-20], "not JSON"),
        "binary": ("\x00\x01", "not JSON"),
        "deep": ("[" * 100_000, "too deeply nested"),
        "deep and closed": ("[" * 100_000 + "]" * 100_000, "too deeply nested"),
        "a number of 10,000 digits": (json.dumps(with_node()).replace("-2.0", "9" * 10_000), "not JSON"),
        "NaN": (json.dumps(with_node()).replace("-2.0", "NaN"), "not a JSON number"),
        "a list": ([1, 2], "not a graph that tinygraph saved"),
        "another format": ({**good, "format": "other", "nodes": [x]}, "not a graph that tinygraph saved"),
        "another version": ({**good, "version": 2, "nodes": [x]}, "format version 2 is not supported: this version of tinygraph reads format version 1"),
        "no nodes": ({**good, "nodes": []}, "at least one node"),
        "an unknown field": ({**with_node(), "extra": 1}, "the format has no field 'extra'"),
        "an unknown field of a node": (with_node(code="x"), "the format has no field 'code'"),
        "no data": ({**good, "nodes": [{}], "roots": 0}, "\"data\" is missing"),
        "no such root": ({**with_node(), "roots": 2}, "not the index of an earlier node"),
        "a root before the first": ({**with_node(), "roots": -1}, "not the index of an earlier node"),
        "no root": ({**with_node(), "roots": []}, "there must be at least one root"),
        "itself": (with_node(args=[1]), "not the index of an earlier node"),
        "later": (with_node(args=[5]), "not the index of an earlier node"),
        "true for a number": (with_node(args=[True]), "not the index of an earlier node"),
        "only constants": (with_node(args=[{"constant": 2.0}], partials=[None]), "at least one operand of neg must be a node"),
        "too many operands": (with_node(args=[0, 0], partials=[1.0, 1.0]), "neg takes 1 operand"),
        "too few slopes": (with_node(partials=[]), "neg takes 1 operand"),
        "a text for a slope": (with_node(partials=["x"]), "a local derivative must be a float"),
        "a slope of a constant": ({**with_node(), "nodes": [{**x, "constant": True}, with_node()["nodes"][1]]}, "its local derivative must be null"),
        "no op": (with_node(op="system"), "no op 'system'"),
        "code": (with_node(op="__import__('os').system('true')"), "no op"),
        "a family that is none": (with_node(op=["eval", "1"]), "parametrized op"),
        "an exponent of a billion": (with_node(op=["power_partial", 2.0, 10**9]), "power_partial does not accept the parameters"),
        "a family of nothing": (with_node(op=["power"]), "power"),
        "wiring of numbers": (with_node(op=["reshape", {"tuple": []}]), "reshape needs arrays"),
        "numbers and arrays": ({**good, "nodes": [a, {"op": "neg", "args": [0], "partials": [-1.0], "data": 1.0}]}, "cannot mix"),
        "a million times a million": ({**good, "nodes": [{"data": {"shape": [10**6, 10**6], "elements": [1.0]}}]}, "there are 1 elements"),
        "negative shapes": ({**good, "nodes": [{"data": {"shape": [-1, -1], "elements": [1.0]}}]}, "there are 1 elements"),
        "more than it shows": ({**good, "nodes": [a, {**wide, "data": {"shape": [1], "elements": [1.0]}}]}, "matmul returns shape"),
        "true for a version": ({**good, "version": True}, "format version True is not supported"),
        "a gradient of another shape": ({**good, "roots": 0, "nodes": [{**a, "grad": 1.0}]}, "has shape"),
        "a gradient of nothing": (with_node(grad=None), '"grad" must be a float'),
        "a name that is none": (with_node(name=3), '"name" must be a string'),
        "a scope that is none": (with_node(scope=[1]), '"scope" must be a list of strings'),
        "infinite by its exponent": (json.dumps(with_node()).replace("-2.0", "1e999"), "must be a float"),
        "nan that is none": (with_node(data="nan:3ff0000000000000"), "must be a float"),
        "a comparison that is none": ({**with_node(), "guards": [{}]}, "guard 0"),
        "a comparison that lies": (
            {**with_node(), "guards": [{"comparison": "<", "text": "x < 1", "values": [2.0, 1.0], "outcome": True, "nodes": [0, None]}]},
            "the outcome of 'x < 1' must be False, not True",
        ),
    }  # fmt: skip
    return [pytest.param(what, said, id=name) for name, (what, said) in cases.items()]


@pytest.mark.parametrize(("what", "said"), damaged())
def test_a_damaged_file_gets_one_clear_error(what, said, path):
    path.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
    with pytest.raises(GraphFileError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith("graph.json")
    assert len(str(caught.value)) < 400


def test_bytes_that_are_no_text_get_one_too(path):
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(GraphFileError, match="not JSON"):
        load(path)


def test_a_file_of_too_many_bytes_is_not_read(path):
    save(lecture(), path)
    with pytest.raises(GraphFileError, match="more than the limit of 100: pass limit="):
        load(path, limit=100)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.json")


FIELDS = ["op", "args", "data", "tuple", "list", "slice", "shape", "elements"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(said, way=()):
    yield way
    for key, entry in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from places(entry, (*way, key))


def changed(said, way, value):
    """Return a copy with another value at one position."""
    if not way:
        return value
    copy = dict(said) if isinstance(said, dict) else list(said)
    copy[way[0]] = changed(said[way[0]], way[1:], value)
    return copy


@given(data=st.data(), make=st.sampled_from([lecture, vectorized]))
def test_whatever_stands_in_a_file_it_loads_or_is_refused(data, make, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    said = json.loads(save(make(), path).read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        said = changed(said, data.draw(st.sampled_from(list(places(said)))), data.draw(JSON))
    path.write_text(json.dumps(said), encoding="utf-8")
    try:
        loaded = load(path)
    except GraphFileError:
        return
    for root in loaded if isinstance(loaded, list) else [loaded]:
        repr(root), draw(root), order(root)
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema: pip install --group oracles")
    jsonschema.validate(said, schema())
    with contextlib.suppress(GraphFileError):
        load(path, verify=True)


def test_comparisons_of_arrays_are_repeated_after_loading(tmp_path):
    x = Tensor([1.0, 2.0], "x")
    y = (x * (x > np.array([[0.5], [1.5]]))).sum() + x[x >= 1.0].sum()
    first = x[0]
    y = y * first if first < 4.0 else y
    again = load(save(y, tmp_path / "y.json"), verify=True)
    with contextlib.suppress(ImportError):
        import jsonschema

        jsonschema.validate(json.loads((tmp_path / "y.json").read_text()), schema())
    (leaf,) = [node for node in order(again) if node.name == "x"]
    for numbers in ([1.2, 3.0], [1.0, 2.5]):
        leaf.data = x.data = np.array(numbers)
        assert again.forward().data == y.forward().data
    leaf.data = np.array([3.0, 1.0])
    with pytest.raises(FrozenBranchError):
        again.forward()
    first = (tmp_path / "y.json").read_bytes()
    assert save(load(tmp_path / "y.json"), tmp_path / "z.json").read_bytes() == first


OUTSIDE = {  # programs of x, w and v that compare nodes outside the graph: the saved leaves that change such a node
    "a number": (lambda x, w, v: x * w + max(0.0, x * 2.0 - 5.0), {"x"}),
    "the other operand": (lambda x, w, v: max(x * 2.0, x * x) * w, {"x"}),
    "a condition": (lambda x, w, v: (x if w * v > 1.0 else v) * w, {"w"}),
    "a leaf outside": (lambda x, w, v: (x if v * 2.0 > 1.0 else v) * w, set()),
}


@pytest.mark.parametrize("case", OUTSIDE)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_comparison_of_a_node_outside_the_graph_is_saved_with_its_leaves(kind, case, tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema: pip install --group oracles")
    program, changing = OUTSIDE[case]
    y = program(kind(1.0, "x"), kind(3.0, "w"), kind(4.0, "v"))
    path = save(y, tmp_path / "y.json")
    jsonschema.validate(json.loads(path.read_text()), schema())
    assert save(load(path, verify=True), tmp_path / "z.json").read_bytes() == path.read_bytes()
    for name in ("x", "w"):
        again = load(path)
        (leaf,) = [node for node in order(again) if node.name == name]
        leaf.data = 1.5
        if name in changing:
            with pytest.raises(FrozenBranchError, match="every compared node"):
                again.forward()
        else:
            right = {"x": kind(1.0), "w": kind(3.0), name: kind(1.5)}
            assert again.forward().data == program(right["x"], right["w"], kind(4.0)).data


def test_a_comparison_that_came_after_the_root_is_not_saved(tmp_path):
    for kind in (Value, Tensor):
        x = kind(2.0, "x")
        J = x * x
        assert J > 1.0
        again = load(save(J, tmp_path / "J.json"))
        (leaf,) = [node for node in order(again) if node.name == "x"]
        leaf.data = 0.5
        assert again.forward().data == 0.25


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": True},
        {"outcome": {"mask": [True], "shape": [1]}},
        {"outcome": {"tuple": [True, {"tuple": [True, True]}]}},
        {"outcome": {"mask": [False, True], "shape": [2]}},
        {"values": [{"shape": [2], "elements": [1.0, 2.0]}, {"shape": [3], "elements": [1.0, 2.0, 3.0]}]},
        {"values": [1.0, 0.5]},
        {"nodes": [None, None]},
    ],
    ids=str,
)
def test_a_wrong_comparison_of_arrays_is_refused(change, tmp_path):
    x = Tensor([1.0, 2.0])
    path = save((x * (x > 0.5)).sum(), tmp_path / "y.json")
    content = json.loads(path.read_text())
    content["guards"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(GraphFileError, match="guard 0"):
        load(path)
