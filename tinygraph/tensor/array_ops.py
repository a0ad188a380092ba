"""ArrayOp: ops that move and gather numbers, each with an adjoint that is made of wiring.

A tensor's arithmetic is the table of `ops`, entry by entry; what goes between entries is here. The
slope of wiring is no number but a linear map, an `Jacobian`: `upstream * slope` pulls a gradient back
through it, `slope * tangent` pushes a tangent forward, so the chain rule need not know of shapes.

Like rows, wiring is called on arrays, which it computes, and on tensors, which it records; so the
adjoints give arrays or the graph of the derivative, whatever they are fed. Letters are those of the
table, with `up` for the upstream gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.op import Op, Traced
from tinygraph.engine.variadic import cut_short
from tinygraph.kernels.arrays import add_up, quietly

_ndarray, _float64 = np.ndarray, np.dtype(np.float64)
Shape = tuple[int, ...]


class TracedArray(Traced):
    """An operand that records array ops: the base class of Tensor."""

    __slots__ = ()

    @staticmethod
    def _record_array_op(op: ArrayOp, operands: Sequence[Any]) -> Any:
        """Record an array op on these operands."""
        raise NotImplementedError


class ArrayOp(Op):
    """An op on whole arrays; `dx` and `dy` pull a gradient back: functions of (up, out, x) or (up, out, x, y).

    `note` says what the adjoint does, in the lecture's NumPy, one text for each operand. It is linear in each
    operand, so a tangent is pushed forward by the op itself, unless `push` says otherwise.

    >>> reshape((3, 1))(np.array([1.0, 2.0, 3.0])).shape
    (3, 1)
    """

    __slots__ = ("compute", "jvp_function", "note", "vjps")
    elementwise = False

    def __init__(
        self,
        name: str,
        compute: Callable[..., Any],
        *,
        vjps: tuple[Callable[..., Any], ...],
        note: Sequence[str] = (),
        symbol: str = "",
        jvp: Callable[..., Any] | None = None,
        maker: Callable[..., Op],
        parameters: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(
            name, compute, partials=vjps, symbol=symbol or f"{name}({{}})", maker=maker, parameters=parameters
        )
        self.linear = len(vjps) == 1 and jvp is None
        self.compute, self.vjps, self.note, self.jvp_function = compute, vjps, note, jvp

    def __call__(self, *operands: Any) -> Any:
        """Compute on arrays; let the first tensor among the operands record."""
        for operand in operands:
            if type(operand) is not _ndarray and isinstance(operand, TracedArray):
                return operand._record_array_op(self, operands)
        return quietly(self.compute, *operands)

    def partials_at(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """An adjoint for each operand that is wanted."""
        return tuple([Jacobian(self, slot, out, operands) if want else None for slot, want in enumerate(wanted)])

    def vjp(self, slot: int, up: Any, out: Any, operands: Sequence[Any]) -> Any:
        """The gradient of operand number `slot`, given that of the result."""
        return self.vjps[slot](up, out, *operands)

    def jvp(self, slot: int, tangent: Any, out: Any, operands: Sequence[Any]) -> Any:
        """How the result moves when operand number `slot` moves along the tangent."""
        if self.jvp_function is not None:
            return self.jvp_function(tangent, out, *operands)
        return self(*[tangent if k == slot else operand for k, operand in enumerate(operands)])

    def __repr__(self) -> str:
        return f"<wiring {self.text(*'xy'[: self.arity])}>"


class JoinOp(ArrayOp):
    """Wiring of any number of operands; `dx` is a function of (up, slot, operands)."""

    __slots__ = ()
    variadic = True

    def vjp(self, slot: int, up: Any, out: Any, operands: Sequence[Any]) -> Any:
        """The part of the gradient that belongs to operand number `slot`."""
        return self.vjps[0](up, slot, operands)

    def jvp(self, slot: int, tangent: Any, out: Any, operands: Sequence[Any]) -> Any:
        """The tangent at its place, and zeros at that of the others."""
        return self(*[tangent if k == slot else np.zeros(np.shape(x)) for k, x in enumerate(operands)])

    def text(self, *operands: str) -> str:
        """The op written out, a long list cut short."""
        return f"{self.name}([{', '.join(cut_short(operands, 3))}])"


class Jacobian:
    """The slope of wiring, a linear map: it is multiplied from the left by a gradient, from the right by a tangent.

    >>> down = sum_over(None).partials_at(None, (np.zeros((2, 2)),), [True])[0]
    >>> np.array(3.0) * down
    array([[3., 3.],
           [3., 3.]])
    >>> down * np.array([[1.0, 2.0], [3.0, 4.0]])
    np.float64(10.0)
    """

    __slots__ = ("op", "operands", "out", "slot")
    __array_ufunc__ = None  # so that an array leaves the product to us

    def __init__(self, op: ArrayOp, slot: int, out: Any, operands: Sequence[Any]) -> None:
        self.op, self.slot, self.out, self.operands = op, slot, out, operands

    def __rmul__(self, upstream: Any) -> Any:
        return quietly(self.op.vjp, self.slot, upstream, self.out, self.operands)

    def __mul__(self, tangent: Any) -> Any:
        return quietly(self.op.jvp, self.slot, tangent, self.out, self.operands)

    def __repr__(self) -> str:
        return f"<adjoint of {self.op.name}: {self.text()}>"

    def text(self, *names: str) -> str:
        """What it does to the upstream gradient, in NumPy, for operands of these names: "@ X.T"."""
        note = self.op.note[min(self.slot, len(self.op.note) - 1)] if self.op.note else self.op.name
        return note.format(*(names or "xy"), slot=self.slot, shape=np.shape(self.operands[self.slot]))


# --- shapes -----------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def expand(shape: Shape) -> ArrayOp:
    """Broadcasting: repeat the entries along axes that are new or have length 1.

    >>> expand((2, 3))(np.array([1.0, 2.0, 3.0]))
    array([[1., 2., 3.],
           [1., 2., 3.]])
    """
    return ArrayOp(
        "expand",
        lambda x: _broadcast(x, shape),
        symbol=f"expand({{}}, {shape})",
        vjps=(lambda up, out, x: _sum_to(up, x.shape) if type(up) is _ndarray else sum_to(x.shape)(up),),
        note=("summed to {shape}",),
        maker=expand,
        parameters=(shape,),
    )


def _broadcast(x: Any, shape: Shape) -> Any:
    """`np.broadcast_to`, which takes 8 µs; one number seen everywhere takes 1, a short array of it written out 2."""
    if type(x) is _ndarray and x.size == 1:
        return _ndarray(shape, _float64, x, 0, (0,) * len(shape))
    if type(x) is float and math.prod(shape) <= 4096:  # a gradient, with which is multiplied next
        out = np.empty(shape)
        out.fill(x)
        return out
    return np.broadcast_to(x, shape)


@lru_cache(maxsize=1024)
def sum_to(shape: Shape) -> ArrayOp:
    """The adjoint of `expand`: sum over what was repeated.

    >>> sum_to((3,))(np.ones((2, 3)))
    array([2., 2., 2.])
    """
    return ArrayOp(
        "sum_to",
        lambda x: _sum_to(x, shape),
        symbol=f"sum_to({{}}, {shape})",
        vjps=(lambda up, out, x: expand(x.shape)(up),),
        note=("expanded to {shape}",),
        maker=sum_to,
        parameters=(shape,),
    )


def repeated_axes(wide: Shape, narrow: Shape) -> Shape:
    """The axes along which broadcasting repeats an array of the narrow shape to make one of the wide shape.

    >>> repeated_axes((4, 2, 3), (2, 1))
    (0, 2)
    """
    new = len(wide) - len(narrow)
    return tuple([i for i, n in enumerate(wide) if i < new or (narrow[i - new] == 1 and n != 1)])


def _sum_to(x: Any, shape: Shape) -> Any:
    new = x.ndim - len(shape)
    if not new and math.prod(shape) == 1:
        return add_up(x, None, True)
    repeated = repeated_axes(x.shape, shape)
    if not repeated:
        return x
    return add_up(x, repeated, True) if not new else add_up(x, repeated, True).reshape(shape)


@lru_cache(maxsize=1024)
def reshape(shape: Shape) -> ArrayOp:
    """The same entries in another shape.

    >>> reshape((2, 2))(np.array([1.0, 2.0, 3.0, 4.0]))
    array([[1., 2.],
           [3., 4.]])
    """
    return ArrayOp(
        "reshape",
        lambda x: x.reshape(shape),
        symbol=f"reshape({{}}, {shape})",
        vjps=(lambda up, out, x: reshape(x.shape)(up),),
        note=("reshaped to {shape}",),
        maker=reshape,
        parameters=(shape,),
    )


@lru_cache(maxsize=256)
def transpose(axes: Shape) -> ArrayOp:
    """The axes in another order.

    >>> transpose((1, 0))(np.zeros((2, 3))).shape
    (3, 2)
    """
    back = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    plain = axes == tuple(range(len(axes)))[::-1]
    return ArrayOp(
        "transpose",
        lambda x: x.transpose(axes),
        symbol="{}.T" if plain else f"transpose({{}}, {axes})",
        vjps=(lambda up, out, x: up.transpose(back) if type(up) is _ndarray else transpose(back)(up),),
        note=(".T" if plain else f"transpose(·, {back})",),
        maker=transpose,
        parameters=(axes,),
    )


def _swap(x: Any) -> Any:
    """The last two axes exchanged."""
    if type(x) is _ndarray:
        return x.swapaxes(-1, -2)
    return transpose((*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))(x)


# --- picking out, putting together ------------------------------------------------------------------


def index(key: Any) -> ArrayOp:
    """The entries at an index, as NumPy reads it: a number, a slice, a list, a mask, or a tuple of these.

    >>> index((slice(None), 0))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 3.])
    """
    return ArrayOp(
        "index",
        lambda x: x[key],
        symbol=f"{{}}[{_key(key)}]",
        vjps=(lambda up, out, x: scatter_add(key, x.shape)(up),),
        note=(f"put at [{_key(key)}] of zeros",),
        maker=index,
        parameters=(key,),
    )


def scatter_add(key: Any, shape: Shape) -> ArrayOp:
    """The adjoint of `index`: zeros of this shape, with the entries added at the index.

    >>> scatter_add([0, 0, 2], (3,))(np.array([1.0, 2.0, 3.0]))
    array([3., 0., 3.])
    """

    def compute(x: Any) -> Any:
        out = np.zeros(shape)
        np.add.at(out, key, x)  # an index may name an entry twice
        return out

    return ArrayOp(
        "scatter_add", compute, vjps=(lambda up, out, x: index(key)(up),), maker=scatter_add, parameters=(key, shape)
    )


def _key(key: Any) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_key, key))
    if isinstance(key, slice):
        ends = [("" if end is None else str(end)) for end in (key.start, key.stop)]
        return ":".join([*ends, str(key.step)] if key.step is not None else ends)
    return "..." if key is ... else "mask" if getattr(key, "dtype", None) is np.dtype(bool) else str(key)


@lru_cache(maxsize=64)
def concatenate(axis: int) -> JoinOp:
    """Arrays one after the other along an axis.

    >>> concatenate(0)(np.array([1.0]), np.array([2.0, 3.0]))
    array([1., 2., 3.])
    """

    def pull(up: Any, slot: int, operands: Sequence[Any]) -> Any:
        start = sum(x.shape[axis] for x in operands[:slot])
        key = [slice(None)] * up.ndim
        key[axis] = slice(start, start + operands[slot].shape[axis])
        return index(tuple(key))(up)

    return JoinOp(
        "concatenate",
        lambda *xs: np.concatenate(xs, axis=axis),
        vjps=(pull,),
        note=("part {slot}",),
        maker=concatenate,
        parameters=(axis,),
    )


@lru_cache(maxsize=64)
def stack(axis: int) -> JoinOp:
    """Arrays of one shape along a new axis.

    >>> stack(0)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[1., 2.],
           [3., 4.]])
    """

    def pull(up: Any, slot: int, operands: Sequence[Any]) -> Any:
        key: list[Any] = [slice(None)] * up.ndim
        key[axis] = slot
        return index(tuple(key))(up)

    return JoinOp(
        "stack",
        lambda *xs: np.stack(xs, axis=axis),
        vjps=(pull,),
        note=("part {slot}",),
        maker=stack,
        parameters=(axis,),
    )


# --- sums, products, extremes -----------------------------------------------------------------------

Axis = int | tuple[int, ...] | None


@lru_cache(maxsize=256)
def sum_over(axis: Axis, keepdims: bool = False) -> ArrayOp:
    """The sum over all axes (None), one, or several.

    >>> sum_over(0)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    return ArrayOp(
        "sum",
        lambda x: add_up(x, axis, keepdims),
        symbol=_over("sum", axis),
        vjps=(lambda up, out, x: _spread(up, x, axis),),
        note=("expanded to {shape}",),
        maker=sum_over,
        parameters=(axis, keepdims),
    )


@lru_cache(maxsize=256)
def mean_over(axis: Axis, keepdims: bool = False) -> ArrayOp:
    """The mean over all axes (None), one, or several; nan where there is no entry.

    >>> mean_over(0)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2., 3.])
    """

    def compute(x: Any) -> Any:
        total = add_up(x, axis, keepdims)
        return total / _entries(x, total)

    def dx(up: Any, out: Any, x: Any) -> Any:
        if axis is None and type(up) is _ndarray:  # dividing a float takes 0.1 µs, an array of one 1.6
            return _broadcast(up.item() / (x.size or math.nan), x.shape)
        return _spread(up / _entries(x, out), x, axis)

    return ArrayOp(
        "mean",
        compute,
        symbol=_over("mean", axis),
        vjps=(dx,),
        note=("expanded to {shape}, divided by their number",),
        maker=mean_over,
        parameters=(axis, keepdims),
    )


def _entries(x: Any, out: Any) -> Any:
    """How many entries of x went into each of the result."""
    return x.size / max(out.size, 1) or math.nan


def _over(name: str, axis: Axis) -> str:
    return f"{name}({{}})" if axis is None else f"{name}({{}}, axis={axis})"


def _spread(x: Any, like: Any, axis: Axis) -> Any:
    """What was reduced over the axis, back in the shape it had."""
    if axis is None and type(x) is _ndarray:
        return _broadcast(x.item(), like.shape)
    if axis is not None and like.ndim:  # NumPy lets one number have an axis 0
        axes = [a % like.ndim for a in ((axis,) if isinstance(axis, int) else axis)]
        column = tuple(1 if i in axes else n for i, n in enumerate(like.shape))
        x = reshape(column)(x) if x.shape != column else x
    elif x.ndim and x.shape != like.shape:
        x = reshape(())(x)
    return expand(like.shape)(x) if x.shape != like.shape else x


def _matmul_dx(up: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return _product(up, _swap(y))
    if y.ndim == 1:
        return up * y if x.ndim == 1 else matmul(_last(up), reshape((1, y.size))(y))
    if x.ndim == 1:
        return matmul(y, up) if y.ndim == 2 else sum_to(x.shape)(_row(matmul(y, _last(up))))
    return _collapsed(matmul(up, _swap(y)), x.shape)


def _matmul_dy(up: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return _product(_swap(x), up)
    if x.ndim == 1:
        return (
            up * x if y.ndim == 1 else matmul(reshape((x.size, 1))(x), reshape((*up.shape[:-1], 1, up.shape[-1]))(up))
        )
    if y.ndim == 1:
        rows = math.prod(x.shape[:-1])
        return matmul(_swap(reshape((rows, y.size))(x)), reshape((rows,))(up))
    return _collapsed(matmul(_swap(x), up), y.shape)


def _product(x: Any, y: Any) -> Any:
    return np.matmul(x, y) if type(x) is type(y) is _ndarray else matmul(x, y)


def _last(x: Any) -> Any:
    return reshape((*x.shape, 1))(x)


def _row(x: Any) -> Any:
    return reshape(x.shape[:-1])(x)


def _collapsed(x: Any, shape: Shape) -> Any:
    return sum_to(shape)(x) if x.shape != shape else x


def _the_matmul() -> ArrayOp:
    return matmul


matmul: ArrayOp = ArrayOp(
    "matmul",
    np.matmul,
    symbol="@",
    vjps=(_matmul_dx, _matmul_dy),
    note=("· @ {1}.T", "{0}.T @ ·"),
    maker=_the_matmul,
    parameters=(),
)


@lru_cache(maxsize=256)
def extremum(name: str, axis: Axis, keepdims: bool = False) -> ArrayOp:
    """The largest ("max") or smallest ("min") entry along the axis; its slope is the indicator of where it stands.

    >>> extremum("max", 1)(np.array([[1.0, 2.0], [4.0, 3.0]]))
    array([2., 4.])
    """
    reduce = {"max": np.max, "min": np.min}[name]
    return ArrayOp(
        name,
        lambda x: reduce(x, axis=axis, keepdims=keepdims),
        symbol=_over(name, axis),
        vjps=(lambda up, out, x: _spread(up, x, axis) * indicator(name, axis)(x),),
        jvp=lambda tangent, out, x: sum_over(axis, keepdims)(tangent * indicator(name, axis)(x)),
        note=(f"· where {{0}} is its {name}",),
        maker=extremum,
        parameters=(name, axis, keepdims),
    )


@lru_cache(maxsize=256)
def indicator(name: str, axis: Axis) -> ArrayOp:
    """1 where the extreme entry stands and 0 elsewhere; k equal ones have 1/k each. Its own slope is 0.

    >>> indicator("max", None)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    find = extremum(name, axis, True).compute

    def compute(x: Any) -> Any:
        best = np.where(x == find(x), 1.0, ops.flat.arrays(x))
        return best / np.sum(best, axis=axis, keepdims=True)

    return ArrayOp(
        "indicator",
        compute,
        symbol=f"({{0}} == {_over(name, axis).format('{0}')})",
        vjps=(lambda up, out, x: up * ops.flat(x),),
        jvp=lambda tangent, out, x: tangent * ops.flat(x),
        maker=indicator,
        parameters=(name, axis),
    )
