"""Tensor: a graph of arrays, recorded by NumPy code.

A graph of Tensors is like a graph of Values, except that each node's value is an array. It uses the same elementwise
ops, and adds the array ops of `array_ops`. Broadcasting is an array op too (`expand`), and appears as a node in the
graph. So every gradient has the shape of its node's data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from tinygraph.engine import backward, contexts, graph, ops
from tinygraph.engine.acceleration import untracked
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node
from tinygraph.engine.logits import ActivationOp, LogitPair, plain
from tinygraph.engine.op import Op
from tinygraph.engine.operators import Operators
from tinygraph.engine.recording import node
from tinygraph.engine.variadic import VariadicOp
from tinygraph.kernels import arrays
from tinygraph.kernels.arrays import Array, as_array, read_only
from tinygraph.kernels.layouts import Owned, Strided
from tinygraph.kernels.numbers import plain_number
from tinygraph.kernels.quiet import calm, quietly
from tinygraph.kernels.scalars import scalars
from tinygraph.support.loading import loaded
from tinygraph.support.naming import own_methods, renamed
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.backward import accumulate
from tinygraph.tensor.broadcasting import check_traps, explain_shapes
from tinygraph.tensor.fingerprints import Exposure, Fingerprints, Watched, expose, fingerprints
from tinygraph.tensor.functions.elementwise import where_of_tensors
from tinygraph.tensor.numpy_protocol import TENSOR_UFUNCS, ArrayMethods
from tinygraph.tensor.operands import compare, is_operand, new_data, plain_operand
from tinygraph.tensor.shapes import expand

_ndarray, _float64 = np.ndarray, np.dtype(np.float64)
_EDGE = 6  # the repr shows all elements of an array with at most this many elements


def _infix(op: Op, name: str) -> tuple[Callable[[Tensor, Any], Tensor], Callable[[Tensor, Any], Tensor]]:
    """Return an operator's two methods. A float has nothing to broadcast, so its case is recorded directly."""

    def left(self: Tensor, other: Any) -> Tensor:
        if type(other) is not float or self.is_constant:
            return self._operator(op, self, other)  # type: ignore[no-any-return]
        if self.watched is not None:
            self._notice()
        now = clock.edits  # here and below, read before the operands: see `clock`
        raw = self.raw
        number = scalars[other] if type(raw) is _ndarray else other
        kernel = (op.array_functions or op.resolve())[0]
        try:
            data = calm(kernel, raw, number)
        except RuntimeError:  # `calm` is running already, for example in another thread
            data = quietly(kernel, raw, number)
        if type(data) is not _ndarray or clock.constant_edits or clock.watch is not None:
            return _node(op, data, now, self, other, True)
        out: Any = node(op, data, self, other, True, None, now, Tensor)  # like `_node`: a call would take 7% longer
        out.watched = None
        return out  # type: ignore[no-any-return]

    def right(self: Tensor, other: Any) -> Tensor:
        return self._operator(op, other, self)  # type: ignore[no-any-return]

    return renamed(left, f"__{name}__", "Tensor"), renamed(right, f"__r{name}__", "Tensor")


@loaded
@untracked
class Tensor(Watched, Operators, ArrayMethods):
    """An array that records how it was computed.

    Args:
        data: Value of the node: an array of real numbers, or anything that NumPy converts to such an array. The
            Tensor keeps a float64 copy. A constant keeps the array itself.
        name: Name of the node in diagrams and text output. Defaults to "".
        constant: If true, no gradient is computed for the node. Defaults to false.

    Raises:
        TypeError: If `data` is not an array of real numbers. The message shows what to do.

    Examples:
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
    not_a_number = not_an_array = "this is already a Tensor: use it directly, or call .detach() for a constant copy"
    not_an_element = (
        "the elements are Tensors, but an array contains numbers: join them with tinygraph.stack([t, u]) or "
        "tinygraph.concatenate([t, u])"
    )
    raw: Any
    _wanted = "an array"
    _plural = "s"
    _in_place_of_assignment = "collect the Tensors in a list, and call np.stack"
    _in_place_of_math = "tinygraph.exp(x) or np.exp(x)"
    __pandas_priority__ = 5000  # more than a DataFrame's, so that pandas lets a Tensor decide

    def _accepted(self, data: object) -> Array:
        self.watched = None
        array = data if type(data) is _ndarray and data.dtype is _float64 else as_array(data, "Tensor")
        if type(array) is not _ndarray or self.constant:
            return array
        converted = type(data) is _ndarray and data.dtype.kind in "biuf" and data.dtype != _float64
        return array if converted else array.copy()  # a conversion has already made a copy

    @staticmethod
    def _ufuncs() -> dict[str, Callable[..., Any]]:
        return TENSOR_UFUNCS

    @property
    def data(self) -> Any:
        """The array. You can replace the array of a leaf, or edit it in place (`w.data -= ...`, `w.data[0] = 1.0`).

        Graphs that already contain the leaf then become stale. The array of a computed node or constant is read-only.
        """
        if self.op is None and not self.constant and type(self.raw) is _ndarray:
            return expose(self)
        return read_only(self.raw)

    @data.setter
    def data(self, array: object) -> None:
        if type(self.watched) is Exposure and self.watched.assigned(array, self.raw.shape):  # `w.data -= ...`
            array = self.raw
        elif array is not self.raw:
            array = new_data(array, self.raw.shape, self.name or "this Tensor")
            self.watched = None
        graph.edit(self, array)

    def _snapshot(self) -> Array:
        # The array of a computed node can be a view of a leaf's array.
        editable = type(self.raw) is _ndarray and not self.constant and (self.op is None or self.raw.base is not None)
        return self.raw.copy() if editable else self.raw  # type: ignore[no-any-return]

    def _portable(self) -> Any:
        if type(self.raw) is not _ndarray:
            return self.raw
        if self.op is None:
            return self.raw if self.constant else Owned(self.raw)  # a constant shares the array that you passed
        return self.raw if self.raw.flags.forc else Strided(self.raw)

    def item(self) -> float:
        """Return the only element of this Tensor as a float.

        Examples:
            >>> Tensor([[2.0]]).item()
            2.0
        """
        return self.raw.item()  # type: ignore[no-any-return]

    # --- the chain rule

    @property
    def partials(self) -> tuple[Any, ...]:
        """The local derivative for each operand, or None where no gradient flows.

        Local derivatives are computed on access. They are arrays or numbers for an elementwise op, and objects of type
        `Jacobian` for an array op.
        """
        return tuple([read_only(plain(local)) for local in self.multipliers])

    @property
    def multipliers(self) -> tuple[Any, ...]:
        """The local derivatives as the chain rule uses them: like `partials`, but with each `LogitPair`."""
        if self.op is None:
            return ()
        found = quietly(self._partials)
        return tuple([x.through(read_only) if type(x) is LogitPair else read_only(x) for x in found])

    def _partials(self) -> tuple[Any, ...]:
        assert self.op is not None
        stored = self.stored_partials
        wanted = [local is True for local in stored]
        found = self.op.pairs_at(self.raw, self.args, wanted) if type(self.op) is ActivationOp else None
        found = found or self.op.array_partials(self.raw, self.numbers, wanted)
        return tuple([new if local is True else local for new, local in zip(found, stored, strict=True)])

    def _seed(self, seed: object, what: str = "seed") -> Array:
        if seed is None:
            if self.shape:
                raise ValueError(
                    f"backward() needs a scalar, but {self.name or 'this Tensor'} has shape {self.shape}: "
                    f"call .sum() or .mean() first, or pass {what}= with shape {self.shape}"
                )
            return np.array(1.0)
        array = as_array(seed, what)
        if array.shape != self.shape:
            raise ValueError(
                f"the {what} has shape {array.shape}, but {self.name or 'the Tensor'} has shape {self.shape}"
            )
        return np.array(array) if type(array) is _ndarray else array

    def _set_grad(self, gradient: object) -> None:
        array = type(gradient) is _ndarray and not gradient.shape
        if array or isinstance(gradient, (int, float, np.generic)) or hasattr(gradient, "as_integer_ratio"):
            gradient = np.full(self.shape, plain_number(gradient, "grad"))  # `w.grad = 0` sets all elements
        super()._set_grad(gradient)

    def _gradient(self, adjoint: Any) -> Array:
        if adjoint is None:
            return np.zeros(self.shape)
        return np.array(adjoint) if isinstance(adjoint, (float, np.generic)) else adjoint

    def _units(self) -> Iterator[Array]:
        for i in range(self.size):
            unit = np.zeros(self.size)
            unit[i] = 1.0
            yield unit.reshape(self.shape)

    def _stacked(self, rows: list[Array], x: Node) -> Array:
        return np.array(rows).reshape((*self.shape, *np.shape(x.raw)))

    @staticmethod
    def _run(function: Callable[..., Any], *args: Any) -> Any:
        return quietly(function, *args)

    def _backpropagate(self, seed: Array) -> None:
        quietly(backward.backward, self, seed, accumulate)

    # --- recording

    __add__, __radd__ = _infix(ops.add, "add")
    __sub__, __rsub__ = _infix(ops.sub, "sub")
    __mul__, __rmul__ = _infix(ops.mul, "mul")
    __truediv__, __rtruediv__ = _infix(ops.div, "truediv")

    @staticmethod
    def _operator(op: Op, x: Any, y: Any) -> Any:
        if op.with_plain is None and type(x) in _PLAIN and type(y) in _PLAIN:  # recorded without calling the op
            return _record(op, x, y)
        if y is None or isinstance(y, (list, tuple)):  # neither is the plain exponent of a power
            y = as_array(y, op.name)
        return op(x, y) if is_operand(x) and is_operand(y) else NotImplemented

    @staticmethod
    def _record(op: Op, x: Any, y: Any = None) -> Tensor:
        now = clock.edits
        function = (op.array_functions or op.resolve())[0]
        if isinstance(x, Tensor):
            if x.watched is not None and x._notice():
                return _record(op, x, y)  # with the time after the edit
            a = x.raw
            dx = None if x.is_constant else True
        else:
            a = x = plain_operand(x, op.name)
            dx = None
        if y is None:
            return _node(op, quietly(function, a), now, x, None, dx, None, None if dx else fingerprints(x))
        if isinstance(y, Tensor):
            if y.watched is not None and y._notice():
                return _record(op, x, y)
            b = y.raw
            dy = None if y.is_constant else True
        else:
            b = y = plain_operand(y, op.name)
            dy = None
        if op.with_partial and dx and dy is None and type(a) is type(b) is _ndarray and a.shape == b.shape:
            data, dx = quietly(getattr(arrays, op.with_partial), a, b)
            return _node(op, data, now, x, y, dx, None, fingerprints(y))
        try:
            data = quietly(function, a, b)
        except ValueError:
            explain_shapes(op, x, y)
            raise
        shape = data.shape
        if clock.watch is not None and contexts.is_strict():
            check_traps(op, x, y, shape)
        if isinstance(x, Tensor) and a.shape != shape:
            x = x._record_view(expand(shape))
        if isinstance(y, Tensor) and b.shape != shape:
            y = y._record_view(expand(shape))
        return _node(op, data, now, x, y, dx, dy, None if dx and dy else fingerprints(x, y))

    @staticmethod
    def _record_activation(op: ActivationOp, x: Any, y: Any = None) -> Tensor:
        if isinstance(y, Tensor):
            y._notice()
        now = clock.edits
        dx = _wanted(x)
        if y is None:
            return _node(op, quietly(op.value_at, (x,)), now, x, None, dx, None, fingerprints(*op.read_at((x,))))
        y = y if isinstance(y, Tensor) else plain_operand(y, op.name)
        shape = np.shape(y.raw if isinstance(y, Tensor) else y)
        try:
            shape = np.broadcast_shapes(x.shape, shape) if shape != x.shape else shape
        except ValueError:
            explain_shapes(op, x, y)
            raise
        if clock.watch is not None and contexts.is_strict():
            check_traps(op, x, y, shape)
        if shape != x.shape:
            x = x._record_view(expand(shape))
        if isinstance(y, Tensor) and shape != y.shape:
            y = y._record_view(expand(shape))
        known = fingerprints(*op.read_at((x, y)))
        return _node(op, quietly(op.value_at, (x, y)), now, x, y, dx, _wanted(y), known)

    @staticmethod
    def _record_lists(op: VariadicOp, *lists: object) -> NoReturn:  # noqa: ARG004
        raise TypeError(
            f"{op.name} needs lists of Values; for Tensors, use a @ b, t.sum() or stack([t, u]).sum(axis=0)"
        )

    @staticmethod
    def _record_array_op(op: ArrayOp, operands: Sequence[Any]) -> Tensor:
        now = clock.edits
        if op.variadic:
            return _record_join(op, operands)
        x, y = operands if op.arity == 2 else (*operands, None)
        if isinstance(x, Tensor):
            if x.watched is not None and x._notice():
                return _record_array_op(op, operands)
            a = x.raw
            dx = None if x.is_constant else True
        else:
            a = x = plain_operand(x, op.name)
            dx = None
        if y is None:
            return _node(op, quietly(op.compute, a), now, x, None, dx, None, None if dx else fingerprints(x))
        if isinstance(y, Tensor):
            if y.watched is not None and y._notice():
                return _record_array_op(op, operands)
            b = y.raw
            dy = None if y.is_constant else True
        else:
            b = y = plain_operand(y, op.name)
            dy = None
        try:
            data = quietly(op.compute, a, b)
        except ValueError:
            if op.explain is not None:
                op.explain(x, y)
            raise
        return _node(op, data, now, x, y, dx, dy, None if dx and dy else fingerprints(x, y))

    def _record_view(self, op: ArrayOp) -> Tensor:
        if self.watched is not None:
            self._notice()
        now = clock.edits
        data = op.compute(self.raw)
        if self.is_constant:
            copied = getattr(data, "base", None) is None  # a view shows the edited array itself
            return _node(op, data, now, self, None, None, None, fingerprints(self) if copied else None)
        return _node(op, data, now, self, None, True)

    def _recompute(self) -> None:
        assert self.op is not None
        if self.watched is not None:
            self._renew()
        if type(self.x_partial) is _ndarray:
            data, self.x_partial = quietly(getattr(arrays, self.op.with_partial), *self.numbers)
        else:
            found = quietly(self.op.value_at, self.args) if type(self.op) is ActivationOp else None
            data = quietly(self.op.arrays, *self.numbers) if found is None else found
        graph.write(self, data if type(data) is _ndarray else as_array(data, self.op.name))

    @classmethod
    def _select(cls, condition: object, x: object, y: object) -> Any:
        return where_of_tensors(condition, x, y)

    # --- comparisons and display

    @staticmethod
    def _is_data(other: object) -> bool:
        return isinstance(other, (list, tuple)) or Operators._is_data(other)

    def _compare(self, symbol: str, other: object) -> Any:
        return compare(symbol, self, other)

    def __array__(self, *_: object, **__: object) -> NoReturn:
        # A list of Tensors, an assignment to an array, and pandas, which decides alone about its @, end here.
        raise TypeError(
            "a Tensor cannot be converted to an array, because that would cut the graph: use t.data for the numbers. "
            "To join a list of Tensors, call np.stack or np.concatenate first, as in np.sum(np.stack([t, u])); for a "
            "DataFrame, write df.to_numpy() @ t"
        )

    def _shown(self) -> str:
        small = type(self.raw) is _ndarray and self.size <= _EDGE
        return repr(self.raw.tolist()) if small else f"shape={self.shape}"


Tensor.family = Tensor
own_methods(Tensor)

_record, _record_array_op = Tensor._record, Tensor._record_array_op
_PLAIN = (Tensor, float, int, _ndarray)


def _wanted(x: object) -> bool | None:
    return True if isinstance(x, Tensor) and not x.is_constant else None


def _record_join(op: ArrayOp, operands: Sequence[Any]) -> Tensor:
    """Return the node for an array op with any number of operands."""
    for x in operands:
        if isinstance(x, Tensor) and x.watched is not None:
            x._notice()
    now = clock.edits
    operands = tuple([x if isinstance(x, Tensor) else plain_operand(x, op.name) for x in operands])
    data = quietly(op.compute, *[x.raw if isinstance(x, Tensor) else x for x in operands])
    wanted = tuple(map(_wanted, operands))
    known = fingerprints(*operands) if None in wanted else None
    return _node(op, data, now, operands, wanted, None, graph.MANY, known)


def _node(
    op: Op, data: Any, now: int, x: object, y: Any, dx: object, dy: object = None, known: Fingerprints | None = None
) -> Tensor:
    """Return the node for an op."""
    if type(data) is not _ndarray:
        data = np.array(data) if type(data) is np.float64 else as_array(data, op.name)  # a node stores no NumPy scalars
    out: Tensor = node(op, data, x, y, dx, dy, now, Tensor)  # type: ignore[assignment]  # the class is an argument
    out.watched = known
    if dx is None and (dy is None or (dy is graph.MANY and True not in y)):
        out.is_constant = True
    if clock.constant_edits:
        graph.check_constants(out)
    if clock.watch is not None:
        clock.watch(out)
    return out
