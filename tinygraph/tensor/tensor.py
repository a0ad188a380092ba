"""Tensor: a graph of arrays.

It is the graph of `Value` with arrays for numbers: the same nodes, the same rows of the table entry by
entry, and between the entries the wiring of `wiring`. Broadcasting is wiring too, an op `expand` that
is seen in the graph; so every gradient has just the shape of its data.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from tinygraph.engine import backward, contexts, graph, ops
from tinygraph.engine.graph import Constant, Node
from tinygraph.engine.op import Op
from tinygraph.engine.operators import COMPARISONS, UFUNCS, Operators
from tinygraph.engine.variadic import VariadicOp
from tinygraph.kernels import arrays
from tinygraph.kernels.arrays import as_array, quietly
from tinygraph.tensor import array_ops
from tinygraph.tensor.array_ops import ArrayOp, Axis, TracedArray
from tinygraph.tensor.backward import accumulate
from tinygraph.tensor.broadcasting import check_traps, explain_shapes

_new = object.__new__
_ndarray, _float64 = np.ndarray, np.dtype(np.float64)
_pow = ops.pow
_EDGE = 6  # arrays of so many entries are written out


class Tensor(Operators, TracedArray):
    """An array that remembers where it came from.

    Takes what NumPy takes for an array of real numbers, and keeps a float64 copy; a constant, for which
    no gradient is computed, is kept as it is, without a copy. `data` is the array, `grad` the derivative
    that the last `backward()` left there, of the same shape (None before any). TypeError for what is no
    array of real numbers.

    >>> X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> w, b = Tensor([[1.0], [-1.0]], "w"), Tensor(0.5, "b")
    >>> Z = np.dot(w.T, X) + b
    >>> Z.data
    array([[-2.5, -2.5, -2.5]])
    >>> Z.sum().backward()
    >>> w.grad.tolist(), b.grad.tolist()
    ([[6.0], [15.0]], 3.0)
    """

    __slots__ = ()
    not_an_array = "this is a Tensor already; use it as it is, or .detach() for a constant copy"
    raw: Any
    _plural = "s"
    _in_place_of_math = "tinygraph.exp(x) or np.exp(x)"

    def _accepted(self, data: Any) -> Any:
        array = data if type(data) is _ndarray and data.dtype is _float64 else as_array(data, "Tensor")
        return array.copy() if type(array) is _ndarray and not self.constant else array

    # --- what it holds

    @property
    def data(self) -> Any:
        """The array. A leaf's can be replaced, or edited by `w.data -= ...`; graphs recorded before are then stale.

        Writing single entries (`w.data[0] = 1.0`) is not noticed. That of a computed node or a constant is
        read-only.
        """
        if (self.op is None and not self.constant) or type(self.raw) is not _ndarray:
            return self.raw
        view = self.raw.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, array: Any) -> None:
        if array is not self.raw:
            array = as_array(array, "data")
            if array.shape != self.raw.shape:
                raise ValueError(
                    f"data of {self.name or 'this Tensor'} has the shape {self.raw.shape}, the new array "
                    f"{array.shape}: make a new Tensor for another shape"
                )
            array = array.copy() if type(array) is _ndarray else array  # row by row, as a new Tensor: sums go by it
        self._edit(array)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.raw.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.raw.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.raw.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """float64."""
        return self.raw.dtype

    def item(self) -> float:
        """The number of a tensor with one entry.

        >>> Tensor([[2.0]]).item()
        2.0
        """
        return self.raw.item()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("a Tensor of shape () cannot be iterated over: it is one number, see .item()")
        return (self[i] for i in range(len(self)))

    # --- the chain rule

    @property
    def partials(self) -> tuple[Any, ...]:
        """The local derivative for each operand, computed when asked for; None where no gradient flows.

        For a row an array (or a number), for wiring an `Jacobian`.
        """
        return quietly(self._partials) if self.op is not None else ()

    def _partials(self) -> tuple[Any, ...]:
        op: Any = self.op
        numbers = self.numbers
        if isinstance(op, ArrayOp):
            return op.partials_at(self.raw, numbers, [local is not None for local in self.stored_partials])
        functions = op.resolve()[1:]
        return tuple(
            [
                None if flow is None else flow if type(flow) is _ndarray else function(self.raw, *numbers)
                for function, flow in zip(functions, self.stored_partials, strict=True)
            ]
        )

    def _seed(self, seed: Any, what: str = "seed") -> Any:
        if seed is None:
            if self.shape:
                raise ValueError(
                    f"{self.name or 'this Tensor'} has the shape {self.shape}, but a gradient is that of one number: "
                    "call backward on .sum() or .mean() of it, or give seed=, an array of its shape"
                )
            return np.array(1.0)
        array = as_array(seed, what)
        if array.shape != self.shape:
            raise ValueError(f"the {what} has the shape {array.shape}, but {self.name or 'the Tensor'} {self.shape}")
        return np.array(array) if type(array) is _ndarray else array

    def _gradient(self, adjoint: Any) -> Any:
        if adjoint is None:
            return np.zeros(self.shape)
        return np.array(adjoint) if isinstance(adjoint, (float, np.generic)) else adjoint

    def _units(self) -> Iterator[Any]:
        for i in range(self.size):
            unit = np.zeros(self.size)
            unit[i] = 1.0
            yield unit.reshape(self.shape)

    def _stacked(self, rows: list[Any], x: Node) -> Any:
        return np.array(rows).reshape((*self.shape, *np.shape(x.raw)))

    @staticmethod
    def _run(function: Callable[..., Any], *args: Any) -> Any:
        return quietly(function, *args)

    def _backpropagate(self, seed: Any, nodes: Sequence[Node] | None = None) -> Any:
        return quietly(backward.backward, self, seed, accumulate, nodes)

    # --- recording

    @staticmethod
    def _operator(op: Op, x: Any, y: Any) -> Any:
        if type(y) is float and type(x) is Tensor and op is not _pow:  # nothing to broadcast
            return _node(op, quietly((op.array_functions or op.resolve())[0], x.raw, y), x, y, True)
        if type(x) in _PLAIN and type(y) in _PLAIN and op is not _pow:  # no detour over the row
            return _record(op, x, y)
        if isinstance(y, (list, tuple)):  # no plain number, which a power takes for its exponent
            y = as_array(y, op.name)
        return op(x, y) if _is_operand(x) and _is_operand(y) else NotImplemented

    @staticmethod
    def _record(op: Op, x: Any, y: Any = None) -> Tensor:
        function = (op.array_functions or op.resolve())[0]
        if isinstance(x, Tensor):
            a = x.raw
            dx = None if type(x) is _Constant else True
        else:
            a = x = _operand(x, op.name)
            dx = None
        if y is None:
            return _node(op, quietly(function, a), x, None, dx, None)
        if isinstance(y, Tensor):
            b = y.raw
            dy = None if type(y) is _Constant else True
        else:
            b = y = _operand(y, op.name)
            dy = None
        if op.with_partial and dx and dy is None and type(a) is type(b) is _ndarray and a.shape == b.shape:
            data, dx = quietly(getattr(arrays, op.with_partial), a, b)
            return _node(op, data, x, y, dx, None)
        try:
            data = quietly(function, a, b)
        except ValueError:
            explain_shapes(op, x, y)
            raise
        shape = data.shape
        if graph.watch is not None and contexts.is_strict():
            check_traps(op, x, y, shape)
        if isinstance(x, Tensor) and a.shape != shape:
            x = _moved(array_ops.expand(shape), x)
        if isinstance(y, Tensor) and b.shape != shape:
            y = _moved(array_ops.expand(shape), y)
        return _node(op, data, x, y, dx, dy)

    @staticmethod
    def _record_lists(op: VariadicOp, *lists: Any) -> NoReturn:  # noqa: ARG004
        raise TypeError(f"{op.name} is for lists of Values; for Tensors take a @ b, or .sum()")

    @staticmethod
    def _record_array_op(op: ArrayOp, operands: Sequence[Any]) -> Tensor:
        if op.variadic:
            operands = tuple([x if isinstance(x, Tensor) else _operand(x, op.name) for x in operands])
            data = quietly(op.compute, *[x.raw if isinstance(x, Tensor) else x for x in operands])
            return _node(op, data, operands, tuple(map(_wanted, operands)), None, graph.MANY)
        if op.arity == 1:
            (x,) = operands
            return _node(op, quietly(op.compute, x.raw), x, None, None if type(x) is _Constant else True, None)
        x, y = operands
        a = x.raw if isinstance(x, Tensor) else (x := _operand(x, op.name))
        b = y.raw if isinstance(y, Tensor) else (y := _operand(y, op.name))
        try:
            data = quietly(op.compute, a, b)
        except ValueError:
            explain_shapes(op, x, y)
            raise
        return _node(op, data, x, y, _wanted(x), _wanted(y))

    def _recompute(self) -> None:
        op: Any = self.op
        numbers = self.numbers
        if type(self.x_partial) is _ndarray:
            data, self.x_partial = quietly(getattr(arrays, op.with_partial), *numbers)
        else:
            data = quietly(op.compute if isinstance(op, ArrayOp) else op.arrays, *numbers)
        self._write(data if type(data) is _ndarray else as_array(data, op.name))

    # --- wiring

    def sum(self, axis: Axis = None, keepdims: bool = False, **numpy: Any) -> Tensor:
        """The sum over all axes, one, or several.

        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).sum(axis=0)
        Tensor([4.0, 6.0], op='sum')
        """
        _no_more(numpy)
        return self._record_array_op(array_ops.sum_over(_axis(axis), keepdims), (self,))

    def mean(self, axis: Axis = None, keepdims: bool = False, **numpy: Any) -> Tensor:
        """The mean over all axes, one, or several.

        >>> Tensor([1.0, 2.0, 6.0]).mean()
        Tensor(3.0, op='mean')
        """
        _no_more(numpy)
        return self._record_array_op(array_ops.mean_over(_axis(axis), keepdims), (self,))

    def max(self, axis: Axis = None, keepdims: bool = False, **numpy: Any) -> Tensor:
        """The largest entry over all axes, one, or several; where k tie, each has 1/k of the slope."""
        return self._extreme("max", axis, keepdims, numpy)

    def min(self, axis: Axis = None, keepdims: bool = False, **numpy: Any) -> Tensor:
        """The smallest entry over all axes, one, or several; where k tie, each has 1/k of the slope."""
        return self._extreme("min", axis, keepdims, numpy)

    def _extreme(self, name: str, axis: Any, keepdims: bool, numpy: dict[str, Any]) -> Tensor:
        _no_more(numpy)
        if not self.size:
            raise ValueError(f"{name} of a Tensor of shape {self.shape}: there is no entry")
        return self._record_array_op(array_ops.extremum(name, _axis(axis), keepdims), (self,))

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order; without one, reversed.

        >>> Tensor([[1.0, 2.0]]).transpose().shape
        (2, 1)
        """
        natural = range(self.ndim)
        order = _listed(axes) or tuple(reversed(natural))
        try:
            found = tuple([natural[axis] for axis in order])
        except IndexError:
            found = order
        if sorted(found) != list(natural):
            raise ValueError(f"transpose of a Tensor of shape {self.shape}: {order} are not its axes in another order")
        return _moved(array_ops.transpose(found), self)

    @property
    def T(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """The axes reversed: the transpose of a matrix. Under `strict`, ValueError for a rank-1 array, which has none.

        >>> Tensor([[1.0, 2.0]]).T
        Tensor([[1.0], [2.0]], op='transpose')
        """
        if graph.watch is not None and self.ndim == 1 and contexts.is_strict():
            raise ValueError(
                f"strict: {self.name or 'this Tensor'} has the shape {self.shape}, a rank-1 array, of which .T is the "
                "same again: make it a column with .reshape(-1, 1)"
            )
        return _moved(array_ops.transpose(tuple(reversed(range(self.raw.ndim)))), self)

    def reshape(self, *shape: Any) -> Tensor:
        """The same entries in another shape, where one length may be -1.

        >>> Tensor([1.0, 2.0, 3.0, 4.0]).reshape(2, -1)
        Tensor([[1.0, 2.0], [3.0, 4.0]], op='reshape')
        """
        wanted = _listed(shape)
        try:
            found = self.raw.reshape(wanted).shape
        except ValueError:
            message = f"reshape: the {self.size} entries of shape {self.shape} do not make {wanted}"
            raise ValueError(message) from None
        return _moved(array_ops.reshape(found), self)

    def __getitem__(self, key: Any) -> Tensor:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, Tensor) for k in keys):
            raise TypeError("a Tensor is no index: take its .data, as integers")
        return _moved(array_ops.index(key), self)

    def __matmul__(self, other: Any) -> Tensor:
        return self._matmul(self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._matmul(other, self)  # type: ignore[no-any-return]

    @staticmethod
    def _matmul(x: Any, y: Any) -> Any:
        if not (_is_operand(x) and _is_operand(y)):
            return NotImplemented
        if not np.ndim(_number(x)) or not np.ndim(_number(y)):
            raise ValueError("matmul is for vectors and matrices: for a number, take *")
        return array_ops.matmul(x, y)

    # --- comparisons: arrays of bools

    def _compare(self, symbol: str, other: Any) -> Any:
        return COMPARISONS[symbol](self.raw, _number(other))

    __array__ = Operators._cut

    # --- NumPy

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Let `np.dot(w.T, X)`, `np.sum(t, axis=0)` and the like record."""
        ours = _FUNCTIONS.get(function.__name__)
        if ours is None:
            known = ", ".join(sorted(_FUNCTIONS))
            raise TypeError(f"np.{function.__name__} does not work on a Tensor. These do: {known}, and the ufuncs")
        return ours(*args, **options)

    # --- display

    def _shown(self) -> str:
        small = type(self.raw) is _ndarray and self.size <= _EDGE
        return repr(self.raw.tolist()) if small else f"shape={self.shape}"


class _Constant(Tensor, Constant):
    """A Tensor that no gradient flows to."""

    __slots__ = ()


Tensor.constant_class = _Constant

_record = Tensor._record
_PLAIN = (Tensor, _Constant, float, int, _ndarray)

# --- operands ---------------------------------------------------------------------------------------


def _operand(x: Any, op: str) -> Any:
    """A plain operand: a float, or an array."""
    if type(x) is float or (type(x) is _ndarray and x.dtype is _float64 and x.ndim):
        return x
    array = as_array(x, op)
    return float(array) if type(array) is _ndarray and not array.ndim else array


def _is_operand(x: Any) -> bool:
    return isinstance(x, (Node, float, int, list, tuple, str, bytes, complex, type(None))) or (
        not isinstance(x, array_ops.Jacobian) and (hasattr(x, "dtype") or hasattr(x, "as_integer_ratio"))
    )


def _number(x: Any) -> Any:
    return x.raw if isinstance(x, Tensor) else _operand(x, "a comparison")


def _wanted(x: Any) -> bool | None:
    return True if isinstance(x, Tensor) and type(x) is not _Constant else None


def _node(op: Op, data: Any, x: Any, y: Any, dx: Any, dy: Any = None) -> Tensor:
    constant = dx is None and (dy is None or (dy is graph.MANY and True not in y))
    out = _new(_Constant if constant else Tensor)
    if type(data) is not _ndarray:
        data = np.array(data) if type(data) is np.float64 else as_array(data, op.name)  # NumPy's scalars are 0-d here
    out.raw = data
    out.op = op
    out.x = x
    out.y = y
    out.x_partial = dx
    out.y_partial = dy
    out.grad = out.metadata = None
    out.awaited = 0
    out.version = graph.edits
    if graph.constant_edits:
        graph.check_constants(out)
    if graph.watch is not None:
        graph.watch(out)
    return out


def _moved(op: ArrayOp, x: Tensor) -> Tensor:
    """Record wiring that computes nothing, which NumPy has no warning about."""
    return _node(op, op.compute(x.raw), x, None, None if type(x) is _Constant else True)


def _listed(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Axes or lengths, whether they were given one by one or in one sequence."""
    if len(given) == 1:
        (only,) = given
        return tuple(only) if hasattr(only, "__iter__") else given
    return given


def _axis(axis: Any) -> Axis:
    if axis is None:
        return None
    return tuple(map(operator.index, axis)) if hasattr(axis, "__iter__") else operator.index(axis)


def _no_more(numpy: dict[str, Any]) -> None:
    """NumPy calls a method with dtype= and out= at their defaults; nothing else is understood."""
    for name, value in numpy.items():
        if value is not None and value is not np._NoValue:
            raise TypeError(f"{name}={value!r} is not understood here: axis and keepdims are")


# --- NumPy's functions ------------------------------------------------------------------------------


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Tensors and arrays one after the other along an axis.

    >>> concatenate([Tensor([1.0]), np.array([2.0, 3.0])])
    Tensor([1.0, 2.0, 3.0], op='concatenate')
    """
    return array_ops.concatenate(operator.index(axis))(*[_entry(x) for x in tensors])


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Tensors and arrays of one shape along a new axis.

    >>> stack([Tensor(1.0), Tensor(2.0)])
    Tensor([1.0, 2.0], op='stack')
    """
    return array_ops.stack(operator.index(axis))(*[_entry(x) for x in tensors])


def _entry(x: Any) -> Any:
    return x if isinstance(x, Tensor) else as_array(x, "concatenate")


def _dot(x: Any, y: Any) -> Any:
    if not hasattr(x, "ndim"):
        x = as_array(x, "dot")
    if not hasattr(y, "ndim"):
        y = as_array(y, "dot")
    return Tensor._record_array_op(array_ops.matmul, (x, y)) if x.ndim and y.ndim else x * y


def _of_numbers(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: compare(_number(x), _number(y))


Tensor._ufuncs = {
    **{name: _of_numbers(f) if f in COMPARISONS.values() else f for name, f in UFUNCS.items()},
    "matmul": Tensor._matmul,
}


def _function(name: str) -> Callable[..., Any]:
    return lambda x, *args, **options: getattr(x, name)(*args, **options)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _function(name) for name in ("sum", "mean", "max", "min", "transpose", "reshape")},
    "amax": _function("max"),
    "amin": _function("min"),
    "dot": _dot,
    "concatenate": concatenate,
    "stack": stack,
    "broadcast_to": lambda x, shape: array_ops.expand(tuple(np.atleast_1d(shape).tolist()))(x),
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.size,
}
