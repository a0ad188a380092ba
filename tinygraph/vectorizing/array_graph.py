"""A graph of Tensors that you recorded yourself, in the form in which `source` reads the result of `vectorize`."""

from __future__ import annotations

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.graph import Node, check_fresh, order
from tinygraph.tensor.tensor import Tensor


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
