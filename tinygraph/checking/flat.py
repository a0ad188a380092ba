"""A function of nested arguments, with numbers and arrays in them, as a function of one flat list of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tinygraph.engine.graph import Node
from tinygraph.engine.value import Value
from tinygraph.functional import node_class, numbers_of, refilled
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_function

if TYPE_CHECKING:
    from typing import Any

    from tinygraph.functional import Function, Tree
    from tinygraph.kernels.arrays import Array
    from tinygraph.tensor.tensor import Tensor


class FlatFunction:
    """A wrapper that turns a function of nested arguments into a function of one flat list of numbers.

    Args:
        f: Function to wrap.
        args: Arguments of `f`: numbers, arrays or nodes, or nested lists, tuples, namedtuples or dicts of them.
        values: If true, call `f` with Values, or with Tensors if `args` contains an array. If false, call `f` with
            plain numbers and arrays.
        seed: Seed of the random cotangent that projects an array to a scalar, or None to refuse a result that is an
            array.

    Attributes:
        numbers: The elements of all inputs, as a flat list.
        shapes: Shape of each input; () for a number.
        arrays: True if an input is an array or a Tensor.
        result: Shape of the last result.
        projection: Description of the cotangent, or "" if the results are scalars.
    """

    def __init__(self, f: Function, args: Sequence[Tree], values: bool, seed: int | None = None) -> None:
        check_function("f", f)
        self.f, self.args, self.values, self.seed = f, list(args), values, seed
        given = list(numbers_of(self.args))
        self.arrays = node_class(given) is not Value
        self.shapes: list[tuple[int, ...]] = [getattr(x, "shape", ()) for x in given]
        self.numbers = elements_of(given)
        self.result: tuple[int, ...] = ()
        self.projection = ""

    def grouped(self, numbers: Sequence[Any]) -> list[Any]:
        """Return the elements of a flat list as one number or array per input.

        Args:
            numbers: One number per element of an input.

        Returns:
            The numbers and arrays.
        """
        groups, start = [], 0
        for shape in self.shapes:
            size = math.prod(shape)
            groups.append(_array(numbers[start : start + size], shape) if shape else numbers[start])
            start += size
        return groups

    def restore(self, numbers: Sequence[object]) -> list[Tree]:
        """Return the elements of a flat list, nested like the arguments.

        Args:
            numbers: One number per element of an input.

        Returns:
            The nested list.
        """
        form: list[Tree] = refilled(self.args, self.grouped(numbers))
        return form

    def __call__(self, numbers: Sequence[float]) -> float:
        """Return the value of the function as a float.

        Args:
            numbers: Flat list of inputs.

        Returns:
            The value.
        """
        if not self.values:
            return float(self._scalar(self.f(*self.restore(numbers))))
        kind = self._node_class()
        y = self.f(*refilled(self.args, [kind(x, constant=True) for x in self.grouped(numbers)]))
        return float(self._scalar(y.raw if isinstance(y, Node) else y))

    def _node_class(self) -> type[Value | Tensor]:
        if not self.arrays:
            return Value
        from tinygraph.tensor.tensor import Tensor

        return Tensor

    def record(self, numbers: Sequence[float]) -> tuple[Any, list[Any]]:
        """Record the function, and return the root and the leaves of its graph.

        Args:
            numbers: Flat list of inputs.

        Returns:
            The root, and one leaf per input.
        """
        kind = self._node_class()
        leaves = [kind(x) for x in self.grouped(numbers)]
        y = self._scalar(self.f(*refilled(self.args, leaves)))
        return (y if isinstance(y, Node) else kind(y, constant=True)), leaves

    def _scalar(self, y: Any) -> Any:
        """Return a result as a real scalar or a node. An array or a Tensor is projected on the random cotangent."""
        y = self.projected(y)
        return y if isinstance(y, Node) else plain_number(y, "the result of f")

    def projected(self, y: Any) -> Any:
        """Return a result as a scalar. An array or a Tensor is projected on the random cotangent.

        Args:
            y: Result of the function.

        Returns:
            The scalar: a number or a node.

        Raises:
            TypeError: If the result is an array and no seed was given.
        """
        self.result = shape = getattr(y, "shape", ())
        if not shape:
            return y
        if self.seed is None:
            raise TypeError(
                f"f must return a scalar at this point, but the result has shape {shape}: call .sum() or .mean()"
            )
        self.projection = projection_text(shape, self.seed)
        return (y * cotangent(shape, self.seed)).sum()

    def element_names(self, names: Sequence[str]) -> Iterator[str]:
        """Yield a name for each element of each input.

        Args:
            names: One name per input.

        Yields:
            The name of a scalar, or the name of an array with the index of the element.
        """
        for name, shape in zip(names, self.shapes, strict=True):
            if not shape:
                yield name
                continue
            from numpy import ndindex

            for index in ndindex(shape):
                yield f"{name}[{', '.join(map(str, index))}]"

    def moved(self, i: int, by: float) -> list[float]:
        """Return a copy of `numbers` with one element changed.

        Args:
            i: Index of the element.
            by: Amount to add to the element.

        Returns:
            A new flat list.
        """
        return [x + by if j == i else x for j, x in enumerate(self.numbers)]

    def along(self, i: int, x: float) -> float:
        """Return the value of the function where one element has another value, or NaN outside the function's domain.

        Args:
            i: Index of the element.
            x: Value of the element.

        Returns:
            The value of the function.
        """
        try:
            return self([x if j == i else y for j, y in enumerate(self.numbers)])
        except (ArithmeticError, ValueError):  # the functions of `math` raise them outside their domains
            return math.nan

    def require_scalars(self, method: str) -> None:
        """Check that no input is an array.

        Args:
            method: Method of differentiation that needs scalars.

        Raises:
            ValueError: If an input is an array.
        """
        if self.arrays:
            raise ValueError(f"method={method!r} needs scalar inputs, but an input is an array: use 'central'")


def _elements(x: Any) -> Array | float:
    """Return an input as a float64 array or a float."""
    if isinstance(x, Node):
        x = x.raw
    if not getattr(x, "shape", ()):
        return plain_number(x, "at")
    from tinygraph.kernels.arrays import as_array

    return as_array(x, "at")


def elements_of(tree: Tree) -> list[float]:
    """Return the elements of all numbers and arrays in nested arguments, as a flat list.

    Args:
        tree: Number or array, or nested list, tuple or dict of them.

    Returns:
        The elements, in order.

    Examples:
        >>> elements_of({"w": [1.0, 2.0], "b": 3.0})
        [1.0, 2.0, 3.0]
    """
    found: list[float] = []
    for x in numbers_of(tree):
        elements = _elements(x)
        found += elements.ravel().tolist() if getattr(elements, "shape", ()) else [float(elements)]  # type: ignore[union-attr]
    return found


def elements_and_sizes(gradients: Sequence[Array]) -> tuple[list[float], list[float]]:
    """Return the elements of all gradients, and for each of them the largest absolute element of its gradient.

    Args:
        gradients: Arrays.

    Returns:
        Two lists of the same length.
    """
    elements: list[float] = []
    sizes: list[float] = []
    for gradient in gradients:
        group = gradient.ravel().tolist()
        elements += group
        sizes += [max(map(abs, group), default=0.0)] * len(group)
    return elements, sizes


def _array(numbers: Sequence[Any], shape: tuple[int, ...]) -> Array:
    from numpy import array

    return array(numbers, dtype=complex if complex in set(map(type, numbers[:1])) else float).reshape(shape)


def cotangent(shape: tuple[int, ...], seed: int) -> Array:
    """Return the random cotangent that projects an array to a scalar.

    Args:
        shape: Shape of the array.
        seed: Seed of the random numbers.

    Returns:
        Random numbers between 0.5 and 1.5.
    """
    from numpy.random import default_rng

    return default_rng(seed).uniform(0.5, 1.5, shape)


def projection_text(shape: tuple[int, ...], seed: int) -> str:
    """Describe how `cotangent` projects an array to a scalar.

    Args:
        shape: Shape of the array.
        seed: Seed of the random numbers.

    Returns:
        The description, or "" for a scalar.
    """
    if not shape:
        return ""
    return (
        f"the result has shape {shape}, so the derivatives are those of (result * weights).sum() with "
        f"weights = np.random.default_rng({seed}).uniform(0.5, 1.5, {shape})"
    )
