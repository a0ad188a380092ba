"""The graph of Tensors for a captured JAX program: leaves, and one entry of the table per primitive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from tinygraph.bridges.jax.ops.table import IGNORED, WHOLE, JaxArray
from tinygraph.bridges.jax.program import Call, TracedFunction
from tinygraph.bridges.jax.reference import varying
from tinygraph.bridges.leaves import converted_leaf
from tinygraph.bridges.operands import Entry, Imported, is_node
from tinygraph.bridges.places import Places
from tinygraph.bridges.variables import give_names
from tinygraph.tensor.tensor import Tensor

INSTEAD = {
    "custom_linear_solve": "jnp.linalg.solve",
    "eigh": "sums and products of matrices",
    "svd": "sums of squares",
    "qr": "jnp.linalg.cholesky",
    "lu": "jnp.linalg.solve or jnp.linalg.det",
    "fft": "a product with a matrix of sines and cosines",
    "reduce_window": "jax.lax.reduce_window with jax.lax.max, jax.lax.min or jax.lax.add",
    "scatter_min": "x.at[...].set",
    "scatter_max": "x.at[...].set",
    "pure_callback": "functions of jax.numpy",
}  # what to use for some primitives that the table does not contain


class BuiltGraph(NamedTuple):
    """An imported graph.

    Attributes:
        root: The root.
        leaves: The leaves that get a gradient, by the numbers of their inputs.
        values: What each result became, by its number.
        calls: The primitives that became nodes.
    """

    root: Tensor
    leaves: dict[int, Tensor]
    values: dict[int, Imported]
    calls: list[Call]


def build(captured: TracedFunction, table: Mapping[str, Entry], wanted: Collection[int]) -> BuiltGraph:
    """Return the graph of Tensors for a captured program.

    Args:
        captured: The program.
        table: The table of primitives.
        wanted: Numbers of the inputs that get a gradient.

    Returns:
        The graph.

    Raises:
        NotImplementedError: If the table does not contain a primitive.
        ValueError: If the result does not depend on the arguments.
    """
    arguments = [i for i, given in captured.inputs.items() if given.is_argument]
    values: dict[int, Imported] = {}
    calls = varying(captured, arguments)
    places = Places()
    leaves = {i: _leaf(captured, i, i in wanted) for i in arguments}
    values.update(leaves)
    with places:
        for call in calls:
            places.move(*call.place)
            operands = [_operand(captured, values, i) for i in call.reads]
            if any(map(is_node, operands)):
                found = _converted(call, operands, table)
            else:
                found = [_plain(captured.values[i]) for i in call.writes]
            values.update(zip(call.writes, found, strict=True))
    root = values.get(captured.result)
    if not is_node(root):
        raise ValueError("the result of f does not depend on the arrays that f gets: there is no graph to show")
    assert isinstance(root, Tensor)
    named = {values[i]: name for i, name in captured.variables.items() if is_node(values.get(i))}
    give_names(named, leaves.values())
    return BuiltGraph(root, {i: leaf for i, leaf in leaves.items() if i in wanted}, values, calls)


def _leaf(captured: TracedFunction, number: int, wanted: bool) -> Tensor:
    """Return the leaf for a named input."""
    given = captured.inputs[number]
    array = np.asarray(given.array)
    if array.dtype.kind == "V":  # bfloat16 and other types that NumPy does not know
        return converted_leaf(array.astype(float), given.name, constant=not wanted)
    return Tensor(array, given.name, constant=not wanted)


def _operand(captured: TracedFunction, values: dict[int, Imported], number: int) -> Imported:
    """Return an operand: a node, or a constant. An array with a name becomes a constant leaf when it is first used."""
    if number not in values:
        given = captured.inputs.get(number)
        is_leaf = given is not None and np.asarray(captured.values[number]).dtype.kind == "f"
        values[number] = _leaf(captured, number, False) if is_leaf else _plain(captured.values[number])
    return values[number]


def _plain(x: JaxArray) -> Imported:
    """Return a value of JAX as an array, or a number."""
    if not hasattr(x, "dtype") or str(x.dtype).startswith("key"):
        return x
    array = np.asarray(x)
    if array.dtype.kind != "f":
        return array.copy()  # JAX can share the memory of an array of NumPy that you passed
    return array if array.ndim else float(array)


def _converted(call: Call, operands: list[Imported], table: Mapping[str, Entry]) -> list[Imported]:
    """Return what the results of a primitive become."""
    whole = WHOLE.get(call.name) if call.primitive is None else None
    entry = whole.entry if whole else table.get(call.name)
    if entry is None:
        other = f"use {INSTEAD[call.name]} instead, or " if call.name in INSTEAD else ""
        raise NotImplementedError(
            f"the primitive {call.name}{call.place.text()} is not in the table of from_jax: {other}pass "
            f"mapping={{{_written(call)}: your_function}}, a function of Tensors with the primitive's parameters"
        )
    try:
        found = entry(*operands, **{key: x for key, x in call.params.items() if key not in IGNORED})
    except (TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise NotImplementedError(
            f"the primitive {call.name}{call.place.text()} cannot be imported with these arguments: {error}; pass "
            f"mapping={{{_written(call)}: your_function}} to write it with Tensors"
        ) from error
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _written(call: Call) -> str:
    return f"jax.lax.{call.name.replace('-', '_')}_p"
