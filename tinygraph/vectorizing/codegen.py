"""The text of a program: NumPy that people read, or as it runs fastest."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.op import TABLE, Op
from tinygraph.kernels import arrays
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.indexing import scatter_add
from tinygraph.tensor.linalg import matmul
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.views import TRANSPOSE

WIDTH = 100  # of a line of text

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
        inline = line.uses <= 1 or line.op is TRANSPOSE or (line.op is not None and line.op.name == "expand")
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
        if op is TRANSPOSE:
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
