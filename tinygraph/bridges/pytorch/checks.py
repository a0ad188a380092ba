"""The comparison of an imported graph with PyTorch: each value, each gradient, then the original function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges import proof
from tinygraph.bridges.operands import Imported, is_node
from tinygraph.bridges.proof import DisagreementError, Proof
from tinygraph.bridges.pytorch.building import Building
from tinygraph.bridges.pytorch.capture import Captured
from tinygraph.bridges.pytorch.ops.table import FxNode, TorchTensor, op_of
from tinygraph.bridges.pytorch.recording import place_of
from tinygraph.bridges.pytorch.reference import gradients, is_low, run
from tinygraph.checking.flat import cotangent
from tinygraph.engine.autodiff import grad
from tinygraph.engine.graph import order
from tinygraph.tensor.tensor import Tensor

_PYTORCH = "PyTorch"
Array = np.ndarray[Any, np.dtype[Any]]


def prove(captured: Captured, built: Building, call: Callable[..., object]) -> Proof:
    """Compare an imported graph with PyTorch.

    Args:
        captured: The program.
        built: The graph.
        call: The original function of tensors.

    Returns:
        The differences.

    Raises:
        DisagreementError: If a value or a gradient differs.
    """
    _check_values(captured, built)
    leaves = built.leaves
    weights = cotangent(built.root.shape, 0) if built.root.shape else np.array(1.0)
    ours = dict(zip(leaves, map(np.asarray, grad(built.root, list(leaves.values()), seed=weights)), strict=True))
    _check_gradients(captured, built, ours, weights)
    own, value, found = _original(captured, built, call, weights)
    low = own != "float64"
    _check_original(captured, built, value, found, weights, low)
    largest = proof.magnitude(*found.values())
    result = Proof(
        _PYTORCH,
        own,
        len(order(built.root)),
        proof.distance(built.root.raw, value),
        {leaves[i].name: proof.measured(ours[i], g, largest) for i, g in found.items()},
    )
    if low:
        proof.warn_of_precision(result, lambda: _first_imprecise(captured, built, result.dtype))
    return result


def _array(x: TorchTensor) -> Array:
    found: Array = x.detach().cpu().double().numpy() if is_low(x.dtype) else x.detach().cpu().numpy()
    return found


# --- values ------------------------------------------------------------------------------------------


def _pairs(ours: Imported, theirs: Imported) -> Iterator[tuple[Array, Array]]:
    """Yield the arrays of both sides. An entry of the table can leave out results that are not read."""
    if isinstance(theirs, (list, tuple)):
        for mine, other in zip(ours, theirs, strict=False):
            yield from _pairs(mine, other)
    elif ours is not None and theirs is not None and import_module("torch").is_tensor(theirs):
        yield ours.raw if is_node(ours) else np.asarray(ours), _array(theirs)


def _check_values(captured: Captured, built: Building) -> None:
    """Raise DisagreementError for the first ATen op whose value differs."""
    for node in captured.needed():
        read = [x for arg in node.all_input_nodes for x, _ in _pairs(built.values[arg], built.theirs[arg])]
        floats = [x for x in read if x.dtype.kind == "f"]
        for ours, theirs in _pairs(built.values[node], built.theirs[node]):
            largest = proof.magnitude(theirs.astype(float), *floats)
            if not proof.agree(ours.astype(float), theirs.astype(float), largest):
                shown = proof.shown(ours.astype(float), theirs.astype(float), _PYTORCH)
                raise DisagreementError(f"the value of {_called(node)} differs: {shown}")


def _called(node: FxNode) -> str:
    if node.op != "call_function":
        return f"the input {node.name}"
    return f"aten.{op_of(node.target)[0] or node.name}{place_of(node).text()}"


# --- gradients ---------------------------------------------------------------------------------------


def _check_gradients(captured: Captured, built: Building, ours: dict[int, Array], weights: Array) -> None:
    """Raise DisagreementError if a gradient differs from that of the captured graph, in float64."""
    leaves = {i: built.theirs[node] for i, node in _sources(captured, built).items()}
    found = _gradients(built.theirs[captured.output()], leaves, weights)
    largest = proof.magnitude(*found.values())
    for i, theirs in found.items():
        if not proof.agree(ours[i], theirs, largest):
            shown = proof.shown(ours[i], theirs, _PYTORCH)
            raise DisagreementError(
                f"the gradient of {built.leaves[i].name} differs: {shown}{_first(captured, built, weights)}"
            )


def _sources(captured: Captured, built: Building) -> dict[int, FxNode]:
    """Return a node that stands for each leaf, by the place of the leaf among the inputs."""
    return {i: node for node, i in captured.sources.items() if i in built.leaves}


def _gradients(y: TorchTensor, leaves: dict[int, TorchTensor], weights: Array) -> dict[int, Array]:
    torch = import_module("torch")
    found = gradients(y, list(leaves.values()), torch.as_tensor(weights))
    return dict(zip(leaves, map(_array, found), strict=True))


def _first(captured: Captured, built: Building, weights: Array) -> str:
    """Return where the backward pass begins to differ, for a message."""
    nodes = [
        node
        for node in reversed(captured.needed())
        if isinstance(built.values[node], Tensor)
        and not built.values[node].constant
        and import_module("torch").is_tensor(built.theirs[node])
        and built.theirs[node].requires_grad
    ]
    theirs = _gradients(built.theirs[captured.output()], {i: built.theirs[n] for i, n in enumerate(nodes)}, weights)
    ours = grad(built.root, [built.values[node] for node in nodes], seed=weights)
    for i, node in enumerate(nodes):
        if not proof.agree(np.asarray(ours[i]), theirs[i], proof.magnitude(*theirs.values())):
            users = [user for user in node.users if user.op == "call_function"]
            through = " and ".join(map(_called, users)) or "the result"
            return f"; the backward pass first differs at the gradient of {_called(node)}, which comes from {through}"
    return ""


# --- the original function ----------------------------------------------------------------------------


def _original(
    captured: Captured, built: Building, call: Callable[..., object], weights: Array
) -> tuple[str, Array, dict[int, Array]]:
    """Call the function itself. Return the type of its numbers, its value and its gradients."""
    torch = import_module("torch")
    tensors = [given.tensor for given in captured.inputs]
    for i in built.leaves:
        if not tensors[i].requires_grad:  # only arguments: no tensor has `requires_grad`
            tensors[i] = tensors[i].detach().requires_grad_()
    arguments = [tensor for tensor, given in zip(tensors, captured.inputs, strict=True) if given.is_argument]
    with torch.enable_grad():
        y = call(*arguments)
    if not torch.is_tensor(y):
        raise TypeError("f returned a tensor in its first call, and another object in its second call")
    types = {x.dtype for x in (y, *tensors) if is_low(x.dtype)}
    own = str(min(types, key=lambda dtype: torch.finfo(dtype).bits)).rpartition(".")[2] if types else "float64"
    return own, _array(y), _gradients(y, {i: tensors[i] for i in built.leaves}, weights)


def _check_original(
    captured: Captured, built: Building, value: Array, found: dict[int, Array], weights: Array, low: bool
) -> None:
    """Raise DisagreementError if the function, in its own precision, differs from the ATen ops that it ran."""
    theirs, tolerance = built.theirs, proof.TOLERANCE
    inputs: Sequence[TorchTensor] = ()
    if low:
        inputs = [x.tensor.detach().requires_grad_(i in built.leaves) for i, x in enumerate(captured.inputs)]
        theirs, tolerance = run(captured, inputs, wide=False), 1e-3
    y = theirs[captured.output()]
    if not proof.agree(value, _array(y), proof.magnitude(_array(y)), tolerance):
        raise DisagreementError(
            f"f returns another value when it is called again: {proof.shown(_array(y), value, _PYTORCH)}; a graph "
            "needs a function that is not random and does not change its own state"
        )
    own = _gradients(y, {i: theirs[node] for i, node in _sources(captured, built).items()}, weights)
    largest = proof.magnitude(*own.values())
    for i, gradient in found.items():
        if not proof.agree(own[i], gradient, largest, tolerance):
            raise DisagreementError(_other_backward(captured, built.leaves[i].name, own[i], gradient))


def _other_backward(captured: Captured, name: str, own: Array, gradient: Array) -> str:
    """Return the message for a function whose backward pass is not the derivative of its forward pass."""
    found: dict[str, str] = {}
    for node in captured.needed():
        place = place_of(node)
        if place.function:
            found.setdefault(place.function, place.line)
    functions = " or ".join([f"{function} ({line})" for function, line in found.items()])
    reason = (
        f"the backward pass of {functions} is not the derivative of its forward pass"
        if functions
        else "its backward pass is not the derivative of the ops that it ran, for example because of a hook"
    )
    return (
        f"the gradient of {name} differs, because {reason}: {proof.shown(own, gradient, _PYTORCH)}; "
        "pass check=False to see the derivative of the forward pass"
    )


# --- precision ----------------------------------------------------------------------------------------


def _first_imprecise(captured: Captured, built: Building, dtype: str) -> str:
    """Return the first op whose value is far from the one in float64, for a message."""
    inputs = [x.tensor.detach() for x in captured.inputs]
    theirs = run(captured, inputs, wide=False)
    for node in captured.needed():
        pairs = _pairs(built.values[node], theirs[node])
        far = [(ours, own) for ours, own in pairs if proof.distance(ours.astype(float), own) > proof.IMPRECISE]
        if far:
            shown = proof.shown(far[0][0].astype(float), far[0][1].astype(float), f"{_PYTORCH} with {dtype}")
            return f"; the first op that differs is {_called(node)}: {shown}"
    return ""
