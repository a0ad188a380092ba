"""JAX's own numbers for captured primitives: the value of each of them, and the gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

import numpy as np

from tinygraph.bridges.jax.ops.table import WHOLE, Array, JaxArray
from tinygraph.bridges.jax.program import Call, TracedFunction

MOST_OPERANDS = 64  # maximum number of operands of a concatenation


def is_low(dtype: object) -> bool:
    """Return whether a type is a type of floats with less precision than float64.

    Args:
        dtype: Type, or another object.

    Returns:
        True for float32, float16 and bfloat16.
    """
    jnp = import_module("jax.numpy")
    return isinstance(dtype, np.dtype) and bool(jnp.issubdtype(dtype, jnp.floating)) and dtype.itemsize < 8


def in_float64(x: JaxArray) -> JaxArray:
    """Return an array of floats as a JAX array of float64, and anything else unchanged.

    Args:
        x: Array, or number.

    Returns:
        The array.
    """
    jnp = import_module("jax.numpy")
    if isinstance(x, float) or is_low(getattr(x, "dtype", None)):
        return jnp.asarray(x, jnp.float64)
    return x if not isinstance(x, np.ndarray) else jnp.asarray(x)


def compute(call: Call, operands: Sequence[JaxArray], wide: bool = True) -> list[JaxArray]:
    """Run a primitive in JAX.

    Args:
        call: The primitive.
        operands: Its operands.
        wide: If true, compute with float64 where the program computes with less precision.

    Returns:
        Its results.
    """
    jax = import_module("jax")
    if call.name == "element" and call.primitive is None:
        return [operands[0][call.params["index"]]]
    if call.name == "stack" and call.primitive is None:
        return [stacked(operands)]
    if call.primitive is None:
        return [getattr(import_module(WHOLE[call.name].module), call.name)(*operands, **call.params)]
    params = call.params
    if wide and call.name != "bitcast_convert_type":
        params = {key: np.dtype(np.float64) if is_low(x) else x for key, x in params.items()}
    found = call.primitive.bind(*operands, **params)
    if call.name == "cholesky":
        return [jax.numpy.tril(found)]  # the other half contains numbers of the operand
    return list(found) if call.primitive.multiple_results else [found]


def stacked(arrays: Sequence[JaxArray]) -> JaxArray:
    """Return arrays along a new first axis.

    JAX compiles a concatenation for each number of operands, and the time grows faster than this number.

    Args:
        arrays: Arrays of one shape.

    Returns:
        The same as `jax.numpy.stack`, from concatenations of at most `MOST_OPERANDS` arrays.
    """
    jnp = import_module("jax.numpy")
    parts = [x[None] for x in arrays]
    while len(parts) > 1:
        parts = [jnp.concatenate(parts[i : i + MOST_OPERANDS]) for i in range(0, len(parts), MOST_OPERANDS)]
    return parts[0]


def varying(captured: TracedFunction, sources: Sequence[int]) -> list[Call]:
    """Return the calls whose results depend on some inputs.

    Args:
        captured: The program.
        sources: Numbers of the inputs.

    Returns:
        The calls, in order.
    """
    known, found = set(sources), []
    for call in captured.calls:
        if known.intersection(call.reads):
            known.update(call.writes)
            found.append(call)
    return found


def run(captured: TracedFunction, given: Mapping[int, JaxArray], wide: bool) -> dict[int, JaxArray]:
    """Run captured primitives in JAX.

    Args:
        captured: The program.
        given: Inputs, by their numbers.
        wide: If true, compute with float64. What depends on no input is then not computed again.

    Returns:
        The values, by their numbers.
    """
    values = {**(captured.values if wide else captured.originals), **given}
    for call in varying(captured, list(given)) if wide else captured.calls:
        results = compute(call, [values[i] for i in call.reads], wide)
        values.update(zip(call.writes, results, strict=True))
    return values


def pulled_back(
    f: Callable[..., JaxArray], inputs: Sequence[JaxArray], weights: Array
) -> tuple[JaxArray, list[JaxArray]]:
    """Return the value of a function, and the gradients of its projection to a scalar.

    JAX cannot differentiate a `while_loop` in reverse mode. Then the gradients are computed in forward mode.

    Args:
        f: Function of arrays.
        inputs: Arrays.
        weights: Weights of the projection, with the shape of the result.

    Returns:
        The value, and one gradient per input.
    """
    jax = import_module("jax")
    try:
        y, pullback = jax.vjp(f, *inputs)
        return y, list(pullback(jax.numpy.asarray(weights, y.dtype)))
    except ValueError as error:
        if "Reverse-mode differentiation" not in str(error):
            raise
    y = f(*inputs)

    def projected(*arrays: JaxArray) -> JaxArray:
        return (f(*arrays) * jax.numpy.asarray(weights, y.dtype)).sum()

    return y, list(jax.jacfwd(projected, argnums=tuple(range(len(inputs))))(*inputs)) if inputs else []
