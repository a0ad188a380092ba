"""The graph of Tensors for a captured PyTorch program: leaves, and one entry of the table per ATen op."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import NamedTuple

import numpy as np

from tinygraph.bridges.leaves import converted_leaf
from tinygraph.bridges.operands import Entry, Imported, is_node
from tinygraph.bridges.places import Places
from tinygraph.bridges.pytorch.capture import Captured, GivenTensor
from tinygraph.bridges.pytorch.ops.table import SHAPES_ONLY, FxNode, TorchTensor, op_of
from tinygraph.bridges.pytorch.recording import place_of
from tinygraph.bridges.pytorch.reference import in_float64, run
from tinygraph.bridges.variables import give_names
from tinygraph.support.messages import short
from tinygraph.tensor.more_ops.cuts import cut
from tinygraph.tensor.tensor import Tensor

INSTEAD = {
    "linalg_svd": "sums of squares, or a factorization of your own with mapping=",
    "cummax": "max along an axis (x.amax)",
    "logcumsumexp": "torch.logsumexp",
    "grid_sampler_2d": "an index (x[..., i, j])",
    "upsample_bilinear2d": "upsample_nearest2d, or a product with a matrix of weights",
    "nonzero": "a mask with torch.where(mask, x, y)",
    "masked_select": "torch.where(mask, x, 0)",
    "_fft_r2c": "a product with a matrix of sines and cosines",
}  # what to use for some ops that the table does not contain


class Building(NamedTuple):
    """An imported graph.

    Attributes:
        root: The root.
        leaves: The leaves that get a gradient, each with its place among the inputs.
        values: What each ATen op became.
        theirs: PyTorch's value of each ATen op, in float64.
    """

    root: Tensor
    leaves: dict[int, Tensor]
    values: dict[FxNode, Imported]
    theirs: dict[FxNode, Imported]


def build(captured: Captured, mapped: Callable[[str, str], Entry | None]) -> Building:
    """Return the graph of Tensors for a captured program.

    Args:
        captured: The program.
        mapped: Function that returns the table's entry for the name and the overload of an op, or None.

    Returns:
        The graph.

    Raises:
        NotImplementedError: If the table does not contain an op.
        ValueError: If an op is random, or if the result does not depend on the inputs.
    """
    needed = captured.needed()
    _check_ops(needed)
    inputs = captured.inputs
    wanted = _wanted(inputs)
    given = {i: _leaf(x, i in wanted) for i, x in enumerate(inputs) if x.name and x.tensor.is_floating_point()}
    leaves = {i: leaf for i, leaf in given.items() if i in wanted}
    theirs = run(captured, [_float64(x, given.get(i), i in wanted) for i, x in enumerate(inputs)], wide=True)
    values: dict[FxNode, Imported] = {}
    places = Places()
    with places:
        for node, i in captured.sources.items():
            values[node] = given[i] if i in given else _plain(theirs[node])
        for node in needed:
            if node not in captured.sources:
                place = place_of(node)
                places.move(place.scope, place.line)
                values[node] = _converted(node, values, theirs, mapped)
    root = values[captured.output()]
    if not is_node(root):
        raise ValueError("the result of f does not depend on the tensors that f gets: there is no graph to show")
    give_names(_variables(captured, values), given.values())
    return Building(root, leaves, values, theirs)


def _variables(captured: Captured, values: dict[FxNode, Imported]) -> dict[Tensor, str]:
    """Return the nodes that local variables of the program contain, with the names of the variables.

    The last op of a call of a PyTorch function gives its result, which the value of the variable confirms.
    """
    last = {place_of(node).call: x for node, x in values.items() if is_node(x)}
    found = [(last.get(call), name, tensor) for call, (name, tensor) in captured.variables.items()]
    return {
        x: name
        for x, name, tensor in found
        if x is not None
        and x.shape == tuple(tensor.shape)
        and np.allclose(x.data, tensor.cpu().double().numpy(), rtol=1e-3, atol=1e-3, equal_nan=True)
    }


def _wanted(inputs: Iterable[GivenTensor]) -> set[int]:
    """Return which inputs get a gradient."""
    floats = [(i, x) for i, x in enumerate(inputs) if x.tensor.is_floating_point()]
    return {i for i, x in floats if x.tensor.requires_grad} or {i for i, x in floats if x.is_argument}


def _leaf(given: GivenTensor, wanted: bool) -> Tensor:
    """Return the leaf for a tensor. Float64 data are copied once if you can edit the leaf, and otherwise shared."""
    tensor = given.tensor.detach()
    if tensor.device.type != "cpu" or tensor.dtype not in _numpy_types():
        converted = in_float64(tensor.cpu())
        return converted_leaf(converted.numpy(), given.name, constant=not wanted)
    return Tensor(tensor.numpy(), given.name, constant=not wanted)


def _numpy_types() -> tuple[object, ...]:
    torch = import_module("torch")
    return torch.float64, torch.float32, torch.float16


def _float64(given: GivenTensor, leaf: Tensor | None, wanted: bool) -> TorchTensor:
    """Return an input for PyTorch's computation with float64. It shares the array of the leaf."""
    torch = import_module("torch")
    if leaf is None:
        return in_float64(given.tensor.detach())
    array = leaf.raw if leaf.raw.flags.writeable else leaf.raw.copy()
    return torch.from_numpy(array).requires_grad_(wanted)


def _plain(x: Imported) -> Imported:
    """Return a value of PyTorch that depends on no input as an array, a number, or a list of them."""
    torch = import_module("torch")
    if isinstance(x, (list, tuple)):
        return [_plain(part) for part in x]
    if not torch.is_tensor(x):
        return x
    array = x.detach().cpu().numpy()
    if array.dtype.kind != "f":
        return array.copy()  # an op does not look for edits of its indexes and masks
    return array if array.ndim else float(array)


# --- one op -------------------------------------------------------------------------------------------


def _converted(
    node: FxNode,
    values: dict[FxNode, Imported],
    theirs: dict[FxNode, Imported],
    mapped: Callable[[str, str], Entry | None],
) -> Imported:
    """Return what an ATen op becomes: a node, or a plain value if none of its operands is a node."""
    map_arg = import_module("torch.fx.node").map_arg
    grad = place_of(node).grad
    args, kwargs = map_arg((node.args, node.kwargs), lambda x: values[x] if grad else _cut(values[x]))
    if node.target is operator.getitem:
        return args[0][args[1]]
    if not any(is_node(values[x]) or isinstance(values[x], (list, tuple)) for x in node.all_input_nodes):
        return _plain(theirs[node])
    name, overload = op_of(node.target)
    if name in SHAPES_ONLY:
        return _plain(theirs[node])
    entry = mapped(name, overload)
    if entry is None:
        raise NotImplementedError(_missing(node, name))
    try:
        return entry(*args, **{key: value for key, value in kwargs.items() if key not in _IGNORED})
    except (TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise NotImplementedError(
            f"the op aten.{name}{place_of(node).text()} cannot be imported with these arguments: {error}; "
            f"pass mapping={{torch.ops.aten.{name}: your_function}} to write it with Tensors"
        ) from error


_IGNORED = ("device", "layout", "pin_memory", "memory_format", "non_blocking")


def _cut(x: Imported) -> Imported:
    """Return a value without its gradient, for an op that PyTorch ran under `no_grad`."""
    if isinstance(x, (list, tuple)):
        return [_cut(part) for part in x]
    return cut(x) if is_node(x) and not x.constant and x.op is not cut else x


def _missing(node: FxNode, name: str) -> str:
    """Return the message for an op that the table does not contain."""
    other = f"use {INSTEAD[name]} instead, or " if name in INSTEAD else ""
    return (
        f"the op aten.{name}{place_of(node).text()} is not in the table of from_torch: "
        f"{other}pass mapping={{torch.ops.aten.{name}: your_function}}, a function of Tensors with the op's arguments"
    )


def _check_ops(nodes: Iterable[FxNode]) -> None:
    """Raise ValueError for a random op, and NotImplementedError for complex numbers."""
    torch = import_module("torch")
    for node in nodes:
        if node.op != "call_function" or node.target is operator.getitem:
            continue
        name, _ = op_of(node.target)
        if not name:
            raise NotImplementedError(
                f"{short(str(node.target))}{place_of(node).text()} is not an ATen op: write f with PyTorch's functions"
            )
        if torch.Tag.nondeterministic_seeded in node.target.tags:
            raise ValueError(
                f"the op aten.{name}{place_of(node).text()} is random, so f has no fixed graph: call "
                ".eval() on the model, or pass the random numbers as an argument"
            )
        if node.meta.get("complex"):
            raise NotImplementedError(
                f"the op aten.{name}{place_of(node).text()} gives complex numbers, but a graph has real "
                "numbers: compute the real and the imaginary part separately"
            )
