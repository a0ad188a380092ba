"""The text tree contains every node once, with one line per node, and nothing but text."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import Tensor, Value, tree
from tinygraph.engine.graph import order
from tinygraph.testing import graphs


@given(program=graphs(max_steps=30))
def test_every_node_is_written_once_and_named_afterwards(program):
    root, _ = program.record()
    root.backward()
    nodes = order(root)
    lines = tree(root, ascii=False).split("\n")
    written = [line for line in lines if "   data " in line or line.lstrip("├─└│ ").startswith("data ")]
    again = [line for line in lines if "··· see " in line or " follows below" in line]
    assert len(written) == len(nodes)
    assert len(lines) == len(written) + len(again)
    for line in again:  # the node that it refers to has a line
        mark = line.split("see ")[-1].split("··· ")[-1].split(" follows below")[0].split("   ")[0]
        assert any(other.lstrip("├─└│ ").startswith(mark) for other in written), mark


@given(name=st.text(min_size=1, max_size=40))
def test_a_name_cannot_make_a_line(name):
    x = Value(2.0, name)
    text = tree(x * x, ascii=False)
    assert len(text.split("\n")) == 3
    assert not any(ord(sign) < 32 for sign in text.replace("\n", ""))


def test_it_is_exact_and_says_what_a_node_holds():
    x = Value(0.1, "x")
    y = x * 3.0
    assert str(tree(y, ascii=False)).split("\n") == [
        "x × 3   data 0.30000000000000004   grad ·",
        "└─ x   data 0.1   grad ·   local 3.0",
    ]
    assert repr(tree(y)) == str(tree(y))
    w = Tensor([1.0, 2.0], "w")
    assert "w   data [1.0, 2.0]   grad ·   local upstream, expanded to (2,)" in tree(w.sum(), ascii=False)
    assert "x   data 0.1\n" in tree(Value(0.1, "x", constant=True) * y, ascii=False)


def test_a_node_below_the_deepest_line_is_named_there_and_written_once():
    x = Value(0.0)
    for _ in range(18):  # two operands each, so that the reference has a second line to share
        x = x + x
    lines = tree(x, ascii=False).split("\n")
    written = [line for line in lines if "data " in line]
    below = [line for line in lines if " follows below" in line]
    assert len(written) == 19
    assert len(below) == 2
    mark = below[0].split("··· ")[1].split(" follows")[0]
    assert sum(line.startswith(f"{mark} = ") for line in written) == 1


def test_a_long_chain_has_no_recursion_and_a_margin():
    x = Value(1.0)
    for _ in range(30_000):
        x = x * 1.0
    text = tree(x, ascii=False)
    assert text.count("   data ") + text.count("─ data ") == 30_001
    assert max(map(len, text.split("\n"))) < 150
    short = tree(x, lines=20, ascii=False).split("\n")
    assert len(short) == 21
    assert short[-1] == f"··· {30_001 - sum('data' in line for line in short):,} more nodes"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", None])
def test_it_can_be_printed_on_any_terminal(encoding, monkeypatch):
    class Terminal:
        pass

    Terminal.encoding = encoding
    x = Value(2.0, "µ")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Terminal())
        text = tree(x * x)
    text.encode(encoding or "utf-8")
    assert ("└─" in text) == (encoding in ("utf-8", None))


@pytest.mark.parametrize("wrong", [3, None, "J", [1.0]])
def test_what_is_not_a_node_is_refused(wrong):
    with pytest.raises(TypeError, match="tree: root must be a node of a graph"):
        tree(wrong)
