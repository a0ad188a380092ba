"""Functions for parts of an array: slices, indices, diagonals and triangles of an array."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described, one_of
from tinygraph.tensor.arguments import axis_or_flat, fitted, named, one_axis, refuse_tensor
from tinygraph.tensor.array_ops import ArrayOp, Operand, Shape, is_shape
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.indexing import checked_key, index, set_elements
from tinygraph.tensor.operands import operand
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import expand

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Index: TypeAlias = "int | slice | ArrayLike | tuple[object, ...] | None"

# --- parts


def _along(axis: int, key: object) -> tuple[object, ...]:
    """Return the index that applies a key to one axis."""
    return (*[slice(None)] * axis, key)


def _split(name: str, ary: Operand, sections: ArrayLike, axis: object) -> list[Operand]:
    """Cut an array at the places at which NumPy's function of this name cuts it."""
    refuse_tensor(f"{name}: indices_or_sections", sections)
    along = one_axis(name, ary, axis)
    parts = named(name, ary, getattr(np, name), np.arange(ary.shape[along]), sections)
    ends = [(int(part[0]), int(part[-1]) + 1) if len(part) else (0, 0) for part in parts]
    return [index(_along(along, slice(*pair)))(ary) for pair in ends]


@numpy_function()
def split(ary: Operand, indices_or_sections: ArrayLike, axis: int = 0) -> list[Operand]:
    """Cut an array into equal parts, or at the given places."""
    return _split("split", ary, indices_or_sections, axis)


@numpy_function()
def array_split(ary: Operand, indices_or_sections: ArrayLike, axis: int = 0) -> list[Operand]:
    """Cut an array into parts whose lengths differ by at most 1, or at the given places."""
    return _split("array_split", ary, indices_or_sections, axis)


def _check_axes(name: str, x: Operand, least: int) -> None:
    """Raise ValueError if an array has fewer axes than a function needs."""
    if x.ndim < least:
        needed = "one axis" if least == 1 else f"{('two', 'three')[least - 2]} axes"
        raise ValueError(f"{name} needs at least {needed}, not the shape {x.shape}")


@numpy_function()
def hsplit(ary: Operand, indices_or_sections: ArrayLike) -> list[Operand]:
    """Cut an array between its columns. A 1-D array is cut along its only axis."""
    _check_axes("hsplit", ary, 1)
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@numpy_function()
def vsplit(ary: Operand, indices_or_sections: ArrayLike) -> list[Operand]:
    """Cut an array between its rows."""
    _check_axes("vsplit", ary, 2)
    return split(ary, indices_or_sections)


@numpy_function()
def dsplit(ary: Operand, indices_or_sections: ArrayLike) -> list[Operand]:
    """Cut an array along its third axis."""
    _check_axes("dsplit", ary, 3)
    return split(ary, indices_or_sections, 2)


@numpy_function()
def unstack(x: Operand, *, axis: int = 0) -> tuple[Operand, ...]:
    """Return the parts of an array along an axis, each without this axis."""
    along = one_axis("unstack", x, axis)
    return tuple([index(_along(along, k))(x) for k in range(x.shape[along])])


# --- indices


@numpy_function()
def take(a: Operand, indices: ArrayLike, axis: int | None = None, mode: str = "raise") -> Operand:
    """Select elements, or parts along an axis, by their positions.

    Args:
        a: Tensor.
        indices: Positions: an integer or an array of integers.
        axis: Axis. By default, the elements are read as a 1-D array.
        mode: "raise" to refuse positions outside of the array, "wrap" to count on from the other end, or "clip" to
            use the nearest position.

    Returns:
        A node of the graph.

    Raises:
        IndexError: If a position is outside of the array.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0, 3.0]).take([0, -1])
        Tensor([1.0, 3.0], op='index')
    """
    one_of("mode", mode, ("raise", "wrap", "clip"))
    array = operand(a, "take: a")
    array, along = axis_or_flat("take", array, axis)
    refuse_tensor("take: indices", indices)
    places = np.arange(array.shape[along])
    # NumPy turns floats, and even strings, into integers. Here, only an empty list can have another type.
    if np.asarray(indices).dtype.kind not in "biu" and np.size(indices):
        raise TypeError(f"take: indices must be an integer or an array of integers, not {described(indices)}")
    found = named("take", array, np.take, places, np.array(indices, dtype=np.intp), mode=mode)
    return index(_along(along, found if np.ndim(found) else int(found)))(array)


@numpy_function()
def take_along_axis(arr: Operand, indices: ArrayLike, axis: int | None = -1) -> Operand:
    """Select elements along an axis: at each place, the element whose position on the axis the indices contain."""
    array = operand(arr, "take_along_axis: arr")
    refuse_tensor("take_along_axis: indices", indices)
    places = np.array(indices)
    if places.dtype.kind not in "iu":
        raise IndexError(f"take_along_axis: indices must be an array of integers, not {described(indices)}")
    array, along = axis_or_flat("take_along_axis", array, axis)
    if places.ndim != array.ndim:
        raise ValueError(f"take_along_axis: indices must have {array.ndim} axes, not the shape {places.shape}")
    grid = list(np.ogrid[tuple(map(slice, array.shape))])
    grid[along] = places
    return named("take_along_axis", array, index(tuple(grid)), array)


@numpy_function()
def compress(condition: ArrayLike, a: Operand, axis: int | None = None) -> Operand:
    """Select the parts along an axis whose condition is true."""
    array = operand(a, "compress: a")
    array, along = axis_or_flat("compress", array, axis)
    refuse_tensor("compress: condition", condition)
    if np.ndim(condition) != 1 or np.asarray(condition).dtype.kind not in "biuf":
        raise ValueError(f"compress: condition must be a 1-D array of bools, not {described(condition)}")
    where = named("compress", array, np.compress, condition, np.arange(array.shape[along]))
    return index(_along(along, where))(array)


def compress_method(a: Operand, condition: ArrayLike, axis: int | None = None) -> Operand:
    """Select the parts along an axis whose condition is true.

    Args:
        a: Tensor.
        condition: Array of bools, one for each position on the axis.
        axis: Axis. By default, the elements are read as a 1-D array.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> t = Tensor([1.0, -2.0, 3.0])
        >>> t.compress(t > 0.0)
        Tensor([1.0, 3.0], op='index')
    """
    return compress(condition, a, axis)


@numpy_function()
def extract(condition: ArrayLike, arr: Operand) -> Operand:
    """Return the elements whose condition is true, as a 1-D array."""
    refuse_tensor("extract: condition", condition)
    return compress(np.ravel(condition), arr)


@numpy_function()
def delete(arr: Operand, obj: Index, axis: int | None = None) -> Operand:
    """Leave out the parts of an array at the given positions of an axis."""
    array = operand(arr, "delete: arr")
    array, along = axis_or_flat("delete", array, axis)
    refuse_tensor("delete: obj", obj)
    kept = named("delete", array, np.delete, np.arange(array.shape[along]), obj)
    return index(_along(along, kept))(array)


def set_at(t: Operand, index: Index, values: Operand) -> Operand:
    """Return a copy of an array in which the elements at an index have new values.

    The result is that of `copy[index] = values` in NumPy. `t` does not change, and gets the gradient of the other
    elements. `values` gets the gradient of the new elements. If the index selects an element several times, the last
    of its values counts, and the others get a gradient of 0.

    Args:
        t: Tensor or array.
        index: Index in NumPy's sense: an integer, a slice, a list, a mask, or a tuple of these.
        values: Tensor, array or number, which is broadcast to the shape of the selected elements.

    Returns:
        A Tensor, or an array if neither `t` nor `values` is a Tensor.

    Raises:
        IndexError: If the index does not fit the shape of `t`.
        ValueError: If the values do not fit the shape of the selected elements.

    Examples:
        >>> from tinygraph import Tensor
        >>> x = Tensor([1.0, 2.0, 3.0])
        >>> y = set_at(x, 1, x[0] * 10.0)
        >>> y
        Tensor([1.0, 10.0, 3.0], op='set_at')
        >>> y.sum().backward(); x.grad
        array([11.,  0.,  1.])
    """
    array, new = operand(t, "set_at: t"), operand(values, "set_at: values")
    key = checked_key(index)
    try:
        selected = np.zeros(array.shape, bool)[key]  # type: ignore[call-overload]
    except IndexError as error:
        raise IndexError(f"set_at: the index {described(index)} and the shape {array.shape}: {error}") from None
    return set_elements(key)(array, fitted("set_at", new, np.shape(selected)))


# --- diagonals and triangles


@parametrized(is_integer, is_integer, is_integer)
@lru_cache(maxsize=256)
def diagonal_of(offset: int, axis1: int, axis2: int) -> ArrayOp:
    """Return the op that selects a diagonal.

    Args:
        offset: Distance to the main diagonal.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        The op. The diagonal is the last axis of its result.

    Examples:
        >>> diagonal_of(0, 0, 1)(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([1., 4.])
    """
    plain = (offset, axis1, axis2)
    shown = "" if plain == (0, 0, 1) else f", {offset}" if plain[1:] == (0, 1) else f", {offset}, {axis1}, {axis2}"
    return ArrayOp(
        "diagonal",
        lambda x: np.diagonal(x, offset, axis1, axis2),
        symbol=f"diagonal({{}}{shown})",
        code="np.diagonal({}, {parameters[0]}, {parameters[1]}, {parameters[2]})",
        vjps=(lambda up, out, x: on_diagonal(x.shape, offset, axis1, axis2)(up),),
        note=("on the diagonal of zeros",),
        moves=True,
        maker=diagonal_of,
        parameters=plain,
    )


@parametrized(is_shape, is_integer, is_integer, is_integer)
@lru_cache(maxsize=256)
def on_diagonal(shape: Shape, offset: int, axis1: int, axis2: int) -> ArrayOp:
    """Return the pullback of `diagonal_of`, which puts elements on a diagonal of zeros.

    Args:
        shape: Shape of the result.
        offset: Distance to the main diagonal.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        The op.

    Examples:
        >>> on_diagonal((2, 2), 0, 0, 1)(np.array([1.0, 2.0]))
        array([[1., 0.],
               [0., 2.]])
    """

    def compute(x: Array) -> Array:
        out = np.zeros(shape)
        view = np.diagonal(out, offset, axis1, axis2)
        view.flags.writeable = True
        view[...] = x
        return out

    return ArrayOp(
        "diag",
        compute,
        symbol=f"diag({{}}{f', {offset}' if offset else ''})",
        vjps=(lambda up, out, x: diagonal_of(offset, axis1, axis2)(up),),
        note=("the diagonal",),
        shape=lambda _: shape,
        maker=on_diagonal,
        parameters=(shape, offset, axis1, axis2),
    )


@numpy_function()
def diagonal(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Operand:
    """Return a diagonal as the last axis.

    Args:
        a: Tensor with at least two axes.
        offset: Distance to the main diagonal, positive above it. Defaults to 0.
        axis1: Axis of the rows. Defaults to 0.
        axis2: Axis of the columns. Defaults to 1.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).diagonal()
        Tensor([1.0, 4.0], op='diagonal')
    """
    _check_axes("diagonal", a, 2)
    first, second = one_axis("diagonal", a, axis1, "axis1"), one_axis("diagonal", a, axis2, "axis2")
    if first == second:
        raise ValueError(f"diagonal: axis1 and axis2 must differ, but both are {first}")
    return diagonal_of(check_integer("offset", offset), first, second)(a)


@numpy_function()
def trace(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Operand:
    """Return the sum of a diagonal.

    Args:
        a: Tensor with at least two axes.
        offset: Distance to the main diagonal, positive above it. Defaults to 0.
        axis1: Axis of the rows. Defaults to 0.
        axis2: Axis of the columns. Defaults to 1.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).trace()
        Tensor(5.0, op='sum')
    """
    _check_axes("trace", a, 2)
    return sum_over(-1)(diagonal(a, offset, axis1, axis2))


@numpy_function("linalg.diagonal")
def last_diagonal(x: Operand, offset: int = 0) -> Operand:
    """Return a diagonal of the matrices in the last two axes."""
    return diagonal(x, offset, -2, -1)


@numpy_function("linalg.trace")
def last_trace(x: Operand, offset: int = 0) -> Operand:
    """Return the sum of a diagonal of the matrices in the last two axes."""
    return trace(x, offset, -2, -1)


@numpy_function()
def diag(v: Operand, k: int = 0) -> Operand:
    """Return a matrix with the elements of a 1-D array on a diagonal, or the diagonal of a matrix."""
    offset = check_integer("k", k)
    if v.ndim == 1:
        length = v.size + abs(offset)
        return on_diagonal((length, length), offset, 0, 1)(v)
    if v.ndim != 2:
        raise ValueError(f"diag needs one or two axes, not the shape {v.shape}")
    return diagonal(v, offset)


@numpy_function()
def diagflat(v: Operand, k: int = 0) -> Operand:
    """Return a matrix with all elements of an array on a diagonal."""
    return diag(axis_or_flat("diagflat", v, None)[0], k)


def _is_triangle(x: object) -> bool:
    return isinstance(x, str) and x in ("tril", "triu")


@parametrized(_is_triangle, is_integer)
@lru_cache(maxsize=256)
def triangle_of(name: str, k: int) -> ArrayOp:
    """Return the op that keeps the lower or the upper triangle of matrices, and replaces other elements by 0.

    Args:
        name: "tril" or "triu".
        k: Distance of the last diagonal that is kept to the main diagonal.

    Returns:
        The op.

    Examples:
        >>> triangle_of("tril", 0)(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([[1., 0.],
               [3., 4.]])
    """
    function = {"tril": np.tril, "triu": np.triu}[name]
    shown = f", {k}" if k else ""

    def push(tangent: Operand, out: Operand, x: Operand) -> Operand:
        other = triangle_of("triu", k + 1) if name == "tril" else triangle_of("tril", k - 1)
        return triangle_of(name, k)(tangent) + other(tangent) * 0.0  # NaN stays NaN, as in the gradient

    return ArrayOp(
        name,
        lambda x: function(x, k),
        symbol=f"{name}({{}}{shown})",
        code=f"np.{name}({{}}{shown})",
        vjps=(lambda up, out, x: triangle_of(name, k)(up),),
        jvp=push,
        note=(f"{name}({{up}}{shown})",),
        maker=triangle_of,
        parameters=(name, k),
    )


def _triangle(name: str, m: Operand, k: object) -> Operand:
    _check_axes(name, m, 1)
    square = expand((m.size, m.size))(m) if m.ndim == 1 else m  # NumPy repeats a 1-D array as the rows
    return triangle_of(name, check_integer("k", k))(square)


@numpy_function()
def tril(m: Operand, k: int = 0) -> Operand:
    """Keep the lower triangle of matrices, and replace the other elements by 0."""
    return _triangle("tril", m, k)


@numpy_function()
def triu(m: Operand, k: int = 0) -> Operand:
    """Keep the upper triangle of matrices, and replace the other elements by 0."""
    return _triangle("triu", m, k)
