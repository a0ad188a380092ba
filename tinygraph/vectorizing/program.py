"""A graph of Tensors as a program: lines of arithmetic, without what only a graph needs, and the text of it.

Equal lines are one, what depends on plain numbers only is computed beforehand, NumPy broadcasts by itself what the
graph expands, and transposes cancel. `text` writes the lines out, as NumPy that people read or as it runs fastest.
"""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.op import TABLE, Op
from tinygraph.kernels import arrays
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.indexing import scatter_add
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import expand, repeated_axes, reshape, transpose
from tinygraph.tensor.tensor import Tensor

Shape = tuple[int, ...]
WIDTH = 100  # of a line of text
_TURN = transpose((1, 0))


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
        if all(arg.plain for arg in args) and not (op is _TURN and args[0].shape):  # a transpose costs nothing
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
        if op is _TURN:
            return self._turned(x)
        return self._line(op, args, shape)

    def _turned(self, x: Line) -> Line:
        """The transpose: that of a transpose is the matrix, that of a product the product of transposes."""
        if x.op is _TURN:
            return x.args[0]
        if x.op is matmul and not x.names and _TURN in (x.args[0].op, x.args[1].op):
            a, b = x.args
            return self._line(matmul, [self._turned(b), self._turned(a)], x.shape[::-1])
        return self._line(_TURN, [x], x.shape[::-1])

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


# --- text -------------------------------------------------------------------------------------------

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)  # how strongly an expression is bound
_INFIX: dict[str, tuple[str, int]] = {
    "add": ("+", _SUM), "sub": ("-", _SUM), "mul": ("*", _PRODUCT), "div": ("/", _PRODUCT), "matmul": ("@", _PRODUCT),
}  # fmt: skip


class Writer:
    """Writes the lines of a program: `lines` is the text, `names` what the text calls them.

    `functions` are what the text needs besides NumPy (`np`): by name, for running it.
    """

    def __init__(self, program: Program, fast: bool = False, careful: bool = False) -> None:
        self.program, self.fast = program, fast
        self.by_rows = fast or careful  # numbers that are not finite: Python's own / and ** raise
        self.text: list[str] = []
        self.functions: dict[str, Any] = {}
        self.imports: dict[str, set[str]] = {}
        self.constants: dict[str, Any] = {}
        self.names: dict[Line, str] = {}
        self._written: dict[Line, tuple[str, int]] = {}
        self._taken = {
            "np",
            "arrays",
            "scatter_add",
            "slice",
            "add_up",
            "check",
            "power",
            "power_partial",
            *keyword.kwlist,
            *TABLE,
        }
        self._counts: dict[str, int] = {}  # how often a name was asked for
        self._called: dict[Any, str] = {}
        self._results = set(program.results)
        self.ends: dict[Line, int] = {}  # how many lines of text there are when it is written
        for line in (*program.inputs, *[line for line in program.lines if line.names]):
            self.names[line] = self._unique(line.names[0])
        self._partner = self._pairs() if fast else {}
        self._first_user = {arg: line for line in reversed(program.lines) for arg in line.args}
        for line in (*program.lines, *program.inputs):  # other names of inputs come last: they are derivatives
            if line.op is not None or line.plain:
                self._write(line)
            for alias in line.names[1:]:
                self.text.append(f"{self._unique(alias)} = {self.names[line]}")
            self.ends[line] = len(self.text)

    def name(self, line: Line) -> str:
        """What the text calls the line, which is an input, a result, or a number."""
        return self._text_of(line, 0)

    def number(self, number: Any) -> str:
        """A number as the text writes it."""
        return _number(number)

    # --- names

    def _unique(self, name: str) -> str:
        name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_") or "v"  # as Python reads names
        name = name if name.isidentifier() else f"v{name}" if f"v{name}".isidentifier() else "v"
        unique, k = name, self._counts.get(name, 0)
        while unique in self._taken:
            k += 1
            unique = f"{name}{k}"
        self._counts[name] = k
        self._taken.add(unique)
        return unique

    def constant(self, value: Any, hint: str) -> str:
        """A name for what the text is given."""
        name = self._unique(hint)
        self.constants[name] = value
        return name

    # --- lines

    def _pairs(self) -> dict[Line, tuple[Line, Line, Any]]:
        """Lines of arrays that one function computes at once, because they share an exponential."""
        by_args = {(line.op, *line.args): line for line in self.program.lines if line.op is not None and line.shape}
        pairs: dict[Line, tuple[Line, Line, Any]] = {}
        for line in by_args.values():
            together: Any = None
            if line.op is ops.sigmoid and line.args[0].op is ops.neg:
                together = by_args.get((ops.sigmoid, *line.args[0].args)), line, arrays.sigmoid_and_rest
            elif line.op is ops.sigmoid_minus:
                row = ops.binary_cross_entropy_with_logits
                together = by_args.get((row, *line.args)), line, getattr(arrays, row.with_partial)
            if together and together[0] is not None:
                pairs[together[0]] = pairs[line] = together
        return pairs

    def _write_pair(self, first: Line, second: Line, function: Any) -> None:
        """Write two lines as one."""
        takes = ", ".join([self._text_of(arg, 0) for arg in first.args])
        for line in (first, second):
            self.names[line] = self._unique("v")
            self._written[line] = self.names[line], _ATOM
        self.functions[function.__name__] = function
        self.text.append(f"{self.names[first]}, {self.names[second]} = {function.__name__}({takes})")

    def _write(self, line: Line) -> None:
        if line in self._partner:
            if line not in self._written:
                self._write_pair(*self._partner[line])
            return
        if line.plain:
            if not line.shape:
                number = _number(line.value)
                inverse = _number(1.0 / line.value) if line.value and len(number) > 8 else "."
                if "." not in inverse and 1.0 / int(inverse) == line.value and not self.fast:
                    number = f"1 / {inverse}"
                if line in self.names:
                    self.text.append(f"{self.names[line]} = {number}")
                    self._written[line] = self.names[line], _ATOM
                else:
                    self._written[line] = number, _PRODUCT if "/" in number else _SIGN if number[0] == "-" else _ATOM
            else:
                name = self.constant(line.value, self._hint(line))
                if line in self.names:
                    self.text.append(f"{self.names[line]} = {name}")
                else:
                    self.names[line] = name
                self._written[line] = self.names[line], _ATOM
            return
        text, bound = self._expression(line)
        while len(text) > WIDTH:
            inner = [arg for arg in line.args if arg not in self.names and len(self._written[arg][0]) > 20]
            if not inner:
                break
            longest = max(inner, key=lambda arg: len(self._written[arg][0]))
            self.names[longest] = self._unique("v")
            self.text.append(f"{self.names[longest]} = {self._written[longest][0]}")
            text, bound = self._expression(line)
        inline = line.uses <= 1 or line.op is _TURN or (line.op is not None and line.op.name == "expand")
        if line in self.names or line in self._results or not inline:
            name = self.names.get(line) or self._unique("v")
            self.names[line] = name
            self.text.append(f"{name} = {text}")
            text, bound = name, _ATOM
        self._written[line] = text, bound

    def _hint(self, line: Line) -> str:
        """The lecture's letters: Y what a loss compares with, X a matrix."""
        user = self._first_user.get(line)
        if user is None or user.op is None:
            return "C"
        if user.op is matmul:
            return "X"
        losses = ops.binary_cross_entropy, ops.binary_cross_entropy_with_logits, ops.squared_error, ops.sub
        return "Y" if user.op in losses and user.args[1] is line else "C"

    def _text_of(self, line: Line, bound: int) -> str:
        """The expression of a line, in parentheses where it is bound less strongly."""
        if line in self.names:
            return self.names[line]
        text, own = self._written[line]
        return text if own >= bound else f"({text})"

    def _expression(self, line: Line) -> tuple[str, int]:
        op, args = line.op, line.args
        assert op is not None
        if op.name in _INFIX and not (op is ops.div and self.by_rows and not line.shape):
            sign, bound = _INFIX[op.name]
            after = bound if op in (ops.add, ops.mul) and not self.fast and not _mixed(args[1]) else bound + 1
            return f"{self._text_of(args[0], bound)} {sign} {self._text_of(args[1], after)}", bound
        if op is ops.neg:
            return f"-{self._text_of(args[0], _SIGN)}", _SIGN
        if isinstance(op, ArrayOp):
            text, bound = self._wired(op, line)
            # functions of floats are not made for NumPy's scalars, which are slower, too
            return (f"float({text})", _ATOM) if self.fast and not line.shape else (text, bound)
        if op.maker is ops.power and not self.by_rows:
            return f"{self._text_of(args[0], _ATOM)} ** {_number(op.parameters[0])}", _POWER
        if op.maker is ops.power_partial and len(op.parameters) == 1 and not self.by_rows:
            c = op.parameters[0]
            if c == 2:
                return f"2 * {self._text_of(args[0], _SIGN)}", _PRODUCT
            if c > 2 and c == c // 1:
                return f"{_number(c)} * {self._text_of(args[0], _ATOM)} ** {_number(c - 1)}", _PRODUCT
        called = ", ".join([self._text_of(arg, 0) for arg in args])
        return f"{self._function(op, bool(line.shape))}({called})", _ATOM

    def _function(self, op: Op, of_arrays: bool) -> str:
        """What the text calls a row by."""
        if self.fast:
            function = op.arrays if of_arrays else op.floats
            if function not in self._called:
                called = self._called[function] = self._unique(f"{op.name}_of_{'arrays' if of_arrays else 'floats'}")
                self.functions[called] = function
            return self._called[function]
        of_numpy = (
            isinstance(op.array_source, str)
            and of_arrays
            and TABLE.get(op.name) is op
            and not hasattr(arrays, op.array_source)
        )
        if of_numpy:
            return f"np.{op.array_source}"
        name = op.name
        if vars(ops).get(name) is op:
            self._import("tinygraph" if op.public else "tinygraph.engine.ops", name)
            return name
        if op.maker:
            family = op.maker.__name__
            self._import("tinygraph.engine.ops", family)
            return f"{family}({', '.join(map(_number, op.parameters))})"
        if op not in self._called:  # a row of the user's own
            self._called[op] = self._unique(op.name)
            self.functions[self._called[op]] = op
        return self._called[op]

    def _import(self, module: str, name: str) -> None:
        self.imports.setdefault(module, set()).add(name)
        self.functions[name] = getattr(ops, name)

    def _wired(self, op: ArrayOp, line: Line) -> tuple[str, int]:
        x = line.args[0]
        parameters: Any = op.parameters
        if op is _TURN:
            return f"{self._text_of(x, _ATOM)}.T", _ATOM
        if op.name in ("sum", "mean"):
            axis, keepdims = parameters
            if self.fast:
                self.functions["add_up"] = np.add.reduce
                keep = ", keepdims=True" if keepdims else ""
                summed = f"add_up({self._text_of(x, 0)}, axis={axis}{keep})"
                count = math.prod(x.shape) // math.prod(line.shape)
                return (summed, _ATOM) if op.name == "sum" else (f"{summed} / {count}", _PRODUCT)
            options = ("" if axis is None else f", axis={axis}") + (", keepdims=True" if keepdims else "")
            return f"np.{op.name}({self._text_of(x, 0)}{options})", _ATOM
        if op.name == "reshape":
            if not line.shape:
                return f"{self._text_of(x, _ATOM)}.item()", _ATOM
            if not x.shape:
                return f"np.reshape({self._text_of(x, 0)}, {line.shape})", _ATOM
            return f"{self._text_of(x, _ATOM)}.reshape({', '.join(map(str, line.shape))})", _ATOM
        if op.name == "transpose":
            return f"{self._text_of(x, _ATOM)}.transpose({', '.join(map(str, parameters[0]))})", _ATOM
        if op.name == "expand":
            return f"np.broadcast_to({self._text_of(x, 0)}, {line.shape})", _ATOM
        if op.name == "index":
            return f"{self._text_of(x, _ATOM)}[{self._key(parameters[0])}]", _ATOM
        if op.name == "scatter_add":
            self.functions["scatter_add"] = scatter_add
            self.imports.setdefault("tinygraph.tensor.indexing", set()).add("scatter_add")
            return (
                f"scatter_add({self._key(parameters[0], inside=False)}, {parameters[1]})({self._text_of(x, 0)})",
                _ATOM,
            )
        self.functions[name := self._unique(op.name)] = op
        return f"{name}({', '.join([self._text_of(arg, 0) for arg in line.args])})", _ATOM

    def _key(self, key: Any, inside: bool = True) -> str:
        if isinstance(key, tuple):
            keys = ", ".join([self._key(k, inside) for k in key])
            return keys if inside else f"({keys},)"
        if isinstance(key, slice):
            if not inside:
                return f"slice({key.start}, {key.stop}, {key.step})"
            ends = ["" if end is None else str(end) for end in (key.start, key.stop)]
            return ":".join([*ends, str(key.step)] if key.step is not None else ends)
        if isinstance(key, np.ndarray):
            for name, value in self.constants.items():
                if value is key:
                    return name
            return self.constant(key, "k")
        return repr(key)


def _mixed(line: Line) -> bool:
    """Whether it is a difference or a quotient, which binds to the left."""
    return line.op is not None and line.op.name in ("sub", "div", "matmul")


def _number(number: Any) -> str:
    """The number, whole ones without a point."""
    if not np.isfinite(number):
        return f"np.{number}".replace("np.-", "-np.")
    if isinstance(number, (int, np.integer)) or (number == number // 1 and abs(number) < 1e15):
        return repr(int(number)) if number or not np.signbit(number) else "-0.0"
    return repr(float(number))
