"""The inputs of a compiled function, and the function that recomputes a copy of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from tinygraph.engine.backward import begin
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, check_fresh, order
from tinygraph.engine.value import Value
from tinygraph.kernels.arrays import as_array
from tinygraph.support.arguments import like
from tinygraph.support.messages import described
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.views import Shape

Gradient = Array | float
Function = Callable[..., tuple[float, tuple[Gradient, ...]]]


class Block:
    """The nodes of a rectangular input in order, and the shape of the input. A Tensor is an input of one node.

    Args:
        nodes: The nodes.
        shape: Shape of the input.
        place: Name of the input, for messages.
    """

    def __init__(self, nodes: list[Any], shape: Shape, place: str) -> None:
        self.nodes, self.shape, self.place = nodes, shape, place
        self.size = len(nodes)

    def assign(self, nodes: list[Any], numbers: Any) -> None:
        """Give the nodes of a copied graph their new values.

        Args:
            nodes: The copies of this input's nodes, or None for a node that the graph does not contain.
            numbers: The result of `array`.
        """
        if isinstance(self.nodes[0], Tensor):
            parts = [numbers]
        else:
            parts = numbers.ravel().tolist() if self.shape else [numbers]
        for node, part in zip(nodes, parts, strict=True):
            if node is not None:
                node.data = part

    def gradient(self, nodes: list[Any]) -> Gradient:
        """Return the gradient of the input as a new array. It is 0 for unused nodes.

        Args:
            nodes: The copies of this input's nodes, or None for a node that the graph does not contain.

        Returns:
            The gradient, with the input's shape.
        """
        listed = [0.0 if node is None or node.grad is None else node.grad for node in nodes]
        if not self.shape:
            return float(listed[0])
        if isinstance(self.nodes[0], Tensor):
            return np.array(np.broadcast_to(listed[0], self.shape))
        return np.array(listed).reshape(self.shape)

    def array(self, numbers: object) -> Array | float:
        """Return the given numbers as a float, or as an array with the shape of this input.

        Args:
            numbers: Numbers, as passed to the compiled function.

        Returns:
            The float or the array.

        Raises:
            ValueError: If the shape is another one.
        """
        if not self.shape and type(numbers) is float:
            return numbers
        array: Array = as_array(numbers, self.place)
        if array.shape != self.shape:
            raise ValueError(f"{self.place} has shape {array.shape}, but its nodes have shape {self.shape}")
        return array if self.shape else float(array)


def tree_of(nodes: Any, place: str, kind: type[Node]) -> Any:
    """Return an input with a block in the place of each leaf and of each rectangular sequence of Values.

    Args:
        nodes: A leaf, or a sequence or dict of leaves, nested to any depth.
        place: Name of the input, for messages.
        kind: Class of the leaves.

    Returns:
        The input with blocks instead of leaves.

    Raises:
        TypeError: If something else takes the place of a leaf.
        ValueError: If a leaf is a computed node, or a sequence is empty.
    """
    if isinstance(nodes, kind):
        if nodes.op is not None:
            raise ValueError(f"{place} is a computed node ({nodes!r}): an input must be a leaf of the graph")
        return Block([nodes], np.shape(nodes.raw) if isinstance(nodes, Tensor) else (), place)
    if isinstance(nodes, dict) and nodes:
        return {key: tree_of(node, f"{place}[{key!r}]", kind) for key, node in nodes.items()}
    if isinstance(nodes, (Node, str, bytes, type)) or not isinstance(nodes, Iterable):
        name = kind.__name__
        raise TypeError(f"{place} must be a {name}, or a sequence or dict of {name}s, not {described(nodes)}")
    entries = [tree_of(node, f"{place}[{i}]", kind) for i, node in enumerate(nodes)]
    if not entries:
        raise ValueError(f"{place} contains no nodes")
    if hasattr(nodes, "_fields"):
        return like(nodes, entries)
    blocks = [entry for entry in entries if isinstance(entry, Block)]
    if kind is Value and len(blocks) == len(entries) and len({block.shape for block in blocks}) == 1:
        return Block([node for block in blocks for node in block.nodes], (len(blocks), *blocks[0].shape), place)
    return entries


def recomputed(root: Value | Tensor, inputs: Sequence[Block]) -> Function:
    """Return a function that recomputes a copy of the graph, for Tensors and graphs in which little is vectorized.

    Args:
        root: Root of the graph.
        inputs: Inputs of the function.

    Returns:
        A function of one float or array per input.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.
    """
    memo: dict[int, Any] = {}
    check_fresh(order(root))
    copy = deepcopy(root, memo)
    leaves = [[memo.get(id(node)) for node in block.nodes] for block in inputs]

    def run(*given: Any) -> tuple[float, tuple[Gradient, ...]]:
        inside = clock.owned()
        with clock.lock:  # calls in several threads share the copy
            begin(inside)
            for nodes, block, numbers in zip(leaves, inputs, given, strict=True):
                block.assign(nodes, numbers)
            copy.forward().backward()
            return copy.data, tuple([block.gradient(nodes) for nodes, block in zip(leaves, inputs, strict=True)])

    return run
