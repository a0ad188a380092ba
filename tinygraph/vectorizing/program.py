"""A graph of Tensors as a program: lines of arithmetic, without what only a graph needs.

Equal lines are one, what depends on plain numbers only is computed beforehand, NumPy broadcasts what the graph expands,
and transposes cancel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.op import Op
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import expand, repeated_axes, reshape
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.views import TRANSPOSE, Shape


@dataclass(eq=False, repr=False)
class Line:
    """One step: an op and the lines it takes, or an input, or plain numbers (`value`)."""

    op: Op | None
    args: tuple[Line, ...]
    shape: Shape  # of what it computes; NumPy broadcasts it to what is wanted
    value: Any = None
    names: list[str] = field(default_factory=list)
    uses: int = 0

    @property
    def plain(self) -> bool:
        """Whether it is plain numbers."""
        return self.op is None and self.value is not None


@dataclass
class Program:
    """Lines in order, and which of them are results."""

    inputs: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    whole: set[Tensor] = field(default_factory=set)  # gradients of leaves, written out even if all entries are the same
    _known: dict[Any, Line] = field(default_factory=dict)
    _line_of: dict[Tensor, Line] = field(default_factory=dict)

    def add_input(self, tensor: Tensor, name: str) -> Line:
        """Let a leaf be an input."""
        line = Line(None, (), tensor.shape, names=[name])
        self.inputs.append(line)
        self._line_of[tensor] = line
        return line

    def add_result(self, tensor: Tensor, names: Mapping[Tensor, Sequence[str]]) -> Line:
        """Add the lines that compute a tensor; those of named tensors get their names."""
        stack = [tensor]
        while stack:
            node = stack[-1]
            if node in self._line_of:
                stack.pop()
                continue
            waiting = [x for x in node.args if isinstance(x, Tensor) and x not in self._line_of]
            if waiting:
                stack += reversed(waiting)
                continue
            stack.pop()
            line = self._of(node)
            if line.shape != node.shape and node in names and (not line.plain or node in self.whole):
                line = Line(expand(node.shape), (line,), node.shape)  # what has a name has its full shape
                self.lines.append(line)
            called = [name for name in names.get(node, ()) if name not in line.names]
            if called and line.plain:  # a number with a name is not that number elsewhere
                line = Line(None, (), line.shape, line.value)
                self.lines.append(line)
            line.names += called
            self._line_of[node] = line
        line = self._full(self._line_of[tensor], tensor.shape)
        self.results.append(line)
        return line

    def finish(self) -> None:
        """Drop what no result needs, and count who is used how often."""
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

    def _of(self, node: Tensor) -> Line:
        op: Any = node.op
        if op is None:
            return self._plain(node.data)
        args = [self._line_of[x] if isinstance(x, Tensor) else self._plain(x) for x in node.args]
        if all(arg.plain for arg in args) and not (op is TRANSPOSE and args[0].shape):  # a transpose costs nothing
            return self._plain(node.data)
        if isinstance(op, ArrayOp):
            shapes = [np.shape(x.raw if isinstance(x, Tensor) else x) for x in node.args]
            return self._wired(op, args, shapes, node.shape)
        return self._row(op, args)

    def _plain(self, value: Any) -> Line:
        value = np.asarray(value)
        if value.size and (value == value.flat[0]).all():
            value = value.ravel()[0]  # broadcast where it is needed
        key = value.tobytes(), value.shape
        if key not in self._known:
            self._known[key] = Line(None, (), value.shape, float(value) if not value.ndim else value)
            self.lines.append(self._known[key])
        return self._known[key]

    def _row(self, op: Op, args: list[Line]) -> Line:
        """A row; a factor 1 and a term 0 change nothing."""
        if op in (ops.mul, ops.add):
            for one, other in (args, args[::-1]):
                if one.plain and not one.shape:
                    if one.value == (1.0 if op is ops.mul else 0.0):
                        return other
                    if op is ops.mul and one.value == -1.0:
                        return self._row(ops.neg, [other])
        if op is ops.neg and args[0].op is ops.neg:
            return args[0].args[0]
        if op is ops.add and args[0] is args[1]:
            return self._row(ops.mul, [self._plain(2.0), args[0]])
        return self._line(op, args, np.broadcast_shapes(*[arg.shape for arg in args]))

    def _wired(self, op: ArrayOp, args: list[Line], shapes: list[Shape], shape: Shape) -> Line:
        """ArrayOp, on arrays of their full shape."""
        x = args[0]
        if op.name == "expand":
            return x
        if op.name == "sum_to":
            return self._collapsed(self._full(x, shapes[0]), shape)
        args = [self._full(arg, full) for arg, full in zip(args, shapes, strict=True)]
        x = args[0]
        if op.name == "reshape":
            while x.op is not None and x.op.name == "reshape":
                x = x.args[0]
            if x.shape == shape:
                return x
            return self._line(reshape(shape), [x], shape)
        if op is TRANSPOSE:
            return self._turned(x)
        return self._line(op, args, shape)

    def _turned(self, x: Line) -> Line:
        """The transpose: that of a transpose is the matrix, that of a product the product of transposes."""
        if x.op is TRANSPOSE:
            return x.args[0]
        if x.op is matmul and not x.names and TRANSPOSE in (x.args[0].op, x.args[1].op):
            a, b = x.args
            return self._line(matmul, [self._turned(b), self._turned(a)], x.shape[::-1])
        return self._line(TRANSPOSE, [x], x.shape[::-1])

    def _collapsed(self, x: Line, shape: Shape) -> Line:
        """The sum over what was repeated."""
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
        """What NumPy would broadcast, written out."""
        return x if x.shape == shape else self._line(expand(shape), [x], shape)

    def _line(self, op: Op, args: Iterable[Line], shape: Shape) -> Line:
        args = tuple(args)
        key = op, *map(id, args)
        if key not in self._known:
            self._known[key] = Line(op, args, shape)
            self.lines.append(self._known[key])
        return self._known[key]
