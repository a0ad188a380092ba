"""The ATen ops that run inside a context, as a graph of `torch.fx`.

A mode of PyTorch gets each ATen op below autograd, runs it, and adds a node to the graph. PyTorch's own `make_fx` does
the same, but it also computes what a compiler needs to know about each tensor, which takes several times as long.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from tinygraph.bridges.operands import Imported
from tinygraph.bridges.places import place_text
from tinygraph.bridges.pytorch.ops.table import FxGraph, FxNode, Overload, TorchTensor

Args = tuple[object, ...]
Options = dict[str, object]


class Place(NamedTuple):
    """Where an ATen op was called."""

    scope: tuple[str, ...]
    line: str
    function: str  # the custom torch.autograd.Function that is running, or ""
    grad: bool  # whether PyTorch records gradients there
    call: int  # number of the call of a PyTorch function, or -1

    def text(self) -> str:
        """Return the place for a message.

        Returns:
            The text, such as " at model.py:12 in fc.act", or "" if nothing is known.
        """
        return place_text(self.scope, self.line)


UNKNOWN = Place((), "", "", True, -1)


def place_of(node: FxNode) -> Place:
    """Return where an op was called.

    Args:
        node: Node of a recorded graph.

    Returns:
        The place.
    """
    found = node.meta.get("place")
    return found if isinstance(found, Place) else UNKNOWN


class Recorder:
    """Records the ATen ops that run while `recording` is active.

    Args:
        inputs: Tensors that become placeholders, in order.
        decompositions: Functions that replace some ops by other ops.

    Attributes:
        graph: The graph.
        constants: The other tensors that the ops read, by the nodes that stand for them.
    """

    def __init__(
        self, inputs: Sequence[TorchTensor], decompositions: Mapping[object, Callable[..., Imported]] | None = None
    ) -> None:
        fx = import_module("torch.fx")
        self.graph: FxGraph = fx.Graph()
        self.constants: dict[FxNode, TorchTensor] = {}
        self._place = UNKNOWN
        self._decompositions = decompositions or {}
        self._torch, self._map = import_module("torch"), fx.node.map_aggregate
        self._composite = import_module("torch.utils._python_dispatch").autograd_would_have_decomposed
        # Only weak references: PyTorch makes another tensor of a result that something else refers to.
        self._known: Any = import_module("torch.utils.weak").WeakTensorKeyDictionary()
        self._fixed: set[FxNode] = set()  # nodes whose values no input can change
        for i, tensor in enumerate(inputs):
            self._known[tensor] = self.graph.placeholder(f"input_{i}")

    @contextmanager
    def at(self, place: Place) -> Iterator[None]:
        """Give the nodes that are recorded inside the context a place.

        Args:
            place: The place.

        Yields:
            None.
        """
        before, self._place = self._place, place
        try:
            yield
        finally:
            self._place = before

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the ATen ops that run inside the context.

        Yields:
            None.
        """
        base = import_module("torch.utils._python_dispatch").TorchDispatchMode

        def dispatch(mode: object, op: Overload, _: object, args: Args = (), kwargs: Options | None = None) -> Imported:
            return self._run(mode, op, args, kwargs or {})

        with type("Recording", (base,), {"__torch_dispatch__": dispatch})():
            yield

    def finish(self, result: TorchTensor) -> FxGraph:
        """Return the graph, without ops that are not needed.

        Args:
            result: Tensor that the graph returns.

        Returns:
            The graph.
        """
        self.graph.output((self._node(result),))
        self.graph.eliminate_dead_code()
        left = set(self.graph.nodes)
        self.constants = {node: tensor for node, tensor in self.constants.items() if node in left}
        return self.graph

    def _run(self, mode: object, op: Overload, args: Args, kwargs: Options) -> Imported:
        """Run an op, and add a node to the graph."""
        reads: list[FxNode] = []

        def mapped(x: object) -> object:
            if not self._torch.is_tensor(x):
                return x
            reads.append(self._node(x))
            return reads[-1]

        try:
            node_args, node_kwargs = self._map(args, mapped), self._map(kwargs, mapped)
        except _SubclassError:
            return NotImplemented  # the subclass runs other ops, or PyTorch raises TypeError
        replaced = self._replaced(mode, op, args, kwargs)
        if replaced is not NotImplemented:
            return replaced
        if self._torch.Tag.data_dependent_output in op.tags:
            if not self._are_fixed(reads):
                raise TypeError(
                    f"f needs the number of a tensor{self._place.text()}, for example in an `if`: a graph is recorded "
                    "for all numbers, so use torch.where, or compute the number before you call from_torch"
                )
            return op(*args, **kwargs)
        aten = self._torch.ops.aten
        if op is aten.lift_fresh.default:  # so that a change in place does not change the constant
            op = aten.lift_fresh_copy.default
        out = op(*args, **kwargs)
        node = self.graph.create_node("call_function", op, node_args, node_kwargs)
        self._add(node, out, op is aten.lift_fresh_copy.default or self._is_fixed(op, reads))
        return out

    def _replaced(self, mode: object, op: Overload, args: Args, kwargs: Options) -> Imported:
        """Run the ops that an op consists of, or return NotImplemented."""
        decompose = self._decompositions.get(op)
        if decompose is None and self._composite(op, [*args, *kwargs.values()]):
            decompose = op.decompose  # inside PyTorch and in inference mode, autograd has not done so
        if decompose is None:
            return NotImplemented
        with mode:  # type: ignore[attr-defined]
            return decompose(*args, **kwargs)

    def _is_fixed(self, op: Overload, reads: Sequence[FxNode]) -> bool:
        random = self._torch.Tag.nondeterministic_seeded in op.tags
        return not random and any(node in self._fixed for node in reads) and self._are_fixed(reads)

    def _are_fixed(self, reads: Sequence[FxNode]) -> bool:
        return all(node in self._fixed or node in self.constants for node in reads)

    def _node(self, tensor: TorchTensor) -> FxNode:
        """Return the node of a tensor. A tensor that no op computed is a constant."""
        node = self._known.get(tensor)
        if node is None:
            if type(tensor) not in (self._torch.Tensor, self._torch.nn.Parameter):
                raise _SubclassError
            node = self._known[tensor] = self.graph.get_attr(f"constant_{len(self.constants)}")
            self.constants[node] = tensor
        return node

    def _add(self, node: FxNode, out: Imported, fixed: bool) -> None:
        """Note which node computed a tensor, or the tensors of a list."""
        node.meta["place"] = self._place
        if fixed:
            self._fixed.add(node)
        if isinstance(out, (list, tuple)):
            for i, part in enumerate(out):
                if isinstance(part, (list, tuple)) or self._torch.is_tensor(part):
                    self._add(self.graph.create_node("call_function", operator.getitem, (node, i)), part, fixed)
        elif self._torch.is_tensor(out):
            node.meta["complex"] = out.is_complex()
            self._known[out] = node


class _SubclassError(Exception):
    """An op has an operand of a subclass of Tensor that no recorded op computed."""
