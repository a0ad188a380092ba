"""Attacks on a saved graph: each field of each node is changed or removed, and what loads must be consistent."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.saving.examples import lecture, vectorized
from tinygraph import Tensor, Value, load, save
from tinygraph.engine.graph import order
from tinygraph.saving.format import GraphFileError
from tinygraph.testing import graphs, tensor_programs

WRONG = [
    None, True, False, 0, 1, -1, 3, 10**30, 10**400, 2.5, -0.0, 1e308, "", "nan", "inf", "add", "x", [], [0], [[]],
    [None], [True], [10**30], {}, {"constant": 1.0}, {"constant": None}, {"shape": [], "elements": [1.0]},
    {"shape": [1], "elements": [1.0]}, {"shape": [2, 1], "elements": [1.0, 2.0]},
    {"shape": [10**30], "elements": []},
    {"shape": [0], "elements": []}, {"shape": [True], "elements": [1.0]}, {"tuple": [10**30]}, {"tuple": []},
    {"slice": [10**30, None, 0]}, {"indices": [10**30], "shape": [1]}, {"indices": [2**62], "shape": [1]},
    {"mask": [True], "shape": [1]}, {"mask": [1], "shape": [1]}, {"list": [0, True]},
]  # fmt: skip
OPS = ["add", "mul", "exp", "total", "dot", "where", ["power", 2.0], ["power", 10**30], ["reshape", {"tuple": [-1]}],
       ["sum_over", 10**30, False], ["sum_over", 10**30, True], ["mean_over", {"tuple": [10**30]}, False],
       ["extremum", "max", 10**30, False], ["concatenate", 10**30], ["stack", 10**30], ["stack", -(10**30)],
       ["transpose", {"tuple": [10**30]}], ["index", {"tuple": [10**30]}],
       ["expand", {"tuple": [2**61, 2**61]}]]  # fmt: skip
HEAD = {"format": "tinygraph graph", "version": 1, "roots": 1}


def places(said, way=()):
    yield way
    for key, entry in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from places(entry, (*way, key))


def changes(said):
    """Yield (place, content) for each field that is removed or replaced."""
    for way in places(said["nodes"], ("nodes",)):
        values = [*WRONG, *(OPS if "op" in way else ())]
        for value in ["removed", *values]:
            changed = copy.deepcopy(said)
            place = changed
            for key in way[:-1]:
                place = place[key]
            if value == "removed":
                del place[way[-1]]
            else:
                place[way[-1]] = value
            yield way, changed


def close(x, y):
    return np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=1e-13, atol=1e-300, equal_nan=True)


def assert_consistent(root, one_pass):
    """Record the graph again from its leaves, and compare values, local derivatives and gradients."""
    again = {}
    for node in reversed(order(root)):
        if node.op is None:
            made = type(node)(node.raw, constant=node.constant)
        else:
            made = node.op.on([again.get(x, x) if isinstance(x, (Value, Tensor)) else x for x in node.args])
        again[node] = made
        assert type(made) is type(node)
        assert close(made.raw, node.raw)
        for stored, local in zip(node.stored_partials, made.stored_partials, strict=True):
            assert (stored is None) == (local is None)
            assert stored in (None, True) if isinstance(stored, (bool, type(None))) else close(stored, local)
    if one_pass:
        again[root].backward(seed=root.grad)
        for node, made in again.items():
            assert (node.grad is None) == (made.grad is None)
            assert node.grad is None or close(node.grad, made.grad)


def attack(said, path):
    for _, changed in changes(said):
        path.write_text(json.dumps(changed))
        try:
            loaded = load(path, verify=True)
        except GraphFileError as error:
            assert str(error).startswith("graph.json")  # noqa: PT017
            continue
        assert_consistent(loaded, "gradients" in changed)


@pytest.mark.parametrize("make", [lecture, vectorized])
def test_every_changed_field_is_found_or_gives_another_consistent_graph(make, path):
    attack(json.loads(save(make(), path).read_text()), path)


@given(data=st.data(), of_arrays=st.booleans())
def test_a_changed_field_of_a_random_program_is_found(data, of_arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root, _ = data.draw(tensor_programs() if of_arrays else graphs()).record()
    root.backward(seed=np.ones(root.shape) if of_arrays else None)
    said = json.loads(save(root, path).read_text())
    ways = list(places(said["nodes"], ("nodes",)))
    way = data.draw(st.sampled_from(ways))
    place = said
    for key in way[:-1]:
        place = place[key]
    if data.draw(st.booleans()):
        del place[way[-1]]
    else:
        place[way[-1]] = data.draw(st.sampled_from([*WRONG, *OPS]))
    path.write_text(json.dumps(said))
    try:
        loaded = load(path, verify=True)
    except GraphFileError:
        return
    assert_consistent(loaded, "gradients" in said)


SQUARE = {"op": "mul", "args": [0, 0], "partials": [3.0, 3.0], "data": 9.0, "grad": 1.0}


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ([{"data": 3.0, "grad": 3.0}, SQUARE | {"partials": [3.0, None]}], "its local derivative must not be null"),
        ([{"data": 3.0, "grad": 7.0}, {k: v for k, v in SQUARE.items() if k != "grad"}], "root must have a gradient"),
        ([{"data": 3.0}, SQUARE | {"constant": True}], '"constant" must be true if'),
        ([{"data": 3.0, "constant": True}, SQUARE | {"partials": [None, None]}], '"constant" must be true if'),
        ([{"data": 3.0, "grad": {"shape": [], "elements": [6.0]}}, SQUARE], "must be a number, like the node's data"),
        ([{"data": 3.0, "grad": 6.0}, SQUARE, {"data": 1.0}], "node 2: no root was computed from this node"),
    ],
)  # fmt: skip
def test_a_graph_that_no_program_records_is_refused(nodes, match, path):
    path.write_text(json.dumps({**HEAD, "gradients": "one pass", "nodes": nodes}))
    with pytest.raises(GraphFileError, match=match):
        load(path)


def test_a_sum_whose_terms_overflow_is_verified(path):
    x = Value(1.7e308, "x")
    said = json.loads(save(x - x * 0.5, path).read_text())
    said["nodes"][-1]["data"] = 1.0
    path.write_text(json.dumps(said))
    with pytest.raises(GraphFileError, match="but its op computes"):
        load(path, verify=True)
