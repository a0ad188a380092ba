"""PyTorch's own numbers for a captured graph: the value of each op, and the gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Any

from tinygraph.bridges.operands import Imported
from tinygraph.bridges.pytorch.capture import Captured
from tinygraph.bridges.pytorch.ops.table import FxNode, TorchTensor, op_of
from tinygraph.bridges.pytorch.recording import place_of

_INSTEAD: dict[str, Callable[..., TorchTensor]] = {
    "copy": lambda x, source, *_: source.expand_as(x).to(x.dtype),
    "detach_copy": lambda x: x.detach(),
}  # ops that PyTorch cannot differentiate, because only `functionalize` creates them


def is_low(dtype: object) -> bool:
    """Return whether a PyTorch type is a type of floats with less precision than float64.

    Args:
        dtype: Type.

    Returns:
        True for float32, float16 and bfloat16, for example.
    """
    torch = import_module("torch")
    return isinstance(dtype, torch.dtype) and dtype.is_floating_point and dtype != torch.float64


def in_float64(x: Imported) -> Imported:
    """Return a tensor of floats as float64, and anything else unchanged.

    Args:
        x: Result or argument of an ATen op.

    Returns:
        The tensor. A tensor of float64 is not copied.
    """
    torch = import_module("torch")
    if isinstance(x, (list, tuple)):
        return type(x)(map(in_float64, x))
    if is_low(x):
        return torch.float64
    return x.to(torch.float64) if torch.is_tensor(x) and is_low(x.dtype) else x


def run(captured: Captured, inputs: Sequence[TorchTensor], wide: bool) -> dict[FxNode, Imported]:
    """Run a captured graph in PyTorch, with its autograd.

    Args:
        captured: The graph.
        inputs: Tensors for its inputs.
        wide: If true, compute with float64 where the program computes with less precision.

    Returns:
        The value of each node.
    """
    torch = import_module("torch")
    map_arg = import_module("torch.fx.node").map_arg
    values: dict[FxNode, Imported] = {}
    needed = set(captured.needed())
    with torch.enable_grad():
        for node in captured.graph.nodes:
            if node in captured.sources:
                values[node] = inputs[captured.sources[node]]
            elif node in needed:
                args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
                if wide:
                    args, kwargs = _widened(node, args), {k: in_float64(x) for k, x in kwargs.items()}
                values[node] = _called(node, args, kwargs)
                if wide:
                    values[node] = in_float64(values[node])
    return values


def _widened(node: FxNode, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return positional arguments for float64. The flag of a softmax that it turns float16 to float32 is removed."""
    if op_of(node.target)[0] in ("_softmax", "_log_softmax"):
        args = (*args[:2], False)
    return tuple([in_float64(x) for x in args])


def _called(node: FxNode, args: Sequence[Any], kwargs: dict[str, Any]) -> Imported:
    torch = import_module("torch")
    function = _INSTEAD.get(op_of(node.target)[0], node.target)
    with nullcontext() if place_of(node).grad else torch.no_grad():
        result = function(*args, **kwargs)
    # A graph has the same numbers each time, but a new tensor contains what was in memory before.
    return result.zero_() if "empty" in op_of(node.target)[0] else result


def gradients(y: TorchTensor, leaves: Sequence[TorchTensor], weights: TorchTensor) -> list[TorchTensor]:
    """Return PyTorch's gradients of a result, with zeros where no gradient flows.

    Args:
        y: Result.
        leaves: Leaves.
        weights: Weights that project the result to a scalar, with its shape.

    Returns:
        One gradient per leaf.
    """
    torch = import_module("torch")
    if not leaves or not y.requires_grad:
        return [torch.zeros_like(x) for x in leaves]
    found = torch.autograd.grad(y, leaves, weights.to(y.dtype), allow_unused=True, retain_graph=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
