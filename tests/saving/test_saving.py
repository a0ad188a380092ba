"""Saved graphs: the round trip is exact to the bit, a file is not believed, and verification finds what was changed."""

import contextlib
import json
import math
import os
import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Stepper, Tensor, Value, draw, load, save, scope, trace_lines
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.logistic import no_loop, two_loops
from tinygraph.saving.format import GraphFileError, schema
from tinygraph.testing import graphs, tensor_programs

SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "graph.json"


def lecture():
    J = parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})
    J.backward()
    return J


def vectorized():
    X, Y = np.array([[1.0, 3.0, -1.0], [2.0, -1.0, 0.5]]), np.array([[1.0, 0.0, 1.0]])
    J = no_loop(Tensor([[0.1], [-0.2]], "w"), Tensor(0.0, "b"), X, Y)
    J.backward()
    return J


def bits(x):
    return None if x is None else (np.shape(x), np.asarray(x, dtype=np.float64).tobytes())


def described(root):
    """All that a graph is, in a form that can be compared."""
    nodes = order(root)
    place = {node: i for i, node in enumerate(nodes)}

    def operand(x):
        return place[x] if x in place else bits(x)

    def one(node):
        args = [operand(x) if isinstance(x, (Value, Tensor)) else bits(x) for x in node.args]
        flows = [flow if flow is None or flow is True else bits(flow) for flow in node.stored_partials]
        same = (type(node), repr(node.op), args, flows, bits(node.raw), bits(node.grad))
        return (*same, node.name, node.scope, node.line, node.constant)

    return [one(node) for node in nodes]


# --- the round trip


@given(program=graphs(), passes=st.integers(0, 2))
def test_a_graph_of_numbers_comes_back_to_the_bit(program, passes, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root, _ = program.record()
    for _ in range(passes):
        root.backward(accumulate=True)
    loaded = load(save(root, path), verify=True)
    assert described(loaded) == described(root)
    text = path.read_bytes()
    assert save(loaded, path).read_bytes() == text
    loaded.backward(), root.backward()
    assert described(loaded) == described(root)
    assert [str(step) for step in Stepper(loaded).steps] == [str(step) for step in Stepper(root).steps]
    assert draw(loaded).source == draw(root).source


@given(program=tensor_programs())
def test_a_graph_of_arrays_comes_back_to_the_bit(program, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root, _ = program.record()
    seed = None if not root.shape else np.random.default_rng(0).normal(size=root.shape)
    root.backward(seed=seed)
    loaded = load(save(root, path), verify=True)
    assert described(loaded) == described(root)
    loaded.backward(seed=seed)
    assert described(loaded) == described(root)


@pytest.mark.parametrize("x", SPECIAL)
def test_special_numbers_keep_their_bits(x, path):
    y = Value(x, "x") * x + Value(-0.0, "zero", constant=True)
    y.grad = x
    assert described(load(save(y, path))) == described(y)
    z = Tensor([x, 1.0], "x") * np.array([x, -0.0])
    assert described(load(save(z, path))) == described(z)


def test_nan_keeps_its_payload(path):
    odd = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
    loaded = load(save(Value(odd), path))
    assert struct.pack("<d", loaded.data) == struct.pack("<d", odd)


def test_several_roots_keep_what_they_share(path):
    x = Value(2.0, "x")
    s = x * x
    y, z = load(save([s + 1.0, s * 3.0], path), verify=True)
    assert y.args[0] is z.args[0]
    assert y.args[0].args[0].name == "x"
    (only,) = load(save([s], path))
    assert only.data == 4.0


def test_names_scopes_lines_and_constants_come_back(path):
    with scope("neuron"), scope("inner\n\ud800"), trace_lines():
        y = tinygraph.tanh(Value(0.5, "‘w’ \u0000") * Value(2.0, "x", constant=True))
    loaded = load(save(y, path))
    assert described(loaded) == described(y)
    assert loaded.line.endswith(y.line.rpartition("/")[2])
    assert loaded.args[0].args[1].constant


def test_comparisons_are_asked_again(path):
    x, limit = Value(2.0, "x"), Value(1.0, "limit")
    y = x * x if x > limit and x < 5.0 else -x
    loaded = load(save(y, path))
    x = loaded.args[0]
    x.data = 3.0
    assert loaded.forward().data == 9.0
    x.data = 6.0
    with pytest.raises(FrozenBranchError, match="x < 5"):
        loaded.forward()


def test_a_loaded_graph_can_be_edited_and_is_then_stale(path):
    J = load(save(lecture(), path))
    a = J.args[1].args[0]
    a.data = 6.0
    with pytest.raises(StaleGraphError):
        J.backward()
    with pytest.raises(StaleGraphError):
        save(J, path)
    assert J.forward().data == 36.0


def test_an_op_of_ones_own_is_found_by_its_name(path):
    tripled = tinygraph.op("tripled", lambda x: 3.0 * x, partials=(lambda out, x: 3.0,))
    y = tripled(Value(2.0, "x"))
    assert load(save(y, path), verify=True).op is tripled
    text = path.read_text().replace("tripled", "quadrupled")
    path.write_text(text)
    with pytest.raises(GraphFileError, match=r"no op 'quadrupled'.*register it"):
        load(path)


def test_every_family_of_ops_comes_back(path):
    x = Value(1.5, "x")
    y = tinygraph.total(
        [x**3, x**0.5, tinygraph.pow(x, Value(2.5, "y")), 1.0 / x, x.sqrt(), tinygraph.dot([x, x], [2.0, x])]
    )
    y = tinygraph.total([y, tinygraph.binary_cross_entropy(tinygraph.sigmoid(x), Value(0.25, "t"))])
    for _ in range(3):
        y = tinygraph.grad(y, x, create_graph=True)
    assert described(load(save(y, path), verify=True)) == described(y)


def test_every_kind_of_wiring_comes_back(path):
    A = Tensor(np.arange(12.0).reshape(3, 4), "A")
    mask = np.array([True, False, True])
    parts = [
        A[0], A[1:, ::2].sum(axis=0), A[[0, 2, 2]].mean(axis=(0, 1)), A[mask].max(axis=0), A[..., None].min(),
        A.T @ np.ones(3), A.reshape((4, 3)).sum(axis=1, keepdims=True), tinygraph.stack([A, A], axis=1).sum(),
        tinygraph.concatenate([A, A], axis=-1).max(axis=1), A.transpose((1, 0))[np.array([[0, 1], [3, 3]])],
    ]  # fmt: skip
    y = sum((part * part).sum() for part in parts)
    first = tinygraph.grad(y, A, create_graph=True)
    second = (first * first).sum()
    assert described(load(save(second, path), verify=True)) == described(second)


def test_a_deep_graph_needs_no_recursion(path):
    y = Value(1.0, "x")
    for _ in range(50_000):
        y = y * 1.0001
    assert load(save(y, path)).data == y.data


# --- what save refuses


@pytest.mark.parametrize("what", [3.0, "J", [], [Value(1.0), 2.0]])
def test_what_is_no_graph_is_refused(what, path):
    with pytest.raises(TypeError, match="save: "):
        save(what, path)
    assert not path.exists()


def test_lazy_arrays_are_not_computed_behind_ones_back(path):
    da = pytest.importorskip("dask.array", reason="no dask: pip install 'tinygraph-autodiff[dask]'")
    with pytest.raises(TypeError, match=r"lazy array of dask.*compute it first"):
        save(Tensor(da.ones((4, 2), chunks=2), "X", constant=True).sum(), path)


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_an_interrupted_save_leaves_the_old_file(at, path, monkeypatch):
    before = save(lecture(), path).read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, at, interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(vectorized(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# --- verification


def numbers_in(said, way=()):
    """The places of all numbers in a file that a row or a pass has made."""
    if isinstance(said, dict):
        for key, entry in said.items():
            if key not in ("args", "op", "shape", "version", "roots", "values", "nodes") or way == ():
                yield from numbers_in(entry, (*way, key))
    elif isinstance(said, list):
        for i, entry in enumerate(said):
            yield from numbers_in(entry, (*way, i))
    elif isinstance(said, float):
        yield way


@given(seed=st.integers(0, 10**6), make=st.sampled_from([lecture, vectorized]))
def test_every_changed_number_is_found(seed, make, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root = make()
    save(root, path)
    said = json.loads(path.read_text())
    *way, last = random.Random(seed).choice([way for way in numbers_in(said) if way[0] == "nodes"])
    place = said
    for key in way:
        place = place[key]
    place[last] += 0.001
    path.write_text(json.dumps(said))
    load(path)
    if way[1] == said["roots"] and "grad" in (*way, last):
        return  # the seed of the pass, which is believed
    with pytest.raises(GraphFileError, match=r"node \d+ \(.+\)"):
        load(path, verify=True)


def test_the_first_difference_is_named(path):
    said = json.loads(save(lecture(), path).read_text())
    said["nodes"][3]["data"] = 7.0
    path.write_text(json.dumps(said))
    with pytest.raises(
        GraphFileError, match=r"graph.json, node 3 \(u = b × c\): its data is 7.0, but its row computes 6.0"
    ):
        load(path, verify=True)
    said["nodes"][3].update(data=6.0, partials=[2.0, 4.0])
    path.write_text(json.dumps(said))
    with pytest.raises(GraphFileError, match=r"slope by operand 2 is 4.0, but its row computes 3.0"):
        load(path, verify=True)
    said["nodes"][3].update(partials=[2.0, 3.0])
    said["nodes"][1]["grad"] = 5.0
    path.write_text(json.dumps(said))
    with pytest.raises(GraphFileError, match=r"its grad is 5.0, but the contributions that arrive add up to 6.0"):
        load(path, verify=True)


def test_gradients_that_are_not_of_one_pass_are_kept_and_not_doubted(path):
    J = lecture()
    J.backward(accumulate=True)
    J.args[1].args[0].grad = 7.5
    assert "gradients" not in json.loads(save(J, path).read_text())
    assert described(load(path, verify=True)) == described(J)


# --- files that lie


def damaged():
    """Files that are no graph, each with a word of what is said about it."""
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
        "deep": ("[" * 100_000, "nested too deeply"),
        "deep and closed": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        "a number of 10,000 digits": (json.dumps(with_node()).replace("-2.0", "9" * 10_000), "not JSON"),
        "NaN": (json.dumps(with_node()).replace("-2.0", "NaN"), "not a number of JSON"),
        "a list": ([1, 2], "no graph of this library"),
        "another format": ({**good, "format": "other", "nodes": [x]}, "no graph of this library"),
        "another version": ({**good, "version": 2, "nodes": [x]}, "version 2"),
        "no nodes": ({**good, "nodes": []}, "at least one node"),
        "an unknown field": ({**with_node(), "extra": 1}, "no such field: 'extra'"),
        "an unknown field of a node": (with_node(code="x"), "no such field: 'code'"),
        "no data": ({**good, "nodes": [{}], "roots": 0}, "\"data\" is missing"),
        "no such root": ({**with_node(), "roots": 2}, "not the number of an earlier node"),
        "a root before the first": ({**with_node(), "roots": -1}, "not the number of an earlier node"),
        "no root": ({**with_node(), "roots": []}, "there must be one"),
        "itself": (with_node(args=[1]), "not the number of an earlier node"),
        "later": (with_node(args=[5]), "not the number of an earlier node"),
        "true for a number": (with_node(args=[True]), "not the number of an earlier node"),
        "only constants": (with_node(args=[{"constant": 2.0}], partials=[None]), "no operand of neg is a node"),
        "too many operands": (with_node(args=[0, 0], partials=[1.0, 1.0]), "neg takes 1 operand"),
        "too few slopes": (with_node(partials=[]), "neg takes 1 operand"),
        "a text for a slope": (with_node(partials=["x"]), "a slope is a float"),
        "a slope of a constant": ({**with_node(), "nodes": [{**x, "constant": True}, with_node()["nodes"][1]]}, "its slope is null"),
        "no op": (with_node(op="system"), "no op 'system'"),
        "code": (with_node(op="__import__('os').system('true')"), "no op"),
        "a family that is none": (with_node(op=["eval", "1"]), "family"),
        "an exponent of a billion": (with_node(op=["power_partial", 2.0, 10**9]), "no power_partial is made of"),
        "a family of nothing": (with_node(op=["power"]), "power"),
        "wiring of numbers": (with_node(op=["reshape", {"tuple": []}]), "reshape is for arrays"),
        "numbers and arrays": ({**good, "nodes": [a, {"op": "neg", "args": [0], "partials": [-1.0], "data": 1.0}]}, "do not mix"),
        "a million times a million": ({**good, "nodes": [{"data": {"shape": [10**6, 10**6], "elements": [1.0]}}]}, "there are 1 elements"),
        "negative shapes": ({**good, "nodes": [{"data": {"shape": [-1, -1], "elements": [1.0]}}]}, "there are 1 elements"),
        "more than it shows": ({**good, "nodes": [a, {**wide, "data": {"shape": [1], "elements": [1.0]}}]}, "matmul makes the shape"),
        "a gradient of another shape": ({**good, "roots": 0, "nodes": [{**a, "grad": 1.0}]}, "has the shape"),
        "a name that is none": (with_node(name=3), '"name" must be a text'),
        "a scope that is none": (with_node(scope=[1]), '"scope" must be a list of texts'),
        "infinite by its exponent": (json.dumps(with_node()).replace("-2.0", "1e999"), "is a float"),
        "nan that is none": (with_node(data="nan:3ff0000000000000"), "is a float"),
        "a comparison that is none": ({**with_node(), "guards": [{}]}, "guard 0"),
        "a comparison that lies": (
            {**with_node(), "guards": [{"comparison": "<", "text": "x < 1", "values": [2.0, 1.0], "outcome": True, "nodes": [0, None]}]},
            "is said to be True",
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
    with pytest.raises(GraphFileError, match="more than the 100 that are allowed: pass limit="):
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
    """A copy in which something else stands at a place."""
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


@pytest.mark.parametrize(
    "make", [lecture, vectorized, lambda: two_loops([Value(0.1, "w")], Value(0.0, "b"), [[1.0], [2.0]], [0, 1])]
)
def test_what_is_saved_is_as_the_schema_says(make, path):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema: pip install --group oracles")
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(save(make(), path).read_text()), schema())
