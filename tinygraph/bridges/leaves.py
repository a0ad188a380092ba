"""The leaves of a graph by name, so that you can reach the parameters of an imported model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.engine.graph import Node, order, require_node
from tinygraph.tensor.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


def named_leaves(root: Node) -> dict[str, Node]:
    """Return the leaves of a graph that have a name, in the order of their first use.

    Args:
        root: Root of a graph, for example the result of `from_torch`.

    Returns:
        A dict from names to leaves. If several leaves have the same name, it contains the first one.

    Raises:
        TypeError: If `root` is not a node.

    Examples:
        >>> from tinygraph import Tensor
        >>> w, x = Tensor([1.0, 2.0], "w"), Tensor([3.0, 4.0], "x", constant=True)
        >>> named_leaves(w @ x)
        {'w': Tensor([1.0, 2.0], name='w'), 'x': Tensor([3.0, 4.0], name='x', constant=True)}
    """
    used: dict[Node, None] = {}
    for node in reversed(order(require_node(root, "named_leaves: root"))):
        used.update(dict.fromkeys(node.operands or [node]))
    leaves: dict[str, Node] = {}
    for node in used:
        if node.op is None and node.name:
            leaves.setdefault(node.name, node)
    return leaves


def converted_leaf(array: Array, name: str, *, constant: bool) -> Tensor:
    """Return a leaf with an array that nothing else refers to, for example because it was just converted to float64.

    A Tensor that you can edit copies its array. For this array, that would be a second copy.

    Args:
        array: Array of float64.
        name: Name of the leaf.
        constant: If true, the leaf gets no gradient.

    Returns:
        The leaf.

    Examples:
        >>> array = np.ones(3)
        >>> converted_leaf(array, "w", constant=False).raw is array
        True
    """
    leaf = Tensor(0.0, name, constant=constant)
    leaf.raw = array
    return leaf
