"""NumPy's methods and functions for Tensors, such as `t.sum(axis=0)`, `np.dot(w.T, X)` and `np.concatenate`.

`Tensor` inherits the methods from `ArrayMethods`. NumPy's ufuncs are in the table `TENSOR_UFUNCS`, and its other
functions are in the table `FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from operator import index as index_of
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygraph.engine import contexts, graph
from tinygraph.engine.graph import Node
from tinygraph.engine.operators import UFUNCS
from tinygraph.engine.replay import SYMBOLS
from tinygraph.kernels.arrays import Array, as_array
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described
from tinygraph.tensor import indexing
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, Shape, TracedArray
from tinygraph.tensor.indexing import index
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.operands import compare, is_operand, plain_operand
from tinygraph.tensor.reductions import extremum, mean_over, sum_over
from tinygraph.tensor.shapes import expand, reshape, transpose

if TYPE_CHECKING:
    from tinygraph.tensor.tensor import Tensor


class ArrayMethods(Node, TracedArray):
    """The methods and attributes that a Tensor shares with a NumPy array."""

    __slots__ = ()

    @staticmethod
    def _record_array_op(op: ArrayOp, operands: Sequence[Any]) -> Tensor:
        raise NotImplementedError

    def _record_view(self, op: ArrayOp) -> Tensor:
        """Record an array op that only rearranges elements. NumPy never warns about such an op."""
        raise NotImplementedError

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        return self.raw.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.raw.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.raw.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """The type of the elements: float64."""
        return self.raw.dtype  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("a Tensor of shape () cannot be iterated over: it is a scalar, use .item()")
        return (self[i] for i in range(len(self)))

    def sum(self, axis: Axis = None, keepdims: bool = False, **numpy: object) -> Tensor:
        """Return the sum over the given axes.

        Args:
            axis: Axis, tuple of axes, or None for all axes.
            keepdims: If true, keep the reduced axes with length 1.
            **numpy: NumPy's other arguments, which must keep their default values.

        Returns:
            A node of the graph.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).sum(axis=0)
            Tensor([4.0, 6.0], op='sum')
        """
        return self._reduced(sum_over, axis, keepdims, numpy)

    def mean(self, axis: Axis = None, keepdims: bool = False, **numpy: object) -> Tensor:
        """Return the mean over the given axes.

        Args:
            axis: Axis, tuple of axes, or None for all axes.
            keepdims: If true, keep the reduced axes with length 1.
            **numpy: NumPy's other arguments, which must keep their default values.

        Returns:
            A node of the graph. Its value is NaN if there are no elements.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([1.0, 2.0, 6.0]).mean()
            Tensor(3.0, op='mean')
        """
        return self._reduced(mean_over, axis, keepdims, numpy)

    def max(self, axis: Axis = None, keepdims: bool = False, **numpy: object) -> Tensor:
        """Return the maximum over the given axes. If k elements tie, each of them gets 1/k of the derivative.

        Args:
            axis: Axis, tuple of axes, or None for all axes.
            keepdims: If true, keep the reduced axes with length 1.
            **numpy: NumPy's other arguments, which must keep their default values.

        Returns:
            A node of the graph.

        Raises:
            ValueError: If there are no elements.
        """
        return self._extremum("max", axis, keepdims, numpy)

    def min(self, axis: Axis = None, keepdims: bool = False, **numpy: object) -> Tensor:
        """Return the minimum over the given axes. If k elements tie, each of them gets 1/k of the derivative.

        Args:
            axis: Axis, tuple of axes, or None for all axes.
            keepdims: If true, keep the reduced axes with length 1.
            **numpy: NumPy's other arguments, which must keep their default values.

        Returns:
            A node of the graph.

        Raises:
            ValueError: If there are no elements.
        """
        return self._extremum("min", axis, keepdims, numpy)

    def _extremum(self, name: str, axis: Axis, keepdims: bool, numpy: dict[str, object]) -> Tensor:
        try:
            return self._reduced(partial(extremum, name), axis, keepdims, numpy)
        except ValueError as error:
            if self.size or isinstance(error, np.exceptions.AxisError):
                raise
            raise ValueError(f"{name} of a Tensor of shape {self.shape}: it has no elements") from None

    def _reduced(self, over: Callable[..., ArrayOp], axis: Axis, keepdims: bool, numpy: dict[str, object]) -> Tensor:
        """Record the reduction that `over` returns for the given axes."""
        if numpy:
            _refuse(numpy)
        try:
            return self._record_array_op(over(_axis(axis), bool(keepdims)), (self,))
        except np.exceptions.AxisError as error:
            raise np.exceptions.AxisError(f"a Tensor of shape {self.shape}: {error}") from None

    def transpose(self, *axes: Any) -> Tensor:
        """Return the Tensor with its axes in another order.

        Args:
            *axes: Permutation of the axes. Defaults to the reverse order.

        Returns:
            A node of the graph.

        Raises:
            ValueError: If `axes` is not a permutation of the axes.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([[1.0, 2.0]]).transpose().shape
            (2, 1)
        """
        natural = range(self.ndim)
        order = _listed(axes) or tuple(reversed(natural))
        try:
            found = tuple([natural[index_of(axis)] for axis in order])
        except (IndexError, TypeError):
            found = None
        if found is None or sorted(found) != list(natural):
            raise ValueError(f"transpose of a Tensor of shape {self.shape}: {order} is not a permutation of its axes")
        return self._record_view(transpose(found))

    @property
    def T(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """The Tensor with its axes reversed: for a matrix, its transpose.

        Under `strict`, `.T` of a 1-D array raises ValueError, because its transpose is the same array.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([[1.0, 2.0]]).T
            Tensor([[1.0], [2.0]], op='transpose')
        """
        if graph.watch is not None and self.ndim == 1 and contexts.is_strict():
            raise ValueError(
                f"strict: {self.name or 'this Tensor'} has shape {self.shape}, and .T of a 1-D array is the "
                "same array: make it a column with .reshape(-1, 1)"
            )
        return self._record_view(_reversal(self.raw.ndim))

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape.

        Args:
            *shape: Length of each axis. One length can be -1, and is then computed from the other lengths.

        Returns:
            A node of the graph.

        Raises:
            ValueError: If the new shape has a different number of elements.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([1.0, 2.0, 3.0, 4.0]).reshape(2, -1)
            Tensor([[1.0, 2.0], [3.0, 4.0]], op='reshape')
        """
        wanted = _listed(shape)
        try:
            found = self.raw.reshape(wanted).shape
            if wanted and min(wanted) < -1:  # NumPy takes every negative length for -1
                raise ValueError
        except TypeError:
            raise TypeError(f"reshape: the lengths of the shape must be integers, not {described(wanted)}") from None
        except ValueError:
            message = f"reshape: {self.size} elements (shape {self.shape}) do not fit into shape {wanted}"
            raise ValueError(message) from None
        return self._record_view(reshape(found))

    def __getitem__(self, key: object) -> Tensor:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, TracedArray) for k in keys):
            raise TypeError("a Tensor cannot be an index: use its .data, converted to integers")
        if not all(isinstance(k, _FIXED) for k in keys):
            key = tuple(map(_copied, key)) if isinstance(key, tuple) else _copied(key)
        try:
            return self._record_view(index(key))
        except IndexError as error:
            raise IndexError(f"an index of a Tensor of shape {self.shape}: {error}") from None

    def __matmul__(self, other: Operand) -> Tensor:
        return product(self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Operand) -> Tensor:
        return product(other, self)  # type: ignore[no-any-return]

    def __array_function__(self, function: Callable[..., object], _: object, args: Any, options: Any) -> Any:
        """Record calls to NumPy functions such as `np.dot(w.T, X)` and `np.sum(t, axis=0)`."""
        ours = FUNCTIONS.get(function.__name__)
        if ours is None:
            known = ", ".join(sorted(FUNCTIONS))
            name = function.__name__
            raise TypeError(f"np.{name} does not work on a Tensor. These functions do: {known}, and the ufuncs")
        return ours(*args, **options)


@lru_cache(maxsize=64)
def _reversal(ndim: int) -> ArrayOp:
    """Return the op that reverses the axes."""
    return transpose(tuple(reversed(range(ndim))))


_FIXED = (int, slice, type(None), type(...), np.integer)  # keys that cannot change after they were used


def _copied(key: Any) -> Any:
    """Return a copy of an index, because the caller may edit it after the Tensor was indexed."""
    return key.copy() if isinstance(key, np.ndarray) else list(map(_copied, key)) if isinstance(key, list) else key


def _listed(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return axes or lengths as a tuple, whether they were given separately or in one sequence."""
    if len(given) == 1:
        (only,) = given
        return tuple(only) if hasattr(only, "__iter__") and not isinstance(only, (*_WORDS, TracedArray)) else given
    return given


_WORDS = (str, bytes, dict, set, type)  # objects that can be iterated over, or seem so, but are no sequence of integers


def _axis(axis: Any) -> Axis:
    if axis is None:
        return None
    try:
        return tuple(map(index_of, axis)) if isinstance(axis, (tuple, list)) else index_of(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer, a tuple of integers or None, not {described(axis)}") from None


def _refuse(numpy: dict[str, object]) -> None:
    """Raise TypeError for an argument that differs from its default. NumPy passes defaults, such as out=None."""
    for name, value in numpy.items():
        if value is not None and value is not np._NoValue:
            raise TypeError(f"{name}={value!r} is not supported here: use axis and keepdims")


# --- functions --------------------------------------------------------------------------------------


def product(x: Any, y: Any) -> Any:
    """Return the matrix product, or NotImplemented if the other operand should decide.

    Args:
        x: Tensor or array with at least one axis.
        y: Tensor or array with at least one axis.
    """
    if not (is_operand(x) and is_operand(y)):
        return NotImplemented
    plain = [side.raw if isinstance(side, TracedArray) else plain_operand(side, "matmul") for side in (x, y)]
    if not all(map(np.ndim, plain)):
        raise ValueError("matmul needs vectors or matrices: for a scalar, use *")
    return matmul(x, y)


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Operand:
    """Join Tensors and arrays along an existing axis.

    Args:
        tensors: Tensors and arrays whose shapes differ only along `axis`.
        axis: Axis along which the arrays are joined. Defaults to 0.

    Returns:
        A Tensor, or an array if `tensors` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> concatenate([Tensor([1.0]), np.array([2.0, 3.0])])
        Tensor([1.0, 2.0, 3.0], op='concatenate')
    """
    return _joined("concatenate", tensors, axis)


def stack(tensors: Sequence[Operand], axis: int = 0) -> Operand:
    """Join Tensors and arrays of the same shape along a new axis.

    Args:
        tensors: Tensors and arrays of the same shape.
        axis: Position of the new axis. Defaults to 0.

    Returns:
        A Tensor, or an array if `tensors` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> stack([Tensor(1.0), Tensor(2.0)])
        Tensor([1.0, 2.0], op='stack')
    """
    return _joined("stack", tensors, axis)


def _joined(name: str, tensors: Any, axis: int) -> Operand:
    """Join Tensors and arrays with the op of the given name, or refuse them by name."""
    if isinstance(tensors, _WORDS) or not hasattr(tensors, "__iter__"):
        raise TypeError(f"{name}: tensors must be a sequence of Tensors and arrays, not {described(tensors)}")
    parts = [x if isinstance(x, TracedArray) else as_array(x, f"{name}: each of the tensors") for x in tensors]
    op = getattr(indexing, name)(check_integer("axis", axis))
    if not parts:
        raise ValueError(f"{name}: tensors must contain at least one Tensor or array")
    try:
        return op(*parts)  # type: ignore[no-any-return]
    except ValueError as error:  # of NumPy: the shapes, or the axis
        shapes = ", ".join([str(getattr(x, "shape", ())) for x in parts])
        raise type(error)(f"{name} of tensors with the shapes {shapes}: {error}") from None


def _dot(x: Operand, y: Operand) -> Operand:
    """Return the product of x and y by the rules of `np.dot`.

    Unlike `matmul`, `np.dot` pairs every row of x with every matrix of y if y has more than two axes.
    """
    ndim, other = getattr(x, "ndim", None), getattr(y, "ndim", None)
    if ndim is None:
        return _dot(as_array(x, "dot"), y)
    if other is None:
        return _dot(x, as_array(y, "dot"))
    if not (ndim and other):
        return x * y
    if ndim < 2 or other < 3:
        return matmul(x, y)
    columns = y.transpose(y.ndim - 2, *range(y.ndim - 2), y.ndim - 1).reshape(y.shape[-2], -1)
    return matmul(x, columns).reshape(*x.shape[:-1], *y.shape[:-2], y.shape[-1])


def _method(name: str) -> Callable[..., Operand]:
    return lambda x, *args, **options: getattr(x, name)(*args, **options)


def _comparison(symbol: str) -> Callable[[object, object], Array]:
    return lambda x, y: compare(symbol, x, y)


TENSOR_UFUNCS = {
    **{name: _comparison(SYMBOLS[f]) if f in SYMBOLS else f for name, f in UFUNCS.items()},
    "matmul": product,
}
FUNCTIONS: dict[str, Callable[..., Operand]] = {
    **{name: _method(name) for name in ("sum", "mean", "max", "min", "transpose", "reshape")},
    "amax": _method("max"),
    "amin": _method("min"),
    "dot": _dot,
    "concatenate": concatenate,
    "stack": stack,
    "broadcast_to": lambda x, shape: expand(tuple(np.atleast_1d(shape).tolist()))(x),
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.size,
}
