"""The comparison of an imported graph with JAX: each value, each gradient, then the original function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.bridges import proof
from tinygraph.bridges.jax.building import BuiltGraph
from tinygraph.bridges.jax.capture import x64
from tinygraph.bridges.jax.ops.table import Array, JaxArray
from tinygraph.bridges.jax.program import Call, TracedFunction
from tinygraph.bridges.jax.reference import pulled_back, run
from tinygraph.bridges.operands import Imported, is_node
from tinygraph.bridges.proof import DisagreementError, Proof
from tinygraph.checking.flat import cotangent
from tinygraph.engine.autodiff import grad
from tinygraph.engine.graph import order

_JAX = "JAX"


def prove(captured: TracedFunction, built: BuiltGraph, call: Callable[..., JaxArray]) -> Proof:
    """Compare an imported graph with JAX.

    Args:
        captured: The program.
        built: The graph.
        call: The original function of arrays.

    Returns:
        The differences.

    Raises:
        DisagreementError: If a value or a gradient differs.
    """
    weights = cotangent(built.root.shape, 0) if built.root.shape else np.array(1.0)
    numbers = list(built.leaves)
    with x64():
        _check_values(captured, built)
        found = grad(built.root, list(built.leaves.values()), seed=weights)
        ours = dict(zip(numbers, map(np.asarray, found), strict=True))
        theirs = _check_gradients(captured, built, ours, weights)
    value, own = _original(captured, built, call, weights)
    _check_original(captured, built, value, own, theirs)
    largest = proof.magnitude(*own.values())
    result = Proof(
        _JAX,
        captured.dtype,
        len(order(built.root)),
        proof.distance(built.root.raw, value),
        {built.leaves[i].name: proof.measured(ours[i], x, largest) for i, x in own.items()},
    )
    if not result.float64:
        proof.warn_of_precision(result, lambda: _first_imprecise(captured, built, result.dtype))
    return result


def _array(x: JaxArray) -> Array:
    return np.asarray(x).astype(float)


def _raw(x: Imported) -> Array:
    found: Array = x.raw if is_node(x) else np.asarray(x)
    return found


def _called(call: Call) -> str:
    return f"{call.name}{call.place.text()}"


def _check_values(captured: TracedFunction, built: BuiltGraph) -> None:
    """Raise DisagreementError for the first primitive whose value differs."""
    for call in built.calls:
        read = [_array(captured.values[i]) for i in call.reads if _is_number(captured.values[i])]
        for i in call.writes:
            theirs = captured.values[i]
            if not _is_number(theirs):
                continue
            mine, other = _raw(built.values[i]).astype(float), _array(theirs)
            if not proof.agree(mine, other, proof.magnitude(other, *read)):
                raise DisagreementError(f"the value of {_called(call)} differs: {proof.shown(mine, other, _JAX)}")


def _is_number(x: JaxArray) -> bool:
    return getattr(x, "dtype", None) is not None and not str(x.dtype).startswith("key")


# --- gradients ---------------------------------------------------------------------------------------


def _check_gradients(
    captured: TracedFunction, built: BuiltGraph, ours: dict[int, Array], weights: Array
) -> dict[int, Array]:
    """Raise DisagreementError if a gradient differs from that of the primitives, in float64. Return JAX's gradients."""
    numbers = list(built.leaves)

    def program(*leaves: JaxArray) -> JaxArray:
        return run(captured, dict(zip(numbers, leaves, strict=True)), wide=True)[captured.result]

    _, found = pulled_back(program, [captured.values[i] for i in numbers], weights)
    theirs = dict(zip(numbers, map(_array, found), strict=True))
    largest = proof.magnitude(*theirs.values())
    for i, gradient in theirs.items():
        if not proof.agree(ours[i], gradient, largest):
            shown = proof.shown(ours[i], gradient, _JAX)
            raise DisagreementError(
                f"the gradient of {built.leaves[i].name} differs: {shown}{_first(captured, built, weights)}"
            )
    return theirs


def _first(captured: TracedFunction, built: BuiltGraph, weights: Array) -> str:
    """Return where the backward pass begins to differ, for a message."""
    nodes = {i: built.values[i] for call in built.calls for i in call.writes}
    nodes = {i: x for i, x in nodes.items() if is_node(x) and not x.constant}
    makers = {i: call for call in built.calls for i in call.writes}
    ours = dict(zip(nodes, grad(built.root, list(nodes.values()), seed=weights), strict=True))
    for i in reversed(nodes):

        def rest(x: JaxArray, number: int = i) -> JaxArray:
            return _after(captured, number, x)

        _, (gradient,) = pulled_back(rest, [captured.values[i]], weights)
        theirs = _array(gradient)
        if not proof.agree(np.asarray(ours[i]), theirs, proof.magnitude(theirs)):
            users = [_called(call) for call in built.calls if i in call.reads]
            through = " and ".join(users) or "the result"
            return (
                f"; the backward pass first differs at the gradient of {_called(makers[i])}, which comes from {through}"
            )
    return ""


def _after(captured: TracedFunction, number: int, x: JaxArray) -> JaxArray:
    """Return the result of a program in which one value is given."""
    calls = [call for call in captured.calls if number not in call.writes]
    return run(captured._replace(calls=calls), {number: x}, wide=True)[captured.result]


# --- the original function ----------------------------------------------------------------------------


def _original(
    captured: TracedFunction, built: BuiltGraph, call: Callable[..., JaxArray], weights: Array
) -> tuple[Array, dict[int, Array]]:
    """Differentiate the function itself with JAX. Return its value and its gradients."""
    arguments = [i for i, given in captured.inputs.items() if given.is_argument]
    numbers = list(built.leaves)

    def of_leaves(*leaves: Any) -> JaxArray:
        given = dict(zip(numbers, leaves, strict=True))
        return call(*[given.get(i, captured.inputs[i].array) for i in arguments])

    given_arrays = [captured.inputs[i].array for i in numbers]
    y, found = pulled_back(of_leaves, given_arrays, weights)
    return _array(y), dict(zip(numbers, map(_array, found), strict=True))


def _check_original(
    captured: TracedFunction, built: BuiltGraph, value: Array, own: dict[int, Array], theirs: dict[int, Array]
) -> None:
    """Raise DisagreementError if the function, in its own precision, differs from the primitives that it ran."""
    tolerance, y = proof.TOLERANCE, _array(captured.values[captured.result])
    if captured.dtype != "float64":
        tolerance = 1e-3
        y, theirs = _in_own_precision(captured, built)
    if not proof.agree(value, y, proof.magnitude(y), tolerance):
        raise DisagreementError(
            f"f returns another value when it is called again: {proof.shown(y, value, _JAX)}; a graph needs a function "
            "that is not random and has no state"
        )
    largest = proof.magnitude(*own.values())
    for i, gradient in own.items():
        if not proof.agree(theirs[i], gradient, largest, tolerance):
            raise DisagreementError(_other_backward(captured, built.leaves[i].name, theirs[i], gradient))


def _in_own_precision(captured: TracedFunction, built: BuiltGraph) -> tuple[Array, dict[int, Array]]:
    """Return the value and the gradients of the primitives in the precision of the program."""
    numbers = list(built.leaves)

    def program(*leaves: JaxArray) -> JaxArray:
        return run(captured, dict(zip(numbers, leaves, strict=True)), wide=False)[captured.result]

    weights = cotangent(built.root.shape, 0) if built.root.shape else np.array(1.0)
    y, found = pulled_back(program, [captured.originals[i] for i in numbers], weights)
    return _array(y), dict(zip(numbers, map(_array, found), strict=True))


def _other_backward(captured: TracedFunction, name: str, ours: Array, gradient: Array) -> str:
    """Return the message for a function whose own derivative is not that of its body."""
    functions = " or ".join([f"{function} ({line})" for function, line in captured.custom.items()])
    reason = (
        f"the custom derivative of {functions} is not the derivative of its body"
        if functions
        else "its derivative in JAX is not that of the primitives that it ran"
    )
    return (
        f"the gradient of {name} differs, because {reason}: {proof.shown(ours, gradient, _JAX)}; "
        "pass check=False to see the derivative of the body"
    )


# --- precision ----------------------------------------------------------------------------------------


def _first_imprecise(captured: TracedFunction, built: BuiltGraph, dtype: str) -> str:
    """Return the first primitive whose value is far from the one in float64, for a message."""
    theirs = run(captured, {i: captured.originals[i] for i in built.leaves}, wide=False)
    makers = {i: call for call in built.calls for i in call.writes}
    for i, call in makers.items():
        if not _is_number(theirs[i]):
            continue
        mine, own = _raw(built.values[i]).astype(float), _array(theirs[i])
        if proof.distance(mine, own) > proof.IMPRECISE:
            shown = proof.shown(mine, own, f"{_JAX} with {dtype}")
            return f"; the first primitive that differs is {_called(call)}: {shown}"
    return ""
