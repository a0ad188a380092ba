"""Checks of the diagram of an imported program: readable texts, and no node without a purpose."""

import re

import numpy as np

from tinygraph import draw
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import diagram
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
from tinygraph.explaining.walk import Walk
from tinygraph.tensor.shapes import expand, reshape, transpose

LONGEST_ARROW = 130  # characters of the formula for the derivative of a Cholesky factor
NUMPY_ARRAY = re.compile(r"[\[ ]\d+\.? \d|\[\[\[\[")  # elements without commas, or many brackets


def ops(root):
    """Return the names of the ops of a graph, the root's last."""
    return [node.op.name for node in order(root) if node.op is not None][::-1]


def check_diagram(root):
    """Fail if a box or an arrow of a diagram has no readable text, or if a node only repeats its operand."""
    drawn = diagram(Walk(root, np.ones(root.shape)), Style())
    for box in drawn.boxes:
        assert box.name or box.expression or box.data
        assert len(box.expression) <= notation.LINE
        assert not NUMPY_ARRAY.search(box.expression), box.expression
    backward = [arrow.back for arrow in drawn.arrows if arrow.back]
    assert backward
    for arrow in backward:
        text = arrow.symbol or arrow.product
        assert text or arrow.contribution
        assert len(text) <= LONGEST_ARROW, text
        assert not NUMPY_ARRAY.search(text), text
        assert "pulled back" not in text
    for node in order(root):
        check_node(node)
    assert acyclic(root)


def check_node(node):
    """Fail if a node does nothing, or what its operand could have done, or if a leaf has no name."""
    if node.op is None:
        assert node.name or node.constant
        return
    maker, x = node.op.maker, node.args[0]
    if maker in (reshape, expand):
        assert x.shape != node.shape, node.op.symbol
    if maker is transpose:
        assert node.op.parameters[0] != tuple(range(node.ndim))
    if maker in (reshape, transpose) and x.op is not None and not x.name:
        assert x.op.maker is not maker, (node.op.symbol, x.op.symbol)


def acyclic(root):
    """Return whether the boxes of `detail="scopes"` have an order, because each call has a separate box."""
    depends = {}
    for node in order(root):
        box = node.scope[:1] if node.scope and node is not root else (id(node),)
        for operand in node.operands:
            inner = operand.scope[:1] if operand.scope else (id(operand),)
            if inner != box:
                depends.setdefault(box, set()).add(inner)
    open_boxes = set(depends)
    while ready := {box for box in open_boxes if not depends[box] & open_boxes}:
        open_boxes -= ready
    return not open_boxes


def texts_of(root, **options):
    """Return the DOT text of a diagram after a backward pass."""
    root.backward(seed=np.ones(root.shape)) if root.shape else root.backward()
    return draw(root, **options).source
