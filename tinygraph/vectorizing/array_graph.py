"""A graph of Tensors that you recorded yourself: in the form that `source` reads, and as a function of arrays."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.graph import Node, check_fresh, order
from tinygraph.engine.replay import guards
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.codegen import Writer
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.program import Program

ArrayFunction = Callable[..., tuple[float, tuple[Array | float, ...]]]


class ArrayGraph:
    """The leaves, names and derivatives of a graph of Tensors.

    Args:
        root: Root of a graph of Tensors.

    Attributes:
        root: The root.
        leaves: The leaves by name, in the order of first use. A leaf without a name is called x1, x2 and so on; an
            unnamed constant counts as a plain array.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> w = Tensor([1.0, 2.0], "w")
        >>> list(ArrayGraph((w * w).sum()).leaves)
        ['w']
    """

    def __init__(self, root: Tensor) -> None:
        nodes = order(root)
        check_fresh(nodes)
        self.root, self.leaves = root, dict[str, Tensor]()
        self._nodes = nodes
        used = dict.fromkeys([operand for node in reversed(nodes) for operand in node.operands] or [root])
        wanted = [leaf for leaf in used if leaf.op is None and isinstance(leaf, Tensor)]
        for leaf in wanted:
            if leaf.name or not leaf.constant:
                self.leaves[self._free(leaf.name)] = leaf

    def _free(self, name: str) -> str:
        """Return the name for a leaf: its own if no other leaf has it, and otherwise a name with a number."""
        if name and name not in self.leaves:
            return name
        k = 1
        while f"{name or 'x'}{k}" in self.leaves:
            k += 1
        return f"{name or 'x'}{k}"

    def named(self) -> list[tuple[Tensor, str]]:
        """Return a list of pairs (tensor, name) for the computed tensors that have a name."""
        return [(x, x.name) for x in reversed(self._nodes) if isinstance(x, Tensor) and x.op is not None and x.name]

    def derivatives(self) -> dict[Node, Tensor]:
        """Return a dict from nodes to Tensors: the root's derivatives with respect to these nodes."""
        return derivatives_of(self.root)


def derivatives_of(root: Tensor) -> dict[Node, Tensor]:
    """Return a dict from nodes to Tensors: the derivatives of a scalar root with respect to these nodes.

    Args:
        root: Root of a graph of Tensors.

    Returns:
        The derivatives, as nodes of a graph.

    Raises:
        ValueError: If the root is not a scalar.

    Examples:
        >>> x = Tensor(3.0)
        >>> derivatives_of(x * x)[x].item()
        6.0
    """
    if root.shape:
        raise ValueError(
            f"the gradients need a scalar root, but {root.name or 'this Tensor'} has shape {root.shape}: call .sum() "
            "or .mean() first, or pass backward=False"
        )
    derivatives: dict[Node, object] = {}
    exhaust(propagate(root, Tensor(1.0, constant=True), derivatives, create_graph=True))
    return {node: tensor for node, tensor in derivatives.items() if isinstance(tensor, Tensor)}


def array_function(root: Tensor, inputs: Sequence[Tensor], wanted: Sequence[Tensor]) -> ArrayFunction:
    """Return a function that computes a scalar Tensor and its gradients from other arrays.

    The function runs NumPy code that `Program` writes from the graph and from the graph of its derivatives. A call
    takes about as long as the same code written by hand. The last bits can differ from those of `backward()`.

    Args:
        root: Root of the graph, with shape ().
        inputs: Leaves that get the arrays. They can be constants. Other leaves keep their values.
        wanted: Those of the inputs whose gradients are computed.

    Returns:
        A function that takes one array per input, with the input's shape, or a float for the shape (). It returns
        the value and a tuple of gradients. Do not edit a gradient in place, because it can be an input or another
        gradient. Call the function inside `quietly`, because NumPy warns otherwise.

    Raises:
        ValueError: If the root is not a scalar or does not depend on one of `wanted`, or if Tensors of the graph were
            compared, because another outcome needs another graph.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> w, x = Tensor([1.0, 2.0]), Tensor([3.0, 4.0], constant=True)
        >>> f = array_function((w * x).sum(), [w, x], [w])
        >>> f(np.array([1.0, 1.0]), np.array([5.0, 6.0]))
        (11.0, (array([5., 6.]),))
    """
    nodes = order(root)
    check_fresh(nodes)
    if guards(root, nodes):
        raise ValueError("the graph contains a comparison of Tensors: use tinygraph.compile, which checks its outcome")
    program = Program()
    lines = [program.add_input(leaf, "x") for leaf in inputs]
    value, derivatives = program.add_result(root, {}), derivatives_of(root)
    missing = [leaf for leaf in wanted if leaf not in derivatives]
    if missing:
        raise ValueError(f"the root does not depend on {missing[0]!r}")
    gradients = [program.add_result(derivatives[leaf], {}) for leaf in wanted]
    program.finish()
    writer = Writer(program, fast=True)
    results = "".join([f"{writer.name(line)}, " for line in gradients])
    body = [*writer.text, f"return {writer.name(value)}, ({results})"]
    text = "\n    ".join([f"def f({', '.join([writer.names[line] for line in lines])}):", *body])
    names: dict[str, Any] = {"np": np, **writer.functions, **writer.constants}
    exec(builtins.compile(text, "<array_function>", "exec"), names)
    return names["f"]  # type: ignore[no-any-return]
