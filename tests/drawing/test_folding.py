"""Folding partitions the graph into groups of nodes that were computed in the same way."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, draw, scope
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.folded import folded, folded_scopes
from tinygraph.drawing.folding import fold, fold_scopes
from tinygraph.engine.graph import Node, order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining.notation import shared_name
from tinygraph.explaining.walk import Walk
from tinygraph.logistic import two_loops
from tinygraph.testing import graphs


def loops(m, n):
    draw_number = random.Random(0).gauss
    w, b = [Value(0.1 * j, f"w{j + 1}") for j in range(n)], Value(0.1, "b")
    X = [[draw_number(0.0, 1.0) for _ in range(n)] for _ in range(m)]
    return two_loops(w, b, X, [float(i % 2) for i in range(m)]), w


@given(program=graphs(max_steps=20), limit=st.integers(1, 40))
def test_a_fold_is_a_partition_of_what_is_not_within_a_sum(program, limit):
    root, _ = program.record()
    found = fold(order(root), limit)
    together = [node for group in found.groups for node in group]
    inside = set(order(root)) - set(together)
    assert len(together) == len(set(together)) == len(order(root)) - len(inside)
    assert all(node.op.name in ("add", "total") and not node.name for node in inside)
    assert all(edge.owner is edge.node or edge.owner in inside for edge in found.edges)
    assert found.groups[-1] == [root]
    for group in found.groups:
        assert (
            len({(node.op and node.op.name, len(node.args), node.constant) for node in group if node not in found.sums})
            <= 1
        )


@given(program=graphs(max_steps=20))
def test_no_edge_is_lost(program):
    root, _ = program.record()
    found = fold(order(root))
    inside = len(order(root)) - sum(map(len, found.groups))  # additions that became part of a sum
    assert len(found.edges) == sum(len(node.args) for node in order(root)) - inside
    for operand, node, owner, slot in found.edges:
        assert owner.args[slot] is operand
        assert node is owner or node in found.sums


def test_the_examples_of_the_two_loops_become_one():
    J, w = loops(50, 3)
    J.backward()
    shown = folded(Walk(J, J.grad), Style(parameters=set(w)), 60)
    cards = {box.name or box.expression: box for box in shown.boxes if box.role != "constant"}
    assert {name: box.times for name, box in cards.items()} == {
        "w1 … w3": 3, "b": 1, "w × …": 150, "z": 50, "a": 50, "loss": 50, "Σ loss": 1, "J": 1,
    }  # fmt: skip
    assert cards["z"].expression == "b + Σ w × …"
    assert cards["J"].expression == "(Σ loss)/50"
    assert cards["w1 … w3"].role == "parameter"
    assert all(arrow.back is not None for arrow in shown.arrows if not arrow.tail.startswith("c"))
    edges = sum(local is not None for node in order(J) for local in node.partials)
    inside = 50 * 2 + 48  # additions within a sum
    assert sum(arrow.times for arrow in shown.arrows if arrow.back) == edges - inside
    low, high = (w_j.grad for w_j in sorted(w, key=lambda w_j: w_j.grad)[:: len(w) - 1])
    assert cards["w1 … w3"].grad == f"{low:.4g} … {high:.4g}"


def test_what_is_used_differently_is_not_put_together():
    x, y = Value(1.0), Value(1.0)
    root = x.exp() + x.exp() + y.sin()
    groups = [len(group) for group in fold(order(root)).groups]
    assert sorted(groups) == [1, 1, 1, 1, 2]


def test_the_middle_of_a_chain_is_one_group_and_its_ends_are_seen():
    x = Value(1.0)
    for _ in range(500):
        x = x.exp().log()
    groups = [len(group) for group in fold(order(x)).groups]
    assert sum(groups) == 1001
    assert max(groups) > 480
    assert len(groups) < 30


def test_names_and_scopes_with_other_numbers_are_alike_unless_they_are_few():
    def layers(count):
        h = Value(1.0)
        for i in range(count):
            with scope(f"layer {i}"):
                h = (h * 0.5).tanh()
        return {len(group) for group in fold(order(h)).groups}

    assert max(layers(5)) < 3
    assert max(layers(200)) > 150


def test_scopes_fold_to_one_card_each():
    x = Value(1.0, "x")
    with scope("first"):
        h = (x * 2.0).tanh()
        with scope("inner"):
            h = h.exp()
    with scope("second"):
        y = h * h
    root = y + 1.0
    assert [len(group) for group in fold_scopes(order(root)).groups] == [1, 3, 1, 1]
    root.backward()
    shown = folded_scopes(Walk(root), Style())
    assert [(box.name, box.expression) for box in shown.boxes if box.role == "scope"] == [
        ("first", "3 nodes"), ("second", "1 node"),
    ]  # fmt: skip
    assert draw(root, detail="scopes").source.count("[label") >= 5


def test_the_scope_of_the_root_is_drawn_once():
    x = Value(1.0, "x")
    with scope("layer"), scope("inner"):
        root = (x * 2.0).tanh() + x
    boxes = folded_scopes(Walk(root), Style()).boxes
    assert [(box.role, box.name, box.scope) for box in boxes] == [
        ("input", "x", ()), ("scope", "layer", ()), ("output", "", ()),
    ]  # fmt: skip
    assert draw(root, detail="scopes").source.count("layer") == 2, "a label and its tooltip"


def test_nested_lists_fold_to_the_name_of_the_list():
    W = [[Value(0.1 * (i + j)) for j in range(12)] for i in range(11)]
    x = [Value(0.3 * j) for j in range(12)]
    tinygraph.name_from({"W": W, "x": x})
    root = sum(W[i][j] * x[j] for i in range(11) for j in range(12)) + 1.0
    expressions = {box.expression for box in folded(Walk(root), Style(), 8).boxes}
    assert "W × x" in expressions


PARTS = ["W", "x", "layer", "_", ".", "[0]", "[1,2]", "(3)", "{4}", "[a[5]]", "^(6)", "7", "^"]


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=5), data=st.data())
def test_a_shared_name_has_all_its_brackets(parts, data):
    name = "".join(parts)
    digits = [i for i, sign in enumerate(name) if sign.isdigit()]
    changed = {i for i in digits if data.draw(st.booleans())}
    other = "".join(str((int(sign) + 1) % 10) if i in changed else sign for i, sign in enumerate(name))
    shared = shared_name([name, other])
    for left, right in ("[]", "()", "{}"):
        depth = 0
        for sign in shared:
            depth += (sign == left) - (sign == right)
            assert depth >= 0, shared
        assert depth == 0, shared
    assert shared == name or (changed and len(shared) < len(name))


def test_parameters_and_names_that_differ_are_told_apart():
    leaves = [Value(float(i), f"w{i}") for i in range(40)]
    root = tinygraph.total([leaf.exp() for leaf in leaves])
    shown = folded(Walk(root, root.grad), Style(parameters=set(leaves[:10])), 60)
    assert {(box.role, box.name, box.times) for box in shown.boxes if box.role != "operation"} == {
        ("parameter", "w0 … w9", 10), ("input", "w10 … w39", 30), ("output", "", 1),
    }  # fmt: skip
    fruit = [Value(1.0, name) for name in ("apple", "pear", "plum", "fig")]
    assert "apple" not in {
        box.expression for box in folded(Walk(fruit[0] * fruit[1] + fruit[2] * fruit[3]), Style(), 3).boxes
    }


def test_parameters_of_layers_are_named_by_the_parts_that_they_share():
    leaves = [Value(float(i), f"layers.{i}.norm{1 + i % 2}.bias") for i in range(20)]
    root = tinygraph.total([leaf.exp() for leaf in leaves])
    assert "layers…bias" in {box.name for box in folded(Walk(root, root.grad), Style(), 10).boxes}


def test_a_fold_says_where_grad_holds_something_else():
    J, w = loops(5, 3)
    J.backward()
    assert not any(box.stored for box in folded(Walk(J, J.grad), Style(), 60).boxes)
    w[0].grad = 99.0
    assert {box.stored for box in folded(Walk(J, J.grad), Style(), 60).boxes} == {"", "others in 1"}


def test_every_public_row_is_drawn_folded():
    x = Value(0.5, "x")
    nodes = [row(*[x] * row.arity) for row in TABLE.values() if not row.variadic]
    root = tinygraph.total([tinygraph.dot(nodes, nodes), *nodes])
    shown = folded(Walk(root, root.grad), Style(), 60)
    assert sum(box.times for box in shown.boxes) == len(order(root))
    assert isinstance(root, Node)


def test_a_fold_of_tensors_with_constant_arrays_is_drawn():
    t = Tensor([1.0, 2.0], "t")
    y = (np.array([3.0, 4.0]) + t * np.array([5.0, 6.0])).sum()
    source = draw(y, detail="folded").source
    assert "t" in source
    assert "⊙" in source


def test_the_expressions_of_a_fold_keep_what_names_share():
    weights = [[Value(0.5, f"W1[{i},{j}]") for j in range(2)] for i in range(3)]
    x = [Value(1.0, "x[0]"), Value(2.0, "x[1]")]
    z = [Value(0.0, f"b1[{i}]") + row[0] * x[0] + row[1] * x[1] for i, row in enumerate(weights)]
    for i, z_i in enumerate(z):
        z_i.name = f"z1[{i}]"
    J = z[0].tanh() + z[1].tanh() + z[2].tanh()
    texts = {box.expression for box in folded(Walk(J, J.grad), Style(), 60).boxes}
    assert texts == {"", "W1 × x", "b1 + Σ W1 × x", "tanh(z1)", "Σ tanh(z1)"}
    assert tinygraph.tree(weights[0][1] * x[0]).startswith("W1[0,1] × x[0] ")
