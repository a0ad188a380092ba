"""Array ops: ops on whole arrays, with pullbacks that also consist of array ops.

A Tensor's arithmetic uses the elementwise ops of `ops`. The ops that move, select or combine elements are in `shapes`,
`indexing`, `reductions` and `linalg`. The local derivative of an array op is not a number but a linear map, a
`Jacobian`. The product `upstream * jacobian` pulls a gradient back through the op (VJP), and `jacobian * tangent`
pushes a tangent forward (JVP). So the code of the chain rule does not depend on shapes.

An array op computes on arrays, and records a node if an operand is a Tensor. So a pullback returns arrays if its
operands are arrays, and records the derivative's graph if an operand is a Tensor. The arguments of a pullback have the
same names as in `ops`, and `up` is the upstream gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinygraph.engine.op import Op, Traced
from tinygraph.engine.registry import is_integer
from tinygraph.engine.variadic import cut_short
from tinygraph.kernels.arrays import Array, contiguous
from tinygraph.kernels.quiet import quietly

if TYPE_CHECKING:
    from tinygraph.tensor.tensor import Tensor

_ndarray = np.ndarray
Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None
Operand: TypeAlias = "Array | Tensor"  # the same code computes on arrays and records on Tensors


class TracedArray(Traced):
    """An operand that records array ops: the base class of Tensor."""

    __slots__ = ()
    raw: Any

    @staticmethod
    def _record_array_op(op: ArrayOp, operands: Sequence[Any]) -> Tensor:
        """Record an array op on the given operands."""
        raise NotImplementedError


class ArrayOp(Op):
    """An op on whole arrays. It is linear in each operand, unless `jvp` is given.

    Args:
        name: Name of the op.
        compute: Function that computes the result from arrays.
        vjps: Pullbacks, one per operand: functions of (up, out, x) or (up, out, x, y) that return the gradient.
        note: Texts that describe the pullbacks in diagrams, as a textbook writes them. `{up}` is the upstream gradient.
        symbol: Notation of the op, as in `Op`.
        form: Formula of the value, as in `Op`.
        code: Template for Python code, as in `Op`. A `JoinOp`'s template contains one `{}` for all operands.
        jvp: Function of (tangent, out, x), for an op that is not linear. For two operands, a tuple of functions of
            (tangent, out, x, y), with None for an operand in which the op is linear. For a `JoinOp`, a function of
            (tangent, slot, operands).
        shape: Function of the operands' shapes that returns the result's shape. Only an op whose result can be larger
            than its operands needs this function.
        explain: Function of the operands that raises ValueError if their shapes do not match.
        adds_terms: If true, the result is a sum of terms, as in `Op`.
        moves: If true, the op only moves or repeats the elements of its operand, so that it commutes with elementwise
            ops.
        maker: Function that created the op.
        parameters: Arguments of `maker`.

    Examples:
        >>> from tinygraph.tensor.shapes import reshape
        >>> reshape((3, 1))(np.array([1.0, 2.0, 3.0])).shape
        (3, 1)
    """

    __slots__ = ("compute", "explain", "jvps", "moves", "note", "shape_function", "vjps")
    elementwise = False
    compute: Callable[..., Operand]

    def __init__(
        self,
        name: str,
        compute: Callable[..., Any],
        *,
        vjps: tuple[Callable[..., Operand], ...],
        note: Sequence[str] = (),
        symbol: str = "",
        form: str = "",
        code: str = "",
        jvp: Callable[..., Operand] | tuple[Callable[..., Operand] | None, ...] | None = None,
        shape: Callable[..., Shape] | None = None,
        explain: Callable[[Operand, Operand], None] | None = None,
        adds_terms: bool = False,
        moves: bool = False,
        maker: Callable[..., Op],
        parameters: tuple[object, ...] = (),
    ) -> None:
        super().__init__(
            name,
            compute,
            partials=vjps,
            symbol=symbol or f"{name}({{}})",
            form=form,
            code=code,
            linear=len(vjps) == 1 and jvp is None,
            adds_terms=adds_terms,
            maker=maker,
            parameters=parameters,
        )
        self.compute, self.vjps, self.note = compute, vjps, note
        self.jvps = jvp if isinstance(jvp, tuple) else (jvp,) * len(vjps)
        self.shape_function, self.explain, self.moves = shape, explain, moves

    @property
    def arrays(self) -> Callable[..., Operand]:
        """The kernel for arrays."""
        return self.compute

    def __call__(self, *operands: Operand) -> Operand:  # type: ignore[override]  # it does not take floats
        """Compute on arrays, or let the first Tensor among the operands record a node."""
        for operand in operands:
            if type(operand) is not _ndarray and isinstance(operand, TracedArray):
                return operand._record_array_op(self, operands)
        return quietly(self.compute, *operands)

    def partials_at(self, out: Operand, operands: Sequence[Operand], wanted: list[bool]) -> tuple[Jacobian | None, ...]:
        """Return a Jacobian for each operand that needs a gradient.

        Args:
            out: Result of the op.
            operands: Operands of the op.
            wanted: Flags, one per operand: true if the operand needs a gradient.

        Returns:
            A tuple with a Jacobian for each operand, or None where `wanted` is false.
        """
        return tuple([Jacobian(self, slot, out, operands) if want else None for slot, want in enumerate(wanted)])

    array_partials = partials_at

    def result_shape(self, *shapes: Shape) -> Shape | None:
        """Return the result's shape without computing the result.

        Args:
            *shapes: Shapes of the operands.

        Returns:
            The shape, or None if the result is not larger than the operands.
        """
        return self.shape_function(*shapes) if self.shape_function else None

    def vjp(self, slot: int, up: Operand, out: Operand, operands: Sequence[Operand]) -> Operand:
        """Return the gradient of one operand (a vector-Jacobian product).

        Args:
            slot: Index of the operand.
            up: Upstream gradient, with the shape of `out`.
            out: Result of the op.
            operands: Operands of the op.

        Returns:
            The gradient, with the shape of the operand.
        """
        return self.vjps[slot](up, out, *operands)

    def jvp(self, slot: int, tangent: Operand, out: Operand, operands: Sequence[Operand]) -> Operand:
        """Return the tangent of the result (a Jacobian-vector product).

        Args:
            slot: Index of the operand that moves.
            tangent: Direction in which the operand moves, with the operand's shape.
            out: Result of the op.
            operands: Operands of the op.

        Returns:
            The tangent, with the shape of `out`.
        """
        jvp = self.jvps[slot]
        if jvp is not None:
            return jvp(tangent, out, *operands)
        return self(*[tangent if k == slot else operand for k, operand in enumerate(operands)])

    def __repr__(self) -> str:
        return f"<array op {self.text(*'xy'[: self.arity])}>"


class LinearOp(ArrayOp):
    """An array op that is linear in all of its operands together, such as a copy of some elements of each."""

    __slots__ = ()

    def jvp(self, slot: int, tangent: Operand, out: Operand, operands: Sequence[Operand]) -> Operand:
        """Return the tangent of the result: the tangent of one operand, and zeros for the others.

        Args:
            slot: Index of the operand that moves.
            tangent: Direction in which the operand moves, with the operand's shape.
            out: Result of the op.
            operands: Operands of the op.

        Returns:
            The tangent, with the shape of `out`.
        """
        return self(*[tangent if k == slot else np.zeros(np.shape(x)) for k, x in enumerate(operands)])


class JoinOp(LinearOp):
    """An array op with any number of operands. Its pullback is one function of (up, slot, operands)."""

    __slots__ = ()
    variadic = True

    def vjp(self, slot: int, up: Operand, out: Operand, operands: Sequence[Operand]) -> Operand:
        """Return the part of the upstream gradient that belongs to one operand.

        Args:
            slot: Index of the operand.
            up: Upstream gradient, with the shape of `out`.
            out: Result of the op.
            operands: Operands of the op.

        Returns:
            The gradient, with the shape of the operand.
        """
        return self.vjps[0](up, slot, operands)

    def jvp(self, slot: int, tangent: Operand, out: Operand, operands: Sequence[Operand]) -> Operand:
        """Return the tangent of the result. Without a `jvp`, the other operands are replaced by zeros.

        Args:
            slot: Index of the operand that moves.
            tangent: Direction in which the operand moves, with the operand's shape.
            out: Result of the op.
            operands: Operands of the op.

        Returns:
            The tangent, with the shape of `out`.
        """
        if self.jvps[0] is not None:
            return self.jvps[0](tangent, slot, operands)
        return super().jvp(slot, tangent, out, operands)

    def text(self, *operands: str) -> str:
        """Return the op as text. A long list of operands is shortened.

        Args:
            *operands: Operands as text.

        Returns:
            The text.
        """
        return self.symbol.format(", ".join(cut_short(operands, 3)))


class Jacobian:
    """The local derivative of an array op: a linear map.

    Multiply the map by a gradient on its left, or by a tangent on its right.

    Args:
        op: Array op.
        slot: Index of the operand.
        out: Result of the op.
        operands: Operands of the op.

    Examples:
        >>> from tinygraph.tensor.reductions import sum_over
        >>> down = sum_over(None).partials_at(None, (np.zeros((2, 2)),), [True])[0]
        >>> np.array(3.0) * down
        array([[3., 3.],
               [3., 3.]])
        >>> down * np.array([[1.0, 2.0], [3.0, 4.0]])
        np.float64(10.0)
    """

    __slots__ = ("op", "operands", "out", "slot")
    __array_ufunc__ = None  # makes NumPy call our __rmul__
    linear_map = True  # not a number or an array

    def __init__(self, op: ArrayOp, slot: int, out: Operand, operands: Sequence[Operand]) -> None:
        self.op, self.slot, self.out, self.operands = op, slot, out, operands

    def __rmul__(self, upstream: Operand) -> Operand:
        if isinstance(upstream, TracedArray) and upstream.op is not None:  # a leaf keeps its array
            upstream.raw = contiguous(upstream.raw)
        return quietly(self.op.vjp, self.slot, contiguous(upstream), self.out, self.operands)

    def __mul__(self, tangent: Operand) -> Operand:
        return quietly(self.op.jvp, self.slot, tangent, self.out, self.operands)

    def __repr__(self) -> str:
        return f"<pullback of {self.op.name}: {self.text()}>"

    def text(self, *names: str, up: str = "upstream") -> str:
        """Return the effect of the pullback on the upstream gradient as text, for example "dZ · Xᵀ".

        Args:
            *names: Names of the operands. Defaults to x and y.
            up: Text of the upstream gradient. Defaults to "upstream".

        Returns:
            The text.
        """
        op = self.op
        note = op.note[min(self.slot, len(op.note) - 1)] if op.note else f"pulled back through {op.name}"
        text = note if "{up}" in note else f"{{up}}, {note}"
        return text.format(*(names or "xy"), up=up, slot=self.slot, shape=np.shape(self.operands[self.slot]))


# Checks of the parameters of array ops.


def is_shape(x: object) -> bool:
    """Return whether a parameter is the shape of an array.

    Args:
        x: Parameter to check.

    Returns:
        True for a tuple of nonnegative integers.
    """
    return isinstance(x, tuple) and all(type(n) is int and 0 <= n < 2**62 for n in x)


def is_axes(x: object) -> bool:
    """Return whether a parameter specifies axes.

    Args:
        x: Parameter to check.

    Returns:
        True for an axis, a tuple of axes, or None (all axes).
    """
    return x is None or is_integer(x) or (isinstance(x, tuple) and all(map(is_integer, x)))
