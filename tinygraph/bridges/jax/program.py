"""A captured JAX program: a list of primitives without control flow."""

from __future__ import annotations

from typing import Any, NamedTuple

from tinygraph.bridges.jax.ops.table import JaxArray, Params
from tinygraph.bridges.places import place_text


class EquationPlace(NamedTuple):
    """Where a primitive was called."""

    scope: tuple[str, ...]
    line: str

    def text(self) -> str:
        """Return the place for a message.

        Returns:
            The text, such as " at model.py:12 in layer", or "" if nothing is known.
        """
        return place_text(self.scope, self.line)


class Call(NamedTuple):
    """A primitive, with the numbers of the values that it reads and writes.

    Attributes:
        name: Name of the primitive, or of a function of JAX that becomes one node.
        primitive: The primitive, or None.
        params: Its parameters.
        reads: Numbers of its operands.
        writes: Numbers of its results.
        place: Where it was called.
    """

    name: str
    primitive: Any
    params: Params
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    place: EquationPlace


class GivenArray(NamedTuple):
    """An array that the graph reads: an argument, or an array that the function refers to."""

    name: str
    array: JaxArray
    is_argument: bool


class TracedFunction(NamedTuple):
    """A function as a list of primitives.

    Attributes:
        calls: The calls on which the result or a branch depends, in order.
        values: JAX's value of each result, in float64, by its number.
        originals: The inputs and constants in their own precision, by their numbers.
        inputs: The named inputs, by their numbers.
        result: Number of the result of the function.
        variables: Names of the local variables of the program, by the numbers of their values.
        custom: Names and lines of the functions with their own derivative.
        dtype: Type of the program's numbers.
    """

    calls: list[Call]
    values: dict[int, JaxArray]
    originals: dict[int, JaxArray]
    inputs: dict[int, GivenArray]
    result: int
    variables: dict[int, str]
    custom: dict[str, str]
    dtype: str
