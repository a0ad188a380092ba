"""A graph of Tensors as a program: lines of arithmetic, without the ops that only a graph needs.

Equal lines are merged, and results that depend only on plain numbers are precomputed. NumPy broadcasts the arrays that
the graph expands, and pairs of transposes cancel.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygraph.engine.logits import ActivationOp, logit_of
from tinygraph.engine.op import Op
from tinygraph.engine.ops import add, mul, neg
from tinygraph.tensor.indexing import index
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import expand, repeated_axes, reshape, sum_to, transpose
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.views import TRANSPOSE, Shape


@dataclass(eq=False, repr=False)
class Line:
    """One line of a program: an op and its operands, an input, or plain numbers.

    Attributes:
        op: The op, or None for an input or for plain numbers.
        args: The lines of the operands.
        shape: The shape of the result. NumPy broadcasts the result where a larger shape is needed.
        value: The plain numbers, or None.
        names: The names of the result.
        uses: Number of lines and results that use the line.
    """

    op: Op | None
    args: tuple[Line, ...]
    shape: Shape  # NumPy broadcasts the result where a larger shape is needed
    value: Array | float | None = None
    names: list[str] = field(default_factory=list)
    uses: int = 0

    @property
    def plain(self) -> bool:
        """True if the line consists of plain numbers."""
        return self.op is None and self.value is not None


@dataclass
class Program:
    """The lines of a program in order, and its results.

    Attributes:
        inputs: The inputs.
        lines: The lines, operands first.
        results: The lines that are results.
        whole: The gradients of leaves. They are written in full shape even if all elements are equal.
    """

    inputs: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    whole: set[Tensor] = field(default_factory=set)  # gradients of leaves, written in full shape
    _known: dict[tuple[Hashable, ...], Line] = field(default_factory=dict)
    _line_of: dict[Tensor, Line] = field(default_factory=dict)
    _logits: dict[Tensor, Tensor] = field(default_factory=dict)  # the logit from which a node is computed

    def add_input(self, tensor: Tensor, name: str) -> Line:
        """Add a leaf as an input.

        Args:
            tensor: Leaf.
            name: Name of the input.

        Returns:
            The line of the input.
        """
        line = Line(None, (), tensor.shape, names=[name])
        self.inputs.append(line)
        self._line_of[tensor] = line
        return line

    def add_result(self, tensor: Tensor, names: Mapping[Tensor, Sequence[str]]) -> Line:
        """Add the lines that compute a tensor.

        Args:
            tensor: Tensor that is a result.
            names: Names of each tensor. The tensor's line gets the same names.

        Returns:
            The line of the result.
        """
        stack = [tensor]
        while stack:
            node = stack[-1]
            if node in self._line_of:
                stack.pop()
                continue
            args = self._args(node)
            if node in self._logits and node.args[0] in names:
                args = (*args, node.args[0])  # a named activation is written, although no line uses it
            waiting = [x for x in args if isinstance(x, Tensor) and x not in self._line_of]
            if waiting:
                stack += reversed(waiting)
                continue
            stack.pop()
            line = self._of(node)
            if line.shape != node.shape and node in names and (not line.plain or node in self.whole):
                line = Line(expand(node.shape), (line,), node.shape)  # a named line has its full shape
                self.lines.append(line)
            called = [name for name in names.get(node, ()) if name not in line.names]
            if called and line.plain:  # a number with a name gets a separate line
                line = Line(None, (), line.shape, line.value)
                self.lines.append(line)
            line.names += called
            self._line_of[node] = line
            if len(args) > len(node.args):
                self.results.append(self._line_of[node.args[0]])
        line = self._full(self._line_of[tensor], tensor.shape)
        self.results.append(line)
        return line

    def finish(self) -> None:
        """Remove lines that no result needs, and count the uses of each line."""
        for line in self.lines:
            line.uses = 0
        needed: set[Line] = set()
        stack = list(self.results)
        for line in self.results:
            line.uses += 1
        while stack:
            line = stack.pop()
            if line in needed:
                continue
            needed.add(line)
            for arg in line.args:
                arg.uses += 1
                stack.append(arg)
        self.lines = [line for line in self.lines if line in needed]

    # --- from tensors to lines

    def _args(self, node: Tensor) -> Sequence[Tensor | Array | float]:
        """Return the operands of a node. If the node is computed from a logit, the logit replaces the activation."""
        if type(node.op) is ActivationOp and node not in self._logits and (z := logit_of(node.x)) is not None:
            self._logits[node] = z
        return (self._logits[node], *node.args[1:]) if node in self._logits else node.args

    def _of(self, node: Tensor) -> Line:
        op = node.op
        if op is None:
            return self._plain(node.data)
        operands = self._args(node)
        if node in self._logits:
            assert isinstance(op, ActivationOp)
            op = op.of_logit
        args = [self._line_of[x] if isinstance(x, Tensor) else self._plain(x) for x in operands]
        if all(arg.plain for arg in args) and not (op is TRANSPOSE and args[0].shape):  # transposes of data stay
            return self._plain(node.data)
        if op.elementwise:
            return self._simplified(op, args)
        if op.maker is expand or (op.maker is transpose and node.ndim < 2):  # a float has no method for a transpose
            return args[0]
        shapes = [np.shape(x.raw if isinstance(x, Tensor) else x) for x in node.args]
        args = [self._full(arg, full) for arg, full in zip(args, shapes, strict=True)]
        if op.maker is sum_to:
            return self._collapsed(args[0], node.shape)
        if op.maker is index and not args[0].shape:  # a float has no elements to select
            return self._reshaped(args[0], node.shape) if node.size else self._plain(node.data)
        if op.maker is reshape:
            return self._reshaped(args[0], node.shape)
        return self._turned(args[0]) if op is TRANSPOSE else self._line(op, args, node.shape)

    def _plain(self, value: Array | float) -> Line:
        array = np.asarray(value)
        if array.size and (array == array.flat[0]).all():
            array = array.ravel()[:1].reshape(())  # NumPy broadcasts the number where needed
        key = array.tobytes(), array.shape
        if key not in self._known:
            self._known[key] = Line(None, (), array.shape, array if array.ndim else float(array))
            self.lines.append(self._known[key])
        return self._known[key]

    def _simplified(self, op: Op, args: list[Line]) -> Line:
        """Return the line for an elementwise op, without a factor of 1 or a term of 0."""
        if op in (mul, add):
            for one, other in (args, args[::-1]):
                if one.plain and not one.shape:
                    if one.value == (1.0 if op is mul else 0.0):
                        return other
                    if op is mul and one.value == -1.0:
                        return self._simplified(neg, [other])
        if op is neg and args[0].op is neg:
            return args[0].args[0]
        if op is add and args[0] is args[1]:
            return self._simplified(mul, [self._plain(2.0), args[0]])
        return self._line(op, args, np.broadcast_shapes(*[arg.shape for arg in args]))

    def _reshaped(self, x: Line, shape: Shape) -> Line:
        """Return the line for an array in another shape. Several reshapes become one."""
        while x.op is not None and x.op.maker is reshape:
            x = x.args[0]
        return x if x.shape == shape else self._line(reshape(shape), [x], shape)

    def _turned(self, x: Line) -> Line:
        """Return the line for a transpose. Two transposes cancel.

        The product (A @ B).T becomes B.T @ A.T if A or B is a transpose.
        """
        if x.op is TRANSPOSE:
            return x.args[0]
        if x.op is matmul and not x.names and TRANSPOSE in (x.args[0].op, x.args[1].op):
            a, b = x.args
            return self._line(matmul, [self._turned(b), self._turned(a)], x.shape[::-1])
        return self._line(TRANSPOSE, [x], x.shape[::-1])

    def _collapsed(self, x: Line, shape: Shape) -> Line:
        """Return the line for the sum over the axes along which elements were repeated by broadcasting."""
        if x.shape == shape:
            return x
        new = len(x.shape) - len(shape)
        axes = repeated_axes(x.shape, shape)
        if not shape:
            return self._line(sum_over(None), [x], ())
        op = sum_over(axes[0] if len(axes) == 1 else axes, not new)
        summed = tuple([1 if i in axes else n for i, n in enumerate(x.shape) if not (new and i in axes)])
        out = self._line(op, [x], summed)
        return out if summed == shape else self._line(reshape(shape), [out], shape)

    def _full(self, x: Line, shape: Shape) -> Line:
        """Return a line in its full shape, so that NumPy does not need to broadcast the result."""
        return x if x.shape == shape else self._line(expand(shape), [x], shape)

    def _line(self, op: Op, args: Iterable[Line], shape: Shape) -> Line:
        args = tuple(args)
        key = op, *map(id, args)
        if key not in self._known:
            self._known[key] = Line(op, args, shape)
            self.lines.append(self._known[key])
        return self._known[key]
