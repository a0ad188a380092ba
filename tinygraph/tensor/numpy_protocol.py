"""NumPy's methods for Tensors, such as `t.sum(axis=0)`, and the ways in which NumPy calls our functions.

`Tensor` inherits the methods from `ArrayMethods`. NumPy's ufuncs are in the table `TENSOR_UFUNCS`, and its other
functions are in the folder `functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from operator import index as index_of
from typing import TYPE_CHECKING, Any, Never, NoReturn, Self

import numpy as np

from tinygraph.engine import contexts
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.ufuncs import UFUNCS
from tinygraph.engine.replay import SYMBOLS
from tinygraph.kernels.arrays import Array
from tinygraph.support.messages import described
from tinygraph.tensor.arguments import check_order, listed
from tinygraph.tensor.array_ops import ArrayOp, Operand, Shape, TracedArray
from tinygraph.tensor.functions import (
    creating,
    cumulative,
    elementwise,
    parts,
    predicates,
    probabilities,
    rearranging,
    reductions,
    shaping,
)
from tinygraph.tensor.functions.linalg import products
from tinygraph.tensor.functions.linalg.products import matrix_product
from tinygraph.tensor.functions.table import call, name_of
from tinygraph.tensor.indexing import FIXED, checked_key, index
from tinygraph.tensor.operands import compare
from tinygraph.tensor.shapes import reshape, transpose

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
    def nbytes(self) -> int:
        """The number of bytes of the elements."""
        return self.raw.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The number of bytes of one element: 8."""
        return self.raw.itemsize  # type: ignore[no-any-return]

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

    sum = reductions.sum
    prod = reductions.prod
    mean = reductions.mean
    max = reductions.max
    min = reductions.min
    var = reductions.var
    std = reductions.std
    cumsum = cumulative.cumsum
    cumprod = cumulative.cumprod
    argmax = predicates.argmax
    argmin = predicates.argmin
    argsort = predicates.argsort
    any = predicates.any
    all = predicates.all
    nonzero = predicates.nonzero

    def transpose(self, *axes: Any) -> Tensor:
        """Return the Tensor with its axes in another order.

        Args:
            *axes: Permutation of the axes. Defaults to the reverse order, as does None.

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
        order = tuple(reversed(natural)) if axes in ((), (None,)) else listed(axes)
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
        if clock.watch is not None and self.ndim == 1 and contexts.is_strict():
            raise ValueError(
                f"strict: {self.name or 'this Tensor'} has shape {self.shape}, and .T of a 1-D array is the "
                "same array: make it a column with .reshape(-1, 1)"
            )
        return self._record_view(_reversal(self.raw.ndim))

    @property
    def mT(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """The Tensor with its last two axes swapped: the transpose of each matrix of a stack.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([[[1.0, 2.0]]]).mT
            Tensor([[[1.0], [2.0]]], op='transpose')
        """
        if self.ndim < 2:
            raise ValueError(f"mT needs at least two axes, but this Tensor has shape {self.shape}")
        return self._record_view(transpose((*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)))

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """Return the same elements in another shape.

        Args:
            *shape: Length of each axis. One length can be -1, and is then computed from the other lengths.
            order: "C" to read and place the last index fastest, or "F" for the first index.

        Returns:
            A node of the graph.

        Raises:
            ValueError: If the new shape has a different number of elements.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([1.0, 2.0, 3.0, 4.0]).reshape(2, -1)
            Tensor([[1.0, 2.0], [3.0, 4.0]], op='reshape')
        """
        wanted = listed(shape)
        try:
            found = self.raw.reshape(wanted).shape
            if wanted and min(wanted) < -1:  # NumPy takes every negative length for -1
                raise ValueError
        except TypeError:
            raise TypeError(f"reshape: the lengths of the shape must be integers, not {described(wanted)}") from None
        except ValueError:
            message = f"reshape: {self.size} elements (shape {self.shape}) do not fit into shape {wanted}"
            raise ValueError(message) from None
        if order != "C" and check_order(order):
            turned: ArrayMethods = self.transpose() if self.ndim > 1 else self
            placed = turned.reshape(found[::-1])
            return placed.transpose() if placed.ndim > 1 else placed
        return self._record_view(reshape(found))

    def __getitem__(self, key: object) -> Tensor:
        if type(key) not in FIXED:
            key = checked_key(key)
        try:
            return self._record_view(index(key))
        except IndexError as error:
            raise IndexError(f"an index of a Tensor of shape {self.shape}: {error}") from None

    def __setitem__(self, key: object, value: object) -> Never:
        raise TypeError(
            "the elements of a Tensor cannot be assigned, because a graph contains every value: use "
            "tinygraph.set_at(t, index, values), which returns a new Tensor, tinygraph.where or tinygraph.stack. The "
            "elements of a leaf's .data can be assigned"
        )

    squeeze = shaping.squeeze
    ravel = shaping.ravel
    flatten = shaping.flatten
    swapaxes = shaping.swapaxes
    repeat = rearranging.repeat
    round = elementwise.round
    take = parts.take
    compress = parts.compress_method
    diagonal = parts.diagonal
    trace = parts.trace
    copy = creating.copy
    astype = creating.astype

    def tolist(self) -> Any:
        """Return the value as nested lists of floats, or as a float for a scalar.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([[1.0, 2.0]]).tolist()
            [[1.0, 2.0]]
        """
        return self.raw.tolist()

    @property
    def real(self) -> Self:
        """This Tensor, because its elements are real numbers."""
        return self

    @property
    def flat(self) -> Tensor:
        """The elements as a 1-D array. It can be indexed and iterated over."""
        return self.reshape(-1)

    softmax = probabilities.softmax
    log_softmax = probabilities.log_softmax
    logsumexp = probabilities.logsumexp

    def view(self, *_: object, **__: object) -> NoReturn:
        """Raise TypeError. NumPy's functions for masked arrays call this method to convert a result."""
        raise TypeError("a Tensor cannot be viewed as another type or a masked array: use .reshape for another shape")

    def __matmul__(self, other: Operand) -> Tensor:
        return matrix_product(self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Operand) -> Tensor:
        return matrix_product(other, self)  # type: ignore[no-any-return]

    def dot(self, b: Operand) -> Operand:
        """Return the product by the rules of `np.dot`.

        Args:
            b: Tensor or array.

        Returns:
            A node of the graph.

        Examples:
            >>> from tinygraph import Tensor
            >>> Tensor([1.0, 2.0]).dot([3.0, 4.0])
            Tensor(11.0, op='matmul')
        """
        return products.dot(self, b)  # type: ignore[arg-type]

    def __array_function__(self, function: Callable[..., object], _: object, args: Any, options: Any) -> Any:
        """Record calls to NumPy functions such as `np.dot(w.T, X)` and `np.sum(t, axis=0)`."""
        return call(name_of(function), args, options, function)


@lru_cache(maxsize=64)
def _reversal(ndim: int) -> ArrayOp:
    """Return the op that reverses the axes."""
    return transpose(tuple(reversed(range(ndim))))


def _comparison(symbol: str) -> Callable[[object, object], Array]:
    return lambda x, y: compare(symbol, x, y)


TENSOR_UFUNCS = {
    **{name: _comparison(SYMBOLS[f]) if f in SYMBOLS else f for name, f in UFUNCS.items()},
    **{name: partial(predicates.elementwise, name) for name in ("isnan", "isfinite", "isinf", "signbit")},
    "matmul": matrix_product,
    "vecdot": products.vecdot,
    "matvec": products.matvec,
    "vecmat": products.vecmat,
}
